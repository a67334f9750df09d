//! The front of an event block: what can be known without unpacking anything, and where each section stands.
//!
//! Enters: counts, places, or bytes that nobody trusts. Leaves: the same, checked against the caps. Never: columns.

use super::damage::Reason;
use super::frame::{self, array};
use super::tables::Sizes;
use crate::batch::Meta;

/// Most rows of a block.
pub(super) const MAX_ROWS: usize = 1 << 17;
/// Most words, items or references of a block.
pub(super) const MAX_RUN: usize = 1 << 20;
/// Most entries of a table of the dictionary.
pub(super) const MAX_ENTRIES: usize = 1 << 16;
/// Most strings.
pub(super) const MAX_STRINGS: usize = 1 << 20;
/// Most sections.
pub(super) const MAX_SECTIONS: usize = 256;

/// One section, as the directory describes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Section {
    pub id: u16,
    pub encoding: u8,
    pub packing: u8,
    /// Bytes unpacked.
    pub raw: u32,
    /// Bytes in the file.
    pub stored: u32,
    /// CRC-32 of the bytes in the file.
    pub crc: u32,
}

/// The front of an event block.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Front {
    pub rows: u32,
    pub words: u32,
    pub items: u32,
    pub refs: u32,
    pub meta: Meta,
    /// Number of the first event.
    pub first_num: u64,
    /// Time of the event before the first row.
    pub before: u64,
    pub min_time: u64,
    pub max_time: u64,
    pub sizes: Sizes,
    /// Codes that occur, ascending.
    pub codes: Vec<u16>,
    pub sections: Vec<Section>,
    /// Strings and their bytes: those of processes, users, groups and containers, then those of files besides. The rest belongs to
    /// rows alone.
    pub parts: [(u32, u32); 2],
}

impl Front {
    /// Appends it.
    pub fn put(&self, out: &mut Vec<u8>) {
        let (m, s) = (&self.meta, &self.sizes);
        for v in [self.rows, self.words, self.items, self.refs] {
            out.extend_from_slice(&v.to_le_bytes());
        }
        for v in [self.first_num, self.before, m.start_time, m.boot, m.wall, self.min_time, self.max_time] {
            out.extend_from_slice(&v.to_le_bytes());
        }
        for v in [s.procs, s.files, s.users, s.groups, s.strings, s.bytes] {
            out.extend_from_slice(&v.to_le_bytes());
        }
        for v in [m.host, self.codes.len() as u16, self.sections.len() as u16] {
            out.extend_from_slice(&v.to_le_bytes());
        }
        for code in &self.codes {
            out.extend_from_slice(&code.to_le_bytes());
        }
        for s in &self.sections {
            out.extend_from_slice(&s.id.to_le_bytes());
            out.extend_from_slice(&[s.encoding, s.packing]);
            for v in [s.raw, s.stored, s.crc] {
                out.extend_from_slice(&v.to_le_bytes());
            }
        }
        for (count, bytes) in self.parts {
            out.extend_from_slice(&count.to_le_bytes());
            out.extend_from_slice(&bytes.to_le_bytes());
        }
        out.extend_from_slice(&s.containers.to_le_bytes());
    }

    /// Reads it; `after` is how many bytes of the body follow. Bytes after the directory are a later version's.
    pub fn parse(bytes: &[u8], after: usize) -> Result<Front, Reason> {
        let mut front = Front::default();
        front.fill(bytes).ok_or(Reason::Invalid("front"))?;
        front.check(after)?;
        Ok(front)
    }

    /// Reads it without a check.
    #[cfg(any(test, fuzzing))]
    pub fn unchecked(bytes: &[u8]) -> Option<Front> {
        let mut front = Front::default();
        front.fill(bytes)?;
        Some(front)
    }

    fn fill(&mut self, mut bytes: &[u8]) -> Option<()> {
        let r = &mut bytes;
        for v in [&mut self.rows, &mut self.words, &mut self.items, &mut self.refs] {
            *v = u32::from_le_bytes(array(r)?);
        }
        let m = &mut self.meta;
        for v in [
            &mut self.first_num,
            &mut self.before,
            &mut m.start_time,
            &mut m.boot,
            &mut m.wall,
            &mut self.min_time,
            &mut self.max_time,
        ] {
            *v = u64::from_le_bytes(array(r)?);
        }
        let s = &mut self.sizes;
        for v in [&mut s.procs, &mut s.files, &mut s.users, &mut s.groups, &mut s.strings, &mut s.bytes] {
            *v = u32::from_le_bytes(array(r)?);
        }
        m.host = u16::from_le_bytes(array(r)?);
        let codes = u16::from_le_bytes(array(r)?);
        let sections = u16::from_le_bytes(array(r)?);
        for _ in 0..codes {
            self.codes.push(u16::from_le_bytes(array(r)?));
        }
        for _ in 0..sections {
            self.sections.push(Section {
                id: u16::from_le_bytes(array(r)?),
                encoding: array::<1>(r)?[0],
                packing: array::<1>(r)?[0],
                raw: u32::from_le_bytes(array(r)?),
                stored: u32::from_le_bytes(array(r)?),
                crc: u32::from_le_bytes(array(r)?),
            });
        }
        // A front without parts has all strings in the first.
        self.parts = [(self.sizes.strings, self.sizes.bytes), (0, 0)];
        if !r.is_empty() {
            for (count, bytes) in &mut self.parts {
                *count = u32::from_le_bytes(array(r)?);
                *bytes = u32::from_le_bytes(array(r)?);
            }
        }
        if !r.is_empty() {
            self.sizes.containers = u32::from_le_bytes(array(r)?);
        }
        Some(())
    }

    /// The sections, and where each stands behind the front.
    pub fn places(&self) -> impl Iterator<Item = (&Section, std::ops::Range<usize>)> {
        let mut at = 0usize;
        self.sections.iter().map(move |s| {
            let from = at;
            at += s.stored as usize;
            (s, from..at)
        })
    }

    /// The strings, and their bytes, of the third part.
    pub fn rest(&self) -> (u32, u32) {
        let [(a, b), (c, d)] = self.parts;
        (
            self.sizes.strings.saturating_sub(a).saturating_sub(c),
            self.sizes.bytes.saturating_sub(b).saturating_sub(d),
        )
    }

    /// Whether every length and count may be believed; the writer asks too, before it writes.
    pub fn check(&self, after: usize) -> Result<(), Reason> {
        let s = &self.sizes;
        let over = |count: u32, max: usize| count as usize > max;
        for (count, max, what) in [
            (self.rows, MAX_ROWS, "number of rows"),
            (self.words, MAX_RUN, "number of words"),
            (self.items, MAX_RUN, "number of items"),
            (self.refs, MAX_RUN, "number of references"),
            (s.procs, MAX_ENTRIES, "number of processes"),
            (s.files, MAX_ENTRIES, "number of files"),
            (s.users, MAX_ENTRIES, "number of users"),
            (s.groups, MAX_ENTRIES, "number of groups"),
            (s.containers, MAX_ENTRIES, "number of containers"),
            (s.strings, MAX_STRINGS, "number of strings"),
            (s.bytes, frame::MAX_RAW, "length of strings"),
        ] {
            if over(count, max) {
                return Err(Reason::TooLarge(what));
            }
        }
        let [(a, b), (c, d)] = self.parts.map(|(n, bytes)| (u64::from(n), u64::from(bytes)));
        if a + c > u64::from(s.strings) || b + d > u64::from(s.bytes) {
            return Err(Reason::Invalid("parts of strings"));
        }
        if self.sections.len() > MAX_SECTIONS {
            return Err(Reason::TooLarge("number of columns"));
        }
        let sum = |f: fn(&Section) -> u32| self.sections.iter().map(|s| f(s) as usize).sum::<usize>();
        if sum(|s| s.raw) > frame::MAX_RAW {
            return Err(Reason::TooLarge("length of columns"));
        }
        if sum(|s| s.stored) != after {
            return Err(Reason::Invalid("length of columns"));
        }
        if !self.codes.windows(2).all(|w| w[0] < w[1])
            || self.codes.last().is_some_and(|c| *c >= crate::schema::CODES)
        {
            return Err(Reason::Invalid("list of codes"));
        }
        Ok(())
    }
}
