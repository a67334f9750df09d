//! `sysreel cut`: a part of a reel as a reel of its own, to be passed on.
//!
//! Enters: a reel; a window, a filter, parts to take out. Leaves: a reel with the rows that are left and what they reach.
//! Never: a string in the new file that nothing left in it refers to.

use std::path::PathBuf;

use super::drop::{Part, Strip};
use super::input::Input;
use super::pick::Picker;
use super::pseudonym::Key;
use super::target::{Target, joined};
use super::window::Window;
use crate::batch::Columns;
use crate::config::Place;
use crate::exit::Exit;
use crate::message;
use crate::reel::{Header, Totals};

/// What was typed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Options {
    /// The reel.
    pub from: Place,
    /// The new reel.
    pub to: Place,
    /// It may replace a file.
    pub force: bool,
    /// Events at or after this time …
    pub since: Option<String>,
    /// … and before this one.
    pub until: Option<String>,
    /// Which events.
    pub filter: String,
    /// What is taken out.
    pub parts: Vec<Part>,
    /// Nothing of processes without events of their own.
    pub no_ancestors: bool,
    /// Pseudonyms and lengths for what may be secret.
    pub redact: bool,
    /// A file with the key of the pseudonyms.
    pub key: Option<PathBuf>,
}

/// Cuts.
pub fn run(options: &Options) -> Result<Exit, Exit> {
    let key = key(options)?;
    let mut input = Input::open(&options.from)?;
    // They name processes that have no events.
    if !options.no_ancestors {
        input.show_snapshots();
    }
    // What is taken out of entries would have to be taken out of these.
    if options.parts.is_empty() && !options.redact {
        input.keep_containers();
    }
    let schema = input.schema().clone();
    let window = Window::parse(options.since.as_deref(), options.until.as_deref(), input.header().wall)
        .map_err(usage)?;
    let mut picker = Picker::new(&options.filter, window, &schema)?;
    let mut strip = Strip::new(&options.parts, key, options.no_ancestors);
    if picker.asks_of_containers() {
        strip.ends_at_containers();
    }
    let header = header(input.header(), options, &strip);
    let mut target = Target::create(&options.to, options.force, &header, &schema)?;
    while let Some((block, rows)) = picker.next(&mut input, &schema, Columns::ALL) {
        let view = block.view(&schema);
        strip.look(&view, &rows);
        if block.is_snapshot() {
            target.snapshot(&view, &rows, view.meta, &strip)?;
            continue;
        }
        let mut lane = target.lane(&view);
        for row in rows.iter() {
            target.row(&mut lane, &view, row, view.meta, &strip)?;
        }
    }
    let lost = picker.lost;
    target.learn_containers(&input.containers)?;
    target.finish(Totals {
        produced: picker.seen.saturating_add(lost),
        written: picker.matched,
        filtered: picker.seen.saturating_sub(picker.matched),
        lost,
        notes: input.end.take().map(|end| end.notes).unwrap_or_default(),
        ..Totals::default()
    })?;
    message::say(format!("{} events, {} written, {lost} lost", picker.seen, picker.matched));
    Ok(input.close())
}

/// Says what was typed wrongly.
pub fn usage(text: String) -> Exit {
    message::say(text);
    Exit::Usage
}

fn key(options: &Options) -> Result<Option<Key>, Exit> {
    let made = match (&options.key, options.redact) {
        (_, false) => return Ok(None),
        (None, true) => Key::random().map_err(|e| format!("cannot make a key: {e}")),
        (Some(path), true) => {
            Key::read(path).map_err(|e| format!("cannot use the key {}: {e}", message::name(path)))
        }
    };
    made.map(Some).map_err(|text| {
        message::say(text);
        Exit::Error
    })
}

/// The header says of the filter and the command line what may be said.
fn header(of: &Header, options: &Options, strip: &Strip) -> Header {
    let mut header = of.clone();
    header.filter = joined(&of.filter, &options.filter);
    header.command = of.command.iter().filter_map(|word| strip.value(Part::Arguments, word)).collect();
    if options.redact || !options.parts.is_empty() {
        // A filter may ask for what was taken out of the events.
        header.filter = if header.filter.is_empty() { String::new() } else { "(not kept)".into() };
    }
    header
}
