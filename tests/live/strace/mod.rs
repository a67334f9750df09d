//! The same calls as strace shows, in the same order, with the same arguments and results.
//!
//! Each program runs once under strace and once under sysreel, in the same directory made anew. Threads are paired by whose
//! child they are; of each the whole sequence must agree, but for what the tables here leave out and say why. What the two
//! show differently by intent is told in tests/STRACE.md.

mod compare;
mod parse;

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::rig::{alone, installed, kind, loudly, res, run, skip};
use compare::{Sort, Tolerance, differs};
use parse::{Call, Calls, number};

/// Calls whose coming depends on when a signal arrives or on chance (the C library throws away random numbers that would
/// make some names of files likelier than others), not on what the program does.
const UNSTABLE: [&str; 3] = ["rt_sigreturn", "restart_syscall", "getrandom"];

/// Calls that threads make or leave out as they happen to meet, on top of those.
const OF_THREADS: [&str; 8] =
    ["futex", "sched_yield", "madvise", "mmap", "munmap", "mprotect", "brk", "clock_nanosleep"];

/// Arguments whose content is another in each run: randomness, clocks, loads.
const VARIES: [(&str, &str); 7] = [
    ("getrandom", "buf"),
    ("sysinfo", "info"),
    ("getrusage", "usage"),
    ("times", "buf"),
    ("clock_gettime", "tp"),
    ("gettimeofday", "tv"),
    ("sched_getaffinity", "mask"),
];

/// Arguments that sysreel shows and strace does not look at, because the kernel does not either (EPOLL_CTL_DEL).
const MORE: [(&str, &str); 1] = [("epoll_ctl", "event")];

/// Where a thread stands: the first is [], its second child is [1], and so on.
type Place = Vec<usize>;

/// A call of sysreel's.
struct Ours<'a> {
    name: &'a str,
    event: &'a Value,
}

/// What the table of calls says: arguments with their kinds, in order, and the kind of the result.
struct Row {
    args: Vec<(String, String)>,
    result: String,
}

fn table() -> BTreeMap<String, Row> {
    let list = crate::cli::sysreel().args(["calls", "--json"]).output().unwrap();
    let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
    let rows = String::from_utf8(list.stdout).unwrap();
    let rows = rows.lines().map(|l| serde_json::from_str::<Value>(l).unwrap());
    rows.filter(|c| c["code"].as_i64() < Some(1024))
        .map(|c| {
            let args = c["args"].as_array().unwrap().iter();
            let args = args.map(|a| (text(&a["name"]), text(&a["kind"]))).collect();
            (text(&c["name"]), Row { args, result: text(&c["result"]) })
        })
        .collect()
}

/// True for a call that gave birth.
fn born(name: &str) -> bool {
    matches!(name, "clone" | "clone3" | "fork" | "vfork")
}

/// Each thread's calls under its place in the tree.
fn places<T>(
    mut calls: BTreeMap<i64, Vec<T>>,
    root: i64,
    child: impl Fn(&T) -> Option<i64>,
) -> BTreeMap<Place, Vec<T>> {
    let mut all = BTreeMap::new();
    let mut open = vec![(Place::new(), root)];
    while let Some((place, tid)) = open.pop() {
        let mine = calls.remove(&tid).unwrap_or_default();
        for (i, tid) in mine.iter().filter_map(&child).enumerate() {
            let mut place = place.clone();
            place.push(i);
            open.push((place, tid));
        }
        all.insert(place, mine);
    }
    all
}

fn ours(events: &[Value]) -> BTreeMap<Place, Vec<Ours<'_>>> {
    let mut calls: BTreeMap<i64, Vec<Ours>> = BTreeMap::new();
    for event in events.iter().filter(|e| kind(e) != "procexit") {
        calls
            .entry(event["thread.tid"].as_i64().unwrap())
            .or_default()
            .push(Ours { name: kind(event), event });
    }
    let root = events[0]["thread.tid"].as_i64().unwrap();
    places(calls, root, |c| (born(c.name) && res(c.event) > 0).then(|| res(c.event)))
}

fn theirs(text: &str) -> BTreeMap<Place, Vec<Call>> {
    let root = text.split_whitespace().next().unwrap().parse().unwrap();
    let calls: Calls = parse::parse(text);
    places(calls, root, |c| {
        let result = c.result.split_whitespace().next()?;
        if born(&c.name) { result.parse().ok().filter(|n| *n > 0) } else { None }
    })
}

/// strace names the arguments of clone and gives them in an order of its own.
fn in_order(call: &Call, row: &Row) -> Vec<String> {
    if call.name != "clone" {
        return call.args.clone();
    }
    let find = |key: &str| {
        call.args.iter().find_map(|a| a.strip_prefix(key)?.strip_prefix('=')).unwrap_or("NULL").to_owned()
    };
    row.args
        .iter()
        .map(|(name, _)| match name.as_str() {
            "stack" => find("child_stack"),
            "parent_tid" => "?".to_owned(),
            "child_tid" => find("child_tidptr"),
            "tls" => "?".to_owned(),
            name => find(name),
        })
        .collect()
}

/// What a call shows differently.
fn differences(a: &Call, b: &Ours, row: &Row, t: Tolerance) -> Vec<String> {
    let mut wrong = Vec::new();
    let failed = b.event["evt.failed"] == true;
    let listed = |list: &[(&str, &str)], arg: &str| list.contains(&(a.name.as_str(), arg));
    for ((name, kind), theirs) in row.args.iter().zip(in_order(a, row)) {
        // What a call does not look at, sysreel leaves out: an environment that a program had, a mode without O_CREAT.
        let Some(ours) = b.event["evt.args"].get(name) else { continue };
        if theirs == "?" || listed(&VARIES, name) {
            continue;
        }
        if listed(&MORE, name) && theirs.starts_with("0x") {
            continue;
        }
        // What a call that failed would have filled is not looked at; strace shows what stood there before.
        if failed && theirs.starts_with('[') && ours.as_str().is_some_and(|s| s.starts_with("0x")) {
            continue;
        }
        let sort = match kind.as_str() {
            "pid" => Sort::Pid,
            "int" | "uint" | "mode" => Sort::Word,
            _ => Sort::Address,
        };
        if let Some(what) = differs(&theirs, ours, sort, t) {
            wrong.push(format!("{name}: {what}"));
        }
    }
    let result = res(b.event);
    let (first, rest) = a.result.split_once(' ').unwrap_or((&a.result, ""));
    let first = first.split('<').next().unwrap_or(first);
    let error = rest.split(' ').next().unwrap_or("");
    let same = match first {
        "?" => b.event.get("evt.rawres").is_none() || b.event["evt.res"] == *error,
        "-1" if error.starts_with('E') => b.event["evt.res"] == *error,
        _ => match (row.result.as_str(), number(first)) {
            ("pid" | "addr", Some(n)) => (n > 0) == (result > 0),
            (_, Some(n)) => n == i128::from(result),
            _ => false,
        },
    };
    if !same {
        wrong.push(format!("result: strace {} sysreel {} {}", a.result, result, b.event["evt.res"]));
    }
    wrong
}

/// A program, and how its two runs may differ.
struct Program {
    name: &'static str,
    /// What must be installed.
    needs: &'static [&'static str],
    command: Vec<String>,
    /// Makes the directory's contents, before each run.
    prepare: fn(&Path),
    /// It makes files, so their inodes and times differ.
    own_files: bool,
    /// It has threads that meet.
    threads: bool,
    /// Calls whose content is another in each run, and why.
    except: fn(&Call) -> bool,
    /// What the test does while it runs.
    meanwhile: Option<fn(&Path)>,
}

fn words(command: &str) -> Vec<String> {
    command.split(' ').map(str::to_owned).collect()
}

fn shell(script: &str) -> Vec<String> {
    vec!["sh".into(), "-c".into(), script.into()]
}

fn plain(name: &'static str, command: Vec<String>) -> Program {
    Program {
        name,
        needs: &[],
        command,
        prepare: |_| (),
        own_files: false,
        threads: false,
        except: |_| false,
        meanwhile: None,
    }
}

/// A small tree of files.
fn tree(dir: &Path) {
    for (name, text) in [("a", "one"), ("b.txt", "two\n"), ("sub/c", "three"), ("sub/deep/d", "")] {
        let path = dir.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        age(&path);
    }
    age(&dir.join("sub/deep"));
    age(&dir.join("sub"));
    std::os::unix::fs::symlink("a", dir.join("link")).unwrap();
    done(dir, "touch -h -d @1000000000 link");
}

/// The same time for both runs.
fn age(path: &Path) {
    let then = std::time::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    fs::File::open(path).unwrap().set_modified(then).unwrap();
}

/// Makes what `command` makes, outside any trace.
fn done(dir: &Path, command: &str) {
    let status = Command::new("sh")
        .args(["-c", command])
        .current_dir(dir)
        .env("HOME", dir)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success(), "{command}");
}

fn programs() -> Vec<Program> {
    let files =
        |name, command, needs| Program { needs, prepare: tree, own_files: true, ..plain(name, command) };
    vec![
        plain("ls -l", words("ls -l /etc/profile.d")),
        plain("cat", words("cat /etc/passwd")),
        plain("cat, failing", words("cat /nonexistent")),
        Program { own_files: true, ..plain("sh, a pipe", shell("echo a | cat; true")) },
        Program { own_files: true, ..plain("sh, a directory", shell("cd /etc; cat passwd; (exit 3)")) },
        Program { needs: &["busybox"], ..plain("busybox", words("busybox wc /etc/passwd")) },
        files("ls -lR", words("ls -lR ."), &[]),
        files("tar", shell("tar cf x.tar a b.txt sub link && mkdir out && tar xf x.tar -C out"), &["tar"]),
        files(
            "find and stat",
            shell("find . -type f -print0 > list; xargs -0 stat < list"),
            &["find", "xargs"],
        ),
        Program {
            needs: &["git"],
            prepare: |dir| {
                tree(dir);
                done(
                    dir,
                    "mkdir from && cp -r a sub from && cd from && export GIT_AUTHOR_DATE=@1000000000+0000 GIT_COMMITTER_DATE=@1000000000+0000 && git init -q . && git add . && \
                    git -c user.name=n -c user.email=e commit -qm m",
                );
            },
            own_files: true,
            // The checksum of its index, which holds inodes and times.
            except: |c| c.name == "write" && c.args[2] == "20",
            ..plain(
                "git clone",
                words(
                    "env GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_COUNT=1 \
                GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0=* git clone -q ./from to",
                ),
            )
        },
        Program {
            needs: &["gcc"],
            prepare: |dir| {
                fs::create_dir(dir.join("tmp")).unwrap();
                fs::write(dir.join("hello.c"), "#include <stdio.h>\nint main(void) { puts(\"hello\"); }\n")
                    .unwrap();
            },
            own_files: true,
            ..plain("gcc", words("env TMPDIR=./tmp gcc hello.c -o hello"))
        },
        Program {
            needs: &["/usr/bin/python3"],
            threads: true,
            prepare: |dir| fs::write(dir.join("talk.py"), TALK).unwrap(),
            own_files: true,
            ..plain("python, sockets and threads", words("/usr/bin/python3 -I -S talk.py"))
        },
        Program {
            needs: &["nginx"],
            prepare: web,
            own_files: true,
            // Its process id and the time, into its files.
            except: |c| {
                c.name == "pwrite64" && c.args[0].contains("nginx.pid")
                    || c.name == "write" && c.args[0].contains(".log>")
            },
            meanwhile: Some(visit),
            ..plain("nginx", words("nginx -p . -c nginx.conf -e error.log"))
        },
    ]
}

/// A web server of its own: port, prefix and pid file. It does not fork, so that it is one story.
fn web(dir: &Path) {
    fs::create_dir_all(dir.join("www")).unwrap();
    fs::create_dir_all(dir.join("tmp")).unwrap();
    let page = dir.join("www/page.html");
    fs::write(&page, "<p>a page</p>\n".repeat(100)).unwrap();
    age(&page);
    let temporary =
        ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(|n| format!("{n}_temp_path tmp/{n};"));
    let conf = format!(
        "daemon off; master_process off; pid nginx.pid; error_log error.log;\n\
         events {{ worker_connections 16; use epoll; }}\n\
         http {{ access_log access.log; sendfile on; {}\n\
         server {{ listen 127.0.0.1:{}; root www; }} }}\n",
        temporary.join(" "),
        port()
    );
    fs::write(dir.join("nginx.conf"), conf).unwrap();
}

/// A port that was free when it was first asked for.
fn port() -> u16 {
    static PORT: std::sync::OnceLock<u16> = std::sync::OnceLock::new();
    *PORT.get_or_init(|| TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port())
}

/// Waits until a process sleeps in epoll_wait: whatever came before has happened.
fn idle(pid: i32) {
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_secs(30) {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let sleeps = stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('S'));
        let call = fs::read_to_string(format!("/proc/{pid}/syscall")).unwrap_or_default();
        let number: i64 = call.split(' ').next().and_then(|n| n.parse().ok()).unwrap_or(-1);
        if sleeps && [libc::SYS_epoll_wait, libc::SYS_epoll_pwait].contains(&number) {
            return;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    panic!("process {pid} does not get to wait");
}

/// Asks for two pages, one of which there is, and ends the server.
fn visit(dir: &Path) {
    let begin = Instant::now();
    let pid = loop {
        let pid = fs::read_to_string(dir.join("nginx.pid")).ok().and_then(|p| p.trim().parse::<i32>().ok());
        match pid {
            Some(pid) => break pid,
            None => assert!(begin.elapsed() < Duration::from_secs(30), "no server"),
        }
        std::thread::sleep(Duration::from_millis(2));
    };
    for page in ["page.html", "none"] {
        idle(pid);
        let mut asker = TcpStream::connect(("127.0.0.1", port())).unwrap();
        idle(pid);
        asker.write_all(format!("GET /{page} HTTP/1.0\r\n\r\n").as_bytes()).unwrap();
        let mut answer = String::new();
        asker.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 "), "{answer}");
    }
    idle(pid);
    let pid = rustix::process::Pid::from_raw(pid).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::QUIT).unwrap();
}

/// One thread serves, the other asks; they meet only through the sockets.
const TALK: &str = r#"
import socket, threading
def serve(listener):
    one, _ = listener.accept()
    text = one.recv(100)
    one.sendall(b"you said " + text)
    one.close()
for family, address in [(socket.AF_INET, ("127.0.0.1", 0)), (socket.AF_UNIX, "sock")]:
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.bind(address)
    listener.listen(1)
    other = socket.socket(family, socket.SOCK_STREAM)
    thread = threading.Thread(target=serve, args=(listener,))
    thread.start()
    other.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    other.connect(listener.getsockname())
    other.sendall(b"hello")
    print(other.recv(100))
    thread.join()
    other.close()
    listener.close()
try:
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).connect(("255.255.255.255", 9))
except OSError as e:
    print(e)
"#;

/// Runs it both ways; what differs.
fn compare(p: &Program, rows: &BTreeMap<String, Row>) -> Vec<String> {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join("work");
    let fresh = || {
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir(&dir).unwrap();
        (p.prepare)(&dir);
    };
    let path = std::env::var("PATH").unwrap();
    let mut command: Vec<String> =
        ["env", "-i", "-C", dir.to_str().unwrap(), "LC_ALL=C", "HOME=/", &format!("PATH={path}")]
            .map(str::to_owned)
            .to_vec();
    command.extend(p.command.iter().cloned());

    fresh();
    let file = home.path().join("strace");
    let child = Command::new("strace")
        .args(["-f", "-y", "-v", "-s", "80", "-o"])
        .arg(&file)
        .args(&command)
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    if let Some(meanwhile) = p.meanwhile {
        meanwhile(&dir);
    }
    let done = child.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&fs::read(&file).unwrap()).into_owned();

    fresh();
    let traced = std::thread::scope(|scope| {
        if let Some(meanwhile) = p.meanwhile {
            let dir = dir.clone();
            scope.spawn(move || meanwhile(&dir));
        }
        run(&["-j", "--env"], &command)
    });
    assert_eq!(done.status.code(), traced.status.code(), "{}", p.name);
    let events = traced.events();
    let (theirs, ours) = (theirs(&text), ours(&events));
    if std::env::var_os("SYSREEL_KEEP").is_some() {
        let name = p.name.replace([' ', '/'], "_");
        fs::write(std::env::temp_dir().join(format!("{name}.strace")), &text).unwrap();
        fs::write(std::env::temp_dir().join(format!("{name}.json")), traced.lines.join("\n")).unwrap();
    }

    let t = Tolerance { own_files: p.own_files };
    let mut wrong = Vec::new();
    let (a, b): (Vec<&Place>, Vec<&Place>) = (theirs.keys().collect(), ours.keys().collect());
    if a != b {
        wrong.push(format!("{}: threads {a:?} and {b:?}", p.name));
    }
    let mut compared = 0;
    for (place, ours) in &ours {
        let Some(theirs) = theirs.get(place) else { continue };
        let stable = |name: &str| !(UNSTABLE.contains(&name) || p.threads && OF_THREADS.contains(&name));
        let theirs: Vec<_> =
            theirs.iter().filter(|c| stable(&c.name) && !c.result.starts_with("? ERESTART")).collect();
        let ours: Vec<_> =
            ours.iter().filter(|c| stable(c.name) && !(-516..=-512).contains(&res(c.event))).collect();
        for (a, b) in theirs.iter().zip(&ours) {
            if a.name != b.name {
                break;
            }
            compared += 1;
            // Others make files beside our directory.
            let beside = a.args.iter().any(|arg| *arg == format!("{:?}", std::env::temp_dir()));
            if beside || (p.except)(a) {
                continue;
            }
            let what = differences(a, b, &rows[&a.name], t);
            wrong.extend(what.iter().map(|w| format!("{} {place:?} {}: {w}", p.name, a.name)));
        }
        let apart =
            theirs.iter().map(|c| c.name.as_str()).zip(ours.iter().map(|c| c.name)).position(|(a, b)| a != b);
        if apart.is_some() || theirs.len() != ours.len() {
            let at = apart.unwrap_or(theirs.len().min(ours.len()));
            let around = |names: Vec<&str>| {
                names[at.saturating_sub(3).min(names.len())..(at + 4).min(names.len())].join(" ")
            };
            wrong.push(format!(
                "{} {place:?}: {} calls against {}, apart at {at}: {} | {}",
                p.name,
                theirs.len(),
                ours.len(),
                around(theirs.iter().map(|c| c.name.as_str()).collect()),
                around(ours.iter().map(|c| c.name).collect())
            ));
        }
    }
    loudly(&format!("{}: {compared} calls as strace shows them", p.name));
    wrong
}

#[test]
fn strace_and_sysreel_agree() {
    let _alone = alone!();
    if !installed("strace") {
        return skip("strace is not installed");
    }
    let rows = table();
    let only = std::env::var("SYSREEL_PROGRAM").ok();
    let mut wrong = Vec::new();
    for p in programs().iter().filter(|p| only.as_ref().is_none_or(|o| p.name == o)) {
        if let Some(missing) = p.needs.iter().find(|n| !installed(n)) {
            skip(&format!("{missing} is not installed"));
            continue;
        }
        wrong.extend(compare(p, &rows));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
