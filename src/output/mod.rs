//! Output: rows of a batch as lines of text, JSON, or a template of one's own.
//!
//! Enters: a [`Batch`](crate::batch::Batch) and the rows that a filter selected. Leaves: bytes, one line an event, at the
//! end of a buffer of the caller's. Never: a file or a terminal, a decision about which rows.

mod text;

pub use text::{Text, TextOptions, TimeStyle};
