//! Lists of descriptors that a call has made or brought: a pair of sockets, what came with a message.
//!
//! Enters: the pair, or the messages, in user memory. Leaves: each descriptor and what the kernel says it is now: its path,
//! or its addresses. Never: a descriptor that is not open.

use crate::abi::*;
use crate::facts::{file_of, root_of, set_out, sock_of};
use crate::kernel::*;
use crate::ring::Rec;
use crate::step::{LIST, STATUS};

/// Where the list stands: words of the control page. Those of messages are free by now.
mod at {
    use crate::abi::SCRATCH;
    /// The next `struct msghdr`, and how many are left.
    pub const NEXT: u32 = SCRATCH + 8;
    pub const MSGS: u32 = SCRATCH + 16;
    /// The next control message, and the end of all.
    pub const CONTROL: u32 = SCRATCH + 24;
    pub const END: u32 = SCRATCH + 32;
    /// The next descriptor, and how many are left.
    pub const FD: u32 = SCRATCH + 40;
    pub const FDS: u32 = SCRATCH + 48;
    /// Beyond this place nothing begins.
    pub const LAST: u32 = SCRATCH + 56;
    /// The descriptor whose path is being walked, 0 if none is; where its names begin; the steps of that.
    pub const WALKS: u32 = SCRATCH + 64;
    pub const NAMES: u32 = SCRATCH + 72;
    pub const STEPS: u32 = SCRATCH + 80;
}

const SOL_SOCKET: u64 = 1;
const SCM_RIGHTS: u64 = 1;
/// Since 6.5 (include/linux/socket.h).
const SCM_PIDFD: u64 = 4;

/// True if a message has come with control messages that may hold a descriptor.
#[inline(always)]
pub unsafe fn has_control(msg: u64) -> bool {
    let mut m = [0u64; 2];
    // msg_control and msg_controllen of struct user_msghdr.
    unsafe { read_user(m.as_mut_ptr() as *mut u8, 16, msg + 32) >= 0 && m[0] != 0 && m[1] >= 20 }
}

/// Whether exec closes a descriptor of the current task.
#[inline(always)]
pub unsafe fn closed_by_exec(task: *const u8, fd: i64) -> bool {
    unsafe {
        // Not typed loads: for each that leads to a pointer the verifier searches the kernel's type information by name.
        let files: u64 = rk(task as u64, g!(TASK_FILES));
        let fdt: u64 = rk(files, g!(FILES_FDT));
        let bits: u64 = rk(fdt, g!(FDT_EXEC));
        let word: u64 = rk(bits + (fd as u64 >> 6) * 8, 0);
        word >> (fd as u64 & 63) & 1 != 0
    }
}

/// The mode of what is behind a `struct file`.
#[inline(always)]
pub unsafe fn is_socket(file: u64) -> bool {
    unsafe {
        let inode: u64 = rk(file, g!(FILE_INODE));
        let mode: u16 = rk(inode, g!(INODE_MODE));
        file != 0 && mode & 0o170000 == 0o140000
    }
}

/// A list: of the pair at `pair`, or of what came with `msgs` messages from `next` on.
#[inline(always)]
pub unsafe fn list(r: &mut Rec, next: u64, msgs: u64, pair: u64) {
    unsafe {
        let at = r.p;
        r.here();
        r.p += 8;
        r.set(at::NEXT, next);
        r.set(at::MSGS, msgs);
        r.set(at::CONTROL, 0);
        r.set(at::END, 0);
        r.set(at::FD, pair);
        r.set(at::FDS, if pair != 0 { 2 } else { 0 });
        r.set(at::WALKS, 0);
        r.set(at::LAST, r.p + (LIST_BYTES - GOT - PATH_BYTES - 8) as u64);
        r.steps(LIST_STEPS, LIST, core::ptr::null());
        let n = r.p - at - 8;
        st(r.c.add(bound_at(at) as usize), 0, n);
    }
}

/// One step: a message, a control message, or a descriptor. True at the end.
#[inline(always)]
pub unsafe fn step_of_list(r: &mut Rec) -> bool {
    unsafe {
        if r.p > r.get(at::LAST) {
            return true;
        }
        let fds = r.get(at::FDS);
        if fds != 0 {
            let from = r.get(at::FD);
            r.set(at::FDS, fds - 1);
            r.set(at::FD, from + 4);
            let mut fd = 0u32;
            if read_user(&mut fd as *mut u32 as *mut u8, 4, from) >= 0 {
                got(r, fd);
            }
            return false;
        }
        let (control, end) = (r.get(at::CONTROL), r.get(at::END));
        let mut h = [0u64; 2];
        if control >= end || end - control < 20 {
            let (msgs, next) = (r.get(at::MSGS), r.get(at::NEXT));
            if msgs == 0 {
                return true;
            }
            r.set(at::MSGS, msgs - 1);
            r.set(at::NEXT, next + 64);
            // msg_control and msg_controllen, by now the length of what came.
            if read_user(h.as_mut_ptr() as *mut u8, 16, next + 32) >= 0 {
                r.set(at::CONTROL, h[0]);
                r.set(at::END, h[0] + (h[1] & MSG_CONTROL_MAX as u64));
            }
            return false;
        }
        // struct cmsghdr is {length of all, level and type}.
        if read_user(h.as_mut_ptr() as *mut u8, 16, control) < 0 || h[0] < 16 || h[0] > end - control {
            r.set(at::CONTROL, end);
            return false;
        }
        r.set(at::CONTROL, control + ((h[0] + 7) & !7));
        r.set(at::FD, control + 16);
        let fds = if h[1] == SOL_SOCKET | SCM_RIGHTS << 32 {
            (h[0] - 16) >> 2
        } else if h[1] == SOL_SOCKET | SCM_PIDFD << 32 {
            1
        } else {
            0
        };
        r.set(at::FDS, fds);
        false
    }
}

/// True while a path is being walked.
#[inline(always)]
pub unsafe fn walks(r: &Rec) -> bool {
    unsafe { r.get(at::WALKS) != 0 }
}

/// A step of that has been done; of the last the descriptor is told what there is. False: the list is not at its end.
#[inline(always)]
pub unsafe fn walked(r: &mut Rec, done: bool) -> bool {
    unsafe {
        let steps = r.get(at::STEPS) + 1;
        r.set(at::STEPS, steps);
        if done || steps >= WALK as u64 {
            let len = r.p - r.get(at::NAMES);
            let head = bound_at(r.get(at::WALKS));
            st(r.c.add(head as usize), 32, len & 0xffff_ffff | r.get(STATUS) << 32);
            r.p = (r.p + 7) & !7;
            r.set(at::WALKS, 0);
        }
        false
    }
}

/// Adds a descriptor of the current task.
#[inline(always)]
unsafe fn got(r: &mut Rec, fd: u32) {
    unsafe {
        let task = task_btf();
        let file = file_of(task, fd as i64);
        if file == 0 {
            return;
        }
        let inode: u64 = rk(file, g!(FILE_INODE));
        let ino: u64 = rk(inode, g!(INODE_INO));
        let mode: u16 = rk(inode, g!(INODE_MODE));
        let sb: u64 = rk(inode, g!(INODE_SB));
        let dev: u32 = rk(sb, g!(SB_DEV));
        let socket = mode & 0o170000 == 0o140000;
        let mut flags = if socket { GOT_SOCK } else { 0 };
        if closed_by_exec(task, fd as i64) {
            flags |= GOT_CLOEXEC;
        }
        let head = r.p;
        r.word(ino);
        r.word(dev as u64 | (mode as u64) << 32);
        r.word(fd as u64 | (flags as u64) << 32);
        r.word(file);
        r.word(0);
        if socket {
            sock_of(r, file);
        } else {
            let mnt: u64 = rk(file, g!(FILE_PATH) + g!(PATH_MNT));
            let dentry: u64 = rk(file, g!(FILE_PATH) + g!(PATH_DENTRY));
            let (root_mnt, root) = root_of(task);
            set_out(r, mnt, dentry, root_mnt, root);
            r.set(at::WALKS, head);
            r.set(at::NAMES, r.p);
            r.set(at::STEPS, 0);
        }
    }
}
