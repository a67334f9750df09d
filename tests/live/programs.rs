//! What is known of programs: the layer of an overlay that they lie in, arguments that are too long, who logged in.
#![allow(clippy::print_stdout, reason = "facts go to the test that started us")]
#![allow(unsafe_code, reason = "what is tested are system calls as such")]

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::actor::fact;
use super::rig::{actor, alone, loudly, run, skip};
use crate::cli::sysreel;

/// Mounts an overlay where nobody else sees it, and runs what is in both layers; the last waits.
const OVERLAY: &str = "mkdir lower upper work all && cp /bin/sleep lower/image && cp /bin/sleep lower/changed && \
    mount -t overlay overlay -o lowerdir=$PWD/lower,upperdir=$PWD/upper,workdir=$PWD/work all && \
    cp /bin/sleep all/added && cat /bin/sleep > all/changed || exit 1; \
    all/image $1 & P=$!; sleep 0.2; all/changed $1 & all/added $1; wait $P";

/// The names of programs, and whether each is of the upper and of the lower layer.
const LAYERS: [&str; 3] = ["added true false", "changed true false", "image false true"];
const FORM: &str = "%proc.name %proc.is_exe_upper_layer %proc.is_exe_lower_layer";

#[test]
fn a_program_is_from_the_image_or_was_added() {
    let _alone = alone!();
    if !rustix::process::geteuid().is_root() {
        return skip("only root mounts");
    }
    let script = |seconds: &str, dir: &std::path::Path| -> Vec<String> {
        let cd = format!("cd {} && {}", dir.display(), OVERLAY);
        ["unshare", "-m", "sh", "-c", &cd, "sh", seconds].map(str::to_owned).into()
    };
    // As they run.
    let dir = tempfile::tempdir().unwrap();
    let filter = "evt.type = execve and evt.rawres = 0 and proc.name in (image, changed, added)";
    let done = run(&["-p", FORM, filter], &script("0.3", dir.path()));
    assert_eq!(done.status.code(), Some(0), "{}", done.stderr);
    let mut lines = done.lines.clone();
    lines.sort();
    assert_eq!(lines, LAYERS, "{}", done.stderr);
    // By a look.
    let dir = tempfile::tempdir().unwrap();
    let words = script("30", dir.path());
    let mut child = Command::new(&words[0])
        .args(&words[1..])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let begin = Instant::now();
    let lines = loop {
        let listed =
            sysreel().args(["ps", "-p", FORM, "proc.name in (image, changed, added)"]).output().unwrap();
        let mut lines: Vec<String> =
            String::from_utf8(listed.stdout).unwrap().lines().map(str::to_owned).collect();
        lines.sort();
        if lines.len() == 3 || begin.elapsed() > Duration::from_secs(10) {
            break lines;
        }
        std::thread::sleep(Duration::from_millis(100));
    };
    let own =
        sysreel().args(["ps", "-p", FORM, &format!("proc.pid = {}", std::process::id())]).output().unwrap();
    let listed =
        sysreel().args(["ps", "-p", "%proc.pid", "proc.name in (image, changed, added)"]).output().unwrap();
    for pid in String::from_utf8(listed.stdout).unwrap().lines() {
        unsafe { libc::kill(pid.parse().unwrap(), libc::SIGKILL) };
    }
    let _ = child.wait();
    assert_eq!(lines, LAYERS);
    // (A machine may stand on an overlay itself.)
    if !std::fs::read_to_string("/proc/self/mountinfo").unwrap().contains(" - overlay ") {
        assert!(String::from_utf8_lossy(&own.stdout).ends_with("false false\n"), "{own:?}");
    }
}

#[test]
fn arguments_that_are_too_long_say_so() {
    let _alone = alone!();
    let form = "%proc.args.cut|%proc.args|%proc.cmdline|%proc.args[1]|%proc.args[2]";
    for (len, cut) in [(10, "false"), (6000, "true")] {
        let long = "x".repeat(len);
        let done =
            run(&["-p", form, "evt.type = exit_group and proc.name = true"], &["true", "a", "b", &long]);
        assert_eq!(done.lines.len(), 1, "{:?}", done.lines);
        let parts: Vec<&str> = done.lines[0].split('|').collect();
        assert_eq!(parts[0], cut, "{parts:?}");
        assert_eq!(parts[1].ends_with("..."), cut == "true", "{parts:?}");
        assert_eq!(parts[2].ends_with("..."), cut == "true", "{parts:?}");
        assert!(parts[2].starts_with("true a b x") && parts[3] == "b", "{parts:?}");
        // The one that was cut is not told in part as if it were whole.
        assert_eq!(parts[4], if cut == "true" { "-" } else { &long });
    }
    // The same of one that was there before.
    let mut child = Command::new("sh")
        .args(["-c", "read x", "sh", &"y".repeat(9000)])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    std::thread::sleep(Duration::from_millis(100));
    let filter = format!("proc.pid = {}", child.id());
    let listed = sysreel().args(["ps", "-p", "%proc.args.cut %proc.args", &filter]).output().unwrap();
    drop(child.stdin.take());
    let _ = child.wait();
    let line = String::from_utf8(listed.stdout).unwrap();
    assert!(line.starts_with("true -c read x sh yyy") && line.ends_with("y...\n"), "{line}");
}

/// The actor: somebody logs in, and goes where that user is another.
pub fn login() {
    if std::fs::write("/proc/self/loginuid", "1").is_err() {
        return println!("refused");
    }
    let asked = || unsafe { libc::syscall(libc::SYS_getppid) };
    asked();
    assert_eq!(unsafe { libc::unshare(libc::CLONE_NEWUSER) }, 0);
    asked();
    fact("left", 1);
}

#[test]
fn who_logged_in_is_named_as_the_host_names_users() {
    let _alone = alone!();
    let form = "%user.loginuid %user.loginname %user.name";
    let done = run(&["-p", form, "evt.type = getppid"], &actor("login"));
    if done.stdout.contains("refused") {
        // The kernel lets it be set once, and not every one has it (CONFIG_AUDIT).
        return loudly("NOT TESTED: the audit user cannot be set here");
    }
    // daemon is user 1 (base-passwd).
    assert_eq!(done.lines, ["1 daemon root", "1 daemon -"], "{} {}", done.stdout, done.stderr);
}
