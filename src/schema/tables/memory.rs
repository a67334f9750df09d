//! Address spaces. Values: the kernel's UAPI headers.

names! {
    /// What was tried where a page was missing (enum x86_pf_error_code in arch/x86/include/asm/trap_pf.h); without USER the
    /// kernel did, with PROT the page was there but not for that.
    FAULT = "fault" {
        READ = 0, PROT = 1, WRITE = 2, USER = 4, RSVD = 8, INSTR = 0x10, PK = 0x20, SHSTK = 0x40, SGX = 0x8000,
        RMP = 0x80000000,
    }

    /// Protection of pages.
    PROT = "prot" {
        PROT_NONE = 0, PROT_READ = 1, PROT_WRITE = 2, PROT_EXEC = 4, PROT_SEM = 8, PROT_BTI = 0x10,
        PROT_MTE = 0x20, PROT_GROWSDOWN = 0x1000000, PROT_GROWSUP = 0x2000000,
    }

    /// `mmap` flags. Who sees changes is an enumeration of four bits.
    MMAP = "mmap" mask 0xf {
        MAP_SHARED = 1, MAP_PRIVATE = 2, MAP_SHARED_VALIDATE = 3, MAP_DROPPABLE = 8, MAP_FIXED = 0x10,
        MAP_ANONYMOUS = 0x20, MAP_32BIT = 0x40, MAP_ABOVE4G = 0x80, MAP_GROWSDOWN = 0x100,
        MAP_DENYWRITE = 0x800, MAP_EXECUTABLE = 0x1000, MAP_LOCKED = 0x2000, MAP_NORESERVE = 0x4000,
        MAP_POPULATE = 0x8000, MAP_NONBLOCK = 0x10000, MAP_STACK = 0x20000, MAP_HUGETLB = 0x40000,
        MAP_SYNC = 0x80000, MAP_FIXED_NOREPLACE = 0x100000,
    }

    /// `mremap` flags.
    MREMAP = "mremap" {
        MREMAP_MAYMOVE = 1, MREMAP_FIXED = 2, MREMAP_DONTUNMAP = 4,
    }

    /// `madvise` advice.
    MADVISE = "madvise" {
        MADV_NORMAL = 0, MADV_RANDOM = 1, MADV_SEQUENTIAL = 2, MADV_WILLNEED = 3, MADV_DONTNEED = 4,
        MADV_FREE = 8, MADV_REMOVE = 9, MADV_DONTFORK = 10, MADV_DOFORK = 11, MADV_MERGEABLE = 12,
        MADV_UNMERGEABLE = 13, MADV_HUGEPAGE = 14, MADV_NOHUGEPAGE = 15, MADV_DONTDUMP = 16, MADV_DODUMP = 17,
        MADV_WIPEONFORK = 18, MADV_KEEPONFORK = 19, MADV_COLD = 20, MADV_PAGEOUT = 21,
        MADV_POPULATE_READ = 22, MADV_POPULATE_WRITE = 23, MADV_DONTNEED_LOCKED = 24, MADV_COLLAPSE = 25,
        MADV_HWPOISON = 100, MADV_SOFT_OFFLINE = 101, MADV_GUARD_INSTALL = 102, MADV_GUARD_REMOVE = 103,
    }

    /// `msync` flags.
    MSYNC = "msync" {
        MS_ASYNC = 1, MS_INVALIDATE = 2, MS_SYNC = 4,
    }

    /// `mlock2` flags.
    MLOCK = "mlock2" {
        MLOCK_ONFAULT = 1,
    }

    /// `mlockall` flags.
    MLOCKALL = "mlockall" {
        MCL_CURRENT = 1, MCL_FUTURE = 2, MCL_ONFAULT = 4,
    }

    /// `memfd_create` flags.
    MEMFD = "memfd" {
        MFD_CLOEXEC = 1, MFD_ALLOW_SEALING = 2, MFD_HUGETLB = 4, MFD_NOEXEC_SEAL = 8, MFD_EXEC = 0x10,
    }

    /// `userfaultfd` flags.
    USERFAULTFD = "userfaultfd" {
        UFFD_USER_MODE_ONLY = 1, O_NONBLOCK = 0x800, O_CLOEXEC = 0x80000,
    }

    /// Memory policies, with flags above them.
    MPOL = "mpol" mask 0xff {
        MPOL_DEFAULT = 0, MPOL_PREFERRED = 1, MPOL_BIND = 2, MPOL_INTERLEAVE = 3, MPOL_LOCAL = 4,
        MPOL_PREFERRED_MANY = 5, MPOL_WEIGHTED_INTERLEAVE = 6, MPOL_F_NUMA_BALANCING = 0x2000,
        MPOL_F_RELATIVE_NODES = 0x4000, MPOL_F_STATIC_NODES = 0x8000,
    }

    /// `mbind` and `move_pages` flags.
    MBIND = "mbind" {
        MPOL_MF_STRICT = 1, MPOL_MF_MOVE = 2, MPOL_MF_MOVE_ALL = 4,
    }

    /// `get_mempolicy` flags.
    GET_MEMPOLICY = "get_mempolicy" {
        MPOL_F_NODE = 1, MPOL_F_ADDR = 2, MPOL_F_MEMS_ALLOWED = 4,
    }

    /// `membarrier` commands.
    MEMBARRIER = "membarrier" {
        MEMBARRIER_CMD_QUERY = 0, MEMBARRIER_CMD_GLOBAL = 1, MEMBARRIER_CMD_GLOBAL_EXPEDITED = 2,
        MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED = 4, MEMBARRIER_CMD_PRIVATE_EXPEDITED = 8,
        MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED = 16, MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE = 32,
        MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE = 64, MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ = 128,
        MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ = 256, MEMBARRIER_CMD_GET_REGISTRATIONS = 512,
    }

    /// `membarrier` flags.
    MEMBARRIER_FLAGS = "membarrier_flags" {
        MEMBARRIER_CMD_FLAG_CPU = 1,
    }

    /// Rights of a protection key.
    PKEY = "pkey" {
        PKEY_DISABLE_ACCESS = 1, PKEY_DISABLE_WRITE = 2,
    }

    /// `map_shadow_stack` flags.
    MAP_SHADOW_STACK = "map_shadow_stack" {
        SHADOW_STACK_SET_TOKEN = 1, SHADOW_STACK_SET_MARKER = 2,
    }
}
