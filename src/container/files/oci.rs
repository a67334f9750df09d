//! What every runtime of the Open Container Initiative leaves: a bundle's `config.json`; of runc `ROOT/ID/state.json`, of crun
//! `ROOT/ID/status`.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::super::host::{Look, path};
use super::super::json::{at, bytes, labels, mounts, text, time, within};
use super::super::{Container, Runtime, SHARED, Source};
use super::{Answer, Ask, Kind, Learned, learn};

/// Usual directories of states.
pub(super) const ROOTS: [&str; 2] = ["/run/runc", "/run/crun"];
/// States of one directory that are looked at.
const STATES: usize = 1024;
/// What a container with the rights of the host may do, among more.
const RIGHTS: [&str; 3] = ["CAP_SYS_ADMIN", "CAP_SYS_MODULE", "CAP_SYS_RAWIO"];

pub(super) fn read(look: &mut Look, learned: &mut Learned, ask: &Ask) -> Answer {
    if let (Some(watcher), Some(bundle)) = (ask.watcher, ask.watcher.and_then(|w| w.bundle.clone())) {
        if let Kind::Oci { root: Some(root) } = &watcher.kind {
            learn(&mut learned.oci, (root.clone(), watcher.uid));
        }
        let (config, stamp) = look.json(&bundle.join("config.json"), watcher.uid)?;
        let named = Ask { id: &watcher.id, path: ask.path, watcher: None };
        if has_group(&config, &named) {
            let mut c = container(&config);
            c.id = watcher.id.as_slice().into();
            c.name = Some(c.id.clone());
            c.started = stamp.changed;
            return Some((c, Vec::new()));
        }
        look.note(bundle.to_string_lossy(), "has another control group");
    }
    let usual = ROOTS.iter().map(|r| (PathBuf::from(r), 0));
    let roots: Vec<_> = learned.oci.iter().cloned().chain(usual).collect();
    roots.into_iter().find_map(|(root, uid)| {
        // Mostly the control group ends in the id.
        state(look, &root.join(path(ask.id)), uid, ask).or_else(|| {
            let names = look.host.names(&root, uid, STATES);
            names
                .into_iter()
                .filter(|n| n != ask.id)
                .find_map(|n| state(look, &root.join(path(&n)), uid, ask))
        })
    })
}

/// What the state of one container says, if it is that of the control group.
fn state(look: &mut Look, dir: &Path, uid: u32, ask: &Ask) -> Answer {
    if look.late() {
        return None;
    }
    let of_runc = dir.join("state.json");
    if look.host.exists(&of_runc, uid) {
        let (state, _) = look.json(&of_runc, uid)?;
        let paths = at(&state, &["cgroup_paths"])?.as_object()?;
        let mut ends = paths.values().filter_map(Value::as_str);
        let own = ends.any(|p| p.as_bytes().ends_with(ask.path)) && ask.path.len() > 1;
        return own.then(|| (of_state(&state), Vec::new()));
    }
    let of_crun = dir.join("status");
    if !look.host.exists(&of_crun, uid) {
        return None;
    }
    let (status, _) = look.json(&of_crun, uid)?;
    let group = text(&status, &["cgroup-path"])?.trim_end_matches("/container");
    if group.is_empty() || !below(ask.path, group.as_bytes()) {
        return None;
    }
    let bundle = Path::new(text(&status, &["bundle"])?).join("config.json");
    of_crun_at(look, dir, &status, &bundle, uid).map(|c| (c, Vec::new()))
}

/// What crun keeps: the bundle says the rest.
fn of_crun_at(look: &mut Look, dir: &Path, status: &Value, bundle: &Path, uid: u32) -> Option<Container> {
    let mut c = look.json(bundle, uid).map(|(config, _)| container(&config)).unwrap_or_default();
    c.runtime = Runtime::Oci;
    c.id = dir.file_name()?.as_encoded_bytes().into();
    c.name = Some(c.id.clone());
    c.started = time(status, &["created"]);
    c.sources = vec![Source::Files];
    Some(c)
}

/// The container whose state is in a directory.
pub(super) fn one(look: &mut Look, dir: &Path, uid: u32) -> Option<Container> {
    if look.late() {
        return None;
    }
    let of_runc = dir.join("state.json");
    if look.host.exists(&of_runc, uid) {
        return look.json(&of_runc, uid).map(|(state, _)| of_state(&state));
    }
    let of_crun = dir.join("status");
    let (status, _) = look.host.exists(&of_crun, uid).then(|| look.json(&of_crun, uid)).flatten()?;
    let bundle = Path::new(text(&status, &["bundle"])?).join("config.json");
    of_crun_at(look, dir, &status, &bundle, uid)
}

/// What runc keeps: annotations are labels `KEY=VALUE`, the bundle is among them.
fn of_state(state: &Value) -> Container {
    let id = bytes(state, &["id"]).unwrap_or_default();
    let all = at(state, &["config", "labels"]).and_then(Value::as_array);
    let pairs = all.into_iter().flatten().filter_map(|l| l.as_str()?.split_once('='));
    let pairs = pairs.filter(|(k, _)| *k != "bundle").map(|(k, v)| (k.as_bytes(), v.as_bytes()));
    let points = at(state, &["config", "mounts"]).and_then(Value::as_array);
    Container {
        runtime: Runtime::Oci,
        name: Some(id.clone()),
        id,
        labels: within(pairs),
        mounts: mounts(points.into_iter().flatten().filter_map(bound)),
        started: time(state, &["created"]),
        // As runc calls them.
        shares: ["NEWPID", "NEWNET", "NEWIPC"].map(|kind| shares(at(state, &["config", "namespaces"]), kind)),
        sources: vec![Source::Files],
        ..Container::default()
    }
}

/// A directory of the host's that is in the container, as runc's state and a bundle write it.
fn bound(mount: &Value) -> Option<String> {
    let kind = text(mount, &["type"]).or_else(|| text(mount, &["device"]));
    let source = text(mount, &["source"]).filter(|s| s.starts_with('/'))?;
    if !matches!(kind, Some("bind" | "none") | None) {
        return None;
    }
    let options = at(mount, &["options"]).and_then(Value::as_array);
    let how: Vec<&str> = options.into_iter().flatten().filter_map(Value::as_str).collect();
    Some(format!("{source}:{}:{}", text(mount, &["destination"])?, how.join(",")))
}

/// What a bundle's `config.json` says: annotations as labels, mounts, rights. Nothing of id, name and image.
pub(super) fn container(config: &Value) -> Container {
    let points = at(config, &["mounts"]).and_then(Value::as_array);
    Container {
        runtime: Runtime::Oci,
        labels: labels(at(config, &["annotations"])),
        mounts: mounts(points.into_iter().flatten().filter_map(bound)),
        privileged: Some(privileged(config)),
        shares: SHARED.map(|kind| shares(at(config, &["linux", "namespaces"]), kind)),
        sources: vec![Source::Files],
        ..Container::default()
    }
}

/// Whether a list of namespaces leaves one to be the host's. One that is joined by a process of its (a pod's other containers
/// do so) may be either.
fn shares(all: Option<&Value>, kind: &str) -> Option<bool> {
    let mut all = all?.as_array()?.iter();
    match all.find(|n| text(n, &["type"]) == Some(kind)).map(|n| text(n, &["path"])) {
        None => Some(true),
        Some(Some(path)) if path.starts_with("/proc/1/") => Some(true),
        Some(Some(path)) if path.starts_with("/proc/") => None,
        Some(_) => Some(false),
    }
}

/// All rights of root, no filter of system calls, nothing of /proc hidden: what `--privileged` makes.
fn privileged(config: &Value) -> bool {
    let has = |keys: &[&str]| at(config, keys).and_then(Value::as_array).is_some_and(|a| !a.is_empty());
    let bounding = at(config, &["process", "capabilities", "bounding"]).and_then(Value::as_array);
    let all = bounding.is_some_and(|b| RIGHTS.iter().all(|r| b.iter().any(|c| c.as_str() == Some(r))));
    let filtered = at(config, &["linux", "seccomp"]).is_some_and(|s| !s.is_null());
    all && !filtered && !has(&["linux", "maskedPaths"])
}

/// Whether a bundle's container has the control group that is asked about: `linux.cgroupsPath` as a path or as
/// `SLICE:PREFIX:NAME`; without it the control group is called like the container.
pub(super) fn has_group(config: &Value, ask: &Ask) -> bool {
    let last = ask.path.rsplit(|b| *b == b'/');
    match text(config, &["linux", "cgroupsPath"]).map(str::as_bytes) {
        Some(path) if path.contains(&b':') => {
            let name = path.rsplit(|b| *b == b':').next().unwrap_or_default();
            // The scope's name ends with it, or the runtime takes the text as a path.
            !name.is_empty() && contains(ask.path, name)
        }
        Some(path) => below(ask.path, path.strip_prefix(b"/").unwrap_or(path)),
        None => last.take(2).any(|p| p == ask.id || (contains(p, ask.id) && p.ends_with(b".scope"))),
    }
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    !part.is_empty() && text.windows(part.len()).any(|w| w == part)
}

/// Whether `path` is the control group `group` or below it, whatever root either is told from.
fn below(path: &[u8], group: &[u8]) -> bool {
    let group = group.strip_prefix(b"/").unwrap_or(group);
    let whole = |at: usize| {
        let end = path.get(at + group.len());
        at.checked_sub(1).and_then(|i| path.get(i)) == Some(&b'/') && (end.is_none() || end == Some(&b'/'))
    };
    !group.is_empty()
        && path.len() >= group.len()
        && (0..=path.len() - group.len()).any(|at| path.get(at..at + group.len()) == Some(group) && whole(at))
}
