//! What a traced call costs, live: the same loops untraced, with one empty program on sys_exit (the floor: what any tracer
//! with a hook there pays), under sysreel in several ways, under `perf record`, ftrace, and strace.
//!
//! A worker, pinned to the first CPU, makes calls in windows of a few thousand and says how long the fastest took; the
//! tracers and this program stay on the second CPU, but for strace, which is faster beside the worker. All ways take turns within a round, and the fastest window of all
//! rounds counts. Times are never judged here; wrong counts are, and end in a failure.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark is a program that prints")]

mod common;
mod floor;

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use common::{SYSREEL, Totals, count, cpu_of, long, machine, memory_of};
use rustix::event::{PollFd, PollFlags};
use rustix::fs::{CWD, Mode, OFlags};
use rustix::net::{RecvAncillaryBuffer, RecvFlags, SendAncillaryBuffer, SendFlags};
use rustix::thread::{CpuSet, sched_setaffinity};

/// The loops.
const LOOPS: [&str; 4] = ["getppid", "file", "message", "open"];
/// Calls of one turn of the second loop: openat, read, close; and of the third: sendmsg, poll, recvmsg. The fourth opens
/// [`PATH`] and closes it, and asks for its parent.
const TURN: u64 = 3;
/// A path of 22 bytes, four names deep.
const PATH: &str = "/usr/lib/locale/C.utf8";
/// System calls of one window of each loop.
const WINDOW: u64 = 9_999;

fn pin(cpu: usize) {
    let cpus = std::fs::read_to_string("/sys/devices/system/cpu/online").unwrap_or_default();
    if cpus.trim() != "0" {
        let mut set = CpuSet::new();
        set.set(cpu);
        let _ = sched_setaffinity(None, &set);
    }
}

/// The other side of [`Worker`]: reads `LOOP WINDOWS CALLS`, writes `ns-of-fastest-call ns-of-all calls`.
fn work(file: &Path) {
    pin(0);
    let pair = rustix::net::socketpair(
        rustix::net::AddressFamily::UNIX,
        rustix::net::SocketType::DGRAM,
        rustix::net::SocketFlags::CLOEXEC,
        None,
    )
    .ok();
    let mut line = String::new();
    while {
        line.clear();
        std::io::stdin().read_line(&mut line).is_ok_and(|n| n > 0)
    } {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [what, windows, calls] = words[..] else { return };
        let (windows, calls): (u64, u64) = (windows.parse().unwrap_or(0), calls.parse().unwrap_or(0));
        let (mut best, begin) = (f64::MAX, Instant::now());
        for _ in 0..windows {
            let start = Instant::now();
            if what == "getppid" {
                for _ in 0..calls {
                    std::hint::black_box(rustix::process::getppid());
                }
            } else if what == "message" {
                let Some((a, b)) = &pair else { return };
                let mut buffer = [0; 64];
                for _ in 0..calls / TURN {
                    let hello = [std::io::IoSlice::new(b"hello")];
                    let mut none = SendAncillaryBuffer::new(&mut []);
                    let _ = rustix::net::sendmsg(a, &hello, &mut none, SendFlags::empty());
                    let _ = rustix::event::poll(&mut [PollFd::new(b, PollFlags::IN)], None);
                    let mut into = [std::io::IoSliceMut::new(&mut buffer)];
                    let mut none = RecvAncillaryBuffer::new(&mut []);
                    let _ = rustix::net::recvmsg(b, &mut into, &mut none, RecvFlags::empty());
                }
            } else if what == "open" {
                for _ in 0..calls / TURN {
                    let _ = rustix::fs::openat(CWD, PATH, OFlags::RDONLY, Mode::empty());
                    std::hint::black_box(rustix::process::getppid());
                }
            } else {
                let mut buffer = [0; 64];
                for _ in 0..calls / TURN {
                    let Ok(fd) = rustix::fs::openat(CWD, file, OFlags::RDONLY, Mode::empty()) else { return };
                    let _ = rustix::io::read(&fd, &mut buffer);
                }
            }
            best = best.min(start.elapsed().as_nanos() as f64 / calls as f64);
        }
        println!("{best} {} {}", begin.elapsed().as_nanos(), windows * calls);
    }
}

struct Worker {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

/// What a worker says of one order.
#[derive(Clone, Copy, Default)]
struct Done {
    /// ns of a call in the fastest window.
    best: f64,
    /// ns of a call, all windows together.
    mean: f64,
    calls: u64,
}

impl Worker {
    fn start(file: &Path) -> Worker {
        let mut child = Command::new(std::env::current_exe().expect("this program has a file"))
            .arg("--worker")
            .arg(file)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("this program starts again");
        let input = child.stdin.take().expect("piped");
        let output = BufReader::new(child.stdout.take().expect("piped"));
        Worker { child, input, output }
    }

    fn pid(&self) -> u32 {
        self.child.id()
    }

    fn order(&mut self, what: &str, windows: u64, calls: u64) {
        writeln!(self.input, "{what} {windows} {calls}").expect("the worker listens");
    }

    fn answer(&mut self) -> Done {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("the worker answers");
        let numbers: Vec<f64> = line.split_whitespace().filter_map(|w| w.parse().ok()).collect();
        let [best, all, calls] = numbers[..] else { panic!("the worker says {line:?}") };
        Done { best, mean: all / calls, calls: calls as u64 }
    }

    fn run(&mut self, what: &str, windows: u64, calls: u64) -> Done {
        self.order(what, windows, calls);
        self.answer()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A tracer that is attached to the worker.
struct Tracer {
    child: Child,
    started: Duration,
}

impl Tracer {
    fn sysreel(pid: u32, args: &[&str]) -> Option<Tracer> {
        let begin = Instant::now();
        let mut child = Command::new(SYSREEL)
            .args(["--pid", &pid.to_string()])
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        // It is ready when it sleeps between two looks at the rings: it does so nowhere before.
        let sleeping = ["230 ", "115 "];
        while begin.elapsed() < Duration::from_secs(20) {
            let call = fs::read_to_string(format!("/proc/{}/syscall", child.id())).unwrap_or_default();
            if sleeping.iter().any(|s| call.starts_with(s)) {
                return Some(Tracer { child, started: begin.elapsed() });
            }
            if child.try_wait().is_ok_and(|s| s.is_some()) {
                break;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        let _ = child.kill();
        let out = child.wait_with_output().expect("a child");
        eprintln!("{}", String::from_utf8_lossy(&out.stderr));
        None
    }

    fn strace(pid: u32, out: &Path) -> Option<Tracer> {
        let begin = Instant::now();
        // It and the worker take turns, so one CPU is the best place for both: no wake-up has to cross.
        pin(0);
        let child = Command::new("strace")
            .args(["-f", "-q", "-p", &pid.to_string(), "-o"])
            .arg(out)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        pin(1);
        let child = child.ok()?;
        while begin.elapsed() < Duration::from_secs(10) {
            let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
            if status.contains(&format!("TracerPid:\t{}\n", child.id())) {
                std::thread::sleep(Duration::from_millis(20));
                return Some(Tracer { child, started: begin.elapsed() });
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        None
    }

    /// The same for `perf record`: it writes its file's head before it begins, and then waits.
    fn perf(pid: u32, out: &Path) -> Option<Tracer> {
        let begin = Instant::now();
        let child = Command::new("perf")
            .args(["record", "-q", "-e", "raw_syscalls:*", "-p", &pid.to_string(), "-o"])
            .arg(out)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        while begin.elapsed() < Duration::from_secs(10) {
            let call = fs::read_to_string(format!("/proc/{}/syscall", child.id())).unwrap_or_default();
            // poll
            if call.starts_with("7 ") {
                return Some(Tracer { child, started: begin.elapsed() });
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        None
    }

    fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits until it has read what there is: its CPU time hardly grows any more.
    fn settle(&self) {
        let begin = Instant::now();
        let mut before = cpu_of(self.pid());
        while begin.elapsed() < Duration::from_secs(10) {
            std::thread::sleep(Duration::from_millis(30));
            let now = cpu_of(self.pid());
            if now - before < 3_000_000 {
                return;
            }
            before = now;
        }
    }

    fn signal(&self, signal: rustix::process::Signal) {
        if let Some(pid) = rustix::process::Pid::from_raw(self.child.id() as i32) {
            let _ = rustix::process::kill_process(pid, signal);
        }
    }

    fn stop(self) -> Vec<u8> {
        self.signal(rustix::process::Signal::INT);
        self.child.wait_with_output().map(|o| o.stderr).unwrap_or_default()
    }
}

/// The kernel's own tracing, into a ring that nobody reads: what it holds is overwritten.
struct Ftrace(PathBuf);

impl Ftrace {
    fn start(pid: u32) -> Option<Ftrace> {
        let at = PathBuf::from(format!("/sys/kernel/tracing/instances/sysreel-bench-{}", std::process::id()));
        fs::create_dir(&at).ok()?;
        let ftrace = Ftrace(at);
        let put = |file: &str, text: &str| fs::write(ftrace.0.join(file), text).ok();
        put("set_event_pid", &pid.to_string())?;
        put("events/raw_syscalls/enable", "1")?;
        Some(ftrace)
    }
}

impl Drop for Ftrace {
    fn drop(&mut self) {
        let _ = fs::write(self.0.join("events/raw_syscalls/enable"), "0");
        let _ = fs::remove_dir(&self.0);
    }
}

/// Who traces.
#[derive(Clone, PartialEq)]
enum By {
    Nobody,
    Floor,
    Sysreel(Vec<String>),
    Perf,
    Ftrace,
    Strace,
}

/// One way to run the loops.
struct Way {
    name: &'static str,
    by: By,
    /// The reader stands still: the ring is full.
    stopped: bool,
    /// The filter lets none of the calls pass.
    rejects: bool,
    /// The loops run in a container.
    inside: bool,
    windows: u64,
    calls: u64,
    best: [f64; LOOPS.len()],
    /// CPU time of the reader per event, ns.
    reader: [f64; LOOPS.len()],
    start: f64,
    made: u64,
    lost: u64,
}

impl Way {
    fn new(name: &'static str, args: &[&str]) -> Way {
        Way::by(name, By::Sysreel(args.iter().map(|s| s.to_string()).collect()))
    }

    fn by(name: &'static str, by: By) -> Way {
        Way {
            name,
            by,
            stopped: false,
            rejects: false,
            inside: false,
            windows: 40,
            calls: WINDOW,
            best: [f64::MAX; LOOPS.len()],
            reader: [f64::MAX; LOOPS.len()],
            start: f64::MAX,
            made: 0,
            lost: 0,
        }
    }
}

/// A control group of the unified hierarchy, with a unit's name: of such a one nothing more is to become known.
struct Group(PathBuf);

impl Group {
    /// With this process in it.
    fn around(pid: u32) -> Option<Group> {
        Group::named(&format!("sysreel-bench-{pid}.slice"), pid)
    }

    /// That of a container, by its name.
    fn container(pid: u32) -> Option<Group> {
        Group::named(&format!("libpod-{pid:064x}"), pid)
    }

    fn named(name: &str, pid: u32) -> Option<Group> {
        let mounts = fs::read_to_string("/proc/self/mountinfo").ok()?;
        let line = mounts.lines().find(|l| l.contains(" - cgroup2 "))?;
        let dir = Path::new(line.split(' ').nth(4)?).join(name);
        fs::create_dir(&dir).ok()?;
        let group = Group(dir);
        fs::write(group.0.join("cgroup.procs"), pid.to_string()).ok()?;
        Some(group)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // Not before all that was in it is gone.
        let pids = fs::read_to_string(self.0.join("cgroup.procs")).unwrap_or_default();
        pids.lines().for_each(|pid| drop(fs::write(self.0.join("../cgroup.procs"), pid)));
        let _ = fs::remove_dir(&self.0);
    }
}

struct Checks(Vec<String>);

impl Checks {
    fn check(&mut self, ok: bool, what: impl FnOnce() -> String) {
        if !ok {
            self.0.push(what());
        }
    }
}

fn main() -> ExitCode {
    let mut args = std::env::args_os().skip(1);
    if args.next().is_some_and(|a| a == "--worker") {
        work(Path::new(&args.next().unwrap_or_default()));
        return ExitCode::SUCCESS;
    }
    pin(1);
    let dir = tempfile::tempdir().expect("a directory for what is written");
    let at = |name: &str| -> PathBuf { dir.path().join(name) };
    fs::write(at("small"), "a small file\n").expect("a small file");
    let mut worker = Worker::start(&at("small"));
    let Some(first) = Tracer::sysreel(worker.pid(), &["-q"]) else {
        println!("live: not measured, the probe cannot be loaded here");
        return ExitCode::SUCCESS;
    };
    first.stop();

    let group = Group::around(worker.pid());
    if group.is_none() {
        println!("no control group can be made: what one is rejected by is not measured");
    }
    let reel = at("t.reel").to_string_lossy().into_owned();
    let mut ways = vec![
        Way::by("untraced", By::Nobody),
        Way::by("floor: an empty program", By::Floor),
        Way { rejects: true, ..Way::new("rejected by number", &["-q", "evt.type = mount"]) },
        Way { rejects: true, ..Way::new("  --no-latency", &["-q", "--no-latency", "evt.type = mount"]) },
        Way { rejects: true, ..Way::new("rejected by process", &["-q", "proc.pid = 1"]) },
        Way { rejects: true, ..Way::new("  --no-latency", &["-q", "--no-latency", "proc.pid = 1"]) },
        Way { rejects: true, ..Way::new("rejected by group", &["-q", "unit.name = none.service"]) },
        Way { rejects: true, ..Way::new("rejected by user", &["-q", "user.uid = 65000"]) },
        Way { rejects: true, ..Way::new("rejected by result", &["-q", "evt.res = ENOSYS"]) },
        Way { rejects: true, ..Way::new("rejected by latency", &["-q", "evt.latency > 10s"]) },
        Way::new("captured, no names", &["-q"]),
        Way::new("  --no-latency", &["-q", "--no-latency"]),
        Way::new("written (-w)", &["-w", &reel, "--force"]),
        Way::new("  --no-latency", &["-w", &reel, "--force", "--no-latency"]),
        Way { inside: true, ..Way::new("  in a container", &["-w", &reel, "--force"]) },
        Way { stopped: true, ..Way::new("dropped, ring full", &["-w", &reel, "--force", "--ring", "256k"]) },
        Way { windows: 20, ..Way::new("printed to /dev/null", &["-o", "/dev/null"]) },
        Way::by("perf record raw_syscalls", By::Perf),
        Way::by("ftrace raw_syscalls", By::Ftrace),
        Way { windows: 4, calls: 999, ..Way::by("strace -f -o", By::Strace) },
    ];
    if group.is_none() {
        ways.retain(|w| w.name != "rejected by group" && !w.inside);
    }
    let mut checks = Checks(Vec::new());
    let rounds = if long() { 10 } else { 4 };
    for _ in 0..rounds {
        for way in &mut ways {
            let inside = if way.inside { Group::container(worker.pid()) } else { None };
            turn(way, &mut worker, &at("strace.out"), &at("t.reel"), &mut checks);
            if let (Some(inside), Some(group)) = (inside, &group) {
                let _ = fs::write(group.0.join("cgroup.procs"), worker.pid().to_string());
                drop(inside);
            }
        }
    }
    print_table(&ways);
    flat_out(&mut worker, &mut checks);
    for failure in &checks.0 {
        println!("WRONG: {failure}");
    }
    if checks.0.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Runs all loops once in one way.
fn turn(way: &mut Way, worker: &mut Worker, out: &Path, reel: &Path, checks: &mut Checks) {
    let (mut floor, mut ftrace) = (None, None);
    let tracer = match &way.by {
        By::Sysreel(args) => {
            let args: Vec<&str> = args.iter().map(String::as_str).collect();
            Tracer::sysreel(worker.pid(), &args)
        }
        By::Nobody => None,
        By::Floor => {
            floor = floor::attach();
            None
        }
        By::Perf => Tracer::perf(worker.pid(), out),
        By::Ftrace => {
            ftrace = Ftrace::start(worker.pid());
            None
        }
        By::Strace => Tracer::strace(worker.pid(), out),
    };
    if tracer.is_none() && way.by != By::Nobody && floor.is_none() && ftrace.is_none() {
        println!("cannot be measured: {}", way.name);
        return;
    }
    if let Some(tracer) = tracer.as_ref().filter(|_| way.stopped) {
        tracer.signal(rustix::process::Signal::STOP);
        worker.run("getppid", 2, WINDOW);
    }
    let mut made = [0; LOOPS.len()];
    for (i, what) in LOOPS.iter().enumerate() {
        let before = tracer.as_ref().map_or(0, |t| cpu_of(t.pid()));
        let done = worker.run(what, way.windows, way.calls);
        way.best[i] = way.best[i].min(done.best);
        made[i] = done.calls;
        if let Some(t) = tracer.as_ref().filter(|_| !way.stopped) {
            t.settle();
            let spent = (cpu_of(t.pid()) - before) as f64 / done.calls as f64;
            way.reader[i] = way.reader[i].min(spent);
        }
    }
    let Some(tracer) = tracer else { return };
    let started = tracer.started.as_secs_f64();
    if way.stopped {
        made[0] += 2 * WINDOW;
        tracer.signal(rustix::process::Signal::CONT);
    }
    let said = tracer.stop();
    if !matches!(way.by, By::Sysreel(_)) {
        return;
    }
    way.start = way.start.min(started);
    let name = way.name;
    let Some(totals) = Totals::find(&said) else {
        checks.check(false, || format!("{name}: no totals: {}", String::from_utf8_lossy(&said)));
        return;
    };
    let all = if way.rejects { 0 } else { made.iter().sum() };
    way.made += all;
    way.lost += totals.lost;
    // The worker reads its orders and writes its answers, which are a few calls more.
    let seen = totals.events + totals.lost;
    checks.check((all..=all + 32).contains(&seen), || format!("{name}: {all} calls made, {totals:?}"));
    if name.starts_with("written") && totals.lost == 0 {
        for (call, made) in [
            ("getppid", made[0] + made[3] / TURN),
            ("openat", (made[1] + made[3]) / TURN),
            ("close", (made[1] + made[3]) / TURN),
            ("sendmsg", made[2] / TURN),
        ] {
            let got = count(reel, &format!("evt.type = {call}")).shown;
            checks.check(got == made, || format!("{name}: {made} {call} made, {got} in the reel"));
        }
    }
}

fn print_table(ways: &[Way]) {
    let best = |by: By| ways.iter().find(|w| w.by == by).map_or([f64::NAN; LOOPS.len()], |w| w.best);
    let (base, floor, strace) = (best(By::Nobody), best(By::Floor), best(By::Strace));
    println!("\nlive: ns per call, fastest windows of all rounds ({})", machine());
    println!(
        "the loops: getppid; openat, read, close of a small file; sendmsg, poll, recvmsg; openat, close, getppid"
    );
    println!(
        "added: ns a call more than untraced; /F: times the floor's; strace: how many times cheaper than strace;"
    );
    println!("open: ns that one openat of {} bytes takes more, its close counted as a getppid\n", PATH.len());
    println!(
        "{:<24} {:>28}  {:>21}  {:>21}  {:>13}   {:>20} {:>7} {:>6}",
        "",
        "getppid: ns added /F strace",
        "file: ns added strace",
        "message: ns added strace",
        "open added /F",
        "reader ns/ev",
        "start s",
        "lost %"
    );
    for w in ways {
        let added = |i: usize| w.best[i] - base[i];
        let strace = |i: usize| (strace[i] - base[i]) / added(i);
        let f = floor[0] - base[0];
        let open = 3.0 * added(3) - 2.0 * added(0);
        let traced = matches!(w.by, By::Sysreel(_));
        let seen = traced && !w.stopped;
        let reader = if seen { w.reader.map(|n| format!("{n:>4.0}")).join(" ") } else { String::new() };
        let start = if traced { format!("{:>7.3}", w.start) } else { String::new() };
        let lost = if w.made > 0 {
            format!("{:>6.2}", 100.0 * w.lost as f64 / w.made as f64)
        } else {
            String::new()
        };
        println!(
            "{:<24} {:>7.0} {:>6.0} {:>6.2} {:>6.1}  {:>7.0} {:>6.0} {:>6.1}  {:>7.0} {:>6.0} {:>6.1}  {:>6.0} {:>6.2}   {:>20} {:>7} {:>6}",
            w.name,
            w.best[0],
            added(0),
            added(0) / f,
            strace(0),
            w.best[1],
            added(1),
            strace(1),
            w.best[2],
            added(2),
            strace(2),
            open,
            open / f,
            reader,
            start,
            lost
        );
    }
}

/// One process at full rate for some time: what is lost, what the reader costs, how much memory it takes.
fn flat_out(worker: &mut Worker, checks: &mut Checks) {
    let seconds = if long() { 10.0 } else { 3.0 };
    println!("\nat full rate for {seconds} s, captured to nothing:");
    for what in LOOPS {
        let Some(tracer) = Tracer::sysreel(worker.pid(), &["-q"]) else { return };
        let speed = worker.run(what, 5, WINDOW);
        let windows = (seconds * 1e9 / speed.mean / WINDOW as f64) as u64;
        let before = cpu_of(tracer.pid());
        let done = worker.run(what, windows, WINDOW);
        let (own, maps) = memory_of(tracer.pid());
        tracer.settle();
        let spent = cpu_of(tracer.pid()) - before;
        let Some(totals) = Totals::find(&tracer.stop()) else { continue };
        let made = done.calls + speed.calls;
        let seen = totals.events + totals.lost;
        println!(
            "{what:<8} {:.2} M calls/s, lost {:.3} %, reader {:.0} ns an event, {:.1} MiB resident beyond {:.0} MiB of maps",
            1e3 / done.mean,
            100.0 * totals.lost as f64 / made as f64,
            spent as f64 / totals.events as f64,
            own as f64 / f64::from(1 << 20),
            maps as f64 / f64::from(1 << 20),
        );
        checks.check((made..=made + 32).contains(&seen), || format!("full rate: {made} made, {totals:?}"));
        checks.check(own < 64 << 20, || format!("full rate: {own} bytes resident beyond the maps"));
    }
}
