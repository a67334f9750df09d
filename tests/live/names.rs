//! Sockets that are hard to name: of netlink, of packets, of virtual machines; ports that a send chose; who is at the other
//! end of a unix socket; what became of those that came with a message. What the kernel tells their owner (getsockname,
//! SO_PEERCRED) is what ours must say, in a capture and by a look at /proc.
#![allow(unsafe_code, reason = "what is tested are system calls as such")]
#![allow(clippy::print_stdout, reason = "facts go to the test that started us")]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::mem::size_of;
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsRawFd, IntoRawFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::{Command, Stdio};

use serde_json::Value;

use super::actor::{forked, wait};
use super::rig::{actor, alone, run};
use crate::cli::sysreel;

/// Says what a field of a descriptor must be, and gives the capture an event to say it with.
fn expect(fd: i32, field: &str, value: impl std::fmt::Display) {
    println!("expect {fd} {field} {value}");
    unsafe { libc::fcntl(fd, libc::F_GETFD) };
}

fn own<T>(fd: i32) -> T {
    let mut at: T = unsafe { std::mem::zeroed() };
    let mut len = size_of::<T>() as u32;
    unsafe { libc::getsockname(fd, (&raw mut at).cast(), &raw mut len) };
    at
}

fn bind<T>(fd: i32, at: &T) -> bool {
    unsafe { libc::bind(fd, std::ptr::from_ref(at).cast(), size_of::<T>() as u32) == 0 }
}

fn netlink() {
    let mut at: libc::sockaddr_nl = unsafe { std::mem::zeroed() };
    at.nl_family = libc::AF_NETLINK as u16;
    let bound = unsafe { libc::socket(libc::AF_NETLINK, libc::SOCK_RAW, libc::NETLINK_ROUTE) };
    assert!(bind(bound, &at));
    expect(bound, "fd.name", format!("route:{}", own::<libc::sockaddr_nl>(bound).nl_pid));
    // Bound by its first message. An empty request is answered by nothing.
    let sends = unsafe { libc::socket(libc::AF_NETLINK, libc::SOCK_RAW, libc::NETLINK_KOBJECT_UEVENT) };
    expect(sends, "fd.type", "netlink");
    let to = std::ptr::from_ref(&at).cast();
    unsafe {
        libc::sendto(sends, [0u8; 16].as_ptr().cast(), 16, 0, to, size_of::<libc::sockaddr_nl>() as u32)
    };
    let port = own::<libc::sockaddr_nl>(sends).nl_pid;
    assert_ne!(port, 0);
    expect(sends, "fd.name", format!("kobject_uevent:{port}"));
}

fn packets() {
    let fd = unsafe { libc::socket(libc::AF_PACKET, libc::SOCK_DGRAM, 0) };
    let mut at: libc::sockaddr_ll = unsafe { std::mem::zeroed() };
    (at.sll_family, at.sll_protocol) = (libc::AF_PACKET as u16, 0x88cc_u16.to_be());
    at.sll_ifindex = unsafe { libc::if_nametoindex(c"lo".as_ptr()) } as i32;
    if fd >= 0 && bind(fd, &at) {
        expect(fd, "fd.name", format!("lldp:if{}", at.sll_ifindex));
    }
}

fn machines() {
    let fd = unsafe { libc::socket(libc::AF_VSOCK, libc::SOCK_STREAM, 0) };
    let mut at: libc::sockaddr_vm = unsafe { std::mem::zeroed() };
    (at.svm_family, at.svm_cid, at.svm_port) = (libc::AF_VSOCK as u16, u32::MAX, u32::MAX);
    if fd >= 0 && bind(fd, &at) && unsafe { libc::listen(fd, 1) } == 0 {
        let port = own::<libc::sockaddr_vm>(fd).svm_port;
        expect(fd, "fd.name", format!("*:{port}"));
        expect(fd, "fd.type", "vsock");
        expect(fd, "fd.is_server", true);
    }
}

/// Sockets that are bound to nothing stand in no table.
fn loose() {
    for (family, kind, name) in [(libc::AF_INET, "tcp", "ipv4"), (libc::AF_INET6, "tcp", "ipv6")] {
        let fd = unsafe { libc::socket(family, libc::SOCK_STREAM, 0) };
        if fd >= 0 {
            expect(fd, "fd.type", name);
            expect(fd, "fd.l4proto", kind);
        }
    }
}

/// Datagrams from sockets that nobody bound.
fn ports() {
    let one = UdpSocket::bind("127.0.0.1:0").unwrap();
    let to = own::<libc::sockaddr_in>(one.as_raw_fd());
    let len = size_of::<libc::sockaddr_in>() as u32;
    let address = std::ptr::from_ref(&to).cast::<libc::c_void>();
    let by_sendto = unsafe { libc::socket(libc::AF_INET, libc::SOCK_DGRAM, 0) };
    unsafe { libc::sendto(by_sendto, b"x".as_ptr().cast(), 1, 0, address.cast(), len) };
    let port = |fd| u16::from_be(own::<libc::sockaddr_in>(fd).sin_port);
    expect(by_sendto, "fd.lport", port(by_sendto));
    let mut part = libc::iovec { iov_base: b"y".as_ptr().cast_mut().cast(), iov_len: 1 };
    for many in [false, true] {
        let fd = unsafe { libc::socket(libc::AF_INET, libc::SOCK_DGRAM, 0) };
        let mut msg: libc::mmsghdr = unsafe { std::mem::zeroed() };
        (msg.msg_hdr.msg_iov, msg.msg_hdr.msg_iovlen) = (&raw mut part, 1);
        (msg.msg_hdr.msg_name, msg.msg_hdr.msg_namelen) = (address.cast_mut(), len);
        unsafe {
            match many {
                true => _ = libc::sendmmsg(fd, &raw mut msg, 1, 0),
                false => _ = libc::sendmsg(fd, &raw const msg.msg_hdr, 0),
            }
        }
        assert_ne!(port(fd), 0);
        expect(fd, "fd.lport", port(fd));
    }
    expect(one.into_raw_fd(), "fd.lport", u16::from_be(to.sin_port));
}

fn peers() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("server");
    let server = UnixListener::bind(&path).unwrap();
    let client = UnixStream::connect(&path).unwrap();
    let (accepted, _) = server.accept().unwrap();
    for fd in [server.into_raw_fd(), client.into_raw_fd(), accepted.into_raw_fd()] {
        expect(fd, "fd.name", path.display());
    }
    let (a, b) = UnixStream::pair().unwrap();
    let [a, b] = [a.into_raw_fd(), b.into_raw_fd()];
    expect(a, "fd.peer.pid", std::process::id());
    expect(b, "fd.peer.pid", std::process::id());
}

/// Who the kernel says is at the other end of a unix socket that another process listens on.
fn strangers() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("stranger");
    let (mut up, down) = UnixStream::pair().unwrap();
    let child = forked(|| {
        let server = UnixListener::bind(&path).unwrap();
        (&down).write_all(b"x").unwrap();
        let (mut from, _) = server.accept().unwrap();
        expect(from.as_raw_fd(), "fd.peer.pid", unsafe { libc::getppid() });
        let _ = from.read(&mut [0]);
        0
    });
    up.read_exact(&mut [0]).unwrap();
    let client = UnixStream::connect(&path).unwrap().into_raw_fd();
    expect(client, "fd.peer.pid", child);
    unsafe { libc::write(client, b"x".as_ptr().cast(), 1) };
    wait(child);
}

fn pass(by: i32, fd: Option<i32>) -> i32 {
    let (mut byte, mut space) = ([0u8; 1], [0u64; 4]);
    unsafe {
        let mut part = libc::iovec { iov_base: byte.as_mut_ptr().cast(), iov_len: 1 };
        let mut msg: libc::msghdr = std::mem::zeroed();
        (msg.msg_iov, msg.msg_iovlen) = (&raw mut part, 1);
        (msg.msg_control, msg.msg_controllen) = (space.as_mut_ptr().cast(), libc::CMSG_SPACE(4) as _);
        let head = libc::CMSG_FIRSTHDR(&raw const msg);
        match fd {
            Some(fd) => {
                ((*head).cmsg_level, (*head).cmsg_type) = (libc::SOL_SOCKET, libc::SCM_RIGHTS);
                (*head).cmsg_len = libc::CMSG_LEN(4) as _;
                libc::CMSG_DATA(head).cast::<i32>().write_unaligned(fd);
                libc::sendmsg(by, &raw const msg, 0) as i32
            }
            None => {
                libc::recvmsg(by, &raw mut msg, 0);
                libc::CMSG_DATA(head).cast::<i32>().read_unaligned()
            }
        }
    }
}

/// Sockets that another process made, and had listen, connect and accept.
fn passed() {
    let (up, down) = UnixStream::pair().unwrap();
    let child = forked(|| {
        let server = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(server.local_addr().unwrap()).unwrap();
        let (accepted, _) = server.accept().unwrap();
        for fd in [server.as_raw_fd(), client.as_raw_fd(), accepted.as_raw_fd()] {
            pass(down.as_raw_fd(), Some(fd));
        }
        let _ = (&down).read(&mut [0]);
        0
    });
    let [server, client, accepted] = [(); 3].map(|()| pass(up.as_raw_fd(), None));
    expect(server, "fd.is_server", true);
    expect(client, "fd.is_server", false);
    expect(accepted, "fd.is_server", true);
    (&up).write_all(b"x").unwrap();
    wait(child);
}

/// The actor.
pub fn act() {
    netlink();
    packets();
    machines();
    loose();
    ports();
    peers();
    strangers();
    passed();
    println!("ready");
    let _ = std::io::stdout().flush();
    unsafe { libc::read(0, [0u8; 1].as_mut_ptr().cast(), 1) };
}

/// What must be: by descriptor and field.
fn expected(facts: &str) -> Vec<(i64, String, String)> {
    let lines = facts.lines().filter_map(|l| l.strip_prefix("expect "));
    lines
        .map(|l| {
            let mut words = l.splitn(3, ' ').map(str::to_owned);
            (words.next().unwrap().parse().unwrap(), words.next().unwrap(), words.next().unwrap())
        })
        .collect()
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

const FIELDS: &str =
    "evt.type,evt.certain,proc.pid,fd.num,fd.type,fd.l4proto,fd.name,fd.lport,fd.is_server,fd.peer.pid";

#[test]
fn sockets_of_all_families_are_named_by_their_calls() {
    let _alone = alone!();
    let form = FIELDS.split(',').map(|f| format!("%{f}")).collect::<Vec<_>>().join("|");
    let filter = "fd.num exists and evt.type in (fcntl, sendto, sendmsg, sendmmsg)";
    let done = run(&["-p", &form, filter], &actor("names"));
    assert_eq!(done.status.code(), Some(0), "{}", done.stderr);
    let events: Vec<BTreeMap<&str, &str>> =
        done.lines.iter().map(|l| FIELDS.split(',').zip(l.split('|')).collect()).collect();
    let mut fcntl = events.iter().filter(|e| e["evt.type"] == "fcntl");
    let expected = expected(&done.stdout);
    assert!(expected.len() > 15, "{}", done.stdout);
    for (fd, field, value) in &expected {
        // In the order in which they came; the harness makes none.
        let event = fcntl
            .by_ref()
            .find(|e| e["fd.num"] == fd.to_string())
            .unwrap_or_else(|| panic!("{fd} {field} {value}"));
        assert_eq!(event[field.as_str()], value, "{fd} {field}: {event:?}");
        assert_eq!(event["evt.certain"], "true", "{event:?}");
    }
    // The very call that chose the port has it.
    for name in ["sendto", "sendmsg", "sendmmsg"] {
        let sent = events.iter().any(|e| e["evt.type"] == name && e["fd.lport"] != "-");
        assert!(sent, "{name}: {}", done.lines.join("\n"));
    }
}

#[test]
fn sockets_of_all_families_are_named_by_a_look() {
    let _alone = alone!();
    let words = actor("names");
    let mut child = Command::new(&words[0])
        .args(&words[1..])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut facts = String::new();
    while !facts.ends_with("ready\n") {
        assert!(out.read_line(&mut facts).unwrap() > 0, "{facts}");
    }
    let filter = format!("proc.pid = {}", child.id());
    let listed = sysreel().args(["lsof", "-j", "--fields", FIELDS, &filter]).output().unwrap();
    drop(child.stdin.take());
    child.wait().unwrap();
    let lines = String::from_utf8(listed.stdout).unwrap();
    let rows: BTreeMap<i64, Value> = lines
        .lines()
        .map(|l| serde_json::from_str::<Value>(l).unwrap())
        .filter_map(|row| Some((row["fd.num"].as_i64()?, row)))
        .collect();
    let mut seen = 0;
    for (fd, field, value) in expected(&facts) {
        // Who is at the other end is told by calls only.
        let Some(row) = rows.get(&fd).filter(|_| field != "fd.peer.pid") else { continue };
        // Not every kernel tells what sockets of machines are bound to (CONFIG_VSOCKETS_DIAG).
        if row["fd.type"] == "vsock" && field != "fd.type" && text(&row["fd.name"]).starts_with("socket:[") {
            continue;
        }
        assert_eq!(text(&row[field.as_str()]), value, "{fd} {field}: {row}");
        seen += 1;
    }
    assert!(seen > 9, "{facts}\n{lines}");
}
