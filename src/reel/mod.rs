//! The reel: the capture file. Writing, reading, and one stored block.
//!
//! Enters: batches, or bytes that nobody trusts. Leaves: bytes, or [`Stored`] blocks that give batches, and a [`Damage`]
//! for each place that is not whole. Never: a file name, a seek, a panic on any input. Only here lz4 and CRC-32 are known.
//!
//! # The format, version 0
//! All numbers are little endian. `LEB128` is an unsigned number, seven bits a byte, low bits first, bit 7 set if more
//! follow, at most 64 bits. `zigzag(d)` is `2d` for `d >= 0`, else `-2d - 1`. CRC-32 is that of zip and PNG. LZ4 is the
//! block format, without a frame. Ids are indexes; 0xffff_ffff is "not known".
//!
//! A file is a sequence of blocks without gaps. A block is a header of 60 bytes and a body:
//!
//! | at | size | what |
//! |---:|---:|---|
//! | 0 | 8 | sync marker: 89 52 45 45 4c 0d 0a 1a (`\x89REEL\r\n\x1a`) |
//! | 8 | 2 | version of the format: 0. This header looks the same in every version. |
//! | 10 | 2 | kind: 1 header, 2 events, 3 reserved (losses), 4 end. Others are passed over. |
//! | 12 | 4 | flags: 0; a reader ignores them |
//! | 16 | 16 | id of the file: random, the same in all its blocks |
//! | 32 | 8 | number of the block: 0, 1, 2 … without gaps; a gap means that blocks were lost |
//! | 40 | 4 | length of the body (at most 64 MiB) |
//! | 44 | 4 | length of the body's front (at most 16 MiB, and the body) |
//! | 48 | 4 | rows (at most 2^20; 0 if the kind is not 2) |
//! | 52 | 4 | CRC-32 of the front |
//! | 56 | 4 | CRC-32 of bytes 0 to 55 |
//!
//! Blocks 0 and 1 are the same header twice, as nothing can be read without it. Then come event blocks; the end block, if
//! there is one, is last and says that the file is complete. After damage a reader looks for the next sync marker with
//! the file's id, a header whose CRC-32 is right, and a number not below the one expected.
//!
//! A reader checks what it reads: of a block that it passes over, by the index or after its front, the sections' checksums
//! are not looked at, and damage there is not reported. [`Stored::verify`] looks at all of them.
//!
//! ## Header and end
//! The whole body is front: {packing u8: 0 plain, 1 LZ4; length unpacked u32 (at most 16 MiB)}, then the packed
//! records. A record is {tag u16, length u32, bytes}; unknown tags are skipped. *Text* is {LEB128 length, UTF-8}, a *list*
//! is {LEB128 count, texts}.
//!
//! Header: 1 host name, 2 kernel release, 3 version of sysreel, 4 architecture (`x86_64`, `aarch64`), each as plain bytes;
//! 5: LEB128 of boot clock and wall clock (ns) at the start, CPUs, snaplen; 6 hooks (list); 7 filter (bytes); 8 command
//! line (list); 9 schema: for each code that has a name, ascending: LEB128 code, LEB128 1 if described, text name, LEB128
//! class bits, text kind of result, LEB128 references of a row, LEB128 arguments (at most 16), and for each argument text
//! name, text kind, u8 (bit 0: has an item; bit 1: written by the kernel; bits 2 to 4: references). Codes that are not
//! listed have six words, no items, no references. The spelling of kinds is that of [`crate::schema::Kind::to_text`].
//! A row of a code has one word for each argument, one item for each argument that has one, and the arguments'
//! references in order, then one for the result if its kind is `fd`. 10 hosts (list; if there is none, the host name is the
//! only one): a reel merged of several captures has the names of all here, the first also as its host name. If they did
//! not share one boot clock, all its times, those of its processes too, are those of the wall clock: its blocks' pairs of
//! clocks are equal then.
//!
//! End: 32: LEB128 of produced, written, filtered, lost, state-only records, times of first and last event; 33 index:
//! LEB128 count, then five columns {encoding u8, LEB128 length, bytes}: offset in the file, rows, earliest time, latest time,
//! first number of each event block. The index may be cut at 2^18 blocks. For each of its blocks, and all of them may be
//! missing: 34 codes: LEB128 count, the codes of the whole file ascending (LEB128 each), then for each block a bit for each
//! of them, lowest first, filled up to a byte; 35 clocks: two columns: wall minus boot clock (mod 2^64), time of the
//! capture's start; 36 summaries: a column of lengths, then the bytes, joined; 37 pieces: the same. After the packed
//! records the body ends with 16 bytes by which the end is found from the end of a file: {0a 45 4e 44, length of the whole
//! block u32, its offset in the file u64}. A reader that finds this block somewhere else does not use the index. 38 notes
//! (list): what is to be known of the file's making, as damage that a repair passed over.
//!
//! A *summary* is a Bloom filter of 2^n bytes: a key sets the bits `(low + i * (high | 1)) mod bits`, where `low` and
//! `high` are its halves of 32 bits, for i = 0 to 3 (of pieces 0 and 1); bit k is bit k mod 8 of byte k / 8. The key of a
//! string, pid, address, port or error is made as [`crate::batch::key`] says: strings are those that the tables refer to,
//! errors those of the rows. The key of a *piece* (three bytes that follow each other in such a string, as a number, the
//! first highest) is `h ^ h >> 29` with `h = (piece + 1) * 9e3779b97f4a7c15` (hex, mod 2^64).
//!
//! ## Events
//! The front, for skipping without unpacking:
//!
//! | size | what |
//! |---:|---|
//! | 4 × 4 | rows, words, items, references (the last three at most 2^22) |
//! | 7 × 8 | number of the first event, time of the event before the block, time of the capture's start, a moment on the boot clock, the same on the wall clock, earliest time, latest time (ns) |
//! | 6 × 4 | processes, files, users, groups (each at most 2^18), strings (2^20), bytes of strings |
//! | 3 × 2 | host, count of codes, count of sections (at most 256) |
//! | 2 each | codes that occur, ascending, below 3072 |
//! | 16 each | sections: {id u16, encoding u8, packing u8 (0 plain, 1 LZ4), length unpacked u32, length stored u32, CRC-32 of the stored bytes u32} |
//! | 4 × 4 | strings of the first part and their bytes, the same of the second (not there: all strings are in the first) |
//!
//! The sections' stored bytes follow in the same order and fill the body. Unpacked they have at most 64 MiB together.
//! Unknown ids are skipped; all of these must be there, but for 28, which is left out if it
//! is all zeros, and 29, which is left out if all rows are of the front's host:
//!
//! | id | contents |
//! |---:|---|
//! | 1–4 | processes, files, users, groups: columns {encoding u8, length u32, bytes}, one number for each entry |
//! | 5, 6 | first part of the strings: all that processes, users and groups refer to: lengths, by the section's encoding; bytes, joined |
//! | 7, 8 | second part: those that files refer to besides |
//! | 9, 10 | the rest, which rows alone refer to. What has only a first part lacks 7 to 10. |
//! | 16 | for each row the place of its code in the front's list |
//! | 17 | process + 1 (mod 2^32) |
//! | 18 | CPU, minus that of the row before in the same lane (first: 0), mod 2^16 |
//! | 19 | thread id minus pid of the row's process (0 if there is none), mod 2^32, signed |
//! | 20 | result, signed |
//! | 21 | flags |
//! | 22 | time (ns, boot clock) |
//! | 23 | number |
//! | 24 | latency + 1 (mod 2^64); 0 is "not known" |
//! | 25 | words |
//! | 26 | items |
//! | 27 | references |
//! | 28 | time between the row and the one before it (first: the event before the block), minus that between its event and the event before that, whether kept or not, mod 2^64 |
//! | 29 | host: place in the header's list of hosts |
//!
//! A row's *lane* is its process's index (0xffff_ffff if not known) mod 64.
//!
//! Words and items are stored slot by slot: by code ascending, then by slot (place in the row's run), then by row. A word
//! is LEB128 of zigzag of its difference (mod 2^64) to the word before in the same code, slot and lane (first: 0). An item
//! is LEB128: 0 absent, 1 unreadable, else `2 + 2 * zigzag(next - id) + cut`, where `next` is one more than the largest id
//! so far in that code and slot (first: 0) and `cut` is 1 if more bytes existed. References are stored in order of rows as
//! LEB128: 0 not known; 1 to 4 the file that stands there in the lane's list of the four used last, latest first; 5 the
//! file `next`; else `6 + zigzag(next - id)`, where `next` is one more than the largest id so far in the block. Every
//! known file then moves to, or enters, the front of its lane's list (a list begins with four that are not known).
//!
//! Columns of a process: pid, ppid, parent+, start, uid+, gid+, ruid+, rgid+, loginuid+, user+, group+, sid, pgid, tty,
//! vpid, comm+, exepath+, args+, cwd+, cgroup+, flags, login user+, session leader+, group leader+, files of descriptors 0,
//! 1 and 2 (each +), threads, inode, ctime and mtime of the executable, capabilities (permitted, inheritable, effective),
//! environment+. Of a file: kind, role, transport, name+, given+, dev, ino, local
//! port, remote port, local address (bytes 0–7, then 8–15, each as a number), remote address (the same), flags. Of a user:
//! uid+, name+, home+, shell+. Of a group: gid+, name+. `+` is stored plus one, mod 2^32. Meanings and numbers:
//! [`crate::batch::Proc`], [`crate::batch::File`]. Parents and leaders stand before their children. Later versions append columns. A column that is not there, or has
//! encoding 0 and no bytes, leaves every entry at the default: "not known" where there is a `+`, else 0.
//!
//! ## Encodings of a column of numbers
//!
//! | number (hex) | encoding |
//! |---|---|
//! | 01, 02, 04, 08 | fixed width in bytes |
//! | 11, 12, 14, 18 | fixed width, sign-extended |
//! | 20 | LEB128 |
//! | 21 | LEB128 of zigzag of the difference to the number before (first: 0), mod 2^64 |
//! | 22 | LEB128 of the difference to the number before (first: 0), never decreasing |
//! | 30 | LEB128 first number, LEB128 step, mod 2^64: all numbers |
//! | 41, 42, 44 | LEB128 count of exceptions; fixed width, sign-extended, the smallest number standing for an exception; the exceptions as in 21 |
//! | 50 | groups of 128 numbers (the last may have fewer): width u8 (at most 56), exceptions u8, the low `width` bits of each, least significant first, filled up to a byte; for each exception its place u8 and LEB128 of the bits above |
//! | 51 | as 50, of the difference to the number before (first: 0), never decreasing |
//!
//! Whoever changes any of this counts up [`VERSION`], except by a new kind of block, tag, section, or last column of a table.

mod body;
mod damage;
mod encode;
mod frame;
mod front;
mod header;
mod index;
mod input;
mod ints;
mod narrow;
mod reader;
#[cfg(test)]
mod samples;
mod slots;
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

    const NAMES: &[(u16, &str)] = &[
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
    ];

    pub fn name(id: u16) -> &'static str {
        NAMES.iter().find(|(i, _)| *i == id).map_or("column", |(_, n)| n)
    }

    pub fn is_known(id: u16) -> bool {
        NAMES.iter().any(|(i, _)| *i == id)
    }
}
