//! Calls that have begun in a capture and have not returned: at its end they are events, on SIGUSR1 lines on stderr.
//!
//! Enters: the probe's slots, which say who is in which call since when, and /proc, which has the words. Leaves: rows. Never:
//! a call that began before the capture (nobody knows when), one of which an end is in the stream.

use super::{Capture, Out};
use crate::batch::{Builder, Meta};
use crate::config::Live;
use crate::decode::Record;
use crate::message;
use crate::output::{Format, TextOptions};
use crate::source::abi;
use crate::source::flight::{Flight, Looker, Sight};
use crate::source::live::plan::Snaplen;
use crate::source::live::{Probe, boot_now};
use crate::state::InFlight;

/// Time given to reading /proc, ns: meanwhile the rings fill.
const MOST: u64 = 1_000_000_000;

/// What was found.
#[derive(Default)]
pub(super) struct Flights {
    /// Each with the time at which it began; the longest first.
    found: Vec<(Flight, u64)>,
    /// Threads that ran in the kernel when they were looked at: their words are not known.
    running: usize,
    /// Those for which there was no time.
    left: usize,
}

/// Looks at every call that the probe saw begin and not end.
pub(super) fn look(capture: &Capture, probe: &Probe, live: &Live) -> Flights {
    let mut all = probe.all_in_flight();
    all.sort_unstable_by_key(|(tid, _, since)| (*since, *tid));
    let looker = Looker::new(&live.proc, capture.schema, Snaplen(live.snaplen));
    let mut flights = Flights::default();
    let end = boot_now() + MOST;
    let mut memory = None;
    for (done, (tid, nr, since)) in all.iter().enumerate() {
        if boot_now() >= end {
            flights.left = all.len() - done;
            break;
        }
        let Some(pid) = looker.process_of(*tid) else { continue };
        // Left out since: nobody has told of the end of its call.
        if probe.scope(pid) == abi::SCOPE_OUT {
            continue;
        }
        if memory.as_ref().is_none_or(|(of, _)| *of != pid) {
            memory = Some((pid, looker.memory(pid)));
        }
        let of = memory.as_ref().and_then(|(_, file)| file.as_ref());
        match looker.look(pid, *tid, of, |code| capture.interest.has(code)) {
            Sight::Call(f) if f.nr == *nr && probe.in_flight(*tid) == Some((*nr, *since)) => {
                flights.found.push((*f, *since));
            }
            Sight::Running if probe.in_flight(*tid) == Some((*nr, *since)) => flights.running += 1,
            _ => {}
        }
    }
    flights
}

impl Flights {
    /// Says what is not among them.
    fn complain(&self) {
        if self.running > 0 {
            message::say(format!("{} threads run in a call right now: these are not shown", self.running));
        }
        if self.left > 0 {
            message::say(format!("there was no time to look at {} further threads", self.left));
        }
    }
}

fn push(capture: &mut Capture, flight: &Flight, since: u64, time: u64, into: Option<&mut Builder>) {
    let latency = time.saturating_sub(since);
    let bytes = flight.record(time, latency);
    let Some(record) = Record::parse(&bytes) else { return };
    let more = InFlight {
        latency,
        cpu: flight.cpu,
        flags: crate::batch::row_flags::of_state(flight.state),
        uncertain: false,
        counted: into.is_none(),
    };
    let Capture { state, builder, .. } = capture;
    state.in_flight(&record, more, into.unwrap_or(builder));
}

/// Adds them to the stream, behind its last event; gives how many passed the filter.
pub(super) fn add(capture: &mut Capture, flights: Flights, probe: &Probe) -> u64 {
    let matched = capture.selector.matched;
    for (flight, since) in &flights.found {
        // The slot is empty if the call has ended after all: then its end is in the stream.
        if probe.in_flight(flight.tid) != Some((flight.nr, *since)) || capture.is_over() {
            continue;
        }
        let now = boot_now();
        push(capture, flight, *since, now, None);
        if capture.builder.is_full() {
            capture.pass_on(now);
        }
    }
    capture.pass_on(boot_now());
    flights.complain();
    capture.selector.matched - matched
}

/// Prints them on stderr. The stream knows nothing of it.
pub(super) fn tell(capture: &mut Capture, probe: &Probe, live: &Live) {
    let flights = look(capture, probe, live);
    // A block of its own, under a number that no other has had.
    capture.generation += 1;
    let mut aside = Builder::new();
    aside.reset(capture.generation);
    let now = boot_now();
    let (boot, wall) = capture.clock.pair();
    aside.set_meta(Meta { start_time: capture.start, boot, wall, host: 0 });
    for (flight, since) in &flights.found {
        if aside.is_full() {
            break;
        }
        push(capture, flight, *since, now, Some(&mut aside));
    }
    let view = aside.view(capture.schema);
    let rows = capture.selector.aside(&view);
    let mut format = Format::text(TextOptions::default());
    let mut lines = Vec::new();
    rows.iter().for_each(|row| format.render(&view, row, &mut lines));
    message::say(format!("{} calls in flight", rows.count()));
    message::raw(&String::from_utf8_lossy(&lines));
    flights.complain();
    if let Out::Print(printer) = &mut capture.out {
        printer.pass_on();
    }
}
