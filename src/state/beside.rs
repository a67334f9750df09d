//! What happens to threads beside their calls becomes rows: a CPU turns to another, a signal is sent and taken, a page is
//! missing.
//!
//! Enters: records of such events. Leaves: a row each. Never: a change of the tables.

use super::rows::plain;
use super::{State, Wanted};
use crate::batch::{Builder, NONE, Row, row_flags};
use crate::decode::Record;
use crate::schema;
use crate::source::abi;

/// The code of the row that a record becomes.
pub fn code_of(record: u16) -> u16 {
    match record {
        abi::REC_SWITCH => schema::SWITCH,
        abi::REC_SIGNAL => schema::SIGNAL,
        abi::REC_DELIVER => schema::SIGNALDELIVER,
        _ => schema::PAGE_FAULT,
    }
}

/// A signal's code as [`crate::schema::tables`] names it: those that mean something only with their signal have its number
/// above them.
fn signal_code(signal: u64, code: u64) -> u64 {
    // Positive and below SI_KERNEL (include/uapi/asm-generic/siginfo.h).
    if (1..0x80).contains(&code) { signal << 8 | code } else { code }
}

impl State<'_> {
    pub(super) fn beside(&mut self, cpu: usize, r: &Record, wanted: &impl Wanted, b: &mut Builder) {
        let code = code_of(r.code);
        if !wanted.wants(code) {
            self.seen.state += 1;
            return;
        }
        let proc = self.process(r.pid, r.time);
        let shape = self.schema.shape(code);
        let id = self.proc_id(b, &proc);
        self.words.clear();
        self.words.extend(r.words().take(shape.words()));
        if let [signal, code, ..] = self.words.as_mut_slice()
            && matches!(r.code, abi::REC_SIGNAL | abi::REC_DELIVER)
        {
            *code = signal_code(*signal, *code);
        }
        self.items.clear();
        self.items.extend(r.items().take(usize::from(shape.items)).map(|raw| plain(raw, b)));
        self.seen.rows += 1;
        let (num, delta) = self.count(r.time);
        let uncertain = id != NONE && proc.is_doubtful(r.time);
        let row = Row {
            num,
            time: r.time,
            delta,
            latency: r.latency,
            call: code,
            cpu: cpu as u16,
            tid: r.tid,
            proc: id,
            ret: 0,
            flags: if uncertain { row_flags::UNCERTAIN } else { 0 },
        };
        b.push(row, &self.words, &self.items, &[]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::tables::SIGNAL_CODE;

    #[test]
    fn a_code_is_named_with_its_signal() {
        assert_eq!(SIGNAL_CODE.name_of(signal_code(11, 1)), Some("SEGV_MAPERR"));
        assert_eq!(SIGNAL_CODE.name_of(signal_code(17, 1)), Some("CLD_EXITED"));
        assert_eq!(SIGNAL_CODE.name_of(signal_code(11, 0)), Some("SI_USER"));
        assert_eq!(SIGNAL_CODE.name_of(signal_code(15, 0x80)), Some("SI_KERNEL"));
        assert_eq!(SIGNAL_CODE.name_of(signal_code(15, u64::from(-6i32 as u32))), Some("SI_TKILL"));
    }
}
