//! Names of files and sockets.
//!
//! Enters: a [`File`] entry and the dictionary. Leaves: one text: a path, a tuple of addresses, `pipe:[4711]`; parts and
//! joins of paths. Never: /proc, the file system (paths are text here, links are not followed).

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::escape::{Within, escape};
use super::number;
use crate::batch::{Batch, Dict, File, FileKind, L4, Role, file_flags};
use crate::schema::{DESCRIPTOR, place};

/// An address with its port, if it is known.
pub type End = Option<(IpAddr, u16)>;

fn end(file: &File, bytes: &[u8; 16], port: u16, known: u32) -> End {
    if file.flags & known == 0 {
        return None;
    }
    match file.kind {
        FileKind::Ipv4 => Some((Ipv4Addr::new(bytes[0], bytes[1], bytes[2], bytes[3]).into(), port)),
        FileKind::Ipv6 => Some((Ipv6Addr::from(*bytes).into(), port)),
        _ => None,
    }
}

/// The local end of an IP socket.
pub fn local(file: &File) -> End {
    end(file, &file.laddr, file.lport, file_flags::LOCAL)
}

/// The remote end of an IP socket.
pub fn remote(file: &File) -> End {
    end(file, &file.raddr, file.rport, file_flags::REMOTE)
}

/// The client's end.
pub fn client(file: &File) -> End {
    match file.role {
        Role::Client => local(file),
        Role::Server => remote(file),
        Role::Unknown => None,
    }
}

/// The server's end.
pub fn server(file: &File) -> End {
    match file.role {
        Role::Client => remote(file),
        Role::Server => local(file),
        Role::Unknown => None,
    }
}

/// The process at the other end of a unix socket, if the kernel told.
pub fn peer(file: &File) -> Option<u32> {
    let pid = file.raddr.first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes));
    Some(pid).filter(|pid| *pid != 0 && file.kind == FileKind::Unix)
}

/// For what the file of a row is open, as `lsof` says it; in a table also what is open without a number.
pub fn use_of(batch: &Batch<'_>, row: usize) -> Option<&'static str> {
    if batch.call.get(row) == Some(&DESCRIPTOR) {
        match batch.words_of(row).first().map(|number| *number as i32) {
            Some(place::CWD) => return Some("cwd"),
            Some(place::EXE) => return Some("txt"),
            Some(place::ROOT) => return Some("rtd"),
            _ => {}
        }
    }
    let flags = batch.file_of(row)?.flags;
    match (flags & file_flags::READ != 0, flags & file_flags::WRITE != 0) {
        (true, false) => Some("r"),
        (false, true) => Some("w"),
        (true, true) => Some("u"),
        (false, false) => None,
    }
}

/// The name of a transport, if it is known.
pub fn l4(file: &File) -> Option<&'static str> {
    match file.l4 {
        L4::Unknown => None,
        L4::Tcp => Some("tcp"),
        L4::Udp => Some("udp"),
        L4::Icmp => Some("icmp"),
        L4::Raw => Some("raw"),
    }
}

/// The name of any file: a path; `pipe:[4711]` and the like; for IP sockets `local->remote`, `local` or `->remote`, for
/// unix sockets the path or `@abstract`. Empty if nothing is known.
pub fn file_name<'a>(dict: &Dict<'a>, file: &File) -> Cow<'a, [u8]> {
    if !file.kind.is_ip() && file.flags & file_flags::ABSTRACT == 0 {
        if let Some(name) = dict.strings.find(file.name) {
            return Cow::Borrowed(name);
        }
        if file.ino == 0 {
            return Cow::Borrowed(b"");
        }
    }
    let mut out = Vec::new();
    push_name(&mut out, dict, file, None);
    Cow::Owned(out)
}

fn put(out: &mut Vec<u8>, bytes: &[u8], within: Option<Within>) {
    match within {
        Some(within) => escape(out, bytes, within),
        None => out.extend_from_slice(bytes),
    }
}

/// Appends [`file_name`], what the traced side chose escaped for the place where it stands, or raw.
pub fn push_name(out: &mut Vec<u8>, dict: &Dict<'_>, file: &File, within: Option<Within>) {
    let (local, remote) = (local(file), remote(file));
    if let Some((ip, port)) = local {
        number::endpoint(out, ip, port);
    }
    if let Some((ip, port)) = remote {
        out.extend_from_slice(b"->");
        number::endpoint(out, ip, port);
    }
    if local.is_some() || remote.is_some() {
        return;
    }
    if let Some(name) = dict.strings.find(file.name) {
        if file.flags & file_flags::ABSTRACT != 0 {
            out.push(b'@');
            put(out, name.strip_prefix(b"\0").unwrap_or(name), within);
        } else {
            put(out, name, within);
        }
    } else if file.ino != 0 && (file.kind.is_socket() || file.kind == FileKind::Pipe) {
        out.extend_from_slice(if file.kind == FileKind::Pipe { b"pipe:[" } else { b"socket:[" });
        number::uint(out, file.ino);
        out.push(b']');
    }
}

/// Appends what stands in angle brackets after a descriptor: `</etc/passwd>`, `<tcp 127.0.0.1:5000->127.0.0.1:80>`,
/// `<~/stale/name>`. Nothing if nothing is known.
pub fn push_brackets(out: &mut Vec<u8>, dict: &Dict<'_>, file: &File, uncertain: bool) {
    let start = out.len();
    out.push(b'<');
    if uncertain || file.flags & file_flags::UNCERTAIN != 0 {
        out.push(b'~');
    }
    let named = out.len();
    if file.kind.is_socket() {
        out.extend_from_slice(l4(file).unwrap_or(file.kind.name()).as_bytes());
        let proto = out.len();
        out.push(b' ');
        push_name(out, dict, file, Some(Within::Angles));
        if out.len() == proto + 1 {
            out.pop();
        }
    } else {
        push_name(out, dict, file, Some(Within::Angles));
        if out.len() == named && file.kind != FileKind::Unknown {
            out.extend_from_slice(file.kind.name().as_bytes());
        }
    }
    if out.len() == named {
        out.truncate(start);
    } else {
        out.push(b'>');
    }
}

/// The directory that a path's last component is in.
pub fn directory(path: &[u8]) -> Option<&[u8]> {
    let slash = memchr::memrchr(b'/', path)?;
    Some(if slash == 0 { b"/" } else { &path[..slash] })
}

/// A path's last component.
pub fn last(path: &[u8]) -> Option<&[u8]> {
    let slash = memchr::memrchr(b'/', path)?;
    Some(&path[slash + 1..]).filter(|name| !name.is_empty())
}

/// A path joined with the directory it is relative to, `.`, `..` and doubled slashes resolved as text. Nothing if it is
/// relative to an unknown directory.
pub fn join(base: Option<&[u8]>, path: &[u8]) -> Option<Vec<u8>> {
    let absolute = path.first() == Some(&b'/');
    let base = if absolute { b"/" } else { base.filter(|b| b.first() == Some(&b'/'))? };
    let mut out = Vec::with_capacity(base.len() + path.len() + 1);
    for part in base.split(|b| *b == b'/').chain(path.split(|b| *b == b'/')) {
        match part {
            b"" | b"." => {}
            b".." => out.truncate(memchr::memrchr(b'/', &out).unwrap_or(0)),
            _ => {
                out.push(b'/');
                out.extend_from_slice(part);
            }
        }
    }
    if out.is_empty() {
        out.push(b'/');
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joins() {
        let join = |b: Option<&str>, p: &str| {
            super::join(b.map(str::as_bytes), p.as_bytes()).map(|v| String::from_utf8(v).unwrap())
        };
        for (base, path, want) in [
            (Some("/a/b"), "c", "/a/b/c"),
            (Some("/a/b"), "../c/./d//e", "/a/c/d/e"),
            (Some("/a"), "../../..", "/"),
            (Some("/"), "", "/"),
            (None, "/x/../y", "/y"),
        ] {
            assert_eq!(join(base, path).as_deref(), Some(want));
        }
        assert_eq!(join(None, "c"), None);
        assert_eq!(join(Some("pipe:[1]"), "c"), None);
    }

    #[test]
    fn parts() {
        assert_eq!(directory(b"/etc/passwd"), Some(&b"/etc"[..]));
        assert_eq!(directory(b"/etc"), Some(&b"/"[..]));
        assert_eq!(directory(b"pipe:[1]"), None);
        assert_eq!(last(b"/etc/passwd"), Some(&b"passwd"[..]));
        assert_eq!(last(b"/"), None);
    }
}
