//! Regular expressions over bytes.
//!
//! Enters: a pattern. Leaves: whether it matches all of a text. Never: more than linear time in the text, whatever the
//! pattern; more memory than the limits below; Unicode tables (`\w` and the like are ASCII, `.` is any byte).

use std::fmt;

use regex_automata::meta;
use regex_syntax::hir::{Class, Hir, HirKind, Look};
use regex_syntax::{Error, ParserBuilder};

/// Most memory of a compiled pattern. A long list of alternatives fits, `(((a{100}){100}){100})` does not.
const SIZE: usize = 1 << 20;
/// Most memory of the states that are made while matching.
const CACHE: usize = 1 << 20;
/// Deepest nesting of groups.
const NEST: u32 = 100;

/// A compiled pattern.
#[derive(Clone)]
pub struct Regex {
    regex: meta::Regex,
    /// A simpler operator that would do the same, with its operand.
    pub simpler: Option<String>,
}

/// What is wrong with a pattern, and where in it if that is known.
pub struct Wrong {
    /// Why.
    pub reason: String,
    /// Bytes of the pattern.
    pub place: Option<(usize, usize)>,
}

impl fmt::Debug for Regex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Regex")
    }
}

impl Regex {
    /// Compiles a pattern.
    pub fn new(pattern: &str) -> Result<Regex, Wrong> {
        let parsed = ParserBuilder::new()
            .unicode(false)
            .utf8(false)
            .dot_matches_new_line(true)
            .nest_limit(NEST)
            .build()
            .parse(pattern);
        let hir = parsed.map_err(|e| match &e {
            Error::Parse(e) => Wrong {
                reason: e.kind().to_string(),
                place: Some((e.span().start.offset, e.span().end.offset)),
            },
            Error::Translate(e) => Wrong {
                reason: e.kind().to_string(),
                place: Some((e.span().start.offset, e.span().end.offset)),
            },
            _ => Wrong { reason: "it cannot be read".into(), place: None },
        })?;
        let simpler = simpler(&hir);
        // All of the text, as in sysdig: a pattern for a part says so with `.*`.
        let whole = Hir::concat(vec![Hir::look(Look::Start), hir, Hir::look(Look::End)]);
        let config =
            meta::Config::new().utf8_empty(false).nfa_size_limit(Some(SIZE)).hybrid_cache_capacity(CACHE);
        let regex = meta::Builder::new().configure(config).build_from_hir(&whole);
        match regex {
            Ok(regex) => Ok(Regex { regex, simpler }),
            Err(_) => {
                let reason = format!("it needs more than {} KiB when compiled", SIZE >> 10);
                Err(Wrong { reason, place: None })
            }
        }
    }

    /// True if it matches all of the text.
    pub fn is_match(&self, text: &[u8]) -> bool {
        self.regex.is_match(text)
    }
}

/// The operator that does the same as a pattern without any pattern in it.
fn simpler(hir: &Hir) -> Option<String> {
    let literal = |hir: &Hir| match hir.kind() {
        HirKind::Literal(l) => Some(l.0.to_vec()),
        _ => None,
    };
    let any = |hir: &Hir| match hir.kind() {
        HirKind::Repetition(r) if r.min == 0 && r.max.is_none() => match r.sub.kind() {
            HirKind::Class(Class::Bytes(c)) => c.ranges().len() == 1 && c.negate_is_empty(),
            _ => false,
        },
        _ => false,
    };
    let shown = |op: &str, text: Vec<u8>| Some(format!("{op} '{}'", text.escape_ascii()));
    if let Some(text) = literal(hir) {
        return shown("=", text);
    }
    let HirKind::Concat(parts) = hir.kind() else { return None };
    match parts.as_slice() {
        [a, b] if any(b) => shown("startswith", literal(a)?),
        [a, b] if any(a) => shown("endswith", literal(b)?),
        [a, b, c] if any(a) && any(c) => shown("contains", literal(b)?),
        _ => None,
    }
}

trait Everything {
    /// True for the class of every byte.
    fn negate_is_empty(&self) -> bool;
}

impl Everything for regex_syntax::hir::ClassBytes {
    fn negate_is_empty(&self) -> bool {
        let mut rest = self.clone();
        rest.negate();
        rest.ranges().is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(pattern: &str, text: &[u8]) -> bool {
        Regex::new(pattern).ok().unwrap().is_match(text)
    }

    #[test]
    fn the_whole_text() {
        assert!(fits("ngin.", b"nginx"));
        assert!(!fits("ngin", b"nginx"));
        assert!(fits(".*gin.*", b"nginx"));
        assert!(fits("a|b", b"b"));
        assert!(!fits("a|b", b"ab"));
        assert!(fits("", b""));
        assert!(fits("(?i)NGINX", b"nginx"));
        assert!(fits("a.b", b"a\nb"));
        assert!(fits("a.b", b"a\xffb"));
        assert!(fits("(?-u)\\xff+", b"\xff\xff"));
        assert!(fits("naïve", "naïve".as_bytes()));
        assert!(fits("[[:digit:]]{1,3}", b"123"));
        // Anchors of one's own do no harm.
        assert!(fits("^/etc/.*$", b"/etc/passwd"));
    }

    #[test]
    fn simpler_ones() {
        let of = |pattern: &str| Regex::new(pattern).ok().unwrap().simpler;
        assert_eq!(of("cat").as_deref(), Some("= 'cat'"));
        assert_eq!(of("cat.*").as_deref(), Some("startswith 'cat'"));
        assert_eq!(of(".*cat").as_deref(), Some("endswith 'cat'"));
        assert_eq!(of(".*c\\.t.*").as_deref(), Some("contains 'c.t'"));
        assert_eq!(of("c.t"), None);
        assert_eq!(of("cat|dog"), None);
    }

    #[test]
    fn refused_or_fast() {
        assert!(Regex::new("(((a{100}){100}){100})").is_err());
        assert!(Regex::new(&"(".repeat(200)).is_err());
        assert!(Regex::new(&format!("{}a{}", "(".repeat(150), ")".repeat(150))).is_err());
        assert!(Regex::new("\\1").is_err());
        assert!(Regex::new("a(?=b)").is_err());
        let start = std::time::Instant::now();
        assert!(!fits("(a*)*b", &[b'a'; 1 << 20]));
        assert!(!fits("(a|aa)+$b", &[b'a'; 1 << 20]));
        assert!(!fits(&format!("{}{}", "a?".repeat(100), "a".repeat(100)), &[b'a'; 99]));
        assert!(start.elapsed().as_secs() < 10, "{:?}", start.elapsed());
    }
}
