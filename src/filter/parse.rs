//! Text to tree.
//!
//! Enters: a filter's text, from a command line or a foreign file. Leaves: an [`Ast`] with the place of everything in
//! it, and every mistake of form. Never: knowledge of fields and values. Only this module knows pest.

use std::num::NonZeroUsize;
use std::sync::Once;

use pest::Parser;
use pest::iterators::Pair;

use super::ast::{Ast, Op, Operand, Relation};
use super::error::{Errors, Span, quoted};
use super::lexical::{ends_in_quote, too_deep};
use super::suggest::did_you_mean;

/// Longest filter, in bytes.
pub const MAX_LENGTH: usize = 512 * 1024;
/// Deepest nesting of parentheses: what reads, evaluates and drops the tree recurses.
pub const MAX_DEPTH: usize = 128;
/// Most steps of the parser, about half a second's: forty thousand conditions, or a list that fills the greatest length.
const MAX_CALLS: usize = 10 << 20;

mod test;

#[allow(missing_docs, reason = "generated")]
mod grammar {
    #[derive(pest_derive::Parser)]
    #[grammar = "grammar/filter.pest"]
    pub struct FilterParser;
}
use grammar::{FilterParser, Rule};

/// Reads a filter. Mistakes are added to `errors`; the tree is then as good as can be.
pub fn parse(text: &str, errors: &mut Errors) -> Ast {
    if text.len() > MAX_LENGTH {
        let reason = format!("{} bytes; the most is {MAX_LENGTH}", text.len());
        errors.push(MAX_LENGTH..MAX_LENGTH, "the filter is too long", reason, "");
        return Ast::Broken;
    }
    if let Some(at) = too_deep(text, MAX_DEPTH) {
        nested_too_deeply(at, errors);
        return Ast::Broken;
    }
    static LIMIT: Once = Once::new();
    LIMIT.call_once(|| pest::set_call_limit(NonZeroUsize::new(MAX_CALLS)));
    let mut pairs = match FilterParser::parse(Rule::filter, text) {
        Ok(pairs) => pairs,
        Err(error) => {
            // The grammar accepts every text; what remains is the limit on steps.
            let at = match error.location {
                pest::error::InputLocation::Pos(at) | pest::error::InputLocation::Span((at, _)) => at,
            };
            errors.push(at..at, "the filter has too many parts", "what follows here was not looked at", "");
            return Ast::Broken;
        }
    };
    let mut reader = Reader { errors, text, strayed: false, depth: 0 };
    match pairs.next() {
        Some(filter) => reader.body(filter, (text.len()..text.len(), true), true),
        None => Ast::Everything,
    }
}

fn nested_too_deeply(at: usize, errors: &mut Errors) {
    let reason = format!("more than {MAX_DEPTH} parentheses are open here");
    errors.push(at..at + 1, "the filter is nested too deeply", reason, "");
}

fn span(pair: &Pair<'_, Rule>) -> Span {
    pair.as_span().start()..pair.as_span().end()
}

struct Reader<'e, 't> {
    errors: &'e mut Errors,
    text: &'t str,
    /// A sign without a place was reported: what is missing after it is its fault.
    strayed: bool,
    /// How many parentheses are open. Counting letters misjudges some malformed texts; this does not.
    depth: usize,
}

impl Reader<'_, '_> {
    /// What stands between parentheses, or in the whole filter. `around` is the place to show if it is empty, and
    /// whether the emptiness follows it.
    fn body(&mut self, pair: Pair<'_, Rule>, around: (Span, bool), whole: bool) -> Ast {
        let mut parts = Vec::new();
        for inner in pair.into_inner() {
            match inner.as_rule() {
                Rule::disj => parts.push(self.disj(inner, around.clone(), whole && parts.is_empty())),
                Rule::stray | Rule::inner_stray => self.stray(&inner),
                _ => {}
            }
        }
        if parts.len() == 1 { parts.pop().unwrap_or(Ast::Broken) } else { Ast::Broken }
    }

    fn stray(&mut self, pair: &Pair<'_, Rule>) {
        if self.strayed {
            return;
        }
        self.strayed = true;
        let (reason, hint) = match pair.as_str() {
            ")" => ("no parenthesis is open here", ""),
            "," => (
                "a comma only stands between the values of a list",
                "write `field in (a, b)`, or quote a value that has a comma",
            ),
            "=" => (
                "an operator needs a field on its left",
                "quote a value that has a `=`, and the whole filter for the shell",
            ),
            "<" | ">" => ("an operator needs a field on its left", ""),
            "&" => ("", "write `and` or `&&`"),
            "|" => ("", "write `or` or `||`"),
            "[" | "]" => ("brackets only stand after a field's name", "write `proc.aname[2]`"),
            _ => ("it has no meaning here", ""),
        };
        self.errors.push(span(pair), format!("unexpected {}", quoted(pair.as_str())), reason, hint);
    }

    fn disj(&mut self, pair: Pair<'_, Rule>, around: (Span, bool), mut may_be_empty: bool) -> Ast {
        let inner: Vec<Pair<'_, Rule>> = pair.into_inner().collect();
        may_be_empty &= inner.len() == 1;
        let mut parts = Vec::new();
        for i in (0..inner.len()).step_by(2) {
            // A condition that is missing is shown at the `or` beside it.
            let around = match (i.checked_sub(1).and_then(|b| inner.get(b)), inner.get(i + 1)) {
                (Some(or), _) => (span(or), true),
                (None, Some(or)) => (span(or), false),
                _ => around.clone(),
            };
            parts.push(self.conj(inner[i].clone(), around, may_be_empty));
        }
        if parts.len() == 1 { parts.pop().unwrap_or(Ast::Broken) } else { Ast::Or(parts) }
    }

    fn conj(&mut self, pair: Pair<'_, Rule>, around: (Span, bool), may_be_empty: bool) -> Ast {
        let inner: Vec<Pair<'_, Rule>> = pair.into_inner().collect();
        let mut parts = Vec::new();
        let mut i = 0;
        while let Some(pair) = inner.get(i) {
            let before = i.checked_sub(1).and_then(|b| inner.get(b)).filter(|p| p.as_rule() == Rule::and);
            match pair.as_rule() {
                Rule::missing if may_be_empty && inner.len() == 1 => return Ast::Everything,
                Rule::missing => {
                    let next = inner.get(i + 1).filter(|p| p.as_rule() == Rule::and);
                    let (at, after) = before
                        .map(|and| (span(and), true))
                        .or(next.map(|and| (span(and), false)))
                        .unwrap_or_else(|| around.clone());
                    self.missing(at, after);
                    parts.push(Ast::Broken);
                }
                Rule::term if i > 0 && before.is_none() => {
                    i += self.glued(&inner, i);
                    parts.push(if is_bare(pair) { Ast::Broken } else { self.term(pair.clone()) });
                    continue;
                }
                // The test before a word that is no operator: reported there.
                Rule::term
                    if is_bare(pair) && inner.get(i + 1).is_some_and(|p| p.as_rule() == Rule::term) =>
                {
                    self.check_name_only(pair, &mut parts);
                }
                Rule::term => parts.push(self.term(pair.clone())),
                _ => {}
            }
            i += 1;
        }
        if parts.len() == 1 { parts.pop().unwrap_or(Ast::Broken) } else { Ast::And(parts) }
    }

    /// A field without its operator: its name is still worth checking, as a test for presence.
    fn check_name_only(&mut self, pair: &Pair<'_, Rule>, parts: &mut Vec<Ast>) {
        let Ast::Test(mut test) = self.term(pair.clone()) else { return };
        let operand = Operand::Constants(Vec::new());
        test.relation = Some(Relation { op: Op::Exists, span: test.span.clone(), mode: None, operand });
        parts.push(Ast::Test(test));
    }

    fn missing(&mut self, at: Span, after: bool) {
        if self.strayed {
            return;
        }
        let word = self.text.get(at.clone()).unwrap_or("");
        let (title, reason) = match word {
            "" => ("a condition is missing", "the filter ends where a condition should stand".to_string()),
            "(" => ("a condition is missing", "there is nothing between these parentheses".to_string()),
            _ if after => ("a condition is missing", format!("nothing follows {}", quoted(word))),
            _ => ("a condition is missing", format!("nothing stands before {}", quoted(word))),
        };
        self.errors.push(at, title, reason, "");
    }

    /// Terms without an operator between them. Returns how many were dealt with.
    fn glued(&mut self, inner: &[Pair<'_, Rule>], i: usize) -> usize {
        let run = inner[i..].iter().take(2).take_while(|p| p.as_rule() == Rule::term).count();
        let (first, before) = (&inner[i], &inner[i - 1]);
        let word = first.as_str().split_whitespace().next().unwrap_or("");
        // `proc.name like(cat)`
        let called = word.split_once('(').map_or(word, |(name, _)| name);
        let word = if called.is_empty() { word } else { called };
        let at = span(first).start..span(first).start + word.len();
        let lower = word.to_ascii_lowercase();
        let negated = first.clone().into_inner().next().filter(|p| p.as_rule() == Rule::not);
        if first.clone().into_inner().any(|p| p.as_rule() == Rule::missing) {
            // `evt.failed not`: what is missing after `not` is reported there.
        } else if let Some(not) = negated {
            let hint = "join conditions with `and` or `or`";
            self.errors.push(span(&not), "`and` or `or` is missing", "a new condition begins here", hint);
        } else if matches!(&*lower, "and" | "or" | "not") && lower != word {
            let hint = format!("write `{lower}`");
            self.errors.push(
                at,
                format!("unexpected {}", quoted(word)),
                "keywords are in small letters",
                hint,
            );
        } else if is_bare(before) && is_bare(first) && (run >= 2 || is_call(first)) {
            // `proc.name like cat`
            let names = Op::ALL.iter().map(|(_, n)| *n);
            let mut hint = match (&*lower, Op::by_name(&lower)) {
                (_, Some(op)) => format!("write `{}`", op.name()),
                ("eq" | "is" | "equals", _) => "write `=`".into(),
                ("like", _) => "write `glob`, or `regex`".into(),
                ("matches" | "match" | "rematch", _) => {
                    "write `regex`, which must match all of the text".into()
                }
                ("under" | "below", _) => "write `pmatch (/a, /b)`".into(),
                ("oneof" | "anyof" | "allof", _) => format!("write `= {lower} (a, b)`"),
                _ => did_you_mean(word, names),
            };
            if hint.is_empty() {
                let all: Vec<&str> = Op::ALL.iter().map(|(_, n)| *n).collect();
                hint = format!("operators: {}", all.join(" "));
            }
            self.errors.push(at, "unknown operator", format!("no operator is called {}", quoted(word)), hint);
        } else if is_bare(before) {
            let field = before.as_str().trim();
            let hint = format!("write {}", quoted(&format!("{field} = {word}")));
            let reason = format!("there is no operator between {} and this", quoted(field));
            self.errors.push(at, "an operator is missing", reason, hint);
        } else if is_bare(first) {
            let hint = "join conditions with `and` or `or`; quote a value that has blanks or one of ( ) \" ' = ,  \
                        (the shell takes one pair of quotes away: quote the whole filter as well)";
            self.errors.push(
                at,
                format!("unexpected {}", quoted(word)),
                "the condition before it is complete",
                hint,
            );
        } else {
            let hint = "join conditions with `and` or `or`";
            self.errors.push(at, "`and` or `or` is missing", "a new condition begins here", hint);
        }
        // One report for a run of bare words; a term with an operator is a condition of its own and is checked.
        let bare = inner[i..].iter().take_while(|p| p.as_rule() == Rule::term && is_bare(p)).count();
        bare.max(1)
    }

    fn term(&mut self, pair: Pair<'_, Rule>) -> Ast {
        let mut nots: Vec<Span> = Vec::new();
        let mut ast = Ast::Broken;
        for inner in pair.into_inner() {
            match inner.as_rule() {
                Rule::not => nots.push(span(&inner)),
                Rule::group => ast = self.group(inner),
                Rule::test => ast = self.test(inner),
                _ => self.missing(nots.last().cloned().unwrap_or(0..0), true),
            }
        }
        // Two cancel: a million of them must not make a deep tree.
        if nots.len() % 2 == 1 && ast != Ast::Broken { Ast::Not(Box::new(ast)) } else { ast }
    }

    fn group(&mut self, pair: Pair<'_, Rule>) -> Ast {
        let at = span(&pair).start..span(&pair).start + 1;
        let closed = pair.clone().into_inner().any(|p| p.as_rule() == Rule::close);
        if !closed && self.depth < MAX_DEPTH && !self.ends_in_open_quote() {
            self.errors.push(at.clone(), "unclosed parenthesis", "no `)` closes it", "");
        }
        if self.depth >= MAX_DEPTH {
            nested_too_deeply(at.start, self.errors);
            return Ast::Broken;
        }
        self.depth += 1;
        let ast = self.body(pair, (at, true), false);
        self.depth -= 1;
        ast
    }

    /// An open quote swallows the closing parentheses: only the quote is to blame.
    fn ends_in_open_quote(&self) -> bool {
        self.errors.0.iter().any(|e| e.title == UNCLOSED) || ends_in_quote(self.text)
    }
}

const UNCLOSED: &str = "unclosed quote";

/// Its place without the blanks that the grammar skipped at its end.
fn trimmed(pair: &Pair<'_, Rule>) -> Span {
    let at = span(pair);
    at.start..at.start + pair.as_str().trim_end().len()
}

/// True for a term that is a transformer without an operator.
fn is_call(pair: &Pair<'_, Rule>) -> bool {
    let test = pair.clone().into_inner().next();
    test.and_then(|t| t.into_inner().next()).is_some_and(|p| p.as_rule() == Rule::call)
}

/// True for a term that is a single field or text without an operator.
fn is_bare(pair: &Pair<'_, Rule>) -> bool {
    let mut inner = pair.clone().into_inner();
    match (inner.next(), inner.next()) {
        (Some(test), None) if test.as_rule() == Rule::test => {
            !test.into_inner().any(|p| p.as_rule() == Rule::relation)
        }
        _ => false,
    }
}
