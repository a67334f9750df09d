//! A capture file being written, by a thread of its own.
//!
//! Enters: closed blocks, and wishes: a new file now, everything out now. Leaves: reels, by [`Files`], and what became of
//! them. Never: waiting by whoever reads rings, but for the hand-off, which is bounded: when it is full the rings fill,
//! and the probe drops and counts.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use crate::batch::Builder;
use crate::config::{self, Place};
use crate::files::{Files, Tally};
use crate::reel::{Header, Totals};
use crate::schema::Schema;
use crate::sink::{Outcome, is_closed};

/// Blocks between the two threads.
const QUEUE: usize = 8;

/// What the writing thread is told.
enum Work {
    Block(Box<Builder>, Tally),
    Turn,
    Flush,
    End(Box<Totals>),
}

/// How files are written.
#[derive(Clone, Debug, Default)]
pub struct How {
    /// An existing file may be replaced.
    pub force: bool,
    /// Pass on every block at once.
    pub flush: bool,
    /// Rotation and limits.
    pub files: config::Files,
}

/// A reel being written.
pub struct Recorder {
    full: Option<SyncSender<Work>>,
    empty: Receiver<Box<Builder>>,
    thread: Option<JoinHandle<Outcome>>,
    closed: bool,
    /// Set by the writing thread when nothing is to be written any more. It goes on taking blocks, to count what is in them.
    over: Arc<AtomicBool>,
}

impl Recorder {
    /// Writes to `to`; header and `schema` are copied into every file.
    pub fn new(to: &Place, how: &How, header: &Header, schema: Arc<Schema>) -> io::Result<Recorder> {
        let files = match Files::new(to, how.force, &how.files, header, schema.clone()) {
            Ok(files) => files,
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
        let (tell, flush) = (over.clone(), how.flush);
        let thread = std::thread::spawn(move || work(files, &schema, flush, &filled, &give, &tell));
        Ok(Recorder { full: Some(full), empty, thread: Some(thread), closed: false, over })
    }

    fn tell(&mut self, work: Work) {
        if let Some(full) = &self.full {
            self.closed |= full.send(work).is_err();
        }
    }

    /// Hands a closed block on and gives an empty one back (its contents are old: reset it). `tally` is what the capture
    /// adds up to with it.
    pub fn block(&mut self, block: Box<Builder>, tally: Tally) -> Box<Builder> {
        self.tell(Work::Block(block, tally));
        self.empty.try_recv().unwrap_or_default()
    }

    /// Begins a new file after what was handed on so far.
    pub fn turn(&mut self) {
        self.tell(Work::Turn);
    }

    /// Puts what was handed on so far where it survives us.
    pub fn flush(&mut self) {
        self.tell(Work::Flush);
    }

    /// True if nothing can or should be written any more.
    pub fn is_closed(&self) -> bool {
        self.closed
            || self.over.load(Ordering::Relaxed)
            || self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// Writes the end block and waits until everything is out.
    pub fn finish(mut self, totals: Totals) -> Outcome {
        self.tell(Work::End(Box::new(totals)));
        self.full = None;
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(outcome)) => outcome,
            None => Outcome { closed: true, ..Outcome::default() },
            Some(Err(_)) => {
                Outcome { error: Some(io::Error::other("the writing thread failed")), ..Outcome::default() }
            }
        }
    }
}

fn work(
    mut files: Files,
    schema: &Schema,
    flush: bool,
    filled: &Receiver<Work>,
    give: &SyncSender<Box<Builder>>,
    over: &AtomicBool,
) -> Outcome {
    let mut outcome = Outcome::default();
    let mut enough = false;
    for work in filled {
        let broken = outcome.error.is_some() || outcome.closed;
        let done = match work {
            // A size was asked for and is reached: what comes after it was not asked for.
            Work::Block(..) if enough => Ok(()),
            Work::Block(block, _) if broken => {
                outcome.unwritten += block.rows() as u64;
                Ok(())
            }
            Work::Block(block, tally) => {
                let done = files.block(&block.view(schema), tally);
                enough = files.is_enough();
                let _ = give.send(block);
                done.and_then(|()| if flush { files.flush() } else { Ok(()) })
            }
            Work::End(totals) if !broken => files.finish(&totals),
            _ if broken => Ok(()),
            Work::Turn => files.turn(),
            Work::Flush => files.flush(),
            Work::End(_) => Ok(()),
        };
        match done {
            Ok(()) => {}
            Err(e) if is_closed(&e) => outcome.closed = true,
            Err(e) => outcome.error = Some(e),
        }
        // The reader stops; what is queued already is counted.
        over.store(enough || outcome.error.is_some() || outcome.closed, Ordering::Relaxed);
    }
    outcome.unwritten += files.unwritten();
    outcome.written = files.written();
    outcome
}
