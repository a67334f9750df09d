//! Copy plans: what the probe does for each call, derived from the schema.
//!
//! Enters: a shape of the schema, and whether the call is wanted in full, for state, or not at all. Leaves: the plan as
//! the probe reads it. Never: knowledge of a particular call; that is the schema's.

use crate::schema::{Anon, Copied, Dir, Effect, Kind, Len, Schema, Shape, Struct};
use crate::source::abi::*;

/// Which facts of the kernel can be believed; the self-check says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    /// Paths of files and directories.
    pub paths: bool,
    /// Addresses of sockets.
    pub sockets: bool,
    /// Credentials.
    pub creds: bool,
}

impl Facts {
    /// All of them.
    pub const ALL: Facts = Facts { paths: true, sockets: true, creds: true };

    fn allow(self, fact: u8) -> u8 {
        let ok = match fact {
            FACT_OPENED | FACT_CWD => self.paths,
            FACT_SOCK | FACT_ACCEPTED | FACT_SENT | FACT_SENT_MSG => self.sockets,
            FACT_PIPE | FACT_FILE | FACT_FILE_MAYBE | FACT_PAIR.. => self.paths && self.sockets,
            FACT_CREDS => self.creds,
            _ => true,
        };
        if ok { fact } else { FACT_NONE }
    }
}

/// Which calls are wanted, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interest {
    /// By code of a call (0 to 1023): full record.
    full: Vec<bool>,
    /// Any 32-bit call.
    pub compat: bool,
    /// State-changing calls are needed even if they are not wanted themselves.
    pub state: bool,
    /// Of those, the ones that change descriptors: needed if something in use asks what a descriptor stands for.
    pub files: bool,
    /// Paths as they were given belong to what is known of a descriptor.
    pub given: bool,
    /// Full records are wanted only within the probe's bounds.
    pub bounded: bool,
    /// Those name processes: of others nothing is wanted that matters to them alone.
    pub some: bool,
    /// Facts to ask for.
    pub facts: Facts,
    /// Environments are copied.
    pub env: bool,
}

impl Interest {
    /// Full records of the codes for which `wanted` holds; state as told.
    pub fn new(schema: &Schema, state: bool, wanted: impl Fn(u16) -> bool) -> Interest {
        let mut full: Vec<bool> = (0..crate::schema::EVENTS).map(&wanted).collect();
        // One exec may end as another: on x86 an execveat that succeeds ends as an execve.
        let execs: Vec<usize> =
            schema.shapes().filter(|s| s.effect == Effect::Exec).map(|s| usize::from(s.code)).collect();
        if execs.iter().any(|code| full.get(*code) == Some(&true)) {
            for code in execs {
                if let Some(slot) = full.get_mut(code) {
                    *slot = true;
                }
            }
        }
        let compat = wanted(crate::schema::OTHER)
            || schema.shapes().any(|s| s.code >= crate::schema::COMPAT && wanted(s.code));
        Interest {
            full,
            compat,
            state,
            files: true,
            given: true,
            bounded: false,
            some: false,
            facts: Facts::ALL,
            env: false,
        }
    }

    /// True if full records of this call are wanted.
    pub fn wants(&self, code: u16) -> bool {
        self.full.get(usize::from(code)).copied().unwrap_or(false)
    }
}

/// How much of payload buffers is copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Snaplen(pub u32);

const NONE: Op = Op { code: 0, arg: 0, len: 0, how: 0, max: 0, unit: 0 };

/// Most bytes of an `fd_set`: 4096 descriptors.
const FD_SET_MAX: u32 = 512;
/// Most bytes of an array of strings.
const STRINGS_BYTES: u32 = 4096;
/// Most bytes of an array of messages beyond four times the payload …
const MESSAGES_BYTES: u32 = 16384;
/// … and with it.
const MESSAGES_MAX: u32 = 72704;

/// Most bytes that an operation copies.
pub fn limit(o: &Op) -> u32 {
    u32::from(o.max) | u32::from(o.how & 0xf0) << 12
}

/// The same operation with another limit.
fn limited(o: Op, max: u32) -> Op {
    Op { max: max as u16, how: o.how & 0x0f | (max >> 12) as u8 & 0xf0, ..o }
}
/// Most bytes of a list of structures.
const LIST_MAX: u16 = 1024;

/// The fact that the kernel is asked for after a call with this effect.
fn fact_of(effect: Effect) -> u8 {
    match effect {
        Effect::Open => FACT_OPENED,
        Effect::Chdir | Effect::Chroot => FACT_CWD,
        Effect::Connect | Effect::Bind => FACT_SOCK,
        Effect::Socket | Effect::Accept | Effect::MayAccept => FACT_ACCEPTED,
        Effect::Creds | Effect::Unshare | Effect::Setns => FACT_CREDS,
        Effect::Pipe => FACT_PIPE,
        Effect::Descriptor => FACT_FILE,
        Effect::MayOpen | Effect::Ioctl => FACT_FILE_MAYBE,
        Effect::Socketpair => FACT_PAIR,
        Effect::Receive => FACT_RECEIVED,
        Effect::ReceiveAll => FACT_RECEIVED_ALL,
        Effect::Send => FACT_SENT,
        Effect::SendMsg => FACT_SENT_MSG,
        Effect::None
        | Effect::Anon(_)
        | Effect::Close
        | Effect::CloseRange
        | Effect::Dup
        | Effect::DupTo
        | Effect::Fcntl
        | Effect::Listen
        | Effect::Setsid
        | Effect::Setpgid
        | Effect::Exec
        | Effect::Clone
        | Effect::Prctl => FACT_NONE,
    }
}

/// Of which number the kernel is asked what it means in the end.
fn slot_of(effect: Effect) -> u8 {
    match effect {
        Effect::Open
        | Effect::Anon(_)
        | Effect::Dup
        | Effect::Fcntl
        | Effect::Ioctl
        | Effect::Socket
        | Effect::Accept
        | Effect::Descriptor
        | Effect::MayOpen => SLOT_RET,
        Effect::Close => SLOT_ARG0,
        Effect::DupTo => SLOT_ARG1,
        _ => 0,
    }
}

/// Most bytes of a fact.
fn fact_max(fact: u8) -> u16 {
    match fact {
        FACT_OPENED | FACT_CWD | FACT_FILE | FACT_FILE_MAYBE => (PATH_FACT + PATH_BYTES) as u16,
        FACT_SOCK | FACT_ACCEPTED => SOCK_FACT as u16,
        FACT_CREDS => CRED_FACT as u16,
        FACT_SENT | FACT_SENT_MSG => SENT_FACT as u16,
        FACT_PIPE | FACT_PAIR => (8 + 2 * (GOT + SOCK_FACT)) as u16,
        FACT_RECEIVED | FACT_RECEIVED_ALL => (8 + LIST_BYTES) as u16,
        _ => 0,
    }
}

/// True if the record of a call with this effect changes what state keeps. (What forks, execs and new names do comes by
/// records of their own.)
fn changes_state(effect: Effect, files: bool) -> bool {
    match effect {
        Effect::None | Effect::Exec | Effect::Clone | Effect::Prctl => false,
        // Nearly every one changes nothing: told if it is wanted itself, and else the port is not known.
        Effect::Send | Effect::SendMsg => false,
        Effect::Chdir
        | Effect::Chroot
        | Effect::Creds
        | Effect::Setsid
        | Effect::Setpgid
        | Effect::Unshare
        | Effect::Setns => true,
        Effect::Open
        | Effect::Anon(_)
        | Effect::Close
        | Effect::CloseRange
        | Effect::Dup
        | Effect::DupTo
        | Effect::Fcntl
        | Effect::Ioctl
        | Effect::Pipe
        | Effect::Socketpair
        | Effect::Descriptor
        | Effect::MayOpen
        | Effect::MayAccept
        | Effect::Receive
        | Effect::ReceiveAll
        | Effect::Socket
        | Effect::Accept
        | Effect::Connect
        | Effect::Bind
        | Effect::Listen => files,
    }
}

/// True if it matters to other processes what a call with this effect changes: those that it leads or will be an ancestor
/// of tell what it is, but not what it has open.
fn is_own(effect: Effect) -> bool {
    changes_state(effect, true) && !changes_state(effect, false)
}

/// Effects that need an argument's bytes even for a state-only record.
fn state_needs_items(shape: &Shape) -> bool {
    // openat2 has its flags in memory, and with them whether exec closes the file.
    let how = shape.args.iter().any(|a| a.kind == Kind::Struct(Struct::OpenHow));
    how || matches!(shape.effect, Effect::Connect | Effect::Anon(Anon::Memfd))
}

fn op(kind: Kind, arg: u8, dir: Dir, snap: Snaplen, env: bool) -> Option<Op> {
    let how = match dir {
        Dir::In => 0,
        Dir::Out => HOW_OK,
        Dir::Before => HOW_ENTRY,
        Dir::Around => HOW_ENTRY | HOW_EXIT | HOW_OK,
    };
    let payload = snap.0.min(PAYLOAD_MAX);
    let len = |l: Len| match l {
        Len::Arg(n) => n,
        Len::Ret => LEN_RET,
        Len::Within(n) => LEN_WITHIN + n,
        Len::At(n) => LEN_AT + n,
    };
    let make = |code, len, max: u32, unit| Some(limited(Op { code, arg, len, how, max: 0, unit }, max));
    let deep = |code, len, max: u32, bytes: u32| make(code, len, max, bytes.div_ceil(8) as u16);
    let message = MESSAGE + MSG_NAME_MAX + MSG_CONTROL_MAX;
    match kind {
        Kind::Path | Kind::Str => make(OP_STR, LEN_FIXED, STR_MAX, 1),
        Kind::Bytes(l) => make(OP_BYTES, len(l), payload, 1),
        Kind::Sockaddr(l) => make(OP_BYTES, len(l), 128, 1),
        Kind::Iovec(l) => deep(OP_IOVEC, len(l), payload, 8 + payload),
        Kind::Msghdr => deep(OP_MSGHDR, LEN_FIXED, payload, message + payload),
        Kind::Mmsghdr(l) => {
            deep(OP_MMSGHDR, len(l), payload, (MESSAGES_BYTES + 4 * payload).min(MESSAGES_MAX))
        }
        Kind::FdSet(l) => {
            let o = make(OP_BYTES, len(l), FD_SET_MAX, 8)?;
            Some(Op { how: o.how | HOW_ENTRY | HOW_EXIT | HOW_BITS, ..o })
        }
        Kind::Pollfds(l) => make(OP_BYTES, len(l), 512, 8),
        // Packed on x86_64 only (include/uapi/linux/eventpoll.h).
        Kind::EpollEvents(l) => {
            make(OP_BYTES, len(l), 768, if cfg!(target_arch = "x86_64") { 12 } else { 16 })
        }
        Kind::Strings => deep(OP_STRINGS, LEN_FIXED, 0, STRINGS_BYTES),
        Kind::Environment if env => deep(OP_STRINGS, LEN_FIXED, 0, ENV_MAX),
        Kind::Environment => make(OP_NOTHING, LEN_FIXED, 0, 0),
        Kind::Msgbuf(l) => {
            let o = make(OP_BYTES, len(l) | LEN_MORE, 8 + payload, 1)?;
            Some(Op { how: o.how | HOW_BITS, ..o })
        }
        Kind::Pages(l) => {
            let o = make(OP_BYTES, len(l) | LEN_PAGES, payload, 1)?;
            Some(Op { how: o.how | HOW_BITS, ..o })
        }
        Kind::Pointers(s, l) => {
            deep(OP_STRUCTS, len(l), u32::from(s.size()), STRUCTS_MAX * u32::from(s.size()))
        }
        Kind::Struct(s) => make(OP_BYTES, LEN_FIXED, u32::from(s.size()), s.size()),
        Kind::Sized(s, l) => make(OP_BYTES, len(l), u32::from(s.size()), 1),
        // Whole elements only, but at least one.
        Kind::Array(s, l) => {
            let most = (LIST_MAX / s.size().max(1)).max(1) * s.size();
            make(OP_BYTES, len(l), u32::from(most), s.size())
        }
        Kind::By(choice) => match choice.copied {
            Copied::Nothing => None,
            Copied::Bytes(n) => make(OP_BYTES, LEN_FIXED, u32::from(n), n),
            Copied::Text(n) => make(OP_STR, LEN_FIXED, u32::from(n), 1),
            Copied::Counted(l, n) => make(OP_BYTES, len(l), u32::from(n), 1),
        },
        Kind::Unknown { item: true, .. } => make(OP_NOTHING, LEN_FIXED, 0, 0),
        _ => None,
    }
}

/// Most bytes that an operation adds to a record.
fn room(o: &Op) -> u32 {
    8 + if o.code >= OP_DEEP { u32::from(o.unit) * 8 } else { limit(o).next_multiple_of(8) }
}

/// True if an operation is done when the call begins, and not when it ends.
fn is_early(o: &Op) -> bool {
    o.how & (HOW_ENTRY | HOW_EXIT) == HOW_ENTRY
}

/// The plan of one call.
pub fn plan(shape: &Shape, interest: &Interest, snap: Snaplen) -> Plan {
    let mut p = Plan { want: 0, args: 0, ops: 0, fact: FACT_NONE, max: 0, state_max: 0, op: [NONE; OPS] };
    let full = interest.wants(shape.code);
    let state = interest.state && changes_state(shape.effect, interest.files);
    if !full && !state {
        return p;
    }
    if full {
        p.want |= WANT_FULL;
        if interest.bounded {
            p.want |= WANT_BOUND;
        }
    }
    if state {
        if interest.some && is_own(shape.effect) {
            p.want |= WANT_OWN;
        }
        p.want |= WANT_STATE;
        // A connect in progress fails with EINPROGRESS and still gives the socket its addresses.
        if shape.effect == Effect::Connect {
            p.want |= WANT_FAILED;
        }
        // For state alone, what needs bytes comes as a full record and is hidden outside (F_STATE is the reader's too).
        let by_text = shape.effect == Effect::Open && (interest.given || !interest.facts.paths);
        if by_text || state_needs_items(shape) {
            p.want |= WANT_FULL;
            p.want &= !WANT_BOUND;
        }
        p.fact = interest.facts.allow(fact_of(shape.effect)) | slot_of(shape.effect) << 4;
    }
    if full && interest.state && interest.files && matches!(shape.effect, Effect::Send | Effect::SendMsg) {
        p.fact = interest.facts.allow(fact_of(shape.effect));
    }
    p.args = shape.words().min(6) as u8;
    for (i, arg) in shape.args.iter().enumerate().take(6) {
        if let (Some(o), Some(slot)) =
            (op(arg.kind, i as u8, arg.dir, snap, interest.env), p.op.get_mut(usize::from(p.ops)))
        {
            *slot = o;
            p.ops += 1;
        }
    }
    let ops = usize::from(p.ops);
    if p.want & WANT_FULL != 0 && p.op.iter().take(ops).any(|o| o.how & HOW_ENTRY != 0) {
        p.want |= WANT_ENTRY;
    }
    // The words of an exec that may end as another are kept.
    if full && shape.effect == Effect::Exec && shape.args.first().is_some_and(|a| a.kind == Kind::DirFd) {
        p.want |= WANT_ENTRY;
    }
    // One loop a record is what the verifier walks in reasonable time: of two such arguments the last is copied, but for
    // arrays one after the other.
    let last = p.op.iter().take(ops).rposition(|o| !is_early(o)).unwrap_or(0);
    for i in 0..last {
        let array = |o: &Op| matches!(o.code, OP_STRINGS | OP_NOTHING);
        if p.op[i].code >= OP_DEEP && !p.op[i..=last].iter().all(array) {
            p.op[i].code = OP_NOTHING;
        }
    }
    // A word for what a number means.
    let fact = u32::from(fact_max(p.fact & 15)) + 8;
    let total = |p: &Plan| -> u32 { p.op.iter().take(usize::from(p.ops)).map(room).sum() };
    // If all were as long as they can be and that did not fit a record, the longest give way.
    while HEAD + 48 + total(&p) + fact > RECORD_MAX {
        let longest = p.op.iter().filter(|o| o.code < OP_DEEP).map(limit).max().unwrap_or(0);
        if longest == 0 {
            break;
        }
        for o in p.op.iter_mut().filter(|o| o.code < OP_DEEP && limit(o) == longest) {
            *o = limited(*o, longest / 2);
        }
    }
    let ops = total(&p);
    p.max = (HEAD + 48 + ops + fact).div_ceil(8) as u16;
    p.state_max = (HEAD + 48 + fact).div_ceil(8) as u16;
    p
}

/// The bytes of the whole `PLANS` map.
pub fn plans(schema: &Schema, interest: &Interest, snap: Snaplen) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(PLANS as usize * size_of::<Plan>());
    for nr in 0..PLANS as u16 {
        let p = match u32::from(nr) {
            PLAN_COMPAT => Plan {
                want: u8::from(interest.compat) * (WANT_FULL | if interest.bounded { WANT_BOUND } else { 0 }),
                args: 6,
                ops: 0,
                fact: FACT_NONE,
                // Six words, and the number if that is out of range.
                max: ((HEAD + 56) / 8) as u16,
                state_max: ((HEAD + 56) / 8) as u16,
                op: [NONE; OPS],
            },
            _ => plan(schema.shape(nr), interest, snap),
        };
        bytes.extend_from_slice(&[p.want, p.args, p.ops, p.fact]);
        bytes.extend_from_slice(&p.max.to_le_bytes());
        bytes.extend_from_slice(&p.state_max.to_le_bytes());
        for o in p.op {
            bytes.extend_from_slice(&[o.code, o.arg, o.len, o.how]);
            bytes.extend_from_slice(&o.max.to_le_bytes());
            bytes.extend_from_slice(&o.unit.to_le_bytes());
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Arch;

    #[test]
    fn every_plan_fits_a_record() {
        for arch in [Arch::X86_64, Arch::Aarch64] {
            let schema = Schema::native(arch);
            let all = Interest::new(&schema, true, |_| true);
            for shape in schema.shapes().take(PLANS as usize) {
                let p = plan(shape, &all, Snaplen(PAYLOAD_MAX));
                assert!(u32::from(p.max) * 8 <= RECORD_MAX, "{}: {} bytes", shape.name, p.max);
                let entry = p.op.iter().filter(|o| o.how & HOW_ENTRY != 0);
                assert!(HEAD + 48 + entry.map(room).sum::<u32>() <= ENTRY_MAX, "{}", shape.name);
                assert_eq!(u8::min(shape.items, OPS as u8), shape.items, "{} has too many items", shape.name);
                assert_eq!(p.ops, shape.items, "{}: one operation for each item", shape.name);
            }
        }
    }

    #[test]
    fn no_call_needs_two_loops() {
        for arch in [Arch::X86_64, Arch::Aarch64] {
            let schema = Schema::native(arch);
            let all = Interest::new(&schema, true, |_| true);
            for shape in schema.shapes().take(PLANS as usize) {
                let p = plan(shape, &Interest { env: true, ..all.clone() }, Snaplen(80));
                assert!(p.op.iter().all(|o| o.code != OP_NOTHING), "{} would lose an argument", shape.name);
                let closed = plan(shape, &all, Snaplen(80));
                let missing = closed.op.iter().filter(|o| o.code == OP_NOTHING).count();
                let secret = shape.args.iter().filter(|a| a.kind == Kind::Environment).count();
                assert_eq!(missing, secret, "{}: what nobody asked for is not copied", shape.name);
            }
        }
    }

    #[test]
    fn what_nobody_asked_for_is_rejected() {
        let schema = Schema::native(Arch::X86_64);
        let interest = Interest::new(&schema, false, |c| c == 257);
        assert_eq!(plan(schema.shape(0), &interest, Snaplen(80)).want, 0);
        assert_eq!(plan(schema.shape(257), &interest, Snaplen(80)).want, WANT_FULL);
        let interest = Interest::new(&schema, true, |_| false);
        let close = schema.code("close").expect("close");
        assert_eq!(plan(schema.shape(close), &interest, Snaplen(80)).want, WANT_STATE);
        // Nobody asks for names of files: what changes descriptors is rejected too, the working directory is not.
        let no_files = Interest { files: false, ..interest };
        assert_eq!(plan(schema.shape(close), &no_files, Snaplen(80)).want, 0);
        let chdir = schema.code("chdir").expect("chdir");
        assert_eq!(plan(schema.shape(chdir), &no_files, Snaplen(80)).want, WANT_STATE);
    }

    #[test]
    fn the_map_has_the_size_that_the_probe_expects() {
        let schema = Schema::native(Arch::X86_64);
        let bytes = plans(&schema, &Interest::new(&schema, true, |_| true), Snaplen(80));
        assert_eq!(bytes.len(), PLANS as usize * size_of::<Plan>());
        assert!(bytes.len() < 256 << 10, "plans are {} bytes", bytes.len());
    }

    #[test]
    fn probe_and_schema_agree_on_layouts() {
        use crate::schema::item;
        assert_eq!(item::MESSAGE, MESSAGE as usize);
        assert_eq!(size_of::<Message>(), MESSAGE as usize);
        let bits = [DATA_TOTAL, DATA_AT_LEAST, DATA_UNREADABLE, NAME_UNREADABLE, CONTROL_UNREADABLE];
        let ours = [
            item::DATA_TOTAL,
            item::DATA_AT_LEAST,
            item::DATA_UNREADABLE,
            item::NAME_UNREADABLE,
            item::CONTROL_UNREADABLE,
        ];
        assert_eq!(bits, ours);
    }

    #[test]
    fn limits_are_kept_to_the_byte() {
        for max in [0, 1, 80, 4097, 65535, 65536, 81920] {
            assert_eq!(limit(&limited(Op { how: HOW_OK | HOW_BITS, ..NONE }, max)), max);
        }
        let schema = Schema::native(Arch::X86_64);
        let all = Interest::new(&schema, true, |_| true);
        for snap in [0, 80, PAYLOAD_MAX] {
            let read = plan(schema.shape(schema.code("read").expect("read")), &all, Snaplen(snap));
            assert_eq!(limit(&read.op[0]), snap);
        }
    }
}
