//! The tables of a dictionary.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    sysreel::reel::fuzz::dictionary(bytes);
});
