//! What an argument *is*: the kinds.
//!
//! Enters: nothing; this is a table of types. Leaves: for each kind, which raw register word it has, which bytes the
//! probe copies for it (an *item*), and whether it names a descriptor (a *reference*). Never: rendering, reading memory.
//!
//! A kind is also a word in the schema block of a reel ([`Kind::to_text`], [`Kind::from_text`]), so its spelling is part
//! of the file format: append, never rename.

use super::names::{self, Names};

/// Where the length of a counted thing is found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Len {
    /// In the register of argument N (0 to 5), counted in the kind's unit.
    Arg(u8),
    /// In the call's result.
    Ret,
    /// Argument N points to a `u32` that holds it (`accept`'s `addrlen`).
    At(u8),
}

/// Structures of fixed size that are copied whole and decoded when they are looked at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Struct {
    /// `struct timespec`: i64 seconds, i64 nanoseconds.
    Timespec,
    /// `struct timespec[2]` as `utimensat` takes it.
    Timespec2,
    /// `struct timeval`: i64 seconds, i64 microseconds.
    Timeval,
    /// `struct itimerval`: two timevals (interval, value).
    Itimerval,
    /// `struct itimerspec`: two timespecs (interval, value).
    Itimerspec,
    /// `struct rlimit`: u64 soft, u64 hard.
    Rlimit,
    /// `struct rusage`: two timevals, then 14 longs.
    Rusage,
    /// `struct stat` of this architecture's 64-bit ABI (144 bytes on x86_64, 128 on aarch64).
    Stat,
    /// `struct statx`, its first 160 bytes.
    Statx,
    /// `struct statfs`, 120 bytes.
    Statfs,
    /// `struct utsname`, six fields of 65 bytes.
    Utsname,
    /// `struct sysinfo`, 112 bytes.
    Sysinfo,
    /// `sigset_t` of the kernel: one u64.
    Sigset,
    /// kernel `struct sigaction`: handler, flags, restorer, mask (32 bytes).
    Sigaction,
    /// `struct epoll_event`: u32 events, u64 data (12 bytes packed on x86_64, 16 elsewhere).
    EpollEvent,
    /// `int[2]` filled by `pipe` or `socketpair`: two descriptors, two references.
    FdPair,
    /// One `int`.
    Int,
    /// One `u32` holding a wait status.
    WaitStatus,
    /// One `loff_t` or other 64-bit signed number.
    Int64,
    /// `struct clone_args`, its first 88 bytes.
    CloneArgs,
    /// `struct open_how`, 24 bytes.
    OpenHow,
    /// `struct tms`, 32 bytes.
    Tms,
    /// `siginfo_t`, its first 32 bytes.
    Siginfo,
    /// `struct termios` of the kernel, 36 bytes.
    Termios,
    /// `struct winsize`, 8 bytes.
    Winsize,
    /// `struct sched_param`: one int.
    SchedParam,
}

impl Struct {
    /// Every structure, for tables and tests.
    pub const ALL: &'static [Struct] = &[
        Struct::Timespec,
        Struct::Timespec2,
        Struct::Timeval,
        Struct::Itimerval,
        Struct::Itimerspec,
        Struct::Rlimit,
        Struct::Rusage,
        Struct::Stat,
        Struct::Statx,
        Struct::Statfs,
        Struct::Utsname,
        Struct::Sysinfo,
        Struct::Sigset,
        Struct::Sigaction,
        Struct::EpollEvent,
        Struct::FdPair,
        Struct::Int,
        Struct::WaitStatus,
        Struct::Int64,
        Struct::CloneArgs,
        Struct::OpenHow,
        Struct::Tms,
        Struct::Siginfo,
        Struct::Termios,
        Struct::Winsize,
        Struct::SchedParam,
    ];

    /// Bytes that the probe copies.
    pub const fn size(self) -> u16 {
        match self {
            Struct::Timespec | Struct::Timeval | Struct::Rlimit => 16,
            Struct::Timespec2 | Struct::Itimerval | Struct::Itimerspec => 32,
            Struct::Rusage | Struct::Stat => 144,
            Struct::Statx => 160,
            Struct::Statfs => 120,
            Struct::Utsname => 390,
            Struct::Sysinfo => 112,
            Struct::Sigset | Struct::FdPair | Struct::Int64 | Struct::Winsize => 8,
            Struct::Sigaction | Struct::Tms | Struct::Siginfo => 32,
            Struct::EpollEvent => 12,
            Struct::Int | Struct::WaitStatus | Struct::SchedParam => 4,
            Struct::CloneArgs => 88,
            Struct::OpenHow => 24,
            Struct::Termios => 36,
        }
    }

    /// The spelling in a reel's schema block.
    pub const fn name(self) -> &'static str {
        match self {
            Struct::Timespec => "timespec",
            Struct::Timespec2 => "timespec2",
            Struct::Timeval => "timeval",
            Struct::Itimerval => "itimerval",
            Struct::Itimerspec => "itimerspec",
            Struct::Rlimit => "rlimit",
            Struct::Rusage => "rusage",
            Struct::Stat => "stat",
            Struct::Statx => "statx",
            Struct::Statfs => "statfs",
            Struct::Utsname => "utsname",
            Struct::Sysinfo => "sysinfo",
            Struct::Sigset => "sigset",
            Struct::Sigaction => "sigaction",
            Struct::EpollEvent => "epoll_event",
            Struct::FdPair => "fdpair",
            Struct::Int => "int_ptr",
            Struct::WaitStatus => "wait_status",
            Struct::Int64 => "int64_ptr",
            Struct::CloneArgs => "clone_args",
            Struct::OpenHow => "open_how",
            Struct::Tms => "tms",
            Struct::Siginfo => "siginfo",
            Struct::Termios => "termios",
            Struct::Winsize => "winsize",
            Struct::SchedParam => "sched_param",
        }
    }
}

/// What one argument of a call is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    // --- one register word, nothing copied ---
    /// A signed number (`int` arguments are sign-extended from 32 bits when rendered).
    Int,
    /// A signed 64-bit number.
    Long,
    /// An unsigned 32-bit number.
    UInt,
    /// An address, or a word that nobody has described yet.
    Hex,
    /// A number of bytes.
    Size,
    /// A file offset.
    Offset,
    /// A file descriptor: one reference.
    Fd,
    /// A directory descriptor or AT_FDCWD: one reference.
    DirFd,
    /// Bits with names.
    Flags(&'static Names),
    /// A number with names.
    Enum(&'static Names),
    /// Permission bits, octal.
    Mode,
    /// A device number, as the `dev_t` that user space sees.
    Dev,
    /// A process or thread id.
    Pid,
    /// A user id.
    Uid,
    /// A group id.
    Gid,
    /// A signal number.
    Signal,
    // --- one register word, and bytes copied from where it points: one item ---
    /// A NUL-terminated path, relative to the DirFd argument just before it, or to the working directory.
    Path,
    /// Another NUL-terminated string.
    Str,
    /// A buffer; the length in bytes.
    Bytes(Len),
    /// A `struct sockaddr` of that length.
    Sockaddr(Len),
    /// An iovec array with that many elements; the item is a data word ([`super::item`]) and the data, joined, cut at
    /// the snaplen.
    Iovec(Len),
    /// A `struct msghdr`; the item is a message ([`super::item`]).
    Msghdr,
    /// An array of `struct mmsghdr` with that many elements; the item is as many messages.
    Mmsghdr(Len),
    /// An `fd_set` with that many bits; the item is `i32` bytes before the call, `i32` bytes after it (-1: unreadable,
    /// -2: none), and those bytes.
    FdSet(Len),
    /// An array of `struct pollfd` with that many elements.
    Pollfds(Len),
    /// An array of `struct epoll_event` with that many elements.
    EpollEvents(Len),
    /// A NULL-terminated array of strings (argv, envp); the item is the strings, each NUL-terminated.
    Strings,
    /// A structure of fixed size.
    Struct(Struct),
    /// Something that a later version wrote: a word, perhaps with an item or a reference, shown raw.
    Unknown {
        /// It has an item.
        item: bool,
        /// It has this many references.
        refs: u8,
    },
}

impl Kind {
    /// True if the probe copies bytes for it: the row then has an item for this argument.
    pub const fn has_item(self) -> bool {
        match self {
            Kind::Int
            | Kind::Long
            | Kind::UInt
            | Kind::Hex
            | Kind::Size
            | Kind::Offset
            | Kind::Fd
            | Kind::DirFd
            | Kind::Flags(_)
            | Kind::Enum(_)
            | Kind::Mode
            | Kind::Dev
            | Kind::Pid
            | Kind::Uid
            | Kind::Gid
            | Kind::Signal => false,
            Kind::Path
            | Kind::Str
            | Kind::Bytes(_)
            | Kind::Sockaddr(_)
            | Kind::Iovec(_)
            | Kind::Msghdr
            | Kind::Mmsghdr(_)
            | Kind::FdSet(_)
            | Kind::Pollfds(_)
            | Kind::EpollEvents(_)
            | Kind::Strings
            | Kind::Struct(_) => true,
            Kind::Unknown { item, .. } => item,
        }
    }

    /// How many descriptors it names.
    pub const fn refs(self) -> u8 {
        match self {
            Kind::Fd | Kind::DirFd => 1,
            Kind::Struct(Struct::FdPair) => 2,
            Kind::Unknown { refs, .. } => refs,
            _ => 0,
        }
    }

    /// The spelling in a reel's schema block: `path`, `flags(open)`, `bytes(ret)`, `struct(timespec)`.
    pub fn to_text(self) -> String {
        let len = |l: Len| match l {
            Len::Arg(n) => format!("arg{n}"),
            Len::Ret => "ret".to_string(),
            Len::At(n) => format!("at{n}"),
        };
        match self {
            Kind::Int => "int".into(),
            Kind::Long => "long".into(),
            Kind::UInt => "uint".into(),
            Kind::Hex => "hex".into(),
            Kind::Size => "size".into(),
            Kind::Offset => "offset".into(),
            Kind::Fd => "fd".into(),
            Kind::DirFd => "dirfd".into(),
            Kind::Flags(t) => format!("flags({})", t.name),
            Kind::Enum(t) => format!("enum({})", t.name),
            Kind::Mode => "mode".into(),
            Kind::Dev => "dev".into(),
            Kind::Pid => "pid".into(),
            Kind::Uid => "uid".into(),
            Kind::Gid => "gid".into(),
            Kind::Signal => "signal".into(),
            Kind::Path => "path".into(),
            Kind::Str => "str".into(),
            Kind::Bytes(l) => format!("bytes({})", len(l)),
            Kind::Sockaddr(l) => format!("sockaddr({})", len(l)),
            Kind::Iovec(l) => format!("iovecs({})", len(l)),
            Kind::Msghdr => "message".into(),
            Kind::Mmsghdr(l) => format!("messages({})", len(l)),
            Kind::FdSet(l) => format!("fdset({})", len(l)),
            Kind::Pollfds(l) => format!("pollfds({})", len(l)),
            Kind::EpollEvents(l) => format!("epoll_events({})", len(l)),
            Kind::Strings => "strings".into(),
            Kind::Struct(s) => format!("struct({})", s.name()),
            Kind::Unknown { item, refs } => format!("unknown({},{refs})", u8::from(item)),
        }
    }

    /// The kind that `text` spells, or [`Kind::Unknown`] with the given shape: a word that this version does not know is
    /// shown raw, never refused. A known word whose shape differs from the file's is not trusted either.
    pub fn from_text(text: &str, item: bool, refs: u8) -> Kind {
        let unknown = Kind::Unknown { item, refs };
        let (head, arg) = match text.split_once('(') {
            Some((h, rest)) => (h, rest.strip_suffix(')').unwrap_or("")),
            None => (text, ""),
        };
        let len = || -> Option<Len> {
            if arg == "ret" {
                return Some(Len::Ret);
            }
            let (make, digits): (fn(u8) -> Len, &str) =
                match (arg.strip_prefix("arg"), arg.strip_prefix("at")) {
                    (Some(d), _) => (Len::Arg, d),
                    (_, Some(d)) => (Len::At, d),
                    _ => return None,
                };
            digits.parse().ok().filter(|n| *n < 6).map(make)
        };
        let kind = match head {
            "int" => Some(Kind::Int),
            "long" => Some(Kind::Long),
            "uint" => Some(Kind::UInt),
            "hex" => Some(Kind::Hex),
            "size" => Some(Kind::Size),
            "offset" => Some(Kind::Offset),
            "fd" => Some(Kind::Fd),
            "dirfd" => Some(Kind::DirFd),
            "flags" => names::by_name(arg).map(Kind::Flags),
            "enum" => names::by_name(arg).map(Kind::Enum),
            "mode" => Some(Kind::Mode),
            "dev" => Some(Kind::Dev),
            "pid" => Some(Kind::Pid),
            "uid" => Some(Kind::Uid),
            "gid" => Some(Kind::Gid),
            "signal" => Some(Kind::Signal),
            "path" => Some(Kind::Path),
            "str" => Some(Kind::Str),
            "bytes" => len().map(Kind::Bytes),
            "sockaddr" => len().map(Kind::Sockaddr),
            "iovecs" => len().map(Kind::Iovec),
            "message" => Some(Kind::Msghdr),
            "messages" => len().map(Kind::Mmsghdr),
            "fdset" => len().map(Kind::FdSet),
            "pollfds" => len().map(Kind::Pollfds),
            "epoll_events" => len().map(Kind::EpollEvents),
            "strings" => Some(Kind::Strings),
            "struct" => Struct::ALL.iter().find(|s| s.name() == arg).map(|s| Kind::Struct(*s)),
            _ => None,
        };
        kind.filter(|k| k.has_item() == item && k.refs() == refs).unwrap_or(unknown)
    }
}

/// Which way an argument's bytes go: what is written by the kernel is copied only if the call succeeded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Dir {
    /// Read by the kernel: copied always.
    In,
    /// Written by the kernel: copied if the result is not an error.
    Out,
    /// Read by the kernel and then overwritten: copied when the call begins.
    Before,
}

/// What a call's result is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ret {
    /// 0 or an error.
    Zero,
    /// A signed number.
    Int,
    /// A number of bytes.
    Bytes,
    /// A new or looked-up descriptor: one more reference, the row's last.
    Fd,
    /// A process or thread id.
    Pid,
    /// An address.
    Addr,
    /// A user id.
    Uid,
    /// A group id.
    Gid,
    /// Permission bits.
    Mode,
    /// The call does not return: shown as `?`.
    None,
}

impl Ret {
    /// Every kind of result with its spelling in a reel's schema block.
    pub const ALL: &'static [(Ret, &'static str)] = &[
        (Ret::Zero, "zero"),
        (Ret::Int, "int"),
        (Ret::Bytes, "bytes"),
        (Ret::Fd, "fd"),
        (Ret::Pid, "pid"),
        (Ret::Addr, "addr"),
        (Ret::Uid, "uid"),
        (Ret::Gid, "gid"),
        (Ret::Mode, "mode"),
        (Ret::None, "none"),
    ];

    /// The spelling in a reel's schema block.
    pub fn name(self) -> &'static str {
        Ret::ALL.iter().find(|(r, _)| *r == self).map_or("int", |(_, n)| n)
    }
}
