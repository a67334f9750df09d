//! The probe: what runs in the kernel.
//!
//! Enters: the kernel's tracepoints (sys_enter, sys_exit, sched_process_fork/exec/exit, task_rename), plans and scope set
//! by user space. Leaves: records in one ring per CPU, slots of calls in flight, counters. Never: names, formatting,
//! policy, waiting, waking.
//!
//! Order of work: reject (number, then process, then result), then the ring's room, then the clock (once), then memory.
//! Offsets of kernel structures are constants of frozen `.rodata` that the loader sets from the kernel's BTF; the
//! verifier sees them as numbers, so `*(task + OFF)` is a typed load.
//!
//! All of this file is `unsafe`: every pointer is the kernel's or a map's, and the verifier proves each access.
#![no_std]
#![feature(core_intrinsics, asm_experimental_arch)]
#![allow(internal_features, static_mut_refs, clippy::missing_safety_doc)]

#[allow(dead_code)]
mod abi;
use abi::*;
use core::arch::asm;

// --- helpers: a call to a constant address, which is the helper's number ---
macro_rules! helper {
    ($n:literal fn $f:ident($($a:ident: $t:ty),*) -> $r:ty) => {
        #[inline(always)]
        unsafe fn $f($($a: $t),*) -> $r {
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
        pub static $name: MapDef = MapDef { ty: 2, key: 4, val: $val, max: $max, flags: MMAPABLE, id: 0, pin: 0 };
    };
}
array!(CHUNKS, CHUNK, 1024);
array!(CTL, abi::CTL, 1024);
array!(PLANS, core::mem::size_of::<Plan>() as u32, abi::PLANS);
array!(SLOTS, 16, abi::SLOTS);
array!(SCOPE, SPAN, SCOPES);

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
    CHUNK_MASK, SCOPED, HAVE_ENTRY, COMPAT_BIT,
    TASK_STATUS, TASK_FILES, TASK_FS, TASK_CRED, TASK_MM, TASK_PID, TASK_TGID, TASK_START, TASK_EXIT_CODE,
    TASK_SIGNAL, TASK_COMM, SIGNAL_LIVE, SIGNAL_GROUP_EXIT, FILES_FDT, FDT_MAX, FDT_FD, FILE_INODE, FILE_PATH,
    FILE_PRIVATE, PATH_MNT, PATH_DENTRY, INODE_MODE, INODE_INO, INODE_SB, SB_DEV, DENTRY_PARENT, DENTRY_NAME,
    DENTRY_INODE, MOUNT_PARENT, MOUNT_POINT, MOUNT_MNT, MNT_ROOT, FS_ROOT, FS_PWD, MM_ARG_START, MM_ARG_END, MM_EXE,
    BPRM_FILENAME, CRED_UID, CRED_GID, CRED_EUID, CRED_EGID, SOCKET_SK, SK_FAMILY, SK_STATE, SK_DADDR, SK_SADDR,
    SK_DPORT, SK_NUM, SK_DADDR6, SK_SADDR6, SK_TYPE, SK_PROTOCOL, UNIX_ADDR, UNIX_PEER, UADDR_LEN, UADDR_NAME,
    REGS_A0, REGS_A1, REGS_A2, REGS_A3, REGS_A4, REGS_A5, REGS_NR, REGS_C0, REGS_C1, REGS_C2, REGS_C3, REGS_C4,
    REGS_C5, NR_RT_SIGRETURN,
);
macro_rules! g {
    ($x:ident) => {
        core::ptr::read_volatile(&raw const $x)
    };
}
/// A load through a pointer that BTF types: no helper.
#[inline(always)]
unsafe fn ld<T: Copy>(p: *const u8, off: u32) -> T {
    unsafe { core::ptr::read_volatile(p.add(off as usize) as *const T) }
}
/// A load through a pointer that BTF does not type.
#[inline(always)]
unsafe fn rk<T: Copy>(p: u64, off: u32) -> T {
    let mut v = core::mem::MaybeUninit::<T>::zeroed();
    unsafe {
        read_kernel(v.as_mut_ptr() as *mut u8, core::mem::size_of::<T>() as u32, p + off as u64);
        v.assume_init()
    }
}
#[inline(always)]
unsafe fn look(map: *const MapDef, key: u32) -> *mut u8 {
    unsafe { map_lookup(map, &key) }
}
#[inline(always)]
unsafe fn st<T: Copy>(p: *mut u8, off: u32, v: T) {
    unsafe { core::ptr::write_volatile(p.add(off as usize) as *mut T, v) }
}

// A bound that the compiler can neither move nor drop, and that is the same for the verifier whatever path led here. The
// values are within it anyway: it changes none.
#[inline(always)]
fn bound_at(mut p: u64) -> u64 {
    unsafe { asm!("{p} &= 0xffff", p = inout(reg) p) };
    p
}
#[inline(always)]
fn bound_len(mut n: u64) -> u64 {
    unsafe { asm!("{n} &= 0xfff", n = inout(reg) n) };
    n
}
#[inline(always)]
fn bound_name(mut n: u64) -> u64 {
    unsafe { asm!("{n} &= 0xff", n = inout(reg) n) };
    n
}

// --- scope ---
#[inline(always)]
unsafe fn scope_of(pid: u32) -> *mut u8 {
    unsafe {
        let c = look(&SCOPE, (pid >> 16) & (SCOPES - 1));
        if c.is_null() { c } else { c.add((pid & 0xffff) as usize) }
    }
}
#[inline(always)]
unsafe fn in_scope(pid: u32) -> bool {
    unsafe {
        let s = scope_of(pid);
        if s.is_null() {
            return false;
        }
        let v = core::ptr::read_volatile(s);
        if g!(SCOPED) != 0 { v == SCOPE_IN } else { v != SCOPE_OUT }
    }
}

// --- the ring ---
/// A record being written: the chunk, the record's offset, and the offset of what comes next.
struct Rec {
    c: *mut u8,
    ctl: *mut u8,
    head: u64,
    off: u64,
    p: u64,
    time: u64,
    seq: u32,
}

/// Reserves room for at most `max` bytes on this CPU; `None` if the record is dropped (and counted).
#[inline(always)]
unsafe fn begin(max: u32) -> Option<Rec> {
    unsafe {
        let cpu = cpu_id();
        let ctl = look(&CTL, cpu);
        if ctl.is_null() {
            return None;
        }
        // An interrupt inside a record would write into the same place: the second one is counted and dropped.
        if core::intrinsics::atomic_xchg::<u64, { core::intrinsics::AtomicOrdering::SeqCst }>(
            ctl.add(8) as *mut u64,
            1,
        ) != 0
        {
            let n: u64 = ld(ctl, 32);
            st(ctl, 32, n + 1);
            return None;
        }
        let seq: u64 = ld(ctl, 16);
        st(ctl, 16, seq + 1);
        let mut head: u64 = ld(ctl, 0);
        let tail: u64 = ld(ctl, TAIL as u32);
        let mask = g!(CHUNK_MASK);
        let hop = (head & 0xffff) + max as u64 > SPAN as u64;
        let next = if hop { (head & !0xffff) + SPAN as u64 } else { head };
        // Full if the chunk we would write is one the reader has not left.
        if (next >> 16) - (tail >> 16) > mask as u64 {
            let n: u64 = ld(ctl, 24);
            st(ctl, 24, n + 1);
            st(ctl, 8, 0u64);
            return None;
        }
        let time = boot_ns();
        if hop {
            let c = look(&CHUNKS, cpu * (mask + 1) + ((head >> 16) as u32 & mask));
            if !c.is_null() {
                let p = bound_at(head & 0xffff);
                st(c.add(p as usize), 0, HOP);
            }
            head = next;
        }
        let c = look(&CHUNKS, cpu * (mask + 1) + ((head >> 16) as u32 & mask));
        if c.is_null() {
            st(ctl, 8, 0u64);
            return None;
        }
        let off = bound_at(head & 0xffff);
        Some(Rec { c, ctl, head, off, p: off + HEAD as u64, time, seq: seq as u32 })
    }
}

impl Rec {
    #[inline(always)]
    unsafe fn head(&self, code: u16, flags: u16, counts: u16, tid: u32, pid: u32, fact: u32, latency: u64, ret: i64) {
        unsafe {
            let r = self.c.add(self.off as usize);
            let len = ((self.p - self.off + 7) & !7) as u16;
            st(r, 0, len as u64 | (code as u64) << 16 | (flags as u64) << 32 | (counts as u64) << 48);
            st(r, 8, self.time);
            st(r, 16, self.seq as u64 | (tid as u64) << 32);
            st(r, 24, pid as u64 | (fact as u64) << 32);
            st(r, 32, latency);
            st(r, 40, ret);
        }
    }
    #[inline(always)]
    unsafe fn publish(&self) {
        unsafe {
            let len = (self.p - self.off + 7) & !7;
            core::intrinsics::atomic_xchg::<u64, { core::intrinsics::AtomicOrdering::SeqCst }>(
                self.ctl as *mut u64,
                self.head + len,
            );
            st(self.ctl, 8, 0u64);
        }
    }
    /// The place of what comes next; at least [`ITEM_MAX`] + 8 bytes of the chunk lie behind it.
    #[inline(always)]
    unsafe fn here(&mut self) -> *mut u8 {
        self.p = bound_at(self.p);
        unsafe { self.c.add(self.p as usize) }
    }
    /// A number that the verifier knows nothing about, by way of memory that it does not follow. At the head of a loop it
    /// makes all paths look alike: without it every combination of branches would be walked on its own.
    #[inline(always)]
    unsafe fn forget(&self, v: u64) -> u64 {
        unsafe {
            st(self.ctl, SCRATCH, v);
            ld(self.ctl, SCRATCH)
        }
    }
    #[inline(always)]
    unsafe fn forget_place(&mut self) {
        self.p = unsafe { self.forget(self.p) };
    }
    #[inline(always)]
    unsafe fn word(&mut self, v: u64) {
        unsafe { st(self.here(), 0, v) };
        self.p += 8;
    }
    /// Writes the head of an item at `at` whose bytes end at the current place.
    #[inline(always)]
    unsafe fn item(&mut self, at: u64, status: u32) {
        let n = self.p - at - 8;
        let at = bound_at(at);
        unsafe { st(self.c.add(at as usize), 0, n as u64 | (status as u64) << 32) };
        self.p = (self.p + 7) & !7;
    }
    #[inline(always)]
    unsafe fn no_item(&mut self, status: u32) {
        unsafe { self.word((status as u64) << 32) };
    }
    /// A string from user memory as an item.
    #[inline(always)]
    unsafe fn user_str(&mut self, src: u64, max: u64) {
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
    /// `want` bytes of user memory as an item, at most `max`.
    #[inline(always)]
    unsafe fn user_bytes(&mut self, src: u64, want: u64, max: u64) {
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
    unsafe fn user_iovec(&mut self, iov: u64, count: u64, want: u64, max: u64) -> u32 {
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

/// Copies what one operation asks for.
#[inline(always)]
unsafe fn copy(r: &mut Rec, op: &Op, ret: i64) {
    unsafe {
        r.forget_place();
        let arg = |r: &Rec, n: u8| -> u64 {
            let at = bound_at(r.off + HEAD as u64 + (n as u64 & 7) * 8);
            ld(r.c.add(at as usize), 0)
        };
        let src = arg(r, op.arg);
        let max = op.max as u64;
        if src == 0 || (op.only_ok != 0 && ret < 0) || op.code == OP_NOTHING {
            return r.no_item(ITEM_ABSENT);
        }
        if op.code == OP_STR {
            return r.user_str(src, max);
        }
        if op.code == OP_STRINGS {
            let at = r.p;
            r.here();
            r.p += 8;
            let mut status = ITEM_CUT;
            let mut i = 0u64;
            while i < 24 {
                r.forget_place();
                let mut s = 0u64;
                if read_user(&mut s as *mut u64 as *mut u8, 8, src + i * 8) < 0 {
                    status = ITEM_UNREADABLE;
                    break;
                }
                if s == 0 {
                    status = ITEM_OK;
                    break;
                }
                let used = r.p - at;
                if used >= max {
                    break;
                }
                let n = read_user_str(r.here(), 128, s);
                if n < 0 {
                    status = ITEM_UNREADABLE;
                    break;
                }
                r.p += n as u64;
                i += 1;
            }
            return r.item(at, status);
        }
        let count = if op.len == LEN_RET {
            if ret < 0 { 0 } else { ret as u64 }
        } else if op.len == LEN_FIXED {
            1
        } else if op.len & LEN_AT != 0 {
            let mut n = 0u32;
            if read_user(&mut n as *mut u32 as *mut u8, 4, arg(r, op.len)) < 0 {
                return r.no_item(ITEM_UNREADABLE);
            }
            n as u64
        } else {
            arg(r, op.len)
        };
        // `count` may be anything: cap before multiplying.
        let count = r.forget(count);
        let count = if count > 0xffff_ffff { 0xffff_ffff } else { count };
        if op.code == OP_BYTES {
            return r.user_bytes(src, count * op.unit as u64, max);
        }
        let at = r.p;
        r.here();
        r.p += 8;
        // What was really sent or received is the result; a failed call has the whole.
        let mut want = if ret >= 0 { ret as u64 } else { 1 << 30 };
        let (mut iov, mut count) = (src, count);
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

// --- facts ---
/// Walks from a dentry to the root of the process, across mounts, writing each name; then the fact before them.
#[inline(always)]
unsafe fn walk(r: &mut Rec, at: u64, mnt: u64, dentry: u64, root_mnt: u64, root: u64, inode: u64) {
    unsafe {
        let start = r.p;
        let (mut mnt, mut dentry) = (mnt, dentry);
        let mut status = PATH_DEEP;
        let mut i = 0;
        while i < WALK {
            r.forget_place();
            (mnt, dentry) = (r.forget(mnt), r.forget(dentry));
            if dentry == root && mnt == root_mnt {
                status = PATH_OK;
                break;
            }
            if r.p - start > (PATH_BYTES - NAME_MAX) as u64 {
                break;
            }
            let mnt_root: u64 = rk(mnt, g!(MNT_ROOT));
            if dentry == mnt_root {
                let m = mnt - g!(MOUNT_MNT) as u64;
                let parent: u64 = rk(m, g!(MOUNT_PARENT));
                if parent == m || parent == 0 {
                    status = PATH_FOREIGN;
                    break;
                }
                dentry = rk(m, g!(MOUNT_POINT));
                mnt = parent + g!(MOUNT_MNT) as u64;
            } else {
                // d_parent and d_name {hash and length, pointer} lie side by side: one read.
                let d: [u64; 3] = rk(dentry, g!(DENTRY_PARENT));
                if d[0] == dentry || d[0] == 0 {
                    status = PATH_FOREIGN;
                    break;
                }
                let dst = r.here();
                let n = read_kernel_str(dst, NAME_MAX, d[2]);
                if n <= 0 {
                    status = PATH_GONE;
                    break;
                }
                r.p += n as u64;
                dentry = d[0];
            }
            i += 1;
        }
        let (mut ino, mut dev, mut mode) = (0u64, 0u32, 0u16);
        if inode != 0 {
            ino = rk(inode, g!(INODE_INO));
            mode = rk(inode, g!(INODE_MODE));
            let sb: u64 = rk(inode, g!(INODE_SB));
            dev = rk(sb, g!(SB_DEV));
        }
        let len = r.p - start;
        path_fact(r, at, ino, dev, mode as u32, len, status);
        r.p = (r.p + 7) & !7;
    }
}
#[inline(always)]
unsafe fn path_fact(r: &mut Rec, at: u64, ino: u64, dev: u32, mode: u32, len: u64, status: u32) {
    unsafe {
        let a = r.c.add(bound_at(at) as usize);
        st(a, 0, ino);
        st(a, 8, dev as u64 | (mode as u64) << 32);
        st(a, 16, len | (status as u64) << 32);
    }
}
/// The `struct file` of a descriptor of the current task; 0 if there is none.
#[inline(always)]
unsafe fn file_of(task: *const u8, fd: i64) -> u64 {
    unsafe {
        let files: *const u8 = ld(task, g!(TASK_FILES));
        if files.is_null() {
            return 0;
        }
        let fdt: *const u8 = ld(files, g!(FILES_FDT));
        let max: u32 = ld(fdt, g!(FDT_MAX));
        if fd < 0 || fd >= max as i64 {
            return 0;
        }
        let table: u64 = ld(fdt, g!(FDT_FD));
        rk(table + fd as u64 * 8, 0)
    }
}
#[inline(always)]
unsafe fn root_of(task: *const u8) -> (u64, u64) {
    unsafe {
        let fs: *const u8 = ld(task, g!(TASK_FS));
        if fs.is_null() {
            return (0, 0);
        }
        (ld(fs, g!(FS_ROOT) + g!(PATH_MNT)), ld(fs, g!(FS_ROOT) + g!(PATH_DENTRY)))
    }
}
#[inline(always)]
unsafe fn file_path(r: &mut Rec, task: *const u8, file: u64) {
    unsafe {
        let at = r.p;
        r.here();
        r.p += PATH_FACT as u64;
        if file == 0 {
            return path_fact(r, at, 0, 0, 0, 0, PATH_GONE);
        }
        let (root_mnt, root) = root_of(task);
        let mnt: u64 = rk(file, g!(FILE_PATH) + g!(PATH_MNT));
        let dentry: u64 = rk(file, g!(FILE_PATH) + g!(PATH_DENTRY));
        let inode: u64 = rk(file, g!(FILE_INODE));
        walk(r, at, mnt, dentry, root_mnt, root, inode);
    }
}
#[inline(always)]
unsafe fn cwd(r: &mut Rec, task: *const u8) {
    unsafe {
        let at = r.p;
        r.here();
        r.p += PATH_FACT as u64;
        let (root_mnt, root) = root_of(task);
        let fs: *const u8 = ld(task, g!(TASK_FS));
        if fs.is_null() {
            return path_fact(r, at, 0, 0, 0, 0, PATH_GONE);
        }
        let mnt: u64 = ld(fs, g!(FS_PWD) + g!(PATH_MNT));
        let dentry: u64 = ld(fs, g!(FS_PWD) + g!(PATH_DENTRY));
        let inode: u64 = rk(dentry, g!(DENTRY_INODE));
        walk(r, at, mnt, dentry, root_mnt, root, inode);
    }
}
#[inline(always)]
unsafe fn unix_name(r: &mut Rec, sk: u64, slot: u64) -> u32 {
    unsafe {
        let addr: u64 = rk(sk, g!(UNIX_ADDR));
        if addr == 0 {
            return 0;
        }
        // len counts sun_family's two bytes.
        let len: u32 = rk(addr, g!(UADDR_LEN));
        if len <= 2 {
            return 0;
        }
        let n = if len - 2 > 108 { 108 } else { len - 2 };
        let dst = r.c.add(bound_at(slot) as usize);
        let n = bound_name(n as u64);
        if read_kernel(dst, n as u32, addr + g!(UADDR_NAME) as u64 + 2) < 0 { 0 } else { n as u32 }
    }
}
#[inline(always)]
unsafe fn sock(r: &mut Rec, task: *const u8, fd: i64) {
    unsafe {
        let at = bound_at(r.p);
        r.p = at + SOCK_FACT as u64;
        let a = r.c.add(at as usize);
        let mut i = 0;
        while i < SOCK_FACT / 8 {
            st(a, i * 8, 0u64);
            i += 1;
        }
        let file = file_of(task, fd);
        if file == 0 {
            return;
        }
        let inode: u64 = rk(file, g!(FILE_INODE));
        let mode: u16 = rk(inode, g!(INODE_MODE));
        if mode & 0o170000 != 0o140000 {
            return;
        }
        let ino: u64 = rk(inode, g!(INODE_INO));
        let socket: u64 = rk(file, g!(FILE_PRIVATE));
        let sk: u64 = rk(socket, g!(SOCKET_SK));
        let family: u16 = rk(sk, g!(SK_FAMILY));
        let ty: u16 = rk(sk, g!(SK_TYPE));
        let protocol: u16 = rk(sk, g!(SK_PROTOCOL));
        let lport: u16 = rk(sk, g!(SK_NUM));
        let rport: u16 = rk(sk, g!(SK_DPORT));
        let state: u8 = rk(sk, g!(SK_STATE));
        st(a, 0, ino);
        st(a, 8, family as u64 | (ty as u64) << 16 | (protocol as u64) << 32 | (lport as u64) << 48);
        st(a, 16, rport.swap_bytes() as u64 | (state as u64) << 16 | 1 << 32);
        if family == 2 {
            let (l, d): (u32, u32) = (rk(sk, g!(SK_SADDR)), rk(sk, g!(SK_DADDR)));
            st(a, 24, l as u64);
            st(a, 40, d as u64);
        } else if family == 10 {
            let (l, d): ([u64; 2], [u64; 2]) = (rk(sk, g!(SK_SADDR6)), rk(sk, g!(SK_DADDR6)));
            st(a, 24, l[0]);
            st(a, 32, l[1]);
            st(a, 40, d[0]);
            st(a, 48, d[1]);
        } else if family == 1 {
            let own = unix_name(r, sk, at + 64);
            let peer: u64 = rk(sk, g!(UNIX_PEER));
            let other = if peer != 0 { unix_name(r, peer, at + 176) } else { 0 };
            let a = r.c.add(bound_at(at) as usize);
            // The ports of a unix socket mean nothing.
            st(a, 14, 0u16);
            st(a, 16, 0u16);
            st(a, 56, own as u64 | (other as u64) << 32);
        }
    }
}
/// The inode of a new pipe: both ends have it, and with it other processes' ends are told to be the same pipe's.
#[inline(always)]
unsafe fn pipe(r: &mut Rec, task: *const u8, pair: u64) {
    unsafe {
        let at = r.p;
        r.here();
        r.p += PATH_FACT as u64;
        let mut fd = 0u32;
        let file = if read_user(&mut fd as *mut u32 as *mut u8, 4, pair) < 0 { 0 } else { file_of(task, fd as i64) };
        if file == 0 {
            return path_fact(r, at, 0, 0, 0, 0, PATH_GONE);
        }
        let inode: u64 = rk(file, g!(FILE_INODE));
        let mode: u16 = rk(inode, g!(INODE_MODE));
        path_fact(r, at, rk(inode, g!(INODE_INO)), 0, mode as u32, 0, PATH_FOREIGN);
    }
}
#[inline(always)]
unsafe fn creds(r: &mut Rec, task: *const u8) {
    unsafe {
        let cred: *const u8 = ld(task, g!(TASK_CRED));
        let (uid, gid): (u32, u32) = (ld(cred, g!(CRED_UID)), ld(cred, g!(CRED_GID)));
        let (euid, egid): (u32, u32) = (ld(cred, g!(CRED_EUID)), ld(cred, g!(CRED_EGID)));
        r.word(uid as u64 | (gid as u64) << 32);
        r.word(euid as u64 | (egid as u64) << 32);
    }
}

// --- system calls ---
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
        if plan.is_null() || ld::<u8>(plan, 0) == 0 {
            return 0;
        }
        let id = pid_tgid();
        if !in_scope((id >> 32) as u32) {
            return 0;
        }
        let tid = id as u32;
        let s = look(&SLOTS, slot(tid));
        if !s.is_null() {
            st(s, 4, nr as u32);
            st(s, 8, boot_ns());
            // Last: a reader that sees the tid sees the rest (it looks twice).
            st(s, 0, tid);
        }
        0
    }
}

#[unsafe(link_section = "tp_btf/sys_exit")]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sys_exit(ctx: *const u64) -> i32 {
    unsafe {
        let regs: *const u8 = ld(ctx as *const u8, 0);
        let ret: i64 = ld(ctx as *const u8, 8);
        let mut nr = ld::<u64>(regs, g!(REGS_NR)) as u32;
        let id = pid_tgid();
        let (pid, tid) = ((id >> 32) as u32, id as u32);
        let mut slot_time = 0u64;
        let mut flags = 0u16;
        if nr == u32::MAX {
            // rt_sigreturn has restored the registers of what it interrupted.
            nr = g!(NR_RT_SIGRETURN);
        }
        let task = task_btf();
        let compat = is_compat(task);
        let plan = look(&PLANS, if compat || nr >= PLAN_EXIT { PLAN_COMPAT } else { nr });
        if plan.is_null() {
            return 0;
        }
        let want: u8 = ld(plan, 0);
        if want == 0 || !in_scope(pid) {
            return 0;
        }
        let full = want & WANT_FULL != 0;
        if !full && ret < 0 && want & WANT_FAILED == 0 {
            return 0;
        }
        let max: u16 = if full { ld(plan, 4) } else { ld(plan, 6) };
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
        let Some(mut r) = begin(max as u32) else { return 0 };
        let latency = if slot_time != 0 { r.time - slot_time } else { u64::MAX };
        // All six words at fixed offsets; what the call does not have is overwritten by the items.
        let a = r.c.add(r.off as usize);
        if compat {
            flags |= F_COMPAT;
            st(a, HEAD, ld::<u64>(regs, g!(REGS_C0)));
            st(a, HEAD + 8, ld::<u64>(regs, g!(REGS_C1)));
            st(a, HEAD + 16, ld::<u64>(regs, g!(REGS_C2)));
            st(a, HEAD + 24, ld::<u64>(regs, g!(REGS_C3)));
            st(a, HEAD + 32, ld::<u64>(regs, g!(REGS_C4)));
            st(a, HEAD + 40, ld::<u64>(regs, g!(REGS_C5)));
        } else {
            st(a, HEAD, ld::<u64>(regs, g!(REGS_A0)));
            st(a, HEAD + 8, ld::<u64>(regs, g!(REGS_A1)));
            st(a, HEAD + 16, ld::<u64>(regs, g!(REGS_A2)));
            st(a, HEAD + 24, ld::<u64>(regs, g!(REGS_A3)));
            st(a, HEAD + 32, ld::<u64>(regs, g!(REGS_A4)));
            st(a, HEAD + 40, ld::<u64>(regs, g!(REGS_A5)));
        }
        // What led here must not multiply what follows: from now on these are numbers like any others.
        let mut flags = r.forget(flags as u64) as u16;
        let nr = r.forget(nr as u64) as u32;
        let ret = r.forget(ret as u64) as i64;
        let latency = r.forget(latency);
        let compat = flags & F_COMPAT != 0;
        let full = ld::<u8>(plan, 0) & WANT_FULL != 0;
        let words: u8 = ld(plan, 1);
        let fd0: i64 = ld::<i32>(a, HEAD) as i64;
        let arg0: u64 = ld(a, HEAD);
        let ops: u8 = if full { ld(plan, 2) } else { 0 };
        let fact: u8 = ld(plan, 3);
        if ops != 0 {
            // Items must not overwrite the words that later operations need: keep all six until then.
            r.p += 48;
            let mut i = 0u32;
            while i < OPS as u32 {
                if i >= ops as u32 {
                    break;
                }
                let o = plan.add((8 + i * 8) as usize);
                let op = Op {
                    code: ld(o, 0),
                    arg: ld(o, 1),
                    len: ld(o, 2),
                    only_ok: ld(o, 3),
                    max: ld(o, 4),
                    unit: ld(o, 6),
                };
                copy(&mut r, &op, ret);
                i += 1;
            }
        } else {
            r.p += (words as u64 & 7) * 8;
        }
        r.forget_place();
        let mut told = FACT_NONE;
        if fact != FACT_NONE && (ret >= 0 || want & WANT_FAILED != 0 && fact == FACT_SOCK) && !compat {
            told = fact;
            if fact == FACT_OPENED {
                let file = file_of(task, ret);
                file_path(&mut r, task, file);
            } else if fact == FACT_CWD {
                cwd(&mut r, task);
            } else if fact == FACT_SOCK {
                sock(&mut r, task, fd0);
            } else if fact == FACT_ACCEPTED {
                sock(&mut r, task, ret);
            } else if fact == FACT_CREDS {
                creds(&mut r, task);
            } else if fact == FACT_PIPE {
                pipe(&mut r, task, arg0);
            }
        }
        if !full {
            flags |= F_STATE;
            let n: u64 = ld(r.ctl, 40);
            st(r.ctl, 40, n + 1);
        }
        if flags & F_COLLISION != 0 {
            let n: u64 = ld(r.ctl, 48);
            st(r.ctl, 48, n + 1);
        }
        let words = if ops != 0 { 6 } else { words };
        r.head(nr as u16, flags, words as u16 | (ops as u16) << 8, tid, pid, told as u32, latency, ret);
        r.publish();
        0
    }
}

// --- process life ---
#[unsafe(link_section = "tp_btf/sched_process_fork")]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sched_process_fork(ctx: *const u64) -> i32 {
    unsafe {
        let parent: *const u8 = ld(ctx as *const u8, 0);
        let child: *const u8 = ld(ctx as *const u8, 8);
        let (ptid, ppid): (u32, u32) = (ld(parent, g!(TASK_PID)), ld(parent, g!(TASK_TGID)));
        let (tid, pid): (u32, u32) = (ld(child, g!(TASK_PID)), ld(child, g!(TASK_TGID)));
        let from = scope_of(ppid);
        let to = scope_of(pid);
        if from.is_null() || to.is_null() {
            return 0;
        }
        let mut v = core::ptr::read_volatile(from);
        if tid == pid {
            // 0 too: a pid that is used again starts clean. What waits for its own exec does not hand that on.
            if v == SCOPE_AT_EXEC {
                v = SCOPE_NONE;
            }
            core::ptr::write_volatile(to, v);
        }
        if !in_scope(ppid) {
            return 0;
        }
        let Some(mut r) = begin(HEAD + FORK) else { return 0 };
        r.word(tid as u64 | (pid as u64) << 32);
        r.word(ld(child, g!(TASK_START)));
        let (f0, f1): (u64, u64) = (ld(parent, g!(TASK_FILES)), ld(child, g!(TASK_FILES)));
        let (s0, s1): (u64, u64) = (ld(parent, g!(TASK_FS)), ld(child, g!(TASK_FS)));
        let mut shares = 0u32;
        if f0 == f1 {
            shares |= FORK_FILES;
        }
        if s0 == s1 {
            shares |= FORK_FS;
        }
        r.word(shares as u64);
        let n: u64 = ld(r.ctl, 40);
        st(r.ctl, 40, n + 1);
        r.head(REC_FORK, F_STATE, 0, ptid, ppid, 0, u64::MAX, 0);
        r.publish();
        0
    }
}

#[unsafe(link_section = "tp_btf/sched_process_exec")]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sched_process_exec(ctx: *const u64) -> i32 {
    unsafe {
        let task: *const u8 = ld(ctx as *const u8, 0);
        let old: u32 = ld(ctx as *const u8, 8);
        let bprm: *const u8 = ld(ctx as *const u8, 16);
        let (tid, pid): (u32, u32) = (ld(task, g!(TASK_PID)), ld(task, g!(TASK_TGID)));
        if old != tid {
            // An exec by a thread that is not the leader: it takes the leader's id, and its call's slot goes along.
            let from = look(&SLOTS, slot(old));
            let to = look(&SLOTS, slot(tid));
            if !from.is_null() && !to.is_null() && ld::<u32>(from, 0) == old {
                st(to, 4, ld::<u32>(from, 4));
                st(to, 8, ld::<u64>(from, 8));
                st(to, 0, tid);
                st(from, 0, 0u32);
            }
        }
        let s = scope_of(pid);
        if s.is_null() {
            return 0;
        }
        if core::ptr::read_volatile(s) == SCOPE_AT_EXEC {
            core::ptr::write_volatile(s, SCOPE_IN);
        }
        if !in_scope(pid) {
            return 0;
        }
        let Some(mut r) = begin(HEAD + EXEC + PATH_FACT + PATH_BYTES + 2 * (8 + ITEM_MAX) + 24) else { return 0 };
        creds(&mut r, task);
        r.word(old as u64);
        let mm: *const u8 = ld(task, g!(TASK_MM));
        let exe: u64 = if mm.is_null() { 0 } else { ld(mm, g!(MM_EXE)) };
        file_path(&mut r, task, exe);
        // The path as it was given.
        let name: u64 = ld(bprm, g!(BPRM_FILENAME));
        let at = r.p;
        let dst = r.here().add(8);
        let n = read_kernel_str(dst, ITEM_MAX, name);
        if n <= 0 {
            r.no_item(ITEM_UNREADABLE);
        } else {
            r.p += 8 + n as u64 - 1;
            r.item(at, ITEM_OK);
        }
        // The arguments: the kernel has just written them to the new stack, so the pages are there.
        if mm.is_null() {
            r.no_item(ITEM_ABSENT);
        } else {
            let (start, end): (u64, u64) = (ld(mm, g!(MM_ARG_START)), ld(mm, g!(MM_ARG_END)));
            r.user_bytes(start, end - start, ITEM_MAX as u64);
        }
        let at = r.p;
        let dst = r.here().add(8);
        let n = read_kernel_str(dst, 16, task as u64 + g!(TASK_COMM) as u64);
        if n <= 0 {
            r.no_item(ITEM_UNREADABLE);
        } else {
            r.p += 8 + n as u64 - 1;
            r.item(at, ITEM_OK);
        }
        let n: u64 = ld(r.ctl, 40);
        st(r.ctl, 40, n + 1);
        r.head(REC_EXEC, F_STATE, 0, tid, pid, 0, u64::MAX, 0);
        r.publish();
        0
    }
}

#[unsafe(link_section = "tp_btf/sched_process_exit")]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sched_process_exit(ctx: *const u64) -> i32 {
    unsafe {
        let task: *const u8 = ld(ctx as *const u8, 0);
        let (tid, pid): (u32, u32) = (ld(task, g!(TASK_PID)), ld(task, g!(TASK_TGID)));
        let mut time = 0u64;
        let s = look(&SLOTS, slot(tid));
        if !s.is_null() && ld::<u32>(s, 0) == tid {
            time = ld(s, 8);
            st(s, 0, 0u32);
        }
        if !in_scope(pid) {
            return 0;
        }
        let code: u32 = ld(task, g!(TASK_EXIT_CODE));
        let signal: *const u8 = ld(task, g!(TASK_SIGNAL));
        let live: u32 = ld(signal, g!(SIGNAL_LIVE));
        let group: u32 = ld(signal, g!(SIGNAL_GROUP_EXIT));
        let regs = task_regs(task_btf());
        let nr = ld::<u64>(regs, g!(REGS_NR)) as u32;
        let Some(mut r) = begin(HEAD + EXIT) else { return 0 };
        r.word(code as u64 | (group as u64) << 32);
        r.word((live == 0) as u64 | (nr as u64) << 32);
        let latency = if time != 0 { r.time - time } else { u64::MAX };
        r.head(REC_EXIT, 0, 0, tid, pid, 0, latency, 0);
        r.publish();
        0
    }
}

#[unsafe(link_section = "tp_btf/task_rename")]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn task_rename(ctx: *const u64) -> i32 {
    unsafe {
        let task: *const u8 = ld(ctx as *const u8, 0);
        let name: u64 = ld(ctx as *const u8, 8);
        let (tid, pid): (u32, u32) = (ld(task, g!(TASK_PID)), ld(task, g!(TASK_TGID)));
        if !in_scope(pid) {
            return 0;
        }
        let Some(mut r) = begin(HEAD + 32) else { return 0 };
        let at = r.p;
        let dst = r.here().add(8);
        let n = read_kernel_str(dst, 16, name);
        if n <= 0 {
            r.no_item(ITEM_UNREADABLE);
        } else {
            r.p += 8 + n as u64 - 1;
            r.item(at, ITEM_OK);
        }
        let n: u64 = ld(r.ctl, 40);
        st(r.ctl, 40, n + 1);
        r.head(REC_RENAME, F_STATE, 0, tid, pid, 0, u64::MAX, 0);
        r.publish();
        0
    }
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}
