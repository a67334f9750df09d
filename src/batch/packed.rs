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
    /// Results below zero, listed apart.
    pub negative: Option<Negative<'a>>,
    /// Long latencies, listed apart.
    pub slow: Option<Slow<'a>>,
}

/// All results of a block that are below zero.
#[derive(Clone, Copy, Debug)]
pub struct Negative<'a> {
    /// A bit for each row.
    rows: &'a [u64],
    /// The results of these rows, in order.
    results: &'a [i64],
}

impl<'a> Negative<'a> {
    /// Of a bit for each row, and a number for each bit that is set.
    pub fn new(rows: &'a [u64], results: &'a [i64]) -> Negative<'a> {
        Negative { rows, results }
    }

    /// Clears the rows of a mask whose results will not do. `first` is the number of the mask's first word. Results from
    /// zero on do if `fine`; those below if they `hold`, all of them if `every`.
    pub fn select(
        &self,
        mask: &mut [u64],
        first: usize,
        fine: bool,
        mut hold: impl FnMut(i64) -> bool,
        every: bool,
    ) {
        let (before, rows) = self.rows.split_at(first.min(self.rows.len()));
        let mut at: usize = before.iter().map(|w| w.count_ones() as usize).sum();
        let other = if fine { u64::MAX } else { 0 };
        for (i, word) in mask.iter_mut().enumerate() {
            let below = rows.get(i).copied().unwrap_or(0);
            let (mut yes, mut rest) = (below, if every { 0 } else { below });
            // Numbers of rows that are not asked for need not be looked at.
            if below & *word == 0 {
                rest = 0;
            }
            let mut place = at;
            while rest != 0 {
                if !self.results.get(place).is_some_and(|v| hold(*v)) {
                    yes &= !(rest & rest.wrapping_neg());
                }
                rest &= rest - 1;
                place += 1;
            }
            at += below.count_ones() as usize;
            *word &= yes | !below & other;
        }
    }
}

/// All latencies of a block that are not below a floor.
#[derive(Clone, Copy, Debug)]
pub struct Slow<'a> {
    /// The floor, ns.
    pub floor: u64,
    /// The rows, ascending, and their latencies.
    pub rows: &'a [(u32, u64)],
}

impl Slow<'_> {
    /// Clears the rows of a mask that are not listed, or whose latencies do not `hold`. `first` is the number of the
    /// mask's first word.
    pub fn select(&self, mask: &mut [u64], first: usize, hold: impl Fn(u64) -> bool) {
        let mut rest = self.rows.iter().peekable();
        for (word, number) in mask.iter_mut().zip(first..) {
            let mut yes = 0;
            while let Some((row, latency)) = rest.next_if(|(row, _)| *row as usize / 64 <= number) {
                if *row as usize / 64 == number && hold(*latency) {
                    yes |= 1 << (row % 64);
                }
            }
            *word &= yes;
        }
    }
}
