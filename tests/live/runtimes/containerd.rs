//! containerd: pods by Kubernetes' interface (asked with our own client), plain containers of `ctr`.

use std::fs;
use std::os::unix::fs::chown;
use std::time::Duration;

use sysreel::container::grpc::Client;
use sysreel::container::{Runtime, Source, proto};

use super::lab::{IMAGE, Lab, lab, label, text};
use crate::live::rig::alone;

pub const UID: &str = "6f1d2c3b-4a59-4e68-8776-95a4b3c2d1e0";

/// Starts it; its pid.
pub fn daemon(lab: &mut Lab) -> u32 {
    let config = lab.text(
        r#"version = 2
root = "{}/cr"
state = "{}/cs"
[grpc]
  address = "{}/ctd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  restrict_oom_score_adj = true
  sandbox_image = "localhost/lab:1"
[plugins."io.containerd.internal.v1.opt"]
  path = "{}/opt"
"#,
    );
    fs::write(lab.at("c.toml"), config).unwrap();
    let pid = lab.daemon("containerd -c {}/c.toml");
    lab.socket("ctd.sock");
    pid
}

/// Calls the interface that kubelet calls.
fn cri(lab: &Lab, method: &str, question: &[u8]) -> Vec<u8> {
    let mut client = Client::connect(&lab.at("ctd.sock"), Duration::from_secs(20)).unwrap();
    let answer = client.call(&format!("/runtime.v1.RuntimeService/{method}"), &[], question);
    answer.unwrap_or_else(|e| {
        let log = fs::read_to_string(lab.at("daemon0.log")).unwrap_or_default();
        panic!("{method}: {e}: {}", log.lines().rev().take(5).collect::<Vec<_>>().join("\n"))
    })
}

fn message(fields: &[(u64, &[u8])]) -> Vec<u8> {
    let mut out = Vec::new();
    for (field, value) in fields {
        proto::put(&mut out, *field, value);
    }
    out
}

fn labels(out: &mut Vec<u8>, field: u64, all: &[(&str, &str)]) {
    for (key, value) in all {
        proto::put(out, field, &message(&[(1, key.as_bytes()), (2, value.as_bytes())]));
    }
}

/// `PodSandboxConfig`: the host's network, a pid namespace a container.
fn pod() -> Vec<u8> {
    let mut metadata = message(&[(1, b"web-7d4"), (2, UID.as_bytes()), (3, b"shop")]);
    proto::put_number(&mut metadata, 4, 1);
    let mut namespaces = Vec::new();
    proto::put_number(&mut namespaces, 1, 2);
    proto::put_number(&mut namespaces, 2, 1);
    let group = format!("/kubepods/burstable/pod{UID}");
    let context = message(&[(1, &namespaces)]);
    let linux = message(&[(1, group.as_bytes()), (2, &context)]);
    // No name of its own: with the host's network it has the host's.
    let mut out = message(&[(1, &metadata), (3, b"/tmp")]);
    labels(&mut out, 6, &[("app", "web"), ("tier", "front")]);
    proto::put(&mut out, 8, &linux);
    out
}

/// `ContainerConfig`.
fn container(name: &str) -> Vec<u8> {
    let mut namespaces = Vec::new();
    proto::put_number(&mut namespaces, 1, 2);
    proto::put_number(&mut namespaces, 2, 1);
    let context = message(&[(3, &namespaces)]);
    let mut out = message(&[(1, &message(&[(1, name.as_bytes())])), (2, &message(&[(1, IMAGE.as_bytes())]))]);
    labels(&mut out, 9, &[("io.kubernetes.container.name", name), ("own", "yes")]);
    proto::put(&mut out, 15, &message(&[(2, &context)]));
    out
}

/// Starts a pod; the id of its sandbox.
pub fn run_pod(lab: &Lab) -> String {
    let answer = cri(lab, "RunPodSandbox", &message(&[(1, &pod())]));
    String::from_utf8(proto::bytes(&answer, 1).unwrap().to_vec()).unwrap()
}

/// Starts a container in it; its id.
pub fn run_in(lab: &Lab, sandbox: &str, name: &str) -> String {
    let question = message(&[(1, sandbox.as_bytes()), (2, &container(name)), (3, &pod())]);
    let answer = cri(lab, "CreateContainer", &question);
    let id = proto::bytes(&answer, 1).unwrap().to_vec();
    // An empty answer is a message as well.
    cri(lab, "StartContainer", &message(&[(1, &id)]));
    String::from_utf8(id).unwrap()
}

/// Ends it with all its containers.
pub fn remove_pod(lab: &Lab, sandbox: &str) {
    cri(lab, "StopPodSandbox", &message(&[(1, sandbox.as_bytes())]));
    cri(lab, "RemovePodSandbox", &message(&[(1, sandbox.as_bytes())]));
}

#[test]
fn a_pod_is_what_kubernetes_told() {
    let _alone = alone!();
    let mut lab = lab!("containerd", "ctr", "runc", "busybox");
    daemon(&mut lab);
    lab.shell("ctr -a {}/ctd.sock -n k8s.io image import {}/lab.tar");
    let sandbox = run_pod(&lab);
    let (web, side) = (run_in(&lab, &sandbox, "web"), run_in(&lab, &sandbox, "side"));

    let check = |id: &str, name: &str, source: Source| {
        let known = if source == Source::Files { lab.known(id) } else { lab.asked(id) };
        assert_eq!((known.runtime, &*known.id, text(&known.name)), (Runtime::Cri, id.as_bytes(), name));
        assert_eq!(known.sandbox, id == sandbox);
        let pod = known.pod.as_ref().unwrap();
        assert_eq!((text(&pod.name), text(&pod.namespace), text(&pod.uid)), ("web-7d4", "shop", UID));
        assert_eq!((text(&pod.sandbox), pod.qos), (&*sandbox, Some("burstable")));
        assert_eq!(
            (label(&pod.labels, "app"), label(&pod.labels, "tier"), pod.labels.len()),
            (Some("web"), Some("front"), 2)
        );
        if id != sandbox {
            assert_eq!((text(&known.image), label(&known.labels, "own")), (IMAGE, Some("yes")), "{known:?}");
            assert!(known.labels.iter().all(|(k, _)| !k.starts_with(b"io.cri-containerd")), "{known:?}");
        }
        assert!(text(&known.image_digest).starts_with("sha256:"), "{known:?}");
        assert!(known.sources.contains(&source), "{known:?}");
        assert_eq!(known.privileged, Some(false));
        // The pod's network is the host's, and so that of those who join it.
        assert_eq!(known.shares[..2], [Some(false), Some(true)], "{known:?}");
    };
    check(&web, "web", Source::Files);
    check(&side, "side", Source::Files);
    check(&sandbox, "web-7d4", Source::Files);

    // Without the database the socket tells what the bundles lack. A file of somebody else's is not read.
    let database = lab.at("cr/io.containerd.metadata.v1.bolt/meta.db");
    chown(&database, Some(65534), None).unwrap();
    let (bundle, pod_of) = (lab.known(&web), |c: &sysreel::container::Container| c.pod.clone().unwrap());
    assert_eq!((text(&bundle.name), text(&bundle.image)), ("web", IMAGE));
    assert_eq!((text(&pod_of(&bundle).name), text(&pod_of(&bundle).uid)), ("web-7d4", UID));
    assert!(pod_of(&bundle).labels.is_empty());
    check(&web, "web", Source::Socket);
    check(&side, "side", Source::Socket);
    check(&sandbox, "web-7d4", Source::Socket);
    chown(&database, Some(0), None).unwrap();

    remove_pod(&lab, &sandbox);
}

#[test]
fn a_container_of_ctr_is_known_though_its_path_says_nothing() {
    let _alone = alone!();
    let mut lab = lab!("containerd", "ctr", "runc", "busybox");
    daemon(&mut lab);
    lab.shell("ctr -a {}/ctd.sock image import {}/lab.tar");
    lab.shell("ctr -a {}/ctd.sock run -d --net-host --label a=b localhost/lab:1 sysreel-lab-plain");
    let known = lab.known("/default/sysreel-lab-plain");
    assert_eq!((known.runtime, &*known.id), (Runtime::Containerd, &b"sysreel-lab-plain"[..]));
    assert_eq!((text(&known.name), label(&known.labels, "a")), ("sysreel-lab-plain", Some("b")));
    let asked = lab.asked("/default/sysreel-lab-plain");
    assert_eq!((text(&asked.image), label(&asked.labels, "a")), (IMAGE, Some("b")));
    assert!(text(&asked.image_digest).starts_with("sha256:"), "{asked:?}");
    lab.shell("ctr -a {}/ctd.sock task kill -s KILL sysreel-lab-plain; sleep 0.2; ctr -a {}/ctd.sock container rm sysreel-lab-plain");
}
