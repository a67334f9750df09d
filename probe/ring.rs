//! The ring of a CPU, and a record that is being written into it.
//!
//! Enters: a bound on the record's size. Leaves: the record, published, or a count of what was dropped. Never: waiting.

use crate::abi::*;
use crate::kernel::CTL;
use crate::kernel::*;
use crate::share::{Rank, squeezed};

/// The bits of a position that are the offset in its chunk.
const IN_CHUNK: u64 = SPAN as u64 - 1;

/// A record being written: the chunk, the record's offset, and the offset of what comes next.
pub struct Rec {
    pub c: *mut u8,
    pub ctl: *mut u8,
    pub head: u64,
    pub off: u64,
    pub p: u64,
    pub time: u64,
    pub seq: u32,
}

/// Reserves room for at most `max` bytes on this CPU; `None` if the record is dropped (and counted).
#[inline(always)]
pub unsafe fn begin(max: u32, pid: u32, rank: Rank) -> Option<Rec> {
    unsafe {
        let cpu = cpu_id();
        let ctl = look(&CTL, cpu);
        if ctl.is_null() {
            return None;
        }
        // An interrupt inside a record would write into the same place: the second one is counted and dropped.
        if core::intrinsics::atomic_xchg::<u64, { core::intrinsics::AtomicOrdering::SeqCst }>(
            ctl.add(8) as *mut u64,
            1,
        ) != 0
        {
            let n: u64 = ld(ctl, 32);
            st(ctl, 32, n + 1);
            blind(ctl, rank);
            return None;
        }
        let seq: u64 = ld(ctl, 16);
        st(ctl, 16, seq + 1);
        let mut head: u64 = ld(ctl, 0);
        let tail: u64 = ld(ctl, TAIL as u32);
        let mask = g!(CHUNK_MASK);
        let hop = (head & IN_CHUNK) + max as u64 > SPAN as u64;
        let next = if hop { (head & !IN_CHUNK) + SPAN as u64 } else { head };
        // Full if the chunk we would write is one the reader has not left.
        if (next >> SPAN_BITS) - (tail >> SPAN_BITS) > mask as u64 {
            let n: u64 = ld(ctl, LOST_FULL);
            st(ctl, LOST_FULL, n + 1);
            blind(ctl, rank);
            st(ctl, 8, 0u64);
            return None;
        }
        let fill = next - (tail & !IN_CHUNK);
        let size = (mask as u64 + 1) << SPAN_BITS;
        if fill > size / 2 && squeezed(ctl, cpu, pid, rank, fill, size, seq, head) {
            blind(ctl, rank);
            st(ctl, 8, 0u64);
            return None;
        }
        let time = boot_ns();
        if hop {
            let c = look(&CHUNKS, cpu * (mask + 1) + ((head >> SPAN_BITS) as u32 & mask));
            if !c.is_null() {
                let p = bound_at(head);
                st(c.add(p as usize), 0, HOP);
            }
            head = next;
        }
        let c = look(&CHUNKS, cpu * (mask + 1) + ((head >> SPAN_BITS) as u32 & mask));
        if c.is_null() {
            st(ctl, 8, 0u64);
            return None;
        }
        // At the beginning of a chunk the offset is known to be 0: not to the verifier, or it walks all that follows twice.
        st(ctl, SCRATCH, head);
        let head: u64 = ld(ctl, SCRATCH);
        let off = bound_at(head);
        Some(Rec { c, ctl, head, off, p: off + HEAD as u64, time, seq: seq as u32 })
    }
}

/// The next record is to say it if what is dropped tells of a change of state.
#[inline(always)]
unsafe fn blind(ctl: *mut u8, rank: Rank) {
    unsafe {
        if rank != Rank::PAYLOAD {
            st(ctl, BLIND, F_BLIND as u64);
            let n: u64 = ld(ctl, BLINDS);
            if n == ld(ctl, BLINDS_KNOWN as u32) {
                st(ctl, BLIND_AT, boot_ns());
            }
            st(ctl, BLINDS, n + 1);
        }
    }
}

impl Rec {
    #[inline(always)]
    pub unsafe fn head(
        &self,
        code: u16,
        flags: u16,
        counts: u16,
        tid: u32,
        pid: u32,
        fact: u32,
        latency: u64,
        ret: i64,
    ) {
        unsafe {
            let r = self.c.add(self.off as usize);
            let len = (self.p - self.off + 7) >> 3;
            let flags = flags as u64 | ld::<u64>(self.ctl, BLIND);
            st(self.ctl, BLIND, 0u64);
            st(r, 0, len & 0xffff | (code as u64) << 16 | (flags & 0xffff) << 32 | (counts as u64) << 48);
            st(r, 8, self.time);
            st(r, 16, self.seq as u64 | (tid as u64) << 32);
            st(r, 24, pid as u64 | (fact as u64) << 32);
            st(r, 32, latency);
            st(r, 40, ret);
        }
    }
    /// Counts a record that is only for state.
    #[inline(always)]
    pub unsafe fn count_state(&self) {
        unsafe {
            let n: u64 = ld(self.ctl, 40);
            st(self.ctl, 40, n + 1);
        }
    }
    #[inline(always)]
    pub unsafe fn publish(&self) {
        unsafe {
            let len = (self.p - self.off + 7) & !7;
            core::intrinsics::atomic_xchg::<u64, { core::intrinsics::AtomicOrdering::SeqCst }>(
                self.ctl as *mut u64,
                self.head + len,
            );
            st(self.ctl, 8, 0u64);
        }
    }
    /// The place of what comes next; at least [`PIECE`] + 8 bytes of the chunk lie behind it.
    #[inline(always)]
    pub unsafe fn here(&mut self) -> *mut u8 {
        self.p = bound_at(self.p);
        unsafe { self.c.add(self.p as usize) }
    }
    /// Reads `n` bytes of kernel memory, 128 at most, to a place of the control page: the stack has 512 bytes for all.
    #[inline(always)]
    pub unsafe fn near(&self, n: u32, src: u64) -> *const u8 {
        unsafe {
            let to = self.ctl.add(NEAR as usize);
            // What cannot be read is zeros (bpf_probe_read_kernel_common in kernel/trace/bpf_trace.c).
            read_kernel(to, n, src);
            to
        }
    }
    /// A number that the verifier knows nothing about, by way of memory that it does not follow. At the head of a loop it
    /// makes all paths look alike: without it every combination of branches would be walked on its own.
    #[inline(always)]
    pub unsafe fn forget(&self, v: u64) -> u64 {
        unsafe {
            st(self.ctl, SCRATCH, v);
            ld(self.ctl, SCRATCH)
        }
    }
    #[inline(always)]
    pub unsafe fn forget_place(&mut self) {
        self.p = unsafe { self.forget(self.p) };
    }
    #[inline(always)]
    pub unsafe fn word(&mut self, v: u64) {
        unsafe { st(self.here(), 0, v) };
        self.p += 8;
    }
    /// Writes the head of an item at `at` whose bytes end at the current place.
    #[inline(always)]
    pub unsafe fn item(&mut self, at: u64, status: u32) {
        let n = self.p - at - 8;
        let at = bound_at(at);
        unsafe { st(self.c.add(at as usize), 0, n as u64 | (status as u64) << 32) };
        self.p = (self.p + 7) & !7;
    }
    #[inline(always)]
    pub unsafe fn no_item(&mut self, status: u32) {
        unsafe { self.word((status as u64) << 32) };
    }
}
