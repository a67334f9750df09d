//! Control groups: who is moved into which, and those that are made.
//!
//! Enters: the kernel's tracepoints, which hand over the path as well. Leaves: records for state. Never: a walk; a look at
//! who is in a group.

use crate::abi::*;
use crate::calls::told;
use crate::kernel::*;
use crate::ring::begin;
use crate::scope::in_scope;
use crate::share::Rank;

/// The id of a task's control group in the unified hierarchy; 0 if it has none.
#[inline(always)]
pub unsafe fn group_of(task: u64) -> u64 {
    unsafe {
        if g!(TASK_GROUPS) == 0 {
            return 0;
        }
        // What lies behind nothing reads as 0.
        let set: u64 = rk(task, g!(TASK_GROUPS));
        let group: u64 = rk(set, g!(SET_UNIFIED));
        let node: u64 = rk(group, g!(GROUP_NODE));
        rk(node, g!(NODE_ID))
    }
}
/// True if two tasks are in the same groups of all hierarchies: then they share what the kernel calls their set.
#[inline(always)]
pub unsafe fn same_groups(a: u64, b: u64) -> bool {
    unsafe {
        g!(TASK_GROUPS) == 0 || a == 0 || rk::<u64>(a, g!(TASK_GROUPS)) == rk::<u64>(b, g!(TASK_GROUPS))
    }
}

/// Tells of a control group. (Its path is the hook's own, made for it by TRACE_CGROUP_PATH.)
#[inline(always)]
unsafe fn tell(code: u16, group: *const u8, path: u64, task: *const u8) -> i32 {
    unsafe {
        let (tid, pid): (u32, u32) = (ld(task, g!(TASK_PID)), ld(task, g!(TASK_TGID)));
        if !in_scope(pid) {
            return 0;
        }
        let Some(mut r) = begin(HEAD + GROUP + 8 + GROUP_PATH, pid, Rank::LIFE) else { return 0 };
        let node: u64 = rk(group as u64, g!(GROUP_NODE));
        r.word(if node == 0 { 0 } else { rk(node, g!(NODE_ID)) });
        let root: u64 = rk(group as u64, g!(GROUP_ROOT));
        r.word(if root == 0 { u32::MAX } else { rk::<u32>(root, g!(ROOT_HIERARCHY)) } as u64);
        r.kernel_str(path, GROUP_PATH);
        r.count_state();
        r.head(code, F_STATE, 0, tid, pid, told(FACT_NONE, task), u64::MAX, 0);
        r.publish();
        0
    }
}

#[unsafe(link_section = "tp_btf/cgroup_attach_task")]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cgroup_attach_task(ctx: *const u64) -> i32 {
    unsafe {
        let ctx = ctx as *const u8;
        tell(REC_ATTACH, ld(ctx, 0), ld(ctx, 8), ld(ctx, 16))
    }
}

#[unsafe(link_section = "tp_btf/cgroup_mkdir")]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cgroup_mkdir(ctx: *const u64) -> i32 {
    unsafe {
        let ctx = ctx as *const u8;
        tell(REC_MKDIR, ld(ctx, 0), ld(ctx, 8), task_btf())
    }
}
