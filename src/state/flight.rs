//! Calls in flight become rows.
//!
//! Enters: the record that stands for a call that has not returned. Leaves: its row. Never: an effect: nothing has happened
//! yet, so all tables stay as they are.

use super::State;
use super::rows::{plain, sets};
use crate::batch::{Builder, NONE, Row, row_flags};
use crate::decode::{RawItem, Record};
use crate::schema::{self, Kind};
use crate::source::abi;

/// What a record of a call in flight does not say.
#[derive(Clone, Copy, Debug)]
pub struct InFlight {
    /// How long it has lasted, ns; [`crate::batch::NO_LATENCY`] if not known.
    pub latency: u64,
    /// CPU on which its thread last ran.
    pub cpu: u16,
    /// Further bits of [`row_flags`].
    pub flags: u16,
    /// Its thread ran after the names of descriptors had been read.
    pub uncertain: bool,
    /// It is an event of the stream, and gets a number.
    pub counted: bool,
}

impl State<'_> {
    /// Adds the row of a call in flight. If the record has a latency, descriptors are what they were when the call began, as
    /// far as that is known; otherwise what they are now.
    pub fn in_flight(&mut self, r: &Record, more: InFlight, b: &mut Builder) {
        let compat = r.flags & abi::F_COMPAT != 0;
        let code = match r.code {
            abi::CALL_OTHER.. => schema::OTHER,
            code if compat => schema::COMPAT + code,
            code => code,
        };
        let shape = self.schema.shape(code);
        let proc = self.process(r.pid, r.time);
        proc.speaks(r.tid);
        self.files.clear();
        self.files.resize(usize::from(shape.refs), None);
        self.look_up(r, shape, &proc, more.uncertain, false);
        let mut flags = row_flags::UNFINISHED | row_flags::IN_FLIGHT | more.flags;
        flags |= if compat { row_flags::COMPAT } else { 0 };
        let id = self.proc_id(b, &proc);
        self.refs.clear();
        for file in &self.files {
            let id = file.as_ref().map_or(NONE, |(f, uncertain)| {
                flags |= if *uncertain { row_flags::UNCERTAIN } else { 0 };
                self.interner.file(b, f, *uncertain)
            });
            self.refs.push(id);
        }
        self.words.clear();
        if code == schema::OTHER {
            self.words.extend(std::iter::once(r.word(6)).chain(r.words()).take(shape.words()));
        } else {
            self.words.extend(r.words().chain(std::iter::repeat(0)).take(shape.words()));
        }
        self.items.clear();
        let args = shape.args.iter().filter(|a| a.item.is_some());
        for (arg, raw) in args.zip(r.items().chain(std::iter::repeat(RawItem::Absent))) {
            self.items.push(match (arg.kind, raw) {
                (Kind::FdSet(_), RawItem::Bytes(..)) => sets(&mut self.name, raw, RawItem::Absent, b),
                _ => plain(raw, b),
            });
        }
        let (num, delta) = if more.counted {
            self.seen.rows += 1;
            self.count(r.time)
        } else {
            (self.num, 0)
        };
        let row = Row {
            num,
            time: r.time,
            delta,
            latency: more.latency,
            call: code,
            cpu: more.cpu,
            tid: r.tid,
            proc: id,
            ret: r.ret,
            flags,
        };
        b.push(row, &self.words, &self.items, &self.refs);
    }
}
