//! An event block as it was read: packed sections, unpacked when somebody asks.
//!
//! Enters: a block whose front has been checked. Leaves: [`Batch`] views in which every id points into its table. Never: a
//! column that was not asked for, unless another needs it; of a file, not even its bytes.

use std::sync::Arc;

use super::body::Body;
use super::damage::{Damage, Reason};
use super::frame;
use super::front::{Front, MAX_RUN, Section};
use super::known::LateNames;
use super::listed::{LISTS, Listed};
use super::narrow::{NARROW, Narrow, State};
use super::{fdlist, id, ints, records, slots, tables};
use crate::batch::{
    Batch, Columns, Container, Dict, File, FileId, Group, Item, Meta, Proc, ProcId, Strings, Tables, User,
};
use crate::schema::Schema;

/// An event block of a reel.
#[derive(Debug)]
pub struct Stored {
    schema: Arc<Schema>,
    offset: u64,
    number: u64,
    snapshot: bool,
    front: Front,
    /// The sections, packed.
    body: Body,
    loaded: Columns,
    tables: Tables,
    unpacked: Vec<u8>,
    records: Vec<u8>,
    pub(super) narrow: [Narrow; NARROW.len()],
    pub(super) listed: Listed,
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
    fdlist_row: Vec<u32>,
    fdlist: Vec<FileId>,
    procs: Vec<Proc>,
    files: Vec<File>,
    users: Vec<User>,
    groups: Vec<Group>,
    containers: Vec<Container>,
    string_at: Vec<u32>,
    strings: Vec<u8>,
    /// What its entries of containers say besides.
    late: Option<Arc<LateNames>>,
}

impl Stored {
    /// An empty place for blocks of a reel.
    pub(super) fn new(schema: Arc<Schema>) -> Stored {
        Stored {
            schema,
            offset: 0,
            number: 0,
            snapshot: false,
            front: Front::default(),
            body: Body::default(),
            loaded: Columns::NOTHING,
            tables: Tables::Nothing,
            unpacked: Vec::new(),
            records: Vec::new(),
            narrow: Default::default(),
            listed: Listed::default(),
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
            fdlist_row: Vec::new(),
            fdlist: Vec::new(),
            procs: Vec::new(),
            files: Vec::new(),
            users: Vec::new(),
            groups: Vec::new(),
            containers: Vec::new(),
            string_at: Vec::new(),
            strings: Vec::new(),
            late: None,
        }
    }

    /// Becomes another block; keeps its memory.
    pub(super) fn set(&mut self, (offset, number): (u64, u64), snapshot: bool, front: Front) -> &mut Body {
        (self.offset, self.number, self.front) = (offset, number, front);
        self.snapshot = snapshot;
        (self.loaded, self.tables, self.ordered) = (Columns::NOTHING, Tables::Nothing, false);
        self.narrow.iter_mut().for_each(|n| n.state = State::Unknown);
        self.listed.clear();
        &mut self.body
    }

    /// Its entries of containers are to say what these do.
    pub(super) fn name_late(&mut self, late: Option<Arc<LateNames>>) {
        self.late = late;
    }

    /// True if its rows say what there was, and are no events.
    pub fn is_snapshot(&self) -> bool {
        self.snapshot
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

    /// Results and latencies, as far as they are loaded.
    pub(super) fn decoded(&self) -> (&[i64], &[u64]) {
        (&self.ret, &self.latency)
    }

    /// True if it has such a section.
    pub(super) fn has_section(&self, id: u16) -> bool {
        self.front.sections.iter().any(|s| s.id == id)
    }

    /// How many processes the block has.
    pub(super) fn procs_claimed(&self) -> u64 {
        u64::from(self.front.sizes.procs)
    }

    pub(super) fn damage(&self, reason: Reason) -> Damage {
        Damage::new(self.offset, self.number, reason)
    }

    /// Compares the checksums of all sections, those of unknown columns too, without unpacking.
    pub fn verify(&mut self) -> Result<(), Damage> {
        self.body.fetch_all().map_err(|r| Damage::new(self.offset, self.number, r))?;
        for (section, range) in self.front.places() {
            if self.body.get(range).is_none_or(|stored| frame::crc(stored) != section.crc) {
                return Err(self.damage(Reason::Section(section.id)));
            }
        }
        Ok(())
    }

    /// Unpacks the columns asked for that are not loaded yet, and those that they need. The parts of the dictionary that
    /// they refer to come along: processes with PROC and TID, files with REFS and FDLIST, everything with ITEMS. After an error the
    /// columns named in it are not loaded; others are.
    pub fn load(&mut self, columns: Columns) -> Result<(), Damage> {
        let mut want = columns.0 & Columns::ALL.0;
        let any = |set: Columns, want: u32| want & set.0 != 0;
        let tables = if any(Columns::ITEMS, want) {
            Tables::All
        } else if any(Columns::REFS.and(Columns::FDLIST), want) {
            Tables::Files
        } else if any(Columns::PROC.and(Columns::TID), want) {
            Tables::Procs
        } else {
            Tables::Nothing
        };
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
        let missing: Vec<_> = DECODERS.iter().filter(|d| any(d.0, want) && !self.loaded.has(d.0)).collect();
        // A list beside a column says the same: that it is damaged is said, as if it were part of the column.
        let lists = || LISTS.iter().filter(|l| missing.iter().any(|d| d.0 == l.0)).map(|l| l.1);
        self.fetch(tables, |id| missing.iter().any(|d| d.1 == id) || lists().any(|l| l == id))?;
        for id in lists().filter(|id| self.has_section(*id)) {
            self.section(id).map_err(|reason| self.damage(reason))?;
        }
        self.load_tables(tables)?;
        for (column, id, decode) in missing {
            self.decode(*id, *decode)?;
            self.loaded = self.loaded.and(*column);
        }
        Ok(())
    }

    /// Unpacks columns for testing them as a whole: in narrow form ([`Batch::packed`]) where they have one; if one of
    /// them has none, all as [`Stored::load`] does.
    pub fn load_packed(&mut self, columns: Columns) -> Result<(), Damage> {
        let mut rest = columns.0 & !self.loaded.0;
        let state = self.narrow.each_ref().map(|n| n.state);
        let narrow = |id: u16| {
            let place = NARROW.iter().position(|(column, of)| *of == id && Columns(rest).has(*column));
            place.is_some_and(|i| state.get(i) == Some(&State::Unknown))
        };
        self.fetch(Tables::Nothing, narrow)?;
        for (place, (column, id)) in NARROW.iter().enumerate() {
            if Columns(rest).has(*column) && self.load_narrow(place, *id)? {
                rest &= !column.0;
            }
        }
        // A test of several columns looks at all of them in one form.
        let decoded =
            |((column, _), n): (&(Columns, u16), &Narrow)| columns.has(*column) && n.state != State::Loaded;
        if rest != 0 || NARROW.iter().zip(&self.narrow).any(decoded) { self.load(columns) } else { Ok(()) }
    }

    /// Unpacks the dictionary.
    pub fn load_dict(&mut self) -> Result<(), Damage> {
        self.load_tables(Tables::All)
    }

    /// Unpacks parts of the dictionary.
    pub fn load_tables(&mut self, tables: Tables) -> Result<(), Damage> {
        // Later names stand behind all strings.
        let named = self.late.is_some() && self.front.sizes.containers > 0;
        let tables = if named && tables > Tables::Nothing { Tables::All } else { tables };
        if self.tables >= tables {
            return Ok(());
        }
        self.fetch(tables, |_| false)?;
        let [procs, files] = self.front.parts;
        if self.tables < Tables::Procs {
            self.string_at.clear();
            self.string_at.push(0);
            self.strings.clear();
            self.load_strings(id::LENGTHS, id::BYTES, procs)?;
            self.decode(id::PROCS, |s, _, bytes| tables::read_procs(bytes, s.front.sizes, &mut s.procs))?;
            self.decode(id::USERS, |s, _, bytes| tables::read_users(bytes, s.front.sizes, &mut s.users))?;
            self.decode(id::GROUPS, |s, _, bytes| tables::read_groups(bytes, s.front.sizes, &mut s.groups))?;
            self.containers.clear();
            if self.front.sizes.containers > 0 {
                let read: Decode =
                    |s, _, bytes| tables::read_containers(bytes, s.front.sizes, &mut s.containers);
                self.decode(id::CONTAINERS, read)?;
            }
            self.tables = Tables::Procs;
        }
        if tables >= Tables::Files && self.tables < Tables::Files {
            self.load_strings(id::FILE_LENGTHS, id::FILE_BYTES, files)?;
            self.decode(id::FILES, |s, _, bytes| tables::read_files(bytes, s.front.sizes, &mut s.files))?;
            self.tables = Tables::Files;
        }
        if tables >= Tables::All && self.tables < Tables::All {
            self.load_rest()?;
            self.tables = Tables::All;
            if let Some(late) = &self.late {
                late.put(&mut self.containers, &mut self.string_at, &mut self.strings);
            }
        }
        Ok(())
    }

    /// Appends the strings of rows alone: those that are stored as they are, then structures.
    fn load_rest(&mut self) -> Result<(), Damage> {
        let (count, size) = self.front.rest();
        if !self.has_section(id::RECORDS) {
            return self.load_strings(id::ROW_LENGTHS, id::ROW_BYTES, (count, size));
        }
        let mut buffer = std::mem::take(&mut self.records);
        let (strings, from) = (self.string_at.len(), self.strings.len());
        let result = self.unpack(id::RECORDS, &mut buffer).map_err(|reason| self.damage(reason));
        let result = result.and_then(|_| {
            let bad = || Reason::Invalid(id::name(id::RECORDS));
            let mut bytes = &buffer[..];
            let runs = records::read_runs(&mut bytes, (count, size)).ok_or_else(|| self.damage(bad()))?;
            // Both sums are within what the front says, of which the reader has made sure that it may be.
            let count = count - runs.iter().map(|r| r.count).sum::<usize>() as u32;
            let size = size - runs.iter().map(|r| r.count * r.size).sum::<usize>() as u32;
            self.load_strings(id::ROW_LENGTHS, id::ROW_BYTES, (count, size))?;
            let read = records::read_records(bytes, &runs, &mut self.string_at, &mut self.strings);
            read.ok_or_else(|| self.damage(bad()))
        });
        if result.is_err() {
            self.string_at.truncate(strings);
            self.strings.truncate(from);
        }
        self.records = buffer;
        result
    }

    /// Appends strings: those of the next part.
    fn load_strings(&mut self, lengths: u16, bytes: u16, (count, size): (u32, u32)) -> Result<(), Damage> {
        // A block that an early version wrote has one part, and not these sections.
        if count == 0 && size == 0 && !self.has_section(lengths) {
            return Ok(());
        }
        let (strings, from) = (self.string_at.len(), self.strings.len());
        let result = self.append_strings(lengths, bytes, (count, size));
        if result.is_err() {
            self.string_at.truncate(strings);
            self.strings.truncate(from);
        }
        result
    }

    fn append_strings(&mut self, lengths: u16, bytes: u16, (count, size): (u32, u32)) -> Result<(), Damage> {
        let from = self.strings.len() as u32;
        self.decode(lengths, |s, e, bytes| {
            let (mut at, mut good) = (from, true);
            s.string_at.reserve(count as usize);
            ints::read(e, bytes, count as usize, |len| {
                match u32::try_from(len).ok().and_then(|len| at.checked_add(len)) {
                    Some(end) => at = end,
                    None => good = false,
                }
                s.string_at.push(at);
            })?;
            (good && at - from == size).then_some(())
        })?;
        // Unpacked where they stay: they may be nearly all of a block.
        let mut strings = std::mem::take(&mut self.strings);
        let result = self.unpack_onto(bytes, size, &mut strings);
        self.strings = strings;
        result.map_err(|reason| self.damage(reason))
    }

    /// Finds, checks and unpacks a section of that many bytes behind what is there.
    fn unpack_onto(&self, id: u16, size: u32, out: &mut Vec<u8>) -> Result<(), Reason> {
        let (section, stored) = self.section(id)?;
        if section.raw != size {
            return Err(Reason::Invalid(id::name(id)));
        }
        frame::unpack_onto(section.packing, stored, size as usize, out).ok_or(Reason::Section(id))
    }

    /// Makes the stored bytes available of what is about to be unpacked.
    pub(super) fn fetch(&mut self, tables: Tables, wanted: impl Fn(u16) -> bool) -> Result<(), Damage> {
        if self.body.is_here() {
            return Ok(());
        }
        let of_tables =
            |id| TABLES.iter().any(|(t, ids)| *t <= tables && *t > self.tables && ids.contains(&id));
        let ranges =
            self.front.places().filter(|(s, _)| wanted(s.id) || of_tables(s.id)).map(|(_, range)| range);
        let ranges: Vec<_> = ranges.collect();
        let fetched = self.body.fetch(ranges.into_iter());
        fetched.map_err(|reason| self.damage(reason))
    }

    /// Finds, checks and unpacks a section, then gives it to `decode`.
    fn decode(
        &mut self,
        id: u16,
        decode: impl FnOnce(&mut Stored, u8, &[u8]) -> Option<()>,
    ) -> Result<(), Damage> {
        if matches!(id, id::HOST | id::FDLIST) && !self.has_section(id) {
            if id == id::HOST {
                // All rows are of the front's.
                self.host.clear();
            } else {
                // No row has any.
                self.fdlist_row.clear();
                self.fdlist.clear();
            }
            return Ok(());
        }
        let mut buffer = std::mem::take(&mut self.unpacked);
        let result = match self.unpack(id, &mut buffer) {
            Ok(encoding) => decode(self, encoding, &buffer).ok_or(Reason::Invalid(id::name(id))),
            Err(reason) => Err(reason),
        };
        self.unpacked = buffer;
        result.map_err(|reason| self.damage(reason))
    }

    /// Finds, checks and unpacks a section; gives its encoding.
    pub(super) fn unpack(&self, id: u16, into: &mut Vec<u8>) -> Result<u8, Reason> {
        if id == id::DELTA && !self.has_section(id) {
            // Left out if it is all zeros.
            into.clear();
            into.extend_from_slice(&[0, 0]);
            return Ok(ints::STEP);
        }
        let (section, stored) = self.section(id)?;
        frame::unpack(section.packing, stored, section.raw as usize, into).ok_or(Reason::Section(id))?;
        Ok(section.encoding)
    }

    /// Finds and checks a section.
    fn section(&self, id: u16) -> Result<(&Section, &[u8]), Reason> {
        let found = self.front.places().find(|(s, _)| s.id == id);
        let (section, range) = found.ok_or(Reason::Invalid("block without a column"))?;
        let stored = self.body.get(range).ok_or(Reason::Section(id))?;
        if frame::crc(stored) != section.crc {
            return Err(Reason::Section(id));
        }
        Ok((section, stored))
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
            fdlist_row: of(has(Columns::FDLIST), &self.fdlist_row),
            fdlist: of(has(Columns::FDLIST), &self.fdlist),
            dict: self.dict(),
            packed: self.packed(),
        }
    }

    /// The dictionary; what is not loaded is empty.
    pub fn dict(&self) -> Dict<'_> {
        if self.tables == Tables::Nothing {
            return Dict::default();
        }
        Dict {
            procs: &self.procs,
            files: if self.tables >= Tables::Files { &self.files } else { &[] },
            users: &self.users,
            groups: &self.groups,
            containers: &self.containers,
            strings: Strings { at: &self.string_at, bytes: &self.strings },
        }
    }
}

/// The sections of each part of the dictionary.
const TABLES: &[(Tables, &[u16])] = &[
    (Tables::Procs, &[id::PROCS, id::USERS, id::GROUPS, id::CONTAINERS, id::LENGTHS, id::BYTES]),
    (Tables::Files, &[id::FILES, id::FILE_LENGTHS, id::FILE_BYTES]),
    (Tables::All, &[id::ROW_LENGTHS, id::ROW_BYTES, id::RECORDS]),
];

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
        slots::starts(&mut s.word_at, &s.call, &s.front.codes, &s.schema, slots::words, MAX_RUN)?;
        s.words.clear();
        s.words.resize(claimed(&s.word_at, s.front.words)?, 0);
        slots::read_words(bytes, &s.order, &s.schema, (&s.word_at, &s.proc), &mut s.words)
    }),
    (Columns::ITEMS, id::ITEMS, |s, _, bytes| {
        s.order();
        slots::starts(&mut s.item_at, &s.call, &s.front.codes, &s.schema, slots::items, MAX_RUN)?;
        s.items.clear();
        s.items.resize(claimed(&s.item_at, s.front.items)?, Item::ABSENT);
        slots::read_items(bytes, &s.order, &s.schema, &s.item_at, s.front.sizes.strings, &mut s.items)
    }),
    (Columns::REFS, id::REFS, |s, _, bytes| {
        slots::starts(&mut s.ref_at, &s.call, &s.front.codes, &s.schema, slots::refs, MAX_RUN)?;
        s.refs.clear();
        s.refs.reserve(claimed(&s.ref_at, s.front.refs)?);
        slots::read_refs(bytes, (&s.ref_at, &s.proc), s.front.sizes.files, &mut s.refs)
    }),
    (Columns::FDLIST, id::FDLIST, |s, _, bytes| {
        s.fdlist_row.clear();
        s.fdlist.clear();
        let sizes = (s.rows(), s.front.sizes.files);
        fdlist::read_fdlist(bytes, sizes, &mut s.fdlist_row, &mut s.fdlist)
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
    ints::read_into(encoding, bytes, rows, minus, out)
}
