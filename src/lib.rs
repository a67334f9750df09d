//! sysreel: tcpdump for system calls.
//!
//! Data flows one way, and imports point down the flow, never back:
//!
//! ```text
//! schema <- batch <- source (probe, rings) <- decode <- state
//!           batch <- fields <- filter <- output
//!           batch <- reel
//! ```
//!
//! Everything after `state` works on a [`batch::Batch`], live or reread: that is why the two cannot disagree.

pub mod batch;
pub mod capture;
pub mod catalogue;
pub mod cli;
pub mod config;
pub mod decode;
pub mod doctor;
pub mod exit;
pub mod fields;
pub mod filter;
pub mod manual;
pub mod message;
pub mod output;
pub mod reel;
pub mod reread;
pub mod run;
pub mod schema;
pub mod select;
pub mod sink;
pub mod source;
pub mod state;
pub mod users;
