//! What the kernel gives: helpers, maps, typed loads, and the constants that the loader sets.
//!
//! Enters: nothing. Leaves: the vocabulary of the other files. Never: what any of it is used for.

use crate::abi::{self, *};
use core::arch::asm;

// --- helpers: a call to a constant address, which is the helper's number ---
macro_rules! helper {
    ($n:literal fn $f:ident($($a:ident: $t:ty),*) -> $r:ty) => {
        #[inline(always)]
        pub unsafe fn $f($($a: $t),*) -> $r {
            unsafe { core::mem::transmute::<usize, unsafe extern "C" fn($($t),*) -> $r>($n)($($a),*) }
        }
    };
}
helper!(1 fn map_lookup(m: *const MapDef, k: *const u32) -> *mut u8);
helper!(8 fn cpu_id() -> u32);
helper!(14 fn pid_tgid() -> u64);
helper!(112 fn read_user(dst: *mut u8, n: u32, src: u64) -> i64);
helper!(113 fn read_kernel(dst: *mut u8, n: u32, src: u64) -> i64);
helper!(114 fn read_user_str(dst: *mut u8, n: u32, src: u64) -> i64);
helper!(115 fn read_kernel_str(dst: *mut u8, n: u32, src: u64) -> i64);
helper!(125 fn boot_ns() -> u64);
helper!(158 fn task_btf() -> *const u8);
/// Calls a function of ours with 0, 1, … until it gives 1, `n` times at most. To the verifier it is one call, whatever `n`.
#[inline(always)]
pub unsafe fn repeat<T>(n: u32, step: unsafe extern "C" fn(u64, *const T) -> i64, with: &T) {
    type Loop<T> =
        unsafe extern "C" fn(u32, unsafe extern "C" fn(u64, *const T) -> i64, *const T, u64) -> i64;
    unsafe { core::mem::transmute::<usize, Loop<T>>(181)(n, step, with, 0) };
}
helper!(175 fn task_regs(task: *const u8) -> *const u8);

// --- maps, in the legacy section: no BTF needed in the object ---
#[repr(C)]
pub struct MapDef {
    ty: u32,
    key: u32,
    val: u32,
    max: u32,
    flags: u32,
    id: u32,
    pin: u32,
}
const MMAPABLE: u32 = 1024;
macro_rules! array {
    ($name:ident, $val:expr, $max:expr) => {
        #[unsafe(link_section = "maps")]
        #[unsafe(no_mangle)]
        pub static $name: MapDef =
            MapDef { ty: 2, key: 4, val: $val, max: $max, flags: MMAPABLE, id: 0, pin: 0 };
    };
}
array!(CHUNKS, CHUNK, 1024);
array!(CTL, abi::CTL, 1024);
array!(PLANS, core::mem::size_of::<Plan>() as u32, abi::PLANS);
array!(SLOTS, 16, abi::SLOTS);
array!(SCOPE, abi::SCOPE, SCOPES);
array!(BOUNDS, abi::BOUNDS, 1);
array!(SHARED, abi::SHARES * 16, 1024);
array!(GROUPS, 8, abi::GROUPS);

#[unsafe(link_section = "license")]
#[unsafe(no_mangle)]
pub static LICENSE: [u8; 4] = *b"GPL\0";

// --- constants that the loader sets ---
macro_rules! constants {
    ($($name:ident),* $(,)?) => {
        $(#[unsafe(link_section = ".rodata")] #[unsafe(no_mangle)] pub static $name: u32 = 0;)*
    };
}
constants!(
    ABI, // checked by the loader, never read here
    CHUNK_MASK,
    SCOPED,
    HAVE_ENTRY,
    COMPAT_BIT,
    TASK_STATUS,
    TASK_FILES,
    TASK_FS,
    TASK_CRED,
    TASK_MM,
    TASK_PID,
    TASK_TGID,
    TASK_START,
    TASK_EXIT_CODE,
    TASK_SIGNAL,
    TASK_COMM,
    TASK_PARENT,
    TASK_LEADER,
    TASK_GROUPS, // 0: the kernel has no control groups
    SET_UNIFIED,
    GROUP_NODE,
    GROUP_ROOT,
    NODE_ID,
    ROOT_HIERARCHY,
    SIGNAL_LIVE,
    SIGNAL_GROUP_EXIT,
    FILES_FDT,
    FILES_COUNT,
    FDT_MAX,
    FDT_FD,
    FDT_EXEC,
    FILE_INODE,
    FILE_PATH,
    FILE_PRIVATE,
    FILE_LOW,  // the lower of path and inode
    FILE_NEAR, // both lie within 64 bytes from there
    PATH_MNT,
    PATH_DENTRY,
    INODE_MODE,
    INODE_INO,
    INODE_SB,
    INODE_NEAR, // these three lie within its first 80 bytes
    SB_DEV,
    DENTRY_PARENT,
    DENTRY_INODE,
    DENTRY_INLINE, // where short names are kept
    MOUNT_PARENT,
    MOUNT_POINT,
    MOUNT_MNT,
    MNT_ROOT,
    FS_ROOT,
    FS_PWD,
    MM_ARG_START,
    MM_ARG_END,
    MM_ENV_START,
    MM_ENV_END,
    MM_EXE,
    BPRM_FILENAME,
    BPRM_ENVC,
    CRED_UID,
    CRED_GID,
    CRED_EUID,
    CRED_EGID,
    CRED_USER_NS,
    USER_NS_LEVEL,
    SOCKET_SK,
    SK_FAMILY,
    SK_STATE,
    SK_DADDR,
    SK_SADDR,
    SK_DPORT,
    SK_NUM,
    SK_DADDR6,
    SK_SADDR6,
    SK_TYPE,
    SK_PROTOCOL,
    UNIX_ADDR,
    UNIX_PEER,
    UADDR_LEN,
    UADDR_NAME,
    SK_PEER_PID, // 0 for these: not known, as where a family is a module
    PID_NUMBERS,
    NETLINK_PORT,
    PACKET_IF,
    PACKET_NUM,
    VSOCK_LOCAL,
    VSOCK_REMOTE,
    REGS_A0,
    REGS_A1,
    REGS_A2,
    REGS_A3,
    REGS_A4,
    REGS_A5,
    REGS_IP, // 0: there are no tracepoints of page faults
    REGS_NR, // of its lower half: 4 bytes are all that aarch64 has
    REGS_C0,
    REGS_C1,
    REGS_C2,
    REGS_C3,
    REGS_C4,
    REGS_C5,
    URING_BY_CQE, // how results are handed over
    URING_OP,
    URING_FLAGS,
    URING_CQE,
    URING_CTX,
    URING_FILE,
    URING_OPEN_DIR,
    URING_OPEN_NAME,
    URING_OPEN_SLOT,
    URING_OPEN_HOW,
    URING_ACCEPT_FLAGS,
    URING_SOCKET_DOMAIN,
    URING_SOCKET_TYPE,
    URING_SOCKET_FLAGS,
    URING_CLOSE_FD,
    URING_CLOSE_SLOT,
    URING_ACCEPT_SLOT,
    URING_SOCKET_SLOT,
    URING_STATX_NAME,
    URING_RENAME_NAME,
    URING_UNLINK_NAME,
    URING_MKDIR_NAME,
    URING_RW_LEN,
    URING_MSG_LEN,
    NR_RT_SIGRETURN,
    BOUNDS_SET, // which bounds there may be: of others the verifier walks nothing
    ENV_BYTES,  // 0: environments are not asked for
    PAGE_SHIFT,
);
macro_rules! g {
    ($x:ident) => {
        core::ptr::read_volatile(&raw const $x)
    };
}
/// A load through a pointer that BTF types: no helper.
#[inline(always)]
pub unsafe fn ld<T: Copy>(p: *const u8, off: u32) -> T {
    unsafe { core::ptr::read_volatile(p.add(off as usize) as *const T) }
}
/// A load through a pointer that BTF does not type. Rare ways take it for typed pointers as well: where a typed load from
/// a task gives a pointer, newer verifiers look four names up among all types of the kernel, one after the other, which takes
/// milliseconds each time they come by (btf_nested_type_is_trusted in kernel/bpf/btf.c).
#[inline(always)]
pub unsafe fn rk<T: Copy>(p: u64, off: u32) -> T {
    let mut v = core::mem::MaybeUninit::<T>::zeroed();
    unsafe {
        read_kernel(v.as_mut_ptr() as *mut u8, core::mem::size_of::<T>() as u32, p + off as u64);
        v.assume_init()
    }
}
#[inline(always)]
pub unsafe fn look(map: *const MapDef, key: u32) -> *mut u8 {
    unsafe { map_lookup(map, &key) }
}
#[inline(always)]
pub unsafe fn st<T: Copy>(p: *mut u8, off: u32, v: T) {
    unsafe { core::ptr::write_volatile(p.add(off as usize) as *mut T, v) }
}

// A bound that the compiler can neither move nor drop, and that is the same for the verifier whatever path led here. The
// values are within it anyway: it changes none.
#[inline(always)]
pub fn bound_at(mut p: u64) -> u64 {
    unsafe { asm!("{p} &= 0x1ffff", p = inout(reg) p) };
    p
}
#[inline(always)]
pub fn bound_len(mut n: u64) -> u64 {
    unsafe { asm!("{n} &= 0x1fff", n = inout(reg) n) };
    n
}
/// At most [`MSG_CONTROL_MAX`].
#[inline(always)]
pub fn bound_control(mut n: u64) -> u64 {
    unsafe { asm!("{n} &= 0x7ff", n = inout(reg) n) };
    n
}
#[inline(always)]
pub fn bound_name(mut n: u64) -> u64 {
    unsafe { asm!("{n} &= 0xff", n = inout(reg) n) };
    n
}
/// Offset of an operation in a plan: 8 to 48, in steps of 8.
#[inline(always)]
pub fn bound_op(mut n: u64) -> u64 {
    unsafe { asm!("{n} &= 0x38", n = inout(reg) n) };
    n
}
