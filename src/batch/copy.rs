//! Rows of one block, copied into another with what they mention.
//!
//! Enters: selected rows of a batch, and perhaps an [`Edit`]. Leaves: the same rows in an open block, its dictionary
//! holding what they reach and nothing else. Never: a change of meaning that no edit made: ids differ, everything else is
//! equal.

use super::{Batch, Builder, Container, Dict, File, Group, Item, NONE, Proc, Row, StrId, User};
use crate::schema::ArgShape;

/// What a string of the dictionary is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// A process's name.
    Comm,
    /// The path of its executable.
    Exepath,
    /// Its arguments, each NUL-terminated.
    Args,
    /// Its working directory.
    Cwd,
    /// Its cgroup.
    Cgroup,
    /// Its environment, each variable NUL-terminated.
    Env,
    /// Name, home or shell of a user.
    User,
    /// Name of a group.
    Group,
    /// Name of a file.
    File,
    /// Id, name, image or address of a container or its pod.
    Container,
    /// Labels of a container or its pod.
    Labels,
    /// Mounts of a container.
    Mounts,
}

/// What is changed on the way. Whatever is not said stays as it is.
pub trait Edit {
    /// A time of the boot clock.
    fn time(&self, time: u64) -> u64 {
        time
    }
    /// The number of a host.
    fn host(&self, host: u16) -> u16 {
        host
    }
    /// False if nothing is to be known of this process where it is another's parent or leader.
    fn keeps_other(&self, _dict: &Dict, _of: &Proc, _other: &Proc) -> bool {
        true
    }
    /// False if nothing is to be known of containers.
    fn keeps_containers(&self) -> bool {
        true
    }
    /// True if [`Edit::text`] is to be asked.
    fn changes(&self, _role: Role) -> bool {
        false
    }
    /// Appends what stands for a string; false if nothing does.
    fn text(&self, _role: Role, text: &[u8], out: &mut Vec<u8>) -> bool {
        out.extend_from_slice(text);
        true
    }
    /// True if [`Edit::item`] is to be asked.
    fn changes_item(&self, _arg: &ArgShape) -> bool {
        false
    }
    /// Appends what stands for the copied bytes of an argument of a call with these words, and says if that is cut; nothing
    /// if nothing does.
    fn item(
        &self,
        _arg: &ArgShape,
        _words: &[u64],
        bytes: &[u8],
        cut: bool,
        out: &mut Vec<u8>,
    ) -> Option<bool> {
        out.extend_from_slice(bytes);
        Some(cut)
    }
}

/// Nothing is changed.
#[derive(Clone, Copy, Debug, Default)]
pub struct AsIs;

impl Edit for AsIs {}

/// Copies from one source block; ids of the source map to ids of the target.
pub struct Copier {
    procs: Vec<u32>,
    files: Vec<u32>,
    users: Vec<u32>,
    groups: Vec<u32>,
    containers: Vec<u32>,
    strings: Vec<u32>,
    /// Processes still to be copied.
    missing: Vec<u32>,
    refs: Vec<u32>,
    items: Vec<Item>,
    text: Vec<u8>,
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
            containers: vec![NONE; d.containers.len()],
            strings: vec![NONE; d.strings.len()],
            missing: Vec::new(),
            refs: Vec::new(),
            items: Vec::new(),
            text: Vec::new(),
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

    /// A string that an edit may change.
    fn text(&mut self, from: &Batch, to: &mut Builder, edit: &impl Edit, role: Role, id: StrId) -> StrId {
        if !edit.changes(role) {
            return self.string(from, to, id);
        }
        let Some(text) = from.dict.strings.find(id) else { return NONE };
        self.text.clear();
        if edit.text(role, text, &mut self.text) { to.string(&self.text) } else { NONE }
    }

    fn item(
        &mut self,
        from: &Batch,
        to: &mut Builder,
        edit: &impl Edit,
        (arg, words): (Option<&ArgShape>, &[u64]),
        item: Item,
    ) -> Item {
        let Some(id) = item.id() else { return item };
        match arg.filter(|arg| edit.changes_item(arg)) {
            None => Item::new(self.string(from, to, id), item.is_cut()),
            Some(arg) => {
                self.text.clear();
                match edit.item(arg, words, from.dict.strings.get(id), item.is_cut(), &mut self.text) {
                    Some(cut) => Item::new(to.string(&self.text), cut),
                    None => Item::ABSENT,
                }
            }
        }
    }

    fn user(&mut self, from: &Batch, to: &mut Builder, edit: &impl Edit, id: u32) -> u32 {
        match (mapped(&self.users, id), from.dict.user(id)) {
            (Some(id), _) => id,
            (None, Some(u)) => {
                let entry = User {
                    uid: u.uid,
                    name: self.text(from, to, edit, Role::User, u.name),
                    home: self.text(from, to, edit, Role::User, u.home),
                    shell: self.text(from, to, edit, Role::User, u.shell),
                };
                let new = to.user(entry);
                self.users[id as usize] = new;
                new
            }
            (None, None) => NONE,
        }
    }

    fn container(&mut self, from: &Batch, to: &mut Builder, edit: &impl Edit, id: u32) -> u32 {
        if let Some(known) = mapped(&self.containers, id) {
            return known;
        }
        let Some(mut c) = from.dict.container(id).copied().filter(|_| edit.keeps_containers()) else {
            return NONE;
        };
        let Container { labels, mounts, pod_labels, .. } = c;
        (c.labels, c.mounts, c.pod_labels) = (NONE, NONE, NONE);
        for id in c.strings_mut() {
            *id = self.text(from, to, edit, Role::Container, *id);
        }
        c.labels = self.text(from, to, edit, Role::Labels, labels);
        c.pod_labels = self.text(from, to, edit, Role::Labels, pod_labels);
        c.mounts = self.text(from, to, edit, Role::Mounts, mounts);
        let new = to.container(c);
        self.containers[id as usize] = new;
        new
    }

    /// What an entry refers to stands before it, so all that is missing is copied in the order of the source.
    fn proc(&mut self, from: &Batch, to: &mut Builder, edit: &impl Edit, id: u32) -> u32 {
        let keeps = |p: &Proc, id: u32| {
            from.dict.proc(id).is_some_and(|other| edit.keeps_other(&from.dict, p, other))
        };
        let mut missing = std::mem::take(&mut self.missing);
        missing.clear();
        missing.push(id);
        let mut at = 0;
        while let Some(&id) = missing.get(at) {
            at += 1;
            let Some(p) = from.dict.proc(id).filter(|_| mapped(&self.procs, id).is_none()) else { continue };
            for other in [p.parent, p.leader, p.group_leader] {
                // Bounded, for a file may hold anything.
                if other < id
                    && missing.len() < 1024
                    && mapped(&self.procs, other).is_none()
                    && keeps(p, other)
                {
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
            let user = self.user(from, to, edit, p.user);
            let login = self.user(from, to, edit, p.login);
            let other = |id: u32| mapped(&self.procs, id).filter(|_| keeps(&p, id)).unwrap_or(NONE);
            let (parent, leader, group_leader) = (other(p.parent), other(p.leader), other(p.group_leader));
            let group = match (mapped(&self.groups, p.group), from.dict.group(p.group)) {
                (Some(id), _) => id,
                (None, Some(g)) => {
                    let new_name = self.text(from, to, edit, Role::Group, g.name);
                    let new = to.group(Group { gid: g.gid, name: new_name });
                    self.groups[p.group as usize] = new;
                    new
                }
                (None, None) => NONE,
            };
            let container = self.container(from, to, edit, p.container);
            let entry = Proc {
                parent,
                user,
                group,
                container,
                start: if p.start == 0 { 0 } else { edit.time(p.start) },
                comm: self.text(from, to, edit, Role::Comm, p.comm),
                exepath: self.text(from, to, edit, Role::Exepath, p.exepath),
                args: self.text(from, to, edit, Role::Args, p.args),
                cwd: self.text(from, to, edit, Role::Cwd, p.cwd),
                cgroup: self.text(from, to, edit, Role::Cgroup, p.cgroup),
                login,
                leader,
                group_leader,
                stdio: p.stdio.map(|id| self.file(from, to, edit, id)),
                env: self.text(from, to, edit, Role::Env, p.env),
                ..p
            };
            self.procs[old as usize] = to.proc(entry);
        }
        self.missing = missing;
        mapped(&self.procs, id).unwrap_or(NONE)
    }

    fn file(&mut self, from: &Batch, to: &mut Builder, edit: &impl Edit, id: u32) -> u32 {
        if let Some(known) = mapped(&self.files, id) {
            return known;
        }
        let Some(f) = from.dict.file(id).copied() else { return NONE };
        let entry = File {
            name: self.text(from, to, edit, Role::File, f.name),
            given: self.text(from, to, edit, Role::File, f.given),
            ..f
        };
        let new = to.file(entry);
        self.files[id as usize] = new;
        new
    }

    /// Copies one row. All columns of `from` must be loaded.
    pub fn row(&mut self, from: &Batch, row: usize, to: &mut Builder) {
        self.edited(from, row, to, &AsIs);
    }

    /// Copies one row, changed. One copier, one edit.
    pub fn edited(&mut self, from: &Batch, row: usize, to: &mut Builder, edit: &impl Edit) {
        let column = |c: &[u64]| c.get(row).copied().unwrap_or(0);
        let proc = from.proc.get(row).map_or(NONE, |id| self.proc(from, to, edit, *id));
        let mut refs = std::mem::take(&mut self.refs);
        refs.clear();
        for id in from.refs_of(row) {
            refs.push(self.file(from, to, edit, *id));
        }
        let mut items = std::mem::take(&mut self.items);
        items.clear();
        let words = from.words_of(row);
        let mut args = from.shape_of(row).args.iter().filter(|a| a.item.is_some());
        for item in from.items_of(row) {
            items.push(self.item(from, to, edit, (args.next(), words), *item));
        }
        let new = Row {
            num: column(from.num),
            time: edit.time(column(from.time)),
            delta: column(from.delta),
            latency: column(from.latency),
            call: from.call.get(row).copied().unwrap_or(0),
            cpu: from.cpu.get(row).copied().unwrap_or(0),
            tid: from.tid.get(row).copied().unwrap_or(0),
            proc,
            ret: from.ret_of(row),
            flags: from.flags_of(row),
        };
        to.push(new, words, &items, &refs);
        to.host(edit.host(from.host_of(row)));
        // Most blocks have none at all.
        if !from.fdlist.is_empty() {
            refs.clear();
            for id in from.fdlist_of(row) {
                refs.push(self.file(from, to, edit, *id));
            }
            to.fdlist(&refs);
        }
        (self.refs, self.items) = (refs, items);
    }
}
