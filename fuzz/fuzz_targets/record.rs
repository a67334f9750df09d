//! Bytes that claim to be a record of the probe, taken into state and printed. Processes are looked up in an empty
//! directory, so nothing of the machine gets in.
#![no_main]

use std::path::Path;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use sysreel::batch::Builder;
use sysreel::output::{Format, TextOptions};
use sysreel::schema::{Arch, Schema};
use sysreel::state::State;
use sysreel::users::Users;

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| Schema::native(Arch::X86_64));

fuzz_target!(|bytes: &[u8]| {
    let mut state = State::new(&SCHEMA, Path::new("/nonexistent"), Users::default(), || 1);
    let mut builder = Builder::new();
    let mut text = Format::text(TextOptions::default());
    // Several records, each with its length in front as in a ring.
    let mut rest = bytes;
    while let [a, b, ..] = rest {
        let len = usize::from(u16::from_le_bytes([*a, *b])).clamp(2, rest.len());
        state.take(usize::from(rest[0] & 3), &rest[..len], &|_: u16| true, &mut builder);
        rest = &rest[len..];
    }
    let view = builder.view(&SCHEMA);
    let mut out = Vec::new();
    for row in 0..view.rows {
        text.render(&view, row, &mut out);
    }
    assert_eq!(out.iter().filter(|b| **b == b'\n').count(), view.rows);
    builder.close();
});
