//! Arrays, strings and addresses of sockets: what has no fixed size.
//!
//! Enters: copied bytes, perhaps cut, perhaps made up. Leaves: elements, through a [`Sink`]. Never: an index that is not
//! checked; what does not fit is shown as its bytes.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::sink::Sink;
use super::structs::{Data, epoll_event, i32_at, part, take, text, u16_at, u32_at};
use crate::schema::Arch;
use crate::schema::names::Names;

fn be16_at(b: &[u8], at: usize) -> Option<u16> {
    take(b, at).map(u16::from_be_bytes)
}
const POLL: Names = Names {
    name: "poll_events",
    mask: 0,
    rows: &[
        (0x1, "POLLIN"),
        (0x2, "POLLPRI"),
        (0x4, "POLLOUT"),
        (0x8, "POLLERR"),
        (0x10, "POLLHUP"),
        (0x20, "POLLNVAL"),
        (0x40, "POLLRDNORM"),
        (0x80, "POLLRDBAND"),
        (0x100, "POLLWRNORM"),
        (0x200, "POLLWRBAND"),
        (0x400, "POLLMSG"),
        (0x2000, "POLLRDHUP"),
    ],
};
/// `struct epoll_event[]`.
pub fn epoll_events<S: Sink>(sink: &mut S, data: Data<'_>) {
    let size = if sink.arch() == Arch::X86_64 { 12 } else { 16 };
    sink.open_list();
    for event in data.bytes.chunks_exact(size) {
        sink.element();
        epoll_event(sink, event);
    }
    sink.close_list_cut(data.cut || !data.bytes.len().is_multiple_of(size));
}

/// `struct pollfd[]`; what the call answered counts only if it did.
pub fn pollfds<S: Sink>(sink: &mut S, data: Data<'_>, answered: bool) {
    sink.open_list();
    for b in data.bytes.chunks_exact(8) {
        sink.element();
        sink.open_map();
        part(sink, "fd", i32_at(b, 0), |s, n| s.int(i64::from(n)));
        part(sink, "events", u16_at(b, 4), |s, n| s.flags(u64::from(n), &POLL));
        part(sink, "revents", u16_at(b, 6).filter(|n| answered && *n != 0), |s, n| {
            s.flags(u64::from(n), &POLL)
        });
        sink.close_map();
    }
    sink.close_list_cut(data.cut || !data.bytes.len().is_multiple_of(8));
}

/// Strings, each NUL-terminated; of the last the NUL may be missing when the bytes were cut.
pub fn strings<S: Sink>(sink: &mut S, data: Data<'_>) {
    let whole = data.bytes.strip_suffix(b"\0").unwrap_or(data.bytes);
    let torn = data.cut && whole.len() == data.bytes.len();
    sink.open_list();
    if !data.bytes.is_empty() {
        let mut rest = whole.split(|b| *b == 0).peekable();
        while let Some(one) = rest.next() {
            sink.element();
            sink.data(text(one, torn && rest.peek().is_none()));
        }
    }
    sink.close_list_cut(data.cut);
}

/// A `struct sockaddr`.
pub fn sockaddr<S: Sink>(sink: &mut S, b: &[u8]) {
    if known_sockaddr(sink, b).is_none() {
        sink.dump(b);
    }
}

fn known_sockaddr<S: Sink>(sink: &mut S, b: &[u8]) -> Option<()> {
    match u16_at(b, 0)? {
        0 => sink.word("AF_UNSPEC"),
        1 => {
            let path = b.get(2..)?;
            match path.split_first() {
                // Every byte of an abstract name counts, zeros too.
                Some((0, name)) if !name.is_empty() => sink.unix(name, true),
                _ => sink.unix(&path[..memchr::memchr(0, path).unwrap_or(path.len())], false),
            }
        }
        2 => sink.endpoint(IpAddr::from(Ipv4Addr::from(take::<4>(b, 4)?)), be16_at(b, 2)?),
        10 => sink.endpoint(IpAddr::from(Ipv6Addr::from(take::<16>(b, 8)?)), be16_at(b, 2)?),
        16 => {
            let (pid, groups) = (u32_at(b, 4)?, u32_at(b, 8)?);
            sink.open_map();
            part(sink, "family", Some("netlink"), S::word);
            part(sink, "pid", Some(u64::from(pid)), S::uint);
            part(sink, "groups", Some(u64::from(groups)), S::hex);
            sink.close_map();
        }
        17 => {
            let (protocol, index) = (be16_at(b, 2)?, i32_at(b, 4)?);
            sink.open_map();
            part(sink, "family", Some("packet"), S::word);
            part(sink, "protocol", Some(u64::from(protocol)), S::hex);
            part(sink, "ifindex", Some(i64::from(index)), S::int);
            sink.close_map();
        }
        _ => return None,
    }
    Some(())
}
