//! Containers: the first call in one is shown as its own, and what moves is shown where it is.

use std::time::Duration;

use super::contained::Bundle;
use super::groups::{Made, made};
use super::rig::{Background, alone, installed, reread, run, skip, within};

/// The id of a container of our own.
pub fn id(first: char) -> String {
    std::iter::once(first).chain(format!("{:063x}", std::process::id()).chars()).collect()
}

const FORMAT: &str = "%proc.name %evt.type %container.id %container.type %container.full_id";

fn words(line: &str) -> Vec<&str> {
    line.split(' ').collect()
}

/// Control groups of docker's shape, without docker.
#[test]
fn a_process_runs_where_its_control_group_says() {
    let _alone = alone!();
    let (one, two) = (id('a'), id('b'));
    let first = made!(Made::at(&format!("/docker/{one}")));
    let second = made!(Made::at(&format!("/docker/{two}")));
    let at = |made: &Made| made.dir.join("cgroup.procs").display().to_string();
    let script =
        format!("echo $$ > {}; true 1 | cat; echo $$ > {}; exec tail /dev/null", at(&first), at(&second));
    let script = ["sh", "-c", &script];
    let check = |lines: &[String]| {
        let count = |name: &str, id: &str| {
            let of: Vec<_> = lines.iter().map(|l| words(l)).filter(|w| w[0] == name).collect();
            let here = of.iter().filter(|w| w[2] == id).count();
            (here, of.len())
        };
        let (cat, cats) = count("cat", &one[..12]);
        assert!(cat > 10 && cat == cats, "{cat} of {cats}: {lines:?}");
        let (tail, tails) = count("tail", &two[..12]);
        assert!(tail > 10 && tail == tails, "{tail} of {tails}: {lines:?}");
        assert!(count("sh", "host").0 > 10 || count("sh", "-").0 == 0, "{lines:?}");
        // The very first call of the new program is one of them.
        let exec = lines.iter().find(|l| l.starts_with("tail execve ")).expect("its execve");
        assert_eq!(words(exec)[2..], [&two[..12], "docker", &two], "{exec}");
    };
    let done = run(&["-p", FORMAT], &script);
    check(&done.lines);
    // Its users are not the host's: their names are somebody else's.
    let named = run(&["-p", "%container.id %user.uid %user.name %group.name"], &script);
    let (mut inside, mut outside) = (0, 0);
    for line in &named.lines {
        let [id, uid, rest @ ..] = &words(line)[..] else { panic!("{line}") };
        let is_named = rest.iter().all(|name| *name != "-");
        assert_eq!(is_named, *id == "host" || *id == "-", "{line}");
        assert_eq!(*uid, rustix::process::geteuid().as_raw().to_string());
        *(if is_named { &mut outside } else { &mut inside }) += 1;
    }
    assert!(inside > 20 && outside > 10, "{inside} {outside}");
    // The reel says the same, and is asked the same.
    let dir = tempfile::tempdir().unwrap();
    let reel = dir.path().join("t.reel");
    run(&["-w", reel.to_str().unwrap(), "--tag", "team=blue"], &script);
    let (status, lines, _) = reread(&reel, &["-p", FORMAT]);
    assert_eq!(status, 0);
    check(&lines);
    let count = |filter: &str| reread(&reel, &["-p", FORMAT, filter]).1;
    let all: Vec<String> = lines.iter().filter(|l| words(l)[4] == two).cloned().collect();
    assert_eq!(count(&format!("container.id = {}", &two[..12])), all);
    assert_eq!(count(&format!("container.full_id = {two} and container.type in (docker, podman)")), all);
    let hosts: Vec<String> = lines.iter().filter(|l| words(l)[2] == "host").cloned().collect();
    assert_eq!(count("container.id = host"), hosts);
    assert_eq!(count("container.name contains hos"), hosts);
    assert!(count("k8s.pod.name exists or container.id = 000000000000").is_empty());
    assert_eq!(count("host.tag[team] = blue and not host.tag[rack] exists").len(), lines.len());
    let listed = crate::cli::sysreel().args(["containers", "-j"]).arg(&reel).output().unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    for id in [&one, &two] {
        let line = listed.lines().find(|l| l.contains(id.as_str())).unwrap_or_else(|| panic!("{listed}"));
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!((&line["container.id"], &line["container.type"]), (&id[..12].into(), &"docker".into()));
    }
    assert_eq!(listed.lines().count(), 2, "{listed}");
    // A part of it knows nothing of the other, nor of who started it.
    let part = dir.path().join("part.reel");
    let filter = format!("container.id = {}", &two[..12]);
    let done =
        crate::cli::sysreel().arg("cut").arg(&reel).arg("-w").arg(&part).arg(&filter).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let listed = crate::cli::sysreel().args(["containers", "-j"]).arg(&part).output().unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    assert!(listed.lines().count() == 1 && listed.contains(&two), "{listed}");
    // Nothing became known later.
    assert_eq!(reread(&reel, &["--late-names", "-p", FORMAT]), reread(&reel, &["-p", FORMAT]));
    let (_, cut, _) = reread(&part, &["-p", FORMAT]);
    assert_eq!(cut, all);
    let (_, above, _) = reread(&part, &["-p", "%proc.pname %proc.aname", "proc.pname exists"]);
    assert!(above.is_empty(), "{above:?}");
}

/// A real runtime, with nobody above it: its container is known by its files, before the first call in it.
#[test]
fn the_first_call_of_a_container_is_its_own() {
    let _alone = alone!();
    if !installed("runc") {
        return skip("runc is not installed");
    }
    // It waits for somebody to write, so that the capture meets it alive on a slow machine as well.
    let bundle = Bundle::new(&[], &["mount", "pid", "uts", "ipc"], &["-r", "/out/fifo"]);
    let fifo = bundle.at("out/fifo");
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let name = bundle.name.clone();
    let format = "%proc.pid %evt.type %container.id %container.type %container.name %proc.exepath";
    let background =
        Background::start(&["-p", format, "proc.name startswith runc or proc.exepath = /sysreel"]);
    let mut container = bundle.start();
    std::thread::sleep(Duration::from_secs(2));
    drop(std::fs::File::options().write(true).open(&fifo));
    assert!(within(&mut container, Duration::from_secs(20)).is_some());
    std::thread::sleep(Duration::from_millis(300));
    let (lines, stderr, _) = background.stop();
    let inside: Vec<Vec<&str>> = lines.iter().map(|l| words(l)).filter(|w| w[5] == "/sysreel").collect();
    assert!(inside.len() > 5, "{stderr}");
    assert_eq!(inside[0][1], "execve", "{inside:?}");
    for w in &inside {
        assert_eq!(w[2..5], [&name, "oci", &name], "{w:?}");
    }
    // Who prepared it is the host's.
    let before = lines.iter().map(|l| words(l)).find(|w| w[1] == "execve" && w[5].ends_with("/runc"));
    assert!(before.is_some_and(|w| w[2] == "host"), "{lines:?}");
}
