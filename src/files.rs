//! The files of a capture: one, or a sequence of them that rotates.
//!
//! Enters: batches, and the moments at which a new file is asked for. Leaves: reels under their final names, each complete
//! by itself; old ones removed when they are too many or too large. Never: a file of somebody else's touched, a name used
//! twice, a link followed.
//!
//! A file is made under its final name at once, mode 0600, owned by whoever called sudo, so that what a crash leaves
//! behind is where it is looked for. Only with `--force` it is written aside and takes the name when it is complete: then
//! the older file stays until there is a whole one to replace it.

mod name;

use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use crate::batch::Batch;
use crate::config::{Files as Options, OnFull, Place, Sync};
use crate::message;
use crate::outlet::{Outlet, Watch};
use crate::reel::{Header, Later, Totals, Writer};
use crate::schema::{LOST, Schema};
use crate::sink::Unbuffered;

pub use name::check as check_name;

/// What completing a file and beginning the next takes besides blocks: an end, two headers with the schema, and room to
/// spare.
const RESERVE: u64 = 192 << 10;

/// What a capture adds up to so far; see [`Totals`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields of Totals")]
pub struct Tally {
    pub produced: u64,
    pub filtered: u64,
    pub lost: u64,
    pub state_only: u64,
}

/// A file that is complete, and may be removed to make room.
struct Done {
    path: PathBuf,
    /// Device and inode: what has the name by then must still be ours.
    id: (u64, u64),
    bytes: u64,
}

/// The file that is being written.
struct Open {
    /// `None` is standard output.
    path: Option<PathBuf>,
    /// Where it is written until it is complete.
    aside: Option<PathBuf>,
    id: (u64, u64),
    /// For synchronising.
    file: Option<File>,
    writer: Writer<Outlet>,
    /// Rows in it that stand for losses, and how many they stand for.
    lost_rows: u64,
    lost: u64,
    /// Bytes of snapshots in it.
    snapshots: u64,
    times: (u64, u64),
    /// The tally when it began.
    since: Tally,
}

/// Writes one reel after another.
pub struct Files {
    to: Place,
    force: bool,
    options: Options,
    header: Header,
    schema: Arc<Schema>,
    watch: Arc<Watch>,
    open: Option<Open>,
    done: VecDeque<Done>,
    /// Number of the next file.
    next: u32,
    /// Of files that are complete: events, bytes.
    events: u64,
    bytes: u64,
    /// Events of blocks that could not be written.
    unwritten: u64,
    tally: Tally,
    begun: u64,
    children: Vec<Child>,
    /// What became known of containers: of whatever file mentions them.
    later: Later,
}

impl Files {
    /// Makes the first file. What is written tells `watch` how far it is.
    pub fn new(
        to: &Place,
        force: bool,
        options: &Options,
        header: &Header,
        schema: Arc<Schema>,
        watch: &Arc<Watch>,
    ) -> io::Result<Files> {
        let mut files = Files {
            to: to.clone(),
            force,
            options: options.clone(),
            header: header.clone(),
            schema,
            watch: watch.clone(),
            open: None,
            done: VecDeque::new(),
            next: 1,
            events: 0,
            bytes: 0,
            unwritten: 0,
            tally: Tally::default(),
            begun: 0,
            children: Vec::new(),
            later: Later::default(),
        };
        files.begin()?;
        Ok(files)
    }

    fn begin(&mut self) -> io::Result<()> {
        let (path, aside, file) = match &self.to {
            Place::Standard => (None, None, None),
            Place::File(path) => {
                let (path, aside, file) = self.place(&path.clone())?;
                (Some(path), aside, Some(file))
            }
        };
        let meta = file.as_ref().map(File::metadata).transpose()?;
        let out = match &file {
            Some(file) => Outlet::new(file.try_clone()?, self.watch.clone()),
            None => Outlet::new(Unbuffered::stdout(), self.watch.clone()),
        };
        let writer = Writer::new(out, &self.header, &self.schema)?;
        self.begun += 1;
        self.open = Some(Open {
            path,
            aside,
            id: meta.map_or((0, 0), |m| (m.dev(), m.ino())),
            file,
            writer,
            lost_rows: 0,
            lost: 0,
            snapshots: 0,
            times: (0, 0),
            since: self.tally,
        });
        Ok(())
    }

    /// A new file: its final name, the one it has until then, and itself.
    fn place(&mut self, template: &Path) -> io::Result<(PathBuf, Option<PathBuf>, File)> {
        let numbered = self.options.rotates() || self.next > 1;
        if !numbered {
            let (aside, file) = single(template, self.force, self.options.owner)?;
            return Ok((template.to_owned(), aside, file));
        }
        if !self.options.rotates() {
            // Asked for by a signal alone: whoever sent it may have moved the file out of the way.
            if let Ok(file) = make(template, self.options.owner) {
                return Ok((template.to_owned(), None, file));
            }
        }
        let mut looked = false;
        loop {
            let path = name::numbered(template, self.next, jiff::Zoned::now())?;
            match make(&path, self.options.owner) {
                Ok(file) => return Ok((path, None, file)),
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists && !looked => {
                    self.next = name::after(&path).unwrap_or(self.next).max(self.next).saturating_add(1);
                    looked = true;
                }
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => self.next = self.next.saturating_add(1),
                Err(e) => return Err(e),
            }
        }
    }

    /// Writes a batch; `tally` is what the capture adds up to with it.
    pub fn block(&mut self, batch: &Batch, tally: Tally) -> io::Result<()> {
        self.reap();
        let Some(open) = &mut self.open else { return Err(io::ErrorKind::NotFound.into()) };
        let next = open.writer.prepare(batch)?;
        let full = |limit: Option<u64>, before: u64| {
            limit.is_some_and(|limit| before + open.writer.bytes_written() + next > limit)
        };
        if full(self.options.size, 0) && open.writer.events_written() > 0 {
            self.make_room(next);
            if let Err(e) = self.turn() {
                self.unwritten += batch.rows as u64;
                return Err(e);
            }
            if let Some(open) = &mut self.open {
                open.writer.prepare(batch)?;
            }
        }
        self.tally = tally;
        self.make_room(next);
        let Some(open) = &mut self.open else { return Err(io::ErrorKind::NotFound.into()) };
        if open.times.0 == 0 {
            open.times.0 = batch.time.first().copied().unwrap_or(0);
        }
        open.times.1 = batch.time.last().copied().unwrap_or(open.times.1);
        for (row, _) in batch.call.iter().enumerate().filter(|(_, code)| **code == LOST) {
            open.lost_rows += 1;
            open.lost += batch.words_of(row).first().copied().unwrap_or(0);
        }
        let written = open.writer.write_prepared(batch);
        self.drop_until_written(written)?;
        if self.options.sync == Sync::Block {
            self.sync()?;
        }
        Ok(())
    }

    /// Writes a part of a snapshot, unless the files would be too small for it: it may be a quarter of one.
    pub fn snapshot(&mut self, batch: &Batch) -> io::Result<()> {
        let Some(open) = &mut self.open else { return Err(io::ErrorKind::NotFound.into()) };
        let most = self.options.size.map_or(u64::MAX, |size| (size / 4).saturating_sub(open.snapshots));
        match open.writer.write_snapshot(batch, most) {
            Ok(Some(bytes)) => open.snapshots = open.snapshots.saturating_add(bytes),
            // Nor what belongs to it.
            Ok(None) => open.snapshots = u64::MAX,
            Err(e) => self.drop_until_written(Err(e))?,
        }
        self.make_room(0);
        Ok(())
    }

    /// More became known of containers. Each file that mentions one and is completed from now on tells it at its end.
    pub fn learn_containers(&mut self, batch: &Batch) {
        self.later.learn(&batch.dict);
    }

    /// If the disk is full and old files may go, they go until the writer has written what is left of its block.
    fn drop_until_written(&mut self, mut written: io::Result<()>) -> io::Result<()> {
        while let (Err(e), OnFull::DropOldest) = (&written, self.options.on_full) {
            let full = matches!(e.raw_os_error(), Some(libc::ENOSPC | libc::EDQUOT));
            if !full || !self.drop_oldest() {
                break;
            }
            let Some(open) = &mut self.open else { break };
            // The writer kept what is left of the block.
            written = open.writer.flush();
        }
        written
    }

    /// How many files have been begun.
    pub fn begun(&self) -> u64 {
        self.begun
    }

    /// True when `--stop size:` is reached.
    pub fn is_enough(&self) -> bool {
        let open = self.open.as_ref().map_or(0, |o| o.writer.bytes_written());
        self.options.stop_size.is_some_and(|most| self.bytes + open >= most)
    }

    /// Completes the file and begins the next. One without any event is kept as it is: it says that nothing happened.
    pub fn turn(&mut self) -> io::Result<()> {
        if self.to == Place::Standard {
            return Ok(());
        }
        self.complete(None)?;
        self.next = self.next.saturating_add(1);
        self.begin()?;
        self.make_room(0);
        Ok(())
    }

    /// Passes on what is buffered.
    pub fn flush(&mut self) -> io::Result<()> {
        self.open.as_mut().map_or(Ok(()), |o| o.writer.flush())
    }

    /// Completes the last file.
    pub fn finish(&mut self, totals: &Totals) -> io::Result<()> {
        self.tally = Tally {
            produced: totals.produced,
            filtered: totals.filtered,
            lost: totals.lost,
            state_only: totals.state_only,
        };
        self.complete(Some(totals))
    }

    /// Events written, in all files.
    pub fn written(&self) -> u64 {
        let open = self.open.as_ref();
        self.events + open.map_or(0, |o| o.writer.events_written().saturating_sub(o.lost_rows))
    }

    /// Events that could not be written.
    pub fn unwritten(&self) -> u64 {
        self.unwritten + self.open.as_ref().map_or(0, |o| o.writer.events_lost())
    }

    fn complete(&mut self, totals: Option<&Totals>) -> io::Result<()> {
        let Some(mut open) = self.open.take() else { return Ok(()) };
        open.writer.learn_later(&self.later);
        let (now, since) = (self.tally, open.since);
        // A record of a loss is not an event.
        let written = open.writer.events_written().saturating_sub(open.lost_rows);
        self.events += written;
        self.unwritten += open.writer.events_lost();
        // A capture of one file has its own totals; of several, each has its share.
        let totals = match totals {
            Some(totals) if since == Tally::default() => totals.clone(),
            _ => Totals {
                produced: now.produced.saturating_sub(since.produced).max(written.saturating_add(open.lost)),
                written,
                filtered: now.filtered.saturating_sub(since.filtered),
                lost: open.lost,
                state_only: now.state_only.saturating_sub(since.state_only),
                first_time: open.times.0,
                last_time: open.times.1,
                notes: Vec::new(),
                index: Vec::new(),
                snapshots: Vec::new(),
                containers: Vec::new(),
            },
        };
        let before = open.writer.bytes_written();
        open.writer.finish(&totals)?;
        let bytes = open.file.as_ref().and_then(|f| f.metadata().ok()).map_or(before, |m| m.len());
        self.bytes += bytes;
        if let (Some(file), Sync::Rotate | Sync::Block) = (&open.file, self.options.sync) {
            file.sync_all()?;
        }
        if let (Some(aside), Some(path)) = (&open.aside, &open.path) {
            std::fs::rename(aside, path)?;
        }
        if let Some(path) = open.path {
            self.tell(&path);
            self.done.push_back(Done { path, id: open.id, bytes });
        }
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        match self.open.as_ref().and_then(|o| o.file.as_ref()) {
            Some(file) => file.sync_data(),
            None => Ok(()),
        }
    }

    /// Removes files until the next block fits.
    fn make_room(&mut self, next: u64) {
        if self.options.on_full == OnFull::DropOldest {
            // Before the disk is full: a file that cannot be completed is worth less than an old one.
            while self.free().is_some_and(|free| free < next + RESERVE) && self.drop_oldest() {}
        }
        let Some(most) = self.options.keep else { return self.make_bytes(next) };
        while self.done.len() as u64 + 1 > u64::from(most) && self.drop_oldest() {}
        self.make_bytes(next);
    }

    /// Bytes that the disk has left for us.
    fn free(&self) -> Option<u64> {
        let file = self.open.as_ref()?.file.as_ref()?;
        let disk = rustix::fs::fstatvfs(file).ok()?;
        Some(disk.f_bavail.saturating_mul(disk.f_frsize))
    }

    fn make_bytes(&mut self, next: u64) {
        let Some(most) = self.options.max_disk else { return };
        loop {
            let open = self.open.as_ref().map_or(0, |o| o.writer.bytes_written());
            let all = self.done.iter().map(|d| d.bytes).sum::<u64>() + open + next;
            if all <= most || !self.drop_oldest() {
                return;
            }
        }
    }

    /// Removes the oldest complete file. False if there is none.
    fn drop_oldest(&mut self) -> bool {
        let Some(old) = self.done.pop_front() else { return false };
        // Somebody may have moved it, and put another in its place.
        let ours = std::fs::symlink_metadata(&old.path).is_ok_and(|m| (m.dev(), m.ino()) == old.id);
        if ours && let Err(e) = std::fs::remove_file(&old.path) {
            message::say(format!("cannot remove {}: {e}", message::name(&old.path)));
        }
        true
    }

    /// Runs the command of `--on-rotate`, without a shell and without waiting.
    fn tell(&mut self, path: &Path) {
        let Some((program, args)) = self.options.on_rotate.split_first() else { return };
        let child = Command::new(program)
            .args(args)
            .arg(path)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            // What the terminal sends to end the capture is not meant for it.
            .process_group(0)
            .spawn();
        match child {
            Ok(child) => self.children.push(child),
            Err(e) => message::say(format!("cannot run {}: {e}", program.to_string_lossy())),
        }
    }

    fn reap(&mut self) {
        self.children.retain_mut(|c| matches!(c.try_wait(), Ok(None)));
    }
}

/// One file that is written from its beginning to its end.
pub struct Single {
    out: Box<dyn Write + Send>,
    /// Where it is written until it is complete, and what it is called then.
    aside: Option<(PathBuf, PathBuf)>,
}

/// Makes a file as [`Files`] makes the only one of a capture.
pub fn create(to: &Place, force: bool) -> io::Result<Single> {
    let Place::File(path) = to else {
        return Ok(Single { out: Box::new(Unbuffered::stdout()), aside: None });
    };
    let (aside, file) = single(path, force, None)?;
    Ok(Single { out: Box::new(file), aside: aside.map(|aside| (aside, path.clone())) })
}

impl Single {
    /// The same in anything that takes bytes.
    pub fn of(out: Box<dyn Write + Send>) -> Single {
        Single { out, aside: None }
    }

    /// It is complete: an older file of its name gives way to it.
    pub fn complete(mut self) -> io::Result<()> {
        self.out.flush()?;
        match self.aside {
            Some((aside, path)) => std::fs::rename(aside, path),
            None => Ok(()),
        }
    }
}

impl Write for Single {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// A file of exactly this name, and the one that it has until it is complete.
fn single(path: &Path, force: bool, owner: Option<(u32, u32)>) -> io::Result<(Option<PathBuf>, File)> {
    if force {
        let aside = name::aside(path);
        refuse_other_than_file(path)?;
        let file = make(&aside, owner)?;
        return Ok((Some(aside), file));
    }
    match make(path, owner) {
        Ok(file) => Ok((None, file)),
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {
            Err(io::Error::new(e.kind(), "it exists already; --force replaces it"))
        }
        Err(e) => Err(e),
    }
}

/// Makes a file that was not there, for its owner alone.
fn make(path: &Path, owner: Option<(u32, u32)>) -> io::Result<File> {
    let file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .custom_flags(libc::O_NOFOLLOW)
        .open(path)?;
    if let Some((uid, gid)) = owner {
        // Best effort: a file system that knows no owners is no reason not to capture.
        let _ = std::os::unix::fs::fchown(&file, Some(uid), Some(gid));
    }
    Ok(file)
}

/// A device or pipe of that name is written to by nobody but who asked for it by redirection.
fn refuse_other_than_file(path: &Path) -> io::Result<()> {
    match std::fs::symlink_metadata(path) {
        Ok(m) if !m.is_file() && !m.is_symlink() => {
            Err(io::Error::new(io::ErrorKind::AlreadyExists, "it is not a regular file"))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
