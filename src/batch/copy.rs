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

    fn proc(&mut self, from: &Batch, to: &mut Builder, id: u32) -> u32 {
        // From the oldest ancestor that is not there yet downward; bounded, for a file may hold a cycle.
        let mut chain = Vec::new();
        let mut at = id;
        while chain.len() < 256 && mapped(&self.procs, at).is_none() {
            let Some(p) = from.dict.proc(at) else { break };
            chain.push((at, *p));
            at = p.parent;
        }
        for (old, p) in chain.into_iter().rev() {
            let user = match (mapped(&self.users, p.user), from.dict.user(p.user)) {
                (Some(id), _) => id,
                (None, Some(u)) => {
                    let entry = User {
                        uid: u.uid,
                        name: self.string(from, to, u.name),
                        home: self.string(from, to, u.home),
                        shell: self.string(from, to, u.shell),
                    };
                    let new = to.user(entry);
                    self.users[p.user as usize] = new;
                    new
                }
                (None, None) => NONE,
            };
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
                ..p
            };
            self.procs[old as usize] = to.proc(entry);
        }
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
