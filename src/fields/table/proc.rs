//! Fields of the process: `proc.*`, `thread.*`, `user.*`, `group.*`.
//!
//! Enters: the dictionary and the index of a process. Leaves: its values and its ancestors'. Never: rows, save for the
//! few fields that compare the process with the event.

use super::{field, keyed, unless};
use crate::batch::{Columns, Dict, NONE, Proc, ProcId, StrId, proc_flags};
use crate::fields::{Extract, Field, Key, Slice, Takes, Type, Value};

/// A number that /proc or the kernel told; of a process that was gone too soon, nobody did.
fn told(p: &Proc, n: u32) -> Value<'static> {
    if n == 0 && p.flags & proc_flags::BARE != 0 { Value::None } else { number(n) }
}

fn of<'a>(d: &Dict<'a>, id: ProcId, get: impl FnOnce(&'a Proc) -> Value<'a>) -> Value<'a> {
    d.proc(id).map_or(Value::None, get)
}

fn parent<'a>(d: &Dict<'a>, id: ProcId, get: impl FnOnce(&'a Proc) -> Value<'a>) -> Value<'a> {
    d.ancestor(id, 1).map_or(Value::None, get)
}

/// How far up a list of ancestors goes; a made-up file may hold a cycle.
const DEPTH: usize = 64;

/// The n-th ancestor's value (0 is the process itself), or without a number those of all ancestors.
fn up<'a>(d: &Dict<'a>, id: ProcId, key: &Key, get: fn(&Dict<'a>, &'a Proc) -> Value<'a>) -> Value<'a> {
    match key {
        Key::Index(n) => d.ancestor(id, *n).filter(|_| *n <= 256).map_or(Value::None, |p| get(d, p)),
        _ => {
            let mut all = Vec::new();
            let mut at = d.proc(id).and_then(|p| d.proc(p.parent));
            while let Some(p) = at.filter(|_| all.len() < DEPTH) {
                all.push(get(d, p));
                at = d.proc(p.parent);
            }
            all.retain(|v| *v != Value::None);
            if all.is_empty() { Value::None } else { Value::Any(all) }
        }
    }
}

fn text<'a>(d: &Dict<'a>, id: StrId) -> Value<'a> {
    Value::maybe(d.strings.find(id))
}

fn number(n: u32) -> Value<'static> {
    Value::UInt(u64::from(n))
}

fn id(n: u32) -> Value<'static> {
    unless(u64::from(NONE), u64::from(n))
}

/// `argv[0]`, and the rest with its NULs.
fn argv<'a>(d: &Dict<'a>, p: &Proc) -> Option<(&'a [u8], &'a [u8])> {
    let all = d.strings.find(p.args)?;
    let end = memchr::memchr(0, all).unwrap_or(all.len());
    let rest = all.get(end + 1..).unwrap_or(&[]);
    Some((&all[..end], rest.strip_suffix(b"\0").unwrap_or(rest)))
}

fn exe<'a>(d: &Dict<'a>, p: &'a Proc) -> Value<'a> {
    argv(d, p).map_or(Value::None, |(exe, _)| Value::text(exe))
}

fn joined(head: Option<&[u8]>, rest: &[u8]) -> Vec<u8> {
    let mut out = head.unwrap_or_default().to_vec();
    if head.is_some() && !rest.is_empty() {
        out.push(b' ');
    }
    out.extend(rest.iter().map(|b| if *b == 0 { b' ' } else { *b }));
    out
}

fn args<'a>(d: &Dict<'a>, p: &'a Proc) -> Value<'a> {
    argv(d, p).map_or(Value::None, |(_, rest)| Value::Text(joined(None, rest).into()))
}

/// The name and the arguments: of a kernel thread, or where the arguments are not known, the name alone.
fn cmdline<'a>(d: &Dict<'a>, p: &'a Proc) -> Value<'a> {
    let Some(comm) = d.strings.find(p.comm) else { return Value::None };
    let rest = argv(d, p).map_or(&[][..], |(_, rest)| rest);
    Value::Text(joined(Some(comm), rest).into())
}

fn exeline<'a>(d: &Dict<'a>, p: &'a Proc) -> Value<'a> {
    argv(d, p).map_or(Value::None, |(exe, rest)| Value::Text(joined(Some(exe), rest).into()))
}

fn count_args<'a>(d: &Dict<'a>, p: &'a Proc) -> Value<'a> {
    let Some(all) = d.strings.find(p.args) else { return Value::None };
    let ends = memchr::memchr_iter(0, all).count() + usize::from(!all.is_empty() && !all.ends_with(b"\0"));
    Value::UInt(ends.saturating_sub(1) as u64)
}

fn user<'a>(d: &Dict<'a>, id: ProcId, get: fn(&'a crate::batch::User) -> StrId) -> Value<'a> {
    of(d, id, |p| d.user(p.user).map_or(Value::None, |u| text(d, get(u))))
}

use Extract::{Column, Row};
const fn of_proc(get: for<'a> fn(&Dict<'a>, ProcId, &Key) -> Value<'a>) -> Extract {
    Extract::Proc(get)
}

/// The rows.
pub const FIELDS: &[Field] = &[
    field(
        "proc.pid",
        Type::Id,
        "process id",
        "proc.pid = 4711",
        of_proc(|d, i, _| of(d, i, |p| number(p.pid))),
    ),
    field(
        "proc.ppid",
        Type::Id,
        "process id of the parent",
        "proc.ppid = 1",
        of_proc(|d, i, _| of(d, i, |p| told(p, p.ppid))),
    ),
    field(
        "proc.name",
        Type::Text,
        "the kernel's name of the process (comm), at most 15 bytes",
        "proc.name = nginx",
        of_proc(|d, i, _| of(d, i, |p| text(d, p.comm))),
    ),
    field(
        "proc.pname",
        Type::Text,
        "name of the parent",
        "proc.pname = sshd",
        of_proc(|d, i, _| parent(d, i, |p| text(d, p.comm))),
    ),
    keyed(
        Takes::OptionalIndex,
        field(
            "proc.aname",
            Type::Text,
            "name of an ancestor: [1] is the parent; without a number, of any ancestor",
            "proc.aname = sshd",
            of_proc(|d, i, k| up(d, i, k, |d, p| text(d, p.comm))),
        ),
    ),
    keyed(
        Takes::OptionalIndex,
        field(
            "proc.apid",
            Type::Id,
            "process id of an ancestor: [1] is the parent; without a number, of any ancestor",
            "proc.apid = 4711",
            of_proc(|d, i, k| up(d, i, k, |_, p| number(p.pid))),
        ),
    ),
    keyed(
        Takes::OptionalIndex,
        field(
            "proc.aexe",
            Type::Text,
            "first command-line argument (argv[0]) of an ancestor",
            "proc.aexe[2] = -bash",
            of_proc(|d, i, k| up(d, i, k, exe)),
        ),
    ),
    keyed(
        Takes::OptionalIndex,
        field(
            "proc.aexepath",
            Type::Path,
            "path of an ancestor's executable",
            "proc.aexepath = /usr/sbin/sshd",
            of_proc(|d, i, k| up(d, i, k, |d, p| text(d, p.exepath))),
        ),
    ),
    keyed(
        Takes::OptionalIndex,
        field(
            "proc.acmdline",
            Type::Text,
            "name and arguments of an ancestor",
            "proc.acmdline contains --login",
            of_proc(|d, i, k| up(d, i, k, cmdline)),
        ),
    ),
    field(
        "proc.exe",
        Type::Text,
        "first command-line argument (argv[0])",
        "proc.exe = -bash",
        of_proc(|d, i, _| of(d, i, |p| exe(d, p))),
    ),
    field(
        "proc.pexe",
        Type::Text,
        "first command-line argument (argv[0]) of the parent",
        "proc.pexe = -bash",
        of_proc(|d, i, _| parent(d, i, |p| exe(d, p))),
    ),
    field(
        "proc.exepath",
        Type::Path,
        "path of the executable",
        "proc.exepath = /usr/sbin/nginx",
        of_proc(|d, i, _| of(d, i, |p| text(d, p.exepath))),
    ),
    field(
        "proc.pexepath",
        Type::Path,
        "path of the parent's executable",
        "proc.pexepath = /usr/bin/bash",
        of_proc(|d, i, _| parent(d, i, |p| text(d, p.exepath))),
    ),
    field(
        "proc.args",
        Type::Text,
        "command-line arguments without argv[0], joined with blanks",
        "proc.args contains --verbose",
        of_proc(|d, i, _| of(d, i, |p| args(d, p))),
    ),
    field(
        "proc.cmdline",
        Type::Text,
        "name and arguments",
        "proc.cmdline contains 'sh -c'",
        of_proc(|d, i, _| of(d, i, |p| cmdline(d, p))),
    ),
    field(
        "proc.pcmdline",
        Type::Text,
        "name and arguments of the parent",
        "proc.pcmdline startswith make",
        of_proc(|d, i, _| parent(d, i, |p| cmdline(d, p))),
    ),
    field(
        "proc.exeline",
        Type::Text,
        "argv[0] and arguments",
        "proc.exeline startswith /usr/bin/python3",
        of_proc(|d, i, _| of(d, i, |p| exeline(d, p))),
    ),
    field(
        "proc.cmdnargs",
        Type::UInt,
        "number of arguments, argv[0] not counted",
        "proc.cmdnargs > 100",
        of_proc(|d, i, _| of(d, i, |p| count_args(d, p))),
    ),
    field(
        "proc.cwd",
        Type::Path,
        "working directory",
        "proc.cwd startswith /home",
        of_proc(|d, i, _| of(d, i, |p| text(d, p.cwd))),
    ),
    field(
        "proc.sid",
        Type::Id,
        "session id",
        "proc.sid = 4711",
        of_proc(|d, i, _| of(d, i, |p| told(p, p.sid))),
    ),
    field(
        "proc.pgid",
        Type::Id,
        "process group id",
        "proc.pgid = 4711",
        of_proc(|d, i, _| of(d, i, |p| told(p, p.pgid))),
    ),
    field(
        "proc.tty",
        Type::UInt,
        "controlling terminal as a device number; 0 if none",
        "proc.tty != 0",
        of_proc(|d, i, _| of(d, i, |p| told(p, p.tty))),
    ),
    field(
        "proc.vpid",
        Type::Id,
        "process id in its own pid namespace",
        "proc.vpid = 1",
        of_proc(|d, i, _| of(d, i, |p| unless(0, u64::from(p.vpid)))),
    ),
    field(
        "proc.duration",
        Type::Duration,
        "age of the process",
        "proc.duration < 1s",
        Row(Columns::TIME.and(Columns::PROC), |b, row, _| match (b.time.get(row), b.proc_of(row)) {
            (Some(t), Some(p)) if p.start != 0 => Value::UInt(t.saturating_sub(p.start)),
            _ => Value::None,
        }),
    ),
    field(
        "proc.pid.ts",
        Type::Time,
        "when the process started",
        "proc.pid.ts > 2026-11-22T21:00:00Z",
        Row(Columns::PROC, |b, row, _| match b.proc_of(row) {
            Some(p) if p.start != 0 => Value::UInt(b.meta.wall_of(p.start)),
            _ => Value::None,
        }),
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
        "thread.cgroups",
        Type::Path,
        "path in the unified cgroup tree",
        "thread.cgroups startswith /system.slice",
        of_proc(|d, i, _| of(d, i, |p| text(d, p.cgroup))),
    ),
    field(
        "user.uid",
        Type::Id,
        "effective user id",
        "user.uid = 0",
        of_proc(|d, i, _| of(d, i, |p| id(p.uid))),
    ),
    field(
        "user.name",
        Type::Text,
        "name of the effective user",
        "user.name = root",
        of_proc(|d, i, _| user(d, i, |u| u.name)),
    ),
    field(
        "user.homedir",
        Type::Path,
        "home directory of the effective user",
        "user.homedir startswith /srv",
        of_proc(|d, i, _| user(d, i, |u| u.home)),
    ),
    field(
        "user.shell",
        Type::Path,
        "login shell of the effective user",
        "user.shell endswith nologin",
        of_proc(|d, i, _| user(d, i, |u| u.shell)),
    ),
    field(
        "user.loginuid",
        Type::Int,
        "audit user id: who logged in; -1 if nobody did",
        "user.loginuid >= 1000",
        of_proc(|d, i, _| {
            of(d, i, |p| Value::Int(if p.loginuid == NONE { -1 } else { i64::from(p.loginuid) }))
        }),
    ),
    field(
        "group.gid",
        Type::Id,
        "effective group id",
        "group.gid = 0",
        of_proc(|d, i, _| of(d, i, |p| id(p.gid))),
    ),
    field(
        "group.name",
        Type::Text,
        "name of the effective group",
        "group.name = wheel",
        of_proc(|d, i, _| of(d, i, |p| d.group(p.group).map_or(Value::None, |g| text(d, g.name)))),
    ),
];
