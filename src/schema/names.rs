//! Names for numbers: tables of flags and enumerations.
//!
//! Enters: nothing. Leaves: `number -> name` and `name -> number` for flags, enums, errnos and signals. Never: kinds of
//! arguments or knowledge of calls. Values are those of the kernel's UAPI headers for x86_64 and aarch64; where the two
//! differ (a few open flags) the row says so.

pub use super::tables::{ALL, ERRNO, SIGNAL};

/// One table of names.
#[derive(Debug)]
pub struct Names {
    /// The table's own name, as a reel's schema block spells it: append-only.
    pub name: &'static str,
    /// Bits that hold an enumeration inside a flag word (`O_ACCMODE`, `CSIGNAL`); 0 for plain flags.
    pub mask: u64,
    /// `(value, name)`; for flags, composite values before their parts.
    pub rows: &'static [(u64, &'static str)],
}

impl PartialEq for Names {
    fn eq(&self, other: &Names) -> bool {
        self.name == other.name
    }
}
impl Eq for Names {}

impl Names {
    /// The name of exactly this value.
    pub fn name_of(&self, value: u64) -> Option<&'static str> {
        self.rows.iter().find(|(v, _)| *v == value).map(|(_, n)| *n)
    }

    /// The value that has this name.
    pub fn value_of(&self, name: &str) -> Option<u64> {
        self.rows.iter().find(|(_, n)| *n == name).map(|(v, _)| *v)
    }
}

/// The table with this name.
pub fn by_name(name: &str) -> Option<&'static Names> {
    ALL.iter().copied().find(|t| t.name == name)
}

/// The name of an error number (positive), such as `ENOENT`.
pub fn errno(number: u64) -> Option<&'static str> {
    ERRNO.name_of(number)
}
