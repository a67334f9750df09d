//! Which rows go on: the filter, the number of events that was asked for, and what always goes on.
//!
//! Enters: a batch and a range of its rows. Leaves: a selection, and counts. The same for live and reread, so the two
//! cannot disagree. Never: an output.

use std::ops::Range;

use crate::batch::{Batch, Bitmap, Columns};
use crate::filter::{Filter, Verdicts};
use crate::schema::LOST;

/// The filter with its memory of a block, and the counts of a run.
pub struct Selector {
    filter: Filter,
    verdicts: Verdicts,
    selection: Bitmap,
    limit: Option<u64>,
    /// Events that were looked at.
    pub seen: u64,
    /// Events that matched.
    pub matched: u64,
    /// Events that were lost, as rows of the stream say.
    pub lost: u64,
}

impl Selector {
    /// Selects what `filter` holds for, at most `limit` events.
    pub fn new(filter: Filter, limit: Option<u64>) -> Selector {
        Selector {
            filter,
            verdicts: Verdicts::default(),
            selection: Bitmap::default(),
            limit,
            seen: 0,
            matched: 0,
            lost: 0,
        }
    }

    /// The filter.
    pub fn filter(&self) -> &Filter {
        &self.filter
    }

    /// Columns that [`Selector::select`] reads.
    pub fn columns(&self) -> Columns {
        // A loss is found by its code.
        self.filter.columns().and(Columns::CALL).and(Columns::WORDS)
    }

    /// True if as many events have matched as were asked for.
    pub fn is_done(&self) -> bool {
        self.limit.is_some_and(|l| self.matched >= l)
    }

    /// A new block begins: what was decided about dictionary entries is void.
    pub fn next_block(&mut self) {
        self.verdicts.reset();
    }

    /// What the filter holds for in a batch that is no part of the stream: nothing is counted.
    pub fn aside(&self, batch: &Batch) -> Bitmap {
        let mut selection = Bitmap::default();
        selection.reset(batch.rows, self.filter.is_everything());
        if !self.filter.is_everything() {
            self.filter.select(&mut Verdicts::default(), batch, 0..batch.rows, &mut selection);
        }
        selection
    }

    /// Selects among `rows`. A loss is always selected, never counted as a match: a stream that hides it would lie.
    pub fn select(&mut self, batch: &Batch, rows: Range<usize>) -> &Bitmap {
        if self.filter.is_everything() {
            self.selection.reset(batch.rows, true);
            for row in 0..rows.start {
                self.selection.set(row, false);
            }
        } else {
            self.selection.reset(batch.rows, false);
            self.filter.select(&mut self.verdicts, batch, rows.clone(), &mut self.selection);
        }
        let losses = |row: &usize| batch.call.get(*row) == Some(&LOST);
        let lost_rows: Vec<usize> = rows.clone().filter(losses).collect();
        for &row in &lost_rows {
            self.lost += batch.words_of(row).first().copied().unwrap_or(0);
            self.selection.set(row, false);
        }
        self.seen += (rows.len() - lost_rows.len()) as u64;
        let count = self.selection.count() as u64;
        match self.limit {
            Some(limit) if self.matched + count > limit => {
                let mut left = limit.saturating_sub(self.matched);
                self.selection.retain(|_| {
                    let keep = left > 0;
                    left = left.saturating_sub(1);
                    keep
                });
                self.matched = limit;
            }
            _ => self.matched += count,
        }
        for row in lost_rows {
            self.selection.set(row, true);
        }
        &self.selection
    }
}
