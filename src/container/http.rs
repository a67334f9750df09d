//! One question in HTTP/1.0, whose answers are never in pieces.
//!
//! Enters: a path. Leaves: the body of an answer with status 200. Never: more than [`LIMIT`] bytes.

use std::io::{self, Read, Write};

use super::unix::Talk;

/// Bytes of an answer, with its headers.
const LIMIT: u64 = 4 << 20;

/// Asks with GET. `path` is already escaped.
pub(super) fn get(mut talk: Talk, path: &str) -> Result<Vec<u8>, String> {
    let question = format!("GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n");
    talk.write_all(question.as_bytes()).map_err(|e| e.to_string())?;
    let mut answer = Vec::new();
    read(&mut talk, &mut answer).map_err(|e| e.to_string())?;
    body(&answer).map(<[u8]>::to_vec)
}

/// Reads to the end, or as far as the length that the answer tells: a daemon may keep the connection.
fn read(talk: &mut impl Read, answer: &mut Vec<u8>) -> io::Result<()> {
    let mut part = [0; 16 << 10];
    while (answer.len() as u64) < LIMIT {
        if let Some((head, body)) = split(answer)
            && length(head).is_some_and(|n| body.len() as u64 >= n)
        {
            return Ok(());
        }
        match talk.read(&mut part)? {
            0 => return Ok(()),
            n => answer.extend_from_slice(part.get(..n).unwrap_or_default()),
        }
    }
    Err(io::Error::other("the answer is too long"))
}

fn split(answer: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = memchr::memmem::find(answer, b"\r\n\r\n")?;
    Some((answer.get(..at)?, answer.get(at + 4..)?))
}

fn header<'a>(head: &'a [u8], name: &str) -> Option<&'a str> {
    let lines = head.split(|b| *b == b'\n').skip(1);
    let mut named = lines.filter_map(|l| std::str::from_utf8(l).ok()?.split_once(':'));
    named.find(|(k, _)| k.trim().eq_ignore_ascii_case(name)).map(|(_, v)| v.trim())
}

fn length(head: &[u8]) -> Option<u64> {
    header(head, "content-length")?.parse().ok()
}

/// The body of a whole answer with status 200.
pub(super) fn body(answer: &[u8]) -> Result<&[u8], String> {
    let (head, body) = split(answer).ok_or("no answer in HTTP")?;
    let line = head.split(|b| *b == b'\r').next().unwrap_or_default();
    let mut words = line.split(|b| *b == b' ');
    let (version, status) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    if !version.starts_with(b"HTTP/1.") || status != b"200" {
        let line = line.get(..line.len().min(80)).unwrap_or_default();
        return Err(format!("said {:?}", String::from_utf8_lossy(line)));
    }
    match length(head) {
        Some(n) if (body.len() as u64) < n => Err("the answer is cut short".into()),
        Some(n) => Ok(body.get(..usize::try_from(n).unwrap_or(body.len())).unwrap_or(body)),
        None if header(head, "transfer-encoding").is_some() => Err("the answer is in pieces".into()),
        None => Ok(body),
    }
}

/// A text as part of a path or a query.
pub(super) fn escaped(text: &[u8]) -> String {
    let plain = |b: &u8| b.is_ascii_alphanumeric() || b"-_.".contains(b);
    text.iter().map(|b| if plain(b) { char::from(*b).to_string() } else { format!("%{b:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_taken_apart() {
        assert_eq!(body(b"HTTP/1.0 200 OK\r\nA: b\r\n\r\n[]"), Ok(&b"[]"[..]));
        assert_eq!(body(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]more"), Ok(&b"[]"[..]));
        assert!(body(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n[]").is_err());
        assert!(body(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n").is_err());
        assert!(body(b"HTTP/1.1 404 Not Found\r\n\r\n").is_err_and(|e| e.contains("404")));
        for bad in [&b""[..], b"\r\n\r\n", b"HTTP/1.0", b"\xff 200\r\n\r\n"] {
            assert!(body(bad).is_err());
        }
        assert_eq!(escaped(b"{\"id\":[\"a\"]}\n"), "%7B%22id%22%3A%5B%22a%22%5D%7D%0A");
    }

    #[test]
    fn an_endless_answer_ends() {
        let mut answer = Vec::new();
        assert!(read(&mut io::repeat(b'a'), &mut answer).is_err());
        assert!((answer.len() as u64) < LIMIT + (17 << 10));
    }
}
