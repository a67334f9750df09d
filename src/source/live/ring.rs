//! The reader's side of the rings.
//!
//! Enters: the probe's chunks and control pages. Leaves: records of all CPUs in order of time, up to a moment before which
//! nothing can still come. Never: a call into the kernel per record.

use super::map::Map;
use crate::source::abi::{
    BLIND_AT, BLINDS, BLINDS_KNOWN, CHUNK, CTL, HEAD, HOP, LOST_SHARE, REJECTED, REJECTS, SPAN, SPAN_BITS,
    TAIL,
};

/// Counts of one CPU, as the probe keeps them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields of abi::Producer")]
pub struct Counters {
    pub produced: u64,
    pub lost_full: u64,
    pub lost_nested: u64,
    pub lost_share: u64,
    pub state_only: u64,
    pub collisions: u64,
    pub rejected: [u64; REJECTS],
}

/// What one drain did.
#[derive(Clone, Copy, Debug, Default)]
pub struct Drained {
    /// Records given out.
    pub records: u64,
    /// Everything older than this (boot clock, ns) has been given out.
    pub until: u64,
    /// The sink wanted no more: there may be records that are next.
    pub stopped: bool,
    /// A ring was more than half full when the drain began.
    pub pressed: bool,
}

#[derive(Clone, Copy, Default)]
struct Cursor {
    /// Position of the next record to read.
    at: u64,
    /// Position of the head when it was last looked at.
    head: u64,
    /// Time of the record at `at`; `u64::MAX` if there is none.
    time: u64,
    /// Nothing older than this can still be published.
    settled: u64,
    /// When the CPU was first seen busy without a break.
    busy_since: u64,
}

/// All rings.
pub struct Rings {
    chunks: Map,
    ctl: Map,
    per_cpu: u32,
    cursors: Vec<Cursor>,
}

/// The bits of a position that are the offset in its chunk.
const IN_CHUNK: u64 = SPAN as u64 - 1;
/// A CPU that stays inside one record longer than this (its virtual CPU was descheduled) no longer holds the others.
const PATIENCE: u64 = 100_000_000;

impl Rings {
    /// Rings of `cpus` CPUs with `per_cpu` chunks each (a power of two).
    pub fn new(chunks: Map, ctl: Map, cpus: u32, per_cpu: u32) -> Rings {
        Rings { chunks, ctl, per_cpu, cursors: vec![Cursor::default(); cpus as usize] }
    }

    /// Number of rings.
    pub fn cpus(&self) -> usize {
        self.cursors.len()
    }

    fn ctl_at(&self, cpu: usize, offset: usize) -> usize {
        cpu * CTL as usize + offset
    }

    /// The probe's counters of one CPU.
    pub fn counters(&self, cpu: usize) -> Counters {
        let get = |i: usize| self.ctl.load(self.ctl_at(cpu, i * 8));
        Counters {
            produced: get(2),
            lost_full: get(3),
            lost_nested: get(4),
            lost_share: get(LOST_SHARE as usize / 8),
            state_only: get(5),
            collisions: get(6),
            rejected: std::array::from_fn(|i| get(REJECTED as usize / 8 + i)),
        }
    }

    /// Since when (boot clock, ns) records that told of changes have been dropped, of which this has not told before.
    pub fn lost_changes(&self) -> Option<u64> {
        let news = |cpu: usize| {
            let blinds = self.ctl.load(self.ctl_at(cpu, BLINDS as usize));
            let known = self.ctl_at(cpu, BLINDS_KNOWN);
            if blinds == self.ctl.load(known) {
                return None;
            }
            let at = self.ctl.load(self.ctl_at(cpu, BLIND_AT as usize));
            self.ctl.store(known, blinds);
            Some(at)
        };
        (0..self.cpus()).filter_map(news).min()
    }

    /// Offset in the chunks of a position.
    fn place(&self, cpu: usize, at: u64) -> usize {
        let chunk = cpu as u64 * u64::from(self.per_cpu) + ((at >> SPAN_BITS) & u64::from(self.per_cpu - 1));
        (chunk * u64::from(CHUNK) + (at & IN_CHUNK)) as usize
    }

    /// Moves a cursor over the end of a chunk, and reads the time of the record it then stands at.
    fn settle(&mut self, cpu: usize) {
        let mut c = self.cursors[cpu];
        c.time = u64::MAX;
        while c.at < c.head {
            let bytes = self.chunks.published(self.place(cpu, c.at), 16);
            let len = u16_at(bytes, 0);
            if len == HOP {
                c.at = (c.at & !IN_CHUNK) + u64::from(SPAN);
                continue;
            }
            c.time = u64_at(bytes, 8);
            break;
        }
        self.cursors[cpu] = c;
    }

    /// Gives every record that is surely next to `sink` (CPU, bytes of the record), oldest first, until that says `false`.
    ///
    /// `now` is the boot clock, read before this call: a CPU that is not busy after that cannot publish anything older. A
    /// busy one may: it holds the line where it was last seen idle.
    pub fn drain(&mut self, now: u64, mut sink: impl FnMut(usize, &[u8]) -> bool) -> Drained {
        let mut done = Drained { until: now, ..Drained::default() };
        for cpu in 0..self.cursors.len() {
            let busy_at = self.ctl_at(cpu, 8);
            let mut busy = self.ctl.load(busy_at) != 0;
            // A record takes well under a microsecond: most often it is over when we look again.
            for _ in 0..64 {
                if !busy {
                    break;
                }
                std::hint::spin_loop();
                busy = self.ctl.load(busy_at) != 0;
            }
            let head = self.ctl.load(self.ctl_at(cpu, 0));
            let c = &mut self.cursors[cpu];
            c.head = head;
            let chunks_used = (head >> SPAN_BITS) - (c.at >> SPAN_BITS);
            done.pressed |= chunks_used * 2 > u64::from(self.per_cpu);
            if busy {
                if c.busy_since == 0 {
                    c.busy_since = now;
                }
                if now.saturating_sub(c.busy_since) < PATIENCE {
                    done.until = done.until.min(c.settled);
                }
            } else {
                c.busy_since = 0;
                c.settled = now;
            }
            self.settle(cpu);
        }
        'all: loop {
            // The CPU with the oldest record, and how far it may run before another is older.
            let mut first = usize::MAX;
            let (mut oldest, mut next) = (u64::MAX, u64::MAX);
            for (cpu, c) in self.cursors.iter().enumerate() {
                if c.time < oldest {
                    next = oldest;
                    oldest = c.time;
                    first = cpu;
                } else if c.time < next {
                    next = c.time;
                }
            }
            if oldest > done.until {
                break;
            }
            let limit = next.min(done.until);
            loop {
                let at = self.cursors[first].at;
                let place = self.place(first, at);
                let len = usize::from(u16_at(self.chunks.published(place, 2), 0)) * 8;
                // Our own probe wrote it; a length that cannot be is a bug, and must not hang the reader.
                let len = len.clamp(HEAD as usize, SPAN as usize - (at & IN_CHUNK) as usize);
                let more = sink(first, self.chunks.published(place, len));
                done.records += 1;
                self.cursors[first].at = at + len as u64;
                self.settle(first);
                let c = &self.cursors[first];
                if (c.at ^ at) >> SPAN_BITS != 0 {
                    // A chunk is done: the probe may have it back before the whole backlog is read.
                    self.ctl.store(self.ctl_at(first, TAIL), c.at);
                }
                if !more {
                    done.stopped = true;
                    break 'all;
                }
                if self.cursors[first].time > limit {
                    break;
                }
            }
        }
        for cpu in 0..self.cursors.len() {
            self.ctl.store(self.ctl_at(cpu, TAIL), self.cursors[cpu].at);
        }
        done
    }
}

fn u16_at(b: &[u8], at: usize) -> u16 {
    b.get(at..at + 2).and_then(|b| b.try_into().ok()).map_or(0, u16::from_le_bytes)
}

fn u64_at(b: &[u8], at: usize) -> u64 {
    b.get(at..at + 8).and_then(|b| b.try_into().ok()).map_or(0, u64::from_le_bytes)
}
