//! The tables as of a moment of a capture.
//!
//! Enters: reels. Leaves: of each host its state then: the last whole snapshot before that moment, and what events did since;
//! without a snapshot, what events mention. Never: a block behind that moment beyond its front; of a file, the events before
//! the snapshot.

use std::fs::File;
use std::io::{self, Read};

use super::{Listing, Options};
use crate::batch::{Columns, Meta};
use crate::config::Place;
use crate::exit::Exit;
use crate::message;
use crate::reel::{Block, Damage, Reader, Stored};
use crate::schema::{SNAPSHOT, Schema};
use crate::state::Replay;
use crate::tools::window::{Window, date};

type Input = Reader<Box<dyn Read>>;

/// What a replay reads of a block.
const READ: Columns = Columns::ALL.without(Columns::DELTA.and(Columns::CPU));

/// A reel.
struct Source {
    place: Place,
    name: String,
    reader: Input,
    /// Number of each of its hosts among all.
    hosts: Vec<u16>,
    /// Where its blocks are, and whether they are of snapshots; nothing of a stream.
    blocks: Vec<(u64, bool)>,
}

/// A whole snapshot.
struct Base {
    file: usize,
    blocks: Vec<u64>,
    /// Time of its first row.
    begin: u64,
    /// When it ended, on the wall clock.
    wall: u64,
}

/// A host.
struct Host<'s> {
    name: String,
    base: Option<Base>,
    replay: Replay<'s>,
    meta: Meta,
    /// Events that were taken in, and the wall time of the last.
    events: u64,
    last: u64,
}

fn open(place: &Place) -> Result<(String, Input), Exit> {
    let name = match place {
        Place::Standard => "standard input".to_owned(),
        Place::File(path) => message::name(path),
    };
    let opened = match place {
        Place::Standard => Ok(Reader::new(Box::new(io::stdin().lock()) as Box<dyn Read>)),
        Place::File(path) => File::open(path).and_then(|file| match file.metadata()?.is_dir() {
            true => Err(io::ErrorKind::IsADirectory.into()),
            false => {
                Ok(Reader::open(file).unwrap_or_else(|pipe| Reader::new(Box::new(pipe) as Box<dyn Read>)))
            }
        }),
    };
    let reader = opened.map_err(|e| {
        message::say(format!("cannot read {name}: {e}"));
        Exit::Error
    })?;
    let mut reader = reader.map_err(|damage| {
        message::say(format!("{name}: {damage}"));
        Exit::Damaged
    })?;
    reader.show_snapshots();
    Ok((name, reader))
}

impl Source {
    fn open(place: &Place) -> Result<Source, Exit> {
        let (name, reader) = open(place)?;
        Ok(Source { place: place.clone(), name, reader, hosts: Vec::new(), blocks: Vec::new() })
    }

    /// Finds the blocks of a file: by its index, or front by front.
    fn look(&mut self, damages: &mut u64) -> Result<(), Exit> {
        if !self.reader.is_file() {
            return Ok(());
        }
        if let Some(index) = self.reader.index() {
            let snapshots = index.totals.snapshots.iter().map(|e| (e.offset, true));
            self.blocks = index.blocks().iter().map(|e| (e.offset, false)).chain(snapshots).collect();
            self.blocks.sort_unstable();
            return Ok(());
        }
        loop {
            match self.reader.next() {
                Ok(Some(Block::Event(b) | Block::Snapshot(b))) => {
                    self.blocks.push((b.place().0, b.is_snapshot()));
                    self.reader.recycle(b);
                }
                Ok(Some(Block::Containers(_) | Block::End(_))) => {}
                Ok(None) => break,
                Err(damage) => {
                    *damages += 1;
                    message::say(format!("{}: {damage}", self.name));
                    if damage.is_fatal() {
                        break;
                    }
                }
            }
        }
        // Its end has been read; behind that nothing comes.
        self.reader = open(&self.place)?.1;
        Ok(())
    }

    /// The block at this place.
    fn at(&mut self, offset: u64) -> Result<Option<Stored>, Damage> {
        self.reader.go_to(offset);
        match self.reader.next()? {
            Some(Block::Event(b) | Block::Snapshot(b)) if b.place().0 == offset => Ok(Some(b)),
            _ => Ok(None),
        }
    }
}

/// Lists what there was.
pub fn run(options: &Options) -> Result<Exit, Exit> {
    let mut sources = options.from.iter().map(Source::open).collect::<Result<Vec<_>, _>>()?;
    sources.sort_by_key(|s| s.reader.header().wall);
    let Some(first) = sources.first() else { return Err(Exit::Usage) };
    let (arch, wall) = (first.reader.header().arch, first.reader.header().wall);
    let mut names: Vec<String> = Vec::new();
    for source in &mut sources {
        let header = source.reader.header();
        if header.arch != arch {
            message::say(format!("{} is of another architecture than the file before", source.name));
            return Err(Exit::Error);
        }
        for host in header.host_list() {
            let at = names.iter().position(|n| n == host).unwrap_or_else(|| {
                names.push(host.clone());
                names.len() - 1
            });
            source.hosts.push(u16::try_from(at).unwrap_or(u16::MAX));
        }
    }
    let schema = Schema::native(arch).with_hosts(&names);
    let listing = Listing::new(options, &schema)?;
    let window = Window::before("--at", options.at.as_deref(), wall).map_err(super::usage)?;
    let filtered = sources.iter().any(|s| !s.reader.header().filter.is_empty());
    let host = |name: &String| Host {
        name: name.clone(),
        base: None,
        replay: Replay::new(&schema, filtered),
        meta: Meta::default(),
        events: 0,
        last: 0,
    };
    let hosts = names.iter().map(host).collect();
    let mut past = Past { window, hosts, damages: 0 };
    for source in &mut sources {
        source.look(&mut past.damages)?;
    }
    past.find_bases(&mut sources);
    past.replay(&mut sources);
    past.list(listing, &schema, options, filtered)
}

struct Past<'s> {
    window: Window,
    hosts: Vec<Host<'s>>,
    damages: u64,
}

impl Past<'_> {
    fn complain(&mut self, name: &str, damage: &Damage) {
        self.damages += 1;
        message::say(format!("{name}: {damage}"));
        self.hosts.iter_mut().for_each(|h| h.replay.doubt());
    }

    /// Finds each host's last whole snapshot. The fronts of their blocks are enough.
    fn find_bases(&mut self, sources: &mut [Source]) {
        let mut open: Vec<Vec<(u64, u64)>> = self.hosts.iter().map(|_| Vec::new()).collect();
        for (file, source) in sources.iter_mut().enumerate() {
            open.iter_mut().for_each(Vec::clear);
            let offsets: Vec<u64> = source.blocks.iter().filter(|(_, s)| *s).map(|(at, _)| *at).collect();
            for offset in offsets {
                let block = match source.at(offset) {
                    Ok(Some(block)) => block,
                    Ok(None) => continue,
                    Err(damage) => {
                        self.complain(&source.name, &damage);
                        open.iter_mut().for_each(Vec::clear);
                        continue;
                    }
                };
                let (meta, (begin, end)) = (block.meta(), block.time_range());
                let host = source.hosts.get(usize::from(meta.host)).map_or(0, |h| usize::from(*h));
                let (Some(parts), Some(host)) = (open.get_mut(host), self.hosts.get_mut(host)) else {
                    continue;
                };
                if !self.window.has(&meta, end) {
                    continue;
                }
                parts.push((offset, begin));
                if block.codes().contains(&SNAPSHOT) {
                    let begin = parts.iter().map(|p| p.1).min().unwrap_or(begin);
                    let blocks = parts.drain(..).map(|p| p.0).collect();
                    host.base = Some(Base { file, blocks, begin, wall: meta.wall_of(end) });
                }
                source.reader.recycle(block);
            }
        }
    }

    fn replay(&mut self, sources: &mut [Source]) {
        for host in 0..self.hosts.len() {
            let base = self.hosts.get(host).and_then(|h| h.base.as_ref());
            let Some((file, blocks)) = base.map(|b| (b.file, b.blocks.clone())) else { continue };
            let Some(source) = sources.get_mut(file) else { continue };
            self.begin_file(source);
            for offset in blocks {
                match source.at(offset) {
                    Ok(Some(block)) => self.block(source, block, file),
                    Ok(None) => {}
                    Err(damage) => self.complain(&source.name, &damage),
                }
            }
        }
        let from = self.hosts.iter().map(|h| h.base.as_ref().map_or(0, |b| b.file)).min().unwrap_or(0);
        for (file, source) in sources.iter_mut().enumerate().skip(from) {
            self.begin_file(source);
            if !source.reader.is_file() {
                self.stream(source, file);
                continue;
            }
            let offsets: Vec<u64> = source.blocks.iter().filter(|(_, s)| !*s).map(|(at, _)| *at).collect();
            for offset in offsets {
                match source.at(offset) {
                    Ok(Some(block)) if !self.window.may_have(&block.meta(), block.time_range()) => break,
                    Ok(Some(block)) => self.block(source, block, file),
                    Ok(None) => {}
                    Err(damage) => self.complain(&source.name, &damage),
                }
            }
        }
    }

    fn begin_file(&mut self, source: &Source) {
        self.hosts.iter_mut().for_each(|h| h.replay.begin_file(source.reader.schema()));
    }

    /// What comes through a pipe is taken as it comes.
    fn stream(&mut self, source: &mut Source, file: usize) {
        loop {
            match source.reader.next() {
                Ok(Some(Block::Event(block) | Block::Snapshot(block))) => {
                    let (meta, (_, end)) = (block.meta(), block.time_range());
                    if block.codes().contains(&SNAPSHOT) && self.window.has(&meta, end) {
                        let host = source.hosts.get(usize::from(meta.host)).map_or(0, |h| usize::from(*h));
                        if let Some(host) = self.hosts.get_mut(host) {
                            let wall = meta.wall_of(end);
                            host.events = 0;
                            host.base = Some(Base { file, blocks: Vec::new(), begin: 0, wall });
                        }
                    }
                    self.block(source, block, file);
                }
                Ok(Some(Block::Containers(_) | Block::End(_))) => {}
                Ok(None) => return,
                Err(damage) => {
                    self.complain(&source.name, &damage);
                    if damage.is_fatal() {
                        return;
                    }
                }
            }
        }
    }

    /// Takes the rows of a block in, as far as they are before the time that is asked for and not before the snapshot.
    fn block(&mut self, source: &mut Source, mut block: Stored, file: usize) {
        let (_, last) = block.time_range();
        let (events, meta) = (!block.is_snapshot(), block.meta());
        let old = |h: &Host<'_>| h.base.as_ref().is_some_and(|b| b.file > file || b.begin > last);
        if events && self.hosts.iter().all(old) {
            return source.reader.recycle(block);
        }
        if let Err(damage) = block.load(READ) {
            return self.complain(&source.name, &damage);
        }
        let schema = source.reader.schema().clone();
        let view = block.view(&schema);
        let mut present = None;
        for row in 0..view.rows {
            let Some(&time) = view.time.get(row) else { continue };
            if !self.window.has(&meta, time) {
                continue;
            }
            let number = source.hosts.get(usize::from(view.host_of(row))).map_or(0, |h| usize::from(*h));
            let Some(host) = self.hosts.get_mut(number) else { continue };
            if events && host.base.as_ref().is_some_and(|b| b.file > file || time < b.begin) {
                continue;
            }
            if present != Some(number) {
                host.replay.begin_block(&view);
                host.meta = Meta { host: u16::try_from(number).unwrap_or(0), ..meta };
                present = Some(number);
            }
            host.replay.row(&view, row);
            host.events += u64::from(events);
            host.last = host.last.max(meta.wall_of(time));
        }
        source.reader.recycle(block);
    }

    /// Makes the table, and says of what it is.
    fn list(
        mut self,
        mut listing: Listing<'_>,
        schema: &Schema,
        options: &Options,
        filtered: bool,
    ) -> Result<Exit, Exit> {
        let several = self.hosts.len() > 1;
        for host in &mut self.hosts {
            listing.state(host.replay.finish(), schema, host.meta, (0, Vec::new()))?;
        }
        for host in &self.hosts {
            let of = if several { format!("{}: ", message::name(&host.name)) } else { String::new() };
            let at = match &options.at {
                Some(at) => format!("before {}", message::name(at)),
                None if host.last == 0 => "at the end".into(),
                None => format!("at the end, {}", date(host.last)),
            };
            let marked =
                if filtered { "; a filter left events out, so what is open is marked ~" } else { "" };
            message::say(match &host.base {
                Some(base) => format!(
                    "{of}what there was {at}: the snapshot of {}, and what {} events did since{marked}",
                    date(base.wall),
                    host.events
                ),
                None => format!(
                    "{of}what {} events mention, {at}; there is no snapshot before that{marked}",
                    host.events
                ),
            });
        }
        let exit = listing.finish()?;
        Ok(if self.damages > 0 { Exit::Damaged } else { exit })
    }
}
