//! `sysreel run` as the traced command sees it: nothing is different from being started by the shell.

use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use crate::cli::sysreel;

fn run(args: &[&str]) -> Command {
    let mut command = sysreel();
    command.args(["run", "-q", "--"]).args(args);
    command
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn out(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).unwrap()
}

fn root() -> bool {
    rustix::process::geteuid().is_root()
}

#[test]
fn the_commands_status_is_handed_on() {
    for status in [0, 1, 2, 42, 125, 255] {
        let done = run(&["sh", "-c", &format!("exit {status}")]).output().unwrap();
        assert_eq!(code(&done), status);
    }
    for (signal, status) in [("TERM", 143), ("KILL", 137), ("SEGV", 139), ("INT", 130)] {
        let done = run(&["sh", "-c", &format!("kill -{signal} $$")]).output().unwrap();
        assert_eq!(code(&done), status, "{signal}");
    }
}

#[test]
fn what_cannot_be_started_has_a_status_and_a_message() {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str, mode: u32| {
        let path = dir.path().join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let plain = file("plain", "#!/bin/sh\n", 0o644);
    let orphan = file("orphan", "#!/no/such/interpreter\n", 0o755);
    let foreign = file("foreign", "\x7fELFnonsense", 0o755);
    for (command, status, word) in [
        ("no-such-command", 127, "not found"),
        ("/no/such/command", 127, "no such file"),
        (orphan.as_str(), 127, "interpreter"),
        (plain.as_str(), 126, "ermission denied"),
        (dir.path().to_str().unwrap(), 126, "directory"),
    ] {
        let done = run(&[command]).output().unwrap();
        let err = String::from_utf8_lossy(&done.stderr).into_owned();
        assert_eq!(code(&done), status, "{command}: {err}");
        assert!(err.starts_with("sysreel: ") && err.contains(word), "{command}: {err}");
    }
    // A file that is neither program nor script is handed to the shell, as execvp does; that it fails is all we know.
    assert_ne!(code(&run(&[&foreign]).output().unwrap()), 0);
    let done = sysreel().args(["run", "-q", "--as", "no-such-user", "--", "true"]).output().unwrap();
    assert_eq!(code(&done), 125);
}

#[test]
fn arguments_environment_and_directory_pass_as_they_are() {
    let dir = tempfile::tempdir().unwrap();
    let mut command = run(&["printf", "%s|", "a b", "", "--", "-w", "*", "new\nline"]);
    command.arg(OsStr::from_bytes(b"\xff\xfe"));
    assert_eq!(command.output().unwrap().stdout, b"a b||--|-w|*|new\nline|\xff\xfe|");

    let done = run(&["sh", "-c", "echo $0 $KEEP; pwd -P"])
        .env("KEEP", "kept")
        .current_dir(dir.path())
        .output()
        .unwrap();
    let here = dir.path().canonicalize().unwrap();
    assert_eq!(out(&done), format!("sh kept\n{}\n", here.display()));
}

#[test]
fn standard_input_passes_through() {
    let mut child = run(&["cat"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let big = vec![b'x'; 300_000];
    let mut stdin = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || stdin.write_all(&big));
    let done = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert_eq!((code(&done), done.stdout.len()), (0, 300_000));
}

#[test]
fn the_command_inherits_no_descriptor_of_ours() {
    let direct = Command::new("ls").arg("/proc/self/fd").stdin(Stdio::null()).output().unwrap();
    let traced = run(&["ls", "/proc/self/fd"]).stdin(Stdio::null()).output().unwrap();
    assert_eq!(out(&direct), out(&traced));
}

#[test]
fn signals_are_as_a_shell_leaves_them() {
    let status = ["grep", "-E", "^Sig(Blk|Ign|Cgt):", "/proc/self/status"];
    let direct = Command::new(status[0]).args(&status[1..]).output().unwrap();
    let traced = run(&status).output().unwrap();
    assert_eq!(out(&direct), out(&traced));
    assert!(out(&traced).lines().any(|l| l == "SigBlk:\t0000000000000000"), "{}", out(&traced));
}

#[test]
fn the_command_keeps_our_process_group() {
    let mut command = run(&["cut", "-d ", "-f5", "/proc/self/stat"]);
    let done = command.process_group(0).stdout(Stdio::piped()).spawn().unwrap();
    let group = done.id();
    assert_eq!(out(&done.wait_with_output().unwrap()).trim(), group.to_string());
}

#[test]
fn another_user_can_be_taken_on() {
    if !root() {
        return;
    }
    let script = "id -u; id -g; id -G; echo $HOME $USER $LOGNAME $SHELL";
    let done = sysreel().args(["run", "-q", "--as", "nobody", "--", "sh", "-c", script]).output().unwrap();
    let users = sysreel::users::Users::system().unwrap();
    let nobody = users.by_name(b"nobody").unwrap();
    let groups: Vec<String> = users.groups_of(nobody).iter().map(u32::to_string).collect();
    let text = String::from_utf8_lossy;
    let expected = format!(
        "{}\n{}\n{}\n{} nobody nobody {}\n",
        nobody.uid,
        nobody.gid,
        groups.join(" "),
        text(&nobody.home),
        text(&nobody.shell)
    );
    assert_eq!(out(&done), expected, "{}", text(&done.stderr));
    // No way back, and nothing kept.
    let status =
        ["run", "-q", "--as", "nobody", "--", "grep", "-E", "^(Uid|CapEff|CapPrm):", "/proc/self/status"];
    let done = sysreel().args(status).output().unwrap();
    assert!(out(&done).contains("CapEff:\t0000000000000000"), "{}", out(&done));
    assert!(out(&done).contains("CapPrm:\t0000000000000000"), "{}", out(&done));
}

#[test]
fn a_command_that_the_user_may_not_execute_is_126() {
    if !root() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("mine");
    fs::write(&path, "#!/bin/sh\n").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
    let done = sysreel().args(["run", "-q", "--as", "nobody", "--"]).arg(&path).output().unwrap();
    assert_eq!(code(&done), 126, "{}", String::from_utf8_lossy(&done.stderr));
}

/// Starts a command that says when it is ready, sends us a signal, and returns what it printed and our status.
fn signalled(script: &str, signals: &[rustix::process::Signal]) -> (i32, String) {
    use std::io::{BufRead, BufReader, Read};
    let mut child = run(&["sh", "-c", script]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    let mut ready = String::new();
    lines.read_line(&mut ready).unwrap();
    assert_eq!(ready, "ready\n");
    let pid = rustix::process::Pid::from_child(&child);
    for signal in signals {
        rustix::process::kill_process(pid, *signal).unwrap();
        std::thread::sleep(Duration::from_millis(50));
    }
    let mut rest = String::new();
    lines.read_to_string(&mut rest).unwrap();
    (child.wait().unwrap().code().unwrap(), rest)
}

#[test]
fn termination_is_handed_on_and_interrupts_are_survived() {
    use rustix::process::Signal;
    let trap = "trap 'echo got; exit 7' TERM; echo ready; while :; do sleep 0.02; done";
    assert_eq!(signalled(trap, &[Signal::TERM]), (7, "got\n".to_owned()));
    let hangup = "trap 'echo got; exit 8' HUP; echo ready; while :; do sleep 0.02; done";
    assert_eq!(signalled(hangup, &[Signal::HUP]), (8, "got\n".to_owned()));
    assert_eq!(
        signalled("echo ready; sleep 0.3; echo done; exit 5", &[Signal::INT, Signal::QUIT]),
        (5, "done\n".to_owned())
    );
}

#[test]
fn the_stub_ends_with_its_parent() {
    // By hand it is nothing: no socket answers.
    let done = sysreel().args(["::start", "sysreel-no-such", "-", "/bin/true", "true"]).output().unwrap();
    assert_eq!((code(&done), done.stdout.len(), done.stderr.len()), (125, 0, 0));
}
