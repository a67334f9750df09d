//! The live source: the only place that knows the kernel's interfaces for tracing, and with the probe the only one with
//! unsafe code.
//!
//! Enters: which calls are wanted, which processes. Leaves: [`Probe`], loaded and attached, and from its rings the records
//! of all CPUs merged by time. Never: what a record means.

mod btf;
pub mod check;
mod load;
mod map;
pub mod offsets;
pub mod plan;
mod ring;

pub use load::{LoadError, Options, Probe, ProgramInfo};
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
