//! The table of fields.

use super::{Extract, Field, Slice, Takes, Type, Value};
use crate::batch::{Columns, Dict, File, NO_LATENCY, Proc};

fn of_proc<'a>(dict: &Dict<'a>, id: u32, get: impl Fn(&'a Proc) -> Value<'a>) -> Value<'a> {
    dict.proc(id).map_or(Value::None, get)
}

fn of_file<'a>(dict: &Dict<'a>, id: u32, get: impl Fn(&'a File) -> Value<'a>) -> Value<'a> {
    dict.file(id).map_or(Value::None, get)
}

/// Every field, by class.
pub static FIELDS: &[Field] = &[
    Field {
        name: "evt.type",
        ty: Type::CallName,
        takes: Takes::Nothing,
        doc: "name of the system call or event",
        example: "evt.type = openat",
        extract: Extract::Code(|schema, code| Value::text(schema.shape(code).name.as_bytes())),
    },
    Field {
        name: "evt.latency",
        ty: Type::Duration,
        takes: Takes::Nothing,
        doc: "time from entry to exit",
        example: "evt.latency > 10ms",
        extract: Extract::Column(Columns::LATENCY, |b| Slice::U64(b.latency), Some(NO_LATENCY)),
    },
    Field {
        name: "evt.rawres",
        ty: Type::Int,
        takes: Takes::Nothing,
        doc: "result as a number",
        example: "evt.rawres < 0",
        extract: Extract::Column(Columns::RET, |b| Slice::I64(b.ret), None),
    },
    Field {
        name: "proc.name",
        ty: Type::Text,
        takes: Takes::Nothing,
        doc: "the kernel's name of the process (comm)",
        example: "proc.name = nginx",
        extract: Extract::Proc(|d, id, _| of_proc(d, id, |p| Value::maybe(d.strings.find(p.comm)))),
    },
    Field {
        name: "proc.pid",
        ty: Type::Id,
        takes: Takes::Nothing,
        doc: "process id",
        example: "proc.pid = 4711",
        extract: Extract::Proc(|d, id, _| of_proc(d, id, |p| Value::UInt(u64::from(p.pid)))),
    },
    Field {
        name: "fd.name",
        ty: Type::Path,
        takes: Takes::Nothing,
        doc: "path, or addresses of a connection",
        example: "fd.name startswith /etc",
        extract: Extract::File(|d, id, _| of_file(d, id, |f| Value::maybe(d.strings.find(f.name)))),
    },
];
