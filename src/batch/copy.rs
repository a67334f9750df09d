//! Rows of one block, copied into another with what they mention.
//!
//! Enters: selected rows of a batch. Leaves: the same rows in an open block, its dictionary holding what they reach and
//! nothing else. Never: a change of meaning; ids differ, everything else is equal.

use super::{Batch, Builder, File, Group, Item, NONE, Proc, Row, StrId, User};

/// Copies from one source block; ids of the source map to ids of the target.
pub struct Copier {
    procs: Vec<u32>,
    files: Vec<u32>,
    users: Vec<u32>,
    groups: Vec<u32>,
    strings: Vec<u32>,
    /// Processes still to be copied.
    missing: Vec<u32>,
    refs: Vec<u32>,
    items: Vec<Item>,
}

fn mapped(map: &[u32], id: u32) -> Option<u32> {
    map.get(id as usize).copied().filter(|id| *id != NONE)
}

impl Copier {
    /// For rows of `from`. Valid as long as neither block is reset.
    pub fn new(from: &Batch) -> Copier {
        let d = &from.dict;
        Copier {
            procs: vec![NONE; d.procs.len()],
            files: vec![NONE; d.files.len()],
            users: vec![NONE; d.users.len()],
            groups: vec![NONE; d.groups.len()],
            strings: vec![NONE; d.strings.len()],
            missing: Vec::new(),
            refs: Vec::new(),
            items: Vec::new(),
        }
    }

    fn string(&mut self, from: &Batch, to: &mut Builder, id: StrId) -> StrId {
        if id as usize >= self.strings.len() {
            return NONE;
        }
        mapped(&self.strings, id).unwrap_or_else(|| {
            let new = to.string(from.dict.strings.get(id));
            self.strings[id as usize] = new;
            new
        })
    }

    fn user(&mut self, from: &Batch, to: &mut Builder, id: u32) -> u32 {
        match (mapped(&self.users, id), from.dict.user(id)) {
            (Some(id), _) => id,
            (None, Some(u)) => {
                let entry = User {
                    uid: u.uid,
                    name: self.string(from, to, u.name),
                    home: self.string(from, to, u.home),
                    shell: self.string(from, to, u.shell),
                };
                let new = to.user(entry);
                self.users[id as usize] = new;
                new
            }
            (None, None) => NONE,
        }
    }

    /// What an entry refers to stands before it, so all that is missing is copied in the order of the source.
    fn proc(&mut self, from: &Batch, to: &mut Builder, id: u32) -> u32 {
        let mut missing = std::mem::take(&mut self.missing);
        missing.clear();
        missing.push(id);
        let mut at = 0;
        while let Some(&id) = missing.get(at) {
            at += 1;
            let Some(p) = from.dict.proc(id).filter(|_| mapped(&self.procs, id).is_none()) else { continue };
            for other in [p.parent, p.leader, p.group_leader] {
                // Bounded, for a file may hold anything.
                if other < id && missing.len() < 1024 && mapped(&self.procs, other).is_none() {
                    missing.push(other);
                }
            }
        }
        missing.sort_unstable();
        missing.dedup();
        for &old in &missing {
            let Some(p) = from.dict.proc(old).copied().filter(|_| mapped(&self.procs, old).is_none()) else {
                continue;
            };
            let (user, login) = (self.user(from, to, p.user), self.user(from, to, p.login));
            let group = match (mapped(&self.groups, p.group), from.dict.group(p.group)) {
                (Some(id), _) => id,
                (None, Some(g)) => {
                    let new_name = self.string(from, to, g.name);
                    let new = to.group(Group { gid: g.gid, name: new_name });
                    self.groups[p.group as usize] = new;
                    new
                }
                (None, None) => NONE,
            };
            let entry = Proc {
                parent: mapped(&self.procs, p.parent).unwrap_or(NONE),
                user,
                group,
                comm: self.string(from, to, p.comm),
                exepath: self.string(from, to, p.exepath),
                args: self.string(from, to, p.args),
                cwd: self.string(from, to, p.cwd),
                cgroup: self.string(from, to, p.cgroup),
                login,
                leader: mapped(&self.procs, p.leader).unwrap_or(NONE),
                group_leader: mapped(&self.procs, p.group_leader).unwrap_or(NONE),
                stdio: p.stdio.map(|id| self.file(from, to, id)),
                env: self.string(from, to, p.env),
                ..p
            };
            self.procs[old as usize] = to.proc(entry);
        }
        self.missing = missing;
        mapped(&self.procs, id).unwrap_or(NONE)
    }

    fn file(&mut self, from: &Batch, to: &mut Builder, id: u32) -> u32 {
        if let Some(known) = mapped(&self.files, id) {
            return known;
        }
        let Some(f) = from.dict.file(id).copied() else { return NONE };
        let entry = File { name: self.string(from, to, f.name), given: self.string(from, to, f.given), ..f };
        let new = to.file(entry);
        self.files[id as usize] = new;
        new
    }

    /// Copies one row. All columns of `from` must be loaded.
    pub fn row(&mut self, from: &Batch, row: usize, to: &mut Builder) {
        let column = |c: &[u64]| c.get(row).copied().unwrap_or(0);
        let proc = from.proc.get(row).map_or(NONE, |id| self.proc(from, to, *id));
        let mut refs = std::mem::take(&mut self.refs);
        refs.clear();
        for id in from.refs_of(row) {
            refs.push(self.file(from, to, *id));
        }
        let mut items = std::mem::take(&mut self.items);
        items.clear();
        for item in from.items_of(row) {
            items.push(item.id().map_or(*item, |id| Item::new(self.string(from, to, id), item.is_cut())));
        }
        let new = Row {
            num: column(from.num),
            time: column(from.time),
            delta: column(from.delta),
            latency: column(from.latency),
            call: from.call.get(row).copied().unwrap_or(0),
            cpu: from.cpu.get(row).copied().unwrap_or(0),
            tid: from.tid.get(row).copied().unwrap_or(0),
            proc,
            ret: from.ret_of(row),
            flags: from.flags_of(row),
        };
        to.push(new, from.words_of(row), &items, &refs);
        (self.refs, self.items) = (refs, items);
    }
}
