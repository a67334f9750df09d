//! Counts by key, the largest first, in bounded memory.
//!
//! Enters: keys with counts. Leaves: the largest. Never: more than [`MOST`] keys; what had to go is counted together.

use std::collections::HashMap;
use std::hash::Hash;

/// Keys that are kept.
const MOST: usize = 1 << 16;

/// Counts.
#[derive(Debug)]
pub struct Tally<K, V> {
    counts: HashMap<K, (u64, V)>,
    /// Of keys that were given up because there were too many.
    pub others: u64,
}

impl<K: Hash + Eq + Clone + Ord, V: Clone> Tally<K, V> {
    /// No counts.
    pub fn new() -> Tally<K, V> {
        Tally { counts: HashMap::new(), others: 0 }
    }

    /// Adds to the count of a key; the value is the last one given.
    pub fn add(&mut self, key: K, count: u64, value: impl FnOnce() -> V) {
        if let Some((n, _)) = self.counts.get_mut(&key) {
            *n += count;
            return;
        }
        if self.counts.len() >= MOST {
            self.shrink();
        }
        self.counts.insert(key, (count, value()));
    }

    fn shrink(&mut self) {
        let mut all: Vec<u64> = self.counts.values().map(|(n, _)| *n).collect();
        let half = all.len() / 2;
        let (_, middle, _) = all.select_nth_unstable(half);
        let middle = *middle;
        let others = &mut self.others;
        let mut spare = half;
        self.counts.retain(|_, (n, _)| {
            let goes = *n <= middle && spare > 0;
            if goes {
                spare -= 1;
                *others += *n;
            }
            !goes
        });
    }

    /// How many keys.
    pub fn len(&self) -> usize {
        self.counts.len()
    }

    /// The largest, equal ones by key.
    pub fn top(&self, n: usize) -> Vec<(K, u64, V)> {
        let mut all: Vec<_> = self.counts.iter().map(|(k, (n, v))| (k.clone(), *n, v.clone())).collect();
        all.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        all.truncate(n);
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_bounded_and_nothing_is_forgotten() {
        let mut tally = Tally::new();
        for i in 0..3 * MOST as u64 {
            tally.add(i, 1, || ());
            tally.add(7, 2, || ());
        }
        assert!(tally.len() <= MOST);
        let top = tally.top(1);
        assert_eq!(top, [(7, 6 * MOST as u64 + 1, ())]);
        let kept: u64 = tally.top(MOST).iter().map(|(_, n, _)| n).sum();
        assert_eq!(kept + tally.others, 9 * MOST as u64);
    }
}
