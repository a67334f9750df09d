//! Which processes use one descriptor table.
//!
//! Enters: two process ids. Leaves: what the kernel says of their tables. Never: a change, a wait.

use std::cmp::Ordering;

/// `KCMP_FILES` (include/uapi/linux/kcmp.h).
const FILES: libc::c_int = 2;

/// How the kernel orders the descriptor tables of two processes (kcmp(2)): `Equal` if they are one. `None` if a process is
/// gone, or if the kernel does not say (`CONFIG_KCMP`, a seccomp filter).
pub fn tables(a: u32, b: u32) -> Option<Ordering> {
    #[allow(unsafe_code, reason = "no library has this call")]
    // SAFETY: the call takes numbers only, and changes nothing.
    match unsafe { libc::syscall(libc::SYS_kcmp, a, b, FILES, 0, 0) } {
        0 => Some(Ordering::Equal),
        1 => Some(Ordering::Less),
        2 => Some(Ordering::Greater),
        _ => None,
    }
}
