//! The runs of rows. Words and items are stored slot by slot: what stands in the same argument of the same call is
//! together, a word as its difference to the one before of the same process (more exactly: of the same low bits of the
//! process's index, its *lane*). References are stored row by row.
//!
//! Enters: runs in order of rows, codes, processes. Leaves: bytes, and back. Never: `word_at` and its like, which follow
//! from the codes.

use super::varint::{self, unzigzag, zigzag};
use crate::batch::{Batch, Item, NONE};
use crate::schema::{CODES, Schema, Shape};

/// Previous values kept for one slot, by the low bits of the process.
pub(super) const LANES: usize = 64;

/// Rows of a block ordered by code (stable), so that a slot of a call can be walked.
#[derive(Debug, Default)]
pub(super) struct Order {
    /// By code: first how many rows, then where the next one goes. Zero between blocks: a small block pays for the codes
    /// that it has, not for all that there are.
    counts: Vec<u32>,
    /// The codes that occur, ascending, and where the rows of each end.
    ends: Vec<(u16, u32)>,
    rows: Vec<u32>,
}

impl Order {
    /// Sorts by counting. Codes must be below [`CODES`].
    pub fn set(&mut self, call: &[u16]) {
        self.counts.resize(usize::from(CODES), 0);
        self.ends.clear();
        for code in call {
            if let Some(n) = self.counts.get_mut(usize::from(*code)) {
                if *n == 0 {
                    self.ends.push((*code, 0));
                }
                *n += 1;
            }
        }
        self.ends.sort_unstable();
        let mut sum = 0;
        for (code, end) in &mut self.ends {
            if let Some(n) = self.counts.get_mut(usize::from(*code)) {
                let from = sum;
                sum += *n;
                (*n, *end) = (from, sum);
            }
        }
        self.rows.clear();
        self.rows.resize(call.len(), 0);
        for (row, code) in call.iter().enumerate() {
            if let Some(at) = self.counts.get_mut(usize::from(*code)) {
                if let Some(slot) = self.rows.get_mut(*at as usize) {
                    *slot = row as u32;
                }
                *at += 1;
            }
        }
        for (code, _) in &self.ends {
            if let Some(n) = self.counts.get_mut(usize::from(*code)) {
                *n = 0;
            }
        }
    }

    /// Each code that occurs, with its rows.
    pub fn codes(&self) -> impl Iterator<Item = (u16, &[u32])> {
        let mut from = 0;
        self.ends.iter().filter_map(move |(code, end)| {
            let rows = self.rows.get(std::mem::replace(&mut from, *end as usize)..*end as usize)?;
            Some((*code, rows))
        })
    }
}

/// Walks all slots: codes ascending, then slots, then rows. Calls `visit(place in the runs, row, is the slot's first)`.
fn walk(
    order: &Order,
    schema: &Schema,
    width: fn(&Shape) -> usize,
    at: &[u32],
    mut visit: impl FnMut(usize, usize, bool) -> Option<()>,
) -> Option<()> {
    for (code, rows) in order.codes() {
        for slot in 0..width(schema.shape(code)) {
            let mut first = true;
            for row in rows {
                let row = *row as usize;
                visit(*at.get(row)? as usize + slot, row, first)?;
                first = false;
            }
        }
    }
    Some(())
}

/// The lane of a row.
pub(super) fn lane(proc: &[u32], row: usize) -> usize {
    proc.get(row).map_or(0, |id| *id as usize % LANES)
}

/// Appends the words: each as its difference to the one before in the same slot and lane.
pub(super) fn put_words(out: &mut Vec<u8>, order: &Order, b: &Batch) -> Option<()> {
    let mut to = varint::Appender::new(out);
    let mut lanes = [0u64; LANES];
    walk(order, b.schema, words, b.word_at, |place, row, first| {
        if first {
            lanes = [0; LANES];
        }
        let before = &mut lanes[lane(b.proc, row)];
        let v = *b.words.get(place)?;
        to.put(zigzag(v.wrapping_sub(*before) as i64));
        *before = v;
        Some(())
    })
}

/// Reads the words into `into`, which has their number.
pub(super) fn read_words(
    mut bytes: &[u8],
    order: &Order,
    schema: &Schema,
    (at, proc): (&[u32], &[u32]),
    into: &mut [u64],
) -> Option<()> {
    let mut lanes = [0u64; LANES];
    walk(order, schema, words, at, |place, row, first| {
        if first {
            lanes = [0; LANES];
        }
        let before = &mut lanes[lane(proc, row)];
        *before = before.wrapping_add(unzigzag(varint::take(&mut bytes)?) as u64);
        *into.get_mut(place)? = *before;
        Some(())
    })?;
    bytes.is_empty().then_some(())
}

/// Appends the items; `place` says which id each string is stored with. Strings are kept in order of first use, so many are
/// the next after the largest of their slot.
pub(super) fn put_items(
    out: &mut Vec<u8>,
    order: &Order,
    b: &Batch,
    strings: u32,
    place: impl Fn(u32) -> u32,
) -> Option<()> {
    let mut to = varint::Appender::new(out);
    let mut next = 0i64;
    walk(order, b.schema, items, b.item_at, |at, _, first| {
        if first {
            next = 0;
        }
        let item = *b.items.get(at)?;
        to.put(match (item, item.id()) {
            (Item::ABSENT, _) => 0,
            (Item::UNREADABLE, _) => 1,
            (_, Some(id)) if id < strings => {
                let id = i64::from(place(id));
                let away = zigzag(next - id);
                next = next.max(id + 1);
                2 + (away << 1 | u64::from(item.is_cut()))
            }
            _ => return None,
        });
        Some(())
    })
}

/// Reads the items into `into`, which has their number.
pub(super) fn read_items(
    mut bytes: &[u8],
    order: &Order,
    schema: &Schema,
    at: &[u32],
    strings: u32,
    into: &mut [Item],
) -> Option<()> {
    let mut next = 0i64;
    walk(order, schema, items, at, |place, _, first| {
        if first {
            next = 0;
        }
        *into.get_mut(place)? = match varint::take(&mut bytes)? {
            0 => Item::ABSENT,
            1 => Item::UNREADABLE,
            v => {
                let v = v - 2;
                let at = next.checked_sub(unzigzag(v >> 1))?;
                let id = u32::try_from(at).ok().filter(|id| *id < strings)?;
                next = next.max(at + 1);
                Item::new(id, v & 1 == 1)
            }
        };
        Some(())
    })?;
    bytes.is_empty().then_some(())
}

/// Files that a lane used last, the latest first.
#[derive(Clone, Copy)]
struct Recent([u32; RECENT]);

const RECENT: usize = 4;
/// Code of a file that no reference before named, if it is the next in the table.
const NEXT: u64 = RECENT as u64 + 1;

impl Recent {
    /// Where it stands; it then stands first.
    #[inline]
    fn find(&mut self, id: u32) -> Option<usize> {
        let [a, b, c, d] = self.0;
        let (place, list) = match id {
            _ if id == a => return Some(0),
            _ if id == b => (Some(1), [b, a, c, d]),
            _ if id == c => (Some(2), [c, a, b, d]),
            _ if id == d => (Some(3), [d, a, b, c]),
            _ => (None, [id, a, b, c]),
        };
        self.0 = list;
        place
    }
}

/// Appends the references, in order of rows: a process mostly uses the files that it has just used.
pub(super) fn put_refs(out: &mut Vec<u8>, b: &Batch) {
    let mut to = varint::Appender::new(out);
    let (mut lanes, mut next) = ([Recent([NONE; RECENT]); LANES], 0u32);
    for (row, run) in b.ref_at.windows(2).enumerate() {
        for id in b.refs.get(run[0] as usize..run[1] as usize).unwrap_or_default().iter().copied() {
            if id == NONE {
                to.put(0);
                continue;
            }
            to.put(match lanes[lane(b.proc, row)].find(id) {
                Some(place) => 1 + place as u64,
                None if id == next => NEXT,
                None => NEXT + 1 + zigzag(i64::from(next) - i64::from(id)),
            });
            next = next.max(id + 1);
        }
    }
}

/// Reads the references; appends them to `into`.
pub(super) fn read_refs(
    mut bytes: &[u8],
    (at, proc): (&[u32], &[u32]),
    files: u32,
    into: &mut Vec<u32>,
) -> Option<()> {
    let (mut lanes, mut next) = ([Recent([NONE; RECENT]); LANES], 0u32);
    for (row, run) in at.windows(2).enumerate() {
        for _ in run[0]..run[1] {
            let v = varint::take(&mut bytes)?;
            if v == 0 {
                into.push(NONE);
                continue;
            }
            let lane = &mut lanes[lane(proc, row)];
            let id = match v {
                1..NEXT => *lane.0.get(v as usize - 1)?,
                NEXT => next,
                _ => u32::try_from(i64::from(next).checked_sub(unzigzag(v - NEXT - 1))?).ok()?,
            };
            if id >= files {
                return None;
            }
            lane.find(id);
            next = next.max(id + 1);
            into.push(id);
        }
    }
    bytes.is_empty().then_some(())
}

/// Fills `at` with the start of each row's run, from the codes; `codes` are those that occur, ascending. `None` if the runs
/// together are longer than `max`.
pub(super) fn starts(
    at: &mut Vec<u32>,
    call: &[u16],
    codes: &[u16],
    schema: &Schema,
    width: fn(&Shape) -> usize,
    max: usize,
) -> Option<()> {
    let mut widths = vec![0u32; codes.last().map_or(0, |last| usize::from(*last) + 1)];
    for code in codes {
        *widths.get_mut(usize::from(*code))? = width(schema.shape(*code)) as u32;
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_ordered_by_code_and_one_block_leaves_nothing_to_the_next() {
        let mut order = Order::default();
        for call in [&[7, 3, 7, 3071, 0, 3, 7][..], &[], &[5, 5], &[3071, 7]] {
            order.set(call);
            let got: Vec<(u16, Vec<u32>)> = order.codes().map(|(code, rows)| (code, rows.to_vec())).collect();
            let mut want: Vec<(u16, Vec<u32>)> = Vec::new();
            for code in 0..CODES {
                let rows: Vec<u32> =
                    (0..).zip(call).filter(|(_, c)| **c == code).map(|(row, _)| row).collect();
                if !rows.is_empty() {
                    want.push((code, rows));
                }
            }
            assert_eq!(got, want);
        }
    }
}
