//! Names: of descriptors however they came to be, of connections, of directories; and the same names when only the calls
//! that show them were asked for.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;

use serde_json::Value;

use super::rig::{Run, actor, alone, installed, of, parse, pid, reread, run};
use crate::cli::sysreel;

/// Runs the actor in a directory with the file `plain`, standard input being that file.
fn act(dir: &Path, options: &[&str]) -> Run {
    let out = dir.join("events");
    let _ = std::fs::remove_file(dir.join("sock"));
    std::fs::write(dir.join("plain"), "text").unwrap();
    let stdin = std::fs::File::open(dir.join("plain")).unwrap();
    let mut c = sysreel();
    c.arg("run").args(options);
    if !options.contains(&"-w") {
        c.arg("-o").arg(&out);
    }
    let done = c.arg("--").args(actor("state")).current_dir(dir).stdin(Stdio::from(stdin)).output().unwrap();
    Run {
        status: done.status,
        stdout: String::from_utf8(done.stdout).unwrap(),
        stderr: String::from_utf8_lossy(&done.stderr).into_owned(),
        lines: std::fs::read_to_string(&out).unwrap_or_default().lines().map(str::to_owned).collect(),
    }
}

/// What each step's lseek says of its descriptor.
fn steps(events: &[Value]) -> BTreeMap<i64, Value> {
    let all = of(events, "lseek").into_iter();
    all.map(|e| (e["evt.args"]["offset"].as_i64().unwrap(), e.clone())).collect()
}

fn name(steps: &BTreeMap<i64, Value>, step: i64) -> String {
    let e = &steps[&step];
    assert_ne!(e["evt.certain"], false, "step {step}: {e}");
    e["evt.args"]["fd"]["name"].as_str().unwrap_or("").to_owned()
}

/// The names that every step must show, by the facts of the run.
fn check_names(dir: &Path, done: &Run, steps: &BTreeMap<i64, Value>) {
    let plain = dir.join("plain").to_str().unwrap().to_owned();
    for (step, what) in [
        (1, "open"),
        (2, "dup"),
        (3, "dup2"),
        (4, "dup3"),
        (5, "F_DUPFD"),
        (6, "F_DUPFD_CLOEXEC"),
        (8, "beyond close_range"),
        (10, "kept over execve"),
        (19, "standard input"),
        (20, "inherited by a child"),
        (21, "closed in a child only"),
    ] {
        assert_eq!(name(steps, step), plain, "{what}");
    }
    for (step, what) in [(7, "close_range"), (9, "closed by execve"), (23, "closed in the child")] {
        assert_eq!((name(steps, step).as_str(), &steps[&step]["evt.res"]), ("", &"EBADF".into()), "{what}");
    }
    assert!(name(steps, 11).starts_with("pipe:["), "{}", steps[&11]);
    assert_eq!(name(steps, 12), "/etc/passwd");
    assert_eq!(name(steps, 22), "/dev/zero", "opened by another thread");
    for (step, host) in [(13, "127.0.0.1"), (15, "::1")] {
        let (port, local) = (done.fact(&format!("port{step}")), done.fact(&format!("local{step}")));
        let shown = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
        assert_eq!(name(steps, step), format!("{shown}:{local}->{shown}:{port}"), "client");
        assert_eq!(name(steps, step + 1), format!("{shown}:{port}->{shown}:{local}"), "server");
    }
    for step in [17, 18] {
        let shown = name(steps, step);
        assert!(shown.contains("sock"), "{}", steps[&step]);
    }
}

#[test]
fn descriptors_have_the_right_names_live_and_reread() {
    let _alone = alone!();
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().canonicalize().unwrap();
    let reel = dir.join("reel");
    let done = act(&dir, &["-w", reel.to_str().unwrap()]);
    assert_eq!(done.status.code(), Some(0), "{}", done.stderr);
    let (status, lines, _) = reread(&reel, &["-j"]);
    assert_eq!(status, 0);
    let events = parse(&lines);
    let all = steps(&events);
    check_names(&dir, &done, &all);
    let failed = of(&events, "openat");
    assert!(failed.iter().any(|e| e["evt.args"]["path"] == "no-such-file"));

    // The tuple by its fields, of both ends.
    let port = |name: &str| done.fact(name).to_string();
    for (step, ip) in [(13, "127.0.0.1"), (15, "::1")] {
        let (server, client) = (port(&format!("port{step}")), port(&format!("local{step}")));
        let fields = "%fd.cip %fd.cport %fd.sip %fd.sport %fd.is_server";
        for (offset, is_server) in [(step, "false"), (step + 1, "true")] {
            let filter = format!("evt.type = lseek and evt.rawarg.offset = {offset}");
            let (_, lines, err) = reread(&reel, &["-p", fields, &filter]);
            assert_eq!(lines, [format!("{ip} {client} {ip} {server} {is_server}")], "{err}");
        }
    }
    let filter = "evt.failed = true and evt.type = openat and fs.path.name = /etc/no-such-file";
    let (_, lines, err) = reread(&reel, &["-p", "%fs.path.name", filter]);
    assert_eq!(lines, ["/etc/no-such-file"], "by the working directory: {err}");
}

/// The calls that only change state are captured too, and not shown.
#[test]
fn a_narrow_filter_knows_the_same_names() {
    let _alone = alone!();
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().canonicalize().unwrap();
    let done = act(&dir, &["-j", "evt.type = lseek"]);
    let events = done.events();
    assert!(events.iter().all(|e| e["evt.type"] == "lseek"), "nothing else is shown");
    check_names(&dir, &done, &steps(&events));

    let done = act(&dir, &["-p", "%fs.path.name", "evt.failed = true and fs.path.nameraw = no-such-file"]);
    assert_eq!(done.lines, ["/etc/no-such-file"], "{}", done.stderr);
    let done = act(&dir, &["-p", "%evt.type %fd.sport", "evt.type = write and fd.sip = 127.0.0.1"]);
    assert_eq!(done.lines, [format!("write {}", done.fact("port13"))], "{}", done.stderr);
}

#[test]
fn a_shell_and_its_children_are_who_they_are() {
    let _alone = alone!();
    let done = run(&["-j"], &["sh", "-c", "cat /etc/passwd | cat > /dev/null; true"]);
    let events = done.events();
    let sh = pid(&events[0]);
    let cats: Vec<i64> = of(&events, "execve")
        .into_iter()
        .filter(|e| e["evt.rawres"] == 0 && e["evt.args"]["argv"][0] == "cat")
        .map(pid)
        .collect();
    assert_eq!(cats.len(), 2);
    for e in events.iter().filter(|e| e["proc.name"] == "cat") {
        assert!(cats.contains(&pid(e)) && e["proc.ppid"] == sh, "{e}");
    }
    let reads = events.iter().filter(|e| cats.contains(&pid(e)) && e["evt.args"]["fd"]["fd"] == 0);
    let piped: Vec<&Value> = reads.filter(|e| e["evt.type"] == "read").collect();
    assert!(!piped.is_empty());
    for e in piped {
        assert_eq!(e["evt.args"]["fd"]["type"], "pipe", "{e}");
    }
}

#[test]
fn another_user_is_named() {
    let _alone = alone!();
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let done = run(&["-j", "--as", "nobody"], &["cat", "/etc/passwd"]);
    let events = done.events();
    assert!(events.len() > 10, "{}", done.stderr);
    for e in &events {
        assert_eq!(e["user.name"], "nobody", "{e}");
    }
    // The stub that changed the user is ours and not shown.
    assert_eq!((&events[0]["evt.type"], &events[0]["proc.name"]), (&"execve".into(), &"cat".into()));
    assert_eq!(done.stdout, std::fs::read_to_string("/etc/passwd").unwrap());
}

#[test]
fn a_refused_connection_has_its_address() {
    let _alone = alone!();
    if !installed("wget") {
        return super::rig::skip("wget is not installed");
    }
    let dir = tempfile::tempdir().unwrap();
    let reel = dir.path().join("t.reel");
    let script = "ls -lR /usr/share/doc > /dev/null; wget -q -O- 127.0.0.1:1 || true";
    let done = run(&["-w", reel.to_str().unwrap()], &["sh", "-c", script]);
    assert_eq!((done.status.code(), done.totals().1), (Some(0), 0), "{}", done.stderr);
    let (status, lines, _) = reread(&reel, &["evt.failed = true"]);
    assert_eq!(status, 0);
    let refused = lines
        .iter()
        .any(|l| l.contains(" connect(") && l.contains("127.0.0.1:1") && l.contains("ECONNREFUSED"));
    assert!(refused, "{lines:?}");
}
