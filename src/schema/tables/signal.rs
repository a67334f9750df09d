//! Signals and what is done with them. Values: the kernel's UAPI headers.

names! {
    /// Signals. The real-time ones count from the kernel's first, 32, which the C library keeps for itself.
    SIGNAL = "signal" {
        SIGHUP = 1, SIGINT = 2, SIGQUIT = 3, SIGILL = 4, SIGTRAP = 5, SIGABRT = 6, SIGBUS = 7, SIGFPE = 8,
        SIGKILL = 9, SIGUSR1 = 10, SIGSEGV = 11, SIGUSR2 = 12, SIGPIPE = 13, SIGALRM = 14, SIGTERM = 15,
        SIGSTKFLT = 16, SIGCHLD = 17, SIGCONT = 18, SIGSTOP = 19, SIGTSTP = 20, SIGTTIN = 21, SIGTTOU = 22,
        SIGURG = 23, SIGXCPU = 24, SIGXFSZ = 25, SIGVTALRM = 26, SIGPROF = 27, SIGWINCH = 28, SIGIO = 29,
        SIGPWR = 30, SIGSYS = 31, SIGRTMIN = 32, SIGRT_1 = 33, SIGRT_2 = 34, SIGRT_3 = 35, SIGRT_4 = 36,
        SIGRT_5 = 37, SIGRT_6 = 38, SIGRT_7 = 39, SIGRT_8 = 40, SIGRT_9 = 41, SIGRT_10 = 42, SIGRT_11 = 43,
        SIGRT_12 = 44, SIGRT_13 = 45, SIGRT_14 = 46, SIGRT_15 = 47, SIGRT_16 = 48, SIGRT_17 = 49,
        SIGRT_18 = 50, SIGRT_19 = 51, SIGRT_20 = 52, SIGRT_21 = 53, SIGRT_22 = 54, SIGRT_23 = 55,
        SIGRT_24 = 56, SIGRT_25 = 57, SIGRT_26 = 58, SIGRT_27 = 59, SIGRT_28 = 60, SIGRT_29 = 61,
        SIGRT_30 = 62, SIGRT_31 = 63, SIGRT_32 = 64, SIGIOT = 6, SIGPOLL = 29,
    }

    /// What `rt_sigprocmask` does with the set.
    SIGPROCMASK_HOW = "sigprocmask_how" {
        SIG_BLOCK = 0, SIG_UNBLOCK = 1, SIG_SETMASK = 2,
    }

    /// Flags of a `struct sigaction`.
    SIGACTION_FLAGS = "sigaction" {
        SA_NOCLDSTOP = 1, SA_NOCLDWAIT = 2, SA_SIGINFO = 4, SA_UNSUPPORTED = 0x400, SA_EXPOSE_TAGBITS = 0x800,
        SA_RESTORER = 0x4000000, SA_ONSTACK = 0x8000000, SA_RESTART = 0x10000000, SA_NODEFER = 0x40000000,
        SA_RESETHAND = 0x80000000,
    }

    /// `signalfd4` flags.
    SIGNALFD_FLAGS = "signalfd" {
        SFD_CLOEXEC = 0x80000, SFD_NONBLOCK = 0x800,
    }

    /// Why any signal came. Negative numbers are 32 bits.
    SI_CODE = "si_code" {
        SI_USER = 0, SI_KERNEL = 0x80, SI_QUEUE = 0xffffffff, SI_TIMER = 0xfffffffe, SI_MESGQ = 0xfffffffd,
        SI_ASYNCIO = 0xfffffffc, SI_SIGIO = 0xfffffffb, SI_TKILL = 0xfffffffa, SI_DETHREAD = 0xfffffff9,
        SI_ASYNCNL = 0xffffffc4,
    }

    /// Why a signal was sent: the codes that any signal has, and of those that have more their number times 256 and the code.
    SIGNAL_CODE = "signal_code" {
        SI_USER = 0, SI_KERNEL = 0x80, SI_QUEUE = 0xffffffff, SI_TIMER = 0xfffffffe, SI_MESGQ = 0xfffffffd,
        SI_ASYNCIO = 0xfffffffc, SI_SIGIO = 0xfffffffb, SI_TKILL = 0xfffffffa, SI_DETHREAD = 0xfffffff9,
        SI_ASYNCNL = 0xffffffc4,
        ILL_ILLOPC = 0x401, ILL_ILLOPN = 0x402, ILL_ILLADR = 0x403, ILL_ILLTRP = 0x404, ILL_PRVOPC = 0x405,
        ILL_PRVREG = 0x406, ILL_COPROC = 0x407, ILL_BADSTK = 0x408, ILL_BADIADDR = 0x409,
        TRAP_BRKPT = 0x501, TRAP_TRACE = 0x502, TRAP_BRANCH = 0x503, TRAP_HWBKPT = 0x504, TRAP_UNK = 0x505,
        TRAP_PERF = 0x506,
        BUS_ADRALN = 0x701, BUS_ADRERR = 0x702, BUS_OBJERR = 0x703, BUS_MCEERR_AR = 0x704,
        BUS_MCEERR_AO = 0x705,
        FPE_INTDIV = 0x801, FPE_INTOVF = 0x802, FPE_FLTDIV = 0x803, FPE_FLTOVF = 0x804, FPE_FLTUND = 0x805,
        FPE_FLTRES = 0x806, FPE_FLTINV = 0x807, FPE_FLTSUB = 0x808, FPE_FLTUNK = 0x80e, FPE_CONDTRAP = 0x80f,
        SEGV_MAPERR = 0xb01, SEGV_ACCERR = 0xb02, SEGV_BNDERR = 0xb03, SEGV_PKUERR = 0xb04,
        SEGV_ACCADI = 0xb05, SEGV_ADIDERR = 0xb06, SEGV_ADIPERR = 0xb07, SEGV_MTEAERR = 0xb08,
        SEGV_MTESERR = 0xb09, SEGV_CPERR = 0xb0a,
        CLD_EXITED = 0x1101, CLD_KILLED = 0x1102, CLD_DUMPED = 0x1103, CLD_TRAPPED = 0x1104,
        CLD_STOPPED = 0x1105, CLD_CONTINUED = 0x1106,
        POLL_IN = 0x1d01, POLL_OUT = 0x1d02, POLL_MSG = 0x1d03, POLL_ERR = 0x1d04, POLL_PRI = 0x1d05,
        POLL_HUP = 0x1d06,
        SYS_SECCOMP = 0x1f01, SYS_USER_DISPATCH = 0x1f02,
    }

    /// What becomes of a signal that is sent (TRACE_SIGNAL_ in include/trace/events/signal.h): it waits to be taken, the
    /// program ignores it, the same is waiting already, no room was left for it, or for what it would have told.
    SIGNAL_OUTCOME = "signal_outcome" {
        DELIVERED = 0, IGNORED = 1, ALREADY_PENDING = 2, OVERFLOW_FAIL = 3, LOSE_INFO = 4,
    }

    /// What a program does with a signal: the default, nothing, or a function of its own.
    SIGNAL_ACTION = "signal_action" {
        SIG_DFL = 0, SIG_IGN = 1, HANDLER = 2,
    }

    /// For whom a signal is (enum pid_type in include/linux/pid_types.h): a thread, a process, a group, a session.
    PID_TYPE = "pid_type" {
        THREAD = 0, PROCESS = 1, GROUP = 2, SESSION = 3,
    }

    /// Why SIGCHLD came.
    CLD = "cld" {
        CLD_EXITED = 1, CLD_KILLED = 2, CLD_DUMPED = 3, CLD_TRAPPED = 4, CLD_STOPPED = 5, CLD_CONTINUED = 6,
    }

    /// Why SIGSEGV came.
    SEGV = "segv" {
        SEGV_MAPERR = 1, SEGV_ACCERR = 2, SEGV_BNDERR = 3, SEGV_PKUERR = 4, SEGV_ACCADI = 5, SEGV_ADIDERR = 6,
        SEGV_ADIPERR = 7, SEGV_MTEAERR = 8, SEGV_MTESERR = 9, SEGV_CPERR = 10,
    }

    /// Why SIGBUS came.
    BUS = "bus" {
        BUS_ADRALN = 1, BUS_ADRERR = 2, BUS_OBJERR = 3, BUS_MCEERR_AR = 4, BUS_MCEERR_AO = 5,
    }

    /// Why SIGFPE came.
    FPE = "fpe" {
        FPE_INTDIV = 1, FPE_INTOVF = 2, FPE_FLTDIV = 3, FPE_FLTOVF = 4, FPE_FLTUND = 5, FPE_FLTRES = 6,
        FPE_FLTINV = 7, FPE_FLTSUB = 8, FPE_FLTUNK = 14, FPE_CONDTRAP = 15,
    }

    /// Why SIGILL came.
    ILL = "ill" {
        ILL_ILLOPC = 1, ILL_ILLOPN = 2, ILL_ILLADR = 3, ILL_ILLTRP = 4, ILL_PRVOPC = 5, ILL_PRVREG = 6,
        ILL_COPROC = 7, ILL_BADSTK = 8, ILL_BADIADDR = 9,
    }

    /// Why SIGTRAP came.
    TRAP = "trap" {
        TRAP_BRKPT = 1, TRAP_TRACE = 2, TRAP_BRANCH = 3, TRAP_HWBKPT = 4, TRAP_UNK = 5, TRAP_PERF = 6,
    }

    /// Why SIGIO came.
    POLL_CODE = "poll_code" {
        POLL_IN = 1, POLL_OUT = 2, POLL_MSG = 3, POLL_ERR = 4, POLL_PRI = 5, POLL_HUP = 6,
    }

    /// Why SIGSYS came.
    SYS = "sys" {
        SYS_SECCOMP = 1, SYS_USER_DISPATCH = 2,
    }
}
