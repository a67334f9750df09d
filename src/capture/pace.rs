//! How often the rings are looked at.
//!
//! Enters: how much the last look brought. Leaves: how long to sleep until the next. Never: a wake-up by the probe, which
//! would cost more than a hundred events.

use std::time::Duration;

use crate::source::live::boot_now;

/// How long the reader sleeps when there is little to do.
pub(super) const PAUSE: Duration = Duration::from_millis(10);
/// The same when there is much.
const SHORT_PAUSE: Duration = Duration::from_millis(1);
/// Records in one drain that count as much.
const MUCH: u64 = 4096;
/// The same when next to nothing happens: being woken is then what the reader costs (70 us of CPU time on a virtual machine).
const LONG_PAUSE: Duration = Duration::from_millis(35);
/// Records in one drain that are next to nothing.
const LITTLE: u64 = 256;
/// The same when nothing has happened for [`QUIET`] ns.
const QUIET_PAUSE: Duration = Duration::from_millis(50);
/// See [`QUIET_PAUSE`].
const QUIET: u64 = 1_000_000_000;
/// Bytes of a CPU's ring that hold what it can do in the longest pause: two million records a second of 128 bytes.
const ROOMY: u64 = 12 << 20;

/// The pace of a capture.
pub(super) struct Pace {
    /// Nobody waits for the end of a command, and the rings hold what may come meanwhile.
    patient: bool,
    /// When records came last (boot clock, ns).
    busy_at: u64,
}

impl Pace {
    /// `alone`: there is no command whose end is waited for. `room`: bytes of each ring.
    pub fn new(alone: bool, room: u64) -> Pace {
        Pace { patient: alone && room >= ROOMY, busy_at: boot_now() }
    }

    /// How long to sleep after a drain of so many records.
    pub fn pause(&mut self, records: u64) -> Duration {
        let now = boot_now();
        if records > 0 {
            self.busy_at = now;
        }
        match records {
            MUCH.. => SHORT_PAUSE,
            0 if self.patient && now.saturating_sub(self.busy_at) > QUIET => QUIET_PAUSE,
            ..LITTLE if self.patient => LONG_PAUSE,
            _ => PAUSE,
        }
    }
}
