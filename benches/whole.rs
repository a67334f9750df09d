//! A large capture asked as a user asks it: the program on a file, beside tcpdump on a file of packets.
#![allow(clippy::print_stdout, reason = "a benchmark is a program that prints")]

use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Write};
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
/// Of these, printed: tcpdump takes ten seconds for a million.
const PRINTED: u32 = 1_000_000;
/// What the one block is renamed to that a filter looks for.
const RARE: &[u8] = b"0rarely0";

/// Where large files go. Packets stay for the next run; the reel is made anew, as its format may have changed.
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
    let path = place(&format!("packets-{PACKETS}.pcap"));
    if path.exists() {
        return Ok(path);
    }
    let part = path.with_extension("part");
    let mut out = BufWriter::with_capacity(1 << 20, File::create(&part)?);
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
    fs::rename(part, &path)?;
    Ok(path)
}

/// One run of a program, or the least of several.
#[derive(Clone, Debug)]
struct Run {
    /// CPU time of all its threads, s.
    cpu: f64,
    /// From start to end, s.
    wall: f64,
    /// What the last one said on stderr.
    said: String,
}

/// Runs a program to its end.
#[allow(unsafe_code, reason = "the standard library does not hand out what a child used")]
fn once(program: &str, args: &[&str]) -> Option<Run> {
    let begin = Instant::now();
    let mut command = Command::new(program);
    command.args(args).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().ok()?;
    let mut said = Vec::new();
    child.stderr.take()?.read_to_end(&mut said).ok()?;
    // SAFETY: two locals to write to, and a child that nobody else waits for.
    let (mut status, mut usage) = (0, unsafe { std::mem::zeroed::<libc::rusage>() });
    let pid = unsafe { libc::wait4(child.id() as i32, &raw mut status, 0, &raw mut usage) };
    let seconds = |t: libc::timeval| t.tv_sec as f64 + t.tv_usec as f64 / 1e6;
    (pid == child.id() as i32).then(|| Run {
        cpu: seconds(usage.ru_utime) + seconds(usage.ru_stime),
        wall: begin.elapsed().as_secs_f64(),
        said: String::from_utf8_lossy(&said).into_owned(),
    })
}

/// The least of several runs of each of these, one after the other in turn: what else the machine does hits all alike.
fn least_of(rounds: usize, commands: &[(&str, Vec<&str>)]) -> Vec<Option<Run>> {
    let mut best: Vec<Option<Run>> = vec![None; commands.len()];
    for _ in 0..rounds {
        for (best, (program, args)) in best.iter_mut().zip(commands) {
            let Some(mut run) = once(program, args) else { continue };
            if let Some(best) = best {
                (run.cpu, run.wall) = (run.cpu.min(best.cpu), run.wall.min(best.wall));
            }
            *best = Some(run);
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

/// A capture of many events, and packets beside it.
struct Files {
    reel: String,
    events: u64,
    size: u64,
    packets: Option<String>,
}

impl Files {
    fn ask<'a>(&'a self, filter: &'a str, threads: &'a str) -> (&'a str, Vec<&'a str>) {
        (SYSREEL, vec!["-q", "-v", "--threads", threads, "-r", &self.reel, filter])
    }

    /// How many percent of the file a run read, and how many events it found; adds to `wrong` if it did not see all.
    fn found(&self, filter: &str, said: &str, wrong: &mut Vec<String>) -> (f64, u64) {
        let shown = number(said, " shown");
        if shown == 0 || number(said, " events,") != self.events {
            wrong.push(format!("{filter}: {said}"));
        }
        (number(said, " bytes of") as f64 * 100.0 / self.size as f64, shown)
    }
}

/// Runs everything; what is wrong is added to `wrong`.
pub fn run(blocks: &[Stored], header: &Header, schema: &Schema, rounds: usize, wrong: &mut Vec<String>) {
    let (reel, events) = make_reel(blocks, header, schema);
    let size = fs::metadata(&reel).map_or(0, |m| m.len());
    let packets = Command::new("tcpdump").arg("--version").output().ok().and_then(|_| make_packets().ok());
    if packets.is_none() {
        println!("tcpdump is not here: nothing to compare with");
    }
    let packets = packets.map(|p| p.to_string_lossy().into_owned());
    let files = Files { reel: reel.to_string_lossy().into_owned(), events, size, packets };
    println!(
        "\nlarge.reel: {events} events, {size} bytes; one thread, CPU time of whole programs, least of {rounds} in turn"
    );
    filters(&files, rounds, wrong);
    let start = blocks.first().map_or(0, |b| b.meta().wall_of(b.time_range().0));
    let name = blocks.iter().find_map(|b| {
        let b = b.view(schema);
        b.proc.iter().find_map(|p| b.dict.proc(*p)).and_then(|p| b.dict.strings.find(p.comm))
    });
    skips(&files, start, name.map_or(0, |n| n.len()), rounds, wrong);
    threads(&files);
}

/// Filters beside tcpdump's.
fn filters(files: &Files, rounds: usize, wrong: &mut Vec<String>) {
    let mut commands: Vec<(&str, Vec<&str>)> = ASKED.iter().map(|(.., f)| files.ask(f, "1")).collect();
    let theirs = ["tcp", "tcp and dst port 80"];
    if let Some(packets) = &files.packets {
        commands.extend(theirs.map(|f| ("tcpdump", vec!["--count", "-r", packets, f])));
    }
    let runs = least_of(rounds, &commands);
    let (ours, tcpdump) = runs.split_at(ASKED.len());
    let rates: Vec<f64> = tcpdump.iter().flatten().map(|r| f64::from(PACKETS) / r.cpu).collect();
    for (filter, rate) in theirs.iter().zip(&rates) {
        let ms = f64::from(PACKETS) / rate * 1e3;
        println!("{:<44} {ms:>8.1} ms {:>9.1} M packets/s", format!("tcpdump {filter}"), rate / 1e6);
    }
    for ((what, beside, filter), run) in ASKED.iter().zip(ours) {
        let run = run.as_ref().expect("the program runs");
        let rate = files.events as f64 / run.cpu;
        let their = theirs.iter().position(|f| f == beside).and_then(|i| rates.get(i));
        let times = their.map_or(String::new(), |t| format!("{:>6.1} times tcpdump", rate / t));
        let (read, shown) = files.found(filter, &run.said, wrong);
        println!(
            "{filter:<44} {:>8.1} ms {:>9.1} M events/s {times}  {what}; {shown} shown, {read:.2} % read",
            run.cpu * 1e3,
            rate / 1e6,
        );
    }
}

/// What can be passed over, beside full scans that look at the same. `start` is when the capture began, `name` how long
/// the name is that one process of a hundred blocks has.
fn skips(files: &Files, start: u64, name: usize, rounds: usize, wrong: &mut Vec<String>) {
    println!();
    let end = end_of(&files.reel).unwrap_or(start);
    let (from, to) = (start + (end - start) / 2, start + (end - start) / 2 + (end - start) / 100);
    let comm = "z".repeat(name);
    let rare = String::from_utf8_lossy(RARE).into_owned();
    let pairs = [
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
    ];
    // A full scan is long, and a short run is what varies.
    let full: Vec<_> = pairs.iter().map(|(full, _)| files.ask(full, "1")).collect();
    let part: Vec<_> = pairs.iter().map(|(_, part)| files.ask(part, "1")).collect();
    let (long, short) = (least_of(rounds.min(3), &full), least_of(rounds, &part));
    for (((full, part), long), short) in
        pairs.iter().zip(long.into_iter().flatten()).zip(short.iter().flatten())
    {
        let (read, shown) = files.found(part, &short.said, wrong);
        println!(
            "{part:<44} {:>8.1} ms, {:>5.1} times faster than `{full}` ({:.0} ms); {shown} shown, {read:.2} % read",
            short.cpu * 1e3,
            long.cpu / short.cpu,
            long.cpu * 1e3,
        );
    }
}

/// Text of everything beside tcpdump's; what a second thread is good for; memory.
fn threads(files: &Files) {
    println!();
    let text = |threads| (SYSREEL, vec!["--threads", threads, "-r", &files.reel]);
    let scan = "fd.name contains /";
    let mut commands = vec![text("1"), text("2"), files.ask(scan, "1"), files.ask(scan, "2")];
    let printed = PRINTED.to_string();
    if let Some(packets) = &files.packets {
        // Without -S it keeps a list of all connections, here random ones, and soon does little else.
        commands.push(("tcpdump", vec!["-nn", "-S", "-c", &printed, "-r", packets]));
    }
    let load = || fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let before = load();
    let runs = least_of(2, &commands);
    let theirs = runs.get(4).cloned().flatten().map(|r| f64::from(PRINTED) / r.cpu);
    if let Some(rate) = theirs {
        println!("text, tcpdump -nn -S -r: {:.2} M lines/s of CPU time", rate / 1e6);
    }
    for (what, pair) in ["text of all events", scan].iter().zip(runs.chunks(2)) {
        let [Some(one), Some(two)] = pair else { continue };
        let rate = files.events as f64 / one.cpu;
        let times = match theirs {
            Some(their) if *what != scan => format!(", {:.1} times tcpdump", rate / their),
            _ => String::new(),
        };
        println!("{what}: {:.2} M events/s of CPU time on one thread{times}", rate / 1e6);
        println!(
            "  from start to end {:.0} ms on one thread, {:.0} ms on two: {:.2} times faster; CPU time {:.0} and {:.0} ms",
            one.wall * 1e3,
            two.wall * 1e3,
            one.wall / two.wall,
            one.cpu * 1e3,
            two.cpu * 1e3,
        );
    }
    println!("  load of the machine before: {}, after: {}", before.trim(), load().trim());
    for threads in ["1", "2"] {
        for args in [
            &["--threads", threads, "-r", &files.reel][..],
            &["--threads", threads, "-j", "-r", &files.reel, "evt.latency > 100us"],
            &["--threads", threads, "-q", "-r", &files.reel, "evt.rawres < 0"],
        ] {
            let most = memory(args).unwrap_or(0);
            println!("memory of `{}`: {} MiB", args.join(" ").replace(&files.reel, "large.reel"), most >> 10);
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
