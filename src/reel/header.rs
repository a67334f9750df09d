//! The header block's body: where and how a capture was made, and what its codes mean. And the end block's: totals.
//!
//! Enters: a [`Header`], a schema, [`Totals`]; or bytes that nobody trusts. Leaves: bodies of blocks and back. Never:
//! event columns.
//!
//! Both bodies are lists of records {tag u16, length u32, bytes}: a later version adds tags, an earlier one skips them.

use std::borrow::Cow;

use super::frame::{self, array};
use super::index::{Index, MAX_BLOCKS, put_column, take_column};
use super::{damage::Reason, varint};
use crate::schema::{Arch, Class, Dir, Kind, Ret, Schema, Shape};

/// Where, when and how a capture was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The host's name.
    pub hostname: String,
    /// The names of all hosts, for captures of several; empty if there is only one.
    pub hosts: Vec<String>,
    /// What somebody called the hosts: `HOST:KEY=VALUE`, the host by its number.
    pub tags: Vec<String>,
    /// The kernel's release.
    pub kernel: String,
    /// The version of sysreel that wrote it.
    pub version: String,
    /// The architecture whose numbers the codes are.
    pub arch: Arch,
    /// The capture's start on the boot clock, ns …
    pub boot: u64,
    /// … and on the wall clock, ns since 1970.
    pub wall: u64,
    /// CPUs that were online.
    pub cpus: u32,
    /// Hooks that were attached.
    pub hooks: Vec<String>,
    /// Bytes kept of a buffer.
    pub snaplen: u32,
    /// The filter, as it was given.
    pub filter: String,
    /// The command line.
    pub command: Vec<String>,
}

impl Default for Header {
    fn default() -> Header {
        Header {
            hostname: String::new(),
            hosts: Vec::new(),
            tags: Vec::new(),
            kernel: String::new(),
            version: env!("CARGO_PKG_VERSION").into(),
            arch: Arch::NATIVE,
            boot: 0,
            wall: 0,
            cpus: 0,
            hooks: Vec::new(),
            snaplen: 0,
            filter: String::new(),
            command: Vec::new(),
        }
    }
}

impl Header {
    /// The names of the hosts, by the numbers that blocks and rows have.
    pub fn host_list(&self) -> &[String] {
        if self.hosts.is_empty() { std::slice::from_ref(&self.hostname) } else { &self.hosts }
    }
}

/// One event block, as the end block's index lists it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct IndexEntry {
    /// Where the block begins in the file.
    pub offset: u64,
    /// Its rows.
    pub rows: u64,
    /// Time of its earliest row.
    pub first_time: u64,
    /// Time of its latest row.
    pub last_time: u64,
    /// Number of its first event.
    pub first_num: u64,
}

/// What a capture adds up to: `produced = written + filtered + lost + state_only`.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Totals {
    /// Events that happened and were asked for.
    pub produced: u64,
    /// Events in the file.
    pub written: u64,
    /// Events that a filter refused.
    pub filtered: u64,
    /// Events that were lost.
    pub lost: u64,
    /// Records that only changed state.
    pub state_only: u64,
    /// Time of the first event (boot clock, ns).
    pub first_time: u64,
    /// Time of the last event.
    pub last_time: u64,
    /// What is to be known of the file's making: damage that a repair passed over.
    pub notes: Vec<String>,
    /// Every event block. [`super::Writer::finish`] fills it in; a reader need not believe it.
    pub index: Vec<IndexEntry>,
    /// Every block of a snapshot, likewise.
    pub snapshots: Vec<IndexEntry>,
    /// Every block of what is known last of containers, likewise.
    pub containers: Vec<IndexEntry>,
}

/// Largest unpacked body of a header or end block.
const MAX_RECORDS: usize = 16 << 20;
/// Most entries in a list of a header.
const MAX_LIST: u64 = 1 << 16;
/// Most arguments of one call.
const MAX_ARGS: u64 = 16;

mod tag {
    pub const HOSTNAME: u16 = 1;
    pub const KERNEL: u16 = 2;
    pub const VERSION: u16 = 3;
    pub const ARCH: u16 = 4;
    pub const NUMBERS: u16 = 5;
    pub const HOOKS: u16 = 6;
    pub const FILTER: u16 = 7;
    pub const COMMAND: u16 = 8;
    pub const SHAPES: u16 = 9;
    pub const HOSTS: u16 = 10;
    pub const TAGS: u16 = 11;
    pub const TOTALS: u16 = 32;
    pub const INDEX: u16 = 33;
    pub const CODES: u16 = 34;
    pub const CLOCKS: u16 = 35;
    pub const NOTES: u16 = 38;
    pub const SUMMARIES: u16 = 39;
    pub const PIECES: u16 = 40;
    pub const SNAPSHOTS: u16 = 41;
    pub const CONTAINERS: u16 = 42;
}

/// A body of records: packing u8, unpacked length u32, then the records, packed.
pub(super) fn seal(records: &[u8]) -> Vec<u8> {
    let mut packed = Vec::new();
    let packing = frame::Packer::new().pack(records, &mut packed);
    let mut out = vec![packing];
    out.extend_from_slice(&(records.len() as u32).to_le_bytes());
    out.extend_from_slice(&packed);
    out
}

/// Reverses [`seal`].
pub(super) fn unseal(mut body: &[u8]) -> Result<Vec<u8>, Reason> {
    let bad = Reason::Invalid("records");
    let [packing] = array(&mut body).ok_or_else(|| bad.clone())?;
    let raw = u32::from_le_bytes(array(&mut body).ok_or_else(|| bad.clone())?) as usize;
    if raw > MAX_RECORDS {
        return Err(Reason::TooLarge("records"));
    }
    let mut out = Vec::new();
    frame::unpack(packing, body, raw, &mut out).ok_or(bad)?;
    Ok(out)
}

fn record(out: &mut Vec<u8>, tag: u16, fill: impl FnOnce(&mut Vec<u8>)) {
    out.extend_from_slice(&tag.to_le_bytes());
    let at = out.len();
    out.extend_from_slice(&[0; 4]);
    fill(out);
    let len = (out.len() - at - 4) as u32;
    if let Some(room) = out.get_mut(at..at + 4) {
        room.copy_from_slice(&len.to_le_bytes());
    }
}

fn next_record<'a>(rest: &mut &'a [u8]) -> Option<(u16, &'a [u8])> {
    let tag = u16::from_le_bytes(array(rest)?);
    let len = u32::from_le_bytes(array(rest)?) as usize;
    Some((tag, chunk(rest, len)?))
}

pub(super) fn chunk<'a>(rest: &mut &'a [u8], len: usize) -> Option<&'a [u8]> {
    let (head, tail) = rest.split_at_checked(len)?;
    *rest = tail;
    Some(head)
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    varint::put(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

fn take_text<'a>(rest: &mut &'a [u8]) -> Option<Cow<'a, str>> {
    let len = usize::try_from(varint::take(rest)?).ok()?;
    Some(String::from_utf8_lossy(chunk(rest, len)?))
}

fn put_list(out: &mut Vec<u8>, list: &[String]) {
    varint::put(out, list.len() as u64);
    list.iter().for_each(|text| put_text(out, text));
}

fn take_list(rest: &mut &[u8]) -> Option<Vec<String>> {
    let n = varint::take(rest).filter(|n| *n <= MAX_LIST)?;
    (0..n).map(|_| take_text(rest).map(Cow::into_owned)).collect()
}

fn put_shape(out: &mut Vec<u8>, shape: &Shape) {
    varint::put(out, u64::from(shape.code));
    varint::put(out, u64::from(shape.described));
    put_text(out, &shape.name);
    varint::put(out, u64::from(shape.class.0));
    put_text(out, &shape.ret.to_text());
    // The counts stand in the file too: a later kind of result may have more references than this version knows.
    varint::put(out, u64::from(shape.refs));
    varint::put(out, shape.args.len() as u64);
    for arg in shape.args.iter() {
        put_text(out, &arg.name);
        put_text(out, &arg.kind.to_text());
        let written = matches!(arg.dir, Dir::Out | Dir::Around);
        let dir = u8::from(written) << 1 | u8::from(matches!(arg.dir, Dir::Before | Dir::Around)) << 5;
        out.push(u8::from(arg.kind.has_item()) | dir | arg.kind.refs() << 2);
    }
}

fn take_shape(rest: &mut &[u8]) -> Option<Shape> {
    let code = u16::try_from(varint::take(rest)?).ok()?;
    let described = varint::take(rest)? & 1 == 1;
    let name = take_text(rest)?;
    let class = Class(varint::take(rest)? as u16);
    let ret = take_text(rest)?;
    let refs = varint::take(rest)?;
    let count = varint::take(rest).filter(|n| *n <= MAX_ARGS)?;
    let (mut args, mut of_args) = (Vec::new(), 0u64);
    for _ in 0..count {
        let name = take_text(rest)?;
        let kind = take_text(rest)?;
        let [bits] = array(rest)?;
        of_args += u64::from(bits >> 2 & 7);
        let dir = match (bits & 2, bits & 32) {
            (0, 0) => Dir::In,
            (0, _) => Dir::Before,
            (_, 0) => Dir::Out,
            _ => Dir::Around,
        };
        args.push((name.into_owned(), Kind::from_text(&kind, bits & 1 == 1, bits >> 2 & 7), dir));
    }
    // A result that names a descriptor adds one reference. What a later version means by its result is shown as a number
    // unless it has that reference, which must stay countable.
    let ret = match (Ret::from_text(&ret), refs.checked_sub(of_args)?) {
        (Some(Ret::Fd) | None, 1) => Ret::Fd,
        (None, 0) => Ret::Int,
        (Some(ret), 0) if ret != Ret::Fd => ret,
        _ => return None,
    };
    Some(Shape { described, ..Shape::new(code, &name, class, ret, args) })
}

/// The body of a header block.
pub(super) fn header_body(header: &Header, schema: &Schema) -> Vec<u8> {
    let out = &mut Vec::new();
    record(out, tag::HOSTNAME, |o| o.extend_from_slice(header.hostname.as_bytes()));
    record(out, tag::KERNEL, |o| o.extend_from_slice(header.kernel.as_bytes()));
    record(out, tag::VERSION, |o| o.extend_from_slice(header.version.as_bytes()));
    record(out, tag::ARCH, |o| o.extend_from_slice(header.arch.name().as_bytes()));
    record(out, tag::NUMBERS, |o| {
        for v in [header.boot, header.wall, u64::from(header.cpus), u64::from(header.snaplen)] {
            varint::put(o, v);
        }
    });
    record(out, tag::HOOKS, |o| put_list(o, &header.hooks));
    record(out, tag::FILTER, |o| o.extend_from_slice(header.filter.as_bytes()));
    record(out, tag::COMMAND, |o| put_list(o, &header.command));
    if !header.hosts.is_empty() {
        record(out, tag::HOSTS, |o| put_list(o, &header.hosts));
    }
    if !header.tags.is_empty() {
        record(out, tag::TAGS, |o| put_list(o, &header.tags));
    }
    record(out, tag::SHAPES, |o| schema.listed().for_each(|s| put_shape(o, s)));
    seal(out)
}

/// Reverses [`header_body`].
pub(super) fn parse_header(body: &[u8]) -> Result<(Header, Schema), Reason> {
    let records = unseal(body)?;
    let (mut header, mut shapes, mut arch) = (Header::default(), None, None);
    header.version.clear();
    let mut rest = &records[..];
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let invalid = || Reason::Invalid("header");
    while !rest.is_empty() {
        let (tag, mut bytes) = next_record(&mut rest).ok_or_else(invalid)?;
        match tag {
            tag::HOSTNAME => header.hostname = text(bytes),
            tag::KERNEL => header.kernel = text(bytes),
            tag::VERSION => header.version = text(bytes),
            tag::ARCH => arch = Some(Arch::by_name(&text(bytes)).ok_or(Reason::Invalid("architecture"))?),
            tag::NUMBERS => {
                let mut next = || varint::take(&mut bytes).ok_or_else(invalid);
                (header.boot, header.wall) = (next()?, next()?);
                header.cpus = next()? as u32;
                header.snaplen = next()? as u32;
            }
            tag::HOOKS => header.hooks = take_list(&mut bytes).ok_or_else(invalid)?,
            tag::FILTER => header.filter = text(bytes),
            tag::COMMAND => header.command = take_list(&mut bytes).ok_or_else(invalid)?,
            tag::HOSTS => header.hosts = take_list(&mut bytes).ok_or_else(invalid)?,
            tag::TAGS => header.tags = take_list(&mut bytes).ok_or_else(invalid)?,
            tag::SHAPES => {
                let list: &mut Vec<Shape> = shapes.insert(Vec::new());
                while !bytes.is_empty() {
                    let shape = take_shape(&mut bytes).filter(|s| s.code < crate::schema::CODES);
                    // Codes ascend: the list is bounded, and none is said twice.
                    let shape = shape.filter(|s| list.last().is_none_or(|l| l.code < s.code));
                    list.push(shape.ok_or(Reason::Invalid("schema"))?);
                }
            }
            _ => {}
        }
    }
    header.arch = arch.ok_or(Reason::Invalid("architecture"))?;
    let schema = Schema::from_shapes(header.arch, shapes.ok_or(Reason::Invalid("schema"))?);
    let schema = schema.with_hosts(header.host_list()).with_tags(&header.tags);
    Ok((header, schema))
}

/// What the end block ends with, so that it can be found from the end of a file: a mark, the length of the block, and
/// where it begins.
const TAIL: [u8; 4] = *b"\nEND";
/// Bytes of that.
pub(super) const TAIL_LENGTH: usize = 16;

/// Appends the end block's last bytes; `place` is where it begins.
pub(super) fn put_tail(body: &mut Vec<u8>, place: u64) {
    let len = frame::HEADER + body.len() + TAIL_LENGTH;
    body.extend_from_slice(&TAIL);
    body.extend_from_slice(&(len as u32).to_le_bytes());
    body.extend_from_slice(&place.to_le_bytes());
}

/// How long the end block is that these bytes end, if it begins where it says that it begins; `end` is where they end.
pub(super) fn take_tail(bytes: &[u8], end: u64) -> Option<u32> {
    let mut rest = bytes.last_chunk::<TAIL_LENGTH>()?.strip_prefix(&TAIL)?;
    let len = u32::from_le_bytes(array(&mut rest)?);
    let place = u64::from_le_bytes(array(&mut rest)?);
    (place.checked_add(u64::from(len)) == Some(end)).then_some(len)
}

/// The body of an end block, without its tail.
pub(super) fn end_body(totals: &Totals, marks: Option<[Vec<u8>; 4]>) -> Vec<u8> {
    let out = &mut Vec::new();
    record(out, tag::TOTALS, |o| {
        let t = totals;
        for v in [t.produced, t.written, t.filtered, t.lost, t.state_only, t.first_time, t.last_time] {
            varint::put(o, v);
        }
    });
    if !totals.notes.is_empty() {
        record(out, tag::NOTES, |o| put_list(o, &totals.notes));
    }
    record(out, tag::INDEX, |o| put_index(o, &totals.index));
    if !totals.snapshots.is_empty() {
        record(out, tag::SNAPSHOTS, |o| put_index(o, &totals.snapshots));
    }
    if !totals.containers.is_empty() {
        record(out, tag::CONTAINERS, |o| put_index(o, &totals.containers));
    }
    // Large ones are packed by themselves: whoever does not ask for them does not unpack them.
    let [codes, clocks, summaries, pieces] = marks.unwrap_or_default();
    let marks = [(tag::CODES, codes), (tag::CLOCKS, clocks)];
    let packed = [(tag::SUMMARIES, summaries), (tag::PIECES, pieces)];
    let packed = packed.into_iter().filter(|(_, b)| !b.is_empty()).map(|(tag, b)| (tag, seal(&b)));
    for (tag, bytes) in marks.into_iter().filter(|(_, b)| !b.is_empty()).chain(packed) {
        record(out, tag, |o| o.extend_from_slice(&bytes));
    }
    let mut body = vec![frame::PLAIN];
    body.extend_from_slice(&(out.len() as u32).to_le_bytes());
    body.extend_from_slice(out);
    body
}

fn put_index(out: &mut Vec<u8>, list: &[IndexEntry]) {
    let list = list.get(..MAX_BLOCKS.min(list.len())).unwrap_or_default();
    varint::put(out, list.len() as u64);
    let columns: [fn(&IndexEntry) -> u64; 5] =
        [|e| e.offset, |e| e.rows, |e| e.first_time, |e| e.last_time, |e| e.first_num];
    columns.into_iter().for_each(|get| put_column(out, list.iter().map(get)));
}

/// Reverses [`end_body`], with or without the tail.
pub(super) fn parse_end(mut body: Vec<u8>) -> Result<Index, Reason> {
    let tail = body.split_last_chunk::<TAIL_LENGTH>().filter(|(_, t)| t.starts_with(&TAIL));
    let len = tail.map_or(body.len(), |(rest, _)| rest.len());
    body.truncate(len);
    // Plain records stay where they are: they may be long, and most of them are not looked at.
    let plain = body.split_first_chunk::<5>().filter(|([packing, len @ ..], records)| {
        *packing == frame::PLAIN && records.len() == u32::from_le_bytes(*len) as usize
    });
    let (body, from) = match plain {
        Some(_) => (body, 5),
        None => (unseal(&body)?, 0),
    };
    let (mut t, mut marks) = (Totals::default(), [const { 0..0 }; 4]);
    let mut rest = body.get(from..).unwrap_or_default();
    let invalid = || Reason::Invalid("totals");
    while !rest.is_empty() {
        let (tag, mut bytes) = next_record(&mut rest).ok_or_else(invalid)?;
        let end = body.len() - rest.len();
        let place = end - bytes.len()..end;
        match tag {
            tag::TOTALS => {
                for slot in [
                    &mut t.produced,
                    &mut t.written,
                    &mut t.filtered,
                    &mut t.lost,
                    &mut t.state_only,
                    &mut t.first_time,
                    &mut t.last_time,
                ] {
                    *slot = varint::take(&mut bytes).ok_or_else(invalid)?;
                }
            }
            tag::NOTES => t.notes = take_list(&mut bytes).ok_or_else(invalid)?,
            tag::INDEX => t.index = take_index(bytes).ok_or(Reason::Invalid("index"))?,
            tag::SNAPSHOTS => t.snapshots = take_index(bytes).ok_or(Reason::Invalid("list of snapshots"))?,
            tag::CONTAINERS => {
                t.containers = take_index(bytes).ok_or(Reason::Invalid("list of containers"))?
            }
            tag::CODES => marks[0] = place,
            tag::CLOCKS => marks[1] = place,
            tag::SUMMARIES => marks[2] = place,
            tag::PIECES => marks[3] = place,
            _ => {}
        }
    }
    Ok(Index::new(t, body, marks))
}

fn take_index(mut bytes: &[u8]) -> Option<Vec<IndexEntry>> {
    let count = varint::take(&mut bytes).filter(|n| *n <= MAX_BLOCKS as u64)? as usize;
    let mut list = vec![IndexEntry::default(); count];
    let columns: [fn(&mut IndexEntry) -> &mut u64; 5] = [
        |e| &mut e.offset,
        |e| &mut e.rows,
        |e| &mut e.first_time,
        |e| &mut e.last_time,
        |e| &mut e.first_num,
    ];
    for slot in columns {
        let mut entries = list.iter_mut();
        take_column(&mut bytes, count, |v| {
            if let Some(e) = entries.next() {
                *slot(e) = v;
            }
        })?;
    }
    Some(list)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_a_header_comes_back() {
        let header = Header {
            hostname: "db1".into(),
            hosts: vec!["db1".into(), "db2".into()],
            tags: vec!["1:team=blue".into(), "0:empty=".into()],
            kernel: "6.1.0-18-amd64".into(),
            boot: 77,
            wall: u64::MAX,
            cpus: 2,
            hooks: vec!["sys_exit".into(), String::new()],
            snaplen: 256,
            filter: "proc.name = \"ä\"".into(),
            command: vec!["sysreel".into(), "-w".into(), "x".into()],
            ..Header::default()
        };
        for arch in [Arch::X86_64, Arch::Aarch64] {
            let header = Header { arch, ..header.clone() };
            let schema = Schema::native(arch);
            let (back, shapes) = parse_header(&header_body(&header, &schema)).unwrap();
            assert_eq!(back, header);
            for (a, b) in schema.shapes().zip(shapes.shapes()) {
                let a = Shape { effect: b.effect, ..a.clone() };
                assert_eq!(a, *b);
            }
        }
    }

    #[test]
    fn kinds_of_a_later_version_keep_their_shape() {
        let args = [
            ("fd".to_string(), Kind::Unknown { item: true, refs: 3 }, Dir::Out),
            ("x".to_string(), Kind::Int, Dir::In),
        ];
        let shape = Shape::new(9, "later", Class::FILE, Ret::Fd, args);
        let mut bytes = Vec::new();
        put_shape(&mut bytes, &shape);
        assert_eq!(take_shape(&mut &bytes[..]), Some(shape));
        for n in 0..bytes.len() {
            assert_eq!(take_shape(&mut &bytes[..n]), None);
        }
    }

    #[test]
    fn totals_come_back() {
        let entry = |i: u64| IndexEntry {
            offset: i * i,
            rows: i % 3,
            first_time: i,
            last_time: i + 1,
            first_num: 9 - i,
        };
        let totals = Totals {
            produced: 9,
            notes: vec!["made by hand".into(), String::new()],
            written: 4,
            filtered: 3,
            lost: 2,
            state_only: 1,
            first_time: u64::MAX,
            last_time: 0,
            index: (0..9).map(entry).collect(),
            snapshots: vec![IndexEntry { offset: 9, rows: 3, first_time: 4, last_time: 6, first_num: 1 }],
            containers: vec![IndexEntry { offset: 8, rows: 2, first_time: 6, last_time: 6, first_num: 4 }],
        };
        let mut body = end_body(&totals, None);
        assert_eq!(parse_end(body.clone()).unwrap().totals, totals);
        put_tail(&mut body, 1000);
        let end = 1000 + (frame::HEADER + body.len()) as u64;
        assert_eq!(parse_end(body.clone()).unwrap().totals, totals);
        assert_eq!(take_tail(&body, end), Some((end - 1000) as u32));
        assert_eq!(take_tail(&body, end + 1), None);
    }
}
