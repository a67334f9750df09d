//! Each call once, with its own result and its own latency, whatever happens between its entry and its exit.

use super::actor::ROUNDS;
use super::rig::{actor, alone, kind, latency, of, pid, reread, res, run};

const MS: u64 = 1_000_000;

#[test]
fn entries_and_exits_pair_up_or_say_nothing() {
    let _alone = alone!();
    let done = run(&["-j"], &actor("table"));
    assert_eq!(done.status.code(), Some(0), "{}", done.stderr);
    let events = done.events();
    let main = done.fact("main");
    let mine = |name: &str| -> Vec<_> { of(&events, name).into_iter().filter(|e| pid(e) == main).collect() };

    // A clone is the parent's call, with the child's id; the child's return from it is none.
    let clones = of(&events, "clone");
    assert_eq!(clones.len(), 4, "{clones:?}");
    assert!(clones.iter().all(|e| pid(e) == main && res(e) > 0 && latency(e).is_some()), "{clones:?}");
    let child = done.fact("forked");
    assert_eq!(clones.iter().filter(|e| res(e) == child).count(), 1);
    let life: Vec<&str> = events.iter().filter(|e| pid(e) == child).map(kind).collect();
    assert_eq!(life.last_chunk::<2>(), Some(&["exit_group", "procexit"]), "{life:?}");
    let end = events.iter().rfind(|e| pid(e) == child).unwrap();
    assert_eq!(end["evt.args"]["status"], 7);

    // Denied by seccomp: never entered, so without a latency, and the first one's is its own.
    let denied = done.fact("denied");
    let pgids: Vec<_> = of(&events, "getpgid").into_iter().filter(|e| pid(e) == denied).collect();
    let seen: Vec<i64> = pgids.iter().map(|e| res(e)).collect();
    assert_eq!((seen.len(), &seen[1..]), (3, &[-25, -25][..]), "{pgids:?}");
    assert!(latency(pgids[0]).is_some_and(|l| l < MS), "{pgids:?}");
    assert!(pgids[1..].iter().all(|e| latency(e).is_none() && e["evt.res"] == "ENOTTY"), "{pgids:?}");

    // Three signals raised, and the two alarms.
    let returns = mine("rt_sigreturn");
    assert_eq!(returns.len(), 5, "{returns:?}");

    // Interrupted: what the kernel says to itself is shown by name, and is no failure.
    let sleeps = mine("clock_nanosleep");
    let interrupted = &sleeps[0];
    let name = interrupted["evt.res"].as_str().unwrap();
    assert!(["EINTR", "ERESTART_RESTARTBLOCK", "ERESTARTNOHAND"].contains(&name), "{interrupted}");
    assert_eq!(interrupted["evt.failed"], name == "EINTR", "{interrupted}");
    assert!(latency(interrupted).is_some_and(|l| (15 * MS..2_000 * MS).contains(&l)), "{interrupted}");
    // The loader of the program before us has read from a descriptor of this number too, but not one byte.
    let reads: Vec<_> = mine("read")
        .into_iter()
        .filter(|e| e["evt.args"]["fd"]["fd"] == done.fact("pipe") && e["evt.args"]["count"] == 1)
        .collect();
    assert_eq!(reads.len(), 2, "interrupted, and again: {reads:?}");
    assert!(reads[0]["evt.res"].as_str().unwrap().starts_with("ERESTART"), "{reads:?}");
    assert_eq!((res(reads[1]), &reads[0]["evt.failed"]), (done.fact("read"), &false.into()), "{reads:?}");

    // Killed.
    let killed = done.fact("killed");
    let end = events.iter().rfind(|e| pid(e) == killed).unwrap();
    assert_eq!((kind(end), &end["evt.args"]["signal"]), ("procexit", &"SIGKILL".into()));
    assert!(!events.iter().any(|e| pid(e) == killed && kind(e) == "exit_group"));

    // Times.
    let slept = latency(sleeps[1]).unwrap();
    assert!((50 * MS..2_000 * MS).contains(&slept), "a sleep of 50 ms: {slept} ns");
    let mut quick: Vec<u64> = mine("getppid").iter().map(|e| latency(e).unwrap()).collect();
    quick.sort_unstable();
    assert!(quick.len() == 20 && quick[10] < MS, "{quick:?}");
    // Nothing of ours between the start and the command.
    assert_eq!(kind(&events[0]), "execve");
    assert!(events.iter().all(|e| e["proc.name"] != "sysreel"), "our own doings are not shown");
}

#[test]
fn an_exec_by_a_thread_happens_once_and_to_the_leader() {
    let _alone = alone!();
    let done = run(&["-j"], &actor("thread-exec"));
    assert_eq!(done.status.code(), Some(5), "{}", done.stderr);
    let events = done.events();
    let (leader, thread) = (done.fact("leader"), done.fact("thread"));
    let is_sh = |p: &serde_json::Value| p.as_str().is_some_and(|p| p == "/bin/sh");
    let execs: Vec<_> = of(&events, "execve").into_iter().filter(|e| is_sh(&e["evt.args"]["path"])).collect();
    let [exec] = execs[..] else { panic!("one execve: {execs:?}") };
    assert_eq!((res(exec), pid(exec), &exec["thread.tid"]), (0, leader, &leader.into()), "{exec}");
    assert!(latency(exec).is_some_and(|l| l > 1000 && l < 2_000 * MS), "{exec}");
    let at = events.iter().position(|e| std::ptr::eq(e, exec)).unwrap();
    let late: Vec<_> =
        events[at..].iter().filter(|e| e["thread.tid"] == thread && kind(e) != "procexit").collect();
    assert!(late.is_empty(), "the thread's id is gone: {late:?}");
    let after = &events[at + 1..];
    assert!(after.len() > 5 && after.iter().all(|e| pid(e) == leader && e["proc.name"] == "sh"), "{after:?}");
    assert_eq!(of(&events, "procexit").len(), 1, "an exec is no end");
    assert_eq!(after.last().unwrap()["evt.args"]["status"], 5);
}

#[test]
fn an_exit_group_by_a_thread_ends_the_process() {
    let _alone = alone!();
    let done = run::<String>(&[], &actor("thread-exit"));
    assert_eq!(done.status.code(), Some(9), "{}", done.stderr);
    let thread = done.fact("thread");
    let calls: Vec<&String> = done.lines.iter().filter(|l| l.contains(" exit_group(")).collect();
    let [call] = calls[..] else { panic!("one exit_group: {calls:?}") };
    assert!(call.contains(" exit_group(status=9) = ?"), "{call}");
    assert!(call.contains(&thread.to_string()), "by the thread: {call}");
    let ends: Vec<&String> = done.lines.iter().filter(|l| l.contains(" procexit(")).collect();
    let [end] = ends[..] else { panic!("one end: {ends:?}") };
    assert!(end.ends_with("procexit(status=9)"), "{end}");
    assert_eq!(done.lines.last(), Some(end));
}

/// The worst that could happen here is a wrong name that is shown as certain.
#[test]
fn racing_threads_never_give_a_file_the_others_name() {
    let _alone = alone!();
    let done = run(&["-j", "evt.type in (openat, read, close)"], &actor("race"));
    let events = done.events();
    let is = |e: &serde_json::Value, file: &str| e["evt.args"]["path"] == file;
    let mut opened = std::collections::HashMap::new();
    let (mut reads, mut marked, mut unnamed) = (0, 0, 0);
    for e in &events {
        let tid = e["thread.tid"].as_i64().unwrap();
        match kind(e) {
            "openat" if is(e, "/dev/null") || is(e, "/dev/zero") => {
                assert_eq!(e["fd.name"], e["evt.args"]["path"], "{e}");
                opened.insert(tid, e["fd.name"].clone());
            }
            // What a thread reads and closes between two of its opens is what it opened.
            "read" | "close" => {
                let Some(own) = opened.get(&tid) else { continue };
                if kind(e) == "read" {
                    reads += 1;
                } else {
                    // Later reads and closes of this thread are its own affairs (the end of its stack).
                    assert_eq!(res(e), 0);
                }
                let name = &e["evt.args"]["fd"]["name"];
                if e["evt.certain"] == false {
                    marked += 1;
                } else if name.is_null() {
                    unnamed += 1;
                } else {
                    assert_eq!(name, own, "shown as certain: {e}");
                }
                if kind(e) == "close" {
                    opened.remove(&tid);
                }
            }
            _ => {}
        }
    }
    assert_eq!(reads, 2 * ROUNDS);
    assert!(
        marked + unnamed < ROUNDS,
        "uncertainty is for the exception: {marked} marked, {unnamed} unnamed"
    );
}

/// Puts a limit of the kernel back.
struct PidMax(String);

impl PidMax {
    const FILE: &str = "/proc/sys/kernel/pid_max";

    fn raise() -> Option<PidMax> {
        let before = std::fs::read_to_string(Self::FILE).ok()?;
        std::fs::write(Self::FILE, "4194304").ok()?;
        Some(PidMax(before))
    }
}

impl Drop for PidMax {
    fn drop(&mut self) {
        let _ = std::fs::write(Self::FILE, &self.0);
    }
}

/// Two threads with one slot: the time of one is never the other's.
#[test]
fn a_collision_costs_a_latency_and_never_makes_one_up() {
    let _alone = alone!();
    let Some(_raised) = PidMax::raise() else { return super::rig::skip("pid_max cannot be raised") };
    let done = run(&["-j", "-v", "evt.type in (read, write, getppid)"], &actor("collide"));
    let events = done.events();
    let (victim, rival) = (done.fact("victim"), done.fact("rival"));
    if rival < 0 {
        return super::rig::skip("the kernel does not let us choose a process id");
    }
    let reads: Vec<_> = of(&events, "read").into_iter().filter(|e| pid(e) == victim).collect();
    let [read] = reads[..] else { panic!("{reads:?}") };
    // It slept for 30 ms before the other came: a shorter time would be the other's.
    assert!(latency(read).is_none_or(|l| l > 25 * MS), "{read}");
    let calls: Vec<_> = of(&events, "getppid").into_iter().filter(|e| pid(e) == rival).collect();
    assert_eq!(calls.len(), 10);
    assert!(calls.iter().all(|e| latency(e).is_none_or(|l| l < 20 * MS)), "{calls:?}");
    let lost: u64 = done
        .stderr
        .lines()
        .filter_map(|l| {
            l.strip_suffix(" entry times lost to collisions")?.rsplit(' ').next()?.parse::<u64>().ok()
        })
        .sum();
    // What is missing was counted, unless the slot was free again by then.
    assert!(latency(read).is_none() || lost == 0, "{}", done.stderr);
}

/// Numbers that no call has: the last that a plan could have, those of events, of the probe's own records, of another
/// personality, and those whose low half is a call.
const NUMBERS: [i64; 11] =
    [1021, 1022, 1023, 1024, 1025, 3071, 0x7f00, 0x7f02, 0xffff, 0x1_0000, 0x4000_0000];

#[allow(unsafe_code, reason = "calls that no library makes")]
pub fn numbers() {
    for nr in NUMBERS {
        unsafe { libc::syscall(nr, 1, 2, 3, 4, 5, 6) };
    }
}

/// A program may ask for any number. None may be taken for something else, and none may end a capture.
#[test]
fn a_number_that_no_call_has_is_shown_as_it_is() {
    let _alone = alone!();
    let dir = tempfile::tempdir().unwrap();
    let reel = dir.path().join("t.reel");
    let done = run(&["-w", reel.to_str().unwrap()], &actor("numbers"));
    assert!(done.stderr.contains(" written, 0 lost"), "{}", done.stderr);
    let (status, lines, err) = reread(&reel, &["-j", "evt.res = ENOSYS"]);
    assert_eq!(status, 0, "{err}");
    let events: Vec<serde_json::Value> = lines.iter().map(|l| serde_json::from_str(l).unwrap()).collect();
    let events: Vec<_> = events.iter().filter(|e| e["evt.args"]["arg5"].is_string()).collect();
    let shown: Vec<(String, Option<i64>)> =
        events.iter().map(|e| (kind(e).to_owned(), e["evt.args"]["nr"].as_i64())).collect();
    let expected: Vec<(String, Option<i64>)> = NUMBERS
        .iter()
        .map(|nr| match nr {
            ..1024 => (format!("syscall_{nr}"), None),
            _ => ("syscall".to_owned(), Some(*nr)),
        })
        .collect();
    assert_eq!(shown, expected);
    for e in events {
        let words: Vec<&str> = (0..6).map(|i| e["evt.args"][format!("arg{i}")].as_str().unwrap()).collect();
        assert_eq!(words, ["0x1", "0x2", "0x3", "0x4", "0x5", "0x6"], "{e}");
    }
    // Nothing was born or died by it.
    let (_, ends, _) = reread(&reel, &["evt.type = procexit"]);
    assert_eq!(ends.len(), 1, "{ends:?}");
}
