//! Words to the user: the one place that writes messages to stderr, and one-off listings to stdout.
//!
//! Enters: text, possibly holding names that somebody else chose. Leaves: lines on stderr that begin with `sysreel: `,
//! with every character that could steer a terminal escaped. Never: events (those have their own sinks), colour, or a
//! failure: when nobody can read a message there is nobody to tell. A stderr that takes nothing (a pipe that nobody reads)
//! holds up nobody who must go on: what cannot be said is left out.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::fmt::{self, Write as _};
use std::io::{self, Write as _};
use std::os::unix::ffi::OsStrExt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// What a pipe takes at once when it takes anything (PIPE_BUF).
const PART: usize = 4096;
/// How long a stderr that takes nothing holds up whoever must go on; once.
const WAIT: Duration = Duration::from_millis(100);

/// Set by a signal: the end was asked for.
static STOP: OnceLock<Arc<AtomicBool>> = OnceLock::new();
/// Whoever speaks must go on.
static HURRY: AtomicBool = AtomicBool::new(false);
/// stderr took nothing when it was last tried.
static STUCK: AtomicBool = AtomicBool::new(false);

/// From when `stop` is set nobody waits for stderr any more.
pub fn heed(stop: Arc<AtomicBool>) {
    let _ = STOP.set(stop);
}

/// Whether whoever speaks must go on even if nobody reads it.
pub fn hurry(hurry: bool) {
    HURRY.store(hurry, Ordering::Relaxed);
}

/// Writes `sysreel: TEXT` and a newline to stderr. Newlines inside the text are kept, so that a message may have several
/// lines; names inside it should have gone through [`name`].
pub fn say(text: impl fmt::Display) {
    raw(&format!("sysreel: {text}\n"));
}

/// Writes text that already has its form (help, a filter error with its caret) to stderr as it is, escaped.
pub fn raw(text: &str) {
    let mut out = io::stderr().lock();
    // One write for the whole message: lines of several writers (the traced command's, ours) do not mix inside it.
    for part in escape(text).as_bytes().chunks(PART) {
        if !takes_some() || out.write_all(part).is_err() {
            return;
        }
    }
}

/// Waits until stderr takes something. False if it does not, and there is no time.
fn takes_some() -> bool {
    let err = rustix::stdio::stderr();
    loop {
        let hurry = HURRY.load(Ordering::Relaxed) || STOP.get().is_some_and(|s| s.load(Ordering::Relaxed));
        let wait = if hurry && STUCK.load(Ordering::Relaxed) { Duration::ZERO } else { WAIT };
        let wait = Timespec { tv_sec: 0, tv_nsec: i64::from(wait.subsec_nanos()) };
        match poll(&mut [PollFd::new(&err, PollFlags::OUT)], Some(&wait)) {
            Ok(0) if hurry => {
                STUCK.store(true, Ordering::Relaxed);
                return false;
            }
            Ok(0) | Err(rustix::io::Errno::INTR) => {}
            // Whatever else there is to say of it, the write will.
            _ => {
                STUCK.store(false, Ordering::Relaxed);
                return true;
            }
        }
    }
}

/// Writes a listing to stdout. A reader that went away is no failure; anything else is returned.
pub fn listing(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

/// A file's, command's or user's name for a message: on one line, bytes that are not text as `\xNN`.
pub fn name(name: impl AsRef<OsStr>) -> String {
    let mut out = String::new();
    for chunk in name.as_ref().as_bytes().utf8_chunks() {
        out.push_str(&escape_with(chunk.valid(), |c| c == '\n' || steers(c)));
        for byte in chunk.invalid() {
            let _ = write!(out, "\\x{byte:02x}");
        }
    }
    out
}

/// True for characters that move the cursor, change colours, reorder what is read or start a new line unseen.
fn steers(c: char) -> bool {
    matches!(c,
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}'
        | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn escape(text: &str) -> Cow<'_, str> {
    escape_with(text, |c| c != '\n' && steers(c))
}

fn escape_with(text: &str, bad: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&bad) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            c if !bad(c) => out.push(c),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if u32::from(c) < 0x100 => {
                let _ = write!(out, "\\x{:02x}", u32::from(c));
            }
            c => {
                let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
            }
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_cannot_steer_a_terminal() {
        assert_eq!(escape("plain\ntwo"), "plain\ntwo");
        assert_eq!(escape("a\x1b[31mb\r\x07"), "a\\x1b[31mb\\r\\x07");
        assert_eq!(escape("x\u{9b}31m\u{202e}y"), "x\\x9b31m\\u{202e}y");
        assert_eq!(escape("Grüße, 世界"), "Grüße, 世界");
    }

    #[test]
    fn names_stay_on_one_line_and_keep_odd_bytes() {
        assert_eq!(name("a\nb\tc"), "a\\nb\\tc");
        assert_eq!(name(OsStr::from_bytes(b"ok\xff\xfeend")), "ok\\xff\\xfeend");
    }
}
