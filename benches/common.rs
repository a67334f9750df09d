//! What the benchmarks need: the program, its totals, a little statistics, a table.
#![allow(dead_code, reason = "each benchmark uses its part")]
#![allow(clippy::print_stdout, reason = "a benchmark is a program that prints")]

use std::path::Path;
use std::process::{Command, Output, Stdio};

use sysreel::reel::Stored;
use sysreel::schema::Schema;

/// The program, built with the profile of the benchmark, which is that of a release.
pub const SYSREEL: &str = env!("CARGO_BIN_EXE_sysreel");

/// True if `cargo bench -- --long` was asked for.
pub fn long() -> bool {
    std::env::args().any(|a| a == "--long")
}

/// `N events, M shown, K lost`, the last line of every run.
#[derive(Clone, Copy, Debug, Default)]
pub struct Totals {
    /// Events that became rows.
    pub events: u64,
    /// Of these, shown or written.
    pub shown: u64,
    /// Lost.
    pub lost: u64,
}

impl Totals {
    /// Finds the line in what the program said on stderr.
    pub fn find(stderr: &[u8]) -> Option<Totals> {
        let text = String::from_utf8_lossy(stderr);
        text.lines().rev().find_map(|line| {
            let line = line.strip_prefix("sysreel: ").unwrap_or(line);
            let mut parts = line.split(", ");
            let mut number = |word: &str| -> Option<u64> {
                let part = parts.next()?;
                part.ends_with(word).then(|| part.split(' ').next()?.parse().ok())?
            };
            let (events, shown) = (number("events")?, number("")?);
            Some(Totals { events, shown, lost: number("lost")? })
        })
    }
}

/// Runs the program to its end.
pub fn sysreel(args: &[&str]) -> Output {
    Command::new(SYSREEL).args(args).stdin(Stdio::null()).output().expect("the program starts")
}

/// Events in a reel that a filter holds for.
pub fn count(reel: &Path, filter: &str) -> Totals {
    let out = sysreel(&["-q", "-r", &reel.to_string_lossy(), filter]);
    Totals::find(&out.stderr)
        .unwrap_or_else(|| panic!("no totals of {filter}: {}", String::from_utf8_lossy(&out.stderr)))
}

/// CPU time of the calling thread, ns.
pub fn cpu_time() -> u64 {
    let t = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    t.tv_sec as u64 * 1_000_000_000 + t.tv_nsec as u64
}

/// The smallest CPU time of `rounds` runs, ns.
pub fn least<T>(rounds: usize, mut f: impl FnMut() -> T) -> f64 {
    let mut best = u64::MAX;
    for _ in 0..rounds {
        let begin = cpu_time();
        std::hint::black_box(f());
        best = best.min(cpu_time() - begin);
    }
    best as f64
}

/// CPU time of all threads of a process, ns.
pub fn cpu_of(pid: u32) -> u64 {
    let Ok(tasks) = std::fs::read_dir(format!("/proc/{pid}/task")) else { return 0 };
    tasks
        .flatten()
        .filter_map(|t| {
            std::fs::read_to_string(t.path().join("schedstat")).ok()?.split(' ').next()?.parse::<u64>().ok()
        })
        .sum()
}

/// Resident bytes of a process without the maps of the probe: `(all but them, them)`.
pub fn memory_of(pid: u32) -> (u64, u64) {
    let (mut own, mut maps, mut is_map) = (0, 0, false);
    for line in std::fs::read_to_string(format!("/proc/{pid}/smaps")).unwrap_or_default().lines() {
        if let Some(rss) = line.strip_prefix("Rss:") {
            let bytes =
                rss.trim().strip_suffix(" kB").and_then(|n| n.parse::<u64>().ok()).unwrap_or(0) * 1024;
            *(if is_map { &mut maps } else { &mut own }) += bytes;
        } else if line.split(' ').next().is_some_and(|w| w.contains('-')) {
            is_map = line.contains("anon_inode:bpf-map");
        }
    }
    (own, maps)
}

/// The median, and the least and the most.
pub fn spread(values: &[f64]) -> (f64, f64, f64) {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = |i: usize| sorted.get(i).copied().unwrap_or(f64::NAN);
    let half = sorted.len() / 2;
    let middle =
        if sorted.len().is_multiple_of(2) { (at(half.wrapping_sub(1)) + at(half)) / 2.0 } else { at(half) };
    (middle, at(0), at(sorted.len().wrapping_sub(1)))
}

/// Load average of the last minute, which tells how far times can be believed.
pub fn load() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().unwrap_or_default().to_owned()
}

/// The kind of machine, as far as it matters to who compares.
pub fn machine() -> String {
    // Not what this thread may use: it may be pinned.
    let online = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let cpus = online.lines().filter(|l| l.starts_with("processor")).count();
    format!("{cpus} cores, {}", rustix::system::uname().release().to_string_lossy())
}

/// What a plain writer would store: rows of 80 bytes (time, latency, call, result, six words), their items behind them.
pub fn plain_rows(all: &[Stored], schema: &Schema) -> Vec<u8> {
    let mut rows = Vec::new();
    for block in all {
        let b = block.view(schema);
        for row in 0..b.rows {
            let words = b.words_of(row);
            let head = [b.time[row], b.latency[row], u64::from(b.call[row]), b.ret[row] as u64];
            for v in head.into_iter().chain((0..6).map(|i| words.get(i).copied().unwrap_or(0))) {
                rows.extend_from_slice(&v.to_le_bytes());
            }
            for item in b.items_of(row) {
                rows.extend_from_slice(b.bytes(*item).unwrap_or_default());
            }
        }
    }
    rows
}
