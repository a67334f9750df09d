//! Calls become rows.
//!
//! Enters: a record of a call. Leaves: its effect on the tables, and if it is wanted a row with the files that it names,
//! as they were before it or are after it, whichever the argument means. Never: a process's birth or end.

use super::intern::{self, Around};
use super::tables::{FileEntity, FileRef, ProcRef};
use super::{ENTRIES, State, Wanted, effects};
use crate::batch::{Builder, Item, NONE, ProcId, Row, row_flags};
use crate::decode::{RawItem, Record};
use crate::schema::{self, Effect, Kind, Shape, Struct, item};
use crate::source::abi;

impl State<'_> {
    /// A row without items and references.
    #[allow(clippy::too_many_arguments, reason = "the parts of a row")]
    pub(super) fn push(
        &mut self,
        cpu: usize,
        r: &Record,
        code: u16,
        proc: &ProcRef,
        flags: u16,
        words: &[u64],
        b: &mut Builder,
    ) {
        let id = self.proc_id(b, proc);
        self.seen.rows += 1;
        let (num, delta) = self.count(r.time);
        let row = Row {
            num,
            time: r.time,
            delta,
            latency: r.latency,
            call: code,
            cpu: cpu as u16,
            tid: r.tid,
            proc: id,
            ret: 0,
            flags,
        };
        b.push(row, words, &[], &[]);
    }

    /// The id of a process in the open block.
    #[inline]
    fn proc_id(&mut self, b: &mut Builder, proc: &ProcRef) -> ProcId {
        intern::known(b, proc).unwrap_or_else(|| {
            let State { procs, proc_fs, lost_at, interner, .. } = self;
            interner.proc(b, proc, &Around { procs, proc_fs, lost_at: *lost_at })
        })
    }

    /// A shell puts its children into groups: setpgid reaches beyond the process that called.
    fn group_child(&self, r: &Record, proc: &ProcRef) {
        let (pid, pgid) = (r.word(0) as u32, r.word(1) as u32);
        let is_host = {
            let d = proc.desc.borrow();
            d.vpid == d.pid && d.pid != pid
        };
        // Numbers of another pid namespace name nobody here.
        if r.ret == 0
            && is_host
            && let Some(child) = self.procs.get(&pid)
            && r.time >= child.scanned.get().0
        {
            child.change(|d| d.pgid = if pgid == 0 { pid } else { pgid });
        }
    }

    pub(super) fn call(&mut self, cpu: usize, r: &Record, wanted: &impl Wanted, b: &mut Builder) {
        let compat = r.flags & abi::F_COMPAT != 0;
        let code = if compat { schema::COMPAT.saturating_add(r.code) } else { r.code };
        let shape = self.schema.shape(code);
        // The child's side of a clone returns 0 without having entered: not a call.
        if shape.effect == Effect::Clone && r.ret == 0 {
            self.seen.state += 1;
            return;
        }
        let shown = r.flags & abi::F_STATE == 0 && wanted.wants(code);
        let of_all = r.flags & abi::F_STATE != 0 && effects::concerns_all(shape.effect);
        let proc = if of_all { self.acquainted(r.pid, r.time) } else { self.process(r.pid, r.time) };
        self.heed_parent(&proc, r);
        proc.speaks(r.tid);
        if r.tid != r.pid {
            proc.fds.borrow().borrow_mut().share();
        }
        let (scan_begin, scan_end) = proc.scanned.get();
        let during_scan = r.time < scan_end;
        if shown && shape.refs > 0 {
            // What an argument names is what it was before the call: close and dup2 change it.
            self.files.clear();
            self.files.resize(usize::from(shape.refs), None);
            self.look_up(r, shape, &proc, during_scan, false);
        }
        let mut new = None;
        if shape.effect != Effect::None && !compat {
            let current = r.time >= scan_begin;
            // A new file is known by its own record, even if that is older than what /proc told.
            let made =
                effects::made(r, shape, &mut self.name).or_else(|| effects::made_by_text(r, shape, &proc));
            if let (Some((desc, cloexec)), Ok(fd)) = (made, u32::try_from(r.ret)) {
                let file = FileEntity::new(desc);
                if current {
                    effects::place(&proc.fds.borrow(), fd, file.clone(), cloexec, r.time);
                }
                new = Some(file);
            } else if current {
                effects::apply(&proc, r, shape);
                if shape.effect == Effect::Setpgid {
                    self.group_child(r, &proc);
                }
            }
        }
        if !shown {
            self.seen.state += 1;
            return;
        }
        let mut flags = if compat { row_flags::COMPAT } else { 0 };
        if shape.refs > 0 {
            if shape.ret_ref().is_some() || effects::names_after(shape.effect) {
                self.look_up(r, shape, &proc, during_scan, true);
            }
            let result = shape.ret_ref().and_then(|at| self.files.get_mut(usize::from(at)));
            if let (Some(slot), Some(file)) = (result, new) {
                *slot = Some((file, false));
            }
        }
        let id = self.proc_id(b, &proc);
        self.refs.clear();
        if shape.refs > 0 {
            for file in &self.files {
                let id = file.as_ref().map_or(NONE, |(f, uncertain)| {
                    flags |= if *uncertain { row_flags::UNCERTAIN } else { 0 };
                    self.interner.file(b, f, *uncertain)
                });
                self.refs.push(id);
            }
        }
        self.words.clear();
        self.words.extend(r.words().chain(std::iter::repeat(0)).take(shape.words()));
        self.items.clear();
        if shape.items > 0 {
            self.items_of(r, shape, &proc, b);
        }
        self.seen.rows += 1;
        let (num, delta) = self.count(r.time);
        let row = Row {
            num,
            time: r.time,
            delta,
            latency: r.latency,
            call: code,
            cpu: cpu as u16,
            tid: r.tid,
            proc: id,
            ret: r.ret,
            flags,
        };
        b.push(row, &self.words, &self.items, &self.refs);
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
        let table = proc.fds.borrow().clone();
        let table = table.borrow();
        let lost_at = self.lost_at;
        // What the call made is there since its exit.
        let began = if after { Some(r.time) } else { r.entry() };
        let find = |fd: u64| -> Option<(FileRef, bool)> {
            let (file, since, certain) = table.meant(u32::try_from(fd as i32).ok()?, began)?;
            Some((file.clone(), !certain || since < lost_at || during_scan))
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

    pub(super) fn items_of(&mut self, r: &Record, shape: &Shape, proc: &ProcRef, b: &mut Builder) {
        if shape.effect == Effect::Exec && r.ret == 0 {
            // Its registers are zero and its memory is gone; the exec record had both.
            let pending = proc.exec.borrow_mut().take();
            let pending = pending.as_ref();
            for (i, arg) in shape.args.iter().enumerate() {
                if arg.kind == Kind::DirFd {
                    self.words[i] = libc::AT_FDCWD as i64 as u64;
                }
                if arg.item.is_none() {
                    continue;
                }
                let (text, cut) = match (arg.kind, &*arg.name) {
                    (Kind::Path, _) => (pending.and_then(|p| p.path.as_ref()), false),
                    (Kind::Strings, "argv") => {
                        (pending.and_then(|p| p.args.as_ref()), pending.is_some_and(|p| p.cut))
                    }
                    _ => (None, false),
                };
                self.items.push(text.map_or(Item::ABSENT, |t| Item::new(b.string(t), cut)));
            }
            return;
        }
        if shape.early {
            return self.joined_items(r, shape, b);
        }
        for raw in r.items().take(usize::from(shape.items)) {
            self.items.push(plain(raw, b));
        }
        self.items.resize(usize::from(shape.items), Item::ABSENT);
    }

    /// Keeps what a call that begins will overwrite until its end.
    pub(super) fn entry(&mut self, r: &Record, bytes: &[u8]) {
        self.seen.state += 1;
        if self.entries.len() >= ENTRIES {
            self.entries.clear();
        }
        let (time, kept) = self.entries.entry(r.tid).or_default();
        *time = r.time;
        kept.clear();
        kept.extend_from_slice(bytes);
    }

    /// The items of a call of which some were copied at its entry. Those of another call of the same thread are not taken
    /// for its own: what is missing is unreadable.
    fn joined_items(&mut self, r: &Record, shape: &Shape, b: &mut Builder) {
        let kept = self.entries.remove(&r.tid).filter(|(time, _)| r.entry() == Some(*time));
        let entry = kept.as_ref().and_then(|(_, bytes)| Record::parse(bytes));
        let mut before = entry.iter().filter(|e| e.ret == i64::from(r.code)).flat_map(Record::items);
        let mut after = r.items();
        for (i, arg) in shape.args.iter().enumerate().filter(|(_, a)| a.item.is_some()) {
            let after = after.next().unwrap_or(RawItem::Absent);
            if !arg.is_early() {
                self.items.push(plain(after, b));
                continue;
            }
            let before = before.next().unwrap_or(RawItem::Unreadable);
            self.items.push(match arg.kind {
                _ if r.word(i) == 0 => Item::ABSENT,
                // A call that failed has not written: the set is what was asked.
                Kind::FdSet(_) if schema::is_error(r.ret) => sets(&mut self.name, after, RawItem::Absent, b),
                Kind::FdSet(_) => sets(&mut self.name, before, after, b),
                _ => plain(before, b),
            });
        }
    }
}

fn plain(raw: RawItem, b: &mut Builder) -> Item {
    match raw {
        RawItem::Absent | RawItem::Entry => Item::ABSENT,
        RawItem::Unreadable => Item::UNREADABLE,
        RawItem::Bytes(bytes, cut) => Item::new(b.string(bytes), cut),
    }
}

/// The item of an `fd_set` before and after a call, see [`Kind::FdSet`].
fn sets(buf: &mut Vec<u8>, before: RawItem, after: RawItem, b: &mut Builder) -> Item {
    let parts = [before, after].map(|raw| match raw {
        RawItem::Bytes(bytes, cut) => (bytes.len() as i32, bytes, cut),
        RawItem::Unreadable => (item::SET_UNREADABLE, &[][..], false),
        RawItem::Absent | RawItem::Entry => (item::SET_NONE, &[][..], false),
    });
    if parts.iter().all(|p| p.0 < 0) {
        return Item::UNREADABLE;
    }
    buf.clear();
    for (len, ..) in parts {
        buf.extend_from_slice(&len.to_le_bytes());
    }
    for (_, bytes, _) in parts {
        buf.extend_from_slice(bytes);
    }
    Item::new(b.string(buf), parts.iter().any(|p| p.2))
}
