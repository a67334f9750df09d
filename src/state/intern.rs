//! From state to dictionary: the only part of state that knows the batch.
//!
//! Enters: entities, and the open block. Leaves: ids in that block. Never: a change to an entry that exists; an entity
//! that changes gets a new entry at its next mention. What has been interned once in a block costs a compare.

use std::rc::Rc;

use rustc_hash::FxHashMap;

use super::containers::{Containers, Runs};
use super::scan::ProcFs;
use super::tables::{FileRef, Place, ProcRef, Text, changes};
use crate::batch::{Builder, File, FileId, Group, NONE, Proc, ProcId, StrId, User, file_flags, proc_flags};
use crate::users::Users;

/// Deepest chain of ancestors that goes into a dictionary.
const ANCESTORS: usize = 64;

/// The leaders of a process's session and group, if they are known and not itself. One that has ended is remembered: the
/// kernel gives its number to nobody else as long as it leads.
fn leaders(proc: &ProcRef, around: &Around<'_>) -> [Option<ProcRef>; 2] {
    let (pid, ids) = {
        let d = proc.desc.borrow();
        (d.pid, [d.sid, d.pgid])
    };
    let mut kept = proc.leaders.borrow_mut();
    for (kept, id) in kept.iter_mut().zip(ids) {
        let found = around.procs.get(&id).filter(|_| id != 0 && id != pid);
        let ended = kept.take().filter(|p| p.desc.borrow().pid == id && id != pid);
        *kept = found.cloned().or(ended);
    }
    kept.clone()
}

/// If the parent of a process has ended, /proc knows its new one. (A process with records of its own is told by them; this
/// is for those between it and its other ancestors.)
fn orphaned(proc: &ProcRef, around: &Around<'_>) {
    let is_there = |p: &ProcRef| around.procs.get(&p.desc.borrow().pid).is_some_and(|q| Rc::ptr_eq(p, q));
    let lost = proc.parent.borrow().as_ref().is_some_and(|p| !is_there(p));
    if !lost || !is_there(proc) {
        return;
    }
    let (pid, start, ppid) = {
        let d = proc.desc.borrow();
        (d.pid, d.start, d.ppid)
    };
    if let Some(now) = around.proc_fs.parent(pid, start).filter(|now| *now != ppid) {
        *proc.parent.borrow_mut() = around.procs.get(&now).cloned();
        proc.change(|d| d.ppid = now);
    }
}

/// Interns into one block after another.
pub struct Interner {
    users: Users,
    pub(super) containers: Containers,
    generation: u32,
    user_ids: FxHashMap<u32, u32>,
    group_ids: FxHashMap<u32, u32>,
}

/// What an entry of a process is made from besides the process.
pub struct Around<'a> {
    /// All processes.
    pub procs: &'a FxHashMap<u32, ProcRef>,
    /// Where what the kernel did not tell is read.
    pub proc_fs: &'a ProcFs,
    /// Time of the last loss.
    pub lost_at: u64,
}

/// The id of a process in the open block, if its entry there is still right: a compare, for nearly every event.
#[inline]
pub fn known(b: &Builder, proc: &ProcRef) -> Option<ProcId> {
    let (generation, id) = proc.place.get();
    (generation == b.generation() && proc.checked.get() == changes()).then_some(id)
}

fn string(b: &mut Builder, text: Option<&Text>) -> StrId {
    text.map_or(NONE, |t| b.string(t))
}

impl Interner {
    /// With the names of these users.
    pub fn new(users: Users, containers: Containers) -> Interner {
        Interner {
            users,
            containers,
            generation: 0,
            user_ids: FxHashMap::default(),
            group_ids: FxHashMap::default(),
        }
    }

    /// The users that it knows, to be taught.
    pub fn users(&mut self) -> &mut Users {
        &mut self.users
    }

    fn begin(&mut self, b: &Builder) {
        if self.generation != b.generation() {
            self.generation = b.generation();
            self.user_ids.clear();
            self.group_ids.clear();
        }
    }

    fn user(&mut self, b: &mut Builder, uid: u32) -> u32 {
        if uid == u32::MAX {
            return NONE;
        }
        if let Some(id) = self.user_ids.get(&uid) {
            return *id;
        }
        let entry = match self.users.by_uid(uid) {
            Some(u) => {
                User { uid, name: b.string(&u.name), home: b.string(&u.home), shell: b.string(&u.shell) }
            }
            None => User { uid, name: NONE, home: NONE, shell: NONE },
        };
        let id = b.user(entry);
        self.user_ids.insert(uid, id);
        id
    }

    fn group(&mut self, b: &mut Builder, gid: u32) -> u32 {
        if gid == u32::MAX {
            return NONE;
        }
        if let Some(id) = self.group_ids.get(&gid) {
            return *id;
        }
        let name = self.users.group_name(gid).map_or(NONE, |n| b.string(n));
        let id = b.group(Group { gid, name });
        self.group_ids.insert(gid, id);
        id
    }

    /// The id of a process in the open block; what it refers to comes before it.
    pub fn proc(&mut self, b: &mut Builder, proc: &ProcRef, around: &Around<'_>) -> ProcId {
        self.proc_at(b, proc, around, 0)
    }

    fn proc_at(&mut self, b: &mut Builder, proc: &ProcRef, around: &Around<'_>, depth: usize) -> ProcId {
        if let Some(id) = known(b, proc) {
            return id;
        }
        if depth >= ANCESTORS || proc.busy.replace(true) {
            return NONE;
        }
        let id = self.renew(b, proc, around, depth);
        proc.busy.set(false);
        id
    }

    fn renew(&mut self, b: &mut Builder, proc: &ProcRef, around: &Around<'_>, depth: usize) -> ProcId {
        self.begin(b);
        if proc.ask.get() != 0 {
            // A pid that has ended may be somebody else's by now.
            let pid = proc.desc.borrow().pid;
            let lives = around.procs.get(&pid).is_some_and(|p| Rc::ptr_eq(p, proc));
            around.proc_fs.complete(proc, lives);
        }
        if depth > 0 {
            orphaned(proc, around);
        }
        let parent = match proc.parent.borrow().as_ref() {
            Some(p) => self.proc_at(b, p, around, depth + 1),
            None => NONE,
        };
        let [leader, group_leader] =
            leaders(proc, around).map(|p| p.map_or(NONE, |p| self.proc_at(b, &p, around, depth + 1)));
        let table = proc.fds.borrow().clone();
        let stdio = [0, 1, 2].map(|fd| {
            let file = table.borrow().get(fd).map(|f| f.file.clone());
            file.map_or(NONE, |f| self.file(b, &f, false))
        });
        let (path, pid) = {
            let d = proc.desc.borrow();
            (d.cgroup.clone(), d.pid)
        };
        let runs = self.containers.of(b, path.as_ref(), pid);
        let parts = [parent, leader, group_leader, stdio[0], stdio[1], stdio[2], runs.number()];
        proc.checked.set(changes());
        let (generation, id) = proc.place.get();
        if generation == b.generation() && proc.parts.replace(parts) == parts {
            return id;
        }
        proc.parts.set(parts);
        let d = proc.desc.borrow();
        // Elsewhere the host's names are somebody else's.
        let host = d.flags & proc_flags::ELSEWHERE == 0 && !matches!(runs, Runs::In(_));
        let counted = proc.counted.get() >= around.lost_at;
        let entry = Proc {
            pid: d.pid,
            ppid: d.ppid,
            parent,
            start: d.start,
            uid: d.uid,
            gid: d.gid,
            ruid: d.ruid,
            rgid: d.rgid,
            loginuid: d.loginuid,
            user: if host { self.user(b, d.uid) } else { NONE },
            group: if host { self.group(b, d.gid) } else { NONE },
            sid: d.sid,
            pgid: d.pgid,
            tty: d.tty,
            vpid: d.vpid,
            comm: string(b, d.comm.as_ref()),
            exepath: string(b, d.exepath.as_ref()),
            args: string(b, d.args.as_ref()),
            cwd: string(b, d.cwd.as_ref()),
            cgroup: string(b, d.cgroup.as_ref()),
            container: if let Runs::In(id) = runs { id } else { NONE },
            flags: d.flags | if runs == Runs::Host { proc_flags::HOST } else { 0 },
            login: self.user(b, d.loginuid),
            leader,
            group_leader,
            stdio,
            threads: if counted { d.threads } else { 0 },
            exe_ino: d.exe_ino,
            exe_ctime: d.exe_ctime,
            exe_mtime: d.exe_mtime,
            caps: d.caps,
            env: string(b, d.env.as_ref()),
        };
        let id = b.proc(entry);
        proc.place.set((b.generation(), id));
        id
    }

    /// The id of a file in the open block.
    pub fn file(&mut self, b: &mut Builder, file: &FileRef, uncertain: bool) -> FileId {
        let place: &Place = &file.places[usize::from(uncertain)];
        let (generation, id) = place.get();
        if generation == b.generation() {
            return id;
        }
        let d = file.desc.borrow();
        let entry = File {
            kind: d.kind,
            role: d.role,
            l4: d.l4,
            name: string(b, d.name.as_ref()),
            given: string(b, d.given.as_ref()),
            dev: d.dev,
            ino: d.ino,
            lport: d.lport,
            rport: d.rport,
            laddr: d.laddr,
            raddr: d.raddr,
            flags: d.flags | if uncertain { file_flags::UNCERTAIN } else { 0 },
        };
        let id = b.file(entry);
        place.set((b.generation(), id));
        id
    }
}
