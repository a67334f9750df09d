//! A file that grows: at its end there is more to come.
//!
//! Enters: a file, and a flag that ends it. Leaves: its bytes, as they arrive. Never: a busy wait: it looks every few
//! milliseconds while something comes, every 200 when nothing does.

use std::fs::File;
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// Between two looks: first, and at most.
const PAUSE: (Duration, Duration) = (Duration::from_millis(5), Duration::from_millis(200));

/// Reads a growing file until it is told to stop.
#[derive(Debug)]
pub struct Follow {
    file: File,
    stop: Arc<AtomicBool>,
    pause: Duration,
}

impl Follow {
    /// Follows `file` until SIGINT, SIGTERM or SIGHUP, or until nobody reads standard output any more.
    pub fn new(file: File) -> io::Result<Follow> {
        let stop = Arc::new(AtomicBool::new(false));
        for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP] {
            signal_hook::flag::register(signal, Arc::clone(&stop))?;
        }
        Ok(Follow { file, stop, pause: PAUSE.0 })
    }

    /// Set when it was told to stop: what was read may end within a block.
    pub fn stopped(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.stop)
    }
}

/// True if standard output is a pipe or socket whose reader has gone.
fn output_closed() -> bool {
    let out = rustix::stdio::stdout();
    let mut wanted = [PollFd::new(&out, PollFlags::empty())];
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    poll(&mut wanted, Some(&now)).is_ok()
        && wanted.iter().any(|fd| fd.revents().intersects(PollFlags::ERR | PollFlags::HUP))
}

impl Read for Follow {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.file.read(room) {
                Ok(0) if !room.is_empty() => {}
                Ok(n) => {
                    self.pause = PAUSE.0;
                    return Ok(n);
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                Err(e) => return Err(e),
            }
            if self.stop.load(Ordering::Relaxed) || output_closed() {
                self.stop.store(true, Ordering::Relaxed);
                return Ok(0);
            }
            std::thread::sleep(self.pause);
            self.pause = (self.pause * 2).min(PAUSE.1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn what_is_appended_arrives_until_it_is_stopped() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("growing");
        let mut writer = File::create(&path).unwrap();
        let mut follow = Follow::new(File::open(&path).unwrap()).unwrap();
        let stop = follow.stopped();
        let reading = std::thread::spawn(move || {
            let mut all = Vec::new();
            follow.read_to_end(&mut all).unwrap();
            all
        });
        for i in 0..10u8 {
            writer.write_all(&[i; 100]).unwrap();
            std::thread::sleep(Duration::from_millis(3));
        }
        std::thread::sleep(Duration::from_millis(300));
        stop.store(true, Ordering::Relaxed);
        assert_eq!(reading.join().unwrap().len(), 1000);
    }
}
