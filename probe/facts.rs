//! Facts: what the kernel holds as the outcome of a call.
//!
//! Enters: the current task. Leaves: a path walked to the root of the process, a socket's addresses, credentials, at the end
//! of the record. Never: a guess; what cannot be found is said to be gone.
//!
//! Loads are typed by BTF as far as it follows single pointers (task, files, fdtable, fs, cred); from an element of
//! `struct file **` onward they are probe reads, which 6.1 and 6.12 insist on.

use crate::abi::*;
use crate::kernel::*;
use crate::ring::Rec;
use crate::step::{PATH, STATUS, ends};

/// Where a walk stands: words of the control page.
mod at {
    use crate::abi::SCRATCH;
    pub const MNT: u32 = SCRATCH + 160;
    pub const DENTRY: u32 = SCRATCH + 168;
    /// The root of the mount that it is in.
    pub const TOP: u32 = SCRATCH + 176;
    pub const ROOT_MNT: u32 = SCRATCH + 184;
    pub const ROOT: u32 = SCRATCH + 192;
    /// Beyond this place no name begins.
    pub const LAST: u32 = SCRATCH + 208;
    /// Where the first name begins.
    pub const BEGIN: u32 = SCRATCH + 224;
}
/// What a number means: see `F_SLOT`.
pub const SLOT_NOW: u32 = SCRATCH + 232;

/// One step of a walk: a name, or a mount crossed. True at its end.
#[inline(always)]
pub unsafe fn step_of_path(r: &mut Rec) -> bool {
    unsafe {
        let (mnt, dentry) = (r.get(at::MNT), r.get(at::DENTRY));
        if dentry == r.get(at::ROOT) && mnt == r.get(at::ROOT_MNT) {
            return ends(r, PATH_OK);
        }
        if r.p > r.get(at::LAST) {
            return true;
        }
        if dentry == r.get(at::TOP) {
            let m = mnt - g!(MOUNT_MNT) as u64;
            let parent: u64 = rk(m, g!(MOUNT_PARENT));
            if parent == m || parent == 0 {
                return ends(r, PATH_FOREIGN);
            }
            let mnt = parent + g!(MOUNT_MNT) as u64;
            r.set(at::DENTRY, rk(m, g!(MOUNT_POINT)));
            r.set(at::MNT, mnt);
            r.set(at::TOP, rk(mnt, g!(MNT_ROOT)));
            return false;
        }
        // d_parent, d_name {hash, length, pointer}, d_inode, and names of less than 40 bytes lie side by side: one read.
        let d = r.near(72, dentry + g!(DENTRY_PARENT) as u64);
        let parent: u64 = ld(d, 0);
        // What is a root itself has its name there: anonymous files.
        if (parent == dentry || parent == 0) && r.get(at::BEGIN) != r.p {
            return ends(r, PATH_FOREIGN);
        }
        if parent == dentry {
            r.set(at::LAST, 0);
            r.set(STATUS, PATH_FOREIGN as u64);
        }
        r.set(at::DENTRY, parent);
        let (len, name): (u32, u64) = (ld(d, 12), ld(d, 16));
        let (len, inline) = (len as u64, g!(DENTRY_INLINE));
        if inline == g!(DENTRY_PARENT) + 32 && name == dentry + inline as u64 && len < 40 {
            let to = r.here();
            let mut i = 0;
            while i < 40 {
                st(to, i, ld::<u64>(d, 32 + i));
                i += 8;
            }
            // The NUL stands there; not so if the dentry is being renamed.
            st(to.add(bound_name(len) as usize), 0, 0u8);
            r.p += len + 1;
            return false;
        }
        let n = read_kernel_str(r.here(), NAME_MAX, name);
        if n <= 0 {
            return ends(r, PATH_GONE);
        }
        r.p += n as u64;
        false
    }
}

/// Sets out from a dentry to the root of the process; names are written from the current place on.
#[inline(always)]
pub unsafe fn set_out(r: &Rec, mnt: u64, dentry: u64, root_mnt: u64, root: u64) {
    unsafe {
        r.set(at::MNT, mnt);
        r.set(at::DENTRY, dentry);
        r.set(at::TOP, rk(mnt, g!(MNT_ROOT)));
        r.set(at::ROOT_MNT, root_mnt);
        r.set(at::ROOT, root);
        r.set(STATUS, PATH_DEEP as u64);
        r.set(at::LAST, r.p + (PATH_BYTES - NAME_MAX) as u64);
        r.set(at::BEGIN, r.p);
    }
}

/// Walks from a dentry to the root of the process, across mounts, writing each name; then the fact before them.
#[inline(always)]
pub unsafe fn walk(r: &mut Rec, at: u64, mnt: u64, dentry: u64, root_mnt: u64, root: u64, inode: u64) {
    unsafe {
        let start = r.p;
        set_out(r, mnt, dentry, root_mnt, root);
        r.steps(WALK, PATH, core::ptr::null());
        let status = r.get(STATUS) as u32;
        let (mut ino, mut dev, mut mode) = (0u64, 0u32, 0u16);
        if inode != 0 {
            // All within its first 80 bytes: one read.
            let sb: u64;
            if g!(INODE_NEAR) != 0 {
                let i = r.near(80, inode);
                (ino, mode, sb) = (ld(i, g!(INODE_INO)), ld(i, g!(INODE_MODE)), ld(i, g!(INODE_SB)));
            } else {
                (ino, mode) = (rk(inode, g!(INODE_INO)), rk(inode, g!(INODE_MODE)));
                sb = rk(inode, g!(INODE_SB));
            }
            dev = rk(sb, g!(SB_DEV));
        }
        let len = r.p - start;
        path_fact(r, at, ino, dev, mode as u32, len, status);
        r.p = (r.p + 7) & !7;
    }
}
#[inline(always)]
pub unsafe fn path_fact(r: &mut Rec, at: u64, ino: u64, dev: u32, mode: u32, len: u64, status: u32) {
    unsafe {
        let a = r.c.add(bound_at(at) as usize);
        st(a, 0, ino);
        st(a, 8, dev as u64 | (mode as u64) << 32);
        st(a, 16, len | (status as u64) << 32);
    }
}
/// The descriptors of a task, for calls: see [`rk`].
#[inline(always)]
pub unsafe fn files_of(task: *const u8) -> *const u8 {
    unsafe { ld(task, g!(TASK_FILES)) }
}
/// The `struct file` of a descriptor of a task; 0 if there is none. (Behind nothing 0 is read: such a table has no numbers.)
#[inline(always)]
pub unsafe fn file_of(task: *const u8, fd: i64) -> u64 {
    unsafe {
        let files: u64 = rk(task as u64, g!(TASK_FILES));
        let fdt: u64 = rk(files, g!(FILES_FDT));
        if fd as u64 >= rk::<u32>(fdt, g!(FDT_MAX)) as u64 {
            return 0;
        }
        let table: u64 = rk(fdt, g!(FDT_FD));
        rk(table + fd as u64 * 8, 0)
    }
}
/// The same, of what [`files_of`] gives.
#[inline(always)]
pub unsafe fn file_in(files: *const u8, fd: i64) -> u64 {
    unsafe {
        let fdt: *const u8 = ld(files, g!(FILES_FDT));
        if fd as u64 >= ld::<u32>(fdt, g!(FDT_MAX)) as u64 {
            return 0;
        }
        let table: u64 = ld(fdt, g!(FDT_FD));
        rk(table + fd as u64 * 8, 0)
    }
}
/// True if several tasks use these descriptors.
#[inline(always)]
pub unsafe fn is_shared(files: *const u8) -> bool {
    unsafe { ld::<u32>(files, g!(FILES_COUNT)) > 1 }
}
/// True if several tasks use the descriptors of this one.
#[inline(always)]
pub unsafe fn shares_files(task: *const u8) -> bool {
    unsafe {
        let files: u64 = rk(task as u64, g!(TASK_FILES));
        rk::<u32>(files, g!(FILES_COUNT)) > 1
    }
}
/// The same for calls: by loads.
#[inline(always)]
unsafe fn root_by_loads(task: *const u8) -> (u64, u64) {
    unsafe {
        let fs: *const u8 = ld(task, g!(TASK_FS));
        if fs.is_null() {
            return (0, 0);
        }
        (ld(fs, g!(FS_ROOT) + g!(PATH_MNT)), ld(fs, g!(FS_ROOT) + g!(PATH_DENTRY)))
    }
}
/// Mount and dentry of a task's root.
#[inline(always)]
pub unsafe fn root_of(task: *const u8) -> (u64, u64) {
    unsafe {
        let fs: u64 = rk(task as u64, g!(TASK_FS));
        (rk(fs, g!(FS_ROOT) + g!(PATH_MNT)), rk(fs, g!(FS_ROOT) + g!(PATH_DENTRY)))
    }
}
/// Where a walk begins: mount, dentry, inode; zeros if there is nothing.
pub type Start = (u64, u64, u64);

/// The file behind a `struct file`.
#[inline(always)]
pub unsafe fn of_file(r: &Rec, file: u64) -> Start {
    unsafe {
        if file == 0 {
            return (0, 0, 0);
        }
        // Path and inode, one behind the other or nearly so: one read.
        if g!(FILE_NEAR) != 0 {
            let f = r.near(64, file + g!(FILE_LOW) as u64);
            let path = g!(FILE_PATH) - g!(FILE_LOW);
            let inode = g!(FILE_INODE) - g!(FILE_LOW);
            return (ld(f, path + g!(PATH_MNT)), ld(f, path + g!(PATH_DENTRY)), ld(f, inode));
        }
        let mnt: u64 = rk(file, g!(FILE_PATH) + g!(PATH_MNT));
        let dentry: u64 = rk(file, g!(FILE_PATH) + g!(PATH_DENTRY));
        (mnt, dentry, rk(file, g!(FILE_INODE)))
    }
}
/// The working directory.
#[inline(always)]
pub unsafe fn of_cwd(task: *const u8) -> Start {
    unsafe {
        let fs: u64 = rk(task as u64, g!(TASK_FS));
        let mnt: u64 = rk(fs, g!(FS_PWD) + g!(PATH_MNT));
        let dentry: u64 = rk(fs, g!(FS_PWD) + g!(PATH_DENTRY));
        (mnt, dentry, rk(dentry, g!(DENTRY_INODE)))
    }
}
/// The path fact of what a walk begins at. (One call of this for all that walk: the verifier pays for each.)
#[inline(always)]
pub unsafe fn path(r: &mut Rec, task: *const u8, start: Start, often: bool) {
    unsafe {
        let at = r.p;
        r.here();
        r.p += PATH_FACT as u64;
        let (mnt, dentry, inode) = (r.forget(start.0), r.forget(start.1), r.forget(start.2));
        if dentry == 0 {
            return path_fact(r, at, 0, 0, 0, 0, PATH_GONE);
        }
        let (root_mnt, root) = if often { root_by_loads(task) } else { root_of(task) };
        walk(r, at, mnt, dentry, root_mnt, root, inode);
    }
}
#[inline(always)]
pub unsafe fn unix_name(r: &mut Rec, sk: u64, slot: u64) -> u32 {
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
/// The socket behind a `struct file`, zeros if that is none.
#[inline(always)]
pub unsafe fn sock_of(r: &mut Rec, file: u64) {
    unsafe {
        let at = bound_at(r.p);
        r.p = at + SOCK_FACT as u64;
        let a = r.c.add(at as usize);
        let mut i = 0;
        while i < SOCK_FACT / 8 {
            st(a, i * 8, 0u64);
            i += 1;
        }
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
            let by: u64 = if g!(SK_PEER_PID) != 0 { rk(sk, g!(SK_PEER_PID)) } else { 0 };
            let pid: u32 = rk(by, g!(PID_NUMBERS));
            let a = r.c.add(bound_at(at) as usize);
            st(a, 24, pid as u64);
            // The ports of a unix socket mean nothing.
            st(a, 14, 0u16);
            st(a, 16, 0u16);
            st(a, 56, own as u64 | (other as u64) << 32);
        } else if family == 16 {
            st(a, 24, netlink_port(sk) as u64);
        } else if family == 17 && g!(PACKET_IF) != 0 {
            let (interface, number): (u32, u16) = (rk(sk, g!(PACKET_IF)), rk(sk, g!(PACKET_NUM)));
            st(a, 24, interface as u64 | (number.swap_bytes() as u64) << 32);
        } else if family == 40 && g!(VSOCK_LOCAL) != 0 {
            // Port and CID of struct sockaddr_vm (include/uapi/linux/vm_sockets.h).
            let (l, d): (u64, u64) = (rk(sk, g!(VSOCK_LOCAL) + 4), rk(sk, g!(VSOCK_REMOTE) + 4));
            st(a, 24, l);
            st(a, 40, d);
        }
    }
}
#[inline(always)]
unsafe fn netlink_port(sk: u64) -> u32 {
    unsafe { if g!(NETLINK_PORT) != 0 { rk(sk, g!(NETLINK_PORT)) } else { 0 } }
}
/// What a send made of a socket.
#[inline(always)]
pub unsafe fn sent(r: &mut Rec, file: u64) {
    unsafe {
        let inode: u64 = rk(file, g!(FILE_INODE));
        let mode: u16 = rk(inode, g!(INODE_MODE));
        let socket: u64 = if mode & 0o170000 == 0o140000 { rk(file, g!(FILE_PRIVATE)) } else { 0 };
        let sk: u64 = rk(socket, g!(SOCKET_SK));
        let family: u16 = rk(sk, g!(SK_FAMILY));
        let lport: u16 = rk(sk, g!(SK_NUM));
        let port = if family == 16 { netlink_port(sk) } else { 0 };
        let ino: u64 = if socket != 0 { rk(inode, g!(INODE_INO)) } else { 0 };
        r.word(ino);
        r.word(family as u64 | (lport as u64) << 16 | (port as u64) << 32);
    }
}
/// True if a task is in another user namespace than the first, which has the level 0 and which no call leads back to.
#[inline(always)]
pub unsafe fn has_other_users(task: u64) -> bool {
    unsafe {
        let cred: u64 = rk(task, g!(TASK_CRED));
        let users: u64 = rk(cred, g!(CRED_USER_NS));
        users != 0 && rk::<u32>(users, g!(USER_NS_LEVEL)) != 0
    }
}
#[inline(always)]
pub unsafe fn creds(r: &mut Rec, task: *const u8) {
    unsafe {
        let cred: u64 = rk(task as u64, g!(TASK_CRED));
        let (uid, gid): (u32, u32) = (rk(cred, g!(CRED_UID)), rk(cred, g!(CRED_GID)));
        let (euid, egid): (u32, u32) = (rk(cred, g!(CRED_EUID)), rk(cred, g!(CRED_EGID)));
        r.word(uid as u64 | (gid as u64) << 32);
        r.word(euid as u64 | (egid as u64) << 32);
        r.word(has_other_users(task as u64) as u64);
    }
}
