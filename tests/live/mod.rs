//! Live tests: the real probe, through the real program, against programs whose doings are known.
//!
//! Where the kernel refuses BPF they say so on stderr and pass; with `SYSREEL_REQUIRE_LIVE=1` they fail instead. Only one
//! runs at a time: several of them measure time or losses, and each would be another's load.

mod actor;
mod bad;
mod beside;
mod calls;
#[cfg(target_arch = "x86_64")]
mod compat;
mod contained;
mod containers;
mod elsewhere;
mod environment;
mod fair;
mod fdlist;
mod fields;
mod files;
mod flow;
mod groups;
mod hard;
mod healing;
mod host;
mod killed;
mod kin;
mod listing;
mod memory;
mod memory_actor;
#[cfg(target_arch = "x86_64")]
mod million;
mod moves;
mod names;
mod nested;
mod odd;
mod peers;
mod programs;
mod reject;
mod rejected;
mod rig;
mod runtimes;
mod scan;
mod sockets;
mod state;
mod strace;
mod stress;
mod stuck;
#[cfg(target_arch = "x86_64")]
mod truth;
mod uring;
mod who;

/// For other tests that capture.
pub use rig::{leave as alone, loudly, skip};
