//! Clocks and timers. Values: the kernel's UAPI headers.

names! {
    /// Clocks.
    CLOCK = "clock" {
        CLOCK_REALTIME = 0, CLOCK_MONOTONIC = 1, CLOCK_PROCESS_CPUTIME_ID = 2, CLOCK_THREAD_CPUTIME_ID = 3,
        CLOCK_MONOTONIC_RAW = 4, CLOCK_REALTIME_COARSE = 5, CLOCK_MONOTONIC_COARSE = 6, CLOCK_BOOTTIME = 7,
        CLOCK_REALTIME_ALARM = 8, CLOCK_BOOTTIME_ALARM = 9, CLOCK_SGI_CYCLE = 10, CLOCK_TAI = 11,
    }

    /// Flags of sleeping and of timers.
    TIMER = "timer" {
        TIMER_ABSTIME = 1,
    }

    /// `timerfd_create` flags.
    TIMERFD_CREATE = "timerfd_create" {
        TFD_NONBLOCK = 0x800, TFD_CLOEXEC = 0x80000,
    }

    /// `timerfd_settime` flags.
    TIMERFD_SETTIME = "timerfd_settime" {
        TFD_TIMER_ABSTIME = 1, TFD_TIMER_CANCEL_ON_SET = 2,
    }

    /// Interval timers.
    ITIMER = "itimer" {
        ITIMER_REAL = 0, ITIMER_VIRTUAL = 1, ITIMER_PROF = 2,
    }
}
