//! The frame of every block: its header, and sections packed with LZ4 and sealed with CRC-32.
//!
//! Enters: bodies to frame, or bytes that nobody trusts. Leaves: blocks, or checked pieces. Never: what a body means.
//! Only this file knows lz4_flex and crc32fast.

use lz4_flex::block::{CompressTable, compress_into_with_table, get_maximum_output_size};

use super::damage::Reason;

/// What every block begins with: a byte that is not text, a name, and line ends that careless copying would change.
pub(super) const SYNC: [u8; 8] = *b"\x89REEL\r\n\x1a";
/// Bytes of a block's header.
pub(super) const HEADER: usize = 60;
/// Largest body of a block. What a live capture makes at worst has less than 20 MiB: a block closes at 64 Ki rows, 4 MiB of
/// strings or 16 Ki entries of a table. All limits together bound the memory that a hostile file can take.
pub(super) const MAX_BODY: usize = 24 << 20;
/// Largest front of a block.
pub(super) const MAX_FRONT: usize = 16 << 20;
/// Most bytes that the sections of one block unpack to.
pub(super) const MAX_RAW: usize = 24 << 20;

/// Stored as it is.
pub(super) const PLAIN: u8 = 0;
/// One LZ4 block.
pub(super) const LZ4: u8 = 1;

/// Random name of a file, the same in all its blocks.
pub(super) type FileId = [u8; 16];

/// The header of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Frame {
    pub version: u16,
    pub kind: u16,
    pub flags: u32,
    pub file: FileId,
    pub number: u64,
    pub body: u32,
    pub front: u32,
    pub rows: u32,
    pub front_crc: u32,
}

impl Frame {
    /// The header's bytes, sealed.
    pub fn to_bytes(self) -> [u8; HEADER] {
        let mut out = [0; HEADER];
        let mut put = Put { out: &mut out, at: 0 };
        put.bytes(&SYNC);
        put.bytes(&self.version.to_le_bytes());
        put.bytes(&self.kind.to_le_bytes());
        put.bytes(&self.flags.to_le_bytes());
        put.bytes(&self.file);
        put.bytes(&self.number.to_le_bytes());
        put.bytes(&self.body.to_le_bytes());
        put.bytes(&self.front.to_le_bytes());
        put.bytes(&self.rows.to_le_bytes());
        put.bytes(&self.front_crc.to_le_bytes());
        let crc = crc32fast::hash(&out[..HEADER - 4]);
        out[HEADER - 4..].copy_from_slice(&crc.to_le_bytes());
        out
    }

    /// The header in these bytes, if there is a whole one with the right checksum.
    pub fn parse(bytes: &[u8]) -> Option<Frame> {
        let bytes = bytes.get(..HEADER)?;
        let (sealed, crc) = bytes.split_at_checked(HEADER - 4)?;
        let mut rest = sealed.strip_prefix(&SYNC)?;
        if crc != crc32fast::hash(sealed).to_le_bytes() {
            return None;
        }
        let r = &mut rest;
        Some(Frame {
            version: u16::from_le_bytes(array(r)?),
            kind: u16::from_le_bytes(array(r)?),
            flags: u32::from_le_bytes(array(r)?),
            file: array(r)?,
            number: u64::from_le_bytes(array(r)?),
            body: u32::from_le_bytes(array(r)?),
            front: u32::from_le_bytes(array(r)?),
            rows: u32::from_le_bytes(array(r)?),
            front_crc: u32::from_le_bytes(array(r)?),
        })
    }

    /// Whether the lengths may be believed.
    pub fn check(&self) -> Result<(), Reason> {
        if self.body as usize > MAX_BODY || self.front as usize > MAX_FRONT {
            return Err(Reason::TooLarge("length of the body"));
        }
        if self.front > self.body {
            return Err(Reason::Invalid("length of the front"));
        }
        if self.rows as usize > super::MAX_ROWS {
            return Err(Reason::TooLarge("number of rows"));
        }
        Ok(())
    }
}

struct Put<'a> {
    out: &'a mut [u8],
    at: usize,
}

impl Put<'_> {
    fn bytes(&mut self, bytes: &[u8]) {
        if let Some(room) = self.out.get_mut(self.at..self.at + bytes.len()) {
            room.copy_from_slice(bytes);
        }
        self.at += bytes.len();
    }
}

/// Takes N bytes off the front.
pub(super) fn array<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (head, rest) = bytes.split_first_chunk::<N>()?;
    *bytes = rest;
    Some(*head)
}

/// CRC-32 (the one of zip and PNG).
pub(super) fn crc(bytes: &[u8]) -> u32 {
    crc32fast::hash(bytes)
}

/// Shorter sections are stored as they are: hardly any gets shorter.
const LEAST: usize = 24;
/// Sections from this length on are packed with the wide table, which finds a little more (0.3 % of a file). The narrow one
/// could take up to 64 KiB.
const WIDE: usize = 4096;

/// Packs, keeping its tables from one call to the next. Each call clears its table, which for most sections of a small
/// block takes longer than packing them: the narrow one is half as long.
pub(super) struct Packer {
    narrow: CompressTable,
    /// Made when it is needed.
    wide: Option<CompressTable>,
    /// Grows to the largest section: making room anew would mean filling it with zeros each time.
    room: Vec<u8>,
}

impl std::fmt::Debug for Packer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Packer")
    }
}

impl Packer {
    pub fn new() -> Packer {
        Packer { narrow: CompressTable::small(), wide: None, room: Vec::new() }
    }

    /// Appends `raw` to `out`, packed if that is smaller, and says how.
    pub fn pack(&mut self, raw: &[u8], out: &mut Vec<u8>) -> u8 {
        if raw.len() >= LEAST {
            let most = get_maximum_output_size(raw.len());
            if self.room.len() < most {
                self.room.resize(most, 0);
            }
            let table = match raw.len() {
                ..WIDE => &mut self.narrow,
                _ => self.wide.get_or_insert_with(CompressTable::large),
            };
            let packed = compress_into_with_table(raw, &mut self.room, table);
            if let Some(bytes) = packed.ok().filter(|n| *n < raw.len()).and_then(|n| self.room.get(..n)) {
                out.extend_from_slice(bytes);
                return LZ4;
            }
        }
        out.extend_from_slice(raw);
        PLAIN
    }
}

/// Unpacks into `out`, exactly `raw` bytes. The caller has capped `raw`.
pub(super) fn unpack(packing: u8, stored: &[u8], raw: usize, out: &mut Vec<u8>) -> Option<()> {
    match packing {
        PLAIN if stored.len() == raw => {
            out.clear();
            out.extend_from_slice(stored);
        }
        // LZ4 cannot make more than 255 bytes of one: a larger claim is a lie, and is not allocated.
        LZ4 if raw <= stored.len().saturating_mul(255).min(MAX_RAW) => {
            // What is there already is written over.
            out.resize(raw, 0);
            let n = lz4_flex::block::decompress_into(stored, out).ok()?;
            if n != raw {
                return None;
            }
        }
        _ => return None,
    }
    Some(())
}

/// The same behind what `out` holds.
pub(super) fn unpack_onto(packing: u8, stored: &[u8], raw: usize, out: &mut Vec<u8>) -> Option<()> {
    match packing {
        PLAIN if stored.len() == raw => out.extend_from_slice(stored),
        LZ4 if raw <= stored.len().saturating_mul(255).min(MAX_RAW) => {
            let from = out.len();
            out.resize(from + raw, 0);
            let n = lz4_flex::block::decompress_into(stored, out.get_mut(from..)?).ok()?;
            if n != raw {
                return None;
            }
        }
        _ => return None,
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn packed_bytes_come_back(raw in proptest::collection::vec(0u8..4, 0..3000)) {
            let mut out = vec![1, 2, 3];
            let packing = Packer::new().pack(&raw, &mut out);
            let mut back = Vec::new();
            prop_assert!(unpack(packing, &out[3..], raw.len(), &mut back).is_some());
            prop_assert_eq!(&back, &raw);
            prop_assert!(unpack(packing, &out[3..], raw.len() + 1, &mut back).is_none());
            let mut twice = raw.clone();
            prop_assert!(unpack_onto(packing, &out[3..], raw.len(), &mut twice).is_some());
            prop_assert_eq!(twice, [&raw[..], &raw[..]].concat());
            prop_assert!(unpack_onto(packing, &out[3..], raw.len() + 1, &mut back).is_none());
        }

        #[test]
        fn anything_may_be_unpacked(packing in 0u8..3, bytes in any::<Vec<u8>>(), raw in any::<usize>()) {
            let mut out = Vec::new();
            let _ = unpack(packing, &bytes, raw, &mut out);
            prop_assert!(out.capacity() <= bytes.len() * 255 + 64);
        }
    }
}
