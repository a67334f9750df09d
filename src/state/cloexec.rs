//! Whether exec closes what a call made, by its arguments.
//!
//! Enters: what the call does, its shape, its words and what they point to. Leaves: yes or no. Never: the kernel's own word
//! (`Record::cloexec`): where that is there, it comes first, for other threads may have set it meanwhile.

use crate::schema::{Anon, Effect, Kind, Shape, Struct};

const O_CLOEXEC: u64 = 0o2000000;

/// The flags of an open, wherever they stand; `pointed` gives the first 8 bytes that an argument points to.
pub fn opened_flags(
    shape: &Shape,
    word: impl Fn(usize) -> u64,
    pointed: impl Fn(usize) -> Option<u64>,
) -> u64 {
    let flags = shape.args.iter().enumerate().find_map(|(i, a)| match a.kind {
        Kind::Flags(t) if matches!(t.name, "open" | "open_tree") => Some(word(i)),
        Kind::Struct(Struct::OpenHow) | Kind::Sized(Struct::OpenHow, _) => pointed(i),
        _ => None,
    });
    flags.unwrap_or(0)
}

/// Most flags words use the value of O_CLOEXEC; the others are these.
pub fn closes(
    effect: Effect,
    shape: &Shape,
    word: impl Fn(usize) -> u64,
    pointed: impl Fn(usize) -> Option<u64>,
) -> bool {
    let flags = |name: &str| shape.arg(name).map_or(0, |(i, _)| word(i));
    match effect {
        Effect::Open => opened_flags(shape, word, pointed) & O_CLOEXEC != 0,
        Effect::Socket | Effect::Socketpair => flags("type") & O_CLOEXEC != 0,
        Effect::Anon(Anon::Pidfd | Anon::IoUring) => true,
        Effect::Anon(Anon::Memfd | Anon::Fanotify) => flags("flags") & 1 != 0,
        Effect::Anon(Anon::Perf) => flags("flags") & 8 != 0,
        // These two always set it; FSOPEN_CLOEXEC and its like are 1 (include/uapi/linux/mount.h).
        Effect::Descriptor => {
            matches!(&*shape.name, "pidfd_getfd" | "mq_open") || flags("flags") & (O_CLOEXEC | 1) != 0
        }
        // If nothing else is asked for (io_install_fixed_fd_prep in io_uring/openclose.c).
        Effect::MayOpen if &*shape.name == "uring_fixed_fd_install" => true,
        // A socket by a ring has them with its type.
        Effect::MayOpen => (flags("flags") | flags("type")) & O_CLOEXEC != 0,
        _ => flags("flags") & O_CLOEXEC != 0,
    }
}
