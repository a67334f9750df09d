//! What a new descriptor is: a file by its path, an anonymous file, a socket.
//!
//! Enters: a record of a call, its shape. Leaves: the description of the file behind the new descriptor, and whether exec
//! closes it. Never: a table; so it is true even for a record that is older than what the tables hold.

use super::cloexec;
use super::effects::{bytes_of, file_at};
use super::families;
use super::proc_text::{anon_kind, kind_of_mode};
use super::tables::{FileDesc, ProcRef, Text};
use crate::batch::{FileKind, L4, Role, file_flags};
use crate::decode::{Fact, Got, Path, Record, Sock};
use crate::schema::{Anon, Effect, Kind, Shape};
use crate::source::abi;

/// Of the flags of `open`.
const O_TMPFILE: u64 = 0o20000000;
const O_PATH: u64 = 0o10000000;

/// For what a file is open, by the flags of its open.
pub fn access(flags: u64) -> u32 {
    match flags & 3 {
        _ if flags & O_PATH != 0 => 0,
        0 => file_flags::READ,
        1 => file_flags::WRITE,
        2 => file_flags::READ | file_flags::WRITE,
        // For ioctl only (open(2)).
        _ => 0,
    }
}

/// Calls whose result is a new descriptor of a new file.
fn makes(effect: Effect) -> bool {
    matches!(
        effect,
        Effect::Open
            | Effect::Anon(_)
            | Effect::Socket
            | Effect::Accept
            | Effect::Descriptor
            | Effect::MayOpen
            | Effect::MayAccept
            | Effect::Ioctl
    )
}

/// The file behind a new descriptor, where the call alone says what it is; and whether exec closes it.
pub fn made(r: &Record, shape: &Shape, name: &mut Vec<u8>) -> Option<(FileDesc, bool)> {
    if r.ret < 0 || !makes(shape.effect) {
        return None;
    }
    let pointed = |i| bytes_of(r, shape, i)?.first_chunk().map(|b| u64::from_le_bytes(*b));
    let closed = || cloexec::closes(shape.effect, shape, |i| r.word(i), pointed);
    match (shape.effect, r.fact()) {
        (Effect::Open, Fact::Path(p)) => {
            let mut desc = by_path(&p, name);
            let flags = cloexec::opened_flags(shape, |i| r.word(i), pointed);
            if flags & O_TMPFILE != 0 && desc.kind == FileKind::File {
                // Unlinked from the start, as /proc shows it.
                name.extend_from_slice(b" (deleted)");
                desc.name = Some(Text::from(name.as_slice()));
            }
            desc.flags |= match &*shape.name {
                "creat" => file_flags::WRITE,
                // It leads somewhere, for neither (O_PATH).
                "open_tree" | "open_tree_attr" => 0,
                _ => access(flags),
            };
            let given =
                shape.args.iter().position(|a| a.kind == Kind::Path).and_then(|i| bytes_of(r, shape, i));
            desc.given = given.filter(|g| desc.name.as_deref() != Some(*g)).map(Text::from);
            Some((desc, closed()))
        }
        (Effect::Descriptor | Effect::MayOpen | Effect::Ioctl, Fact::Path(p)) => {
            Some((by_path(&p, name), r.flags & abi::F_CLOEXEC != 0))
        }
        (Effect::Descriptor | Effect::MayOpen | Effect::Ioctl, Fact::Sock(s)) => {
            let mut desc = FileDesc::default();
            told(&mut desc, &s);
            Some((desc, r.flags & abi::F_CLOEXEC != 0))
        }
        (Effect::MayAccept, Fact::Sock(s)) => {
            let mut desc = FileDesc { role: Role::Server, ..FileDesc::default() };
            told(&mut desc, &s);
            Some((desc, r.flags & abi::F_CLOEXEC != 0))
        }
        (Effect::Anon(what), _) => Some((anon(what, r, shape), closed())),
        (Effect::Socket, Fact::Sock(s)) => {
            let mut desc = FileDesc::default();
            told(&mut desc, &s);
            Some((desc, closed()))
        }
        (Effect::Accept, Fact::Sock(s)) => {
            let mut desc = FileDesc { role: Role::Server, ..FileDesc::default() };
            told(&mut desc, &s);
            Some((desc, closed()))
        }
        _ => None,
    }
}

/// When the kernel looks, at the end of an accept, another thread may already have closed the new socket and made another
/// with its number. One that was accepted has the port of the one that listens, and the address that the call told.
pub fn check_accepted(desc: &mut FileDesc, r: &Record, shape: &Shape, proc: &ProcRef) {
    let listens = file_at(&proc.fds.borrow(), r.word(0));
    let of_other = listens.is_some_and(|listens| {
        let listens = listens.desc.borrow();
        listens.kind.is_ip() && listens.flags & file_flags::LOCAL != 0 && listens.lport != desc.lport
    });
    let told = bytes_of(r, shape, 1).and_then(|address| address.get(2..4)?.try_into().ok());
    let elsewhere = desc.kind.is_ip() && told.is_some_and(|port| u16::from_be_bytes(port) != desc.rport);
    if of_other || elsewhere {
        desc.role = Role::default();
        desc.flags |= file_flags::UNCERTAIN;
    }
}

/// The file of an open where the kernel's path cannot be had: the text as given, joined with the working directory, and
/// marked, for a link or a mount may lead elsewhere.
pub fn made_by_text(r: &Record, shape: &Shape, proc: &ProcRef) -> Option<(FileDesc, bool)> {
    if shape.effect != Effect::Open || r.ret < 0 {
        return None;
    }
    let at = shape.args.iter().position(|a| a.kind == Kind::Path)?;
    let given = bytes_of(r, shape, at)?;
    let mut name = Vec::with_capacity(64);
    if given.first() != Some(&b'/') {
        let base = match at.checked_sub(1).map(|d| r.word(d) as i32) {
            Some(fd) if shape.args[at - 1].kind == Kind::DirFd && fd != libc::AT_FDCWD => {
                file_at(&proc.fds.borrow(), fd as u64)?.desc.borrow().name.clone()?
            }
            _ => proc.desc.borrow().cwd.clone()?,
        };
        name.extend_from_slice(&base);
        name.push(b'/');
    }
    name.extend_from_slice(given);
    let desc = FileDesc {
        kind: FileKind::File,
        name: Some(Text::from(name.as_slice())),
        flags: file_flags::JOINED | file_flags::UNCERTAIN,
        ..FileDesc::default()
    };
    let pointed = |i| bytes_of(r, shape, i)?.first_chunk().map(|b| u64::from_le_bytes(*b));
    Some((desc, cloexec::closes(shape.effect, shape, |i| r.word(i), pointed)))
}

/// What the kernel says of a file, by its path.
fn by_path(p: &Path, name: &mut Vec<u8>) -> FileDesc {
    let desc = FileDesc { kind: kind_of_mode(p.mode), dev: p.dev, ino: p.ino, ..FileDesc::default() };
    if let Some(alone) = p.alone() {
        return nameless(desc, alone);
    }
    name.clear();
    p.write(name);
    FileDesc { name: Some(Text::from(name.as_slice())), ..desc }
}

/// A file without a directory, as /proc names it: the kernel's file systems have their own ways (`d_dname`).
fn nameless(mut d: FileDesc, name: &[u8]) -> FileDesc {
    let shown = match name {
        // Of a namespace only the inode is known here.
        b"" if d.kind == FileKind::Pipe => format!("pipe:[{}]", d.ino).into_bytes(),
        b"" => return d,
        b"inotify" => b"anon_inode:inotify".to_vec(),
        [b'[', ..] => [b"anon_inode:", name].concat(),
        b"dmabuf" => b"/dmabuf:".to_vec(),
        b"secretmem" => b"/secretmem (deleted)".to_vec(),
        _ if name.starts_with(b"memfd:") => [b"/", name, b" (deleted)"].concat(),
        _ if name.starts_with(b"bpf") => [b"anon_inode:", name].concat(),
        _ => [b"/", name].concat(),
    };
    if let Some(what) = shown.strip_prefix(b"anon_inode:") {
        d.kind = anon_kind(what);
    } else if shown.starts_with(b"/memfd:") {
        d.kind = FileKind::Memfd;
    } else if shown.starts_with(b"/dmabuf") {
        d.kind = FileKind::Dmabuf;
    }
    d.name = Some(Text::from(shown.as_slice()));
    d
}

/// What came with a message, or was made as one of a pair.
pub fn got(g: &Got, name: &mut Vec<u8>) -> FileDesc {
    let Some(s) = &g.sock else { return by_path(&g.path, name) };
    let mut d = FileDesc::default();
    told(&mut d, s);
    d
}

/// What the kernel says of one file.
pub fn by_fact(r: &Record, name: &mut Vec<u8>) -> Option<FileDesc> {
    match r.fact() {
        Fact::Path(p) => Some(by_path(&p, name)),
        Fact::Sock(s) => {
            let mut desc = FileDesc::default();
            told(&mut desc, &s);
            Some(desc)
        }
        _ => None,
    }
}

fn anon(what: Anon, r: &Record, shape: &Shape) -> FileDesc {
    let (kind, name) = match what {
        Anon::Event => (FileKind::Event, "anon_inode:[eventfd]"),
        Anon::Epoll => (FileKind::Epoll, "anon_inode:[eventpoll]"),
        Anon::Memfd => (FileKind::Memfd, ""),
        Anon::Timer => (FileKind::Timer, "anon_inode:[timerfd]"),
        Anon::Signal => (FileKind::Signal, "anon_inode:[signalfd]"),
        Anon::Inotify => (FileKind::Inotify, "anon_inode:inotify"),
        Anon::Fanotify => (FileKind::Fanotify, "anon_inode:[fanotify]"),
        Anon::Pidfd => (FileKind::Pidfd, "anon_inode:[pidfd]"),
        Anon::IoUring => (FileKind::IoUring, "anon_inode:[io_uring]"),
        Anon::Perf => (FileKind::Perf, "anon_inode:[perf_event]"),
        Anon::Userfault => (FileKind::Userfault, "anon_inode:[userfaultfd]"),
    };
    let name = match (what, bytes_of(r, shape, 0)) {
        // As /proc/PID/fd shows it: unlinked from the start.
        (Anon::Memfd, Some(own)) => Text::from([b"/memfd:", own, b" (deleted)"].concat().as_slice()),
        (Anon::Memfd, None) => Text::from(&b"/memfd: (deleted)"[..]),
        _ => Text::from(name.as_bytes()),
    };
    // As their makers call anon_inode_getfile.
    let flags = match what {
        Anon::Inotify | Anon::Userfault => file_flags::READ,
        _ => file_flags::READ | file_flags::WRITE,
    };
    FileDesc { kind, name: Some(name), flags, ..FileDesc::default() }
}

fn family_kind(family: u16) -> FileKind {
    match i32::from(family) {
        libc::AF_INET => FileKind::Ipv4,
        libc::AF_INET6 => FileKind::Ipv6,
        libc::AF_UNIX => FileKind::Unix,
        libc::AF_NETLINK => FileKind::Netlink,
        libc::AF_PACKET => FileKind::Packet,
        libc::AF_VSOCK => FileKind::Vsock,
        _ => FileKind::Socket,
    }
}

/// What the kernel says of a socket.
pub fn told(d: &mut FileDesc, s: &Sock) {
    d.kind = family_kind(s.family);
    d.ino = s.ino;
    d.flags |= file_flags::READ | file_flags::WRITE;
    // TCP_LISTEN (include/net/tcp_states.h) is the state of whatever listens; of datagrams it means nothing.
    if s.state == 10 && matches!(i32::from(s.ty), libc::SOCK_STREAM | libc::SOCK_SEQPACKET) {
        d.role = Role::Server;
        d.flags |= file_flags::LISTENING;
    }
    if d.kind.is_ip() {
        d.l4 = match i32::from(s.protocol) {
            libc::IPPROTO_TCP => L4::Tcp,
            libc::IPPROTO_UDP => L4::Udp,
            libc::IPPROTO_ICMP | libc::IPPROTO_ICMPV6 => L4::Icmp,
            _ if i32::from(s.ty) == libc::SOCK_RAW => L4::Raw,
            _ => L4::Unknown,
        };
        (d.laddr, d.raddr, d.lport, d.rport) = (s.laddr, s.raddr, s.lport, s.rport);
        d.flags &= !(file_flags::LOCAL | file_flags::REMOTE);
        if d.lport != 0 || d.laddr != [0; 16] {
            d.flags |= file_flags::LOCAL;
        }
        // The address of a connection that is over stays behind; without its port there is none (inet_getname in
        // net/ipv4/af_inet.c).
        if d.rport != 0 || (d.raddr != [0; 16] && !matches!(d.l4, L4::Tcp | L4::Udp)) {
            d.flags |= file_flags::REMOTE;
        }
    } else if d.kind == FileKind::Unix {
        // The end that has a name gives it to the connection.
        let name = if s.rname.is_empty() { s.lname } else { s.rname };
        unix_name(d, name);
        d.raddr[..4].copy_from_slice(&s.laddr[..4]);
    } else {
        d.name = families::name(d.kind, s.protocol, &s.laddr, &s.raddr).or(d.name.take());
    }
}

fn unix_name(d: &mut FileDesc, name: &[u8]) {
    let name = match name.first() {
        None => return,
        Some(0) => {
            d.flags |= file_flags::ABSTRACT;
            name
        }
        // A path ends at its NUL, whatever length was given.
        Some(_) => name.split(|b| *b == 0).next().unwrap_or(name),
    };
    d.name = Some(Text::from(name));
}

/// The address that a failed connect was given: `struct sockaddr`.
pub fn tried(d: &mut FileDesc, addr: Option<&[u8]>) {
    let Some(addr) = addr else { return };
    let family = addr.get(..2).and_then(|b| b.try_into().ok()).map_or(0, u16::from_le_bytes);
    let port = addr.get(2..4).and_then(|b| b.try_into().ok()).map_or(0, u16::from_be_bytes);
    match (i32::from(family), addr.len()) {
        (libc::AF_INET, 8..) => {
            d.raddr = [0; 16];
            d.raddr[..4].copy_from_slice(&addr[4..8]);
            d.rport = port;
            d.flags |= file_flags::REMOTE;
        }
        (libc::AF_INET6, 24..) => {
            d.raddr.copy_from_slice(&addr[8..24]);
            d.rport = port;
            d.flags |= file_flags::REMOTE;
        }
        (libc::AF_UNIX, 3..) => unix_name(d, &addr[2..]),
        _ => {}
    }
}
