//! What all live tests share: permission to run, running the program, reading what it printed.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::cli::sysreel;

static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
static REFUSED: OnceLock<Option<String>> = OnceLock::new();

/// Says it where it is seen: the test harness would swallow what a test that passes prints.
pub fn loudly(text: &str) {
    let _ = rustix::io::write(rustix::stdio::stderr(), format!("\n*** {text} ***\n").as_bytes());
}

/// A test was left out: an error where none may be.
pub fn skip(why: &str) {
    assert!(std::env::var_os("SYSREEL_REQUIRE_LIVE").is_none_or(|v| v != "1"), "must not be skipped: {why}");
    loudly(&format!("LIVE TEST SKIPPED: {why}"));
}

/// Leave to run alone; `None` if the kernel refuses us, which has then been said.
pub fn leave() -> Option<MutexGuard<'static, ()>> {
    let guard = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let refused = REFUSED.get_or_init(|| {
        let done = sysreel().arg("doctor").output().unwrap();
        let text =
            format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
        // Anything but a lack of privilege is a failure, which the tests will show.
        let lacks = !done.status.success() && text.to_lowercase().contains("not permitted");
        lacks.then(|| "this kernel does not let us load the probe (try as root)".to_owned())
    });
    match refused {
        None => Some(guard),
        Some(why) => {
            skip(why);
            None
        }
    }
}

/// Runs alone, or returns from the test.
macro_rules! alone {
    () => {
        match $crate::live::rig::leave() {
            Some(guard) => guard,
            None => return,
        }
    };
}
pub(super) use alone;

/// What a run left.
pub struct Run {
    pub status: ExitStatus,
    /// The child's own output: an actor's facts.
    pub stdout: String,
    pub stderr: String,
    /// Lines of the event file.
    pub lines: Vec<String>,
}

/// This test program as an actor.
pub fn actor(name: &str) -> Vec<String> {
    let me = std::env::current_exe().unwrap();
    vec!["env".into(), format!("{}={name}", super::actor::VARIABLE), me.to_str().unwrap().to_owned()]
}

/// `sysreel run OPTIONS -o FILE -- COMMAND`.
pub fn run<S: AsRef<std::ffi::OsStr>>(options: &[&str], command: &[S]) -> Run {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("events");
    let mut c = sysreel();
    c.arg("run").args(options);
    if !options.contains(&"-w") && !options.contains(&"-q") {
        c.arg("-o").arg(&file);
    }
    let done = c.arg("--").args(command).stdin(Stdio::null()).env("LC_ALL", "C").output().unwrap();
    let text = |b: Vec<u8>| String::from_utf8_lossy(&b).into_owned();
    Run {
        status: done.status,
        stdout: text(done.stdout),
        stderr: text(done.stderr),
        lines: fs::read_to_string(&file).unwrap_or_default().lines().map(str::to_owned).collect(),
    }
}

/// `sysreel -r FILE OPTIONS`: status, lines, messages.
pub fn reread(file: &std::path::Path, options: &[&str]) -> (i32, Vec<String>, String) {
    let done = sysreel().arg("-r").arg(file).args(options).output().unwrap();
    let lines = String::from_utf8(done.stdout).unwrap().lines().map(str::to_owned).collect();
    (done.status.code().unwrap(), lines, String::from_utf8_lossy(&done.stderr).into_owned())
}

/// Events, without the end record.
pub fn parse(lines: &[String]) -> Vec<Value> {
    let all = lines.iter().map(|l| serde_json::from_str(l).unwrap_or_else(|e| panic!("{e}: {l}")));
    all.filter(|v: &Value| v["type"] != "end").collect()
}

impl Run {
    /// The events of a run with `-j`; none may be missing.
    pub fn events(&self) -> Vec<Value> {
        let events = parse(&self.lines);
        assert!(events.iter().all(|e| e["type"] != "lost"), "events were lost: {}", self.stderr);
        events
    }

    /// A number that the actor printed as `NAME NUMBER`.
    pub fn fact(&self, name: &str) -> i64 {
        let line = self.stdout.lines().find_map(|l| l.strip_prefix(name)?.strip_prefix(' '));
        let number = line.and_then(|n| n.parse().ok());
        number.unwrap_or_else(|| panic!("no fact `{name}` in {:?}: {}", self.stdout, self.stderr))
    }

    /// Events and losses as the last line on stderr tells them.
    pub fn totals(&self) -> (u64, u64) {
        totals(&self.stderr)
    }
}

/// `sysreel: N events, M shown, L lost`: N and L.
pub fn totals(stderr: &str) -> (u64, u64) {
    let line =
        stderr.lines().rfind(|l| l.ends_with(" lost")).unwrap_or_else(|| panic!("no totals: {stderr}"));
    let numbers: Vec<u64> = line.split([' ', ',']).filter_map(|w| w.parse().ok()).collect();
    (numbers[0], numbers[2])
}

pub fn kind(e: &Value) -> &str {
    e["evt.type"].as_str().unwrap_or_default()
}
pub fn pid(e: &Value) -> i64 {
    e["proc.pid"].as_i64().unwrap_or(-1)
}
pub fn res(e: &Value) -> i64 {
    e["evt.rawres"].as_i64().unwrap_or(i64::MIN)
}
/// Nanoseconds; `None` if the call has none.
pub fn latency(e: &Value) -> Option<u64> {
    e.get("evt.latency")?.as_u64()
}
/// Those of one type.
pub fn of<'a>(events: &'a [Value], name: &str) -> Vec<&'a Value> {
    events.iter().filter(|e| kind(e) == name).collect()
}

/// A capture in the background.
pub struct Background {
    pub child: Child,
    file: PathBuf,
    _dir: tempfile::TempDir,
}

impl Background {
    /// `sysreel OPTIONS -o FILE`, once it has started.
    pub fn start(options: &[&str]) -> Background {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("events");
        let child = sysreel().arg("-o").arg(&file).args(options).stderr(Stdio::piped()).spawn().unwrap();
        // The file is there when the probe is attached; on a busy machine that takes its time.
        let begin = Instant::now();
        while !file.exists() && begin.elapsed() < Duration::from_secs(30) {
            std::thread::sleep(Duration::from_millis(10));
        }
        std::thread::sleep(Duration::from_millis(1000));
        Background { child, file, _dir: dir }
    }

    /// Ends it as the terminal would, and reads what it wrote.
    pub fn stop(self) -> (Vec<String>, String, Option<i32>) {
        interrupt(&self.child);
        let done = self.child.wait_with_output().unwrap();
        let lines = fs::read_to_string(&self.file).unwrap().lines().map(str::to_owned).collect();
        (lines, String::from_utf8_lossy(&done.stderr).into_owned(), done.status.code())
    }
}

pub fn interrupt(child: &Child) {
    rustix::process::kill_process(rustix::process::Pid::from_child(child), rustix::process::Signal::INT)
        .unwrap();
}

/// Waits for the end of a child; `None` (and a dead child) if that takes too long.
pub fn within(child: &mut Child, most: Duration) -> Option<ExitStatus> {
    let start = Instant::now();
    while start.elapsed() < most {
        if let Some(status) = child.try_wait().unwrap() {
            return Some(status);
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    let _ = child.kill();
    let _ = child.wait();
    None
}

/// How often each thing occurs.
pub fn count<T: Ord>(things: impl IntoIterator<Item = T>) -> BTreeMap<T, usize> {
    let mut all = BTreeMap::new();
    for thing in things {
        *all.entry(thing).or_insert(0) += 1;
    }
    all
}

/// True if there is such a program.
pub fn installed(program: &str) -> bool {
    Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
}
