//! Bytes that claim to be a reel, repaired: what comes out is whole, and holds nothing that a reader of the input would not
//! have shown.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sysreel::batch::Columns;
use sysreel::reel::{Block, Reader};
use sysreel::tools::repair;

/// Events of whole blocks, damages, and whether it ends as it should.
fn look(bytes: &[u8]) -> (u64, u64, bool) {
    let Ok(mut reader) = Reader::new(bytes) else { return (0, 1, false) };
    let (mut events, mut damages) = (0, 0);
    loop {
        match reader.next() {
            Ok(Some(Block::Event(mut block))) => {
                match block.verify().and_then(|()| block.load(Columns::ALL)) {
                    Ok(()) => events += block.rows() as u64,
                    Err(_) => damages += 1,
                }
                reader.recycle(block);
            }
            Ok(Some(Block::Snapshot(_) | Block::Containers(_) | Block::End(_))) => {}
            Ok(None) => return (events, damages, reader.is_complete()),
            Err(damage) => {
                damages += 1;
                if damage.is_fatal() {
                    return (events, damages, false);
                }
            }
        }
    }
}

fuzz_target!(|bytes: &[u8]| {
    let Some(clean) = repair::in_memory(bytes.to_vec()) else { return };
    let before = look(bytes);
    let after = look(&clean);
    assert_eq!((after.1, after.2), (0, true));
    assert!(after.0 <= before.0);
    // What is whole stays as it is.
    assert_eq!(look(&repair::in_memory(clean).unwrap()), after);
});
