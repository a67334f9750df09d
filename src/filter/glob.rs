//! Shell patterns over bytes.
//!
//! Enters: a pattern. Leaves: whether bytes match it as a whole. Never: more than (bytes times pattern) steps, whatever
//! the traced side puts into a name. `*` matches any run, `/` included; `?` one byte; `[a-z]`, `[!a-z]` one byte of a
//! set; `\` takes the meaning from what follows.

/// One step of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    /// Any run of bytes.
    Run,
    /// One byte of this set, a bit for each.
    One(Box<[u64; 4]>),
    /// This byte.
    Byte(u8),
}

/// A compiled pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glob {
    steps: Vec<Step>,
    fold: bool,
}

impl Glob {
    /// Compiles a pattern; `fold` ignores the case of ASCII letters. The error says what is wrong.
    pub fn new(pattern: &[u8], fold: bool) -> Result<Glob, &'static str> {
        let mut steps = Vec::with_capacity(pattern.len());
        let mut at = 0;
        while let Some(&byte) = pattern.get(at) {
            at += 1;
            match byte {
                b'*' => {
                    if steps.last() != Some(&Step::Run) {
                        steps.push(Step::Run);
                    }
                }
                b'?' => steps.push(Step::One(Box::new([u64::MAX; 4]))),
                b'[' => {
                    let (set, end) = set(pattern, at, fold)?;
                    steps.push(Step::One(set));
                    at = end;
                }
                b'\\' => {
                    let byte = *pattern.get(at).ok_or("a pattern cannot end with a backslash")?;
                    at += 1;
                    steps.push(Step::Byte(folded(byte, fold)));
                }
                _ => steps.push(Step::Byte(folded(byte, fold))),
            }
        }
        Ok(Glob { steps, fold })
    }

    /// True if the whole text matches.
    pub fn is_match(&self, text: &[u8]) -> bool {
        // After a run only the last one needs to be tried again: an earlier one that took more could not do better.
        let (mut at, mut step) = (0, 0);
        let mut back: Option<(usize, usize)> = None;
        loop {
            let fits = match (self.steps.get(step), text.get(at)) {
                (Some(Step::Run), _) => {
                    back = Some((step + 1, at));
                    step += 1;
                    continue;
                }
                (Some(Step::One(set)), Some(&b)) => has(set, folded(b, self.fold)),
                (Some(Step::Byte(want)), Some(&b)) => *want == folded(b, self.fold),
                (None, None) => return true,
                // More pattern, no more text: taking more in the last run leaves even less.
                (Some(_), None) => return false,
                (None, Some(_)) => false,
            };
            if fits {
                at += 1;
                step += 1;
            } else if let Some((next, from)) = back.as_mut() {
                *from += 1;
                at = *from;
                step = *next;
            } else {
                return false;
            }
        }
    }
}

fn folded(byte: u8, fold: bool) -> u8 {
    if fold { byte.to_ascii_lowercase() } else { byte }
}

fn has(set: &[u64; 4], byte: u8) -> bool {
    set[usize::from(byte >> 6)] >> (byte & 63) & 1 == 1
}

/// A set in brackets that begins at `at`, and where it ends.
fn set(pattern: &[u8], mut at: usize, fold: bool) -> Result<(Box<[u64; 4]>, usize), &'static str> {
    const OPEN: &str = "the pattern's `[` is never closed";
    let mut bits = Box::new([0u64; 4]);
    let negated = matches!(pattern.get(at), Some(b'!' | b'^'));
    at += usize::from(negated);
    let first = at;
    loop {
        let low = *pattern.get(at).ok_or(OPEN)?;
        if low == b']' && at > first {
            break;
        }
        at += 1;
        let mut high = low;
        if pattern.get(at) == Some(&b'-') && pattern.get(at + 1).is_some_and(|b| *b != b']') {
            high = pattern[at + 1];
            at += 2;
        }
        if high < low {
            return Err("a range in the pattern's `[ ]` runs backwards");
        }
        for byte in low..=high {
            let byte = folded(byte, fold);
            bits[usize::from(byte >> 6)] |= 1 << (byte & 63);
        }
    }
    if negated {
        for word in bits.iter_mut() {
            *word = !*word;
        }
    }
    Ok((bits, at + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        let yes = [
            ("*", ""),
            ("a*c", "abbc"),
            ("*.log", "/var/x.log"),
            ("/etc/*", "/etc/a/b"),
            ("a?c", "abc"),
            ("[a-c]x", "bx"),
            ("[!a-c]x", "dx"),
            ("[]]", "]"),
            ("[a-]", "-"),
            ("\\*", "*"),
            ("", ""),
            ("*a*b*", "xxaxxbxx"),
        ];
        for (pattern, text) in yes {
            assert!(
                Glob::new(pattern.as_bytes(), false).unwrap().is_match(text.as_bytes()),
                "{pattern} {text}"
            );
        }
        for (pattern, text) in
            [("a", ""), ("", "a"), ("a?c", "ac"), ("*.log", "x.logs"), ("A", "a"), ("[a-c]", "d")]
        {
            assert!(
                !Glob::new(pattern.as_bytes(), false).unwrap().is_match(text.as_bytes()),
                "{pattern} {text}"
            );
        }
        assert!(Glob::new(b"NGINX*", true).unwrap().is_match(b"nGinx-1"));
        assert!(Glob::new(b"[A-Z]", true).unwrap().is_match(b"q"));
        assert!(Glob::new(b"\xff*", false).unwrap().is_match(b"\xff\x00"));
        assert!(
            Glob::new(b"[a", false).is_err()
                && Glob::new(b"[b-a]", false).is_err()
                && Glob::new(b"\\", false).is_err()
        );
    }

    #[test]
    fn hostile_text_ends() {
        let pattern = "*a".repeat(200) + "b";
        assert!(!Glob::new(pattern.as_bytes(), false).unwrap().is_match(&[b'a'; 16384]));
    }
}
