//! Structures of one size as columns of eight bytes: fields of one meaning stand together, which packs better and faster
//! than the structures do one after the other.
//!
//! Enters: strings and the runs of them, or an unpacked section that nobody trusts. Leaves: bytes, and strings back. Never: what
//! a field means; room for more than the front says.

use super::gathered::{MAX_SIZE, Run};
use super::{frame, ints, varint};
use crate::batch::Strings;

/// Bytes of a column's cell.
const WORD: usize = 8;

/// Appends them: {LEB128 count of runs; of each, LEB128 count and LEB128 size; then for each run its columns}.
pub(super) fn put_records(
    out: &mut Vec<u8>,
    runs: &[Run],
    records: &[u32],
    strings: Strings,
    cells: &mut Vec<u64>,
) {
    varint::put(out, runs.len() as u64);
    for run in runs {
        varint::put(out, run.count as u64);
        varint::put(out, run.size as u64);
    }
    let mut rest = records;
    for run in runs {
        let (these, others) = rest.split_at_checked(run.count).unwrap_or_default();
        rest = others;
        for at in (0..run.size).step_by(WORD) {
            cells.clear();
            cells.extend(these.iter().map(|id| cell(strings.get(*id).get(at..).unwrap_or_default())));
            let head = out.len();
            out.extend_from_slice(&[0; 5]);
            let encoding = ints::put_entries(out, cells.iter().copied());
            let len = (out.len() - head - 5) as u32;
            if let Some(room) = out.get_mut(head..head + 5) {
                room[0] = encoding;
                room[1..].copy_from_slice(&len.to_le_bytes());
            }
        }
    }
}

fn cell(bytes: &[u8]) -> u64 {
    if let Some(whole) = bytes.first_chunk() {
        return u64::from_le_bytes(*whole);
    }
    let mut word = [0; WORD];
    word.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    u64::from_le_bytes(word)
}

/// Reads the runs, which must not be more strings or bytes than there are; what follows in `bytes` are the columns.
pub(super) fn read_runs(bytes: &mut &[u8], (count, size): (u32, u32)) -> Option<Vec<Run>> {
    let runs = usize::try_from(varint::take(bytes)?).ok().filter(|n| *n <= count as usize)?;
    let mut found = Vec::with_capacity(runs.min(bytes.len()));
    let (mut left, mut room) = (count as usize, size as usize);
    for _ in 0..runs {
        let count = usize::try_from(varint::take(bytes)?).ok()?;
        let size = usize::try_from(varint::take(bytes)?).ok().filter(|n| (1..=MAX_SIZE).contains(n))?;
        left = left.checked_sub(count)?;
        room = room.checked_sub(count.checked_mul(size)?)?;
        found.push(Run { count, size });
    }
    Some(found)
}

/// Appends the strings of the runs; the caller has made sure that there may be so many.
pub(super) fn read_records(
    mut bytes: &[u8],
    runs: &[Run],
    at: &mut Vec<u32>,
    strings: &mut Vec<u8>,
) -> Option<()> {
    for run in runs {
        let from = strings.len();
        strings.resize(from + run.count * run.size, 0);
        at.extend((1..=run.count).map(|n| (from + n * run.size) as u32));
        let room = strings.get_mut(from..)?;
        for place in (0..run.size).step_by(WORD) {
            let [encoding] = frame::array(&mut bytes)?;
            let len = u32::from_le_bytes(frame::array(&mut bytes)?) as usize;
            let (column, rest) = bytes.split_at_checked(len)?;
            bytes = rest;
            let width = WORD.min(run.size - place);
            let mut records = room.chunks_exact_mut(run.size);
            ints::read(encoding, column, run.count, |v| {
                let cell = records.next().and_then(|record| record.get_mut(place..place + width));
                if let Some(cell) = cell {
                    cell.iter_mut().zip(v.to_le_bytes()).for_each(|(to, from)| *to = from);
                }
            })?;
        }
    }
    bytes.is_empty().then_some(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn write(runs: &[Run], all: &[Vec<u8>]) -> Vec<u8> {
        let (mut at, mut bytes) = (vec![0], Vec::new());
        for one in all {
            bytes.extend_from_slice(one);
            at.push(bytes.len() as u32);
        }
        let records: Vec<u32> = (0..all.len() as u32).collect();
        let mut out = Vec::new();
        put_records(&mut out, runs, &records, Strings { at: &at, bytes: &bytes }, &mut Vec::new());
        out
    }

    fn read(mut bytes: &[u8], limits: (u32, u32)) -> Option<Vec<Vec<u8>>> {
        let runs = read_runs(&mut bytes, limits)?;
        let (mut at, mut all) = (vec![0], Vec::new());
        read_records(bytes, &runs, &mut at, &mut all)?;
        Some(at.windows(2).map(|w| all[w[0] as usize..w[1] as usize].to_vec()).collect())
    }

    fn runs() -> impl Strategy<Value = (Vec<Run>, Vec<Vec<u8>>)> {
        let run = (1usize..70).prop_flat_map(|size| {
            proptest::collection::vec(proptest::collection::vec(any::<u8>(), size), 0..20)
                .prop_map(move |all| (Run { count: all.len(), size }, all))
        });
        proptest::collection::vec(run, 0..4)
            .prop_map(|all| all.into_iter().unzip())
            .prop_map(|(runs, all): (_, Vec<Vec<_>>)| (runs, all.concat()))
    }

    proptest! {
        #[test]
        fn what_is_written_is_read((runs, all) in runs(), cut in any::<prop::sample::Index>()) {
            let bytes = write(&runs, &all);
            let limits = (all.len() as u32, all.iter().map(Vec::len).sum::<usize>() as u32);
            // As many runs as strings at most: a run without any is more than that.
            prop_assume!(runs.len() <= all.len());
            prop_assert_eq!(read(&bytes, limits), Some(all.clone()));
            prop_assert_eq!(read(&bytes[..cut.index(bytes.len())], limits), None);
            prop_assert_eq!(read(&[&bytes[..], &[0]].concat(), limits), None);
            if !all.is_empty() {
                prop_assert_eq!(read(&bytes, (limits.0 - 1, limits.1)), None);
                prop_assert_eq!(read(&bytes, (limits.0, limits.1 - 1)), None);
            }
        }

        #[test]
        fn anything_may_be_read(bytes in any::<Vec<u8>>(), count in 0u32..100, size in 0u32..10_000) {
            if let Some(all) = read(&bytes, (count, size)) {
                prop_assert!(all.len() <= count as usize);
                prop_assert!(all.iter().map(Vec::len).sum::<usize>() <= size as usize);
            }
        }
    }

    #[test]
    fn a_size_that_no_structure_has_is_refused() {
        for (count, size) in [(1, 0), (1, MAX_SIZE as u64 + 1), (u64::MAX, 8), (3, u64::MAX)] {
            let mut bytes = Vec::new();
            [1, count, size].iter().for_each(|n| varint::put(&mut bytes, *n));
            assert_eq!(read(&bytes, (u32::MAX, u32::MAX)), None);
        }
        assert_eq!(read(&[0xff, 0xff, 3], (u32::MAX, u32::MAX)), None, "more runs than bytes");
    }

    /// Inodes and times that grow, modes that repeat: what a walk through a tree gives.
    #[test]
    fn files_of_a_directory_take_a_few_bytes_each() {
        let all: Vec<Vec<u8>> = (0..1000u64)
            .map(|i| {
                let words =
                    [66309, 1_000_000 + i * 3, 1, 33188, 0, 0, i * i % 90_000, 4096, i / 8, 1_700_000_000, i];
                words.iter().flat_map(|w| w.to_le_bytes()).collect()
            })
            .collect();
        let bytes = write(&[Run { count: 1000, size: 88 }], &all);
        assert!(bytes.len() < 88_000 / 8, "{}", bytes.len());
    }
}
