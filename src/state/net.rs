//! Sockets that existed before us, by inode: /proc/PID/net.
//!
//! Enters: the text of tcp, tcp6, udp, udp6, raw, raw6 and unix. Leaves: descriptions. Never: more than a bounded read.
//! A snapshot: what changes later is told by the probe.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use rustc_hash::FxHashMap;

use super::tables::{FileDesc, Text};
use crate::batch::{FileKind, L4, Role, file_flags};

/// Most bytes read of one table.
const MAX_READ: u64 = 64 << 20;

/// The sockets of one network namespace.
#[derive(Default)]
pub struct NetTables {
    by_inode: Option<FxHashMap<u64, FileDesc>>,
}

impl NetTables {
    /// The socket with this inode; the tables are read at the first question.
    pub fn find(&mut self, dir: &Path, ino: u64) -> Option<FileDesc> {
        self.by_inode.get_or_insert_with(|| load(dir)).get(&ino).cloned()
    }
}

fn load(dir: &Path) -> FxHashMap<u64, FileDesc> {
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
    map
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
    // TCP_LISTEN (include/net/tcp_states.h); for UDP 10 means nothing.
    if l4 == L4::Tcp && state == 10 {
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
    fn hostile_lines_are_skipped() {
        for line in [&b""[..], b"x", b"1: zz:1 2 3", b"\xff\xff", b"a b c d e f g h"] {
            assert!(parse_ip(line, L4::Tcp).is_none());
            assert!(parse_unix(line).is_none());
        }
        assert!(parse_ip(b"1: 0100007F 1 2 3 4 5 6 7 8 9", L4::Tcp).is_none());
    }
}
