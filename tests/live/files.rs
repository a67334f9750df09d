//! Captures that rotate, that signals steer, that meet a full disk.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::rig::{actor, alone, within};
use crate::cli::sysreel;

/// What is in a directory, sorted by name.
fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        std::fs::read_dir(dir).unwrap().flatten().map(|e| e.file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Status and events of a reel by a filter.
fn events(file: &Path, filter: &str) -> (i32, u64) {
    let done = sysreel().arg("-r").arg(file).args(["-p", "%evt.num", filter]).output().unwrap();
    (done.status.code().unwrap(), done.stdout.iter().filter(|b| **b == b'\n').count() as u64)
}

fn signal(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).unwrap();
}

fn pause(ms: u64) {
    std::thread::sleep(Duration::from_millis(ms));
}

/// Waits until a condition holds; the machine may be busy.
fn until(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..600 {
        if holds() {
            return;
        }
        pause(50);
    }
    panic!("{what} does not happen");
}

#[test]
fn pieces_have_all_events_once() {
    let _alone = alone!();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("t.reel");
    let done = sysreel()
        .args(["run", "-w"])
        .arg(&file)
        .args(["-C", "100k", "evt.type = close and evt.failed = true or evt.type = getppid", "--"])
        .args(actor("rare"))
        .output()
        .unwrap();
    let err = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(done.status.success(), "{err}");
    let names = names(dir.path());
    assert!(names.len() > 2 && names[0] == "t-000001.reel", "{names:?}");
    let mut all = 0;
    for name in &names {
        let path = dir.path().join(name);
        let (status, n) = events(&path, "");
        assert_eq!(status, 0, "{name}: {n}");
        all += n;
    }
    assert!(err.contains(&format!(" {all} written, 0 lost")), "{all}: {err}");
}

/// Files begin with the seconds of the clock, also when nothing happens; signals ask for one, for totals, for a flush.
#[test]
fn clock_and_signals_turn_files() {
    let _alone = alone!();
    let dir = tempfile::tempdir().unwrap();
    let mut child = sysreel()
        .args(["--pid", &std::process::id().to_string(), "-G", "1", "-W", "3", "-w"])
        .arg(dir.path().join("%Y-t.reel"))
        .args(["evt.type = mount"])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    until("a fourth file", || names(dir.path()).iter().any(|n| n.ends_with("-000004.reel")));
    signal(&child, Signal::USR1);
    pause(100);
    let count = names(dir.path()).len();
    assert!((2..=4).contains(&count), "{:?}", names(dir.path()));
    signal(&child, Signal::INT);
    assert!(within(&mut child, Duration::from_secs(10)).unwrap().success());
    let mut err = String::new();
    std::io::Read::read_to_string(child.stderr.as_mut().unwrap(), &mut err).unwrap();
    assert!(err.contains("so far: 0 events"), "{err}");
    for name in names(dir.path()) {
        assert!(name.len() == "2026-t-000001.reel".len(), "{name}");
        assert_eq!(events(&dir.path().join(name), ""), (0, 0));
    }
}

#[test]
fn hang_up_begins_a_file_and_usr2_writes_what_there_is() {
    let _alone = alone!();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("t.reel");
    let mut child = sysreel()
        .args(["--pid", &std::process::id().to_string(), "-w"])
        .arg(&file)
        .args(["evt.type = getppid"])
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    until("the file", || file.exists());
    pause(300);
    let ask = || {
        let _ = rustix::process::getppid();
        pause(100);
    };
    ask();
    let before = std::fs::metadata(&file).unwrap().len();
    signal(&child, Signal::USR2);
    until("the block", || std::fs::metadata(&file).unwrap().len() > before);
    assert_eq!(events(&file, "").1, 1, "read while it grows");
    // As logrotate does it.
    std::fs::rename(&file, dir.path().join("t.old")).unwrap();
    signal(&child, Signal::HUP);
    until("the second file", || file.exists());
    ask();
    signal(&child, Signal::HUP);
    until("the third file", || names(dir.path()).len() == 3);
    signal(&child, Signal::INT);
    assert!(within(&mut child, Duration::from_secs(10)).unwrap().success());
    let found: Vec<(String, (i32, u64))> =
        names(dir.path()).into_iter().map(|n| (n.clone(), events(&dir.path().join(n), ""))).collect();
    let expected = [("t-000003.reel", (0, 0)), ("t.old", (0, 1)), ("t.reel", (0, 1))];
    assert_eq!(found, expected.map(|(n, e)| (n.to_owned(), e)));
}

#[test]
fn limits_end_a_capture() {
    let _alone = alone!();
    let start = std::time::Instant::now();
    let done = sysreel().args(["-q", "--stop", "duration:700ms", "evt.type = mount"]).output().unwrap();
    assert!(done.status.success() && start.elapsed() >= Duration::from_millis(700));
    let done = sysreel().args(["-q", "--stop", "duration:60s,events:5"]).output().unwrap();
    assert!(String::from_utf8_lossy(&done.stderr).contains(" 5 shown"));
}

/// A small disk of our own.
struct Disk(tempfile::TempDir);

impl Disk {
    fn new(kib: u32) -> Option<Disk> {
        let dir = tempfile::tempdir().unwrap();
        let done = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={kib}k"), "sysreel-test"])
            .arg(dir.path())
            .status();
        done.is_ok_and(|s| s.success()).then_some(Disk(dir))
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0.path()).status();
    }
}

/// A disk that is full at any point: never a success, the rest readable up to its last whole block, the loss told.
#[test]
fn a_full_disk_is_told_and_what_is_there_is_read() {
    let _alone = alone!();
    let source = tempfile::tempdir().unwrap();
    let whole = source.path().join("whole.reel");
    let done = sysreel().args(["run", "-w"]).arg(&whole).arg("--").args(actor("rare")).output().unwrap();
    assert!(done.status.success());
    let size = std::fs::metadata(&whole).unwrap().len();
    let total = events(&whole, "").1;
    let steps = if std::env::var_os("SYSREEL_LONG").is_some() { size / 4096 } else { 12 };
    for step in 0..steps {
        let kib = (size / 1024 * step / steps).max(4) as u32;
        let Some(disk) = Disk::new(kib) else { return super::rig::skip("a tmpfs cannot be mounted") };
        let copy = disk.0.path().join("copy.reel");
        let done = sysreel().arg("-r").arg(&whole).arg("-w").arg(&copy).output().unwrap();
        let err = String::from_utf8_lossy(&done.stderr).into_owned();
        assert_eq!(done.status.code(), Some(1), "{kib} KiB: {err}");
        assert!(err.contains("No space left"), "{kib} KiB: {err}");
        if !err.contains("events were not written") {
            assert!(err.contains("cannot write"), "{kib} KiB: {err}");
            continue;
        }
        let (status, n) = events(&copy, "");
        assert!(matches!(status, 0 | 4) && n < total, "{kib} KiB: {n} of {total}");
        assert!(err.contains(&format!("the {n} that were")), "{kib} KiB: {n}: {err}");
    }
}

/// With `--on-full drop-oldest` the newest stay.
#[test]
fn a_full_disk_may_cost_the_oldest_file() {
    let _alone = alone!();
    let source = tempfile::tempdir().unwrap();
    let whole = source.path().join("whole.reel");
    let done = sysreel().args(["run", "-w"]).arg(&whole).arg("--").args(actor("rate")).output().unwrap();
    assert!(done.status.success());
    let size = std::fs::metadata(&whole).unwrap().len();
    assert!(size > 1 << 20, "{size}: a file for several blocks");
    let Some(disk) = Disk::new((size / 2048) as u32) else {
        return super::rig::skip("a tmpfs cannot be mounted");
    };
    let pieces = (size / 10).to_string();
    let done = sysreel()
        .arg("-r")
        .arg(&whole)
        .arg("-w")
        .arg(disk.0.path().join("t.reel"))
        .args(["-C", &pieces, "--on-full", "drop-oldest"])
        .output()
        .unwrap();
    let err = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(done.status.success(), "{size}: {err}");
    let names = names(disk.0.path());
    assert!(names.len() > 1 && names[0] != "t-000001.reel", "{names:?}");
    let last = |file: &Path| {
        let out = sysreel().arg("-r").arg(file).args(["-p", "%evt.num"]).output().unwrap().stdout;
        String::from_utf8(out).unwrap().lines().last().map(str::to_owned)
    };
    assert_eq!(last(&disk.0.path().join(&names[names.len() - 1])), last(&whole), "the newest is there");
}
