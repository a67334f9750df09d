//! A reel that a tool reads.
//!
//! Enters: a place. Leaves: blocks, with every damage said on stderr as it is met and counted. Never: a decision about
//! rows.

use std::fs::File;
use std::io::{self, Read};
use std::sync::Arc;

use crate::config::Place;
use crate::exit::Exit;
use crate::message;
use crate::reel::{Block, Damage, Header, Reader, Stored, Totals};
use crate::schema::Schema;

/// What comes next in a reel.
#[allow(clippy::large_enum_variant, reason = "nearly everything is a block")]
pub enum Found {
    /// A block whose front is whole.
    Block(Stored),
    /// A place that is not.
    Damage(Damage),
}

/// A reel being read.
pub struct Input {
    name: String,
    reader: Reader<Box<dyn Read>>,
    over: bool,
    /// Damaged places so far.
    pub damages: u64,
    /// What the end block says.
    pub end: Option<Totals>,
    /// Blocks of what is known last of containers, as far as they were met and asked for.
    pub containers: Vec<Stored>,
}

/// Most blocks of containers that are kept: more than are written.
const MOST: usize = 4;

/// The name of a place in messages.
pub fn name_of(place: &Place) -> String {
    match place {
        Place::Standard => "standard input".into(),
        Place::File(path) => message::name(path),
    }
}

fn open(place: &Place) -> io::Result<Box<dyn Read>> {
    let Place::File(path) = place else { return Ok(Box::new(io::stdin().lock())) };
    let file = File::open(path)?;
    if file.metadata()?.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    Ok(Box::new(file))
}

/// What a file knows last of containers, read before all else. Nothing of what can be read only once.
pub fn containers_of(place: &Place) -> Vec<Stored> {
    let Place::File(path) = place else { return Vec::new() };
    let reader = File::open(path).ok().and_then(|file| Reader::<Box<dyn Read>>::open(file).ok()?.ok());
    reader.and_then(|mut reader| reader.containers()).unwrap_or_default()
}

impl Input {
    /// Opens a reel and reads its header. Why that is not possible has been said.
    pub fn open(place: &Place) -> Result<Input, Exit> {
        let name = name_of(place);
        let input = open(place).map_err(|e| {
            message::say(format!("cannot read {name}: {e}"));
            Exit::Error
        })?;
        Input::of(name, input)
    }

    /// The same from bytes that come from anywhere.
    pub fn of(name: String, input: Box<dyn Read>) -> Result<Input, Exit> {
        let reader = Reader::new(input).map_err(|damage| {
            message::say(format!("{name}: {damage}"));
            Exit::Damaged
        })?;
        Ok(Input::with(name, reader))
    }

    /// The same of a reel whose header has been read.
    pub fn with(name: String, reader: Reader<Box<dyn Read>>) -> Input {
        Input { name, reader, over: false, damages: 0, end: None, containers: Vec::new() }
    }

    /// From now on blocks of snapshots are given too.
    pub fn show_snapshots(&mut self) {
        self.reader.show_snapshots();
    }

    /// From now on blocks of what is known last of containers are kept.
    pub fn keep_containers(&mut self) {
        self.reader.show_containers();
    }

    /// Takes a block back whose memory may be used again.
    pub fn recycle(&mut self, block: Stored) {
        self.reader.recycle(block);
    }

    /// Where and how the capture was made.
    pub fn header(&self) -> &Header {
        self.reader.header()
    }

    /// What its codes mean.
    pub fn schema(&self) -> &Arc<Schema> {
        self.reader.schema()
    }

    /// Its name in messages.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Bytes of blocks read so far, and of what was passed over.
    pub fn bytes(&self) -> u64 {
        self.reader.position()
    }

    /// True once the end block was read.
    pub fn is_complete(&self) -> bool {
        self.reader.is_complete()
    }

    /// Blocks of kinds that a later version wrote.
    pub fn unknown_blocks(&self) -> u64 {
        self.reader.unknown_blocks()
    }

    /// What comes next; damage is counted and not yet said.
    pub fn find(&mut self) -> Option<Found> {
        while !self.over {
            match self.reader.next() {
                Ok(Some(Block::Event(block) | Block::Snapshot(block))) => return Some(Found::Block(block)),
                Ok(Some(Block::Containers(mut block))) => {
                    match block.verify().and_then(|()| block.load_dict()) {
                        Ok(()) if self.containers.len() < MOST => self.containers.push(block),
                        Ok(()) => {}
                        Err(damage) => {
                            self.damages += 1;
                            return Some(Found::Damage(damage));
                        }
                    }
                }
                Ok(Some(Block::End(totals))) => self.end = Some(totals),
                Ok(None) => self.over = true,
                Err(damage) => {
                    self.over = damage.is_fatal();
                    self.damages += 1;
                    return Some(Found::Damage(damage));
                }
            }
        }
        None
    }

    /// The next block, past whatever is damaged.
    pub fn block(&mut self) -> Option<Stored> {
        loop {
            match self.find()? {
                Found::Block(block) => return Some(block),
                Found::Damage(damage) => self.say(&damage),
            }
        }
    }

    /// Says a damage on stderr.
    pub fn say(&self, damage: &Damage) {
        message::say(format!("{}: {damage}", self.name));
    }

    /// Says and counts damage within a block.
    pub fn complain(&mut self, damage: &Damage) {
        self.damages += 1;
        self.say(damage);
    }

    /// Says if the end is missing, and gives the status that damage comes to.
    pub fn close(&self) -> Exit {
        if !self.is_complete() && self.damages == 0 {
            message::say(format!(
                "{} has no end block: it is still being written, or was cut between two blocks",
                self.name
            ));
        }
        if self.damages > 0 { Exit::Damaged } else { Exit::Ok }
    }
}
