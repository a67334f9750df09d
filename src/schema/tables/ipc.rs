//! Futexes, and what System V and POSIX have for talking between processes. Values: the kernel's UAPI headers.

names! {
    /// `futex` operations, with flags above them.
    FUTEX = "futex" mask 0x7f {
        FUTEX_WAIT = 0, FUTEX_WAKE = 1, FUTEX_FD = 2, FUTEX_REQUEUE = 3, FUTEX_CMP_REQUEUE = 4,
        FUTEX_WAKE_OP = 5, FUTEX_LOCK_PI = 6, FUTEX_UNLOCK_PI = 7, FUTEX_TRYLOCK_PI = 8,
        FUTEX_WAIT_BITSET = 9, FUTEX_WAKE_BITSET = 0xa, FUTEX_WAIT_REQUEUE_PI = 0xb,
        FUTEX_CMP_REQUEUE_PI = 0xc, FUTEX_LOCK_PI2 = 0xd, FUTEX_PRIVATE_FLAG = 0x80,
        FUTEX_CLOCK_REALTIME = 0x100,
    }

    /// Flags of `futex_wait` and its family. The size is an enumeration of two bits.
    FUTEX2 = "futex2" mask 3 {
        FUTEX2_SIZE_U8 = 0, FUTEX2_SIZE_U16 = 1, FUTEX2_SIZE_U32 = 2, FUTEX2_SIZE_U64 = 3, FUTEX2_NUMA = 4,
        FUTEX2_MPOL = 8, FUTEX2_PRIVATE = 0x80,
    }

    /// `msgget` and `semget` flags. The nine low bits are permissions.
    IPC_GET = "ipc_get" {
        IPC_CREAT = 0o1000, IPC_EXCL = 0o2000,
    }

    /// `shmget` flags. The nine low bits are permissions.
    SHMGET = "shmget" {
        IPC_CREAT = 0o1000, IPC_EXCL = 0o2000, SHM_HUGETLB = 0o4000, SHM_NORESERVE = 0o10000,
    }

    /// `shmat` flags.
    SHMAT = "shmat" {
        SHM_RDONLY = 0x1000, SHM_RND = 0x2000, SHM_REMAP = 0x4000, SHM_EXEC = 0x8000,
    }

    /// `shmctl` commands.
    SHMCTL = "shmctl" {
        IPC_RMID = 0, IPC_SET = 1, IPC_STAT = 2, IPC_INFO = 3, SHM_LOCK = 11, SHM_UNLOCK = 12, SHM_STAT = 13,
        SHM_INFO = 14, SHM_STAT_ANY = 15,
    }

    /// `semctl` commands.
    SEMCTL = "semctl" {
        IPC_RMID = 0, IPC_SET = 1, IPC_STAT = 2, IPC_INFO = 3, GETPID = 11, GETVAL = 12, GETALL = 13,
        GETNCNT = 14, GETZCNT = 15, SETVAL = 16, SETALL = 17, SEM_STAT = 18, SEM_INFO = 19, SEM_STAT_ANY = 20,
    }

    /// `msgctl` commands.
    MSGCTL = "msgctl" {
        IPC_RMID = 0, IPC_SET = 1, IPC_STAT = 2, IPC_INFO = 3, MSG_STAT = 11, MSG_INFO = 12,
        MSG_STAT_ANY = 13,
    }

    /// `msgsnd` and `msgrcv` flags.
    MSGOP = "msgop" {
        IPC_NOWAIT = 0o4000, MSG_NOERROR = 0o10000, MSG_EXCEPT = 0o20000, MSG_COPY = 0o40000,
    }

    /// Flags of a message queue.
    MQ_FLAGS = "mq_flags" {
        O_NONBLOCK = 0o4000,
    }
}
