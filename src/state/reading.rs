//! Reading processes from /proc into the tables: at the start, and when one is met that is not known.
//!
//! Enters: a pid. Leaves: an entity with its parents; one without anything but its id if it is gone. Never: a record.

use std::cell::RefCell;
use std::rc::Rc;

use super::descriptors::{Fd, FdTable, TableRef};
use super::proc_dir::ProcDir;
use super::tables::{ProcDesc, ProcEntity, ProcRef};
use super::{RETRY, State, scan};
use crate::batch::proc_flags;

impl State<'_> {
    /// Plans to read every process that exists; [`State::read_some`] does it in slices.
    pub fn plan_scan(&mut self) {
        self.unread = self.proc_fs.pids();
    }

    /// How many processes are still to be read.
    pub fn planned(&self) -> usize {
        self.unread.len()
    }

    /// Reads planned processes until `until` (boot clock, ns). True if there are more.
    pub fn read_some(&mut self, until: u64) -> bool {
        self.let_go();
        while let Some(pid) = self.unread.pop() {
            match self.procs.get(&pid) {
                None if self.some => {
                    self.ancestor(pid, 0);
                }
                None => {
                    self.read(pid);
                }
                Some(_) if self.some => {}
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
            self.proc_fs.forget_shared();
            self.alike.forget();
        }
        !self.unread.is_empty()
    }

    /// Reads one process, its descriptors and its ancestors from /proc.
    pub fn read(&mut self, pid: u32) -> ProcRef {
        let begin = (self.now)();
        let dir = self.proc_fs.open(pid);
        let found = dir.and_then(|dir| Some((self.proc_fs.process_in(&dir)?, dir)));
        let Some((desc, dir)) = found else { return self.bare(pid, begin) };
        let parent = self.ancestor(desc.ppid, 0);
        let table = Rc::new(RefCell::new(FdTable::default()));
        self.fill(&dir, Some(desc.threads), &table, begin);
        let proc = ProcEntity::new(desc, parent, table);
        proc.fds_known.set(true);
        proc.trusted.set(self.lost_at);
        proc.counted.set(begin);
        self.insert(pid, proc.clone());
        proc.was_read(begin, (self.now)());
        self.join(&proc, pid);
        self.read_leaders(&proc, 0);
        proc
    }

    /// The leaders of its session and group are named too.
    fn read_leaders(&mut self, proc: &ProcRef, depth: usize) {
        let ids = {
            let d = proc.desc.borrow();
            [d.sid, d.pgid].map(|id| if id == d.pid { 0 } else { id })
        };
        for id in ids {
            self.ancestor(id, depth + 1);
        }
    }

    /// An ancestor: without its descriptors, which nothing asks for until it has an event of its own.
    pub(super) fn ancestor(&mut self, pid: u32, depth: usize) -> Option<ProcRef> {
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
        proc.counted.set(begin);
        self.insert(pid, proc.clone());
        self.read_leaders(&proc, depth);
        Some(proc)
    }

    /// A process that is gone before it could be read.
    pub(super) fn bare(&mut self, pid: u32, begin: u64) -> ProcRef {
        let desc = ProcDesc { pid, flags: proc_flags::BARE | proc_flags::UNCERTAIN, ..scan::unknown_ids() };
        let proc = ProcEntity::new(desc, None, TableRef::default());
        proc.was_read(0, begin);
        self.insert(pid, proc.clone());
        proc
    }

    pub(super) fn insert(&mut self, pid: u32, proc: ProcRef) {
        self.latest = None;
        self.seat(&proc, None);
        self.procs.insert(pid, proc);
    }

    pub(super) fn remove(&mut self, pid: u32) -> Option<ProcRef> {
        self.latest = None;
        self.procs.remove(&pid)
    }

    /// The process with this id, read from /proc if it is new.
    #[inline]
    pub(super) fn process(&mut self, pid: u32, time: u64) -> ProcRef {
        match &self.latest {
            Some((latest, p)) if *latest == pid => p.clone(),
            _ => self.find(pid, time),
        }
    }

    /// Reads a process that will be traced.
    pub fn meet(&mut self, pid: u32) {
        let now = (self.now)();
        self.acquainted(pid, now);
    }

    /// The process with this id, for what is told of every process: its descriptors are not read if nothing else is told
    /// of it.
    pub(super) fn acquainted(&mut self, pid: u32, time: u64) -> ProcRef {
        if !self.some || !self.ancestors {
            return self.process(pid, time);
        }
        if let Some(p) = self.procs.get(&pid) {
            return p.clone();
        }
        if let Some((.., p)) = self.ended.iter().rev().find(|(_, id, _)| *id == pid) {
            return p.clone();
        }
        let begin = (self.now)();
        self.ancestor(pid, 0).unwrap_or_else(|| self.bare(pid, begin))
    }

    pub(super) fn find(&mut self, pid: u32, time: u64) -> ProcRef {
        if let Some(p) = self.procs.get(&pid) {
            if p.fds_known.get() {
                if self.losses().doubt(p.trusted.get(), time) {
                    p.fds.borrow().borrow_mut().distrust(self.lost_at);
                    return self.doubt(&p.clone(), time);
                }
                if p.trusted.get() >= self.lost_at {
                    self.latest = Some((pid, p.clone()));
                }
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
            return self.late(&p.clone());
        }
        self.read(pid)
    }

    pub(super) fn read_fds(&mut self, proc: &ProcRef) -> ProcRef {
        let begin = (self.now)();
        let pid = proc.desc.borrow().pid;
        let dir = self.proc_fs.open(pid);
        if let Some(dir) = &dir {
            self.fill(dir, None, &proc.fds.borrow(), begin);
        }
        // From now on older records change nothing: what they would have changed is read as well.
        let now = dir.and_then(|dir| self.proc_fs.process_in(&dir));
        if let Some(now) = now.filter(|now| now.start == proc.desc.borrow().start) {
            proc.change(|d| *d = ProcDesc { ppid: d.ppid, ..now });
        }
        proc.fds_known.set(true);
        proc.trusted.set(self.lost_at);
        proc.was_read(begin, (self.now)());
        self.join(proc, pid);
        proc.clone()
    }

    /// The descriptors of a new process whose parent's are not known: those that the parent has now. Names are marked until
    /// this moment, effects apply.
    pub(super) fn read_inherited(&mut self, child: &ProcRef, parent: u32) {
        let begin = (self.now)();
        let table = child.fds.borrow().clone();
        if let Some(dir) = self.proc_fs.open(parent) {
            self.fill(&dir, None, &table, begin);
        }
        child.was_read(0, (self.now)());
        child.fds_known.set(true);
    }

    /// Reads what a process has open; how many threads it has, if that has just been read.
    pub(super) fn fill(&mut self, dir: &ProcDir, threads: Option<u32>, table: &TableRef, since: u64) {
        let mut table = table.borrow_mut();
        if threads.or_else(|| self.proc_fs.threads(dir)) != Some(1) {
            table.share();
        }
        for open in self.proc_fs.fds(dir) {
            let file = self.sockets.file(open.desc);
            table.place(open.fd, Fd { cloexec: open.cloexec, since, read: true, ..Fd::new(file) });
        }
    }
}
