//! `--max-cpu`: what the capture takes of a CPU for itself, all its threads together.
//!
//! Enters: the limit; then, between two looks at the rings, the question. Leaves: for how long not to look, so that the
//! rings fill, and the probe drops and counts. Never: the time that the probe takes, which is the traced processes' own.

use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

/// What was not used for so long is not saved up any more.
const SAVED: Duration = Duration::from_millis(100);
/// Records between two questions: a millisecond's worth.
pub(super) const RECORDS: u64 = 4096;
/// Longest sleep: signals are to be heeded.
const MOST: Duration = Duration::from_millis(50);

/// A bucket into which CPU time flows at a constant rate.
pub(super) struct Budget {
    percent: u64,
    last: Instant,
    used: u64,
    /// CPU time that may be used, ns; less than nothing while more was used than there was.
    left: i64,
}

/// CPU time of all threads so far, ns.
fn used() -> u64 {
    let t = clock_gettime(ClockId::ProcessCPUTime);
    (t.tv_sec as u64).saturating_mul(1_000_000_000).saturating_add(t.tv_nsec as u64)
}

impl Budget {
    /// From now on `percent` of one CPU.
    pub fn new(percent: u16) -> Budget {
        Budget { percent: u64::from(percent.max(1)), last: Instant::now(), used: used(), left: 0 }
    }

    /// How long to do nothing; `None` if there is CPU time left.
    pub fn pause(&mut self) -> Option<Duration> {
        let (now, used) = (Instant::now(), used());
        let (passed, spent) = (now.duration_since(self.last), used.saturating_sub(self.used));
        (self.last, self.used) = (now, used);
        self.flow(passed, spent)
    }

    fn flow(&mut self, passed: Duration, spent: u64) -> Option<Duration> {
        let share = |time: Duration| {
            let share = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX).saturating_mul(self.percent) / 100;
            i64::try_from(share).unwrap_or(i64::MAX)
        };
        let spent = i64::try_from(spent).unwrap_or(i64::MAX);
        self.left = self.left.saturating_add(share(passed)).min(share(SAVED)).saturating_sub(spent);
        if self.left >= 0 {
            return None;
        }
        let until = self.left.unsigned_abs().saturating_mul(100) / self.percent;
        Some(Duration::from_nanos(until).clamp(Duration::from_micros(100), MOST))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    fn budget(percent: u16) -> Budget {
        Budget { left: 0, ..Budget::new(percent) }
    }

    #[test]
    fn what_was_used_too_much_is_slept_off() {
        let mut b = budget(10);
        // 3 ms used in 10: 2 too much, which is 20 ms of sleep.
        assert_eq!(b.flow(Duration::from_millis(10), 3 * MS), Some(Duration::from_millis(20)));
        assert_eq!(b.flow(Duration::from_millis(15), 0), Some(Duration::from_millis(5)));
        assert_eq!(b.flow(Duration::from_millis(5), 0), None);
        // Never for long at once, and never too short to be worth it.
        assert_eq!(b.flow(Duration::ZERO, 100 * MS), Some(MOST));
        let mut b = budget(100);
        assert_eq!(b.flow(Duration::ZERO, 1), Some(Duration::from_micros(100)));
    }

    #[test]
    fn little_is_saved_up() {
        let mut b = budget(10);
        assert_eq!(b.flow(Duration::from_secs(3600), 0), None);
        // A tenth of a second's share: 10 ms.
        assert_eq!(b.flow(Duration::ZERO, 10 * MS), None);
        assert!(b.flow(Duration::ZERO, MS).is_some());
        // Whatever the clocks say.
        assert_eq!(budget(1000).flow(Duration::MAX, 0), None);
        assert_eq!(budget(1).flow(Duration::ZERO, u64::MAX), Some(MOST));
    }
}
