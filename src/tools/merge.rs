//! `sysreel merge`: several reels as one, in order of time.
//!
//! Enters: reels of one architecture. Leaves: one reel that knows which host each event is of. Never: more than the block
//! of each file in which the merge stands; files that begin later wait unopened.
//!
//! Reels of one boot of one host share its boot clock: that orders them, and all their times stay as they are. Between
//! hosts only the wall clocks can be compared. A reel of several hosts has wall times throughout (its blocks say that both
//! clocks are one), events of each host in their own order whatever its wall clock did.

use std::sync::Arc;

use super::input::{Input, name_of};
use super::target::{Lane, Target};
use crate::batch::{Bitmap, Columns, Edit, Meta};
use crate::config::Place;
use crate::exit::Exit;
use crate::message;
use crate::reel::{Header, Stored, Totals};
use crate::schema::{LOST, Schema, Shape};

/// What was typed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Options {
    /// The reels.
    pub from: Vec<Place>,
    /// The new reel.
    pub to: Place,
    /// It may replace a file.
    pub force: bool,
}

/// Two captures with clocks as near as this (ns) and the same host name are of one boot.
const SAME_CLOCK: i64 = 10_000_000;
/// Most hosts that a reel can number.
const MOST_HOSTS: usize = u16::MAX as usize;

/// A boot clock, and what it says of the wall clock.
struct Clock {
    host: Option<String>,
    offset: u64,
}

/// A file on its way.
struct Stream {
    place: Place,
    input: Option<Input>,
    over: bool,
    /// Which clock it has.
    clock: usize,
    /// Its hosts' numbers in the new reel.
    hosts: Vec<u16>,
    block: Option<(Stored, Lane)>,
    row: usize,
    /// Boot and wall time of its next row.
    next: (u64, u64),
    damages: u64,
}

/// What the copier changes.
struct Shift<'a> {
    hosts: &'a [u16],
    /// The block's clocks, if its times become those of the wall clock.
    meta: Option<Meta>,
}

impl Edit for Shift<'_> {
    fn time(&self, time: u64) -> u64 {
        self.meta.map_or(time, |meta| meta.wall_of(time))
    }
    fn host(&self, host: u16) -> u16 {
        self.hosts.get(usize::from(host)).copied().unwrap_or(host)
    }
}

/// What all the headers come to.
struct Plan {
    header: Header,
    shapes: Vec<Option<Shape>>,
    hosts: Vec<String>,
    clocks: Vec<Clock>,
}

fn refuse(text: String) -> Exit {
    message::say(text);
    Exit::Error
}

/// Merges.
pub fn run(options: &Options) -> Result<Exit, Exit> {
    let mut plan: Option<Plan> = None;
    let mut streams = Vec::new();
    for place in &options.from {
        streams.push(look(place, &mut plan)?);
    }
    let Some(mut plan) = plan else { return Err(refuse("nothing to merge".into())) };
    let one = plan.clocks.len() == 1;
    if plan.hosts.len() > 1 || !one {
        plan.header.hosts = plan.hosts.clone();
    }
    if !one {
        plan.header.boot = plan.header.wall;
    }
    let schema = Schema::from_shapes(plan.header.arch, plan.shapes.into_iter().flatten());
    let schema = Arc::new(schema.with_hosts(&plan.hosts).with_tags(&plan.header.tags));
    let mut target = Target::create(&options.to, options.force, &plan.header, &schema)?;
    let mut merge =
        Merge { streams, one, start: plan.header.boot, offset: plan.clocks.first().map_or(0, |c| c.offset) };
    let (mut events, mut lost) = (0u64, 0u64);
    while let Some((at, limit)) = merge.choose() {
        merge.pass(at, limit, &mut target, &mut events, &mut lost)?;
    }
    for stream in &merge.streams {
        target.learn_containers(stream.input.as_ref().map_or(&[][..], |input| &input.containers))?;
    }
    let ends: Vec<Totals> = merge.streams.iter_mut().filter_map(|s| s.input.as_mut()?.end.take()).collect();
    let filtered = ends.iter().fold(0u64, |sum, end| sum.saturating_add(end.filtered));
    // A filtered capture may have lost what no block of it says.
    let known = ends.iter().fold(0u64, |sum, end| sum.saturating_add(end.lost));
    let lost = lost.max(known);
    target.finish(Totals {
        produced: events.saturating_add(lost).saturating_add(filtered),
        written: events,
        filtered,
        lost,
        notes: ends.into_iter().flat_map(|end| end.notes).collect(),
        ..Totals::default()
    })?;
    message::say(format!("{events} events written, {lost} lost, {} files", merge.streams.len()));
    let damaged = merge.streams.iter().any(|s| s.damages > 0);
    Ok(if damaged { Exit::Damaged } else { Exit::Ok })
}

/// Reads a file's header and the front of its first block, and lets go of it again if it can be opened anew.
fn look(place: &Place, plan: &mut Option<Plan>) -> Result<Stream, Exit> {
    let mut input = Input::open(place)?;
    input.show_snapshots();
    input.keep_containers();
    let header = input.header().clone();
    let plan = match plan {
        Some(plan) => {
            plan.join(&header, input.schema())
                .map_err(|why| refuse(format!("{} cannot be merged: {why}", input.name())))?;
            plan
        }
        None => plan.insert(Plan::of(&header, input.schema())),
    };
    let regular = matches!(place, Place::File(path) if path.metadata().is_ok_and(|m| m.is_file()));
    let first = input.block();
    let meta = first.as_ref().map_or(
        Meta { start_time: header.boot, boot: header.boot, wall: header.wall, host: 0 },
        Stored::meta,
    );
    let clock = plan.clock(&header, &meta);
    let hosts = plan.number(header.host_list()).ok_or_else(|| refuse("too many hosts".into()))?;
    plan.tag(&header.tags, &hosts);
    let next = first.as_ref().map_or((0, 0), |b| (b.time_range().0, meta.wall_of(b.time_range().0)));
    let mut stream = Stream {
        place: place.clone(),
        input: None,
        over: first.is_none(),
        clock,
        hosts,
        block: None,
        row: 0,
        next,
        damages: 0,
    };
    if regular && first.is_some() {
        return Ok(stream);
    }
    // A pipe, or a file without a block: it stays open as it is.
    stream.damages = input.damages;
    stream.input = Some(input);
    if let Some(block) = first {
        stream.hold(block);
    }
    Ok(stream)
}

impl Plan {
    fn of(header: &Header, schema: &Schema) -> Plan {
        let mut shapes: Vec<Option<Shape>> = schema.shapes().map(|_| None).collect();
        for shape in schema.listed() {
            if let Some(slot) = shapes.get_mut(usize::from(shape.code)) {
                *slot = Some(shape.clone());
            }
        }
        let header = Header {
            version: env!("CARGO_PKG_VERSION").into(),
            hosts: Vec::new(),
            tags: Vec::new(),
            ..header.clone()
        };
        Plan { header, shapes, hosts: Vec::new(), clocks: Vec::new() }
    }

    /// Takes a further file in; says why it does not fit.
    fn join(&mut self, header: &Header, schema: &Schema) -> Result<(), String> {
        if header.arch != self.header.arch {
            return Err(format!(
                "it is of {}, the first file of {}",
                header.arch.name(),
                self.header.arch.name()
            ));
        }
        for shape in schema.listed() {
            match self.shapes.get_mut(usize::from(shape.code)) {
                Some(slot @ None) => *slot = Some(shape.clone()),
                Some(Some(known)) if *known == *shape => {}
                _ => {
                    let name = message::name(&*shape.name);
                    return Err(format!("{name} has other arguments in it than in the files before"));
                }
            }
        }
        let all = &mut self.header;
        if header.wall < all.wall {
            (all.wall, all.boot) = (header.wall, header.boot);
        }
        all.cpus = all.cpus.max(header.cpus);
        all.snaplen = all.snaplen.min(header.snaplen);
        for hook in &header.hooks {
            if !all.hooks.contains(hook) {
                all.hooks.push(hook.clone());
            }
        }
        if all.kernel != header.kernel && !all.kernel.split(", ").any(|k| k == header.kernel) {
            all.kernel = format!("{}, {}", all.kernel, header.kernel);
        }
        if all.filter != header.filter {
            let both = !all.filter.is_empty() && !header.filter.is_empty();
            all.filter =
                if both { format!("({}) or ({})", all.filter, header.filter) } else { String::new() };
        }
        if all.command != header.command {
            all.command.clear();
        }
        Ok(())
    }

    fn clock(&mut self, header: &Header, meta: &Meta) -> usize {
        let offset = meta.wall.wrapping_sub(meta.boot);
        // What was merged before has no boot clock of its own any more.
        let host = header.hosts.is_empty().then(|| header.hostname.clone());
        let same = |c: &Clock| {
            host.is_some()
                && c.host == host
                && (c.offset.wrapping_sub(offset) as i64).unsigned_abs() <= SAME_CLOCK as u64
        };
        self.clocks.iter().position(same).unwrap_or_else(|| {
            self.clocks.push(Clock { host, offset });
            self.clocks.len() - 1
        })
    }

    /// Tags name hosts by their new numbers.
    fn tag(&mut self, tags: &[String], hosts: &[u16]) {
        for tag in tags {
            let Some((host, rest)) = tag.split_once(':') else { continue };
            let Some(new) = host.parse().ok().and_then(|h: usize| hosts.get(h)) else { continue };
            let tag = format!("{new}:{rest}");
            if !self.header.tags.contains(&tag) {
                self.header.tags.push(tag);
            }
        }
    }

    fn number(&mut self, hosts: &[String]) -> Option<Vec<u16>> {
        let mut place = |name: &String| {
            let at = self.hosts.iter().position(|h| h == name).unwrap_or_else(|| {
                self.hosts.push(name.clone());
                self.hosts.len() - 1
            });
            u16::try_from(at).ok().filter(|_| at < MOST_HOSTS)
        };
        hosts.iter().map(&mut place).collect()
    }
}

struct Merge {
    streams: Vec<Stream>,
    /// All files have one clock.
    one: bool,
    /// The start of the whole, on the clock of the new file.
    start: u64,
    /// Wall minus boot of the one clock.
    offset: u64,
}

impl Merge {
    /// The file whose row is next, and up to which boot and wall time its rows may follow it.
    fn choose(&mut self) -> Option<(usize, (u64, u64))> {
        loop {
            let (at, limit) = self.best()?;
            let stream = self.streams.get_mut(at)?;
            if stream.block.is_some() {
                return Some((at, limit));
            }
            stream.load();
        }
    }

    fn best(&self) -> Option<(usize, (u64, u64))> {
        // Within a clock by boot time, between clocks by wall time; the files' order settles what is equal.
        let mut heads: Vec<(usize, usize)> = Vec::new();
        for (i, s) in self.streams.iter().enumerate().filter(|(_, s)| !s.over) {
            match heads.iter_mut().find(|(clock, _)| *clock == s.clock) {
                Some((_, best)) if self.streams.get(*best).is_some_and(|b| s.next.0 < b.next.0) => *best = i,
                Some(_) => {}
                None => heads.push((s.clock, i)),
            }
        }
        let wall = |i: usize| self.streams.get(i).map_or(u64::MAX, |s| s.next.1);
        let &(clock, at) = heads.iter().min_by_key(|(_, i)| (wall(*i), *i))?;
        let others = heads.iter().filter(|(_, i)| *i != at).map(|(_, i)| wall(*i));
        let mates = self.streams.iter().enumerate().filter(|(i, s)| *i != at && !s.over && s.clock == clock);
        let boot = mates.map(|(_, s)| s.next.0).min().unwrap_or(u64::MAX);
        Some((at, (boot, others.min().unwrap_or(u64::MAX))))
    }

    /// Copies rows of a file while they come before those of all others: at least one.
    fn pass(
        &mut self,
        at: usize,
        limit: (u64, u64),
        target: &mut Target,
        events: &mut u64,
        lost: &mut u64,
    ) -> Result<(), Exit> {
        let Some(stream) = self.streams.get_mut(at) else { return Ok(()) };
        let (Some((block, lane)), Some(input)) = (&mut stream.block, &stream.input) else { return Ok(()) };
        let schema = input.schema().clone();
        let view = block.view(&schema);
        let shift = Shift { hosts: &stream.hosts, meta: (!self.one).then_some(view.meta) };
        let meta = if self.one {
            let own = view.meta.wall.wrapping_sub(view.meta.boot);
            let near = (own.wrapping_sub(self.offset) as i64).unsigned_abs() <= SAME_CLOCK as u64;
            let offset = if near { self.offset } else { own };
            Meta { start_time: self.start, boot: 0, wall: offset, host: 0 }
        } else {
            Meta { start_time: self.start, boot: 0, wall: 0, host: 0 }
        };
        if block.is_snapshot() {
            let mut rows = Bitmap::default();
            rows.reset(view.rows, true);
            target.snapshot(&view, &rows, meta, &shift)?;
            stream.row = view.rows;
        }
        let mut first = true;
        while stream.row < view.rows {
            let boot = view.time.get(stream.row).copied().unwrap_or(0);
            let now = (boot, view.meta.wall_of(boot));
            if !first && (now.0 >= limit.0 || now.1 >= limit.1) {
                stream.next = now;
                return Ok(());
            }
            first = false;
            target.row(lane, &view, stream.row, meta, &shift)?;
            match view.call.get(stream.row) {
                Some(&LOST) => {
                    *lost = lost.saturating_add(view.words_of(stream.row).first().copied().unwrap_or(0));
                }
                _ => *events += 1,
            }
            stream.row += 1;
        }
        stream.block = None;
        stream.load();
        Ok(())
    }
}

impl Stream {
    fn hold(&mut self, mut block: Stored) {
        let Some(input) = &mut self.input else { return };
        match block.load(Columns::ALL) {
            Ok(()) => {
                let schema = input.schema().clone();
                let view = block.view(&schema);
                let boot = view.time.first().copied().unwrap_or(0);
                self.next = (boot, view.meta.wall_of(boot));
                let lane = Lane::new(&view);
                self.row = 0;
                self.block = Some((block, lane));
            }
            Err(damage) => {
                input.complain(&damage);
                self.damages = input.damages;
            }
        }
    }

    /// Reads on to the next whole block with rows, opening the file if it waited.
    fn load(&mut self) {
        if self.input.is_none() {
            match Input::open(&self.place) {
                Ok(mut input) => {
                    input.show_snapshots();
                    input.keep_containers();
                    self.input = Some(input);
                }
                Err(_) => {
                    message::say(format!("{} is not what it was a moment ago", name_of(&self.place)));
                    (self.over, self.damages) = (true, self.damages + 1);
                }
            }
        }
        while !self.over && self.block.is_none() {
            let found = self.input.as_mut().and_then(Input::block);
            self.damages = self.input.as_ref().map_or(self.damages, |i| i.damages);
            match found {
                Some(block) if block.rows() > 0 => self.hold(block),
                Some(_) => {}
                None => {
                    self.over = true;
                    if let Some(input) = &self.input {
                        input.close();
                    }
                }
            }
        }
    }
}
