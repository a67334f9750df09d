//! The dictionary of a batch: what its rows refer to.
//!
//! Enters: entries, parents before children. Leaves: slices. Never: a change to an entry that a row refers to.

use super::{FileId, NONE, ProcId, StrId};

/// One version of a process, as it was when a row referred to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Proc {
    /// Process id (thread group id) in the initial pid namespace.
    pub pid: u32,
    /// Parent's process id; 0 if it has none.
    pub ppid: u32,
    /// The parent's entry, if known.
    pub parent: ProcId,
    /// Start, boot clock, ns, in the resolution of /proc (one clock tick); 0 if not known.
    pub start: u64,
    /// Effective user id: what access is decided by.
    pub uid: u32,
    /// Effective group id.
    pub gid: u32,
    /// Real user id.
    pub ruid: u32,
    /// Real group id.
    pub rgid: u32,
    /// Audit user id; `u32::MAX` if never set.
    pub loginuid: u32,
    /// Entry in the table of users, for `uid`.
    pub user: u32,
    /// Entry in the table of groups, for `gid`.
    pub group: u32,
    /// Session.
    pub sid: u32,
    /// Process group.
    pub pgid: u32,
    /// Controlling terminal as a kernel device number; 0 if none.
    pub tty: u32,
    /// Process id in its own pid namespace; 0 if not known.
    pub vpid: u32,
    /// The kernel's name of the main thread, at most 15 bytes.
    pub comm: StrId,
    /// Path of the executable.
    pub exepath: StrId,
    /// All arguments, `argv[0]` first, each NUL-terminated.
    pub args: StrId,
    /// Working directory.
    pub cwd: StrId,
    /// Path in the unified cgroup tree.
    pub cgroup: StrId,
    /// The container that it runs in; [`NONE`] also if that is not known, see [`proc_flags::HOST`].
    pub container: u32,
    /// See [`proc_flags`].
    pub flags: u32,
    /// Entry in the table of users, for `loginuid`.
    pub login: u32,
    /// The entry of the session's leader, if it is known and is not this process.
    pub leader: ProcId,
    /// The entry of the process group's leader, if it is known and is not this process.
    pub group_leader: ProcId,
    /// What descriptors 0, 1 and 2 refer to.
    pub stdio: [FileId; 3],
    /// Threads alive; 0 if not known.
    pub threads: u32,
    /// Inode of the executable; 0 if not known.
    pub exe_ino: u64,
    /// When the executable's inode changed last, ns since 1970; 0 if not known.
    pub exe_ctime: u64,
    /// When the executable was written to last, ns since 1970; 0 if not known.
    pub exe_mtime: u64,
    /// Capabilities, bit by number: permitted, inheritable, effective. Known if [`proc_flags::CAPS`] is set.
    pub caps: [u64; 3],
    /// The environment that the program began with, each variable NUL-terminated. Only if it was asked for.
    pub env: StrId,
}

impl Default for Proc {
    fn default() -> Proc {
        Proc {
            pid: 0,
            ppid: 0,
            parent: NONE,
            start: 0,
            uid: NONE,
            gid: NONE,
            ruid: NONE,
            rgid: NONE,
            loginuid: NONE,
            user: NONE,
            group: NONE,
            sid: 0,
            pgid: 0,
            tty: 0,
            vpid: 0,
            comm: NONE,
            exepath: NONE,
            args: NONE,
            cwd: NONE,
            cgroup: NONE,
            container: NONE,
            flags: 0,
            login: NONE,
            leader: NONE,
            group_leader: NONE,
            stdio: [NONE; 3],
            threads: 0,
            exe_ino: 0,
            exe_ctime: 0,
            exe_mtime: 0,
            caps: [0; 3],
            env: NONE,
        }
    }
}

/// Bits of [`Proc::flags`].
pub mod proc_flags {
    /// Something about this entry may be stale.
    pub const UNCERTAIN: u32 = 1;
    /// A kernel thread.
    pub const KERNEL: u32 = 2;
    /// Only its ids are known: it was gone before anything else could be read.
    pub const BARE: u32 = 4;
    /// The arguments were cut.
    pub const ARGS_CUT: u32 = 8;
    /// Capabilities are known.
    pub const CAPS: u32 = 16;
    /// Whether the executable can be written to by the process's user is known …
    pub const EXE_SEEN: u32 = 32;
    /// … and it can.
    pub const EXE_WRITABLE: u32 = 64;
    /// The environment was cut.
    pub const ENV_CUT: u32 = 128;
    /// It runs in no container.
    pub const HOST: u32 = 256;
    /// It is in another user namespace than the host's: its users are not the host's.
    pub const ELSEWHERE: u32 = 512;
    /// The executable lies in the upper layer of an overlay …
    pub const EXE_UPPER: u32 = 1024;
    /// … or in one below; both: in one of them.
    pub const EXE_LOWER: u32 = 2048;
}

/// What a descriptor refers to. The numbers are part of the reel format: append only.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
#[repr(u8)]
pub enum FileKind {
    /// Not known.
    #[default]
    Unknown = 0,
    /// A regular file.
    File = 1,
    /// A directory.
    Directory = 2,
    /// A character or block device.
    Device = 3,
    /// A pipe or FIFO.
    Pipe = 4,
    /// A socket of a family without one of its own below.
    Socket = 5,
    /// An IPv4 socket.
    Ipv4 = 6,
    /// An IPv6 socket.
    Ipv6 = 7,
    /// A unix socket.
    Unix = 8,
    /// A netlink socket.
    Netlink = 9,
    /// A packet socket.
    Packet = 10,
    /// eventfd.
    Event = 11,
    /// epoll.
    Epoll = 12,
    /// signalfd.
    Signal = 13,
    /// timerfd.
    Timer = 14,
    /// inotify.
    Inotify = 15,
    /// fanotify.
    Fanotify = 16,
    /// pidfd.
    Pidfd = 17,
    /// memfd.
    Memfd = 18,
    /// io_uring.
    IoUring = 19,
    /// A bpf map, program or link.
    Bpf = 20,
    /// A perf event.
    Perf = 21,
    /// userfaultfd.
    Userfault = 22,
    /// Another anonymous inode.
    Anon = 23,
    /// A symbolic link opened with O_PATH.
    Symlink = 24,
    /// A socket of virtual machines.
    Vsock = 25,
    /// A buffer that drivers share.
    Dmabuf = 26,
}

impl FileKind {
    /// Every kind with the name that `fd.type` shows and the letter that `fd.typechar` shows (both as sysdig has them).
    pub const ALL: &'static [(FileKind, &'static str, char)] = &[
        (FileKind::Unknown, "unknown", '?'),
        (FileKind::File, "file", 'f'),
        (FileKind::Directory, "directory", 'd'),
        (FileKind::Device, "device", 'v'),
        (FileKind::Pipe, "pipe", 'p'),
        (FileKind::Socket, "socket", 'o'),
        (FileKind::Ipv4, "ipv4", '4'),
        (FileKind::Ipv6, "ipv6", '6'),
        (FileKind::Unix, "unix", 'u'),
        (FileKind::Netlink, "netlink", 'n'),
        (FileKind::Packet, "packet", 'k'),
        (FileKind::Event, "event", 'e'),
        (FileKind::Epoll, "eventpoll", 'l'),
        (FileKind::Signal, "signalfd", 's'),
        (FileKind::Timer, "timerfd", 't'),
        (FileKind::Inotify, "inotify", 'i'),
        (FileKind::Fanotify, "fanotify", 'y'),
        (FileKind::Pidfd, "pidfd", 'P'),
        (FileKind::Memfd, "memfd", 'm'),
        (FileKind::IoUring, "iouring", 'r'),
        (FileKind::Bpf, "bpf", 'b'),
        (FileKind::Perf, "perf", 'c'),
        (FileKind::Userfault, "userfaultfd", 'w'),
        (FileKind::Anon, "anon", 'a'),
        (FileKind::Symlink, "symlink", 'h'),
        (FileKind::Vsock, "vsock", 'V'),
        (FileKind::Dmabuf, "dmabuf", 'D'),
    ];

    /// The kind with this number; numbers of later versions are [`FileKind::Unknown`].
    pub fn from_number(n: u8) -> FileKind {
        FileKind::ALL.get(usize::from(n)).map_or(FileKind::Unknown, |(k, ..)| *k)
    }

    /// The name that `fd.type` shows.
    pub fn name(self) -> &'static str {
        FileKind::ALL.get(self as usize).map_or("unknown", |(_, n, _)| n)
    }

    /// The letter that `fd.typechar` shows.
    pub fn letter(self) -> char {
        FileKind::ALL.get(self as usize).map_or('?', |(.., c)| *c)
    }

    /// True for sockets of any family.
    pub fn is_socket(self) -> bool {
        matches!(
            self,
            FileKind::Socket
                | FileKind::Ipv4
                | FileKind::Ipv6
                | FileKind::Unix
                | FileKind::Netlink
                | FileKind::Packet
                | FileKind::Vsock
        )
    }

    /// True for IPv4 and IPv6.
    pub fn is_ip(self) -> bool {
        matches!(self, FileKind::Ipv4 | FileKind::Ipv6)
    }
}

/// Which side of a connection a socket is. Part of the reel format: append only.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
#[repr(u8)]
pub enum Role {
    /// Not known.
    #[default]
    Unknown = 0,
    /// It connected.
    Client = 1,
    /// It was accepted, or listens.
    Server = 2,
}

/// Transport of an IP socket. Part of the reel format: append only.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
#[repr(u8)]
pub enum L4 {
    /// Not known, or not an IP socket.
    #[default]
    Unknown = 0,
    /// TCP.
    Tcp = 1,
    /// UDP.
    Udp = 2,
    /// ICMP.
    Icmp = 3,
    /// Raw.
    Raw = 4,
}

/// One version of what a descriptor refers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct File {
    /// What it is.
    pub kind: FileKind,
    /// Which side of a connection.
    pub role: Role,
    /// Transport.
    pub l4: L4,
    /// Path, or a name like /proc shows it (`pipe:[4711]`, `anon_inode:[eventfd]`); for sockets `NONE` or a unix path.
    pub name: StrId,
    /// The path as the program gave it, if it differs.
    pub given: StrId,
    /// Device number of the file system, kernel encoding (`major << 20 | minor`); 0 if not known.
    pub dev: u32,
    /// Inode number; 0 if not known.
    pub ino: u64,
    /// Local port (host byte order).
    pub lport: u16,
    /// Remote port.
    pub rport: u16,
    /// Local address; IPv4 in the first four bytes.
    pub laddr: [u8; 16],
    /// Remote address. Of a unix socket the first four bytes are the process at its other end, little-endian; 0 if not known.
    pub raddr: [u8; 16],
    /// See [`file_flags`].
    pub flags: u32,
}

impl Default for File {
    fn default() -> File {
        File {
            kind: FileKind::Unknown,
            role: Role::Unknown,
            l4: L4::Unknown,
            name: NONE,
            given: NONE,
            dev: 0,
            ino: 0,
            lport: 0,
            rport: 0,
            laddr: [0; 16],
            raddr: [0; 16],
            flags: 0,
        }
    }
}

/// Bits of [`File::flags`].
pub mod file_flags {
    /// The name may be stale: shown with `~`.
    pub const UNCERTAIN: u32 = 1;
    /// Local address known.
    pub const LOCAL: u32 = 2;
    /// Remote address known.
    pub const REMOTE: u32 = 4;
    /// A listening socket.
    pub const LISTENING: u32 = 8;
    /// The name was joined from text, not told by the kernel.
    pub const JOINED: u32 = 16;
    /// The name begins with a NUL: an abstract unix address, shown with `@`.
    pub const ABSTRACT: u32 = 32;
    /// The kernel makes its name only when it is asked, and that has not been possible.
    pub const UNNAMED: u32 = 64;
    /// It is open for reading …
    pub const READ: u32 = 128;
    /// … and for writing. Neither: that is not known, or it is for neither.
    pub const WRITE: u32 = 256;
}

/// One version of what is known of a container. Lists are of NUL-terminated values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Container {
    /// Who made it: a number of [`RUNTIMES`].
    pub runtime: u32,
    /// See [`container_flags`].
    pub flags: u32,
    /// Where this is from, a bit for each: 1 the path of its control group, 2 files of its runtime, 4 a socket of its
    /// runtime, 8 its first process.
    pub sources: u32,
    /// Its id, whole.
    pub id: StrId,
    /// Its name.
    pub name: StrId,
    /// The image, as it was asked for.
    pub image: StrId,
    /// The id of the image.
    pub image_id: StrId,
    /// The digest of the image in its repository.
    pub image_digest: StrId,
    /// Its labels: key, value, key, value …
    pub labels: StrId,
    /// Its mounts, each `source:destination:options`.
    pub mounts: StrId,
    /// Its address.
    pub ip: StrId,
    /// When it was made or started, ns since 1970; 0 if not known.
    pub started: u64,
    /// The id of the container that it runs in.
    pub outer: StrId,
    /// The name of the pod that it is in.
    pub pod: StrId,
    /// The pod's namespace.
    pub namespace: StrId,
    /// The pod's uid.
    pub pod_uid: StrId,
    /// The pod's labels, as those of the container.
    pub pod_labels: StrId,
    /// The pod's address.
    pub pod_ip: StrId,
    /// The id of the container that holds the pod together.
    pub sandbox: StrId,
    /// The pod's quality of service.
    pub qos: StrId,
}

impl Default for Container {
    fn default() -> Container {
        Container {
            runtime: 0,
            flags: 0,
            sources: 0,
            id: NONE,
            name: NONE,
            image: NONE,
            image_id: NONE,
            image_digest: NONE,
            labels: NONE,
            mounts: NONE,
            ip: NONE,
            started: 0,
            outer: NONE,
            pod: NONE,
            namespace: NONE,
            pod_uid: NONE,
            pod_labels: NONE,
            pod_ip: NONE,
            sandbox: NONE,
            qos: NONE,
        }
    }
}

impl Container {
    /// Its strings.
    pub fn strings(&self) -> [StrId; 16] {
        let mut all = *self;
        all.strings_mut().map(|id| *id)
    }

    /// The same, to be changed.
    pub fn strings_mut(&mut self) -> [&mut StrId; 16] {
        [
            &mut self.id,
            &mut self.name,
            &mut self.image,
            &mut self.image_id,
            &mut self.image_digest,
            &mut self.labels,
            &mut self.mounts,
            &mut self.ip,
            &mut self.outer,
            &mut self.pod,
            &mut self.namespace,
            &mut self.pod_uid,
            &mut self.pod_labels,
            &mut self.pod_ip,
            &mut self.sandbox,
            &mut self.qos,
        ]
    }
}

/// Bits of [`Container::flags`].
pub mod container_flags {
    /// It only holds a pod together.
    pub const SANDBOX: u32 = 1;
    /// Whether it has the rights of the host is known …
    pub const RIGHTS: u32 = 2;
    /// … and it has.
    pub const PRIVILEGED: u32 = 4;
    /// Whether it has the host's namespace of processes is known; the next bit: and it has. Two bits on of the network, then of
    /// messages (IPC).
    pub const SHARES: u32 = 8;
}

/// Bits of [`Container::sources`] besides those of [`crate::container::Source`].
pub mod container_sources {
    /// Something in it became known later than the events that refer to it.
    pub const LATE: u32 = 16;
}

/// What `container.type` shows, by the number of the runtime. Part of the reel format: append only.
pub const RUNTIMES: [&str; 9] =
    ["unknown", "docker", "containerd", "cri", "cri-o", "podman", "lxc", "nspawn", "oci"];

/// A user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct User {
    /// Its id.
    pub uid: u32,
    /// Its name; `NONE` if there is none.
    pub name: StrId,
    /// Its home directory.
    pub home: StrId,
    /// Its shell.
    pub shell: StrId,
}

/// A group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Group {
    /// Its id.
    pub gid: u32,
    /// Its name.
    pub name: StrId,
}

/// The arena: byte strings, deduplicated.
#[derive(Clone, Copy, Debug, Default)]
pub struct Strings<'a> {
    /// Start of each string in `bytes`, and one past the last.
    pub at: &'a [u32],
    /// All bytes.
    pub bytes: &'a [u8],
}

impl<'a> Strings<'a> {
    /// The bytes of a string; empty if there is no such string.
    pub fn get(&self, id: StrId) -> &'a [u8] {
        let i = id as usize;
        match (self.at.get(i), self.at.get(i.wrapping_add(1))) {
            (Some(&from), Some(&to)) => self.bytes.get(from as usize..to as usize).unwrap_or(&[]),
            _ => &[],
        }
    }

    /// The bytes of a string, or nothing for [`NONE`].
    pub fn find(&self, id: StrId) -> Option<&'a [u8]> {
        (id != NONE).then(|| self.get(id))
    }

    /// How many strings.
    pub fn len(&self) -> usize {
        self.at.len().saturating_sub(1)
    }

    /// True if there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A read view of the dictionary.
#[derive(Clone, Copy, Debug, Default)]
pub struct Dict<'a> {
    /// Processes; a parent stands before its children.
    pub procs: &'a [Proc],
    /// Files.
    pub files: &'a [File],
    /// Users.
    pub users: &'a [User],
    /// Groups.
    pub groups: &'a [Group],
    /// Containers.
    pub containers: &'a [Container],
    /// Strings.
    pub strings: Strings<'a>,
}

impl<'a> Dict<'a> {
    /// A process entry.
    pub fn proc(&self, id: ProcId) -> Option<&'a Proc> {
        self.procs.get(id as usize)
    }

    /// A file entry.
    pub fn file(&self, id: FileId) -> Option<&'a File> {
        self.files.get(id as usize)
    }

    /// A user entry.
    pub fn user(&self, id: u32) -> Option<&'a User> {
        self.users.get(id as usize)
    }

    /// A group entry.
    pub fn group(&self, id: u32) -> Option<&'a Group> {
        self.groups.get(id as usize)
    }

    /// A container entry.
    pub fn container(&self, id: u32) -> Option<&'a Container> {
        self.containers.get(id as usize)
    }

    /// The leader of a process's session: the process itself, or an entry of its own.
    pub fn session_leader(&self, p: &'a Proc) -> Option<&'a Proc> {
        if p.sid == p.pid && p.sid != 0 { Some(p) } else { self.proc(p.leader) }
    }

    /// The leader of a process's group: the process itself, or an entry of its own.
    pub fn group_leader(&self, p: &'a Proc) -> Option<&'a Proc> {
        if p.pgid == p.pid && p.pgid != 0 { Some(p) } else { self.proc(p.group_leader) }
    }

    /// The n-th ancestor of a process: 1 is its parent. Bounded, so that a cycle in a hostile file ends.
    pub fn ancestor(&self, id: ProcId, n: usize) -> Option<&'a Proc> {
        let mut at = self.proc(id)?;
        for _ in 0..n.min(256) {
            at = self.proc(at.parent)?;
        }
        Some(at)
    }
}
