//! A set of codes.
//!
//! Enters: codes. Leaves: the same, as bits, for the kernel's reject and for skipping blocks. Never: a schema.

use crate::schema::CODES;

const WORDS: usize = CODES as usize / 64;

/// A set of codes of calls and events. Codes past [`CODES`] share the last one, as in [`crate::schema::Schema::shape`].
#[derive(Clone, PartialEq, Eq)]
pub struct CodeSet {
    words: [u64; WORDS],
}

impl Default for CodeSet {
    fn default() -> CodeSet {
        CodeSet::none()
    }
}

impl CodeSet {
    /// No code.
    pub const fn none() -> CodeSet {
        CodeSet { words: [0; WORDS] }
    }

    /// Every code.
    pub const fn all() -> CodeSet {
        CodeSet { words: [u64::MAX; WORDS] }
    }

    /// The codes for which a test holds.
    pub fn of(mut test: impl FnMut(u16) -> bool) -> CodeSet {
        let mut set = CodeSet::none();
        for code in (0..CODES).filter(|c| test(*c)) {
            set.insert(code);
        }
        set
    }

    fn place(code: u16) -> (usize, u64) {
        let code = usize::from(code.min(CODES - 1));
        (code / 64, 1 << (code % 64))
    }

    /// Adds a code.
    pub fn insert(&mut self, code: u16) {
        let (word, bit) = CodeSet::place(code);
        self.words[word] |= bit;
    }

    /// True if the code is in it.
    pub fn has(&self, code: u16) -> bool {
        let (word, bit) = CodeSet::place(code);
        self.words[word] & bit != 0
    }

    /// True if every code is in it: there is nothing to reject.
    pub fn is_all(&self) -> bool {
        *self == CodeSet::all()
    }

    /// True if no code is in it: nothing can match.
    pub fn is_empty(&self) -> bool {
        *self == CodeSet::none()
    }

    /// How many codes.
    pub fn len(&self) -> usize {
        self.words.iter().map(|w| w.count_ones() as usize).sum()
    }

    /// The codes, in order.
    pub fn iter(&self) -> impl Iterator<Item = u16> + '_ {
        (0..CODES).filter(|c| self.has(*c))
    }

    /// The codes in both.
    pub fn and(mut self, other: &CodeSet) -> CodeSet {
        for (a, b) in self.words.iter_mut().zip(&other.words) {
            *a &= b;
        }
        self
    }

    /// The codes in either.
    pub fn or(mut self, other: &CodeSet) -> CodeSet {
        for (a, b) in self.words.iter_mut().zip(&other.words) {
            *a |= b;
        }
        self
    }

    /// The codes not in it.
    pub fn complement(mut self) -> CodeSet {
        for word in &mut self.words {
            *word = !*word;
        }
        self
    }
}

/// Runs of codes as ranges.
impl std::fmt::Debug for CodeSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.is_all() {
            return f.write_str("all");
        }
        let mut runs: Vec<(u16, u16)> = Vec::new();
        for code in self.iter() {
            match runs.last_mut() {
                Some((_, last)) if *last + 1 == code => *last = code,
                _ => runs.push((code, code)),
            }
        }
        let runs = runs.iter().map(|(a, b)| if a == b { a.to_string() } else { format!("{a}-{b}") });
        write!(f, "{{{}}}", runs.collect::<Vec<_>>().join(", "))
    }
}
