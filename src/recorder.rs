//! A capture file being written, by a thread of its own.
//!
//! Enters: closed blocks, and wishes: a new file now, everything out now. Leaves: reels, by [`Files`], and what became of
//! them. Never: waiting by whoever reads rings ([`crate::handoff`]).

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use crate::batch::Builder;
use crate::config::{self, Place};
use crate::files::{Files, Tally};
use crate::handoff::{Giver, Manner, QUEUE, handoff};
use crate::outlet::{Patience, Watch};
use crate::reel::{Header, Totals};
use crate::schema::Schema;
use crate::sink::{Outcome, is_closed};

/// What the writing thread is told.
enum Work {
    Block(Box<Builder>, Tally),
    /// A part of a snapshot, for the file with this number.
    Snapshot(Box<Builder>, u64),
    /// What became known of containers.
    Containers(Box<Builder>),
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
    /// Whether who hands on may wait.
    pub manner: Manner,
}

/// A reel being written.
pub struct Recorder {
    full: Giver<Work>,
    empty: Receiver<Box<Builder>>,
    thread: Option<JoinHandle<Outcome>>,
    watch: Arc<Watch>,
    /// Set by the writing thread when nothing is to be written any more. It goes on taking blocks, to count what is in them.
    over: Arc<AtomicBool>,
    /// How many files have been begun.
    begun: Arc<AtomicU64>,
}

impl Recorder {
    /// Writes to `to`; header and `schema` are copied into every file.
    pub fn new(to: &Place, how: &How, header: &Header, schema: Arc<Schema>) -> io::Result<Recorder> {
        let watch = Watch::new(how.manner.is_mortal());
        let files = match Files::new(to, how.force, &how.files, header, schema.clone(), &watch) {
            Ok(files) => files,
            // A reader that goes away within the header is as little an error as one that goes away later.
            Err(e) if is_closed(&e) => {
                let (over, empty) = (Arc::new(AtomicBool::new(true)), sync_channel(1).1);
                let (full, begun) = (Giver::closed(watch.clone()), Arc::default());
                return Ok(Recorder { full, empty, thread: None, watch, over, begun });
            }
            Err(e) => return Err(e),
        };
        let (full, filled) = handoff(how.manner.clone(), watch.clone());
        let (give, empty) = sync_channel::<Box<Builder>>(QUEUE + 2);
        let over = Arc::new(AtomicBool::new(false));
        let begun = Arc::new(AtomicU64::new(files.begun()));
        let (tell, flush, seen, count) = (over.clone(), how.flush, watch.clone(), begun.clone());
        let thread = std::thread::spawn(move || {
            let outcome = work(files, &schema, flush, &filled, &give, (&tell, &count), &seen);
            drop(filled);
            seen.took();
            outcome
        });
        Ok(Recorder { full, empty, thread: Some(thread), watch, over, begun })
    }

    /// How many files have been begun: each gets a snapshot.
    pub fn begun(&self) -> u64 {
        self.begun.load(Ordering::Relaxed)
    }

    /// Hands a closed block of a snapshot on, for the file that was begun as this one; gives an empty one back.
    pub fn snapshot(&mut self, block: Box<Builder>, file: u64) -> Box<Builder> {
        self.full.give(Work::Snapshot(block, file));
        self.empty.try_recv().unwrap_or_default()
    }

    /// Hands on what became known of containers, for every file that mentions them and is not complete yet.
    pub fn containers(&mut self, block: Box<Builder>) {
        self.full.give(Work::Containers(block));
    }

    /// Hands a closed block on and gives an empty one back (its contents are old: reset it). `tally` is what the capture
    /// adds up to with it.
    pub fn block(&mut self, block: Box<Builder>, tally: Tally) -> Box<Builder> {
        self.full.give(Work::Block(block, tally));
        self.empty.try_recv().unwrap_or_default()
    }

    /// Begins a new file after what was handed on so far.
    pub fn turn(&mut self) {
        self.ask(Work::Turn);
    }

    /// Puts what was handed on so far where it survives us.
    pub fn flush(&mut self) {
        self.ask(Work::Flush);
    }

    /// What waits already to be done behind the last block need not be done twice.
    fn ask(&mut self, work: Work) {
        let same = |kept: &Work| std::mem::discriminant(kept) == std::mem::discriminant(&work);
        let waits = self
            .full
            .kept()
            .take_while(|kept| !matches!(kept, Work::Block(..) | Work::Snapshot(..)))
            .any(|kept| same(kept));
        if !waits {
            self.full.give(work);
        }
    }

    /// True if all was handed on: there is room for more.
    pub fn has_room(&mut self) -> bool {
        self.full.has_room()
    }

    /// What hands on.
    pub fn giver(&mut self) -> &mut Giver<impl Sized> {
        &mut self.full
    }

    /// True if nothing can or should be written any more.
    pub fn is_closed(&self) -> bool {
        self.full.is_closed()
            || self.over.load(Ordering::Relaxed)
            || self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// Writes the end block and waits until everything is out, or as long as patience lasts.
    pub fn finish(mut self, totals: Totals, patience: Option<&mut Patience>) -> Outcome {
        self.full.give(Work::End(Box::new(totals)));
        let Some(thread) = self.thread.take() else { return Outcome { closed: true, ..Outcome::default() } };
        match self.full.finish(thread, patience) {
            None => Outcome::given_up(self.watch.events()),
            Some(Ok(outcome)) => outcome,
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
    (over, begun): (&AtomicBool, &AtomicU64),
    watch: &Watch,
) -> Outcome {
    let mut outcome = Outcome::default();
    let mut enough = false;
    for work in filled {
        watch.took();
        let broken = outcome.error.is_some() || outcome.closed;
        let done = match work {
            // A size was asked for and is reached: what comes after it was not asked for.
            Work::Block(..) if enough => Ok(()),
            // What is there is not what happened: that it is not written is not said.
            Work::Snapshot(block, file) if enough || broken || file != files.begun() => {
                let _ = give.try_send(block);
                Ok(())
            }
            Work::Snapshot(block, _) => {
                let done = files.snapshot(&block.view(schema));
                let _ = give.try_send(block);
                done
            }
            Work::Containers(block) => {
                files.learn_containers(&block.view(schema));
                Ok(())
            }
            Work::Block(block, _) if broken => {
                outcome.unwritten += block.rows() as u64;
                Ok(())
            }
            Work::Block(block, tally) => {
                let done = files.block(&block.view(schema), tally);
                enough = files.is_enough();
                let _ = give.try_send(block);
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
        begun.store(files.begun(), Ordering::Relaxed);
        watch.count(files.written());
        // The reader stops; what is queued already is counted.
        over.store(enough || outcome.error.is_some() || outcome.closed, Ordering::Relaxed);
    }
    outcome.unwritten += files.unwritten();
    outcome.written = files.written();
    outcome
}
