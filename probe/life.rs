//! The life of processes: fork, exec, exit, a new name.

use crate::abi::*;
use crate::calls::told;
use crate::facts::{creds, has_other_users, of_file, path};
use crate::groups::{group_of, same_groups};
use crate::kernel::SLOTS;
use crate::kernel::*;
use crate::ring::begin;
use crate::scope::{in_scope, parent_of, scope_of};
use crate::share::Rank;

/// Most bytes of the arguments of a program.
const ARGS_MAX: u32 = 4096;

#[unsafe(link_section = "tp_btf/sched_process_fork")]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sched_process_fork(ctx: *const u64) -> i32 {
    unsafe {
        let parent: *const u8 = ld(ctx as *const u8, 0);
        let child: *const u8 = ld(ctx as *const u8, 8);
        let (ptid, ppid): (u32, u32) = (ld(parent, g!(TASK_PID)), ld(parent, g!(TASK_TGID)));
        let (tid, pid): (u32, u32) = (ld(child, g!(TASK_PID)), ld(child, g!(TASK_TGID)));
        let from = scope_of(ppid);
        let to = scope_of(pid);
        if from.is_null() || to.is_null() {
            return 0;
        }
        let (f0, f1): (u64, u64) = (rk(parent as u64, g!(TASK_FILES)), rk(child as u64, g!(TASK_FILES)));
        let mut shares = 0u32;
        if tid == pid {
            let (mark, old) = (core::ptr::read_volatile(from), core::ptr::read_volatile(to));
            // 0 too: a pid that is used again starts clean. What waits for its own exec does not hand that on.
            let mut v = mark & SCOPE_BITS;
            if v == SCOPE_AT_EXEC {
                v = SCOPE_NONE;
            }
            if mark & SCOPE_HEIR != 0 {
                v |= SCOPE_MAY | SCOPE_HEIR;
            }
            if old & SCOPE_PINNED != 0 {
                v |= old & (SCOPE_PINNED | SCOPE_MAY | SCOPE_HEIR);
            }
            if f0 == f1 {
                v |= SCOPE_SHARES;
                core::ptr::write_volatile(from, mark | SCOPE_SHARES);
            }
            if v & (SCOPE_MAY | SCOPE_SHARES) != 0 {
                shares |= FORK_MAY;
            }
            core::ptr::write_volatile(to, v);
        }
        if !in_scope(ppid) {
            return 0;
        }
        let Some(mut r) = begin(HEAD + FORK + 8 + FORK_FDS * 8 + FORK_FDS / 8, ppid, Rank::LIFE) else {
            return 0;
        };
        r.word(tid as u64 | (pid as u64) << 32);
        r.word(ld(child, g!(TASK_START)));
        // When the call began: what other threads did to the descriptors since may be in the copy or not.
        let s = look(&SLOTS, slot(ptid));
        let began = if s.is_null() || ld::<u32>(s, 0) != ptid { 0 } else { ld::<u64>(s, 8) };
        let latency = if began != 0 { r.time - began } else { u64::MAX };
        let (s0, s1): (u64, u64) = (rk(parent as u64, g!(TASK_FS)), rk(child as u64, g!(TASK_FS)));
        if f0 == f1 {
            shares |= FORK_FILES;
        }
        if s0 == s1 {
            shares |= FORK_FS;
        }
        if tid == pid && f0 != f1 && f1 != 0 && rk::<u32>(f0, g!(FILES_COUNT)) > 1 {
            shares |= FORK_TABLE;
        }
        if !same_groups(rk(parent as u64, g!(TASK_LEADER)), child as u64) {
            shares |= FORK_GROUPS;
        }
        if has_other_users(child as u64) {
            shares |= FORK_USERS;
        }
        r.word(shares as u64 | (parent_of(child) as u64) << 32);
        r.word(group_of(child as u64));
        if shares & FORK_TABLE != 0 {
            let fdt: u64 = rk(f1, g!(FILES_FDT));
            let max = rk::<u32>(fdt, g!(FDT_MAX)) as u64;
            let (files, bits): (u64, u64) = (rk(fdt, g!(FDT_FD)), rk(fdt, g!(FDT_EXEC)));
            r.word(max);
            // A table has a multiple of 64 numbers (alloc_fdtable in fs/file.c).
            let n = r.forget(if max < FORK_FDS as u64 { max } else { FORK_FDS as u64 });
            read_kernel(r.here(), bound_len(n * 8) as u32, files);
            r.p += bound_len(n * 8);
            read_kernel(r.here(), bound_len(n / 8) as u32, bits);
            r.p += bound_len(n / 8);
        }
        r.count_state();
        r.head(REC_FORK, F_STATE, 0, ptid, ppid, told(FACT_NONE, parent), latency, 0);
        r.publish();
        0
    }
}

#[unsafe(link_section = "tp_btf/sched_process_exec")]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sched_process_exec(ctx: *const u64) -> i32 {
    unsafe {
        let task: *const u8 = ld(ctx as *const u8, 0);
        let old: u32 = ld(ctx as *const u8, 8);
        let bprm: *const u8 = ld(ctx as *const u8, 16);
        let (tid, pid): (u32, u32) = (ld(task, g!(TASK_PID)), ld(task, g!(TASK_TGID)));
        let (mut nr, mut entry) = (u32::MAX, 0u64);
        let from = look(&SLOTS, slot(old));
        let to = look(&SLOTS, slot(tid));
        if !from.is_null() && !to.is_null() && ld::<u32>(from, 0) == old {
            (nr, entry) = (ld(from, 4), ld(from, 8));
            // An exec by a thread that is not the leader: it takes the leader's id, and its call's slot goes along.
            if old != tid {
                st(to, 8, entry);
                st(to, 0, tid);
                st(from, 0, 0u32);
            }
            // On x86 the call is another one by now: set_personality_64bit (arch/x86/kernel/process_64.c) makes an execve
            // of every exec, and of one of a 32-bit program set_personality_ia32 that of 32-bit calls. The exit goes by that.
            st(to, 4, ld::<u32>(task_regs(task_btf()), g!(REGS_NR)));
        }
        let s = scope_of(pid);
        if s.is_null() {
            return 0;
        }
        let mark = core::ptr::read_volatile(s);
        if mark & SCOPE_BITS == SCOPE_AT_EXEC {
            core::ptr::write_volatile(s, mark & !SCOPE_BITS | SCOPE_IN);
        }
        if !in_scope(pid) {
            return 0;
        }
        let env_max = g!(ENV_BYTES);
        let Some(mut r) = begin(
            HEAD + EXEC + PATH_FACT + PATH_BYTES + 16 + STR_MAX + ARGS_MAX + env_max + 40,
            pid,
            Rank::LIFE,
        ) else {
            return 0;
        };
        creds(&mut r, task);
        r.word(old as u64 | (nr as u64) << 32);
        r.word(ld::<u32>(bprm, g!(BPRM_ENVC)) as u64);
        let mm: u64 = rk(task as u64, g!(TASK_MM));
        let exe: u64 = if mm == 0 { 0 } else { rk(mm, g!(MM_EXE)) };
        let start = of_file(&r, exe);
        path(&mut r, task, start, false);
        // The path as it was given.
        let name: u64 = rk(bprm as u64, g!(BPRM_FILENAME));
        r.kernel_str(name, STR_MAX);
        // The arguments: the kernel has just written them to the new stack, so the pages are there.
        if mm == 0 {
            r.no_item(ITEM_ABSENT);
        } else {
            let (start, end): (u64, u64) = (rk(mm, g!(MM_ARG_START)), rk(mm, g!(MM_ARG_END)));
            r.user_bytes(start, end - start, ARGS_MAX as u64);
        }
        if env_max == 0 || mm == 0 {
            r.no_item(ITEM_ABSENT);
        } else {
            let (start, end): (u64, u64) = (rk(mm, g!(MM_ENV_START)), rk(mm, g!(MM_ENV_END)));
            r.user_bytes(start, end - start, env_max as u64);
        }
        r.kernel_str(task as u64 + g!(TASK_COMM) as u64, 16);
        r.count_state();
        let latency = if entry != 0 { r.time - entry } else { u64::MAX };
        r.head(REC_EXEC, F_STATE, 0, tid, pid, told(FACT_NONE, task), latency, 0);
        r.publish();
        0
    }
}

#[unsafe(link_section = "tp_btf/sched_process_exit")]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sched_process_exit(ctx: *const u64) -> i32 {
    unsafe {
        let task: *const u8 = ld(ctx as *const u8, 0);
        let (tid, pid): (u32, u32) = (ld(task, g!(TASK_PID)), ld(task, g!(TASK_TGID)));
        let mut time = 0u64;
        let s = look(&SLOTS, slot(tid));
        if !s.is_null() && ld::<u32>(s, 0) == tid {
            time = ld(s, 8);
            st(s, 0, 0u32);
        }
        if !in_scope(pid) {
            return 0;
        }
        let code: u32 = ld(task, g!(TASK_EXIT_CODE));
        let signal: u64 = rk(task as u64, g!(TASK_SIGNAL));
        let live: u32 = rk(signal, g!(SIGNAL_LIVE));
        let group: u32 = rk(signal, g!(SIGNAL_GROUP_EXIT));
        let regs = task_regs(task_btf());
        let nr = ld::<u32>(regs, g!(REGS_NR));
        let Some(mut r) = begin(HEAD + EXIT, pid, Rank::LIFE) else { return 0 };
        r.word(code as u64 | (group as u64) << 32);
        r.word((live == 0) as u64 | (nr as u64) << 32);
        let latency = if time != 0 { r.time - time } else { u64::MAX };
        r.head(REC_EXIT, 0, 0, tid, pid, told(FACT_NONE, task), latency, 0);
        r.publish();
        0
    }
}

#[unsafe(link_section = "tp_btf/task_rename")]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn task_rename(ctx: *const u64) -> i32 {
    unsafe {
        let task: *const u8 = ld(ctx as *const u8, 0);
        let name: u64 = ld(ctx as *const u8, 8);
        let (tid, pid): (u32, u32) = (ld(task, g!(TASK_PID)), ld(task, g!(TASK_TGID)));
        if !in_scope(pid) {
            return 0;
        }
        let Some(mut r) = begin(HEAD + 32, pid, Rank::STATE) else { return 0 };
        r.kernel_str(name, 16);
        r.count_state();
        r.head(REC_RENAME, F_STATE, 0, tid, pid, told(FACT_NONE, task), u64::MAX, 0);
        r.publish();
        0
    }
}
