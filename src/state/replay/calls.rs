//! What the calls of a capture did to descriptors, by their rows.
//!
//! Enters: a row of a call that returned, the process that made it. Leaves: changed tables. Never: a fact of the kernel; what
//! came of the call stands in its references.

use super::entries::unknown;
use super::{CLONE_FILES, CLONE_NEWPID, Replay};
use crate::batch::{Batch, FileId, NONE, file_flags, row_flags};
use crate::schema::{self, Effect, Kind, Shape, Struct, fdlist};
use crate::state::descriptors::{Fd, TableRef};
use crate::state::tables::{FileEntity, ProcRef};
use crate::state::{cloexec, effects};

/// A call that returned.
pub(super) struct Call<'b, 'a> {
    pub batch: &'b Batch<'a>,
    pub row: usize,
    pub shape: &'a Shape,
    pub ret: i64,
    pub time: u64,
    pub entry: Option<u64>,
    pub flags: u16,
}

impl Call<'_, '_> {
    fn word(&self, i: usize) -> u64 {
        self.batch.words_of(self.row).get(i).copied().unwrap_or(0)
    }

    fn reference(&self, at: usize) -> FileId {
        self.batch.refs_of(self.row).get(at).copied().unwrap_or(NONE)
    }

    /// The copied bytes of an argument.
    fn bytes(&self, arg: usize) -> Option<&[u8]> {
        let item = self.shape.args.get(arg)?.item?;
        self.batch.bytes(*self.batch.items_of(self.row).get(usize::from(item))?)
    }
}

/// Whether exec closes what a call made.
fn closes(effect: Effect, c: &Call<'_, '_>) -> bool {
    let pointed = |i| c.bytes(i)?.first_chunk().map(|b| u64::from_le_bytes(*b));
    cloexec::closes(effect, c.shape, |i| c.word(i), pointed)
}

impl Replay<'_> {
    pub(super) fn apply(&mut self, proc: &ProcRef, effect: Effect, c: &Call<'_, '_>) {
        let table = proc.fds.borrow().clone();
        let (ok, made, time) = (c.ret >= 0, u32::try_from(c.ret).ok(), c.time);
        let from = c.word(0) as u32;
        match effect {
            Effect::Close => {
                if let Ok(fd) = u32::try_from(c.word(0) as i32)
                    && c.ret != -i64::from(libc::EBADF)
                {
                    table.borrow_mut().close(fd, c.entry, time, None);
                }
            }
            Effect::CloseRange if ok => {
                effects::close_range(proc, [from, c.word(1) as u32], c.word(2) as u32, c.entry, time);
            }
            Effect::Dup | Effect::DupTo => {
                if let Some(fd) = made.filter(|fd| effect == Effect::Dup || *fd != from) {
                    let cloexec = effect == Effect::DupTo && closes(effect, c);
                    let copy = effects::copy_of(&table, from, cloexec, time);
                    let entry = copy.unwrap_or_else(|| self.result(c, cloexec));
                    match effect {
                        Effect::Dup => table.borrow_mut().place(fd, entry),
                        _ => table.borrow_mut().replace(fd, entry),
                    }
                }
            }
            Effect::Fcntl => match (c.word(1) as i32, made) {
                (cmd @ (libc::F_DUPFD | libc::F_DUPFD_CLOEXEC), Some(fd)) => {
                    let cloexec = cmd == libc::F_DUPFD_CLOEXEC;
                    let entry = effects::copy_of(&table, from, cloexec, time).unwrap_or_else(|| {
                        let file = self.file(c.batch, c.reference(0), c.flags);
                        Fd { cloexec, since: time, ..Fd::new(file) }
                    });
                    table.borrow_mut().place(fd, entry);
                }
                (libc::F_SETFD, Some(0)) => effects::set_cloexec(&table, from, c.word(2) & 1 != 0, time),
                _ => self.mentioned(&table, c),
            },
            Effect::Ioctl => match (c.word(1) as u32, ok) {
                (0x5451, true) => effects::set_cloexec(&table, from, true, time),
                (0x5450, true) => effects::set_cloexec(&table, from, false, time),
                _ => self.mentioned(&table, c),
            },
            Effect::Pipe | Effect::Socketpair => self.pair(&table, effect, c),
            // It chose a port, or changed nothing.
            Effect::Send | Effect::SendMsg if c.flags & row_flags::UNCERTAIN != 0 => {}
            Effect::Connect | Effect::Bind | Effect::Listen | Effect::Send | Effect::SendMsg => {
                // What it is after the call; who has a copy of the descriptor has the same.
                let file = self.file(c.batch, c.reference(0), c.flags);
                let held = table.borrow().get(from).map(|held| held.file.clone());
                if file.desc.borrow().kind != Default::default() {
                    match held {
                        Some(held) if std::rc::Rc::ptr_eq(&held, &file) => {}
                        Some(held) => held.change(|d| *d = file.desc.borrow().clone()),
                        None => self.mentioned(&table, c),
                    }
                }
            }
            Effect::Unshare if ok => {
                if c.word(0) & CLONE_FILES != 0 {
                    effects::unshare(proc, c.entry, time);
                }
                if c.word(0) & CLONE_NEWPID != 0 {
                    self.parted.insert(proc.desc.borrow().pid);
                }
            }
            // Into which kind is not always said (0: whatever the descriptor is of).
            Effect::Setns if ok && (c.word(1) == 0 || c.word(1) & CLONE_NEWPID != 0) => {
                self.parted.insert(proc.desc.borrow().pid);
                self.mentioned(&table, c);
            }
            Effect::Exec if c.ret == 0 => effects::exec_closes(proc, c.entry, time),
            Effect::Clone if c.ret > 0 => {
                let by = c.shape.args.iter().enumerate().find_map(|(i, a)| match a.kind {
                    Kind::Flags(_) => Some(c.word(i)),
                    _ if &*a.name == "cl_args" => c.bytes(i)?.first_chunk().map(|b| u64::from_le_bytes(*b)),
                    _ => None,
                });
                self.forked(proc, by.unwrap_or(0), c.ret, (c.entry.unwrap_or(time), time));
            }
            Effect::Setpgid if ok => {
                let (pid, pgid) = (c.word(0) as u32, c.word(1) as u32);
                let outside = {
                    let d = proc.desc.borrow();
                    d.vpid == d.pid && d.pid != pid
                };
                if let Some(other) =
                    self.state.procs.get(&pid).filter(|p| outside && time >= p.scanned.get().0)
                {
                    other.change(|d| d.pgid = if pgid == 0 { pid } else { pgid });
                }
            }
            _ if c.shape.ret == schema::Ret::Fd => {
                // A ring's own numbers mean nothing here.
                let may = matches!(effect, Effect::MayOpen | Effect::MayAccept);
                let named = c.shape.ret_ref().is_some_and(|at| c.reference(usize::from(at)) != NONE);
                if let Some(fd) = made.filter(|_| named || !may) {
                    let entry = self.result(c, closes(effect, c));
                    table.borrow_mut().place(fd, entry);
                }
            }
            _ => {
                self.mentioned(&table, c);
                if matches!(effect, Effect::Receive | Effect::ReceiveAll) && ok {
                    self.received(&table, c);
                }
            }
        }
    }

    /// The new descriptor of a call.
    fn result(&mut self, c: &Call<'_, '_>, cloexec: bool) -> Fd {
        let id = c.shape.ret_ref().map_or(NONE, |at| c.reference(usize::from(at)));
        Fd { cloexec, since: c.time, ..Fd::new(self.file(c.batch, id, c.flags)) }
    }

    /// A call that says what a number stands for that was not known, or not for certain.
    fn mentioned(&mut self, table: &TableRef, c: &Call<'_, '_>) {
        if c.ret == -i64::from(libc::EBADF) || c.flags & row_flags::UNCERTAIN != 0 {
            return;
        }
        for (i, arg) in c.shape.args.iter().enumerate() {
            let (Some(at), Ok(fd)) = (arg.fdref, u32::try_from(c.word(i) as i32)) else { continue };
            if !matches!(arg.kind, Kind::Fd | Kind::DirFd) {
                continue;
            }
            let lost_at = self.state.lost_at;
            let known = |held: &Fd| {
                held.since >= lost_at && held.file.desc.borrow().flags & file_flags::UNCERTAIN == 0
            };
            let id = c.reference(usize::from(at));
            if id == NONE || table.borrow().get(fd).is_some_and(known) {
                continue;
            }
            let cloexec = table.borrow().get(fd).is_some_and(|held| held.cloexec);
            let file = self.file(c.batch, id, c.flags);
            table.borrow_mut().replace(fd, Fd { cloexec, since: c.time, read: true, ..Fd::new(file) });
        }
    }

    /// The two ends of a pipe or of a pair of sockets.
    fn pair(&mut self, table: &TableRef, effect: Effect, c: &Call<'_, '_>) {
        let at = c.shape.args.iter().enumerate().find(|(_, a)| a.kind == Kind::Struct(Struct::FdPair));
        let Some((i, arg)) = at.filter(|_| c.ret >= 0) else { return };
        let Some(bytes) = c.bytes(i) else { return };
        let cloexec = closes(effect, c);
        for (n, fd) in bytes.as_chunks::<4>().0.iter().take(2).enumerate() {
            let id = arg.fdref.map_or(NONE, |at| c.reference(usize::from(at) + n));
            let file = self.file(c.batch, id, c.flags);
            // Two ends are two files, although they have one description.
            let own = FileEntity::new(file.desc.borrow().clone());
            let entry = Fd { cloexec, since: c.time, ..Fd::new(own) };
            table.borrow_mut().place(u32::from_le_bytes(*fd), entry);
        }
    }

    /// Descriptors that came with messages.
    fn received(&mut self, table: &TableRef, c: &Call<'_, '_>) {
        let args = c.shape.args.iter().enumerate().filter(|(_, a)| a.kind.is_fd_list());
        let items = args.filter_map(|(i, a)| Some((a.kind, c.bytes(i)?)));
        let mut fds = Vec::new();
        fdlist::descriptors(c.batch.words_of(c.row), items, &mut fds);
        let flags = c.shape.arg("flags").map_or(0, |(i, _)| c.word(i));
        let cloexec = flags & libc::MSG_CMSG_CLOEXEC as u64 != 0;
        let files = c.batch.fdlist_of(c.row).iter().copied().chain(std::iter::repeat(NONE));
        for (fd, id) in fds.into_iter().zip(files) {
            // That it is there is known, even where what it is is not.
            let file = if id == NONE { FileEntity::new(unknown()) } else { self.file(c.batch, id, c.flags) };
            table.borrow_mut().place(fd, Fd { cloexec, since: c.time, ..Fd::new(file) });
        }
    }
}
