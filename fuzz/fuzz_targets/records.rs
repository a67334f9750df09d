//! The records of a header, and of an end with its index.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    sysreel::reel::fuzz::records(bytes);
});
