//! Damaged, cut, forged and failing: what a reel goes through, swept. `tests/ROBUSTNESS.md` has the counts.
//!
//! Sweeps take a part of the cases (the same each time); with `SYSREEL_SWEEP=all` they take all, which takes minutes. The
//! reels are made here, so that each block differs from all others: an event shown in the wrong place would be seen.

use std::io::{self, Read, Write};
use std::process::Stdio;
use std::sync::LazyLock;

use sysreel::batch::{Batch, Builder, Columns, Item};
use sysreel::reel::{Block, Damage, Header, Reader, Reason, Stored, Totals, Writer};
use sysreel::schema::{Arch, Schema};

use crate::cli::sysreel;
use crate::live::loudly;
use crate::samples::{Dice, busy, wild};

fn all() -> bool {
    std::env::var_os("SYSREEL_SWEEP").is_some_and(|v| v == "all")
}

/// Every how many-th case is taken.
fn step(some: usize) -> usize {
    if all() { 1 } else { some }
}

fn counted(text: &str) {
    if all() {
        loudly(text);
    }
}

/// A schema of few calls: its header is short, so that most of a reel are events.
fn few() -> &'static Schema {
    static FEW: LazyLock<Schema> = LazyLock::new(|| {
        let names = ["openat", "read", "write", "close", "pipe2", "execve", "sendmsg", "lost", "procexit"];
        let native = Schema::native(Arch::X86_64);
        Schema::from_shapes(Arch::X86_64, native.named().filter(|s| names.contains(&&*s.name)).cloned())
    });
    &FEW
}

fn blocks(count: u64, rows: usize, seed: u64) -> Vec<Builder> {
    (0..count)
        .map(|i| match i % 4 {
            3 => busy(few(), rows * 8 + i as usize),
            _ => wild(few(), rows + i as usize, seed + i * 101),
        })
        .collect()
}

fn write(blocks: &[Builder]) -> Vec<u8> {
    let mut w = Writer::new(Vec::new(), &Header::default(), few()).unwrap();
    blocks.iter().for_each(|b| w.write_block(&b.view(few())).unwrap());
    w.finish(&Totals { written: 4711, ..Totals::default() }).unwrap()
}

/// A reel, where its blocks begin (with the length as the last), and what is in it.
struct Whole {
    bytes: Vec<u8>,
    /// Has read the headers.
    first: Reader<io::Empty>,
    starts: Vec<usize>,
    blocks: Vec<Builder>,
}

impl Whole {
    fn new(blocks: Vec<Builder>) -> Whole {
        let bytes = write(&blocks);
        let mut starts = vec![0];
        while let Some(head) = bytes.get(starts[starts.len() - 1]..).filter(|b| !b.is_empty()) {
            let body = u32::from_le_bytes(head[40..44].try_into().unwrap());
            starts.push(starts[starts.len() - 1] + 60 + body as usize);
        }
        // Two headers, events, containers, the end.
        assert_eq!(starts.len(), blocks.len() + 5);
        let first = Reader::new(&bytes[..]).unwrap().after_header(io::empty(), 0);
        Whole { bytes, first, starts, blocks }
    }

    /// The block that a byte belongs to.
    fn block_of(&self, at: usize) -> usize {
        self.starts.partition_point(|s| *s <= at) - 1
    }

    fn block(&self, number: usize) -> &[u8] {
        &self.bytes[self.starts[number]..self.starts[number + 1]]
    }

    /// Numbers of the event blocks.
    fn numbers(&self) -> Vec<usize> {
        (2..self.blocks.len() + 2).collect()
    }
}

/// 256 KiB and a little more.
static LARGE: LazyLock<Whole> = LazyLock::new(|| {
    let whole = Whole::new(blocks(16, 260, 7));
    assert!((256 * 1024..400 * 1024).contains(&whole.bytes.len()), "{}", whole.bytes.len());
    whole
});

/// 64 KiB and a little more.
static SMALL: LazyLock<Whole> = LazyLock::new(|| {
    let whole = Whole::new(blocks(8, 125, 99));
    assert!((64 * 1024..100 * 1024).contains(&whole.bytes.len()), "{}", whole.bytes.len());
    whole
});

fn same(a: &Batch, b: &Batch) -> bool {
    let (d, e) = (&a.dict, &b.dict);
    (a.rows, a.meta) == (b.rows, b.meta)
        && (a.num, a.time, a.delta, a.latency) == (b.num, b.time, b.delta, b.latency)
        && (a.call, a.cpu, a.tid, a.proc, a.ret, a.flags) == (b.call, b.cpu, b.tid, b.proc, b.ret, b.flags)
        && (a.words, a.refs) == (b.words, b.refs)
        && a.items.len() == b.items.len()
        && a.items.iter().zip(b.items).all(|(i, j)| said(a, *i) == said(b, *j))
        && (d.procs, d.files, d.users, d.groups, d.containers)
            == (e.procs, e.files, e.users, e.groups, e.containers)
        && (d.strings.len(), d.strings.bytes.len()) == (e.strings.len(), e.strings.bytes.len())
}

/// What an item says: strings of rows are stored in another order.
fn said<'a>(b: &Batch<'a>, item: Item) -> (Option<&'a [u8]>, Item) {
    match item.id() {
        Some(id) => (Some(b.dict.strings.get(id)), Item::new(0, item.is_cut())),
        None => (None, item),
    }
}

#[derive(Debug, Default)]
struct Got {
    /// Numbers of the blocks whose events were shown, each as it was written.
    shown: Vec<usize>,
    damages: Vec<Damage>,
    complete: bool,
}

impl Got {
    /// Reads all of it. Panics if anything is shown that is not as it was written.
    fn of(whole: &Whole, input: impl Read) -> Got {
        match Reader::new(input) {
            Ok(reader) => Got::drain(whole, reader),
            Err(damage) => Got { damages: vec![damage], ..Got::default() },
        }
    }

    /// The same of bytes that are those of the reel up to `from`. Parsing the schema takes longer than all the rest: where
    /// nothing is wrong with it, it is not done again.
    fn unlike_from(whole: &Whole, bytes: &[u8], from: usize) -> Got {
        let events = whole.starts[2];
        if from < events {
            return Got::of(whole, bytes);
        }
        Got::drain(whole, whole.first.after_header(&bytes[events..], events as u64))
    }

    fn drain(whole: &Whole, mut reader: Reader<impl Read>) -> Got {
        let mut got = Got::default();
        reader.show_containers();
        let schema = reader.schema().clone();
        loop {
            match reader.next() {
                Ok(None) => break,
                Ok(Some(Block::End(totals))) => assert_eq!(totals.written, 4711),
                Ok(Some(Block::Snapshot(_))) => {}
                Ok(Some(Block::Containers(mut block))) => {
                    let read = block.verify().and_then(|()| block.load_dict());
                    got.damages.extend(read.err());
                }
                Ok(Some(Block::Event(mut block))) => match block.load(Columns::ALL) {
                    Ok(()) => got.shown.push(Got::number(whole, &block, &schema)),
                    Err(damage) => got.damages.push(damage),
                },
                Err(damage) => {
                    let last = damage.is_fatal();
                    got.damages.push(damage);
                    if last {
                        break;
                    }
                }
            }
            assert!(got.damages.len() < 1000, "no progress");
        }
        assert!(got.shown.is_sorted_by(|a, b| a < b), "{:?}", got.shown);
        got.complete = reader.is_complete();
        got
    }

    fn number(whole: &Whole, block: &Stored, schema: &Schema) -> usize {
        let number = block.place().1 as usize;
        let original = whole.blocks.get(number - 2).unwrap_or_else(|| panic!("a block {number} was made up"));
        assert!(same(&original.view(few()), &block.view(schema)), "wrong events in block {number}");
        number
    }
}

#[test]
fn cut_at_any_byte() {
    let whole = &*LARGE;
    let mut cuts = 0;
    for cut in 0..whole.bytes.len() {
        let at_edge = whole.starts.contains(&cut);
        if !(at_edge || cut % step(509) == 0) {
            continue;
        }
        cuts += 1;
        let got = Got::unlike_from(whole, &whole.bytes[..cut], cut);
        // At most the block that was cut is lost.
        let before: Vec<usize> = whole.numbers().into_iter().filter(|n| whole.starts[n + 1] <= cut).collect();
        assert_eq!(got.shown, before, "cut at {cut}");
        assert!(!got.complete, "cut at {cut}");
        // Between two blocks nothing is damaged, but the end is missing, and that is said.
        assert_eq!(got.damages.is_empty(), at_edge && cut > 0, "cut at {cut}: {:?}", got.damages);
    }
    counted(&format!(
        "cut: {cuts} places of a reel of {} bytes, {} blocks",
        whole.bytes.len(),
        whole.blocks.len()
    ));
}

#[test]
fn any_bit_flipped() {
    let whole = &*SMALL;
    let mut flips = 0;
    for bit in (0..whole.bytes.len() * 8).step_by(step(8 * 31 + 3)) {
        let mut bytes = whole.bytes.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let block = whole.block_of(bit / 8);
        let got = Got::unlike_from(whole, &bytes, bit / 8);
        assert!(!got.damages.is_empty(), "bit {bit}");
        let others: Vec<usize> = whole.numbers().into_iter().filter(|n| *n != block).collect();
        assert_eq!(got.shown, others, "bit {bit}: {:?}", got.damages);
        assert_eq!(got.complete, block != whole.blocks.len() + 3, "bit {bit}");
        flips += 1;
    }
    counted(&format!(
        "flipped: {flips} bits of a reel of {} bytes, {} blocks",
        whole.bytes.len(),
        whole.blocks.len()
    ));
}

/// What somebody who moves whole blocks can do: events may go missing, and that is said; none is shown twice, out of order,
/// or in the place of another.
#[test]
fn blocks_moved_repeated_and_inserted() {
    let (whole, other) = (&*SMALL, Whole::new(blocks(4, 60, 5)));
    let count = whole.starts.len() - 1;
    let mut d = Dice(77);
    let cases = if all() { 100_000 } else { 300 };
    for case in 0..cases {
        let mut order: Vec<&[u8]> = (0..count).map(|n| whole.block(n)).collect();
        let mut pieces = Vec::new();
        for _ in 0..=d.below(3) {
            let (from, to) = (d.below(order.len() as u64) as usize, d.below(order.len() as u64) as usize);
            match d.below(6) {
                0 => order.swap(from, to),
                1 => order.insert(to, order[from]),
                // Not its header: that would make the file another one.
                2 => order.insert(to, other.block(2 + d.below(4) as usize)),
                3 => drop(order.remove(from)),
                4 => order.insert(to, &order[from][..d.below(order[from].len() as u64) as usize]),
                _ => pieces.push((to, (0..d.below(3000)).map(|_| d.roll() as u8).collect::<Vec<u8>>())),
            }
        }
        for (to, bytes) in &pieces {
            order.insert((*to).min(order.len()), bytes);
        }
        let bytes = order.concat();
        let got = Got::of(whole, &bytes[..]);
        // A header may be lost without harm: there are two.
        let events = |bytes: &[u8]| {
            bytes == &whole.bytes[whole.starts[1]..] || bytes == &whole.bytes[whole.starts[2]..]
        };
        let intact = bytes == whole.bytes || events(&bytes);
        let told = !got.damages.is_empty() || !got.complete;
        assert!(told || got.shown == whole.numbers(), "case {case}");
        assert!(intact || told || bytes.starts_with(whole.block(0)), "case {case}");
        // Events are missing only if something was said.
        if got.shown != whole.numbers() {
            assert!(!got.damages.is_empty() || !got.complete, "case {case}");
        }
    }
    counted(&format!("moved: {cases} arrangements of {count} blocks"));

    // What is put between two blocks costs none of them, unless it is itself a later block of the file.
    for at in 1..count {
        for kind in 0..4 {
            let stranger = match kind {
                0 => other.block(2 + at % 3).to_vec(),
                1 => whole.block(at - 1).to_vec(),
                2 => whole.block(at)[..whole.block(at).len() - 1 - at].to_vec(),
                _ => (0..2000).map(|_| d.roll() as u8).collect(),
            };
            let bytes =
                [&whole.bytes[..whole.starts[at]], &stranger, &whole.bytes[whole.starts[at]..]].concat();
            let got = Got::of(whole, &bytes[..]);
            // The beginning of a block just before the block itself takes it along: its lengths reach into it.
            let swallowed = |n: &usize| kind == 2 && *n == at && !got.shown.contains(n);
            let expected: Vec<usize> = whole.numbers().into_iter().filter(|n| !swallowed(n)).collect();
            assert_eq!(got.shown, expected, "kind {kind} at {at}: {:?}", got.damages);
            assert!(got.complete);
            // A header again says nothing new.
            assert!(!got.damages.is_empty() || at == 1, "kind {kind} at {at}");
        }
    }
}

/// Fails at one call, or at every one from there on; gives or takes a few bytes at a time.
struct Faulty<T> {
    inner: T,
    calls: usize,
    at: usize,
    error: io::ErrorKind,
    once: bool,
    most: usize,
}

impl<T> Faulty<T> {
    fn fails(&mut self) -> io::Result<()> {
        self.calls += 1;
        if self.calls == self.at || self.calls > self.at && !self.once {
            return Err(self.error.into());
        }
        Ok(())
    }
}

impl<T: Read> Read for Faulty<T> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        self.fails()?;
        let n = room.len().min(1 + self.calls * 7919 % self.most);
        self.inner.read(&mut room[..n])
    }
}

impl<T: Write> Write for Faulty<T> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.fails()?;
        let n = bytes.len().min(1 + self.calls * 7919 % self.most);
        self.inner.write(&bytes[..n])
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[test]
fn reading_fails_at_any_call() {
    let whole = &*SMALL;
    let input = |at, error| Faulty { inner: &whole.bytes[..], calls: 0, at, error, once: true, most: 997 };
    let mut calls = 0;
    for at in 1.. {
        let mut reading = input(at, io::ErrorKind::Interrupted);
        let got = Got::of(whole, &mut reading);
        calls = reading.calls;
        assert_eq!((got.shown, got.damages), (whole.numbers(), vec![]), "interrupted at {at}");
        let got = Got::of(whole, input(at, io::ErrorKind::Other));
        if at > calls {
            assert!(got.complete && got.damages.is_empty());
            break;
        }
        // What came before is shown, and the error is said, never taken for an end.
        let Some(Damage { reason: Reason::Io(io::ErrorKind::Other, _), offset, .. }) = got.damages.last()
        else {
            panic!("failed at {at}: {:?}", got.damages);
        };
        let before: Vec<usize> =
            whole.numbers().into_iter().filter(|n| whole.starts[n + 1] as u64 <= *offset).collect();
        // Only the read that would have found the end of the file comes after the end block.
        let complete = *offset == whole.bytes.len() as u64;
        assert_eq!((got.shown, got.complete), (before, complete), "failed at {at}");
    }
    counted(&format!("reading: EINTR and EIO at each of {calls} reads of 1 to 997 bytes"));
}

#[test]
fn writing_fails_at_any_call() {
    let whole = &*SMALL;
    let mut calls = 0;
    for at in (1..).step_by(step(7)) {
        for (error, once) in [
            (io::ErrorKind::Interrupted, true),
            (io::ErrorKind::Other, true),
            (io::ErrorKind::StorageFull, false),
        ] {
            let out = Faulty { inner: Vec::new(), calls: 0, at, error, once, most: 997 };
            let Ok(mut w) = Writer::new(out, &Header::default(), few()) else {
                // Nothing is in a file without a header; whoever called knows.
                assert_ne!(error, io::ErrorKind::Interrupted);
                continue;
            };
            let (mut failed, mut lost, mut rows) = (0, 0, 0);
            for b in &whole.blocks {
                rows += b.rows() as u64;
                if w.write_block(&b.view(few())).is_err() {
                    failed += 1;
                    lost += b.rows() as u64;
                }
            }
            assert_eq!(w.events_written() + w.events_lost(), rows);
            if once {
                assert!(failed <= 1 && (failed == 0 || error == io::ErrorKind::Other));
            } else {
                assert_eq!(w.events_lost(), lost);
            }
            // What is written can be read up to its last whole block, at any moment.
            let bytes = w.get_ref().inner.clone();
            let got = Got::of(whole, &bytes[..]);
            let written: usize = got.shown.iter().map(|n| whole.blocks[n - 2].rows()).sum();
            assert_eq!(written as u64, w.events_written());
            calls = w.get_ref().calls;
            if let Ok(out) = w.finish(&Totals { written: 4711, ..Totals::default() }) {
                // The block that was cut short has been completed: nothing is missing.
                let got = Got::of(whole, &out.inner[..]);
                assert_eq!(
                    (got.shown, got.damages, got.complete),
                    (whole.numbers(), vec![], true),
                    "call {at}"
                );
            } else {
                assert_ne!(error, io::ErrorKind::Interrupted);
            }
        }
        if at > calls {
            break;
        }
    }
    counted(&format!("writing: EINTR, EIO and ENOSPC at each of {calls} writes of 1 to 997 bytes"));
}

/// Status, lines, messages of `-r -`.
fn show(bytes: &[u8], args: &[&str]) -> (i32, Vec<String>, String) {
    run(bytes, &[&["-r", "-"], args].concat())
}

fn run(bytes: &[u8], args: &[&str]) -> (i32, Vec<String>, String) {
    let mut child = sysreel()
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let bytes = bytes.to_vec();
    let feeding = std::thread::spawn(move || drop(stdin.write_all(&bytes)));
    let done = child.wait_with_output().unwrap();
    feeding.join().unwrap();
    let text = |b: Vec<u8>| String::from_utf8_lossy(&b).into_owned();
    (done.status.code().unwrap(), text(done.stdout).lines().map(str::to_owned).collect(), text(done.stderr))
}

/// The same through the program: status 4, a message, and no line that the whole file does not give.
#[test]
fn the_program_tells_damage() {
    let whole = Whole::new(blocks(5, 20, 31));
    // What a command does not need is not checked: this one needs nearly all columns.
    let fields = "%evt.num %evt.rawtime %evt.deltatime %evt.latency %evt.type %evt.cpu %proc.pid %proc.name %user.name \
                  %group.name %thread.tid %evt.rawres %evt.certain %evt.args %fd.name";
    let args = ["-p", fields];
    let (code, lines, _) = show(&whole.bytes, &args);
    assert_eq!(code, 0);
    assert_eq!(lines.len(), whole.blocks.iter().map(Builder::rows).sum::<usize>());
    let (mut d, cases) = (Dice(3), if all() { 4000 } else { 40 });
    let mut passed_over = 0;
    for _ in 0..cases {
        let at = d.below(whole.bytes.len() as u64) as usize;
        let mut bytes = whole.bytes.clone();
        let lost = if d.below(2) == 0 {
            bytes.truncate(at);
            None
        } else {
            bytes[at] ^= 1 << d.below(8);
            Some(whole.block_of(at))
        };
        // Nobody who shows events looks into what is known last of containers; `verify` does.
        if lost == Some(whole.blocks.len() + 2) {
            assert_eq!(run(&bytes, &["verify", "-"]).0, 4, "byte {at}");
            continue;
        }
        let (code, got, err) = show(&bytes, &args);
        if lost.is_some() && code == 0 {
            // In one of the others, for which `verify` looks.
            assert_eq!(run(&bytes, &["verify", "-"]).0, 4, "byte {at}: {err}");
            assert!(got == lines, "byte {at}: {err}");
            passed_over += 1;
            continue;
        }
        if lost.is_none() && whole.starts[1..].contains(&at) {
            assert!(code == 0 && err.contains("no end block"), "{err}");
        } else {
            assert_eq!(code, 4, "byte {at}: {err}");
            assert!(err.lines().any(|l| l.starts_with("sysreel: standard input: ")), "{err}");
        }
        // Exactly the lines of the other blocks, in order.
        let mut from = 0;
        let mut expected = Vec::new();
        for (b, number) in whole.blocks.iter().zip(2..) {
            let gone = lost.map_or(whole.starts[number + 1] > at, |l| l == number);
            expected.extend((!gone).then(|| &lines[from..from + b.rows()]).into_iter().flatten());
            from += b.rows();
        }
        assert!(got.iter().eq(expected), "byte {at}: {err}");
    }
    assert!(passed_over * 20 < cases, "{passed_over} of {cases} flips were not seen");
    counted(&format!("program: {cases} cuts and flips, {passed_over} in what the fields do not need"));
}
