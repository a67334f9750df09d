//! One row per system call: name, class, arguments, result, effect on state.
//!
//! Enters: nothing. Leaves: [`CALLS`], from which copy plans, decoder, names and types in text and JSON, state effects,
//! interest sets, `sysreel calls`, the manual and the reel's schema block all derive. Never: numbers (they differ by
//! architecture and stand in [`super::numbers`]), code.
//!
//! Rules for editing: append arguments only; never reuse a name for a new meaning; a row's name must have a number on
//! some architecture; a length refers to an argument that exists.

use super::choices as c;
use super::kind::{Dir, Kind, Len, Ret};
use super::structs::Struct;
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
    /// Not calls: asked for through a ring in memory.
    pub const URING: Class = Class(4096);
    /// Not described.
    pub const OTHER: Class = Class(0);

    /// The names that filters use, and what each class is about.
    pub const NAMES: &'static [(Class, &'static str, &'static str)] = &[
        (Class::FILE, "file", "files and directories, by name or by descriptor"),
        (Class::NET, "net", "sockets"),
        (Class::PROCESS, "process", "processes and threads: birth, program, end, waiting, limits"),
        (Class::MEMORY, "memory", "address spaces"),
        (Class::SIGNAL, "signal", "signals"),
        (Class::IPC, "ipc", "pipes, message queues, semaphores, shared memory, futexes"),
        (Class::TIME, "time", "clocks, timers, sleeping"),
        (Class::SCHED, "sched", "scheduling"),
        (Class::DESC, "desc", "whatever takes or makes a descriptor"),
        (Class::CREDS, "creds", "users, groups, capabilities, keys, security modules"),
        (Class::SYSTEM, "system", "the system as a whole: mounts, modules, host name, logging, bpf"),
        (Class::WAIT, "wait", "waiting for descriptors: poll, select, epoll"),
        (Class::URING, "uring", "operations of io_uring: asked for through a ring in memory, not by a call"),
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
        Class::NAMES.iter().find(|(c, ..)| self.has(*c)).map_or("other", |(_, n, _)| n)
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
    /// By its request: FIOCLEX, FIONCLEX. The result may be a new descriptor; fact: what it is.
    Ioctl,
    /// The pair in argument 0 are the ends of a pipe.
    Pipe,
    /// The pair in argument 3 are connected unix sockets; fact: what both are.
    Socketpair,
    /// The result is a new descriptor; fact: what it is.
    Descriptor,
    /// The result may be a connected socket of a client; fact: its addresses.
    MayAccept,
    /// The result may be a new descriptor; fact: what it is.
    MayOpen,
    /// Descriptors came with the message that argument 1 points to; fact: what they are.
    Receive,
    /// The same, with as many messages as the result says.
    ReceiveAll,
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
    /// Argument 0 may have a local address from now on, if argument 4 is an address; fact: which.
    Send,
    /// The same, if the message that argument 1 points to has an address.
    SendMsg,
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
    /// The descriptor table may have been unshared, or the user namespace left (argument 0: flags).
    Unshare,
    /// The user namespace may be another one.
    Setns,
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
    (~) => {
        Dir::Before
    };
    (<=) => {
        Dir::Around
    };
}

/// Rows read like prototypes: `name(arg: Kind, arg <- Kind) -> Ret, class, effect;`, where `:` is read by the kernel,
/// `<-` is written by it, `~` is read and then overwritten, and of `<=` both count.
macro_rules! calls {
    ($($name:ident($($arg:ident $dir:tt $kind:ident $(($($of:tt)*))?),*)
        -> $ret:ident $(($($table:tt)*))?, $class:expr, $effect:expr;)*) => {
        &[$(Call {
            name: stringify!($name),
            class: $class,
            args: &[$(Arg { name: stringify!($arg), kind: Kind::$kind $(($($of)*))?, dir: dir!($dir) }),*],
            ret: Ret::$ret $(($($table)*))?,
            effect: $effect,
        }),*]
    };
}

use Effect::None as Nothing;
use Len::{Arg as Nth, At, Ret as Result, Within};

const FILE: Class = Class::FILE;
const DESC: Class = Class::DESC;
const FDFILE: Class = Class::FILE.and(Class::DESC);
const PROCESS: Class = Class::PROCESS;
const FDPROC: Class = Class::PROCESS.and(Class::DESC);
const NET: Class = Class::NET.and(Class::DESC);
const MEMORY: Class = Class::MEMORY;
const FDMEM: Class = Class::MEMORY.and(Class::DESC);
const SIGNAL: Class = Class::SIGNAL;
const IPC: Class = Class::IPC;
const FDIPC: Class = Class::IPC.and(Class::DESC);
const TIME: Class = Class::TIME;
const FDTIME: Class = Class::TIME.and(Class::DESC);
const SCHED: Class = Class::SCHED;
const CREDS: Class = Class::CREDS;
const SYSTEM: Class = Class::SYSTEM;
const FDSYS: Class = Class::SYSTEM.and(Class::DESC);
const FILESYS: Class = Class::FILE.and(Class::SYSTEM);
const FDFILESYS: Class = Class::FILE.and(Class::DESC).and(Class::SYSTEM);
const WAIT: Class = Class::WAIT.and(Class::DESC);
const URING: Class = Class::URING;
const URDESC: Class = DESC.and(URING);
const URFILE: Class = FDFILE.and(URING);
const URNET: Class = NET.and(URING);
const URWAIT: Class = WAIT.and(URING);
const URTIME: Class = TIME.and(URING);
const URMEM: Class = MEMORY.and(URING);
const URPROC: Class = PROCESS.and(URING);
const URIPC: Class = IPC.and(URING);

/// Every described call and event.
///
/// Rows are by name and the same on both architectures. One call has another order on aarch64: `clone` takes `tls`
/// before `child_tid` there; the row keeps x86_64's order, and both are bare words.
pub static CALLS: &[Call] = calls! {
    // --- files: data ---
    read(fd: Fd, buf <- Bytes(Result), count: Size) -> Bytes, FDFILE, Nothing;
    write(fd: Fd, buf: Bytes(Nth(2)), count: Size) -> Bytes, FDFILE, Nothing;
    pread64(fd: Fd, buf <- Bytes(Result), count: Size, offset: Offset) -> Bytes, FDFILE, Nothing;
    pwrite64(fd: Fd, buf: Bytes(Nth(2)), count: Size, offset: Offset) -> Bytes, FDFILE, Nothing;
    readv(fd: Fd, iov <- Iovec(Nth(2)), iovcnt: UInt) -> Bytes, FDFILE, Nothing;
    writev(fd: Fd, iov: Iovec(Nth(2)), iovcnt: UInt) -> Bytes, FDFILE, Nothing;
    // The kernel takes the offset of these four in two registers; on 64-bit machines the first has all of it.
    preadv(fd: Fd, iov <- Iovec(Nth(2)), iovcnt: UInt, offset: Offset, offset_high: Hex) -> Bytes, FDFILE,
        Nothing;
    pwritev(fd: Fd, iov: Iovec(Nth(2)), iovcnt: UInt, offset: Offset, offset_high: Hex) -> Bytes, FDFILE,
        Nothing;
    preadv2(fd: Fd, iov <- Iovec(Nth(2)), iovcnt: UInt, offset: Offset, offset_high: Hex,
        flags: Flags(&t::RWF)) -> Bytes, FDFILE, Nothing;
    pwritev2(fd: Fd, iov: Iovec(Nth(2)), iovcnt: UInt, offset: Offset, offset_high: Hex,
        flags: Flags(&t::RWF)) -> Bytes, FDFILE, Nothing;
    lseek(fd: Fd, offset: Offset, whence: Enum(&t::SEEK)) -> Int, FDFILE, Nothing;
    // The kernel moves the offsets of these three.
    sendfile(out_fd: Fd, in_fd: Fd, offset ~ Struct(Struct::Int64), count: Size) -> Bytes,
        FDFILE.and(Class::NET), Nothing;
    copy_file_range(fd_in: Fd, off_in ~ Struct(Struct::Int64), fd_out: Fd, off_out ~ Struct(Struct::Int64),
        size: Size, flags: UInt) -> Bytes, FDFILE, Nothing;
    splice(fd_in: Fd, off_in ~ Struct(Struct::Int64), fd_out: Fd, off_out ~ Struct(Struct::Int64), size: Size,
        flags: Flags(&t::SPLICE)) -> Bytes, FDFILE, Nothing;
    tee(fd_in: Fd, fd_out: Fd, size: Size, flags: Flags(&t::SPLICE)) -> Bytes, FDFILE, Nothing;
    vmsplice(fd: Fd, iov: Iovec(Nth(2)), nr_segs: Size, flags: Flags(&t::SPLICE)) -> Bytes, FDFILE, Nothing;
    fsync(fd: Fd) -> Zero, FDFILE, Nothing;
    fdatasync(fd: Fd) -> Zero, FDFILE, Nothing;
    sync() -> Zero, FILE, Nothing;
    syncfs(fd: Fd) -> Zero, FDFILE, Nothing;
    sync_file_range(fd: Fd, offset: Offset, nbytes: Offset, flags: Flags(&t::SYNC_FILE_RANGE)) -> Zero,
        FDFILE, Nothing;
    readahead(fd: Fd, offset: Offset, count: Size) -> Zero, FDFILE, Nothing;
    fadvise64(fd: Fd, offset: Offset, size: Offset, advice: Enum(&t::FADVISE)) -> Zero, FDFILE, Nothing;
    fallocate(fd: Fd, mode: Flags(&t::FALLOCATE), offset: Offset, size: Offset) -> Zero, FDFILE, Nothing;
    truncate(path: Path, length: Offset) -> Zero, FILE, Nothing;
    ftruncate(fd: Fd, length: Offset) -> Zero, FDFILE, Nothing;
    cachestat(fd: Fd, cstat_range: Struct(Struct::CachestatRange), cstat <- Struct(Struct::Cachestat),
        flags: UInt) -> Zero, FDFILE, Nothing;

    // --- files: descriptors ---
    open(path: Path, flags: Flags(&t::OPEN), mode: Mode) -> Fd, FDFILE, Effect::Open;
    openat(dirfd: DirFd, path: Path, flags: Flags(&t::OPEN), mode: Mode) -> Fd, FDFILE, Effect::Open;
    openat2(dirfd: DirFd, path: Path, how: Struct(Struct::OpenHow), size: Size) -> Fd, FDFILE, Effect::Open;
    creat(path: Path, mode: Mode) -> Fd, FDFILE, Effect::Open;
    name_to_handle_at(dirfd: DirFd, path: Path, handle <- Struct(Struct::FileHandle),
        mount_id <- Struct(Struct::Int), flags: Flags(&t::AT_HANDLE)) -> Zero, FDFILE, Nothing;
    open_by_handle_at(mount_fd: DirFd, handle: Struct(Struct::FileHandle), flags: Flags(&t::OPEN)) -> Fd,
        FDFILE, Effect::Open;
    close(fd: Fd) -> Zero, DESC, Effect::Close;
    close_range(first: UInt, last: UInt, flags: Flags(&t::CLOSE_RANGE)) -> Zero, DESC, Effect::CloseRange;
    dup(oldfd: Fd) -> Fd, DESC, Effect::Dup;
    dup2(oldfd: Fd, newfd: Int) -> Fd, DESC, Effect::DupTo;
    dup3(oldfd: Fd, newfd: Int, flags: Flags(&t::DUP_FLAGS)) -> Fd, DESC, Effect::DupTo;
    fcntl(fd: Fd, cmd: Enum(&t::FCNTL), arg: By(&c::FCNTL)) -> By(&c::FCNTL_RESULT), FDFILE, Effect::Fcntl;
    ioctl(fd: Fd, request: Enum(&t::IOCTL), argp: By(&c::IOCTL)) -> Int, DESC, Effect::Ioctl;
    flock(fd: Fd, operation: Flags(&t::FLOCK)) -> Zero, FDFILE, Nothing;
    kcmp(pid1: Pid, pid2: Pid, type: Enum(&t::KCMP), idx1: By(&c::KCMP1), idx2: By(&c::KCMP2)) -> Int,
        PROCESS, Nothing;

    // --- files: attributes ---
    stat(path: Path, statbuf <- Struct(Struct::Stat)) -> Zero, FILE, Nothing;
    lstat(path: Path, statbuf <- Struct(Struct::Stat)) -> Zero, FILE, Nothing;
    fstat(fd: Fd, statbuf <- Struct(Struct::Stat)) -> Zero, FDFILE, Nothing;
    newfstatat(dirfd: DirFd, path: Path, statbuf <- Struct(Struct::Stat), flags: Flags(&t::AT)) -> Zero,
        FDFILE, Nothing;
    statx(dirfd: DirFd, path: Path, flags: Flags(&t::AT_STATX), mask: Flags(&t::STATX_MASK),
        statxbuf <- Struct(Struct::Statx)) -> Zero, FDFILE, Nothing;
    statfs(path: Path, buf <- Struct(Struct::Statfs)) -> Zero, FILE, Nothing;
    fstatfs(fd: Fd, buf <- Struct(Struct::Statfs)) -> Zero, FDFILE, Nothing;
    ustat(dev: Dev, ubuf <- Struct(Struct::Ustat)) -> Zero, FILE, Nothing;
    access(path: Path, mode: Flags(&t::ACCESS)) -> Zero, FILE, Nothing;
    faccessat(dirfd: DirFd, path: Path, mode: Flags(&t::ACCESS)) -> Zero, FDFILE, Nothing;
    faccessat2(dirfd: DirFd, path: Path, mode: Flags(&t::ACCESS), flags: Flags(&t::AT_ACCESS)) -> Zero,
        FDFILE, Nothing;
    chmod(path: Path, mode: Mode) -> Zero, FILE, Nothing;
    fchmod(fd: Fd, mode: Mode) -> Zero, FDFILE, Nothing;
    fchmodat(dirfd: DirFd, path: Path, mode: Mode) -> Zero, FDFILE, Nothing;
    fchmodat2(dirfd: DirFd, path: Path, mode: Mode, flags: Flags(&t::AT)) -> Zero, FDFILE, Nothing;
    chown(path: Path, owner: Uid, group: Gid) -> Zero, FILE, Nothing;
    lchown(path: Path, owner: Uid, group: Gid) -> Zero, FILE, Nothing;
    fchown(fd: Fd, owner: Uid, group: Gid) -> Zero, FDFILE, Nothing;
    fchownat(dirfd: DirFd, path: Path, owner: Uid, group: Gid, flags: Flags(&t::AT)) -> Zero, FDFILE, Nothing;
    umask(mask: Mode) -> Mode, FILE, Nothing;
    utime(path: Path, times: Struct(Struct::Utimbuf)) -> Zero, FILE, Nothing;
    utimes(path: Path, times: Struct(Struct::Timeval2)) -> Zero, FILE, Nothing;
    futimesat(dirfd: DirFd, path: Path, times: Struct(Struct::Timeval2)) -> Zero, FDFILE, Nothing;
    utimensat(dirfd: DirFd, path: Path, times: Struct(Struct::Timespec2), flags: Flags(&t::AT)) -> Zero,
        FDFILE, Nothing;
    setxattr(path: Path, name: Str, value: Bytes(Nth(3)), size: Size, flags: Flags(&t::XATTR)) -> Zero, FILE,
        Nothing;
    lsetxattr(path: Path, name: Str, value: Bytes(Nth(3)), size: Size, flags: Flags(&t::XATTR)) -> Zero, FILE,
        Nothing;
    fsetxattr(fd: Fd, name: Str, value: Bytes(Nth(3)), size: Size, flags: Flags(&t::XATTR)) -> Zero, FDFILE,
        Nothing;
    // With size 0 these only tell how much there is; programs pass no buffer then,
    // so there is nothing to copy.
    getxattr(path: Path, name: Str, value <- Bytes(Within(3)), size: Size) -> Bytes, FILE, Nothing;
    lgetxattr(path: Path, name: Str, value <- Bytes(Within(3)), size: Size) -> Bytes, FILE, Nothing;
    fgetxattr(fd: Fd, name: Str, value <- Bytes(Within(3)), size: Size) -> Bytes, FDFILE, Nothing;
    listxattr(path: Path, list <- Sized(Struct::XattrNames, Within(2)), size: Size) -> Bytes, FILE, Nothing;
    llistxattr(path: Path, list <- Sized(Struct::XattrNames, Within(2)), size: Size) -> Bytes, FILE, Nothing;
    flistxattr(fd: Fd, list <- Sized(Struct::XattrNames, Within(2)), size: Size) -> Bytes, FDFILE, Nothing;
    removexattr(path: Path, name: Str) -> Zero, FILE, Nothing;
    lremovexattr(path: Path, name: Str) -> Zero, FILE, Nothing;
    fremovexattr(fd: Fd, name: Str) -> Zero, FDFILE, Nothing;
    setxattrat(dirfd: DirFd, path: Path, at_flags: Flags(&t::AT), name: Str, args: Sized(Struct::XattrArgs,
        Nth(5)), size: Size) -> Zero, FDFILE, Nothing;
    getxattrat(dirfd: DirFd, path: Path, at_flags: Flags(&t::AT), name: Str, args: Sized(Struct::XattrArgs,
        Nth(5)), size: Size) -> Bytes, FDFILE, Nothing;
    listxattrat(dirfd: DirFd, path: Path, at_flags: Flags(&t::AT), list <- Sized(Struct::XattrNames, Within(4)),
        size: Size) -> Bytes, FDFILE, Nothing;
    removexattrat(dirfd: DirFd, path: Path, at_flags: Flags(&t::AT), name: Str) -> Zero, FDFILE, Nothing;
    file_getattr(dirfd: DirFd, path: Path, attr <- Sized(Struct::FileAttr, Nth(3)), size: Size,
        at_flags: Flags(&t::AT)) -> Zero, FDFILE, Nothing;
    file_setattr(dirfd: DirFd, path: Path, attr: Sized(Struct::FileAttr, Nth(3)), size: Size,
        at_flags: Flags(&t::AT)) -> Zero, FDFILE, Nothing;

    // --- files: names and directories ---
    getdents(fd: Fd, dirp <- Sized(Struct::OldDirents, Result), count: UInt) -> Bytes, FDFILE, Nothing;
    getdents64(fd: Fd, dirp <- Sized(Struct::Dirents, Result), count: UInt) -> Bytes, FDFILE, Nothing;
    getcwd(buf <- Str, size: Size) -> Bytes, FILE, Nothing;
    chdir(path: Path) -> Zero, FILE, Effect::Chdir;
    fchdir(fd: Fd) -> Zero, FDFILE, Effect::Chdir;
    chroot(path: Path) -> Zero, FILESYS, Effect::Chroot;
    rename(oldpath: Path, newpath: Path) -> Zero, FILE, Nothing;
    renameat(olddirfd: DirFd, oldpath: Path, newdirfd: DirFd, newpath: Path) -> Zero, FDFILE, Nothing;
    renameat2(olddirfd: DirFd, oldpath: Path, newdirfd: DirFd, newpath: Path,
        flags: Flags(&t::RENAME)) -> Zero, FDFILE, Nothing;
    mkdir(path: Path, mode: Mode) -> Zero, FILE, Nothing;
    mkdirat(dirfd: DirFd, path: Path, mode: Mode) -> Zero, FDFILE, Nothing;
    rmdir(path: Path) -> Zero, FILE, Nothing;
    link(oldpath: Path, newpath: Path) -> Zero, FILE, Nothing;
    linkat(olddirfd: DirFd, oldpath: Path, newdirfd: DirFd, newpath: Path, flags: Flags(&t::AT)) -> Zero,
        FDFILE, Nothing;
    unlink(path: Path) -> Zero, FILE, Nothing;
    unlinkat(dirfd: DirFd, path: Path, flags: Flags(&t::AT_UNLINK)) -> Zero, FDFILE, Nothing;
    // What a symbolic link says is not looked up now, and never from the working directory: a string,
    // not a path.
    symlink(target: Str, path: Path) -> Zero, FILE, Nothing;
    symlinkat(target: Str, newdirfd: DirFd, path: Path) -> Zero, FDFILE, Nothing;
    readlink(path: Path, buf <- Bytes(Result), bufsiz: Size) -> Bytes, FILE, Nothing;
    readlinkat(dirfd: DirFd, path: Path, buf <- Bytes(Result), bufsiz: Size) -> Bytes, FDFILE, Nothing;
    mknod(path: Path, mode: Mode, dev: Dev) -> Zero, FILE, Nothing;
    mknodat(dirfd: DirFd, path: Path, mode: Mode, dev: Dev) -> Zero, FDFILE, Nothing;
    quotactl(cmd: By(&c::QCMD), path: Path, id: UInt, addr: By(&c::QUOTACTL)) -> Zero, FILESYS, Nothing;
    quotactl_fd(fd: Fd, cmd: By(&c::QCMD), id: UInt, addr: By(&c::QUOTACTL_FD)) -> Zero, FDFILESYS, Nothing;

    // --- mounts ---
    mount(source: Str, path: Path, filesystemtype: Str, mountflags: Flags(&t::MOUNT), data: Str) -> Zero,
        FILESYS, Nothing;
    umount2(path: Path, flags: Flags(&t::UMOUNT)) -> Zero, FILESYS, Nothing;
    // `newpath` becomes the root, and the old one is found at `oldpath`.
    pivot_root(newpath: Path, oldpath: Path) -> Zero, FILESYS, Effect::Chroot;
    open_tree(dirfd: DirFd, path: Path, flags: Flags(&t::OPEN_TREE)) -> Fd, FDFILESYS, Effect::Open;
    open_tree_attr(dirfd: DirFd, path: Path, flags: Flags(&t::OPEN_TREE), attr: Sized(Struct::MountAttr,
        Nth(4)), size: Size) -> Fd, FDFILESYS, Effect::Open;
    move_mount(olddirfd: DirFd, oldpath: Path, newdirfd: DirFd, newpath: Path, flags: Flags(&t::MOVE_MOUNT))
        -> Zero, FDFILESYS, Nothing;
    fsopen(fsname: Str, flags: Flags(&t::FSOPEN)) -> Fd, FDSYS, Effect::Descriptor;
    fsconfig(fd: Fd, cmd: Enum(&t::FSCONFIG), key: Str, value: By(&c::FSCONFIG),
        aux: By(&c::FSCONFIG_AUX)) -> Zero, FDSYS, Nothing;
    fsmount(fsfd: Fd, flags: Flags(&t::FSMOUNT), attr_flags: Flags(&t::MOUNT_ATTR)) -> Fd, FDSYS,
        Effect::Descriptor;
    fspick(dirfd: DirFd, path: Path, flags: Flags(&t::FSPICK)) -> Fd, FDFILESYS, Effect::Descriptor;
    mount_setattr(dirfd: DirFd, path: Path, flags: Flags(&t::AT_MOUNT), attr: Sized(Struct::MountAttr,
        Nth(4)), size: Size) -> Zero, FDFILESYS, Nothing;
    statmount(req: Sized(Struct::MntIdReq, At(0)), buf <- Sized(Struct::Statmount, Nth(2)), bufsize: Size,
        flags: UInt) -> Zero, SYSTEM, Nothing;
    listmount(req: Sized(Struct::MntIdReq, At(0)), mnt_ids <- Array(Struct::Id64, Result), nr_mnt_ids: Size,
        flags: Flags(&t::LISTMOUNT)) -> Count, SYSTEM, Nothing;

    // --- being told of changes ---
    inotify_init() -> Fd, FDFILE, Effect::Anon(Anon::Inotify);
    inotify_init1(flags: Flags(&t::INOTIFY_INIT)) -> Fd, FDFILE, Effect::Anon(Anon::Inotify);
    inotify_add_watch(fd: Fd, path: Path, mask: Flags(&t::INOTIFY)) -> Int, FDFILE, Nothing;
    inotify_rm_watch(fd: Fd, wd: Int) -> Zero, FDFILE, Nothing;
    fanotify_init(flags: Flags(&t::FANOTIFY_INIT), event_f_flags: Flags(&t::OPEN)) -> Fd, FDFILE,
        Effect::Anon(Anon::Fanotify);
    fanotify_mark(fanotify_fd: Fd, flags: Flags(&t::FANOTIFY_MARK), mask: Flags(&t::FANOTIFY), dirfd: DirFd,
        path: Path) -> Zero, FDFILE, Nothing;

    // --- waiting for descriptors ---
    // The items of poll and ppoll are copied at the return,
    // when the array has both the question and the answer.
    poll(fds: Pollfds(Nth(1)), nfds: UInt, timeout: Int) -> Count, WAIT, Nothing;
    // The kernel leaves in the timeout of these three what was left of it.
    ppoll(fds: Pollfds(Nth(1)), nfds: UInt, tmo_p ~ Struct(Struct::Timespec),
        sigmask: Struct(Struct::Sigset), sigsetsize: Size) -> Count, WAIT, Nothing;
    select(nfds: Int, readfds: FdSet(Nth(0)), writefds: FdSet(Nth(0)), exceptfds: FdSet(Nth(0)),
        timeout ~ Struct(Struct::Timeval)) -> Count, WAIT, Nothing;
    pselect6(nfds: Int, readfds: FdSet(Nth(0)), writefds: FdSet(Nth(0)), exceptfds: FdSet(Nth(0)),
        timeout ~ Struct(Struct::Timespec), sigmask: Struct(Struct::SigsetArg)) -> Count, WAIT, Nothing;
    epoll_create(size: Int) -> Fd, WAIT, Effect::Anon(Anon::Epoll);
    epoll_create1(flags: Flags(&t::EPOLL_CREATE)) -> Fd, WAIT, Effect::Anon(Anon::Epoll);
    epoll_ctl(epfd: Fd, op: Enum(&t::EPOLL_CTL), fd: Fd, event: Struct(Struct::EpollEvent)) -> Zero, WAIT,
        Nothing;
    epoll_wait(epfd: Fd, events <- EpollEvents(Result), maxevents: Int, timeout: Int) -> Count, WAIT, Nothing;
    epoll_pwait(epfd: Fd, events <- EpollEvents(Result), maxevents: Int, timeout: Int,
        sigmask: Struct(Struct::Sigset), sigsetsize: Size) -> Count, WAIT, Nothing;
    epoll_pwait2(epfd: Fd, events <- EpollEvents(Result), maxevents: Int, timeout: Struct(Struct::Timespec),
        sigmask: Struct(Struct::Sigset), sigsetsize: Size) -> Count, WAIT, Nothing;
    eventfd(initval: UInt) -> Fd, FDIPC, Effect::Anon(Anon::Event);
    eventfd2(initval: UInt, flags: Flags(&t::EVENTFD)) -> Fd, FDIPC, Effect::Anon(Anon::Event);
    io_setup(nr_events: UInt, ctx_idp <- Struct(Struct::PtrAt)) -> Zero, FILE, Nothing;
    io_destroy(ctx_id: Hex) -> Zero, FILE, Nothing;
    io_submit(ctx_id: Hex, nr: Size, iocbpp: Pointers(Struct::Iocb, Nth(1))) -> Count, FILE, Nothing;
    io_cancel(ctx_id: Hex, iocb: Struct(Struct::Iocb), result <- Struct(Struct::IoEvent)) -> Zero, FILE,
        Nothing;
    io_getevents(ctx_id: Hex, min_nr: Long, nr: Long, events <- Array(Struct::IoEvent, Result),
        timeout: Struct(Struct::Timespec)) -> Count, FILE, Nothing;
    io_pgetevents(ctx_id: Hex, min_nr: Long, nr: Long, events <- Array(Struct::IoEvent, Result),
        timeout: Struct(Struct::Timespec), sig: Struct(Struct::SigsetArg)) -> Count, FILE, Nothing;
    io_uring_setup(entries: UInt, p: Struct(Struct::IoUringParams)) -> Fd, FDFILE,
        Effect::Anon(Anon::IoUring);
    io_uring_enter(fd: Fd, to_submit: UInt, min_complete: UInt, flags: Flags(&t::IO_URING_ENTER),
        arg: By(&c::IO_URING_ARG), argsz: Size) -> Count, FDFILE, Nothing;
    io_uring_register(fd: Fd, opcode: Enum(&t::IO_URING_REGISTER), arg: By(&c::IO_URING_REGISTER),
        nr_args: UInt) -> Int, FDFILE, Nothing;

    // --- sockets ---
    socket(domain: Enum(&t::AF), type: Flags(&t::SOCK), protocol: By(&c::PROTOCOL)) -> Fd, NET,
        Effect::Socket;
    socketpair(domain: Enum(&t::AF), type: Flags(&t::SOCK), protocol: By(&c::PROTOCOL),
        sv <- Struct(Struct::FdPair)) -> Zero, NET, Effect::Socketpair;
    bind(fd: Fd, addr: Sockaddr(Nth(2)), addrlen: UInt) -> Zero, NET, Effect::Bind;
    connect(fd: Fd, addr: Sockaddr(Nth(2)), addrlen: UInt) -> Zero, NET, Effect::Connect;
    listen(fd: Fd, backlog: Int) -> Zero, NET, Effect::Listen;
    accept(fd: Fd, addr <- Sockaddr(At(2)), addrlen <= Struct(Struct::Int)) -> Fd, NET, Effect::Accept;
    accept4(fd: Fd, addr <- Sockaddr(At(2)), addrlen <= Struct(Struct::Int), flags: Flags(&t::ACCEPT_FLAGS))
        -> Fd, NET, Effect::Accept;
    getsockname(fd: Fd, addr <- Sockaddr(At(2)), addrlen <= Struct(Struct::Int)) -> Zero, NET, Nothing;
    getpeername(fd: Fd, addr <- Sockaddr(At(2)), addrlen <= Struct(Struct::Int)) -> Zero, NET, Nothing;
    sendto(fd: Fd, buf: Bytes(Nth(2)), size: Size, flags: Flags(&t::MSG), dest_addr: Sockaddr(Nth(5)),
        addrlen: UInt) -> Bytes, NET, Effect::Send;
    recvfrom(fd: Fd, buf <- Bytes(Within(2)), size: Size, flags: Flags(&t::MSG), src_addr <- Sockaddr(At(5)),
        addrlen <= Struct(Struct::Int)) -> Bytes, NET, Nothing;
    sendmsg(fd: Fd, msg: Msghdr, flags: Flags(&t::MSG)) -> Bytes, NET, Effect::SendMsg;
    recvmsg(fd: Fd, msg <- Msghdr, flags: Flags(&t::MSG)) -> Bytes, NET, Effect::Receive;
    sendmmsg(fd: Fd, msgvec: Mmsghdr(Nth(2)), vlen: UInt, flags: Flags(&t::MSG)) -> Int, NET, Effect::SendMsg;
    recvmmsg(fd: Fd, msgvec <- Mmsghdr(Nth(2)), vlen: UInt, flags: Flags(&t::MSG),
        timeout ~ Struct(Struct::Timespec)) -> Int, NET, Effect::ReceiveAll;
    shutdown(fd: Fd, how: Enum(&t::SHUT)) -> Zero, NET, Nothing;
    setsockopt(fd: Fd, level: Enum(&t::SOL), optname: Enum(&t::SOCKOPT), optval: By(&c::SETSOCKOPT),
        optlen: UInt) -> Zero, NET, Nothing;
    getsockopt(fd: Fd, level: Enum(&t::SOL), optname: Enum(&t::SOCKOPT), optval <- By(&c::GETSOCKOPT),
        optlen <= Struct(Struct::Int)) -> Zero, NET, Nothing;

    // --- processes ---
    fork() -> Pid, PROCESS, Effect::Clone;
    vfork() -> Pid, PROCESS, Effect::Clone;
    clone(flags: Flags(&t::CLONE), stack: Hex, parent_tid: Hex, child_tid: Hex, tls: Hex) -> Pid, PROCESS,
        Effect::Clone;
    clone3(cl_args: Sized(Struct::CloneArgs, Nth(1)), size: Size) -> Pid, PROCESS, Effect::Clone;
    execve(path: Path, argv: Strings, envp: Environment) -> Zero, PROCESS, Effect::Exec;
    execveat(dirfd: DirFd, path: Path, argv: Strings, envp: Environment, flags: Flags(&t::AT_EXEC)) -> Zero, FDPROC,
        Effect::Exec;
    exit(status: Int) -> None, PROCESS, Nothing;
    exit_group(status: Int) -> None, PROCESS, Nothing;
    wait4(pid: Pid, wstatus <- Struct(Struct::WaitStatus), options: Flags(&t::WAIT),
        rusage <- Struct(Struct::Rusage)) -> Pid, PROCESS, Nothing;
    waitid(idtype: Enum(&t::IDTYPE), id: Pid, infop <- Struct(Struct::Siginfo), options: Flags(&t::WAIT),
        rusage <- Struct(Struct::Rusage)) -> Zero, PROCESS, Nothing;
    getpid() -> Pid, PROCESS, Nothing;
    getppid() -> Pid, PROCESS, Nothing;
    gettid() -> Pid, PROCESS, Nothing;
    getpgrp() -> Pid, PROCESS, Nothing;
    getpgid(pid: Pid) -> Pid, PROCESS, Nothing;
    setpgid(pid: Pid, pgid: Pid) -> Zero, PROCESS, Effect::Setpgid;
    getsid(pid: Pid) -> Pid, PROCESS, Nothing;
    setsid() -> Pid, PROCESS, Effect::Setsid;
    set_tid_address(tidptr: Hex) -> Pid, PROCESS, Nothing;
    unshare(flags: Flags(&t::UNSHARE)) -> Zero, PROCESS, Effect::Unshare;
    setns(fd: Fd, nstype: Flags(&t::NAMESPACES)) -> Zero, FDPROC, Effect::Setns;
    listns(req: Sized(Struct::NsIdReq, At(0)), ns_ids <- Array(Struct::Id64, Result), nr_ns_ids: Size,
        flags: UInt) -> Count, PROCESS, Nothing;
    prctl(option: Enum(&t::PRCTL), arg2: By(&c::PRCTL2), arg3: By(&c::PRCTL3), arg4: By(&c::PRCTL4),
        arg5: By(&c::PRCTL5)) -> By(&c::PRCTL_RESULT), PROCESS, Effect::Prctl;
    arch_prctl(op: Enum(&t::ARCH_PRCTL), addr: By(&c::ARCH_PRCTL)) -> Int, PROCESS, Nothing;
    ptrace(op: Enum(&t::PTRACE), pid: Pid, addr: By(&c::PTRACE_ADDR), data: By(&c::PTRACE_DATA)) -> Int,
        PROCESS, Nothing;
    personality(persona: Flags(&t::PERSONALITY)) -> Flags(&t::PERSONALITY), PROCESS, Nothing;
    seccomp(operation: Enum(&t::SECCOMP), flags: Flags(&t::SECCOMP_FLAGS), args: By(&c::SECCOMP_ARGS)) -> Int,
        PROCESS, Nothing;
    getrlimit(resource: Enum(&t::RLIMIT), rlim <- Struct(Struct::Rlimit)) -> Zero, PROCESS, Nothing;
    setrlimit(resource: Enum(&t::RLIMIT), rlim: Struct(Struct::Rlimit)) -> Zero, PROCESS, Nothing;
    prlimit64(pid: Pid, resource: Enum(&t::RLIMIT), new_limit: Struct(Struct::Rlimit),
        old_limit <- Struct(Struct::Rlimit)) -> Zero, PROCESS, Nothing;
    getrusage(who: Enum(&t::RUSAGE), usage <- Struct(Struct::Rusage)) -> Zero, PROCESS, Nothing;
    times(buf <- Struct(Struct::Tms)) -> Int, PROCESS.and(Class::TIME), Nothing;
    pidfd_open(pid: Pid, flags: Flags(&t::PIDFD)) -> Fd, FDPROC, Effect::Anon(Anon::Pidfd);
    pidfd_getfd(pidfd: Fd, targetfd: Int, flags: UInt) -> Fd, FDPROC, Effect::Descriptor;
    set_robust_list(head: Hex, size: Size) -> Zero, PROCESS, Nothing;
    get_robust_list(pid: Pid, head_ptr <- Struct(Struct::PtrAt), sizep <- Struct(Struct::SizeAt)) -> Zero,
        PROCESS, Nothing;
    rseq(rseq: Hex, rseq_len: Size, flags: Flags(&t::RSEQ), sig: Hex) -> Zero, PROCESS, Nothing;
    rseq_slice_yield() -> Int, PROCESS, Nothing;
    acct(path: Path) -> Zero, FILE.and(Class::PROCESS), Nothing;
    iopl(level: Int) -> Zero, PROCESS, Nothing;
    ioperm(from: Hex, num: UInt, turn_on: Int) -> Zero, PROCESS, Nothing;
    modify_ldt(func: Int, ptr: Sized(Struct::UserDesc, Nth(2)), bytecount: Size) -> Int, PROCESS, Nothing;
    set_thread_area(u_info: Struct(Struct::UserDesc)) -> Zero, PROCESS, Nothing;
    get_thread_area(u_info <- Struct(Struct::UserDesc)) -> Zero, PROCESS, Nothing;
    vhangup() -> Zero, PROCESS, Nothing;

    // --- memory ---
    brk(addr: Hex) -> Addr, MEMORY, Nothing;
    mmap(addr: Hex, length: Size, prot: Flags(&t::PROT), flags: Flags(&t::MMAP), fd: Fd,
        offset: Offset) -> Addr, FDMEM, Nothing;
    munmap(addr: Hex, length: Size) -> Zero, MEMORY, Nothing;
    mprotect(addr: Hex, size: Size, prot: Flags(&t::PROT)) -> Zero, MEMORY, Nothing;
    pkey_mprotect(addr: Hex, size: Size, prot: Flags(&t::PROT), pkey: Int) -> Zero, MEMORY, Nothing;
    pkey_alloc(flags: UInt, access_rights: Flags(&t::PKEY)) -> Int, MEMORY, Nothing;
    pkey_free(pkey: Int) -> Zero, MEMORY, Nothing;
    mremap(old_address: Hex, old_size: Size, new_size: Size, flags: Flags(&t::MREMAP),
        new_address: Hex) -> Addr, MEMORY, Nothing;
    remap_file_pages(addr: Hex, size: Size, prot: Flags(&t::PROT), pgoff: Size,
        flags: Flags(&t::MMAP)) -> Zero, MEMORY, Nothing;
    madvise(addr: Hex, length: Size, advice: Enum(&t::MADVISE)) -> Zero, MEMORY, Nothing;
    process_madvise(pidfd: Fd, iovec: Array(Struct::Iovec, Nth(2)), vlen: Size, advice: Enum(&t::MADVISE),
        flags: UInt) -> Bytes, FDMEM, Nothing;
    process_mrelease(pidfd: Fd, flags: UInt) -> Zero, FDMEM, Nothing;
    // The data of the two is in this process's memory; the other's is only said by address (after an operation that
    // walks, as the data's does, no other can follow).
    process_vm_readv(pid: Pid, local_iov <- Iovec(Nth(2)), liovcnt: Size, remote_iov: Hex, riovcnt: Size, flags: UInt) -> Bytes, MEMORY.and(Class::PROCESS), Nothing;
    process_vm_writev(pid: Pid, local_iov: Iovec(Nth(2)), liovcnt: Size, remote_iov: Hex, riovcnt: Size, flags: UInt) -> Bytes, MEMORY.and(Class::PROCESS), Nothing;
    msync(addr: Hex, length: Size, flags: Flags(&t::MSYNC)) -> Zero, MEMORY, Nothing;
    mincore(addr: Hex, length: Size, vec <- Pages(Nth(1))) -> Zero, MEMORY, Nothing;
    mlock(addr: Hex, size: Size) -> Zero, MEMORY, Nothing;
    mlock2(addr: Hex, size: Size, flags: Flags(&t::MLOCK)) -> Zero, MEMORY, Nothing;
    munlock(addr: Hex, size: Size) -> Zero, MEMORY, Nothing;
    mlockall(flags: Flags(&t::MLOCKALL)) -> Zero, MEMORY, Nothing;
    munlockall() -> Zero, MEMORY, Nothing;
    mseal(addr: Hex, size: Size, flags: UInt) -> Zero, MEMORY, Nothing;
    map_shadow_stack(addr: Hex, size: Size, flags: Flags(&t::MAP_SHADOW_STACK)) -> Addr, MEMORY, Nothing;
    membarrier(cmd: Enum(&t::MEMBARRIER), flags: Flags(&t::MEMBARRIER_FLAGS),
        cpu_id: Int) -> By(&c::MEMBARRIER_RESULT), MEMORY, Nothing;
    memfd_create(name: Str, flags: Flags(&t::MEMFD)) -> Fd, FDMEM, Effect::Anon(Anon::Memfd);
    memfd_secret(flags: Flags(&t::DUP_FLAGS)) -> Fd, FDMEM, Effect::Descriptor;
    userfaultfd(flags: Flags(&t::USERFAULTFD)) -> Fd, FDMEM, Effect::Anon(Anon::Userfault);
    mbind(addr: Hex, size: Size, mode: Flags(&t::MPOL), nodemask: Struct(Struct::Nodes), maxnode: UInt,
        flags: Flags(&t::MBIND)) -> Zero, MEMORY, Nothing;
    set_mempolicy(mode: Flags(&t::MPOL), nodemask: Struct(Struct::Nodes), maxnode: UInt) -> Zero, MEMORY,
        Nothing;
    get_mempolicy(mode <- Struct(Struct::PolicyAt), nodemask <- Struct(Struct::Nodes), maxnode: UInt,
        addr: Hex, flags: Flags(&t::GET_MEMPOLICY)) -> Zero, MEMORY, Nothing;
    set_mempolicy_home_node(start: Hex, size: Size, home_node: UInt, flags: UInt) -> Zero, MEMORY, Nothing;
    migrate_pages(pid: Pid, maxnode: UInt, old_nodes: Struct(Struct::Nodes), new_nodes: Struct(Struct::Nodes))
        -> Count, MEMORY, Nothing;
    move_pages(pid: Pid, count: Size, pages: Array(Struct::Address, Nth(1)), nodes: Array(Struct::Number,
        Nth(1)), status <- Array(Struct::Number, Nth(1)), flags: Flags(&t::MBIND)) -> Int, MEMORY, Nothing;
    swapon(path: Path, swapflags: Flags(&t::SWAP)) -> Zero, FILESYS.and(Class::MEMORY), Nothing;
    swapoff(path: Path) -> Zero, FILESYS.and(Class::MEMORY), Nothing;

    // --- signals ---
    kill(pid: Pid, sig: Signal) -> Zero, SIGNAL, Nothing;
    tkill(tid: Pid, sig: Signal) -> Zero, SIGNAL, Nothing;
    tgkill(tgid: Pid, tid: Pid, sig: Signal) -> Zero, SIGNAL, Nothing;
    pidfd_send_signal(pidfd: Fd, sig: Signal, info: Struct(Struct::Siginfo), flags: Flags(&t::PIDFD_SIGNAL))
        -> Zero, SIGNAL.and(Class::DESC), Nothing;
    rt_sigaction(signum: Signal, act: Struct(Struct::Sigaction), oldact <- Struct(Struct::Sigaction),
        sigsetsize: Size) -> Zero, SIGNAL, Nothing;
    rt_sigprocmask(how: Enum(&t::SIGPROCMASK_HOW), set: Struct(Struct::Sigset),
        oldset <- Struct(Struct::Sigset), sigsetsize: Size) -> Zero, SIGNAL, Nothing;
    rt_sigreturn() -> Int, SIGNAL, Nothing;
    rt_sigpending(set <- Struct(Struct::Sigset), sigsetsize: Size) -> Zero, SIGNAL, Nothing;
    rt_sigsuspend(mask: Struct(Struct::Sigset), sigsetsize: Size) -> Zero, SIGNAL, Nothing;
    rt_sigtimedwait(set: Struct(Struct::Sigset), info <- Struct(Struct::Siginfo),
        timeout: Struct(Struct::Timespec), sigsetsize: Size) -> Signal, SIGNAL, Nothing;
    rt_sigqueueinfo(tgid: Pid, sig: Signal, info: Struct(Struct::Siginfo)) -> Zero, SIGNAL, Nothing;
    rt_tgsigqueueinfo(tgid: Pid, tid: Pid, sig: Signal, info: Struct(Struct::Siginfo)) -> Zero, SIGNAL,
        Nothing;
    sigaltstack(ss: Struct(Struct::Sigaltstack), old_ss <- Struct(Struct::Sigaltstack)) -> Zero, SIGNAL,
        Nothing;
    pause() -> Zero, SIGNAL, Nothing;
    restart_syscall() -> Int, SIGNAL, Nothing;
    signalfd(fd: Fd, mask: Struct(Struct::Sigset), sizemask: Size) -> Fd, SIGNAL.and(Class::DESC),
        Effect::Anon(Anon::Signal);
    signalfd4(fd: Fd, mask: Struct(Struct::Sigset), sizemask: Size, flags: Flags(&t::SIGNALFD_FLAGS)) -> Fd,
        SIGNAL.and(Class::DESC), Effect::Anon(Anon::Signal);

    // --- pipes, futexes, System V, POSIX queues ---
    pipe(fds <- Struct(Struct::FdPair)) -> Zero, FDIPC, Effect::Pipe;
    pipe2(fds <- Struct(Struct::FdPair), flags: Flags(&t::PIPE_FLAGS)) -> Zero, FDIPC, Effect::Pipe;
    futex(uaddr: Hex, futex_op: Flags(&t::FUTEX), val: By(&c::FUTEX_VAL), timeout: By(&c::FUTEX_TIMEOUT),
        uaddr2: By(&c::FUTEX_UADDR2), val3: By(&c::FUTEX_VAL3)) -> Int, IPC, Nothing;
    futex_wait(uaddr: Hex, val: UInt, mask: Hex, flags: Flags(&t::FUTEX2), timeout: Struct(Struct::Timespec),
        clockid: Enum(&t::CLOCK)) -> Zero, IPC, Nothing;
    futex_wake(uaddr: Hex, mask: Hex, nr: Int, flags: Flags(&t::FUTEX2)) -> Count, IPC, Nothing;
    futex_requeue(waiters: Struct(Struct::FutexPair), flags: UInt, nr_wake: Int, nr_requeue: Int) -> Count,
        IPC, Nothing;
    futex_waitv(waiters: Array(Struct::FutexWaitv, Nth(1)), nr_futexes: UInt, flags: UInt,
        timeout: Struct(Struct::Timespec), clockid: Enum(&t::CLOCK)) -> Int, IPC, Nothing;
    shmget(key: Hex, size: Size, shmflg: Flags(&t::SHMGET)) -> Int, IPC.and(Class::MEMORY), Nothing;
    shmat(shmid: Int, shmaddr: Hex, shmflg: Flags(&t::SHMAT)) -> Addr, IPC.and(Class::MEMORY), Nothing;
    shmdt(shmaddr: Hex) -> Zero, IPC.and(Class::MEMORY), Nothing;
    shmctl(shmid: Int, op: Enum(&t::SHMCTL), buf: By(&c::SHMCTL)) -> Int, IPC, Nothing;
    semget(key: Hex, nsems: Int, semflg: Flags(&t::IPC_GET)) -> Int, IPC, Nothing;
    semop(semid: Int, sops: Array(Struct::Sembuf, Nth(2)), nsops: Size) -> Zero, IPC, Nothing;
    semtimedop(semid: Int, sops: Array(Struct::Sembuf, Nth(2)), nsops: Size,
        timeout: Struct(Struct::Timespec)) -> Zero, IPC, Nothing;
    semctl(semid: Int, semnum: Int, op: Enum(&t::SEMCTL), arg: By(&c::SEMCTL)) -> Int, IPC, Nothing;
    msgget(key: Hex, msgflg: Flags(&t::IPC_GET)) -> Int, IPC, Nothing;
    msgsnd(msqid: Int, msgp: Msgbuf(Nth(2)), msgsz: Size, msgflg: Flags(&t::MSGOP)) -> Zero, IPC,
        Nothing;
    msgrcv(msqid: Int, msgp <- Msgbuf(Result), msgsz: Size, msgtyp: Long,
        msgflg: Flags(&t::MSGOP)) -> Bytes, IPC, Nothing;
    msgctl(msqid: Int, op: Enum(&t::MSGCTL), buf: By(&c::MSGCTL)) -> Int, IPC, Nothing;
    mq_open(name: Str, oflag: Flags(&t::OPEN), mode: Mode, attr: Struct(Struct::MqAttr)) -> Fd, FDIPC,
        Effect::Descriptor;
    mq_unlink(name: Str) -> Zero, IPC, Nothing;
    mq_timedsend(mqdes: Fd, buf: Bytes(Nth(2)), msg_len: Size, msg_prio: UInt,
        abs_timeout: Struct(Struct::Timespec)) -> Zero, FDIPC, Nothing;
    mq_timedreceive(mqdes: Fd, buf <- Bytes(Result), msg_len: Size, msg_prio <- Struct(Struct::UIntAt),
        abs_timeout: Struct(Struct::Timespec)) -> Bytes, FDIPC, Nothing;
    mq_notify(mqdes: Fd, sevp: Struct(Struct::Sigevent)) -> Zero, FDIPC, Nothing;
    mq_getsetattr(mqdes: Fd, newattr: Struct(Struct::MqAttr), oldattr <- Struct(Struct::MqAttr)) -> Zero,
        FDIPC, Nothing;

    // --- time ---
    nanosleep(req: Struct(Struct::Timespec), rem <- Struct(Struct::Timespec)) -> Zero, TIME, Nothing;
    clock_nanosleep(clockid: Enum(&t::CLOCK), flags: Flags(&t::TIMER), req: Struct(Struct::Timespec),
        rem <- Struct(Struct::Timespec)) -> Zero, TIME, Nothing;
    clock_gettime(clockid: Enum(&t::CLOCK), tp <- Struct(Struct::Timespec)) -> Zero, TIME, Nothing;
    clock_settime(clockid: Enum(&t::CLOCK), tp: Struct(Struct::Timespec)) -> Zero, TIME, Nothing;
    clock_getres(clockid: Enum(&t::CLOCK), res <- Struct(Struct::Timespec)) -> Zero, TIME, Nothing;
    clock_adjtime(clockid: Enum(&t::CLOCK), buf: Struct(Struct::Timex)) -> Enum(&t::TIME_STATE), TIME,
        Nothing;
    adjtimex(buf: Struct(Struct::Timex)) -> Enum(&t::TIME_STATE), TIME, Nothing;
    gettimeofday(tv <- Struct(Struct::Timeval), tz <- Struct(Struct::Timezone)) -> Zero, TIME, Nothing;
    settimeofday(tv: Struct(Struct::Timeval), tz: Struct(Struct::Timezone)) -> Zero, TIME, Nothing;
    time(tloc <- Struct(Struct::Int64)) -> Int, TIME, Nothing;
    alarm(seconds: UInt) -> Int, TIME, Nothing;
    getitimer(which: Enum(&t::ITIMER), curr_value <- Struct(Struct::Itimerval)) -> Zero, TIME, Nothing;
    setitimer(which: Enum(&t::ITIMER), new_value: Struct(Struct::Itimerval),
        old_value <- Struct(Struct::Itimerval)) -> Zero, TIME, Nothing;
    timer_create(clockid: Enum(&t::CLOCK), sevp: Struct(Struct::Sigevent),
        timerid <- Struct(Struct::Int)) -> Zero, TIME, Nothing;
    timer_settime(timerid: Int, flags: Flags(&t::TIMER), new_value: Struct(Struct::Itimerspec),
        old_value <- Struct(Struct::Itimerspec)) -> Zero, TIME, Nothing;
    timer_gettime(timerid: Int, curr_value <- Struct(Struct::Itimerspec)) -> Zero, TIME, Nothing;
    timer_getoverrun(timerid: Int) -> Int, TIME, Nothing;
    timer_delete(timerid: Int) -> Zero, TIME, Nothing;
    timerfd_create(clockid: Enum(&t::CLOCK), flags: Flags(&t::TIMERFD_CREATE)) -> Fd, FDTIME,
        Effect::Anon(Anon::Timer);
    timerfd_settime(fd: Fd, flags: Flags(&t::TIMERFD_SETTIME), new_value: Struct(Struct::Itimerspec),
        old_value <- Struct(Struct::Itimerspec)) -> Zero, FDTIME, Nothing;
    timerfd_gettime(fd: Fd, curr_value <- Struct(Struct::Itimerspec)) -> Zero, FDTIME, Nothing;

    // --- scheduling ---
    sched_yield() -> Zero, SCHED, Nothing;
    sched_setaffinity(pid: Pid, cpusetsize: Size, mask: Sized(Struct::CpuSet, Nth(1))) -> Zero, SCHED,
        Nothing;
    sched_getaffinity(pid: Pid, cpusetsize: Size, mask <- Sized(Struct::CpuSet, Result)) -> Bytes, SCHED,
        Nothing;
    sched_setscheduler(pid: Pid, policy: Flags(&t::SCHED), param: Struct(Struct::SchedParam)) -> Zero, SCHED,
        Nothing;
    sched_getscheduler(pid: Pid) -> Flags(&t::SCHED), SCHED, Nothing;
    sched_setparam(pid: Pid, param: Struct(Struct::SchedParam)) -> Zero, SCHED, Nothing;
    sched_getparam(pid: Pid, param <- Struct(Struct::SchedParam)) -> Zero, SCHED, Nothing;
    sched_setattr(pid: Pid, attr: Sized(Struct::SchedAttr, At(1)), flags: UInt) -> Zero, SCHED, Nothing;
    sched_getattr(pid: Pid, attr <- Sized(Struct::SchedAttr, Nth(2)), size: Size, flags: UInt) -> Zero, SCHED,
        Nothing;
    sched_get_priority_max(policy: Enum(&t::SCHED)) -> Int, SCHED, Nothing;
    sched_get_priority_min(policy: Enum(&t::SCHED)) -> Int, SCHED, Nothing;
    sched_rr_get_interval(pid: Pid, tp <- Struct(Struct::Timespec)) -> Zero, SCHED, Nothing;
    getpriority(which: Enum(&t::PRIO), who: Int) -> Int, SCHED, Nothing;
    setpriority(which: Enum(&t::PRIO), who: Int, prio: Int) -> Zero, SCHED, Nothing;
    ioprio_get(which: Enum(&t::IOPRIO_WHO), who: Int) -> Flags(&t::IOPRIO), SCHED, Nothing;
    ioprio_set(which: Enum(&t::IOPRIO_WHO), who: Int, ioprio: Flags(&t::IOPRIO)) -> Zero, SCHED, Nothing;
    getcpu(cpu <- Struct(Struct::UIntAt), node <- Struct(Struct::UIntAt), tcache: Hex) -> Zero, SCHED,
        Nothing;

    // --- credentials and keys ---
    getuid() -> Uid, CREDS, Nothing;
    geteuid() -> Uid, CREDS, Nothing;
    getgid() -> Gid, CREDS, Nothing;
    getegid() -> Gid, CREDS, Nothing;
    getresuid(ruid <- Struct(Struct::UIntAt), euid <- Struct(Struct::UIntAt), suid <- Struct(Struct::UIntAt))
        -> Zero, CREDS, Nothing;
    getresgid(rgid <- Struct(Struct::UIntAt), egid <- Struct(Struct::UIntAt), sgid <- Struct(Struct::UIntAt))
        -> Zero, CREDS, Nothing;
    setuid(uid: Uid) -> Zero, CREDS, Effect::Creds;
    setgid(gid: Gid) -> Zero, CREDS, Effect::Creds;
    setreuid(ruid: Uid, euid: Uid) -> Zero, CREDS, Effect::Creds;
    setregid(rgid: Gid, egid: Gid) -> Zero, CREDS, Effect::Creds;
    setresuid(ruid: Uid, euid: Uid, suid: Uid) -> Zero, CREDS, Effect::Creds;
    setresgid(rgid: Gid, egid: Gid, sgid: Gid) -> Zero, CREDS, Effect::Creds;
    setfsuid(fsuid: Uid) -> Uid, CREDS, Effect::Creds;
    setfsgid(fsgid: Gid) -> Gid, CREDS, Effect::Creds;
    getgroups(size: UInt, list <- Array(Struct::Group, Within(0))) -> Count, CREDS, Nothing;
    setgroups(size: UInt, list: Array(Struct::Group, Nth(0))) -> Zero, CREDS, Effect::Creds;
    capget(hdrp: Struct(Struct::CapHeader), datap <- Struct(Struct::CapData)) -> Zero, CREDS, Nothing;
    capset(hdrp: Struct(Struct::CapHeader), datap: Struct(Struct::CapData)) -> Zero, CREDS, Effect::Creds;
    add_key(type: Str, description: Str, payload: Bytes(Nth(3)), plen: Size, keyring: Enum(&t::KEY)) -> Int,
        CREDS, Nothing;
    request_key(type: Str, description: Str, callout_info: Str, dest_keyring: Enum(&t::KEY)) -> Int, CREDS,
        Nothing;
    keyctl(op: Enum(&t::KEYCTL), arg2: By(&c::KEYCTL2), arg3: By(&c::KEYCTL3), arg4: By(&c::KEYCTL4),
        arg5: By(&c::KEYCTL5)) -> Int, CREDS, Nothing;
    // The result is a descriptor, or with a flag the version: a number then, so it is always shown as one.
    landlock_create_ruleset(attr: Sized(Struct::LandlockRuleset, Nth(1)), size: Size,
        flags: Flags(&t::LANDLOCK_CREATE)) -> Int, CREDS.and(Class::DESC), Effect::MayOpen;
    landlock_add_rule(ruleset_fd: Fd, rule_type: Enum(&t::LANDLOCK_RULE), rule_attr: By(&c::LANDLOCK_RULE),
        flags: UInt) -> Zero, CREDS.and(Class::DESC), Nothing;
    landlock_restrict_self(ruleset_fd: Fd, flags: Flags(&t::LANDLOCK_RESTRICT)) -> Zero,
        CREDS.and(Class::DESC), Nothing;
    lsm_get_self_attr(attr: Enum(&t::LSM_ATTR), ctx <- Sized(Struct::LsmCtx, At(2)),
        size <- Struct(Struct::Int), flags: Flags(&t::LSM_FLAGS)) -> Int, CREDS, Nothing;
    lsm_set_self_attr(attr: Enum(&t::LSM_ATTR), ctx: Sized(Struct::LsmCtx, Nth(2)), size: Size, flags: UInt)
        -> Zero, CREDS, Nothing;
    lsm_list_modules(ids <- Sized(Struct::LsmIds, At(1)), size <- Struct(Struct::Int), flags: UInt) -> Count,
        CREDS, Nothing;

    // --- the system ---
    uname(buf <- Struct(Struct::Utsname)) -> Zero, SYSTEM, Nothing;
    sysinfo(info <- Struct(Struct::Sysinfo)) -> Zero, SYSTEM, Nothing;
    sethostname(name: Bytes(Nth(1)), size: Size) -> Zero, SYSTEM, Nothing;
    setdomainname(name: Bytes(Nth(1)), size: Size) -> Zero, SYSTEM, Nothing;
    // `type` is an action of the kernel's log; only the reading ones fill the buffer.
    syslog(type: Enum(&t::SYSLOG), buf <- By(&c::SYSLOG), size: Int) -> Int, SYSTEM, Nothing;
    getrandom(buf <- Bytes(Result), size: Size, flags: Flags(&t::RANDOM)) -> Bytes, SYSTEM, Nothing;
    // What the result is depends on the command: often a descriptor, often not.
    bpf(cmd: Enum(&t::BPF), attr: By(&c::BPF_ATTR), size: Size) -> Int, SYSTEM, Effect::MayOpen;
    perf_event_open(attr: Struct(Struct::PerfAttr), pid: Pid, cpu: Int, group_fd: Fd,
        flags: Flags(&t::PERF_FLAGS)) -> Fd, FDSYS, Effect::Anon(Anon::Perf);
    init_module(module_image: Hex, size: Size, param_values: Str) -> Zero, SYSTEM, Nothing;
    finit_module(fd: Fd, param_values: Str, flags: Flags(&t::MODULE_INIT)) -> Zero, FDSYS, Nothing;
    delete_module(name: Str, flags: Flags(&t::DELETE_MODULE)) -> Zero, SYSTEM, Nothing;
    kexec_load(entry: Hex, nr_segments: Size, segments: Array(Struct::KexecSegment, Nth(1)),
        flags: Flags(&t::KEXEC_LOAD)) -> Zero, SYSTEM, Nothing;
    kexec_file_load(kernel_fd: Fd, initrd_fd: Fd, cmdline_len: Size, cmdline: Bytes(Nth(2)),
        flags: Flags(&t::KEXEC)) -> Zero, FDSYS, Nothing;
    reboot(magic: Enum(&t::REBOOT_MAGIC), magic2: Enum(&t::REBOOT_MAGIC), op: Enum(&t::REBOOT),
        arg: By(&c::REBOOT)) -> Zero, SYSTEM, Nothing;
    sysfs(option: Int, arg1: Hex, arg2: Hex) -> Int, SYSTEM, Nothing;
    uselib(path: Path) -> Zero, FILE, Nothing;

    // --- calls that have a number and that no kernel of today has: they fail with ENOSYS ---
    _sysctl(args: Struct(Struct::SysctlArgs)) -> Zero, SYSTEM, Nothing;
    create_module(name: Str, size: Size) -> Addr, SYSTEM, Nothing;
    get_kernel_syms(table: Hex) -> Int, SYSTEM, Nothing;
    query_module(name: Str, which: Int, buf: Hex, bufsize: Size, ret: Hex) -> Zero, SYSTEM, Nothing;
    nfsservctl(cmd: Int, argp: Hex, resp: Hex) -> Int, SYSTEM, Nothing;
    getpmsg(fd: Fd, ctlptr: Hex, dataptr: Hex, bandp: Hex, flagsp: Hex) -> Int, NET, Nothing;
    putpmsg(fd: Fd, ctlptr: Hex, dataptr: Hex, band: Int, flags: Hex) -> Int, NET, Nothing;
    afs_syscall(arg0: Hex, arg1: Hex, arg2: Hex, arg3: Hex, arg4: Hex, arg5: Hex) -> Int, FILE, Nothing;
    tuxcall(arg0: Hex, arg1: Hex, arg2: Hex, arg3: Hex, arg4: Hex, arg5: Hex) -> Int, SYSTEM, Nothing;
    security(arg0: Hex, arg1: Hex, arg2: Hex, arg3: Hex, arg4: Hex, arg5: Hex) -> Int, CREDS, Nothing;
    vserver(cmd: UInt, id: UInt, data: Hex) -> Int, SYSTEM, Nothing;
    lookup_dcookie(cookie: Hex, buf <- Bytes(Result), size: Size) -> Bytes, SYSTEM, Nothing;
    epoll_ctl_old(epfd: Fd, op: Enum(&t::EPOLL_CTL), fd: Fd, event: Struct(Struct::EpollEvent)) -> Zero, WAIT,
        Nothing;
    epoll_wait_old(epfd: Fd, events <- EpollEvents(Result), maxevents: Int, timeout: Int) -> Count, WAIT,
        Nothing;

    // --- how a uprobe gets back into the kernel; programs do not call these ---
    uprobe() -> Int, SYSTEM, Nothing;
    uretprobe() -> Int, SYSTEM, Nothing;

    // --- events that are not calls ---
    procexit(status: Int, signal: Signal) -> None, PROCESS, Nothing;
    lost(count: Long, cpu: UInt) -> None, Class::OTHER, Nothing;

    // --- on request ---
    switch(next: Pid, name: Str, state: Flags(&t::TASK_STATE)) -> None, SCHED, Nothing;
    signal(sig: Signal, code: Enum(&t::SIGNAL_CODE), sender: Pid, name: Str, whom: Enum(&t::PID_TYPE),
        outcome: Enum(&t::SIGNAL_OUTCOME)) -> None, SIGNAL, Nothing;
    signaldeliver(sig: Signal, code: Enum(&t::SIGNAL_CODE), action: Enum(&t::SIGNAL_ACTION)) -> None, SIGNAL, Nothing;
    page_fault(addr: Hex, ip: Hex, error: Flags(&t::FAULT)) -> None, MEMORY, Nothing;

    // --- operations of io_uring, made from two records ---
    uring_nop(sqe_flags: Flags(&t::IOSQE), user_data: Hex) -> Int, URING, Nothing;
    uring_readv(fd: Fd, sqe_flags: Flags(&t::IOSQE), user_data: Hex) -> Bytes, URFILE, Nothing;
    uring_writev(fd: Fd, sqe_flags: Flags(&t::IOSQE), user_data: Hex) -> Bytes, URFILE, Nothing;
    uring_fsync(fd: Fd, sqe_flags: Flags(&t::IOSQE), user_data: Hex) -> Zero, URFILE, Nothing;
    uring_read_fixed(fd: Fd, len: Size, sqe_flags: Flags(&t::IOSQE), user_data: Hex) -> Bytes, URFILE, Nothing;
    uring_write_fixed(fd: Fd, len: Size, sqe_flags: Flags(&t::IOSQE), user_data: Hex) -> Bytes, URFILE, Nothing;
    uring_poll_add(fd: Fd, sqe_flags: Flags(&t::IOSQE), user_data: Hex) -> Int, URWAIT, Nothing;
    uring_poll_remove(sqe_flags: Flags(&t::IOSQE), user_data: Hex) -> Int, URING, Nothing;
    uring_sync_file_range(fd: Fd, sqe_flags: Flags(&t::IOSQE), user_data: Hex) -> Zero, URFILE, Nothing;
    uring_sendmsg(fd: Fd, sqe_flags: Flags(&t::IOSQE), user_data: Hex) -> Bytes, URNET, Nothing;
    uring_recvmsg(fd: Fd, sqe_flags: Flags(&t::IOSQE), user_data: Hex) -> Bytes, URNET, Nothing;
    uring_timeout(sqe_flags: Flags(&t::IOSQE), user_data: Hex) -> Int, URTIME, Nothing;
    uring_timeout_remove(sqe_flags: Flags(&t::IOSQE), user_data: Hex) -> Int, URTIME, Nothing;
    uring_accept(fd: Fd, flags: Flags(&t::ACCEPT_FLAGS), sqe_flags: Flags(&t::IOSQE), user_data: Hex) -> Fd, URNET, Effect::MayAccept;
    uring_async_cancel(sqe_flags: Flags(&t::IOSQE), user_data: Hex) -> Int, URING, Nothing;
    uring_link_timeout(sqe_flags: Flags(&t::IOSQE), user_data: Hex) -> Int, URTIME, Nothing;
    uring_connect(fd: Fd, sqe_flags: Flags(&t::IOSQE), user_data: Hex) -> Zero, URNET, Effect::Connect;
    uring_fallocate(fd: Fd, sqe_flags: Flags(&t::IOSQE), user_data: Hex) -> Zero, URFILE, Nothing;
    uring_openat(dirfd: DirFd, path: Path, flags: Flags(&t::OPEN), sqe_flags: Flags(&t::IOSQE), user_data: Hex) -> Fd, URFILE,
        Effect::MayOpen;
    uring_close(fd: Fd, sqe_flags: Flags(&t::IOSQE), user_data: Hex) -> Zero, URDESC, Effect::Close;
    uring_files_update(sqe_flags: Flags(&t::IOSQE), user_data: Hex) -> Int, URING, Nothing;
    uring_statx(dirfd: DirFd, path: Path, sqe_flags: Flags(&t::IOSQE), user_data: Hex) -> Zero, URFILE, Nothing;
    uring_read(fd: Fd, len: Size, sqe_flags: Flags(&t::IOSQE), user_data: Hex) -> Bytes, URFILE, Nothing;
    uring_write(fd: Fd, len: Size, sqe_flags: Flags(&t::IOSQE), user_data: Hex) -> Bytes, URFILE, Nothing;
    uring_fadvise(fd: Fd, sqe_flags: Flags(&t::IOSQE), user_data: Hex) -> Zero, URFILE, Nothing;
    uring_madvise(sqe_flags: Flags(&t::IOSQE), user_data: Hex) -> Zero, URMEM, Nothing;
    uring_send(fd: Fd, len: Size, sqe_flags: Flags(&t::IOSQE), user_data: Hex) -> Bytes, URNET, Nothing;
    uring_recv(fd: Fd, len: Size, sqe_flags: Flags(&t::IOSQE), user_data: Hex) -> Bytes, URNET, Nothing;
    uring_openat2(dirfd: DirFd, path: Path, flags: Flags(&t::OPEN), sqe_flags: Flags(&t::IOSQE), user_data: Hex) -> Fd, URFILE,
        Effect::MayOpen;
    uring_epoll_ctl(sqe_flags: Flags(&t::IOSQE), user_data: Hex) -> Zero, URWAIT, Nothing;
    uring_splice(fd: Fd, sqe_flags: Flags(&t::IOSQE), user_data: Hex) -> Bytes, URFILE, Nothing;
    uring_provide_buffers(sqe_flags: Flags(&t::IOSQE), user_data: Hex) -> Int, URING, Nothing;
    uring_remove_buffers(sqe_flags: Flags(&t::IOSQE), user_data: Hex) -> Int, URING, Nothing;
    uring_tee(fd: Fd, sqe_flags: Flags(&t::IOSQE), user_data: Hex) -> Bytes, URFILE, Nothing;
    uring_shutdown(fd: Fd, sqe_flags: Flags(&t::IOSQE), user_data: Hex) -> Zero, URNET, Nothing;
    uring_renameat(dirfd: DirFd, path: Path, sqe_flags: Flags(&t::IOSQE), user_data: Hex) -> Zero, URFILE, Nothing;
    uring_unlinkat(dirfd: DirFd, path: Path, sqe_flags: Flags(&t::IOSQE), user_data: Hex) -> Zero, URFILE, Nothing;
    uring_mkdirat(dirfd: DirFd, path: Path, sqe_flags: Flags(&t::IOSQE), user_data: Hex) -> Zero, URFILE, Nothing;
    uring_symlinkat(sqe_flags: Flags(&t::IOSQE), user_data: Hex) -> Zero, URFILE, Nothing;
    uring_linkat(sqe_flags: Flags(&t::IOSQE), user_data: Hex) -> Zero, URFILE, Nothing;
    uring_msg_ring(fd: Fd, sqe_flags: Flags(&t::IOSQE), user_data: Hex) -> Int, URDESC, Nothing;
    uring_fsetxattr(fd: Fd, sqe_flags: Flags(&t::IOSQE), user_data: Hex) -> Zero, URFILE, Nothing;
    uring_setxattr(sqe_flags: Flags(&t::IOSQE), user_data: Hex) -> Zero, URFILE, Nothing;
    uring_fgetxattr(fd: Fd, sqe_flags: Flags(&t::IOSQE), user_data: Hex) -> Bytes, URFILE, Nothing;
    uring_getxattr(sqe_flags: Flags(&t::IOSQE), user_data: Hex) -> Bytes, URFILE, Nothing;
    uring_socket(domain: Enum(&t::AF), type: Flags(&t::SOCK), sqe_flags: Flags(&t::IOSQE), user_data: Hex) -> Fd, URNET, Effect::MayOpen;
    uring_cmd(fd: Fd, sqe_flags: Flags(&t::IOSQE), user_data: Hex) -> Int, URDESC, Nothing;
    uring_send_zc(fd: Fd, len: Size, sqe_flags: Flags(&t::IOSQE), user_data: Hex) -> Bytes, URNET, Nothing;
    uring_sendmsg_zc(fd: Fd, sqe_flags: Flags(&t::IOSQE), user_data: Hex) -> Bytes, URNET, Nothing;
    uring_read_multishot(fd: Fd, sqe_flags: Flags(&t::IOSQE), user_data: Hex) -> Bytes, URFILE, Nothing;
    uring_waitid(sqe_flags: Flags(&t::IOSQE), user_data: Hex) -> Zero, URPROC, Nothing;
    uring_futex_wait(sqe_flags: Flags(&t::IOSQE), user_data: Hex) -> Zero, URIPC, Nothing;
    uring_futex_wake(sqe_flags: Flags(&t::IOSQE), user_data: Hex) -> Count, URIPC, Nothing;
    uring_futex_waitv(sqe_flags: Flags(&t::IOSQE), user_data: Hex) -> Int, URIPC, Nothing;
    uring_fixed_fd_install(fd: Fd, sqe_flags: Flags(&t::IOSQE), user_data: Hex) -> Fd, URDESC,
        Effect::MayOpen;
    uring_ftruncate(fd: Fd, sqe_flags: Flags(&t::IOSQE), user_data: Hex) -> Zero, URFILE, Nothing;
    uring_bind(fd: Fd, sqe_flags: Flags(&t::IOSQE), user_data: Hex) -> Zero, URNET, Effect::Bind;
    uring_listen(fd: Fd, sqe_flags: Flags(&t::IOSQE), user_data: Hex) -> Zero, URNET, Effect::Listen;
    uring_recv_zc(fd: Fd, sqe_flags: Flags(&t::IOSQE), user_data: Hex) -> Bytes, URNET, Nothing;
    uring_epoll_wait(fd: Fd, sqe_flags: Flags(&t::IOSQE), user_data: Hex) -> Count, URWAIT, Nothing;
    uring_readv_fixed(fd: Fd, sqe_flags: Flags(&t::IOSQE), user_data: Hex) -> Bytes, URFILE, Nothing;
    uring_writev_fixed(fd: Fd, sqe_flags: Flags(&t::IOSQE), user_data: Hex) -> Bytes, URFILE, Nothing;
    uring_pipe(sqe_flags: Flags(&t::IOSQE), user_data: Hex) -> Zero, URDESC, Nothing;

    // --- rows of snapshots, which are no events: what there is, not what happens ---
    snapshot(processes: Long, descriptors: Long) -> Int, PROCESS, Nothing;
    process() -> Int, PROCESS, Nothing;
    descriptor(fd: Fd, cloexec: UInt) -> Int, DESC, Nothing;

    // --- a call whose number no table has ---
    syscall(nr: Long, arg0: Hex, arg1: Hex, arg2: Hex, arg3: Hex, arg4: Hex, arg5: Hex) -> Int, SYSTEM, Nothing;
};
