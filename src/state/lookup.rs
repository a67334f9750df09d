//! Which files a call means, by its numbers.
//!
//! Enters: a record of a call, its shape, the process's table. Leaves: the files that it names, and whether that is certain;
//! those that it made or brought. Never: a row.

use super::descriptors::Doubt;
use super::tables::{FileDesc, FileRef, ProcRef};
use super::{State, effects, made};
use crate::batch::{Builder, NONE, file_flags};
use crate::decode::{Fact, RawItem, Record};
use crate::schema::{Effect, Kind, Shape, Struct, fdlist};

impl State<'_> {
    /// The file behind a new descriptor. What is only said to be open may be so for long.
    pub(super) fn new_file(
        &self,
        proc: &ProcRef,
        r: &Record,
        shape: &Shape,
        fd: u32,
        desc: FileDesc,
    ) -> FileRef {
        if matches!(shape.effect, Effect::MayOpen | Effect::Ioctl)
            && let Some(known) = effects::file_at(&proc.fds.borrow(), u64::from(fd))
        {
            let d = known.desc.borrow();
            if (d.kind, d.ino) == (desc.kind, desc.ino) && (d.name == desc.name || desc.name.is_none()) {
                drop(d);
                return known;
            }
        }
        self.entity(desc, r.pid, fd)
    }

    /// A new descriptor of a new file.
    pub(super) fn opened(
        &self,
        proc: &ProcRef,
        r: &Record,
        shape: &Shape,
        fd: u32,
        desc: FileDesc,
        cloexec: bool,
    ) -> FileRef {
        let cloexec = r.cloexec().unwrap_or(cloexec);
        let mut file = self.new_file(proc, r, shape, fd, desc);
        if let Some(id) = r.slot() {
            file.id.set(id);
            file = proc.fds.borrow().borrow_mut().arrived(file);
        }
        effects::place(&proc.fds.borrow(), fd, file.clone(), cloexec, r.time);
        effects::tell_copies(proc, r, shape);
        if r.slot() == Some(0) {
            // Another thread has closed it already.
            proc.fds.borrow().borrow_mut().remove(fd, r.time);
        }
        file
    }

    /// Descriptors that came with messages.
    pub(super) fn receive(&mut self, proc: &ProcRef, r: &Record) {
        let Fact::Got(all) = r.fact() else { return };
        for g in all {
            let desc = made::got(&g, &mut self.name);
            let file = self.entity(desc, r.pid, g.fd);
            file.id.set(g.id);
            let file = proc.fds.borrow().borrow_mut().arrived(file);
            effects::place(&proc.fds.borrow(), g.fd, file, g.cloexec, r.time);
        }
    }

    /// A new file. The file systems of namespaces and pidfds make names only for those who ask.
    pub(super) fn entity(&self, mut desc: FileDesc, pid: u32, fd: u32) -> FileRef {
        let nameless = desc.name.is_none() && desc.dev != 0;
        desc.flags |= if nameless { file_flags::UNNAMED } else { 0 };
        let file = self.sockets.file(desc);
        if nameless {
            self.proc_fs.finds(&file, pid, fd);
        }
        file
    }

    /// Finds the files of the sets and arrays of descriptors that a call was given, by its words and items: as its arguments
    /// mean them, before it; of those that came with messages, after it. True if any is not certain.
    pub(super) fn list(
        &mut self,
        r: &Record,
        shape: &Shape,
        proc: &ProcRef,
        during_scan: bool,
        b: &mut Builder,
    ) -> bool {
        let items = shape.args.iter().filter(|a| a.kind.is_fd_list()).filter_map(|a| {
            let item = self.items.get(usize::from(a.item?))?;
            Some((a.kind, b.bytes(*item)?))
        });
        fdlist::descriptors(&self.words, items, &mut self.fds);
        self.fdlist.clear();
        let table = proc.fds.borrow().clone();
        let table = table.borrow();
        let came = matches!(shape.effect, Effect::Receive | Effect::ReceiveAll);
        let (began, mut any) = (if came { Some(r.time) } else { r.entry() }, false);
        let losses = self.losses();
        for fd in &self.fds {
            let found = table.meant(*fd, began).map_or(NONE, |(file, since, certain)| {
                let uncertain = !certain || losses.doubt(since, r.time) || during_scan;
                any |= uncertain;
                self.interner.file(b, file, uncertain)
            });
            self.fdlist.push(found);
        }
        // Nothing is known: nothing is kept.
        if self.fdlist.iter().all(|id| *id == NONE) {
            self.fdlist.clear();
        }
        any
    }

    /// A number that may have been closed: the call says whether it was.
    pub(super) fn settle(&self, r: &Record, shape: &Shape, proc: &ProcRef) {
        let table = proc.fds.borrow().clone();
        if !table.borrow().has_doubts() {
            return;
        }
        let mut table = table.borrow_mut();
        let fds = shape.args.iter().enumerate().filter(|(_, a)| matches!(a.kind, Kind::Fd | Kind::DirFd));
        for (i, _) in fds {
            if let Ok(fd) = u32::try_from(r.word(i) as i32)
                && let Some(entry) = table.get(fd).filter(|f| f.doubt != Doubt::None)
                // A call that began before may have used it while it was still there.
                && r.entry().is_some_and(|e| e >= entry.since.max(entry.touched))
            {
                let bad = r.ret == -i64::from(libc::EBADF);
                // A file that was opened with O_PATH is bad for most calls too.
                if !bad
                    && entry.doubt == Doubt::Closed
                    && let Some(entry) = table.get_mut(fd)
                {
                    entry.doubt = Doubt::None;
                }
            }
        }
    }

    /// Finds the files that the call names: before its effect those of the arguments, after it the result's, those of a
    /// pair that it filled, and again those of a socket that it gave an address.
    pub(super) fn look_up(
        &mut self,
        r: &Record,
        shape: &Shape,
        proc: &ProcRef,
        during_scan: bool,
        after: bool,
    ) {
        if !after {
            self.settle(r, shape, proc);
        }
        let table = proc.fds.borrow().clone();
        let table = table.borrow();
        let losses = self.losses();
        // What the call made is there since its exit.
        let began = if after { Some(r.time) } else { r.entry() };
        let find = |fd: u64| -> Option<(FileRef, bool)> {
            let fd = u32::try_from(fd as i32).ok()?;
            let (file, since, certain) = table.meant(fd, began)?;
            let named = self.proc_fs.finds(file, r.pid, fd);
            Some((file.clone(), !named || !certain || losses.doubt(since, r.time) || during_scan))
        };
        for (i, arg) in shape.args.iter().enumerate() {
            let Some(at) = arg.fdref.map(usize::from) else { continue };
            match arg.kind {
                Kind::Fd | Kind::DirFd => {
                    let changed = effects::tells_address(shape.effect);
                    if (!after || changed)
                        && let Some(slot) = self.files.get_mut(at)
                    {
                        *slot = find(r.word(i));
                    }
                }
                Kind::Struct(Struct::FdPair) if after && r.ret >= 0 => {
                    let item = arg.item.map(|n| r.item(usize::from(n)));
                    if let Some(RawItem::Bytes(pair, _)) = item {
                        for (n, fd) in pair.chunks_exact(4).take(2).enumerate() {
                            let fd = fd.try_into().map_or(u32::MAX, u32::from_le_bytes);
                            if let Some(slot) = self.files.get_mut(at + n) {
                                *slot = find(u64::from(fd));
                            }
                        }
                    }
                }
                _ => {}
            }
        }
        if after
            && r.ret >= 0
            && let Some(at) = shape.ret_ref()
            && let Some(slot) = self.files.get_mut(usize::from(at))
        {
            *slot = find(r.ret as u64);
        }
    }
}
