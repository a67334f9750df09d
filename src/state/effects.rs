//! What calls do to the tables: one function for each effect of the schema.
//!
//! Enters: a record of a call, its shape, the process's tables. Leaves: changed tables. Never: a batch, a decision on what
//! is shown. Where the kernel told the outcome (a fact), that is used; nothing is re-enacted that it told.

use super::cloexec;
use super::descriptors::{Fd, TableRef};
use super::families::{bound_by_sending, sent};
use super::life;
use super::made::{got, told, tried};
use super::tables::{FileDesc, FileEntity, FileRef, ProcRef, Text, ask};
use crate::batch::{Role, file_flags};
use crate::decode::{Fact, RawItem, Record};
use crate::schema::{Effect, Shape};

const EINPROGRESS: i64 = -115;

/// The bytes of argument N.
pub fn bytes_of<'a>(r: &Record<'a>, shape: &Shape, arg: usize) -> Option<&'a [u8]> {
    let item = shape.args.get(arg)?.item?;
    match r.item(usize::from(item)) {
        RawItem::Bytes(b, _) => Some(b),
        _ => None,
    }
}

/// Calls that give the socket they name an address: it is looked at again after them.
pub fn tells_address(effect: Effect) -> bool {
    matches!(effect, Effect::Connect | Effect::Bind | Effect::Listen | Effect::Send | Effect::SendMsg)
}

/// Calls after which their arguments name other files than before, or files that were not there.
pub fn names_after(effect: Effect) -> bool {
    tells_address(effect) || matches!(effect, Effect::Pipe | Effect::Socketpair)
}

/// Calls that are told of every process: they change what a process is, not what it has open.
pub fn concerns_all(effect: Effect) -> bool {
    matches!(
        effect,
        Effect::Chdir
            | Effect::Chroot
            | Effect::Creds
            | Effect::Setsid
            | Effect::Setpgid
            | Effect::Unshare
            | Effect::Setns
    )
}

/// A new descriptor.
pub fn place(table: &TableRef, fd: u32, file: FileRef, cloexec: bool, time: u64) {
    table.borrow_mut().place(fd, Fd { cloexec, since: time, ..Fd::new(file) });
}

/// Applies what a call did. The caller has made sure that the record is not older than what the tables hold, and has
/// placed what [`made`] gives.
pub fn apply(proc: &ProcRef, r: &Record, shape: &Shape) {
    let table = proc.fds.borrow().clone();
    let ok = r.ret >= 0;
    let new_fd = u32::try_from(r.ret).ok();
    match shape.effect {
        // What came with messages has been placed.
        Effect::None | Effect::Exec | Effect::Clone | Effect::Prctl | Effect::MayOpen | Effect::MayAccept => {
        }
        Effect::Receive | Effect::ReceiveAll => {}
        Effect::Send | Effect::SendMsg => {
            if let (Fact::Sent(s), Some(file)) = (r.fact(), file_at(&table, r.word(0)))
                && sent(&file.desc.borrow(), &s)
            {
                file.change(|d| bound_by_sending(d, &s));
            }
        }
        Effect::Open | Effect::Anon(_) | Effect::Socket | Effect::Accept | Effect::Descriptor => {
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
                table.borrow_mut().close(fd, r.entry(), r.time, r.slot());
            }
        }
        Effect::CloseRange => {
            if ok {
                close_range(proc, [r.word(0) as u32, r.word(1) as u32], r.word(2) as u32, r.entry(), r.time);
            }
        }
        Effect::Dup => {
            if let Some(fd) = new_fd {
                place_copy(&table, r, fd, false);
            }
        }
        Effect::DupTo => {
            if let Some(fd) = new_fd
                && fd != r.word(0) as u32
            {
                let cloexec = cloexec::closes(shape.effect, shape, |i| r.word(i), |_| None);
                match copied(&table, r, cloexec) {
                    Some(entry) => table.borrow_mut().replace(fd, entry),
                    None => table.borrow_mut().remove(fd, r.time),
                }
            }
        }
        Effect::Fcntl => match (r.word(1) as i32, new_fd) {
            (libc::F_DUPFD, Some(fd)) => place_copy(&table, r, fd, false),
            (libc::F_DUPFD_CLOEXEC, Some(fd)) => place_copy(&table, r, fd, true),
            (libc::F_SETFD, Some(0)) => set_cloexec(&table, r.word(0) as u32, r.word(2) & 1 != 0, r.time),
            _ => {}
        },
        Effect::Ioctl => match (r.word(1) as u32, ok) {
            (0x5451, true) => set_cloexec(&table, r.word(0) as u32, true, r.time),
            (0x5450, true) => set_cloexec(&table, r.word(0) as u32, false, r.time),
            _ => {}
        },
        Effect::Pipe | Effect::Socketpair => {
            if let (true, Fact::Got(both)) = (ok, r.fact()) {
                let mut name = Vec::new();
                for (end, g) in both.enumerate() {
                    let mut desc = got(&g, &mut name);
                    if shape.effect == Effect::Pipe {
                        desc.flags |= if end == 0 { file_flags::READ } else { file_flags::WRITE };
                    }
                    let file = FileEntity::new(desc);
                    file.id.set(g.id);
                    place(&table, g.fd, file, g.cloexec, r.time);
                }
            }
        }
        Effect::Connect => {
            if let Some(file) = file_at(&table, r.word(0)) {
                let failed = !ok && r.ret != EINPROGRESS;
                let address = bytes_of(r, shape, 1);
                file.change(|d| {
                    let mut connected = false;
                    if let Fact::Sock(s) = r.fact() {
                        told(d, &s);
                        connected = d.flags & file_flags::REMOTE != 0 || !s.rname.is_empty();
                    }
                    // It listens, was accepted, or is connected already: nothing has become of it.
                    if failed && (connected || d.role == Role::Server) {
                        return;
                    }
                    // AF_UNSPEC is 0: a connection is given up.
                    let ends = ok && address.is_some_and(|a| a.starts_with(&[0, 0]));
                    d.role = if ends { Role::default() } else { Role::Client };
                    if failed {
                        // The kernel has dropped the address again; what was tried is in the argument.
                        tried(d, address);
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
                unshare(proc, r.entry(), r.time);
            }
            heed_users(proc, r);
        }
        Effect::Setns => heed_users(proc, r),
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

/// A call that may have led into another user namespace.
fn heed_users(proc: &ProcRef, r: &Record) {
    if let Fact::Creds(c) = r.fact() {
        proc.change(|d| life::users(d, c.elsewhere));
    }
}

/// What a number means is no longer certain.
pub fn mark(table: &TableRef, fd: u32) {
    if let Some(entry) = table.borrow_mut().get_mut(fd) {
        let desc = entry.file.desc.borrow().clone();
        entry.file = FileEntity::new(FileDesc { flags: desc.flags | file_flags::UNCERTAIN, ..desc });
    }
}

/// The process gets a descriptor table of its own, by a call that began at `entry`, if that is known.
pub fn unshare(proc: &ProcRef, entry: Option<u64>, time: u64) {
    let own = proc.fds.borrow().borrow_mut().copied(entry, time);
    *proc.fds.borrow_mut() = own;
}

/// Copies of the table that were made while this call changed it may have its effect or not.
pub fn tell_copies(proc: &ProcRef, r: &Record, shape: &Shape) {
    let table = proc.fds.borrow().clone();
    let mut table = table.borrow_mut();
    if !table.copied_since(r.entry().unwrap_or(0)) {
        return;
    }
    let mut tell = |fd: u64| {
        if let Ok(fd) = u32::try_from(fd as i32) {
            table.changed(fd, r.entry(), r.time);
        }
    };
    match (shape.effect, r.fact()) {
        (Effect::Close, _) => tell(r.word(0)),
        (Effect::DupTo, _) => tell(r.word(1)),
        // More numbers are not open than a table may have.
        (Effect::CloseRange, _) => (r.word(0)..=r.word(1).min(65536)).for_each(tell),
        // Whether exec closes it, too.
        (Effect::Fcntl, _) if r.word(1) as i32 == libc::F_SETFD => tell(r.word(0)),
        (Effect::Ioctl, _) => tell(r.word(0)),
        (_, Fact::Got(all)) => all.for_each(|g| tell(u64::from(g.fd))),
        (Effect::None | Effect::Exec | Effect::Clone | Effect::Send | Effect::SendMsg, _) => {}
        _ if r.ret >= 0 => tell(r.ret as u64),
        _ => {}
    }
}

/// The file that a number means.
pub fn file_at(table: &TableRef, fd: u64) -> Option<FileRef> {
    table.borrow().get(fd as u32).map(|f| f.file.clone())
}

/// A copy of a descriptor.
pub fn copy_of(table: &TableRef, from: u32, cloexec: bool, time: u64) -> Option<Fd> {
    Some(Fd { cloexec, ..table.borrow().copy_of(from, time)? })
}

/// A copy of argument 0. Where several tasks use the table the kernel says which file it was, for the number may have
/// changed its meaning meanwhile.
fn copied(table: &TableRef, r: &Record, cloexec: bool) -> Option<Fd> {
    let mut table = table.borrow_mut();
    let from = table.copy_of(r.word(0) as u32, r.time);
    let copy = match r.slot() {
        None => from?,
        Some(0) => return None,
        Some(id) => match from {
            Some(from) if from.file.id.get() == id => from,
            // Since the time when it was the only task's nothing was told of it, so it is the same.
            Some(only) if only.file.id.get() == 0 && table.by_id(id, r.entry(), r.time).is_none() => {
                only.file.id.set(id);
                only
            }
            _ => table.identified(id, r.entry(), r.time),
        },
    };
    Some(Fd { cloexec: r.cloexec().unwrap_or(cloexec), ..copy })
}

fn place_copy(table: &TableRef, r: &Record, to: u32, cloexec: bool) {
    let copy = copied(table, r, cloexec);
    match copy {
        Some(entry) => table.borrow_mut().place(to, entry),
        // What was copied is not known, so what is there now is not either.
        None => table.borrow_mut().remove(to, r.time),
    }
}

/// Whether exec closes a descriptor.
pub fn set_cloexec(table: &TableRef, fd: u32, value: bool, time: u64) {
    if let Some(fd) = table.borrow_mut().get_mut(fd) {
        (fd.cloexec, fd.touched) = (value, time);
    }
}

/// `close_range`: CLOSE_RANGE_UNSHARE is 2, CLOSE_RANGE_CLOEXEC 4 (include/uapi/linux/close_range.h).
pub fn close_range(proc: &ProcRef, range: [u32; 2], flags: u32, entry: Option<u64>, time: u64) {
    if flags & 2 != 0 {
        unshare(proc, entry, time);
    }
    let table = proc.fds.borrow().clone();
    table.borrow_mut().close_range(range[0], range[1], flags & 4 != 0, entry, time);
}

/// What exec closes is closed, in a table that is the process's own from now on.
pub fn exec_closes(proc: &ProcRef, entry: Option<u64>, time: u64) {
    unshare(proc, entry, time);
    proc.fds.borrow().borrow_mut().exec();
}
