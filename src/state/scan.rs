//! /proc: what a process is and has open.
//!
//! Enters: a pid. Leaves: descriptions, as far as /proc gives them. Never: a failure that stops anything (processes come
//! and go; what cannot be read is not known), an unbounded read (names are the traced side's choice).

use std::cell::Cell;
use std::fs::File;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustc_hash::FxHashMap;
use rustix::fs::{AtFlags, StatxFlags};

use super::groups::{self, Groups};
use super::made;
use super::net::NetTables;
use super::tables::{FileDesc, FileEntity, ProcDesc, ProcEntity, Text, ask};
use crate::batch::{FileKind, file_flags, proc_flags};
use crate::schema::place;

/// Most bytes read of one file of /proc.
const MAX_READ: usize = 1 << 20;
/// Most bytes kept of a command line.
const MAX_ARGS: usize = 4096;
/// Most bytes kept of an environment.
const MAX_ENV: usize = 16 << 10;
/// How often the name of a file is asked for.
const ASK_MAX: u8 = 8;
/// Clock ticks a second as /proc counts them: USER_HZ is 100 on x86_64 and aarch64.
const TICK_NS: u64 = 10_000_000;

/// A start time in the resolution of /proc, in which it identifies a process.
pub fn to_tick(ns: u64) -> u64 {
    ns / TICK_NS * TICK_NS
}

/// A device number as `stat` gives it, in the kernel's own encoding.
pub fn kernel_dev(st_dev: u64) -> u32 {
    (rustix::fs::major(st_dev) << 20) | rustix::fs::minor(st_dev)
}

/// /proc, wherever it is mounted.
pub struct ProcFs {
    root: PathBuf,
    /// Environments are read too.
    env: bool,
    net: FxHashMap<u64, NetTables>,
    /// The hierarchy of [`Groups::other`]; 0 if there is none, or none was met yet.
    hierarchy: Cell<u32>,
    /// Paths of control groups are told as the kernel's hooks tell them: we are in the first of their namespaces.
    whole: bool,
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

/// Reads a file of a process. Each is written whole when it is asked for (single_open in fs/proc), so that a read that does
/// not fill its room was the last: a process costs a read a file, and the scan of a host is made of nothing else.
fn read(path: &Path) -> Option<Vec<u8>> {
    let mut file = File::open(path).ok()?;
    let (mut out, mut room) = (Vec::new(), [0; 4096]);
    loop {
        match file.read(&mut room) {
            Ok(n) => {
                out.extend_from_slice(room.get(..n)?);
                if n < room.len() || out.len() >= MAX_READ {
                    return Some(out);
                }
            }
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
            Err(_) => return None,
        }
    }
}

fn text(bytes: &[u8]) -> Option<Text> {
    Some(Text::from(bytes))
}

fn number<T: std::str::FromStr>(bytes: &[u8]) -> Option<T> {
    std::str::from_utf8(bytes).ok()?.trim().parse().ok()
}

/// The name in `/proc/PID/stat`, and the part behind it: state, ppid, pgrp, session, tty, … start time.
struct Stat {
    comm: Option<Text>,
    ppid: u32,
    pgid: u32,
    sid: u32,
    tty: u32,
    flags: u64,
    threads: u32,
    start: u64,
}

fn parse_stat(bytes: &[u8]) -> Option<Stat> {
    // The name may hold anything, blanks and parentheses too: the last parenthesis ends it.
    let close = bytes.iter().rposition(|b| *b == b')')?;
    let fields: Vec<&[u8]> = bytes.get(close + 2..)?.split(|b| *b == b' ').collect();
    let get = |i: usize| -> Option<i64> { number(fields.get(i)?) };
    let open = bytes.iter().position(|b| *b == b'(')?;
    Some(Stat {
        comm: bytes.get(open + 1..close).and_then(text),
        ppid: get(1)? as u32,
        pgid: get(2)? as u32,
        sid: get(3)? as u32,
        tty: get(4)? as u32,
        flags: get(6)? as u64,
        threads: get(17)? as u32,
        start: (get(19)? as u64).saturating_mul(TICK_NS),
    })
}

impl ProcFs {
    /// /proc at `root`.
    pub fn new(root: impl Into<PathBuf>) -> ProcFs {
        // PROC_CGROUP_INIT_INO (include/linux/proc_ns.h).
        let whole = rustix::fs::stat("/proc/self/ns/cgroup").is_ok_and(|s| s.st_ino == 0xEFFF_FFFB);
        ProcFs { root: root.into(), env: false, net: FxHashMap::default(), hierarchy: Cell::new(0), whole }
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

    fn of(&self, pid: u32, name: &str) -> PathBuf {
        self.root.join(pid.to_string()).join(name)
    }

    fn link(&self, pid: u32, name: &str) -> Option<Text> {
        let target = std::fs::read_link(self.of(pid, name)).ok()?;
        text(target.as_os_str().as_bytes())
    }

    /// The root of a process, if that is another directory than ours.
    fn root_of(&self, pid: u32) -> Option<Text> {
        self.link(pid, "root").filter(|root| &**root != b"/")
    }

    /// True if there is such a process now, alive or a zombie.
    pub fn exists(&self, pid: u32) -> bool {
        self.of(pid, "stat").exists()
    }

    /// How many threads it has.
    pub fn threads(&self, pid: u32) -> Option<u32> {
        Some(parse_stat(&read(&self.of(pid, "stat"))?)?.threads)
    }

    /// The parent that a process has now. `None` if it is not the one that started then.
    pub fn parent(&self, pid: u32, start: u64) -> Option<u32> {
        let stat = parse_stat(&read(&self.of(pid, "stat"))?)?;
        (stat.start == start).then_some(stat.ppid)
    }

    /// What a process is. `None` if there is no such process.
    pub fn process(&self, pid: u32) -> Option<ProcDesc> {
        let stat = parse_stat(&read(&self.of(pid, "stat"))?)?;
        let mut d = ProcDesc {
            pid,
            ppid: stat.ppid,
            start: stat.start,
            comm: stat.comm,
            sid: stat.sid,
            pgid: stat.pgid,
            tty: tty_dev(stat.tty),
            loginuid: u32::MAX,
            ..unknown_ids()
        };
        // PF_KTHREAD (include/linux/sched.h).
        if stat.flags & 0x0020_0000 != 0 {
            d.flags |= proc_flags::KERNEL;
        }
        if let Some(status) = read(&self.of(pid, "status")) {
            parse_status(&status, &mut d);
        }
        if let Some(mut args) = read(&self.of(pid, "cmdline")) {
            if args.len() > MAX_ARGS {
                args.truncate(MAX_ARGS);
                d.flags |= proc_flags::ARGS_CUT;
            }
            d.args = text(&args);
        }
        let root = self.root_of(pid);
        let link = |name| self.link(pid, name).map(|path| inside(root.as_ref(), path));
        d.exepath = link("exe");
        self.program(&mut d);
        self.executable(&mut d, true);
        d.cwd = link("cwd");
        if let Some(groups) = self.groups(pid) {
            d.set_groups(groups);
        }
        if self.elsewhere(pid) == Some(true) {
            d.flags |= proc_flags::ELSEWHERE;
        }
        Some(d)
    }

    /// Whether a process is in another user namespace than the host's.
    fn elsewhere(&self, pid: u32) -> Option<bool> {
        // PROC_USER_INIT_INO (include/linux/proc_ns.h).
        self.link(pid, "ns/user").map(|name| &*name != b"user:[4026531837]")
    }

    /// The control groups that a process is in now.
    fn groups(&self, pid: u32) -> Option<Groups> {
        let (groups, hierarchy) = groups::parse(&read(&self.of(pid, "cgroup"))?);
        if let Some(hierarchy) = hierarchy {
            self.hierarchy.set(hierarchy);
        }
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
    fn program(&self, d: &mut ProcDesc) {
        if let Some(uid) = read(&self.of(d.pid, "loginuid")) {
            d.loginuid = number(&uid).unwrap_or(u32::MAX);
        }
        if self.env
            && d.env.is_none()
            && let Some(mut env) = read(&self.of(d.pid, "environ"))
        {
            d.flags &= !proc_flags::ENV_CUT;
            if env.len() > MAX_ENV {
                env.truncate(MAX_ENV);
                d.flags |= proc_flags::ENV_CUT;
            }
            d.env = text(&env);
        }
    }

    /// When the file of the program changed, and who may write to it. What it is was told by a record; here it is looked
    /// for by the process's link, or where that is gone by its path, and believed only if it is the same.
    fn executable(&self, d: &mut ProcDesc, lives: bool) {
        let link = if lives { rustix::fs::stat(self.of(d.pid, "exe")).ok() } else { None };
        let same_file = |s: &rustix::fs::Stat| (kernel_dev(s.st_dev), s.st_ino) == (d.exe_dev, d.exe_ino);
        let by_link = link.filter(|stat| {
            d.exe_ino == 0
                || same_file(stat)
                // A layered file system shows other numbers.
                || self.link(d.pid, "exe").is_some_and(|link| {
                    let root = self.root_of(d.pid);
                    d.exepath == Some(inside(root.as_ref(), link))
                })
        });
        let found = by_link.or_else(|| {
            let path = Path::new(std::ffi::OsStr::from_bytes(d.exepath.as_deref()?));
            // A look, never a mount.
            let stat = rustix::fs::statat(rustix::fs::CWD, path, rustix::fs::AtFlags::NO_AUTOMOUNT).ok();
            stat.filter(|stat| path.is_absolute() && same_file(stat))
        });
        let Some(stat) = found else { return };
        if d.exe_ino == 0 {
            (d.exe_dev, d.exe_ino) = (kernel_dev(stat.st_dev), stat.st_ino);
        }
        d.exe_ctime = nanoseconds(stat.st_ctime, stat.st_ctime_nsec as i64);
        d.exe_mtime = nanoseconds(stat.st_mtime, stat.st_mtime_nsec as i64);
        d.flags |= proc_flags::EXE_SEEN;
        if may_write(d, stat.st_mode, stat.st_uid, stat.st_gid) {
            d.flags |= proc_flags::EXE_WRITABLE;
        }
    }

    /// Reads what no record told of a process since its last entry.
    pub fn complete(&self, proc: &ProcEntity, lives: bool) {
        let what = proc.ask.replace(0);
        let mut d = proc.desc.borrow_mut();
        let status =
            if lives && what & (ask::ID | ask::CAPS) != 0 { read(&self.of(d.pid, "status")) } else { None };
        if what & ask::CAPS != 0 {
            d.flags &= !proc_flags::CAPS;
        }
        if let Some(status) = status {
            parse_inside(&status, &mut d);
        }
        if what & ask::GROUPS != 0 {
            match self.groups(d.pid).filter(|_| lives) {
                Some(groups) => d.set_groups(groups),
                None => d.flags |= proc_flags::UNCERTAIN,
            }
        }
        if what & ask::PROGRAM != 0 {
            d.flags &= !(proc_flags::EXE_SEEN | proc_flags::EXE_WRITABLE);
            (d.exe_ctime, d.exe_mtime) = (0, 0);
            if lives {
                self.program(&mut d);
            }
            self.executable(&mut d, lives);
        }
    }

    /// What a process has open.
    pub fn fds(&mut self, pid: u32) -> Vec<OpenFd> {
        let Ok(dir) = std::fs::read_dir(self.of(pid, "fd")) else { return Vec::new() };
        let mut open = Vec::new();
        let root = self.root_of(pid);
        for entry in dir.flatten() {
            let name = entry.file_name();
            let Some(fd) = name.to_str().and_then(|n| n.parse::<u32>().ok()) else { continue };
            let path = entry.path();
            let Ok(target) = std::fs::read_link(&path) else { continue };
            let mut desc = self.describe(pid, &path, target.as_os_str().as_bytes());
            desc.name = desc.name.map(|name| inside(root.as_ref(), name));
            let flags = read(&self.of(pid, "fdinfo").join(&name)).and_then(|info| parse_flags(&info));
            desc.flags |= flags.map_or(0, made::access);
            // O_CLOEXEC is 02000000 on every architecture we know.
            open.push(OpenFd { fd, desc, cloexec: flags.is_some_and(|f| f & 0o2000000 != 0) });
        }
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
        let path = self.of(pid, "fd").join(fd.to_string());
        let target = std::fs::read_link(&path).ok()?;
        let (flags, mask) = (AtFlags::STATX_DONT_SYNC, StatxFlags::INO);
        let stat = rustix::fs::statx(rustix::fs::CWD, &path, flags, mask).ok()?;
        (stat.stx_ino == ino).then(|| Text::from(target.as_os_str().as_bytes()))
    }

    /// What one link of /proc/PID/fd stands for.
    fn describe(&mut self, pid: u32, path: &Path, target: &[u8]) -> FileDesc {
        let mut d = FileDesc { name: text(target), ..FileDesc::default() };
        let inode =
            |prefix: &[u8]| -> Option<u64> { number(target.strip_prefix(prefix)?.strip_suffix(b"]")?) };
        if let Some(ino) = inode(b"socket:[") {
            if let Some(found) = self.socket(pid, ino) {
                return found;
            }
            d.kind = FileKind::Socket;
            d.ino = ino;
            return d;
        }
        if let Some(ino) = inode(b"pipe:[") {
            d.kind = FileKind::Pipe;
            d.ino = ino;
            return d;
        }
        if let Some(what) = target.strip_prefix(b"anon_inode:") {
            d.kind = anon_kind(what);
            return d;
        }
        if target.starts_with(b"/memfd:") {
            d.kind = FileKind::Memfd;
        }
        // What is known here will do: a file server that hangs must not hold us too.
        let (flags, mask) = (AtFlags::STATX_DONT_SYNC, StatxFlags::TYPE | StatxFlags::INO);
        if let Ok(stat) = rustix::fs::statx(rustix::fs::CWD, path, flags, mask) {
            d.dev = stat.stx_dev_major << 20 | stat.stx_dev_minor;
            d.ino = stat.stx_ino;
            if d.kind == FileKind::Unknown {
                d.kind = kind_of_mode(stat.stx_mode.into());
            }
        }
        d
    }

    /// Where a process works, what it runs, and its root if that is another than ours: by [`place`]. What is not known of
    /// them is looked for.
    pub fn places(&self, d: &ProcDesc) -> Vec<(i32, FileDesc)> {
        let file = |kind, name: &Option<Text>| {
            let name = name.clone()?;
            Some(FileDesc { kind, name: Some(name), ..FileDesc::default() })
        };
        let root = self.root_of(d.pid);
        let all = [
            (place::CWD, "cwd", file(FileKind::Directory, &d.cwd)),
            (place::EXE, "exe", file(FileKind::File, &d.exepath)),
            (place::ROOT, "root", file(FileKind::Directory, &root)),
        ];
        let found = all.into_iter().filter_map(|(number, link, file)| {
            let mut file = file?;
            let (flags, mask) = (AtFlags::STATX_DONT_SYNC, StatxFlags::INO);
            match rustix::fs::statx(rustix::fs::CWD, self.of(d.pid, link), flags, mask) {
                Ok(stat) => {
                    file.dev = stat.stx_dev_major << 20 | stat.stx_dev_minor;
                    file.ino = stat.stx_ino;
                }
                Err(_) if number == place::EXE => (file.dev, file.ino) = (d.exe_dev, d.exe_ino),
                Err(_) => {}
            }
            Some((number, file))
        });
        found.collect()
    }

    /// The socket with this inode, from the tables of the process's network namespace.
    fn socket(&mut self, pid: u32, ino: u64) -> Option<FileDesc> {
        let ns = rustix::fs::stat(self.of(pid, "ns/net")).ok()?.st_ino;
        let dir = self.of(pid, "net");
        self.net.entry(ns).or_default().find(&dir, ino)
    }

    /// Forgets the socket tables: they are a snapshot.
    pub fn forget_sockets(&mut self) {
        self.net.clear();
    }
}

/// A path as the process with this root sees it: the links of /proc are shown as we see them. What lies outside of the root
/// keeps its name, as where the kernel tells it.
fn inside(root: Option<&Text>, path: Text) -> Text {
    match root.and_then(|root| path.strip_prefix(&**root)) {
        Some(b"") => Text::from(&b"/"[..]),
        Some(rest @ [b'/', ..]) => Text::from(rest),
        _ => path,
    }
}

/// A process of which nothing but the id is known.
pub fn unknown_ids() -> ProcDesc {
    let none = u32::MAX;
    ProcDesc { uid: none, gid: none, ruid: none, rgid: none, loginuid: none, ..ProcDesc::default() }
}

/// /proc/PID/stat gives the terminal in the encoding of `new_encode_dev`; the kernel's own is major << 20 | minor.
fn tty_dev(n: u32) -> u32 {
    ((n >> 8) & 0xfff) << 20 | (n & 0xff) | ((n >> 12) & 0xfff00)
}

fn parse_status(status: &[u8], d: &mut ProcDesc) {
    for line in status.split(|b| *b == b'\n') {
        let ids = |rest: &[u8]| -> Option<(u32, u32)> {
            let mut n = rest.split(|b| *b == b'\t').filter(|p| !p.is_empty()).map(number::<u32>);
            Some((n.next()??, n.next()??))
        };
        if let Some((real, effective)) = line.strip_prefix(b"Uid:").and_then(ids) {
            (d.ruid, d.uid) = (real, effective);
        } else if let Some((real, effective)) = line.strip_prefix(b"Gid:").and_then(ids) {
            (d.rgid, d.gid) = (real, effective);
        } else if let Some(rest) = line.strip_prefix(b"Threads:") {
            d.threads = number(rest).unwrap_or(0);
        }
    }
    parse_inside(status, d);
}

/// The part of `status` that records of calls do not tell.
fn parse_inside(status: &[u8], d: &mut ProcDesc) {
    let mut caps = [None; 3];
    for line in status.split(|b| *b == b'\n') {
        let set = |rest: &[u8]| u64::from_str_radix(std::str::from_utf8(rest).ok()?.trim(), 16).ok();
        if let Some(rest) = line.strip_prefix(b"NSpid:") {
            d.vpid = rest.split(|b| *b == b'\t').filter_map(number::<u32>).next_back().unwrap_or(0);
        } else if let Some(rest) = line.strip_prefix(b"CapPrm:") {
            caps[0] = set(rest);
        } else if let Some(rest) = line.strip_prefix(b"CapInh:") {
            caps[1] = set(rest);
        } else if let Some(rest) = line.strip_prefix(b"CapEff:") {
            caps[2] = set(rest);
        }
    }
    if let [Some(permitted), Some(inheritable), Some(effective)] = caps {
        d.caps = [permitted, inheritable, effective];
        d.flags |= proc_flags::CAPS;
    }
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

/// `flags:` of fdinfo, as those of open, is octal.
fn parse_flags(info: &[u8]) -> Option<u64> {
    let line = info.split(|b| *b == b'\n').find_map(|l| l.strip_prefix(b"flags:"))?;
    u64::from_str_radix(std::str::from_utf8(line).ok()?.trim(), 8).ok()
}

/// What an anonymous inode is, by the name that /proc shows.
pub fn anon_kind(name: &[u8]) -> FileKind {
    match name {
        b"[eventfd]" => FileKind::Event,
        b"[eventpoll]" => FileKind::Epoll,
        b"[signalfd]" => FileKind::Signal,
        b"[timerfd]" => FileKind::Timer,
        b"inotify" | b"[inotify]" => FileKind::Inotify,
        b"[fanotify]" => FileKind::Fanotify,
        b"[pidfd]" => FileKind::Pidfd,
        b"[io_uring]" => FileKind::IoUring,
        b"[perf_event]" => FileKind::Perf,
        b"[userfaultfd]" => FileKind::Userfault,
        n if n.starts_with(b"bpf") || n.starts_with(b"[bpf") => FileKind::Bpf,
        _ => FileKind::Anon,
    }
}

/// The kind by the type bits of a mode.
pub fn kind_of_mode(mode: u32) -> FileKind {
    match mode & 0o170000 {
        0o100000 => FileKind::File,
        0o040000 => FileKind::Directory,
        0o020000 | 0o060000 => FileKind::Device,
        0o010000 => FileKind::Pipe,
        0o140000 => FileKind::Socket,
        0o120000 => FileKind::Symlink,
        _ => FileKind::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_parentheses_does_not_fool_the_parser() {
        let s = parse_stat(b"42 (a) R 7 (b)) S 10 11 12 34816 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 123 1 1\n")
            .expect("stat");
        assert_eq!(s.comm.as_deref(), Some(&b"a) R 7 (b)"[..]));
        assert_eq!((s.ppid, s.pgid, s.sid, s.start), (10, 11, 12, 123 * TICK_NS));
        assert!(parse_stat(b"42 (x").is_none());
        assert!(parse_stat(b"").is_none());
    }

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
        let file = File::open("/proc/self/status").expect("a file");
        let n = std::os::fd::AsRawFd::as_raw_fd(&file) as u32;
        let open = proc.fds(std::process::id());
        let mine = open.iter().find(|o| o.fd == n).expect("the descriptor");
        assert!(mine.cloexec);
        assert_eq!(mine.desc.kind, FileKind::File);
    }

    #[test]
    fn paths_are_those_that_a_process_sees() {
        let cut = |root: &str, path: &str| {
            let text = |s: &str| Text::from(s.as_bytes());
            String::from_utf8(inside(Some(&text(root)), text(path)).to_vec()).unwrap()
        };
        assert_eq!(cut("/srv/jail", "/srv/jail/etc/passwd"), "/etc/passwd");
        assert_eq!(cut("/srv/jail", "/srv/jail"), "/");
        assert_eq!(cut("/srv/jail", "/srv/jailer/x"), "/srv/jailer/x");
        assert_eq!(cut("/srv/jail", "/etc/passwd"), "/etc/passwd");
        assert_eq!(cut("/srv/jail", "pipe:[7]"), "pipe:[7]");
        assert_eq!(&*inside(None, Text::from(&b"/x"[..])), b"/x");
    }

    #[test]
    fn terminals_are_numbered_as_the_kernel_does() {
        // /dev/pts/3 is 136:3.
        assert_eq!(tty_dev(34819), 136 << 20 | 3);
    }
}
