//! Bytes that claim to be a reel: read as far as they go, and everything in them printed, as text and as JSON.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sysreel::batch::Columns;
use sysreel::output::{Format, JsonOptions, TextOptions};
use sysreel::reel::{Block, Reader};

fuzz_target!(|bytes: &[u8]| {
    let Ok(mut reader) = Reader::new(bytes) else { return };
    let schema = reader.schema().clone();
    let mut forms = [Format::text(TextOptions::default()), Format::json(JsonOptions::default())];
    let mut out = Vec::new();
    // A damage is passed over; each call gets further, and the input ends.
    for _ in 0..1000 {
        match reader.next() {
            Ok(Some(Block::Event(mut block))) => {
                if block.load(Columns::ALL).is_ok() {
                    let view = block.view(&schema);
                    for row in 0..view.rows.min(64) {
                        for form in &mut forms {
                            out.clear();
                            form.render(&view, row, &mut out);
                            assert_eq!(out.iter().filter(|b| **b == b'\n').count(), 1);
                        }
                    }
                }
            }
            Ok(Some(Block::Snapshot(_) | Block::Containers(_) | Block::End(_))) => {}
            Ok(None) => break,
            Err(damage) if damage.is_fatal() => break,
            Err(_) => {}
        }
    }
});
