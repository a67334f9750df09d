//! Records of the ring, as typed parts.
//!
//! Enters: the bytes of one record. Leaves: its head, words, items and fact, each bounds-checked against what is there.
//! Never: a name, state, memory of its own. The probe is ours, but what it copied is the traced side's: a length is
//! believed only as far as the record goes.

use crate::source::abi;

/// One record.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// Number of the call, or one of `abi::REC_*`.
    pub code: u16,
    /// `abi::F_*`.
    pub flags: u16,
    /// End of the call, boot clock, ns.
    pub time: u64,
    /// Number of this record on its CPU.
    pub seq: u32,
    /// Thread.
    pub tid: u32,
    /// Process.
    pub pid: u32,
    /// Entry to exit; `u64::MAX` if not known.
    pub latency: u64,
    /// Result.
    pub ret: i64,
    /// Process of the parent when the record was made, initial pid namespace; 0 if there is none.
    pub parent: u32,
    fact: u8,
    items: u8,
    words: &'a [u8],
    rest: &'a [u8],
}

/// The bytes of one argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RawItem<'a> {
    /// There was nothing to copy.
    Absent,
    /// The memory could not be read.
    Unreadable,
    /// The bytes, and whether more existed.
    Bytes(&'a [u8], bool),
    /// The bytes are in the record of the call's entry.
    Entry,
}

/// What the kernel told about the outcome of a call.
#[derive(Clone, Copy, Debug)]
pub enum Fact<'a> {
    /// Nothing.
    None,
    /// A path, by its inode and the names from leaf to root.
    Path(Path<'a>),
    /// A socket.
    Sock(Sock<'a>),
    /// What a send made of its socket.
    Sent(Sent),
    /// New credentials.
    Creds(Creds),
    /// Descriptors that were made or came.
    Got(Gots<'a>),
}

/// See [`abi::SentFact`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields of abi::SentFact")]
pub struct Sent {
    pub ino: u64,
    pub family: u16,
    pub lport: u16,
    pub port: u32,
}

/// A descriptor, and what the kernel says it is.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs, reason = "the fields of abi::Got")]
pub struct Got<'a> {
    pub fd: u32,
    /// See [`Record::slot`].
    pub id: u64,
    pub cloexec: bool,
    /// Its path, which a socket has not.
    pub path: Path<'a>,
    /// If it is a socket: which.
    pub sock: Option<Sock<'a>>,
}

/// A list of descriptors.
#[derive(Clone, Copy, Debug)]
pub struct Gots<'a>(&'a [u8]);

impl<'a> Iterator for Gots<'a> {
    type Item = Got<'a>;
    fn next(&mut self) -> Option<Got<'a>> {
        let mut c = Cursor(self.0);
        let ino = c.u64()?;
        let (dev, mode, fd, flags, id) = (c.u32()?, c.u32()?, c.u32()?, c.u32()?, c.u64()?);
        let (len, status) = (c.u32()?, c.u32()?);
        let path = Path { ino, dev, mode, status, names: c.padded(len as usize)? };
        let sock = if flags & abi::GOT_SOCK != 0 { c.sock() } else { None };
        self.0 = c.0;
        Some(Got { fd, id, cloexec: flags & abi::GOT_CLOEXEC != 0, path, sock })
    }
}

/// A path as the kernel walked it.
#[derive(Clone, Copy, Debug)]
pub struct Path<'a> {
    /// Inode number.
    pub ino: u64,
    /// Device of the file system, kernel encoding.
    pub dev: u32,
    /// Mode with type; 0 if not known.
    pub mode: u32,
    /// `abi::PATH_*`.
    pub status: u32,
    names: &'a [u8],
}

impl Path<'_> {
    /// Writes the path, root first.
    pub fn write(&self, out: &mut Vec<u8>) {
        if self.status == abi::PATH_DEEP {
            out.extend_from_slice(b"...");
        }
        let names = self.names.strip_suffix(b"\0").unwrap_or(self.names);
        if names.is_empty() {
            out.push(b'/');
        }
        for name in names.rsplit(|b| *b == 0).filter(|n| !n.is_empty()) {
            out.push(b'/');
            if name != b"/" {
                out.extend_from_slice(name);
            }
        }
    }

    /// The name of what has no directory: an anonymous file.
    pub fn alone(&self) -> Option<&[u8]> {
        let name = self.names.strip_suffix(b"\0").unwrap_or(self.names);
        match name {
            // Of a directory the root of its mount; else what d_alloc_anon (fs/dcache.c) calls it.
            b"/" | b"" if self.mode & 0o170000 == 0o040000 => None,
            b"/" if self.status == abi::PATH_FOREIGN => Some(b""),
            _ => (self.status == abi::PATH_FOREIGN && !name.contains(&0)).then_some(name),
        }
    }
}

/// A socket as the kernel has it.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs, reason = "the fields of abi::SockFact")]
pub struct Sock<'a> {
    pub ino: u64,
    pub family: u16,
    pub ty: u16,
    pub protocol: u16,
    pub lport: u16,
    pub rport: u16,
    pub state: u16,
    pub laddr: [u8; 16],
    pub raddr: [u8; 16],
    /// Own unix name.
    pub lname: &'a [u8],
    /// The peer's unix name.
    pub rname: &'a [u8],
}

/// Credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields of abi::CredFact")]
pub struct Creds {
    pub uid: u32,
    pub gid: u32,
    pub euid: u32,
    pub egid: u32,
    /// Those of another user namespace than the host's.
    pub elsewhere: bool,
}

/// A new thread or process.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs, reason = "the fields of abi::Fork")]
pub struct Fork<'a> {
    pub tid: u32,
    pub pid: u32,
    pub start: u64,
    pub shares: u32,
    pub parent: u32,
    pub group: u64,
    pub table: Option<Numbers<'a>>,
}

/// What the descriptors of a new process are.
#[derive(Clone, Copy, Debug)]
pub struct Numbers<'a> {
    /// How many numbers the table has.
    pub max: u64,
    files: &'a [u8],
    bits: &'a [u8],
}

impl Numbers<'_> {
    /// How many are told.
    pub fn told(&self) -> u32 {
        (self.files.len() / 8) as u32
    }

    /// Each that is open: its number, the identity of its file ([`Record::slot`]), and whether exec closes it.
    pub fn open(&self) -> impl Iterator<Item = (u32, u64, bool)> {
        let files = self.files.as_chunks().0.iter().map(|b| u64::from_le_bytes(*b));
        files.enumerate().filter(|(_, id)| *id != 0).map(|(n, id)| {
            let bits = self.bits.get(n / 8).copied().unwrap_or(0);
            (n as u32, id, bits >> (n % 8) & 1 != 0)
        })
    }
}

/// A control group that is new, or that a task was moved into.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs, reason = "the fields of abi::Group")]
pub struct Group<'a> {
    pub id: u64,
    pub hierarchy: u32,
    /// Its path in that hierarchy.
    pub path: RawItem<'a>,
}

/// A new program.
#[derive(Clone, Copy, Debug)]
pub struct Exec<'a> {
    /// Credentials after it.
    pub creds: Creds,
    /// Thread id before it.
    pub old_tid: u32,
    /// Number of the call that it came by; `u32::MAX` if that is not known.
    pub nr: u32,
    /// Variables of its environment.
    pub envc: u32,
    /// The executable.
    pub exe: Path<'a>,
    /// The path as given.
    pub path: RawItem<'a>,
    /// The arguments, each NUL-terminated.
    pub args: RawItem<'a>,
    /// The environment, likewise, if it was asked for.
    pub env: RawItem<'a>,
    /// The new name.
    pub comm: RawItem<'a>,
}

/// The end of a thread.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs, reason = "the fields of abi::Exit")]
pub struct Exit {
    pub code: u32,
    pub group_code: u32,
    pub last: bool,
    pub nr: u32,
}

/// Reads little-endian numbers from the front of a slice.
struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn take(&mut self, n: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(n)?;
        self.0 = rest;
        Some(head)
    }
    fn u16(&mut self) -> Option<u16> {
        Some(u16::from_le_bytes(self.take(2)?.try_into().ok()?))
    }
    fn u32(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.take(4)?.try_into().ok()?))
    }
    fn u64(&mut self) -> Option<u64> {
        Some(u64::from_le_bytes(self.take(8)?.try_into().ok()?))
    }
    /// Bytes and what pads them to a multiple of 8.
    fn padded(&mut self, n: usize) -> Option<&'a [u8]> {
        let all = self.take(n.checked_next_multiple_of(8)?)?;
        all.get(..n)
    }
    fn item(&mut self) -> Option<RawItem<'a>> {
        let (len, status) = (self.u32()? as usize, self.u32()?);
        Some(match status {
            abi::ITEM_OK => RawItem::Bytes(self.padded(len)?, false),
            abi::ITEM_CUT => RawItem::Bytes(self.padded(len)?, true),
            abi::ITEM_UNREADABLE => {
                // Bytes before the fault may have been written; they are not shown.
                self.padded(len)?;
                RawItem::Unreadable
            }
            abi::ITEM_ENTRY => {
                self.padded(len)?;
                RawItem::Entry
            }
            _ => {
                self.padded(len)?;
                RawItem::Absent
            }
        })
    }
    fn path(&mut self) -> Option<Path<'a>> {
        let ino = self.u64()?;
        let (dev, mode, len, status) = (self.u32()?, self.u32()?, self.u32()?, self.u32()?);
        Some(Path { ino, dev, mode, status, names: self.padded(len as usize)? })
    }
    fn numbers(&mut self) -> Option<Numbers<'a>> {
        let max = self.u64()?;
        let n = max.min(u64::from(abi::FORK_FDS)) as usize;
        Some(Numbers { max, files: self.take(n * 8)?, bits: self.take(n / 8)? })
    }
    fn creds(&mut self) -> Option<Creds> {
        let (uid, gid, euid, egid) = (self.u32()?, self.u32()?, self.u32()?, self.u32()?);
        let (users, _) = (self.u32()?, self.u32()?);
        Some(Creds { uid, gid, euid, egid, elsewhere: users != 0 })
    }
    fn sent(&mut self) -> Option<Sent> {
        let (ino, family, lport, port) = (self.u64()?, self.u16()?, self.u16()?, self.u32()?);
        (ino != 0).then_some(Sent { ino, family, lport, port })
    }

    fn sock(&mut self) -> Option<Sock<'a>> {
        let ino = self.u64()?;
        let (family, ty, protocol, lport) = (self.u16()?, self.u16()?, self.u16()?, self.u16()?);
        let (rport, state, ok) = (self.u16()?, self.u16()?, self.u32()?);
        let laddr = self.take(16)?.try_into().ok()?;
        let raddr = self.take(16)?.try_into().ok()?;
        let (llen, rlen) = (self.u32()? as usize, self.u32()? as usize);
        let lname = self.take(112)?.get(..llen)?;
        let rname = self.take(112)?.get(..rlen)?;
        (ok == 1).then_some(Sock {
            ino,
            family,
            ty,
            protocol,
            lport,
            rport,
            state,
            laddr,
            raddr,
            lname,
            rname,
        })
    }
}

impl<'a> Record<'a> {
    /// The record in these bytes; `None` if they are too short to be one.
    pub fn parse(bytes: &'a [u8]) -> Option<Record<'a>> {
        let head: &[u8; abi::HEAD as usize] = bytes.first_chunk()?;
        // The whole head at once: one test of the length for all of it.
        let word = |n: usize| u64::from_le_bytes(std::array::from_fn(|i| head[n * 8 + i]));
        let (first, time, ids, more) = (word(0), word(1), word(2), word(3));
        let (len, code, flags) = (first as u16, (first >> 16) as u16, (first >> 32) as u16);
        let counts = (first >> 48) as u16;
        let (seq, tid) = (ids as u32, (ids >> 32) as u32);
        let (pid, fact) = (more as u32, (more >> 32) as u32);
        let (latency, ret) = (word(4), word(5) as i64);
        let body = bytes.get(abi::HEAD as usize..usize::from(len) * 8)?;
        let (words, rest) = body.split_at_checked(usize::from(counts & 0xff) * 8)?;
        let items = (counts >> 8) as u8;
        let (parent, fact) = (fact >> abi::FACT_BITS, fact as u8);
        Some(Record { code, flags, time, seq, tid, pid, latency, ret, parent, fact, items, words, rest })
    }

    /// Appends the bytes of a record that has these words, the items of another, and all else of this one: of an operation
    /// that is told in two records.
    pub fn with_call(&self, words: &[u64], items: Option<&Record>, latency: Option<u64>, out: &mut Vec<u8>) {
        let count = items.map_or(0, |r| r.items);
        let items = items.map_or(&[][..], |r| r.rest);
        let bytes = abi::HEAD as usize + words.len() * 8 + items.len() + self.rest.len();
        // More than a record's length can say: none is so long, but they come from elsewhere.
        let len = u16::try_from(bytes.div_ceil(8)).unwrap_or(0);
        let counts = words.len() as u64 & 0xff | u64::from(count) << 8;
        let head = [
            u64::from(len) | u64::from(self.code) << 16 | u64::from(self.flags) << 32 | counts << 48,
            self.time,
            u64::from(self.seq) | u64::from(self.tid) << 32,
            u64::from(self.pid) | u64::from(self.parent << abi::FACT_BITS | u32::from(self.fact)) << 32,
            latency.unwrap_or(u64::MAX),
            self.ret as u64,
        ];
        out.extend(head.iter().chain(words).flat_map(|word| word.to_le_bytes()));
        out.extend_from_slice(items);
        out.extend_from_slice(self.rest);
    }

    /// Word N; 0 if the record has none.
    pub fn word(&self, n: usize) -> u64 {
        self.words.get(n * 8..n * 8 + 8).and_then(|b| b.try_into().ok()).map_or(0, u64::from_le_bytes)
    }

    /// All words.
    pub fn words(&self) -> impl Iterator<Item = u64> + use<'a> {
        self.words.as_chunks().0.iter().map(|b| u64::from_le_bytes(*b))
    }

    /// Item N, counted in the order of the plan.
    pub fn item(&self, n: usize) -> RawItem<'a> {
        self.items().nth(n).unwrap_or(RawItem::Absent)
    }

    /// Items in the order of the plan.
    pub fn items(&self) -> impl Iterator<Item = RawItem<'a>> + use<'a> {
        let mut c = Cursor(self.rest);
        (0..self.items).map_while(move |_| c.item())
    }

    /// When the call began, if that is known.
    pub fn entry(&self) -> Option<u64> {
        (self.latency != u64::MAX).then(|| self.time.saturating_sub(self.latency))
    }

    /// What the kernel told.
    pub fn fact(&self) -> Fact<'a> {
        if self.fact == abi::FACT_NONE {
            return Fact::None;
        }
        let mut c = Cursor(self.rest);
        for _ in 0..self.items {
            if c.item().is_none() {
                return Fact::None;
            }
        }
        let fact = match self.fact {
            abi::FACT_OPENED | abi::FACT_CWD => {
                c.path().filter(|p| p.status != abi::PATH_GONE).map(Fact::Path)
            }
            abi::FACT_SOCK | abi::FACT_ACCEPTED => c.sock().map(Fact::Sock),
            abi::FACT_CREDS => c.creds().map(Fact::Creds),
            abi::FACT_SENT => c.sent().map(Fact::Sent),
            abi::FACT_PIPE | abi::FACT_PAIR | abi::FACT_RECEIVED | abi::FACT_RECEIVED_ALL => {
                c.u64().and_then(|n| c.take(usize::try_from(n).ok()?)).map(|b| Fact::Got(Gots(b)))
            }
            _ => None,
        };
        fact.unwrap_or(Fact::None)
    }

    /// The identity of what the call's number means in the end, 0 if that is nothing; if the kernel was asked.
    pub fn slot(&self) -> Option<u64> {
        let last = if self.flags & abi::F_SLOT != 0 { self.rest.last_chunk::<8>() } else { None };
        last.map(|b| u64::from_le_bytes(*b))
    }

    /// Whether exec closes that, as the kernel has it: with [`Record::slot`].
    pub fn cloexec(&self) -> Option<bool> {
        (self.flags & abi::F_SLOT != 0).then_some(self.flags & abi::F_CLOEXEC != 0)
    }

    /// The body of a fork record.
    pub fn fork(&self) -> Option<Fork<'a>> {
        let mut c = Cursor(self.rest);
        let (tid, pid, start, shares, parent) = (c.u32()?, c.u32()?, c.u64()?, c.u32()?, c.u32()?);
        let group = c.u64()?;
        let table = if shares & abi::FORK_TABLE != 0 { c.numbers() } else { None };
        Some(Fork { tid, pid, start, shares, parent, group, table })
    }

    /// The body of a record of a control group.
    pub fn group(&self) -> Option<Group<'a>> {
        let mut c = Cursor(self.rest);
        let (id, hierarchy, _) = (c.u64()?, c.u32()?, c.u32()?);
        Some(Group { id, hierarchy, path: c.item()? })
    }

    /// The body of an exec record.
    pub fn exec(&self) -> Option<Exec<'a>> {
        let mut c = Cursor(self.rest);
        let creds = c.creds()?;
        let (old_tid, nr, envc, _) = (c.u32()?, c.u32()?, c.u32()?, c.u32()?);
        Some(Exec {
            creds,
            old_tid,
            nr,
            envc,
            exe: c.path()?,
            path: c.item()?,
            args: c.item()?,
            env: c.item()?,
            comm: c.item()?,
        })
    }

    /// The body of an exit record.
    pub fn exit(&self) -> Option<Exit> {
        let mut c = Cursor(self.rest);
        Some(Exit { code: c.u32()?, group_code: c.u32()?, last: c.u32()? != 0, nr: c.u32()? })
    }

    /// The body of a rename record.
    pub fn name(&self) -> Option<RawItem<'a>> {
        Cursor(self.rest).item()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(len: u16, code: u16, counts: u16, fact: u32) -> Vec<u8> {
        let mut b = Vec::new();
        for v in [len / 8, code, 0, counts] {
            b.extend_from_slice(&v.to_le_bytes());
        }
        b.extend_from_slice(&7u64.to_le_bytes());
        for v in [1u32, 2, 3, fact] {
            b.extend_from_slice(&v.to_le_bytes());
        }
        b.extend_from_slice(&u64::MAX.to_le_bytes());
        b.extend_from_slice(&(-2i64).to_le_bytes());
        b
    }

    #[test]
    fn words_items_and_fact_are_found() {
        let mut b = head(48 + 8 + 16 + 32, 257, 0x0101, u32::from(abi::FACT_CWD));
        b.extend_from_slice(&9u64.to_le_bytes());
        b.extend_from_slice(&[3, 0, 0, 0, 3, 0, 0, 0, b'a', b'b', b'c', 0, 0, 0, 0, 0]);
        b.extend_from_slice(&5u64.to_le_bytes());
        for v in [8u32, 0o40755, 8, 0] {
            b.extend_from_slice(&v.to_le_bytes());
        }
        b.extend_from_slice(b"cd\0ab\0\0\0");
        let r = Record::parse(&b).expect("a record");
        assert_eq!((r.word(0), r.word(1), r.ret, r.entry()), (9, 0, -2, None));
        assert_eq!(r.item(0), RawItem::Bytes(b"abc", true));
        assert_eq!(r.item(1), RawItem::Absent);
        let Fact::Path(p) = r.fact() else { panic!("a path") };
        let mut out = Vec::new();
        p.write(&mut out);
        assert_eq!((p.ino, out.as_slice()), (5, &b"/ab/cd"[..]));
    }

    #[test]
    fn any_bytes_are_survived() {
        use proptest::prelude::*;
        proptest!(|(bytes in proptest::collection::vec(any::<u8>(), 0..600))| {
            if let Some(r) = Record::parse(&bytes) {
                let _ = (r.items().count(), r.fact(), r.fork(), r.exec(), r.exit(), r.name(), r.group(), r.word(5));
            }
        });
    }

    #[test]
    fn a_cut_record_is_no_record() {
        let b = head(200, 1, 0, 0);
        assert!(Record::parse(&b).is_none());
        assert!(Record::parse(&b[..20]).is_none());
    }
}
