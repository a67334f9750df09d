//! What the kernel tells of sockets that /proc/net leaves out: who a unix socket is connected to, and sockets of virtual
//! machines (sock_diag(7)).
//!
//! Enters: nothing. Leaves: pairs by inode, of the network namespace that we are in: the kernel answers for no other. Never: a
//! wait for long, an answer of more than a bounded size, a change to any socket.

use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, netlink, sockopt};

/// Longest wait for a part of an answer: the kernel has it ready when the question returns.
const PATIENCE: Duration = Duration::from_millis(500);
/// Most parts of an answer, of 32 KiB at most.
const PARTS: usize = 16384;

/// SOCK_DIAG_BY_FAMILY (include/uapi/linux/sock_diag.h).
const BY_FAMILY: u16 = 20;
/// NLM_F_REQUEST and NLM_F_DUMP.
const ALL: u16 = 1 | 0x300;
/// NLMSG_ERROR and NLMSG_DONE.
const ERROR: u16 = 2;
const DONE: u16 = 3;
/// Size of struct nlmsghdr.
const HEAD: usize = 16;
/// UDIAG_SHOW_PEER, and the attribute that it asks for (include/uapi/linux/unix_diag.h).
const SHOW_PEER: u32 = 4;
const PEER: u16 = 2;

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_ne_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

/// Asks for all sockets of a family, and gives each message of the answer.
fn ask(family: AddressFamily, show: u32, mut each: impl FnMut(&[u8])) -> Option<()> {
    let kind = SocketType::DGRAM;
    let socket: OwnedFd = rustix::net::socket_with(
        AddressFamily::NETLINK,
        kind,
        SocketFlags::CLOEXEC,
        Some(netlink::SOCK_DIAG),
    )
    .ok()?;
    sockopt::set_socket_timeout(&socket, sockopt::Timeout::Recv, Some(PATIENCE)).ok()?;
    // {family, protocol, pad, states, inode, show, cookie}: struct unix_diag_req, and struct vsock_diag_req too.
    let mut request = Vec::with_capacity(HEAD + 24);
    request.extend_from_slice(&((HEAD + 24) as u32).to_ne_bytes());
    request.extend_from_slice(&BY_FAMILY.to_ne_bytes());
    request.extend_from_slice(&ALL.to_ne_bytes());
    request.extend_from_slice(&[0; 8]);
    request.extend_from_slice(&[family.as_raw() as u8, 0, 0, 0]);
    request.extend_from_slice(&u32::MAX.to_ne_bytes());
    request.extend_from_slice(&0_u32.to_ne_bytes());
    request.extend_from_slice(&show.to_ne_bytes());
    request.extend_from_slice(&[0; 8]);
    rustix::net::send(&socket, &request, SendFlags::empty()).ok()?;
    let mut room = vec![0; 32 << 10];
    for _ in 0..PARTS {
        let (n, _) = rustix::net::recv(&socket, &mut room[..], RecvFlags::empty()).ok()?;
        if !messages(room.get(..n)?, &mut each) || n == 0 {
            break;
        }
    }
    Some(())
}

/// The messages of one part. False if that was the last.
fn messages(mut part: &[u8], each: &mut impl FnMut(&[u8])) -> bool {
    while let (Some(len), Some(kind)) = (u32_at(part, 0), u16_at(part, 4)) {
        let len = len as usize;
        let Some(body) = part.get(HEAD..len).filter(|_| kind != ERROR && kind != DONE) else { return false };
        each(body);
        part = part.get(len.next_multiple_of(4)..).unwrap_or_default();
    }
    true
}

/// Inodes of unix sockets, and of what each is connected to.
pub fn unix_peers() -> Vec<(u64, u64)> {
    let mut all = Vec::new();
    ask(AddressFamily::UNIX, SHOW_PEER, |m| all.extend(peer(m)));
    all
}

/// `struct unix_diag_msg` {family, type, state, pad, inode, cookie}, then attributes.
fn peer(message: &[u8]) -> Option<(u64, u64)> {
    let ino = u32_at(message, 4)?;
    let mut rest = message.get(16..)?;
    while let (Some(len), Some(kind)) = (u16_at(rest, 0), u16_at(rest, 2)) {
        if kind == PEER {
            return Some((ino.into(), u32_at(rest, 4)?.into()));
        }
        rest = rest.get(usize::from(len).max(4).next_multiple_of(4)..)?;
    }
    None
}

/// A socket of virtual machines.
#[derive(Debug, PartialEq, Eq)]
pub struct Vsock {
    /// Its inode.
    pub ino: u64,
    /// TCP_.
    pub state: u8,
    /// CID and port.
    pub local: (u32, u32),
    /// The same of the other end.
    pub remote: (u32, u32),
}

/// Those of virtual machines.
pub fn vsocks() -> Vec<Vsock> {
    let mut all = Vec::new();
    ask(AddressFamily::VSOCK, 0, |m| all.extend(vsock(m)));
    all
}

/// `struct vsock_diag_msg` {family, type, state, shutdown, source, destination, inode, cookie}.
fn vsock(m: &[u8]) -> Option<Vsock> {
    let pair = |at| Some((u32_at(m, at)?, u32_at(m, at + 4)?));
    Some(Vsock { ino: u32_at(m, 20)?.into(), state: *m.get(2)?, local: pair(4)?, remote: pair(12)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connected_sockets_know_each_other() {
        use std::os::fd::AsFd;
        let (a, b) = std::os::unix::net::UnixStream::pair().expect("a pair");
        let ino = |fd: std::os::fd::BorrowedFd<'_>| rustix::fs::fstat(fd).expect("a socket").st_ino;
        let (a, b) = (ino(a.as_fd()), ino(b.as_fd()));
        let all = unix_peers();
        // A kernel may not have it (CONFIG_UNIX_DIAG).
        if !all.is_empty() {
            assert!(all.contains(&(a, b)) && all.contains(&(b, a)), "{a} {b}");
        }
    }

    #[test]
    fn a_socket_of_machines_is_read_as_the_kernel_lays_it_out() {
        let mut message = vec![libc::AF_VSOCK as u8, 1, 10, 0];
        for word in [3_u32, 1024, 2, 5000, 4711, 0, 0] {
            message.extend(word.to_ne_bytes());
        }
        let want = Vsock { ino: 4711, state: 10, local: (3, 1024), remote: (2, 5000) };
        assert_eq!(vsock(&message), Some(want));
    }

    #[test]
    fn hostile_answers_are_left() {
        for bytes in
            [&b""[..], &[0; 3], &[0; 16], &[255; 40], &[16, 0, 0, 0, 20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]]
        {
            messages(bytes, &mut |m| {
                peer(m);
                vsock(m);
            });
            assert_eq!(vsock(bytes.get(..20).unwrap_or(bytes)), None);
            peer(bytes);
        }
    }
}
