//! The schema: all knowledge about system calls, in one table.
//!
//! Enters: nothing live; a reel's schema block when a file is read. Leaves: [`Schema`], by which every other stage knows
//! what a row of a batch holds. Never: memory of a process, state, rendering.
//!
//! * [`kind`] says what an argument can be ([`structs`] with their [`layout`]s, [`choices`] that another argument makes), [`calls`] has a row for each described call, [`numbers`] the numbers of each
//!   architecture, [`names`]/[`tables`] the names of flags, enums, errnos and signals.
//! * A schema also has the names of the hosts that rows may be of: all that a number in a row needs to be understood.
//! * [`Schema::native`] joins them; a call without a row gets six words named `arg0` to `arg5`, so none is invisible.
//! * In a batch every event has a 16-bit *code*: 0 to 1023 is a system call's number on the schema's architecture,
//!   [`EVENTS`] upward are events that no number names ([`OTHER`] is a call whose number is out of range), [`COMPAT`] upward are 32-bit calls by their own numbers.

pub mod calls;
pub mod choice;
pub mod choices;
pub mod fdlist;
pub mod item;
pub mod kind;
pub mod layout;
pub mod names;
pub mod numbers;
pub mod structs;
pub mod tables;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

pub use calls::{Anon, Arg, CALLS, Call, Class, Effect};
pub use choice::{Choice, Copied, What};
pub use kind::{Dir, Kind, Len, Ret};
pub use structs::Struct;

/// First code of events that are not system calls.
pub const EVENTS: u16 = 1024;
/// A process (its last thread) ended.
pub const PROCEXIT: u16 = EVENTS;
/// Events were lost here; words: how many, on which CPU.
pub const LOST: u16 = EVENTS + 1;
/// A call whose number is out of range; words: the number, then its six.
pub const OTHER: u16 = EVENTS + 2;
/// A snapshot ends here; words: how many processes and descriptors it has. Its rows have its number as their result.
pub const SNAPSHOT: u16 = EVENTS + 3;
/// In a snapshot: a process that there is.
pub const PROCESS: u16 = EVENTS + 4;
/// In a snapshot: a descriptor of a process; words: its number, whether exec closes it.
pub const DESCRIPTOR: u16 = EVENTS + 5;
/// A CPU turned from this thread to another; words: that one's id, its name, the state that this one is left in. The latency
/// is how long it had the CPU.
pub const SWITCH: u16 = EVENTS + 6;
/// A signal was sent to this thread or its process; words: number, why, sending process, its name, whom it is for, what
/// became of it.
pub const SIGNAL: u16 = EVENTS + 7;
/// A signal is taken; words: number, why, what is done.
pub const SIGNALDELIVER: u16 = EVENTS + 8;
/// A page was missing; words: address, instruction, what was tried.
pub const PAGE_FAULT: u16 = EVENTS + 9;
/// Operation 0 of io_uring; the others follow by their numbers. Words: descriptor, path or length, flags, `user_data`.
pub const URING: u16 = EVENTS + 64;
/// First code of 32-bit calls on a 64-bit kernel.
pub const COMPAT: u16 = 2048;
/// One past the largest code.
pub const CODES: u16 = 3072;

/// How codes without a name are called: a word, the first of these codes, and the one that its number counts from.
const STAND_INS: [(&str, u16, u16); 3] =
    [("syscall_", 0, 0), ("event_", EVENTS, 0), ("compat_", COMPAT, COMPAT)];

/// No place: nobody has named the code.
const UNKNOWN: u16 = 0;

/// The shapes of codes that nobody has named, by code. Made once: each file brings a schema of its own.
static UNNAMED: LazyLock<Box<[Shape]>> = LazyLock::new(|| {
    let stand_in =
        |code: u16| STAND_INS.iter().rfind(|(_, first, _)| *first <= code).unwrap_or(&STAND_INS[0]);
    (0..CODES)
        .map(|code| {
            let (word, _, base) = stand_in(code);
            Shape { stand_in: true, ..Shape::generic(code, &format!("{word}{}", code - base)) }
        })
        .collect()
});

/// True for codes of rows that say what there is, and are no events.
pub const fn is_of_snapshot(code: u16) -> bool {
    matches!(code, SNAPSHOT..=DESCRIPTOR)
}

/// The architecture that numbers belong to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Arch {
    /// 64-bit x86.
    X86_64,
    /// 64-bit ARM.
    Aarch64,
}

impl Arch {
    /// The architecture this binary was built for.
    pub const NATIVE: Arch = if cfg!(target_arch = "aarch64") { Arch::Aarch64 } else { Arch::X86_64 };

    /// The name in a reel's header.
    pub const fn name(self) -> &'static str {
        match self {
            Arch::X86_64 => "x86_64",
            Arch::Aarch64 => "aarch64",
        }
    }

    /// The architecture with this name.
    pub fn by_name(name: &str) -> Option<Arch> {
        [Arch::X86_64, Arch::Aarch64].into_iter().find(|a| a.name() == name)
    }
}

/// One argument of a [`Shape`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArgShape {
    /// The argument's name.
    pub name: Box<str>,
    /// What it is.
    pub kind: Kind,
    /// Which way its bytes go.
    pub dir: Dir,
    /// Index of its item within the row, if it has one.
    pub item: Option<u8>,
    /// Index of its first reference within the row, if it has any.
    pub fdref: Option<u8>,
}

impl ArgShape {
    /// True if its bytes are copied when the call begins (those of some again when it ends).
    pub fn is_early(&self) -> bool {
        matches!(self.dir, Dir::Before | Dir::Around) || matches!(self.kind, Kind::FdSet(_))
    }
}

/// What the rows of one code look like: how many words, items and references each has, and what they mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape {
    /// The code.
    pub code: u16,
    /// The call's or event's name.
    pub name: Arc<str>,
    /// What it is about.
    pub class: Class,
    /// What its result is.
    pub ret: Ret,
    /// What it does to state (live only; not part of a reel).
    pub effect: Effect,
    /// Arguments in order; argument N is word N of the row.
    pub args: Arc<[ArgShape]>,
    /// Items a row has.
    pub items: u8,
    /// References a row has; with [`Ret::Fd`] the last is the result's.
    pub refs: u8,
    /// The items of some arguments are copied when the call begins.
    pub early: bool,
    /// Some arguments are sets or arrays of descriptors ([`Kind::is_fd_list`]).
    pub lists: bool,
    /// False for a call that has no row of its own and is shown with six raw words.
    pub described: bool,
    /// Nobody has named this code: `syscall_500`.
    pub(crate) stand_in: bool,
}

impl Shape {
    /// A shape from its parts; counts items and references.
    pub fn new(
        code: u16,
        name: &str,
        class: Class,
        ret: Ret,
        args: impl IntoIterator<Item = (String, Kind, Dir)>,
    ) -> Shape {
        let (mut items, mut refs) = (0u8, 0u8);
        let args: Vec<ArgShape> = args
            .into_iter()
            .map(|(name, kind, dir)| {
                let item = kind.has_item().then_some(items);
                let fdref = (kind.refs() > 0).then_some(refs);
                items += u8::from(kind.has_item());
                refs += kind.refs();
                ArgShape { name: name.into(), kind, dir, item, fdref }
            })
            .collect();
        refs += u8::from(ret == Ret::Fd);
        let early = args.iter().any(ArgShape::is_early);
        let lists = args.iter().any(|a| a.kind.is_fd_list());
        Shape {
            code,
            name: name.into(),
            class,
            ret,
            effect: Effect::None,
            args: args.into(),
            items,
            refs,
            early,
            lists,
            described: true,
            stand_in: false,
        }
    }

    /// Words a row has: one per argument.
    pub fn words(&self) -> usize {
        self.args.len()
    }

    /// Index of the result's reference, if the result is a descriptor.
    pub fn ret_ref(&self) -> Option<u8> {
        (self.ret == Ret::Fd).then(|| self.refs.saturating_sub(1))
    }

    /// True if its rows may name several descriptors: by a set or an array, or by arguments of which none only says where
    /// a path begins, and the result.
    pub fn names_several(&self) -> bool {
        let each = self.args.iter().map(|a| if a.kind == Kind::DirFd { 0 } else { a.kind.refs() });
        self.lists || each.sum::<u8>() + u8::from(self.ret == Ret::Fd) > 1
    }

    /// The argument with this name.
    pub fn arg(&self, name: &str) -> Option<(usize, &ArgShape)> {
        self.args.iter().enumerate().find(|(_, a)| &*a.name == name)
    }

    fn of(arch: Arch, code: u16, call: &Call) -> Shape {
        let kind = |kind| match kind {
            // A reel names the table of the machine that it was recorded on, so any machine reads the bits right.
            Kind::Flags(table) => Kind::Flags(table.on(arch)),
            kind => kind,
        };
        let args = call.args.iter().map(|a| (a.name.to_string(), kind(a.kind), a.dir));
        Shape { effect: call.effect, ..Shape::new(code, call.name, call.class, call.ret, args) }
    }

    fn generic(code: u16, name: &str) -> Shape {
        // Thousands of codes have these: they share them.
        static WORDS: LazyLock<Shape> = LazyLock::new(|| {
            let args = (0..6).map(|i| (format!("arg{i}"), Kind::Hex, Dir::In));
            Shape { described: false, ..Shape::new(0, "", Class::OTHER, Ret::Int, args) }
        });
        Shape { code, name: name.into(), ..WORDS.clone() }
    }
}

/// Every shape by code, and codes by name.
#[derive(Debug)]
pub struct Schema {
    /// The architecture whose numbers the codes are.
    pub arch: Arch,
    /// Those that have names, by code.
    known: Vec<Shape>,
    /// By code, where in `known` it is, counted from 1; [`UNKNOWN`]: among those that nobody has named.
    place: Box<[u16]>,
    by_name: HashMap<Arc<str>, u16>,
    hosts: Vec<Box<str>>,
    /// Number of the host, key, value.
    tags: Vec<(u16, Box<str>, Box<str>)>,
}

impl Schema {
    /// This version's own schema for `arch`.
    pub fn native(arch: Arch) -> Schema {
        let rows: HashMap<&str, &Call> = CALLS.iter().map(|c| (c.name, c)).collect();
        let native = match arch {
            Arch::X86_64 => numbers::X86_64,
            Arch::Aarch64 => numbers::AARCH64,
        };
        let events = [
            (PROCEXIT, "procexit"),
            (LOST, "lost"),
            (OTHER, "syscall"),
            (SNAPSHOT, "snapshot"),
            (PROCESS, "process"),
            (DESCRIPTOR, "descriptor"),
            (SWITCH, "switch"),
            (SIGNAL, "signal"),
            (SIGNALDELIVER, "signaldeliver"),
            (PAGE_FAULT, "page_fault"),
        ];
        let uring = numbers::URING.iter().map(|(op, name)| (URING + op, *name));
        let shapes = native.iter().chain(&events).copied().chain(uring).map(|(code, name)| {
            rows.get(name).map_or_else(|| Shape::generic(code, name), |c| Shape::of(arch, code, c))
        });
        // A 32-bit call is never decoded with the 64-bit table: registers and structures differ.
        let compat = if arch == Arch::X86_64 { numbers::IA32 } else { &[] };
        let compat = compat.iter().map(|&(nr, name)| Shape::generic(COMPAT + nr, name));
        Schema::from_shapes(arch, shapes.chain(compat))
    }

    /// A schema whose shapes are the given ones (read from a reel, the last wins); every other code is generic.
    pub fn from_shapes(arch: Arch, given: impl IntoIterator<Item = Shape>) -> Schema {
        let mut known: Vec<Shape> = given.into_iter().filter(|s| s.code < CODES).collect();
        known.sort_by_key(|s| s.code);
        known.dedup_by(|later, kept| {
            let twins = later.code == kept.code;
            if twins {
                std::mem::swap(later, kept);
            }
            twins
        });
        let mut place: Box<[u16]> = vec![UNKNOWN; usize::from(CODES)].into();
        for (at, shape) in (1..).zip(&known) {
            if let Some(place) = place.get_mut(usize::from(shape.code)) {
                *place = at;
            }
        }
        // Native codes come first and win: a name means the native call; 32-bit twins are found by `codes`.
        let mut by_name: HashMap<Arc<str>, u16> = HashMap::with_capacity(known.len());
        for shape in known.iter().filter(|s| !is_of_snapshot(s.code)) {
            let first = by_name.entry(shape.name.clone()).or_insert(shape.code);
            *first = shape.code.min(*first);
        }
        Schema { arch, known, place, by_name, hosts: Vec::new(), tags: Vec::new() }
    }

    /// The same with the names of the hosts that rows number.
    pub fn with_hosts(mut self, hosts: &[impl AsRef<str>]) -> Schema {
        self.hosts = hosts.iter().map(|h| h.as_ref().into()).collect();
        self
    }

    /// The same with what somebody called the hosts: each `HOST:KEY=VALUE`, the host by its number.
    pub fn with_tags(mut self, tags: &[impl AsRef<str>]) -> Schema {
        let parse = |tag: &str| {
            let (host, rest) = tag.split_once(':')?;
            let (key, value) = rest.split_once('=')?;
            Some((host.parse().ok()?, key.into(), value.into()))
        };
        self.tags = tags.iter().filter_map(|tag| parse(tag.as_ref())).collect();
        self
    }

    /// The tags of a host: keys and values.
    pub fn tags(&self, host: u16) -> impl Iterator<Item = (&str, &str)> {
        self.tags.iter().filter(move |(of, ..)| *of == host).map(|(_, key, value)| (&**key, &**value))
    }

    /// The names of the hosts, by number.
    pub fn hosts(&self) -> &[Box<str>] {
        &self.hosts
    }

    /// The name of a host; nothing if it has none.
    pub fn host(&self, number: u16) -> Option<&str> {
        self.hosts.get(usize::from(number)).map(|h| &**h).filter(|h| !h.is_empty())
    }

    /// The same, of this host alone.
    pub fn on(self, host: &str) -> Schema {
        self.with_hosts(&[host])
    }

    /// The shape of a code; codes past the end share the last one.
    pub fn shape(&self, code: u16) -> &Shape {
        let code = usize::from(code.min(CODES - 1));
        let known = usize::from(self.place[code]).checked_sub(1).and_then(|at| self.known.get(at));
        known.unwrap_or_else(|| &UNNAMED[code])
    }

    /// The native code of a name.
    pub fn code(&self, name: &str) -> Option<u16> {
        self.by_name.get(name).copied().or_else(|| {
            let code = STAND_INS
                .iter()
                .find_map(|(word, _, base)| base.checked_add(name.strip_prefix(word)?.parse().ok()?))?;
            Some(self.shape(code)).filter(|s| s.code == code && &*s.name == name).map(|s| s.code)
        })
    }

    /// Every code that has this name: the native one and its 32-bit twin.
    pub fn codes<'a>(&'a self, name: &'a str) -> impl Iterator<Item = u16> + 'a {
        let known = self.named().filter(move |s| &*s.name == name).map(|s| s.code);
        let other = self.code(name).filter(|code| self.shape(*code).stand_in);
        known.chain(other)
    }

    /// All shapes, by code.
    pub fn shapes(&self) -> impl DoubleEndedIterator<Item = &Shape> + ExactSizeIterator {
        (0..CODES).map(|code| self.shape(code))
    }

    /// Shapes of events that have a name of their own (calls of the architecture, and others), by code.
    pub fn named(&self) -> impl Iterator<Item = &Shape> {
        self.listed().filter(|s| !is_of_snapshot(s.code))
    }

    /// The same, and those of the rows of snapshots: all that a reel must list.
    pub fn listed(&self) -> impl Iterator<Item = &Shape> {
        self.known.iter().filter(|s| !s.stand_in)
    }
}

/// True for the kernel's restart results (-512 to -516): the call was interrupted and will be restarted or has been
/// turned into EINTR; not a failure that the program sees.
pub fn is_restart(ret: i64) -> bool {
    (-516..=-512).contains(&ret)
}

/// True for a result that is an error number.
pub fn is_error(ret: i64) -> bool {
    (-4095..0).contains(&ret)
}
