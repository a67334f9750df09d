//! State: what every process is and has open, followed from record to record.
//!
//! Enters: records in order of time, and /proc. Leaves: rows in the open block, with everything they mention in its
//! dictionary. Never: a filter, an output.
//!
//! Three things: [`tables`], [`descriptors`], [`groups`] and [`containers`] hold, [`effects`] change them ([`made`] and
//! [`cloexec`] say what a new descriptor is), [`intern`] turns them into dictionary entries; [`judge`] tells which groups can be judged. [`reading`] fills the tables from
//! /proc, [`life`] from the probe's records of forks, execs and exits, [`healing`] anew after a loss; [`rows`] turns calls into
//! rows of the files that [`lookup`] finds, and [`flight`] those that have not returned. [`snapshot`] gives rows of all that there is, [`replay`] follows rows
//! of a capture in place of records.
//!
//! Records come in order of exit; effects did not happen in that order. Three rules settle it (the rest is marked): an
//! entity that was read from /proc ignores records older than that reading; where several tasks use a table of descriptors,
//! records say what a number means at the end of the call; and [`descriptors`] remembers what it meant when a call began.

mod beside;
mod cloexec;
mod contained;
mod containers;
mod descriptors;
mod diag;
mod effects;
mod families;
mod flight;
mod groups;
mod healing;
mod intern;
mod judge;
mod layers;
mod life;
mod lookup;
mod made;
mod net;
mod proc_dir;
mod proc_text;
mod reading;
mod replay;
mod rows;
mod scan;
mod sharing;
mod snapshot;
mod sockets;
mod tables;
mod uring;

use std::collections::VecDeque;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::batch::{Builder, FileId, Item, NO_LATENCY, NONE, Row};
use crate::decode::Record;
use crate::schema::{self, Schema};
use crate::source::abi;
use crate::users::Users;
use containers::Containers;
pub use flight::InFlight;
pub use groups::control_group;
use intern::Interner;
use judge::Judge;
pub use judge::Judged;
pub use replay::Replay;
use scan::ProcFs;
pub use snapshot::Snapshot;
use tables::{FileRef, ProcRef, Text};

/// A process that ended stays known for this long: late records of other CPUs may mention it.
const LINGER: u64 = 2_000_000_000;
/// A process that could not be read is not asked for again before this.
const RETRY: u64 = 1_000_000_000;

/// Records of entries that are kept at most; a thread has at most one.
const ENTRIES: usize = 65536;

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

/// What became of the records of one CPU: every number that the probe gave is in one of the three.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// Number of the first.
    pub first: u64,
    /// Records that became rows.
    pub delivered: u64,
    /// Records that only changed state.
    pub state: u64,
    /// Numbers of which no record came.
    pub dropped: u64,
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
    /// What a process does to its descriptors is told of some processes only: see [`State::follow_some`].
    some: bool,
    /// Expected number of the next record, by CPU.
    next_seq: Vec<Option<u32>>,
    /// Processes that were born or got a new program under our eyes, and have not ended.
    live: FxHashSet<u32>,
    /// What calls that have begun will overwrite, by thread: the time of the entry and its record.
    entries: FxHashMap<u32, (u64, Vec<u8>)>,
    /// Sockets by their inodes.
    sockets: sockets::Sockets,
    /// Requests of io_uring under way.
    requests: uring::Requests,
    /// Paths of control groups of the unified hierarchy by their ids, of those that records told.
    groups: FxHashMap<u64, Text>,
    /// Those that are to be judged, if any are.
    judge: Option<Judge>,
    /// When groups that were there before were looked for last.
    searched: u64,
    /// Time of the last loss: what was learnt before it may be stale.
    lost_at: u64,
    /// When that loss began, and the time of the one before.
    lost_from: u64,
    lost_before: u64,
    /// Ends of processes may have been lost then, and nobody has looked.
    ends_lost: bool,
    /// How the kernel orders the descriptor tables of two processes.
    order: sharing::Order,
    /// Processes that were read during the first scan, by what they have open.
    alike: sharing::Alike,
    now: fn() -> u64,
    num: u64,
    /// Time of the last event; 0 before the first.
    last: u64,
    /// Time of the last record; 0 before the first.
    taken: u64,
    seen: Seen,
    accounts: Vec<Account>,
    items: Vec<Item>,
    refs: Vec<FileId>,
    files: Vec<Option<(FileRef, bool)>>,
    /// Descriptors that the sets and arrays of a call name, and their files.
    fds: Vec<u32>,
    fdlist: Vec<FileId>,
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
            interner: Interner::new(users, Containers::new(proc_root)),
            procs: FxHashMap::default(),
            latest: None,
            ended: VecDeque::new(),
            unread: Vec::new(),
            ancestors: true,
            some: false,
            next_seq: Vec::new(),
            live: FxHashSet::default(),
            entries: FxHashMap::default(),
            sockets: sockets::Sockets::default(),
            requests: uring::Requests::default(),
            groups: FxHashMap::default(),
            judge: None,
            searched: 0,
            lost_at: 0,
            lost_from: 0,
            lost_before: 0,
            ends_lost: false,
            order: |_, _| None,
            alike: sharing::Alike::default(),
            now,
            num: 0,
            last: 0,
            taken: 0,
            seen: Seen::default(),
            accounts: Vec::new(),
            items: Vec::new(),
            refs: Vec::new(),
            files: Vec::new(),
            fds: Vec::new(),
            fdlist: Vec::new(),
            words: Vec::new(),
            name: Vec::new(),
        }
    }

    /// Asks the kernel which processes use one descriptor table: `order` gives how the tables of two are ordered.
    pub fn asking(mut self, order: sharing::Order) -> State<'s> {
        self.order = order;
        self
    }

    /// Knows nothing of processes that are not traced themselves.
    pub fn without_ancestors(mut self) -> State<'s> {
        self.ancestors = false;
        self
    }

    /// The probe tells of the descriptors of some processes only: those of which calls arrive that concern descriptors, and
    /// those that are born as such. Descriptors of others are not read before.
    pub fn follow_some(&mut self) {
        self.some = true;
    }

    /// Reads environments as well.
    pub fn with_environments(mut self) -> State<'s> {
        self.proc_fs.read_environments();
        self
    }

    /// Takes in what the runtimes of containers have said meanwhile. It does not wait.
    pub fn learn_containers(&mut self) {
        let judge = &mut self.judge;
        self.interner.containers.heed(|path| {
            if let Some(judge) = judge {
                judge.reopen(path, false);
            }
        });
    }

    /// What became known of containers since the last call, after somebody may have mentioned them: entries of a block that is
    /// for nothing else.
    pub fn news_of_containers(&mut self) -> Option<Box<Builder>> {
        self.learn_containers();
        self.interner.containers.news()
    }

    /// Counts so far.
    pub fn seen(&self) -> Seen {
        self.seen
    }

    /// What became of the records of a CPU.
    pub fn account(&self, cpu: usize) -> Account {
        self.accounts.get(cpu).copied().unwrap_or_default()
    }

    /// Number of the last event.
    pub fn num(&self) -> u64 {
        self.num
    }

    /// Takes one record in: changes state, and adds the rows that it stands for.
    pub fn take(&mut self, cpu: usize, bytes: &[u8], wanted: &impl Wanted, b: &mut Builder) {
        let Some(r) = Record::parse(bytes) else {
            self.seen.broken += 1;
            return;
        };
        self.check_sequence(cpu, &r, b);
        let rows = self.seen.rows;
        self.taken = r.time;
        match r.code {
            abi::REC_FORK => self.fork(&r),
            abi::REC_EXEC => self.exec(&r),
            abi::REC_EXIT => self.exit(cpu, &r, wanted, b),
            abi::REC_RENAME => self.rename(&r),
            abi::REC_ENTRY => self.entry(&r, bytes),
            abi::REC_ATTACH => self.attached(&r),
            abi::REC_MKDIR => self.grouped(&r),
            abi::REC_SWITCH..=abi::REC_FAULT => self.beside(cpu, &r, wanted, b),
            abi::REC_SUBMIT => self.submitted(cpu, &r, bytes, wanted, b),
            abi::REC_DONE => self.completed(cpu, &r, wanted, b),
            _ => self.call(cpu, &r, wanted, b),
        }
        if let Some(account) = self.accounts.get_mut(cpu) {
            *(if self.seen.rows > rows { &mut account.delivered } else { &mut account.state }) += 1;
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
            && r.flags & abi::F_BLIND == 0
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
        if r.flags & abi::F_BLIND != 0 {
            self.blind(r.time, r.time);
        }
        if gap > 0 {
            self.lost(cpu, u64::from(gap), r.time, b);
        }
    }

    /// The number of an event, and the time since the one before.
    fn count(&mut self, time: u64) -> (u64, u64) {
        self.num += 1;
        let before = std::mem::replace(&mut self.last, time);
        (self.num, if before == 0 { 0 } else { time.saturating_sub(before) })
    }

    /// Sets where the numbers of a CPU begin, so that a loss before its first record is seen too.
    pub fn expect(&mut self, cpu: usize, seq: u64) {
        if self.next_seq.len() <= cpu {
            self.next_seq.resize(cpu + 1, None);
            self.accounts.resize(cpu + 1, Account { first: seq, ..Account::default() });
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

    /// Events were lost: a row says so where it happened. What is known stays certain if the probe does not say that
    /// changes were among them.
    pub fn lost(&mut self, cpu: usize, count: u64, time: u64, b: &mut Builder) {
        self.seen.lost += count;
        if let Some(account) = self.accounts.get_mut(cpu) {
            account.dropped += count;
        }
        let (num, delta) = self.count(time);
        let row = Row {
            num,
            time,
            delta,
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
