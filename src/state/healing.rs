//! What a loss leaves in doubt, and /proc puts right.
//!
//! Enters: that changes were lost, and later a process with a record. Leaves: the process marked as doubtful, and once no
//! more is being lost read anew; processes whose end was lost are let go. Never: a process that is silent: it costs nothing.

use std::cell::RefCell;
use std::rc::Rc;

use rustc_hash::FxHashSet;

use super::descriptors::FdTable;
use super::tables::{ProcRef, changed};
use super::{LINGER, State};
use crate::batch::proc_flags;

/// How long nothing must have been lost (boot clock, ns) before /proc is asked: what is read sooner is soon stale again.
const CALM: u64 = 200_000_000;

/// When changes were lost: until this time, then from one time to another.
#[derive(Clone, Copy)]
pub(super) struct Losses {
    before: u64,
    from: u64,
    at: u64,
}

impl Losses {
    /// True if what was learnt at `since` may have changed unseen by `time`.
    pub fn doubt(self, since: u64, time: u64) -> bool {
        since < self.before || since < self.at && time >= self.from
    }
}

impl State<'_> {
    /// Changes were lost: what was learnt before is no longer certain.
    pub fn blind(&mut self, since: u64, until: u64) {
        if since > self.lost_at {
            (self.lost_before, self.lost_from) = (self.lost_at, since);
        } else {
            self.lost_from = self.lost_from.min(since);
        }
        self.lost_at = self.lost_at.max(until);
        self.latest = None;
        self.ends_lost = true;
        // How many threads each process has may have changed unseen.
        changed();
    }

    /// When changes were lost.
    pub(super) fn losses(&self) -> Losses {
        Losses { before: self.lost_before, from: self.lost_from, at: self.lost_at }
    }

    /// A process that was known before changes were lost has a record.
    pub(super) fn doubt(&mut self, proc: &ProcRef, time: u64) -> ProcRef {
        if time < self.lost_at.saturating_add(CALM) {
            return suspect(proc);
        }
        let begin = (self.now)();
        let (pid, start) = {
            let d = proc.desc.borrow();
            (d.pid, d.start)
        };
        proc.trusted.set(self.lost_at);
        let dir = self.proc_fs.open(pid);
        let now = dir.and_then(|dir| Some((self.proc_fs.process_in(&dir)?, dir)));
        match now {
            Some((now, dir)) if now.start == start => {
                let fresh = Rc::new(RefCell::new(FdTable::default()));
                self.proc_fs.forget_sockets();
                self.fill(&dir, None, &fresh, begin);
                self.part(proc, pid);
                proc.fds.borrow().borrow_mut().renew(fresh.take());
                *proc.split.borrow_mut() = None;
                proc.change(|d| *d = now);
                proc.counted.set(begin);
                proc.was_read(begin, (self.now)());
                self.read_together(proc);
                proc.clone()
            }
            // The number is somebody else's by now, and so is the record.
            Some((now, _)) if now.start <= time => {
                self.end(pid, time);
                self.read(pid)
            }
            // It is gone: what is known of it stays doubtful.
            _ => suspect(proc),
        }
    }

    /// A process that ended a moment ago has a record.
    pub(super) fn late(&self, proc: &ProcRef) -> ProcRef {
        if proc.trusted.get() < self.lost_at { suspect(proc) } else { proc.clone() }
    }

    /// Lets go of processes whose end was lost, once after each time that changes were.
    pub(super) fn let_go(&mut self) {
        let now = (self.now)();
        if !self.ends_lost || now < self.lost_at.saturating_add(CALM) {
            return;
        }
        self.ends_lost = false;
        let there: FxHashSet<u32> = self.proc_fs.pids().into_iter().collect();
        // There is always somebody.
        if there.is_empty() {
            return;
        }
        let gone: Vec<u32> = self.procs.keys().filter(|pid| !there.contains(pid)).copied().collect();
        for pid in gone {
            self.end(pid, now);
        }
    }

    /// A process has ended. Records of it may still come from other CPUs.
    pub(super) fn end(&mut self, pid: u32, time: u64) {
        // Its children have another parent now.
        changed();
        self.live.remove(&pid);
        if let Some(gone) = self.remove(pid) {
            self.ended.push_back((time + LINGER, pid, gone));
        }
    }
}

fn suspect(proc: &ProcRef) -> ProcRef {
    if proc.desc.borrow().flags & proc_flags::UNCERTAIN == 0 {
        proc.change(|d| d.flags |= proc_flags::UNCERTAIN);
    }
    proc.clone()
}
