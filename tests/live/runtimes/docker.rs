//! docker: by its files from the making of the control group on, by its socket when they cannot be read.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sysreel::container::{Resolver, Runtime, Source, why};

use super::lab::{IMAGE, Lab, http, lab, label, listed, text, unified};
use crate::live::rig::alone;

/// A daemon with the image.
pub struct Docker {
    socket: PathBuf,
}

impl Docker {
    pub fn start(lab: &mut Lab) -> Docker {
        lab.daemon(
            "dockerd --data-root {}/d --exec-root {}/x -H unix://{}/docker.sock -p {}/d.pid --iptables=false --ip6tables=false --bridge=none",
        );
        lab.socket("docker.sock");
        let docker = Docker { socket: lab.at("docker.sock") };
        lab.until("docker", || (docker.ask("GET", "/_ping", "", b"").0 == 200).then_some(()));
        let image = std::fs::read(lab.at("lab.tar")).unwrap();
        assert_eq!(docker.ask("POST", "/images/load", "application/x-tar", &image).0, 200);
        docker
    }

    pub fn ask(&self, method: &str, path: &str, kind: &str, body: &[u8]) -> (u16, Vec<u8>) {
        http(&self.socket, method, path, kind, body)
    }

    /// Makes a container, with more to say of the host's side; its id.
    pub fn make(&self, name: &str, more: &Value) -> String {
        let mut config = json!({"Image": IMAGE, "Labels": {"team": "blue", "odd": "a\u{1b}]0;b"}, "HostConfig": {"NetworkMode": "none"}});
        config["HostConfig"].as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        if name.starts_with("short") {
            config["Cmd"] = json!(["/bin/true"]);
        }
        let path = format!("/containers/create?name={name}");
        let (status, body) = self.ask("POST", &path, "application/json", config.to_string().as_bytes());
        assert_eq!(status, 201, "{}", String::from_utf8_lossy(&body));
        serde_json::from_slice::<Value>(&body).unwrap()["Id"].as_str().unwrap().to_owned()
    }

    pub fn run(&self, name: &str) {
        let (status, body) = self.ask("POST", &format!("/containers/{name}/start"), "", b"");
        assert_eq!(status, 204, "{}", String::from_utf8_lossy(&body));
    }
}

/// Which namespaces of the host's it has: of processes, network, messages.
fn lab_shares(resolver: &mut Resolver, id: &str) -> [Option<bool>; 3] {
    let (pid, path) = super::lab::running(id).unwrap();
    resolver.by_files(&path, Some(pid)).container().unwrap().shares
}

#[test]
fn a_container_is_what_docker_was_told() {
    let _alone = alone!();
    let mut lab = lab!("dockerd", "containerd", "runc", "busybox");
    let docker = Docker::start(&mut lab);
    let (make, run) = (|name: &str, more: Value| docker.make(name, &more), |name: &str| docker.run(name));
    let ask = |method: &str, path: &str, kind: &str, body: &[u8]| docker.ask(method, path, kind, body);

    let bind = lab.text("{}/i:/mine:ro");
    let id = make("web", json!({"Binds": [bind]}));
    run("web");
    let known = lab.known(&id);
    assert_eq!((known.runtime, &*known.id, text(&known.name)), (Runtime::Docker, id.as_bytes(), "web"));
    assert_eq!((text(&known.image), known.privileged), (IMAGE, Some(false)));
    assert!(text(&known.image_id).starts_with("sha256:"));
    assert_eq!(label(&known.labels, "team"), Some("blue"));
    assert_eq!(label(&known.labels, "odd"), Some("a\u{1b}]0;b"));
    assert_eq!(known.mounts, [bind.as_bytes().into()]);
    assert_eq!(known.sources, [Source::Path, Source::Files]);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos() as u64;
    assert!(known.started.is_some_and(|t| t < now && now - t < 60_000_000_000), "{known:?}");
    assert_eq!(lab.asked(&id).sources, [Source::Path, Source::Files]);

    // A new name is known as soon as docker has it.
    assert_eq!(ask("POST", "/containers/web/rename?name=other", "", b"").0, 204);
    assert_eq!(text(&lab.known(&id).name), "other");

    // Everything is there when the control group is made: before the container's first call.
    let (_, path) = lab.process(&id);
    let mut resolver = Resolver::new(Path::new("/proc"));
    let (pid, _) = lab.process(&id);
    resolver.by_files(&path, Some(pid)).container().unwrap();
    let second = make("late", json!({}));
    let group = unified().join("docker").join(&second);
    let first = std::thread::scope(|s| {
        let watch = s.spawn(|| {
            let begin = Instant::now();
            while !group.exists() && begin.elapsed() < Duration::from_secs(20) {
                std::thread::yield_now();
            }
            resolver.by_files(format!("/docker/{second}").as_bytes(), None).container()
        });
        run("late");
        watch.join().unwrap().unwrap()
    });
    assert_eq!((text(&first.name), text(&first.image), first.privileged), ("late", IMAGE, Some(false)));
    assert_eq!(label(&first.labels, "team"), Some("blue"));

    // Not every machine can start one with all rights; docker knows of it before.
    let all = make("all", json!({"Privileged": true}));
    let all = resolver.by_files(format!("/docker/{all}").as_bytes(), None).container().unwrap();
    assert_eq!((text(&all.name), all.privileged), ("all", Some(true)));

    // A report says where that is from.
    let said = why(Path::new("/proc"), &second.as_bytes()[..12]);
    let file = format!("{second}/config.v2.json");
    assert!(said.iter().any(|s| s.source.ends_with(&file) && s.said.starts_with("read")), "{said:?}");
    assert!(why(Path::new("/proc"), b"no such container").is_empty());

    // Those without a process are listed on request.
    let made = make("made", json!({}));
    let ended = make("short-lived", json!({"NetworkMode": "host", "PidMode": "host"}));
    run("short-lived");
    lab.until("its end", || (!unified().join("docker").join(&ended).exists()).then_some(()));
    for (id, name, state) in [(&made, "made", "created"), (&ended, "short-lived", "exited")] {
        assert_eq!(listed(&[], id), "");
        let line = lab.until(state, || Some(listed(&["--all"], id)).filter(|l| l.contains(state)));
        assert!(line.contains(&format!("\"state\":\"{state}\"")) && line.contains(name), "{line}");
        assert!(line.contains(IMAGE) && line.contains("\"processes\":0"), "{line}");
    }
    assert!(listed(&["--all"], &id).contains("\"state\":\"running\""));
    let shares = |id: &str| lab_shares(&mut Resolver::new(Path::new("/proc")), id);
    assert_eq!(shares(&id), [Some(false), Some(false), Some(false)]);

    // Whether it runs or stands still is told by its control group.
    for (how, is) in [("pause", "paused"), ("unpause", "running")] {
        assert_eq!(ask("POST", &format!("/containers/late/{how}"), "", b"").0, 204);
        let listed = crate::cli::sysreel().args(["containers", "-j"]).output().unwrap();
        let listed = String::from_utf8(listed.stdout).unwrap();
        let line = listed.lines().find(|l| l.contains(&second)).unwrap_or_else(|| panic!("{listed}"));
        assert!(line.contains(&format!("\"state\":\"{is}\"")), "{line}");
    }
    for name in ["other", "late", "all", "made", "short-lived"] {
        assert_eq!(ask("DELETE", &format!("/containers/{name}?force=1"), "", b"").0, 204);
    }
}
