//! What can be said of a filter's text letter by letter.
//!
//! Enters: text, from anywhere. Leaves: how deep it nests, where escapes are wrong. Never: recursion.

use super::error::Span;

/// Where the nesting passes the limit. Counts parentheses outside of quotes and comments, as the grammar does; where the
/// two differ (a quote inside a malformed word) the parser's own guard stands behind it.
pub fn too_deep(text: &str, most: usize) -> Option<usize> {
    let (mut depth, mut quote, mut escaped, mut comment) = (0usize, None, false, false);
    let mut before = b' ';
    for (at, byte) in text.bytes().enumerate() {
        match (quote, byte) {
            _ if comment => comment = byte != b'\n',
            (Some(_), _) if escaped => escaped = false,
            (Some(_), b'\\') => escaped = true,
            (Some(q), b) if q == b => quote = None,
            (None, b'"' | b'\'') => quote = Some(byte),
            (None, b'#') => comment = before.is_ascii_whitespace() || matches!(before, b'(' | b')' | b','),
            (None, b'(') => depth += 1,
            (None, b')') => depth = depth.saturating_sub(1),
            _ => {}
        }
        before = byte;
        if depth > most {
            return Some(at);
        }
    }
    None
}

/// True if a quote is open at the end of the text.
pub fn ends_in_quote(text: &str) -> bool {
    let (mut quote, mut escaped) = (None, false);
    for byte in text.bytes() {
        match (quote, byte) {
            (Some(_), _) if escaped => escaped = false,
            (Some(_), b'\\') => escaped = true,
            (Some(q), b) if q == b => quote = None,
            (None, b'"' | b'\'') => quote = Some(byte),
            _ => {}
        }
    }
    quote.is_some()
}

/// The bytes that the inside of a quoted text stands for, and where in it an escape is wrong.
pub fn unescape(raw: &[u8]) -> (Vec<u8>, Vec<Span>) {
    let (mut bytes, mut bad) = (Vec::with_capacity(raw.len()), Vec::new());
    let mut at = 0;
    while let Some(&byte) = raw.get(at) {
        let (value, length) = match (byte, raw.get(at + 1)) {
            (b'\\', Some(b @ (b'\\' | b'"' | b'\''))) => (Some(*b), 2),
            (b'\\', Some(b'n')) => (Some(b'\n'), 2),
            (b'\\', Some(b'r')) => (Some(b'\r'), 2),
            (b'\\', Some(b't')) => (Some(b'\t'), 2),
            (b'\\', Some(b'x')) => (hex(raw.get(at + 2..at + 4)), 4),
            (b'\\', _) => (None, 2),
            _ => (Some(byte), 1),
        };
        match value {
            Some(value) => bytes.push(value),
            None => bad.push(at..at + length),
        }
        at += length;
    }
    (bytes, bad)
}

fn hex(digits: Option<&[u8]>) -> Option<u8> {
    let digits = std::str::from_utf8(digits?).ok()?;
    // from_str_radix would take a sign.
    (digits.bytes().all(|b| b.is_ascii_hexdigit())).then(|| u8::from_str_radix(digits, 16).ok())?
}
