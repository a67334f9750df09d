//! What calls do to the tables: one function for each effect of the schema.
//!
//! Enters: a record of a call, its shape, the process's tables. Leaves: changed tables. Never: a batch, a decision on what
//! is shown. Where the kernel told the outcome (a fact), that is used; nothing is re-enacted that it told.

use std::cell::RefCell;
use std::rc::Rc;

use super::descriptors::{Fd, TableRef};
use super::scan::kind_of_mode;
use super::tables::{FileDesc, FileEntity, FileRef, ProcRef, Text, ask};
use crate::batch::{FileKind, L4, Role, file_flags};
use crate::decode::{Fact, RawItem, Record, Sock};
use crate::schema::{Anon, Effect, Kind, Shape, Struct};
use crate::source::abi;

const O_CLOEXEC: u64 = 0o2000000;
const EINPROGRESS: i64 = -115;

/// The word of the first argument whose name is `name`.
fn word_named(r: &Record, shape: &Shape, name: &str) -> Option<u64> {
    shape.arg(name).map(|(i, _)| r.word(i))
}

/// The bytes of argument N.
fn bytes_of<'a>(r: &Record<'a>, shape: &Shape, arg: usize) -> Option<&'a [u8]> {
    let item = shape.args.get(arg)?.item?;
    match r.item(usize::from(item)) {
        RawItem::Bytes(b, _) => Some(b),
        _ => None,
    }
}

fn pair(bytes: Option<&[u8]>) -> Option<(u32, u32)> {
    let b = bytes?;
    let get = |i: usize| b.get(i..i + 4)?.try_into().ok().map(u32::from_le_bytes);
    Some((get(0)?, get(4)?))
}

/// Calls that give the socket they name an address: it is looked at again after them.
pub fn tells_address(effect: Effect) -> bool {
    matches!(effect, Effect::Connect | Effect::Bind | Effect::Listen)
}

/// Calls after which their arguments name other files than before, or files that were not there.
pub fn names_after(effect: Effect) -> bool {
    tells_address(effect) || matches!(effect, Effect::Pipe | Effect::Socketpair)
}

/// Calls that are told of every process: they change what a process is, not what it has open.
pub fn concerns_all(effect: Effect) -> bool {
    matches!(effect, Effect::Chdir | Effect::Chroot | Effect::Creds | Effect::Setsid | Effect::Setpgid)
}

/// A new descriptor.
pub fn place(table: &TableRef, fd: u32, file: FileRef, cloexec: bool, time: u64) {
    table.borrow_mut().place(fd, Fd { file, cloexec, since: time, read: false });
}

/// Calls whose result is a new descriptor of a new file.
fn makes(effect: Effect) -> bool {
    matches!(effect, Effect::Open | Effect::Anon(_) | Effect::Socket | Effect::Accept)
}

/// The file behind a new descriptor, where the call alone says what it is; and whether exec closes it. This needs no
/// table, so it is true even for a record that is older than what the tables hold.
pub fn made(r: &Record, shape: &Shape, name: &mut Vec<u8>) -> Option<(FileDesc, bool)> {
    if r.ret < 0 || !makes(shape.effect) {
        return None;
    }
    let o_cloexec = |name: &str| word_named(r, shape, name).unwrap_or(0) & O_CLOEXEC != 0;
    match (shape.effect, r.fact()) {
        (Effect::Open, Fact::Path(p)) => {
            name.clear();
            p.write(name);
            let kind = kind_of_mode(p.mode);
            let given =
                shape.args.iter().position(|a| a.kind == Kind::Path).and_then(|i| bytes_of(r, shape, i));
            let desc = FileDesc {
                kind,
                // A pipe that was opened through a magic link has no path.
                name: Some(match kind {
                    FileKind::Pipe if p.status == abi::PATH_FOREIGN => {
                        Text::from(format!("pipe:[{}]", p.ino).as_bytes())
                    }
                    _ => Text::from(name.as_slice()),
                }),
                given: given.filter(|g| *g != name.as_slice()).map(Text::from),
                dev: p.dev,
                ino: p.ino,
                ..FileDesc::default()
            };
            Some((desc, opened_cloexec(r, shape)))
        }
        (Effect::Anon(what), _) => Some((anon(what, r, shape), anon_cloexec(what, r, shape))),
        (Effect::Socket, Fact::Sock(s)) => {
            let mut desc = FileDesc::default();
            told(&mut desc, &s);
            Some((desc, o_cloexec("type")))
        }
        (Effect::Accept, Fact::Sock(s)) => {
            let mut desc = FileDesc { role: Role::Server, ..FileDesc::default() };
            told(&mut desc, &s);
            Some((desc, o_cloexec("flags")))
        }
        _ => None,
    }
}

/// The file of an open where the kernel's path cannot be had: the text as given, joined with the working directory, and
/// marked, for a link or a mount may lead elsewhere.
pub fn made_by_text(r: &Record, shape: &Shape, proc: &ProcRef) -> Option<(FileDesc, bool)> {
    if shape.effect != Effect::Open || r.ret < 0 {
        return None;
    }
    let at = shape.args.iter().position(|a| a.kind == Kind::Path)?;
    let given = bytes_of(r, shape, at)?;
    let mut name = Vec::with_capacity(64);
    if given.first() != Some(&b'/') {
        let base = match at.checked_sub(1).map(|d| r.word(d) as i32) {
            Some(fd) if shape.args[at - 1].kind == Kind::DirFd && fd != libc::AT_FDCWD => {
                file_at(&proc.fds.borrow(), fd as u64)?.desc.borrow().name.clone()?
            }
            _ => proc.desc.borrow().cwd.clone()?,
        };
        name.extend_from_slice(&base);
        name.push(b'/');
    }
    name.extend_from_slice(given);
    let desc = FileDesc {
        kind: FileKind::File,
        name: Some(Text::from(name.as_slice())),
        flags: file_flags::JOINED | file_flags::UNCERTAIN,
        ..FileDesc::default()
    };
    Some((desc, opened_cloexec(r, shape)))
}

/// Applies what a call did. The caller has made sure that the record is not older than what the tables hold, and has
/// placed what [`made`] gives.
pub fn apply(proc: &ProcRef, r: &Record, shape: &Shape) {
    let table = proc.fds.borrow().clone();
    let ok = r.ret >= 0;
    let new_fd = u32::try_from(r.ret).ok();
    match shape.effect {
        Effect::None | Effect::Exec | Effect::Clone | Effect::Prctl => {}
        Effect::Open | Effect::Anon(_) | Effect::Socket | Effect::Accept => {
            // `made` did not know of what: better nothing than the file that had this number before.
            if let Some(fd) = new_fd {
                table.borrow_mut().remove(fd, r.time);
            }
        }
        Effect::Close => {
            if let Ok(fd) = u32::try_from(r.word(0) as i32)
                // Even a close that reports an error has closed (close(2)), except of what was not open.
                && r.ret != -i64::from(libc::EBADF)
            {
                table.borrow_mut().close(fd, r.entry(), r.time);
            }
        }
        Effect::CloseRange => {
            if ok {
                close_range(proc, r.word(0) as u32, r.word(1) as u32, r.word(2) as u32, r.time);
            }
        }
        Effect::Dup => {
            if let Some(fd) = new_fd {
                place_copy(&table, r.word(0) as u32, fd, false, r.time);
            }
        }
        Effect::DupTo => {
            if let Some(fd) = new_fd
                && fd != r.word(0) as u32
            {
                let cloexec = word_named(r, shape, "flags").unwrap_or(0) & O_CLOEXEC != 0;
                match copy_of(&table, r.word(0) as u32, cloexec, r.time) {
                    Some(entry) => table.borrow_mut().replace(fd, entry),
                    None => table.borrow_mut().remove(fd, r.time),
                }
            }
        }
        Effect::Fcntl => match (r.word(1) as i32, new_fd) {
            (libc::F_DUPFD, Some(fd)) => place_copy(&table, r.word(0) as u32, fd, false, r.time),
            (libc::F_DUPFD_CLOEXEC, Some(fd)) => place_copy(&table, r.word(0) as u32, fd, true, r.time),
            (libc::F_SETFD, Some(0)) => set_cloexec(&table, r.word(0) as u32, r.word(2) & 1 != 0),
            _ => {}
        },
        Effect::Ioctl => match (r.word(1) as u32, ok) {
            (0x5451, true) => set_cloexec(&table, r.word(0) as u32, true),
            (0x5450, true) => set_cloexec(&table, r.word(0) as u32, false),
            _ => {}
        },
        Effect::Pipe => {
            if let Some((a, b)) = pair(bytes_of(r, shape, 0)).filter(|_| ok) {
                let cloexec = word_named(r, shape, "flags").unwrap_or(0) & O_CLOEXEC != 0;
                let ino = match r.fact() {
                    Fact::Path(p) => p.ino,
                    _ => 0,
                };
                let name = if ino == 0 { "pipe".to_owned() } else { format!("pipe:[{ino}]") };
                let name = Text::from(name.as_bytes());
                for fd in [a, b] {
                    let desc = FileDesc {
                        kind: FileKind::Pipe,
                        name: Some(name.clone()),
                        ino,
                        ..FileDesc::default()
                    };
                    place(&table, fd, FileEntity::new(desc), cloexec, r.time);
                }
            }
        }
        Effect::Socketpair => {
            let at = shape.args.iter().position(|a| a.kind == Kind::Struct(Struct::FdPair));
            if let Some((a, b)) = at.and_then(|i| pair(bytes_of(r, shape, i))).filter(|_| ok) {
                for fd in [a, b] {
                    let desc = FileDesc { kind: family_kind(r.word(0) as u16), ..FileDesc::default() };
                    place(&table, fd, FileEntity::new(desc), r.word(1) & O_CLOEXEC != 0, r.time);
                }
            }
        }
        Effect::Connect => {
            if let Some(file) = file_at(&table, r.word(0)) {
                let failed = !ok && r.ret != EINPROGRESS;
                file.change(|d| {
                    if let Fact::Sock(s) = r.fact() {
                        told(d, &s);
                    }
                    d.role = Role::Client;
                    if failed {
                        // The kernel has dropped the address again; what was tried is in the argument.
                        tried(d, bytes_of(r, shape, 1));
                    }
                });
            }
        }
        Effect::Bind => {
            if let (true, Some(file), Fact::Sock(s)) = (ok, file_at(&table, r.word(0)), r.fact()) {
                file.change(|d| told(d, &s));
            }
        }
        Effect::Listen => {
            if let (true, Some(file)) = (ok, file_at(&table, r.word(0))) {
                file.change(|d| {
                    d.role = Role::Server;
                    d.flags |= file_flags::LISTENING;
                });
            }
        }
        Effect::Chdir | Effect::Chroot => {
            if let Fact::Path(p) = r.fact() {
                let mut name = Vec::with_capacity(64);
                p.write(&mut name);
                proc.change(|d| d.cwd = Some(Text::from(name.as_slice())));
            }
        }
        Effect::Creds => {
            if let Fact::Creds(c) = r.fact() {
                let ids = (c.uid, c.gid, c.euid, c.egid);
                if proc.ids() != ids || &*shape.name == "capset" {
                    proc.ask(ask::CAPS);
                    proc.becomes(r.tid, ids);
                }
            }
        }
        Effect::Setsid => {
            // The result is the number in the process's own namespace.
            if ok {
                proc.change(|d| (d.sid, d.pgid, d.tty) = (d.pid, d.pid, 0));
            }
        }
        Effect::Setpgid => {
            let (pid, pgid) = (r.word(0) as u32, r.word(1) as u32);
            // Numbers are those of the process's own namespace.
            let (own, inside) = {
                let d = proc.desc.borrow();
                (d.pid, d.vpid)
            };
            if ok && (pid == 0 || pid == inside) {
                if pgid == 0 || pgid == inside {
                    proc.change(|d| d.pgid = own);
                } else if own == inside {
                    proc.change(|d| d.pgid = pgid);
                }
            }
        }
        Effect::Unshare => {
            // CLONE_FILES (include/uapi/linux/sched.h).
            if ok && r.word(0) & 0x400 != 0 {
                unshare(proc);
            }
        }
    }
}

/// A descriptor was copied while the process was being read: what was read of the one that it was copied from may be what
/// that became afterwards.
pub fn doubt_copy(proc: &ProcRef, r: &Record, shape: &Shape) {
    let copies = match shape.effect {
        Effect::Dup | Effect::DupTo => true,
        Effect::Fcntl => matches!(r.word(1) as i32, libc::F_DUPFD | libc::F_DUPFD_CLOEXEC),
        _ => false,
    };
    let table = proc.fds.borrow().clone();
    let was_read = table.borrow().get(r.word(0) as u32).is_none_or(|from| from.read);
    if let (true, true, Ok(fd)) = (copies, was_read, u32::try_from(r.ret)) {
        mark(&table, fd);
    }
}

/// What a number means is no longer certain.
pub fn mark(table: &TableRef, fd: u32) {
    if let Some(entry) = table.borrow_mut().get_mut(fd) {
        let desc = entry.file.desc.borrow().clone();
        entry.file = FileEntity::new(FileDesc { flags: desc.flags | file_flags::UNCERTAIN, ..desc });
    }
}

/// The process gets a descriptor table of its own.
pub fn unshare(proc: &ProcRef) {
    let own = proc.fds.borrow().borrow().copy();
    *proc.fds.borrow_mut() = Rc::new(RefCell::new(own));
}

fn file_at(table: &TableRef, fd: u64) -> Option<FileRef> {
    table.borrow().get(fd as u32).map(|f| f.file.clone())
}

pub fn copy_of(table: &TableRef, from: u32, cloexec: bool, time: u64) -> Option<Fd> {
    let file = file_at(table, u64::from(from))?;
    Some(Fd { file, cloexec, since: time, read: false })
}

pub fn place_copy(table: &TableRef, from: u32, to: u32, cloexec: bool, time: u64) {
    match copy_of(table, from, cloexec, time) {
        Some(entry) => table.borrow_mut().place(to, entry),
        // What was copied is not known, so what is there now is not either.
        None => table.borrow_mut().remove(to, time),
    }
}

pub fn set_cloexec(table: &TableRef, fd: u32, value: bool) {
    if let Some(fd) = table.borrow_mut().get_mut(fd) {
        fd.cloexec = value;
    }
}

/// `close_range`: CLOSE_RANGE_UNSHARE is 2, CLOSE_RANGE_CLOEXEC 4 (include/uapi/linux/close_range.h).
pub fn close_range(proc: &ProcRef, first: u32, last: u32, flags: u32, time: u64) {
    if flags & 2 != 0 {
        unshare(proc);
    }
    proc.fds.borrow().borrow_mut().close_range(first, last, flags & 4 != 0, time);
}

/// What exec closes is closed, in a table that is the process's own from now on.
pub fn exec_closes(proc: &ProcRef) {
    unshare(proc);
    proc.fds.borrow().borrow_mut().exec();
}

fn opened_cloexec(r: &Record, shape: &Shape) -> bool {
    let flags = shape.args.iter().enumerate().find_map(|(i, a)| match a.kind {
        Kind::Flags(t) if t.name == "open" => Some(r.word(i)),
        Kind::Struct(Struct::OpenHow) => {
            bytes_of(r, shape, i)?.get(..8)?.try_into().ok().map(u64::from_le_bytes)
        }
        _ => None,
    });
    flags.unwrap_or(0) & O_CLOEXEC != 0
}

/// Most flags words use the value of O_CLOEXEC; the others are these.
fn anon_cloexec(what: Anon, r: &Record, shape: &Shape) -> bool {
    let flags = word_named(r, shape, "flags").unwrap_or(0);
    match what {
        Anon::Pidfd | Anon::Bpf | Anon::IoUring => true,
        Anon::Memfd | Anon::Fanotify => flags & 1 != 0,
        Anon::Perf => flags & 8 != 0,
        _ => flags & O_CLOEXEC != 0,
    }
}

fn anon(what: Anon, r: &Record, shape: &Shape) -> FileDesc {
    let (kind, name) = match what {
        Anon::Event => (FileKind::Event, "anon_inode:[eventfd]"),
        Anon::Epoll => (FileKind::Epoll, "anon_inode:[eventpoll]"),
        Anon::Memfd => (FileKind::Memfd, ""),
        Anon::Timer => (FileKind::Timer, "anon_inode:[timerfd]"),
        Anon::Signal => (FileKind::Signal, "anon_inode:[signalfd]"),
        Anon::Inotify => (FileKind::Inotify, "anon_inode:inotify"),
        Anon::Fanotify => (FileKind::Fanotify, "anon_inode:[fanotify]"),
        Anon::Pidfd => (FileKind::Pidfd, "anon_inode:[pidfd]"),
        Anon::IoUring => (FileKind::IoUring, "anon_inode:[io_uring]"),
        Anon::Bpf => (FileKind::Bpf, "anon_inode:bpf"),
        Anon::Perf => (FileKind::Perf, "anon_inode:[perf_event]"),
        Anon::Userfault => (FileKind::Userfault, "anon_inode:[userfaultfd]"),
    };
    let name = match (what, bytes_of(r, shape, 0)) {
        // As /proc/PID/fd shows it: unlinked from the start.
        (Anon::Memfd, Some(own)) => Text::from([b"/memfd:", own, b" (deleted)"].concat().as_slice()),
        (Anon::Memfd, None) => Text::from(&b"/memfd: (deleted)"[..]),
        _ => Text::from(name.as_bytes()),
    };
    FileDesc { kind, name: Some(name), ..FileDesc::default() }
}

fn family_kind(family: u16) -> FileKind {
    match i32::from(family) {
        libc::AF_INET => FileKind::Ipv4,
        libc::AF_INET6 => FileKind::Ipv6,
        libc::AF_UNIX => FileKind::Unix,
        libc::AF_NETLINK => FileKind::Netlink,
        libc::AF_PACKET => FileKind::Packet,
        _ => FileKind::Socket,
    }
}

/// What the kernel says of a socket.
fn told(d: &mut FileDesc, s: &Sock) {
    d.kind = family_kind(s.family);
    d.ino = s.ino;
    if d.kind.is_ip() {
        d.l4 = match i32::from(s.protocol) {
            libc::IPPROTO_TCP => L4::Tcp,
            libc::IPPROTO_UDP => L4::Udp,
            libc::IPPROTO_ICMP | libc::IPPROTO_ICMPV6 => L4::Icmp,
            _ if i32::from(s.ty) == libc::SOCK_RAW => L4::Raw,
            _ => L4::Unknown,
        };
        (d.laddr, d.raddr, d.lport, d.rport) = (s.laddr, s.raddr, s.lport, s.rport);
        d.flags &= !(file_flags::LOCAL | file_flags::REMOTE);
        if d.lport != 0 || d.laddr != [0; 16] {
            d.flags |= file_flags::LOCAL;
        }
        if d.rport != 0 || d.raddr != [0; 16] {
            d.flags |= file_flags::REMOTE;
        }
    } else if d.kind == FileKind::Unix {
        // The end that has a name gives it to the connection.
        let name = if s.rname.is_empty() { s.lname } else { s.rname };
        unix_name(d, name);
    }
}

fn unix_name(d: &mut FileDesc, name: &[u8]) {
    let name = match name.first() {
        None => return,
        Some(0) => {
            d.flags |= file_flags::ABSTRACT;
            name
        }
        // A path ends at its NUL, whatever length was given.
        Some(_) => name.split(|b| *b == 0).next().unwrap_or(name),
    };
    d.name = Some(Text::from(name));
}

/// The address that a failed connect was given: `struct sockaddr`.
fn tried(d: &mut FileDesc, addr: Option<&[u8]>) {
    let Some(addr) = addr else { return };
    let family = addr.get(..2).and_then(|b| b.try_into().ok()).map_or(0, u16::from_le_bytes);
    let port = addr.get(2..4).and_then(|b| b.try_into().ok()).map_or(0, u16::from_be_bytes);
    match (i32::from(family), addr.len()) {
        (libc::AF_INET, 8..) => {
            d.raddr = [0; 16];
            d.raddr[..4].copy_from_slice(&addr[4..8]);
            d.rport = port;
            d.flags |= file_flags::REMOTE;
        }
        (libc::AF_INET6, 24..) => {
            d.raddr.copy_from_slice(&addr[8..24]);
            d.rport = port;
            d.flags |= file_flags::REMOTE;
        }
        (libc::AF_UNIX, 3..) => unix_name(d, &addr[2..]),
        _ => {}
    }
}
