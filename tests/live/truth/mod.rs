//! Truth: every call that can be made safely is made with known arguments, and what is shown must be what was passed.
//!
//! The actor `truth` makes the calls (a row each, see [`table`]) and tells what must be seen; the test compares. Rows say
//! the names of flags and members by hand, and take from the actor's own memory what the kernel wrote there. Where a
//! structure may be shown as an address or decoded, a row allows both, so that decoding more breaks nothing.
#![allow(unsafe_code, reason = "what is tested are system calls as such; most have no safe wrapper")]
#![allow(
    clippy::needless_borrows_for_generic_args,
    reason = "a word or its address: the difference matters here"
)]

mod bad;
mod files;
mod memory;
mod process;
mod table;
mod talk;

use std::collections::{BTreeMap, BTreeSet};
use std::process::{Command, Stdio};

use serde_json::Value;

use super::rig::{Run, actor, alone, kind, of, pid, res, run};
pub use bad::meanwhile;
use table::{MARK, Table, fits};

/// Calls that no row makes, and why.
const LEFT_OUT: [(&str, &str); 0] = [];

/// The actors: one for what is right, one for what is wrong.
pub fn act(wrong: bool) {
    let dir = tempfile::tempdir().unwrap();
    std::env::set_current_dir(&dir).unwrap();
    let mut t = Table::new();
    if wrong {
        bad::all(&mut t);
    } else {
        files::all(&mut t);
        memory::all(&mut t);
        process::all(&mut t);
        talk::all(&mut t);
    }
    t.flush();
    std::env::set_current_dir("/").unwrap();
}

unsafe extern "C" {
    safe fn strerrorname_np(errno: libc::c_int) -> *const libc::c_char;
}

fn errno(ret: i64) -> String {
    let name = strerrorname_np(i32::try_from(-ret).unwrap_or(0));
    if name.is_null() {
        return format!("ERRNO_{}", -ret);
    }
    unsafe { std::ffi::CStr::from_ptr(name) }.to_str().unwrap().to_owned()
}

/// The events of each thread, in order.
fn threads(events: &[Value]) -> BTreeMap<i64, Vec<&Value>> {
    let mut all: BTreeMap<i64, Vec<&Value>> = BTreeMap::new();
    for e in events {
        all.entry(e["thread.tid"].as_i64().unwrap_or(-1)).or_default().push(e);
    }
    all
}

/// What differs between a row and its event.
fn differences(row: &Value, threads: &BTreeMap<i64, Vec<&Value>>) -> Vec<String> {
    if let Some(child) = row["child"].as_i64() {
        let by_design = [0, 9 << 8, (300 & 0xff) << 8, 3 << 8];
        let status = row["status"].as_i64().unwrap_or(-1);
        return if by_design.contains(&status) {
            vec![]
        } else {
            vec![format!("child {child} ended with {status:#x}")]
        };
    }
    let mut wrong = Vec::new();
    if let Some(meant) = row["not"].as_str() {
        wrong.push(format!("the call itself gave {} and not {meant}", row["ret"]));
    }
    let mark = -MARK - row["row"].as_i64().unwrap();
    let mine = threads.get(&row["tid"].as_i64().unwrap()).map_or(&[][..], Vec::as_slice);
    let at = mine.iter().position(|e| kind(e) == "close" && e["evt.args"]["fd"]["fd"] == mark);
    let Some(event) = at.and_then(|at| mine.get(at + 1)) else {
        wrong.push("no such event".into());
        return wrong;
    };
    if kind(event) != row["call"] {
        wrong.push(format!("shown as {}", kind(event)));
        return wrong;
    }
    match row["ret"].as_i64() {
        Some(ret) => {
            // A call that a signal interrupts ends for the kernel with a number that programs never see.
            let restart = ret == -i64::from(libc::EINTR) && (-516..=-512).contains(&res(event));
            if res(event) != ret && !restart {
                wrong.push(format!("result {} is shown as {}", ret, event["evt.rawres"]));
            }
            let failed = (-4095..0).contains(&ret) && !restart;
            let name = if failed { errno(ret) } else { "SUCCESS".to_owned() };
            if event["evt.res"] != *name && !restart {
                wrong.push(format!("result {name} is shown as {}", event["evt.res"]));
            }
            if event["evt.failed"] != failed {
                wrong.push(format!("failed is shown as {}", event["evt.failed"]));
            }
        }
        None if event.get("evt.rawres").is_some() => {
            wrong.push("a result of a call that does not return".into())
        }
        None => {}
    }
    if !fits(&row["args"], &event["evt.args"]) {
        let (want, got) = (row["args"].as_object().unwrap(), event["evt.args"].as_object().unwrap());
        let keys: BTreeSet<_> = want.keys().chain(got.keys()).collect();
        for key in keys {
            match (want.get(key), got.get(key)) {
                (Some(w), Some(g)) if fits(w, g) => {}
                // What a command does not look at is not shown.
                (Some(w), None) if *w == table::any() => {}
                (w, g) => wrong.push(format!("{key}: passed {}, shown {}", show(w), show(g))),
            }
        }
    }
    wrong
}

fn show(v: Option<&Value>) -> String {
    v.map_or_else(|| "nothing".to_owned(), Value::to_string)
}

fn rows(stdout: &str) -> Vec<Value> {
    stdout.lines().map(|l| serde_json::from_str(l).unwrap_or_else(|e| panic!("{e}: {l}"))).collect()
}

/// All that differs between the rows and the events of a run.
fn compare(rows: &[Value], done: &Run) -> String {
    let events = done.events();
    let threads = threads(&events);
    let mut wrong = String::new();
    for row in rows {
        for what in differences(row, &threads) {
            wrong += &format!("{} (row {}): {what}\n", row["call"].as_str().unwrap_or("-"), row["row"]);
        }
    }
    wrong
}

#[test]
fn what_is_shown_is_what_was_passed() {
    let _alone = alone!();
    let done = run(&["-j"], &actor("truth"));
    assert_eq!(done.status.code(), Some(0), "{}", done.stderr);
    let rows = rows(&done.stdout);
    let wrong = compare(&rows, &done);
    assert!(wrong.is_empty(), "{wrong}");
    covered(&rows);
}

/// Calls and their results, without what names the process.
fn results(rows: &[Value]) -> Vec<(String, Value)> {
    rows.iter().map(|r| (r["call"].to_string(), r["ret"].clone())).collect()
}

#[test]
fn what_cannot_be_read_is_said_and_the_program_sees_no_difference() {
    let _alone = alone!();
    let command = actor("untruth");
    let free = Command::new(&command[0]).args(&command[1..]).stdin(Stdio::null()).output().unwrap();
    assert!(free.status.success());
    let traced = run(&["-j", "-v"], &command);
    assert_eq!(traced.status.code(), Some(0), "{}", traced.stderr);
    let (before, rows) = (rows(&String::from_utf8(free.stdout).unwrap()), rows(&traced.stdout));
    assert!(rows.len() > 40, "{}", rows.len());
    assert_eq!(results(&before), results(&rows), "untraced, traced");
    let wrong = compare(&rows, &traced);
    assert!(wrong.is_empty(), "{wrong}");
    assert!(!traced.stderr.contains("panicked"), "{}", traced.stderr);
}

/// While a thread changes what a call points to, each call is still one record, and nothing breaks.
#[test]
fn what_changes_meanwhile_breaks_nothing() {
    let _alone = alone!();
    let done = run(&["-j", "evt.type in (writev, sendmsg, openat, poll)"], &actor("meanwhile"));
    assert_eq!(done.status.code(), Some(0), "{}", done.stderr);
    assert!(!done.stderr.contains("panicked"), "{}", done.stderr);
    let events = done.events();
    let main = done.fact("main");
    for (name, argument) in [("writev", "iov"), ("sendmsg", "msg"), ("openat", "path"), ("poll", "fds")] {
        let mine: Vec<_> = of(&events, name)
            .into_iter()
            .filter(|e| pid(e) == main && e["evt.args"].get(argument).is_some() && !is_own(e))
            .collect();
        assert_eq!(mine.len(), bad::ROUNDS, "{name}");
    }
}

/// What the start of a program does too.
fn is_own(e: &Value) -> bool {
    kind(e) == "openat" && !e["evt.args"]["flags"].as_array().is_some_and(|f| f.contains(&"O_PATH".into()))
        || kind(e) == "poll" && e["evt.args"]["nfds"] != bad::POLLS
}

/// Every call has a row or a reason: the number of covered calls can only sink in the open.
fn covered(rows: &[Value]) {
    let made: BTreeSet<&str> = rows.iter().filter_map(|r| r["call"].as_str()).collect();
    let list = crate::cli::sysreel().args(["calls", "--json"]).output().unwrap();
    let list = String::from_utf8(list.stdout).unwrap();
    let calls: Vec<Value> = list.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    let all: BTreeSet<&str> =
        calls.iter().filter(|c| c["code"].as_i64() < Some(1024)).filter_map(|c| c["name"].as_str()).collect();
    let missing: Vec<&&str> = all.difference(&made).collect();
    let told: Vec<&str> = LEFT_OUT.iter().map(|(name, _)| *name).collect();
    super::rig::loudly(&format!(
        "{} of {} calls are compared with what was passed",
        all.len() - missing.len(),
        all.len()
    ));
    assert!(
        missing.iter().map(|n| **n).eq(told.iter().copied()),
        "without a row: {missing:?}; of those told: {told:?}"
    );
}
