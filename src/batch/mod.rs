//! The batch: the unit of the whole pipeline, live and on disk.
//!
//! Enters: columns and a dictionary, from the live [`Builder`] or from a stored block of a reel. Leaves: [`Batch`], a read
//! view made of slices, which is all that filter and output ever see. Never: a file, a ring, /proc.
//!
//! # What a row is
//! A row is one event: fixed-width columns, and three runs whose lengths the schema gives for the row's code
//! ([`crate::schema::Shape`]):
//! * `words`: one `u64` per argument, the raw register (or, for events that are not calls, a number);
//! * `items`: one [`Item`] per argument that has copied bytes: a string id, or why there is none;
//! * `refs`: one [`FileId`] per descriptor that the call names, in argument order, then the result's.
//!
//! A few rows have more: of calls that are given sets or arrays of descriptors, the file of each (`fdlist`). As most have
//! none, the rows are named (`fdlist_row`).
//!
//! `word_at`, `item_at` and `ref_at` hold the start of each row's run; they are derived, so a reel does not store them.
//!
//! # The dictionary
//! Processes, files, users, groups and containers that rows mention, and one arena of byte strings. Entries are immutable rows; a
//! change of the world is a new entry. Every id is an index into its table; [`NONE`] means "not known".

mod bitmap;
mod builder;
mod copy;
mod dict;
mod packed;
mod summary;
#[cfg(test)]
mod tests;

pub use bitmap::Bitmap;
pub use builder::{Builder, Row};
pub use copy::{AsIs, Copier, Edit, Role as TextRole};
pub use dict::{
    Container, Dict, File, FileKind, Group, L4, Proc, RUNTIMES, Role, Strings, User, container_flags,
    container_sources, file_flags, proc_flags,
};
pub use packed::{Cells, Negative, Packed, Slow};
pub use summary::{Pieces, Subject, Summary, fold, key, keys, piece_keys, summarise};

use crate::schema::Schema;

/// "Not known" for every kind of id.
pub const NONE: u32 = u32::MAX;

/// Index of a string in the arena.
pub type StrId = u32;
/// Index of a process entry.
pub type ProcId = u32;
/// Index of a file entry.
pub type FileId = u32;

/// "No latency known".
pub const NO_LATENCY: u64 = u64::MAX;

/// Copied bytes of one argument: bit 31 says that they were cut, the rest is a [`StrId`] or one of two special values.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[repr(transparent)]
pub struct Item(pub u32);

impl Item {
    /// There were no bytes: a NULL pointer, or a result that makes them meaningless.
    pub const ABSENT: Item = Item(0x7fff_ffff);
    /// The memory could not be read.
    pub const UNREADABLE: Item = Item(0x7fff_fffe);
    /// Largest string id.
    pub const MAX_ID: u32 = 0x7fff_fff0;
    const CUT: u32 = 1 << 31;

    /// Bytes that are there, whole or cut.
    pub fn new(id: StrId, cut: bool) -> Item {
        Item(id | if cut { Item::CUT } else { 0 })
    }

    /// The string, if there is one.
    pub fn id(self) -> Option<StrId> {
        let id = self.0 & !Item::CUT;
        (id < Item::MAX_ID).then_some(id)
    }

    /// True if more bytes existed than were copied.
    pub fn is_cut(self) -> bool {
        self.0 & Item::CUT != 0 && self.id().is_some()
    }
}

impl std::fmt::Debug for Item {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (*self, self.id()) {
            (Item::ABSENT, _) => f.write_str("absent"),
            (Item::UNREADABLE, _) => f.write_str("unreadable"),
            (_, Some(id)) if self.is_cut() => write!(f, "{id}+"),
            (_, id) => write!(f, "{id:?}"),
        }
    }
}

/// Bits of the `flags` column.
pub mod row_flags {
    /// The names in this row may be stale: something was lost or could not be ordered.
    pub const UNCERTAIN: u16 = 1;
    /// A 32-bit call.
    pub const COMPAT: u16 = 2;
    /// The call never returned (exit, or killed inside it), or has not yet.
    pub const UNFINISHED: u16 = 4;
    /// With it: the call had not returned when this row was made; its latency is how long it had lasted by then.
    pub const IN_FLIGHT: u16 = 8;
    /// With it: at least so long; nobody saw it begin.
    pub const AT_LEAST: u16 = 16;
    /// What a thread in a call can be, as `/proc/PID/stat` spells it: the number in bits 5 to 7 of the row. 0 is not known.
    pub const STATES: [u8; 8] = *b"-RSDTtXZ";

    const STATE: u32 = 5;

    /// The bits that say in which state a thread was.
    pub fn of_state(letter: u8) -> u16 {
        let place = STATES.iter().position(|s| *s == letter).unwrap_or(0);
        (place as u16) << STATE
    }

    /// The state of the thread of a row with these flags, if they have one.
    pub fn state(flags: u16) -> Option<&'static [u8]> {
        let place = usize::from(flags >> STATE & 7);
        STATES.get(place..=place).filter(|_| place > 0)
    }
}

/// What a block knows about where it stands; with it wall times survive skipping.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Meta {
    /// Time of the capture's start (boot clock, ns).
    pub start_time: u64,
    /// A moment on the boot clock, ns …
    pub boot: u64,
    /// … and the same moment on the wall clock, ns since 1970.
    pub wall: u64,
    /// Which host this block comes from, if its rows do not say: index into the reel's host list; 0 for a single capture.
    pub host: u16,
}

impl Meta {
    /// Wall-clock nanoseconds since 1970 of a boot-clock time.
    pub fn wall_of(&self, boot: u64) -> u64 {
        self.wall.wrapping_add(boot.wrapping_sub(self.boot))
    }
}

/// A set of columns, for reading only those that are needed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Columns(pub u32);

impl Columns {
    #![allow(missing_docs, reason = "each is the field of Batch with the same name")]
    pub const TIME: Columns = Columns(1);
    pub const LATENCY: Columns = Columns(2);
    pub const CALL: Columns = Columns(4);
    pub const CPU: Columns = Columns(8);
    pub const TID: Columns = Columns(16);
    pub const PROC: Columns = Columns(32);
    pub const RET: Columns = Columns(64);
    pub const FLAGS: Columns = Columns(128);
    /// `num`.
    pub const NUM: Columns = Columns(256);
    /// `words` and `word_at` (needs CALL).
    pub const WORDS: Columns = Columns(512);
    /// `items` and `item_at` (needs CALL).
    pub const ITEMS: Columns = Columns(1024);
    /// `refs` and `ref_at` (needs CALL).
    pub const REFS: Columns = Columns(2048);
    /// `delta`.
    pub const DELTA: Columns = Columns(4096);
    pub const NOTHING: Columns = Columns(0);
    /// `host`.
    pub const HOST: Columns = Columns(8192);
    /// `fdlist` and `fdlist_row`.
    pub const FDLIST: Columns = Columns(16384);
    pub const ALL: Columns = Columns(32767);

    /// Both.
    pub const fn and(self, other: Columns) -> Columns {
        Columns(self.0 | other.0)
    }

    /// Those that are not in `other`.
    pub const fn without(self, other: Columns) -> Columns {
        Columns(self.0 & !other.0)
    }

    /// True if all of `other` are in the set.
    pub const fn has(self, other: Columns) -> bool {
        self.0 & other.0 == other.0
    }
}

/// How much of a dictionary is needed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub enum Tables {
    /// Nothing.
    #[default]
    Nothing,
    /// Processes, users, groups and containers, with their strings.
    Procs,
    /// Files too.
    Files,
    /// The strings of rows too.
    All,
}

/// A read view of a batch: slices of columns and the dictionary. Columns that were not asked for are empty slices; an
/// accessor then gives a neutral value, never a panic.
#[derive(Clone, Copy, Debug)]
pub struct Batch<'a> {
    /// What codes mean.
    pub schema: &'a Schema,
    /// Where the block stands.
    pub meta: Meta,
    /// How many rows.
    pub rows: usize,
    /// Event number (`evt.num`), counted from 1 over everything that was produced and not filtered in the kernel.
    pub num: &'a [u64],
    /// Time of the call's exit, boot clock, ns; never decreasing.
    pub time: &'a [u64],
    /// Time since the event before, ns, whether that one was kept or not; 0 for the first of a capture.
    pub delta: &'a [u64],
    /// Time from entry to exit, ns; [`NO_LATENCY`] if not known.
    pub latency: &'a [u64],
    /// Code of the call or event.
    pub call: &'a [u16],
    /// CPU where it ended.
    pub cpu: &'a [u16],
    /// Thread id, in the initial pid namespace.
    pub tid: &'a [u32],
    /// The process.
    pub proc: &'a [ProcId],
    /// The result; errors are negative error numbers.
    pub ret: &'a [i64],
    /// See [`row_flags`].
    pub flags: &'a [u16],
    /// The host of each row, index into the schema's hosts; empty if all rows are of [`Meta::host`].
    pub host: &'a [u16],
    /// Start of each row's words; one more than rows.
    pub word_at: &'a [u32],
    /// Raw words.
    pub words: &'a [u64],
    /// Start of each row's items; one more than rows.
    pub item_at: &'a [u32],
    /// Items.
    pub items: &'a [Item],
    /// Start of each row's references; one more than rows.
    pub ref_at: &'a [u32],
    /// References.
    pub refs: &'a [FileId],
    /// Rows whose sets and arrays name descriptors, ascending, each as often as it names one …
    pub fdlist_row: &'a [u32],
    /// … and the files of these, in ascending order of the descriptors ([`crate::schema::fdlist`]).
    pub fdlist: &'a [FileId],
    /// The dictionary.
    pub dict: Dict<'a>,
    /// Columns of a stored block in narrow form.
    pub packed: Packed<'a>,
}

fn run<'a, T>(at: &[u32], data: &'a [T], row: usize) -> &'a [T] {
    match (at.get(row), at.get(row + 1)) {
        (Some(&from), Some(&to)) => data.get(from as usize..to as usize).unwrap_or(&[]),
        _ => &[],
    }
}

impl<'a> Batch<'a> {
    /// The words of a row.
    pub fn words_of(&self, row: usize) -> &'a [u64] {
        run(self.word_at, self.words, row)
    }

    /// The items of a row.
    pub fn items_of(&self, row: usize) -> &'a [Item] {
        run(self.item_at, self.items, row)
    }

    /// The references of a row.
    pub fn refs_of(&self, row: usize) -> &'a [FileId] {
        run(self.ref_at, self.refs, row)
    }

    /// The files of a row's sets and arrays of descriptors.
    pub fn fdlist_of(&self, row: usize) -> &'a [FileId] {
        let from = self.fdlist_row.partition_point(|r| (*r as usize) < row);
        let rest = self.fdlist_row.get(from..).unwrap_or_default();
        let len = rest.iter().take_while(|r| **r as usize == row).count();
        self.fdlist.get(from..from + len).unwrap_or_default()
    }

    /// The shape of a row.
    pub fn shape_of(&self, row: usize) -> &'a crate::schema::Shape {
        self.schema.shape(self.call.get(row).copied().unwrap_or(u16::MAX))
    }

    /// The process of a row.
    pub fn proc_of(&self, row: usize) -> Option<&'a Proc> {
        self.proc.get(row).and_then(|id| self.dict.proc(*id))
    }

    /// True if what the container of a row's process is called became known only later.
    pub fn is_late(&self, row: usize) -> bool {
        let container = self.proc_of(row).and_then(|p| self.dict.container(p.container));
        container.is_some_and(|c| c.sources & container_sources::LATE != 0)
    }

    /// The result of a row (0 if the column is not loaded).
    pub fn ret_of(&self, row: usize) -> i64 {
        self.ret.get(row).copied().unwrap_or(0)
    }

    /// The host of a row.
    pub fn host_of(&self, row: usize) -> u16 {
        self.host.get(row).copied().unwrap_or(self.meta.host)
    }

    /// The flags of a row.
    pub fn flags_of(&self, row: usize) -> u16 {
        self.flags.get(row).copied().unwrap_or(0)
    }

    /// The file that the row is about: the result's if the call makes a descriptor and succeeded, else the first named.
    pub fn file_of(&self, row: usize) -> Option<&'a File> {
        self.file_id_of(row).and_then(|id| self.dict.file(id))
    }

    /// Index of [`Batch::file_of`].
    pub fn file_id_of(&self, row: usize) -> Option<FileId> {
        let refs = self.refs_of(row);
        let shape = self.shape_of(row);
        let by_result =
            shape.ret_ref().filter(|_| self.ret_of(row) >= 0).and_then(|i| refs.get(usize::from(i)));
        by_result.or(refs.first()).copied().filter(|id| *id != NONE)
    }

    /// The bytes of an item.
    pub fn bytes(&self, item: Item) -> Option<&'a [u8]> {
        item.id().map(|id| self.dict.strings.get(id))
    }
}
