//! Which rows a tool is about: a filter, a window of time, and losses within it.
//!
//! Enters: blocks. Leaves: selections, and counts. Never: more columns of a block than the answer needs.

use crate::batch::{Batch, Bitmap, Columns};
use crate::exit::Exit;
use crate::fields::Field;
use crate::filter::{Filter, Glance, Verdicts};
use crate::message;
use crate::reel::{Damage, Stored};
use crate::schema::{LOST, SNAPSHOT, Schema};

use super::input::Input;
use super::window::Window;

/// The filter, the window, and what they came to so far.
pub struct Picker {
    filter: Filter,
    window: Window,
    verdicts: Verdicts,
    selection: Bitmap,
    /// Events that were looked at.
    pub seen: u64,
    /// Events that were picked.
    pub matched: u64,
    /// Events that are known to be lost, in the window.
    pub lost: u64,
}

impl Picker {
    /// A picker for a reel of this schema. What is wrong with the filter has been said.
    pub fn new(filter: &str, window: Window, schema: &Schema) -> Result<Picker, Exit> {
        let filter = Filter::parse(filter, schema).map_err(|errors| {
            message::raw(&errors.render(filter));
            Exit::Usage
        })?;
        Ok(Picker {
            filter,
            window,
            verdicts: Verdicts::default(),
            selection: Bitmap::default(),
            seen: 0,
            matched: 0,
            lost: 0,
        })
    }

    /// True if every row is picked.
    pub fn is_everything(&self) -> bool {
        self.filter.is_everything() && self.window.is_everything()
    }

    /// True if the filter asks for containers or pods.
    pub fn asks_of_containers(&self) -> bool {
        self.filter.uses().any(|f| f.name.starts_with("container.") || f.name.starts_with("k8s."))
    }

    fn columns(&self) -> Columns {
        let time = if self.window.is_everything() { Columns::NOTHING } else { Columns::TIME };
        self.filter.columns().and(Columns::CALL).and(Columns::WORDS).and(time)
    }

    /// The next block that has rows that are wanted, with these columns, and which rows. Damage is said and passed over.
    pub fn next(&mut self, input: &mut Input, schema: &Schema, columns: Columns) -> Option<(Stored, Bitmap)> {
        while let Some(mut block) = input.block() {
            let read = match self.pick(&mut block, schema) {
                Ok(rows) if rows.count() == 0 => continue,
                Ok(rows) => Ok(rows.clone()),
                Err(damage) => Err(damage),
            };
            match read.and_then(|rows| block.load(columns).map(|()| rows)) {
                Ok(rows) => return Some((block, rows)),
                Err(damage) => input.complain(&damage),
            }
        }
        None
    }

    /// The rows of a block of a snapshot that are wanted; none if the filter is about events.
    fn pick_things(&mut self, block: &mut Stored, schema: &Schema) -> Result<&Bitmap, Damage> {
        self.verdicts.reset();
        self.selection.reset(block.rows(), false);
        if !self.filter.uses().all(Field::is_of_things) {
            return Ok(&self.selection);
        }
        block.load_tables(self.filter.tables())?;
        block.load(self.filter.columns().and(Columns::CALL).and(Columns::TIME))?;
        let batch = block.view(schema);
        if self.filter.is_everything() {
            self.selection.reset(batch.rows, true);
        } else {
            self.filter.select(&mut self.verdicts, &batch, 0..batch.rows, &mut self.selection);
        }
        // That it is whole is to be known of what is left of it, too.
        let ends = (0..batch.rows).filter(|row| batch.call.get(*row) == Some(&SNAPSHOT));
        ends.for_each(|row| self.selection.set(row, true));
        let window = self.window;
        self.selection.retain(|row| batch.time.get(row).is_some_and(|time| window.has(&batch.meta, *time)));
        Ok(&self.selection)
    }

    /// The rows of a block that are wanted; losses always are, and are no matches.
    pub fn pick(&mut self, block: &mut Stored, schema: &Schema) -> Result<&Bitmap, Damage> {
        if block.is_snapshot() {
            return self.pick_things(block, schema);
        }
        let rows = block.rows();
        self.verdicts.reset();
        self.selection.reset(rows, false);
        let losses = block.codes().contains(&LOST);
        let mut possible = self.window.may_have(&block.meta(), block.time_range());
        if possible && !losses && !self.filter.is_everything() {
            let (first, last) = block.time_range();
            let times = Some((block.meta(), first, last));
            possible =
                self.filter.may_be_in(&Glance { codes: Some(block.codes()), times, ..Glance::default() });
            if possible {
                block.load_tables(self.filter.tables())?;
                let known = Glance { codes: Some(block.codes()), times, ..Glance::default() };
                possible = self.filter.may_match(&mut self.verdicts, &known, &block.dict());
            }
        }
        if !possible {
            self.seen += rows as u64;
            return Ok(&self.selection);
        }
        block.load_tables(self.filter.tables())?;
        block.load(self.columns())?;
        let batch = block.view(schema);
        if self.filter.is_everything() {
            self.selection.reset(rows, true);
        } else {
            self.filter.select(&mut self.verdicts, &batch, 0..rows, &mut self.selection);
        }
        if !self.window.is_everything() {
            let window = self.window;
            self.selection
                .retain(|row| batch.time.get(row).is_some_and(|time| window.has(&batch.meta, *time)));
        }
        self.count(&batch, losses);
        Ok(&self.selection)
    }

    fn count(&mut self, batch: &Batch, losses: bool) {
        let mut lost_rows = Vec::new();
        if losses {
            let here = |row: &usize| {
                batch.call.get(*row) == Some(&LOST)
                    && (self.window.is_everything()
                        || batch.time.get(*row).is_some_and(|t| self.window.has(&batch.meta, *t)))
            };
            lost_rows.extend((0..batch.rows).filter(here));
        }
        let all = batch.call.iter().filter(|call| losses && **call == LOST).count();
        self.seen += (batch.rows - all.min(batch.rows)) as u64;
        for &row in &lost_rows {
            self.selection.set(row, false);
            let n = batch.words_of(row).first().copied().unwrap_or(0);
            self.lost = self.lost.saturating_add(n);
        }
        self.matched += self.selection.count() as u64;
        for row in lost_rows {
            self.selection.set(row, true);
        }
    }
}
