//! Any text as a template for lines.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sysreel::output::Template;

fuzz_target!(|text: &str| {
    if let Err(message) = Template::parse(text) {
        assert!(!message.is_empty());
    }
});
