//! A batch becomes an event block.
//!
//! Enters: a [`Batch`] with all its columns. Leaves: the whole block as bytes. Never: output, and in the steady state no
//! allocation: every buffer is kept for the next block.

use super::frame::{self, Frame, HEADER, Packer};
use super::front::{Front, MAX_ROWS, Section};
use super::gathered::Gathered;
use super::tables::Sizes;
use super::{fdlist, id, ints, listed, records, slots, tables};
use crate::batch::{Batch, NONE};
use crate::schema::CODES;

/// Buffers of one writer.
#[derive(Debug)]
pub(super) struct Encoder {
    packer: Packer,
    raw: Vec<u8>,
    scratch: Vec<u64>,
    order: slots::Order,
    gathered: Gathered,
    front: Front,
    /// Of each code, its place in the front's list.
    places: Vec<u16>,
    sections: Vec<u8>,
    /// The finished block.
    pub block: Vec<u8>,
}

impl Encoder {
    pub fn new() -> Encoder {
        Encoder {
            packer: Packer::new(),
            raw: Vec::new(),
            scratch: Vec::new(),
            order: slots::Order::default(),
            gathered: Gathered::default(),
            front: Front::default(),
            places: vec![0; usize::from(CODES)],
            sections: Vec::new(),
            block: Vec::new(),
        }
    }

    /// The front of the event block that was made last, without its sections.
    pub fn front(&self) -> &Front {
        &self.front
    }

    /// Makes a block whose body is all front.
    pub fn plain(&mut self, kind: u16, file: frame::FileId, number: u64, body: &[u8]) {
        self.seal(kind, file, number, 0, body.len(), |out| out.extend_from_slice(body));
    }

    fn seal(
        &mut self,
        kind: u16,
        file: frame::FileId,
        number: u64,
        rows: u32,
        front: usize,
        body: impl FnOnce(&mut Vec<u8>),
    ) {
        self.block.clear();
        self.block.resize(HEADER, 0);
        body(&mut self.block);
        let rest = self.block.get(HEADER..).unwrap_or_default();
        let header = Frame {
            version: super::VERSION,
            kind,
            flags: 0,
            file,
            number,
            body: rest.len() as u32,
            front: front as u32,
            rows,
            front_crc: frame::crc(rest.get(..front).unwrap_or_default()),
        };
        if let Some(room) = self.block.first_chunk_mut() {
            *room = header.to_bytes();
        }
    }

    /// Packs what stands in `raw` as a section.
    fn section(&mut self, id: u16, encoding: u8) {
        let from = self.sections.len();
        let packing = self.packer.pack(&self.raw, &mut self.sections);
        let stored = self.sections.get(from..).unwrap_or_default();
        self.front.sections.push(Section {
            id,
            encoding,
            packing,
            raw: self.raw.len() as u32,
            stored: stored.len() as u32,
            crc: frame::crc(stored),
        });
        self.raw.clear();
    }

    /// Makes a block of this kind, events or a snapshot, of a batch that is not empty. `Err` says what a reader would refuse.
    pub fn batch(
        &mut self,
        kind: u16,
        file: frame::FileId,
        number: u64,
        b: &Batch,
    ) -> Result<(), &'static str> {
        self.check(b)?;
        self.sections.clear();
        self.raw.clear();
        self.dictionary(b);
        self.columns(b);
        self.runs(b)?;

        let mut packed = std::mem::take(&mut self.sections);
        let mut front = std::mem::take(&mut self.front);
        let sound = front.check(packed.len()).is_ok();
        self.raw.clear();
        front.put(&mut self.raw);
        let head = std::mem::take(&mut self.raw);
        if sound && head.len() + packed.len() <= frame::MAX_BODY {
            self.seal(kind, file, number, b.rows as u32, head.len(), |out| {
                out.extend_from_slice(&head);
                out.extend_from_slice(&packed);
            });
        }
        packed.clear();
        front.sections.clear();
        (self.sections, self.front, self.raw) = (packed, front, head);
        if sound { Ok(()) } else { Err("a batch larger than a block may be") }
    }

    /// Nothing is written that a reader would refuse: then events would be lost although the disk has them.
    fn check(&mut self, b: &Batch) -> Result<(), &'static str> {
        let rows = b.rows;
        let columns = [
            b.num.len(),
            b.time.len(),
            b.delta.len(),
            b.latency.len(),
            b.call.len(),
            b.cpu.len(),
            b.tid.len(),
            b.proc.len(),
            b.ret.len(),
            b.flags.len(),
        ];
        if columns.iter().any(|n| *n != rows) || !(b.host.is_empty() || b.host.len() == rows) {
            return Err("a batch with missing columns");
        }
        if rows > MAX_ROWS {
            return Err("a batch larger than a block may be");
        }
        if !tables::is_sound(&b.dict) {
            return Err("a dictionary with ids out of range");
        }
        let (procs, files) = (b.dict.procs.len(), b.dict.files.len());
        if b.proc.iter().any(|id| *id != NONE && *id as usize >= procs)
            || b.refs.iter().any(|id| *id != NONE && *id as usize >= files)
        {
            return Err("rows with ids out of range");
        }
        if !fdlist::is_sound(b) {
            return Err("sets of descriptors that make no sense");
        }
        if b.call.iter().any(|c| *c >= CODES) {
            return Err("rows with unknown codes");
        }
        self.order.set(b.call);
        let (mut words, mut items, mut refs) = (0, 0, 0);
        self.front.codes.clear();
        for (code, rows) in self.order.codes() {
            let shape = b.schema.shape(code);
            words += slots::words(shape) * rows.len();
            items += slots::items(shape) * rows.len();
            refs += slots::refs(shape) * rows.len();
            self.front.codes.push(code);
        }
        if (words, items, refs) != (b.words.len(), b.items.len(), b.refs.len()) {
            return Err("rows that do not have the shape of their calls");
        }
        let f = &mut self.front;
        f.rows = rows as u32;
        (f.words, f.items, f.refs) = (words as u32, items as u32, refs as u32);
        f.meta = b.meta;
        let first = |column: &[u64]| column.first().copied().unwrap_or(0);
        f.first_num = first(b.num);
        f.before = first(b.time).wrapping_sub(first(b.delta));
        f.min_time = b.time.iter().copied().min().unwrap_or(0);
        f.max_time = b.time.iter().copied().max().unwrap_or(0);
        f.sizes = Sizes::of(&b.dict);
        f.sections.clear();
        Ok(())
    }

    /// The tables, each with the strings that it adds: processes can be asked without unpacking files, files without the
    /// strings of rows.
    fn dictionary(&mut self, b: &Batch) {
        let d = &b.dict;
        tables::put_procs(&mut self.raw, d);
        self.section(id::PROCS, 0);
        tables::put_users(&mut self.raw, d);
        self.section(id::USERS, 0);
        tables::put_groups(&mut self.raw, d);
        self.section(id::GROUPS, 0);
        if !d.containers.is_empty() {
            tables::put_containers(&mut self.raw, d);
            self.section(id::CONTAINERS, 0);
        }
        let (procs, files) = tables::strings(d);
        self.front.parts[0] = self.strings(b, 0..procs, id::LENGTHS, id::BYTES);
        tables::put_files(&mut self.raw, d);
        self.section(id::FILES, 0);
        self.front.parts[1] = self.strings(b, procs..files, id::FILE_LENGTHS, id::FILE_BYTES);
    }

    /// Two sections for some of the strings; how many, and how long they are together.
    fn strings(&mut self, b: &Batch, range: std::ops::Range<usize>, lengths: u16, bytes: u16) -> (u32, u32) {
        let strings = b.dict.strings;
        let at = strings.at.get(range.start..=range.end).unwrap_or_default();
        let encoding = ints::put_varint(&mut self.raw, at.windows(2).map(|w| u64::from(w[1] - w[0])));
        self.section(lengths, encoding);
        let (from, to) = (at.first().copied().unwrap_or(0), at.last().copied().unwrap_or(0));
        self.raw.extend_from_slice(strings.bytes.get(from as usize..to as usize).unwrap_or_default());
        self.section(bytes, 0);
        (range.len() as u32, to - from)
    }

    fn columns(&mut self, b: &Batch) {
        let wide = |v: u16| u64::from(v);
        // A place in the list of codes is a byte where a code is two.
        for (code, place) in self.front.codes.iter().zip(0..) {
            if let Some(slot) = self.places.get_mut(usize::from(*code)) {
                *slot = place;
            }
        }
        let places = &self.places;
        let place = |code: &u16| places.get(usize::from(*code)).map_or(0, |p| u64::from(*p));
        let encoding = ints::put_fixed(&mut self.raw, b.call.iter().map(place));
        self.section(id::CALL, encoding);
        let plus = |v: &u32| u64::from(v.wrapping_add(1));
        let encoding = ints::put_fixed(&mut self.raw, b.proc.iter().map(plus));
        self.section(id::PROC, encoding);
        // Processes mostly stay where they are: the difference to the CPU that the lane's last row had.
        let mut last = [0u16; slots::LANES];
        self.scratch.clear();
        self.scratch.extend(b.cpu.iter().enumerate().map(|(row, cpu)| {
            let moved = cpu.wrapping_sub(std::mem::replace(&mut last[slots::lane(b.proc, row)], *cpu));
            u64::from(moved)
        }));
        let encoding = ints::put_fixed(&mut self.raw, self.scratch.iter().copied());
        self.section(id::CPU, encoding);
        // Most threads are the first of their process: the difference is 0.
        let tids =
            b.tid.iter().zip(b.proc).map(|(tid, proc)| {
                i64::from(tid.wrapping_sub(b.dict.proc(*proc).map_or(0, |p| p.pid)) as i32)
            });
        let encoding = ints::put_signed(&mut self.raw, tids);
        self.section(id::TID, encoding);
        let encoding = ints::put_fixed(&mut self.raw, b.flags.iter().copied().map(wide));
        self.section(id::FLAGS, encoding);
        // With the narrow columns: what a filter reads together stands together.
        if listed::put_negative(&mut self.raw, b.ret) {
            self.section(id::NEGATIVE, 0);
        }
        if listed::put_slow(&mut self.raw, b.latency) {
            self.section(id::SLOW, 0);
        }
        let encoding = ints::put_signed(&mut self.raw, b.ret.iter().copied());
        self.section(id::RET, encoding);
        if b.host.iter().any(|host| *host != b.meta.host) {
            let encoding = ints::put_fixed(&mut self.raw, b.host.iter().copied().map(wide));
            self.section(id::HOST, encoding);
        }
        let encoding = ints::put_clock(&mut self.raw, b.time.iter().copied());
        self.section(id::TIME, encoding);
        // What stood between two rows and was not kept: mostly nothing, and then there is no section.
        let mut before = self.front.before;
        self.scratch.clear();
        self.scratch.extend(b.time.iter().zip(b.delta).map(|(time, delta)| {
            time.wrapping_sub(std::mem::replace(&mut before, *time)).wrapping_sub(*delta)
        }));
        if self.scratch.iter().any(|v| *v != 0) {
            let encoding = ints::put_packed(&mut self.raw, self.scratch.iter().copied());
            self.section(id::DELTA, encoding);
        }
        let encoding = ints::put_growing(&mut self.raw, b.num.iter().copied());
        self.section(id::NUM, encoding);
        let encoding = ints::put_packed(&mut self.raw, b.latency.iter().map(|v| v.wrapping_add(1)));
        self.section(id::LATENCY, encoding);
    }

    fn runs(&mut self, b: &Batch) -> Result<(), &'static str> {
        let shape = "rows that do not have the shape of their calls";
        slots::put_words(&mut self.raw, &self.order, b).ok_or(shape)?;
        self.section(id::WORDS, 0);
        let strings = b.dict.strings.len();
        let (_, files) = tables::strings(&b.dict);
        self.gathered.set(&self.order, b, files);
        let place = |id| self.gathered.id(id);
        slots::put_items(&mut self.raw, &self.order, b, strings as u32, place)
            .ok_or("items with ids out of range")?;
        self.section(id::ITEMS, 0);
        slots::put_refs(&mut self.raw, b);
        self.section(id::REFS, 0);
        fdlist::put_fdlist(&mut self.raw, b);
        if !self.raw.is_empty() {
            self.section(id::FDLIST, 0);
        }
        self.rest(b);
        Ok(())
    }

    /// The strings of rows alone: those that are stored as they are, then structures by column.
    fn rest(&mut self, b: &Batch) {
        let strings = b.dict.strings;
        let range =
            |range: std::ops::Range<usize>| strings.at.get(range.start..=range.end).unwrap_or_default();
        self.scratch.clear();
        for plain in self.gathered.plain(strings.len()) {
            self.scratch.extend(range(plain).windows(2).map(|w| u64::from(w[1] - w[0])));
        }
        let encoding = ints::put_varint(&mut self.raw, self.scratch.iter().copied());
        self.section(id::ROW_LENGTHS, encoding);
        for plain in self.gathered.plain(strings.len()) {
            if let [from, .., to] = range(plain) {
                let bytes = strings.bytes.get(*from as usize..*to as usize);
                self.raw.extend_from_slice(bytes.unwrap_or_default());
            }
        }
        self.section(id::ROW_BYTES, 0);
        let Gathered { runs, records, .. } = &self.gathered;
        if !runs.is_empty() {
            records::put_records(&mut self.raw, runs, records, strings, &mut self.scratch);
            self.section(id::RECORDS, 0);
        }
    }
}
