//! Comparisons: what a value is held against.
//!
//! Enters: values of fields. Leaves: whether they fit. Never: fields, missing values (see [`super::test`]).

use std::fmt;
use std::ops::Range;

use aho_corasick::{AhoCorasick, AhoCorasickBuilder, MatchKind};
use hashbrown::HashSet;
use memchr::memmem::Finder;
use rustc_hash::FxBuildHasher;

use super::ast::{Mode, Op};
use super::bits::Bits;
use super::expr::Expr;
use super::glob::Glob;
use super::path::Paths;
use super::regex::Regex;
use super::value::Net;
use crate::fields::Value;

/// What a value is compared with.
#[derive(Clone, Debug)]
pub enum Compare {
    /// It only has to be there.
    Exists,
    /// One of these texts.
    Texts(Texts),
    /// Before or after this text, byte by byte.
    TextOrder(Op, Box<[u8]>),
    /// Has this in it.
    Contains(Box<Finder<'static>>),
    /// Has this in it, in small or capital letters; the needle is in small ones.
    IContains(Box<Finder<'static>>),
    /// Has one of several in it.
    ContainsAny(Box<AhoCorasick>),
    /// Begins with this.
    StartsWith(Box<[u8]>),
    /// Begins with one of these.
    StartsWithAny(Affixes),
    /// Ends with this.
    EndsWith(Box<[u8]>),
    /// Ends with one of these.
    EndsWithAny(Affixes),
    /// Fits this pattern.
    Glob(Box<Glob>),
    /// Fits this regular expression.
    Regex(Box<Regex>),
    /// Is one of these paths or lies below one.
    Under(Box<Paths>),
    /// Lies in one of these ranges, both ends included; sorted, disjoint.
    Ranges(Vec<(i128, i128)>),
    /// Lies in one of these networks.
    Nets(Vec<Net>),
    /// False, true: whether each will do.
    Bool([bool; 2]),
    /// So many of these.
    Many(Mode, Vec<Compare>),
    /// So many of these sets of flags; of an argument, not of its text.
    Flags(Mode, Vec<Bits>),
    /// The value of the same event on the right.
    With(Box<Expr>),
}

/// A set of texts.
#[derive(Clone, Debug)]
pub enum Texts {
    /// A few: looked through.
    Few(Vec<Box<[u8]>>),
    /// Many: looked up.
    Many(HashSet<Box<[u8]>, FxBuildHasher>),
}

/// From this many texts on, looking up is faster than looking through.
const FEW: usize = 8;

impl Texts {
    /// A set of these.
    pub fn new(all: impl IntoIterator<Item = Box<[u8]>>) -> Texts {
        let set: HashSet<Box<[u8]>, FxBuildHasher> = all.into_iter().collect();
        if set.len() > FEW { Texts::Many(set) } else { Texts::Few(set.into_iter().collect()) }
    }

    /// Its texts, in no order.
    pub fn iter(&self) -> Box<dyn Iterator<Item = &[u8]> + '_> {
        match self {
            Texts::Few(all) => Box::new(all.iter().map(|t| &**t)),
            Texts::Many(set) => Box::new(set.iter().map(|t| &**t)),
        }
    }

    /// True if this text is in it.
    pub fn has(&self, text: &[u8]) -> bool {
        match self {
            Texts::Few(all) => all.iter().any(|t| **t == *text),
            Texts::Many(set) => set.contains(text),
        }
    }
}

/// A set of beginnings or ends, by length.
#[derive(Clone, Debug)]
pub struct Affixes {
    set: HashSet<Box<[u8]>, FxBuildHasher>,
    /// Lengths that occur, shortest first.
    lengths: Vec<usize>,
}

impl Affixes {
    /// A set of these.
    pub fn new(all: impl IntoIterator<Item = Box<[u8]>>) -> Affixes {
        let set: HashSet<Box<[u8]>, FxBuildHasher> = all.into_iter().collect();
        let mut lengths: Vec<usize> = set.iter().map(|t| t.len()).collect();
        lengths.sort_unstable();
        lengths.dedup();
        Affixes { set, lengths }
    }

    fn any(&self, most: usize, part: impl Fn(usize) -> Range<usize>, text: &[u8]) -> bool {
        let fits = |n: &usize| text.get(part(*n)).is_some_and(|part| self.set.contains(part));
        self.lengths.iter().take_while(|n| **n <= most).any(fits)
    }
}

/// A search for several needles at once; nothing if there are too many to compile.
pub fn several(needles: &[Vec<u8>], fold: bool) -> Option<AhoCorasick> {
    let mut builder = AhoCorasickBuilder::new();
    builder.match_kind(MatchKind::Standard).ascii_case_insensitive(fold).build(needles).ok()
}

/// Ranges in order, without overlap: what [`in_ranges`] needs.
pub fn tidy(mut ranges: Vec<(i128, i128)>) -> Vec<(i128, i128)> {
    ranges.retain(|(low, high)| low <= high);
    ranges.sort_unstable();
    let mut out: Vec<(i128, i128)> = Vec::with_capacity(ranges.len());
    for (low, high) in ranges {
        match out.last_mut() {
            Some(last) if low <= last.1.saturating_add(1) => last.1 = last.1.max(high),
            _ => out.push((low, high)),
        }
    }
    out
}

/// True if a number lies in one of the ranges, which are sorted and disjoint.
pub fn in_ranges(ranges: &[(i128, i128)], number: i128) -> bool {
    let before = ranges.partition_point(|r| r.0 <= number);
    before.checked_sub(1).and_then(|i| ranges.get(i)).is_some_and(|r| number <= r.1)
}

impl Compare {
    /// Whether a text fits.
    pub fn text(&self, text: &[u8]) -> bool {
        match self {
            Compare::Exists => true,
            Compare::Texts(all) => all.has(text),
            Compare::TextOrder(op, with) => ordered(*op, text, &**with),
            Compare::Contains(finder) => finder.find(text).is_some(),
            Compare::IContains(finder) => {
                // A copy keeps it linear; comparing at each place would not be.
                text.len() >= finder.needle().len() && finder.find(&text.to_ascii_lowercase()).is_some()
            }
            Compare::ContainsAny(needles) => needles.is_match(text),
            Compare::StartsWith(with) => text.starts_with(with),
            Compare::StartsWithAny(all) => all.any(text.len(), |n| 0..n, text),
            Compare::EndsWith(with) => text.ends_with(with),
            Compare::EndsWithAny(all) => {
                all.any(text.len(), |n| text.len().saturating_sub(n)..text.len(), text)
            }
            Compare::Glob(glob) => glob.is_match(text),
            Compare::Regex(regex) => regex.is_match(text),
            Compare::Under(paths) => paths.is_above(text),
            Compare::Many(..) => self.many(|part| part.text(text)),
            Compare::Ranges(_)
            | Compare::Nets(_)
            | Compare::Bool(_)
            | Compare::Flags(..)
            | Compare::With(_) => false,
        }
    }

    fn many(&self, fits: impl Fn(&Compare) -> bool) -> bool {
        match self {
            Compare::Many(mode, parts) => count(*mode, parts.iter().map(fits)),
            _ => false,
        }
    }

    /// Whether a value fits: for several, whether any does.
    pub fn value(&self, value: &Value<'_>) -> bool {
        match (value, self) {
            (Value::None, _) => false,
            (_, Compare::Many(..)) => self.many(|part| part.value(value)),
            (Value::Any(all), _) => all.iter().any(|v| self.value(v)),
            (_, Compare::Exists) => true,
            (Value::Text(text), _) => self.text(text),
            (Value::Bool(b), Compare::Bool(wanted)) => wanted[usize::from(*b)],
            (Value::Int(n), Compare::Ranges(ranges)) => in_ranges(ranges, i128::from(*n)),
            (Value::UInt(n), Compare::Ranges(ranges)) => in_ranges(ranges, i128::from(*n)),
            (Value::Ip(ip), Compare::Nets(nets)) => nets.iter().any(|n| n.has(*ip)),
            _ => false,
        }
    }
}

/// Whether as many fit as the mode wants.
pub fn count(mode: Mode, mut fits: impl Iterator<Item = bool>) -> bool {
    match mode {
        Mode::Any => fits.any(|f| f),
        Mode::All => fits.all(|f| f),
        // The first that fits, and none after it.
        Mode::One => fits.any(|f| f) && !fits.any(|f| f),
    }
}

fn ordered<T: Ord + ?Sized>(op: Op, a: &T, b: &T) -> bool {
    match op {
        Op::Lt => a < b,
        Op::Le => a <= b,
        Op::Gt => a > b,
        Op::Ge => a >= b,
        _ => false,
    }
}

/// Whether two values of an event are related as the operator says; for several values, whether any two are. `!=` is not
/// among them.
pub fn related(op: Op, a: &Value<'_>, b: &Value<'_>) -> bool {
    match (a, b) {
        (Value::None, _) | (_, Value::None) => false,
        (Value::Any(all), _) => all.iter().any(|a| related(op, a, b)),
        (_, Value::Any(all)) => all.iter().any(|b| related(op, a, b)),
        (Value::Text(a), Value::Text(b)) => match op {
            Op::Eq | Op::In | Op::Intersects => a == b,
            Op::Contains => memchr::memmem::find(a, b).is_some(),
            Op::IContains => memchr::memmem::find(&a.to_ascii_lowercase(), &b.to_ascii_lowercase()).is_some(),
            Op::StartsWith => a.starts_with(b),
            Op::EndsWith => a.ends_with(b),
            op => ordered(op, a, b),
        },
        (Value::Bool(a), Value::Bool(b)) => a == b,
        (Value::Ip(a), Value::Ip(b)) => a.to_canonical() == b.to_canonical(),
        _ => match (number(a), number(b)) {
            (Some(a), Some(b)) => match op {
                Op::Eq | Op::In | Op::Intersects => a == b,
                op => ordered(op, &a, &b),
            },
            _ => false,
        },
    }
}

fn number(value: &Value<'_>) -> Option<i128> {
    match value {
        Value::Int(n) => Some(i128::from(*n)),
        Value::UInt(n) => Some(i128::from(*n)),
        _ => None,
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
