//! What is rare: descriptors of every odd kind, more of them than anybody needs, names of any bytes, numbers of processes
//! that begin again. What /proc says is what must be said: live, from a file, and by a look.
#![allow(unsafe_code, reason = "what is tested are system calls as such")]
#![allow(clippy::print_stdout, reason = "facts go to the test that started us")]

use std::collections::BTreeMap;
use std::ffi::{CStr, CString};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::ffi::OsStrExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::actor::{fact, forked, wait};
use super::rig::{actor, alone, loudly, reread, run};
use crate::cli::sysreel;

/// Says what /proc shows of a new descriptor, and gives the capture a call that names it.
fn odd(kind: &str, fd: i64) {
    let Ok(fd) = i32::try_from(fd) else { return };
    if fd < 0 {
        // Not on every kernel; the test says which were not there.
        println!("without {kind}");
        return;
    }
    let link = std::fs::read_link(format!("/proc/self/fd/{fd}")).unwrap();
    let hex: String = link.as_os_str().as_bytes().iter().map(|b| format!("{b:02x}")).collect();
    println!("odd {fd} {kind} {hex}");
    unsafe { libc::fcntl(fd, libc::F_GETFD) };
}

fn call(nr: i64, args: [u64; 5]) -> i64 {
    unsafe { libc::syscall(nr, args[0], args[1], args[2], args[3], args[4]) }
}

fn at<T>(what: &T) -> u64 {
    std::ptr::from_ref(what) as u64
}

fn sockets() {
    for (kind, family, of, protocol) in [
        ("vsock", libc::AF_VSOCK, libc::SOCK_STREAM, 0),
        ("packet", libc::AF_PACKET, libc::SOCK_DGRAM, 0),
        ("netlink", libc::AF_NETLINK, libc::SOCK_RAW, libc::NETLINK_ROUTE),
        ("netlink", libc::AF_NETLINK, libc::SOCK_RAW, libc::NETLINK_AUDIT),
        ("unix", libc::AF_UNIX, libc::SOCK_SEQPACKET, 0),
        ("socket", libc::AF_ALG, libc::SOCK_SEQPACKET, 0),
        ("ipv4", libc::AF_INET, libc::SOCK_RAW, libc::IPPROTO_ICMP),
    ] {
        odd(kind, unsafe { libc::socket(family, of, protocol) }.into());
    }
}

fn anonymous() {
    let mut zeros = [0u64; 32];
    // A map of type array: key, value, entries.
    let map: [u32; 16] = [2, 4, 4, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    // r0 = 0; exit, as a filter of sockets.
    let code: [u64; 2] = [0x0000_0000_0000_00b7, 0x0000_0000_0000_0095];
    let mut program = [0u64; 16];
    (program[0], program[1], program[2]) = (1 | 2 << 32, code.as_ptr() as u64, c"GPL".as_ptr() as u64);
    // PERF_TYPE_SOFTWARE, its size, PERF_COUNT_SW_CPU_CLOCK.
    let mut perf = [0u64; 16];
    perf[0] = 1 | 128 << 32;
    let mask = [0u64; 1];
    let ruleset = [1u64];
    odd("userfaultfd", call(libc::SYS_userfaultfd, [(libc::O_CLOEXEC | 1) as u64, 0, 0, 0, 0]));
    odd("iouring", call(libc::SYS_io_uring_setup, [4, std::ptr::from_mut(&mut zeros) as u64, 0, 0, 0]));
    odd("bpf", call(libc::SYS_bpf, [0, at(&map), 64, 0, 0]));
    odd("bpf", call(libc::SYS_bpf, [5, at(&program), 128, 0, 0]));
    odd("perf", call(libc::SYS_perf_event_open, [at(&perf), 0, u64::MAX, u64::MAX, 0]));
    odd("pidfd", call(libc::SYS_pidfd_open, [std::process::id().into(), 0, 0, 0, 0]));
    odd("eventpoll", call(libc::SYS_epoll_create1, [0; 5]));
    odd("event", call(libc::SYS_eventfd2, [7, 0, 0, 0, 0]));
    odd("timerfd", call(libc::SYS_timerfd_create, [1, 0, 0, 0, 0]));
    odd("signalfd", call(libc::SYS_signalfd4, [u64::MAX, at(&mask), 8, 0, 0]));
    odd("inotify", call(libc::SYS_inotify_init1, [0; 5]));
    odd("fanotify", call(libc::SYS_fanotify_init, [0; 5]));
    odd("memfd", call(libc::SYS_memfd_create, [c"a b\n".as_ptr() as u64, 0, 0, 0, 0]));
    odd("anon", call(libc::SYS_landlock_create_ruleset, [at(&ruleset), 8, 0, 0, 0]));
    odd("anon", call(libc::SYS_fsopen, [c"tmpfs".as_ptr() as u64, 0, 0, 0, 0]));
    odd("file", call(libc::SYS_memfd_secret, [0; 5]));
    // The lists of a driver that shares buffers, made of one page of a sealed memfd.
    let driver = open(c"/dev/udmabuf", libc::O_RDWR);
    if driver >= 0 {
        let page = unsafe { libc::memfd_create(c"page".as_ptr(), libc::MFD_ALLOW_SEALING) };
        unsafe {
            libc::ftruncate(page, 4096);
            libc::fcntl(page, libc::F_ADD_SEALS, libc::F_SEAL_SHRINK);
        }
        let create = [page as u32 as u64, 0, 4096];
        // UDMABUF_CREATE.
        odd("dmabuf", call(libc::SYS_ioctl, [driver as u64, 0x4018_7542, at(&create), 0, 0]));
    } else {
        odd("dmabuf", -1);
    }
}

fn open(path: &CStr, flags: i32) -> i64 {
    unsafe { libc::open(path.as_ptr(), flags, 0o600) }.into()
}

fn paths() {
    let dir = tempfile::tempdir().unwrap();
    std::env::set_current_dir(&dir).unwrap();
    odd("device", open(c"/dev/null", libc::O_RDWR));
    odd("directory", open(c".", libc::O_RDONLY));
    odd("file", open(c".", libc::O_TMPFILE | libc::O_RDWR));
    unsafe {
        libc::mkfifo(c"fifo".as_ptr(), 0o600);
        libc::symlink(c"nowhere".as_ptr(), c"link".as_ptr());
    }
    odd("pipe", open(c"fifo", libc::O_RDWR));
    odd("symlink", open(c"link", libc::O_PATH | libc::O_NOFOLLOW));
    // Whatever a name may hold, but a slash and a NUL.
    let long = "n".repeat(255);
    for name in [
        "a\nb",
        "tab\there",
        "\x1b[31mred\x1b[0m",
        "quote\"back\\slash",
        " blank ",
        "<angles>~",
        "\u{202e}txt.exe",
        "\u{9b}csi",
        "a (deleted)",
        "line\r\nfeed = 1 | 2",
        &long,
    ] {
        let name = CString::new(name).unwrap();
        odd("file", open(&name, libc::O_CREAT | libc::O_RDWR));
    }
    let gone = open(c"gone", libc::O_CREAT | libc::O_RDWR);
    odd("file", gone);
    odd("file", open(c"/proc/self/stat", libc::O_RDONLY));
    odd(
        "file",
        call(
            libc::SYS_mq_open,
            [c"sysreel-odd".as_ptr() as u64, (libc::O_CREAT | libc::O_RDWR) as u64, 0o600, 0, 0],
        ),
    );
    unsafe { libc::syscall(libc::SYS_mq_unlink, c"sysreel-odd".as_ptr()) };
}

/// The actor.
pub fn act() {
    sockets();
    anonymous();
    paths();
    println!("ready");
    let _ = std::io::stdout().flush();
    unsafe { libc::read(0, [0u8; 1].as_mut_ptr().cast(), 1) };
}

/// A descriptor as its owner sees it: number, kind, name.
type Odd = (i64, String, String);

fn expected(facts: &str) -> Vec<Odd> {
    let lines = facts.lines().filter_map(|l| l.strip_prefix("odd "));
    let one = |l: &str| {
        let words: Vec<&str> = l.split(' ').collect();
        let bytes: Vec<u8> = (0..words[2].len())
            .step_by(2)
            .map(|i| u8::from_str_radix(&words[2][i..i + 2], 16).unwrap())
            .collect();
        (words[0].parse().unwrap(), words[1].to_owned(), String::from_utf8(bytes).unwrap())
    };
    let without: Vec<&str> = facts.lines().filter_map(|l| l.strip_prefix("without ")).collect();
    if !without.is_empty() {
        loudly(&format!("THIS KERNEL HAS NONE OF: {}", without.join(", ")));
    }
    lines.map(one).collect()
}

/// What is wrong with a row or an event of a descriptor.
fn check((fd, kind, link): &Odd, row: &Value) {
    assert_eq!(row["fd.type"], kind.as_str(), "{fd} {link:?}: {row}");
    assert_ne!(row["evt.certain"], false, "{row}");
    let name = row["fd.name"].as_str().unwrap_or("");
    // Sockets have names of their own.
    if link.starts_with("socket:[") {
        let ino = row["fd.ino"].as_u64().map(|ino| format!("socket:[{ino}]"));
        assert!(ino.is_none_or(|ino| ino == *link) && !name.is_empty(), "{link}: {row}");
    } else {
        assert_eq!(name, link, "{fd}: {row}");
    }
}

fn started(name: &str) -> (Child, String) {
    let words = actor(name);
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
    (child, facts)
}

fn ended(mut child: Child) {
    drop(child.stdin.take());
    let _ = child.wait();
}

#[test]
fn descriptors_of_odd_kinds_are_what_proc_says() {
    let _alone = alone!();
    let done = run(&["-j", "evt.type = fcntl and fd.num > 2"], &actor("odd"));
    assert_eq!(done.status.code(), Some(0), "{}", done.stderr);
    let events = done.events();
    // One event, one line, whatever a name holds.
    assert!(done.lines.len() >= events.len() && done.lines.len() <= events.len() + 1);
    let mut fcntl = events.iter();
    let all = expected(&done.stdout);
    assert!(all.len() > 30, "{}", done.stdout);
    for odd in &all {
        let event = fcntl.by_ref().find(|e| e["fd.num"] == odd.0).unwrap_or_else(|| panic!("{odd:?}"));
        check(odd, event);
    }
}

#[test]
fn descriptors_of_odd_kinds_are_what_proc_says_by_a_look() {
    let _alone = alone!();
    let (child, facts) = started("odd");
    let filter = format!("proc.pid = {}", child.id());
    let fields = "fd.num,fd.type,fd.name,fd.ino,evt.certain";
    let listed = sysreel().args(["lsof", "-j", "--fields", fields, &filter]).output().unwrap();
    let text =
        sysreel().args(["lsof", "--fields", "fd.num,fd.name", "--no-header", &filter]).output().unwrap();
    ended(child);
    let rows: BTreeMap<i64, Value> = String::from_utf8(listed.stdout)
        .unwrap()
        .lines()
        .map(|l| serde_json::from_str::<Value>(l).unwrap())
        .filter_map(|row| Some((row["fd.num"].as_i64()?, row)))
        .collect();
    for odd in expected(&facts) {
        let mut odd = odd;
        // (What the actor removed at its end it still has here: its directory is gone when it has.)
        let row = &rows[&odd.0];
        if row["fd.name"] == format!("{} (deleted)", odd.2) {
            odd.2 += " (deleted)";
        }
        check(&odd, row);
    }
    // As text, too, a descriptor is a line without anything that a terminal obeys.
    let text = String::from_utf8(text.stdout).unwrap();
    assert!(text.lines().count() >= rows.len());
    assert!(text.lines().all(|l| !l.chars().any(|c| c.is_control() && c != '\t')), "{text:?}");
}

/// How many descriptors a process may have here, at most 100,000.
fn most() -> u64 {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    unsafe {
        libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit);
        let more = libc::rlimit { rlim_cur: 100_100, rlim_max: limit.rlim_max.max(100_100) };
        if libc::setrlimit(libc::RLIMIT_NOFILE, &raw const more) != 0 {
            let all = libc::rlimit { rlim_cur: limit.rlim_max, ..limit };
            libc::setrlimit(libc::RLIMIT_NOFILE, &raw const all);
        }
        libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit);
    }
    limit.rlim_cur.saturating_sub(100).min(100_000)
}

/// The actor: as many descriptors as it gets; then, at a word, it uses and closes the last one.
pub fn many() {
    let fd = unsafe { libc::open(c"/dev/null".as_ptr(), libc::O_RDWR) };
    let mut last = fd;
    let mut made = 1;
    for _ in 1..most() {
        let next = unsafe { libc::dup(fd) };
        if next < 0 {
            break;
        }
        (last, made) = (next, made + 1);
    }
    fact("made", made);
    fact("last", last);
    println!("ready");
    let _ = std::io::stdout().flush();
    unsafe { libc::read(0, [0u8; 1].as_mut_ptr().cast(), 1) };
    for _ in 0..10 {
        unsafe { libc::write(last, b"x".as_ptr().cast(), 1) };
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_hundred_thousand_descriptors_are_listed_and_named() {
    let _alone = alone!();
    let (mut child, facts) = started("odd-many");
    let of = |name: &str| -> u64 {
        let line = facts.lines().find_map(|l| l.strip_prefix(name)).unwrap();
        line.trim().parse().unwrap()
    };
    let (made, last) = (of("made"), of("last"));
    // It may have had one before.
    let dir = std::fs::read_dir(format!("/proc/{}/fd", child.id())).unwrap().flatten();
    let there =
        dir.filter(|fd| std::fs::read_link(fd.path()).is_ok_and(|to| to.as_os_str() == "/dev/null")).count();
    assert!(there as u64 >= made);
    let begin = Instant::now();
    let filter = format!("proc.pid = {} and fd.name = /dev/null", child.id());
    let listed = sysreel().args(["lsof", "-p", "%fd.num", &filter]).output().unwrap();
    let looked = begin.elapsed();
    let numbers = String::from_utf8(listed.stdout).unwrap();
    let numbers: Vec<u64> = numbers.lines().map(|l| l.parse().unwrap()).collect();
    assert_eq!(numbers.len(), there);
    assert!(numbers.contains(&last));
    // A capture that begins with it there, and has all of them in its file.
    let dir = tempfile::tempdir().unwrap();
    let reel = dir.path().join("t.reel");
    let begin = Instant::now();
    let capture = sysreel()
        .args(["-w", reel.to_str().unwrap(), "--pid", &child.id().to_string(), "--stop", "duration:3s"])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    std::thread::sleep(Duration::from_millis(1500));
    child.stdin.take().unwrap().write_all(b"x").unwrap();
    let done = capture.wait_with_output().unwrap();
    let captured = begin.elapsed();
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(done.status.success(), "{said}");
    let (status, lines, err) = reread(&reel, &["-p", "%fd.num %fd.name %evt.certain", "evt.type = write"]);
    assert_eq!(status, 0, "{err}");
    assert!(lines.len() >= 10, "{said}");
    assert!(lines.iter().all(|l| *l == format!("{last} /dev/null true")), "{lines:?}");
    loudly(&format!(
        "{made} descriptors in a process: listed in {} ms, captured in {} ms of which 3 s were asked for",
        looked.as_millis(),
        captured.as_millis()
    ));
    assert!(looked < Duration::from_secs(20) && captured < Duration::from_secs(20));
    ended(child);
}

const LAST: &str = "/proc/sys/kernel/ns_last_pid";

/// The actor: processes whose numbers go over the last there is, and begin again.
pub fn wrap() {
    let most: u32 = std::fs::read_to_string("/proc/sys/kernel/pid_max").unwrap().trim().parse().unwrap();
    if std::fs::write(LAST, (most - 6).to_string()).is_err() {
        println!("refused");
        return;
    }
    for _ in 0..20 {
        let child = forked(|| {
            unsafe { libc::syscall(libc::SYS_getppid) };
            0
        });
        fact("child", child);
        wait(child);
    }
}

#[test]
fn numbers_of_processes_begin_again() {
    let _alone = alone!();
    let done = run(
        &["-p", "%proc.pid %proc.ppid %proc.name %evt.certain", "evt.type = getppid"],
        &actor("odd-wrap"),
    );
    assert_eq!(done.status.code(), Some(0), "{}", done.stderr);
    if done.stdout.contains("refused") {
        return super::rig::skip(&format!("{LAST} cannot be written to"));
    }
    let children: Vec<u32> =
        done.stdout.lines().filter_map(|l| l.strip_prefix("child ")?.parse().ok()).collect();
    assert!(children.windows(2).any(|two| two[1] < two[0]), "they did not begin again: {children:?}");
    assert_eq!(done.lines.len(), children.len(), "{:?}", done.lines);
    for (line, child) in done.lines.iter().zip(children) {
        let words: Vec<&str> = line.split(' ').collect();
        assert_eq!(words[0], child.to_string(), "{line}");
        assert!(words[2].starts_with("integration") && words[3] == "true", "{line}");
    }
}
