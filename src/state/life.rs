//! The life of processes: fork, exec, a new name, exit.
//!
//! Enters: the probe's records of them. Leaves: processes made, changed and ended; the rows of ends. Never: a call.

use std::cell::RefCell;
use std::rc::Rc;

use super::descriptors::TableRef;
use super::tables::{Begun, PendingExec, ProcDesc, ProcEntity, ProcRef, Text, ask};
use super::{State, Wanted, effects, scan};
use crate::batch::{Builder, NO_LATENCY, proc_flags, row_flags};
use crate::decode::{Exec, RawItem, Record};
use crate::schema::{self, Effect, Kind};
use crate::source::abi;

/// What a child has from its parent, and what it has not.
fn born(child: &mut ProcDesc, pid: u32, parent: u32, start: u64) {
    // In the host's namespace like its parent, unless /proc says otherwise.
    child.vpid = if child.vpid == child.pid { pid } else { 0 };
    (child.pid, child.ppid, child.start) = (pid, parent, scan::to_tick(start));
    child.threads = 1;
}

/// Whether a process is in the host's user namespace.
pub(super) fn users(d: &mut ProcDesc, elsewhere: bool) {
    d.flags = if elsewhere { d.flags | proc_flags::ELSEWHERE } else { d.flags & !proc_flags::ELSEWHERE };
}

/// A path as it was given to a call with this directory: the kernel has put the directory before it (alloc_bprm in
/// fs/exec.c).
fn as_given(path: &[u8], dirfd: u64) -> &[u8] {
    let dir = format!("/dev/fd/{}", dirfd as i32);
    match path.strip_prefix(dir.as_bytes()) {
        Some(b"") => b"",
        Some([b'/', rest @ ..]) => rest,
        _ => path,
    }
}

impl State<'_> {
    /// A thread came or went.
    fn count_threads(&mut self, r: &Record, by: i32) {
        if let Some(proc) = self.procs.get(&r.pid).cloned()
            && r.time >= proc.scanned.get().1
            && proc.desc.borrow().threads > 0
        {
            proc.change(|d| d.threads = d.threads.saturating_add_signed(by).max(1));
        }
    }

    /// Whose child a process is now, as its record says: after the end of its parent another's. Its ancestors are those of
    /// its new parent.
    #[inline]
    pub(super) fn heed_parent(&mut self, proc: &ProcRef, r: &Record) {
        if r.parent != 0 && proc.desc.borrow().ppid != r.parent {
            self.adopt(proc, r);
        }
    }

    fn adopt(&mut self, proc: &ProcRef, r: &Record) {
        // What /proc told is newer.
        if r.time < proc.scanned.get().1 {
            return;
        }
        *proc.parent.borrow_mut() = self.parent_at(r.parent, r.time);
        proc.change(|d| d.ppid = r.parent);
    }

    /// The process that had this id at that time. The end of one that is not traced is told by nobody: /proc is asked.
    fn parent_at(&mut self, pid: u32, time: u64) -> Option<ProcRef> {
        if let Some(known) = self.procs.get(&pid).filter(|_| !self.live.contains(&pid)) {
            match self.proc_fs.process(pid) {
                Some(now) if now.start == known.desc.borrow().start => {}
                Some(now) if now.start > time => return None,
                Some(_) => drop(self.remove(pid)),
                None => {}
            }
        }
        self.ancestor(pid, 0).filter(|p| p.desc.borrow().start <= time)
    }

    pub(super) fn fork(&mut self, r: &Record) {
        self.seen.state += 1;
        let Some(f) = r.fork() else { return };
        let parent = self.acquainted(r.pid, r.time);
        let followed = !self.some || f.shares & abi::FORK_MAY != 0;
        if f.tid != f.pid || f.shares & abi::FORK_FILES != 0 {
            parent.fds.borrow().borrow_mut().share();
        }
        parent.speaks(r.tid);
        if f.tid != f.pid {
            parent.thread(f.tid, Some(r.tid));
            self.count_threads(r, 1);
            return;
        }
        // A parent that was read after this fork is no model for the child: it is read itself. If it is gone already, at
        // least whose child it was is known.
        // Not the one that forked, with CLONE_PARENT.
        let (parent_id, of_parent) = match f.parent {
            id if id == r.pid || id == 0 => (r.pid, Some(parent.clone())),
            id => (id, self.parent_at(id, r.time)),
        };
        let read = parent.scanned.get().1.max(if followed { parent.read.get().1 } else { 0 });
        if r.time < read {
            self.remove(f.pid);
            let child = self.read(f.pid);
            if child.desc.borrow().flags & proc_flags::BARE != 0 {
                // Gone before it could be read: it was what its parent was, as far as that is still so.
                let mut desc = parent.desc.borrow().clone();
                born(&mut desc, f.pid, parent_id, f.start);
                desc.flags |= proc_flags::UNCERTAIN;
                users(&mut desc, f.shares & abi::FORK_USERS != 0);
                child.change(|d| *d = desc);
                let table = parent.fds.borrow().borrow().copy();
                *child.fds.borrow_mut() = Rc::new(RefCell::new(table));
                child.fds_known.set(parent.fds_known.get());
                // Names of the time before the parent was read are marked, effects apply.
                child.was_read(0, read);
                *child.parent.borrow_mut() = of_parent;
            }
            if !followed {
                *child.fds.borrow_mut() = TableRef::default();
                child.fds_known.set(false);
            }
            self.live.insert(f.pid);
            return;
        }
        let mut desc = parent.desc.borrow().clone();
        born(&mut desc, f.pid, parent_id, f.start);
        desc.flags &= !proc_flags::BARE;
        users(&mut desc, f.shares & abi::FORK_USERS != 0);
        let table = parent.fds.borrow().clone();
        let table = if !followed {
            TableRef::default()
        } else if f.shares & abi::FORK_FILES != 0 {
            table
        } else {
            let mut table = table.borrow_mut();
            if self.losses().doubt(parent.trusted.get(), r.time) {
                table.distrust(self.lost_at);
            }
            match &f.table {
                Some(now) => table.forked(now, r.entry(), r.time),
                None => table.copied(r.entry(), r.time),
            }
        };
        let child = ProcEntity::new(desc, of_parent, table);
        child.fds_known.set(followed && parent.fds_known.get());
        child.trusted.set(parent.trusted.get());
        if followed && !parent.fds_known.get() {
            // What it has from its parent is what that has now, perhaps; what it does itself is told.
            self.read_inherited(&child, r.pid);
        }
        child.counted.set(r.time);
        child.ask(ask::ID);
        if f.shares & abi::FORK_GROUPS != 0 {
            self.born_in(&child, f.group);
        }
        *child.leaders.borrow_mut() = parent.leaders.borrow().clone();
        self.insert(f.pid, child);
        self.live.insert(f.pid);
    }

    pub(super) fn exec(&mut self, r: &Record) {
        self.seen.state += 1;
        let Some(e) = r.exec() else { return };
        let proc = self.acquainted(r.pid, r.time);
        self.heed_parent(&proc, r);
        let bytes = |item: RawItem| match item {
            RawItem::Bytes(b, cut) => Some((Text::from(b), cut)),
            _ => None,
        };
        let (args, env) = (bytes(e.args), bytes(e.env));
        let cut = |what: &Option<(Text, bool)>| what.as_ref().is_some_and(|(_, cut)| *cut);
        let by = self.begun(r, &e, &proc);
        let path = match e.path {
            RawItem::Bytes(path, _) => {
                Some(Text::from(by.as_ref().map_or(path, |by| as_given(path, by.words[0]))))
            }
            _ => None,
        };
        let mut variables = e.envc.to_le_bytes().to_vec();
        variables.extend_from_slice(env.as_ref().map_or(&[][..], |(env, _)| env));
        let variables = Some((Text::from(variables.as_slice()), cut(&env)));
        *proc.exec.borrow_mut() = Some(PendingExec { path, args: args.clone(), env: variables, by });
        if r.time < proc.scanned.get().0 {
            return;
        }
        *proc.split.borrow_mut() = None;
        let mut exe = Vec::with_capacity(64);
        e.exe.write(&mut exe);
        proc.change(|d| {
            d.comm = bytes(e.comm).map(|(c, _)| c).or_else(|| d.comm.take());
            d.exepath = (e.exe.status != abi::PATH_GONE).then(|| Text::from(exe.as_slice()));
            // Of one of which nothing was known this tells a part.
            let known = if d.flags & proc_flags::BARE == 0 { proc_flags::UNCERTAIN } else { 0 };
            d.flags &= !(proc_flags::ARGS_CUT | proc_flags::ENV_CUT | proc_flags::BARE | known);
            d.flags |= if cut(&args) { proc_flags::ARGS_CUT } else { 0 };
            d.flags |= if cut(&env) { proc_flags::ENV_CUT } else { 0 };
            users(d, e.creds.elsewhere);
            (d.args, d.env) = (args.map(|(a, _)| a), env.map(|(e, _)| e));
            (d.ruid, d.rgid, d.uid, d.gid) = (e.creds.uid, e.creds.gid, e.creds.euid, e.creds.egid);
            (d.exe_dev, d.exe_ino, d.threads) = (e.exe.dev, e.exe.ino, 1);
        });
        proc.counted.set(r.time);
        proc.ask(ask::CAPS | ask::PROGRAM);
        effects::exec_closes(&proc, r.entry(), r.time);
        self.live.insert(r.pid);
    }

    /// The call that a new program came by, if that began under another number than it will end with, as an `execveat` does
    /// on x86. Its own record says so, and is of the very call.
    fn begun(&mut self, r: &Record, e: &Exec, proc: &ProcRef) -> Option<Begun> {
        let (time, kept) = self.entries.remove(&e.old_tid)?;
        let entry = Record::parse(&kept).filter(|_| r.entry() == Some(time))?;
        let code =
            u16::try_from(e.nr).ok().filter(|nr| *nr < schema::EVENTS && entry.ret == i64::from(*nr))?;
        let shape = self.schema.shape(code);
        if shape.effect != Effect::Exec {
            return None;
        }
        let words = std::array::from_fn(|i| entry.word(i));
        let fd =
            shape.args.first().filter(|a| a.kind == Kind::DirFd).and(u32::try_from(words[0] as i32).ok());
        let table = proc.fds.borrow().clone();
        let dir = fd.and_then(|fd| {
            let table = table.borrow();
            let (file, since, certain) = table.meant(fd, Some(time))?;
            Some((file.clone(), !certain || self.losses().doubt(since, time) || time < proc.read.get().1))
        });
        Some(Begun { code, words, dir })
    }

    pub(super) fn rename(&mut self, r: &Record) {
        self.seen.state += 1;
        if r.tid != r.pid {
            return;
        }
        if let Some(RawItem::Bytes(name, _)) = r.name() {
            let proc = self.acquainted(r.pid, r.time);
            if r.time >= proc.scanned.get().0 && proc.desc.borrow().comm.as_deref() != Some(name) {
                proc.change(|d| d.comm = Some(Text::from(name)));
            }
        }
    }

    pub(super) fn exit(&mut self, cpu: usize, r: &Record, wanted: &impl Wanted, b: &mut Builder) {
        let Some(e) = r.exit() else { return };
        self.entries.remove(&r.tid);
        let proc = self.acquainted(r.pid, r.time);
        self.heed_parent(&proc, r);
        // A thread that ended by itself did so in exit or exit_group, which never return: this is their event.
        let call = u16::try_from(e.nr).ok().filter(|nr| *nr < schema::EVENTS).map(|nr| self.schema.shape(nr));
        let by_call = call.filter(|s| s.ret == schema::Ret::None && e.code & 0x7f == 0 && s.args.len() == 1);
        // What it was when it ended may not be what is known.
        let doubt = if proc.is_doubtful(r.time) { row_flags::UNCERTAIN } else { 0 };
        let mut shown = false;
        if let Some(shape) = by_call.filter(|s| wanted.wants(s.code)) {
            let status = (e.code >> 8) & 0xff;
            self.push(cpu, r, shape.code, &proc, row_flags::UNFINISHED | doubt, &[u64::from(status)], b);
            shown = true;
        }
        proc.speaks(r.tid);
        if !e.last {
            proc.thread(r.tid, None);
            self.count_threads(r, -1);
        }
        if e.last {
            if wanted.wants(schema::PROCEXIT) {
                let code = if e.group_code != 0 { e.group_code } else { e.code };
                let words = [u64::from((code >> 8) & 0xff), u64::from(code & 0x7f)];
                let mut end = *r;
                end.latency = NO_LATENCY;
                self.push(cpu, &end, schema::PROCEXIT, &proc, doubt, &words, b);
                shown = true;
            }
            self.end(r.pid, r.time);
        }
        self.seen.state += u64::from(!shown);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{Arch, Schema};
    use crate::users::Users;

    /// The record of the end of a process's last thread, by exit_group.
    fn end_of(seq: u32, pid: u32, time: u64) -> Vec<u8> {
        let mut b = Vec::new();
        for v in [(48 + 16) / 8, abi::REC_EXIT, 0, 0] {
            b.extend_from_slice(&v.to_le_bytes());
        }
        b.extend_from_slice(&time.to_le_bytes());
        for v in [seq, pid, pid, 0] {
            b.extend_from_slice(&u32::to_le_bytes(v));
        }
        b.extend_from_slice(&u64::MAX.to_le_bytes());
        b.extend_from_slice(&0_i64.to_le_bytes());
        for v in [0, 0, 1, u32::MAX] {
            b.extend_from_slice(&u32::to_le_bytes(v));
        }
        b
    }

    #[test]
    fn the_end_of_a_process_of_which_little_is_known_is_marked() {
        let schema = Schema::native(Arch::NATIVE);
        let mut state = State::new(&schema, std::path::Path::new("/proc"), Users::default(), || 1_000);
        let mut b = Builder::new();
        // Nobody has this number (PID_MAX_LIMIT is 4194304); and one that was born under our eyes.
        let known =
            ProcEntity::new(ProcDesc { pid: 4_194_400, ..ProcDesc::default() }, None, TableRef::default());
        known.fds_known.set(true);
        state.insert(4_194_400, known);
        for (seq, pid) in [(0, 4_194_399), (1, 4_194_400)] {
            state.take(0, &end_of(seq, pid, 2_000), &|code| code == schema::PROCEXIT, &mut b);
        }
        let view = b.view(&schema);
        assert_eq!(view.rows, 2);
        let marked: Vec<bool> = view.flags.iter().map(|f| f & row_flags::UNCERTAIN != 0).collect();
        assert_eq!(marked, [true, false]);
    }
}
