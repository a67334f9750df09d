//! What files of /proc say.
//!
//! Enters: their bytes. Leaves: numbers, names, kinds. Never: a file; a panic, whatever they hold: names in them are the traced
//! side's choice.

use super::scan::TICK_NS;
use super::tables::{ProcDesc, Text};
use crate::batch::{FileKind, proc_flags};

/// A number in text.
pub fn number<T: std::str::FromStr>(bytes: &[u8]) -> Option<T> {
    std::str::from_utf8(bytes).ok()?.trim().parse().ok()
}

/// The name in `/proc/PID/stat`, and the part behind it: state, ppid, pgrp, session, tty, … start time.
pub struct Stat<'a> {
    pub comm: &'a [u8],
    pub ppid: u32,
    pub pgid: u32,
    pub sid: u32,
    pub tty: u32,
    pub flags: u64,
    pub threads: u32,
    pub start: u64,
}

impl<'a> Stat<'a> {
    /// Of the bytes of the file.
    pub fn parse(bytes: &'a [u8]) -> Option<Stat<'a>> {
        // The name may hold anything, blanks and parentheses too: the last parenthesis ends it.
        let close = memchr::memrchr(b')', bytes)?;
        let open = memchr::memchr(b'(', bytes)?;
        let mut fields = [&b""[..]; 20];
        let mut rest = bytes.get(close + 2..)?.split(|b| *b == b' ');
        for field in &mut fields {
            *field = rest.next()?;
        }
        let get = |i: usize| number::<i64>(fields[i]);
        Some(Stat {
            comm: bytes.get(open + 1..close)?,
            ppid: get(1)? as u32,
            pgid: get(2)? as u32,
            sid: get(3)? as u32,
            tty: tty_dev(get(4)? as u32),
            flags: get(6)? as u64,
            threads: get(17)? as u32,
            start: (get(19)? as u64).saturating_mul(TICK_NS),
        })
    }
}

/// A path as the process with this root sees it: the links of /proc are shown as we see them. What lies outside of the root
/// keeps its name, as where the kernel tells it.
pub fn inside<'a>(root: Option<&Text>, path: &'a [u8]) -> &'a [u8] {
    match root.and_then(|root| path.strip_prefix(&**root)) {
        Some(b"") => b"/",
        Some(rest @ [b'/', ..]) => rest,
        _ => path,
    }
}

/// /proc/PID/stat gives the terminal in the encoding of `new_encode_dev`; the kernel's own is major << 20 | minor.
fn tty_dev(n: u32) -> u32 {
    ((n >> 8) & 0xfff) << 20 | (n & 0xff) | ((n >> 12) & 0xfff00)
}

/// What of `status` is wanted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// All.
    All,
    /// What records of calls do not tell.
    Untold,
}

/// Takes in the bytes of `/proc/PID/status`.
pub fn parse_status(status: &[u8], part: Part, d: &mut ProcDesc) {
    let ids = |rest: &[u8]| -> Option<(u32, u32)> {
        let mut n = rest.split(|b| *b == b'\t').filter(|p| !p.is_empty()).map(number::<u32>);
        Some((n.next()??, n.next()??))
    };
    let set = |rest: &[u8]| u64::from_str_radix(std::str::from_utf8(rest).ok()?.trim(), 16).ok();
    let mut caps = [None; 3];
    let mut at = 0;
    for end in memchr::memchr_iter(b'\n', status).chain(std::iter::once(status.len())) {
        let line = status.get(at..end).unwrap_or_default();
        at = end + 1;
        let Some(colon) = memchr::memchr(b':', line.get(..16.min(line.len())).unwrap_or_default()) else {
            continue;
        };
        let (name, rest) = (&line[..colon], &line[colon + 1..]);
        match name {
            b"NSpid" => {
                d.vpid = rest.split(|b| *b == b'\t').filter_map(number::<u32>).next_back().unwrap_or(0);
            }
            b"CapInh" => caps[1] = set(rest),
            b"CapPrm" => caps[0] = set(rest),
            b"CapEff" => {
                caps[2] = set(rest);
                // What follows is of no use here.
                break;
            }
            _ if part == Part::Untold => {}
            b"Uid" => (d.ruid, d.uid) = ids(rest).unwrap_or((d.ruid, d.uid)),
            b"Gid" => (d.rgid, d.gid) = ids(rest).unwrap_or((d.rgid, d.gid)),
            b"Threads" => d.threads = number(rest).unwrap_or(0),
            _ => {}
        }
    }
    if let [Some(permitted), Some(inheritable), Some(effective)] = caps {
        d.caps = [permitted, inheritable, effective];
        d.flags |= proc_flags::CAPS;
    }
}

/// `flags:` of fdinfo, as those of open, is octal.
pub fn parse_flags(info: &[u8]) -> Option<u64> {
    let line = info.split(|b| *b == b'\n').find_map(|l| l.strip_prefix(b"flags:"))?;
    u64::from_str_radix(std::str::from_utf8(line).ok()?.trim(), 8).ok()
}

/// What an anonymous inode is, by the name that /proc shows.
pub fn anon_kind(name: &[u8]) -> FileKind {
    match name {
        b"[eventfd]" => FileKind::Event,
        b"[eventpoll]" => FileKind::Epoll,
        b"[signalfd]" => FileKind::Signal,
        b"[timerfd]" => FileKind::Timer,
        b"inotify" | b"[inotify]" => FileKind::Inotify,
        b"[fanotify]" => FileKind::Fanotify,
        b"[pidfd]" => FileKind::Pidfd,
        b"[io_uring]" => FileKind::IoUring,
        b"[perf_event]" => FileKind::Perf,
        b"[userfaultfd]" => FileKind::Userfault,
        n if n.starts_with(b"bpf") || n.starts_with(b"[bpf") => FileKind::Bpf,
        _ => FileKind::Anon,
    }
}

/// The kind by the type bits of a mode.
pub fn kind_of_mode(mode: u32) -> FileKind {
    match mode & 0o170000 {
        0o100000 => FileKind::File,
        0o040000 => FileKind::Directory,
        0o020000 | 0o060000 => FileKind::Device,
        0o010000 => FileKind::Pipe,
        0o140000 => FileKind::Socket,
        0o120000 => FileKind::Symlink,
        _ => FileKind::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_parentheses_does_not_fool_the_parser() {
        let s =
            Stat::parse(b"42 (a) R 7 (b)) S 10 11 12 34816 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 123 1 1\n")
                .expect("stat");
        assert_eq!(s.comm, b"a) R 7 (b)");
        assert_eq!((s.ppid, s.pgid, s.sid, s.start), (10, 11, 12, 123 * TICK_NS));
        assert!(Stat::parse(b"42 (x").is_none());
        assert!(Stat::parse(b")(").is_none());
        assert!(Stat::parse(b"").is_none());
    }

    #[test]
    fn a_status_is_read_line_by_line_and_stops_at_nothing_strange() {
        let mut d = ProcDesc::default();
        let text = b"Name:\tCapEff:\\n\nUid:\t7\t8\t9\t9\nGid:\t1\t2\t3\t3\nNSpid:\t700\t3\nThreads:\t5\nCapInh:\t01\nCapPrm:\t0f\nCapEff:\t10\nUid:\t0\t0\n";
        parse_status(text, Part::All, &mut d);
        assert_eq!((d.ruid, d.uid, d.rgid, d.gid, d.vpid, d.threads), (7, 8, 1, 2, 3, 5));
        assert_eq!((d.caps, d.flags), ([0xf, 1, 0x10], proc_flags::CAPS));
        let mut d = ProcDesc { uid: 4, ..ProcDesc::default() };
        parse_status(text, Part::Untold, &mut d);
        assert_eq!((d.uid, d.vpid, d.threads), (4, 3, 0));
        for odd in
            [&b""[..], b":", b"\n\n:\n", b"Uid:\nGid:\tx\t\nNSpid:", b"Uid:\t99999999999999\t1", b"\xff:\xff"]
        {
            parse_status(odd, Part::All, &mut d);
        }
        assert_eq!(d.uid, 4);
    }

    #[test]
    fn paths_are_those_that_a_process_sees() {
        let jail = Text::from(&b"/srv/jail"[..]);
        let cut =
            |path: &'static str| String::from_utf8_lossy(inside(Some(&jail), path.as_bytes())).into_owned();
        assert_eq!(cut("/srv/jail/etc/passwd"), "/etc/passwd");
        assert_eq!(cut("/srv/jail"), "/");
        assert_eq!(cut("/srv/jailer/x"), "/srv/jailer/x");
        assert_eq!(cut("/etc/passwd"), "/etc/passwd");
        assert_eq!(cut("pipe:[7]"), "pipe:[7]");
        assert_eq!(inside(None, b"/x"), b"/x");
    }

    #[test]
    fn terminals_are_numbered_as_the_kernel_does() {
        // /dev/pts/3 is 136:3.
        assert_eq!(tty_dev(34819), 136 << 20 | 3);
    }
}
