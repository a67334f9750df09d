//! The order of the strings of rows as a block stores them: first what stands for itself (paths, payload), then structures
//! of one size, run after run, so that they can be stored column by column.
//!
//! Enters: a batch and its rows by code. Leaves: of each string of rows its new id, and the runs. Never: a string of a process
//! or file, whose ids stay; bytes.

use super::slots::Order;
use crate::batch::Batch;
use crate::schema::Kind;

/// Structures of one size, one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Run {
    /// How many.
    pub count: usize,
    /// How long each is, in bytes.
    pub size: usize,
}

/// Larger ones hold text or lists (names, directory entries), in which columns have no meaning.
pub(super) const MAX_SIZE: usize = 512;
/// With fewer the columns' heads cost more than the columns save.
const LEAST: usize = 4;

/// No new id yet.
const PLAIN: u32 = u32::MAX;

/// Where the strings of rows go.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    /// The first string that belongs to rows alone.
    first: usize,
    /// New ids of the strings from `first` on; empty if all stay where they are.
    ids: Vec<u32>,
    /// What is stored by column: old ids, run after run.
    pub records: Vec<u32>,
    pub runs: Vec<Run>,
    /// Of one slot: old ids.
    slot: Vec<u32>,
}

impl Gathered {
    /// Looks at a batch whose strings from `first` on are of rows alone.
    pub fn set(&mut self, order: &Order, b: &Batch, first: usize) {
        self.first = first;
        self.ids.clear();
        self.records.clear();
        self.runs.clear();
        for (code, rows) in order.codes() {
            for arg in b.schema.shape(code).args.iter().filter(|a| is_record(a.kind)) {
                if let Some(item) = arg.item.filter(|_| rows.len() >= LEAST) {
                    self.slot(rows, usize::from(item), b);
                }
            }
        }
        if self.runs.is_empty() {
            self.ids.clear();
            return;
        }
        let mut next = first as u32;
        for id in self.ids.iter_mut().filter(|id| **id == PLAIN) {
            *id = next;
            next += 1;
        }
        for old in &self.records {
            if let Some(id) = self.ids.get_mut((*old as usize).wrapping_sub(first)) {
                *id = next;
                next += 1;
            }
        }
    }

    /// Claims the strings of one slot that are not claimed yet.
    fn slot(&mut self, rows: &[u32], item: usize, b: &Batch) {
        let strings = b.dict.strings;
        self.ids.resize(strings.len() - self.first, PLAIN);
        let size = |id: u32| strings.get(id).len();
        let first = self.first;
        self.slot.clear();
        for row in rows {
            let at = b.item_at.get(*row as usize).map_or(usize::MAX, |at| *at as usize + item);
            let Some(id) = b.items.get(at).and_then(|item| item.id()) else { continue };
            let Some(slot) = self.ids.get_mut((id as usize).wrapping_sub(first)) else { continue };
            if *slot == PLAIN && (1..=MAX_SIZE).contains(&size(id)) {
                // Each once: a mark that is no id, as a batch has fewer strings.
                *slot = PLAIN - 1;
                self.slot.push(id);
            }
        }
        // In order of rows within each size.
        if self.slot.first().is_some_and(|one| self.slot.iter().any(|id| size(*id) != size(*one))) {
            self.slot.sort_by_key(|id| size(*id));
        }
        for run in self.slot.chunk_by(|a, b| size(*a) == size(*b)) {
            let least = run.len() >= LEAST;
            if least {
                let size = run.first().map_or(0, |id| size(*id));
                self.runs.push(Run { count: run.len(), size });
                self.records.extend_from_slice(run);
            }
            for id in run.iter().filter(|_| !least) {
                if let Some(slot) = self.ids.get_mut(*id as usize - first) {
                    *slot = PLAIN;
                }
            }
        }
    }

    /// The id that a string is stored with.
    #[inline]
    pub fn id(&self, old: u32) -> u32 {
        match (old as usize).checked_sub(self.first) {
            Some(at) => self.ids.get(at).copied().unwrap_or(old),
            None => old,
        }
    }

    /// The strings of rows that are stored as they are, by old ids, in ranges.
    pub fn plain(&self, strings: usize) -> impl Iterator<Item = std::ops::Range<usize>> {
        // Where records begin, by the ids that they get.
        let end = (strings - self.records.len()) as u32;
        let mut at = 0;
        let all = (self.ids.is_empty() && self.first < strings).then_some(self.first..strings);
        let parts = std::iter::from_fn(move || {
            let is_plain = |id: &u32| *id < end;
            let from = at + self.ids.get(at..)?.iter().position(is_plain)?;
            let rest = self.ids.get(from..)?;
            at = from + rest.iter().position(|id| !is_plain(id)).unwrap_or(rest.len());
            Some(self.first + from..self.first + at)
        });
        all.into_iter().chain(parts)
    }
}

/// Structures of a fixed layout, alone or in an array.
fn is_record(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Struct(_) | Kind::Sized(..) | Kind::Array(..) | Kind::Pollfds(_) | Kind::EpollEvents(_)
    )
}

#[cfg(test)]
mod tests {
    use super::super::samples::{schema, wild};
    use super::*;

    #[test]
    fn every_string_has_one_place() {
        let mut some = 0;
        for seed in 0..200 {
            let block = wild(schema(), 60, seed * 31);
            let b = block.view(schema());
            let (_, first) = super::super::tables::strings(&b.dict);
            let mut order = Order::default();
            order.set(b.call);
            let mut g = Gathered::default();
            g.set(&order, &b, first);
            let strings = b.dict.strings.len();
            let mut old: Vec<usize> = (0..first).collect();
            old.extend(g.plain(strings).flatten());
            old.extend(g.records.iter().map(|id| *id as usize));
            let ids: Vec<usize> = old.iter().map(|old| g.id(*old as u32) as usize).collect();
            assert_eq!(ids, (0..strings).collect::<Vec<_>>());
            let mut records = g.records.iter();
            for run in &g.runs {
                assert!(run.count >= LEAST);
                for id in records.by_ref().take(run.count) {
                    assert_eq!(b.dict.strings.get(*id).len(), run.size);
                }
                some += 1;
            }
            assert!(records.next().is_none());
        }
        assert!(some > 20, "{some}");
    }
}
