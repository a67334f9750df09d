//! Operations of io_uring become rows: what is asked for through a ring in memory, and its result.
//!
//! Enters: a record when the kernel takes a request, and one when it has a result. Leaves: a row like a call's, and its effect
//! on the tables. Never: a request that has no result yet; those whose result nobody wants to know are rows at once.

use rustc_hash::FxHashMap;

use super::tables::{FileEntity, ProcRef};
use super::{ENTRIES, State, Wanted, effects, made};
use crate::batch::{Builder, NONE, Row, row_flags};
use crate::decode::Record;
use crate::schema::{self, ArgShape, Effect, Shape};

// Flags of a request (include/uapi/linux/io_uring.h).
/// Its descriptor is one of the ring's own.
pub(super) const FIXED_FILE: u64 = 1;
/// No result, if it is a success.
const SKIP_SUCCESS: u64 = 0x40;
/// Of a result: more will come of the same request.
const MORE: u64 = 2;

/// Words of a request that may be the row's: descriptor (or family), length or path (or type), flags of the request,
/// `user_data`, flags of what it opens.
const WORDS: usize = 5;
// And the others.
const REQUEST: usize = 5;
const RING: usize = 6;
const OPERATION: usize = 7;
/// The operation of a result that comes without its request.
const NOT_TOLD: u64 = 0xff;

/// Requests under way.
#[derive(Debug, Default)]
pub struct Requests {
    /// Their records, by their addresses.
    by_address: FxHashMap<u64, Vec<u8>>,
    /// The last with this ring and `user_data`: what a result has that comes without the address.
    by_data: FxHashMap<(u64, u64), u64>,
}

impl Requests {
    fn keep(&mut self, r: &Record, bytes: &[u8]) {
        // What is lost is never asked for again.
        if self.by_address.len() >= ENTRIES {
            *self = Requests::default();
        }
        self.by_data.insert((r.word(RING), r.word(3)), r.word(REQUEST));
        let kept = self.by_address.entry(r.word(REQUEST)).or_default();
        kept.clear();
        kept.extend_from_slice(bytes);
    }

    /// The record of the request that a result is of.
    fn of(&mut self, r: &Record) -> Option<Vec<u8>> {
        let more = r.word(3) >> 32 & MORE != 0;
        let (ring, data) = (r.word(1), r.word(2));
        let address = match r.word(0) {
            0 => *self.by_data.get(&(ring, data))?,
            address => address,
        };
        if more {
            return self.by_address.get(&address).cloned();
        }
        if self.by_data.get(&(ring, data)) == Some(&address) {
            self.by_data.remove(&(ring, data));
        }
        self.by_address.remove(&address)
    }
}

/// The code of an operation.
fn code_of(operation: u64) -> u16 {
    let most = schema::COMPAT - 1 - schema::URING;
    schema::URING + u16::try_from(operation).unwrap_or(most).min(most)
}

impl State<'_> {
    /// The kernel took a request.
    pub(super) fn submitted(
        &mut self,
        cpu: usize,
        r: &Record,
        bytes: &[u8],
        wanted: &impl Wanted,
        b: &mut Builder,
    ) {
        self.requests.keep(r, bytes);
        if r.word(2) & SKIP_SUCCESS == 0 {
            self.seen.state += 1;
            return;
        }
        // It may succeed, and nobody will say so.
        let code = code_of(r.word(OPERATION));
        let shape = self.schema.shape(code);
        let proc = self.process(r.pid, r.time);
        if shape.effect == Effect::Close
            && let Ok(fd) = u32::try_from(r.word(0) as i32)
        {
            effects::mark(&proc.fds.borrow(), fd);
        }
        if !wanted.wants(code) {
            self.seen.state += 1;
            return;
        }
        let mut joined = Vec::new();
        let fixed = r.word(2) & FIXED_FILE != 0;
        let words = arrange(shape, std::array::from_fn(|i| r.word(i)));
        r.with_call(&words, Some(r), None, &mut joined);
        let Some(r) = Record::parse(&joined) else { return };
        self.files.clear();
        self.files.resize(usize::from(shape.refs), None);
        if !fixed {
            self.look_up(&r, shape, &proc, r.time < proc.read.get().1, false);
        }
        self.operation(cpu, &r, code, &proc, row_flags::UNFINISHED, b);
    }

    /// A request has a result: as if a call had been made.
    pub(super) fn completed(&mut self, cpu: usize, r: &Record, wanted: &impl Wanted, b: &mut Builder) {
        let request = self.requests.of(r);
        let request = request.as_deref().and_then(Record::parse);
        let told = Some(r.word(3) & 0xff).filter(|operation| *operation != NOT_TOLD);
        let Some(operation) = request.map(|q| q.word(OPERATION)).or(told) else {
            // One of many results of a request that nobody saw.
            self.seen.state += 1;
            return;
        };
        let code = code_of(operation);
        let shape = self.schema.shape(code);
        let fixed = request.map_or(r.word(3) >> 8, |q| q.word(2)) & FIXED_FILE != 0;
        let mut joined = Vec::new();
        let Some(r) = join(&mut joined, shape, request.as_ref(), r) else {
            self.seen.broken += 1;
            return;
        };
        let proc = self.process(r.pid, r.time);
        self.heed_parent(&proc, &r);
        if r.tid != r.pid {
            proc.fds.borrow().borrow_mut().share();
        }
        let shown = wanted.wants(code);
        let (read_begin, read_end) = proc.read.get();
        let during_scan = r.time < read_end;
        // What an argument names is what it was before: a close changes it.
        self.files.clear();
        self.files.resize(usize::from(shape.refs), None);
        if shown && !fixed {
            self.look_up(&r, shape, &proc, during_scan, false);
        }
        let mut new = None;
        if r.time >= read_begin {
            let made = made::made(&r, shape, &mut self.name);
            if let (Some((desc, cloexec)), Ok(fd)) = (made, u32::try_from(r.ret)) {
                new = Some(self.opened(&proc, &r, shape, fd, desc, cloexec));
            } else if !fixed {
                effects::apply(&proc, &r, shape);
                if shown && effects::names_after(shape.effect) {
                    self.look_up(&r, shape, &proc, during_scan, true);
                }
            }
            effects::tell_copies(&proc, &r, shape);
        }
        if !shown {
            self.seen.state += 1;
            return;
        }
        if let (true, None, Some(first)) = (fixed, &new, self.files.first()) {
            debug_assert!(first.is_none());
            // The number is the ring's own, and the kernel said what it is.
            let desc = made::by_fact(&r, &mut self.name);
            let file = desc.map(|desc| (FileEntity::new(desc), false));
            self.files[0] = file;
        }
        if let (Some(at), Some(file)) = (shape.ret_ref(), new)
            && let Some(slot) = self.files.get_mut(usize::from(at))
        {
            *slot = Some((file, false));
        }
        // Nobody saw what it was asked.
        let flags = if request.is_none() { row_flags::UNCERTAIN } else { 0 };
        self.operation(cpu, &r, code, &proc, flags, b);
    }

    /// The row of an operation that names `self.files`.
    fn operation(
        &mut self,
        cpu: usize,
        r: &Record,
        code: u16,
        proc: &ProcRef,
        mut flags: u16,
        b: &mut Builder,
    ) {
        let shape = self.schema.shape(code);
        if proc.is_doubtful(r.time) {
            flags |= row_flags::UNCERTAIN;
        }
        let id = self.proc_id(b, proc);
        self.refs.clear();
        for file in &self.files {
            let id = file.as_ref().map_or(NONE, |(f, uncertain)| {
                flags |= if *uncertain { row_flags::UNCERTAIN } else { 0 };
                self.interner.file(b, f, *uncertain)
            });
            self.refs.push(id);
        }
        self.words.clear();
        self.words.extend(r.words().chain(std::iter::repeat(0)).take(shape.words()));
        self.items.clear();
        self.items_of(r, shape, b);
        self.seen.rows += 1;
        let (num, delta) = self.count(r.time);
        let row = Row {
            num,
            time: r.time,
            delta,
            latency: r.latency,
            call: code,
            cpu: cpu as u16,
            tid: r.tid,
            proc: id,
            ret: r.ret,
            flags,
        };
        b.push(row, &self.words, &self.items, &self.refs);
    }
}

/// The words of a row, of those of a request: an operation has those that mean something.
fn arrange(shape: &Shape, [fd, more, sqe_flags, user_data, flags]: [u64; WORDS]) -> Vec<u64> {
    let word = |arg: &ArgShape| match &*arg.name {
        "fd" | "dirfd" | "domain" => fd,
        "flags" => flags,
        "sqe_flags" => sqe_flags,
        "user_data" => user_data,
        _ => more,
    };
    shape.args.iter().map(word).collect()
}

/// Makes the record of a call from a request and its result: words and items of the one, all else of the other.
fn join<'a>(
    out: &'a mut Vec<u8>,
    shape: &Shape,
    request: Option<&Record>,
    result: &Record,
) -> Option<Record<'a>> {
    let words = match request {
        Some(q) => std::array::from_fn(|i| q.word(i)),
        // All that the result tells.
        None => [result.word(4), 0, result.word(3) >> 8 & 0xff, result.word(2), 0],
    };
    let words = arrange(shape, words);
    let latency = request.map(|q| result.time.saturating_sub(q.time));
    result.with_call(&words, request, latency, out);
    Record::parse(out)
}
