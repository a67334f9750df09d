//! The index: what each event block of a reel surely does not hold, told at the reel's end.
//!
//! Enters: blocks as they are written, or the end block's records that nobody trusts. Leaves: records, or for each block its
//! place, times, codes and summary. Never: anything that a reader could not do without; an index only speeds things up.

use std::cell::OnceCell;
use std::ops::Range;

use super::header::{self, IndexEntry, Totals, chunk};
use super::{frame, ints, varint};
use crate::batch::{Batch, Bitmap, Meta, Pieces, Subject, Summary, fold, key, keys, summarise};
use crate::schema::{CODES, is_error};

/// Most blocks that an index lists.
pub(super) const MAX_BLOCKS: usize = 1 << 18;
/// Most bytes of marks of all blocks together.
const MAX_MARKS: usize = 8 << 20;

/// What is marked of one block.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Mark {
    codes: Vec<u16>,
    /// Wall clock minus boot clock, mod 2^64.
    wall: u64,
    start: u64,
    summary: Vec<u8>,
    pieces: Vec<u8>,
}

/// The marks of a reel that is being written.
#[derive(Debug, Default)]
pub(super) struct Marks {
    all: Vec<Mark>,
    summaries: usize,
    keys: Vec<u64>,
    /// Errors of a block.
    seen: Bitmap,
    pieces: Pieces,
}

impl Marks {
    /// Marks the next block; `codes` are those that occur, ascending, `texts` how many strings the tables refer to.
    pub fn add(&mut self, b: &Batch, codes: &[u16], texts: usize) {
        if self.all.len() >= MAX_BLOCKS {
            return;
        }
        self.keys.clear();
        keys(&b.dict, texts as u32, &mut self.keys);
        self.seen.reset(4096, false);
        for ret in b.ret.iter().filter(|ret| is_error(**ret)) {
            self.seen.set(ret.unsigned_abs() as usize, true);
        }
        self.keys.extend(self.seen.iter().map(|n| key(Subject::Error, &(n as u16).to_le_bytes())));
        let summary = summarise(&self.keys);
        let pieces = self.pieces.of(&b.dict, texts as u32);
        self.summaries += summary.len() + pieces.len();
        let wall = b.meta.wall.wrapping_sub(b.meta.boot);
        self.all.push(Mark { codes: codes.to_vec(), wall, start: b.meta.start_time, summary, pieces });
        // What does not fit is told less exactly.
        while self.summaries > MAX_MARKS / 2 {
            self.all.iter_mut().for_each(|m| {
                fold(&mut m.summary);
                fold(&mut m.pieces);
            });
            let now = self.all.iter().map(|m| m.summary.len() + m.pieces.len()).sum();
            if std::mem::replace(&mut self.summaries, now) == now {
                break;
            }
        }
    }

    /// The records: codes, clocks, summaries; `None` if there are too many.
    pub fn records(&self) -> Option<[Vec<u8>; 4]> {
        let mut present = Bitmap::default();
        present.reset(usize::from(CODES), false);
        for code in self.all.iter().flat_map(|m| &m.codes) {
            present.set(usize::from(*code), true);
        }
        let codes: Vec<u16> = present.iter().map(|code| code as u16).collect();
        let row = codes.len().div_ceil(8);
        if row * self.all.len() + self.summaries > MAX_MARKS {
            return None;
        }
        let mut of_codes = Vec::new();
        varint::put(&mut of_codes, codes.len() as u64);
        codes.iter().for_each(|c| varint::put(&mut of_codes, u64::from(*c)));
        for mark in &self.all {
            let from = of_codes.len();
            of_codes.resize(from + row, 0);
            for place in mark.codes.iter().filter_map(|c| codes.binary_search(c).ok()) {
                if let Some(byte) = of_codes.get_mut(from + place / 8) {
                    *byte |= 1 << (place % 8);
                }
            }
        }
        let mut clocks = Vec::new();
        put_column(&mut clocks, self.all.iter().map(|m| m.wall));
        put_column(&mut clocks, self.all.iter().map(|m| m.start));
        let list = |get: fn(&Mark) -> &Vec<u8>| {
            let mut out = Vec::new();
            put_column(&mut out, self.all.iter().map(|m| get(m).len() as u64));
            self.all.iter().for_each(|m| out.extend_from_slice(get(m)));
            out
        };
        Some([of_codes, clocks, list(|m| &m.summary), list(|m| &m.pieces)])
    }
}

/// Appends a column {encoding u8, LEB128 length, bytes}.
pub(super) fn put_column(out: &mut Vec<u8>, values: impl ExactSizeIterator<Item = u64> + Clone) {
    let mut bytes = Vec::new();
    out.push(ints::put_growing(&mut bytes, values));
    varint::put(out, bytes.len() as u64);
    out.extend_from_slice(&bytes);
}

/// Takes one off the front and gives each of its `count` numbers to `sink`.
pub(super) fn take_column(bytes: &mut &[u8], count: usize, sink: impl FnMut(u64)) -> Option<()> {
    let [encoding] = frame::array(bytes)?;
    let len = usize::try_from(varint::take(bytes)?).ok()?;
    ints::read(encoding, chunk(bytes, len)?, count, sink)
}

/// The index of a reel: [`Totals::index`] and the marks beside it.
#[derive(Clone, Debug, Default)]
pub struct Index {
    /// What the reel adds up to; its index is the list of blocks.
    pub totals: Totals,
    codes: Vec<u16>,
    /// A bit for each of `codes`, for each block.
    present: Vec<u8>,
    clocks: Vec<(u64, u64)>,
    /// The records, and in them, packed, those that are unpacked when they are asked for.
    records: Vec<u8>,
    summaries: (Range<usize>, OnceCell<List>),
    pieces: (Range<usize>, OnceCell<List>),
}

/// Bytes of each block.
#[derive(Clone, Debug, Default)]
struct List {
    /// Where each ends in `bytes`.
    ends: Vec<usize>,
    bytes: Vec<u8>,
    /// Where the first begins.
    from: usize,
}

impl List {
    /// From a packed record.
    fn take(packed: &[u8], count: usize) -> Option<List> {
        let bytes = header::unseal(packed).ok()?;
        let (mut end, mut good, mut ends, mut rest) = (0usize, true, Vec::new(), &bytes[..]);
        take_column(&mut rest, count, |len| {
            match usize::try_from(len).ok().and_then(|len| end.checked_add(len)) {
                Some(sum) => end = sum,
                None => good = false,
            }
            ends.push(end);
        })?;
        let from = bytes.len() - rest.len();
        (good && rest.len() == end).then_some(List { ends, bytes, from })
    }

    fn get(&self, block: usize) -> Option<&[u8]> {
        let from = block.checked_sub(1).map_or(Some(0), |b| self.ends.get(b).copied())?;
        self.bytes.get(self.from..)?.get(from..*self.ends.get(block)?)
    }
}

impl Index {
    /// From the totals, the records, and where in them codes, clocks, summaries and pieces stand (nowhere if they are
    /// empty); what makes no sense is left out.
    pub(super) fn new(totals: Totals, records: Vec<u8>, places: [Range<usize>; 4]) -> Index {
        let [codes, clocks, summaries, pieces] = places;
        let mut index = Index { totals, ..Index::default() };
        let record = |place: Range<usize>| records.get(place).filter(|r| !r.is_empty());
        if record(codes).is_some_and(|bytes| index.take_codes(bytes).is_none()) {
            index.codes.clear();
            index.present.clear();
        }
        if record(clocks).is_some_and(|bytes| index.take_clocks(bytes).is_none()) {
            index.clocks.clear();
        }
        (index.summaries.0, index.pieces.0, index.records) = (summaries, pieces, records);
        index
    }

    fn list<'a>(&'a self, (place, list): &'a (Range<usize>, OnceCell<List>)) -> &'a List {
        list.get_or_init(|| {
            let packed = self.records.get(place.clone()).unwrap_or_default();
            List::take(packed, self.totals.index.len()).unwrap_or_default()
        })
    }

    fn take_codes(&mut self, mut bytes: &[u8]) -> Option<()> {
        let count = varint::take(&mut bytes).filter(|n| *n <= u64::from(CODES))?;
        for _ in 0..count {
            let code = u16::try_from(varint::take(&mut bytes)?).ok().filter(|c| *c < CODES)?;
            self.codes.push(Some(code).filter(|c| self.codes.last().is_none_or(|last| last < c))?);
        }
        self.present.extend_from_slice(bytes);
        (bytes.len() == self.codes.len().div_ceil(8).checked_mul(self.totals.index.len())?).then_some(())
    }

    fn take_clocks(&mut self, mut bytes: &[u8]) -> Option<()> {
        let count = self.totals.index.len();
        take_column(&mut bytes, count, |v| self.clocks.push((v, 0)))?;
        let mut clocks = self.clocks.iter_mut();
        take_column(&mut bytes, count, |v| {
            if let Some(c) = clocks.next() {
                c.1 = v;
            }
        })
    }

    /// The blocks.
    pub fn blocks(&self) -> &[IndexEntry] {
        &self.totals.index
    }

    /// The codes that occur in a block, ascending; `None` if that is not known.
    pub fn codes(&self, block: usize) -> Option<Vec<u16>> {
        let row = self.codes.len().div_ceil(8);
        let bits = self.present.get(block * row..block * row + row).filter(|b| !b.is_empty())?;
        let has = |i: usize| bits.get(i / 8).is_some_and(|b| b >> (i % 8) & 1 == 1);
        Some(self.codes.iter().enumerate().filter(|(i, _)| has(*i)).map(|(_, c)| *c).collect())
    }

    /// What a block knows of clocks, save for its first rows; `None` if that is not known.
    pub fn meta(&self, block: usize) -> Option<Meta> {
        let (wall, start_time) = *self.clocks.get(block)?;
        Some(Meta { wall, boot: 0, start_time, ..Meta::default() })
    }

    /// The summary of a block's dictionary, if there is one.
    pub fn summary(&self, block: usize) -> Option<Summary<'_>> {
        Summary::new(self.list(&self.summaries).get(block)?)
    }

    /// The pieces of the texts of a block's dictionary, if they are known.
    pub fn pieces(&self, block: usize) -> Option<Summary<'_>> {
        Summary::of_pieces(self.list(&self.pieces).get(block)?)
    }
}
