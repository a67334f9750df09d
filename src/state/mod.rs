//! State: what every process is and has open, followed from record to record.
//!
//! Enters: records in order of time, and /proc. Leaves: rows in the open block, with everything they mention in its
//! dictionary. Never: a filter, an output.
//!
//! Three things: [`tables`] hold, [`effects`] change them, [`intern`] turns them into dictionary entries.
//!
//! Records come in order of exit; effects did not happen in that order. Two rules settle most of it (the rest is marked):
//! an entity that was read from /proc ignores records older than that reading, and a descriptor that comes while the table
//! holds its number as open takes the place of one whose close is still on its way.

mod effects;
mod intern;
mod net;
mod scan;
mod tables;

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::batch::{Builder, FileId, Item, NO_LATENCY, NONE, Row, proc_flags, row_flags};
use crate::decode::{RawItem, Record};
use crate::schema::{self, Effect, Kind, Schema, Shape, Struct};
use crate::source::abi;
use crate::users::Users;
use intern::Interner;
use scan::ProcFs;
use tables::{Fd, FileEntity, FileRef, PendingExec, ProcDesc, ProcEntity, ProcRef, TableRef, Text};

/// A process that ended stays known for this long: late records of other CPUs may mention it.
const LINGER: u64 = 2_000_000_000;
/// A process that could not be read is not asked for again before this.
const RETRY: u64 = 1_000_000_000;

/// Which records become rows.
pub trait Wanted {
    /// True if rows with this code are wanted.
    fn wants(&self, code: u16) -> bool;
}

impl<F: Fn(u16) -> bool> Wanted for F {
    fn wants(&self, code: u16) -> bool {
        self(code)
    }
}

/// Counts of what passed through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Records that became rows.
    pub rows: u64,
    /// Records that only changed state.
    pub state: u64,
    /// Events lost, by the gaps in the numbers of each CPU.
    pub lost: u64,
    /// Records that could not be understood; always 0 unless there is a bug.
    pub broken: u64,
}

/// All state.
pub struct State<'s> {
    schema: &'s Schema,
    proc_fs: ProcFs,
    interner: Interner,
    procs: FxHashMap<u32, ProcRef>,
    /// The process of the last record, if it stands in `procs` and is fully known: the next is mostly its too.
    latest: Option<(u32, ProcRef)>,
    /// Ended processes, by when they may be forgotten.
    ended: VecDeque<(u64, u32, ProcRef)>,
    /// Processes still to be read from /proc.
    unread: Vec<u32>,
    /// Whether processes that are not traced themselves are named as parents.
    ancestors: bool,
    /// Expected number of the next record, by CPU.
    next_seq: Vec<Option<u32>>,
    /// Processes that were born or got a new program under our eyes, and have not ended.
    live: FxHashSet<u32>,
    /// Time of the last loss: what was learnt before it may be stale.
    lost_at: u64,
    now: fn() -> u64,
    num: u64,
    seen: Seen,
    items: Vec<Item>,
    refs: Vec<FileId>,
    files: Vec<Option<(FileRef, bool)>>,
    words: Vec<u64>,
    /// Where a path is put together.
    name: Vec<u8>,
}

impl<'s> State<'s> {
    /// Empty state; `/proc` is at `proc_root`, `now` reads the boot clock.
    pub fn new(schema: &'s Schema, proc_root: &std::path::Path, users: Users, now: fn() -> u64) -> State<'s> {
        State {
            schema,
            proc_fs: ProcFs::new(proc_root),
            interner: Interner::new(users),
            procs: FxHashMap::default(),
            latest: None,
            ended: VecDeque::new(),
            unread: Vec::new(),
            ancestors: true,
            next_seq: Vec::new(),
            live: FxHashSet::default(),
            lost_at: 0,
            now,
            num: 0,
            seen: Seen::default(),
            items: Vec::new(),
            refs: Vec::new(),
            files: Vec::new(),
            words: Vec::new(),
            name: Vec::new(),
        }
    }

    /// Knows nothing of processes that are not traced themselves.
    pub fn without_ancestors(mut self) -> State<'s> {
        self.ancestors = false;
        self
    }

    /// Counts so far.
    pub fn seen(&self) -> Seen {
        self.seen
    }

    /// Number of the last event.
    pub fn num(&self) -> u64 {
        self.num
    }

    /// Plans to read every process that exists; [`State::read_some`] does it in slices.
    pub fn plan_scan(&mut self) {
        self.unread = self.proc_fs.pids();
    }

    /// Reads planned processes until `until` (boot clock, ns). True if there are more.
    pub fn read_some(&mut self, until: u64) -> bool {
        while let Some(pid) = self.unread.pop() {
            match self.procs.get(&pid) {
                None => {
                    self.read(pid);
                }
                // Met as an ancestor. Without its descriptors it would be no model for a child that it forks.
                Some(p) if !p.fds_known.get() && p.desc.borrow().flags & proc_flags::BARE == 0 => {
                    self.read_fds(&p.clone());
                }
                Some(_) => {}
            }
            if (self.now)() >= until {
                break;
            }
        }
        if self.unread.is_empty() {
            // The socket tables were a snapshot for this scan.
            self.proc_fs.forget_sockets();
        }
        !self.unread.is_empty()
    }

    /// Reads one process, its descriptors and its ancestors from /proc.
    pub fn read(&mut self, pid: u32) -> ProcRef {
        let begin = (self.now)();
        let Some(desc) = self.proc_fs.process(pid) else { return self.bare(pid, begin) };
        let parent = self.ancestor(desc.ppid, 0);
        let table = Rc::new(RefCell::new(tables::FdTable::default()));
        for open in self.proc_fs.fds(pid) {
            let file = FileEntity::new(open.desc);
            table.borrow_mut().set(open.fd, Fd { file, cloexec: open.cloexec, since: begin, replaced: None });
        }
        let proc = ProcEntity::new(desc, parent, table);
        proc.fds_known.set(true);
        proc.scanned.set((begin, (self.now)()));
        self.insert(pid, proc.clone());
        proc
    }

    /// An ancestor: without its descriptors, which nothing asks for until it has an event of its own.
    fn ancestor(&mut self, pid: u32, depth: usize) -> Option<ProcRef> {
        if pid == 0 || depth > 64 || !self.ancestors {
            return None;
        }
        if let Some(known) = self.procs.get(&pid) {
            return Some(known.clone());
        }
        let begin = (self.now)();
        let desc = self.proc_fs.process(pid)?;
        let parent = self.ancestor(desc.ppid, depth + 1);
        let proc = ProcEntity::new(desc, parent, TableRef::default());
        proc.scanned.set((begin, (self.now)()));
        self.insert(pid, proc.clone());
        Some(proc)
    }

    /// A process that is gone before it could be read.
    fn bare(&mut self, pid: u32, begin: u64) -> ProcRef {
        let desc = ProcDesc { pid, flags: proc_flags::BARE | proc_flags::UNCERTAIN, ..scan::unknown_ids() };
        let proc = ProcEntity::new(desc, None, TableRef::default());
        proc.scanned.set((0, begin));
        self.insert(pid, proc.clone());
        proc
    }

    fn insert(&mut self, pid: u32, proc: ProcRef) {
        self.latest = None;
        self.procs.insert(pid, proc);
    }

    fn remove(&mut self, pid: u32) -> Option<ProcRef> {
        self.latest = None;
        self.procs.remove(&pid)
    }

    /// The process with this id, read from /proc if it is new.
    #[inline]
    fn process(&mut self, pid: u32, time: u64) -> ProcRef {
        match &self.latest {
            Some((latest, p)) if *latest == pid => p.clone(),
            _ => self.find(pid, time),
        }
    }

    fn find(&mut self, pid: u32, time: u64) -> ProcRef {
        if let Some(p) = self.procs.get(&pid) {
            if p.fds_known.get() {
                self.latest = Some((pid, p.clone()));
                return p.clone();
            }
            let bare = p.desc.borrow().flags & proc_flags::BARE != 0 && time > p.scanned.get().1 + RETRY;
            if p.desc.borrow().flags & proc_flags::BARE != 0 && !bare {
                return p.clone();
            }
            if !bare {
                // Known as an ancestor only: now its descriptors are wanted too.
                return self.read_fds(&p.clone());
            }
        }
        // A record of a process that ended a moment ago.
        if let Some((.., p)) = self.ended.iter().rev().find(|(_, id, _)| *id == pid) {
            return p.clone();
        }
        self.read(pid)
    }

    fn read_fds(&mut self, proc: &ProcRef) -> ProcRef {
        let begin = (self.now)();
        let pid = proc.desc.borrow().pid;
        for open in self.proc_fs.fds(pid) {
            let file = FileEntity::new(open.desc);
            proc.fds
                .borrow()
                .borrow_mut()
                .set(open.fd, Fd { file, cloexec: open.cloexec, since: begin, replaced: None });
        }
        proc.fds_known.set(true);
        proc.scanned.set((begin, (self.now)()));
        proc.clone()
    }

    /// Takes one record in: changes state, and adds the rows that it stands for.
    pub fn take(&mut self, cpu: usize, bytes: &[u8], wanted: &impl Wanted, b: &mut Builder) {
        let Some(r) = Record::parse(bytes) else {
            self.seen.broken += 1;
            return;
        };
        self.check_sequence(cpu, &r, b);
        match r.code {
            abi::REC_FORK => self.fork(&r),
            abi::REC_EXEC => self.exec(&r),
            abi::REC_EXIT => self.exit(cpu, &r, wanted, b),
            abi::REC_RENAME => self.rename(&r),
            _ => self.call(cpu, &r, wanted, b),
        }
        while self.ended.front().is_some_and(|(until, ..)| *until < r.time) {
            self.ended.pop_front();
        }
    }

    /// A gap in the numbers of a CPU is a loss; it becomes a row where it happened.
    #[inline]
    fn check_sequence(&mut self, cpu: usize, r: &Record, b: &mut Builder) {
        if let Some(Some(next)) = self.next_seq.get_mut(cpu)
            && *next == r.seq
        {
            *next = r.seq.wrapping_add(1);
            return;
        }
        self.gap(cpu, r, b);
    }

    fn gap(&mut self, cpu: usize, r: &Record, b: &mut Builder) {
        if self.next_seq.len() <= cpu {
            self.next_seq.resize(cpu + 1, None);
        }
        let gap = self.next_seq[cpu].map_or(0, |next| r.seq.wrapping_sub(next));
        self.next_seq[cpu] = Some(r.seq.wrapping_add(1));
        if gap > 0 {
            self.lost(cpu, u64::from(gap), r.time, b);
        }
    }

    /// Sets where the numbers of a CPU begin, so that a loss before its first record is seen too.
    pub fn expect(&mut self, cpu: usize, seq: u64) {
        if self.next_seq.len() <= cpu {
            self.next_seq.resize(cpu + 1, None);
        }
        self.next_seq[cpu] = Some(seq as u32);
    }

    /// At the end: what the probe counted beyond the last record is lost too.
    pub fn close_sequence(&mut self, cpu: usize, produced: u64, time: u64, b: &mut Builder) {
        let gap =
            self.next_seq.get(cpu).copied().flatten().map_or(0, |next| (produced as u32).wrapping_sub(next));
        if gap > 0 && gap < u32::MAX / 2 {
            self.lost(cpu, u64::from(gap), time, b);
            self.expect(cpu, produced);
        }
    }

    /// Events were lost: a row says so where it happened, and what was learnt before is no longer certain.
    pub fn lost(&mut self, cpu: usize, count: u64, time: u64, b: &mut Builder) {
        self.seen.lost += count;
        self.lost_at = time;
        self.num += 1;
        let row = Row {
            num: self.num,
            time,
            latency: NO_LATENCY,
            call: schema::LOST,
            cpu: cpu as u16,
            tid: 0,
            proc: NONE,
            ret: 0,
            flags: 0,
        };
        b.push(row, &[count, cpu as u64], &[], &[]);
    }

    fn fork(&mut self, r: &Record) {
        self.seen.state += 1;
        let Some(f) = r.fork() else { return };
        if f.tid != f.pid {
            return;
        }
        let parent = self.process(r.pid, r.time);
        // A parent that was read after this fork is no model for the child: it is read itself. If it is gone already, at
        // least whose child it was is known.
        if r.time < parent.scanned.get().1 {
            self.remove(f.pid);
            let child = self.read(f.pid);
            if child.desc.borrow().flags & proc_flags::BARE != 0 {
                // Gone before it could be read: it was what its parent was, as far as that is still so.
                let mut desc = parent.desc.borrow().clone();
                (desc.pid, desc.ppid, desc.start, desc.vpid) = (f.pid, r.pid, scan::to_tick(f.start), 0);
                desc.flags |= proc_flags::UNCERTAIN;
                child.change(|d| *d = desc);
                let table = parent.fds.borrow().borrow().clone();
                *child.fds.borrow_mut() = Rc::new(RefCell::new(table));
                child.fds_known.set(parent.fds_known.get());
                // Names of the time before the parent was read are marked, effects apply.
                child.scanned.set((0, parent.scanned.get().1));
                *child.parent.borrow_mut() = Some(parent);
            }
            self.live.insert(f.pid);
            return;
        }
        let mut desc = parent.desc.borrow().clone();
        (desc.pid, desc.ppid, desc.start, desc.vpid) = (f.pid, r.pid, scan::to_tick(f.start), 0);
        desc.flags &= !proc_flags::BARE;
        let table = parent.fds.borrow().clone();
        let table = if f.shares & abi::FORK_FILES != 0 {
            table
        } else {
            Rc::new(RefCell::new(table.borrow().clone()))
        };
        let child = ProcEntity::new(desc, Some(parent.clone()), table);
        child.fds_known.set(parent.fds_known.get());
        self.insert(f.pid, child);
        self.live.insert(f.pid);
    }

    fn exec(&mut self, r: &Record) {
        self.seen.state += 1;
        let Some(e) = r.exec() else { return };
        let proc = self.process(r.pid, r.time);
        let bytes = |item: RawItem| match item {
            RawItem::Bytes(b, cut) => Some((Text::from(b), cut)),
            _ => None,
        };
        let (path, args) = (bytes(e.path), bytes(e.args));
        let cut = args.as_ref().is_some_and(|(_, cut)| *cut);
        let args = args.map(|(a, _)| a);
        *proc.exec.borrow_mut() = Some(PendingExec { path: path.map(|(p, _)| p), args: args.clone(), cut });
        if r.time < proc.scanned.get().0 {
            return;
        }
        let mut exe = Vec::with_capacity(64);
        e.exe.write(&mut exe);
        proc.change(|d| {
            d.comm = bytes(e.comm).map(|(c, _)| c).or_else(|| d.comm.take());
            d.exepath = (e.exe.status != abi::PATH_GONE).then(|| Text::from(exe.as_slice()));
            d.args = args;
            d.flags &= !(proc_flags::ARGS_CUT | proc_flags::UNCERTAIN | proc_flags::BARE);
            d.flags |= if cut { proc_flags::ARGS_CUT } else { 0 };
            (d.ruid, d.rgid, d.uid, d.gid) = (e.creds.uid, e.creds.gid, e.creds.euid, e.creds.egid);
        });
        effects::exec_closes(&proc);
        self.live.insert(r.pid);
    }

    fn rename(&mut self, r: &Record) {
        self.seen.state += 1;
        if r.tid != r.pid {
            return;
        }
        if let Some(RawItem::Bytes(name, _)) = r.name() {
            let proc = self.process(r.pid, r.time);
            if r.time >= proc.scanned.get().0 && proc.desc.borrow().comm.as_deref() != Some(name) {
                proc.change(|d| d.comm = Some(Text::from(name)));
            }
        }
    }

    fn exit(&mut self, cpu: usize, r: &Record, wanted: &impl Wanted, b: &mut Builder) {
        let Some(e) = r.exit() else { return };
        let proc = self.process(r.pid, r.time);
        // A thread that ended by itself did so in exit or exit_group, which never return: this is their event.
        let call = u16::try_from(e.nr).ok().filter(|nr| *nr < schema::EVENTS).map(|nr| self.schema.shape(nr));
        let by_call = call.filter(|s| s.ret == schema::Ret::None && e.code & 0x7f == 0 && s.args.len() == 1);
        let mut shown = false;
        if let Some(shape) = by_call.filter(|s| wanted.wants(s.code)) {
            let status = (e.code >> 8) & 0xff;
            self.push(cpu, r, shape.code, &proc, row_flags::UNFINISHED, &[u64::from(status)], b);
            shown = true;
        }
        if e.last {
            self.live.remove(&r.pid);
            if wanted.wants(schema::PROCEXIT) {
                let code = if e.group_code != 0 { e.group_code } else { e.code };
                let words = [u64::from((code >> 8) & 0xff), u64::from(code & 0x7f)];
                let mut end = *r;
                end.latency = NO_LATENCY;
                self.push(cpu, &end, schema::PROCEXIT, &proc, 0, &words, b);
                shown = true;
            }
            if let Some(gone) = self.remove(r.pid) {
                self.ended.push_back((r.time + LINGER, r.pid, gone));
            }
        }
        self.seen.state += u64::from(!shown);
    }

    /// A row without items and references.
    #[allow(clippy::too_many_arguments, reason = "the parts of a row")]
    fn push(
        &mut self,
        cpu: usize,
        r: &Record,
        code: u16,
        proc: &ProcRef,
        flags: u16,
        words: &[u64],
        b: &mut Builder,
    ) {
        let id = self.interner.proc(b, proc);
        self.num += 1;
        self.seen.rows += 1;
        let row = Row {
            num: self.num,
            time: r.time,
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

    fn call(&mut self, cpu: usize, r: &Record, wanted: &impl Wanted, b: &mut Builder) {
        let compat = r.flags & abi::F_COMPAT != 0;
        let code = if compat { schema::COMPAT.saturating_add(r.code) } else { r.code };
        let shape = self.schema.shape(code);
        // The child's side of a clone returns 0 without having entered: not a call.
        if shape.effect == Effect::Clone && r.ret == 0 {
            self.seen.state += 1;
            return;
        }
        let shown = r.flags & abi::F_STATE == 0 && wanted.wants(code);
        let proc = self.process(r.pid, r.time);
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
        let id = self.interner.proc(b, &proc);
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
        self.num += 1;
        self.seen.rows += 1;
        let row = Row {
            num: self.num,
            time: r.time,
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
    fn look_up(&mut self, r: &Record, shape: &Shape, proc: &ProcRef, during_scan: bool, after: bool) {
        let table = proc.fds.borrow().clone();
        let table = table.borrow();
        let lost_at = self.lost_at;
        let find = |fd: u64| -> Option<(FileRef, bool)> {
            let fd = u32::try_from(fd as i32).ok()?;
            let slot = table.get(fd)?;
            // The call began before the slot's present file came: it may have meant the one before.
            let raced = !after && r.entry().is_some_and(|entry| entry < slot.since);
            let stale = slot.since < lost_at;
            let file = match &slot.replaced {
                Some(old) if raced => old,
                _ => &slot.file,
            };
            Some((file.clone(), (raced && slot.replaced.is_some()) || stale || during_scan))
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

    fn items_of(&mut self, r: &Record, shape: &Shape, proc: &ProcRef, b: &mut Builder) {
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
        for raw in r.items().take(usize::from(shape.items)) {
            self.items.push(match raw {
                RawItem::Absent => Item::ABSENT,
                RawItem::Unreadable => Item::UNREADABLE,
                RawItem::Bytes(bytes, cut) => Item::new(b.string(bytes), cut),
            });
        }
        self.items.resize(usize::from(shape.items), Item::ABSENT);
    }

    /// True if a process that was born or got a new program under our eyes is still there. After a loss /proc decides.
    pub fn any_alive(&mut self) -> bool {
        if self.seen.lost > 0 {
            let proc_fs = &self.proc_fs;
            self.live.retain(|pid| proc_fs.exists(*pid));
        }
        !self.live.is_empty()
    }

    /// Number of processes and descriptors held, for the memory's sake.
    pub fn sizes(&self) -> (usize, usize) {
        let fds = self.procs.values().map(|p| p.fds.borrow().borrow().len()).sum();
        (self.procs.len(), fds)
    }
}
