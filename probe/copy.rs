//! The interpreter of copy plans: user memory into items.
//!
//! Enters: an operation of a plan, the call's words. Leaves: one item, whatever happens (absent, unreadable, cut). Never:
//! knowledge of a call.

use crate::abi::*;
use crate::kernel::*;
use crate::ring::Rec;

impl Rec {
    /// A string from user memory as an item.
    #[inline(always)]
    pub unsafe fn user_str(&mut self, src: u64, max: u64) {
        unsafe {
            let at = self.p;
            let dst = self.here().add(8);
            let n = read_user_str(dst, bound_len(max) as u32, src);
            if n < 0 {
                return self.no_item(ITEM_UNREADABLE);
            }
            // The helper counts the NUL; a string as long as the room was cut.
            let n = n as u64;
            self.p += 8 + if n > 0 { n - 1 } else { 0 };
            self.item(at, if n >= max { ITEM_CUT } else { ITEM_OK });
        }
    }
    /// A string from kernel memory as an item.
    #[inline(always)]
    pub unsafe fn kernel_str(&mut self, src: u64, max: u32) {
        unsafe {
            let at = self.p;
            let dst = self.here().add(8);
            let n = read_kernel_str(dst, max, src);
            if n <= 0 {
                return self.no_item(ITEM_UNREADABLE);
            }
            self.p += 8 + n as u64 - 1;
            self.item(at, ITEM_OK);
        }
    }
    /// `want` bytes of user memory as an item, at most `max`.
    #[inline(always)]
    pub unsafe fn user_bytes(&mut self, src: u64, want: u64, max: u64) {
        unsafe {
            let at = self.p;
            let n = if want > max { max } else { want };
            let dst = self.here().add(8);
            let n = bound_len(n);
            if n != 0 && read_user(dst, n as u32, src) < 0 {
                return self.no_item(ITEM_UNREADABLE);
            }
            self.p += 8 + n;
            self.item(at, if want > n { ITEM_CUT } else { ITEM_OK });
        }
    }
    /// The data of an iovec array, joined, without an item head. Gives false if nothing could be read.
    #[inline(always)]
    pub unsafe fn user_iovec(&mut self, iov: u64, count: u64, want: u64, max: u64) -> u32 {
        unsafe {
            let mut room = if want > max { max } else { want };
            let mut status = if want > max { ITEM_CUT } else { ITEM_OK };
            let mut i = 0u64;
            while i < 8 {
                self.forget_place();
                room = self.forget(room);
                if i >= count || room == 0 {
                    return status;
                }
                let mut v = [0u64; 2];
                if read_user(v.as_mut_ptr() as *mut u8, 16, iov + i * 16) < 0 {
                    return ITEM_UNREADABLE;
                }
                if v[1] > room {
                    status = ITEM_CUT;
                }
                let n = if v[1] > room { room } else { v[1] };
                let dst = self.here();
                let n = bound_len(n);
                if n != 0 && read_user(dst, n as u32, v[0]) < 0 {
                    return ITEM_UNREADABLE;
                }
                self.p += n;
                room -= n;
                i += 1;
            }
            if count > 8 { ITEM_CUT } else { status }
        }
    }
}

/// The word of the call that an operation names.
#[inline(always)]
unsafe fn word_of(r: &Rec, n: u8) -> u64 {
    unsafe {
        let at = bound_at(r.off + HEAD as u64 + (n as u64 & 7) * 8);
        ld(r.c.add(at as usize), 0)
    }
}

/// True if there is nothing to copy; the item then says so.
#[inline(always)]
unsafe fn is_nothing(r: &mut Rec, op: &Op, src: u64, ret: i64) -> bool {
    unsafe {
        let nothing = src == 0 || (op.only_ok != 0 && ret < 0) || op.code == OP_NOTHING;
        if nothing {
            r.no_item(ITEM_ABSENT);
        }
        nothing
    }
}

/// A string or a run of bytes.
#[inline(always)]
pub unsafe fn copy_flat(r: &mut Rec, op: &Op, ret: i64) {
    unsafe {
        r.forget_place();
        let src = word_of(r, op.arg);
        let max = op.max as u64;
        if is_nothing(r, op, src, ret) {
            return;
        }
        if op.code == OP_STR {
            return r.user_str(src, max);
        }
        let count = if op.len == LEN_RET {
            if ret < 0 { 0 } else { ret as u64 }
        } else if op.len == LEN_FIXED {
            1
        } else if op.len & LEN_AT != 0 {
            let mut n = 0u32;
            if read_user(&mut n as *mut u32 as *mut u8, 4, word_of(r, op.len)) < 0 {
                return r.no_item(ITEM_UNREADABLE);
            }
            n as u64
        } else {
            word_of(r, op.len)
        };
        // `count` may be anything: cap before multiplying.
        let count = r.forget(count);
        let count = if count > 0xffff_ffff { 0xffff_ffff } else { count };
        r.user_bytes(src, count * op.unit as u64, max)
    }
}

/// What takes a loop: an array of strings, an iovec array, a msghdr.
#[inline(always)]
pub unsafe fn copy_deep(r: &mut Rec, op: &Op, ret: i64) {
    unsafe {
        r.forget_place();
        let src = word_of(r, op.arg);
        let max = op.max as u64;
        if is_nothing(r, op, src, ret) {
            return;
        }
        let at = r.p;
        r.here();
        r.p += 8;
        if op.code == OP_STRINGS {
            let status = strings(r, src, at, max);
            return r.item(at, status);
        }
        // What was really sent or received is the result; a failed call has the whole.
        let mut want = if ret >= 0 { ret as u64 } else { 1 << 30 };
        let mut iov = src;
        let mut count = word_of(r, op.len & 7);
        if op.code == OP_MSGHDR {
            // struct user_msghdr is {name, namelen, iov, iovlen, control, controllen, flags}.
            let mut m = [0u64; 7];
            if read_user(m.as_mut_ptr() as *mut u8, 56, src) < 0 {
                return r.item(at, ITEM_UNREADABLE);
            }
            let mut n = m[1] & 0xffff_ffff;
            if n > 128 {
                n = 128;
            }
            if m[0] == 0 {
                n = 0;
            }
            r.word(n | (m[6] << 32));
            let dst = r.here();
            let n = bound_name(n);
            if n != 0 && read_user(dst, n as u32, m[0]) < 0 {
                return r.item(at, ITEM_UNREADABLE);
            }
            r.p += n;
            (iov, count) = (m[2], m[3]);
        }
        (iov, count, want) = (r.forget(iov), r.forget(count), r.forget(want));
        let status = r.user_iovec(iov, count, want, max);
        r.item(at, status)
    }
}

/// The strings of a NULL-terminated array, each with its NUL.
#[inline(always)]
unsafe fn strings(r: &mut Rec, src: u64, at: u64, max: u64) -> u32 {
    unsafe {
        let mut i = 0u64;
        while i < 24 {
            r.forget_place();
            let mut s = 0u64;
            if read_user(&mut s as *mut u64 as *mut u8, 8, src + i * 8) < 0 {
                return ITEM_UNREADABLE;
            }
            if s == 0 {
                return ITEM_OK;
            }
            if r.p - at >= max {
                return ITEM_CUT;
            }
            let n = read_user_str(r.here(), 128, s);
            if n < 0 {
                return ITEM_UNREADABLE;
            }
            r.p += n as u64;
            i += 1;
        }
        ITEM_CUT
    }
}
