//! What strace wrote, as calls: name, arguments and result of each, by process and in order.
//!
//! Arguments stay text; only where one ends and the next begins is found out here, and what is in quotes.

use std::collections::BTreeMap;

/// One call as strace wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    pub name: String,
    pub args: Vec<String>,
    /// What stands behind ` = `.
    pub result: String,
}

/// Calls by thread.
pub type Calls = BTreeMap<i64, Vec<Call>>;

/// The length of what begins with a quote, both quotes included.
fn quoted(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut at = 1;
    while at < bytes.len() && bytes[at] != b'"' {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    (at + 1).min(text.len())
}

/// Splits at top-level commas up to the end or to the bracket that closes; gives the parts and where it ended.
pub fn split(text: &str) -> (Vec<String>, usize) {
    let (mut parts, mut part, mut depth, mut at) = (Vec::new(), String::new(), 0, 0);
    while let Some(c) = text[at..].chars().next() {
        let mut len = c.len_utf8();
        match c {
            '"' => len = quoted(&text[at..]),
            // The name of a descriptor, in which anything may stand; strace escapes `>` there.
            '<' if part.ends_with(|c: char| c.is_ascii_digit()) || part.ends_with("AT_FDCWD") => {
                len = text[at..].find('>').map_or(len, |n| n + 1);
            }
            '/' if text[at..].starts_with("/*") => {
                at += text[at..].find("*/").map_or(len, |n| n + 2);
                continue;
            }
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' if depth == 0 => break,
            ')' | ']' | '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(std::mem::take(&mut part).trim().to_owned());
                at += 1;
                continue;
            }
            _ => {}
        }
        part += &text[at..at + len];
        at += len;
    }
    if !part.trim().is_empty() || !parts.is_empty() {
        parts.push(part.trim().to_owned());
    }
    (parts, at)
}

/// The calls in a file of `strace -f -o`.
pub fn parse(text: &str) -> Calls {
    let mut calls = Calls::new();
    let mut unfinished: BTreeMap<i64, String> = BTreeMap::new();
    for line in text.lines() {
        let (tid, rest) = line.split_once(' ').unwrap();
        let (tid, rest) = (tid.parse().unwrap(), rest.trim_start());
        if rest.starts_with("+++") || rest.starts_with("---") {
            continue;
        }
        let whole = if let Some(begun) = rest.strip_suffix(" <unfinished ...>") {
            unfinished.insert(tid, begun.to_owned());
            continue;
        } else if let Some(ended) = rest.strip_prefix("<... ") {
            unfinished.remove(&tid).unwrap() + ended.split_once("resumed>").unwrap().1
        } else {
            rest.to_owned()
        };
        let (name, rest) = whole.split_once('(').unwrap();
        let (args, end) = split(rest);
        let result = rest[end..].trim_start_matches(')').trim_start();
        let result = result.strip_prefix('=').unwrap_or_else(|| panic!("no result: {whole}")).trim();
        calls.entry(tid).or_default().push(Call { name: name.to_owned(), args, result: result.to_owned() });
    }
    calls
}

/// The bytes of a quoted string, and whether it was cut; nothing if it is no string.
pub fn string(text: &str) -> Option<(Vec<u8>, bool)> {
    let text = text.strip_prefix('@').unwrap_or(text);
    if !text.starts_with('"') {
        return None;
    }
    let len = quoted(text);
    let cut = text[len..].starts_with("...");
    if !cut && len != text.len() {
        return None;
    }
    let mut out = Vec::new();
    let mut b = text[1..len - 1].bytes().peekable();
    while let Some(c) = b.next() {
        if c != b'\\' {
            out.push(c);
            continue;
        }
        match b.next()? {
            b'n' => out.push(b'\n'),
            b't' => out.push(b'\t'),
            b'r' => out.push(b'\r'),
            b'v' => out.push(0xb),
            b'f' => out.push(0xc),
            first @ b'0'..=b'7' => {
                let mut n = u32::from(first - b'0');
                for _ in 0..2 {
                    match b.peek() {
                        Some(d @ b'0'..=b'7') => n = n * 8 + u32::from(d - b'0'),
                        _ => break,
                    }
                    b.next();
                }
                out.push(n as u8);
            }
            other => out.push(other),
        }
    }
    Some((out, cut))
}

/// A number in any of the forms that strace writes: decimal, octal, hexadecimal, a product, 1<<12.
pub fn number(text: &str) -> Option<i128> {
    if let Some((a, b)) = text.split_once("<<") {
        return Some(number(a)? << number(b)?);
    }
    if let Some((a, b)) = text.split_once('*') {
        return Some(number(a)? * number(b)?);
    }
    if let Some(hex) = text.strip_prefix("0x") {
        return i128::from_str_radix(hex, 16).ok();
    }
    if text.len() > 1 && text.starts_with('0') {
        return i128::from_str_radix(text, 8).ok();
    }
    text.parse().ok()
}

#[test]
fn lines_of_strace_are_understood() {
    let text = "7 openat(AT_FDCWD</a, b>, \"x\\\"y), \\n\", O_RDONLY|O_CLOEXEC) = 3</x, (y>\n\
        8 wait4(7,  <unfinished ...>\n\
        7 +++ exited with 3 +++\n\
        8 <... wait4 resumed>[{WIFEXITED(s) && WEXITSTATUS(s) == 3}], 0, NULL) = 7\n\
        8 fstat(0</dev/null>, {st_dev=makedev(0, 0x5), st_mtime=5 /* 1970, yes */, st_mtime_nsec=0}) = 0\n\
        8 exit_group(0)     = ?\n8 getpid() = 8\n";
    let calls = parse(text);
    assert_eq!(calls[&7][0].args, ["AT_FDCWD</a, b>", "\"x\\\"y), \\n\"", "O_RDONLY|O_CLOEXEC"]);
    assert_eq!((calls[&7][0].result.as_str(), calls[&7].len()), ("3</x, (y>", 1));
    assert_eq!(calls[&8][0].args, ["7", "[{WIFEXITED(s) && WEXITSTATUS(s) == 3}]", "0", "NULL"]);
    assert_eq!(calls[&8][1].args[1], "{st_dev=makedev(0, 0x5), st_mtime=5 , st_mtime_nsec=0}");
    assert_eq!((calls[&8][2].result.as_str(), calls[&8][3].args.len()), ("?", 0));
    assert_eq!(string("\"a\\0\\12b\\x\"..."), Some((b"a\0\nbx".to_vec(), true)));
    assert_eq!(
        (number("8192*1024"), number("0644"), number("1<<12")),
        (Some(8_388_608), Some(0o644), Some(4096))
    );
}
