//! Where events go when they are printed. (Reels: [`crate::recorder`].)
//!
//! Enters: selected rows of a batch. Leaves: bytes in a file or on a stream, written by a thread of their own, so that
//! whoever reads rings never waits for a disk ([`crate::handoff`]). Never: a decision about what is shown.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use anyhow::{Context, Error, Result};

use crate::batch::{Batch, Columns};
use crate::config::{self, Stream};
use crate::handoff::{Giver, Manner, QUEUE, handoff};
use crate::outlet::{Outlet, Patience, Watch, given_up};
use crate::output::{self, Format, JsonOptions, Template, TextOptions, TimeStyle, render_end};
use crate::schema::LOST;

/// A buffer of lines is handed on when it is this long, or at the end of a drain.
const LINES: usize = 256 * 1024;

/// What became of the output.
#[derive(Debug, Default)]
pub struct Outcome {
    /// The reader of our output has gone: not an error.
    pub closed: bool,
    /// Writing failed.
    pub error: Option<io::Error>,
    /// Events written to a reel, or printed.
    pub written: u64,
    /// Events that were to be written and were not.
    pub unwritten: u64,
}

impl Outcome {
    /// The output took nothing any more, and was given up with so many events in it.
    pub fn given_up(written: u64) -> Outcome {
        Outcome { error: Some(given_up()), written, ..Outcome::default() }
    }

    /// True if the output was given up.
    pub fn is_given_up(&self) -> bool {
        self.error.as_ref().is_some_and(|e| e.kind() == io::ErrorKind::TimedOut)
    }
}

/// True if whoever read our output has gone.
pub fn is_closed(e: &io::Error) -> bool {
    e.kind() == io::ErrorKind::BrokenPipe
}

/// Opens a stream for lines. Unbuffered: what is written is already a large buffer.
fn open_stream(to: &Stream, watch: Arc<Watch>) -> io::Result<Outlet> {
    Ok(match to {
        Stream::Stdout => Outlet::new(Unbuffered(rustix::stdio::stdout()), watch),
        Stream::Stderr => Outlet::new(Unbuffered(rustix::stdio::stderr()), watch),
        Stream::File(path) => Outlet::new(File::create(path)?, watch),
    })
}

/// A descriptor that is written to as it is. The standard library's handle for stdout splits what is written at newlines.
pub struct Unbuffered<F>(F);

impl Unbuffered<BorrowedFd<'static>> {
    /// Standard output.
    pub fn stdout() -> Self {
        Unbuffered(rustix::stdio::stdout())
    }
}

impl<F: AsFd> Write for Unbuffered<F> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(rustix::io::write(&self.0, bytes)?)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<F: AsFd> AsFd for Unbuffered<F> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// What makes lines of events.
pub fn format(form: &config::Form, colour: bool) -> Result<Format> {
    Ok(match form {
        config::Form::Text(time) => {
            let time = match time {
                config::TimeStyle::Clock => TimeStyle::Local,
                config::TimeStyle::None => TimeStyle::None,
                config::TimeStyle::Epoch => TimeStyle::Epoch,
                config::TimeStyle::Delta => TimeStyle::Delta,
                config::TimeStyle::Date => TimeStyle::Date,
            };
            Format::text(TextOptions { time, color: colour, latency: true })
        }
        config::Form::Json => Format::json(JsonOptions::default()),
        config::Form::Template(t) => Format::Template(Template::parse(t).map_err(Error::msg)?),
    })
}

/// Lines, and where in them each event ends: a loss is no event, and a template may make several lines of one.
#[derive(Default)]
struct Lines {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

/// Lines of text.
pub struct Printer {
    format: Format,
    json: bool,
    buffer: Lines,
    line_by_line: bool,
    full: Giver<Lines>,
    empty: Receiver<Lines>,
    thread: Option<JoinHandle<io::Result<()>>>,
    watch: Arc<Watch>,
    /// Events given to the other thread, or about to be.
    given: u64,
}

impl Printer {
    /// True if what was asked for cannot be right, whatever the machine: an unknown field in a template.
    pub fn is_usage_error(form: &config::Form) -> bool {
        matches!(form, config::Form::Template(t) if Template::parse(t).is_err())
    }

    /// Prints in `form` to `to`.
    pub fn new(
        to: &Stream,
        form: &config::Form,
        colour: bool,
        each: bool,
        manner: Manner,
    ) -> Result<Printer> {
        let format = format(form, colour)?;
        let watch = Watch::new(manner.is_mortal());
        let out = open_stream(to, watch.clone()).with_context(|| match to {
            Stream::File(path) => format!("cannot write to {}", crate::message::name(path)),
            _ => "cannot write".to_owned(),
        })?;
        let (full, filled) = handoff(manner, watch.clone());
        let (give, empty) = sync_channel(QUEUE + 2);
        let seen = watch.clone();
        let thread = std::thread::spawn(move || {
            let done = print(out, &filled, &give, &seen);
            drop(filled);
            seen.took();
            done
        });
        let json = *form == config::Form::Json;
        Ok(Printer {
            format,
            json,
            buffer: Lines { bytes: Vec::with_capacity(LINES + 4096), ends: Vec::new() },
            line_by_line: each,
            full,
            empty,
            thread: Some(thread),
            watch,
            given: 0,
        })
    }

    /// Columns that printing reads.
    pub fn columns(&self) -> Columns {
        self.format.columns()
    }

    /// Prints one row.
    pub fn row(&mut self, batch: &Batch, row: usize) {
        self.format.render(batch, row, &mut self.buffer.bytes);
        if batch.call.get(row) != Some(&LOST) {
            self.buffer.ends.push(self.buffer.bytes.len());
            self.given += 1;
        }
        if self.line_by_line || self.buffer.bytes.len() >= LINES {
            self.pass_on();
        }
    }

    /// Hands on what there is.
    pub fn pass_on(&mut self) {
        if self.buffer.bytes.is_empty() {
            return;
        }
        // While the other thread is behind, lines are not handed on one by one.
        let short = self.line_by_line && self.buffer.bytes.len() < LINES;
        if short && self.full.kept().next().is_some() && !self.full.has_room() {
            return;
        }
        let next = self.empty.try_recv().unwrap_or_default();
        self.full.give(std::mem::replace(&mut self.buffer, next));
    }

    /// Hands on lines that somebody else has made, behind what there is. Gives an empty buffer back.
    pub fn lines(&mut self, lines: Vec<u8>) -> Vec<u8> {
        self.pass_on();
        let empty = std::mem::replace(&mut self.buffer, Lines { bytes: lines, ends: Vec::new() });
        self.pass_on();
        empty.bytes
    }

    /// True if all was handed on: there is room for more.
    pub fn has_room(&mut self) -> bool {
        if self.full.has_room() {
            self.pass_on();
        }
        self.full.has_room()
    }

    /// What hands on.
    pub fn giver(&mut self) -> &mut Giver<impl Sized> {
        &mut self.full
    }

    /// True if nothing can be printed any more.
    pub fn is_closed(&self) -> bool {
        self.full.is_closed()
    }

    /// Prints the end record, if the form has one, and waits until everything is out, or as long as patience lasts.
    pub fn finish(mut self, totals: &output::Totals, patience: Option<&mut Patience>) -> Outcome {
        if self.json {
            render_end(&mut self.buffer.bytes, totals);
        }
        let last = std::mem::take(&mut self.buffer);
        if !last.bytes.is_empty() {
            self.full.give(last);
        }
        let Some(thread) = self.thread.take() else { return Outcome::default() };
        let ended = self.full.finish(thread, patience);
        let written = self.watch.events();
        let mut outcome = Outcome { written, ..Outcome::default() };
        match ended {
            None => outcome = Outcome::given_up(written),
            Some(Ok(Err(e))) if is_closed(&e) => outcome.closed = true,
            Some(Ok(Err(e))) => outcome.error = Some(e),
            Some(Err(_)) => outcome.error = Some(io::Error::other("the writing thread failed")),
            Some(Ok(Ok(()))) => {}
        }
        if outcome.error.is_some() {
            outcome.unwritten = self.given.saturating_sub(written);
        }
        outcome
    }
}

/// The writing thread.
fn print(
    mut out: Outlet,
    filled: &Receiver<Lines>,
    give: &SyncSender<Lines>,
    watch: &Watch,
) -> io::Result<()> {
    let mut before = 0;
    for mut lines in filled {
        watch.took();
        let mut at = 0;
        while let Some(rest) = lines.bytes.get(at..).filter(|rest| !rest.is_empty()) {
            match out.write(rest) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(n) => {
                    at += n;
                    watch.count(before + lines.ends.partition_point(|end| *end <= at) as u64);
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        before += lines.ends.len() as u64;
        lines.bytes.clear();
        lines.ends.clear();
        // The other side may have ended.
        let _ = give.try_send(lines);
    }
    out.flush()
}
