//! A small summary of a block's dictionary: what is surely not in it.
//!
//! Enters: keys, made of what a dictionary holds. Leaves: bits, and the answer "surely not" or "perhaps". Never: a wrong
//! "surely not".
//!
//! It is a Bloom filter of 2^n bits with four probes. Its bits can be halved (folded), which makes wrong answers "perhaps"
//! more frequent and nothing else, so that the summaries of any number of blocks fit a given room.

use super::{Dict, StrId, file_flags};

/// Bits for each key, before rounding up to a power of two: of a hundred answers two are "perhaps" without reason.
const BITS: usize = 8;
/// Smallest and largest size in bytes.
const LEAST: usize = 8;
const MOST: usize = 64 << 10;
/// Probes for each key.
const PROBES: u64 = 4;
/// The same for pieces of texts: a text has several, and all must be there.
const PIECE_BITS: usize = 4;
const PIECE_PROBES: u64 = 2;

/// What a key is made of; the number is part of the reel format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Subject {
    /// A string that an entry of the dictionary refers to.
    Text = 0,
    /// A process id, 4 bytes.
    Pid = 1,
    /// An address of a socket, 4 or 16 bytes.
    Ip = 2,
    /// A port, 2 bytes.
    Port = 3,
    /// The error of a row, 2 bytes.
    Error = 4,
}

/// The key of something: FNV-1a of 64 bits over the subject's number and the bytes (numbers little endian), then mixed.
pub fn key(subject: Subject, bytes: &[u8]) -> u64 {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
    let hash = bytes.iter().fold(step(0xcbf2_9ce4_8422_2325, &(subject as u8)), step);
    let hash = (hash ^ hash >> 32).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    hash ^ hash >> 29
}

/// The bits that a key sets in a summary of `bytes` bytes, a power of two.
fn probes(key: u64, bytes: usize, count: u64) -> impl Iterator<Item = (usize, u8)> {
    let mask = (bytes as u64 * 8).wrapping_sub(1);
    let (from, step) = (key & 0xffff_ffff, key >> 32 | 1);
    (0..count).map(move |i| {
        let bit = from.wrapping_add(i.wrapping_mul(step)) & mask;
        ((bit / 8) as usize, 1 << (bit % 8))
    })
}

/// A summary that can be asked.
#[derive(Clone, Copy, Debug)]
pub struct Summary<'a> {
    bytes: &'a [u8],
    probes: u64,
}

impl<'a> Summary<'a> {
    /// From its bytes, of which there must be a power of two.
    pub fn new(bytes: &'a [u8]) -> Option<Summary<'a>> {
        bytes.len().is_power_of_two().then_some(Summary { bytes, probes: PROBES })
    }

    /// The same of a summary of pieces.
    pub fn of_pieces(bytes: &'a [u8]) -> Option<Summary<'a>> {
        bytes.len().is_power_of_two().then_some(Summary { bytes, probes: PIECE_PROBES })
    }

    /// False if the key is surely not in it.
    pub fn may_have(&self, key: u64) -> bool {
        probes(key, self.bytes.len(), self.probes)
            .all(|(at, bit)| self.bytes.get(at).is_none_or(|b| b & bit != 0))
    }
}

/// A piece of a text: three bytes, as a number.
fn piece(bytes: &[u8; 3]) -> usize {
    usize::from(bytes[0]) << 16 | usize::from(bytes[1]) << 8 | usize::from(bytes[2])
}

/// The key of a piece: multiplied and mixed like [`key`], for there are many of them.
fn piece_key(piece: usize) -> u64 {
    let hash = (piece as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    hash ^ hash >> 29
}

/// The keys of all pieces of a text: where the text stands, all of them do.
pub fn piece_keys(text: &[u8]) -> Vec<u64> {
    text.windows(3).filter_map(|w| w.first_chunk()).map(|p| piece_key(piece(p))).collect()
}

/// Texts that are together shorter than this have so few pieces that they are sorted: a capture of small blocks does not
/// need the bits.
const FEW: usize = 4096;

/// Finds the pieces of texts; keeps its memory.
#[derive(Debug, Default)]
pub struct Pieces {
    /// A bit for each of 2^24 pieces; none until there are many.
    seen: Vec<u64>,
    found: Vec<u32>,
}

impl Pieces {
    /// A summary of the pieces of a dictionary's strings up to `texts`.
    pub fn of(&mut self, dict: &Dict<'_>, texts: StrId) -> Vec<u8> {
        self.found.clear();
        let text = |id| dict.strings.get(id);
        let all = (0..texts).flat_map(|id| text(id).windows(3)).map(|w| w.first_chunk().map_or(0, piece));
        if (0..texts).map(|id| text(id).len()).sum::<usize>() < FEW {
            self.found.extend(all.map(|piece| piece as u32));
            self.found.sort_unstable();
            self.found.dedup();
        } else {
            self.mark(all);
        }
        let keys = self.found.iter().map(|p| piece_key(*p as usize));
        fill(keys, self.found.len() * PIECE_BITS, PIECE_PROBES)
    }

    /// Finds each of these once.
    fn mark(&mut self, all: impl Iterator<Item = usize>) {
        self.seen.resize((1 << 24) / 64, 0);
        for piece in all {
            if let Some(word) = self.seen.get_mut(piece / 64)
                && *word >> (piece % 64) & 1 == 0
            {
                *word |= 1 << (piece % 64);
                self.found.push(piece as u32);
            }
        }
        for piece in &self.found {
            if let Some(word) = self.seen.get_mut(*piece as usize / 64) {
                *word = 0;
            }
        }
    }
}

/// Makes a summary of these keys: a power of two of bytes.
pub fn summarise(keys: &[u64]) -> Vec<u8> {
    fill(keys.iter().copied(), keys.len() * BITS, PROBES)
}

fn fill(keys: impl Iterator<Item = u64>, bits: usize, count: u64) -> Vec<u8> {
    let size = (bits / 8).next_power_of_two().clamp(LEAST, MOST);
    let mut bytes = vec![0; size];
    for key in keys {
        for (at, bit) in probes(key, size, count) {
            if let Some(b) = bytes.get_mut(at) {
                *b |= bit;
            }
        }
    }
    bytes
}

/// Halves a summary; what may be in it may still be in it.
pub fn fold(bytes: &mut Vec<u8>) {
    let half = bytes.len() / 2;
    if half < LEAST {
        return;
    }
    let (low, high) = bytes.split_at_mut(half);
    low.iter_mut().zip(high).for_each(|(a, b)| *a |= *b);
    bytes.truncate(half);
}

/// The keys of a dictionary: its strings up to `texts`, and its processes' ids, addresses and ports.
pub fn keys(dict: &Dict<'_>, texts: StrId, out: &mut Vec<u64>) {
    out.extend((0..texts).map(|id| key(Subject::Text, dict.strings.get(id))));
    out.extend(dict.procs.iter().map(|p| key(Subject::Pid, &p.pid.to_le_bytes())));
    for file in dict.files.iter().filter(|f| f.kind.is_ip()) {
        let len = if file.kind == super::FileKind::Ipv4 { 4 } else { 16 };
        for (known, addr, port) in
            [(file_flags::LOCAL, &file.laddr, file.lport), (file_flags::REMOTE, &file.raddr, file.rport)]
        {
            if file.flags & known != 0 {
                out.push(key(Subject::Ip, &addr[..len]));
                out.push(key(Subject::Port, &port.to_le_bytes()));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_in_it_is_never_denied(keys in prop::collection::vec(any::<u64>(), 0..400), folds in 0usize..9) {
            let mut bytes = summarise(&keys);
            for _ in 0..folds {
                fold(&mut bytes);
                let summary = Summary::new(&bytes).unwrap();
                prop_assert!(keys.iter().all(|k| summary.may_have(*k)));
            }
        }
    }

    #[test]
    fn pieces_are_found_in_few_and_in_many_texts() {
        for count in [0, 1, 40, 4 * FEW / 16] {
            let texts: Vec<String> = (0..count).map(|i| format!("/usr/lib/f{i:04}")).collect();
            let (mut at, mut bytes) = (vec![0], Vec::new());
            for text in &texts {
                bytes.extend_from_slice(text.as_bytes());
                at.push(bytes.len() as u32);
            }
            let strings = super::super::Strings { at: &at, bytes: &bytes };
            let dict = Dict { procs: &[], files: &[], users: &[], groups: &[], containers: &[], strings };
            let (mut pieces, mut other) = (Pieces::default(), Pieces::default());
            let got = pieces.of(&dict, count as u32);
            assert_eq!(pieces.seen.is_empty(), bytes.len() < FEW);
            let summary = Summary::of_pieces(&got).unwrap();
            assert!(texts.iter().flat_map(|t| piece_keys(t.as_bytes())).all(|k| summary.may_have(k)));
            // Both ways find the same, and a second block is not told what the first one had.
            other.mark(
                texts.iter().flat_map(|t| t.as_bytes().windows(3)).map(|w| piece(w.first_chunk().unwrap())),
            );
            other.found.sort_unstable();
            let mut found = pieces.found.clone();
            found.sort_unstable();
            assert_eq!(found, other.found);
            assert_eq!(pieces.of(&dict, count as u32), got);
        }
    }

    #[test]
    fn what_is_not_in_it_is_mostly_denied() {
        let name = |i: u32| key(Subject::Text, format!("/usr/lib/file{i}").as_bytes());
        let bytes = summarise(&(0..1500).map(name).collect::<Vec<_>>());
        let summary = Summary::new(&bytes).unwrap();
        let wrong = (10_000..20_000).filter(|i| summary.may_have(name(*i))).count();
        assert!(wrong < 400, "{wrong} of 10000");
    }
}
