//! When a capture rotates its file, reports, flushes, ends: signals and the clock.
//!
//! Enters: signals, options. Leaves: yes or no, asked between two looks at the rings. Never: an action.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// What signals asked for.
#[derive(Debug, Default)]
pub struct Wishes {
    stop: Arc<AtomicBool>,
    rotate: Arc<AtomicBool>,
    totals: Arc<AtomicBool>,
    flush: Arc<AtomicBool>,
}

impl Wishes {
    /// Listens to INT and TERM (end), HUP (end, or a new file), USR1 (totals) and USR2 (flush). A second INT or TERM ends
    /// us at once, and what is in the file stays readable; with a command the signals are the command's business.
    pub fn listen(command: bool, hangup_rotates: bool) -> Wishes {
        let wishes = Wishes::default();
        for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP] {
            if signal == libc::SIGHUP && hangup_rotates {
                let _ = signal_hook::flag::register(signal, wishes.rotate.clone());
                continue;
            }
            if !command {
                let _ = signal_hook::flag::register_conditional_shutdown(signal, 1, wishes.stop.clone());
            }
            let _ = signal_hook::flag::register(signal, wishes.stop.clone());
        }
        crate::message::heed(wishes.stop.clone());
        let _ = signal_hook::flag::register(libc::SIGUSR1, wishes.totals.clone());
        let _ = signal_hook::flag::register(libc::SIGUSR2, wishes.flush.clone());
        wishes
    }

    /// The end was asked for.
    pub fn stop(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// A new file was asked for since the last question.
    pub fn rotate(&self) -> bool {
        self.rotate.swap(false, Ordering::Relaxed)
    }

    /// Totals were asked for since the last question.
    pub fn totals(&self) -> bool {
        self.totals.swap(false, Ordering::Relaxed)
    }

    /// A flush was asked for since the last question.
    pub fn flush(&self) -> bool {
        self.flush.swap(false, Ordering::Relaxed)
    }
}

/// What the clock asks for.
#[derive(Debug)]
pub struct Schedule {
    /// Seconds between two new files, and the interval that the present file belongs to.
    every: Option<(i64, i64)>,
    end: Option<Instant>,
}

/// Which interval of local time this moment lies in.
fn interval(every: i64, now: Timestamp, zone: &TimeZone) -> i64 {
    let local = now.as_second() + i64::from(zone.to_offset(now).seconds());
    local.div_euclid(every)
}

impl Schedule {
    /// From now on.
    pub fn new(every: Option<u32>, duration: Option<Duration>) -> Schedule {
        let now = Timestamp::now();
        Schedule {
            every: every.map(|e| (i64::from(e), interval(i64::from(e), now, &TimeZone::system()))),
            end: duration.and_then(|d| Instant::now().checked_add(d)),
        }
    }

    /// True once at each multiple of the interval. The wall clock decides: if it is set back, a file is not ended twice.
    pub fn turns(&mut self) -> bool {
        let Some((every, last)) = &mut self.every else { return false };
        let now = interval(*every, Timestamp::now(), &TimeZone::system());
        let turns = now > *last;
        if now != *last {
            *last = now;
        }
        turns
    }

    /// True when the capture has lasted as long as it should.
    pub fn is_over(&self) -> bool {
        self.end.is_some_and(|end| Instant::now() >= end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_begin_at_full_hours_of_local_time() {
        let zone = TimeZone::fixed(jiff::tz::offset(5).saturating_add(jiff::Span::new().minutes(30)));
        let at = |s| interval(3600, Timestamp::from_second(s).unwrap(), &zone);
        // 10:29:59 and 10:30:00 UTC are 15:59:59 and 16:00:00 there.
        assert_eq!(at(37_799) + 1, at(37_800));
        assert_eq!(at(37_800), at(41_399));
    }

    #[test]
    fn nothing_is_asked_for_unless_it_was_ordered() {
        let mut s = Schedule::new(None, None);
        assert!(!s.turns() && !s.is_over());
        let mut s = Schedule::new(Some(1), Some(Duration::from_millis(1)));
        std::thread::sleep(Duration::from_millis(1100));
        assert!(s.turns() && !s.turns() && s.is_over());
    }
}
