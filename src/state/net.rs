//! Sockets that existed before us, by inode: /proc/PID/net.
//!
//! Enters: the text of tcp, udp, raw, icmp (and those of version 6), unix, netlink and packet; of our own namespace what
//! [`diag`] tells besides. Leaves: descriptions. Never: more than a bounded read.
//! A snapshot: what changes later is told by the probe.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use rustc_hash::{FxHashMap, FxHashSet};

use super::tables::{FileDesc, Text};
use super::{diag, families};
use crate::batch::{FileKind, L4, Role, file_flags};

/// Most bytes read of one table.
const MAX_READ: u64 = 64 << 20;
/// TCP_LISTEN (include/net/tcp_states.h).
const LISTEN: u8 = 10;

/// The sockets of one network namespace.
#[derive(Default)]
pub struct NetTables {
    by_inode: Option<FxHashMap<u64, FileDesc>>,
}

impl NetTables {
    /// The socket with this inode; the tables are read at the first question.
    pub fn find(&mut self, dir: &Path, own: bool, ino: u64) -> Option<FileDesc> {
        self.by_inode.get_or_insert_with(|| load(dir, own)).get(&ino).cloned()
    }
}

fn load(dir: &Path, own: bool) -> FxHashMap<u64, FileDesc> {
    let mut map = FxHashMap::default();
    let mut listening = Vec::new();
    for (name, l4) in [
        ("tcp", L4::Tcp),
        ("tcp6", L4::Tcp),
        ("udp", L4::Udp),
        ("udp6", L4::Udp),
        ("raw", L4::Raw),
        ("raw6", L4::Raw),
        ("icmp", L4::Icmp),
        ("icmp6", L4::Icmp),
    ] {
        for line in lines(dir, name) {
            if let Some(d) = parse_ip(&line, l4) {
                if d.flags & file_flags::LISTENING != 0 {
                    listening.push((d.kind, d.lport));
                }
                map.insert(d.ino, d);
            }
        }
    }
    // A connection whose local port is listened on was accepted.
    for d in map.values_mut() {
        if d.l4 == L4::Tcp && d.flags & file_flags::REMOTE != 0 {
            let accepted = listening.iter().any(|(_, port)| *port == d.lport);
            d.role = if accepted { Role::Server } else { Role::Client };
        }
    }
    for line in lines(dir, "unix") {
        if let Some(d) = parse_unix(&line) {
            map.insert(d.ino, d);
        }
    }
    for (name, parse) in
        [("netlink", parse_netlink as fn(&[u8]) -> Option<FileDesc>), ("packet", parse_packet)]
    {
        map.extend(lines(dir, name).iter().filter_map(|line| parse(line)).map(|d| (d.ino, d)));
    }
    if own {
        connect(&mut map, &diag::unix_peers());
        map.extend(diag::vsocks().into_iter().map(of_machines));
    }
    map
}

/// A unix socket without a name of its own is known by that of the other end; of the two, the one that has it was
/// accepted.
fn connect(map: &mut FxHashMap<u64, FileDesc>, peers: &[(u64, u64)]) {
    let listens = |d: &FileDesc| d.flags & file_flags::LISTENING != 0;
    let names: FxHashSet<Text> = map
        .values()
        .filter(|d| d.kind == FileKind::Unix && listens(d))
        .filter_map(|d| d.name.clone())
        .collect();
    for (ino, peer) in peers {
        let Some((name, marks)) = map.get(peer).and_then(|p| Some((p.name.clone()?, p.flags))) else {
            continue;
        };
        let Some(d) = map.get_mut(ino).filter(|d| d.name.is_none()) else { continue };
        d.flags |= marks & file_flags::ABSTRACT;
        // What listened may be gone by now: then nobody knows who connected.
        if names.contains(&name) {
            d.role = Role::Client;
        }
        d.name = Some(name);
        if let Some(p) =
            map.get_mut(peer).filter(|p| p.name.as_ref().is_some_and(|name| names.contains(name)))
        {
            p.role = Role::Server;
        }
    }
}

fn of_machines(v: diag::Vsock) -> (u64, FileDesc) {
    let mut d = FileDesc { kind: FileKind::Vsock, ino: v.ino, ..FileDesc::default() };
    d.name = families::vsock(v.local, v.remote);
    if v.state == LISTEN {
        d.flags |= file_flags::LISTENING;
        d.role = Role::Server;
    }
    (v.ino, d)
}

/// The words of a line.
fn words(line: &[u8]) -> Option<Vec<&str>> {
    Some(std::str::from_utf8(line).ok()?.split_whitespace().collect())
}

/// `sk Eth Pid Groups Rmem Wmem Dump Locks Drops Inode`.
fn parse_netlink(line: &[u8]) -> Option<FileDesc> {
    let words = words(line)?;
    let get = |i: usize| words.get(i)?.parse::<u64>().ok();
    let (protocol, port, ino) = (get(1)?, get(2)?, get(9)?);
    let name = families::netlink(u16::try_from(protocol).ok()?, u32::try_from(port).ok()?);
    // The kernel's own have no file.
    (ino != 0).then(|| FileDesc { kind: FileKind::Netlink, ino, name: Some(name), ..FileDesc::default() })
}

/// `sk RefCnt Type Proto Iface R Rmem User Inode`.
fn parse_packet(line: &[u8]) -> Option<FileDesc> {
    let words = words(line)?;
    let protocol = u16::from_str_radix(words.get(3)?, 16).ok()?;
    let (interface, ino) = (words.get(4)?.parse().ok()?, words.get(8)?.parse().ok()?);
    let name = families::packet(protocol, interface);
    Some(FileDesc { kind: FileKind::Packet, ino, name, ..FileDesc::default() })
}

fn lines(dir: &Path, name: &str) -> Vec<Vec<u8>> {
    let mut bytes = Vec::new();
    if let Ok(f) = File::open(dir.join(name)) {
        let _ = f.take(MAX_READ).read_to_end(&mut bytes);
    }
    bytes.split(|b| *b == b'\n').skip(1).map(<[u8]>::to_vec).collect()
}

/// `sl local_address rem_address st … inode`; addresses are hex of 32-bit words in host order.
fn parse_ip(line: &[u8], l4: L4) -> Option<FileDesc> {
    let line = std::str::from_utf8(line).ok()?;
    let fields: Vec<&str> = line.split_whitespace().collect();
    let (laddr, lport, six) = address(fields.get(1)?)?;
    let (raddr, rport, _) = address(fields.get(2)?)?;
    let state = u8::from_str_radix(fields.get(3)?, 16).ok()?;
    let ino = fields.get(9)?.parse().ok()?;
    let mut d = FileDesc {
        kind: if six { FileKind::Ipv6 } else { FileKind::Ipv4 },
        l4,
        laddr,
        lport,
        raddr,
        rport,
        ino,
        flags: file_flags::LOCAL,
        ..FileDesc::default()
    };
    if rport != 0 {
        d.flags |= file_flags::REMOTE;
    }
    // For UDP that means nothing.
    if l4 == L4::Tcp && state == LISTEN {
        d.flags |= file_flags::LISTENING;
        d.role = Role::Server;
    }
    Some(d)
}

fn address(text: &str) -> Option<([u8; 16], u16, bool)> {
    let (addr, port) = text.split_once(':')?;
    let mut out = [0; 16];
    if !addr.is_ascii() || (addr.len() != 8 && addr.len() != 32) {
        return None;
    }
    for (i, word) in addr.as_bytes().chunks(8).enumerate() {
        let n = u32::from_str_radix(std::str::from_utf8(word).ok()?, 16).ok()?;
        out.get_mut(i * 4..i * 4 + 4)?.copy_from_slice(&n.to_ne_bytes());
    }
    Some((out, u16::from_str_radix(port, 16).ok()?, addr.len() == 32))
}

/// `Num RefCount Protocol Flags Type St Inode [Path]`; `@` begins an abstract name, in which NULs are shown as `@`.
fn parse_unix(line: &[u8]) -> Option<FileDesc> {
    // The columns are padded, and a name may hold blanks: split by hand up to the inode.
    let mut rest = line;
    let mut words = Vec::with_capacity(7);
    for _ in 0..7 {
        let start = rest.iter().position(|b| *b != b' ')?;
        rest = &rest[start..];
        let end = rest.iter().position(|b| *b == b' ').unwrap_or(rest.len());
        words.push(&rest[..end]);
        rest = &rest[end..];
    }
    let ino = std::str::from_utf8(words[6]).ok()?.parse().ok()?;
    let flags = u64::from_str_radix(std::str::from_utf8(words[3]).ok()?, 16).ok()?;
    let mut d = FileDesc { kind: FileKind::Unix, ino, ..FileDesc::default() };
    // __SO_ACCEPTCON: it listens.
    if flags & 0x10000 != 0 {
        d.flags |= file_flags::LISTENING;
        d.role = Role::Server;
    }
    match rest.strip_prefix(b" ") {
        Some(name) if name.first() == Some(&b'@') => {
            d.name = Some(Text::from([b"\0", &name[1..]].concat().as_slice()));
            d.flags |= file_flags::ABSTRACT;
        }
        Some(name) if !name.is_empty() => d.name = Some(Text::from(name)),
        _ => {}
    }
    Some(d)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_kernel_are_understood() {
        let d = parse_ip(
            b"   1: 0100007F:0016 0200007F:C001 01 00000000:00000000 00:00000000 00000000  0  0 4711 1",
            L4::Tcp,
        )
        .expect("a socket");
        assert_eq!(
            (&d.laddr[..4], d.lport, &d.raddr[..4], d.rport, d.ino),
            (&[127, 0, 0, 1][..], 22, &[127, 0, 0, 2][..], 49153, 4711)
        );
        let d = parse_unix(b"ffff8881: 00000002 00000000 00010000 0001 01   123 /run/x y").expect("a socket");
        assert_eq!((d.ino, d.name.as_deref(), d.role), (123, Some(&b"/run/x y"[..]), Role::Server));
        let d = parse_unix(b"ffff8881: 00000002 00000000 00000000 0001 01   124 @abc").expect("a socket");
        assert_eq!(d.name.as_deref(), Some(&b"\0abc"[..]));
        let d = parse_unix(b"ffff8881: 00000002 00000000 00000000 0001 03   125").expect("a socket");
        assert_eq!((d.ino, d.name), (125, None));
    }

    #[test]
    fn other_families_are_named_by_their_tables() {
        let d = parse_netlink(b"0000000012345678 0   4711  00000111 0 0 0 2 0 18").expect("a socket");
        assert_eq!((d.kind, d.ino, d.name.as_deref()), (FileKind::Netlink, 18, Some(&b"route:4711"[..])));
        assert!(parse_netlink(b"0000000012345678 0   0  00000000 0 0 0 2 0 0").is_none());
        let d =
            parse_packet(b"0000000012345678 3      3    0003   2     1 0      0      99").expect("a socket");
        assert_eq!((d.kind, d.ino, d.name.as_deref()), (FileKind::Packet, 99, Some(&b"all:if2"[..])));
        for line in [&b""[..], b"a b c d e f g h i j", b"\xff"] {
            assert!(parse_netlink(line).is_none() && parse_packet(line).is_none());
        }
    }

    #[test]
    fn a_unix_client_is_known_by_its_server() {
        let unix = |line: &str| parse_unix(line.as_bytes()).map(|d| (d.ino, d)).expect("a socket");
        let all = [
            unix("f: 2 0 00010000 0001 01 1 @srv"),
            unix("f: 3 0 00000000 0001 03 2 @srv"),
            unix("f: 3 0 00000000 0001 03 3"),
            unix("f: 3 0 00000000 0001 03 4"),
        ];
        let mut map: FxHashMap<u64, FileDesc> = all.into_iter().collect();
        connect(&mut map, &[(2, 3), (3, 2), (4, 77)]);
        let of = |ino| (map[&ino].name.as_deref(), map[&ino].role);
        assert_eq!(of(2), (Some(&b"\0srv"[..]), Role::Server));
        assert_eq!(of(3), (Some(&b"\0srv"[..]), Role::Client));
        assert_eq!(of(4), (None, Role::Unknown));
        assert_eq!(map[&3].flags, file_flags::ABSTRACT);
    }

    #[test]
    fn hostile_lines_are_skipped() {
        for line in [&b""[..], b"x", b"1: zz:1 2 3", b"\xff\xff", b"a b c d e f g h"] {
            assert!(parse_ip(line, L4::Tcp).is_none());
            assert!(parse_unix(line).is_none());
        }
        assert!(parse_ip(b"1: 0100007F 1 2 3 4 5 6 7 8 9", L4::Tcp).is_none());
    }
}
