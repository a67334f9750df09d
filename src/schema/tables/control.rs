//! What `prctl`, `ptrace`, `seccomp`, `keyctl` and their like take beyond their command. Values: the kernel's UAPI headers.

names! {
    /// What a process leaves behind when it crashes.
    SUID_DUMP = "suid_dump" {
        SUID_DUMP_DISABLE = 0, SUID_DUMP_USER = 1, SUID_DUMP_ROOT = 2,
    }

    /// Modes of `PR_SET_SECCOMP`.
    SECCOMP_MODE = "seccomp_mode" {
        SECCOMP_MODE_DISABLED = 0, SECCOMP_MODE_STRICT = 1, SECCOMP_MODE_FILTER = 2,
    }

    /// What a seccomp filter decides.
    SECCOMP_RET = "seccomp_ret" {
        SECCOMP_RET_KILL_THREAD = 0, SECCOMP_RET_TRAP = 0x30000, SECCOMP_RET_ERRNO = 0x50000,
        SECCOMP_RET_USER_NOTIF = 0x7fc00000, SECCOMP_RET_TRACE = 0x7ff00000, SECCOMP_RET_LOG = 0x7ffc0000,
        SECCOMP_RET_ALLOW = 0x7fff0000, SECCOMP_RET_KILL_PROCESS = 0x80000000,
    }

    /// `PR_CAP_AMBIENT` operations.
    PR_CAP_AMBIENT = "pr_cap_ambient" {
        PR_CAP_AMBIENT_IS_SET = 1, PR_CAP_AMBIENT_RAISE = 2, PR_CAP_AMBIENT_LOWER = 3,
        PR_CAP_AMBIENT_CLEAR_ALL = 4,
    }

    /// `PR_SET_MM` operations.
    PR_SET_MM = "pr_set_mm" {
        PR_SET_MM_START_CODE = 1, PR_SET_MM_END_CODE = 2, PR_SET_MM_START_DATA = 3, PR_SET_MM_END_DATA = 4,
        PR_SET_MM_START_STACK = 5, PR_SET_MM_START_BRK = 6, PR_SET_MM_BRK = 7, PR_SET_MM_ARG_START = 8,
        PR_SET_MM_ARG_END = 9, PR_SET_MM_ENV_START = 0xa, PR_SET_MM_ENV_END = 0xb, PR_SET_MM_AUXV = 0xc,
        PR_SET_MM_EXE_FILE = 0xd, PR_SET_MM_MAP = 0xe, PR_SET_MM_MAP_SIZE = 0xf,
    }

    /// `PR_SET_VMA` operations.
    PR_SET_VMA = "pr_set_vma" {
        PR_SET_VMA_ANON_NAME = 0,
    }

    /// `PR_SET_TSC` values.
    PR_TSC = "pr_tsc" {
        PR_TSC_ENABLE = 1, PR_TSC_SIGSEGV = 2,
    }

    /// `PR_MCE_KILL` operations.
    PR_MCE = "pr_mce" {
        PR_MCE_KILL_CLEAR = 0, PR_MCE_KILL_SET = 1,
    }

    /// `PR_MCE_KILL_SET` values.
    PR_MCE_KILL = "pr_mce_kill" {
        PR_MCE_KILL_LATE = 0, PR_MCE_KILL_EARLY = 1, PR_MCE_KILL_DEFAULT = 2,
    }

    /// Speculation that can be controlled.
    PR_SPEC = "pr_spec" {
        PR_SPEC_STORE_BYPASS = 0, PR_SPEC_INDIRECT_BRANCH = 1, PR_SPEC_L1D_FLUSH = 2,
    }

    /// How speculation is controlled.
    PR_SPEC_HOW = "pr_spec_how" {
        PR_SPEC_NOT_AFFECTED = 0, PR_SPEC_PRCTL = 1, PR_SPEC_ENABLE = 2, PR_SPEC_DISABLE = 4,
        PR_SPEC_FORCE_DISABLE = 8, PR_SPEC_DISABLE_NOEXEC = 0x10,
    }

    /// `PR_SCHED_CORE` operations.
    PR_SCHED_CORE = "pr_sched_core" {
        PR_SCHED_CORE_GET = 0, PR_SCHED_CORE_CREATE = 1, PR_SCHED_CORE_SHARE_TO = 2,
        PR_SCHED_CORE_SHARE_FROM = 3,
    }

    /// `PR_SET_MDWE` flags.
    PR_MDWE = "pr_mdwe" {
        PR_MDWE_REFUSE_EXEC_GAIN = 1, PR_MDWE_NO_INHERIT = 2,
    }

    /// `PR_SET_SYSCALL_USER_DISPATCH` modes.
    PR_DISPATCH = "pr_dispatch" {
        PR_SYS_DISPATCH_OFF = 0, PR_SYS_DISPATCH_EXCLUSIVE_ON = 1, PR_SYS_DISPATCH_INCLUSIVE_ON = 2,
    }

    /// `PR_SET_SECUREBITS` bits.
    SECUREBITS = "securebits" {
        SECBIT_NOROOT = 1, SECBIT_NOROOT_LOCKED = 2, SECBIT_NO_SETUID_FIXUP = 4,
        SECBIT_NO_SETUID_FIXUP_LOCKED = 8, SECBIT_KEEP_CAPS = 0x10, SECBIT_KEEP_CAPS_LOCKED = 0x20,
        SECBIT_NO_CAP_AMBIENT_RAISE = 0x40, SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED = 0x80,
        SECBIT_EXEC_RESTRICT_FILE = 0x100, SECBIT_EXEC_RESTRICT_FILE_LOCKED = 0x200,
        SECBIT_EXEC_DENY_INTERACTIVE = 0x400, SECBIT_EXEC_DENY_INTERACTIVE_LOCKED = 0x800,
    }

    /// `PR_SET_PTRACER` special values.
    PR_PTRACER = "pr_ptracer" {
        PR_SET_PTRACER_ANY = 0xffffffffffffffff,
    }

    /// `ptrace` options.
    PTRACE_OPTIONS = "ptrace_options" {
        PTRACE_O_TRACESYSGOOD = 1, PTRACE_O_TRACEFORK = 2, PTRACE_O_TRACEVFORK = 4, PTRACE_O_TRACECLONE = 8,
        PTRACE_O_TRACEEXEC = 0x10, PTRACE_O_TRACEVFORKDONE = 0x20, PTRACE_O_TRACEEXIT = 0x40,
        PTRACE_O_TRACESECCOMP = 0x80, PTRACE_O_EXITKILL = 0x100000, PTRACE_O_SUSPEND_SECCOMP = 0x200000,
    }

    /// Sets of registers that `ptrace` reads and writes.
    NOTE = "note" {
        NT_PRSTATUS = 1, NT_PRFPREG = 2, NT_PRPSINFO = 3, NT_TASKSTRUCT = 4, NT_AUXV = 6, NT_386_TLS = 0x200,
        NT_386_IOPERM = 0x201, NT_X86_XSTATE = 0x202, NT_X86_SHSTK = 0x204, NT_X86_XSAVE_LAYOUT = 0x205,
        NT_ARM_VFP = 0x400, NT_ARM_TLS = 0x401, NT_ARM_HW_BREAK = 0x402, NT_ARM_HW_WATCH = 0x403,
        NT_ARM_SYSTEM_CALL = 0x404, NT_ARM_SVE = 0x405, NT_ARM_PAC_MASK = 0x406, NT_ARM_PACA_KEYS = 0x407,
        NT_ARM_PACG_KEYS = 0x408, NT_ARM_TAGGED_ADDR_CTRL = 0x409, NT_ARM_PAC_ENABLED_KEYS = 0x40a,
        NT_ARM_SSVE = 0x40b, NT_ARM_ZA = 0x40c, NT_ARM_ZT = 0x40d, NT_ARM_FPMR = 0x40e, NT_ARM_POE = 0x40f,
        NT_ARM_GCS = 0x410,
    }

    /// What `PTRACE_GET_SYSCALL_INFO` found.
    PTRACE_SYSCALL_INFO = "ptrace_syscall_info" {
        PTRACE_SYSCALL_INFO_NONE = 0, PTRACE_SYSCALL_INFO_ENTRY = 1, PTRACE_SYSCALL_INFO_EXIT = 2,
        PTRACE_SYSCALL_INFO_SECCOMP = 3,
    }

    /// Architectures as audit numbers them.
    AUDIT_ARCH = "audit_arch" {
        AUDIT_ARCH_I386 = 0x40000003, AUDIT_ARCH_ARM = 0x40000028, AUDIT_ARCH_X86_64 = 0xc000003e,
        AUDIT_ARCH_AARCH64 = 0xc00000b7,
    }

    /// Keyrings that every process has.
    KEY = "key" {
        KEY_SPEC_REQUESTOR_KEYRING = 0xfffffff8, KEY_SPEC_REQKEY_AUTH_KEY = 0xfffffff9,
        KEY_SPEC_GROUP_KEYRING = 0xfffffffa, KEY_SPEC_USER_SESSION_KEYRING = 0xfffffffb,
        KEY_SPEC_USER_KEYRING = 0xfffffffc, KEY_SPEC_SESSION_KEYRING = 0xfffffffd,
        KEY_SPEC_PROCESS_KEYRING = 0xfffffffe, KEY_SPEC_THREAD_KEYRING = 0xffffffff,
    }

    /// Default keyrings of requests.
    KEY_REQKEY = "key_reqkey" {
        KEY_REQKEY_DEFL_DEFAULT = 0, KEY_REQKEY_DEFL_THREAD_KEYRING = 1, KEY_REQKEY_DEFL_PROCESS_KEYRING = 2,
        KEY_REQKEY_DEFL_SESSION_KEYRING = 3, KEY_REQKEY_DEFL_USER_KEYRING = 4,
        KEY_REQKEY_DEFL_USER_SESSION_KEYRING = 5, KEY_REQKEY_DEFL_GROUP_KEYRING = 6,
        KEY_REQKEY_DEFL_REQUESTOR_KEYRING = 7, KEY_REQKEY_DEFL_NO_CHANGE = 0xffffffff,
    }

    /// Versions of `capset`.
    CAP_VERSION = "cap_version" {
        _LINUX_CAPABILITY_VERSION_1 = 0x19980330, _LINUX_CAPABILITY_VERSION_2 = 0x20071026,
        _LINUX_CAPABILITY_VERSION_3 = 0x20080522,
    }

    /// File rights of landlock.
    LANDLOCK_FS = "landlock_fs" {
        LANDLOCK_ACCESS_FS_EXECUTE = 1, LANDLOCK_ACCESS_FS_WRITE_FILE = 2, LANDLOCK_ACCESS_FS_READ_FILE = 4,
        LANDLOCK_ACCESS_FS_READ_DIR = 8, LANDLOCK_ACCESS_FS_REMOVE_DIR = 0x10,
        LANDLOCK_ACCESS_FS_REMOVE_FILE = 0x20, LANDLOCK_ACCESS_FS_MAKE_CHAR = 0x40,
        LANDLOCK_ACCESS_FS_MAKE_DIR = 0x80, LANDLOCK_ACCESS_FS_MAKE_REG = 0x100,
        LANDLOCK_ACCESS_FS_MAKE_SOCK = 0x200, LANDLOCK_ACCESS_FS_MAKE_FIFO = 0x400,
        LANDLOCK_ACCESS_FS_MAKE_BLOCK = 0x800, LANDLOCK_ACCESS_FS_MAKE_SYM = 0x1000,
        LANDLOCK_ACCESS_FS_REFER = 0x2000, LANDLOCK_ACCESS_FS_TRUNCATE = 0x4000,
        LANDLOCK_ACCESS_FS_IOCTL_DEV = 0x8000,
    }

    /// Network rights of landlock.
    LANDLOCK_NET = "landlock_net" {
        LANDLOCK_ACCESS_NET_BIND_TCP = 1, LANDLOCK_ACCESS_NET_CONNECT_TCP = 2,
    }

    /// Scopes of landlock.
    LANDLOCK_SCOPE = "landlock_scope" {
        LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET = 1, LANDLOCK_SCOPE_SIGNAL = 2,
    }

    /// Attributes of security modules.
    LSM_ATTR = "lsm_attr" {
        LSM_ATTR_CURRENT = 0x64, LSM_ATTR_EXEC = 0x65, LSM_ATTR_FSCREATE = 0x66, LSM_ATTR_KEYCREATE = 0x67,
        LSM_ATTR_PREV = 0x68, LSM_ATTR_SOCKCREATE = 0x69,
    }

    /// Security modules.
    LSM_ID = "lsm_id" {
        LSM_ID_CAPABILITY = 0x64, LSM_ID_SELINUX = 0x65, LSM_ID_SMACK = 0x66, LSM_ID_TOMOYO = 0x67,
        LSM_ID_APPARMOR = 0x68, LSM_ID_YAMA = 0x69, LSM_ID_LOADPIN = 0x6a, LSM_ID_SAFESETID = 0x6b,
        LSM_ID_LOCKDOWN = 0x6c, LSM_ID_BPF = 0x6d, LSM_ID_LANDLOCK = 0x6e, LSM_ID_IMA = 0x6f,
        LSM_ID_EVM = 0x70, LSM_ID_IPE = 0x71,
    }

    /// `lsm_get_self_attr` flags.
    LSM_FLAGS = "lsm_flags" {
        LSM_FLAG_SINGLE = 1,
    }

    /// Flags of `sched_setattr`.
    SCHED_ATTR_FLAGS = "sched_attr_flags" {
        SCHED_FLAG_RESET_ON_FORK = 1, SCHED_FLAG_RECLAIM = 2, SCHED_FLAG_DL_OVERRUN = 4,
        SCHED_FLAG_KEEP_POLICY = 8, SCHED_FLAG_KEEP_PARAMS = 0x10, SCHED_FLAG_UTIL_CLAMP_MIN = 0x20,
        SCHED_FLAG_UTIL_CLAMP_MAX = 0x40,
    }

    /// Priorities of block input and output: a class above a number.
    IOPRIO = "ioprio" mask 0xe000 {
        IOPRIO_CLASS_NONE = 0, IOPRIO_CLASS_RT = 0x2000, IOPRIO_CLASS_BE = 0x4000, IOPRIO_CLASS_IDLE = 0x6000,
    }
}
