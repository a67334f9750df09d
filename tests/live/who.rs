//! `--pid` and `-u`: whose calls are captured, live and from a file.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::actor::{fact, forked, wait};
use super::reject::{FORM, chosen};
use super::rig::{Background, actor, alone, parse, pid, reread, run};
use crate::cli::sysreel;

/// A process ends, and another that is not its child gets its number. The first waits for a line.
#[allow(unsafe_code, reason = "what is tested are system calls as such")]
pub fn act() {
    for round in 0..2 {
        let ids = [chosen()];
        let mut args = [0u64; 11];
        (args[4], args[8], args[9]) = (libc::SIGCHLD as u64, ids.as_ptr() as u64, 1);
        match unsafe { libc::syscall(libc::SYS_clone3, args.as_ptr(), size_of_val(&args)) } {
            0 if round == 0 => {
                unsafe { libc::read(0, [0u8; 1].as_mut_ptr().cast(), 1) };
                wait(forked(|| unsafe { libc::close(-2) }));
                unsafe { libc::syscall(libc::SYS_getppid) };
                unsafe { libc::_exit(0) }
            }
            0 => unsafe {
                libc::close(-1);
                libc::_exit(0)
            },
            pid => {
                fact("chosen", pid);
                let _ = std::io::stdout().flush();
                wait(pid as libc::pid_t);
            }
        }
    }
}

fn started(name: &str) -> (Child, u32, BufReader<std::process::ChildStdout>) {
    let mut child = Command::new("env")
        .args(&actor(name)[1..])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    let id = line.trim().rsplit(' ').next().unwrap().parse().unwrap_or_else(|_| panic!("{line}"));
    (child, id, out)
}

#[test]
fn a_process_and_what_it_starts() {
    let _alone = alone!();
    let (mut child, main, out) = started("reject");
    let capture = Background::start(&["-j", "--pid", &main.to_string()]);
    child.stdin.take().unwrap().write_all(b"\n").unwrap();
    let started: BTreeSet<i64> =
        out.lines().map(|l| l.unwrap().rsplit(' ').next().unwrap().parse().unwrap()).collect();
    child.wait().unwrap();
    std::thread::sleep(Duration::from_millis(300));
    let (lines, err, status) = capture.stop();
    assert_eq!(status, Some(0), "{err}");
    let shown: BTreeSet<i64> = parse(&lines).iter().map(pid).collect();
    assert!(shown.contains(&i64::from(main)) && started.is_subset(&shown), "{started:?} {shown:?} {err}");
    // Besides them one child of a child.
    assert_eq!(shown.len(), started.len() + 2, "{started:?} {shown:?}");
}

#[test]
fn a_number_that_is_used_again_is_somebody_else() {
    let _alone = alone!();
    let (mut child, id, out) = started("reuse");
    let capture = Background::start(&["-j", "--pid", &id.to_string()]);
    child.stdin.take().unwrap().write_all(b"\n").unwrap();
    let second: Vec<String> = out.lines().map(|l| l.unwrap()).collect();
    child.wait().unwrap();
    std::thread::sleep(Duration::from_millis(300));
    let (lines, err, status) = capture.stop();
    assert_eq!((status, &second[..]), (Some(0), &[format!("chosen {id}")][..]), "{err}");
    let closed: Vec<i64> = parse(&lines).iter().filter_map(|e| e["evt.args"]["fd"]["fd"].as_i64()).collect();
    assert!(closed.contains(&-2) && !closed.contains(&-1), "{lines:?}");
    assert!(lines.iter().any(|l| l.contains("getppid")), "{lines:?}");
}

#[test]
fn nobody_is_an_error() {
    let _alone = alone!();
    let refused = |args: &[&str]| {
        let done = sysreel().args(args).output().unwrap();
        (done.status.code(), String::from_utf8_lossy(&done.stderr).into_owned())
    };
    let free = chosen().to_string();
    assert_eq!(refused(&["--pid", &free]), (Some(2), format!("sysreel: there is no process {free}\n")));
    let (status, text) = refused(&["-u", "no-such-user"]);
    assert_eq!(status, Some(2));
    assert!(text.contains("no user `no-such-user` in /etc/passwd"), "{text}");
    let thread = std::thread::spawn(|| {
        let id = rustix::thread::gettid().as_raw_nonzero().to_string();
        let done = sysreel().args(["--pid", &id]).output().unwrap();
        (done.status.code(), String::from_utf8_lossy(&done.stderr).into_owned())
    });
    let (status, text) = thread.join().unwrap();
    assert!(status == Some(2) && text.contains("is a thread of process"), "{text}");
}

#[test]
fn users_and_processes_are_the_same_live_and_reread() {
    let _alone = alone!();
    let dir = tempfile::tempdir().unwrap();
    let reel = dir.path().join("all");
    let done = run(&["-w", reel.to_str().unwrap()], &actor("reject"));
    assert_eq!(done.totals().1, 0, "{}", done.stderr);
    let ask = |options: &[&str]| {
        let (status, lines, err) = reread(&reel, &[&["-p", FORM], options].concat());
        assert_eq!(status, 0, "{err}");
        lines
    };
    // Calls of another user, by option and by filter, from the file and live: all but numbers of processes are alike.
    let plain = |lines: &[String]| -> Vec<String> {
        let mut all: Vec<String> = lines
            .iter()
            .filter(|l| ["getppid", "close", "openat"].contains(&l.split(' ').nth(2).unwrap()))
            .map(|l| {
                l.split(' ')
                    .enumerate()
                    .filter(|(i, _)| [2, 4].contains(i))
                    .map(|(_, w)| w.to_owned() + " ")
                    .collect()
            })
            .collect();
        all.sort();
        all
    };
    let by_option = ask(&["-u", "1000"]);
    assert_eq!(by_option, ask(&["user.uid = 1000"]));
    let live = run(&["-u", "1000", "-p", FORM], &actor("reject"));
    assert_eq!(plain(&live.lines), plain(&by_option), "{}", live.stderr);
    assert!(by_option.len() > 12, "{by_option:?}");
    let both = run(&["-u", "1000", "-p", FORM, "evt.failed = true"], &actor("reject"));
    assert_eq!(plain(&both.lines), plain(&ask(&["-u", "1000", "evt.failed = true"])), "{}", both.stderr);
    assert_eq!(ask(&["-u", "root,1000"]), ask(&["user.name = root or user.uid = 1000"]));
    assert_eq!(ask(&["-u", "nobody-like-that"]), Vec::<String>::new());

    let other = done.fact("other").to_string();
    let some = ask(&["--pid", &other]);
    assert_eq!(some, ask(&[&format!("proc.pid = {other} or proc.apid = {other}")]));
    let ids: BTreeSet<&str> = some.iter().map(|l| l.split(' ').next().unwrap()).collect();
    assert!(ids.len() == 2 && ids.contains(&*other), "it and its child: {ids:?}");
    assert!(ask(&["--pid", &other, "-u", "1000"]).len() < some.len());
}
