//! The command lines of the toolbox.
//!
//! Enters: arguments. Leaves: a [`Tool`] with its options, or one sentence that says what is wrong. Never: opening a file.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum, ValueHint};

use crate::config::{Place, Surroundings, same_file, size};
use crate::tools::drop::{PARTS, Part};
use crate::tools::export::{Format, Head};
use crate::tools::split::Until;
use crate::tools::{Tool, containers, cut, export, info, merge, repair, split, verify, window};

const INFO_EXAMPLES: &str = "\
Examples:
  sysreel info t.reel
  sysreel info --json t.reel | jq .calls
  sysreel info --top 50 t.reel 'evt.failed = true'";

const CUT_EXAMPLES: &str = "\
Examples:
  sysreel cut t.reel -w minute.reel --from 21:14:00 --to 21:15:00
  sysreel cut t.reel -w start.reel --to +10s 'proc.name = nginx'
  sysreel cut t.reel -w share.reel --redact --no-ancestors --drop users,cwd

What is left holds nothing of what was left out: names that no event refers to are gone.";

const MERGE_EXAMPLES: &str = "\
Examples:
  sysreel merge db1.reel db2.reel -w both.reel
  sysreel -r both.reel 'evt.hostname = db2'
  sysreel merge t.000*.reel -w t.reel           the pieces of one capture";

const SPLIT_EXAMPLES: &str = "\
Examples:
  sysreel split t.reel --size 100M -w t.reel    t.000001.reel, t.000002.reel ...
  sysreel split t.reel --duration 1m -w minute.reel";

const VERIFY_EXAMPLES: &str = "\
Examples:
  sysreel verify *.reel && echo all whole

The exit status is 4 if a file is damaged or has no end block.";

const REPAIR_EXAMPLES: &str = "\
Examples:
  sysreel repair cut.reel -w whole.reel

The exit status is 4 if the file was damaged: the new one is clean, but something is missing.";

const EXPORT_EXAMPLES: &str = "\
Examples:
  sysreel export t.reel --csv -o t.csv
  sysreel export t.reel --csv --fields evt.time,proc.name,fd.name 'evt.type = openat'
  sysreel export t.reel --json | jq .";

#[derive(Subcommand, Debug)]
pub(super) enum Sub {
    /// Say what is in a capture file
    ///
    /// What was recorded, where, when and how; whether it is complete, damaged, or lost events; which calls and processes
    /// there are most of.
    #[command(after_help = INFO_EXAMPLES)]
    Info(Info),
    /// Make a smaller capture file of a part of one
    ///
    /// A window of time, the events of a filter, without what should not be passed on. Nothing stays in the new file that
    /// no event in it refers to.
    #[command(after_help = CUT_EXAMPLES)]
    Cut(Cut),
    /// Join capture files in order of time
    ///
    /// Files of several hosts, or several of one. evt.hostname says whose an event is. Between hosts the wall clocks
    /// decide, within one boot of a host its boot clock.
    #[command(after_help = MERGE_EXAMPLES)]
    Merge(Merge),
    /// Divide a capture file into pieces that stand alone
    #[command(after_help = SPLIT_EXAMPLES)]
    Split(Split),
    /// Check every bit of capture files
    ///
    /// Compares all checksums, decodes every column, and says what is damaged, in bytes and in time.
    #[command(after_help = VERIFY_EXAMPLES)]
    Verify(Verify),
    /// Make a clean capture file of what is whole in one
    ///
    /// Lists what is lost by bytes, by time and, where it can be known, by numbers of events. The new file keeps the list:
    /// sysreel info shows it.
    #[command(after_help = REPAIR_EXAMPLES)]
    Repair(Repair),
    /// Write the events of a capture file as JSON or CSV
    ///
    /// JSON is one object a line, as with -j. CSV is that of RFC 4180, with the names and types of fields in the first line;
    /// text is escaped as in lines of text (\n, \t, \\, \xNN), times are RFC 3339, durations nanoseconds.
    #[command(after_help = EXPORT_EXAMPLES)]
    Export(Export),
    /// List containers: those that run here, or those in a capture file
    ///
    /// What is known of them is read from the files of their runtimes. With a file, as it was known last when the events
    /// were captured; the containers may be long gone.
    Containers(Containers),
}

#[derive(Args, Debug)]
pub(super) struct Containers {
    /// The capture file (- for stdin) [default: this host, now]
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    file: Option<OsString>,
    /// One JSON object a line
    #[arg(short, long)]
    json: bool,
    /// Those too that were made and not started, or have ended, as far as files of their runtimes tell
    #[arg(short, long, conflicts_with_all = ["file", "why"])]
    all: bool,
    /// Which sources were asked about one, by id or name, and what each said
    #[arg(long, value_name = "ID", conflicts_with = "file")]
    why: Option<String>,
    /// Where the host's /proc is [default: /proc]
    #[arg(long, value_name = "PATH", value_hint = ValueHint::DirPath)]
    proc: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(super) struct Info {
    /// The capture file (- for stdin)
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    file: OsString,
    /// Count only these events
    #[arg(value_name = "FILTER", allow_negative_numbers = true)]
    filter: Vec<String>,
    /// One JSON object
    #[arg(short, long)]
    json: bool,
    /// How many calls and processes to list
    #[arg(long, value_name = "N", default_value_t = 10)]
    top: usize,
}

/// Where a new capture file goes.
#[derive(Args, Debug)]
struct To {
    /// The new capture file (- for stdout)
    #[arg(short = 'w', long = "write", value_name = "OUT", required = true, value_hint = ValueHint::FilePath)]
    write: OsString,
    /// Let -w overwrite an existing file
    #[arg(long)]
    force: bool,
}

#[derive(Args, Debug)]
pub(super) struct Cut {
    /// The capture file (- for stdin)
    #[arg(value_name = "IN", value_hint = ValueHint::FilePath)]
    file: OsString,
    /// Only these events
    #[arg(value_name = "FILTER", allow_negative_numbers = true)]
    filter: Vec<String>,
    #[command(flatten)]
    to: To,
    /// Only events from this time on
    ///
    /// +10s from the start of the capture, a local time (21:14:03, "2026-11-22 21:14:03"), or RFC 3339
    /// (2026-11-22T20:14:03Z).
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// Only events before this time
    #[arg(long = "to", value_name = "TIME")]
    until: Option<String>,
    #[arg(
        long = "drop",
        value_name = "PART",
        value_delimiter = ',',
        help = "Leave something out of every event (comma list, repeatable)",
        long_help = parts()
    )]
    parts: Vec<Part>,
    /// Know nothing of processes that have no events in the new file
    ///
    /// A parent is known from its first event in the new file on.
    #[arg(long)]
    no_ancestors: bool,
    /// Replace payload by its length, and other values by pseudonyms
    ///
    /// Pseudonyms stand for the environment and the arguments of programs and for strings that are no paths: equal values
    /// get equal ones. They are keyed hashes; the key is a new one each time, and kept nowhere, unless --key names one.
    /// Names of processes, files, users and addresses stay.
    #[arg(long)]
    redact: bool,
    /// A file with a key, so that pseudonyms of several files agree
    ///
    /// At least 16 bytes that nobody can guess: head -c 32 /dev/urandom > FILE. Whoever has it can test guesses.
    #[arg(long, value_name = "FILE", requires = "redact", value_hint = ValueHint::FilePath)]
    key: Option<PathBuf>,
}

fn parts() -> String {
    let list: Vec<String> = PARTS.iter().map(|(_, name, doc)| format!("{name} ({doc})")).collect();
    format!("Leave something out of every event (comma list, repeatable): {}.", list.join("; "))
}

impl ValueEnum for Part {
    fn value_variants<'a>() -> &'a [Part] {
        const ALL: [Part; PARTS.len()] = {
            let mut all = [PARTS[0].0; PARTS.len()];
            let mut i = 0;
            while i < all.len() {
                all[i] = PARTS[i].0;
                i += 1;
            }
            all
        };
        &ALL
    }

    fn to_possible_value(&self) -> Option<clap::builder::PossibleValue> {
        PARTS
            .iter()
            .find(|(part, ..)| part == self)
            .map(|(_, name, _)| clap::builder::PossibleValue::new(*name))
    }
}

#[derive(Args, Debug)]
pub(super) struct Merge {
    /// The capture files
    #[arg(value_name = "FILE", required = true, value_hint = ValueHint::FilePath)]
    files: Vec<OsString>,
    #[command(flatten)]
    to: To,
}

#[derive(Args, Debug)]
pub(super) struct Split {
    /// The capture file (- for stdin)
    #[arg(value_name = "IN", value_hint = ValueHint::FilePath)]
    file: OsString,
    /// Only these events
    #[arg(value_name = "FILTER", allow_negative_numbers = true)]
    filter: Vec<String>,
    /// What the pieces are named after: NAME.reel makes NAME.000001.reel and so on
    #[arg(short = 'w', long = "write", value_name = "NAME", required = true, value_hint = ValueHint::FilePath)]
    write: PathBuf,
    /// Let -w overwrite existing files
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    until: SplitAt,
}

#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
struct SplitAt {
    /// Pieces of about this size (k, m or g may follow)
    #[arg(long, value_name = "SIZE")]
    size: Option<String>,
    /// Pieces of this time, counted from the start of the capture
    #[arg(long, value_name = "TIME")]
    duration: Option<String>,
    /// Pieces of this many events
    #[arg(long, value_name = "N", value_parser = super::positive)]
    events: Option<u64>,
}

#[derive(Args, Debug)]
pub(super) struct Verify {
    /// The capture files (- for stdin)
    #[arg(value_name = "FILE", required = true, value_hint = ValueHint::FilePath)]
    files: Vec<OsString>,
    /// Say nothing of files that are whole
    #[arg(short, long)]
    quiet: bool,
}

#[derive(Args, Debug)]
pub(super) struct Repair {
    /// The capture file (- for stdin)
    #[arg(value_name = "IN", value_hint = ValueHint::FilePath)]
    file: OsString,
    #[command(flatten)]
    to: To,
}

#[derive(Args, Debug)]
pub(super) struct Export {
    /// The capture file (- for stdin)
    #[arg(value_name = "IN", value_hint = ValueHint::FilePath)]
    file: OsString,
    /// Only these events
    #[arg(value_name = "FILTER", allow_negative_numbers = true)]
    filter: Vec<String>,
    #[command(flatten)]
    format: Formats,
    /// Which fields (comma list; sysreel fields lists them)
    #[arg(long, value_name = "FIELDS")]
    fields: Option<String>,
    /// The first line of CSV: types (name:type), names, or none
    #[arg(long, value_name = "FORM", conflicts_with = "json")]
    header: Option<Head>,
    /// Write to a file (- for stdout)
    #[arg(short = 'o', long = "output", value_name = "OUT", default_value = "-", value_hint = ValueHint::FilePath)]
    output: OsString,
    /// Let -o overwrite an existing file
    #[arg(long)]
    force: bool,
}

#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
struct Formats {
    /// JSON: one object a line
    #[arg(short, long)]
    json: bool,
    /// CSV
    #[arg(long)]
    csv: bool,
}

impl ValueEnum for Head {
    fn value_variants<'a>() -> &'a [Head] {
        &[Head::Types, Head::Names, Head::None]
    }

    fn to_possible_value(&self) -> Option<clap::builder::PossibleValue> {
        Some(clap::builder::PossibleValue::new(match self {
            Head::Types => "types",
            Head::Names => "names",
            Head::None => "none",
        }))
    }
}

fn words(filter: &[String]) -> String {
    filter.join(" ").trim().to_owned()
}

fn input(typed: OsString, around: &Surroundings) -> Result<Place, String> {
    match Place::of(typed) {
        Place::Standard if around.stdin_tty => {
            Err("- reads a capture from standard input, which is a terminal".into())
        }
        Place::File(path) if path.as_os_str().is_empty() => Err("the name of a file is empty".into()),
        place => Ok(place),
    }
}

/// A file to write that is none of those read. A capture is no text: it does not go to a terminal.
fn output(typed: OsString, from: &[&Place], around: Option<&Surroundings>) -> Result<Place, String> {
    let to = Place::of(typed);
    match &to {
        Place::Standard if around.is_some_and(|a| a.stdout_tty) => {
            return Err("-w - writes binary data, and standard output is a terminal".into());
        }
        Place::File(path) => {
            if path.as_os_str().is_empty() {
                return Err("the name of a file is empty".into());
            }
            if from.iter().any(|f| matches!(f, Place::File(from) if same_file(from, path))) {
                return Err("a file cannot be rewritten in place: give another name".into());
            }
        }
        Place::Standard => {}
    }
    Ok(to)
}

impl Sub {
    /// What was asked for, or what is wrong with it, and with which subcommand.
    pub(super) fn tool(self, around: &Surroundings) -> Result<Tool, (String, Option<&'static str>)> {
        let (name, made) = match self {
            Sub::Info(typed) => ("info", typed.tool(around)),
            Sub::Cut(typed) => ("cut", typed.tool(around)),
            Sub::Merge(typed) => ("merge", typed.tool(around)),
            Sub::Split(typed) => ("split", typed.tool(around)),
            Sub::Verify(typed) => ("verify", typed.tool(around)),
            Sub::Repair(typed) => ("repair", typed.tool(around)),
            Sub::Export(typed) => ("export", typed.tool(around)),
            Sub::Containers(typed) => ("containers", typed.tool(around)),
        };
        made.map_err(|text| (text, Some(name)))
    }
}

impl Containers {
    fn tool(self, around: &Surroundings) -> Result<Tool, String> {
        Ok(Tool::Containers(containers::Options {
            from: self.file.map(|file| input(file, around)).transpose()?,
            json: self.json,
            why: self.why,
            all: self.all,
            proc: self.proc.unwrap_or_else(|| PathBuf::from("/proc")),
        }))
    }
}

impl Info {
    fn tool(self, around: &Surroundings) -> Result<Tool, String> {
        Ok(Tool::Info(info::Options {
            from: input(self.file, around)?,
            json: self.json,
            top: self.top,
            filter: words(&self.filter),
        }))
    }
}

impl Cut {
    fn tool(self, around: &Surroundings) -> Result<Tool, String> {
        let from = input(self.file, around)?;
        Ok(Tool::Cut(cut::Options {
            to: output(self.to.write, &[&from], Some(around))?,
            from,
            force: self.to.force,
            since: self.from,
            until: self.until,
            filter: words(&self.filter),
            parts: self.parts,
            no_ancestors: self.no_ancestors,
            redact: self.redact,
            key: self.key,
        }))
    }
}

impl Merge {
    fn tool(self, around: &Surroundings) -> Result<Tool, String> {
        let from = self.files.into_iter().map(|f| input(f, around)).collect::<Result<Vec<_>, _>>()?;
        if from.iter().filter(|f| **f == Place::Standard).count() > 1 {
            return Err("standard input can be read once".into());
        }
        let to = output(self.to.write, &from.iter().collect::<Vec<_>>(), Some(around))?;
        Ok(Tool::Merge(merge::Options { from, to, force: self.to.force }))
    }
}

impl Split {
    fn tool(self, around: &Surroundings) -> Result<Tool, String> {
        let from = input(self.file, around)?;
        if self.write.file_name().is_none() {
            return Err("-w needs a name for the pieces".into());
        }
        let until = match (self.until.size, self.until.duration, self.until.events) {
            (Some(text), ..) => Until::Size(size("--size", &text)?),
            (_, Some(text), _) => match window::duration("--duration", &text)? {
                0 => return Err("--duration needs a span longer than nothing".into()),
                span => Until::Duration(span),
            },
            (.., Some(n)) => Until::Events(n),
            _ => return Err("one of --size, --duration and --events is needed".into()),
        };
        let filter = words(&self.filter);
        Ok(Tool::Split(split::Options { from, to: self.write, force: self.force, until, filter }))
    }
}

impl Verify {
    fn tool(self, around: &Surroundings) -> Result<Tool, String> {
        let files = self.files.into_iter().map(|f| input(f, around)).collect::<Result<Vec<_>, _>>()?;
        Ok(Tool::Verify(verify::Options { files, quiet: self.quiet }))
    }
}

impl Repair {
    fn tool(self, around: &Surroundings) -> Result<Tool, String> {
        let from = input(self.file, around)?;
        let to = output(self.to.write, &[&from], Some(around))?;
        Ok(Tool::Repair(repair::Options { from, to, force: self.to.force }))
    }
}

impl Export {
    fn tool(self, around: &Surroundings) -> Result<Tool, String> {
        let from = input(self.file, around)?;
        let to = output(self.output, &[&from], None)?;
        Ok(Tool::Export(export::Options {
            from,
            to,
            force: self.force,
            format: if self.format.csv { Format::Csv } else { Format::Json },
            fields: self.fields,
            head: self.header.unwrap_or_default(),
            filter: words(&self.filter),
        }))
    }
}
