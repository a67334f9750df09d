//! Where events go: printed lines, a reel, or nowhere.
//!
//! Enters: selected rows of a batch. Leaves: bytes in a file or on a stream, written by a thread of their own, so that
//! whoever reads rings never waits for a disk: the hand-off is bounded, and when it is full the rings fill, and the probe
//! drops and counts. Never: a decision about what is shown.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use anyhow::{Context, Error, Result};

use crate::batch::{Batch, Builder, Columns};
use crate::config::{self, Place, Stream};
use crate::output::{self, Format, JsonOptions, Template, TextOptions, TimeStyle, render_end};
use crate::reel::{Header, Totals, Writer};
use crate::schema::Schema;

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

fn is_closed(e: &io::Error) -> bool {
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

/// A descriptor written to as it is. The standard library's handle for stdout splits what is written at newlines.
struct Unbuffered<F>(F);

impl<F: std::os::fd::AsFd> Write for Unbuffered<F> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(rustix::io::write(&self.0, bytes)?)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Makes a capture file under its final name: never through a link, never over another file, readable by its owner alone.
/// With `force` a file of that name is removed first (not truncated: other names of it keep their contents).
pub fn create_reel(to: &Place, force: bool) -> io::Result<Box<dyn Write + Send>> {
    let Place::File(path) = to else { return Ok(Box::new(Unbuffered(rustix::stdio::stdout()))) };
    if force {
        remove(path)?;
    }
    let file =
        OpenOptions::new().write(true).create_new(true).mode(0o600).custom_flags(libc::O_NOFOLLOW).open(path);
    match file {
        Ok(file) => Ok(Box::new(file)),
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {
            Err(io::Error::new(e.kind(), "it exists already; --force replaces it"))
        }
        Err(e) => Err(e),
    }
}

fn remove(path: &Path) -> io::Result<()> {
    match std::fs::symlink_metadata(path) {
        // A device or pipe of that name is written to by nobody but who asked for it by redirection.
        Ok(m) if m.is_file() || m.is_symlink() => std::fs::remove_file(path),
        Ok(_) => Err(io::Error::new(io::ErrorKind::AlreadyExists, "it is not a regular file")),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(e) => Err(e),
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

/// What the writing thread of a reel is told.
enum Work {
    Block(Box<Builder>),
    End(Box<Totals>),
}

/// A reel being written.
pub struct Recorder {
    full: Option<SyncSender<Work>>,
    empty: Receiver<Box<Builder>>,
    thread: Option<JoinHandle<Outcome>>,
    closed: bool,
    /// Set by the writing thread when nothing can be written any more. It goes on taking blocks, to count what is in them.
    over: Arc<AtomicBool>,
}

impl Recorder {
    /// Writes to `out`; `schema` is copied into the file.
    pub fn new(
        out: Box<dyn Write + Send>,
        header: &Header,
        schema: Arc<Schema>,
        flush: bool,
    ) -> io::Result<Recorder> {
        let begun = Writer::new(out, header, &schema).and_then(|mut writer| writer.flush().map(|()| writer));
        let mut writer = match begun {
            Ok(writer) => writer,
            // A reader that goes away within the header is as little an error as one that goes away later.
            Err(e) if is_closed(&e) => {
                let over = Arc::new(AtomicBool::new(true));
                return Ok(Recorder {
                    full: None,
                    empty: sync_channel(1).1,
                    thread: None,
                    closed: true,
                    over,
                });
            }
            Err(e) => return Err(e),
        };
        let (full, filled) = sync_channel::<Work>(QUEUE);
        let (give, empty) = sync_channel::<Box<Builder>>(QUEUE + 2);
        let over = Arc::new(AtomicBool::new(false));
        let tell = over.clone();
        let thread = std::thread::spawn(move || {
            let mut outcome = Outcome::default();
            let mut end = None;
            for work in filled {
                match work {
                    Work::Block(block) => {
                        if outcome.error.is_none() && !outcome.closed {
                            let done = writer.write_block(&block.view(&schema));
                            match done.and_then(|()| if flush { writer.flush() } else { Ok(()) }) {
                                Ok(()) => {}
                                Err(e) if is_closed(&e) => outcome.closed = true,
                                Err(e) => outcome.error = Some(e),
                            }
                        } else {
                            outcome.unwritten += block.rows() as u64;
                        }
                        if outcome.error.is_some() || outcome.closed {
                            // The reader stops; what is queued already is counted.
                            tell.store(true, Ordering::Relaxed);
                            continue;
                        }
                        let _ = give.send(block);
                    }
                    Work::End(totals) => end = Some(totals),
                }
            }
            outcome.unwritten += writer.events_lost();
            outcome.written = writer.events_written();
            if let Some(totals) = end.filter(|_| outcome.error.is_none() && !outcome.closed) {
                match writer.finish(&totals) {
                    Ok(_) => {}
                    Err(e) if is_closed(&e) => outcome.closed = true,
                    Err(e) => outcome.error = Some(e),
                }
            }
            outcome
        });
        Ok(Recorder { full: Some(full), empty, thread: Some(thread), closed: false, over })
    }

    /// Hands a closed block on and gives an empty one back (its contents are old: reset it).
    pub fn block(&mut self, block: Box<Builder>) -> Box<Builder> {
        if let Some(full) = &self.full {
            self.closed |= full.send(Work::Block(block)).is_err();
        }
        self.empty.try_recv().unwrap_or_default()
    }

    /// True if nothing can be written any more.
    pub fn is_closed(&self) -> bool {
        self.closed
            || self.over.load(Ordering::Relaxed)
            || self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// Writes the end block and waits until everything is out.
    pub fn finish(mut self, totals: Totals) -> Outcome {
        if let Some(full) = self.full.take() {
            let _ = full.send(Work::End(Box::new(totals)));
        }
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(outcome)) => outcome,
            None => Outcome { closed: true, ..Outcome::default() },
            Some(Err(_)) => {
                Outcome { error: Some(io::Error::other("the writing thread failed")), ..Outcome::default() }
            }
        }
    }
}
