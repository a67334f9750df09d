//! Where events go when they are printed. (Reels: [`crate::recorder`].)
//!
//! Enters: selected rows of a batch. Leaves: bytes in a file or on a stream, written by a thread of their own, so that
//! whoever reads rings never waits for a disk: the hand-off is bounded, and when it is full the rings fill, and the probe
//! drops and counts. Never: a decision about what is shown.

use std::fs::File;
use std::io::{self, Write};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use anyhow::{Context, Error, Result};

use crate::batch::{Batch, Columns};
use crate::config::{self, Stream};
use crate::output::{self, Format, JsonOptions, Template, TextOptions, TimeStyle, render_end};

/// Buffers between the two threads.
const QUEUE: usize = 8;
/// A buffer of lines is handed on when it is this long, or at the end of a drain.
const LINES: usize = 256 * 1024;

/// What became of the output.
#[derive(Debug, Default)]
pub struct Outcome {
    /// The reader of our output has gone: not an error.
    pub closed: bool,
    /// Writing failed.
    pub error: Option<io::Error>,
    /// Events written to a reel.
    pub written: u64,
    /// Events that were to be written and were not.
    pub unwritten: u64,
}

/// True if whoever read our output has gone.
pub fn is_closed(e: &io::Error) -> bool {
    e.kind() == io::ErrorKind::BrokenPipe
}

/// Opens a stream for lines. Unbuffered: what is written is already a large buffer.
fn open_stream(to: &Stream) -> io::Result<Box<dyn Write + Send>> {
    Ok(match to {
        Stream::Stdout => Box::new(Unbuffered(rustix::stdio::stdout())),
        Stream::Stderr => Box::new(Unbuffered(rustix::stdio::stderr())),
        Stream::File(path) => Box::new(File::create(path)?),
    })
}

/// A descriptor that is written to as it is. The standard library's handle for stdout splits what is written at newlines.
pub struct Unbuffered<F>(F);

impl Unbuffered<std::os::fd::BorrowedFd<'static>> {
    /// Standard output.
    pub fn stdout() -> Self {
        Unbuffered(rustix::stdio::stdout())
    }
}

impl<F: std::os::fd::AsFd> Write for Unbuffered<F> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(rustix::io::write(&self.0, bytes)?)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
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

/// Lines of text.
pub struct Printer {
    format: Format,
    json: bool,
    buffer: Vec<u8>,
    line_by_line: bool,
    full: Option<SyncSender<Vec<u8>>>,
    empty: Receiver<Vec<u8>>,
    thread: Option<JoinHandle<io::Result<()>>>,
    closed: bool,
}

impl Printer {
    /// True if what was asked for cannot be right, whatever the machine: an unknown field in a template.
    pub fn is_usage_error(form: &config::Form) -> bool {
        matches!(form, config::Form::Template(t) if Template::parse(t).is_err())
    }

    /// Prints in `form` to `to`.
    pub fn new(to: &Stream, form: &config::Form, colour: bool, each: bool) -> Result<Printer> {
        let format = format(form, colour)?;
        let mut out = open_stream(to).with_context(|| match to {
            Stream::File(path) => format!("cannot write to {}", crate::message::name(path)),
            _ => "cannot write".to_owned(),
        })?;
        let (full, filled) = sync_channel::<Vec<u8>>(QUEUE);
        let (give, empty) = sync_channel::<Vec<u8>>(QUEUE + 2);
        let thread = std::thread::spawn(move || -> io::Result<()> {
            for mut bytes in filled {
                out.write_all(&bytes)?;
                bytes.clear();
                // The other side may have ended.
                let _ = give.send(bytes);
            }
            out.flush()
        });
        let json = *form == config::Form::Json;
        Ok(Printer {
            format,
            json,
            buffer: Vec::with_capacity(LINES + 4096),
            line_by_line: each,
            full: Some(full),
            empty,
            thread: Some(thread),
            closed: false,
        })
    }

    /// Columns that printing reads.
    pub fn columns(&self) -> Columns {
        self.format.columns()
    }

    /// Prints one row.
    pub fn row(&mut self, batch: &Batch, row: usize) {
        self.format.render(batch, row, &mut self.buffer);
        if self.line_by_line || self.buffer.len() >= LINES {
            self.pass_on();
        }
    }

    /// Hands on what there is.
    pub fn pass_on(&mut self) {
        if self.buffer.is_empty() {
            return;
        }
        let next = self.empty.try_recv().unwrap_or_default();
        let bytes = std::mem::replace(&mut self.buffer, next);
        // Waits while the other thread is behind; fails when it has ended.
        self.closed |= self.full.as_ref().is_none_or(|f| f.send(bytes).is_err());
    }

    /// Hands on lines that somebody else has made, behind what there is. Gives an empty buffer back.
    pub fn lines(&mut self, lines: Vec<u8>) -> Vec<u8> {
        self.pass_on();
        let empty = std::mem::replace(&mut self.buffer, lines);
        self.pass_on();
        empty
    }

    /// True if nothing can be printed any more.
    pub fn is_closed(&self) -> bool {
        self.closed
    }

    /// Prints the end record, if the form has one, and waits until everything is out.
    pub fn finish(mut self, totals: &output::Totals) -> Outcome {
        if self.json {
            render_end(&mut self.buffer, totals);
        }
        self.pass_on();
        self.full = None;
        let mut outcome = Outcome::default();
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(Err(e))) if is_closed(&e) => outcome.closed = true,
            Some(Ok(Err(e))) => outcome.error = Some(e),
            Some(Err(_)) => outcome.error = Some(io::Error::other("the writing thread failed")),
            Some(Ok(Ok(()))) | None => {}
        }
        outcome
    }
}
