//! One process in /proc: its directory, opened once.
//!
//! Enters: names in it. Leaves: the bytes of what stands there. Never: what they mean; an unbounded read (names are the traced
//! side's choice).
//!
//! A process costs a dozen looks, and each by its whole path walks through /proc once more. A directory that stays open
//! belongs to its process, too: when that has ended nothing can be opened in it any more, even if the number is somebody
//! else's by then (proc_pident_lookup in fs/proc/base.c finds no task).

use std::cell::{Cell, OnceCell};
use std::ffi::CStr;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{AtFlags, CWD, Mode, OFlags, RawDir, Stat, Statx, StatxFlags};
use rustix::io::Errno;
use rustix::path::{Arg, DecInt};

/// Most bytes read of one file of /proc.
const MAX_READ: usize = 1 << 20;
/// /proc gives no longer name than this: it writes them into a page (do_proc_readlink in fs/proc/base.c).
const PAGE: usize = 4096;
/// Room for entries of a directory, about 300 at a time.
const ENTRIES: usize = 8192;

/// A directory, opened to look names up in it.
const LOOK: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// The directory of a process.
pub struct ProcDir {
    /// Its number.
    pub pid: u32,
    dir: OwnedFd,
    /// Its root, once that was asked for; `None` if it is ours.
    pub root: OnceCell<Option<super::tables::Text>>,
    /// The inode of its network namespace, once that was asked for.
    pub net: Cell<Option<u64>>,
}

impl ProcDir {
    /// The directory of the process with this number. `None` if there is none.
    pub fn open(proc: &Path, pid: u32) -> Option<ProcDir> {
        let dir = rustix::fs::openat(CWD, proc.join(DecInt::new(pid)), LOOK, Mode::empty()).ok()?;
        Some(ProcDir { pid, dir, root: OnceCell::new(), net: Cell::new(None) })
    }

    /// What a file of it holds.
    pub fn read<'a>(&self, name: &CStr, room: &'a mut Vec<u8>) -> Option<&'a [u8]> {
        read(self.dir.as_fd(), name, room)
    }

    /// Where a link of it leads.
    pub fn link<'a>(&self, name: &CStr, room: &'a mut Room) -> Option<&'a [u8]> {
        link(self.dir.as_fd(), name, room)
    }

    /// What is behind a link of it: what is known here will do, for a file server that hangs must not hold us too.
    pub fn behind(&self, name: &CStr, mask: StatxFlags) -> Option<Statx> {
        rustix::fs::statx(&self.dir, name, AtFlags::STATX_DONT_SYNC, mask).ok()
    }

    /// The thing of the kernel that a name of it stands for (`ns/net`).
    pub fn stat(&self, name: &CStr) -> Option<Stat> {
        rustix::fs::statat(&self.dir, name, AtFlags::empty()).ok()
    }

    /// What it has open: each is given with its number.
    pub fn each_fd(&self, mut each: impl FnMut(u32, &OpenDir)) {
        let open = |name: &CStr, flags| rustix::fs::openat(&self.dir, name, flags, Mode::empty()).ok();
        let read = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let (Some(fds), Some(info)) = (open(c"fd", read), open(c"fdinfo", LOOK)) else { return };
        let mut room = [MaybeUninit::uninit(); ENTRIES];
        let mut entries = RawDir::new(&fds, &mut room);
        let both = OpenDir { fds: &fds, info: &info };
        loop {
            match entries.next() {
                Some(Ok(entry)) => {
                    let name = entry.file_name().to_bytes();
                    if let Some(fd) = std::str::from_utf8(name).ok().and_then(|n| n.parse().ok()) {
                        each(fd, &both);
                    }
                }
                Some(Err(Errno::INTR)) => {}
                _ => return,
            }
        }
    }
}

/// The descriptors of a process.
pub struct OpenDir<'a> {
    fds: &'a OwnedFd,
    info: &'a OwnedFd,
}

impl OpenDir<'_> {
    /// What a descriptor is called.
    pub fn link<'a>(&self, fd: u32, room: &'a mut Room) -> Option<&'a [u8]> {
        link(self.fds.as_fd(), DecInt::new(fd), room)
    }

    /// What /proc says of it besides.
    pub fn info<'a>(&self, fd: u32, room: &'a mut Vec<u8>) -> Option<&'a [u8]> {
        read(self.info.as_fd(), DecInt::new(fd), room)
    }

    /// What it stands for, as in [`ProcDir::behind`].
    pub fn behind(&self, fd: u32, mask: StatxFlags) -> Option<Statx> {
        rustix::fs::statx(self.fds, DecInt::new(fd), AtFlags::STATX_DONT_SYNC, mask).ok()
    }
}

/// Room for a name.
pub type Room = [MaybeUninit<u8>; PAGE];

/// Room for a name.
pub fn room() -> Room {
    [MaybeUninit::uninit(); PAGE]
}

fn link<'a>(dir: BorrowedFd<'_>, name: impl Arg, room: &'a mut Room) -> Option<&'a [u8]> {
    let (target, _) = rustix::fs::readlinkat_raw(dir, name, &mut room[..]).ok()?;
    Some(target)
}

/// Reads a file of a process. Each is written whole when it is asked for (single_open in fs/proc), so that a read that does
/// not fill its room was the last: a process costs a read a file, and the scan of a host is made of nothing else.
fn read<'a>(dir: BorrowedFd<'_>, name: impl Arg, room: &'a mut Vec<u8>) -> Option<&'a [u8]> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOCTTY;
    let file = rustix::fs::openat(dir, name, flags, Mode::empty()).ok()?;
    let mut len = 0;
    loop {
        if room.len() < len + PAGE {
            room.resize(len + PAGE, 0);
        }
        let free = room.get_mut(len..)?;
        let asked = free.len();
        match rustix::io::read(&file, free) {
            Ok(n) => {
                len += n;
                if n < asked || len >= MAX_READ {
                    return room.get(..len);
                }
            }
            Err(Errno::INTR) => {}
            Err(_) => return None,
        }
    }
}
