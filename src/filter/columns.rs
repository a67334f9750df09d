//! Loops over whole columns.
//!
//! Enters: a mask of rows, a column, what is asked of its numbers. Leaves: the mask without the rows whose numbers do not
//! do. Never: a field, a dictionary.
//!
//! A group of 64 rows in which many are still open is looked at without branches: 64 bytes of 0 or 1, which the compiler
//! makes in vector registers, then packed into a word. Where few are open, they are looked at one by one.

use super::compare::in_ranges;
use crate::batch::Cells;

/// From this many rows in a group of 64 on, all 64 are looked at.
const DENSE: u32 = 6;

/// The bits of 64 bytes that are 0 or 1.
#[inline]
fn packed(flags: &[u8; 64]) -> u64 {
    let mut bits = 0;
    for (i, eight) in flags.as_chunks::<8>().0.iter().enumerate() {
        // Each byte's lowest bit moves to a place of its own in the highest byte of the product.
        let byte = u64::from_le_bytes(*eight).wrapping_mul(0x0102_0408_1020_4080) >> 56;
        bits |= byte << (8 * i);
    }
    bits
}

/// Clears the rows of the mask for which a test of the row does not hold. `first` is the number of the mask's first word.
pub fn sparse(mask: &mut [u64], first: usize, mut holds: impl FnMut(usize) -> bool) {
    for (i, word) in mask.iter_mut().enumerate() {
        *word = one_by_one(*word, |bit| holds((first + i) * 64 + bit));
    }
}

#[inline]
fn one_by_one(word: u64, mut holds: impl FnMut(usize) -> bool) -> u64 {
    let (mut left, mut rest) = (word, word);
    while rest != 0 {
        let bit = rest.trailing_zeros();
        rest &= rest - 1;
        if !holds(bit as usize) {
            left &= !(1 << bit);
        }
    }
    left
}

/// The same for a test of one column's element; an element that was not loaded fails.
pub fn dense<T: Copy>(mask: &mut [u64], first: usize, column: &[T], holds: impl Fn(T) -> bool) {
    let groups = column.get(first * 64..).unwrap_or_default().as_chunks::<64>().0;
    let rest = (first + groups.len()) * 64;
    let whole = groups.len().min(mask.len());
    let (body, tail) = mask.split_at_mut(whole);
    for (word, all) in body.iter_mut().zip(groups) {
        if word.count_ones() >= DENSE {
            let mut flags = [0u8; 64];
            for (flag, value) in flags.iter_mut().zip(all) {
                *flag = u8::from(holds(*value));
            }
            *word &= packed(&flags);
        } else if *word != 0 {
            *word = one_by_one(*word, |bit| all.get(bit).is_some_and(|v| holds(*v)));
        }
    }
    for (i, word) in tail.iter_mut().enumerate() {
        *word = one_by_one(*word, |bit| column.get(rest + i * 64 + bit).is_some_and(|v| holds(*v)));
    }
}

/// A test of numbers that are places in a table: `yes` says for each whether it will do.
pub fn places(mask: &mut [u64], first: usize, cells: Cells<'_>, yes: &[bool]) {
    let mut runs = yes.iter().enumerate().filter(|(i, v)| **v && (*i == 0 || !yes[*i - 1])).map(|(i, _)| {
        let len = yes[i..].iter().take_while(|v| **v).count();
        (i, i + len - 1)
    });
    let (a, b) = match (runs.next(), runs.next(), runs.next()) {
        (None, ..) => return mask.fill(0),
        (Some((0, last)), None, _) if last + 1 == yes.len() => return,
        (Some(a), None, _) => (a, a),
        (Some(a), Some(b), None) => (a, b),
        _ => return table(mask, first, cells, yes),
    };
    match cells {
        // What is not in the table was refused when the column was loaded.
        Cells::U8(c) => {
            let (a, b) = (narrow(a), narrow(b));
            if a == b {
                dense(mask, first, c, |v| v.wrapping_sub(a.0) <= a.1);
            } else {
                dense(mask, first, c, |v| (v.wrapping_sub(a.0) <= a.1) | (v.wrapping_sub(b.0) <= b.1));
            }
        }
        Cells::U16(c) => dense(mask, first, c, |v| {
            let v = usize::from(u16::from_le_bytes(v));
            ((a.0 <= v) & (v <= a.1)) | ((b.0 <= v) & (v <= b.1))
        }),
        _ => table(mask, first, cells, yes),
    }
}

/// Where a run of bytes begins, and how far behind it ends.
fn narrow((from, to): (usize, usize)) -> (u8, u8) {
    (from.min(255) as u8, (to.min(255) - from.min(255)) as u8)
}

fn table(mask: &mut [u64], first: usize, cells: Cells<'_>, yes: &[bool]) {
    let has = |v: usize| yes.get(v).copied().unwrap_or(false);
    match cells {
        Cells::U8(c) => {
            let mut small = [false; 256];
            small.iter_mut().zip(yes).for_each(|(a, b)| *a = *b);
            dense(mask, first, c, |v| small[usize::from(v)]);
        }
        Cells::U16(c) => dense(mask, first, c, |v| has(usize::from(u16::from_le_bytes(v)))),
        Cells::Same(v) if has(v as usize) => {}
        Cells::Same(_) => mask.fill(0),
        _ => sparse(mask, first, |row| cells.get(row).is_some_and(|v| has(v as usize))),
    }
}

/// A test of numbers: whether they lie in one of the sorted ranges, or in none if `negated`. `wide` are the rows whose
/// numbers stand there instead; `copy` is memory that is used again.
pub fn ranges(
    mask: &mut [u64],
    first: usize,
    (cells, wide): (Cells<'_>, &[(u32, i64)]),
    ranges: &[(i128, i128)],
    negated: bool,
    copy: &mut Vec<u64>,
) {
    copy.clear();
    let has_wide = !wide.is_empty() && !matches!(cells, Cells::Same(_) | Cells::None);
    if has_wide {
        copy.extend_from_slice(mask);
    }
    let all = |v: i64| in_ranges(ranges, v.into()) != negated;
    let one = |least: i64, most: i64| match ranges {
        [(low, high)] => Some((
            (*low).clamp(i128::from(least), i128::from(most) + 1) as i64,
            (*high).clamp(i128::from(least) - 1, i128::from(most)) as i64,
        )),
        _ => None,
    };
    macro_rules! cells {
        ($column:ident, $type:ty, $of:expr) => {
            match one(<$type>::MIN.into(), <$type>::MAX.into()) {
                Some((low, high)) if low > high => dense(mask, first, $column, |_| negated),
                Some((low, high)) => {
                    let (low, high) = (low as $type, high as $type);
                    dense(mask, first, $column, |v| {
                        let v = $of(v);
                        ((low <= v) & (v <= high)) != negated
                    });
                }
                None => dense(mask, first, $column, |v| all($of(v).into())),
            }
        };
    }
    match cells {
        Cells::None => {}
        Cells::Same(v) if all(v) => {}
        Cells::Same(_) => mask.fill(0),
        Cells::U8(c) => cells!(c, u8, |v: u8| v),
        Cells::U16(c) => cells!(c, u16, u16::from_le_bytes),
        Cells::I8(c) => cells!(c, i8, |v: u8| v as i8),
        Cells::I16(c) => cells!(c, i16, i16::from_le_bytes),
        Cells::I32(c) => cells!(c, i32, i32::from_le_bytes),
    }
    if has_wide {
        for (row, value) in wide {
            let (row, bit) = (*row as usize / 64, 1u64 << (row % 64));
            let place = row.wrapping_sub(first);
            if let (Some(word), Some(before)) = (mask.get_mut(place), copy.get(place)) {
                *word = *word & !bit | if all(*value) { before & bit } else { 0 };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bits(mask: &[u64], rows: usize) -> Vec<bool> {
        (0..rows).map(|r| mask[r / 64] >> (r % 64) & 1 == 1).collect()
    }

    proptest! {
        #[test]
        fn loops_do_what_they_say(
            values in prop::collection::vec(any::<u8>(), 1..300),
            shift in 0u32..8,
            keep in any::<u64>(),
            yes in prop::collection::vec(any::<bool>(), 256),
            (a, b, c) in (-300i64..300, 0i64..200, 0i64..200),
            negated in any::<bool>(),
            wide in prop::collection::btree_map(0u32..300, any::<i16>(), 0..5),
        ) {
            let values: Vec<u8> = values.into_iter().map(|v| v >> shift).collect();
            let rows = values.len();
            let start = || -> Vec<u64> {
                (0..rows.div_ceil(64)).map(|i| keep.rotate_left(i as u32) & keep.wrapping_mul(3)).collect()
            };
            let two: Vec<[u8; 2]> = values.iter().map(|v| u16::from(*v).to_le_bytes()).collect();
            let few = [false, true, true, false];
            for yes in [&yes[..], &few[..], &[true; 256][..]] {
                let has = |v: u8| yes.get(usize::from(v)) == Some(&true);
                // What is not in the table never comes.
                let known = values.iter().all(|v| usize::from(*v) < yes.len());
                for cells in [Cells::U8(&values), Cells::U16(&two)] {
                    let mut mask = start();
                    places(&mut mask, 0, cells, yes);
                    let want: Vec<bool> =
                        bits(&start(), rows).iter().zip(&values).map(|(m, v)| *m && has(*v)).collect();
                    prop_assert!(!known || bits(&mask, rows) == want);
                }
            }
            let wide: Vec<(u32, i64)> = wide.into_iter().map(|(r, v)| (r, i64::from(v))).collect();
            let lists = [vec![(a.into(), (a + b).into())], vec![(a.into(), a.into()), ((a + c + 1).into(), (a + c + 1).into())]];
            for list in lists {
                for cells in [Cells::U8(&values), Cells::U16(&two), Cells::I8(&values), Cells::I16(&two)] {
                    let mut mask = start();
                    ranges(&mut mask, 0, (cells, &wide), &list, negated, &mut Vec::new());
                    for (row, before) in bits(&start(), rows).into_iter().enumerate() {
                        let value = wide.iter().find(|w| w.0 as usize == row).map_or(cells.get(row).unwrap(), |w| w.1);
                        let want = before && in_ranges(&list, value.into()) != negated;
                        prop_assert_eq!(bits(&mask, rows)[row], want);
                    }
                }
            }
        }
    }
}
