//! The packed sections of a block: in memory, or still in the file.
//!
//! Enters: where they stand. Leaves: their bytes, when they are asked for. Never: what they mean, or whether they are whole.

use std::ops::Range;
use std::sync::Arc;

use super::damage::Reason;
use super::input::Source;

/// Sections nearer to each other than this are read together: a call costs as much as so many bytes.
const GAP: usize = 16 << 10;

/// The bytes of all sections of a block.
#[derive(Debug, Default)]
pub(super) struct Body {
    /// Where the first byte stands in the file; none if all bytes are in memory.
    file: Option<(Arc<Source>, u64)>,
    len: usize,
    /// What has been read: where it begins, and the bytes.
    pieces: Vec<(usize, Vec<u8>)>,
    spare: Vec<Vec<u8>>,
}

impl Body {
    fn clear(&mut self) {
        self.spare.extend(self.pieces.drain(..).map(|p| p.1));
        self.spare.truncate(4);
    }

    fn room(&mut self) -> Vec<u8> {
        let mut room = self.spare.pop().unwrap_or_default();
        room.clear();
        room
    }

    /// These bytes are all.
    pub fn set_bytes(&mut self, bytes: &[u8]) {
        self.clear();
        let mut room = self.room();
        room.extend_from_slice(bytes);
        (self.file, self.len) = (None, bytes.len());
        self.pieces.push((0, room));
    }

    /// `len` bytes of a file, from `at` on.
    pub fn set_file(&mut self, source: Arc<Source>, at: u64, len: usize) {
        self.clear();
        (self.file, self.len) = (Some((source, at)), len);
    }

    /// True if all bytes are in memory.
    pub fn is_here(&self) -> bool {
        self.file.is_none()
    }

    /// The bytes of a range, if they have been read.
    pub fn get(&self, range: Range<usize>) -> Option<&[u8]> {
        // A section may be empty, and nobody reads that.
        if range.is_empty() && range.end <= self.len {
            return Some(&[]);
        }
        self.pieces.iter().find_map(|(from, bytes)| {
            bytes.get(range.start.checked_sub(*from)?..range.end.checked_sub(*from)?)
        })
    }

    /// Reads these ranges, ascending, those near each other at once; if they are most of it, everything.
    pub fn fetch(&mut self, ranges: impl Iterator<Item = Range<usize>>) -> Result<(), Reason> {
        let Some((source, at)) = self.file.clone() else { return Ok(()) };
        let mut wanted: Vec<Range<usize>> = Vec::new();
        for range in ranges.filter(|r| !r.is_empty()) {
            if self.get(range.clone()).is_some() {
                continue;
            }
            match wanted.last_mut() {
                Some(last) if range.start <= last.end + GAP => last.end = last.end.max(range.end),
                _ => wanted.push(range),
            }
        }
        let all: usize = wanted.iter().map(Range::len).sum();
        if all > self.len / 4 * 3 {
            wanted = std::iter::once(0..self.len).collect();
        }
        for range in wanted {
            let mut room = self.room();
            room.resize(range.len(), 0);
            match source.read_at(&mut room, at + range.start as u64) {
                Ok(n) if n == room.len() => self.pieces.push((range.start, room)),
                Ok(_) => return Err(Reason::Cut),
                Err(e) => return Err(Reason::Io(e.kind(), e.to_string())),
            }
        }
        Ok(())
    }

    /// Reads everything.
    pub fn fetch_all(&mut self) -> Result<(), Reason> {
        self.fetch(std::iter::once(0..self.len))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A block of calls without arguments has no words: its section was looked for among the pieces read, and not found.
    #[test]
    fn an_empty_section_is_always_there() {
        let body = Body { len: 10, ..Body::default() };
        assert_eq!(body.get(4..4), Some(&[][..]));
        assert_eq!(body.get(10..10), Some(&[][..]));
        assert_eq!(body.get(11..11), None);
        assert_eq!(body.get(4..5), None);
    }
}
