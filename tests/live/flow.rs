//! The life of a batch: prompt when little happens, exact when much does, and the same from a reel as live.

use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::actor::{FEW, MANY, THOUSANDS};
use super::rig::{actor, alone, count, kind, of, parse, reread, run, totals};
use crate::cli::sysreel;

/// Ten events a second: each is printed when it happens, not when a buffer is full.
#[test]
fn few_events_come_at_once() {
    let _alone = alone!();
    let mut child = sysreel()
        .args([
            "run",
            "-o",
            "-",
            "-p",
            "%evt.rawtime %evt.rawarg.fd",
            "evt.type = close and evt.failed = true",
            "--",
        ])
        .args(actor("slow"))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut delays: Vec<Duration> = Vec::new();
    for (n, line) in BufReader::new(child.stdout.take().unwrap()).lines().enumerate() {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let line = line.unwrap();
        let (time, fd) = line.split_once(' ').unwrap();
        assert_eq!(fd, (-1000 - n as i64).to_string());
        delays.push(now.saturating_sub(Duration::from_nanos(time.parse().unwrap())));
    }
    assert!(child.wait().unwrap().success());
    assert_eq!(delays.len() as u64, FEW);
    delays.sort();
    // A busy machine may hold one or two up; a buffer would hold up all.
    assert!(delays[delays.len() - 3] < Duration::from_millis(200), "{delays:?}");
}

/// Every call is captured or counted as lost, exactly, on the screen and in a file.
#[test]
fn at_full_rate_nothing_is_unaccounted_for() {
    let _alone = alone!();
    let dir = tempfile::tempdir().unwrap();
    for ring in ["64m", "512k"] {
        let done = run(&["-q", "--ring", ring, "evt.type = getppid"], &actor("rate"));
        let (captured, lost) = done.totals();
        assert_eq!(captured + lost, MANY, "ring {ring}: {}", done.stderr);

        let reel = dir.path().join(ring);
        let done = run(&["-w", reel.to_str().unwrap(), "--ring", ring, "evt.type = getppid"], &actor("rate"));
        let (captured, lost) = done.totals();
        assert_eq!(captured + lost, MANY, "ring {ring}, into a reel: {}", done.stderr);
        // A record of a loss stands in the file and is no event.
        assert!(done.stderr.contains(&format!(" {captured} written")), "{}", done.stderr);
        let (status, lines, err) = reread(&reel, &["-p", "%evt.type %evt.lost"]);
        assert_eq!(status, 0, "{err}");
        let calls = lines.iter().filter(|l| l.starts_with("getppid ")).count() as u64;
        let missing = lines.iter().filter_map(|l| l.strip_prefix("lost ")?.parse::<u64>().ok()).sum::<u64>();
        assert_eq!((calls, missing), (captured, lost), "ring {ring}, reread: {err}");
    }
}

/// A filter that keeps one row in a thousand gives the same live, into a reel, and from a reel of everything.
#[test]
fn a_rare_event_is_the_same_live_filtered_and_reread() {
    let _alone = alone!();
    let dir = tempfile::tempdir().unwrap();
    let filter = "evt.type = close and evt.failed = true";
    let form = "%evt.type %evt.rawarg.fd %evt.res %proc.name";
    let (all, some) = (dir.path().join("all"), dir.path().join("some"));

    let live = run(&["-p", form, filter], &actor("rare"));
    assert_eq!((live.lines.len() as u64, live.totals().1), (THOUSANDS, 0), "{}", live.stderr);
    run(&["-w", some.to_str().unwrap(), filter], &actor("rare"));
    let whole = run(&["-w", all.to_str().unwrap()], &actor("rare"));
    assert_eq!(whole.totals().1, 0, "{}", whole.stderr);
    for reel in [&all, &some] {
        let (status, lines, err) = reread(reel, &["-p", form, filter]);
        assert_eq!((status, &lines), (0, &live.lines), "{err}");
    }

    // Text: the filter is grep.
    let (_, everything, _) = reread(&all, &[]);
    assert!(everything.len() as u64 > THOUSANDS * 1000);
    for (filter, word) in
        [("evt.type = close", " close("), ("evt.type = getppid and evt.num > 1000", " getppid(")]
    {
        let (_, lines, _) = reread(&all, &[filter]);
        // The first numbers are of the start, which has no getppid.
        let found: Vec<&String> = everything.iter().filter(|l| l.contains(word)).collect();
        let tail = &found[found.len().saturating_sub(lines.len())..];
        assert!(!lines.is_empty() && tail.iter().zip(&lines).all(|(a, b)| *a == b), "{filter}");
        if !filter.contains("num") {
            assert_eq!(found.len(), lines.len(), "{filter}");
        }
    }

    // What was filtered out is not there, and names of files that only it mentioned are not either.
    let (_, lines, _) = reread(&some, &["-j"]);
    let kinds = count(parse(&lines).iter().map(|e| kind(e).to_owned()));
    assert_eq!(kinds.into_iter().collect::<Vec<_>>(), [("close".to_owned(), THOUSANDS as usize)]);
    assert!(lines.iter().all(|l| !l.contains("/dev/null")), "only closes of nothing");
    let size = |p| std::fs::metadata(p).unwrap().len();
    assert!(size(&some) < 256 * 1024, "{} bytes for {THOUSANDS} events", size(&some));
}

/// What is printed live is what a reel of a deterministic command prints, but for times and ids.
#[test]
fn live_text_and_reread_text_are_alike() {
    let _alone = alone!();
    let dir = tempfile::tempdir().unwrap();
    let reel = dir.path().join("reel");
    let form = "%evt.type %evt.rawres %evt.res %fd.name %fs.path.name %proc.name %proc.cmdline %user.name";
    let filter = "evt.class = file";
    let command = ["cat", "/etc/passwd"];
    let live = run(&["-p", form, filter], &command);
    run(&["-w", reel.to_str().unwrap()], &command);
    let (_, lines, err) = reread(&reel, &["-p", form, filter]);
    // Each run has a pipe of its own as standard output.
    let plain = |all: &[String]| -> Vec<String> {
        let all = all.iter().map(|l| {
            l.split_once("pipe:[").map_or(l.clone(), |(a, b)| format!("{a}{}", &b[b.find(']').unwrap()..]))
        });
        // Addresses of mappings are others each time.
        all.filter(|l| !l.starts_with("mmap")).collect()
    };
    assert_eq!(plain(&live.lines), plain(&lines), "{err}");
    assert!(!lines.is_empty());
}

#[test]
fn the_number_of_events_can_be_limited() {
    let _alone = alone!();
    let done = run(&["-j", "-c", "7"], &["sh", "-c", "cat /etc/passwd > /dev/null; exit 3"]);
    assert_eq!((done.events().len(), done.status.code()), (7, Some(3)), "{}", done.stderr);
    assert_eq!(of(&done.events(), "execve").len(), 1);
    assert_eq!(kind(&done.events()[0]), "execve");
}

/// From one into the other while both run.
#[test]
fn a_reel_can_be_piped() {
    let _alone = alone!();
    let mut load = std::process::Command::new("sh")
        .args(["-c", "while :; do cat /etc/passwd > /dev/null; done"])
        .spawn()
        .unwrap();
    let mut writer = sysreel()
        .args(["-w", "-", "-c", "10000"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let reader = sysreel()
        .args(["-r", "-", "-j"])
        .stdin(writer.stdout.take().unwrap())
        .stderr(Stdio::piped())
        .output()
        .unwrap();
    let status = super::rig::within(&mut writer, Duration::from_secs(5));
    load.kill().unwrap();
    load.wait().unwrap();
    assert!(status.is_some_and(|s| s.success()));
    assert!(reader.status.success());
    let text = String::from_utf8(reader.stdout).unwrap();
    let lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let events = parse(&lines);
    let calls = events.iter().filter(|e| e["type"] != "lost").count();
    assert_eq!(calls, 10000);
    let end: serde_json::Value = serde_json::from_str(lines.last().unwrap()).unwrap();
    assert_eq!(end["type"], "end");
    assert_eq!(totals(&String::from_utf8_lossy(&reader.stderr)).1, end["lost"].as_u64().unwrap());
}
