//! Reads a reel, block by block, from anything that gives bytes.
//!
//! Enters: bytes that nobody trusts. Leaves: whole blocks with checked fronts, and a [`Damage`] for each place that is
//! not one. Never: a seek, a panic, an allocation that the input's size does not justify.

use std::io::{self, Read};
use std::sync::Arc;

use super::damage::{Damage, Reason};
use super::frame::{self, FileId, Frame, HEADER, SYNC};
use super::front::Front;
use super::header::{self, Header, Totals};
use super::kind;
use super::stored::Stored;
use crate::schema::Schema;

/// One block.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "nearly every block is an event block")]
pub enum Block {
    /// Events.
    Event(Stored),
    /// The end: nothing follows.
    End(Totals),
}

/// How far the first header is looked for before the input is called something else.
const SEARCH: u64 = 32 << 20;
/// How many damaged bodies are searched for blocks. A body whose header is right is passed over by its length, unless no
/// block stands behind it; a hostile file could make every search long.
const RESCANS: u32 = 64;
/// Bytes asked of the input at a time.
const CHUNK: usize = 256 * 1024;

/// Reads a reel.
#[derive(Debug)]
pub struct Reader<R: Read> {
    input: Input<R>,
    file: FileId,
    header: Header,
    schema: Arc<Schema>,
    /// Number that the next block should have.
    expected: u64,
    /// Damaged bodies that were searched for blocks.
    rescans: u32,
    complete: bool,
    over: bool,
    /// What was wrong before the header, for the first call of `next`.
    early: Option<Damage>,
    unknown: u64,
}

impl<R: Read> Reader<R> {
    /// Reads up to the header. An error here means that nothing can be read.
    pub fn new(input: R) -> Result<Reader<R>, Damage> {
        let mut input = Input { inner: input, bytes: Vec::new(), at: 0, offset: 0, ended: false };
        let mut early: Option<Damage> = None;
        let mut tries = 0;
        if input.fill(1)?.is_empty() {
            return Err(Damage::new(0, 0, Reason::Empty));
        }
        loop {
            let place = input.offset;
            let reason = match next_frame(&mut input, None)? {
                Found::Frame(frame) if frame.version != super::VERSION => {
                    return Err(Damage::new(place, frame.number, Reason::Version(frame.version)));
                }
                Found::Frame(frame) if frame.kind == kind::HEADER => {
                    match read_body(&mut input, &frame)?
                        .and_then(|()| header::parse_header(input.rest(HEADER, frame.front as usize)))
                    {
                        Ok((header, schema)) => {
                            input.skip(HEADER + frame.body as usize);
                            // Header blocks are the first ones; where this one stands, all before it were lost.
                            if let Some(damage) = &mut early {
                                damage.missing = damage.missing.max(frame.number);
                            }
                            return Ok(Reader {
                                input,
                                file: frame.file,
                                header,
                                schema: Arc::new(schema),
                                expected: frame.number.saturating_add(1),
                                rescans: 0,
                                complete: false,
                                over: false,
                                early,
                                unknown: 0,
                            });
                        }
                        Err(_) if tries >= RESCANS => return Err(Damage::new(0, 0, Reason::NotAReel)),
                        Err(reason) => {
                            tries += 1;
                            reason
                        }
                    }
                }
                Found::Frame(_) => Reason::Missing,
                Found::Nothing => Reason::Header,
                Found::Cut => Reason::Cut,
                Found::End => {
                    return Err(early
                        .filter(|d| d.reason != Reason::Header)
                        .unwrap_or_else(|| Damage::new(0, 0, Reason::NotAReel)));
                }
            };
            let skipped = input.resync(None)?;
            let damage = early.get_or_insert_with(|| Damage::new(place, 0, reason));
            damage.skipped += skipped;
            if damage.skipped > SEARCH {
                return Err(Damage { reason: Reason::NotAReel, ..damage.clone() });
            }
        }
    }

    /// The id of the file, for those who forge blocks.
    #[cfg(any(test, fuzzing))]
    pub(super) fn file_id(&self) -> FileId {
        self.file
    }

    /// A reader of what follows the header blocks of this reel, at `offset`, without reading them again: tests read the
    /// same reel half a million times.
    #[doc(hidden)]
    pub fn after_header<S: Read>(&self, input: S, offset: u64) -> Reader<S> {
        Reader {
            input: Input { inner: input, bytes: Vec::new(), at: 0, offset, ended: false },
            file: self.file,
            header: self.header.clone(),
            schema: self.schema.clone(),
            expected: 2,
            rescans: 0,
            complete: false,
            over: false,
            early: None,
            unknown: 0,
        }
    }

    /// Where and how the capture was made.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// What the codes of this reel mean.
    pub fn schema(&self) -> &Arc<Schema> {
        &self.schema
    }

    /// True once the end block was read: nothing was cut off.
    pub fn is_complete(&self) -> bool {
        self.complete
    }

    /// Blocks of kinds that a later version wrote and this one passed over.
    pub fn unknown_blocks(&self) -> u64 {
        self.unknown
    }

    /// Bytes of the input that were used.
    pub fn bytes_read(&self) -> u64 {
        self.input.offset
    }

    /// The next block; `None` at the end of the input. After a damage, the next call goes on behind it.
    #[allow(clippy::should_implement_trait, reason = "an error does not end it")]
    pub fn next(&mut self) -> Result<Option<Block>, Damage> {
        if let Some(damage) = self.early.take() {
            return Err(damage);
        }
        while !self.over {
            let place = self.input.offset;
            let reason = match next_frame(&mut self.input, Some(self.file)).map_err(|e| self.stop(e))? {
                Found::End => {
                    self.over = true;
                    break;
                }
                _ if self.complete => Reason::AfterEnd,
                Found::Frame(frame) if frame.file != self.file => Reason::Foreign,
                Found::Frame(frame) if frame.version != super::VERSION => Reason::Version(frame.version),
                Found::Frame(frame) if frame.number > self.expected => {
                    let mut damage = Damage::new(place, self.expected, Reason::Missing);
                    damage.missing = frame.number - self.expected;
                    self.expected = frame.number;
                    return Err(damage);
                }
                Found::Frame(frame) if frame.number < self.expected => Reason::Invalid("order of blocks"),
                Found::Frame(frame) => match read_body(&mut self.input, &frame)
                    .map_err(|e| self.stop(e))?
                    .and_then(|()| self.open(place, &frame))
                {
                    Ok(block) => {
                        self.input.skip(HEADER + frame.body as usize);
                        self.expected = frame.number.saturating_add(1);
                        match block {
                            Some(block) => return Ok(Some(block)),
                            None => continue,
                        }
                    }
                    Err(Reason::Cut) => Reason::Cut,
                    Err(reason) => {
                        self.pass(&frame).map_err(|e| self.stop(e))?;
                        reason
                    }
                },
                Found::Nothing => Reason::Header,
                Found::Cut => Reason::Cut,
            };
            return Err(self.recover(place, reason));
        }
        Ok(None)
    }

    /// Makes a block of a body that is there whole.
    fn open(&mut self, place: u64, frame: &Frame) -> Result<Option<Block>, Reason> {
        let (front, body) = (frame.front as usize, frame.body as usize);
        let head = self.input.rest(HEADER, front);
        match frame.kind {
            kind::EVENTS => {
                let sections = self.input.rest(HEADER + front, body - front);
                let front = Front::parse(head, sections.len())?;
                if front.rows != frame.rows {
                    return Err(Reason::Invalid("number of rows"));
                }
                let place = (place, frame.number);
                Ok(Some(Block::Event(Stored::new(self.schema.clone(), place, front, sections.to_vec()))))
            }
            kind::END => {
                let totals = header::parse_end(head)?;
                self.complete = true;
                Ok(Some(Block::End(totals)))
            }
            kind::HEADER => Ok(None),
            _ => {
                self.unknown += 1;
                Ok(None)
            }
        }
    }

    /// Passes over a block whose header is right and whose body is not.
    fn pass(&mut self, frame: &Frame) -> Result<(), Damage> {
        if frame.check().is_err() {
            return Ok(());
        }
        let whole = HEADER + frame.body as usize;
        let behind = self.input.fill(whole + SYNC.len())?.get(whole..).unwrap_or_default();
        if SYNC.starts_with(behind) || behind.starts_with(&SYNC) || self.rescans >= RESCANS {
            // The search goes at least one byte forward.
            self.input.skip(whole - 1);
        } else {
            self.rescans += 1;
        }
        Ok(())
    }

    fn stop(&mut self, damage: Damage) -> Damage {
        self.over = true;
        Damage { block: self.expected, ..damage }
    }

    /// Goes to the next block of this file and says what lies between.
    fn recover(&mut self, place: u64, reason: Reason) -> Damage {
        let mut damage = Damage::new(place, self.expected, reason);
        loop {
            match self.input.resync(Some(self.file)) {
                Ok(_) => {}
                Err(e) => return self.stop(e),
            }
            match next_frame(&mut self.input, Some(self.file)) {
                Err(e) => return self.stop(e),
                // The same block again can only be a copy or a piece of what is damaged.
                Ok(Found::Frame(f)) if !self.complete && f.file == self.file && f.number >= self.expected => {
                    damage.missing = f.number - self.expected;
                    self.expected = f.number;
                    break;
                }
                Ok(Found::End) => {
                    self.over = true;
                    damage.missing = u64::from(!self.complete && damage.reason != Reason::Foreign);
                    break;
                }
                Ok(_) => {}
            }
        }
        damage.skipped = self.input.offset - place;
        damage
    }
}

/// What stands at the input's place.
enum Found {
    Frame(Frame),
    /// Not a block.
    Nothing,
    /// The beginning of a block, and then the input ends.
    Cut,
    /// The input ends here.
    End,
}

fn next_frame<R: Read>(input: &mut Input<R>, file: Option<FileId>) -> Result<Found, Damage> {
    let bytes = input.fill(HEADER)?;
    let begun = bytes.len().min(SYNC.len());
    Ok(match Frame::parse(bytes) {
        Some(frame) => Found::Frame(frame),
        None if bytes.is_empty() => Found::End,
        None if bytes.len() < HEADER
            && bytes.get(..begun) == SYNC.get(..begun)
            && file.is_none_or(|id| {
                bytes.get(16..).is_none_or(|b| id.starts_with(b.get(..16).unwrap_or(b)))
            }) =>
        {
            Found::Cut
        }
        None => Found::Nothing,
    })
}

/// Makes the whole body available and checks its front. The outer error is the input's, the inner one the block's.
fn read_body<R: Read>(input: &mut Input<R>, frame: &Frame) -> Result<Result<(), Reason>, Damage> {
    if let Err(reason) = frame.check() {
        return Ok(Err(reason));
    }
    let whole = HEADER + frame.body as usize;
    let bytes = input.fill(whole)?;
    if bytes.len() < whole {
        return Ok(Err(Reason::Cut));
    }
    let front = bytes.get(HEADER..HEADER + frame.front as usize).unwrap_or_default();
    Ok(if frame::crc(front) == frame.front_crc { Ok(()) } else { Err(Reason::Front) })
}

/// A window on the input that can be looked at before it is used up.
#[derive(Debug)]
struct Input<R> {
    inner: R,
    bytes: Vec<u8>,
    /// Where the unused part of `bytes` begins …
    at: usize,
    /// … and how many bytes of the input lie before it.
    offset: u64,
    ended: bool,
}

impl<R: Read> Input<R> {
    /// At least `want` bytes, or all that are left.
    fn fill(&mut self, want: usize) -> Result<&[u8], Damage> {
        if self.bytes.len() - self.at < want && !self.ended {
            self.bytes.drain(..self.at);
            self.at = 0;
            // Room grows with what has arrived, never with what a header claims.
            while self.bytes.len() < want && !self.ended {
                let from = self.bytes.len();
                self.bytes.resize(from + CHUNK, 0);
                let got = match self.bytes.get_mut(from..) {
                    Some(room) => self.inner.read(room),
                    None => Ok(0),
                };
                let n = *got.as_ref().unwrap_or(&0);
                self.bytes.truncate(from + n);
                match got {
                    Ok(0) => self.ended = true,
                    Ok(_) => {}
                    Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                    Err(e) => {
                        let reason = Reason::Io(e.kind(), e.to_string());
                        return Err(Damage::new(self.offset + from as u64, 0, reason));
                    }
                }
            }
        }
        Ok(self.bytes.get(self.at..).unwrap_or_default())
    }

    /// `len` bytes from `from` on, which `fill` has made available.
    fn rest(&self, from: usize, len: usize) -> &[u8] {
        let from = self.at + from;
        self.bytes.get(from..from + len).unwrap_or_default()
    }

    fn skip(&mut self, n: usize) {
        let n = n.min(self.bytes.len() - self.at);
        self.at += n;
        self.offset += n as u64;
    }

    /// Goes at least one byte forward, to the next sync marker (of this file, if given) or the end. Says how far.
    fn resync(&mut self, file: Option<FileId>) -> Result<u64, Damage> {
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
                if self.ended && self.bytes.len() == self.at {
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
