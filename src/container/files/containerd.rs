//! containerd: `STATE/io.containerd.runtime.v2.task/NAMESPACE/ID/config.json`. Kubernetes' plugin writes names, the image and
//! the pod into its annotations; `ctr` and `nerdctl` their labels. The labels of a pod are in containerd's database alone.

use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::super::bolt::Bolt;
use super::super::cri;
use super::super::host::{LIMIT, Look, path};
use super::super::json::{at, bytes, fill, text};
use super::super::monitor::option;
use super::super::unix::Talk;
use super::super::{Container, Pod, Runtime, Source};
use super::{Answer, Ask, Daemon, Kind, Learned, learn, oci};

/// Below a state directory.
const TASKS: &str = "io.containerd.runtime.v2.task";
/// Below a directory of what lasts.
pub(super) const DATABASE: &str = "io.containerd.metadata.v1.bolt/meta.db";
/// The same for files of pods, which containers mount.
pub(super) const PODS: &str = "io.containerd.grpc.v1.cri";

/// Usual state directories, the socket and the directory of what lasts that belong to each.
pub(super) const USUAL: [(&str, &str, &str); 4] = [
    ("/run/containerd", "/run/containerd/containerd.sock", "/var/lib/containerd"),
    ("/run/k3s/containerd", "/run/k3s/containerd/containerd.sock", "/var/lib/rancher/k3s/agent/containerd"),
    (
        "/var/snap/microk8s/common/run/containerd",
        "/var/snap/microk8s/common/run/containerd.sock",
        "/var/snap/microk8s/common/var/lib/containerd",
    ),
    ("/run/k0s/containerd", "/run/k0s/containerd.sock", "/var/lib/k0s/containerd"),
];
/// The daemon's settings, if its arguments name no other file.
const SETTINGS: &str = "/etc/containerd/config.toml";
/// Usual namespaces: Kubernetes', that of `ctr` and `nerdctl`.
const NAMESPACES: [&str; 2] = ["k8s.io", "default"];

/// Where one containerd keeps what.
struct Place<'a> {
    bundle: PathBuf,
    namespace: &'a [u8],
    socket: Option<PathBuf>,
    uid: u32,
}

pub(super) fn read(look: &mut Look, learned: &mut Learned, ask: &Ask) -> Answer {
    let (bundle, watcher) = (ask.bundle(), ask.watcher.map(|w| &w.kind));
    if let (Some(bundle), Some(Kind::Shim { namespace, address })) = (bundle, watcher) {
        if let Some(tasks) = bundle.parent().and_then(Path::parent) {
            learn(&mut learned.containerd, (tasks.to_owned(), address.clone(), ask.uid()));
        }
        let place = Place { bundle, namespace, socket: address.clone(), uid: ask.uid() };
        return said(look, learned, ask, &place);
    }
    let usual =
        USUAL.iter().map(|(state, socket, _)| (Path::new(state).join(TASKS), Some(PathBuf::from(socket)), 0));
    let places: Vec<_> = learned.containerd.iter().cloned().chain(usual).collect();
    places.into_iter().find_map(|(tasks, socket, uid)| {
        NAMESPACES.iter().find_map(|namespace| {
            let bundle = tasks.join(namespace).join(path(ask.id));
            let place = Place { bundle, namespace: namespace.as_bytes(), socket: socket.clone(), uid };
            look.host.exists(&place.bundle, uid).then(|| said(look, learned, ask, &place)).flatten()
        })
    })
}

/// What one bundle says, if it is that of the control group, and the database of what it lacks.
fn said(look: &mut Look, learned: &mut Learned, ask: &Ask, place: &Place) -> Answer {
    let daemons = |socket: Option<PathBuf>| -> Vec<Daemon> {
        let daemon =
            |socket| Daemon::Containerd { socket, namespace: place.namespace.into(), uid: place.uid };
        socket.map(daemon).into_iter().collect()
    };
    let file = place.bundle.join("config.json");
    let Some((config, stamp)) = look.json(&file, place.uid) else {
        // An id of which it is known whose: its daemon may say more than the file that cannot be read.
        let runtime = super::identify(ask.path)?.runtime;
        let c = Container { runtime, id: ask.id.into(), ..Container::default() };
        return Some((c, daemons(place.socket.clone())));
    };
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
    // What it joins is its sandbox's.
    let sandbox = c.pod.as_ref().and_then(|p| p.sandbox.clone()).filter(|s| *s != c.id && super::digits(s));
    if let Some(sandbox) = sandbox.filter(|_| c.shares.contains(&None)) {
        let its = place.bundle.parent().map(|p| p.join(path(&sandbox)).join("config.json"));
        if let Some((its, _)) = its.and_then(|file| look.json(&file, place.uid)) {
            c.shares.iter_mut().zip(oci::container(&its).shares).for_each(|(a, b)| *a = a.or(b));
        }
    }
    if let Some(root) = root(&config) {
        learn(&mut learned.roots, (root, place.uid));
    }
    let lasting = USUAL.iter().map(|(_, _, root)| (PathBuf::from(root), 0));
    let roots: Vec<_> = learned.roots.iter().cloned().chain(lasting).collect();
    if roots.iter().any(|root| knows(look, root, place.namespace, &mut c)) {
        return Some((c, Vec::new()));
    }
    // Where its own is, the daemon tells without being asked.
    if let Some(root) = place.socket.as_ref().and_then(|socket| root_of(look, socket, place.uid)) {
        let root = (root, place.uid);
        if !roots.contains(&root) && knows(look, &root, place.namespace, &mut c) {
            learn(&mut learned.roots, root);
            return Some((c, Vec::new()));
        }
    }
    Some((c, daemons(place.socket.clone())))
}

/// True if the database below this root has the container; then all that it says is known.
fn knows(look: &mut Look, (root, uid): &(PathBuf, u32), namespace: &[u8], c: &mut Container) -> bool {
    let file = root.join(DATABASE);
    if !look.host.exists(&file, *uid) {
        return false;
    }
    let Some(bolt) = look.database(&file, *uid) else { return false };
    let known = stored(&bolt, namespace, c);
    let said = match &known {
        Ok(true) => "read".to_owned(),
        Ok(false) => "it does not know the id".to_owned(),
        Err(e) => e.clone(),
    };
    look.note(file.to_string_lossy(), said);
    known == Ok(true)
}

/// The directory of what lasts of the daemon that listens at a socket: by its arguments, or the file of settings that they name.
fn root_of(look: &mut Look, socket: &Path, uid: u32) -> Option<PathBuf> {
    let held = look.host.socket(socket, uid).ok()?;
    // A connection that says nothing, for the kernel tells whose it is.
    let by_number = format!("/proc/self/fd/{}", held.as_raw_fd());
    let pid = Talk::connect(Path::new(&by_number), look.until()).ok()?.peer()?;
    let args = look.host.arguments(pid)?;
    let named = |names: &[&str]| option(&args, names).map(path).filter(|p| p.is_absolute());
    named(&["--root"]).or_else(|| {
        let settings = named(&["-c", "--config"]).unwrap_or_else(|| PathBuf::from(SETTINGS));
        let (text, _) = look.file(&settings, uid, LIMIT)?;
        root_in(&text)
    })
}

/// `root = "…"` of settings (TOML) before the first table.
fn root_in(text: &[u8]) -> Option<PathBuf> {
    let lines = text.split(|b| *b == b'\n').map(<[u8]>::trim_ascii).take_while(|l| !l.starts_with(b"["));
    let value = |l: &[u8]| -> Option<PathBuf> {
        let value = l.strip_prefix(b"root")?.trim_ascii_start().strip_prefix(b"=")?.trim_ascii_start();
        let (quote @ (b'"' | b'\''), rest) = value.split_first()? else { return None };
        let end = rest.iter().position(|b| b == quote)?;
        // What has escapes is none of the paths that people give.
        let value = rest.get(..end).filter(|v| !v.contains(&b'\\'))?;
        Some(path(value)).filter(|p| p.is_absolute())
    };
    lines.into_iter().find_map(value)
}

/// A pod's files are mounted from `ROOT/io.containerd.grpc.v1.cri/sandboxes/…`.
fn root(config: &Value) -> Option<PathBuf> {
    let all = at(config, &["mounts"])?.as_array()?;
    let at = |m: &Value| -> Option<PathBuf> {
        let source = Path::new(text(m, &["source"])?);
        let own = |p: &&Path| p.file_name().is_some_and(|n| n == PODS);
        let lasting =
            matches!(text(m, &["destination"]), Some("/etc/resolv.conf" | "/etc/hosts" | "/etc/hostname"));
        source.ancestors().filter(|_| lasting).find(own)?.parent().map(Path::to_owned)
    };
    all.iter().find_map(at)
}

/// What the database says: `v1/NAMESPACE/containers/ID/{image, labels, extensions}`, `v1/NAMESPACE/images/NAME/target/digest`.
pub(super) fn stored(bolt: &Bolt, namespace: &[u8], c: &mut Container) -> Result<bool, String> {
    let of = |id: &[u8], bucket: &[u8]| bolt.all(&[b"v1", namespace, b"containers", id, bucket]);
    let extensions = |id: &[u8]| -> Result<Vec<serde_json::Value>, String> {
        Ok(of(id, b"extensions")?.iter().filter_map(|(_, any)| cri::metadata(any)).collect())
    };
    let own: [&[u8]; 4] = [b"v1", namespace, b"containers", &c.id];
    let Some(image) = bolt.get(&own, b"image")? else { return Ok(false) };
    let mut more = Container::default();
    let labels = of(&c.id, b"labels")?;
    more.labels = cri::labels(labels.iter().map(|(k, v)| (&k[..], &v[..])));
    for metadata in extensions(&c.id)? {
        cri::fill_own(&metadata, &mut more);
    }
    let sandbox = c.pod.as_ref().and_then(|p| p.sandbox.clone()).filter(|s| *s != c.id);
    if let (Some(sandbox), Some(pod)) = (sandbox, &mut c.pod) {
        for metadata in extensions(&sandbox)? {
            cri::fill_pod(&metadata, pod);
        }
    }
    let name = c.image.as_deref().unwrap_or(&image).to_vec();
    if !name.is_empty() {
        more.image = Some(name.as_slice().into());
        let target: [&[u8]; 5] = [b"v1", namespace, b"images", &name, b"target"];
        more.image_digest = bolt.get(&target, b"digest")?.map(Into::into);
    }
    // The bundle's annotations are the next best for labels.
    if !more.labels.is_empty() {
        c.labels = std::mem::take(&mut more.labels);
    }
    fill(c, more);
    Ok(true)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_root_is_read_out_of_settings() {
        let root = |text: &str| root_in(text.as_bytes()).map(|p| p.to_string_lossy().into_owned());
        let is = |path: &str| Some(path.to_owned());
        assert_eq!(root("version = 2\n  root = \"/a b/c\" # here\nstate = \"/s\"\n[grpc]\n"), is("/a b/c"));
        assert_eq!(root("root='/x'"), is("/x"));
        for none in [
            "",
            "root",
            "root =",
            "root = /a",
            "root = \"/a",
            "root = \"a\"",
            "rooted = \"/a\"",
            "[grpc]\nroot = \"/a\"",
            "root = \"/a\\n\"",
        ] {
            assert_eq!(root(none), None, "{none}");
        }
    }
}
