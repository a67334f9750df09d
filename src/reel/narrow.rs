//! Columns of a block in narrow form: tested as they were stored, without being widened.
//!
//! Enters: an unpacked section of fixed width. Leaves: [`Packed`]. Never: a number that its column must not have; a column
//! whose encoding has no fixed width, which is decoded instead.

use super::damage::{Damage, Reason};
use super::stored::Stored;
use super::{id, ints};
use crate::batch::{Cells, Columns, Packed};

/// The columns that have such a form, and their sections.
pub(super) const NARROW: [(Columns, u16); 4] = [
    (Columns::CALL, id::CALL),
    (Columns::PROC, id::PROC),
    (Columns::FLAGS, id::FLAGS),
    (Columns::RET, id::RET),
];

/// Whether a column has been looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum State {
    /// Not yet.
    #[default]
    Unknown,
    /// Its encoding has no such form.
    Other,
    /// It is here.
    Loaded,
}

/// One column.
#[derive(Debug, Default)]
pub(super) struct Narrow {
    pub state: State,
    encoding: u8,
    bytes: Vec<u8>,
    /// Where the numbers begin in `bytes`.
    from: usize,
    /// The value, if all are the same.
    same: Option<i64>,
    /// Rows whose numbers are wider.
    wide: Vec<(u32, i64)>,
}

impl Narrow {
    fn cells(&self) -> Cells<'_> {
        if self.state != State::Loaded {
            return Cells::None;
        }
        if let Some(v) = self.same {
            return Cells::Same(v);
        }
        let bytes = self.bytes.get(self.from..).unwrap_or_default();
        match self.encoding {
            0x01 => Cells::U8(bytes),
            0x02 => Cells::U16(bytes.as_chunks().0),
            0x11 | 0x41 => Cells::I8(bytes.get(..bytes.len()).unwrap_or_default()),
            0x12 | 0x42 => Cells::I16(bytes.as_chunks().0),
            0x14 | 0x44 => Cells::I32(bytes.as_chunks().0),
            _ => Cells::None,
        }
    }

    /// Makes sense of what stands in `bytes`; `None` if it is damaged.
    fn set(&mut self, rows: usize) -> Option<State> {
        (self.same, self.from) = (None, 0);
        self.wide.clear();
        match self.encoding {
            0x01 | 0x02 | 0x11 | 0x12 | 0x14 => {
                let width = usize::from(self.encoding & 0xf);
                (self.bytes.len() == rows.checked_mul(width)?).then_some(State::Loaded)
            }
            0x41 | 0x42 | 0x44 => {
                let cells = ints::patches(self.encoding, &self.bytes, rows, &mut self.wide)?;
                self.from = cells.start;
                self.bytes.truncate(cells.end);
                Some(State::Loaded)
            }
            _ => {
                self.same = ints::constant(self.encoding, &self.bytes).map(|v| v as i64);
                Some(if self.same.is_some() { State::Loaded } else { State::Other })
            }
        }
    }

    /// The largest number, of those that are never below zero.
    fn max(&self) -> Option<u64> {
        match self.cells() {
            Cells::Same(v) => Some(v as u64),
            Cells::U8(c) => c.iter().copied().max().map(u64::from),
            Cells::U16(c) => c.iter().map(|v| u16::from_le_bytes(*v)).max().map(u64::from),
            _ => None,
        }
    }
}

impl Stored {
    /// Unpacks a column into its narrow form; false if it has none.
    pub(super) fn load_narrow(&mut self, place: usize, id: u16) -> Result<bool, Damage> {
        let Some(slot) = self.narrow.get_mut(place) else { return Ok(false) };
        if slot.state != State::Unknown {
            return Ok(slot.state == State::Loaded);
        }
        let mut column = std::mem::take(slot);
        let result = self.unpack(id, &mut column.bytes).and_then(|encoding| {
            column.encoding = encoding;
            column.state = State::Loaded;
            column.state = column.set(self.rows()).ok_or(Reason::Invalid(id::name(id)))?;
            let most = match id {
                id::CALL => self.codes().len().checked_sub(1).map(|n| n as u64),
                id::PROC => Some(self.procs_claimed()),
                id::FLAGS => Some(u64::from(u16::MAX)),
                _ => None,
            };
            // Those that must not be larger must not be signed either.
            if column.state == State::Loaded && id != id::RET && column.max() > most {
                return Err(Reason::Invalid(id::name(id)));
            }
            if column.state == State::Loaded && id != id::RET && column.max().is_none() {
                column.state = State::Other;
            }
            Ok(column.state == State::Loaded)
        });
        if result.is_err() {
            column.state = State::Unknown;
        }
        if let Some(slot) = self.narrow.get_mut(place) {
            *slot = column;
        }
        result.map_err(|reason| self.damage(reason))
    }

    /// What is loaded in narrow form, and the lists that are loaded.
    pub fn packed(&self) -> Packed<'_> {
        let [call, proc, flags, ret] = &self.narrow;
        Packed {
            codes: self.codes(),
            call: call.cells(),
            proc: proc.cells(),
            flags: flags.cells(),
            ret: ret.cells(),
            ret_wide: &ret.wide,
            negative: self.listed.negative(),
            slow: self.listed.slow(),
        }
    }
}
