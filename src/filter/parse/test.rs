//! Pairs to tests: a field or transformer, an operator, constants.
//!
//! Enters: the pairs of one test. Leaves: a [`RawTest`], and every mistake of form in it. Never: what stands around it.

use pest::iterators::Pair;

use super::grammar::Rule;
use super::{Reader, UNCLOSED, nested_too_deeply, span, trimmed};
use crate::filter::ast::{Ast, Constant, Mode, Op, Operand, RawExpr, RawTest, Relation};
use crate::filter::error::{Span, quoted};
use crate::filter::lexical::unescape;
use crate::filter::parse::MAX_DEPTH;

impl Reader<'_, '_> {
    pub(super) fn test(&mut self, pair: Pair<'_, Rule>) -> Ast {
        let whole = trimmed(&pair);
        let (mut left, mut relation, mut good) = (None, None, true);
        for inner in pair.into_inner() {
            match inner.as_rule() {
                Rule::relation => {
                    relation = self.relation(inner);
                    good &= relation.is_some();
                }
                Rule::string => {
                    let hint = "a field's name stands without quotes, and on the left";
                    self.errors.push(span(&inner), "a quoted text where a field should stand", "", hint);
                    good = false;
                }
                _ => left = self.expr(inner),
            }
        }
        match left {
            Some(left) if good => Ast::Test(Box::new(RawTest { span: whole, left, relation })),
            _ => Ast::Broken,
        }
    }

    /// A field, a transformer, or a text that one of them is given.
    fn expr(&mut self, pair: Pair<'_, Rule>) -> Option<RawExpr> {
        match pair.as_rule() {
            Rule::lhs => self.lhs(pair),
            Rule::call => self.call(pair),
            Rule::operand => self.expr(pair.into_inner().next()?),
            _ => self.constant(&pair).map(RawExpr::Text),
        }
    }

    fn lhs(&mut self, pair: Pair<'_, Rule>) -> Option<RawExpr> {
        let (mut name, mut name_span, mut argument, mut good) = (String::new(), 0..0, None, true);
        for inner in pair.into_inner() {
            if inner.as_rule() == Rule::name {
                name = inner.as_str().to_string();
                name_span = span(&inner);
                continue;
            }
            let at = span(&inner);
            let mut closed = false;
            for part in inner.into_inner() {
                match part.as_rule() {
                    Rule::end_index => closed = true,
                    Rule::key => {
                        argument =
                            Some(Constant { span: span(&part), bytes: part.as_str().as_bytes().to_vec() });
                    }
                    _ => match self.constant(&part) {
                        Some(key) => argument = Some(key),
                        None => good = false,
                    },
                }
            }
            if !good {
                // An open quote inside: reported.
            } else if !closed {
                self.errors.push(at, "unclosed bracket", "no `]` closes the field's argument", "");
                good = false;
            } else if argument.is_none() {
                self.errors.push(at, "an argument is missing", "there is nothing between these brackets", "");
                good = false;
            }
        }
        good.then_some(RawExpr::Field { name, span: name_span, key: argument })
    }

    fn call(&mut self, pair: Pair<'_, Rule>) -> Option<RawExpr> {
        let whole = trimmed(&pair);
        let mut inner = pair.into_inner();
        let func = inner.next()?;
        let (name, at) = (func.as_str().to_string(), span(&func));
        let args = self.given(inner, &whole, &format!("what {} is given", quoted(&name)))?;
        Some(RawExpr::Call { name, span: at, args, whole })
    }

    /// What stands between a transformer's parentheses.
    fn given<'p>(
        &mut self,
        pairs: impl Iterator<Item = Pair<'p, Rule>>,
        whole: &Span,
        what: &str,
    ) -> Option<Vec<RawExpr>> {
        if self.depth >= MAX_DEPTH {
            nested_too_deeply(whole.start, self.errors);
            return None;
        }
        self.depth += 1;
        let (mut args, mut good, mut closed, mut want) = (Vec::new(), true, false, true);
        let mut open = whole.start..whole.start + 1;
        for part in pairs {
            let place = span(&part);
            match part.as_rule() {
                Rule::open => open = place,
                Rule::close => {
                    closed = true;
                    if want && good {
                        let reason = if args.is_empty() {
                            "there is nothing between these parentheses"
                        } else {
                            "nothing follows the last comma"
                        };
                        self.errors.push(place, "a field is missing", reason, "");
                        good = false;
                    }
                }
                Rule::comma => {
                    if want {
                        self.errors.push(place, "a field is missing", "nothing stands before this comma", "");
                        good = false;
                    }
                    want = true;
                }
                rule => {
                    if !want {
                        let at = place.start..place.start + 1;
                        self.errors.push(at, "a comma is missing", format!("it separates {what}"), "");
                        good = false;
                    }
                    want = false;
                    let arg = match rule {
                        Rule::tuple => {
                            let at = trimmed(&part);
                            self.given(part.into_inner(), &at, "its parts").map(|all| RawExpr::Tuple(all, at))
                        }
                        _ => self.expr(part),
                    };
                    match arg {
                        Some(arg) => args.push(arg),
                        None => {
                            good = false;
                            closed |= place.end == self.text.len();
                        }
                    }
                }
            }
        }
        self.depth -= 1;
        if !closed {
            self.errors.push(open, "unclosed parenthesis", format!("no `)` closes {what}"), "");
            good = false;
        }
        good.then_some(args)
    }

    fn relation(&mut self, pair: Pair<'_, Rule>) -> Option<Relation> {
        let mut inner = pair.into_inner();
        let sign = inner.next()?;
        let at = span(&sign);
        let Some(op) = Op::by_name(sign.as_str()) else {
            let right = match sign.as_str() {
                "=>" => ">=",
                "=<" => "<=",
                "<>" => "!=",
                _ => "=",
            };
            let hint = format!("write `{right}`");
            self.errors.push(at, format!("unknown operator `{}`", sign.as_str()), "", hint);
            return None;
        };
        let relation = |mode, operand| Some(Relation { op, span: at.clone(), mode, operand });
        if op == Op::Exists {
            return relation(None, Operand::Constants(Vec::new()));
        }
        let mut next = inner.next();
        let mut mode = None;
        if let Some(word) = next.take_if(|p| p.as_rule() == Rule::modifier) {
            mode = Mode::by_name(word.as_str());
            next = inner.next();
            if op.takes_list() || op.is_order() {
                let reason = format!("`{}` does not take `{}`", sign.as_str(), word.as_str());
                let hint = if op.takes_list() {
                    format!("write `{} (a, b)`", op.name())
                } else {
                    "it takes one value".into()
                };
                self.errors.push(span(&word), format!("unexpected `{}`", word.as_str()), reason, hint);
                return None;
            }
        }
        let Some(operand) = next else {
            let list = op.takes_list();
            let what = if list { "a list in parentheses" } else { "a value" };
            let title = if list { "a list is missing" } else { "a value is missing" };
            let reason = format!("`{}` needs {what} on its right", sign.as_str());
            let hint = match op {
                Op::Eq | Op::Ne => "the empty text is written ''",
                Op::Lt | Op::Gt => "did the shell take what followed? quote the whole filter",
                _ => "",
            };
            self.errors.push(at, title, reason, hint);
            return None;
        };
        let place = trimmed(&operand);
        match operand.as_rule() {
            Rule::call => {
                let expr = self.call(operand)?;
                relation(None, Operand::Expr(expr))
            }
            Rule::list if mode.is_some() || op.takes_list() => {
                let list = self.list(operand)?;
                relation(mode, Operand::Constants(list))
            }
            Rule::list => {
                let reason = format!("`{}` takes one value", sign.as_str());
                let hint = match op {
                    Op::Eq => "write `in (a, b)`".to_string(),
                    Op::Ne => "write `not field in (a, b)`".to_string(),
                    _ if op.is_order() => String::new(),
                    _ => format!("write `{} anyof (a, b)`", op.name()),
                };
                self.errors.push(place, "a list where a value should stand", reason, hint);
                None
            }
            _ if op.takes_list() => {
                let hint =
                    format!("write {}", quoted(&format!("{} ({})", op.name(), operand.as_str().trim())));
                let reason = format!("`{}` takes a list in parentheses", op.name());
                self.errors.push(place, "a list is missing", reason, hint);
                None
            }
            _ => {
                let value = self.constant(&operand.into_inner().next()?)?;
                relation(None, Operand::Constants(vec![value]))
            }
        }
    }

    fn list(&mut self, pair: Pair<'_, Rule>) -> Option<Vec<Constant>> {
        let at = span(&pair).start..span(&pair).start + 1;
        let (mut values, mut good, mut closed) = (Vec::new(), true, false);
        let mut want_value = true;
        for part in pair.into_inner() {
            let place = span(&part);
            match part.as_rule() {
                Rule::value | Rule::call => {
                    if !want_value {
                        let hint = "put a comma between values; quote a value that has blanks";
                        self.errors.push(place.start..place.start + 1, "a comma is missing", "", hint);
                        good = false;
                    }
                    want_value = false;
                    if part.as_rule() == Rule::call {
                        let reason = "a list holds constants only";
                        let hint = "compare with `= val(field)`, or quote a value that has parentheses";
                        self.errors.push(
                            trimmed(&part),
                            "a transformer where a value should stand",
                            reason,
                            hint,
                        );
                        good = false;
                        continue;
                    }
                    match part.into_inner().next().and_then(|p| self.constant(&p)) {
                        Some(value) => values.push(value),
                        None => {
                            // An open quote takes everything up to the end, the closing parenthesis too.
                            good = false;
                            closed |= place.end == self.text.len();
                        }
                    }
                }
                Rule::comma => {
                    if want_value {
                        self.errors.push(place, "a value is missing", "nothing stands before this comma", "");
                        good = false;
                    }
                    want_value = true;
                }
                Rule::close => {
                    closed = true;
                    if want_value && good {
                        let reason = if values.is_empty() {
                            "the list is empty"
                        } else {
                            "nothing follows the last comma"
                        };
                        self.errors.push(place, "a value is missing", reason, "");
                        good = false;
                    }
                }
                _ => {}
            }
        }
        if !closed {
            self.errors.push(at, "unclosed parenthesis", "no `)` closes this list", "");
            good = false;
        }
        good.then_some(values)
    }

    fn unclosed(&mut self, pair: &Pair<'_, Rule>) {
        let at = span(pair).start;
        self.errors.push(at..at + 1, UNCLOSED, "the text that begins here never ends", "");
    }

    /// A constant, escapes resolved.
    fn constant(&mut self, pair: &Pair<'_, Rule>) -> Option<Constant> {
        let place = span(pair);
        match pair.as_rule() {
            Rule::string => {}
            Rule::bad_string => {
                self.unclosed(pair);
                return None;
            }
            _ => return Some(Constant { span: place, bytes: pair.as_str().as_bytes().to_vec() }),
        }
        let raw = pair.as_str().as_bytes();
        let raw = raw.get(1..raw.len().saturating_sub(1)).unwrap_or(&[]);
        let (bytes, bad) = unescape(raw);
        let good = bad.is_empty();
        for part in bad {
            let from = place.start + 1 + part.start;
            let to = (place.start + 1 + part.end).min(place.end.saturating_sub(1)).max(from + 1);
            let hint = "escapes: \\\\ \\\" \\' \\n \\r \\t \\xNN; a backslash is written \\\\";
            self.errors.push(from..to, "unknown escape", "", hint);
        }
        good.then_some(Constant { span: place, bytes })
    }
}
