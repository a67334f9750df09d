//! From state to dictionary: the only part of state that knows the batch.
//!
//! Enters: entities, and the open block. Leaves: ids in that block. Never: a change to an entry that exists; an entity
//! that changes gets a new entry at its next mention. What has been interned once in a block costs a compare.

use rustc_hash::FxHashMap;

use super::tables::{FileRef, Place, ProcRef, Text};
use crate::batch::{Builder, File, FileId, Group, NONE, Proc, ProcId, StrId, User, file_flags};
use crate::users::Users;

/// Deepest chain of ancestors that goes into a dictionary.
const ANCESTORS: usize = 64;

/// Interns into one block after another.
pub struct Interner {
    users: Users,
    generation: u32,
    user_ids: FxHashMap<u32, u32>,
    group_ids: FxHashMap<u32, u32>,
}

fn string(b: &mut Builder, text: Option<&Text>) -> StrId {
    text.map_or(NONE, |t| b.string(t))
}

impl Interner {
    /// With the names of these users.
    pub fn new(users: Users) -> Interner {
        Interner { users, generation: 0, user_ids: FxHashMap::default(), group_ids: FxHashMap::default() }
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

    /// The id of a process in the open block; its parents come before it.
    pub fn proc(&mut self, b: &mut Builder, proc: &ProcRef) -> ProcId {
        self.proc_at(b, proc, 0)
    }

    fn proc_at(&mut self, b: &mut Builder, proc: &ProcRef, depth: usize) -> ProcId {
        let (generation, id) = proc.place.get();
        if generation == b.generation() {
            return id;
        }
        self.begin(b);
        let parent = match proc.parent.borrow().as_ref() {
            Some(p) if depth < ANCESTORS => self.proc_at(b, p, depth + 1),
            _ => NONE,
        };
        let d = proc.desc.borrow();
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
            user: self.user(b, d.uid),
            group: self.group(b, d.gid),
            sid: d.sid,
            pgid: d.pgid,
            tty: d.tty,
            vpid: d.vpid,
            comm: string(b, d.comm.as_ref()),
            exepath: string(b, d.exepath.as_ref()),
            args: string(b, d.args.as_ref()),
            cwd: string(b, d.cwd.as_ref()),
            cgroup: string(b, d.cgroup.as_ref()),
            flags: d.flags,
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
