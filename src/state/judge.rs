//! The control groups that processes are in, as they are to be judged: may anything match there?
//!
//! Enters: processes as they become known, records of groups. Leaves: for each group of the unified hierarchy its ids and an
//! entry of a process in it, once no more will become known of its container. Never: a filter; a group of which more may
//! become known, and what stands for a process in a hierarchy of version 1.
//!
//! A group's container is told by its path, which several groups have one after the other (a container that starts again):
//! judged are paths, and what is judged is rejected by the ids that they had.

use std::path::PathBuf;

use rustc_hash::FxHashMap;

use super::State;
use super::containers::Runs;
use super::groups::{id_of, mount};
use super::tables::{ProcRef, Text};
use crate::batch::{Builder, NONE, Proc, ProcId, proc_flags};

/// Paths that are remembered; when there are more, all are judged anew.
const MOST: usize = 8192;
/// Ids of one path, and processes that were seen there.
const MOST_OF_ONE: usize = 8;
/// A process that has been there for so long (boot clock, ns) is none of a runtime that is about to make a container.
const OLD: u64 = 2_000_000_000;

/// What is known of one path.
#[derive(Default)]
struct Seat {
    ids: Vec<u64>,
    pids: Vec<u32>,
    /// When to look at it (boot clock, ns); nothing: it is settled.
    when: Option<u64>,
    /// A process that had been there for long was looked at.
    sure: bool,
}

/// Control groups that are to be judged.
pub struct Judge {
    mount: Option<PathBuf>,
    seats: FxHashMap<Text, Seat>,
    /// Those that have a time.
    open: Vec<Text>,
}

/// What is to be done about some control groups.
#[derive(Debug, PartialEq, Eq)]
pub enum Judged {
    /// No more will become known of these: one like this process is all that runs there.
    Settled(Vec<u64>, ProcId),
    /// Nothing is known for good of these.
    Open(Vec<u64>),
}

impl Judge {
    fn new() -> Judge {
        Judge { mount: mount(), seats: FxHashMap::default(), open: Vec::new() }
    }

    fn seat(&mut self, path: &Text, pid: u32, id: Option<u64>) {
        if let Some(seat) = self.seats.get(path)
            && seat.when.is_none()
            && id.is_none_or(|id| seat.ids.contains(&id))
        {
            return;
        }
        let Some(id) = id.or_else(|| id_of(self.mount.as_ref()?, path)) else { return };
        let seat = self.seats.entry(path.clone()).or_default();
        let is_open = seat.when.is_some();
        if !seat.ids.contains(&id) {
            if seat.ids.len() >= MOST_OF_ONE {
                seat.ids.remove(0);
            }
            seat.ids.push(id);
            (seat.when, seat.sure) = (Some(0), false);
        }
        if seat.when.is_some() && !seat.pids.contains(&pid) {
            if seat.pids.len() >= MOST_OF_ONE {
                seat.pids.remove(0);
            }
            seat.pids.push(pid);
        }
        if !is_open && seat.when.is_some() {
            self.open.push(path.clone());
        }
    }

    /// More became known of a path, or it is made anew.
    pub(super) fn reopen(&mut self, path: &[u8], anew: bool) {
        let Some(seat) = self.seats.get_mut(path) else { return };
        if seat.when.replace(0).is_none() {
            self.open.push(Text::from(path));
        }
        if anew {
            seat.sure = false;
            seat.pids.clear();
        }
    }
}

impl State<'_> {
    /// Control groups are to be judged: see [`State::judge`].
    pub fn judge_groups(&mut self) {
        self.judge = self.proc_fs.sees_whole_paths().then(Judge::new);
    }

    /// A process is known to be in a control group, perhaps the one with this id.
    pub(super) fn seat(&mut self, proc: &ProcRef, id: Option<u64>) {
        let Some(judge) = &mut self.judge else { return };
        let desc = proc.desc.borrow();
        // Of the root another hierarchy tells, where there is one; and that may be told later.
        let is_told = |path: &&Text| ***path != *b"/" || self.proc_fs.other_hierarchy().is_none();
        if let Some(path) = desc.groups.unified.as_ref().filter(is_told) {
            judge.seat(path, desc.pid, id);
        }
    }

    /// More became known of a control group, or it was made anew.
    pub(super) fn reopen(&mut self, path: &[u8], anew: bool) {
        if let Some(judge) = &mut self.judge {
            judge.reopen(path, anew);
        }
    }

    /// Looks at control groups that are not settled until `until` (boot clock, ns), and tells what came of it, with entries of
    /// processes in a block that is for nothing else. True if there are more.
    pub fn judge(&mut self, until: u64, b: &mut Builder, out: &mut Vec<Judged>) -> bool {
        let Some(mut judge) = self.judge.take() else { return false };
        if judge.seats.len() > MOST {
            out.extend(judge.seats.drain().map(|(_, seat)| Judged::Open(seat.ids)));
            judge.open.clear();
            self.judge = Some(judge);
            let all: Vec<ProcRef> = self.procs.values().cloned().collect();
            all.iter().for_each(|proc| self.seat(proc, None));
            return true;
        }
        let mut left = Vec::new();
        let mut more = false;
        let mut open = std::mem::take(&mut judge.open).into_iter();
        for path in open.by_ref() {
            let Some(seat) = judge.seats.get_mut(&path) else { continue };
            let now = (self.now)();
            if now >= until {
                more = true;
                left.push(path);
                break;
            }
            if seat.when.is_none_or(|when| when > now) {
                left.push(path);
                continue;
            }
            match self.settle_group(b, &path, seat, now) {
                Some(proc) => {
                    seat.when = None;
                    seat.pids.clear();
                    out.push(Judged::Settled(seat.ids.clone(), proc));
                }
                None => {
                    seat.when = Some(now + OLD / 4);
                    out.push(Judged::Open(seat.ids.clone()));
                    left.push(path);
                }
            }
        }
        left.extend(open);
        judge.open = left;
        self.judge = Some(judge);
        more
    }

    /// What runs in a control group, if no more will become known of that.
    fn settle_group(&mut self, b: &mut Builder, path: &Text, seat: &mut Seat, now: u64) -> Option<ProcId> {
        // The one that has been there for longest; those that have ended tell nothing.
        let procs = &self.procs;
        let start = |pid: &u32| procs.get(pid).map(|p| (p.desc.borrow().start, *pid));
        seat.pids.retain(|pid| procs.contains_key(pid));
        let (start, pid) = seat.pids.iter().filter_map(start).min()?;
        let old = now.saturating_sub(start) >= OLD;
        let again = old && !seat.sure;
        let runs = self.interner.containers.settled(b, path, pid, again)?;
        seat.sure |= old;
        // What only a path tells, or nothing, may be told by the next process.
        if !seat.sure && !crate::container::is_hosts(path) && !self.interner.containers.is_told(path) {
            return None;
        }
        let text = b.string(path);
        Some(b.proc(Proc {
            cgroup: text,
            container: if let Runs::In(id) = runs { id } else { NONE },
            flags: if runs == Runs::Host { proc_flags::HOST } else { 0 },
            ..Proc::default()
        }))
    }
}
