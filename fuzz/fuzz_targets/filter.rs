//! Any text as a filter: accepted or refused with a message, and what is accepted explains itself.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use sysreel::filter::Filter;
use sysreel::schema::{Arch, Schema};

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| Schema::native(Arch::X86_64));

fuzz_target!(|text: &str| {
    match Filter::parse(text, &SCHEMA) {
        Ok(filter) => assert!(!filter.explain(&SCHEMA).is_empty()),
        Err(errors) => assert!(!errors.render(text).is_empty()),
    }
});
