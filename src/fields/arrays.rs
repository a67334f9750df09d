//! Arrays, strings and addresses of sockets: what has no fixed size.
//!
//! Enters: copied bytes, perhaps cut, perhaps made up. Leaves: elements, through a [`Sink`]. Never: an index that is not
//! checked; what does not fit is shown as its bytes.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::sink::Sink;
use super::structs::{Data, i32_at, name, part, structure, take, text, u16_at, u32_at};
use crate::schema::{Arch, Struct, item, tables};

fn be16_at(b: &[u8], at: usize) -> Option<u16> {
    take(b, at).map(u16::from_be_bytes)
}
/// `struct epoll_event[]`.
pub fn epoll_events<S: Sink>(sink: &mut S, data: Data<'_>) {
    let size = if sink.arch() == Arch::X86_64 { 12 } else { 16 };
    sink.open_list();
    for event in data.bytes.chunks_exact(size) {
        sink.element();
        structure(sink, Struct::EpollEvent, text(event, false));
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
        part(sink, "events", u16_at(b, 4), |s, n| s.flags(u64::from(n), &tables::POLL));
        part(sink, "revents", u16_at(b, 6).filter(|n| answered && *n != 0), |s, n| {
            s.flags(u64::from(n), &tables::POLL)
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

/// The parts of an environment: how many variables there are, if that is known, and those that were copied.
pub fn environment(data: Data<'_>) -> Option<(Option<u64>, Data<'_>)> {
    let count = u32_at(data.bytes, 0)?;
    let count = (count != item::UNCOUNTED).then_some(u64::from(count));
    Some((count, Data { bytes: data.bytes.get(4..)?, ..data }))
}

/// A byte for each page, of which the lowest bit counts: digits.
pub fn pages<S: Sink>(sink: &mut S, data: Data<'_>) {
    let digits: Vec<u8> = data.bytes.iter().map(|b| b'0' + (b & 1)).collect();
    sink.data(text(&digits, data.cut));
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
            part(sink, "protocol", Some(u64::from(protocol)), |s, n| name(s, n, &tables::ETH_P));
            part(sink, "ifindex", Some(i64::from(index)), S::int);
            part(sink, "hatype", u16_at(b, 8).map(u64::from), |s, n| name(s, n, &tables::ARPHRD));
            part(sink, "pkttype", b.get(10).map(|n| u64::from(*n)), |s, n| name(s, n, &tables::PACKET_TYPE));
            let addr = b.get(11).and_then(|len| b.get(12..)?.get(..usize::from(*len)));
            part(sink, "addr", addr.filter(|a| !a.is_empty()), S::dump);
            sink.close_map();
        }
        // struct sockaddr_vm: family, reserved, port, cid (include/uapi/linux/vm_sockets.h).
        40 => {
            let (port, cid) = (u32_at(b, 4)?, u32_at(b, 8)?);
            sink.open_map();
            part(sink, "family", Some("vsock"), S::word);
            part(sink, "cid", Some(u64::from(cid)), |s, n| name(s, n, &tables::VMADDR));
            part(sink, "port", Some(u64::from(port)), S::uint);
            sink.close_map();
        }
        // struct sockaddr_alg: type in 14 bytes, feat, mask, name in 64.
        38 => {
            let (kind, alg) = (b.get(2..16)?, b.get(24..)?);
            let end = |b: &[u8]| memchr::memchr(0, b).unwrap_or(b.len());
            sink.open_map();
            part(sink, "family", Some("alg"), S::word);
            part(sink, "type", kind.get(..end(kind)), |s, b| s.data(text(b, false)));
            part(sink, "name", alg.get(..end(alg)), |s, b| s.data(text(b, false)));
            sink.close_map();
        }
        // struct sockaddr_can.
        29 => {
            let index = i32_at(b, 4)?;
            sink.open_map();
            part(sink, "family", Some("can"), S::word);
            part(sink, "ifindex", Some(i64::from(index)), S::int);
            sink.close_map();
        }
        // struct sockaddr_xdp.
        44 => {
            let (flags, index, queue) = (u16_at(b, 2)?, u32_at(b, 4)?, u32_at(b, 8)?);
            sink.open_map();
            part(sink, "family", Some("xdp"), S::word);
            part(sink, "flags", Some(u64::from(flags)), S::hex);
            part(sink, "ifindex", Some(u64::from(index)), S::uint);
            part(sink, "queue", Some(u64::from(queue)), S::uint);
            sink.close_map();
        }
        _ => return None,
    }
    Some(())
}
