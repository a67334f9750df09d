//! docker: `DATA/containers/ID/config.v2.json` and `hostconfig.json`. They are written before the container is started, and
//! again at a change (a rename too).

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::super::host::{LIMIT_OF_ALL, Look, path};
use super::super::json::{at, bytes, labels, mounts, text, time};
use super::super::{Bytes, Container, Pod, Runtime, Source};
use super::{Answer, Ask, Daemon, Learned, learn};

/// Usual data roots: the distributions', snap's.
pub(super) const DATA: [&str; 2] = ["/var/lib/docker", "/var/snap/docker/common/var-lib-docker"];
const SOCKET: &str = "/run/docker.sock";
/// A pod's sandbox under cri-dockerd is called so.
const SANDBOX: &str = "k8s_POD_";

pub(super) fn read(look: &mut Look, learned: &mut Learned, ask: &Ask) -> Answer {
    let uid = ask.uid();
    let mut roots: Vec<(PathBuf, u32)> = Vec::new();
    if let Some(root) = data_root(look, ask) {
        learn(&mut learned.docker, (root.clone(), uid));
        roots.push((root, uid));
    } else {
        roots.extend(learned.docker.iter().cloned());
        roots.extend(DATA.iter().map(|d| (PathBuf::from(d), 0)));
    }
    for (root, uid) in roots {
        if let Some((c, _)) = one(look, learned, &root, uid, ask.id) {
            return Some((c, Vec::new()));
        }
    }
    // Whoever may not read its files may be let into its socket. But an id without a runtime is not known to be docker's.
    let docker =
        ask.watcher.is_some() || super::identify(ask.path).is_some_and(|c| c.runtime == Runtime::Docker);
    let c = Container { runtime: Runtime::Docker, id: ask.id.into(), ..Container::default() };
    docker.then(|| (c, vec![Daemon::Docker { socket: PathBuf::from(SOCKET), uid }]))
}

/// What its two files say of one container, and the first of them.
pub(super) fn one(
    look: &mut Look,
    learned: &mut Learned,
    root: &Path,
    uid: u32,
    id: &[u8],
) -> Option<(Container, Value)> {
    let dir = root.join("containers").join(path(id));
    let (config, _) = look.json(&dir.join("config.v2.json"), uid)?;
    if text(&config, &["ID"]).map(str::as_bytes) != Some(id) {
        look.note(dir.to_string_lossy(), "says another id");
        return None;
    }
    let mut c = container(&config);
    if let Some((host, _)) = look.json(&dir.join("hostconfig.json"), uid) {
        c.privileged = at(&host, &["Privileged"]).and_then(Value::as_bool);
        // Another container's namespace may be the host's.
        let mode = |name: &str| match at(&host, &[name]).and_then(Value::as_str) {
            Some(mode) if mode.starts_with("container:") => None,
            Some(mode) => Some(mode == "host"),
            None => None,
        };
        c.shares = ["PidMode", "NetworkMode", "IpcMode"].map(mode);
    }
    c.image_digest = digest(look, learned, root, uid, &config);
    if let Some(sandbox) = c.pod.as_ref().and_then(|p| p.sandbox.clone()).filter(|s| **s != *id) {
        let file = root.join("containers").join(path(&sandbox)).join("config.v2.json");
        let its = look.json(&file, uid).map(|(v, _)| v);
        if let (Some(pod), Some(config)) = (&mut c.pod, its) {
            pod.labels = pod_labels(&config);
            pod.ip = ip(&config);
        }
    }
    Some((c, config))
}

/// Its bundle mounts `DATA/containers/ID/hostname` at `/etc/hostname`, with no network as well.
fn data_root(look: &mut Look, ask: &Ask) -> Option<PathBuf> {
    let file = ask.bundle()?.join("config.json");
    let (bundle, _) = look.json(&file, ask.uid())?;
    let mounts = at(&bundle, &["mounts"])?.as_array()?;
    let hostname = mounts.iter().find(|m| text(m, &["destination"]) == Some("/etc/hostname"))?;
    let source = Path::new(text(hostname, &["source"])?);
    let own = source.parent()?;
    let fits = own.file_name().is_some_and(|n| n.as_encoded_bytes() == ask.id)
        && own.parent()?.ends_with("containers");
    fits.then(|| own.parent()?.parent().map(Path::to_owned)).flatten()
}

/// What `config.v2.json` says.
fn container(config: &Value) -> Container {
    let all = labels(at(config, &["Config", "Labels"]));
    let name = text(config, &["Name"]).map(|n| n.trim_start_matches('/'));
    let label = |name: &str| all.iter().find(|(k, _)| **k == *name.as_bytes()).map(|(_, v)| v.clone());
    let sandbox = name.is_some_and(|n| n.starts_with(SANDBOX))
        || label("io.kubernetes.docker.type").as_deref() == Some(b"podsandbox");
    let pod = label("io.kubernetes.pod.name").map(|pod| Pod {
        name: Some(pod),
        namespace: label("io.kubernetes.pod.namespace"),
        uid: label("io.kubernetes.pod.uid"),
        sandbox: label("io.kubernetes.sandbox.id")
            .or_else(|| if sandbox { bytes(config, &["ID"]) } else { None }),
        labels: if sandbox { pod_labels(config) } else { Vec::new() },
        ip: if sandbox { ip(config) } else { None },
        ..Pod::default()
    });
    let in_pod = if sandbox {
        pod.as_ref().and_then(|p| p.name.clone())
    } else {
        label("io.kubernetes.container.name")
    };
    let running = at(config, &["State", "Running"]).and_then(Value::as_bool) == Some(true);
    Container {
        runtime: Runtime::Docker,
        id: bytes(config, &["ID"]).unwrap_or_default(),
        name: in_pod.or_else(|| name.map(|n| n.as_bytes().into())),
        image: bytes(config, &["Config", "Image"]),
        image_id: bytes(config, &["Image"]),
        mounts: points(config),
        ip: ip(config),
        // The start of the last run is not this one's before it runs.
        started: running
            .then(|| time(config, &["State", "StartedAt"]))
            .flatten()
            .or_else(|| time(config, &["Created"])),
        sandbox,
        pod,
        labels: all,
        sources: vec![Source::Files],
        ..Container::default()
    }
}

/// The labels of a pod are those of its sandbox that Kubernetes has not added.
fn pod_labels(config: &Value) -> Vec<(Bytes, Bytes)> {
    let mut all = labels(at(config, &["Config", "Labels"]));
    all.retain(|(k, _)| !k.starts_with(b"io.kubernetes.") && !k.starts_with(b"annotation."));
    all
}

fn ip(config: &Value) -> Option<Bytes> {
    let networks = at(config, &["NetworkSettings", "Networks"])?.as_object()?;
    networks.values().find_map(|n| bytes(n, &["IPAddress"]))
}

fn points(config: &Value) -> Vec<Bytes> {
    let all = at(config, &["MountPoints"]).and_then(Value::as_object);
    mounts(all.into_iter().flat_map(|m| m.values()).filter_map(|m| {
        let source = text(m, &["Source"]).or_else(|| text(m, &["Name"]))?;
        let how = if at(m, &["RW"]).and_then(Value::as_bool) == Some(false) { "ro" } else { "rw" };
        Some(format!("{source}:{}:{how}", text(m, &["Destination"])?))
    }))
}

/// The digest that the image came by from its repository: `REPOSITORIES: {NAME: {"NAME@DIGEST": IMAGE}}`.
fn digest(look: &mut Look, learned: &mut Learned, root: &Path, uid: u32, config: &Value) -> Option<Bytes> {
    let (image, asked) = (text(config, &["Image"])?, text(config, &["Config", "Image"])?);
    let driver = text(config, &["Driver"]).filter(|d| !d.contains('/'))?;
    let file = root.join("image").join(driver).join("repositories.json");
    let all = learned.kept(look, &file, uid, LIMIT_OF_ALL)?;
    let repositories = at(&all, &["Repositories"])?.as_object()?;
    let digest = |refs: &Value| -> Option<Bytes> {
        let refs = refs.as_object()?;
        let (with, _) = refs.iter().find(|(k, v)| k.contains('@') && v.as_str() == Some(image))?;
        with.rsplit_once('@').map(|(_, d)| d.as_bytes().into())
    };
    // The repository that was asked for first.
    let own = repositories.iter().filter(|(name, _)| asked.starts_with(name.as_str()));
    own.chain(repositories.iter()).find_map(|(_, refs)| digest(refs))
}
