//! Structures that are copied whole: their names, sizes and layouts.
//!
//! Enters: nothing. Leaves: [`Struct`] and its [`Row`]. Never: which call takes which.
//!
//! A structure's name is a word in the schema block of a reel: append, never rename.

use super::Arch;
use super::layout::{Is, layout};
use super::tables as t;

/// What is known of a structure.
#[derive(Debug)]
pub struct Row {
    /// The spelling in a reel's schema block.
    pub name: &'static str,
    /// One line of documentation.
    pub doc: &'static str,
    /// Bytes that the probe copies, at most where a length says how many there are.
    pub size: u16,
    /// Fewer bytes are no such structure.
    pub least: u16,
    /// Its layout on x86_64.
    x86_64: Is,
    /// Its layout on aarch64.
    aarch64: Is,
}

/// A row reads `Name "spelling" size (least bytes, if fewer will do): layout (layout on aarch64, if it differs);`.
macro_rules! structs {
    ($(#[doc = $doc:literal] $name:ident $text:literal $size:tt $(least $least:literal)? : $is:expr
        $(, aarch64 $arm:expr)?;)*) => {
        /// Structures that are copied whole and decoded when they are looked at; elements of arrays too.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum Struct {
            $(#[doc = $doc] $name),*
        }

        impl Struct {
            /// Every structure, for tables and tests.
            pub const ALL: &'static [Struct] = &[$(Struct::$name),*];

            /// What is known of it.
            pub const fn row(self) -> &'static Row {
                use Is::*;
                match self {
                    $(Struct::$name => {
                        const FORMS: &[Is] = &[$is $(, $arm)?];
                        const ROW: &Row = &Row {
                            name: $text,
                            doc: $doc,
                            size: $size,
                            least: first(&[$($least,)? $size]),
                            x86_64: FORMS[0],
                            aarch64: FORMS[FORMS.len() - 1],
                        };
                        ROW
                    })*
                }
            }
        }
    };
}

const fn first(of: &[u16]) -> u16 {
    of[0]
}

impl Struct {
    /// Bytes that the probe copies, at most where a length says how many there are.
    pub const fn size(self) -> u16 {
        self.row().size
    }

    /// The spelling in a reel's schema block.
    pub const fn name(self) -> &'static str {
        self.row().name
    }

    /// What stands where.
    pub const fn layout(self, arch: Arch) -> &'static Is {
        match arch {
            Arch::X86_64 => &self.row().x86_64,
            Arch::Aarch64 => &self.row().aarch64,
        }
    }
}

// Packed on x86_64 only (include/uapi/linux/eventpoll.h).
const EPOLL_EVENT: u16 = if cfg!(target_arch = "x86_64") { 12 } else { 16 };

const WAITV: Is = Is::Of(layout! { 0 val: U(8), 8 uaddr: X(8), 16 flags: Flags(4, &t::FUTEX2) });

structs! {
    /// Seconds and nanoseconds.
    Timespec "timespec" 16: Spec;
    /// Two times as `utimensat` takes them: of access and of change; each may be "now" or "as it is".
    Timespec2 "timespec2" 32: List(&SpecNow, 2);
    /// Seconds and microseconds.
    Timeval "timeval" 16: Val;
    /// Interval and value of a timer, in microseconds.
    Itimerval "itimerval" 32: Of(layout! { 0 it_interval: Val, 16 it_value: Val });
    /// Interval and value of a timer, in nanoseconds.
    Itimerspec "itimerspec" 32: Of(layout! { 0 it_interval: Spec, 16 it_value: Spec });
    /// Soft and hard limit.
    Rlimit "rlimit" 16: Of(layout! { 0 rlim_cur: Limit, 8 rlim_max: Limit });
    /// What was used: times, memory, faults, blocks, switches.
    Rusage "rusage" 144 least 32: Of(layout! {
        0 ru_utime: Val, 16 ru_stime: Val, 32 ru_maxrss: I(8), 64 ru_minflt: I(8), 72 ru_majflt: I(8),
        88 ru_inblock unless 0: I(8), 96 ru_oublock unless 0: I(8), 128 ru_nvcsw: I(8), 136 ru_nivcsw: I(8),
    });
    /// What a file is (`struct stat`).
    Stat "stat" 144 least 120: Of(layout! {
        0 st_dev: Dev, 8 st_ino: U(8), 24 st_mode: Mode(4), 16 st_nlink: U(8), 28 st_uid: U(4), 32 st_gid: U(4),
        40 st_rdev unless 0: Dev, 48 st_size: I(8), 64 st_blocks: I(8), 88 st_mtime: Spec,
    }), aarch64 Of(layout! {
        0 st_dev: Dev, 8 st_ino: U(8), 16 st_mode: Mode(4), 20 st_nlink: U(4), 24 st_uid: U(4), 28 st_gid: U(4),
        32 st_rdev unless 0: Dev, 48 st_size: I(8), 64 st_blocks: I(8), 88 st_mtime: Spec,
    });
    /// What a file is (`struct statx`).
    Statx "statx" 160 least 144: Of(layout! {
        0 stx_mask: Flags(4, &t::STATX_MASK), 8 stx_attributes unless 0: Flags(8, &t::STATX_ATTR),
        28 stx_mode: Mode(2), 16 stx_nlink: U(4), 20 stx_uid: U(4), 24 stx_gid: U(4), 32 stx_ino: U(8),
        40 stx_size: U(8), 48 stx_blocks: U(8), 80 stx_btime unless 0: SpecShort, 112 stx_mtime: SpecShort,
        128 stx_rdev unless 0: MajorMinor, 136 stx_dev: MajorMinor, 144 stx_mnt_id unless 0: U(8),
    });
    /// A mounted file system (`struct statfs`).
    Statfs "statfs" 120 least 88: Of(layout! {
        0 f_type: Enum(8, &t::MAGIC), 8 f_bsize: U(8), 16 f_blocks: U(8), 24 f_bfree: U(8), 32 f_bavail: U(8),
        40 f_files: U(8), 48 f_ffree: U(8), 64 f_namelen: U(8), 80 f_flags: Flags(8, &t::ST_FLAGS),
    });
    /// Names and versions of the system.
    Utsname "utsname" 390 least 325: Of(layout! {
        0 sysname: Text(65), 65 nodename: Text(65), 130 release: Text(65), 195 version: Text(65),
        260 machine: Text(65), 325 domainname: Text(65),
    });
    /// Memory and load of the system.
    Sysinfo "sysinfo" 112 least 108: Of(layout! {
        0 uptime: I(8), 8 loads: List(&U(8), 3), 32 totalram: U(8), 40 freeram: U(8), 48 sharedram: U(8),
        56 bufferram: U(8), 64 totalswap: U(8), 72 freeswap: U(8), 80 procs: U(2), 104 mem_unit: U(4),
    });
    /// A set of signals.
    Sigset "sigset" 8: Sigset;
    /// What a signal does: handler, mask, flags.
    Sigaction "sigaction" 32: Of(layout! {
        0 sa_handler: Handler, 24 sa_mask: Sigset, 8 sa_flags: Flags(8, &t::SIGACTION_FLAGS),
    });
    /// Events waited for, and the program's word for them.
    EpollEvent "epoll_event" EPOLL_EVENT least 4: Of(layout! { 0 events: Flags(4, &t::EPOLL), 4 data: X(8) }),
        aarch64 Of(layout! { 0 events: Flags(4, &t::EPOLL), 8 data: X(8) });
    /// Two descriptors.
    FdPair "fdpair" 8: List(&Fd, 2);
    /// A pointer to a number (`int`).
    Int "int_ptr" 4: At(&I(4));
    /// A wait status: how a process ended or stopped.
    WaitStatus "wait_status" 4: Wait;
    /// A pointer to a signed 64-bit number.
    Int64 "int64_ptr" 8: At(&I(8));
    /// What a new process gets and shares (`struct clone_args`).
    CloneArgs "clone_args" 88 least 64: Of(layout! {
        0 flags: Flags(8, &t::CLONE3), 8 pidfd unless 0: X(8), 16 child_tid unless 0: X(8),
        24 parent_tid unless 0: X(8), 32 exit_signal: Sig(8), 40 stack: X(8), 48 stack_size: U(8), 56 tls: X(8),
        64 set_tid unless 0: X(8), 72 set_tid_size unless 0: U(8), 80 cgroup unless 0: U(8),
    });
    /// Flags, mode and limits of opening (`struct open_how`).
    OpenHow "open_how" 24: Of(layout! {
        0 flags: Flags(8, &t::OPEN), 8 mode unless 0: O(8), 16 resolve unless 0: Flags(8, &t::RESOLVE),
    });
    /// Times of a process and its children, in ticks.
    Tms "tms" 32: Of(layout! { 0 tms_utime: I(8), 8 tms_stime: I(8), 16 tms_cutime: I(8), 24 tms_cstime: I(8) });
    /// What a signal tells (`siginfo_t`).
    Siginfo "siginfo" 32 least 12: Siginfo;
    /// Modes of a terminal, without its special characters.
    Termios "termios" 36: Of(layout! {
        0 c_iflag: Flags(4, &t::IFLAG), 4 c_oflag: Flags(4, &t::OFLAG), 8 c_cflag: Flags(4, &t::CFLAG),
        12 c_lflag: Flags(4, &t::LFLAG),
    });
    /// Rows and columns of a terminal.
    Winsize "winsize" 8: Of(layout! { 0 ws_row: U(2), 2 ws_col: U(2), 4 ws_xpixel: U(2), 6 ws_ypixel: U(2) });
    /// A priority of scheduling.
    SchedParam "sched_param" 4: Of(layout! { 0 sched_priority: I(4) });
    /// Two times in microseconds: of access and of change.
    Timeval2 "timeval2" 32: List(&Val, 2);
    /// Two times in seconds: of access and of change.
    Utimbuf "utimbuf" 16: Of(layout! { 0 actime: I(8), 8 modtime: I(8) });
    /// A time zone.
    Timezone "timezone" 8: Of(layout! { 0 tz_minuteswest: I(4), 4 tz_dsttime: I(4) });
    /// Room of a file system (`struct ustat`).
    Ustat "ustat" 32: Of(layout! { 0 f_tfree: I(4), 8 f_tinode: U(8), 16 f_fname: Text(6), 22 f_fpack: Text(6) });
    /// How the clock is disciplined.
    Timex "timex" 208: Of(layout! {
        0 modes: Flags(4, &t::ADJ), 8 offset: I(8), 16 freq: I(8), 24 maxerror: I(8), 32 esterror: I(8),
        40 status: Flags(4, &t::STA), 48 constant: I(8), 56 precision: I(8), 64 tolerance: I(8), 72 time: Val,
        88 tick: I(8), 160 tai: I(4),
    });
    /// An unsigned number behind a pointer.
    UIntAt "uint_ptr" 4: At(&U(4));
    /// An address behind a pointer.
    PtrAt "ptr_ptr" 8: At(&X(8));
    /// A size behind a pointer.
    SizeAt "size_ptr" 8: At(&U(8));
    /// A memory policy behind a pointer.
    PolicyAt "policy_ptr" 4: At(&Enum(4, &t::MPOL));
    /// An alternative stack for signals.
    Sigaltstack "sigaltstack" 24: Of(layout! {
        0 ss_sp: X(8), 8 ss_flags: Flags(4, &t::SIGALTSTACK), 16 ss_size: U(8),
    });
    /// A set of signals and its size, behind a pointer of their own.
    SigsetArg "sigset_arg" 16: Of(layout! { 0 ss: X(8), 8 ss_len: U(8) });
    /// Version and process of `capget` and `capset`.
    CapHeader "cap_header" 8: Of(layout! { 0 version: Enum(4, &t::CAP_VERSION), 4 pid: I(4) });
    /// Sets of capabilities.
    CapData "cap_data" 24 least 12: Of(layout! { 0 effective: Caps, 4 permitted: Caps, 8 inheritable: Caps });
    /// Limits and state of a message queue.
    MqAttr "mq_attr" 32: Of(layout! {
        0 mq_flags: Flags(8, &t::MQ_FLAGS), 8 mq_maxmsg: I(8), 16 mq_msgsize: I(8), 24 mq_curmsgs: I(8),
    });
    /// How a timer or queue tells.
    Sigevent "sigevent" 24: Of(layout! {
        0 sigev_value: X(8), 8 sigev_signo: Sig(4), 12 sigev_notify: Enum(4, &t::SIGEV),
        16 sigev_notify_thread_id unless 0: I(4),
    });
    /// The type of a System V message; its text follows in memory.
    Msgbuf "msgbuf" 8: Of(layout! { 0 mtype: I(8) });
    /// One operation on a semaphore.
    Sembuf "sembuf" 6: Of(layout! { 0 sem_num: U(2), 2 sem_op: I(2), 4 sem_flg: Flags(2, &t::SEM_FLAGS) });
    /// One futex of several.
    FutexWaitv "futex_waitv" 24: WAITV;
    /// Two futexes: who waits at the first goes on to wait at the second.
    FutexPair "futex_pair" 48: List(&WAITV, 2);
    /// An address and a length.
    Iovec "iovec" 16: Of(layout! { 0 iov_base: X(8), 8 iov_len: U(8) });
    /// A segment of a kernel that is loaded.
    KexecSegment "kexec_segment" 32: Of(layout! { 0 buf: X(8), 8 bufsz: U(8), 16 mem: X(8), 24 memsz: U(8) });
    /// A group in a list.
    Group "group" 4: U(4);
    /// A number in a list.
    Number "number" 4: I(4);
    /// An unsigned 64-bit number in a list.
    Id64 "id64" 8: U(8);
    /// An address in a list.
    Address "address" 8: X(8);
    /// A finished asynchronous operation.
    IoEvent "io_event" 32: Of(layout! { 0 data: X(8), 8 obj: X(8), 16 res: I(8), 24 res2: I(8) });
    /// An asynchronous operation.
    Iocb "iocb" 64: Of(layout! {
        16 aio_lio_opcode: Enum(2, &t::IOCB_CMD), 18 aio_reqprio unless 0: I(2), 20 aio_fildes: Fd, 24 aio_buf: X(8),
        32 aio_nbytes: U(8), 40 aio_offset: I(8), 56 aio_flags unless 0: Flags(4, &t::IOCB_FLAGS),
        60 aio_resfd unless 0: U(4), 0 aio_data: X(8),
    });
    /// Size and features of an io_uring.
    IoUringParams "io_uring_params" 120: Of(layout! {
        8 flags: Flags(4, &t::IORING_SETUP), 0 sq_entries: U(4), 4 cq_entries: U(4),
        12 sq_thread_cpu unless 0: U(4), 16 sq_thread_idle unless 0: U(4), 20 features: Flags(4, &t::IORING_FEAT),
        24 wq_fd unless 0: Fd,
    });
    /// How a thread is scheduled (`struct sched_attr`).
    SchedAttr "sched_attr" 56 least 48: Of(layout! {
        0 size: U(4), 4 sched_policy: Enum(4, &t::SCHED), 8 sched_flags: Flags(8, &t::SCHED_ATTR_FLAGS),
        16 sched_nice: I(4), 20 sched_priority: U(4), 24 sched_runtime unless 0: U(8),
        32 sched_deadline unless 0: U(8), 40 sched_period unless 0: U(8), 48 sched_util_min unless 0: U(4),
        52 sched_util_max unless 0: U(4),
    });
    /// What is measured (`struct perf_event_attr`).
    PerfAttr "perf_event_attr" 112 least 64: Of(layout! {
        0 type: Enum(4, &t::PERF_TYPE), 4 size: U(4), 0 config: PerfConfig, 16 sample_period: U(8),
        24 sample_type: Flags(8, &t::PERF_SAMPLE), 32 read_format: Flags(8, &t::PERF_FORMAT),
        40 flags: Flags(8, &t::PERF_BITS), 48 wakeup_events unless 0: U(4),
        52 bp_type unless 0: Enum(4, &t::HW_BREAKPOINT), 56 config1 unless 0: X(8), 64 config2 unless 0: X(8),
        72 branch_sample_type unless 0: X(8), 80 sample_regs_user unless 0: X(8),
        88 sample_stack_user unless 0: U(4), 92 clockid unless 0: Enum(4, &t::CLOCK),
    });
    /// A file without its name.
    FileHandle "file_handle" 40 least 8: Of(layout! { 0 handle_bytes: U(4), 4 handle_type: I(4), 0 f_handle: Handle });
    /// Value and flags of an extended attribute.
    XattrArgs "xattr_args" 16: Of(layout! { 0 value: X(8), 8 size: U(4), 12 flags: Flags(4, &t::XATTR) });
    /// Names of extended attributes.
    XattrNames "xattr_names" 1024 least 0: Texts;
    /// What is set and cleared of a mount.
    MountAttr "mount_attr" 32: Of(layout! {
        0 attr_set: Flags(8, &t::MOUNT_ATTR_SET), 8 attr_clr: Flags(8, &t::MOUNT_ATTR_SET),
        16 propagation unless 0: Flags(8, &t::PROPAGATION), 24 userns_fd unless 0: I(8),
    });
    /// Flags and quota project of a file.
    FileAttr "file_attr" 24: Of(layout! {
        0 fa_xflags: Flags(8, &t::FS_XFLAGS), 8 fa_extsize: U(4), 12 fa_nextents: U(4), 16 fa_projid: U(4),
        20 fa_cowextsize: U(4),
    });
    /// Which mount is asked for.
    MntIdReq "mnt_id_req" 32 least 24: Of(layout! {
        0 size: U(4), 4 mnt_ns_fd unless 0: U(4), 8 mnt_id: Enum(8, &t::LSMT), 16 param: X(8),
        24 mnt_ns_id unless 0: U(8),
    });
    /// What a mount is.
    Statmount "statmount" 1024 least 16: Of(layout! {
        0 size: U(4), 8 mask: Flags(8, &t::STATMOUNT), 16 sb_dev: MajorMinor, 24 sb_magic: Enum(8, &t::MAGIC),
        40 mnt_id: U(8), 48 mnt_parent_id: U(8), 64 mnt_attr unless 0: Flags(8, &t::MOUNT_ATTR),
        72 mnt_propagation unless 0: Flags(8, &t::PROPAGATION), 0 fs_type: Far(36, 0x20), 0 mnt_root: Far(104, 8),
        0 mnt_point: Far(108, 0x10), 0 mnt_opts: Far(4, 0x80), 0 sb_source: Far(124, 0x200),
    });
    /// Which namespaces are asked for.
    NsIdReq "ns_id_req" 32 least 24: Of(layout! {
        0 size: U(4), 8 ns_id: U(8), 16 ns_type: Flags(4, &t::NAMESPACES), 24 user_ns_id: U(8),
    });
    /// A part of a file.
    CachestatRange "cachestat_range" 16: Of(layout! { 0 off: U(8), 8 len: U(8) });
    /// How much of a file is in memory, in pages.
    Cachestat "cachestat" 40: Of(layout! {
        0 nr_cache: U(8), 8 nr_dirty: U(8), 16 nr_writeback: U(8), 24 nr_evicted: U(8), 32 nr_recently_evicted: U(8),
    });
    /// What a landlock ruleset handles.
    LandlockRuleset "landlock_ruleset_attr" 24 least 8: Of(layout! {
        0 handled_access_fs: Flags(8, &t::LANDLOCK_FS), 8 handled_access_net unless 0: Flags(8, &t::LANDLOCK_NET),
        16 scoped unless 0: Flags(8, &t::LANDLOCK_SCOPE),
    });
    /// A context of a security module.
    LsmCtx "lsm_ctx" 256 least 32: Of(layout! {
        0 id: Enum(8, &t::LSM_ID), 8 flags: X(8), 16 len: U(8), 24 ctx_len: U(8), 32 ctx: Rest,
    });
    /// Security modules.
    LsmIds "lsm_ids" 256 least 8: All(&Enum(8, &t::LSM_ID));
    /// A segment of the old x86 memory model.
    UserDesc "user_desc" 16: Of(layout! { 0 entry_number: I(4), 4 base_addr: X(4), 8 limit: X(4), 12 flags: X(4) });
    /// What `_sysctl` took.
    SysctlArgs "sysctl_args" 48: Of(layout! {
        0 name: X(8), 8 nlen: I(4), 16 oldval: X(8), 24 oldlenp: X(8), 32 newval: X(8), 40 newlen: U(8),
    });
    /// Directory entries of `getdents64`.
    Dirents "dirents64" 1024 least 0: Dirents(true);
    /// Directory entries of `getdents`.
    OldDirents "dirents" 1024 least 0: Dirents(false);
    /// A set of CPUs.
    CpuSet "cpu_set" 128 least 0: Bits;
    /// A set of memory nodes, the first 64.
    Nodes "nodes" 8: Bits;
}

/// One structure by its spelling.
pub fn by_name(name: &str) -> Option<Struct> {
    Struct::ALL.iter().copied().find(|s| s.name() == name)
}
