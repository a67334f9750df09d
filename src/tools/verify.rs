//! `sysreel verify`: is every bit of these reels as it was written?
//!
//! Enters: reels. Leaves: a line each, and lines about what is damaged; status 4 if anything is. Never: a new file.

use std::fmt::Write as _;

use super::input::{Input, name_of};
use super::survey::Survey;
use crate::config::Place;
use crate::exit::Exit;
use crate::message;

/// What was typed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Options {
    /// The reels.
    pub files: Vec<Place>,
    /// Say nothing of what is whole.
    pub quiet: bool,
}

/// Verifies.
pub fn run(options: &Options) -> Result<Exit, Exit> {
    let mut worst = Exit::Ok;
    for place in &options.files {
        let exit = one(place, options.quiet).unwrap_or_else(|exit| exit);
        worst = if worst == Exit::Error || exit == Exit::Ok { worst } else { exit };
    }
    Ok(worst)
}

fn one(place: &Place, quiet: bool) -> Result<Exit, Exit> {
    let name = name_of(place);
    let mut survey = Survey::new(Input::open(place)?);
    let mut out = String::new();
    loop {
        let block = survey.block();
        for line in survey.found.drain(..) {
            let _ = writeln!(out, "{name}: {}", line.replace('\n', &format!("\n{name}: ")));
        }
        listing(&out)?;
        out.clear();
        let Some(block) = block else { break };
        survey.recycle(block);
    }
    if survey.unknown > 0 {
        let _ = writeln!(out, "{name}: {} parts of a later version were not looked into", survey.unknown);
    }
    let mut counts =
        format!("{} events in {} blocks, {} bytes", survey.events, survey.blocks, survey.input().bytes());
    if survey.snapshots > 0 {
        let _ = write!(counts, ", blocks of snapshots: {}", survey.snapshots);
    }
    match survey.loss() {
        None if quiet => {}
        None => {
            let _ = writeln!(out, "{name}: whole: {counts}");
        }
        Some(loss) => {
            let _ = writeln!(out, "{name}: {loss}; readable: {counts}");
        }
    }
    listing(&out)?;
    Ok(if survey.is_whole() { Exit::Ok } else { Exit::Damaged })
}

fn listing(text: &str) -> Result<(), Exit> {
    message::listing(text).map_err(|e| {
        message::say(format!("cannot write: {e}"));
        Exit::Error
    })
}
