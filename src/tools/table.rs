//! CSV: a line for each event, a typed column for each field.
//!
//! Enters: rows. Leaves: RFC 4180 (commas, quotes doubled, CRLF), in which every byte can be had again. Never: a line break
//! within a field.
//!
//! * Times are RFC 3339 in UTC; durations are nanoseconds; addresses, numbers, `true` and `false` as they are.
//! * Text is escaped as in lines of text: `\n`, `\t`, `\r`, `\\`, and `\xNN` for each byte that cannot be shown.
//! * A field that an event does not have is empty; an empty text is `""`. Several values stand in one field, with commas
//!   between them, in which a comma of a value is `\x2c`.

use crate::batch::{Batch, Columns};
use crate::catalogue;
use crate::fields::{self, Field, Key, Type, Value, clock, escape, number};

/// What the first line is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Head {
    /// `evt.num:number,evt.time:time,…`
    #[default]
    Types,
    /// `evt.num,evt.time,…`
    Names,
    /// There is none.
    None,
}

/// The columns if none were asked for.
const STANDARD: &str = "evt.num,evt.time,evt.hostname,evt.cpu,evt.type,proc.name,proc.pid,proc.ppid,thread.tid,user.name,\
evt.args,evt.rawres,evt.res,evt.latency,fd.num,fd.type,fd.name,evt.lost";

/// Writes lines.
pub struct Csv {
    fields: Vec<(&'static Field, Key)>,
    head: Head,
    text: Vec<u8>,
}

impl Csv {
    /// These fields: names with commas between them.
    pub fn new(list: Option<&str>, head: Head) -> Result<Csv, String> {
        let names = list.unwrap_or(STANDARD).split(',').map(str::trim).filter(|name| !name.is_empty());
        let fields = names.map(fields::lookup).collect::<Result<Vec<_>, _>>()?;
        if fields.is_empty() {
            return Err("--fields names no field".into());
        }
        Ok(Csv { fields, head, text: Vec::new() })
    }

    /// The columns that a line needs.
    pub fn columns(&self) -> Columns {
        self.fields.iter().fold(Columns::CALL, |all, (f, _)| all.and(f.columns()))
    }

    /// Appends the first line.
    pub fn head(&self, out: &mut Vec<u8>) {
        if self.head == Head::None {
            return;
        }
        for (i, (field, key)) in self.fields.iter().enumerate() {
            if i > 0 {
                out.push(b',');
            }
            let mut name = match key {
                Key::None => field.name.to_string(),
                Key::Index(n) => format!("{}[{n}]", field.name),
                Key::Name(n) => format!("{}[{n}]", field.name),
            };
            if self.head == Head::Types {
                name = format!("{name}:{}", catalogue::type_name(field.ty));
            }
            quoted(out, name.as_bytes(), false);
        }
        out.extend_from_slice(b"\r\n");
    }

    /// Appends the line of a row.
    pub fn row(&mut self, batch: &Batch<'_>, row: usize, out: &mut Vec<u8>) {
        for (i, (field, key)) in self.fields.iter().enumerate() {
            if i > 0 {
                out.push(b',');
            }
            let value = field.value(batch, row, key);
            self.text.clear();
            let there = plain(&mut self.text, field.ty, &value);
            if there {
                quoted(out, &self.text, matches!(value, Value::Text(_)));
            }
        }
        out.extend_from_slice(b"\r\n");
    }
}

/// Appends a field of the line; an empty one of text is not the same as none.
fn quoted(out: &mut Vec<u8>, text: &[u8], is_text: bool) {
    let special = text.iter().any(|b| matches!(b, b',' | b'"' | b'\r' | b'\n'));
    let empty_text = is_text && text.is_empty();
    if !special && !empty_text {
        return out.extend_from_slice(text);
    }
    out.push(b'"');
    for part in text.split_inclusive(|b| *b == b'"') {
        out.extend_from_slice(part);
        if part.ends_with(b"\"") {
            out.push(b'"');
        }
    }
    out.push(b'"');
}

/// Appends a value; false if there is none.
fn plain(out: &mut Vec<u8>, ty: Type, value: &Value<'_>) -> bool {
    match value {
        Value::None => return false,
        Value::Text(text) => escape::escape(out, text, escape::Within::Free),
        Value::Bool(b) => out.extend_from_slice(if *b { b"true" } else { b"false" }),
        Value::Int(n) => number::int(out, *n),
        Value::UInt(n) if ty == Type::Time => clock::rfc3339(out, *n),
        Value::UInt(n) => number::uint(out, *n),
        Value::Ip(ip) => number::ip(out, *ip),
        Value::Any(all) => {
            let mut any = false;
            for v in all {
                let before = out.len();
                if any {
                    out.push(b',');
                }
                let from = out.len();
                if !plain(out, ty, v) {
                    out.truncate(before);
                    continue;
                }
                any = true;
                if out.get(from..).is_some_and(|v| v.contains(&b',')) {
                    let value = out.split_off(from);
                    for b in value {
                        if b == b',' { out.extend_from_slice(b"\\x2c") } else { out.push(b) }
                    }
                }
            }
            return any;
        }
    }
    true
}
