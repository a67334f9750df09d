//! A large capture asked as a user asks it: the program on a file, beside tcpdump on a file of packets.
#![allow(clippy::print_stdout, reason = "a benchmark is a program that prints")]

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use sysreel::batch::{Batch, Dict, Strings};
use sysreel::reel::{Header, Stored, Totals, Writer};
use sysreel::schema::Schema;

use crate::common::SYSREEL;

/// Events of the capture, at least.
const EVENTS: usize = 10_000_000;
/// Packets of the file beside it.
const PACKETS: u32 = 5_000_000;
/// What the one block is renamed to that a filter looks for.
const RARE: &[u8] = b"0rarely0";

/// Where large files go; they stay for the next run.
fn place(name: &str) -> PathBuf {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("offline");
    fs::create_dir_all(&dir).expect("a directory for large files");
    dir.join(name)
}

/// Writes `blocks` again and again, each time later, until there are enough events. Names, arguments, results and
/// latencies are those that were recorded, row by row; times and numbers go on. In one block of a hundred, one process
/// and one file have another name.
pub fn make_reel(blocks: &[Stored], header: &Header, schema: &Schema) -> (PathBuf, u64) {
    let path = place("large.reel");
    let out = BufWriter::with_capacity(1 << 20, File::create(&path).expect("a large file"));
    let mut writer = Writer::new(out, header, schema).expect("a reel");
    let span =
        |b: &[Stored]| b.last().map_or(0, |l| l.time_range().1) - b.first().map_or(0, |f| f.time_range().0);
    let span = span(blocks) + 1_000_000;
    let (mut rows, mut turn, mut number) = (0usize, 0u64, 0u64);
    while rows < EVENTS {
        for block in blocks {
            let b = block.view(schema);
            let time: Vec<u64> = b.time.iter().map(|t| t + turn * span).collect();
            let num: Vec<u64> = (0..b.rows).map(|r| (rows + r) as u64 + 1).collect();
            let meta = b.meta;
            let mut bytes = b.dict.strings.bytes.to_vec();
            if number % 100 == 50 {
                rename(&b, &mut bytes);
            }
            let dict = Dict { strings: Strings { bytes: &bytes, ..b.dict.strings }, ..b.dict };
            let batch = Batch { time: &time, num: &num, meta, dict, ..b };
            writer.write_block(&batch).expect("a block");
            (rows, number) = (rows + b.rows, number + 1);
        }
        turn += 1;
    }
    let totals = Totals { produced: rows as u64, written: rows as u64, ..Totals::default() };
    writer.finish(&totals).and_then(|mut out| out.flush()).expect("the end of the reel");
    (path, rows as u64)
}

/// The name of the process of the first row that has one, and the end of a file's name.
fn rename(b: &Batch<'_>, bytes: &mut [u8]) {
    let mut put = |id: u32, text: &[u8]| {
        let (from, to) =
            (b.dict.strings.at[id as usize] as usize, b.dict.strings.at[id as usize + 1] as usize);
        let len = (to - from).min(text.len());
        bytes[to - len..to].copy_from_slice(&text[text.len() - len..]);
    };
    let comm = b.proc.iter().find_map(|p| b.dict.proc(*p)).map_or(0, |p| p.comm);
    put(comm, b"zzzzzzzzzzzzzzz");
    let long = |id: &u32| b.dict.strings.find(*id).is_some_and(|n| n.len() > 20);
    if let Some(name) = b.refs.iter().filter_map(|f| b.dict.file(*f)).map(|f| f.name).find(long) {
        put(name, RARE);
    }
}

/// Packets as a busy server sees them, without a network: TCP and UDP, small and large, a tenth of them to port 80.
pub fn make_packets() -> io::Result<PathBuf> {
    let path = place("packets.pcap");
    let mut out = BufWriter::with_capacity(1 << 20, File::create(&path)?);
    for v in [0xa1b2_c3d4u32, 0x0004_0002, 0, 0, 262_144, 1] {
        out.write_all(&v.to_le_bytes())?;
    }
    let mut dice = 88_172_645_463_325_252u64;
    let mut roll = |n: u64| {
        dice ^= dice << 13;
        dice ^= dice >> 7;
        dice ^= dice << 17;
        dice % n
    };
    let mut micros = 0u32;
    for i in 0..PACKETS {
        let udp = roll(4) == 0;
        let data = [0, 0, 0, 1, 40, 120, 300][roll(7) as usize];
        let near = [80u16, 443, 22, 53, 8080][roll(5) as usize];
        let far = 1024 + roll(60_000) as u16;
        let (from, to) = if roll(2) == 0 { (near, far) } else { (far, near) };
        let mut l4 = [from.to_be_bytes(), to.to_be_bytes()].concat();
        if udp {
            l4.extend((8 + data as u16).to_be_bytes());
            l4.extend([0, 0]);
        } else {
            l4.extend((roll(1 << 32) as u32).to_be_bytes());
            l4.extend((roll(1 << 32) as u32).to_be_bytes());
            l4.extend([0x50, 0x10, 1, 0xf4, 0, 0, 0, 0]);
        }
        l4.resize(l4.len() + data, 0x61);
        let mut packet = [&[2u8; 12][..], &[8, 0, 0x45, 0], &(20 + l4.len() as u16).to_be_bytes()].concat();
        packet.extend((i as u16).to_be_bytes());
        packet.extend([
            0,
            0,
            64,
            if udp { 17 } else { 6 },
            0,
            0,
            10,
            0,
            0,
            roll(250) as u8,
            10,
            0,
            1,
            roll(200) as u8,
        ]);
        packet.extend(l4);
        micros += roll(14) as u32;
        let len = packet.len() as u32;
        for v in [1_700_000_000 + micros / 1_000_000, micros % 1_000_000, len, len] {
            out.write_all(&v.to_le_bytes())?;
        }
        out.write_all(&packet)?;
    }
    out.flush()?;
    Ok(path)
}

/// The shortest of several runs, s; and what the last one said on stderr.
fn shortest(rounds: usize, program: &str, args: &[&str]) -> Option<(f64, String)> {
    let mut best: Option<(f64, String)> = None;
    for _ in 0..rounds {
        let begin = Instant::now();
        let mut command = Command::new(program);
        command.args(args).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let out = command.output().ok()?;
        let took = begin.elapsed().as_secs_f64();
        if best.as_ref().is_none_or(|b| took < b.0) {
            best = Some((took, String::from_utf8_lossy(&out.stderr).into_owned()));
        }
    }
    best
}

/// Largest resident memory of a run, KiB.
fn memory(args: &[&str]) -> Option<u64> {
    let mut child =
        Command::new(SYSREEL).args(args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().ok()?;
    let status = format!("/proc/{}/status", child.id());
    let mut most = None;
    while let Ok(None) = child.try_wait() {
        let text = fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|l| l.strip_prefix("VmHWM:"));
        most = most.max(line.and_then(|l| l.trim().trim_end_matches(" kB").parse().ok()));
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    most
}

/// The number before a word of the program's messages.
fn number(said: &str, word: &str) -> u64 {
    let before = said.split(word).next().unwrap_or_default();
    before
        .split(|c: char| !c.is_ascii_digit())
        .rfind(|n| !n.is_empty())
        .and_then(|n| n.parse().ok())
        .unwrap_or(0)
}

/// Filters and what they are; the middle of the capture's time stands for `@` and `@@`.
const ASKED: &[(&str, &str, &str)] = &[
    ("one column", "tcp", "evt.type = newfstatat"),
    ("one column", "tcp", "evt.rawres < 0"),
    ("one column", "tcp", "evt.res = ENOENT"),
    ("one column", "tcp", "proc.name = find"),
    ("one column", "tcp", "evt.latency > 1ms"),
    ("two columns", "tcp and dst port 80", "evt.type = newfstatat and evt.rawres < 0"),
    ("two columns", "tcp and dst port 80", "proc.name = ls and evt.res = ENODATA"),
    ("two columns", "tcp and dst port 80", "evt.type = write and evt.latency > 10us"),
    ("two columns", "tcp and dst port 80", "proc.name = cat and fd.name contains linux"),
];

/// Runs everything; what is wrong is added to `wrong`.
pub fn run(blocks: &[Stored], header: &Header, schema: &Schema, rounds: usize, wrong: &mut Vec<String>) {
    let (reel, events) = make_reel(blocks, header, schema);
    let size = fs::metadata(&reel).map_or(0, |m| m.len());
    let file = reel.to_string_lossy().into_owned();
    println!(
        "\nlarge.reel: {events} events, {size} bytes, on one thread where nothing else is said; shortest of {rounds}"
    );
    let packets = Command::new("tcpdump").arg("--version").output().ok().and_then(|_| make_packets().ok());
    if packets.is_none() {
        println!("tcpdump is not here: nothing to compare with");
    }
    let pcap = packets.map(|p| p.to_string_lossy().into_owned());
    let mut known: Vec<(&str, f64)> = Vec::new();
    let mut tcpdump = |filter: &'static str| -> Option<f64> {
        if let Some((_, rate)) = known.iter().find(|(f, _)| *f == filter) {
            return Some(*rate);
        }
        let (took, _) = shortest(rounds, "tcpdump", &["--count", "-r", pcap.as_deref()?, filter])?;
        let rate = f64::from(PACKETS) / took;
        println!(
            "{:<44} {:>8.1} ms {:>9.1} M packets/s",
            format!("tcpdump {filter}"),
            took * 1e3,
            rate / 1e6
        );
        known.push((filter, rate));
        Some(rate)
    };
    let ask = |filter: &str, threads: &str| {
        let args = ["-q", "-v", "--threads", threads, "-r", &file, filter];
        shortest(rounds, SYSREEL, &args).expect("the program runs")
    };
    for (what, beside, filter) in ASKED {
        let theirs = tcpdump(beside);
        let (took, said) = ask(filter, "1");
        let rate = events as f64 / took;
        let times = theirs.map_or(String::new(), |t| format!("{:>6.1} times tcpdump", rate / t));
        let (read, shown) = (number(&said, " bytes of"), number(&said, " shown"));
        println!(
            "{:<44} {:>8.1} ms {:>9.1} M events/s {times}  {what}; {shown} shown, {:.1} % read",
            filter,
            took * 1e3,
            rate / 1e6,
            read as f64 * 100.0 / size as f64
        );
        if shown == 0 || number(&said, " events,") != events {
            wrong.push(format!("{filter}: {said}"));
        }
    }

    println!();
    let start = blocks.first().map_or(0, |b| b.meta().wall_of(b.time_range().0));
    let (_, said) = ask("evt.num = 1", "1");
    let end = end_of(&file).unwrap_or(start);
    let (from, to) = (start + (end - start) / 2, start + (end - start) / 2 + (end - start) / 100);
    if number(&said, " shown") != 1 {
        wrong.push(said);
    }
    // A full scan: what the filter must look at is the same, and nothing can be passed over.
    let name = blocks
        .iter()
        .find_map(|b| {
            let b = b.view(schema);
            b.proc.iter().find_map(|p| b.dict.proc(*p)).and_then(|p| b.dict.strings.find(p.comm))
        })
        .map_or(0, |n| n.len());
    let comm = "z".repeat(name);
    let rare = String::from_utf8_lossy(RARE).into_owned();
    for (full, part) in [
        (
            "evt.rawtime.ns < 10000000".to_owned(),
            format!("evt.rawtime >= {from} and evt.rawtime < {to} and evt.rawtime.ns < 10000000"),
        ),
        (
            "proc.name != nobody and fd.name contains /".to_owned(),
            format!("proc.name = {comm} and fd.name contains /"),
        ),
        ("fd.name contains /".to_owned(), format!("fd.name contains {rare}")),
        (
            "evt.args contains linux".to_owned(),
            format!("evt.args contains linux and proc.name contains {comm}"),
        ),
    ] {
        let ((long, _), (short, said)) = (ask(&full, "1"), ask(&part, "1"));
        let read = number(&said, " bytes of") as f64 * 100.0 / size as f64;
        println!(
            "{part:<44} {:>8.1} ms, {:>5.1} times faster than `{full}` ({:.0} ms); {} shown, {read:.2} % read",
            short * 1e3,
            long / short,
            long * 1e3,
            number(&said, " shown")
        );
        if number(&said, " shown") == 0 || number(&said, " events,") != events {
            wrong.push(format!("{part}: {said}"));
        }
    }

    println!();
    let mut lines = Vec::new();
    for threads in ["1", "2"] {
        let (took, _) =
            shortest(rounds.min(3), SYSREEL, &["--threads", threads, "-r", &file]).expect("it runs");
        lines.push(events as f64 / took);
        println!("text of all events, {threads} thread(s): {:.2} M lines/s", events as f64 / took / 1e6);
    }
    if let Some((took, _)) = pcap.as_deref().and_then(|p| shortest(1, "tcpdump", &["-nn", "-r", p])) {
        let rate = f64::from(PACKETS) / took;
        println!(
            "text of all packets, tcpdump -nn -r: {:.2} M lines/s; ours {:.1} and {:.1} times that",
            rate / 1e6,
            lines[0] / rate,
            lines[1] / rate
        );
    }
    for threads in ["1", "2"] {
        for args in [
            &["--threads", threads, "-r", &file][..],
            &["--threads", threads, "-q", "-r", &file, "evt.rawres < 0"],
        ] {
            let most = memory(args).unwrap_or(0);
            println!(
                "memory of `{}`: {} MiB",
                args[..args.len()].join(" ").replace(&file, "large.reel"),
                most >> 10
            );
        }
    }
}

/// Time of the last event on the wall clock.
fn end_of(file: &str) -> Option<u64> {
    let mut reader = sysreel::reel::Reader::<io::Empty>::open(File::open(file).ok()?).ok()?.ok()?;
    let index = reader.index()?;
    let last = index.blocks().last()?;
    reader.jump(last.offset);
    match reader.next() {
        Ok(Some(sysreel::reel::Block::Event(block))) => Some(block.meta().wall_of(last.last_time)),
        _ => None,
    }
}
