//! An event block whose checksums are right, whatever is in it.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    sysreel::reel::fuzz::block(bytes);
});
