//! What no layout can say: forms whose parts depend on each other.
//!
//! Enters: copied bytes. Leaves: words, numbers and members, through a [`Sink`]. Never: an index that is not checked.

use super::sink::Sink;
use super::structs::{i32_at, i64_at, name, part, signal, text, u16_at, u32_at, u64_at};
use crate::schema::names::Names;
use crate::schema::tables as t;

/// `S_IFREG|0644` in text; the same string in JSON.
pub fn mode<S: Sink>(sink: &mut S, mode: u32) {
    match t::FILE_TYPE.name_of(u64::from(mode & 0o170_000)) {
        Some(kind) if mode <= 0o177_777 => {
            let mut text = kind.as_bytes().to_vec();
            text.push(b'|');
            super::number::octal(&mut text, mode & 0o7777);
            sink.word(&String::from_utf8_lossy(&text));
        }
        _ => sink.octal(mode),
    }
}

/// How a process ended or stopped.
pub fn wait_status<S: Sink>(sink: &mut S, status: u32) {
    let low = status & 0x7f;
    sink.open_map();
    match (low, status & 0xff) {
        (0, _) => part(sink, "exited", Some(u64::from(status >> 8 & 0xff)), S::uint),
        (_, 0x7f) if status == 0xffff => part(sink, "continued", Some(1), S::uint),
        (_, 0x7f) => {
            part(sink, "stopped", Some(u64::from(status >> 8 & 0xff)), signal);
            // PTRACE_EVENT_STOP and its like stand above the signal.
            part(sink, "event", Some(u64::from(status >> 16)).filter(|n| *n != 0), S::uint);
        }
        _ => {
            part(sink, "signaled", Some(u64::from(low)), signal);
            part(sink, "core", Some(u64::from(status >> 7 & 1)).filter(|n| *n != 0), S::uint);
        }
    }
    sink.close_map();
}

/// The tables of `si_code` by signal, for positive codes.
const CODES: &[(u64, &Names)] = &[
    (17, &t::CLD),
    (11, &t::SEGV),
    (7, &t::BUS),
    (8, &t::FPE),
    (4, &t::ILL),
    (5, &t::TRAP),
    (29, &t::POLL_CODE),
    (31, &t::SYS),
];

/// A `siginfo_t`: which members there are depends on signal and code (include/uapi/asm-generic/siginfo.h).
pub fn siginfo<S: Sink>(sink: &mut S, b: &[u8]) -> Option<()> {
    let (signo, code) = (u32_at(b, 0)?, i32_at(b, 8)?);
    let table = CODES.iter().find(|(n, _)| *n == u64::from(signo) && code > 0 && code < 0x80);
    sink.open_map();
    part(sink, "si_signo", Some(u64::from(signo)), signal);
    part(sink, "si_errno", i32_at(b, 4).filter(|n| *n != 0), |s, n| s.int(i64::from(n)));
    part(sink, "si_code", Some(u64::from(code as u32)), |s, n| {
        name(s, n, table.map_or(&t::SI_CODE, |(_, t)| t))
    });
    let int = |at| i32_at(b, at).map(i64::from);
    let sender = |sink: &mut S| {
        part(sink, "si_pid", int(16), S::int);
        part(sink, "si_uid", u32_at(b, 20).map(u64::from), S::uint);
    };
    match (table.map(|(n, _)| *n), code) {
        (Some(17), _) => {
            sender(sink);
            match code {
                // A number that the process gave; otherwise the signal that did it.
                1 => part(sink, "si_status", int(24), S::int),
                _ => part(sink, "si_status", u32_at(b, 24).map(u64::from), signal),
            }
        }
        (Some(29), _) => {
            part(sink, "si_band", i64_at(b, 16), S::int);
            part(sink, "si_fd", i32_at(b, 24), |s, n| s.fd(n, None));
        }
        (Some(31), _) => {
            part(sink, "si_call_addr", u64_at(b, 16), S::hex);
            part(sink, "si_syscall", int(24), S::int);
            part(sink, "si_arch", u32_at(b, 28).map(u64::from), |s, n| name(s, n, &t::AUDIT_ARCH));
        }
        (Some(_), _) => part(sink, "si_addr", u64_at(b, 16), S::hex),
        (None, -2) => {
            part(sink, "si_timerid", int(16), S::int);
            part(sink, "si_overrun", int(20), S::int);
            part(sink, "si_value", u64_at(b, 24), S::hex);
        }
        (None, -1 | -3 | -4) => {
            sender(sink);
            part(sink, "si_value", u64_at(b, 24), S::hex);
        }
        (None, 0x80) => {}
        (None, _) => sender(sink),
    }
    sink.close_map();
    Some(())
}

/// One set of `struct __user_cap_data_struct[2]`; version 1 has only one of the two.
pub fn capabilities<S: Sink>(sink: &mut S, b: &[u8]) -> Option<()> {
    let bits = u64::from(u32_at(b, 0)?) | u64::from(u32_at(b, 12).unwrap_or(0)) << 32;
    sink.open_list();
    for n in (0..64).filter(|n| bits >> n & 1 == 1) {
        sink.element();
        name(sink, n, &t::CAPABILITY);
    }
    sink.close_list();
    Some(())
}

/// `config` at 8, by the type at 0.
pub fn perf_config<S: Sink>(sink: &mut S, b: &[u8]) -> Option<()> {
    let (kind, config) = (u32_at(b, 0)?, u64_at(b, 8)?);
    match kind {
        // The upper half may say which of several kinds of cores.
        0 if config <= u64::from(u32::MAX) => name(sink, config, &t::PERF_HW),
        1 => name(sink, config, &t::PERF_SW),
        2 => sink.uint(config),
        3 if config >> 24 == 0 => {
            let of = |shift: u32, table: &'static Names| table.name_of(config >> shift & 0xff);
            match (of(0, &t::PERF_CACHE), of(8, &t::PERF_CACHE_OP), of(16, &t::PERF_CACHE_RESULT)) {
                (Some(cache), Some(op), Some(result)) => sink.word(&format!("{result}<<16|{op}<<8|{cache}")),
                _ => sink.hex(config),
            }
        }
        _ => sink.hex(config),
    }
    Some(())
}

/// The opaque bytes of a `struct file_handle`.
pub fn handle<S: Sink>(sink: &mut S, b: &[u8]) -> Option<()> {
    let len = u32_at(b, 0)? as usize;
    let bytes = b.get(8..)?;
    sink.dump(bytes.get(..len).unwrap_or(bytes));
    Some(())
}

/// A string of a `struct statmount`: its offset from the end of the fixed part is at `at`, if the mask has this bit.
pub fn far<S: Sink>(sink: &mut S, key: &str, b: &[u8], at: usize, bit: u64, cut: bool) {
    const STRINGS: usize = 512;
    let there = u64_at(b, 8).is_some_and(|mask| mask & bit != 0);
    let from = u32_at(b, at).filter(|_| there).and_then(|n| (n as usize).checked_add(STRINGS));
    let Some(string) = from.and_then(|from| b.get(from..)) else { return };
    let end = memchr::memchr(0, string);
    sink.key(key);
    sink.data(text(&string[..end.unwrap_or(string.len())], cut && end.is_none()));
}

/// Directory entries: each says how long it is.
pub fn dirents<S: Sink>(sink: &mut S, mut b: &[u8], new: bool, cut: bool) {
    // Inode, offset and length come first; then the new form has the type, the old one has it in its last byte.
    let head = if new { 19 } else { 18 };
    sink.open_list();
    while let Some(len) = u16_at(b, 16).map(usize::from)
        && len > head
        && let Some(entry) = b.get(..len)
    {
        let named = entry.get(head..).unwrap_or(&[]);
        let end = memchr::memchr(0, named).unwrap_or(named.len());
        let kind = if new { entry.get(18) } else { entry.last() };
        sink.element();
        sink.open_map();
        part(sink, "d_name", named.get(..end), |s, name| s.data(text(name, false)));
        part(sink, "d_type", kind.map(|k| u64::from(*k)), |s, n| name(s, n, &t::DIRENT));
        part(sink, "d_ino", u64_at(entry, 0), S::uint);
        sink.close_map();
        b = b.get(len..).unwrap_or(&[]);
    }
    sink.close_list_cut(cut || !b.is_empty());
}

/// A set of numbers, one bit for each.
pub fn bits<S: Sink>(sink: &mut S, b: &[u8], cut: bool) {
    sink.open_list();
    for (i, byte) in b.iter().enumerate() {
        for bit in (0..8).filter(|bit| byte >> bit & 1 == 1) {
            sink.element();
            sink.uint(i as u64 * 8 + bit);
        }
    }
    sink.close_list_cut(cut);
}

/// A command of `quotactl`, as its macro writes it.
pub fn quota<S: Sink>(sink: &mut S, n: u32) {
    let (op, kind) = (u64::from(n >> 8), u64::from(n & 0xff));
    let named = |n: u64, table: &Names| table.name_of(n).map_or_else(|| format!("{n:#x}"), str::to_string);
    sink.word(&format!("QCMD({}, {})", named(op, &t::QUOTA), named(kind, &t::QUOTA_OF)));
}

/// An `ioctl` request without a name, as the macro that makes them writes it (include/uapi/asm-generic/ioctl.h).
pub fn ioc(n: u64) -> String {
    if n > u64::from(u32::MAX) {
        return format!("{n:#x}");
    }
    let dir = ["_IOC_NONE", "_IOC_WRITE", "_IOC_READ", "_IOC_READ|_IOC_WRITE"];
    let dir = dir.get((n >> 30) as usize & 3).copied().unwrap_or("_IOC_NONE");
    format!("_IOC({dir}, {:#x}, {:#x}, {:#x})", n >> 8 & 0xff, n & 0xff, n >> 16 & 0x3fff)
}

/// What `FUTEX_WAKE_OP` does with the second word, and when it wakes.
pub fn futex_op<S: Sink>(sink: &mut S, n: u32) {
    sink.open_map();
    part(sink, "op", Some(u64::from(n >> 28 & 7)), |s, n| name(s, n, &t::FUTEX_OP));
    let shift = n >> 31 == 1;
    part(sink, if shift { "oparg_shift" } else { "oparg" }, Some(u64::from(n >> 12 & 0xfff)), S::uint);
    part(sink, "cmp", Some(u64::from(n >> 24 & 15)), |s, n| name(s, n, &t::FUTEX_OP_CMP));
    part(sink, "cmparg", Some(u64::from(n & 0xfff)), S::uint);
    sink.close_map();
}
