//! Fields of the thread, and of what the process has open as its standard streams: `thread.*`, `proc.stdin.*` and the like.
//!
//! Enters: a row, or the dictionary and the index of a process. Leaves: their values. Never: descriptors above 2.

use super::field;
use super::proc::{number, of, of_proc, text};
use crate::batch::{Batch, Columns, Dict, FileKind, Proc, proc_flags, row_flags};
use crate::fields::{Extract, Field, Slice, Type, Value, file_name};
use crate::schema::names;

use Extract::{Column, Row};

/// Whose thread a row is: its id and its process.
const WHOSE: Columns = Columns::TID.and(Columns::PROC);
/// What a standard stream is, is known only if descriptors are followed.
const STREAM: Columns = Columns::PROC.and(Columns::REFS);

/// The id inside the process's own pid namespace: told for the main thread, and where the namespace is the host's.
fn inner_id<'a>(b: &Batch<'a>, row: usize) -> Value<'a> {
    match (b.tid.get(row), b.proc_of(row)) {
        (Some(_), Some(p)) if p.vpid == 0 => Value::None,
        (Some(tid), Some(p)) if *tid == p.pid => number(p.vpid),
        (Some(tid), Some(p)) if p.vpid == p.pid => number(*tid),
        _ => Value::None,
    }
}

fn capabilities<'a>(p: &Proc, which: usize) -> Value<'a> {
    let Some(set) = p.caps.get(which).filter(|_| p.flags & proc_flags::CAPS != 0) else { return Value::None };
    let table = names::by_name("capability");
    let held = (0..64u64).filter(|n| set >> n & 1 == 1).map(|n| {
        table.and_then(|t| t.name_of(n)).map_or_else(|| format!("CAP_{n}").into(), std::borrow::Cow::Borrowed)
    });
    Value::Text(held.collect::<Vec<_>>().join(" ").into_bytes().into())
}

fn stream_type<'a>(b: &Batch<'a>, row: usize, fd: usize) -> Value<'a> {
    match b.proc_of(row).and_then(|p| b.dict.file(p.stdio[fd])) {
        Some(f) if f.kind != FileKind::Unknown => Value::text(f.kind.name().as_bytes()),
        _ => Value::None,
    }
}

fn stream_name<'a>(b: &Batch<'a>, row: usize, fd: usize) -> Value<'a> {
    let name = b.proc_of(row).and_then(|p| b.dict.file(p.stdio[fd])).map(|f| file_name(&b.dict, f));
    name.filter(|n| !n.is_empty()).map_or(Value::None, Value::Text)
}

fn named<'a>(d: &Dict<'a>, p: &Proc, tid: u32) -> Value<'a> {
    let Some(name) = d.strings.find(p.comm) else { return Value::None };
    Value::Text([name, tid.to_string().as_bytes()].concat().into())
}

/// The rows.
pub const FIELDS: &[Field] = &[
    field(
        "proc.stdin.type",
        Type::FileKindName,
        "kind of file that descriptor 0 of the process is",
        "proc.stdin.type = pipe",
        Row(STREAM, |b, row, _| stream_type(b, row, 0)),
    ),
    field(
        "proc.stdin.name",
        Type::Path,
        "name of the file that descriptor 0 of the process is",
        "proc.stdin.name startswith /dev/pts",
        Row(STREAM, |b, row, _| stream_name(b, row, 0)),
    ),
    field(
        "proc.stdout.type",
        Type::FileKindName,
        "kind of file that descriptor 1 of the process is",
        "proc.stdout.type = pipe",
        Row(STREAM, |b, row, _| stream_type(b, row, 1)),
    ),
    field(
        "proc.stdout.name",
        Type::Path,
        "name of the file that descriptor 1 of the process is",
        "proc.stdout.name startswith /dev/pts",
        Row(STREAM, |b, row, _| stream_name(b, row, 1)),
    ),
    field(
        "proc.stderr.type",
        Type::FileKindName,
        "kind of file that descriptor 2 of the process is",
        "proc.stderr.type = pipe",
        Row(STREAM, |b, row, _| stream_type(b, row, 2)),
    ),
    field(
        "proc.stderr.name",
        Type::Path,
        "name of the file that descriptor 2 of the process is",
        "proc.stderr.name startswith /dev/pts",
        Row(STREAM, |b, row, _| stream_name(b, row, 2)),
    ),
    field(
        "thread.tid",
        Type::Id,
        "thread id",
        "thread.tid = 4711",
        Column(Columns::TID, |b| Slice::U32(b.tid), None),
    ),
    field(
        "thread.ismain",
        Type::Bool,
        "true for the main thread of its process",
        "thread.ismain = false",
        Row(Columns::TID.and(Columns::PROC), |b, row, _| match (b.tid.get(row), b.proc_of(row)) {
            (Some(tid), Some(p)) => Value::Bool(*tid == p.pid),
            _ => Value::None,
        }),
    ),
    field(
        "thread.state",
        Type::Text,
        "what the thread of a call in flight was doing: S sleeps, D sleeps and no signal wakes it, R would run, T is stopped, t is traced",
        "thread.state = D",
        Row(Columns::FLAGS, |b, row, _| {
            b.flags.get(row).and_then(|f| row_flags::state(*f)).map_or(Value::None, Value::text)
        }),
    ),
    field(
        "thread.cgroups",
        Type::Path,
        "path in the unified cgroup tree",
        "thread.cgroups startswith /system.slice",
        of_proc(|d, i, _| of(d, i, |p| text(d, p.cgroup))),
    ),
    field(
        "thread.vtid",
        Type::Id,
        "thread id in its own pid namespace; inside a container only known of main threads",
        "thread.vtid = 1",
        Row(WHOSE, |b, row, _| inner_id(b, row)),
    ),
    field(
        "thread.nametid",
        Type::Text,
        "name of the process and id of the thread in one word, as a key",
        "thread.nametid = cat4711",
        Row(WHOSE, |b, row, _| match (b.tid.get(row), b.proc_of(row)) {
            (Some(tid), Some(p)) => named(&b.dict, p, *tid),
            _ => Value::None,
        }),
    ),
    field(
        "thread.cap_permitted",
        Type::Text,
        "permitted capabilities of the process",
        "thread.cap_permitted contains CAP_SYS_ADMIN",
        of_proc(|d, i, _| of(d, i, |p| capabilities(p, 0))),
    ),
    field(
        "thread.cap_inheritable",
        Type::Text,
        "inheritable capabilities of the process",
        "thread.cap_inheritable contains CAP_SYS_ADMIN",
        of_proc(|d, i, _| of(d, i, |p| capabilities(p, 1))),
    ),
    field(
        "thread.cap_effective",
        Type::Text,
        "effective capabilities of the process",
        "thread.cap_effective contains CAP_SYS_ADMIN",
        of_proc(|d, i, _| of(d, i, |p| capabilities(p, 2))),
    ),
];
