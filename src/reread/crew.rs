//! Blocks on several threads: each stands alone.
//!
//! Enters: blocks, in order. Leaves: what became of them, in the same order: lines as they are made, then the block. Never:
//! more blocks at a time than were given and not yet taken back: the caller bounds them; more lines that wait for their
//! turn than [`AHEAD`] buffers for each thread.

use std::collections::{BTreeMap, VecDeque};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use super::sieve::{Counts, Sieve};
use crate::batch::Bitmap;
use crate::output::Format;
use crate::reel::{Damage, Stored};
use crate::schema::Schema;

/// A buffer of lines is full when it is this long.
const LINES: usize = 256 * 1024;
/// The longest line that usually fits behind it.
const LINE: usize = 4096;
/// Full buffers that each thread may have waiting: about half of a block's lines. More would let no thread run longer, as
/// blocks come to an end one after the other.
const AHEAD: usize = 16;

/// What became of a block.
pub struct Done {
    /// The block, with the columns loaded that were asked for.
    pub block: Box<Stored>,
    /// Counts, or what was damaged.
    pub counts: Result<Counts, Damage>,
    /// The rows that were selected.
    pub rows: Bitmap,
}

/// A part of what a block becomes.
#[allow(clippy::large_enum_variant, reason = "on its way, never kept")]
pub enum Part {
    /// Lines of some of its rows, and the counts of all.
    Lines(Counts, Vec<u8>),
    /// The end.
    Done(Done),
}

/// Buffers of lines on their way, and who may make more.
#[derive(Default)]
struct Room {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// The block whose lines are taken now.
    turn: u64,
    /// Full buffers that are not taken yet.
    full: usize,
    /// How many there may be.
    most: usize,
    spare: Vec<Vec<u8>>,
    is_closed: bool,
}

impl Room {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until a full buffer of a block may be passed on; false if nobody wants it any more. The block whose turn it is
    /// has as much room again as all others: they wait for it, it never waits for them.
    fn enter(&self, number: u64) -> bool {
        let mut state = self.state();
        while !state.is_closed && state.full >= state.most * if state.turn == number { 2 } else { 1 } {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.full += 1;
        !state.is_closed
    }

    /// A buffer was taken.
    fn leave(&self) {
        self.state().full -= 1;
        self.changed.notify_all();
    }

    fn turn(&self, number: u64) {
        self.state().turn = number;
        self.changed.notify_all();
    }

    fn close(&self) {
        self.state().is_closed = true;
        self.changed.notify_all();
    }

    fn give(&self, buffer: Vec<u8>) {
        let mut state = self.state();
        if state.spare.len() < state.most {
            state.spare.push(buffer);
        }
    }

    fn buffer(&self) -> Vec<u8> {
        let spare = self.state().spare.pop();
        spare.unwrap_or_else(|| Vec::with_capacity(LINES + LINE))
    }
}

struct Job {
    number: u64,
    block: Box<Stored>,
}

/// Threads that sift blocks.
pub struct Crew {
    jobs: Option<Sender<Job>>,
    parts: Receiver<(u64, Part)>,
    threads: Vec<JoinHandle<()>>,
    room: Arc<Room>,
    given: u64,
    taken: u64,
    /// What came before its turn.
    early: BTreeMap<u64, VecDeque<Part>>,
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
        let (tell, parts) = channel();
        let todo = Arc::new(Mutex::new(todo));
        let room = Arc::new(Room::default());
        room.state().most = AHEAD * count;
        let (jobs, threads, early) = (Some(jobs), Vec::new(), BTreeMap::new());
        let mut crew = Crew { jobs, parts, threads, room, given: 0, taken: 0, early };
        for n in 0..count {
            let (todo, tell, sieve, schema, format) =
                (todo.clone(), tell.clone(), sieve.clone(), schema.clone(), format());
            let (name, room) = (format!("sift {n}"), crew.room.clone());
            let work = move || work(&todo, &tell, &room, sieve, &schema, format);
            crew.threads.push(std::thread::Builder::new().name(name).spawn(work)?);
        }
        Ok(crew)
    }

    /// Blocks that were given and not yet taken back.
    pub fn under_way(&self) -> u64 {
        self.given - self.taken
    }

    /// Gives the next block away.
    pub fn give(&mut self, block: Box<Stored>) {
        if let Some(jobs) = &self.jobs
            && jobs.send(Job { number: self.given, block }).is_ok()
        {
            self.given += 1;
        }
    }

    /// Gives a buffer back, empty.
    pub fn recycle(&mut self, buffer: Vec<u8>) {
        self.room.give(buffer);
    }

    /// The next part of the next block in order, when it is there; `None` if none is under way, or all threads have failed.
    pub fn take(&mut self) -> Option<Part> {
        if self.under_way() == 0 {
            return None;
        }
        let part = loop {
            if let Some(part) = self.early.get_mut(&self.taken).and_then(VecDeque::pop_front) {
                break part;
            }
            let (number, part) = self.parts.recv().ok()?;
            if number == self.taken {
                break part;
            }
            self.early.entry(number).or_default().push_back(part);
        };
        match part {
            Part::Lines(..) => self.room.leave(),
            Part::Done(_) => {
                self.early.remove(&self.taken);
                self.taken += 1;
                self.room.turn(self.taken);
            }
        }
        Some(part)
    }
}

impl Drop for Crew {
    fn drop(&mut self) {
        self.jobs = None;
        self.room.close();
        for thread in self.threads.drain(..) {
            // A thread that failed left a block out; who took the blocks has noticed.
            let _ = thread.join();
        }
    }
}

fn work(
    todo: &Mutex<Receiver<Job>>,
    tell: &Sender<(u64, Part)>,
    room: &Room,
    mut sieve: Sieve,
    schema: &Schema,
    mut format: Option<Format>,
) {
    loop {
        let next = todo.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(Job { number, mut block }) = next else { return };
        let counts = sieve.sift(&mut block, None);
        if let (Ok(counts), Some(format)) = (&counts, &mut format) {
            let pass = |lines| room.enter(number) && tell.send((number, Part::Lines(*counts, lines))).is_ok();
            let batch = block.view(schema);
            let mut buffer = Vec::new();
            for row in sieve.rows.iter() {
                if buffer.capacity() == 0 {
                    buffer = room.buffer();
                }
                format.render(&batch, row, &mut buffer);
                if buffer.len() >= LINES && !pass(std::mem::take(&mut buffer)) {
                    return;
                }
            }
            if !buffer.is_empty() && !pass(buffer) {
                return;
            }
        }
        let rows = std::mem::take(&mut sieve.rows);
        if tell.send((number, Part::Done(Done { block, counts, rows }))).is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// Whoever is not at turn waits while the others' buffers are not taken; whoever is, and whoever is closed, does not.
    #[test]
    fn lines_that_wait_are_bounded() {
        let room = Arc::new(Room::default());
        room.state().most = 3;
        for _ in 0..3 {
            assert!(room.enter(1));
        }
        let other = room.clone();
        let late = std::thread::spawn(move || (other.enter(1), other.enter(2)));
        std::thread::sleep(Duration::from_millis(20));
        assert_eq!(room.state().full, 3);
        for _ in 0..3 {
            assert!(room.enter(0));
        }
        assert_eq!(room.state().full, 6);
        (0..4).for_each(|_| room.leave());
        while room.state().full != 3 {
            std::thread::yield_now();
        }
        room.turn(1);
        std::thread::sleep(Duration::from_millis(20));
        assert_eq!(room.state().full, 3);
        room.close();
        assert_eq!(late.join().unwrap(), (true, false));
        (0..9).for_each(|_| room.give(Vec::new()));
        assert_eq!(room.state().spare.len(), 3);
    }
}
