//! What it costs real work to be traced, and what the tracer costs when there is little to trace.
//!
//! First the work: tar, find, a compiler, redis and nginx with a client each, untraced and under sysreel, perf and strace,
//! each in turn in every round, the order of turns going round, for some four minutes. sysreel and perf trace the whole
//! machine, strace what the load is made of. Speeds of a round are compared with the untraced speed of the same round.
//! Then the idle figures (`idle.rs`). `-- work` or `-- idle` runs one part, `-- --long` takes longer.
//!
//! Times are never judged here; a capture that lacks what certainly happened, and did not say so, ends in a failure.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark is a program that prints")]

mod common;
mod idle;
mod loads;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use common::{SYSREEL, Totals, count, cpu_of, load, long, machine, spread};
use loads::{LOADS, Load, Score, Site};
use rustix::process::{Pid, Signal, kill_process};

/// Who traces.
#[derive(Clone, Copy, PartialEq)]
enum By {
    Nobody,
    Sysreel(&'static [&'static str]),
    PerfRecord,
    PerfTrace,
    Strace,
}

const WAYS: [(&str, By); 6] = [
    ("untraced", By::Nobody),
    ("sysreel -w", By::Sysreel(&[])),
    ("sysreel -w --no-latency", By::Sysreel(&["--no-latency"])),
    ("perf record raw_syscalls", By::PerfRecord),
    ("perf trace -o", By::PerfTrace),
    ("strace -f -o", By::Strace),
];

/// What all rounds of one way and one load gave.
#[derive(Default)]
struct Seen {
    speed: Vec<f64>,
    /// Of the untraced speed of the same round.
    kept: Vec<f64>,
    /// CPU time that a unit takes more than untraced in the same round: 1.1 is a tenth more.
    cpu: Vec<f64>,
    /// Bytes that a call takes in what was written.
    bytes: Vec<f64>,
    /// CPUs that the tracer took.
    cpus: Vec<f64>,
    calls: u64,
    lost: u64,
}

/// A tracer at work.
struct Tracer {
    children: Vec<Child>,
    file: PathBuf,
}

impl Tracer {
    /// Starts one that needs no command, and waits until `ready` says so of its directory in /proc, three times: what it
    /// only passes through is seen once.
    fn start(command: &mut Command, file: PathBuf, ready: fn(&Path) -> bool) -> Option<Tracer> {
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().ok()?;
        let place = PathBuf::from(format!("/proc/{}", child.id()));
        let mut tracer = Tracer { children: vec![child], file };
        let (begin, mut seen) = (Instant::now(), 0);
        while begin.elapsed() < Duration::from_secs(20) && seen < 3 {
            seen += usize::from(ready(&place));
            if tracer.children.iter_mut().any(|c| c.try_wait().is_ok_and(|s| s.is_some())) {
                return None;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Some(tracer)
    }

    /// strace on what is there already; what is started is told to begin with what is given back.
    fn strace(servers: &[u32], file: PathBuf) -> Option<(Tracer, Vec<String>)> {
        let mut tracer = Tracer { children: Vec::new(), file };
        if !servers.is_empty() {
            let mut command = Command::new("strace");
            command.args(["-f", "-q", "-o"]).arg(tracer.file.with_extension("servers"));
            for pid in servers {
                command.args(["-p", &pid.to_string()]);
            }
            let child =
                command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().ok()?;
            let traced = format!("TracerPid:\t{}\n", child.id());
            tracer.children.push(child);
            let begin = Instant::now();
            while !servers.iter().all(|pid| {
                fs::read_to_string(format!("/proc/{pid}/status")).is_ok_and(|s| s.contains(&traced))
            }) {
                if begin.elapsed() > Duration::from_secs(10) {
                    return None;
                }
                std::thread::sleep(Duration::from_millis(5));
            }
        }
        let words = ["strace", "-f", "-q", "-o", &tracer.file.to_string_lossy()].map(str::to_owned);
        Some((tracer, words.to_vec()))
    }

    fn cpu(&self) -> u64 {
        self.children.iter().map(|c| cpu_of(c.id())).sum()
    }

    /// Ends it and waits. What it said on stderr.
    fn stop(self) -> Vec<u8> {
        let mut said = Vec::new();
        for child in self.children {
            if let Some(pid) = Pid::from_raw(child.id() as i32) {
                let _ = kill_process(pid, Signal::INT);
            }
            said.extend(child.wait_with_output().map(|o| o.stderr).unwrap_or_default());
        }
        said
    }
}

/// sysreel: it sleeps between two looks at its rings, and nowhere before.
fn sleeps(place: &Path) -> bool {
    let call = fs::read_to_string(place.join("syscall")).unwrap_or_default();
    ["230 ", "115 "].iter().any(|s| call.starts_with(s))
}

/// perf: it has opened its events. That of the whole machine never sleeps, as it sees itself write.
fn has_events(place: &Path) -> bool {
    let open = fs::read_dir(place.join("fd")).into_iter().flatten().flatten();
    let names = open.filter_map(|f| fs::read_link(f.path()).ok());
    names.filter(|n| n.to_string_lossy().contains("[perf_event]")).count() >= 4
}

/// Calls that the file of a tracer holds, and bytes of that file.
fn calls_in(by: By, file: &Path, said: &[u8]) -> Option<(u64, u64)> {
    let size = |path: &Path| fs::metadata(path).map_or(0, |m| m.len());
    let said = String::from_utf8_lossy(said);
    let lines = |path: &Path| {
        let text = fs::read(path).unwrap_or_default();
        let resumed = b" resumed>";
        let one = |line: &&[u8]| line.contains(&b'(') && !line.windows(resumed.len()).any(|w| w == resumed);
        text.split(|b| *b == b'\n').filter(one).count() as u64
    };
    match by {
        By::Nobody => None,
        By::Sysreel(_) => Some((Totals::find(said.as_bytes())?.shown, size(file))),
        // Two samples are a call.
        By::PerfRecord => {
            let samples = said.split(" samples)").next()?.rsplit('(').next()?;
            Some((samples.trim_start_matches('~').parse::<u64>().ok()? / 2, size(file)))
        }
        By::PerfTrace => Some((lines(file), size(file))),
        By::Strace => {
            let servers = file.with_extension("servers");
            Some((lines(file) + lines(&servers), size(file) + size(&servers)))
        }
    }
}

/// One load in one way, once.
fn turn(
    site: &Site,
    dir: &Path,
    by: By,
    kind: Load,
    seen: &mut Seen,
    wrong: &mut Vec<String>,
) -> Option<Score> {
    let file = dir.join("traced");
    let _ = fs::remove_file(&file);
    let _ = fs::remove_file(file.with_extension("servers"));
    let mut before = Vec::new();
    let tracer = match by {
        By::Nobody => None,
        By::Sysreel(args) => {
            let mut command = Command::new(SYSREEL);
            command.args(args).arg("--force").arg("-w").arg(&file);
            Some(Tracer::start(&mut command, file.clone(), sleeps)?)
        }
        By::PerfRecord => {
            let mut command = Command::new("perf");
            command.args(["record", "-a", "-e", "raw_syscalls:*", "--exclude-perf", "-o"]).arg(&file);
            Some(Tracer::start(&mut command, file.clone(), has_events)?)
        }
        By::PerfTrace => {
            let mut command = Command::new("perf");
            command.args(["trace", "-a", "-o"]).arg(&file);
            Some(Tracer::start(&mut command, file.clone(), has_events)?)
        }
        By::Strace => {
            let (tracer, words) = Tracer::strace(&site.servers(kind), file.clone())?;
            before = words;
            Some(tracer)
        }
    };
    let slow = matches!(by, By::Strace | By::PerfTrace);
    let (spent, begin) = (tracer.as_ref().map_or(0, Tracer::cpu), Instant::now());
    let score = site.run(kind, &before, slow);
    let (wall, spent) = (begin.elapsed(), tracer.as_ref().map_or(0, Tracer::cpu) - spent);
    let said = tracer.map_or(Vec::new(), Tracer::stop);
    let score = score?;
    seen.speed.push(score.speed);
    if by == By::Nobody {
        return Some(score);
    }
    if by != By::Strace {
        seen.cpus.push(spent as f64 / wall.as_nanos() as f64);
    }
    let (calls, bytes) = calls_in(by, &file, &said).unwrap_or((0, 0));
    seen.calls += calls;
    if calls > 0 {
        seen.bytes.push(bytes as f64 / calls as f64);
    }
    if let By::Sysreel(_) = by {
        check(kind, score, &file, &said, seen, wrong);
    }
    Some(score)
}

/// Is there in a reel what certainly happened, and does it say what it lacks?
fn check(kind: Load, score: Score, reel: &Path, said: &[u8], seen: &mut Seen, wrong: &mut Vec<String>) {
    let name = kind.name();
    let Some(totals) = Totals::find(said) else {
        wrong.push(format!("{name}: no totals: {}", String::from_utf8_lossy(said)));
        return;
    };
    seen.lost += totals.lost;
    let held = count(reel, "");
    if held.shown != totals.shown || held.lost != totals.lost {
        wrong.push(format!("{name}: written {totals:?}, reread {held:?}"));
    }
    let found = count(reel, kind.certain()).shown;
    if found + totals.lost < score.certain {
        wrong.push(format!(
            "{name}: {} of `{}` certain, {found} found, {totals:?}",
            score.certain,
            kind.certain()
        ));
    }
}

/// All loads in all ways.
fn work(dir: &Path, wrong: &mut Vec<String>) {
    let site = Site::new(dir);
    let limit = Duration::from_secs(if long() { 900 } else { 200 });
    let mut all: Vec<Vec<Seen>> = LOADS.map(|_| WAYS.iter().map(|_| Seen::default()).collect()).into();
    let (begin, before) = (Instant::now(), load());
    let mut rounds = 0;
    while begin.elapsed() < limit {
        let round = rounds;
        rounds += 1;
        for (kind, seen) in LOADS.into_iter().zip(&mut all) {
            eprintln!("{:>5.0} s: round {rounds}, {}", begin.elapsed().as_secs_f64(), kind.name());
            let mut scores = [None; WAYS.len()];
            for i in 0..WAYS.len() {
                let at = (i + round) % WAYS.len();
                let by = WAYS[at].1;
                // The slow ones need no more rounds: what they cost is far from what varies.
                if round >= 2 && matches!(by, By::Strace | By::PerfTrace) {
                    continue;
                }
                scores[at] = turn(&site, dir, by, kind, &mut seen[at], wrong);
                eprintln!("{:>7.1} {}", begin.elapsed().as_secs_f64(), WAYS[at].0);
            }
            for (seen, score) in seen.iter_mut().zip(scores) {
                if let (Some(alone), Some(score)) = (scores[0], score) {
                    seen.kept.push(score.speed / alone.speed);
                    seen.cpu.push(score.cpu / alone.cpu);
                }
            }
        }
    }
    println!(
        "\nwork, {rounds} rounds ({}), {:.0} s, load {before} before and {} after",
        machine(),
        begin.elapsed().as_secs_f64(),
        load()
    );
    println!(
        "kept: speed of the untraced in the same round, median (least..most); its CPU: times the CPU time that the work"
    );
    println!(
        "takes untraced, without the tracer; lost: of a million calls; times reel's: bytes a call, beside the first line"
    );
    for (kind, seen) in LOADS.iter().zip(&all) {
        print_table(*kind, seen);
    }
}

fn print_table(kind: Load, seen: &[Seen]) {
    let (alone, least, most) = spread(&seen[0].speed);
    if seen[0].speed.is_empty() {
        println!("\n{}: not measured, a program is missing", kind.name());
        return;
    }
    println!("\n{}: untraced {} a second ({}..{})", kind.name(), figure(alone), figure(least), figure(most));
    println!(
        "{:<26} {:>8} {:>20} {:>9} {:>12} {:>9} {:>8} {:>14} {:>12}",
        "", "kept", "", "its CPU", "calls", "lost", "bytes/call", "times reel's", "tracer CPUs"
    );
    let reel = spread(&seen[1].bytes).0;
    for ((name, by), seen) in WAYS.iter().zip(seen).skip(1) {
        if seen.kept.is_empty() {
            println!("{name:<26} cannot be measured here");
            continue;
        }
        let (kept, least, most) = spread(&seen.kept);
        let (bytes, cpus) = (spread(&seen.bytes).0, spread(&seen.cpus).0);
        let lost = match by {
            By::Sysreel(_) => format!("{:.1}", seen.lost as f64 * 1e6 / (seen.calls + seen.lost) as f64),
            _ => String::new(),
        };
        println!(
            "{name:<26} {kept:>8.3} {:>20} {:>9.2} {:>12} {lost:>9} {bytes:>8.1} {:>14.1} {:>12}",
            format!("({least:.3}..{most:.3})"),
            spread(&seen.cpu).0,
            seen.calls,
            bytes / reel,
            if cpus.is_nan() { String::new() } else { format!("{cpus:.2}") },
        );
    }
}

fn figure(speed: f64) -> String {
    if speed < 100.0 { format!("{speed:.2}") } else { format!("{speed:.0}") }
}

fn main() -> ExitCode {
    if idle::actor() {
        return ExitCode::SUCCESS;
    }
    let asked = |part: &str| std::env::args().any(|a| a == part);
    // Memory, not a disk: what others write there would be measured.
    let memory = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
    let dir = memory.expect("a directory for what is written");
    let file = dir.path().join("first");
    let mut first = Command::new(SYSREEL);
    let Some(first) = Tracer::start(first.arg("-w").arg(&file), file.clone(), sleeps) else {
        println!("work: not measured, the probe cannot be loaded here");
        return ExitCode::SUCCESS;
    };
    first.stop();
    let mut wrong = Vec::new();
    if !asked("idle") {
        work(dir.path(), &mut wrong);
    }
    if !asked("work") {
        idle::run(dir.path(), &mut wrong);
    }
    for failure in &wrong {
        println!("WRONG: {failure}");
    }
    if wrong.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
