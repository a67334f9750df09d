//! Calls that have not returned, as /proc shows them.
//!
//! Enters: a thread. Leaves: the call that it is in, with its words and what they point to, as the record that the probe
//! would make of it. Never: a name, the probe, a guess: a thread that ran while it was looked at is looked at again, and
//! in the end left out.
//!
//! `/proc/PID/task/TID/syscall` has the number, six words, the stack pointer and the program counter of a thread that is
//! not on a CPU. `sched` beside it says when the thread last ran, on the clock of the CPU on which that was
//! (`se.exec_start`, the run queue's `clock_task`): as long as that stays the same the thread has not moved at all, and what
//! was read in between belongs together. It also bounds the age of the call from below, for a thread that does not run
//! begins no call.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use rustix::thread::{CpuSet, sched_getaffinity, sched_getcpu, sched_setaffinity};

use super::abi;
use super::live::plan::{Interest, Snaplen, limit, plan};
use crate::schema::{COMPAT, OTHER, Schema};

/// Most bytes read of one file of /proc here; they are far shorter.
const MAX_READ: u64 = 16 << 10;
/// How often a thread is looked at that does not keep still.
const LOOKS: usize = 3;
/// Looked up for strings at once: a page, so that what is not there behind one does no harm.
const PAGE: u64 = 4096;
/// The result of a call that has none yet. It counts as no result; of what the kernel writes, nothing is there
/// (ERESTARTSYS, include/linux/errno.h).
const NO_RESULT: i64 = -512;
/// PF_IO_WORKER, PF_USER_WORKER and PF_KTHREAD (include/linux/sched.h): threads that make no calls, whatever their
/// registers hold.
const PF_WORKERS: u64 = 0x0020_4010;

/// What one look at a thread gave.
#[derive(Debug)]
pub enum Sight {
    /// It is in a call.
    Call(Box<Flight>),
    /// It is in none.
    Elsewhere,
    /// It runs, or would not keep still.
    Running,
    /// There is no such thread any more.
    Gone,
    /// We may not look at it.
    Refused,
}

/// Where a thread was at a moment. If it is the same at two moments, the thread has not run in between.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Still {
    /// When it last ran, ns of its CPU's clock; `None` if this kernel does not tell.
    ran: Option<u64>,
    syscall: Vec<u8>,
}

/// A call in flight.
#[derive(Clone, Debug)]
pub struct Flight {
    /// The thread.
    pub tid: u32,
    /// Its process.
    pub pid: u32,
    /// Number of the call.
    pub nr: u32,
    /// By the 32-bit table.
    pub compat: bool,
    /// Its words.
    pub words: [u64; 6],
    /// The thread's state, the letter of `stat`.
    pub state: u8,
    /// CPU on which it last ran.
    pub cpu: u16,
    /// Where it stood while it was looked at.
    pub still: Still,
    /// Items, as in a record.
    items: Vec<u8>,
    count: u8,
}

/// Reads /proc.
pub struct Looker<'s> {
    root: PathBuf,
    schema: &'s Schema,
    interest: Interest,
    snap: Snaplen,
}

fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut out = Vec::new();
    File::open(path)?.take(MAX_READ).read_to_end(&mut out)?;
    Ok(out)
}

/// The names in a directory that are numbers.
fn numbers(dir: &Path) -> Vec<u32> {
    let Ok(dir) = std::fs::read_dir(dir) else { return Vec::new() };
    dir.flatten().filter_map(|e| e.file_name().to_str()?.parse().ok()).collect()
}

/// Number, words and program counter of a thread that is in a call; nothing for one that is in none.
fn parse_syscall(text: &[u8]) -> Option<(u32, [u64; 6], u64)> {
    let text = std::str::from_utf8(text).ok()?;
    let mut fields = text.split_ascii_whitespace();
    // -1 is a thread that waits outside of a call: for a page, to be traced.
    let nr = fields.next()?.parse::<u32>().ok()?;
    let mut hex = || u64::from_str_radix(fields.next()?.strip_prefix("0x")?, 16).ok();
    let mut words = [0; 6];
    for word in &mut words {
        *word = hex()?;
    }
    let (sp, pc) = (hex()?, hex()?);
    // A thread of the kernel's has no place in user space.
    (sp != 0 && pc != 0).then_some((nr, words, pc))
}

/// State, flags and CPU of `stat`.
fn parse_stat(bytes: &[u8]) -> Option<(u8, u64, u16)> {
    // The name may hold anything, blanks and parentheses too: the last parenthesis ends it.
    let close = bytes.iter().rposition(|b| *b == b')')?;
    let rest = std::str::from_utf8(bytes.get(close + 1..)?).ok()?;
    let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
    let state = *fields.first()?.as_bytes().first()?;
    Some((state, fields.get(6)?.parse().ok()?, fields.get(36)?.parse().ok()?))
}

/// `se.exec_start : 36191.643821`, in milliseconds, as ns.
fn parse_ran(sched: &[u8]) -> Option<u64> {
    let line = sched.split(|b| *b == b'\n').find(|l| l.starts_with(b"se.exec_start"))?;
    let value = std::str::from_utf8(line).ok()?.split_once(':')?.1.trim();
    let (ms, ns) = value.split_once('.')?;
    let ns = if ns.len() == 6 { ns.parse::<u64>().ok()? } else { return None };
    ms.parse::<u64>().ok()?.checked_mul(1_000_000)?.checked_add(ns)
}

impl<'s> Looker<'s> {
    /// Looks at /proc at `root`; of each buffer that a call is given, at most `snap` bytes are copied.
    pub fn new(root: &Path, schema: &'s Schema, snap: Snaplen) -> Looker<'s> {
        let interest = Interest::new(schema, false, |_| true);
        Looker { root: root.to_owned(), schema, interest, snap }
    }

    /// Every process there is.
    pub fn processes(&self) -> Vec<u32> {
        numbers(&self.root)
    }

    /// This process, by its number in that /proc.
    pub fn own(&self) -> Option<u32> {
        std::fs::read_link(self.root.join("self")).ok()?.to_str()?.parse().ok()
    }

    /// The threads of a process; none if it is the kernel's, or gone.
    pub fn threads(&self, pid: u32) -> Vec<u32> {
        let dir = self.root.join(pid.to_string());
        let stat = read(&dir.join("stat")).ok().and_then(|s| parse_stat(&s));
        match stat {
            Some((_, flags, _)) if flags & PF_WORKERS == 0 => numbers(&dir.join("task")),
            _ => Vec::new(),
        }
    }

    /// The process of a thread.
    pub fn process_of(&self, tid: u32) -> Option<u32> {
        let status = read(&self.root.join(tid.to_string()).join("status")).ok()?;
        let line = status.split(|b| *b == b'\n').find_map(|l| l.strip_prefix(b"Tgid:"))?;
        std::str::from_utf8(line).ok()?.trim().parse().ok()
    }

    /// The memory of a process, if we may read it.
    pub fn memory(&self, pid: u32) -> Option<File> {
        File::open(self.root.join(pid.to_string()).join("mem")).ok()
    }

    fn dir(&self, pid: u32, tid: u32) -> PathBuf {
        self.root.join(pid.to_string()).join("task").join(tid.to_string())
    }

    fn ran(&self, dir: &Path) -> Option<u64> {
        read(&dir.join("sched")).ok().and_then(|s| parse_ran(&s))
    }

    /// Where a thread stands, if it is in a call and not on a CPU.
    pub fn still(&self, pid: u32, tid: u32) -> Result<Still, Sight> {
        self.still_in(&self.dir(pid, tid))
    }

    fn still_in(&self, dir: &Path) -> Result<Still, Sight> {
        let ran = self.ran(dir);
        let syscall = read(&dir.join("syscall")).map_err(|e| match (e.kind(), e.raw_os_error()) {
            (ErrorKind::NotFound, _) | (_, Some(libc::ESRCH)) => Sight::Gone,
            _ => Sight::Refused,
        })?;
        if syscall.starts_with(b"running") {
            return Err(Sight::Running);
        }
        if parse_syscall(&syscall).is_none() {
            return Err(Sight::Elsewhere);
        }
        Ok(Still { ran, syscall })
    }

    /// Looks at a thread. `wanted` tells for which calls (by code) the trouble is worth it.
    pub fn look(&self, pid: u32, tid: u32, memory: Option<&File>, wanted: impl Fn(u16) -> bool) -> Sight {
        let dir = self.dir(pid, tid);
        for _ in 0..LOOKS {
            let still = match self.still_in(&dir) {
                Ok(still) => still,
                Err(sight) => return sight,
            };
            let Some((nr, words, pc)) = parse_syscall(&still.syscall) else { return Sight::Elsewhere };
            let Some((state, flags, cpu)) = read(&dir.join("stat")).ok().and_then(|s| parse_stat(&s)) else {
                return Sight::Gone;
            };
            if flags & PF_WORKERS != 0 {
                return Sight::Elsewhere;
            }
            let compat = self.is_compat(pid, pc, memory);
            let code = match u16::try_from(nr).ok().filter(|nr| u32::from(*nr) < abi::PLANS) {
                None => OTHER,
                Some(nr) if compat => COMPAT + nr,
                Some(nr) => nr,
            };
            if !wanted(code) {
                return Sight::Elsewhere;
            }
            let (items, count) = if code < COMPAT && code != OTHER {
                self.items(code, &words, memory)
            } else {
                (Vec::new(), 0)
            };
            // Nothing of it ran: all of this was so at one moment.
            if self.still_in(&dir).is_ok_and(|now| now == still) {
                return Sight::Call(Box::new(Flight {
                    tid,
                    pid,
                    nr,
                    compat,
                    words,
                    state,
                    cpu,
                    still,
                    items,
                    count,
                }));
            }
        }
        Sight::Running
    }

    /// Whether the number is of the 32-bit table. /proc does not say; the instruction behind which the thread stands does:
    /// `int 0x80`, which also stands there for `sysenter` (arch/x86/entry/vdso/vdso32/system_call.S), or `syscall`. Where it
    /// cannot be read the program's own class decides.
    fn is_compat(&self, pid: u32, pc: u64, memory: Option<&File>) -> bool {
        let mut before = [0; 2];
        let at = pc.checked_sub(2).filter(|_| cfg!(target_arch = "x86_64"));
        if let (Some(at), Some(memory)) = (at, memory)
            && memory.read_exact_at(&mut before, at).is_ok()
        {
            match before {
                [0xcd, 0x80] => return true,
                [0x0f, 0x05] => return false,
                _ => {}
            }
        }
        let mut head = [0; 5];
        let exe = File::open(self.root.join(pid.to_string()).join("exe"));
        // EI_CLASS: ELFCLASS32.
        exe.is_ok_and(|exe| exe.read_exact_at(&mut head, 0).is_ok()) && head == *b"\x7fELF\x01"
    }

    /// What the words point to, by the plan of the call: what the kernel reads, not what it has yet to write.
    fn items(&self, code: u16, words: &[u64; 6], memory: Option<&File>) -> (Vec<u8>, u8) {
        let p = plan(self.schema.shape(code), &self.interest, self.snap);
        let mut out = Vec::new();
        for op in p.op.iter().take(usize::from(p.ops)) {
            let (bytes, status) = copy(op, words, memory);
            out.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
            out.extend_from_slice(&status.to_le_bytes());
            out.extend_from_slice(&bytes);
            out.resize(out.len().next_multiple_of(8), 0);
        }
        (out, p.ops)
    }

    /// How long threads have not run at least, ns, in the order of `flights`. The clocks of CPUs need not agree (each leaves
    /// out its own interrupts and what a hypervisor took), so each is read on its own CPU.
    pub fn ages(&self, flights: &[&Flight]) -> Vec<Option<u64>> {
        let mut clocks: BTreeMap<u16, Option<u64>> = flights.iter().map(|f| (f.cpu, None)).collect();
        if let Ok(home) = sched_getaffinity(None) {
            for (cpu, clock) in &mut clocks {
                let at = usize::from(*cpu);
                let mut only = CpuSet::new();
                if at >= CpuSet::MAX_CPU {
                    continue;
                }
                only.set(at);
                if sched_setaffinity(None, &only).is_ok() && sched_getcpu() == at {
                    *clock = self.ran(&self.root.join("thread-self"));
                }
            }
            let _ = sched_setaffinity(None, &home);
        }
        let age = |f: &&Flight| {
            let ran = f.still.ran.filter(|ran| *ran > 0)?;
            Some(clocks.get(&f.cpu).copied().flatten()?.saturating_sub(ran))
        };
        flights.iter().map(age).collect()
    }
}

/// One argument's bytes and their `ITEM_` status: what the probe's interpreter does, over /proc/PID/mem.
fn copy(op: &abi::Op, words: &[u64; 6], memory: Option<&File>) -> (Vec<u8>, u32) {
    let nothing = (Vec::new(), abi::ITEM_ABSENT);
    let word = |n: u8| words.get(usize::from(n)).copied().unwrap_or(0);
    let at = word(op.arg);
    // Written by the kernel alone, or an array of pointers: the address is all there is to show.
    let is_out = op.how & abi::HOW_OK != 0 && op.how & abi::HOW_ENTRY == 0;
    if at == 0 || is_out || op.code == abi::OP_NOTHING || op.code >= abi::OP_DEEP {
        return nothing;
    }
    let Some(memory) = memory else { return (Vec::new(), abi::ITEM_UNREADABLE) };
    let most = u64::from(limit(op));
    if op.code == abi::OP_STR {
        return string(memory, at, most);
    }
    let len = op.len & 0x1f;
    let count = match len {
        abi::LEN_FIXED => 1,
        n if n < abi::LEN_RET => word(n),
        n if n & abi::LEN_AT != 0 => {
            let mut four = [0; 4];
            if memory.read_exact_at(&mut four, word(n - abi::LEN_AT)).is_err() {
                return (Vec::new(), abi::ITEM_UNREADABLE);
            }
            u64::from(u32::from_le_bytes(four))
        }
        // The result is not known yet.
        _ => return nothing,
    };
    let count = count.min(0xffff_ffff);
    let count = match op.how & abi::HOW_BITS {
        0 => count,
        _ if op.len & abi::LEN_MORE != 0 => count + 8,
        _ if op.len & abi::LEN_PAGES != 0 => count.div_ceil(PAGE),
        _ => count.div_ceil(64),
    };
    let all = count * u64::from(op.unit);
    let want = all.min(most) as usize;
    let mut bytes = vec![0; want];
    let mut have = 0;
    while let Some(room) = bytes.get_mut(have..).filter(|r| !r.is_empty()) {
        match memory.read_at(room, at.saturating_add(have as u64)) {
            Ok(n) if n > 0 => have += n,
            _ => break,
        }
    }
    bytes.truncate(have);
    match have {
        0 if want > 0 => (bytes, abi::ITEM_UNREADABLE),
        _ if have < want || all > most => (bytes, abi::ITEM_CUT),
        _ => (bytes, abi::ITEM_OK),
    }
}

fn string(memory: &File, at: u64, most: u64) -> (Vec<u8>, u32) {
    let mut bytes = Vec::new();
    while (bytes.len() as u64) < most {
        let from = at.saturating_add(bytes.len() as u64);
        let piece = (PAGE - from % PAGE).min(most - bytes.len() as u64) as usize;
        let mut room = [0; PAGE as usize];
        let Some(room) = room.get_mut(..piece) else { break };
        let have = match memory.read_at(room, from) {
            Ok(n) if n > 0 => room.get(..n).unwrap_or_default(),
            // A fault inside it: as little as the kernel can make of it.
            _ => return (Vec::new(), abi::ITEM_UNREADABLE),
        };
        if let Some(end) = have.iter().position(|b| *b == 0) {
            bytes.extend_from_slice(have.get(..end).unwrap_or_default());
            return (bytes, abi::ITEM_OK);
        }
        bytes.extend_from_slice(have);
    }
    (bytes, abi::ITEM_CUT)
}

impl Flight {
    /// The record that the probe would make of it if it ended at `time` without a result.
    pub fn record(&self, time: u64, latency: u64) -> Vec<u8> {
        let mut flags = 0;
        if self.compat {
            flags |= abi::F_COMPAT;
        }
        let (code, words) = match u16::try_from(self.nr).ok().filter(|nr| u32::from(*nr) < abi::PLANS) {
            Some(nr) => (nr, 6),
            None => (abi::CALL_OTHER, 7),
        };
        let len = abi::HEAD as usize + words * 8 + self.items.len();
        let first = (len as u64 / 8) & 0xffff
            | u64::from(code) << 16
            | u64::from(flags) << 32
            | (words as u64 | u64::from(self.count) << 8) << 48;
        let head = [first, time, u64::from(self.tid) << 32, u64::from(self.pid), latency, NO_RESULT as u64];
        let number = [u64::from(self.nr)];
        let more = number.iter().take(words - 6);
        let mut out = Vec::with_capacity(len);
        for word in head.iter().chain(&self.words).chain(more) {
            out.extend_from_slice(&word.to_le_bytes());
        }
        out.extend_from_slice(&self.items);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Arch;

    #[test]
    fn lines_of_proc_are_read_as_they_are_meant() {
        let text = b"230 0x0 0x1 0x7fffe2237940 0xffffffffffffff9c 0x0 0x5 0x7fffe2237928 0x7f6ae3f82503\n";
        let words = [0, 1, 0x7fff_e223_7940, 0xffff_ffff_ffff_ff9c, 0, 5];
        assert_eq!(parse_syscall(text), Some((230, words, 0x7f6a_e3f8_2503)));
        // In no call; one of the kernel's threads; cut.
        for other in
            ["-1 0x7ffd 0x7f6a", "0 0x0 0x0 0x0 0x0 0x0 0x0 0x0 0x0", "230 0x0 0x0", "", "running", "x"]
        {
            assert_eq!(parse_syscall(other.as_bytes()), None, "{other}");
        }
        let stat = b"7 (a) R ) D 1 2 3 4 5 4194560 1 2 3 4 5 6 7 8 20 0 1 0 123 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 17 3 0\n";
        assert_eq!(parse_stat(stat), Some((b'D', 0x40_0100, 3)));
        assert_eq!(parse_stat(b"7 (a) D 1"), None);
        assert_eq!(parse_stat(b""), None);
        let sched =
            b"cat (1, #threads: 1)\n---\nse.exec_start        :      36191.043821\nse.vruntime : 1.0\n";
        assert_eq!(parse_ran(sched), Some(36_191_043_821));
        for other in
            ["se.exec_start : 1", "se.exec_start : 1.5", "se.exec_start", "", "se.exec_start : -1.000000"]
        {
            assert_eq!(parse_ran(other.as_bytes()), None, "{other}");
        }
    }

    #[test]
    fn any_text_is_survived() {
        use proptest::prelude::*;
        proptest!(|(bytes in proptest::collection::vec(any::<u8>(), 0..200), text in "[-0-9a-fx. :()]{0,80}")| {
            for b in [&bytes[..], text.as_bytes()] {
                let _ = (parse_syscall(b), parse_stat(b), parse_ran(b));
            }
        });
    }

    #[test]
    fn memory_is_copied_as_the_plan_says() {
        let schema = Schema::native(Arch::X86_64);
        let me = std::process::id();
        let looker = Looker::new(Path::new("/proc"), &schema, Snaplen(8));
        let memory = looker.memory(me).expect("our own memory");
        let code = |name| schema.code(name).expect(name);
        let path = b"/a path\0".to_vec();
        let text = vec![b'x'; 20];
        let at = |v: &Vec<u8>| v.as_ptr() as u64;
        let item = |name, words| looker.items(code(name), &words, Some(&memory)).0;
        let made = |status: u32, bytes: &[u8]| {
            let mut out = Vec::new();
            out.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
            out.extend_from_slice(&status.to_le_bytes());
            out.extend_from_slice(bytes);
            out.resize(out.len().next_multiple_of(8), 0);
            out
        };
        assert_eq!(item("unlink", [at(&path), 0, 0, 0, 0, 0]), made(abi::ITEM_OK, b"/a path"));
        assert_eq!(item("unlink", [16, 0, 0, 0, 0, 0]), made(abi::ITEM_UNREADABLE, b""));
        assert_eq!(item("unlink", [u64::MAX, 0, 0, 0, 0, 0]), made(abi::ITEM_UNREADABLE, b""));
        assert_eq!(item("unlink", [0; 6]), made(abi::ITEM_ABSENT, b""));
        assert_eq!(item("write", [1, at(&text), 20, 0, 0, 0]), made(abi::ITEM_CUT, b"xxxxxxxx"));
        assert_eq!(item("write", [1, at(&text), 3, 0, 0, 0]), made(abi::ITEM_OK, b"xxx"));
        assert_eq!(item("write", [1, at(&text), u64::MAX, 0, 0, 0]), made(abi::ITEM_CUT, b"xxxxxxxx"));
        assert_eq!(item("read", [1, at(&text), 20, 0, 0, 0]), made(abi::ITEM_ABSENT, b""), "not written yet");
    }

    #[test]
    fn what_is_not_there_is_said_so() {
        let schema = Schema::native(Arch::X86_64);
        let looker = Looker::new(Path::new("/proc"), &schema, Snaplen(8));
        assert!(matches!(looker.look(4_194_303, 4_194_303, None, |_| true), Sight::Gone));
        assert!(looker.threads(4_194_303).is_empty());
        // A thread of the kernel's.
        assert!(looker.threads(2).is_empty());
        assert_eq!(looker.process_of(std::process::id()), Some(std::process::id()));
        assert!(looker.threads(std::process::id()).contains(&std::process::id()));
    }
}
