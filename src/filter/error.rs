//! What is wrong with a filter, and how it is shown.
//!
//! Enters: spans, reasons and suggestions from parsing and checking. Leaves: [`Errors`], and their text in plain ASCII
//! with carets under the place. Never: an unescaped byte of the filter's text, which may come from a foreign file.

use std::fmt::Write as _;
use std::ops::Range;

/// A place in the filter's text: byte offsets.
pub type Span = Range<usize>;

/// How many errors are kept: a hostile text must not make a long list of suggestions.
const MAX_ERRORS: usize = 100;
/// How many errors are shown.
const MAX_SHOWN: usize = 20;
/// How many columns of the filter's text are shown.
const WIDTH: usize = 100;
/// How many columns of a quoted word are shown within a reason.
const MAX_QUOTED: usize = 48;

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// Where.
    pub span: Span,
    /// What kind of mistake, in a few words.
    pub title: String,
    /// Why it is one; may be empty.
    pub reason: String,
    /// What may have been meant; may be empty.
    pub hint: String,
}

/// Every mistake of one filter, in order of place; never empty when returned by [`super::Filter::parse`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Errors(pub Vec<Error>);

impl Errors {
    /// True when no more are taken; the caller saves itself the search for suggestions.
    pub(super) fn is_full(&self) -> bool {
        self.0.len() >= MAX_ERRORS
    }

    pub(super) fn push(
        &mut self,
        span: Span,
        title: impl Into<String>,
        reason: impl Into<String>,
        hint: impl Into<String>,
    ) {
        if !self.is_full() {
            self.0.push(Error { span, title: title.into(), reason: reason.into(), hint: hint.into() });
        }
    }

    /// The errors as text, each with the line of `text` it is in and carets under the place. `text` must be the text
    /// that was parsed.
    pub fn render(&self, text: &str) -> String {
        let mut out = String::new();
        for error in self.0.iter().take(MAX_SHOWN) {
            error.render(text, &mut out);
        }
        if self.0.len() > MAX_SHOWN {
            let _ = writeln!(out, "... and {} more errors", self.0.len() - MAX_SHOWN);
        }
        out
    }
}

impl std::fmt::Display for Errors {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0.as_slice() {
            [] => f.write_str("no error"),
            [one] => write!(f, "the filter has an error: {}", one.title),
            all => write!(f, "the filter has {} errors; the first: {}", all.len(), all[0].title),
        }
    }
}

impl std::error::Error for Errors {}

impl Error {
    fn render(&self, text: &str, out: &mut String) {
        let _ = writeln!(out, "error: {}", self.title);
        // The line that the span begins in; a span that runs on is cut at the line's end.
        let start = floor(text, self.span.start);
        let end = floor(text, self.span.end.max(start));
        let from = text[..start].rfind('\n').map_or(0, |i| i + 1);
        let to = text[start..].find('\n').map_or(text.len(), |i| start + i);
        let before = escape(&text[from..start]);
        let marked = escape(&text[start..end.clamp(start, to)]);
        let after = escape(&text[end.clamp(start, to)..to]);
        // A long line is shown through a window around the place. All of it is ASCII now: bytes are columns.
        let before = if before.len() > WIDTH / 2 {
            format!("...{}", &before[before.len() - (WIDTH / 2 - 3)..])
        } else {
            before
        };
        let marked = if marked.len() > WIDTH { format!("{}...", &marked[..WIDTH - 3]) } else { marked };
        let room = WIDTH.saturating_sub(before.len() + marked.len()).max(10);
        let after = if after.len() > room { format!("{}...", &after[..room]) } else { after };
        let _ = writeln!(out, "  | {before}{marked}{after}");
        let mut note = self.reason.clone();
        if !self.hint.is_empty() {
            if !note.is_empty() {
                note.push_str("; ");
            }
            note.push_str(&self.hint);
        }
        let line = format!("  | {}{} {note}", " ".repeat(before.len()), "^".repeat(marked.len().max(1)));
        let _ = writeln!(out, "{}", line.trim_end());
    }
}

/// The nearest character boundary at or before `at`.
fn floor(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// Text in plain ASCII: control characters and everything beyond ASCII as escapes, so that nothing reaches a terminal
/// unseen and columns can be counted.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            ' '..='~' => out.push(c),
            _ => out.extend(c.escape_default()),
        }
    }
    out
}

/// A word of the filter inside a sentence: escaped, shortened, in backquotes.
pub(super) fn quoted(text: &str) -> String {
    let mut escaped = escape(text);
    if escaped.len() > MAX_QUOTED {
        escaped.truncate(MAX_QUOTED - 3);
        escaped.push_str("...");
    }
    format!("`{escaped}`")
}
