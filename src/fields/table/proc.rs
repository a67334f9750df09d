//! Fields of the process, its parent and its ancestors: `proc.*`.
//!
//! Enters: the dictionary and the index of a process. Leaves: its values and its ancestors'. Never: rows, save for the
//! few fields that compare the process with the event.

use super::{field, keyed, unless};
use crate::batch::{Batch, Columns, Dict, NONE, Proc, ProcId, StrId, proc_flags};
use crate::fields::{Extract, Field, Key, Takes, Type, Value};

/// A number that /proc or the kernel told; of a process that was gone too soon, nobody did.
pub(super) fn told(p: &Proc, n: u32) -> Value<'static> {
    if n == 0 && p.flags & proc_flags::BARE != 0 { Value::None } else { number(n) }
}

pub(super) fn of<'a>(d: &Dict<'a>, id: ProcId, get: impl FnOnce(&'a Proc) -> Value<'a>) -> Value<'a> {
    d.proc(id).map_or(Value::None, get)
}

pub(super) fn parent<'a>(d: &Dict<'a>, id: ProcId, get: impl FnOnce(&'a Proc) -> Value<'a>) -> Value<'a> {
    d.ancestor(id, 1).map_or(Value::None, get)
}

/// How far up a list of ancestors goes; a made-up file may hold a cycle.
pub(super) const DEPTH: usize = 64;

/// The n-th ancestor's value (0 is the process itself), or without a number those of all ancestors.
pub(super) fn up<'a>(
    d: &Dict<'a>,
    id: ProcId,
    key: &Key,
    get: fn(&Dict<'a>, &'a Proc) -> Value<'a>,
) -> Value<'a> {
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

pub(super) fn text<'a>(d: &Dict<'a>, id: StrId) -> Value<'a> {
    Value::maybe(d.strings.find(id))
}

pub(super) fn number(n: u32) -> Value<'static> {
    Value::UInt(u64::from(n))
}

pub(super) fn id(n: u32) -> Value<'static> {
    unless(u64::from(NONE), u64::from(n))
}

/// `argv[0]`, and the rest with its NULs.
pub(super) fn argv<'a>(d: &Dict<'a>, p: &Proc) -> Option<(&'a [u8], &'a [u8])> {
    let all = d.strings.find(p.args)?;
    let end = memchr::memchr(0, all).unwrap_or(all.len());
    let rest = all.get(end + 1..).unwrap_or(&[]);
    Some((&all[..end], rest.strip_suffix(b"\0").unwrap_or(rest)))
}

pub(super) fn exe<'a>(d: &Dict<'a>, p: &'a Proc) -> Value<'a> {
    argv(d, p).map_or(Value::None, |(exe, _)| Value::text(exe))
}

pub(super) fn joined(head: Option<&[u8]>, rest: &[u8]) -> Vec<u8> {
    let mut out = head.unwrap_or_default().to_vec();
    if head.is_some() && !rest.is_empty() {
        out.push(b' ');
    }
    out.extend(rest.iter().map(|b| if *b == 0 { b' ' } else { *b }));
    out
}

/// Of what was cut the end is missing, and shown to be.
fn ended(mut all: Vec<u8>, p: &Proc) -> Value<'static> {
    if p.flags & proc_flags::ARGS_CUT != 0 {
        all.extend_from_slice(b"...");
    }
    Value::Text(all.into())
}

pub(super) fn args<'a>(d: &Dict<'a>, p: &'a Proc) -> Value<'a> {
    argv(d, p).map_or(Value::None, |(_, rest)| ended(joined(None, rest), p))
}

/// The name and the arguments: of a kernel thread, or where the arguments are not known, the name alone.
pub(super) fn cmdline<'a>(d: &Dict<'a>, p: &'a Proc) -> Value<'a> {
    let Some(comm) = d.strings.find(p.comm) else { return Value::None };
    let argv = argv(d, p);
    let rest = argv.map_or(&[][..], |(_, rest)| rest);
    let paths = argv.map(|(exe, _)| exe).into_iter().chain(d.strings.find(p.exepath));
    ended(joined(Some(in_full(comm, paths)), rest), p)
}

/// A name that the kernel has cut (TASK_COMM_LEN is 16), if one of these paths ends with all of it.
fn in_full<'a>(comm: &'a [u8], mut paths: impl Iterator<Item = &'a [u8]>) -> &'a [u8] {
    let whole = |path: &'a [u8]| {
        let base = path.rsplit(|b| *b == b'/').next()?;
        (comm.len() == 15 && base.starts_with(comm)).then_some(base)
    };
    paths.find_map(whole).unwrap_or(comm)
}

pub(super) fn exeline<'a>(d: &Dict<'a>, p: &'a Proc) -> Value<'a> {
    argv(d, p).map_or(Value::None, |(exe, rest)| ended(joined(Some(exe), rest), p))
}

fn nth_arg<'a>(d: &Dict<'a>, p: &Proc, n: usize) -> Value<'a> {
    let rest = argv(d, p).map(|(_, rest)| rest).filter(|rest| !rest.is_empty());
    let mut all = rest.into_iter().flat_map(|rest| rest.split(|b| *b == 0));
    let found = all.nth(n);
    // Of one that was cut, nobody knows how it ends.
    let torn = p.flags & proc_flags::ARGS_CUT != 0 && all.next().is_none();
    Value::maybe(found.filter(|_| !torn))
}

fn count_args<'a>(d: &Dict<'a>, p: &'a Proc) -> Value<'a> {
    let Some(all) = d.strings.find(p.args) else { return Value::None };
    let ends = memchr::memchr_iter(0, all).count() + usize::from(!all.is_empty() && !all.ends_with(b"\0"));
    Value::UInt(ends.saturating_sub(1) as u64)
}

const AGE: Columns = Columns::TIME.and(Columns::PROC);

fn parent_of<'a>(b: &Batch<'a>, row: usize) -> Option<&'a Proc> {
    b.proc_of(row).and_then(|p| b.dict.proc(p.parent))
}

fn age<'a>(b: &Batch<'a>, row: usize, p: Option<&Proc>) -> Value<'a> {
    match (b.time.get(row), p.filter(|p| p.start != 0)) {
        (Some(t), Some(p)) => Value::UInt(t.saturating_sub(p.start)),
        _ => Value::None,
    }
}

fn started<'a>(b: &Batch<'a>, p: Option<&Proc>) -> Value<'a> {
    p.filter(|p| p.start != 0).map_or(Value::None, |p| Value::UInt(b.meta.wall_of(p.start)))
}

/// The process itself and its ancestors, nearest first.
fn line<'a>(d: &Dict<'a>, first: Option<&'a Proc>) -> impl Iterator<Item = &'a Proc> {
    let d = *d;
    std::iter::successors(first, move |p| d.proc(p.parent)).take(DEPTH)
}

/// The first process of the pid namespace of a row's process: in it, it has the number 1. What entered the namespace from
/// outside does not descend from it.
pub(super) fn namespace_init<'a>(b: &Batch<'a>, row: usize) -> Option<&'a Proc> {
    let own = b.proc_of(row).filter(|p| p.vpid != 0)?;
    let init = line(&b.dict, Some(own)).find(|p| p.vpid == 1)?;
    ((own.pid == own.vpid) == (init.pid == 1)).then_some(init)
}

fn login_shell<'a>(d: &Dict<'a>, id: ProcId) -> Value<'a> {
    let is_shell = |p: &&Proc| {
        let name = d.strings.get(p.comm);
        name.ends_with(b"sh") && name != b"ssh"
    };
    line(d, d.proc(id)).filter(is_shell).last().map_or(Value::None, |p| number(p.pid))
}

use Extract::Row;
pub(super) const fn of_proc(get: for<'a> fn(&Dict<'a>, ProcId, &Key) -> Value<'a>) -> Extract {
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
    keyed(
        Takes::OptionalIndex,
        field(
            "proc.args",
            Type::Text,
            "command-line arguments without argv[0], joined with blanks; with a number one of them, from 0",
            "proc.args contains --verbose",
            of_proc(|d, i, k| {
                of(d, i, |p| match k {
                    Key::Index(n) => nth_arg(d, p, *n),
                    _ => args(d, p),
                })
            }),
        ),
    ),
    keyed(
        Takes::OptionalIndex,
        field(
            "proc.aargs",
            Type::Text,
            "command-line arguments of an ancestor, without argv[0]",
            "proc.aargs contains --login",
            of_proc(|d, i, k| up(d, i, k, args)),
        ),
    ),
    field(
        "proc.cmdlenargs",
        Type::Size,
        "length of all arguments together, argv[0] and what separates them not counted",
        "proc.cmdlenargs > 2k",
        of_proc(|d, i, _| {
            of(d, i, |p| {
                argv(d, p).map_or(Value::None, |(_, rest)| {
                    Value::UInt(rest.iter().filter(|b| **b != 0).count() as u64)
                })
            })
        }),
    ),
    field(
        "proc.cmdline",
        Type::Text,
        "name and arguments; a name that the kernel has cut is whole here if the first argument or the executable has it",
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
        "proc.args.cut",
        Type::Bool,
        "true if there are more arguments than the 4096 bytes that are kept; three dots stand for the rest",
        "proc.args.cut = true",
        of_proc(|d, i, _| {
            of(d, i, |p| match d.strings.find(p.args) {
                None => Value::None,
                Some(_) => Value::Bool(p.flags & proc_flags::ARGS_CUT != 0),
            })
        }),
    ),
    field(
        "proc.cwd",
        Type::Path,
        "working directory",
        "proc.cwd startswith /home",
        of_proc(|d, i, _| of(d, i, |p| text(d, p.cwd))),
    ),
    keyed(
        Takes::OptionalIndex,
        field(
            "proc.acwd",
            Type::Path,
            "working directory of an ancestor",
            "proc.acwd[1] startswith /home",
            of_proc(|d, i, k| up(d, i, k, |d, p| text(d, p.cwd))),
        ),
    ),
    field(
        "proc.loginshellid",
        Type::Id,
        "process id of the oldest shell among the process and its ancestors: one whose name ends in sh, but not ssh",
        "proc.loginshellid = 4711",
        of_proc(|d, i, _| login_shell(d, i)),
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
        "proc.pvpid",
        Type::Id,
        "process id of the parent in its own pid namespace",
        "proc.pvpid = 1",
        of_proc(|d, i, _| parent(d, i, |p| unless(0, u64::from(p.vpid)))),
    ),
    field(
        "proc.duration",
        Type::Duration,
        "age of the process",
        "proc.duration < 1s",
        Row(AGE, |b, row, _| age(b, row, b.proc_of(row))),
    ),
    field(
        "proc.ppid.duration",
        Type::Duration,
        "age of the parent",
        "proc.ppid.duration < 1s",
        Row(AGE, |b, row, _| age(b, row, parent_of(b, row))),
    ),
    field(
        "proc.pid.ts",
        Type::Time,
        "when the process started",
        "proc.pid.ts > 2026-11-22T21:00:00Z",
        Row(Columns::PROC, |b, row, _| started(b, b.proc_of(row))),
    ),
    field(
        "proc.ppid.ts",
        Type::Time,
        "when the parent started",
        "proc.ppid.ts > 2026-11-22T21:00:00Z",
        Row(Columns::PROC, |b, row, _| started(b, parent_of(b, row))),
    ),
    field(
        "proc.pidns_init_start_ts",
        Type::Time,
        "when the first process of the pid namespace started, if it is the process or an ancestor",
        "proc.pidns_init_start_ts > 2026-11-22T21:00:00Z",
        Row(Columns::PROC, |b, row, _| started(b, namespace_init(b, row))),
    ),
    field(
        "proc.nthreads",
        Type::UInt,
        "threads that the process has, the main one included",
        "proc.nthreads > 100",
        of_proc(|d, i, _| of(d, i, |p| unless(0, u64::from(p.threads)))),
    ),
    field(
        "proc.nchilds",
        Type::UInt,
        "threads that the process has, without the main one",
        "proc.nchilds > 100",
        of_proc(|d, i, _| of(d, i, |p| p.threads.checked_sub(1).map_or(Value::None, number))),
    ),
];
