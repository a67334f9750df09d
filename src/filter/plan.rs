//! The plan: one tree, and what can be known from it before any row is seen.
//!
//! Enters: a checked tree and the schema that codes belong to. Leaves: the tree with its cheapest tests first, the codes
//! that can match (for the kernel's reject), the columns to load, the test that skips blocks. Never: a row.
//!
//! Every answer here errs to one side only: a code or a block that could match is never left out. Each node is looked at
//! from both sides, "can it be true" and "can it be false", so that `not` needs no special case.

use super::bits;
use super::check::Node;
use super::codes::CodeSet;
use super::compare::Compare;
use super::expr::{At, Basis};
use super::keys;
use super::reject::Bounds;
use super::test::Test;
use crate::batch::{Columns, Meta, Packed, Summary, Tables};
use crate::fields::Extract;
use crate::schema::Schema;

/// A filter's tree; tests by index.
#[derive(Clone, Debug)]
pub enum Tree {
    /// Every event.
    True,
    /// All of them; cheapest first.
    And(Vec<Tree>),
    /// Any of them; cheapest first.
    Or(Vec<Tree>),
    /// Not.
    Not(Box<Tree>),
    /// A test.
    Test(usize),
}

/// A test, and for which codes it can hold.
#[derive(Clone, Debug)]
pub struct Planned {
    /// The test.
    pub test: Test,
    /// Codes for which it can hold; for a test of the code, exactly those for which it does.
    pub codes: CodeSet,
    /// Of a test of the result: the results for which it holds …
    pub results: Vec<(i128, i128)>,
    /// … and whether it holds for rows without one.
    pub without_result: bool,
    /// It can hold only in a block whose summary has one of these keys …
    pub keys: Option<Vec<u64>>,
    /// … and whose pieces of texts have all keys of one of these lists.
    pub pieces: Option<Vec<Vec<u64>>>,
    /// A list beside a column by which it can be decided.
    pub listed: Option<Listed>,
}

/// What a list must have so that a test needs no column.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Listed {
    /// The results below zero: all others are the same to the test, they do or (false) they do not.
    Negative(bool),
    /// Every latency from this one on: none below does.
    Slow(u64),
}

impl Planned {
    /// What of its columns is not needed for rows of which this is listed.
    pub fn spared(&self, packed: &Packed<'_>) -> Columns {
        match self.listed {
            Some(Listed::Negative(_)) if packed.negative.is_some() => Columns::RET,
            Some(Listed::Slow(least)) if packed.slow.is_some_and(|s| s.floor <= least) => Columns::LATENCY,
            _ => Columns::NOTHING,
        }
    }
}

/// What is known of a block before its dictionary and its columns.
#[derive(Clone, Copy, Debug, Default)]
pub struct Glance<'a> {
    /// The codes that occur.
    pub codes: Option<&'a [u16]>,
    /// Its clocks, and the times of its earliest and latest row.
    pub times: Option<(Meta, u64, u64)>,
    /// The summary of its dictionary.
    pub summary: Option<Summary<'a>>,
    /// The pieces of the dictionary's texts.
    pub pieces: Option<Summary<'a>>,
}

/// What evaluation and skipping need.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The tree.
    pub tree: Tree,
    /// Its tests.
    pub tests: Vec<Planned>,
    /// Codes that can match.
    pub codes: CodeSet,
    /// What else is known of what can match.
    pub bounds: Bounds,
    /// Columns that the tests read.
    pub columns: Columns,
}

impl Plan {
    /// The plan that lets every row pass.
    pub fn everything() -> Plan {
        Plan {
            tree: Tree::True,
            tests: Vec::new(),
            codes: CodeSet::all(),
            bounds: Bounds::default(),
            columns: Columns::NOTHING,
        }
    }

    /// Plans a checked tree for rows whose codes are those of `schema`.
    pub fn new(node: &Node, schema: &Schema) -> Plan {
        let mut plan = Plan::everything();
        plan.tree = plan.place(node, schema).0;
        plan.codes = plan.bounds(&plan.tree).0;
        plan.bounds = Bounds::of(&plan.tree, &plan.tests);
        plan.columns = plan.tests.iter().fold(Columns::NOTHING, |all, t| all.and(t.test.columns()));
        plan
    }

    /// The tree of a node and what it costs per row.
    fn place(&mut self, node: &Node, schema: &Schema) -> (Tree, u32) {
        match node {
            Node::True => (Tree::True, 0),
            Node::Not(inner) => {
                let (tree, cost) = self.place(inner, schema);
                (Tree::Not(Box::new(tree)), cost)
            }
            Node::And(_) | Node::Or(_) => {
                let is_and = matches!(node, Node::And(_));
                let mut parts = Vec::new();
                flatten(node, is_and, &mut |n| parts.push(self.place(n, schema)));
                // Stable: among equals the user's order may know better.
                parts.sort_by_key(|(_, cost)| *cost);
                let cost = parts.iter().fold(0u32, |sum, (_, cost)| sum.saturating_add(*cost));
                let parts = parts.into_iter().map(|(tree, _)| tree).collect();
                (if is_and { Tree::And(parts) } else { Tree::Or(parts) }, cost)
            }
            Node::Test(test) => {
                let codes = codes_of(test, schema);
                let cost = test.cost();
                let (results, without_result) = results(test);
                let keys = keys::of(test, &results, without_result);
                let pieces = keys::pieces(test);
                let listed = listed(test, &results);
                let test = (**test).clone();
                self.tests.push(Planned { test, codes, results, without_result, keys, pieces, listed });
                (Tree::Test(self.tests.len() - 1), cost)
            }
        }
    }

    /// The codes for which a part can be true, and those for which it can be false.
    fn bounds(&self, tree: &Tree) -> (CodeSet, CodeSet) {
        match tree {
            Tree::True => (CodeSet::all(), CodeSet::none()),
            Tree::Not(inner) => {
                let (can, cannot) = self.bounds(inner);
                (cannot, can)
            }
            Tree::And(parts) => parts.iter().fold((CodeSet::all(), CodeSet::none()), |all, part| {
                let one = self.bounds(part);
                (all.0.and(&one.0), all.1.or(&one.1))
            }),
            Tree::Or(parts) => parts.iter().fold((CodeSet::none(), CodeSet::all()), |all, part| {
                let one = self.bounds(part);
                (all.0.or(&one.0), all.1.and(&one.1))
            }),
            Tree::Test(i) => {
                let Some(planned) = self.tests.get(*i) else { return (CodeSet::all(), CodeSet::all()) };
                let cannot = match planned.test.basis() {
                    Basis::Code => planned.codes.clone().complement(),
                    _ => CodeSet::all(),
                };
                (planned.codes.clone(), cannot)
            }
        }
    }

    /// The parts that all must hold, in order.
    pub fn stages(&self) -> &[Tree] {
        match &self.tree {
            Tree::And(parts) => parts,
            Tree::True => &[],
            one => std::slice::from_ref(one),
        }
    }

    /// The tests of a part.
    fn tests_of<'p>(&'p self, tree: &'p Tree, each: &mut dyn FnMut(&'p Planned)) {
        match tree {
            Tree::True => {}
            Tree::And(parts) | Tree::Or(parts) => parts.iter().for_each(|p| self.tests_of(p, each)),
            Tree::Not(inner) => self.tests_of(inner, each),
            Tree::Test(i) => self.tests.get(*i).into_iter().for_each(each),
        }
    }

    /// The columns beside which there may be lists that a part would do with.
    pub fn listed_of(&self, tree: &Tree) -> Columns {
        let mut all = Columns::NOTHING;
        self.tests_of(tree, &mut |planned| {
            all = all.and(match planned.listed {
                Some(Listed::Negative(_)) => Columns::RET,
                Some(Listed::Slow(_)) => Columns::LATENCY,
                None => Columns::NOTHING,
            });
        });
        all
    }

    /// The columns that a part reads: those that may be in narrow form, and those that must be decoded; without those
    /// that lists spare it.
    pub fn columns_of(&self, tree: &Tree, packed: &Packed<'_>) -> (Columns, Columns) {
        let (mut narrow, mut decoded) = (Columns::NOTHING, Columns::NOTHING);
        self.tests_of(tree, &mut |planned| {
            let test = &planned.test;
            let columns = Columns(test.columns().0 & !planned.spared(packed).0);
            let may_be_narrow = match test.field.extract {
                _ if !test.is_plain() => false,
                Extract::Code(_) | Extract::Proc(_) | Extract::Result(_) => true,
                Extract::Column(Columns::RET, ..) => matches!(test.compare, Compare::Ranges(_)),
                _ => false,
            };
            let all = if may_be_narrow { &mut narrow } else { &mut decoded };
            *all = all.and(columns);
        });
        (narrow, decoded)
    }

    /// The tables of the dictionary that tests look at.
    pub fn tables(&self) -> Tables {
        let each = self.tests.iter().map(|t| match t.test.basis() {
            Basis::Proc => Tables::Procs,
            Basis::File => Tables::Files,
            Basis::Code | Basis::Row => Tables::Nothing,
        });
        each.max().unwrap_or_default()
    }

    /// False if no row of a block can match of which this is known; `can` says of each test whether its table has an
    /// entry for which it holds.
    pub fn may_match(&self, known: &Glance<'_>, can: Option<&[bool]>) -> bool {
        let each = |(i, planned): (usize, &Planned)| {
            let by_table = can.and_then(|can| can.get(i)).copied().unwrap_or(true);
            let by_summary = match (known.summary, &planned.keys) {
                (Some(summary), Some(keys)) => keys.iter().any(|k| summary.may_have(*k)),
                _ => true,
            };
            let by_pieces = match (known.pieces, &planned.pieces) {
                (Some(pieces), Some(lists)) => lists.iter().any(|l| l.iter().all(|k| pieces.may_have(*k))),
                _ => true,
            };
            by_table
                && by_summary
                && by_pieces
                && known.times.is_none_or(|times| in_time(&planned.test, &times))
        };
        let can: Vec<bool> = self.tests.iter().enumerate().map(each).collect();
        match known.codes {
            Some(codes) => {
                codes.iter().any(|code| self.codes.has(*code) && self.may(&self.tree, Some(*code), &can).0)
            }
            None => self.may(&self.tree, None, &can).0,
        }
    }

    /// Whether a part can be true, and whether it can be false, for a row with this code.
    fn may(&self, tree: &Tree, code: Option<u16>, can: &[bool]) -> (bool, bool) {
        match tree {
            Tree::True => (true, false),
            Tree::Not(inner) => {
                let (yes, no) = self.may(inner, code, can);
                (no, yes)
            }
            Tree::And(parts) => parts.iter().fold((true, false), |all, part| {
                let one = self.may(part, code, can);
                (all.0 && one.0, all.1 || one.1)
            }),
            Tree::Or(parts) => parts.iter().fold((false, true), |all, part| {
                let one = self.may(part, code, can);
                (all.0 || one.0, all.1 && one.1)
            }),
            Tree::Test(i) => {
                let Some(planned) = self.tests.get(*i) else { return (true, true) };
                let yes = code.is_none_or(|code| planned.codes.has(code));
                match planned.test.basis() {
                    Basis::Code if code.is_some() => (yes, !yes),
                    // A row may have no process or file, which makes any test of it false.
                    _ => (yes && can.get(*i).copied().unwrap_or(true), true),
                }
            }
        }
    }
}

/// The codes for which a test can hold; for one of the code alone, those for which it does.
fn codes_of(test: &Test, schema: &Schema) -> CodeSet {
    if test.basis() == Basis::Code {
        return CodeSet::of(|code| test.holds_at(At::Code(schema, code)));
    }
    // A test of what is missing is false: a call needs all that the test asks.
    let mut codes = CodeSet::all();
    test.fields(&mut |field, key| {
        let some = match field.extract {
            // A call that names no descriptor is about no file.
            Extract::File(_) => CodeSet::of(|code| schema.shape(code).refs > 0),
            _ if field.is_of_several() => CodeSet::of(|code| schema.shape(code).names_several()),
            _ if field.is_argument() => CodeSet::of(|code| {
                let argument = bits::argument(schema.shape(code), key);
                argument.is_some_and(|arg| match &test.compare {
                    Compare::Flags(_, all) => all.iter().any(|bits| bits.fit(arg.kind, schema)),
                    _ => true,
                })
            }),
            _ => return,
        };
        codes = std::mem::take(&mut codes).and(&some);
    });
    codes
}

/// The results for which a test of the result holds, and whether it holds without one.
fn results(test: &Test) -> (Vec<(i128, i128)>, bool) {
    let (Extract::Result(get), true) = (test.field.extract, test.is_plain()) else {
        return Default::default();
    };
    let holds = |ret| test.holds(&get(Some(ret)));
    let mut all: Vec<(i128, i128)> = Vec::new();
    let fine = holds(0);
    if fine {
        all.push((i64::MIN.into(), -4096));
    }
    for ret in (-4095..0).filter(|ret| holds(*ret)) {
        let ret = i128::from(ret);
        match all.last_mut() {
            Some(last) if last.1 + 1 == ret => last.1 = ret,
            _ => all.push((ret, ret)),
        }
    }
    match all.last_mut() {
        Some(last) if fine && last.1 == -1 => last.1 = i64::MAX.into(),
        _ if fine => all.push((0, i64::MAX.into())),
        _ => {}
    }
    (all, test.holds(&get(None)))
}

/// The list by which a test can be decided.
fn listed(test: &Test, results: &[(i128, i128)]) -> Option<Listed> {
    if !test.is_plain() {
        return None;
    }
    // Whether all results from zero on are the same to the test, and what they are.
    let alike = |ranges: &[(i128, i128)]| {
        let most = i128::from(i64::MAX);
        let some = ranges.iter().any(|(low, high)| *low <= most && *high >= 0);
        let all = ranges.iter().any(|(low, high)| *low <= 0 && *high >= most);
        (some == all).then_some(all)
    };
    match (test.field.extract, &test.compare) {
        (Extract::Result(_), _) => alike(results).map(Listed::Negative),
        (Extract::Column(Columns::RET, ..), Compare::Ranges(ranges)) => {
            alike(ranges).map(|all| Listed::Negative(all != test.negated()))
        }
        (Extract::Column(Columns::LATENCY, ..), Compare::Ranges(ranges)) if !test.negated() => {
            let least = ranges.first().map_or(0, |r| r.0);
            u64::try_from(least).ok().filter(|n| *n > 0).map(Listed::Slow)
        }
        _ => None,
    }
}

/// False if a test of the time holds for no moment of these.
fn in_time(test: &Test, (meta, first, last): &(Meta, u64, u64)) -> bool {
    let (Extract::Moment(get), Compare::Ranges(ranges), true) =
        (test.field.extract, &test.compare, test.is_plain() && !test.negated())
    else {
        return true;
    };
    let (from, to) = (i128::from(get(meta, *first)), i128::from(get(meta, *last)));
    // A clock that wraps within the block says nothing.
    from > to || ranges.iter().any(|(low, high)| *low <= to && from <= *high)
}

/// Calls `each` for the parts of a node, going through parts that are of the same sort.
fn flatten(node: &Node, is_and: bool, each: &mut dyn FnMut(&Node)) {
    match node {
        Node::And(parts) if is_and => parts.iter().for_each(|p| flatten(p, is_and, each)),
        Node::Or(parts) if !is_and => parts.iter().for_each(|p| flatten(p, is_and, each)),
        _ => each(node),
    }
}
