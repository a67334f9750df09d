//! Templates: a line as the user wants it.
//!
//! Enters: a text with `%field`s, once; then batches and rows. Leaves: the text with the values in place. Never: a line
//! that is left out because a value is missing: that prints `-`.
//!
//! `%evt.type` and `%{evt.type}` are a field (the longest name that fits), `%12proc.name` and `%-12{proc.name}` fill or
//! cut it to 12 columns, `%%` is a percent sign; `\n`, `\t`, `\e` and `\\` are what they are elsewhere. A `*` at the
//! beginning, which sysdig wants for lines with missing values, is accepted and means nothing.

use crate::batch::{Batch, Columns};
use crate::fields::escape::{Within, escape};
use crate::fields::sink::TextSink;
use crate::fields::{self, Field, Key, Type, Value, args, clock, number};

/// A template, parsed.
pub struct Template {
    parts: Vec<Part>,
}

enum Part {
    Literal(Vec<u8>),
    Field { field: &'static Field, key: Key, width: usize, form: Form },
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Value,
    /// Time of day alone; other times come with their date.
    Clock,
    Args,
    Arg,
}

/// Widest column.
const WIDEST: usize = 1000;

impl std::fmt::Debug for Template {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let parts = self.parts.iter().map(|part| match part {
            Part::Literal(text) => String::from_utf8_lossy(text).into_owned(),
            Part::Field { field, key, width, .. } => format!("%{width}{{{}}}{key:?}", field.name),
        });
        f.debug_list().entries(parts).finish()
    }
}

impl Template {
    /// Parses a template; an error says where and, for a field that does not exist, which one may be meant.
    pub fn parse(text: &str) -> Result<Template, String> {
        let mut parts = Vec::new();
        let mut literal = Vec::new();
        let mut rest = match text.strip_prefix('*') {
            Some(rest) if rest.starts_with('%') => rest,
            _ => text,
        };
        while let Some(c) = rest.chars().next() {
            let at = text.len() - rest.len();
            let wrong =
                |reason: String| format!("template, column {}: {reason}", text[..at].chars().count() + 1);
            let after = &rest[c.len_utf8()..];
            match c {
                '\\' => {
                    let (byte, len) = match after.as_bytes().first() {
                        Some(b'n') => (b'\n', 1),
                        Some(b't') => (b'\t', 1),
                        Some(b'e') => (0x1b, 1),
                        Some(b'\\') => (b'\\', 1),
                        _ => (b'\\', 0),
                    };
                    literal.push(byte);
                    rest = &after[len..];
                }
                '%' if after.starts_with('%') => {
                    literal.push(b'%');
                    rest = &after[1..];
                }
                '%' => {
                    let spec = after.strip_prefix('-').unwrap_or(after);
                    let digits = spec.bytes().take_while(u8::is_ascii_digit).count();
                    let (width, name) = spec.split_at(digits);
                    let width =
                        match width {
                            "" => 0,
                            w => w.parse().ok().filter(|w| (1..=WIDEST).contains(w)).ok_or_else(|| {
                                wrong(format!("the width {w} is not between 1 and {WIDEST}"))
                            })?,
                        };
                    let (field, key) = match name.strip_prefix('{') {
                        Some(inner) => {
                            let close = inner.find('}').ok_or_else(|| wrong("`{` is never closed".into()))?;
                            rest = &inner[close + 1..];
                            fields::lookup(inner[..close].trim()).map_err(&wrong)?
                        }
                        None if !name.starts_with(|c: char| c.is_ascii_alphabetic()) => {
                            return Err(wrong(
                                "`%` must be followed by a field; `%%` is a percent sign".into(),
                            ));
                        }
                        None => {
                            let (field, key, len) = fields::prefix(name).map_err(&wrong)?;
                            rest = &name[len..];
                            (field, key)
                        }
                    };
                    if !literal.is_empty() {
                        parts.push(Part::Literal(std::mem::take(&mut literal)));
                    }
                    let form = match field.name {
                        "evt.time" | "evt.outputtime" => Form::Clock,
                        "evt.args" | "evt.info" => Form::Args,
                        "evt.arg" => Form::Arg,
                        _ => Form::Value,
                    };
                    parts.push(Part::Field { field, key, width, form });
                }
                c => {
                    let mut buf = [0; 4];
                    literal.extend_from_slice(c.encode_utf8(&mut buf).as_bytes());
                    rest = after;
                }
            }
        }
        if !literal.is_empty() {
            parts.push(Part::Literal(literal));
        }
        Ok(Template { parts })
    }

    /// The columns that a line needs.
    pub fn columns(&self) -> Columns {
        self.parts.iter().fold(Columns::NOTHING, |all, part| match part {
            Part::Literal(_) => all,
            Part::Field { field, .. } => all.and(field.columns()),
        })
    }

    /// Appends the line of a row.
    pub fn render(&self, batch: &Batch<'_>, row: usize, out: &mut Vec<u8>) {
        for part in &self.parts {
            match part {
                Part::Literal(text) => out.extend_from_slice(text),
                Part::Field { field, key, width, form } => {
                    let start = out.len();
                    put(out, batch, row, field, key, *form);
                    if out.len() > start && is_late(batch, row, field) {
                        out.insert(start, b'~');
                    }
                    if out.len() == start {
                        out.push(b'-');
                    }
                    if *width > 0 {
                        fit(out, start, *width);
                    }
                }
            }
        }
        out.push(b'\n');
    }
}

/// True if the field may tell what became known only later.
fn is_late(batch: &Batch<'_>, row: usize, field: &Field) -> bool {
    (field.name.starts_with("container.") || field.name.starts_with("k8s.")) && batch.is_late(row)
}

fn put(out: &mut Vec<u8>, batch: &Batch<'_>, row: usize, field: &Field, key: &Key, form: Form) {
    match form {
        // What is text of our own already must not be escaped once more.
        Form::Args => args::push_args(out, batch, row),
        Form::Arg => match args::nth(batch, row, key).and_then(|i| args::arg(batch, row, i)) {
            Some(args::Arg::Text(data) | args::Arg::Bytes(data)) => escape(out, data.bytes, Within::Free),
            Some(arg) => arg.emit(&mut TextSink::new(out, batch, row)),
            None => {}
        },
        _ => value(out, field, &field.value(batch, row, key), form),
    }
}

fn value(out: &mut Vec<u8>, field: &Field, v: &Value<'_>, form: Form) {
    match v {
        Value::None => {}
        Value::Text(text) => escape(out, text, Within::Free),
        Value::Bool(b) => out.extend_from_slice(if *b { b"true" } else { b"false" }),
        Value::Int(n) => number::int(out, *n),
        Value::UInt(n) if form == Form::Clock => clock::with_local(|c| c.time(out, *n)),
        Value::UInt(n) if field.ty == Type::Time => clock::with_local(|c| c.date_time(out, *n)),
        Value::UInt(n) => number::uint(out, *n),
        Value::Ip(ip) => number::ip(out, *ip),
        Value::Any(all) => {
            let start = out.len();
            for v in all {
                if out.len() > start {
                    out.push(b',');
                }
                value(out, field, v, form);
            }
        }
    }
}

/// Fills or cuts what stands from `start` on to `width` characters.
fn fit(out: &mut Vec<u8>, start: usize, width: usize) {
    let is_first = |b: &u8| *b & 0xc0 != 0x80;
    let have = out[start..].iter().filter(|b| is_first(b)).count();
    if have > width {
        let cut = out[start..].iter().enumerate().filter(|(_, b)| is_first(b)).nth(width).map(|(i, _)| i);
        out.truncate(start + cut.unwrap_or(0));
    } else {
        out.resize(out.len() + width - have, b' ');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fields::fixture;

    fn lines(template: &str, rows: &[usize]) -> String {
        let (schema, block) = (fixture::schema(), fixture::block());
        let batch = block.view(&schema);
        let template = Template::parse(template).unwrap();
        let mut out = Vec::new();
        for row in rows {
            template.render(&batch, *row, &mut out);
        }
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn lines_of_ones_own() {
        let rows: Vec<usize> = (0..fixture::block().rows()).collect();
        let text = lines(
            "*%evt.time %proc.name[%thread.tid] %8evt.type|%-4{fd.num}|%{fd.name} 100%% %evt.res",
            &rows,
        ) + &lines(r"%evt.arg.buf\t%evt.arg[0]\\%proc.aname %proc.aname[1] %proc.pid.ts", &[2, 7]);
        insta::assert_snapshot!(text);
    }

    #[test]
    fn mistakes_are_told() {
        for (template, part) in [
            ("x %proc.nmae", "column 3: no field is called `proc.nmae`; did you mean `proc.name`?"),
            ("%proc.named", "did you mean `proc.name`?"),
            ("%{fd.name", "never closed"),
            ("%{fd.nam}", "did you mean `fd.name`?"),
            ("100%", "`%%` is a percent sign"),
            ("%evt.arg", "needs the name or number"),
            ("%proc.aname[x]", "takes a number"),
            ("%0fd.name", "not between"),
            ("%99999999999999999999fd.name", "not between"),
        ] {
            let error = Template::parse(template).unwrap_err();
            assert!(error.contains(part), "{template}: {error}");
        }
    }

    #[test]
    fn columns_are_those_of_its_fields() {
        let columns = Template::parse("%evt.num %proc.name").unwrap().columns();
        assert_eq!(columns, Columns::NUM.and(Columns::PROC));
    }
}
