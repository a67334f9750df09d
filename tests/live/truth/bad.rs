//! What programs pass that cannot be right: pointers into nowhere, lengths beyond all memory, strings without an end.
//!
//! The record says that something could not be read, or how much more there was; the program gets what it would get anyway.

use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};

use super::table::*;

const PAGE: usize = 4096;
/// Not mapped by anybody (mmap_min_addr); the kernel's; not an address at all.
const NOWHERE: [u64; 3] = [0x10, 0xffff_8880_0000_0000, 0x1234_5678_9abc_def0];

/// Two pages, of which the second is not there: gives the end of the first, with `bytes` just before it.
fn before_a_hole(bytes: &[u8]) -> *const u8 {
    unsafe {
        let both = libc::mmap(
            std::ptr::null_mut(),
            2 * PAGE,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
            -1,
            0,
        )
        .cast::<u8>();
        libc::munmap(both.add(PAGE).cast(), PAGE);
        let at = both.add(PAGE - bytes.len());
        std::ptr::copy_nonoverlapping(bytes.as_ptr(), at, bytes.len());
        at
    }
}

fn iovecs(list: &[(u64, u64)]) -> Vec<u8> {
    list.iter().flat_map(|(base, len)| [base.to_ne_bytes(), len.to_ne_bytes()].concat()).collect()
}

/// Not the whole: unreadable, or marked as cut; never as if it were all.
fn not_all() -> Value {
    or(has(json!({ "unreadable": any() })), or(has(json!({ "cut": true })), json!({ "$holey": true })))
}

#[allow(clippy::too_many_lines, reason = "a row a call")]
pub fn all(t: &mut Table) {
    let null = unsafe { libc::open(c"/dev/null".as_ptr(), libc::O_RDWR) };
    let text = [b'x'; 200];
    for p in NOWHERE {
        row!(t: openat(libc::AT_FDCWD, p, libc::O_RDONLY) = EFAULT,
            {"dirfd": cwd(), "path": unreadable(p), "flags": ["O_RDONLY"]});
        row!(t: mkdir(p, 0o700) = EFAULT, {"path": unreadable(p), "mode": "0700"});
        row!(t: read(null, p, 5) = any, {"fd": fd(null), "buf": any(), "count": 5});
        row!(t: write(null, p, 5) = any, {"fd": fd(null), "buf": unreadable(p), "count": 5});
        row!(t: writev(null, p, 2) = EFAULT, {"fd": fd(null), "iov": unreadable(p), "iovcnt": 2});
        row!(t: connect(null, p, 16) = any, {"fd": fd(null), "addr": unreadable(p), "addrlen": 16});
        row!(t: sendmsg(null, p, 0) = any, {"fd": fd(null), "msg": unreadable(p), "flags": []});
        row!(t: nanosleep(p, 0) = EFAULT, {"req": unreadable(p), "rem": null});
        row!(t: rt_sigprocmask(libc::SIG_BLOCK, p, 0, 8) = EFAULT,
            {"how": "SIG_BLOCK", "set": unreadable(p), "oldset": null, "sigsetsize": 8});
        row!(t: execve(p, p, p) = EFAULT, (has(json!({"path": unreadable(p), "argv": unreadable(p)}))));
        row!(t: stat(c"/", p) = EFAULT, {"path": "/", "statbuf": hex(p)});
        row!(t: pipe(p) = EFAULT, {"fds": hex(p)});
        row!(t: openat2(libc::AT_FDCWD, c"/", p, 24) = EFAULT,
            {"dirfd": cwd(), "path": "/", "how": unreadable(p), "size": 24});
        row!(t: mount(p, c"/none", p, 0, p) = EFAULT, {"source": unreadable(p), "path": "/none",
            "filesystemtype": unreadable(p), "mountflags": [], "data": or(unreadable(p), hex(p))});
    }
    // Lengths.
    for n in [1u64 << 63, u64::MAX, 1 << 40] {
        row!(t: write(-1, &text, n) = EBADF, {"fd": nofd(-1), "count": num_u(n), "buf": any()});
        row!(t: read(-1, &text, n) = EBADF, {"fd": nofd(-1), "count": num_u(n), "buf": hex(&text)});
        row!(t: openat2(libc::AT_FDCWD, c"/", &[0u64; 64], n) = E2BIG,
            {"dirfd": cwd(), "path": "/", "how": any(), "size": num_u(n)});
    }
    let long = before_a_hole(&[b'y'; 100]);
    row!(t: write(-1, long, 100) = EBADF, {"fd": nofd(-1), "count": 100, "buf": data(&[b'y'; 100])});
    let short = before_a_hole(b"only this");
    row!(t: write(-1, short, 50) = EBADF, {"fd": nofd(-1), "count": 50, "buf": or(unreadable(short), not_all())});
    let one = iovecs(&[(text.as_ptr() as u64, 3)]);
    row!(t: writev(null, one.as_ptr(), 1_000_000) = EINVAL, {"fd": fd(null), "iov": any(), "iovcnt": 1_000_000});
    row!(t: writev(null, one.as_ptr(), -1) = EINVAL, {"fd": fd(null), "iov": any(), "iovcnt": u32::MAX});
    let huge = iovecs(&[(text.as_ptr() as u64, 1 << 63)]);
    row!(t: writev(null, huge.as_ptr(), 1) = any, {"fd": fd(null), "iov": any(), "iovcnt": 1});
    row!(t: process_vm_readv(1, one.as_ptr(), 1u64 << 40, one.as_ptr(), u64::MAX, 0) = any, (has(json!({"pid": 1}))));
    row!(t: poll(&text, 0xffff_ffffu32, 0) = EINVAL, {"fds": behind(&text), "nfds": 0xffff_ffffu32, "timeout": 0});
    row!(t: select(0x7fff_ffff, NOWHERE[0], 0, 0, NOWHERE[1]) = EFAULT, {"nfds": 0x7fff_ffff, "readfds": any(),
        "writefds": any(), "exceptfds": any(), "timeout": unreadable(NOWHERE[1])});
    row!(t: setsockopt(null, 1, 2, &text, -1) = any,
        {"fd": fd(null), "level": "SOL_SOCKET", "optname": "SO_REUSEADDR", "optval": any(), "optlen": u32::MAX});
    row!(t: connect(null, &text, 0x8000_0000u32) = any, {"fd": fd(null), "addr": any(), "addrlen": 0x8000_0000u32});
    row!(t: connect(null, &text, 1) = any, {"fd": fd(null), "addr": {"b64": "eA=="}, "addrlen": 1});
    row!(t: bind(null, &text, 0) = any, {"fd": fd(null), "addr": any(), "addrlen": 0});
    row!(t: clone3(&[0u64; 512], 1 << 30) = E2BIG, {"cl_args": any(), "size": 1 << 30});

    // Iovecs with holes: the second lies nowhere, or points there.
    let half = before_a_hole(&iovecs(&[(text.as_ptr() as u64, 4)]));
    row!(t: writev(null, half, 3) = EFAULT, {"fd": fd(null), "iov": not_all(), "iovcnt": 3});
    let holes: Vec<(u64, u64)> =
        (0..20).map(|i| if i % 2 == 0 { (text.as_ptr() as u64, 2) } else { (NOWHERE[0], 2) }).collect();
    let holes = iovecs(&holes);
    row!(t: pwritev(-1, holes.as_ptr(), 20, 0, 0) = EBADF,
        {"fd": nofd(-1), "iov": not_all(), "iovcnt": 20, "offset": 0, "offset_high": hex(0)});
    let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
    (message.msg_name, message.msg_namelen) = (NOWHERE[0] as *mut _, u32::MAX);
    (message.msg_iov, message.msg_iovlen) = (holes.as_ptr().cast_mut().cast(), 1 << 63);
    (message.msg_control, message.msg_controllen) = (NOWHERE[2] as *mut _, 1 << 63);
    row!(t: sendmsg(-1, &message, 0) = EBADF, {"fd": nofd(-1), "msg": any(), "flags": []});

    // Strings.
    let endless = before_a_hole(&[b'/'; 300]);
    row!(t: chdir(endless) = EFAULT, {"path": or(unreadable(endless), not_all())});
    for n in [4093usize, 4095, 4096, 5000] {
        // `./././` to the end.
        let name: String = "./".repeat(n.div_ceil(2)).chars().take(n - 1).chain(['.']).collect();
        let name = path(&name);
        // A path of PATH_MAX bytes with its NUL is whole; what is longer is none.
        let whole = n < 4096;
        let cut = has(json!({ "cut": true }));
        let shown = if whole { name.to_str().unwrap().into() } else { cut };
        row!(t: access(name.as_c_str(), 0) = any, {"path": shown, "mode": ["F_OK"]});
    }
    let ugly = path("a\u{202e}b\n\u{1b}[31m\u{1}c");
    row!(t: rmdir(ugly.as_c_str()) = ENOENT, {"path": ugly.to_str().unwrap()});
    let odd = c"\xff\xfe";
    row!(t: rmdir(odd) = ENOENT, {"path": data(b"\xff\xfe")});
    let argv = [c"a".as_ptr() as u64, NOWHERE[0], 0];
    row!(t: execve(c"/none", &argv, 0) = any, (has(json!({"path": "/none", "argv": not_all()}))));
    let argv = before_a_hole(&(c"a".as_ptr() as u64).to_ne_bytes());
    row!(t: execve(c"/none", argv, 0) = any, (has(json!({"path": "/none", "argv": not_all()}))));
    let many = vec![c"word".as_ptr() as u64; 100_000];
    row!(t: execve(c"/none", many.as_ptr(), 0) = any, (has(json!({"path": "/none", "argv": any()}))));

    // Descriptors that are none.
    for n in [-1, -2, i32::MIN, i32::MAX] {
        row!(t: close(n) = EBADF, {"fd": nofd(n)});
        row!(t: fstat(n, &text) = EBADF, {"fd": nofd(n), "statbuf": hex(&text)});
        row!(t: mmap(0, PAGE, 1, 2, n, 0) = EBADF, {"addr": hex(0), "length": PAGE, "prot": ["PROT_READ"],
            "flags": ["MAP_PRIVATE"], "fd": nofd(n), "offset": 0});
    }
    unsafe { libc::close(null) };
}

/// An unsigned number as JSON has it.
fn num_u(n: u64) -> Value {
    if n > 1 << 53 { n.to_string().into() } else { n.into() }
}

/// Calls of each sort while a thread changes what they point to.
pub const ROUNDS: usize = 3000;
/// So many descriptors that no other poll is taken for ours.
pub const POLLS: u64 = 37;

/// The actor: a thread makes right out of wrong and wrong out of right, as fast as it can.
pub fn meanwhile() {
    super::super::actor::fact("main", unsafe { libc::getpid() });
    let stop = AtomicBool::new(false);
    let text = [b'z'; 64];
    let mut iov = [libc::iovec { iov_base: text.as_ptr().cast_mut().cast(), iov_len: 8 }; 4];
    let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
    (message.msg_iov, message.msg_iovlen) = (iov.as_mut_ptr(), 4);
    let mut name = *b"/dev/null\0/etc/passwd\0";
    let mut polls = [libc::pollfd { fd: -1, events: 0, revents: 0 }; POLLS as usize];
    let (iov_at, message_at, name_at, polls_at) = (
        (&raw mut iov) as usize,
        (&raw mut message) as usize,
        name.as_mut_ptr() as usize,
        polls.as_mut_ptr() as usize,
    );
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let put = |at: usize, value: u64| unsafe { (at as *mut u64).write_volatile(value) };
            let good = text.as_ptr() as u64;
            let mut n = 0u64;
            while !stop.load(Ordering::Relaxed) {
                n += 1;
                let wrong = n.is_multiple_of(2);
                put(iov_at + 16, if wrong { NOWHERE[0] } else { good });
                put(iov_at + 24, if wrong { 1 << 63 } else { 8 });
                put(message_at + 24, if wrong { 1 << 62 } else { 4 });
                put(message_at, if wrong { NOWHERE[2] } else { 0 });
                put(message_at + 8, n & 0xffff_ffff);
                unsafe { ((name_at + 9) as *mut u8).write_volatile(if wrong { b'x' } else { 0 }) };
                put(polls_at, n);
            }
        });
        let socket = unsafe { libc::socket(libc::AF_UNIX, libc::SOCK_DGRAM, 0) };
        let null = unsafe { libc::open(c"/dev/null".as_ptr(), libc::O_WRONLY) };
        for _ in 0..ROUNDS {
            unsafe {
                raw(libc::SYS_writev, [null as u64, iov_at as u64, 4, 0, 0, 0]);
                raw(libc::SYS_sendmsg, [socket as u64, message_at as u64, 0, 0, 0, 0]);
                let fd = raw(
                    libc::SYS_openat,
                    [libc::AT_FDCWD as u64, name_at as u64, libc::O_PATH as u64, 0, 0, 0],
                );
                if fd >= 0 {
                    libc::close(fd as i32);
                }
                raw(libc::SYS_poll, [polls_at as u64, POLLS, 0, 0, 0, 0]);
            }
        }
        stop.store(true, Ordering::Relaxed);
    });
}
