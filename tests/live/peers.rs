//! What other tools of this kind got wrong, by the numbers of their reports: each situation is made again, and what is shown
//! must be true, live and reread.
//!
//! Some have their tests elsewhere: memory that grows with processes that came and went (falco#2495, #3269, #3643, #3664) in
//! `hard::crowd`, ancestors of orphans by number (libs#1577) in `reject`, what is known of containers under load (plugins#1269)
//! in `runtimes::first`, filters that lose names (sysdig#379, #745) in `state`, libraries' tables cut from a capture for others
//! (sysdig#450) in `tools`.
#![allow(unsafe_code, reason = "what is tested are system calls as such")]
#![allow(clippy::print_stdout, reason = "facts go to the test that started us")]

use std::ffi::CString;
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsRawFd, FromRawFd, IntoRawFd, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::actor::{fact, forked, wait};
use super::rig::{actor, alone, loudly, reread, run};

/// The actors.
pub fn act(name: &str) {
    match name {
        "peers-accept" => accept(),
        "peers-udp" => udp(),
        "peers-dirs" => dirs(),
        "peers-orphan" => orphan(),
        "peers-unix" => unix(),
        "peers-links" => links(),
        "peers-mapped" => mapped(),
        "peers-many" => many(),
        _ => println!("no actor {name}"),
    }
}

/// What a run shows of the actor, live; then, from a capture of another run, reread: by each a list of lines.
fn shown(name: &str, form: &str, filter: &str) -> [(Vec<String>, String); 2] {
    let command = actor(name);
    let live = run(&["-p", form, filter], &command);
    assert_eq!(live.status.code(), Some(0), "{}", live.stderr);
    assert_eq!(live.totals().1, 0, "{}", live.stderr);
    let dir = tempfile::tempdir().unwrap();
    let reel = dir.path().join("t.reel");
    let kept = run(&["-w", reel.to_str().unwrap()], &command);
    assert_eq!((kept.status.code(), kept.totals().1), (Some(0), 0), "{}", kept.stderr);
    let (status, lines, err) = reread(&reel, &["-p", form, filter]);
    assert_eq!(status, 0, "{err}");
    [(live.lines, live.stdout), (lines, kept.stdout)]
}

fn fact_of<'a>(facts: &'a str, name: &str) -> &'a str {
    let line = facts.lines().find_map(|l| l.strip_prefix(name)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {name}: {facts}"))
}

fn address() -> SocketAddr {
    ([127, 0, 0, 1], 0).into()
}

/// Threads accept connections, others close and connect sockets, so that a number that accept gave soon means another socket.
fn accept() {
    let (listens, other) = (TcpListener::bind(address()).unwrap(), TcpListener::bind(address()).unwrap());
    let (at, elsewhere) = (listens.local_addr().unwrap(), other.local_addr().unwrap());
    fact("port", at.port());
    fact("listens", listens.as_raw_fd());
    let over = AtomicBool::new(false);
    let until = Instant::now() + Duration::from_millis(700);
    let left_alone = other.as_raw_fd().max(listens.as_raw_fd());
    std::thread::scope(|s| {
        // The backlog is emptied, so that nobody waits for it.
        s.spawn(|| {
            while let Ok((peer, _)) = other.accept() {
                if over.load(Ordering::Relaxed) {
                    break;
                }
                // Somebody may have closed it already.
                let _ = peer.into_raw_fd();
            }
        });
        for _ in 0..2 {
            s.spawn(|| {
                let (fd, end) = (listens.as_raw_fd(), |fd| unsafe { libc::close(fd) });
                while Instant::now() < until {
                    let mut from: libc::sockaddr_in = unsafe { std::mem::zeroed() };
                    let mut len = size_of::<libc::sockaddr_in>() as u32;
                    let new = unsafe { libc::accept4(fd, (&raw mut from).cast(), &raw mut len, 0) };
                    if new > left_alone {
                        end(new);
                    }
                }
            });
        }
        s.spawn(|| {
            while Instant::now() < until {
                let client = unsafe { libc::socket(libc::AF_INET, libc::SOCK_STREAM, 0) };
                connect(client, at);
                // It may be another's by now: that is the point.
                unsafe { libc::close(client) };
            }
            over.store(true, Ordering::Relaxed);
            for to in [at, at, at, elsewhere] {
                let _ = TcpStream::connect(to).map(IntoRawFd::into_raw_fd);
            }
        });
        s.spawn(|| {
            let mut n = left_alone + 1;
            while Instant::now() < until {
                n = if n > left_alone + 6 { left_alone + 1 } else { n + 1 };
                unsafe { libc::close(n) };
                let mine = unsafe { libc::socket(libc::AF_INET, libc::SOCK_STREAM, 0) };
                connect(mine, elsewhere);
            }
        });
    });
}

fn connect(fd: i32, to: SocketAddr) {
    let mut name: libc::sockaddr_in = unsafe { std::mem::zeroed() };
    name.sin_family = libc::AF_INET as u16;
    name.sin_port = to.port().to_be();
    name.sin_addr.s_addr = u32::from_ne_bytes([127, 0, 0, 1]);
    unsafe { libc::connect(fd, (&raw const name).cast(), size_of::<libc::sockaddr_in>() as u32) };
}

/// libs#3079, falco#3620: accept reported the connection of another socket.
#[test]
fn accept_has_the_connection_that_it_accepted() {
    let _alone = alone!();
    let form = "%evt.rawarg.fd %evt.certain %fd.sport %fd.cport %fd.cip %evt.arg.addr";
    for (lines, facts) in shown("peers-accept", form, "evt.type = accept4 and evt.rawres >= 0") {
        let port = fact_of(&facts, "port");
        let (mut mine, mut certain) = (0, 0);
        for line in &lines {
            let [by, sure, sport, cport, cip, addr] = line.split(' ').collect::<Vec<_>>()[..] else {
                panic!("{line}")
            };
            if by != fact_of(&facts, "listens") {
                continue;
            }
            mine += 1;
            // One that is closed by the time the kernel is asked has no name.
            if sure == "true" && (sport, cip) != ("-", "-") {
                certain += 1;
                assert_eq!((sport, format!("{cip}:{cport}")), (port, addr.to_owned()), "{line}");
            }
        }
        loudly(&format!("{certain} of {mine} accepted connections are certain, none is wrong"));
        assert!(mine > 100 && certain * 10 > mine * 9, "{certain} of {mine}");
    }
}

/// A socket without a connection that sends to very many, in every way, with payload that looks like addresses.
fn udp() {
    let sender = UdpSocket::bind(address()).unwrap();
    fact("port", sender.local_addr().unwrap().port());
    let fd = sender.as_raw_fd();
    for n in 0..300u16 {
        let port = 20_000 + n;
        let to = SocketAddr::from(([127, 0, 1, (n % 250) as u8], port));
        let payload = [0x41u8.wrapping_add(n as u8); 64];
        let _ = sender.send_to(&payload, to);
        let mut name: libc::sockaddr_in = unsafe { std::mem::zeroed() };
        name.sin_family = libc::AF_INET as u16;
        name.sin_port = port.to_be();
        name.sin_addr.s_addr = u32::from_ne_bytes([127, 0, 2, (n % 250) as u8]);
        unsafe {
            let mut part = libc::iovec { iov_base: payload.as_ptr().cast_mut().cast(), iov_len: 64 };
            let mut msg: libc::msghdr = std::mem::zeroed();
            (msg.msg_iov, msg.msg_iovlen) = (&raw mut part, 1);
            (msg.msg_name, msg.msg_namelen) = ((&raw mut name).cast(), 16);
            libc::sendmsg(fd, &raw const msg, 0);
            // A name that is none, and one that is too short.
            msg.msg_namelen = 3;
            libc::sendmsg(fd, &raw const msg, 0);
            (msg.msg_name, msg.msg_namelen) = (payload.as_ptr().cast_mut().cast(), 16);
            libc::sendmsg(fd, &raw const msg, 0);
        }
    }
}

/// libs#3087: after sends to many peers the socket had addresses that were payload.
#[test]
fn a_socket_without_a_connection_gets_no_addresses_from_what_it_sends() {
    let _alone = alone!();
    let filter = "evt.type in (sendto, sendmsg)";
    for (lines, facts) in shown("peers-udp", "%evt.type %fd.name|%fd.lport|%fd.rip|%fd.rport", filter) {
        let port = fact_of(&facts, "port");
        assert_eq!(lines.len(), 1200);
        for line in lines {
            let socket = line.split_once(' ').unwrap().1;
            assert_eq!(socket, format!("127.0.0.1:{port}|{port}|-|-"), "{line}");
        }
    }
}

fn c(text: &str) -> CString {
    CString::new(text).unwrap()
}

/// Names below directories that are known in different ways.
fn dirs() {
    // From before the program began, number 0 (see the test), and the same by another number.
    let inherited = 0;
    let copy = unsafe { libc::dup(inherited) };
    let (here, there) = UnixStream::pair().unwrap();
    let etc = fs::File::open("/etc").unwrap();
    send_fd(here.as_raw_fd(), etc.as_raw_fd());
    drop(etc);
    let received = receive_fd(there.as_raw_fd());
    let step = |fd: i32, name: &str| unsafe {
        let opened = libc::openat(fd, c(name).as_ptr(), libc::O_RDONLY);
        libc::close(opened);
        libc::unlinkat(fd, c("no-such").as_ptr(), 0);
    };
    step(inherited, "plain");
    step(copy, "plain");
    step(received, "hostname");
    std::env::set_current_dir("/").unwrap();
    step(libc::AT_FDCWD, "etc/hostname");
    let top = fs::File::open("/").unwrap();
    step(top.as_raw_fd(), "etc/hostname");
}

fn send_fd(socket: i32, fd: i32) {
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
        assert_eq!(libc::sendmsg(socket, &raw const msg, 0), 1);
    }
}

fn receive_fd(socket: i32) -> i32 {
    let (mut byte, mut space) = ([0u8; 1], [0u64; 4]);
    unsafe {
        let mut part = libc::iovec { iov_base: byte.as_mut_ptr().cast(), iov_len: 1 };
        let mut msg: libc::msghdr = std::mem::zeroed();
        (msg.msg_iov, msg.msg_iovlen) = (&raw mut part, 1);
        (msg.msg_control, msg.msg_controllen) = (space.as_mut_ptr().cast(), libc::CMSG_SPACE(4) as _);
        assert_eq!(libc::recvmsg(socket, &raw mut msg, 0), 1);
        libc::CMSG_DATA(libc::CMSG_FIRSTHDR(&raw const msg)).cast::<i32>().read_unaligned()
    }
}

/// libs#1892, falco#2126: `<UNKNOWN>` and `<NA>` in place of the directory; libs#1993.
#[test]
fn no_part_of_a_path_is_unknown() {
    let _alone = alone!();
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().canonicalize().unwrap();
    fs::write(dir.join("plain"), "").unwrap();
    let script = format!("exec < {}; exec \"$@\"", dir.display());
    let mut command = vec!["sh".to_owned(), "-c".into(), script, "sh".into()];
    command.extend(actor("peers-dirs"));
    let reel = dir.join("t.reel");
    let kept = run(&["-w", reel.to_str().unwrap()], &command);
    assert_eq!((kept.status.code(), kept.totals().1), (Some(0), 0), "{}", kept.stderr);
    // And when the capture knows of the directory only what /proc says: it was opened before.
    let form = "%evt.type %fs.path.name %evt.certain";
    let filter = "evt.type in (openat, unlinkat) and (evt.arg.path endswith hostname or evt.arg.path = plain \
                  or evt.arg.path = no-such)";
    let live = run(&["-p", form, filter], &command);
    let (status, lines, err) = reread(&reel, &["-p", form, filter]);
    assert_eq!(status, 0, "{err}");
    let dir = dir.to_str().unwrap();
    let mut want = Vec::new();
    for (path, none) in [
        (format!("{dir}/plain"), format!("{dir}/no-such")),
        (format!("{dir}/plain"), format!("{dir}/no-such")),
        ("/etc/hostname".into(), "/etc/no-such".into()),
        ("/etc/hostname".into(), "/no-such".into()),
        ("/etc/hostname".into(), "/no-such".into()),
    ] {
        want.extend([format!("openat {path} true"), format!("unlinkat {none} true")]);
    }
    assert_eq!(lines, want);
    assert_eq!(live.lines, want);
}

/// A line of processes of which the middle one ends: its child goes to whoever reaps, here the first one.
fn orphan() {
    unsafe { libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1) };
    let name = |name: &str| unsafe { libc::prctl(libc::PR_SET_NAME, c(name).as_ptr()) };
    name("the-first");
    let (mut go, mut told) = ([0; 2], [0; 2]);
    unsafe { (libc::pipe(go.as_mut_ptr()), libc::pipe(told.as_mut_ptr())) };
    let middle = forked(|| {
        name("the-middle");
        let last = forked(|| {
            name("the-last");
            unsafe {
                libc::getppid();
                libc::read(go[0], [0u8; 1].as_mut_ptr().cast(), 1);
                libc::getppid();
            }
            // Its own child has all of them.
            wait(forked(|| {
                name("the-heir");
                unsafe { libc::getppid() };
                0
            }));
            0
        });
        unsafe { libc::write(told[1], last.to_ne_bytes().as_ptr().cast(), 4) };
        unsafe { libc::usleep(50_000) };
        0
    });
    let mut last = [0u8; 4];
    unsafe { libc::read(told[0], last.as_mut_ptr().cast(), 4) };
    wait(middle);
    unsafe { libc::write(go[1], [0u8].as_ptr().cast(), 1) };
    wait(i32::from_ne_bytes(last));
}

/// libs#1577: orphans lost their ancestors.
#[test]
fn an_orphan_keeps_ancestors() {
    let _alone = alone!();
    let form = "%proc.name: %proc.aname[1] %proc.aname[2]";
    for (lines, _) in shown("peers-orphan", form, "evt.type = getppid") {
        let want = ["the-last: the-middle the-first", "the-last: the-first", "the-heir: the-last the-first"];
        for (line, want) in lines.iter().zip(want) {
            assert!(line.starts_with(want), "{lines:?}");
        }
        assert_eq!(lines.len(), 3, "{lines:?}");
    }
    let filter = "evt.type = getppid and proc.aname = the-first";
    for (lines, _) in shown("peers-orphan", "%proc.name", filter) {
        assert_eq!(lines, ["the-last", "the-last", "the-heir"]);
    }
}

/// Servers with a path and with an abstract name, each with a client.
fn unix() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("sock");
    println!("path {}", path.display());
    let listens = UnixListener::bind(&path).unwrap();
    let talk = |mut client: UnixStream, listens: &UnixListener| {
        let mut server = listens.accept().unwrap().0;
        client.write_all(b"x").unwrap();
        server.read_exact(&mut [0]).unwrap();
    };
    talk(UnixStream::connect(&path).unwrap(), &listens);
    use std::os::linux::net::SocketAddrExt;
    let name = format!("sysreel-{}", std::process::id());
    println!("abstract @{name}");
    let address = std::os::unix::net::SocketAddr::from_abstract_name(&name).unwrap();
    let listens = UnixListener::bind_addr(&address).unwrap();
    talk(UnixStream::connect_addr(&address).unwrap(), &listens);
}

/// sysdig#1082: `fd.name = ` did not hold for unix sockets, `contains` did.
#[test]
fn a_unix_socket_has_the_name_that_is_asked_for() {
    let _alone = alone!();
    let dir = tempfile::tempdir().unwrap();
    let reel = dir.path().join("t.reel");
    let kept = run(&["-w", reel.to_str().unwrap()], &actor("peers-unix"));
    assert_eq!((kept.status.code(), kept.totals().1), (Some(0), 0), "{}", kept.stderr);
    for name in ["path", "abstract"] {
        let name = fact_of(&kept.stdout, name);
        for op in ["=", "contains"] {
            let filter = format!("evt.type in (write, sendto, read, recvfrom) and fd.name {op} {name}");
            let (_, lines, err) = reread(&reel, &["-p", "%evt.type %fd.name %fd.is_server", &filter]);
            let want = [("write", "sendto", "false"), ("read", "recvfrom", "true")];
            assert_eq!(lines.len(), 2, "{filter}: {lines:?} {err}");
            for (line, (one, other, side)) in lines.iter().zip(want) {
                let rest = format!(" {name} {side}");
                assert!(*line == format!("{one}{rest}") || *line == format!("{other}{rest}"), "{line}");
            }
        }
    }
}

/// Ways around a name: links in every part of a path.
fn links() {
    let dir = tempfile::tempdir().unwrap();
    std::env::set_current_dir(&dir).unwrap();
    std::os::unix::fs::symlink("/etc", "crontabs").unwrap();
    std::os::unix::fs::symlink("crontabs/passwd", "innocent").unwrap();
    for path in [
        "crontabs/../etc/passwd",
        "crontabs/passwd",
        "innocent",
        "/proc/self/root/etc/passwd",
        "/proc/self/cwd/innocent",
        "/dev/fd/../root/etc/passwd",
        "/etc/./../etc//passwd",
    ] {
        let file = fs::File::open(path).unwrap();
        unsafe { libc::lseek(file.as_raw_fd(), 4711, libc::SEEK_SET) };
    }
}

/// libs#1111, falco#2203, falco#2916: whoever goes by a link is not seen by rules about the file.
#[test]
fn a_file_has_its_own_name_by_whatever_link_it_was_opened() {
    let _alone = alone!();
    let filter = "evt.type = lseek and evt.rawarg.offset = 4711";
    for (lines, _) in shown("peers-links", "%fd.name", &format!("{filter} and fd.name = /etc/passwd")) {
        assert_eq!(lines, ["/etc/passwd"; 7]);
    }
    for (lines, _) in shown("peers-links", "%fd.nameraw", &format!("{filter} and fd.nameraw = innocent")) {
        assert_eq!(lines, ["innocent"], "as it was given it can be asked for too");
    }
}

/// sysdig#354, #916, #1740: of a program with a long name the first 15 bytes were shown, also in the command line.
#[test]
fn a_long_name_is_whole_in_the_command_line() {
    let _alone = alone!();
    let dir = tempfile::tempdir().unwrap();
    let long = dir.path().join("docker-credentials-get-ecr");
    fs::copy("/bin/true", &long).unwrap();
    let long = long.to_str().unwrap();
    let done = run(&["-p", "%proc.name|%proc.cmdline|%proc.exepath", "evt.type = execve"], &[long, "get"]);
    let want = format!("docker-credenti|docker-credentials-get-ecr get|{long}");
    assert_eq!(done.lines, [want], "{}", done.stderr);
    let filter = "evt.type = execve and proc.cmdline startswith docker-credentials-get-ecr";
    assert_eq!(run(&["-p", "%proc.pid", filter], &[long, "get"]).lines.len(), 1);
}

/// sysdig#111: the latency was 0 where a filter had dropped the event of the entry.
#[test]
fn latency_is_there_whatever_the_filter_leaves_out() {
    let _alone = alone!();
    for filter in
        ["evt.type = nanosleep or evt.type = clock_nanosleep", "evt.latency > 40ms", "evt.arg.req exists"]
    {
        let done = run(&["-p", "%evt.type %evt.latency", filter], &["sleep", "0.05"]);
        let slept = done.lines.iter().find_map(|l| l.strip_prefix("clock_nanosleep "));
        let latency: u64 =
            slept.unwrap_or_else(|| panic!("{filter}: {done:?}", done = done.lines)).parse().unwrap();
        assert!((50_000_000..5_000_000_000).contains(&latency), "{filter}: {latency}");
    }
}

/// A socket of version 6 that connects to an address of version 4.
fn mapped() {
    let listens = TcpListener::bind(address()).unwrap();
    fact("port", listens.local_addr().unwrap().port());
    unsafe {
        let socket = OwnedFd::from_raw_fd(libc::socket(libc::AF_INET6, libc::SOCK_STREAM, 0));
        let mut name: libc::sockaddr_in6 = std::mem::zeroed();
        name.sin6_family = libc::AF_INET6 as u16;
        name.sin6_port = listens.local_addr().unwrap().port().to_be();
        name.sin6_addr.s6_addr[10..].copy_from_slice(&[0xff, 0xff, 127, 0, 0, 1]);
        let len = size_of::<libc::sockaddr_in6>() as u32;
        assert_eq!(libc::connect(socket.as_raw_fd(), (&raw const name).cast(), len), 0);
        let mut client = TcpStream::from(socket);
        client.write_all(b"0123456789abc").unwrap();
    }
}

/// libs#3101, libs#2733: the protocol was lost when such a socket was connected.
#[test]
fn a_mapped_address_leaves_the_protocol_known() {
    let _alone = alone!();
    let filter = "evt.type in (write, sendto) and evt.rawres = 13";
    for (lines, facts) in shown("peers-mapped", "%fd.l4proto %fd.sport %fd.sip %evt.certain", filter) {
        let port = fact_of(&facts, "port");
        assert_eq!(lines, [format!("tcp {port} ::ffff:127.0.0.1 true")]);
    }
}

/// Many descriptors.
fn many() {
    let room = libc::rlimit { rlim_cur: 20_000, rlim_max: 20_000 };
    unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const room) };
    let files: Vec<fs::File> = (0..9000).map(|_| fs::File::open("/etc/passwd").unwrap()).collect();
    for file in &files {
        unsafe { libc::lseek(file.as_raw_fd(), 4711, libc::SEEK_SET) };
    }
}

/// libs: no descriptor beyond 4,096 of a process was known.
#[test]
fn a_process_may_have_many_descriptors() {
    let _alone = alone!();
    let filter =
        "evt.type = lseek and evt.rawarg.offset = 4711 and fd.name = /etc/passwd and evt.certain = true";
    for (lines, _) in shown("peers-many", "%fd.num", filter) {
        assert_eq!(lines.len(), 9000);
    }
}

/// falco#3999, libs#3113: an exec that changes the user left no event.
#[test]
fn a_program_that_changes_the_user_is_seen_to_start() {
    let _alone = alone!();
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let dir = tempfile::tempdir_in("/var/tmp").unwrap();
    let program = dir.path().join("becomes-root");
    fs::copy("/bin/true", &program).unwrap();
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o4755)).unwrap();
    let form = "%user.name %proc.exepath %evt.rawres";
    let script = format!("{}; true", program.display());
    let filter = "evt.type = execve and evt.rawres = 0 and proc.name = becomes-root";
    let done = run(&["--as", "nobody", "-p", form, filter], &["sh", "-c", &script]);
    assert!(Path::new(&program).exists());
    let user = if nosuid(dir.path()) { "nobody" } else { "root" };
    assert_eq!(done.lines, [format!("{user} {} 0", program.display())], "{}", done.stderr);
}

fn nosuid(dir: &Path) -> bool {
    let stat = rustix::fs::statvfs(dir).unwrap();
    stat.f_flag.contains(rustix::fs::StatVfsMountFlags::NOSUID)
}
