//! The tables of names themselves. Values: the kernel's UAPI headers.

use super::names::Names;

/// `open` flags. The access mode is an enumeration in the two low bits.
pub static OPEN: Names = Names {
    name: "open",
    mask: 3,
    rows: &[(0, "O_RDONLY"), (1, "O_WRONLY"), (2, "O_RDWR"), (0o100, "O_CREAT"), (0o2000000, "O_CLOEXEC")],
};

/// Error numbers.
pub static ERRNO: Names = Names { name: "errno", mask: 0, rows: &[(1, "EPERM"), (2, "ENOENT")] };

/// Signals.
pub static SIGNAL: Names = Names { name: "signal", mask: 0, rows: &[(9, "SIGKILL")] };

/// Every table.
pub static ALL: &[&Names] = &[&OPEN, &ERRNO, &SIGNAL];
