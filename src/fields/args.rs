//! Arguments: from words, items and references to one typed value.
//!
//! Enters: a row of a batch and the index of an argument. Leaves: an [`Arg`], borrowed from the batch, and by
//! [`Arg::emit`] its rendering through a [`Sink`] (text or JSON: one decoding, two looks). Never: trust: items may come
//! from a file that somebody made up, so every length is checked and what does not fit is shown as bytes.

use std::borrow::Cow;

use super::messages::{self, Message};
use super::sink::{JsonSink, Sink, TextSink};
use super::structs::{self, Data};
use super::{Key, Value, arrays, names, special};
use crate::batch::{Batch, File, FileId, Item, NONE, row_flags};
use crate::schema::layout::Is;
use crate::schema::names::Names;
use crate::schema::{Arch, Choice, Dir, Kind, Len, Shape, Struct, What, fdlist, is_error};

/// The descriptor that means "the working directory".
pub const AT_FDCWD: i32 = -100;
// The same on x86_64 and aarch64.
const O_CREAT: u64 = 0o100;
const O_TMPFILE: u64 = 0o20_000_000;

/// One argument, decoded.
#[derive(Clone, Copy, Debug)]
pub enum Arg<'a> {
    /// A signed number.
    Int(i64),
    /// An unsigned number.
    UInt(u64),
    /// An address, or something without a better form.
    Hex(u64),
    /// Permission bits.
    Mode(u32),
    /// A device number of user space.
    Dev(u64),
    /// A signal number.
    Signal(u64),
    /// Bits with names.
    Flags(u64, &'static Names),
    /// A number with names.
    Enum(u64, &'static Names),
    /// A number whose name depends on the argument before it.
    Named(u64, &'static str),
    /// A descriptor, and what it refers to.
    Fd(i32, Option<&'a File>),
    /// Two descriptors.
    Pair([(i32, Option<&'a File>); 2]),
    /// A NULL pointer.
    Null,
    /// A pointer to bytes that were not copied.
    Pointer(u64),
    /// A pointer to memory that could not be read.
    Unreadable(u64),
    /// A path or another string.
    Text(Data<'a>),
    /// A buffer.
    Bytes(Data<'a>),
    /// Strings, each NUL-terminated.
    Strings(Data<'a>),
    /// An environment: how many variables it has, if somebody counted, and those that were copied.
    Environment(Option<u64>, Data<'a>),
    /// An address of a socket.
    Sockaddr(Data<'a>),
    /// A message of System V.
    Msgbuf(Data<'a>),
    /// Which pages are in memory.
    Pages(Data<'a>),
    /// A message.
    Msghdr(Data<'a>),
    /// Messages, and how many of them were sent or received.
    Mmsghdrs(Data<'a>, u64),
    /// An `fd_set` before and after the call.
    FdSet(Data<'a>),
    /// Elements of `struct pollfd`, and whether the call answered.
    Pollfds(Data<'a>, bool),
    /// Elements of `struct epoll_event`.
    EpollEvents(Data<'a>),
    /// A structure.
    Struct(Struct, Data<'a>),
    /// Structures, one behind the other.
    Elements(Struct, Data<'a>),
    /// A word, by what another argument says.
    Word(&'static Is, u64),
    /// Memory, by what another argument says.
    Memory(&'static Is, Data<'a>),
}

/// Argument `i` of a row.
pub fn arg<'a>(batch: &Batch<'a>, row: usize, i: usize) -> Option<Arg<'a>> {
    let shape = batch.shape_of(row);
    let kind = shape.args.get(i)?.kind;
    let word = batch.words_of(row).get(i).copied()?;
    let file = |nth: u8| {
        let at = usize::from(shape.args[i].fdref?) + usize::from(nth);
        batch.refs_of(row).get(at).and_then(|id| batch.dict.file(*id))
    };
    Some(match kind {
        Kind::Int | Kind::Pid => Arg::Int(i64::from(word as i32)),
        Kind::Long | Kind::Offset => Arg::Int(word as i64),
        // The upper half of the register is whatever was there.
        Kind::UInt => Arg::UInt(u64::from(word as u32)),
        Kind::Size => Arg::UInt(word),
        Kind::Hex => Arg::Hex(word),
        Kind::Fd | Kind::DirFd => Arg::Fd(word as i32, file(0)),
        Kind::Flags(t) => Arg::Flags(narrow(word), t),
        Kind::Enum(t) => named(batch, row, i, narrow(word), t),
        Kind::Mode => Arg::Mode(word as u32),
        Kind::Dev => Arg::Dev(word),
        // -1 means "leave it as it is".
        Kind::Uid | Kind::Gid if word as u32 == u32::MAX => Arg::Int(-1),
        Kind::Uid | Kind::Gid => Arg::UInt(u64::from(word as u32)),
        Kind::Signal => Arg::Signal(u64::from(word as u32)),
        Kind::Unknown { item: false, .. } => Arg::Hex(word),
        Kind::By(choice) => return Some(by(batch, row, i, word, choice)),
        _ => return Some(pointed(batch, row, shape, i, word, [file(0), file(1)])),
    })
}

/// Flags and enumerations are `int`s mostly: a sign that fills the upper half says nothing.
fn narrow(word: u64) -> u64 {
    if word >> 32 == 0xffff_ffff { word & 0xffff_ffff } else { word }
}

/// A number with names. Some mean something only after the argument before them (a socket option at its level): their
/// rows have that argument plus one in the upper half.
fn named<'a>(batch: &Batch<'_>, row: usize, i: usize, n: u64, t: &'static Names) -> Arg<'a> {
    if t.name_of(n).is_none()
        && let Some(before) = i.checked_sub(1).and_then(|at| batch.words_of(row).get(at))
    {
        let under = (u64::from(*before as u32) + 1) << 32 | n & 0xffff_ffff;
        if let Some(name) = t.name_of(under) {
            return Arg::Named(n, name);
        }
    }
    Arg::Enum(n, t)
}

/// An argument that another one decides.
fn by<'a>(batch: &Batch<'a>, row: usize, i: usize, word: u64, choice: &'static Choice) -> Arg<'a> {
    let words = batch.words_of(row);
    let (is, out) = match choice.what(words) {
        What::Idle => return Arg::Hex(word),
        What::Word(is) => return Arg::Word(is, word),
        What::In(is) => (is, false),
        What::Out(is) => (is, true),
    };
    // What a call that failed would have written is whatever was there.
    if word != 0 && out && is_error(batch.ret_of(row)) {
        return Arg::Pointer(word);
    }
    match pointed(batch, row, batch.shape_of(row), i, word, [None, None]) {
        Arg::Bytes(data) => Arg::Memory(is, data),
        other => other,
    }
}

/// An argument with copied bytes.
fn pointed<'a>(
    batch: &Batch<'a>,
    row: usize,
    shape: &Shape,
    i: usize,
    word: u64,
    files: [Option<&'a File>; 2],
) -> Arg<'a> {
    let item = shape.args[i].item.and_then(|at| batch.items_of(row).get(usize::from(at)).copied());
    let item = item.unwrap_or(Item::ABSENT);
    if item == Item::UNREADABLE {
        return Arg::Unreadable(word);
    }
    let Some(bytes) = batch.bytes(item) else {
        return if word == 0 { Arg::Null } else { Arg::Pointer(word) };
    };
    let data = Data { bytes, cut: item.is_cut(), total: None };
    let ret = batch.ret_of(row);
    let by_result = (!is_error(ret)).then_some(ret as u64);
    let counted = |len| {
        let total = length(batch, row, shape, len);
        // What did not fit the buffer, the call did not write.
        let room = match len {
            Len::Within(n) => batch.words_of(row).get(usize::from(n)).copied(),
            _ => None,
        };
        Data { total, cut: data.cut || room.zip(total).is_some_and(|(room, total)| total > room), ..data }
    };
    match shape.args[i].kind {
        Kind::Path | Kind::Str => Arg::Text(data),
        Kind::Bytes(len) => Arg::Bytes(counted(len)),
        Kind::Sockaddr(len) => Arg::Sockaddr(counted(len)),
        Kind::Msgbuf(len) => Arg::Msgbuf(counted(len)),
        Kind::Pages(_) => Arg::Pages(data),
        Kind::Iovec(_) => match messages::joined(bytes) {
            Some(Some(data)) => Arg::Bytes(data),
            Some(None) => Arg::Unreadable(word),
            None => Arg::Bytes(data),
        },
        Kind::Msghdr => Arg::Msghdr(data),
        Kind::Mmsghdr(_) => Arg::Mmsghdrs(data, by_result.unwrap_or(0)),
        Kind::FdSet(_) => Arg::FdSet(data),
        Kind::Pollfds(_) => Arg::Pollfds(data, by_result.is_some()),
        Kind::EpollEvents(_) => Arg::EpollEvents(data),
        Kind::Strings => Arg::Strings(data),
        Kind::Environment => match arrays::environment(data) {
            Some((count, data)) => Arg::Environment(count, data),
            None => Arg::Bytes(data),
        },
        Kind::Struct(Struct::FdPair) => match structs::pair(bytes) {
            Some([a, b]) => Arg::Pair([(a, files[0]), (b, files[1])]),
            None => Arg::Bytes(data),
        },
        Kind::Struct(s) => Arg::Struct(s, data),
        Kind::Sized(s, len) => Arg::Struct(s, counted(len)),
        Kind::Array(s, len) => Arg::Elements(s, counted(len)),
        Kind::Pointers(s, _) => Arg::Elements(s, data),
        _ => Arg::Bytes(data),
    }
}

/// The true length of a counted argument, if it can be known.
fn length(batch: &Batch<'_>, row: usize, shape: &Shape, len: Len) -> Option<u64> {
    match len {
        Len::Arg(n) => batch.words_of(row).get(usize::from(n)).copied(),
        Len::Ret | Len::Within(_) => Some(batch.ret_of(row)).filter(|r| *r >= 0).map(|r| r as u64),
        Len::At(n) => {
            let at = shape.args.get(usize::from(n))?.item?;
            let bytes = batch.bytes(*batch.items_of(row).get(usize::from(at))?)?;
            Some(u64::from(u32::from_le_bytes(bytes.get(..4)?.try_into().ok()?)))
        }
    }
}

/// True for an argument that the call does not look at: by what another argument says, or a mode right after open flags
/// that create nothing. That rule
/// hangs on the table of the flags, not on names of calls, so it holds for `open`, `openat`, `mq_open` and what comes.
pub fn is_idle(shape: &Shape, words: &[u64], i: usize) -> bool {
    // A successful exec has cleared the registers: an environment at 0, of which nothing was kept, is not what was given.
    if words.get(i) == Some(&0)
        && shape.args.get(i).is_some_and(|a| &*a.name == "envp" && a.kind == Kind::Hex)
    {
        return true;
    }
    if let Some(Kind::By(choice)) = shape.args.get(i).map(|a| a.kind)
        && matches!(choice.what(words), What::Idle)
    {
        return true;
    }
    let Some(before) = i.checked_sub(1) else { return false };
    match (shape.args.get(before).map(|a| a.kind), shape.args.get(i).map(|a| a.kind), words.get(before)) {
        (Some(Kind::Flags(t)), Some(Kind::Mode), Some(flags)) => {
            matches!(t.name, "open" | "open_aarch64") && flags & (O_CREAT | O_TMPFILE) == 0
        }
        _ => false,
    }
}

/// The index of the argument that a key means; nothing for one that means nothing in this row.
pub fn nth(b: &Batch<'_>, row: usize, key: &Key) -> Option<usize> {
    let shape = b.shape_of(row);
    let i = match key {
        Key::Index(i) => *i,
        Key::Name(name) => shape.arg(name)?.0,
        Key::None => return None,
    };
    (!is_idle(shape, b.words_of(row), i)).then_some(i)
}

/// All arguments of a row that mean something, in order: `name=value, name=value`.
pub fn push_args(out: &mut Vec<u8>, batch: &Batch<'_>, row: usize) {
    let shape = batch.shape_of(row);
    let words = batch.words_of(row);
    let mut first = true;
    for (i, a) in shape.args.iter().enumerate() {
        if is_idle(shape, words, i) {
            continue;
        }
        let Some(value) = arg(batch, row, i) else { continue };
        if !std::mem::take(&mut first) {
            out.extend_from_slice(b", ");
        }
        super::escape::escape(out, a.name.as_bytes(), super::escape::Within::Column);
        out.push(b'=');
        value.emit(&mut TextSink::new(out, batch, row));
    }
}

/// All arguments of a row that mean something, as a JSON object.
pub fn push_args_json(out: &mut Vec<u8>, batch: &Batch<'_>, row: usize) {
    let shape = batch.shape_of(row);
    let words = batch.words_of(row);
    let mut sink = JsonSink::new(out, batch);
    sink.open_map();
    for (i, a) in shape.args.iter().enumerate() {
        if !is_idle(shape, words, i)
            && let Some(value) = arg(batch, row, i)
        {
            sink.key(&a.name);
            value.emit(&mut sink);
        }
    }
    sink.close_map();
}

impl<'a> Arg<'a> {
    /// Renders it.
    pub fn emit(&self, sink: &mut impl Sink) {
        match *self {
            Arg::Int(n) => sink.int(n),
            Arg::UInt(n) => sink.uint(n),
            Arg::Hex(n) => sink.hex(n),
            Arg::Mode(n) => special::mode(sink, n),
            Arg::Dev(n) => structs::dev(sink, n),
            Arg::Signal(n) => structs::signal(sink, n),
            Arg::Flags(n, t) => sink.flags(n, t),
            Arg::Enum(n, t) => structs::name(sink, n, t),
            Arg::Named(_, name) => sink.word(name),
            Arg::Fd(n, file) => sink.fd(n, file),
            Arg::Pair(fds) => {
                sink.open_list();
                for (n, file) in fds {
                    sink.element();
                    sink.fd(n, file);
                }
                sink.close_list();
            }
            Arg::Null => sink.null(),
            Arg::Pointer(n) => sink.hex(n),
            Arg::Unreadable(n) => sink.unreadable(n),
            Arg::Text(data) | Arg::Bytes(data) => sink.data(data),
            Arg::Strings(data) => arrays::strings(sink, data),
            Arg::Environment(Some(count), data) if data.bytes.is_empty() && count > 0 => {
                sink.open_map();
                sink.key("variables");
                sink.uint(count);
                sink.close_map();
            }
            Arg::Environment(_, data) => arrays::strings(sink, data),
            // Without its end an address may look like another.
            Arg::Sockaddr(data) if data.cut || data.bytes.is_empty() => sink.data(data),
            Arg::Sockaddr(data) => arrays::sockaddr(sink, data.bytes),
            Arg::Msgbuf(data) => messages::msgbuf(sink, data),
            Arg::Pages(data) => arrays::pages(sink, data),
            Arg::Msghdr(data) => messages::msghdr(sink, data),
            Arg::Mmsghdrs(data, done) => messages::mmsghdrs(sink, data, done),
            Arg::FdSet(data) => messages::fd_set(sink, data),
            Arg::Pollfds(data, answered) => arrays::pollfds(sink, data, answered),
            Arg::EpollEvents(data) => arrays::epoll_events(sink, data),
            Arg::Struct(s, data) => structs::structure(sink, s, data),
            Arg::Elements(s, data) => structs::elements(sink, s, data),
            Arg::Word(is, word) => structs::show(sink, is, &word.to_le_bytes(), false),
            Arg::Memory(is, data) => structs::show(sink, is, data.bytes, data.cut),
        }
    }

    /// True for bits with names.
    pub fn is_flags(&self) -> bool {
        matches!(self, Arg::Flags(..) | Arg::Word(Is::Flags(..), _))
    }

    /// It as a number: what `evt.rawarg` gives. `word` is its raw word, which is the number of what points somewhere.
    pub fn raw(&self, word: u64) -> Value<'a> {
        let signed = match *self {
            Arg::Int(n) => Some(n),
            Arg::Fd(n, _) => Some(i64::from(n)),
            Arg::Mode(n) => Some(i64::from(n)),
            Arg::UInt(n) | Arg::Hex(n) | Arg::Dev(n) | Arg::Signal(n) => i64::try_from(n).ok(),
            Arg::Flags(n, _) | Arg::Enum(n, _) | Arg::Named(n, _) => i64::try_from(n).ok(),
            Arg::Struct(s, data) => structs::pointed_number(s.layout(Arch::X86_64), data.bytes),
            Arg::Memory(is, data) => structs::pointed_number(is, data.bytes),
            _ => None,
        };
        let signed = signed.or_else(|| i64::try_from(word).ok());
        signed.map_or(Value::UInt(word), Value::Int)
    }

    /// Its text: what `evt.arg` gives. Strings and buffers are their bytes, without quotes.
    pub fn text(&self, batch: &Batch<'a>, row: usize) -> Value<'a> {
        match *self {
            Arg::Null => Value::None,
            Arg::Text(data) | Arg::Bytes(data) => Value::text(data.bytes),
            _ => {
                let mut out = Vec::new();
                self.emit(&mut TextSink::new(&mut out, batch, row));
                Value::Text(Cow::Owned(out))
            }
        }
    }
}

/// The first buffer of a row: which argument, which way, its bytes.
pub fn buffer<'a>(batch: &Batch<'a>, row: usize) -> Option<(Dir, Data<'a>)> {
    let shape = batch.shape_of(row);
    let (i, a) = shape.args.iter().enumerate().find(|(_, a)| {
        matches!(a.kind, Kind::Bytes(_) | Kind::Iovec(_) | Kind::Msghdr | Kind::Mmsghdr(_) | Kind::Msgbuf(_))
    })?;
    match arg(batch, row, i)? {
        Arg::Bytes(data) => Some((a.dir, data)),
        Arg::Msgbuf(data) => Some((a.dir, messages::text(data)?)),
        // Of several messages the first.
        Arg::Msghdr(data) | Arg::Mmsghdrs(data, _) => {
            Message::take(&mut { data.bytes })?.data.map(|payload| (a.dir, payload))
        }
        _ => None,
    }
}

/// A path as given, and the directory that it is relative to, if that is known.
pub type GivenPath<'a> = (&'a [u8], Option<Cow<'a, [u8]>>);

/// The `n`-th path of a row.
pub fn path<'a>(batch: &Batch<'a>, row: usize, n: usize) -> Option<GivenPath<'a>> {
    let shape = batch.shape_of(row);
    let (i, _) = shape.args.iter().enumerate().filter(|(_, a)| a.kind == Kind::Path).nth(n)?;
    let Some(Arg::Text(data)) = arg(batch, row, i) else { return None };
    let cwd = || {
        let cwd = batch.proc_of(row).and_then(|p| batch.dict.strings.find(p.cwd));
        cwd.map(Cow::Borrowed)
    };
    let before = i.checked_sub(1).filter(|at| shape.args[*at].kind == Kind::DirFd);
    let base = match before.and_then(|at| arg(batch, row, at)) {
        Some(Arg::Fd(AT_FDCWD, _)) | None => cwd(),
        Some(Arg::Fd(_, Some(file))) => Some(names::file_name(&batch.dict, file)),
        Some(_) => None,
    };
    Some((data.bytes, base))
}

/// How many paths a row's call takes.
pub fn paths(shape: &Shape) -> usize {
    shape.args.iter().filter(|a| a.kind == Kind::Path).count()
}

/// The descriptors that a row names, in argument order, then its result's: number, and index of the file if it is known.
pub fn named_fds(batch: &Batch<'_>, row: usize) -> Vec<(i64, FileId)> {
    let shape = batch.shape_of(row);
    let refs = batch.refs_of(row);
    let file = |at: usize| refs.get(at).copied().unwrap_or(NONE);
    let mut all = Vec::new();
    for (i, a) in shape.args.iter().enumerate() {
        let Some(at) = a.fdref.map(usize::from) else { continue };
        match arg(batch, row, i) {
            Some(Arg::Fd(n, _)) if n != AT_FDCWD => all.push((i64::from(n), file(at))),
            Some(Arg::Pair(fds)) => {
                all.extend(fds.iter().zip(at..).map(|((n, _), at)| (i64::from(*n), file(at))))
            }
            _ => {}
        }
    }
    let ret = batch.ret_of(row);
    if let Some(at) = shape.ret_ref().filter(|_| ret >= 0) {
        all.push((ret, file(usize::from(at))));
    }
    if shape.lists {
        all.extend(listed_fds(batch, row));
    }
    all
}

/// The descriptors that the sets and arrays of a row name, ascending: number, and index of the file if it is known.
fn listed_fds(batch: &Batch<'_>, row: usize) -> impl Iterator<Item = (i64, FileId)> {
    let args = batch.shape_of(row).args.iter().filter(|a| a.kind.is_fd_list());
    let items = batch.items_of(row);
    let items = args.filter_map(|a| {
        let item = items.get(usize::from(a.item?))?;
        Some((a.kind, batch.bytes(*item)?))
    });
    let mut fds = Vec::new();
    fdlist::descriptors(batch.words_of(row), items, &mut fds);
    let files = batch.fdlist_of(row).iter().copied().chain(std::iter::repeat(NONE));
    fds.into_iter().map(i64::from).zip(files)
}

/// The descriptors of a call that may name several ([`Shape::names_several`]), each once: those of its arguments in order,
/// then its result's; those of sets and arrays, ascending.
pub fn several_fds(batch: &Batch<'_>, row: usize) -> Vec<(i64, FileId)> {
    let shape = batch.shape_of(row);
    if !shape.names_several() {
        return Vec::new();
    }
    if shape.lists {
        return listed_fds(batch, row).collect();
    }
    let mut all: Vec<(i64, FileId)> = Vec::new();
    for (fd, file) in named_fds(batch, row) {
        match all.iter_mut().find(|(seen, _)| *seen == fd) {
            Some(seen) => seen.1 = file,
            None if fd >= 0 => all.push((fd, file)),
            None => {}
        }
    }
    all
}

/// True if names in this row may be stale.
pub fn is_uncertain(batch: &Batch<'_>, row: usize) -> bool {
    batch.flags_of(row) & row_flags::UNCERTAIN != 0
}
