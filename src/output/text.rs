//! Text: one event, one line.
//!
//! Enters: a batch and a row. Leaves: `time cpu process tid call(args) = result <latency>`, with the host after the time
//! where there are several. Never: a line break or a
//! control character of the traced side; an allocation in the steady state; colour that carries meaning (without the
//! codes the line is the plain line).

use owo_colors::{Color, colors};

use crate::batch::{Batch, NO_LATENCY, row_flags};
use crate::fields::clock::{self, Clock};
use crate::fields::escape::{Within, escape};
use crate::fields::sink::TextSink;
use crate::fields::{args, names, number, res};
use crate::schema::{COMPAT, EVENTS, LOST, PROCEXIT, Ret, Shape, is_error, is_restart};

/// How the first column shows time: tcpdump's ladder.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum TimeStyle {
    /// Local time of day with nanoseconds.
    #[default]
    Local,
    /// `-t`: no column at all.
    None,
    /// `-tt`: seconds since 1970.
    Epoch,
    /// `-ttt`: since the line before.
    Delta,
    /// `-tttt`: local date and time.
    Date,
    /// `-ttttt`: since the capture began.
    Relative,
}

/// What a line of text looks like.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TextOptions {
    /// The first column.
    pub time: TimeStyle,
    /// ANSI colours.
    pub color: bool,
    /// The time that the call took, at the end.
    pub latency: bool,
}

impl Default for TextOptions {
    fn default() -> TextOptions {
        TextOptions { time: TimeStyle::Local, color: false, latency: true }
    }
}

/// Writes lines of text.
#[derive(Debug)]
pub struct Text {
    options: TextOptions,
    clock: Clock,
    last: Option<u64>,
}

// The eight basic colours only: every terminal theme has made them readable.
const DIM: &[u8] = colors::Blue::ANSI_FG.as_bytes();
const NAME: &[u8] = colors::Cyan::ANSI_FG.as_bytes();
const CALL: &[u8] = colors::Yellow::ANSI_FG.as_bytes();
const GOOD: &[u8] = colors::Green::ANSI_FG.as_bytes();
const BAD: &[u8] = colors::Red::ANSI_FG.as_bytes();
const OFF: &[u8] = colors::Default::ANSI_FG.as_bytes();

impl Text {
    /// A writer with these options, in the system's time zone.
    pub fn new(options: TextOptions) -> Text {
        Text { options, clock: Clock::local(), last: None }
    }

    fn paint(&self, out: &mut Vec<u8>, code: &[u8]) {
        if self.options.color {
            out.extend_from_slice(code);
        }
    }

    fn time(&mut self, out: &mut Vec<u8>, batch: &Batch<'_>, boot: u64) {
        if self.options.time == TimeStyle::None {
            return;
        }
        self.paint(out, DIM);
        let wall = batch.meta.wall_of(boot);
        match self.options.time {
            TimeStyle::None => {}
            TimeStyle::Local => self.clock.time(out, wall),
            TimeStyle::Date => self.clock.date_time(out, wall),
            TimeStyle::Epoch => clock::epoch(out, wall),
            TimeStyle::Relative => clock::epoch(out, boot.saturating_sub(batch.meta.start_time)),
            TimeStyle::Delta => clock::epoch(out, boot.saturating_sub(self.last.unwrap_or(boot))),
        }
        self.last = Some(boot);
        self.paint(out, OFF);
        out.push(b' ');
    }

    /// Appends the line of a row.
    pub fn render(&mut self, batch: &Batch<'_>, row: usize, out: &mut Vec<u8>) {
        let shape = batch.shape_of(row);
        self.time(out, batch, batch.time.get(row).copied().unwrap_or(0));
        if batch.schema.hosts().len() > 1 {
            let host = batch.schema.host(batch.host_of(row)).unwrap_or("-");
            escape(out, host.as_bytes(), Within::Column);
            out.push(b' ');
        }
        number::uint(out, u64::from(batch.cpu.get(row).copied().unwrap_or(0)));
        out.push(b' ');
        if shape.code == LOST {
            out.extend_from_slice(b"- - ");
        } else {
            self.paint(out, NAME);
            let comm = batch.proc_of(row).and_then(|p| batch.dict.strings.find(p.comm));
            match comm {
                Some(comm) if !comm.is_empty() => escape(out, comm, Within::Column),
                _ => out.push(b'-'),
            }
            self.paint(out, OFF);
            out.push(b' ');
            number::uint(out, u64::from(batch.tid.get(row).copied().unwrap_or(0)));
            out.push(b' ');
        }
        self.call(out, batch, row, shape);
        if shape.code != LOST && shape.code != PROCEXIT {
            // Events that are no calls give nothing back.
            if shape.ret != Ret::None || !(EVENTS..COMPAT).contains(&shape.code) {
                out.extend_from_slice(b" = ");
                self.result(out, batch, row, shape);
            }
            let latency = batch.latency.get(row).copied().unwrap_or(NO_LATENCY);
            if self.options.latency && latency != NO_LATENCY {
                out.push(b' ');
                self.paint(out, DIM);
                out.push(b'<');
                if batch.flags_of(row) & row_flags::AT_LEAST != 0 {
                    out.extend_from_slice(b">=");
                }
                number::span(out, latency);
                out.push(b'>');
                self.paint(out, OFF);
            }
        }
        out.push(b'\n');
    }

    fn call(&self, out: &mut Vec<u8>, batch: &Batch<'_>, row: usize, shape: &Shape) {
        self.paint(out, CALL);
        // A name may come from a reel, which may be made up.
        escape(out, shape.name.as_bytes(), Within::Column);
        if shape.code >= COMPAT || batch.flags_of(row) & row_flags::COMPAT != 0 {
            out.extend_from_slice(b"/32");
        }
        self.paint(out, OFF);
        out.push(b'(');
        if shape.code == PROCEXIT {
            procexit(out, batch, row);
        } else {
            args::push_args(out, batch, row);
        }
        out.push(b')');
    }

    fn result(&self, out: &mut Vec<u8>, batch: &Batch<'_>, row: usize, shape: &Shape) {
        let ret = batch.ret_of(row);
        if batch.flags_of(row) & row_flags::IN_FLIGHT != 0 {
            out.extend_from_slice(b"...");
            if let Some(state) = row_flags::state(batch.flags_of(row)) {
                out.push(b' ');
                out.extend_from_slice(state);
            }
            return;
        }
        if shape.ret == Ret::None || batch.flags_of(row) & row_flags::UNFINISHED != 0 {
            return out.push(b'?');
        }
        if is_restart(ret) {
            out.extend_from_slice(b"? ");
            return res::push(out, ret);
        }
        if is_error(ret) {
            self.paint(out, BAD);
            out.extend_from_slice(b"-1 ");
            res::push(out, ret);
            return self.paint(out, OFF);
        }
        self.paint(out, GOOD);
        let names = res::named(batch, row);
        match shape.ret {
            Ret::Addr => number::hex(out, ret as u64),
            Ret::Mode => number::octal(out, ret as u32),
            _ if names.is_some_and(|n| n.is_flags()) => number::hex(out, ret as u64),
            _ => number::int(out, ret),
        }
        if let Some(names) = names {
            out.extend_from_slice(b" (");
            names.emit(&mut TextSink::new(out, batch, row));
            out.push(b')');
        }
        if let Some(at) = shape.ret_ref()
            && let Some(file) = batch.refs_of(row).get(usize::from(at)).and_then(|id| batch.dict.file(*id))
        {
            names::push_brackets(out, &batch.dict, file, args::is_uncertain(batch, row));
        }
        self.paint(out, OFF);
    }
}

/// Of status and signal only the one that says how it ended.
fn procexit(out: &mut Vec<u8>, batch: &Batch<'_>, row: usize) {
    let words = batch.words_of(row);
    let (status, signal) = (words.first().copied().unwrap_or(0), words.get(1).copied().unwrap_or(0) as u32);
    if signal == 0 {
        out.extend_from_slice(b"status=");
        number::int(out, i64::from(status as i32));
    } else {
        out.extend_from_slice(b"signal=");
        match crate::schema::names::SIGNAL.name_of(u64::from(signal)) {
            Some(name) => out.extend_from_slice(name.as_bytes()),
            None => number::uint(out, u64::from(signal)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::{Builder, Item, NONE, Row};
    use crate::fields::fixture;

    pub(crate) fn lines(options: TextOptions) -> String {
        let (schema, block) = (fixture::schema(), fixture::block());
        let batch = block.view(&schema);
        let mut text = Text::new(options);
        let mut out = Vec::new();
        for row in 0..batch.rows {
            text.render(&batch, row, &mut out);
            assert_eq!(out.iter().filter(|b| **b == b'\n').count(), row + 1);
        }
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_line_of_each_sort() {
        insta::assert_snapshot!(lines(TextOptions::default()));
    }

    #[test]
    fn times() {
        let styles =
            [TimeStyle::None, TimeStyle::Epoch, TimeStyle::Delta, TimeStyle::Date, TimeStyle::Relative];
        let text: String = styles
            .into_iter()
            .flat_map(|time| {
                let text = lines(TextOptions { time, latency: false, color: false });
                text.lines().take(2).map(|l| format!("{l}\n")).collect::<Vec<_>>()
            })
            .collect();
        insta::assert_snapshot!(text);
    }

    #[test]
    fn colour_is_decoration() {
        let mut painted = lines(TextOptions { color: true, ..TextOptions::default() });
        assert!(painted.contains("\x1b[31m"));
        for code in [DIM, NAME, CALL, GOOD, BAD, OFF] {
            painted = painted.replace(std::str::from_utf8(code).unwrap(), "");
        }
        assert_eq!(painted, lines(TextOptions::default()));
    }

    #[test]
    fn a_call_in_flight_has_a_state_and_no_result() {
        let schema = fixture::schema();
        let mut block = Builder::new();
        let sleeps = row_flags::UNFINISHED | row_flags::IN_FLIGHT | row_flags::of_state(b'D');
        for (flags, latency) in
            [(sleeps, 12_000), (sleeps | row_flags::AT_LEAST, 1_500_000_000), (12, NO_LATENCY)]
        {
            let row = Row { latency, tid: 7, proc: NONE, ret: -512, flags, ..Row::default() };
            block.push(row, &[3, 0x1000, 8], &[Item::ABSENT], &[NONE]);
        }
        let batch = block.view(&schema);
        let mut text = Text::new(TextOptions { time: TimeStyle::None, ..TextOptions::default() });
        let mut out = Vec::new();
        (0..batch.rows).for_each(|row| text.render(&batch, row, &mut out));
        let ends: Vec<&str> =
            std::str::from_utf8(&out).unwrap().lines().map(|l| l.split_once(") = ").unwrap().1).collect();
        assert_eq!(ends, ["... D <12us>", "... D <>=1.5s>", "..."]);
    }

    /// `cargo test --release --lib -- --ignored --nocapture speed` tells what a line costs.
    #[test]
    #[ignore = "a measurement"]
    fn speed() {
        let (schema, block) = (fixture::schema(), fixture::block());
        let batch = block.view(&schema);
        let mut text = Text::new(TextOptions::default());
        let mut out = Vec::new();
        let start = std::time::Instant::now();
        let rounds = 100_000;
        for _ in 0..rounds {
            out.clear();
            for row in 0..batch.rows {
                text.render(&batch, row, &mut out);
            }
        }
        let each = start.elapsed() / (rounds * batch.rows as u32);
        std::fs::write(std::env::temp_dir().join("sysreel-speed"), format!("{each:?} a line\n")).unwrap();
    }
}
