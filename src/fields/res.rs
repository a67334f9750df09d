//! Results as names.
//!
//! Enters: a row's result. Leaves: `SUCCESS`, the name of an error, or nothing where a result means nothing. Never: numbers
//! for errors that have names.

use std::borrow::Cow;

use super::args::Arg;
use super::{Value, number};
use crate::batch::{Batch, row_flags};
use crate::schema::layout::Is;
use crate::schema::names::Names;
use crate::schema::{COMPAT, EVENTS, Ret, Shape, What, is_error, is_restart, names};

/// The kernel's own results, never seen by programs.
const RESTART: [&str; 5] =
    ["ERESTARTSYS", "ERESTARTNOINTR", "ERESTARTNOHAND", "ENOIOCTLCMD", "ERESTART_RESTARTBLOCK"];

fn name(ret: i64) -> Option<&'static str> {
    if is_restart(ret) {
        return RESTART.get((-512 - ret) as usize).copied();
    }
    names::errno(ret.unsigned_abs())
}

/// Appends the name of an error; `ERRNO_4000` if it has none.
pub fn push(out: &mut Vec<u8>, ret: i64) {
    match name(ret) {
        Some(name) => out.extend_from_slice(name.as_bytes()),
        None => {
            out.extend_from_slice(b"ERRNO_");
            number::uint(out, ret.unsigned_abs());
        }
    }
}

/// True if the row is a call that returned.
pub fn has_result(batch: &Batch<'_>, row: usize) -> bool {
    returns(batch.shape_of(row)) && batch.flags_of(row) & row_flags::UNFINISHED == 0
}

/// True if rows of this shape are calls that may return.
pub fn returns(shape: &Shape) -> bool {
    shape.ret != Ret::None && (shape.described || !(EVENTS..COMPAT).contains(&shape.code))
}

/// `SUCCESS` or the error's name; nothing for what has no result.
pub fn of(batch: &Batch<'_>, row: usize) -> Option<Cow<'static, str>> {
    if !has_result(batch, row) {
        return None;
    }
    Some(text(batch.ret_of(row)))
}

/// `SUCCESS` or the error's name.
pub fn text(ret: i64) -> Cow<'static, str> {
    if !is_error(ret) {
        return Cow::Borrowed("SUCCESS");
    }
    name(ret).map_or_else(|| Cow::Owned(format!("ERRNO_{}", ret.unsigned_abs())), Cow::Borrowed)
}

/// The same as a value.
pub fn value(ret: i64) -> Value<'static> {
    match text(ret) {
        Cow::Borrowed(name) => Value::text(name.as_bytes()),
        Cow::Owned(name) => Value::Text(name.into_bytes().into()),
    }
}

/// True if a row is a call that failed.
pub fn failed_at(batch: &Batch<'_>, row: usize) -> bool {
    has_result(batch, row) && failed(batch.ret_of(row))
}

/// True if a result is an error; being restarted is none.
pub fn failed(ret: i64) -> bool {
    is_error(ret) && !is_restart(ret)
}

/// What names say of the result of a call that did not fail: flags, a signal, a policy. Nothing where the number says all.
pub fn named(batch: &Batch<'_>, row: usize) -> Option<Arg<'static>> {
    let ret = batch.ret_of(row);
    if !has_result(batch, row) || is_error(ret) {
        return None;
    }
    let word = ret as u64;
    let has_name = |table: &'static Names| table.name_of(word).is_some();
    match batch.shape_of(row).ret {
        Ret::Flags(table) => Some(Arg::Flags(word, table)),
        Ret::Enum(table) => has_name(table).then_some(Arg::Enum(word, table)),
        Ret::Signal => (ret > 0).then_some(Arg::Signal(word)),
        Ret::By(choice) => match choice.what(batch.words_of(row)) {
            What::Word(is @ (Is::Flags(..) | Is::Sig(_))) => Some(Arg::Word(is, word)),
            What::Word(is @ Is::Enum(_, table)) => has_name(table).then_some(Arg::Word(is, word)),
            _ => None,
        },
        _ => None,
    }
}
