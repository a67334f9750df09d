//! The program as its users meet it.

mod boundaries;
mod cli;
mod generated;
mod live;
mod run;
