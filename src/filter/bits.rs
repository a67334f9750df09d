//! Arguments of calls: their names, and the names of their values.
//!
//! Enters: a schema; for a test of flags, a row. Leaves: which calls have an argument, what its values are called, whether
//! flags are set. Never: the text of an argument: a flag that is part of another (`O_DSYNC` of `O_SYNC`) is set all the same.

use super::value::plain;
use crate::batch::Batch;
use crate::fields::Key;
use crate::fields::args::{self, Arg};
use crate::schema::names::{self, Names};
use crate::schema::{ArgShape, Kind, Schema, Shape, Struct};

/// The argument of a call that a key means.
pub fn argument<'s>(shape: &'s Shape, key: &Key) -> Option<&'s ArgShape> {
    match key {
        Key::Index(i) => shape.args.get(*i),
        Key::Name(name) => shape.arg(name).map(|(_, a)| a),
        Key::None => None,
    }
}

/// The table of an argument's flags.
fn flags_of(kind: Kind, schema: &Schema) -> Option<&'static Names> {
    match kind {
        Kind::Flags(table) => Some(table),
        Kind::Struct(Struct::OpenHow) => names::by_name("open").map(|t| t.on(schema.arch)),
        _ => None,
    }
}

/// What the calls of a schema say of one argument.
#[derive(Default)]
pub struct Known {
    /// Tables of flags.
    pub flags: Vec<&'static Names>,
    /// Tables of names: flags, enumerations, signals.
    pub tables: Vec<&'static Names>,
    /// Every value is a number, a name, or several joined by `|`.
    pub is_closed: bool,
    /// Every value is a descriptor.
    pub is_fd: bool,
    /// Some call has it.
    pub exists: bool,
}

impl Known {
    /// Asks every described call.
    pub fn of(schema: &Schema, key: &Key) -> Known {
        let mut known = Known { is_closed: true, is_fd: true, ..Known::default() };
        for shape in schema.shapes() {
            let Some(arg) = argument(shape, key) else { continue };
            if !shape.described {
                // Six raw words: they have names, and nothing is known of them.
                known.exists = true;
                continue;
            }
            known.exists = true;
            known.is_fd &= matches!(arg.kind, Kind::Fd | Kind::DirFd);
            if let Some(table) = flags_of(arg.kind, schema).filter(|t| !known.flags.contains(t)) {
                known.flags.push(table);
            }
            let table = match arg.kind {
                Kind::Flags(table) | Kind::Enum(table) => table,
                Kind::Signal => &names::SIGNAL,
                _ => {
                    known.is_closed = false;
                    continue;
                }
            };
            if !known.tables.contains(&table) {
                known.tables.push(table);
            }
        }
        known.is_closed &= !known.tables.is_empty();
        known
    }

    /// Every name that a value can have.
    pub fn names(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.tables.iter().flat_map(|t| t.rows.iter().map(|(_, n)| *n))
    }

    /// A value as it is printed: of two names for one, the one that is.
    pub fn printed(&self, name: &str) -> Option<&'static str> {
        self.tables.iter().find_map(|t| t.value_of(name).and_then(|v| t.name_of(v)))
    }

    /// The number that a name stands for, if all tables agree.
    pub fn number(&self, name: &str) -> Option<u64> {
        let mut all = self.tables.iter().filter_map(|t| t.value_of(name));
        // Rows with a context in their upper half are no values.
        let first = all.next().filter(|n| *n <= u64::from(u32::MAX))?;
        all.all(|n| n == first).then_some(first)
    }
}

/// The names of the arguments that calls have.
pub fn argument_names(schema: &Schema) -> Vec<&str> {
    let mut all: Vec<&str> = schema.shapes().flat_map(|s| s.args.iter().map(|a| &*a.name)).collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// Flags that must all be set, for each table that knows them.
#[derive(Clone, Debug)]
pub struct Bits {
    /// Table, bits to look at, what they must be.
    tables: Vec<(&'static Names, u64, u64)>,
    /// The same for plain numbers, whatever the table.
    number: u64,
}

impl Bits {
    /// Reads `O_CREAT`, `O_CREAT|O_EXCL`, `0x40`. The error is the part that no table knows.
    pub fn new<'t>(text: &'t str, known: &Known) -> Result<Bits, &'t str> {
        let (mut number, mut words) = (0, Vec::new());
        for part in text.split('|') {
            match plain(part).and_then(|n| u64::try_from(n).ok()) {
                Some(n) => number |= n,
                None if known.flags.iter().any(|t| t.value_of(part).is_some()) => words.push(part),
                None => return Err(part),
            }
        }
        let table = |table: &&'static Names| {
            let (mut mask, mut want) = (0, 0);
            for word in &words {
                let value = table.value_of(word)?;
                let look = match value {
                    // One of several values of a part of the word (O_RDONLY), or a word without any bit.
                    v if v & !table.mask == 0 && table.mask != 0 => table.mask,
                    0 => u64::MAX,
                    v => v,
                };
                mask |= look;
                want |= value;
            }
            Some((*table, mask, want))
        };
        Ok(Bits { tables: known.flags.iter().filter_map(table).collect(), number })
    }

    /// True if a word of this table has them.
    pub fn are_in(&self, word: u64, table: &Names) -> bool {
        word & self.number == self.number
            && self.tables.iter().any(|(t, mask, want)| *t == table && word & mask == *want)
    }

    /// True if words of this kind can have them.
    pub fn fit(&self, kind: Kind, schema: &Schema) -> bool {
        flags_of(kind, schema).is_some_and(|table| self.tables.iter().any(|(t, ..)| *t == table))
    }
}

/// The flags of a row's argument; nothing if it has no such argument, or none of flags.
pub fn flags(batch: &Batch<'_>, row: usize, key: &Key) -> Option<(u64, &'static Names)> {
    match args::arg(batch, row, args::nth(batch, row, key)?)? {
        Arg::Flags(word, table) => Some((word, table)),
        Arg::Struct(Struct::OpenHow, how) => {
            let word = u64::from_le_bytes(how.bytes.get(..8)?.try_into().ok()?);
            Some((word, flags_of(Kind::Struct(Struct::OpenHow), batch.schema)?))
        }
        _ => None,
    }
}
