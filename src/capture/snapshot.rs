//! Snapshots of a capture: what there is, at the begin of each of its files.
//!
//! Enters: a capture whose state is complete, and a recorder that says when it has begun a file. Leaves: blocks. Never: more
//! than a slice of work between two looks at the rings, or a snapshot while what happened finds no room.

use super::{Capture, Out, SCAN_SLICE};
use crate::batch::{Builder, Meta};
use crate::source::live::boot_now;
use crate::state::Snapshot;

/// The snapshots of a capture.
#[derive(Default)]
pub(super) struct Snapshots {
    wanted: bool,
    /// What is traced leaves these out.
    without: Vec<u32>,
    /// How many there are, the present one included.
    count: u64,
    /// The file, by its number, that has one or gets it now.
    file: u64,
    /// When all processes had been read; 0 before.
    read: u64,
    job: Option<(Snapshot, Box<Builder>)>,
}

impl Snapshots {
    /// They are wanted or not.
    pub fn new(wanted: bool, without: Vec<u32>) -> Snapshots {
        Snapshots { wanted, without, ..Snapshots::default() }
    }

    /// All processes have been read, or will not be.
    pub fn all_read(&mut self) {
        if self.read == 0 {
            self.read = boot_now();
        }
    }

    /// True if the first one has not been taken.
    pub fn is_due(&self) -> bool {
        self.wanted && (self.count == 0 || (self.count == 1 && self.job.is_some()))
    }
}

impl Capture<'_> {
    /// Takes a slice of the snapshot of the present file, if it needs one. True if there is more to do. All processes must
    /// have been read.
    pub(super) fn snapshot(&mut self) -> bool {
        let all = &mut self.snapshots;
        let Out::Reel(recorder) = &mut self.out else { return false };
        if !all.wanted || self.given_up || !recorder.has_room() {
            return false;
        }
        all.all_read();
        // What was done while a process was read must be taken in before what was read is true.
        if self.drained < all.read {
            return false;
        }
        if recorder.begun() != all.file {
            all.file = recorder.begun();
            all.count += 1;
            let snapshot = Snapshot::new(all.count, self.drained, all.without.clone());
            all.job = Some((snapshot, Box::new(Builder::new())));
            if let Some((_, builder)) = &mut all.job {
                self.generation += 1;
                builder.reset(self.generation);
            }
        }
        let Some((snapshot, builder)) = &mut all.job else { return false };
        if builder.rows() == 0 {
            let (boot, wall) = self.clock.pair();
            builder.set_meta(Meta { start_time: self.start, boot, wall, host: 0 });
        }
        snapshot.up_to(self.drained);
        self.state.snapshot(snapshot, boot_now() + SCAN_SLICE, builder);
        let over = snapshot.is_over();
        if over || builder.is_full() {
            builder.close();
            let full = std::mem::take(builder);
            *builder = recorder.snapshot(full, all.file);
            self.generation += 1;
            builder.reset(self.generation);
        }
        if over {
            all.job = None;
        }
        !over
    }
}
