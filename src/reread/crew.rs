//! Blocks on several threads: each stands alone.
//!
//! Enters: blocks, in order. Leaves: what became of them, in the same order. Never: more blocks at a time than were given
//! and not yet taken back: the caller bounds them.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use super::sieve::{Counts, Sieve};
use crate::batch::Bitmap;
use crate::output::Format;
use crate::reel::{Damage, Stored};
use crate::schema::Schema;

/// A buffer of lines is full when it is this long.
const LINES: usize = 256 * 1024;

/// What became of a block.
pub struct Done {
    number: u64,
    /// The block, with the columns loaded that were asked for.
    pub block: Box<Stored>,
    /// Counts, or what was damaged.
    pub counts: Result<Counts, Damage>,
    /// The rows that were selected.
    pub rows: Bitmap,
    /// Their lines.
    pub lines: Vec<Vec<u8>>,
}

struct Job {
    number: u64,
    block: Box<Stored>,
    /// Empty buffers.
    spare: Vec<Vec<u8>>,
}

/// Threads that sift blocks.
pub struct Crew {
    jobs: Option<Sender<Job>>,
    done: Receiver<Done>,
    threads: Vec<JoinHandle<()>>,
    given: u64,
    taken: u64,
    /// What was done before its turn.
    early: BTreeMap<u64, Done>,
}

impl Crew {
    /// `count` threads with a sieve each, and with a format if they are to write lines.
    pub fn new(
        count: usize,
        sieve: &Sieve,
        schema: &Arc<Schema>,
        mut format: impl FnMut() -> Option<Format>,
    ) -> std::io::Result<Crew> {
        let (jobs, todo) = channel::<Job>();
        let (tell, done) = channel();
        let todo = Arc::new(Mutex::new(todo));
        let mut crew =
            Crew { jobs: Some(jobs), done, threads: Vec::new(), given: 0, taken: 0, early: BTreeMap::new() };
        for n in 0..count {
            let (todo, tell, sieve, schema, format) =
                (todo.clone(), tell.clone(), sieve.clone(), schema.clone(), format());
            let name = format!("sift {n}");
            let work = move || work(&todo, &tell, sieve, &schema, format);
            crew.threads.push(std::thread::Builder::new().name(name).spawn(work)?);
        }
        Ok(crew)
    }

    /// Blocks that were given and not yet taken back.
    pub fn under_way(&self) -> u64 {
        self.given - self.taken
    }

    /// Gives the next block away.
    pub fn give(&mut self, block: Box<Stored>, spare: Vec<Vec<u8>>) {
        if let Some(jobs) = &self.jobs
            && jobs.send(Job { number: self.given, block, spare }).is_ok()
        {
            self.given += 1;
        }
    }

    /// The next block in order, when it is done; `None` if none is under way, or all threads have failed.
    pub fn take(&mut self) -> Option<Done> {
        if self.under_way() == 0 {
            return None;
        }
        let next = loop {
            if let Some(done) = self.early.remove(&self.taken) {
                break done;
            }
            let done = self.done.recv().ok()?;
            self.early.insert(done.number, done);
        };
        self.taken += 1;
        Some(next)
    }
}

impl Drop for Crew {
    fn drop(&mut self) {
        self.jobs = None;
        for thread in self.threads.drain(..) {
            // A thread that failed left a block out; who took the blocks has noticed.
            let _ = thread.join();
        }
    }
}

fn work(
    todo: &Mutex<Receiver<Job>>,
    tell: &Sender<Done>,
    mut sieve: Sieve,
    schema: &Schema,
    mut format: Option<Format>,
) {
    loop {
        let next = todo.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(Job { number, mut block, mut spare }) = next else { return };
        let counts = sieve.sift(&mut block, None);
        let mut lines = Vec::new();
        if let (Ok(_), Some(format)) = (&counts, &mut format) {
            let batch = block.view(schema);
            let mut buffer: Vec<u8> = spare.pop().unwrap_or_default();
            for row in sieve.rows.iter() {
                format.render(&batch, row, &mut buffer);
                if buffer.len() >= LINES {
                    lines.push(std::mem::replace(&mut buffer, spare.pop().unwrap_or_default()));
                }
            }
            if !buffer.is_empty() {
                lines.push(buffer);
            }
        }
        let rows = std::mem::take(&mut sieve.rows);
        if tell.send(Done { number, block, counts, rows, lines }).is_err() {
            return;
        }
    }
}
