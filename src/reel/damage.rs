//! What is wrong with a reel, said so that somebody can act on it.
//!
//! Enters: a place and a reason. Leaves: one line of text. Never: bytes of the file.

use std::fmt;

/// Why a part of a reel could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// The input has no bytes.
    Empty,
    /// No block of a reel was found.
    NotAReel,
    /// A later version of the format wrote it.
    Version(u16),
    /// The input ends inside a block.
    Cut,
    /// No block where one should begin, or its header's checksum is wrong.
    Header,
    /// The checksum of a block's front is wrong.
    Front,
    /// A length or count is larger than any real one.
    TooLarge(&'static str),
    /// Checksums are right but the contents make no sense.
    Invalid(&'static str),
    /// A column's checksum is wrong, or it cannot be unpacked.
    Section(u16),
    /// Block numbers jump: blocks were removed.
    Missing,
    /// Blocks of another reel.
    Foreign,
    /// More data after the end block.
    AfterEnd,
    /// Reading failed.
    Io(std::io::ErrorKind, String),
}

/// One damaged place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// Where it begins: bytes from the start of the input.
    pub offset: u64,
    /// Number of the block that is, or should have been, there.
    pub block: u64,
    /// What is wrong.
    pub reason: Reason,
    /// Bytes that were passed over.
    pub skipped: u64,
    /// Blocks that are known to be lost by it.
    pub missing: u64,
}

impl Damage {
    pub(super) fn new(offset: u64, block: u64, reason: Reason) -> Damage {
        Damage { offset, block, reason, skipped: 0, missing: 0 }
    }

    /// True if nothing at all can be read: not a reel, or a version that this one does not know.
    pub fn is_fatal(&self) -> bool {
        matches!(self.reason, Reason::Empty | Reason::NotAReel | Reason::Version(_) | Reason::Io(..))
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (offset, block) = (self.offset, self.block);
        match &self.reason {
            Reason::Empty => return f.write_str("the input is empty"),
            Reason::NotAReel => return f.write_str("this is not a reel (a capture of sysreel)"),
            Reason::Version(v) => {
                return write!(
                    f,
                    "this reel has format version {v}; this sysreel reads version {}",
                    super::VERSION
                );
            }
            Reason::Io(_, why) => return write!(f, "cannot read at byte {offset}: {why}"),
            Reason::Cut => write!(f, "cut off in block {block} at byte {offset}")?,
            Reason::Header => write!(f, "no valid block at byte {offset}, where block {block} should begin")?,
            Reason::Front => write!(f, "wrong checksum in block {block} at byte {offset}")?,
            Reason::TooLarge(what) => write!(f, "{what} too large in block {block} at byte {offset}")?,
            Reason::Invalid(what) => write!(f, "invalid {what} in block {block} at byte {offset}")?,
            Reason::Section(id) => write!(f, "column {id} is damaged in block {block} at byte {offset}")?,
            Reason::Missing => write!(f, "block {block} is missing at byte {offset}")?,
            Reason::Foreign => write!(f, "blocks of another reel at byte {offset}")?,
            Reason::AfterEnd => write!(f, "data after the end of the reel at byte {offset}")?,
        }
        if self.missing > 0 {
            write!(f, "; blocks lost: {}", self.missing)?;
        }
        if self.skipped > 0 {
            write!(f, "; bytes skipped: {}", self.skipped)?;
        }
        Ok(())
    }
}

impl std::error::Error for Damage {}
