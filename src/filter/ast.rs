//! A filter as written.
//!
//! Enters: what the parser found. Leaves: a tree with the place of everything in it. Never: pest, meaning.

use super::error::Span;

/// An operator.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs, reason = "their names say it")]
pub enum Op {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    Contains,
    IContains,
    StartsWith,
    EndsWith,
    Glob,
    IGlob,
    In,
    Exists,
}

impl Op {
    /// Every operator with its spelling.
    pub const ALL: &'static [(Op, &'static str)] = &[
        (Op::Eq, "="),
        (Op::Ne, "!="),
        (Op::Lt, "<"),
        (Op::Le, "<="),
        (Op::Gt, ">"),
        (Op::Ge, ">="),
        (Op::Contains, "contains"),
        (Op::IContains, "icontains"),
        (Op::StartsWith, "startswith"),
        (Op::EndsWith, "endswith"),
        (Op::Glob, "glob"),
        (Op::IGlob, "iglob"),
        (Op::In, "in"),
        (Op::Exists, "exists"),
    ];

    /// Its spelling.
    pub fn name(self) -> &'static str {
        Op::ALL.iter().find(|(op, _)| *op == self).map_or("", |(_, n)| n)
    }

    /// The operator with this spelling.
    pub fn by_name(name: &str) -> Option<Op> {
        Op::ALL.iter().find(|(_, n)| *n == name).map(|(op, _)| *op).or((name == "==").then_some(Op::Eq))
    }
}

/// A constant as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Constant {
    /// Where.
    pub span: Span,
    /// Its bytes, escapes resolved.
    pub bytes: Vec<u8>,
}

impl Constant {
    /// As text; bytes that are none are replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }
}

/// A field and what is asked of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawTest {
    /// Where, all of it.
    pub span: Span,
    /// The field's name …
    pub name: String,
    /// … and where.
    pub name_span: Span,
    /// The argument in brackets.
    pub key: Option<Constant>,
    /// The operator, where, and the constants: one, several after `in`, none after `exists`.
    pub relation: Option<(Op, Span, Vec<Constant>)>,
}

/// A filter as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ast {
    /// The empty filter: every event.
    Everything,
    /// A part whose mistake has been reported.
    Broken,
    /// All of them.
    And(Vec<Ast>),
    /// Any of them.
    Or(Vec<Ast>),
    /// Not.
    Not(Box<Ast>),
    /// A test.
    Test(Box<RawTest>),
}
