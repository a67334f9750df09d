//! The manual pages and the shells' completions.
//!
//! Enters: the definition of the command line, the table of fields, the exit codes. Leaves: roff, and completion scripts.
//! Never: an option, field or status described a second time; only what no table holds is written here.
//!
//! The results are committed under `man/` and `completions/`; a test compares them and says how to make them anew.

mod container;
mod format;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap_mangen::Man;
use clap_mangen::roff::{Inline, Roff, bold, italic, roman};

use crate::catalogue;
use crate::cli::{self, Shell};
use crate::exit::Exit;
use crate::fields::FIELDS;
use crate::sysdig;

mod language;
mod tables;
use crate::schema::Class;

/// Every generated file: its path below the package, and its contents.
pub fn files() -> Vec<(&'static str, String)> {
    vec![
        ("man/sysreel.1", man_page()),
        ("man/sysreel-reel.5", format::page(&version())),
        ("man/sysreel-info.1", tool_page("info")),
        ("man/sysreel-cut.1", tool_page("cut")),
        ("man/sysreel-merge.1", tool_page("merge")),
        ("man/sysreel-split.1", tool_page("split")),
        ("man/sysreel-verify.1", tool_page("verify")),
        ("man/sysreel-repair.1", tool_page("repair")),
        ("man/sysreel-export.1", tool_page("export")),
        ("man/sysreel-containers.1", tool_page("containers")),
        ("man/fields-sysdig.md", sysdig::page()),
        ("completions/sysreel.bash", completions(Shell::Bash)),
        ("completions/_sysreel", completions(Shell::Zsh)),
        ("completions/sysreel.fish", completions(Shell::Fish)),
    ]
}

/// Writes every generated file below `dir`, and returns their paths.
pub fn generate(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let mut written = Vec::new();
    for (path, text) in files() {
        let path = dir.join(path);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(&path, text)?;
        written.push(path);
    }
    Ok(written)
}

/// A shell's completions.
pub fn completions(shell: Shell) -> String {
    let shell = match shell {
        Shell::Bash => clap_complete::Shell::Bash,
        Shell::Zsh => clap_complete::Shell::Zsh,
        Shell::Fish => clap_complete::Shell::Fish,
    };
    let mut out = Vec::new();
    clap_complete::generate(shell, &mut cli::command(), "sysreel", &mut out);
    trimmed(&out)
}

fn version() -> String {
    format!("sysreel {}", cli::command().get_version().unwrap_or_default())
}

/// sysreel(1).
pub fn man_page() -> String {
    let mut command = cli::command();
    command.build();
    let mut page = Roff::new();
    page.control("TH", ["sysreel", "1", "", &version(), "System call capture"]);
    page.control("SH", ["NAME"]).text([roman("sysreel - tcpdump for system calls")]);
    synopsis(&mut page);
    description(&mut page);
    let mut out = page.to_roff();
    out.push_str(&options(&command));
    let mut page = Roff::new();
    commands(&mut page, &command);
    line_format(&mut page);
    in_flight(&mut page);
    tables::tables(&mut page);
    filter(&mut page);
    calls(&mut page);
    exit_status(&mut page);
    rest(&mut page);
    // The preamble that handles apostrophes belongs to the first part only.
    out.push_str(&body(&page));
    trimmed(out.as_bytes())
}

/// The page of a subcommand that has one: sysreel-NAME(1).
pub fn tool_page(name: &str) -> String {
    let mut command = cli::command();
    command.build();
    let Some(sub) = command.find_subcommand(name) else { return String::new() };
    // Examples are not to be filled into paragraphs.
    let examples = sub.get_after_help().map(ToString::to_string).unwrap_or_default();
    let sub = sub.clone().after_help("").version(env!("CARGO_PKG_VERSION"));
    let mut out = Vec::new();
    // Writing to memory does not fail.
    let _ = Man::new(sub)
        .source(concat!("sysreel ", env!("CARGO_PKG_VERSION")))
        .manual("System call capture")
        .render(&mut out);
    let mut text = String::from_utf8_lossy(&out).into_owned();
    // What it calls extra comes better below.
    if let Some(at) = text.find("\n.SH EXTRA").or_else(|| text.find("\n.SH VERSION")) {
        text.truncate(at + 1);
    }
    let mut page = Roff::new();
    let (listed, rest) = examples.split_once("\n\n").unwrap_or((&examples, ""));
    page.control("SH", ["EXAMPLES"]);
    example(&mut page, listed.strip_prefix("Examples:\n").unwrap_or(listed));
    if !rest.is_empty() {
        page.control("PP", []).text([roman(rest)]);
    }
    page.control("SH", ["EXIT STATUS"]);
    for (exit, meaning) in Exit::DOCUMENTED.iter().filter(|(exit, _)| exit.code() < 5 && *exit != Exit::Lost)
    {
        page.control("TP", []).text([bold(exit.code().to_string())]).text([roman(*meaning)]);
    }
    page.control("SH", ["SEE ALSO"]).text([bold("sysreel"), roman("(1)")]);
    text.push_str(&body(&page));
    trimmed(text.as_bytes())
}

/// The text without what generators leave at the ends of lines, with one newline at the end.
fn trimmed(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    lines.join("\n").trim_end().to_owned() + "\n"
}

/// A part of a page without the definitions that open each.
fn body(page: &Roff) -> String {
    let text = page.to_roff();
    let start = text.find(".SH").unwrap_or(0);
    text[start..].replace("\\*(Aq", "\\(aq")
}

fn options(command: &clap::Command) -> String {
    let mut out = Vec::new();
    // Writing to memory does not fail.
    let _ = Man::new(command.clone()).render_options_section(&mut out);
    let text = String::from_utf8_lossy(&out);
    let start = text.find(".SH").unwrap_or(0);
    // Headings of groups are sections of their own to the generator.
    // Their definition of an apostrophe was in what is cut off here.
    text[start..].replace("\n.SH ", "\n.SS ").replace("\\*(Aq", "\\(aq")
}

fn synopsis(page: &mut Roff) {
    let forms: &[&[Inline]] = &[
        &[bold("sysreel"), roman(" ["), italic("OPTIONS"), roman("] ["), italic("FILTER"), roman("...]")],
        &[
            bold("sysreel run"),
            roman(" ["),
            italic("OPTIONS"),
            roman("] ["),
            italic("FILTER"),
            roman("...] "),
            bold("--"),
            italic(" COMMAND"),
            roman(" ["),
            italic("ARG"),
            roman("...]"),
        ],
        &[
            bold("sysreel stuck"),
            roman(" ["),
            italic("OPTIONS"),
            roman("] ["),
            italic("FILTER"),
            roman("...]"),
        ],
        &[
            bold("sysreel"),
            roman(" "),
            bold("ps"),
            roman("|"),
            bold("lsof"),
            roman("|"),
            bold("netstat"),
            roman(" ["),
            italic("OPTIONS"),
            roman("] ["),
            italic("FILTER"),
            roman("...]"),
        ],
        &[
            bold("sysreel"),
            roman(" "),
            bold("info"),
            roman("|"),
            bold("verify"),
            italic(" FILE"),
            roman("..."),
        ],
        &[
            bold("sysreel"),
            roman(" "),
            bold("cut"),
            roman("|"),
            bold("merge"),
            roman("|"),
            bold("split"),
            roman("|"),
            bold("repair"),
            italic(" FILE"),
            roman("... "),
            bold("-w"),
            italic(" OUT"),
            roman(" ..."),
        ],
        &[
            bold("sysreel export"),
            italic(" FILE"),
            roman(" "),
            bold("--json"),
            roman("|"),
            bold("--csv"),
            roman(" ..."),
        ],
        &[bold("sysreel fields"), roman(" ["), italic("CLASS"), roman("] ["), bold("--json"), roman("]")],
        &[bold("sysreel calls"), roman(" ["), italic("NAME"), roman("] ["), bold("--json"), roman("]")],
        &[bold("sysreel doctor")],
        &[bold("sysreel completions"), italic(" SHELL")],
    ];
    page.control("SH", ["SYNOPSIS"]);
    for (i, form) in forms.iter().enumerate() {
        if i > 0 {
            page.control("br", []);
        }
        page.text(form.to_vec());
    }
}

fn paragraphs(page: &mut Roff, texts: &[&str]) {
    for (i, text) in texts.iter().enumerate() {
        if i > 0 {
            page.control("PP", []);
        }
        page.text([roman(*text)]);
    }
}

fn section(page: &mut Roff, title: &str, texts: &[&str]) {
    page.control("SH", [title]);
    paragraphs(page, texts);
}

fn entries<'a>(page: &mut Roff, entries: impl IntoIterator<Item = (&'a str, &'a str)>) {
    for (term, text) in entries {
        page.control("TP", []).text([bold(term)]).text([roman(text)]);
    }
}

fn example(page: &mut Roff, lines: &str) {
    page.control("PP", []).control("nf", []).control("RS", ["4"]);
    for line in lines.lines() {
        page.text([roman(line)]);
    }
    page.control("RE", []).control("fi", []);
}

fn description(page: &mut Roff) {
    section(
        page,
        "DESCRIPTION",
        &[
            "sysreel records what the processes of a Linux host ask of the kernel: every system call with its arguments, \
             result, duration and the data that went with it, and every start and end of a process. It names what the \
             kernel only numbers: processes, users, files and connections behind descriptors, flags, errors.",
            "Events are filtered in one language, partly in the kernel already. They are printed, one line each, or \
             written to a capture file (a reel) that holds the names as well: read on another machine, years later, with \
             any other filter, it gives the lines that a live capture would have given.",
            "Each event is printed when its call returns. A call that never returns is printed when its process ends, \
             with = ? for the result; one that has not returned when the capture ends is printed then.",
            "At the end of every run the totals go to standard error: how many events were seen, shown and lost.",
        ],
    );
}

fn commands(page: &mut Roff, command: &clap::Command) {
    page.control("SH", ["COMMANDS"]);
    for sub in command.get_subcommands().filter(|s| !s.is_hide_set() && s.get_name() != "help") {
        let about =
            sub.get_long_about().or_else(|| sub.get_about()).map(ToString::to_string).unwrap_or_default();
        page.control("TP", []).text([bold(format!("sysreel {}", sub.get_name()))]).text([roman(about)]);
        if cli::TOOLS.contains(&sub.get_name()) {
            page.text([roman("See "), bold(format!("sysreel-{}", sub.get_name())), roman("(1).")]);
            continue;
        }
        // What this subcommand has and the top level has not.
        for arg in sub.get_arguments().filter(|a| a.get_long().is_some()) {
            let long = arg.get_long().unwrap_or_default();
            if command.get_arguments().any(|a| a.get_long() == Some(long)) || long == "help" {
                continue;
            }
            let value = arg.get_value_names().and_then(|names| names.first()).map(ToString::to_string);
            let help = arg.get_long_help().or_else(|| arg.get_help()).map(ToString::to_string);
            page.control("RS", []).control("TP", []);
            page.text([bold(format!("--{long}")), roman(" "), italic(value.unwrap_or_default())]);
            page.text([roman(help.unwrap_or_default())]).control("RE", []);
        }
    }
    page.control("PP", []);
    page.text([roman("A subcommand is recognized only as the first argument.")]);
}

fn line_format(page: &mut Roff) {
    section(page, "OUTPUT", &["Without -j and -p each event is one line:"]);
    example(
        page,
        r#"21:14:03.184503021 2 cat 4711 openat(dirfd=AT_FDCWD, path="/etc/passwd", flags=O_RDONLY) = 3</etc/passwd> <18us>"#,
    );
    page.control("PP", []);
    page.text([roman(
        "The columns are: the time at which the call returned (see -t), the CPU, the name and the id of the thread, the call \
         with its arguments by name, its result, and the time it took in angle brackets. Whatever bytes a name holds, an \
         event stays on one line, and nothing in it can steer a terminal: such bytes are escaped.",
    )]);
    page.control("PP", []);
    entries(
        page,
        [
            (
                "3</etc/passwd>",
                "A descriptor and what it stands for. <~...> marks a name that may be out of date.",
            ),
            ("\"text\"...+N", "Data of which N bytes were not captured (see -s)."),
            ("= -1 ENOENT", "A call that failed, with the error's name."),
            ("= ?", "A call that does not return."),
            (
                "= ... S <12.3s>",
                "A call in flight, its thread's state, and how long it has lasted; >= before that: at least.",
            ),
        ],
    );
    page.control("PP", []);
    page.text([roman(
        "With -j each event is one JSON object with the names that filters use; strings that are not UTF-8 keep their bytes.",
    )]);
}

fn in_flight(page: &mut Roff) {
    section(
        page,
        "CALLS IN FLIGHT",
        &[
            "sysreel stuck shows the calls that have not returned: who hangs, in what, on which file or peer. It reads \
             /proc alone and loads no probe. Arguments are what the registers and the memory of the thread hold; \
             descriptors are named as they are now. A thread that is on a CPU at that moment has no call that could be \
             read; the totals count it, and those that may not be looked at.",
            "Nobody saw these calls begin. But the kernel tells when a thread last ran, and a thread that does not run \
             begins no call: so long it has been in it at least (evt.latency_least). Mostly that is all of it but the \
             microseconds before it fell asleep; a call that is woken and sleeps again counts from its last wake-up. \
             Where /proc/PID/sched is missing evt.latency is not known.",
            "thread.state is the state as ps shows it: S sleeps, D sleeps and no signal wakes it (a disk, a file server, \
             a vfork), R could run, T is stopped, t is stopped by a debugger.",
            "A capture shows at its end the calls that began in it, pass its filter and have not returned, with the time \
             since they began; in a capture file they are events like others, the last ones. They are counted as \
             events, and the totals say how many they are. With --no-latency, or if the limit of -c is reached, there \
             are none. At SIGUSR1 they are shown on standard error, and are no events.",
            "Such an event has no result, and evt.dir = > and evt.in_flight = true hold. evt.time is when it was looked \
             at, evt.cpu where its thread last ran. evt.rawres compares as -512, the number of calls that will go on.",
        ],
    );
}

fn filter(page: &mut Roff) {
    section(page, "FILTER", language::FORM);
    let parts: &[(&str, &[(&str, &str)])] = &[
        ("Operators", language::OPERATORS),
        ("Values", language::VALUES),
        ("Transformers", language::TRANSFORMERS),
    ];
    for (title, rows) in parts {
        page.control("SS", [*title]);
        entries(page, rows.iter().copied());
    }
    page.control("SS", ["Meaning"]);
    entries(page, language::MEANING.iter().copied());
    page.control("SS", ["Fields"]);
    let names: Vec<(String, String)> = FIELDS
        .iter()
        .map(|f| {
            let term = format!("{} ({})", catalogue::spelled(f), catalogue::type_name(f.ty));
            (term, format!("{}. Example: {}", f.doc, f.example))
        })
        .collect();
    entries(page, names.iter().map(|(term, text)| (term.as_str(), text.as_str())));
    section(
        page,
        "FIELDS AND SYSDIG",
        &["Fields that sysdig has too have its names and mean the same, but for these:"],
    );
    let differences = sysdig::differences();
    entries(page, differences.iter().map(|(names, text)| (names.as_str(), *text)));
    page.control("PP", []);
    page.text([roman("These of sysdig's core fields are not here:")]);
    let missing = sysdig::missing();
    entries(page, missing.iter().map(|(names, text)| (names.as_str(), *text)));
    section(
        page,
        "WHERE NAMES COME FROM",
        &[
            "What a process is comes from records of its fork, its programs, its calls and its end. What no record tells is \
             read from /proc at its first event after it was born, began a program or changed its credentials: its id in \
             its own pid namespace, capabilities, audit user, the times and the mode of its executable. A process that has ended by then lacks them, \
             but for what its executable's path still leads to.",
            "A file has the name that it had when it was opened, as the root of the process leads to it; what is renamed \
             later keeps it. Users and groups have the host's names only where they are the host's: those of a process in a \
             container or in another user namespace are numbers, as the kernel counts them outside of it.",
            "There is one event for each call, written when it ends. What sysdig splits into an entry and an exit event is \
             evt.entrytime and evt.time, and evt.latency is what lies between.",
        ],
    );
}

fn calls(page: &mut Roff) {
    section(
        page,
        "CALLS",
        &[
            "sysreel calls lists every call with its arguments, what each is, its result and its classes; sysreel calls \
             NAME tells more of one, and the names that its flags and commands have. A colon stands before what the \
             kernel reads, an arrow before what it writes, a tilde before what it reads and then overwrites; what a call that failed would have written is shown as an \
             address.",
            "Paths are shown as they were given. In text and JSON the directory that a relative one starts from is named \
             with its descriptor (dirfd=4</srv>); for one without a descriptor, and for AT_FDCWD, it is the working \
             directory, proc.cwd. fs.path.name is both joined.",
            "What an argument means may depend on another one: the third of fcntl and ioctl, values of socket options, \
             the arguments of prctl, futex, ptrace, keyctl, bpf. What a command does not look at is not shown. An ioctl \
             request without a name is shown as _IOC(direction, type, number, size).",
            "A result that stands for names has them behind it in parentheses: = 0x8402 (O_RDWR|O_APPEND|O_LARGEFILE). \
             They are evt.result in filters and JSON; evt.rawres is always the number.",
            "The classes (evt.class); a call may have several:",
        ],
    );
    entries(page, Class::NAMES.iter().map(|(_, name, doc)| (*name, *doc)));
    entries(page, [("other", "what has no class: events that are no calls, calls of 32-bit programs")]);
}

fn exit_status(page: &mut Roff) {
    page.control("SH", ["EXIT STATUS"]);
    for (exit, meaning) in Exit::DOCUMENTED {
        page.control("TP", []).text([bold(exit.code().to_string())]).text([roman(*meaning)]);
    }
    page.control("PP", []);
    page.text([roman(
        "run hands on the status of the command: its own number, or 128 + N if signal N ended it.",
    )]);
}

fn rest(page: &mut Roff) {
    page.control("SH", ["ENVIRONMENT"]);
    entries(
        page,
        [
            ("NO_COLOR", "If not empty: no colour."),
            (
                "CLICOLOR_FORCE, FORCE_COLOR",
                "If neither empty nor 0: colour, also into a pipe. NO_COLOR is stronger.",
            ),
            ("TERM", "dumb: no colour."),
            ("PATH", "run looks the command up here."),
        ],
    );
    page.control("SH", ["SIGNALS"]);
    entries(
        page,
        [
            (
                "SIGINT, SIGTERM",
                "End the capture; what it has is written out, as long as the output takes it: a pipe, socket or terminal \
                 that takes nothing for half a second (a file: for 30 seconds) is given up, what did not get there is \
                 counted on standard error, and the exit status is 1. The same holds when --stop duration: ends it. A \
                 second signal ends it at once.",
            ),
            (
                "SIGHUP",
                "With -w FILE, if files rotate or standard error is no terminal: complete the file and begin the next, \
                 under the same name if it is free by then. Otherwise: end the capture.",
            ),
            ("SIGUSR1", "Print the totals so far and the calls in flight on standard error."),
            ("SIGUSR2", "Write out what there is."),
        ],
    );
    page.control("SH", ["FILES"]);
    entries(
        page,
        [
            (
                "/proc",
                "Read at the start for the processes that exist already, their files and names. Who their unix sockets are \
                 connected to is asked of the kernel (sock_diag), which answers for the network namespace of sysreel alone; \
                 elsewhere such a socket has no name before it is used again.",
            ),
            ("/sys/kernel/btf/vmlinux", "The kernel's description of its own structures."),
            (
                "/etc/passwd, /etc/group",
                "Names of users and groups, as the first process of the host has them, if that may be read.",
            ),
        ],
    );
    page.control("SH", ["EXAMPLES"]);
    let examples = [
        ("Every call of every process, until Ctrl-C:", "sysreel"),
        ("Which files does cat open, wherever it runs:", "sysreel 'evt.type = openat and proc.name = cat'"),
        ("One process and what it starts, as JSON:", "sysreel -j --pid 4711 | jq ."),
        ("Capture now, ask later:", "sysreel -w t.reel\nsysreel -r t.reel 'evt.failed = true'"),
        ("What hangs, and for how long:", "sysreel stuck 'evt.latency > 10s and proc.name = nginx'"),
        (
            "Who has it open, now and at a moment of a capture:",
            "sysreel lsof 'fd.name startswith /var/log'\nsysreel lsof -r t.reel --at 21:14:03 'fd.name startswith /var/log'",
        ),
        ("A command from its first call to its last:", "sysreel run -o calls.txt -- make"),
        (
            "Pass a minute of it on, without secrets:",
            "sysreel cut t.reel -w share.reel --from 21:14:00 --to 21:15:00 --redact --no-ancestors",
        ),
        ("Capture there, look here:", "ssh host sysreel -w - -c 10000 | sysreel -r - -j"),
    ];
    for (i, (text, lines)) in examples.iter().enumerate() {
        if i > 0 {
            page.control("PP", []);
        }
        page.text([roman(*text)]);
        example(page, lines);
    }
    section(page, "CONTAINERS AND PODS", container::SEEN);
    section(page, "IN A CONTAINER", container::NEEDS);
    page.control("PP", []).text([roman("By docker:")]);
    example(page, container::DOCKER);
    page.control("PP", []).text([roman("As the template of a DaemonSet:")]);
    example(page, container::POD);
    section(
        page,
        "LIMITS",
        &[
            "sysreel needs Linux 6.1 or later with BTF, and CAP_BPF and CAP_PERFMON (root has both); sysreel doctor says \
             what is missing.",
            "Under load that exceeds the rings events are lost. They are counted exactly, the totals say how many, and \
             --fail-on-loss makes the exit status tell.",
            "A file has the name that it had when it was opened; a rename or removal later is not followed. Paths are those \
             that the process itself sees: inside a chroot or container they begin at its root.",
            "Of a capture that is reread with a filter only what can match is looked at: by the index at its end, then by \
             times, calls and names of a block. Damage in what is passed over is not noticed; without a filter everything \
             is read and checked.",
            "Work that is submitted through io_uring is not made of system calls and does not show. Memory that a process \
             changes while the kernel reads it may be shown in either state. sysreel observes; it is not a means to \
             enforce anything.",
        ],
    );
    page.control("SH", ["SEE ALSO"]);
    page.text([
        bold("sysreel-reel"),
        roman("(5), "),
        bold("strace"),
        roman("(1), "),
        bold("tcpdump"),
        roman("(8), "),
        bold("syscalls"),
        roman("(2), "),
        bold("proc"),
        roman("(5), "),
        bold("capabilities"),
        roman("(7)"),
    ]);
}
