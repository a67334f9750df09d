//! One block: what of it is wanted.
//!
//! Enters: a stored block. Leaves: a selection of its rows, with the columns loaded that the output reads, and counts.
//! Never: an output, another block.
//!
//! A block is decoded only as far as it must be: its codes and times may say that nothing in it can match, then its
//! dictionary; then the columns that the filter tests are unpacked one by one, as long as a row is left; the rest only if a
//! row was selected.

use std::sync::Arc;

use crate::batch::{Bitmap, Columns, Tables};
use crate::filter::{Filter, Glance, Verdicts};
use crate::reel::{Damage, Index, Stored};
use crate::schema::{LOST, Schema};

/// Counts of rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Events that were looked at, or known not to match.
    pub seen: u64,
    /// Events that matched.
    pub matched: u64,
    /// Events that were lost, as rows of the stream say.
    pub lost: u64,
}

/// A filter with its memory of a block.
#[derive(Clone)]
pub struct Sieve {
    filter: Filter,
    /// What codes mean.
    pub schema: Arc<Schema>,
    output: Columns,
    verdicts: Verdicts,
    /// Entries say more than their summaries know.
    pub late: bool,
    /// The rows of the last block that are wanted.
    pub rows: Bitmap,
}

impl Sieve {
    /// Selects what `filter` holds for; `output` are the columns that are read of what was selected.
    pub fn new(filter: Filter, schema: Arc<Schema>, output: Columns) -> Sieve {
        Sieve { filter, schema, output, verdicts: Verdicts::default(), late: false, rows: Bitmap::default() }
    }

    /// False if nothing of a block of the index is wanted.
    pub fn wants(&self, index: &Index, block: usize) -> bool {
        let codes = index.codes(block);
        // What was lost is always shown.
        if self.filter.is_everything() || codes.as_ref().is_some_and(|c| c.contains(&LOST)) {
            return true;
        }
        let times = index.blocks().get(block).map(|e| (e.first_time, e.last_time));
        let times = index.meta(block).zip(times).map(|(meta, (first, last))| (meta, first, last));
        let (keys, pieces) = if self.late { (false, false) } else { self.filter.asks_summaries() };
        // Without a list of codes a loss may be in it.
        codes.is_none()
            || self.filter.may_be_in(&Glance {
                codes: codes.as_deref(),
                times,
                summary: if keys { index.summary(block) } else { None },
                pieces: if pieces { index.pieces(block) } else { None },
            })
    }

    /// Selects rows of a block, at most `limit` of those that match. A loss is always selected, never counted as a match:
    /// a stream that hides it would lie.
    pub fn sift(&mut self, block: &mut Stored, limit: Option<u64>) -> Result<Counts, Damage> {
        self.verdicts.reset();
        let all = block.rows();
        let lossy = block.codes().contains(&LOST);
        let mut counts = Counts { seen: all as u64, ..Counts::default() };
        self.rows.reset(all, true);
        if !self.filter.is_everything() && !self.choose(block)? {
            self.rows.reset(all, false);
        }
        let mut losses = Vec::new();
        if lossy {
            block.load(Columns::CALL.and(Columns::WORDS))?;
            let batch = block.view(&self.schema);
            losses.extend((0..all).filter(|row| batch.call.get(*row) == Some(&LOST)));
            for row in &losses {
                counts.lost += batch.words_of(*row).first().copied().unwrap_or(0);
                self.rows.set(*row, false);
            }
            counts.seen -= losses.len() as u64;
        }
        counts.matched = self.rows.count() as u64;
        if let Some(limit) = limit.filter(|limit| counts.matched > *limit) {
            let mut left = limit;
            self.rows.retain(|_| {
                let keep = left > 0;
                left = left.saturating_sub(1);
                keep
            });
            counts.matched = limit;
        }
        losses.iter().for_each(|row| self.rows.set(*row, true));
        if counts.matched > 0 || !losses.is_empty() {
            block.load(self.output)?;
        }
        Ok(counts)
    }

    /// Clears the rows that the filter does not hold for; false if none is left.
    fn choose(&mut self, block: &mut Stored) -> Result<bool, Damage> {
        let (first, last) = block.time_range();
        let times = Some((block.meta(), first, last));
        if !self.filter.may_be_in(&Glance { codes: Some(block.codes()), times, ..Glance::default() }) {
            return Ok(false);
        }
        let tables = self.filter.tables();
        if tables > Tables::Nothing {
            block.load_tables(tables)?;
            let known = Glance { codes: Some(block.codes()), times, ..Glance::default() };
            if !self.filter.may_match(&mut self.verdicts, &known, &block.dict()) {
                return Ok(false);
            }
        }
        for stage in 0..self.filter.stages() {
            block.load_listed(self.filter.stage_lists(stage))?;
            let (narrow, decoded) = self.filter.stage_columns(stage, &block.packed());
            block.load_packed(narrow)?;
            block.load(decoded)?;
            let batch = block.view(&self.schema);
            self.filter.select_stage(stage, &mut self.verdicts, &batch, &mut self.rows);
            if self.rows.words().iter().all(|w| *w == 0) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
