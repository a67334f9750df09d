//! Tree to typed tree.
//!
//! Enters: an [`Ast`], the table of fields, the schema. Leaves: a [`Node`] whose tests hold a field and a compiled
//! comparison, and every mistake of meaning. Never: a particular field by name; constants (see [`super::compile`]).

use super::ast::{Ast, Constant, Op, Operand, RawExpr, RawTest, Relation};
use super::bits::{Known, argument_names};
use super::compare::Compare;
use super::compile::{self, Subject};
use super::error::{Errors, Span, quoted};
use super::expr::Expr;
use super::suggest::did_you_mean;
use super::test::Test;
use super::transform::Func;
use crate::fields::{Field, Key, Takes, Type};
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

/// True if values of this type can be asked with this operator. `has` is for flags, which are no type of their own.
pub fn allows(ty: Type, op: Op) -> bool {
    use Op::{Eq, Exists, In, Intersects, Ne};
    let always = matches!(op, Eq | Ne | In | Intersects | Exists);
    match ty {
        Type::Text | Type::Path | Type::Bytes => op != Op::Has,
        Type::CallName | Type::ClassName | Type::ErrnoName | Type::FileKindName => {
            always || (op.is_pattern() && !matches!(op, Op::PMatch | Op::BContains | Op::BStartsWith))
        }
        Type::Bool | Type::Ip => always,
        Type::Int | Type::UInt | Type::Id | Type::Port | Type::Time | Type::Duration | Type::Size => {
            always || op.is_order()
        }
    }
}

/// True if values of this type are text.
fn is_text(ty: Type) -> bool {
    allows(ty, Op::Contains)
}

/// True if values of the two types can be compared with each other.
fn comparable(a: Type, b: Type) -> bool {
    let plain = |ty| matches!(ty, Type::Int | Type::UInt | Type::Id | Type::Size | Type::Port);
    a == b || (is_text(a) && is_text(b)) || (plain(a) && plain(b))
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

/// The field of this name and its argument.
fn field(
    name: &str,
    at: &Span,
    argument: Option<&Constant>,
    cx: Context<'_>,
    errors: &mut Errors,
) -> Option<(&'static Field, Key)> {
    let find = |name: &str| cx.fields.iter().find(|f| f.name == name);
    let as_key = |text: &str| match text.parse::<usize>() {
        Ok(n) if text.bytes().all(|b| b.is_ascii_digit()) => Key::Index(n),
        _ => Key::Name(text.to_string()),
    };
    let Some(field) = find(name) else {
        // `evt.arg.path` is `evt.arg[path]`.
        if argument.is_none() {
            for (dot, _) in name.match_indices('.') {
                let (head, rest) = (&name[..dot], &name[dot + 1..]);
                if let Some(field) = find(head).filter(|f| f.takes == Takes::NameOrIndex && !rest.is_empty())
                {
                    let place = at.start + dot + 1..at.end;
                    return known_argument(field, as_key(rest), &place, cx, errors);
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
            errors.push(at.clone(), "unknown field", reason, hint);
        }
        return None;
    };
    let key = match argument {
        None => Key::None,
        Some(key) => match String::from_utf8(key.bytes.clone()) {
            Ok(text) => as_key(&text),
            Err(_) => Key::Name(key.text()),
        },
    };
    let at = argument.map_or(at.clone(), |k| k.span.clone());
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
        _ => known_argument(field, key, &at, cx, errors),
    }
}

/// Checks that some call has this argument, if the field is about arguments of calls.
fn known_argument(
    field: &'static Field,
    key: Key,
    at: &Span,
    cx: Context<'_>,
    errors: &mut Errors,
) -> Option<(&'static Field, Key)> {
    if !field.is_argument() || Known::of(cx.schema, &key).exists {
        return Some((field, key));
    }
    if !errors.is_full() {
        let (reason, hint) = match &key {
            Key::Name(name) => (
                format!("no call has an argument called {}", quoted(name)),
                did_you_mean(name, argument_names(cx.schema)),
            ),
            _ => ("no call has so many arguments".to_string(), "the first is 0".to_string()),
        };
        let hint = if hint.is_empty() { "list: sysreel calls".to_string() } else { hint };
        errors.push(at.clone(), "unknown argument", reason, hint);
    }
    None
}

/// One side of an operator.
fn expr(raw: &RawExpr, cx: Context<'_>, errors: &mut Errors) -> Option<Expr> {
    match raw {
        RawExpr::Field { name, span, key } => {
            let (field, key) = field(name, span, key.as_ref(), cx, errors)?;
            Some(Expr::Field(field, key))
        }
        RawExpr::Call { name, span, args, whole } => call(name, span, args, whole, cx, errors),
        RawExpr::Text(text) => Some(Expr::Text(text.bytes.clone())),
        RawExpr::Tuple(_, at) => {
            let reason = "several in parentheses are the second argument of `join`";
            errors.push(at.clone(), "unexpected parentheses", reason, "");
            None
        }
    }
}

fn call(
    name: &str,
    at: &Span,
    args: &[RawExpr],
    whole: &Span,
    cx: Context<'_>,
    errors: &mut Errors,
) -> Option<Expr> {
    let Some(func) = Func::by_name(name) else {
        let reason = format!("no transformer is called {}", quoted(name));
        let names = Func::ALL.iter().map(|(_, n, _)| *n);
        let mut hint = did_you_mean(name, names.clone());
        if hint.is_empty() {
            let all: Vec<&str> = names.collect();
            hint = format!("there are {}; a value with parentheses stands in quotes", all.join(" "));
        }
        errors.push(at.clone(), "unknown transformer", reason, hint);
        return None;
    };
    let mut wrong = |at: Span, reason: String| {
        errors.push(at, "wrong argument", reason, format!("write `{}`", func.example()));
        None
    };
    match (func, args) {
        (Func::Concat, [_, _, ..]) => {
            let parts = parts(args, func, cx, errors)?;
            has_field(Expr::Join(Vec::new(), parts), whole, errors)
        }
        (Func::Concat, _) => wrong(whole.clone(), "`concat` joins two or more".into()),
        (Func::Join, [RawExpr::Text(separator), RawExpr::Tuple(all, _)]) => {
            let parts = parts(all, func, cx, errors)?;
            has_field(Expr::Join(separator.bytes.clone(), parts), whole, errors)
        }
        (Func::Join, _) => {
            wrong(whole.clone(), "`join` takes a separator in quotes, and a list in parentheses".into())
        }
        (_, [RawExpr::Text(text)]) => {
            wrong(text.span.clone(), format!("`{}` takes a field, not a constant", func.name()))
        }
        (_, [one]) => {
            let inner = expr(one, cx, errors)?;
            if func != Func::Val && !is_text(inner.ty()) {
                let reason = format!("`{}` takes text, and this is {}", func.name(), noun(inner.ty()));
                errors.push(one.span(), "wrong argument", reason, "");
                return None;
            }
            Some(if func == Func::Val { inner } else { Expr::Apply(func, Box::new(inner)) })
        }
        _ => wrong(whole.clone(), format!("`{}` takes one field", func.name())),
    }
}

/// What `concat` and `join` put together: all of them are checked.
fn parts(args: &[RawExpr], func: Func, cx: Context<'_>, errors: &mut Errors) -> Option<Vec<Expr>> {
    let mut good = Vec::with_capacity(args.len());
    for arg in args {
        let Some(part) = expr(arg, cx, errors) else { continue };
        if matches!(part.ty(), Type::Time | Type::Duration | Type::Bool) {
            let reason = format!("`{}` takes text and numbers, and this is {}", func.name(), noun(part.ty()));
            errors.push(arg.span(), "wrong argument", reason, "");
            continue;
        }
        good.push(part);
    }
    (good.len() == args.len()).then_some(good)
}

/// An expression without any field is no question.
fn has_field(expr: Expr, at: &Span, errors: &mut Errors) -> Option<Expr> {
    if expr.basis(None).is_some() {
        return Some(expr);
    }
    errors.push(at.clone(), "a field is missing", "there are only constants here", "");
    None
}

fn test(raw: &RawTest, cx: Context<'_>, errors: &mut Errors) -> Option<Test> {
    let left = expr(&raw.left, cx, errors);
    let right = match &raw.relation {
        Some(Relation { operand: Operand::Expr(right), .. }) => Some((expr(right, cx, errors)?, right)),
        _ => None,
    };
    let left = left?;
    let ty = left.ty();
    let mut first = None;
    left.fields(&mut |field, key| first = first.take().or(Some((field, key.clone()))));
    let (field, key) = first?;
    let name = left.to_string();
    let over = (!matches!(left, Expr::Field(..))).then(|| Box::new(left));
    let made = |op, compare, shown, note| Test {
        field,
        key: key.clone(),
        over: over.clone(),
        op,
        compare,
        shown,
        note,
    };
    let Some(relation) = &raw.relation else {
        if ty != Type::Bool {
            let reason = format!("`{name}` is {}, not true or false", noun(ty));
            let by_size = allows(ty, Op::Lt) && !is_text(ty);
            let taken = if by_size { " (an unquoted > or < is taken by the shell)" } else { "" };
            let hint = format!("for example `{}`{taken}", field.example);
            errors.push(raw.span.clone(), "a comparison is missing", reason, hint);
            return None;
        }
        return Some(made(Op::Eq, Compare::Bool([false, true]), "true".into(), None));
    };
    let op = relation.op;
    let known = (field.is_argument() && over.is_none()).then(|| Known::of(cx.schema, &key));
    let has_flags = known.as_ref().is_some_and(|k| !k.flags.is_empty());
    let allowed = if op == Op::Has { has_flags } else { allows(ty, op) };
    if !allowed {
        let reason = if op == Op::Has {
            format!("`{name}` has no flags")
        } else {
            format!("`{}` does not apply to `{name}`, which is {}", op.name(), noun(ty))
        };
        let usable: Vec<&str> =
            Op::ALL.iter().filter(|(op, _)| allows(ty, *op)).map(|(_, name)| *name).collect();
        let hint = format!("use one of: {}", usable.join(" "));
        errors.push(relation.span.clone(), "wrong operator", reason, hint);
        return None;
    }
    if let Some((right, raw_right)) = right {
        return with(op, relation, ty, &name, right, raw_right, errors)
            .map(|(compare, shown)| made(op, compare, shown, None));
    }
    let Operand::Constants(constants) = &relation.operand else { return None };
    let subject = Subject { name: &name, ty, field, known: known.as_ref(), is_field: over.is_none() };
    let compare = compile::compare(&subject, op, relation.mode, constants, cx, errors)?;
    let list = shown(constants);
    let list = match relation.mode {
        Some(mode) => format!("{mode} ({list})"),
        None if op.takes_list() => format!("({list})"),
        None => list,
    };
    let note = compile::note(&subject, op, &compare, constants, cx);
    Some(made(op, compare, list, note))
}

/// A comparison with another value of the same event.
fn with(
    op: Op,
    relation: &Relation,
    ty: Type,
    name: &str,
    right: Expr,
    raw: &RawExpr,
    errors: &mut Errors,
) -> Option<(Compare, String)> {
    let shown = match &right {
        Expr::Field(..) => format!("val({right})"),
        _ => right.to_string(),
    };
    let pattern = matches!(
        op,
        Op::Glob | Op::IGlob | Op::Regex | Op::PMatch | Op::Has | Op::BContains | Op::BStartsWith
    );
    if pattern {
        let reason = format!("`{}` needs a pattern that is known beforehand", op.name());
        let hint = "fields are compared by = != < <= > >= contains icontains startswith endswith in";
        errors.push(relation.span.clone(), "wrong operator", reason, hint);
        return None;
    }
    if !comparable(ty, right.ty()) {
        let reason = format!("`{name}` is {}, and this is {}", noun(ty), noun(right.ty()));
        errors.push(raw.span(), "values of different types", reason, "");
        return None;
    }
    Some((Compare::With(Box::new(right)), shown))
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
