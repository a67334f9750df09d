//! What the files of runtimes say of a container, one runtime a file.
//!
//! Enters: the path of a control group, a process. Leaves: a [`Found`]: the container, and whom to ask what files lack. Never: a
//! socket, a file of a container's own, an error: a file that is not there, is not what it should be or says somebody
//! else's id says nothing.
//!
//! Files are there before the container's first process runs, which the daemons' answers are not: those wait for the
//! start to end. Where they are is told by the process that watches the container; the usual places are for when it is gone.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;
use serde_json::Value;

use super::host::{Look, Stamp};
use super::json::fill;
use super::monitor::{Above, Kind, Monitor, above, option};
use super::path::digits;
use super::{Bytes, Container, Runtime, Source, identify};

mod containerd;
mod crio;
mod docker;
mod lxc;
mod nspawn;
mod oci;
mod podman;
pub(super) mod resting;

/// Places that are remembered of one kind.
const PLACES: usize = 64;
/// Files that hold something of every container, kept parsed.
const KEPT: usize = 8;

/// Whom to ask what files lack.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) enum Daemon {
    /// The native interface of containerd: labels of a pod, an image's digest.
    Containerd {
        /// Its socket.
        socket: PathBuf,
        /// The namespace that the container is in.
        namespace: Bytes,
        /// The user whose it is.
        uid: u32,
    },
    /// docker's, where its files cannot be read.
    Docker {
        /// Its socket.
        socket: PathBuf,
        /// The user whose it is.
        uid: u32,
    },
    /// podman's: labels, the pod's name.
    Podman {
        /// Its socket.
        socket: PathBuf,
        /// The user whose it is.
        uid: u32,
    },
}

/// What is known of a container, and who may know more.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Found {
    pub(super) container: Container,
    /// In the order in which to ask. Empty: files said all that there is.
    pub(super) daemons: Vec<Daemon>,
}

/// Where runtimes keep what, as their watchers told: for containers whose watcher is gone or was not seen.
#[derive(Default)]
pub(super) struct Learned {
    /// containerd's directories of bundles (above the namespaces), and the socket that belongs to each.
    containerd: Vec<(PathBuf, Option<PathBuf>, u32)>,
    /// containerd's directories of what lasts.
    roots: Vec<(PathBuf, u32)>,
    /// docker's data roots.
    docker: Vec<(PathBuf, u32)>,
    /// `…-containers` directories of podman and CRI-O.
    storage: Vec<(PathBuf, u32)>,
    /// Directories of states of runc and crun.
    oci: Vec<(PathBuf, u32)>,
    /// lxc's directories of containers.
    lxc: Vec<(PathBuf, u32)>,
    /// Files with something of every container.
    kept: HashMap<PathBuf, (Stamp, Arc<Value>), FxBuildHasher>,
}

/// Adds a place to those to look at, once.
fn learn<T: PartialEq>(places: &mut Vec<T>, place: T) {
    if places.len() < PLACES && !places.contains(&place) {
        places.push(place);
    }
}

impl Learned {
    /// A daemon of the host's says in its arguments where it keeps what.
    pub(super) fn daemon(&mut self, args: &[Vec<u8>], uid: u32) {
        let program = args.first().and_then(|a| a.rsplit(|b| *b == b'/').next());
        let told = |names: &[&str]| option(args, names).map(super::host::path).map(|place| (place, uid));
        match program {
            Some(b"dockerd") => told(&["--data-root", "--graph", "-g"]).map(|p| learn(&mut self.docker, p)),
            Some(b"containerd") => told(&["--root"]).map(|p| learn(&mut self.roots, p)),
            _ => None,
        };
    }

    /// A file of JSON, parsed once as long as it does not change: with a thousand containers it is asked for a thousand times.
    fn kept(&mut self, look: &mut Look, file: &Path, uid: u32, limit: u64) -> Option<Arc<Value>> {
        let stamp = look.host.stamp(file, uid)?;
        if let Some((_, value)) = self.kept.get(file).filter(|(s, _)| *s == stamp) {
            look.note(file.to_string_lossy(), "as it was read before");
            return Some(value.clone());
        }
        let (text, stamp) = look.file(file, uid, limit)?;
        let value = Arc::new(look.parsed(file, &text)?);
        if self.kept.len() >= KEPT {
            self.kept.clear();
        }
        self.kept.insert(file.to_owned(), (stamp, value.clone()));
        Some(value)
    }
}

/// What is looked for.
struct Ask<'a> {
    path: &'a [u8],
    /// 64 digits, or a name.
    id: &'a [u8],
    watcher: Option<&'a Monitor>,
}

impl Ask<'_> {
    /// The directory of the container's `config.json`, if its watcher tells.
    fn bundle(&self) -> Option<PathBuf> {
        let watcher = self.watcher?;
        let bundle = watcher.bundle.clone()?;
        // One shim serves a whole pod: the bundles of a pod are neighbours.
        if watcher.id == self.id {
            Some(bundle)
        } else {
            Some(bundle.parent()?.join(super::host::path(self.id)))
        }
    }

    fn uid(&self) -> u32 {
        self.watcher.map_or(0, |w| w.uid)
    }
}

/// What one runtime's files say: the container, and whom else to ask. `None`: it is not theirs.
type Answer = Option<(Container, Vec<Daemon>)>;
type Reader = fn(&mut Look, &mut Learned, &Ask) -> Answer;

/// True if no container can have this control group.
pub(super) fn hosts(path: &[u8]) -> bool {
    if identify(path).is_some() {
        return false;
    }
    let last = path.rsplit(|b| *b == b'/').next().unwrap_or_default();
    let unit = |end: &str| last.ends_with(end.as_bytes());
    let session = last.starts_with(b"session-") && unit(".scope");
    last.is_empty()
        || unit(".service")
        || unit(".slice")
        || unit(".socket")
        || unit(".mount")
        || last == b"init.scope"
        || session
}

/// What path, processes and files say of the container with a control group. `None`: it is the host's.
pub(super) fn describe(
    look: &mut Look,
    learned: &mut Learned,
    path: &[u8],
    pids: &[Option<u32>],
) -> Option<Found> {
    let told = identify(path);
    let shape = told.as_ref().map_or_else(
        || "no container's shape".to_owned(),
        |c| format!("{} {}", c.runtime.name(), String::from_utf8_lossy(&c.id)),
    );
    look.note(format!("control group {}", String::from_utf8_lossy(path)), shape);
    // The first with a watcher: others may be gone.
    let mut watchers = pids.iter().flatten().map(|pid| above(look, *pid, path));
    let above = watchers.find(|a| *a != Above::Nobody).unwrap_or(Above::Nobody);
    let watcher = match &above {
        Above::Watcher(m) => Some(&**m),
        // What it keeps is in the container around it, and is not read; an id that the host knows is another's.
        Above::Inside => return told.map(only),
        Above::Nobody if told.as_ref().is_some_and(|c| c.parent.is_some()) => return told.map(only),
        Above::Nobody => None,
    };
    let last = path.rsplit(|b| *b == b'/').next().unwrap_or_default();
    let id = told.as_ref().map_or(last, |c| &c.id);
    if id.is_empty() || id == b"." || id == b".." || id.contains(&b'/') || id.contains(&0) {
        return told.map(only);
    }
    let ask = Ask { path, id, watcher };
    let readers = readers(told.as_ref().map_or(Runtime::Unknown, |c| c.runtime), watcher, digits(id));
    let answer = readers.iter().find_map(|read| read(look, learned, &ask));
    match (told, answer) {
        (None, None) => None,
        (Some(told), None) => Some(only(told)),
        (told, Some((said, daemons))) => {
            // What the path says of the runtime is a guess from a name; who keeps files of it is its runtime.
            let runtime = if said.runtime == Runtime::Unknown {
                told.as_ref().map_or(said.runtime, |c| c.runtime)
            } else {
                said.runtime
            };
            let id = told.as_ref().map_or_else(|| said.id.clone(), |c| c.id.clone());
            let mut container =
                told.unwrap_or(Container { id, sources: vec![Source::Process], ..Container::default() });
            container.runtime = runtime;
            if matches!(runtime, Runtime::Lxc | Runtime::Nspawn) {
                // The path may have a number after the name.
                container.id = said.id.clone();
                container.name = None;
            }
            fill(&mut container, said);
            Some(Found { container, daemons })
        }
    }
}

/// What the path says is all.
fn only(container: Container) -> Found {
    Found { container, daemons: Vec::new() }
}

/// Whose files to look at: the watcher's, or else by what the path says.
fn readers(runtime: Runtime, watcher: Option<&Monitor>, digits: bool) -> &'static [Reader] {
    match watcher.map(|w| &w.kind) {
        Some(Kind::Shim { namespace, .. }) if namespace == b"moby" => return &[docker::read],
        Some(Kind::Shim { .. }) => return &[containerd::read],
        Some(Kind::Conmon) => return &[crio::read, podman::read],
        Some(Kind::Lxc { .. }) => return &[lxc::read],
        Some(Kind::Nspawn { .. }) => return &[nspawn::read],
        Some(Kind::Oci { .. }) => return &[oci::read],
        None => {}
    }
    match runtime {
        Runtime::Docker => &[docker::read],
        Runtime::Cri | Runtime::Containerd => &[containerd::read],
        Runtime::Crio => &[crio::read],
        Runtime::Podman => &[podman::read],
        Runtime::Oci => &[oci::read],
        Runtime::Lxc | Runtime::Nspawn => &[],
        Runtime::Unknown if digits => &[containerd::read, docker::read, crio::read, podman::read, oci::read],
        Runtime::Unknown => &[oci::read],
    }
}
