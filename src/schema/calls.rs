//! One row per system call: name, class, arguments, result, effect on state.
//!
//! Enters: nothing. Leaves: [`CALLS`], from which copy plans, decoder, names and types in text and JSON, state effects,
//! interest sets, `sysreel calls`, the manual and the reel's schema block all derive. Never: numbers (they differ by
//! architecture and stand in [`super::numbers`]), code.
//!
//! Rules for editing: append arguments only; never reuse a name for a new meaning; a row's name must have a number on
//! some architecture; a length refers to an argument that exists.

use super::kind::{Dir, Kind, Len, Ret, Struct};
use super::tables as t;

/// What a call is about; a call may be about several things.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Class(pub u16);

impl Class {
    /// Files and directories, by name or by descriptor.
    pub const FILE: Class = Class(1);
    /// Sockets.
    pub const NET: Class = Class(2);
    /// Processes and threads: birth, program, end, waiting, limits.
    pub const PROCESS: Class = Class(4);
    /// Address spaces.
    pub const MEMORY: Class = Class(8);
    /// Signals.
    pub const SIGNAL: Class = Class(16);
    /// Pipes, message queues, semaphores, shared memory, futexes.
    pub const IPC: Class = Class(32);
    /// Clocks, timers, sleeping.
    pub const TIME: Class = Class(64);
    /// Scheduling.
    pub const SCHED: Class = Class(128);
    /// Anything that takes or makes a descriptor.
    pub const DESC: Class = Class(256);
    /// Users, groups, capabilities, keys.
    pub const CREDS: Class = Class(512);
    /// The system as a whole: mounts, modules, host name, logging, bpf.
    pub const SYSTEM: Class = Class(1024);
    /// Waiting for descriptors: poll, select, epoll.
    pub const WAIT: Class = Class(2048);
    /// Not described.
    pub const OTHER: Class = Class(0);

    /// The names that filters use.
    pub const NAMES: &'static [(Class, &'static str)] = &[
        (Class::FILE, "file"),
        (Class::NET, "net"),
        (Class::PROCESS, "process"),
        (Class::MEMORY, "memory"),
        (Class::SIGNAL, "signal"),
        (Class::IPC, "ipc"),
        (Class::TIME, "time"),
        (Class::SCHED, "sched"),
        (Class::DESC, "desc"),
        (Class::CREDS, "creds"),
        (Class::SYSTEM, "system"),
        (Class::WAIT, "wait"),
    ];

    /// Both.
    pub const fn and(self, other: Class) -> Class {
        Class(self.0 | other.0)
    }

    /// True if it is about any of `other`.
    pub const fn has(self, other: Class) -> bool {
        self.0 & other.0 != 0
    }

    /// The name of its first class, `other` if none.
    pub fn name(self) -> &'static str {
        Class::NAMES.iter().find(|(c, _)| self.has(*c)).map_or("other", |(_, n)| n)
    }
}

/// What a call that succeeded does to the state of its process. Where the kernel holds the outcome (the path of what was
/// opened, a socket's addresses, credentials, the working directory), the probe sends it as a *fact* of the record and
/// the effect uses that.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Effect {
    /// Nothing that state keeps.
    None,
    /// The result is a new descriptor of a file; fact: its path.
    Open,
    /// The result is a new descriptor of this anonymous kind.
    Anon(Anon),
    /// Argument 0 is closed.
    Close,
    /// Arguments 0 to 1 are closed, or marked close-on-exec (argument 2).
    CloseRange,
    /// The result is a copy of argument 0 (dup).
    Dup,
    /// The result is a copy of argument 0, in place of whatever it was (dup2, dup3).
    DupTo,
    /// By its command: F_DUPFD, F_DUPFD_CLOEXEC, F_SETFD.
    Fcntl,
    /// By its request: FIOCLEX, FIONCLEX.
    Ioctl,
    /// The pair in argument 0 are the ends of a pipe.
    Pipe,
    /// The pair in argument 3 are connected unix sockets.
    Socketpair,
    /// The result is a new socket (arguments: domain, type, protocol).
    Socket,
    /// The result is a connected socket of a client; fact: its addresses.
    Accept,
    /// Argument 0 is being connected; fact: its addresses.
    Connect,
    /// Argument 0 has a local address; fact: its addresses.
    Bind,
    /// Argument 0 is a server.
    Listen,
    /// The working directory changed; fact: its path.
    Chdir,
    /// The root directory changed; fact: the working directory's path.
    Chroot,
    /// Credentials may have changed; fact: the new ones.
    Creds,
    /// A new session; the process leads it and its group.
    Setsid,
    /// A process group changed (arguments: pid, pgid).
    Setpgid,
    /// A new program: what is closed on exec closes; the exec record has the rest.
    Exec,
    /// A new process or thread; the fork record has the rest.
    Clone,
    /// By its command: PR_SET_NAME.
    Prctl,
    /// The descriptor table may have been unshared (argument 0: flags).
    Unshare,
}

/// Anonymous files by what makes them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs, reason = "each is the kernel's own word")]
pub enum Anon {
    Event,
    Epoll,
    Memfd,
    Timer,
    Signal,
    Inotify,
    Fanotify,
    Pidfd,
    IoUring,
    Bpf,
    Perf,
    Userfault,
}

/// One argument.
#[derive(Clone, Copy, Debug)]
pub struct Arg {
    /// Its name, as in the manual page of the call.
    pub name: &'static str,
    /// What it is.
    pub kind: Kind,
    /// Which way its bytes go.
    pub dir: Dir,
}

/// One system call or other event.
#[derive(Debug)]
pub struct Call {
    /// Its name, as in the kernel's tables.
    pub name: &'static str,
    /// What it is about.
    pub class: Class,
    /// Its arguments.
    pub args: &'static [Arg],
    /// Its result.
    pub ret: Ret,
    /// What it does to state.
    pub effect: Effect,
}

macro_rules! dir {
    (:) => {
        Dir::In
    };
    (<-) => {
        Dir::Out
    };
}

/// Rows read like prototypes: `name(arg: Kind, arg <- Kind) -> Ret, class, effect;`, where `:` is read by the kernel and
/// `<-` is written by it.
macro_rules! calls {
    ($($name:ident($($arg:ident $dir:tt $kind:ident $(($($of:tt)*))?),*) -> $ret:ident, $class:expr, $effect:expr;)*) => {
        &[$(Call {
            name: stringify!($name),
            class: $class,
            args: &[$(Arg { name: stringify!($arg), kind: Kind::$kind $(($($of)*))?, dir: dir!($dir) }),*],
            ret: Ret::$ret,
            effect: $effect,
        }),*]
    };
}

use Effect::None as Nothing;
use Len::{Arg as Nth, At, Ret as Result};

const FILE: Class = Class::FILE;
const DESC: Class = Class::DESC;
const FDFILE: Class = Class::FILE.and(Class::DESC);
const PROCESS: Class = Class::PROCESS;
const NET: Class = Class::NET.and(Class::DESC);
const IPC: Class = Class::IPC;
const TIME: Class = Class::TIME;

/// Every described call and event.
pub static CALLS: &[Call] = calls! {
    read(fd: Fd, buf <- Bytes(Result), count: Size) -> Bytes, FDFILE, Nothing;
    write(fd: Fd, buf: Bytes(Nth(2)), count: Size) -> Bytes, FDFILE, Nothing;
    close(fd: Fd) -> Zero, DESC, Effect::Close;
    openat(dirfd: DirFd, path: Path, flags: Flags(&t::OPEN), mode: Mode) -> Fd, FDFILE, Effect::Open;
    dup2(oldfd: Fd, newfd: Int) -> Fd, DESC, Effect::DupTo;
    pipe2(fds <- Struct(Struct::FdPair), flags: Flags(&t::OPEN)) -> Zero, IPC.and(DESC), Effect::Pipe;
    connect(fd: Fd, addr: Sockaddr(Nth(2)), addrlen: UInt) -> Zero, NET, Effect::Connect;
    accept4(fd: Fd, addr <- Sockaddr(At(2)), addrlen <- Struct(Struct::Int), flags: Int) -> Fd, NET, Effect::Accept;
    execve(path: Path, argv: Strings, envp: Hex) -> Zero, PROCESS, Effect::Exec;
    exit_group(status: Int) -> None, PROCESS, Nothing;
    getppid() -> Pid, PROCESS, Nothing;
    nanosleep(req: Struct(Struct::Timespec), rem <- Struct(Struct::Timespec)) -> Zero, TIME, Nothing;
    // --- events that are not calls ---
    procexit(status: Int, signal: Signal) -> None, PROCESS, Nothing;
    lost(count: UInt, cpu: UInt) -> None, Class::OTHER, Nothing;
};
