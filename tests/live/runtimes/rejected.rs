//! Captures of one container or pod: the others are rejected in the kernel, one that starts later is not.

use std::time::Duration;

use serde_json::json;

use super::containerd::{daemon, remove_pod, run_in, run_pod};
use super::docker::Docker;
use super::lab::lab;
use crate::live::reject::rejected;
use crate::live::rejected::both;
use crate::live::rig::alone;

const FORMAT: &str = "%proc.pid %thread.tid %evt.type %evt.rawres %container.name %k8s.pod.name %fd.num %fd.name %proc.cwd %proc.exepath";

/// Those of the container's programs: when the runtime's own first calls there are named is not settled.
fn programs(lines: &[String]) -> Vec<&String> {
    lines.iter().filter(|l| l.ends_with("/bin/busybox")).collect()
}

/// Both captures show the same, from the first call on; that of others is rejected.
fn check((with, without, said): &(Vec<String>, Vec<String>, String), names: &str, least: u64) {
    let (a, b) = (programs(with), programs(without));
    assert_eq!(a, b, "{said}");
    assert!(a.len() > 10 && a.iter().all(|l| l.contains(names)), "{said} {a:#?}");
    assert!(a[0].contains(" execve 0 "), "{a:#?}");
    let count = rejected(said, "control group");
    assert!(count >= least, "{count}: {said}");
}

#[test]
fn a_container_of_docker_is_all_that_passes() {
    let _alone = alone!();
    let mut lab = lab!("dockerd", "containerd", "runc", "busybox");
    let docker = Docker::start(&mut lab);
    docker.make("other", &json!({}));
    docker.make("short1", &json!({}));
    docker.run("other");
    let inside = |what: &str| {
        let (pid, _) = lab.process(&what[what.len() - 64..]);
        pid
    };
    let id = docker.make("web", &json!({}));
    docker.run("web");
    let web = inside(&id);
    // What is in the other one calls all the time.
    let (pid, _) = lab.until("the other", || {
        let (status, body) = docker.ask("GET", "/containers/other/json", "", b"");
        let id = serde_json::from_slice::<serde_json::Value>(&body).ok()?["Id"].as_str()?.to_owned();
        (status == 200).then(|| lab.process(&id))
    });
    let call = |pid: u32, times: u32| {
        let group = std::fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap();
        let path = group.lines().find_map(|l| l.strip_prefix("0::")).unwrap().to_owned();
        let dir = super::lab::unified().join(path.trim_start_matches('/'));
        lab.shell(&format!(
            "echo $$ > {}/cgroup.procs; for i in $(seq {times}); do r/bin/cat /dev/null; done",
            dir.display()
        ));
    };
    let done = both(&["--container", "short1", "-p", FORMAT], "", || {
        call(pid, 20);
        docker.run("short1");
        std::thread::sleep(Duration::from_secs(1));
        call(pid, 20);
    });
    check(&done, " short1 - ", 300);
    // One that runs already, by the beginning of its id.
    let done = both(&["--container", &id[..12], "-p", FORMAT], "evt.type in (execve, openat, read)", || {
        call(pid, 20);
        // It is given the root's own busybox.
        call(web, 5);
    });
    let names: Vec<_> =
        done.0.iter().filter(|l| l.contains("/bin/busybox") && l.contains(" execve 0 web ")).collect();
    assert_eq!(names.len(), 5, "{:#?}", done.0);
    assert_eq!(done.0, done.1, "{}", done.2);
    assert!(rejected(&done.2, "control group") > 20, "{}", done.2);
    for name in ["other", "short1", "web"] {
        assert_eq!(docker.ask("DELETE", &format!("/containers/{name}?force=1"), "", b"").0, 204);
    }
}

#[test]
fn a_pod_is_all_that_passes() {
    let _alone = alone!();
    let mut lab = lab!("containerd", "ctr", "runc", "busybox");
    daemon(&mut lab);
    lab.shell("ctr -a {}/ctd.sock -n k8s.io image import {}/lab.tar");
    let mut sandbox = String::new();
    let done = both(&["--pod", "shop/web-7d4", "-p", FORMAT], "", || {
        sandbox = run_pod(&lab);
        run_in(&lab, &sandbox, "web");
        std::thread::sleep(Duration::from_millis(500));
    });
    check(&done, " web-7d4 ", 0);
    // Another name, or another's namespace: nothing of it passes once it is known.
    for pod in ["else/web-7d4", "shop/other"] {
        let done = both(&["--pod", pod, "-p", FORMAT], "", || {
            run_in(&lab, &sandbox, if pod.starts_with("else") { "one" } else { "two" });
            std::thread::sleep(Duration::from_millis(500));
        });
        assert!(done.0.is_empty() && done.1.is_empty(), "{:#?}", done.0);
    }
    remove_pod(&lab, &sandbox);
}
