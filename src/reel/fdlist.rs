//! The files of sets and arrays of descriptors: a section that names the few rows that have any.
//!
//! Enters: rows and files of a batch, or an unpacked section that nobody trusts. Leaves: bytes, and back. Never: room for
//! more than the limits allow; a row without a file.

use super::front::{MAX_ROWS, MAX_RUN};
use super::listed::{put, take};
use super::{ints, varint};
use crate::batch::{Batch, NONE};
use crate::schema::fdlist::MOST;

/// True if a reader will accept them: the writer asks before it writes.
pub(super) fn is_sound(b: &Batch) -> bool {
    let (rows, files) = (b.fdlist_row, b.dict.files.len());
    rows.len() == b.fdlist.len()
        && rows.len() <= MAX_RUN
        && rows.is_sorted()
        && rows.last().is_none_or(|row| (*row as usize) < b.rows)
        && rows.chunk_by(|a, b| a == b).all(|run| run.len() <= MOST)
        && b.fdlist.iter().all(|id| *id == NONE || (*id as usize) < files)
}

/// Appends them; nothing if there are none.
pub(super) fn put_fdlist(out: &mut Vec<u8>, b: &Batch) {
    if b.fdlist.is_empty() {
        return;
    }
    let runs = || b.fdlist_row.chunk_by(|a, b| a == b);
    let rows: Vec<u64> = runs().filter_map(|run| run.first().copied().map(u64::from)).collect();
    let counts: Vec<u64> = runs().map(|run| run.len() as u64).collect();
    varint::put(out, rows.len() as u64);
    put(out, |bytes| ints::put_clock(bytes, rows.iter().copied()));
    put(out, |bytes| ints::put_fixed(bytes, counts.iter().copied()));
    put(out, |bytes| ints::put_fixed(bytes, b.fdlist.iter().map(|id| u64::from(id.wrapping_add(1)))));
}

/// Reads them into `row` and `file`.
pub(super) fn read_fdlist(
    mut bytes: &[u8],
    (rows, files): (usize, u32),
    row: &mut Vec<u32>,
    file: &mut Vec<u32>,
) -> Option<()> {
    let count = usize::try_from(varint::take(&mut bytes)?).ok().filter(|n| *n <= rows.min(MAX_ROWS))?;
    let (mut of, mut good) = (Vec::with_capacity(count), true);
    take(&mut bytes, count, |v| {
        good &= v < rows as u64 && of.last().is_none_or(|last| u64::from(*last) < v);
        of.push(v as u32);
    })?;
    let mut of = of.into_iter();
    take(&mut bytes, count, |v| {
        let len = usize::try_from(v).unwrap_or(usize::MAX);
        good &= (1..=MOST).contains(&len) && row.len() + len.min(MOST) <= MAX_RUN;
        if let Some(of) = of.next().filter(|_| good) {
            row.resize(row.len() + len, of);
        }
    })?;
    if !good {
        return None;
    }
    file.reserve(row.len());
    take(&mut bytes, row.len(), |v| {
        // Stored plus one: 0 is "not known".
        good &= v <= u64::from(files);
        file.push((v as u32).wrapping_sub(1));
    })?;
    (good && bytes.is_empty()).then_some(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::samples::{schema, wild};
    use super::*;

    /// Bytes of a section, of any columns.
    fn section(count: u64, columns: [&[u64]; 3]) -> Vec<u8> {
        let mut out = Vec::new();
        varint::put(&mut out, count);
        for column in columns {
            put(&mut out, |bytes| ints::put_varint(bytes, column.iter().copied()));
        }
        out
    }

    fn read(bytes: &[u8], rows: usize, files: u32) -> Option<(Vec<u32>, Vec<u32>)> {
        let (mut row, mut file) = (Vec::new(), Vec::new());
        read_fdlist(bytes, (rows, files), &mut row, &mut file).map(|()| (row, file))
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let good = section(2, [&[3, 9], &[2, 1], &[1, 0, 5]]);
        assert_eq!(read(&good, 10, 5), Some((vec![3, 3, 9], vec![0, NONE, 4])));
        assert!((0..good.len()).all(|n| read(&good[..n], 10, 5).is_none()), "cut anywhere");
        assert_eq!(read(&[&good[..], &[0]].concat(), 10, 5), None, "longer than it says");
        for (what, rows, files, bytes) in [
            ("a row past the end", 9, 5, good.clone()),
            ("a file past the end", 10, 4, good),
            ("rows that do not ascend", 10, 5, section(2, [&[9, 3], &[2, 1], &[1, 0, 5]])),
            ("a row twice", 10, 5, section(2, [&[3, 3], &[2, 1], &[1, 0, 5]])),
            ("a row without files", 10, 5, section(2, [&[3, 9], &[3, 0], &[1, 0, 5]])),
            ("more files than counted", 10, 5, section(2, [&[3, 9], &[2, 1], &[1, 0, 5, 5]])),
            ("fewer files than counted", 10, 5, section(2, [&[3, 9], &[2, 2], &[1, 0, 5]])),
            ("a row of 64 bits", 10, 5, section(1, [&[1 << 32], &[1], &[1]])),
            ("a file of 64 bits", 10, 5, section(1, [&[1], &[1], &[1 << 32]])),
            ("more rows than there are", 1, 5, section(2, [&[0, 1], &[1, 1], &[1, 1]])),
            ("more than memory has", 10, 5, section(u64::MAX, [&[0], &[1], &[1]])),
            ("too many of a row", 10, 5, section(1, [&[0], &[MOST as u64 + 1], &[1]])),
            ("as many as a number holds", 10, 5, section(2, [&[0, 1], &[u64::MAX, u64::MAX], &[1]])),
        ] {
            assert_eq!(read(&bytes, rows, files), None, "{what}");
        }
        // All that there may be of each row would be more than a block may have: refused before there is room for it.
        let rows = MAX_RUN / MOST + 1;
        let mut bytes = Vec::new();
        varint::put(&mut bytes, rows as u64);
        for (first, step) in [(0, 1), (MOST as u64, 0), (1, 0)] {
            put(&mut bytes, |out| {
                varint::put(out, first);
                varint::put(out, step);
                ints::STEP
            });
        }
        let (mut row, mut file) = (Vec::new(), Vec::new());
        assert!(read_fdlist(&bytes, (rows, 5), &mut row, &mut file).is_none());
        assert!(row.capacity() <= 2 * MAX_RUN && file.is_empty());
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(rows in 1usize..60, seed in any::<u64>()) {
            let block = wild(schema(), rows, seed);
            let batch = block.view(schema());
            prop_assert!(is_sound(&batch));
            let mut bytes = Vec::new();
            put_fdlist(&mut bytes, &batch);
            prop_assert_eq!(bytes.is_empty(), batch.fdlist.is_empty());
            if !bytes.is_empty() {
                let files = batch.dict.files.len() as u32;
                prop_assert_eq!(read(&bytes, rows, files), Some((batch.fdlist_row.to_vec(), batch.fdlist.to_vec())));
            }
        }

        #[test]
        fn anything_may_be_read(bytes in any::<Vec<u8>>(), rows in 0usize..300, files in 0u32..9) {
            if let Some((row, file)) = read(&bytes, rows, files) {
                prop_assert_eq!(row.len(), file.len());
                prop_assert!(row.is_sorted() && row.iter().all(|r| (*r as usize) < rows));
                prop_assert!(file.iter().all(|id| *id == NONE || *id < files));
            }
        }
    }
}
