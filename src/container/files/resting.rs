//! Containers without a process: those that were made and not started yet, and those that ended, as far as files keep them.
//!
//! Enters: where runtimes keep what. Leaves: each container that they keep, and which of the two it is. Never: a process, a
//! question to a daemon, more than [`MOST`] of one place.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::super::host::{LIMIT_OF_ALL, Look, path};
use super::super::json::{at, text};
use super::super::{Bytes, Container, Runtime, Source};
use super::{Ask, Learned, containerd, digits, docker, lxc, oci, podman};

/// Containers of one place.
const MOST: usize = 4096;

/// It was made, and never started.
pub(super) const CREATED: &str = "created";
/// It ran.
pub(super) const EXITED: &str = "exited";
/// One of these; files do not tell which.
pub(super) const STOPPED: &str = "stopped";

pub(in super::super) type Resting = (Container, &'static str);

/// Those that files tell of; some may run, which is for others to know.
pub(in super::super) fn all(look: &mut Look, learned: &mut Learned) -> Vec<Resting> {
    let mut found = Vec::new();
    for keep in [of_docker, of_podman, of_containerd, of_lxc, of_oci] {
        keep(look, learned, &mut found);
    }
    found
}

/// Places that were told, and the usual ones.
fn places<'a>(told: &[(PathBuf, u32)], usual: impl Iterator<Item = &'a str>) -> Vec<(PathBuf, u32)> {
    let mut all = told.to_vec();
    for place in usual.map(|u| (PathBuf::from(u), 0)) {
        if !all.contains(&place) {
            all.push(place);
        }
    }
    all
}

fn of_docker(look: &mut Look, learned: &mut Learned, found: &mut Vec<Resting>) {
    for (root, uid) in places(&learned.docker, docker::DATA.into_iter()) {
        let ids = look.host.names(&root.join("containers"), uid, MOST);
        for id in ids.iter().filter(|id| digits(id)) {
            let Some((c, config)) = docker::one(look, learned, &root, uid, id) else { continue };
            let began = super::super::json::time(&config, &["State", "StartedAt"]).is_some();
            found.push((c, if began { EXITED } else { CREATED }));
        }
    }
}

fn of_podman(look: &mut Look, learned: &mut Learned, found: &mut Vec<Resting>) {
    for (place, uid) in places(&learned.storage, podman::CONTAINERS.into_iter()) {
        for list in podman::LISTS {
            let Some(all) = learned.kept(look, &place.join(list), uid, LIMIT_OF_ALL) else { continue };
            let ids: Vec<Bytes> = all
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|c| Some(text(c, &["id"])?.as_bytes().into()))
                .filter(|id: &Bytes| digits(id))
                .take(MOST)
                .collect();
            for id in ids {
                let ask = Ask { path: b"", id: &id, watcher: None };
                let Some((c, _)) = podman::one(look, learned, &place, uid, &ask) else { continue };
                let state = podman::state(look, &place, uid, &id);
                found.push((c, state));
            }
        }
    }
}

fn of_containerd(look: &mut Look, learned: &mut Learned, found: &mut Vec<Resting>) {
    for (root, uid) in places(&learned.roots, containerd::USUAL.iter().map(|(_, _, root)| *root)) {
        let file = root.join(containerd::DATABASE);
        if !look.host.exists(&file, uid) {
            continue;
        }
        let Some(bolt) = look.database(&file, uid) else { continue };
        for namespace in bolt.buckets(&[b"v1"]).unwrap_or_default() {
            // docker keeps its own elsewhere.
            if namespace == b"moby" {
                continue;
            }
            let ids = bolt.buckets(&[b"v1", &namespace, b"containers"]).unwrap_or_default();
            for id in ids.into_iter().take(MOST) {
                let runtime = if namespace == b"k8s.io" { Runtime::Cri } else { Runtime::Containerd };
                let mut c = Container {
                    runtime,
                    id: id.as_slice().into(),
                    sources: vec![Source::Files],
                    ..Container::default()
                };
                if containerd::stored(&bolt, &namespace, &mut c) != Ok(true) {
                    continue;
                }
                if runtime == Runtime::Containerd {
                    c.name.get_or_insert_with(|| id.as_slice().into());
                }
                let state = of_status(look, &root, uid, &c);
                found.push((c, state));
            }
        }
    }
}

/// Kubernetes' plugin writes when a container was started. Of others nothing is kept.
fn of_status(look: &mut Look, root: &Path, uid: u32, c: &Container) -> &'static str {
    if c.runtime != Runtime::Cri || !digits(&c.id) {
        return STOPPED;
    }
    let file = root.join(containerd::PODS).join("containers").join(path(&c.id)).join("status");
    // A sandbox has none; it runs from the moment it is made.
    let Some((status, _)) = look.json(&file, uid) else { return EXITED };
    match at(&status, &["StartedAt"]).and_then(Value::as_i64) {
        Some(1..) => EXITED,
        Some(_) => CREATED,
        None => STOPPED,
    }
}

fn of_lxc(look: &mut Look, learned: &mut Learned, found: &mut Vec<Resting>) {
    for (root, uid) in places(&learned.lxc, ["/var/lib/lxc"].into_iter()) {
        for name in look.host.names(&root, uid, MOST) {
            found.extend(lxc::one(look, &root, uid, &name).map(|c| (c, STOPPED)));
        }
    }
}

fn of_oci(look: &mut Look, learned: &mut Learned, found: &mut Vec<Resting>) {
    for (root, uid) in places(&learned.oci, oci::ROOTS.into_iter()) {
        for name in look.host.names(&root, uid, MOST) {
            // One that waits for its start has a process already.
            found.extend(oci::one(look, &root.join(path(&name)), uid).map(|c| (c, EXITED)));
        }
    }
}
