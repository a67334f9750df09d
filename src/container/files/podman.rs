//! podman: `STORAGE/overlay-containers/containers.json` (names, the image), `overlay-images/images.json` (its digest), and
//! `overlay-containers/ID/userdata/config.json` (mounts, rights, annotations). Labels and pods are in its database
//! alone, which is BoltDB up to version 5 (later SQLite: then its socket).

use std::path::{Path, PathBuf};

use super::super::host::{LIMIT_OF_ALL, Look, path};
use super::super::json::{at, bytes, inner, labels, text, time};
use super::super::{Container, Pod, Runtime, Source};
use super::resting::{CREATED, EXITED};
use super::{Answer, Ask, Daemon, Learned, learn, oci};

/// Usual directories of containers.
pub(super) const CONTAINERS: [&str; 2] =
    ["/var/lib/containers/storage/overlay-containers", "/var/lib/containers/storage/vfs-containers"];
/// Its database, next to the containers.
const DATABASE: &str = "libpod/bolt_state.db";
/// The list of containers, and that of those which do not outlive a reboot.
pub(super) const LISTS: [&str; 2] = ["containers.json", "volatile-containers.json"];

pub(super) fn read(look: &mut Look, learned: &mut Learned, ask: &Ask) -> Answer {
    let told = ask.bundle().and_then(|b| Some((b.parent()?.parent()?.to_owned(), ask.uid())));
    let places: Vec<(PathBuf, u32)> = match &told {
        Some(place) => vec![place.clone()],
        None => {
            learned.storage.iter().cloned().chain(CONTAINERS.iter().map(|c| (PathBuf::from(c), 0))).collect()
        }
    };
    for (place, uid) in places {
        let Some((c, whole)) = one(look, learned, &place, uid, ask) else { continue };
        learn(&mut learned.storage, (place, uid));
        return Some((c, if whole { Vec::new() } else { daemons(uid) }));
    }
    // Without a list of what it holds the runtime is still podman, and its socket may know it.
    let known =
        ask.watcher.is_some() || super::identify(ask.path).is_some_and(|c| c.runtime == Runtime::Podman);
    let c = Container { runtime: Runtime::Podman, id: ask.id.into(), ..Container::default() };
    known.then(|| (c, daemons(ask.uid())))
}

/// What the files in one place say of a container, and whether that is all.
pub(super) fn one(
    look: &mut Look,
    learned: &mut Learned,
    place: &Path,
    uid: u32,
    ask: &Ask,
) -> Option<(Container, bool)> {
    let mut c = LISTS.iter().find_map(|list| listed(look, learned, &place.join(list), uid, ask.id))?;
    c.image_digest = digest(look, learned, place, uid, &c);
    bundle(look, place, uid, ask, &mut c);
    let whole = stored(look, place, uid, &mut c);
    Some((c, whole))
}

/// What became of one that has no process. With a database that cannot be read: it has a bundle since its first start.
pub(super) fn state(look: &mut Look, place: &Path, uid: u32, id: &[u8]) -> &'static str {
    let file = place.parent().map(|p| p.join(DATABASE)).filter(|f| look.host.exists(f, uid));
    let bolt = file.and_then(|file| look.database(&file, uid));
    let text = bolt.and_then(|bolt| bolt.get(&[b"ctr", id], b"state").ok()?);
    let state = text.and_then(|t| serde_json::from_slice::<serde_json::Value>(&t).ok());
    // ContainerStatus of libpod/define: 1 configured, 2 created.
    match state.as_ref().and_then(|s| at(s, &["state"])?.as_u64()) {
        Some(1 | 2) => CREATED,
        Some(_) => EXITED,
        None if look.host.exists(&place.join(path(id)).join("userdata/config.json"), uid) => EXITED,
        None => CREATED,
    }
}

fn daemons(uid: u32) -> Vec<Daemon> {
    let socket = if uid == 0 {
        "/run/podman/podman.sock".into()
    } else {
        format!("/run/user/{uid}/podman/podman.sock")
    };
    vec![Daemon::Podman { socket: socket.into(), uid }]
}

/// What the list of containers says.
fn listed(look: &mut Look, learned: &mut Learned, file: &Path, uid: u32, id: &[u8]) -> Option<Container> {
    let all = learned.kept(look, file, uid, LIMIT_OF_ALL)?;
    let own = all.as_array()?.iter().find(|c| text(c, &["id"]).map(str::as_bytes) == Some(id))?;
    let metadata = inner(own, &["metadata"]).unwrap_or_default();
    let name = at(own, &["names"]).and_then(|n| n.get(0)?.as_str()).map(|n| n.as_bytes().into());
    Some(Container {
        runtime: Runtime::Podman,
        id: id.into(),
        name: name.or_else(|| bytes(&metadata, &["name"])),
        image: bytes(&metadata, &["image-name"]),
        image_id: bytes(own, &["image"]).or_else(|| bytes(&metadata, &["image-id"])),
        started: time(own, &["created"]),
        sources: vec![Source::Files],
        ..Container::default()
    })
}

/// The image's digest: the list of images lies next to that of containers.
fn digest(
    look: &mut Look,
    learned: &mut Learned,
    place: &Path,
    uid: u32,
    c: &Container,
) -> Option<super::Bytes> {
    let driver = place.file_name()?.to_str()?.strip_suffix("-containers")?;
    let file = place.parent()?.join(format!("{driver}-images/images.json"));
    let all = learned.kept(look, &file, uid, LIMIT_OF_ALL)?;
    let image = c.image_id.as_deref()?;
    let own = all.as_array()?.iter().find(|i| text(i, &["id"]).map(str::as_bytes) == Some(image))?;
    bytes(own, &["digest"])
}

/// What its database says, up to version 5: `ctr/ID/config` and `pod/ID/config`, both JSON. True if it knew the container.
fn stored(look: &mut Look, place: &Path, uid: u32, c: &mut Container) -> bool {
    let Some(file) = place.parent().map(|p| p.join(DATABASE)).filter(|f| look.host.exists(f, uid)) else {
        return false;
    };
    let Some(bolt) = look.database(&file, uid) else { return false };
    let value = |bucket: &[u8], id: &[u8], what: &str| -> Result<Option<serde_json::Value>, String> {
        let text = bolt.get(&[bucket, id], what.as_bytes())?;
        Ok(text.and_then(|t| serde_json::from_slice(&t).ok()))
    };
    let own = value(b"ctr", &c.id, "config");
    let said = match &own {
        Ok(Some(_)) => "read".to_owned(),
        Ok(None) => "it does not know the id".to_owned(),
        Err(e) => e.clone(),
    };
    look.note(file.to_string_lossy(), said);
    let Ok(Some(own)) = own else { return false };
    c.labels = labels(at(&own, &["labels"]));
    let Some(id) = bytes(&own, &["pod"]) else { return true };
    let Ok(Some(its)) = value(b"pod", &id, "config") else { return false };
    c.sandbox |= at(&own, &["pause"]).and_then(serde_json::Value::as_bool) == Some(true);
    let state = value(b"pod", &id, "state").ok().flatten().unwrap_or_default();
    let pod = c.pod.get_or_insert_default();
    pod.sandbox = pod.sandbox.take().or_else(|| bytes(&state, &["InfraContainerID"]));
    // The infra container of a pod is called so by the pod alone.
    c.sandbox |= pod.sandbox.as_ref() == Some(&c.id);
    pod.name = bytes(&its, &["name"]);
    pod.labels = labels(at(&its, &["labels"]));
    pod.uid = Some(id);
    true
}

/// What the container's own `config.json` says.
fn bundle(look: &mut Look, place: &Path, uid: u32, ask: &Ask, c: &mut Container) {
    let file = ask.bundle().unwrap_or_else(|| place.join(path(ask.id)).join("userdata")).join("config.json");
    let Some((config, _)) = look.json(&file, uid) else { return };
    let said = oci::container(&config);
    (c.mounts, c.privileged, c.shares) = (said.mounts, said.privileged, said.shares);
    let sandbox = bytes(&config, &["annotations", "io.kubernetes.cri-o.SandboxID"]);
    if let Some(sandbox) = sandbox {
        c.sandbox = *sandbox == *ask.id;
        c.pod = Some(Pod { sandbox: Some(sandbox), ..Pod::default() });
    }
    let kind = text(&config, &["annotations", "io.kubernetes.cri-o.ContainerType"]);
    c.sandbox |= kind == Some("sandbox");
}
