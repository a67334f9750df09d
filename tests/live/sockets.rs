//! Sockets of every kind, made, bound, connected, accepted, passed and closed at random, compared with what `ss` (iproute2) lists
//! at the same moments: no address may be wrong, live or as of that moment of a capture.
//!
//! Of `ss` the process, the number and the inode are taken, and by them the row of ours. What ours does not know is counted.
#![allow(unsafe_code, reason = "what is tested are system calls as such")]

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, SystemTime};

use serde_json::Value;

use super::rig::{actor, alone, loudly, skip};
use crate::cli::sysreel;

const SEED: &str = "SYSREEL_SEED";
/// Most sockets at once.
const MOST: usize = 80;

struct Dice(u64);

impl Dice {
    fn roll(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((self.0 >> 11) % n.max(1) as u64) as usize
    }
}

/// An address: its bytes.
type Address = Vec<u8>;

fn ip4(last: u8, port: u16) -> Address {
    let mut all = (libc::AF_INET as u16).to_ne_bytes().to_vec();
    all.extend(port.to_be_bytes());
    all.extend([127, 0, 0, last]);
    all.resize(16, 0);
    all
}

fn ip6(ip: std::net::Ipv6Addr, port: u16) -> Address {
    let mut all = (libc::AF_INET6 as u16).to_ne_bytes().to_vec();
    all.extend(port.to_be_bytes());
    all.extend([0; 4]);
    all.extend(ip.octets());
    all.extend([0; 4]);
    all
}

fn unix(name: &str) -> Address {
    let mut all = (libc::AF_UNIX as u16).to_ne_bytes().to_vec();
    match name.strip_prefix('@') {
        Some(name) => all.extend([&b"\0"[..], name.as_bytes()].concat()),
        None => all.extend([name.as_bytes(), b"\0"].concat()),
    }
    all
}

fn socket(family: i32, kind: i32) -> i32 {
    unsafe { libc::socket(family, kind | libc::SOCK_NONBLOCK, 0) }
}

fn bind(fd: i32, to: &[u8]) -> bool {
    unsafe { libc::bind(fd, to.as_ptr().cast(), to.len() as u32) == 0 }
}

fn connect(fd: i32, to: &[u8]) {
    unsafe { libc::connect(fd, to.as_ptr().cast(), to.len() as u32) };
}

fn local(fd: i32) -> Address {
    let (mut all, mut len) = (vec![0u8; 128], 128u32);
    unsafe { libc::getsockname(fd, all.as_mut_ptr().cast(), &raw mut len) };
    all.truncate(len as usize);
    all
}

/// What the driver has.
struct Driver {
    dice: Dice,
    open: Vec<i32>,
    /// Those that listen, and stream or not.
    listen: Vec<i32>,
    /// Addresses of datagram sockets, by family.
    reach: Vec<Address>,
    /// To pass descriptors on to itself.
    way: [i32; 2],
    names: u32,
}

impl Driver {
    fn keep(&mut self, fd: i32) {
        if fd >= 0 {
            self.open.push(fd);
        }
    }

    fn any(&mut self) -> Option<i32> {
        let at = self.dice.roll(self.open.len());
        self.open.get(at).copied()
    }

    fn name(&mut self) -> String {
        self.names += 1;
        let at = if self.dice.roll(2) == 0 { "@" } else { "" };
        format!("{at}n{}-{}", std::process::id(), self.names)
    }

    fn address(&mut self, family: i32) -> Address {
        let v6 = [std::net::Ipv6Addr::LOCALHOST, std::net::Ipv6Addr::UNSPECIFIED];
        match family {
            libc::AF_INET => ip4([1, 1, 2, 200][self.dice.roll(4)], 0),
            libc::AF_INET6 => ip6(v6[self.dice.roll(2)], 0),
            _ => {
                let name = self.name();
                unix(&name)
            }
        }
    }

    fn family(&mut self) -> i32 {
        [libc::AF_INET, libc::AF_INET6, libc::AF_UNIX][self.dice.roll(3)]
    }

    fn listens(&mut self) {
        let family = self.family();
        let packets = family == libc::AF_UNIX && self.dice.roll(2) == 0;
        let fd = socket(family, if packets { libc::SOCK_SEQPACKET } else { libc::SOCK_STREAM });
        let at = self.address(family);
        if bind(fd, &at) && unsafe { libc::listen(fd, 8) } == 0 {
            self.listen.push(fd);
        }
        self.keep(fd);
    }

    /// A client of somebody who listens, perhaps bound first; sometimes of an address of version 4 by version 6.
    fn connects(&mut self) {
        let at = self.dice.roll(self.listen.len());
        let Some(listens) = self.listen.get(at).copied() else { return };
        let mut to = local(listens);
        let mut family = i32::from(u16::from_ne_bytes([to[0], to[1]]));
        let packets = {
            let (mut kind, mut len) = (0i32, 4u32);
            unsafe {
                let into = (&raw mut kind).cast();
                libc::getsockopt(listens, libc::SOL_SOCKET, libc::SO_TYPE, into, &raw mut len);
            }
            kind
        };
        if family == libc::AF_INET && self.dice.roll(3) == 0 {
            let ip = std::net::Ipv4Addr::new(to[4], to[5], to[6], to[7]).to_ipv6_mapped();
            to = ip6(ip, u16::from_be_bytes([to[2], to[3]]));
            family = libc::AF_INET6;
        }
        let fd = socket(family, packets);
        if self.dice.roll(3) == 0 && family != libc::AF_INET6 {
            let own = self.address(family);
            bind(fd, &own);
        }
        connect(fd, &to);
        self.keep(fd);
        if self.dice.roll(4) > 0 {
            let new = unsafe { libc::accept4(listens, std::ptr::null_mut(), std::ptr::null_mut(), 0) };
            self.keep(new);
        }
    }

    fn datagrams(&mut self) {
        let family = self.family();
        let fd = socket(family, libc::SOCK_DGRAM);
        if self.dice.roll(4) > 0 {
            let at = self.address(family);
            if bind(fd, &at) {
                self.reach.push(local(fd));
            }
        }
        let at = self.dice.roll(self.reach.len());
        if let Some(to) = self.reach.get(at).filter(|to| to[0] == family as u8) {
            match self.dice.roll(3) {
                0 => connect(fd, to),
                1 => unsafe {
                    libc::sendto(fd, b"x".as_ptr().cast(), 1, 0, to.as_ptr().cast(), to.len() as u32);
                },
                _ => {}
            }
        }
        self.keep(fd);
    }

    /// One end of a passed descriptor is closed.
    fn pass(&mut self) {
        let at = self.dice.roll(self.open.len());
        let Some(fd) = self.open.get(at).copied() else { return };
        let (mut byte, mut space) = ([0u8; 1], [0u64; 4]);
        unsafe {
            let mut part = libc::iovec { iov_base: byte.as_mut_ptr().cast(), iov_len: 1 };
            let mut msg: libc::msghdr = std::mem::zeroed();
            (msg.msg_iov, msg.msg_iovlen) = (&raw mut part, 1);
            (msg.msg_control, msg.msg_controllen) = (space.as_mut_ptr().cast(), libc::CMSG_SPACE(4) as _);
            let head = libc::CMSG_FIRSTHDR(&raw const msg);
            ((*head).cmsg_level, (*head).cmsg_type) = (libc::SOL_SOCKET, libc::SCM_RIGHTS);
            (*head).cmsg_len = libc::CMSG_LEN(4) as _;
            libc::CMSG_DATA(head).cast::<i32>().write_unaligned(fd);
            libc::sendmsg(self.way[0], &raw const msg, 0);
            libc::close(fd);
            if self.dice.roll(2) == 0 {
                libc::recvmsg(self.way[1], &raw mut msg, 0);
            } else {
                let mut all: libc::mmsghdr = std::mem::zeroed();
                all.msg_hdr = msg;
                libc::recvmmsg(self.way[1], &raw mut all, 1, 0, std::ptr::null_mut());
            }
            self.open[at] = libc::CMSG_DATA(head).cast::<i32>().read_unaligned();
        }
        self.listen.retain(|l| *l != fd);
    }

    fn close(&mut self) {
        let at = self.dice.roll(self.open.len());
        if at < self.open.len() {
            let fd = self.open.swap_remove(at);
            unsafe { libc::close(fd) };
            self.listen.retain(|l| *l != fd);
        }
    }

    fn act(&mut self) {
        match self.dice.roll(20) {
            0..=2 => self.listens(),
            3..=7 => self.connects(),
            8..=10 => self.datagrams(),
            11 => {
                let kind = [libc::SOCK_STREAM, libc::SOCK_DGRAM, libc::SOCK_SEQPACKET][self.dice.roll(3)];
                let mut two = [-1; 2];
                unsafe { libc::socketpair(libc::AF_UNIX, kind, 0, two.as_mut_ptr()) };
                two.into_iter().for_each(|fd| self.keep(fd));
            }
            12 => {
                // Nobody is there.
                let fd = socket(libc::AF_INET, libc::SOCK_STREAM);
                connect(fd, &ip4(3, 1));
                self.keep(fd);
            }
            13 => {
                let new = self.any().map_or(-1, |fd| unsafe { libc::dup(fd) });
                self.keep(new);
            }
            14 => self.pass(),
            15 => {
                // Back to no address.
                if let Some(fd) = self.any().filter(|fd| !self.listen.contains(fd)) {
                    connect(fd, &(libc::AF_UNSPEC as u16).to_ne_bytes().repeat(8));
                }
            }
            _ => self.close(),
        }
        while self.open.len() > MOST {
            self.close();
        }
    }
}

/// The driver: acts by command, and says when it has.
pub fn act() {
    let dir = tempfile::tempdir().unwrap();
    std::env::set_current_dir(&dir).unwrap();
    let seed: u64 = std::env::var(SEED).ok().and_then(|s| s.parse().ok()).unwrap_or(1);
    let mut way = [0; 2];
    unsafe { libc::socketpair(libc::AF_UNIX, libc::SOCK_SEQPACKET, 0, way.as_mut_ptr()) };
    let dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let (open, listen, reach) = (Vec::new(), Vec::new(), Vec::new());
    let mut driver = Driver { dice, open, listen, reach, way, names: 0 };
    let mut command = [0u8; 1];
    while unsafe { libc::read(0, command.as_mut_ptr().cast(), 1) } == 1 {
        (0..40).for_each(|_| driver.act());
        unsafe { libc::write(1, b".".as_ptr().cast(), 1) };
    }
}

struct Actor {
    child: Child,
    down: ChildStdin,
    up: ChildStdout,
}

impl Actor {
    fn start(seed: u64) -> Actor {
        let words = actor("sockets");
        let mut child = Command::new(&words[0])
            .args(&words[1..])
            .env(SEED, seed.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (down, up) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        Actor { child, down, up }
    }

    fn act(&mut self) {
        self.down.write_all(b"a").unwrap();
        self.up.read_exact(&mut [0]).unwrap();
    }
}

impl Drop for Actor {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A socket as `ss` has it.
#[derive(Clone, Debug, PartialEq)]
struct Told {
    proto: String,
    state: String,
    ino: u64,
    /// Addresses as text; of unix sockets names.
    local: String,
    peer: String,
}

/// The sockets of a process, by descriptor.
fn ss(pid: u32) -> BTreeMap<u64, Told> {
    let mut all = BTreeMap::new();
    let mut names = BTreeMap::new();
    let list = |what: &str| {
        let done = Command::new("ss").args(["-H", "-n", "-a", "-p", "-e", what]).output().unwrap();
        String::from_utf8(done.stdout).unwrap()
    };
    let (unix, ip) = (list("-x"), list("-tu"));
    let holders = |line: &str| -> Vec<u64> {
        let mine = line.split("(\"").skip(1).filter(|h| h.contains(&format!("pid={pid},")));
        mine.filter_map(|h| h.split("fd=").nth(1)?.split(')').next()?.parse().ok()).collect()
    };
    for line in unix.lines().filter(|l| l.starts_with("u_")) {
        let w: Vec<&str> = line.split_whitespace().collect();
        let (local, ino, peer): (_, u64, _) = (w[4], w[5].parse().unwrap(), w[7]);
        names.insert(w[5].to_owned(), local.to_owned());
        let told =
            Told { proto: w[0].into(), state: w[1].into(), ino, local: local.into(), peer: peer.into() };
        all.extend(holders(line).into_iter().map(|fd| (fd, told.clone())));
    }
    // The peer is an inode there.
    for told in all.values_mut() {
        told.peer = names.get(&told.peer).cloned().unwrap_or("*".into());
    }
    for line in ip.lines() {
        let w: Vec<&str> = line.split_whitespace().collect();
        let ino = line.split("ino:").nth(1).and_then(|r| r.split(' ').next()?.parse().ok()).unwrap_or(0);
        let (local, peer) = (w[4].into(), w[5].into());
        let told = Told { proto: w[0].into(), state: w[1].into(), ino, local, peer };
        all.extend(holders(line).into_iter().map(|fd| (fd, told.clone())));
    }
    all
}

/// The host and the port of an address of `ss`; a port of 0 is none.
fn end(text: &str, v6: bool) -> (String, u64) {
    let (host, port) = text.rsplit_once(':').unwrap();
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let host = match host {
        "*" if v6 => "::",
        "*" => "0.0.0.0",
        host => host,
    };
    (host.to_owned(), port.parse().unwrap_or(0))
}

#[derive(Default, Debug)]
struct Score {
    right: usize,
    unknown: usize,
    wrong: Vec<String>,
}

fn judge(rows: &[Value], told: &BTreeMap<u64, Told>, score: &mut Score) {
    let rows: BTreeMap<u64, &Value> = rows.iter().filter_map(|r| Some((r["fd.num"].as_u64()?, r))).collect();
    for (fd, t) in told {
        let Some(row) = rows.get(fd) else {
            score.wrong.push(format!("{fd} is not listed: {t:?}"));
            continue;
        };
        let text = |key: &str| row[key].as_str().unwrap_or("").to_owned();
        if row["evt.certain"] == false {
            score.unknown += 1;
            continue;
        }
        let mut wrong = row["fd.ino"].as_u64().is_some_and(|ino| ino != t.ino && t.ino != 0);
        let mut known = true;
        if t.proto.starts_with("u_") {
            let name = text("fd.name");
            wrong |= row["fd.type"] != "unix";
            let bare = |name: &str| name.trim_start_matches('@').to_owned();
            let mine = [&t.local, &t.peer].into_iter().any(|n| *n != "*" && bare(n) == bare(&name));
            if !mine && (name.is_empty() || name.starts_with("socket:[")) {
                known = t.local == "*" && t.peer == "*";
            } else if !mine && t.peer == "*" {
                // The name of the other end, which is not accepted yet or is gone: `ss` does not know it.
                continue;
            } else {
                wrong |= !mine;
            }
            if t.state == "LISTEN" {
                wrong |= row["fd.is_server"] == false;
            }
        } else {
            let v6 = row["fd.type"] == "ipv6";
            wrong |= row["fd.l4proto"] != *t.proto;
            for (told, ip, port) in [(&t.local, "fd.lip", "fd.lport"), (&t.peer, "fd.rip", "fd.rport")] {
                let (host, number) = end(told, v6);
                match (row[ip].as_str(), row[port].as_u64()) {
                    (None, _) if number == 0 => {}
                    (None, _) => known = false,
                    (Some(ip), Some(n)) => wrong |= (ip, n) != (host.as_str(), number),
                    (Some(ip), None) => wrong |= ip != host,
                }
            }
            if t.state == "LISTEN" {
                wrong |= row["fd.is_server"] == false;
            }
        }
        match (wrong, known) {
            (true, _) => score.wrong.push(format!("{fd} is {t:?}, and not {row}")),
            (false, true) => score.right += 1,
            (false, false) => score.unknown += 1,
        }
    }
}

fn rows(args: &[&str]) -> Vec<Value> {
    let done = sysreel().args(args).arg("-j").output().unwrap();
    assert!(done.status.success(), "{args:?}: {}", String::from_utf8_lossy(&done.stderr));
    let text = String::from_utf8(done.stdout).unwrap();
    text.lines().map(|l| serde_json::from_str(l).unwrap()).collect()
}

#[test]
fn sockets_are_what_ss_lists() {
    let _alone = alone!();
    if !super::rig::installed("ss") {
        return skip("ss is not installed");
    }
    // SYSREEL_LONG=30: as many times as many moments.
    let long: usize = std::env::var("SYSREEL_LONG").ok().and_then(|n| n.parse().ok()).unwrap_or(1);
    let seed = std::env::var(SEED).ok().and_then(|s| s.parse().ok()).unwrap_or(4711);
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("t.reel");
    let name = file.to_str().unwrap();
    let mut driver = Actor::start(seed);
    driver.act();
    let pid = driver.child.id();
    let mut capture = sysreel()
        .args(["-w", name, "--ring", "64m", "--snapshot"])
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let begun = SystemTime::now();
    let has_snapshot = || {
        let done = sysreel().args(["info", "--json", name]).output().unwrap();
        serde_json::from_slice::<Value>(&done.stdout).is_ok_and(|v| v["snapshots"].as_u64() >= Some(1))
    };
    while !has_snapshot() {
        assert!(begun.elapsed().unwrap() < Duration::from_secs(30), "no snapshot");
        std::thread::sleep(Duration::from_millis(100));
    }
    let filter = format!("proc.pid = {pid}");
    let (mut now, mut then, mut marks) = (Score::default(), Score::default(), Vec::new());
    for _ in 0..24 * long {
        driver.act();
        // What the kernel does by itself, such as the end of a handshake, is over.
        std::thread::sleep(Duration::from_millis(60));
        let told = ss(pid);
        judge(&rows(&["netstat", &filter]), &told, &mut now);
        let wall = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_nanos();
        marks.push((wall.to_string(), told));
        std::thread::sleep(Duration::from_millis(20));
    }
    super::rig::interrupt(&capture);
    let mut said = String::new();
    capture.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(capture.wait().unwrap().success(), "{said}");
    for (wall, told) in &marks {
        judge(&rows(&["netstat", "-r", name, "--at", wall, &filter]), told, &mut then);
    }
    let brief = |s: &Score| format!("{} right, {} unknown, {} wrong", s.right, s.unknown, s.wrong.len());
    loudly(&format!("sockets as `ss` lists them: now {}; of then {}", brief(&now), brief(&then)));
    let some = |s: &Score| s.wrong.iter().take(8).cloned().collect::<Vec<_>>();
    assert!(
        now.wrong.is_empty() && then.wrong.is_empty(),
        "seed {seed}: {:#?} {:#?}",
        some(&now),
        some(&then)
    );
    assert!(now.right > 500 * long && then.right * 10 > (then.right + then.unknown) * 9, "{then:?}");
}
