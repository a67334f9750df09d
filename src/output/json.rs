//! JSON: one object a line.
//!
//! Enters: a batch and a row. Leaves: an object whose keys are names of fields. Never: a byte lost, a line that does not
//! parse.
//!
//! * Numbers are numbers; larger than 2^53 they are strings, because JavaScript and older jq would round them.
//! * Text is a string; bytes that are not UTF-8 are `{"b64":"…"}`.
//! * Times are RFC 3339 in UTC with nanoseconds; durations are nanoseconds.
//! * `evt.args` is an object with a key for each argument: descriptors are `{"fd":3,"type":"file","name":"/etc/passwd"}`
//!   (`{"fd":-100,"alias":"AT_FDCWD"}`), flags are arrays of names (bits without one as a hexadecimal string at the end),
//!   other numbers with a name are that name, modes are octal strings, addresses in memory hexadecimal strings, NULL is
//!   null, structures are objects. Bytes that were cut are `{"text":"…" or "b64":"…","cut":true,"len":4096}`, memory that
//!   could not be read is `{"unreadable":"0x…"}`.
//! * Errors stand by name in `evt.res` and by number in `evt.rawres`; names that a result has (the flags of `F_GETFL`, a
//!   policy of scheduling, a signal) are in `evt.result`, as they would be in an argument.
//! * A field that an event does not have is left out. In the standard set `evt.certain` stands only where it is false,
//!   `evt.compat`, `evt.in_flight` and `evt.latency_least` only where they are true, `evt.hostname` only in captures of several hosts, `container.*` and `k8s.*` only
//!   for what runs in a container, results only for calls that returned.
//! * Losses are records with `"type":"lost"`; the last record has `"type":"end"`.

use crate::batch::{Batch, Columns, NONE};
use crate::fields::sink::{JsonSink, json_int, json_uint};
use crate::fields::{self, Field, Key, Type, Value, args, clock, escape, number, res};
use crate::schema::LOST;

/// What stands in an object.
#[derive(Clone)]
pub struct JsonOptions {
    /// The fields, in order.
    pub fields: Vec<(&'static Field, Key)>,
    standard: bool,
}

impl std::fmt::Debug for JsonOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.fields.iter().map(|(field, key)| (field.name, key))).finish()
    }
}

const STANDARD: &str = "evt.num,evt.time,evt.hostname,evt.cpu,evt.type,evt.class,evt.compat,evt.certain,evt.lost,proc.name,proc.pid,\
proc.ppid,thread.tid,proc.exepath,user.uid,user.name,container.id,container.name,container.image,k8s.ns.name,k8s.pod.name,evt.args,evt.rawres,evt.result,evt.res,evt.failed,evt.in_flight,thread.state,evt.latency,evt.latency_least,fd.num,fd.type,\
fd.name";

impl Default for JsonOptions {
    fn default() -> JsonOptions {
        let fields = STANDARD.split(',').filter_map(|name| fields::lookup(name).ok()).collect();
        JsonOptions { fields, standard: true }
    }
}

impl JsonOptions {
    /// These fields: names with commas between them.
    pub fn parse(list: &str) -> Result<JsonOptions, String> {
        let names = list.split(',').map(str::trim).filter(|name| !name.is_empty());
        let fields = names.map(fields::lookup).collect::<Result<Vec<_>, _>>()?;
        Ok(JsonOptions { fields, standard: false })
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Form {
    /// The field's value.
    Value,
    /// The object of all arguments.
    Args,
    /// One argument, typed.
    Arg,
    /// Only if it is this.
    If(bool),
    /// Only for calls that returned.
    Result,
    /// Only if there are several hosts.
    Host,
    /// Only for what runs in a container.
    Inside,
    /// The names in the result.
    Names,
}

struct Part {
    /// `"proc.name":`, ready to be written.
    key: Vec<u8>,
    field: &'static Field,
    arg: Key,
    form: Form,
    /// It means something for records of losses.
    of_loss: bool,
}

/// Writes objects.
pub struct Json {
    parts: Vec<Part>,
}

impl std::fmt::Debug for Json {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.parts.iter().map(|p| p.field.name)).finish()
    }
}

impl Json {
    /// A writer with these options.
    pub fn new(options: JsonOptions) -> Json {
        let standard = options.standard;
        let parts = options.fields.into_iter().map(|(field, arg)| {
            let mut key = Vec::new();
            let name = match &arg {
                Key::None => field.name.to_string(),
                Key::Index(n) => format!("{}[{n}]", field.name),
                Key::Name(n) => format!("{}[{n}]", field.name),
            };
            escape::json_str(&mut key, &name);
            key.push(b':');
            let form = match field.name {
                "evt.args" => Form::Args,
                "evt.arg" => Form::Arg,
                "evt.hostname" if standard => Form::Host,
                name if standard && (name.starts_with("container.") || name.starts_with("k8s.")) => {
                    Form::Inside
                }
                "evt.result" => Form::Names,
                "evt.certain" if standard => Form::If(false),
                "evt.compat" | "evt.in_flight" | "evt.latency_least" if standard => Form::If(true),
                "evt.rawres" | "evt.failed" if standard => Form::Result,
                _ => Form::Value,
            };
            // A loss is nobody's and no call's.
            let of_loss = !standard
                || matches!(
                    field.name,
                    "evt.num"
                        | "evt.time"
                        | "evt.hostname"
                        | "evt.cpu"
                        | "evt.type"
                        | "evt.class"
                        | "evt.lost"
                );
            Part { key, field, arg, form, of_loss }
        });
        Json { parts: parts.collect() }
    }

    /// The columns that a line needs.
    pub fn columns(&self) -> Columns {
        self.parts.iter().fold(Columns::CALL, |all, p| all.and(p.field.columns()))
    }

    /// Appends the line of a row.
    pub fn render(&self, batch: &Batch<'_>, row: usize, out: &mut Vec<u8>) {
        out.push(b'{');
        let lost = batch.call.get(row) == Some(&LOST);
        if lost {
            out.extend_from_slice(b"\"type\":\"lost\"");
        }
        for part in self.parts.iter().filter(|p| p.of_loss || !lost) {
            let before = out.len();
            if out.last() != Some(&b'{') {
                out.push(b',');
            }
            out.extend_from_slice(&part.key);
            if !part.write(batch, row, out) {
                out.truncate(before);
            }
        }
        out.extend_from_slice(b"}\n");
    }
}

impl Part {
    /// Appends the value; false if there is none.
    fn write(&self, batch: &Batch<'_>, row: usize, out: &mut Vec<u8>) -> bool {
        match self.form {
            Form::Args => {
                args::push_args_json(out, batch, row);
                true
            }
            Form::Arg => match args::nth(batch, row, &self.arg).and_then(|i| args::arg(batch, row, i)) {
                Some(arg) => {
                    arg.emit(&mut JsonSink::new(out, batch));
                    true
                }
                None => false,
            },
            Form::Names => match res::named(batch, row) {
                Some(names) => {
                    names.emit(&mut JsonSink::new(out, batch));
                    true
                }
                None => false,
            },
            Form::If(wanted) => match self.field.value(batch, row, &self.arg) {
                Value::Bool(b) if b == wanted => value(out, self.field.ty, &Value::Bool(b)),
                _ => false,
            },
            Form::Inside if batch.proc_of(row).is_none_or(|p| p.container == NONE) => false,
            Form::Host if batch.schema.hosts().len() < 2 => false,
            Form::Result if !res::has_result(batch, row) => false,
            Form::Value | Form::Result | Form::Host | Form::Inside => {
                value(out, self.field.ty, &self.field.value(batch, row, &self.arg))
            }
        }
    }
}

/// Appends a value; false if there is none.
fn value(out: &mut Vec<u8>, ty: Type, v: &Value<'_>) -> bool {
    match v {
        Value::None => return false,
        Value::Text(text) => escape::json(out, text),
        Value::Bool(b) => out.extend_from_slice(if *b { b"true" } else { b"false" }),
        Value::Int(n) => json_int(out, *n),
        Value::UInt(n) if ty == Type::Time => {
            out.push(b'"');
            clock::rfc3339(out, *n);
            out.push(b'"');
        }
        Value::UInt(n) => json_uint(out, *n),
        Value::Ip(ip) => {
            out.push(b'"');
            number::ip(out, *ip);
            out.push(b'"');
        }
        Value::Any(all) => {
            out.push(b'[');
            for v in all {
                let before = out.len();
                if out.last() != Some(&b'[') {
                    out.push(b',');
                }
                if !value(out, ty, v) {
                    out.truncate(before);
                }
            }
            out.push(b']');
        }
    }
    true
}

/// What a run saw in all.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Totals {
    /// Events that were produced.
    pub produced: u64,
    /// Of those, what the filter kept.
    pub matched: u64,
    /// Events that were lost.
    pub lost: u64,
}

/// Appends the last record: without it a file may have been cut.
pub fn render_end(out: &mut Vec<u8>, totals: &Totals) {
    out.extend_from_slice(b"{\"type\":\"end\",\"produced\":");
    json_uint(out, totals.produced);
    out.extend_from_slice(b",\"matched\":");
    json_uint(out, totals.matched);
    out.extend_from_slice(b",\"lost\":");
    json_uint(out, totals.lost);
    out.extend_from_slice(b"}\n");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fields::fixture;

    fn lines(options: JsonOptions) -> String {
        let (schema, block) = (fixture::schema(), fixture::block());
        let batch = block.view(&schema);
        let json = Json::new(options);
        let mut out = Vec::new();
        for row in 0..batch.rows {
            json.render(&batch, row, &mut out);
        }
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_line_of_each_sort() {
        let text = lines(JsonOptions::default());
        for line in text.lines() {
            assert!(serde_json::from_str::<serde_json::Value>(line).unwrap().is_object(), "{line}");
        }
        insta::assert_snapshot!(text);
    }

    /// Everything there is, as it is and by an argument.
    #[test]
    fn all_fields_parse() {
        let names = fields::FIELDS.iter().map(|f| match f.takes {
            fields::Takes::Nothing => f.name.to_string(),
            fields::Takes::OptionalIndex => format!("{0},{0}[1]", f.name),
            fields::Takes::Index => format!("{0}[1]", f.name),
            fields::Takes::OptionalName => format!("{0},{0}[HOME]", f.name),
            fields::Takes::NameOrIndex => format!("{0}[0],{0}[1],{0}.buf", f.name),
        });
        let list = names.collect::<Vec<_>>().join(",");
        for line in lines(JsonOptions::parse(&list).unwrap()).lines() {
            serde_json::from_str::<serde_json::Value>(line).unwrap();
        }
    }

    #[test]
    fn standard_fields_exist() {
        assert_eq!(JsonOptions::default().fields.len(), STANDARD.split(',').count());
        assert!(JsonOptions::parse("evt.num, proc.nmae").unwrap_err().contains("`proc.name`"));
    }

    #[test]
    fn the_end() {
        let mut out = Vec::new();
        render_end(&mut out, &Totals { produced: 10, matched: 3, lost: u64::MAX });
        let end: serde_json::Value = serde_json::from_slice(&out).unwrap();
        assert_eq!(end["type"], "end");
        assert_eq!(end["lost"], u64::MAX.to_string());
    }
}
