//! Suggestions for misspelt names.
//!
//! Enters: a wrong word and the right ones. Leaves: up to three that may have been meant, best first. Never: an answer to
//! a word so long that comparing would take time.

/// How many are suggested.
const MOST: usize = 3;
/// Longest word that is compared with others.
const LONGEST: usize = 64;

/// The candidates that `word` may be a slip of, best first.
pub fn near<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let wrong = word.to_ascii_lowercase();
    if wrong.len() > LONGEST || wrong.is_empty() {
        return Vec::new();
    }
    let mut found: Vec<(usize, i64, &str)> = Vec::new();
    for candidate in candidates {
        let right = candidate.to_ascii_lowercase();
        let mut distance = strsim::damerau_levenshtein(&wrong, &right);
        // `name` for `proc.name`, `open` for `openat2`: a whole part was left out; that is one slip.
        let tail = right.rsplit('.').next() == Some(&*wrong) && wrong != right;
        if tail || (wrong.len() >= 4 && right.starts_with(&wrong)) {
            distance = distance.min(1);
        }
        // `INET` for `AF_INET`, `KILL` for `SIGKILL`.
        if wrong.len() >= 4 && right.ends_with(&wrong) {
            distance = distance.min(2);
        }
        if distance <= 2.max(wrong.len() / 4) && distance < wrong.chars().count() {
            // Equal distances: the one that begins alike; the scale only orders.
            let alike = (strsim::jaro_winkler(&wrong, &right) * 1e6) as i64;
            found.push((distance, -alike, candidate));
        }
    }
    found.sort();
    found.dedup_by(|a, b| a.2 == b.2);
    let best = found.first().map_or(0, |f| f.0);
    // Nothing but capital letters was wrong: that is the one.
    let most = if best == 0 { 0 } else { best + 1 };
    found.into_iter().filter(|f| f.0 <= most).take(MOST).map(|f| f.2).collect()
}

/// A question that names the candidates, or nothing.
pub fn did_you_mean<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    match near(word, candidates).as_slice() {
        [] => String::new(),
        [a] => format!("did you mean `{a}`?"),
        [a, b] => format!("did you mean `{a}` or `{b}`?"),
        [a, b, c, ..] => format!("did you mean `{a}`, `{b}` or `{c}`?"),
    }
}
