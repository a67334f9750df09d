//! sysreel: tcpdump for system calls.
//!
//! Data flows one way, and imports point down the flow, never back:
//!
//! ```text
//! schema <- source <- decode <- state      (the probe's records, what they mean, what they change)
//! schema <- batch  <- state                (… and the rows and names that come of it)
//!           batch  <- fields <- filter, output
//!           batch  <- reel
//! ```
//!
//! `capture` and `reread` call the stages in order, `tools` does what else can be done with a reel; `main` alone exits.
//!
//! Everything after `state` works on a [`batch::Batch`], live or reread: that is why the two cannot disagree.

pub mod batch;
pub mod capture;
pub mod catalogue;
pub mod cli;
pub mod config;
pub mod container;
pub mod decode;
pub mod doctor;
pub mod exit;
pub mod fields;
pub mod files;
pub mod filter;
pub mod follow;
pub mod handoff;
pub mod listing;
pub mod manual;
pub mod message;
pub mod outlet;
pub mod output;
pub mod recorder;
pub mod reel;
pub mod reread;
pub mod run;
pub mod schedule;
pub mod schema;
pub mod select;
pub mod selfcheck;
pub mod sink;
pub mod source;
pub mod state;
pub mod stuck;
pub mod sysdig;
pub mod tools;
pub mod users;
