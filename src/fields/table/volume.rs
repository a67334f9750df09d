//! Fields that are summed up: `evt.count.*`, `evt.buflen.*`.
//!
//! Enters: a row. Leaves: 1 or a number of bytes, or nothing. Never: a sum.

use super::evt::{ARGS, RESULT, reads, writes};
use super::field;
use crate::batch::{Batch, FileKind};
use crate::fields::{Extract, Field, Type, Value, args, res};
use crate::schema::Class;

use Extract::{Code, Row};

/// 1 for a failed call of this sort.
fn failures<'a>(b: &Batch<'a>, row: usize, sort: fn(Class) -> bool) -> Value<'a> {
    match b.call.get(row) {
        Some(_) if res::failed_at(b, row) && sort(b.shape_of(row).class) => Value::UInt(1),
        _ => Value::None,
    }
}

/// How much data the call moved, or tried to.
pub(super) fn moved(b: &Batch<'_>, row: usize) -> Option<u64> {
    let (_, data) = args::buffer(b, row)?;
    let ret = b.ret_of(row);
    let counted = b.shape_of(row).ret == crate::schema::Ret::Bytes && ret >= 0;
    Some(if counted { ret as u64 } else { data.total.unwrap_or(data.bytes.len() as u64) })
}

type Direction = fn(&str) -> bool;

fn both(name: &str) -> bool {
    reads(name) || writes(name)
}

/// [`moved`] of a call in this direction, of a file of this sort, that moved anything.
fn volume<'a>(b: &Batch<'a>, row: usize, way: Direction, sort: fn(FileKind) -> bool) -> Value<'a> {
    if b.call.get(row).is_none() || !way(&b.shape_of(row).name) || res::failed_at(b, row) {
        return Value::None;
    }
    let kind = b.file_of(row).map_or(FileKind::Unknown, |f| f.kind);
    if sort(kind) { moved(b, row).map_or(Value::None, Value::UInt) } else { Value::None }
}

fn any(_: FileKind) -> bool {
    true
}

fn is_file(kind: FileKind) -> bool {
    kind == FileKind::File
}

fn is_net(kind: FileKind) -> bool {
    kind.is_ip()
}

/// The rows.
pub const FIELDS: &[Field] = &[
    field("evt.count", Type::UInt, "always 1", "evt.count = 1", Code(|_, _| Value::UInt(1))),
    field(
        "evt.count.exit",
        Type::UInt,
        "always 1: every event stands for a call's end",
        "evt.count.exit = 1",
        Code(|_, _| Value::UInt(1)),
    ),
    field(
        "evt.count.error",
        Type::UInt,
        "1 for calls that failed",
        "evt.count.error = 1",
        Row(RESULT, |b, row, _| failures(b, row, |_| true)),
    ),
    field(
        "evt.count.error.file",
        Type::UInt,
        "1 for calls about files that failed",
        "evt.count.error.file = 1",
        Row(RESULT, |b, row, _| failures(b, row, |c| c.has(Class::FILE) && !c.has(Class::NET))),
    ),
    field(
        "evt.count.error.net",
        Type::UInt,
        "1 for calls about the network that failed",
        "evt.count.error.net = 1",
        Row(RESULT, |b, row, _| failures(b, row, |c| c.has(Class::NET))),
    ),
    field(
        "evt.count.error.memory",
        Type::UInt,
        "1 for calls about memory that failed",
        "evt.count.error.memory = 1",
        Row(RESULT, |b, row, _| failures(b, row, |c| c.has(Class::MEMORY))),
    ),
    field(
        "evt.count.error.other",
        Type::UInt,
        "1 for calls that failed and are about neither files, the network nor memory",
        "evt.count.error.other = 1",
        Row(RESULT, |b, row, _| {
            failures(b, row, |c| !c.has(Class::FILE) && !c.has(Class::NET) && !c.has(Class::MEMORY))
        }),
    ),
    field(
        "evt.buflen",
        Type::Size,
        "bytes that a reading or writing call moved, or tried to",
        "evt.buflen > 1M",
        Row(ARGS, |b, row, _| moved(b, row).map_or(Value::None, Value::UInt)),
    ),
    field(
        "evt.buflen.in",
        Type::Size,
        "bytes that a call read",
        "evt.buflen.in > 1M",
        Row(ARGS, |b, row, _| volume(b, row, reads, any)),
    ),
    field(
        "evt.buflen.out",
        Type::Size,
        "bytes that a call wrote",
        "evt.buflen.out > 1M",
        Row(ARGS, |b, row, _| volume(b, row, writes, any)),
    ),
    field(
        "evt.buflen.file",
        Type::Size,
        "bytes that a call read from or wrote to a regular file",
        "evt.buflen.file > 1M",
        Row(ARGS, |b, row, _| volume(b, row, both, is_file)),
    ),
    field(
        "evt.buflen.file.in",
        Type::Size,
        "bytes that a call read from a regular file",
        "evt.buflen.file.in > 1M",
        Row(ARGS, |b, row, _| volume(b, row, reads, is_file)),
    ),
    field(
        "evt.buflen.file.out",
        Type::Size,
        "bytes that a call wrote to a regular file",
        "evt.buflen.file.out > 1M",
        Row(ARGS, |b, row, _| volume(b, row, writes, is_file)),
    ),
    field(
        "evt.buflen.net",
        Type::Size,
        "bytes that a call read from or wrote to an IP socket",
        "evt.buflen.net > 1M",
        Row(ARGS, |b, row, _| volume(b, row, both, is_net)),
    ),
    field(
        "evt.buflen.net.in",
        Type::Size,
        "bytes that a call read from an IP socket",
        "evt.buflen.net.in > 1M",
        Row(ARGS, |b, row, _| volume(b, row, reads, is_net)),
    ),
    field(
        "evt.buflen.net.out",
        Type::Size,
        "bytes that a call wrote to an IP socket",
        "evt.buflen.net.out > 1M",
        Row(ARGS, |b, row, _| volume(b, row, writes, is_net)),
    ),
];
