//! A column of numbers in any encoding.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    sysreel::reel::fuzz::column(bytes);
});
