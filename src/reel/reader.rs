//! Reads a reel, block by block, from anything that gives bytes.
//!
//! Enters: bytes that nobody trusts. Leaves: whole blocks with checked fronts, and a [`Damage`] for each place that is
//! not one. Never: a seek, a panic, an allocation that the input's size does not justify.

use std::fs::File;
use std::io::Read;
use std::sync::Arc;

use super::damage::{Damage, Reason};
use super::frame::{self, FileId, Frame, HEADER, SYNC};
use super::front::Front;
use super::header::{self, Header, TAIL_LENGTH, Totals};
use super::index::Index;
use super::input::{Input, Source};
use super::kind;
use super::known::LateNames;
use super::stored::Stored;
use crate::schema::Schema;

/// One block.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "nearly every block is an event block")]
pub enum Block {
    /// Events.
    Event(Stored),
    /// What there was: rows that are no events. Only if [`Reader::show_snapshots`] was called.
    Snapshot(Stored),
    /// What is known last of containers: rows that are no events. Only if [`Reader::show_containers`] was called.
    Containers(Stored),
    /// The end: nothing follows.
    End(Totals),
}

/// How far the first header is looked for before the input is called something else.
const SEARCH: u64 = 32 << 20;
/// How many damaged bodies are searched for blocks. A body whose header is right is passed over by its length, unless no
/// block stands behind it; a hostile file could make every search long.
const RESCANS: u32 = 64;
/// Blocks whose memory is kept for the next.
const SPARE: usize = 8;
/// Blocks of containers that are read together: more than are written.
const MOST_CONTAINERS: usize = 4;

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
    /// Behind a jump any number may come.
    jumped: bool,
    /// Bytes of the last block's header and front: the next one's will be about as long.
    front: usize,
    spare: Vec<Stored>,
    /// Snapshots are given, not passed over.
    snapshots: bool,
    containers: bool,
    late: Option<Arc<LateNames>>,
}

impl<R: Read> Reader<R> {
    /// Reads up to the header. An error here means that nothing can be read.
    pub fn new(input: R) -> Result<Reader<R>, Damage> {
        Reader::begin(Input::stream(input, 0))
    }

    /// The same for a file with places: of a block only what is asked for is read. What has no places is given back.
    #[allow(clippy::type_complexity, reason = "two different failures")]
    pub fn open(file: File) -> Result<Result<Reader<R>, Damage>, File> {
        Ok(Reader::begin(Input::file(Arc::new(Source::new(file)?))))
    }

    fn begin(mut input: Input<R>) -> Result<Reader<R>, Damage> {
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
                                jumped: false,
                                front: 0,
                                spare: Vec::new(),
                                snapshots: false,
                                containers: false,
                                late: None,
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
            input: Input::stream(input, offset),
            file: self.file,
            header: self.header.clone(),
            schema: self.schema.clone(),
            expected: 2,
            rescans: 0,
            complete: false,
            over: false,
            early: None,
            unknown: 0,
            jumped: false,
            front: 0,
            spare: Vec::new(),
            snapshots: false,
            containers: false,
            late: None,
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

    /// Where the next block begins in the input.
    pub fn position(&self) -> u64 {
        self.input.offset
    }

    /// Bytes of the input that were read, those of blocks that are being loaded included.
    pub fn bytes_read(&self) -> u64 {
        self.input.bytes_read()
    }

    /// The index at the end of a file. `None` if the input is a stream, has no end yet, or its end does not stand where it
    /// says that it stands: then something is missing or was added, and everything should be looked at.
    pub fn index(&self) -> Option<Index> {
        let source = self.input.source()?;
        let len = source.len();
        let take = |at: u64, len: u64| -> Option<Vec<u8>> {
            let mut bytes = vec![0; usize::try_from(len).ok()?];
            (source.read_at(&mut bytes, at).ok()? == bytes.len()).then_some(bytes)
        };
        let tail = take(len.checked_sub(TAIL_LENGTH as u64)?, TAIL_LENGTH as u64)?;
        let whole = u64::from(header::take_tail(&tail, len)?);
        if whole > (HEADER + frame::MAX_FRONT) as u64 {
            return None;
        }
        let place = len.checked_sub(whole)?;
        let frame = Frame::parse(&take(place, HEADER as u64)?)?;
        let body = take(place + HEADER as u64, whole.checked_sub(HEADER as u64)?)?;
        if frame.file != self.file
            || frame.kind != kind::END
            || frame.version != super::VERSION
            || frame::crc(&body) != frame.front_crc
        {
            return None;
        }
        header::parse_end(body).ok()
    }

    /// From now on blocks of snapshots are given too.
    pub fn show_snapshots(&mut self) {
        self.snapshots = true;
    }

    /// From now on blocks of what is known last of containers are given too.
    pub fn show_containers(&mut self) {
        self.containers = true;
    }

    /// What the index's blocks of containers say; nothing without an index, or of a reel of several hosts, where one name may
    /// be that of several.
    pub fn late_names(&mut self) -> Option<LateNames> {
        if self.header.host_list().len() > 1 {
            return None;
        }
        let mut late = LateNames::default();
        self.containers()?.iter().for_each(|block| late.take(&block.dict()));
        Some(late)
    }

    /// The blocks of containers of which the index tells, with their dictionaries, as far as they are whole; nothing without an
    /// index. What comes next is then behind them.
    pub fn containers(&mut self) -> Option<Vec<Stored>> {
        let index = self.index()?;
        self.show_containers();
        let mut blocks = Vec::new();
        for entry in index.totals.containers.iter().take(MOST_CONTAINERS) {
            self.jump(entry.offset);
            if let Ok(Some(Block::Containers(mut block))) = self.next()
                && block.load_dict().is_ok()
            {
                blocks.push(block);
            }
        }
        Some(blocks)
    }

    /// From now on the entries of containers say what these do.
    pub fn name_late(&mut self, late: LateNames) {
        self.late = Some(Arc::new(late)).filter(|late| !late.is_empty());
    }

    /// True if the input has places: blocks can be read in any order.
    pub fn is_file(&self) -> bool {
        self.input.source().is_some()
    }

    /// Goes to a block that the index lists: it comes next. A stream stays where it is.
    pub fn jump(&mut self, offset: u64) {
        if self.input.source().is_some() {
            self.input.jump(offset, self.front);
            (self.jumped, self.over) = (true, false);
        }
    }

    /// Goes to any block of a file, before or behind the one that was read last: it comes next.
    pub fn go_to(&mut self, offset: u64) {
        self.expected = 0;
        self.jump(offset);
    }

    /// Goes to the end of the file: nothing comes any more. `complete` says that its end is known.
    pub fn leave(&mut self) {
        (self.over, self.complete) = (true, true);
    }

    /// Takes a block back whose memory may be used again.
    pub fn recycle(&mut self, block: Stored) {
        if self.spare.len() < SPARE {
            self.spare.push(block);
        }
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
                Found::Frame(frame) if frame.number > self.expected && !self.jumped => {
                    let mut damage = Damage::new(place, self.expected, Reason::Missing);
                    damage.missing = frame.number - self.expected;
                    self.expected = frame.number;
                    return Err(damage);
                }
                Found::Frame(frame) if frame.number < self.expected => Reason::Invalid("order of blocks"),
                Found::Frame(frame) => match read_body(&mut self.input, &frame)
                    .map_err(|e| self.stop(e))?
                    .and_then(|()| self.block(place, &frame))
                {
                    Ok(block) => {
                        let whole = HEADER + frame.body as usize;
                        self.front = HEADER + frame.front as usize;
                        match self.input.source() {
                            None => self.input.skip(whole),
                            Some(_) => self.input.jump(place + whole as u64, self.front),
                        }
                        self.jumped = false;
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
    fn block(&mut self, place: u64, frame: &Frame) -> Result<Option<Block>, Reason> {
        let (front, body) = (frame.front as usize, frame.body as usize);
        let head = self.input.rest(HEADER, front);
        match frame.kind {
            kind::SNAPSHOT if !self.snapshots => Ok(None),
            kind::CONTAINERS if !self.containers => Ok(None),
            kind::EVENTS | kind::SNAPSHOT | kind::CONTAINERS => {
                let front = Front::parse(head, body - front)?;
                if front.rows != frame.rows {
                    return Err(Reason::Invalid("number of rows"));
                }
                let mut block = self.spare.pop().unwrap_or_else(|| Stored::new(self.schema.clone()));
                block.name_late(self.late.clone());
                let room = block.set((place, frame.number), frame.kind == kind::SNAPSHOT, front);
                let (from, len) = (HEADER + frame.front as usize, body - frame.front as usize);
                match self.input.source() {
                    Some(source) => room.set_file(source.clone(), place + from as u64, len),
                    None => room.set_bytes(self.input.rest(from, len)),
                }
                Ok(Some(match frame.kind {
                    kind::SNAPSHOT => Block::Snapshot(block),
                    kind::CONTAINERS => Block::Containers(block),
                    _ => Block::Event(block),
                }))
            }
            kind::END => {
                let totals = header::parse_end(head.to_vec())?.totals;
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
        if let Some(source) = self.input.source() {
            // Not worth reading all of it: the search goes on behind it if there is a block.
            let (mut next, place) = ([0; SYNC.len()], self.input.offset + whole as u64);
            let got = source.read_at(&mut next, place).unwrap_or(0);
            if SYNC.starts_with(next.get(..got).unwrap_or_default()) || self.rescans >= RESCANS {
                self.input.jump(place - 1, 0);
                self.input.fill(1)?;
            } else {
                self.rescans += 1;
            }
            return Ok(());
        }
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

/// Makes the whole body available, of an event block in a file the front alone, and checks its front. The outer error is
/// the input's, the inner one the block's.
fn read_body<R: Read>(input: &mut Input<R>, frame: &Frame) -> Result<Result<(), Reason>, Damage> {
    if let Err(reason) = frame.check() {
        return Ok(Err(reason));
    }
    let (whole, front) = (HEADER + frame.body as usize, HEADER + frame.front as usize);
    let end = input.offset + whole as u64;
    let want = match input.source() {
        Some(source) if matches!(frame.kind, kind::EVENTS | kind::SNAPSHOT | kind::CONTAINERS) => {
            if !source.reaches(end) {
                return Ok(Err(Reason::Cut));
            }
            front
        }
        _ => whole,
    };
    let bytes = input.fill(want)?;
    if bytes.len() < want {
        return Ok(Err(Reason::Cut));
    }
    let front = bytes.get(HEADER..front).unwrap_or_default();
    Ok(if frame::crc(front) == frame.front_crc { Ok(()) } else { Err(Reason::Front) })
}
