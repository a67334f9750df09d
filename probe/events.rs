//! What happens to tasks beside their calls: a CPU turns to another, a signal is sent and taken, a page is missing. Attached
//! only for those who ask.
//!
//! Enters: the kernel's tracepoints. Leaves: a record each, laid out like a call's. Never: a walk, memory of a process.

use crate::abi::*;
use crate::calls::told;
use crate::kernel::CTL;
use crate::kernel::*;
use crate::ring::begin;
use crate::scope::{in_bounds, parent_of};
use crate::share::Rank;

/// Words and items of a record's head.
const fn counts(words: u16, items: u16) -> u16 {
    words | items << 8
}

#[unsafe(link_section = "tp_btf/sched_switch")]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sched_switch(ctx: *const u64) -> i32 {
    unsafe {
        let ctx = ctx as *const u8;
        let (from, to): (*const u8, *const u8) = (ld(ctx, 8), ld(ctx, 16));
        let state: u32 = ld(ctx, 24);
        let ctl = look(&CTL, cpu_id());
        if ctl.is_null() {
            return 0;
        }
        let since: u64 = ld(ctl, SWITCHED);
        let (tid, pid): (u32, u32) = (ld(from, g!(TASK_PID)), ld(from, g!(TASK_TGID)));
        // The idle task is on the CPU when nobody else is.
        if tid == 0 || !in_bounds(from, pid) {
            st(ctl, SWITCHED, boot_ns());
            return 0;
        }
        let Some(mut r) = begin(HEAD + 32 + 24, pid, Rank::PAYLOAD) else {
            st(ctl, SWITCHED, boot_ns());
            return 0;
        };
        st(ctl, SWITCHED, r.time);
        r.word(ld::<u32>(to, g!(TASK_PID)) as u64);
        r.word(0);
        r.word(state as u64);
        r.kernel_str(to as u64 + g!(TASK_COMM) as u64, 16);
        let on = if since != 0 { r.time - since } else { u64::MAX };
        r.head(REC_SWITCH, 0, counts(3, 1), tid, pid, told(FACT_NONE, from), on, 0);
        r.publish();
        0
    }
}

// Of what the kernel tells with signals: include/uapi/asm-generic/siginfo.h.
const SI_KERNEL: i32 = 0x80;
const SIGCHLD: u32 = 17;

#[unsafe(link_section = "tp_btf/signal_generate")]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn signal_generate(ctx: *const u64) -> i32 {
    unsafe {
        let ctx = ctx as *const u8;
        let sig: u32 = ld(ctx, 0);
        let info: u64 = ld(ctx, 8);
        let task: *const u8 = ld(ctx, 16);
        let (group, result): (u32, u32) = (ld(ctx, 24), ld(ctx, 32));
        let (tid, pid): (u32, u32) = (ld(task, g!(TASK_PID)), ld(task, g!(TASK_TGID)));
        if !in_bounds(task, pid) {
            return 0;
        }
        let code = code_of(info);
        // Of a signal that a task sends (SI_USER and the negative codes, but for SI_TIMER and those of the kernel's own
        // queues) that task is the one that runs now; a SIGCHLD is sent by the child itself.
        let now = task_btf();
        let by_task = matches!(code, 0 | -1 | -6);
        let by_child = sig == SIGCHLD && code >= 1 && code <= 6 && parent_of(now) == pid;
        let sender: u32 = if by_task || by_child { ld(now, g!(TASK_TGID)) } else { 0 };
        let Some(mut r) = begin(HEAD + 48 + 24, pid, Rank::PAYLOAD) else { return 0 };
        r.word(sig as u64);
        r.word(code as u32 as u64);
        r.word(sender as u64);
        r.word(0);
        r.word(group as u64);
        r.word(result as u64);
        if sender != 0 {
            r.kernel_str(now as u64 + g!(TASK_COMM) as u64, 16);
        } else {
            r.no_item(ITEM_ABSENT);
        }
        r.head(REC_SIGNAL, 0, counts(6, 1), tid, pid, told(FACT_NONE, task), u64::MAX, 0);
        r.publish();
        0
    }
}

/// Why a signal is sent. `SEND_SIG_NOINFO` and `SEND_SIG_PRIV` (include/linux/signal_types.h) are numbers and no pointers.
#[inline(always)]
unsafe fn code_of(info: u64) -> i32 {
    match info {
        0 => 0,
        1 => SI_KERNEL,
        // After the number and the errno.
        _ => unsafe { rk(info, 8) },
    }
}

#[unsafe(link_section = "tp_btf/signal_deliver")]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn signal_deliver(ctx: *const u64) -> i32 {
    unsafe {
        let ctx = ctx as *const u8;
        let sig: u32 = ld(ctx, 0);
        let (info, action): (u64, u64) = (ld(ctx, 8), ld(ctx, 16));
        let task = task_btf();
        let (tid, pid): (u32, u32) = (ld(task, g!(TASK_PID)), ld(task, g!(TASK_TGID)));
        if !in_bounds(task, pid) {
            return 0;
        }
        let Some(mut r) = begin(HEAD + 24, pid, Rank::PAYLOAD) else { return 0 };
        r.word(sig as u64);
        // No information: the kernel ends a process of which another thread, or somebody else, has decided it.
        r.word(if info == 0 { SI_KERNEL as u64 } else { code_of(info) as u32 as u64 });
        // SIG_DFL, SIG_IGN, or what is neither: a function of the program, whose address says nothing here.
        let handler: u64 = rk(action, 0);
        r.word(if handler > 2 { 2 } else { handler });
        r.head(REC_DELIVER, 0, counts(3, 0), tid, pid, told(FACT_NONE, task), u64::MAX, 0);
        r.publish();
        0
    }
}

/// A page that a program missed, or the kernel on its behalf.
#[inline(always)]
unsafe fn fault(ctx: *const u8) -> i32 {
    unsafe {
        let ctl = look(&CTL, cpu_id());
        // Inside a record it is one of our own: a copy of what is not there.
        if ctl.is_null() || ld::<u64>(ctl, 8) != 0 {
            return 0;
        }
        let task = task_btf();
        let (tid, pid): (u32, u32) = (ld(task, g!(TASK_PID)), ld(task, g!(TASK_TGID)));
        if pid == 0 || !in_bounds(task, pid) {
            return 0;
        }
        let regs: u64 = ld(ctx, 8);
        let Some(mut r) = begin(HEAD + 24, pid, Rank::PAYLOAD) else { return 0 };
        r.word(ld(ctx, 0));
        r.word(rk(regs, g!(REGS_IP)));
        r.word(ld(ctx, 16));
        r.head(REC_FAULT, 0, counts(3, 0), tid, pid, told(FACT_NONE, task), u64::MAX, 0);
        r.publish();
        0
    }
}

#[unsafe(link_section = "tp_btf/page_fault_user")]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn page_fault_user(ctx: *const u64) -> i32 {
    unsafe { fault(ctx as *const u8) }
}

#[unsafe(link_section = "tp_btf/page_fault_kernel")]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn page_fault_kernel(ctx: *const u64) -> i32 {
    unsafe { fault(ctx as *const u8) }
}
