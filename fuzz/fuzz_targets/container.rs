//! Any bytes as what tells of containers: a path, a message, an answer in gRPC, a database.
#![no_main]

use std::io::{Cursor, Read, Result, Write};
use std::time::{Duration, Instant};

use libfuzzer_sys::fuzz_target;
use sysreel::container::bolt::Bolt;
use sysreel::container::grpc::Client;
use sysreel::container::{identify, proto};

/// A peer that says what it says, whatever it is told.
struct Peer<'a>(Cursor<&'a [u8]>);

impl Read for Peer<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        self.0.read(buffer)
    }
}

impl Write for Peer<'_> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        Ok(bytes.len())
    }
    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}

fuzz_target!(|data: &[u8]| {
    if let Some(container) = identify(data) {
        assert!(!container.id.is_empty());
    }
    assert!(proto::fields(data).count() <= data.len());
    if let Ok(mut client) = Client::over(Peer(Cursor::new(data))) {
        let _ = client.call("/a.B/C", &[], b"x");
    }
    let bolt = Bolt::new(data, Instant::now() + Duration::from_secs(5));
    let _ = (bolt.get(&[b"outer", b"small"], b"k"), bolt.all(&[b"outer"]));
});
