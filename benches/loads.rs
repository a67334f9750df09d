//! Work that people do, at a size that takes a second at most: files (tar, find), a compiler, two servers with a client each.
//!
//! Everything is made and started here, in one directory and on free ports of the loopback, and ended by its process id.
#![allow(unsafe_code, reason = "the standard library does not hand out what children used")]

use std::fs;
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::common::cpu_of;

/// Files of the tree, and directories they are in.
const FILES: usize = 6_000;
const DIRECTORIES: usize = 200;
/// Sources that are compiled, and functions in each.
const SOURCES: usize = 2;
const FUNCTIONS: usize = 60;
/// Requests of redis-benchmark, half of them SET, half GET; and under what is slow.
const REQUESTS: u64 = 40_000;
const FEW_REQUESTS: u64 = 2_000;
/// Seconds that wrk takes, beside what it does not count.
const SECONDS: u64 = 1;

/// What was done in one run.
#[derive(Clone, Copy, Debug)]
pub struct Score {
    /// Units a second, by the harness's clock or by the client's own.
    pub speed: f64,
    /// CPU time of a unit, ns, of those that work, not of those that trace (but strace, whose child the work is).
    pub cpu: f64,
    /// Calls of one kind that were certainly made, see [`Load::certain`].
    pub certain: u64,
}

/// A kind of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Load {
    /// Packs the tree.
    Tar,
    /// Looks at every file of it, three times.
    Find,
    /// Compiles C.
    Compile,
    /// Sets and gets of 50 clients.
    Redis,
    /// A small page, by 16 clients.
    Wrk,
}

/// All of them.
pub const LOADS: [Load; 5] = [Load::Tar, Load::Find, Load::Compile, Load::Redis, Load::Wrk];

impl Load {
    /// Its name in the table.
    pub fn name(self) -> &'static str {
        match self {
            Load::Tar => "tar of 6,000 files",
            Load::Find => "find -ls over them, three times",
            Load::Compile => "gcc -O2 of two files",
            Load::Redis => "redis-benchmark",
            Load::Wrk => "wrk and nginx",
        }
    }

    /// A filter, and (in [`Score::certain`]) how many events it must at least hold for, if nothing was lost.
    pub fn certain(self) -> &'static str {
        match self {
            Load::Tar => "proc.name = tar and evt.type = openat and evt.rawres >= 0",
            Load::Find => "proc.name = find and evt.type in (newfstatat, statx) and evt.rawres = 0",
            Load::Compile => "proc.name = cc1 and evt.type = execve and evt.rawres = 0",
            Load::Redis => "proc.name = redis-server and evt.type = write and evt.rawres > 0",
            Load::Wrk => "proc.name = nginx and evt.type in (writev, sendfile, write) and evt.rawres > 0",
        }
    }
}

/// A server that runs until this goes out of scope.
struct Server {
    child: Child,
    port: u16,
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(pid) = rustix::process::Pid::from_raw(self.child.id() as i32) {
            // nginx takes its workers with it only if it is asked.
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        }
        let begin = Instant::now();
        while begin.elapsed() < Duration::from_secs(5) && !self.child.try_wait().is_ok_and(|s| s.is_some()) {
            std::thread::sleep(Duration::from_millis(10));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    /// Starts `command`, to which the port has been told already, and waits until it answers.
    fn start(command: &mut Command, port: u16) -> Option<Server> {
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().ok()?;
        let mut server = Server { child, port };
        let begin = Instant::now();
        while begin.elapsed() < Duration::from_secs(10) {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return Some(server);
            }
            if server.child.try_wait().is_ok_and(|s| s.is_some()) {
                return None;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        None
    }

    /// It and its children.
    fn pids(&self) -> Vec<u32> {
        let pid = self.child.id();
        let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
        std::iter::once(pid).chain(children.split_whitespace().filter_map(|p| p.parse().ok())).collect()
    }
}

/// Where everything is.
pub struct Site {
    dir: PathBuf,
    redis: Option<Server>,
    nginx: Option<Server>,
}

impl Site {
    /// Makes files, starts servers.
    pub fn new(dir: &Path) -> Site {
        tree(&dir.join("tree"));
        sources(&dir.join("c"));
        let (redis, nginx) = (redis(dir), nginx(dir));
        Site { dir: dir.to_owned(), redis, nginx }
    }

    /// Processes that work although the command of the load did not start them.
    pub fn servers(&self, load: Load) -> Vec<u32> {
        let server = match load {
            Load::Redis => self.redis.as_ref(),
            Load::Wrk => self.nginx.as_ref(),
            Load::Tar | Load::Find | Load::Compile => None,
        };
        server.map_or(Vec::new(), Server::pids)
    }

    /// Does the work once, `before` in front of the command. `slow`: there is less of it, where it is counted.
    pub fn run(&self, load: Load, before: &[String], slow: bool) -> Option<Score> {
        let mut command = before.to_vec();
        let mut add = |words: &[&str]| command.extend(words.iter().map(|w| w.to_string()));
        let requests = if slow { FEW_REQUESTS } else { REQUESTS };
        match load {
            Load::Tar => add(&["tar", "-cf", "tree.tar", "tree"]),
            Load::Find => add(&["find", "tree", "tree", "tree", "-ls"]),
            Load::Compile => {
                add(&["gcc", "-O2", "-c"]);
                command.extend((0..SOURCES).map(|i| format!("c/{i}.c")));
            }
            Load::Redis => {
                let port = self.redis.as_ref()?.port.to_string();
                let n = (requests / 2).to_string();
                add(&["redis-benchmark", "-h", "127.0.0.1", "-p", &port, "-n", &n, "-t", "set,get", "--csv"]);
            }
            Load::Wrk => {
                let page = format!("http://127.0.0.1:{}/", self.nginx.as_ref()?.port);
                add(&["wrk", "-t1", "-c16", &format!("-d{SECONDS}s"), &page]);
            }
        }
        let servers = self.servers(load);
        let (begin, before) = (Instant::now(), used(&servers));
        let quiet = matches!(load, Load::Find);
        let out = Command::new(command.first()?)
            .args(command.get(1..)?)
            .current_dir(&self.dir)
            .stdin(Stdio::null())
            .stdout(if quiet { Stdio::null() } else { Stdio::piped() })
            .stderr(Stdio::null())
            .output()
            .ok()?;
        let (seconds, cpu) = (begin.elapsed().as_secs_f64(), (used(&servers) - before) as f64);
        let said = String::from_utf8_lossy(&out.stdout);
        if !out.status.success() {
            return None;
        }
        let one = |certain: usize| Score { speed: 1.0 / seconds, cpu, certain: certain as u64 };
        Some(match load {
            Load::Tar => one(FILES),
            Load::Find => one(3 * FILES),
            Load::Compile => one(SOURCES),
            Load::Redis => {
                // SET's and GET's requests a second, each in the second column; both take the same number.
                let rates: Vec<f64> =
                    said.lines().filter_map(|l| l.split('"').nth(3)?.parse().ok()).collect();
                let [set, get] = rates[..] else { return None };
                Score { speed: 2.0 / (1.0 / set + 1.0 / get), cpu: cpu / requests as f64, certain: requests }
            }
            Load::Wrk => {
                let rate = said.lines().find_map(|l| l.strip_prefix("Requests/sec:"))?.trim().parse().ok()?;
                let served: u64 =
                    said.lines().find_map(|l| l.trim().split_once(" requests in "))?.0.parse().ok()?;
                Score { speed: rate, cpu: cpu / served.max(1) as f64, certain: served }
            }
        })
    }
}

/// 200 directories with 30 small files each; of an earlier run if it is there.
fn tree(at: &Path) {
    let data = [b'x'; 8192];
    for d in 0..DIRECTORIES {
        let dir = at.join(format!("some/where/dir{d:03}"));
        fs::create_dir_all(&dir).expect("a directory");
        for f in 0..FILES / DIRECTORIES {
            let size = (d * 31 + f * 977) % (data.len() - 1) + 1;
            fs::write(dir.join(format!("file-{f:02}.txt")), &data[..size]).expect("a file of the tree");
        }
    }
}

/// C that gives a compiler something to do.
fn sources(at: &Path) {
    fs::create_dir_all(at).expect("a directory");
    for i in 0..SOURCES {
        let mut text =
            String::from("#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n#include <math.h>\n");
        for f in 0..FUNCTIONS {
            text += &format!(
                "int f{f}_{i}(const char *s, int n) {{ int t = {f}; for (int k = 0; k < n; k++) {{ switch (s[k] % {m}) \
                 {{ case 0: t += s[k] * k; break; case 1: t ^= (t << 3) + {i}; break; case 2: t -= (int)strlen(s + k); \
                 break; default: t = t * 31 + s[k]; }} if (t > {big}) printf(\"%d %s\\n\", t, s); }} return t; }}\n",
                m = f % 5 + 3,
                big = 1000 + f * i,
            );
        }
        fs::write(at.join(format!("{i}.c")), text).expect("a source");
    }
}

/// CPU time of all children that have ended and were waited for, and of these servers, ns.
fn used(servers: &[u32]) -> u64 {
    // SAFETY: a local to write to, of which every pattern is valid.
    let usage = unsafe {
        let mut usage = std::mem::zeroed::<libc::rusage>();
        libc::getrusage(libc::RUSAGE_CHILDREN, &raw mut usage);
        usage
    };
    let ns = |t: libc::timeval| t.tv_sec as u64 * 1_000_000_000 + t.tv_usec as u64 * 1000;
    ns(usage.ru_utime) + ns(usage.ru_stime) + servers.iter().map(|pid| cpu_of(*pid)).sum::<u64>()
}

fn free_port() -> u16 {
    let bound = TcpListener::bind("127.0.0.1:0").expect("a free port");
    bound.local_addr().expect("an address").port()
}

fn redis(dir: &Path) -> Option<Server> {
    let port = free_port();
    let mut command = Command::new("redis-server");
    command.args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]);
    Server::start(command.arg("--dir").arg(dir), port)
}

fn nginx(dir: &Path) -> Option<Server> {
    let (port, dir) = (free_port(), dir.join("nginx"));
    fs::create_dir_all(&dir).expect("a directory");
    // Its worker may be another user, who must reach the page.
    for d in [dir.parent()?, &dir] {
        fs::set_permissions(d, fs::Permissions::from_mode(0o755)).expect("a directory of ours");
    }
    fs::write(dir.join("index.html"), "<html><body>".to_owned() + &"x".repeat(600) + "</body></html>\n")
        .ok()?;
    let at = dir.to_string_lossy();
    let mut conf = fs::File::create(dir.join("conf")).ok()?;
    write!(
        conf,
        "daemon off; worker_processes 1; pid {at}/pid; error_log {at}/error.log;\nevents {{ worker_connections 256; }}\n\
         http {{ access_log off; client_body_temp_path {at}/1; proxy_temp_path {at}/2; fastcgi_temp_path {at}/3;\n\
         scgi_temp_path {at}/4; uwsgi_temp_path {at}/5; keepalive_requests 1000000;\n\
         server {{ listen 127.0.0.1:{port}; root {at}; }} }}\n"
    )
    .ok()?;
    Server::start(
        Command::new("nginx").arg("-e").arg(dir.join("error.log")).arg("-c").arg(dir.join("conf")),
        port,
    )
}
