//! The programs under test: this test program started again with a variable in its environment.
//!
//! They act before `main`, so that the test harness adds no calls and no threads: the process is single-threaded, and ends
//! without running anything else. Facts that only the process can know are printed as `NAME NUMBER`.
#![allow(unsafe_code, reason = "what is tested are system calls as such; most have no safe wrapper")]
#![allow(clippy::print_stdout, reason = "facts go to the test that started us")]

use std::ffi::{CString, c_int};
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::time::Duration;

use super::memory_actor;

pub const VARIABLE: &str = "SYSREEL_ACTOR";

#[used]
#[unsafe(link_section = ".init_array")]
static BEFORE_MAIN: extern "C" fn() = before_main;

extern "C" fn before_main() {
    let Ok(name) = std::env::var(VARIABLE) else { return };
    match name.as_str() {
        "table" => table(),
        "thread-exec" => thread_exec(),
        "thread-exit" => thread_exit(),
        "race" => race(),
        "collide" => collide(),
        "state" => state(),
        "state-after-exec" => state_after_exec(),
        "rate" => rate(),
        "slow" => slow(),
        "fair" => super::fair::act(),
        "hard-flood" => super::hard::flood(),
        "hard-forks" => super::hard::forks(),
        "hard-threads" => super::hard::threads(),
        "hard-bomb" => super::hard::bomb(),
        "heal" => super::healing::act(),
        name if name.starts_with("peers-") => super::peers::act(name),
        "rare" => rare(),
        "numbers" => super::calls::numbers(),
        "orphan" => super::reject::orphan(),
        "reuse" => super::who::act(),
        "reject" => super::reject::act(),
        "payload" => memory_actor::payload(),
        "vectors" => memory_actor::vectors(),
        "strings" => memory_actor::strings(),
        "messages" => memory_actor::messages(),
        "waits" => memory_actor::waits(),
        "garbage" => memory_actor::garbage(),
        "changing" => memory_actor::changing(),
        "scan" => super::scan::act(),
        "kin" => super::kin::act(),
        "moves" => super::moves::act(),
        "names" => super::names::act(),
        "nested" => super::nested::act(),
        "odd" => super::odd::act(),
        "login" => super::programs::login(),
        "odd-many" => super::odd::many(),
        "odd-wrap" => super::odd::wrap(),
        "sockets" => super::sockets::act(),
        "elsewhere" => super::elsewhere::act(),
        "jailed" => super::elsewhere::jailed(),
        "environment" => super::environment::act(),
        #[cfg(target_arch = "x86_64")]
        "million" => super::million::act(),
        "stuck" => super::stuck::act(),
        "stuck-many" => super::stuck::many(),
        #[cfg(target_arch = "x86_64")]
        "stuck-compat" => super::stuck::compat(),
        "listing" => super::listing::act(),
        "beside" => super::beside::act(),
        "uring" => super::uring::act(),
        "fdlist" => super::fdlist::act(),
        "into-group" => super::groups::act(),
        #[cfg(target_arch = "x86_64")]
        "compat" => super::compat::act(),
        #[cfg(target_arch = "x86_64")]
        "truth" => super::truth::act(false),
        #[cfg(target_arch = "x86_64")]
        "untruth" => super::truth::act(true),
        #[cfg(target_arch = "x86_64")]
        "meanwhile" => super::truth::meanwhile(),
        _ => println!("no actor {name}"),
    }
    let _ = std::io::stdout().flush();
    unsafe { libc::_exit(0) }
}

pub fn fact(name: &str, number: impl Into<i64>) {
    println!("{name} {}", number.into());
}

fn path(text: &str) -> CString {
    CString::new(text).unwrap()
}

fn open(name: &str, flags: c_int) -> c_int {
    let fd = unsafe { libc::open(path(name).as_ptr(), flags) };
    assert!(fd >= 0, "{name}");
    fd
}

fn close(fd: c_int) {
    unsafe { libc::close(fd) };
}

/// Forks; the child does `f` and ends with what it returns.
pub fn forked(f: impl FnOnce() -> c_int) -> c_int {
    match unsafe { libc::fork() } {
        0 => {
            let status = f();
            unsafe { libc::_exit(status) }
        }
        pid => pid,
    }
}

pub fn wait(pid: c_int) {
    unsafe { libc::waitpid(pid, std::ptr::null_mut(), 0) };
}

extern "C" fn nothing(_: c_int) {}

fn handle(signal: c_int, flags: c_int) {
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = nothing as extern "C" fn(c_int) as usize;
        action.sa_flags = flags;
        libc::sigaction(signal, &action, std::ptr::null_mut());
    }
}

fn alarm_in(ms: i64) {
    unsafe {
        let mut timer: libc::itimerval = std::mem::zeroed();
        timer.it_value.tv_usec = ms * 1000;
        libc::setitimer(libc::ITIMER_REAL, &timer, std::ptr::null_mut());
    }
}

/// Every way in which a call's entry and exit fail to pair up.
fn table() {
    fact("main", unsafe { libc::getpid() });

    let child = forked(|| 7);
    wait(child);
    fact("forked", child);

    // getpgid is allowed once and then denied: what the first left behind must not become the second's latency.
    let child = forked(|| unsafe {
        libc::getpgid(0);
        let rules = [
            libc::sock_filter { code: 0x20, jt: 0, jf: 0, k: 0 },
            libc::sock_filter { code: 0x15, jt: 0, jf: 1, k: libc::SYS_getpgid as u32 },
            libc::sock_filter { code: 0x06, jt: 0, jf: 0, k: 0x0005_0000 | libc::ENOTTY as u32 },
            libc::sock_filter { code: 0x06, jt: 0, jf: 0, k: 0x7fff_0000 },
        ];
        let program = libc::sock_fprog { len: 4, filter: rules.as_ptr().cast_mut() };
        libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        libc::prctl(libc::PR_SET_SECCOMP, 2, &program);
        libc::getpgid(0);
        libc::usleep(2000);
        libc::getpgid(0);
        0
    });
    wait(child);
    fact("denied", child);

    handle(libc::SIGUSR1, 0);
    for _ in 0..3 {
        unsafe { libc::raise(libc::SIGUSR1) };
    }

    // A sleep that a handler interrupts, and a read that goes on after one.
    handle(libc::SIGALRM, 0);
    alarm_in(20);
    unsafe { libc::usleep(300_000) };
    handle(libc::SIGALRM, libc::SA_RESTART);
    let mut pipe = [0; 2];
    unsafe { libc::pipe(pipe.as_mut_ptr()) };
    fact("pipe", pipe[0]);
    let child = forked(|| unsafe {
        libc::usleep(60_000);
        libc::write(pipe[1], [1u8].as_ptr().cast(), 1);
        0
    });
    alarm_in(20);
    let mut byte = 0u8;
    let got = unsafe { libc::read(pipe[0], (&raw mut byte).cast(), 1) };
    fact("read", got as i64);
    wait(child);

    let child = forked(|| unsafe {
        libc::kill(libc::getpid(), libc::SIGKILL);
        0
    });
    wait(child);
    fact("killed", child);

    unsafe { libc::usleep(50_000) };
    for _ in 0..20 {
        unsafe { libc::getppid() };
    }
}

/// An exec by a thread that is not the leader. The program then has the leader's id.
fn thread_exec() {
    let thread = std::thread::spawn(|| {
        fact("thread", unsafe { libc::gettid() });
        let _ = std::io::stdout().flush();
        // Time for the leader to be waiting.
        unsafe { libc::usleep(5000) };
        let sh = path("/bin/sh");
        let args = [path("sh"), path("-c"), path("exit 5")];
        let argv = [args[0].as_ptr(), args[1].as_ptr(), args[2].as_ptr(), std::ptr::null()];
        unsafe { libc::execv(sh.as_ptr(), argv.as_ptr()) };
    });
    fact("leader", unsafe { libc::getpid() });
    let _ = thread.join();
}

/// The whole process ends because a thread says so.
fn thread_exit() {
    fact("leader", unsafe { libc::getpid() });
    let thread = std::thread::spawn(|| {
        fact("thread", unsafe { libc::gettid() });
        let _ = std::io::stdout().flush();
        unsafe { libc::usleep(5000) };
        unsafe { libc::_exit(9) }
    });
    let _ = thread.join();
}

/// A process with this id more shares its slot for calls in flight (65536 of them, `SLOTS` in probe/abi.rs).
const SAME_SLOT: c_int = 65536;

/// A process is in a call while another, whose id has the same low bits, makes calls of its own.
fn collide() {
    let mut pipe = [0; 2];
    unsafe { libc::pipe(pipe.as_mut_ptr()) };
    let victim = forked(|| unsafe {
        libc::read(pipe[0], [0u8; 1].as_mut_ptr().cast(), 1);
        0
    });
    fact("victim", victim);
    let _ = std::io::stdout().flush();
    unsafe { libc::usleep(30_000) };
    let wanted = victim + SAME_SLOT;
    // struct clone_args: exit_signal is the fifth, set_tid and set_tid_size are the ninth and tenth.
    let ids = [wanted];
    let mut args = [0u64; 11];
    (args[4], args[8], args[9]) = (libc::SIGCHLD as u64, ids.as_ptr() as u64, 1);
    let rival = unsafe { libc::syscall(libc::SYS_clone3, args.as_ptr(), size_of_val(&args)) };
    if rival == 0 {
        unsafe {
            for _ in 0..10 {
                libc::syscall(libc::SYS_getppid);
            }
            libc::write(pipe[1], [1u8].as_ptr().cast(), 1);
            libc::_exit(0);
        }
    }
    if rival < 0 {
        unsafe { libc::write(pipe[1], [1u8].as_ptr().cast(), 1) };
    } else {
        wait(rival as c_int);
    }
    wait(victim);
    fact("rival", rival as i64);
}

/// Rounds of each thread of the race.
pub const ROUNDS: usize = 4000;

/// Two threads that open, read and close, and so get each other's descriptor numbers again and again.
fn race() {
    let run = |file: &'static str| {
        move || {
            let mut byte = 0u8;
            for _ in 0..ROUNDS {
                let fd = open(file, libc::O_RDONLY);
                unsafe { libc::read(fd, (&raw mut byte).cast(), 1) };
                close(fd);
            }
        }
    };
    let a = std::thread::spawn(run("/dev/null"));
    let b = std::thread::spawn(run("/dev/zero"));
    let _ = (a.join(), b.join());
}

/// Asks the kernel about a descriptor in a way that changes nothing; the step is found again in the second argument.
fn look(fd: c_int, step: i64) {
    unsafe { libc::lseek(fd, step, libc::SEEK_SET) };
}

/// All ways to come by a descriptor. The working directory has the file `plain`.
fn state() {
    look(0, 19);
    let f = open("plain", libc::O_RDONLY);
    look(f, 1);
    unsafe {
        look(libc::dup(f), 2);
        look(libc::dup2(f, 100), 3);
        look(libc::dup3(f, 101, libc::O_CLOEXEC), 4);
        look(libc::fcntl(f, libc::F_DUPFD, 200), 5);
        look(libc::fcntl(f, libc::F_DUPFD_CLOEXEC, 300), 6);
        libc::syscall(libc::SYS_close_range, 100, 101, 0);
        look(100, 7);
        look(200, 8);
    }
    let mut pipe = [0; 2];
    unsafe { libc::pipe2(pipe.as_mut_ptr(), libc::O_CLOEXEC) };
    look(pipe[0], 11);
    let mut dir = [0u8; 4096];
    unsafe { libc::getcwd(dir.as_mut_ptr().cast(), dir.len()) };
    unsafe { libc::chdir(path("/etc").as_ptr()) };
    let relative = open("passwd", libc::O_RDONLY);
    look(relative, 12);
    // Fails: the name can only come from the working directory.
    unsafe { libc::open(path("no-such-file").as_ptr(), libc::O_RDONLY) };
    unsafe { libc::chdir(dir.as_ptr().cast()) };

    for (address, step) in [("127.0.0.1:0", 13), ("[::1]:0", 15)] {
        let Ok(listener) = TcpListener::bind(address) else {
            fact(&format!("port{step}"), 0);
            continue;
        };
        let port = listener.local_addr().unwrap().port();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (server, _) = listener.accept().unwrap();
        look(client.as_raw_fd(), step);
        look(server.as_raw_fd(), step + 1);
        unsafe { libc::write(client.as_raw_fd(), b"hello".as_ptr().cast(), 5) };
        fact(&format!("port{step}"), port);
        fact(&format!("local{step}"), client.local_addr().unwrap().port());
    }
    let listener = UnixListener::bind("sock").unwrap();
    let client = UnixStream::connect("sock").unwrap();
    let (server, _) = listener.accept().unwrap();
    look(client.as_raw_fd(), 17);
    look(server.as_raw_fd(), 18);

    let child = forked(|| {
        look(f, 20);
        close(f);
        look(f, 23);
        0
    });
    wait(child);
    look(f, 21);
    let opened = std::thread::spawn(|| open("/dev/zero", libc::O_RDONLY)).join().unwrap();
    look(opened, 22);

    fact("kept", f);
    let _ = std::io::stdout().flush();
    unsafe { libc::setenv(path(VARIABLE).as_ptr(), path("state-after-exec").as_ptr(), 1) };
    let me = path("/proc/self/exe");
    let argv = [me.as_ptr(), std::ptr::null()];
    unsafe { libc::execv(me.as_ptr(), argv.as_ptr()) };
}

fn state_after_exec() {
    look(300, 9);
    look(200, 10);
}

/// Calls of a loop at full rate.
pub const MANY: u64 = 1_000_000;

fn rate() {
    // Pauses, so that losses are losses of these calls and not of what comes before or after.
    std::thread::sleep(Duration::from_millis(100));
    for _ in 0..MANY {
        unsafe { libc::syscall(libc::SYS_getppid) };
    }
    std::thread::sleep(Duration::from_millis(100));
}

/// Events of a slow life.
pub const FEW: u64 = 20;

fn slow() {
    for n in 0..FEW {
        close(-1000 - n as c_int);
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// One failed call in a thousand.
pub const THOUSANDS: u64 = 200;

fn rare() {
    for n in 0..THOUSANDS {
        for _ in 0..999 {
            unsafe { libc::syscall(libc::SYS_getppid) };
        }
        close(-1000 - n as c_int);
    }
}
