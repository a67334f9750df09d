//! One test: a field and a comparison.
//!
//! Enters: values of fields. Leaves: whether the test holds. Never: the shape of the filter around it.

use memchr::memmem::Finder;

use super::ast::Op;
use super::glob::Glob;
use super::value::Net;
use crate::batch::{Batch, Columns};
use crate::fields::{Extract, Field, Key, Value};

/// What a value is compared with.
#[derive(Clone, Debug)]
pub enum Compare {
    /// It only has to be there.
    Exists,
    /// One of these texts; sorted.
    Texts(Vec<Box<[u8]>>),
    /// Before or after this text, byte by byte.
    TextOrder(Op, Box<[u8]>),
    /// Has this in it.
    Contains(Box<Finder<'static>>),
    /// Has this in it, in small or capital letters; the needle is in small ones.
    IContains(Box<Finder<'static>>),
    /// Begins with this.
    StartsWith(Box<[u8]>),
    /// Ends with this.
    EndsWith(Box<[u8]>),
    /// Fits this pattern.
    Glob(Box<Glob>),
    /// Lies in one of these ranges, both ends included; sorted.
    Ranges(Vec<(i128, i128)>),
    /// Lies in one of these networks.
    Nets(Vec<Net>),
    /// False, true: whether each will do.
    Bool([bool; 2]),
}

impl Compare {
    /// Whether a text fits.
    pub fn text(&self, text: &[u8]) -> bool {
        match self {
            Compare::Exists => true,
            Compare::Texts(all) => all.binary_search_by(|t| (**t).cmp(text)).is_ok(),
            Compare::TextOrder(op, with) => match op {
                Op::Lt => text < &**with,
                Op::Le => text <= &**with,
                Op::Gt => text > &**with,
                _ => text >= &**with,
            },
            Compare::Contains(finder) => finder.find(text).is_some(),
            Compare::IContains(finder) => {
                // A copy keeps it linear; comparing at each place would not be.
                text.len() >= finder.needle().len() && finder.find(&text.to_ascii_lowercase()).is_some()
            }
            Compare::StartsWith(with) => text.starts_with(with),
            Compare::EndsWith(with) => text.ends_with(with),
            Compare::Glob(glob) => glob.is_match(text),
            Compare::Ranges(_) | Compare::Nets(_) | Compare::Bool(_) => false,
        }
    }

    fn number(&self, number: i128) -> bool {
        match self {
            Compare::Exists => true,
            Compare::Ranges(ranges) => in_ranges(ranges, number),
            _ => false,
        }
    }

    /// Whether a value fits: for several, whether any does.
    fn value(&self, value: &Value<'_>) -> bool {
        match (value, self) {
            (Value::None, _) => false,
            (Value::Any(all), _) => all.iter().any(|v| self.value(v)),
            (_, Compare::Exists) => true,
            (Value::Text(text), _) => self.text(text),
            (Value::Bool(b), Compare::Bool(wanted)) => wanted[usize::from(*b)],
            (Value::Int(n), _) => self.number(i128::from(*n)),
            (Value::UInt(n), _) => self.number(i128::from(*n)),
            (Value::Ip(ip), Compare::Nets(nets)) => nets.iter().any(|n| n.has(*ip)),
            (Value::Bool(_) | Value::Ip(_), _) => false,
        }
    }
}

/// True if a number lies in one of the sorted ranges.
pub fn in_ranges(ranges: &[(i128, i128)], number: i128) -> bool {
    // Several ranges are always single numbers: a list after `in`.
    let before = ranges.partition_point(|r| r.0 <= number);
    before.checked_sub(1).and_then(|i| ranges.get(i)).is_some_and(|r| number <= r.1)
}

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
    /// The field.
    pub field: &'static Field,
    /// Its argument.
    pub key: Key,
    /// The operator as written.
    pub op: Op,
    /// The comparison; [`Op::Ne`] holds the one for equality.
    pub compare: Compare,
    /// The constants as written, for explaining.
    pub shown: String,
}

impl std::fmt::Debug for Test {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}

impl std::fmt::Display for Test {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.field.name)?;
        match &self.key {
            Key::None => {}
            Key::Index(n) => write!(f, "[{n}]")?,
            Key::Name(name) => write!(f, "[{}]", name.escape_default())?,
        }
        match self.op {
            Op::Exists => f.write_str(" exists"),
            Op::In => write!(f, " in ({})", self.shown),
            op => write!(f, " {} {}", op.name(), self.shown),
        }
    }
}

impl Test {
    /// A test from its parts.
    pub fn new(field: &'static Field, key: Key, op: Op, compare: Compare, shown: String) -> Test {
        Test { field, key, op, compare, shown }
    }

    /// True for `!=`, which needs a value and no equal one.
    pub fn negated(&self) -> bool {
        self.op == Op::Ne
    }

    /// Whether it holds for a value.
    pub fn holds(&self, value: &Value<'_>) -> bool {
        if self.negated() { present(value) && !self.compare.value(value) } else { self.compare.value(value) }
    }

    /// Whether it holds for a row; reads whatever it needs.
    pub fn holds_for(&self, batch: &Batch<'_>, row: usize) -> bool {
        self.holds(&self.field.value(batch, row, &self.key))
    }

    /// How dear it is for one row, in tenths of what a look at a narrow column costs, what its columns cost to unpack
    /// included; orders tests. Among those of one price, the one that keeps less comes first.
    pub fn cost(&self) -> u32 {
        let work = match self.field.extract {
            Extract::Code(_) => 10,
            Extract::Proc(_) => 20,
            Extract::Result(_) => 30,
            Extract::Column(columns, ..) if columns == Columns::RET => 25,
            Extract::Moment(_) | Extract::Column(..) => 60,
            // Which file a row is about takes a look at its shape; and references are long.
            Extract::File(_) => 200,
            Extract::Row(..) => 600,
        };
        let keeps = match (&self.compare, self.negated()) {
            (Compare::Exists, _) | (_, true) => 4,
            (Compare::Texts(all), _) if all.len() == 1 => 0,
            (Compare::Ranges(ranges), _) if matches!(ranges.as_slice(), [(a, b)] if a == b) => 0,
            (Compare::Texts(_) | Compare::Glob(_) | Compare::StartsWith(_) | Compare::EndsWith(_), _) => 1,
            (Compare::Contains(_) | Compare::IContains(_) | Compare::Nets(_), _) => 2,
            _ => 3,
        };
        work + keeps
    }
}
