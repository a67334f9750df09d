//! What the tracer takes when there is little to trace, how soon it shows an event, and how much it can print.
//!
//! A process of ours (`tick`) opens a file that does not exist 50 times a second, whose name is the time, and sleeps between:
//! 100 events a second. Another (`spin`) makes calls as fast as one CPU can.
#![allow(unsafe_code, reason = "a terminal is made, which the standard library cannot")]

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::fd::FromRawFd;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use rustix::thread::{CpuSet, sched_setaffinity};
use rustix::time::{ClockId, clock_gettime};

use crate::common::{SYSREEL, Totals, cpu_of, load, long, machine, memory_of, spread};

/// Where the files that do not exist would be.
const TICK: &str = "/nonexistent-tick/";
/// Turns a second of `tick`, each of two calls.
const TURNS: u64 = 50;

fn now() -> u64 {
    let t = clock_gettime(ClockId::Monotonic);
    t.tv_sec as u64 * 1_000_000_000 + t.tv_nsec as u64
}

/// What the processes of ours do, which is this program again; true if it was one.
pub fn actor() -> bool {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.first().map(String::as_str) {
        Some("--tick") => loop {
            let _ = File::open(format!("{TICK}{}", now()));
            std::thread::sleep(Duration::from_nanos(1_000_000_000 / TURNS));
        },
        Some("--spin") => {
            let mut set = CpuSet::new();
            set.set(0);
            let _ = sched_setaffinity(None, &set);
            // Told when the tracer is there.
            let mut line = String::new();
            let _ = std::io::stdin().read_line(&mut line);
            let (begin, mut made) = (Instant::now(), 0u64);
            while begin.elapsed().as_secs_f64() < line.trim().parse().unwrap_or(0.0) {
                for _ in 0..1000 {
                    std::hint::black_box(rustix::process::getppid());
                }
                made += 1000;
            }
            println!("{made} {}", begin.elapsed().as_nanos());
            true
        }
        _ => false,
    }
}

/// A child that does not outlive this.
struct Alive(Child);

impl Drop for Alive {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn me(arg: &str) -> Option<Alive> {
    let mut command = Command::new(std::env::current_exe().ok()?);
    command.arg(arg).stdin(Stdio::piped()).stdout(Stdio::piped());
    command.spawn().ok().map(Alive)
}

fn interrupt(child: &Child) {
    if let Some(pid) = Pid::from_raw(child.id() as i32) {
        let _ = kill_process(pid, Signal::INT);
    }
}

/// A terminal of our own: the side that reads, the side that a program writes to.
fn terminal() -> Option<(File, File)> {
    let (mut ours, mut theirs) = (-1, -1);
    // SAFETY: two locals to write to; the rest may be null.
    let done = unsafe {
        libc::openpty(
            &raw mut ours,
            &raw mut theirs,
            std::ptr::null_mut(),
            std::ptr::null(),
            std::ptr::null(),
        )
    };
    // SAFETY: the kernel has just made both for us.
    (done == 0).then(|| unsafe { (File::from_raw_fd(ours), File::from_raw_fd(theirs)) })
}

/// Everything here; what is wrong is added to `wrong`.
pub fn run(dir: &Path, wrong: &mut Vec<String>) {
    println!("\nidle ({}), load {}", machine(), load());
    let Some(tick) = me("--tick") else { return };
    first_event();
    let pid = tick.0.id().to_string();
    for (what, args, tty) in [
        ("its events, to a pipe", &["--pid", &pid][..], false),
        ("its events, on a terminal", &["--pid", &pid], true),
        ("the whole machine, to a pipe", &[], false),
    ] {
        slow(what, args, tty, wrong);
    }
    reel(dir);
    drop(tick);
    printed(dir, wrong);
    println!("load {} after", load());
}

/// From the start of the program to the first line.
fn first_event() {
    let mut times = Vec::new();
    for _ in 0..if long() { 15 } else { 5 } {
        let begin = Instant::now();
        let child =
            Command::new(SYSREEL).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        let Ok(mut child) = child.map(Alive) else { return };
        let mut byte = [0];
        if child.0.stdout.as_mut().is_some_and(|out| out.read_exact(&mut byte).is_ok()) {
            times.push(begin.elapsed().as_secs_f64() * 1e3);
        }
        interrupt(&child.0);
        let _ = child.0.stdout.take();
        let _ = child.0.wait();
    }
    let (middle, least, most) = spread(&times);
    println!("first line after the start: {middle:.0} ms ({least:.0}..{most:.0}), {} runs", times.len());
}

/// How long lines take to come, and what that costs.
fn slow(what: &str, args: &[&str], tty: bool, wrong: &mut Vec<String>) {
    let seconds = if long() { 30 } else { 10 };
    let mut command = Command::new(SYSREEL);
    command.args(args).stdin(Stdio::null()).stderr(Stdio::piped());
    let (source, child): (Box<dyn Read>, _) = if tty {
        let Some((ours, theirs)) = terminal() else { return };
        let child = command.stdout(theirs).spawn();
        (Box::new(ours), child)
    } else {
        let mut child = command.stdout(Stdio::piped()).spawn();
        let Some(out) = child.as_mut().ok().and_then(|c| c.stdout.take()) else { return };
        (Box::new(out), child)
    };
    // The command holds the terminal's other side too.
    drop(command);
    let Ok(child) = child else { return };
    let pid = child.id();
    let (mut delays, mut lines) = (Vec::new(), 0u64);
    let mut begun: Option<(Instant, u64)> = None;
    let mut reader = BufReader::new(source);
    let mut line = Vec::new();
    let mut figures = None;
    while reader.read_until(b'\n', &mut line).is_ok_and(|n| n > 0) {
        let at = now();
        let text = String::from_utf8_lossy(&line);
        let stamp = text.split(TICK).nth(1).and_then(|t| t.split('"').next()?.parse::<u64>().ok());
        // What it does in its first two seconds is the start.
        let (begin, spent) = *begun.get_or_insert_with(|| (Instant::now(), 0));
        if spent == 0 && begin.elapsed() > Duration::from_secs(2) {
            begun = Some((Instant::now(), cpu_of(pid).max(1)));
        } else if spent > 0 {
            lines += 1;
            delays.extend(stamp.map(|s| at.saturating_sub(s) as f64 / 1e6));
            if figures.is_none() && begin.elapsed() > Duration::from_secs(seconds) {
                let cpu = (cpu_of(pid) - spent) as f64 / begin.elapsed().as_nanos() as f64;
                figures = Some((cpu, lines as f64 / begin.elapsed().as_secs_f64(), memory_of(pid)));
                interrupt(&child);
            }
        }
        line.clear();
    }
    let _ = child.wait_with_output();
    let Some((cpu, rate, (own, maps))) = figures else {
        wrong.push(format!("{what}: no line came"));
        return;
    };
    delays.sort_by(f64::total_cmp);
    let at = |share: f64| delays.get((delays.len() as f64 * share) as usize).copied().unwrap_or(f64::NAN);
    println!(
        "100 events a second, {what}: event to line {:.1} ms median, {:.1} p99, {:.1} most ({} lines); {rate:.0} lines/s, \
         {:.2} % of a CPU, {:.1} MiB beyond {:.0} MiB of maps",
        at(0.5),
        at(0.99),
        delays.last().copied().unwrap_or(f64::NAN),
        delays.len(),
        cpu * 100.0,
        own as f64 / f64::from(1 << 20),
        maps as f64 / f64::from(1 << 20),
    );
    if (delays.len() as u64) < TURNS * seconds / 2 {
        wrong.push(format!("{what}: {} lines in {seconds} s, {} were made", delays.len(), TURNS * seconds));
    }
}

/// The whole machine written to a file: CPU and memory after ten seconds.
fn reel(dir: &Path) {
    let mut command = Command::new(SYSREEL);
    command.args(["--force", "-w"]).arg(dir.join("idle.reel")).stdin(Stdio::null()).stderr(Stdio::piped());
    let Ok(child) = command.spawn() else { return };
    std::thread::sleep(Duration::from_secs(2));
    let (begin, spent) = (Instant::now(), cpu_of(child.id()));
    std::thread::sleep(Duration::from_secs(8));
    let cpu = (cpu_of(child.id()) - spent) as f64 / begin.elapsed().as_nanos() as f64;
    let (own, maps) = memory_of(child.id());
    interrupt(&child);
    let said = child.wait_with_output().map(|o| o.stderr).unwrap_or_default();
    let totals = Totals::find(&said).unwrap_or_default();
    println!(
        "the whole machine to a reel for 10 s: {} events, {} lost, {:.2} % of a CPU, {:.1} MiB beyond {:.0} MiB of maps",
        totals.shown,
        totals.lost,
        cpu * 100.0,
        own as f64 / f64::from(1 << 20),
        maps as f64 / f64::from(1 << 20),
    );
}

/// Lines a second, one CPU making calls as fast as it can.
fn printed(dir: &Path, wrong: &mut Vec<String>) {
    let (mut rates, mut shares, mut calls) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..if long() { 7 } else { 3 } {
        let Some(mut spin) = me("--spin") else { return };
        let out = dir.join("lines");
        let _ = fs::remove_file(&out);
        let mut command = Command::new(SYSREEL);
        command
            .args(["--pid", &spin.0.id().to_string(), "-o"])
            .arg(&out)
            .stdin(Stdio::null())
            .stderr(Stdio::piped());
        let Ok(child) = command.spawn() else { return };
        let begin = Instant::now();
        while !out.exists() && begin.elapsed() < Duration::from_secs(20) {
            std::thread::sleep(Duration::from_millis(20));
        }
        std::thread::sleep(Duration::from_millis(200));
        let begin = Instant::now();
        let told = spin.0.stdin.take().map(|mut i| i.write_all(b"3\n"));
        let mut answer = String::new();
        let heard = spin.0.stdout.take().map(|o| BufReader::new(o).read_line(&mut answer));
        interrupt(&child);
        let said = child.wait_with_output().map(|o| o.stderr).unwrap_or_default();
        let seconds = begin.elapsed().as_secs_f64();
        let made: u64 = answer.split(' ').next().and_then(|n| n.parse().ok()).unwrap_or(0);
        let (Some(_), Some(_), Some(totals)) = (told, heard, Totals::find(&said)) else {
            wrong.push(format!("lines: {}", String::from_utf8_lossy(&said)));
            return;
        };
        if totals.events + totals.lost < made {
            wrong.push(format!("lines: {made} calls made, {totals:?}"));
        }
        rates.push(totals.shown as f64 / seconds / 1e6);
        calls.push(made as f64 / 3e6);
        shares.push(100.0 * totals.lost as f64 / made.max(1) as f64);
    }
    let ((rate, least, most), share) = (spread(&rates), spread(&shares).0);
    println!(
        "one CPU flat out, text to a file: {rate:.2} M lines/s ({least:.2}..{most:.2}), lost {share:.2} %; \
         {:.2} M calls/s were made (medians of {})",
        spread(&calls).0,
        rates.len()
    );
}
