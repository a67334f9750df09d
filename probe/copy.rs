//! The interpreter of copy plans: user memory into items.
//!
//! Enters: an operation of a plan, the call's words. Leaves: one item, whatever happens (absent, unreadable, cut). Never:
//! knowledge of a call.
//!
//! Nothing here may be padded inside an item: what lies in the ring from before would become part of it.

use crate::abi::*;
use crate::calls::op_at;
use crate::kernel::*;
use crate::ring::Rec;
use crate::step::{ARRAYS, MESSAGES, STATUS, ends};

/// Pieces of a buffer after the first.
const PIECES: u64 = (PAYLOAD_MAX / PIECE) as u64;

#[inline(always)]
fn least(a: u64, b: u64) -> u64 {
    if a < b { a } else { b }
}

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
    /// `want` bytes of user memory as an item, at most `max`. What can be read before a fault is kept, as cut.
    #[inline(always)]
    pub unsafe fn user_bytes(&mut self, src: u64, want: u64, max: u64) {
        unsafe {
            let at = self.p;
            let all = least(want, max);
            let n = bound_len(least(all, PIECE as u64));
            let dst = self.here().add(8);
            if n != 0 && read_user(dst, n as u32, src) < 0 {
                return self.no_item(ITEM_UNREADABLE);
            }
            self.p += 8 + n;
            let mut left = all - n;
            if left != 0 {
                let mut from = src + n;
                let mut i = 0;
                while i < PIECES {
                    self.forget_place();
                    (from, left) = (self.forget(from), self.forget(left));
                    let n = bound_len(least(left, PIECE as u64));
                    if n == 0 || read_user(self.here(), n as u32, from) < 0 {
                        break;
                    }
                    self.p += n;
                    (from, left) = (from + n, left - n);
                    i += 1;
                }
                self.forget_place();
            }
            self.item(at, if want > max || left != 0 { ITEM_CUT } else { ITEM_OK });
        }
    }
}

/// Most bytes that an operation copies.
#[inline(always)]
fn limit(op: &Op) -> u64 {
    op.max as u64 | (op.how as u64 & 0xf0) << 12
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
        let nothing = src == 0 || (op.how & HOW_OK != 0 && ret < 0) || op.code == OP_NOTHING;
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
        // What is learnt of it here must not make two of everything that follows.
        let ret = r.forget(ret as u64) as i64;
        let src = word_of(r, op.arg);
        let max = limit(op);
        if is_nothing(r, op, src, ret) {
            return;
        }
        if op.code == OP_STR {
            return r.user_str(src, max);
        }
        let len = op.len & 0x1f;
        let count = if len < LEN_RET {
            word_of(r, len)
        } else if len == LEN_RET {
            if ret < 0 { 0 } else { ret as u64 }
        } else if len == LEN_FIXED {
            1
        } else if len & LEN_AT != 0 {
            let mut n = 0u32;
            if read_user(&mut n as *mut u32 as *mut u8, 4, word_of(r, len)) < 0 {
                return r.no_item(ITEM_UNREADABLE);
            }
            n as u64
        } else {
            least(if ret < 0 { 0 } else { ret as u64 }, word_of(r, len))
        };
        // `count` may be anything: cap before multiplying.
        let count = r.forget(count);
        let mut count = if count > 0xffff_ffff { 0xffff_ffff } else { count };
        if op.how & HOW_BITS != 0 {
            count = if op.len & LEN_MORE != 0 {
                count + 8
            } else if op.len & LEN_PAGES != 0 {
                let shift = g!(PAGE_SHIFT) & 31;
                (count + (1 << shift) - 1) >> shift
            } else {
                (count + 63) >> 6
            };
        }
        r.user_bytes(src, count * op.unit as u64, max)
    }
}

/// What takes a loop, from this operation of a plan to its last: arrays of strings, an iovec array, messages. Gives the
/// number of the first operation that is not done.
#[inline(always)]
pub unsafe fn copy_deep(r: &mut Rec, plan: *const u8, first: u32, ops: u32, ret: i64) -> u32 {
    unsafe {
        r.forget_place();
        let ret = r.forget(ret as u64) as i64;
        let first = r.forget(first as u64);
        let op = op_at(plan, bound_op(8 + first * 8) as u32);
        if op.code == OP_STRINGS {
            return arrays(r, plan, first, ops as u64, ret) as u32;
        }
        let src = word_of(r, op.arg);
        if !is_nothing(r, &op, src, ret) {
            let at = r.p;
            r.here();
            r.p += 8;
            let end = r.p + op.unit as u64 * 8;
            let status = if op.code == OP_STRUCTS {
                structs(r, src, word_of(r, op.len & 7), limit(&op))
            } else {
                walk(r, &op, ret, src, end)
            };
            r.item(at, status);
        }
        // What may stand behind it is in the record of the entry.
        first as u32 + 1
    }
}

/// Not a status: the array goes on.
const GOES_ON: u32 = u32::MAX;

/// Arrays of pointers, one after the other.
#[inline(always)]
unsafe fn arrays(r: &mut Rec, plan: *const u8, first: u64, ops: u64, ret: i64) -> u64 {
    unsafe {
        r.set(at::OP, first);
        r.set(at::OPEN, 0);
        r.set(at::RET, ret as u64);
        r.set(at::MSGS, ops);
        r.steps(2 * (STRINGS_MAX + 2), ARRAYS, plan);
        r.get(at::OP)
    }
}

/// A step begins the next array if none is open, or takes the next element. True when all are done.
#[inline(always)]
pub unsafe fn step_of_arrays(r: &mut Rec, plan: *const u8) -> bool {
    unsafe {
        if r.get(at::OPEN) == 0 {
            let n = r.get(at::OP);
            if n >= r.get(at::MSGS) {
                return true;
            }
            r.set(at::OP, n + 1);
            let op = op_at(plan, bound_op(8 + n * 8) as u32);
            let src = word_of(r, op.arg);
            let ret = r.get(at::RET) as i64;
            if !is_nothing(r, &op, src, ret) {
                r.set(at::OPEN, 1);
                r.set(at::HEAD, r.p);
                r.here();
                r.p += 8;
                r.set(at::END, r.p + op.unit as u64 * 8);
                r.set(at::NEXT, src);
                r.set(at::COUNT, STRINGS_MAX as u64);
            }
        } else {
            let status = element(r);
            r.forget_place();
            if status != GOES_ON {
                r.item(r.get(at::HEAD), status);
                r.set(at::OPEN, 0);
            }
        }
        false
    }
}

/// The next string of an array, with its NUL; only the last may lack it, which was then cut. Gives the status of the item
/// if that was its end.
#[inline(always)]
unsafe fn element(r: &mut Rec) -> u32 {
    unsafe {
        let (next, count) = (r.get(at::NEXT), r.get(at::COUNT));
        let fault = if r.p == r.get(at::HEAD) + 8 { ITEM_UNREADABLE } else { ITEM_CUT };
        let mut s = 0u64;
        if read_user(&mut s as *mut u64 as *mut u8, 8, next) < 0 {
            return fault;
        }
        if s == 0 {
            return ITEM_OK;
        }
        let room = r.get(at::END) - r.p;
        if count == 0 || room < 2 || room > RECORD_MAX as u64 {
            return ITEM_CUT;
        }
        let room = least(room, PIECE as u64);
        let n = read_user_str(r.here(), bound_len(room) as u32, s);
        if n < 0 {
            return fault;
        }
        r.p += n as u64;
        if n as u64 >= room {
            // It filled the room, so it was cut; the NUL is the helper's.
            r.p -= 1;
            return ITEM_CUT;
        }
        r.set(at::NEXT, next + 8);
        r.set(at::COUNT, count - 1);
        GOES_ON
    }
}

/// The structures that the pointers of an array point to.
#[inline(always)]
unsafe fn structs(r: &mut Rec, src: u64, count: u64, size: u64) -> u32 {
    unsafe {
        let mut i = 0u64;
        while i < STRUCTS_MAX as u64 {
            r.forget_place();
            let (count, size, src) = (r.forget(count), r.forget(size), r.forget(src));
            if i >= count {
                return ITEM_OK;
            }
            let mut s = 0u64;
            if read_user(&mut s as *mut u64 as *mut u8, 8, src + i * 8) < 0
                || read_user(r.here(), bound_len(size) as u32, s) < 0
            {
                return if i == 0 { ITEM_UNREADABLE } else { ITEM_CUT };
            }
            r.p += size;
            i += 1;
        }
        if r.forget(count) > STRUCTS_MAX as u64 { ITEM_CUT } else { ITEM_OK }
    }
}

/// Where the walk over messages stands: words of the control page behind [`SCRATCH`]. What the verifier loads from there it
/// knows nothing about, so all rounds of the loop look alike to it; on the stack every combination would be walked.
mod at {
    use crate::abi::SCRATCH;
    /// The next `struct mmsghdr`, and how many are left.
    pub const NEXT: u32 = SCRATCH + 8;
    pub const MSGS: u32 = SCRATCH + 16;
    /// Of these have been sent or received: their lengths mean something.
    pub const DONE: u32 = SCRATCH + 24;
    /// The present message's head: its place in the chunk.
    pub const HEAD: u32 = SCRATCH + 32;
    /// The next iovec, and how many are left.
    pub const IOV: u32 = SCRATCH + 40;
    pub const COUNT: u32 = SCRATCH + 48;
    /// Of the present iovec.
    pub const BASE: u32 = SCRATCH + 56;
    pub const LEFT: u32 = SCRATCH + 64;
    /// Bytes of the message that further iovecs may have; `UNKNOWN` or nearly so if only the iovecs tell.
    pub const WANT: u32 = SCRATCH + 72;
    /// Bytes of data that may still be copied, and those that were.
    pub const ROOM: u32 = SCRATCH + 80;
    pub const DATA: u32 = SCRATCH + 88;
    /// The data word.
    pub const WORD: u32 = SCRATCH + 96;
    /// The end of the item, most bytes of data of a message, the operation, the result.
    pub const END: u32 = SCRATCH + 104;
    pub const MAX: u32 = SCRATCH + 112;
    pub const CODE: u32 = SCRATCH + 120;
    pub const RET: u32 = SCRATCH + 128;
    /// Of arrays: the next operation (`MSGS` is where they end), and whether one is being done.
    pub const OP: u32 = SCRATCH + 136;
    pub const OPEN: u32 = SCRATCH + 144;
}

/// How much a message holds is not known: a failed call. (The lengths of all iovecs of a walk cannot add up to its half.)
const UNKNOWN: u64 = 1 << 62;
/// A length beyond this is nonsense.
const LENGTH_MAX: u64 = 1 << 48;

impl Rec {
    /// Reads `n` bytes of user memory to the current place, and gives how many; 0, and `fault` in the data word, if that
    /// cannot be.
    #[inline(always)]
    unsafe fn part(&mut self, n: u64, src: u64, fault: u64) -> u64 {
        unsafe {
            let dst = self.here();
            if n != 0 && read_user(dst, n as u32, src) < 0 {
                self.set(at::WORD, self.get(at::WORD) | fault);
                return 0;
            }
            self.p += n;
            n
        }
    }
}

/// Begins the next message: its head, its name, its control messages. False if that cannot be read.
#[inline(always)]
unsafe fn begin_message(r: &mut Rec) -> bool {
    unsafe {
        // struct user_msghdr is {name, namelen, iov, iovlen, control, controllen, flags}.
        let mut m = [0u64; 7];
        let next = r.get(at::NEXT);
        if read_user(m.as_mut_ptr() as *mut u8, 56, next) < 0 {
            return false;
        }
        let ret = r.get(at::RET);
        let mut want = if (ret as i64) < 0 { UNKNOWN } else { ret };
        let mut len = 0u32;
        if r.get(at::CODE) == OP_MMSGHDR as u64 {
            if read_user(&mut len as *mut u32 as *mut u8, 4, next + 56) < 0 {
                return false;
            }
            let done = r.get(at::DONE);
            want = if done == 0 { UNKNOWN } else { len as u64 };
            r.set(at::DONE, if done == 0 { 0 } else { done - 1 });
        }
        r.set(at::NEXT, next + 64);
        r.set(at::MSGS, r.get(at::MSGS) - 1);
        r.set(at::WANT, want);
        r.set(at::WORD, if want < UNKNOWN { least(want, LENGTH_MAX) } else { 0 });
        r.forget_place();
        r.set(at::HEAD, r.p);
        r.here();
        r.p += MESSAGE as u64;
        let name_len = if m[0] == 0 { 0 } else { m[1] & 0xffff_ffff };
        let name = r.forget(least(name_len, MSG_NAME_MAX as u64));
        let name = r.part(bound_name(name), m[0], NAME_UNREADABLE);
        r.forget_place();
        let name = r.forget(name | name_len << 32);
        let control_len = if m[4] == 0 { 0 } else { m[5] };
        let control_len = r.forget(control_len);
        let control = r.forget(least(control_len, MSG_CONTROL_MAX as u64));
        let control = r.part(bound_control(control), m[4], CONTROL_UNREADABLE);
        r.forget_place();
        let h = r.c.add(bound_at(r.get(at::HEAD)) as usize);
        st(h, 8, (len as u64) << 32);
        st(h, 16, name);
        st(h, 24, control | m[6] << 32);
        st(h, 32, control_len);
        r.set(at::IOV, m[2]);
        r.set(at::COUNT, m[3]);
        r.set(at::LEFT, 0);
        r.set(at::DATA, 0);
        r.set(at::ROOM, least(r.get(at::MAX), r.get(at::END) - r.p));
        true
    }
}

/// Takes the next iovec.
#[inline(always)]
unsafe fn next_iovec(r: &mut Rec) {
    unsafe {
        let mut v = [0u64; 2];
        let iov = r.get(at::IOV);
        if read_user(v.as_mut_ptr() as *mut u8, 16, iov) < 0 {
            r.set(at::WORD, r.get(at::WORD) | DATA_UNREADABLE);
            return r.set(at::COUNT, 0);
        }
        r.set(at::IOV, iov + 16);
        r.set(at::COUNT, r.get(at::COUNT) - 1);
        r.set(at::BASE, v[0]);
        let want = r.get(at::WANT);
        let left = r.forget(least(least(v[1], want), LENGTH_MAX));
        r.set(at::LEFT, left);
        r.set(at::WANT, want - left);
        if want >= UNKNOWN / 2 {
            r.set(at::WORD, r.get(at::WORD) + left);
        }
    }
}

/// Copies the next piece of the present iovec.
#[inline(always)]
unsafe fn next_piece(r: &mut Rec) {
    unsafe {
        r.forget_place();
        let (base, left, room) = (r.get(at::BASE), r.get(at::LEFT), r.get(at::ROOM));
        let n = bound_len(r.forget(least(least(left, room), PIECE as u64)));
        if n == 0 {
            return;
        }
        if read_user(r.here(), n as u32, base) < 0 {
            r.set(at::WORD, r.get(at::WORD) | DATA_UNREADABLE);
            r.set(at::LEFT, 0);
            return r.set(at::COUNT, 0);
        }
        r.p += n;
        r.set(at::BASE, base + n);
        r.set(at::LEFT, left - n);
        r.set(at::ROOM, room - n);
        r.set(at::DATA, r.get(at::DATA) + n);
    }
}

/// The data of iovecs; for messages with their heads.
#[inline(always)]
unsafe fn walk(r: &mut Rec, op: &Op, ret: i64, src: u64, end: u64) -> u32 {
    unsafe {
        let max = limit(op);
        let count = word_of(r, op.len & 7) & 0xffff_ffff;
        let done = if ret < 0 { 0 } else { ret as u64 };
        let msgs = if op.code == OP_IOVEC {
            0
        } else if op.code == OP_MSGHDR {
            1
        } else if op.how & HOW_OK != 0 {
            least(count, done)
        } else {
            count
        };
        r.set(at::NEXT, src);
        r.set(at::MSGS, msgs);
        r.set(at::DONE, done);
        r.set(at::HEAD, r.p);
        r.set(at::IOV, src);
        r.set(at::COUNT, if op.code == OP_IOVEC { count } else { 0 });
        r.set(at::LEFT, 0);
        r.set(at::WANT, if ret < 0 { UNKNOWN } else { done });
        r.set(at::ROOM, max);
        r.set(at::DATA, 0);
        r.set(at::WORD, least(done, LENGTH_MAX));
        r.set(at::END, end);
        r.set(at::MAX, max);
        r.set(at::CODE, op.code as u64);
        r.set(at::RET, ret as u64);
        if op.code == OP_IOVEC {
            r.word(0);
            let h = r.c.add(bound_at(r.get(at::HEAD)) as usize);
            st(h, 0, r.get(at::WORD));
        }
        r.set(STATUS, STEPS_DONE);
        r.steps(WALK_STEPS, MESSAGES, core::ptr::null());
        let status = r.get(STATUS);
        if status != STEPS_DONE {
            return status as u32;
        }
        if r.get(at::LEFT) | r.get(at::COUNT) | r.get(at::MSGS) == 0 { ITEM_OK } else { ITEM_CUT }
    }
}

/// Not a status: no step ended it.
const STEPS_DONE: u64 = u64::MAX;

/// A step begins a message if there is nothing left of the last, takes the next iovec if there is nothing left of the last,
/// and copies a piece of that. `i` is the number of the step.
#[inline(always)]
pub unsafe fn step_of_messages(r: &mut Rec, i: u32) -> bool {
    unsafe {
        if r.get(at::LEFT) | r.get(at::COUNT) == 0 {
            if r.get(at::MSGS) == 0 {
                return ends(r, ITEM_OK);
            }
            let room = r.get(at::END) - r.p;
            if room < (MESSAGE + MSG_NAME_MAX + MSG_CONTROL_MAX) as u64 || room > RECORD_MAX as u64 {
                return ends(r, ITEM_CUT);
            }
            if !begin_message(r) {
                return ends(r, if i == 0 { ITEM_UNREADABLE } else { ITEM_CUT });
            }
        }
        if r.get(at::LEFT) == 0 && r.get(at::COUNT) != 0 {
            next_iovec(r);
        }
        next_piece(r);
        r.forget_place();
        let (want, room) = (r.get(at::WANT), r.get(at::ROOM));
        // Without room, only how much there is can still be learnt; that is known if the result told.
        if room == 0 {
            r.set(at::LEFT, 0);
        }
        if want == 0 && r.get(at::LEFT) == 0 || room == 0 && want < UNKNOWN / 2 {
            r.set(at::COUNT, 0);
        }
        let more = i == WALK_STEPS - 1 && r.get(at::COUNT) != 0 && want >= UNKNOWN / 2;
        let h = r.c.add(bound_at(r.get(at::HEAD)) as usize);
        st(h, 0, r.get(at::WORD) | if more { DATA_AT_LEAST } else { 0 });
        if r.get(at::CODE) != OP_IOVEC as u64 {
            st(h, 8, r.get(at::DATA) as u32);
        }
        false
    }
}
