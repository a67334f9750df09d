//! Command lines and what they come to.

use std::path::PathBuf;

use super::*;
use crate::config::{Flush, Form, Live, Place, Scope, Sink, Source, Stream};
use crate::source::live::Beside;

fn around() -> Surroundings {
    Surroundings { term: Some("xterm".into()), ..Surroundings::default() }
}

fn act_in(line: &[&str], around: &Surroundings) -> Result<Action, Stop> {
    parse(std::iter::once("sysreel").chain(line.iter().copied()).map(OsString::from), around)
}

fn act(line: &[&str]) -> Action {
    act_in(line, &around()).unwrap_or_else(|stop| panic!("{line:?}: {}", stop.text))
}

fn config(line: &[&str]) -> Config {
    match act(line) {
        Action::Capture(config) => *config,
        other => panic!("{line:?}: {other:?}"),
    }
}

fn live(line: &[&str]) -> Live {
    match config(line).source {
        Source::Live(live) => live,
        other => panic!("{line:?}: {other:?}"),
    }
}

fn refused(line: &[&str]) -> String {
    let stop = act_in(line, &around()).expect_err(&format!("{line:?}"));
    assert_eq!(stop.exit, Exit::Usage, "{line:?}: {}", stop.text);
    assert!(!stop.text.ends_with('\n') && !stop.text.starts_with("error"), "{line:?}: {}", stop.text);
    stop.text
}

#[test]
fn the_definition_is_consistent() {
    command().debug_assert();
}

#[test]
fn nothing_typed_means_everything() {
    let all = config(&[]);
    assert_eq!(all.filter, "");
    assert_eq!(
        (all.limit, all.flush, all.explain, all.fail_on_loss, all.verbose),
        (None, Flush::Auto, false, false, false)
    );
    assert_eq!(
        all.sink,
        Sink::Print { to: Stream::Stdout, form: Form::Text(TimeStyle::Clock), colour: false }
    );
    let expected = Live {
        scope: Scope::Host,
        include_self: false,
        snaplen: 80,
        latency: true,
        ring: None,
        nice: None,
        max_cpu: None,
        no_ancestors: false,
        env: false,
        beside: Beside::default(),
        proc: PathBuf::from("/proc"),
        tags: Vec::new(),
    };
    assert_eq!(all.source, Source::Live(expected));
}

#[test]
fn words_make_one_filter() {
    for (line, filter) in [
        (&["evt.type=open"][..], "evt.type=open"),
        (
            &["evt.type", "=", "openat", "and", "not", "proc.name", "=", "cat"],
            "evt.type = openat and not proc.name = cat",
        ),
        (&["-c", "3", "proc.name = run"], "proc.name = run"),
        (&["proc.name", "=", "run"], "proc.name = run"),
        (&["proc.name", "=", "fields", "-j"], "proc.name = fields"),
        (&["evt.rawres", "=", "-2"], "evt.rawres = -2"),
        (&["runner.x", "=", "1"], "runner.x = 1"),
        (&["rum"], "rum"),
        (&["--", "doctor"], "doctor"),
        (&["  proc.pid = 1 "], "proc.pid = 1"),
    ] {
        // A lone word that is a subcommand's name after `--` is the one thing that stays refused.
        if line == ["--", "doctor"] {
            assert!(refused(line).contains("must come first"));
            continue;
        }
        assert_eq!(config(line).filter, filter, "{line:?}");
    }
}

#[test]
fn subcommands_are_exact_and_first() {
    assert_eq!(act(&["fields"]), Action::Fields { class: None, json: false });
    assert_eq!(act(&["fields", "proc", "--json"]), Action::Fields { class: Some("proc".into()), json: true });
    assert_eq!(act(&["calls", "openat"]), Action::Calls { name: Some("openat".into()), json: false });
    assert_eq!(act(&["doctor"]), Action::Doctor);
    let Action::Stuck(stuck) = act(&["stuck", "-j", "--pid", "7", "evt.type", "=", "read"]) else {
        panic!("stuck")
    };
    assert_eq!(stuck.filter, "evt.type = read");
    assert!(matches!(&stuck.source, Source::Live(l) if l.scope == Scope::Pids(vec![7])));
    assert!(matches!(&stuck.sink, Sink::Print { form: Form::Json, .. }));
    assert!(refused(&["stuck", "-w", "x"]).contains("-w"));
    assert!(refused(&["stuck", "-j", "-p", "x"]).contains("choose one"));
    assert_eq!(act(&["completions", "fish"]), Action::Completions(Shell::Fish));
    assert_eq!(act(&["generate", "/x"]), Action::Generate("/x".into()));
    assert_eq!(act(&["generate"]), Action::Generate(".".into()));
    assert!(refused(&["-v", "run", "--", "ls"]).contains("`run` must come first"));
    assert!(refused(&["-q", "doctor"]).contains("`doctor` must come first"));
    refused(&["fields", "a", "b"]);
    refused(&["completions", "tcsh"]);
}

#[test]
fn options_say_what_they_say_elsewhere() {
    assert_eq!(config(&["-c", "10"]).limit, Some(10));
    assert_eq!(config(&["-U"]).flush, Flush::Event);
    assert_eq!(config(&["-l"]).flush, Flush::Line);
    assert!(config(&["-d", "proc.pid=1"]).explain);
    assert!(config(&["--fail-on-loss", "-v"]).fail_on_loss);
    assert_eq!(config(&["-r", "x.reel"]).source, Source::Reel(Place::File("x.reel".into())));
    assert_eq!(config(&["-r", "-"]).source, Source::Reel(Place::Standard));
    assert_eq!(config(&["-w", "x"]).sink, Sink::Reel { to: Place::File("x".into()), force: false });
    assert_eq!(config(&["-w", "x", "--force"]).sink, Sink::Reel { to: Place::File("x".into()), force: true });
    assert_eq!(config(&["-w", "-"]).sink, Sink::Reel { to: Place::Standard, force: false });
    assert_eq!(config(&["-w", "x", "-q"]).sink, Sink::Reel { to: Place::File("x".into()), force: false });
    assert_eq!(config(&["-q"]).sink, Sink::Nothing);
    assert!(live(&["--self"]).include_self);
    assert!(!live(&["--no-latency"]).latency);
    assert_eq!(live(&["--ring", "64m"]).ring, Some(64 << 20));
    assert_eq!(live(&["--proc", "/host/proc"]).proc, PathBuf::from("/host/proc"));
    assert_eq!(live(&["--pid", "7,3", "--pid", "3"]).scope, Scope::Pids(vec![3, 7]));
    for (given, means) in [("1", 1), ("4095", 4095), ("65536", 65536), ("0", 0)] {
        assert_eq!(live(&["-s", given]).snaplen, means);
    }
}

#[test]
fn the_last_of_two_wins_so_that_an_alias_can_be_corrected() {
    assert_eq!(config(&["-c", "10", "-c", "3"]).limit, Some(3));
    assert_eq!(config(&["run", "-c", "10", "-qqc", "3", "--", "ls"]).limit, Some(3));
    assert_eq!(live(&["-s", "9", "--no-latency", "-s", "10", "--no-latency"]).snaplen, 10);
    assert_eq!(live(&["--pid", "1", "--pid", "2,9"]).scope, Scope::Pids(vec![1, 2, 9]));
}

#[test]
fn output_has_one_form() {
    let form = |line: &[&str]| match config(line).sink {
        Sink::Print { form, .. } => form,
        other => panic!("{line:?}: {other:?}"),
    };
    assert_eq!(form(&["-j"]), Form::Json);
    assert_eq!(form(&["-p", "%proc.name"]), Form::Template("%proc.name".into()));
    for (line, style) in [
        (&["-t"][..], TimeStyle::None),
        (&["-tt"], TimeStyle::Epoch),
        (&["-ttt"], TimeStyle::Delta),
        (&["-tt", "-tt"], TimeStyle::Date),
        (&["--time", "date"], TimeStyle::Date),
        (&["--time=clock"], TimeStyle::Clock),
    ] {
        assert_eq!(form(line), Form::Text(style), "{line:?}");
    }
}

#[test]
fn run_takes_a_command_after_two_dashes() {
    let run = config(&["run", "-c", "5", "evt.type", "=", "read", "--", "ls", "-l", "--", "-w"]);
    assert_eq!((run.filter.as_str(), run.limit), ("evt.type = read", Some(5)));
    assert!(matches!(&run.sink, Sink::Print { to: Stream::Stderr, .. }));
    let scope = |line: &[&str]| live(line).scope;
    let argv = |list: &[&str]| list.iter().map(OsString::from).collect();
    assert_eq!(
        scope(&["run", "-q", "--", "ls", "-l", "--", "-w"]),
        Scope::Command { argv: argv(&["ls", "-l", "--", "-w"]), user: None }
    );
    assert_eq!(
        scope(&["run", "--as", "nobody", "--", "a b"]),
        Scope::Command { argv: argv(&["a b"]), user: Some("nobody".into()) }
    );
    assert!(matches!(config(&["run", "-o", "f", "--", "ls"]).sink, Sink::Print { to: Stream::File(_), .. }));
    assert!(matches!(config(&["run", "-o", "-", "--", "ls"]).sink, Sink::Print { to: Stream::Stdout, .. }));
    for line in [&["run"][..], &["run", "ls"], &["run", "--"], &["run", "--", ""]] {
        let text = refused(line);
        assert!(text.contains("no command") && text.contains("sysreel run -h"), "{line:?}: {text}");
    }
    assert!(refused(&["run", "-w", "-", "--", "ls"]).contains("standard output"));
    refused(&["run", "-r", "x", "--", "ls"]);
    refused(&["run", "--pid", "1", "--", "ls"]);
}

#[test]
fn what_does_not_go_together_is_refused_by_name() {
    for (line, words) in [
        (&["-w", "x", "-j"][..], &["-w", "-j"][..]),
        (&["-w", "x", "-p", "%a"], &["-w", "-p"]),
        (&["-w", "x", "-o", "y", "-tt"], &["-w", "-o, -t"]),
        (&["-j", "-p", "%a"], &["-j", "-p"]),
        (&["-j", "-t"], &["-j", "-t"]),
        (&["-p", "x", "--time", "date"], &["-p", "--time"]),
        (&["-t", "--time", "date"], &["-t", "--time"]),
        (&["-ttttt"], &["-tttt"]),
        (&["-q", "-o", "x"], &["-q", "-o"]),
        (&["-q", "-j"], &["-q", "-j"]),
        (&["--force"], &["--force", "-w"]),
        (
            &["-r", "x", "-s", "9", "--ring", "1m", "--no-latency", "--self"],
            &["--self, -s, --no-latency, --ring"],
        ),
        (&["-r", "x", "--proc", "/p"], &["-r", "--proc"]),
        (&["-w", ""], &["-w", "empty"]),
        (&["-r", ""], &["-r", "empty"]),
        (&["--ring", "lots"], &["--ring", "lots"]),
        (&["-c", "0"], &["--limit", "from 1 up"]),
        (&["-s", "65537"], &["--snaplen", "65536"]),
        (&["--pid", "0"], &["--pid"]),
        (&["--pid", "me"], &["--pid"]),
        (&["--color", "blue"], &["--color", "always"]),
        (&["--colr"], &["--color"]),
        (&["-c"], &["--limit", "sysreel -h"]),
    ] {
        let text = refused(line);
        for word in words {
            assert!(text.contains(word), "{line:?}: {word} is not in: {text}");
        }
    }
}

#[test]
fn binary_data_is_kept_from_terminals() {
    let terminal = Surroundings { stdin_tty: true, stdout_tty: true, stderr_tty: true, ..around() };
    let text = |line: &[&str]| act_in(line, &terminal).unwrap_err().text;
    assert!(text(&["-w", "-"]).contains("terminal"));
    assert!(text(&["-r", "-"]).contains("terminal"));
    assert!(act_in(&["-w", "f"], &terminal).is_ok());
}

#[test]
fn colour_follows_the_stream() {
    let out = Surroundings { stdout_tty: true, ..around() };
    let colour = |line: &[&str], around: &Surroundings| match act_in(line, around) {
        Ok(Action::Capture(config)) => match config.sink {
            Sink::Print { colour, .. } => colour,
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    };
    assert!(colour(&[], &out));
    assert!(!colour(&["run", "--", "ls"], &out), "stderr is no terminal");
    assert!(colour(&["run", "--", "ls"], &Surroundings { stderr_tty: true, ..around() }));
    assert!(!colour(&["-o", "f"], &out));
    assert!(colour(&["-o", "f", "--color=always"], &around()));
    assert!(!colour(&["--color", "never"], &out));
}

#[test]
fn help_is_short_or_long_and_coloured_only_when_wanted() {
    let help = |line: &[&str], around: &Surroundings| {
        let stop = act_in(line, around).unwrap_err();
        assert_eq!(stop.exit, Exit::Ok);
        stop.text
    };
    let (short, long) = (help(&["-h"], &around()), help(&["--help"], &around()));
    assert!(short.lines().count() < 90, "{}", short.lines().count());
    assert!(long.len() > short.len());
    assert!(short.contains("Examples:") && long.contains("65536") && !short.contains("generate"));
    assert!(!short.contains('\x1b'));
    assert!(
        help(&["-h", "--color=always"], &around()).contains('\x1b')
            || help(&["--color", "always", "-h"], &around()).contains('\x1b')
    );
    assert!(help(&["-V"], &around()).starts_with("sysreel "));
    assert!(help(&["run", "-h"], &around()).contains("--as"));
}

#[test]
fn captures_of_everything_have_snapshots() {
    for (line, has) in [
        (&["-w", "x"][..], true),
        (&["-w", "x", "--no-snapshot"], false),
        (&["-w", "x", "evt.type=open"], false),
        (&["-w", "x", "-u", "0"], false),
        (&["-w", "x", "--pid", "1"], false),
        (&["-w", "x", "--no-ancestors"], false),
        (&["-w", "x", "--snapshot", "evt.type=open"], true),
        (&["-w", "x", "--no-snapshot", "--snapshot"], true),
        (&[], false),
        (&["run", "-w", "x", "--", "true"], false),
        (&["run", "-w", "x", "--snapshot", "--", "true"], true),
    ] {
        assert_eq!(config(line).snapshot, has, "{line:?}");
    }
    assert!(refused(&["--snapshot"]).contains("-w"));
    assert!(refused(&["-r", "x", "--snapshot", "-w", "y"]).contains("--snapshot"));
}

#[test]
fn tables() {
    let options = |line: &[&str]| match act(line) {
        Action::Listing(options) => *options,
        other => panic!("{line:?}: {other:?}"),
    };
    let now = options(&["ps", "proc.pid", "=", "1"]);
    assert_eq!((now.what.name(), now.from.len(), &now.filter[..]), ("ps", 0, "proc.pid = 1"));
    let past = options(&["lsof", "-r", "a", "-r", "b", "--at", "+3s", "-j"]);
    assert_eq!((past.what.name(), past.from.len(), past.at.as_deref()), ("lsof", 2, Some("+3s")));
    for bad in [
        &["ps", "--at", "+3s"][..],
        &["netstat", "-r", "a", "--proc", "/p"],
        &["lsof", "-j", "-p", "%fd.num"],
        &["lsof", "-r", "-", "-r", "a"],
    ] {
        refused(bad);
    }
}
