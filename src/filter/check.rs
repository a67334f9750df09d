//! Tree to typed tree.
//!
//! Enters: an [`Ast`], the table of fields, the schema. Leaves: a [`Node`] whose tests hold a field and a compiled
//! comparison, and every mistake of meaning. Never: a particular field by name.

use memchr::memmem::Finder;

use super::ast::{Ast, Constant, Op, RawTest};
use super::error::{Errors, Span, quoted};
use super::glob::Glob;
use super::suggest::did_you_mean;
use super::test::{Compare, Test};
use super::value::{self, Refusal};
use crate::fields::{Extract, Field, Key, Takes, Type};
use crate::schema::Schema;

/// A checked filter.
#[derive(Clone, Debug)]
pub enum Node {
    /// Every event.
    True,
    /// All of them.
    And(Vec<Node>),
    /// Any of them.
    Or(Vec<Node>),
    /// Not.
    Not(Box<Node>),
    /// A test.
    Test(Box<Test>),
}

/// What a filter is checked against.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// Names of calls.
    pub schema: &'a Schema,
    /// The fields that there are.
    pub fields: &'static [Field],
}

/// Operators that compare numbers by size.
const ORDER: &[Op] = &[Op::Lt, Op::Le, Op::Gt, Op::Ge];
/// Operators that look into text.
const PATTERN: &[Op] = &[Op::Contains, Op::IContains, Op::StartsWith, Op::EndsWith, Op::Glob, Op::IGlob];

/// True if fields of this type can be asked with this operator.
pub fn allows(ty: Type, op: Op) -> bool {
    let (order, pattern) = match ty {
        Type::Text | Type::Path | Type::Bytes => (true, true),
        Type::CallName | Type::ClassName | Type::ErrnoName | Type::FileKindName => (false, true),
        Type::Bool | Type::Ip => (false, false),
        Type::Int | Type::UInt | Type::Id | Type::Port | Type::Time | Type::Duration | Type::Size => {
            (true, false)
        }
    };
    (order || !ORDER.contains(&op)) && (pattern || !PATTERN.contains(&op))
}

/// A type in words.
pub fn noun(ty: Type) -> &'static str {
    match ty {
        Type::Text => "text",
        Type::Path => "a path",
        Type::Bytes => "bytes",
        Type::Bool => "true or false",
        Type::Int | Type::UInt => "a number",
        Type::Id => "an id",
        Type::Port => "a port",
        Type::Ip => "an address",
        Type::Time => "a time",
        Type::Duration => "a duration",
        Type::Size => "a size",
        Type::CallName => "the name of a system call",
        Type::ClassName => "the name of a class of calls",
        Type::ErrnoName => "the name of an error",
        Type::FileKindName => "the name of a kind of file",
    }
}

/// Checks a tree. With errors the result has no meaning.
pub fn check(ast: &Ast, cx: Context<'_>, errors: &mut Errors) -> Node {
    match ast {
        Ast::Everything | Ast::Broken => Node::True,
        Ast::And(parts) => Node::And(parts.iter().map(|p| check(p, cx, errors)).collect()),
        Ast::Or(parts) => Node::Or(parts.iter().map(|p| check(p, cx, errors)).collect()),
        Ast::Not(inner) => Node::Not(Box::new(check(inner, cx, errors))),
        Ast::Test(raw) => test(raw, cx, errors).map_or(Node::True, |t| Node::Test(Box::new(t))),
    }
}

/// The field of a test and its argument.
fn field<'r>(raw: &'r RawTest, cx: Context<'_>, errors: &mut Errors) -> Option<(&'static Field, Key)> {
    let find = |name: &str| cx.fields.iter().find(|f| f.name == name);
    let as_key = |text: &str| match text.parse::<usize>() {
        Ok(n) if text.bytes().all(|b| b.is_ascii_digit()) => Key::Index(n),
        _ => Key::Name(text.to_string()),
    };
    let name: &'r str = &raw.name;
    let Some(field) = find(name) else {
        // `evt.arg.path` is `evt.arg[path]`.
        if raw.key.is_none() {
            for (at, _) in name.match_indices('.') {
                let (head, rest) = (&name[..at], &name[at + 1..]);
                if let Some(field) = find(head).filter(|f| f.takes == Takes::NameOrIndex && !rest.is_empty())
                {
                    return Some((field, as_key(rest)));
                }
            }
        }
        if !errors.is_full() {
            let hint = did_you_mean(name, cx.fields.iter().map(|f| f.name));
            let (reason, hint) = if hint.is_empty() {
                (format!("no field is called {}", quoted(name)), "list: sysreel fields".to_string())
            } else {
                (String::new(), format!("{hint}   (list: sysreel fields)"))
            };
            errors.push(raw.name_span.clone(), "unknown field", reason, hint);
        }
        return None;
    };
    let key = match &raw.key {
        None => Key::None,
        Some(key) => match String::from_utf8(key.bytes.clone()) {
            Ok(text) => as_key(&text),
            Err(_) => Key::Name(key.text()),
        },
    };
    let at = raw.key.as_ref().map_or(raw.name_span.clone(), |k| k.span.clone());
    match (field.takes, &key) {
        (Takes::Nothing, Key::Index(_) | Key::Name(_)) => {
            let reason = format!("`{}` takes no argument", field.name);
            errors.push(at, "unexpected argument", reason, "");
            None
        }
        (Takes::OptionalIndex | Takes::Index, Key::Name(text)) => {
            let reason = format!("{} is not a number", quoted(text));
            errors.push(at, "wrong argument", reason, format!("write `{}[2]`", field.name));
            None
        }
        (Takes::NameOrIndex | Takes::Index, Key::None) => {
            let what = if field.takes == Takes::Index { "a number" } else { "a name or a number" };
            let reason = format!("`{}` needs {what} in brackets", field.name);
            errors.push(at, "an argument is missing", reason, format!("for example `{}`", field.example));
            None
        }
        _ => Some((field, key)),
    }
}

fn test(raw: &RawTest, cx: Context<'_>, errors: &mut Errors) -> Option<Test> {
    let (field, key) = field(raw, cx, errors)?;
    let Some((op, op_span, constants)) = &raw.relation else {
        if field.ty != Type::Bool {
            let reason = format!("`{}` is {}, not true or false", field.name, noun(field.ty));
            let hint = format!("for example `{}`", field.example);
            errors.push(raw.span.clone(), "a comparison is missing", reason, hint);
            return None;
        }
        let compare = Compare::Bool([false, true]);
        return Some(Test::new(field, key, Op::Eq, compare, "true".into()));
    };
    if !allows(field.ty, *op) {
        let usable: Vec<&str> =
            Op::ALL.iter().filter(|(op, _)| allows(field.ty, *op)).map(|(_, name)| *name).collect();
        let reason =
            format!("`{}` does not apply to `{}`, which is {}", op.name(), field.name, noun(field.ty));
        errors.push(op_span.clone(), "wrong operator", reason, format!("use one of: {}", usable.join(" ")));
        return None;
    }
    let compare = compare(field, *op, constants, cx, errors)?;
    Some(Test::new(field, key, *op, compare, shown(constants)))
}

/// Constants as they could be written, in plain ASCII; many are cut short.
fn shown(constants: &[Constant]) -> String {
    const MOST: usize = 400;
    let mut out = String::new();
    for (i, constant) in constants.iter().enumerate() {
        if i > 0 {
            out.push_str(", ");
        }
        if out.len() > MOST {
            out.push_str("...");
            break;
        }
        let bytes = constant.bytes.get(..MOST).unwrap_or(&constant.bytes);
        let bare = |b: &u8| b.is_ascii_graphic() && !b"()\"'=,\\".contains(b);
        if !bytes.is_empty() && bytes.iter().all(bare) && !matches!(bytes, b"and" | b"or" | b"&&" | b"||") {
            out.push_str(&String::from_utf8_lossy(bytes));
        } else {
            // The escapes of escape_ascii are those of the language.
            out.push_str(&format!("'{}'", bytes.escape_ascii()));
        }
        if bytes.len() < constant.bytes.len() {
            out.push_str("...");
        }
    }
    out
}

/// The comparison of a test; every constant is checked, also after one that is wrong.
fn compare(
    field: &Field,
    op: Op,
    constants: &[Constant],
    cx: Context<'_>,
    errors: &mut Errors,
) -> Option<Compare> {
    if op == Op::Exists {
        return Some(Compare::Exists);
    }
    let mut refuse = |span: &Span, refusal: Refusal| {
        errors.push(span.clone(), refusal.0, refusal.1, refusal.2);
    };
    if PATTERN.contains(&op) {
        let constant = constants.first()?;
        return match pattern(field, op, constant, cx) {
            Ok(compare) => Some(compare),
            Err(refusal) => {
                refuse(&constant.span, refusal);
                None
            }
        };
    }
    let mut good = true;
    match field.ty {
        Type::Text | Type::Path | Type::Bytes => Some(match (op, constants) {
            (Op::Lt | Op::Le | Op::Gt | Op::Ge, [one, ..]) => {
                Compare::TextOrder(op, one.bytes.clone().into())
            }
            _ => texts(constants),
        }),
        Type::CallName | Type::ClassName | Type::ErrnoName | Type::FileKindName => {
            for constant in constants {
                if let Err(refusal) = value::name(&constant.text(), field.ty, field.name, cx.schema) {
                    refuse(&constant.span, refusal);
                    good = false;
                }
            }
            good.then(|| texts(constants))
        }
        Type::Bool => {
            let mut wanted = [false; 2];
            for constant in constants {
                match value::boolean(&constant.text()) {
                    Ok(value) => wanted[usize::from(value)] = true,
                    Err(refusal) => {
                        refuse(&constant.span, refusal);
                        good = false;
                    }
                }
            }
            good.then_some(Compare::Bool(wanted))
        }
        Type::Ip => {
            let mut nets = Vec::with_capacity(constants.len());
            for constant in constants {
                match value::net(&constant.text()) {
                    Ok(net) => nets.push(net),
                    Err(refusal) => {
                        refuse(&constant.span, refusal);
                        good = false;
                    }
                }
            }
            good.then_some(Compare::Nets(nets))
        }
        Type::Int | Type::UInt | Type::Id | Type::Port | Type::Time | Type::Duration | Type::Size => {
            let mut ranges = Vec::with_capacity(constants.len());
            for constant in constants {
                match value::number(&constant.text(), field.ty) {
                    Ok(n) => ranges.push(match op {
                        Op::Lt => (i128::MIN, n - 1),
                        Op::Le => (i128::MIN, n),
                        Op::Gt => (n + 1, i128::MAX),
                        Op::Ge => (n, i128::MAX),
                        _ => (n, n),
                    }),
                    Err(refusal) => {
                        refuse(&constant.span, refusal);
                        good = false;
                    }
                }
            }
            ranges.sort_unstable();
            ranges.dedup();
            good.then_some(Compare::Ranges(ranges))
        }
    }
}

fn texts(constants: &[Constant]) -> Compare {
    let mut all: Vec<Box<[u8]>> = constants.iter().map(|c| c.bytes.clone().into()).collect();
    all.sort();
    all.dedup();
    Compare::Texts(all)
}

fn pattern(field: &Field, op: Op, constant: &Constant, cx: Context<'_>) -> Result<Compare, Refusal> {
    let bytes = &constant.bytes;
    if bytes.is_empty() && !matches!(op, Op::Glob | Op::IGlob) {
        let reason = format!("every text fits `{} ''`", op.name());
        return Err(("empty value".into(), reason, format!("`{} exists` tests for presence", field.name)));
    }
    let compiled = match op {
        Op::Contains => Compare::Contains(Box::new(Finder::new(bytes).into_owned())),
        Op::IContains => Compare::IContains(Box::new(Finder::new(&bytes.to_ascii_lowercase()).into_owned())),
        Op::StartsWith => Compare::StartsWith(bytes.clone().into()),
        Op::EndsWith => Compare::EndsWith(bytes.clone().into()),
        _ => match Glob::new(bytes, op == Op::IGlob) {
            Ok(glob) => Compare::Glob(Box::new(glob)),
            Err(reason) => return Err(("bad pattern".into(), reason.into(), String::new())),
        },
    };
    // A pattern that no name fits is a slip as much as an unknown name is.
    let names = match field.extract {
        Extract::Code(_) if field.ty == Type::CallName => {
            cx.schema.shapes().iter().map(|s| &*s.name).collect()
        }
        _ => value::vocabulary(field.ty, cx.schema),
    };
    if !names.is_empty() && !names.iter().any(|n| compiled.text(n.as_bytes())) {
        let reason = format!("no {} fits {}", value::noun(field.ty), quoted(&constant.text()));
        return Err((format!("unknown value for {}", field.name), reason, String::new()));
    }
    Ok(compiled)
}
