//! Containers in a capture: the first call of each has its names, and they are in the reel when the container is gone.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;

use super::containerd::{UID, daemon, remove_pod, run_in, run_pod};
use super::docker::Docker;
use super::lab::{IMAGE, Lab, lab};
use super::others::{POD, bundle, crio, lxc, name, nspawn, start_lxc};
use super::podman::{configure, podman};
use crate::cli::sysreel;
use crate::live::rig::{alone, interrupt, loudly, reread};

/// What each line tells, in this order.
const FORMAT: &str = "%container.full_id|%container.name|%container.image|%container.labels|%k8s.pod.name|%k8s.ns.name|\
                      %k8s.pod.uid|%k8s.pod.labels|%container.type|%proc.name %evt.type";

/// A capture into a reel.
struct Capture {
    child: Child,
    reel: PathBuf,
}

impl Capture {
    fn start(lab: &Lab) -> Capture {
        let reel = lab.at("events.reel");
        let mut command = sysreel();
        command.arg("-w").arg(&reel).args(["--ring", "64M"]).stderr(Stdio::piped()).stdout(Stdio::null());
        let child = command.spawn().unwrap();
        lab.until("the capture", || fs::metadata(&reel).ok().filter(|m| m.len() > 0));
        std::thread::sleep(Duration::from_millis(300));
        Capture { child, reel }
    }

    /// Ends it; the words of each event in a container, in order of time.
    fn stop(self) -> Vec<Vec<String>> {
        std::thread::sleep(Duration::from_millis(300));
        interrupt(&self.child);
        let done = self.child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "{said}");
        let (status, lines, said) = reread(&self.reel, &["-p", FORMAT, "container.id != host"]);
        assert_eq!(status, 0, "{said}");
        lines.iter().map(|l| l.split('|').map(str::to_owned).collect()).collect()
    }
}

/// The events of a container's programs: not those of the runtime, which joins the control group to set it up.
fn programs<'a>(lines: &'a [Vec<String>], id: &str) -> Vec<&'a Vec<String>> {
    let runtime = |l: &[String]| ["runc", "exe ", "conmon", "podman"].iter().any(|own| l[9].starts_with(own));
    lines.iter().filter(|l| l[0] == id && !runtime(l)).collect()
}

/// All events of a container's programs have these words; how many there are.
fn all_are(lines: &[Vec<String>], id: &str, words: &[&str]) -> usize {
    let own = programs(lines, id);
    assert!(!own.is_empty(), "nothing of {id}");
    for (n, line) in own.iter().enumerate() {
        assert_eq!(line[1..=words.len()], *words, "call {n} of {}: {line:?}", own.len());
    }
    own.len()
}

#[test]
fn fifty_containers_of_docker_at_once_are_named_from_their_first_calls_on() {
    let _alone = alone!();
    let mut lab = lab!("dockerd", "containerd", "runc", "busybox");
    let docker = Docker::start(&mut lab);
    // Each lives for the time that `true` takes.
    let names: Vec<String> = (0..50).map(|i| format!("short{i}")).collect();
    let ids: Vec<String> = names.iter().map(|n| docker.make(n, &json!({}))).collect();
    let capture = Capture::start(&lab);
    let begin = Instant::now();
    std::thread::scope(|s| {
        for part in names.chunks(10) {
            s.spawn(|| part.iter().for_each(|n| docker.run(n)));
        }
    });
    let took = begin.elapsed();
    let gone = |id: &String| !super::lab::unified().join("docker").join(id).exists();
    lab.until("the end of all", || ids.iter().all(gone).then_some(()));
    let lines = capture.stop();
    let mut late = 0;
    for (name, id) in names.iter().zip(&ids) {
        let own: Vec<_> = lines.iter().filter(|l| l[0] == *id).collect();
        // Each is named, `true` in it as well, though it is gone.
        assert!(own.iter().any(|l| l[9].starts_with("true ")), "{name}");
        let last = own.last().expect("its events");
        assert_eq!((&*last[1], &*last[2], &*last[8]), (&**name, IMAGE, "docker"), "{last:?}");
        assert!(last[3].contains("team:blue"), "{last:?}");
        // Once it is named, it stays so.
        let first = own.iter().position(|l| l[1] != "-").unwrap_or(own.len());
        assert!(own[first..].iter().all(|l| l[1..9] == last[1..9]), "{name}");
        late += usize::from(first > 0);
        assert!(
            programs(&lines, id).iter().all(|l| l[1..9] == last[1..9]),
            "{name}: not from its first call on"
        );
    }
    loudly(&format!(
        "50 containers in {took:?}, {} events in them; of {late} the runtime's own first calls there had no name",
        lines.len()
    ));
}

#[test]
fn the_first_call_in_a_pod_has_the_pods_names_and_labels() {
    let _alone = alone!();
    let mut lab = lab!("containerd", "ctr", "runc", "busybox");
    daemon(&mut lab);
    lab.shell("ctr -a {}/ctd.sock -n k8s.io image import {}/lab.tar");
    let capture = Capture::start(&lab);
    let sandbox = run_pod(&lab);
    let (web, side) = (run_in(&lab, &sandbox, "web"), run_in(&lab, &sandbox, "side"));
    remove_pod(&lab, &sandbox);
    let lines = capture.stop();
    for (id, name) in [(&web, "web"), (&side, "side")] {
        let labels = format!("io.kubernetes.container.name:{name},own:yes");
        let words = [name, IMAGE, &labels, "web-7d4", "shop", UID, "app:web,tier:front"];
        assert!(all_are(&lines, id, &words) > 10);
    }
    let pod = programs(&lines, &sandbox);
    assert!(
        pod.len() > 10 && pod.iter().all(|l| l[4..8] == ["web-7d4", "shop", UID, "app:web,tier:front"]),
        "{pod:?}"
    );
}

#[test]
fn the_first_call_in_a_container_of_podman_has_its_names() {
    let _alone = alone!();
    let lab = lab!("podman", "conmon", "runc", "catatonit", "busybox");
    configure(&lab);
    let capture = Capture::start(&lab);
    let id = podman(&lab, &format!("run -d --network none --name web --label team=blue {IMAGE} /bin/true"));
    podman(&lab, "wait web");
    podman(&lab, "rm -f -t 0 web");
    let lines = capture.stop();
    assert!(all_are(&lines, &id, &["web", IMAGE, "team:blue", "-", "-", "-", "-", "podman"]) > 10);
}

/// The program's calls, from its execve on: all have these words.
fn from_its_execve_on(lines: &[Vec<String>], id: &str, program: &str, words: &[&str]) {
    let own: Vec<_> = lines.iter().filter(|l| l[0] == id && l[9].starts_with(program)).collect();
    let owned: Vec<String> = words.iter().map(|w| (*w).to_owned()).collect();
    assert!(own.len() > 5 && own[0][9] == format!("{program} execve"), "{id}: {own:?} of {}", lines.len());
    for line in own {
        // Of an image come labels as well.
        assert!(line[3].starts_with(words[2]), "{line:?}");
        assert_eq!((&line[1..3], &line[4..=words.len()]), (&owned[..2], &owned[3..]), "{line:?}");
    }
}

#[test]
fn the_first_call_in_a_plain_container_of_containerd_has_its_names() {
    let _alone = alone!();
    let mut lab = lab!("containerd", "ctr", "runc", "busybox");
    daemon(&mut lab);
    lab.shell("ctr -a {}/ctd.sock image import {}/lab.tar");
    let capture = Capture::start(&lab);
    let name = name(&lab, "ctr");
    lab.shell(&format!("ctr -a {{}}/ctd.sock run -d --net-host --label a=b {IMAGE} {name}"));
    std::thread::sleep(Duration::from_millis(200));
    let lines = capture.stop();
    // Only the daemon's database knows the image; where that is, its settings tell.
    from_its_execve_on(&lines, &name, "sleep", &[&name, IMAGE, "a:b", "-", "-", "-", "-", "containerd"]);
    lab.shell(&format!(
        "ctr -a {{}}/ctd.sock task kill -s KILL {name}; sleep 0.2; ctr -a {{}}/ctd.sock container rm {name}"
    ));
}

#[test]
fn the_first_call_in_a_pod_of_podman_has_the_pods_names() {
    let _alone = alone!();
    let lab = lab!("podman", "conmon", "runc", "catatonit", "busybox");
    configure(&lab);
    let pod = podman(&lab, "pod create --name shop --label app=web --network none");
    let capture = Capture::start(&lab);
    let id = podman(&lab, &format!("run -d --pod shop --name member --label team=blue {IMAGE} /bin/true"));
    podman(&lab, "wait member");
    podman(&lab, "pod rm -f -t 0 shop");
    let lines = capture.stop();
    from_its_execve_on(
        &lines,
        &id,
        "true",
        &["member", IMAGE, "team:blue", "shop", "-", &pod, "app:web", "podman"],
    );
}

#[test]
fn the_first_call_in_a_container_of_the_shape_of_cri_o_has_its_names() {
    let _alone = alone!();
    let mut lab = lab!("runc", "conmon", "busybox");
    let capture = Capture::start(&lab);
    let (id, _) = crio(&mut lab);
    std::thread::sleep(Duration::from_millis(200));
    let lines = capture.stop();
    let labels = "io.kubernetes.container.name:web,own:yes";
    let words = ["web", "quay.io/web:2", labels, "web-7d4", "shop", POD, "app:web", "cri-o"];
    from_its_execve_on(&lines, &id, "sleep", &words);
    lab.shell(&format!("runc --root {{}}/state delete -f {id}"));
}

#[test]
fn the_first_call_in_a_container_of_runc_has_its_names() {
    let _alone = alone!();
    let lab = lab!("runc", "busybox");
    let name = name(&lab, "first");
    // Its control group is not called like it.
    bundle(&lab, "b", "/sysreel-lab/first", &json!({"team": "blue"}));
    let capture = Capture::start(&lab);
    lab.shell(&format!("runc run -d --bundle {{}}/b {name}"));
    std::thread::sleep(Duration::from_millis(200));
    let lines = capture.stop();
    from_its_execve_on(&lines, &name, "sleep", &[&name, "-", "team:blue", "-", "-", "-", "-", "oci"]);
    lab.shell(&format!("runc delete -f {name}"));
}

#[test]
fn the_first_call_in_a_container_of_lxc_has_its_name_and_root() {
    let _alone = alone!();
    let lab = lab!("lxc-start", "lxc-stop", "busybox");
    let name = name(&lab, "lxc");
    lxc(&lab, &name);
    let capture = Capture::start(&lab);
    start_lxc(&lab, &name);
    std::thread::sleep(Duration::from_millis(200));
    let lines = capture.stop();
    let root = lab.text("{}/r");
    from_its_execve_on(&lines, &name, "sleep", &[&name, &root, "-", "-", "-", "-", "-", "lxc"]);
    lab.shell(&format!("lxc-stop -P {{}}/l -n {name} -k"));
}

#[test]
fn the_first_call_in_a_container_of_nspawn_has_its_name_and_root() {
    let _alone = alone!();
    let mut lab = lab!("systemd-nspawn", "busybox");
    let name = name(&lab, "ns");
    let capture = Capture::start(&lab);
    let child = nspawn(&mut lab, &name);
    let group = format!("machine-{}.scope/payload", name.replace('-', "\\x2d"));
    lab.process(&group);
    std::thread::sleep(Duration::from_millis(500));
    let lines = capture.stop();
    let root = lab.text("{}/r");
    from_its_execve_on(&lines, &name, "sleep", &[&name, &root, "-", "-", "-", "-", "-", "nspawn"]);
    let child = rustix::process::Pid::from_raw(child as i32).unwrap();
    let _ = rustix::process::kill_process(child, rustix::process::Signal::TERM);
}
