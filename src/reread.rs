//! Reading a reel: the same filter, the same output, from a file.
//!
//! Enters: a configuration whose source is a reel. Leaves: events in the sink, totals on stderr, an exit status. Never:
//! state; a block has everything in it.
//!
//! Blocks stand alone: they are read one after the other and sifted on several threads ([`crew`]), and what is shown stays
//! in order. Of a file with an index, blocks are not even looked at of which the index says that nothing in them can match.

mod crew;
mod sieve;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::{self, Read};
use std::num::NonZero;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::batch::{Batch, Bitmap, Builder, Columns, Copier};
use crate::capture::conclude;
use crate::config::{Config, Flush, Form, Place, Sink, TimeStyle};
use crate::exit::Exit;
use crate::files::Tally;
use crate::filter::{Filter, both};
use crate::follow::Follow;
use crate::handoff::Manner;
use crate::message;
use crate::outlet::Patience;
use crate::output::{self, Format};
use crate::recorder::{How, Recorder};
use crate::reel::{Block, Damage, Index, Reader, Stored, Totals};
use crate::schema::Schema;
use crate::sink::{self, Outcome, Printer};

use crew::{Crew, Done, Part};
use sieve::{Counts, Sieve};

/// More threads than this only wait for each other.
const MOST_THREADS: usize = 64;

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

    /// What makes lines, if lines are wanted; each thread has its own.
    fn format(&self, config: &Config) -> Option<Format> {
        match (self, &config.sink) {
            (Out::Print(_), Sink::Print { form, colour, .. }) => sink::format(form, *colour).ok(),
            _ => None,
        }
    }

    /// Passes on the selected rows of a block.
    fn rows(&mut self, view: &Batch<'_>, rows: &Bitmap, config: &Config) {
        match self {
            Out::Nothing => {}
            Out::Print(p) => {
                for row in rows.iter() {
                    p.row(view, row);
                }
                p.pass_on();
            }
            Out::Reel(builder, generation, recorder) => {
                let mut copier = Copier::new(view);
                for row in rows.iter() {
                    if builder.rows() == 0 {
                        builder.set_meta(view.meta);
                    }
                    copier.row(view, row, builder);
                    if builder.is_full() {
                        pass_block(builder, generation, recorder);
                        copier = Copier::new(view);
                    }
                }
                if config.flush == Flush::Event {
                    pass_block(builder, generation, recorder);
                }
            }
        }
    }
}

type Input = Reader<Box<dyn Read>>;

/// A reel that was opened, and for a file that is followed the flag that says that it was let go of.
type Opened = (Result<Input, Damage>, Option<Arc<AtomicBool>>);

/// Opens a reel; the outer error is the file's.
fn open(place: &Place, follow: bool) -> io::Result<Opened> {
    match place {
        Place::Standard => Ok((Reader::new(Box::new(io::stdin().lock())), None)),
        Place::File(path) => {
            let file = File::open(path)?;
            if file.metadata()?.is_dir() {
                return Err(io::Error::from(io::ErrorKind::IsADirectory));
            }
            if follow {
                let follow = Follow::new(file)?;
                let stopped = follow.stopped();
                return Ok((Reader::new(Box::new(follow)), Some(stopped)));
            }
            let reader = Reader::open(file);
            Ok((reader.unwrap_or_else(|pipe| Reader::new(Box::new(pipe) as Box<dyn Read>)), None))
        }
    }
}

/// What a file knows last of containers. Nothing of what can be read only once.
fn containers_of(from: &Place) -> Vec<Stored> {
    let Place::File(_) = from else { return Vec::new() };
    let reader = open(from, false).ok().and_then(|(reader, _)| reader.ok());
    reader.and_then(|mut reader| reader.containers()).unwrap_or_default()
}

fn name_of(place: &Place) -> String {
    match place {
        Place::Standard => "standard input".into(),
        Place::File(path) => message::name(path),
    }
}

/// What comes next of a reel.
#[allow(clippy::large_enum_variant, reason = "one at a time, and most are blocks")]
enum Next {
    Block(Stored),
    /// Blocks of which the index says that nothing in them is wanted: their rows, and their times.
    Passed(u64, (u64, u64)),
    Damage(Damage),
    /// What is known last of containers.
    Containers(Stored),
    End(Totals),
    Nothing,
}

/// The blocks of a reel that are worth reading.
struct Feed {
    reader: Input,
    /// The index, of each block whether it is wanted, and the number of the next; none if everything is read.
    index: Option<(Index, Vec<bool>, usize)>,
}

impl Feed {
    fn new(reader: Input, sieve: &Sieve, is_everything: bool) -> Feed {
        let index = if is_everything { None } else { reader.index() };
        let wanted = |index: Index| {
            let wanted: Vec<bool> = (0..index.blocks().len()).map(|b| sieve.wants(&index, b)).collect();
            // An index that excludes nothing is of no use: read on and on, and notice all damage.
            wanted.contains(&false).then_some((index, wanted, 0))
        };
        Feed { reader, index: index.and_then(wanted) }
    }

    /// How many blocks will be read, if that is known; else more than there may be threads.
    fn most_blocks(&self) -> usize {
        self.index.as_ref().map_or(MOST_THREADS, |(_, wanted, _)| wanted.iter().filter(|w| **w).count())
    }

    fn next(&mut self) -> Next {
        let Some((index, wanted, at)) = &mut self.index else {
            return match self.reader.next() {
                Ok(None) => Next::Nothing,
                Ok(Some(Block::End(totals))) => Next::End(totals),
                Ok(Some(Block::Event(block))) => Next::Block(block),
                Ok(Some(Block::Containers(block))) => Next::Containers(block),
                // Not asked for.
                Ok(Some(Block::Snapshot(_))) => Next::Passed(0, (0, 0)),
                Err(damage) => Next::Damage(damage),
            };
        };
        let Some(entry) = index.blocks().get(*at).copied() else {
            self.reader.leave();
            let totals = std::mem::take(&mut index.totals);
            self.index = None;
            return Next::End(totals);
        };
        *at += 1;
        if wanted.get(*at - 1) == Some(&false) {
            return Next::Passed(entry.rows, (entry.first_time, entry.last_time));
        }
        self.reader.jump(entry.offset);
        match self.reader.next() {
            Ok(Some(Block::Event(block))) => Next::Block(block),
            Ok(_) => Next::Passed(0, (0, 0)),
            Err(damage) => Next::Damage(damage),
        }
    }
}

/// How many threads sift blocks; with one, there is no other than this.
fn threads(config: &Config, reader: &Input) -> usize {
    let since_last = matches!(&config.sink, Sink::Print { form: Form::Text(TimeStyle::Delta), .. });
    // Who reads along waits for each event; and the time since the line before needs the line before.
    if since_last || config.follow || config.flush != Flush::Auto {
        return 1;
    }
    let all = || std::thread::available_parallelism().map_or(1, NonZero::get);
    config.threads.unwrap_or_else(|| if reader.is_file() { all() } else { 1 }).clamp(1, MOST_THREADS)
}

/// A reread under way.
struct Pass<'a> {
    config: &'a Config,
    name: String,
    schema: Arc<Schema>,
    out: Out,
    counts: Counts,
    damages: u64,
    /// Times of the first and the last event.
    times: (u64, u64),
    /// Set when a file that is followed was let go of, perhaps in the middle of a block.
    stopped: Option<Arc<AtomicBool>>,
}

impl Pass<'_> {
    fn is_done(&self) -> bool {
        self.config.limit.is_some_and(|l| self.counts.matched >= l)
            || self.out.is_closed()
            || self.is_stopped()
    }

    fn is_stopped(&self) -> bool {
        self.stopped.as_ref().is_some_and(|s| s.load(Ordering::Relaxed))
    }

    /// How many more may match.
    fn left(&self) -> Option<u64> {
        self.config.limit.map(|l| l.saturating_sub(self.counts.matched))
    }

    fn report(&mut self, damage: &Damage) {
        message::say(format!("{}: {damage}", self.name));
        self.damages += 1;
    }

    fn saw(&mut self, (first, last): (u64, u64)) {
        if last != 0 {
            let begin = if self.times.0 == 0 { first } else { self.times.0.min(first) };
            self.times = (begin, self.times.1.max(last));
        }
    }

    fn count(&mut self, counts: Counts) {
        self.counts.seen += counts.seen;
        self.counts.matched += counts.matched;
        self.counts.lost += counts.lost;
    }

    /// Sifts a block here and now.
    fn sift(&mut self, sieve: &mut Sieve, block: &mut Stored) {
        match sieve.sift(block, self.left()) {
            Ok(counts) => {
                self.count(counts);
                self.out.rows(&block.view(&self.schema), &sieve.rows, self.config);
            }
            Err(damage) => self.report(&damage),
        }
    }

    /// A new reel tells at its end what this one does, of the containers that it mentions.
    fn learn(&mut self, mut block: Stored) {
        let Out::Reel(_, _, recorder) = &mut self.out else { return };
        match block.load(Columns::ALL) {
            Ok(()) => {
                let (view, mut told) = (block.view(&self.schema), Box::new(Builder::new()));
                let mut copier = Copier::new(&view);
                (0..view.rows).for_each(|row| copier.row(&view, row, &mut told));
                recorder.containers(told);
            }
            Err(damage) => self.report(&damage),
        }
    }

    /// True if a block of several threads has more rows than are wanted: its thread could not know.
    fn is_over(&self, counts: &Counts) -> bool {
        self.left().is_some_and(|left| counts.matched > left)
    }

    /// Takes lines that a thread has made. Gives their memory back.
    fn take_lines(&mut self, counts: &Counts, mut lines: Vec<u8>) -> Vec<u8> {
        let is_over = self.is_over(counts);
        match &mut self.out {
            Out::Print(p) if !is_over => p.lines(lines),
            _ => {
                lines.clear();
                lines
            }
        }
    }

    /// Takes what a thread has made of a block, save for its lines. Gives the block back.
    fn take(&mut self, done: Done, sieve: &mut Sieve) -> Stored {
        let mut block = *done.block;
        match done.counts {
            Ok(counts) if self.is_over(&counts) => self.sift(sieve, &mut block),
            Ok(counts) => {
                self.count(counts);
                if matches!(self.out, Out::Reel(..)) {
                    self.out.rows(&block.view(&self.schema), &done.rows, self.config);
                }
            }
            Err(damage) => self.report(&damage),
        }
        block
    }
}

/// Reads a reel to its end.
pub fn run(config: &Config, from: &Place) -> Exit {
    let name = name_of(from);
    let (mut reader, stopped) = match open(from, config.follow) {
        Ok((Ok(reader), stopped)) => (reader, stopped),
        Ok((Err(_), Some(stopped))) if stopped.load(Ordering::Relaxed) => return Exit::Ok,
        Ok((Err(damage), _)) => {
            message::say(format!("{name}: {damage}"));
            return Exit::Damaged;
        }
        Err(e) => {
            message::say(format!("cannot read {name}: {e}"));
            return Exit::Error;
        }
    };
    let schema = reader.schema().clone();
    let filter = match Filter::parse_within(&config.only, &config.filter, &schema) {
        Ok(filter) => filter,
        Err(errors) => {
            message::raw(&errors.render(&config.filter));
            return Exit::Usage;
        }
    };
    if config.explain {
        return message::listing(&filter.explain(&schema)).map_or(Exit::Error, |()| Exit::Ok);
    }
    let manner = Manner::Wait(stopped.clone());
    let out = match make_out(config, &reader, &schema, manner) {
        Ok(out) => out,
        Err(exit) => return exit,
    };
    let is_everything = filter.is_everything();
    let mut sieve = Sieve::new(filter, schema.clone(), out.columns());
    if config.late_names {
        // What comes through a pipe cannot be read twice.
        let again = if let Place::File(_) = from { open(from, false).ok() } else { None };
        let opened = again.and_then(|(opened, _)| opened.ok());
        let Some(late) = opened.and_then(|mut again| again.late_names()) else {
            message::say(format!("{name}: --late-names takes a complete file with an index, of one host"));
            return Exit::Error;
        };
        sieve.late = !late.is_empty();
        reader.name_late(late);
    }
    // Known from the first file on that is written, where it can be read before all else.
    let known = if matches!(config.sink, Sink::Reel { .. }) { containers_of(from) } else { Vec::new() };
    if known.is_empty() {
        reader.show_containers();
    }
    let threads = threads(config, &reader);
    let mut feed = Feed::new(reader, &sieve, is_everything);
    // Starting threads costs as much as sifting a block.
    let crew = match threads.min(feed.most_blocks()) {
        0 | 1 => None,
        n => Crew::new(n, &sieve, &schema, || out.format(config)).ok().map(|crew| (crew, n as u64 + 1)),
    };
    let (counts, damages, times) = (Counts::default(), 0, (0, 0));
    let mut pass = Pass { config, name, schema, out, counts, damages, times, stopped };
    known.into_iter().for_each(|block| pass.learn(block));
    let recorded = match crew {
        None => alone(&mut pass, &mut feed, &mut sieve),
        Some((crew, most)) => together(&mut pass, &mut feed, &mut sieve, crew, most),
    };
    let ended_early = pass.is_done();
    let Pass { name, out, counts, damages, times, stopped, .. } = pass;
    let asked = stopped.as_ref().map(|s| Patience::new(|| s.load(Ordering::Relaxed)));
    let outcome = finish(out, &counts, times, asked);
    let reader = &feed.reader;
    if !ended_early && !reader.is_complete() && damages == 0 {
        message::say(format!(
            "{name} has no end block: it is still being written, or was cut between two blocks"
        ));
    }
    if config.verbose {
        message::say(format!("{} bytes of {name} were read", reader.bytes_read()));
    }
    // What was lost is in the stream; a filtered capture may have lost blocks that say so, its end knows.
    let lost = recorded.map_or(counts.lost, |t| t.lost.max(counts.lost));
    let verb = if matches!(config.sink, Sink::Reel { .. }) { "written" } else { "shown" };
    let done = counts.matched.saturating_sub(outcome.unwritten);
    message::say(format!("{} events, {done} {verb}, {lost} lost", counts.seen));
    match conclude(&outcome, config, lost) {
        Exit::Ok if damages > 0 => Exit::Damaged,
        exit => exit,
    }
}

/// Everything on this thread. Gives the totals of the reel's end.
fn alone(pass: &mut Pass<'_>, feed: &mut Feed, sieve: &mut Sieve) -> Option<Totals> {
    let mut recorded = None;
    while !pass.is_done() {
        match feed.next() {
            Next::Nothing => break,
            Next::End(totals) => {
                recorded = Some(totals);
                // Nothing is behind it, and whoever looks waits for ever.
                if pass.config.follow {
                    break;
                }
            }
            Next::Passed(rows, times) => {
                pass.counts.seen += rows;
                pass.saw(times);
            }
            Next::Block(mut block) => {
                pass.saw(block.time_range());
                pass.sift(sieve, &mut block);
                feed.reader.recycle(block);
            }
            Next::Containers(block) => pass.learn(block),
            Next::Damage(_) if pass.is_stopped() => break,
            Next::Damage(damage) => {
                pass.report(&damage);
                if damage.is_fatal() {
                    break;
                }
            }
        }
    }
    recorded
}

/// Blocks on the threads of `crew`, at most `most` at a time. What is met between two blocks waits for those before it.
fn together(
    pass: &mut Pass<'_>,
    feed: &mut Feed,
    sieve: &mut Sieve,
    mut crew: Crew,
    most: u64,
) -> Option<Totals> {
    let (mut recorded, mut over) = (None, false);
    let mut waiting = None;
    while !pass.is_done() {
        while !over && waiting.is_none() && crew.under_way() < most {
            match feed.next() {
                Next::Nothing => over = true,
                // Which of its neighbours it is counted before makes no difference.
                Next::Passed(rows, times) => {
                    pass.counts.seen += rows;
                    pass.saw(times);
                }
                Next::Block(block) => crew.give(Box::new(block)),
                other => waiting = Some(other),
            }
        }
        if crew.under_way() > 0 {
            match crew.take() {
                Some(Part::Lines(counts, lines)) => crew.recycle(pass.take_lines(&counts, lines)),
                Some(Part::Done(done)) => {
                    pass.saw(done.block.time_range());
                    let block = pass.take(done, sieve);
                    feed.reader.recycle(block);
                }
                None => {
                    message::say("a thread failed");
                    pass.damages += 1;
                    break;
                }
            }
            if waiting.is_none() || crew.under_way() > 0 {
                continue;
            }
        }
        match waiting.take() {
            Some(Next::Containers(block)) => pass.learn(block),
            Some(Next::End(totals)) => recorded = Some(totals),
            Some(Next::Damage(damage)) => {
                pass.report(&damage);
                over |= damage.is_fatal();
            }
            _ if over => break,
            _ => {}
        }
    }
    recorded
}

fn make_out(config: &Config, reader: &Input, schema: &Arc<Schema>, manner: Manner) -> Result<Out, Exit> {
    match &config.sink {
        Sink::Nothing => Ok(Out::Nothing),
        Sink::Print { to, form, colour } => {
            Printer::new(to, form, *colour, config.flush != Flush::Auto, manner).map(Out::Print).map_err(
                |e| {
                    message::say(format!("{e:#}"));
                    if Printer::is_usage_error(form) { Exit::Usage } else { Exit::Error }
                },
            )
        }
        Sink::Reel { to, force } => {
            let mut header = reader.header().clone();
            header.filter = both(&header.filter, &both(&config.only, &config.filter));
            let (flush, files) = (config.flush == Flush::Event, config.files.clone());
            let how = How { force: *force, flush, files, manner };
            Recorder::new(to, &how, &header, schema.clone()).map(|r| Out::Reel(Box::default(), 1, r)).map_err(
                |e| {
                    message::say(format!("cannot write {}: {e}", name_of(to)));
                    Exit::Error
                },
            )
        }
    }
}

fn pass_block(builder: &mut Box<Builder>, generation: &mut u32, recorder: &mut Recorder) {
    builder.close();
    let full = std::mem::take(builder);
    *builder = recorder.block(full, Tally::default());
    *generation = generation.wrapping_add(1);
    builder.reset(*generation);
}

fn finish(out: Out, counts: &Counts, times: (u64, u64), patience: Option<Patience>) -> Outcome {
    let mut patience = patience;
    match out {
        Out::Nothing => Outcome::default(),
        Out::Print(p) => {
            let produced = counts.seen + counts.lost;
            let totals = output::Totals { produced, matched: counts.matched, lost: counts.lost };
            p.finish(&totals, patience.as_mut())
        }
        Out::Reel(mut builder, mut generation, mut recorder) => {
            if builder.rows() > 0 {
                pass_block(&mut builder, &mut generation, &mut recorder);
            }
            let totals = Totals {
                produced: counts.seen + counts.lost,
                written: counts.matched,
                filtered: counts.seen.saturating_sub(counts.matched),
                lost: counts.lost,
                state_only: 0,
                first_time: times.0,
                last_time: times.1,
                notes: Vec::new(),
                index: Vec::new(),
                snapshots: Vec::new(),
                containers: Vec::new(),
            };
            recorder.finish(totals, patience.as_mut())
        }
    }
}
