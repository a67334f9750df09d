//! System calls: the entry hook leaves a slot, the exit hook writes the record.

use crate::abi::{self, *};
use crate::copy::{copy_deep, copy_flat};
use crate::facts::*;
use crate::got::{closed_by_exec, has_control, is_socket, list};
use crate::kernel::*;
use crate::kernel::{PLANS, SLOTS};
use crate::ring::{Rec, begin};
use crate::scope::*;
use crate::share::Rank;

#[inline(always)]
unsafe fn is_compat(task: *const u8) -> bool {
    unsafe { g!(COMPAT_BIT) != 0 && ld::<u32>(task, g!(TASK_STATUS)) & g!(COMPAT_BIT) != 0 }
}

#[unsafe(link_section = "tp_btf/sys_enter")]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sys_enter(ctx: *const u64) -> i32 {
    unsafe {
        let nr = ld::<u64>(ctx as *const u8, 8);
        let plan = look(&PLANS, if nr < abi::PLANS as u64 { nr as u32 } else { PLAN_COMPAT });
        if plan.is_null() {
            return 0;
        }
        let want: u8 = ld(plan, 0);
        if want == 0 {
            return 0;
        }
        let id = pid_tgid();
        let pid = (id >> 32) as u32;
        let Some(mark) = mark_of(pid) else { return 0 };
        // Whom the bounds reject, and what it does to itself alone: nothing will come of it.
        let stateless = want & (WANT_BOUND | WANT_STATE) == WANT_BOUND;
        let alone = want & WANT_OWN != 0 && mark & SCOPE_SHARES == 0 || stateless;
        if alone && early(task_btf(), pid, mark, stateless) {
            return 0;
        }
        let tid = id as u32;
        let time = if want & WANT_ENTRY != 0 { before(ctx, plan, id, nr) } else { boot_ns() };
        let s = look(&SLOTS, slot(tid));
        if !s.is_null() {
            st(s, 4, nr as u32);
            st(s, 8, time);
            // Last: a reader that sees the tid sees the rest (it looks twice).
            st(s, 0, tid);
        }
        0
    }
}

/// Writes the record of an entry: what the call will overwrite, as it is now. Gives the time of the entry.
#[inline(always)]
unsafe fn before(ctx: *const u64, plan: *const u8, id: u64, nr: u64) -> u64 {
    unsafe {
        let regs: *const u8 = ld(ctx as *const u8, 0);
        if is_compat(task_btf()) {
            return boot_ns();
        }
        let ops: u8 = ld(plan, 2);
        // What does not point anywhere needs no record. (A call without such arguments wants one for its words.)
        let (mut any, mut points) = (0u64, 0u64);
        let mut i = 0u32;
        while i < OPS as u32 {
            if i >= ops as u32 {
                break;
            }
            let op = op_at(plan, 8 + i * 8);
            let early = (op.how & HOW_ENTRY) as u64;
            any |= early;
            points |= if early != 0 { argument(regs, op.arg) } else { 0 };
            i += 1;
        }
        if any != 0 && points == 0 {
            return boot_ns();
        }
        let Some(mut r) = begin(ENTRY_MAX, (id >> 32) as u32, Rank::PAYLOAD) else { return boot_ns() };
        words(&mut r, regs);
        r.p += 48;
        let mut items = 0u64;
        let mut i = 0u32;
        while i < OPS as u32 {
            if i >= ops as u32 {
                break;
            }
            items = r.forget(items);
            let op = op_at(plan, 8 + i * 8);
            if op.how & HOW_ENTRY != 0 {
                copy_flat(&mut r, &op, 0);
                items += 1;
            }
            i += 1;
        }
        r.forget_place();
        r.count_state();
        let counts = 6 | (items as u16) << 8;
        let task = task_btf();
        r.head(REC_ENTRY, F_STATE, counts, id as u32, (id >> 32) as u32, told(0, task), u64::MAX, nr as i64);
        r.publish();
        r.time
    }
}

/// One argument of a 64-bit call.
#[inline(always)]
unsafe fn argument(regs: *const u8, n: u8) -> u64 {
    unsafe {
        match n {
            0 => ld(regs, g!(REGS_A0)),
            1 => ld(regs, g!(REGS_A1)),
            2 => ld(regs, g!(REGS_A2)),
            3 => ld(regs, g!(REGS_A3)),
            4 => ld(regs, g!(REGS_A4)),
            _ => ld(regs, g!(REGS_A5)),
        }
    }
}

/// The word of a head that names the fact and the parent.
#[inline(always)]
pub unsafe fn told(fact: u8, task: *const u8) -> u32 {
    unsafe { with_parent(fact, parent_of(task)) }
}
#[inline(always)]
fn with_parent(fact: u8, parent: u32) -> u32 {
    fact as u32 | parent << FACT_BITS
}

/// Facts of the file that argument 0 names; the others are of the result.
const OF_ARG0: u32 = 1 << FACT_SOCK | 1 << FACT_SENT | 1 << FACT_SENT_MSG;

/// All six words at fixed offsets; what the call does not have is overwritten by the items.
#[inline(always)]
unsafe fn words(r: &mut Rec, regs: *const u8) {
    unsafe {
        let a = r.c.add(r.off as usize);
        st(a, HEAD, ld::<u64>(regs, g!(REGS_A0)));
        st(a, HEAD + 8, ld::<u64>(regs, g!(REGS_A1)));
        st(a, HEAD + 16, ld::<u64>(regs, g!(REGS_A2)));
        st(a, HEAD + 24, ld::<u64>(regs, g!(REGS_A3)));
        st(a, HEAD + 32, ld::<u64>(regs, g!(REGS_A4)));
        st(a, HEAD + 40, ld::<u64>(regs, g!(REGS_A5)));
    }
}

/// The operation at this offset of a plan.
#[inline(always)]
pub unsafe fn op_at(plan: *const u8, at: u32) -> Op {
    unsafe {
        let o = plan.add(at as usize);
        Op { code: ld(o, 0), arg: ld(o, 1), len: ld(o, 2), how: ld(o, 3), max: ld(o, 4), unit: ld(o, 6) }
    }
}

#[unsafe(link_section = "tp_btf/sys_exit")]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sys_exit(ctx: *const u64) -> i32 {
    unsafe {
        let regs: *const u8 = ld(ctx as *const u8, 0);
        let ret: i64 = ld(ctx as *const u8, 8);
        let mut nr = ld::<u32>(regs, g!(REGS_NR));
        if nr == u32::MAX {
            // rt_sigreturn has restored the registers of what it interrupted. (A call with the number -1 looks the same
            // here; it fails with ENOSYS, which no interrupted code can expect of rt_sigreturn.)
            if ret == -38 {
                return 0;
            }
            nr = g!(NR_RT_SIGRETURN);
        }
        let task = task_btf();
        let compat = is_compat(task);
        let plan = look(&PLANS, if compat || nr >= PLAN_EXIT { PLAN_COMPAT } else { nr });
        if plan.is_null() {
            return 0;
        }
        let want: u8 = ld(plan, 0);
        if want == 0 {
            reject(REJECT_NUMBER, 0);
            return 0;
        }
        let id = pid_tgid();
        let (pid, tid) = ((id >> 32) as u32, id as u32);
        let Some(mark) = mark_of(pid) else {
            reject(REJECT_PROCESS, 0);
            return 0;
        };
        let mut slot_time = 0u64;
        let mut flags = 0u16;
        let mut full = want & WANT_FULL != 0;
        let mut cause = REJECT_NUMBER;
        let mut state = want & WANT_STATE != 0 && (ret >= 0 || want & WANT_FAILED != 0);
        if want & (WANT_BOUND | WANT_OWN) != 0
            && let Some(why) = outside(task, pid, mark, ret)
        {
            let stranger = why == REJECT_PROCESS && want & WANT_OWN != 0 && mark & SCOPE_SHARES == 0;
            if stranger || want & WANT_BOUND != 0 {
                full = false;
                cause = why;
            }
            state = state && !stranger;
        }
        // Of messages few bring descriptors.
        let fact: u8 = ld::<u8>(plan, 3) & 15;
        if state && (fact == FACT_RECEIVED || fact == FACT_RECEIVED_ALL) {
            state = has_control(ld(regs, g!(REGS_A1)));
        }
        if g!(HAVE_ENTRY) != 0 {
            let s = look(&SLOTS, slot(tid));
            if !s.is_null() {
                let owner: u32 = ld(s, 0);
                if owner == tid && ld::<u32>(s, 4) == nr {
                    slot_time = ld(s, 8);
                    st(s, 0, 0u32);
                } else if owner != 0 {
                    flags |= F_COLLISION;
                    if owner == tid {
                        st(s, 0, 0u32);
                    }
                }
            }
        }
        if full && want & WANT_BOUND != 0 && too_short(slot_time) {
            full = false;
            cause = REJECT_LATENCY;
        }
        if !full {
            if !state {
                reject(cause, flags);
                return 0;
            }
            flags |= F_STATE;
        }
        let max: u16 = if full { ld(plan, 4) } else { ld(plan, 6) };
        let Some(mut r) = begin((max as u32) << 3, pid, Rank(state as u32)) else { return 0 };
        let latency = if slot_time != 0 { r.time - slot_time } else { u64::MAX };
        let a = r.c.add(r.off as usize);
        // As near to the clock as can be.
        let which = ld::<u8>(plan, 3) >> 4;
        let files = files_of(task);
        if which != 0 && ret >= 0 && !compat && is_shared(files) {
            let n = if which == SLOT_RET {
                ret
            } else if which == SLOT_ARG0 {
                ld::<i32>(regs, g!(REGS_A0)) as i64
            } else {
                ld::<i32>(regs, g!(REGS_A1)) as i64
            };
            r.set(SLOT_NOW, file_in(files, n));
            flags |= F_SLOT;
            // Others may have set that while the call was under way.
            if closed_by_exec(task, n) {
                flags |= F_CLOEXEC;
            }
        }
        if compat {
            flags |= F_COMPAT;
            st(a, HEAD, ld::<u64>(regs, g!(REGS_C0)));
            st(a, HEAD + 8, ld::<u64>(regs, g!(REGS_C1)));
            st(a, HEAD + 16, ld::<u64>(regs, g!(REGS_C2)));
            st(a, HEAD + 24, ld::<u64>(regs, g!(REGS_C3)));
            st(a, HEAD + 32, ld::<u64>(regs, g!(REGS_C4)));
            st(a, HEAD + 40, ld::<u64>(regs, g!(REGS_C5)));
        } else {
            words(&mut r, regs);
        }
        // What led here must not multiply what follows: from now on these are numbers like any others.
        let flags = r.forget(flags as u64) as u16;
        let nr = r.forget(nr as u64) as u32;
        let ret = r.forget(ret as u64) as i64;
        let latency = r.forget(latency);
        let compat = flags & F_COMPAT != 0;
        let full = flags & F_STATE == 0;
        let want: u8 = ld(plan, 0);
        let words: u8 = ld(plan, 1);
        let fd0: i64 = ld::<i32>(a, HEAD) as i64;
        let (arg0, arg1, arg3): (u64, u64, u64) = (ld(a, HEAD), ld(a, HEAD + 8), ld(a, HEAD + 24));
        let arg4: u64 = ld(a, HEAD + 32);
        let ops: u8 = if full { ld(plan, 2) } else { 0 };
        let is_state = r.forget(state as u64) != 0;
        let mut items = 0u32;
        if ops != 0 {
            // Items must not overwrite the words that later operations need: keep all six until then.
            r.p += 48;
            let mut i = 0u32;
            while i < OPS as u32 - 1 {
                if i >= ops as u32 {
                    break;
                }
                let op = op_at(plan, 8 + i * 8);
                // What takes loops of its own comes last in a plan, and stands outside this one: inside, the verifier would
                // walk it once for each round.
                if op.code >= OP_DEEP {
                    break;
                }
                if op.how & (HOW_ENTRY | HOW_EXIT) == HOW_ENTRY {
                    r.no_item(ITEM_ENTRY);
                } else {
                    copy_flat(&mut r, &op, ret);
                }
                i += 1;
            }
            items = r.forget(i as u64) as u32;
            if items < ops as u32 {
                items = copy_deep(&mut r, plan, items, ops as u32, ret);
            }
        } else {
            r.p += (words as u64 & 7) * 8;
        }
        r.forget_place();
        let mut is_told = FACT_NONE;
        let mut flags = flags;
        // What it is decides how it is told.
        let of = if OF_ARG0 >> (ld::<u8>(plan, 3) & 15) & 1 != 0 { fd0 } else { ret };
        let of = r.forget(of as u64) as i64;
        let file = if ld::<u8>(plan, 3) & 15 != FACT_NONE { file_in(files_of(task), of) } else { 0 };
        let file = r.forget(file);
        // Loaded anew: what led here must not multiply what follows.
        let fact: u8 = ld::<u8>(plan, 3) & 15;
        let fact = if fact == FACT_FILE || fact == FACT_FILE_MAYBE {
            if closed_by_exec(task, ret) {
                flags |= F_CLOEXEC;
            }
            if fact == FACT_FILE_MAYBE && ret < 3 {
                FACT_NONE
            } else if is_socket(file) {
                FACT_ACCEPTED
            } else {
                FACT_OPENED
            }
        } else if (fact == FACT_RECEIVED || fact == FACT_RECEIVED_ALL) && !is_state {
            FACT_NONE
        } else if fact >= FACT_SENT {
            // Only what is sent to an address can be sent by a socket that has none itself.
            let mut to = arg4;
            if fact == FACT_SENT_MSG && read_user(&mut to as *mut u64 as *mut u8, 8, arg1) < 0 {
                to = 0;
            }
            if to != 0 { FACT_SENT } else { FACT_NONE }
        } else {
            fact
        };
        let fact = r.forget(fact as u64) as u8;
        let flags = r.forget(flags as u64) as u16;
        if fact != FACT_NONE && (ret >= 0 || want & WANT_FAILED != 0 && fact == FACT_SOCK) && !compat {
            is_told = fact;
            if fact == FACT_OPENED || fact == FACT_CWD {
                let start = if fact == FACT_CWD { of_cwd(task) } else { of_file(&r, file) };
                path(&mut r, task, start, true);
            } else if fact == FACT_SOCK || fact == FACT_ACCEPTED {
                sock_of(&mut r, file);
            } else if fact == FACT_SENT {
                sent(&mut r, file);
            } else if fact == FACT_CREDS {
                creds(&mut r, task);
            } else {
                let pair = if fact == FACT_PIPE {
                    arg0
                } else if fact == FACT_PAIR {
                    arg3
                } else {
                    0
                };
                let msgs = if pair != 0 {
                    0
                } else if fact == FACT_RECEIVED {
                    1
                } else {
                    ret as u64
                };
                list(&mut r, arg1, msgs, pair);
            }
        }
        if !full {
            r.count_state();
        }
        if flags & F_SLOT != 0 {
            let now = r.get(SLOT_NOW);
            r.word(now);
        }
        if flags & F_COLLISION != 0 {
            let n: u64 = ld(r.ctl, COLLISIONS);
            st(r.ctl, COLLISIONS, n + 1);
        }
        let words = if ops != 0 { 6 } else { words };
        let (mut code, mut words) = (nr as u16, words);
        // Its plan copies nothing and asks for no fact: the number stands behind the words. Here, as a branch further up
        // would double what the verifier walks from there on.
        if nr >= abi::PLANS {
            r.word(nr as u64);
            (code, words) = (CALL_OTHER, 7);
        }
        let told = with_parent(is_told, parent_by_loads(task));
        r.head(code, flags, words as u16 | (items as u16) << 8, tid, pid, told, latency, ret);
        r.publish();
        0
    }
}
