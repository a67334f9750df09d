//! Which processes are looked at: one byte a pid, in a map that user space writes too.

use crate::abi::*;
use crate::kernel::SCOPE;
use crate::kernel::*;

#[inline(always)]
pub unsafe fn scope_of(pid: u32) -> *mut u8 {
    unsafe {
        let c = look(&SCOPE, (pid >> 16) & (SCOPES - 1));
        if c.is_null() { c } else { c.add((pid & 0xffff) as usize) }
    }
}
#[inline(always)]
pub unsafe fn in_scope(pid: u32) -> bool {
    unsafe {
        let s = scope_of(pid);
        if s.is_null() {
            return false;
        }
        let v = core::ptr::read_volatile(s);
        if g!(SCOPED) != 0 { v == SCOPE_IN } else { v != SCOPE_OUT }
    }
}
