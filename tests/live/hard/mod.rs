//! The live engine under bad conditions: nobody reads what it prints, it is stopped, its ring is too small. The traced work
//! goes on, what is lost is counted, and the end comes when it is asked for. `SYSREEL_SWEEP=all` takes longer of each.
#![allow(unsafe_code, reason = "what is tested are system calls as such")]

mod crowd;
mod cycles;

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::actor::VARIABLE;
use super::rig::{alone, interrupt, loudly, reread, within};
use crate::cli::sysreel;

pub use crowd::{bomb, forks, threads};

/// The end comes half a second after it was asked for; a busy machine may need longer.
const SOON: Duration = Duration::from_secs(3);

pub fn is_long() -> bool {
    std::env::var_os("SYSREEL_SWEEP").is_some_and(|v| v == "all")
}

/// Where the flooding process and the test meet: the count of its calls, and what it is to do.
const COUNT: u64 = 0;
const ORDER: u64 = 8;
const WAIT: u8 = 0;
const GO: u8 = 1;
const END: u8 = 2;

/// The actor: getppid as fast as it can, counted in a file that both map, on one CPU.
pub fn flood() {
    let name = std::env::var("SYSREEL_SHARED").unwrap();
    let file = File::options().read(true).write(true).open(name).unwrap();
    let page = unsafe {
        libc::mmap(
            std::ptr::null_mut(),
            16,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_SHARED,
            file.as_raw_fd(),
            0,
        )
    };
    assert_ne!(page, libc::MAP_FAILED);
    let (count, order) = unsafe { (page.cast::<u64>(), page.cast::<u8>().add(ORDER as usize)) };
    super::actor::fact("ready", std::process::id());
    let _ = std::io::stdout().flush();
    let mut calls = 0;
    loop {
        match unsafe { order.read_volatile() } {
            WAIT => unsafe {
                libc::usleep(5000);
            },
            GO => unsafe {
                libc::syscall(libc::SYS_getppid);
                calls += 1;
                count.write_volatile(calls);
            },
            _ => return,
        }
    }
}

/// The flooding process.
struct Flood {
    child: Child,
    shared: File,
    _dir: tempfile::TempDir,
}

impl Flood {
    fn new() -> Flood {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("shared");
        fs::write(&path, [0; 16]).unwrap();
        let mut child = Command::new(std::env::current_exe().unwrap())
            .env(VARIABLE, "hard-flood")
            .env("SYSREEL_SHARED", &path)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert!(line.starts_with("ready"), "{line}");
        let shared = File::options().read(true).write(true).open(&path).unwrap();
        Flood { child, shared, _dir: dir }
    }

    fn pid(&self) -> String {
        self.child.id().to_string()
    }

    fn order(&self, order: u8) {
        self.shared.write_all_at(&[order], ORDER).unwrap();
    }

    fn calls(&self) -> u64 {
        let mut bytes = [0; 8];
        self.shared.read_exact_at(&mut bytes, COUNT).unwrap();
        u64::from_ne_bytes(bytes)
    }

    /// Its best rate in windows of 50 ms, in calls a second: others may take the CPU from it, tracing is always there.
    fn rate(&self, over: Duration) -> f64 {
        let (begin, mut best) = (Instant::now(), 0f64);
        while begin.elapsed() < over {
            let (from, since) = (self.calls(), Instant::now());
            std::thread::sleep(Duration::from_millis(50));
            best = best.max((self.calls() - from) as f64 / since.elapsed().as_secs_f64());
        }
        best
    }

    /// Ends it: how many calls it made.
    fn end(mut self) -> u64 {
        self.order(END);
        assert!(within(&mut self.child, SOON * 3).is_some(), "the traced process hangs");
        self.calls()
    }
}

impl Drop for Flood {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `sysreel OPTIONS` on a process, with nobody reading its standard output.
struct Unread {
    child: Child,
    out: std::io::PipeReader,
}

impl Unread {
    fn start(pid: &str, options: &[&str], filter: &str) -> Unread {
        let (out, write) = std::io::pipe().unwrap();
        let mut child = sysreel()
            .args(["--pid", pid, "--ring", "1m"])
            .args(options)
            .arg(filter)
            .stdout(write)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // Signals are listened to last of all.
        let status = format!("/proc/{}/status", child.id());
        let begin = Instant::now();
        loop {
            let text = fs::read_to_string(&status).unwrap();
            let caught =
                text.lines().find_map(|l| u64::from_str_radix(l.strip_prefix("SigCgt:")?.trim(), 16).ok());
            if caught.unwrap() >> (libc::SIGUSR2 - 1) & 1 == 1 {
                break;
            }
            assert!(begin.elapsed() < Duration::from_secs(30) && child.try_wait().unwrap().is_none());
            std::thread::sleep(Duration::from_millis(10));
        }
        std::thread::sleep(Duration::from_millis(100));
        Unread { child, out }
    }

    /// Ends it by a signal: what was in the pipe, what it said, its status.
    fn stop(mut self, what: &str) -> (Vec<u8>, String, Option<i32>) {
        let begin = Instant::now();
        interrupt(&self.child);
        let status = within(&mut self.child, SOON);
        assert!(status.is_some(), "{what}: it does not end");
        loudly(&format!("{what}: ended {:.2} s after SIGINT", begin.elapsed().as_secs_f64()));
        let (mut bytes, mut said) = (Vec::new(), String::new());
        self.out.read_to_end(&mut bytes).unwrap();
        self.child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        (bytes, said, status.and_then(|s| s.code()))
    }
}

/// The number in front of a word: ` N shown`.
fn told(said: &str, word: &str) -> u64 {
    let at = said.find(word).unwrap_or_else(|| panic!("no `{word}`: {said}"));
    let number = said[..at].rsplit(' ').next().unwrap();
    number.parse().unwrap_or_else(|_| panic!("no number before `{word}`: {said}"))
}

/// A pipe that nobody reads: the flood goes on, everything is accounted for, and the end comes when it is asked for.
#[test]
fn nobody_reads_what_is_printed() {
    let _alone = alone!();
    let time = Duration::from_secs(if is_long() { 10 } else { 1 });
    // What the probe costs when the reader keeps up.
    let usual = {
        let flood = Flood::new();
        let capture = Unread::start(&flood.pid(), &["-q"], "evt.type = getppid");
        flood.order(GO);
        let rate = flood.rate(time);
        capture.stop("nothing is printed");
        rate
    };
    for options in [&["-o", "-"][..], &["-j"], &["-l"], &["-w", "-"], &["-w", "-", "-U"]] {
        let what = format!("{options:?} into a pipe that nobody reads");
        let flood = Flood::new();
        let capture = Unread::start(&flood.pid(), options, "evt.type = getppid");
        flood.order(GO);
        let rate = flood.rate(time);
        let issued = flood.end();
        let (bytes, said, status) = capture.stop(&what);
        loudly(&format!("{what}: {rate:.0} calls a second, {usual:.0} when nothing is printed"));
        assert!(rate > usual * 0.4, "{what}: {rate:.0} instead of {usual:.0} calls a second");
        assert_eq!(status, Some(1), "{what}: {said}");
        assert!(said.contains("nothing was taken"), "{what}: {said}");
        let lost = told(&said, " lost");
        let (there, missing) = if options[0] == "-w" {
            (told(&said, " written,"), told(&said, " events were not written"))
        } else {
            (told(&said, " shown,"), told(&said, " events were not shown"))
        };
        assert_eq!(there + missing + lost, issued, "{what}: {said}");
        assert!(lost > 0 && missing > 0, "{what}: the pipe was never full: {said}");
        // What is said to be there is what whoever reads on finds.
        let whole = if options[0] == "-w" {
            let dir = tempfile::tempdir().unwrap();
            let file = dir.path().join("reel");
            fs::write(&file, &bytes).unwrap();
            let (status, lines, err) = reread(&file, &["-p", "%evt.type"]);
            assert!([0, 4].contains(&status), "{err}");
            lines.iter().filter(|l| *l == "getppid").count() as u64
        } else {
            bytes
                .split_inclusive(|b| *b == b'\n')
                .filter(|l| l.ends_with(b"\n"))
                .filter(|l| has(l, b"getppid"))
                .count() as u64
        };
        assert_eq!(whole, there, "{what}: {said}");
    }
}

fn has(line: &[u8], word: &[u8]) -> bool {
    line.windows(word.len()).any(|w| w == word)
}

/// The end comes in the middle of a flood, by a signal or the clock, and though stderr is the same pipe. Signals are heeded
/// before that too.
#[test]
fn an_unread_output_does_not_delay_the_end() {
    let _alone = alone!();
    let flood = Flood::new();
    flood.order(GO);
    let capture = Unread::start(&flood.pid(), &["-o", "-"], "evt.type = getppid");
    std::thread::sleep(Duration::from_millis(500));
    kill_process(Pid::from_child(&capture.child), Signal::USR1).unwrap();
    std::thread::sleep(Duration::from_millis(300));
    let (_, said, _) = capture.stop("text, in the middle of a flood");
    let so_far = said.lines().next().unwrap();
    assert!(so_far.contains("so far: ") && told(so_far, " lost") > 0, "{said}");

    let (_keep, write) = std::io::pipe().unwrap();
    let errors = write.try_clone().unwrap();
    let begin = Instant::now();
    let mut child = sysreel()
        .args(["--pid", &flood.pid(), "--stop", "duration:1s", "-o", "-"])
        .stdout(write)
        .stderr(errors)
        .spawn()
        .unwrap();
    let status = within(&mut child, Duration::from_secs(1) + SOON * 2);
    assert_eq!(status.and_then(|s| s.code()), Some(1));
    loudly(&format!("one second on one pipe that nobody reads: {:.2} s", begin.elapsed().as_secs_f64()));

    // A reader that comes late loses nothing of what a command did: nobody asked for the end.
    let mut child = sysreel()
        .args(["run", "-o", "-", "-p", "%evt.type", "evt.type = getppid", "--"])
        .args(super::rig::actor("rate"))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    std::thread::sleep(Duration::from_secs(3));
    assert!(child.try_wait().unwrap().is_none(), "it waits for its reader");
    let mut text = String::new();
    child.stdout.take().unwrap().read_to_string(&mut text).unwrap();
    let done = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&done.stderr);
    assert_eq!(done.status.code(), Some(0), "{said}");
    let calls = text.lines().filter(|l| *l == "getppid").count() as u64;
    assert_eq!(calls + told(&said, " lost"), super::actor::MANY, "{said}");
    assert_eq!(calls, told(&said, " shown,"), "{said}");
}

/// What `-v` says of each CPU adds up: records = events + changes + dropped. Gives events and dropped.
pub fn add_up(said: &str) -> (u64, u64) {
    let (mut events, mut dropped, mut cpus) = (0, 0, 0);
    for line in said.lines().filter(|l| l.contains(" became events, ")) {
        let n: Vec<u64> = line.split(' ').filter_map(|w| w.parse().ok()).collect();
        let [all, delivered, state, gone] = n[..] else { panic!("{line}") };
        assert_eq!(all, delivered + state + gone, "{line}");
        (events, dropped, cpus) = (events + delivered, dropped + gone, cpus + 1);
    }
    assert!(cpus > 0, "{said}");
    (events, dropped)
}

/// A whole file, with so many events in it.
pub fn check_reel(reel: &Path, events: u64, lost: u64) {
    let verified = sysreel().arg("verify").arg(reel).output().unwrap();
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
    let (status, lines, err) = reread(reel, &["-p", "%evt.type %evt.lost"]);
    assert_eq!(status, 0, "{err}");
    let gone: u64 = lines.iter().filter_map(|l| l.strip_prefix("lost ")?.parse::<u64>().ok()).sum();
    let there = lines.iter().filter(|l| !l.starts_with("lost ")).count() as u64;
    assert_eq!((there, gone), (events, lost), "{err}");
}

/// The reader stands still, and its ring is full: nobody waits for it.
#[test]
fn a_stopped_reader_holds_nobody_up() {
    let _alone = alone!();
    let still = Duration::from_secs(if is_long() { 10 } else { 2 });
    let dir = tempfile::tempdir().unwrap();
    let reel = dir.path().join("t.reel");
    let flood = Flood::new();
    let capture = Unread::start(&flood.pid(), &["-v", "-w", reel.to_str().unwrap()], "evt.type = getppid");
    flood.order(GO);
    let before = flood.rate(Duration::from_secs(1));
    let pid = Pid::from_child(&capture.child);
    kill_process(pid, Signal::STOP).unwrap();
    // The ring is full after some 20,000 calls.
    std::thread::sleep(Duration::from_millis(100));
    let during = flood.rate(still);
    kill_process(pid, Signal::CONT).unwrap();
    std::thread::sleep(Duration::from_millis(300));
    let issued = flood.end();
    let (_, said, status) = capture.stop("stopped and continued");
    loudly(&format!("reader stopped: {during:.0} calls a second, {before:.0} before"));
    assert!(during > before * 0.6, "{during:.0} instead of {before:.0} calls a second");
    assert_eq!(status, Some(0), "{said}");
    let (written, lost) = (told(&said, " written,"), told(&said, " lost"));
    assert_eq!(written + lost, issued, "{said}");
    assert!(lost > 100_000, "the ring was never full: {said}");
    assert_eq!(add_up(&said), (written, lost), "{said}");
    check_reel(&reel, written, lost);
}

/// The smallest ring that there is, and a flood on each CPU.
#[test]
fn the_smallest_ring_loses_and_says_so() {
    let _alone = alone!();
    let dir = tempfile::tempdir().unwrap();
    let reel = dir.path().join("t.reel");
    let floods = [Flood::new(), Flood::new()];
    let pids = floods.iter().map(Flood::pid).collect::<Vec<_>>().join(",");
    let options = ["--ring", "1", "-v", "-w", reel.to_str().unwrap()];
    let capture = Unread::start(&pids, &options, "evt.type = getppid");
    floods.iter().for_each(|f| f.order(GO));
    std::thread::sleep(Duration::from_secs(if is_long() { 20 } else { 1 }));
    let issued: u64 = floods.into_iter().map(Flood::end).sum();
    let (_, said, status) = capture.stop("the smallest ring");
    assert_eq!(status, Some(0), "{said}");
    let (written, lost) = (told(&said, " written,"), told(&said, " lost"));
    loudly(&format!("the smallest ring: {written} written, {lost} lost of {issued}"));
    assert_eq!(written + lost, issued, "{said}");
    assert!(written > 1000 && lost > 1000, "{said}");
    assert_eq!(add_up(&said), (written, lost), "{said}");
    check_reel(&reel, written, lost);
}

/// CPU time of a process so far.
fn cpu_time(pid: u32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    // Behind the name: user and system time are the 12th and 13th, in ticks of 10 ms.
    let ticks = |n: usize| {
        stat.rsplit_once(')').unwrap().1.split_whitespace().nth(n).unwrap().parse::<u64>().unwrap()
    };
    Duration::from_millis(10 * (ticks(11) + ticks(12)))
}

/// `--max-cpu`: less is read, and what is not is counted.
#[test]
fn cpu_time_can_be_limited() {
    let _alone = alone!();
    let time = Duration::from_secs(if is_long() { 30 } else { 3 });
    let dir = tempfile::tempdir().unwrap();
    for (limit, options) in [(10, &["-w"][..]), (10, &["-o"]), (50, &["-w"])] {
        let out = dir.path().join(format!("{limit}{}", options[0]));
        let flood = Flood::new();
        let percent = limit.to_string();
        let options = [&["-v", "--max-cpu", &percent], options, &[out.to_str().unwrap()]].concat();
        let capture = Unread::start(&flood.pid(), &options, "evt.type = getppid");
        flood.order(GO);
        let (before, begin) = (cpu_time(capture.child.id()), Instant::now());
        std::thread::sleep(time);
        let used =
            (cpu_time(capture.child.id()) - before).as_secs_f64() / begin.elapsed().as_secs_f64() * 100.;
        let issued = flood.end();
        let (_, said, status) = capture.stop("--max-cpu");
        assert_eq!(status, Some(0), "{said}");
        loudly(&format!(
            "--max-cpu {limit}: {used:.1} % of a CPU; {}",
            said.lines().next().unwrap_or_default()
        ));
        assert!(used < f64::from(limit) * 1.3 + 2., "{used:.1} % of a CPU, of {limit}");
        let (seen, lost) = (told(&said, " events,"), told(&said, " lost"));
        assert_eq!(seen + lost, issued, "{said}");
        assert_eq!(add_up(&said), (seen, lost), "{said}");
        assert!(limit > 10 || lost > 10_000, "nothing to limit: {said}");
        if options.contains(&"-w") {
            check_reel(&out, seen, lost);
        }
    }
    // Without a flood nothing is lost, and each event comes.
    let done = super::rig::run(&["-q", "--max-cpu", "10"], &super::rig::actor("slow"));
    assert_eq!(done.totals().1, 0, "{}", done.stderr);
    assert!(done.totals().0 >= 2 * super::actor::FEW, "{}", done.stderr);
    // A command is followed to its end, though nothing is read for a while when it ends.
    let script = "for i in 1 2 3 4 5 6 7 8; do (sleep 0.1; true) & done; true";
    let done = super::rig::run(
        &["-p", "%proc.name", "--max-cpu", "1", "evt.type = procexit"],
        &["sh", "-c", script],
    );
    let ends = |name: &str| done.lines.iter().filter(|l| *l == name).count();
    assert_eq!((ends("sleep"), ends("sh")), (8, 9), "{:?} {}", done.lines, done.stderr);
    assert_eq!(
        sysreel().args(["-r", "/dev/null", "--max-cpu", "5"]).output().unwrap().status.code(),
        Some(2)
    );
}
