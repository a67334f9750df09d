//! Fields of users and groups: `user.*`, `group.*`.
//!
//! Enters: the dictionary and the index of a process. Leaves: its user and group. Never: the name service.

use super::field;
use super::proc::{id, of, of_proc, text};
use crate::batch::{Dict, NONE, ProcId, StrId};
use crate::fields::{Field, Type, Value};

fn user<'a>(d: &Dict<'a>, id: ProcId, get: fn(&'a crate::batch::User) -> StrId) -> Value<'a> {
    of(d, id, |p| d.user(p.user).map_or(Value::None, |u| text(d, get(u))))
}

/// The rows.
pub const FIELDS: &[Field] = &[
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
        "audit user id: who logged in, as the host numbers users; -1 if nobody did",
        "user.loginuid >= 1000",
        of_proc(|d, i, _| {
            of(d, i, |p| Value::Int(if p.loginuid == NONE { -1 } else { i64::from(p.loginuid) }))
        }),
    ),
    field(
        "user.loginname",
        Type::Text,
        "name on the host of who logged in, also where the process itself has another user namespace; missing if nobody did",
        "user.loginname = alice",
        of_proc(|d, i, _| of(d, i, |p| d.user(p.login).map_or(Value::None, |u| text(d, u.name)))),
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
