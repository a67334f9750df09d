//! What an argument *is*: the kinds.
//!
//! Enters: nothing; this is a table of types. Leaves: for each kind, which raw register word it has, which bytes the
//! probe copies for it (an *item*), and whether it names a descriptor (a *reference*). Never: rendering, reading memory.
//!
//! A kind is also a word in the schema block of a reel ([`Kind::to_text`], [`Kind::from_text`]), so its spelling is part
//! of the file format: append, never rename.

use super::choice::{Choice, Copied};
use super::choices;
use super::names::{self, Names};
use super::structs::{self, Struct};

/// Where the length of a counted thing is found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Len {
    /// In the register of argument N (0 to 5), counted in the kind's unit.
    Arg(u8),
    /// In the call's result.
    Ret,
    /// In the call's result, but no more than argument N says: some calls tell what they would have written.
    Within(u8),
    /// Argument N points to a `u32` that holds it (`accept`'s `addrlen`).
    At(u8),
}

impl Len {
    /// The spelling in a reel's schema block.
    pub fn to_text(self) -> String {
        match self {
            Len::Arg(n) => format!("arg{n}"),
            Len::Ret => "ret".to_string(),
            Len::Within(n) => format!("within{n}"),
            Len::At(n) => format!("at{n}"),
        }
    }

    fn from_text(text: &str) -> Option<Len> {
        if text == "ret" {
            return Some(Len::Ret);
        }
        type Form = (&'static str, fn(u8) -> Len);
        const FORMS: [Form; 3] = [("arg", Len::Arg), ("at", Len::At), ("within", Len::Within)];
        let (digits, make) = FORMS.iter().find_map(|(p, make)| Some((text.strip_prefix(p)?, make)))?;
        digits.parse().ok().filter(|n| *n < 6).map(make)
    }
}

/// What one argument of a call is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    // --- one register word, nothing copied ---
    /// A signed number (`int` arguments are sign-extended from 32 bits when rendered).
    Int,
    /// A signed 64-bit number.
    Long,
    /// An unsigned 32-bit number.
    UInt,
    /// An address, or a word that nobody has described yet.
    Hex,
    /// A number of bytes.
    Size,
    /// A file offset.
    Offset,
    /// A file descriptor: one reference.
    Fd,
    /// A directory descriptor or AT_FDCWD: one reference.
    DirFd,
    /// Bits with names.
    Flags(&'static Names),
    /// A number with names.
    Enum(&'static Names),
    /// Permission bits, octal.
    Mode,
    /// A device number, as the `dev_t` that user space sees.
    Dev,
    /// A process or thread id.
    Pid,
    /// A user id.
    Uid,
    /// A group id.
    Gid,
    /// A signal number.
    Signal,
    // --- one register word, and bytes copied from where it points: one item ---
    /// A NUL-terminated path, relative to the DirFd argument just before it, or to the working directory.
    Path,
    /// Another NUL-terminated string.
    Str,
    /// A buffer; the length in bytes.
    Bytes(Len),
    /// A `struct sockaddr` of that length.
    Sockaddr(Len),
    /// An iovec array with that many elements; the item is a data word ([`super::item`]) and the data, joined, cut at
    /// the snaplen.
    Iovec(Len),
    /// A `struct msghdr`; the item is a message ([`super::item`]).
    Msghdr,
    /// An array of `struct mmsghdr` with that many elements; the item is as many messages.
    Mmsghdr(Len),
    /// An `fd_set` with that many bits; the item is `i32` bytes before the call, `i32` bytes after it (-1: unreadable,
    /// -2: none), and those bytes.
    FdSet(Len),
    /// An array of `struct pollfd` with that many elements.
    Pollfds(Len),
    /// An array of `struct epoll_event` with that many elements.
    EpollEvents(Len),
    /// A NULL-terminated array of strings (argv); the item is the strings, each NUL-terminated.
    Strings,
    /// The same of `NAME=value`; the item is how many there are (`u32`, all ones if not known), then those that were copied:
    /// none unless they were asked for.
    Environment,
    /// A `struct msgbuf` of System V with so many bytes of text behind its type (`long`).
    Msgbuf(Len),
    /// A byte for each page of so many bytes: whether it is in memory.
    Pages(Len),
    /// An array of that many pointers to structures; the item is the first of those.
    Pointers(Struct, Len),
    /// A structure of fixed size.
    Struct(Struct),
    /// A structure (or what fills a buffer) of that length in bytes, which may be shorter or longer than we know it.
    Sized(Struct, Len),
    /// That many structures.
    Array(Struct, Len),
    // --- one register word, and perhaps bytes copied from where it might point ---
    /// What another argument says.
    By(&'static Choice),
    /// Something that a later version wrote: a word, perhaps with an item or a reference, shown raw.
    Unknown {
        /// It has an item.
        item: bool,
        /// It has this many references.
        refs: u8,
    },
}

impl Kind {
    /// True if the probe copies bytes for it: the row then has an item for this argument.
    pub const fn has_item(self) -> bool {
        match self {
            Kind::Int
            | Kind::Long
            | Kind::UInt
            | Kind::Hex
            | Kind::Size
            | Kind::Offset
            | Kind::Fd
            | Kind::DirFd
            | Kind::Flags(_)
            | Kind::Enum(_)
            | Kind::Mode
            | Kind::Dev
            | Kind::Pid
            | Kind::Uid
            | Kind::Gid
            | Kind::Signal => false,
            Kind::Path
            | Kind::Str
            | Kind::Bytes(_)
            | Kind::Sockaddr(_)
            | Kind::Iovec(_)
            | Kind::Msghdr
            | Kind::Mmsghdr(_)
            | Kind::FdSet(_)
            | Kind::Pollfds(_)
            | Kind::EpollEvents(_)
            | Kind::Strings
            | Kind::Environment
            | Kind::Msgbuf(_)
            | Kind::Pages(_)
            | Kind::Pointers(..)
            | Kind::Struct(_)
            | Kind::Sized(..)
            | Kind::Array(..) => true,
            Kind::By(choice) => !matches!(choice.copied, Copied::Nothing),
            Kind::Unknown { item, .. } => item,
        }
    }

    /// How many descriptors it names.
    pub const fn refs(self) -> u8 {
        match self {
            Kind::Fd | Kind::DirFd => 1,
            Kind::Struct(Struct::FdPair) => 2,
            Kind::Unknown { refs, .. } => refs,
            _ => 0,
        }
    }

    /// What it is, in a few words for the listing and the manual.
    pub fn doc(self) -> String {
        let text = match self {
            Kind::Int | Kind::Long => "a signed number",
            Kind::UInt => "an unsigned number",
            Kind::Hex => "an address or raw bits",
            Kind::Size => "a number of bytes",
            Kind::Offset => "a file offset",
            Kind::Fd => "a file descriptor, with what it refers to",
            Kind::DirFd => "a directory's descriptor, or AT_FDCWD for the working directory",
            Kind::Flags(_) => "bits with names",
            Kind::Enum(_) => "a number with names",
            Kind::Mode => "permission bits, octal, with the type of file if there is one",
            Kind::Dev => "a device number, major:minor",
            Kind::Pid => "a process or thread id",
            Kind::Uid => "a user id",
            Kind::Gid => "a group id",
            Kind::Signal => "a signal",
            Kind::Path => {
                "a path as given; relative to the directory just before it, or to the working directory"
            }
            Kind::Str => "a string",
            Kind::Bytes(_) => "a buffer, up to the snap length",
            Kind::Sockaddr(_) => "an address of a socket",
            Kind::Iovec(_) => "the data of several buffers, joined, up to the snap length",
            Kind::Msghdr => "a message: address, control messages, data, flags",
            Kind::Mmsghdr(_) => "messages, each with its length",
            Kind::FdSet(_) => "a set of descriptors: asked for, and found",
            Kind::Pollfds(_) => "descriptors with the events asked for and found",
            Kind::EpollEvents(_) => "events that epoll found",
            Kind::Strings => "strings",
            Kind::Environment => "variables; without --env only how many",
            Kind::Msgbuf(_) => "a message: its type, and its text up to the snap length",
            Kind::Pages(_) => "a digit for each page, 1 if it is in memory, up to the snap length",
            Kind::Pointers(s, _) => {
                return format!("a list of pointers: {}", s.row().doc.trim().trim_end_matches('.'));
            }
            Kind::Struct(s) | Kind::Sized(s, _) => s.row().doc.trim().trim_end_matches('.'),
            Kind::Array(s, _) => return format!("a list: {}", s.row().doc.trim().trim_end_matches('.')),
            Kind::By(_) => "depends on another argument",
            Kind::Unknown { .. } => "something that a later version wrote",
        };
        text.to_string()
    }

    /// The spelling in a reel's schema block: `path`, `flags(open)`, `bytes(ret)`, `struct(timespec)`.
    pub fn to_text(self) -> String {
        let len = |l: Len| l.to_text();
        match self {
            Kind::Int => "int".into(),
            Kind::Long => "long".into(),
            Kind::UInt => "uint".into(),
            Kind::Hex => "hex".into(),
            Kind::Size => "size".into(),
            Kind::Offset => "offset".into(),
            Kind::Fd => "fd".into(),
            Kind::DirFd => "dirfd".into(),
            Kind::Flags(t) => format!("flags({})", t.name),
            Kind::Enum(t) => format!("enum({})", t.name),
            Kind::Mode => "mode".into(),
            Kind::Dev => "dev".into(),
            Kind::Pid => "pid".into(),
            Kind::Uid => "uid".into(),
            Kind::Gid => "gid".into(),
            Kind::Signal => "signal".into(),
            Kind::Path => "path".into(),
            Kind::Str => "str".into(),
            Kind::Bytes(l) => format!("bytes({})", len(l)),
            Kind::Sockaddr(l) => format!("sockaddr({})", len(l)),
            Kind::Iovec(l) => format!("iovecs({})", len(l)),
            Kind::Msghdr => "message".into(),
            Kind::Mmsghdr(l) => format!("messages({})", len(l)),
            Kind::FdSet(l) => format!("fdset({})", len(l)),
            Kind::Pollfds(l) => format!("pollfds({})", len(l)),
            Kind::EpollEvents(l) => format!("epoll_events({})", len(l)),
            Kind::Strings => "strings".into(),
            Kind::Environment => "environment".into(),
            Kind::Msgbuf(l) => format!("msgbuf({})", len(l)),
            Kind::Pages(l) => format!("pages({})", len(l)),
            Kind::Pointers(s, l) => format!("pointers({},{})", s.name(), len(l)),
            Kind::Struct(s) => format!("struct({})", s.name()),
            Kind::Sized(s, l) => format!("sized({},{})", s.name(), len(l)),
            Kind::Array(s, l) => format!("array({},{})", s.name(), len(l)),
            Kind::By(c) => format!("by({})", c.name),
            Kind::Unknown { item, refs } => format!("unknown({},{refs})", u8::from(item)),
        }
    }

    /// The kind that `text` spells, or [`Kind::Unknown`] with the given shape: a word that this version does not know is
    /// shown raw, never refused. A known word whose shape differs from the file's is not trusted either.
    pub fn from_text(text: &str, item: bool, refs: u8) -> Kind {
        let unknown = Kind::Unknown { item, refs };
        let (head, arg) = match text.split_once('(') {
            Some((h, rest)) => (h, rest.strip_suffix(')').unwrap_or("")),
            None => (text, ""),
        };
        let len = || Len::from_text(arg);
        let of = || {
            let (name, len) = arg.split_once(',')?;
            Some((structs::by_name(name)?, Len::from_text(len)?))
        };
        let kind = match head {
            "int" => Some(Kind::Int),
            "long" => Some(Kind::Long),
            "uint" => Some(Kind::UInt),
            "hex" => Some(Kind::Hex),
            "size" => Some(Kind::Size),
            "offset" => Some(Kind::Offset),
            "fd" => Some(Kind::Fd),
            "dirfd" => Some(Kind::DirFd),
            "flags" => names::by_name(arg).map(Kind::Flags),
            "enum" => names::by_name(arg).map(Kind::Enum),
            "mode" => Some(Kind::Mode),
            "dev" => Some(Kind::Dev),
            "pid" => Some(Kind::Pid),
            "uid" => Some(Kind::Uid),
            "gid" => Some(Kind::Gid),
            "signal" => Some(Kind::Signal),
            "path" => Some(Kind::Path),
            "str" => Some(Kind::Str),
            "bytes" => len().map(Kind::Bytes),
            "sockaddr" => len().map(Kind::Sockaddr),
            "iovecs" => len().map(Kind::Iovec),
            "message" => Some(Kind::Msghdr),
            "messages" => len().map(Kind::Mmsghdr),
            "fdset" => len().map(Kind::FdSet),
            "pollfds" => len().map(Kind::Pollfds),
            "epoll_events" => len().map(Kind::EpollEvents),
            "strings" => Some(Kind::Strings),
            "environment" => Some(Kind::Environment),
            "msgbuf" => len().map(Kind::Msgbuf),
            "pages" => len().map(Kind::Pages),
            "pointers" => of().map(|(s, l)| Kind::Pointers(s, l)),
            "struct" => structs::by_name(arg).map(Kind::Struct),
            "sized" => of().map(|(s, l)| Kind::Sized(s, l)),
            "array" => of().map(|(s, l)| Kind::Array(s, l)),
            "by" => choices::by_name(arg).map(Kind::By),
            _ => None,
        };
        kind.filter(|k| k.has_item() == item && k.refs() == refs).unwrap_or(unknown)
    }
}

/// Which way an argument's bytes go: what is written by the kernel is copied only if the call succeeded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Dir {
    /// Read by the kernel: copied always.
    In,
    /// Written by the kernel: copied if the result is not an error.
    Out,
    /// Read by the kernel and then overwritten: copied when the call begins.
    Before,
    /// The same, and what it becomes counts: copied when the call begins, and again if the result is not an error.
    Around,
}

/// What a call's result is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ret {
    /// 0 or an error.
    Zero,
    /// A signed number.
    Int,
    /// A number of bytes.
    Bytes,
    /// A number of things: descriptors that are ready, processes woken, entries filled.
    Count,
    /// A new or looked-up descriptor: one more reference, the row's last.
    Fd,
    /// A process or thread id.
    Pid,
    /// An address.
    Addr,
    /// A user id.
    Uid,
    /// A group id.
    Gid,
    /// Permission bits.
    Mode,
    /// A signal number.
    Signal,
    /// Bits with names.
    Flags(&'static Names),
    /// A number with names.
    Enum(&'static Names),
    /// What an argument says.
    By(&'static Choice),
    /// The call does not return: shown as `?`.
    None,
}

impl Ret {
    /// Every kind of result without a table, with its spelling in a reel's schema block and what it is.
    pub const PLAIN: &'static [(Ret, &'static str, &'static str)] = &[
        (Ret::Zero, "zero", "0"),
        (Ret::Int, "int", "a number"),
        (Ret::Bytes, "bytes", "how many bytes"),
        (Ret::Count, "count", "how many things: ready, woken, filled"),
        (Ret::Fd, "fd", "a descriptor"),
        (Ret::Pid, "pid", "a process or thread"),
        (Ret::Addr, "addr", "an address in memory"),
        (Ret::Uid, "uid", "a user"),
        (Ret::Gid, "gid", "a group"),
        (Ret::Mode, "mode", "permission bits"),
        (Ret::Signal, "signal", "a signal"),
        (Ret::None, "none", "the call does not return"),
    ];

    /// The spelling in a reel's schema block.
    pub fn to_text(self) -> String {
        match self {
            Ret::Flags(t) => format!("flags({})", t.name),
            Ret::Enum(t) => format!("enum({})", t.name),
            Ret::By(c) => format!("by({})", c.name),
            plain => Ret::PLAIN.iter().find(|(r, ..)| *r == plain).map_or("int", |(_, n, _)| n).to_string(),
        }
    }

    /// The kind of result that `text` spells, if this version knows it.
    pub fn from_text(text: &str) -> Option<Ret> {
        let (head, arg) = match text.split_once('(') {
            Some((h, rest)) => (h, rest.strip_suffix(')')?),
            None => return Ret::PLAIN.iter().find(|(_, n, _)| *n == text).map(|(r, ..)| *r),
        };
        match head {
            "flags" => names::by_name(arg).map(Ret::Flags),
            "enum" => names::by_name(arg).map(Ret::Enum),
            "by" => choices::by_name(arg).map(Ret::By),
            _ => None,
        }
    }
}
