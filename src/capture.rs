//! A live capture, from the probe to the sink.
//!
//! Enters: a configuration whose source is live. Leaves: events in the sink, totals on stderr, an exit status. Never: the
//! details of any stage; this is the order in which they are called.

mod bounds;
mod budget;
mod end;
mod flight;
mod groups;
mod out;
mod pace;
pub mod scope;
mod snapshot;

use std::io::IsTerminal;

use std::sync::Arc;

use crate::batch::{Builder, Columns, Meta};
use crate::config::{Config, Flush, Live, Place, Scope, Sink};
use crate::exit::Exit;
use crate::files::{self, Tally};
use crate::filter::{Bounds, CodeSet, Filter, both};
use crate::handoff::Manner;
use crate::message;
use crate::outlet::Patience;
use crate::recorder::{How, Recorder};
use crate::reel::Header;
use crate::run::Child;
use crate::schedule::{Schedule, Wishes};
use crate::schema::{self, Arch, Schema};
use crate::select::Selector;
use crate::selfcheck::check;
use crate::sink::Printer;
use crate::source::abi;
use crate::source::live::kin;
use crate::source::live::plan::{Interest, Snaplen, plans};
use crate::source::live::{Beside, Clocks, Options, Probe, Rings, boot_now, wall_now};
use crate::state::State;
use crate::users::Users;

/// Time given to reading /proc between two drains, ns.
const SCAN_SLICE: u64 = 3_000_000;
/// The same at the start, before the first record is read, ns.
const FIRST_SCAN: u64 = 300_000_000;
/// A CPU that is inside a hook holds its records back for 100 ms at most, ns.
const BUSY: u64 = 120_000_000;
/// An open block of a reel is closed after this time …
const BLOCK_AGE: u64 = 1_000_000_000;
/// … or this, if it holds almost nothing.
const QUIET_BLOCK_AGE: u64 = 10_000_000_000;
/// Rows that are almost nothing.
const ALMOST_NOTHING: usize = 64;

/// Bytes of all rings unless `--ring` says otherwise: enough for seconds of heavy load, and never a burden on a small host.
pub fn default_ring(cpus: u64) -> u64 {
    let memory = std::fs::read_to_string("/proc/meminfo").ok().and_then(|m| {
        let line = m.lines().find_map(|l| l.strip_prefix("MemTotal:"))?;
        line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()
    });
    let by_memory = memory.unwrap_or(1 << 20) * 1024 / 64;
    by_memory.min(128 << 20).max(cpus * (256 << 10))
}

use budget::Budget;
pub use end::conclude;
use end::finish;
use groups::Groups;
use out::{Out, place_name, printed, prints_given, waits_for_reader};
use pace::Pace;
use scope::{leave_out, mark, no_process};
use snapshot::Snapshots;

struct Capture<'s> {
    schema: &'s Schema,
    state: State<'s>,
    selector: Selector,
    builder: Box<Builder>,
    generation: u32,
    out: Out,
    /// The output was given up: rows are only counted.
    given_up: bool,
    /// Rows of the open block that have been selected already.
    done: usize,
    start: u64,
    opened: u64,
    last_time: u64,
    first_time: u64,
    flush: bool,
    clock: Clocks,
    /// Codes of which records become rows.
    interest: CodeSet,
    snapshots: Snapshots,
    /// All that happened before this time has been taken in.
    drained: u64,
    groups: Groups,
}

/// What a look at the rings gave.
#[derive(Clone, Copy, Default)]
struct Step {
    /// They were looked at.
    looked: bool,
    records: u64,
    /// There may be more at once.
    more: bool,
}

impl Step {
    /// Nothing was in them.
    fn is_empty(&self) -> bool {
        self.looked && self.records == 0
    }
}

impl Capture<'_> {
    /// Empties the rings as far as is certain, or of so many records, and passes on what came. Nothing while there is no
    /// room for it.
    fn step(&mut self, rings: &mut Rings, most: u64) -> Step {
        if !self.given_up && !self.out.has_room() {
            return Step::default();
        }
        self.state.learn_containers();
        let now = boot_now();
        if let Some(since) = rings.lost_changes() {
            // Records of other CPUs may stand before the one that tells where. What was lost may be younger than `now`.
            self.state.blind(since, boot_now());
        }
        let (state, builder, interest) = (&mut self.state, &mut self.builder, &self.interest);
        let wanted = |code: u16| interest.has(code);
        let mut left = most;
        let drained = rings.drain(now, |cpu, bytes| {
            state.take(cpu, bytes, &wanted, builder);
            left = left.saturating_sub(1);
            left > 0 && !builder.is_full()
        });
        self.pass_on(now);
        if !drained.stopped && !drained.pressed {
            self.drained = now.saturating_sub(BUSY);
        }
        Step { looked: true, records: drained.records, more: drained.stopped || drained.pressed }
    }

    /// Selects among the new rows and gives them to the sink.
    fn pass_on(&mut self, now: u64) {
        let rows = self.builder.rows();
        if rows > self.done {
            if self.done == 0 {
                let (boot, wall) = self.clock.pair();
                self.builder.set_meta(Meta { start_time: self.start, boot, wall, host: 0 });
                self.opened = now;
            }
            let view = self.builder.view(self.schema);
            if self.first_time == 0 {
                self.first_time = view.time.first().copied().unwrap_or(0);
            }
            self.last_time = view.time.last().copied().unwrap_or(self.last_time);
            let selection = self.selector.select(&view, self.done..rows);
            match &mut self.out {
                _ if self.given_up => self.builder.truncate(0),
                Out::Nothing => self.builder.truncate(0),
                Out::Print(p) => {
                    for row in selection.iter() {
                        p.row(&view, row);
                    }
                    p.pass_on();
                    self.builder.truncate(0);
                }
                Out::Reel(_) => self.builder.compact(self.done, selection),
            }
            self.done = self.builder.rows();
        }
        self.maybe_close(now);
    }

    /// Closes the open block if it is full or old enough.
    fn maybe_close(&mut self, now: u64) {
        let rows = self.builder.rows();
        let age = now.saturating_sub(self.opened);
        let old = age >= if rows < ALMOST_NOTHING { QUIET_BLOCK_AGE } else { BLOCK_AGE };
        if self.builder.is_full() || (rows > 0 && (old || self.flush)) {
            self.close();
        }
    }

    fn close(&mut self) {
        self.generation += 1;
        // First of all: this block may be the last of its file.
        if let Out::Reel(recorder) = &mut self.out
            && let Some(news) = self.state.news_of_containers()
        {
            recorder.containers(news);
        }
        if let Out::Reel(recorder) = &mut self.out
            && self.builder.rows() > 0
        {
            self.builder.close();
            let seen = self.state.seen();
            let tally = Tally {
                produced: seen.rows + seen.lost,
                filtered: seen.rows.saturating_sub(self.selector.matched),
                lost: seen.lost,
                state_only: seen.state,
            };
            let full = std::mem::take(&mut self.builder);
            self.builder = recorder.block(full, tally);
        }
        self.builder.reset(self.generation);
        self.selector.next_block();
        self.done = 0;
    }

    /// Does what signals and the clock ask for.
    fn heed(&mut self, wishes: &Wishes, schedule: &mut Schedule, probe: &Probe, live: &Live) {
        if wishes.totals() {
            let seen = self.state.seen();
            message::say(format!(
                "so far: {} events, {} passed the filter, {} lost",
                seen.rows, self.selector.matched, seen.lost
            ));
            flight::tell(self, probe, live);
        }
        let turn = wishes.rotate() | schedule.turns();
        if turn || wishes.flush() {
            self.close();
            if let Out::Reel(recorder) = &mut self.out {
                if turn { recorder.turn() } else { recorder.flush() }
            }
        }
    }

    fn is_over(&self) -> bool {
        self.selector.is_done() || self.out.is_closed()
    }
}

/// Runs a live capture to its end.
pub fn run(config: &Config, live: &Live) -> Exit {
    let uname = rustix::system::uname();
    let schema = Schema::native(Arch::NATIVE).with_hosts(&[uname.nodename().to_string_lossy()]);
    let schema = Arc::new(schema.with_tags(&live.tags));
    let filter = match Filter::parse_within(&config.only, &config.filter, &schema) {
        Ok(filter) => filter,
        Err(errors) => {
            message::raw(&errors.render(&config.filter));
            return Exit::Usage;
        }
    };
    if config.explain {
        return match message::listing(&filter.explain(&schema)) {
            Ok(()) => Exit::Ok,
            Err(_) => Exit::Error,
        };
    }
    if let Sink::Reel { to: Place::File(path), .. } = &config.sink
        && config.files.rotates()
        && let Err(text) = files::check_name(path)
    {
        message::say(text);
        return Exit::Usage;
    }
    if let Scope::Pids(pids) = &live.scope
        && let Some(text) = pids.iter().find_map(|pid| no_process(&live.proc, *pid))
    {
        message::say(text);
        return Exit::Usage;
    }
    let command = match &live.scope {
        Scope::Command { argv, user } => Some((argv, user)),
        _ => None,
    };
    let ours = if command.is_some() { Exit::StartFailed } else { Exit::Error };
    let failed = |text: &dyn std::fmt::Display| {
        message::say(text);
        ours
    };
    // Before anything that could fail is held open: the command inherits limits and directory as they are now.
    let mut child = match command.map(|(argv, user)| Child::prepare(argv, user.as_deref())).transpose() {
        Ok(child) => child,
        Err(e) => {
            message::say(&e);
            return e.exit;
        }
    };
    // Threads that are started from here on have it too; the command is there already, with what it inherited.
    if let Some(nice) = live.nice
        && let Err(e) = rustix::process::setpriority_process(None, i32::from(nice))
    {
        return failed(&format!("cannot have --nice {nice}: {e}"));
    }
    let cpus = std::thread::available_parallelism().map_or(1, |n| n.get() as u64);
    let ring = live.ring.unwrap_or_else(|| default_ring(cpus));
    let counts = filter.counts();
    let filter_codes = if counts { CodeSet::all() } else { filter.codes().clone() };
    let limits = if counts { Bounds::default() } else { filter.bounds().clone() };
    let options = Options {
        ring,
        scoped: live.scope != Scope::Host,
        entry: live.latency,
        rt_sigreturn: u32::from(schema.code("rt_sigreturn").unwrap_or(15)),
        env: live.env,
        bounds: bounds::of(&limits).what,
        // A filter that names such an event asks for it.
        beside: Beside {
            switches: live.beside.switches || filter.names(schema::SWITCH),
            signals: live.beside.signals
                || filter.names(schema::SIGNAL)
                || filter.names(schema::SIGNALDELIVER),
            faults: live.beside.faults || filter.names(schema::PAGE_FAULT),
        },
    };
    let (mut probe, mut rings) = match Probe::load(options) {
        Ok(loaded) => loaded,
        Err(e) => return failed(&e),
    };
    let users = Users::host(&live.proc);
    let mut state = State::new(&schema, &live.proc, users, boot_now).asking(kin::tables);
    if live.no_ancestors {
        state = state.without_ancestors();
    }
    if live.env {
        state = state.with_environments();
    }
    let start = boot_now();
    let selector = Selector::new(filter, config.limit);
    if let Err(e) = probe.attach() {
        return failed(&e);
    }
    let (findings, facts, next) = check(&probe, &mut rings, &schema, live.latency);
    for f in &findings {
        if let Some(wrong) = &f.wrong {
            message::say(format!(
                "the probe does not see {} rightly on this kernel ({wrong}); they are not shown as certain",
                f.what
            ));
        }
    }
    let mut without = Vec::new();
    if !live.include_self && live.scope == Scope::Host {
        without = leave_out(&probe, live, &config.sink, true);
    }
    let mut interest = Interest::new(&schema, true, |code| filter_codes.has(code));
    interest.facts = facts;
    interest.env = live.env;
    interest.bounded = !limits.is_unbounded();
    interest.some = limits.procs.is_some();
    probe.set_bounds(&bounds::of(&limits));
    // Marks before plans: nothing is rejected for a mark that is still to come.
    let marked = limits.procs.as_ref().map(|procs| bounds::mark(&probe, &live.proc, procs));
    if marked.is_some() {
        state.follow_some();
    }
    if limits.groups {
        state.judge_groups();
    }
    interest.files = selector.filter().columns().and(printed(&config.sink)).has(Columns::REFS);
    let asks_given = selector.filter().uses().any(|field| field.name == "fd.nameraw");
    interest.given = asks_given || prints_given(&config.sink);
    probe.set_plans(&plans(&schema, &interest, Snaplen(live.snaplen)));
    // Whoever waits for the file may send a signal as soon as it is there. A pipe may have to wait for its reader: signals
    // still end that.
    let with_command = child.is_some();
    let listen = || Wishes::listen(with_command, hangup_rotates(config));
    let listening = (!waits_for_reader(&config.sink)).then(listen);
    // Only now, when nothing but writing itself can fail: an attempt that was refused leaves no file.
    let out = match &config.sink {
        Sink::Nothing => Out::Nothing,
        Sink::Print { to, form, colour } => {
            let each = config.flush != Flush::Auto;
            match Printer::new(to, form, *colour, each, Manner::Keep) {
                Ok(p) => Out::Print(p),
                Err(e) => {
                    message::say(format!("{e:#}"));
                    return match (command.is_some(), Printer::is_usage_error(form)) {
                        (true, _) => Exit::StartFailed,
                        (false, true) => Exit::Usage,
                        (false, false) => Exit::Error,
                    };
                }
            }
        }
        Sink::Reel { to, force } => {
            let header = header(config, live, start, cpus as u32, &probe);
            let how = How {
                force: *force,
                flush: config.flush == Flush::Event,
                files: config.files.clone(),
                manner: Manner::Keep,
            };
            match Recorder::new(to, &how, &header, schema.clone()) {
                Ok(r) => Out::Reel(r),
                Err(e) => return failed(&format!("cannot write {}: {e}", place_name(to))),
            }
        }
    };
    let mut capture = Capture {
        schema: &schema,
        state,
        selector,
        builder: Box::new(Builder::new()),
        generation: 1,
        out,
        given_up: false,
        done: 0,
        start,
        opened: start,
        last_time: 0,
        first_time: 0,
        flush: config.flush == Flush::Event,
        clock: Clocks::default(),
        interest: filter_codes.clone(),
        snapshots: Snapshots::new(config.snapshot, without),
        drained: 0,
        groups: Groups::default(),
    };
    for (cpu, next) in next.into_iter().enumerate() {
        capture.state.expect(cpu, next);
    }
    let wishes = listening.unwrap_or_else(listen);
    let mut schedule = Schedule::new(config.files.every, config.duration);
    match &live.scope {
        Scope::Host => {
            // Most of it before the first record is read: a process that forks then has a parent that is known. The rings
            // hold what happens meanwhile.
            capture.state.plan_scan();
            marked.iter().flatten().for_each(|pid| drop(capture.state.read(*pid)));
            capture.state.read_some(boot_now() + FIRST_SCAN);
        }
        Scope::Pids(pids) => {
            // What they have open is known before their first record is read: with very many descriptors that takes longer
            // than such a process may live.
            for pid in mark(&probe, &live.proc, pids) {
                capture.state.read(pid);
            }
        }
        Scope::Command { .. } => {
            if let Some(c) = &mut child {
                capture.state.meet(c.pid());
                probe.set_scope(c.pid(), abi::SCOPE_AT_EXEC);
                if let Err(e) = c.release() {
                    message::say(&e);
                    let _ = finish(capture, rings, probe, config, live, &mut Patience::new(|| true));
                    return e.exit;
                }
            }
        }
    }

    message::hurry(true);
    let mut status = None;
    let mut pace = Pace::new(child.is_none(), ring / cpus);
    let mut looked_again = live.include_self || live.scope != Scope::Host;
    let mut budget = live.max_cpu.map(Budget::new);
    loop {
        let pause = budget.as_mut().and_then(Budget::pause);
        let most = if budget.is_some() { budget::RECORDS } else { u64::MAX };
        let step = if pause.is_some() { Step::default() } else { capture.step(&mut rings, most) };
        capture.heed(&wishes, &mut schedule, &probe, live);
        // While the command runs, signals are its business; what it left behind may be waited for or not.
        let stopped = wishes.stop() && (child.is_none() || status.is_some());
        if capture.is_over() || stopped || schedule.is_over() {
            break;
        }
        if let Some(c) = &mut child {
            status = status.or_else(|| c.try_wait());
            if status.is_some() && step.is_empty() && !capture.state.any_alive() {
                break;
            }
        }
        if !looked_again && boot_now() > start + 300_000_000 {
            // A pipeline's later commands may have started after us.
            leave_out(&probe, live, &config.sink, true);
            looked_again = true;
        }
        if let Some(pause) = pause {
            std::thread::sleep(pause);
            continue;
        }
        let scanning = capture.state.read_some(boot_now() + SCAN_SLICE);
        let judging = capture.judge(&probe, boot_now() + SCAN_SLICE);
        let more = !scanning && !step.more && capture.snapshot();
        if !step.more && !scanning && !judging && !more {
            capture.out.rest(pace.pause(step.records));
        }
    }
    message::hurry(schedule.is_over());
    let mut patience = Patience::new(|| wishes.stop() || schedule.is_over());
    let (outcome, lost) = finish(capture, rings, probe, config, live, &mut patience);
    if let (Some(c), None) = (&mut child, status) {
        // Asked to stop after N events, or the output is gone: the command itself goes on to its end.
        status = Some(c.wait());
    }
    let exit = conclude(&outcome, config, lost);
    match status {
        Some(status) if exit == Exit::Ok => status.into(),
        _ => exit,
    }
}

/// A hang-up means "a new file" to a capture that nobody watches, and the end to one on a terminal.
fn hangup_rotates(config: &Config) -> bool {
    let to_file = matches!(&config.sink, Sink::Reel { to: Place::File(_), .. });
    to_file && (config.files.rotates() || !std::io::stderr().is_terminal())
}

fn header(config: &Config, live: &Live, start: u64, cpus: u32, probe: &Probe) -> Header {
    let uname = rustix::system::uname();
    Header {
        hostname: uname.nodename().to_string_lossy().into_owned(),
        kernel: uname.release().to_string_lossy().into_owned(),
        boot: start,
        wall: wall_now().wrapping_sub(boot_now().wrapping_sub(start)),
        cpus,
        hooks: probe.hooks(),
        tags: live.tags.clone(),
        snaplen: live.snaplen,
        filter: both(&config.only, &config.filter),
        command: match &live.scope {
            Scope::Command { argv, .. } => argv.iter().map(|a| a.to_string_lossy().into_owned()).collect(),
            _ => Vec::new(),
        },
        ..Header::default()
    }
}
