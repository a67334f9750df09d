//! containerd: `STATE/io.containerd.runtime.v2.task/NAMESPACE/ID/config.json`. Kubernetes' plugin writes names, the image and
//! the pod into its annotations; `ctr` and `nerdctl` their labels. The labels of a pod are in containerd's database alone.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::super::host::{Look, path};
use super::super::json::{at, bytes, text};
use super::super::{Container, Pod, Runtime, Source};
use super::{Answer, Ask, Daemon, Kind, Learned, learn, oci};

/// Below a state directory.
const TASKS: &str = "io.containerd.runtime.v2.task";
/// Usual state directories, and the socket of each.
const STATE: [(&str, &str); 4] = [
    ("/run/containerd", "/run/containerd/containerd.sock"),
    ("/run/k3s/containerd", "/run/k3s/containerd/containerd.sock"),
    ("/var/snap/microk8s/common/run/containerd", "/var/snap/microk8s/common/run/containerd.sock"),
    ("/run/k0s/containerd", "/run/k0s/containerd.sock"),
];
/// Usual namespaces: Kubernetes', that of `ctr` and `nerdctl`.
const NAMESPACES: [&str; 2] = ["k8s.io", "default"];

pub(super) fn read(look: &mut Look, learned: &mut Learned, ask: &Ask) -> Answer {
    let (bundle, watcher) = (ask.bundle(), ask.watcher.map(|w| &w.kind));
    if let (Some(bundle), Some(Kind::Shim { namespace, address })) = (bundle, watcher) {
        if let Some(tasks) = bundle.parent().and_then(Path::parent) {
            learn(&mut learned.containerd, (tasks.to_owned(), address.clone(), ask.uid()));
        }
        return said(look, ask, &bundle, namespace, address.as_deref(), ask.uid());
    }
    let usual =
        STATE.iter().map(|(state, socket)| (Path::new(state).join(TASKS), Some(PathBuf::from(socket)), 0));
    let places: Vec<_> = learned.containerd.iter().cloned().chain(usual).collect();
    places.into_iter().find_map(|(tasks, address, uid)| {
        NAMESPACES.iter().find_map(|namespace| {
            let bundle = tasks.join(namespace).join(path(ask.id));
            said(look, ask, &bundle, namespace.as_bytes(), address.as_deref(), uid)
        })
    })
}

/// What one bundle says, if it is that of the control group.
fn said(
    look: &mut Look,
    ask: &Ask,
    bundle: &Path,
    namespace: &[u8],
    socket: Option<&Path>,
    uid: u32,
) -> Answer {
    let file = bundle.join("config.json");
    let (config, stamp) = look.json(&file, uid)?;
    if !oci::has_group(&config, ask) {
        look.note(file.to_string_lossy(), "has another control group");
        return None;
    }
    let mut c = container(&config);
    c.id = ask.id.into();
    c.started = stamp.changed;
    if c.name.is_none() && c.runtime == Runtime::Containerd {
        c.name = Some(c.id.clone());
    }
    let daemon = socket.map(|s| Daemon::Containerd { socket: s.to_owned(), namespace: namespace.into() });
    Some((c, daemon.into_iter().collect()))
}

/// What `config.json` says.
fn container(config: &Value) -> Container {
    let mut c = oci::container(config);
    c.sources = vec![Source::Files];
    let Some(all) = at(config, &["annotations"]) else {
        c.runtime = Runtime::Containerd;
        return c;
    };
    let cri = |name: &str| bytes(all, &[&format!("io.kubernetes.cri.{name}")]);
    let Some(kind) = cri("container-type") else {
        c.runtime = Runtime::Containerd;
        c.name = bytes(all, &["nerdctl/name"]);
        return c;
    };
    c.runtime = Runtime::Cri;
    c.sandbox = *kind == *b"sandbox";
    let pod = Pod {
        name: cri("sandbox-name"),
        namespace: cri("sandbox-namespace"),
        uid: cri("sandbox-uid"),
        sandbox: cri("sandbox-id"),
        ..Pod::default()
    };
    // A sandbox has no name of its own.
    c.name = if c.sandbox { pod.name.clone() } else { cri("container-name") };
    c.image = cri("image-name").or_else(|| cri("podsandbox.image-name"));
    c.pod = Some(pod);
    // These annotations are the plugin's, not the pod's; the container's labels are in the database.
    c.labels.retain(|(k, _)| !k.starts_with(b"io.kubernetes.cri."));
    if text(all, &["io.kubernetes.cri.sandbox-id"]).is_none() {
        c.sandbox = false;
    }
    c
}
