//! An event block as it was read: packed sections, unpacked when somebody asks.
//!
//! Enters: a block whose front has been checked. Leaves: [`Batch`] views in which every id points into its table. Never: a
//! column that was not asked for, unless another needs it.

use std::sync::Arc;

use super::damage::{Damage, Reason};
use super::frame;
use super::front::{Front, MAX_RUN, Section};
use super::{id, ints, slots, tables};
use crate::batch::{Batch, Columns, Dict, File, FileId, Group, Item, Meta, Proc, ProcId, Strings, User};
use crate::schema::Schema;

/// An event block of a reel.
#[derive(Debug)]
pub struct Stored {
    schema: Arc<Schema>,
    offset: u64,
    number: u64,
    front: Front,
    /// The sections, packed.
    body: Vec<u8>,
    loaded: Columns,
    dict_loaded: bool,
    unpacked: Vec<u8>,
    order: slots::Order,
    ordered: bool,
    num: Vec<u64>,
    time: Vec<u64>,
    delta: Vec<u64>,
    latency: Vec<u64>,
    call: Vec<u16>,
    cpu: Vec<u16>,
    tid: Vec<u32>,
    proc: Vec<ProcId>,
    ret: Vec<i64>,
    flags: Vec<u16>,
    host: Vec<u16>,
    word_at: Vec<u32>,
    words: Vec<u64>,
    item_at: Vec<u32>,
    items: Vec<Item>,
    ref_at: Vec<u32>,
    refs: Vec<FileId>,
    procs: Vec<Proc>,
    files: Vec<File>,
    users: Vec<User>,
    groups: Vec<Group>,
    string_at: Vec<u32>,
    strings: Vec<u8>,
}

/// Columns that hold ids, and so mean nothing without the dictionary.
const WITH_IDS: Columns = Columns::TID.and(Columns::PROC).and(Columns::ITEMS).and(Columns::REFS);

impl Stored {
    pub(super) fn new(
        schema: Arc<Schema>,
        (offset, number): (u64, u64),
        front: Front,
        body: Vec<u8>,
    ) -> Stored {
        Stored {
            schema,
            offset,
            number,
            front,
            body,
            loaded: Columns::NOTHING,
            dict_loaded: false,
            unpacked: Vec::new(),
            order: slots::Order::default(),
            ordered: false,
            num: Vec::new(),
            time: Vec::new(),
            delta: Vec::new(),
            latency: Vec::new(),
            call: Vec::new(),
            cpu: Vec::new(),
            tid: Vec::new(),
            proc: Vec::new(),
            ret: Vec::new(),
            flags: Vec::new(),
            host: Vec::new(),
            word_at: Vec::new(),
            words: Vec::new(),
            item_at: Vec::new(),
            items: Vec::new(),
            ref_at: Vec::new(),
            refs: Vec::new(),
            procs: Vec::new(),
            files: Vec::new(),
            users: Vec::new(),
            groups: Vec::new(),
            string_at: Vec::new(),
            strings: Vec::new(),
        }
    }

    /// How many rows.
    pub fn rows(&self) -> usize {
        self.front.rows as usize
    }

    /// Codes that occur, ascending.
    pub fn codes(&self) -> &[u16] {
        &self.front.codes
    }

    /// Times of the earliest and the latest row.
    pub fn time_range(&self) -> (u64, u64) {
        (self.front.min_time, self.front.max_time)
    }

    /// Where the block stands.
    pub fn meta(&self) -> Meta {
        self.front.meta
    }

    /// Where the block begins in the input, and its number.
    pub fn place(&self) -> (u64, u64) {
        (self.offset, self.number)
    }

    /// Bytes of its sections in the file: `(column, stored, unpacked)`.
    pub fn sizes(&self) -> impl Iterator<Item = (u16, u32, u32)> {
        self.front.sections.iter().map(|s| (s.id, s.stored, s.raw))
    }

    /// Columns that a later version wrote and this one passes over.
    pub fn unknown_columns(&self) -> usize {
        self.front.sections.iter().filter(|s| !id::is_known(s.id)).count()
    }

    /// What is loaded.
    pub fn loaded(&self) -> Columns {
        self.loaded
    }

    fn damage(&self, reason: Reason) -> Damage {
        Damage::new(self.offset, self.number, reason)
    }

    /// Compares the checksums of all sections, those of unknown columns too, without unpacking.
    pub fn verify(&self) -> Result<(), Damage> {
        for (section, stored) in self.sections() {
            if frame::crc(stored) != section.crc {
                return Err(self.damage(Reason::Section(section.id)));
            }
        }
        Ok(())
    }

    fn sections(&self) -> impl Iterator<Item = (&Section, &[u8])> {
        let mut rest = &self.body[..];
        self.front.sections.iter().map_while(move |s| {
            let (stored, tail) = rest.split_at_checked(s.stored as usize)?;
            rest = tail;
            Some((s, stored))
        })
    }

    /// Unpacks the columns asked for that are not loaded yet, and those that they need. The dictionary comes along with
    /// columns that hold ids (PROC, TID, ITEMS, REFS, and those that need PROC: CPU, WORDS). After an error the columns named in it are not loaded; others are.
    pub fn load(&mut self, columns: Columns) -> Result<(), Damage> {
        let mut want = columns.0 & Columns::ALL.0;
        let any = |set: Columns, want: u32| want & set.0 != 0;
        if any(Columns::WORDS.and(Columns::REFS), want) {
            want |= Columns::CALL.and(Columns::PROC).0;
        }
        if any(Columns::ITEMS, want) {
            want |= Columns::CALL.0;
        }
        if any(Columns::TID.and(Columns::CPU), want) {
            want |= Columns::PROC.0;
        }
        if any(Columns::DELTA, want) {
            want |= Columns::TIME.0;
        }
        if any(WITH_IDS, want) {
            self.load_dict()?;
        }
        for (column, id, decode) in DECODERS {
            if any(*column, want) && !self.loaded.has(*column) {
                self.decode(*id, *decode)?;
                self.loaded = self.loaded.and(*column);
            }
        }
        Ok(())
    }

    /// Unpacks the dictionary.
    pub fn load_dict(&mut self) -> Result<(), Damage> {
        if self.dict_loaded {
            return Ok(());
        }
        self.decode(id::LENGTHS, |s, e, bytes| {
            let (mut at, mut good) = (0u32, true);
            s.string_at.clear();
            s.string_at.push(0);
            ints::read(e, bytes, s.front.sizes.strings as usize, |len| {
                match u32::try_from(len).ok().and_then(|len| at.checked_add(len)) {
                    Some(end) => at = end,
                    None => good = false,
                }
                s.string_at.push(at);
            })?;
            (good && at == s.front.sizes.bytes).then_some(())
        })?;
        self.decode(id::BYTES, |s, _, bytes| {
            s.strings.clear();
            s.strings.extend_from_slice(bytes);
            (bytes.len() == s.front.sizes.bytes as usize).then_some(())
        })?;
        self.decode(id::PROCS, |s, _, bytes| tables::read_procs(bytes, s.front.sizes, &mut s.procs))?;
        self.decode(id::FILES, |s, _, bytes| tables::read_files(bytes, s.front.sizes, &mut s.files))?;
        self.decode(id::USERS, |s, _, bytes| tables::read_users(bytes, s.front.sizes, &mut s.users))?;
        self.decode(id::GROUPS, |s, _, bytes| tables::read_groups(bytes, s.front.sizes, &mut s.groups))?;
        self.dict_loaded = true;
        Ok(())
    }

    /// Finds, checks and unpacks a section, then gives it to `decode`.
    fn decode(&mut self, id: u16, decode: Decode) -> Result<(), Damage> {
        let mut buffer = std::mem::take(&mut self.unpacked);
        let found = self.sections().find(|(s, _)| s.id == id).map(|(section, stored)| {
            let whole = frame::crc(stored) == section.crc;
            let raw = section.raw as usize;
            let whole = whole && frame::unpack(section.packing, stored, raw, &mut buffer).is_some();
            whole.then_some(section.encoding)
        });
        let result = match found {
            // Left out if it is all zeros.
            None if id == id::DELTA => decode(self, ints::STEP, &[0, 0]).ok_or(Reason::Invalid(id::name(id))),
            None if id == id::HOST => {
                self.host.clear();
                Ok(())
            }
            None => Err(Reason::Invalid("block without a column")),
            Some(None) => Err(Reason::Section(id)),
            Some(Some(encoding)) => decode(self, encoding, &buffer).ok_or(Reason::Invalid(id::name(id))),
        };
        self.unpacked = buffer;
        result.map_err(|reason| self.damage(reason))
    }

    fn order(&mut self) {
        if !self.ordered {
            self.order.set(&self.call);
            self.ordered = true;
        }
    }

    /// The block as a batch; columns that are not loaded are empty slices. `schema` is the reel's.
    pub fn view<'a>(&'a self, schema: &'a Schema) -> Batch<'a> {
        let has = |c| self.loaded.has(c);
        fn of<T>(loaded: bool, column: &[T]) -> &[T] {
            if loaded { column } else { &[] }
        }
        let (words, items, refs) = (has(Columns::WORDS), has(Columns::ITEMS), has(Columns::REFS));
        Batch {
            schema,
            meta: self.front.meta,
            rows: self.rows(),
            num: of(has(Columns::NUM), &self.num),
            time: of(has(Columns::TIME), &self.time),
            delta: of(has(Columns::DELTA), &self.delta),
            latency: of(has(Columns::LATENCY), &self.latency),
            call: of(has(Columns::CALL), &self.call),
            cpu: of(has(Columns::CPU), &self.cpu),
            tid: of(has(Columns::TID), &self.tid),
            proc: of(has(Columns::PROC), &self.proc),
            ret: of(has(Columns::RET), &self.ret),
            flags: of(has(Columns::FLAGS), &self.flags),
            host: of(has(Columns::HOST), &self.host),
            word_at: of(words, &self.word_at),
            words: of(words, &self.words),
            item_at: of(items, &self.item_at),
            items: of(items, &self.items),
            ref_at: of(refs, &self.ref_at),
            refs: of(refs, &self.refs),
            dict: self.dict(),
        }
    }

    /// The dictionary; empty if it is not loaded.
    pub fn dict(&self) -> Dict<'_> {
        if !self.dict_loaded {
            return Dict::default();
        }
        Dict {
            procs: &self.procs,
            files: &self.files,
            users: &self.users,
            groups: &self.groups,
            strings: Strings { at: &self.string_at, bytes: &self.strings },
        }
    }
}

/// How a column is decoded: the block, the encoding, the unpacked bytes.
type Decode = fn(&mut Stored, u8, &[u8]) -> Option<()>;

/// Every column, those that others need first.
const DECODERS: &[(Columns, u16, Decode)] = &[
    (Columns::CALL, id::CALL, |s, e, bytes| {
        let rows = s.rows();
        let mut good = true;
        s.ordered = false;
        s.call.clear();
        s.call.reserve(rows);
        ints::read(e, bytes, rows, |v| {
            // Stored as places in the list of codes.
            let code = usize::try_from(v).ok().and_then(|v| s.front.codes.get(v));
            good &= code.is_some();
            s.call.push(code.copied().unwrap_or(0));
        })?;
        good.then_some(())
    }),
    (Columns::PROC, id::PROC, |s, e, bytes| {
        let (rows, procs) = (s.rows(), s.front.sizes.procs);
        let mut good = true;
        s.proc.clear();
        s.proc.reserve(rows);
        ints::read(e, bytes, rows, |v| {
            // Stored plus one: 0 is "not known".
            good &= v <= u64::from(procs);
            s.proc.push((v as u32).wrapping_sub(1));
        })?;
        good.then_some(())
    }),
    (Columns::CPU, id::CPU, |s, e, bytes| {
        narrow(e, bytes, s.rows(), &mut s.cpu)?;
        // Stored as the difference to the CPU of the lane's last row.
        let mut last = [0u16; slots::LANES];
        for (row, cpu) in s.cpu.iter_mut().enumerate() {
            let last = &mut last[slots::lane(&s.proc, row)];
            *last = last.wrapping_add(*cpu);
            *cpu = *last;
        }
        Some(())
    }),
    (Columns::TID, id::TID, |s, e, bytes| {
        let rows = s.rows();
        let Stored { tid, proc, procs, .. } = s;
        tid.clear();
        tid.reserve(rows);
        let mut of = proc.iter();
        ints::read(e, bytes, rows, |v| {
            let leader = of.next().and_then(|id| procs.get(*id as usize)).map_or(0, |p| p.pid);
            tid.push(leader.wrapping_add(v as u32));
        })
    }),
    (Columns::RET, id::RET, |s, e, bytes| {
        let rows = s.rows();
        s.ret.clear();
        s.ret.reserve(rows);
        ints::read(e, bytes, rows, |v| s.ret.push(v as i64))
    }),
    (Columns::FLAGS, id::FLAGS, |s, e, bytes| narrow(e, bytes, s.rows(), &mut s.flags)),
    (Columns::HOST, id::HOST, |s, e, bytes| narrow(e, bytes, s.rows(), &mut s.host)),
    (Columns::TIME, id::TIME, |s, e, bytes| {
        wide(e, bytes, s.rows(), &mut s.time, 0)?;
        let (min, max) = (s.time.iter().copied().min(), s.time.iter().copied().max());
        (min.unwrap_or(0) == s.front.min_time && max.unwrap_or(0) == s.front.max_time).then_some(())
    }),
    (Columns::DELTA, id::DELTA, |s, e, bytes| {
        wide(e, bytes, s.rows(), &mut s.delta, 0)?;
        let mut before = s.front.before;
        for (delta, time) in s.delta.iter_mut().zip(&s.time) {
            *delta = time.wrapping_sub(std::mem::replace(&mut before, *time)).wrapping_sub(*delta);
        }
        Some(())
    }),
    (Columns::NUM, id::NUM, |s, e, bytes| wide(e, bytes, s.rows(), &mut s.num, 0)),
    (Columns::LATENCY, id::LATENCY, |s, e, bytes| wide(e, bytes, s.rows(), &mut s.latency, 1)),
    (Columns::WORDS, id::WORDS, |s, _, bytes| {
        s.order();
        slots::starts(&mut s.word_at, &s.call, &s.schema, slots::words, MAX_RUN)?;
        s.words.clear();
        s.words.resize(claimed(&s.word_at, s.front.words)?, 0);
        slots::read_words(bytes, &s.order, &s.schema, (&s.word_at, &s.proc), &mut s.words)
    }),
    (Columns::ITEMS, id::ITEMS, |s, _, bytes| {
        s.order();
        slots::starts(&mut s.item_at, &s.call, &s.schema, slots::items, MAX_RUN)?;
        s.items.clear();
        s.items.resize(claimed(&s.item_at, s.front.items)?, Item::ABSENT);
        slots::read_items(bytes, &s.order, &s.schema, &s.item_at, s.front.sizes.strings, &mut s.items)
    }),
    (Columns::REFS, id::REFS, |s, _, bytes| {
        slots::starts(&mut s.ref_at, &s.call, &s.schema, slots::refs, MAX_RUN)?;
        s.refs.clear();
        s.refs.reserve(claimed(&s.ref_at, s.front.refs)?);
        slots::read_refs(bytes, (&s.ref_at, &s.proc), s.front.sizes.files, &mut s.refs)
    }),
];

/// The total of the runs, if it is what the front says.
fn claimed(at: &[u32], count: u32) -> Option<usize> {
    at.last().filter(|sum| **sum == count).map(|sum| *sum as usize)
}

fn narrow(encoding: u8, bytes: &[u8], rows: usize, out: &mut Vec<u16>) -> Option<()> {
    let mut good = true;
    out.clear();
    out.reserve(rows);
    ints::read(encoding, bytes, rows, |v| {
        good &= v <= u64::from(u16::MAX);
        out.push(v as u16);
    })?;
    good.then_some(())
}

fn wide(encoding: u8, bytes: &[u8], rows: usize, out: &mut Vec<u64>, minus: u64) -> Option<()> {
    out.clear();
    out.reserve(rows);
    ints::read(encoding, bytes, rows, |v| out.push(v.wrapping_sub(minus)))
}
