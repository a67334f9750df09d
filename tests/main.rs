//! The program as its users meet it.

mod boundaries;
mod cli;
mod fixtures;
mod generated;
mod readme;
mod run;
fn can_capture() -> bool { true }
