//! Layouts of items that are not simply what an argument points to: what was put together from several places.
//!
//! Enters: nothing. Leaves: constants; little-endian throughout, nothing padded. Never: code. They are part of the file
//! format: another layout is another kind with another word.
//!
//! An *environment* is a `u32`, how many variables there are, and those that were copied, each NUL-terminated.
//!
//! *Joined data* (`iovecs`) begins with a [data word](DATA_TOTAL). A *message* is a [head](MESSAGE), then its name, its
//! control messages and its data; several follow each other.

/// The lower bits of a data word: how many bytes there were. The result tells, else the sum of the lengths.
pub const DATA_TOTAL: u64 = (1 << 56) - 1;
/// A bit of a data word: there were more iovecs than were walked, so it is at least as much.
pub const DATA_AT_LEAST: u64 = 1 << 56;
/// The data could not be read from here on.
pub const DATA_UNREADABLE: u64 = 1 << 57;
/// The name could not be read.
pub const NAME_UNREADABLE: u64 = 1 << 58;
/// The control messages could not be read.
pub const CONTROL_UNREADABLE: u64 = 1 << 59;

/// Size of a message's head: the data word, `u32` bytes of data, `u32` msg_len, `u32` bytes of the name, `u32` msg_namelen,
/// `u32` bytes of control messages, `u32` msg_flags, `u64` msg_controllen.
pub const MESSAGE: usize = 40;

/// Instead of the number of variables of an environment: nobody counted.
pub const UNCOUNTED: u32 = u32::MAX;

/// Instead of a number of bytes of an `fd_set`: it could not be read.
pub const SET_UNREADABLE: i32 = -1;
/// Instead of a number of bytes of an `fd_set`: there is none.
pub const SET_NONE: i32 = -2;
