//! /proc: what a process is and has open.
//!
//! Enters: a pid. Leaves: descriptions, as far as /proc gives them. Never: a failure that stops anything (processes come
//! and go; what cannot be read is not known), an unbounded read (names are the traced side's choice).

use std::cell::{Cell, OnceCell, RefCell};
use std::ffi::{CStr, OsStr};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use hashbrown::{HashMap, HashSet};
use rustc_hash::FxHashMap;
use rustix::fs::{AtFlags, Statx, StatxFlags};

use super::families;
use super::groups::{self, Groups};
use super::layers::{self, Layer};
use super::made;
use super::net::NetTables;
use super::proc_dir::{OpenDir, ProcDir, room};
use super::proc_text::{Part, Stat, anon_kind, inside, kind_of_mode, number, parse_flags, parse_status};
use super::tables::{FileDesc, FileEntity, ProcDesc, ProcEntity, Text, ask};
use crate::batch::{FileKind, file_flags, proc_flags};
use crate::schema::place;

/// Most bytes kept of a command line.
const MAX_ARGS: usize = 4096;
/// Most bytes kept of an environment.
const MAX_ENV: usize = 16 << 10;
/// How often the name of a file is asked for.
const ASK_MAX: u8 = 8;
/// Clock ticks a second as /proc counts them: USER_HZ is 100 on x86_64 and aarch64.
pub const TICK_NS: u64 = 10_000_000;

/// A start time in the resolution of /proc, in which it identifies a process.
pub fn to_tick(ns: u64) -> u64 {
    ns / TICK_NS * TICK_NS
}

/// /proc, wherever it is mounted.
pub struct ProcFs {
    root: PathBuf,
    /// Environments are read too.
    env: bool,
    net: FxHashMap<u64, NetTables>,
    /// The inode of our own network namespace.
    own_net: OnceCell<Option<u64>>,
    shared: RefCell<Shared>,
    /// Room for what is read, kept from file to file.
    room: RefCell<Vec<u8>>,
    /// The hierarchy of [`Groups::other`]; 0 if there is none, or none was met yet.
    hierarchy: Cell<u32>,
    /// Paths of control groups are told as the kernel's hooks tell them: we are in the first of their namespaces.
    whole: bool,
}

/// What many processes have in common: each once.
#[derive(Default)]
struct Shared {
    texts: HashSet<Text>,
    /// What files `cgroup` of /proc say, by their bytes.
    groups: HashMap<Text, Groups>,
}

/// So many of what processes have in common are kept at most.
const SHARED: usize = 16384;

impl Shared {
    fn text(&mut self, bytes: &[u8]) -> Text {
        if let Some(known) = self.texts.get(bytes) {
            return known.clone();
        }
        let new = Text::from(bytes);
        if self.texts.len() >= SHARED {
            self.texts.clear();
        }
        self.texts.insert(new.clone());
        new
    }
}

/// An open descriptor as /proc shows it.
pub struct OpenFd {
    /// Its number.
    pub fd: u32,
    /// What it refers to.
    pub desc: FileDesc,
    /// Closed by exec.
    pub cloexec: bool,
}

/// What is asked of the file of a program.
const EXECUTABLE: StatxFlags = StatxFlags::TYPE
    .union(StatxFlags::MODE)
    .union(StatxFlags::UID)
    .union(StatxFlags::GID)
    .union(StatxFlags::INO)
    .union(StatxFlags::CTIME)
    .union(StatxFlags::MTIME);

fn dev_of(s: &Statx) -> u32 {
    s.stx_dev_major << 20 | s.stx_dev_minor
}

impl ProcFs {
    /// /proc at `root`.
    pub fn new(root: impl Into<PathBuf>) -> ProcFs {
        // PROC_CGROUP_INIT_INO (include/linux/proc_ns.h).
        let whole = rustix::fs::stat("/proc/self/ns/cgroup").is_ok_and(|s| s.st_ino == 0xEFFF_FFFB);
        ProcFs {
            root: root.into(),
            env: false,
            net: FxHashMap::default(),
            own_net: OnceCell::new(),
            shared: RefCell::default(),
            room: RefCell::default(),
            hierarchy: Cell::new(0),
            whole,
        }
    }

    /// Reads environments too. They hold secrets, so only if somebody asked for that.
    pub fn read_environments(&mut self) {
        self.env = true;
    }

    /// Every process there is now.
    pub fn pids(&self) -> Vec<u32> {
        let Ok(dir) = std::fs::read_dir(&self.root) else { return Vec::new() };
        dir.flatten().filter_map(|e| e.file_name().to_str()?.parse().ok()).collect()
    }

    /// The directory of a process.
    pub fn open(&self, pid: u32) -> Option<ProcDir> {
        ProcDir::open(&self.root, pid)
    }

    fn text(&self, bytes: &[u8]) -> Text {
        self.shared.borrow_mut().text(bytes)
    }

    /// The root of a process, if that is another directory than ours.
    fn root_of<'a>(&self, dir: &'a ProcDir) -> Option<&'a Text> {
        let ask = || {
            let mut room = room();
            dir.link(c"root", &mut room).filter(|root| *root != b"/").map(|root| self.text(root))
        };
        dir.root.get_or_init(ask).as_ref()
    }

    /// Where a link of a process leads, as it sees that itself.
    fn link(&self, dir: &ProcDir, name: &CStr) -> Option<Text> {
        let mut room = room();
        let target = dir.link(name, &mut room)?;
        Some(self.text(inside(self.root_of(dir), target)))
    }

    /// True if there is such a process now, alive or a zombie.
    pub fn exists(&self, pid: u32) -> bool {
        self.open(pid).is_some()
    }

    /// What `stat` says of a process: here that is asked.
    fn stat<T>(&self, dir: &ProcDir, what: impl FnOnce(&Stat<'_>) -> T) -> Option<T> {
        let mut room = self.room.borrow_mut();
        let stat = Stat::parse(dir.read(c"stat", &mut room)?)?;
        Some(what(&stat))
    }

    /// How many threads it has.
    pub fn threads(&self, dir: &ProcDir) -> Option<u32> {
        self.stat(dir, |stat| stat.threads)
    }

    /// The parent that a process has now. `None` if it is not the one that started then.
    pub fn parent(&self, pid: u32, start: u64) -> Option<u32> {
        let (now, parent) = self.stat(&self.open(pid)?, |stat| (stat.start, stat.ppid))?;
        (now == start).then_some(parent)
    }

    /// What the process with this number is. `None` if there is none.
    pub fn process(&self, pid: u32) -> Option<ProcDesc> {
        self.process_in(&self.open(pid)?)
    }

    /// What a process is. `None` if it is gone.
    pub fn process_in(&self, dir: &ProcDir) -> Option<ProcDesc> {
        let mut d = self.stat(dir, |stat| ProcDesc {
            pid: dir.pid,
            ppid: stat.ppid,
            start: stat.start,
            comm: Some(self.text(stat.comm)),
            sid: stat.sid,
            pgid: stat.pgid,
            tty: stat.tty,
            loginuid: u32::MAX,
            // PF_KTHREAD (include/linux/sched.h).
            flags: if stat.flags & 0x0020_0000 != 0 { proc_flags::KERNEL } else { 0 },
            ..unknown_ids()
        })?;
        {
            let mut room = self.room.borrow_mut();
            if let Some(status) = dir.read(c"status", &mut room) {
                parse_status(status, Part::All, &mut d);
            }
            if let Some(mut args) = dir.read(c"cmdline", &mut room) {
                if let Some(kept) = args.get(..MAX_ARGS).filter(|kept| kept.len() < args.len()) {
                    args = kept;
                    d.flags |= proc_flags::ARGS_CUT;
                }
                d.args = Some(self.text(args));
            }
        }
        d.exepath = self.link(dir, c"exe");
        self.program(dir, &mut d);
        self.executable(Some(dir), &mut d);
        d.cwd = self.link(dir, c"cwd");
        if let Some(groups) = self.groups(dir) {
            d.set_groups(groups);
        }
        if self.elsewhere(dir) == Some(true) {
            d.flags |= proc_flags::ELSEWHERE;
        }
        Some(d)
    }

    /// Whether a process is in another user namespace than the host's.
    fn elsewhere(&self, dir: &ProcDir) -> Option<bool> {
        let mut room = room();
        // PROC_USER_INIT_INO (include/linux/proc_ns.h).
        dir.link(c"ns/user", &mut room).map(|name| name != b"user:[4026531837]")
    }

    /// The control groups that a process is in now.
    fn groups(&self, dir: &ProcDir) -> Option<Groups> {
        let mut room = self.room.borrow_mut();
        let file = dir.read(c"cgroup", &mut room)?;
        let shared = &mut *self.shared.borrow_mut();
        if let Some(known) = shared.groups.get(file) {
            return Some(known.clone());
        }
        let (groups, hierarchy) = groups::parse(file);
        if let Some(hierarchy) = hierarchy {
            self.hierarchy.set(hierarchy);
        }
        if shared.groups.len() >= SHARED {
            shared.groups.clear();
        }
        shared.groups.insert(Text::from(file), groups.clone());
        Some(groups)
    }

    /// The hierarchy of version 1 whose paths count, if there is one.
    pub fn other_hierarchy(&self) -> Option<u32> {
        Some(self.hierarchy.get()).filter(|h| *h != 0)
    }

    /// True if a path of a control group that a record tells is what /proc would say.
    pub fn sees_whole_paths(&self) -> bool {
        self.whole
    }

    /// What belongs to the program that a process runs, and no record tells: the audit user, which is set between login and
    /// the first program; the environment, if it is wanted and the exec was not seen.
    fn program(&self, dir: &ProcDir, d: &mut ProcDesc) {
        let mut room = self.room.borrow_mut();
        if let Some(uid) = dir.read(c"loginuid", &mut room) {
            d.loginuid = number(uid).unwrap_or(u32::MAX);
        }
        if self.env
            && d.env.is_none()
            && let Some(mut env) = dir.read(c"environ", &mut room)
        {
            d.flags &= !proc_flags::ENV_CUT;
            if let Some(kept) = env.get(..MAX_ENV).filter(|kept| kept.len() < env.len()) {
                env = kept;
                d.flags |= proc_flags::ENV_CUT;
            }
            d.env = Some(Text::from(env));
        }
    }

    /// When the file of the program changed, and who may write to it. What it is was told by a record; here it is looked
    /// for by the process's link, or where that is gone by its path, and believed only if it is the same.
    fn executable(&self, dir: Option<&ProcDir>, d: &mut ProcDesc) {
        let same_file = |s: &Statx| (dev_of(s), s.stx_ino) == (d.exe_dev, d.exe_ino);
        let by_link = dir.and_then(|dir| {
            let found = dir.behind(c"exe", EXECUTABLE)?;
            // A layered file system shows other numbers.
            let same = d.exe_ino == 0 || same_file(&found) || d.exepath == self.link(dir, c"exe");
            same.then_some(found)
        });
        let found = by_link.or_else(|| {
            let path = Path::new(OsStr::from_bytes(d.exepath.as_deref()?));
            // A look, never a mount.
            let flags = AtFlags::NO_AUTOMOUNT | AtFlags::STATX_DONT_SYNC;
            let found = rustix::fs::statx(rustix::fs::CWD, path, flags, EXECUTABLE).ok();
            found.filter(|found| path.is_absolute() && same_file(found))
        });
        let Some(found) = found else { return };
        if let (Some(dir), Some(path)) = (dir, &d.exepath) {
            d.flags |= match layers::layer(&self.root, dir, path, &found) {
                Layer::None => 0,
                Layer::Upper => proc_flags::EXE_UPPER,
                Layer::Lower => proc_flags::EXE_LOWER,
                Layer::Unknown => proc_flags::EXE_UPPER | proc_flags::EXE_LOWER,
            };
        }
        if d.exe_ino == 0 {
            (d.exe_dev, d.exe_ino) = (dev_of(&found), found.stx_ino);
        }
        d.exe_ctime = nanoseconds(found.stx_ctime.tv_sec, found.stx_ctime.tv_nsec.into());
        d.exe_mtime = nanoseconds(found.stx_mtime.tv_sec, found.stx_mtime.tv_nsec.into());
        d.flags |= proc_flags::EXE_SEEN;
        if may_write(d, found.stx_mode.into(), found.stx_uid, found.stx_gid) {
            d.flags |= proc_flags::EXE_WRITABLE;
        }
    }

    /// Reads what no record told of a process since its last entry.
    pub fn complete(&self, proc: &ProcEntity, lives: bool) {
        let what = proc.ask.replace(0);
        let mut d = proc.desc.borrow_mut();
        let dir = if lives { self.open(d.pid) } else { None };
        let dir = dir.as_ref();
        if what & ask::CAPS != 0 {
            d.flags &= !proc_flags::CAPS;
        }
        if what & (ask::ID | ask::CAPS) != 0
            && let Some(dir) = dir
            && let Some(status) = dir.read(c"status", &mut self.room.borrow_mut())
        {
            parse_status(status, Part::Untold, &mut d);
        }
        if what & ask::GROUPS != 0 {
            match dir.and_then(|dir| self.groups(dir)) {
                Some(groups) => d.set_groups(groups),
                None => d.flags |= proc_flags::UNCERTAIN,
            }
        }
        if what & ask::PROGRAM != 0 {
            d.flags &= !(proc_flags::EXE_SEEN
                | proc_flags::EXE_WRITABLE
                | proc_flags::EXE_UPPER
                | proc_flags::EXE_LOWER);
            (d.exe_ctime, d.exe_mtime) = (0, 0);
            if let Some(dir) = dir {
                self.program(dir, &mut d);
            }
            self.executable(dir, &mut d);
        }
    }

    /// What a process has open.
    pub fn fds(&mut self, dir: &ProcDir) -> Vec<OpenFd> {
        let mut open = Vec::new();
        let (mut room, mut bytes) = (room(), self.room.take());
        dir.each_fd(|fd, of| {
            let Some(target) = of.link(fd, &mut room) else { return };
            let mut desc = self.describe(dir, of, fd, target);
            let flags = of.info(fd, &mut bytes).and_then(parse_flags);
            desc.flags |= flags.map_or(0, made::access);
            // O_CLOEXEC is 02000000 on every architecture we know.
            open.push(OpenFd { fd, desc, cloexec: flags.is_some_and(|f| f & 0o2000000 != 0) });
        });
        self.room.replace(bytes);
        open
    }

    /// Asks for the name of a file for which the kernel has one only when it is asked. True if it is known.
    pub fn finds(&self, file: &FileEntity, pid: u32, fd: u32) -> bool {
        let ino = {
            let d = file.desc.borrow();
            if d.flags & file_flags::UNNAMED == 0 {
                return true;
            }
            d.ino
        };
        if ino == 0 {
            return false;
        }
        // It may have been closed by now, and its copies too.
        if file.asked.replace(file.asked.get().saturating_add(1)) >= ASK_MAX {
            return false;
        }
        let found = self.name_of(pid, fd, ino);
        if let Some(name) = &found {
            file.change(|d| {
                d.flags &= !file_flags::UNNAMED;
                if d.kind == FileKind::File
                    && let Some(what) = name.strip_prefix(b"anon_inode:")
                {
                    d.kind = anon_kind(what);
                }
                d.name = Some(name.clone());
            });
        }
        found.is_some()
    }

    /// The name of an open file, if its inode is still this one.
    fn name_of(&self, pid: u32, fd: u32, ino: u64) -> Option<Text> {
        let path = self.root.join(format!("{pid}/fd/{fd}"));
        let target = std::fs::read_link(&path).ok()?;
        let (flags, mask) = (AtFlags::STATX_DONT_SYNC, StatxFlags::INO);
        let stat = rustix::fs::statx(rustix::fs::CWD, &path, flags, mask).ok()?;
        (stat.stx_ino == ino).then(|| Text::from(target.as_os_str().as_bytes()))
    }

    /// What one link of /proc/PID/fd stands for.
    fn describe(&mut self, dir: &ProcDir, of: &OpenDir<'_>, fd: u32, target: &[u8]) -> FileDesc {
        let inode =
            |prefix: &[u8]| -> Option<u64> { number(target.strip_prefix(prefix)?.strip_suffix(b"]")?) };
        let socket = inode(b"socket:[");
        if let Some(found) = socket.and_then(|ino| self.socket(dir, ino)) {
            return found;
        }
        let name = inside(self.root_of(dir), target);
        let mut d = FileDesc { name: Some(self.text(name)), ..FileDesc::default() };
        if let Some(ino) = socket {
            // In no table: it is bound to nothing, or of another family.
            let (mut name, path) = ([0; 32], self.root.join(format!("{}/fd/{fd}", dir.pid)));
            let n = rustix::fs::getxattr(path, c"system.sockprotoname", &mut name[..]).unwrap_or(0);
            (d.kind, d.l4) = families::kind_of_protocol(name.get(..n).unwrap_or_default());
            (d.name, d.ino) = (None, ino);
            return d;
        }
        if let Some(ino) = inode(b"pipe:[") {
            (d.kind, d.ino) = (FileKind::Pipe, ino);
            return d;
        }
        if let Some(what) = target.strip_prefix(b"anon_inode:") {
            d.kind = anon_kind(what);
            return d;
        }
        if target.starts_with(b"/memfd:") {
            d.kind = FileKind::Memfd;
        } else if target.starts_with(b"/dmabuf:") {
            d.kind = FileKind::Dmabuf;
        }
        if let Some(found) = of.behind(fd, StatxFlags::TYPE | StatxFlags::INO) {
            (d.dev, d.ino) = (dev_of(&found), found.stx_ino);
            if d.kind == FileKind::Unknown {
                d.kind = kind_of_mode(found.stx_mode.into());
            }
        }
        d
    }

    /// Where a process works, what it runs, and its root if that is another than ours: by [`place`]. What is not known of
    /// them is looked for.
    pub fn places(&self, d: &ProcDesc) -> Vec<(i32, FileDesc)> {
        let dir = self.open(d.pid);
        let file = |kind, name: Option<&Text>| {
            let name = name?.clone();
            Some(FileDesc { kind, name: Some(name), ..FileDesc::default() })
        };
        let root = dir.as_ref().and_then(|dir| self.root_of(dir));
        let all = [
            (place::CWD, c"cwd", file(FileKind::Directory, d.cwd.as_ref())),
            (place::EXE, c"exe", file(FileKind::File, d.exepath.as_ref())),
            (place::ROOT, c"root", file(FileKind::Directory, root)),
        ];
        let found = all.into_iter().filter_map(|(number, link, file)| {
            let mut file = file?;
            match dir.as_ref().and_then(|dir| dir.behind(link, StatxFlags::INO)) {
                Some(found) => (file.dev, file.ino) = (dev_of(&found), found.stx_ino),
                None if number == place::EXE => (file.dev, file.ino) = (d.exe_dev, d.exe_ino),
                None => {}
            }
            Some((number, file))
        });
        found.collect()
    }

    /// The socket with this inode, from the tables of the process's network namespace.
    fn socket(&mut self, dir: &ProcDir, ino: u64) -> Option<FileDesc> {
        let ns = dir.net.get().or_else(|| Some(dir.stat(c"ns/net")?.st_ino))?;
        dir.net.set(Some(ns));
        // The thread's: another may be elsewhere for a moment.
        let own =
            *self.own_net.get_or_init(|| rustix::fs::stat("/proc/thread-self/ns/net").ok().map(|s| s.st_ino));
        self.net.entry(ns).or_default().find(
            &self.root.join(format!("{}/net", dir.pid)),
            own == Some(ns),
            ino,
        )
    }

    /// Forgets the socket tables: they are a snapshot.
    pub fn forget_sockets(&mut self) {
        self.net.clear();
    }

    /// A scan is over: what processes had in common is not looked up any more.
    pub fn forget_shared(&mut self) {
        self.shared.take();
        self.room.take();
    }
}

/// A process of which nothing but the id is known.
pub fn unknown_ids() -> ProcDesc {
    let none = u32::MAX;
    ProcDesc { uid: none, gid: none, ruid: none, rgid: none, loginuid: none, ..ProcDesc::default() }
}

/// Nanoseconds since 1970; 0 for what lies before.
fn nanoseconds(s: i64, ns: i64) -> u64 {
    s.checked_mul(1_000_000_000)
        .and_then(|t| t.checked_add(ns))
        .and_then(|t| u64::try_from(t).ok())
        .unwrap_or(0)
}

/// Whether a process's user may write to a file, by its mode; root may.
fn may_write(d: &ProcDesc, mode: u32, uid: u32, gid: u32) -> bool {
    d.uid == 0
        || mode & 0o002 != 0
        || (d.uid == uid && mode & 0o200 != 0)
        || (d.gid == gid && mode & 0o020 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_read_as_it_is() {
        let mut proc = ProcFs::new("/proc");
        let me = proc.process(std::process::id()).expect("this process");
        assert_eq!(me.uid, rustix::process::geteuid().as_raw());
        assert_eq!(me.sid, rustix::process::getsid(None).expect("session").as_raw_nonzero().get() as u32);
        assert_eq!(
            me.exepath.as_deref(),
            std::env::current_exe().ok().map(|p| p.as_os_str().as_bytes().to_vec()).as_deref()
        );
        let file = std::fs::File::open("/proc/self/status").expect("a file");
        let n = std::os::fd::AsRawFd::as_raw_fd(&file) as u32;
        let dir = proc.open(std::process::id()).expect("this process");
        let open = proc.fds(&dir);
        let mine = open.iter().find(|o| o.fd == n).expect("the descriptor");
        assert!(mine.cloexec);
        assert_eq!(mine.desc.kind, FileKind::File);
    }
}
