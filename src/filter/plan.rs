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
use super::reject::Bounds;
use super::test::Test;
use crate::batch::{Columns, Dict};
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
                self.tests.push(Planned { test: (**test).clone(), codes });
                (Tree::Test(self.tests.len() - 1), test.cost())
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

    /// False if no row of a block with these codes and this dictionary can match.
    pub fn may_match(&self, codes: &[u16], dict: &Dict<'_>) -> bool {
        if !codes.iter().any(|c| self.codes.has(*c)) {
            return false;
        }
        let can: Vec<bool> = self
            .tests
            .iter()
            .map(|planned| {
                let Planned { test, .. } = planned;
                match test.basis() {
                    Basis::Proc => (0..dict.procs.len() as u32).any(|id| test.holds_at(At::Proc(dict, id))),
                    Basis::File => (0..dict.files.len() as u32).any(|id| test.holds_at(At::File(dict, id))),
                    _ => true,
                }
            })
            .collect();
        codes.iter().any(|code| self.may(&self.tree, *code, &can).0)
    }

    /// Whether a part can be true, and whether it can be false, for a row with this code.
    fn may(&self, tree: &Tree, code: u16, can: &[bool]) -> (bool, bool) {
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
                let yes = planned.codes.has(code);
                match planned.test.basis() {
                    Basis::Code => (yes, !yes),
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

/// Calls `each` for the parts of a node, going through parts that are of the same sort.
fn flatten(node: &Node, is_and: bool, each: &mut dyn FnMut(&Node)) {
    match node {
        Node::And(parts) if is_and => parts.iter().for_each(|p| flatten(p, is_and, each)),
        Node::Or(parts) if !is_and => parts.iter().for_each(|p| flatten(p, is_and, each)),
        _ => each(node),
    }
}
