//! The table of kernel structure offsets that the probe needs.
//!
//! Enters: the kernel's BTF. Leaves: constants by the name of the probe's `.rodata` symbol. Never: a guess; a missing
//! member is an error that names it.

use std::collections::HashSet;

use super::btf::Btf;

/// `(symbol in the probe, structure and member)`.
pub const OFFSETS: &[(&str, &str)] = &[
    ("TASK_FILES", "task_struct.files"),
    ("TASK_FS", "task_struct.fs"),
    ("TASK_CRED", "task_struct.cred"),
    ("TASK_MM", "task_struct.mm"),
    ("TASK_PID", "task_struct.pid"),
    ("TASK_TGID", "task_struct.tgid"),
    ("TASK_START", "task_struct.start_boottime"),
    ("TASK_EXIT_CODE", "task_struct.exit_code"),
    ("TASK_SIGNAL", "task_struct.signal"),
    ("TASK_COMM", "task_struct.comm"),
    ("TASK_PARENT", "task_struct.real_parent"),
    ("TASK_LEADER", "task_struct.group_leader"),
    ("SIGNAL_LIVE", "signal_struct.live"),
    ("SIGNAL_GROUP_EXIT", "signal_struct.group_exit_code"),
    ("FILES_FDT", "files_struct.fdt"),
    ("FILES_COUNT", "files_struct.count"),
    ("FDT_MAX", "fdtable.max_fds"),
    ("FDT_FD", "fdtable.fd"),
    ("FDT_EXEC", "fdtable.close_on_exec"),
    ("FILE_INODE", "file.f_inode"),
    ("FILE_PATH", "file.f_path"),
    ("FILE_PRIVATE", "file.private_data"),
    ("PATH_MNT", "path.mnt"),
    ("PATH_DENTRY", "path.dentry"),
    ("INODE_MODE", "inode.i_mode"),
    ("INODE_INO", "inode.i_ino"),
    ("INODE_SB", "inode.i_sb"),
    ("SB_DEV", "super_block.s_dev"),
    ("DENTRY_PARENT", "dentry.d_parent"),
    ("DENTRY_INODE", "dentry.d_inode"),
    ("MOUNT_PARENT", "mount.mnt_parent"),
    ("MOUNT_POINT", "mount.mnt_mountpoint"),
    ("MOUNT_MNT", "mount.mnt"),
    ("MNT_ROOT", "vfsmount.mnt_root"),
    ("FS_ROOT", "fs_struct.root"),
    ("FS_PWD", "fs_struct.pwd"),
    ("MM_ARG_START", "mm_struct.arg_start"),
    ("MM_ARG_END", "mm_struct.arg_end"),
    ("MM_ENV_START", "mm_struct.env_start"),
    ("MM_ENV_END", "mm_struct.env_end"),
    ("MM_EXE", "mm_struct.exe_file"),
    ("BPRM_FILENAME", "linux_binprm.filename"),
    ("BPRM_ENVC", "linux_binprm.envc"),
    ("CRED_UID", "cred.uid"),
    ("CRED_GID", "cred.gid"),
    ("CRED_EUID", "cred.euid"),
    ("CRED_EGID", "cred.egid"),
    ("CRED_USER_NS", "cred.user_ns"),
    ("USER_NS_LEVEL", "user_namespace.level"),
    ("SOCKET_SK", "socket.sk"),
    ("SK_FAMILY", "sock_common.skc_family"),
    ("SK_STATE", "sock_common.skc_state"),
    ("SK_DADDR", "sock_common.skc_daddr"),
    ("SK_SADDR", "sock_common.skc_rcv_saddr"),
    ("SK_DPORT", "sock_common.skc_dport"),
    ("SK_NUM", "sock_common.skc_num"),
    ("SK_DADDR6", "sock_common.skc_v6_daddr"),
    ("SK_SADDR6", "sock_common.skc_v6_rcv_saddr"),
    ("SK_TYPE", "sock.sk_type"),
    ("SK_PROTOCOL", "sock.sk_protocol"),
    ("UNIX_ADDR", "unix_sock.addr"),
    ("UNIX_PEER", "unix_sock.peer"),
    ("UADDR_LEN", "unix_address.len"),
    ("UADDR_NAME", "unix_address.name"),
];

/// The same of control groups; a kernel without them (CONFIG_CGROUPS) has none of these, and all are 0.
const GROUPS: [(&str, &str); 6] = [
    ("TASK_GROUPS", "task_struct.cgroups"),
    ("SET_UNIFIED", "css_set.dfl_cgrp"),
    ("GROUP_NODE", "cgroup.kn"),
    ("GROUP_ROOT", "cgroup.root"),
    ("NODE_ID", "kernfs_node.id"),
    ("ROOT_HIERARCHY", "cgroup_root.hierarchy_id"),
];

/// The same of what some sockets have beside their addresses; each group is 0 where a kernel has it as a module, or not at
/// all.
const FAMILIES: [&[(&str, &str)]; 4] = [
    &[("SK_PEER_PID", "sock.sk_peer_pid"), ("PID_NUMBERS", "pid.numbers")],
    &[("NETLINK_PORT", "netlink_sock.portid")],
    &[("PACKET_IF", "packet_sock.ifindex"), ("PACKET_NUM", "packet_sock.num")],
    &[("VSOCK_LOCAL", "vsock_sock.local_addr"), ("VSOCK_REMOTE", "vsock_sock.remote_addr")],
];

/// The same of io_uring's requests, which lie in memory as the `struct io_kiocb` and what each operation makes of its first
/// bytes; without one of those the hooks are not attached.
const URING: [(&str, &str); 23] = [
    ("URING_OP", "io_kiocb.opcode"),
    ("URING_FLAGS", "io_kiocb.flags"),
    ("URING_CQE", "io_kiocb.cqe"),
    ("URING_CTX", "io_kiocb.ctx"),
    ("URING_FILE", "io_kiocb.file"),
    ("URING_OPEN_DIR", "io_open.dfd"),
    ("URING_OPEN_NAME", "io_open.filename"),
    ("URING_OPEN_SLOT", "io_open.file_slot"),
    ("URING_OPEN_HOW", "io_open.how"),
    ("URING_ACCEPT_FLAGS", "io_accept.flags"),
    ("URING_SOCKET_DOMAIN", "io_socket.domain"),
    ("URING_SOCKET_TYPE", "io_socket.type"),
    ("URING_SOCKET_FLAGS", "io_socket.flags"),
    ("URING_CLOSE_FD", "io_close.fd"),
    ("URING_CLOSE_SLOT", "io_close.file_slot"),
    ("URING_ACCEPT_SLOT", "io_accept.file_slot"),
    ("URING_SOCKET_SLOT", "io_socket.file_slot"),
    ("URING_STATX_NAME", "io_statx.filename"),
    ("URING_RENAME_NAME", "io_rename.oldpath"),
    ("URING_UNLINK_NAME", "io_unlink.filename"),
    ("URING_MKDIR_NAME", "io_mkdir.filename"),
    ("URING_RW_LEN", "io_rw.len"),
    ("URING_MSG_LEN", "io_sr_msg.len"),
];

/// Tracepoints that not every kernel has, the first of these names that it knows: the probe's program, and the kernel's
/// names of it.
const TRACEPOINTS: [(&str, &[&str]); 4] = [
    // Renamed in 6.4.
    ("io_uring_submit_req", &["io_uring_submit_req", "io_uring_submit_sqe"]),
    ("io_uring_complete", &["io_uring_complete"]),
    ("page_fault_user", &["page_fault_user"]),
    ("page_fault_kernel", &["page_fault_kernel"]),
];

/// Where the registers of a system call lie in `pt_regs`: six arguments, the number, and the six arguments of a 32-bit
/// call. The aarch64 number is `syscallno`, and argument 0 survives only in `orig_x0`.
#[cfg(target_arch = "x86_64")]
pub const REGS: [&str; 13] = [
    "pt_regs.di",
    "pt_regs.si",
    "pt_regs.dx",
    "pt_regs.r10",
    "pt_regs.r8",
    "pt_regs.r9",
    "pt_regs.orig_ax",
    "pt_regs.bx",
    "pt_regs.cx",
    "pt_regs.dx",
    "pt_regs.si",
    "pt_regs.di",
    "pt_regs.bp",
];
/// The same for aarch64 (registers of 64-bit calls only; 32-bit ones are marked by the same registers).
#[cfg(target_arch = "aarch64")]
pub const REGS: [&str; 13] = [
    "pt_regs.orig_x0",
    "pt_regs.regs+8",
    "pt_regs.regs+16",
    "pt_regs.regs+24",
    "pt_regs.regs+32",
    "pt_regs.regs+40",
    "pt_regs.syscallno",
    "pt_regs.orig_x0",
    "pt_regs.regs+8",
    "pt_regs.regs+16",
    "pt_regs.regs+24",
    "pt_regs.regs+32",
    "pt_regs.regs+40",
];
const REG_SYMBOLS: [&str; 13] = [
    "REGS_A0", "REGS_A1", "REGS_A2", "REGS_A3", "REGS_A4", "REGS_A5", "REGS_NR", "REGS_C0", "REGS_C1",
    "REGS_C2", "REGS_C3", "REGS_C4", "REGS_C5",
];

/// True for a program whose tracepoint not every kernel has.
pub fn is_optional(program: &str) -> bool {
    TRACEPOINTS.iter().any(|(own, _)| *own == program)
}

/// What the kernel's types tell.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// Constants of the probe.
    pub constants: Vec<(&'static str, u32)>,
    /// Programs whose tracepoints a kernel may lack, and the tracepoint of this one.
    pub tracepoints: Vec<(&'static str, &'static str)>,
}

/// Every constant that comes from the kernel's BTF, or the members that it lacks.
pub fn resolve(btf_bytes: &[u8]) -> Result<Found, Vec<String>> {
    let members =
        || OFFSETS.iter().chain(&GROUPS).chain(&URING).chain(FAMILIES.into_iter().flatten()).map(|o| o.1);
    let structs = || members().chain(["pt_regs"]).filter_map(|path| path.split('.').next());
    let mut names: HashSet<&[u8]> = structs().map(str::as_bytes).collect();
    let typedefs =
        TRACEPOINTS.iter().flat_map(|(_, all)| *all).map(|name| (*name, format!("btf_trace_{name}")));
    let typedefs: Vec<(&'static str, String)> = typedefs.collect();
    names.extend(typedefs.iter().map(|(_, typedef)| typedef.as_bytes()));
    let Some(btf) = Btf::parse(btf_bytes, |name| names.contains(name)) else {
        return Err(vec!["the kernel's BTF itself (it is not in a form that is known)".into()]);
    };
    let mut missing = Vec::new();
    let mut found = Vec::new();
    let regs = REG_SYMBOLS.iter().zip(REGS).map(|(s, p)| (*s, p));
    for (symbol, path) in OFFSETS.iter().copied().chain(regs) {
        let (base, add) = path.split_once('+').map_or((path, 0), |(b, a)| (b, a.parse().unwrap_or(0)));
        match btf.offset(base) {
            Some(offset) => found.push((symbol, offset + add)),
            None => missing.push(path.to_string()),
        }
    }
    // Where a task says that it is in a 32-bit call: TS_COMPAT (arch/x86/include/asm/thread_info.h); on aarch64 it is all of
    // a 32-bit program's, TIF_32BIT (arch/arm64/include/asm/thread_info.h).
    let (member, bit) = if cfg!(target_arch = "x86_64") {
        ("task_struct.thread_info.status", 2)
    } else {
        ("task_struct.thread_info.flags", 1 << 22)
    };
    match btf.offset(member) {
        Some(offset) => found.extend([("TASK_STATUS", offset), ("COMPAT_BIT", bit)]),
        None => missing.push(member.into()),
    }
    let all_of = |table: &'static [(&'static str, &'static str)]| -> Option<Vec<(&'static str, u32)>> {
        table.iter().map(|(symbol, path)| Some((*symbol, btf.offset(path)?))).collect()
    };
    let none_of =
        |table: &'static [(&'static str, &'static str)]| table.iter().map(|(s, _)| (*s, 0)).collect();
    found.extend(all_of(&GROUPS).unwrap_or_else(|| none_of(&GROUPS)));
    found.extend(FAMILIES.into_iter().flat_map(|family| all_of(family).unwrap_or_else(|| none_of(family))));
    let arguments = |name: &str| {
        let typedef = typedefs.iter().find(|(n, _)| *n == name)?;
        btf.arguments(&typedef.1)
    };
    let uring = all_of(&URING);
    let has_uring = uring.is_some();
    found.extend(uring.unwrap_or_else(|| none_of(&URING)));
    // Since 6.16 the tracepoint has the ring, the request, and a pointer to the result: before, seven things.
    found.push(("URING_BY_CQE", u32::from(arguments("io_uring_complete") == Some(3))));
    found.push(("REGS_IP", btf.offset("pt_regs.ip").unwrap_or(0)));
    let tracepoints = TRACEPOINTS.iter().filter(|(hook, _)| has_uring || !hook.starts_with("io_uring"));
    let tracepoints = tracepoints
        .filter_map(|(hook, names)| Some((*hook, *names.iter().find(|name| arguments(name).is_some())?)))
        .collect();
    // Since 6.14 d_iname is a member of a union.
    let inline = btf.offset("dentry.d_shortname").or_else(|| btf.offset("dentry.d_iname"));
    found.push(("DENTRY_INLINE", inline.unwrap_or(0)));
    let of = |symbol: &str| found.iter().find(|(s, _)| *s == symbol).map_or(0, |(_, at)| *at);
    let (path, inode) = (of("FILE_PATH"), of("FILE_INODE"));
    let low = path.min(inode);
    let in_inode = ["INODE_INO", "INODE_SB", "INODE_MODE"].map(of);
    let near = [
        ("FILE_LOW", low),
        ("FILE_NEAR", u32::from(path.max(inode) - low <= 64 - 16)),
        ("INODE_NEAR", u32::from(in_inode.iter().all(|at| *at <= 80 - 8))),
    ];
    found.extend(near);
    if missing.is_empty() { Ok(Found { constants: found, tracepoints }) } else { Err(missing) }
}
