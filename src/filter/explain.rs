//! The filter, explained: what `sysreel -d` prints.
//!
//! Enters: a checked filter and its schema. Leaves: text for people, plain ASCII, not to be parsed. Never: evaluation.

use std::fmt::Write as _;

use super::Filter;
use super::ast::Op;
use super::check::{Node, noun};
use super::codes::CodeSet;
use super::expr::Basis;
use super::plan::Tree;
use super::test::Test;
use crate::batch::Columns;
use crate::fields::{Extract, Field, Type};
use crate::schema::Schema;

/// How many names of calls are listed.
const MOST_NAMES: usize = 24;

const COLUMNS: &[(Columns, &str)] = &[
    (Columns::TIME, "time"),
    (Columns::LATENCY, "latency"),
    (Columns::CALL, "call"),
    (Columns::CPU, "cpu"),
    (Columns::TID, "tid"),
    (Columns::PROC, "proc"),
    (Columns::RET, "ret"),
    (Columns::FLAGS, "flags"),
    (Columns::NUM, "num"),
    (Columns::WORDS, "words"),
    (Columns::ITEMS, "items"),
    (Columns::REFS, "refs"),
    (Columns::FDLIST, "fdlist"),
];

/// Explains a filter.
pub fn explain(filter: &Filter, schema: &Schema) -> String {
    let mut out = String::from("filter:\n");
    tree(&filter.node, 1, &mut out);
    let codes = filter.codes();
    out.push_str("live, in the kernel: ");
    if codes.is_all() {
        out.push_str("every call passes; no test is of the call alone\n");
    } else if codes.is_empty() {
        out.push_str("nothing passes; no event can match\n");
    } else {
        let _ = writeln!(out, "only these pass: {}", names(codes, schema));
    }
    let columns = filter.columns();
    if !codes.is_empty() {
        let files = columns.has(Columns::REFS);
        let what = if files { "or descriptors" } else { "and, if they are printed, descriptors" };
        let _ = writeln!(
            out,
            "live, for names: what changes processes {what} passes too, in short, and is not shown"
        );
    }
    // What counts events must see them all.
    let counts = filter.counts();
    if !filter.bounds().is_unbounded() && !codes.is_empty() && !counts {
        let _ = writeln!(out, "live, in the kernel: of these only what has {}", filter.bounds());
    }
    if counts {
        out.push_str("live, in the kernel: but it counts events, so every call passes\n");
    }
    let mut order = Vec::new();
    order_of(filter, &filter.plan.tree, &mut order);
    if order.len() > 1 {
        let more = order.len().saturating_sub(MOST_NAMES);
        order.truncate(MOST_NAMES);
        let rest = if more > 0 { format!(", and {more} more") } else { String::new() };
        let _ = writeln!(out, "tests, the cheap ones first: {}{rest}", order.join(", "));
    }
    let read: Vec<&str> = COLUMNS.iter().filter(|(c, _)| columns.has(*c)).map(|(_, n)| *n).collect();
    let _ = writeln!(out, "columns read: {}", if read.is_empty() { "none".into() } else { read.join(" ") });
    let mut notes = Vec::new();
    slips(&filter.node, false, &mut notes);
    notes.dedup();
    for note in notes.iter().take(MOST_NAMES) {
        let _ = writeln!(out, "note: {note}");
    }
    out
}

/// The left sides of the tests in the order in which they are decided.
fn order_of(filter: &Filter, tree: &Tree, out: &mut Vec<String>) {
    match tree {
        Tree::True => {}
        Tree::And(parts) | Tree::Or(parts) => parts.iter().for_each(|p| order_of(filter, p, out)),
        Tree::Not(inner) => order_of(filter, inner, out),
        Tree::Test(i) => out.extend(filter.plan.tests.get(*i).map(|t| t.test.left())),
    }
}

fn tree(node: &Node, depth: usize, out: &mut String) {
    let indent = "  ".repeat(depth);
    let list = |word: &str, parts: &[Node], out: &mut String| {
        let _ = writeln!(out, "{indent}{word}");
        for part in parts {
            tree(part, depth + 1, out);
        }
    };
    match node {
        Node::True => {
            let _ = writeln!(out, "{indent}every event");
        }
        Node::And(parts) => list("and", parts, out),
        Node::Or(parts) => list("or", parts, out),
        Node::Not(inner) => list("not", std::slice::from_ref(inner), out),
        Node::Test(test) => {
            let line = format!("{indent}{test}");
            let ty = test.over.as_ref().map_or(test.field.ty, |e| e.ty());
            let _ = writeln!(out, "{line:<48} {}; {}", noun(ty), when(test));
        }
    }
}

/// How often a test is decided.
fn when(test: &Test) -> &'static str {
    match (test.basis(), test.field.extract) {
        (Basis::Code, _) => "decided once per call name",
        (Basis::Proc, _) => "decided once per process of a block",
        (Basis::File, _) => "decided once per file of a block",
        (Basis::Row, Extract::Column(..) | Extract::Moment(_) | Extract::Result(_)) if test.is_plain() => {
            "a column"
        }
        (Basis::Row, _) => "decided for each event",
    }
}

fn names(codes: &CodeSet, schema: &Schema) -> String {
    let named: Vec<&str> = schema.named().filter(|s| codes.has(s.code)).map(|s| &*s.name).collect();
    let total = schema.named().count();
    if named.is_empty() {
        return format!("{} codes without a name", codes.len());
    }
    if named.len() > total / 2 && named.len() > MOST_NAMES {
        let without: Vec<&str> =
            schema.named().filter(|s| !codes.has(s.code)).map(|s| &*s.name).take(MOST_NAMES).collect();
        let more = if total - named.len() > MOST_NAMES { " ..." } else { "" };
        return format!("all but {}{more}", without.join(" "));
    }
    // A call and its 32-bit twin have one name.
    let mut shown: Vec<&str> = Vec::new();
    for name in named {
        if !shown.contains(&name) {
            shown.push(name);
        }
    }
    let more = shown.len().saturating_sub(MOST_NAMES);
    shown.truncate(MOST_NAMES);
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{rest}", shown.join(" "))
}

/// True if the field can be missing from an event.
fn may_be_missing(field: &Field) -> bool {
    !matches!(field.extract, Extract::Code(_) | Extract::Column(_, _, None) | Extract::Moment(_))
}

/// Where a missing value may surprise.
fn slips(node: &Node, negated: bool, notes: &mut Vec<String>) {
    match node {
        Node::True => {}
        Node::And(parts) | Node::Or(parts) => parts.iter().for_each(|p| slips(p, negated, notes)),
        Node::Not(inner) => slips(inner, !negated, notes),
        Node::Test(test) => {
            notes.extend(test.note.clone());
            let mut missing = Vec::new();
            test.fields(&mut |field, _| {
                if may_be_missing(field) && !missing.contains(&field.name) {
                    missing.push(field.name);
                }
            });
            if missing.is_empty() || test.op == Op::Exists || test.field.ty == Type::Bool {
                return;
            }
            let (left, name) = (test.left(), missing.join(" or "));
            match (test.negated(), negated) {
                (true, false) => notes.push(format!(
                    "`{test}` leaves out events without {name}; `not ({left} = ...)` keeps them"
                )),
                (false, true) => notes.push(format!(
                    "`not` keeps events without {name} here; add `{left} exists` to leave them out"
                )),
                _ => {}
            }
        }
    }
}
