//! A snapshot: rows that say which processes there are and what each has open.
//!
//! Enters: all of state. Leaves: rows in an open block, in slices, so that whoever reads records is never held up. Never: an
//! event; a number of the stream.
//!
//! A process and its descriptors are those of one moment, which is the time of its rows: it has all records up to then and
//! none after it. Different processes may be of different moments, as records are taken in between the slices.

use rustc_hash::FxHashSet;

use super::State;
use super::descriptors::{Doubt, Fd};
use super::tables::{FileEntity, ProcRef};
use crate::batch::{Builder, NO_LATENCY, NONE, ProcId, Row, file_flags, proc_flags, row_flags};
use crate::schema;

/// A snapshot that is being taken.
pub struct Snapshot {
    number: i64,
    /// Nothing is older than this: all that happened before has been taken in.
    since: u64,
    /// Processes of which nothing is said: what they do is not seen, so nobody could tell for how long it is true.
    without: Vec<u32>,
    /// Processes still to come, the next one last.
    left: Vec<ProcRef>,
    /// Pids and starts of those that are there.
    there: FxHashSet<(u32, u64)>,
    /// The process that is under way, and its descriptors still to come.
    current: Option<Current>,
    processes: u64,
    descriptors: u64,
    over: bool,
    /// What a process has open without a descriptor has rows too.
    places: bool,
    /// Descriptors have none.
    processes_only: bool,
}

struct Current {
    proc: ProcRef,
    time: u64,
    uncertain: bool,
    left: std::vec::IntoIter<(u32, Fd)>,
}

impl Snapshot {
    /// The snapshot with this number, counted from 1. All that happened before `since` (boot clock, ns) has been taken in.
    pub fn new(number: u64, since: u64, without: Vec<u32>) -> Snapshot {
        Snapshot {
            number: i64::try_from(number).unwrap_or(i64::MAX),
            since,
            without,
            left: Vec::new(),
            there: FxHashSet::default(),
            current: None,
            processes: 0,
            descriptors: 0,
            over: false,
            places: false,
            processes_only: false,
        }
    }

    /// With rows for where a process works, what it runs and its root.
    pub fn with_places(self) -> Snapshot {
        Snapshot { places: true, ..self }
    }

    /// Without rows for descriptors.
    pub fn of_processes(self) -> Snapshot {
        Snapshot { processes_only: true, ..self }
    }

    /// All that happened before this time (boot clock, ns) has been taken in.
    pub fn up_to(&mut self, since: u64) {
        self.since = self.since.max(since);
    }

    /// True if its last row has been added.
    pub fn is_over(&self) -> bool {
        self.over
    }

    fn row(&self, code: u16, (proc, pid): (ProcId, u32), (num, time): (u64, u64), uncertain: bool) -> Row {
        let flags = if uncertain { row_flags::UNCERTAIN } else { 0 };
        let latency = NO_LATENCY;
        Row { num, time, delta: 0, latency, call: code, cpu: 0, tid: pid, proc, ret: self.number, flags }
    }
}

impl State<'_> {
    /// Goes on with a snapshot, until the block is full or it is `until` (boot clock, ns): at least a process. What is not
    /// known of a process is read from /proc.
    pub fn snapshot(&mut self, s: &mut Snapshot, until: u64, b: &mut Builder) {
        while !s.over && !b.is_full() {
            if s.current.is_none() && !self.next_process(s, b) {
                break;
            }
            self.descriptors(s, b);
            if (self.now)() >= until {
                break;
            }
        }
    }

    /// Begins the next process. False if there is none any more.
    fn next_process(&mut self, s: &mut Snapshot, b: &mut Builder) -> bool {
        let proc = loop {
            if let Some(proc) = s.left.pop() {
                let d = proc.desc.borrow();
                // It may have ended meanwhile: then it ended for whoever reads this, too.
                let known = self.procs.get(&d.pid).filter(|p| p.desc.borrow().start == d.start);
                if let Some(known) = known.filter(|_| s.there.insert((d.pid, d.start))) {
                    break known.clone();
                }
                continue;
            }
            // Those that were born meanwhile: of a parent that is there in its present state, nobody else will tell.
            let is_new = |p: &&ProcRef| {
                let d = p.desc.borrow();
                !s.there.contains(&(d.pid, d.start)) && !s.without.contains(&d.pid)
            };
            s.left = self.procs.values().filter(is_new).cloned().collect();
            if s.left.is_empty() {
                let row = s.row(schema::SNAPSHOT, (NONE, 0), (self.num, self.taken.max(s.since)), false);
                b.push(row, &[s.processes, s.descriptors], &[], &[]);
                s.over = true;
                return false;
            }
            s.left.sort_by_key(|p| std::cmp::Reverse(p.desc.borrow().pid));
        };
        let pid = proc.desc.borrow().pid;
        let proc = self.looked_at(pid, s.since).unwrap_or(proc);
        let ((scan, scanned), (read, all_read)) = (proc.scanned.get(), proc.read.get());
        let (scan, scanned) = (scan.max(read), scanned.max(all_read));
        let time = self.taken.max(s.since).max(scan.saturating_sub(1));
        // What was done while it was read is still to come.
        let unsettled = time < scanned;
        let doubtful = unsettled || (proc.trusted.get() < self.lost_at && proc.fds_known.get());
        let unsure = doubtful || proc.desc.borrow().flags & (proc_flags::UNCERTAIN | proc_flags::BARE) != 0;
        let id = self.proc_id(b, &proc);
        b.push(s.row(schema::PROCESS, (id, pid), (self.num, time), unsure), &[], &[], &[]);
        s.processes += 1;
        if s.places {
            let all = self.proc_fs.places(&proc.desc.borrow());
            for (number, desc) in all {
                let file = self.interner.file(b, &FileEntity::new(desc), unsure);
                let row = s.row(schema::DESCRIPTOR, (id, pid), (self.num, time), unsure);
                b.push(row, &[number as u64, 0], &[], &[file]);
            }
        }
        if s.processes_only {
            return true;
        }
        let table = proc.fds.borrow().clone();
        let left: Vec<(u32, Fd)> = table.borrow().iter().map(|(n, fd)| (n, fd.clone())).collect();
        let uncertain = doubtful || table.borrow().is_untold();
        s.current = Some(Current { proc, time, uncertain, left: left.into_iter() });
        true
    }

    /// A process with all that /proc tells, if it should be read and is not yet.
    fn looked_at(&mut self, pid: u32, time: u64) -> Option<ProcRef> {
        let p = self.procs.get(&pid)?.clone();
        if !p.fds_known.get() && (self.some || p.desc.borrow().flags & proc_flags::BARE != 0) {
            return Some(p);
        }
        Some(self.find(pid, self.taken.max(time)))
    }

    /// The descriptors of the process that is under way, as far as the block takes them.
    fn descriptors(&mut self, s: &mut Snapshot, b: &mut Builder) {
        let Some(mut current) = s.current.take() else { return };
        let pid = current.proc.desc.borrow().pid;
        while !b.is_full() {
            let Some((number, fd)) = current.left.next() else { return };
            let id = self.proc_id(b, &current.proc);
            let marked = fd.file.desc.borrow().flags & file_flags::UNCERTAIN != 0;
            let uncertain = current.uncertain || marked || fd.doubt != Doubt::None || fd.since < self.lost_at;
            let file = self.interner.file(b, &fd.file, uncertain);
            let words = [u64::from(number), u64::from(fd.cloexec)];
            let at = (self.num, current.time);
            b.push(s.row(schema::DESCRIPTOR, (id, pid), at, uncertain), &words, &[], &[file]);
            s.descriptors += 1;
        }
        s.current = Some(current);
    }
}
