// The contract between the probe and user space: what lies in the shared maps, to the byte.
//
// Both sides compile this file (the probe as part of its object, the program as `source::abi`), so a field cannot drift;
// a hash of the constants below is checked when the object is loaded. no_std, no dependencies.

/// Changes whenever the layout does; the loader compares it with the object's own `ABI`.
pub const ABI_VERSION: u32 = 10;

/// Bits of an offset in a chunk: one `and` bounds it for the verifier on every path alike. (A comparison would do too, but
/// leaves two states, and loops then never converge.)
pub const SPAN_BITS: u32 = 17;
/// A ring is made of chunks that hold this many bytes of records: more than the largest record, which never goes on in
/// another chunk.
pub const SPAN: u32 = 1 << SPAN_BITS;
/// Most bytes of one copy; all ones, for the same reason. What is longer is copied in pieces.
pub const PIECE: u32 = 0x1fff;
/// Size of a chunk, the value of one element of the `CHUNKS` map: behind the records, room for one copy of at most
/// [`PIECE`] bytes that starts at the last offset; records never reach into it.
pub const CHUNK: u32 = SPAN + PIECE + 1 + 64;
/// Most bytes of a buffer's item.
pub const PAYLOAD_MAX: u32 = 65536;
/// Room for a string with its NUL: one byte more than PATH_MAX, so that the longest path is known to be whole.
pub const STR_MAX: u32 = 4097;
/// A record's first word with this length means: the rest of the chunk is empty.
pub const HOP: u16 = 0xffff;
/// Largest record.
pub const RECORD_MAX: u32 = 98304;

/// Head of every record; arguments (8 bytes each) follow, then items, then the fact.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Head {
    /// Length of the whole record in units of 8 bytes.
    pub len: u16,
    /// Number of the call, or one of the `REC_` codes.
    pub code: u16,
    /// `F_` bits.
    pub flags: u16,
    /// Arguments in the low byte, items in the high byte.
    pub counts: u16,
    /// End of the call, boot clock, ns.
    pub time: u64,
    /// Counts every record of this CPU, dropped ones too: a gap is a loss.
    pub seq: u32,
    /// Thread, initial pid namespace.
    pub tid: u32,
    /// Process (thread group).
    pub pid: u32,
    /// Kind of the fact that follows the items, `FACT_`, in the low [`FACT_BITS`]; above them the parent's process id (what
    /// `real_parent` is now, initial pid namespace), 0 if there is none.
    pub fact: u32,
    /// Entry to exit, ns; `u64::MAX` if not known.
    pub latency: u64,
    /// The result.
    pub ret: i64,
}
/// Size of [`Head`].
pub const HEAD: u32 = 48;
/// Bits of [`Head::fact`] that name the fact.
pub const FACT_BITS: u32 = 8;

/// The call is only for state: not to be shown.
pub const F_STATE: u16 = 1;
/// A 32-bit call.
pub const F_COMPAT: u16 = 2;
/// A slot was there but belonged to another thread or call (a collision).
pub const F_COLLISION: u16 = 8;
/// Since the last record of this CPU, one that told of a change of state was dropped.
pub const F_BLIND: u16 = 16;
/// Exec closes the descriptor that a [`FACT_FILE`] or [`F_SLOT`] is of.
pub const F_CLOEXEC: u16 = 32;
/// The last word of the record is the address of the `struct file` that the number of the call's descriptor means at the
/// call's end, 0 if it means none. Only of tables that several tasks use, where the order of records is not that of effects.
pub const F_SLOT: u16 = 64;

/// Codes of records that are not calls.
pub const REC_FORK: u16 = 0x7f00;
/// A successful exec.
pub const REC_EXEC: u16 = 0x7f01;
/// A thread ended.
pub const REC_EXIT: u16 = 0x7f02;
/// A thread's name changed.
pub const REC_RENAME: u16 = 0x7f03;
/// A call began that will overwrite some of its arguments: its items are those arguments as they were ([`HOW_ENTRY`]), its
/// result is the number of the call, its time the call's entry.
pub const REC_ENTRY: u16 = 0x7f04;
/// A task was moved into a control group: tid and pid are its.
pub const REC_ATTACH: u16 = 0x7f05;
/// A control group was made.
pub const REC_MKDIR: u16 = 0x7f06;
/// A CPU turned from this task to another; words: that, its name (an item), the state that this one is left in. The latency
/// is how long it had the CPU.
pub const REC_SWITCH: u16 = 0x7f07;
/// A signal was sent to this task; words: number, code, sending process, its name (an item), whether the whole process is
/// meant, what became of it (`TRACE_SIGNAL_`).
pub const REC_SIGNAL: u16 = 0x7f08;
/// A signal is taken; words: number, code, what is done: 0 the default, 1 nothing, 2 the program's own handler.
pub const REC_DELIVER: u16 = 0x7f09;
/// A page was missing; words: address, instruction, error code.
pub const REC_FAULT: u16 = 0x7f0a;
/// io_uring took a request; words: descriptor, length, `IOSQE_` flags, `user_data`, the flags of what it
/// opens or accepts (a socket's: family in place of the descriptor, type in that of the length), then the addresses of request and ring,
/// and the operation. If it has a path, that is an item.
pub const REC_SUBMIT: u16 = 0x7f0b;
/// A request of io_uring has a result; words: the addresses of request (or 0) and ring, `user_data`, and one of operation (or
/// 255), above it `IOSQE_` flags, in the upper half those of the result; what was closed, or -1. The fact is of what it opened, or of the file that a
/// number of the ring's own means, or of the socket that it gave an address. Flags as of calls.
pub const REC_DONE: u16 = 0x7f0c;

/// Head of an item: its bytes follow, padded to 8.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct ItemHead {
    /// Bytes.
    pub len: u32,
    /// `ITEM_` status.
    pub status: u32,
}
/// All bytes are there.
pub const ITEM_OK: u32 = 0;
/// There was nothing to copy.
pub const ITEM_ABSENT: u32 = 1;
/// The memory could not be read.
pub const ITEM_UNREADABLE: u32 = 2;
/// More bytes existed.
pub const ITEM_CUT: u32 = 3;
/// The bytes are in the record of the call's entry.
pub const ITEM_ENTRY: u32 = 4;

/// What to copy for one argument.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Op {
    /// `OP_` code.
    pub code: u8,
    /// The argument that points to it.
    pub arg: u8,
    /// Where the length is: argument 0 to 5, or `LEN_`.
    pub len: u8,
    /// `HOW_` bits; the upper four are bits 16 to 19 of `max`.
    pub how: u8,
    /// Most bytes, their lower 16 bits.
    pub max: u16,
    /// Bytes per counted element; or the fixed size for `LEN_FIXED`; or, from `OP_DEEP` on, the most bytes of the whole item
    /// in units of 8 (`max` is then for the data of one message).
    pub unit: u16,
}
/// Only if the call succeeded.
pub const HOW_OK: u8 = 1;
/// At the call's entry, into a record of its own ([`REC_ENTRY`]), as the call overwrites it.
pub const HOW_ENTRY: u8 = 2;
/// With `HOW_ENTRY`: at the exit as well.
pub const HOW_EXIT: u8 = 4;
/// The length is a number of bits, which come in words of 64; or with [`LEN_MORE`] or [`LEN_PAGES`] what those say.
pub const HOW_BITS: u8 = 8;
/// A NUL-terminated string.
pub const OP_STR: u8 = 1;
/// A run of bytes.
pub const OP_BYTES: u8 = 2;
/// Nothing can be copied (the reader still expects an item).
pub const OP_NOTHING: u8 = 3;
/// From here on an operation takes a loop of its own: a plan has at most one, and it is the last.
pub const OP_DEEP: u8 = 4;
/// An iovec array: a [`data word`](DATA_AT_LEAST), then the data, joined.
pub const OP_IOVEC: u8 = 4;
/// A `struct msghdr`: [`Message`], then name, control messages and data.
pub const OP_MSGHDR: u8 = 5;
/// An array of `struct mmsghdr`: as many of the same.
pub const OP_MMSGHDR: u8 = 6;
/// A NULL-terminated array of pointers to strings. Arrays may follow each other in a plan: one loop takes them all.
pub const OP_STRINGS: u8 = 7;
/// An array of pointers to structures of `max` bytes: those, one behind the other.
pub const OP_STRUCTS: u8 = 8;

/// What stands before joined data is a word: its lower 56 bits are the bytes that there were (the result if it tells, else
/// the sum of the lengths), the upper 8 these bits. This one: there were more iovecs than the walk takes.
pub const DATA_AT_LEAST: u64 = 1 << 56;
/// The data could not be read from here on.
pub const DATA_UNREADABLE: u64 = 1 << 57;
/// The name could not be read.
pub const NAME_UNREADABLE: u64 = 1 << 58;
/// The control messages could not be read.
pub const CONTROL_UNREADABLE: u64 = 1 << 59;
/// The bytes themselves.
pub const DATA_TOTAL: u64 = (1 << 56) - 1;

/// Head of a message; its name, its control messages and its data follow, without padding.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Message {
    /// The data word.
    pub word: u64,
    /// Bytes of data.
    pub data: u32,
    /// `msg_len` of a `struct mmsghdr`.
    pub len: u32,
    /// Bytes of the name.
    pub name: u32,
    /// Of how many (`msg_namelen`).
    pub name_len: u32,
    /// Bytes of control messages.
    pub control: u32,
    /// `msg_flags`.
    pub flags: u32,
    /// Of how many (`msg_controllen`).
    pub control_len: u64,
}
/// Size of [`Message`].
pub const MESSAGE: u32 = 40;
/// Most bytes of a message's name: `struct sockaddr_storage`.
pub const MSG_NAME_MAX: u32 = 128;
/// Most bytes of a message's control messages: SCM_RIGHTS with the most descriptors that the kernel takes (253) has 1028.
pub const MSG_CONTROL_MAX: u32 = 2047;
/// Most steps of the walk over messages, their iovecs, and pieces of those.
pub const WALK_STEPS: u32 = 64;
/// Most strings of an array.
pub const STRINGS_MAX: u32 = 64;
/// Most structures of an array of pointers to them.
pub const STRUCTS_MAX: u32 = 8;
/// Most bytes of the environment of a new program, if it is asked for at all: the `ENV_BYTES` that the loader sets.
pub const ENV_MAX: u32 = 16384;

/// The length is the result.
pub const LEN_RET: u8 = 6;
/// The length is `unit`.
pub const LEN_FIXED: u8 = 7;
/// The length is the result, but at most argument `len - LEN_WITHIN`: the call may tell more than it wrote.
pub const LEN_WITHIN: u8 = 8;
/// The length is a `u32` where argument `len - LEN_AT` points.
pub const LEN_AT: u8 = 16;
/// With another and [`HOW_BITS`]: and a word more.
pub const LEN_MORE: u8 = 32;
/// With another and [`HOW_BITS`]: a number of bytes; there is one for each page.
pub const LEN_PAGES: u8 = 64;

/// Numbers from `low` on: `width` more than the first, ends included. With wrapping arithmetic one comparison decides.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The first.
    pub low: i64,
    /// How many more.
    pub width: u64,
}
/// Spans of one bound; one that needs fewer repeats one of them.
pub const SPANS: usize = 4;

/// What every event has in common that can match: the only element of the `BOUNDS` map.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// `BOUND_` bits: what is tested.
    pub what: u32,
    /// Unused.
    pub pad: u32,
    /// Least latency, ns.
    pub latency: u64,
    /// The result.
    pub results: [Span; SPANS],
    /// The effective user id.
    pub uids: [Span; SPANS],
}
/// Size of [`Bounds`].
pub const BOUNDS: u32 = 16 + 32 * SPANS as u32;
/// Offset of `results`.
pub const BOUND_RESULTS: u32 = 16;
/// Offset of `uids`.
pub const BOUND_UIDS: u32 = 16 + 16 * SPANS as u32;
/// Processes marked [`SCOPE_MAY`].
pub const BOUND_PROCS: u32 = 1;
/// With it: a child of one marked [`SCOPE_HEIR`] is marked too.
pub const BOUND_TREE: u32 = 2;
/// Processes are tested at the entry already: the time of entry of what they reject is never needed.
pub const BOUND_EARLY: u32 = 4;
/// The effective user id.
pub const BOUND_USER: u32 = 8;
/// The result.
pub const BOUND_RESULT: u32 = 16;
/// The latency.
pub const BOUND_LATENCY: u32 = 32;
/// The control group in the unified hierarchy: none of those that the `GROUPS` map names.
pub const BOUND_GROUP: u32 = 64;

/// Why a call was rejected: index in [`Producer::rejected`]. Its number.
pub const REJECT_NUMBER: u32 = 0;
/// Its process.
pub const REJECT_PROCESS: u32 = 1;
/// Its user.
pub const REJECT_USER: u32 = 2;
/// Its result.
pub const REJECT_RESULT: u32 = 3;
/// Its latency.
pub const REJECT_LATENCY: u32 = 4;
/// Its control group.
pub const REJECT_GROUP: u32 = 5;
/// Causes.
pub const REJECTS: usize = 6;

/// Elements of the `GROUPS` map if [`BOUND_GROUP`] is to be set (else it has one): each is 0, or the id of a control group of
/// which nothing can match, at the low bits of that id. A group whose place another has passes.
pub const GROUPS: u32 = 65536;

/// Operations of one plan: with its head a plan is 64 bytes, so that three bits name an operation.
pub const OPS: usize = 7;

/// What to do with one call: the element of the `PLANS` map at the call's number.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// `WANT_` bits; 0 rejects.
    pub want: u8,
    /// Arguments.
    pub args: u8,
    /// Operations.
    pub ops: u8,
    /// Fact to append on success; in the upper four bits `SLOT_`.
    pub fact: u8,
    /// Most bytes of a full record, in units of 8.
    pub max: u16,
    /// Most bytes of a state-only record, in units of 8.
    pub state_max: u16,
    /// The operations.
    pub op: [Op; OPS],
}

/// A full record.
pub const WANT_FULL: u8 = 1;
/// At least the result and the fact, for state.
pub const WANT_STATE: u8 = 2;
/// The state needs this call even if it failed (a connect in progress).
pub const WANT_FAILED: u8 = 4;
/// A full record has items with [`HOW_ENTRY`].
pub const WANT_ENTRY: u8 = 8;
/// A full record is wanted only within the [`Bounds`].
pub const WANT_BOUND: u8 = 16;
/// What the call changes matters to its own process alone: nothing is wanted of processes outside of the bounds.
pub const WANT_OWN: u8 = 32;
/// Most bytes of a record of an entry; what is read at entry is short.
pub const ENTRY_MAX: u32 = 4096;

/// Plans: one per call number, the last for 32-bit calls.
pub const PLANS: u32 = 1024;
/// The code of a call whose number has no plan, whatever the number: it is word 6. A number must never be taken for one of
/// the `REC_` codes, nor for the call that its low half names.
pub const CALL_OTHER: u16 = PLANS as u16;
/// Index of the plan for all 32-bit calls.
pub const PLAN_COMPAT: u32 = 1023;
/// Indexes of the plans of records that are not calls (only their `want` is used).
pub const PLAN_EXIT: u32 = 1022;

/// Whose number [`F_SLOT`] is about: the result's.
pub const SLOT_RET: u8 = 1;
/// Argument 0's.
pub const SLOT_ARG0: u8 = 2;
/// Argument 1's.
pub const SLOT_ARG1: u8 = 3;
/// No fact.
pub const FACT_NONE: u8 = 0;
/// [`PathFact`] of the descriptor in the result.
pub const FACT_OPENED: u8 = 1;
/// [`PathFact`] of the working directory.
pub const FACT_CWD: u8 = 2;
/// [`SockFact`] of the descriptor in argument 0.
pub const FACT_SOCK: u8 = 3;
/// [`SockFact`] of the descriptor in the result.
pub const FACT_ACCEPTED: u8 = 4;
/// [`CredFact`].
pub const FACT_CREDS: u8 = 5;
/// A list of [`Got`] (before it a word, its bytes): the descriptors of the pair that argument 0 points to.
pub const FACT_PIPE: u8 = 6;
/// What the descriptor in the result is: told as [`FACT_OPENED`] or [`FACT_ACCEPTED`].
pub const FACT_FILE: u8 = 7;
/// The same if the result is more than 2: it may be a descriptor, and what that is is true in any case.
pub const FACT_FILE_MAYBE: u8 = 8;
/// The same of the pair that argument 3 points to.
pub const FACT_PAIR: u8 = 9;
/// The same of the descriptors that came by SCM_RIGHTS and SCM_PIDFD, with the message that argument 1 points to.
pub const FACT_RECEIVED: u8 = 10;
/// The same, with as many messages as the result says.
pub const FACT_RECEIVED_ALL: u8 = 11;
/// [`SentFact`] of the descriptor in argument 0, if argument 4 is an address: it has a local one by then.
pub const FACT_SENT: u8 = 12;
/// The same, if the message that argument 1 points to has an address.
pub const FACT_SENT_MSG: u8 = 13;

/// What sending made of a socket that was not bound.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct SentFact {
    /// Inode of the socket; 0 if it is none.
    pub ino: u64,
    /// AF_.
    pub family: u16,
    /// Local port, host order.
    pub lport: u16,
    /// Port id of a netlink socket.
    pub port: u32,
}
/// Size of [`SentFact`].
pub const SENT_FACT: u32 = 16;

/// A descriptor, and what it is.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Got {
    /// Inode number.
    pub ino: u64,
    /// Device of the file system (kernel encoding).
    pub dev: u32,
    /// `i_mode`.
    pub mode: u32,
    /// Its number.
    pub fd: u32,
    /// [`GOT_SOCK`], [`GOT_CLOEXEC`].
    pub flags: u32,
    /// The address of its `struct file`.
    pub file: u64,
    /// Bytes of names that follow, padded to 8, as those of a [`PathFact`]; 0 of a socket.
    pub len: u32,
    /// `PATH_` status.
    pub status: u32,
}
/// Size of [`Got`].
pub const GOT: u32 = 40;
/// A [`SockFact`] follows.
pub const GOT_SOCK: u32 = 1;
/// Exec closes it.
pub const GOT_CLOEXEC: u32 = 2;
/// Most bytes of a list: 253 descriptors are the most of one message (SCM_MAX_FD in include/net/scm.h).
pub const LIST_BYTES: u32 = 24576;
/// Most steps that make a list.
pub const LIST_STEPS: u32 = 8192;

/// A path: these numbers, then the names from the last component up to the root of the process, each NUL-terminated.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct PathFact {
    /// Inode number.
    pub ino: u64,
    /// Device of the file system (kernel encoding).
    pub dev: u32,
    /// `i_mode`; 0 for a directory that is known to be one.
    pub mode: u32,
    /// Bytes of names.
    pub len: u32,
    /// `PATH_` status.
    pub status: u32,
}
/// Size of [`PathFact`].
pub const PATH_FACT: u32 = 24;
/// The walk arrived at the root of the process.
pub const PATH_OK: u32 = 0;
/// The walk ended at a root that is not the process's: an internal mount, or outside its root.
pub const PATH_FOREIGN: u32 = 1;
/// The path has more components than the walk takes.
pub const PATH_DEEP: u32 = 2;
/// The descriptor was gone.
pub const PATH_GONE: u32 = 3;
/// Most components of a walk, mounts crossed counted too.
pub const WALK: u32 = 40;
/// Most bytes of one component and its NUL.
pub const NAME_MAX: u32 = 256;
/// Most bytes of names.
pub const PATH_BYTES: u32 = 4096;

/// A socket.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct SockFact {
    /// Inode of the socket.
    pub ino: u64,
    /// AF_.
    pub family: u16,
    /// SOCK_.
    pub ty: u16,
    /// IPPROTO_.
    pub protocol: u16,
    /// Local port, host order.
    pub lport: u16,
    /// Remote port, host order.
    pub rport: u16,
    /// TCP_.
    pub state: u16,
    /// 1 if the descriptor was a socket.
    pub ok: u32,
    /// Local address. Of other families: netlink's port id; of packets the interface and the protocol (host order) of 4 bytes
    /// each; vsock's port and CID; the process at the other end of a unix socket.
    pub laddr: [u8; 16],
    /// Remote address; vsock's likewise.
    pub raddr: [u8; 16],
    /// Unix: bytes of the own name and of the peer's.
    pub llen: u32,
    /// See `llen`.
    pub rlen: u32,
    /// Own name (`sun_path`).
    pub lname: [u8; 112],
    /// Peer's name.
    pub rname: [u8; 112],
}
/// Size of [`SockFact`].
pub const SOCK_FACT: u32 = 288;

/// Credentials.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct CredFact {
    /// Real, then effective ids.
    pub uid: u32,
    /// Real group.
    pub gid: u32,
    /// Effective user.
    pub euid: u32,
    /// Effective group.
    pub egid: u32,
    /// 1: it is in another user namespace than the first.
    pub users: u32,
    /// Unused.
    pub pad: u32,
}
/// Size of [`CredFact`].
pub const CRED_FACT: u32 = 24;

/// Body of [`REC_FORK`], after the head (tid, pid are the parent's).
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Fork {
    /// The new thread.
    pub tid: u32,
    /// Its process.
    pub pid: u32,
    /// Its start, boot clock, ns.
    pub start: u64,
    /// `FORK_` bits.
    pub shares: u32,
    /// The parent's process id: not the one that forked with CLONE_PARENT.
    pub parent: u32,
    /// The control group of the new thread in the unified hierarchy; 0 if that is not known.
    pub group: u64,
}
/// Size of [`Fork`].
pub const FORK: u32 = 32;
/// The descriptor table is shared.
pub const FORK_FILES: u32 = 1;
/// Working directory and root are shared.
pub const FORK_FS: u32 = 2;
/// The new process may match: see [`SCOPE_MAY`].
pub const FORK_MAY: u32 = 4;
/// Several tasks used the parent's descriptors, so that what the copy holds is told: a word with how many numbers it has
/// (at most [`FORK_FDS`] of them are told), of each the address of its `struct file` or 0, and a bit of each that exec closes.
pub const FORK_TABLE: u32 = 16;
/// See [`FORK_TABLE`].
pub const FORK_FDS: u32 = 960;
/// It is not in the control groups of the leader of the thread that forked.
pub const FORK_GROUPS: u32 = 8;
/// It is in another user namespace than the first.
pub const FORK_USERS: u32 = 32;

/// Body of [`REC_EXEC`]: then the path fact of the executable with its names padded to 8, then four items: the path as
/// given, the arguments, the environment (absent unless it is asked for), comm.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Exec {
    /// Credentials after it.
    pub creds: CredFact,
    /// Thread id before it.
    pub old_tid: u32,
    /// Number of the call that it came by, as it was at the entry; `u32::MAX` if that is not known. (The head's latency
    /// tells when that was.)
    pub nr: u32,
    /// Variables of its environment.
    pub envc: u32,
    /// Unused.
    pub pad: u32,
}
/// Size of [`Exec`].
pub const EXEC: u32 = 40;

/// Body of [`REC_ATTACH`] and [`REC_MKDIR`]: then an item, the path in its hierarchy.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Group {
    /// The control group (`kernfs_node::id`).
    pub id: u64,
    /// Its hierarchy; 0 is the unified one.
    pub hierarchy: u32,
    /// Unused.
    pub pad: u32,
}
/// Size of [`Group`].
pub const GROUP: u32 = 16;
/// Room for its path: the kernel tells hooks no more (TRACE_CGROUP_PATH_LEN in kernel/cgroup/cgroup-internal.h).
pub const GROUP_PATH: u32 = 1024;

/// Body of [`REC_EXIT`].
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Exit {
    /// `task->exit_code`.
    pub code: u32,
    /// `signal->group_exit_code`.
    pub group_code: u32,
    /// 1: it was the last thread of its process.
    pub last: u32,
    /// Number of the call in which it ended, or `u32::MAX`.
    pub nr: u32,
}
/// Size of [`Exit`].
pub const EXIT: u32 = 16;

/// A call in flight: the element of the `SLOTS` map at [`slot`] of the thread.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Slot {
    /// The thread; 0 is free. Written last.
    pub tid: u32,
    /// Number of the call.
    pub nr: u32,
    /// Entry, boot clock, ns.
    pub time: u64,
}
/// Number of slots.
pub const SLOTS: u32 = 65536;

/// Where a thread's slot is: one-to-one on 16 bits, and neighbours 64 bytes apart (neighbouring tids run on different
/// CPUs; sharing a cache line costs more than the whole record).
#[inline(always)]
pub const fn slot(tid: u32) -> u32 {
    ((tid << 2) | ((tid >> 14) & 3)) & (SLOTS - 1)
}

/// Control page of one CPU: written by the probe.
#[repr(C)]
pub struct Producer {
    /// Position behind the last record: chunk number in the upper bits, offset in the low [`SPAN_BITS`].
    pub head: u64,
    /// 1 while a record is being written. Set before the clock is read.
    pub busy: u64,
    /// Records made, dropped ones included.
    pub seq: u64,
    /// Dropped because the ring was full.
    pub lost_full: u64,
    /// Dropped because the probe was entered again on the same CPU.
    pub lost_nested: u64,
    /// Of `seq`: records only for state.
    pub state: u64,
    /// Entry slots that belonged to another thread or call.
    pub collisions: u64,
    /// Dropped because the ring was filling, and its process had had its share.
    pub lost_share: u64,
    /// Calls that were rejected, by cause; no record was made of them, so `seq` does not count them.
    pub rejected: [u64; REJECTS],
    /// [`F_BLIND`] if the next record is to tell it.
    pub blind: u64,
    /// While the ring is filling: the process of the last record, and above it that record's number.
    pub last: u64,
    /// Where that record begins.
    pub last_head: u64,
    /// Dropped that told of a change of state.
    pub blinds: u64,
    /// When the first of those was dropped of which the reader does not know: see [`BLINDS_KNOWN`].
    pub blind_at: u64,
    /// When this CPU last turned to another task.
    pub switched: u64,
}
/// Offset of `collisions`.
pub const COLLISIONS: u32 = 48;
/// Offset of `lost_full`.
pub const LOST_FULL: u32 = 24;
/// Offset of `lost_share`.
pub const LOST_SHARE: u32 = 56;
/// Offset of `rejected`.
pub const REJECTED: u32 = 64;
/// Offset of `blind`.
pub const BLIND: u32 = REJECTED + 8 * REJECTS as u32;
/// Offset of `last`.
pub const LAST: u32 = BLIND + 8;
/// Offset of `blinds`.
pub const BLINDS: u32 = LAST + 16;
/// Offset of `blind_at`.
pub const BLIND_AT: u32 = BLINDS + 8;
/// Offset of `switched`.
pub const SWITCHED: u32 = BLIND_AT + 8;
/// Where the probe keeps numbers of its own on the control page, see `Rec::forget`.
pub const SCRATCH: u32 = 256;
/// Where it reads structures of the kernel to.
pub const NEAR: u32 = SCRATCH + 256;
const _: () = assert!(core::mem::size_of::<Producer>() <= SCRATCH as usize);

/// What processes have put into a ring that is filling: an element of the `SHARES` map, one a CPU, has [`SHARES`] of these,
/// by the process's number.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Share {
    /// The process.
    pub pid: u32,
    /// Which half of a ring's bytes the reader was reading, counted from the start: older counts are void.
    pub epoch: u32,
    /// Bytes.
    pub bytes: u64,
}
/// Number of shares of a CPU.
pub const SHARES: u32 = 1024;
/// Offset of the reader's page in the control element: `tail`, the position up to which the reader has read.
pub const TAIL: usize = 4096;
/// Behind it: the count of `blinds` that the reader knows.
pub const BLINDS_KNOWN: usize = TAIL + 8;
/// Size of the control element.
pub const CTL: u32 = 8192;

/// The bits of a mark that are one of the four below: what is traced at all. The others are about the bounds.
pub const SCOPE_BITS: u8 = 3;
/// Scope of a process: not marked.
pub const SCOPE_NONE: u8 = 0;
/// In scope.
pub const SCOPE_IN: u8 = 1;
/// Never traced: ourselves and those who read or draw our output.
pub const SCOPE_OUT: u8 = 2;
/// Not yet, but from its next exec on: the command that `run` starts.
pub const SCOPE_AT_EXEC: u8 = 3;
/// Within the bounds.
pub const SCOPE_MAY: u8 = 0x10;
/// And so are its children.
pub const SCOPE_HEIR: u8 = 0x20;
/// The marks belong to the number: whatever process has it, now or later.
pub const SCOPE_PINNED: u8 = 0x40;
/// Shares its descriptors with another process: what it does to them always matters.
pub const SCOPE_SHARES: u8 = 0x80;
/// Elements of the `SCOPE` map: a byte per pid up to the largest pid_max.
pub const SCOPES: u32 = 64;
/// Size of one.
pub const SCOPE: u32 = 65536;
