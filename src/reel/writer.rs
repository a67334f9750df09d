//! Writes a reel.
//!
//! Enters: batches, in order of time. Leaves: blocks, each with one write. Never: a file name, a half block that hides the
//! ones after it.

use std::hash::{BuildHasher, RandomState};
use std::io::{self, Write};

use super::encode::Encoder;
use super::frame::FileId;
use super::header::{self, Header, IndexEntry, Totals};
use super::index::Marks;
use super::kind;
use super::known::{Containers, Later};
use crate::batch::Batch;
use crate::schema::Schema;

/// Writes a reel to any output.
///
/// After an error, what was written before can be read. The block that the error cut short is kept: the next call first
/// writes the rest of it, so an error that passes (a full disk that somebody empties) loses nothing but the batches that
/// were offered meanwhile.
#[derive(Debug)]
pub struct Writer<W: Write> {
    out: W,
    file: FileId,
    encoder: Encoder,
    /// Bytes of the encoder's block that are written.
    done: usize,
    number: u64,
    bytes: u64,
    events: u64,
    /// What the index will say of the block that the encoder holds, as long as none of it is written.
    ready: Option<IndexEntry>,
    /// Rows of the block that is not yet written whole.
    pending: u64,
    lost: u64,
    index: Vec<IndexEntry>,
    marks: Marks,
    snapshots: Vec<IndexEntry>,
    containers: Containers,
}

impl<W: Write> Writer<W> {
    /// Begins a reel: writes the header, twice, because without it nothing can be read.
    pub fn new(out: W, header: &Header, schema: &Schema) -> io::Result<Writer<W>> {
        let mut writer = Writer {
            out,
            file: random(),
            encoder: Encoder::new(),
            done: 0,
            number: 0,
            bytes: 0,
            events: 0,
            ready: None,
            pending: 0,
            lost: 0,
            index: Vec::new(),
            marks: Marks::default(),
            snapshots: Vec::new(),
            containers: Containers::default(),
        };
        let body = header::header_body(header, schema);
        for _ in 0..2 {
            writer.encoder.plain(kind::HEADER, writer.file, writer.number, &body);
            writer.push()?;
        }
        Ok(writer)
    }

    /// Writes a batch as one block; an empty batch writes nothing. On an error its events count as lost unless a later
    /// call succeeds in writing the rest of the block.
    pub fn write_block(&mut self, batch: &Batch) -> io::Result<()> {
        self.prepare(batch)?;
        self.write_prepared(batch)
    }

    /// Makes a batch the next block, without writing it: says how many bytes it takes. It is forgotten unless
    /// [`Writer::write_prepared`] comes next.
    pub fn prepare(&mut self, batch: &Batch) -> io::Result<u64> {
        if batch.rows == 0 {
            return Ok(0);
        }
        let rows = batch.rows as u64;
        if let Err(e) = self.resume() {
            self.lost += rows;
            return Err(e);
        }
        if let Err(what) = self.encoder.batch(kind::EVENTS, self.file, self.number, batch) {
            self.encoder.block.clear();
            self.lost += rows;
            return Err(io::Error::new(io::ErrorKind::InvalidInput, what));
        }
        let front = self.encoder.front();
        self.ready = Some(IndexEntry {
            offset: self.bytes,
            rows,
            first_time: front.min_time,
            last_time: front.max_time,
            first_num: batch.num.first().copied().unwrap_or(0),
        });
        Ok(self.encoder.block.len() as u64)
    }

    /// Writes the block that was prepared of this batch, if there is one.
    pub fn write_prepared(&mut self, batch: &Batch) -> io::Result<()> {
        let Some(entry) = self.ready.take() else { return Ok(()) };
        self.pending = entry.rows;
        self.index.push(entry);
        let front = self.encoder.front();
        let texts = front.parts.map(|p| p.0 as usize).iter().sum();
        self.marks.add(batch, &front.codes, texts);
        self.containers.mention(batch);
        self.push()
    }

    /// Writes a batch of rows that say what there is as one block, if it takes at most so many bytes. They are no events, and
    /// are not counted. Gives the bytes that it took.
    pub fn write_snapshot(&mut self, batch: &Batch, most: u64) -> io::Result<Option<u64>> {
        if batch.rows == 0 {
            return Ok(Some(0));
        }
        self.resume()?;
        if let Err(what) = self.encoder.batch(kind::SNAPSHOT, self.file, self.number, batch) {
            self.encoder.block.clear();
            return Err(io::Error::new(io::ErrorKind::InvalidInput, what));
        }
        let bytes = self.encoder.block.len() as u64;
        if bytes > most {
            self.encoder.block.clear();
            return Ok(None);
        }
        let front = self.encoder.front();
        self.snapshots.push(IndexEntry {
            offset: self.bytes,
            rows: batch.rows as u64,
            first_time: front.min_time,
            last_time: front.max_time,
            first_num: batch.num.first().copied().unwrap_or(0),
        });
        self.push()?;
        Ok(Some(bytes))
    }

    /// More became known of containers: of those that blocks mention, the end will tell it.
    pub fn learn_containers(&mut self, batch: &Batch) {
        self.containers.learn(batch);
    }

    /// The same of what became known before or after the blocks were offered.
    pub fn learn_later(&mut self, later: &Later) {
        self.containers.learn_later(later);
    }

    /// Writes the blocks of what is known last of containers; gives where they are.
    fn tell_containers(&mut self) -> io::Result<Vec<IndexEntry>> {
        let known = std::mem::take(&mut self.containers);
        let mut index = Vec::new();
        known.tell(|batch| {
            let made = self.encoder.batch(kind::CONTAINERS, self.file, self.number, batch);
            made.map_err(|what| io::Error::new(io::ErrorKind::InvalidInput, what))?;
            let front = self.encoder.front();
            index.push(IndexEntry {
                offset: self.bytes,
                rows: batch.rows as u64,
                first_time: front.min_time,
                last_time: front.max_time,
                first_num: batch.num.first().copied().unwrap_or(0),
            });
            self.push()
        })?;
        Ok(index)
    }

    /// Writes what an error left over, and flushes the output.
    pub fn flush(&mut self) -> io::Result<()> {
        self.resume()?;
        self.out.flush()
    }

    /// Writes the end block: the totals (its index is filled in here). The reel is then complete.
    pub fn finish(mut self, totals: &Totals) -> io::Result<W> {
        self.resume()?;
        let containers = self.tell_containers()?;
        let totals = Totals {
            containers,
            index: std::mem::take(&mut self.index),
            snapshots: std::mem::take(&mut self.snapshots),
            ..totals.clone()
        };
        let mut body = header::end_body(&totals, self.marks.records());
        header::put_tail(&mut body, self.bytes);
        self.encoder.plain(kind::END, self.file, self.number, &body);
        self.push()?;
        self.out.flush()?;
        Ok(self.out)
    }

    /// Bytes written so far.
    pub fn bytes_written(&self) -> u64 {
        self.bytes
    }

    /// Events in blocks that were written whole.
    pub fn events_written(&self) -> u64 {
        self.events
    }

    /// Events that were offered and are not in the file, because of errors.
    pub fn events_lost(&self) -> u64 {
        self.lost + self.pending
    }

    /// The output.
    pub fn get_ref(&self) -> &W {
        &self.out
    }

    /// The output; what is written to it directly is not part of the reel.
    pub fn get_mut(&mut self) -> &mut W {
        &mut self.out
    }

    /// Nothing of containers stands at the end.
    #[cfg(test)]
    pub(super) fn forget_containers(&mut self) {
        self.containers = Containers::default();
    }

    /// A block of a kind that only a later version knows.
    #[cfg(test)]
    pub(super) fn write_other(&mut self, kind: u16, body: &[u8]) -> io::Result<()> {
        self.encoder.plain(kind, self.file, self.number, body);
        self.push()
    }

    fn resume(&mut self) -> io::Result<()> {
        if self.ready.take().is_some() {
            self.encoder.block.clear();
        }
        if self.encoder.block.is_empty() { Ok(()) } else { self.push() }
    }

    /// Writes the encoder's block from where the last attempt stopped.
    fn push(&mut self) -> io::Result<()> {
        while let Some(rest) = self.encoder.block.get(self.done..).filter(|rest| !rest.is_empty()) {
            match self.out.write(rest) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(n) => {
                    self.done += n;
                    self.bytes += n as u64;
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        self.encoder.block.clear();
        self.done = 0;
        self.number += 1;
        self.events += std::mem::take(&mut self.pending);
        Ok(())
    }
}

/// Sixteen bytes that no other file has: the standard library's hash keys come from the system's randomness.
fn random() -> FileId {
    let mut id = FileId::default();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |d| d.as_nanos());
    let keys = RandomState::new();
    for (i, half) in id.as_chunks_mut::<8>().0.iter_mut().enumerate() {
        *half = keys.hash_one((now, std::process::id(), i)).to_le_bytes();
    }
    id
}
