//! State from rows: what processes were and had open at a moment of a capture.
//!
//! Enters: rows of snapshots, then those of events, in order of time. Leaves: tables as a live capture has them, of which
//! rows are made in the same way ([`super::Snapshot`]). Never: a record, /proc.
//!
//! A row names what its call did: the entry of its process says all of it, its references are the files that came of it.
//! So there are no facts to be looked up here; what only the kernel knew stands in the dictionary.

mod calls;
mod entries;

use calls::Call;
use entries::{desc, file_desc, same, unknown};
use rustc_hash::{FxHashMap, FxHashSet};

use super::containers::Containers;
use super::descriptors::{Fd, FdTable, TableRef};
use super::tables::{FileEntity, FileRef, ProcDesc, ProcEntity, ProcRef};
use super::uring::FIXED_FILE;
use super::{State, effects};
use crate::batch::{Batch, FileId, NO_LATENCY, NONE, Proc, ProcId, file_flags, proc_flags, row_flags};
use crate::schema::{self, CALLS, Effect, Schema};
use crate::users::Users;

/// Births that wait for a process to show itself, at most.
const BIRTHS: usize = 1 << 16;

/// A child whose number is known in its parent's pid namespace only.
struct Birth {
    vpid: u32,
    /// It is in another one than its parent, which has no number of it.
    elsewhere: bool,
    /// When the call began and returned that made it.
    between: (u64, u64),
    desc: ProcDesc,
    table: FdTable,
    known: bool,
}

/// One host's state, followed through the rows of a capture.
pub struct Replay<'s> {
    state: State<'s>,
    /// What the calls of the present file do, by code.
    effects: Vec<Effect>,
    /// Entries of the present block that have been taken in.
    procs: Vec<Option<ProcRef>>,
    files: Vec<Option<FileRef>>,
    /// Sockets by inode: who holds one sees its address change, whoever calls.
    sockets: FxHashMap<u64, FileRef>,
    births: Vec<Birth>,
    /// Processes whose children are born into another pid namespace than their own: they unshared theirs, or joined one.
    parted: FxHashSet<u32>,
    /// Pids of the snapshot that is being read.
    there: FxHashSet<u32>,
    /// Time of the last event.
    last: u64,
    /// Rows were left out by a filter: what is open now, nobody knows.
    filtered: bool,
}

/// CLONE_* (include/uapi/linux/sched.h).
const CLONE_FILES: u64 = 0x400;
const CLONE_PARENT: u64 = 0x8000;
const CLONE_THREAD: u64 = 0x1_0000;
const CLONE_NEWPID: u64 = 0x2000_0000;
/// The resolution of a start (ns): a tick of /proc.
const TICK: u64 = 10_000_000;

/// True if a process that started then was made by a call that lasted from one time to the other.
fn fits(start: u64, (began, returned): (u64, u64)) -> bool {
    start != 0 && start <= returned && start.saturating_add(TICK) > began
}

fn never() -> u64 {
    0
}

impl<'s> Replay<'s> {
    /// Nothing is known yet. `filtered`: the capture left events out.
    pub fn new(schema: &'s Schema, filtered: bool) -> Replay<'s> {
        // What is below this is no directory: nothing of this host gets into what another one was.
        let mut state = State::new(schema, std::path::Path::new("/dev/null"), Users::default(), never)
            .without_ancestors();
        state.interner.containers = Containers::told();
        state.follow_some();
        Replay {
            state,
            effects: Vec::new(),
            procs: Vec::new(),
            files: Vec::new(),
            sockets: FxHashMap::default(),
            births: Vec::new(),
            parted: FxHashSet::default(),
            there: FxHashSet::default(),
            last: 0,
            filtered,
        }
    }

    /// The tables as they are now. What a parent's end has left open is marked.
    pub fn finish(&mut self) -> &mut State<'s> {
        let orphans = self.state.procs.values().filter(|p| {
            let ppid = p.desc.borrow().ppid;
            ppid != 0 && !self.state.procs.contains_key(&ppid)
        });
        orphans.for_each(|p| p.change(|d| d.flags |= proc_flags::UNCERTAIN));
        &mut self.state
    }

    /// Something is missing here: what was known is no longer certain.
    pub fn doubt(&mut self) {
        self.state.lost_at = self.state.taken.saturating_add(1);
    }

    /// Rows of another file come, in which codes may mean something else.
    pub fn begin_file(&mut self, schema: &Schema) {
        let by_name: FxHashMap<&str, Effect> = CALLS.iter().map(|c| (c.name, c.effect)).collect();
        self.effects =
            schema.shapes().map(|s| by_name.get(&*s.name).copied().unwrap_or(Effect::None)).collect();
    }

    /// Rows of another block come.
    pub fn begin_block(&mut self, batch: &Batch) {
        self.procs.clear();
        self.procs.resize(batch.dict.procs.len(), None);
        self.files.clear();
        self.files.resize(batch.dict.files.len(), None);
        let d = &batch.dict;
        for p in d.procs {
            if let (Some(path), Some(c)) = (d.strings.find(p.cgroup), d.container(p.container)) {
                self.state.interner.containers.tell(d, path, c);
            }
        }
        let users = self.state.interner.users();
        for u in d.users {
            if let Some(name) = d.strings.find(u.name) {
                users.add_user(u.uid, name, d.strings.get(u.home), d.strings.get(u.shell));
            }
        }
        for g in d.groups {
            if let Some(name) = d.strings.find(g.name) {
                users.add_group(g.gid, name);
            }
        }
    }

    /// Takes a row in.
    pub fn row(&mut self, batch: &Batch, row: usize) {
        let (Some(&code), Some(&time), Some(&id)) =
            (batch.call.get(row), batch.time.get(row), batch.proc.get(row))
        else {
            return;
        };
        self.state.taken = self.state.taken.max(time);
        self.state.num = batch.num.get(row).copied().unwrap_or(0).max(self.state.num);
        match code {
            schema::SNAPSHOT => self.there.clear(),
            schema::PROCESS => self.process(batch, row, id, time),
            schema::DESCRIPTOR => self.descriptor(batch, row, id, time),
            schema::LOST => self.state.lost_at = time,
            _ => {
                self.last = self.last.max(time);
                self.event(batch, row, code, id, time);
            }
        }
    }

    /// A process of a snapshot.
    fn process(&mut self, batch: &Batch, row: usize, id: ProcId, time: u64) {
        let Some(p) = batch.dict.proc(id) else { return };
        if !self.there.insert(p.pid) && self.state.procs.get(&p.pid).is_some_and(|k| same(k, p)) {
            return;
        }
        let proc = ProcEntity::new(desc(batch, p, None), self.parent(p.ppid), TableRef::default());
        if batch.flags_of(row) & row_flags::UNCERTAIN != 0 {
            proc.change(|d| d.flags |= proc_flags::UNCERTAIN);
        }
        proc.fds_known.set(true);
        proc.scanned.set((time.saturating_add(1), 0));
        self.state.insert(p.pid, proc.clone());
        self.cache(id, &proc);
    }

    /// A descriptor of a snapshot.
    fn descriptor(&mut self, batch: &Batch, row: usize, id: ProcId, time: u64) {
        let Some(p) = batch.dict.proc(id) else { return };
        let proc = match self.state.procs.get(&p.pid).filter(|k| same(k, p)) {
            Some(known) => known.clone(),
            None => {
                // The filter of a cut wanted descriptors only.
                let new = ProcEntity::new(desc(batch, p, None), self.parent(p.ppid), TableRef::default());
                new.scanned.set((time.saturating_add(1), 0));
                new.fds_known.set(true);
                self.state.insert(p.pid, new.clone());
                new
            }
        };
        let (words, refs) = (batch.words_of(row), batch.refs_of(row));
        let Some(fd) = words.first().and_then(|n| u32::try_from(*n).ok()) else { return };
        // Through a pipe it may come behind events that have changed what it says.
        let late = if time < self.last { row_flags::UNCERTAIN } else { 0 };
        let file = self.file(batch, refs.first().copied().unwrap_or(NONE), batch.flags_of(row) | late);
        let cloexec = words.get(1).is_some_and(|w| *w != 0);
        proc.fds.borrow().borrow_mut().replace(fd, Fd { cloexec, since: time, read: true, ..Fd::new(file) });
    }

    fn parent(&self, ppid: u32) -> Option<ProcRef> {
        self.state.procs.get(&ppid).cloned()
    }

    fn cache(&mut self, id: ProcId, proc: &ProcRef) {
        if let Some(slot) = self.procs.get_mut(id as usize) {
            *slot = Some(proc.clone());
        }
    }

    /// The process that a row is of, as its entry says that it is.
    fn of_row(&mut self, batch: &Batch, id: ProcId, time: u64) -> Option<ProcRef> {
        if let Some(known) = self.procs.get(id as usize)? {
            known.trusted.set(self.state.lost_at);
            return Some(known.clone());
        }
        let p = batch.dict.proc(id)?;
        let known = self.state.procs.get(&p.pid).filter(|k| same(k, p)).cloned();
        let proc = match known {
            Some(known) if time < known.scanned.get().0 => return Some(known),
            Some(known) => known,
            None => self.born(batch, p, time),
        };
        let now = desc(batch, p, Some(&proc.desc.borrow()));
        proc.change(|d| *d = now);
        *proc.parent.borrow_mut() = self.parent(p.ppid);
        proc.trusted.set(self.state.lost_at);
        self.cache(id, &proc);
        // Whoever is named as a parent is there.
        if let Some(of) = batch.dict.proc(p.parent).filter(|of| !self.state.procs.contains_key(&of.pid)) {
            let new = ProcEntity::new(desc(batch, of, None), self.parent(of.ppid), TableRef::default());
            self.state.insert(of.pid, new);
        }
        Some(proc)
    }

    /// A process that was not known: of a call whose return was seen, or of one whose return is still to come.
    fn born(&mut self, batch: &Batch, p: &Proc, time: u64) -> ProcRef {
        let mine = |b: &Birth| {
            b.desc.ppid == p.ppid && if b.elsewhere { fits(p.start, b.between) } else { b.vpid == p.vpid }
        };
        let (table, known) = match self.births.iter().position(mine).map(|at| self.births.swap_remove(at)) {
            Some(birth) => (birth.table, birth.known),
            None => match self.state.procs.get(&p.ppid).filter(|of| of.desc.borrow().start <= p.start) {
                // A tick is 10 ms: what came since may have come before the fork or after it.
                Some(of) if p.start != 0 => (inherited(of, p.start), of.fds_known.get()),
                _ => (FdTable::default(), false),
            },
        };
        let child =
            ProcEntity::new(desc(batch, p, None), self.parent(p.ppid), std::rc::Rc::new(table.into()));
        child.fds_known.set(known);
        child.counted.set(time);
        self.state.insert(p.pid, child.clone());
        child
    }

    /// A call that made a process has returned in its parent.
    fn forked(&mut self, proc: &ProcRef, flags: u64, ret: i64, (begin, time): (u64, u64)) {
        let Ok(pid) = u32::try_from(ret) else { return };
        if flags & (CLONE_THREAD | CLONE_FILES) != 0 {
            proc.fds.borrow().borrow_mut().share();
        }
        if flags & CLONE_THREAD != 0 || pid == 0 {
            return;
        }
        let of = proc.desc.borrow().clone();
        let ppid = if flags & CLONE_PARENT != 0 { of.ppid } else { of.pid };
        let outside = of.vpid == of.pid || of.vpid == 0;
        let elsewhere = !outside && (flags & CLONE_NEWPID != 0 || self.parted.contains(&of.pid));
        // Without its beginning any child of that number is this one.
        let since = if begin == time { 0 } else { begin };
        // It has been seen already: what shares its descriptors is not told apart from what it did to its own.
        let seen = |p: &ProcRef| {
            let d = p.desc.borrow();
            let it = match (outside, elsewhere) {
                (true, _) => d.pid == pid,
                (false, true) => fits(d.start, (begin, time)),
                (false, false) => d.vpid == pid,
            };
            it && d.ppid == ppid && p.counted.get() >= since
        };
        let known = match outside {
            true => self.state.procs.get(&pid).filter(|p| seen(p)),
            false => self.state.procs.values().find(|p| seen(p)),
        };
        if let Some(child) = known {
            if flags & CLONE_FILES != 0 {
                doubt(&child.fds.borrow());
            }
            return;
        }
        let mut desc = ProcDesc { pid, ppid, vpid: pid, start: 0, threads: 1, ..of };
        desc.flags &= !proc_flags::BARE;
        let known = proc.fds_known.get();
        if !outside {
            if self.births.len() >= BIRTHS {
                self.births.clear();
            }
            let (table, between) = (inherited(proc, begin), (begin, time));
            self.births.push(Birth { vpid: pid, elsewhere, between, desc, table, known });
            return;
        }
        let table = match flags & CLONE_FILES {
            0 => std::rc::Rc::new(inherited(proc, begin).into()),
            _ => proc.fds.borrow().clone(),
        };
        let child = ProcEntity::new(desc, self.parent(ppid), table);
        child.fds_known.set(known);
        child.trusted.set(proc.trusted.get());
        child.counted.set(time);
        self.state.insert(pid, child);
    }

    /// The file of a reference.
    fn file(&mut self, batch: &Batch, id: FileId, flags: u16) -> FileRef {
        let marked = flags & row_flags::UNCERTAIN != 0 || self.filtered;
        let cached = self.files.get(id as usize).and_then(Option::as_ref);
        if let Some(known) = cached.filter(|_| !marked) {
            return known.clone();
        }
        let mut desc = batch.dict.file(id).map_or_else(unknown, |f| file_desc(batch, f));
        desc.flags |= if marked { file_flags::UNCERTAIN } else { 0 };
        let socket = desc.kind.is_socket() && desc.ino != 0 && desc.flags & file_flags::UNCERTAIN == 0;
        let file = match self.sockets.get(&desc.ino).filter(|_| socket) {
            // The newer description holds for everybody.
            Some(known) => {
                known.change(|d| *d = desc);
                known.clone()
            }
            None => {
                let ino = desc.ino;
                let new = FileEntity::new(desc);
                if socket {
                    self.sockets.insert(ino, new.clone());
                }
                new
            }
        };
        if let Some(slot) = self.files.get_mut(id as usize).filter(|_| !marked) {
            *slot = Some(file.clone());
        }
        file
    }

    /// What an event did.
    fn event(&mut self, batch: &Batch, row: usize, code: u16, id: ProcId, time: u64) {
        let flags = batch.flags_of(row);
        let Some(proc) = self.of_row(batch, id, time) else { return };
        if time < proc.scanned.get().0 {
            return;
        }
        let pid = proc.desc.borrow().pid;
        if code == schema::PROCEXIT {
            self.state.remove(pid);
            self.parted.remove(&pid);
            return;
        }
        if batch.tid.get(row).is_some_and(|tid| *tid != pid) {
            proc.fds.borrow().borrow_mut().share();
        }
        let effect = self.effects.get(usize::from(code)).copied().unwrap_or(Effect::None);
        let (shape, ret) = (batch.shape_of(row), batch.ret_of(row));
        if flags & row_flags::UNFINISHED != 0 {
            // A ring may close without saying so.
            if effect == Effect::Close
                && let Some(Ok(fd)) = batch.words_of(row).first().map(|fd| u32::try_from(*fd as i32))
            {
                effects::mark(&proc.fds.borrow(), fd);
            }
            return;
        }
        if flags & row_flags::COMPAT != 0 {
            // What these did is told by nobody.
            let none = matches!(effect, Effect::None | Effect::Send | Effect::SendMsg);
            if !none && !schema::is_error(ret) {
                doubt(&proc.fds.borrow());
            }
            return;
        }
        if is_of_ring(batch, row, code) && !matches!(effect, Effect::MayOpen | Effect::MayAccept) {
            return;
        }
        let latency = batch.latency.get(row).copied().filter(|l| *l != NO_LATENCY);
        let call =
            Call { batch, row, shape, ret, time, entry: latency.and_then(|l| time.checked_sub(l)), flags };
        self.apply(&proc, effect, &call);
    }
}

/// True for an operation of io_uring whose descriptor is one of the ring's own.
fn is_of_ring(batch: &Batch, row: usize, code: u16) -> bool {
    let flags = batch.shape_of(row).arg("sqe_flags").and_then(|(i, _)| batch.words_of(row).get(i));
    (schema::URING..schema::COMPAT).contains(&code) && flags.is_some_and(|f| f & FIXED_FILE != 0)
}

/// What a child has: what its parent had when the call began. What another thread did since may have been before the fork
/// or after it.
fn inherited(parent: &ProcRef, begin: u64) -> FdTable {
    let table = parent.fds.borrow().borrow().copy();
    let threads = parent.desc.borrow().threads != 1;
    if !threads {
        return table;
    }
    let doubtful: Vec<u32> =
        table.iter().filter(|(_, fd)| fd.since >= begin && !fd.read).map(|(n, _)| n).collect();
    let table = std::rc::Rc::new(std::cell::RefCell::new(table));
    doubtful.into_iter().for_each(|fd| effects::mark(&table, fd));
    table.take()
}

/// What is open is no longer certain.
fn doubt(table: &TableRef) {
    let all: Vec<u32> = table.borrow().iter().map(|(fd, _)| fd).collect();
    all.into_iter().for_each(|fd| effects::mark(table, fd));
}

#[cfg(test)]
mod tests;
