//! A reel that a tool writes.
//!
//! Enters: rows of batches. Leaves: a file made as `-w` makes it, one block in memory. Never: a row whose clocks differ
//! from those of its block.

use std::io;
use std::sync::Arc;

use crate::batch::{Batch, Bitmap, Builder, Copier, Edit, Meta};
use crate::config::Place;
use crate::exit::Exit;
use crate::files::{self, Single};
use crate::message;
use crate::reel::{Header, Stored, Totals, Writer};
use crate::schema::Schema;

/// A reel being written.
pub struct Target {
    name: String,
    writer: Writer<Single>,
    schema: Arc<Schema>,
    builder: Box<Builder>,
    generation: u32,
    times: (u64, u64),
}

/// Rows of one source block on their way into a target.
pub struct Lane {
    copier: Copier,
    generation: u32,
}

impl Lane {
    /// A lane that belongs to no target yet.
    pub fn new(from: &Batch) -> Lane {
        Lane { copier: Copier::new(from), generation: 0 }
    }
}

/// Why a reel could not be made or written; a reader that went away is no failure.
pub fn failed(name: &str, error: &io::Error) -> Exit {
    if error.kind() == io::ErrorKind::BrokenPipe {
        return Exit::Ok;
    }
    message::say(format!("cannot write {name}: {error}"));
    Exit::Error
}

impl Target {
    /// Makes the file and writes its header.
    pub fn create(to: &Place, force: bool, header: &Header, schema: &Arc<Schema>) -> Result<Target, Exit> {
        let name = match to {
            Place::Standard => "standard output".into(),
            Place::File(path) => message::name(path),
        };
        let out = files::create(to, force).map_err(|e| failed(&name, &e))?;
        Target::of(name, out, header, schema)
    }

    /// The same in anything that takes bytes.
    pub fn of(name: String, out: Single, header: &Header, schema: &Arc<Schema>) -> Result<Target, Exit> {
        let writer = Writer::new(out, header, schema).map_err(|e| failed(&name, &e))?;
        Ok(Target {
            name,
            writer,
            schema: schema.clone(),
            builder: Box::default(),
            generation: 1,
            times: (0, 0),
        })
    }

    /// Bytes written so far.
    pub fn bytes(&self) -> u64 {
        self.writer.bytes_written()
    }

    /// Rows that wait for their block to be full.
    pub fn waiting(&self) -> usize {
        self.builder.rows()
    }

    /// True if the next row begins a new block anyway.
    pub fn is_full(&self) -> bool {
        self.builder.is_full()
    }

    /// A lane for rows of `from`.
    pub fn lane(&self, from: &Batch) -> Lane {
        Lane { copier: Copier::new(from), generation: self.generation }
    }

    /// Adds a row, in a block of this `meta`.
    pub fn row(
        &mut self,
        lane: &mut Lane,
        from: &Batch,
        row: usize,
        meta: Meta,
        edit: &impl Edit,
    ) -> Result<(), Exit> {
        if self.builder.rows() > 0 {
            let has = self.builder.meta();
            let same = has.start_time == meta.start_time
                && has.wall.wrapping_sub(has.boot) == meta.wall.wrapping_sub(meta.boot);
            if !same || self.is_full() {
                self.pass_block()?;
            }
        }
        if self.builder.rows() == 0 {
            self.builder.set_meta(Meta { host: edit.host(from.host_of(row)), ..meta });
        }
        if lane.generation != self.generation {
            *lane = self.lane(from);
        }
        lane.copier.edited(from, row, &mut self.builder, edit);
        Ok(())
    }

    /// Writes what waits as a block.
    pub fn pass_block(&mut self) -> Result<(), Exit> {
        if self.builder.rows() == 0 {
            return Ok(());
        }
        self.builder.close();
        let written = {
            let view = self.builder.view(&self.schema);
            let first = view.time.first().copied().unwrap_or(0);
            self.times.0 = if self.times.0 == 0 { first } else { self.times.0 };
            self.times.1 = view.time.last().copied().unwrap_or(0);
            self.writer.write_block(&view)
        };
        self.generation = self.generation.wrapping_add(1);
        self.builder.reset(self.generation);
        written.map_err(|e| self.gave_up(&e))
    }

    /// Writes a whole block as it is; its schema must be this reel's. False if it is one that cannot be written: nobody
    /// but a made-up file has such.
    pub fn block(&mut self, view: &Batch) -> Result<bool, Exit> {
        self.pass_block()?;
        match self.writer.write_block(view) {
            Ok(()) => {}
            Err(e) if e.kind() == io::ErrorKind::InvalidInput => return Ok(false),
            Err(e) => return Err(self.gave_up(&e)),
        }
        self.times.0 = if self.times.0 == 0 { view.time.first().copied().unwrap_or(0) } else { self.times.0 };
        self.times.1 = view.time.last().copied().unwrap_or(0);
        Ok(true)
    }

    /// Writes these rows of a block of a snapshot as one of the new reel.
    pub fn snapshot(
        &mut self,
        from: &Batch,
        rows: &Bitmap,
        meta: Meta,
        edit: &impl Edit,
    ) -> Result<(), Exit> {
        let mut builder = Builder::new();
        builder.set_meta(Meta { host: edit.host(from.meta.host), ..meta });
        let mut copier = Copier::new(from);
        rows.iter().for_each(|row| copier.edited(from, row, &mut builder, edit));
        builder.close();
        self.whole_snapshot(&builder.view(&self.schema.clone())).map(|_| ())
    }

    /// The same of a whole block as it is.
    pub fn whole_snapshot(&mut self, view: &Batch) -> Result<bool, Exit> {
        match self.writer.write_snapshot(view, u64::MAX) {
            Ok(_) => Ok(true),
            Err(e) if e.kind() == io::ErrorKind::InvalidInput => Ok(false),
            Err(e) => Err(self.gave_up(&e)),
        }
    }

    /// What the other reel knew last of containers is known of those that are in this one as well.
    pub fn learn_containers(&mut self, from: &[Stored]) -> Result<(), Exit> {
        self.pass_block()?;
        from.iter().for_each(|block| self.writer.learn_containers(&block.view(&self.schema)));
        Ok(())
    }

    fn gave_up(&self, error: &io::Error) -> Exit {
        let exit = failed(&self.name, error);
        if exit == Exit::Error {
            message::say(format!("the {} events before that can be read", self.writer.events_written()));
        }
        exit
    }

    /// Writes the end block. The times of the totals are filled in.
    pub fn finish(mut self, totals: Totals) -> Result<(), Exit> {
        self.pass_block()?;
        let totals = Totals { first_time: self.times.0, last_time: self.times.1, ..totals };
        let done = self.writer.finish(&totals).and_then(Single::complete);
        done.map_err(|e| failed(&self.name, &e))
    }
}

/// The filter that a reel made from another with a further filter had.
pub fn joined(before: &str, filter: &str) -> String {
    match (before.is_empty(), filter.is_empty()) {
        (true, _) => filter.to_owned(),
        (false, true) => before.to_owned(),
        (false, false) => format!("({before}) and ({filter})"),
    }
}
