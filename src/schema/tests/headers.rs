//! Names, numbers and offsets as the kernel's headers have them, where there are headers and a C compiler.
//!
//! Enters: `/usr/include`. Leaves: nothing; tests that are skipped elsewhere (what must hold everywhere is compared with
//! crates beside). Headers may be older than our tables: a name that they do not know is passed over.
#![cfg(target_arch = "x86_64")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use crate::schema::layout::{Is, Member};
use crate::schema::names;
use crate::schema::{Arch, Struct, What, choices};

const HEADERS: &[&str] = &[
    "stddef.h",
    "stdio.h",
    "linux/types.h",
    "linux/resource.h",
    "linux/times.h",
    "linux/utsname.h",
    "linux/utime.h",
    "linux/fs.h",
    "linux/fcntl.h",
    "linux/bpf.h",
    "linux/perf_event.h",
    "linux/sockios.h",
    "asm/termbits.h",
    "asm/termios.h",
    "asm/ioctls.h",
    "linux/if_tun.h",
    "linux/loop.h",
    "linux/rtc.h",
    "linux/kvm.h",
    "linux/prctl.h",
    "asm/prctl.h",
    "linux/ptrace.h",
    "linux/seccomp.h",
    "linux/landlock.h",
    "linux/keyctl.h",
    "linux/quota.h",
    "linux/dqblk_xfs.h",
    "linux/futex.h",
    "linux/sem.h",
    "linux/shm.h",
    "linux/msg.h",
    "linux/mqueue.h",
    "linux/io_uring.h",
    "linux/aio_abi.h",
    "linux/sched.h",
    "linux/sched/types.h",
    "linux/mempolicy.h",
    "linux/membarrier.h",
    "linux/capability.h",
    "linux/elf.h",
    "linux/netlink.h",
    "linux/if_packet.h",
    "linux/if_ether.h",
    "linux/in.h",
    "linux/in6.h",
    "linux/tcp.h",
    "linux/udp.h",
    "asm/socket.h",
    "linux/net_tstamp.h",
    "linux/magic.h",
    "linux/stat.h",
    "asm/stat.h",
    "asm/statfs.h",
    "linux/mount.h",
    "linux/openat2.h",
    "linux/eventpoll.h",
    "linux/fanotify.h",
    "linux/inotify.h",
    "linux/memfd.h",
    "linux/random.h",
    "linux/reboot.h",
    "linux/kexec.h",
    "linux/userfaultfd.h",
    "linux/nsfs.h",
    "linux/watchdog.h",
    "linux/hdreg.h",
    "linux/fiemap.h",
    "linux/falloc.h",
    "linux/ioprio.h",
    "linux/rseq.h",
    "linux/kcmp.h",
    "linux/module.h",
    "linux/personality.h",
    "asm/mman.h",
    "linux/blkzoned.h",
    "linux/vt.h",
    "linux/kd.h",
    "linux/close_range.h",
    "linux/xattr.h",
    "linux/can.h",
    "linux/audit.h",
    "linux/sysinfo.h",
    "linux/hw_breakpoint.h",
];

/// What these C expressions are. Those that do not compile are not among the answers; nothing at all without a compiler.
fn evaluate(expressions: &BTreeSet<String>) -> Option<BTreeMap<String, u64>> {
    let there =
        Path::new("/usr/include/linux/fs.h").exists() && Command::new("cc").arg("--version").output().is_ok();
    // Where both are there, not getting an answer is a failure.
    there.then(|| answers(expressions).expect("answers of the C compiler"))
}

fn answers(expressions: &BTreeSet<String>) -> Option<BTreeMap<String, u64>> {
    let dir = tempfile::tempdir().ok()?;
    let (source, program) = (dir.path().join("a.c"), dir.path().join("a"));
    let mut unknown = BTreeSet::new();
    // Errors in one function hide those of later ones only beyond a limit, which is off; a second round is for macros that
    // name what is not there.
    for _ in 0..4 {
        let mut c = String::new();
        for header in HEADERS {
            let _ = writeln!(c, "#if __has_include(<{header}>)\n#include <{header}>\n#endif");
        }
        c.push_str("int main(void) {\n");
        let first = c.lines().count() + 1;
        let asked: Vec<&String> = expressions.iter().filter(|e| !unknown.contains(*e)).collect();
        for e in &asked {
            let _ = writeln!(c, "printf(\"%llu {e}\\n\", (unsigned long long)({e}));");
        }
        c.push('}');
        std::fs::write(&source, c).ok()?;
        let cc = Command::new("cc")
            .args(["-w", "-fmax-errors=0", "-o"])
            .args([&program, &source])
            .output()
            .ok()?;
        if cc.status.success() {
            let answers = String::from_utf8(Command::new(&program).output().ok()?.stdout).ok()?;
            let pairs = answers.lines().filter_map(|l| l.split_once(' '));
            return Some(pairs.filter_map(|(n, e)| Some((e.to_string(), n.parse().ok()?))).collect());
        }
        let before = unknown.len();
        for line in String::from_utf8_lossy(&cc.stderr).lines().filter(|l| l.contains(": error: ")) {
            let at = line.split(':').nth(1).and_then(|n| n.parse::<usize>().ok());
            if let Some(e) = at.and_then(|n| n.checked_sub(first)).and_then(|n| asked.get(n)) {
                unknown.insert((*e).clone());
            }
        }
        if unknown.len() == before {
            return None;
        }
    }
    None
}

#[test]
fn tables_agree_with_the_headers() {
    // Made up here, because what they name has no macro; or other things under the same name in user space.
    let ours = ["perf_bits", "ioprio", "open_aarch64", "open_status_aarch64", "pipe_aarch64"];
    let tables = || names::ALL.iter().filter(|t| !ours.contains(&t.name));
    let asked = tables().flat_map(|t| t.rows).map(|(_, n)| n.to_string()).collect();
    let Some(answers) = evaluate(&asked) else { return };
    let mut compared = 0;
    for table in tables() {
        for (value, name) in table.rows {
            if let Some(theirs) = answers.get(*name) {
                assert_eq!(*value as u32, *theirs as u32, "{name} of {}", table.name);
                compared += 1;
            }
        }
    }
    assert!(compared > 2000, "{compared}");
}

/// Structures of ours and the type that C has for them.
const TYPES: &[(Struct, &str)] = &[
    (Struct::Stat, "struct stat"),
    (Struct::Statx, "struct statx"),
    (Struct::Statfs, "struct statfs"),
    (Struct::Utsname, "struct new_utsname"),
    (Struct::Sysinfo, "struct sysinfo"),
    (Struct::Rusage, "struct rusage"),
    (Struct::Rlimit, "struct rlimit64"),
    (Struct::CloneArgs, "struct clone_args"),
    (Struct::OpenHow, "struct open_how"),
    (Struct::EpollEvent, "struct epoll_event"),
    (Struct::Termios, "struct termios"),
    (Struct::Winsize, "struct winsize"),
    (Struct::Tms, "struct tms"),
    (Struct::Utimbuf, "struct utimbuf"),
    (Struct::MqAttr, "struct mq_attr"),
    (Struct::Sembuf, "struct sembuf"),
    (Struct::FutexWaitv, "struct futex_waitv"),
    (Struct::IoEvent, "struct io_event"),
    (Struct::Iocb, "struct iocb"),
    (Struct::IoUringParams, "struct io_uring_params"),
    (Struct::SchedAttr, "struct sched_attr"),
    (Struct::PerfAttr, "struct perf_event_attr"),
    (Struct::XattrArgs, "struct xattr_args"),
    (Struct::MountAttr, "struct mount_attr"),
    (Struct::FileAttr, "struct file_attr"),
    (Struct::MntIdReq, "struct mnt_id_req"),
    (Struct::Statmount, "struct statmount"),
    (Struct::LandlockRuleset, "struct landlock_ruleset_attr"),
    (Struct::CapHeader, "struct __user_cap_header_struct"),
    (Struct::KexecSegment, "struct kexec_segment"),
];

/// The same for what choices take: choice, value, type.
const CHOSEN: &[(&str, &str, &str)] = &[
    ("fcntl", "F_GETLK", "struct flock"),
    ("fcntl", "F_SETLK", "struct flock"),
    ("fcntl", "F_SETOWN_EX", "struct f_owner_ex"),
    ("ioctl", "FS_IOC_FSGETXATTR", "struct fsxattr"),
    ("ioctl", "FICLONERANGE", "struct file_clone_range"),
    ("ioctl", "FIDEDUPERANGE", "struct file_dedupe_range"),
    ("ioctl", "FITRIM", "struct fstrim_range"),
    ("ioctl", "FS_IOC_FIEMAP", "struct fiemap"),
    ("ioctl", "LOOP_GET_STATUS64", "struct loop_info64"),
    ("ioctl", "RTC_RD_TIME", "struct rtc_time"),
    ("ioctl", "HDIO_GETGEO", "struct hd_geometry"),
    ("ioctl", "VT_GETSTATE", "struct vt_stat"),
    ("ioctl", "UFFDIO_COPY", "struct uffdio_copy"),
    ("ioctl", "KVM_SET_USER_MEMORY_REGION", "struct kvm_userspace_memory_region"),
    ("ioctl", "KVM_CREATE_DEVICE", "struct kvm_create_device"),
    ("seccomp_args", "SECCOMP_GET_NOTIF_SIZES", "struct seccomp_notif_sizes"),
    ("landlock_rule_attr", "LANDLOCK_RULE_PATH_BENEATH", "struct landlock_path_beneath_attr"),
    ("shmctl", "IPC_STAT", "struct shmid64_ds"),
    ("shmctl", "IPC_INFO", "struct shminfo64"),
    ("shmctl", "SHM_INFO", "struct shm_info"),
    ("msgctl", "IPC_STAT", "struct msqid64_ds"),
    ("msgctl", "IPC_INFO", "struct msginfo"),
    ("semctl", "IPC_STAT", "struct semid64_ds"),
    ("semctl", "IPC_INFO", "struct seminfo"),
    ("getsockopt", "TCP_INFO", "struct tcp_info"),
    ("getsockopt", "PACKET_STATISTICS", "struct tpacket_stats"),
    ("setsockopt", "PACKET_RX_RING", "struct tpacket_req"),
    ("setsockopt", "PACKET_ADD_MEMBERSHIP", "struct packet_mreq"),
    ("setsockopt", "IPV6_ADD_MEMBERSHIP", "struct ipv6_mreq"),
    ("bpf_attr", "BPF_MAP_CREATE", "union bpf_attr"),
    ("bpf_attr", "BPF_MAP_LOOKUP_ELEM", "union bpf_attr"),
    ("bpf_attr", "BPF_PROG_LOAD", "union bpf_attr"),
    ("bpf_attr", "BPF_OBJ_PIN", "union bpf_attr"),
    ("bpf_attr", "BPF_PROG_ATTACH", "union bpf_attr"),
    ("bpf_attr", "BPF_MAP_LOOKUP_BATCH", "union bpf_attr: batch"),
    ("bpf_attr", "BPF_PROG_TEST_RUN", "union bpf_attr: test"),
    ("bpf_attr", "BPF_PROG_GET_NEXT_ID", "union bpf_attr"),
    ("bpf_attr", "BPF_PROG_GET_FD_BY_ID", "union bpf_attr"),
    ("bpf_attr", "BPF_OBJ_GET_INFO_BY_FD", "union bpf_attr: info"),
    ("bpf_attr", "BPF_PROG_QUERY", "union bpf_attr: query"),
    ("bpf_attr", "BPF_RAW_TRACEPOINT_OPEN", "union bpf_attr: raw_tracepoint"),
    ("bpf_attr", "BPF_BTF_LOAD", "union bpf_attr"),
    ("bpf_attr", "BPF_TASK_FD_QUERY", "union bpf_attr: task_fd_query"),
    ("bpf_attr", "BPF_LINK_CREATE", "union bpf_attr: link_create"),
    ("bpf_attr", "BPF_LINK_UPDATE", "union bpf_attr: link_update"),
    ("bpf_attr", "BPF_ITER_CREATE", "union bpf_attr: iter_create"),
    ("bpf_attr", "BPF_PROG_BIND_MAP", "union bpf_attr: prog_bind_map"),
    ("quotactl", "Q_GETQUOTA", "struct if_nextdqblk"),
    ("quotactl", "Q_GETINFO", "struct if_dqinfo"),
    ("io_uring_arg", "IORING_ENTER_EXT_ARG", "struct io_uring_getevents_arg"),
    ("io_uring_register_arg", "IORING_REGISTER_FILES_UPDATE", "struct io_uring_files_update"),
    ("io_uring_register_arg", "IORING_REGISTER_PBUF_RING", "struct io_uring_buf_reg"),
];

/// `offsetof` and `sizeof` of a member, as C asks for them.
fn questions(ty: &str, member: &Member) -> (String, String) {
    let (ty, path) = ty.split_once(": ").map_or((ty, String::new()), |(ty, path)| (ty, format!("{path}.")));
    let name = format!("{path}{}", member.name);
    (format!("__builtin_offsetof({ty}, {name})"), format!("sizeof((({ty} *)0)->{name})"))
}

#[test]
fn layouts_agree_with_the_headers() {
    let mut all: Vec<(String, &[Member])> = Vec::new();
    for (s, ty) in TYPES {
        let Is::Of(members) = s.layout(Arch::X86_64) else { panic!("{ty}") };
        all.push((ty.to_string(), members));
    }
    for (choice, value, ty) in CHOSEN {
        let choice = choices::by_name(choice).unwrap_or_else(|| panic!("{choice}"));
        // Whichever table has the name: a choice does not keep its own.
        let key = |t: &&&names::Names| {
            t.value_of(value).is_some_and(|v| choice.rows.iter().any(|(row, _)| *row == v))
        };
        let table = names::ALL.iter().find(key).unwrap_or_else(|| panic!("{value}"));
        let value = table.value_of(value);
        let what = choice.rows.iter().find(|(row, _)| Some(*row) == value).map(|(_, what)| what);
        let Some(What::In(Is::Of(members)) | What::Out(Is::Of(members))) = what else { panic!("{ty}") };
        all.push((ty.to_string(), members));
    }
    let asked = all.iter().flat_map(|(ty, members)| {
        members.iter().flat_map(|m| {
            let (offset, size) = questions(ty, m);
            [offset, size]
        })
    });
    let Some(answers) = evaluate(&asked.collect()) else { return };
    let mut compared = 0;
    for (ty, members) in &all {
        for m in *members {
            let (offset, size) = questions(ty, m);
            let (Some(offset), Some(size)) = (answers.get(&offset), answers.get(&size)) else { continue };
            // Forms that look at a whole structure stand at its beginning.
            if matches!(m.is, Is::PerfConfig | Is::Far(..)) {
                continue;
            }
            assert_eq!(u64::from(m.at), *offset, "{ty} {}", m.name);
            // C has the seconds and the nanoseconds of `st_mtime` under two names.
            let fits = m.is.width() as u64 <= *size || *size == 0 || m.name == "st_mtime";
            assert!(fits, "{ty} {}: {} of {size}", m.name, m.is.width());
            compared += 1;
        }
    }
    assert!(compared > 200, "{compared}");
}
