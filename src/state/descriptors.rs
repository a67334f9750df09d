//! The descriptor table of a process, and which file a call meant by a number.
//!
//! Enters: what effects and the /proc scan say of numbers, with times. Leaves: the file that a call meant, and whether
//! that is certain. Never: a record, a name.
//!
//! Records come in order of exit, effects did not happen in that order. As long as one thread alone uses a table, that
//! makes no difference. Where several do,
//! the kernel is asked what the number means at the end of each call that changes one, and of all numbers of a copy that a
//! fork makes, by the identity of the file; one that is named before what made it is told is awaited. And a shared table
//! remembers what numbers meant until a moment ago:
//! * Without the kernel's word a file that comes while its number is held proves that a close of the older one has acted and not returned: the new
//!   file takes the number, and the older one is *owed* a close, whose record then removes nothing.
//! * A call that entered before its number's present file came meant the newest file that was there by then. What it did
//!   may have happened a little later, so that is a likelihood: not certain.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::{Rc, Weak};

use rustc_hash::FxHashMap;

use super::tables::{FileDesc, FileEntity, FileRef, changed};
use crate::batch::file_flags;
use crate::decode::Numbers;

/// A table that processes may share.
pub type TableRef = Rc<RefCell<FdTable>>;

/// One descriptor.
#[derive(Clone)]
pub struct Fd {
    /// What it refers to.
    pub file: FileRef,
    /// Closed by exec.
    pub cloexec: bool,
    /// Since when (boot clock, ns) it is known to refer to that: the exit of the call that made it, or its reading.
    pub since: u64,
    /// It was read from /proc: it may have been there for long.
    pub read: bool,
    /// Whether it may be something else by now.
    pub doubt: Doubt,
    /// When it was last set whether exec closes it, or doubted whether it is open.
    pub touched: u64,
}

impl Fd {
    /// Of a file; of what else there is to say nothing is said.
    pub fn new(file: FileRef) -> Fd {
        Fd { file, cloexec: false, since: 0, read: false, doubt: Doubt::None, touched: 0 }
    }
}

/// What may have become of a number, unseen.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Doubt {
    /// Nothing.
    #[default]
    None,
    /// It may have been closed: the next call that uses it tells.
    Closed,
    /// It may mean another file.
    Other,
}

/// What a number meant.
struct Past {
    fd: u32,
    file: FileRef,
    since: u64,
    /// When it was known to be gone.
    until: u64,
    /// Its close has acted, but its record has not come.
    owed: bool,
}

/// Descriptors below this are named in the entry of their process.
const STDIO: u32 = 3;
/// Numbers below this are an index, which is nearly all; others a map.
const LOW: usize = 4096;
/// So are those that are so far beyond the others: a child of a shell, which keeps its own at 255, has not 250 empty places.
const GAP: usize = 32;
/// How long a call that copies a table may take, if its beginning is not known (ns).
const LONG: u64 = 10_000_000;
/// How many files whose making is not told yet a table remembers.
const AWAITED: usize = 64;
/// How much past a shared table remembers.
const PAST: usize = 512;

/// A descriptor table.
#[derive(Default)]
pub struct FdTable {
    /// One for a process and its children until one of them changes something: most change little, and many nothing.
    low: Rc<Vec<Option<Fd>>>,
    /// Numbers beyond that.
    high: FxHashMap<u32, Fd>,
    shared: bool,
    /// Something changes it that is not told: nothing in it is certain.
    untold: bool,
    /// See [`FdTable::has_doubts`].
    doubts: bool,
    /// Files that the kernel named by their identity alone: the record of what made them is on its way.
    awaited: Vec<FileRef>,
    /// Copies that were made of it, and when: of what began before, nobody knows whether it is in them.
    copies: VecDeque<(u64, Weak<RefCell<FdTable>>)>,
    past: VecDeque<Past>,
    /// Changes were lost until then (boot clock, ns): the kernel may have given the identity of a file that was known
    /// before to another.
    void: u64,
}

impl FdTable {
    /// A copy for a process of its own, as fork and unshare make it: nobody shares it, so it needs no past.
    pub fn copy(&self) -> FdTable {
        let (low, high) = (self.low.clone(), self.high.clone());
        FdTable { low, high, untold: self.untold, doubts: self.doubts, void: self.void, ..FdTable::default() }
    }

    /// Changes were lost until `at`: no file that was known before is found by its identity, for its end and the beginning of
    /// another at the same address may be among what was lost. What is awaited may never come.
    pub fn distrust(&mut self, at: u64) {
        if at > self.void {
            self.void = at;
            self.awaited.clear();
        }
    }

    /// A copy of a number's entry that a call made at `time`: no more certain than what was copied.
    pub fn copy_of(&self, from: u32, time: u64) -> Option<Fd> {
        let from = self.get(from)?;
        let doubt = if from.since < self.void { Doubt::Other } else { from.doubt };
        // The copying proves that it was open.
        let doubt = if doubt == Doubt::Other { Doubt::Other } else { Doubt::None };
        Some(Fd { since: time, doubt, ..Fd::new(from.file.clone()) })
    }

    /// A copy that a call made which began at `entry` (if that is known), told of at `time`. What other threads did since
    /// may be in the copy or not.
    pub fn copied(&mut self, entry: Option<u64>, time: u64) -> TableRef {
        let mut own = self.copy();
        if !self.shared {
            return Rc::new(RefCell::new(own));
        }
        let began = entry.unwrap_or_else(|| time.saturating_sub(LONG));
        let past = |fd: u32| self.past.iter().filter(move |p| p.fd == fd && p.until >= began);
        // More may have happened than is remembered.
        let much = self.past.len() >= PAST && self.past.front().is_some_and(|p| p.until >= began);
        let doubt = |times: usize| if much || times > 0 { Doubt::Other } else { Doubt::Closed };
        own.each(|fd, f| {
            if f.since.max(f.touched) >= began && !f.read {
                f.doubt = doubt(past(fd).count());
            }
        });
        own.doubts = true;
        for p in self.past.iter().filter(|p| p.until >= began) {
            if own.get(p.fd).is_none() {
                let doubt = doubt(past(p.fd).count() - 1);
                own.set(p.fd, Fd { since: p.until, doubt, ..Fd::new(p.file.clone()) });
            }
        }
        let own = Rc::new(RefCell::new(own));
        self.copies.retain(|(at, copy)| at.saturating_add(1_000_000_000) > time && copy.strong_count() > 0);
        if self.copies.len() >= PAST {
            self.copies.pop_front();
        }
        self.copies.push_back((time, Rc::downgrade(&own)));
        own
    }

    /// The copy that a fork made, as the kernel tells it.
    pub fn forked(&mut self, now: &Numbers, began: Option<u64>, time: u64) -> TableRef {
        let own = if now.max > u64::from(now.told()) {
            // What is not told is as far as it is known.
            self.copied(began, time)
        } else {
            Rc::new(RefCell::new(FdTable { untold: self.untold, void: self.void, ..FdTable::default() }))
        };
        let mut table = own.borrow_mut();
        for fd in 0..now.told() {
            table.remove(fd, time);
        }
        for (fd, id, cloexec) in now.open() {
            let entry = match self.get(fd) {
                // Nothing was told of it since the time when one task alone used the table.
                Some(f) if f.file.id.get() == id || f.file.id.get() == 0 => f.clone(),
                _ => self.identified(id, began, time),
            };
            table.doubts |= entry.doubt != Doubt::None;
            table.set(fd, Fd { cloexec, ..entry });
        }
        drop(table);
        own
    }

    /// The number may mean something else than is known: this, or nothing.
    fn suspect(&mut self, fd: u32, now: Option<FileRef>, since: u64) {
        self.doubts = true;
        match (self.get_mut(fd), now) {
            (Some(f), None) if f.doubt == Doubt::None => f.doubt = Doubt::Closed,
            (Some(f), Some(now)) if f.doubt == Doubt::None && Rc::ptr_eq(&f.file, &now) => {
                f.doubt = Doubt::Closed;
            }
            (Some(f), _) => f.doubt = Doubt::Other,
            (None, Some(file)) => {
                self.set(fd, Fd { since, doubt: Doubt::Closed, ..Fd::new(file) });
            }
            (None, None) => {}
        }
    }

    /// True if a copy was made after this time.
    pub fn copied_since(&self, time: u64) -> bool {
        self.copies.back().is_some_and(|(at, _)| *at > time)
    }

    /// A call that began at `entry` and returned at `time` changed this number: copies that were made meanwhile may have that
    /// change or not.
    pub fn changed(&mut self, fd: u32, entry: Option<u64>, time: u64) {
        let began = entry.unwrap_or_else(|| time.saturating_sub(LONG));
        if !self.copied_since(began) {
            return;
        }
        let now = self.get(fd).map(|f| f.file.clone());
        for (_, copy) in self.copies.iter().filter(|(at, _)| *at > began) {
            if let Some(copy) = copy.upgrade()
                && let Ok(mut copy) = copy.try_borrow_mut()
            {
                copy.suspect(fd, now.clone(), time);
            }
        }
    }

    /// From now on several threads use it.
    pub fn share(&mut self) {
        self.shared = true;
    }

    /// From now on nothing in it is certain.
    pub fn untold(&mut self) {
        self.untold = true;
    }

    /// Nothing in it is certain.
    pub fn is_untold(&self) -> bool {
        self.untold
    }

    /// A number of it is doubtful, or was.
    pub fn has_doubts(&self) -> bool {
        self.doubts
    }

    /// The entry of a descriptor as it is now.
    pub fn get(&self, fd: u32) -> Option<&Fd> {
        match self.low.get(fd as usize) {
            Some(entry) => entry.as_ref(),
            None if self.high.is_empty() => None,
            None => self.high.get(&fd),
        }
    }

    /// The entry of a descriptor, to be changed.
    pub fn get_mut(&mut self, fd: u32) -> Option<&mut Fd> {
        match self.low.get(fd as usize) {
            Some(Some(_)) => Rc::make_mut(&mut self.low).get_mut(fd as usize)?.as_mut(),
            Some(None) => None,
            None => self.high.get_mut(&fd),
        }
    }

    /// The number means this file from now on. If it is held, a close of that file is still on its way.
    pub fn place(&mut self, fd: u32, entry: Fd) {
        let until = entry.since;
        if let Some(old) = self.set(fd, entry) {
            self.remember(fd, old, until, true);
        }
    }

    /// The number means this file from now on; what it meant before was closed by the same call (dup2).
    pub fn replace(&mut self, fd: u32, entry: Fd) {
        let until = entry.since;
        if let Some(old) = self.set(fd, entry) {
            self.remember(fd, old, until, false);
        }
    }

    /// The number means nothing from `until` on.
    pub fn remove(&mut self, fd: u32, until: u64) {
        if fd < STDIO {
            changed();
        }
        let old = match self.low.get(fd as usize) {
            Some(Some(_)) => Rc::make_mut(&mut self.low).get_mut(fd as usize).and_then(Option::take),
            Some(None) => None,
            None => self.high.remove(&fd),
        };
        if let Some(old) = old {
            self.remember(fd, old, until, false);
        }
    }

    /// A close of the number that entered at `entry` and returned at `exit`; `slot` is what it meant then.
    pub fn close(&mut self, fd: u32, entry: Option<u64>, exit: u64, slot: Option<u64>) {
        match slot {
            // Another thread's new file, whose record has come.
            Some(now) if now != 0 && self.get(fd).is_some_and(|f| f.file.id.get() == now) => {
                if let Some(past) = self.past.iter_mut().find(|p| p.fd == fd && p.owed) {
                    past.owed = false;
                    past.until = past.until.min(exit);
                }
                return;
            }
            Some(0) => return self.remove(fd, exit),
            Some(now) => {
                let entry = self.identified(now, entry, exit);
                return self.replace(fd, entry);
            }
            None => {}
        }
        if self.shared && self.get(fd).is_none_or(|now| entry.is_none_or(|e| e < now.since)) {
            // Older than the present file, or not known to be younger: it is the oldest one that is still awaited.
            let awaited = |p: &&mut Past| p.fd == fd && p.owed && entry.is_none_or(|e| p.since <= e);
            if let Some(past) = self.past.iter_mut().find(awaited) {
                past.owed = false;
                past.until = past.until.min(exit);
                return;
            }
        }
        self.remove(fd, exit);
    }

    /// A file of which only the identity is known, until what made it is told.
    pub fn wait_for(&mut self, id: u64) -> FileRef {
        let file = FileEntity::new(FileDesc { flags: file_flags::UNNAMED, ..FileDesc::default() });
        file.id.set(id);
        if self.awaited.len() >= AWAITED {
            self.awaited.remove(0);
        }
        self.awaited.push(file.clone());
        file
    }

    /// The record of what made a file has come: if that is awaited, this is it.
    pub fn arrived(&mut self, file: FileRef) -> FileRef {
        let Some(at) = self.awaited.iter().position(|f| f.id.get() == file.id.get()) else { return file };
        let known = self.awaited.swap_remove(at);
        known.change(|d| *d = file.desc.take());
        known
    }

    /// An entry for the file with this identity, of a call that began at `entry` and was told of at `since`. Among what is open
    /// the kernel has one. What was closed while the call was under way it may have used before; of what was closed earlier,
    /// or of a call whose beginning is not known, another file may have the address by now.
    pub fn by_id(&self, id: u64, entry: Option<u64>, since: u64) -> Option<Fd> {
        let is = |file: &FileRef, known: u64| id != 0 && file.id.get() == id && known >= self.void;
        let mut open = self.low.iter().flatten().chain(self.high.values());
        if let Some(now) = open.find(|f| is(&f.file, f.since)) {
            let doubt = if now.doubt == Doubt::Other { Doubt::Other } else { Doubt::None };
            return Some(Fd { since, doubt, ..Fd::new(now.file.clone()) });
        }
        let past = self.past.iter().rev().find(|p| is(&p.file, p.since))?;
        let doubt = if entry.is_some_and(|e| e <= past.until) { Doubt::None } else { Doubt::Other };
        Some(Fd { since, doubt, ..Fd::new(past.file.clone()) })
    }

    /// The same, or an entry that waits for what made the file.
    pub fn identified(&mut self, id: u64, entry: Option<u64>, since: u64) -> Fd {
        match self.by_id(id, entry, since) {
            Some(known) => {
                self.doubts |= known.doubt != Doubt::None;
                known
            }
            None => Fd { since, ..Fd::new(self.wait_for(id)) },
        }
    }

    /// Removes the numbers of a range, or marks them to be closed by exec. A call that began at `entry`: what another thread
    /// has placed since may have come before or after it.
    pub fn close_range(&mut self, first: u32, last: u32, cloexec: bool, entry: Option<u64>, until: u64) {
        let mut at = Vec::new();
        let (shared, mut doubts) = (self.shared, false);
        self.each(|fd, f| {
            if (first..=last).contains(&fd) {
                if cloexec {
                    (f.cloexec, f.touched) = (true, until);
                }
                if shared && !cloexec && entry.is_none_or(|e| e < f.since) {
                    (f.doubt, f.touched) = (Doubt::Closed, until);
                    doubts = true;
                } else {
                    at.push(fd);
                }
            }
        });
        self.doubts |= doubts;
        if !cloexec {
            at.into_iter().for_each(|fd| self.remove(fd, until));
        }
    }

    /// What an exec leaves of it: no other thread, and nothing that was to be closed.
    pub fn exec(&mut self) {
        changed();
        self.shared = false;
        self.past = VecDeque::new();
        Rc::make_mut(&mut self.low).iter_mut().for_each(|slot| {
            slot.take_if(|fd| fd.cloexec);
        });
        self.high.retain(|_, fd| !fd.cloexec);
    }

    /// The file that a call meant by a number, and since when it is known; and whether it is certain that it meant that
    /// one. `entry` is when the call began, if that is known.
    pub fn meant(&self, fd: u32, entry: Option<u64>) -> Option<(&FileRef, u64, bool)> {
        self.believed(fd, entry).map(|(file, since, certain)| (file, since, certain && !self.untold))
    }

    fn believed(&self, fd: u32, entry: Option<u64>) -> Option<(&FileRef, u64, bool)> {
        let now = self.get(fd);
        if !self.shared {
            return now.map(|f| (&f.file, f.since, f.doubt == Doubt::None));
        }
        let past = |p: &&Past| p.fd == fd;
        let Some(entry) = entry else {
            let certain = !self.past.iter().any(|p| past(&p));
            return match now {
                Some(f) => Some((&f.file, f.since, certain && f.doubt == Doubt::None)),
                None => self.past.iter().rfind(past).map(|p| (&p.file, p.since, false)),
            };
        };
        if let Some(f) = now
            && f.since <= entry
        {
            return Some((&f.file, f.since, f.doubt == Doubt::None));
        }
        // The newest that had come by then, if it was not gone again.
        if let Some(p) = self.past.iter().rfind(|p| past(p) && p.since <= entry) {
            return (p.until > entry).then_some((&p.file, p.since, false));
        }
        now.filter(|f| f.read).map(|f| (&f.file, f.since, false))
    }

    /// It was read anew: what was missed is as it is now. What its numbers meant is still known, and who shares it.
    pub fn renew(&mut self, now: FdTable) {
        changed();
        (self.low, self.high) = (now.low, now.high);
        self.shared |= now.shared;
    }

    /// All descriptors, by number.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &Fd)> {
        let mut high: Vec<_> = self.high.iter().map(|(fd, entry)| (*fd, entry)).collect();
        high.sort_unstable_by_key(|(fd, _)| *fd);
        (0u32..).zip(self.low.iter()).filter_map(|(fd, entry)| Some((fd, entry.as_ref()?))).chain(high)
    }

    /// How many are open.
    pub fn len(&self) -> usize {
        self.low.iter().flatten().count() + self.high.len()
    }

    /// True if none is.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn set(&mut self, fd: u32, entry: Fd) -> Option<Fd> {
        let i = fd as usize;
        if fd < STDIO {
            changed();
        }
        if i >= LOW.min(self.low.len() + GAP) {
            return self.high.insert(fd, entry);
        }
        let low = Rc::make_mut(&mut self.low);
        if i >= low.len() {
            let begin = low.len() as u32;
            low.resize(i + 1, None);
            // What stood beyond is in its place now.
            if !self.high.is_empty() {
                (begin..=fd).for_each(|n| low[n as usize] = self.high.remove(&n));
            }
        }
        low[i].replace(entry)
    }

    fn remember(&mut self, fd: u32, old: Fd, until: u64, owed: bool) {
        if self.shared {
            if self.past.len() >= PAST {
                self.past.pop_front();
            }
            self.past.push_back(Past { fd, file: old.file, since: old.since, until, owed });
        }
    }

    fn each(&mut self, mut f: impl FnMut(u32, &mut Fd)) {
        for (i, slot) in Rc::make_mut(&mut self.low).iter_mut().enumerate() {
            if let Some(entry) = slot {
                f(i as u32, entry);
            }
        }
        self.high.iter_mut().for_each(|(fd, entry)| f(*fd, entry));
    }
}

#[cfg(test)]
mod tests {
    use super::super::tables::Text;
    use super::*;

    fn file(name: &str, since: u64) -> Fd {
        let desc = FileDesc { name: Some(Text::from(name.as_bytes())), ..FileDesc::default() };
        Fd { since, ..Fd::new(FileEntity::new(desc)) }
    }

    fn name(found: Option<(&FileRef, u64, bool)>) -> Option<(String, bool)> {
        found.map(|(f, _, certain)| {
            let name = f.desc.borrow().name.clone().unwrap();
            (String::from_utf8_lossy(&name).into_owned(), certain)
        })
    }

    fn is(name: &str, certain: bool) -> Option<(String, bool)> {
        Some((name.to_owned(), certain))
    }

    fn shared() -> FdTable {
        FdTable { shared: true, ..FdTable::default() }
    }

    /// A close that was held up inside the kernel, while another thread opened, closed and opened the number again.
    #[test]
    fn a_close_that_returns_after_two_files_have_come_and_gone() {
        let mut t = shared();
        t.place(3, file("null", 10));
        // close(3) of "null" enters at 20 and frees the number, but does not return.
        t.place(3, file("zero", 30));
        t.close(3, Some(35), 40, None);
        t.place(3, file("again", 50));
        assert_eq!(name(t.meant(3, Some(20))), is("null", false), "it is not certain to be this one");
        t.close(3, Some(20), 60, None);
        assert_eq!(name(t.meant(3, Some(70))), is("again", true), "the late close removes nothing");
        t.close(3, Some(80), 90, None);
        assert_eq!(name(t.meant(3, Some(100))), None);
    }

    /// A read that waited while the number was closed and given away: it read from the old file.
    #[test]
    fn a_call_that_waited_meant_what_was_there_when_it_began() {
        let mut t = shared();
        t.place(5, file("pipe", 10));
        t.close(5, Some(30), 31, None);
        t.place(5, file("other", 40));
        assert_eq!(name(t.meant(5, Some(20))), is("pipe", false));
        assert_eq!(name(t.meant(5, Some(35))), None, "nothing was there");
        assert_eq!(name(t.meant(5, Some(41))), is("other", true));
        assert_eq!(name(t.meant(5, None)), is("other", false), "without its beginning nobody knows");
        t.replace(5, file("dup", 60));
        assert_eq!(name(t.meant(5, Some(50))), is("other", false));
        assert_eq!(name(t.meant(5, Some(60))), is("dup", true));
    }

    #[test]
    fn a_past_that_is_forgotten_gives_no_name() {
        let mut t = shared();
        t.place(7, file("first", 10));
        for i in 0..PAST as u64 + 1 {
            t.close(7, Some(20 + i * 10), 21 + i * 10, None);
            t.place(7, file("later", 25 + i * 10));
        }
        assert_eq!(name(t.meant(7, Some(15))), None);
        assert!(t.past.len() <= PAST);
    }

    #[test]
    fn one_thread_alone_cannot_race_and_keeps_no_past() {
        let mut t = FdTable::default();
        t.place(3, file("a", 10));
        t.close(3, None, 20, None);
        t.place(3, file("b", 30));
        t.place(4, Fd { read: true, ..file("c", 30) });
        assert_eq!(name(t.meant(3, None)), is("b", true));
        assert_eq!(name(t.meant(4, Some(5))), is("c", true));
        assert!(t.past.is_empty());
        t.share();
        assert_eq!(name(t.meant(4, Some(5))), is("c", false), "it was read while the call was under way");
        assert!(!t.copy().shared);
    }

    /// The kernel says what a number means: a close that returns late takes nothing away, and one whose file was replaced
    /// before it returned leaves nothing.
    #[test]
    fn what_the_kernel_says_of_a_number_settles_the_order() {
        let mut t = shared();
        t.place(3, file("old", 10));
        let new = file("new", 30);
        new.file.id.set(7);
        t.replace(3, new);
        t.close(3, Some(20), 40, Some(7));
        assert_eq!(name(t.meant(3, Some(50))), is("new", true));
        t.close(3, Some(20), 60, Some(8));
        let awaited = t.meant(3, Some(70)).unwrap().0.clone();
        let last = file("last", 65).file;
        last.id.set(8);
        assert!(Rc::ptr_eq(&t.arrived(last), &awaited));
        assert_eq!(name(t.meant(3, Some(70))), is("last", true));
        t.place(3, file("late", 80));
        t.close(3, Some(20), 90, Some(0));
        assert_eq!(name(t.meant(3, Some(100))), None);
    }

    /// After a loss the kernel may have used an address again, and what is copied is what was in doubt.
    #[test]
    fn after_a_loss_identities_are_void_and_a_copy_is_no_more_certain_than_what_it_copies() {
        let mut t = shared();
        let old = file("old", 10);
        old.file.id.set(7);
        t.place(3, old);
        t.distrust(50);
        assert!(t.by_id(7, None, 60).is_none());
        t.place(4, t.copy_of(3, 60).unwrap());
        assert_eq!(name(t.meant(4, Some(70))), is("old", false));
        t.close(4, Some(65), 80, Some(7));
        assert_eq!(
            name(t.meant(4, Some(90))),
            is("old", false),
            "another file has the address by now, perhaps"
        );
        let new = file("new", 55);
        new.file.id.set(8);
        t.place(5, new);
        assert!(t.by_id(8, None, 60).is_some());
        assert!(t.copy().by_id(7, None, 60).is_none_or(|f| f.doubt == Doubt::Other));
        t.place(6, t.copy_of(5, 100).unwrap());
        assert_eq!(name(t.meant(6, Some(110))), is("new", true));
    }

    /// The kernel gives the address of a file that was closed to the next one, and a fork may be told of before what made that.
    #[test]
    fn what_is_known_by_the_identity_of_a_closed_file_is_not_certain() {
        let mut t = shared();
        let old = file("old", 10);
        old.file.id.set(7);
        t.place(3, old);
        assert_eq!(t.identified(7, None, 15).doubt, Doubt::None);
        t.close(3, Some(20), 21, None);
        assert_eq!(t.identified(7, Some(21), 30).doubt, Doubt::None, "it was open when the call began");
        assert_eq!(t.identified(7, Some(25), 30).doubt, Doubt::Other);
        let entry = t.identified(7, None, 30);
        t.place(3, entry);
        assert_eq!(name(t.meant(3, Some(40))), is("old", false));
        assert!(t.has_doubts());
    }

    /// Numbers with gaps between them, in any order: each means what was placed last, and they are listed in order.
    #[test]
    fn numbers_far_from_the_others_take_no_room_for_what_is_between() {
        let mut t = FdTable::default();
        t.place(251, file("far", 10));
        assert!(t.low.is_empty());
        let mut dice = 7_u64;
        let mut is = std::collections::BTreeMap::new();
        is.insert(251, "far".to_owned());
        for n in 0..3000 {
            dice = dice.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            let fd = (dice >> 33) as u32 % [8, 80, 600, 9000][n % 4];
            if dice >> 20 & 3 == 0 {
                t.remove(fd, 20);
                is.remove(&fd);
            } else {
                t.replace(fd, file(&n.to_string(), 10));
                is.insert(fd, n.to_string());
            }
            assert_eq!(name(t.meant(fd, None)).map(|(name, _)| name), is.get(&fd).cloned());
        }
        let all: Vec<_> = t.iter().map(|(fd, f)| (fd, f.file.desc.borrow().name.clone().unwrap())).collect();
        let want: Vec<_> = is.into_iter().map(|(fd, name)| (fd, Text::from(name.as_bytes()))).collect();
        assert_eq!(all, want);
    }

    #[test]
    fn ranges_and_exec_close_what_they_name() {
        let mut t = shared();
        for fd in [3, 4, 5000] {
            t.place(fd, file("f", 10));
        }
        t.close_range(4, u32::MAX, true, Some(20), 20);
        assert_eq!(t.len(), 3);
        t.close_range(3, 3, false, Some(20), 20);
        assert_eq!(name(t.meant(3, Some(15))), is("f", false));
        t.exec();
        assert!(t.is_empty() && !t.shared && t.past.is_empty());
    }
}
