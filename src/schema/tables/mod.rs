//! The tables of names themselves, by subject. Values: the kernel's UAPI headers.
//!
//! Enters: nothing. Leaves: one [`Names`] for each set of flags and each enumeration, and [`ALL`] of them. Never: which
//! call uses which table.

/// Tables read like the headers: `TABLE = "name in a reel" mask bits { NAME = value, … }`; all of a file's tables are
/// its `ALL`, so none can be left out.
macro_rules! names {
    ($($(#[$doc:meta])* $table:ident = $name:literal $(mask $mask:literal)? {
        $($row:ident = $value:literal),* $(,)?
    })*) => {
        use crate::schema::names::Names;

        $(
            $(#[$doc])*
            pub static $table: Names = Names {
                name: $name,
                mask: 0 $(+ $mask)?,
                rows: &[$(($value, stringify!($row))),*],
            };
        )*

        /// Every table of this file.
        pub(super) const ALL: &[&Names] = &[$(&$table),*];
    };
}

mod bpf;
mod control;
mod errno;
mod fs;
mod handles;
mod ioctl;
mod ipc;
mod memory;
mod net;
mod process;
mod signal;
mod sockets;
mod system;
mod time;

pub use self::bpf::*;
pub use self::control::*;
pub use self::errno::*;
pub use self::fs::*;
pub use self::handles::*;
pub use self::ioctl::*;
pub use self::ipc::*;
pub use self::memory::*;
pub use self::net::*;
pub use self::process::*;
pub use self::signal::*;
pub use self::sockets::*;
pub use self::system::*;
pub use self::time::*;

use super::names::Names;

const FILES: &[&[&Names]] = &[
    bpf::ALL,
    control::ALL,
    errno::ALL,
    fs::ALL,
    handles::ALL,
    ioctl::ALL,
    ipc::ALL,
    memory::ALL,
    net::ALL,
    process::ALL,
    signal::ALL,
    sockets::ALL,
    system::ALL,
    time::ALL,
];

const COUNT: usize = {
    let (mut count, mut file) = (0, 0);
    while file < FILES.len() {
        count += FILES[file].len();
        file += 1;
    }
    count
};

/// Every table.
pub static ALL: &[&Names] = &{
    let mut all: [&Names; COUNT] = [&ERRNO; COUNT];
    let (mut to, mut file) = (0, 0);
    while file < FILES.len() {
        let mut from = 0;
        while from < FILES[file].len() {
            all[to] = FILES[file][from];
            to += 1;
            from += 1;
        }
        file += 1;
    }
    all
};
