//! One process floods the ring while the reader stands still: another on the same CPU is not lost with it.

use std::time::Duration;

use super::actor;
use super::rig::{self, alone, run};

/// Rounds of the quiet process: each sleeps, opens a file and closes it.
const ROUNDS: usize = 100;

/// The quiet process. It starts the flooding one, stops the reader, which is its parent, and lets it go on at the end.
#[allow(unsafe_code, reason = "what is tested are system calls as such")]
pub fn act() {
    let pin = || unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        libc::CPU_SET(0, &mut set);
        libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &set);
    };
    pin();
    let flood = unsafe { libc::fork() };
    if flood == 0 {
        let parent = unsafe { libc::getppid() };
        while unsafe { libc::getppid() } == parent {}
        unsafe { libc::_exit(0) };
    }
    let reader = unsafe { libc::getppid() };
    unsafe { libc::kill(reader, libc::SIGSTOP) };
    std::thread::sleep(Duration::from_millis(200));
    for _ in 0..ROUNDS {
        let pause = libc::timespec { tv_sec: 0, tv_nsec: 2_000_123 };
        unsafe { libc::nanosleep(&pause, std::ptr::null_mut()) };
        let fd = unsafe { libc::open(c"/dev/zero".as_ptr(), libc::O_RDONLY) };
        unsafe { libc::close(fd) };
    }
    unsafe { libc::kill(flood, libc::SIGKILL) };
    unsafe { libc::waitpid(flood, std::ptr::null_mut(), 0) };
    actor::fact("quiet", unsafe { libc::getpid() });
    actor::fact("flood", flood);
    unsafe { libc::kill(reader, libc::SIGCONT) };
}

/// The reader may be told to stand back; the command keeps the priority that it would have had.
#[test]
fn the_reader_gives_way_and_the_command_does_not() {
    let _alone = alone!();
    let script = "cut -d' ' -f19 /proc/$PPID/stat; cut -d' ' -f19 /proc/self/stat";
    let done = run(&["-q", "--nice", "7"], &["sh", "-c", script]);
    let nice: Vec<i32> = done.stdout.split_whitespace().map(|n| n.parse().unwrap()).collect();
    let own = rustix::process::getpriority_process(None).unwrap();
    assert_eq!(nice, [7, own], "{}", done.stderr);
    assert_eq!(run(&["-q", "--nice", "20"], &["true"]).status.code(), Some(2));
}

#[test]
fn a_flood_does_not_blind_the_rest() {
    let _alone = alone!();
    let form = "%proc.pid %evt.type %fd.name %evt.certain %evt.args";
    let done = run(&["-p", form, "--ring", "512k", "-v"], &rig::actor("fair"));
    let fact = |name: &str| {
        let line = done.stdout.lines().find_map(|l| l.strip_prefix(name));
        line.unwrap_or_else(|| panic!("{}{}", done.stdout, done.stderr)).trim().to_owned()
    };
    let (quiet, flood) = (fact("quiet"), fact("flood"));
    let of = |pid: &str, text: &str| {
        let start = format!("{pid} ");
        done.lines.iter().filter(|l| l.starts_with(&start) && l.contains(text)).count()
    };
    let (_, lost) = done.totals();
    assert!(lost > 20_000, "the ring was never full: {}", done.stderr);
    assert!(of(&flood, " getppid ") > 1000, "{}", done.stderr);
    // All of it, and what was dropped leaves no doubt about its names: no change was dropped.
    for what in ["tv_nsec=2000123", " openat /dev/zero true ", " close /dev/zero true "] {
        assert_eq!(of(&quiet, what), ROUNDS, "{what}: {}", done.stderr);
    }
    // The end of the other is known as well.
    assert_eq!(of(&flood, " procexit "), 1, "{}", done.stderr);
}
