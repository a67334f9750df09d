//! Calls that have not returned: `sysreel stuck` says what /proc says of them, and a capture that saw them begin says when.
#![allow(unsafe_code, reason = "what is tested are system calls as such")]

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::os::fd::AsRawFd;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use sysreel::schema::{Arch, Schema};

use super::actor::{VARIABLE, fact};
use super::rig::{Background, alone, kind, parse, reread, skip, within};
use crate::cli::sysreel;

/// Threads of the actor that has many.
const MANY: usize = 5000;

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as i64
}

/// A thread that says who it is and when it calls.
fn blocked(name: &'static str, f: impl FnOnce() + Send + 'static) {
    std::thread::spawn(move || {
        fact(name, unsafe { libc::gettid() });
        fact(&format!("{name}-at"), now());
        f();
    });
}

fn pipe() -> [i32; 2] {
    let mut fds = [0; 2];
    assert_eq!(unsafe { libc::pipe(fds.as_mut_ptr()) }, 0);
    fds
}

fn wait_for_a_line() {
    unsafe { libc::read(0, [0u8; 8].as_mut_ptr().cast(), 8) };
}

/// The actor: when it is told to, a thread in each of several calls that do not return.
pub fn act() {
    let (empty, full) = (pipe(), pipe());
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    fact("main", unsafe { libc::getpid() });
    fact("port", i64::from(listener.local_addr().unwrap().port()));
    fact("empty", empty[0]);
    fact("full", full[1]);
    fact("listener", listener.as_raw_fd());
    wait_for_a_line();
    unsafe {
        libc::fcntl(full[1], libc::F_SETFL, libc::O_NONBLOCK);
        while libc::write(full[1], [0u8; 4096].as_ptr().cast(), 4096) > 0 {}
        libc::fcntl(full[1], libc::F_SETFL, 0);
    }
    blocked("read", move || unsafe {
        libc::read(empty[0], [0u8; 7].as_mut_ptr().cast(), 7);
    });
    blocked("write", move || unsafe {
        libc::write(full[1], b"held up".as_ptr().cast(), 7);
    });
    blocked("futex", || unsafe {
        let word = 0u32;
        libc::syscall(
            libc::SYS_futex,
            &raw const word,
            libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG,
            0,
            0,
            0,
            0,
        );
    });
    blocked("accept4", move || unsafe {
        libc::accept4(listener.as_raw_fd(), std::ptr::null_mut(), std::ptr::null_mut(), libc::SOCK_CLOEXEC);
    });
    blocked("clock_nanosleep", || unsafe {
        let time = libc::timespec { tv_sec: 321, tv_nsec: 5 };
        libc::clock_nanosleep(libc::CLOCK_MONOTONIC, 0, &time, std::ptr::null_mut());
    });
    blocked("epoll_wait", || unsafe {
        let mut room: [libc::epoll_event; 3] = std::mem::zeroed();
        libc::epoll_wait(libc::epoll_create1(0), room.as_mut_ptr(), 3, -1);
    });
    blocked("poll", move || unsafe {
        let mut set = [libc::pollfd { fd: empty[0], events: libc::POLLIN, revents: 0 }];
        libc::poll(set.as_mut_ptr(), 1, -1);
    });
    // A parent in vfork is in state D.
    blocked("clone", || unsafe {
        if libc::syscall(libc::SYS_clone, libc::CLONE_VFORK | libc::SIGCHLD, 0, 0, 0, 0) == 0 {
            libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
            libc::syscall(libc::SYS_pause);
        }
    });
    std::thread::sleep(Duration::from_millis(200));
    fact("ready", 1);
    wait_for_a_line();
}

/// The actor with many threads.
pub fn many() {
    for _ in 0..MANY {
        let thread = std::thread::Builder::new().stack_size(16 << 10);
        thread.spawn(|| unsafe { libc::syscall(libc::SYS_pause) }).unwrap();
    }
    fact("ready", 1);
    wait_for_a_line();
}

/// A 32-bit call that does not return.
#[cfg(target_arch = "x86_64")]
pub fn compat() {
    let fds = pipe();
    fact("empty", fds[0]);
    fact("ready", 1);
    unsafe { super::compat::call(3, [fds[0] as u32, 0x1000, 5, 0, 0, 0]) };
}

/// An actor that is there as long as this is.
struct Blocked {
    child: Child,
    out: BufReader<ChildStdout>,
    facts: BTreeMap<String, i64>,
}

impl Blocked {
    fn start(name: &str) -> Blocked {
        let me = std::env::current_exe().unwrap();
        let mut child = Command::new(me)
            .env(VARIABLE, name)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        Blocked { child, out, facts: BTreeMap::new() }
    }

    /// Lets it go on.
    fn go(&mut self) {
        self.child.stdin.as_mut().unwrap().write_all(b"\n").unwrap();
    }

    /// Reads facts up to this one.
    fn until(&mut self, last: &str) {
        while !self.facts.contains_key(last) {
            let mut line = String::new();
            assert!(self.out.read_line(&mut line).unwrap() > 0, "the actor ended before {last}");
            let (name, n) = line.trim().split_once(' ').unwrap();
            self.facts.insert(name.to_owned(), n.parse().unwrap());
        }
    }

    fn fact(&self, name: &str) -> i64 {
        self.facts[name]
    }

    fn pid(&self) -> String {
        self.child.id().to_string()
    }
}

impl Drop for Blocked {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `sysreel stuck OPTIONS`: lines and messages.
fn stuck(options: &[&str]) -> (Vec<String>, String) {
    let done = sysreel().arg("stuck").args(options).env("LC_ALL", "C").output().unwrap();
    let err = String::from_utf8_lossy(&done.stderr).into_owned();
    assert_eq!(done.status.code(), Some(0), "{err}");
    let lines = String::from_utf8(done.stdout).unwrap().lines().map(str::to_owned).collect();
    (lines, err)
}

const CALLS: [&str; 8] =
    ["read", "write", "futex", "accept4", "clock_nanosleep", "epoll_wait", "poll", "clone"];

/// What is known of the calls of the actor, whoever says it.
fn check(actor: &Blocked, events: &[Value]) {
    let (empty, port) = (actor.fact("empty"), actor.fact("port"));
    for name in CALLS {
        let tid = actor.fact(name);
        let of: Vec<&Value> = events.iter().filter(|e| e["thread.tid"] == tid).collect();
        let [e] = of[..] else { panic!("{name}: {of:?}") };
        assert_eq!(kind(e), name, "{e}");
        assert_eq!(e["evt.in_flight"], true, "{e}");
        assert_eq!(e["thread.state"], if name == "clone" { "D" } else { "S" }, "{e}");
        assert!(e.get("evt.rawres").is_none() && e.get("evt.res").is_none(), "{e}");
        assert!(e.get("evt.failed").is_none() && e.get("evt.result").is_none(), "{e}");
        let args = &e["evt.args"];
        match name {
            "read" => {
                assert_eq!((&args["fd"]["fd"], &args["count"]), (&empty.into(), &7.into()), "{e}");
                let link = fs::read_link(format!("/proc/{}/fd/{empty}", actor.pid())).unwrap();
                assert_eq!(e["fd.name"], link.to_str().unwrap(), "{e}");
                assert!(args["buf"].as_str().unwrap().starts_with("0x"), "{e}");
            }
            "write" => assert_eq!(args["buf"], "held up", "{e}"),
            "futex" => {
                assert_eq!(args["futex_op"], serde_json::json!(["FUTEX_WAIT", "FUTEX_PRIVATE_FLAG"]), "{e}");
            }
            "accept4" => {
                assert_eq!(e["fd.name"], format!("127.0.0.1:{port}"), "{e}");
                assert_eq!(e["fd.num"], actor.fact("listener"), "{e}");
            }
            "clock_nanosleep" => {
                assert_eq!(args["req"], serde_json::json!({"tv_sec": 321, "tv_nsec": 5}), "{e}")
            }
            "epoll_wait" => {
                assert_eq!((&args["maxevents"], &args["timeout"]), (&3.into(), &(-1).into()), "{e}")
            }
            "poll" => {
                assert_eq!((&args["fds"][0]["fd"], &args["timeout"]), (&empty.into(), &(-1).into()), "{e}");
                assert!(args["fds"][0].get("revents").is_none(), "not answered yet: {e}");
            }
            _ => assert_eq!(args["flags"], serde_json::json!(["SIGCHLD", "CLONE_VFORK"]), "{e}"),
        }
    }
}

#[test]
fn stuck_says_what_proc_says() {
    let _alone = alone!();
    let mut actor = Blocked::start("stuck");
    actor.go();
    actor.until("ready");
    std::thread::sleep(Duration::from_millis(300));
    let pid = actor.pid();
    let before = now();
    let (lines, err) = stuck(&["-j", "--pid", &pid]);
    let after = now();
    let events = parse(&lines);
    check(&actor, &events);
    // Each thread of the process, under the name that /proc's number stands for.
    let schema = Schema::native(Arch::NATIVE);
    let mut threads = 0;
    for entry in fs::read_dir(format!("/proc/{pid}/task")).unwrap() {
        let path = entry.unwrap().path();
        let tid: i64 = path.file_name().unwrap().to_str().unwrap().parse().unwrap();
        let text = fs::read_to_string(path.join("syscall")).unwrap();
        let nr: u16 = text.split(' ').next().unwrap().parse().unwrap();
        let e =
            events.iter().find(|e| e["thread.tid"] == tid).unwrap_or_else(|| panic!("no {tid}: {lines:?}"));
        assert_eq!(kind(e), &*schema.shape(nr).name, "{e}");
        threads += 1;
    }
    // And the child of the vfork.
    assert_eq!(events.len(), threads + 1, "{lines:?}");
    assert!(err.contains(&format!("{} threads, {} in calls, {0} shown", threads + 1, threads + 1)), "{err}");
    // Nobody saw them begin: bounds, close ones, the longest first.
    let mut last = u64::MAX;
    for e in &events {
        let latency = e["evt.latency"].as_u64().unwrap();
        assert_eq!(e["evt.latency_least"], true, "{e}");
        assert!(latency <= last, "{lines:?}");
        last = latency;
        let at = actor.facts.get(&format!("{}-at", kind(e)));
        if let Some(at) = at.filter(|_| e["thread.tid"] == actor.facts[kind(e)]) {
            assert!((latency as i64) <= after - at, "{e}: {} ns at most", after - at);
            assert!(latency as i64 >= before - at - 1_000_000_000, "{e}: about {} ns", before - at);
        }
    }
    // The filter is that of captures.
    let tids = |filter: &str| stuck(&["-p", "%thread.tid", "--pid", &pid, filter]).0;
    assert_eq!(tids("evt.type = futex and evt.latency > 1ms"), [actor.fact("futex").to_string()]);
    assert_eq!(tids("thread.state = D"), [actor.fact("clone").to_string()]);
    assert_eq!(tids("fd.lport > 0 and evt.dir = >"), [actor.fact("accept4").to_string()]);
    assert_eq!(tids("evt.buffer contains held"), [actor.fact("write").to_string()]);
    for none in ["evt.latency > 1h", "evt.failed = true", "evt.rawres >= 0", "evt.in_flight = false"] {
        assert!(tids(none).is_empty(), "{none}");
    }
    let (text, _) = stuck(&["-t", "--pid", &pid, "evt.type = accept4"]);
    let port = actor.fact("port");
    assert!(
        text.len() == 1
            && text[0].contains(&format!("<tcp 127.0.0.1:{port}>"))
            && text[0].contains(") = ... S <>="),
        "{text:?}"
    );
    assert_eq!(stuck(&["-c", "2", "-p", "%evt.type", "--pid", &pid]).0.len(), 2);
}

#[test]
fn a_capture_that_saw_them_begin_says_when() {
    let _alone = alone!();
    let mut actor = Blocked::start("stuck");
    actor.until("listener");
    let pid = actor.pid();
    let capture = Background::start(&["-j", "--pid", &pid]);
    actor.go();
    actor.until("ready");
    kill_process(Pid::from_child(&capture.child), Signal::USR1).unwrap();
    std::thread::sleep(Duration::from_millis(400));
    let (lines, err, status) = capture.stop();
    assert_eq!(status, Some(0), "{err}");
    let events = parse(&lines);
    let (flying, rest): (Vec<Value>, Vec<Value>) =
        events.into_iter().partition(|e| e["evt.in_flight"] == true);
    check(&actor, &flying);
    assert!(rest.iter().all(|e| e.get("thread.state").is_none()));
    for e in &flying {
        assert!(e.get("evt.latency_least").is_none(), "{e}");
        let Some(at) = actor.facts.get(&format!("{}-at", kind(e))) else { continue };
        if e["thread.tid"] != actor.facts[kind(e)] {
            continue;
        }
        let time: jiff::Timestamp = e["evt.time"].as_str().unwrap().parse().unwrap();
        let began = time.as_nanosecond() as i64 - e["evt.latency"].as_i64().unwrap();
        // It says when, and calls: what lies between is how long that takes it.
        assert!(
            (-1_000_000..1_000_000_000).contains(&(began - at)),
            "{e}: it began {} ns after {at}",
            began - at
        );
    }
    // All events have numbers without a gap, those in flight are the last, and the end counts all.
    let nums: Vec<u64> = rest.iter().chain(&flying).map(|e| e["evt.num"].as_u64().unwrap()).collect();
    assert!(nums.windows(2).all(|w| w[0] + 1 == w[1]), "{nums:?}");
    let end: Value = serde_json::from_str(lines.last().unwrap()).unwrap();
    assert_eq!((&end["produced"], &end["lost"]), (&nums.len().into(), &0.into()), "{end}");
    assert!(
        err.contains(&format!("{} of the events are calls that had not returned", flying.len())),
        "{err}"
    );
    // What USR1 showed, on stderr alone.
    assert!(err.contains("calls in flight\n"), "{err}");
    let shown = err.lines().filter(|l| l.contains(") = ... ")).count();
    assert!(shown >= CALLS.len(), "{err}");
}

#[test]
fn a_reel_has_them_as_a_live_capture_prints_them() {
    let _alone = alone!();
    let mut actor = Blocked::start("stuck");
    actor.until("listener");
    let pid = actor.pid();
    let dir = tempfile::tempdir().unwrap();
    let reel = dir.path().join("t.reel");
    let form = "%thread.tid %evt.type %evt.args %evt.in_flight %thread.state %evt.dir %fd.name %evt.res";
    let filter = "evt.dir = > and evt.latency > 100ms";
    let live = Background::start(&["-p", form, "--pid", &pid, filter]);
    let mut written =
        sysreel().args(["-w", reel.to_str().unwrap(), "--pid", &pid]).stderr(Stdio::piped()).spawn().unwrap();
    let begin = Instant::now();
    while !reel.exists() && begin.elapsed() < Duration::from_secs(30) {
        std::thread::sleep(Duration::from_millis(20));
    }
    std::thread::sleep(Duration::from_millis(100));
    actor.go();
    actor.until("ready");
    std::thread::sleep(Duration::from_millis(300));
    let (printed, err, _) = live.stop();
    super::rig::interrupt(&written);
    assert!(within(&mut written, Duration::from_secs(30)).is_some_and(|s| s.success()));
    assert!(printed.len() > CALLS.len(), "{printed:?} {err}");
    let (code, again, _) = reread(&reel, &["-p", form, filter]);
    assert_eq!(code, 0);
    // Each capture read /proc at a moment of its own: what is uncertain to one need not be to the other.
    let certain = |lines: &[String]| lines.iter().map(|l| l.replace("<~", "<")).collect::<Vec<_>>();
    assert_eq!(certain(&printed), certain(&again));
    // All threads give the same, and the whole file is sound.
    assert_eq!(reread(&reel, &["-p", form, filter, "--threads", "1"]).1, again);
    let done = sysreel().arg("verify").arg(&reel).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stdout));
    // A copy of them, too.
    let cut = dir.path().join("cut.reel");
    let done = sysreel().arg("cut").arg(&reel).args(["-w", cut.to_str().unwrap(), filter]).output().unwrap();
    assert!(done.status.success());
    assert_eq!(reread(&cut, &["-p", form]).1, again);
}

#[cfg(target_arch = "x86_64")]
#[test]
fn a_32_bit_call_in_flight_is_one() {
    let _alone = alone!();
    if !fs::read_to_string("/proc/kallsyms").is_ok_and(|k| k.contains(" __ia32_sys_getpid")) {
        return skip("this kernel takes no 32-bit calls");
    }
    let mut actor = Blocked::start("stuck-compat");
    actor.until("ready");
    std::thread::sleep(Duration::from_millis(200));
    let (lines, _) = stuck(&["-j", "--pid", &actor.pid()]);
    let events = parse(&lines);
    let [e] = &events[..] else { panic!("one call: {lines:?}") };
    assert_eq!((kind(e), &e["evt.compat"]), ("read", &true.into()), "{e}");
    let args = &e["evt.args"];
    let empty = format!("{:#x}", actor.fact("empty"));
    assert_eq!(
        (&args["arg0"], &args["arg1"], &args["arg2"]),
        (&empty.into(), &"0x1000".into(), &"0x5".into()),
        "{e}"
    );
}

#[test]
fn many_threads_and_those_that_vanish_do_no_harm() {
    let _alone = alone!();
    let mut actor = Blocked::start("stuck-many");
    actor.until("ready");
    let over = Arc::new(AtomicBool::new(false));
    let churn: Vec<_> = (0..2)
        .map(|_| {
            let over = over.clone();
            std::thread::spawn(move || {
                while !over.load(Ordering::Relaxed) {
                    Command::new("true").status().unwrap();
                }
            })
        })
        .collect();
    let begin = Instant::now();
    let (lines, err) = stuck(&["-p", "%evt.type", "--pid", &actor.pid()]);
    let took = begin.elapsed();
    let pauses = lines.iter().filter(|l| *l == "pause").count();
    assert_eq!(pauses, MANY, "{err}");
    assert!(took < Duration::from_secs(30), "{took:?}");
    for _ in 0..5 {
        let (lines, err) = stuck(&["-j", "not proc.name startswith integration"]);
        // Each line is whole, and of a call.
        assert!(parse(&lines).iter().all(|e| !kind(e).is_empty() && e["evt.in_flight"] == true));
        assert!(!err.contains("panicked"), "{err}");
    }
    over.store(true, Ordering::Relaxed);
    churn.into_iter().for_each(|t| t.join().unwrap());
    loud(&format!("stuck: {MANY} threads took {took:?}"));
}

fn loud(text: &str) {
    if std::env::var_os("SYSREEL_SWEEP").is_some() {
        super::rig::loudly(text);
    }
}

#[test]
fn what_cannot_be_is_refused() {
    let refused = |args: &[&str]| {
        let done = sysreel().arg("stuck").args(args).output().unwrap();
        (done.status.code(), String::from_utf8_lossy(&done.stderr).into_owned())
    };
    let (code, err) = refused(&["--pid", "4194303"]);
    assert!(code == Some(2) && err.contains("there is no process 4194303"), "{err}");
    let (code, err) = refused(&["evt.tpye = read"]);
    assert!(code == Some(2) && err.contains("evt.type"), "{err}");
    let (code, err) = refused(&["-w", "x.reel"]);
    assert!(code == Some(2) && err.contains("-w"), "{err}");
    let (code, err) = refused(&["--proc", "/nonexistent"]);
    assert!(code == Some(0) && err.contains("0 threads, 0 in calls"), "{err}");
}
