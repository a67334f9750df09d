//! The command lines of `sysreel ps`, `lsof` and `netstat`.
//!
//! Enters: arguments. Leaves: [`Options`], or one sentence that says what is wrong. Never: looking at anything.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};

use crate::config::{Place, Surroundings};
use crate::listing::{Form, Options, What};

const PS_EXAMPLES: &str = "\
Examples:
  sysreel ps                                    every process
  sysreel ps 'user.name = www-data'
  sysreel ps -r t.reel --at 21:14:03 'proc.name = nginx'";

const LSOF_EXAMPLES: &str = "\
Examples:
  sysreel lsof 'fd.name startswith /var/log'    who has these files open
  sysreel lsof -j 'proc.pid = 4711' | jq .
  sysreel lsof -r t.reel --at +10s 'fd.type = file'";

const NETSTAT_EXAMPLES: &str = "\
Examples:
  sysreel netstat 'fd.sport = 443'              both sides of it
  sysreel netstat -r t.reel --at 21:14:03 'fd.ip = 10.0.0.0/8'";

#[derive(Subcommand, Debug)]
pub(super) enum Sub {
    /// List processes: those of now, or of a moment of a capture
    ///
    /// Now: what /proc tells, without a probe. With -r: the last snapshot of the capture before that moment, and what events
    /// did since; without a snapshot (a capture with a filter) what events mention. Standard error says which. What cannot
    /// be known for certain is marked with ~.
    #[command(override_usage = "sysreel ps [OPTIONS] [FILTER]...", args_override_self = true, after_help = PS_EXAMPLES)]
    Ps(Box<Listing>),
    /// List open descriptors, of now or of a moment of a capture
    ///
    /// Where they come from: see `sysreel ps --help`.
    #[command(override_usage = "sysreel lsof [OPTIONS] [FILTER]...", args_override_self = true, after_help = LSOF_EXAMPLES)]
    Lsof(Box<Listing>),
    /// List sockets with their processes, of now or of a moment of a capture
    ///
    /// Where they come from: see `sysreel ps --help`. A socket that several processes have open is listed with each of them.
    #[command(
        override_usage = "sysreel netstat [OPTIONS] [FILTER]...",
        args_override_self = true,
        after_help = NETSTAT_EXAMPLES
    )]
    Netstat(Box<Listing>),
}

#[derive(Args, Debug)]
pub(super) struct Listing {
    /// List what there was in a capture (- for stdin; repeatable: the files of a rotation)
    #[arg(short = 'r', long = "read", value_name = "FILE", value_hint = ValueHint::FilePath)]
    read: Vec<OsString>,
    /// With -r: as of this time [default: the end]
    ///
    /// +10s after the start, 21:14:03.5, "2026-11-22 21:14:03" or RFC 3339. Events at that time and later do not count.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    at: Option<String>,
    /// Print one JSON object a line
    #[arg(short = 'j', long)]
    json: bool,
    /// Print in a form of your own, with %field for fields
    #[arg(short = 'p', long = "print", value_name = "FORMAT")]
    print: Option<String>,
    /// Print these fields, with commas between them
    #[arg(long, value_name = "LIST")]
    fields: Option<String>,
    /// Do not print the names of the columns first
    #[arg(long)]
    no_header: bool,
    /// Where the host's /proc is [default: /proc]
    #[arg(long, value_name = "PATH", value_hint = ValueHint::DirPath)]
    proc: Option<PathBuf>,
    /// What to list, in the filter language; all words make one filter
    #[arg(value_name = "FILTER", allow_negative_numbers = true)]
    filter: Vec<String>,
}

impl Sub {
    /// What was asked for, or what is wrong with it, and with which subcommand.
    pub(super) fn options(self, around: &Surroundings) -> Result<Options, (String, Option<&'static str>)> {
        let (what, typed) = match self {
            Sub::Ps(typed) => (What::Ps, typed),
            Sub::Lsof(typed) => (What::Lsof, typed),
            Sub::Netstat(typed) => (What::Netstat, typed),
        };
        let wrong = |text: &str| Err((text.to_owned(), Some(what.name())));
        if typed.at.is_some() && typed.read.is_empty() {
            return wrong("--at needs -r FILE: of the past only a capture knows");
        }
        if typed.proc.is_some() && !typed.read.is_empty() {
            return wrong("-r reads a finished capture: it does not go with --proc");
        }
        if typed.print.is_some() && (typed.json || typed.fields.is_some()) {
            return wrong("-p is a form of its own: it does not go with -j or --fields");
        }
        let from: Vec<Place> = typed.read.into_iter().map(Place::of).collect();
        if from.contains(&Place::Standard) && (from.len() > 1 || around.stdin_tty) {
            return wrong("-r - reads one capture from standard input, which must not be a terminal");
        }
        let form = match (typed.print, typed.json) {
            (Some(template), _) => Form::Template(template),
            (None, true) => Form::Json(typed.fields),
            (None, false) => {
                Form::Text { fields: typed.fields, aligned: around.stdout_tty, head: !typed.no_header }
            }
        };
        Ok(Options {
            what,
            from,
            at: typed.at,
            form,
            filter: typed.filter.join(" ").trim().to_owned(),
            proc: typed.proc.unwrap_or_else(|| "/proc".into()),
        })
    }
}
