//! Messages, their control messages, joined data and sets of descriptors: items in a layout of our own.
//!
//! Enters: items as [`crate::schema::item`] describes them, perhaps cut, perhaps made up. Leaves: their parts, through a
//! [`Sink`]. Never: an index that is not checked; what does not fit is shown as its bytes.

use super::arrays::sockaddr;
use super::sink::Sink;
use super::structs::{Data, i32_at, part, table_flags, u32_at, u64_at};
use crate::schema::item::{
    CONTROL_UNREADABLE, DATA_AT_LEAST, DATA_TOTAL, DATA_UNREADABLE, MESSAGE, NAME_UNREADABLE, SET_NONE,
};
use crate::schema::names;

/// One message.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    word: u64,
    name: &'a [u8],
    control: &'a [u8],
    control_len: u64,
    flags: u32,
    len: u32,
    /// The data; `None` if nothing of it could be read.
    pub data: Option<Data<'a>>,
}

/// Data behind its word; `None` if nothing of it could be read.
fn under(word: u64, bytes: &[u8]) -> Option<Data<'_>> {
    let total = word & DATA_TOTAL;
    let unreadable = word & DATA_UNREADABLE != 0;
    if unreadable && bytes.is_empty() {
        return None;
    }
    let at_least = word & DATA_AT_LEAST != 0;
    let cut = unreadable || at_least || (bytes.len() as u64) < total;
    Some(Data { bytes, cut, total: (!at_least).then_some(total) })
}

/// The joined data of an iovec array; `None` if there is no such thing in the bytes, `Some(None)` if it was unreadable.
pub fn joined(bytes: &[u8]) -> Option<Option<Data<'_>>> {
    let (head, rest) = bytes.split_at_checked(8)?;
    Some(under(u64_at(head, 0)?, rest))
}

impl<'a> Message<'a> {
    /// Takes the next message off the front.
    pub fn take(rest: &mut &'a [u8]) -> Option<Message<'a>> {
        let (head, tail) = rest.split_at_checked(MESSAGE)?;
        let at = |i| u32_at(head, i);
        let (word, control_len) = (u64_at(head, 0)?, u64_at(head, 32)?);
        let (name, tail) = tail.split_at_checked(at(16)? as usize)?;
        let (control, tail) = tail.split_at_checked(at(24)? as usize)?;
        let (data, tail) = tail.split_at_checked(at(8)? as usize)?;
        *rest = tail;
        let data = under(word, data);
        Some(Message { word, name, control, control_len, flags: at(28)?, len: at(12)?, data })
    }

    fn parts<S: Sink>(&self, sink: &mut S) {
        if self.word & NAME_UNREADABLE != 0 {
            sink.key("name");
            sink.unreadable(0);
        } else if !self.name.is_empty() {
            sink.key("name");
            sockaddr(sink, self.name);
        }
        sink.key("data");
        match self.data {
            Some(data) => sink.data(data),
            None => sink.unreadable(0),
        }
        if self.word & CONTROL_UNREADABLE != 0 {
            sink.key("control");
            sink.unreadable(0);
        } else if self.control_len > 0 {
            sink.key("control");
            control(sink, self.control, self.control_len);
        }
        if self.flags != 0 {
            sink.key("flags");
            table_flags(sink, u64::from(self.flags), &["msg"]);
        }
    }
}

/// The text of a `struct msgbuf`, whose length counts the text alone.
pub fn text(data: Data<'_>) -> Option<Data<'_>> {
    Some(Data { bytes: data.bytes.get(8..)?, ..data })
}

/// A `struct msgbuf`.
pub fn msgbuf<S: Sink>(sink: &mut S, data: Data<'_>) {
    let (Some(kind), Some(text)) = (u64_at(data.bytes, 0), text(data)) else { return sink.dump(data.bytes) };
    sink.open_map();
    sink.key("mtype");
    sink.int(kind as i64);
    sink.key("mtext");
    sink.data(text);
    sink.close_map();
}

/// A `struct msghdr`.
pub fn msghdr<S: Sink>(sink: &mut S, data: Data<'_>) {
    let Some(message) = Message::take(&mut { data.bytes }) else { return sink.dump(data.bytes) };
    sink.open_map();
    message.parts(sink);
    sink.close_map();
}

/// An array of `struct mmsghdr`, of which this many were sent or received.
pub fn mmsghdrs<S: Sink>(sink: &mut S, data: Data<'_>, done: u64) {
    let mut rest = data.bytes;
    let mut n = 0u64;
    sink.open_list();
    while !rest.is_empty() {
        sink.element();
        let Some(message) = Message::take(&mut rest) else {
            sink.dump(rest);
            break;
        };
        sink.open_map();
        message.parts(sink);
        part(sink, "len", Some(message.len).filter(|_| n < done), |s, n| s.uint(u64::from(n)));
        sink.close_map();
        n += 1;
    }
    sink.close_list_cut(data.cut);
}

const SOL_SOCKET: i32 = 1;

/// Control messages: `struct cmsghdr` is {size_t len, int level, int type}, and the next begins at a multiple of 8.
fn control<S: Sink>(sink: &mut S, bytes: &[u8], total: u64) {
    const HEAD: usize = 16;
    let mut cut = (bytes.len() as u64) < total;
    let mut rest = bytes;
    sink.open_list();
    while let (Some(len), Some(level), Some(kind)) = (u64_at(rest, 0), i32_at(rest, 8), i32_at(rest, 12)) {
        // The kernel takes no shorter one; what follows it cannot be found.
        let Some(body) = usize::try_from(len).ok().and_then(|n| n.checked_sub(HEAD)) else {
            sink.element();
            sink.dump(rest);
            rest = &[];
            break;
        };
        let whole = rest.get(HEAD..).unwrap_or_default();
        let data = whole.get(..body).unwrap_or(whole);
        let torn = data.len() < body;
        cut |= torn;
        sink.element();
        sink.open_map();
        sink.key("level");
        super::structs::name(sink, level as u64, names::by_name("sol").unwrap_or(&names::SIGNAL));
        sink.key("type");
        match (level, kind) {
            (SOL_SOCKET, 1) => {
                sink.word("SCM_RIGHTS");
                sink.key("fds");
                sink.open_list();
                for fd in data.as_chunks().0 {
                    sink.element();
                    sink.fd(i32::from_le_bytes(*fd), None);
                }
                sink.close_list_cut(torn);
            }
            (SOL_SOCKET, 2) => {
                sink.word("SCM_CREDENTIALS");
                part(sink, "pid", i32_at(data, 0), |s, n| s.int(i64::from(n)));
                part(sink, "uid", u32_at(data, 4), |s, n| s.uint(u64::from(n)));
                part(sink, "gid", u32_at(data, 8), |s, n| s.uint(u64::from(n)));
            }
            _ => {
                match (level, kind) {
                    (SOL_SOCKET, 3) => sink.word("SCM_SECURITY"),
                    (SOL_SOCKET, 4) => sink.word("SCM_PIDFD"),
                    (SOL_SOCKET, 29) => sink.word("SO_TIMESTAMP"),
                    (SOL_SOCKET, 35) => sink.word("SO_TIMESTAMPNS"),
                    (SOL_SOCKET, 37) => sink.word("SO_TIMESTAMPING"),
                    (0, 8) => sink.word("IP_PKTINFO"),
                    (0, 2) => sink.word("IP_TTL"),
                    (0, 1) => sink.word("IP_TOS"),
                    (0, 11) => sink.word("IP_RECVERR"),
                    (41, 50) => sink.word("IPV6_PKTINFO"),
                    (41, 52) => sink.word("IPV6_HOPLIMIT"),
                    (41, 67) => sink.word("IPV6_TCLASS"),
                    _ => sink.int(i64::from(kind)),
                }
                sink.key("len");
                sink.uint(body as u64);
                sink.key("data");
                sink.dump(data);
            }
        }
        sink.close_map();
        rest = body.checked_next_multiple_of(8).and_then(|n| whole.get(n..)).unwrap_or_default();
    }
    // Less than a head is left: of the last one only a part was copied, or it was never there.
    sink.close_list_cut(cut || !rest.is_empty());
}

/// An `fd_set`: what was asked, and what is ready.
pub fn fd_set<S: Sink>(sink: &mut S, data: Data<'_>) {
    let (Some(before), Some(after)) = (i32_at(data.bytes, 0), i32_at(data.bytes, 4)) else {
        return sink.dump(data.bytes);
    };
    let mut rest = data.bytes.get(8..).unwrap_or_default();
    sink.open_map();
    for (key, len) in [("requested", before), ("ready", after)] {
        if len == SET_NONE {
            continue;
        }
        sink.key(key);
        match usize::try_from(len).ok().and_then(|n| rest.split_at_checked(n)) {
            Some((set, tail)) => {
                rest = tail;
                fds(sink, set, data.cut);
            }
            None => sink.unreadable(0),
        }
    }
    sink.close_map();
}

fn fds<S: Sink>(sink: &mut S, set: &[u8], cut: bool) {
    sink.open_list();
    for (i, byte) in set.iter().enumerate() {
        for bit in (0..8).filter(|bit| byte >> bit & 1 == 1) {
            sink.element();
            sink.uint(i as u64 * 8 + bit);
        }
    }
    sink.close_list_cut(cut);
}

/// The bytes at the front, for tests.
#[cfg(test)]
pub fn message_bytes(word: u64, name: &[u8], control: &[u8], data: &[u8], flags: u32) -> Vec<u8> {
    let mut b = word.to_le_bytes().to_vec();
    let n = |b: &mut Vec<u8>, n: usize| b.extend_from_slice(&(n as u32).to_le_bytes());
    n(&mut b, data.len());
    n(&mut b, 7);
    n(&mut b, name.len());
    n(&mut b, name.len());
    n(&mut b, control.len());
    b.extend_from_slice(&flags.to_le_bytes());
    b.extend_from_slice(&(control.len() as u64).to_le_bytes());
    [&b, name, control, data].concat()
}
