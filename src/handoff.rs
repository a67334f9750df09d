//! From the thread that reads to the one that writes.
//!
//! Enters: buffers of lines, blocks. Leaves: the same, in order, on the other side. Never: more than a few of them under
//! way; and never a wait by whoever reads rings: what finds no room it keeps, and reads no more until there is some, so
//! that the rings fill and the probe drops and counts.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::outlet::{Patience, Watch};

/// Things between the two threads.
pub const QUEUE: usize = 8;
/// Between two looks at what else there is to do, while there is no room.
const LOOK: Duration = Duration::from_millis(10);

/// What becomes of a thing that finds no room.
#[derive(Clone, Debug, Default)]
pub enum Manner {
    /// It is kept, for whoever must not wait.
    #[default]
    Keep,
    /// Its giver waits, but not once this flag is set.
    Wait(Option<Arc<AtomicBool>>),
}

impl Manner {
    /// True if the output may be given up at the end.
    pub fn is_mortal(&self) -> bool {
        !matches!(self, Manner::Wait(None))
    }
}

/// The side that hands on.
pub struct Giver<T> {
    full: Option<SyncSender<T>>,
    kept: VecDeque<T>,
    manner: Manner,
    watch: Arc<Watch>,
}

/// Both sides.
pub fn handoff<T>(manner: Manner, watch: Arc<Watch>) -> (Giver<T>, Receiver<T>) {
    let (full, filled) = sync_channel(QUEUE);
    (Giver { full: Some(full), kept: VecDeque::new(), manner, watch }, filled)
}

impl<T> Giver<T> {
    /// Nobody is on the other side.
    pub fn closed(watch: Arc<Watch>) -> Giver<T> {
        Giver { full: None, kept: VecDeque::new(), manner: Manner::Keep, watch }
    }

    /// True if the other side takes nothing any more.
    pub fn is_closed(&self) -> bool {
        self.full.is_none()
    }

    /// Hands on.
    pub fn give(&mut self, thing: T) {
        self.kept.push_back(thing);
        if !self.has_room()
            && let Manner::Wait(stop) = self.manner.clone()
        {
            while !self.has_room() && !stop.as_ref().is_some_and(|s| s.load(Ordering::Relaxed)) {
                self.rest(LOOK);
            }
        }
    }

    /// Hands on what was kept, as far as there is room. True if nothing is kept any more.
    pub fn has_room(&mut self) -> bool {
        while let (Some(full), Some(thing)) = (&self.full, self.kept.pop_front()) {
            match full.try_send(thing) {
                Ok(()) => {}
                Err(TrySendError::Full(thing)) => {
                    self.kept.push_front(thing);
                    return false;
                }
                Err(TrySendError::Disconnected(_)) => self.full = None,
            }
        }
        self.kept.clear();
        true
    }

    /// What is kept, the last first.
    pub fn kept(&mut self) -> impl Iterator<Item = &mut T> {
        self.kept.iter_mut().rev()
    }

    /// Waits for room, but not longer than `most`.
    pub fn rest(&mut self, most: Duration) {
        self.watch.want();
        // There may have been some just now.
        if !self.has_room() {
            std::thread::park_timeout(most);
        }
    }

    /// True if the output is to be given up.
    pub fn is_stuck(&self, patience: &mut Patience) -> bool {
        patience.is_over(&self.watch)
    }

    /// Hands the rest on and waits until the thread ends: what it gives, or `None` if it was given up.
    pub fn finish<R>(
        mut self,
        thread: JoinHandle<R>,
        patience: Option<&mut Patience>,
    ) -> Option<std::thread::Result<R>> {
        let Some(patience) = patience else {
            while !self.has_room() {
                self.rest(LOOK);
            }
            self.full = None;
            return Some(thread.join());
        };
        let mut pause = Duration::from_millis(1);
        loop {
            if self.has_room() {
                self.full = None;
            }
            if thread.is_finished() {
                return Some(thread.join());
            }
            if patience.is_over(&self.watch) {
                self.watch.abandon();
                return None;
            }
            self.watch.want();
            // The end of a thread wakes nobody.
            std::thread::park_timeout(pause);
            pause = (pause * 2).min(LOOK);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    #[test]
    fn what_has_no_room_is_kept_and_arrives_in_order() {
        let (mut giver, taker) = handoff(Manner::Keep, Watch::new(true));
        for n in 0..20 {
            giver.give(n);
        }
        assert!(!giver.has_room());
        assert_eq!(giver.kept().next(), Some(&mut 19));
        let mut got = vec![taker.recv().unwrap()];
        assert!(!giver.has_room());
        let thread = std::thread::spawn(move || {
            got.extend(taker);
            got
        });
        let all = giver.finish(thread, None).unwrap().unwrap();
        assert_eq!(all, (0..20).collect::<Vec<_>>());
    }

    #[test]
    fn who_may_wait_waits_for_room_or_the_end() {
        let watch = Watch::new(true);
        let stop = Arc::new(AtomicBool::new(false));
        let (mut giver, taker) = handoff(Manner::Wait(Some(stop.clone())), watch.clone());
        let thread = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(100));
            let mut got = Vec::new();
            while let Ok(n) = taker.recv() {
                watch.took();
                got.push(n);
            }
            got
        });
        (0..100).for_each(|n| giver.give(n));
        assert!(giver.kept().next().is_none(), "it has waited");
        assert_eq!(giver.finish(thread, None).unwrap().unwrap(), (0..100).collect::<Vec<_>>());

        let (mut giver, _taker) = handoff(Manner::Wait(Some(stop.clone())), Watch::new(true));
        let flag = stop.clone();
        let timer = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(50));
            flag.store(true, Ordering::Relaxed);
        });
        let begin = Instant::now();
        (0..10).for_each(|n| giver.give(n));
        assert!(begin.elapsed() >= Duration::from_millis(50));
        timer.join().unwrap();
    }

    #[test]
    fn nobody_on_the_other_side_is_noticed() {
        let (mut giver, taker) = handoff(Manner::Keep, Watch::new(true));
        drop(taker);
        giver.give(1);
        assert!(giver.has_room() && giver.is_closed());
    }
}
