//! Fields of the leaders of the process's session and group: `proc.sid.*`, `proc.sname`, `proc.pgid.*`, `proc.vpgid.*`.
//!
//! Enters: the dictionary and the index of a process. Leaves: values of its leaders, as far as they were seen. Never: a
//! guess for a leader that is not known.

use super::field;
use super::proc::{exe, number, of, of_proc, text};
use crate::batch::{Dict, Proc, ProcId};
use crate::fields::{Field, Type, Value};

type Get = for<'a> fn(&Dict<'a>, &'a Proc) -> Value<'a>;

fn session<'a>(d: &Dict<'a>, id: ProcId, get: Get) -> Value<'a> {
    of(d, id, |p| d.session_leader(p).map_or(Value::None, |p| get(d, p)))
}

fn group<'a>(d: &Dict<'a>, id: ProcId, get: Get) -> Value<'a> {
    of(d, id, |p| d.group_leader(p).map_or(Value::None, |p| get(d, p)))
}

/// The process group's number in the process's own pid namespace: its leader's, or 0 for one outside.
fn inner_group<'a>(d: &Dict<'a>, p: &'a Proc) -> Value<'a> {
    if p.vpid == 0 || p.pgid == 0 {
        return Value::None;
    }
    if p.vpid == p.pid {
        return number(p.pgid);
    }
    match d.group_leader(p) {
        Some(leader) if leader.vpid != 0 && leader.vpid == leader.pid => number(0),
        Some(leader) if leader.vpid != 0 => number(leader.vpid),
        _ => Value::None,
    }
}

fn leads(p: &Proc, what: u32) -> Value<'static> {
    if what == 0 { Value::None } else { Value::Bool(p.pid == what) }
}

/// The rows.
pub const FIELDS: &[Field] = &[
    field(
        "proc.vpgid",
        Type::Id,
        "process group id in the process's own pid namespace; 0 if the group leads from outside",
        "proc.vpgid = 1",
        of_proc(|d, i, _| of(d, i, |p| inner_group(d, p))),
    ),
    field(
        "proc.is_sid_leader",
        Type::Bool,
        "true if the process leads its session",
        "proc.is_sid_leader = true",
        of_proc(|d, i, _| of(d, i, |p| leads(p, p.sid))),
    ),
    field(
        "proc.is_pgid_leader",
        Type::Bool,
        "true if the process leads its group",
        "proc.is_pgid_leader = true",
        of_proc(|d, i, _| of(d, i, |p| leads(p, p.pgid))),
    ),
    field(
        "proc.is_vpgid_leader",
        Type::Bool,
        "true if the process leads its group, as seen in its own pid namespace: the same as proc.is_pgid_leader",
        "proc.is_vpgid_leader = true",
        of_proc(|d, i, _| of(d, i, |p| leads(p, p.pgid))),
    ),
    field(
        "proc.sname",
        Type::Text,
        "name of the session's leader",
        "proc.sname = sshd",
        of_proc(|d, i, _| session(d, i, |d, p| text(d, p.comm))),
    ),
    field(
        "proc.sid.exe",
        Type::Text,
        "first command-line argument (argv[0]) of the session's leader",
        "proc.sid.exe = -bash",
        of_proc(|d, i, _| session(d, i, exe)),
    ),
    field(
        "proc.sid.exepath",
        Type::Path,
        "path of the executable of the session's leader",
        "proc.sid.exepath = /usr/bin/bash",
        of_proc(|d, i, _| session(d, i, |d, p| text(d, p.exepath))),
    ),
    field(
        "proc.pgid.name",
        Type::Text,
        "name of the process group's leader",
        "proc.pgid.name = make",
        of_proc(|d, i, _| group(d, i, |d, p| text(d, p.comm))),
    ),
    field(
        "proc.pgid.exe",
        Type::Text,
        "first command-line argument (argv[0]) of the process group's leader",
        "proc.pgid.exe = -bash",
        of_proc(|d, i, _| group(d, i, exe)),
    ),
    field(
        "proc.pgid.exepath",
        Type::Path,
        "path of the executable of the process group's leader",
        "proc.pgid.exepath = /usr/bin/bash",
        of_proc(|d, i, _| group(d, i, |d, p| text(d, p.exepath))),
    ),
    field(
        "proc.vpgid.name",
        Type::Text,
        "name of the process group's leader",
        "proc.vpgid.name = make",
        of_proc(|d, i, _| group(d, i, |d, p| text(d, p.comm))),
    ),
    field(
        "proc.vpgid.exe",
        Type::Text,
        "first command-line argument (argv[0]) of the process group's leader",
        "proc.vpgid.exe = -bash",
        of_proc(|d, i, _| group(d, i, exe)),
    ),
    field(
        "proc.vpgid.exepath",
        Type::Path,
        "path of the executable of the process group's leader",
        "proc.vpgid.exepath = /usr/bin/bash",
        of_proc(|d, i, _| group(d, i, |d, p| text(d, p.exepath))),
    ),
];
