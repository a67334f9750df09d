//! A small world: calls, fields of every type and every way to get one, and batches.

use std::net::IpAddr;

use crate::batch::{
    Builder, Columns, File, FileKind, Item, NO_LATENCY, NONE, Proc, ProcId, Row, file_flags, row_flags,
};
use crate::fields::{Extract, Field, Key, Slice, Takes, Type, Value};
use crate::filter::{Errors, Filter};
use crate::schema::{Arch, Class, Dir, Kind, Ret, Schema, Shape, names};

/// Codes of the schema's calls: read, write, open, openat, close, getppid, a 32-bit open, socket, kill.
pub const CODES: [u16; 9] = [0, 1, 2, 257, 3, 110, 2053, 41, 62];

pub fn schema() -> Schema {
    let fd = || ("fd".to_string(), Kind::Fd, Dir::In);
    let path = || ("path".to_string(), Kind::Hex, Dir::In);
    let flags = || ("flags".to_string(), Kind::Flags(names::by_name("open").unwrap()), Dir::In);
    let domain = || ("domain".to_string(), Kind::Enum(names::by_name("af").unwrap()), Dir::In);
    let sig = || ("sig".to_string(), Kind::Signal, Dir::In);
    let both = Class::FILE.and(Class::DESC);
    Schema::from_shapes(
        Arch::X86_64,
        [
            Shape::new(0, "read", both, Ret::Int, [fd()]),
            Shape::new(1, "write", both, Ret::Int, [fd()]),
            Shape::new(2, "open", Class::FILE, Ret::Fd, [path(), flags()]),
            Shape::new(257, "openat", Class::FILE, Ret::Fd, [fd(), path(), flags()]),
            Shape::new(3, "close", Class::DESC, Ret::Int, [fd()]),
            Shape::new(110, "getppid", Class::PROCESS, Ret::Int, []),
            Shape::new(41, "socket", Class::NET, Ret::Int, [domain()]),
            Shape::new(62, "kill", Class::SIGNAL, Ret::Zero, [sig()]),
            Shape::new(2053, "open", Class::OTHER, Ret::Int, [path()]),
        ],
    )
}

const fn field(name: &'static str, ty: Type, takes: Takes, example: &'static str, extract: Extract) -> Field {
    Field { name, ty, takes, doc: "", example, extract }
}

fn addresses(f: &File) -> Value<'static> {
    let ip = |a: [u8; 16]| match f.kind {
        FileKind::Ipv4 => Value::Ip(IpAddr::from([a[0], a[1], a[2], a[3]])),
        _ => Value::Ip(IpAddr::from(a)),
    };
    let mut all = Vec::new();
    if f.flags & file_flags::LOCAL != 0 {
        all.push(ip(f.laddr));
    }
    if f.flags & file_flags::REMOTE != 0 {
        all.push(ip(f.raddr));
    }
    Value::Any(all)
}

use Takes::Nothing;

pub static FIELDS: &[Field] = &[
    field(
        "evt.type",
        Type::CallName,
        Nothing,
        "evt.type = open",
        Extract::Code(|s, c| Value::text(s.shape(c).name.as_bytes())),
    ),
    field(
        "evt.category",
        Type::ClassName,
        Nothing,
        "evt.category = file",
        Extract::Code(|s, c| {
            let class = s.shape(c).class;
            let all = Class::NAMES.iter().filter(|(k, ..)| class.has(*k));
            Value::Any(all.map(|(_, n, _)| Value::text(n.as_bytes())).collect())
        }),
    ),
    field(
        "evt.latency",
        Type::Duration,
        Nothing,
        "evt.latency > 10ms",
        Extract::Column(Columns::LATENCY, |b| Slice::U64(b.latency), Some(NO_LATENCY)),
    ),
    field(
        "evt.cpu",
        Type::UInt,
        Nothing,
        "evt.cpu = 1",
        Extract::Column(Columns::CPU, |b| Slice::U16(b.cpu), None),
    ),
    field(
        "evt.time",
        Type::Time,
        Nothing,
        "evt.time > 0",
        Extract::Column(Columns::TIME, |b| Slice::U64(b.time), None),
    ),
    field(
        "thread.tid",
        Type::Id,
        Nothing,
        "thread.tid = 1",
        Extract::Column(Columns::TID, |b| Slice::U32(b.tid), Some(0)),
    ),
    field(
        "evt.rawres",
        Type::Int,
        Nothing,
        "evt.rawres < 0",
        Extract::Column(Columns::RET, |b| Slice::I64(b.ret), None),
    ),
    field(
        "evt.res",
        Type::ErrnoName,
        Nothing,
        "evt.res = ENOENT",
        Extract::Row(Columns::RET, |b, row, _| crate::fields::res::value(b.ret_of(row))),
    ),
    field(
        "evt.failed",
        Type::Bool,
        Nothing,
        "evt.failed",
        Extract::Row(Columns::RET, |b, row, _| Value::Bool(b.ret_of(row) < 0)),
    ),
    field(
        "evt.buflen",
        Type::Size,
        Nothing,
        "evt.buflen > 4k",
        Extract::Row(Columns::RET, |b, row, _| match b.ret_of(row) {
            n @ 0.. => Value::UInt(n as u64),
            _ => Value::None,
        }),
    ),
    field(
        "evt.arg",
        Type::Text,
        Takes::NameOrIndex,
        "evt.arg.path contains tmp",
        Extract::Row(Columns::CALL.and(Columns::WORDS), |b, row, key| {
            let args = &b.shape_of(row).args;
            let at = match key {
                Key::Index(n) => (*n < args.len()).then_some(*n),
                Key::Name(name) => args.iter().position(|a| *a.name == **name),
                Key::None => None,
            };
            let word = at.and_then(|i| b.words_of(row).get(i));
            word.map_or(Value::None, |w| Value::Text(format!("/tmp{w}").into_bytes().into()))
        }),
    ),
    field(
        "evt.rawarg",
        Type::Int,
        Takes::NameOrIndex,
        "evt.rawarg.fd > 2",
        Extract::Row(Columns::CALL.and(Columns::WORDS), |b, row, key| {
            let args = &b.shape_of(row).args;
            let at = match key {
                Key::Index(n) => Some(*n),
                Key::Name(name) => args.iter().position(|a| *a.name == **name),
                Key::None => None,
            };
            at.and_then(|i| b.words_of(row).get(i)).map_or(Value::None, |w| Value::Int(*w as i64))
        }),
    ),
    field(
        "proc.name",
        Type::Text,
        Nothing,
        "proc.name = cat",
        Extract::Proc(|d, id, _| d.proc(id).map_or(Value::None, |p| Value::maybe(d.strings.find(p.comm)))),
    ),
    field(
        "proc.pid",
        Type::Id,
        Nothing,
        "proc.pid = 1",
        Extract::Proc(|d, id, _| d.proc(id).map_or(Value::None, |p| Value::UInt(u64::from(p.pid)))),
    ),
    field(
        "proc.aname",
        Type::Text,
        Takes::OptionalIndex,
        "proc.aname[2] = sshd",
        Extract::Proc(|d, id, key| match key {
            Key::Index(n) => d.ancestor(id, *n).map_or(Value::None, |p| Value::maybe(d.strings.find(p.comm))),
            _ => Value::Any(
                (1..8)
                    .map_while(|n| d.ancestor(id, n))
                    .map(|p| Value::maybe(d.strings.find(p.comm)))
                    .collect(),
            ),
        }),
    ),
    field(
        "fd.name",
        Type::Path,
        Nothing,
        "fd.name startswith /etc",
        Extract::File(|d, id, _| d.file(id).map_or(Value::None, |f| Value::maybe(d.strings.find(f.name)))),
    ),
    field(
        "fd.type",
        Type::FileKindName,
        Nothing,
        "fd.type = ipv4",
        Extract::File(|d, id, _| d.file(id).map_or(Value::None, |f| Value::text(f.kind.name().as_bytes()))),
    ),
    field(
        "fd.sport",
        Type::Port,
        Nothing,
        "fd.sport = 443",
        Extract::File(|d, id, _| match d.file(id) {
            Some(f) if f.kind.is_ip() => Value::UInt(u64::from(f.rport)),
            _ => Value::None,
        }),
    ),
    field(
        "fd.ip",
        Type::Ip,
        Nothing,
        "fd.ip = 10.0.0.0/8",
        Extract::File(|d, id, _| d.file(id).map_or(Value::None, addresses)),
    ),
];

pub fn parse(text: &str) -> Result<Filter, Errors> {
    Filter::parse_with(text, &schema(), FIELDS)
}

pub fn good(text: &str) -> Filter {
    parse(text).unwrap_or_else(|e| panic!("{text}\n{}", e.render(text)))
}

/// What a row is made of: index into [`CODES`], cpu, latency, result, process, file, tid.
pub type Plain = (usize, u16, Option<u64>, i64, u32, u32, u32);

/// Texts of names, by number; past the end there is no name.
pub const NAMES: [&str; 5] = ["cat", "nginx", "systemd", "", "a b"];
/// Paths, the same.
pub const PATHS: [&str; 3] = ["/etc/passwd", "/etc/x.conf", "/tmp/y"];

/// A block of rows over processes `(name, pid)`, each the child of the one before, and files `(kind, path, port)`.
pub fn block(procs: &[(usize, u32)], files: &[(usize, usize, u16)], rows: &[Plain]) -> Builder {
    let schema = schema();
    let mut b = Builder::new();
    for (i, (name, pid)) in procs.iter().enumerate() {
        let comm = NAMES.get(*name).map_or(NONE, |n| b.string(n.as_bytes()));
        let parent = if i == 0 { NONE } else { (i - 1) as ProcId };
        b.proc(Proc { pid: *pid, parent, comm, ..Proc::default() });
    }
    for (kind, path, port) in files {
        let kind = FileKind::ALL[kind % FileKind::ALL.len()].0;
        let name = PATHS.get(*path).map_or(NONE, |n| b.string(n.as_bytes()));
        let mut raddr = [0; 16];
        raddr[0] = 10;
        raddr[3] = *port as u8;
        let flags = u32::from(*port) & (file_flags::LOCAL | file_flags::REMOTE);
        b.file(File { kind, name, rport: *port, raddr, flags, ..File::default() });
    }
    for (i, (code, cpu, latency, ret, proc, file, tid)) in rows.iter().enumerate() {
        let shape = schema.shape(CODES[code % CODES.len()]);
        let words = vec![u64::from(*tid); shape.words()];
        let items = vec![Item::ABSENT; usize::from(shape.items)];
        let refs = vec![*file; usize::from(shape.refs)];
        let row = Row {
            num: i as u64,
            time: i as u64 * 100,
            delta: u64::from(*tid) % 200,
            latency: latency.unwrap_or(NO_LATENCY),
            call: shape.code,
            cpu: *cpu,
            tid: *tid,
            proc: *proc,
            ret: *ret,
            flags: row_flags::UNCERTAIN,
        };
        b.push(row, &words, &items, &refs);
    }
    b
}
