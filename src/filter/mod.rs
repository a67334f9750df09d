//! The filter: which events are wanted.
//!
//! Enters: a text in sysdig's language, the schema its codes belong to, batches. Leaves: a selection of rows; and, known
//! before any row is seen, the codes that can match, the columns and fields that are needed, and whether a block can be
//! skipped. Never: output, files, the probe; a particular field.
//!
//! ```text
//! text -> parse (pest) -> check (types, names; all mistakes at once) -> plan -> eval
//! ```
//!
//! A missing value makes every comparison false, `!=` included; `not (a = b)` keeps the event. A field with several values
//! fits if one of them does; `!=` wants that none is equal and that there is one.

mod ast;
mod bits;
mod check;
mod codes;
mod columns;
mod compare;
mod compile;
mod error;
mod eval;
mod explain;
mod expr;
mod glob;
mod keys;
mod lexical;
mod parse;
mod path;
mod plan;
mod regex;
mod reject;
mod suggest;
mod test;
#[cfg(test)]
mod tests;
mod transform;
mod value;

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

pub use codes::CodeSet;
pub use error::{Error, Errors, Span};
pub use eval::Verdicts;
pub use parse::{MAX_DEPTH, MAX_LENGTH};
pub use plan::Glance;
pub use reject::{Bounds, Procs};

use check::{Context, Node};
use plan::Plan;
use test::Test;

use crate::batch::{Batch, Bitmap, Columns, Dict, Packed, ProcId, Tables};
use crate::fields::{FIELDS, Field};
use crate::schema::Schema;

/// Fewer codes than this: a test that means those events, and does not only fail to exclude them.
const FEW: usize = 128;

/// A compiled filter. Its codes are those of the schema it was compiled for: another reel, another filter.
#[derive(Clone, Debug)]
pub struct Filter {
    /// Tells [`Verdicts`] whose they are.
    id: u64,
    node: Node,
    plan: Plan,
}

/// The text of a filter for which both hold; either may be empty.
pub fn both(a: &str, b: &str) -> String {
    match (a.is_empty(), b.is_empty()) {
        (true, _) => b.to_owned(),
        (_, true) => a.to_owned(),
        _ => {
            // A comment ends with its line.
            let end = |text: &str| if text.contains('#') { "\n" } else { "" };
            format!("({a}{}) and ({b}{})", end(a), end(b))
        }
    }
}

impl Filter {
    /// Compiles a filter; the empty text means every event.
    pub fn parse(text: &str, schema: &Schema) -> Result<Filter, Errors> {
        Filter::parse_with(text, schema, FIELDS)
    }

    /// Compiles a filter within another that is known to be right; either may be empty.
    pub fn parse_within(only: &str, text: &str, schema: &Schema) -> Result<Filter, Errors> {
        // Mistakes are shown in what was typed.
        let filter = Filter::parse(text, schema)?;
        if only.is_empty() { Ok(filter) } else { Filter::parse(&both(only, text), schema) }
    }

    /// The same with another table of fields.
    fn parse_with(text: &str, schema: &Schema, fields: &'static [Field]) -> Result<Filter, Errors> {
        let mut errors = Errors::default();
        let ast = parse::parse(text, &mut errors);
        let node = check::check(&ast, Context { schema, fields }, &mut errors);
        if !errors.0.is_empty() {
            errors.0.sort_by_key(|e| e.span.start);
            return Err(errors);
        }
        Ok(Filter::compiled(node, |node| Plan::new(node, schema)))
    }

    /// The filter that every event passes.
    pub fn everything() -> Filter {
        Filter::compiled(Node::True, |_| Plan::everything())
    }

    fn compiled(node: Node, plan: impl FnOnce(&Node) -> Plan) -> Filter {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let plan = plan(&node);
        Filter { id: NEXT.fetch_add(1, Ordering::Relaxed), node, plan }
    }

    /// True if every event passes.
    pub fn is_everything(&self) -> bool {
        matches!(self.node, Node::True)
    }

    /// The codes that can match: what the kernel may reject is the rest.
    pub fn codes(&self) -> &CodeSet {
        &self.plan.codes
    }

    /// The columns that must be loaded for [`Filter::select`].
    pub fn columns(&self) -> Columns {
        self.plan.columns
    }

    /// True if it asks how many events came before, or how long ago the last was: then it must see them all.
    pub fn counts(&self) -> bool {
        self.columns().0 & Columns::NUM.and(Columns::DELTA).0 != 0
    }

    /// The fields that it asks, test by test.
    pub fn uses(&self) -> impl Iterator<Item = &'static Field> + '_ {
        let mut all = Vec::new();
        self.plan.tests.iter().for_each(|t| t.test.fields(&mut |field, _| all.push(field)));
        all.into_iter()
    }

    /// True if it asks for an event by its name, or for an argument that few others have: by a test of the code that holds
    /// for few codes, this one among them.
    pub fn names(&self, code: u16) -> bool {
        let few = |codes: &CodeSet| codes.has(code) && codes.len() < FEW;
        let of_type = |test: &Test| {
            let mut found = false;
            test.fields(&mut |field, _| {
                found |= field.name == "evt.type" || field.name.starts_with("evt.arg")
            });
            found
        };
        self.plan.tests.iter().any(|t| few(&t.codes) && of_type(&t.test))
    }

    /// What is known of every event that can match, beyond its code.
    pub fn bounds(&self) -> &Bounds {
        &self.plan.bounds
    }

    /// False if nothing can match that runs in the control group of this process, whatever it is and does; only its container,
    /// path and what those tell are looked at.
    pub fn may_run(&self, dict: &Dict<'_>, id: ProcId) -> bool {
        reject::may(&self.plan.tree, &self.plan.tests, dict, id).0
    }

    /// The tables of the dictionary that it asks.
    pub fn tables(&self) -> Tables {
        self.plan.tables()
    }

    /// Whether it asks summaries of dictionaries, and pieces of their texts: what it does not ask need not be in a
    /// [`Glance`].
    pub fn asks_summaries(&self) -> (bool, bool) {
        let tests = &self.plan.tests;
        (tests.iter().any(|t| t.keys.is_some()), tests.iter().any(|t| t.pieces.is_some()))
    }

    /// False if no row of a block can match of which this is known.
    pub fn may_be_in(&self, known: &Glance<'_>) -> bool {
        self.plan.may_match(known, None)
    }

    /// False if no row of a block can match of which this is known and that has this dictionary. `state` belongs to the
    /// block, as for [`Filter::select`].
    pub fn may_match(&self, state: &mut Verdicts, known: &Glance<'_>, dict: &Dict<'_>) -> bool {
        let can = eval::judge_tables(&self.plan, self.id, state, dict);
        self.plan.may_match(known, Some(&can))
    }

    /// How many parts it has that all must hold: first those that cost least and keep least.
    pub fn stages(&self) -> usize {
        self.plan.stages().len()
    }

    /// The columns beside which there may be lists that spare a stage the columns.
    pub fn stage_lists(&self, stage: usize) -> Columns {
        self.plan.stages().get(stage).map_or_else(Default::default, |part| self.plan.listed_of(part))
    }

    /// The columns that a stage reads: those that may be in narrow form ([`Batch::packed`]), and those that must be
    /// decoded; without those that are spared by the lists that the block has.
    pub fn stage_columns(&self, stage: usize, has: &Packed<'_>) -> (Columns, Columns) {
        self.plan.stages().get(stage).map_or_else(Default::default, |part| self.plan.columns_of(part, has))
    }

    /// Clears the rows for which a stage does not hold. `rows` are all those of the block.
    pub fn select_stage(&self, stage: usize, state: &mut Verdicts, batch: &Batch<'_>, rows: &mut Bitmap) {
        eval::stage(&self.plan, self.id, state, batch, stage, rows);
    }

    /// Decides `rows`: bit i of `out` is row i of the block. Other bits are left as they are; `out` grows if it is too
    /// short. `state` belongs to the block: [`Verdicts::reset`] when the next one begins.
    pub fn select(&self, state: &mut Verdicts, batch: &Batch<'_>, rows: Range<usize>, out: &mut Bitmap) {
        eval::select(&self.plan, self.id, state, batch, rows, out);
    }

    /// Decides one row, slowly, straight from the meaning of the language: what [`Filter::select`] is tested against.
    pub fn matches(&self, batch: &Batch<'_>, row: usize) -> bool {
        fn holds(node: &Node, batch: &Batch<'_>, row: usize) -> bool {
            match node {
                Node::True => true,
                Node::And(parts) => parts.iter().all(|p| holds(p, batch, row)),
                Node::Or(parts) => parts.iter().any(|p| holds(p, batch, row)),
                Node::Not(inner) => !holds(inner, batch, row),
                Node::Test(test) => test.holds_for(batch, row),
            }
        }
        holds(&self.node, batch, row)
    }

    /// The filter as it was understood and what becomes of it, for people.
    pub fn explain(&self, schema: &Schema) -> String {
        explain::explain(self, schema)
    }
}
