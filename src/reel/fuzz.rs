//! Ways past the checksums, for fuzzing: a mutated byte would else be refused before anything looks at it.
//!
//! Enters: any bytes. Leaves: nothing; what a reader may rely on is asserted. Never: part of the program. Only fuzz targets
//! (`fuzz/`) and tests have it.

use std::io;
use std::sync::{Arc, LazyLock};

use super::frame::{self, Frame, array};
use super::front::Front;
use super::tables::{self, Sizes};
use super::{Block, Header, Reader, Writer, header, ints, kind};
use crate::batch::{Batch, Columns, Dict, Strings};
use crate::schema::{Arch, Schema};

/// A reader that stands behind the header blocks of an empty reel.
static READER: LazyLock<Reader<io::Empty>> = LazyLock::new(|| {
    let schema = Schema::native(Arch::X86_64);
    let reel = Writer::new(Vec::new(), &Header::default(), &schema).map(|w| w.get_ref().clone());
    let reader = Reader::new(&reel.unwrap_or_default()[..]).map(|r| r.after_header(io::empty(), 0));
    reader.unwrap_or_else(|damage| panic!("{damage}"))
});

/// A block: {length of the front u32, front, sections}. All checksums are made right, then everything is read.
pub fn block(mut bytes: &[u8]) -> bool {
    let Some(length) = array(&mut bytes).map(u32::from_le_bytes) else { return false };
    let (head, body) = bytes.split_at((length as usize).min(bytes.len()));
    let mut reel = sealed(head, body);
    let block = reel.clone();
    // Twice: what was damaged must not spoil what follows.
    reel.extend_from_slice(&block);
    let mut reader = READER.after_header(&reel[..], 0);
    let schema = Arc::clone(reader.schema());
    let mut whole = false;
    for _ in 0..100 {
        match reader.next() {
            Ok(Some(Block::Event(mut stored))) => {
                if stored.load(Columns::ALL).is_ok() {
                    is_consistent(&stored.view(&schema));
                    whole = true;
                }
            }
            Ok(Some(Block::Snapshot(_) | Block::Containers(_) | Block::End(_))) => {}
            Ok(None) => return whole,
            Err(_) => {}
        }
    }
    panic!("no progress");
}

/// Appends numbers in one of the ways that there are.
type Put = fn(&mut Vec<u8>, &[u64]) -> u8;

const WAYS: &[Put] = &[
    |o, v| ints::put_fixed(o, v.iter().copied()),
    |o, v| ints::put_signed(o, v.iter().map(|v| *v as i64)),
    |o, v| ints::put_varint(o, v.iter().copied()),
    |o, v| ints::put_growing(o, v.iter().copied()),
    |o, v| ints::put_entries(o, v.iter().copied()),
    |o, v| ints::put_packed(o, v.iter().copied()),
    |o, v| ints::put_clock(o, v.iter().copied()),
];

/// One column: {encoding u8, count u16, bytes}.
pub fn column(mut bytes: &[u8]) -> bool {
    let Some([encoding]) = array(&mut bytes) else { return false };
    let Some(count) = array(&mut bytes).map(u16::from_le_bytes) else { return false };
    let mut values = Vec::new();
    let read = ints::read(encoding, bytes, usize::from(count), |v| values.push(v));
    assert!(values.len() <= usize::from(count));
    if read.is_none() {
        return false;
    }
    assert_eq!(values.len(), usize::from(count));
    // What was read can be written in every way that fits, and comes back.
    for put in WAYS {
        let (mut out, mut back) = (Vec::new(), Vec::new());
        let encoding = put(&mut out, &values);
        assert!(ints::read(encoding, &out, values.len(), |v| back.push(v)).is_some());
        assert_eq!(back, values);
    }
    true
}

/// The dictionary: {processes, files, users, groups, containers, strings: u16 each; four times u32 length and a table}, a
/// last table.
pub fn dictionary(mut bytes: &[u8]) -> bool {
    // Few of each: a packed table of 2^16 equal rows is a handful of bytes, and takes a fuzzer's time.
    let mut count = || array(&mut bytes).map(|b| u32::from(u16::from_le_bytes(b)) % 1024);
    let counts = (|| Some([count()?, count()?, count()?, count()?, count()?, count()?]))();
    let Some([procs, files, users, groups, containers, strings]) = counts else { return false };
    let sizes = Sizes { procs, files, users, groups, containers, strings, bytes: strings };
    let mut table = |last: bool| -> &[u8] {
        let length = if last { Some(u32::MAX) } else { array(&mut bytes).map(u32::from_le_bytes) };
        let (table, rest) = bytes.split_at((length.unwrap_or(0) as usize).min(bytes.len()));
        bytes = rest;
        table
    };
    let (mut p, mut f, mut u, mut g, mut c) = (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let good = [
        tables::read_procs(table(false), sizes, &mut p).is_some(),
        tables::read_files(table(false), sizes, &mut f).is_some(),
        tables::read_users(table(false), sizes, &mut u).is_some(),
        tables::read_groups(table(false), sizes, &mut g).is_some(),
        tables::read_containers(table(true), sizes, &mut c).is_some(),
    ];
    if good != [true; 5] {
        return false;
    }
    let at: Vec<u32> = (0..=strings).collect();
    let text = vec![b'x'; strings as usize];
    let dict = Dict {
        procs: &p,
        files: &f,
        users: &u,
        groups: &g,
        containers: &c,
        strings: Strings { at: &at, bytes: &text },
    };
    assert!(tables::is_sound(&dict));
    true
}

/// The body of an end block, with its index, and of a header block: the records, unpacked.
pub fn records(bytes: &[u8]) -> bool {
    let body = [&[frame::PLAIN][..], &(bytes.len() as u32).to_le_bytes(), bytes].concat();
    let end = header::parse_end(body.clone());
    if let Ok(index) = &end {
        // What was read can be written, and comes back.
        let again = header::parse_end(header::end_body(&index.totals, None));
        assert_eq!(again.map(|i| i.totals).as_ref(), Ok(&index.totals));
        // Whatever block is asked for, one that there is not too.
        for block in 0..index.blocks().len().min(300) + 1 {
            let keys = index.summary(block).map(|s| s.may_have(0x1234_5678_9abc_def0));
            let pieces = index.pieces(block).map(|s| s.may_have(7));
            assert!(block < index.blocks().len() || keys.is_none() && pieces.is_none());
            assert!(index.codes(block).is_none_or(|c| c.is_sorted()));
            let _ = index.meta(block);
        }
    }
    let begin = header::parse_header(&body);
    if let Ok((header, schema)) = &begin {
        let again = header::parse_header(&header::header_body(header, schema));
        assert_eq!(again.map(|(h, _)| h).as_ref(), Ok(header));
    }
    end.is_ok() || begin.is_ok()
}

/// Checksums that are right for whatever stands there.
fn sealed(head: &[u8], body: &[u8]) -> Vec<u8> {
    let mut head = head.to_vec();
    let mut rows = 0;
    if let Some(mut front) = Front::unchecked(&head) {
        let mut rest = body;
        for section in &mut front.sections {
            let (mine, tail) = rest.split_at((section.stored as usize).min(rest.len()));
            section.crc = frame::crc(mine);
            rest = tail;
        }
        // What lies behind belongs to the last: else hardly any mutation of a length would get further.
        if let Some(last) = front.sections.last_mut().filter(|_| !rest.is_empty()) {
            let (_, from) =
                body.split_at(body.len() - rest.len() - (last.stored as usize).min(body.len() - rest.len()));
            last.stored = from.len() as u32;
            last.crc = frame::crc(from);
        }
        rows = front.rows;
        head.clear();
        front.put(&mut head);
    }
    let frame = Frame {
        version: super::VERSION,
        kind: kind::EVENTS,
        flags: 0,
        file: READER.file_id(),
        number: 2,
        body: (head.len() + body.len()) as u32,
        front: head.len() as u32,
        rows,
        front_crc: frame::crc(&head),
    };
    [&frame.to_bytes()[..], &head, body].concat()
}

/// What every reader of a batch takes for granted.
fn is_consistent(b: &Batch) {
    assert!(tables::is_sound(&b.dict));
    assert_eq!((b.num.len(), b.time.len(), b.delta.len(), b.latency.len()), (b.rows, b.rows, b.rows, b.rows));
    assert_eq!((b.call.len(), b.cpu.len(), b.tid.len(), b.proc.len()), (b.rows, b.rows, b.rows, b.rows));
    assert_eq!((b.ret.len(), b.flags.len()), (b.rows, b.rows));
    for row in 0..b.rows {
        let shape = b.shape_of(row);
        assert_eq!(b.words_of(row).len(), shape.words());
        assert_eq!(b.items_of(row).len(), usize::from(shape.items));
        assert_eq!(b.refs_of(row).len(), usize::from(shape.refs));
    }
    let none = crate::batch::NONE;
    assert!(b.proc.iter().all(|id| *id == none || b.dict.proc(*id).is_some()));
    assert!(b.refs.iter().all(|id| *id == none || b.dict.file(*id).is_some()));
    assert!(super::fdlist::is_sound(b));
    let strings = b.dict.strings.len();
    assert!(b.items.iter().filter_map(|i| i.id()).all(|id| (id as usize) < strings));
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::id;
    use super::super::samples::{Dice, busy, wild};
    use super::super::tests::reel;
    use super::*;
    use crate::batch::Builder;

    /// Inputs that every target accepts, to mutate: `(target, input)`.
    fn seeds() -> Vec<(&'static str, Vec<u8>)> {
        let schema = Schema::native(Arch::X86_64);
        let mut seeds = Vec::new();
        let blocks: Vec<Builder> = (1..8)
            .map(|seed| wild(&schema, 5 + 9 * seed as usize, seed))
            .chain([busy(&schema, 300)])
            .collect();
        for b in &blocks {
            let bytes = reel(&schema, std::slice::from_ref(b));
            let mut at = 0;
            while let Some(f) = Frame::parse(&bytes[at..]) {
                let (head, body) = bytes[at + frame::HEADER..][..f.body as usize].split_at(f.front as usize);
                if f.kind == kind::EVENTS {
                    let (plain, tables) = unpacked(head, body);
                    seeds.push(("block", plain));
                    seeds.push(("dictionary", tables));
                } else if f.kind == kind::END {
                    // Without the tail, which is not packed.
                    seeds.push(("records", records_of(&head[..head.len() - header::TAIL_LENGTH])));
                }
                at += frame::HEADER + f.body as usize;
            }
        }
        let few = super::super::tests::few();
        let header =
            Header { hooks: vec!["sys_exit".into()], command: vec!["ls".into()], ..Header::default() };
        seeds.push(("records", records_of(&header::header_body(&header, few))));
        let totals = super::super::Totals { index: vec![Default::default(); 40], ..Default::default() };
        seeds.push(("records", records_of(&header::end_body(&totals, None))));
        let mut d = Dice(9);
        for shift in [0, 8, 30, 50, 60] {
            let values: Vec<u64> = (0..200).map(|i| i * 5 + (d.roll() >> shift)).collect();
            let mut sorted = values.clone();
            sorted.sort_unstable();
            for put in WAYS {
                for values in [&values, &sorted] {
                    let mut out = Vec::new();
                    let encoding = put(&mut out, values);
                    seeds.push(("column", [&[encoding, 200, 0][..], &out].concat()));
                }
            }
        }
        seeds
    }

    /// Whole reels, small because they know few calls, for the targets that stand outside. What repair does it does
    /// between two blocks: it gets three at most, of few rows.
    fn reels() -> impl Iterator<Item = (&'static str, Vec<u8>)> {
        let few = super::super::tests::few();
        let of = move |count: u64, rows: usize| {
            let blocks: Vec<Builder> = (0..count).map(|i| wild(few, rows, count * 7 + i)).collect();
            reel(few, &blocks)
        };
        let many = (1..6).map(move |count| ("reel", of(count, 3 + 2 * count as usize)));
        many.chain((1..4).flat_map(move |count| [1, 3, 5].map(|rows| ("repair", of(count, rows)))))
    }

    fn records_of(body: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        let raw = u32::from_le_bytes(*body[1..].first_chunk().unwrap()) as usize;
        frame::unpack(body[0], &body[5..], raw, &mut out).unwrap();
        out
    }

    const TABLES: [u16; 5] = [id::PROCS, id::FILES, id::USERS, id::GROUPS, id::CONTAINERS];

    /// A block with nothing packed, and its tables.
    fn unpacked(head: &[u8], body: &[u8]) -> (Vec<u8>, Vec<u8>) {
        let mut front = Front::parse(head, body.len()).unwrap();
        let (mut rest, mut plain, mut parts) = (body, Vec::new(), vec![Vec::new(); 5]);
        for s in &mut front.sections {
            let (stored, tail) = rest.split_at(s.stored as usize);
            rest = tail;
            let mut raw = Vec::new();
            frame::unpack(s.packing, stored, s.raw as usize, &mut raw).unwrap();
            (s.packing, s.stored) = (frame::PLAIN, s.raw);
            plain.extend_from_slice(&raw);
            let place = TABLES.iter().position(|id| *id == s.id);
            if let Some(part) = place.and_then(|i| parts.get_mut(i)) {
                *part = raw;
            }
        }
        let mut head = Vec::new();
        front.put(&mut head);
        let s = front.sizes;
        let mut tables = Vec::new();
        for n in [s.procs, s.files, s.users, s.groups, s.containers, s.strings] {
            tables.extend_from_slice(&(n as u16).to_le_bytes());
        }
        for (i, part) in parts.iter().enumerate() {
            if i < 4 {
                tables.extend_from_slice(&(part.len() as u32).to_le_bytes());
            }
            tables.extend_from_slice(part);
        }
        ([&(head.len() as u32).to_le_bytes()[..], &head, &plain].concat(), tables)
    }

    fn target(name: &str) -> fn(&[u8]) -> bool {
        match name {
            "block" => block,
            "column" => column,
            "dictionary" => dictionary,
            _ => records,
        }
    }

    #[test]
    fn every_seed_is_accepted() {
        for (name, bytes) in seeds() {
            assert!(target(name)(&bytes), "{name}");
        }
    }

    /// A short fuzzing run without a fuzzer. `SYSREEL_MUTATIONS=N` makes it as long as one likes.
    #[test]
    fn mutated_seeds_never_panic() {
        let runs = std::env::var("SYSREEL_MUTATIONS").ok().and_then(|n| n.parse().ok()).unwrap_or(20_000u64);
        let seeds = seeds();
        let mut d = Dice(0x5eed);
        let (mut accepted, mut refused) = (0u64, 0u64);
        for _ in 0..runs {
            let (name, seed) = &seeds[d.below(seeds.len() as u64) as usize];
            let mut bytes = seed.clone();
            for _ in 0..=d.below(4) {
                let at = d.below(bytes.len() as u64) as usize;
                match d.below(6) {
                    0 => bytes[at] ^= 1 << d.below(8),
                    1 => bytes[at] = [0, 1, 0x7f, 0x80, 0xff][d.below(5) as usize],
                    2 => bytes.truncate(at.max(1)),
                    3 => bytes.insert(at, d.any() as u8),
                    4 => bytes[at] = bytes[at].wrapping_add(1),
                    _ => {
                        let other = d.below(bytes.len() as u64) as usize;
                        bytes.swap(at, other);
                    }
                }
            }
            match target(name)(&bytes) {
                true => accepted += 1,
                false => refused += 1,
            }
        }
        assert!(accepted * 20 > runs && refused * 20 > runs, "{accepted} accepted, {refused} refused");
    }

    /// Writes the seeds where `fuzz/run` looks for them.
    #[test]
    #[ignore = "writes files; fuzz/run calls it"]
    fn seeds_for_fuzzing() {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
        for (i, (name, bytes)) in seeds().into_iter().chain(reels()).enumerate() {
            let dir = corpus.join(name);
            std::fs::create_dir_all(&dir).unwrap();
            std::fs::write(dir.join(format!("seed{i}")), bytes).unwrap();
        }
    }
}
