//! Fields of the paths that a call is given: `fs.path.*`, `evt.abspath`.
//!
//! Enters: a row. Leaves: its path arguments, as given or joined. Never: the file that a path led to (see `fd.name`).

use super::evt::ARGS;
use super::field;
use crate::batch::{Batch, Columns};
use crate::fields::{Extract, Field, Type, Value, args, names};

use Extract::Row;

const PATHS: Columns = ARGS.and(Columns::PROC);

/// A path argument: `of` is how many paths the call must take.
fn given<'a>(b: &Batch<'a>, row: usize, n: usize, of: usize) -> Value<'a> {
    if args::paths(b.shape_of(row)) != of {
        return Value::None;
    }
    args::path(b, row, n).map_or(Value::None, |(path, _)| Value::text(path))
}

fn joined<'a>(b: &Batch<'a>, row: usize, n: usize, of: usize) -> Value<'a> {
    if args::paths(b.shape_of(row)) != of {
        return Value::None;
    }
    args::path(b, row, n)
        .and_then(|(path, base)| names::join(base.as_deref(), path))
        .map_or(Value::None, |path| Value::Text(path.into()))
}

/// The rows.
pub const FIELDS: &[Field] = &[
    field(
        "evt.abspath",
        Type::Path,
        "path argument of a call that takes one, joined with the directory it is relative to: the same as fs.path.name",
        "evt.abspath startswith /etc",
        Row(PATHS, |b, row, _| joined(b, row, 0, 1)),
    ),
    field(
        "evt.abspath.src",
        Type::Path,
        "first path of a call that takes two, joined: the same as fs.path.source",
        "evt.abspath.src startswith /tmp",
        Row(PATHS, |b, row, _| joined(b, row, 0, 2)),
    ),
    field(
        "evt.abspath.dst",
        Type::Path,
        "second path of a call that takes two, joined: the same as fs.path.target",
        "evt.abspath.dst startswith /etc",
        Row(PATHS, |b, row, _| joined(b, row, 1, 2)),
    ),
    field(
        "fs.path.name",
        Type::Path,
        "path argument of a call that takes one, joined with the directory it is relative to; also of failed calls",
        "fs.path.name startswith /etc",
        Row(PATHS, |b, row, _| joined(b, row, 0, 1)),
    ),
    field(
        "fs.path.nameraw",
        Type::Path,
        "path argument as given",
        "fs.path.nameraw startswith ../",
        Row(PATHS, |b, row, _| given(b, row, 0, 1)),
    ),
    field(
        "fs.path.source",
        Type::Path,
        "first path of a call that takes two (rename, link), joined",
        "fs.path.source startswith /tmp",
        Row(PATHS, |b, row, _| joined(b, row, 0, 2)),
    ),
    field(
        "fs.path.sourceraw",
        Type::Path,
        "first path of a call that takes two, as given",
        "fs.path.sourceraw = a",
        Row(PATHS, |b, row, _| given(b, row, 0, 2)),
    ),
    field(
        "fs.path.target",
        Type::Path,
        "second path of a call that takes two, joined",
        "fs.path.target startswith /etc",
        Row(PATHS, |b, row, _| joined(b, row, 1, 2)),
    ),
    field(
        "fs.path.targetraw",
        Type::Path,
        "second path of a call that takes two, as given",
        "fs.path.targetraw = b",
        Row(PATHS, |b, row, _| given(b, row, 1, 2)),
    ),
];
