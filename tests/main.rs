//! The program as its users meet it.

mod boundaries;
mod boxed;
mod cli;
mod fields;
mod filters;
mod fixtures;
mod generated;
mod hostile;
mod live;
mod readme;
mod reel;
mod robust;
mod run;
#[path = "../src/reel/samples.rs"]
#[allow(dead_code, reason = "shared with the unit tests")]
mod samples;

// Where `samples` expects them.
use sysreel::{batch, schema};
mod tools;
