//! An output that may not take what it is given: a pipe that nobody reads, a terminal that was stopped, a disk that hangs.
//!
//! Enters: bytes, on the writing thread. Leaves: the same bytes in the output, and for the other thread the knowledge of
//! how far it is and how long it has stood still. Never: a decision to give up; that is the other thread's, by
//! [`Patience`], and this one then stops before its next write.

use std::io::{self, Write};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::Thread;
use std::time::{Duration, Instant};

/// An output that others read, and that takes nothing for so long after the end was asked for, is given up.
pub const STALL: Duration = Duration::from_millis(500);
/// The same for a file. Nobody has to read it, and a slow disk may keep us waiting for seconds: only one that hangs is
/// given up.
const DISK_STALL: Duration = Duration::from_secs(30);
/// Bytes of one write to what others read. A pipe takes so many whole or not at all (PIPE_BUF): what is in it is known when
/// it is given up. And each is progress: one that is read at 8 KB/s is not given up.
const PART: usize = 4096;

/// How far the writing thread is: written by it, read by the one that hands on.
#[derive(Debug)]
pub struct Watch {
    epoch: Instant,
    /// When it last came on, and since when it has been in a write to what others read (0: it is in none); ns after the
    /// epoch.
    moved: AtomicU64,
    writing: AtomicU64,
    /// Events that are in the output.
    events: AtomicU64,
    /// The output may be given up, and is.
    is_mortal: bool,
    abandoned: AtomicBool,
    /// The other thread waits for room.
    wanted: AtomicBool,
    other: Thread,
}

impl Watch {
    /// For the thread that calls this to watch another, whose output it may give up or will never.
    pub fn new(is_mortal: bool) -> Arc<Watch> {
        Arc::new(Watch {
            epoch: Instant::now(),
            moved: AtomicU64::new(1),
            writing: AtomicU64::new(0),
            events: AtomicU64::new(0),
            is_mortal,
            abandoned: AtomicBool::new(false),
            wanted: AtomicBool::new(false),
            other: std::thread::current(),
        })
    }

    fn now(&self) -> u64 {
        u64::try_from(self.epoch.elapsed().as_nanos()).unwrap_or(u64::MAX).max(1)
    }

    /// The writing thread has come on.
    pub fn moved(&self) {
        self.moved.store(self.now(), Ordering::Relaxed);
    }

    /// The writing thread has taken something over, or ends: there may be room.
    pub fn took(&self) {
        self.moved();
        if self.wanted.swap(false, Ordering::AcqRel) {
            self.other.unpark();
        }
    }

    /// There is room, or not: from the next [`Watch::took`] on whoever waits is woken.
    pub fn want(&self) {
        self.wanted.store(true, Ordering::Release);
    }

    /// So many events are in the output.
    pub fn count(&self, events: u64) {
        self.events.store(events, Ordering::Release);
    }

    /// Events that are in the output.
    pub fn events(&self) -> u64 {
        self.events.load(Ordering::Acquire)
    }

    /// Nothing more is to be written.
    pub fn abandon(&self) {
        self.abandoned.store(true, Ordering::Release);
    }

    /// True if the output has taken nothing for too long, counted from `since` at the earliest.
    fn stands_still(&self, since: Instant) -> bool {
        let since = u64::try_from(since.saturating_duration_since(self.epoch).as_nanos()).unwrap_or(0);
        let (now, writing) = (self.now(), self.writing.load(Ordering::Relaxed));
        let still = |from: u64, most: Duration| now.saturating_sub(from.max(since)) > most.as_nanos() as u64;
        (writing != 0 && still(writing, STALL)) || still(self.moved.load(Ordering::Relaxed), DISK_STALL)
    }
}

/// How long the end of a run waits for its output: as long as that takes something, and for ever unless the end was asked
/// for (a pager that nobody scrolls is no reason to lose what a command did).
pub struct Patience<'a> {
    asked: Box<dyn Fn() -> bool + 'a>,
    since: Option<Instant>,
}

impl<'a> Patience<'a> {
    /// `asked` says whether the end was asked for, by a signal or the clock.
    pub fn new(asked: impl Fn() -> bool + 'a) -> Patience<'a> {
        Patience { asked: Box::new(asked), since: None }
    }

    /// True if the output is to be given up.
    pub fn is_over(&mut self, watch: &Watch) -> bool {
        if self.since.is_none() && (self.asked)() {
            self.since = Some(Instant::now());
        }
        self.since.is_some_and(|since| watch.stands_still(since))
    }
}

/// What an output that was given up is called.
pub fn given_up() -> io::Error {
    let text = format!("nothing was taken for {} ms after the end was asked for", STALL.as_millis());
    io::Error::new(io::ErrorKind::TimedOut, text)
}

/// An output under watch.
pub struct Outlet {
    out: Box<dyn Write + Send>,
    /// It takes what others take from it.
    is_read: bool,
    watch: Arc<Watch>,
}

impl Outlet {
    /// Anything that is not a file on a disk is read by others.
    pub fn new<F: Write + AsFd + Send + 'static>(out: F, watch: Arc<Watch>) -> Outlet {
        let is_file = |mode| rustix::fs::FileType::from_raw_mode(mode) == rustix::fs::FileType::RegularFile;
        let is_read = !rustix::fs::fstat(&out).is_ok_and(|s| is_file(s.st_mode));
        Outlet { out: Box::new(out), is_read, watch }
    }
}

impl Write for Outlet {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.watch.abandoned.load(Ordering::Acquire) {
            return Err(given_up());
        }
        let part =
            if self.is_read && self.watch.is_mortal { bytes.get(..PART).unwrap_or(bytes) } else { bytes };
        if self.is_read {
            self.watch.writing.store(self.watch.now(), Ordering::Relaxed);
        }
        let written = self.out.write(part);
        self.watch.writing.store(0, Ordering::Relaxed);
        self.watch.moved();
        written
    }
    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn an_output_is_given_up_when_it_takes_nothing_after_the_end_was_asked_for() {
        let (mut read, write) = std::io::pipe().unwrap();
        let watch = Watch::new(true);
        let mut outlet = Outlet::new(write, watch.clone());
        let thread = std::thread::spawn(move || outlet.write_all(&[7; 300_000]));
        let over = |p: &mut Patience, most: Duration| {
            let begin = Instant::now();
            while begin.elapsed() < most {
                if p.is_over(&watch) {
                    return Some(begin.elapsed());
                }
                std::thread::sleep(Duration::from_millis(5));
            }
            None
        };
        // For ever, unless somebody asks.
        assert_eq!(over(&mut Patience::new(|| false), STALL + STALL / 2), None);
        // What is taken prolongs it.
        let mut asked = Patience::new(|| true);
        for _ in 0..4 {
            read.read_exact(&mut [0; 40_000]).unwrap();
            assert_eq!(over(&mut asked, STALL / 2), None);
        }
        let took = over(&mut asked, STALL * 20).unwrap();
        assert!(took >= STALL / 4, "{took:?}");
        watch.abandon();
        read.read_exact(&mut [0; 20_000]).unwrap();
        let error = thread.join().unwrap().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[test]
    fn a_file_is_no_pipe() {
        let watch = Watch::new(true);
        let outlet = |is_file: bool| {
            let (_, write) = std::io::pipe().unwrap();
            if is_file {
                Outlet::new(tempfile::tempfile().unwrap(), watch.clone()).is_read
            } else {
                Outlet::new(write, watch.clone()).is_read
            }
        };
        assert!(!outlet(true) && outlet(false));
        // Between two writes a thread may think for long, and hang for longer.
        let long_ago = watch.epoch;
        watch.moved();
        assert!(!watch.stands_still(long_ago));
    }
}
