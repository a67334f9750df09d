//! Where events come from.
//!
//! `live` loads the probe and reads its rings, `flight` looks at calls that have not returned; a reel is read by
//! `crate::reel`. Enters: the kernel. Leaves: raw records in order of time. Never: names, state, a batch.

/// The contract with the probe: one file that both sides compile.
#[path = "../../probe/abi.rs"]
#[allow(dead_code, reason = "each side uses its part")]
pub mod abi;
pub mod audience;
pub mod flight;
pub mod live;
