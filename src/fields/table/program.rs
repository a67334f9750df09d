//! Fields of the program that a process runs: its file, who may change it, its environment: `proc.exe_*`, `proc.env`.
//!
//! Enters: a row, or the dictionary and the index of a process. Leaves: their values. Never: the file itself, which may
//! have changed since.

use super::proc::{DEPTH, namespace_init, of, of_proc};
use super::{field, keyed, unless};
use crate::batch::{Batch, Columns, Dict, Proc, ProcId, proc_flags};
use crate::fields::{Extract, Field, Key, Takes, Type, Value};

use Extract::Row;

/// One variable, or with no name all of them with blanks between. Of a variable that was cut nobody knows the value.
fn variable<'a>(d: &Dict<'a>, p: &Proc, name: Option<&str>) -> Value<'a> {
    let Some(all) = d.strings.find(p.env) else { return Value::None };
    let cut = p.flags & proc_flags::ENV_CUT != 0;
    let (whole, torn) = (all.strip_suffix(b"\0").unwrap_or(all), !all.ends_with(b"\0"));
    match name {
        None => {
            let blanks = whole.iter().map(|b| if *b == 0 { b' ' } else { *b });
            Value::Text(blanks.chain(b"...".iter().copied().filter(|_| cut)).collect::<Vec<u8>>().into())
        }
        Some(name) => {
            let value = |v: &'a [u8]| v.strip_prefix(name.as_bytes())?.strip_prefix(b"=");
            let known = if cut && torn { &whole[..memchr::memrchr(0, whole).unwrap_or(0)] } else { whole };
            Value::maybe(known.split(|b| *b == 0).find_map(value))
        }
    }
}

fn own_env<'a>(d: &Dict<'a>, id: ProcId, key: &Key) -> Value<'a> {
    of(d, id, |p| match key {
        Key::Name(name) => variable(d, p, Some(name)),
        // No variable has a number for a name.
        Key::Index(_) => Value::None,
        Key::None => variable(d, p, None),
    })
}

/// Of the n-th ancestor, or of any.
fn ancestors_env<'a>(d: &Dict<'a>, id: ProcId, key: &Key) -> Value<'a> {
    let name = match key {
        Key::Index(n) => {
            let p = d.ancestor(id, *n).filter(|_| *n <= 256);
            return p.map_or(Value::None, |p| variable(d, p, None));
        }
        Key::Name(name) => Some(name.as_str()),
        Key::None => None,
    };
    let first = d.proc(id).and_then(|p| d.proc(p.parent));
    let line = std::iter::successors(first, |p| d.proc(p.parent)).take(DEPTH);
    let all: Vec<_> = line.map(|p| variable(d, p, name)).filter(|v| *v != Value::None).collect();
    if all.is_empty() { Value::None } else { Value::Any(all) }
}

/// Time from when the program's file changed to another moment (boot clock), if it is that way round.
fn changed_before<'a>(b: &Batch<'a>, row: usize, then: Option<&Proc>) -> Value<'a> {
    let changed = b.proc_of(row).map_or(0, |p| p.exe_ctime);
    match then.filter(|p| p.start != 0 && changed != 0) {
        Some(p) => b.meta.wall_of(p.start).checked_sub(changed).map_or(Value::None, Value::UInt),
        None => Value::None,
    }
}

/// Time from a moment (boot clock) to when the program's file changed, if it is that way round.
fn changed_after<'a>(b: &Batch<'a>, row: usize, then: Option<&Proc>) -> Value<'a> {
    let changed = b.proc_of(row).map_or(0, |p| p.exe_ctime);
    match then.filter(|p| p.start != 0 && changed != 0) {
        Some(p) => changed.checked_sub(b.meta.wall_of(p.start)).map_or(Value::None, Value::UInt),
        None => Value::None,
    }
}

/// Whether the executable lies in this layer of an overlay, if its file was seen.
fn layer(p: &Proc, which: u32) -> Value<'static> {
    const BOTH: u32 = proc_flags::EXE_UPPER | proc_flags::EXE_LOWER;
    match p.flags & BOTH {
        BOTH => Value::None,
        _ if p.flags & proc_flags::EXE_SEEN == 0 => Value::None,
        known => Value::Bool(known == which),
    }
}

/// The rows.
pub const FIELDS: &[Field] = &[
    keyed(
        Takes::OptionalName,
        field(
            "proc.env",
            Type::Text,
            "one variable of the environment that the program began with, or all; only captured with --env",
            "proc.env[HOME] = /root",
            of_proc(own_env),
        ),
    ),
    keyed(
        Takes::OptionalName,
        field(
            "proc.aenv",
            Type::Text,
            "a variable in the environment of any ancestor; with a number the whole environment of that ancestor; only \
             captured with --env",
            "proc.aenv[SSH_CONNECTION] exists",
            of_proc(ancestors_env),
        ),
    ),
    field(
        "proc.is_exe_writable",
        Type::Bool,
        "true if the process's user may write to its executable, by the file's mode; root may",
        "proc.is_exe_writable = true and user.uid != 0",
        of_proc(|d, i, _| {
            of(d, i, |p| match p.flags & proc_flags::EXE_SEEN {
                0 => Value::None,
                _ => Value::Bool(p.flags & proc_flags::EXE_WRITABLE != 0),
            })
        }),
    ),
    field(
        "proc.is_exe_upper_layer",
        Type::Bool,
        "true if the executable lies in the upper layer of an overlay: in a container, it is not from the image",
        "proc.is_exe_upper_layer = true",
        of_proc(|d, i, _| of(d, i, |p| layer(p, proc_flags::EXE_UPPER))),
    ),
    field(
        "proc.is_exe_lower_layer",
        Type::Bool,
        "true if the executable lies in a lower layer of an overlay: in a container, it is from the image",
        "proc.is_exe_lower_layer = true",
        of_proc(|d, i, _| of(d, i, |p| layer(p, proc_flags::EXE_LOWER))),
    ),
    field(
        "proc.is_exe_from_memfd",
        Type::Bool,
        "true if the executable is a memfd: it was never in a file system",
        "proc.is_exe_from_memfd = true",
        of_proc(|d, i, _| {
            of(d, i, |p| {
                d.strings
                    .find(p.exepath)
                    .map_or(Value::None, |path| Value::Bool(path.starts_with(b"/memfd:")))
            })
        }),
    ),
    field(
        "proc.exe_ino",
        Type::UInt,
        "inode number of the executable",
        "proc.exe_ino = 4711",
        of_proc(|d, i, _| of(d, i, |p| unless(0, p.exe_ino))),
    ),
    field(
        "proc.exe_ino.ctime",
        Type::Time,
        "when the inode of the executable last changed, before the program began",
        "proc.exe_ino.ctime > 2026-11-22T21:00:00Z",
        of_proc(|d, i, _| of(d, i, |p| unless(0, p.exe_ctime))),
    ),
    field(
        "proc.exe_ino.mtime",
        Type::Time,
        "when the executable was last written to, before the program began",
        "proc.exe_ino.mtime > 2026-11-22T21:00:00Z",
        of_proc(|d, i, _| of(d, i, |p| unless(0, p.exe_mtime))),
    ),
    field(
        "proc.exe_ino.ctime_duration_proc_start",
        Type::Duration,
        "how long before the start of the process the inode of its executable changed; missing if it was after",
        "proc.exe_ino.ctime_duration_proc_start < 10s",
        Row(Columns::PROC, |b, row, _| changed_before(b, row, b.proc_of(row))),
    ),
    field(
        "proc.exe_ino.ctime_duration_pidns_start",
        Type::Duration,
        "how long after the start of the pid namespace the inode of the executable changed; missing if it was before",
        "proc.exe_ino.ctime_duration_pidns_start < 10s",
        Row(Columns::PROC, |b, row, _| changed_after(b, row, namespace_init(b, row))),
    ),
];
