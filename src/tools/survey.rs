//! What is whole in a reel and what is not: every checksum compared, every column decoded.
//!
//! Enters: an [`Input`]. Leaves: whole blocks, and for each damage a line that says where it is in bytes, in time, and in
//! numbers of events, as far as what stands around it tells. Never: a block that is not whole.

use super::input::{Found, Input};
use super::window::date;
use crate::batch::Columns;
use crate::reel::{Damage, Stored};
use crate::schema::LOST;

/// Damages of one place that are kept until the next whole block tells what lies between; more are said without that.
const MOST_PENDING: usize = 256;

/// The look through a reel.
pub struct Survey {
    input: Input,
    pending: Vec<Damage>,
    /// Number and wall time of the last event of the last whole block.
    last: Option<(u64, u64)>,
    /// Lines that are to be said.
    pub found: Vec<String>,
    /// Whole blocks.
    pub blocks: u64,
    /// Events in them.
    pub events: u64,
    /// Losses that their rows tell of.
    pub lost: u64,
    /// Blocks that are not there or not whole.
    pub bad_blocks: u64,
    /// Bytes that belong to no whole block.
    pub bad_bytes: u64,
    /// Events that are missing between whole blocks, by their numbers.
    pub missing: u64,
    /// Whole blocks of snapshots.
    pub snapshots: u64,
    /// Columns and blocks of a later version, which were not looked into.
    pub unknown: u64,
}

impl Survey {
    /// Begins to look.
    pub fn new(mut input: Input) -> Survey {
        input.show_snapshots();
        input.keep_containers();
        Survey {
            input,
            pending: Vec::new(),
            last: None,
            found: Vec::new(),
            blocks: 0,
            events: 0,
            lost: 0,
            bad_blocks: 0,
            bad_bytes: 0,
            missing: 0,
            snapshots: 0,
            unknown: 0,
        }
    }

    /// The reel.
    pub fn input(&self) -> &Input {
        &self.input
    }

    /// True if every number between two events is that of an event which the file had: nothing was filtered out.
    pub fn is_gapless(&self) -> bool {
        let header = self.input.header();
        header.filter.is_empty() && header.hosts.is_empty()
    }

    /// The next whole block, decoded. Lines about what lies before it are in [`Survey::found`].
    pub fn block(&mut self) -> Option<Stored> {
        loop {
            let (mut block, before) = match self.input.find() {
                Some(Found::Block(block)) => (block, self.input.bytes()),
                Some(Found::Damage(damage)) => {
                    self.bad(damage, 0);
                    continue;
                }
                None => {
                    self.end();
                    return None;
                }
            };
            let read =
                block.verify().and_then(|()| block.load(Columns::ALL)).and_then(|()| block.check_listed());
            match read {
                Ok(()) => {
                    self.good(&block);
                    return Some(block);
                }
                Err(damage) => {
                    self.input.damages += 1;
                    let (offset, _) = block.place();
                    self.bad(damage, before.saturating_sub(offset));
                }
            }
        }
    }

    fn bad(&mut self, damage: Damage, bytes: u64) {
        self.bad_blocks += damage.missing.max(u64::from(bytes > 0));
        let damage = Damage { skipped: damage.skipped.max(bytes), ..damage };
        self.bad_bytes = self.bad_bytes.saturating_add(damage.skipped);
        if self.pending.len() >= MOST_PENDING {
            self.found.push(line(&damage));
        } else {
            self.pending.push(damage);
        }
    }

    fn good(&mut self, block: &Stored) {
        if block.is_snapshot() {
            self.snapshots += 1;
            self.unknown += block.unknown_columns() as u64;
            return;
        }
        let schema = self.input.schema().clone();
        let view = block.view(&schema);
        let wall = |row: usize| view.time.get(row).map_or(0, |t| view.meta.wall_of(*t));
        let first = (view.num.iter().copied().min().unwrap_or(0), wall(0));
        if !self.pending.is_empty() {
            self.tell(Some(first));
        }
        let (mut lost, mut losses) = (0u64, 0u64);
        if block.codes().contains(&LOST) {
            for row in (0..view.rows).filter(|row| view.call.get(*row) == Some(&LOST)) {
                losses += 1;
                lost = lost.saturating_add(view.words_of(row).first().copied().unwrap_or(0));
            }
        }
        self.blocks += 1;
        self.events += view.rows as u64 - losses;
        self.lost = self.lost.saturating_add(lost);
        self.unknown += block.unknown_columns() as u64;
        self.last = Some((view.num.iter().copied().max().unwrap_or(0), wall(view.rows.saturating_sub(1))));
    }

    /// Says what is pending, now that it is known what follows.
    fn tell(&mut self, next: Option<(u64, u64)>) {
        for damage in std::mem::take(&mut self.pending) {
            self.found.push(line(&damage));
        }
        let between = match (self.last, next) {
            (Some((_, from)), Some((_, to))) => format!("between {} and {}", date(from), date(to)),
            (None, Some((_, to))) => format!("before {}", date(to)),
            (Some((_, from)), None) => format!("after {}", date(from)),
            (None, None) => return,
        };
        let from = self.last.map_or(1, |(num, _)| num.saturating_add(1));
        let numbers = match next.map(|(num, _)| num) {
            Some(to) if to > from && self.input.header().hosts.is_empty() => {
                let n = to - from;
                self.missing = self.missing.saturating_add(n);
                let most = if self.is_gapless() { "" } else { "at most " };
                format!("; events missing: {most}{n} (numbers {from} to {})", to - 1)
            }
            _ => String::new(),
        };
        self.found.push(format!("  {between}{numbers}"));
    }

    fn end(&mut self) {
        if !self.pending.is_empty() {
            self.tell(None);
        }
        self.unknown += self.input.unknown_blocks();
        if let Some(end) = self.input.end.as_ref()
            && end.written > self.events
        {
            // The end block counts exactly what was written.
            self.missing = end.written - self.events;
        } else if self.input.end.is_some() {
            self.missing = 0;
        }
    }

    /// Takes a block back whose memory may be used again.
    pub fn recycle(&mut self, block: Stored) {
        self.input.recycle(block);
    }

    /// Counts a block as lost although it was whole.
    pub fn refuse(&mut self, block: &Stored) {
        if block.is_snapshot() {
            self.snapshots -= 1;
        } else {
            self.blocks -= 1;
            self.events = self.events.saturating_sub(block.rows() as u64);
        }
        self.bad_blocks += 1;
        self.input.damages += 1;
    }

    /// True if [`Survey::missing`] is a number of events, not the most that it can be.
    pub fn is_exact(&self) -> bool {
        self.is_gapless() || self.input.end.is_some()
    }

    /// What is lost in all, in words; nothing if the reel is whole.
    pub fn loss(&self) -> Option<String> {
        let most = if self.is_exact() { "" } else { "at most " };
        let mut text = match (self.input.damages, self.input.is_complete()) {
            (0, true) => return None,
            (0, false) => {
                return Some("no end block: it is still being written, or was cut between two blocks".into());
            }
            _ => format!(
                "blocks lost: {}, bytes: {}, events: {most}{}",
                self.bad_blocks, self.bad_bytes, self.missing
            ),
        };
        if !self.input.is_complete() {
            text.push_str(", and whatever came after the last block");
        }
        Some(text)
    }

    /// True if the reel is whole and ends where it was meant to.
    pub fn is_whole(&self) -> bool {
        self.input.damages == 0 && self.input.is_complete()
    }

    /// The reel, for what its end says.
    pub fn into_input(self) -> Input {
        self.input
    }
}

fn line(damage: &Damage) -> String {
    if damage.skipped == 0 {
        return damage.to_string();
    }
    let to = damage.offset.saturating_add(damage.skipped).saturating_sub(1);
    format!("{damage}\n  bytes {} to {to}", damage.offset)
}
