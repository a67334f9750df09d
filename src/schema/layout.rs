//! What bytes in memory are: layouts of structures, as data.
//!
//! Enters: nothing. Leaves: [`Is`], by which the renderers know what stands where. Never: bytes, rendering.
//!
//! Offsets and widths are those of the kernel's UAPI headers for 64-bit machines; a test asks the C compiler where there
//! is one.

use super::names::Names;

/// What bytes are. Numbers have their width in bytes; all are little-endian but where it is said.
#[derive(Clone, Copy, Debug)]
pub enum Is {
    /// A signed number.
    I(u8),
    /// An unsigned number.
    U(u8),
    /// An address or bits without names.
    X(u8),
    /// Permission bits.
    O(u8),
    /// An unsigned number in network order.
    Be(u8),
    /// Bits with names.
    Flags(u8, &'static Names),
    /// A number with names.
    Enum(u8, &'static Names),
    /// A number with names, in network order.
    BeEnum(u8, &'static Names),
    /// What a file is and its permissions.
    Mode(u8),
    /// A device number of user space.
    Dev,
    /// A device number in two halves: major, minor.
    MajorMinor,
    /// A signal number.
    Sig(u8),
    /// A descriptor.
    Fd,
    /// An error number, positive.
    Errno,
    /// A limit on resources, of which all ones is none.
    Limit,
    /// `i64` seconds, `i64` nanoseconds.
    Spec,
    /// The same, of which two numbers of nanoseconds mean "now" and "leave it".
    SpecNow,
    /// `i64` seconds, `u32` nanoseconds.
    SpecShort,
    /// `i64` seconds, `i64` microseconds.
    Val,
    /// A set of signals.
    Sigset,
    /// What a signal does: a default, or an address.
    Handler,
    /// A wait status.
    Wait,
    /// A `siginfo_t`.
    Siginfo,
    /// `struct __user_cap_data_struct[2]`, one of its three sets: 32 bits here, the 32 above them 12 bytes further on.
    Caps,
    /// `config` of a `struct perf_event_attr` that begins here, by its type.
    PerfConfig,
    /// The handle in a `struct file_handle` that begins here.
    Handle,
    /// In a `struct statmount` that begins here: where a string of it stands, and the bit of its mask that says so.
    Far(u16, u64),
    /// Directory entries, those of `getdents64` if true.
    Dirents(bool),
    /// A set of numbers, one bit for each: CPUs, nodes. All bytes from here on.
    Bits,
    /// At most so many bytes, ended by a NUL.
    Text(u16),
    /// Strings, each ended by a NUL. All bytes from here on.
    Texts,
    /// All bytes from here on.
    Rest,
    /// Four bytes are a signed number, any other length is bytes.
    NumberOrBytes,
    /// A `struct sockaddr` of that size.
    Sockaddr(u8),
    /// An IPv4 address.
    Ip4,
    /// An IPv6 address.
    Ip6,
    /// A command of `quotactl`: operation and kind of quota.
    Quota,
    /// Operation, comparison and their operands of `FUTEX_WAKE_OP`.
    FutexOp,
    /// A structure.
    Of(&'static [Member]),
    /// So many of these, one behind the other.
    List(&'static Is, u8),
    /// As many of these as there are.
    All(&'static Is),
    /// Text shows that it is what a pointer points to.
    At(&'static Is),
}

/// A member of a structure.
#[derive(Clone, Copy, Debug)]
pub struct Member {
    /// Its name.
    pub name: &'static str,
    /// Bytes from the beginning of the structure.
    pub at: u16,
    /// What it is.
    pub is: Is,
    /// It is left out if it is zero.
    pub unless_zero: bool,
}

impl Is {
    /// Bytes that it takes; 0 for what takes all that there is.
    pub const fn width(self) -> usize {
        match self {
            Is::I(w)
            | Is::U(w)
            | Is::X(w)
            | Is::O(w)
            | Is::Be(w)
            | Is::Flags(w, _)
            | Is::Enum(w, _)
            | Is::BeEnum(w, _)
            | Is::Mode(w)
            | Is::Sig(w)
            | Is::Sockaddr(w) => w as usize,
            Is::Fd | Is::Errno | Is::Wait | Is::Ip4 | Is::Quota | Is::FutexOp => 4,
            Is::Dev | Is::MajorMinor | Is::Limit | Is::Sigset | Is::Handler | Is::Handle => 8,
            Is::SpecShort | Is::Siginfo => 12,
            Is::Spec | Is::SpecNow | Is::Val | Is::Caps | Is::Ip6 | Is::PerfConfig => 16,
            Is::Text(n) => n as usize,
            Is::Far(..)
            | Is::Dirents(_)
            | Is::Bits
            | Is::Texts
            | Is::Rest
            | Is::NumberOrBytes
            | Is::All(_) => 0,
            Is::Of(members) => {
                let (mut end, mut i) = (0, 0);
                while i < members.len() {
                    let to = members[i].at as usize + members[i].is.width();
                    if to > end {
                        end = to;
                    }
                    i += 1;
                }
                end
            }
            Is::List(one, n) => one.width() * n as usize,
            Is::At(one) => one.width(),
        }
    }
}

/// Layouts read like the headers: `offset name: what`, and `offset name unless 0: what` for what is left out if zero.
macro_rules! layout {
    ($($at:literal $name:ident $(unless $zero:literal)? : $is:expr),* $(,)?) => {{
        #[allow(unused_imports, reason = "not every layout uses every form")]
        use $crate::schema::layout::{Is::*, Member};
        const MEMBERS: &[Member] = &[$(Member {
            name: stringify!($name),
            at: $at,
            is: $is,
            unless_zero: false $(|| $zero == 0)?,
        }),*];
        MEMBERS
    }};
}
pub(super) use layout;
