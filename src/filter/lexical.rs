//! What can be said of a filter's text letter by letter.
//!
//! Enters: text, from anywhere. Leaves: how deep it nests, where escapes are wrong. Never: recursion.

use super::error::Span;

/// What a byte can be part of. `Escaped` is the byte after a backslash inside quotes.
const PLAIN: usize = 0;
const COMMENT: usize = 1;
const SINGLE: usize = 2;
const SINGLE_ESCAPED: usize = 3;
const DOUBLE: usize = 4;
const DOUBLE_ESCAPED: usize = 5;

/// Where the nesting passes the limit. Counts parentheses outside of quotes and comments. Behind a letter `#` is a letter;
/// elsewhere it depends on the grammar's state whether it begins a comment, so both readings are followed and the deeper
/// one counts: the parser recurses as deep as it believes, and must never be believed to go less deep.
pub fn too_deep(text: &str, most: usize) -> Option<usize> {
    // For each reading that is possible here, how many parentheses are open in it.
    let mut depth: [Option<usize>; 6] = [Some(0), None, None, None, None, None];
    let mut before = b' ';
    for (at, byte) in text.bytes().enumerate() {
        let in_word = before.is_ascii_alphanumeric() || b"._-/".contains(&before) || !before.is_ascii();
        before = byte;
        let mut next = [None; 6];
        let mut go = |to: usize, open: usize| next[to] = next[to].max(Some(open));
        for (state, open) in depth.into_iter().enumerate() {
            let Some(open) = open else { continue };
            match (state, byte) {
                (PLAIN, b'(') => go(PLAIN, open + 1),
                (PLAIN, b')') => go(PLAIN, open.saturating_sub(1)),
                (PLAIN, b'\'') => go(SINGLE, open),
                (PLAIN, b'"') => go(DOUBLE, open),
                (PLAIN, b'#') => {
                    go(PLAIN, open);
                    if !in_word {
                        go(COMMENT, open);
                    }
                }
                (COMMENT, b'\n') => go(PLAIN, open),
                (SINGLE, b'\\') => go(SINGLE_ESCAPED, open),
                (DOUBLE, b'\\') => go(DOUBLE_ESCAPED, open),
                (SINGLE, b'\'') | (DOUBLE, b'"') => go(PLAIN, open),
                (SINGLE_ESCAPED, _) => go(SINGLE, open),
                (DOUBLE_ESCAPED, _) => go(DOUBLE, open),
                (state, _) => go(state, open),
            }
        }
        if next.iter().any(|open| open.is_some_and(|n| n > most)) {
            return Some(at);
        }
        depth = next;
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
            (b'\\', Some(b @ (b'\\' | b'"' | b'\'' | b'/'))) => (Some(*b), 2),
            (b'\\', Some(b'b')) => (Some(8), 2),
            (b'\\', Some(b'f')) => (Some(12), 2),
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
