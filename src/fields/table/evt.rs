//! Fields of the event itself: `evt.*`, `syscall.*`.
//!
//! Enters: a row. Leaves: its values. Never: the process or the file (see the tables beside).

use super::{field, keyed};
use crate::batch::{Batch, Columns, Meta, NO_LATENCY, row_flags};
use crate::fields::{Extract, Field, Key, Slice, Takes, Type, Value, args, clock, number, res};
use crate::schema::{COMPAT, Class, EVENTS, Kind, LOST, OTHER, Schema, Struct};

const SECOND: u64 = 1_000_000_000;

const TIME: Columns = Columns::TIME;
const LATENCY: Columns = Columns::LATENCY;
pub(super) const RESULT: Columns = Columns::CALL.and(Columns::RET).and(Columns::FLAGS);
pub(super) const ARGS: Columns = Columns::CALL
    .and(Columns::WORDS)
    .and(Columns::ITEMS)
    .and(Columns::REFS)
    .and(Columns::RET)
    .and(Columns::FLAGS);
const OPEN: Columns =
    Columns::CALL.and(Columns::WORDS).and(Columns::ITEMS).and(Columns::RET).and(Columns::FLAGS);

fn boot(b: &Batch<'_>, row: usize) -> Option<u64> {
    b.time.get(row).copied()
}

fn with_wall(b: &Batch<'_>, row: usize, get: impl FnOnce(u64) -> u64) -> Value<'static> {
    boot(b, row).map_or(Value::None, |t| Value::UInt(get(b.meta.wall_of(t))))
}

pub(super) fn written(write: impl FnOnce(&mut Vec<u8>)) -> Value<'static> {
    let mut out = Vec::with_capacity(32);
    write(&mut out);
    Value::Text(out.into())
}

fn wall_text(b: &Batch<'_>, row: usize, write: impl FnOnce(&mut Vec<u8>, u64)) -> Value<'static> {
    boot(b, row).map_or(Value::None, |t| written(|out| write(out, b.meta.wall_of(t))))
}

fn since_start(b: &Batch<'_>, row: usize, get: impl FnOnce(u64) -> u64) -> Value<'static> {
    boot(b, row).map_or(Value::None, |t| Value::UInt(get(t.saturating_sub(b.meta.start_time))))
}

fn since_last(b: &Batch<'_>, row: usize, get: impl FnOnce(u64) -> u64) -> Value<'static> {
    b.delta.get(row).map_or(Value::None, |d| Value::UInt(get(*d)))
}

fn latency<'a>(b: &Batch<'a>, row: usize, get: impl FnOnce(u64) -> Value<'a>) -> Value<'a> {
    b.latency.get(row).copied().filter(|l| *l != NO_LATENCY).map_or(Value::None, get)
}

fn classes(class: Class) -> Value<'static> {
    if class == Class::OTHER {
        return Value::Any(vec![Value::text(b"other")]);
    }
    let names = Class::NAMES.iter().filter(|(c, ..)| class.has(*c));
    Value::Any(names.map(|(_, n, _)| Value::text(n.as_bytes())).collect())
}

/// Calls that move data out of a descriptor.
pub(super) fn reads(name: &str) -> bool {
    matches!(
        name,
        "read" | "pread64" | "readv" | "preadv" | "preadv2" | "recvfrom" | "recvmsg" | "recvmmsg" | "recv"
    )
}

/// Calls that move data into a descriptor.
pub(super) fn writes(name: &str) -> bool {
    matches!(
        name,
        "write" | "pwrite64" | "writev" | "pwritev" | "pwritev2" | "sendto" | "sendmsg" | "sendmmsg" | "send"
    )
}

/// Calls whose purpose is to wait.
pub(super) fn waits(name: &str) -> bool {
    matches!(
        name,
        "select"
            | "_newselect"
            | "pselect6"
            | "poll"
            | "ppoll"
            | "epoll_wait"
            | "epoll_pwait"
            | "epoll_pwait2"
            | "nanosleep"
            | "clock_nanosleep"
            | "futex"
            | "futex_wait"
            | "futex_waitv"
            | "wait4"
            | "waitid"
            | "waitpid"
            | "pause"
            | "rt_sigsuspend"
            | "rt_sigtimedwait"
            | "io_getevents"
            | "io_pgetevents"
            | "semtimedop"
    )
}

fn by_name(schema: &Schema, code: u16, test: fn(&str) -> bool) -> Value<'static> {
    Value::Bool(test(&schema.shape(code).name))
}

fn in_out<'a>(schema: &'a Schema, code: u16) -> Value<'a> {
    let name = &schema.shape(code).name;
    match (reads(name), writes(name)) {
        (true, _) => Value::text(b"r"),
        (_, true) => Value::text(b"w"),
        _ => Value::None,
    }
}

/// The open flags of a call that opens files.
fn open_flags(b: &Batch<'_>, row: usize) -> Option<u64> {
    let shape = b.shape_of(row);
    match &*shape.name {
        "creat" => return Some(0o1101),
        "open" | "openat" | "openat2" | "open_by_handle_at" => {}
        _ => return None,
    }
    let (i, a) = shape
        .args
        .iter()
        .enumerate()
        .find(|(_, a)| matches!(a.kind, Kind::Flags(_) | Kind::Struct(Struct::OpenHow)))?;
    match a.kind {
        Kind::Flags(_) => b.words_of(row).get(i).copied(),
        _ => match args::arg(b, row, i)? {
            args::Arg::Struct(_, how) => Some(u64::from_le_bytes(how.bytes.get(..8)?.try_into().ok()?)),
            _ => None,
        },
    }
}

/// The permission bits of a call that opens files.
fn open_mode(b: &Batch<'_>, row: usize) -> Option<u64> {
    let shape = b.shape_of(row);
    let (i, a) = shape
        .args
        .iter()
        .enumerate()
        .find(|(_, a)| matches!(a.kind, Kind::Mode | Kind::Struct(Struct::OpenHow)))?;
    match a.kind {
        Kind::Mode => b.words_of(row).get(i).copied(),
        _ => match args::arg(b, row, i)? {
            args::Arg::Struct(_, how) => Some(u64::from_le_bytes(how.bytes.get(8..16)?.try_into().ok()?)),
            _ => None,
        },
    }
}

/// True for a write to the socket of the system log.
fn logs(b: &Batch<'_>, row: usize) -> bool {
    let name = b.file_of(row).and_then(|f| b.dict.strings.find(f.name));
    writes(&b.shape_of(row).name)
        && name.is_some_and(|n| matches!(n, b"/dev/log" | b"/run/systemd/journal/dev-log"))
}

fn arg_text<'a>(b: &Batch<'a>, row: usize, key: &Key) -> Value<'a> {
    args::nth(b, row, key).and_then(|i| args::arg(b, row, i)).map_or(Value::None, |a| a.text(b, row))
}

fn arg_raw<'a>(b: &Batch<'a>, row: usize, key: &Key) -> Value<'a> {
    let Some(i) = args::nth(b, row, key) else { return Value::None };
    let word = b.words_of(row).get(i).copied().unwrap_or(0);
    args::arg(b, row, i).map_or(Value::None, |a| a.raw(word))
}

fn all_args<'a>(b: &Batch<'a>, row: usize, _: &Key) -> Value<'a> {
    match b.call.get(row) {
        Some(_) => written(|out| args::push_args(out, b, row)),
        None => Value::None,
    }
}

fn lost<'a>(b: &Batch<'a>, row: usize, _: &Key) -> Value<'a> {
    match (b.call.get(row), b.words_of(row).first()) {
        (Some(&LOST), Some(n)) => Value::UInt(*n),
        _ => Value::None,
    }
}

/// Whether a row has a flag.
fn has_flag(b: &Batch<'_>, row: usize, bit: u16) -> Value<'static> {
    b.flags.get(row).map_or(Value::None, |flags| Value::Bool(flags & bit != 0))
}

use Extract::{Code, Column, Moment, Row};

/// The rows.
pub const FIELDS: &[Field] = &[
    field(
        "evt.num",
        Type::UInt,
        "number of the event, counted from 1 over everything that was captured",
        "evt.num >= 1000",
        Column(Columns::NUM, |b| Slice::U64(b.num), None),
    ),
    field(
        "evt.time",
        Type::Time,
        "when the call ended; shown as local time of day with nanoseconds, in JSON as RFC 3339 in UTC",
        "evt.time >= 2026-09-26T12:00:00Z",
        Moment(Meta::wall_of),
    ),
    field(
        "evt.time.s",
        Type::Text,
        "local time of day, to the second",
        "evt.time.s = 21:14:03",
        Row(TIME, |b, row, _| wall_text(b, row, |o, t| clock::with_local(|c| c.second_of_day(o, t)))),
    ),
    field(
        "evt.time.iso8601",
        Type::Text,
        "date and time in UTC with nanoseconds, ISO 8601",
        "evt.time.iso8601 startswith 2026-11-22T21",
        Row(TIME, |b, row, _| wall_text(b, row, clock::rfc3339)),
    ),
    field(
        "evt.datetime",
        Type::Text,
        "local date and time with nanoseconds",
        "evt.datetime startswith \"2026-11-22 21:14\"",
        Row(TIME, |b, row, _| wall_text(b, row, |o, t| clock::with_local(|c| c.date_time(o, t)))),
    ),
    field(
        "evt.datetime.s",
        Type::Text,
        "local date and time, to the second",
        "evt.datetime.s = \"2026-11-22 21:14:03\"",
        Row(TIME, |b, row, _| wall_text(b, row, |o, t| clock::with_local(|c| c.date_time_s(o, t)))),
    ),
    field(
        "evt.outputtime",
        Type::Time,
        "the same as evt.time",
        "evt.outputtime >= 2026-09-26T12:00:00Z",
        Row(TIME, |b, row, _| with_wall(b, row, |t| t)),
    ),
    field(
        "evt.entrytime",
        Type::Time,
        "when the call began: evt.time less evt.latency",
        "evt.entrytime < 2026-09-26T12:00:00Z",
        Row(TIME.and(LATENCY), |b, row, _| latency(b, row, |l| with_wall(b, row, |t| t.saturating_sub(l)))),
    ),
    keyed(
        Takes::Index,
        field(
            "evt.around",
            Type::Duration,
            "how far the event is from a moment, given as evt.rawtime",
            "evt.around[1795382043184503021] < 500ms",
            Row(TIME, |b, row, key| match (key, boot(b, row)) {
                (Key::Index(moment), Some(t)) => Value::UInt(b.meta.wall_of(t).abs_diff(*moment as u64)),
                _ => Value::None,
            }),
        ),
    ),
    field(
        "evt.rawtime",
        Type::UInt,
        "nanoseconds since 1970",
        "evt.rawtime > 1795382043184503021",
        Moment(Meta::wall_of),
    ),
    field(
        "evt.rawtime.s",
        Type::UInt,
        "whole seconds since 1970",
        "evt.rawtime.s = 1795382043",
        Moment(|m, t| m.wall_of(t) / SECOND),
    ),
    field(
        "evt.rawtime.ns",
        Type::UInt,
        "nanoseconds within the second",
        "evt.rawtime.ns < 1000000",
        Row(TIME, |b, row, _| with_wall(b, row, |t| t % SECOND)),
    ),
    field(
        "evt.reltime",
        Type::Duration,
        "time since the capture began",
        "evt.reltime < 5s",
        Moment(|m, t| t.saturating_sub(m.start_time)),
    ),
    field(
        "evt.reltime.s",
        Type::UInt,
        "whole seconds since the capture began",
        "evt.reltime.s = 5",
        Moment(|m, t| t.saturating_sub(m.start_time) / SECOND),
    ),
    field(
        "evt.reltime.ns",
        Type::UInt,
        "nanoseconds of evt.reltime within its second",
        "evt.reltime.ns < 1000",
        Row(TIME, |b, row, _| since_start(b, row, |t| t % SECOND)),
    ),
    field(
        "evt.deltatime",
        Type::Duration,
        "time since the event before, of all that were captured",
        "evt.deltatime > 1s",
        Row(Columns::DELTA, |b, row, _| since_last(b, row, |t| t)),
    ),
    field(
        "evt.deltatime.s",
        Type::UInt,
        "whole seconds since the event before",
        "evt.deltatime.s > 0",
        Row(Columns::DELTA, |b, row, _| since_last(b, row, |t| t / SECOND)),
    ),
    field(
        "evt.deltatime.ns",
        Type::UInt,
        "nanoseconds of evt.deltatime within its second",
        "evt.deltatime.ns < 1000",
        Row(Columns::DELTA, |b, row, _| since_last(b, row, |t| t % SECOND)),
    ),
    field(
        "evt.latency",
        Type::Duration,
        "time from the call's entry to its exit, or of a call in flight up to evt.time; of a switch, how long the thread had the CPU",
        "evt.latency > 10ms",
        Column(LATENCY, |b| Slice::U64(b.latency), Some(NO_LATENCY)),
    ),
    field(
        "evt.latency_least",
        Type::Bool,
        "true if evt.latency is what the call had lasted at least: nobody saw it begin (evt.in_flight)",
        "evt.latency_least = true",
        Row(Columns::FLAGS, |b, row, _| has_flag(b, row, row_flags::AT_LEAST)),
    ),
    field(
        "evt.latency.s",
        Type::UInt,
        "whole seconds of evt.latency",
        "evt.latency.s > 0",
        Row(LATENCY, |b, row, _| latency(b, row, |l| Value::UInt(l / SECOND))),
    ),
    field(
        "evt.latency.ns",
        Type::UInt,
        "nanoseconds of evt.latency within its second",
        "evt.latency.ns > 1000",
        Row(LATENCY, |b, row, _| latency(b, row, |l| Value::UInt(l % SECOND))),
    ),
    field(
        "evt.latency.human",
        Type::Text,
        "evt.latency as people write it: 10.3ms",
        "evt.latency.human endswith ms",
        Row(LATENCY, |b, row, _| latency(b, row, |l| written(|out| number::span(out, l)))),
    ),
    field(
        "evt.wait_latency",
        Type::Duration,
        "evt.latency of a call that waits",
        "evt.wait_latency > 1s",
        Row(LATENCY.and(Columns::CALL), |b, row, _| match b.call.get(row) {
            Some(_) if waits(&b.shape_of(row).name) => latency(b, row, Value::UInt),
            _ => Value::None,
        }),
    ),
    field(
        "evt.type",
        Type::CallName,
        "name of the system call or event",
        "evt.type = openat",
        Code(|schema, code| Value::text(schema.shape(code).name.as_bytes())),
    ),
    keyed(
        Takes::NameOrIndex,
        field(
            "evt.type.is",
            Type::UInt,
            "1 for the call or event of this name or code, 0 for others",
            "evt.type.is[openat] = 1",
            Row(Columns::CALL, |b, row, key| {
                let is = |code: u16| match key {
                    Key::Name(name) => *b.schema.shape(code).name == **name,
                    Key::Index(n) => usize::from(code) == *n,
                    Key::None => false,
                };
                b.call.get(row).map_or(Value::None, |code| Value::UInt(u64::from(is(*code))))
            }),
        ),
    ),
    field(
        "syscall.type",
        Type::CallName,
        "name of the system call; missing for events that are not calls",
        "syscall.type = openat",
        Code(|schema, code| match code {
            EVENTS..COMPAT if code != OTHER => Value::None,
            _ => Value::text(schema.shape(code).name.as_bytes()),
        }),
    ),
    field(
        "evt.class",
        Type::ClassName,
        "what the call is about; a call may have several: file, net, process, desc and more",
        "evt.class in (file, net)",
        Code(|schema, code| classes(schema.shape(code).class)),
    ),
    field(
        "evt.category",
        Type::ClassName,
        "the first of evt.class, other if there is none",
        "evt.category = net",
        Code(|schema, code| Value::text(schema.shape(code).class.name().as_bytes())),
    ),
    field(
        "evt.cpu",
        Type::UInt,
        "CPU on which the call ended",
        "evt.cpu = 0",
        Column(Columns::CPU, |b| Slice::U16(b.cpu), None),
    ),
    field(
        "evt.args",
        Type::Text,
        "all arguments as one text",
        "evt.args contains O_TRUNC",
        Row(ARGS, all_args),
    ),
    field("evt.info", Type::Text, "the same as evt.args", "evt.info contains passwd", Row(ARGS, all_args)),
    keyed(
        Takes::NameOrIndex,
        field(
            "evt.arg",
            Type::Text,
            "one argument as text, by its name or number; strings and buffers as their bytes",
            "evt.arg[flags] contains O_CREAT",
            Row(ARGS, arg_text),
        ),
    ),
    keyed(
        Takes::NameOrIndex,
        field(
            "evt.rawarg",
            Type::Int,
            "one argument as a number, by its name or number",
            "evt.rawarg[count] > 65536",
            Row(ARGS, arg_raw),
        ),
    ),
    field(
        "evt.res",
        Type::ErrnoName,
        "SUCCESS or the name of the error",
        "evt.res = ENOENT",
        Extract::Result(|ret| ret.map_or(Value::None, res::value)),
    ),
    field(
        "evt.rawres",
        Type::Int,
        "result as a number; errors are negative",
        "evt.rawres < 0",
        Column(Columns::RET, |b| Slice::I64(b.ret), None),
    ),
    field(
        "evt.result",
        Type::Text,
        "names in the result: flags of F_GETFL, a policy of scheduling, a signal; nothing where the number says all",
        "evt.type = fcntl and evt.result contains O_APPEND",
        Row(RESULT.and(Columns::WORDS), |b, row, _| {
            res::named(b, row).map_or(Value::None, |names| names.text(b, row))
        }),
    ),
    field(
        "evt.failed",
        Type::Bool,
        "true if the call returned an error",
        "evt.failed = true",
        Extract::Result(|ret| Value::Bool(ret.is_some_and(res::failed))),
    ),
    field(
        "evt.is_io",
        Type::Bool,
        "true for calls that read from or write to a descriptor",
        "evt.is_io = true",
        Code(|schema, code| by_name(schema, code, |n| reads(n) || writes(n))),
    ),
    field(
        "evt.is_io_read",
        Type::Bool,
        "true for calls that read from a descriptor",
        "evt.is_io_read = true",
        Code(|schema, code| by_name(schema, code, reads)),
    ),
    field(
        "evt.is_io_write",
        Type::Bool,
        "true for calls that write to a descriptor",
        "evt.is_io_write = true",
        Code(|schema, code| by_name(schema, code, writes)),
    ),
    field("evt.io_dir", Type::Text, "r or w, for calls that read or write", "evt.io_dir = r", Code(in_out)),
    field(
        "evt.is_wait",
        Type::Bool,
        "true for calls that wait: poll, select, epoll_wait, sleeps, futex",
        "evt.is_wait = true and evt.latency > 1s",
        Code(|schema, code| by_name(schema, code, waits)),
    ),
    field(
        "evt.buffer",
        Type::Bytes,
        "the data that a call moved, as far as it was copied",
        "evt.buffer contains password",
        Row(ARGS, |b, row, _| args::buffer(b, row).map_or(Value::None, |(_, d)| Value::text(d.bytes))),
    ),
    field(
        "evt.dir",
        Type::Text,
        "< for a call that returned; > for one that was entered and never returns (exit, or the end came inside it) or is in flight",
        "evt.dir = >",
        Row(Columns::CALL.and(Columns::FLAGS), |b, row, _| match b.call.get(row) {
            Some(_) if b.flags_of(row) & row_flags::UNFINISHED != 0 => Value::text(b">"),
            Some(_) => Value::text(b"<"),
            None => Value::None,
        }),
    ),
    field(
        "evt.in_flight",
        Type::Bool,
        "true for a call that had not returned when it was looked at: at the end of a capture, or by sysreel stuck",
        "evt.in_flight = true and evt.latency > 1m",
        Row(Columns::FLAGS, |b, row, _| has_flag(b, row, row_flags::IN_FLIGHT)),
    ),
    field(
        "evt.source",
        Type::Text,
        "where events come from: always syscall",
        "evt.source = syscall",
        Code(|_, _| Value::text(b"syscall")),
    ),
    field(
        "evt.hostname",
        Type::Text,
        "name of the host on which the event happened",
        "evt.hostname = db1",
        Row(Columns::HOST, |b, row, _| Value::maybe(b.schema.host(b.host_of(row)).map(str::as_bytes))),
    ),
    field(
        "host.tags",
        Type::Text,
        "all tags of that host: key=value,key=value",
        "host.tags contains 'team=blue'",
        Row(Columns::HOST, |b, row, _| {
            let all: Vec<String> = b.schema.tags(b.host_of(row)).map(|(k, v)| format!("{k}={v}")).collect();
            if all.is_empty() { Value::None } else { Value::Text(all.join(",").into_bytes().into()) }
        }),
    ),
    keyed(
        Takes::NameOrIndex,
        field(
            "host.tag",
            Type::Text,
            "one tag that the capture was given with --tag",
            "host.tag[team] = blue",
            Row(Columns::HOST, |b, row, key| {
                let Key::Name(wanted) = key else { return Value::None };
                let found = b.schema.tags(b.host_of(row)).find(|(key, _)| key == wanted);
                Value::maybe(found.map(|(_, value)| value.as_bytes()))
            }),
        ),
    ),
    field(
        "evt.is_syslog",
        Type::Bool,
        "true for calls that write to the socket of the system log",
        "evt.is_syslog = true",
        Row(Columns::CALL.and(Columns::RET).and(Columns::REFS), |b, row, _| {
            b.call.get(row).map_or(Value::None, |_| Value::Bool(logs(b, row)))
        }),
    ),
    field(
        "evt.is_open_read",
        Type::Bool,
        "true for opens for reading",
        "evt.is_open_read = true",
        Row(OPEN, |b, row, _| Value::Bool(open_flags(b, row).is_some_and(|f| matches!(f & 3, 0 | 2)))),
    ),
    field(
        "evt.is_open_write",
        Type::Bool,
        "true for opens for writing",
        "evt.is_open_write = true and fd.name startswith /etc",
        Row(OPEN, |b, row, _| Value::Bool(open_flags(b, row).is_some_and(|f| matches!(f & 3, 1 | 2)))),
    ),
    field(
        "evt.is_open_create",
        Type::Bool,
        "true for opens that succeeded and may have made the file (O_CREAT, O_TMPFILE)",
        "evt.is_open_create = true",
        Row(OPEN, |b, row, _| {
            let may = open_flags(b, row).is_some_and(|f| f & (0o100 | 0o20_000_000) != 0);
            Value::Bool(may && b.ret_of(row) >= 0)
        }),
    ),
    field(
        "evt.is_open_exec",
        Type::Bool,
        "true for opens that succeeded and may have made a file that can be executed",
        "evt.is_open_exec = true",
        Row(OPEN, |b, row, _| {
            let makes = open_flags(b, row).is_some_and(|f| f & (0o100 | 0o20_000_000) != 0);
            let may = makes && open_mode(b, row).is_some_and(|mode| mode & 0o111 != 0);
            Value::Bool(may && b.ret_of(row) >= 0)
        }),
    ),
    field(
        "evt.compat",
        Type::Bool,
        "true for calls of 32-bit programs on a 64-bit kernel",
        "evt.compat = true",
        Row(Columns::CALL.and(Columns::FLAGS), |b, row, _| match b.call.get(row) {
            Some(code) => Value::Bool(*code >= COMPAT || b.flags_of(row) & row_flags::COMPAT != 0),
            None => Value::None,
        }),
    ),
    field(
        "evt.lost",
        Type::UInt,
        "for events of type lost: how many events are missing here",
        "evt.lost > 0",
        Row(Columns::CALL.and(Columns::WORDS), lost),
    ),
    field(
        "evt.certain",
        Type::Bool,
        "false if names in this event may be stale, because something before it was lost, or its container's became known later",
        "evt.certain = false",
        Row(Columns::FLAGS.and(Columns::PROC), |b, row, _| match row < b.flags.len() {
            true => Value::Bool(!args::is_uncertain(b, row) && !b.is_late(row)),
            false => Value::None,
        }),
    ),
];
