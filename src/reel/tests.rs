//! Whole reels: written, read back, cut, flipped, forged.

use proptest::prelude::*;

use super::samples::*;
use super::*;
use crate::batch::{Builder, Columns};
use crate::schema::Schema;

fn reel(schema: &Schema, blocks: &[Builder]) -> Vec<u8> {
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
    let mut got = Got::default();
    let mut reader = match Reader::new(bytes) {
        Ok(reader) => reader,
        Err(damage) => {
            got.damages.push(damage);
            return got;
        }
    };
    let schema = reader.schema().clone();
    loop {
        match reader.next() {
            Ok(None) => break,
            Ok(Some(Block::End(totals))) => got.end = Some(totals),
            Ok(Some(Block::Event(mut block))) => match block.load(Columns::ALL) {
                Ok(()) => got.blocks.push((block.place().1, everything(&block.view(&schema)))),
                Err(damage) => got.damages.push(damage),
            },
            Err(damage) => got.damages.push(damage),
        }
        assert!(got.damages.len() <= bytes.len() + 1, "no progress");
    }
    got.complete = reader.is_complete();
    got
}

#[test]
fn a_busy_block_is_small() {
    let schema = schema();
    let block = busy(&schema, 65536);
    let bytes = reel(&schema, std::slice::from_ref(&block));
    let got = read_all(&bytes);
    assert_eq!(got.damages, []);
    assert!(got.blocks[0].1 == everything(&block.view(&schema)));
    let mut reader = Reader::new(&bytes[..]).unwrap();
    let Ok(Some(Block::Event(stored))) = reader.next() else { panic!() };
    let mut report = String::new();
    for (id, stored, raw) in stored.sizes() {
        report +=
            &format!("{}: {:.3} of {:.3}; ", id::name(id), stored as f64 / 65536.0, raw as f64 / 65536.0);
    }
    let per_event = stored.sizes().map(|s| s.1).sum::<u32>() as f64 / 65536.0;
    assert!(per_event < 8.0, "{per_event:.2} bytes an event: {report}");
    if let Ok(path) = std::env::var("REEL_REPORT") {
        std::fs::write(
            path,
            format!("{per_event:.2} bytes an event, prelude {}: {report}", stored.place().0),
        )
        .unwrap();
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read(blocks in proptest::collection::vec(any_block(), 0..4)) {
        let schema = schema();
        let blocks: Vec<Builder> = blocks.into_iter().map(|(rows, seed)| wild(&schema, rows, seed)).collect();
        let got = read_all(&reel(&schema, &blocks));
        prop_assert_eq!(&got.damages, &[]);
        prop_assert!(got.complete);
        let expected: Vec<String> =
            blocks.iter().filter(|b| b.rows() > 0).map(|b| everything(&b.view(&schema))).collect();
        prop_assert_eq!(got.blocks.into_iter().map(|b| b.1).collect::<Vec<_>>(), expected);
    }
}
