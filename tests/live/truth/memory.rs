//! Address spaces.

use serde_json::json;

use super::table::*;

const PAGE: usize = 4096;

pub fn all(t: &mut Table) {
    mapping(t);
    others(t);
    policies(t);
}

#[allow(clippy::too_many_lines, reason = "a row a call")]
fn mapping(t: &mut Table) {
    let rw = libc::PROT_READ | libc::PROT_WRITE;
    let anonymous = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
    row!(t: brk(0) = ok, {"addr": hex(0)});
    let a = row!(t: mmap(0, 4 * PAGE, rw, anonymous, -1, 0) = ok, {"addr": hex(0), "length": 4 * PAGE,
        "prot": flags(["PROT_READ", "PROT_WRITE"]), "flags": flags(["MAP_PRIVATE", "MAP_ANONYMOUS"]),
        "fd": nofd(-1), "offset": 0}) as usize;
    let f = unsafe { libc::open(c"f".as_ptr(), libc::O_RDWR) };
    let m = row!(t: mmap(0, PAGE, libc::PROT_READ, libc::MAP_SHARED | libc::MAP_POPULATE, f, 0) = ok,
        {"addr": hex(0), "length": PAGE, "prot": ["PROT_READ"], "flags": flags(["MAP_SHARED", "MAP_POPULATE"]),
            "fd": fd(f), "offset": 0}) as usize;
    row!(t: mmap(0, PAGE, libc::PROT_NONE, libc::MAP_PRIVATE, -9, 8192) = EBADF, {"addr": hex(0), "length": PAGE,
        "prot": ["PROT_NONE"], "flags": ["MAP_PRIVATE"], "fd": nofd(-9), "offset": 8192});
    row!(t: mprotect(a + PAGE, PAGE, libc::PROT_READ | libc::PROT_EXEC) = any,
        {"addr": hex(a + PAGE), "size": PAGE, "prot": flags(["PROT_READ", "PROT_EXEC"])});
    row!(t: mprotect(a + 1, PAGE, libc::PROT_NONE) = EINVAL, {"addr": hex(a + 1), "size": PAGE, "prot": ["PROT_NONE"]});
    row!(t: pkey_mprotect(a, PAGE, rw, -1) = any,
        {"addr": hex(a), "size": PAGE, "prot": flags(["PROT_READ", "PROT_WRITE"]), "pkey": -1});
    let key = row!(t: pkey_alloc(0, 2) = any, {"flags": any(), "access_rights": ["PKEY_DISABLE_WRITE"]});
    row!(t: pkey_free(key) = any, {"pkey": key as i32});
    row!(t: madvise(a, PAGE, libc::MADV_DONTNEED) = ok, {"addr": hex(a), "length": PAGE, "advice": "MADV_DONTNEED"});
    row!(t: madvise(a, PAGE, 9999) = EINVAL, {"addr": hex(a), "length": PAGE, "advice": 9999});
    row!(t: msync(m, PAGE, libc::MS_SYNC | libc::MS_INVALIDATE) = ok,
        {"addr": hex(m), "length": PAGE, "flags": flags(["MS_INVALIDATE", "MS_SYNC"])});
    let mut vec = [0u8; 4];
    row!(t: mincore(a, PAGE, &mut vec) = ok, {"addr": hex(a), "length": PAGE, "vec": any()});
    // Of 99 pages every third is touched; a part of a page counts as one.
    let many = unsafe {
        libc::mmap(std::ptr::null_mut(), 99 * 4096, 3, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS, -1, 0)
    };
    unsafe { libc::madvise(many, 99 * 4096, libc::MADV_NOHUGEPAGE) };
    for n in (0..99).step_by(3) {
        unsafe { many.cast::<u8>().add(n * 4096).write_volatile(1) };
    }
    let mut pages = [0xeeu8; 99];
    row!(t: mincore(many, 5 * 4096 + 1, &mut pages) = ok,
        {"addr": hex(many), "length": 5 * 4096 + 1, "vec": "100100"});
    row!(t: mincore(many, 99 * 4096, &mut pages) = ok, {"addr": hex(many), "length": 99 * 4096,
        "vec": {"text": format!("{}10", "100".repeat(26)), "cut": true}});
    row!(t: mincore(many, 4096, 0x10u64) = EFAULT, {"addr": hex(many), "length": 4096, "vec": "0x10"});
    unsafe { libc::munmap(many, 99 * 4096) };
    row!(t: mlock(a, PAGE) = any, {"addr": hex(a), "size": PAGE});
    row!(t: mlock2(a, PAGE, 1) = any, {"addr": hex(a), "size": PAGE, "flags": ["MLOCK_ONFAULT"]});
    row!(t: munlock(a, PAGE) = ok, {"addr": hex(a), "size": PAGE});
    row!(t: mlockall(libc::MCL_CURRENT | libc::MCL_ONFAULT) = any, {"flags": flags(["MCL_CURRENT", "MCL_ONFAULT"])});
    row!(t: munlockall() = ok, {});
    row!(t: mseal(a + 1, PAGE, 0) = any, {"addr": hex(a + 1), "size": PAGE, "flags": any()});
    row!(t: remap_file_pages(m, PAGE, 0, 0, 0) = any,
        {"addr": hex(m), "size": PAGE, "prot": ["PROT_NONE"], "pgoff": 0, "flags": any()});
    // A machine without shadow stacks refuses.
    row!(t: map_shadow_stack(0, PAGE, 1) = any, {"addr": hex(0), "size": PAGE, "flags": ["SHADOW_STACK_SET_TOKEN"]});
    let a = row!(t: mremap(a, 4 * PAGE, 8 * PAGE, libc::MREMAP_MAYMOVE, 0) = any, {"old_address": hex(a),
        "old_size": 4 * PAGE, "new_size": 8 * PAGE, "flags": ["MREMAP_MAYMOVE"], "new_address": hex(0)});
    if a > 0 {
        row!(t: munmap(a, 8 * PAGE) = ok, {"addr": hex(a), "length": 8 * PAGE});
    }
    row!(t: munmap(m + 1, PAGE) = EINVAL, {"addr": hex(m + 1), "length": PAGE});
    row!(t: membarrier(0, 0, 0) = any, {"cmd": "MEMBARRIER_CMD_QUERY", "flags": any(), "cpu_id": 0});
    let m = row!(t: memfd_create(c"a memfd", libc::MFD_CLOEXEC | libc::MFD_ALLOW_SEALING) = ok,
        {"name": "a memfd", "flags": flags(["MFD_CLOEXEC", "MFD_ALLOW_SEALING"])});
    row!(t: fcntl(m, libc::F_ADD_SEALS, libc::F_SEAL_GROW) = ok, {"fd": fd(m), "cmd": "F_ADD_SEALS",
        "arg": or(hex(libc::F_SEAL_GROW), json!(["F_SEAL_GROW"]))});
    row!(t: memfd_secret(libc::O_CLOEXEC) = any, {"flags": ["O_CLOEXEC"]});
    row!(t: userfaultfd(libc::O_CLOEXEC | libc::O_NONBLOCK | 1) = any,
        {"flags": flags(["UFFD_USER_MODE_ONLY", "O_NONBLOCK", "O_CLOEXEC"])});
    unsafe { libc::close(f) };
}

fn others(t: &mut Table) {
    let me = unsafe { libc::getpid() };
    let text = *b"across";
    let mut buf = [0u8; 6];
    let local = libc::iovec { iov_base: buf.as_mut_ptr().cast(), iov_len: 6 };
    let remote = libc::iovec { iov_base: text.as_ptr().cast_mut().cast(), iov_len: 6 };
    row!(t: process_vm_readv(me, &local, 1, &remote, 1, 0) = ok, {"pid": me, "local_iov": "across", "liovcnt": 1,
        "remote_iov": behind(&remote), "riovcnt": 1, "flags": any()});
    row!(t: process_vm_writev(me, &remote, 1, &local, 1, 0) = ok, {"pid": me, "local_iov": "across", "liovcnt": 1,
        "remote_iov": behind(&local), "riovcnt": 1, "flags": any()});
    let pidfd = row!(t: pidfd_open(me, 0) = ok, {"pid": me, "flags": []});
    row!(t: pidfd_open(-1, 0) = EINVAL, {"pid": -1, "flags": []});
    row!(t: pidfd_getfd(pidfd, 1, 0) = any, {"pidfd": fd(pidfd), "targetfd": any(), "flags": any()});
    row!(t: pidfd_send_signal(pidfd, 0, 0, 0) = ok, {"pidfd": fd(pidfd), "sig": 0, "info": null, "flags": []});
    row!(t: process_madvise(pidfd, &local, 1, libc::MADV_COLD, 0) = any, {"pidfd": fd(pidfd), "iovec": any(),
        "vlen": 1, "advice": "MADV_COLD", "flags": any()});
    // Of a process that lives on it is refused.
    row!(t: process_mrelease(pidfd, 0) = any, {"pidfd": fd(pidfd), "flags": any()});
    unsafe { libc::close(pidfd as i32) };
}

fn policies(t: &mut Table) {
    let (mut mode, nodes) = (0i32, [1u64; 16]);
    // A kernel without NUMA has none of these.
    row!(t: get_mempolicy(&mut mode, 0, 0, 0, 0) = any,
        {"mode": any(), "nodemask": any(), "maxnode": 0, "addr": any(), "flags": []});
    row!(t: set_mempolicy(0, 0, 0) = any, {"mode": any(), "nodemask": any(), "maxnode": 0});
    row!(t: mbind(0, 4096, 2 | 0x8000, &nodes, 64, 1) = any, {"addr": hex(0), "size": 4096,
        "mode": flags(["MPOL_BIND", "MPOL_F_STATIC_NODES"]), "nodemask": any(), "maxnode": 64,
        "flags": ["MPOL_MF_STRICT"]});
    row!(t: set_mempolicy_home_node(1, 0, 0, 0) = any, {"start": hex(1), "size": 0, "home_node": 0, "flags": any()});
    row!(t: migrate_pages(-1, 1, 0, 0) = any, {"pid": -1, "maxnode": 1, "old_nodes": any(), "new_nodes": any()});
    row!(t: move_pages(0, 0, 0, 0, 0, 2) = any, {"pid": 0, "count": 0, "pages": any(), "nodes": any(),
        "status": any(), "flags": ["MPOL_MF_MOVE"]});
}
