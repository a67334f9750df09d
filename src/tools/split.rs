//! `sysreel split`: a reel in pieces, each a reel of its own.
//!
//! Enters: a reel, and what ends a piece. Leaves: files named after the one that was given, with a number that sorts.
//! Never: an event in two pieces.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::input::{Input, containers_of};
use super::pick::Picker;
use super::target::{Target, joined};
use super::window::Window;
use crate::batch::{AsIs, Batch, Bitmap, Columns};
use crate::config::Place;
use crate::exit::Exit;
use crate::message;
use crate::reel::{Header, Stored, Totals};
use crate::schema::{LOST, Schema};

/// What ends a piece.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Until {
    /// Bytes of the file: it ends with the block before it would become larger.
    Size(u64),
    /// A span of time, counted from the start of the capture (ns).
    Duration(u64),
    /// A number of events.
    Events(u64),
}

/// What was typed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Options {
    /// The reel.
    pub from: Place,
    /// What the pieces are named after.
    pub to: PathBuf,
    /// They may replace files.
    pub force: bool,
    /// What ends a piece.
    pub until: Until,
    /// Which events.
    pub filter: String,
}

/// Blocks in a piece of limited size: a limit is met as closely as one of them.
const BLOCKS: u64 = 8;
/// No block gets smaller for it than this many rows …
const LEAST_ROWS: usize = 64;
/// … and the first has this many, while nobody knows how large a row is.
const FIRST_ROWS: usize = 1024;

struct Pieces<'a> {
    options: &'a Options,
    header: Header,
    schema: std::sync::Arc<Schema>,
    open: Option<Target>,
    /// Pieces that were begun.
    count: u64,
    /// Events and losses of the open piece.
    events: u64,
    lost: u64,
    /// Which span of time it is.
    span: u64,
    /// Bytes of its header, and of the block written last.
    head: u64,
    block: u64,
    /// Rows and bytes of blocks so far, in all pieces.
    packed: (u64, u64),
    /// What is known last of containers: each piece tells it of those that it mentions.
    late: Vec<Stored>,
}

/// The name of a piece: `dir/name.000001.reel` of `dir/name.reel`.
pub fn piece_name(name: &Path, number: u64) -> PathBuf {
    let mut out: OsString = name.file_stem().unwrap_or_default().to_owned();
    out.push(format!(".{number:06}"));
    if let Some(extension) = name.extension() {
        out.push(".");
        out.push(extension);
    }
    name.with_file_name(out)
}

/// Splits.
pub fn run(options: &Options) -> Result<Exit, Exit> {
    let mut input = Input::open(&options.from)?;
    let schema = input.schema().clone();
    let mut picker = Picker::new(&options.filter, Window::default(), &schema)?;
    let mut header = input.header().clone();
    header.filter = joined(&header.filter, &options.filter);
    let mut pieces = Pieces {
        options,
        header,
        schema: schema.clone(),
        open: None,
        count: 0,
        events: 0,
        lost: 0,
        span: 0,
        head: 0,
        block: 0,
        packed: (0, 0),
        late: containers_of(&options.from),
    };
    input.show_snapshots();
    // What is read once is known at its end, and so to the last piece alone.
    if pieces.late.is_empty() {
        input.keep_containers();
    }
    while let Some((block, rows)) = picker.next(&mut input, &schema, Columns::ALL) {
        let view = block.view(&schema);
        if block.is_snapshot() {
            pieces.snapshot(&view, &rows)?;
        } else {
            pieces.add(&view, &rows)?;
        }
    }
    // A reel without events is a piece without events.
    if pieces.count == 0 {
        pieces.begin()?;
    }
    pieces.late.append(&mut input.containers);
    pieces.end()?;
    message::say(format!(
        "{} events, {} written, {} lost, {} files",
        picker.seen, picker.matched, picker.lost, pieces.count
    ));
    Ok(input.close())
}

impl Pieces<'_> {
    fn add(&mut self, view: &Batch, rows: &Bitmap) -> Result<(), Exit> {
        let mut lane = None;
        for row in rows.iter() {
            let time = view.time.get(row).copied().unwrap_or(0);
            if self.open.is_some() && self.is_over(view, time)? {
                self.end()?;
            }
            if self.open.is_none() {
                self.begin()?;
                self.span = self.span_of(view, time);
                lane = None;
            }
            let Some(target) = &mut self.open else { continue };
            let lane = lane.get_or_insert_with(|| target.lane(view));
            target.row(lane, view, row, view.meta, &AsIs)?;
            match view.call.get(row) {
                Some(&LOST) => {
                    let n = view.words_of(row).first().copied().unwrap_or(0);
                    self.lost = self.lost.saturating_add(n);
                }
                _ => self.events += 1,
            }
        }
        Ok(())
    }

    /// A snapshot goes into the piece that is open.
    fn snapshot(&mut self, view: &Batch, rows: &Bitmap) -> Result<(), Exit> {
        if self.open.is_none() {
            self.begin()?;
            self.span = self.span_of(view, view.time.first().copied().unwrap_or(0));
        }
        self.open.as_mut().map_or(Ok(()), |target| target.snapshot(view, rows, view.meta, &AsIs))
    }

    fn span_of(&self, view: &Batch, time: u64) -> u64 {
        match self.options.until {
            Until::Duration(span) => time.saturating_sub(view.meta.start_time) / span.max(1),
            _ => 0,
        }
    }

    /// True if the row of this time belongs to the next piece.
    fn is_over(&mut self, view: &Batch, time: u64) -> Result<bool, Exit> {
        match self.options.until {
            Until::Events(most) => Ok(self.events >= most),
            // A time that goes back (a reel of several hosts whose clocks were set) stays where it is.
            Until::Duration(_) => Ok(self.span_of(view, time) > self.span),
            Until::Size(most) => self.is_full(most),
        }
    }

    fn is_full(&mut self, most: u64) -> Result<bool, Exit> {
        let Some(target) = &self.open else { return Ok(false) };
        if target.waiting() < self.rows(most) && !target.is_full() {
            return Ok(false);
        }
        let Some(target) = &mut self.open else { return Ok(false) };
        let (rows, before) = (target.waiting() as u64, target.bytes());
        target.pass_block()?;
        self.block = target.bytes() - before;
        self.packed = (self.packed.0 + rows, self.packed.1 + self.block);
        // The end block is small: totals, and five numbers for each block.
        Ok(target.bytes() + self.block + END > most)
    }

    /// Rows of a block in a piece of this size.
    fn rows(&self, most: u64) -> usize {
        let (rows, bytes) = self.packed;
        let room = most.saturating_sub(self.head) / BLOCKS;
        match room.saturating_mul(rows).checked_div(bytes) {
            Some(rows) => usize::try_from(rows).unwrap_or(usize::MAX).max(LEAST_ROWS),
            None => FIRST_ROWS,
        }
    }

    fn begin(&mut self) -> Result<(), Exit> {
        self.count += 1;
        let to = Place::File(piece_name(&self.options.to, self.count));
        let target = Target::create(&to, self.options.force, &self.header, &self.schema)?;
        self.head = target.bytes();
        self.open = Some(target);
        Ok(())
    }

    fn end(&mut self) -> Result<(), Exit> {
        let (events, lost) = (std::mem::take(&mut self.events), std::mem::take(&mut self.lost));
        let Some(mut target) = self.open.take() else { return Ok(()) };
        target.learn_containers(&self.late)?;
        target.finish(Totals {
            produced: events.saturating_add(lost),
            written: events,
            lost,
            ..Totals::default()
        })
    }
}

/// About what an end block takes.
const END: u64 = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_pieces_sort() {
        for (name, piece) in [
            ("t.reel", "t.000007.reel"),
            ("/tmp/a.b.reel", "/tmp/a.b.000007.reel"),
            ("plain", "plain.000007"),
            ("../.hidden", "../.hidden.000007"),
        ] {
            assert_eq!(piece_name(Path::new(name), 7), PathBuf::from(piece));
        }
    }
}
