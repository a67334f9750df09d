//! A thousand containers: a start takes little longer, and each is known.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;

use super::lab::unified;
use crate::cli::sysreel;
use crate::live::rig::{Background, alone, interrupt, loudly, skip};

const MANY: usize = 1000;
/// What a start may take longer.
const MORE: Duration = Duration::from_secs(2);

/// Containers as runc leaves them: a control group, a state, a process.
struct Crowd {
    top: PathBuf,
    names: Vec<String>,
    processes: Vec<Child>,
}

fn state(name: &str) -> PathBuf {
    Path::new("/run/runc").join(name)
}

impl Crowd {
    fn new() -> Option<Crowd> {
        let top = unified().join(format!("sysreel-test-many-{}", std::process::id()));
        fs::create_dir(&top).ok()?;
        let mut crowd = Crowd { top, names: Vec::new(), processes: Vec::new() };
        for n in 0..MANY {
            let name = format!("sysreel-test-{}-{n}", std::process::id());
            let group = crowd.top.join(&name);
            fs::create_dir(&group).ok()?;
            fs::create_dir_all(state(&name)).ok()?;
            let text = json!({"id": name, "created": "2026-01-01T00:00:00Z", "cgroup_paths": {"": group},
                "config": {"labels": ["team=blue", "bundle=/nowhere"], "mounts": []}});
            fs::write(state(&name).join("state.json"), text.to_string()).ok()?;
            let process = Command::new("sleep").arg("600").stdin(Stdio::null()).spawn().ok()?;
            fs::write(group.join("cgroup.procs"), process.id().to_string()).ok()?;
            crowd.processes.push(process);
            crowd.names.push(name);
        }
        Some(crowd)
    }

    fn end(&mut self) {
        self.processes.iter_mut().for_each(|p| drop(p.kill()));
        self.processes.iter_mut().for_each(|p| drop(p.wait()));
        self.processes.clear();
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        self.end();
        std::thread::sleep(Duration::from_millis(100));
        for name in &self.names {
            let _ = fs::remove_dir_all(state(name));
            let _ = fs::remove_dir(self.top.join(name));
        }
        let _ = fs::remove_dir(&self.top);
    }
}

/// From the start of the program to its first file, which is made last of all: the shortest of three.
fn start(options: &[&str]) -> Duration {
    let once = || {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("events");
        let begin = Instant::now();
        let child = sysreel().arg("-o").arg(&file).args(options).stderr(Stdio::null()).spawn().unwrap();
        while !file.exists() && begin.elapsed() < Duration::from_secs(60) {
            std::thread::sleep(Duration::from_millis(5));
        }
        let took = begin.elapsed();
        interrupt(&child);
        assert!(child.wait_with_output().unwrap().status.success());
        took
    };
    (0..3).map(|_| once()).min().unwrap()
}

#[test]
fn a_thousand_containers_are_known_in_little_time() {
    let _alone = alone!();
    let before = start(&["container.id = none"]);
    let Some(mut crowd) = Crowd::new() else { return skip("no control groups can be made") };
    let after = start(&["container.id = none"]);
    assert!(after < before + MORE, "{before:?}, with {MANY} containers {after:?}");

    let begin = Instant::now();
    let listed = sysreel().args(["containers", "-j"]).output().unwrap();
    let listing = begin.elapsed();
    let listed = String::from_utf8(listed.stdout).unwrap();
    let own = listed.lines().filter(|l| l.contains("\"sysreel-test-") && l.contains("\"running\""));
    assert_eq!(own.count(), MANY, "{}", &listed[..listed.len().min(1000)]);

    // The end of each is shown as its own.
    let names: BTreeSet<String> = crowd.names.iter().cloned().collect();
    let capture =
        Background::start(&["-p", "%container.name", "evt.type = procexit and container.type = oci"]);
    std::thread::sleep(Duration::from_millis(500));
    crowd.end();
    std::thread::sleep(Duration::from_secs(1));
    let (lines, said, _) = capture.stop();
    let seen: BTreeSet<String> = lines.into_iter().filter(|l| names.contains(l)).collect();
    assert_eq!(seen.len(), MANY, "{said}");
    loudly(&format!(
        "a start takes {before:?}, with {MANY} containers {after:?}; they are listed in {listing:?}"
    ));
}
