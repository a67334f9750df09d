//! Set-ups that are not at hand: paths and files as they were recorded of them, and what hostile hands make of such files.

use std::fs;
use std::os::unix::fs::{chown, symlink};
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::files::Daemon;
use super::tests::{Fake, ID, POD, text};
use super::*;

const UID: &str = "6f1d2c3b-4a59-4e68-8776-95a4b3c2d1e0";

/// The slice of a pod, as systemd's driver calls it.
fn slice() -> String {
    format!("kubepods-burstable-pod{}.slice", UID.replace('-', "_"))
}

fn scope() -> String {
    format!("/kubepods.slice/kubepods-burstable.slice/{}/cri-containerd-{ID}.scope", slice())
}

/// A bundle of Kubernetes' plugin of containerd.
fn bundle(group: &str) -> Value {
    json!({
        "annotations": {
            "io.kubernetes.cri.container-type": "container", "io.kubernetes.cri.container-name": "web",
            "io.kubernetes.cri.image-name": "docker.io/shop/web:2", "io.kubernetes.cri.sandbox-id": POD,
            "io.kubernetes.cri.sandbox-name": "web-7d4", "io.kubernetes.cri.sandbox-namespace": "shop",
            "io.kubernetes.cri.sandbox-uid": UID,
        },
        "linux": {"cgroupsPath": group, "namespaces": [{"type": "pid"}, {"type": "network", "path": "/proc/77/ns/net"}]},
    })
}

#[test]
fn k3s_keeps_its_bundles_below_its_own_directory() {
    let host = Fake::new();
    let state = "/run/k3s/containerd/io.containerd.runtime.v2.task/k8s.io";
    let group = format!("{}:cri-containerd:{ID}", slice());
    let sandbox = json!({"linux": {"namespaces": [{"type": "pid"}]}});
    host.put(&format!("{state}/{ID}/config.json"), bundle(&group).to_string())
        .put(&format!("{state}/{POD}/config.json"), sandbox.to_string());
    let (found, said) = host.describe(&scope(), None);
    let found = found.unwrap();
    let (c, pod) = (&found.container, found.container.pod.as_ref().unwrap());
    assert_eq!(
        (c.runtime, text(&c.name), text(&c.image)),
        (Runtime::Cri, "web", "docker.io/shop/web:2"),
        "{said:?}"
    );
    assert_eq!((text(&pod.name), text(&pod.namespace), text(&pod.uid)), ("web-7d4", "shop", UID));
    // The network is the sandbox's, which is the host's; of the third nothing is said of its own.
    assert_eq!(c.shares, [Some(false), Some(true), Some(true)]);
    let socket = Path::new("/run/k3s/containerd/containerd.sock");
    assert!(matches!(&found.daemons[..], [Daemon::Containerd { socket: s, .. }] if s == socket), "{found:?}");
}

#[test]
fn an_id_that_is_anothers_says_nothing() {
    let host = Fake::new();
    let state = "/run/containerd/io.containerd.runtime.v2.task/k8s.io";
    let other = bundle("/kubepods/besteffort/podother/0");
    host.put(&format!("{state}/{ID}/config.json"), other.to_string());
    let (found, said) = host.describe(&scope(), None);
    let c = found.unwrap().container;
    assert_eq!((c.name, c.image, c.sources), (None, None, vec![Source::Path]));
    assert!(said.iter().any(|s| s.said == "has another control group"), "{said:?}");
}

#[test]
fn a_node_of_kind_is_a_container_and_its_pods_are_in_it() {
    let host = Fake::new();
    // What is in the node is kept in it; of the same path on the host is another's.
    let state = "/run/containerd/io.containerd.runtime.v2.task/k8s.io";
    let group = format!("/docker/{POD}/kubelet.slice{}", scope().replace("/kubepods", "/kubelet-kubepods"));
    host.put(&format!("{state}/{ID}/config.json"), bundle(&scope()).to_string());
    host.process(9, 8, &group, "web", "/").process(
        8,
        1,
        &format!("/docker/{POD}/system.slice/containerd.service"),
        &format!(
            "containerd-shim-runc-v2 -namespace k8s.io -id {ID} -address /run/containerd/containerd.sock"
        ),
        &format!("{state}/{ID}"),
    );
    let c = host.container(&group, Some(9));
    assert_eq!((c.runtime, &*c.id, text(&c.parent), c.name), (Runtime::Cri, ID.as_bytes(), POD, None));
    assert_eq!(text(&c.pod.unwrap().uid), UID);
}

#[test]
fn bottlerocket_has_a_second_containerd_for_its_own() {
    let host = Fake::new();
    let bundle = "/run/host-containerd/io.containerd.runtime.v2.task/default/admin";
    let config = json!({"annotations": {"team": "node"}, "linux": {"cgroupsPath": "/default/admin"}});
    host.put(&format!("{bundle}/config.json"), config.to_string());
    host.process(9, 8, "/default/admin", "sshd", "/").process(
        8,
        1,
        "/system.slice/host-containerd.service",
        "/x86_64-bottlerocket-linux-gnu/sys-root/usr/bin/containerd-shim-runc-v2 -namespace default -id admin -address /run/host-containerd/containerd.sock",
        bundle,
    );
    let (found, _) = host.describe("/default/admin", Some(9));
    let found = found.unwrap();
    assert_eq!((found.container.runtime, text(&found.container.name)), (Runtime::Containerd, "admin"));
    let socket = Path::new("/run/host-containerd/containerd.sock");
    assert!(matches!(&found.daemons[..], [Daemon::Containerd { socket: s, .. }] if s == socket), "{found:?}");
}

#[test]
fn podman_without_root_keeps_its_own_in_a_home() {
    let host = Fake::new();
    let me = rustix::process::geteuid().as_raw();
    let uid = if me == 0 { 1000 } else { me };
    let storage = "/home/u/.local/share/containers/storage";
    let containers = format!("{storage}/overlay-containers");
    let metadata = json!({"image-name": "quay.io/shop/web:2", "name": "web"}).to_string();
    let config =
        json!({"linux": {"cgroupsPath": "user.slice:libpod:x", "namespaces": [{"type": "network"}]}});
    // Since version 5 names of pods and labels are in SQLite.
    let files = [
        (
            format!("{containers}/containers.json"),
            json!([{"id": ID, "names": ["web"], "image": "11", "metadata": metadata}]).to_string(),
        ),
        (
            format!("{storage}/overlay-images/images.json"),
            json!([{"id": "11", "digest": "sha256:22"}]).to_string(),
        ),
        (format!("{containers}/{ID}/userdata/config.json"), config.to_string()),
        (format!("{storage}/db.sql"), "SQLite format 3\0".into()),
    ];
    let top = "/user.slice/user-1000.slice/user@1000.service/user.slice";
    let group = format!("{top}/libpod-{ID}.scope/container");
    host.process(9, 8, &group, "web", "/").process(
        8,
        1,
        &format!("{top}/libpod-conmon-{ID}.scope"),
        &format!("/usr/bin/conmon --api-version 1 -c {ID} -u {ID} -r /usr/bin/crun -b {containers}/{ID}/userdata -n web"),
        "/",
    );
    for (file, told) in &files {
        host.put(file, told);
        chown(host.at(file), Some(uid), None).unwrap();
    }
    fs::write(host.proc().join("8/status"), format!("PPid:\t1\nUid:\t{uid}\t{uid}\t{uid}\t{uid}\n")).unwrap();
    let (found, said) = host.describe(&group, Some(9));
    let found = found.unwrap();
    let c = &found.container;
    assert_eq!((c.runtime, &*c.id, text(&c.name)), (Runtime::Podman, ID.as_bytes(), "web"), "{said:?}");
    assert_eq!((text(&c.image), text(&c.image_digest)), ("quay.io/shop/web:2", "sha256:22"));
    assert_eq!(c.shares, [Some(true), Some(false), Some(true)]);
    // What only the database has is asked for.
    let socket = format!("/run/user/{uid}/podman/podman.sock");
    let socket = Path::new(if uid == 0 { "/run/podman/podman.sock" } else { &socket });
    assert!(matches!(&found.daemons[..], [Daemon::Podman { socket: s, .. }] if s == socket), "{found:?}");
    // Nothing of that user leads out of what is the user's: not even a directory may be a link.
    let aside = host.at(&format!("{containers}-aside"));
    fs::rename(host.at(&containers), &aside).unwrap();
    symlink(&aside, host.at(&containers)).unwrap();
    if uid != 0 {
        assert_eq!(host.container(&group, Some(9)).name, None);
    }
}

#[test]
fn crun_makes_a_level_of_its_own() {
    let host = Fake::new();
    let status = json!({"cgroup-path": "/shop/web", "bundle": "/srv/b", "created": "2024-05-06T07:08:09.5Z"});
    host.put("/run/crun/shop-web/status", status.to_string())
        .put("/srv/b/config.json", json!({"annotations": {"team": "blue"}}).to_string());
    for group in ["/shop/web", "/shop/web/container"] {
        let c = host.container(group, None);
        assert_eq!(
            (c.runtime, &*c.id, text(&c.name)),
            (Runtime::Oci, &b"shop-web"[..], "shop-web"),
            "{group}"
        );
        assert_eq!((c.labels.len(), c.started), (1, Some(1_714_979_289_500_000_000)));
    }
    assert_eq!(host.describe("/shop/webs", None).0, None);
}

/// How a file is made bad, and what makes it.
type Make<'a> = (&'a str, &'a dyn Fn(&Path));

/// Every file that is read of any runtime, made into what would hold up, lead astray or never end.
#[test]
fn no_file_of_any_runtime_holds_up_or_leads_astray() {
    let task = format!("/run/containerd/io.containerd.runtime.v2.task/k8s.io/{ID}");
    let storage = "/var/lib/containers/storage";
    let crio = "/run/containers/storage/overlay-containers";
    let podman = format!("/machine.slice/libpod-{ID}.scope");
    let files: [(&str, String, &str); 7] = [
        ("containerd's bundle", format!("{task}/config.json"), &scope()),
        ("podman's list", format!("{storage}/overlay-containers/containers.json"), &podman),
        ("CRI-O's bundle", format!("{crio}/{ID}/userdata/config.json"), &format!("/kubepods/crio-{ID}")),
        (
            "docker's second file",
            format!("/var/lib/docker/containers/{ID}/hostconfig.json"),
            &format!("/docker/{ID}"),
        ),
        ("runc's state", "/run/runc/web/state.json".into(), "/shop/web"),
        ("crun's status", "/run/crun/web/status".into(), "/shop/web"),
        (
            "docker's first file",
            format!("/var/lib/docker/containers/{ID}/config.v2.json"),
            &format!("/docker/{ID}"),
        ),
    ];
    let elsewhere = tempfile::NamedTempFile::new().unwrap();
    fs::write(&elsewhere, bundle(&scope()).to_string()).unwrap();
    let fifo = |f: &Path| {
        rustix::fs::mknodat(rustix::fs::CWD, f, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
    };
    let makes: [Make; 5] = [
        ("a pipe", &fifo),
        ("a link", &|f| symlink(elsewhere.path(), f).unwrap()),
        ("endless", &|f| fs::File::create(f).unwrap().set_len(1 << 40).unwrap()),
        ("a device", &|f| symlink("/dev/zero", f).unwrap()),
        ("deep", &|f| fs::write(f, "[".repeat(3 << 20)).unwrap()),
    ];
    for (what, file, group) in &files {
        for (how, make) in makes {
            let host = Fake::new();
            host.put(file, "");
            fs::remove_file(host.at(file)).unwrap();
            make(&host.at(file));
            let begin = Instant::now();
            let (found, said) = host.describe(group, None);
            assert!(begin.elapsed() < Duration::from_secs(1), "{what} {how}: {:?}", begin.elapsed());
            let name = found.and_then(|f| f.container.name);
            assert_eq!(name, None, "{what} {how}: {said:?}");
            // Neither does a list of everything.
            let begin = Instant::now();
            assert!(resting(&host.proc()).iter().all(|(c, _)| c.image.is_none()), "{what} {how}");
            assert!(begin.elapsed() < Duration::from_secs(1), "{what} {how}: {:?}", begin.elapsed());
        }
    }
}
