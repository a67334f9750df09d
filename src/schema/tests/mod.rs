mod crates;
mod headers;

use std::collections::{BTreeMap, HashMap, HashSet};

use super::layout::Is;
use super::*;

const ARCHES: [Arch; 2] = [Arch::X86_64, Arch::Aarch64];

/// What other people say the numbers are, by the name they give.
fn compare(ours: &[(u16, &str)], theirs: BTreeMap<u16, &str>, known: &[(u16, &str)]) {
    let ours: BTreeMap<u16, &str> = ours.iter().copied().collect();
    let known: BTreeMap<u16, &str> = known.iter().copied().collect();
    for (nr, name) in &theirs {
        assert!(
            ours.get(nr) == Some(name) || known.contains_key(nr),
            "{nr} is {name}, not {:?}",
            ours.get(nr)
        );
    }
    for (nr, name) in &ours {
        assert!(theirs.get(nr) == Some(name) || known.get(nr) == Some(name), "{nr} {name} is only ours");
    }
}

// The crate's own iterator leaves out the last call, so the tests ask for every number.

/// Calls that came after the `syscalls` crate.
const LATER: [(u16, &str); 2] = [(470, "listns"), (471, "rseq_slice_yield")];

#[test]
fn numbers_of_x86_64_are_those_of_the_syscalls_crate() {
    let theirs =
        (0..1024).filter_map(syscalls::x86_64::Sysno::new).map(|s| (s.id() as u16, s.name())).collect();
    compare(numbers::X86_64, theirs, &LATER);
}

#[test]
fn numbers_of_aarch64_are_those_of_the_syscalls_crate() {
    // The crate has calls of the generic table that exist on 32-bit machines only.
    let theirs = (0..1024)
        .filter_map(syscalls::aarch64::Sysno::new)
        .map(|s| (s.id() as u16, s.name()))
        .filter(|(nr, _)| !(403..=423).contains(nr))
        .collect();
    // It has the old name of number 79, of which 64-bit machines have the `new` form.
    let known = [LATER[0], LATER[1], (79, "newfstatat")];
    compare(numbers::AARCH64, theirs, &known);
}

#[test]
fn numbers_of_ia32_are_those_of_the_syscalls_crate() {
    let theirs = (0..1024).filter_map(syscalls::x86::Sysno::new).map(|s| (s.id() as u16, s.name())).collect();
    // A Rust keyword that the crate leaves out.
    compare(numbers::IA32, theirs, &[LATER[0], LATER[1], (17, "break")]);
}

#[test]
fn numbers_are_sorted_unique_and_below_the_events() {
    for table in [numbers::X86_64, numbers::AARCH64, numbers::IA32, numbers::URING] {
        assert!(table.windows(2).all(|w| w[0].0 < w[1].0));
        assert!(table.iter().all(|(nr, _)| *nr < EVENTS));
        let names: HashSet<&str> = table.iter().map(|(_, n)| *n).collect();
        assert_eq!(names.len(), table.len());
    }
}

/// Rows of events are rows without a number.
fn is_event(call: &Call) -> bool {
    let others = ["procexit", "lost", "syscall", "snapshot", "process", "descriptor"];
    let beside = ["switch", "signal", "signaldeliver", "page_fault"];
    others.iter().chain(&beside).any(|name| *name == call.name)
}

#[test]
fn rows_have_one_name_each_and_a_number_somewhere() {
    let mut seen = HashSet::new();
    for call in CALLS {
        assert!(seen.insert(call.name), "{} twice", call.name);
        let numbered = [numbers::X86_64, numbers::AARCH64, numbers::URING]
            .iter()
            .any(|t| t.iter().any(|(_, n)| *n == call.name));
        assert!(numbered || is_event(call), "{} has no number", call.name);
    }
}

#[test]
fn arguments_are_few_named_once_and_lengths_exist() {
    for call in CALLS {
        // Six registers; an event has what it needs.
        assert!(call.args.len() <= 6 || is_event(call), "{}", call.name);
        assert!(call.args.iter().filter(|a| a.kind.has_item()).count() <= 6, "{}", call.name);
        let names: HashSet<&str> = call.args.iter().map(|a| a.name).collect();
        assert_eq!(names.len(), call.args.len(), "{}", call.name);
        for arg in call.args {
            let len = match arg.kind {
                Kind::Bytes(l)
                | Kind::Sockaddr(l)
                | Kind::Iovec(l)
                | Kind::Mmsghdr(l)
                | Kind::Pollfds(l)
                | Kind::EpollEvents(l)
                | Kind::Msgbuf(l)
                | Kind::Pages(l)
                | Kind::Pointers(_, l)
                | Kind::Sized(_, l)
                | Kind::Array(_, l)
                | Kind::By(&Choice { copied: Copied::Counted(l, _), .. }) => l,
                _ => continue,
            };
            let at = format!("{} {}", call.name, arg.name);
            match len {
                Len::Arg(n) | Len::Within(n) => {
                    let of = call.args.get(usize::from(n)).expect(&at).kind;
                    assert!(matches!(of, Kind::UInt | Kind::Size), "{at}: length is {of:?}");
                }
                // The structure itself begins with its size.
                Len::At(n) if call.args[usize::from(n)].name == arg.name => {
                    let Kind::Sized(s, _) = arg.kind else { panic!("{at}: only a structure knows its size") };
                    let Is::Of([first, ..]) = s.layout(Arch::X86_64) else { panic!("{at}") };
                    assert_eq!((first.name, first.at, first.is.width()), ("size", 0, 4), "{at}");
                }
                Len::At(n) => {
                    let of = call.args.get(usize::from(n)).expect(&at);
                    assert_eq!(of.kind, Kind::Struct(Struct::Int), "{at}");
                    assert!(matches!(of.dir, Dir::Out | Dir::Around), "{at}");
                }
                Len::Ret => {
                    assert_eq!(arg.dir, Dir::Out, "{at}: what is read cannot depend on the result");
                    assert!(matches!(call.ret, Ret::Bytes | Ret::Count | Ret::Int), "{at}");
                }
            }
        }
    }
}

#[test]
fn only_kinds_with_items_are_written() {
    for call in CALLS {
        for arg in call.args {
            assert!(arg.dir == Dir::In || arg.kind.has_item(), "{} {}", call.name, arg.name);
        }
    }
}

#[test]
fn directory_descriptors_stand_just_before_their_paths() {
    for call in CALLS {
        for (i, arg) in call.args.iter().enumerate() {
            if arg.kind == Kind::DirFd && call.name != "open_by_handle_at" {
                assert_eq!(call.args.get(i + 1).map(|a| a.kind), Some(Kind::Path), "{}", call.name);
            }
        }
        let paths: Vec<&str> = call.args.iter().filter(|a| a.kind == Kind::Path).map(|a| a.name).collect();
        match paths.as_slice() {
            [] => {}
            [one] => assert_eq!(*one, "path", "{}", call.name),
            two => assert!(two.contains(&"oldpath") && two.contains(&"newpath"), "{}", call.name),
        }
    }
}

#[test]
fn effects_fit_the_rows_they_stand_in() {
    for call in CALLS {
        let first = call.args.first().map(|a| a.kind);
        let fits = match call.effect {
            Effect::Open | Effect::Anon(_) | Effect::Socket | Effect::Accept | Effect::Descriptor => {
                call.ret == Ret::Fd
            }
            Effect::MayOpen | Effect::MayAccept => matches!(call.ret, Ret::Int | Ret::Fd),
            Effect::Receive => call.args.get(1).is_some_and(|a| a.kind == Kind::Msghdr),
            Effect::ReceiveAll => call.args.get(1).is_some_and(|a| matches!(a.kind, Kind::Mmsghdr(_))),
            Effect::Dup | Effect::DupTo => call.ret == Ret::Fd && first == Some(Kind::Fd),
            Effect::Close
            | Effect::Connect
            | Effect::Bind
            | Effect::Listen
            | Effect::Send
            | Effect::SendMsg
            | Effect::Fcntl
            | Effect::Ioctl => first == Some(Kind::Fd),
            Effect::Pipe => first == Some(Kind::Struct(Struct::FdPair)),
            Effect::Socketpair => call.args.get(3).is_some_and(|a| a.kind == Kind::Struct(Struct::FdPair)),
            Effect::Clone | Effect::Setsid => call.ret == Ret::Pid,
            Effect::Setpgid => call.args.len() == 2 && call.args.iter().all(|a| a.kind == Kind::Pid),
            Effect::Unshare => matches!(first, Some(Kind::Flags(_))),
            Effect::Setns => first == Some(Kind::Fd),
            Effect::Prctl => matches!(first, Some(Kind::Enum(_))),
            Effect::CloseRange => call.args.len() == 3,
            Effect::None | Effect::Chdir | Effect::Chroot | Effect::Creds | Effect::Exec => true,
        };
        assert!(fits, "{} {:?}", call.name, call.effect);
    }
}

#[test]
fn kinds_survive_their_spelling() {
    for arch in ARCHES {
        for shape in Schema::native(arch).shapes() {
            for arg in shape.args.iter() {
                let read = Kind::from_text(&arg.kind.to_text(), arg.kind.has_item(), arg.kind.refs());
                assert_eq!(read, arg.kind, "{} {}", shape.name, arg.name);
            }
        }
    }
    let later = Kind::from_text("rope(arg1)", true, 1);
    assert_eq!(later, Kind::Unknown { item: true, refs: 1 });
    assert_eq!(Kind::from_text("fd", true, 0), Kind::Unknown { item: true, refs: 0 });
    assert_eq!(Kind::from_text("bytes(arg6)", true, 0), Kind::Unknown { item: true, refs: 0 });
    let structs: HashSet<&str> = Struct::ALL.iter().map(|s| s.name()).collect();
    assert_eq!(structs.len(), Struct::ALL.len());
}

#[test]
fn shapes_count_their_items_and_references() {
    for arch in ARCHES {
        let schema = Schema::native(arch);
        assert_eq!(schema.shapes().len(), usize::from(CODES));
        for (code, shape) in schema.shapes().enumerate() {
            assert_eq!(usize::from(shape.code), code);
            let items: Vec<u8> = shape.args.iter().filter_map(|a| a.item).collect();
            assert_eq!(items, (0..shape.items).collect::<Vec<u8>>(), "{}", shape.name);
            let mut refs = 0;
            for arg in shape.args.iter() {
                assert_eq!(arg.item.is_some(), arg.kind.has_item(), "{}", shape.name);
                assert_eq!(arg.fdref, (arg.kind.refs() > 0).then_some(refs), "{}", shape.name);
                refs += arg.kind.refs();
            }
            assert_eq!(shape.refs, refs + u8::from(shape.ret == Ret::Fd), "{}", shape.name);
            assert_eq!(shape.ret_ref(), (shape.ret == Ret::Fd).then_some(refs), "{}", shape.name);
            if !shape.described {
                assert_eq!((shape.words(), shape.items, shape.refs), (6, 0, 0), "{}", shape.name);
            }
        }
        for &(nr, name) in if arch == Arch::X86_64 { numbers::X86_64 } else { numbers::AARCH64 } {
            assert_eq!(&*schema.shape(nr).name, name);
            assert_eq!(schema.code(name), Some(nr));
        }
        assert_eq!(schema.code("procexit"), Some(PROCEXIT));
        assert_eq!(schema.code("lost"), Some(LOST));
    }
}

/// State looks the descriptors of sets and arrays up when the call's effect is done: there is none, or it is what brought them.
#[test]
fn calls_with_sets_and_arrays_of_descriptors_change_none() {
    for arch in ARCHES {
        let schema = Schema::native(arch);
        let lists: Vec<&Shape> = schema.named().filter(|s| s.lists).collect();
        assert!(lists.iter().any(|s| &*s.name == "ppoll") && lists.iter().any(|s| &*s.name == "pselect6"));
        for shape in lists {
            let brings = matches!(shape.effect, Effect::Receive | Effect::ReceiveAll);
            // A send changes an address, and no number.
            let none = matches!(shape.effect, Effect::None | Effect::Send | Effect::SendMsg);
            assert!(brings || none, "{}", shape.name);
            assert!(shape.names_several());
        }
        let several = |name: &str| schema.shape_named(name).names_several();
        assert!(
            ["splice", "sendfile", "dup3", "pipe2", "socketpair", "accept4", "epoll_ctl"]
                .into_iter()
                .all(several)
        );
        assert!(!["openat", "read", "close", "renameat2", "epoll_pwait", "getppid"].into_iter().any(several));
    }
}

#[test]
fn twins_of_32_bits_are_found_by_name_and_never_described() {
    let schema = Schema::native(Arch::X86_64);
    assert_eq!(schema.codes("openat").collect::<Vec<u16>>(), [257, COMPAT + 295]);
    assert!(!schema.shape(COMPAT + 295).described);
    assert_eq!(schema.code("socketcall"), Some(COMPAT + 102));
    assert_eq!(schema.code("no_such_call"), None);
}

#[test]
fn every_call_is_described() {
    for arch in ARCHES {
        let schema = Schema::native(arch);
        for &(nr, name) in if arch == Arch::X86_64 { numbers::X86_64 } else { numbers::AARCH64 } {
            assert!(schema.shape(nr).described, "{name}");
        }
    }
}

#[test]
fn kinds_and_results_are_documented() {
    let plain = |text: &str| text.is_ascii() && !text.is_empty() && !text.ends_with('.');
    for call in CALLS {
        for arg in call.args {
            assert!(plain(&arg.kind.doc()), "{} {}", call.name, arg.name);
        }
        assert_eq!(Ret::from_text(&call.ret.to_text()), Some(call.ret), "{}", call.name);
    }
    assert!(Ret::PLAIN.iter().all(|(_, name, doc)| plain(name) && plain(doc)));
    assert!(Class::NAMES.iter().all(|(_, name, doc)| plain(name) && plain(doc)));
}

#[test]
fn choices_hang_on_arguments_that_have_their_names() {
    let mut seen = HashSet::new();
    for choice in choices::ALL {
        assert!(seen.insert(choice.name), "{} twice", choice.name);
        assert_eq!(choices::by_name(choice.name), Some(*choice));
        let mut values = HashSet::new();
        assert!(choice.rows.iter().all(|(v, _)| values.insert(v)), "{} has a value twice", choice.name);
        // Every value can be what the mask leaves.
        let most = if choice.on.under { u64::MAX } else { choice.on.mask >> choice.on.shift };
        assert!(choice.rows.iter().all(|(v, _)| *v <= most), "{}", choice.name);
    }
    let mut used = HashSet::new();
    for call in CALLS {
        let of_ret = if let Ret::By(c) = call.ret { Some(c) } else { None };
        let of_args = call.args.iter().filter_map(|a| if let Kind::By(c) = a.kind { Some(c) } else { None });
        for choice in of_args.chain(of_ret) {
            used.insert(choice.name);
            if choice.rows.is_empty() {
                continue;
            }
            let on = call.args[usize::from(choice.on.arg)];
            let (Kind::Enum(table) | Kind::Flags(table)) = on.kind else {
                assert!(matches!(on.kind, Kind::By(_)), "{} hangs on {}", choice.name, on.name);
                continue;
            };
            for (value, _) in choice.rows {
                assert!(
                    table.name_of(*value).is_some(),
                    "{value:#x} of {} is not in {}",
                    choice.name,
                    table.name
                );
            }
        }
    }
    assert_eq!(used.len(), choices::ALL.len(), "a choice that no call takes");
    assert_eq!(structs::by_name("rope"), None);
}

#[test]
fn the_common_calls_are_described() {
    let schema = Schema::native(Arch::X86_64);
    // What ls, a shell, wget, nginx and redis do.
    let common = "read write open close stat fstat lstat poll lseek mmap mprotect munmap brk rt_sigaction \
        rt_sigprocmask rt_sigreturn rt_sigsuspend ioctl pread64 pwrite64 readv writev access pipe select mremap \
        madvise dup dup2 dup3 nanosleep getpid sendfile socket connect accept accept4 sendto recvfrom sendmsg \
        recvmsg shutdown bind listen getsockname getpeername socketpair setsockopt getsockopt clone fork vfork \
        clone3 execve exit exit_group wait4 kill tgkill uname fcntl flock fsync fdatasync ftruncate getdents64 \
        getcwd chdir rename mkdir rmdir unlink readlink chmod fchmod chown fchown umask getrlimit getrusage \
        sysinfo getuid geteuid getgid getegid setuid setgid setgroups getppid getpgrp setpgid setsid \
        sigaltstack statfs fstatfs prctl arch_prctl setrlimit prlimit64 gettid futex sched_setaffinity \
        sched_getaffinity epoll_create epoll_create1 epoll_ctl epoll_wait epoll_pwait set_tid_address \
        set_robust_list rseq clock_gettime clock_nanosleep openat openat2 newfstatat statx unlinkat renameat2 \
        mkdirat faccessat faccessat2 readlinkat utimensat pselect6 ppoll eventfd2 timerfd_create \
        timerfd_settime signalfd4 pipe2 inotify_init1 inotify_add_watch getrandom memfd_create io_setup \
        copy_file_range sendmmsg recvmmsg sched_yield setitimer bpf ptrace mount umount2 unshare setns";
    for name in common.split_whitespace() {
        let code = schema.code(name).unwrap_or_else(|| panic!("no {name}"));
        assert!(schema.shape(code).described, "{name}");
    }
}

#[test]
fn classes_are_known_and_every_call_has_one() {
    let known = Class::NAMES.iter().fold(0, |bits, (c, ..)| bits | c.0);
    for call in CALLS {
        assert_eq!(call.class.0 & !known, 0, "{}", call.name);
        assert!(call.class != Class::OTHER || call.name == "lost", "{}", call.name);
        let takes_or_makes = call.ret == Ret::Fd || call.args.iter().any(|a| a.kind.refs() > 0);
        assert!(!takes_or_makes || call.class.has(Class::DESC), "{} is about descriptors", call.name);
        let path = call.args.iter().any(|a| a.kind == Kind::Path);
        assert!(!path || call.class.has(Class::FILE.and(Class::PROCESS)), "{} is about files", call.name);
    }
}

#[test]
fn tables_have_one_name_each_and_name_no_row_twice() {
    let mut seen = HashSet::new();
    for table in names::ALL {
        assert!(seen.insert(table.name), "{} twice", table.name);
        assert_eq!(names::by_name(table.name), Some(*table));
        assert!(!table.rows.is_empty(), "{}", table.name);
        let names: HashSet<&str> = table.rows.iter().map(|(_, n)| *n).collect();
        assert_eq!(names.len(), table.rows.len(), "{}", table.name);
        for (value, name) in table.rows {
            assert_eq!(table.value_of(name), Some(*value));
        }
    }
}

#[test]
fn every_table_of_a_row_can_be_found_by_name() {
    for arch in ARCHES {
        for shape in Schema::native(arch).shapes() {
            for arg in shape.args.iter() {
                if let Kind::Flags(table) | Kind::Enum(table) = arg.kind {
                    assert_eq!(names::by_name(table.name), Some(table), "{}", shape.name);
                }
            }
        }
    }
}

#[test]
fn flags_have_their_composites_first_and_no_value_twice() {
    let flags: HashMap<&str, &names::Names> = CALLS
        .iter()
        .flat_map(|c| c.args)
        .filter_map(|a| if let Kind::Flags(t) = a.kind { Some((t.name, t)) } else { None })
        .collect();
    assert!(flags.len() > 50);
    for table in flags.values() {
        for (i, (earlier, part)) in table.rows.iter().enumerate() {
            for (later, whole) in &table.rows[i + 1..] {
                assert_ne!(earlier, later, "{}: {part} and {whole}", table.name);
                let (e, l) = (earlier & !table.mask, later & !table.mask);
                assert!(e == 0 || e & l != e, "{}: {whole} stands after its part {part}", table.name);
            }
        }
        // A row is either within the enumeration or outside of it.
        for (value, name) in table.rows {
            assert!(value & table.mask == 0 || value & !table.mask == 0, "{} {name}", table.name);
        }
    }
}

#[test]
fn open_flags_are_those_of_the_architecture() {
    let flags = |arch: Arch| match Schema::native(arch).shape_named("openat").arg("flags") {
        Some((_, ArgShape { kind: Kind::Flags(table), .. })) => *table,
        other => panic!("{other:?}"),
    };
    assert_eq!(flags(Arch::X86_64).value_of("O_DIRECTORY"), Some(0o200000));
    assert_eq!(flags(Arch::Aarch64).value_of("O_DIRECTORY"), Some(0o40000));
    assert_eq!(flags(Arch::X86_64).value_of("O_LARGEFILE"), Some(0o100000));
    let native = flags(Arch::NATIVE);
    for (name, value) in [
        ("O_DIRECT", libc::O_DIRECT),
        ("O_DIRECTORY", libc::O_DIRECTORY),
        ("O_NOFOLLOW", libc::O_NOFOLLOW),
        ("O_TMPFILE", libc::O_TMPFILE),
        ("O_SYNC", libc::O_SYNC),
        ("O_DSYNC", libc::O_DSYNC),
        ("O_PATH", libc::O_PATH),
        ("O_CLOEXEC", libc::O_CLOEXEC),
        ("O_NOATIME", libc::O_NOATIME),
        ("O_ASYNC", libc::O_ASYNC),
    ] {
        assert_eq!(native.value_of(name), Some(value as u64), "{name}");
    }
}

impl Schema {
    fn shape_named(&self, name: &str) -> &Shape {
        self.shape(self.code(name).expect("a call"))
    }
}

macro_rules! agrees {
    ($table:expr; $($name:ident)*) => {
        $(assert_eq!($table.value_of(stringify!($name)), Some(i64::from(libc::$name) as u64 & u64::from(u32::MAX)),
            stringify!($name));)*
    };
}

#[test]
fn errors_are_those_of_the_c_library() {
    agrees!(names::ERRNO; EPERM ENOENT ESRCH EINTR EIO ENXIO E2BIG ENOEXEC EBADF ECHILD EAGAIN ENOMEM EACCES EFAULT
        ENOTBLK EBUSY EEXIST EXDEV ENODEV ENOTDIR EISDIR EINVAL ENFILE EMFILE ENOTTY ETXTBSY EFBIG ENOSPC ESPIPE EROFS
        EMLINK EPIPE EDOM ERANGE EDEADLK ENAMETOOLONG ENOLCK ENOSYS ENOTEMPTY ELOOP ENOMSG EIDRM ECHRNG EL2NSYNC EL3HLT
        EL3RST ELNRNG EUNATCH ENOCSI EL2HLT EBADE EBADR EXFULL ENOANO EBADRQC EBADSLT EBFONT ENOSTR ENODATA ETIME ENOSR
        ENONET ENOPKG EREMOTE ENOLINK EADV ESRMNT ECOMM EPROTO EMULTIHOP EDOTDOT EBADMSG EOVERFLOW ENOTUNIQ EBADFD
        EREMCHG ELIBACC ELIBBAD ELIBSCN ELIBMAX ELIBEXEC EILSEQ ERESTART ESTRPIPE EUSERS ENOTSOCK EDESTADDRREQ EMSGSIZE
        EPROTOTYPE ENOPROTOOPT EPROTONOSUPPORT ESOCKTNOSUPPORT EOPNOTSUPP EPFNOSUPPORT EAFNOSUPPORT EADDRINUSE
        EADDRNOTAVAIL ENETDOWN ENETUNREACH ENETRESET ECONNABORTED ECONNRESET ENOBUFS EISCONN ENOTCONN ESHUTDOWN
        ETOOMANYREFS ETIMEDOUT ECONNREFUSED EHOSTDOWN EHOSTUNREACH EALREADY EINPROGRESS ESTALE EUCLEAN ENOTNAM ENAVAIL
        EISNAM EREMOTEIO EDQUOT ENOMEDIUM EMEDIUMTYPE ECANCELED ENOKEY EKEYEXPIRED EKEYREVOKED EKEYREJECTED EOWNERDEAD
        ENOTRECOVERABLE ERFKILL EHWPOISON EWOULDBLOCK EDEADLOCK ENOTSUP);
    let missing: Vec<u64> =
        (1..=133).filter(|n| ![41, 58].contains(n) && names::errno(*n).is_none()).collect();
    assert!(missing.is_empty(), "{missing:?}");
    assert_eq!(names::errno(11), Some("EAGAIN"));
    assert!((512..=516).filter(|n| *n != 515).all(|n| is_restart(-n) && names::errno(n as u64).is_some()));
}

#[test]
fn signals_are_those_of_the_c_library() {
    agrees!(names::SIGNAL; SIGHUP SIGINT SIGQUIT SIGILL SIGTRAP SIGABRT SIGBUS SIGFPE SIGKILL SIGUSR1 SIGSEGV SIGUSR2
        SIGPIPE SIGALRM SIGTERM SIGSTKFLT SIGCHLD SIGCONT SIGSTOP SIGTSTP SIGTTIN SIGTTOU SIGURG SIGXCPU SIGXFSZ
        SIGVTALRM SIGPROF SIGWINCH SIGIO SIGPWR SIGSYS SIGPOLL SIGIOT);
    assert!((1..=64).all(|n| names::SIGNAL.name_of(n).is_some()));
    assert_eq!(names::SIGNAL.name_of(6), Some("SIGABRT"));
    assert_eq!(names::SIGNAL.name_of(32), Some("SIGRTMIN"));
    assert_eq!(names::SIGNAL.name_of(64), Some("SIGRT_32"));
}

#[test]
fn tables_agree_with_the_c_library() {
    agrees!(tables::AF; AF_UNIX AF_INET AF_INET6 AF_NETLINK AF_PACKET AF_VSOCK AF_ALG AF_XDP AF_BLUETOOTH);
    agrees!(tables::SOCK; SOCK_STREAM SOCK_DGRAM SOCK_RAW SOCK_SEQPACKET SOCK_NONBLOCK SOCK_CLOEXEC);
    agrees!(tables::MSG; MSG_PEEK MSG_TRUNC MSG_CTRUNC MSG_DONTWAIT MSG_NOSIGNAL MSG_MORE MSG_ERRQUEUE MSG_WAITFORONE
        MSG_CMSG_CLOEXEC MSG_WAITALL);
    agrees!(tables::PROT; PROT_NONE PROT_READ PROT_WRITE PROT_EXEC);
    agrees!(tables::MMAP; MAP_SHARED MAP_PRIVATE MAP_FIXED MAP_ANONYMOUS MAP_GROWSDOWN MAP_NORESERVE MAP_POPULATE
        MAP_STACK MAP_HUGETLB MAP_SYNC MAP_FIXED_NOREPLACE MAP_LOCKED);
    agrees!(tables::CLONE; CLONE_VM CLONE_FS CLONE_FILES CLONE_SIGHAND CLONE_PIDFD CLONE_VFORK CLONE_THREAD CLONE_NEWNS
        CLONE_SYSVSEM CLONE_SETTLS CLONE_PARENT_SETTID CLONE_CHILD_CLEARTID CLONE_CHILD_SETTID CLONE_NEWUSER
        CLONE_NEWPID CLONE_NEWNET CLONE_NEWCGROUP CLONE_NEWUTS CLONE_NEWIPC CLONE_IO SIGCHLD);
    agrees!(tables::FCNTL; F_DUPFD F_GETFD F_SETFD F_GETFL F_SETFL F_GETLK F_SETLK F_SETLKW F_SETOWN F_GETOWN
        F_DUPFD_CLOEXEC F_ADD_SEALS F_GET_SEALS F_SETPIPE_SZ F_GETPIPE_SZ F_OFD_SETLK F_SETLEASE F_NOTIFY);
    agrees!(tables::AT; AT_SYMLINK_NOFOLLOW AT_SYMLINK_FOLLOW AT_NO_AUTOMOUNT AT_EMPTY_PATH);
    agrees!(tables::AT_UNLINK; AT_REMOVEDIR);
    agrees!(tables::AT_ACCESS; AT_EACCESS);
    agrees!(tables::FUTEX; FUTEX_WAIT FUTEX_WAKE FUTEX_REQUEUE FUTEX_WAIT_BITSET FUTEX_WAKE_BITSET FUTEX_LOCK_PI
        FUTEX_PRIVATE_FLAG FUTEX_CLOCK_REALTIME);
    agrees!(tables::PRCTL; PR_SET_NAME PR_GET_NAME PR_SET_PDEATHSIG PR_SET_DUMPABLE PR_SET_NO_NEW_PRIVS PR_SET_SECCOMP
        PR_CAPBSET_READ PR_CAPBSET_DROP PR_SET_CHILD_SUBREAPER PR_SET_VMA PR_SET_KEEPCAPS PR_SET_PTRACER PR_CAP_AMBIENT);
    agrees!(tables::EPOLL; EPOLLIN EPOLLPRI EPOLLOUT EPOLLERR EPOLLHUP EPOLLRDHUP EPOLLEXCLUSIVE EPOLLWAKEUP
        EPOLLONESHOT EPOLLET);
    agrees!(tables::EPOLL_CTL; EPOLL_CTL_ADD EPOLL_CTL_MOD EPOLL_CTL_DEL);
    agrees!(tables::MADVISE; MADV_NORMAL MADV_DONTNEED MADV_FREE MADV_HUGEPAGE MADV_NOHUGEPAGE MADV_DONTDUMP
        MADV_WIPEONFORK MADV_COLD MADV_PAGEOUT MADV_POPULATE_READ);
    agrees!(tables::RLIMIT; RLIMIT_CPU RLIMIT_FSIZE RLIMIT_DATA RLIMIT_STACK RLIMIT_CORE RLIMIT_RSS RLIMIT_NPROC
        RLIMIT_NOFILE RLIMIT_MEMLOCK RLIMIT_AS RLIMIT_LOCKS RLIMIT_SIGPENDING RLIMIT_MSGQUEUE RLIMIT_NICE RLIMIT_RTPRIO
        RLIMIT_RTTIME);
    agrees!(tables::CLOCK; CLOCK_REALTIME CLOCK_MONOTONIC CLOCK_PROCESS_CPUTIME_ID CLOCK_THREAD_CPUTIME_ID
        CLOCK_MONOTONIC_RAW CLOCK_REALTIME_COARSE CLOCK_MONOTONIC_COARSE CLOCK_BOOTTIME CLOCK_TAI);
    agrees!(tables::WAIT; WNOHANG WUNTRACED WEXITED WCONTINUED WNOWAIT __WALL __WCLONE __WNOTHREAD);
    agrees!(tables::SEEK; SEEK_SET SEEK_CUR SEEK_END SEEK_DATA SEEK_HOLE);
    agrees!(tables::EVENTFD; EFD_CLOEXEC EFD_NONBLOCK EFD_SEMAPHORE);
    agrees!(tables::TIMERFD_CREATE; TFD_CLOEXEC TFD_NONBLOCK);
    agrees!(tables::MEMFD; MFD_CLOEXEC MFD_ALLOW_SEALING MFD_HUGETLB);
    agrees!(tables::INOTIFY; IN_ACCESS IN_MODIFY IN_CLOSE IN_MOVE IN_ALL_EVENTS IN_ONLYDIR IN_ONESHOT);
    agrees!(tables::SHUT; SHUT_RD SHUT_WR SHUT_RDWR);
    agrees!(tables::FLOCK; LOCK_SH LOCK_EX LOCK_NB LOCK_UN);
    agrees!(tables::RUSAGE; RUSAGE_SELF RUSAGE_CHILDREN RUSAGE_THREAD);
    agrees!(tables::PTRACE; PTRACE_TRACEME PTRACE_ATTACH PTRACE_DETACH PTRACE_SEIZE PTRACE_CONT PTRACE_SYSCALL
        PTRACE_GETREGSET PTRACE_SETOPTIONS PTRACE_INTERRUPT PTRACE_GETEVENTMSG);
    agrees!(tables::UMOUNT; MNT_FORCE MNT_DETACH MNT_EXPIRE UMOUNT_NOFOLLOW);
    for (name, value) in [
        ("MS_RDONLY", libc::MS_RDONLY),
        ("MS_BIND", libc::MS_BIND),
        ("MS_REC", libc::MS_REC),
        ("MS_PRIVATE", libc::MS_PRIVATE),
        ("MS_RELATIME", libc::MS_RELATIME),
        ("MS_LAZYTIME", libc::MS_LAZYTIME),
    ] {
        assert_eq!(tables::MOUNT.value_of(name), Some(value), "{name}");
    }
    for (name, value) in [
        ("TCGETS", libc::TCGETS),
        ("TIOCGWINSZ", libc::TIOCGWINSZ),
        ("FIONREAD", libc::FIONREAD),
        ("FIONBIO", libc::FIONBIO),
        ("FIOCLEX", libc::FIOCLEX),
        ("FIONCLEX", libc::FIONCLEX),
        ("TIOCSCTTY", libc::TIOCSCTTY),
        ("TIOCGPTN", libc::TIOCGPTN),
    ] {
        // musl says `int` where glibc says `unsigned long`.
        #[allow(clippy::unnecessary_cast, reason = "the type depends on the C library")]
        let value = value as u32;
        assert_eq!(tables::IOCTL.value_of(name), Some(u64::from(value)), "{name}");
    }
}

#[test]
fn socket_options_have_names_at_their_level_only() {
    let name = |level: i32, option: i32| tables::SOCKOPT.name_under(level as u32, option as u32);
    assert_eq!(name(libc::SOL_SOCKET, libc::SO_REUSEADDR), Some("SO_REUSEADDR"));
    assert_eq!(name(libc::SOL_SOCKET, libc::SO_PEERCRED), Some("SO_PEERCRED"));
    assert_eq!(name(libc::IPPROTO_TCP, libc::TCP_NODELAY), Some("TCP_NODELAY"));
    assert_eq!(name(libc::IPPROTO_TCP, libc::TCP_FASTOPEN), Some("TCP_FASTOPEN"));
    assert_eq!(name(libc::IPPROTO_IPV6, libc::IPV6_V6ONLY), Some("IPV6_V6ONLY"));
    assert_eq!(name(libc::IPPROTO_IP, libc::IP_TTL), Some("IP_TTL"));
    assert_eq!(name(libc::IPPROTO_TCP, 99), None);
    // Without the level nothing is found, not even at level 0.
    assert!((0..100).all(|option| tables::SOCKOPT.name_of(option).is_none()));
}
