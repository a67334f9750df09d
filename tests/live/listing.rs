//! `sysreel ps`, `lsof` and `netstat`: what they list is what /proc and `ss` have, now and as of a moment of a capture.
//!
//! The actor is a tree of processes that open, copy, close, fork and exec at random, one after the other by command, so
//! that all of them stand still when the test looks at their /proc.
#![allow(unsafe_code, reason = "what is tested are system calls as such")]

use std::collections::BTreeMap;
use std::ffi::CString;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, SystemTime};

use serde_json::Value;

use super::actor::VARIABLE;
use super::rig::{alone, loudly};
use crate::cli::sysreel;

/// Descriptors by which processes of the tree talk; what happens leaves them alone.
const TALK: i32 = 900;
const SEED: &str = "SYSREEL_SEED";

struct Dice(u64);

impl Dice {
    fn roll(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % n
    }
}

fn read_byte(fd: i32) -> Option<u8> {
    let mut byte = 0u8;
    (unsafe { libc::read(fd, (&raw mut byte).cast(), 1) } == 1).then_some(byte)
}

fn write_byte(fd: i32, byte: u8) {
    unsafe { libc::write(fd, (&raw const byte).cast(), 1) };
}

/// Numbers that acts use: 20 to 60.
fn number(dice: &mut Dice) -> i32 {
    20 + dice.roll(40) as i32
}

fn loopback(port: u16) -> libc::sockaddr_in {
    let mut to: libc::sockaddr_in = unsafe { std::mem::zeroed() };
    to.sin_family = libc::AF_INET as u16;
    to.sin_port = port.to_be();
    to.sin_addr.s_addr = u32::from_ne_bytes([127, 0, 0, 1]);
    to
}

fn address_of(fd: i32) -> libc::sockaddr_in {
    let mut at = loopback(0);
    let mut len = size_of::<libc::sockaddr_in>() as u32;
    unsafe { libc::getsockname(fd, (&raw mut at).cast(), &raw mut len) };
    at
}

/// Moves a new descriptor to one of the numbers, or leaves it where it is.
fn settle(dice: &mut Dice, fd: i32) {
    if fd < 0 {
        return;
    }
    let flags = if dice.roll(2) == 0 { libc::O_CLOEXEC } else { 0 };
    unsafe {
        libc::dup3(fd, number(dice), flags);
        libc::close(fd);
    }
}

/// One act of a process.
fn deed(dice: &mut Dice) {
    const LEN: u32 = size_of::<libc::sockaddr_in>() as u32;
    let names =
        [c"/etc/passwd", c"/dev/null", c"/proc/self/stat", c"/etc", c"/tmp/../etc/group", c"/dev/zero"];
    let (any, any_port) = (number(dice), loopback(0));
    unsafe {
        match dice.roll(16) {
            0..=2 => {
                let cloexec = if dice.roll(2) == 0 { libc::O_CLOEXEC } else { 0 };
                let fd = libc::open(names[dice.roll(6) as usize].as_ptr(), libc::O_RDONLY | cloexec);
                settle(dice, fd);
            }
            3 => _ = libc::dup2(any, number(dice)),
            4 => {
                let fd = libc::fcntl(any, libc::F_DUPFD_CLOEXEC, 20);
                settle(dice, fd);
            }
            5 => _ = libc::fcntl(any, libc::F_SETFD, dice.roll(2) as i32),
            6 | 7 => _ = libc::close(any),
            8 => _ = libc::syscall(libc::SYS_close_range, any, any + 2, dice.roll(2) * 4),
            9 => {
                let mut two = [0; 2];
                libc::pipe2(two.as_mut_ptr(), if dice.roll(2) == 0 { libc::O_CLOEXEC } else { 0 });
                two.iter().for_each(|fd| settle(dice, *fd));
            }
            10 => {
                let mut two = [0; 2];
                libc::socketpair(libc::AF_UNIX, libc::SOCK_STREAM, 0, two.as_mut_ptr());
                two.iter().for_each(|fd| settle(dice, *fd));
            }
            11 => {
                let listens = libc::socket(libc::AF_INET, libc::SOCK_STREAM, 0);
                libc::bind(listens, (&raw const any_port).cast(), LEN);
                libc::listen(listens, 4);
                let to = address_of(listens);
                let client = libc::socket(libc::AF_INET, libc::SOCK_STREAM, 0);
                libc::connect(client, (&raw const to).cast(), LEN);
                let server = libc::accept4(listens, std::ptr::null_mut(), std::ptr::null_mut(), 0);
                [listens, client, server].into_iter().for_each(|fd| settle(dice, fd));
            }
            12 => {
                let fd = libc::socket(libc::AF_INET, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0);
                libc::bind(fd, (&raw const any_port).cast(), LEN);
                settle(dice, fd);
            }
            13 => settle(dice, libc::eventfd(0, 0)),
            14 => settle(dice, libc::epoll_create1(libc::EPOLL_CLOEXEC)),
            _ => settle(dice, libc::memfd_create(c"some".as_ptr(), 0)),
        }
    }
}

/// A process of the tree: by command it acts, forks a child or starts its program anew; it ends when nobody commands.
///
/// It has a child at most for each number from `TALK + 2` on, by which it hands commands on.
pub fn act() {
    let seed: u64 = std::env::var(SEED).ok().and_then(|s| s.parse().ok()).unwrap_or(1);
    let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    unsafe {
        if libc::fcntl(TALK, libc::F_GETFD) < 0 {
            libc::dup2(0, TALK);
            libc::dup2(1, TALK + 1);
        }
    }
    // Children from before an exec.
    let mut children = 0;
    while unsafe { libc::fcntl(TALK + 2 + 2 * children, libc::F_GETFD) } >= 0 {
        children += 1;
    }
    write_byte(TALK + 1, b'.');
    while let Some(command) = read_byte(TALK) {
        if command == b'\n' {
            continue;
        }
        let at = dice.roll(children as u64 + 1) as i32;
        if at < children && command == b'a' {
            // Somebody below.
            write_byte(TALK + 2 + 2 * at, command);
            read_byte(TALK + 3 + 2 * at);
        } else {
            match command {
                b'a' => (0..3).for_each(|_| deed(&mut dice)),
                b'f' if children < 3 => {
                    fork(&mut dice, children);
                    children += 1;
                }
                b'x' => anew(&mut dice),
                // Somebody below does it.
                _ if children > 0 => {
                    let at = dice.roll(children as u64) as i32;
                    write_byte(TALK + 2 + 2 * at, command.to_ascii_lowercase());
                    read_byte(TALK + 3 + 2 * at);
                }
                b'X' => anew(&mut dice),
                _ => {}
            }
        }
        write_byte(TALK + 1, b'.');
    }
    std::process::exit(0);
}

fn fork(dice: &mut Dice, children: i32) {
    let (mut down, mut up) = ([0; 2], [0; 2]);
    unsafe {
        libc::pipe(down.as_mut_ptr());
        libc::pipe(up.as_mut_ptr());
        let seed = dice.roll(u64::MAX >> 12);
        if libc::fork() == 0 {
            for fd in TALK..TALK + 2 + 2 * children {
                libc::close(fd);
            }
            libc::dup2(down[0], TALK);
            libc::dup2(up[1], TALK + 1);
            [down[0], down[1], up[0], up[1]].into_iter().for_each(|fd| _ = libc::close(fd));
            std::env::set_var(SEED, seed.to_string());
            if dice.roll(3) == 0 {
                anew(&mut Dice(seed | 1));
            }
            act();
        }
        libc::dup2(down[1], TALK + 2 + 2 * children);
        libc::dup2(up[0], TALK + 3 + 2 * children);
        [down[0], down[1], up[0], up[1]].into_iter().for_each(|fd| _ = libc::close(fd));
    }
    // It is there when it has said so.
    read_byte(TALK + 3 + 2 * children);
}

/// The same program again: what is to be closed by that is closed.
fn anew(dice: &mut Dice) {
    unsafe { std::env::set_var(SEED, (dice.roll(u64::MAX >> 12) | 1).to_string()) };
    let me = CString::new(std::env::current_exe().unwrap().into_os_string().into_encoded_bytes()).unwrap();
    let none: *const libc::c_char = std::ptr::null();
    unsafe {
        unsafe extern "C" {
            static environ: *const *const libc::c_char;
        }
        libc::execve(me.as_ptr(), [me.as_ptr(), none].as_ptr(), environ);
    }
}

/// The tree, and how it is commanded.
struct Tree {
    child: Child,
    down: ChildStdin,
    up: BufReader<ChildStdout>,
}

impl Tree {
    fn start(seed: u64) -> Tree {
        let me = std::env::current_exe().unwrap();
        let mut child = Command::new(me)
            .env(VARIABLE, "listing")
            .env(SEED, seed.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (down, up) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        let mut tree = Tree { child, down, up };
        tree.heard();
        tree
    }

    fn heard(&mut self) {
        let buf = self.up.fill_buf().unwrap();
        assert!(!buf.is_empty(), "the actor is gone");
        self.up.consume(1);
    }

    fn command(&mut self, commands: &[u8]) {
        for c in commands {
            self.down.write_all(&[*c]).unwrap();
            self.heard();
        }
    }

    /// Every process of the tree.
    fn pids(&self) -> Vec<u32> {
        let (mut all, mut at) = (vec![self.child.id()], 0);
        while let Some(pid) = all.get(at).copied() {
            at += 1;
            let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
            all.extend(children.split_whitespace().filter_map(|p| p.parse::<u32>().ok()));
        }
        all
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        for pid in self.pids() {
            unsafe { libc::kill(pid as i32, libc::SIGKILL) };
        }
        let _ = self.child.wait();
    }
}

/// What /proc says of a process.
#[derive(Debug, Clone)]
struct Truth {
    ppid: u64,
    comm: String,
    exe: String,
    cwd: String,
    fds: BTreeMap<i64, String>,
    /// r, w, u by number, as fdinfo has it.
    uses: BTreeMap<i64, &'static str>,
}

fn truth(pids: &[u32]) -> BTreeMap<u32, Truth> {
    let of = |pid: &u32| {
        let dir = format!("/proc/{pid}");
        let link = |p: &Path| fs::read_link(p).unwrap().to_str().unwrap().to_owned();
        let stat = fs::read_to_string(format!("{dir}/stat")).unwrap();
        let ppid = stat.rsplit_once(')').unwrap().1.split_whitespace().nth(1).unwrap().parse().unwrap();
        let fds = fs::read_dir(format!("{dir}/fd")).unwrap().map(|e| {
            let e = e.unwrap();
            (e.file_name().to_str().unwrap().parse().unwrap(), link(&e.path()))
        });
        let comm = fs::read_to_string(format!("{dir}/comm")).unwrap().trim_end().to_owned();
        let fds: BTreeMap<i64, String> = fds.collect();
        let uses = fds.keys().map(|fd| {
            let info = fs::read_to_string(format!("{dir}/fdinfo/{fd}")).unwrap();
            let flags = info.lines().find_map(|l| l.strip_prefix("flags:")).unwrap().trim();
            (*fd, ["r", "w", "u", ""][usize::from_str_radix(flags, 8).unwrap() & 3])
        });
        let uses = uses.collect();
        let of = |name: &str| link(Path::new(&format!("{dir}/{name}")));
        (*pid, Truth { ppid, comm, exe: of("exe"), cwd: of("cwd"), fds, uses })
    };
    pids.iter().map(of).collect()
}

/// Rows of a table with `-j`.
fn table(args: &[&str]) -> (Vec<Value>, String) {
    let done = sysreel().args(args).arg("-j").output().unwrap();
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(done.status.success(), "{args:?}: {said}");
    let rows = String::from_utf8(done.stdout).unwrap();
    (rows.lines().map(|l| serde_json::from_str(l).unwrap_or_else(|e| panic!("{e}: {l}"))).collect(), said)
}

/// Whether a row says what a link in /proc/PID/fd says.
fn agrees(row: &Value, link: &str) -> bool {
    let (name, kind) = (row["fd.name"].as_str().unwrap_or(""), row["fd.type"].as_str().unwrap_or(""));
    if let Some(ino) = link.strip_prefix("socket:[").and_then(|l| l.strip_suffix(']')) {
        let ino: u64 = ino.parse().unwrap();
        let told = row["fd.ino"].as_u64();
        return matches!(kind, "ipv4" | "ipv6" | "unix" | "netlink" | "socket")
            && told.is_none_or(|t| t == ino);
    }
    name == link
}

/// All that is wrong; how many descriptors were right for certain, and how many there were.
fn compare(rows: &[Value], truth: &BTreeMap<u32, Truth>) -> (Vec<String>, usize, usize) {
    let (mut wrong, mut right, mut all) = (Vec::new(), 0, 0);
    for (pid, t) in truth {
        let mine: BTreeMap<i64, &Value> = rows
            .iter()
            .filter(|r| r["proc.pid"].as_u64() == Some(u64::from(*pid)))
            .filter_map(|r| Some((r["fd.num"].as_i64()?, r)))
            .collect();
        for (what, path) in [("cwd", &t.cwd), ("txt", &t.exe)] {
            let is = |r: &&Value| r["proc.pid"].as_u64() == Some(u64::from(*pid)) && r["fd.use"] == what;
            let found: Vec<_> = rows.iter().filter(is).map(|r| &r["fd.name"]).collect();
            if found != [path] {
                wrong.push(format!("{pid} has {path} as {what}, and not {found:?}"));
            }
        }
        all += t.fds.len();
        for (fd, link) in &t.fds {
            match mine.get(fd) {
                Some(row) if row["evt.certain"] == false => {}
                Some(row) if row["fd.use"].as_str().is_some_and(|is| is != t.uses[fd]) => {
                    wrong.push(format!("{pid} has {fd} for {}, and not {row}", t.uses[fd]));
                }
                Some(row) if agrees(row, link) => right += 1,
                Some(row) => wrong.push(format!("{pid} has {fd} as {link}, and not {row}")),
                None => wrong.push(format!("{pid} has {fd} as {link}, which is not listed")),
            }
        }
        let extra = mine.iter().filter(|(fd, row)| !t.fds.contains_key(fd) && row["evt.certain"] != false);
        wrong.extend(extra.map(|(_, row)| format!("{pid} does not have {row}")));
    }
    (wrong, right, all)
}

fn compare_processes(rows: &[Value], truth: &BTreeMap<u32, Truth>) -> Vec<String> {
    let mut wrong = Vec::new();
    for (pid, t) in truth {
        let mine: Vec<&Value> =
            rows.iter().filter(|r| r["proc.pid"].as_u64() == Some(u64::from(*pid))).collect();
        match mine[..] {
            [row] if row["evt.certain"] == false => {}
            [row] => {
                let same = row["proc.ppid"].as_u64() == Some(t.ppid)
                    && row["proc.name"] == *t.comm
                    && row["proc.exepath"] == *t.exe;
                if !same {
                    wrong.push(format!("{pid} is {t:?}, and not {row}"));
                }
            }
            _ => wrong.push(format!("{pid} is listed {} times", mine.len())),
        }
    }
    wrong
}

#[test]
fn tables_of_now_are_what_proc_says() {
    let _alone = alone!();
    let mut tree = Tree::start(7);
    tree.command(b"aaafaafafaaaaxaaaafaaaaaaaaaaaaaaaaaaaaaa");
    let pids = tree.pids();
    assert!(pids.len() > 3, "{pids:?}");
    let truth = truth(&pids);
    let (rows, _) = table(&["lsof"]);
    let (wrong, right, all) = compare(&rows, &truth);
    assert!(wrong.is_empty() && right == all && all > 40, "{right} of {all}: {wrong:#?}");
    let (rows, _) = table(&["ps"]);
    assert_eq!(compare_processes(&rows, &truth), Vec::<String>::new());
    // The filter.
    let pid = pids[1];
    let (rows, said) = table(&["lsof", &format!("proc.pid = {pid} and fd.num >= 900")]);
    assert!(
        rows.len() >= 2 && rows.iter().all(|r| r["proc.pid"] == pid && r["fd.num"].as_i64() >= Some(900)),
        "{said}"
    );
    sockets(&pids);
}

/// Compares with what `ss` lists of these processes.
fn sockets(pids: &[u32]) {
    let Ok(done) = Command::new("ss").args(["-H", "-tuanpe"]).output() else {
        return loudly("`ss` is not here: sockets are not compared with it");
    };
    let (rows, _) = table(&["netstat"]);
    let listed: BTreeMap<(u64, i64), &Value> =
        rows.iter().map(|r| ((r["proc.pid"].as_u64().unwrap(), r["fd.num"].as_i64().unwrap()), r)).collect();
    let mut seen = 0;
    for line in String::from_utf8_lossy(&done.stdout).lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [l4, state, _, _, local, peer, ..] = words[..] else { panic!("{line}") };
        let number = |from: &str, key: &str| -> Option<u64> {
            let rest = &from[from.find(key)? + key.len()..];
            rest[..rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len())].parse().ok()
        };
        let ino = number(line, "ino:").unwrap_or(0);
        let port = |end: &str| end.rsplit_once(':').and_then(|(_, p)| p.parse::<u64>().ok());
        for holder in line.split("(\"").skip(1) {
            let (Some(pid), Some(fd)) = (number(holder, "pid="), number(holder, "fd=")) else { continue };
            if !pids.contains(&(pid as u32)) {
                continue;
            }
            seen += 1;
            let row = listed.get(&(pid, fd as i64)).unwrap_or_else(|| panic!("{line} is not listed"));
            assert_eq!(row["fd.l4proto"], l4, "{line} {row}");
            assert_eq!(row["fd.ino"].as_u64(), Some(ino), "{line} {row}");
            assert_eq!(row["fd.lport"].as_u64(), port(local), "{line} {row}");
            assert_eq!(row["fd.lip"].as_str(), local.rsplit_once(':').map(|(ip, _)| ip), "{line} {row}");
            assert_eq!(row["fd.rport"].as_u64(), port(peer), "{line} {row}");
            assert_eq!(row["fd.connected"], port(peer).is_some(), "{line} {row}");
            if state == "LISTEN" {
                assert_eq!(row["fd.is_server"], true, "{line} {row}");
            }
        }
    }
    assert!(seen > 3, "{seen} sockets: {}", String::from_utf8_lossy(&done.stdout));
}

#[test]
fn tables_of_a_moment_are_what_proc_said_then() {
    let _alone = alone!();
    let seeds = std::env::var("SYSREEL_SEEDS").unwrap_or("11".into());
    seeds.split(',').for_each(|seed| moments(seed.parse().unwrap()));
}

fn moments(seed: u64) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("t.reel");
    let name = file.to_str().unwrap();
    let mut tree = Tree::start(seed);
    tree.command(b"aaafaaaaafaaaa");
    let mut capture = sysreel()
        .args(["-w", name, "--ring", "128m"])
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // What happens while /proc is read, and the snapshot is taken.
    let begun = SystemTime::now();
    let has_snapshot = || {
        let done = sysreel().args(["info", "--json", name]).output().unwrap();
        serde_json::from_slice::<Value>(&done.stdout).is_ok_and(|v| v["snapshots"].as_u64() == Some(1))
    };
    let mut rounds = 0;
    while rounds < 20 || !has_snapshot() {
        assert!(begun.elapsed().unwrap() < Duration::from_secs(30), "no snapshot");
        tree.command(b"aaaa");
        rounds += 1;
    }
    let mut marks = Vec::new();
    for (i, more) in
        [&b""[..], b"f", b"aaaa", b"x", b"faf", b"XaXa", b"aaaaaaaaaaaaaaa", b"ffff", b"xXx", b"aaaaaa"]
            .iter()
            .enumerate()
    {
        tree.command(more);
        tree.command(b"aaaaaaaaaaaa");
        std::thread::sleep(Duration::from_millis(60));
        let wall = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_nanos();
        marks.push((i, wall.to_string(), truth(&tree.pids())));
        std::thread::sleep(Duration::from_millis(20));
    }
    unsafe { libc::kill(capture.id() as i32, libc::SIGINT) };
    let mut said = String::new();
    std::io::Read::read_to_string(&mut capture.stderr.take().unwrap(), &mut said).unwrap();
    assert!(capture.wait().unwrap().success(), "{said}");
    if !said.contains(" 0 lost") {
        return loudly(&format!("events were lost, nothing is compared: {said}"));
    }
    if let Some(keep) = std::env::var_os("SYSREEL_KEEP") {
        fs::copy(&file, keep).unwrap();
    }
    let (mut rights, mut alls) = (0, 0);
    for (i, at, truth) in &marks {
        let (rows, said) = table(&["lsof", "-r", name, "--at", at]);
        assert!(said.contains("the snapshot of"), "{said}");
        let (wrong, right, all) = compare(&rows, truth);
        assert!(wrong.is_empty(), "mark {i} {at}: {right} of {all}: {wrong:#?} {said}");
        (rights, alls) = (rights + right, alls + all);
        let (rows, _) = table(&["ps", "-r", name, "--at", at]);
        assert_eq!(compare_processes(&rows, truth), Vec::<String>::new(), "mark {i}");
    }
    loudly(&format!(
        "{rights} of {alls} descriptors at {} moments right and certain, none wrong",
        marks.len()
    ));
    assert!(rights * 100 >= alls * 99, "{rights} of {alls} certain");
}
