//! The manual's part about `ps`, `lsof` and `netstat`.
//!
//! Enters: a page. Leaves: the page with one section more. Never: options, which the command line's own texts tell.

use clap_mangen::roff::Roff;

use super::section;

/// Adds the section.
pub(super) fn tables(page: &mut Roff) {
    section(
        page,
        "TABLES",
        &[
            "sysreel ps, lsof and netstat list processes, what they have open, and their sockets. Without -r they read /proc, \
             as captures do at their start, and load no probe; they leave themselves out. The filter is that of captures, \
             as far as it is about processes, users and files: proc.*, user.*, group.* and, but for ps, fd.*. On a terminal \
             the columns are aligned; elsewhere there is a tab between them, and a - where there is nothing.",
            "With -r they list what there was at a moment of a capture (--at, or its end). Each file of a capture of the whole \
             host without a filter begins with a snapshot of what there is; from the last one before that moment on they \
             follow what each call did: births, programs, ends, opens, copies, closes, pipes, connections. Where there is \
             none (a capture with a filter, of a command, with --no-snapshot or --no-ancestors, or before the first one) they list what events \
             mention. Standard error says which it was. Several -r name the files of a rotation.",
            "A ~ stands before what is not certain: what was open when events were lost, what a filter left to be guessed, \
             descriptors that came with a message (their number is known, not what they are), what a 32-bit process has \
             open after it changed it, the parent of a process whose parent has ended. What io_uring opens and closes is not seen.",
            "cut, merge, split and repair take snapshots along; a cut with a filter that is about processes, users and files \
             alone keeps what it holds for, any other filter and --no-ancestors leave them out. Parts that are dropped or redacted are so in \
             snapshots too. export and -r do not show them. With -C, a snapshot that would take more than a quarter of a file \
             is left out.",
        ],
    );
}
