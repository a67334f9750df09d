//! `sysreel stuck`: one look at the calls that have not returned.
//!
//! Enters: a configuration. Leaves: a line for each thread that is in a call and passes the filter, the longest first, and
//! totals on stderr. Never: the probe; /proc alone tells, and for how long it tells as a lower bound.

use std::cell::RefCell;
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::batch::{Builder, Meta, NO_LATENCY, row_flags};
use crate::capture::conclude;
use crate::capture::scope::{children, no_process};
use crate::config::{Config, Live, Scope, Sink};
use crate::decode::Record;
use crate::exit::Exit;
use crate::filter::{CodeSet, Filter};
use crate::handoff::Manner;
use crate::message;
use crate::output;
use crate::schema::{Arch, Schema};
use crate::select::Selector;
use crate::sink::Printer;
use crate::source::flight::{Flight, Looker, Sight};
use crate::source::live::plan::Snaplen;
use crate::source::live::{Clocks, boot_now};
use crate::state::{InFlight, State};
use crate::users::Users;

/// Silence after which is said which process keeps us waiting.
const PATIENCE: Duration = Duration::from_secs(3);

/// Says which process is being looked at if that takes long: its memory, or a file of its, may belong to what hangs.
#[derive(Default)]
struct Watch(Arc<AtomicU32>);

impl Watch {
    fn start() -> Watch {
        let watch = Watch::default();
        let now = Arc::downgrade(&watch.0);
        std::thread::spawn(move || {
            let mut last = 0;
            loop {
                std::thread::sleep(PATIENCE);
                let Some(pid) = now.upgrade().map(|now| now.load(Ordering::Relaxed)) else { return };
                if pid != 0 && pid == last {
                    message::say(format!(
                        "process {pid} keeps us waiting: what it has in /proc does not answer"
                    ));
                }
                last = pid;
            }
        });
        watch
    }

    fn at(&self, pid: u32) {
        self.0.store(pid, Ordering::Relaxed);
    }
}

/// Counts of what was looked at.
#[derive(Default)]
struct Seen {
    threads: u64,
    running: u64,
    refused: u64,
}

/// A call, and whether its thread ran after the names of its descriptors had been read.
struct Found {
    flight: Box<Flight>,
    uncertain: bool,
}

/// Looks, prints, and ends.
pub fn run(config: &Config, live: &Live) -> Exit {
    let uname = rustix::system::uname();
    let schema = Schema::native(Arch::NATIVE).on(&uname.nodename().to_string_lossy());
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
    let Sink::Print { to, form, colour } = &config.sink else { return Exit::Usage };
    if let Scope::Pids(pids) = &live.scope
        && let Some(text) = pids.iter().find_map(|pid| no_process(&live.proc, *pid))
    {
        message::say(text);
        return Exit::Usage;
    }
    let mut printer = match Printer::new(to, form, *colour, false, Manner::Wait(None)) {
        Ok(printer) => printer,
        Err(e) => {
            message::say(format!("{e:#}"));
            return if Printer::is_usage_error(form) { Exit::Usage } else { Exit::Error };
        }
    };
    let looker = Looker::new(&live.proc, &schema, Snaplen(live.snaplen));
    let mut state = State::new(&schema, &live.proc, Users::host(&live.proc), boot_now);
    let codes = if filter.counts() { CodeSet::all() } else { filter.codes().clone() };
    let mut seen = Seen::default();
    let mut found = Vec::new();
    let watch = Watch::start();
    for pid in processes(&looker, live) {
        watch.at(pid);
        look(&looker, &mut state, pid, &codes, &mut seen, &mut found);
    }
    watch.at(0);
    let ages = looker.ages(&found.iter().map(|f| &*f.flight).collect::<Vec<_>>());
    let time = boot_now();
    let mut all: Vec<(Found, Option<u64>)> = found.into_iter().zip(ages).collect();
    // What is not known is last.
    all.sort_by_key(|(f, age)| (std::cmp::Reverse(*age), f.flight.tid));

    let mut selector = Selector::new(filter, config.limit);
    let mut builder = Builder::new();
    let (mut generation, calls) = (1, all.len() as u64);
    let (boot, wall) = Clocks::default().pair();
    let meta = Meta { start_time: time, boot, wall, host: 0 };
    let mut left = all.iter();
    while !selector.is_done() && !printer.is_closed() {
        builder.set_meta(meta);
        for (f, age) in left.by_ref() {
            push(&mut state, f, *age, time, &mut builder);
            if builder.is_full() {
                break;
            }
        }
        if builder.rows() == 0 {
            break;
        }
        let view = builder.view(&schema);
        for row in selector.select(&view, 0..view.rows).iter() {
            printer.row(&view, row);
        }
        printer.pass_on();
        selector.next_block();
        generation += 1;
        builder.reset(generation);
    }
    let outcome =
        printer.finish(&output::Totals { produced: calls, matched: selector.matched, lost: 0 }, None);
    totals(calls, selector.matched, &seen);
    if seen.refused > 0 && calls == 0 {
        message::say("this needs root, or CAP_SYS_PTRACE");
        return Exit::Error;
    }
    conclude(&outcome, config, 0)
}

fn totals(calls: u64, shown: u64, seen: &Seen) {
    let mut text = format!("{} threads, {calls} in calls, {shown} shown", seen.threads);
    for (n, what) in [(seen.running, "running"), (seen.refused, "may not be looked at")] {
        if n > 0 {
            text.push_str(&format!(", {n} {what}"));
        }
    }
    message::say(text);
}

/// The processes to look at: never this one.
fn processes(looker: &Looker, live: &Live) -> Vec<u32> {
    let mut pids = match &live.scope {
        Scope::Pids(pids) => {
            let marked: RefCell<HashSet<u32>> = RefCell::new(pids.iter().copied().collect());
            let is_marked = |pid: u32| marked.borrow().contains(&pid);
            children(&live.proc, is_marked, |pid| marked.borrow_mut().insert(pid))
        }
        _ => looker.processes(),
    };
    let own = looker.own();
    pids.retain(|pid| Some(*pid) != own);
    pids.sort_unstable();
    pids
}

/// Looks at the threads of one process. Its descriptors are read in between: of a thread that did not move meanwhile they are
/// what its call has.
fn look(
    looker: &Looker,
    state: &mut State,
    pid: u32,
    codes: &CodeSet,
    seen: &mut Seen,
    found: &mut Vec<Found>,
) {
    let tids = looker.threads(pid);
    seen.threads += tids.len() as u64;
    let mut still = Vec::new();
    for tid in tids {
        match looker.still(pid, tid) {
            Ok(place) => still.push((tid, place)),
            Err(Sight::Running) => seen.running += 1,
            Err(Sight::Refused) => seen.refused += 1,
            Err(_) => {}
        }
    }
    if still.is_empty() {
        return;
    }
    state.meet(pid);
    let memory = looker.memory(pid);
    for (tid, place) in still {
        match looker.look(pid, tid, memory.as_ref(), |code| codes.has(code)) {
            Sight::Call(flight) => {
                let uncertain = flight.still != place;
                found.push(Found { flight, uncertain });
            }
            Sight::Running => seen.running += 1,
            Sight::Refused => seen.refused += 1,
            Sight::Elsewhere | Sight::Gone => {}
        }
    }
}

fn push(state: &mut State, found: &Found, age: Option<u64>, time: u64, b: &mut Builder) {
    // Without a latency: names are what they were when they were read, just now.
    let bytes = found.flight.record(time, NO_LATENCY);
    let Some(record) = Record::parse(&bytes) else { return };
    let bound = if age.is_some() { row_flags::AT_LEAST } else { 0 };
    let more = InFlight {
        latency: age.unwrap_or(NO_LATENCY),
        cpu: found.flight.cpu,
        flags: bound | row_flags::of_state(found.flight.state),
        uncertain: found.uncertain,
        counted: true,
    };
    state.in_flight(&record, more, b);
}
