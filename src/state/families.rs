//! Names of sockets that are neither of IP nor of unix: netlink, packet, vsock.
//!
//! Enters: what the kernel or /proc tells of one. Leaves: its name: `route:4711` (a netlink protocol and port id),
//! `all:if2` (packets of a protocol, of the interface with this number in its network namespace; `*` is every one),
//! `3:1024->2:5000` (CIDs and ports). Never: a name for a socket that is bound to nothing: that has none.

use super::tables::{FileDesc, Text};
use crate::batch::{FileKind, L4, file_flags};
use crate::decode::Sent;
use crate::schema::names::Names;
use crate::schema::tables;

/// VMADDR_CID_ANY and VMADDR_PORT_ANY (include/uapi/linux/vm_sockets.h).
const ANY: u32 = u32::MAX;

/// The kernel's word for a number, as short as it goes, or the number.
fn word(table: &Names, prefix: &str, n: u16) -> String {
    match table.name_of(u64::from(n)).and_then(|name| name.strip_prefix(prefix)) {
        Some(name) => name.to_ascii_lowercase(),
        None => format!("{n:#x}"),
    }
}

/// A netlink socket: of this protocol, with this port id; 0 before it has one.
pub fn netlink(protocol: u16, port: u32) -> Text {
    let protocol = word(&tables::NETLINK, "NETLINK_", protocol);
    let name = if port == 0 { protocol } else { format!("{protocol}:{port}") };
    Text::from(name.as_bytes())
}

/// A packet socket: of this protocol, 0 if it gets nothing yet, and interface, 0 for all.
pub fn packet(protocol: u16, interface: u32) -> Option<Text> {
    if protocol == 0 && interface == 0 {
        return None;
    }
    let protocol = if protocol == 0 { "none".into() } else { word(&tables::ETH_P, "ETH_P_", protocol) };
    let interface = if interface == 0 { "*".into() } else { format!("if{interface}") };
    Some(Text::from(format!("{protocol}:{interface}").as_bytes()))
}

/// A socket of virtual machines: CID and port of both ends.
pub fn vsock(local: (u32, u32), remote: (u32, u32)) -> Option<Text> {
    let end = |(cid, port): (u32, u32)| {
        let part = |n: u32| if n == ANY { "*".to_owned() } else { n.to_string() };
        (cid != ANY || port != ANY).then(|| format!("{}:{}", part(cid), part(port)))
    };
    let name = match (end(local), end(remote)) {
        (None, None) => return None,
        (Some(local), None) => local,
        (local, Some(remote)) => format!("{}->{remote}", local.unwrap_or_default()),
    };
    Some(Text::from(name.as_bytes()))
}

/// What a socket is by the name of its protocol (`struct proto`), which the kernel's file system of sockets tells as an
/// attribute.
pub fn kind_of_protocol(name: &[u8]) -> (FileKind, L4) {
    match name.strip_suffix(b"\0").unwrap_or(name) {
        b"TCP" => (FileKind::Ipv4, L4::Tcp),
        b"TCPv6" => (FileKind::Ipv6, L4::Tcp),
        b"UDP" => (FileKind::Ipv4, L4::Udp),
        b"UDPv6" => (FileKind::Ipv6, L4::Udp),
        b"RAW" => (FileKind::Ipv4, L4::Raw),
        b"RAWv6" => (FileKind::Ipv6, L4::Raw),
        b"PING" => (FileKind::Ipv4, L4::Icmp),
        b"PINGv6" => (FileKind::Ipv6, L4::Icmp),
        b"MPTCP" | b"UDP-Lite" => (FileKind::Ipv4, L4::Unknown),
        b"MPTCPv6" | b"UDPLITEv6" => (FileKind::Ipv6, L4::Unknown),
        // Of streams since 5.15.
        b"UNIX" | b"UNIX-STREAM" => (FileKind::Unix, L4::Unknown),
        b"NETLINK" => (FileKind::Netlink, L4::Unknown),
        b"PACKET" => (FileKind::Packet, L4::Unknown),
        b"AF_VSOCK" => (FileKind::Vsock, L4::Unknown),
        _ => (FileKind::Socket, L4::Unknown),
    }
}

/// The name by what the probe tells: see [`crate::source::abi::SockFact`].
pub fn name(kind: FileKind, protocol: u16, local: &[u8; 16], remote: &[u8; 16]) -> Option<Text> {
    let half = |bytes: &[u8; 16], at: usize| {
        bytes.get(at..at + 4).and_then(|b| b.try_into().ok()).map_or(0, u32::from_le_bytes)
    };
    let (low, high) = (half(local, 0), half(local, 4));
    match kind {
        FileKind::Netlink => Some(netlink(protocol, low)),
        FileKind::Packet => packet(high as u16, low),
        // Zeros where the kernel's own are not known: a socket that is bound to nothing has others.
        FileKind::Vsock if *local == [0; 16] && *remote == [0; 16] => None,
        FileKind::Vsock => vsock((high, low), (half(remote, 4), half(remote, 0))),
        _ => None,
    }
}

/// True if a send gave this socket an address that it had not.
pub fn sent(d: &FileDesc, s: &Sent) -> bool {
    d.ino == s.ino
        && match d.kind {
            FileKind::Ipv4 | FileKind::Ipv6 => d.l4 == L4::Udp && d.lport == 0 && s.lport != 0,
            FileKind::Netlink => s.port != 0 && d.name.as_ref().is_some_and(|name| !name.contains(&b':')),
            _ => false,
        }
}

/// It has it from now on. Without a bind before no address was chosen, only a port (udp_sendmsg, netlink_autobind).
pub fn bound_by_sending(d: &mut FileDesc, s: &Sent) {
    if d.kind.is_ip() {
        d.lport = s.lport;
        d.flags |= file_flags::LOCAL;
    } else if let Some(name) = &d.name {
        let own = format!(":{}", s.port);
        d.name = Some(Text::from([name, own.as_bytes()].concat().as_slice()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(name: Option<Text>) -> Option<String> {
        name.map(|n| String::from_utf8_lossy(&n).into_owned())
    }

    #[test]
    fn names_say_what_a_socket_is_bound_to() {
        assert_eq!(shown(Some(netlink(0, 4711))).as_deref(), Some("route:4711"));
        assert_eq!(shown(Some(netlink(15, 0))).as_deref(), Some("kobject_uevent"));
        assert_eq!(shown(Some(netlink(99, 7))).as_deref(), Some("0x63:7"));
        assert_eq!(shown(packet(3, 2)).as_deref(), Some("all:if2"));
        assert_eq!(shown(packet(0x800, 0)).as_deref(), Some("ip:*"));
        assert_eq!(shown(packet(0, 1)).as_deref(), Some("none:if1"));
        assert_eq!(packet(0, 0), None);
        assert_eq!(shown(vsock((ANY, 5000), (ANY, ANY))).as_deref(), Some("*:5000"));
        assert_eq!(shown(vsock((3, 1024), (2, 5000))).as_deref(), Some("3:1024->2:5000"));
        assert_eq!(vsock((ANY, ANY), (ANY, ANY)), None);
        assert_eq!(name(FileKind::Vsock, 0, &[0; 16], &[0; 16]), None);
    }

    #[test]
    fn only_a_socket_without_an_address_gets_one_by_sending() {
        let s = Sent { ino: 9, family: 2, lport: 40000, port: 0 };
        let mut d = FileDesc { kind: FileKind::Ipv4, l4: L4::Udp, ino: 9, ..FileDesc::default() };
        assert!(sent(&d, &s) && !sent(&d, &Sent { ino: 8, ..s }));
        bound_by_sending(&mut d, &s);
        assert_eq!((d.lport, d.flags), (40000, file_flags::LOCAL));
        assert!(!sent(&d, &s));
        let s = Sent { ino: 9, family: 16, lport: 0, port: 77 };
        let mut d =
            FileDesc { kind: FileKind::Netlink, name: Some(netlink(0, 0)), ino: 9, ..FileDesc::default() };
        assert!(sent(&d, &s));
        bound_by_sending(&mut d, &s);
        assert_eq!(shown(d.name.clone()).as_deref(), Some("route:77"));
        assert!(!sent(&d, &s));
    }
}
