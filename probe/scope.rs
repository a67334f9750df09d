//! Which processes are looked at: one byte a pid, in a map that user space writes too. And which calls of theirs: bounds
//! that every call keeps which can match.
//!
//! Enters: the current task, marks, bounds. Leaves: whether to go on, or the cause of a rejection, counted. Never: too
//! little: what these reject cannot match.

use crate::abi::{self, *};
use crate::kernel::*;
use crate::kernel::{BOUNDS, CTL, GROUPS, SCOPE};

#[inline(always)]
pub unsafe fn scope_of(pid: u32) -> *mut u8 {
    unsafe {
        let c = look(&SCOPE, (pid >> 16) & (SCOPES - 1));
        if c.is_null() { c } else { c.add((pid & 0xffff) as usize) }
    }
}
/// The mark of a process that is traced.
#[inline(always)]
pub unsafe fn mark_of(pid: u32) -> Option<u8> {
    unsafe {
        let s = scope_of(pid);
        if s.is_null() {
            return None;
        }
        let mark = core::ptr::read_volatile(s);
        let v = mark & SCOPE_BITS;
        let in_it = if g!(SCOPED) != 0 { v == SCOPE_IN } else { v != SCOPE_OUT };
        if in_it { Some(mark) } else { None }
    }
}
#[inline(always)]
pub unsafe fn in_scope(pid: u32) -> bool {
    unsafe { mark_of(pid).is_some() }
}
/// The process id of a task's parent, as it is now. By reads: see [`rk`].
#[inline(always)]
pub unsafe fn parent_of(task: *const u8) -> u32 {
    unsafe {
        // Behind nothing 0 is read: each branch would double what the verifier walks from there on.
        rk(rk(task as u64, g!(TASK_PARENT)), g!(TASK_TGID))
    }
}
/// The same for each call that is told: by loads, which take less time.
#[inline(always)]
pub unsafe fn parent_by_loads(task: *const u8) -> u32 {
    unsafe {
        let parent: *const u8 = ld(task, g!(TASK_PARENT));
        ld(parent, g!(TASK_TGID))
    }
}

/// What a call is not within.
#[inline(always)]
unsafe fn spans_hold(b: *const u8, at: u32, v: u64) -> bool {
    unsafe {
        let mut i = 0;
        while i < SPANS as u32 {
            let (low, width): (u64, u64) = (ld(b, at + i * 16), ld(b, at + i * 16 + 8));
            if v.wrapping_sub(low) <= width {
                return true;
            }
            i += 1;
        }
        false
    }
}
/// True if a process may match. One that got a parent of a marked line (its own had ended) is marked now: the fork hook
/// could not.
#[inline(always)]
unsafe fn may(task: *const u8, pid: u32, mark: u8, what: u32) -> bool {
    unsafe {
        if mark & SCOPE_MAY != 0 {
            return true;
        }
        if what & BOUND_TREE == 0 {
            return false;
        }
        let parent = scope_of(parent_of(task));
        if parent.is_null() || core::ptr::read_volatile(parent) & SCOPE_HEIR == 0 {
            return false;
        }
        let own = scope_of(pid);
        if !own.is_null() {
            core::ptr::write_volatile(own, mark | SCOPE_MAY | SCOPE_HEIR);
        }
        true
    }
}
/// The bounds, null only if there is no such map.
#[inline(always)]
pub unsafe fn bounds() -> *const u8 {
    unsafe { look(&BOUNDS, 0) }
}
/// True if nothing can come of a call that begins. `stateless`: nor is it wanted for what it changes.
///
/// A process may be moved while it is in a call: at its end the call passes then, and has no latency. If that decides, groups
/// are not looked at here.
#[inline(always)]
pub unsafe fn early(task: *const u8, pid: u32, mark: u8, stateless: bool) -> bool {
    unsafe {
        let b = bounds();
        if b.is_null() {
            return false;
        }
        let what = ld::<u32>(b, 0) & g!(BOUNDS_SET);
        if what & BOUND_EARLY != 0 && !may(task, pid, mark, what) {
            return true;
        }
        stateless && what & (BOUND_GROUP | BOUND_LATENCY) == BOUND_GROUP && is_all_out(task)
    }
}
/// True if a task is in a control group that is rejected.
#[inline(always)]
unsafe fn is_out(task: *const u8) -> bool {
    unsafe {
        // What lies behind nothing reads as 0, and no group has that id.
        let set: *const u8 = ld(task, g!(TASK_GROUPS));
        let group: *const u8 = ld(set, g!(SET_UNIFIED));
        let node: *const u8 = ld(group, g!(GROUP_NODE));
        let id: u64 = ld(node, g!(NODE_ID));
        let place = look(&GROUPS, id as u32 & (abi::GROUPS - 1));
        !place.is_null() && id != 0 && ld::<u64>(place, 0) == id
    }
}
/// True if a task's process is in a control group that is rejected.
#[inline(always)]
unsafe fn is_all_out(task: *const u8) -> bool {
    unsafe {
        if g!(TASK_GROUPS) == 0 || !is_out(task) {
            return false;
        }
        // A process is where its leader is; that stays behind if it has ended when the others are moved.
        let leader: *const u8 = ld(task, g!(TASK_LEADER));
        leader == task || is_out(leader)
    }
}
/// True if an event that changes nothing may be asked for: its process is traced, and within the bounds.
#[inline(always)]
pub unsafe fn in_bounds(task: *const u8, pid: u32) -> bool {
    unsafe {
        let Some(mark) = mark_of(pid) else { return false };
        let b = bounds();
        if b.is_null() {
            return true;
        }
        let what = ld::<u32>(b, 0) & g!(BOUNDS_SET);
        what & BOUND_PROCS == 0 || may(task, pid, mark, what)
    }
}
/// The first of the bounds that a call is not within, but for its latency.
#[inline(always)]
pub unsafe fn outside(task: *const u8, pid: u32, mark: u8, ret: i64) -> Option<u32> {
    unsafe {
        let b = bounds();
        if b.is_null() {
            return None;
        }
        let what = ld::<u32>(b, 0) & g!(BOUNDS_SET);
        if what & BOUND_PROCS != 0 && !may(task, pid, mark, what) {
            return Some(REJECT_PROCESS);
        }
        if what & BOUND_GROUP != 0 && is_all_out(task) {
            return Some(REJECT_GROUP);
        }
        if what & BOUND_RESULT != 0 && !spans_hold(b, BOUND_RESULTS, ret as u64) {
            return Some(REJECT_RESULT);
        }
        if what & BOUND_USER != 0 {
            let cred: *const u8 = ld(task, g!(TASK_CRED));
            if !spans_hold(b, BOUND_UIDS, ld::<u32>(cred, g!(CRED_EUID)) as u64) {
                // Of a thread that was there before us only its process's user is known, which is its leader's.
                let leader: *const u8 = ld(task, g!(TASK_LEADER));
                let cred: *const u8 = ld(leader, g!(TASK_CRED));
                if !spans_hold(b, BOUND_UIDS, ld::<u32>(cred, g!(CRED_EUID)) as u64) {
                    return Some(REJECT_USER);
                }
            }
        }
        None
    }
}
/// True if a call took too short a time, or nobody knows how long (which no test of it matches).
#[inline(always)]
pub unsafe fn too_short(entry: u64) -> bool {
    unsafe {
        // Looked up again: older verifiers do not see that the pointer of before is one whenever this is asked.
        let b = bounds();
        if b.is_null() || ld::<u32>(b, 0) & BOUND_LATENCY == 0 {
            return false;
        }
        entry == 0 || boot_ns() - entry < ld::<u64>(b, 8)
    }
}
/// Counts a call of which no record is made. (Nothing else counts here at the same time: system calls are made by tasks,
/// and none leaves the CPU in a hook.)
#[inline(always)]
pub unsafe fn reject(cause: u32, flags: u16) {
    unsafe {
        let ctl = look(&CTL, cpu_id());
        if ctl.is_null() {
            return;
        }
        if flags & F_COLLISION != 0 {
            let n: u64 = ld(ctl, COLLISIONS);
            st(ctl, COLLISIONS, n + 1);
        }
        let at = ctl.add((REJECTED + (cause & 7) * 8) as usize);
        let n: u64 = ld(at, 0);
        st(at, 0, n + 1);
    }
}
