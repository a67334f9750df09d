//! io_uring: what is asked of the kernel by a ring in memory, with no call.
//!
//! Enters: the kernel's tracepoints of a request's submission and completion, both in a task of the process that has the ring.
//! Leaves: a record of each, which user space joins by the request's address; of what it opened, what that is. Never: the
//! memory that the request reads or writes.

use crate::abi::*;
use crate::calls::told;
use crate::facts::{file_of, of_file, path, shares_files, sock_of};
use crate::got::{closed_by_exec, is_socket};
use crate::kernel::*;
use crate::ring::{Rec, begin};
use crate::scope::in_scope;
use crate::share::Rank;

// Of enum io_uring_op (include/uapi/linux/io_uring.h).
const READ_FIXED: u8 = 4;
const WRITE_FIXED: u8 = 5;
const ACCEPT: u8 = 13;
const CONNECT: u8 = 16;
const OPENAT: u8 = 18;
const CLOSE: u8 = 19;
const STATX: u8 = 21;
const READ: u8 = 22;
const WRITE: u8 = 23;
const SEND: u8 = 26;
const RECV: u8 = 27;
const OPENAT2: u8 = 28;
const RENAMEAT: u8 = 35;
const UNLINKAT: u8 = 36;
const MKDIRAT: u8 = 37;
const SOCKET: u8 = 45;
const SEND_ZC: u8 = 47;
const FIXED_FD_INSTALL: u8 = 54;
const BIND: u8 = 56;
/// IOSQE_FIXED_FILE: the number is one of the ring's own.
const FIXED: u8 = 1;

/// Where a request keeps the path that it was given: a pointer to a `struct filename`, whose first member is the text.
#[inline(always)]
unsafe fn path_at(op: u8) -> u32 {
    unsafe {
        match op {
            OPENAT | OPENAT2 => g!(URING_OPEN_NAME),
            STATX => g!(URING_STATX_NAME),
            RENAMEAT => g!(URING_RENAME_NAME),
            UNLINKAT => g!(URING_UNLINK_NAME),
            MKDIRAT => g!(URING_MKDIR_NAME),
            _ => 0,
        }
    }
}

#[unsafe(link_section = "tp_btf/io_uring_submit_req")]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_submit_req(ctx: *const u64) -> i32 {
    unsafe {
        let req: u64 = ld(ctx as *const u8, 0);
        let task = task_btf();
        let (tid, pid): (u32, u32) = (ld(task, g!(TASK_PID)), ld(task, g!(TASK_TGID)));
        if !in_scope(pid) {
            return 0;
        }
        let op: u8 = rk(req, g!(URING_OP));
        let flags: u8 = rk(req, g!(URING_FLAGS));
        // `io_cqe`: what the program will know it by, the result, and where its flags will be, the descriptor.
        let cqe: [u64; 2] = rk(req, g!(URING_CQE));
        let mut fd = (cqe[1] >> 32) as i32;
        let (mut word, mut name, mut more) = (0u64, 0u64, 0u64);
        let at = path_at(op);
        if at != 0 {
            // A directory's; io_uring/fs.c keeps it where io_uring/openclose.c does.
            fd = rk(req, g!(URING_OPEN_DIR));
            name = rk(req, at);
            if matches!(op, OPENAT | OPENAT2) {
                more = rk(req, g!(URING_OPEN_HOW));
            }
        } else if op == ACCEPT {
            more = rk::<u32>(req, g!(URING_ACCEPT_FLAGS)) as u64;
        } else if op == SOCKET {
            fd = rk(req, g!(URING_SOCKET_DOMAIN));
            word =
                rk::<u32>(req, g!(URING_SOCKET_TYPE)) as u64 | rk::<u32>(req, g!(URING_SOCKET_FLAGS)) as u64;
        } else if op == CLOSE {
            // One of the ring's own numbers is counted from 1.
            let slot: u32 = rk(req, g!(URING_CLOSE_SLOT));
            fd = if slot != 0 { -1 } else { rk(req, g!(URING_CLOSE_FD)) };
        } else if matches!(op, READ | WRITE | READ_FIXED | WRITE_FIXED) {
            word = rk::<u32>(req, g!(URING_RW_LEN)) as u64;
        } else if matches!(op, SEND | RECV | SEND_ZC) {
            word = rk::<u32>(req, g!(URING_MSG_LEN)) as u64;
        }
        let Some(mut r) = begin(HEAD + 64 + 16 + STR_MAX, pid, Rank::PAYLOAD) else { return 0 };
        r.word(fd as i64 as u64);
        r.word(word);
        r.word(flags as u64);
        r.word(cqe[0]);
        r.word(more);
        r.word(req);
        r.word(rk(req, g!(URING_CTX)));
        r.word(op as u64);
        let mut items = 0u16;
        if at != 0 {
            r.kernel_str(rk(name, 0), STR_MAX);
            items = 1;
        }
        r.count_state();
        r.head(REC_SUBMIT, F_STATE, 8 | items << 8, tid, pid, told(FACT_NONE, task), u64::MAX, 0);
        r.publish();
        0
    }
}

/// True if the result of a request that did not fail is a descriptor of the process, not one of the ring's own.
#[inline(always)]
unsafe fn gives_descriptor(req: u64, op: u8) -> bool {
    unsafe {
        let slot = match op {
            OPENAT | OPENAT2 => g!(URING_OPEN_SLOT),
            ACCEPT => g!(URING_ACCEPT_SLOT),
            SOCKET => g!(URING_SOCKET_SLOT),
            FIXED_FD_INSTALL => return true,
            _ => return false,
        };
        rk::<u32>(req, slot) == 0
    }
}

#[unsafe(link_section = "tp_btf/io_uring_complete")]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_complete(ctx: *const u64) -> i32 {
    unsafe {
        let args = ctx as *const u8;
        let (ring, req): (u64, u64) = (ld(args, 0), ld(args, 8));
        // `user_data`, then result and flags: since 6.16 behind a pointer.
        let (data, res, cqe_flags): (u64, i32, u32) = if g!(URING_BY_CQE) != 0 {
            let cqe: u64 = ld(args, 16);
            (rk(cqe, 0), rk(cqe, 8), rk(cqe, 12))
        } else {
            (ld(args, 16), ld(args, 24), ld(args, 32))
        };
        let task = task_btf();
        let (tid, pid): (u32, u32) = (ld(task, g!(TASK_PID)), ld(task, g!(TASK_TGID)));
        if !in_scope(pid) {
            return 0;
        }
        // One of several results of a request comes without it.
        let (mut op, mut flags) = (u8::MAX, 0u8);
        if req != 0 {
            (op, flags) = (rk(req, g!(URING_OP)), rk(req, g!(URING_FLAGS)));
        }
        let Some(mut r) = begin(HEAD + 48 + PATH_FACT + PATH_BYTES + SOCK_FACT, pid, Rank::STATE) else {
            return 0;
        };
        let ret = res as i64;
        let gives = ret >= 0 && (if req == 0 { ret > 2 } else { gives_descriptor(req, op) });
        let names = req != 0 && (flags & FIXED != 0 || matches!(op, CONNECT | BIND));
        let mut mark = 0u16;
        // What the number means at this moment, where others may have changed that: as of calls.
        let (mut closed, mut now) = (-1i64, 0u64);
        let closes = op == CLOSE && rk::<u32>(req, g!(URING_CLOSE_SLOT)) == 0;
        if gives {
            now = file_of(task, ret);
            if closed_by_exec(task, ret) {
                mark |= F_CLOEXEC;
            }
        } else if closes {
            closed = rk::<i32>(req, g!(URING_CLOSE_FD)) as i64;
            now = file_of(task, closed);
        }
        if (gives || closes) && shares_files(task) {
            mark |= F_SLOT;
        }
        r.word(req);
        r.word(ring);
        r.word(data);
        r.word(op as u64 | (flags as u64) << 8 | (cqe_flags as u64) << 32);
        r.word(closed as u64);
        let file = if gives {
            now
        } else if names {
            rk(req, g!(URING_FILE))
        } else {
            0
        };
        let mark = r.forget(mark as u64) as u16;
        let now = r.forget(now);
        let file = r.forget(file);
        let fact = tell(&mut r, task, file);
        if mark & F_SLOT != 0 {
            r.word(now);
        }
        r.head(REC_DONE, mark, 5, tid, pid, told(fact, task), u64::MAX, ret);
        r.publish();
        0
    }
}

/// What a file is, as of calls that open.
#[inline(always)]
unsafe fn tell(r: &mut Rec, task: *const u8, file: u64) -> u8 {
    unsafe {
        if file == 0 {
            return FACT_NONE;
        }
        if is_socket(file) {
            sock_of(r, file);
            return FACT_ACCEPTED;
        }
        let start = of_file(r, file);
        path(r, task, start, false);
        FACT_OPENED
    }
}
