//! Very many processes and threads at once, and a CPU that comes and goes.

use std::collections::BTreeSet;
use std::fs;
use std::io::Read;
use std::process::{Child, ExitStatus, Stdio};
use std::sync::Barrier;
use std::time::{Duration, Instant};

use super::super::actor::fact;
use super::super::rig::{actor, alone, loudly, reread, run, skip};
use super::{Flood, GO, Unread, add_up, check_reel, told};
use crate::cli::sysreel;

/// Processes that come and go.
const FORKS: i64 = 10_000;
/// Threads that are there together.
const THREADS: usize = 5000;
/// Processes that the fork bomb may have at once, and how long it tries to have more.
const MOST: u64 = 200;
const BOMB: Duration = Duration::from_millis(1500);
/// A user that has no other process.
const NOBODY: libc::uid_t = 54_321;

/// The actor: two processes that fork and forget.
pub fn forks() {
    unsafe { libc::signal(libc::SIGCHLD, libc::SIG_IGN) };
    let begin = Instant::now();
    let mut done = 0;
    let half = |n: i64| {
        let mut made = 0;
        while made < n {
            match unsafe { libc::fork() } {
                0 => unsafe { libc::_exit(0) },
                -1 => std::thread::sleep(Duration::from_millis(1)),
                _ => made += 1,
            }
        }
        made
    };
    match unsafe { libc::fork() } {
        0 => {
            half(FORKS / 2);
            unsafe { libc::_exit(0) }
        }
        other => {
            done += half(FORKS / 2);
            // Nobody is left to be waited for: it fails when the last is gone.
            while unsafe { libc::waitpid(-1, std::ptr::null_mut(), 0) } > 0 {}
            fact("other", other);
        }
    }
    fact("forked", done + FORKS / 2 + 1);
    fact("took", begin.elapsed().as_millis() as i64);
}

/// The actor: threads that all are there before the first one ends.
pub fn threads() {
    let all = Barrier::new(THREADS);
    let one = || {
        unsafe { libc::syscall(libc::SYS_getpgid, 0) };
        all.wait();
        unsafe { libc::syscall(libc::SYS_getppid) };
    };
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            let builder = std::thread::Builder::new().stack_size(16 << 10);
            if let Err(e) = builder.spawn_scoped(scope, one) {
                fact(&format!("refused, {e}:"), 1);
                // The others wait for it.
                unsafe { libc::_exit(1) };
            }
        }
    });
    fact("main", std::process::id());
}

/// The actor: every process forks as long as there is time.
pub fn bomb() {
    let limit = libc::rlimit { rlim_cur: MOST, rlim_max: MOST };
    let end = Instant::now() + BOMB;
    // Whoever is not root is held to the limit.
    let bound = unsafe {
        libc::setrlimit(libc::RLIMIT_NPROC, &limit) == 0 && libc::setresuid(NOBODY, NOBODY, NOBODY) == 0
    };
    assert!(bound);
    unsafe { libc::signal(libc::SIGCHLD, libc::SIG_IGN) };
    let mut child = false;
    while Instant::now() < end {
        match unsafe { libc::fork() } {
            // Some live long, some end at once.
            0 if unsafe { libc::getpid() } % 3 == 0 => unsafe { libc::_exit(0) },
            0 => child = true,
            -1 => {
                unsafe { libc::sched_yield() };
            }
            _ => {}
        }
    }
    if child {
        unsafe { libc::_exit(0) };
    }
}

/// Waits for the end of a child, and gives with its status the most memory that it ever had, in KiB. (What wait4 tells has
/// what this program had when it forked; so has what stands here until the child executes another.)
fn wait_with_peak(child: &mut Child) -> (ExitStatus, u64) {
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    loop {
        let text = fs::read_to_string(&status).unwrap_or_default();
        let now =
            text.lines().find_map(|l| l.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse().ok());
        peak = now.unwrap_or(peak);
        if let Some(status) = child.try_wait().unwrap() {
            return (status, peak);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn ten_thousand_processes_come_and_go() {
    let _alone = alone!();
    let dir = tempfile::tempdir().unwrap();
    let reel = dir.path().join("t.reel");
    let filter = "evt.type in (fork, vfork, clone, clone3, procexit)";
    let mut child = sysreel()
        .args(["run", "-v", "--ring", "16m", "-w", reel.to_str().unwrap(), filter, "--"])
        .args(actor("hard-forks"))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Both are short.
    let (status, peak) = wait_with_peak(&mut child);
    let (mut facts, mut said) = (String::new(), String::new());
    child.stdout.take().unwrap().read_to_string(&mut facts).unwrap();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!(status.code(), Some(0), "{said}");
    let of = |name: &str| -> u64 {
        let line = facts.lines().find_map(|l| l.strip_prefix(name)).unwrap_or_else(|| panic!("{facts}"));
        line.trim().parse().unwrap()
    };
    let (forked, took) = (of("forked"), of("took"));
    let (written, lost) = (told(&said, " written,"), told(&said, " lost"));
    let known = told(&said, " processes and ");
    loudly(&format!(
        "{forked} processes in {took} ms: {written} events, {lost} lost; {peak} KiB at most, of which the rings are 16384; {known} processes known at the end"
    ));
    let (delivered, dropped) = add_up(&said);
    assert_eq!((delivered, dropped), (written, lost), "{said}");
    // Rings, the code, tables: not a list of all that ever lived.
    assert!((16 << 10..72 << 10).contains(&peak), "{peak} KiB");
    assert!(known < 1000, "{said}");
    check_reel(&reel, written, lost);
    let count = |filter: &str| {
        let (status, lines, err) = reread(&reel, &["-p", "%proc.pid %evt.rawres %proc.name", filter]);
        assert_eq!(status, 0, "{err}");
        lines.len() as u64
    };
    // The actor's start has none of its own; the actor ends too.
    let births = count("evt.type in (fork, vfork, clone, clone3) and evt.rawres > 0");
    let deaths = count("evt.type = procexit");
    assert!(births <= forked && deaths <= forked + 1, "{births} {deaths}");
    assert!(births + lost >= forked && deaths + lost > forked, "{births}, {deaths}, {lost} lost");
    assert_eq!(lost, 0, "a ring of 16 MiB is large enough: {said}");
}

#[test]
fn five_thousand_threads_are_all_named() {
    let _alone = alone!();
    let done = run(
        &["-p", "%thread.tid %proc.pid %proc.name %evt.type", "evt.type in (getppid, getpgid)"],
        &actor("hard-threads"),
    );
    if done.stdout.contains("refused") {
        return skip(&format!("{THREADS} threads at once: {}", done.stdout.trim()));
    }
    assert_eq!(done.status.code(), Some(0), "{}", done.stderr);
    assert_eq!(done.totals().1, 0, "{}", done.stderr);
    let main = done.fact("main").to_string();
    for call in ["getpgid", "getppid"] {
        let mut tids = BTreeSet::new();
        let mut names = BTreeSet::new();
        for line in done.lines.iter().filter(|l| l.ends_with(call)) {
            let words: Vec<&str> = line.split(' ').collect();
            assert_eq!(words[1], main, "{line}");
            tids.insert(words[0]);
            names.insert(words[2]);
        }
        assert_eq!((tids.len(), names.len()), (THREADS, 1), "{call}: {names:?} {}", done.stderr);
        assert!(names.first().is_some_and(|n| n.starts_with("integration")), "{names:?}");
    }
}

#[test]
fn a_fork_bomb_is_followed_to_its_end() {
    let _alone = alone!();
    if !rustix::process::geteuid().is_root() {
        return skip("only root can become another user");
    }
    let dir = tempfile::tempdir().unwrap();
    let reel = dir.path().join("t.reel");
    let filter = "evt.type in (fork, vfork, clone, clone3, procexit)";
    let begin = Instant::now();
    // Readable for the other user: the bomb does not execute anything.
    let done = run(&["-v", "-w", reel.to_str().unwrap(), filter], &actor("hard-bomb"));
    assert!(
        !done.stderr.contains("panicked") && done.status.code() == Some(0),
        "{:?} {}",
        done.status,
        done.stderr
    );
    let (written, lost) = (told(&done.stderr, " written,"), told(&done.stderr, " lost"));
    assert_eq!(add_up(&done.stderr), (written, lost), "{}", done.stderr);
    check_reel(&reel, written, lost);
    let pids = |filter: &str, form: &str| -> Vec<String> { reread(&reel, &["-p", form, filter]).1 };
    let births = pids("evt.type in (fork, vfork, clone, clone3) and evt.rawres > 0", "%evt.rawres");
    let refused = pids("evt.res = EAGAIN", "%proc.pid").len();
    let deaths = pids("evt.type = procexit", "%proc.pid");
    loudly(&format!(
        "fork bomb: {} born, {} died, {refused} forks refused, {lost} lost, over after {:.1} s",
        births.len(),
        deaths.len(),
        begin.elapsed().as_secs_f64()
    ));
    assert!(births.len() > 200 && refused > 0, "the limit was never reached");
    if lost == 0 {
        // The first process was not born here.
        assert_eq!(births.len() + 1, deaths.len());
    }
}

/// A CPU that can be taken away, back when this is dropped.
struct Cpu(fs::File);

const CPU: &str = "/sys/devices/system/cpu/cpu1/online";

impl Cpu {
    fn find() -> Result<Cpu, String> {
        // A cpuset of version 1 would lose the CPU for good.
        let set = fs::read_to_string("/proc/self/cpuset").unwrap_or_default();
        if fs::metadata("/sys/fs/cgroup/cpuset").is_ok() && set.trim() != "/" {
            return Err(format!("the cpuset {} would not get a CPU back", set.trim()));
        }
        let file = fs::File::options().write(true).open(CPU).map_err(|e| format!("{CPU}: {e}"))?;
        Ok(Cpu(file))
    }

    fn set(&mut self, online: bool) -> std::io::Result<()> {
        std::os::unix::fs::FileExt::write_all_at(&self.0, if online { b"1" } else { b"0" }, 0)
    }
}

impl Drop for Cpu {
    fn drop(&mut self) {
        let _ = self.set(true);
    }
}

/// The one test that may be left out even where none may: most machines in a cloud have a fixed number of CPUs.
#[test]
fn a_cpu_comes_and_goes() {
    let _alone = alone!();
    let mut cpu = match Cpu::find() {
        Ok(cpu) => cpu,
        Err(why) => return loudly(&format!("CPU HOTPLUG NOT TESTED: {why}")),
    };
    let dir = tempfile::tempdir().unwrap();
    let reel = dir.path().join("t.reel");
    let floods = [Flood::new(), Flood::new()];
    let pids = floods.iter().map(Flood::pid).collect::<Vec<_>>().join(",");
    let options = ["-v", "--ring", "64m", "-w", reel.to_str().unwrap()];
    let capture = Unread::start(&pids, &options, "evt.type = getppid");
    floods.iter().for_each(|f| f.order(GO));
    for online in [false, true, false, true] {
        std::thread::sleep(Duration::from_millis(200));
        if let Err(e) = cpu.set(online) {
            return loudly(&format!("CPU HOTPLUG NOT TESTED: {CPU}: {e}"));
        }
    }
    std::thread::sleep(Duration::from_millis(200));
    let issued: u64 = floods.into_iter().map(Flood::end).sum();
    let (_, said, status) = capture.stop("a CPU that came and went");
    assert_eq!(status, Some(0), "{said}");
    let (written, lost) = (told(&said, " written,"), told(&said, " lost"));
    loudly(&format!("a CPU that came and went: {written} written, {lost} lost of {issued}"));
    assert_eq!(written + lost, issued, "{said}");
    assert_eq!(add_up(&said), (written, lost), "{said}");
    check_reel(&reel, written, lost);
    // Begun while it is away, and told of it when it is back.
    if cpu.set(false).is_err() {
        return;
    }
    let reel = dir.path().join("u.reel");
    let flood = Flood::new();
    let options = ["-v", "-w", reel.to_str().unwrap()];
    let capture = Unread::start(&flood.pid(), &options, "evt.type = getppid");
    cpu.set(true).unwrap();
    let other = Flood::new();
    flood.order(GO);
    other.order(GO);
    std::thread::sleep(Duration::from_millis(500));
    other.end();
    let issued = flood.end();
    let (_, said, status) = capture.stop("a CPU that was away at the start");
    assert_eq!(status, Some(0), "{said}");
    assert_eq!(told(&said, " written,") + told(&said, " lost"), issued, "{said}");
}
