//! Processes that use one descriptor table.
//!
//! Enters: a process that was just read from /proc, which does not tell whose table that is. Leaves: the same table for all
//! of which the kernel says so (kcmp(2)), and tables of their own for those of which it does not any more. Never: a record.
//!
//! A fork tells whether its child shares the table, and later calls whether that has ended. What neither told, because it
//! was before the start or was lost, would be seen in wrong names: what the one closes and opens, the other means.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};
use std::rc::Rc;

use rustc_hash::{FxHashMap, FxHasher};

use super::State;
use super::descriptors::{FdTable, TableRef};
use super::tables::ProcRef;

/// How the kernel orders the tables of two processes, if it says so: see [`State::asking`].
pub type Order = fn(u32, u32) -> Option<Ordering>;

/// Processes that were read and may turn out to share a table.
#[derive(Default)]
pub(super) struct Alike {
    /// Those of the first scan by what they have open, each list in the kernel's order of their tables: one that shares is
    /// found in a few questions, even among thousands that are alike.
    open: FxHashMap<u64, Vec<u32>>,
    /// Those that share the table of a parent whose descriptors have not been read.
    children: FxHashMap<u32, u32>,
}

impl Alike {
    /// The process that has the same table as this one, which is remembered if there is none.
    fn find(&mut self, pid: u32, table: &FdTable, order: Order) -> Option<u32> {
        let list = self.open.entry(open(table)).or_default();
        let (mut low, mut high) = (0, list.len());
        while let Some(&other) = list.get(low + (high - low) / 2).filter(|_| low < high) {
            let middle = low + (high - low) / 2;
            match order(other, pid) {
                Some(Ordering::Equal) => return Some(other),
                Some(Ordering::Less) => low = middle + 1,
                Some(Ordering::Greater) => high = middle,
                // One of the two is gone.
                None => {
                    list.remove(middle);
                    high -= 1;
                }
            }
        }
        list.insert(low, pid);
        None
    }

    /// The first scan is over.
    pub fn forget(&mut self) {
        self.open = FxHashMap::default();
    }
}

/// What is open in a table, in short.
fn open(table: &FdTable) -> u64 {
    let mut all = FxHasher::default();
    for (fd, entry) in table.iter() {
        let desc = entry.file.desc.borrow();
        (fd, desc.dev, desc.ino).hash(&mut all);
    }
    all.finish()
}

impl State<'_> {
    /// A process was read: if its table is one that is known, it is that.
    pub(super) fn join(&mut self, proc: &ProcRef, pid: u32) {
        let table = proc.fds.borrow().clone();
        // The kernel's threads and the dead have none, which is not one table.
        if table.borrow().is_empty() {
            return;
        }
        let Some(other) = self.companion(proc, pid, &table) else { return };
        let common = other.fds.borrow().clone();
        if !Rc::ptr_eq(&table, &common) {
            common.borrow_mut().share();
            common.borrow_mut().renew(table.take());
            *proc.fds.borrow_mut() = common;
            self.read_together(proc);
        }
    }

    /// A process that has the same table.
    fn companion(&mut self, proc: &ProcRef, pid: u32, table: &TableRef) -> Option<ProcRef> {
        if let Some(child) = self.alike.children.remove(&pid)
            && let Some(child) = self.procs.get(&child)
            && (self.order)(pid, child.desc.borrow().pid) == Some(Ordering::Equal)
        {
            return Some(child.clone());
        }
        let scanning = !self.unread.is_empty();
        if let Some(parent) = proc.parent.borrow().as_ref() {
            let of = parent.desc.borrow().pid;
            if (self.order)(pid, of) == Some(Ordering::Equal) {
                if parent.fds_known.get() {
                    return Some(parent.clone());
                }
                self.alike.children.insert(of, pid);
                if !scanning {
                    // Nobody tells what it does.
                    table.borrow_mut().untold();
                }
            }
        }
        let other = if scanning { self.alike.find(pid, &table.borrow(), self.order) } else { None };
        self.procs.get(&other?).filter(|p| p.fds_known.get()).cloned()
    }

    /// What was read of a process is true of all that use its table.
    pub(super) fn read_together(&self, proc: &ProcRef) {
        let table = proc.fds.borrow().clone();
        // The process's own, and the one here.
        if Rc::strong_count(&table) > 2 {
            self.procs
                .values()
                .filter(|p| Rc::ptr_eq(&p.fds.borrow(), &table))
                .for_each(|p| p.read.set(proc.read.get()));
        }
    }

    /// A process is read anew after a loss. It has another table than those that it shared one with, if the kernel says so or
    /// says nothing.
    pub(super) fn part(&mut self, proc: &ProcRef, pid: u32) {
        let table = proc.fds.borrow().clone();
        if Rc::strong_count(&table) <= 2 {
            return self.join(proc, pid);
        }
        let others =
            self.procs.values().filter(|p| !Rc::ptr_eq(p, proc) && Rc::ptr_eq(&p.fds.borrow(), &table));
        let (mut with, mut all, mut unknown) = (Vec::new(), true, false);
        for other in others {
            let id = other.desc.borrow().pid;
            match (self.order)(pid, id) {
                Some(Ordering::Equal) => with.push(other.clone()),
                Some(_) => all = false,
                None => {
                    all = false;
                    unknown |= self.proc_fs.open(id).is_some();
                }
            }
        }
        if !all {
            let own = TableRef::default();
            if unknown {
                own.borrow_mut().untold();
            }
            with.iter().chain([proc]).for_each(|p| *p.fds.borrow_mut() = own.clone());
        }
    }
}
