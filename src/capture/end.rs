//! The end of a capture: what the rings still hold, totals, and what the exit status says of them.
//!
//! Enters: a capture that is to end. Leaves: a closed sink, totals on stderr. Never: a decision to end.

use super::flight::{self, Flights};
use super::pace::PAUSE;
use super::{Capture, Out};
use crate::config::{Config, Live, Sink};
use crate::exit::Exit;
use crate::message;
use crate::outlet::Patience;
use crate::output;
use crate::reel::Totals;
use crate::sink::Outcome;
use crate::source::live::Probe;
use crate::source::live::{Rings, boot_now};

/// Time given to counting what the rings still hold when nobody takes it, ns. What remains is lost as if the rings had been
/// full.
const COUNTING: u64 = 200_000_000;

/// Stops the probe, takes what the rings still hold, and closes the sink. Gives the losses too.
pub(super) fn finish(
    mut capture: Capture,
    mut rings: Rings,
    mut probe: Probe,
    config: &Config,
    live: &Live,
    patience: &mut Patience,
) -> (Outcome, u64) {
    // While the probe still sees calls return.
    let flights = if capture.is_over() { Flights::default() } else { flight::look(&capture, &probe, live) };
    probe.detach();
    // Nothing is written any more: the rings end where they end.
    let mut until = u64::MAX;
    while !capture.is_over() && boot_now() < until {
        if !capture.given_up && !capture.out.has_room() {
            if capture.out.is_stuck(patience) {
                capture.close();
                capture.given_up = true;
                until = boot_now().saturating_add(COUNTING);
            } else {
                capture.out.rest(PAUSE);
            }
            continue;
        }
        let step = capture.step(&mut rings, u64::MAX);
        if step.is_empty() && !step.more {
            break;
        }
    }
    let now = boot_now();
    // Who stopped early has left records behind, which is no loss.
    if !capture.is_over() {
        for cpu in 0..rings.cpus() {
            let c = rings.counters(cpu);
            let Capture { state, builder, .. } = &mut capture;
            state.close_sequence(cpu, c.produced, now, builder);
            // A record dropped inside another has no number of its own.
            if c.lost_nested > 0 {
                state.lost(cpu, c.lost_nested, now, builder);
            }
        }
    }
    capture.pass_on(now);
    // A capture so short that there was no time for it. The rings are empty.
    capture.snapshots.all_read();
    capture.drained = boot_now();
    while capture.snapshots.is_due() && !capture.is_over() && capture.snapshot() {}
    let flights = if capture.given_up { Flights::default() } else { flights };
    let in_flight = flight::add(&mut capture, flights, &probe);
    capture.close();
    let seen = capture.state.seen();
    let selector = capture.selector;
    let produced = seen.rows + seen.lost;
    let reel_totals = Totals {
        produced,
        written: selector.matched,
        filtered: seen.rows.saturating_sub(selector.matched),
        lost: seen.lost,
        state_only: seen.state,
        first_time: capture.first_time,
        last_time: capture.last_time,
        index: Vec::new(),
        snapshots: Vec::new(),
        containers: Vec::new(),
        notes: Vec::new(),
    };
    let end = output::Totals { produced, matched: selector.matched, lost: seen.lost };
    let mut outcome = match capture.out {
        Out::Nothing => Outcome::default(),
        Out::Print(p) => p.finish(&end, Some(patience)),
        Out::Reel(mut r) => {
            if let Some(news) = capture.state.news_of_containers() {
                r.containers(news);
            }
            r.finish(reel_totals, Some(patience))
        }
    };
    if outcome.is_given_up() {
        // In whatever buffer they were.
        outcome.unwritten = selector.matched.saturating_sub(outcome.written);
    }
    if in_flight > 0 {
        message::say(format!("{in_flight} of the events are calls that had not returned at the end"));
    }
    match config.sink {
        Sink::Reel { .. } => {
            message::say(format!("{} events, {} written, {} lost", seen.rows, outcome.written, seen.lost));
        }
        _ => {
            let shown = selector.matched.saturating_sub(outcome.unwritten);
            message::say(format!("{} events, {shown} shown, {} lost", seen.rows, seen.lost));
        }
    }
    if config.verbose {
        for cpu in 0..rings.cpus() {
            let c = rings.counters(cpu);
            message::say(format!(
                "cpu {cpu}: {} records, {} of them only for names, {} lost to a full ring, {} of processes that were filling it, {} to re-entry, {} entry times lost to collisions",
                c.produced, c.state_only, c.lost_full, c.lost_share, c.lost_nested, c.collisions
            ));
            let a = capture.state.account(cpu);
            message::say(format!(
                "cpu {cpu}: of {} records {} became events, {} were for names, {} were dropped",
                (c.produced + c.lost_nested).saturating_sub(a.first),
                a.delivered,
                a.state,
                a.dropped
            ));
            let [number, process, user, result, latency, group] = c.rejected;
            message::say(format!(
                "cpu {cpu}: rejected {number} calls by number, {process} by process, {user} by user, {result} by result, {latency} by latency, {group} by control group"
            ));
        }
        let (procs, fds) = capture.state.sizes();
        message::say(format!(
            "{procs} processes and {fds} descriptors known at the end; {} records not understood",
            seen.broken
        ));
    }
    (outcome, seen.lost)
}

/// What the exit status says of the output and of losses.
pub fn conclude(outcome: &Outcome, config: &Config, lost: u64) -> Exit {
    if let Some(e) = &outcome.error {
        message::say(format!("writing failed: {e}"));
        if matches!(config.sink, Sink::Reel { .. }) {
            message::say(format!(
                "{} events were not written; the {} that were can be read",
                outcome.unwritten, outcome.written
            ));
        } else if outcome.unwritten > 0 {
            message::say(format!("{} events were not shown", outcome.unwritten));
        }
        return Exit::Error;
    }
    if lost > 0 && config.fail_on_loss {
        return Exit::Lost;
    }
    Exit::Ok
}
