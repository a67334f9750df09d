//! The program as its users meet it.

mod boundaries;
mod cli;
mod fields;
mod filters;
mod fixtures;
mod generated;
mod live;
mod readme;
mod run;
mod tools;
