//! The table of fields.
//!
//! Enters: the tables of each class. Leaves: [`FIELDS`], one slice of all. Never: a field without documentation, an
//! example, or a name of its own (tests look).

use super::{Extract, Field, Takes, Type, Value};

mod container;
mod evt;
mod fd;
mod k8s;
mod leaders;
mod path;
mod proc;
mod program;
mod thread;
mod user;
mod volume;

/// Every field, by class.
pub static FIELDS: &[Field] = &ALL;

const PARTS: &[&[Field]] = &[
    evt::FIELDS,
    volume::FIELDS,
    path::FIELDS,
    proc::FIELDS,
    program::FIELDS,
    leaders::FIELDS,
    thread::FIELDS,
    fd::FIELDS,
    user::FIELDS,
    container::FIELDS,
    k8s::FIELDS,
];
const COUNT: usize = {
    let (mut count, mut part) = (0, 0);
    while part < PARTS.len() {
        count += PARTS[part].len();
        part += 1;
    }
    count
};

static ALL: [Field; COUNT] = {
    let mut all = [PARTS[0][0]; COUNT];
    let (mut part, mut at) = (0, 0);
    while part < PARTS.len() {
        let mut i = 0;
        while i < PARTS[part].len() {
            all[at] = PARTS[part][i];
            at += 1;
            i += 1;
        }
        part += 1;
    }
    all
};

/// A row of a table of fields.
const fn field(
    name: &'static str,
    ty: Type,
    doc: &'static str,
    example: &'static str,
    extract: Extract,
) -> Field {
    Field { name, ty, takes: Takes::Nothing, doc, example, extract }
}

/// A field that takes an argument.
const fn keyed(takes: Takes, field: Field) -> Field {
    Field { takes, ..field }
}

/// A number, or nothing if it is the one that stands for "not known".
fn unless(none: u64, n: u64) -> Value<'static> {
    if n == none { Value::None } else { Value::UInt(n) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::Columns;
    use crate::fields::{Key, fixture};
    use std::collections::HashSet;

    #[test]
    fn every_field_is_documented_and_has_a_name_of_its_own() {
        let mut seen = HashSet::new();
        for f in FIELDS {
            assert!(seen.insert(f.name), "{} stands twice", f.name);
            assert!(
                f.name.contains('.')
                    && f.name.bytes().all(|b| b.is_ascii_lowercase() || b"0123456789._".contains(&b))
            );
            assert!(!f.doc.is_empty() && !f.doc.ends_with('.'), "{}", f.name);
            assert!(f.example.contains(f.name), "the example of {} is about something else", f.name);
        }
    }

    /// The columns that a field declares are enough: with the others missing its values are the same.
    #[test]
    fn declared_columns_are_enough() {
        let (schema, block) = (fixture::schema(), fixture::block());
        let batch = block.view(&schema);
        for f in FIELDS {
            let mut less = batch;
            let keep = f.columns();
            macro_rules! drop_unless {
                ($($column:ident $($name:ident)*;)*) => {
                    $(if !keep.has(Columns::$column) { $(less.$name = &[];)* })*
                };
            }
            drop_unless! {
                TIME time; DELTA delta; LATENCY latency; CALL call; CPU cpu; TID tid; PROC proc; RET ret; FLAGS flags; NUM num; HOST host;
                WORDS words word_at; ITEMS items item_at; REFS refs ref_at;
            }
            let keys = match f.takes {
                Takes::Nothing => vec![Key::None],
                Takes::OptionalIndex | Takes::Index => {
                    vec![Key::None, Key::Index(0), Key::Index(1), Key::Index(300)]
                }
                Takes::OptionalName => vec![Key::None, Key::Index(1), Key::Name("HOME".into())],
                Takes::NameOrIndex => vec![
                    Key::Index(0),
                    Key::Index(1),
                    Key::Index(9),
                    Key::Name("buf".into()),
                    Key::Name("path".into()),
                    Key::Name("mode".into()),
                ],
            };
            for row in 0..batch.rows + 1 {
                for key in &keys {
                    assert_eq!(
                        f.value(&batch, row, key),
                        f.value(&less, row, key),
                        "{} of row {row}",
                        f.name
                    );
                }
            }
        }
    }

    #[test]
    fn values_of_each_sort() {
        let (schema, block) = (fixture::schema(), fixture::block());
        let batch = block.view(&schema);
        let mut out = String::new();
        for row in [0, 1, 2, 3, 7, 9, 16] {
            out += &format!("--- {} {row}\n", batch.shape_of(row).name);
            for f in FIELDS {
                let key = match f.takes {
                    Takes::NameOrIndex | Takes::Index => Key::Index(1),
                    _ => Key::None,
                };
                let text = match f.value(&batch, row, &key) {
                    Value::None => continue,
                    Value::Text(t) => format!("{:?}", String::from_utf8_lossy(&t)),
                    Value::Any(all) => all
                        .iter()
                        .map(|v| match v {
                            Value::Text(t) => String::from_utf8_lossy(t).into_owned(),
                            other => format!("{other:?}"),
                        })
                        .collect::<Vec<_>>()
                        .join(" or "),
                    other => format!("{other:?}"),
                };
                out += &format!("{} {text}\n", f.name);
            }
        }
        insta::assert_snapshot!(out);
    }
}
