//! The reel: the capture file. Writing, reading, and one stored block.
//!
//! Enters: batches, or bytes that nobody trusts. Leaves: bytes, or [`Stored`] blocks that give batches, and a [`Damage`]
//! for each place that is not whole. Never: a file name, a seek, a panic on any input. Only here lz4 and CRC-32 are known.
//!
//! The format is specified below. The same text is the manual page sysreel-reel(5), from which alone `tests/reel_reader.py`
//! reads reels. Whoever changes the format changes it there, and counts up [`VERSION`] from 1.0.0 on, except by what it
//! allows a later version to add.
//!
#![doc = include_str!("format.md")]

mod body;
mod damage;
mod encode;
mod fdlist;
mod frame;
mod front;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
mod gathered;
mod header;
mod index;
mod input;
mod ints;
mod known;
mod listed;
mod narrow;
mod reader;
mod records;
#[cfg(test)]
mod samples;
mod slots;
#[cfg(test)]
mod specified;
mod stored;
mod tables;
#[cfg(test)]
mod tests;
mod varint;
mod writer;

pub use damage::{Damage, Reason};
use front::MAX_ROWS;
pub use header::{Header, IndexEntry, Totals};
pub use index::Index;
pub use known::{LateNames, Later};
pub use reader::{Block, Reader};
pub use stored::Stored;
pub use writer::Writer;

/// The version of the format that is written, and the only one that is read.
pub const VERSION: u16 = 0;

/// Kinds of blocks.
mod kind {
    pub const HEADER: u16 = 1;
    pub const EVENTS: u16 = 2;
    pub const END: u16 = 4;
    pub const SNAPSHOT: u16 = 5;
    pub const CONTAINERS: u16 = 6;
}

/// Columns of an event block.
mod id {
    pub const PROCS: u16 = 1;
    pub const FILES: u16 = 2;
    pub const USERS: u16 = 3;
    pub const GROUPS: u16 = 4;
    pub const LENGTHS: u16 = 5;
    pub const BYTES: u16 = 6;
    pub const FILE_LENGTHS: u16 = 7;
    pub const FILE_BYTES: u16 = 8;
    pub const ROW_LENGTHS: u16 = 9;
    pub const ROW_BYTES: u16 = 10;
    pub const CALL: u16 = 16;
    pub const PROC: u16 = 17;
    pub const CPU: u16 = 18;
    pub const TID: u16 = 19;
    pub const RET: u16 = 20;
    pub const FLAGS: u16 = 21;
    pub const TIME: u16 = 22;
    pub const NUM: u16 = 23;
    pub const LATENCY: u16 = 24;
    pub const WORDS: u16 = 25;
    pub const ITEMS: u16 = 26;
    pub const REFS: u16 = 27;
    pub const DELTA: u16 = 28;
    pub const HOST: u16 = 29;
    pub const NEGATIVE: u16 = 30;
    pub const SLOW: u16 = 31;
    pub const FDLIST: u16 = 32;
    pub const CONTAINERS: u16 = 33;
    pub const RECORDS: u16 = 34;

    pub(super) const NAMES: &[(u16, &str)] = &[
        (PROCS, "processes"),
        (FILES, "files"),
        (USERS, "users"),
        (GROUPS, "groups"),
        (LENGTHS, "lengths of strings"),
        (BYTES, "strings"),
        (FILE_LENGTHS, "lengths of strings of files"),
        (FILE_BYTES, "strings of files"),
        (ROW_LENGTHS, "lengths of strings of rows"),
        (ROW_BYTES, "strings of rows"),
        (CALL, "codes"),
        (PROC, "processes of rows"),
        (CPU, "CPUs"),
        (TID, "thread ids"),
        (RET, "results"),
        (FLAGS, "flags"),
        (TIME, "times"),
        (NUM, "event numbers"),
        (LATENCY, "latencies"),
        (WORDS, "words"),
        (ITEMS, "items"),
        (REFS, "references"),
        (DELTA, "times not kept"),
        (HOST, "hosts"),
        (NEGATIVE, "list of failures"),
        (SLOW, "list of long latencies"),
        (FDLIST, "files of sets and arrays"),
        (CONTAINERS, "containers"),
        (RECORDS, "structures of rows"),
    ];

    pub fn name(id: u16) -> &'static str {
        NAMES.iter().find(|(i, _)| *i == id).map_or("column", |(_, n)| n)
    }

    pub fn is_known(id: u16) -> bool {
        NAMES.iter().any(|(i, _)| *i == id)
    }
}
