//! Constants to comparisons.
//!
//! Enters: what is compared, an operator, constants. Leaves: a [`Compare`], every constant that is wrong, and what may
//! surprise about one that is not. Never: a particular field by name.

use memchr::memmem::Finder;

use super::ast::{Constant, Mode, Op};
use super::bits::{Bits, Known};
use super::check::Context;
use super::compare::{Affixes, Compare, Texts, several, tidy};
use super::error::{Errors, quoted};
use super::glob::Glob;
use super::path::Paths;
use super::regex::{Regex, Wrong};
use super::suggest::did_you_mean;
use super::transform::Func;
use super::value::{self, Refusal};
use crate::fields::{Extract, Field, Type};

/// What stands on the left of an operator.
pub struct Subject<'s> {
    /// As it is written.
    pub name: &'s str,
    /// Its type.
    pub ty: Type,
    /// Its field.
    pub field: &'static Field,
    /// Of an argument, what the schema knows of it.
    pub known: Option<&'s Known>,
    /// It is the field itself and not a transformer of it.
    pub is_field: bool,
}

/// The comparison with constants; every one is checked, also after one that is wrong.
pub fn compare(
    subject: &Subject<'_>,
    op: Op,
    mode: Option<Mode>,
    constants: &[Constant],
    cx: Context<'_>,
    errors: &mut Errors,
) -> Option<Compare> {
    if op == Op::Exists {
        return Some(Compare::Exists);
    }
    if op == Op::Has {
        let known = subject.known?;
        let is_flag = |part: &str| known.flags.iter().any(|t| t.value_of(part).is_some());
        parts_are_known(subject, known, constants, is_flag, errors)?;
        let all = constants.iter().map(|c| Bits::new(&c.text(), known).ok()).collect::<Option<_>>()?;
        return Some(Compare::Flags(mode.unwrap_or(Mode::All), all));
    }
    if op == Op::Regex {
        return regexes(subject, mode, constants, cx, errors);
    }
    let mut refuse = |constant: &Constant, refusal: Refusal| {
        errors.push(constant.span.clone(), refusal.0, refusal.1, refusal.2);
        // Whoever writes ten thousand wrong names gets the first hundred explained.
        !errors.is_full()
    };
    macro_rules! each {
        ($read:expr) => {{
            let mut all = Vec::with_capacity(constants.len());
            for constant in constants {
                match $read(constant) {
                    Ok(value) => all.push(value),
                    Err(refusal) => {
                        if !refuse(constant, refusal) {
                            break;
                        }
                    }
                }
            }
            if all.len() < constants.len() {
                return None;
            }
            all
        }};
    }
    if op == Op::PMatch {
        for constant in constants {
            if let Err(reason) = Paths::new([&*constant.bytes]) {
                refuse(constant, ("bad pattern".into(), reason.into(), String::new()));
                return None;
            }
        }
        return Paths::new(constants.iter().map(|c| &*c.bytes)).ok().map(|p| Compare::Under(Box::new(p)));
    }
    if op.is_pattern() {
        let all = each!(|c: &Constant| pattern(subject, op, c, cx));
        return match (mode, op) {
            (Some(Mode::Any), _) if all.len() > 1 => Some(any_pattern(op, constants, all)),
            _ => many(mode, all),
        };
    }
    // `= anyof` is `in`; for the rest each constant is a comparison of its own.
    if let Some(mode) = mode.filter(|m| *m != Mode::Any || op == Op::Ne) {
        let all: Vec<Option<Compare>> = constants
            .iter()
            .map(|c| compare(subject, Op::Eq, None, std::slice::from_ref(c), cx, errors))
            .collect();
        return Some(Compare::Many(mode, all.into_iter().collect::<Option<_>>()?));
    }
    match subject.ty {
        Type::Text | Type::Path | Type::Bytes => {
            if let (true, [one, ..]) = (op.is_order(), constants) {
                return Some(Compare::TextOrder(op, one.bytes.clone().into()));
            }
            match subject.known.filter(|k| k.is_closed) {
                None => Some(Compare::Texts(Texts::new(constants.iter().map(|c| c.bytes.clone().into())))),
                Some(known) => {
                    let is_name = |part: &str| known.printed(part).is_some();
                    parts_are_known(subject, known, constants, is_name, errors)?;
                    let all = constants.iter().map(|c| value::named(&c.text(), known));
                    Some(Compare::Texts(Texts::new(all.map(|t| t.into_bytes().into()))))
                }
            }
        }
        Type::CallName | Type::ClassName | Type::ErrnoName | Type::FileKindName => {
            let all = each!(|c: &Constant| value::name(&c.text(), subject.ty, subject.name, cx.schema));
            Some(Compare::Texts(Texts::new(all.into_iter().map(|t| t.into_bytes().into()))))
        }
        Type::Bool => {
            let mut wanted = [false; 2];
            for value in each!(|c: &Constant| value::boolean(&c.text())) {
                wanted[usize::from(value)] = true;
            }
            Some(Compare::Bool(wanted))
        }
        Type::Ip => Some(Compare::Nets(each!(|c: &Constant| value::net(&c.text())))),
        Type::Int | Type::UInt | Type::Id | Type::Port | Type::Time | Type::Duration | Type::Size => {
            let list = matches!(op, Op::In | Op::Intersects);
            let ranges = each!(|c: &Constant| number(subject, op, list, &c.text()));
            Some(Compare::Ranges(tidy(ranges)))
        }
    }
}

/// Checks that every part of `O_CREAT|0x40` is a number or the name of a value; shows those that are not.
fn parts_are_known(
    subject: &Subject<'_>,
    known: &Known,
    constants: &[Constant],
    is_known: impl Fn(&str) -> bool,
    errors: &mut Errors,
) -> Option<()> {
    let mut good = true;
    for constant in constants {
        let text = constant.text();
        let mut from = 0;
        for part in text.split('|') {
            let at = constant.part(from, from + part.len());
            from += part.len() + 1;
            if !is_known(part) && value::plain(part).is_none() {
                good = false;
                if errors.is_full() {
                    return None;
                }
                let (title, reason, hint) = value::unknown_name(part, known, subject.name);
                errors.push(at, title, reason, hint);
            }
        }
    }
    good.then_some(())
}

/// Regular expressions; a mistake is shown where in the pattern it is.
fn regexes(
    subject: &Subject<'_>,
    mode: Option<Mode>,
    constants: &[Constant],
    cx: Context<'_>,
    errors: &mut Errors,
) -> Option<Compare> {
    let mut all = Vec::new();
    for constant in constants {
        if errors.is_full() {
            break;
        }
        let compiled = match std::str::from_utf8(&constant.bytes) {
            Ok(pattern) => Regex::new(pattern),
            Err(_) => Err(Wrong { reason: "it is not UTF-8; write (?-u:\\xff)".into(), place: None }),
        };
        match compiled {
            Ok(regex) => {
                let compare = Compare::Regex(Box::new(regex));
                match fits_some_name(subject, constant, &compare, cx) {
                    Ok(()) => all.push(compare),
                    Err((title, reason, hint)) => errors.push(constant.span.clone(), title, reason, hint),
                }
            }
            Err(wrong) => {
                let at = match wrong.place {
                    Some((from, to)) => constant.part(from, to),
                    None => constant.span.clone(),
                };
                errors.push(at, "bad regular expression", wrong.reason, "");
            }
        }
    }
    if all.len() < constants.len() {
        return None;
    }
    many(mode, all)
}

/// The range of numbers that fits.
fn number(subject: &Subject<'_>, op: Op, list: bool, text: &str) -> Result<(i128, i128), Refusal> {
    if list {
        return match value::range(text, subject.ty) {
            Err(refusal) => name_of_number(subject, text).ok_or(refusal).map(|n| (n, n)),
            good => good,
        };
    }
    let n = match value::number(text, subject.ty) {
        Ok(n) => n,
        Err(_) if value::range(text, subject.ty).is_ok() => {
            let title = "a range where a number should stand".to_string();
            return Err((title, String::new(), format!("write `in ({text})`")));
        }
        Err(refusal) => name_of_number(subject, text).ok_or(refusal)?,
    };
    Ok(match op {
        Op::Lt => (i128::MIN, n - 1),
        Op::Le => (i128::MIN, n),
        Op::Gt => (n + 1, i128::MAX),
        Op::Ge => (n, i128::MAX),
        _ => (n, n),
    })
}

/// The number of a flag's or a constant's name, for the number of an argument.
fn name_of_number(subject: &Subject<'_>, text: &str) -> Option<i128> {
    subject.known?.number(text).map(i128::from)
}

/// Several comparisons as one.
fn many(mode: Option<Mode>, mut all: Vec<Compare>) -> Option<Compare> {
    match mode {
        Some(mode) if all.len() > 1 => Some(Compare::Many(mode, all)),
        _ => all.pop(),
    }
}

/// Several patterns of which any will do.
fn any_pattern(op: Op, constants: &[Constant], all: Vec<Compare>) -> Compare {
    let texts = || constants.iter().map(|c| c.bytes.clone().into_boxed_slice());
    let needles = || constants.iter().map(|c| c.bytes.clone()).collect::<Vec<_>>();
    let one = match op {
        Op::Contains => several(&needles(), false).map(|n| Compare::ContainsAny(Box::new(n))),
        Op::IContains => several(&needles(), true).map(|n| Compare::ContainsAny(Box::new(n))),
        Op::StartsWith => Some(Compare::StartsWithAny(Affixes::new(texts()))),
        Op::EndsWith => Some(Compare::EndsWithAny(Affixes::new(texts()))),
        _ => None,
    };
    one.unwrap_or(Compare::Many(Mode::Any, all))
}

fn pattern(subject: &Subject<'_>, op: Op, constant: &Constant, cx: Context<'_>) -> Result<Compare, Refusal> {
    let bytes = match op {
        Op::BContains | Op::BStartsWith => value::bytes(&constant.text())?,
        _ => constant.bytes.clone(),
    };
    if bytes.is_empty() && !matches!(op, Op::Glob | Op::IGlob) {
        let reason = format!("every text fits `{} ''`", op.name());
        return Err(("empty value".into(), reason, format!("`{} exists` tests for presence", subject.name)));
    }
    let compiled = match op {
        Op::Contains | Op::BContains => Compare::Contains(Box::new(Finder::new(&bytes).into_owned())),
        Op::IContains => Compare::IContains(Box::new(Finder::new(&bytes.to_ascii_lowercase()).into_owned())),
        Op::StartsWith | Op::BStartsWith => Compare::StartsWith(bytes.into()),
        Op::EndsWith => Compare::EndsWith(bytes.into()),
        _ => match Glob::new(&bytes, op == Op::IGlob) {
            Ok(glob) => Compare::Glob(Box::new(glob)),
            Err(reason) => return Err(("bad pattern".into(), reason.into(), String::new())),
        },
    };
    fits_some_name(subject, constant, &compiled, cx)?;
    Ok(compiled)
}

/// A pattern that no name fits is a slip as much as an unknown name is.
fn fits_some_name(
    subject: &Subject<'_>,
    constant: &Constant,
    compiled: &Compare,
    cx: Context<'_>,
) -> Result<(), Refusal> {
    let text = constant.text();
    let unknown = |noun: &str, hint: String| {
        let reason = format!("no {noun} fits {}", quoted(&text));
        Err((format!("unknown value for {}", subject.name), reason, hint))
    };
    if let Some(known) = subject.known.filter(|k| k.is_closed) {
        // Of several flags in one text a pattern may take parts: only a single word can be judged.
        let is_word = text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
            && text.bytes().any(|b| b.is_ascii_alphabetic());
        let looks_into = matches!(compiled, Compare::Contains(_) | Compare::IContains(_));
        if is_word && looks_into && !known.names().any(|n| compiled.text(n.as_bytes())) {
            return unknown("name of a value", did_you_mean(&text, known.names()));
        }
        return Ok(());
    }
    if !subject.is_field {
        return Ok(());
    }
    let names = match subject.field.extract {
        Extract::Code(_) if subject.ty == Type::CallName => cx.schema.shapes().map(|s| &*s.name).collect(),
        _ => value::vocabulary(subject.ty, cx.schema),
    };
    if names.is_empty() || names.iter().any(|n| compiled.text(n.as_bytes())) {
        return Ok(());
    }
    unknown(value::noun(subject.ty), String::new())
}

/// What may surprise about a comparison that is right.
pub fn note(
    subject: &Subject<'_>,
    op: Op,
    compare: &Compare,
    constants: &[Constant],
    cx: Context<'_>,
) -> Option<String> {
    let name = subject.name;
    if let Compare::Regex(regex) = compare
        && let Some(simpler) = &regex.simpler
    {
        return Some(format!("`{name} {simpler}` says the same as the regular expression, and is faster"));
    }
    let first = constants.first()?.text();
    let is_text = matches!(subject.ty, Type::Text | Type::Path | Type::Bytes);
    if is_text && cx.fields.iter().any(|f| f.name == first) {
        return Some(format!(
            "{0} is a word here; `val({first})` compares `{name}` with the field",
            quoted(&first)
        ));
    }
    if is_text && first.split_once('(').is_some_and(|(func, _)| Func::by_name(func).is_some()) {
        return Some(format!("{} is a text here; a transformer stands without quotes", quoted(&first)));
    }
    let known = subject.known?;
    let whole = matches!(op, Op::Eq | Op::Ne | Op::In) && is_text;
    if whole && known.is_fd && first.bytes().all(|b| b.is_ascii_digit()) {
        return Some(format!(
            "the text of a descriptor is 3</etc/passwd> or the like; its number is `{}`",
            name.replacen("arg", "rawarg", 1)
        ));
    }
    if whole && !known.flags.is_empty() && known.is_closed {
        return Some(format!(
            "`{}` compares all flags as they are printed; `{name} has {first}` tests some of them",
            op.name()
        ));
    }
    None
}
