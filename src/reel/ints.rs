//! A column of numbers as bytes, in one of a few encodings.
//!
//! Enters: numbers as `u64`. Leaves: bytes and the encoding's number, and back. Never: what a column means.

use super::varint::{self, unzigzag, zigzag};

/// Fixed width, 1, 2, 4 or 8 bytes, little endian: the encoding's number is the width.
pub(super) const FIXED: u8 = 0;
/// Fixed width, sign-extended: 0x10 + width.
pub(super) const SIGNED: u8 = 0x10;
/// LEB128.
pub(super) const VARINT: u8 = 0x20;
/// LEB128 of the zigzag of the difference to the value before (the first: to 0), modulo 2^64.
pub(super) const DELTA: u8 = 0x21;
/// LEB128 of the difference to the value before (the first: to 0); the values never decrease.
pub(super) const ASCENDING: u8 = 0x22;
/// Two LEB128 numbers: the first value and the step, modulo 2^64. Constant columns have step 0.
pub(super) const STEP: u8 = 0x30;
/// Fixed width with exceptions: 0x40 + width. A LEB128 count; one sign-extended number of that width for each value, the
/// smallest of that width standing for "an exception"; then the exceptions, like [`DELTA`].
pub(super) const PATCHED: u8 = 0x40;

/// Packed bits, in groups of [`GROUP`] values (the last may be shorter). A group is {width in bits u8, exceptions u8, the
/// low bits of each value (least significant bit first, filled up to a whole byte), then for each exception {place in the
/// group u8, LEB128 of the bits above}}.
pub(super) const BITS: u8 = 0x50;
/// Like [`BITS`], of the difference to the value before (the first: to 0); the values never decrease.
pub(super) const BITS_ASCENDING: u8 = 0x51;
/// Values of a group of packed bits.
const GROUP: usize = 128;

/// True if the values are an arithmetic progression; then `(first, step)`.
fn progression(mut values: impl Iterator<Item = u64>) -> Option<(u64, u64)> {
    let Some(first) = values.next() else { return Some((0, 0)) };
    let Some(second) = values.next() else { return Some((first, 0)) };
    let (step, mut at) = (second.wrapping_sub(first), second);
    values
        .all(|v| {
            at = at.wrapping_add(step);
            v == at
        })
        .then_some((first, step))
}

fn put_step(out: &mut Vec<u8>, (first, step): (u64, u64)) -> u8 {
    varint::put(out, first);
    varint::put(out, step);
    STEP
}

fn put_width(out: &mut Vec<u8>, values: impl Iterator<Item = u64>, count: usize, width: usize) {
    let from = out.len();
    out.resize(from + count * width, 0);
    let Some(room) = out.get_mut(from..) else { return };
    match width {
        1 => room.iter_mut().zip(values).for_each(|(slot, v)| *slot = v as u8),
        2 => room.as_chunks_mut().0.iter_mut().zip(values).for_each(|(c, v)| *c = (v as u16).to_le_bytes()),
        4 => room.as_chunks_mut().0.iter_mut().zip(values).for_each(|(c, v)| *c = (v as u32).to_le_bytes()),
        _ => room.as_chunks_mut().0.iter_mut().zip(values).for_each(|(c, v)| *c = v.to_le_bytes()),
    }
}

/// Appends values at the narrowest width that fits them all, or as a progression.
pub(super) fn put_fixed(out: &mut Vec<u8>, values: impl ExactSizeIterator<Item = u64> + Clone) -> u8 {
    if let Some(p) = progression(values.clone()) {
        return put_step(out, p);
    }
    let width = match values.clone().fold(0, |all, v| all | v) {
        0..=0xff => 1,
        0x100..=0xffff => 2,
        0x1_0000..=0xffff_ffff => 4,
        _ => 8,
    };
    let count = values.len();
    put_width(out, values, count, width);
    FIXED + width as u8
}

/// Appends signed values at a width that fits nearly all of them.
pub(super) fn put_signed(out: &mut Vec<u8>, values: impl ExactSizeIterator<Item = i64> + Clone) -> u8 {
    if let Some(p) = progression(values.clone().map(|v| v as u64)) {
        return put_step(out, p);
    }
    let count = values.len();
    let (mut over1, mut over2, mut over4) = (0usize, 0usize, 0usize);
    for v in values.clone() {
        over1 += usize::from(i64::from(v as i8) != v || v == i64::from(i8::MIN));
        over2 += usize::from(i64::from(v as i16) != v || v == i64::from(i16::MIN));
        over4 += usize::from(i64::from(v as i32) != v || v == i64::from(i32::MIN));
    }
    // A wide value costs its own bytes; a narrow column pays off if few are wide.
    let few = count / 16;
    let (width, over, mark) = match (over1 <= few, over2 <= few, over4 <= few) {
        (true, ..) => (1, over1, i64::from(i8::MIN)),
        (_, true, _) => (2, over2, i64::from(i16::MIN)),
        (.., true) => (4, over4, i64::from(i32::MIN)),
        _ => (8, 0, 0),
    };
    if over == 0 {
        put_width(out, values.map(|v| v as u64), count, width);
        return SIGNED + width as u8;
    }
    let fits = move |v: i64| {
        v != mark
            && match width {
                1 => i64::from(v as i8) == v,
                2 => i64::from(v as i16) == v,
                _ => i64::from(v as i32) == v,
            }
    };
    varint::put(out, over as u64);
    put_width(out, values.clone().map(|v| if fits(v) { v } else { mark } as u64), count, width);
    let mut before = 0i64;
    for v in values.filter(|v| !fits(*v)) {
        varint::put(out, zigzag(v.wrapping_sub(before)));
        before = v;
    }
    PATCHED + width as u8
}

/// Appends values as they are, small ones short.
pub(super) fn put_varint(out: &mut Vec<u8>, values: impl ExactSizeIterator<Item = u64> + Clone) -> u8 {
    if let Some(p) = progression(values.clone()) {
        return put_step(out, p);
    }
    varint::put_all(out, values);
    VARINT
}

/// Appends values that usually grow.
pub(super) fn put_growing(out: &mut Vec<u8>, values: impl ExactSizeIterator<Item = u64> + Clone) -> u8 {
    if let Some(p) = progression(values.clone()) {
        return put_step(out, p);
    }
    let mut before = 0u64;
    if values.clone().is_sorted() {
        let deltas = values.map(|v| v - std::mem::replace(&mut before, v));
        varint::put_all(out, deltas);
        ASCENDING
    } else {
        let deltas = values.map(|v| zigzag(v.wrapping_sub(std::mem::replace(&mut before, v)) as i64));
        varint::put_all(out, deltas);
        DELTA
    }
}

/// Appends values in the way that suits a dictionary: many repeat, many are the one before and a little more.
pub(super) fn put_entries(out: &mut Vec<u8>, values: impl ExactSizeIterator<Item = u64> + Clone) -> u8 {
    let from = out.len();
    let fixed = put_fixed(out, values.clone());
    let size = out.len() - from;
    if matches!(fixed, STEP | 1) {
        return fixed;
    }
    let growing = put_growing(out, values);
    let both = out.len() - from;
    if both - size <= size {
        out.copy_within(from + size.., from);
        out.truncate(from + both - size);
        growing
    } else {
        out.truncate(from + size);
        fixed
    }
}

fn put_bits(out: &mut Vec<u8>, mut values: impl Iterator<Item = u64>) {
    let mut group = [0u64; GROUP];
    loop {
        let mut n = 0;
        for (slot, v) in group.iter_mut().zip(&mut values) {
            *slot = v;
            n += 1;
        }
        let Some(group) = group.get(..n).filter(|g| !g.is_empty()) else { return };
        let width = best_width(group);
        let mask = (1u64 << width) - 1;
        let head = out.len();
        out.extend_from_slice(&[width as u8, 0]);
        let (mut bits, mut have) = (0u128, 0u32);
        for v in group {
            bits |= u128::from(v & mask) << have;
            have += width;
            if have >= 64 {
                out.extend_from_slice(&(bits as u64).to_le_bytes());
                bits >>= 64;
                have -= 64;
            }
        }
        let tail = bits.to_le_bytes();
        out.extend_from_slice(tail.get(..have.div_ceil(8) as usize).unwrap_or_default());
        let mut odd = 0u8;
        for (i, v) in group.iter().enumerate().filter(|(_, v)| **v > mask) {
            out.push(i as u8);
            varint::put(out, v >> width);
            odd += 1;
        }
        if let Some(slot) = out.get_mut(head + 1) {
            *slot = odd;
        }
    }
}

/// The width, at most 56, at which a group is shortest: an exception costs two bytes and more.
fn best_width(group: &[u64]) -> u32 {
    let mut lengths = [0usize; 65];
    for v in group {
        if let Some(n) = lengths.get_mut(64 - v.leading_zeros() as usize) {
            *n += 1;
        }
    }
    let (mut best, mut least) = (56, usize::MAX);
    let (mut over, mut longer) = (0, 0);
    for width in (0..=64usize).rev() {
        // Here `over` is how many are longer than `width`, `longer` by how many bits together.
        if width <= 56 {
            let cost = group.len() * width + 18 * over + longer;
            if cost < least {
                (best, least) = (width as u32, cost);
            }
        }
        over += lengths.get(width).copied().unwrap_or(0);
        longer += over;
    }
    best
}

/// Appends values of which most are of about the same length.
pub(super) fn put_packed(out: &mut Vec<u8>, values: impl ExactSizeIterator<Item = u64> + Clone) -> u8 {
    if let Some(p) = progression(values.clone()) {
        return put_step(out, p);
    }
    put_bits(out, values);
    BITS
}

/// Appends values that grow by steps of about the same length.
pub(super) fn put_clock(out: &mut Vec<u8>, values: impl ExactSizeIterator<Item = u64> + Clone) -> u8 {
    if !values.clone().is_sorted() {
        return put_growing(out, values);
    }
    let mut before = 0u64;
    put_bits(out, values.map(|v| v - std::mem::replace(&mut before, v)));
    BITS_ASCENDING
}

fn read_bits(bytes: &mut &[u8], count: usize, mut sink: impl FnMut(u64) -> Option<()>) -> Option<()> {
    let mut left = count;
    let mut group = [0u64; GROUP];
    while left > 0 {
        let group = group.get_mut(..left.min(GROUP))?;
        left -= group.len();
        read_group(bytes, group)?;
        group.iter().try_for_each(|v| sink(*v))?;
    }
    Some(())
}

/// Reads one group, as many values as it has room for.
fn read_group(bytes: &mut &[u8], group: &mut [u64]) -> Option<()> {
    let (&[width, odd], rest) = bytes.split_first_chunk()?;
    if width > 56 {
        return None;
    }
    let size = (group.len() * usize::from(width)).div_ceil(8);
    let (packed, mut tail) = rest.split_at_checked(size)?;
    let mask = (1u64 << width) - 1;
    // With room behind them, each value is in the eight bytes from where it begins: at most 7 + 56 bits.
    let mut room = [0u8; GROUP * 7 + 8];
    room.get_mut(..size)?.copy_from_slice(packed);
    let mut bit = 0usize;
    for slot in group.iter_mut() {
        let word = room.get(bit / 8..).and_then(|r| r.first_chunk()).map_or(0, |c| u64::from_le_bytes(*c));
        *slot = word >> (bit % 8) & mask;
        bit += usize::from(width);
    }
    for _ in 0..odd {
        let (&at, rest) = tail.split_first()?;
        tail = rest;
        let high = varint::take(&mut tail)?;
        let slot = group.get_mut(usize::from(at))?;
        if high.leading_zeros() < u32::from(width) {
            return None;
        }
        *slot |= high << width;
    }
    *bytes = tail;
    Some(())
}

/// Reads exactly `count` values from all of `bytes` and gives each to `sink`. The caller has capped `count`.
pub(super) fn read(encoding: u8, bytes: &[u8], count: usize, mut sink: impl FnMut(u64)) -> Option<()> {
    let mut rest = bytes;
    match encoding {
        VARINT => {
            for _ in 0..count {
                sink(varint::take(&mut rest)?);
            }
        }
        DELTA => {
            let mut v = 0u64;
            for _ in 0..count {
                v = v.wrapping_add(unzigzag(varint::take(&mut rest)?) as u64);
                sink(v);
            }
        }
        ASCENDING => {
            let mut v = 0u64;
            for _ in 0..count {
                v = v.checked_add(varint::take(&mut rest)?)?;
                sink(v);
            }
        }
        BITS => read_bits(&mut rest, count, |v| {
            sink(v);
            Some(())
        })?,
        BITS_ASCENDING => {
            let mut v = 0u64;
            read_bits(&mut rest, count, |d| {
                v = v.checked_add(d)?;
                sink(v);
                Some(())
            })?;
        }
        STEP => {
            let (mut v, step) = (varint::take(&mut rest)?, varint::take(&mut rest)?);
            for _ in 0..count {
                sink(v);
                v = v.wrapping_add(step);
            }
        }
        0x41 | 0x42 | 0x44 => {
            let width = usize::from(encoding & 0xf);
            let wide = usize::try_from(varint::take(&mut rest)?).ok().filter(|n| *n <= count)?;
            let (narrow, mut tail) = rest.split_at_checked(count.checked_mul(width)?)?;
            let mark = i64::MIN >> (64 - 8 * width);
            let (mut before, mut seen, mut good) = (0i64, 0usize, true);
            fixed(SIGNED | encoding & 0xf, narrow, |v| {
                if v as i64 != mark {
                    return sink(v);
                }
                seen += 1;
                match varint::take(&mut tail) {
                    Some(d) => before = before.wrapping_add(unzigzag(d)),
                    None => good = false,
                }
                sink(before as u64);
            })?;
            return (good && seen == wide && tail.is_empty()).then_some(());
        }
        _ => {
            let width = usize::from(encoding & 0xf);
            if bytes.len() != count.checked_mul(width)? {
                return None;
            }
            return fixed(encoding, bytes, sink);
        }
    }
    rest.is_empty().then_some(())
}

/// The value of a column in which all are the same.
pub(super) fn constant(encoding: u8, mut bytes: &[u8]) -> Option<u64> {
    let (v, step) = (varint::take(&mut bytes)?, varint::take(&mut bytes)?);
    (encoding == STEP && step == 0 && bytes.is_empty()).then_some(v)
}

/// Of a column of fixed width with exceptions: where its cells stand, and the exceptions, by row.
pub(super) fn patches(
    encoding: u8,
    bytes: &[u8],
    rows: usize,
    wide: &mut Vec<(u32, i64)>,
) -> Option<std::ops::Range<usize>> {
    let mut rest = bytes;
    let width = usize::from(encoding & 0xf);
    let count = usize::try_from(varint::take(&mut rest)?).ok().filter(|n| *n <= rows)?;
    let from = bytes.len() - rest.len();
    let (cells, mut tail) = rest.split_at_checked(rows.checked_mul(width)?)?;
    let mark = i64::MIN >> (64 - 8 * width);
    let (mut before, mut good) = (0i64, true);
    let mut found = |row: usize| {
        match varint::take(&mut tail) {
            Some(d) => before = before.wrapping_add(unzigzag(d)),
            None => good = false,
        }
        wide.push((row as u32, before));
    };
    match width {
        1 => marks(cells.as_chunks::<1>().0, |c| i64::from(c[0] as i8) == mark, &mut found),
        2 => marks(cells.as_chunks().0, |c| i64::from(i16::from_le_bytes(c)) == mark, &mut found),
        4 => marks(cells.as_chunks().0, |c| i64::from(i32::from_le_bytes(c)) == mark, &mut found),
        _ => return None,
    }
    (good && wide.len() == count && tail.is_empty()).then_some(from..from + cells.len())
}

/// Calls `found` for each cell that is the mark; most groups have none, which is seen without branches.
fn marks<T: Copy>(cells: &[T], is_mark: impl Fn(T) -> bool, found: &mut impl FnMut(usize)) {
    for (group, at) in cells.chunks(64).zip((0..).step_by(64)) {
        if group.iter().fold(false, |any, c| any | is_mark(*c)) {
            group.iter().zip(at..).filter(|(c, _)| is_mark(**c)).for_each(|(_, row)| found(row));
        }
    }
}

/// Reads exactly `count` values, less `minus` (mod 2^64), into `out`. The caller has capped `count`.
pub(super) fn read_into(
    encoding: u8,
    bytes: &[u8],
    count: usize,
    minus: u64,
    out: &mut Vec<u64>,
) -> Option<()> {
    out.clear();
    out.reserve(count);
    match encoding {
        BITS | BITS_ASCENDING => {
            let (mut rest, mut left, mut before, mut good) = (bytes, count, 0u64, true);
            let mut group = [0u64; GROUP];
            while left > 0 {
                let group = group.get_mut(..left.min(GROUP))?;
                left -= group.len();
                read_group(&mut rest, group)?;
                if encoding == BITS_ASCENDING {
                    out.extend(group.iter().map(|d| {
                        let (v, over) = before.overflowing_add(*d);
                        good &= !over;
                        before = v;
                        v.wrapping_sub(minus)
                    }));
                } else {
                    out.extend(group.iter().map(|v| v.wrapping_sub(minus)));
                }
            }
            (good && rest.is_empty()).then_some(())
        }
        STEP => {
            let mut rest = bytes;
            let (first, step) = (varint::take(&mut rest)?, varint::take(&mut rest)?);
            let from = first.wrapping_sub(minus);
            out.extend((0..count as u64).map(|i| from.wrapping_add(step.wrapping_mul(i))));
            rest.is_empty().then_some(())
        }
        _ => read(encoding, bytes, count, |v| out.push(v.wrapping_sub(minus))),
    }
}

fn fixed(encoding: u8, bytes: &[u8], mut sink: impl FnMut(u64)) -> Option<()> {
    match encoding {
        0x01 => bytes.iter().for_each(|b| sink(u64::from(*b))),
        0x02 => bytes.as_chunks().0.iter().for_each(|c| sink(u64::from(u16::from_le_bytes(*c)))),
        0x04 => bytes.as_chunks().0.iter().for_each(|c| sink(u64::from(u32::from_le_bytes(*c)))),
        0x08 => bytes.as_chunks().0.iter().for_each(|c| sink(u64::from_le_bytes(*c))),
        0x11 => bytes.iter().for_each(|b| sink(*b as i8 as i64 as u64)),
        0x12 => bytes.as_chunks().0.iter().for_each(|c| sink(i16::from_le_bytes(*c) as i64 as u64)),
        0x14 => bytes.as_chunks().0.iter().for_each(|c| sink(i32::from_le_bytes(*c) as i64 as u64)),
        0x18 => bytes.as_chunks().0.iter().for_each(|c| sink(u64::from_le_bytes(*c))),
        _ => return None,
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn back(encoding: u8, bytes: &[u8], count: usize) -> Option<Vec<u64>> {
        let (mut got, mut other) = (Vec::new(), vec![1, 2, 3]);
        let one = read(encoding, bytes, count, |v| got.push(v)).map(|()| got);
        let two = read_into(encoding, bytes, count, 7, &mut other).map(|()| other);
        assert_eq!(two, one.as_ref().map(|v| v.iter().map(|v| v.wrapping_sub(7)).collect()));
        one
    }

    fn values() -> impl Strategy<Value = Vec<u64>> {
        (0u32..64).prop_flat_map(|shift| {
            proptest::collection::vec(
                (any::<u64>(), 0u32..40).prop_map(move |(v, odd)| if odd == 0 { v } else { v >> shift }),
                0..300,
            )
        })
    }

    proptest! {
        #[test]
        fn columns_come_back(v in values(), sort in any::<bool>(), (first, step) in any::<(u64, u64)>()) {
            let mut v = v;
            if sort {
                v.sort_unstable();
            }
            let line: Vec<u64> = (0..9).map(|i| step.wrapping_mul(i).wrapping_add(first)).collect();
            for v in [v, line] {
                for way in 0..5 {
                    let (mut bytes, values) = (Vec::new(), v.iter().copied());
                    let encoding = match way {
                        0 => put_fixed(&mut bytes, values),
                        1 => put_varint(&mut bytes, values),
                        2 => put_packed(&mut bytes, values),
                        3 => put_clock(&mut bytes, values),
                        _ => put_growing(&mut bytes, values),
                    };
                    prop_assert_eq!(back(encoding, &bytes, v.len()), Some(v.clone()));
                    bytes.push(0);
                    prop_assert_eq!(back(encoding, &bytes, v.len()), None);
                }
                let mut bytes = Vec::new();
                let encoding = put_signed(&mut bytes, v.iter().map(|v| *v as i64));
                prop_assert_eq!(back(encoding, &bytes, v.len()), Some(v.clone()));
            }
        }

        #[test]
        fn anything_may_be_read(encoding in any::<u8>(), bytes in any::<Vec<u8>>(), count in 0usize..200) {
            if let Some(v) = back(encoding, &bytes, count) {
                prop_assert_eq!(v.len(), count);
            }
        }
    }

    #[test]
    fn a_few_wide_results_do_not_widen_the_rest() {
        let v: Vec<i64> = (0..64).map(|i| if i == 9 { 0x7f00_0000_1000 } else { i % 7 - 2 }).collect();
        let mut bytes = Vec::new();
        assert_eq!(put_signed(&mut bytes, v.iter().copied()), 0x41);
        assert!(bytes.len() < 64 + 10);
        assert_eq!(back(0x41, &bytes, 64), Some(v.iter().map(|v| *v as u64).collect()));
    }
}
