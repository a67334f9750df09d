//! Evaluation over columns.
//!
//! Enters: a plan, a batch, a range of rows. Leaves: a bit for each of the rows. Never: a row that an earlier and cheaper
//! test has decided, a dictionary entry that was judged before.
//!
//! A mask of the rows that are still undecided goes down the tree; every part clears what it rejects.

use std::ops::Range;

use super::columns::{dense, places, ranges, sparse};
use super::compare::{Compare, in_ranges};
use super::expr::{At, Basis};
use super::plan::{Listed, Plan, Planned, Tree};
use super::test::Test;
use crate::batch::{Batch, Bitmap, Cells, Columns, Dict, Negative, Slow, row_flags};
use crate::fields::{Extract, Slice, res};

/// Entries of a table of processes that are all judged before any row is looked at.
const JUDGED: usize = 4096;

const UNKNOWN: u8 = 0;
const NO: u8 = 1;
const YES: u8 = 2;

/// What has been decided about the entries of one block's dictionary, and memory that is used again. Lives as long as the
/// block, for one filter; another filter starts it afresh.
#[derive(Clone, Debug, Default)]
pub struct Verdicts {
    owner: u64,
    tables: Vec<Vec<u8>>,
    spare: Vec<Vec<u64>>,
    yes: Vec<bool>,
}

impl Verdicts {
    /// Forgets everything: a new block begins. Keeps its memory.
    pub fn reset(&mut self) {
        self.tables.iter_mut().for_each(Vec::clear);
    }

    fn begin(&mut self, owner: u64, tests: usize) {
        if self.owner != owner {
            self.reset();
            self.owner = owner;
        }
        self.tables.resize_with(tests, Vec::new);
    }

    fn copy(&mut self, mask: &[u64]) -> Vec<u64> {
        let mut copy = self.spare.pop().unwrap_or_default();
        copy.clear();
        copy.extend_from_slice(mask);
        copy
    }
}

/// Of each test of an entry of the dictionary, whether it holds for any; true for other tests.
pub fn judge_tables(plan: &Plan, owner: u64, state: &mut Verdicts, dict: &Dict<'_>) -> Vec<bool> {
    state.begin(owner, plan.tests.len());
    let each = plan.tests.iter().zip(&mut state.tables).map(|(Planned { test, .. }, table)| {
        let mut any = |len: usize, holds: &dyn Fn(u32) -> bool| {
            table.resize(len.max(table.len()), UNKNOWN);
            (0..len as u32).any(|id| judge(table, id, || holds(id)))
        };
        match test.basis() {
            Basis::Proc => any(dict.procs.len(), &|id| test.holds_at(At::Proc(dict, id))),
            Basis::File => any(dict.files.len(), &|id| test.holds_at(At::File(dict, id))),
            _ => true,
        }
    });
    each.collect()
}

/// Evaluates `plan` for `rows`; writes their bits in `out` and no others.
pub fn select(
    plan: &Plan,
    owner: u64,
    state: &mut Verdicts,
    batch: &Batch<'_>,
    rows: Range<usize>,
    out: &mut Bitmap,
) {
    let rows = rows.start..rows.end.min(batch.rows);
    if rows.is_empty() {
        return;
    }
    if out.len() < rows.end {
        let before = out.words().to_vec();
        out.reset(rows.end, false);
        out.words_mut()[..before.len()].copy_from_slice(&before);
    }
    state.begin(owner, plan.tests.len());
    let first = rows.start / 64;
    let edge = |word: usize| {
        let from = if word == rows.start / 64 { u64::MAX << (rows.start % 64) } else { u64::MAX };
        let to = if word == rows.end / 64 { (1 << (rows.end % 64)) - 1 } else { u64::MAX };
        from & to
    };
    let mut mask = state.copy(&[]);
    mask.extend((first..rows.end.div_ceil(64)).map(edge));
    let mut run = Run { plan, state, batch, first };
    run.part(&plan.tree, &mut mask);
    for (i, (to, from)) in out.words_mut()[first..].iter_mut().zip(&mask).enumerate() {
        let edge = edge(first + i);
        *to = *to & !edge | from;
    }
    state.spare.push(mask);
}

/// Clears the rows of a whole block for which one stage of the plan does not hold.
pub fn stage(
    plan: &Plan,
    owner: u64,
    state: &mut Verdicts,
    batch: &Batch<'_>,
    stage: usize,
    rows: &mut Bitmap,
) {
    state.begin(owner, plan.tests.len());
    if let Some(part) = plan.stages().get(stage) {
        Run { plan, state, batch, first: 0 }.part(part, rows.words_mut());
    }
}

struct Run<'r, 'a> {
    plan: &'r Plan,
    state: &'r mut Verdicts,
    batch: &'r Batch<'a>,
    /// Number of the mask's first word: row / 64.
    first: usize,
}

fn is_empty(mask: &[u64]) -> bool {
    mask.iter().all(|w| *w == 0)
}

fn and_not(mask: &mut [u64], with: &[u64]) {
    for (a, b) in mask.iter_mut().zip(with) {
        *a &= !b;
    }
}

impl Run<'_, '_> {
    /// Clears the rows for which a part does not hold.
    fn part(&mut self, tree: &Tree, mask: &mut [u64]) {
        match tree {
            Tree::True => {}
            Tree::And(parts) => {
                for part in parts {
                    if is_empty(mask) {
                        return;
                    }
                    self.part(part, mask);
                }
            }
            Tree::Or(parts) => {
                // What is left in `open` was rejected by every part so far.
                let mut open = self.state.copy(mask);
                for part in parts {
                    if is_empty(&open) {
                        break;
                    }
                    let mut kept = self.state.copy(&open);
                    self.part(part, &mut kept);
                    and_not(&mut open, &kept);
                    self.state.spare.push(kept);
                }
                and_not(mask, &open);
                self.state.spare.push(open);
            }
            Tree::Not(inner) => {
                let mut kept = self.state.copy(mask);
                self.part(inner, &mut kept);
                and_not(mask, &kept);
                self.state.spare.push(kept);
            }
            Tree::Test(i) => {
                let Some(planned) = self.plan.tests.get(*i) else { return };
                self.test(planned, *i, mask);
            }
        }
    }

    fn test(&mut self, planned: &Planned, index: usize, mask: &mut [u64]) {
        let (batch, first, test) = (self.batch, self.first, &planned.test);
        if !test.is_plain() {
            return self.composite(planned, index, mask);
        }
        match test.field.extract {
            Extract::Code(_) => match batch.packed.call {
                Cells::None => dense(mask, first, batch.call, |code| planned.codes.has(code)),
                cells => {
                    let yes = &mut self.state.yes;
                    yes.clear();
                    yes.extend(batch.packed.codes.iter().map(|code| planned.codes.has(*code)));
                    places(mask, first, cells, yes);
                }
            },
            Extract::Column(columns, get, none) => match (get(batch), &test.compare) {
                (_, Compare::Ranges(list)) if columns == Columns::RET && self.negative(planned).is_some() => {
                    self.by_sign(planned, list, test.negated(), mask);
                }
                (_, Compare::Ranges(list)) if columns == Columns::LATENCY && self.slow(planned).is_some() => {
                    if let Some(slow) = self.slow(planned) {
                        slow.select(mask, first, |v| in_ranges(list, v.into()));
                    }
                }
                (Slice::I64([]), Compare::Ranges(list))
                    if columns == Columns::RET && !batch.packed.ret.is_none() =>
                {
                    let mut copy = self.state.copy(&[]);
                    let cells = (batch.packed.ret, batch.packed.ret_wide);
                    ranges(mask, first, cells, list, test.negated(), &mut copy);
                    self.state.spare.push(copy);
                }
                (Slice::U16(s), _) => column(mask, first, s, test, none, (u16::MIN, u16::MAX)),
                (Slice::U32(s), _) => column(mask, first, s, test, none, (u32::MIN, u32::MAX)),
                (Slice::U64(s), _) => column(mask, first, s, test, none, (u64::MIN, u64::MAX)),
                // No signed number stands for "not there"; Field::value does not know one either.
                (Slice::I64(s), _) => column(mask, first, s, test, None, (i64::MIN, i64::MAX)),
            },
            Extract::Moment(get) => match &test.compare {
                Compare::Ranges(list) => dense(mask, first, batch.time, |time| {
                    in_ranges(list, get(&batch.meta, time).into()) != test.negated()
                }),
                Compare::Exists => dense(mask, first, batch.time, |_| true),
                _ => sparse(mask, first, |row| test.holds_for(batch, row)),
            },
            Extract::Result(_) => self.result(planned, mask),
            Extract::Proc(get) => {
                let Some(table) = self.state.tables.get_mut(index) else { return };
                let procs = batch.dict.procs.len();
                table.resize(procs.max(table.len()), UNKNOWN);
                let mut holds = |id| judge(table, id, || test.holds(&get(&batch.dict, id, &test.key)));
                match batch.packed.proc {
                    Cells::None => {
                        sparse(mask, first, |row| batch.proc.get(row).is_some_and(|id| holds(*id)))
                    }
                    Cells::Same(v) if !holds((v as u32).wrapping_sub(1)) => mask.fill(0),
                    Cells::Same(_) => {}
                    cells if procs <= JUDGED => {
                        let yes = &mut self.state.yes;
                        yes.clear();
                        yes.extend((0..=procs as u32).map(|v| holds(v.wrapping_sub(1))));
                        places(mask, first, cells, yes);
                    }
                    cells => sparse(mask, first, |row| {
                        cells.get(row).is_some_and(|v| holds((v as u32).wrapping_sub(1)))
                    }),
                }
            }
            Extract::File(get) => {
                let Some(table) = self.state.tables.get_mut(index) else { return };
                table.resize(batch.dict.files.len().max(table.len()), UNKNOWN);
                sparse(mask, first, |row| {
                    let Some(id) = batch.file_id_of(row) else { return false };
                    judge(table, id, || test.holds(&get(&batch.dict, id, &test.key)))
                });
            }
            Extract::Row(_, get) => {
                sparse(mask, first, |row| test.holds(&get(batch, row, &test.key)));
            }
        }
    }
}

impl Run<'_, '_> {
    /// A test of more than a field and constants: decided as seldom as its values change.
    fn composite(&mut self, planned: &Planned, index: usize, mask: &mut [u64]) {
        let (batch, first, test) = (self.batch, self.first, &planned.test);
        let Some(table) = self.state.tables.get_mut(index) else { return };
        match test.basis() {
            Basis::Code => dense(mask, first, batch.call, |code| planned.codes.has(code)),
            Basis::Proc => {
                table.resize(batch.dict.procs.len().max(table.len()), UNKNOWN);
                sparse(mask, first, |row| {
                    let Some(&id) = batch.proc.get(row) else { return false };
                    judge(table, id, || test.holds_at(At::Proc(&batch.dict, id)))
                });
            }
            Basis::File => {
                table.resize(batch.dict.files.len().max(table.len()), UNKNOWN);
                sparse(mask, first, |row| {
                    let Some(id) = batch.file_id_of(row) else { return false };
                    judge(table, id, || test.holds_at(At::File(&batch.dict, id)))
                });
            }
            Basis::Row => sparse(mask, first, |row| test.holds_for(batch, row)),
        }
    }

    /// The list of results below zero, if it decides the test; and whether results from zero on will do.
    fn negative(&self, planned: &Planned) -> Option<(Negative<'_>, bool)> {
        match planned.listed {
            Some(Listed::Negative(fine)) => self.batch.packed.negative.map(|n| (n, fine)),
            _ => None,
        }
    }

    /// The list of long latencies, if it decides the test.
    fn slow(&self, planned: &Planned) -> Option<Slow<'_>> {
        let spared = planned.spared(&self.batch.packed).has(Columns::LATENCY);
        self.batch.packed.slow.filter(|_| spared)
    }

    /// A test of the result by the list of those below zero.
    fn by_sign(&self, planned: &Planned, ranges: &[(i128, i128)], negated: bool, mask: &mut [u64]) {
        if let Some((negative, fine)) = self.negative(planned) {
            let every = !negated && ranges.iter().any(|(low, high)| *low <= i64::MIN.into() && *high >= -1);
            negative.select(mask, self.first, fine, |v| in_ranges(ranges, v.into()) != negated, every);
        }
    }

    /// A test of the result: which results will do is known, and which codes have one.
    fn result(&mut self, planned: &Planned, mask: &mut [u64]) {
        let (batch, first, packed) = (self.batch, self.first, &self.batch.packed);
        let without = planned.without_result;
        let is_listed = self.negative(planned).is_some();
        let is_narrow =
            matches!(packed.call, Cells::U8(_) | Cells::U16(_) | Cells::Same(_)) && !packed.flags.is_none();
        if !(is_listed || is_narrow && !packed.ret.is_none()) {
            return sparse(mask, first, |row| match batch.call.get(row) {
                Some(_) if res::has_result(batch, row) => {
                    in_ranges(&planned.results, batch.ret_of(row).into())
                }
                Some(_) => without,
                None => planned.test.holds_for(batch, row),
            });
        }
        // The rows without a result, of those that are open.
        let mut rest = self.state.copy(mask);
        if is_narrow {
            let yes = &mut self.state.yes;
            yes.clear();
            yes.extend(packed.codes.iter().map(|code| res::returns(batch.schema.shape(*code))));
            if yes.contains(&false) {
                places(mask, first, packed.call, yes);
            }
            let unfinished = |flags: u16| flags & row_flags::UNFINISHED != 0;
            match packed.flags {
                Cells::Same(v) if !unfinished(v as u16) => {}
                Cells::Same(_) => mask.fill(0),
                Cells::U8(c) => dense(mask, first, c, |v| !unfinished(u16::from(v))),
                Cells::U16(c) => dense(mask, first, c, |v| !unfinished(u16::from_le_bytes(v))),
                cells => sparse(mask, first, |row| cells.get(row).is_some_and(|v| !unfinished(v as u16))),
            }
        } else {
            sparse(mask, first, |row| batch.call.get(row).is_some() && res::has_result(batch, row));
        }
        and_not(&mut rest, mask);
        if is_listed {
            self.by_sign(planned, &planned.results, false, mask);
        } else {
            let mut copy = self.state.copy(&[]);
            ranges(mask, first, (packed.ret, packed.ret_wide), &planned.results, false, &mut copy);
            self.state.spare.push(copy);
        }
        if without {
            mask.iter_mut().zip(&rest).for_each(|(a, b)| *a |= b);
        }
        self.state.spare.push(rest);
    }
}

/// The verdict about an entry of the dictionary, decided at most once.
fn judge(table: &mut [u8], id: u32, decide: impl FnOnce() -> bool) -> bool {
    match table.get_mut(id as usize) {
        Some(verdict) => {
            if *verdict == UNKNOWN {
                *verdict = if decide() { YES } else { NO };
            }
            *verdict == YES
        }
        // No such entry: whatever the field makes of that.
        None => decide(),
    }
}

/// A test of a numeric column. `none` is the element that means "not there".
fn column<T>(mask: &mut [u64], first: usize, slice: &[T], test: &Test, none: Option<u64>, ends: (T, T))
where
    T: Copy + Ord + Into<i128> + TryFrom<i128>,
{
    let none = none.and_then(|n| T::try_from(i128::from(n)).ok());
    let there = |value: T| none != Some(value);
    let negated = test.negated();
    match &test.compare {
        Compare::Exists => dense(mask, first, slice, there),
        Compare::Ranges(ranges) => match ranges.as_slice() {
            [(low, high)] => {
                // The range in the element's own type; one that lies outside is empty.
                let (least, most): (i128, i128) = (ends.0.into(), ends.1.into());
                let low = T::try_from((*low).max(least)).ok();
                let high = T::try_from((*high).min(most)).ok();
                match (low, high) {
                    (Some(low), Some(high)) if !negated && none.is_none_or(|n| n < low || n > high) => {
                        dense(mask, first, slice, |v| (low <= v) & (v <= high));
                    }
                    (Some(low), Some(high)) if !negated && none == Some(high) => {
                        dense(mask, first, slice, |v| (low <= v) & (v < high));
                    }
                    (Some(low), Some(high)) => {
                        dense(mask, first, slice, |v| there(v) & (((low <= v) & (v <= high)) != negated));
                    }
                    _ => dense(mask, first, slice, |v| there(v) & negated),
                }
            }
            several => dense(mask, first, slice, |v| there(v) && in_ranges(several, v.into()) != negated),
        },
        // The types do not fit: nothing is equal.
        _ => dense(mask, first, slice, |v| there(v) & negated),
    }
}
