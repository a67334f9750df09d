//! The files of a capture: how it is spread over them, how much of it is kept, and when it ends by itself.
//!
//! Enters: options as typed. Leaves: [`Files`] and limits in which every size is a number, or one sentence that says what
//! is wrong. Never: a file.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::time::Duration;

use super::{Place, Sink, Surroundings, Typed, given, size};

/// What to do when the disk is full.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum OnFull {
    /// End the capture.
    #[default]
    Stop,
    /// Remove the oldest file of this capture, and go on as long as there is one.
    DropOldest,
}

/// When a capture file is forced to the disk.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Sync {
    /// When the kernel sees fit.
    #[default]
    None,
    /// When it is complete.
    Rotate,
    /// After each block.
    Block,
}

/// How a capture is spread over files, and how much of it is kept.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Files {
    /// A file is complete before it would be larger than this (bytes); a single block may be.
    pub size: Option<u64>,
    /// A new file at each multiple of this many seconds of local time.
    pub every: Option<u32>,
    /// At most this many files; older ones are removed.
    pub keep: Option<u32>,
    /// At most this many bytes in all files; older files are removed.
    pub max_disk: Option<u64>,
    /// End the capture at this many bytes in all files.
    pub stop_size: Option<u64>,
    /// Program and arguments to run with the name of each file that is complete.
    pub on_rotate: Vec<OsString>,
    /// When to force files to the disk.
    pub sync: Sync,
    /// When the disk is full.
    pub on_full: OnFull,
    /// User and group that files are given to.
    pub owner: Option<(u32, u32)>,
}

impl Files {
    /// True if there may be more than one file.
    pub fn rotates(&self) -> bool {
        self.size.is_some() || self.every.is_some() || self.keep.is_some() || self.max_disk.is_some()
    }
}

/// Limits of `--stop`: time, bytes, events.
#[derive(Clone, Copy, Default)]
pub(super) struct Limits {
    pub duration: Option<Duration>,
    pub size: Option<u64>,
    pub events: Option<u64>,
}

pub(super) fn limits(typed: &Typed) -> Result<Limits, String> {
    let mut limits = Limits::default();
    let wrong = |what: &str| {
        format!(
            "--stop takes duration:TIME, size:SIZE and events:N, such as duration:60s,size:1G,events:1M; not `{what}`"
        )
    };
    for what in &typed.stop {
        let (name, value) = what.split_once(':').ok_or_else(|| wrong(what))?;
        match name {
            "duration" => limits.duration = Some(duration(value).ok_or_else(|| wrong(what))?),
            "size" => limits.size = Some(size("--stop size:", value)?),
            "events" => limits.events = Some(decimal(value).ok_or_else(|| wrong(what))?),
            _ => return Err(wrong(what)),
        }
    }
    limits.events = match (limits.events, typed.limit) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    };
    Ok(limits)
}

/// A time such as `60`, `60s`, `5m`, `2h`, `1d`, `500ms`.
fn duration(text: &str) -> Option<Duration> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let number: u64 = digits.parse().ok().filter(|n| *n > 0 && digits.bytes().all(|b| b.is_ascii_digit()))?;
    let ms = match text.get(digits.len()..)? {
        "ms" => 1,
        "" | "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    Some(Duration::from_millis(number.checked_mul(ms)?))
}

/// A number of events such as `5000`, `10k`, `1M`: thousands, as one counts.
fn decimal(text: &str) -> Option<u64> {
    let (digits, unit) = match text.as_bytes().last()? {
        b'k' | b'K' => (&text[..text.len() - 1], 1000),
        b'm' | b'M' => (&text[..text.len() - 1], 1_000_000),
        b'g' | b'G' => (&text[..text.len() - 1], 1_000_000_000),
        _ => (text, 1),
    };
    let number: u64 = digits.parse().ok().filter(|_| digits.bytes().all(|b| b.is_ascii_digit()))?;
    number.checked_mul(unit).filter(|n| *n > 0)
}

pub(super) fn files(
    typed: &Typed,
    around: &Surroundings,
    limits: &Limits,
    sink: &Sink,
) -> Result<Files, String> {
    let only_files = given([
        (typed.rotate_size.is_some(), "-C"),
        (typed.rotate_seconds.is_some(), "-G"),
        (typed.keep.is_some(), "-W"),
        (typed.max_disk.is_some(), "--max-disk"),
        (limits.size.is_some(), "--stop size:"),
        (typed.on_rotate.is_some(), "--on-rotate"),
        (typed.sync.is_some(), "--sync"),
        (typed.on_full.is_some(), "--on-full"),
    ]);
    let file = matches!(sink, Sink::Reel { to: Place::File(_), .. });
    if let Some(options) = only_files.filter(|_| !file) {
        return Err(format!("{options} is about the files of -w FILE, and there is none"));
    }
    if typed.read.is_some() && typed.rotate_seconds.is_some() {
        return Err("-G goes by the clock while a capture runs: it does not go with -r".into());
    }
    let max_disk = typed.max_disk.as_deref().map(|t| size("--max-disk", t)).transpose()?;
    let mut rotate = typed.rotate_size.as_deref().map(|t| size("-C", t)).transpose()?;
    if rotate.is_none() && typed.rotate_seconds.is_none() {
        match (max_disk, typed.keep) {
            // Room is made by removing whole files: ten of them lose a tenth at a time.
            (Some(most), keep) => rotate = Some((most / u64::from(keep.unwrap_or(10).max(2))).max(1)),
            (None, Some(_)) => {
                return Err(
                    "-W keeps so many files: it needs -C, -G or --max-disk, which begin new ones".into()
                );
            }
            (None, None) => {}
        }
    }
    if typed.force && (rotate.is_some() || typed.rotate_seconds.is_some()) {
        return Err("--force replaces one file; files that rotate have new names and replace none".into());
    }
    let words = typed.on_rotate.as_ref().map(|c| split_words(c)).unwrap_or_default();
    if typed.on_rotate.is_some() && words.is_empty() {
        return Err("--on-rotate needs a command".into());
    }
    Ok(Files {
        size: rotate,
        every: typed.rotate_seconds,
        keep: typed.keep,
        max_disk,
        stop_size: limits.size,
        on_rotate: words,
        sync: typed.sync.unwrap_or_default(),
        on_full: typed.on_full.unwrap_or_default(),
        owner: around.sudo,
    })
}

/// Words between blanks: a command is run without a shell, so nothing else has a meaning.
fn split_words(command: &OsStr) -> Vec<OsString> {
    let words = command.as_bytes().split(|b| b.is_ascii_whitespace()).filter(|w| !w.is_empty());
    words.map(|w| OsStr::from_bytes(w).to_os_string()).collect()
}
