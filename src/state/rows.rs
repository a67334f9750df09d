//! Calls become rows.
//!
//! Enters: a record of a call. Leaves: its effect on the tables, and if it is wanted a row with the files that it names,
//! as they were before it or are after it, whichever the argument means. Never: a process's birth or end.

use super::intern::{self, Around};
use super::tables::{PendingExec, ProcRef};
use super::{ENTRIES, State, Wanted, effects, made};
use crate::batch::{Builder, Item, NONE, ProcId, Row, row_flags};
use crate::decode::{Fact, RawItem, Record};
use crate::schema::{self, Copied, Dir, Effect, Kind, Len, Shape, item};
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
    pub(super) fn proc_id(&mut self, b: &mut Builder, proc: &ProcRef) -> ProcId {
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
        let code = match r.code {
            abi::CALL_OTHER.. => schema::OTHER,
            code if compat => schema::COMPAT + code,
            code => code,
        };
        let shape = self.schema.shape(code);
        // The child's side of a clone returns 0 without having entered: not a call.
        if shape.effect == Effect::Clone && r.ret == 0 {
            self.seen.state += 1;
            return;
        }
        let of_all = r.flags & abi::F_STATE != 0 && effects::concerns_all(shape.effect);
        let proc = if of_all { self.acquainted(r.pid, r.time) } else { self.process(r.pid, r.time) };
        let program = match shape.effect {
            Effect::Exec if r.ret == 0 => proc.exec.borrow_mut().take(),
            _ => None,
        };
        let begun = program.as_ref().and_then(|p| p.by.as_ref());
        let (code, shape) = begun.map_or((code, shape), |by| (by.code, self.schema.shape(by.code)));
        let shown = r.flags & abi::F_STATE == 0 && wanted.wants(code);
        self.heed_parent(&proc, r);
        proc.speaks(r.tid);
        if r.tid != r.pid {
            proc.fds.borrow().borrow_mut().share();
        }
        let (read_begin, read_end) = proc.read.get();
        let during_scan = r.time < read_end;
        if shown && shape.refs > 0 {
            // What an argument names is what it was before the call: close and dup2 change it.
            self.files.clear();
            self.files.resize(usize::from(shape.refs), None);
            match (begun, self.files.first_mut()) {
                (Some(by), Some(dir)) => dir.clone_from(&by.dir),
                _ => self.look_up(r, shape, &proc, during_scan, false),
            }
        }
        let sends = matches!(shape.effect, Effect::Send | Effect::SendMsg);
        if compat && shape.effect != Effect::None && !sends && r.ret >= 0 {
            // The kernel is asked for nothing there: what such a call did to descriptors is not known.
            proc.fds.borrow().borrow_mut().untold();
        }
        let mut new = None;
        if shape.effect != Effect::None && !compat {
            let what = effects::concerns_all(shape.effect);
            let current = r.time >= if what { proc.scanned.get().0 } else { read_begin };
            // A new file is known by its own record, even if that is older than what /proc told.
            let made = made::made(r, shape, &mut self.name).or_else(|| made::made_by_text(r, shape, &proc));
            if let (Some((mut desc, cloexec)), Ok(fd)) = (made, u32::try_from(r.ret)) {
                if shape.effect == Effect::Accept {
                    made::check_accepted(&mut desc, r, shape, &proc);
                }
                new = Some(if current {
                    self.opened(&proc, r, shape, fd, desc, cloexec)
                } else {
                    self.new_file(&proc, r, shape, fd, desc)
                });
            } else if current {
                if matches!(shape.effect, Effect::Receive | Effect::ReceiveAll) {
                    self.receive(&proc, r);
                }
                effects::apply(&proc, r, shape);
                effects::tell_copies(&proc, r, shape);
                if during_scan {
                    effects::doubt_copy(&proc, r, shape);
                }
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
        if proc.is_doubtful(r.time) {
            flags |= row_flags::UNCERTAIN;
        }
        if shape.refs > 0 {
            let quiet = sends && !matches!(r.fact(), Fact::Sent(_));
            if !quiet && (shape.ret_ref().is_some() || effects::names_after(shape.effect)) {
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
        match begun {
            Some(by) => self.words.extend(by.words.iter().take(shape.words())),
            None if code == schema::OTHER => {
                self.words.extend(std::iter::once(r.word(6)).chain(r.words()).take(shape.words()));
            }
            None => self.words.extend(r.words().chain(std::iter::repeat(0)).take(shape.words())),
        }
        self.items.clear();
        if shape.effect == Effect::Exec {
            self.program_items(r, shape, program.as_ref(), b);
        } else if shape.items > 0 {
            self.items_of(r, shape, b);
        }
        if shape.lists && self.list(r, shape, &proc, during_scan, b) {
            flags |= row_flags::UNCERTAIN;
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
        if shape.lists {
            b.fdlist(&self.fdlist);
        }
    }

    /// The items of a call that starts a program. Of one that did, its registers are zero and its memory is gone: the exec
    /// record had both.
    fn program_items(&mut self, r: &Record, shape: &Shape, program: Option<&PendingExec>, b: &mut Builder) {
        if r.ret != 0 {
            let args = shape.args.iter().filter(|a| a.item.is_some());
            for (arg, raw) in args.zip(r.items().chain(std::iter::repeat(RawItem::Absent))) {
                let item = match (arg.kind, raw) {
                    (Kind::Environment, RawItem::Bytes(bytes, cut)) => {
                        let count = bytes.iter().filter(|b| **b == 0).count() as u32;
                        self.name.clear();
                        let count = if cut { item::UNCOUNTED } else { count };
                        self.name.extend_from_slice(&count.to_le_bytes());
                        self.name.extend_from_slice(bytes);
                        Item::new(b.string(&self.name), cut)
                    }
                    _ => plain(raw, b),
                };
                self.items.push(item);
            }
            return;
        }
        let begun = program.is_some_and(|p| p.by.is_some());
        for (i, arg) in shape.args.iter().enumerate() {
            if arg.kind == Kind::DirFd && !begun {
                self.words[i] = libc::AT_FDCWD as i64 as u64;
            }
            let found = match arg.kind {
                Kind::Path => program.and_then(|p| p.path.as_ref()).map(|path| (path, false)),
                Kind::Strings => program.and_then(|p| p.args.as_ref()).map(|(args, cut)| (args, *cut)),
                Kind::Environment => program.and_then(|p| p.env.as_ref()).map(|(env, cut)| (env, *cut)),
                _ => None,
            };
            if arg.item.is_some() {
                // Without that record nobody knows.
                self.items.push(found.map_or(Item::UNREADABLE, |(t, cut)| Item::new(b.string(t), cut)));
            }
        }
    }

    pub(super) fn items_of(&mut self, r: &Record, shape: &Shape, b: &mut Builder) {
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
        let entry = entry.as_ref().filter(|e| e.ret == i64::from(r.code));
        let items = || entry.into_iter().flat_map(Record::items);
        let mut before = items();
        // How much room there was: what the call tells may be more than it wrote.
        let early = shape.args.iter().filter(|a| a.item.is_some() && a.is_early());
        let room = early.zip(items()).find_map(|(arg, raw)| match raw {
            RawItem::Bytes(bytes, _) if arg.dir == Dir::Around => {
                bytes.first_chunk().map(|four| u32::from_le_bytes(*four) as usize)
            }
            _ => None,
        });
        let mut after = r.items();
        for (i, arg) in shape.args.iter().enumerate().filter(|(_, a)| a.item.is_some()) {
            let after = after.next().unwrap_or(RawItem::Absent);
            if !arg.is_early() {
                let fits = match (after, room) {
                    (RawItem::Bytes(bytes, cut), Some(room)) if is_measured(arg.kind) => {
                        let kept = bytes.get(..room);
                        RawItem::Bytes(
                            kept.unwrap_or(bytes),
                            cut || kept.is_some_and(|k| k.len() < bytes.len()),
                        )
                    }
                    _ => after,
                };
                self.items.push(plain(fits, b));
                continue;
            }
            let before = before.next().unwrap_or(RawItem::Unreadable);
            self.items.push(match arg.kind {
                _ if r.word(i) == 0 => Item::ABSENT,
                _ if arg.dir == Dir::Around && !schema::is_error(r.ret) => plain(after, b),
                _ if arg.dir == Dir::Around && entry.is_none() => Item::ABSENT,
                // A call that failed has not written: the set is what was asked.
                Kind::FdSet(_) if schema::is_error(r.ret) => sets(&mut self.name, after, RawItem::Absent, b),
                Kind::FdSet(_) => sets(&mut self.name, before, after, b),
                _ => plain(before, b),
            });
        }
    }
}

/// True for what has its length in memory, where the call puts another.
fn is_measured(kind: Kind) -> bool {
    match kind {
        Kind::Sockaddr(Len::At(_)) => true,
        Kind::By(choice) => matches!(choice.copied, Copied::Counted(Len::At(_), _)),
        _ => false,
    }
}

pub(super) fn plain(raw: RawItem, b: &mut Builder) -> Item {
    match raw {
        RawItem::Absent | RawItem::Entry => Item::ABSENT,
        RawItem::Unreadable => Item::UNREADABLE,
        RawItem::Bytes(bytes, cut) => Item::new(b.string(bytes), cut),
    }
}

/// The item of an `fd_set` before and after a call, see [`Kind::FdSet`].
pub(super) fn sets(buf: &mut Vec<u8>, before: RawItem, after: RawItem, b: &mut Builder) -> Item {
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
