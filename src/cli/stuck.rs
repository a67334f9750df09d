//! The command line of `sysreel stuck`.
//!
//! Enters: arguments. Leaves: a [`Config`], or one sentence that says what is wrong. Never: looking at anything.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};

use crate::config::{Config, Surroundings, TimeStyle, Typed, When};

const EXAMPLES: &str = "\
Examples:
  sysreel stuck                                 every thread that is in a call, the longest first
  sysreel stuck 'proc.name = nginx and evt.latency > 10s'
  sysreel stuck 'thread.state = D'              who waits for a disk, or for a file server
  sysreel stuck -j --pid 4711 | jq .";

#[derive(Subcommand, Debug)]
pub(super) enum Sub {
    /// Show the calls that have not returned
    ///
    /// One look at /proc, without a probe: which thread is in which call, with which arguments, on which file or peer, in
    /// which state, and for how long at least; the longest first. The filter is that of captures; evt.latency is how long
    /// the thread has not run.
    #[command(
        override_usage = "sysreel stuck [OPTIONS] [FILTER]...",
        args_override_self = true,
        after_help = EXAMPLES
    )]
    Stuck(Box<Stuck>),
}

#[derive(Args, Debug)]
pub(super) struct Stuck {
    /// Print one JSON object a line
    #[arg(short = 'j', long)]
    json: bool,
    /// Print in a form of your own, with %field for fields
    #[arg(short = 'p', long = "print", value_name = "FORMAT")]
    print: Option<String>,
    /// Print to a file (- for stdout)
    #[arg(short = 'o', long = "output", value_name = "FILE", value_hint = ValueHint::FilePath)]
    output: Option<OsString>,
    /// Time: -t none, -tt epoch, -ttt since last line, -tttt date
    #[arg(short = 't', action = clap::ArgAction::Count)]
    t: u8,
    /// Time, by name
    #[arg(long = "time", value_name = "STYLE")]
    time: Option<TimeStyle>,
    /// Colour
    #[arg(long = "color", alias = "colour", value_name = "WHEN", default_value = "auto")]
    color: When,
    /// Only these processes and what they started (comma list, repeatable)
    #[arg(
        long = "pid",
        value_name = "PID",
        value_delimiter = ',',
        value_parser = clap::value_parser!(u32).range(1..=4_194_304)
    )]
    pids: Vec<u32>,
    /// Only calls of these users, by name or number (comma list, repeatable)
    #[arg(
        short = 'u',
        long = "user",
        value_name = "USER",
        value_delimiter = ',',
        value_hint = ValueHint::Username
    )]
    users: Vec<String>,
    /// Stop after N calls: those that have lasted longest
    #[arg(short = 'c', long = "limit", value_name = "N", value_parser = super::positive)]
    limit: Option<u64>,
    /// Where the host's /proc is [default: /proc]
    #[arg(long, value_name = "PATH", value_hint = ValueHint::DirPath)]
    proc: Option<PathBuf>,
    /// Explain the filter, and exit
    #[arg(short = 'd', long)]
    explain: bool,
    /// What to show, in the filter language; all words make one filter
    #[arg(value_name = "FILTER", allow_negative_numbers = true)]
    filter: Vec<String>,
}

impl Sub {
    /// What was asked for, or what is wrong with it, and with which subcommand.
    pub(super) fn config(self, around: &Surroundings) -> Result<Config, (String, Option<&'static str>)> {
        let Sub::Stuck(typed) = self;
        let typed = Typed {
            json: typed.json,
            print: typed.print,
            output: typed.output,
            t: typed.t,
            time: typed.time,
            color: typed.color,
            pids: typed.pids,
            users: typed.users,
            limit: typed.limit,
            proc: typed.proc,
            explain: typed.explain,
            filter: typed.filter,
            ..Typed::default()
        };
        Config::resolve(typed, around).map_err(|text| (text, Some("stuck")))
    }
}
