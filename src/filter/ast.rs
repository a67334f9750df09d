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
    BContains,
    StartsWith,
    BStartsWith,
    EndsWith,
    Glob,
    IGlob,
    Regex,
    Has,
    In,
    Intersects,
    PMatch,
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
        (Op::BContains, "bcontains"),
        (Op::StartsWith, "startswith"),
        (Op::BStartsWith, "bstartswith"),
        (Op::EndsWith, "endswith"),
        (Op::Glob, "glob"),
        (Op::IGlob, "iglob"),
        (Op::Regex, "regex"),
        (Op::Has, "has"),
        (Op::In, "in"),
        (Op::Intersects, "intersects"),
        (Op::PMatch, "pmatch"),
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

    /// True for operators that compare by size.
    pub fn is_order(self) -> bool {
        matches!(self, Op::Lt | Op::Le | Op::Gt | Op::Ge)
    }

    /// True for operators that take a list in parentheses and nothing else.
    pub fn takes_list(self) -> bool {
        matches!(self, Op::In | Op::Intersects | Op::PMatch)
    }

    /// True for operators that look into text.
    pub fn is_pattern(self) -> bool {
        matches!(
            self,
            Op::Contains
                | Op::IContains
                | Op::BContains
                | Op::StartsWith
                | Op::BStartsWith
                | Op::EndsWith
                | Op::Glob
                | Op::IGlob
                | Op::Regex
                | Op::PMatch
        )
    }
}

/// How many of a list's values must fit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs, reason = "their names say it")]
pub enum Mode {
    One,
    Any,
    All,
}

impl Mode {
    /// Every mode with its spelling.
    pub const ALL: &'static [(Mode, &'static str)] =
        &[(Mode::One, "oneof"), (Mode::Any, "anyof"), (Mode::All, "allof")];

    /// Its spelling.
    pub fn name(self) -> &'static str {
        Mode::ALL.iter().find(|(mode, _)| *mode == self).map_or("", |(_, n)| n)
    }

    /// The mode with this spelling.
    pub fn by_name(name: &str) -> Option<Mode> {
        Mode::ALL.iter().find(|(_, n)| *n == name).map(|(mode, _)| *mode)
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

    /// The place of a part of it, if every byte stands for itself; else the whole.
    pub fn part(&self, from: usize, to: usize) -> Span {
        let quotes = self.span.len().saturating_sub(self.bytes.len());
        if !matches!(quotes, 0 | 2) {
            return self.span.clone();
        }
        let start = self.span.start + quotes / 2;
        start + from..start + to.max(from + 1)
    }
}

/// Something that has a value for each event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RawExpr {
    /// A field.
    Field {
        /// Its name.
        name: String,
        /// Where.
        span: Span,
        /// The argument in brackets.
        key: Option<Constant>,
    },
    /// A transformer.
    Call {
        /// Its name.
        name: String,
        /// Where.
        span: Span,
        /// What it is given.
        args: Vec<RawExpr>,
        /// Where, all of it.
        whole: Span,
    },
    /// A text, as part of another one.
    Text(Constant),
    /// Several.
    Tuple(Vec<RawExpr>, Span),
}

impl RawExpr {
    /// Where, all of it (of a field only its name).
    pub fn span(&self) -> Span {
        match self {
            RawExpr::Field { span, .. } | RawExpr::Tuple(_, span) => span.clone(),
            RawExpr::Call { whole, .. } => whole.clone(),
            RawExpr::Text(text) => text.span.clone(),
        }
    }
}

/// What stands on the right of an operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operand {
    /// Constants: one, several in a list, none after `exists`.
    Constants(Vec<Constant>),
    /// A value of the same event.
    Expr(RawExpr),
}

/// An operator and its operand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relation {
    /// The operator.
    pub op: Op,
    /// Where.
    pub span: Span,
    /// How many constants of the list must fit.
    pub mode: Option<Mode>,
    /// The right side.
    pub operand: Operand,
}

/// A field and what is asked of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawTest {
    /// Where, all of it.
    pub span: Span,
    /// The left side.
    pub left: RawExpr,
    /// What is asked; nothing for a field that must be true.
    pub relation: Option<Relation>,
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
