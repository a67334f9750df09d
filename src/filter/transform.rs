//! Transformers: values made of other values.
//!
//! Enters: values of fields. Leaves: texts and numbers. Never: a field, a batch. What is missing stays missing; of a field
//! with several values each is transformed.

use std::borrow::Cow;

use crate::fields::{Type, Value};

/// Most values that `concat` and `join` make of fields that have several.
const MOST: usize = 256;

/// A transformer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Func {
    /// The value itself: says that a field is meant and not a word.
    Val,
    /// ASCII letters in small.
    ToLower,
    /// ASCII letters in capitals.
    ToUpper,
    /// What base64 stands for.
    B64,
    /// What follows the last slash.
    Basename,
    /// Number of bytes.
    Len,
    /// One text after the other.
    Concat,
    /// The same with a separator between them.
    Join,
}

impl Func {
    /// Every transformer: its name, and how it is written.
    pub const ALL: &'static [(Func, &'static str, &'static str)] = &[
        (Func::Val, "val", "val(proc.pname)"),
        (Func::ToLower, "tolower", "tolower(proc.name)"),
        (Func::ToUpper, "toupper", "toupper(proc.name)"),
        (Func::B64, "b64", "b64(evt.buffer)"),
        (Func::Basename, "basename", "basename(proc.exepath)"),
        (Func::Len, "len", "len(proc.cmdline)"),
        (Func::Concat, "concat", "concat(proc.pname, '/', proc.name)"),
        (Func::Join, "join", "join('/', (proc.pname, proc.name))"),
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        Func::ALL.iter().find(|(f, ..)| *f == self).map_or("", |(_, n, _)| n)
    }

    /// How it is written.
    pub fn example(self) -> &'static str {
        Func::ALL.iter().find(|(f, ..)| *f == self).map_or("", |(_, _, e)| e)
    }

    /// The transformer with this name.
    pub fn by_name(name: &str) -> Option<Func> {
        Func::ALL.iter().find(|(_, n, _)| *n == name).map(|(f, ..)| *f)
    }

    /// The type of what it makes of a value of type `of`.
    pub fn result(self, of: Type) -> Type {
        match self {
            Func::Val => of,
            Func::Len => Type::UInt,
            _ => Type::Text,
        }
    }

    /// What it makes of one value.
    pub fn apply<'a>(self, value: Value<'a>) -> Value<'a> {
        let bytes = match value {
            Value::Any(all) => return Value::Any(all.into_iter().map(|v| self.apply(v)).collect()),
            value if self == Func::Val => return value,
            Value::Text(bytes) => bytes,
            _ => return Value::None,
        };
        match self {
            Func::ToLower => Value::Text(bytes.to_ascii_lowercase().into()),
            Func::ToUpper => Value::Text(bytes.to_ascii_uppercase().into()),
            Func::B64 => decode(&bytes).map_or(Value::None, |b| Value::Text(b.into())),
            Func::Basename => Value::Text(match bytes {
                Cow::Borrowed(b) => Cow::Borrowed(basename(b)),
                Cow::Owned(b) => Cow::Owned(basename(&b).to_vec()),
            }),
            Func::Len => Value::UInt(bytes.len() as u64),
            Func::Val | Func::Concat | Func::Join => Value::Text(bytes),
        }
    }
}

fn basename(path: &[u8]) -> &[u8] {
    memchr::memrchr(b'/', path).map_or(path, |at| &path[at + 1..])
}

/// Values one after the other, with `separator` between them. Missing if one is missing; several if one is several.
pub fn joined<'a>(separator: &[u8], parts: impl Iterator<Item = Value<'a>>) -> Value<'a> {
    let mut all: Vec<Vec<u8>> = vec![Vec::new()];
    for (i, part) in parts.enumerate() {
        let choices = texts(part);
        let mut next = Vec::with_capacity(all.len() * choices.len());
        for head in &all {
            for choice in &choices {
                if next.len() >= MOST {
                    break;
                }
                let mut text = head.clone();
                if i > 0 {
                    text.extend_from_slice(separator);
                }
                text.extend_from_slice(choice);
                next.push(text);
            }
        }
        all = next;
    }
    match all.len() {
        0 => Value::None,
        1 => all.pop().map_or(Value::None, |t| Value::Text(t.into())),
        _ => Value::Any(all.into_iter().map(|t| Value::Text(t.into())).collect()),
    }
}

/// The texts that a value can stand for; none if it is missing.
fn texts(value: Value<'_>) -> Vec<Cow<'_, [u8]>> {
    match value {
        Value::None => Vec::new(),
        Value::Any(all) => all.into_iter().flat_map(texts).collect(),
        Value::Text(bytes) => vec![bytes],
        Value::Bool(b) => vec![Cow::Borrowed(if b { b"true" } else { b"false" })],
        Value::Int(n) => vec![n.to_string().into_bytes().into()],
        Value::UInt(n) => vec![n.to_string().into_bytes().into()],
        Value::Ip(ip) => vec![ip.to_string().into_bytes().into()],
    }
}

/// What base64 stands for (RFC 4648, either alphabet, padding optional); nothing if it is none.
fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let end = text.iter().rposition(|b| *b != b'=').map_or(0, |at| at + 1);
    let (digits, padding) = text.split_at(end);
    if padding.len() > 2 || digits.len() % 4 == 1 {
        return None;
    }
    let mut out = Vec::with_capacity(digits.len() / 4 * 3 + 2);
    for group in digits.chunks(4) {
        let mut word = 0u32;
        for byte in group {
            let value = match byte {
                b'A'..=b'Z' => byte - b'A',
                b'a'..=b'z' => byte - b'a' + 26,
                b'0'..=b'9' => byte - b'0' + 52,
                b'+' | b'-' => 62,
                b'/' | b'_' => 63,
                _ => return None,
            };
            word = word << 6 | u32::from(value);
        }
        word <<= 6 * (4 - group.len());
        out.extend_from_slice(&word.to_be_bytes()[1..group.len()]);
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64() {
        for (text, want) in [
            ("", Some("")),
            ("YQ==", Some("a")),
            ("YWI=", Some("ab")),
            ("YWJj", Some("abc")),
            ("YWJjZA", Some("abcd")),
            ("Pz8_", Some("???")),
            ("Pz8/", Some("???")),
            ("Y", None),
            ("YQ===", None),
            ("Y Q=", None),
        ] {
            assert_eq!(decode(text.as_bytes()).as_deref(), want.map(str::as_bytes), "{text}");
        }
    }

    #[test]
    fn of_each_value() {
        let any = |all: &[&'static str]| Value::Any(all.iter().map(|t| Value::text(t.as_bytes())).collect());
        assert_eq!(Func::ToUpper.apply(any(&["a", "b"])), any(&["A", "B"]));
        assert_eq!(Func::Len.apply(Value::text(b"abc")), Value::UInt(3));
        assert_eq!(Func::Len.apply(Value::None), Value::None);
        assert_eq!(Func::Basename.apply(Value::text(b"/a/b")), Value::text(b"b"));
        assert_eq!(Func::Basename.apply(Value::text(b"b")), Value::text(b"b"));
        assert_eq!(Func::Basename.apply(Value::text(b"/a/")), Value::text(b""));
        let parts = || [any(&["a", "b"]), Value::UInt(7)].into_iter();
        assert_eq!(joined(b"-", parts()), any(&["a-7", "b-7"]));
        assert_eq!(joined(b"-", [Value::text(b"a"), Value::None].into_iter()), Value::None);
    }
}
