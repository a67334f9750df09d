//! A capture that is killed at any moment leaves a file that can be read up to its last whole block, and that says that it
//! has no end. `SYSREEL_SWEEP=all` kills a hundred.

use std::fs::{self, File};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use sysreel::batch::Columns;
use sysreel::reel::{Block, Reader, Reason};

use super::rig::{alone, loudly, reread};
use crate::cli::sysreel;
use crate::samples::Dice;

#[test]
fn a_killed_capture_loses_its_open_block_at_most() {
    let _alone = alone!();
    let all = std::env::var_os("SYSREEL_SWEEP").is_some_and(|v| v == "all");
    let kills = if all { 100 } else { 10 };
    let dir = tempfile::tempdir().unwrap();
    // Something to capture: this process, as it opens and reads.
    let over = Arc::new(AtomicBool::new(false));
    let seen = over.clone();
    let busy = std::thread::spawn(move || {
        while !seen.load(Ordering::Relaxed) {
            for _ in 0..50 {
                fs::read("/proc/self/stat").unwrap();
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    });
    let mut d = Dice(0x6b11);
    let (mut cut, mut between, mut events) = (0, 0, 0);
    for kill in 0..kills {
        let path = dir.path().join(format!("{kill}.reel"));
        let mut child = sysreel()
            .args(["--pid", &std::process::id().to_string(), "-w"])
            .arg(&path)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // From the moment at which the file has something in it.
        let begin = Instant::now();
        while fs::metadata(&path).map_or(0, |m| m.len()) == 0 {
            assert!(begin.elapsed() < Duration::from_secs(20), "no file");
            assert!(child.try_wait().unwrap().is_none(), "the capture ended");
            std::thread::sleep(Duration::from_micros(200));
        }
        std::thread::sleep(Duration::from_micros(d.below(2_500_000)));
        child.kill().unwrap();
        child.wait().unwrap();

        let (code, lines, err) = reread(&path, &["-p", "%evt.num"]);
        let told = match code {
            0 => err.contains("has no end block"),
            4 => err.contains("cut off in block"),
            _ => false,
        };
        assert!(told, "status {code}: {err}");
        // Nothing is missing before the end.
        let numbers: Vec<usize> = lines.iter().map(|l| l.parse().unwrap()).collect();
        assert!(numbers.iter().copied().eq(1..=numbers.len()), "kill {kill}");
        events += numbers.len();
        if code == 0 {
            between += 1;
        } else {
            cut += 1;
        }
        // Damage is nowhere but at the end.
        let Ok(mut reader) = Reader::new(File::open(&path).unwrap()) else { continue };
        let (mut last, mut rows) = (false, 0);
        loop {
            match reader.next() {
                Ok(Some(Block::Event(mut block))) => {
                    assert!(!last);
                    block.load(Columns::ALL).unwrap();
                    rows += block.rows();
                }
                Ok(Some(Block::End(_))) => panic!("an end that nobody wrote"),
                Ok(None) => break,
                Err(damage) => {
                    assert_eq!(damage.reason, Reason::Cut);
                    last = true;
                }
            }
        }
        assert_eq!((last, rows), (code == 4, numbers.len()));
    }
    over.store(true, Ordering::Relaxed);
    busy.join().unwrap();
    if all {
        loudly(&format!(
            "killed: {kills} captures, {events} events read; {between} ended between two blocks, {cut} inside one"
        ));
    }
}
