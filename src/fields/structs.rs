//! Structures of the kernel: bytes by their layouts.
//!
//! Enters: copied bytes, perhaps cut, perhaps made up, and [`Is`] from the schema. Leaves: members, through a [`Sink`].
//! Never: an index that is not checked; what is too short to be what it should is shown as its bytes. What is written is
//! bounded by the bytes that came in.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::sink::Sink;
use super::{arrays, special};
use crate::schema::layout::{Is, Member};
use crate::schema::names::{self, Names, SIGNAL};
use crate::schema::{Struct, tables};

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

/// An unsigned number of `width` bytes, at most eight.
fn unsigned(b: &[u8], width: u8) -> Option<u64> {
    let mut all = [0; 8];
    let width = usize::from(width);
    all.get_mut(..width)?.copy_from_slice(b.get(..width)?);
    Some(u64::from_le_bytes(all))
}

/// The same in network order.
fn unsigned_be(b: &[u8], width: u8) -> Option<u64> {
    let mut all = [0; 8];
    let width = usize::from(width);
    all.get_mut(8usize.checked_sub(width)?..)?.copy_from_slice(b.get(..width)?);
    Some(u64::from_be_bytes(all))
}

/// A signed number of `width` bytes.
fn signed(b: &[u8], width: u8) -> Option<i64> {
    let n = unsigned(b, width)?;
    let unused = 64u32.checked_sub(8 * u32::from(width))?;
    Some((n << unused) as i64 >> unused)
}

/// A number with names.
pub fn name(sink: &mut impl Sink, n: u64, table: &Names) {
    match table.name_of(n) {
        Some(name) => sink.word(name),
        None if *table == tables::IOCTL => sink.word(&special::ioc(n)),
        None if *table == tables::MAGIC => sink.hex(n),
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

fn seconds<S: Sink>(sink: &mut S, b: &[u8], fraction: &str) {
    sink.open_map();
    part(sink, "tv_sec", i64_at(b, 0), S::int);
    part(sink, fraction, i64_at(b, 8), S::int);
    sink.close_map();
}

/// Flags without names.
const NAMELESS: Names = Names { name: "", mask: 0, rows: &[] };

/// Flags by the first table of these names that exists; without one they are still a list of flags.
pub(super) fn table_flags(sink: &mut impl Sink, n: u64, tables: &[&str]) {
    sink.flags(n, tables.iter().find_map(|t| names::by_name(t)).unwrap_or(&NAMELESS));
}

/// A structure.
pub fn structure<S: Sink>(sink: &mut S, what: Struct, data: Data<'_>) {
    let arch = sink.arch();
    if data.bytes.len() < usize::from(what.row().least) {
        return sink.dump(data.bytes);
    }
    show(sink, what.layout(arch), data.bytes, data.cut);
}

/// Structures, one behind the other.
pub fn elements<S: Sink>(sink: &mut S, what: Struct, data: Data<'_>) {
    let layout = what.layout(sink.arch());
    all(sink, layout, data.bytes, usize::from(what.size()), data.cut);
}

fn all<S: Sink>(sink: &mut S, one: &'static Is, b: &[u8], width: usize, cut: bool) {
    sink.open_list();
    // A width of 0 would never end.
    let whole = b.chunks_exact(width.max(1));
    let torn = !whole.remainder().is_empty();
    for element in whole {
        sink.element();
        show(sink, one, element, false);
    }
    sink.close_list_cut(cut || torn);
}

fn members<S: Sink>(sink: &mut S, of: &'static [Member], b: &[u8], cut: bool) {
    let there = |m: &&Member| b.len() > usize::from(m.at) && b.len() - usize::from(m.at) >= m.is.width();
    if !of.iter().any(|m| there(&m)) {
        return sink.dump(b);
    }
    sink.open_map();
    for m in of.iter().filter(there) {
        let rest = b.get(usize::from(m.at)..).unwrap_or(&[]);
        if m.unless_zero && rest.iter().take(m.is.width()).all(|b| *b == 0) {
            continue;
        }
        if let Is::Far(at, bit) = m.is {
            special::far(sink, m.name, b, usize::from(at), bit, cut);
            continue;
        }
        sink.key(m.name);
        show(sink, &m.is, rest, cut);
    }
    sink.close_map();
}

/// Bytes as what they are; as bytes if they are too few for it.
pub fn show<S: Sink>(sink: &mut S, is: &'static Is, b: &[u8], cut: bool) {
    if known(sink, is, b, cut).is_none() {
        sink.dump(b);
    }
}

/// The same; nothing was written if the bytes are too few.
fn known<S: Sink>(sink: &mut S, is: &'static Is, b: &[u8], cut: bool) -> Option<()> {
    match is {
        Is::I(w) => sink.int(signed(b, *w)?),
        Is::U(w) => sink.uint(unsigned(b, *w)?),
        Is::X(w) => sink.hex(unsigned(b, *w)?),
        Is::O(w) => sink.octal(unsigned(b, *w)? as u32),
        Is::Be(w) => sink.uint(unsigned_be(b, *w)?),
        Is::Flags(w, table) => {
            let n = unsigned(b, *w)?;
            sink.flags(n, table.on(sink.arch()));
        }
        Is::Enum(w, table) => name(sink, unsigned(b, *w)?, table),
        Is::BeEnum(w, table) => name(sink, unsigned_be(b, *w)?, table),
        Is::Mode(w) => special::mode(sink, unsigned(b, *w)? as u32),
        Is::Dev => dev(sink, u64_at(b, 0)?),
        Is::MajorMinor => {
            let (major, minor) = (u32_at(b, 0)?, u32_at(b, 4)?);
            sink.word(&format!("{major}:{minor}"));
        }
        Is::Sig(w) => signal(sink, unsigned(b, *w)?),
        Is::Fd => sink.fd(i32_at(b, 0)?, None),
        Is::Errno => {
            let n = u32_at(b, 0)?;
            match names::errno(u64::from(n)) {
                Some(name) => sink.word(name),
                None => sink.int(i64::from(n as i32)),
            }
        }
        Is::Limit => match u64_at(b, 0)? {
            u64::MAX => sink.word("RLIM64_INFINITY"),
            n => sink.uint(n),
        },
        Is::Spec | Is::Val => {
            i64_at(b, 8)?;
            seconds(sink, b, if matches!(is, Is::Spec) { "tv_nsec" } else { "tv_usec" });
        }
        Is::SpecNow => match i64_at(b, 8)? {
            0x3fff_ffff => sink.word("UTIME_NOW"),
            0x3fff_fffe => sink.word("UTIME_OMIT"),
            _ => seconds(sink, b, "tv_nsec"),
        },
        Is::SpecShort => {
            let (seconds, fraction) = (i64_at(b, 0)?, u32_at(b, 8)?);
            sink.open_map();
            part(sink, "tv_sec", Some(seconds), S::int);
            part(sink, "tv_nsec", Some(u64::from(fraction)), S::uint);
            sink.close_map();
        }
        Is::Sigset => sink.sigset(u64_at(b, 0)?),
        Is::Handler => match u64_at(b, 0)? {
            0 => sink.word("SIG_DFL"),
            1 => sink.word("SIG_IGN"),
            n => sink.hex(n),
        },
        Is::Wait => special::wait_status(sink, u32_at(b, 0)?),
        Is::Siginfo => special::siginfo(sink, b)?,
        Is::Caps => special::capabilities(sink, b)?,
        Is::PerfConfig => special::perf_config(sink, b)?,
        Is::Handle => special::handle(sink, b)?,
        // Only as a member.
        Is::Far(..) => return None,
        Is::Dirents(new) => special::dirents(sink, b, *new, cut),
        Is::Bits => special::bits(sink, b, cut),
        Is::Text(n) => {
            let field = b.get(..usize::from(*n)).unwrap_or(b);
            let end = memchr::memchr(0, field);
            sink.data(text(&field[..end.unwrap_or(field.len())], cut && end.is_none()));
        }
        Is::Texts => arrays::strings(sink, text(b, cut)),
        Is::Rest => sink.data(text(b, cut)),
        Is::NumberOrBytes => match take::<4>(b, 0) {
            Some(n) if b.len() == 4 => sink.pointee(|s| s.int(i64::from(i32::from_le_bytes(n)))),
            _ => sink.data(text(b, cut)),
        },
        Is::Sockaddr(n) => arrays::sockaddr(sink, b.get(..usize::from(*n)).unwrap_or(b)),
        Is::Ip4 => ip(sink, Ipv4Addr::from(take::<4>(b, 0)?).into()),
        Is::Ip6 => ip(sink, Ipv6Addr::from(take::<16>(b, 0)?).into()),
        Is::Quota => special::quota(sink, u32_at(b, 0)?),
        Is::FutexOp => special::futex_op(sink, u32_at(b, 0)?),
        Is::Of(list) => members(sink, list, b, cut),
        Is::List(one, count) => {
            let width = one.width();
            let b = b.get(..width.checked_mul(usize::from(*count))?)?;
            all(sink, one, b, width, false);
        }
        Is::All(one) => all(sink, one, b, one.width(), cut),
        Is::At(one) => {
            if b.len() < one.width() {
                return None;
            }
            sink.pointee(|s| show(s, one, b, cut));
        }
    }
    Some(())
}

fn ip(sink: &mut impl Sink, ip: IpAddr) {
    let mut out = Vec::new();
    super::number::ip(&mut out, ip);
    sink.word(&String::from_utf8_lossy(&out));
}

/// What a pointer to a number points to.
pub fn pointed_number(is: &Is, b: &[u8]) -> Option<i64> {
    match is {
        Is::At(one) => pointed_number(one, b),
        Is::I(w) => signed(b, *w),
        Is::U(w) | Is::X(w) | Is::Flags(w, _) | Is::Enum(w, _) => i64::try_from(unsigned(b, *w)?).ok(),
        Is::Fd | Is::Errno | Is::Wait => i32_at(b, 0).map(i64::from),
        Is::Of([one]) if one.at == 0 => pointed_number(&one.is, b),
        Is::NumberOrBytes if b.len() == 4 => i32_at(b, 0).map(i64::from),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
