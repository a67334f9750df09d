//! Names for numbers: tables of flags and enumerations.
//!
//! Enters: nothing. Leaves: `number -> name` and `name -> number` for flags, enums, errnos and signals. Never: kinds of
//! arguments or knowledge of calls. Values are those of the kernel's UAPI headers for x86_64 and aarch64; where the two
//! differ (a few open flags) there is a table for each, and [`Names::on`] has the one of an architecture.

pub use super::tables::{ALL, ERRNO, SIGNAL};
use super::{Arch, tables};

/// One table of names.
#[derive(Debug)]
pub struct Names {
    /// The table's own name, as a reel's schema block spells it: append-only.
    pub name: &'static str,
    /// Bits that hold an enumeration inside a flag word (`O_ACCMODE`, `CSIGNAL`); 0 for plain flags.
    pub mask: u64,
    /// `(value, name)`; for flags, composite values before their parts. A row of value 0 names a word without any bit
    /// (within `mask`, if there is one). Of two names for one value the first is shown; the others are only read.
    pub rows: &'static [(u64, &'static str)],
}

impl PartialEq for Names {
    fn eq(&self, other: &Names) -> bool {
        self.name == other.name
    }
}
impl Eq for Names {}

impl Names {
    /// The table that an architecture has in place of this one.
    pub fn on(&'static self, arch: Arch) -> &'static Names {
        match (arch, self.name) {
            (Arch::Aarch64, "open") => &tables::OPEN_AARCH64,
            (Arch::Aarch64, "open_status") => &tables::OPEN_STATUS_AARCH64,
            (Arch::Aarch64, "pipe") => &tables::PIPE_FLAGS_AARCH64,
            _ => self,
        }
    }

    /// True if the bits without names are permissions: `IPC_CREAT|0600`.
    pub fn has_mode(&self) -> bool {
        matches!(self.name, "ipc_get" | "shmget")
    }

    /// The name of exactly this value.
    pub fn name_of(&self, value: u64) -> Option<&'static str> {
        self.rows.iter().find(|(v, _)| *v == value).map(|(_, n)| *n)
    }

    /// The name of a value that means something only together with the argument before it: a socket option at its
    /// level. Such rows have the context plus one in the upper half of their value, so that plain look-up finds nothing
    /// rather than something wrong.
    pub fn name_under(&self, context: u32, value: u32) -> Option<&'static str> {
        self.name_of(((u64::from(context) + 1) << 32) | u64::from(value))
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
