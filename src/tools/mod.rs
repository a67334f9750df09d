//! The toolbox: what can be done with a reel besides reading it.
//!
//! Enters: the options of a subcommand. Leaves: an exit status; files, listings and messages on the way. Never: more of a
//! reel in memory than a block of each file that is open, whatever its size; a capture.
//!
//! Every tool reads with [`input`] and goes on behind damage; those that write reels do so with [`target`], block by block,
//! through the same copier that a filter uses: what no row reaches does not get into the new file.

pub mod containers;
pub mod cut;
pub mod drop;
pub mod export;
pub mod info;
mod input;
pub mod merge;
mod pick;
mod pseudonym;
pub mod repair;
pub mod split;
mod survey;
mod table;
mod tally;
mod target;
pub mod verify;
pub mod window;

use crate::exit::Exit;

/// A tool with its options.
#[derive(Clone, PartialEq, Eq, Debug)]
#[allow(missing_docs, reason = "named after the subcommands")]
pub enum Tool {
    Info(info::Options),
    Cut(cut::Options),
    Merge(merge::Options),
    Split(split::Options),
    Verify(verify::Options),
    Repair(repair::Options),
    Export(export::Options),
    Containers(containers::Options),
}

/// Does what was asked for.
pub fn run(tool: &Tool) -> Exit {
    let done = match tool {
        Tool::Info(options) => info::run(options),
        Tool::Cut(options) => cut::run(options),
        Tool::Merge(options) => merge::run(options),
        Tool::Split(options) => split::run(options),
        Tool::Verify(options) => verify::run(options),
        Tool::Repair(options) => repair::run(options),
        Tool::Export(options) => export::run(options),
        Tool::Containers(options) => containers::run(options),
    };
    // Whoever gave up has said why.
    done.unwrap_or_else(|exit| exit)
}
