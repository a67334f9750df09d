//! A capture that is killed at any moment leaves files that can be read up to their last whole block, and that say when they
//! have no end. `SYSREEL_SWEEP=all` kills a thousand, and at a hundred turns of files.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use sysreel::batch::Columns;
use sysreel::reel::{Block, Reader, Reason};

use super::rig::{alone, loudly, reread};
use crate::cli::sysreel;
use crate::samples::Dice;

fn all() -> bool {
    std::env::var_os("SYSREEL_SWEEP").is_some_and(|v| v == "all")
}

/// Does each of `count` things with dice of its own; in the long form six at a time, as most of each is waiting.
fn each<T: Send>(count: usize, one: impl Fn(usize, &mut Dice) -> T + Sync) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut mine = Vec::new();
        loop {
            let n = next.fetch_add(1, Ordering::Relaxed);
            if n >= count {
                return mine;
            }
            let mut dice = Dice((n as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
            mine.push(one(n, &mut dice));
        }
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..if all() { 6 } else { 1 }).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|w| w.join().unwrap()).collect()
    })
}

/// Something to capture: this process, as it opens and reads.
struct Busy(Arc<AtomicBool>, Option<JoinHandle<()>>);

impl Busy {
    fn new() -> Busy {
        let over = Arc::new(AtomicBool::new(false));
        let seen = over.clone();
        let thread = std::thread::spawn(move || {
            while !seen.load(Ordering::Relaxed) {
                for _ in 0..50 {
                    fs::read("/proc/self/stat").unwrap();
                }
                std::thread::sleep(Duration::from_millis(1));
            }
        });
        Busy(over, Some(thread))
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
        self.1.take().map(JoinHandle::join);
    }
}

/// A capture of this process.
fn capture(path: &Path, more: &[&str]) -> Child {
    sysreel()
        .args(["--pid", &std::process::id().to_string(), "-w"])
        .arg(path)
        .args(more)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Waits for a file that has something in it, closely.
fn wait_for(path: &Path, child: &mut Child) {
    let begin = Instant::now();
    while fs::metadata(path).map_or(0, |m| m.len()) == 0 {
        assert!(begin.elapsed() < Duration::from_secs(30), "no {}", path.display());
        assert!(child.try_wait().unwrap().is_none(), "the capture ended");
        std::thread::sleep(Duration::from_micros(100));
    }
}

/// How a file ends.
#[derive(PartialEq, Eq, Debug)]
enum End {
    Written,
    Missing,
    InsideBlock,
}

/// Reads what a kill left: numbers of its events without a gap, and nothing damaged but the end.
fn left(path: &Path) -> (Vec<usize>, End) {
    let (code, lines, err) = reread(path, &["-p", "%evt.num"]);
    let end = match code {
        0 if err.contains("has no end block") => End::Missing,
        0 => End::Written,
        4 if err.contains("cut off in block") => End::InsideBlock,
        // Killed between the making of the file and its first byte.
        4 if err.contains("the input is empty") => End::Missing,
        _ => panic!("status {code}: {err}"),
    };
    let numbers: Vec<usize> = lines.iter().map(|l| l.parse().unwrap()).collect();
    assert!(numbers.windows(2).all(|w| w[0] + 1 == w[1]), "a gap in {}", path.display());
    // Damage is nowhere but at the end.
    let Ok(mut reader) = Reader::new(File::open(path).unwrap()) else {
        assert!(numbers.is_empty());
        return (numbers, end);
    };
    let (mut cut, mut rows) = (false, 0);
    loop {
        match reader.next() {
            Ok(Some(Block::Event(mut block))) => {
                assert!(!cut);
                block.load(Columns::ALL).unwrap();
                rows += block.rows();
            }
            Ok(Some(Block::End(_))) => assert_eq!(end, End::Written),
            Ok(Some(Block::Snapshot(_) | Block::Containers(_))) => {}
            Ok(None) => break,
            Err(damage) => {
                assert_eq!(damage.reason, Reason::Cut);
                cut = true;
            }
        }
    }
    assert_eq!((cut, rows), (end == End::InsideBlock, numbers.len()));
    (numbers, end)
}

#[test]
fn a_killed_capture_loses_its_open_block_at_most() {
    let _alone = alone!();
    let kills = if all() { 1000 } else { 12 };
    let dir = tempfile::tempdir().unwrap();
    let _busy = Busy::new();
    let done = each(kills, |kill, d| {
        // Blocks of a second, and blocks at every drain: of those a kill meets many.
        let (more, longest): (&[&str], u64) =
            if kill % 4 == 0 { (&[], 2_500_000) } else { (&["-U"], 300_000) };
        let path = dir.path().join(format!("t{kill}.reel"));
        let mut child = capture(&path, more);
        wait_for(&path, &mut child);
        std::thread::sleep(Duration::from_micros(d.below(longest)));
        child.kill().unwrap();
        child.wait().unwrap();
        let (numbers, end) = left(&path);
        assert!(numbers.first().is_none_or(|n| *n == 1), "kill {kill}");
        assert_ne!(end, End::Written, "an end that nobody wrote");
        fs::remove_file(&path).unwrap();
        (numbers.len(), end)
    });
    assert_eq!(done.len(), kills);
    if all() {
        let events: usize = done.iter().map(|(events, _)| events).sum();
        let count = |how: End| done.iter().filter(|(_, end)| *end == how).count();
        let (between, cut) = (count(End::Missing), count(End::InsideBlock));
        loudly(&format!(
            "killed: {kills} captures, {events} events read; {between} ended between two blocks, {cut} inside one"
        ));
    }
}

#[test]
fn a_capture_killed_as_files_turn_keeps_those_before_whole() {
    let _alone = alone!();
    let turns = if all() { 100 } else { 8 };
    let _busy = Busy::new();
    let done = each(turns, |turn, d| {
        let (mut events, mut ends) = (0, [0; 3]);
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("t.reel");
        let mut child = capture(&path, &["-C", "64k", "-U"]);
        // At the moment at which a file is made, or shortly after.
        let name = |n: usize| -> PathBuf { dir.path().join(format!("t-{n:06}.reel")) };
        let last = 2 + turn % 5;
        wait_for(&name(last), &mut child);
        std::thread::sleep(Duration::from_micros(d.below(400)));
        child.kill().unwrap();
        child.wait().unwrap();
        let mut next = 1;
        let there = fs::read_dir(dir.path()).unwrap().count();
        assert!(there >= last, "turn {turn}");
        for n in 1..=there {
            let (numbers, end) = left(&name(n));
            // Those before are whole, but the one that was being ended.
            assert!(n + 1 >= there || end == End::Written, "turn {turn}, file {n} of {there}: {end:?}");
            if let (Some(first), Some(last)) = (numbers.first(), numbers.last()) {
                assert_eq!(*first, next, "turn {turn}, file {n}");
                next = last + 1;
            }
            events += numbers.len();
            ends[end as usize] += 1;
        }
        (events, ends)
    });
    assert_eq!(done.len(), turns);
    if all() {
        let events: usize = done.iter().map(|(events, _)| events).sum();
        let ends = [0, 1, 2].map(|end| done.iter().map(|(_, ends)| ends[end]).sum::<usize>());
        let files: usize = ends.iter().sum();
        loudly(&format!(
            "killed as files turned: {turns} captures, {files} files, {events} events read; {} files with an end, {} without, {} cut inside a block",
            ends[0], ends[1], ends[2]
        ));
    }
}
