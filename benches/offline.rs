//! What an event costs once it is in a reel: written, read, filtered, printed. The events are those of a real `find`, recorded when
//! this starts (`-- --reel FILE` takes a reel that exists, and needs no privilege).
//!
//! Then the same events as a capture of ten million, asked through the program, beside tcpdump on five million packets that
//! are made here (`-- --small` leaves this out).
//!
//! CPU time of one thread, the least of several runs. Times are never judged here; wrong counts are, and end in a failure.
#![allow(clippy::print_stdout, reason = "a benchmark is a program that prints")]

mod common;
mod whole;

use std::fs;
use std::process::ExitCode;

use common::{Totals, least, long, machine, plain_rows, sysreel};
use sysreel::batch::{Bitmap, Columns};
use sysreel::filter::{Filter, Verdicts};
use sysreel::output::{Format, JsonOptions, TextOptions};
use sysreel::reel::{Block, Reader, Stored, Writer};
use sysreel::schema::Schema;

/// Filters, each of another kind of work.
const FILTERS: &[(&str, &str)] = &[
    ("one column", "evt.rawres >= 4096"),
    ("call", "evt.type = newfstatat"),
    ("two columns", "evt.type = newfstatat and evt.rawres < 0"),
    ("latency", "evt.latency > 100us"),
    ("proc.name", "proc.name = find"),
    ("fd.name", "fd.name contains python"),
    ("argument", "evt.arg.path contains python"),
];

fn blocks(bytes: &[u8]) -> (Vec<Stored>, Reader<&[u8]>) {
    let mut reader = Reader::new(bytes).expect("a reel");
    let mut all = Vec::new();
    while let Some(block) = reader.next().expect("a whole reel") {
        if let Block::Event(block) = block {
            all.push(block);
        }
    }
    (all, reader)
}

fn recorded() -> Result<Vec<u8>, String> {
    let mut args = std::env::args().skip_while(|a| a != "--reel");
    if let Some(path) = args.nth(1) {
        return fs::read(path).map_err(|e| e.to_string());
    }
    let dir = tempfile::tempdir().map_err(|e| e.to_string())?;
    let path = dir.path().join("t.reel");
    let text = path.to_string_lossy();
    let what = "find /usr -xdev > /dev/null; ls -lR /usr/share > /dev/null; cat /usr/include/*.h > /dev/null";
    let out = sysreel(&["run", "-w", &text, "--", "sh", "-c", what]);
    Totals::find(&out.stderr)
        .ok_or_else(|| String::from_utf8_lossy(&out.stderr).into_owned())
        .and_then(|_| fs::read(&path).map_err(|e| e.to_string()))
}

/// What a plain writer would do, to compare with: rows of 80 bytes with their strings behind them, LZ4 and CRC-32 in
/// pieces of 64 KiB. Making the rows is not counted. Gives ns and bytes.
fn naive(all: &[Stored], schema: &Schema, rounds: usize) -> (f64, usize) {
    let rows = plain_rows(all, schema);
    let mut out = vec![0; lz4_flex::block::get_maximum_output_size(64 << 10)];
    let mut size = 0;
    let ns = least(rounds, || {
        size = 0;
        let mut crc = 0;
        for piece in rows.chunks(64 << 10) {
            let n = lz4_flex::block::compress_into(piece, &mut out).expect("room");
            crc ^= crc32fast::hash(&out[..n]);
            size += n;
        }
        crc
    });
    (ns, size)
}

fn main() -> ExitCode {
    let reel = match recorded() {
        Ok(reel) => reel,
        Err(e) => {
            println!("offline: not measured, nothing can be recorded here: {e}");
            return ExitCode::SUCCESS;
        }
    };
    let rounds = if long() { 30 } else { 7 };
    let mut wrong = Vec::new();
    let (mut all, reader) = blocks(&reel);
    let schema = reader.schema().clone();
    let rows: usize = all.iter().map(Stored::rows).sum();
    let n = rows as f64;
    println!("\noffline: {rows} events in {} blocks, {} bytes ({})\n", all.len(), reel.len(), machine());
    let line = |what: &str, ns: f64, more: &str| {
        println!("{what:<28} {ns:>9.1} ns/event {:>9.2} M events/s  {more}", 1e3 / ns);
    };

    let copied = least(rounds, || reel.to_vec()) / n;
    let read = least(rounds, || blocks(&reel)) / n;
    line("read, front checked only", read, &format!("copying the bytes: {copied:.1}"));
    let decode = least(rounds, || {
        let (mut all, _) = blocks(&reel);
        for block in &mut all {
            block.load(Columns::ALL).expect("a whole block");
        }
    }) / n;
    line("read, all decoded", decode, "");
    for block in &mut all {
        block.load(Columns::ALL).expect("a whole block");
    }
    let mut size = 0;
    let encode = least(rounds, || {
        let mut writer =
            Writer::new(std::io::sink(), reader.header(), &schema).expect("nowhere is always there");
        for block in &all {
            writer.write_block(&block.view(&schema)).expect("a block");
        }
        size = writer.bytes_written();
    }) / n;
    let (naive, naive_size) = naive(&all, &schema, rounds);
    line("written", encode, &format!("{:.2} bytes/event", size as f64 / n));
    line("naive: rows, LZ4, CRC", naive / n, &format!("{:.2} bytes/event", naive_size as f64 / n));
    println!("  written/naive: time {:.2}, size {:.2}", encode * n / naive, size as f64 / naive_size as f64);
    let (mut plain, mut table) = (Vec::new(), std::collections::BTreeMap::new());
    for (id, stored, raw) in all.iter().flat_map(Stored::sizes) {
        let entry: &mut (u64, u64) = table.entry(id).or_default();
        *entry = (entry.0 + u64::from(stored), entry.1 + u64::from(raw));
    }
    for (id, (stored, raw)) in table {
        plain.push(format!("{id}: {:.2}/{:.2}", stored as f64 / n, raw as f64 / n));
    }
    println!("  bytes/event by section, stored/unpacked: {}", plain.join(", "));

    println!();
    for (what, text) in FILTERS {
        let filter = match Filter::parse(text, &schema) {
            Ok(filter) => filter,
            Err(e) => {
                wrong.push(format!("{text}: {}", e.render(text)));
                continue;
            }
        };
        let (mut verdicts, mut bits, mut found) = (Verdicts::default(), Bitmap::default(), 0);
        let scan = least(rounds, || {
            found = 0;
            for block in &all {
                verdicts.reset();
                bits.reset(block.rows(), false);
                filter.select(&mut verdicts, &block.view(&schema), 0..block.rows(), &mut bits);
                found += bits.count();
            }
        }) / n;
        let whole = least(rounds.min(5), || {
            let (mut all, _) = blocks(&reel);
            for block in &mut all {
                block.load(filter.columns()).expect("a whole block");
                verdicts.reset();
                bits.reset(block.rows(), false);
                filter.select(&mut verdicts, &block.view(&schema), 0..block.rows(), &mut bits);
            }
        }) / n;
        let slow: usize = all
            .iter()
            .map(|b| {
                let view = b.view(&schema);
                (0..b.rows()).step_by(97).filter(|row| filter.matches(&view, *row)).count()
            })
            .sum();
        let fast: usize = all
            .iter()
            .map(|b| {
                verdicts.reset();
                bits.reset(b.rows(), false);
                filter.select(&mut verdicts, &b.view(&schema), 0..b.rows(), &mut bits);
                (0..b.rows()).step_by(97).filter(|row| bits.get(*row)).count()
            })
            .sum();
        if slow != fast {
            wrong.push(format!("{text}: {slow} rows by meaning, {fast} by columns"));
        }
        let more = format!("{whole:.1} with reading the file; {found} of `{text}`");
        line(&format!("filter, {what}"), scan, &more);
    }

    println!();
    let mut out = Vec::new();
    for (what, mut format) in [
        ("text line", Format::text(TextOptions::default())),
        ("JSON line", Format::json(JsonOptions::default())),
    ] {
        let mut lines = 0;
        let ns = least(rounds.min(3), || {
            lines = 0;
            for block in &all {
                let view = block.view(&schema);
                for row in 0..block.rows() {
                    format.render(&view, row, &mut out);
                    if out.len() > 256 * 1024 {
                        lines += memchr::memchr_iter(b'\n', &out).count();
                        out.clear();
                    }
                }
            }
            lines += memchr::memchr_iter(b'\n', &out).count();
            out.clear();
        }) / n;
        line(what, ns, "");
        if lines != rows {
            wrong.push(format!("{lines} {what}s of {rows} events"));
        }
    }
    let big = |a: &String| a == "--small";
    if !std::env::args().any(|a| big(&a)) {
        whole::run(&all, reader.header(), &schema, rounds.min(7), &mut wrong);
    }
    for failure in &wrong {
        println!("WRONG: {failure}");
    }
    if wrong.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
