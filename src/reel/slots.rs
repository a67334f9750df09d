//! Runs of words and references, slot by slot: what stands in the same argument of the same call is stored together,
//! each as its difference to the one before it of the same process (more exactly: of the same low bits of its id).
//!
//! Enters: runs in order of rows, codes, processes. Leaves: bytes, and back. Never: `word_at` and its like, which follow
//! from the codes.

use super::varint::{self, unzigzag, zigzag};
use crate::schema::{CODES, Schema, Shape};

/// Previous values kept for one slot, by the low bits of the process.
const LANES: usize = 64;

/// Rows of a block ordered by code (stable), so that a slot of a call can be walked.
#[derive(Debug, Default)]
pub(super) struct Order {
    /// First place in `rows` of each code; one more than codes.
    starts: Vec<u32>,
    rows: Vec<u32>,
}

impl Order {
    /// Sorts by counting. Codes must be below [`CODES`].
    pub fn set(&mut self, call: &[u16]) {
        self.starts.clear();
        self.starts.resize(usize::from(CODES) + 2, 0);
        for code in call {
            if let Some(n) = self.starts.get_mut(usize::from(*code) + 2) {
                *n += 1;
            }
        }
        let mut sum = 0;
        for n in &mut self.starts {
            sum += *n;
            *n = sum;
        }
        self.rows.clear();
        self.rows.resize(call.len(), 0);
        // Shifted by one while filling: each start ends up at the start of the next code.
        for (row, code) in call.iter().enumerate() {
            if let Some(at) = self.starts.get_mut(usize::from(*code) + 1) {
                if let Some(slot) = self.rows.get_mut(*at as usize) {
                    *slot = row as u32;
                }
                *at += 1;
            }
        }
    }

    /// Each code that occurs, with its rows.
    pub fn codes(&self) -> impl Iterator<Item = (u16, &[u32])> {
        (0..CODES).filter_map(|code| {
            let from = *self.starts.get(usize::from(code))? as usize;
            let to = *self.starts.get(usize::from(code) + 1)? as usize;
            let rows = self.rows.get(from..to)?;
            (!rows.is_empty()).then_some((code, rows))
        })
    }
}

/// Walks all slots: codes ascending, then slots, then rows. Calls `visit(place in the runs, process lane, lanes)`.
fn walk(
    order: &Order,
    schema: &Schema,
    width: fn(&Shape) -> usize,
    at: &[u32],
    proc: &[u32],
    mut visit: impl FnMut(usize, &mut u64) -> Option<()>,
) -> Option<()> {
    for (code, rows) in order.codes() {
        for slot in 0..width(schema.shape(code)) {
            let mut lanes = [0u64; LANES];
            for row in rows {
                let place = *at.get(*row as usize)? as usize + slot;
                let lane = *proc.get(*row as usize)? as usize % LANES;
                visit(place, &mut lanes[lane])?;
            }
        }
    }
    Some(())
}

/// Appends the runs to `out`.
pub(super) fn put(
    out: &mut Vec<u8>,
    scratch: &mut Vec<u64>,
    order: &Order,
    schema: &Schema,
    width: fn(&Shape) -> usize,
    (at, proc): (&[u32], &[u32]),
    value: impl Fn(usize) -> Option<u64>,
) -> Option<()> {
    scratch.clear();
    walk(order, schema, width, at, proc, |place, before| {
        let v = value(place)?;
        scratch.push(zigzag(v.wrapping_sub(*before) as i64));
        *before = v;
        Some(())
    })?;
    varint::put_all(out, scratch.iter().copied(), scratch.len());
    Some(())
}

/// Reads runs from all of `bytes`, giving each value with its place.
pub(super) fn read(
    bytes: &[u8],
    order: &Order,
    schema: &Schema,
    width: fn(&Shape) -> usize,
    (at, proc): (&[u32], &[u32]),
    mut sink: impl FnMut(usize, u64) -> Option<()>,
) -> Option<()> {
    let mut rest = bytes;
    walk(order, schema, width, at, proc, |place, before| {
        *before = before.wrapping_add(unzigzag(varint::take(&mut rest)?) as u64);
        sink(place, *before)
    })?;
    rest.is_empty().then_some(())
}

/// Fills `at` with the start of each row's run, from the codes. `None` if the runs together are longer than `max`.
pub(super) fn starts(
    at: &mut Vec<u32>,
    call: &[u16],
    schema: &Schema,
    width: fn(&Shape) -> usize,
    max: usize,
) -> Option<()> {
    let widths: Vec<u32> = schema.shapes().iter().map(|s| width(s) as u32).collect();
    at.clear();
    at.reserve(call.len() + 1);
    at.push(0);
    let mut sum = 0u32;
    for code in call {
        sum = sum.checked_add(*widths.get(usize::from(*code))?)?;
        at.push(sum);
    }
    (sum as usize <= max).then_some(())
}

/// Words of a shape.
pub(super) fn words(shape: &Shape) -> usize {
    shape.words()
}

/// Items of a shape.
pub(super) fn items(shape: &Shape) -> usize {
    usize::from(shape.items)
}

/// References of a shape.
pub(super) fn refs(shape: &Shape) -> usize {
    usize::from(shape.refs)
}
