//! The whole machine: what others do is shown, what we and our readers do is not.

use std::process::{Command, Stdio};
use std::time::Duration;

use super::rig::{Background, alone, interrupt, latency, parse, pid, res};
use crate::cli::sysreel;

#[test]
fn a_cat_elsewhere_is_shown_with_path_descriptor_result_and_latency() {
    let _alone = alone!();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().canonicalize().unwrap().join("unique");
    std::fs::write(&file, "text").unwrap();
    let name = file.to_str().unwrap();
    let capture = Background::start(&["-j", "evt.type = openat and proc.name = cat"]);
    let mut cat = Command::new("cat").arg(&file).stdout(Stdio::null()).spawn().unwrap();
    let id = i64::from(cat.id());
    cat.wait().unwrap();
    // Longer than a pause of the reader.
    std::thread::sleep(Duration::from_millis(500));
    let (lines, err, status) = capture.stop();
    assert_eq!(status, Some(0), "{err}");
    let events = parse(&lines);
    assert!(events.iter().all(|e| e["evt.type"] == "openat" && e["proc.name"] == "cat"), "{lines:?}");
    let found: Vec<_> = events.iter().filter(|e| e["evt.args"]["path"] == name).collect();
    let [open] = found[..] else { panic!("one open of {name}: {lines:?} {err}") };
    assert_eq!((pid(open), &open["fd.name"]), (id, &name.into()), "{open}");
    // 3, unless whoever started the tests left something open.
    assert!(res(open) >= 3 && open["fd.num"] == res(open), "{open}");
    assert_eq!(open["proc.ppid"], std::process::id(), "{open}");
    assert!(latency(open).is_some_and(|l| l > 100 && l < 1_000_000_000), "{open}");
}

/// Whoever reads what we print would otherwise make an event of each event.
#[test]
fn neither_sysreel_nor_its_reader_is_shown() {
    let _alone = alone!();
    let dir = tempfile::tempdir().unwrap();
    let out = std::fs::File::create(dir.path().join("out")).unwrap();
    let mut capture = sysreel()
        .args(["-j", "proc.name in (cat, sysreel)"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut reader = Command::new("cat").stdin(capture.stdout.take().unwrap()).stdout(out).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(4000));
    let mut other = Command::new("cat").arg("/etc/passwd").stdout(Stdio::null()).spawn().unwrap();
    let other_pid = i64::from(other.id());
    other.wait().unwrap();
    std::thread::sleep(Duration::from_millis(200));
    interrupt(&capture);
    let (reader_pid, own_pid) = (i64::from(reader.id()), i64::from(capture.id()));
    reader.wait().unwrap();
    let done = capture.wait_with_output().unwrap();
    let err = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{err}");
    let text = std::fs::read_to_string(dir.path().join("out")).unwrap();
    let lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let events = parse(&lines);
    let of = |id: i64| events.iter().filter(|e| pid(e) == id).count();
    assert!(of(other_pid) > 10, "{err}");
    assert_eq!(of(own_pid), 0, "sysreel shows itself");
    // Until the reader is recognised, it has at most read what there was.
    assert_eq!(of(reader_pid), 0, "sysreel shows its reader");
    assert!(err.contains(&format!("cat ({reader_pid})")), "it says so: {err}");
}

#[test]
fn a_reader_that_goes_away_ends_it_quietly() {
    let _alone = alone!();
    let mut load =
        Command::new("sh").args(["-c", "while :; do cat /etc/passwd > /dev/null; done"]).spawn().unwrap();
    for options in [&[][..], &["-j"], &["-w", "-"]] {
        let mut capture =
            sysreel().args(options).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut head = Command::new("head")
            .args(["-c", "300"])
            .stdin(capture.stdout.take().unwrap())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        head.wait().unwrap();
        let status = super::rig::within(&mut capture, Duration::from_secs(5));
        assert!(status.is_some_and(|s| s.success()), "{options:?}: {status:?}");
    }
    load.kill().unwrap();
    load.wait().unwrap();
}
