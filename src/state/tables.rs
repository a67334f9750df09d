//! The tables of state: processes and files. Dumb: they hold, they do not know why. Descriptors stand in
//! [`super::descriptors`].
//!
//! Enters: what effects and the /proc scan say. Leaves: entities, each with the place it has in the open block. Never: a
//! record, a batch.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use rustc_hash::FxHashMap;

use super::descriptors::TableRef;
use super::groups::Groups;
use crate::batch::{FileKind, L4, Role, proc_flags};

/// Bytes that several entities share.
pub type Text = Rc<[u8]>;

thread_local! {
    /// State stays in its thread.
    static CHANGES: Cell<u64> = const { Cell::new(1) };
}

/// Counts changes of what entries of processes refer to: processes, their leaders, files, standard descriptors. As long
/// as it stands still, every entry that was right is right.
pub fn changes() -> u64 {
    CHANGES.get()
}

/// Something changed that an entry of another entity may refer to.
pub fn changed() {
    CHANGES.set(changes() + 1);
}

/// Where an entity stands in the open block: `(generation, index)`; generation 0 is nowhere.
pub type Place = Cell<(u32, u32)>;

/// What a descriptor refers to: the kernel's `struct file`. Copies of a descriptor share it.
#[derive(Default)]
pub struct FileEntity {
    /// What is known about it.
    pub desc: RefCell<FileDesc>,
    /// The kernel's own identity of it; 0 if that is not known.
    pub id: Cell<u64>,
    /// How often its name was asked for in vain.
    pub asked: Cell<u8>,
    /// Its place when certain, and when not.
    pub places: [Place; 2],
}

/// See [`crate::batch::File`].
#[derive(Clone, Default)]
#[allow(missing_docs, reason = "the fields of batch::File")]
pub struct FileDesc {
    pub kind: FileKind,
    pub role: Role,
    pub l4: L4,
    pub name: Option<Text>,
    pub given: Option<Text>,
    pub dev: u32,
    pub ino: u64,
    pub lport: u16,
    pub rport: u16,
    pub laddr: [u8; 16],
    pub raddr: [u8; 16],
    pub flags: u32,
}

/// A shared file.
pub type FileRef = Rc<FileEntity>;

impl FileEntity {
    /// A new file.
    pub fn new(desc: FileDesc) -> FileRef {
        Rc::new(FileEntity { desc: RefCell::new(desc), ..FileEntity::default() })
    }

    /// Changes it: later references get a new entry.
    pub fn change(&self, f: impl FnOnce(&mut FileDesc)) {
        f(&mut self.desc.borrow_mut());
        for place in &self.places {
            place.set((0, 0));
        }
        changed();
    }
}

/// See [`crate::batch::Proc`].
#[derive(Clone, Default)]
#[allow(missing_docs, reason = "the fields of batch::Proc")]
pub struct ProcDesc {
    pub pid: u32,
    pub ppid: u32,
    pub start: u64,
    pub uid: u32,
    pub gid: u32,
    pub ruid: u32,
    pub rgid: u32,
    pub loginuid: u32,
    pub sid: u32,
    pub pgid: u32,
    pub tty: u32,
    pub vpid: u32,
    pub comm: Option<Text>,
    pub exepath: Option<Text>,
    pub args: Option<Text>,
    pub cwd: Option<Text>,
    /// The one of `groups` that is shown.
    pub cgroup: Option<Text>,
    pub groups: Groups,
    pub flags: u32,
    pub threads: u32,
    pub exe_dev: u32,
    pub exe_ino: u64,
    pub exe_ctime: u64,
    pub exe_mtime: u64,
    pub caps: [u64; 3],
    pub env: Option<Text>,
}

/// What a successful exec said, until the call returns: its own registers are zero by then.
#[derive(Default)]
pub struct PendingExec {
    /// The path as given.
    pub path: Option<Text>,
    /// The arguments, and whether they were cut.
    pub args: Option<(Text, bool)>,
    /// How many variables there are, and those that were asked for.
    pub env: Option<(Text, bool)>,
    /// The call that it came by, if that is not the one that its record says.
    pub by: Option<Begun>,
}

/// A call as it was when it began.
pub struct Begun {
    /// Its code.
    pub code: u16,
    /// Its words.
    pub words: [u64; 6],
    /// What its descriptor stood for, and whether that is uncertain: the exec may have closed it.
    pub dir: Option<(FileRef, bool)>,
}

/// Bits of [`ProcEntity::ask`].
pub mod ask {
    /// Its id in its own pid namespace: it was born.
    pub const ID: u8 = 1;
    /// Its capabilities: they may have changed.
    pub const CAPS: u8 = 2;
    /// What belongs to its program: it is a new one.
    pub const PROGRAM: u8 = 4;
    /// Its control groups: it is in others, and no record told which.
    pub const GROUPS: u8 = 8;
}

/// Real user and group, effective user and group.
pub type Ids = (u32, u32, u32, u32);

/// Who the threads of a process are, where they are not all the same: the kernel keeps credentials by thread.
pub struct Split {
    /// Threads that became somebody.
    threads: FxHashMap<u32, Ids>,
    /// All others.
    others: Ids,
}

/// A process.
pub struct ProcEntity {
    /// What is known about it.
    pub desc: RefCell<ProcDesc>,
    /// Its parent; kept as long as a child refers to it.
    pub parent: RefCell<Option<ProcRef>>,
    /// Its descriptors.
    pub fds: RefCell<TableRef>,
    /// The leaders of its session and its group, if they are known and not itself; kept even if they have ended.
    pub leaders: RefCell<[Option<ProcRef>; 2]>,
    /// Its place in the open block.
    pub place: Place,
    /// What its entry there refers to: parent, leaders, files of descriptors 0 to 2, where it runs.
    pub parts: Cell<[u32; 7]>,
    /// [`changes`] when that was last true.
    pub checked: Cell<u64>,
    /// Its entry is being made: what refers to it now would go in a circle.
    pub busy: Cell<bool>,
    /// What is read from /proc when its next entry is made, because no record tells it: see [`ask`].
    pub ask: Cell<u8>,
    /// Since when (boot clock, ns) the number of its threads is known.
    pub counted: Cell<u64>,
    /// Begin and end of the /proc scan that it comes from (boot clock, ns); zeros if it was born under our eyes.
    pub scanned: Cell<(u64, u64)>,
    /// The same of its descriptors: another process that uses them too may have been read later.
    pub read: Cell<(u64, u64)>,
    /// See [`Split`]. The process itself has the credentials of the thread of the latest record.
    pub split: RefCell<Option<Split>>,
    /// See [`PendingExec`].
    pub exec: RefCell<Option<PendingExec>>,
    /// The last time that changes were lost after which it was read anew, or found to be gone.
    pub trusted: Cell<u64>,
    /// Its descriptors have been read, or inherited from one whose were.
    pub fds_known: Cell<bool>,
}

/// A shared process.
pub type ProcRef = Rc<ProcEntity>;

impl ProcEntity {
    /// True if what is known of it may not have been so at this time: it is marked, or was read later than that.
    pub fn is_doubtful(&self, time: u64) -> bool {
        self.desc.borrow().flags & proc_flags::UNCERTAIN != 0 || time < self.scanned.get().1
    }

    /// A new process.
    pub fn new(desc: ProcDesc, parent: Option<ProcRef>, fds: TableRef) -> ProcRef {
        Rc::new(ProcEntity {
            desc: RefCell::new(desc),
            parent: RefCell::new(parent),
            fds: RefCell::new(fds),
            leaders: RefCell::default(),
            place: Cell::new((0, 0)),
            parts: Cell::new([u32::MAX; 7]),
            checked: Cell::new(0),
            busy: Cell::new(false),
            ask: Cell::new(0),
            counted: Cell::new(0),
            scanned: Cell::new((0, 0)),
            read: Cell::new((0, 0)),
            split: RefCell::new(None),
            exec: RefCell::new(None),
            trusted: Cell::new(0),
            fds_known: Cell::new(false),
        })
    }

    /// It was read from /proc with its descriptors between these times (boot clock, ns).
    pub fn was_read(&self, begin: u64, end: u64) {
        self.scanned.set((begin, end));
        self.read.set((begin, end));
    }

    /// Something of it is to be read from /proc.
    pub fn ask(&self, what: u8) {
        self.ask.set(self.ask.get() | what);
        self.place.set((0, 0));
        changed();
    }

    /// The credentials that its entries have.
    pub fn ids(&self) -> Ids {
        let d = self.desc.borrow();
        (d.ruid, d.rgid, d.uid, d.gid)
    }

    fn set_ids(&self, ids: Ids) {
        if self.ids() != ids {
            self.change(|d| (d.ruid, d.rgid, d.uid, d.gid) = ids);
        }
    }

    /// A thread became somebody else.
    pub fn becomes(&self, tid: u32, ids: Ids) {
        let (pid, threads) = {
            let d = self.desc.borrow();
            (d.pid, d.threads)
        };
        let mut split = self.split.borrow_mut();
        if split.is_none() && !(threads == 1 && tid == pid) {
            *split = Some(Split { threads: FxHashMap::default(), others: self.ids() });
        }
        if let Some(all) = split.as_mut() {
            all.threads.insert(tid, ids);
            // glibc lets every thread make the call that one made.
            if all.threads.len() == threads as usize && all.threads.values().all(|of| *of == ids) {
                *split = None;
            }
        }
        drop(split);
        self.set_ids(ids);
    }

    /// A record of this thread comes: the process is who the thread is.
    pub fn speaks(&self, tid: u32) {
        let ids = self.split.borrow().as_ref().map(|s| s.threads.get(&tid).copied().unwrap_or(s.others));
        if let Some(ids) = ids {
            self.set_ids(ids);
        }
    }

    /// A thread was made by another, and is who that is; or it ended.
    pub fn thread(&self, tid: u32, by: Option<u32>) {
        if let Some(split) = self.split.borrow_mut().as_mut() {
            match by.and_then(|by| split.threads.get(&by).copied()) {
                Some(ids) => split.threads.insert(tid, ids),
                None => split.threads.remove(&tid),
            };
        }
    }

    /// Changes it: later references get a new entry.
    pub fn change(&self, f: impl FnOnce(&mut ProcDesc)) {
        f(&mut self.desc.borrow_mut());
        self.place.set((0, 0));
        changed();
    }
}
