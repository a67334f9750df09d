//! `sysreel repair`: all that is whole of a reel, as a clean one.
//!
//! Enters: a reel, perhaps damaged or cut. Leaves: a complete reel of its whole blocks, whose end says what is missing, and
//! the same on stderr; status 4 if something is. Never: an event that was not in the file; a part of a block.

use std::fmt::Arguments;
use std::io::{self, Cursor, Write};
use std::sync::{Arc, Mutex};

use super::input::Input;
use super::survey::Survey;
use super::target::Target;
use crate::config::Place;
use crate::exit::Exit;
use crate::files::Single;
use crate::message;
use crate::reel::{Reader, Totals};

/// What was typed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Options {
    /// The reel.
    pub from: Place,
    /// The new reel.
    pub to: Place,
    /// It may replace a file.
    pub force: bool,
}

/// Lines about damage that the new file keeps.
const MOST_NOTES: usize = 1024;

/// Repairs.
pub fn run(options: &Options) -> Result<Exit, Exit> {
    let input = Input::open(&options.from)?;
    let target = Target::create(&options.to, options.force, input.header(), input.schema())?;
    pour(input, target, |text| message::say(text))
}

/// The same from memory to memory, without a word; nothing if there is nothing to be had.
pub fn in_memory(bytes: Vec<u8>) -> Option<Vec<u8>> {
    let out = Shared::default();
    let input = Input::with("input".into(), Reader::new(Box::new(Cursor::new(bytes)) as _).ok()?);
    let to = Single::of(Box::new(out.clone()));
    let target = Target::of("output".into(), to, input.header(), input.schema()).ok()?;
    pour(input, target, |_| {}).ok()?;
    let bytes = out.0.lock().ok()?;
    Some(bytes.clone())
}

/// Bytes that somebody else writes.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut all = self.0.lock().map_err(|_| io::ErrorKind::Other)?;
        all.extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Pours what is whole of one into the other; `say` gets what is to be said of it.
fn pour(input: Input, mut target: Target, say: impl Fn(Arguments)) -> Result<Exit, Exit> {
    let name = input.name().to_owned();
    let schema = input.schema().clone();
    let mut survey = Survey::new(input);
    let mut notes = Vec::new();
    loop {
        let block = survey.block();
        for line in survey.found.drain(..) {
            say(format_args!("{name}: {line}"));
            if notes.len() < MOST_NOTES {
                notes.push(line);
            }
        }
        let Some(block) = block else { break };
        let view = block.view(&schema);
        let done = if block.is_snapshot() { target.whole_snapshot(&view)? } else { target.block(&view)? };
        if !done {
            let (offset, number) = block.place();
            say(format_args!("{name}: block {number} at byte {offset} cannot be written again"));
            survey.refuse(&block);
        }
        survey.recycle(block);
    }
    if survey.unknown > 0 {
        say(format_args!("{name}: {} parts of a later version are not in the new file", survey.unknown));
    }
    if let Some(loss) = survey.loss() {
        say(format_args!("{name}: {loss}"));
        notes.push(loss);
    }
    let (blocks, events) = (survey.blocks, survey.events);
    // What the capture lost, and what the file has. Numbers that a filter left out are no losses.
    let known = survey.input().end.as_ref().map_or(0, |end| end.lost).max(survey.lost);
    let lost = known.saturating_add(if survey.is_exact() { survey.missing } else { 0 });
    let exit = if survey.input().damages > 0 { Exit::Damaged } else { Exit::Ok };
    let end = survey.into_input().end.unwrap_or_default();
    notes.splice(0..0, end.notes);
    target.finish(Totals {
        produced: events.saturating_add(lost).saturating_add(end.filtered),
        written: events,
        filtered: end.filtered,
        lost,
        state_only: end.state_only,
        notes,
        ..Totals::default()
    })?;
    say(format_args!("{events} events in {blocks} blocks written"));
    Ok(exit)
}
