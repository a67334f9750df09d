//! Actors whose calls pass memory: long, in many parts, wrong, or changing.
#![allow(unsafe_code, reason = "what is tested are system calls as such; most have no safe wrapper")]
#![allow(clippy::print_stdout, reason = "facts go to the test that started us")]

use std::ffi::{CStr, CString, c_int, c_long, c_void};
use std::net::UdpSocket;
use std::os::fd::AsRawFd;
use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::actor::fact;

/// Bytes that show where they are from.
pub fn pattern(size: usize) -> Vec<u8> {
    (0..size).map(|i| b"abcdefghijklmnopqrstuvwxyz0123456789\n"[(i + i / 4096) % 37]).collect()
}

/// The longest path that the kernel takes, without its NUL.
pub const LONG_PATH: usize = 4095;

/// A call, with its result as the kernel gives it.
fn call(nr: c_long, args: [u64; 6]) -> i64 {
    let r = unsafe { libc::syscall(nr, args[0], args[1], args[2], args[3], args[4], args[5]) };
    if r == -1 { -i64::from(unsafe { *libc::__errno_location() }) } else { r }
}

fn mark() {
    call(libc::SYS_lseek, [-77i64 as u64, 0, 0, 0, 0, 0]);
}

fn pipe() -> [c_int; 2] {
    let mut fds = [0; 2];
    assert_eq!(unsafe { libc::pipe(fds.as_mut_ptr()) }, 0);
    fds
}

/// Pages of our own, and behind them one that nobody may touch.
fn pages(bytes: usize) -> *mut u8 {
    unsafe {
        let at = libc::mmap(null_mut(), bytes + 4096, libc::PROT_READ | libc::PROT_WRITE, 0x22, -1, 0);
        assert_ne!(at, libc::MAP_FAILED);
        libc::mprotect(at.add(bytes), 4096, libc::PROT_NONE);
        at.cast()
    }
}

pub fn payload() {
    let [out, into] = pipe();
    assert!(unsafe { libc::fcntl(into, libc::F_SETPIPE_SZ, 1 << 18) } > 0);
    let mut back = vec![1u8; 70_000];
    mark();
    for size in [10, 5000, 65_536, 70_000] {
        let data = pattern(size);
        assert_eq!(unsafe { libc::write(into, data.as_ptr().cast(), size) }, size as isize);
        assert_eq!(unsafe { libc::read(out, back.as_mut_ptr().cast(), size) }, size as isize);
    }
}

fn iovec(bytes: &[u8]) -> libc::iovec {
    libc::iovec { iov_base: bytes.as_ptr().cast_mut().cast(), iov_len: bytes.len() }
}

pub fn vectors() {
    let [_out, into] = pipe();
    let many: Vec<_> = (0..100).map(|_| iovec(b"x")).collect();
    let long = [b'y'; 650];
    let nowhere = libc::iovec { iov_base: 8 as *mut c_void, iov_len: 5 };
    mark();
    let writev = |fd: c_int, v: &[libc::iovec]| unsafe { libc::writev(fd, v.as_ptr(), v.len() as c_int) };
    writev(into, &[iovec(b"one"), iovec(b""), iovec(b"two"), iovec(b"three")]);
    writev(into, &many);
    writev(-1, &[iovec(&long), iovec(&long)]);
    writev(-1, &[iovec(b"one"), nowhere, iovec(b"three")]);
    writev(-1, &[nowhere]);
}

pub fn strings() {
    let longest = CString::new("a/".repeat(LONG_PATH / 2) + "a").unwrap();
    let longer = CString::new("b/".repeat(4000)).unwrap();
    let unterminated = pages(8192);
    unsafe { std::ptr::write_bytes(unterminated, b'c', 8192) };
    let big = CString::new("z".repeat(3000)).unwrap();
    let one = c"x";
    let none = c"/no/such/program";
    let exec = |args: &[&CStr]| {
        let mut argv: Vec<_> = args.iter().map(|a| a.as_ptr()).collect();
        argv.push(null());
        // The probe does not wait for a page that nobody has read yet.
        std::hint::black_box(args.iter().flat_map(|a| a.to_bytes()).fold(0, |all, b| all ^ b));
        unsafe { libc::syscall(libc::SYS_execve, none.as_ptr(), argv.as_ptr(), [null::<u8>()].as_ptr()) };
    };
    mark();
    for path in [longest.as_ptr(), longer.as_ptr(), unterminated.cast()] {
        unsafe { libc::syscall(libc::SYS_open, path, libc::O_RDONLY, 0) };
    }
    exec(&[c"zero", c"", c"two words"]);
    exec(&[&big, &big, &big]);
    exec(&[one; 100]);
}

fn header(iov: &mut [libc::iovec]) -> libc::msghdr {
    let mut m: libc::msghdr = unsafe { std::mem::zeroed() };
    (m.msg_iov, m.msg_iovlen) = (iov.as_mut_ptr(), iov.len() as _);
    m
}

/// A control message of this type at the socket's level.
fn control(kind: c_int, data: &[c_int]) -> Vec<u64> {
    let len = 16 + data.len() * 4;
    let mut words = vec![0u64; len.div_ceil(8)];
    words[0] = len as u64;
    words[1] = libc::SOL_SOCKET as u64 | (kind as u64) << 32;
    for (i, n) in data.iter().enumerate() {
        words[2 + i / 2] |= u64::from(*n as u32) << (32 * (i % 2));
    }
    words
}

pub fn messages() {
    let mut pair = [0; 2];
    unsafe { libc::socketpair(libc::AF_UNIX, libc::SOCK_DGRAM, 0, pair.as_mut_ptr()) };
    let [a, b] = pipe();
    fact("a", a);
    fact("b", b);
    fact("pid", unsafe { libc::getpid() });
    let (to, from) = (UdpSocket::bind("127.0.0.1:0").unwrap(), UdpSocket::bind("127.0.0.1:0").unwrap());
    let to_addr = to.local_addr().unwrap();
    fact("port", to_addr.port());
    fact("from", from.local_addr().unwrap().port());
    let room: &'static mut [u8] = Box::leak(Box::new([0u8; 64]));
    let mut space = [0u64; 16];
    mark();
    // Two descriptors.
    let fds = control(libc::SCM_RIGHTS, &[a, b]);
    let mut iov = [iovec(b"hello, "), iovec(b"world")];
    let mut m = header(&mut iov);
    (m.msg_control, m.msg_controllen) = (fds.as_ptr().cast_mut().cast(), 24);
    assert_eq!(unsafe { libc::sendmsg(pair[0], &raw const m, 0) }, 12);
    let mut into = [iovec(room)];
    let mut m = header(&mut into);
    (m.msg_control, m.msg_controllen) = (space.as_mut_ptr().cast(), 128);
    assert_eq!(unsafe { libc::recvmsg(pair[1], &raw mut m, libc::MSG_CMSG_CLOEXEC) }, 12);
    fact("got_a", (space[2] & 0xffff_ffff) as i64);
    fact("got_b", (space[2] >> 32) as i64);
    // Credentials.
    unsafe { libc::setsockopt(pair[1], libc::SOL_SOCKET, libc::SO_PASSCRED, (&raw const a).cast(), 4) };
    let mut iov = [iovec(b"me")];
    let m = header(&mut iov);
    assert_eq!(unsafe { libc::sendmsg(pair[0], &raw const m, 0) }, 2);
    let mut m = header(&mut into);
    (m.msg_control, m.msg_controllen) = (space.as_mut_ptr().cast(), 128);
    assert_eq!(unsafe { libc::recvmsg(pair[1], &raw mut m, 0) }, 2);
    // To a name; the buffer of the receiver is short.
    let long = [b'x'; 300];
    let mut iov = [iovec(&long)];
    let mut m = header(&mut iov);
    let mut name = libc::sockaddr_in {
        sin_family: libc::AF_INET as u16,
        sin_port: to_addr.port().to_be(),
        sin_addr: libc::in_addr { s_addr: u32::from_ne_bytes([127, 0, 0, 1]) },
        sin_zero: [0; 8],
    };
    (m.msg_name, m.msg_namelen) = ((&raw mut name).cast(), 16);
    assert_eq!(unsafe { libc::sendmsg(from.as_raw_fd(), &raw const m, 0) }, 300);
    let mut short = [iovec(&room[..5])];
    let mut m = header(&mut short);
    let mut sender = [0u8; 128];
    (m.msg_name, m.msg_namelen) = (sender.as_mut_ptr().cast(), 128);
    assert_eq!(unsafe { libc::recvmsg(to.as_raw_fd(), &raw mut m, libc::MSG_TRUNC) }, 300);
    // Several at once.
    unsafe { libc::setsockopt(pair[1], libc::SOL_SOCKET, libc::SO_PASSCRED, [0].as_ptr().cast(), 4) };
    let mut parts = [[iovec(b"first")], [iovec(b"")], [iovec(b"third one")]];
    let mut vec: Vec<_> =
        parts.iter_mut().map(|p| libc::mmsghdr { msg_hdr: header(p), msg_len: 99 }).collect();
    assert_eq!(unsafe { libc::sendmmsg(pair[0], vec.as_mut_ptr(), 3, 0) }, 3);
    let mut rooms = [[0u8; 20]; 5];
    let mut parts: Vec<_> = rooms.iter_mut().map(|r| [iovec(r)]).collect();
    let mut vec: Vec<_> =
        parts.iter_mut().map(|p| libc::mmsghdr { msg_hdr: header(p), msg_len: 99 }).collect();
    let mut wait = libc::timespec { tv_sec: 7, tv_nsec: 5 };
    let got =
        unsafe { libc::recvmmsg(pair[1], vec.as_mut_ptr(), 5, libc::MSG_WAITFORONE as _, &raw mut wait) };
    assert_eq!(got, 3);
    let mut parts: Vec<_> = (0..100).map(|_| [iovec(b"x")]).collect();
    let mut vec: Vec<_> =
        parts.iter_mut().map(|p| libc::mmsghdr { msg_hdr: header(p), msg_len: 0 }).collect();
    unsafe { libc::sendmmsg(pair[0], vec.as_mut_ptr(), 100, libc::MSG_DONTWAIT as _) };
}

fn set(fds: &[c_int]) -> [u64; 16] {
    let mut words = [0u64; 16];
    for fd in fds {
        words[*fd as usize / 64] |= 1 << (fd % 64);
    }
    words
}

pub fn waits() {
    let ([ready, into], [idle, _keep]) = (pipe(), pipe());
    unsafe { libc::write(into, b"x".as_ptr().cast(), 1) };
    fact("ready", ready);
    fact("idle", idle);
    let file = std::fs::File::open("/proc/self/exe").unwrap();
    mark();
    let at = |w: &[u64]| w.as_ptr() as u64;
    let (asked, none) = (set(&[ready, idle]), set(&[]));
    let time = [9u64, 8];
    call(libc::SYS_select, [idle as u64 + 1, at(&asked), at(&none), 0, at(&time), 0]);
    let asked = set(&[ready, 60]);
    call(libc::SYS_select, [61, at(&asked), 0, 0, at(&time), 0]);
    let (asked, time) = (set(&[idle]), [0u64, 2_000_000]);
    call(libc::SYS_pselect6, [idle as u64 + 1, at(&asked), 0, 0, at(&time), 0]);
    let fd = |fd: c_int, events| libc::pollfd { fd, events, revents: 0 };
    let fds = [fd(ready, libc::POLLIN), fd(idle, libc::POLLIN), fd(-1, libc::POLLOUT)];
    let time = [3u64, 4];
    call(libc::SYS_ppoll, [fds.as_ptr() as u64, 3, at(&time), 0, 8, 0]);
    let offset = [2u64];
    call(libc::SYS_sendfile, [into as u64, file.as_raw_fd() as u64, at(&offset), 4, 0, 0]);
}

/// Calls with arguments that mean nothing, each with its result on a line.
pub fn garbage() {
    const HUGE: u64 = 1 << 63;
    let edge = pages(4096) as u64 + 4096;
    // A page that is there to be read, full of pointers that are none.
    let wild = pages(8192);
    for i in 0..1024 {
        unsafe { wild.cast::<u64>().add(i).write_unaligned((1 << 63) + i as u64 * 7919) };
    }
    let wild = wild as u64;
    let small = b"some bytes".as_ptr() as u64;
    let mut pair = [0; 2];
    unsafe { libc::socketpair(libc::AF_UNIX, libc::SOCK_DGRAM | libc::SOCK_NONBLOCK, 0, pair.as_mut_ptr()) };
    let null = std::fs::OpenOptions::new().read(true).write(true).open("/dev/null").unwrap();
    let (fd, socket) = (null.as_raw_fd() as u64, pair[0] as u64);
    let iov = [small, 5u64, small, HUGE, HUGE, 3];
    let hdr = |control: u64, len: u64, iov: u64, n: u64| [0u64, 0, iov, n, control, len, 0];
    let short = [small, 5u64];
    let headers = [
        hdr(small, HUGE, short.as_ptr() as u64, 1),
        hdr(wild, 4096, short.as_ptr() as u64, 1),
        hdr(edge, 64, short.as_ptr() as u64, 1),
        hdr(0, 0, short.as_ptr() as u64, 1_000_000),
        hdr(0, 0, wild, 8),
        hdr(0, 0, edge, 8),
        hdr(0, 0, iov.as_ptr() as u64, 3),
        [wild, HUGE | 0xffff_ffff, wild, HUGE, wild, HUGE, u64::MAX],
    ];
    let mut lines = String::new();
    let mut lseek = false;
    let mut say = |name: &str, nr: c_long, args: [u64; 6]| {
        if !std::mem::replace(&mut lseek, true) {
            mark();
        }
        lines += &format!("{name} {}\n", call(nr, args));
    };
    let nowhere = [8u64, HUGE, u64::MAX, 0xffff_8000_0000_0000, edge];
    for p in nowhere {
        say("write nowhere", libc::SYS_write, [socket, p, 100, 0, 0, 0]);
        say("openat nowhere", libc::SYS_openat, [libc::AT_FDCWD as u64, p, 0, 0, 0, 0]);
        say("sendmsg nowhere", libc::SYS_sendmsg, [socket, p, 0, 0, 0, 0]);
        say("sendmmsg nowhere", libc::SYS_sendmmsg, [socket, p, 5, 0, 0, 0]);
        say("writev nowhere", libc::SYS_writev, [socket, p, 3, 0, 0, 0]);
        say("connect nowhere", libc::SYS_connect, [socket, p, 16, 0, 0, 0]);
        say("select nowhere", libc::SYS_select, [10, p, p, p, p, 0]);
        say("ppoll nowhere", libc::SYS_ppoll, [p, 4, 0, 0, 8, 0]);
        say("execve nowhere", libc::SYS_execve, [p, p, p, 0, 0, 0]);
        say("execve argv nowhere", libc::SYS_execve, [c"/".as_ptr() as u64, p, 0, 0, 0, 0]);
        say("recvmmsg", libc::SYS_recvmmsg, [socket, p, 4, 0, p, 0]);
        say("sendfile", libc::SYS_sendfile, [fd, fd, p, 4, 0, 0]);
        say("epoll_ctl", libc::SYS_epoll_ctl, [fd, 1, fd, p, 0, 0]);
    }
    for n in [HUGE, u64::MAX, 1 << 32, 0x7fff_ffff_ffff_ffff] {
        say("write", libc::SYS_write, [socket, small, n, 0, 0, 0]);
        say("read", libc::SYS_read, [fd, small, n, 0, 0, 0]);
        say("writev", libc::SYS_writev, [socket, iov.as_ptr() as u64, n, 0, 0, 0]);
        say("sendmmsg", libc::SYS_sendmmsg, [-1i64 as u64, headers.as_ptr() as u64, n, 0, 0, 0]);
        // A number of none at all would wait for ever.
        let zero = [0u64; 2];
        say("select", libc::SYS_select, [n, wild, wild, wild, zero.as_ptr() as u64, 0]);
        say("ppoll", libc::SYS_ppoll, [wild, n, zero.as_ptr() as u64, 0, 8, 0]);
        say("connect", libc::SYS_connect, [socket, small, n, 0, 0, 0]);
        say("setxattr", libc::SYS_setxattr, [c"/".as_ptr() as u64, small, small, n, 0, 0]);
    }
    say("writev", libc::SYS_writev, [socket, iov.as_ptr() as u64, 1_000_000, 0, 0, 0]);
    say("writev", libc::SYS_writev, [socket, wild, 1024, 0, 0, 0]);
    say("execve", libc::SYS_execve, [c"/".as_ptr() as u64, wild, wild, 0, 0, 0]);
    for h in &headers {
        say("sendmsg", libc::SYS_sendmsg, [socket, h.as_ptr() as u64, 0, 0, 0, 0]);
        say("recvmsg", libc::SYS_recvmsg, [pair[1] as u64, h.as_ptr() as u64, 0x40, 0, 0, 0]);
    }
    for fd in [-1i64, i64::from(c_int::MIN), i64::MIN, 1 << 40] {
        say("close", libc::SYS_close, [fd as u64 | 0x4000_0000, 0, 0, 0, 0, 0]);
        say("sendmsg", libc::SYS_sendmsg, [fd as u64 | 0x4000_0000, wild, 0, 0, 0, 0]);
    }
    print!("{lines}");
}

/// A message whose parts another thread changes all the time.
pub fn changing() {
    let mut pair = [0; 2];
    unsafe { libc::socketpair(libc::AF_UNIX, libc::SOCK_DGRAM | libc::SOCK_NONBLOCK, 0, pair.as_mut_ptr()) };
    let data = pages(1 << 16) as u64;
    let iov: &'static [AtomicU64] = Box::leak(Box::new([data, 10, data, 20].map(AtomicU64::new)));
    let at = iov.as_ptr() as u64;
    let header: &'static [AtomicU64] =
        Box::leak(Box::new([data, 16, at, 2, data, 100, 0].map(AtomicU64::new)));
    let stop: &'static AtomicBool = Box::leak(Box::new(AtomicBool::new(false)));
    let other = std::thread::spawn(move || {
        let values = [0u64, 1, 8, 100, 65_536, u64::MAX, 1 << 63, data, at, data + 65_530];
        let mut n = 0usize;
        while !stop.load(Ordering::Relaxed) {
            n = n.wrapping_mul(31).wrapping_add(17);
            header[n / 7 % header.len()].store(values[n / 64 % values.len()], Ordering::Relaxed);
            iov[n / 5 % iov.len()].store(values[n / 32 % values.len()], Ordering::Relaxed);
        }
    });
    mark();
    for _ in 0..3000 {
        call(libc::SYS_sendmsg, [pair[0] as u64, header.as_ptr() as u64, 0, 0, 0, 0]);
        call(libc::SYS_writev, [-1i64 as u64, at, 2, 0, 0, 0]);
    }
    stop.store(true, Ordering::Relaxed);
    let _ = other.join();
}
