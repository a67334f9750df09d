//! Rows that filters ask for most, listed apart: results below zero, and long latencies.
//!
//! Enters: columns of a batch, or unpacked sections that nobody trusts. Leaves: the rows and their numbers. Never: a
//! number that its column does not have; more than a small part of a block's bytes. Whoever asks only for these does not
//! read the column.

use std::ops::Range;

use super::damage::{Damage, Reason};
use super::header::chunk;
use super::stored::Stored;
use super::{frame, id, ints, varint};
use crate::batch::{Columns, NO_LATENCY, Negative, Slow, Tables};

/// Blocks of fewer rows have no lists: the columns are short enough.
const LEAST: usize = 256;
/// At most one of so many rows is slow.
const SLOW: usize = 128;
/// Results are listed if at least one of so many is not below zero.
const FINE: usize = 4;

/// What one block lists.
#[derive(Debug, Default)]
pub(super) struct Listed {
    /// The columns whose lists are here.
    here: Columns,
    /// A bit for each row.
    bits: Vec<u64>,
    results: Vec<i64>,
    floor: u64,
    slow: Vec<(u32, u64)>,
    unpacked: Vec<u8>,
}

impl Listed {
    pub fn clear(&mut self) {
        self.here = Columns::NOTHING;
    }

    pub fn negative(&self) -> Option<Negative<'_>> {
        self.here.has(Columns::RET).then(|| Negative::new(&self.bits, &self.results))
    }

    pub fn slow(&self) -> Option<Slow<'_>> {
        self.here.has(Columns::LATENCY).then_some(Slow { floor: self.floor, rows: &self.slow })
    }

    fn set_negative(&mut self, bytes: &[u8], rows: usize) -> Option<()> {
        self.bits.clear();
        self.results.clear();
        self.bits.resize(rows.div_ceil(64), 0);
        if bytes.is_empty() {
            return Some(());
        }
        let (mask, mut rest) = bytes.split_at_checked(rows.div_ceil(8))?;
        for (word, eight) in self.bits.iter_mut().zip(mask.chunks(8)) {
            let mut all = [0; 8];
            all.get_mut(..eight.len())?.copy_from_slice(eight);
            *word = u64::from_le_bytes(all);
        }
        if !rows.is_multiple_of(64) && self.bits.last()? >> (rows % 64) != 0 {
            return None;
        }
        let count = self.bits.iter().map(|w| w.count_ones() as usize).sum();
        let results = &mut self.results;
        take(&mut rest, count, |v| results.push(v as i64))?;
        (rest.is_empty() && self.results.iter().all(|v| *v < 0)).then_some(())
    }

    fn set_slow(&mut self, mut bytes: &[u8], rows: usize) -> Option<()> {
        self.slow.clear();
        self.floor = varint::take(&mut bytes)?;
        let count = usize::try_from(varint::take(&mut bytes)?).ok().filter(|n| *n <= rows)?;
        let (slow, mut good) = (&mut self.slow, true);
        take(&mut bytes, count, |row| {
            let row = u32::try_from(row).unwrap_or(u32::MAX);
            good &= slow.last().is_none_or(|(last, _)| *last < row) && (row as usize) < rows;
            slow.push((row, 0));
        })?;
        let mut of = self.slow.iter_mut();
        let floor = self.floor;
        take(&mut bytes, count, |over| {
            let latency = floor.checked_add(over).filter(|v| *v != NO_LATENCY);
            good &= latency.is_some();
            if let (Some(slot), Some(latency)) = (of.next(), latency) {
                slot.1 = latency;
            }
        })?;
        (good && bytes.is_empty()).then_some(())
    }
}

/// Takes {encoding u8, LEB128 length, bytes} off the front: `count` numbers.
pub(super) fn take(bytes: &mut &[u8], count: usize, sink: impl FnMut(u64)) -> Option<()> {
    let [encoding] = frame::array(bytes)?;
    let len = usize::try_from(varint::take(bytes)?).ok()?;
    ints::read(encoding, chunk(bytes, len)?, count, sink)
}

/// Appends what [`take`] takes.
pub(super) fn put(out: &mut Vec<u8>, fill: impl FnOnce(&mut Vec<u8>) -> u8) {
    let mut bytes = Vec::new();
    out.push(fill(&mut bytes));
    varint::put(out, bytes.len() as u64);
    out.extend_from_slice(&bytes);
}

/// Appends the list of results below zero; false if the block is to have none.
pub(super) fn put_negative(out: &mut Vec<u8>, ret: &[i64]) -> bool {
    let count = ret.iter().filter(|v| **v < 0).count();
    if ret.len() < LEAST || ret.len() - count < ret.len() / FINE {
        return false;
    }
    if count == 0 {
        return true;
    }
    out.extend(
        ret.chunks(8)
            .map(|eight| eight.iter().enumerate().fold(0u8, |byte, (i, v)| byte | u8::from(*v < 0) << i)),
    );
    let results: Vec<i64> = ret.iter().copied().filter(|v| *v < 0).collect();
    put(out, |bytes| ints::put_signed(bytes, results.iter().copied()));
    true
}

/// Buckets of latencies: four for each power of two.
fn bucket(latency: u64) -> usize {
    match latency {
        0..4 => latency as usize,
        _ => {
            let top = latency.ilog2() as usize;
            4 * (top - 1) + (latency >> (top - 2) & 3) as usize
        }
    }
}

/// What a bucket's numbers are.
fn least_of(bucket: usize) -> u64 {
    match bucket {
        0..4 => bucket as u64,
        _ => (4 + bucket as u64 % 4) << (bucket / 4 - 1),
    }
}

/// Appends the list of long latencies, all from a floor on that few reach; false if the block is to have none.
pub(super) fn put_slow(out: &mut Vec<u8>, latency: &[u64]) -> bool {
    let mut counts = [0usize; 252];
    for v in latency.iter().filter(|v| **v != NO_LATENCY) {
        if let Some(n) = counts.get_mut(bucket(*v)) {
            *n += 1;
        }
    }
    let Some(most) = counts.iter().rposition(|n| *n > 0).filter(|_| latency.len() >= LEAST) else {
        return false;
    };
    let (mut left, mut first) = (latency.len() / SLOW, most + 1);
    while let Some(n) = first.checked_sub(1).and_then(|i| counts.get(i)).filter(|n| **n <= left) {
        (left, first) = (left - n, first - 1);
    }
    // Above the last bucket there is none.
    let floor = if first < counts.len() { least_of(first) } else { NO_LATENCY };
    let rows = || latency.iter().enumerate().filter(|(_, v)| **v >= floor && **v != NO_LATENCY);
    let (places, over): (Vec<u64>, Vec<u64>) = rows().map(|(row, v)| (row as u64, v - floor)).unzip();
    varint::put(out, floor);
    varint::put(out, places.len() as u64);
    put(out, |bytes| ints::put_clock(bytes, places.iter().copied()));
    put(out, |bytes| ints::put_packed(bytes, over.iter().copied()));
    true
}

/// The lists that there can be: the column, and the section.
pub(super) const LISTS: [(Columns, u16); 2] = [(Columns::RET, id::NEGATIVE), (Columns::LATENCY, id::SLOW)];

impl Stored {
    /// Unpacks the lists beside these columns, of those that the block has: the results below zero beside RET, the long
    /// latencies beside LATENCY ([`crate::batch::Packed`]).
    pub fn load_listed(&mut self, columns: Columns) -> Result<(), Damage> {
        let wanted = |(column, id): &(Columns, u16)| {
            columns.has(*column) && !self.listed.here.has(*column) && self.has_section(*id)
        };
        let wanted: Vec<_> = LISTS.into_iter().filter(wanted).collect();
        if wanted.is_empty() {
            return Ok(());
        }
        self.fetch(Tables::Nothing, |id| wanted.iter().any(|(_, of)| *of == id))?;
        let mut listed = std::mem::take(&mut self.listed);
        let mut result = Ok(());
        for (column, id) in wanted {
            let mut bytes = std::mem::take(&mut listed.unpacked);
            result = self.unpack(id, &mut bytes).and_then(|_| {
                let good = match id {
                    id::NEGATIVE => listed.set_negative(&bytes, self.rows()),
                    _ => listed.set_slow(&bytes, self.rows()),
                };
                good.ok_or(Reason::Invalid(id::name(id)))
            });
            listed.unpacked = bytes;
            if result.is_err() {
                break;
            }
            listed.here = listed.here.and(column);
        }
        self.listed = listed;
        result.map_err(|reason| self.damage(reason))
    }

    /// Whether the lists say what the columns say, which must be loaded. Readers of either see the same block only then.
    pub fn check_listed(&mut self) -> Result<(), Damage> {
        self.load(Columns::RET.and(Columns::LATENCY))?;
        self.load_listed(Columns::RET.and(Columns::LATENCY))?;
        let (ret, latency) = self.decoded();
        let below = || ret.iter().copied().filter(|v| *v < 0);
        let listed = &self.listed;
        let bit = |row: usize| listed.bits.get(row / 64).is_some_and(|w| w >> (row % 64) & 1 == 1);
        let negative = listed.negative().is_none()
            || ret.iter().enumerate().all(|(row, v)| bit(row) == (*v < 0))
                && below().eq(listed.results.iter().copied());
        let rows = |range: Range<usize>| (0u32..).zip(latency.get(range).unwrap_or_default().iter().copied());
        let long = rows(0..latency.len()).filter(|(_, v)| *v >= listed.floor && *v != NO_LATENCY);
        let slow = listed.slow().is_none() || long.eq(listed.slow.iter().copied());
        match (negative, slow) {
            (false, _) => Err(self.damage(Reason::Invalid(id::name(id::NEGATIVE)))),
            (_, false) => Err(self.damage(Reason::Invalid(id::name(id::SLOW)))),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn buckets_are_where_they_begin() {
        for n in 0..252 {
            assert_eq!(bucket(least_of(n)), n);
            assert!(n == 0 || bucket(least_of(n) - 1) == n - 1);
        }
        assert_eq!(bucket(NO_LATENCY), 251);
    }

    proptest! {
        #[test]
        fn lists_hold_what_columns_hold(
            ret in prop::collection::vec(prop_oneof![9 => 0i64..9, 1 => -200i64..0, 1 => any::<i64>()], 250..700),
            latency in prop::collection::vec(
                prop_oneof![40 => 0u64..5000, 1 => any::<u64>(), 1 => (0u32..64).prop_map(|n| 1 << n), 2 => Just(NO_LATENCY)],
                250..700,
            ),
        ) {
            let (mut bytes, mut listed) = (Vec::new(), Listed::default());
            if put_negative(&mut bytes, &ret) {
                listed.set_negative(&bytes, ret.len()).unwrap();
                listed.here = Columns::RET;
                let list = listed.negative().unwrap();
                let mut mask = vec![u64::MAX; ret.len().div_ceil(64)];
                list.select(&mut mask, 0, false, |_| true, true);
                let got: Vec<i64> = (0..ret.len()).filter(|r| mask[r / 64] >> (r % 64) & 1 == 1).map(|r| ret[r]).collect();
                prop_assert_eq!(&got, &listed.results);
                prop_assert_eq!(got, ret.iter().copied().filter(|v| *v < 0).collect::<Vec<_>>());
                for n in 1..bytes.len() {
                    prop_assert!(Listed::default().set_negative(&bytes[..n], ret.len()).is_none());
                }
            } else {
                prop_assert!(ret.len() < LEAST || ret.iter().filter(|v| **v >= 0).count() < ret.len() / FINE);
            }
            bytes.clear();
            if put_slow(&mut bytes, &latency) {
                listed.set_slow(&bytes, latency.len()).unwrap();
                let want: Vec<(u32, u64)> =
                    (0..).zip(latency.iter().copied()).filter(|(_, v)| *v >= listed.floor && *v != NO_LATENCY).collect();
                prop_assert_eq!(&listed.slow, &want);
                prop_assert!(want.len() <= latency.len() / SLOW);
                for n in 0..bytes.len() {
                    prop_assert!(Listed::default().set_slow(&bytes[..n], latency.len()).is_none());
                }
            } else {
                prop_assert!(latency.len() < LEAST || latency.iter().all(|v| *v == NO_LATENCY));
            }
        }

        #[test]
        fn anything_may_be_a_list(bytes in any::<Vec<u8>>(), rows in 0usize..300) {
            let mut listed = Listed::default();
            let _ = listed.set_negative(&bytes, rows);
            let _ = listed.set_slow(&bytes, rows);
        }
    }
}
