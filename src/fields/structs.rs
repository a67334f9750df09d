//! Structures of the kernel: which bytes are which member.
//!
//! Enters: copied bytes, perhaps cut, perhaps made up. Leaves: members, through a [`Sink`]. Never: an index that is not
//! checked: a structure that is too short is shown as its bytes.

use super::sink::Sink;
use crate::schema::names::{self, Names, SIGNAL};
use crate::schema::{Arch, Struct};

/// Copied bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Data<'a> {
    /// What was copied.
    pub bytes: &'a [u8],
    /// More existed.
    pub cut: bool,
    /// How much existed, if known.
    pub total: Option<u64>,
}

pub(super) fn take<const N: usize>(b: &[u8], at: usize) -> Option<[u8; N]> {
    b.get(at..at.checked_add(N)?)?.try_into().ok()
}
pub(super) fn u16_at(b: &[u8], at: usize) -> Option<u16> {
    take(b, at).map(u16::from_le_bytes)
}
pub(super) fn u32_at(b: &[u8], at: usize) -> Option<u32> {
    take(b, at).map(u32::from_le_bytes)
}
pub(super) fn u64_at(b: &[u8], at: usize) -> Option<u64> {
    take(b, at).map(u64::from_le_bytes)
}
/// A signed number at an offset.
pub fn i32_at(b: &[u8], at: usize) -> Option<i32> {
    take(b, at).map(i32::from_le_bytes)
}
/// A signed number at an offset.
pub fn i64_at(b: &[u8], at: usize) -> Option<i64> {
    take(b, at).map(i64::from_le_bytes)
}

/// Two descriptors.
pub fn pair(b: &[u8]) -> Option<[i32; 2]> {
    Some([i32_at(b, 0)?, i32_at(b, 4)?])
}

const SA_FLAGS: Names = Names {
    name: "sigaction",
    mask: 0,
    rows: &[
        (1, "SA_NOCLDSTOP"),
        (2, "SA_NOCLDWAIT"),
        (4, "SA_SIGINFO"),
        (0x400, "SA_UNSUPPORTED"),
        (0x800, "SA_EXPOSE_TAGBITS"),
        (0x400_0000, "SA_RESTORER"),
        (0x800_0000, "SA_ONSTACK"),
        (0x1000_0000, "SA_RESTART"),
        (0x4000_0000, "SA_NODEFER"),
        (0x8000_0000, "SA_RESETHAND"),
    ],
};
const EPOLL: Names = Names {
    name: "epoll_events",
    mask: 0,
    rows: &[
        (0x1, "EPOLLIN"),
        (0x2, "EPOLLPRI"),
        (0x4, "EPOLLOUT"),
        (0x8, "EPOLLERR"),
        (0x10, "EPOLLHUP"),
        (0x40, "EPOLLRDNORM"),
        (0x80, "EPOLLRDBAND"),
        (0x100, "EPOLLWRNORM"),
        (0x200, "EPOLLWRBAND"),
        (0x400, "EPOLLMSG"),
        (0x2000, "EPOLLRDHUP"),
        (1 << 28, "EPOLLEXCLUSIVE"),
        (1 << 29, "EPOLLWAKEUP"),
        (1 << 30, "EPOLLONESHOT"),
        (1 << 31, "EPOLLET"),
    ],
};
const FILE_TYPE: &[(u32, &str)] = &[
    (0o010_000, "S_IFIFO"),
    (0o020_000, "S_IFCHR"),
    (0o040_000, "S_IFDIR"),
    (0o060_000, "S_IFBLK"),
    (0o100_000, "S_IFREG"),
    (0o120_000, "S_IFLNK"),
    (0o140_000, "S_IFSOCK"),
];

/// A number with names.
pub fn name(sink: &mut impl Sink, n: u64, table: &Names) {
    match table.name_of(n) {
        Some(name) => sink.word(name),
        // Negative `int`s came in as 32 bits.
        None if n <= u64::from(u32::MAX) && (n as i32) < 0 => sink.int(i64::from(n as i32)),
        None => sink.uint(n),
    }
}

/// A signal.
pub fn signal(sink: &mut impl Sink, n: u64) {
    match SIGNAL.name_of(n) {
        Some(name) if n != 0 => sink.word(name),
        _ => sink.int(i64::from(n as i32)),
    }
}

/// A device number of user space, as `major:minor`.
pub fn dev(sink: &mut impl Sink, n: u64) {
    let major = (n >> 8 & 0xfff) | (n >> 32 & !0xfff);
    let minor = (n & 0xff) | (n >> 12 & !0xff & 0xffff_ffff);
    sink.word(&format!("{major}:{minor}"));
}

pub(super) fn text(bytes: &[u8], cut: bool) -> Data<'_> {
    Data { bytes, cut, total: None }
}

/// A key and a part; without the part (cut bytes) nothing.
pub(super) fn part<S: Sink, T>(sink: &mut S, key: &str, value: Option<T>, emit: impl FnOnce(&mut S, T)) {
    if let Some(value) = value {
        sink.key(key);
        emit(sink, value);
    }
}

fn pairs<S: Sink>(sink: &mut S, b: &[u8], at: usize, names: [&str; 2]) {
    sink.open_map();
    part(sink, names[0], i64_at(b, at), S::int);
    part(sink, names[1], i64_at(b, at + 8), S::int);
    sink.close_map();
}

const SPEC: [&str; 2] = ["tv_sec", "tv_nsec"];
const VAL: [&str; 2] = ["tv_sec", "tv_usec"];

/// `S_IFREG|0644` in text; the same string in JSON.
fn mode<S: Sink>(sink: &mut S, mode: u32) {
    let kind = FILE_TYPE.iter().find(|(v, _)| *v == mode & 0o170_000);
    match kind {
        Some((_, name)) => {
            let mut text = name.as_bytes().to_vec();
            text.push(b'|');
            super::number::octal(&mut text, mode & 0o7777);
            sink.word(&String::from_utf8_lossy(&text));
        }
        None => sink.octal(mode),
    }
}

/// A structure.
pub fn structure<S: Sink>(sink: &mut S, what: Struct, b: &[u8]) {
    // The last byte that the form below needs; on aarch64 `struct stat` is shorter than what is copied at most.
    let least = match what {
        Struct::Stat => 120,
        Struct::EpollEvent => 4,
        Struct::CloneArgs => 64,
        Struct::Siginfo => 12,
        Struct::Statx => 144,
        Struct::Utsname => 325,
        Struct::Statfs => 88,
        Struct::Sysinfo => 108,
        Struct::Rusage => 32,
        _ => usize::from(what.size()),
    };
    if b.len() < least {
        return sink.dump(b);
    }
    match what {
        Struct::Timespec => pairs(sink, b, 0, SPEC),
        Struct::Timeval => pairs(sink, b, 0, VAL),
        Struct::Timespec2 => {
            sink.open_list();
            for at in [0, 16] {
                sink.element();
                match i64_at(b, at + 8) {
                    Some(0x3fff_ffff) => sink.word("UTIME_NOW"),
                    Some(0x3fff_fffe) => sink.word("UTIME_OMIT"),
                    _ => pairs(sink, b, at, SPEC),
                }
            }
            sink.close_list();
        }
        Struct::Itimerval | Struct::Itimerspec => {
            let names = if what == Struct::Itimerspec { SPEC } else { VAL };
            sink.open_map();
            sink.key("it_interval");
            pairs(sink, b, 0, names);
            sink.key("it_value");
            pairs(sink, b, 16, names);
            sink.close_map();
        }
        Struct::Rlimit => {
            let limit =
                |sink: &mut S, n| if n == u64::MAX { sink.word("RLIM64_INFINITY") } else { sink.uint(n) };
            sink.open_map();
            part(sink, "rlim_cur", u64_at(b, 0), limit);
            part(sink, "rlim_max", u64_at(b, 8), limit);
            sink.close_map();
        }
        Struct::Rusage => {
            sink.open_map();
            sink.key("ru_utime");
            pairs(sink, b, 0, VAL);
            sink.key("ru_stime");
            pairs(sink, b, 16, VAL);
            part(sink, "ru_maxrss", i64_at(b, 32), S::int);
            part(sink, "ru_minflt", i64_at(b, 64), S::int);
            part(sink, "ru_majflt", i64_at(b, 72), S::int);
            part(sink, "ru_nvcsw", i64_at(b, 128), S::int);
            part(sink, "ru_nivcsw", i64_at(b, 136), S::int);
            sink.close_map();
        }
        Struct::Stat => stat(sink, b),
        Struct::Statx => statx(sink, b),
        Struct::Statfs => {
            sink.open_map();
            part(sink, "f_type", u64_at(b, 0), S::hex);
            let rest = ["f_bsize", "f_blocks", "f_bfree", "f_bavail", "f_files", "f_ffree"];
            for (i, key) in rest.into_iter().enumerate() {
                part(sink, key, u64_at(b, 8 + 8 * i), S::uint);
            }
            part(sink, "f_namelen", u64_at(b, 64), S::uint);
            part(sink, "f_flags", u64_at(b, 80), S::hex);
            sink.close_map();
        }
        Struct::Utsname => {
            sink.open_map();
            let keys = ["sysname", "nodename", "release", "version", "machine"];
            for (key, field) in keys.into_iter().zip(b.chunks(65)) {
                let end = memchr::memchr(0, field).unwrap_or(field.len());
                sink.key(key);
                sink.data(text(&field[..end], false));
            }
            sink.close_map();
        }
        Struct::Sysinfo => {
            sink.open_map();
            part(sink, "uptime", i64_at(b, 0), S::int);
            let rest = ["totalram", "freeram", "sharedram", "bufferram", "totalswap", "freeswap"];
            for (i, key) in rest.into_iter().enumerate() {
                part(sink, key, u64_at(b, 32 + 8 * i), S::uint);
            }
            part(sink, "procs", u16_at(b, 80), |s, n| s.uint(u64::from(n)));
            part(sink, "mem_unit", u32_at(b, 104), |s, n| s.uint(u64::from(n)));
            sink.close_map();
        }
        Struct::Sigset => sink.sigset(u64_at(b, 0).unwrap_or(0)),
        Struct::Sigaction => {
            sink.open_map();
            part(sink, "sa_handler", u64_at(b, 0), |s, n| match n {
                0 => s.word("SIG_DFL"),
                1 => s.word("SIG_IGN"),
                _ => s.hex(n),
            });
            part(sink, "sa_mask", u64_at(b, 24), S::sigset);
            part(sink, "sa_flags", u64_at(b, 8), |s, n| s.flags(n, &SA_FLAGS));
            sink.close_map();
        }
        Struct::EpollEvent => epoll_event(sink, b),
        Struct::FdPair => match pair(b) {
            Some(pair) => {
                sink.open_list();
                for n in pair {
                    sink.element();
                    sink.fd(n, None);
                }
                sink.close_list();
            }
            None => sink.dump(b),
        },
        Struct::Int => sink.pointee(|s| s.int(i32_at(b, 0).map_or(0, i64::from))),
        Struct::SchedParam => {
            sink.open_map();
            part(sink, "sched_priority", i32_at(b, 0), |s, n| s.int(i64::from(n)));
            sink.close_map();
        }
        Struct::Int64 => sink.pointee(|s| s.int(i64_at(b, 0).unwrap_or(0))),
        Struct::WaitStatus => wait_status(sink, u32_at(b, 0).unwrap_or(0)),
        Struct::CloneArgs => {
            sink.open_map();
            part(sink, "flags", u64_at(b, 0), |s, n| table_flags(s, n, &["clone3"]));
            part(sink, "exit_signal", u64_at(b, 32), signal);
            part(sink, "stack", u64_at(b, 40), S::hex);
            part(sink, "stack_size", u64_at(b, 48), S::uint);
            part(sink, "tls", u64_at(b, 56), S::hex);
            part(sink, "cgroup", u64_at(b, 80).filter(|n| *n != 0), S::uint);
            sink.close_map();
        }
        Struct::OpenHow => {
            sink.open_map();
            let table = if sink.arch() == Arch::Aarch64 { "open_aarch64" } else { "open" };
            part(sink, "flags", u64_at(b, 0), |s, n| table_flags(s, n, &[table, "open"]));
            part(sink, "mode", u64_at(b, 8).filter(|n| *n != 0), |s, n| s.octal(n as u32));
            part(sink, "resolve", u64_at(b, 16).filter(|n| *n != 0), |s, n| table_flags(s, n, &["resolve"]));
            sink.close_map();
        }
        Struct::Tms => {
            sink.open_map();
            for (i, key) in ["tms_utime", "tms_stime", "tms_cutime", "tms_cstime"].into_iter().enumerate() {
                part(sink, key, i64_at(b, 8 * i), S::int);
            }
            sink.close_map();
        }
        Struct::Siginfo => {
            sink.open_map();
            part(sink, "si_signo", u32_at(b, 0), |s, n| signal(s, u64::from(n)));
            part(sink, "si_code", i32_at(b, 8), |s, n| s.int(i64::from(n)));
            part(sink, "si_pid", i32_at(b, 16), |s, n| s.int(i64::from(n)));
            part(sink, "si_uid", u32_at(b, 20), |s, n| s.uint(u64::from(n)));
            part(sink, "si_status", i32_at(b, 24), |s, n| s.int(i64::from(n)));
            sink.close_map();
        }
        Struct::Termios => {
            sink.open_map();
            for (i, key) in ["c_iflag", "c_oflag", "c_cflag", "c_lflag"].into_iter().enumerate() {
                part(sink, key, u32_at(b, 4 * i), |s, n| s.hex(u64::from(n)));
            }
            sink.close_map();
        }
        Struct::Winsize => {
            sink.open_map();
            for (i, key) in ["ws_row", "ws_col", "ws_xpixel", "ws_ypixel"].into_iter().enumerate() {
                part(sink, key, u16_at(b, 2 * i), |s, n| s.uint(u64::from(n)));
            }
            sink.close_map();
        }
    }
}

/// Flags without names.
const NAMELESS: Names = Names { name: "", mask: 0, rows: &[] };

/// Flags by the first table of these names that exists; without one they are still a list of flags.
pub(super) fn table_flags(sink: &mut impl Sink, n: u64, tables: &[&str]) {
    sink.flags(n, tables.iter().find_map(|t| names::by_name(t)).unwrap_or(&NAMELESS));
}

fn stat<S: Sink>(sink: &mut S, b: &[u8]) {
    let arm = sink.arch() == Arch::Aarch64;
    let id = |at| u32_at(b, at).map(u64::from);
    sink.open_map();
    part(sink, "st_dev", u64_at(b, 0), dev);
    part(sink, "st_ino", u64_at(b, 8), S::uint);
    part(sink, "st_mode", u32_at(b, if arm { 16 } else { 24 }), mode);
    part(sink, "st_nlink", if arm { id(20) } else { u64_at(b, 16) }, S::uint);
    part(sink, "st_uid", id(if arm { 24 } else { 28 }), S::uint);
    part(sink, "st_gid", id(if arm { 28 } else { 32 }), S::uint);
    part(sink, "st_rdev", u64_at(b, if arm { 32 } else { 40 }).filter(|n| *n != 0), dev);
    part(sink, "st_size", i64_at(b, 48), S::int);
    part(sink, "st_blocks", i64_at(b, 64), S::int);
    sink.key("st_mtime");
    pairs(sink, b, 88, SPEC);
    sink.close_map();
}

fn statx<S: Sink>(sink: &mut S, b: &[u8]) {
    let number = |at| u32_at(b, at).map(u64::from);
    sink.open_map();
    part(sink, "stx_mask", number(0), |s, n| table_flags(s, n, &["statx"]));
    part(sink, "stx_mode", u16_at(b, 28), |s, n| mode(s, u32::from(n)));
    part(sink, "stx_nlink", number(16), S::uint);
    part(sink, "stx_uid", number(20), S::uint);
    part(sink, "stx_gid", number(24), S::uint);
    part(sink, "stx_ino", u64_at(b, 32), S::uint);
    part(sink, "stx_size", u64_at(b, 40), S::uint);
    part(sink, "stx_blocks", u64_at(b, 48), S::uint);
    sink.key("stx_mtime");
    sink.open_map();
    part(sink, "tv_sec", i64_at(b, 112), S::int);
    part(sink, "tv_nsec", number(120), S::uint);
    sink.close_map();
    let device = number(136).zip(number(140));
    part(sink, "stx_dev", device, |s, (major, minor)| s.word(&format!("{major}:{minor}")));
    sink.close_map();
}

fn wait_status<S: Sink>(sink: &mut S, status: u32) {
    let low = status & 0x7f;
    sink.open_map();
    match (low, status & 0xff) {
        (0, _) => part(sink, "exited", Some(u64::from(status >> 8 & 0xff)), S::uint),
        (_, 0x7f) if status == 0xffff => part(sink, "continued", Some(1), S::uint),
        (_, 0x7f) => part(sink, "stopped", Some(u64::from(status >> 8 & 0xff)), signal),
        _ => {
            part(sink, "signaled", Some(u64::from(low)), signal);
            part(sink, "core", Some(u64::from(status >> 7 & 1)).filter(|n| *n != 0), S::uint);
        }
    }
    sink.close_map();
}

pub(super) fn epoll_event<S: Sink>(sink: &mut S, b: &[u8]) {
    let data = if sink.arch() == Arch::X86_64 { 4 } else { 8 };
    sink.open_map();
    part(sink, "events", u32_at(b, 0), |s, n| s.flags(u64::from(n), &EPOLL));
    part(sink, "data", u64_at(b, data), S::hex);
    sink.close_map();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fields::args::Arg;
    use crate::fields::messages::message_bytes;
    use crate::fields::sink::{JsonSink, TextSink};
    use crate::fields::{escape, fixture};

    fn words(numbers: &[u64]) -> Vec<u8> {
        numbers.iter().flat_map(|n| n.to_le_bytes()).collect()
    }

    /// Every structure with members that can be told apart, and what has no fixed size.
    #[test]
    fn looks() {
        let mut utsname = vec![0; 390];
        for (i, name) in ["Linux", "host", "7.0", "#1 \"x\"", "x86_64", "local"].into_iter().enumerate() {
            utsname[65 * i..][..name.len()].copy_from_slice(name.as_bytes());
        }
        let stat =
            words(&[0x801, 77, 1, 0o100_644 | 1000 << 32, 50, 0, 1026, 4096, 8, 1, 2, 3, 4, 5, 6, 0, 0, 0]);
        let mut statx = vec![0; 160];
        statx[28..30].copy_from_slice(&0o40_755u16.to_le_bytes());
        statx[40] = 9;
        statx[136] = 8;
        let sample = |s: Struct| match s {
            Struct::Utsname => utsname.clone(),
            Struct::Stat => stat.clone(),
            Struct::Statx => statx.clone(),
            Struct::Sigset => words(&[1 << 8]),
            Struct::Sigaction => words(&[1, 0x1000_0000, 0, 1 << 8]),
            Struct::Rlimit => words(&[1024, u64::MAX]),
            Struct::Timespec2 => words(&[0, 0x3fff_ffff, 5, 6]),
            Struct::OpenHow => words(&[0o2_000_000, 0, 0]),
            Struct::CloneArgs => words(&[0, 0, 0, 0, 9, 0x7000, 4096, 0, 0, 0, 0]),
            Struct::WaitStatus => 0x300u32.to_le_bytes().to_vec(),
            Struct::Siginfo => {
                [9u32, 0, 0, 0, 4711, 1000, 3, 0].iter().flat_map(|n| n.to_le_bytes()).collect()
            }
            Struct::EpollEvent => [0x8000_0001u32, 7, 0].iter().flat_map(|n| n.to_le_bytes()).collect(),
            s => (1..=s.size()).map(|i| if i % 8 == 1 { i as u8 } else { 0 }).collect(),
        };
        let samples: Vec<(String, Struct, Vec<u8>)> =
            Struct::ALL.iter().map(|s| (s.name().to_string(), *s, sample(*s))).collect();
        let data = |bytes, cut| Data { bytes, cut, total: Some(4096) };
        let name = b"\x02\0\0\x35\x7f\0\0\x01\0\0\0\0\0\0\0\0";
        // Two descriptors, padded; credentials; something else; garbage.
        let rights = b"\x18\0\0\0\0\0\0\0\x01\0\0\0\x01\0\0\0\x03\0\0\0\x05\0\0\0";
        let creds = b"\x1c\0\0\0\0\0\0\0\x01\0\0\0\x02\0\0\0\x09\0\0\0\xe8\x03\0\0\x64\0\0\0\0\0\0\0";
        let other = b"\x12\0\0\0\0\0\0\0\x29\0\0\0\x63\0\0\0ab\0\0\0\0\0\0";
        let garbage = b"\x03\0\0\0\0\0\0\0\x01\0\0\0\x01\0\0\0";
        let control = [&rights[..], creds, other, garbage].concat();
        let msg = message_bytes(4096, name, &control, b"payload", 0x20);
        let plain = message_bytes(2, b"", b"", b"ab", 0);
        let lost = message_bytes(9 | 0b111 << 57, b"", b"", b"", 0);
        let two = [&plain[..], &plain, &lost].concat();
        let set =
            [&8i32.to_le_bytes()[..], &8i32.to_le_bytes(), &[9, 0, 0, 0, 0, 0, 0, 128, 8], &[0; 7]].concat();
        let unasked = [&(-1i32).to_le_bytes()[..], &1i32.to_le_bytes(), &[3]].concat();
        let failed = [&1i32.to_le_bytes()[..], &(-2i32).to_le_bytes(), &[3]].concat();
        let mut all: Vec<(&str, Arg<'_>)> =
            samples.iter().map(|(name, s, bytes)| (name.as_str(), Arg::Struct(*s, bytes))).collect();
        all.extend([
            ("torn stat", Arg::Struct(Struct::Stat, &stat[..20])),
            ("killed", Arg::Struct(Struct::WaitStatus, b"\x89\0\0\0")),
            ("inet6", Arg::Sockaddr(b"\x0a\0\0\x50\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\0\0\0")),
            ("unix", Arg::Sockaddr(b"\x01\0/run/a b\0\0\0")),
            ("abstract", Arg::Sockaddr(b"\x01\0\0name\0x")),
            ("unnamed", Arg::Sockaddr(b"\x01\0")),
            ("netlink", Arg::Sockaddr(b"\x10\0\0\0\x01\0\0\0\x02\0\0\0")),
            ("packet", Arg::Sockaddr(b"\x11\0\x08\0\x02\0\0\0\0\0\0\0")),
            ("other family", Arg::Sockaddr(b"\x28\0\x01\x02")),
            ("message", Arg::Msghdr(data(&msg, false))),
            ("plain message", Arg::Msghdr(data(&plain, false))),
            ("unreadable message", Arg::Msghdr(data(&lost, false))),
            ("torn message", Arg::Msghdr(data(&msg[..20], true))),
            ("messages", Arg::Mmsghdrs(data(&two, true), 1)),
            ("torn messages", Arg::Mmsghdrs(data(&two[..50], false), 0)),
            ("set", Arg::FdSet(data(&set, false))),
            ("set, nothing known of before", Arg::FdSet(data(&unasked, false))),
            ("set of a failed call", Arg::FdSet(data(&failed, true))),
            ("torn set", Arg::FdSet(data(&set[..12], false))),
            ("no set", Arg::FdSet(data(&set[..5], false))),
            ("polls", Arg::Pollfds(data(b"\x03\0\0\0\x01\0\x11\0\x04\0\0\0\x04\0\0\0", false), true)),
            ("polls, failed", Arg::Pollfds(data(b"\x03\0\0\0\x01\0\x11\0", false), false)),
            ("torn polls", Arg::Pollfds(data(b"\x03\0\0\0\x01\0\x00\0\x04", false), true)),
            ("epolls", Arg::EpollEvents(data(b"\x01\0\0\0\x05\0\0\0\0\0\0\0", true))),
            ("strings", Arg::Strings(data(b"a\0\0b \"c\"\0", false))),
            ("torn strings", Arg::Strings(data(b"a\0bcd", true))),
            ("no strings", Arg::Strings(data(b"", false))),
            ("device", Arg::Dev(0x1_0000_0801)),
            ("cut", Arg::Bytes(data(b"\xffa", true))),
        ]);
        let (schema, block) = (fixture::schema(), fixture::block());
        let batch = block.view(&schema);
        let mut shown = String::new();
        for (name, arg) in all {
            let (mut text, mut json) = (Vec::new(), Vec::new());
            arg.emit(&mut TextSink::new(&mut text, &batch, 0));
            arg.emit(&mut JsonSink::new(&mut json, &batch));
            assert!(serde_json::from_slice::<serde_json::Value>(&json).is_ok(), "{name}");
            assert!(escape::unescape(&text).is_some());
            shown += &format!(
                "{name}: {}\n    {}\n",
                String::from_utf8(text).unwrap(),
                String::from_utf8(json).unwrap()
            );
        }
        insta::assert_snapshot!(shown);
    }
}
