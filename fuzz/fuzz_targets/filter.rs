//! Any text as a filter: accepted or refused with a message, and what is accepted explains itself.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use sysreel::filter::Filter;
use sysreel::schema::{Arch, Schema};

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| Schema::native(Arch::X86_64));

fuzz_target!(|text: &str| {
    match Filter::parse(text, &SCHEMA) {
        Ok(filter) => {
            let explained = filter.explain(&SCHEMA);
            assert!(!explained.is_empty() && explained.is_ascii());
            let _ = (filter.bounds().to_string(), filter.uses().count());
        }
        Err(errors) => {
            assert!(errors.0.iter().all(|e| e.span.start <= e.span.end && e.span.end <= text.len()));
            let shown = errors.render(text);
            assert!(!shown.is_empty() && shown.is_ascii());
        }
    }
});
