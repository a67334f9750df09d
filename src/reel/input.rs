//! The bytes that a reel is read from: a stream that is used up, or a file of which only parts are looked at.
//!
//! Enters: anything that gives bytes. Leaves: windows on them. Never: a byte of a file that nobody asked for, save for the
//! rest of a small chunk; an allocation that the input's size does not justify.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::damage::{Damage, Reason};
use super::frame::{FileId, HEADER, SYNC};

/// Bytes asked for at a time of what is read on and on …
const CHUNK: usize = 256 * 1024;
/// … and at first: most files are small.
const BEGIN: usize = 32 * 1024;
/// Bytes asked of a file behind a jump.
const FIRST: usize = 2048;

/// A file that several threads read.
#[derive(Debug)]
pub struct Source {
    file: File,
    /// Its length when it was last looked at; a file may grow.
    len: AtomicU64,
    read: AtomicU64,
}

impl Source {
    /// `None` if the file is not one with places: a pipe, a terminal.
    pub fn new(file: File) -> Result<Source, File> {
        match file.metadata() {
            Ok(m) if m.is_file() => {
                Ok(Source { file, len: AtomicU64::new(m.len()), read: AtomicU64::new(0) })
            }
            _ => Err(file),
        }
    }

    /// Bytes that were read.
    pub fn bytes_read(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }

    /// True if the file has that many bytes.
    pub fn reaches(&self, end: u64) -> bool {
        if self.len.load(Ordering::Relaxed) < end
            && let Ok(m) = self.file.metadata()
        {
            self.len.store(m.len(), Ordering::Relaxed);
        }
        self.len.load(Ordering::Relaxed) >= end
    }

    /// The length, as it is known.
    pub fn len(&self) -> u64 {
        self.len.load(Ordering::Relaxed)
    }

    /// Fills `room` with what stands at `at`; says how much there was.
    pub fn read_at(&self, room: &mut [u8], at: u64) -> io::Result<usize> {
        let mut done = 0;
        while let Some(rest) = room.get_mut(done..).filter(|r| !r.is_empty()) {
            match self.file.read_at(rest, at + done as u64) {
                Ok(0) => break,
                Ok(n) => done += n,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        self.read.fetch_add(done as u64, Ordering::Relaxed);
        Ok(done)
    }
}

#[derive(Debug)]
enum From<R> {
    Stream(R),
    File(Arc<Source>),
}

/// A window on the input that can be looked at before it is used up.
#[derive(Debug)]
pub(super) struct Input<R> {
    from: From<R>,
    /// Room that has been filled up to `end`; what lies behind is kept, so that it is not made anew.
    bytes: Vec<u8>,
    end: usize,
    /// Where the unused part of `bytes` begins …
    at: usize,
    /// … and how many bytes of the input lie before it.
    pub offset: u64,
    ended: bool,
    /// Bytes asked for at a time.
    chunk: usize,
    /// Bytes that a stream gave.
    read: u64,
}

impl<R: Read> Input<R> {
    pub fn stream(inner: R, offset: u64) -> Input<R> {
        let from = From::Stream(inner);
        Input { from, bytes: Vec::new(), end: 0, at: 0, offset, ended: false, chunk: BEGIN, read: 0 }
    }

    pub fn file(source: Arc<Source>) -> Input<R> {
        let from = From::File(source);
        Input { from, bytes: Vec::new(), end: 0, at: 0, offset: 0, ended: false, chunk: BEGIN, read: 0 }
    }

    /// The file, if it is one.
    pub fn source(&self) -> Option<&Arc<Source>> {
        match &self.from {
            From::Stream(_) => None,
            From::File(source) => Some(source),
        }
    }

    /// Bytes that were read, whether used or not.
    pub fn bytes_read(&self) -> u64 {
        self.source().map_or(self.read, |s| s.bytes_read())
    }

    /// At least `want` bytes, or all that are left.
    pub fn fill(&mut self, want: usize) -> Result<&[u8], Damage> {
        if self.end - self.at < want && !self.ended {
            self.bytes.copy_within(self.at..self.end, 0);
            (self.at, self.end) = (0, self.end - self.at);
            // Room grows with what has arrived, never with what a header claims.
            while self.end < want && !self.ended {
                let (from, to) = (self.end, self.end + self.chunk);
                if self.bytes.len() < to {
                    self.bytes.resize(to, 0);
                }
                let place = self.offset + from as u64;
                let got = match (self.bytes.get_mut(from..to), &mut self.from) {
                    (Some(room), From::Stream(inner)) => inner.read(room),
                    (Some(room), From::File(source)) => source.read_at(room, place),
                    (None, _) => Ok(0),
                };
                let n = *got.as_ref().unwrap_or(&0);
                self.end = from + n;
                match got {
                    Ok(0) => self.ended = true,
                    Ok(n) => self.read += n as u64,
                    Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                    Err(e) => {
                        let reason = Reason::Io(e.kind(), e.to_string());
                        return Err(Damage::new(place, 0, reason));
                    }
                }
                self.chunk = (2 * self.chunk).min(CHUNK);
            }
        }
        Ok(self.bytes.get(self.at..self.end).unwrap_or_default())
    }

    /// `len` bytes from `from` on, which `fill` has made available.
    pub fn rest(&self, from: usize, len: usize) -> &[u8] {
        let from = self.at + from;
        self.bytes.get(from..from + len).filter(|_| from + len <= self.end).unwrap_or_default()
    }

    /// Passes over bytes that `fill` has made available.
    pub fn skip(&mut self, n: usize) {
        let n = n.min(self.end - self.at);
        self.at += n;
        self.offset += n as u64;
    }

    /// Goes to a place of a file, which need not have been filled; a stream stays where it is. `front` is how much will
    /// be wanted there.
    pub fn jump(&mut self, to: u64, front: usize) {
        if self.source().is_none() {
            return;
        }
        match to.checked_sub(self.offset).and_then(|n| usize::try_from(n).ok()) {
            Some(n) if n <= self.end - self.at => self.skip(n),
            _ => {
                (self.at, self.end) = (0, 0);
                self.offset = to;
                self.ended = false;
                self.chunk = front.next_multiple_of(512).clamp(FIRST, CHUNK);
            }
        }
    }

    /// Goes at least one byte forward, to the next sync marker (of this file, if given) or the end. Says how far.
    pub fn resync(&mut self, file: Option<FileId>) -> Result<u64, Damage> {
        let from = self.offset;
        let finder = memchr::memmem::Finder::new(&SYNC);
        self.skip(1);
        loop {
            let bytes = self.fill(SYNC.len())?;
            let left = bytes.len();
            let Some(n) = finder.find(bytes) else {
                // A marker may have begun in the last bytes.
                let keep = if self.ended { 0 } else { SYNC.len() - 1 };
                let n = left.saturating_sub(keep);
                self.skip(n);
                if self.ended && self.end == self.at {
                    return Ok(self.offset - from);
                }
                continue;
            };
            self.skip(n);
            let bytes = self.fill(HEADER)?;
            let id = bytes.get(16..32);
            if id.is_none() || file.is_none_or(|file| id == Some(&file)) {
                return Ok(self.offset - from);
            }
            self.skip(1);
        }
    }
}
