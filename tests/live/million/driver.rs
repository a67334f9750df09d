//! The driver: processes and threads that do random things to their descriptors and to what they are, and write down, at
//! marks, what /proc says of them.
//!
//! A mark is a number that an `lseek` carries which can only fail: `lseek(fd, mark, 99)`. One is made for each number of
//! the table, open or not, so that the capture shows what sysreel thinks of each; meanwhile no other thread of the process
//! does anything. Between marks threads race.

use std::ffi::{CString, c_int, c_long};
use std::io::Write;
use std::os::fd::{FromRawFd, RawFd};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Barrier};

use super::super::uring::{self, Ring, Sqe};

/// Descriptors that the operations use: from here …
pub const FIRST: c_int = 3;
/// … to here.
pub const LAST: c_int = 100;
/// What the driver itself needs lies above.
const OWN: c_int = 200;
/// Ways to the other workers: `MESH + n` leads to worker n.
const MESH: c_int = OWN + 10;
const LOG: c_int = OWN;
/// Rings of io_uring, one of each thread: `RING + n`.
const RING: c_int = OWN + 1;
/// Workers.
pub const WORKERS: usize = 4;
/// Threads of a worker, besides the main one.
const THREADS: usize = 2;
/// A bit of the marks of children that were forked while other threads changed what they inherit.
pub const CHILD: u64 = 1 << 31;
/// Operations between marks, of each thread.
const BURST: u64 = 300;

/// Numbers that look random, the same for the same seed (xorshift).
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
    pub fn below(&mut self, n: u64) -> u64 {
        (self.next() >> 11) % n
    }
    fn fd(&mut self) -> c_int {
        FIRST + self.below((LAST - FIRST) as u64) as c_int
    }
    fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len() as u64) as usize]
    }
}

fn c(text: &str) -> CString {
    CString::new(text).unwrap()
}

fn call(nr: c_long, a: [u64; 5]) -> c_long {
    unsafe { libc::syscall(nr, a[0], a[1], a[2], a[3], a[4]) }
}

const CLOEXEC: u64 = libc::O_CLOEXEC as u64;
const NONBLOCK: u64 = libc::O_NONBLOCK as u64;

/// What is opened: in the directory of the run.
const PATHS: [&str; 17] = [
    "m/x/f",
    "m/y/f",
    "m/z/f",
    "a/file",
    "a/b/../b/deep",
    "a/link",
    "a/loop/b/deep",
    "bind/deep",
    "/dev/null",
    "/dev/zero",
    "/etc/passwd",
    "/proc/self/status",
    "/proc/self/fd",
    "fifo",
    "a",
    ".",
    "a/none",
];

fn open(r: &mut Random) {
    let path = c(r.one_of(&PATHS));
    let flags = r.one_of(&[0, CLOEXEC]) | NONBLOCK;
    let how = [flags, 0, 0];
    match r.below(8) {
        0 => call(libc::SYS_open, [path.as_ptr() as u64, flags, 0, 0, 0]),
        1 => {
            let how = how.as_ptr() as u64;
            call(libc::SYS_openat2, [libc::AT_FDCWD as u64, path.as_ptr() as u64, how, 24, 0])
        }
        2 => {
            let flags = libc::O_TMPFILE as u64 | libc::O_RDWR as u64 | flags;
            call(libc::SYS_openat, [libc::AT_FDCWD as u64, c("a").as_ptr() as u64, flags, 0o600, 0])
        }
        3 => {
            // Made and gone at once.
            let name = c(&format!("a/gone{}", r.below(50)));
            let fd = call(libc::SYS_creat, [name.as_ptr() as u64, 0o600, 0, 0, 0]);
            call(libc::SYS_unlink, [name.as_ptr() as u64, 0, 0, 0, 0]);
            fd
        }
        4 => {
            let dir = r.fd();
            call(libc::SYS_openat, [dir as u64, c("b").as_ptr() as u64, flags, 0, 0])
        }
        5 => {
            let flags = r.one_of(&[0, CLOEXEC]) | (libc::O_PATH | libc::O_NOFOLLOW) as u64;
            call(libc::SYS_openat, [libc::AT_FDCWD as u64, path.as_ptr() as u64, flags, 0, 0])
        }
        6 => {
            let flags = r.one_of(&[0, CLOEXEC]);
            call(libc::SYS_open_tree, [libc::AT_FDCWD as u64, path.as_ptr() as u64, flags, 0, 0])
        }
        _ => call(libc::SYS_openat, [libc::AT_FDCWD as u64, path.as_ptr() as u64, flags, 0, 0]),
    };
}

fn anonymous(r: &mut Random) {
    let cloexec = r.below(2) != 0;
    let o = if cloexec { CLOEXEC } else { 0 };
    let one = u64::from(cloexec);
    let mask = [0u64; 2];
    match r.below(16) {
        0 => call(libc::SYS_eventfd2, [1, o, 0, 0, 0]),
        1 => call(libc::SYS_epoll_create1, [o, 0, 0, 0, 0]),
        2 => call(libc::SYS_memfd_create, [c("mem").as_ptr() as u64, one, 0, 0, 0]),
        3 => call(libc::SYS_timerfd_create, [1, o, 0, 0, 0]),
        4 => call(libc::SYS_signalfd4, [u64::MAX, mask.as_ptr() as u64, 8, o, 0]),
        5 => call(libc::SYS_inotify_init1, [o, 0, 0, 0, 0]),
        6 => call(libc::SYS_pidfd_open, [u64::from(std::process::id()), 0, 0, 0, 0]),
        7 => call(libc::SYS_fanotify_init, [one, 0, 0, 0, 0]),
        8 => call(libc::SYS_userfaultfd, [o | 1, 0, 0, 0, 0]),
        9 => {
            let parameters = [0u8; 120];
            call(libc::SYS_io_uring_setup, [1, parameters.as_ptr() as u64, 0, 0, 0])
        }
        10 => call(libc::SYS_fsopen, [c("tmpfs").as_ptr() as u64, one, 0, 0, 0]),
        11 => call(libc::SYS_mq_open, [c("sysreel").as_ptr() as u64, 0o100 | 2 | o, 0o600, 0, 0]),
        12 => {
            let attr = [1u64 << 2];
            call(libc::SYS_landlock_create_ruleset, [attr.as_ptr() as u64, 8, 0, 0, 0])
        }
        13 => call(libc::SYS_memfd_secret, [o, 0, 0, 0, 0]),
        14 => {
            let tree = c("a");
            call(libc::SYS_fspick, [libc::AT_FDCWD as u64, tree.as_ptr() as u64, one, 0, 0])
        }
        _ => {
            // A socket has a pid of its own: SIOCGSKNS gives the descriptor of its network namespace.
            let fd = r.fd();
            call(libc::SYS_ioctl, [fd as u64, 0x894c, 0, 0, 0])
        }
    };
}

fn copies(r: &mut Random) {
    let (from, to) = (r.fd() as u64, r.fd() as u64);
    match r.below(8) {
        0 => call(libc::SYS_dup, [from, 0, 0, 0, 0]),
        1 => call(libc::SYS_dup2, [from, to, 0, 0, 0]),
        2 => call(libc::SYS_dup3, [from, to, r.one_of(&[0, CLOEXEC]), 0, 0]),
        3 => call(libc::SYS_fcntl, [from, libc::F_DUPFD as u64, to, 0, 0]),
        4 => call(libc::SYS_fcntl, [from, libc::F_DUPFD_CLOEXEC as u64, to, 0, 0]),
        5 => call(libc::SYS_fcntl, [from, libc::F_SETFD as u64, r.below(2), 0, 0]),
        6 => call(libc::SYS_ioctl, [from, r.one_of(&[0x5451, 0x5450]), 0, 0, 0]),
        _ => {
            let pidfd = call(libc::SYS_pidfd_open, [u64::from(std::process::id()), 0, 0, 0, 0]);
            let got = call(libc::SYS_pidfd_getfd, [pidfd as u64, from, 0, 0, 0]);
            call(libc::SYS_close, [pidfd as u64, 0, 0, 0, 0]);
            got
        }
    };
}

fn sockets(r: &mut Random) {
    let ty = r.one_of(&[1, 2]) | NONBLOCK | r.one_of(&[0, CLOEXEC]);
    let fd = r.fd() as u64;
    let mut pair = [0i32; 2];
    // 127.0.0.1, a port of few.
    let port = (40000 + r.below(16)) as u16;
    let mut addr = [0u8; 16];
    addr[0] = 2;
    addr[2..4].copy_from_slice(&port.to_be_bytes());
    addr[4..8].copy_from_slice(&[127, 0, 0, 1]);
    let addr = addr.as_ptr() as u64;
    match r.below(9) {
        0 => call(libc::SYS_socket, [r.one_of(&[1, 2, 10, 16]), ty, 0, 0, 0]),
        1 => call(libc::SYS_socketpair, [1, ty, 0, pair.as_mut_ptr() as u64, 0]),
        2 => call(libc::SYS_pipe2, [pair.as_mut_ptr() as u64, NONBLOCK | r.one_of(&[0, CLOEXEC]), 0, 0, 0]),
        3 => call(libc::SYS_pipe, [pair.as_mut_ptr() as u64, 0, 0, 0, 0]),
        4 => call(libc::SYS_bind, [fd, addr, 16, 0, 0]),
        5 => call(libc::SYS_listen, [fd, 5, 0, 0, 0]),
        6 => call(libc::SYS_connect, [fd, addr, 16, 0, 0]),
        7 => call(libc::SYS_accept4, [fd, 0, 0, NONBLOCK | r.one_of(&[0, CLOEXEC]), 0]),
        _ => call(libc::SYS_socket, [2, ty & !3 | 1, 0, 0, 0]),
    };
}

/// Sends some descriptors to another worker, or takes what came.
fn pass(r: &mut Random) {
    let way = MESH + r.below(WORKERS as u64) as c_int;
    let mut byte = [0u8; 1];
    let mut iov = libc::iovec { iov_base: byte.as_mut_ptr().cast(), iov_len: 1 };
    let (mut control, mut other) = ([0u64; 40], [0u64; 40]);
    let mut m: libc::msghdr = unsafe { std::mem::zeroed() };
    m.msg_iov = &raw mut iov;
    m.msg_iovlen = 1;
    m.msg_control = control.as_mut_ptr().cast();
    unsafe {
        if r.below(2) == 0 {
            let n = 1 + r.below(5) as usize;
            control[0] = 16 + 4 * n as u64;
            control[1] = 1 | 1 << 32;
            for i in 0..n {
                // Not what leads to workers: a way that is on its way to itself would be kept for ever.
                let fd = r.fd() as u64;
                control[2 + i / 2] |= fd << (32 * (i % 2));
            }
            m.msg_controllen = (16 + 4 * n + 7) & !7;
            libc::sendmsg(way, &raw const m, libc::MSG_DONTWAIT);
        } else {
            m.msg_controllen = if r.below(8) == 0 { 24 } else { 320 };
            let flags = libc::MSG_DONTWAIT | r.one_of(&[0, libc::MSG_CMSG_CLOEXEC]);
            if r.below(4) == 0 {
                let mut both: [libc::mmsghdr; 2] = std::mem::zeroed();
                both[0].msg_hdr = m;
                both[1].msg_hdr = m;
                both[1].msg_hdr.msg_control = other.as_mut_ptr().cast();
                libc::recvmmsg(way, both.as_mut_ptr(), 2, flags as _, std::ptr::null_mut());
            } else {
                libc::recvmsg(way, &raw mut m, flags);
            }
        }
    }
}

fn closes(r: &mut Random) {
    match r.below(10) {
        0 => {
            let first = r.fd();
            let last = (first + r.below(8) as c_int).min(LAST - 1);
            call(libc::SYS_close_range, [first as u64, last as u64, r.one_of(&[0, 4]), 0, 0]);
        }
        _ => {
            call(libc::SYS_close, [r.fd() as u64, 0, 0, 0, 0]);
        }
    }
}

/// The same without a call: by a thread of the kernel's too, which has the same descriptors.
fn by_ring(r: &mut Random, ring: &Ring) {
    let flags = r.one_of(&[0, 0, 0, uring::ASYNC]);
    let sqe = Sqe { flags, user_data: r.next(), ..Sqe::default() };
    let path = c(r.one_of(&PATHS));
    let open_flags = (r.one_of(&[0, CLOEXEC]) | NONBLOCK) as u32;
    match r.below(5) {
        0 | 1 => ring.ask(Sqe {
            opcode: uring::OPENAT,
            fd: libc::AT_FDCWD,
            addr: path.as_ptr() as u64,
            op_flags: open_flags,
            ..sqe
        }),
        2 => {
            let off = libc::SOCK_STREAM as u64 | NONBLOCK | r.one_of(&[0, CLOEXEC]);
            ring.ask(Sqe { opcode: uring::SOCKET, fd: r.one_of(&[1, 2, 10]), off, ..sqe })
        }
        _ => ring.ask(Sqe { opcode: uring::CLOSE, fd: r.fd(), ..sqe }),
    };
}

/// Names that others open change what they stand for, with and without a mount.
fn moves(r: &mut Random) {
    let (x, y, z) = (c"m/x".as_ptr() as u64, c"m/y".as_ptr() as u64, c"m/z".as_ptr() as u64);
    let (here, exchange) = (libc::AT_FDCWD as u64, u64::from(libc::RENAME_EXCHANGE));
    match r.below(5) {
        0 => call(libc::SYS_renameat2, [here, x, here, y, exchange]),
        1 => {
            let (one, other) = (c"m/x/f".as_ptr() as u64, c"m/y/f".as_ptr() as u64);
            call(libc::SYS_renameat2, [here, one, here, other, exchange])
        }
        2 | 3 => {
            // Few on top of each other: of a path with very many the beginning is left out, and shown to be.
            call(libc::SYS_umount2, [z, libc::MNT_DETACH as u64, 0, 0, 0]);
            call(libc::SYS_mount, [r.one_of(&[x, y]), z, 0, libc::MS_BIND, 0])
        }
        _ => call(libc::SYS_umount2, [z, libc::MNT_DETACH as u64, 0, 0, 0]),
    };
}

/// Uses a number while others change it.
fn look(r: &mut Random) {
    let mut stat = [0u64; 18];
    call(libc::SYS_fstat, [r.fd() as u64, stat.as_mut_ptr() as u64, 0, 0, 0]);
}

pub fn operation(r: &mut Random, ring: Option<&Ring>) {
    match r.below(100) {
        0..6 if ring.is_some() => ring.into_iter().for_each(|ring| by_ring(r, ring)),
        0..22 => open(r),
        22..34 => anonymous(r),
        34..50 => copies(r),
        50..62 => sockets(r),
        62..70 => pass(r),
        70..90 => closes(r),
        90 => moves(r),
        _ => look(r),
    }
}

/// What all threads of a worker share.
struct Shared {
    barrier: Barrier,
    end: AtomicBool,
    done: AtomicU64,
    marks: AtomicU64,
}

/// Writes down what this process is, and makes a mark of each of its descriptors.
fn mark(number: u64) {
    // What came with messages has any number.
    call(libc::SYS_close_range, [LAST as u64, OWN as u64 - 1, 0, 0, 0]);
    call(libc::SYS_close_range, [MESH as u64 + WORKERS as u64, u64::from(u32::MAX), 0, 0, 0]);
    let mut text = format!("MARK {number} {}\n", std::process::id());
    let link = |name: &str| {
        let target = std::fs::read_link(format!("/proc/self/{name}")).ok();
        target.map_or(String::new(), |t| t.to_str().unwrap().to_owned())
    };
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let ids = |what: &str| {
        let line = status.lines().find(|l| l.starts_with(what)).unwrap();
        line.split_whitespace().nth(2).unwrap().to_owned()
    };
    let comm = std::fs::read_to_string("/proc/self/comm").unwrap();
    let cgroup = std::fs::read_to_string("/proc/self/cgroup").unwrap();
    let cgroup = cgroup.lines().find_map(|l| l.strip_prefix("0::")).unwrap_or_default();
    let about = [
        comm.trim_end().to_owned(),
        fields[1].to_owned(),
        fields[2].to_owned(),
        fields[3].to_owned(),
        ids("Uid:"),
        ids("Gid:"),
        link("cwd"),
        link("exe"),
        cgroup.to_owned(),
    ];
    text.push_str(&format!("IS {}\n", about.join("\t")));
    let log = unsafe { std::fs::File::from_raw_fd(LOG) };
    for fd in 0..LAST {
        let name = link(&format!("fd/{fd}"));
        let info = std::fs::read_to_string(format!("/proc/self/fdinfo/{fd}")).unwrap_or_default();
        let flags = info.lines().find_map(|l| l.strip_prefix("flags:")).unwrap_or("0").trim();
        let cloexec = u32::from_str_radix(flags, 8).unwrap_or(0) & libc::O_CLOEXEC as u32 != 0;
        let mut stat: libc::stat = unsafe { std::mem::zeroed() };
        unsafe { libc::fstat(fd, &raw mut stat) };
        text.push_str(&format!("{fd}\t{name}\t{}\t{}\n", u8::from(cloexec), stat.st_ino));
    }
    (&log).write_all(text.as_bytes()).unwrap();
    std::mem::forget(log);
    for fd in 0..LAST {
        unsafe { libc::syscall(libc::SYS_lseek, fd, number, 99) };
    }
}

/// A child that goes its own way for a while: alone, and then it becomes a program that makes this mark; or on the same
/// table.
fn child(r: &mut Random, mark: Option<u64>) -> c_int {
    let shares = mark.is_none();
    let mark = c(&format!("MILLION_MARK={}", mark.unwrap_or(0)));
    let environment = [c"SYSREEL_ACTOR=million".as_ptr(), mark.as_ptr(), std::ptr::null()];
    let arguments = [c"child".as_ptr(), std::ptr::null()];
    let flags = libc::SIGCHLD | if shares { libc::CLONE_FILES } else { 0 };
    let pid = unsafe { libc::syscall(libc::SYS_clone, flags, 0, 0, 0, 0) } as c_int;
    if pid != 0 {
        return pid;
    }
    // Only calls from here on: another thread may have held the allocator's lock.
    let mut own = Random::new(r.next() ^ 0xc0ffee);
    for _ in 0..60 {
        quiet_operation(&mut own);
    }
    if !shares {
        unsafe {
            match own.below(4) {
                0 => libc::syscall(libc::SYS_setsid),
                1 => libc::syscall(libc::SYS_setpgid, 0, 0),
                2 => libc::syscall(libc::SYS_chdir, c"a/loop/b".as_ptr()),
                _ => libc::syscall(libc::SYS_prctl, libc::PR_SET_NAME, c"another name".as_ptr()),
            };
            if own.below(3) == 0 {
                libc::syscall(libc::SYS_unshare, libc::CLONE_FILES);
            }
        }
        unsafe { libc::execve(c"/proc/self/exe".as_ptr(), arguments.as_ptr(), environment.as_ptr()) };
    }
    unsafe { libc::_exit(0) }
}

/// Operations that need no memory.
fn quiet_operation(r: &mut Random) {
    match r.below(4) {
        0 => copies(r),
        1 => closes(r),
        2 => sockets(r),
        _ => look(r),
    }
}

/// A ring of this thread, whose descriptor is out of the way of the others.
fn ring(number: c_int) -> Option<Ring> {
    let mut ring = Ring::new()?;
    let to = RING + number;
    unsafe {
        assert_eq!(libc::dup3(ring.fd, to, libc::O_CLOEXEC), to);
        libc::close(ring.fd);
    }
    ring.fd = to;
    Some(ring)
}

fn thread(shared: &Shared, ring: Option<Ring>, mut r: Random) {
    loop {
        for _ in 0..BURST {
            operation(&mut r, ring.as_ref());
        }
        shared.done.fetch_add(BURST, Ordering::Relaxed);
        shared.barrier.wait();
        // The main thread makes its marks.
        shared.barrier.wait();
        if shared.end.load(Ordering::SeqCst) {
            return;
        }
    }
}

/// One worker: `operations` in all, of all of its threads.
fn worker(index: usize, seed: u64, operations: u64, first_mark: u64) {
    let shared = Arc::new(Shared {
        barrier: Barrier::new(THREADS + 1),
        end: AtomicBool::new(false),
        done: AtomicU64::new(0),
        marks: AtomicU64::new(first_mark),
    });
    let mut r = Random::new(seed ^ (index as u64) << 40);
    // Before others could take their numbers.
    let own_ring = ring(0);
    let mut rings: Vec<Option<Ring>> = (0..THREADS).map(|n| ring(n as c_int + 1)).collect();
    let threads: Vec<_> = (0..THREADS)
        .map(|n| {
            let (shared, r) = (shared.clone(), Random::new(r.next() ^ n as u64));
            let ring = rings.pop().flatten();
            std::thread::spawn(move || thread(&shared, ring, r))
        })
        .collect();
    let number = || (index as u64 + 1) << 32 | shared.marks.fetch_add(1, Ordering::SeqCst);
    loop {
        for _ in 0..BURST {
            operation(&mut r, own_ring.as_ref());
        }
        let own = child(&mut r, Some(number() | CHILD));
        let sharing = child(&mut r, None);
        shared.done.fetch_add(BURST + 120, Ordering::Relaxed);
        shared.barrier.wait();
        for pid in [own, sharing] {
            unsafe { libc::waitpid(pid, std::ptr::null_mut(), 0) };
        }
        let dir = r.one_of(&[c"a", c"a/loop/b", c"..", c"../..", c"."]);
        if unsafe { libc::chdir(dir.as_ptr()) } == 0 && !std::path::Path::new("a/file").exists() {
            mark(number());
            std::env::set_current_dir(std::env::var_os("MILLION_DIR").unwrap()).unwrap();
        }
        mark(number());
        let done = shared.done.load(Ordering::Relaxed);
        if done >= operations {
            shared.end.store(true, Ordering::SeqCst);
            shared.barrier.wait();
            break;
        }
        if r.below(12) == 0 {
            again(index, r.next(), operations - done, number());
        }
        shared.barrier.wait();
    }
    for t in threads {
        t.join().unwrap();
    }
    mark(number());
}

/// The same program anew, with what exec leaves of the table; the other threads end.
fn again(index: usize, seed: u64, operations: u64, mark: u64) {
    use std::os::unix::process::CommandExt;
    let mut c = std::process::Command::new("/proc/self/exe");
    c.env("MILLION_WORKER", format!("{index} {seed} {operations} {}", mark & 0xffff_ffff));
    panic!("{}", c.exec());
}

fn move_up(fd: RawFd, to: c_int) {
    unsafe {
        assert_eq!(libc::dup2(fd, to), to);
        libc::close(fd);
    }
}

/// The actor: workers, and the ways between them.
pub fn act() {
    if let Ok(number) = std::env::var("MILLION_MARK") {
        return mark(number.parse().unwrap());
    }
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_IGN) };
    let number = |name: &str| std::env::var(name).unwrap().parse::<u64>().unwrap();
    if let Ok(state) = std::env::var("MILLION_WORKER") {
        let n: Vec<u64> = state.split(' ').map(|n| n.parse().unwrap()).collect();
        // What a new program is and has, before it does anything.
        mark(((n[0] + 1) << 32) | (n[3] + 1));
        return worker(n[0] as usize, n[1], n[2], n[3] + 2);
    }
    let (seed, operations) = (number("MILLION_SEED"), number("MILLION_OPERATIONS"));
    // What is mounted is nobody else's.
    unsafe {
        if libc::unshare(libc::CLONE_NEWNS) == 0 {
            let private = libc::MS_REC | libc::MS_PRIVATE;
            libc::mount(c"none".as_ptr(), c"/".as_ptr(), std::ptr::null(), private, std::ptr::null());
        }
    }
    let mut ways = [[[0; 2]; WORKERS]; WORKERS];
    for i in 0..WORKERS {
        for j in i + 1..WORKERS {
            let mut pair = [0; 2];
            unsafe { libc::socketpair(libc::AF_UNIX, libc::SOCK_DGRAM, 0, pair.as_mut_ptr()) };
            for fd in &mut pair {
                let to = OWN + 100 + (i * WORKERS + j) as c_int * 2 + i32::from(fd == &ways[0][0][0]);
                let to = unsafe { libc::fcntl(*fd, libc::F_DUPFD, to) };
                unsafe { libc::close(*fd) };
                *fd = to;
            }
            (ways[i][j], ways[j][i]) = (pair, [pair[1], pair[0]]);
        }
    }
    let mut children = Vec::new();
    for (index, mine) in ways.iter().enumerate() {
        let pid = unsafe { libc::fork() };
        if pid == 0 {
            for (other, way) in mine.iter().enumerate().filter(|(other, _)| *other != index) {
                unsafe { libc::dup2(way[0], MESH + other as c_int) };
            }
            unsafe { libc::syscall(libc::SYS_close_range, OWN + 50, u32::MAX, 0) };
            let log = std::fs::OpenOptions::new().create(true).append(true).open(format!("truth.{index}"));
            move_up(std::os::fd::IntoRawFd::into_raw_fd(log.unwrap()), LOG);
            worker(index, seed, operations / WORKERS as u64, 0);
            unsafe { libc::_exit(0) };
        }
        children.push(pid);
    }
    for pid in children {
        let mut status = 0;
        unsafe { libc::waitpid(pid, &raw mut status, 0) };
        println!("status {status}");
    }
}
