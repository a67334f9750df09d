//! Fields of the file that the event is about, and of the others that it names: `fd.*`, `fdlist.*`.
//!
//! Enters: the dictionary and the index of a file. Leaves: its values. Never: rows, save for `fd.num`.

use std::borrow::Cow;
use std::net::IpAddr;

use super::evt::ARGS;
use super::{field, keyed, unless};
use crate::batch::{Batch, Columns, Dict, File, FileId, FileKind, Role};
use crate::fields::args::{self, AT_FDCWD};
use crate::fields::names::{self, End, client, local, remote, server};
use crate::fields::{Extract, Field, Key, Takes, Type, Value, services};
use crate::schema::{DESCRIPTOR, Kind, Ret, is_error};

/// Also the files of sets and arrays.
const LISTS: Columns = ARGS.and(Columns::FDLIST);

fn of<'a>(d: &Dict<'a>, id: FileId, get: impl FnOnce(&'a File) -> Value<'a>) -> Value<'a> {
    d.file(id).map_or(Value::None, get)
}

fn ip(end: End) -> Value<'static> {
    end.map_or(Value::None, |(ip, _): (IpAddr, _)| Value::Ip(ip))
}

fn port(end: End) -> Value<'static> {
    end.map_or(Value::None, |(_, port)| Value::UInt(u64::from(port)))
}

/// The name that a port is known by.
fn service(end: End) -> Value<'static> {
    Value::maybe(end.and_then(|(_, port)| services::name_of(port)).map(str::as_bytes))
}

/// Either end.
fn either(file: &File, get: fn(End) -> Value<'static>) -> Value<'static> {
    match (local(file), remote(file)) {
        (None, None) => Value::None,
        (Some(end), None) | (None, Some(end)) => get(Some(end)),
        (a, b) => match (get(a), get(b)) {
            (Value::None, one) | (one, Value::None) => one,
            (a, b) => Value::Any(vec![a, b]),
        },
    }
}

fn name<'a>(d: &Dict<'a>, file: &File) -> Option<Cow<'a, [u8]>> {
    Some(names::file_name(d, file)).filter(|n| !n.is_empty())
}

/// Part of a path; sockets have none.
fn path_part<'a>(d: &Dict<'a>, file: &File, part: fn(&[u8]) -> Option<&[u8]>) -> Value<'a> {
    let path = d.strings.find(file.name).filter(|n| n.first() == Some(&b'/') && !file.kind.is_ip());
    path.and_then(part).map_or(Value::None, Value::text)
}

/// The new descriptor of a call that makes one, else the first that it names.
fn number<'a>(b: &Batch<'a>, row: usize, _: &Key) -> Value<'a> {
    let shape = b.shape_of(row);
    let ret = b.ret_of(row);
    if b.call.get(row).is_none() {
        return Value::None;
    }
    if shape.ret == Ret::Fd && !is_error(ret) {
        return Value::Int(ret);
    }
    let fd = shape.args.iter().position(|a| matches!(a.kind, Kind::Fd | Kind::DirFd));
    match fd.and_then(|i| b.words_of(row).get(i)).map(|w| *w as i32) {
        None | Some(AT_FDCWD) => Value::None,
        // In a table, what is open without a number.
        Some(n) if n < 0 && b.call.get(row) == Some(&DESCRIPTOR) => Value::None,
        Some(n) => Value::Int(i64::from(n)),
    }
}

/// The kinds of the descriptors that the event names, or of the one with this number.
fn kinds<'a>(b: &Batch<'a>, row: usize, key: &Key) -> Value<'a> {
    let mut all: Vec<Value<'a>> = Vec::new();
    for (fd, id) in args::named_fds(b, row) {
        let wanted = match key {
            Key::Index(n) => i64::try_from(*n) == Ok(fd),
            _ => true,
        };
        let kind = b.dict.file(id).map(|f| f.kind).filter(|k| wanted && *k != FileKind::Unknown);
        let kind = kind.map(|k| Value::text(k.name().as_bytes()));
        all.extend(kind.filter(|k| !all.contains(k)));
    }
    match (all.len(), key) {
        (0, _) => Value::None,
        (1, Key::Index(_)) => all.swap_remove(0),
        _ => Value::Any(all),
    }
}

/// What the descriptors of a call that may name several have.
fn several<'a>(b: &Batch<'a>, row: usize, get: impl Fn(i64, FileId) -> Value<'a>) -> Value<'a> {
    let each = args::several_fds(b, row).into_iter().map(|(fd, file)| get(fd, file));
    let all: Vec<_> = each.filter(|v| *v != Value::None).collect();
    if all.is_empty() { Value::None } else { Value::Any(all) }
}

/// The same of their files.
fn each_file<'a>(b: &Batch<'a>, row: usize, get: impl Fn(&'a File) -> Value<'a>) -> Value<'a> {
    several(b, row, |_, file| of(&b.dict, file, &get))
}

/// Number and thread in one word.
fn key_of<'a>(b: &Batch<'a>, row: usize, key: &Key) -> Value<'a> {
    match (number(b, row, key), b.tid.get(row)) {
        (Value::Int(fd), Some(tid)) => Value::Text(format!("{tid}{fd}").into_bytes().into()),
        _ => Value::None,
    }
}

const fn of_file(get: for<'a> fn(&Dict<'a>, FileId, &Key) -> Value<'a>) -> Extract {
    Extract::File(get)
}

/// The rows.
pub const FIELDS: &[Field] = &[
    field(
        "fd.num",
        Type::Int,
        "number of the descriptor that the call makes, else of the first that it names",
        "fd.num in (0, 1, 2)",
        Extract::Row(Columns::CALL.and(Columns::RET).and(Columns::WORDS), number),
    ),
    field(
        "fd.use",
        Type::Text,
        "for what it is open: r, w, u (both), if that is known; in `sysreel lsof` also cwd, txt (the program) and rtd (the root)",
        "fd.use in (w, u)",
        Extract::Row(Columns::CALL.and(Columns::RET).and(Columns::WORDS).and(Columns::REFS), |b, row, _| {
            names::use_of(b, row).map_or(Value::None, |what| Value::Text(what.as_bytes().into()))
        }),
    ),
    field(
        "fd.type",
        Type::FileKindName,
        "kind of file: file, directory, device, pipe, ipv4, ipv6, unix, event, eventpoll and more",
        "fd.type = ipv4",
        of_file(|d, i, _| {
            of(d, i, |f| match f.kind {
                FileKind::Unknown => Value::None,
                kind => Value::text(kind.name().as_bytes()),
            })
        }),
    ),
    field(
        "fd.typechar",
        Type::Text,
        "kind of file as one letter: f d p 4 6 u and more",
        "fd.typechar = 4",
        of_file(|d, i, _| {
            of(d, i, |f| match f.kind {
                FileKind::Unknown => Value::None,
                kind => Value::Text(kind.letter().to_string().into_bytes().into()),
            })
        }),
    ),
    field(
        "fd.name",
        Type::Path,
        "path; for sockets local->remote addresses, or what they are bound to; pipe:[4711] and the like",
        "fd.name startswith /etc",
        of_file(|d, i, _| of(d, i, |f| name(d, f).map_or(Value::None, Value::Text))),
    ),
    field(
        "fd.directory",
        Type::Path,
        "directory that the file is in",
        "fd.directory = /etc",
        of_file(|d, i, _| of(d, i, |f| path_part(d, f, names::directory))),
    ),
    field(
        "fd.filename",
        Type::Text,
        "last component of the path",
        "fd.filename = passwd",
        of_file(|d, i, _| of(d, i, |f| path_part(d, f, names::last))),
    ),
    field(
        "fd.ip",
        Type::Ip,
        "address of either end; a network matches too",
        "fd.ip = 10.0.0.0/8",
        of_file(|d, i, _| of(d, i, |f| either(f, ip))),
    ),
    field(
        "fd.cip",
        Type::Ip,
        "address of the client",
        "fd.cip = 10.0.0.7",
        of_file(|d, i, _| of(d, i, |f| ip(client(f)))),
    ),
    field(
        "fd.sip",
        Type::Ip,
        "address of the server",
        "fd.sip = 10.0.0.7",
        of_file(|d, i, _| of(d, i, |f| ip(server(f)))),
    ),
    field(
        "fd.lip",
        Type::Ip,
        "local address",
        "fd.lip = 127.0.0.1",
        of_file(|d, i, _| of(d, i, |f| ip(local(f)))),
    ),
    field(
        "fd.rip",
        Type::Ip,
        "remote address",
        "fd.rip = 10.0.0.7",
        of_file(|d, i, _| of(d, i, |f| ip(remote(f)))),
    ),
    field(
        "fd.port",
        Type::Port,
        "port of either end",
        "fd.port = https",
        of_file(|d, i, _| of(d, i, |f| either(f, port))),
    ),
    field(
        "fd.cport",
        Type::Port,
        "port of the client",
        "fd.cport > 32768",
        of_file(|d, i, _| of(d, i, |f| port(client(f)))),
    ),
    field(
        "fd.sport",
        Type::Port,
        "port of the server",
        "fd.sport = 443",
        of_file(|d, i, _| of(d, i, |f| port(server(f)))),
    ),
    field(
        "fd.lport",
        Type::Port,
        "local port",
        "fd.lport = 80",
        of_file(|d, i, _| of(d, i, |f| port(local(f)))),
    ),
    field(
        "fd.rport",
        Type::Port,
        "remote port",
        "fd.rport = 53",
        of_file(|d, i, _| of(d, i, |f| port(remote(f)))),
    ),
    field(
        "fd.net",
        Type::Ip,
        "the same as fd.ip",
        "fd.net = 10.0.0.0/8",
        of_file(|d, i, _| of(d, i, |f| either(f, ip))),
    ),
    field(
        "fd.cnet",
        Type::Ip,
        "the same as fd.cip",
        "fd.cnet = 10.0.0.0/8",
        of_file(|d, i, _| of(d, i, |f| ip(client(f)))),
    ),
    field(
        "fd.snet",
        Type::Ip,
        "the same as fd.sip",
        "fd.snet = 10.0.0.0/8",
        of_file(|d, i, _| of(d, i, |f| ip(server(f)))),
    ),
    field(
        "fd.lnet",
        Type::Ip,
        "the same as fd.lip",
        "fd.lnet = 10.0.0.0/8",
        of_file(|d, i, _| of(d, i, |f| ip(local(f)))),
    ),
    field(
        "fd.rnet",
        Type::Ip,
        "the same as fd.rip",
        "fd.rnet = 10.0.0.0/8",
        of_file(|d, i, _| of(d, i, |f| ip(remote(f)))),
    ),
    field(
        "fd.proto",
        Type::Text,
        "name of the service that either port is known for",
        "fd.proto = https",
        of_file(|d, i, _| of(d, i, |f| either(f, service))),
    ),
    field(
        "fd.cproto",
        Type::Text,
        "name of the service that the client's port is known for",
        "fd.cproto = https",
        of_file(|d, i, _| of(d, i, |f| service(client(f)))),
    ),
    field(
        "fd.sproto",
        Type::Text,
        "name of the service that the server's port is known for",
        "fd.sproto = https",
        of_file(|d, i, _| of(d, i, |f| service(server(f)))),
    ),
    field(
        "fd.lproto",
        Type::Text,
        "name of the service that the local port is known for",
        "fd.lproto = https",
        of_file(|d, i, _| of(d, i, |f| service(local(f)))),
    ),
    field(
        "fd.rproto",
        Type::Text,
        "name of the service that the remote port is known for",
        "fd.rproto = https",
        of_file(|d, i, _| of(d, i, |f| service(remote(f)))),
    ),
    field(
        "fd.l4proto",
        Type::Text,
        "transport of an IP socket: tcp, udp, icmp, raw",
        "fd.l4proto = udp",
        of_file(|d, i, _| of(d, i, |f| Value::maybe(names::l4(f).map(str::as_bytes)))),
    ),
    field(
        "fd.sockfamily",
        Type::Text,
        "family of a socket: ip or unix",
        "fd.sockfamily = unix",
        of_file(|d, i, _| {
            of(d, i, |f| match f.kind {
                FileKind::Ipv4 | FileKind::Ipv6 => Value::text(b"ip"),
                FileKind::Unix => Value::text(b"unix"),
                _ => Value::None,
            })
        }),
    ),
    field(
        "fd.is_server",
        Type::Bool,
        "true if this process is the server of the connection",
        "fd.is_server = true",
        of_file(|d, i, _| {
            of(d, i, |f| match f.role {
                Role::Unknown => Value::None,
                role => Value::Bool(role == Role::Server),
            })
        }),
    ),
    field(
        "fd.connected",
        Type::Bool,
        "true if the IP socket is connected",
        "fd.connected = false and fd.l4proto = tcp",
        of_file(|d, i, _| {
            of(d, i, |f| if f.kind.is_ip() { Value::Bool(remote(f).is_some()) } else { Value::None })
        }),
    ),
    field(
        "fd.dev",
        Type::UInt,
        "device number of the file system, as the kernel has it (major * 2^20 + minor)",
        "fd.dev = 8388609",
        of_file(|d, i, _| of(d, i, |f| unless(0, u64::from(f.dev)))),
    ),
    field(
        "fd.dev.major",
        Type::UInt,
        "major device number of the file system",
        "fd.dev.major = 8",
        of_file(|d, i, _| {
            of(d, i, |f| if f.dev == 0 { Value::None } else { Value::UInt(u64::from(f.dev >> 20)) })
        }),
    ),
    field(
        "fd.dev.minor",
        Type::UInt,
        "minor device number of the file system",
        "fd.dev.minor = 1",
        of_file(|d, i, _| {
            of(d, i, |f| if f.dev == 0 { Value::None } else { Value::UInt(u64::from(f.dev & 0xf_ffff)) })
        }),
    ),
    field(
        "fd.peer.pid",
        Type::UInt,
        "process at the other end of a unix socket, as the kernel keeps it: who listened, who connected, or who made the pair",
        "fd.peer.pid = 1",
        of_file(|d, i, _| of(d, i, |f| names::peer(f).map_or(Value::None, |pid| Value::UInt(pid.into())))),
    ),
    field(
        "fd.ino",
        Type::UInt,
        "inode number",
        "fd.ino = 4711",
        of_file(|d, i, _| of(d, i, |f| unless(0, f.ino))),
    ),
    field(
        "fd.nameraw",
        Type::Path,
        "path as the program gave it",
        "fd.nameraw startswith ../",
        of_file(|d, i, _| of(d, i, |f| Value::maybe(d.strings.find(f.given).or(d.strings.find(f.name))))),
    ),
    field(
        "fd.uid",
        Type::Text,
        "id of the thread and number of the descriptor in one word, as a key",
        "fd.uid = 47113",
        Extract::Row(Columns::TID.and(Columns::CALL).and(Columns::RET).and(Columns::WORDS), key_of),
    ),
    keyed(
        Takes::OptionalIndex,
        field(
            "fd.types",
            Type::FileKindName,
            "kinds of the descriptors that the event names; with a number, of that descriptor",
            "fd.types = ipv4",
            Extract::Row(LISTS, kinds),
        ),
    ),
    field(
        "fdlist.nums",
        Type::Int,
        "descriptors of a call that names several: those of poll and select; of pipe, dup2, splice and the like; those that go with messages",
        "fdlist.nums = 3",
        Extract::Row(ARGS, |b, row, _| several(b, row, |fd, _| Value::Int(fd))),
    ),
    field(
        "fdlist.names",
        Type::Path,
        "names of these descriptors, as fd.name has them",
        "fdlist.names startswith /dev/pts",
        Extract::Row(LISTS, |b, row, _| {
            each_file(b, row, |f| name(&b.dict, f).map_or(Value::None, Value::Text))
        }),
    ),
    field(
        "fdlist.cips",
        Type::Ip,
        "addresses of the clients of these descriptors",
        "fdlist.cips = 10.0.0.0/8",
        Extract::Row(LISTS, |b, row, _| each_file(b, row, |f| ip(client(f)))),
    ),
    field(
        "fdlist.sips",
        Type::Ip,
        "addresses of the servers of these descriptors",
        "fdlist.sips = 10.0.0.7",
        Extract::Row(LISTS, |b, row, _| each_file(b, row, |f| ip(server(f)))),
    ),
    field(
        "fdlist.cports",
        Type::Port,
        "ports of the clients of these descriptors",
        "fdlist.cports > 32768",
        Extract::Row(LISTS, |b, row, _| each_file(b, row, |f| port(client(f)))),
    ),
    field(
        "fdlist.sports",
        Type::Port,
        "ports of the servers of these descriptors",
        "fdlist.sports intersects (https, 8443)",
        Extract::Row(LISTS, |b, row, _| each_file(b, row, |f| port(server(f)))),
    ),
];
