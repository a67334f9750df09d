//! The control groups of processes.
//!
//! Enters: /proc/PID/cgroup, and the probe's records of groups made and tasks moved. Leaves: the path that a process is
//! shown with, true from the moment of the record on. Never: what is in a group.
//!
//! With version 1 a process is in one group of each hierarchy, and there may be the unified one besides. Shown is the
//! unified path, unless that is the root: then that of the first hierarchy of [`CONTROLLERS`] that there is.

use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

use super::State;
use super::tables::{ProcDesc, ProcRef, Text, ask};
use crate::decode::{Group, RawItem, Record};
use crate::source::abi;

/// Controllers of version 1 whose path stands for the process, the first that has a hierarchy.
const CONTROLLERS: [&[u8]; 4] = [b"pids", b"memory", b"devices", b"name=systemd"];

/// Paths that are remembered by their ids.
const MOST: usize = 16384;
/// How deep groups stand in each other at most, for a search.
const DEPTH: usize = 32;
/// A search for groups that were there before us is not made again before this (boot clock, ns).
const PAUSE: u64 = 1_000_000_000;

/// The groups of a process, as far as they are told.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Groups {
    /// In the unified hierarchy.
    pub unified: Option<Text>,
    /// In the hierarchy of version 1 that counts.
    pub other: Option<Text>,
}

impl Groups {
    /// The path that is shown.
    fn shown(&self) -> Option<Text> {
        let unified = self.unified.as_ref();
        unified.filter(|p| ***p != *b"/").or(self.other.as_ref()).or(unified).cloned()
    }
}

impl ProcDesc {
    /// It is in these groups.
    pub fn set_groups(&mut self, groups: Groups) {
        self.cgroup = groups.shown();
        self.groups = groups;
    }
}

/// The path that a process with this file `cgroup` of /proc is shown with.
pub fn control_group(file: &[u8]) -> Option<Text> {
    parse(file).0.shown()
}

/// The groups that a file `cgroup` of /proc names, and the number of the hierarchy of the other one.
pub fn parse(bytes: &[u8]) -> (Groups, Option<u32>) {
    let lines = || bytes.split(|b| *b == b'\n').filter_map(line);
    let of = |controller: &[u8]| {
        lines().find(|(_, names, _)| names.split(|b| *b == b',').any(|n| n == controller))
    };
    let text = |path: &[u8]| Text::from(path.strip_suffix(b" (deleted)").unwrap_or(path));
    let other = CONTROLLERS.iter().find_map(|c| of(c));
    let groups =
        Groups { unified: of(b"").map(|(.., p)| text(p)), other: other.map(|(.., path)| text(path)) };
    (groups, other.map(|(hierarchy, ..)| hierarchy))
}

/// `hierarchy:controllers:path`; the path may hold colons.
fn line(line: &[u8]) -> Option<(u32, &[u8], &[u8])> {
    let mut parts = line.splitn(3, |b| *b == b':');
    let number = std::str::from_utf8(parts.next()?).ok()?.parse().ok()?;
    Some((number, parts.next()?, parts.next()?))
}

/// The id of a group of the unified hierarchy: the inode of its directory (kernfs_ino in include/linux/kernfs.h).
pub fn id_of(mount: &Path, path: &[u8]) -> Option<u64> {
    Some(std::fs::symlink_metadata(directory(mount, path)?).ok()?.ino())
}

/// The directory of a group. One outside of what a process may see is named from there upwards (`/../a`), and is none.
fn directory(mount: &Path, path: &[u8]) -> Option<PathBuf> {
    let path = Path::new(std::ffi::OsStr::from_bytes(path.strip_prefix(b"/")?));
    path.components().all(|c| matches!(c, Component::Normal(_))).then(|| mount.join(path))
}

/// A process that is in a group of the unified hierarchy.
pub fn member(mount: &Path, path: &[u8]) -> Option<u32> {
    let mut first = [0; 16];
    let mut file = std::fs::File::open(directory(mount, path)?.join("cgroup.procs")).ok()?;
    let read = file.read(&mut first).ok()?;
    std::str::from_utf8(first.get(..read)?).ok()?.lines().next()?.parse().ok().filter(|pid| *pid != 0)
}

/// Where the unified hierarchy is mounted, as a whole.
pub fn mount() -> Option<PathBuf> {
    let mounts = std::fs::read("/proc/self/mountinfo").ok()?;
    let mut lines = mounts.split(|b| *b == b'\n').map(|l| l.split(|b| *b == b' ').collect::<Vec<_>>());
    let found = lines.find_map(|words| {
        let kind = words.iter().position(|w| *w == b"-")?;
        let whole = *words.get(kind + 1)? == b"cgroup2" && *words.get(3)? == b"/";
        words.get(4).filter(|_| whole).map(|at| at.to_vec())
    })?;
    Some(PathBuf::from(std::ffi::OsStr::from_bytes(&found)))
}

/// Finds groups below a directory: their ids, which are the inodes of their directories, and their paths.
fn search(dir: &Path, path: &[u8], depth: usize, found: &mut dyn FnMut(u64, Text) -> bool) -> bool {
    let Ok(entries) = std::fs::read_dir(dir) else { return true };
    let mut groups = entries.flatten().filter(|e| e.file_type().is_ok_and(|t| t.is_dir()));
    groups.all(|entry| {
        let path = [path, b"/", entry.file_name().as_bytes()].concat();
        let more = entry.metadata().map_or(true, |m| found(m.ino(), Text::from(path.as_slice())));
        more && (depth == 0 || search(&entry.path(), &path, depth - 1, found))
    })
}

/// The path that a record tells; nothing if that may be cut off.
fn path_of(g: &Group<'_>) -> Option<Text> {
    match g.path {
        // The kernel's own room for it, and its NUL.
        RawItem::Bytes(path, false) if path.len() < abi::GROUP_PATH as usize - 1 && !path.is_empty() => {
            Some(Text::from(path))
        }
        _ => None,
    }
}

impl State<'_> {
    /// A control group was made.
    pub(super) fn grouped(&mut self, r: &Record) {
        self.seen.state += 1;
        let Some(g) = r.group() else { return };
        let counts = g.hierarchy == 0 || Some(g.hierarchy) == self.proc_fs.other_hierarchy();
        if let Some(path) = self.learn(&g).filter(|_| counts) {
            self.interner.containers.made(&path, r.pid);
            self.reopen(&path, true);
        }
    }

    /// The path of a record; one of the unified hierarchy is remembered.
    fn learn(&mut self, g: &Group<'_>) -> Option<Text> {
        let path = path_of(g).filter(|_| self.proc_fs.sees_whole_paths())?;
        if g.hierarchy == 0 {
            if self.groups.len() >= MOST {
                self.groups.clear();
            }
            self.groups.insert(g.id, path.clone());
        }
        Some(path)
    }

    /// A task was moved. A thread that goes alone leaves its process where it is.
    pub(super) fn attached(&mut self, r: &Record) {
        self.seen.state += 1;
        let Some(g) = r.group() else { return };
        let path = self.learn(&g);
        if r.tid != r.pid {
            return;
        }
        let proc = self.acquainted(r.pid, r.time);
        self.heed_parent(&proc, r);
        if r.time < proc.scanned.get().0 {
            return;
        }
        let mut groups = proc.desc.borrow().groups.clone();
        match g.hierarchy {
            0 => groups.unified = path.clone(),
            other if Some(other) == self.proc_fs.other_hierarchy() => groups.other = path.clone(),
            _ => return,
        }
        // Out of the unified tree: what then counts must be known.
        let open = groups.other.is_none() && groups.unified.as_deref().is_none_or(|p| p == b"/");
        if path.is_none() || open && self.proc_fs.other_hierarchy().is_some() {
            proc.ask(ask::GROUPS);
        } else if proc.desc.borrow().groups != groups {
            proc.change(|d| d.set_groups(groups));
        }
        if path.is_some() && g.hierarchy == 0 {
            self.seat(&proc, Some(g.id));
        }
    }

    /// A child is born into other groups than its parent's (CLONE_INTO_CGROUP; a thread in a group of its own forked).
    pub(super) fn born_in(&mut self, child: &ProcRef, group: u64) {
        self.search(group);
        match self.groups.get(&group).filter(|path| ***path != *b"/") {
            // What is shown is known. The other one is not.
            Some(path) => child.change(|d| {
                d.set_groups(Groups { unified: Some(path.clone()), other: None });
            }),
            None => child.ask(ask::GROUPS),
        }
    }

    /// A group that no record told was there before us: all that there are are looked at.
    fn search(&mut self, group: u64) {
        let now = (self.now)();
        let known = group == 0 || self.groups.contains_key(&group);
        if known || now < self.searched.saturating_add(PAUSE) || !self.proc_fs.sees_whole_paths() {
            return;
        }
        self.searched = now;
        if let Some(mount) = mount() {
            search(&mount, b"", DEPTH, &mut |id, path| {
                self.groups.insert(id, path);
                self.groups.len() < MOST
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unified_path_wins_unless_it_is_the_root() {
        let path = |t: &str| parse(t.as_bytes()).0.shown().map(|p| String::from_utf8_lossy(&p).into_owned());
        assert_eq!(path("5:pids:/docker/x\n0::/docker/y\n"), Some("/docker/y".into()));
        assert_eq!(path("5:cpu,pids:/docker/x\n0::/\n"), Some("/docker/x".into()));
        assert_eq!(path("0::/\n"), Some("/".into()));
        assert_eq!(path("0::/a:b (deleted)\n"), Some("/a:b".into()));
        assert_eq!(path(""), None);
    }

    #[test]
    fn the_hierarchy_that_counts_is_the_first_there_is() {
        let of = |t: &str| parse(t.as_bytes()).1;
        assert_eq!(of("12:memory:/a\n9:pids:/b\n1:name=systemd:/c\n0::/\n"), Some(9));
        assert_eq!(of("12:memory:/a\n1:name=systemd:/c\n"), Some(12));
        assert_eq!(of("3:cpu:/a\n0::/\n"), None);
        assert_eq!(of("x:pids:/a\n9\n"), None);
    }
}
