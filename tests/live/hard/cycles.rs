//! Captures that begin and end, however they end: nothing of theirs stays in the kernel.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Stdio;
use std::time::{Duration, Instant};

use super::super::rig::{alone, interrupt, loudly, within};
use super::is_long;
use crate::cli::sysreel;
use crate::samples::Dice;

/// Commands of bpf(2), and what they go over.
const KINDS: [(&str, libc::c_int, libc::c_int); 3] = [("program", 11, 13), ("map", 12, 14), ("link", 31, 30)];
const GET_INFO: libc::c_int = 15;
/// The objects of a process that was killed are freed behind its back.
const FREED: Duration = Duration::from_secs(20);

fn bpf(command: libc::c_int, attr: &mut [u32; 32]) -> i64 {
    unsafe { libc::syscall(libc::SYS_bpf, command, attr.as_mut_ptr(), size_of_val(attr)) }
}

/// The name of an object; links have none, but are of one program.
fn name(kind: &str, fd: i64) -> String {
    let mut info = [0u8; 256];
    let mut attr = [0u32; 32];
    attr[0] = fd as u32;
    attr[1] = info.len() as u32;
    let at = info.as_mut_ptr() as u64;
    (attr[2], attr[3]) = (at as u32, (at >> 32) as u32);
    if bpf(GET_INFO, &mut attr) != 0 {
        return String::new();
    }
    // struct bpf_prog_info, bpf_map_info: 16 bytes of a name; bpf_link_info: type, id, program.
    let text = match kind {
        "program" => &info[64..80],
        "map" => &info[24..40],
        _ => return format!("of type {}", info[0]),
    };
    let end = text.iter().position(|b| *b == 0).unwrap_or(text.len());
    String::from_utf8_lossy(&text[..end]).into_owned()
}

/// Every BPF object of the kernel: kind and number, and its name.
fn objects() -> BTreeMap<(&'static str, u32), String> {
    let mut all = BTreeMap::new();
    for (kind, next, open) in KINDS {
        let mut id = 0;
        loop {
            let mut attr = [0u32; 32];
            attr[0] = id;
            if bpf(next, &mut attr) != 0 {
                break;
            }
            id = attr[1];
            let mut attr = [0u32; 32];
            attr[0] = id;
            let fd = bpf(open, &mut attr);
            // It may have gone meanwhile.
            if fd >= 0 {
                all.insert((kind, id), name(kind, fd));
                unsafe { libc::close(fd as libc::c_int) };
            }
        }
    }
    all
}

#[test]
fn nothing_stays_in_the_kernel() {
    let _alone = alone!();
    let before: BTreeSet<_> = objects().into_keys().collect();
    let new =
        || -> BTreeMap<_, _> { objects().into_iter().filter(|(key, _)| !before.contains(key)).collect() };
    let dir = tempfile::tempdir().unwrap();
    let begin = |n: usize| {
        let reel = dir.path().join(format!("{n}.reel"));
        let mut child = sysreel()
            .args(["--pid", &std::process::id().to_string(), "--ring", "1", "-w"])
            .arg(&reel)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let start = Instant::now();
        while !reel.exists() {
            assert!(start.elapsed() < Duration::from_secs(30) && child.try_wait().unwrap().is_none());
            std::thread::sleep(Duration::from_millis(2));
        }
        (child, reel)
    };

    // What is ours: what is there while one runs.
    let (mut child, _) = begin(0);
    let mine = new();
    interrupt(&child);
    assert!(within(&mut child, Duration::from_secs(10)).is_some());
    let names: BTreeSet<(&str, String)> =
        mine.iter().map(|((kind, _), name)| (*kind, name.clone())).collect();
    for (kind, ..) in KINDS {
        assert!(names.iter().any(|(of, _)| *of == kind), "no {kind} is seen: {names:?}");
    }

    let cycles = if is_long() { 1000 } else { 10 };
    let mut dice = Dice(7);
    let (mut interrupted, mut killed, mut refused) = (0, 0, 0);
    for n in 1..=cycles {
        if n % 5 == 0 {
            // Refused: before the probe is loaded, and after.
            let filter = if n % 2 == 0 { "no such field" } else { "evt.type = read" };
            let done = sysreel()
                .args(["--pid", &std::process::id().to_string(), "-w", "/no/such/directory/t.reel", filter])
                .output()
                .unwrap();
            assert!([Some(1), Some(2)].contains(&done.status.code()), "{done:?}");
            refused += 1;
            continue;
        }
        if n % 5 == 1 {
            // Killed at any moment of its start.
            let mut child = sysreel()
                .args(["-q", "--pid", &std::process::id().to_string()])
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            std::thread::sleep(Duration::from_micros(dice.below(700_000)));
            child.kill().unwrap();
            child.wait().unwrap();
            killed += 1;
            continue;
        }
        let (mut child, reel) = begin(n);
        if n % 2 == 0 {
            // Whoever waits for the file may interrupt as soon as it is there: that is an end like any other.
            interrupt(&child);
            interrupted += 1;
        } else {
            std::thread::sleep(Duration::from_millis(dice.below(60)));
            child.kill().unwrap();
            killed += 1;
        }
        let status = within(&mut child, Duration::from_secs(10));
        assert!(status.is_some_and(|s| s.success() || n % 2 == 1), "cycle {n} ends with {status:?}");
        std::fs::remove_file(reel).unwrap();
    }
    let start = Instant::now();
    let left = loop {
        let left: Vec<_> =
            new().into_iter().filter(|((kind, _), name)| names.contains(&(*kind, name.clone()))).collect();
        if left.is_empty() || start.elapsed() > FREED {
            break left;
        }
        std::thread::sleep(Duration::from_millis(100));
    };
    loudly(&format!(
        "{cycles} captures, {interrupted} interrupted, {killed} killed, {refused} refused: {} objects left after {:.1} s; one capture has {}",
        left.len(),
        start.elapsed().as_secs_f64(),
        mine.len()
    ));
    assert!(left.is_empty(), "{left:?}");
}
