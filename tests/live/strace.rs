//! The same calls as strace shows, the same number of each, with the same results.

use std::collections::{BTreeMap, HashMap};
use std::process::{Command, Stdio};

use serde_json::Value;

use super::rig::{alone, count, installed, kind, pid, res, run, skip};

/// Left out of the count. The first three never return, and strace writes them without a result. The others depend on
/// when a child's SIGCHLD arrives, not on what the command does.
const UNSTABLE: [&str; 6] = ["exit", "exit_group", "execveat", "rt_sigreturn", "restart_syscall", "wait4"];

/// Calls whose results are not addresses, process ids or times.
const COMPARED: [&str; 17] = [
    "openat",
    "access",
    "faccessat",
    "faccessat2",
    "newfstatat",
    "fstat",
    "stat",
    "lstat",
    "close",
    "lseek",
    "chdir",
    "readlink",
    "statfs",
    "statx",
    "getdents64",
    "dup2",
    "fcntl",
];

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Call {
    name: String,
    /// As strace writes it.
    result: String,
    /// Of openat.
    path: Option<String>,
}

/// Calls by process, in order.
type Calls = HashMap<i64, Vec<Call>>;

fn of_strace(text: &str) -> Calls {
    let mut calls = Calls::new();
    let mut unfinished: HashMap<i64, String> = HashMap::new();
    for line in text.lines() {
        let (pid, rest) = line.split_once(' ').unwrap();
        let (pid, rest) = (pid.parse().unwrap(), rest.trim_start());
        if rest.starts_with("+++") || rest.starts_with("---") {
            continue;
        }
        let whole = if let Some(begun) = rest.strip_suffix(" <unfinished ...>") {
            unfinished.insert(pid, begun.to_owned());
            continue;
        } else if let Some(ended) = rest.strip_prefix("<... ") {
            unfinished.remove(&pid).unwrap() + ended.split_once("resumed>").unwrap().1
        } else {
            rest.to_owned()
        };
        let name = whole.split('(').next().unwrap().to_owned();
        let (before, result) = whole.rsplit_once(" = ").unwrap();
        let result = result.split(" (").next().unwrap().to_owned();
        let path = (name == "openat").then(|| before.split('"').nth(1).unwrap().to_owned());
        calls.entry(pid).or_default().push(Call { name, result, path });
    }
    calls
}

fn of_sysreel(events: &[Value]) -> Calls {
    let mut calls = Calls::new();
    for e in events.iter().filter(|e| kind(e) != "procexit") {
        let result = match res(e) {
            r if (-4095..0).contains(&r) => format!("-1 {}", e["evt.res"].as_str().unwrap()),
            r => r.to_string(),
        };
        let path = (kind(e) == "openat").then(|| e["evt.args"]["path"].as_str().unwrap().to_owned());
        calls.entry(pid(e)).or_default().push(Call { name: kind(e).to_owned(), result, path });
    }
    calls
}

fn counted(calls: &Calls) -> BTreeMap<String, usize> {
    count(calls.values().flatten().map(|c| c.name.clone()).filter(|n| !UNSTABLE.contains(&n.as_str())))
}

/// Which process comes first is up to the scheduler; what each does is not.
fn results(calls: &Calls) -> Vec<Vec<Call>> {
    let only = |all: &Vec<Call>| -> Vec<Call> {
        all.iter().filter(|c| COMPARED.contains(&c.name.as_str())).cloned().collect()
    };
    let mut all: Vec<_> = calls.values().map(only).collect();
    all.sort();
    all
}

#[test]
fn strace_and_sysreel_agree() {
    let _alone = alone!();
    if !installed("strace") {
        return skip("strace is not installed");
    }
    let mut commands = vec![
        vec!["ls", "-l", "/etc/profile.d"],
        vec!["cat", "/etc/passwd"],
        vec!["cat", "/nonexistent"],
        vec!["sh", "-c", "echo a | cat; true"],
        vec!["sh", "-c", "cd /etc; cat passwd; (exit 3)"],
    ];
    if installed("busybox") {
        commands.push(vec!["busybox", "wc", "/etc/passwd"]);
    }
    for command in commands {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("strace");
        let done = Command::new("strace")
            .args(["-f", "-s", "4096", "-o"])
            .arg(&file)
            .args(&command)
            .env("LC_ALL", "C")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .output()
            .unwrap();
        let theirs = of_strace(&std::fs::read_to_string(&file).unwrap());
        let traced = run(&["-j"], &command);
        let ours = of_sysreel(&traced.events());
        assert_eq!(done.status.code(), traced.status.code(), "{command:?}");
        assert_eq!(String::from_utf8_lossy(&done.stdout), traced.stdout, "{command:?}");
        assert_eq!(counted(&theirs), counted(&ours), "{command:?}: strace, sysreel");
        let (theirs, ours) = (results(&theirs), results(&ours));
        assert_eq!(theirs.len(), ours.len(), "{command:?}: processes");
        for (a, b) in theirs.iter().zip(&ours) {
            assert_eq!(a, b, "{command:?}: strace, sysreel");
        }
    }
}
