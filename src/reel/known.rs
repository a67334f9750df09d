//! What is known last of the containers that a reel mentions: blocks before its end.
//!
//! Enters: blocks as they are written; what became known of their containers later, of every piece of a capture that is cut
//! in several; or such blocks of a reel that is read.
//! Leaves: batches with a row for each container; or later names in the dictionaries of earlier blocks, marked. Never: a container that no block of the reel mentions; more than [`MOST`] of them, or [`MOST_TEXT`].

use std::collections::{BTreeMap, HashMap};

use crate::batch::{
    Batch, Builder, Container, Dict, Meta, NO_LATENCY, NONE, Proc, Row, StrId, Strings, container_sources,
};
use crate::schema::{self, Arch, Schema};

/// Containers that are remembered. Of more, later ones are as their last entry in a block says.
const MOST: usize = 8192;
/// Bytes of their texts.
const MOST_TEXT: usize = 8 << 20;

/// A container apart from any dictionary.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Known {
    entry: Container,
    texts: [Option<Box<[u8]>>; 16],
}

impl Known {
    fn len(&self) -> usize {
        self.texts.iter().flatten().map(|t| t.len()).sum()
    }

    /// True if the entry of a dictionary says the same.
    fn is(&self, dict: &Dict<'_>, c: &Container) -> bool {
        let plain = |c: &Container| (c.runtime, c.flags, c.sources, c.started);
        let strings = &dict.strings;
        plain(&self.entry) == plain(c)
            && self.texts.iter().zip(c.strings()).all(|(text, id)| text.as_deref() == strings.find(id))
    }

    fn of(dict: &Dict<'_>, c: &Container) -> Known {
        Known { entry: *c, texts: c.strings().map(|id| dict.strings.find(id).map(Into::into)) }
    }
}

/// The containers of a reel that is being written, by their ids.
#[derive(Debug, Default)]
pub(super) struct Containers {
    all: BTreeMap<Box<[u8]>, Known>,
    text: usize,
    /// Moment and clocks of the last block.
    last: (Meta, u64, u64),
}

impl Containers {
    /// A block is written.
    pub fn mention(&mut self, batch: &Batch) {
        let time = batch.time.last().copied().unwrap_or(0);
        self.last = (batch.meta, time, batch.num.last().copied().unwrap_or(0));
        batch.dict.containers.iter().for_each(|c| self.take(batch, c, true));
    }

    /// More became known: of those that blocks mention.
    pub fn learn(&mut self, batch: &Batch) {
        batch.dict.containers.iter().for_each(|c| self.take(batch, c, false));
    }

    /// What became known later of those that blocks mention.
    pub fn learn_later(&mut self, later: &Later) {
        for (id, known) in &mut self.all {
            let Some(last) = later.get(id).filter(|last| **last != *known) else { continue };
            let text = self.text - known.len() + last.len();
            if last.entry.sources | known.entry.sources == last.entry.sources && text <= MOST_TEXT {
                (*known, self.text) = (last.clone(), text);
            }
        }
    }

    fn take(&mut self, batch: &Batch, c: &Container, new: bool) {
        let Some(id) = batch.dict.strings.find(c.id) else { return };
        let room = self.all.len() < MOST;
        match self.all.get_mut(id) {
            Some(known) if known.is(&batch.dict, c) => {}
            // Of the groups of one container one may tell less.
            Some(known) if !new && c.sources | known.entry.sources != c.sources => {}
            Some(known) => {
                let now = Known::of(&batch.dict, c);
                let text = self.text - known.len() + now.len();
                if text <= MOST_TEXT {
                    (*known, self.text) = (now, text);
                }
            }
            None if !new || !room => {}
            None => {
                let now = Known::of(&batch.dict, c);
                if self.text + now.len() <= MOST_TEXT {
                    self.text += now.len();
                    self.all.insert(id.into(), now);
                }
            }
        }
    }

    /// Calls `each` for batches with a row for each container, as far as it succeeds.
    pub fn tell<E>(&self, mut each: impl FnMut(&Batch) -> Result<(), E>) -> Result<(), E> {
        if self.all.is_empty() {
            return Ok(());
        }
        // The rows have no words: whatever the schema of the reel says of them, it is the same.
        let schema = &Schema::native(Arch::NATIVE);
        let mut left = self.all.values().peekable();
        let mut b = Builder::new();
        let (meta, time, num) = self.last;
        for generation in 1.. {
            if left.peek().is_none() {
                break;
            }
            b.reset(generation);
            b.set_meta(meta);
            while let Some(known) = left.next_if(|_| !b.is_full()) {
                let mut entry = known.entry;
                for (id, text) in entry.strings_mut().into_iter().zip(&known.texts) {
                    *id = text.as_ref().map_or(NONE, |t| b.string(t));
                }
                let container = b.container(entry);
                let proc = b.proc(Proc { container, ..Proc::default() });
                let row =
                    Row { num, time, latency: NO_LATENCY, call: schema::PROCESS, proc, ..Row::default() };
                b.push(row, &[], &[], &[]);
            }
            b.close();
            each(&b.view(schema))?;
        }
        Ok(())
    }
}

/// What became known of containers while blocks that mention them may still be on their way, by ids: for every file that
/// comes of one capture. Of two lots the older goes when the newer is full.
#[derive(Debug, Default)]
pub struct Later {
    lots: [BTreeMap<Box<[u8]>, Known>; 2],
    /// Bytes of texts in the newer.
    text: usize,
}

impl Later {
    /// Takes the entries of a dictionary in.
    pub fn learn(&mut self, dict: &Dict<'_>) {
        for c in dict.containers {
            let Some(id) = dict.strings.find(c.id) else { continue };
            if self.lots[0].len() >= MOST || self.text > MOST_TEXT {
                self.lots.swap(0, 1);
                self.lots[0].clear();
                self.text = 0;
            }
            let known = Known::of(dict, c);
            self.text += known.len();
            self.lots[0].insert(id.into(), known);
        }
    }

    fn get(&self, id: &[u8]) -> Option<&Known> {
        self.lots.iter().find_map(|lot| lot.get(id))
    }
}

/// Names of containers that a reel's end tells, for its earlier events.
#[derive(Debug, Default)]
pub struct LateNames(HashMap<Box<[u8]>, Known>);

impl LateNames {
    /// Takes those of a block of containers.
    pub fn take(&mut self, dict: &Dict<'_>) {
        for c in dict.containers {
            if let Some(id) = dict.strings.find(c.id)
                && (self.0.len() < MOST || self.0.contains_key(id))
            {
                self.0.insert(id.into(), Known::of(dict, c));
            }
        }
    }

    /// True if it has none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Puts what the entries of a dictionary do not say, and what they say otherwise, into them; its strings go behind all
    /// others.
    pub(super) fn put(&self, entries: &mut [Container], at: &mut Vec<u32>, bytes: &mut Vec<u8>) {
        let mut put = HashMap::<(&[u8], usize), StrId>::new();
        for c in entries {
            let strings = Strings { at, bytes };
            let Some((id, known)) = strings.find(c.id).and_then(|id| self.0.get_key_value(id)) else {
                continue;
            };
            let texts = c.strings().map(|id| strings.find(id).map(<[u8]>::to_vec));
            let news = |n: usize| {
                known.texts.get(n).and_then(Option::as_deref).filter(|t| texts[n].as_deref() != Some(t))
            };
            let mut late = false;
            for (n, place) in c.strings_mut().into_iter().enumerate() {
                let Some(text) = news(n) else { continue };
                let room = at.len() < NONE as usize && bytes.len() + text.len() <= super::frame::MAX_RAW;
                let new = || {
                    if !room {
                        return None;
                    }
                    bytes.extend_from_slice(text);
                    at.push(bytes.len() as u32);
                    Some((at.len() - 2) as StrId)
                };
                match put.get(&(&**id, n)).copied().or_else(new) {
                    Some(new) => {
                        put.insert((id, n), new);
                        (*place, late) = (new, true);
                    }
                    None => continue,
                }
            }
            let plain = |c: &Container| (c.runtime, c.flags, c.started);
            let now = &known.entry;
            if plain(now) != plain(c) && now.sources & !c.sources != 0 {
                (c.runtime, c.flags, late) = (now.runtime, now.flags, true);
                c.started = if now.started == 0 { c.started } else { now.started };
            }
            if late {
                c.sources |= container_sources::LATE;
            }
        }
    }
}
