//! Rows, and the tables that come of them.

use super::*;
use crate::batch::File;
use crate::batch::{Builder, FileKind, Item, Meta, Row};
use crate::schema::Arch;
use crate::state::Snapshot;

/// Rows of one block, of which process 10 is the first.
struct Rows {
    schema: Schema,
    b: Builder,
    time: u64,
    proc: ProcId,
}

impl Rows {
    fn new() -> Rows {
        let mut b = Builder::new();
        b.set_meta(Meta::default());
        let comm = b.string(b"shell");
        let proc =
            b.proc(Proc { pid: 10, ppid: 0, vpid: 10, start: 100, threads: 1, comm, ..Proc::default() });
        Rows { schema: Schema::native(Arch::X86_64), b, time: 1000, proc }
    }

    fn file(&mut self, name: &str) -> FileId {
        let name = self.b.string(name.as_bytes());
        self.b.file(File { kind: FileKind::File, name, ..File::default() })
    }

    fn other(&mut self, pid: u32, ppid: u32) -> ProcId {
        let comm = self.b.string(b"other");
        self.b.proc(Proc { pid, ppid, vpid: pid, start: 500, threads: 1, comm, ..Proc::default() })
    }

    fn push(&mut self, code: u16, ret: i64, words: &[u64], items: &[Item], refs: &[FileId]) {
        self.time += 10;
        let (time, proc) = (self.time, self.proc);
        let tid = if proc == 0 { 10 } else { 20 };
        let row = Row { num: time, time, latency: 15, call: code, tid, proc, ret, ..Row::default() };
        self.b.push(row, words, items, refs);
    }

    fn call(&mut self, name: &str, ret: i64, words: &[u64], refs: &[FileId]) {
        let code = self.schema.code(name).unwrap();
        let shape = self.schema.shape(code);
        let mut words = words.to_vec();
        words.resize(shape.words(), 0);
        let items = vec![Item::ABSENT; usize::from(shape.items)];
        let mut refs = refs.to_vec();
        refs.resize(usize::from(shape.refs), NONE);
        self.push(code, ret, &words, &items, &refs);
    }

    /// The table that the first `rows` make, a line for each process and descriptor.
    fn table(&self, rows: usize, filtered: bool) -> Vec<String> {
        let mut replay = Replay::new(&self.schema, filtered);
        replay.begin_file(&self.schema);
        let view = self.b.view(&self.schema);
        replay.begin_block(&view);
        (0..rows.min(view.rows)).for_each(|row| replay.row(&view, row));
        let mut b = Builder::new();
        b.reset(2);
        let mut snapshot = Snapshot::new(1, 0, Vec::new());
        replay.finish().snapshot(&mut snapshot, u64::MAX, &mut b);
        assert!(snapshot.is_over());
        let all = b.view(&self.schema);
        let line = |row: usize| {
            let p = all.proc_of(row)?;
            let mark = if all.flags_of(row) & row_flags::UNCERTAIN != 0 { "~" } else { "" };
            Some(match all.file_of(row) {
                Some(f) => {
                    let name = String::from_utf8_lossy(all.dict.strings.get(f.name)).into_owned();
                    let cloexec = if all.words_of(row)[1] == 1 { "x" } else { "" };
                    format!("{} {}{cloexec} {mark}{name}", p.pid, all.words_of(row)[0])
                }
                None => format!("{} {mark}{}", p.pid, String::from_utf8_lossy(all.dict.strings.get(p.comm))),
            })
        };
        (0..all.rows).filter_map(line).collect()
    }
}

const CLOEXEC: u64 = 0o2000000;

/// A process with 0 and 3, and 4 that exec closes.
fn begun() -> Rows {
    let mut r = Rows::new();
    let (a, b, c) = (r.file("/dev/null"), r.file("/a"), r.file("/b"));
    r.push(schema::PROCESS, 1, &[], &[], &[]);
    r.time -= 10;
    for (fd, cloexec, file) in [(0, 0, a), (3, 0, b), (4, 1, c)] {
        r.push(schema::DESCRIPTOR, 1, &[fd, cloexec], &[], &[file]);
        r.time -= 10;
    }
    let none = std::mem::replace(&mut r.proc, NONE);
    r.push(schema::SNAPSHOT, 1, &[1, 3], &[], &[]);
    r.proc = none;
    r
}

#[test]
fn a_snapshot_is_what_it_says() {
    assert_eq!(begun().table(99, false), ["10 shell", "10 0 /dev/null", "10 3 /a", "10 4x /b"]);
    assert_eq!(begun().table(99, true), ["10 shell", "10 0 ~/dev/null", "10 3 ~/a", "10 4x ~/b"]);
}

#[test]
fn descriptors_follow_what_calls_did() {
    let mut r = begun();
    let c = r.file("/c");
    let from = r.b.rows();
    r.call("openat", 5, &[0, 0, CLOEXEC], &[NONE, c]);
    r.call("dup2", 3, &[5], &[NONE, c]);
    r.call("close", 0, &[0], &[]);
    r.call("close", -9, &[5], &[]);
    r.call("openat", -2, &[0, 0, 0], &[]);
    assert_eq!(r.table(99, false), ["10 shell", "10 3 /c", "10 4x /b", "10 5x /c"]);
    assert_eq!(r.table(from + 1, false), ["10 shell", "10 0 /dev/null", "10 3 /a", "10 4x /b", "10 5x /c"]);
    r.call("execve", 0, &[], &[]);
    assert_eq!(r.table(99, false), ["10 shell", "10 3 /c"]);
    r.call("procexit", 0, &[], &[]);
    assert_eq!(r.table(99, false), Vec::<String>::new());
}

#[test]
fn a_child_has_what_its_parent_had() {
    let mut r = begun();
    r.call("clone", 20, &[17], &[]);
    r.call("close", 0, &[0], &[]);
    let seen = r.table(99, false);
    assert_eq!(
        seen,
        ["10 shell", "10 3 /a", "10 4x /b", "20 shell", "20 0 /dev/null", "20 3 /a", "20 4x /b"]
    );
    // The child's own row comes before that of the call that made it.
    let mut r = begun();
    r.proc = r.other(20, 10);
    r.call("close", 0, &[3], &[]);
    r.proc = 0;
    r.call("clone", 20, &[17], &[]);
    let seen = r.table(99, false);
    assert_eq!(
        seen,
        ["10 shell", "10 0 /dev/null", "10 3 /a", "10 4x /b", "20 other", "20 0 /dev/null", "20 4x /b"]
    );
}

#[test]
fn what_is_older_than_a_process_of_a_snapshot_is_in_it() {
    let mut r = begun();
    // A record of before, that came late.
    r.time = 900;
    r.call("close", 0, &[3], &[]);
    assert_eq!(r.table(99, false)[2], "10 3 /a");
}

#[test]
fn after_a_loss_nothing_old_is_certain() {
    let mut r = begun();
    let none = std::mem::replace(&mut r.proc, NONE);
    r.push(schema::LOST, 0, &[7, 0], &[], &[]);
    r.proc = none;
    let c = r.file("/c");
    r.call("openat", 3, &[0, 0, 0], &[NONE, c]);
    assert_eq!(r.table(99, false), ["10 shell", "10 0 ~/dev/null", "10 3 /c", "10 4x ~/b"]);
}

#[test]
fn without_a_snapshot_there_is_what_events_mention() {
    let mut r = Rows::new();
    let (a, c) = (r.file("/a"), r.file("/c"));
    r.call("read", 1, &[7, 0, 9], &[a]);
    r.call("openat", 3, &[0, 0, 0], &[NONE, c]);
    r.call("read", -9, &[8, 0, 9], &[]);
    assert_eq!(r.table(99, false), ["10 shell", "10 3 /c", "10 7 /a"]);
    assert_eq!(r.table(99, true), ["10 shell", "10 3 ~/c", "10 7 ~/a"]);
}

#[test]
fn received_descriptors_are_there_and_not_known() {
    let mut r = begun();
    let code = r.schema.code("recvmsg").unwrap();
    let shape = r.schema.shape(code).clone();
    // No name, a control message of 20 bytes (padded to 24) with one descriptor, no data.
    let mut message = vec![0; 8];
    for n in [0u32, 0, 0, 0, 24, 0] {
        message.extend_from_slice(&n.to_le_bytes());
    }
    message.extend_from_slice(&24u64.to_le_bytes());
    message.extend_from_slice(&20u64.to_le_bytes());
    for n in [libc::SOL_SOCKET, libc::SCM_RIGHTS, 6, 0] {
        message.extend_from_slice(&n.to_le_bytes());
    }
    let item = Item::new(r.b.string(&message), false);
    assert_eq!((shape.items, shape.refs), (1, 1));
    let words = vec![3; shape.words()];
    r.push(code, 1, &words, &[item], &[NONE]);
    assert_eq!(r.table(99, false).last().unwrap(), "10 6 ~");
    // Whatever stands there: nothing breaks.
    for cut in 0..message.len() {
        let item = Item::new(r.b.string(&message[..cut]), true);
        r.push(code, 1, &words, &[item], &[NONE]);
    }
    r.table(99, false);
}

/// In a pid namespace of its own a parent has other numbers for its children than we; once it has unshared that, they have a
/// third one.
#[test]
fn children_in_other_pid_namespaces_are_their_parents() {
    let tick = 10_000_000;
    let process = |r: &mut Rows, pid, ppid, vpid, start| {
        let comm = r.b.string(b"other");
        r.b.proc(Proc { pid, ppid, vpid, start, threads: 1, comm, ..Proc::default() })
    };
    for parted in [false, true] {
        let mut r = begun();
        r.time = 100 * tick;
        let parent = process(&mut r, 20, 10, 2, 50 * tick);
        let (a, b) = (r.file("/inside"), r.file("/later"));
        r.proc = parent;
        r.call("openat", 7, &[0, 0, 0], &[NONE, a]);
        if parted {
            r.call("unshare", 0, &[0x2000_0000], &[]);
        }
        r.time = 200 * tick;
        r.call("clone", 3, &[17], &[]);
        // After the fork: the child has the first still, and not the second.
        r.call("close", 0, &[7], &[]);
        r.call("openat", 8, &[0, 0, 0], &[NONE, b]);
        // A second child, much later.
        r.time = 300 * tick;
        r.call("clone", 4, &[17], &[]);
        r.time = 400 * tick;
        let vpids = if parted { [1, 2] } else { [3, 4] };
        r.proc = process(&mut r, 32, 20, vpids[1], 300 * tick);
        r.call("getppid", 1, &[], &[]);
        r.proc = process(&mut r, 31, 20, vpids[0], 200 * tick);
        r.call("getppid", 1, &[], &[]);
        let seen: Vec<String> = r
            .table(99, false)
            .into_iter()
            .filter(|l| l.starts_with('3') && (l.contains("/inside") || l.contains("/later")))
            .collect();
        assert_eq!(seen, ["31 7 /inside", "32 8 /later"], "{parted}");
    }
}
