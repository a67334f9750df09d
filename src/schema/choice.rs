//! Arguments whose meaning depends on another argument: `fcntl`'s third, `ioctl`'s third, the values of socket options.
//!
//! Enters: nothing. Leaves: [`Choice`]: on which argument it depends, what the probe copies, and what each of its values
//! means. Never: bytes, rendering. The tables themselves are in [`super::choices`].
//!
//! The probe knows nothing of this: it copies the same number of bytes for every value, as if the argument were a pointer,
//! and what is not one shows as unreadable there and is looked at as a number here.

use super::kind::Len;
use super::layout::Is;
use super::names::Names;

/// What one value of the deciding argument means.
#[derive(Clone, Copy, Debug)]
pub enum What {
    /// The call does not look at the argument.
    Idle,
    /// The register itself is this.
    Word(Is),
    /// It points to this, which the kernel reads.
    In(Is),
    /// It points to this, which the kernel writes.
    Out(Is),
}

/// What decides.
#[derive(Clone, Copy, Debug)]
pub struct On {
    /// The deciding argument.
    pub arg: u8,
    /// Its bits that decide.
    pub mask: u64,
    /// How far they are shifted down first.
    pub shift: u8,
    /// The argument before it says what it means (the level of a socket option).
    pub under: bool,
}

/// The whole of argument N.
pub const fn on(arg: u8) -> On {
    On { arg, mask: 0xffff_ffff, shift: 0, under: false }
}

/// What the probe copies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Copied {
    /// Nothing: every value means a number.
    Nothing,
    /// So many bytes.
    Bytes(u16),
    /// A string of at most so many bytes.
    Text(u16),
    /// As many as a length says, but at most so many.
    Counted(Len, u16),
}

/// An argument (or a result) that depends on another argument.
#[derive(Debug)]
pub struct Choice {
    /// Its name in a reel's schema block: append-only.
    pub name: &'static str,
    /// What decides.
    pub on: On,
    /// Names of what decides.
    pub table: &'static Names,
    /// What the probe copies.
    pub copied: Copied,
    /// What each value means.
    pub rows: &'static [(u64, What)],
    /// What every other value means.
    pub other: What,
}

impl PartialEq for Choice {
    fn eq(&self, other: &Choice) -> bool {
        self.name == other.name
    }
}
impl Eq for Choice {}

impl Choice {
    /// The key that a call's words decide by.
    pub fn key(&self, words: &[u64]) -> Option<u64> {
        let word = *words.get(usize::from(self.on.arg))?;
        let key = (word & self.on.mask) >> self.on.shift;
        if !self.on.under {
            return Some(key);
        }
        let level = words.get(usize::from(self.on.arg.checked_sub(1)?)).copied()?;
        Some((u64::from(level as u32) + 1) << 32 | u64::from(key as u32))
    }

    /// What these words of a call make of the argument.
    pub fn what(&'static self, words: &[u64]) -> &'static What {
        // What a command does not look at is idle. Of a command that nobody knows, nobody knows that.
        static RAW: What = What::Word(Is::X(8));
        let key = self.key(words);
        if let Some((_, what)) = key.and_then(|key| self.rows.iter().find(|(v, _)| *v == key)) {
            return what;
        }
        let known = self.on.under || key.is_some_and(|key| self.table.name_of(key).is_some());
        if matches!(self.other, What::Idle) && !known { &RAW } else { &self.other }
    }
}

/// The value of a name, at compile time: a name that is not in the table does not compile.
pub const fn value(table: &Names, name: &str) -> u64 {
    let mut i = 0;
    while i < table.rows.len() {
        if same(table.rows[i].1.as_bytes(), name.as_bytes()) {
            return table.rows[i].0;
        }
        i += 1;
    }
    panic!("no such name in the table")
}

const fn same(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    let mut i = 0;
    while i < a.len() {
        if a[i] != b[i] {
            return false;
        }
        i += 1;
    }
    true
}

/// Choices read `NAME "spelling" by table on (argument) copying (what) { NAME NAME => What, … } else What;`.
macro_rules! choices {
    ($($(#[$doc:meta])* $choice:ident $text:literal by $table:path, $on:expr, $copied:expr => {
        $($($name:ident)+ => $what:expr),* $(,)?
    } else $other:expr;)*) => {
        $(
            $(#[$doc])*
            pub static $choice: Choice = Choice {
                name: $text,
                on: $on,
                table: &$table,
                copied: $copied,
                rows: {
                    #[allow(unused_imports, reason = "not every choice uses every form")]
                    use $crate::schema::{choice::What::*, layout::Is::*};
                    &[$($(($crate::schema::choice::value(&$table, stringify!($name)), $what)),+),*]
                },
                other: {
                    #[allow(unused_imports, reason = "as above")]
                    use $crate::schema::{choice::What::*, layout::Is::*};
                    $other
                },
            };
        )*

        /// Every choice.
        pub const ALL: &[&Choice] = &[$(&$choice),*];
    };
}
pub(super) use choices;
