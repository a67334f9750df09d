//! Reading a reel: the same filter, the same output, from a file.
//!
//! Enters: a configuration whose source is a reel. Leaves: events in the sink, totals on stderr, an exit status. Never:
//! state; a block has everything in it.
//!
//! A block is decoded only as far as it must be: its codes and dictionary may say that nothing in it can match, then the
//! columns that the filter tests, and the rest only if a row was selected.

use std::fs::File;
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::batch::{Builder, Columns, Copier};
use crate::capture::conclude;
use crate::config::{Config, Flush, Place, Sink};
use crate::exit::Exit;
use crate::filter::Filter;
use crate::follow::Follow;
use crate::message;
use crate::output;
use crate::reel::{Block, Damage, Reader, Stored, Totals};
use crate::schema::{LOST, Schema};
use crate::select::Selector;
use crate::sink::{Outcome, Printer, Recorder, create_reel};

enum Out {
    Nothing,
    Print(Printer),
    /// The open block, its generation, and the file.
    Reel(Box<Builder>, u32, Recorder),
}

impl Out {
    fn is_closed(&self) -> bool {
        match self {
            Out::Nothing => false,
            Out::Print(p) => p.is_closed(),
            Out::Reel(.., r) => r.is_closed(),
        }
    }

    fn columns(&self) -> Columns {
        match self {
            Out::Nothing => Columns::NOTHING,
            Out::Print(p) => p.columns(),
            Out::Reel(..) => Columns::ALL,
        }
    }
}

/// What is read, and for a file that is followed the flag that says that it was let go of.
type Opened = (Box<dyn Read>, Option<Arc<AtomicBool>>);

fn open(place: &Place, follow: bool) -> io::Result<Opened> {
    let input: Box<dyn Read> = match place {
        Place::Standard => Box::new(io::stdin().lock()),
        Place::File(path) => {
            let file = File::open(path)?;
            if file.metadata()?.is_dir() {
                return Err(io::Error::from(io::ErrorKind::IsADirectory));
            }
            if follow {
                let follow = Follow::new(file)?;
                let stopped = follow.stopped();
                return Ok((Box::new(follow), Some(stopped)));
            }
            Box::new(file)
        }
    };
    Ok((input, None))
}

fn name_of(place: &Place) -> String {
    match place {
        Place::Standard => "standard input".into(),
        Place::File(path) => message::name(path),
    }
}

/// Reads a reel to its end.
pub fn run(config: &Config, from: &Place) -> Exit {
    let name = name_of(from);
    let (input, stopped) = match open(from, config.follow) {
        Ok(input) => input,
        Err(e) => {
            message::say(format!("cannot read {name}: {e}"));
            return Exit::Error;
        }
    };
    let mut reader = match Reader::new(input) {
        Ok(reader) => reader,
        Err(_) if stopped.as_ref().is_some_and(|s| s.load(Ordering::Relaxed)) => return Exit::Ok,
        Err(damage) => {
            message::say(format!("{name}: {damage}"));
            return Exit::Damaged;
        }
    };
    let schema = reader.schema().clone();
    let filter = match Filter::parse(&config.filter, &schema) {
        Ok(filter) => filter,
        Err(errors) => {
            message::raw(&errors.render(&config.filter));
            return Exit::Usage;
        }
    };
    if config.explain {
        return message::listing(&filter.explain(&schema)).map_or(Exit::Error, |()| Exit::Ok);
    }
    let mut out = match make_out(config, &reader, &schema) {
        Ok(out) => out,
        Err(exit) => return exit,
    };
    let mut selector = Selector::new(filter, config.limit);
    let mut damages = 0u64;
    let mut recorded = None;
    let mut times = (0, 0);
    let is_stopped = || stopped.as_ref().is_some_and(|s| s.load(Ordering::Relaxed));
    while !selector.is_done() && !out.is_closed() {
        let report = |damage: &Damage| message::say(format!("{name}: {damage}"));
        match reader.next() {
            Ok(None) => break,
            Ok(Some(Block::End(totals))) => {
                recorded = Some(totals);
                if config.follow {
                    break;
                }
            }
            Ok(Some(Block::Event(mut block))) => {
                let (first, last) = block.time_range();
                times = (if times.0 == 0 { first } else { times.0 }, last);
                if let Err(damage) = events(&mut block, &schema, &mut selector, &mut out, config) {
                    report(&damage);
                    damages += 1;
                }
            }
            // Whoever stops to follow does so in the middle of a block.
            Err(_) if is_stopped() => break,
            Err(damage) => {
                report(&damage);
                damages += 1;
                if damage.is_fatal() {
                    break;
                }
            }
        }
    }
    let ended_early = selector.is_done() || out.is_closed() || is_stopped();
    let outcome = finish(out, &selector, times);
    if !ended_early && !reader.is_complete() && damages == 0 {
        message::say(format!(
            "{name} has no end block: it is still being written, or was cut between two blocks"
        ));
    }
    // What was lost is in the stream; a filtered capture may have lost blocks that say so, its end knows.
    let lost = recorded.map_or(selector.lost, |t| t.lost.max(selector.lost));
    let verb = if matches!(config.sink, Sink::Reel { .. }) { "written" } else { "shown" };
    message::say(format!("{} events, {} {verb}, {lost} lost", selector.seen, selector.matched));
    match conclude(&outcome, config, lost) {
        Exit::Ok if damages > 0 => Exit::Damaged,
        exit => exit,
    }
}

fn make_out(config: &Config, reader: &Reader<Box<dyn Read>>, schema: &Arc<Schema>) -> Result<Out, Exit> {
    match &config.sink {
        Sink::Nothing => Ok(Out::Nothing),
        Sink::Print { to, form, colour } => {
            Printer::new(to, form, *colour, config.flush != Flush::Auto).map(Out::Print).map_err(|e| {
                message::say(format!("{e:#}"));
                if Printer::is_usage_error(form) { Exit::Usage } else { Exit::Error }
            })
        }
        Sink::Reel { to, force } => {
            let mut header = reader.header().clone();
            header.filter = match (header.filter.is_empty(), config.filter.is_empty()) {
                (true, _) => config.filter.clone(),
                (false, true) => header.filter,
                (false, false) => format!("({}) and ({})", header.filter, config.filter),
            };
            let made = create_reel(to, *force)
                .and_then(|out| Recorder::new(out, &header, schema.clone(), config.flush == Flush::Event));
            made.map(|r| Out::Reel(Box::default(), 1, r)).map_err(|e| {
                message::say(format!("cannot write {}: {e}", name_of(to)));
                Exit::Error
            })
        }
    }
}

fn events(
    block: &mut Stored,
    schema: &Schema,
    selector: &mut Selector,
    out: &mut Out,
    config: &Config,
) -> Result<(), Damage> {
    let rows = block.rows();
    selector.next_block();
    if !selector.filter().is_everything() && !block.codes().contains(&LOST) {
        block.load_dict()?;
        if !selector.filter().may_match(block.codes(), &block.dict()) {
            selector.seen += rows as u64;
            return Ok(());
        }
    }
    block.load(selector.columns())?;
    let selection = selector.select(&block.view(schema), 0..rows).clone();
    if selection.count() == 0 {
        return Ok(());
    }
    block.load(out.columns())?;
    let view = block.view(schema);
    match out {
        Out::Nothing => {}
        Out::Print(p) => {
            for row in selection.iter() {
                p.row(&view, row);
            }
            p.pass_on();
        }
        Out::Reel(builder, generation, recorder) => {
            let mut copier = Copier::new(&view);
            for row in selection.iter() {
                if builder.rows() == 0 {
                    builder.set_meta(view.meta);
                }
                copier.row(&view, row, builder);
                if builder.is_full() {
                    pass_block(builder, generation, recorder);
                    copier = Copier::new(&view);
                }
            }
            if config.flush == Flush::Event {
                pass_block(builder, generation, recorder);
            }
        }
    }
    Ok(())
}

fn pass_block(builder: &mut Box<Builder>, generation: &mut u32, recorder: &mut Recorder) {
    builder.close();
    let full = std::mem::take(builder);
    *builder = recorder.block(full);
    *generation = generation.wrapping_add(1);
    builder.reset(*generation);
}

fn finish(out: Out, selector: &Selector, times: (u64, u64)) -> Outcome {
    match out {
        Out::Nothing => Outcome::default(),
        Out::Print(p) => p.finish(&output::Totals {
            produced: selector.seen + selector.lost,
            matched: selector.matched,
            lost: selector.lost,
        }),
        Out::Reel(mut builder, mut generation, mut recorder) => {
            if builder.rows() > 0 {
                pass_block(&mut builder, &mut generation, &mut recorder);
            }
            recorder.finish(Totals {
                produced: selector.seen + selector.lost,
                written: selector.matched,
                filtered: selector.seen.saturating_sub(selector.matched),
                lost: selector.lost,
                state_only: 0,
                first_time: times.0,
                last_time: times.1,
                notes: Vec::new(),
                index: Vec::new(),
            })
        }
    }
}
