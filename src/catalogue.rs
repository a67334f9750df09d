//! Listings of what filters and templates can say: `sysreel fields` and `sysreel calls`.
//!
//! Enters: a class or a name, and the tables of fields and calls. Leaves: text or JSON lines. Never: knowledge of its own
//! about any field or call, and printing.

use std::fmt::Write as _;

use crate::fields::{FIELDS, Field, Takes, Type};
use crate::schema::{ArgShape, COMPAT, Class, Dir, Kind, Ret, Schema, Shape};

/// The fields: all, those of one class (`proc`), or one in detail (`proc.name`). The error is for the user.
pub fn fields(class: Option<&str>, json: bool) -> Result<String, String> {
    let wanted = class.unwrap_or_default().trim_end_matches(['.', '*']);
    let found: Vec<&Field> =
        FIELDS.iter().filter(|f| wanted.is_empty() || f.name == wanted || class_of(f) == wanted).collect();
    if found.is_empty() {
        let names = FIELDS.iter().flat_map(|f| [f.name, class_of(f)]);
        return Err(unknown("field or class of fields", wanted, names, "sysreel fields"));
    }
    let mut out = String::new();
    if json {
        for field in found {
            field_json(&mut out, field);
        }
        return Ok(out);
    }
    if let [field] = found[..]
        && field.name == wanted
    {
        let _ = writeln!(out, "{}: {}", spelled(field), type_name(field.ty));
        let _ = writeln!(out, "  {}", field.doc);
        let _ = writeln!(out, "  example: {}", field.example);
        return Ok(out);
    }
    let width = found.iter().map(|f| spelled(f).len()).max().unwrap_or(0);
    let mut last = "";
    for field in found {
        if !last.is_empty() && last != class_of(field) {
            out.push('\n');
        }
        last = class_of(field);
        let _ = writeln!(out, "{:width$}  {:9}  {}", spelled(field), type_name(field.ty), field.doc);
    }
    Ok(out)
}

/// The calls and events of a schema: all, a line each, or one in detail. The error is for the user.
pub fn calls(schema: &Schema, name: Option<&str>, json: bool) -> Result<String, String> {
    // 32-bit twins share the names, and a filter's name means both.
    let all = || schema.named().filter(|s| s.code < COMPAT);
    let mut out = String::new();
    for shape in all().filter(|s| name.is_none_or(|n| *s.name == *n)) {
        match json {
            true => call_json(&mut out, shape),
            false => {
                call_text(&mut out, shape);
                if name.is_some() {
                    call_detail(&mut out, shape);
                }
            }
        }
    }
    match name {
        Some(name) if out.is_empty() => {
            Err(unknown("system call or event", name, all().map(|s| &*s.name), "sysreel calls"))
        }
        _ => Ok(out),
    }
}

/// Class of a field: what stands before the first dot.
pub fn class_of(field: &Field) -> &'static str {
    field.name.split_once('.').map_or(field.name, |(class, _)| class)
}

/// The field as it is written, with its argument.
pub fn spelled(field: &Field) -> String {
    match field.takes {
        Takes::Nothing => field.name.to_owned(),
        Takes::OptionalIndex | Takes::Index => format!("{}[N]", field.name),
        Takes::NameOrIndex | Takes::OptionalName => format!("{}[NAME]", field.name),
    }
}

/// The type in words.
pub fn type_name(ty: Type) -> &'static str {
    match ty {
        Type::Text => "text",
        Type::Path => "path",
        Type::Bytes => "bytes",
        Type::Bool => "bool",
        Type::Int => "int",
        Type::UInt => "uint",
        Type::Id => "id",
        Type::Port => "port",
        Type::Ip => "ip",
        Type::Time => "time",
        Type::Duration => "duration",
        Type::Size => "size",
        Type::CallName => "call",
        Type::ClassName => "class",
        Type::ErrnoName => "errno",
        Type::FileKindName => "filekind",
    }
}

fn unknown<'a>(what: &str, name: &str, known: impl Iterator<Item = &'a str>, list: &str) -> String {
    let best = known
        .map(|k| (strsim::damerau_levenshtein(name, k), k))
        .filter(|(distance, k)| *distance <= 1 + k.len() / 4)
        .min_by_key(|(distance, _)| *distance);
    let hint = best.map_or(String::new(), |(_, k)| format!("; did you mean `{k}`?"));
    format!("no {what} is called `{name}`{hint}\nList: {list}")
}

fn class_names(class: Class) -> Vec<&'static str> {
    let mut names: Vec<_> =
        Class::NAMES.iter().filter(|(c, ..)| class.0 & c.0 != 0).map(|(_, n, _)| *n).collect();
    if names.is_empty() {
        names.push("other");
    }
    names
}

fn call_text(out: &mut String, shape: &Shape) {
    let args: Vec<String> = match shape.described {
        true => shape.args.iter().map(|a| format!("{}{} {}", a.name, arrow(a), a.kind.to_text())).collect(),
        // Six words that mean nothing yet would only be noise.
        false => vec!["...".to_owned()],
    };
    let classes = class_names(shape.class).join(",");
    let _ = writeln!(out, "{}({}) -> {}  [{classes}]", shape.name, args.join(", "), shape.ret.to_text());
}

/// What the kernel reads stands behind a colon, what it writes behind an arrow, what it reads and then overwrites behind a
/// tilde, or a double arrow if both count.
fn arrow(arg: &ArgShape) -> &'static str {
    match arg.dir {
        Dir::In => ":",
        Dir::Out => " <-",
        Dir::Before => " ~",
        Dir::Around => " <=",
    }
}

/// What each argument is, and the names that it may have.
fn call_detail(out: &mut String, shape: &Shape) {
    let width = shape.args.iter().map(|a| a.name.len()).chain(["result".len()]).max().unwrap_or(0);
    for arg in shape.args.iter() {
        let written = match arg.dir {
            Dir::In => "",
            Dir::Out => "written: ",
            Dir::Before => "before the call: ",
            Dir::Around => "read and written: ",
        };
        let _ = writeln!(out, "  {:width$}  {written}{}", arg.name, arg.kind.doc());
        match arg.kind {
            Kind::Flags(table) | Kind::Enum(table) => names(out, table.rows.iter().map(|(_, n)| *n), width),
            Kind::By(choice) => {
                let of = shape.args.get(usize::from(choice.on.arg)).map_or("?", |a| &*a.name);
                let _ = writeln!(out, "  {:width$}    by {of}", "");
            }
            _ => {}
        }
    }
    let plain = Ret::PLAIN.iter().find(|(r, ..)| *r == shape.ret).map(|(.., doc)| *doc);
    let doc = match shape.ret {
        Ret::Flags(_) => "bits with names",
        Ret::Enum(_) => "a number with names",
        Ret::By(_) => "depends on an argument",
        _ => plain.unwrap_or("a number"),
    };
    let _ = writeln!(out, "  {:width$}  {doc}", "result");
    if let Ret::Flags(table) | Ret::Enum(table) = shape.ret {
        names(out, table.rows.iter().map(|(_, n)| *n), width);
    }
}

/// Names with blanks between them, in lines of a terminal's width.
fn names<'a>(out: &mut String, all: impl Iterator<Item = &'a str>, indent: usize) {
    let mut line = String::new();
    for name in all {
        if !line.is_empty() && indent + line.len() + name.len() > 92 {
            let _ = writeln!(out, "  {:indent$}    {line}", "");
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(name);
    }
    if !line.is_empty() {
        let _ = writeln!(out, "  {:indent$}    {line}", "");
    }
}

fn call_json(out: &mut String, shape: &Shape) {
    let _ = write!(out, "{{\"name\":{},\"code\":{},\"class\":[", quoted(&shape.name), shape.code);
    list(out, class_names(shape.class).into_iter(), |out, class| out.push_str(&quoted(class)));
    let _ = write!(
        out,
        "],\"result\":{},\"described\":{},\"args\":[",
        quoted(&shape.ret.to_text()),
        shape.described
    );
    list(out, shape.args.iter(), |out, arg| {
        let dir = match arg.dir {
            Dir::In => "in",
            Dir::Out => "out",
            Dir::Before => "before",
            Dir::Around => "around",
        };
        let (name, kind, doc) = (quoted(&arg.name), quoted(&arg.kind.to_text()), quoted(&arg.kind.doc()));
        let _ = write!(out, "{{\"name\":{name},\"kind\":{kind},\"dir\":\"{dir}\",\"doc\":{doc}");
        if let Kind::Flags(table) | Kind::Enum(table) = arg.kind {
            out.push_str(",\"names\":[");
            list(out, table.rows.iter(), |out, (_, name)| out.push_str(&quoted(name)));
            out.push(']');
        }
        if let Kind::By(choice) = arg.kind
            && let Some(of) = shape.args.get(usize::from(choice.on.arg))
        {
            let _ = write!(out, ",\"by\":{}", quoted(&of.name));
        }
        out.push('}');
    });
    out.push_str("]}\n");
}

fn field_json(out: &mut String, field: &Field) {
    let argument = match field.takes {
        Takes::Nothing => "none",
        Takes::OptionalIndex => "optional number",
        Takes::NameOrIndex => "name or number",
        Takes::OptionalName => "optional name or number",
        Takes::Index => "number",
    };
    let pairs = [
        ("name", field.name),
        ("class", class_of(field)),
        ("type", type_name(field.ty)),
        ("argument", argument),
        ("doc", field.doc),
        ("example", field.example),
    ];
    out.push('{');
    list(out, pairs.into_iter(), |out, (key, value)| {
        let _ = write!(out, "{}:{}", quoted(key), quoted(value));
    });
    out.push_str("}\n");
}

fn list<T>(out: &mut String, items: impl Iterator<Item = T>, mut one: impl FnMut(&mut String, T)) {
    for (i, item) in items.enumerate() {
        if i > 0 {
            out.push(',');
        }
        one(out, item);
    }
}

/// A JSON string. The tables hold plain text; this is only for the characters that must never stand alone.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Arch;

    #[test]
    fn every_field_is_listed_once_and_found_by_name() {
        let all = fields(None, false).unwrap();
        for field in FIELDS {
            assert_eq!(
                all.lines().filter(|l| l.starts_with(&format!("{} ", spelled(field)))).count(),
                1,
                "{}",
                field.name
            );
            assert!(fields(Some(field.name), false).unwrap().contains(field.example));
            assert!(fields(Some(class_of(field)), false).unwrap().contains(field.name));
        }
        let json = fields(None, true).unwrap();
        assert_eq!(json.lines().count(), FIELDS.len());
        for line in json.lines() {
            serde_json::from_str::<serde_json::Value>(line).unwrap();
        }
        let error = fields(Some("proc.nmae"), false).unwrap_err();
        assert!(error.contains("`proc.nmae`; did you mean `proc.name`?"), "{error}");
    }

    #[test]
    fn every_call_is_listed_once_and_found_by_name() {
        let schema = Schema::native(Arch::X86_64);
        let all = calls(&schema, None, false).unwrap();
        assert!(all.lines().count() > 2);
        let json = calls(&schema, None, true).unwrap();
        assert_eq!(json.lines().count(), all.lines().count());
        for line in json.lines() {
            let call: serde_json::Value = serde_json::from_str(line).unwrap();
            let one = calls(&schema, call["name"].as_str(), false).unwrap();
            assert!(all.lines().any(|l| Some(l) == one.lines().next()), "{one}");
            // Every argument and the result has a line of its own.
            let told = one.lines().skip(1).filter(|l| !l.starts_with("    ")).count();
            assert!(told > call["args"].as_array().unwrap().len(), "{one}");
        }
        let error = calls(&schema, Some("opennat"), false).unwrap_err();
        assert!(
            error.contains("no system call or event is called `opennat`; did you mean `openat`?"),
            "{error}"
        );
        insta::assert_snapshot!(calls(&schema, Some("fcntl"), false).unwrap());
    }
}
