//! Who may still write into a ring that is filling.
//!
//! Enters: how full the ring is, the process, what its record is good for. Leaves: whether the record is dropped, counted by
//! cause. Never: anything while the ring is not half full.
//!
//! From a half on, the bytes of each process are counted, and none may put in more than twice what is left for all: one that
//! floods the ring alone gets to three quarters of it, and the others have the rest. The last eighth is for changes of
//! state, by the same rule, and for the lives of processes, which only a full ring drops.

use crate::abi::*;
use crate::kernel::SHARED;
use crate::kernel::*;

/// What a record is good for, by how long it is kept.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Rank(pub u32);

impl Rank {
    /// To be shown.
    pub const PAYLOAD: Rank = Rank(0);
    /// It changes what numbers mean: descriptors, directories, users.
    pub const STATE: Rank = Rank(1);
    /// Processes begin, get another program, end.
    pub const LIFE: Rank = Rank(2);
}

/// True if the record is dropped. `head` is where it would begin, `seq` its number.
#[inline(always)]
pub unsafe fn squeezed(
    ctl: *mut u8,
    cpu: u32,
    pid: u32,
    rank: Rank,
    fill: u64,
    size: u64,
    seq: u64,
    head: u64,
) -> bool {
    unsafe {
        let shares = look(&SHARED, cpu);
        if shares.is_null() {
            return false;
        }
        let tail: u64 = ld(ctl, TAIL as u32);
        let epoch = (tail / (size / 2)) as u32;
        // What the last record took is known only now.
        let last: u64 = ld(ctl, LAST);
        if (last >> 32) as u32 == (seq as u32).wrapping_sub(1) {
            let s = shares.add((last as u32 & (SHARES - 1)) as usize * 16);
            if ld::<u32>(s, 0) == last as u32 && ld::<u32>(s, 4) == epoch {
                let n: u64 = ld(s, 8);
                st(s, 8, n + (head - ld::<u64>(ctl, LAST + 8)));
            }
        }
        let s = shares.add((pid & (SHARES - 1)) as usize * 16);
        let (owner, of): (u32, u32) = (ld(s, 0), ld(s, 4));
        let bytes: u64 = ld(s, 8);
        let own = owner == pid && of == epoch;
        let limit = if rank == Rank::PAYLOAD { size / 8 * 7 } else { size };
        let late = fill > limit;
        let over = own && bytes / 2 > limit - fill;
        if rank != Rank::LIFE && (late || over) {
            let at = if late { LOST_FULL } else { LOST_SHARE };
            let n: u64 = ld(ctl, at);
            st(ctl, at, n + 1);
            return true;
        }
        // Of two processes with one place the one that has put in much keeps it.
        if !own && (of != epoch || bytes < size / 64) {
            st(s, 0, pid as u64 | (epoch as u64) << 32);
            st(s, 8, 0u64);
        }
        st(ctl, LAST, pid as u64 | seq << 32);
        st(ctl, LAST + 8, head);
        false
    }
}
