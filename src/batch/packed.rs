//! Columns as a stored block has them: narrow numbers, for loops over many rows at a time.
//!
//! Enters: unpacked bytes of a column of fixed width. Leaves: the same, typed. Never: a number taken apart or copied; a
//! batch that is being built has none of these.

/// The numbers of a column, one for each row.
#[derive(Clone, Copy, Debug, Default)]
pub enum Cells<'a> {
    /// Not there in this form: see the batch's column.
    #[default]
    None,
    /// All the same.
    Same(i64),
    /// One byte.
    U8(&'a [u8]),
    /// Two bytes, little endian.
    U16(&'a [[u8; 2]]),
    /// One byte with a sign.
    I8(&'a [u8]),
    /// Two bytes with a sign.
    I16(&'a [[u8; 2]]),
    /// Four bytes with a sign.
    I32(&'a [[u8; 4]]),
}

impl Cells<'_> {
    /// True if there is nothing.
    pub fn is_none(&self) -> bool {
        matches!(self, Cells::None)
    }

    /// The number of a row.
    pub fn get(&self, row: usize) -> Option<i64> {
        match self {
            Cells::None => None,
            Cells::Same(v) => Some(*v),
            Cells::U8(c) => c.get(row).map(|v| i64::from(*v)),
            Cells::U16(c) => c.get(row).map(|v| i64::from(u16::from_le_bytes(*v))),
            Cells::I8(c) => c.get(row).map(|v| i64::from(*v as i8)),
            Cells::I16(c) => c.get(row).map(|v| i64::from(i16::from_le_bytes(*v))),
            Cells::I32(c) => c.get(row).map(|v| i64::from(i32::from_le_bytes(*v))),
        }
    }
}

/// What a stored block has of its columns in narrow form.
#[derive(Clone, Copy, Debug, Default)]
pub struct Packed<'a> {
    /// The codes that occur, ascending …
    pub codes: &'a [u16],
    /// … and for each row the place of its code in them.
    pub call: Cells<'a>,
    /// Process + 1; 0 if it is not known.
    pub proc: Cells<'a>,
    /// The flags.
    pub flags: Cells<'a>,
    /// The result …
    pub ret: Cells<'a>,
    /// … save for these rows, ascending.
    pub ret_wide: &'a [(u32, i64)],
}
