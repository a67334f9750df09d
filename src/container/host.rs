//! Reading what runtimes keep on the host, without being led astray.
//!
//! Enters: paths as the host names them. Leaves: contents of regular files within limits, JSON, facts about processes; a note
//! of each ([`Said`]). Never: what somebody else than the runtime's user owns, a link in the last place, a pipe or a device, more
//! than [`LIMIT`], a step after the deadline.
//!
//! The host's root is that of its first process: ours, or, where we run in a container with the host's processes, what
//! `/proc/1/root` leads to. Paths are resolved inside it (openat2), so that `/var/run` is the host's and nobody's link leads
//! out. Where a runtime is not root's, not even a link on the way is followed: its user could lead root anywhere.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Read;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::Instant;

use rustix::fs::{Mode, OFlags, ResolveFlags, Stat, fstat, openat2};
use rustix::io::Errno;
use serde_json::Value;

use super::bolt::Bolt;

/// Bytes of a file that are read; a longer one is refused.
pub(super) const LIMIT: u64 = 4 << 20;
/// Of files that hold something of every container.
pub(super) const LIMIT_OF_ALL: u64 = 16 << 20;
/// Bytes of a file in /proc.
const LIMIT_OF_PROC: u64 = 64 << 10;
/// Notes of one look-up.
const NOTES: usize = 64;

/// What one source said.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Said {
    /// Which: a path, a socket and a question.
    pub source: String,
    /// What, or why it said nothing.
    pub said: String,
}

/// The host whose containers these are.
pub(super) struct Host {
    proc: PathBuf,
    root: Option<OwnedFd>,
    me: u32,
}

/// What /proc tells of a process.
pub(super) struct Process {
    pub(super) parent: u32,
    /// Its effective user.
    pub(super) uid: u32,
}

impl Host {
    pub(super) fn new(proc: &Path) -> Host {
        let first = proc.join("1");
        let same = fs::read_link("/proc/self/ns/mnt")
            .is_ok_and(|ours| fs::read_link(first.join("ns/mnt")).is_ok_and(|its| its == ours));
        let open = |path: &Path| {
            rustix::fs::open(path, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()).ok()
        };
        let root = (!same).then(|| open(&first.join("root"))).flatten().or_else(|| open(Path::new("/")));
        Host { proc: proc.to_owned(), root, me: rustix::process::geteuid().as_raw() }
    }

    /// A file of a process, cut at the limit. The kernel writes it: links are what it says.
    pub(super) fn of_process(&self, pid: u32, name: &str) -> Option<Vec<u8>> {
        let mut text = Vec::new();
        File::open(self.proc.join(pid.to_string()).join(name))
            .ok()?
            .take(LIMIT_OF_PROC)
            .read_to_end(&mut text)
            .ok()?;
        Some(text)
    }

    pub(super) fn process(&self, pid: u32) -> Option<Process> {
        let status = self.of_process(pid, "status")?;
        let field = |name: &str, n: usize| -> Option<u32> {
            let line = status.split(|b| *b == b'\n').find_map(|l| l.strip_prefix(name.as_bytes()))?;
            std::str::from_utf8(line).ok()?.split_ascii_whitespace().nth(n)?.parse().ok()
        };
        Some(Process { parent: field("PPid:", 0)?, uid: field("Uid:", 1)? })
    }

    /// Its arguments.
    pub(super) fn arguments(&self, pid: u32) -> Option<Vec<Vec<u8>>> {
        let mut text = self.of_process(pid, "cmdline")?;
        while text.last() == Some(&0) {
            text.pop();
        }
        Some(text.split(|b| *b == 0).map(<[u8]>::to_vec).collect())
    }

    /// Its working directory, as it names it.
    pub(super) fn directory(&self, pid: u32) -> Option<PathBuf> {
        fs::read_link(self.proc.join(pid.to_string()).join("cwd")).ok()
    }

    /// The paths of its control groups, the unified tree's first.
    pub(super) fn groups(&self, pid: u32) -> Vec<Vec<u8>> {
        let text = self.of_process(pid, "cgroup").unwrap_or_default();
        let mut paths: Vec<(bool, Vec<u8>)> = text
            .split(|b| *b == b'\n')
            .filter_map(|l| {
                let mut parts = l.splitn(3, |b| *b == b':');
                let (_, names, path) = (parts.next()?, parts.next()?, parts.next()?);
                Some((!names.is_empty(), path.to_vec()))
            })
            .collect();
        paths.sort();
        paths.dedup();
        paths.into_iter().map(|(_, path)| path).collect()
    }

    /// True if a process is there, and in this control group.
    pub(super) fn is_in(&self, pid: u32, group: &[u8]) -> bool {
        self.groups(pid).iter().any(|g| g == group)
    }

    /// Every process, with a control group of it: the unified one, but where that says nothing, another.
    pub(super) fn processes(&self) -> impl Iterator<Item = (u32, Vec<u8>)> + '_ {
        let entries = fs::read_dir(&self.proc).ok().into_iter().flatten().flatten();
        entries.filter_map(|e| e.file_name().to_str()?.parse().ok()).filter_map(|pid| {
            let groups = self.groups(pid);
            let own = groups.iter().find(|p| **p != b"/").or(groups.first())?;
            Some((pid, own.clone()))
        })
    }

    /// Opens what a runtime of `uid` keeps, or the host's root for `uid` 0.
    fn open(&self, path: &Path, uid: u32, how: OFlags) -> Result<OwnedFd, String> {
        let root = self.root.as_ref().ok_or("the host's root cannot be opened")?;
        let inside = path.strip_prefix("/").map_err(|_| "not a whole path")?;
        let mut resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
        if uid != 0 {
            resolve |= ResolveFlags::NO_SYMLINKS;
        }
        let flags = how | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = openat2(root, inside, flags, Mode::empty(), resolve).map_err(|e| match e {
            Errno::LOOP => "a symbolic link is not followed".to_owned(),
            e => e.to_string(),
        })?;
        let owner = fstat(&file).map_err(|e| e.to_string())?.st_uid;
        let right = owner == uid || (uid == 0 && owner == self.me);
        if right { Ok(file) } else { Err(format!("it belongs to user {owner}")) }
    }

    /// A socket, by a path that fits into an address: `/proc/self/fd/N` while the descriptor is open.
    pub(super) fn socket(&self, path: &Path, uid: u32) -> Result<OwnedFd, String> {
        let socket = self.open(path, uid, OFlags::PATH)?;
        let mode = fstat(&socket).map_err(|e| e.to_string())?.st_mode;
        if mode & 0o170_000 == 0o140_000 { Ok(socket) } else { Err("not a socket".into()) }
    }

    /// The names in a directory, `most` at most.
    pub(super) fn names(&self, path: &Path, uid: u32, most: usize) -> Vec<Vec<u8>> {
        let Ok(dir) = self.open(path, uid, OFlags::RDONLY | OFlags::DIRECTORY) else { return Vec::new() };
        let Ok(dir) = rustix::fs::Dir::new(dir) else { return Vec::new() };
        let names = dir.filter_map(|e| Some(e.ok()?.file_name().to_bytes().to_vec()));
        names.filter(|n| !n.starts_with(b".")).take(most).collect()
    }

    /// Whether there is something that may be read.
    pub(super) fn exists(&self, path: &Path, uid: u32) -> bool {
        self.open(path, uid, OFlags::PATH).is_ok()
    }

    /// Which state a file is in.
    pub(super) fn stamp(&self, path: &Path, uid: u32) -> Option<Stamp> {
        Some(Stamp::of(&fstat(self.open(path, uid, OFlags::PATH).ok()?).ok()?))
    }

    /// A regular file, open.
    pub(super) fn regular(&self, path: &Path, uid: u32) -> Result<(File, Stat), String> {
        // Without NONBLOCK the opening of a pipe would wait for its writer.
        let file = self.open(path, uid, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY)?;
        let stat = fstat(&file).map_err(|e| e.to_string())?;
        if stat.st_mode & 0o170_000 != 0o100_000 {
            return Err("not a regular file".into());
        }
        Ok((File::from(file), stat))
    }

    fn read(&self, path: &Path, uid: u32, limit: u64) -> Result<(Vec<u8>, Stamp), String> {
        let (file, stat) = self.regular(path, uid)?;
        let mut text = Vec::new();
        let read = file.take(limit + 1).read_to_end(&mut text).map_err(|e| e.to_string())?;
        if read as u64 > limit {
            return Err(format!("longer than {} MiB", limit >> 20));
        }
        Ok((text, Stamp::of(&stat)))
    }
}

/// Which state of a file was read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Stamp {
    inode: u64,
    size: i64,
    /// Time of its last change, ns since 1970.
    pub(super) changed: Option<u64>,
}

impl Stamp {
    fn of(stat: &Stat) -> Stamp {
        let seconds = u64::try_from(stat.st_mtime).ok().and_then(|s| s.checked_mul(1_000_000_000));
        let changed = seconds.and_then(|s| s.checked_add(stat.st_mtime_nsec));
        Stamp { inode: stat.st_ino, size: stat.st_size, changed }
    }
}

/// One look-up: how long it may take, and what it found where.
pub(super) struct Look<'a> {
    pub(super) host: &'a Host,
    until: Instant,
    notes: Vec<Said>,
}

impl<'a> Look<'a> {
    pub(super) fn new(host: &'a Host, until: Instant) -> Look<'a> {
        Look { host, until, notes: Vec::new() }
    }

    /// Notes what a source said.
    pub(super) fn note(&mut self, source: impl Into<String>, said: impl Into<String>) {
        if self.notes.len() < NOTES {
            self.notes.push(Said { source: source.into(), said: said.into() });
        }
    }

    /// Everything that was noted.
    pub(super) fn said(self) -> Vec<Said> {
        self.notes
    }

    /// A database that a runtime of `uid` keeps; whoever reads it notes what it said.
    pub(super) fn database(&mut self, path: &Path, uid: u32) -> Option<Bolt> {
        match self.host.regular(path, uid) {
            Ok((file, _)) => Some(Bolt::new(file, self.until)),
            Err(e) => {
                self.note(path.to_string_lossy(), e);
                None
            }
        }
    }

    /// When the look ends.
    pub(super) fn until(&self) -> Instant {
        self.until
    }

    /// Whether the time is over.
    pub(super) fn late(&self) -> bool {
        Instant::now() >= self.until
    }

    /// The contents of a file that a runtime of `uid` keeps.
    pub(super) fn file(&mut self, path: &Path, uid: u32, limit: u64) -> Option<(Vec<u8>, Stamp)> {
        let got = if self.late() { Err("no time left".to_owned()) } else { self.host.read(path, uid, limit) };
        let said = match &got {
            Ok((text, _)) => format!("read, {} bytes", text.len()),
            Err(e) => e.clone(),
        };
        self.note(path.to_string_lossy(), said);
        got.ok()
    }

    /// A file that holds one JSON object.
    pub(super) fn json(&mut self, path: &Path, uid: u32) -> Option<(Value, Stamp)> {
        let (text, stamp) = self.file(path, uid, LIMIT)?;
        Some((self.parsed(path, &text)?, stamp))
    }

    /// The JSON of a file that was read.
    pub(super) fn parsed(&mut self, path: &Path, text: &[u8]) -> Option<Value> {
        // It goes 128 levels deep at most, so that no file exhausts the stack.
        match serde_json::from_slice(text) {
            Ok(value) => Some(value),
            Err(e) => {
                self.note(path.to_string_lossy(), format!("not JSON: {e}"));
                None
            }
        }
    }
}

/// A path made of bytes.
pub(super) fn path(bytes: &[u8]) -> PathBuf {
    PathBuf::from(OsStr::from_bytes(bytes))
}
