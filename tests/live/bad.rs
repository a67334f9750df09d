//! What can go wrong around a capture: said plainly, with what is whole kept, and never a panic.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use super::rig::{actor, alone, reread, run, skip};

#[test]
fn a_reel_is_private_and_replaces_nothing() {
    let _alone = alone!();
    let dir = tempfile::tempdir().unwrap();
    let reel = dir.path().join("t.reel");
    let name = reel.to_str().unwrap();
    fs::write(&reel, "precious").unwrap();
    let refused = run(&["-w", name], &["true"]);
    assert_eq!(refused.status.code(), Some(125), "a run that did not start: {}", refused.stderr);
    assert!(refused.stderr.contains("--force"), "{}", refused.stderr);
    let refused = crate::cli::sysreel().args(["-w", name, "-c", "1"]).output().unwrap();
    assert_eq!(refused.status.code(), Some(1));
    assert_eq!(fs::read_to_string(&reel).unwrap(), "precious");

    let done = run(&["--force", "-w", name], &["true"]);
    assert_eq!(done.status.code(), Some(0), "{}", done.stderr);
    assert_eq!(fs::metadata(&reel).unwrap().permissions().mode() & 0o7777, 0o600);
    assert!(reread(&reel, &[]).1[0].contains(" execve("));
    // Not through a link either.
    let (link, target) = (dir.path().join("link"), dir.path().join("target"));
    std::os::unix::fs::symlink(&target, &link).unwrap();
    let refused = run(&["-w", link.to_str().unwrap()], &["true"]);
    assert_eq!(refused.status.code(), Some(125), "{}", refused.stderr);
    assert!(!target.exists());
}

#[test]
fn a_damaged_reel_gives_its_whole_blocks() {
    let _alone = alone!();
    let dir = tempfile::tempdir().unwrap();
    let reel = dir.path().join("t.reel");
    // More than two blocks.
    run(&["-w", reel.to_str().unwrap()], &actor("rare"));
    let bytes = fs::read(&reel).unwrap();
    let (status, whole, _) = reread(&reel, &[]);
    assert_eq!(status, 0);
    // A third is missing; and a cut in the middle of the end, which costs no event.
    for (length, some) in [(bytes.len() * 2 / 3, true), (bytes.len() - 10, true), (100, false)] {
        let cut = dir.path().join("cut");
        fs::write(&cut, &bytes[..length]).unwrap();
        let (status, lines, err) = reread(&cut, &[]);
        assert_eq!(status, 4, "{length}: {err}");
        assert!(err.contains("cut"), "{err}");
        assert_eq!(lines.is_empty(), !some, "{length} of {}: {err}", bytes.len());
        assert!(
            lines.len() <= whole.len() && lines[..] == whole[..lines.len()],
            "the first blocks, as they are"
        );
    }
    // Damage in the middle costs its block alone.
    let mut hurt = bytes.clone();
    let middle = hurt.len() / 2;
    hurt[middle] ^= 0x55;
    let file = dir.path().join("hurt");
    fs::write(&file, &hurt).unwrap();
    let (status, lines, err) = reread(&file, &[]);
    assert_eq!(status, 4, "{err}");
    assert!(!lines.is_empty() && lines.len() < whole.len(), "{} of {}: {err}", lines.len(), whole.len());

    for foreign in [&b"no reel at all, but a text"[..], b""] {
        fs::write(&file, foreign).unwrap();
        let (status, lines, err) = reread(&file, &[]);
        assert_eq!((status, lines.len()), (4, 0), "{err}");
        assert!(!err.contains("panicked"), "{err}");
    }
}

/// A file system of 256 KiB, until it is dropped.
struct Tiny(tempfile::TempDir);

impl Tiny {
    fn new() -> Option<Tiny> {
        let dir = tempfile::tempdir().unwrap();
        let mount =
            Command::new("mount").args(["-t", "tmpfs", "-o", "size=256k", "tmpfs"]).arg(dir.path()).status();
        mount.is_ok_and(|s| s.success()).then_some(Tiny(dir))
    }
    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for Tiny {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.path()).status();
    }
}

#[test]
fn a_full_disk_is_told_with_what_it_cost() {
    let _alone = alone!();
    let Some(tiny) = Tiny::new() else { return skip("no file system can be mounted here") };
    let reel = tiny.path().join("t.reel");
    let done = run(&["-w", reel.to_str().unwrap()], &actor("rate"));
    assert_eq!(done.status.code(), Some(1), "{}", done.stderr);
    assert!(done.stderr.contains("No space left"), "{}", done.stderr);
    let told = done
        .stderr
        .lines()
        .find(|l| l.contains("were not written"))
        .unwrap_or_else(|| panic!("{}", done.stderr));
    let numbers: Vec<usize> = told.split_whitespace().filter_map(|w| w.parse().ok()).collect();
    let [missing, written] = numbers[..] else { panic!("{told}") };
    assert!(missing > 0, "{told}");
    let (status, lines, err) = reread(&reel, &[]);
    assert_eq!((status, lines.len()), (4, written), "{told}: {err}");

    // Into a file of text as well, and nobody has to stop it.
    let text = tiny.path().join("text");
    let _ = fs::remove_file(&reel);
    let mut child = crate::cli::sysreel().arg("-o").arg(&text).stderr(Stdio::piped()).spawn().unwrap();
    let mut load =
        Command::new("sh").args(["-c", "while :; do cat /etc/passwd > /dev/null; done"]).spawn().unwrap();
    let status = super::rig::within(&mut child, std::time::Duration::from_secs(10));
    load.kill().unwrap();
    load.wait().unwrap();
    assert_eq!(status.and_then(|s| s.code()), Some(1));
}

#[test]
fn without_privilege_it_says_what_is_missing() {
    let _alone = alone!();
    if !rustix::process::geteuid().is_root() {
        return;
    }
    // Nobody may not read the build directory.
    let dir = tempfile::tempdir().unwrap();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let copy = dir.path().join("sysreel");
    fs::copy(env!("CARGO_BIN_EXE_sysreel"), &copy).unwrap();
    let done = Command::new(&copy).args(["-c", "1"]).uid(65534).gid(65534).current_dir("/").output().unwrap();
    let err = String::from_utf8_lossy(&done.stderr);
    assert_eq!(done.status.code(), Some(1), "{err}");
    assert!(err.contains("CAP_BPF") && err.contains("CAP_PERFMON") && err.contains("setcap"), "{err}");
    let reel = dir.path().join("t.reel");
    let done =
        Command::new(&copy).arg("-w").arg(&reel).uid(65534).gid(65534).current_dir("/").output().unwrap();
    assert_eq!(done.status.code(), Some(1));
    assert!(!reel.exists(), "an attempt that was refused leaves no file");
}

/// The verifier gives up when a signal waits, and is asked again: a start is not ended by a key.
#[test]
fn signals_during_the_start_do_not_end_it() {
    let _alone = alone!();
    let mut child = crate::cli::sysreel()
        .args(["-q", "--stop", "duration:100ms"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let pid = rustix::process::Pid::from_child(&child);
    for signal in [rustix::process::Signal::STOP, rustix::process::Signal::CONT].repeat(8) {
        std::thread::sleep(std::time::Duration::from_millis(40));
        let _ = rustix::process::kill_process(pid, signal);
    }
    let status = super::rig::within(&mut child, std::time::Duration::from_secs(20));
    let mut told = String::new();
    std::io::Read::read_to_string(&mut child.stderr.take().unwrap(), &mut told).unwrap();
    assert_eq!(status.and_then(|s| s.code()), Some(0), "{told}");
}
