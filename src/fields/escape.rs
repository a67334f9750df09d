//! Escaping: any bytes as one piece of printable text, and back; JSON strings; base64.
//!
//! Enters: bytes that a traced process chose. Leaves: text that a terminal cannot be attacked with (no control
//! characters, no direction overrides, no invisible characters) and from which the bytes can be had again. Never: a
//! newline, an ESC, a byte that is not valid UTF-8.

use super::number;

/// What else is escaped, because the place where the text stands gives it a meaning.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Within {
    /// Nothing else.
    Free,
    /// Between double quotes: `"`.
    Quotes,
    /// Between angle brackets: `<` and `>`.
    Angles,
    /// In a column: blanks.
    Column,
}

/// True for characters that have no look of their own, change the direction or order of others, or look like nothing.
fn is_hidden(c: char) -> bool {
    matches!(u32::from(c),
        0..=0x1f | 0x7f..=0xa0 | 0xad | 0x34f | 0x600..=0x605 | 0x61c | 0x6dd | 0x70f | 0x890..=0x891 | 0x8e2
        | 0x115f..=0x1160 | 0x1680 | 0x17b4..=0x17b5 | 0x180b..=0x180f | 0x2000..=0x200f | 0x2028..=0x202f
        | 0x205f..=0x206f | 0x2800 | 0x3000 | 0x3164 | 0xe000..=0xf8ff | 0xfdd0..=0xfdef | 0xfe00..=0xfe0f
        | 0xfeff | 0xffa0 | 0xfff0..=0xfffb | 0xfffe..=0xffff | 0x110bd | 0x110cd | 0x13430..=0x1345f
        | 0x1bca0..=0x1bca3 | 0x1d173..=0x1d17a | 0xe0000..=0x10ffff)
}

/// True for bytes that stand for themselves everywhere.
const PLAIN: [bool; 256] = {
    let mut table = [false; 256];
    let mut b = 0x21;
    while b < 0x7f {
        table[b] = !matches!(b as u8, b'\\' | b'"' | b'<' | b'>');
        b += 1;
    }
    table
};

/// Appends `bytes` escaped: `\n`, `\t`, `\r`, `\\` and, where the place asks for it, `\"`; everything else that cannot be
/// shown as `\xNN`, one for each byte.
pub fn escape(out: &mut Vec<u8>, bytes: &[u8], within: Within) {
    let mut at = 0;
    while let Some(&b) = bytes.get(at) {
        if PLAIN[usize::from(b)] {
            let rest = &bytes[at..];
            let n = rest.iter().position(|b| !PLAIN[usize::from(*b)]).unwrap_or(rest.len());
            out.extend_from_slice(&rest[..n]);
            at += n;
            continue;
        }
        if b < 0x80 {
            at += 1;
            match b {
                b'\n' => out.extend_from_slice(b"\\n"),
                b'\t' => out.extend_from_slice(b"\\t"),
                b'\r' => out.extend_from_slice(b"\\r"),
                b'\\' => out.extend_from_slice(b"\\\\"),
                b'"' if within == Within::Quotes => out.extend_from_slice(b"\\\""),
                b'<' | b'>' if within == Within::Angles => hex(out, &[b]),
                b' ' if within == Within::Column => hex(out, &[b]),
                b' ' | b'"' | b'<' | b'>' => out.push(b),
                _ => hex(out, &[b]),
            }
            continue;
        }
        match first_char(&bytes[at..]) {
            Some(c) if !is_hidden(c) => {
                out.extend_from_slice(&bytes[at..at + c.len_utf8()]);
                at += c.len_utf8();
            }
            Some(c) => {
                hex(out, &bytes[at..at + c.len_utf8()]);
                at += c.len_utf8();
            }
            None => {
                hex(out, &bytes[at..=at]);
                at += 1;
            }
        }
    }
}

fn hex(out: &mut Vec<u8>, bytes: &[u8]) {
    for b in bytes {
        out.extend_from_slice(b"\\x");
        number::byte(out, *b);
    }
}

/// The character that the bytes begin with, if they are valid UTF-8 so far.
fn first_char(bytes: &[u8]) -> Option<char> {
    let head = &bytes[..bytes.len().min(4)];
    let valid = match std::str::from_utf8(head) {
        Ok(s) => s,
        Err(e) => std::str::from_utf8(&head[..e.valid_up_to()]).ok()?,
    };
    valid.chars().next()
}

/// The bytes that escaped text stands for; nothing if it is not something that [`escape`] wrote.
pub fn unescape(text: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.iter().copied();
    while let Some(b) = rest.next() {
        if b != b'\\' {
            out.push(b);
            continue;
        }
        out.push(match rest.next()? {
            b'n' => b'\n',
            b't' => b'\t',
            b'r' => b'\r',
            b'\\' => b'\\',
            b'"' => b'"',
            b'x' => {
                let digit = |b: u8| char::from(b).to_digit(16);
                (digit(rest.next()?)? * 16 + digit(rest.next()?)?) as u8
            }
            _ => return None,
        });
    }
    Some(out)
}

/// Appends a JSON value that is the bytes without loss: a string if they are valid UTF-8, else `{"b64":"…"}`. Characters
/// that a terminal should not see are written as `\uNNNN`.
pub fn json(out: &mut Vec<u8>, bytes: &[u8]) {
    match std::str::from_utf8(bytes) {
        Ok(text) => json_str(out, text),
        Err(_) => {
            out.extend_from_slice(b"{\"b64\":\"");
            base64(out, bytes);
            out.extend_from_slice(b"\"}");
        }
    }
}

/// Appends a JSON string.
pub fn json_str(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(&b) = bytes.get(at) {
        // `<` and `>` are plain in JSON, but rare enough to take the slow way.
        if PLAIN[usize::from(b)] || b == b' ' {
            let rest = &bytes[at..];
            let n = rest.iter().position(|b| !PLAIN[usize::from(*b)] && *b != b' ').unwrap_or(rest.len());
            out.extend_from_slice(&rest[..n]);
            at += n;
            continue;
        }
        let Some(c) = first_char(&bytes[at..]) else { break };
        match c {
            '"' => out.extend_from_slice(b"\\\""),
            '\\' => out.extend_from_slice(b"\\\\"),
            '\n' => out.extend_from_slice(b"\\n"),
            '\t' => out.extend_from_slice(b"\\t"),
            '\r' => out.extend_from_slice(b"\\r"),
            c if is_hidden(c) => {
                let mut units = [0u16; 2];
                for unit in c.encode_utf16(&mut units) {
                    out.extend_from_slice(b"\\u");
                    number::byte(out, (*unit >> 8) as u8);
                    number::byte(out, *unit as u8);
                }
            }
            _ => out.extend_from_slice(&bytes[at..at + c.len_utf8()]),
        }
        at += c.len_utf8();
    }
    out.push(b'"');
}

/// Appends base64 with padding (RFC 4648).
pub fn base64(out: &mut Vec<u8>, bytes: &[u8]) {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for chunk in bytes.chunks(3) {
        let byte = |i: usize| u32::from(chunk.get(i).copied().unwrap_or(0));
        let n = byte(0) << 16 | byte(1) << 8 | byte(2);
        for i in 0..4 {
            if i <= chunk.len() {
                out.push(DIGITS[(n >> (18 - 6 * i) & 63) as usize]);
            } else {
                out.push(b'=');
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ALL: [Within; 4] = [Within::Free, Within::Quotes, Within::Angles, Within::Column];

    fn escaped(bytes: &[u8], within: Within) -> Vec<u8> {
        let mut out = Vec::new();
        escape(&mut out, bytes, within);
        out
    }

    #[test]
    fn examples() {
        let show = |b: &[u8], w| String::from_utf8(escaped(b, w)).unwrap();
        assert_eq!(show(b"a\nb\x1b[1A\\ \"", Within::Quotes), r#"a\nb\x1b[1A\\ \""#);
        assert_eq!(show("gr\u{fc}n \u{202e}x".as_bytes(), Within::Free), "gr\u{fc}n \\xe2\\x80\\xaex");
        assert_eq!(show(b"a b<c>", Within::Column), r"a\x20b<c>");
        assert_eq!(show(b"a b<c>", Within::Angles), r"a b\x3cc\x3e");
        assert_eq!(show(b"\xff\xc3\xa4\xc3", Within::Free), "\\xff\u{e4}\\xc3");
    }

    /// Strings with the bytes that matter more often than chance would bring them.
    fn nasty() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop_oneof![
            any::<char>().prop_map(|c| c.to_string().into_bytes()),
            any::<Vec<u8>>(),
            prop::sample::select(vec![
                "\n", "\\", "\\x", "\x1b[2J", "\"", "<", ">", " ", "\u{202e}", "\u{9b}"
            ])
            .prop_map(|s| s.as_bytes().to_vec()),
        ];
        prop::collection::vec(piece, 0..8).prop_map(|v| v.concat())
    }

    fn decode_base64(text: &str) -> Vec<u8> {
        let value = |c: u8| match c {
            b'A'..=b'Z' => c - b'A',
            b'a'..=b'z' => c - b'a' + 26,
            b'0'..=b'9' => c - b'0' + 52,
            b'+' => 62,
            _ => 63,
        };
        let digits: Vec<u8> = text.bytes().filter(|c| *c != b'=').map(value).collect();
        let mut out = Vec::new();
        for chunk in digits.chunks(4) {
            let n = chunk.iter().enumerate().fold(0u32, |n, (i, d)| n | u32::from(*d) << (18 - 6 * i));
            out.extend_from_slice(&n.to_be_bytes()[1..chunk.len()]);
        }
        out
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_nothing_harmful_is_left(bytes in nasty()) {
            for within in ALL {
                let text = escaped(&bytes, within);
                prop_assert_eq!(unescape(&text), Some(bytes.clone()));
                let text = String::from_utf8(text).unwrap();
                prop_assert!(!text.chars().any(is_hidden));
                prop_assert!(within != Within::Column || !text.contains(' '));
                prop_assert!(within != Within::Angles || !text.contains(['<', '>']));
            }
        }

        #[test]
        fn json_is_lossless(bytes in nasty()) {
            let mut out = Vec::new();
            json(&mut out, &bytes);
            prop_assert!(!String::from_utf8(out.clone()).unwrap().chars().any(is_hidden));
            let back = match serde_json::from_slice(&out).unwrap() {
                serde_json::Value::String(s) => s.into_bytes(),
                object => decode_base64(object["b64"].as_str().unwrap()),
            };
            prop_assert_eq!(back, bytes);
        }
    }
}
