//! One test: a value and a comparison.
//!
//! Enters: a row, or an entry of the dictionary. Leaves: whether the test holds there. Never: the shape of the filter
//! around it.

use super::ast::Op;
use super::bits;
use super::compare::{Compare, count, related};
use super::expr::{At, Basis, Expr};
use crate::batch::{Batch, Columns};
use crate::fields::{Extract, Field, Key, Value};

/// True if a value is there.
fn present(value: &Value<'_>) -> bool {
    match value {
        Value::None => false,
        Value::Any(all) => all.iter().any(present),
        _ => true,
    }
}

/// A field and what is asked of it.
#[derive(Clone)]
pub struct Test {
    /// The field; of a transformer, the first that it is given.
    pub field: &'static Field,
    /// The field's argument.
    pub key: Key,
    /// The left side, if it is more than a field.
    pub over: Option<Box<Expr>>,
    /// The operator as written.
    pub op: Op,
    /// The comparison; [`Op::Ne`] holds the one for equality.
    pub compare: Compare,
    /// The right side as written, for explaining.
    pub shown: String,
    /// What may surprise, for explaining.
    pub note: Option<String>,
}

impl std::fmt::Debug for Test {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}

impl std::fmt::Display for Test {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.left())?;
        match self.op {
            Op::Exists => f.write_str(" exists"),
            op => write!(f, " {} {}", op.name(), self.shown),
        }
    }
}

impl Test {
    /// The left side as it is written.
    pub fn left(&self) -> String {
        match &self.over {
            Some(expr) => expr.to_string(),
            None => Expr::Field(self.field, self.key.clone()).to_string(),
        }
    }

    /// True for a field compared with constants: all that there is to it are `field`, `key`, `op` and `compare`.
    pub fn is_plain(&self) -> bool {
        self.over.is_none()
            && !matches!(self.compare, Compare::With(_) | Compare::Flags(..) | Compare::Many(..))
    }

    /// True for `!=`, which needs a value and no equal one.
    pub fn negated(&self) -> bool {
        self.op == Op::Ne
    }

    /// Whether it holds for a value of its left side. Not for tests that look at more than a value.
    pub fn holds(&self, value: &Value<'_>) -> bool {
        match &self.compare {
            Compare::Many(mode, parts) => {
                present(value) && count(*mode, parts.iter().map(|p| p.value(value) != self.negated()))
            }
            compare if self.negated() => present(value) && !compare.value(value),
            compare => compare.value(value),
        }
    }

    /// The value of its left side.
    fn value<'a>(&self, at: At<'_, 'a>) -> Value<'a> {
        match (&self.over, at, self.field.extract) {
            (Some(expr), ..) => expr.value(at),
            (None, At::Row(batch, row), _) => self.field.value(batch, row, &self.key),
            (None, At::Proc(dict, id), Extract::Proc(get)) => get(dict, id, &self.key),
            (None, At::File(dict, id), Extract::File(get)) => get(dict, id, &self.key),
            (None, At::Code(schema, code), Extract::Code(get)) => get(schema, code),
            _ => Value::None,
        }
    }

    /// Whether it holds for a row or an entry that it [depends on](Test::basis); reads whatever it needs.
    pub fn holds_at(&self, at: At<'_, '_>) -> bool {
        match (&self.compare, at) {
            (Compare::With(right), _) => {
                let (left, right) = (self.value(at), right.value(at));
                match self.op {
                    Op::Ne => present(&left) && present(&right) && !related(Op::Eq, &left, &right),
                    op => related(op, &left, &right),
                }
            }
            (Compare::Flags(mode, all), At::Row(batch, row)) => bits::flags(batch, row, &self.key)
                .is_some_and(|(word, table)| count(*mode, all.iter().map(|b| b.are_in(word, table)))),
            _ => self.holds(&self.value(at)),
        }
    }

    /// Whether it holds for a row; reads whatever it needs.
    pub fn holds_for(&self, batch: &Batch<'_>, row: usize) -> bool {
        self.holds_at(At::Row(batch, row))
    }

    /// What it depends on. A test of a dictionary entry is false where there is none.
    pub fn basis(&self) -> Basis {
        if matches!(self.compare, Compare::Flags(..)) {
            return Basis::Row;
        }
        let left = match &self.over {
            Some(expr) => expr.basis(None),
            None => Expr::Field(self.field, Key::None).basis(None),
        };
        match &self.compare {
            Compare::With(right) => right.basis(left),
            _ => left,
        }
        .unwrap_or(Basis::Row)
    }

    /// Calls `each` for the fields that it asks.
    pub fn fields(&self, each: &mut dyn FnMut(&'static Field, &Key)) {
        match &self.over {
            Some(expr) => expr.fields(each),
            None => each(self.field, &self.key),
        }
        if let Compare::With(right) = &self.compare {
            right.fields(each);
        }
    }

    /// The columns that it reads.
    pub fn columns(&self) -> Columns {
        let mut all = Columns::NOTHING;
        self.fields(&mut |field, _| all = all.and(field.columns()));
        all
    }

    /// How dear it is for one row, in tenths of what a look at a narrow column costs, what its columns cost to unpack
    /// included; orders tests. Among those of one price, the one that keeps less comes first.
    pub fn cost(&self) -> u32 {
        let work = match (self.basis(), self.field.extract) {
            (Basis::Code, _) => 10,
            (Basis::Proc, _) => 20,
            // Which file a row is about takes a look at its shape; and references are long.
            (Basis::File, _) => 200,
            (Basis::Row, Extract::Result(_)) if self.is_plain() => 30,
            (Basis::Row, Extract::Column(Columns::RET, ..)) if self.is_plain() => 25,
            (Basis::Row, Extract::Moment(_) | Extract::Column(..)) if self.is_plain() => 60,
            (Basis::Row, _) if matches!(self.compare, Compare::Regex(_) | Compare::Many(..)) => 1200,
            (Basis::Row, _) => 600,
        };
        let keeps = match (&self.compare, self.negated()) {
            (Compare::Exists, _) | (_, true) => 4,
            (Compare::Texts(all), _) if all.iter().count() == 1 => 0,
            (Compare::Ranges(ranges), _) if matches!(ranges.as_slice(), [(a, b)] if a == b) => 0,
            (Compare::Texts(_) | Compare::Glob(_) | Compare::StartsWith(_) | Compare::EndsWith(_), _) => 1,
            (Compare::Contains(_) | Compare::IContains(_) | Compare::Nets(_), _) => 2,
            _ => 3,
        };
        work + keeps
    }
}
