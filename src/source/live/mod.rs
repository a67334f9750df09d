//! The live source: the only place that knows the kernel's interfaces for tracing, and with the probe the only one with
//! unsafe code.
//!
//! Enters: which calls are wanted, which processes. Leaves: [`Probe`], loaded and attached, and from its rings the records
//! of all CPUs merged by time. Never: what a record means.

mod btf;
pub mod kin;
mod load;
mod map;
pub mod offsets;
pub mod plan;
mod ring;

pub use load::{Beside, LoadError, Options, Probe, ProgramInfo};
pub use ring::{Counters, Drained, Rings};

/// Nanoseconds of the boot clock, the clock of every record.
pub fn boot_now() -> u64 {
    let t = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    t.tv_sec as u64 * 1_000_000_000 + t.tv_nsec as u64
}

/// Nanoseconds since 1970.
pub fn wall_now() -> u64 {
    let t = rustix::time::clock_gettime(rustix::time::ClockId::Realtime);
    t.tv_sec as u64 * 1_000_000_000 + t.tv_nsec as u64
}

/// The two clocks side by side. Read at one moment, and kept as long as they agree: a wall clock that is not touched gives
/// times that never step back from one block to the next.
#[derive(Debug, Default)]
pub struct Clocks {
    pair: Option<(u64, u64)>,
}

/// Disagreement, ns, that is taken for the wall clock's own doing and not for the reading's.
const DRIFT: u64 = 2_000;

impl Clocks {
    /// A moment on the boot clock and the same on the wall clock.
    pub fn pair(&mut self) -> (u64, u64) {
        self.pair_of(boot_now, wall_now)
    }

    fn pair_of(&mut self, boot_now: impl Fn() -> u64, wall_now: impl Fn() -> u64) -> (u64, u64) {
        // The tightest of a few readings: between the two of one, this thread may have been put aside.
        let mut best = (u64::MAX, 0, 0);
        for _ in 0..5 {
            let before = boot_now();
            let wall = wall_now();
            let after = boot_now();
            let window = after.saturating_sub(before);
            if window < best.0 {
                best = (window, before + window / 2, wall);
            }
        }
        let (_, boot, wall) = best;
        let fresh = wall.wrapping_sub(boot);
        let offset = match self.pair {
            Some((b, w)) if fresh.wrapping_sub(w.wrapping_sub(b)).wrapping_add(DRIFT) <= 2 * DRIFT => {
                w.wrapping_sub(b)
            }
            _ => fresh,
        };
        let pair = (boot, boot.wrapping_add(offset));
        self.pair = Some(pair);
        pair
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Somebody sets the clock, and the machine sleeps.
    #[test]
    fn a_clock_that_jumps_is_followed_at_once_and_time_never_steps_back() {
        let (boot, wall) = (std::cell::Cell::new(1_000_u64), std::cell::Cell::new(0_u64));
        let mut clocks = Clocks::default();
        let mut before = 0;
        let hour = 3_600_000_000_000_u64;
        let now = 1_800_000_000_000_000_000_u64;
        for (step, set) in
            [(10, now), (10, now + hour), (20, now - hour), (30, 0), (hour, now), (5, u64::MAX - 9), (5, 1)]
        {
            boot.set(boot.get() + step);
            wall.set(set);
            // The reading itself takes a while.
            let read = || {
                boot.set(boot.get() + 100);
                boot.get()
            };
            let pair = clocks.pair_of(read, || wall.get());
            assert!(pair.0 > before);
            assert!(pair.1.wrapping_sub(set).wrapping_add(DRIFT) <= 2 * DRIFT, "{pair:?} {set}");
            before = pair.0;
        }
    }

    #[test]
    fn blocks_of_one_run_agree_on_the_wall_clock() {
        let mut clocks = Clocks::default();
        let (boot, wall) = clocks.pair();
        assert!(wall_now().abs_diff(wall + (boot_now() - boot)) < 10_000_000);
        let mut last = wall.wrapping_sub(boot);
        let mut steps = 0;
        for _ in 0..2000 {
            let (boot, wall) = clocks.pair();
            steps += u32::from(wall.wrapping_sub(boot) != last);
            last = wall.wrapping_sub(boot);
        }
        assert!(steps < 20, "{steps} steps in 2000 readings");
    }
}
