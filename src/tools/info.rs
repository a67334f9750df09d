//! `sysreel info`: what is in a reel.
//!
//! Enters: a reel, read to its end. Leaves: a listing or one JSON object. Never: a column that no count needs.

use std::fmt::Write as _;

use super::input::Input;
use super::pick::Picker;
use super::tally::Tally;
use super::window::{Window, date, span};
use crate::batch::{Batch, Bitmap, Columns};
use crate::config::Place;
use crate::exit::Exit;
use crate::fields::{clock, escape};
use crate::message;
use crate::reel::Damage;
use crate::schema::{LOST, SNAPSHOT};

/// What was typed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Options {
    /// The reel.
    pub from: Place,
    /// As JSON.
    pub json: bool,
    /// How many calls and processes are listed.
    pub top: usize,
    /// What is counted.
    pub filter: String,
}

/// Damages that are listed; all are counted.
const MOST_DAMAGES: usize = 1000;

/// Host, pid, start: a process.
type Who = (u16, u32, u64);

struct Found {
    calls: Tally<Vec<u8>, ()>,
    procs: Tally<Who, Vec<u8>>,
    first: Option<u64>,
    last: u64,
    blocks: u64,
    /// Snapshots that are whole, and rows of all.
    snapshots: (u64, u64),
    damages: Vec<Damage>,
}

/// Looks.
pub fn run(options: &Options) -> Result<Exit, Exit> {
    let mut input = Input::open(&options.from)?;
    input.show_snapshots();
    let schema = input.schema().clone();
    let mut picker = Picker::new(&options.filter, Window::default(), &schema)?;
    let mut found = Found {
        calls: Tally::new(),
        procs: Tally::new(),
        first: None,
        last: 0,
        blocks: 0,
        snapshots: (0, 0),
        damages: Vec::new(),
    };
    let note = |damage: Damage, found: &mut Found| {
        if found.damages.len() < MOST_DAMAGES {
            found.damages.push(damage);
        }
    };
    while let Some(next) = input.find() {
        let mut block = match next {
            super::input::Found::Block(block) => block,
            super::input::Found::Damage(damage) => {
                note(damage, &mut found);
                continue;
            }
        };
        if block.is_snapshot() {
            found.snapshots.0 += u64::from(block.codes().contains(&SNAPSHOT));
            found.snapshots.1 += block.rows() as u64;
            continue;
        }
        let (from, to) = block.time_range();
        let meta = block.meta();
        let read = picker
            .pick(&mut block, &schema)
            .cloned()
            .and_then(|rows| block.load(Columns::CALL.and(Columns::PROC).and(Columns::HOST)).map(|()| rows));
        match read {
            Ok(rows) => {
                found.blocks += 1;
                found.first = Some(found.first.unwrap_or(u64::MAX).min(meta.wall_of(from)));
                found.last = found.last.max(meta.wall_of(to));
                found.count(&block.view(&schema), &rows);
            }
            Err(damage) => {
                input.damages += 1;
                note(damage, &mut found);
            }
        }
    }
    let text = if options.json {
        json(&input, &picker, &found, options.top)
    } else {
        listing(&input, &picker, &found, options.top)
    };
    message::listing(&text).map_err(|e| {
        message::say(format!("cannot write: {e}"));
        Exit::Error
    })?;
    Ok(if input.damages > 0 { Exit::Damaged } else { Exit::Ok })
}

impl Found {
    fn count(&mut self, batch: &Batch, rows: &Bitmap) {
        let mut calls = vec![0u64; usize::from(crate::schema::CODES)];
        let mut procs = vec![0u64; batch.dict.procs.len()];
        let mut host = vec![batch.meta.host; batch.dict.procs.len()];
        for row in rows.iter() {
            let Some(code) = batch.call.get(row).filter(|code| **code != LOST) else { continue };
            if let Some(n) = calls.get_mut(usize::from(*code)) {
                *n += 1;
            }
            let id = batch.proc.get(row).map_or(usize::MAX, |id| *id as usize);
            if let (Some(n), Some(host)) = (procs.get_mut(id), host.get_mut(id)) {
                *n += 1;
                *host = batch.host_of(row);
            }
        }
        for (code, n) in (0u16..).zip(calls).filter(|(_, n)| *n > 0) {
            self.calls.add(batch.schema.shape(code).name.as_bytes().to_vec(), n, || ());
        }
        for ((p, n), host) in batch.dict.procs.iter().zip(procs).zip(host).filter(|((_, n), _)| *n > 0) {
            let name = || batch.dict.strings.find(p.comm).unwrap_or_default().to_vec();
            self.procs.add((host, p.pid, p.start), n, name);
        }
    }
}

fn shown(bytes: &[u8]) -> String {
    let mut out = Vec::new();
    escape::escape(&mut out, bytes, escape::Within::Free);
    String::from_utf8_lossy(&out).into_owned()
}

/// Events that are lost: what rows say, or what the end says if a filter left those rows out.
fn lost(input: &Input, picker: &Picker) -> u64 {
    picker.lost.max(input.end.as_ref().map_or(0, |end| end.lost))
}

fn each(bytes: u64, events: u64) -> f64 {
    if events == 0 { 0.0 } else { bytes as f64 / events as f64 }
}

fn listing(input: &Input, picker: &Picker, found: &Found, top: usize) -> String {
    let h = input.header();
    let mut out = String::new();
    let mut line = |name: &str, value: &str| {
        if !value.is_empty() {
            let _ = writeln!(out, "{name:<12} {value}");
        }
    };
    let list = |all: &[String]| all.iter().map(|s| shown(s.as_bytes())).collect::<Vec<_>>().join(", ");
    line("file", input.name());
    line("complete", if input.is_complete() { "yes" } else { "no: there is no end block" });
    line("host", &list(h.host_list()));
    line("kernel", &format!("{} {}, CPUs: {}", shown(h.kernel.as_bytes()), h.arch.name(), h.cpus));
    line(
        "written by",
        &format!("sysreel {}, format version {}", shown(h.version.as_bytes()), crate::reel::VERSION),
    );
    line("command", &h.command.iter().map(|s| shown(s.as_bytes())).collect::<Vec<_>>().join(" "));
    line("filter", &shown(h.filter.as_bytes()));
    line("snaplen", &h.snaplen.to_string());
    line("hooks", &list(&h.hooks));
    line("started", &date(h.wall));
    if let Some(first) = found.first {
        line("first event", &date(first));
        line("last event", &date(found.last));
        line("duration", &span(found.last.saturating_sub(first)));
    }
    let bytes = input.bytes();
    line("size", &format!("{bytes} bytes, blocks: {}", found.blocks));
    if found.snapshots != (0, 0) {
        let (count, rows) = found.snapshots;
        line("snapshots", &format!("{count}, processes and descriptors: {}", rows.saturating_sub(count)));
    }
    if picker.is_everything() {
        let rate = each(bytes, picker.seen);
        line("events", &format!("{}, {rate:.1} bytes each", picker.seen));
    } else {
        line("events", &format!("{} of {}", picker.matched, picker.seen));
    }
    line("lost", &lost(input, picker).to_string());
    for note in input.end.iter().flat_map(|end| &end.notes) {
        line("note", &shown(note.as_bytes()));
    }
    let _ = writeln!(out, "\ncalls: {}", found.calls.len());
    for (name, n, ()) in found.calls.top(top) {
        let _ = writeln!(out, "{n:>12} {}", shown(&name));
    }
    let _ = writeln!(
        out,
        "\nprocesses: {}{}",
        found.procs.len(),
        if found.procs.others > 0 { " and more" } else { "" }
    );
    for ((host, pid, _), n, name) in found.procs.top(top) {
        let host = if h.host_list().len() > 1 {
            format!(" {}", shown(input.schema().host(host).unwrap_or("-").as_bytes()))
        } else {
            String::new()
        };
        let _ = writeln!(out, "{n:>12} {} {pid}{host}", shown(&name));
    }
    if input.damages > 0 {
        let _ = writeln!(out, "\ndamaged places: {}", input.damages);
        for damage in &found.damages {
            let _ = writeln!(out, "  {damage}");
        }
    }
    out
}

/// An object being written.
struct Object(Vec<u8>);

impl Object {
    fn key(&mut self, name: &str) {
        if !matches!(self.0.last(), Some(b'{')) {
            self.0.push(b',');
        }
        escape::json_str(&mut self.0, name);
        self.0.push(b':');
    }

    fn text(&mut self, name: &str, text: &[u8]) {
        self.key(name);
        escape::json(&mut self.0, text);
    }

    fn raw(&mut self, name: &str, value: impl std::fmt::Display) {
        self.key(name);
        self.0.extend_from_slice(value.to_string().as_bytes());
    }

    fn number(&mut self, name: &str, n: u64) {
        self.key(name);
        crate::fields::sink::json_uint(&mut self.0, n);
    }

    fn time(&mut self, name: &str, wall: u64) {
        let mut text = Vec::new();
        clock::rfc3339(&mut text, wall);
        self.text(name, &text);
    }

    fn list<T>(
        &mut self,
        name: &str,
        all: impl IntoIterator<Item = T>,
        mut each: impl FnMut(&mut Object, T),
    ) {
        self.key(name);
        self.0.push(b'[');
        for (i, item) in all.into_iter().enumerate() {
            if i > 0 {
                self.0.push(b',');
            }
            each(self, item);
        }
        self.0.push(b']');
    }

    fn object(&mut self, fill: impl FnOnce(&mut Object)) {
        self.0.push(b'{');
        fill(self);
        self.0.push(b'}');
    }
}

fn json(input: &Input, picker: &Picker, found: &Found, top: usize) -> String {
    let h = input.header();
    let mut out = Object(Vec::new());
    let texts = |o: &mut Object, name: &str, all: &[String]| {
        o.list(name, all, |o, text| escape::json_str(&mut o.0, text));
    };
    out.object(|o| {
        o.text("file", input.name().as_bytes());
        o.raw("complete", input.is_complete());
        texts(o, "hosts", h.host_list());
        if !h.tags.is_empty() {
            texts(o, "tags", &h.tags);
        }
        o.text("kernel", h.kernel.as_bytes());
        o.text("arch", h.arch.name().as_bytes());
        o.number("cpus", u64::from(h.cpus));
        o.text("version", h.version.as_bytes());
        o.number("format", u64::from(crate::reel::VERSION));
        texts(o, "command", &h.command);
        o.text("filter", h.filter.as_bytes());
        o.number("snaplen", u64::from(h.snaplen));
        texts(o, "hooks", &h.hooks);
        o.time("started", h.wall);
        if let Some(first) = found.first {
            o.time("first", first);
            o.time("last", found.last);
            o.number("duration", found.last.saturating_sub(first));
        }
        o.number("bytes", input.bytes());
        o.number("blocks", found.blocks);
        if found.snapshots != (0, 0) {
            o.number("snapshots", found.snapshots.0);
            o.number("snapshot_rows", found.snapshots.1);
        }
        o.number("events", picker.seen);
        o.number("matched", picker.matched);
        o.raw("bytes_per_event", format_args!("{:.2}", each(input.bytes(), picker.seen)));
        o.number("lost", lost(input, picker));
        texts(o, "notes", input.end.as_ref().map_or(&[], |end| &end.notes[..]));
        o.list("calls", found.calls.top(top), |o, (name, n, ())| {
            o.object(|o| {
                o.text("evt.type", &name);
                o.number("count", n);
            });
        });
        o.list("processes", found.procs.top(top), |o, ((host, pid, _), n, name)| {
            o.object(|o| {
                o.text("proc.name", &name);
                o.number("proc.pid", u64::from(pid));
                if h.host_list().len() > 1 {
                    o.text("evt.hostname", input.schema().host(host).unwrap_or("").as_bytes());
                }
                o.number("count", n);
            });
        });
        o.number("damages", input.damages);
        o.list("damage", &found.damages, |o, damage| {
            o.object(|o| {
                o.number("offset", damage.offset);
                o.number("block", damage.block);
                o.number("bytes", damage.skipped);
                o.number("blocks", damage.missing);
                o.text("what", damage.to_string().as_bytes());
            });
        });
    });
    let mut text = String::from_utf8_lossy(&out.0).into_owned();
    text.push('\n');
    text
}
