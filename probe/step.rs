//! Loops that the verifier walks once: each is a function that does one step, called by the kernel's bpf_loop (5.17).
//!
//! Enters: where the step stands, on the CPU's control page. Leaves: the same, one step further, and what it has put into
//! the record. Never: anything of the step before in a register: there the verifier would tell one step from another.

use crate::abi::*;
use crate::copy::{step_of_arrays, step_of_messages};
use crate::facts::step_of_path;
use crate::got::{self, step_of_list};
use crate::kernel::*;
use crate::ring::Rec;

/// What a step is given: a record's chunk and control page, and which loop it is a step of.
#[repr(C)]
pub struct Step {
    pub c: *mut u8,
    pub ctl: *mut u8,
    pub plan: *const u8,
    pub what: u64,
}

/// A walk from a dentry to the root.
pub const PATH: u64 = 0;
/// Arrays of pointers to strings.
pub const ARRAYS: u64 = 1;
/// Messages and iovecs.
pub const MESSAGES: u64 = 2;
/// Descriptors that a call has made or brought.
pub const LIST: u64 = 3;

/// One step; 1 ends the loop.
#[unsafe(link_section = ".text.step")]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn step(i: u64, with: *const Step) -> i64 {
    unsafe {
        let with = with as *const u8;
        let (c, ctl): (*mut u8, *mut u8) = (ld(with, 0), ld(with, 8));
        let mut r = Rec { c, ctl, head: 0, off: ld(ctl, OFF), p: ld(ctl, PLACE), time: 0, seq: 0 };
        let what = ld::<u64>(with, 24);
        // A list goes on while the path of one of its descriptors is walked.
        let walks = what == LIST && got::walks(&r);
        let done = match if walks { PATH } else { what } {
            PATH => {
                let done = step_of_path(&mut r);
                if walks { got::walked(&mut r, done) } else { done }
            }
            ARRAYS => step_of_arrays(&mut r, ld(with, 16)),
            LIST => step_of_list(&mut r),
            _ => step_of_messages(&mut r, i as u32),
        };
        st(ctl, PLACE, r.p);
        done as i64
    }
}

impl Rec {
    /// Does up to `n` steps; the place of what comes next is handed over on the control page.
    #[inline(always)]
    pub unsafe fn steps(&mut self, n: u32, what: u64, plan: *const u8) {
        unsafe {
            self.set(PLACE, self.p);
            self.set(OFF, self.off);
            let with = Step { c: self.c, ctl: self.ctl, plan, what };
            repeat(n, step, &with);
            self.p = self.get(PLACE);
        }
    }
    #[inline(always)]
    pub unsafe fn get(&self, at: u32) -> u64 {
        unsafe { ld(self.ctl, at) }
    }
    #[inline(always)]
    pub unsafe fn set(&self, at: u32, v: u64) {
        unsafe { st(self.ctl, at, v) }
    }
}
/// The place of what comes next, and the record's, while a loop runs.
const PLACE: u32 = SCRATCH + 152;
const OFF: u32 = SCRATCH + 216;
/// How it ended.
pub const STATUS: u32 = SCRATCH + 200;

/// Ends a loop.
#[inline(always)]
pub unsafe fn ends(r: &Rec, status: u32) -> bool {
    unsafe { r.set(STATUS, status as u64) };
    true
}
