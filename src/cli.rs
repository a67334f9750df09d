//! The command line: the definition of every option, and nothing about what they mean together.
//!
//! Enters: arguments. Leaves: an [`Action`] with a [`Config`], or a [`Stop`]: text to print, and the status to exit with.
//! Never: printing, exiting, opening files. Only this module and the generator of manual and completions know clap.
//!
//! The top level looks like tcpdump: options, then words that are the filter. A subcommand is one only as the very first
//! argument and spelled exactly; no filter begins with such a word, because every test begins with a field.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::PossibleValue;
use clap::error::ErrorKind;
use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum, ValueHint};

use crate::config::{Config, OnFull, SNAPLEN, SNAPLEN_MAX, Surroundings, Sync, TimeStyle, Typed, When};
use crate::exit::Exit;
use crate::tools::Tool;

mod listing;
mod stuck;
mod tools;

/// What the user asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Action {
    /// Capture or reread, filter, print or write.
    Capture(Box<Config>),
    /// Show the calls that have not returned.
    Stuck(Box<Config>),
    /// List processes, descriptors or sockets.
    Listing(Box<crate::listing::Options>),
    /// Do something with capture files.
    Tool(Box<Tool>),
    /// List the fields of filters and templates.
    Fields {
        /// Only those of one class (`proc`), or one field.
        class: Option<String>,
        /// As JSON.
        json: bool,
    },
    /// List the system calls.
    Calls {
        /// Only this one.
        name: Option<String>,
        /// As JSON.
        json: bool,
    },
    /// Say what this host allows.
    Doctor,
    /// Print a shell's completions.
    Completions(Shell),
    /// Write manual and completions below a directory.
    Generate(PathBuf),
}

/// Shells that have completions.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
#[allow(missing_docs, reason = "named after the shells")]
pub enum Shell {
    Bash,
    Zsh,
    Fish,
}

/// The end before anything began: help, version, or a mistake.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stop {
    /// [`Exit::Ok`]: the text is for stdout. Otherwise it is a message.
    pub exit: Exit,
    /// The text. Help ends with a newline, a message does not.
    pub text: String,
}

/// Reads the command line; the first argument is the program's name.
pub fn parse(args: impl IntoIterator<Item = OsString>, around: &Surroundings) -> Result<Action, Stop> {
    let args: Vec<OsString> = args.into_iter().collect();
    // Not clap's: a subcommand for those who build sysreel would show in everybody's completions, hidden or not.
    if let [_, word, rest @ ..] = &args[..]
        && word == GENERATE
        && rest.len() < 2
    {
        return Ok(Action::Generate(rest.first().map_or_else(|| PathBuf::from("."), PathBuf::from)));
    }
    let cli = Cli::try_parse_from(&args).map_err(|error| stop(&error, &args, around))?;
    cli.action(around).map_err(|(text, command)| {
        let help = command.map_or("sysreel -h".to_owned(), |c| format!("sysreel {c} -h"));
        Stop { exit: Exit::Usage, text: format!("{text}\nTry `{help}`.") }
    })
}

/// The definition, for the generator of manual and completions.
pub fn command() -> clap::Command {
    Cli::command()
}

/// The subcommands that have a page of their own in the manual.
pub const TOOLS: [&str; 8] = ["info", "cut", "merge", "split", "verify", "repair", "export", "containers"];

/// The subcommand that writes manual and completions.
const GENERATE: &str = "generate";

const EXAMPLES: &str = "\
Examples:
  sysreel                                       every call of every process
  sysreel 'evt.type = openat and proc.name = cat'
  sysreel -j --pid 4711 | jq .                  one process and what it starts, as JSON
  sysreel -w t.reel                             write a capture file, until Ctrl-C
  sysreel -r t.reel 'evt.failed = true'         ask it later
  sysreel run -o calls.txt -- make              a command, from first call to last

Quote the filter: shells give < > ( ) a meaning of their own.";

const RUN_EXAMPLES: &str = "\
Examples:
  sysreel run -- ls -l                          calls on stderr, output on stdout
  sysreel run -o calls.txt 'evt.type = openat' -- make
  sysreel run -w t.reel --as www-data -- ./server

The exit status is the command's own; 125, 126, 127 if it could not be started.";

const FIELDS_EXAMPLES: &str = "\
Examples:
  sysreel fields                                all fields
  sysreel fields proc                           those of one class
  sysreel fields fd.name                        one, with its documentation";

const CALLS_EXAMPLES: &str = "\
Examples:
  sysreel calls                                 all calls and events, with their arguments
  sysreel calls openat                          one
  sysreel calls --json | jq -r .name";

#[derive(Parser, Debug)]
#[command(
    name = "sysreel",
    version,
    about = "tcpdump for system calls",
    long_about = "tcpdump for system calls: records what every process asks of the kernel, names it (process, file, user, \
                  connection), filters it, prints it line by line, or writes it to a capture file (a reel) that can be \
                  asked anything later.",
    override_usage = "sysreel [OPTIONS] [FILTER]...\n       \
                      sysreel run [OPTIONS] [FILTER]... -- COMMAND [ARG]...\n       \
                      sysreel stuck [OPTIONS] [FILTER]...\n       \
                      sysreel ps|lsof|netstat [OPTIONS] [FILTER]...\n       \
                      sysreel info|cut|merge|split|verify|repair|export|containers ...\n       \
                      sysreel fields|calls|doctor|completions ...",
    after_help = EXAMPLES,
    args_conflicts_with_subcommands = true,
    disable_help_subcommand = true,
    args_override_self = true,
    max_term_width = 100
)]
struct Cli {
    #[command(subcommand)]
    sub: Option<Sub>,
    #[command(flatten)]
    host: Host,
    #[command(flatten)]
    shared: Shared,
    /// What to show, in the filter language; all words make one filter
    ///
    /// Tests of fields, joined by `and`, `or`, `not` and parentheses: `proc.name = nginx and evt.latency > 10ms`.
    /// `sysreel fields` lists the fields, sysreel(1) describes the language. Without a filter everything is shown.
    #[arg(value_name = "FILTER", allow_negative_numbers = true)]
    filter: Vec<String>,
}

#[derive(Subcommand, Debug)]
enum Sub {
    /// Trace a command and every process it starts
    ///
    /// It is traced from its first call to its last. Events go to stderr or to -o FILE; the command keeps standard output,
    /// terminal and signals, and its exit status is handed on.
    #[command(
        override_usage = "sysreel run [OPTIONS] [FILTER]... -- COMMAND [ARG]...",
        args_override_self = true,
        after_help = RUN_EXAMPLES
    )]
    Run(Box<Run>),
    #[command(flatten)]
    Stuck(stuck::Sub),
    #[command(flatten)]
    Listing(listing::Sub),
    #[command(flatten)]
    Tool(tools::Sub),
    /// List the fields that filters and templates know
    #[command(after_help = FIELDS_EXAMPLES)]
    Fields {
        /// A class such as proc, or a field such as fd.name
        class: Option<String>,
        /// One JSON object a line
        #[arg(short, long)]
        json: bool,
    },
    /// List the system calls and their arguments
    #[command(after_help = CALLS_EXAMPLES)]
    Calls {
        /// Only this call
        name: Option<String>,
        /// One JSON object a line
        #[arg(short, long)]
        json: bool,
    },
    /// Check what this host allows, and name the remedy of what it does not
    Doctor,
    /// Print completions for a shell
    Completions {
        /// The shell
        shell: Shell,
    },
}

#[derive(Args, Debug)]
struct Run {
    #[command(flatten)]
    shared: Shared,
    /// Run the command as this user
    ///
    /// A name or number of /etc/passwd. The command gets the groups, HOME, USER, LOGNAME and SHELL of that user. Needs
    /// root.
    #[arg(long = "as", value_name = "USER", value_hint = ValueHint::Username)]
    user: Option<String>,
    /// What to show, in the filter language; all words make one filter
    #[arg(value_name = "FILTER", allow_negative_numbers = true)]
    filter: Vec<String>,
    /// The command to trace, and its arguments
    #[arg(last = true, value_name = "COMMAND", value_hint = ValueHint::CommandWithArguments)]
    command: Vec<OsString>,
}

/// Options that make no sense for `run`.
#[derive(Args, Debug)]
struct Host {
    /// Read events from a capture file (- for stdin) instead of the kernel
    ///
    /// The file may still be growing, may have been cut, may be damaged: every whole block is used.
    #[arg(short = 'r', long = "read", value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Files")]
    read: Option<OsString>,
    /// With -r: go on reading as the file grows
    ///
    /// Ends with the capture, at Ctrl-C, or when nobody reads the output any more.
    #[arg(long, help_heading = "Files")]
    follow: bool,
    /// Threads that reread a capture [default: one for each CPU; one if it comes through a pipe]
    ///
    /// What is shown is the same, in the same order.
    #[arg(hide_short_help = true,
        long,
        value_name = "N",
        value_parser = clap::value_parser!(u16).range(1..=64),
        help_heading = "Files"
    )]
    threads: Option<u16>,
    /// With -r: containers have the names that were known at the capture's end
    ///
    /// A container's first events may lack what its runtime told later. Lines of -p, -pc and -pk mark it with ~, filters take
    /// it as it is; container.source has late. It takes a complete file of one host.
    #[arg(hide_short_help = true, long, help_heading = "Files")]
    late_names: bool,
    /// Only these processes and what they start (comma list, repeatable)
    ///
    /// They must exist; others never reach the probe's rings. With -r, those of the capture that had one of these ids or
    /// descend from one that had.
    #[arg(
        long = "pid",
        value_name = "PID",
        value_delimiter = ',',
        value_parser = clap::value_parser!(u32).range(1..=4_194_304),
        help_heading = "Capture"
    )]
    pids: Vec<u32>,
    /// Include sysreel itself and whoever reads its output
    ///
    /// They are left out otherwise, because showing an event causes further ones.
    #[arg(long = "self", help_heading = "Capture")]
    include_self: bool,
}

#[derive(Args, Debug)]
struct Shared {
    /// Write a capture file (- for stdout) instead of printing
    ///
    /// The file is made with mode 0600; an existing one is not overwritten without --force.
    #[arg(short = 'w', long = "write", value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Files")]
    write: Option<OsString>,
    /// Let -w replace an existing file
    ///
    /// The new file takes its name when it is complete, so that there is always a whole one.
    #[arg(long, help_heading = "Files")]
    force: bool,
    /// Begin a new file before one is larger than this
    ///
    /// k, m or g may follow the number. Files that rotate get a number each: t.reel becomes t-000001.reel, t-000002.reel;
    /// conversions of strftime(3) in the name are filled in with the local time at which the file begins. Every file is
    /// complete by itself. Goes with -G: whichever comes first.
    #[arg(short = 'C', long = "rotate-size", value_name = "SIZE", help_heading = "Files")]
    rotate_size: Option<String>,
    /// Begin a new file every so many seconds
    ///
    /// At multiples of it in local time: -G 3600 begins files at full hours, whether anything happens or not.
    #[arg(
        short = 'G',
        long = "rotate-seconds",
        value_name = "SECONDS",
        value_parser = clap::value_parser!(u32).range(1..=31_536_000),
        help_heading = "Files"
    )]
    rotate_seconds: Option<u32>,
    /// Keep this many files; remove the oldest of this capture
    #[arg(
        short = 'W',
        long = "keep",
        value_name = "COUNT",
        value_parser = clap::value_parser!(u32).range(1..),
        help_heading = "Files"
    )]
    keep: Option<u32>,
    /// Keep all files together below this size; remove the oldest of this capture
    ///
    /// Without -C and -G the files are a tenth of it each.
    #[arg(long, value_name = "SIZE", help_heading = "Files", hide_short_help = true)]
    max_disk: Option<String>,
    /// Run a command with the name of each file that is complete
    ///
    /// Words are split at blanks and the file's name is the last argument; no shell is involved. Nobody waits for it:
    /// --on-rotate 'gzip -9'.
    #[arg(long, value_name = "COMMAND", value_hint = ValueHint::CommandString, help_heading = "Files")]
    on_rotate: Option<OsString>,
    /// When files are forced to the disk
    #[arg(long, value_name = "WHEN", help_heading = "Files", hide_short_help = true)]
    sync: Option<Sync>,
    /// What to do when the disk is full
    #[arg(long, value_name = "WHAT", help_heading = "Files", hide_short_help = true)]
    on_full: Option<OnFull>,
    /// Print events to a file (- for stdout)
    #[arg(short = 'o', long = "output", value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Files")]
    output: Option<OsString>,

    /// Print one JSON object a line
    #[arg(short = 'j', long, help_heading = "Printing")]
    json: bool,
    /// Print in a form of your own, with %field for fields
    ///
    /// Each event becomes one line of this text, in which %field stands for the value of the field, or for - if the
    /// event has none: -p '%evt.time %proc.name %fd.name'. -pc is a line with the container, -pk one with the pod.
    #[arg(short = 'p', long = "print", value_name = "FORMAT", help_heading = "Printing")]
    print: Option<String>,
    /// Print no events, only the totals
    #[arg(short = 'q', long, help_heading = "Printing")]
    quiet: bool,
    /// Time: -t none, -tt epoch, -ttt since last line, -tttt date
    #[arg(short = 't', action = clap::ArgAction::Count, help_heading = "Printing")]
    t: u8,
    /// Time, by name
    #[arg(long = "time", value_name = "STYLE", help_heading = "Printing")]
    time: Option<TimeStyle>,
    /// Colour
    ///
    /// auto is on a terminal only, and heeds NO_COLOR, CLICOLOR_FORCE, FORCE_COLOR and TERM=dumb.
    #[arg(
        long = "color",
        alias = "colour",
        value_name = "WHEN",
        default_value = "auto",
        help_heading = "Printing"
    )]
    color: When,
    /// Pass on each line at once, also into a pipe
    #[arg(short = 'l', long = "line-buffered", help_heading = "Printing")]
    line_buffered: bool,
    /// Pass on each event at once, also into a capture file
    #[arg(short = 'U', long = "unbuffered", help_heading = "Printing")]
    flush_each: bool,

    /// Only calls of these users, by name or number (comma list, repeatable)
    ///
    /// The effective user when the call returns. Others are rejected in the kernel. With -r a name is one of the capture's
    /// own host.
    #[arg(
        short = 'u',
        long = "user",
        value_name = "USER",
        value_delimiter = ',',
        value_hint = ValueHint::Username,
        help_heading = "Capture"
    )]
    users: Vec<String>,
    /// Only what runs in these containers, by name or id (comma list, repeatable)
    ///
    /// The beginning of an id will do. Containers that start later are included.
    #[arg(long = "container", value_name = "NAME", value_delimiter = ',', help_heading = "Capture")]
    containers: Vec<String>,
    /// Only what runs in these pods (comma list, repeatable)
    #[arg(long = "pod", value_name = "NAMESPACE/NAME", value_delimiter = ',', help_heading = "Capture")]
    pods: Vec<String>,
    /// Only what runs in these units of systemd (comma list, repeatable)
    #[arg(long = "unit", value_name = "NAME", value_delimiter = ',', help_heading = "Capture")]
    units: Vec<String>,
    /// A tag for this host, kept in the capture file (host.tag[KEY]; repeatable)
    #[arg(long = "tag", value_name = "KEY=VALUE", help_heading = "Capture", hide_short_help = true)]
    tags: Vec<String>,
    /// Stop at a limit: duration:60s, size:1G (of the files), events:1M; comma list
    ///
    /// Whichever comes first. A time has ms, s, m, h or d behind it.
    #[arg(long, value_name = "LIMIT", value_delimiter = ',', help_heading = "Capture")]
    stop: Vec<String>,
    /// Stop after N events
    #[arg(short = 'c', long = "limit", value_name = "N", value_parser = positive, help_heading = "Capture")]
    limit: Option<u64>,
    #[arg(
        short = 's',
        long = "snaplen",
        value_name = "N",
        value_parser = clap::value_parser!(u32).range(0..=i64::from(SNAPLEN_MAX)),
        help = format!("Bytes to capture of each buffer [default: {SNAPLEN}]"),
        long_help = format!(
            "Bytes to capture of each buffer that is read, written, sent or received [default: {SNAPLEN}], at \
             most {SNAPLEN_MAX}. With 0 only lengths are kept. What was cut is marked, with how much."
        ),
        help_heading = "Capture"
    )]
    snaplen: Option<u32>,
    /// Do not measure how long calls take
    ///
    /// That is one hook less in the kernel, at about half the cost per call. What a call overwrites with its answer
    /// (the sets and timeouts of select, the offset of sendfile) is then not known and shown as unreadable.
    #[arg(long, help_heading = "Capture")]
    no_latency: bool,
    /// Memory for events on their way, all CPUs together
    ///
    /// k, m or g may follow the number. When the memory is full, events are lost, and counted: first those of processes that
    /// fill it, last those that names depend on. [default: the smaller of
    /// 128m and 1/64 of the machine's memory]
    #[arg(long, value_name = "SIZE", help_heading = "Capture")]
    ring: Option<String>,
    /// Take this much less of the CPU than others: nice(1)
    ///
    /// From -20 (first) to 19 (last). The command that `run` starts keeps what it has. A reader that does not keep up loses
    /// events, which are counted; it never slows what is traced.
    #[arg(
        long,
        value_name = "N",
        allow_negative_numbers = true,
        value_parser = clap::value_parser!(i8).range(-20..=19),
        help_heading = "Capture",
        hide_short_help = true
    )]
    nice: Option<i8>,
    /// Take at most this much of one CPU, and lose events instead
    ///
    /// CPU time of sysreel itself, all its threads together: when it is used up the rings are not read, and what then finds
    /// no room in them is counted as lost. The start and the end are not held to it; the probe's time is that of the
    /// processes that it traces.
    #[arg(
        long,
        value_name = "PERCENT",
        value_parser = clap::value_parser!(u16).range(1..=10_000),
        help_heading = "Capture",
        hide_short_help = true
    )]
    max_cpu: Option<u16>,
    /// Know nothing of processes that are not traced themselves
    ///
    /// Without it the parents of what is traced are named too, with their command lines, up to the first process of the
    /// host: not always what should be in a file that is passed on.
    #[arg(long, help_heading = "Capture", hide_short_help = true)]
    no_ancestors: bool,
    /// Put into each file of -w which processes there are and what they have open, filter or not
    ///
    /// What `sysreel ps`, `lsof` and `netstat` list of a file. A capture of the whole host without a filter has it anyway.
    #[arg(long, overrides_with = "no_snapshot", help_heading = "Capture", hide_short_help = true)]
    snapshot: bool,
    /// Leave that out
    #[arg(long, overrides_with = "snapshot", help_heading = "Capture", hide_short_help = true)]
    no_snapshot: bool,
    /// Show where CPUs turn from one thread to another: events `switch`
    ///
    /// A filter that names the event, as `evt.type = switch` does, asks for it too. There may be a hundred thousand a second.
    #[arg(long, help_heading = "Capture")]
    switches: bool,
    /// Show signals, and who sent them: events `signal` and `signaldeliver`
    #[arg(long, help_heading = "Capture")]
    signals: bool,
    /// Show where pages were missing: events `page_fault`
    #[arg(long, help_heading = "Capture")]
    faults: bool,
    /// Keep the environment of processes (proc.env, evt.arg.envp)
    ///
    /// It is read from /proc at the start and after each start of a program, and stands in a capture file too. It is left
    /// out otherwise, because passwords and keys are often in it.
    #[arg(long, help_heading = "Capture")]
    env: bool,
    /// Where the host's /proc is [default: /proc]
    #[arg(long, value_name = "PATH", value_hint = ValueHint::DirPath, help_heading = "Capture")]
    proc: Option<PathBuf>,

    /// Explain the filter, and exit
    ///
    /// Shows how the filter was understood, what of it the kernel decides, and what remains.
    #[arg(short = 'd', long)]
    explain: bool,
    /// Exit with status 3 if events were lost
    #[arg(long)]
    fail_on_loss: bool,
    /// Say more on stderr
    #[arg(short = 'v', long)]
    verbose: bool,
}

impl Shared {
    fn typed(self, filter: Vec<String>) -> Typed {
        Typed {
            write: self.write,
            force: self.force,
            rotate_size: self.rotate_size,
            rotate_seconds: self.rotate_seconds,
            keep: self.keep,
            max_disk: self.max_disk,
            stop: self.stop,
            on_rotate: self.on_rotate,
            sync: self.sync,
            on_full: self.on_full,
            output: self.output,
            json: self.json,
            print: self.print,
            quiet: self.quiet,
            t: self.t,
            time: self.time,
            limit: self.limit,
            snaplen: self.snaplen,
            no_latency: self.no_latency,
            users: self.users,
            containers: self.containers,
            pods: self.pods,
            units: self.units,
            tags: self.tags,
            ring: self.ring,
            nice: self.nice,
            max_cpu: self.max_cpu,
            no_ancestors: self.no_ancestors,
            snapshot: self.snapshot,
            no_snapshot: self.no_snapshot,
            switches: self.switches,
            signals: self.signals,
            faults: self.faults,
            env: self.env,
            proc: self.proc,
            flush_each: self.flush_each,
            line_buffered: self.line_buffered,
            explain: self.explain,
            color: self.color,
            fail_on_loss: self.fail_on_loss,
            verbose: self.verbose,
            filter,
            ..Typed::default()
        }
    }
}

impl Cli {
    fn action(self, around: &Surroundings) -> Result<Action, (String, Option<&'static str>)> {
        let capture = |typed, command| {
            let config = Config::resolve(typed, around).map_err(|text| (text, command))?;
            Ok(Action::Capture(Box::new(config)))
        };
        match self.sub {
            None => {
                if let Some(word) = self.filter.first().filter(|w| is_subcommand(w)) {
                    let text =
                        format!("`{word}` must come first, and its options after it: sysreel {word} ...");
                    return Err((text, None));
                }
                let Host { read, follow, threads, late_names, pids, include_self } = self.host;
                let typed = self.shared.typed(self.filter);
                capture(Typed { read, follow, threads, late_names, pids, include_self, ..typed }, None)
            }
            Some(Sub::Run(run)) => {
                let command = Some((run.command, run.user));
                capture(Typed { command, ..run.shared.typed(run.filter) }, Some("run"))
            }
            Some(Sub::Stuck(stuck)) => Ok(Action::Stuck(Box::new(stuck.config(around)?))),
            Some(Sub::Listing(sub)) => Ok(Action::Listing(Box::new(sub.options(around)?))),
            Some(Sub::Tool(tool)) => Ok(Action::Tool(Box::new(tool.tool(around)?))),
            Some(Sub::Fields { class, json }) => Ok(Action::Fields { class, json }),
            Some(Sub::Calls { name, json }) => Ok(Action::Calls { name, json }),
            Some(Sub::Doctor) => Ok(Action::Doctor),
            Some(Sub::Completions { shell }) => Ok(Action::Completions(shell)),
        }
    }
}

fn positive(text: &str) -> Result<u64, &'static str> {
    text.parse().ok().filter(|n| *n > 0).ok_or("a number from 1 up is needed")
}

fn is_subcommand(word: &str) -> bool {
    Cli::command().get_subcommands().any(|c| c.get_name() == word)
}

/// What clap has to say, in our form.
fn stop(error: &clap::Error, args: &[OsString], around: &Surroundings) -> Stop {
    let text = error.render();
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            let colour = around.colour(typed_colour(args), around.stdout_tty);
            let text = if colour { text.ansi().to_string() } else { text.to_string() };
            Stop { exit: Exit::Ok, text }
        }
        _ => {
            let text =
                text.to_string().replace("\n\nFor more information, try '--help'.", "\nTry `sysreel -h`.");
            Stop {
                exit: Exit::Usage,
                text: text.strip_prefix("error: ").unwrap_or(&text).trim_end().to_owned(),
            }
        }
    }
}

/// `--color` of a command line that clap did not finish, because it asks for help.
fn typed_colour(args: &[OsString]) -> When {
    let mut words = args.iter().take_while(|a| *a != "--").filter_map(|a| a.to_str());
    let mut when = When::Auto;
    while let Some(word) = words.next() {
        let value = if word == "--color" { words.next() } else { word.strip_prefix("--color=") };
        when = value.and_then(|v| When::from_str(v, false).ok()).unwrap_or(when);
    }
    when
}

impl ValueEnum for When {
    fn value_variants<'a>() -> &'a [When] {
        &[When::Auto, When::Always, When::Never]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(match self {
            When::Auto => "auto",
            When::Always => "always",
            When::Never => "never",
        }))
    }
}

impl ValueEnum for Sync {
    fn value_variants<'a>() -> &'a [Sync] {
        &[Sync::None, Sync::Rotate, Sync::Block]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(match self {
            Sync::None => PossibleValue::new("none").help("when the kernel sees fit (the default)"),
            Sync::Rotate => PossibleValue::new("rotate").help("when one is complete"),
            Sync::Block => PossibleValue::new("block").help("after each block"),
        })
    }
}

impl ValueEnum for OnFull {
    fn value_variants<'a>() -> &'a [OnFull] {
        &[OnFull::Stop, OnFull::DropOldest]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(match self {
            OnFull::Stop => PossibleValue::new("stop").help("end the capture (the default)"),
            OnFull::DropOldest => {
                PossibleValue::new("drop-oldest").help("remove the oldest file of this capture and go on")
            }
        })
    }
}

impl ValueEnum for TimeStyle {
    fn value_variants<'a>() -> &'a [TimeStyle] {
        &[TimeStyle::Clock, TimeStyle::None, TimeStyle::Epoch, TimeStyle::Delta, TimeStyle::Date]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(match self {
            TimeStyle::Clock => "clock",
            TimeStyle::None => "none",
            TimeStyle::Epoch => "epoch",
            TimeStyle::Delta => "delta",
            TimeStyle::Date => "date",
        }))
    }
}

#[cfg(test)]
mod tests;
