//! Whole reels: written, read back, cut, flipped, forged.

use std::io::{self, Read, Write};
use std::sync::LazyLock;

use proptest::prelude::*;

use super::frame::{Frame, HEADER};
use super::front::{Front, Section};
use super::samples::*;
use super::*;
use crate::batch::{Builder, Columns, NONE, Tables};
use crate::schema::{Arch, Schema};

pub(super) fn reel(schema: &Schema, blocks: &[Builder]) -> Vec<u8> {
    let mut w = Writer::new(Vec::new(), &Header::default(), schema).unwrap();
    for b in blocks {
        w.write_block(&b.view(schema)).unwrap();
    }
    let rows: usize = blocks.iter().map(Builder::rows).sum();
    assert_eq!(w.events_written(), rows as u64);
    w.finish(&Totals { written: rows as u64, ..Totals::default() }).unwrap()
}

/// Everything that can be read: rows of each block by number, and what was damaged.
#[derive(Debug, Default)]
struct Got {
    blocks: Vec<(u64, String)>,
    damages: Vec<Damage>,
    complete: bool,
    end: Option<Totals>,
}

fn read_all(bytes: &[u8]) -> Got {
    match Reader::new(bytes) {
        Ok(reader) => drain(reader),
        Err(damage) => Got { damages: vec![damage], ..Got::default() },
    }
}

fn drain<R: Read>(mut reader: Reader<R>) -> Got {
    let mut got = Got::default();
    let schema = &*reader.schema().clone();
    loop {
        match reader.next() {
            Ok(None) => break,
            Ok(Some(Block::End(totals))) => got.end = Some(totals),
            Ok(Some(Block::Snapshot(_) | Block::Containers(_))) => {}
            Ok(Some(Block::Event(mut block))) => match block.load(Columns::ALL) {
                Ok(()) => got.blocks.push((block.place().1, everything(&block.view(schema)))),
                Err(damage) => got.damages.push(damage),
            },
            Err(damage) => got.damages.push(damage),
        }
        assert!(got.damages.len() < 10_000, "no progress");
    }
    got.complete = reader.is_complete();
    got
}

#[test]
fn snapshots_are_passed_over_unless_they_are_asked_for() {
    let schema = schema();
    let events = busy(schema, 100);
    let mut there = Builder::new();
    let proc = there.proc(crate::batch::Proc { pid: 7, ..Default::default() });
    let row = crate::batch::Row { time: 5, call: crate::schema::PROCESS, proc, ret: 1, ..Default::default() };
    there.push(row, &[], &[], &[]);
    let mut w = Writer::new(Vec::new(), &Header::default(), schema).unwrap();
    w.write_block(&events.view(schema)).unwrap();
    assert!(w.write_snapshot(&there.view(schema), 10).unwrap().is_none(), "larger than it may be");
    assert!(w.write_snapshot(&there.view(schema), 10_000).unwrap().is_some());
    w.write_block(&events.view(schema)).unwrap();
    assert_eq!(w.events_written(), 200);
    let bytes = w.finish(&Totals { written: 200, ..Totals::default() }).unwrap();
    let got = read_all(&bytes);
    assert_eq!((got.blocks.len(), got.damages.len(), got.complete), (2, 0, true));
    let mut reader = Reader::new(&bytes[..]).unwrap();
    reader.show_snapshots();
    let mut seen = Vec::new();
    while let Some(block) = reader.next().unwrap() {
        match block {
            Block::Event(b) => seen.push(b.place().0),
            Block::Snapshot(mut b) => {
                b.load(Columns::ALL).unwrap();
                assert!(b.is_snapshot());
                assert_eq!(everything(&b.view(schema)), everything(&there.view(schema)));
                seen.push(b.place().0);
            }
            Block::Containers(_) => panic!("nobody asked for them"),
            Block::End(totals) => {
                assert_eq!(totals.snapshots.iter().map(|e| e.offset).collect::<Vec<_>>(), seen[1..2]);
                assert_eq!(totals.index.iter().map(|e| e.offset).collect::<Vec<_>>(), [seen[0], seen[2]]);
            }
        }
    }
    assert_eq!((seen.len(), reader.unknown_blocks()), (3, 0));
}

/// A block with an event in each of these containers: id, name, labels.
fn contained(generation: u32, all: &[[Option<&str>; 3]]) -> Builder {
    use crate::batch::{Container, Proc, Row};
    let mut b = Builder::new();
    b.reset(generation);
    for (n, texts) in all.iter().enumerate() {
        let [id, name, labels] = texts.map(|t| t.map_or(NONE, |t| b.string(t.as_bytes())));
        let container =
            b.container(Container { id, name, labels, sources: 1 + n as u32, ..Default::default() });
        let comm = b.string(b"sh");
        let proc = b.proc(Proc { pid: 7 + n as u32, comm, container, ..Default::default() });
        let call = crate::schema::PROCESS;
        b.push(Row { time: u64::from(generation), num: 1, call, proc, ..Row::default() }, &[], &[], &[]);
    }
    b.close();
    b
}

#[test]
fn what_is_known_last_of_containers_stands_at_the_end() {
    let schema = schema();
    let path = tempfile::NamedTempFile::new().unwrap();
    let mut w = Writer::new(path.reopen().unwrap(), &Header::default(), schema).unwrap();
    let (a, b, c) = (Some("a".repeat(64)), Some("b".repeat(64)), Some("c".repeat(64)));
    let [a, b, c] = [a.as_deref(), b.as_deref(), c.as_deref()];
    let blocks = [
        contained(1, &[[a, None, None], [b, Some("old"), None]]),
        contained(2, &[[a, Some("web"), None], [b, Some("db"), None]]),
    ];
    blocks.iter().for_each(|b| w.write_block(&b.view(schema)).unwrap());
    // Later than all events; of one that has none; and less than is known.
    w.learn_containers(
        &contained(3, &[[a, Some("web"), Some("k\0v\0")], [c, Some("other"), None]]).view(schema),
    );
    w.learn_containers(&contained(4, &[[b, None, None]]).view(schema));
    w.finish(&Totals { written: 4, ..Totals::default() }).unwrap();
    let bytes = std::fs::read(path.path()).unwrap();
    assert!(!bytes.windows(5).any(|w| w == b"other"));
    let got = read_all(&bytes);
    assert_eq!((got.blocks.len(), got.damages.len(), got.complete), (2, 0, true));

    let file = || std::fs::File::open(path.path()).unwrap();
    let texts = |b: &Stored| -> Vec<[Option<String>; 3]> {
        let d = b.dict();
        let text = |id| d.strings.find(id).map(|t| String::from_utf8_lossy(t).into_owned());
        d.containers.iter().map(|c| [text(c.id), text(c.name), text(c.labels)]).collect()
    };
    let owned = |all: [Option<&str>; 3]| all.map(|t| t.map(str::to_owned));
    let last = [owned([a, Some("web"), Some("k\0v\0")]), owned([b, Some("db"), None])];
    let mut reader: Reader<std::fs::File> = Reader::open(file()).unwrap().unwrap();
    reader.show_containers();
    let mut told = Vec::new();
    while let Some(block) = reader.next().unwrap() {
        if let Block::Containers(mut block) = block {
            block.load(Columns::ALL).unwrap();
            assert_eq!(block.rows(), 2);
            told.extend(texts(&block));
        }
    }
    assert_eq!((&told[..], reader.unknown_blocks()), (&last[..], 0));

    // Earlier entries have it if that is asked for, and say so.
    let late = Reader::<std::fs::File>::open(file()).unwrap().unwrap().late_names().unwrap();
    let mut reader: Reader<std::fs::File> = Reader::open(file()).unwrap().unwrap();
    reader.name_late(late);
    for marks in [[true, true], [true, false]] {
        let Ok(Some(Block::Event(mut block))) = reader.next() else { panic!() };
        block.load_tables(Tables::Procs).unwrap();
        assert_eq!(texts(&block), last);
        let late = block.dict().containers.iter().map(|c| c.sources & 16 != 0).collect::<Vec<_>>();
        assert_eq!(late, marks);
        block.load(Columns::ALL).unwrap();
        assert_eq!(
            block.view(schema).proc_of(0).map(|p| p.comm).and_then(|id| block.dict().strings.find(id)),
            Some(&b"sh"[..])
        );
    }
    // Without an end nothing is known late.
    let cut = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(cut.path(), &bytes[..bytes.len() - 20]).unwrap();
    let reader = Reader::<std::fs::File>::open(cut.reopen().unwrap()).unwrap();
    assert!(reader.unwrap().late_names().is_none());
}

#[test]
fn a_busy_block_is_small() {
    let schema = schema();
    let block = busy(schema, 65536);
    let bytes = reel(schema, std::slice::from_ref(&block));
    let got = read_all(&bytes);
    assert_eq!(got.damages, []);
    assert!(got.blocks[0].1 == everything(&block.view(schema)));
    let mut reader = Reader::new(&bytes[..]).unwrap();
    let Ok(Some(Block::Event(stored))) = reader.next() else { panic!() };
    let mut report = String::new();
    for (id, stored, raw) in stored.sizes() {
        report +=
            &format!("{}: {:.3} of {:.3}; ", id::name(id), stored as f64 / 65536.0, raw as f64 / 65536.0);
    }
    let per_event = stored.sizes().map(|s| s.1).sum::<u32>() as f64 / 65536.0;
    // The dice of this block are harsher than real work: every sixth row changes the process.
    assert!(per_event < 8.1, "{per_event:.2} bytes an event: {report}");
    // How fast: one block warms the buffers.
    let mut w = Writer::new(io::sink(), &Header::default(), schema).unwrap();
    w.write_block(&block.view(schema)).unwrap();
    let begin = std::time::Instant::now();
    (0..20).for_each(|_| w.write_block(&block.view(schema)).unwrap());
    let write = begin.elapsed().as_nanos() as f64 / 20.0 / 65536.0;
    let begin = std::time::Instant::now();
    for _ in 0..20 {
        let mut reader = reader.after_header(&bytes[stored.place().0 as usize..], 0);
        let Ok(Some(Block::Event(mut stored))) = reader.next() else { panic!() };
        stored.load(Columns::ALL).unwrap();
    }
    let read = begin.elapsed().as_nanos() as f64 / 20.0 / 65536.0;
    let begin = std::time::Instant::now();
    for _ in 0..20 {
        let mut reader = reader.after_header(&bytes[stored.place().0 as usize..], 0);
        let Ok(Some(Block::Event(mut stored))) = reader.next() else { panic!() };
        stored.load(Columns::CALL.and(Columns::RET)).unwrap();
    }
    let two = begin.elapsed().as_nanos() as f64 / 20.0 / 65536.0;
    report += &format!("ns an event: write {write:.1}, read {read:.1}, two columns {two:.1}");
    if let Ok(path) = std::env::var("REEL_REPORT") {
        std::fs::write(
            path,
            format!("{per_event:.2} bytes an event, prelude {}: {report}", stored.place().0),
        )
        .unwrap();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_written_is_read(blocks in proptest::collection::vec(any_block(), 0..4)) {
        let schema = schema();
        let blocks: Vec<Builder> = blocks.into_iter().map(|(rows, seed)| wild(schema, rows, seed)).collect();
        let got = read_all(&reel(schema, &blocks));
        prop_assert_eq!(&got.damages, &[]);
        prop_assert!(got.complete);
        let expected: Vec<String> =
            blocks.iter().filter(|b| b.rows() > 0).map(|b| everything(&b.view(schema))).collect();
        prop_assert_eq!(got.blocks.into_iter().map(|b| b.1).collect::<Vec<_>>(), expected);
    }
}

/// A schema of few calls: its header is short, which matters where a test reads a reel many times.
pub(super) fn few() -> &'static Schema {
    static FEW: LazyLock<Schema> = LazyLock::new(|| {
        let names = ["openat", "read", "close", "pipe2", "lost"];
        Schema::from_shapes(Arch::X86_64, schema().named().filter(|s| names.contains(&&*s.name)).cloned())
    });
    &FEW
}

/// Three blocks of a few rows, and where each block of the reel begins (the header's copy, events, end, and the length).
fn small() -> (&'static Schema, Vec<u8>, Vec<usize>) {
    let schema = few();
    let blocks: Vec<Builder> = (3..6).map(|seed| wild(schema, 12, seed * 77)).collect();
    let mut w = Writer::new(Vec::new(), &Header::default(), schema).unwrap();
    blocks.iter().for_each(|b| w.write_block(&b.view(schema)).unwrap());
    w.forget_containers();
    let bytes = w.finish(&Totals::default()).unwrap();
    let mut starts = vec![0];
    while let Some(frame) = Frame::parse(&bytes[*starts.last().unwrap()..]) {
        starts.push(starts.last().unwrap() + HEADER + frame.body as usize);
    }
    assert_eq!(starts.len(), 7);
    assert_eq!(*starts.last().unwrap(), bytes.len());
    (schema, bytes, starts)
}

type Small = (&'static Schema, Vec<u8>, Vec<usize>);
static SMALL: LazyLock<Small> = LazyLock::new(small);

#[test]
fn a_reel_cut_anywhere_gives_all_whole_blocks() {
    let (_, bytes, starts) = small();
    let whole = read_all(&bytes);
    assert!(whole.complete && whole.damages.is_empty());
    let first = Reader::new(&bytes[..]).unwrap();
    for cut in 0..bytes.len() {
        let part = &bytes[..cut];
        let got = if cut < starts[2] {
            read_all(part)
        } else {
            drain(first.after_header(&part[starts[2]..], starts[2] as u64))
        };
        let before = starts[2..6].windows(2).filter(|w| w[1] <= cut).count();
        assert_eq!(got.blocks, whole.blocks[..before], "cut at {cut}");
        assert!(!got.complete, "cut at {cut}");
        let at_edge = starts.contains(&cut);
        assert_eq!(got.damages.is_empty(), at_edge && cut >= starts[1], "cut at {cut}: {:?}", got.damages);
        if let Some(damage) = got.damages.first().filter(|_| cut > starts[2]) {
            assert_eq!(damage.reason, Reason::Cut);
            assert_eq!(damage.skipped as usize, cut - starts[1 + before + 1]);
            assert!(damage.to_string().starts_with(&format!("cut off in block {} at byte", before + 2)));
        }
    }
}

#[test]
fn a_flipped_bit_costs_one_block_at_most() {
    let (_, bytes, starts) = small();
    let whole = read_all(&bytes);
    let first = Reader::new(&bytes[..]).unwrap();
    for at in 0..bytes.len() {
        let block = starts.iter().filter(|s| **s <= at).count() - 1;
        let bits = if at < starts[2] { at % 8..at % 8 + 1 } else { 0..8 };
        for bit in bits {
            let mut bad = bytes.clone();
            bad[at] ^= 1 << bit;
            let got = if at < starts[2] {
                read_all(&bad)
            } else {
                drain(first.after_header(&bad[starts[2]..], starts[2] as u64))
            };
            assert!(!got.damages.is_empty(), "bit {bit} of byte {at}");
            let others: Vec<_> = whole.blocks.iter().filter(|b| b.0 != block as u64).cloned().collect();
            assert_eq!(got.blocks, others, "bit {bit} of byte {at}: {:?}", got.damages);
            assert_eq!(got.complete, block != 5, "bit {bit} of byte {at}");
            let missing: u64 = got.damages.iter().map(|d| d.missing).sum();
            let loaded = matches!(got.damages[0].reason, Reason::Section(_));
            assert_eq!(missing, u64::from(!loaded), "byte {at} {:?}", got.damages);
        }
    }
}

/// A file of which only parts are read gives what a stream gives, however it is damaged.
#[test]
fn a_file_is_read_like_a_stream() {
    let (_, bytes, starts) = small();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.reel");
    let check = |bytes: &[u8], what: &str| {
        std::fs::write(&path, bytes).unwrap();
        let file = match Reader::<io::Empty>::open(std::fs::File::open(&path).unwrap()).unwrap() {
            Ok(reader) => drain(reader),
            Err(damage) => Got { damages: vec![damage], ..Got::default() },
        };
        let stream = read_all(bytes);
        assert_eq!(file.blocks, stream.blocks, "{what}");
        assert_eq!((file.complete, file.end), (stream.complete, stream.end), "{what}");
        let reasons = |got: &[Damage]| got.iter().map(|d| (d.block, d.reason.clone())).collect::<Vec<_>>();
        assert_eq!(reasons(&file.damages), reasons(&stream.damages), "{what}");
    };
    check(&bytes, "whole");
    for cut in (0..bytes.len()).step_by(97).chain(starts.iter().copied()) {
        check(&bytes[..cut], &format!("cut at {cut}"));
    }
    for at in (starts[2]..bytes.len()).step_by(13) {
        let mut bad = bytes.clone();
        bad[at] ^= 4;
        check(&bad, &format!("byte {at}"));
    }
    check(&[&bytes[..starts[3]], &bytes[starts[4]..]].concat(), "a block is gone");
    check(&[&bytes[..starts[3]], &b"rubbish"[..], &bytes[starts[3]..]].concat(), "rubbish between");
}

#[test]
fn blocks_that_are_gone_and_blocks_of_others_are_noticed() {
    let (_, bytes, starts) = small();
    let whole = read_all(&bytes);
    let gone = [&bytes[..starts[3]], &bytes[starts[4]..]].concat();
    let got = read_all(&gone);
    assert_eq!(got.blocks, [whole.blocks[0].clone(), whole.blocks[2].clone()]);
    assert_eq!((got.damages.len(), &got.damages[0].reason, got.damages[0].missing), (1, &Reason::Missing, 1));

    let (_, other, there) = small();
    let mixed = [&bytes[..starts[3]], &other[there[2]..there[4]], &bytes[starts[3]..]].concat();
    let got = read_all(&mixed);
    assert_eq!(got.blocks, whole.blocks);
    let damage = &got.damages[0];
    assert_eq!((got.damages.len(), &damage.reason, damage.missing), (1, &Reason::Foreign, 0));
    assert_eq!(damage.skipped as usize, there[4] - there[2]);

    let got = read_all(&[&bytes[..], &other[..]].concat());
    assert_eq!(got.blocks, whole.blocks);
    assert_eq!((got.damages.len(), &got.damages[0].reason), (1, &Reason::AfterEnd));
    assert!(got.complete);

    let got = read_all(&[&bytes[..starts[4]], &bytes[starts[3]..]].concat());
    assert_eq!(got.blocks, whole.blocks);
    assert_eq!(got.damages.len(), 1);
}

#[test]
fn what_is_not_a_reel_is_said_so() {
    let reason = |bytes: &[u8]| Reader::new(bytes).err().map(|d| d.reason);
    assert_eq!(reason(b""), Some(Reason::Empty));
    assert_eq!(reason(b"root:x:0:0:root:/root:/bin/sh\n"), Some(Reason::NotAReel));
    assert_eq!(reason(&[0x89; 100_000]), Some(Reason::NotAReel));
    let (_, mut bytes, _) = small();
    let mut frame = Frame::parse(&bytes).unwrap();
    frame.version = 1;
    bytes[..HEADER].copy_from_slice(&frame.to_bytes());
    assert_eq!(reason(&bytes), Some(Reason::Version(1)));
}

/// Takes a block apart, changes it, and seals it again with checksums that are right.
fn forge(block: &[u8], change: impl FnOnce(&mut Front, &mut Vec<u8>)) -> Vec<u8> {
    let mut frame = Frame::parse(block).unwrap();
    let (head, body) = block[HEADER..].split_at(frame.front as usize);
    let (mut front, mut body) = (Front::parse(head, body.len()).unwrap(), body.to_vec());
    change(&mut front, &mut body);
    let mut rest = &body[..];
    for section in &mut front.sections {
        let (mine, tail) = rest.split_at((section.stored as usize).min(rest.len()));
        section.crc = frame::crc(mine);
        rest = tail;
    }
    let mut head = Vec::new();
    front.put(&mut head);
    frame.front = head.len() as u32;
    frame.front_crc = frame::crc(&head);
    frame.body = (head.len() + body.len()) as u32;
    [&frame.to_bytes()[..], &head, &body].concat()
}

#[test]
fn what_a_later_version_adds_is_passed_over() {
    let schema = few();
    let block = wild(schema, 9, 5);
    let mut w = Writer::new(Vec::new(), &Header::default(), schema).unwrap();
    w.write_other(77, b"from the future").unwrap();
    w.write_block(&block.view(schema)).unwrap();
    let bytes = w.finish(&Totals::default()).unwrap();
    let mut reader = Reader::new(&bytes[..]).unwrap();
    let Ok(Some(Block::Event(stored))) = reader.next() else { panic!() };
    assert_eq!((reader.unknown_blocks(), stored.unknown_columns()), (1, 0));
    let at = stored.place().0 as usize;
    let end = at + HEADER + Frame::parse(&bytes[at..]).unwrap().body as usize;
    let later = forge(&bytes[at..end], |front, body| {
        let new = Section { id: 999, encoding: 99, packing: 9, raw: 5, stored: 3, crc: 0 };
        front.sections.insert(0, new);
        body.splice(0..0, [1, 2, 3]);
    });
    let got = read_all(&[&bytes[..at], &later, &bytes[end..]].concat());
    assert_eq!(got.damages, []);
    assert_eq!(got.blocks[0].1, everything(&block.view(schema)));
}

#[test]
fn forged_lengths_are_refused() {
    let (_, bytes, starts) = small();
    let first = Reader::new(&bytes[..]).unwrap();
    let block = &bytes[starts[2]..starts[3]];
    let read = |bad: &[u8]| drain(first.after_header(bad, 0));
    let changes: &[fn(&mut Front)] = &[
        |f| f.rows = u32::MAX,
        |f| f.rows += 1,
        |f| f.words = u32::MAX,
        |f| f.words += 1,
        |f| f.items = 1 << 30,
        |f| f.items += 1,
        |f| f.refs = 1 << 23,
        |f| f.refs += 1,
        |f| f.sizes.procs = u32::MAX,
        |f| f.sizes.files = 1 << 20,
        |f| f.sizes.users = 1 << 20,
        |f| f.sizes.groups = 1 << 20,
        |f| f.sizes.strings = u32::MAX,
        |f| f.parts[0].0 = u32::MAX,
        |f| f.parts[0].1 += 1,
        |f| f.parts[1].0 += 1,
        |f| f.sizes.bytes = u32::MAX,
        |f| f.sizes.bytes += 1,
        |f| f.min_time += 1,
        |f| f.codes.clear(),
        |f| f.codes.push(4000),
        |f| f.codes.insert(0, 3000),
        |f| f.sections.iter_mut().for_each(|s| s.raw = 1 << 23),
        |f| f.sections.iter_mut().for_each(|s| s.raw = 1 << 20),
        |f| f.sections[3].raw = u32::MAX,
        |f| f.sections[3].stored = u32::MAX,
        |f| f.sections[3].packing = 7,
        |f| f.sections.iter_mut().for_each(|s| s.encoding = 0x77),
        |f| f.sections.truncate(4),
        |f| f.sections.clear(),
        |f| f.sections = vec![f.sections[0]; 300],
    ];
    for (i, change) in changes.iter().enumerate() {
        let got = read(&forge(block, |front, _| change(front)));
        assert!(got.blocks.is_empty() && !got.damages.is_empty(), "change {i}");
    }
    let mut frame = Frame::parse(block).unwrap();
    frame.body = u32::MAX;
    let got = read(&[&frame.to_bytes()[..], &block[HEADER..]].concat());
    assert_eq!(got.damages[0].reason, Reason::TooLarge("length of the body"));
    frame.body = frame::MAX_BODY as u32;
    let got = read(&[&frame.to_bytes()[..], &block[HEADER..]].concat());
    assert_eq!(got.damages[0].reason, Reason::Cut);
}

/// Takes a few bytes at a time and fails where it is told to, until the disk is emptied.
struct Disk {
    bytes: Vec<u8>,
    room: usize,
    step: usize,
}

impl Write for Disk {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = bytes.len().min(self.step).min(self.room - self.bytes.len().min(self.room));
        if n == 0 && !bytes.is_empty() {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.bytes.extend_from_slice(&bytes[..n]);
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_full_disk_loses_what_is_counted() {
    let schema = few();
    let blocks: Vec<Builder> = (1..5).map(|seed| wild(schema, 10, seed)).collect();
    let length = reel(schema, &blocks).len();
    for room in (0..length).step_by(41) {
        let disk = Disk { bytes: Vec::new(), room, step: 100 };
        let Ok(mut w) = Writer::new(disk, &Header::default(), schema) else { continue };
        let failed = blocks.iter().filter(|b| w.write_block(&b.view(schema)).is_err()).count() as u64;
        assert_eq!(w.events_written() + w.events_lost(), 40);
        assert_eq!(w.events_lost(), failed * 10);
        let got = read_all(&w.get_ref().bytes);
        assert_eq!(got.blocks.len() as u64 * 10, w.events_written());
        assert_eq!(w.bytes_written(), w.get_ref().bytes.len() as u64);
        // Somebody makes room: the block that was cut short is completed.
        w.get_mut().room = usize::MAX;
        w.write_block(&blocks[0].view(schema)).unwrap();
        assert_eq!(w.events_lost(), failed.saturating_sub(1) * 10);
        let written = w.events_written();
        let got = read_all(&w.finish(&Totals::default()).unwrap().bytes);
        assert_eq!(got.damages, []);
        assert_eq!(got.blocks.len() as u64 * 10, written);
    }
}

#[test]
fn batches_that_a_reader_would_refuse_are_not_written() {
    let schema = few();
    let block = wild(schema, 10, 3);
    let mut w = Writer::new(Vec::new(), &Header::default(), schema).unwrap();
    let good = block.view(schema);
    for bad in [
        crate::batch::Batch { time: &[], ..good },
        crate::batch::Batch { proc: &[7777; 10], ..good },
        crate::batch::Batch { call: &[4000; 10], ..good },
        crate::batch::Batch { words: &[], ..good },
        crate::batch::Batch { fdlist_row: &[3], ..good },
        crate::batch::Batch { fdlist_row: &[10], fdlist: &[NONE], ..good },
        crate::batch::Batch { fdlist_row: &[3], fdlist: &[7777], ..good },
        crate::batch::Batch { fdlist_row: &[3, 2], fdlist: &[NONE; 2], ..good },
    ] {
        assert_eq!(w.write_block(&bad).unwrap_err().kind(), io::ErrorKind::InvalidInput);
    }
    w.write_block(&good).unwrap();
    assert_eq!((w.events_lost(), w.events_written()), (80, 10));
    let got = read_all(&w.finish(&Totals::default()).unwrap());
    assert_eq!((got.blocks.len(), got.damages.len()), (1, 0));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn parts_are_like_the_whole((rows, seed) in any_block(), columns in any::<u32>(), then in any::<u32>()) {
        let schema = schema();
        let block = wild(schema, rows + 1, seed);
        let bytes = reel(schema, std::slice::from_ref(&block));
        let mut reader = Reader::new(&bytes[..]).unwrap();
        let Ok(Some(Block::Event(mut stored))) = reader.next() else { panic!() };
        prop_assert!(stored.verify().is_ok());
        let whole = block.view(schema);
        let set = 4095 | Columns::FDLIST.0;
        for columns in [Columns(columns & columns >> 3 & set), Columns(then & set), Columns::ALL] {
            stored.load(columns).unwrap();
            let loaded = stored.loaded();
            prop_assert!(loaded.has(columns));
            let part = stored.view(schema);
            let said = |b: &crate::batch::Batch| -> Vec<_> {
                b.items.iter().map(|i| (i.id().map(|id| b.dict.strings.get(id).to_vec()), i.is_cut())).collect()
            };
            if loaded.has(Columns::ITEMS) {
                prop_assert_eq!(said(&part), said(&whole));
            } else {
                prop_assert!(part.items.is_empty());
            }
            macro_rules! same { ($($column:ident $($field:ident)*;)*) => { $($(
                if loaded.has(Columns::$column) {
                    prop_assert_eq!(part.$field, whole.$field);
                } else {
                    prop_assert!(part.$field.is_empty());
                }
            )*)* } }
            same! {
                TIME time; LATENCY latency; CALL call; CPU cpu; TID tid; PROC proc; RET ret; FLAGS flags; NUM num;
                WORDS words word_at; ITEMS item_at; REFS refs ref_at; FDLIST fdlist fdlist_row;
            }
        }
    }

    #[test]
    fn anything_may_be_read(bytes in any::<Vec<u8>>()) {
        read_all(&bytes);
        let (_, good, starts) = &*SMALL;
        let first = Reader::new(&good[..]).unwrap();
        drain(first.after_header(&[&good[starts[2]..starts[3]], &bytes].concat()[..], 0));
    }

    /// Checksums are no defence against somebody who makes them: every byte of a block may be anything.
    #[test]
    fn forged_blocks_never_panic(seed in any::<u64>()) {
        let (_, bytes, starts) = &*SMALL;
        let first = Reader::new(&bytes[..]).unwrap();
        let mut d = Dice(seed | 1);
        for _ in 0..40 {
            let which = 2 + d.below(3) as usize;
            let bad = forge(&bytes[starts[which]..starts[which + 1]], |front, body| {
                for _ in 0..=d.below(3) {
                    match d.below(8) {
                        0 => front.rows = d.below(20) as u32,
                        1 => {
                            let n = d.below(front.sections.len() as u64) as usize;
                            front.sections[n].encoding = [0x10, 0x20, 0x30, 0x40, 0x50][d.below(5) as usize] | d.below(9) as u8;
                        }
                        2 => {
                            let n = d.below(front.sections.len() as u64) as usize;
                            front.sections[n].raw = d.below(300) as u32;
                        }
                        3 => front.codes = vec![d.below(400) as u16],
                        _ => {
                            let n = d.below(body.len() as u64) as usize;
                            body[n] = d.any() as u8;
                        }
                    }
                }
            });
            let got = drain(first.after_header(&bad[..], 0));
            prop_assert!(got.blocks.len() <= 1);
        }
    }
}
