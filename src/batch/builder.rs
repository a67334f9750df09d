//! The open block of a live capture: columns that grow, and a dictionary that is interned into.
//!
//! Enters: rows and dictionary entries, in order of time. Leaves: a [`Batch`] view at any moment; at [`Builder::close`] a
//! block without what no surviving row reaches. Never: knowledge of where a name came from.
//!
//! Memory is kept from block to block ([`Builder::reset`]), so the steady state allocates nothing.

use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};

use super::{
    Batch, Bitmap, Container, Dict, File, FileId, Group, Item, Meta, NONE, Packed, Proc, ProcId, StrId,
    Strings, User,
};
use crate::schema::{Schema, fdlist};

/// A block closes at this many rows …
pub const MAX_ROWS: usize = 64 * 1024;
/// … this many bytes of strings …
pub const MAX_BYTES: usize = 4 << 20;
/// … this many entries in one table of the dictionary …
pub const MAX_ENTRIES: usize = 16 * 1024;

/// … or this many files of sets and arrays of descriptors.
pub const MAX_FDLIST: usize = 256 * 1024;

/// The fixed-width part of a row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the columns of Batch")]
pub struct Row {
    pub num: u64,
    pub time: u64,
    pub delta: u64,
    pub latency: u64,
    pub call: u16,
    pub cpu: u16,
    pub tid: u32,
    pub proc: ProcId,
    pub ret: i64,
    pub flags: u16,
}

/// An arena of byte strings, each kept once. The hasher is keyed at random: the strings are the traced side's choice.
#[derive(Debug)]
struct Arena {
    at: Vec<u32>,
    bytes: Vec<u8>,
    table: HashTable<StrId>,
    hasher: DefaultHashBuilder,
}

impl Arena {
    fn new() -> Arena {
        Arena {
            at: vec![0],
            bytes: Vec::new(),
            table: HashTable::new(),
            hasher: DefaultHashBuilder::default(),
        }
    }

    fn strings(&self) -> Strings<'_> {
        Strings { at: &self.at, bytes: &self.bytes }
    }

    fn intern(&mut self, text: &[u8]) -> StrId {
        let hash = self.hasher.hash_one(text);
        let strings = Strings { at: &self.at, bytes: &self.bytes };
        if let Some(id) = self.table.find(hash, |id| strings.get(*id) == text) {
            return *id;
        }
        let id = self.append(text);
        let (at, bytes, hasher) = (&self.at, &self.bytes, &self.hasher);
        self.table.insert_unique(hash, id, |id| hasher.hash_one(Strings { at, bytes }.get(*id)));
        id
    }

    /// A string that is not looked for, and will not be found.
    fn append(&mut self, text: &[u8]) -> StrId {
        let id = (self.at.len() - 1) as StrId;
        self.bytes.extend_from_slice(text);
        self.at.push(self.bytes.len() as u32);
        id
    }

    fn clear(&mut self) {
        self.at.truncate(1);
        self.bytes.clear();
        self.table.clear();
    }
}

/// The open block.
#[derive(Debug)]
pub struct Builder {
    generation: u32,
    meta: Meta,
    num: Vec<u64>,
    time: Vec<u64>,
    delta: Vec<u64>,
    latency: Vec<u64>,
    call: Vec<u16>,
    cpu: Vec<u16>,
    tid: Vec<u32>,
    proc: Vec<ProcId>,
    ret: Vec<i64>,
    flags: Vec<u16>,
    /// Empty as long as all rows are of the block's host.
    host: Vec<u16>,
    word_at: Vec<u32>,
    words: Vec<u64>,
    item_at: Vec<u32>,
    items: Vec<Item>,
    ref_at: Vec<u32>,
    refs: Vec<FileId>,
    fdlist_row: Vec<u32>,
    fdlist: Vec<FileId>,
    procs: Vec<Proc>,
    files: Vec<File>,
    users: Vec<User>,
    groups: Vec<Group>,
    containers: Vec<Container>,
    arena: Arena,
    spare: Arena,
}

impl Default for Builder {
    fn default() -> Builder {
        Builder::new()
    }
}

impl Builder {
    /// An empty block, generation 1.
    pub fn new() -> Builder {
        Builder {
            generation: 1,
            meta: Meta::default(),
            num: Vec::new(),
            time: Vec::new(),
            delta: Vec::new(),
            latency: Vec::new(),
            call: Vec::new(),
            cpu: Vec::new(),
            tid: Vec::new(),
            proc: Vec::new(),
            ret: Vec::new(),
            flags: Vec::new(),
            host: Vec::new(),
            word_at: vec![0],
            words: Vec::new(),
            item_at: vec![0],
            items: Vec::new(),
            ref_at: vec![0],
            refs: Vec::new(),
            fdlist_row: Vec::new(),
            fdlist: Vec::new(),
            procs: Vec::new(),
            files: Vec::new(),
            users: Vec::new(),
            groups: Vec::new(),
            containers: Vec::new(),
            arena: Arena::new(),
            spare: Arena::new(),
        }
    }

    /// Which block this is: ids from an earlier generation are not valid in this one.
    pub fn generation(&self) -> u32 {
        self.generation
    }

    /// Where the block stands; set when its first row comes.
    pub fn set_meta(&mut self, meta: Meta) {
        self.meta = meta;
    }

    /// Where the block stands.
    pub fn meta(&self) -> Meta {
        self.meta
    }

    /// Rows so far.
    pub fn rows(&self) -> usize {
        self.time.len()
    }

    /// True if the block should be closed now.
    pub fn is_full(&self) -> bool {
        self.rows() >= MAX_ROWS
            || self.arena.bytes.len() >= MAX_BYTES
            || self.procs.len().max(self.files.len()) >= MAX_ENTRIES
            || self.fdlist.len() >= MAX_FDLIST
    }

    /// The id of a byte string.
    pub fn string(&mut self, text: &[u8]) -> StrId {
        self.arena.intern(text)
    }

    /// The bytes of an item of this block.
    pub fn bytes(&self, item: Item) -> Option<&[u8]> {
        item.id().and_then(|id| self.arena.strings().find(id))
    }

    /// A new process entry; its parent and leaders must be in the block already.
    pub fn proc(&mut self, entry: Proc) -> ProcId {
        self.procs.push(entry);
        (self.procs.len() - 1) as ProcId
    }

    /// A new file entry.
    pub fn file(&mut self, entry: File) -> FileId {
        self.files.push(entry);
        (self.files.len() - 1) as FileId
    }

    /// A new user entry.
    pub fn user(&mut self, entry: User) -> u32 {
        self.users.push(entry);
        (self.users.len() - 1) as u32
    }

    /// A new group entry.
    pub fn group(&mut self, entry: Group) -> u32 {
        self.groups.push(entry);
        (self.groups.len() - 1) as u32
    }

    /// A new container entry.
    pub fn container(&mut self, entry: Container) -> u32 {
        self.containers.push(entry);
        (self.containers.len() - 1) as u32
    }

    /// Adds a row. The counts of words, items and references must be those of the shape of `row.call`.
    pub fn push(&mut self, row: Row, words: &[u64], items: &[Item], refs: &[FileId]) {
        self.num.push(row.num);
        self.time.push(row.time);
        self.delta.push(row.delta);
        self.latency.push(row.latency);
        self.call.push(row.call);
        self.cpu.push(row.cpu);
        self.tid.push(row.tid);
        self.proc.push(row.proc);
        self.ret.push(row.ret);
        self.flags.push(row.flags);
        self.words.extend_from_slice(words);
        self.word_at.push(self.words.len() as u32);
        self.items.extend_from_slice(items);
        self.item_at.push(self.items.len() as u32);
        self.refs.extend_from_slice(refs);
        self.ref_at.push(self.refs.len() as u32);
    }

    /// Says that the row pushed last is another host's than the block.
    pub fn host(&mut self, host: u16) {
        let rows = self.rows();
        if rows > 0 && (host != self.meta.host || !self.host.is_empty()) {
            self.host.resize(rows - 1, self.meta.host);
            self.host.push(host);
        }
    }

    /// Adds the files of the sets and arrays of descriptors of the row pushed last; more than [`fdlist::MOST`] are cut off.
    pub fn fdlist(&mut self, files: &[FileId]) {
        let files = files.get(..fdlist::MOST).unwrap_or(files);
        if let Some(row) = self.rows().checked_sub(1) {
            self.fdlist.extend_from_slice(files);
            self.fdlist_row.resize(self.fdlist.len(), row as u32);
        }
    }

    /// The block as it is now.
    pub fn view<'a>(&'a self, schema: &'a Schema) -> Batch<'a> {
        Batch {
            schema,
            meta: self.meta,
            rows: self.rows(),
            num: &self.num,
            time: &self.time,
            delta: &self.delta,
            latency: &self.latency,
            call: &self.call,
            cpu: &self.cpu,
            tid: &self.tid,
            proc: &self.proc,
            ret: &self.ret,
            flags: &self.flags,
            host: &self.host,
            word_at: &self.word_at,
            words: &self.words,
            item_at: &self.item_at,
            items: &self.items,
            ref_at: &self.ref_at,
            refs: &self.refs,
            fdlist_row: &self.fdlist_row,
            fdlist: &self.fdlist,
            dict: Dict {
                procs: &self.procs,
                files: &self.files,
                users: &self.users,
                groups: &self.groups,
                containers: &self.containers,
                strings: self.arena.strings(),
            },
            packed: Packed::default(),
        }
    }

    /// Removes the rows from `from` on that are not selected (bit 0 of `keep` is row 0 of the block).
    pub fn compact(&mut self, from: usize, keep: &Bitmap) {
        self.compact_fdlist(from, keep);
        let (mut at, total) = (from, self.rows());
        if !self.host.is_empty() {
            self.host.resize(total, self.meta.host);
        }
        for row in from..total {
            if !keep.get(row) {
                continue;
            }
            if at != row {
                self.num[at] = self.num[row];
                self.time[at] = self.time[row];
                self.delta[at] = self.delta[row];
                self.latency[at] = self.latency[row];
                self.call[at] = self.call[row];
                self.cpu[at] = self.cpu[row];
                self.tid[at] = self.tid[row];
                self.proc[at] = self.proc[row];
                self.ret[at] = self.ret[row];
                self.flags[at] = self.flags[row];
                if let Some(host) = self.host.get(row).copied() {
                    self.host[at] = host;
                }
                move_run(&mut self.words, &mut self.word_at, row, at);
                move_run(&mut self.items, &mut self.item_at, row, at);
                move_run(&mut self.refs, &mut self.ref_at, row, at);
            }
            at += 1;
        }
        self.truncate(at);
    }

    /// The same of what few rows have; rows get the numbers that they will have.
    fn compact_fdlist(&mut self, from: usize, keep: &Bitmap) {
        let start = self.fdlist_row.partition_point(|row| (*row as usize) < from);
        let (mut to, mut row, mut kept) = (start, from, from);
        for at in start..self.fdlist_row.len() {
            let of = self.fdlist_row[at] as usize;
            while row < of {
                kept += usize::from(keep.get(row));
                row += 1;
            }
            if keep.get(of) {
                self.fdlist_row[to] = kept as u32;
                self.fdlist[to] = self.fdlist[at];
                to += 1;
            }
        }
        self.fdlist_row.truncate(to);
        self.fdlist.truncate(to);
    }

    /// Removes the rows from `rows` on.
    pub fn truncate(&mut self, rows: usize) {
        if rows >= self.rows() {
            return;
        }
        self.num.truncate(rows);
        self.time.truncate(rows);
        self.delta.truncate(rows);
        self.latency.truncate(rows);
        self.call.truncate(rows);
        self.cpu.truncate(rows);
        self.tid.truncate(rows);
        self.proc.truncate(rows);
        self.ret.truncate(rows);
        self.flags.truncate(rows);
        self.host.truncate(rows);
        self.word_at.truncate(rows + 1);
        self.words.truncate(self.word_at[rows] as usize);
        self.item_at.truncate(rows + 1);
        self.items.truncate(self.item_at[rows] as usize);
        self.ref_at.truncate(rows + 1);
        self.refs.truncate(self.ref_at[rows] as usize);
        self.fdlist_row.truncate(self.fdlist_row.partition_point(|row| (*row as usize) < rows));
        self.fdlist.truncate(self.fdlist_row.len());
    }

    /// Drops dictionary entries and strings that no row reaches and renumbers the rest. After it, ids given out before
    /// are invalid: call [`Builder::reset`] next.
    pub fn close(&mut self) {
        let mut proc_map = vec![NONE; self.procs.len()];
        for &id in &self.proc {
            if let Some(mark) = proc_map.get_mut(id as usize) {
                *mark = 0;
            }
        }
        let mut file_map = vec![NONE; self.files.len()];
        for ids in [&self.refs, &self.fdlist] {
            for &id in ids {
                if let Some(mark) = file_map.get_mut(id as usize) {
                    *mark = 0;
                }
            }
        }
        // An entry refers to earlier ones only: one pass downward reaches all.
        for (i, p) in self.procs.iter().enumerate().rev() {
            if proc_map[i] == NONE {
                continue;
            }
            for id in [p.parent, p.leader, p.group_leader] {
                if let Some(mark) = proc_map.get_mut(id as usize) {
                    *mark = 0;
                }
            }
            for id in p.stdio {
                if let Some(mark) = file_map.get_mut(id as usize) {
                    *mark = 0;
                }
            }
        }
        retain_marked(&mut self.procs, &mut proc_map);
        retain_marked(&mut self.files, &mut file_map);
        let follow = |map: &[u32], id: u32| map.get(id as usize).copied().unwrap_or(NONE);
        let mut user_map = vec![NONE; self.users.len()];
        let mut group_map = vec![NONE; self.groups.len()];
        let mut container_map = vec![NONE; self.containers.len()];
        for p in &self.procs {
            for id in [p.user, p.login] {
                if let Some(mark) = user_map.get_mut(id as usize) {
                    *mark = 0;
                }
            }
            for (map, id) in [(&mut group_map, p.group), (&mut container_map, p.container)] {
                if let Some(mark) = map.get_mut(id as usize) {
                    *mark = 0;
                }
            }
        }
        retain_marked(&mut self.users, &mut user_map);
        retain_marked(&mut self.groups, &mut group_map);
        retain_marked(&mut self.containers, &mut container_map);

        // Strings are put down again in order of use, so that what nothing reaches is gone from the bytes too: first those
        // of processes, users, groups and containers, then those of files, then what rows alone refer to. A reel keeps the three apart.
        self.spare.clear();
        let mut string_map = vec![NONE; self.arena.at.len() - 1];
        let (old, new) = (&self.arena, &mut self.spare);
        let mut restring = |id: StrId| -> StrId {
            let Some(known) = string_map.get_mut(id as usize) else { return NONE };
            if *known == NONE {
                // Each is there once; nobody looks for them in a block that is closed.
                *known = new.append(old.strings().get(id));
            }
            *known
        };
        for p in &mut self.procs {
            for id in [&mut p.parent, &mut p.leader, &mut p.group_leader] {
                *id = follow(&proc_map, *id);
            }
            p.stdio = p.stdio.map(|id| follow(&file_map, id));
            p.user = follow(&user_map, p.user);
            p.login = follow(&user_map, p.login);
            p.group = follow(&group_map, p.group);
            p.container = follow(&container_map, p.container);
            for s in [&mut p.comm, &mut p.exepath, &mut p.args, &mut p.cwd, &mut p.cgroup, &mut p.env] {
                *s = restring(*s);
            }
        }
        for u in &mut self.users {
            for s in [&mut u.name, &mut u.home, &mut u.shell] {
                *s = restring(*s);
            }
        }
        for g in &mut self.groups {
            g.name = restring(g.name);
        }
        for c in &mut self.containers {
            for s in c.strings_mut() {
                *s = restring(*s);
            }
        }
        for f in &mut self.files {
            f.name = restring(f.name);
            f.given = restring(f.given);
        }
        for id in &mut self.proc {
            *id = follow(&proc_map, *id);
        }
        for ids in [&mut self.refs, &mut self.fdlist] {
            for id in ids {
                *id = follow(&file_map, *id);
            }
        }
        for item in &mut self.items {
            if let Some(id) = item.id() {
                *item = Item::new(restring(id), item.is_cut());
            }
        }
        std::mem::swap(&mut self.arena, &mut self.spare);
    }

    /// Empties the block; keeps the memory. The generation must be one that no block has had: several blocks take turns,
    /// and an entity remembers its place by it.
    pub fn reset(&mut self, generation: u32) {
        self.truncate(0);
        self.procs.clear();
        self.files.clear();
        self.users.clear();
        self.groups.clear();
        self.containers.clear();
        self.arena.clear();
        self.spare.clear();
        self.generation = generation;
        self.meta = Meta::default();
    }
}

fn move_run<T: Copy>(data: &mut [T], at: &mut [u32], from: usize, to: usize) {
    let (start, end) = (at[from] as usize, at[from + 1] as usize);
    let target = at[to] as usize;
    data.copy_within(start..end, target);
    at[to + 1] = (target + end - start) as u32;
}

/// Keeps the entries whose mark is not NONE and turns the marks into new indexes.
fn retain_marked<T: Copy>(entries: &mut Vec<T>, marks: &mut [u32]) {
    let mut next = 0;
    for (i, mark) in marks.iter_mut().enumerate() {
        if *mark != NONE {
            *mark = next as u32;
            entries[next] = entries[i];
            next += 1;
        }
    }
    entries.truncate(next);
}
