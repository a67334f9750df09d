//! In a container: a real runtime (runc), a root file system that holds this program and little else, the host's pid
//! namespace and its /proc at /host/proc, and no more capabilities than the manual lists.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::rig::{alone, installed, kind, of, parse, pid, skip, within};

/// What events take, and what names of files and executables take that were there before the start.
const CAPABILITIES: [&str; 4] = ["CAP_BPF", "CAP_PERFMON", "CAP_DAC_READ_SEARCH", "CAP_SYS_PTRACE"];
/// `nobody` of Debian.
const USER: u32 = 65534;

/// A bundle of the Open Container Initiative, and a place that both sides see.
pub(super) struct Bundle {
    dir: tempfile::TempDir,
    pub(super) name: String,
}

impl Bundle {
    /// `out` is at /out inside, the host's /proc at /host/proc, its passwd in its place.
    pub(super) fn new(capabilities: &[&str], namespaces: &[&str], args: &[&str]) -> Bundle {
        let dir = tempfile::tempdir().unwrap();
        // Others than root go through it.
        fs::set_permissions(dir.path(), Permissions::from_mode(0o755)).unwrap();
        let root = dir.path().join("rootfs");
        for d in ["proc", "sys", "host/proc", "out", "etc"] {
            fs::create_dir_all(root.join(d)).unwrap();
        }
        fs::create_dir(dir.path().join("out")).unwrap();
        fs::write(root.join("etc/passwd"), "").unwrap();
        fs::copy(env!("CARGO_BIN_EXE_sysreel"), root.join("sysreel")).unwrap();
        let bind = |from: &Path, to: &str, how: &str| json!({"destination": to, "type": "none", "source": from, "options": ["rbind", how]});
        let name = format!(
            "sysreel-test-{}",
            dir.path().file_name().unwrap().to_str().unwrap().trim_start_matches('.')
        );
        let words = [&["/sysreel"], args].concat();
        let config = json!({
            "ociVersion": "1.0.2",
            "root": {"path": "rootfs", "readonly": true},
            "process": {
                "terminal": false, "user": {"uid": 0, "gid": 0}, "cwd": "/", "env": ["PATH=/"], "noNewPrivileges": true,
                "args": words,
                "capabilities": {"bounding": capabilities, "effective": capabilities, "permitted": capabilities},
            },
            "mounts": [
                {"destination": "/proc", "type": "proc", "source": "proc"},
                bind(Path::new("/sys"), "/sys", "ro"),
                bind(Path::new("/proc"), "/host/proc", "ro"),
                bind(Path::new("/etc/passwd"), "/etc/passwd", "ro"),
                bind(&dir.path().join("out"), "/out", "rw"),
            ],
            "linux": {
                "cgroupsPath": format!("/{name}"),
                "namespaces": namespaces.iter().map(|n| json!({"type": n})).collect::<Vec<_>>(),
            },
        });
        fs::write(dir.path().join("config.json"), config.to_string()).unwrap();
        Bundle { dir, name }
    }

    pub(super) fn at(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn runc(&self, args: &[&str]) -> Command {
        let mut command = Command::new("runc");
        command.arg("--root").arg(self.at("state")).args(args).stdin(Stdio::null());
        command
    }

    pub(super) fn start(&self) -> Child {
        let mut command = self.runc(&["run", "--bundle"]);
        let command = command.arg(self.dir.path()).arg(&self.name);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }
}

/// Leaves no container behind, whatever a test found.
impl Drop for Bundle {
    fn drop(&mut self) {
        let _ = self
            .runc(&["delete", "--force", &self.name])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
    }
}

/// A process of the host that has `file` open as 3 and looks at it five times a second, as another user.
fn tail(file: &Path) -> Child {
    let mut command = Command::new("tail");
    command.args(["---disable-inotify", "-s", "0.2", "-f"]).arg(file).uid(USER).gid(USER);
    command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap()
}

/// Captures until `cat` has read a file; events of `cat` and `tail`, their pids, the file.
fn capture(capabilities: &[&str], namespaces: &[&str]) -> (Vec<Value>, i64, i64, String) {
    let filter = "proc.name in (cat, tail) and evt.type in (execve, openat, newfstatat, fstat)";
    let args = ["--proc", "/host/proc", "-j", "-o", "/out/events", filter];
    let bundle = Bundle::new(capabilities, namespaces, &args);
    let file = bundle.at("unique");
    fs::write(&file, "text").unwrap();
    let mut tail = tail(&file);
    std::thread::sleep(Duration::from_millis(300));
    let mut container = bundle.start();
    let (begin, out) = (Instant::now(), bundle.at("out/events"));
    // The file is made last of all.
    while !out.exists()
        && begin.elapsed() < Duration::from_secs(30)
        && container.try_wait().unwrap().is_none()
    {
        std::thread::sleep(Duration::from_millis(20));
    }
    std::thread::sleep(Duration::from_millis(600));
    let mut cat = Command::new("cat");
    let mut cat = cat.arg(&file).uid(USER).gid(USER).stdout(Stdio::null()).spawn().unwrap();
    cat.wait().unwrap();
    std::thread::sleep(Duration::from_millis(500));
    let _ = bundle.runc(&["kill", &bundle.name, "INT"]).status();
    let status = within(&mut container, Duration::from_secs(20));
    let (cat, tail_pid) = (i64::from(cat.id()), i64::from(tail.id()));
    tail.kill().unwrap();
    tail.wait().unwrap();
    let Output { stderr, .. } = container.wait_with_output().unwrap();
    assert!(status.is_some_and(|s| s.success()), "{status:?} {}", String::from_utf8_lossy(&stderr));
    let lines: Vec<String> = fs::read_to_string(&out).unwrap().lines().map(str::to_owned).collect();
    (parse(&lines), cat, tail_pid, file.to_str().unwrap().to_owned())
}

#[test]
fn processes_of_the_host_have_their_names_files_and_users() {
    let _alone = alone!();
    if !installed("runc") {
        return skip("runc is not installed");
    }
    let (events, cat, tail, file) = capture(&CAPABILITIES, &["mount", "uts", "ipc", "network", "cgroup"]);
    let of_cat: Vec<&Value> = events.iter().filter(|e| pid(e) == cat).collect();
    let user = fs::read_to_string("/etc/passwd").unwrap();
    let user = user.lines().find(|l| l.split(':').nth(2) == Some("65534")).and_then(|l| l.split(':').next());
    for e in &of_cat {
        assert_eq!(e["proc.name"], "cat", "{e}");
        assert_eq!((&e["user.uid"], e["user.name"].as_str()), (&json!(USER), user), "{e}");
        assert_eq!(e["proc.ppid"], std::process::id(), "{e}");
    }
    let open = of_cat.iter().find(|e| kind(e) == "openat" && e["evt.args"]["path"] == file.as_str());
    assert!(open.is_some_and(|e| e["fd.name"] == file.as_str()), "{of_cat:?}");
    // What was there before the container is known from the host's /proc.
    let before: Vec<&Value> = events.iter().filter(|e| pid(e) == tail && e["fd.num"] == 3).collect();
    assert!(before.len() >= 3, "{events:?}");
    for e in before {
        assert_eq!((&e["fd.name"], &e["user.name"]), (&json!(file), &json!(user)), "{e}");
        assert!(e["proc.exepath"].as_str().is_some_and(|p| p.ends_with("/tail")), "{e}");
    }
}

#[test]
fn two_capabilities_suffice_but_for_names_from_before() {
    let _alone = alone!();
    if !installed("runc") {
        return skip("runc is not installed");
    }
    let (events, cat, tail, file) = capture(&CAPABILITIES[..2], &["mount", "uts", "ipc"]);
    let opens = of(&events, "openat");
    let open = opens.iter().find(|e| pid(e) == cat && e["evt.args"]["path"] == file.as_str());
    assert!(open.is_some_and(|e| e["fd.name"] == file.as_str() && e["proc.name"] == "cat"), "{opens:?}");
    let before: Vec<&Value> = events.iter().filter(|e| pid(e) == tail && e["fd.num"] == 3).collect();
    assert!(!before.is_empty() && before.iter().all(|e| e.get("fd.name").is_none()), "{before:?}");
}

#[test]
fn a_pid_namespace_of_its_own_is_refused_with_the_reason() {
    let _alone = alone!();
    if !installed("runc") {
        return skip("runc is not installed");
    }
    let bundle =
        Bundle::new(&CAPABILITIES, &["mount", "uts", "ipc", "pid"], &["--proc", "/host/proc", "-c", "1"]);
    let done = bundle.start().wait_with_output().unwrap();
    let err = String::from_utf8_lossy(&done.stderr);
    assert_eq!(done.status.code(), Some(1), "{err}");
    assert!(err.contains("a pid namespace of its own") && err.contains("hostPID: true"), "{err}");
    assert!(done.stdout.is_empty());
}
