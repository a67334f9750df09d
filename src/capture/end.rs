//! The end of a capture: what the rings still hold, totals, and what the exit status says of them.
//!
//! Enters: a capture that is to end. Leaves: a closed sink, totals on stderr. Never: a decision to end.

use super::{Capture, Out};
use crate::config::{Config, Sink};
use crate::exit::Exit;
use crate::message;
use crate::output;
use crate::reel::Totals;
use crate::sink::Outcome;
use crate::source::live::Probe;
use crate::source::live::{Rings, boot_now};

/// Stops the probe, takes what the rings still hold, and closes the sink. Gives the losses too.
pub(super) fn finish(
    mut capture: Capture,
    mut rings: Rings,
    mut probe: Probe,
    config: &Config,
) -> (Outcome, u64) {
    probe.detach();
    // Nothing is written any more: the rings end where they end.
    while !capture.is_over() {
        let (records, more) = capture.step(&mut rings);
        if records == 0 && !more {
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
    capture.close();
    let seen = capture.state.seen();
    let selector = capture.selector;
    let produced = seen.rows + seen.lost;
    let outcome = match capture.out {
        Out::Nothing => Outcome::default(),
        Out::Print(p) => p.finish(&output::Totals { produced, matched: selector.matched, lost: seen.lost }),
        Out::Reel(r) => r.finish(Totals {
            produced,
            written: selector.matched,
            filtered: seen.rows.saturating_sub(selector.matched),
            lost: seen.lost,
            state_only: seen.state,
            first_time: capture.first_time,
            last_time: capture.last_time,
            index: Vec::new(),
            notes: Vec::new(),
        }),
    };
    match config.sink {
        Sink::Reel { .. } => {
            message::say(format!("{} events, {} written, {} lost", seen.rows, outcome.written, seen.lost));
        }
        _ => message::say(format!("{} events, {} shown, {} lost", seen.rows, selector.matched, seen.lost)),
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
            let [number, process, user, result, latency] = c.rejected;
            message::say(format!(
                "cpu {cpu}: rejected {number} calls by number, {process} by process, {user} by user, {result} by result, {latency} by latency"
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
        }
        return Exit::Error;
    }
    if lost > 0 && config.fail_on_loss {
        return Exit::Lost;
    }
    Exit::Ok
}
