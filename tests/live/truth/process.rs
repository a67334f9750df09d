//! Processes, signals, scheduling, credentials, time, and the system as a whole.

use std::ffi::CStr;

use serde_json::{Value, json};

use super::table::*;

pub fn all(t: &mut Table) {
    life(t);
    identity(t);
    control(t);
    signals(t);
    time(t);
    sched(t);
    t.child(creds);
    t.child(system);
    gone(t);
}

fn end(status: u64) -> ! {
    unsafe { raw(libc::SYS_exit_group, [status, 0, 0, 0, 0, 0]) };
    unreachable!()
}

/// `vfork` and at once `exit_group(0)` in the child, which must not touch our stack.
unsafe fn vfork_and_end() -> i64 {
    let ret;
    unsafe {
        std::arch::asm!("mov eax, 58", "syscall", "test rax, rax", "jnz 2f", "xor edi, edi", "mov eax, 231",
            "syscall", "2:", out("rax") ret, lateout("rdi") _, lateout("rcx") _, lateout("r11") _);
    }
    ret
}

fn timeval(v: &libc::timeval) -> Value {
    json!({ "tv_sec": v.tv_sec, "tv_usec": v.tv_usec })
}

fn rusage(u: &libc::rusage) -> Value {
    has(json!({ "ru_utime": timeval(&u.ru_utime), "ru_stime": timeval(&u.ru_stime), "ru_maxrss": u.ru_maxrss,
        "ru_minflt": u.ru_minflt, "ru_nvcsw": u.ru_nvcsw, "ru_nivcsw": u.ru_nivcsw }))
}

#[allow(clippy::too_many_lines, reason = "a row a call")]
fn life(t: &mut Table) {
    let mut u: libc::rusage = unsafe { std::mem::zeroed() };
    let mut status = 0i32;
    let pid = t.call(libc::SYS_fork, &[]);
    if pid == 0 {
        end(5);
    }
    t.row("fork", End::Ok, pid, json!({}));
    row!(t: wait4(pid, &mut status, libc::__WALL, &mut u) = ok,
        {"pid": pid, "wstatus": {"exited": 5}, "options": ["__WALL"], "rusage": rusage(&u)});
    row!(t: wait4(-1, &mut status, libc::WNOHANG | libc::WUNTRACED | libc::WCONTINUED, 0) = ECHILD, {"pid": -1,
        "wstatus": hex(&status), "options": flags(["WNOHANG", "WUNTRACED", "WCONTINUED"]), "rusage": null});
    t.mark();
    let pid = unsafe { vfork_and_end() };
    t.row("vfork", End::Ok, pid, json!({}));
    let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
    row!(t: waitid(libc::P_PID, pid, &mut info, libc::WEXITED | libc::WNOWAIT, 0) = ok, {"idtype": "P_PID",
        "id": pid, "options": flags(["WEXITED", "WNOWAIT"]), "rusage": null,
        "infop": has(json!({"si_signo": "SIGCHLD", "si_pid": pid, "si_status": 0}))});
    row!(t: waitid(libc::P_PID, pid, &mut info, libc::WEXITED, &mut u) = ok, {"idtype": "P_PID", "id": pid,
        "options": ["WEXITED"], "rusage": any(), "infop": any()});
    let mut tid = 0i32;
    let pid = t.call(
        libc::SYS_clone,
        &[(libc::SIGCHLD | libc::CLONE_PARENT_SETTID).word(), 0, (&mut tid).word(), 0, 0],
    );
    if pid == 0 {
        unsafe { libc::raise(libc::SIGKILL) };
    }
    t.row(
        "clone",
        End::Ok,
        pid,
        json!({"flags": flags(["SIGCHLD", "CLONE_PARENT_SETTID"]), "stack": hex(0),
        "parent_tid": any(), "child_tid": hex(0), "tls": hex(0)}),
    );
    row!(t: wait4(pid, &mut status, 0, 0) = ok,
        {"pid": pid, "wstatus": {"signaled": "SIGKILL"}, "options": [], "rusage": null});
    // struct clone_args: flags is the first, exit_signal the fifth.
    let mut args = [0u64; 11];
    (args[0], args[4]) = (libc::CLONE_FS as u64, libc::SIGCHLD as u64);
    let pid = t.call(libc::SYS_clone3, &[(&args).word(), 88]);
    if pid == 0 {
        end(0);
    }
    t.row(
        "clone3",
        End::Ok,
        pid,
        json!({"cl_args": has(json!({"flags": ["CLONE_FS"], "exit_signal": "SIGCHLD"})), "size": 88}),
    );
    row!(t: wait4(pid, 0, 0, 0) = ok, {"pid": pid, "wstatus": null, "options": [], "rusage": null});
    args[4] = 99;
    row!(t: clone3(&args, 88) = EINVAL, {"cl_args": any(), "size": 88});
    row!(t: clone3(0x10u64, 88) = EFAULT, {"cl_args": unreadable(0x10), "size": 88});

    let argv = [c"sh".as_ptr(), c"-c".as_ptr(), c"exit 3".as_ptr(), std::ptr::null()];
    let envp = [c"A=1".as_ptr(), c"B=two words".as_ptr(), std::ptr::null()];
    let shown = json!(["sh", "-c", "exit 3"]);
    // Values only with --env: they are secret.
    let (env, counted) = (hex(&envp), json!({"variables": 2}));
    row!(t: execve(c"/nonexistent", &argv, &envp) = ENOENT, {"path": "/nonexistent", "argv": shown.clone(), "envp": env.clone()});
    row!(t: execveat(-1, c"sh", &argv, &envp, libc::AT_SYMLINK_NOFOLLOW) = EBADF, {"dirfd": nofd(-1), "path": "sh",
        "argv": shown.clone(), "envp": env, "flags": ["AT_SYMLINK_NOFOLLOW"]});
    row!(t: execve(c"/nonexistent", 0x10u64, 0) = any,
        (has(json!({"path": "/nonexistent", "argv": or(unreadable(0x10), any())}))));
    t.child(|t| {
        t.last(
            "execve",
            libc::SYS_execve,
            &[c"/bin/sh".word(), (&argv).word(), (&envp).word()],
            0.into(),
            json!({"path": "/bin/sh", "argv": shown, "envp": counted}),
        );
    });
    // A directory, none, and the file itself; the descriptors are closed by what they start.
    let open = |path: &CStr| unsafe { libc::open(path.as_ptr(), libc::O_PATH | libc::O_CLOEXEC) };
    let (dir, file) = (open(c"/usr/bin"), open(c"/bin/sh"));
    let sh = std::fs::canonicalize("/bin/sh").unwrap();
    for (from, path, flags, said) in [
        (libc::AT_FDCWD, c"/bin/sh", 0, cwd()),
        (dir, c"sh", 0, named(dir, "/usr/bin")),
        (file, c"", libc::AT_EMPTY_PATH, named(file, sh.to_str().unwrap())),
    ] {
        t.child(|t| {
            let words = [from.word(), path.word(), (&argv).word(), (&envp).word(), flags.word()];
            let flags = if flags == 0 { json!([]) } else { json!(["AT_EMPTY_PATH"]) };
            t.last(
                "execveat",
                libc::SYS_execveat,
                &words,
                0.into(),
                json!({"dirfd": said,
                "path": path.to_str().unwrap(), "argv": shown, "envp": counted, "flags": flags}),
            );
        });
    }
    for fd in [dir, file] {
        unsafe { libc::close(fd) };
    }
    t.child(|t| t.last("exit", libc::SYS_exit, &[9], Value::Null, json!({"status": 9})));
    // The status is the one that the parent can see: eight bits.
    t.child(|t| t.last("exit_group", libc::SYS_exit_group, &[300], Value::Null, json!({"status": 44})));
}

fn identity(t: &mut Table) {
    let me = unsafe { libc::getpid() };
    row!(t: getpid() = ok, {});
    row!(t: getppid() = ok, {});
    row!(t: gettid() = ok, {});
    row!(t: getpgrp() = ok, {});
    row!(t: getpgid(0) = ok, {"pid": 0});
    row!(t: getpgid(-5) = ESRCH, {"pid": -5});
    row!(t: getsid(me) = ok, {"pid": me});
    row!(t: setpgid(0, -1) = EINVAL, {"pid": 0, "pgid": -1});
    t.child(|t| {
        row!(t: setpgid(0, 0) = ok, {"pid": 0, "pgid": 0});
        row!(t: setsid() = EPERM, {});
    });
    t.child(|t| {
        row!(t: setsid() = ok, {});
        // Without a terminal there is nothing to hang up.
        row!(t: vhangup() = any, {});
    });
    let tid = 0i32;
    t.child(|t| {
        row!(t: set_tid_address(&tid) = ok, {"tidptr": any()});
    });
    let mut limit = [0u64; 2];
    row!(t: getrlimit(libc::RLIMIT_NOFILE, &mut limit) = ok,
        {"resource": "RLIMIT_NOFILE", "rlim": {"rlim_cur": num(limit[0] as i64), "rlim_max": num(limit[1] as i64)}});
    t.child(|t| {
        let soft = [100u64, limit[1]];
        row!(t: setrlimit(libc::RLIMIT_NOFILE, &soft) = ok,
            {"resource": "RLIMIT_NOFILE", "rlim": {"rlim_cur": 100, "rlim_max": num(limit[1] as i64)}});
    });
    let (new, mut old) = ([0u64, u64::MAX], [0u64; 2]);
    row!(t: prlimit64(0, libc::RLIMIT_CORE, 0, &mut old) = ok,
        {"pid": 0, "resource": "RLIMIT_CORE", "new_limit": null, "old_limit": any()});
    row!(t: prlimit64(-1, libc::RLIMIT_CORE, &new, 0) = any, {"pid": -1, "resource": "RLIMIT_CORE",
        "new_limit": {"rlim_cur": 0, "rlim_max": "RLIM64_INFINITY"}, "old_limit": null});
    let mut u: libc::rusage = unsafe { std::mem::zeroed() };
    row!(t: getrusage(libc::RUSAGE_SELF, &mut u) = ok, {"who": "RUSAGE_SELF", "usage": rusage(&u)});
    row!(t: getrusage(libc::RUSAGE_CHILDREN, &mut u) = ok, {"who": "RUSAGE_CHILDREN", "usage": rusage(&u)});
    let mut tms = [0i64; 4];
    row!(t: times(&mut tms) = ok,
        {"buf": {"tms_utime": tms[0], "tms_stime": tms[1], "tms_cutime": tms[2], "tms_cstime": tms[3]}});
}

#[allow(clippy::too_many_lines, reason = "a row a call")]
fn control(t: &mut Table) {
    let none = || any();
    let mut name = *b"a name\0\0\0\0\0\0\0\0\0\0";
    t.child(|t| {
        row!(t: prctl(libc::PR_SET_NAME, &name, 0, 0, 0) = ok, {"option": "PR_SET_NAME",
            "arg2": or(hex(&name), "a name".into()), "arg3": none(), "arg4": none(), "arg5": none()});
    });
    row!(t: prctl(libc::PR_GET_NAME, &mut name, 0, 0, 0) = ok,
        {"option": "PR_GET_NAME", "arg2": none(), "arg3": none(), "arg4": none(), "arg5": none()});
    row!(t: prctl(libc::PR_GET_DUMPABLE, 0, 0, 0, 0) = ok,
        {"option": "PR_GET_DUMPABLE", "arg2": none(), "arg3": none(), "arg4": none(), "arg5": none()});
    row!(t: prctl(123_456, 1, 2, 3, 4) = EINVAL,
        {"option": 123_456, "arg2": hex(1), "arg3": hex(2), "arg4": hex(3), "arg5": hex(4)});
    let mut fs = 0u64;
    row!(t: arch_prctl(0x1003, &mut fs) = ok, {"op": "ARCH_GET_FS", "addr": any()});
    row!(t: ptrace(libc::PTRACE_ATTACH as u64, -1, 0, 0) = ESRCH,
        {"op": "PTRACE_ATTACH", "pid": -1, "addr": any(), "data": any()});
    t.child(|t| {
        row!(t: ptrace(libc::PTRACE_TRACEME as u64, 0, 0, 0) = ok,
            {"op": "PTRACE_TRACEME", "pid": 0, "addr": any(), "data": any()});
    });
    row!(t: personality(0xffff_ffffu32) = ok, {"persona": any()});
    t.child(|t| {
        row!(t: personality(libc::ADDR_NO_RANDOMIZE) = ok, {"persona": flags(["PER_LINUX", "ADDR_NO_RANDOMIZE"])});
    });
    let action = 0x7fff_0000u32;
    row!(t: seccomp(2, 0, &action) = ok, {"operation": "SECCOMP_GET_ACTION_AVAIL", "flags": [], "args": any()});
    row!(t: seccomp(1, 1, 0x10u64) = any, {"operation": "SECCOMP_SET_MODE_FILTER",
        "flags": ["SECCOMP_FILTER_FLAG_TSYNC"], "args": any()});
    let mut head = [0u64; 3];
    row!(t: set_robust_list(&mut head, 24) = ok, {"head": any(), "size": 24});
    let (mut at, mut size) = (0u64, 0u64);
    row!(t: get_robust_list(0, &mut at, &mut size) = ok, {"pid": 0, "head_ptr": any(), "sizep": any()});
    row!(t: rseq(0x11u64, 32, 1, 0x5305_3053) = any,
        {"rseq": hex(0x11), "rseq_len": 32, "flags": ["RSEQ_FLAG_UNREGISTER"], "sig": any()});
    let ret = t.call(471, &[]);
    t.row("rseq_slice_yield", End::Any, ret, json!({}));
    t.child(|t| {
        row!(t: unshare(libc::CLONE_NEWUTS | libc::CLONE_NEWIPC | libc::CLONE_FILES) = ok,
            {"flags": flags(["CLONE_NEWUTS", "CLONE_NEWIPC", "CLONE_FILES"])});
        let uts = unsafe { libc::open(c"/proc/self/ns/uts".as_ptr(), libc::O_RDONLY) };
        row!(t: setns(uts, libc::CLONE_NEWUTS) = ok, {"fd": fd(uts), "nstype": ["CLONE_NEWUTS"]});
    });
    row!(t: unshare(1) = EINVAL, {"flags": any()});
    row!(t: setns(-1, 0) = EBADF, {"fd": nofd(-1), "nstype": []});
    row!(t: iopl(4) = any, {"level": 4});
    row!(t: ioperm(0, 0, 0) = any, {"from": any(), "num": 0, "turn_on": 0});
    row!(t: modify_ldt(0, 0, 0) = any, {"func": 0, "ptr": any(), "bytecount": 0});
    row!(t: set_thread_area(0x10u64) = any, {"u_info": or(hex(0x10), unreadable(0x10))});
    row!(t: get_thread_area(0x10u64) = any, {"u_info": or(hex(0x10), unreadable(0x10))});
}

/// The number of the row whose handler is to announce the return from itself.
static RETURNS: std::sync::atomic::AtomicI64 = std::sync::atomic::AtomicI64::new(0);

extern "C" fn handler(_: libc::c_int) {
    let row = RETURNS.load(std::sync::atomic::Ordering::Relaxed);
    if row != 0 {
        unsafe { raw(libc::SYS_close, [(-MARK - row) as u64, 0, 0, 0, 0, 0]) };
    }
}

#[allow(clippy::too_many_lines, reason = "a row a call")]
fn signals(t: &mut Table) {
    let me = unsafe { libc::getpid() };
    row!(t: kill(me, 0) = ok, {"pid": me, "sig": 0});
    row!(t: kill(me, 99) = EINVAL, {"pid": me, "sig": 99});
    row!(t: tkill(-1, libc::SIGHUP) = EINVAL, {"tid": -1, "sig": "SIGHUP"});
    row!(t: tgkill(me, me, 0) = ok, {"tgid": me, "tid": me, "sig": 0});
    // The kernel's struct sigaction: handler, flags, restorer, mask.
    let (ignore, mut old) =
        ([1u64, libc::SA_RESTART as u64, 0, 1 << (libc::SIGHUP - 1) | 1 << (libc::SIGTERM - 1)], [0u64; 4]);
    row!(t: rt_sigaction(libc::SIGUSR2, &ignore, &mut old, 8) = ok, {"signum": "SIGUSR2", "sigsetsize": 8,
        "act": has(json!({"sa_handler": "SIG_IGN", "sa_mask": flags(["SIGHUP", "SIGTERM"]), "sa_flags": ["SA_RESTART"]})),
        "oldact": has(json!({"sa_handler": "SIG_DFL", "sa_mask": [], "sa_flags": []}))});
    row!(t: rt_sigaction(libc::SIGKILL, &ignore, 0, 8) = EINVAL,
        {"signum": "SIGKILL", "sigsetsize": 8, "act": any(), "oldact": null});
    let (set, mut before) = (1u64 << (libc::SIGUSR1 - 1) | 1 << 33, 0u64);
    row!(t: rt_sigprocmask(libc::SIG_BLOCK, &set, &mut before, 8) = ok, {"how": "SIG_BLOCK",
        "set": flags(["SIGUSR1", "SIGRT_2"]), "oldset": [], "sigsetsize": 8});
    let mut info = [0u32; 32];
    (info[0], info[2], info[4], info[5]) = (libc::SIGUSR1 as u32, -1i32 as u32, me as u32, 0);
    row!(t: rt_sigqueueinfo(me, libc::SIGUSR1, &info) = ok, {"tgid": me, "sig": "SIGUSR1",
        "info": has(json!({"si_signo": "SIGUSR1", "si_code": or((-1).into(), "SI_QUEUE".into())}))});
    let mut pending = 0u64;
    row!(t: rt_sigpending(&mut pending, 8) = ok, {"set": ["SIGUSR1"], "sigsetsize": 8});
    let (mut got, now) = ([0u32; 32], [0i64, 0]);
    row!(t: rt_sigtimedwait(&set, &mut got, &now, 8) = ok, {"set": flags(["SIGUSR1", "SIGRT_2"]),
        "info": has(json!({"si_signo": "SIGUSR1"})), "timeout": {"tv_sec": 0, "tv_nsec": 0}, "sigsetsize": 8});
    row!(t: rt_sigtimedwait(&set, &mut got, &now, 8) = EAGAIN, {"set": flags(["SIGUSR1", "SIGRT_2"]),
        "info": hex(&got), "timeout": {"tv_sec": 0, "tv_nsec": 0}, "sigsetsize": 8});
    row!(t: rt_tgsigqueueinfo(me, me, 99, &info) = any,
        {"tgid": me, "tid": me, "sig": 99, "info": has(json!({"si_signo": any()}))});
    let sfd = row!(t: signalfd4(-1, &set, 8, libc::SFD_CLOEXEC | libc::SFD_NONBLOCK) = ok, {"fd": nofd(-1),
        "mask": flags(["SIGUSR1", "SIGRT_2"]), "sizemask": 8, "flags": flags(["SFD_CLOEXEC", "SFD_NONBLOCK"])});
    row!(t: signalfd(sfd, &set, 8) = ok, {"fd": fd(sfd), "mask": flags(["SIGUSR1", "SIGRT_2"]), "sizemask": 8});
    let mut stack = [0u64; 3];
    row!(t: sigaltstack(0, &mut stack) = ok, {"ss": any(), "old_ss": any()});
    t.child(|t| {
        unsafe { libc::signal(libc::SIGUSR1, handler as extern "C" fn(libc::c_int) as libc::sighandler_t) };
        // It is blocked and pending, and comes when the call lets it.
        unsafe { libc::raise(libc::SIGUSR1) };
        let mask = 0u64;
        row!(t: rt_sigsuspend(&mask, 8) = any, {"mask": [], "sigsetsize": 8});
        // The handler announces what comes after it.
        unsafe { libc::raise(libc::SIGUSR1) };
        let row = t.mark() + 1;
        RETURNS.store(row, std::sync::atomic::Ordering::Relaxed);
        unsafe { raw(libc::SYS_rt_sigprocmask, [libc::SIG_UNBLOCK as u64, (&raw const set) as u64, 0, 8, 0, 0]) };
        RETURNS.store(0, std::sync::atomic::Ordering::Relaxed);
        t.took(row);
        t.row("rt_sigreturn", End::Ok, 0, json!({}));
        // A timer that comes while it waits.
        unsafe { libc::signal(libc::SIGALRM, handler as extern "C" fn(libc::c_int) as libc::sighandler_t) };
        let soon = [0i64, 20_000, 0, 20_000];
        row!(t: setitimer(libc::ITIMER_REAL, &soon, 0) = ok, {"which": "ITIMER_REAL", "old_value": null,
            "new_value": {"it_interval": {"tv_sec": 0, "tv_usec": 20000}, "it_value": {"tv_sec": 0, "tv_usec": 20000}}});
        row!(t: pause() = any, {});
    });
    // With nothing to go on with.
    row!(t: restart_syscall() = EINTR, {});
    unsafe { raw(libc::SYS_rt_sigprocmask, [libc::SIG_UNBLOCK as u64, (&raw const set) as u64, 0, 8, 0, 0]) };
}

#[allow(clippy::too_many_lines, reason = "a row a call")]
fn time(t: &mut Table) {
    let (short, mut left) = ([0i64, 1000], [7i64, 7]);
    let spec = |t: &[i64; 2]| json!({"tv_sec": t[0], "tv_nsec": t[1]});
    row!(t: nanosleep(&short, 0) = ok, {"req": {"tv_sec": 0, "tv_nsec": 1000}, "rem": null});
    row!(t: nanosleep(&[-1i64, 5], &mut left) = EINVAL, {"req": {"tv_sec": -1, "tv_nsec": 5}, "rem": hex(&left)});
    row!(t: clock_nanosleep(libc::CLOCK_BOOTTIME, libc::TIMER_ABSTIME, &short, 0) = ok, {"clockid": "CLOCK_BOOTTIME",
        "flags": ["TIMER_ABSTIME"], "req": {"tv_sec": 0, "tv_nsec": 1000}, "rem": null});
    let mut now = [0i64; 2];
    row!(t: clock_gettime(libc::CLOCK_REALTIME, &mut now) = ok, {"clockid": "CLOCK_REALTIME", "tp": spec(&now)});
    row!(t: clock_gettime(77, &mut now) = EINVAL, {"clockid": 77, "tp": hex(&now)});
    row!(t: clock_getres(libc::CLOCK_MONOTONIC, &mut now) = ok, {"clockid": "CLOCK_MONOTONIC", "res": spec(&now)});
    row!(t: clock_settime(libc::CLOCK_MONOTONIC, &short) = EINVAL,
        {"clockid": "CLOCK_MONOTONIC", "tp": {"tv_sec": 0, "tv_nsec": 1000}});
    let mut timex = [0u64; 26];
    row!(t: clock_adjtime(libc::CLOCK_REALTIME, &mut timex) = any, {"clockid": "CLOCK_REALTIME", "buf": any()});
    row!(t: adjtimex(&mut timex) = any, {"buf": any()});
    let mut tv: libc::timeval = unsafe { std::mem::zeroed() };
    row!(t: gettimeofday(&mut tv, 0) = ok, {"tv": timeval(&tv), "tz": any()});
    let wrong = [1i64, 2_000_000];
    row!(t: settimeofday(&wrong, 0) = EINVAL, {"tv": {"tv_sec": 1, "tv_usec": 2_000_000}, "tz": any()});
    let mut sec = 0i64;
    row!(t: time(&mut sec) = ok, {"tloc": sec});
    row!(t: time(0) = ok, {"tloc": null});
    row!(t: alarm(0) = ok, {"seconds": 0});
    let mut timer = [0i64; 4];
    row!(t: getitimer(libc::ITIMER_PROF, &mut timer) = ok, {"which": "ITIMER_PROF",
        "curr_value": {"it_interval": {"tv_sec": 0, "tv_usec": 0}, "it_value": {"tv_sec": 0, "tv_usec": 0}}});
    let later = [0i64, 0, 1000, 5];
    let shown =
        json!({"it_interval": {"tv_sec": 0, "tv_nsec": 0}, "it_value": {"tv_sec": 1000, "tv_nsec": 5}});
    let mut id = -1i32;
    // SIGEV_NONE: value, signal, notify.
    let event = [0u64, 1 << 32, 0, 0, 0, 0, 0, 0];
    row!(t: timer_create(libc::CLOCK_MONOTONIC, &event, &mut id) = ok,
        {"clockid": "CLOCK_MONOTONIC", "sevp": any(), "timerid": id});
    row!(t: timer_settime(id, 0, &later, &mut timer) = ok, {"timerid": id, "flags": [], "new_value": shown.clone(),
        "old_value": {"it_interval": {"tv_sec": 0, "tv_nsec": 0}, "it_value": {"tv_sec": 0, "tv_nsec": 0}}});
    row!(t: timer_gettime(id, &mut timer) = ok, {"timerid": id, "curr_value": {"it_interval": spec(&[timer[0], timer[1]]),
        "it_value": spec(&[timer[2], timer[3]])}});
    row!(t: timer_getoverrun(id) = ok, {"timerid": id});
    row!(t: timer_delete(id) = ok, {"timerid": id});
    row!(t: timer_delete(12345) = EINVAL, {"timerid": 12345});
    let tfd = row!(t: timerfd_create(libc::CLOCK_BOOTTIME, libc::TFD_CLOEXEC | libc::TFD_NONBLOCK) = ok,
        {"clockid": "CLOCK_BOOTTIME", "flags": flags(["TFD_NONBLOCK", "TFD_CLOEXEC"])});
    row!(t: timerfd_settime(tfd, libc::TFD_TIMER_ABSTIME, &later, 0) = ok,
        {"fd": fd(tfd), "flags": ["TFD_TIMER_ABSTIME"], "new_value": shown, "old_value": null});
    row!(t: timerfd_gettime(tfd, &mut timer) = ok, {"fd": fd(tfd), "curr_value": {
        "it_interval": spec(&[timer[0], timer[1]]), "it_value": spec(&[timer[2], timer[3]])}});
    unsafe { libc::close(tfd as i32) };
}

fn sched(t: &mut Table) {
    row!(t: sched_yield() = ok, {});
    let mut mask = [0u8; 128];
    let n = t.call(libc::SYS_sched_getaffinity, &[0, 128, (&mut mask).word()]);
    let set = |n: usize| or(data(&mask[..n]), json!({"$decoded": true}));
    t.row("sched_getaffinity", End::Ok, n, json!({"pid": 0, "cpusetsize": 128, "mask": set(n as usize)}));
    row!(t: sched_setaffinity(0, 8, &mask) = ok, {"pid": 0, "cpusetsize": 8, "mask": set(8)});
    let param = 0i32;
    row!(t: sched_setscheduler(0, libc::SCHED_OTHER, &param) = ok,
        {"pid": 0, "policy": or(json!(["SCHED_OTHER"]), "SCHED_OTHER".into()), "param": {"sched_priority": 0}});
    row!(t: sched_setscheduler(0, libc::SCHED_FIFO | libc::SCHED_RESET_ON_FORK, &500i32) = EINVAL,
        {"pid": 0, "policy": flags(["SCHED_FIFO", "SCHED_RESET_ON_FORK"]), "param": {"sched_priority": 500}});
    row!(t: sched_getscheduler(0) = ok, {"pid": 0});
    row!(t: sched_setparam(0, &param) = ok, {"pid": 0, "param": {"sched_priority": 0}});
    let mut got = 5i32;
    row!(t: sched_getparam(0, &mut got) = ok, {"pid": 0, "param": {"sched_priority": 0}});
    let mut attr = [0u64; 7];
    row!(t: sched_getattr(0, &mut attr, 56, 0) = ok, {"pid": 0, "attr": any(), "size": 56, "flags": any()});
    row!(t: sched_setattr(0, 0x10u64, 0) = EFAULT, {"pid": 0, "attr": or(hex(0x10), unreadable(0x10)), "flags": any()});
    row!(t: sched_get_priority_max(libc::SCHED_RR) = ok, {"policy": "SCHED_RR"});
    row!(t: sched_get_priority_min(77) = EINVAL, {"policy": any()});
    let mut slice = [0i64; 2];
    row!(t: sched_rr_get_interval(0, &mut slice) = ok, {"pid": 0, "tp": {"tv_sec": slice[0], "tv_nsec": slice[1]}});
    row!(t: getpriority(libc::PRIO_PROCESS as i32, 0) = ok, {"which": "PRIO_PROCESS", "who": 0});
    row!(t: setpriority(libc::PRIO_PGRP as i32, -7, 5) = ESRCH, {"which": "PRIO_PGRP", "who": -7, "prio": 5});
    row!(t: ioprio_get(1, 0) = any, {"which": "IOPRIO_WHO_PROCESS", "who": 0});
    row!(t: ioprio_set(1, -1, 0x4000) = any, {"which": "IOPRIO_WHO_PROCESS", "who": -1, "ioprio": any()});
    let (mut cpu, mut node) = (0i32, 0i32);
    row!(t: getcpu(&mut cpu, &mut node, 0) = ok, {"cpu": cpu, "node": node, "tcache": any()});
}

/// In a child: what it is may change.
#[allow(clippy::too_many_lines, reason = "a row a call")]
fn creds(t: &mut Table) {
    row!(t: getuid() = ok, {});
    row!(t: geteuid() = ok, {});
    row!(t: getgid() = ok, {});
    row!(t: getegid() = ok, {});
    let mut ids = [9i32; 3];
    let [a, b, c] = &mut ids;
    row!(t: getresuid(&mut *a, &mut *b, &mut *c) = ok, {"ruid": *a, "euid": *b, "suid": *c});
    row!(t: getresgid(&mut *a, &mut *b, &mut *c) = ok, {"rgid": *a, "egid": *b, "sgid": *c});
    let mut groups = [0u32; 64];
    row!(t: getgroups(64, &mut groups) = ok, {"size": 64, "list": any()});
    // Only asked how many: nothing was written.
    let many = unsafe { libc::getgroups(0, std::ptr::null_mut()) };
    row!(t: getgroups(0, &mut groups) = ok,
        {"size": 0, "list": if many > 0 { json!([{"cut": true}]) } else { json!([]) }});
    row!(t: setgroups(2, &[4u32, 5]) = any, {"size": 2, "list": any()});
    row!(t: setregid(-1, 4000) = any, {"rgid": -1, "egid": 4000});
    row!(t: setresgid(-1, -1, 4001) = any, {"rgid": -1, "egid": -1, "sgid": 4001});
    row!(t: setfsgid(4002) = any, {"fsgid": 4002});
    row!(t: setgid(4003) = any, {"gid": 4003});
    let (header, mut caps) = ([0x2008_0522u32, 0], [0u32; 6]);
    row!(t: capget(&header, &mut caps) = ok, {"hdrp": any(), "datap": any()});
    row!(t: capset(&header, &caps) = ok, {"hdrp": any(), "datap": any()});
    row!(t: setfsuid(3002) = any, {"fsuid": 3002});
    row!(t: setreuid(-1, 3000) = any, {"ruid": -1, "euid": 3000});
    row!(t: setresuid(-1, -1, 3001) = any, {"ruid": -1, "euid": -1, "suid": 3001});
    row!(t: setuid(3003) = any, {"uid": 3003});
    row!(t: setuid(-1) = any, {"uid": -1});
    // -2: KEY_SPEC_PROCESS_KEYRING.
    let ring = || or((-2).into(), "KEY_SPEC_PROCESS_KEYRING".into());
    let key = row!(t: add_key(c"user", c"a key", b"secret", 6, -2) = any,
        {"type": "user", "description": "a key", "payload": "secret", "plen": 6, "keyring": ring()});
    row!(t: request_key(c"user", c"no key", c"callout", -2) = any,
        {"type": "user", "description": "no key", "callout_info": "callout", "dest_keyring": ring()});
    row!(t: keyctl(3, key, 0, 0, 0) = any,
        {"op": "KEYCTL_REVOKE", "arg2": any(), "arg3": any(), "arg4": any(), "arg5": any()});
    let attr = [1u64, 0, 0];
    let rules = row!(t: landlock_create_ruleset(&attr, 8, 0) = any, {"attr": any(), "size": 8, "flags": []});
    row!(t: landlock_create_ruleset(0, 0, 1) = any, {"attr": any(), "size": 0, "flags": ["LANDLOCK_CREATE_RULESET_VERSION"]});
    row!(t: landlock_add_rule(rules, 1, &attr, 0) = any,
        {"ruleset_fd": fd(rules), "rule_type": "LANDLOCK_RULE_PATH_BENEATH", "rule_attr": any(), "flags": any()});
    row!(t: landlock_restrict_self(-1, 0) = any, {"ruleset_fd": nofd(-1), "flags": []});
    let mut size = 0u32;
    row!(t: lsm_get_self_attr(100, 0, &mut size, 0) = any,
        {"attr": any(), "ctx": any(), "size": any(), "flags": any()});
    row!(t: lsm_set_self_attr(100, 0, 0, 0) = any, {"attr": any(), "ctx": any(), "size": 0, "flags": any()});
    row!(t: lsm_list_modules(0, &mut size, 0) = any, {"ids": any(), "size": any(), "flags": any()});
}

/// In a child with a host name of its own. What must not happen is asked for in a way that is refused.
#[allow(clippy::too_many_lines, reason = "a row a call")]
fn system(t: &mut Table) {
    assert_eq!(unsafe { libc::unshare(libc::CLONE_NEWUTS) }, 0);
    row!(t: sethostname(b"host-of-mine", 12) = ok, {"name": "host-of-mine", "size": 12});
    row!(t: setdomainname(b"domain", 6) = ok, {"name": "domain", "size": 6});
    row!(t: sethostname(b"x", -1) = EINVAL, {"name": any(), "size": any()});
    let mut uts: libc::utsname = unsafe { std::mem::zeroed() };
    row!(t: uname(&mut uts) = ok, {"buf": has(json!({"sysname": "Linux", "nodename": "host-of-mine", "machine": "x86_64"}))});
    let mut info: libc::sysinfo = unsafe { std::mem::zeroed() };
    row!(t: sysinfo(&mut info) = ok, {"info": has(json!({"uptime": info.uptime, "totalram": info.totalram,
        "procs": info.procs, "mem_unit": info.mem_unit}))});
    row!(t: syslog(10, 0, 0) = any, {"type": "SYSLOG_ACTION_SIZE_BUFFER", "buf": any(), "size": 0});
    let mut random = [0u8; 16];
    let n = t.call(libc::SYS_getrandom, &[(&mut random).word(), 16, libc::GRND_NONBLOCK.into()]);
    t.row("getrandom", End::Ok, n, json!({"buf": data(&random), "size": 16, "flags": ["GRND_NONBLOCK"]}));
    row!(t: bpf(1, 0x10u64, 32) = any, {"cmd": "BPF_MAP_LOOKUP_ELEM", "attr": any(), "size": 32});
    row!(t: perf_event_open(0x10u64, 0, -1, -1, 8) = any, {"attr": any(), "pid": 0, "cpu": -1, "group_fd": nofd(-1),
        "flags": ["PERF_FLAG_FD_CLOEXEC"]});
    // The kernel looks at none of these strings if we may not do it, and a page that nobody has touched is not there.
    let text = |s: &std::ffi::CStr| or(s.to_str().unwrap().into(), unreadable(s.as_ptr() as u64));
    row!(t: init_module(0, 0, c"a=b") = any, {"module_image": any(), "size": 0, "param_values": text(c"a=b")});
    row!(t: finit_module(-1, c"a=b", 4) = any,
        {"fd": nofd(-1), "param_values": text(c"a=b"), "flags": ["MODULE_INIT_COMPRESSED_FILE"]});
    row!(t: delete_module(c"no_such_module", libc::O_NONBLOCK) = any,
        {"name": text(c"no_such_module"), "flags": ["O_NONBLOCK"]});
    row!(t: kexec_load(0, 0, 0, 0xffff_0000u64) = any,
        {"entry": any(), "nr_segments": 0, "segments": any(), "flags": any()});
    row!(t: kexec_file_load(-1, -1, 0, 0, 0xff00) = any, {"kernel_fd": nofd(-1), "initrd_fd": nofd(-1),
        "cmdline_len": 0, "cmdline": any(), "flags": any()});
    // Without its magic numbers it is refused.
    row!(t: reboot(1, 2, 0x0123_4567, 0) = any, {"magic": any(), "magic2": any(), "op": "LINUX_REBOOT_CMD_RESTART", "arg": any()});
    row!(t: sysfs(3, 0, 0) = any, {"option": 3, "arg1": any(), "arg2": any()});
}

/// Calls that are gone, which the kernel refuses, and numbers without a call: six words.
fn gone(t: &mut Table) {
    let six = json!({"arg0": hex(0xa), "arg1": hex(0xb), "arg2": hex(0xc), "arg3": hex(0xd), "arg4": hex(0xe),
        "arg5": hex(0xffff_ffff_ffff_fff0u64)});
    let some = |n: i64| has(json!({ "fd": n }));
    let addressed = |n: u64| unreadable(n);
    let args = |name: &str| match name {
        "_sysctl" => json!({"args": addressed(0xa)}),
        "create_module" => json!({"name": addressed(0xa), "size": 0xb}),
        "get_kernel_syms" => json!({"table": hex(0xa)}),
        "query_module" => {
            json!({"name": addressed(0xa), "which": 0xb, "buf": hex(0xc), "bufsize": 0xd, "ret": hex(0xe)})
        }
        "nfsservctl" => json!({"cmd": 0xa, "argp": hex(0xb), "resp": hex(0xc)}),
        "getpmsg" => json!({"fd": some(0xa), "ctlptr": hex(0xb), "dataptr": hex(0xc), "bandp": hex(0xd),
            "flagsp": hex(0xe)}),
        "putpmsg" => {
            json!({"fd": some(0xa), "ctlptr": hex(0xb), "dataptr": hex(0xc), "band": 0xd, "flags": hex(0xe)})
        }
        "lookup_dcookie" => json!({"cookie": hex(0xa), "buf": hex(0xb), "size": 0xc}),
        "epoll_ctl_old" => json!({"epfd": some(0xa), "op": 0xb, "fd": some(0xc), "event": addressed(0xd)}),
        "epoll_wait_old" => json!({"epfd": some(0xa), "events": hex(0xb), "maxevents": 0xc, "timeout": 0xd}),
        "vserver" => json!({"cmd": 0xa, "id": 0xb, "data": hex(0xc)}),
        _ => six.clone(),
    };
    let words = [0xa, 0xb, 0xc, 0xd, 0xe, 0xffff_ffff_ffff_fff0];
    for (name, nr) in [
        ("_sysctl", 156),
        ("create_module", 174),
        ("get_kernel_syms", 177),
        ("query_module", 178),
        ("nfsservctl", 180),
        ("getpmsg", 181),
        ("putpmsg", 182),
        ("afs_syscall", 183),
        ("tuxcall", 184),
        ("security", 185),
        ("lookup_dcookie", 212),
        ("epoll_ctl_old", 214),
        ("epoll_wait_old", 215),
        ("vserver", 236),
        // Numbers that nobody has yet.
        ("syscall_500", 500),
        ("syscall_400", 400),
        ("syscall_1000", 1000),
    ] {
        let ret = t.call(nr, &words);
        t.row(name, End::Fails(libc::ENOSYS), ret, args(name));
    }
    // Made by code of the kernel's own only; from anywhere else it is an illegal instruction.
    for (name, nr) in [("uretprobe", 335), ("uprobe", 336)] {
        t.child(|t| {
            unsafe {
                libc::signal(libc::SIGILL, handler as extern "C" fn(libc::c_int) as libc::sighandler_t)
            };
            let ret = t.call(nr, &words);
            t.row(name, End::Any, ret, has(json!({})));
        });
    }
}
