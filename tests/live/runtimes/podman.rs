//! podman: no daemon; lists in its storage, labels and pods in its database or, with a service, at its socket.

use std::fs;
use std::os::unix::fs::chown;

use sysreel::container::{Runtime, Source};

use super::lab::{IMAGE, Lab, lab, label, listed, text};
use crate::live::rig::alone;

const PODMAN: &str = "CONTAINERS_CONF={}/containers.conf podman --root {}/p --runroot {}/pr --tmpdir {}/pt";

pub fn podman(lab: &Lab, command: &str) -> String {
    let out = lab.shell(&format!("{PODMAN} {command}"));
    out.lines().last().unwrap_or_default().to_owned()
}

/// Limits that a process without CAP_SYS_RESOURCE may set as well; the image.
pub fn configure(lab: &Lab) {
    let config = "[containers]\ndefault_ulimits=[\"nofile=1024:1024\",\"nproc=4096:4096\"]\n\
         [engine]\nruntime=\"runc\"\ncgroup_manager=\"cgroupfs\"\nevents_logger=\"file\"\n";
    fs::write(lab.at("containers.conf"), config).unwrap();
    podman(lab, "load -i {}/lab.tar");
}

#[test]
fn containers_and_pods_are_what_podman_was_told() {
    let _alone = alone!();
    let lab = lab!("podman", "conmon", "runc", "catatonit", "busybox");
    configure(&lab);
    let bind = lab.text("{}/i:/mine");
    let id =
        podman(&lab, &format!("run -d --network none --name web --label team=blue -v {bind}:ro {IMAGE}"));
    let known = lab.known(&format!("libpod-{id}"));
    assert_eq!((known.runtime, &*known.id, text(&known.name)), (Runtime::Podman, id.as_bytes(), "web"));
    assert_eq!((text(&known.image), known.privileged, known.sandbox), (IMAGE, Some(false), false));
    assert_eq!((text(&known.image_id).len(), label(&known.labels, "team")), (64, Some("blue")));
    assert!(text(&known.image_digest).starts_with("sha256:"), "{known:?}");
    assert!(known.mounts.iter().any(|m| String::from_utf8_lossy(m).starts_with(&bind)), "{known:?}");
    assert_eq!((known.sources, known.pod), (vec![Source::Path, Source::Files], None));
    assert_eq!(known.shares, [Some(false); 3]);

    podman(&lab, "pod create --name shop --label app=web --network none");
    let member = podman(&lab, &format!("run -d --pod shop --name member --privileged {IMAGE}"));
    let infra = podman(&lab, "pod inspect shop --format '{{.InfraContainerID}}'");
    let pod_id = podman(&lab, "pod inspect shop --format '{{.Id}}'");
    let check = |known: &sysreel::container::Container| {
        let pod = known.pod.as_ref().unwrap_or_else(|| panic!("{known:?}"));
        assert_eq!((text(&pod.name), text(&pod.uid), text(&pod.sandbox)), ("shop", &*pod_id, &*infra));
        assert_eq!(label(&pod.labels, "app"), Some("web"), "{known:?}");
    };
    let known = lab.known(&format!("libpod-{member}"));
    assert_eq!((text(&known.name), known.sandbox, known.privileged), ("member", false, Some(true)));
    check(&known);
    let known = lab.known(&format!("libpod-{infra}"));
    assert!(known.sandbox);
    check(&known);

    // Those without a process are listed on request.
    let made = podman(&lab, &format!("create --network none --name made {IMAGE}"));
    let ended = podman(&lab, &format!("run -d --network host --name ended {IMAGE} /bin/true"));
    podman(&lab, "wait ended");
    for (id, name, state) in [(&made, "made", "created"), (&ended, "ended", "exited")] {
        assert_eq!(listed(&[], id), "");
        let line = listed(&["--all"], id);
        assert!(line.contains(&format!("\"state\":\"{state}\"")) && line.contains(name), "{line}");
    }
    assert!(listed(&["--all"], &id).contains("\"state\":\"running\""));
    podman(&lab, "rm -f -t 0 made ended");

    // Where the database cannot be read, the service tells.
    let database = lab.at("p/libpod/bolt_state.db");
    chown(&database, Some(65534), None).unwrap();
    let known = lab.known(&format!("libpod-{id}"));
    assert_eq!((text(&known.name), text(&known.image), known.labels.len()), ("web", IMAGE, 0));
    chown(&database, Some(0), None).unwrap();

    podman(&lab, "pod rm -f -t 0 shop");
    podman(&lab, "rm -f -t 0 web");
}
