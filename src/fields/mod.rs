//! Fields: everything that can be asked of an event, with its name, type and documentation, in one table.
//!
//! Enters: a [`Batch`] view and a row. Leaves: typed [`Value`]s, and arguments rendered as text or JSON. Never: the
//! filter's language, the order of columns on a line.
//!
//! A field's row says by its [`Extract`] what the value depends on. That is what makes filters fast: a test of a process
//! field is decided once per dictionary entry, a test of the call's name once per code, a test of a plain column in a
//! loop over a slice; only [`Extract::Row`] is decided row by row.

use std::borrow::Cow;
use std::net::IpAddr;

use crate::batch::{Batch, Columns, Dict, FileId, Meta, ProcId};
use crate::schema::Schema;

pub mod args;
pub mod arrays;
pub mod clock;
pub mod escape;
#[cfg(test)]
pub mod fixture;
pub mod messages;
pub mod names;
pub mod number;
pub mod res;
pub mod services;
pub mod sink;
mod special;
pub mod structs;
mod table;

pub use names::file_name;
pub use table::FIELDS;

/// The type of a field: decides which operators and constants a filter accepts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Type {
    /// Text (bytes that are usually UTF-8).
    Text,
    /// A path: text, component-wise operators make sense.
    Path,
    /// Raw bytes.
    Bytes,
    /// True or false.
    Bool,
    /// A signed number.
    Int,
    /// An unsigned number.
    UInt,
    /// A user, group, process … id: a number.
    Id,
    /// A port: 0 to 65535, or a service name in a filter.
    Port,
    /// An IPv4 or IPv6 address; a filter may compare it with a network (CIDR).
    Ip,
    /// Nanoseconds since 1970.
    Time,
    /// A span in nanoseconds.
    Duration,
    /// A number of bytes.
    Size,
    /// The name of a system call or event; a filter checks it at parse time.
    CallName,
    /// The name of a class of calls.
    ClassName,
    /// An error's name, or SUCCESS.
    ErrnoName,
    /// The name of a kind of file ([`crate::batch::FileKind`]).
    FileKindName,
}

/// One value of one field for one event.
#[derive(Clone, PartialEq, Debug)]
pub enum Value<'a> {
    /// Not there: every comparison is false.
    None,
    /// Text, paths, bytes, names.
    Text(Cow<'a, [u8]>),
    /// True or false.
    Bool(bool),
    /// A signed number.
    Int(i64),
    /// An unsigned number; times, durations, sizes, ids, ports too.
    UInt(u64),
    /// An address.
    Ip(IpAddr),
    /// Several values: a comparison holds if it holds for any of them (`fd.ip` is either address, `proc.aname` any ancestor).
    Any(Vec<Value<'a>>),
}

impl<'a> Value<'a> {
    /// Borrowed text.
    pub fn text(bytes: &'a [u8]) -> Value<'a> {
        Value::Text(Cow::Borrowed(bytes))
    }

    /// Text that may be missing.
    pub fn maybe(bytes: Option<&'a [u8]>) -> Value<'a> {
        bytes.map_or(Value::None, Value::text)
    }
}

/// The argument in brackets after a field's name: `proc.aname[2]`, `evt.arg[path]`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Key {
    /// None given.
    None,
    /// A number.
    Index(usize),
    /// A word.
    Name(String),
}

/// Whether a field takes an argument.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Takes {
    /// No argument.
    Nothing,
    /// A number may be given.
    OptionalIndex,
    /// A name or a number must be given (`evt.arg[path]`; `evt.arg.path` means the same).
    NameOrIndex,
    /// A name or a number may be given (`proc.env[HOME]`).
    OptionalName,
    /// A number must be given.
    Index,
}

/// A whole column as a slice, for tests in a loop.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs, reason = "the element type")]
pub enum Slice<'a> {
    U16(&'a [u16]),
    U32(&'a [u32]),
    U64(&'a [u64]),
    I64(&'a [i64]),
}

/// What a field's value depends on, and how to get it.
#[derive(Clone, Copy)]
pub enum Extract {
    /// The code alone.
    Code(for<'a> fn(&'a Schema, u16) -> Value<'a>),
    /// The row's process.
    Proc(for<'a> fn(&Dict<'a>, ProcId, &Key) -> Value<'a>),
    /// The row's file ([`Batch::file_id_of`]).
    File(for<'a> fn(&Dict<'a>, FileId, &Key) -> Value<'a>),
    /// A column as it is; the second is the element that means "not there", if any.
    Column(Columns, for<'a> fn(&Batch<'a>) -> Slice<'a>, Option<u64>),
    /// The row's time, by a function that never falls as the time grows.
    Moment(fn(&Meta, u64) -> u64),
    /// The result alone, if the row is a call that returned ([`res::has_result`]); the same for all that are no error.
    Result(fn(Option<i64>) -> Value<'static>),
    /// Anything else about the row; the columns it reads.
    Row(Columns, for<'a> fn(&Batch<'a>, usize, &Key) -> Value<'a>),
}

/// One field.
#[derive(Clone, Copy)]
pub struct Field {
    /// Its name, as in filters, templates and JSON.
    pub name: &'static str,
    /// Its type.
    pub ty: Type,
    /// Whether it takes an argument.
    pub takes: Takes,
    /// One line of documentation.
    pub doc: &'static str,
    /// An example: a filter that uses it.
    pub example: &'static str,
    /// How to get it.
    pub extract: Extract,
}

impl Field {
    /// True if its argument is an argument of the call: checked against the schema.
    pub fn is_argument(&self) -> bool {
        matches!(self.name, "evt.arg" | "evt.rawarg")
    }

    /// True if it is about the descriptors of calls that may name several: no other call has it.
    pub fn is_of_several(&self) -> bool {
        self.name.starts_with("fdlist.")
    }

    /// True if it is about processes and what they have open, whatever happens: rows of snapshots have it too.
    pub fn is_of_things(&self) -> bool {
        let class = self.name.split('.').next().unwrap_or_default();
        matches!(class, "proc" | "user" | "group" | "fd" | "container" | "k8s" | "k8smeta")
            || matches!(self.name, "evt.hostname" | "thread.tid" | "thread.cgroups" | "thread.vtid")
            || self.name.starts_with("thread.cap_")
    }

    /// The columns that must be loaded to get it.
    pub fn columns(&self) -> Columns {
        match self.extract {
            Extract::Code(_) => Columns::CALL,
            Extract::Proc(_) => Columns::PROC,
            // Which file a row is about depends on its code and result.
            Extract::File(_) => Columns::CALL.and(Columns::RET).and(Columns::REFS),
            Extract::Moment(_) => Columns::TIME,
            Extract::Result(_) => Columns::CALL.and(Columns::RET).and(Columns::FLAGS),
            Extract::Column(columns, ..) | Extract::Row(columns, _) => columns,
        }
    }

    /// Its value for a row.
    pub fn value<'a>(&self, batch: &Batch<'a>, row: usize, key: &Key) -> Value<'a> {
        match self.extract {
            Extract::Code(get) => batch.call.get(row).map_or(Value::None, |code| get(batch.schema, *code)),
            Extract::Proc(get) => batch.proc.get(row).map_or(Value::None, |id| get(&batch.dict, *id, key)),
            Extract::File(get) => batch.file_id_of(row).map_or(Value::None, |id| get(&batch.dict, id, key)),
            Extract::Column(_, get, none) => {
                let value = match get(batch) {
                    Slice::U16(s) => s.get(row).map(|v| Value::UInt(u64::from(*v))),
                    Slice::U32(s) => s.get(row).map(|v| Value::UInt(u64::from(*v))),
                    Slice::U64(s) => s.get(row).map(|v| Value::UInt(*v)),
                    Slice::I64(s) => s.get(row).map(|v| Value::Int(*v)),
                };
                value.filter(|v| none.is_none_or(|n| *v != Value::UInt(n))).unwrap_or(Value::None)
            }
            Extract::Moment(get) => {
                batch.time.get(row).map_or(Value::None, |time| Value::UInt(get(&batch.meta, *time)))
            }
            Extract::Result(get) => match batch.call.get(row) {
                Some(_) => get(res::has_result(batch, row).then(|| batch.ret_of(row))),
                None => Value::None,
            },
            Extract::Row(_, get) => get(batch, row, key),
        }
    }
}

/// The field with this name.
pub fn find(name: &str) -> Option<&'static Field> {
    FIELDS.iter().find(|f| f.name == name)
}

/// The field that `text` begins with, the longest that fits, with its argument (`evt.arg.path`, `proc.aname[2]`), and how
/// many bytes of `text` that is. Where the argument is missing or makes no sense, what is wrong.
pub fn prefix(text: &str) -> Result<(&'static Field, Key, usize), String> {
    let is_name = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'_');
    let token = &text[..text.bytes().position(|b| !is_name(&b)).unwrap_or(text.len())];
    let found = (1..=token.len()).rev().find_map(|end| find(&token[..end]).map(|f| (f, end)));
    let Some((field, end)) = found else { return Err(unknown(token)) };
    let rest = &text[end..];
    if field.takes != Takes::Nothing
        && let Some(inner) = rest.strip_prefix('[')
    {
        let Some(close) = inner.find(']') else { return Err(format!("{}[ is never closed", field.name)) };
        let key = key(field, inner[..close].trim())?;
        return Ok((field, key, end + close + 2));
    }
    if field.takes == Takes::NameOrIndex {
        let word = rest.strip_prefix('.').unwrap_or("");
        let len = word.bytes().position(|b| !is_name(&b) || b == b'.').unwrap_or(word.len());
        let key = key(field, &word[..len])?;
        return Ok((field, key, end + 1 + len));
    }
    if field.takes == Takes::Index {
        return Err(format!("{0} needs a number: {1}", field.name, field.example));
    }
    if rest.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric() || b == b'_') {
        return Err(unknown(token));
    }
    Ok((field, Key::None, end))
}

/// The field that is all of `text`, with its argument.
pub fn lookup(text: &str) -> Result<(&'static Field, Key), String> {
    match prefix(text) {
        Ok((field, key, end)) if end == text.len() => Ok((field, key)),
        Ok(_) => Err(unknown(text)),
        Err(reason) => Err(reason),
    }
}

fn key(field: &Field, text: &str) -> Result<Key, String> {
    if let Ok(n) = text.parse() {
        return Ok(Key::Index(n));
    }
    match field.takes {
        Takes::NameOrIndex | Takes::OptionalName if text.is_empty() => {
            Err(format!("{0} needs the name or number of what is meant: {1}", field.name, field.example))
        }
        Takes::NameOrIndex | Takes::OptionalName => Ok(Key::Name(text.to_string())),
        _ => Err(format!("{0} takes a number: {0}[1]", field.name)),
    }
}

fn unknown(name: &str) -> String {
    match suggest(name) {
        Some(near) => format!("no field is called `{name}`; did you mean `{near}`?"),
        None => format!("no field is called `{name}`"),
    }
}

/// The field whose name is nearest to what was meant.
pub fn suggest(name: &str) -> Option<&'static str> {
    let near = FIELDS.iter().map(|f| (strsim::damerau_levenshtein(f.name, name), f.name)).min()?;
    (near.0 <= 1 + name.len() / 4).then_some(near.1)
}
