//! Entries of a block's dictionary as what state holds.
//!
//! Enters: a batch, an entry. Leaves: its description, with the strings that are known already shared. Never: a table.

use crate::batch::{Batch, File, Proc, StrId, file_flags};
use crate::state::tables::{FileDesc, ProcDesc, ProcRef, Text};

/// A file of which nothing is known.
pub(super) fn unknown() -> FileDesc {
    FileDesc { flags: file_flags::UNCERTAIN, ..FileDesc::default() }
}

pub(super) fn same(known: &ProcRef, p: &Proc) -> bool {
    let start = known.desc.borrow().start;
    start == p.start || start == 0 || p.start == 0
}

pub(super) fn text(batch: &Batch, id: StrId, known: Option<&Option<Text>>) -> Option<Text> {
    let bytes = batch.dict.strings.find(id)?;
    let known = known.and_then(Option::as_ref).filter(|k| k[..] == *bytes);
    Some(known.cloned().unwrap_or_else(|| Text::from(bytes)))
}

pub(super) fn desc(batch: &Batch, p: &Proc, known: Option<&ProcDesc>) -> ProcDesc {
    ProcDesc {
        pid: p.pid,
        ppid: p.ppid,
        start: p.start,
        uid: p.uid,
        gid: p.gid,
        ruid: p.ruid,
        rgid: p.rgid,
        loginuid: p.loginuid,
        sid: p.sid,
        pgid: p.pgid,
        tty: p.tty,
        vpid: p.vpid,
        comm: text(batch, p.comm, known.map(|k| &k.comm)),
        exepath: text(batch, p.exepath, known.map(|k| &k.exepath)),
        args: text(batch, p.args, known.map(|k| &k.args)),
        cwd: text(batch, p.cwd, known.map(|k| &k.cwd)),
        cgroup: text(batch, p.cgroup, known.map(|k| &k.cgroup)),
        groups: known.map(|k| k.groups.clone()).unwrap_or_default(),
        flags: p.flags,
        threads: p.threads,
        exe_dev: 0,
        exe_ino: p.exe_ino,
        exe_ctime: p.exe_ctime,
        exe_mtime: p.exe_mtime,
        caps: p.caps,
        env: text(batch, p.env, known.map(|k| &k.env)),
    }
}

pub(super) fn file_desc(batch: &Batch, f: &File) -> FileDesc {
    FileDesc {
        kind: f.kind,
        role: f.role,
        l4: f.l4,
        name: text(batch, f.name, None),
        given: text(batch, f.given, None),
        dev: f.dev,
        ino: f.ino,
        lport: f.lport,
        rport: f.rport,
        laddr: f.laddr,
        raddr: f.raddr,
        flags: f.flags,
    }
}
