//! The scan of a host with very many processes and threads: what it costs in time of the processor and in memory.
//!
//! Time is that of the processor, of the scan and of a plain look at the same processes right before it: a machine that is
//! busy or slow makes both longer.
#![allow(unsafe_code, reason = "what is tested are system calls as such")]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::actor::{fact, forked};
use super::rig::{actor, alone, loudly};
use crate::cli::sysreel;

const PROCESSES: &str = "SYSREEL_PROCESSES";
const THREADS: &str = "SYSREEL_THREADS";
/// Processes that have the threads.
const THREADED: usize = 16;

fn number(name: &str) -> usize {
    std::env::var(name).ok().and_then(|n| n.parse().ok()).unwrap_or(0)
}

fn idle() -> ! {
    loop {
        unsafe { libc::pause() };
    }
}

/// Many that do nothing, until somebody writes to standard input.
pub fn act() {
    let (processes, threads) = (number(PROCESSES), number(THREADS));
    unsafe { libc::setpgid(0, 0) };
    for n in 0..processes {
        let child = forked(|| {
            if n < THREADED {
                for _ in 0..threads / THREADED {
                    let made = std::thread::Builder::new().stack_size(16 << 10).spawn(|| idle());
                    if made.is_err() {
                        break;
                    }
                }
            }
            idle()
        });
        if child < 0 {
            break;
        }
    }
    std::thread::sleep(Duration::from_secs(2));
    fact("ready", 1);
    let _ = std::io::stdout().flush();
    unsafe {
        libc::read(0, [0u8; 1].as_mut_ptr().cast(), 1);
        libc::kill(0, libc::SIGKILL);
    }
}

/// What scans.
const WHAT: [&str; 2] = ["ps", "lsof"];

struct Crowd(Child);

impl Crowd {
    fn start(processes: usize, threads: usize) -> Crowd {
        let words = actor("scan");
        let mut child = Command::new(&words[0])
            .args(&words[1..])
            .env(PROCESSES, processes.to_string())
            .env(THREADS, threads.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "ready 1\n");
        Crowd(child)
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
        // Their ends take a while.
        std::thread::sleep(Duration::from_secs(1));
    }
}

/// Seconds of the processor and KiB at most that a run of `sysreel ps` or `lsof` takes, and how many lines it wrote.
#[allow(clippy::zombie_processes, reason = "wait4 waits, and tells what it took")]
fn scan(what: &str) -> (f64, u64, usize) {
    let mut command = sysreel();
    command.args([what, "-p", "%proc.pid %proc.nthreads"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut stdout = child.stdout.take().unwrap();
    let reader = std::thread::spawn(move || {
        let mut out = String::new();
        stdout.read_to_string(&mut out).map(|_| out.lines().count()).unwrap()
    });
    // (What wait4 tells of memory has what this program had when it started the other.)
    let (name, mut peak) = (format!("/proc/{}/status", child.id()), 0);
    loop {
        let status = fs::read_to_string(&name).unwrap_or_default();
        let now =
            status.lines().find_map(|l| l.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse().ok());
        peak = now.unwrap_or(peak);
        if status.contains("State:\tZ") {
            break;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    let mut status = 0;
    unsafe { libc::wait4(child.id() as i32, &raw mut status, 0, &raw mut usage) };
    assert_eq!(status, 0);
    (seconds(&usage), peak, reader.join().unwrap())
}

fn seconds(usage: &libc::rusage) -> f64 {
    let of = |t: libc::timeval| t.tv_sec as f64 + t.tv_usec as f64 / 1e6;
    of(usage.ru_utime) + of(usage.ru_stime)
}

/// Seconds of the processor that it takes to read the files in which a process is described.
fn look() -> f64 {
    let used = || {
        let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
        unsafe { libc::getrusage(libc::RUSAGE_SELF, &raw mut usage) };
        seconds(&usage)
    };
    let before = used();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        if entry.file_name().as_encoded_bytes()[0].is_ascii_digit() {
            for name in ["stat", "status", "cmdline", "cgroup"] {
                let _ = fs::read(entry.path().join(name));
            }
        }
    }
    used() - before
}

/// 10,000 processes and 100,000 threads with SYSREEL_LONG=1.
#[test]
fn a_large_host_is_scanned_soon() {
    let _alone = alone!();
    let long = std::env::var_os("SYSREEL_LONG").is_some();
    let (processes, threads) = if long { (10_000, 100_000) } else { (2_000, 16_000) };
    let pid_max = "/proc/sys/kernel/pid_max";
    let before = fs::read_to_string(pid_max).unwrap();
    if long {
        fs::write(pid_max, "4194304").unwrap();
    }
    let few = WHAT.map(scan);
    let crowd = Crowd::start(processes, threads);
    let (plain, many) = (look(), WHAT.map(scan));
    drop(crowd);
    if long {
        let _ = fs::write(pid_max, before);
    }
    for (what, ((few, least, _), (time, peak, lines))) in WHAT.iter().zip(few.into_iter().zip(many)) {
        let (time, grown) = (time - few, peak.saturating_sub(least));
        loudly(&format!(
            "{what} of {processes} processes with {threads} threads: {:.0} ms of the processor ({:.0} us a process; a plain look \
             at four files of each takes {:.0} ms), {grown} KiB more",
            time * 1e3,
            time * 1e6 / processes as f64,
            plain * 1e3
        ));
        assert!(lines > processes, "{lines}");
        // What is read of a process is a dozen files and links, and the first look at each is the dearest.
        assert!(time < 4.5 * plain, "{what}: {time}, {plain}");
        assert!(!long || time < 2.0, "{what}: {time}");
        // A process has descriptors and names, and blocks are made of them; a thread has nothing of its own.
        let most = 3 * processes as u64 + (10 << 10);
        assert!(grown < most, "{what}: {grown} KiB for {processes} processes with {threads} threads");
    }
}
