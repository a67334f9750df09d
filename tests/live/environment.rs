//! Environments hold secrets: they are told if somebody asked for them, and only then.

#![allow(unsafe_code, reason = "what is tested are system calls as such")]

use std::ffi::CString;

use serde_json::{Value, json};

use super::actor::fact;
use super::rig::{Run, actor, alone, kind, of, pid, reread, run};

/// A variable longer than what is kept of an environment.
const LONG: usize = 20_000;

/// The actor: a program that cannot be started, and then one that can, with an environment that nobody else knows.
pub fn act() {
    let token = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().subsec_nanos();
    let text = |s: String| CString::new(s).unwrap();
    let owned = [
        text("FIRST=1".into()),
        text(format!("TOKEN=secret-{token}")),
        text("EMPTY=".into()),
        text(format!("LONG={}", "x".repeat(LONG))),
    ];
    let mut envp: Vec<*const libc::c_char> = owned.iter().map(|s| s.as_ptr()).collect();
    envp.push(std::ptr::null());
    let argv = [c"true".as_ptr(), std::ptr::null()];
    fact("token", token);
    unsafe {
        libc::execve(c"/nonexistent".as_ptr(), argv.as_ptr(), envp.as_ptr());
        match libc::fork() {
            0 => {
                libc::execve(c"/bin/true".as_ptr(), argv.as_ptr(), envp.as_ptr());
                libc::_exit(9);
            }
            child => libc::waitpid(child, std::ptr::null_mut(), 0),
        };
    }
}

/// The failed and the successful exec of the actor's children.
fn execs(done: &Run, lines: &[String]) -> [Value; 2] {
    let events = super::rig::parse(lines);
    let mine: Vec<&Value> =
        of(&events, "execve").into_iter().filter(|e| e["evt.args"]["argv"] == json!(["true"])).collect();
    assert_eq!(mine.len(), 2, "{}", done.stderr);
    [mine[0]["evt.args"]["envp"].clone(), mine[1]["evt.args"]["envp"].clone()]
}

fn record(options: &[&str]) -> (tempfile::TempDir, std::path::PathBuf, Run) {
    let dir = tempfile::tempdir().unwrap();
    let reel = dir.path().join("t.reel");
    let options = [&["-w", reel.to_str().unwrap()], options].concat();
    let done = run(&options, &actor("environment"));
    assert_eq!(done.status.code(), Some(0), "{}", done.stderr);
    (dir, reel, done)
}

#[test]
fn an_environment_that_is_asked_for_is_told_as_it_was_given() {
    let _alone = alone!();
    let (dir, reel, done) = record(&["--env"]);
    let token = format!("TOKEN=secret-{}", done.fact("token"));
    let (_, lines, _) = reread(&reel, &["-j"]);
    for envp in execs(&done, &lines) {
        let all = envp.as_array().unwrap();
        assert_eq!(all[..3], [json!("FIRST=1"), json!(token), json!("EMPTY=")]);
        assert_eq!(all.len(), 5, "{envp}");
        assert_eq!((&all[3]["cut"], &all[4]), (&json!(true), &json!({ "cut": true })));
        assert!(all[3]["text"].as_str().unwrap().starts_with("LONG=xxx"), "{envp}");
    }
    // What the process has is what the exec told, from its first call on; of what was cut nothing is claimed.
    let field = |field: &str, filter: &str| {
        let form = format!("%proc.pid %evt.type {field}");
        reread(&reel, &["-p", &form, &format!("proc.name = true and {filter}")]).1
    };
    let told = field("%proc.env[TOKEN]", "evt.type in (execve, brk)");
    assert!(told.len() >= 2, "{told:?}");
    assert!(told.iter().all(|l| token.ends_with(l.rsplit(' ').next().unwrap())), "{told:?}");
    assert!(field("%proc.env", "evt.type = brk").iter().all(|l| l.ends_with("xxx...")));
    assert!(field("", "proc.env[LONG] exists").is_empty());
    // Taken out of the capture, how many there were stays.
    let without = dir.path().join("without.reel");
    for (option, shows) in [(&["--drop", "environment"][..], false), (&["--redact"], true)] {
        let mut cut = crate::cli::sysreel();
        let cut =
            cut.arg("cut").arg(&reel).arg("--force").args(option).arg("-w").arg(&without).output().unwrap();
        assert!(cut.status.success(), "{}", String::from_utf8_lossy(&cut.stderr));
        let (_, lines, _) = reread(&without, &["-j"]);
        assert!(!lines.iter().any(|l| l.contains(&token)));
        let [_, envp] = execs_of(&lines);
        assert_eq!(envp.is_array(), shows, "{envp}");
        assert!(shows || envp == json!({ "variables": 4 }), "{envp}");
        assert!(!std::fs::read(&without).unwrap().windows(12).any(|w| w == b"secret-token"));
    }
}

/// The execs of a redacted reel: arguments have other names there, so they are the last two.
fn execs_of(lines: &[String]) -> [Value; 2] {
    let events = super::rig::parse(lines);
    let all = of(&events, "execve");
    let last: Vec<&&Value> = all.iter().rev().take(2).collect();
    [last[1]["evt.args"]["envp"].clone(), last[0]["evt.args"]["envp"].clone()]
}

#[test]
fn without_being_asked_for_no_environment_is_told() {
    let _alone = alone!();
    let (_dir, reel, done) = record(&["-s", "65536"]);
    let token = format!("secret-{}", done.fact("token"));
    let (_, lines, _) = reread(&reel, &["-j"]);
    let [failed, made] = execs(&done, &lines);
    assert!(failed.as_str().is_some_and(|a| a.starts_with("0x")), "{failed}");
    assert_eq!(made, json!({ "variables": 4 }));
    assert!(lines.len() > 50 && !lines.iter().any(|l| l.contains(&token)));
    let (_, text, _) = reread(&reel, &["-p", "%proc.env", "proc.env exists"]);
    assert!(text.is_empty());
    let events = super::rig::parse(&lines);
    assert!(events.iter().any(|e| kind(e) == "execve" && pid(e) > 0));
}
