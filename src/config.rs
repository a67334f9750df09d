//! From what was typed to what it means.
//!
//! Enters: [`Typed`], the options as they stood on the command line, and [`Surroundings`], what the environment and the
//! terminals say. Leaves: [`Config`], in which every default is filled in, every size is a number and every combination
//! makes sense; or one sentence that says what is wrong. Never: clap, opening anything, and the filter's language (the words
//! pass through as one string).

mod files;
mod only;

use std::ffi::{OsStr, OsString};
use std::io::IsTerminal;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::source::live::Beside;

pub use files::{Files, OnFull, Sync};

/// Bytes of each buffer that are captured unless `-s` says otherwise.
pub const SNAPLEN: u32 = 80;
/// The largest number that `-s` accepts.
pub const SNAPLEN_MAX: u32 = 65536;

/// When to use colour.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum When {
    /// As the environment and the terminal say.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// How the time of an event is printed at the start of its line.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum TimeStyle {
    /// Time of day, local: `21:14:03.184503021`.
    #[default]
    Clock,
    /// No time at all.
    None,
    /// Seconds since 1970: `1767992843.184503021`.
    Epoch,
    /// Seconds since the line before.
    Delta,
    /// Date and time: `2026-01-09 21:14:03.184503021`.
    Date,
}

/// What was typed. Everything is as it stood there; nothing has been judged yet.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[allow(missing_docs, reason = "the options' own help texts say what they are")]
pub struct Typed {
    pub write: Option<OsString>,
    pub force: bool,
    pub rotate_size: Option<String>,
    pub rotate_seconds: Option<u32>,
    pub keep: Option<u32>,
    pub max_disk: Option<String>,
    pub stop: Vec<String>,
    pub on_rotate: Option<OsString>,
    pub sync: Option<Sync>,
    pub on_full: Option<OnFull>,
    pub read: Option<OsString>,
    pub follow: bool,
    pub threads: Option<u16>,
    pub late_names: bool,
    pub output: Option<OsString>,
    pub json: bool,
    pub print: Option<String>,
    pub quiet: bool,
    pub t: u8,
    pub time: Option<TimeStyle>,
    pub limit: Option<u64>,
    pub snaplen: Option<u32>,
    pub no_latency: bool,
    pub pids: Vec<u32>,
    pub users: Vec<String>,
    pub containers: Vec<String>,
    pub pods: Vec<String>,
    pub units: Vec<String>,
    pub tags: Vec<String>,
    pub include_self: bool,
    pub ring: Option<String>,
    pub nice: Option<i8>,
    pub max_cpu: Option<u16>,
    pub no_ancestors: bool,
    pub snapshot: bool,
    pub no_snapshot: bool,
    pub switches: bool,
    pub signals: bool,
    pub faults: bool,
    /// Environments are read and kept.
    pub env: bool,
    pub proc: Option<PathBuf>,
    pub flush_each: bool,
    pub line_buffered: bool,
    pub explain: bool,
    pub color: When,
    pub fail_on_loss: bool,
    pub verbose: bool,
    pub filter: Vec<String>,
    /// The command of `run`, and the user to run it as.
    pub command: Option<(Vec<OsString>, Option<String>)>,
}

/// What the environment and the standard streams say.
#[derive(Clone, Debug, Default)]
#[allow(missing_docs, reason = "named after the streams and variables")]
pub struct Surroundings {
    pub stdin_tty: bool,
    pub stdout_tty: bool,
    pub stderr_tty: bool,
    pub no_color: Option<OsString>,
    pub clicolor_force: Option<OsString>,
    pub force_color: Option<OsString>,
    pub term: Option<OsString>,
    /// User and group of whoever called sudo.
    pub sudo: Option<(u32, u32)>,
}

impl Surroundings {
    /// This process's.
    pub fn look() -> Surroundings {
        Surroundings {
            stdin_tty: std::io::stdin().is_terminal(),
            stdout_tty: std::io::stdout().is_terminal(),
            stderr_tty: std::io::stderr().is_terminal(),
            no_color: std::env::var_os("NO_COLOR"),
            clicolor_force: std::env::var_os("CLICOLOR_FORCE"),
            force_color: std::env::var_os("FORCE_COLOR"),
            term: std::env::var_os("TERM"),
            sudo: sudo(),
        }
    }

    /// Whether to colour a stream: the option decides, then `NO_COLOR`, then the variables that force, then the terminal.
    pub fn colour(&self, when: When, tty: bool) -> bool {
        let set = |v: &Option<OsString>| v.as_ref().is_some_and(|v| !v.is_empty());
        let forced = |v: &Option<OsString>| set(v) && v.as_deref() != Some(OsStr::new("0"));
        match when {
            When::Always => true,
            When::Never => false,
            When::Auto if set(&self.no_color) => false,
            When::Auto if forced(&self.clicolor_force) || forced(&self.force_color) => true,
            When::Auto if self.term.as_deref() == Some(OsStr::new("dumb")) => false,
            When::Auto => tty,
        }
    }
}

/// A file, or the standard stream that `-` stands for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Place {
    /// Standard input or output.
    Standard,
    /// A file.
    File(PathBuf),
}

impl Place {
    /// What a name stands for.
    pub fn of(typed: OsString) -> Place {
        if typed == "-" { Place::Standard } else { Place::File(typed.into()) }
    }
}

/// Which processes are looked at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Scope {
    /// All of them.
    Host,
    /// These, and every process that they start.
    Pids(Vec<u32>),
    /// A command to start, and every process that it starts.
    Command {
        /// The command and its arguments; never empty.
        argv: Vec<OsString>,
        /// The user to run it as.
        user: Option<String>,
    },
}

/// A live capture.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Live {
    /// Which processes.
    pub scope: Scope,
    /// Show sysreel itself, and those who read its output, as well.
    pub include_self: bool,
    /// Bytes captured of each buffer; at most [`SNAPLEN_MAX`].
    pub snaplen: u32,
    /// Measure the time from entry to exit.
    pub latency: bool,
    /// Memory for all rings together, if it was given.
    pub ring: Option<u64>,
    /// Priority among processes, as nice(1) counts it.
    pub nice: Option<i8>,
    /// CPU time that the capture may take for itself, in percent of one CPU.
    pub max_cpu: Option<u16>,
    /// Leave out what is known of processes that are not traced themselves.
    pub no_ancestors: bool,
    /// What is shown beside calls, filter or not.
    pub beside: Beside,
    /// Environments are read and kept.
    pub env: bool,
    /// Where the process file system is mounted.
    pub proc: PathBuf,
    /// What the host is called besides: `0:KEY=VALUE`.
    pub tags: Vec<String>,
}

/// Where events come from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Source {
    /// The running kernel.
    Live(Live),
    /// A capture file.
    Reel(Place),
}

/// How an event is printed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Form {
    /// The default line.
    Text(TimeStyle),
    /// One JSON object a line.
    Json,
    /// A template with `%field`.
    Template(String),
}

/// A stream for printed events.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
    /// A file, made anew.
    File(PathBuf),
}

/// Where events go.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Sink {
    /// Nowhere: they are only counted.
    Nothing,
    /// Into a capture file.
    Reel {
        /// Which.
        to: Place,
        /// An existing file may be overwritten.
        force: bool,
    },
    /// Printed.
    Print {
        /// Where.
        to: Stream,
        /// How.
        form: Form,
        /// In colour.
        colour: bool,
    },
}

/// When output is passed on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Flush {
    /// At once on a terminal, when there is enough or it becomes quiet elsewhere.
    #[default]
    Auto,
    /// After each line (`-l`).
    Line,
    /// After each event printed, each batch written (`-U`).
    Event,
}

/// Whether to colour what goes to the two standard streams.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[allow(missing_docs, reason = "named after the streams")]
pub struct Colour {
    pub stdout: bool,
    pub stderr: bool,
}

/// What is to be done, complete and consistent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Config {
    /// Where events come from.
    pub source: Source,
    /// Where they go.
    pub sink: Sink,
    /// The filter, all words in one; empty lets everything through.
    pub filter: String,
    /// What options say in the language of filters; holds besides the filter. Empty lets everything through.
    pub only: String,
    /// Wait for more at the end of a reel that has no end block yet.
    pub follow: bool,
    /// Only explain the filter.
    pub explain: bool,
    /// Stop after this many events.
    pub limit: Option<u64>,
    /// Stop after this much time.
    pub duration: Option<Duration>,
    /// The files of `-w`.
    pub files: Files,
    /// Each file of `-w` gets a snapshot of what there is.
    pub snapshot: bool,
    /// When output is passed on.
    pub flush: Flush,
    /// Colour of messages and listings; the sink has its own answer.
    pub colour: Colour,
    /// How many threads reread a capture; as many as there are CPUs if it is not said.
    pub threads: Option<usize>,
    /// Containers of a capture have the names that were known at its end.
    pub late_names: bool,
    /// Lost events make the exit status 3.
    pub fail_on_loss: bool,
    /// Say more on stderr.
    pub verbose: bool,
}

impl Config {
    /// Judges what was typed. The error is for the user.
    pub fn resolve(typed: Typed, around: &Surroundings) -> Result<Config, String> {
        let colour = Colour {
            stdout: around.colour(typed.color, around.stdout_tty),
            stderr: around.colour(typed.color, around.stderr_tty),
        };
        let sink = sink(&typed, around, colour)?;
        let source = source(&typed, around)?;
        if let (Source::Reel(Place::File(from)), Sink::Reel { to: Place::File(to), .. }) = (&source, &sink)
            && same_file(from, to)
        {
            return Err("-r and -w name the same file: a capture cannot be rewritten in place".into());
        }
        let limits = files::limits(&typed)?;
        if typed.read.is_some() && limits.duration.is_some() {
            return Err("--stop duration: is about a capture: cut a finished one by its times".into());
        }
        let files = files::files(&typed, around, &limits, &sink)?;
        let flush = match (typed.flush_each, typed.line_buffered) {
            (true, _) => Flush::Event,
            (false, true) => Flush::Line,
            (false, false) => Flush::Auto,
        };
        let filter = typed.filter.join(" ").trim().to_owned();
        let only = only::of(&typed)?;
        let snapshot = snapshot(&typed, &source, &sink, filter.is_empty() && only.is_empty())?;
        Ok(Config {
            source,
            sink,
            filter,
            only,
            snapshot,
            follow: typed.follow,
            explain: typed.explain,
            limit: limits.events,
            duration: limits.duration,
            files,
            flush,
            colour,
            threads: typed.threads.map(usize::from),
            late_names: typed.late_names,
            fail_on_loss: typed.fail_on_loss,
            verbose: typed.verbose,
        })
    }
}

/// Whether files get snapshots: those of a capture of everything do, as far as nothing else was asked for. One with a filter
/// holds nothing of anybody else's.
fn snapshot(typed: &Typed, source: &Source, sink: &Sink, is_everything: bool) -> Result<bool, String> {
    let written = matches!(sink, Sink::Reel { .. });
    if typed.snapshot && !written {
        return Err("--snapshot has a meaning only with -w FILE".into());
    }
    Ok(match source {
        Source::Live(_) if typed.no_snapshot => false,
        Source::Live(live) => {
            let all = is_everything && live.scope == Scope::Host && !live.no_ancestors;
            typed.snapshot || (written && all)
        }
        Source::Reel(_) => false,
    })
}

/// Who called sudo, if we are root by it.
fn sudo() -> Option<(u32, u32)> {
    let id = |name| std::env::var(name).ok()?.parse::<u32>().ok();
    let ids = (id("SUDO_UID")?, id("SUDO_GID")?);
    rustix::process::geteuid().is_root().then_some(ids)
}

/// The options given, by name: for "X does not go with Y, Z".
fn given<const N: usize>(options: [(bool, &'static str); N]) -> Option<String> {
    let names: Vec<&str> = options.into_iter().filter_map(|(given, name)| given.then_some(name)).collect();
    (!names.is_empty()).then(|| names.join(", "))
}

fn sink(typed: &Typed, around: &Surroundings, colour: Colour) -> Result<Sink, String> {
    let running = typed.command.is_some();
    for (option, value) in [("-w", &typed.write), ("-o", &typed.output), ("-r", &typed.read)] {
        if value.as_ref().is_some_and(|v| v.is_empty()) {
            return Err(format!("{option} needs the name of a file, and was given an empty one"));
        }
    }
    if let Some(to) = &typed.write {
        let printing = given([
            (typed.json, "-j"),
            (typed.print.is_some(), "-p"),
            (typed.output.is_some(), "-o"),
            (typed.t > 0, "-t"),
            (typed.time.is_some(), "--time"),
        ]);
        if let Some(printing) = printing {
            return Err(format!(
                "-w writes a capture file and prints no events: it does not go with {printing}. Print later with `sysreel -r FILE`"
            ));
        }
        let to = Place::of(to.clone());
        if to == Place::Standard && running {
            return Err("-w - does not go with `run`: the command has standard output. Give -w a file".into());
        }
        if to == Place::Standard && around.stdout_tty {
            return Err("-w - writes binary data, and standard output is a terminal: add `| sysreel -r -` or `> FILE`, or give -w a file".into());
        }
        return Ok(Sink::Reel { to, force: typed.force });
    }
    if typed.force {
        return Err("--force has a meaning only with -w FILE".into());
    }
    let shape = given([(typed.json, "-j"), (typed.print.is_some(), "-p")]);
    if typed.json && typed.print.is_some() {
        return Err("-j and -p are two forms of output: choose one".into());
    }
    let times = given([(typed.t > 0, "-t"), (typed.time.is_some(), "--time")]);
    if let (Some(shape), Some(times)) = (&shape, &times) {
        return Err(format!("{times} shapes the default line, and {shape} replaces it: choose one"));
    }
    if typed.quiet {
        let printing = given([(shape.is_some(), "-j or -p"), (typed.output.is_some(), "-o")]);
        if let Some(printing) = printing {
            return Err(format!("-q prints no events: it does not go with {printing}"));
        }
        return Ok(Sink::Nothing);
    }
    let form = match &typed.print {
        Some(template) => Form::Template(preset(template).unwrap_or(template).to_owned()),
        None if typed.json => Form::Json,
        None => Form::Text(time_style(typed)?),
    };
    let to = match typed.output.clone().map(Place::of) {
        Some(Place::File(path)) => Stream::File(path),
        Some(Place::Standard) => Stream::Stdout,
        // The command has standard output to itself.
        None if running => Stream::Stderr,
        None => Stream::Stdout,
    };
    let colour = match to {
        Stream::Stdout => colour.stdout,
        Stream::Stderr => colour.stderr,
        // A file is no terminal, and what forces colour for programs in a pipe is not meant for files.
        Stream::File(_) => typed.color == When::Always,
    };
    Ok(Sink::Print { to, form, colour })
}

/// A template that has a name: those of sysdig.
fn preset(name: &str) -> Option<&'static str> {
    match name {
        "c" | "container" => Some(
            "%evt.time %container.name (%container.id) %proc.name (%thread.tid:%thread.vtid) %evt.type(%evt.args) = %evt.res",
        ),
        "k" | "kubernetes" => Some(
            "%evt.time %k8s.ns.name/%k8s.pod.name %container.name (%container.id) %proc.name (%thread.tid:%thread.vtid) \
             %evt.type(%evt.args) = %evt.res",
        ),
        _ => None,
    }
}

fn time_style(typed: &Typed) -> Result<TimeStyle, String> {
    match (typed.time, typed.t) {
        (Some(_), 1..) => Err("-t and --time say the same thing twice: choose one".into()),
        (Some(style), 0) => Ok(style),
        (None, 0) => Ok(TimeStyle::Clock),
        (None, 1) => Ok(TimeStyle::None),
        (None, 2) => Ok(TimeStyle::Epoch),
        (None, 3) => Ok(TimeStyle::Delta),
        (None, 4) => Ok(TimeStyle::Date),
        (None, n) => Err(format!("-t was given {n} times; it goes up to four: -tttt")),
    }
}

fn source(typed: &Typed, around: &Surroundings) -> Result<Source, String> {
    if let Some(from) = &typed.read {
        let live = given([
            (typed.include_self, "--self"),
            (typed.snaplen.is_some(), "-s"),
            (typed.no_latency, "--no-latency"),
            (typed.ring.is_some(), "--ring"),
            (typed.nice.is_some(), "--nice"),
            (typed.max_cpu.is_some(), "--max-cpu"),
            (typed.no_ancestors, "--no-ancestors"),
            (typed.snapshot, "--snapshot"),
            (typed.no_snapshot, "--no-snapshot"),
            (typed.switches, "--switches"),
            (typed.signals, "--signals"),
            (typed.faults, "--faults"),
            (typed.env, "--env"),
            (!typed.tags.is_empty(), "--tag"),
            (typed.proc.is_some(), "--proc"),
        ]);
        if let Some(live) = live {
            return Err(format!("-r reads a finished capture: it does not go with {live}"));
        }
        let from = Place::of(from.clone());
        if from == Place::Standard && around.stdin_tty {
            return Err("-r - reads a capture from standard input, which is a terminal".into());
        }
        if typed.follow && from == Place::Standard {
            return Err("--follow needs -r with the name of a file: a pipe is read to its end anyway".into());
        }
        return Ok(Source::Reel(from));
    }
    if typed.follow {
        return Err("--follow has a meaning only with -r FILE".into());
    }
    if typed.late_names {
        return Err("--late-names is about rereading a capture: it goes with -r".into());
    }
    if typed.threads.is_some() {
        return Err("--threads is about rereading a capture: it goes with -r".into());
    }
    let scope = match &typed.command {
        Some((argv, _)) if argv.iter().all(|word| word.is_empty()) => {
            return Err("no command: sysreel run [OPTIONS] [FILTER] -- COMMAND [ARG]...".into());
        }
        Some((argv, user)) => Scope::Command { argv: argv.clone(), user: user.clone() },
        None if typed.pids.is_empty() => Scope::Host,
        None => {
            let mut pids = typed.pids.clone();
            pids.sort_unstable();
            pids.dedup();
            Scope::Pids(pids)
        }
    };
    Ok(Source::Live(Live {
        scope,
        include_self: typed.include_self,
        snaplen: typed.snaplen.unwrap_or(SNAPLEN),
        latency: !typed.no_latency,
        ring: typed.ring.as_deref().map(|text| size("--ring", text)).transpose()?,
        nice: typed.nice,
        max_cpu: typed.max_cpu,
        no_ancestors: typed.no_ancestors,
        beside: Beside { switches: typed.switches, signals: typed.signals, faults: typed.faults },
        env: typed.env,
        proc: typed.proc.clone().unwrap_or_else(|| PathBuf::from("/proc")),
        tags: typed.tags.iter().map(|t| tag(t)).collect::<Result<_, _>>()?,
    }))
}

/// Longest tag.
const TAG_MAX: usize = 4096;

/// A tag, `KEY=VALUE`, of the only host.
fn tag(text: &str) -> Result<String, String> {
    let key = text.split_once('=').map(|(key, _)| key);
    let plain =
        |key: &&str| !key.is_empty() && !key.contains(|c: char| c.is_control() || "[]()'\" ".contains(c));
    match key.filter(plain) {
        Some(_) if text.len() <= TAG_MAX && !text.contains(char::is_control) => Ok(format!("0:{text}")),
        _ => Err(format!(
            "--tag needs KEY=VALUE, the key without blanks, brackets and quotes, not `{}`",
            crate::message::name(text)
        )),
    }
}

/// A number of bytes such as `4096`, `512k`, `64M`, `1g`.
pub fn size(option: &str, text: &str) -> Result<u64, String> {
    let (digits, shift) = match text.as_bytes() {
        [digits @ .., b'k' | b'K'] => (digits, 10),
        [digits @ .., b'm' | b'M'] => (digits, 20),
        [digits @ .., b'g' | b'G'] => (digits, 30),
        digits => (digits, 0),
    };
    let number = std::str::from_utf8(digits).ok().filter(|d| d.bytes().all(|b| b.is_ascii_digit()));
    let number: Option<u64> = number.and_then(|d| d.parse().ok());
    number
        .and_then(|n| n.checked_mul(1 << shift))
        .filter(|n| *n > 0)
        .ok_or_else(|| format!("{option} needs a size such as 4096, 512k, 64M or 1G, not `{text}`"))
}

/// True if two names are those of one regular file.
pub fn same_file(a: &Path, b: &Path) -> bool {
    match (a.metadata(), b.metadata()) {
        // Devices and pipes may well be read and written at once.
        (Ok(a), Ok(b)) => a.is_file() && (a.dev(), a.ino()) == (b.dev(), b.ino()),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
