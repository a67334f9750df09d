//! Whatever the filter and the capture: what is skipped, and what is decided over columns, is what row after row would be.

use std::fs;

use proptest::prelude::*;

use super::sieve::{Counts, Sieve};
use super::*;
use crate::batch::{File as Entry, FileKind, Item, Meta, NO_LATENCY, NONE, Proc, Row, file_flags, row_flags};
use crate::reel::{Header, Writer};
use crate::schema::{Arch, LOST};

const NAMES: [&str; 4] = ["nginx", "cat", "postgres", "rare"];
const PATHS: [&str; 4] = ["/etc/passwd", "/var/log/syslog", "/tmp/rare.txt", "/srv/www/index.html"];
const CALLS: [&str; 7] = ["read", "openat", "close", "connect", "getppid", "exit_group", "write"];

/// A block: which names and paths it knows, whether something was lost in it, and a seed for its rows.
type Plain = (u8, u8, bool, usize, u64);

fn block(schema: &Schema, (names, paths, lossy, rows, seed): Plain, start: u64) -> Builder {
    let mut dice = seed | 1;
    let mut roll = |n: u64| {
        dice ^= dice << 13;
        dice ^= dice >> 7;
        dice ^= dice << 17;
        (dice >> 11) % n
    };
    let mut b = Builder::new();
    b.set_meta(Meta { start_time: 500, boot: 100, wall: 1_000_000_000_100, ..Meta::default() });
    let mut procs = vec![NONE];
    for (i, name) in NAMES.iter().enumerate().filter(|(i, _)| names >> i & 1 == 1) {
        let comm = b.string(name.as_bytes());
        procs.push(b.proc(Proc {
            pid: 100 + i as u32,
            comm,
            parent: procs[procs.len() / 2],
            ..Proc::default()
        }));
    }
    let mut files = vec![NONE];
    for (i, path) in PATHS.iter().enumerate().filter(|(i, _)| paths >> i & 1 == 1) {
        let name = b.string(path.as_bytes());
        files.push(b.file(Entry { kind: FileKind::File, name, ..Entry::default() }));
        let mut raddr = [0; 16];
        raddr[..4].copy_from_slice(&[10, 0, 0, i as u8]);
        let flags = file_flags::REMOTE;
        files.push(b.file(Entry {
            kind: FileKind::Ipv4,
            raddr,
            rport: 80 + i as u16,
            flags,
            ..Entry::default()
        }));
    }
    for i in 0..rows {
        let lost = lossy && roll(8) == 0;
        let code = if lost { LOST } else { schema.code(CALLS[roll(7) as usize]).unwrap() };
        let shape = schema.shape(code);
        let words = vec![roll(5); shape.words()];
        let items = vec![Item::ABSENT; usize::from(shape.items)];
        let refs = vec![files[roll(files.len() as u64) as usize]; usize::from(shape.refs)];
        let proc = procs[roll(procs.len() as u64) as usize];
        let row = Row {
            num: i as u64 + 1,
            time: start + i as u64 * 10,
            delta: 10,
            latency: match roll(250) {
                0..50 => NO_LATENCY,
                50 => roll(90_000),
                _ => roll(3000),
            },
            call: code,
            cpu: roll(2) as u16,
            tid: 100 + roll(4) as u32,
            proc,
            ret: [0, 3, -2, -13, 70_000, -512, 1 << 40][roll(7) as usize],
            flags: if roll(9) == 0 { row_flags::UNFINISHED } else { 0 },
        };
        b.push(row, &words, &items, &refs);
    }
    b.close();
    b
}

fn leaf() -> impl Strategy<Value = String> {
    let of = |list: &[&'static str]| prop::sample::select(list.to_vec());
    let eq = of(&["=", "!="]);
    let order = of(&["=", "!=", "<", ">="]);
    prop_oneof![
        (of(&["proc.name", "proc.aname", "proc.pname"]), eq.clone(), of(&["nginx", "cat", "rare", "nobody"]))
            .prop_map(|(f, o, n)| format!("{f} {o} {n}")),
        (of(&["proc.name", "proc.cmdline"]), of(&["ngi", "rare", "zzz", "a"]))
            .prop_map(|(f, n)| format!("{f} contains {n}")),
        (eq.clone(), of(&["/etc/passwd", "/tmp/rare.txt", "->10.0.0.1:81", "/no"]))
            .prop_map(|(o, n)| format!("fd.name {o} '{n}'")),
        (of(&["contains", "startswith", "endswith"]), of(&["rare", "/etc", "10.0", "html", ":83"]))
            .prop_map(|(o, n)| format!("fd.name {o} '{n}'")),
        of(&["passwd", "none"]).prop_map(|n| format!("fd.filename = {n}")),
        (eq.clone(), 99u32..105).prop_map(|(o, n)| format!("proc.pid {o} {n}")),
        (eq.clone(), 0u32..5).prop_map(|(o, n)| format!("fd.rip {o} 10.0.0.{n}")),
        (order.clone(), 79u32..85).prop_map(|(o, n)| format!("fd.port {o} {n}")),
        (eq.clone(), of(&CALLS)).prop_map(|(o, n)| format!("evt.type {o} {n}")),
        (eq.clone(), of(&["SUCCESS", "ENOENT", "EACCES", "EIO", "ERESTARTSYS"]))
            .prop_map(|(o, n)| format!("evt.res {o} {n}")),
        (eq, of(&["true", "false"])).prop_map(|(o, n)| format!("evt.failed {o} {n}")),
        (order.clone(), of(&["-2", "0", "3", "70000", "-600", "1099511627776"]))
            .prop_map(|(o, n)| format!("evt.rawres {o} {n}")),
        (order.clone(), prop_oneof![0u64..4000, 0u64..90_000])
            .prop_map(|(o, n)| format!("evt.latency {o} {n}")),
        (order.clone(), 0u64..9000).prop_map(|(o, n)| format!("evt.rawtime {o} {}", 1_000_000_000_000 + n)),
        (order, 0u64..9000).prop_map(|(o, n)| format!("evt.reltime {o} {n}")),
        Just("evt.cpu = 1".to_string()),
        Just("evt.res exists".to_string()),
    ]
}

fn filter() -> impl Strategy<Value = String> {
    leaf().prop_recursive(4, 12, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|f| format!("not ({f})")),
            prop::collection::vec(inner.clone(), 2..4).prop_map(|f| format!("({})", f.join(" and "))),
            prop::collection::vec(inner, 2..4).prop_map(|f| format!("({})", f.join(" or "))),
        ]
    })
}

/// How many rows a block has: lists of failures and of long latencies begin at 256.
fn rows() -> impl Strategy<Value = usize> {
    prop_oneof![3 => 1usize..150, 1 => 250usize..700]
}

/// What a sieve makes of a reel: counts, and the time of each row that was selected.
fn sifted(feed: &mut Feed, sieve: &mut Sieve) -> (Counts, Vec<u64>) {
    let (mut counts, mut rows) = (Counts::default(), Vec::new());
    loop {
        match feed.next() {
            Next::Nothing => return (counts, rows),
            Next::End(_) | Next::Containers(_) => {}
            Next::Passed(n, _) => counts.seen += n,
            Next::Damage(damage) => panic!("{damage}"),
            Next::Block(mut block) => {
                let one = sieve.sift(&mut block, None).unwrap();
                counts.seen += one.seen;
                counts.matched += one.matched;
                counts.lost += one.lost;
                block.load(Columns::TIME).unwrap();
                rows.extend(sieve.rows.iter().map(|row| block.view(&sieve.schema).time[row]));
                feed.reader.recycle(block);
            }
        }
    }
}

fn write(schema: &Schema, blocks: &[Builder]) -> Vec<u8> {
    let mut w = Writer::new(Vec::new(), &Header::default(), schema).unwrap();
    blocks.iter().for_each(|b| w.write_block(&b.view(schema)).unwrap());
    w.finish(&Totals::default()).unwrap()
}

fn boxed(bytes: &[u8]) -> Input {
    Reader::new(Box::new(io::Cursor::new(bytes.to_vec())) as Box<dyn Read>).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn skipping_is_reading(
        text in filter(),
        plain in prop::collection::vec((0u8..16, 0u8..16, prop::bool::weighted(0.1), rows(), any::<u64>()), 1..6),
    ) {
        let schema = Schema::native(Arch::X86_64);
        let filter = Filter::parse(&text, &schema).map_err(|e| TestCaseError::fail(e.render(&text)))?;
        let blocks: Vec<Builder> =
            plain.iter().zip((0..).step_by(2000)).map(|(p, start)| block(&schema, *p, 1000 + start)).collect();
        let bytes = write(&schema, &blocks);

        let (mut want, mut times) = (Counts::default(), Vec::new());
        for b in &blocks {
            let batch = b.view(&schema);
            for row in 0..batch.rows {
                if batch.call[row] == LOST {
                    want.lost += batch.words_of(row)[0];
                    times.push(batch.time[row]);
                    continue;
                }
                want.seen += 1;
                if filter.matches(&batch, row) {
                    want.matched += 1;
                    times.push(batch.time[row]);
                }
            }
        }
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("t.reel");
        fs::write(&path, &bytes).unwrap();
        let file = || Reader::open(File::open(&path).unwrap()).unwrap().unwrap();
        for reader in [boxed(&bytes), file()] {
            let schema = reader.schema().clone();
            let mut sieve = Sieve::new(filter.clone(), schema, Columns::NOTHING);
            let mut feed = Feed::new(reader, &sieve, false);
            let (counts, rows) = sifted(&mut feed, &mut sieve);
            prop_assert_eq!(counts, want, "{}", text);
            prop_assert_eq!(rows, times.clone(), "{}", text);
        }
        // Without its end a file has no index.
        fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
        prop_assert!(file().index().is_none());
    }
}

/// Blocks of which one in three knows a name; what is not needed is not read.
#[test]
fn what_cannot_match_is_not_read() {
    let schema = Schema::native(Arch::X86_64);
    let plain = |i: u64| (if i == 7 { 15 } else { 3 }, if i == 9 { 15 } else { 3 }, false, 400, i + 3);
    let blocks: Vec<Builder> = (0..40).map(|i| block(&schema, plain(i), 1000 + i * 5000)).collect();
    let bytes = write(&schema, &blocks);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.reel");
    let run = |bytes: &[u8], text: &str| {
        fs::write(&path, bytes).unwrap();
        let reader: Input = Reader::open(File::open(&path).unwrap()).unwrap().unwrap();
        let filter = Filter::parse(text, reader.schema()).unwrap();
        let mut sieve = Sieve::new(filter, reader.schema().clone(), Columns::ALL);
        let before = reader.bytes_read();
        let mut feed = Feed::new(reader, &sieve, false);
        let mut damages = 0;
        loop {
            match feed.next() {
                Next::Nothing => return (feed.reader.bytes_read() - before, damages),
                Next::Block(mut block) => damages += u32::from(sieve.sift(&mut block, None).is_err()),
                Next::Damage(_) => damages += 1,
                Next::End(_) | Next::Passed(..) | Next::Containers(_) => {}
            }
        }
    };
    let (all, _) = run(&bytes, "evt.cpu = 1 or evt.cpu = 0");
    assert!(all > bytes.len() as u64 / 2);
    for text in [
        "proc.name = rare",
        "fd.name contains rare",
        "evt.rawtime < 1000000002000",
        "proc.pid = 103",
        "fd.port = 83",
    ] {
        let (read, damages) = run(&bytes, text);
        assert!(read * 5 < all && damages == 0, "{text}: {read} of {all}");
    }
    // Failures and long latencies are listed: their columns are not needed.
    let mut reader = boxed(&bytes);
    let Ok(Some(Block::Event(mut block))) = reader.next() else { panic!("no block") };
    for (text, left) in [
        ("evt.rawres < 0", Columns::NOTHING),
        ("evt.rawres = -13 or evt.latency > 80us", Columns::NOTHING),
        ("not evt.rawres >= -2", Columns::NOTHING),
        ("evt.res = ENOENT", Columns::CALL.and(Columns::FLAGS)),
        ("evt.failed = false", Columns::CALL.and(Columns::FLAGS)),
        ("evt.rawres > 3", Columns::RET),
        ("evt.rawres != 0", Columns::RET),
        ("evt.latency > 100", Columns::LATENCY),
        ("evt.latency < 80us", Columns::LATENCY),
        ("evt.latency != 80us", Columns::LATENCY),
    ] {
        let filter = Filter::parse(text, reader.schema()).unwrap();
        block.load_listed(filter.stage_lists(0)).unwrap();
        let (narrow, decoded) = filter.stage_columns(0, &block.packed());
        assert_eq!(narrow.and(decoded), left, "{text}");
    }
    block.check_listed().unwrap();

    // A block that is not needed may be damaged: nobody notices. One that is needed may not.
    let mut reader = boxed(&bytes);
    let offsets: Vec<u64> = std::iter::from_fn(|| match reader.next() {
        Ok(Some(Block::Event(b))) => Some(b.place().0),
        _ => None,
    })
    .collect();
    for (block, seen) in [(6, 0), (7, 1)] {
        let mut bad = bytes.clone();
        bad[offsets[block] as usize + 40] ^= 1;
        assert_eq!(run(&bad, "proc.name = rare").1, seen);
    }
    // What was cut out of the middle makes the index useless, and everything is read.
    let cut = [&bytes[..offsets[3] as usize], &bytes[offsets[4] as usize..]].concat();
    assert_eq!(run(&cut, "proc.name = rare").1, 1);
}
