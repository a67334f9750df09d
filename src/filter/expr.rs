//! What stands on either side of an operator: fields, and transformers of them.
//!
//! Enters: the place that a value is asked of: a row, or an entry of the dictionary. Leaves: its value there, and of what
//! it depends. Never: comparing.

use std::fmt;

use super::transform::{Func, joined};
use crate::batch::{Batch, Dict, FileId, ProcId};
use crate::fields::{Extract, Field, Key, Type, Value};
use crate::schema::Schema;

/// What a value is asked of.
#[derive(Clone, Copy)]
pub enum At<'r, 'a> {
    /// A row.
    Row(&'r Batch<'a>, usize),
    /// A process of the dictionary.
    Proc(&'r Dict<'a>, ProcId),
    /// A file of the dictionary.
    File(&'r Dict<'a>, FileId),
    /// A call.
    Code(&'a Schema, u16),
}

/// What a value depends on, and so how often it must be looked at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Basis {
    /// The code.
    Code,
    /// The process.
    Proc,
    /// The file.
    File,
    /// The row.
    Row,
}

/// A field or something made of fields.
#[derive(Clone)]
pub enum Expr {
    /// A field and its argument.
    Field(&'static Field, Key),
    /// A text.
    Text(Vec<u8>),
    /// One value transformed.
    Apply(Func, Box<Expr>),
    /// Several, one after the other, with this between them.
    Join(Vec<u8>, Vec<Expr>),
}

impl Expr {
    /// Its type.
    pub fn ty(&self) -> Type {
        match self {
            Expr::Field(field, _) => field.ty,
            Expr::Text(_) | Expr::Join(..) => Type::Text,
            Expr::Apply(func, inner) => func.result(inner.ty()),
        }
    }

    /// Its value.
    pub fn value<'a>(&self, at: At<'_, 'a>) -> Value<'a> {
        match self {
            Expr::Field(field, key) => match (at, field.extract) {
                (At::Row(batch, row), _) => field.value(batch, row, key),
                (At::Proc(dict, id), Extract::Proc(get)) => get(dict, id, key),
                (At::File(dict, id), Extract::File(get)) => get(dict, id, key),
                (At::Code(schema, code), Extract::Code(get)) => get(schema, code),
                _ => Value::None,
            },
            Expr::Text(text) => Value::Text(text.clone().into()),
            Expr::Apply(func, inner) => func.apply(inner.value(at)),
            Expr::Join(separator, parts) => joined(separator, parts.iter().map(|p| p.value(at))),
        }
    }

    /// Calls `each` for its fields.
    pub fn fields(&self, each: &mut dyn FnMut(&'static Field, &Key)) {
        match self {
            Expr::Field(field, key) => each(field, key),
            Expr::Text(_) => {}
            Expr::Apply(_, inner) => inner.fields(each),
            Expr::Join(_, parts) => parts.iter().for_each(|p| p.fields(each)),
        }
    }

    /// What it depends on, together with `other`.
    pub fn basis(&self, other: Option<Basis>) -> Option<Basis> {
        let mut all = other;
        self.fields(&mut |field, _| {
            let one = match field.extract {
                Extract::Code(_) => Basis::Code,
                Extract::Proc(_) => Basis::Proc,
                Extract::File(_) => Basis::File,
                _ => Basis::Row,
            };
            all = match all {
                None => Some(one),
                Some(before) if before == one => Some(one),
                Some(_) => Some(Basis::Row),
            };
        });
        all
    }
}

/// A field as it is written, with its argument.
fn write_field(f: &mut fmt::Formatter<'_>, field: &Field, key: &Key) -> fmt::Result {
    f.write_str(field.name)?;
    match key {
        Key::None => Ok(()),
        Key::Index(n) => write!(f, "[{n}]"),
        Key::Name(name) if name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') => {
            write!(f, "[{name}]")
        }
        Key::Name(name) => write!(f, "['{}']", name.as_bytes().escape_ascii()),
    }
}

impl fmt::Debug for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |f: &mut fmt::Formatter<'_>, parts: &[Expr]| {
            for (i, part) in parts.iter().enumerate() {
                write!(f, "{}{part}", if i > 0 { ", " } else { "" })?;
            }
            Ok(())
        };
        match self {
            Expr::Field(field, key) => write_field(f, field, key),
            Expr::Text(text) => write!(f, "'{}'", text.escape_ascii()),
            Expr::Apply(func, inner) => write!(f, "{}({inner})", func.name()),
            Expr::Join(separator, parts) if separator.is_empty() => {
                f.write_str("concat(")?;
                list(f, parts)?;
                f.write_str(")")
            }
            Expr::Join(separator, parts) => {
                write!(f, "join('{}', (", separator.escape_ascii())?;
                list(f, parts)?;
                f.write_str("))")
            }
        }
    }
}
