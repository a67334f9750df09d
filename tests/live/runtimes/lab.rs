//! A place for one runtime: directories, an image, daemons, and sweeping up.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use sysreel::container::{Bytes, Container, Resolver, Source};

/// The image's name.
pub const IMAGE: &str = "localhost/lab:1";
/// Where runtimes make control groups; what is left there without processes is removed.
const GROUPS: [&str; 8] =
    ["docker", "default", "kubepods", "libpod_parent", "machine.slice", "sysreel-lab", "k8s.io", "lxc.pivot"];

pub struct Lab {
    pub dir: tempfile::TempDir,
    daemons: Vec<Child>,
}

/// Skips loudly without these programs.
macro_rules! lab {
    ($($program:literal),+) => {{
        let missing: Vec<&str> = [$($program),+].into_iter().filter(|p| !$crate::live::runtimes::lab::has(p)).collect();
        if !missing.is_empty() {
            return $crate::live::rig::skip(&format!("not installed: {}", missing.join(", ")));
        }
        if !rustix::process::geteuid().is_root() {
            return $crate::live::rig::skip("runtimes take root");
        }
        $crate::live::runtimes::lab::Lab::new()
    }};
}
pub(super) use lab;

/// True if there is such a program where a root shell looks for it.
pub fn has(program: &str) -> bool {
    ["/usr/sbin", "/usr/bin", "/sbin", "/bin"].iter().any(|d| Path::new(d).join(program).exists())
}

impl Lab {
    pub fn new() -> Lab {
        // Short: the address of a socket has 107 bytes.
        let dir = tempfile::Builder::new().prefix("srl").tempdir_in("/tmp").unwrap();
        let lab = Lab { dir, daemons: Vec::new() };
        // A root file system of busybox, and an image of it, the same at every run.
        lab.shell(
            "mkdir -p r/bin r/proc r/sys r/dev r/etc r/tmp i; cp /bin/busybox r/bin/
             for a in sh sleep cat true; do ln -s busybox r/bin/$a; done
             tar -C r --sort=name --mtime=@0 --owner=0 --group=0 -cf i/layer.tar .
             d=$(sha256sum i/layer.tar | cut -d' ' -f1)
             printf '{\"architecture\":\"amd64\",\"os\":\"linux\",\"config\":{\"Cmd\":[\"/bin/sleep\",\"3600\"],\"Env\":[\"PATH=/bin\"]},\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"sha256:%s\"]}}' $d > i/c
             c=$(sha256sum i/c | cut -d' ' -f1); mv i/c i/$c.json
             printf '[{\"Config\":\"%s.json\",\"RepoTags\":[\"localhost/lab:1\"],\"Layers\":[\"layer.tar\"]}]' $c > i/manifest.json
             tar -C i -cf lab.tar .",
        );
        lab
    }

    pub fn at(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// As text; `{}` in what is told to a runtime is the directory.
    pub fn text(&self, text: &str) -> String {
        text.replace("{}", self.dir.path().to_str().unwrap())
    }

    /// A command of a shell in the directory, with `{}` for it; its output.
    pub fn shell(&self, command: &str) -> String {
        let (status, out) = self.try_shell(command);
        assert!(status, "{command}: {out}");
        out
    }

    pub fn try_shell(&self, command: &str) -> (bool, String) {
        let mut shell = Command::new("timeout");
        shell
            .args(["60", "sh", "-e", "-c", &self.text(command)])
            .current_dir(self.dir.path())
            .stdin(Stdio::null());
        // A container that is started keeps what it inherits: output goes to a file, whose end nobody waits for.
        let log = fs::File::create(self.at("log")).unwrap();
        let status = shell.stdout(log.try_clone().unwrap()).stderr(log).status().unwrap();
        (status.success(), fs::read_to_string(self.at("log")).unwrap().trim().to_owned())
    }

    /// A daemon until the end of the lab.
    pub fn daemon(&mut self, command: &str) -> u32 {
        let log = fs::File::create(self.at(&format!("daemon{}.log", self.daemons.len()))).unwrap();
        let mut shell = Command::new("sh");
        shell
            .args(["-c", &format!("exec {}", self.text(command))])
            .current_dir(self.dir.path())
            .stdin(Stdio::null());
        let child = shell.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap();
        let pid = child.id();
        self.daemons.push(child);
        pid
    }

    /// Waits until something holds; what the daemons wrote if it never does.
    pub fn until<T>(&self, what: &str, mut holds: impl FnMut() -> Option<T>) -> T {
        let start = Instant::now();
        loop {
            if let Some(value) = holds() {
                return value;
            }
            if start.elapsed() > Duration::from_secs(20) {
                let logs = (0..self.daemons.len()).map(|i| self.at(&format!("daemon{i}.log")));
                let logs: Vec<String> = logs.map(|l| fs::read_to_string(l).unwrap_or_default()).collect();
                panic!("{what} does not come: {}", logs.join("\n---\n"));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Waits for a daemon's socket to take connections.
    pub fn socket(&self, name: &str) {
        self.until(name, || UnixStream::connect(self.at(name)).ok());
    }

    /// A process whose control group ends in this, and the whole path.
    pub fn process(&self, group: &str) -> (u32, Vec<u8>) {
        self.until(group, || running(group))
    }

    /// What is known by files of the container whose control group ends in this.
    pub fn known(&self, group: &str) -> Container {
        let start = Instant::now();
        // The first processes are the runtime's, and gone before they are looked at; and on a busy machine 50 ms may pass
        // before files are read: then it is what the path says.
        let (mut known, mut path) = (None, Vec::new());
        while start.elapsed() < Duration::from_secs(2) {
            let (pid, at) = self.process(group);
            known = Resolver::new(Path::new("/proc")).by_files(&at, Some(pid)).container();
            path = at;
            if known.as_ref().is_some_and(|k| k.sources != [Source::Path]) {
                break;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        known.unwrap_or_else(|| panic!("{} is taken for the host", String::from_utf8_lossy(&path)))
    }

    /// Everything that is known after asking everybody.
    pub fn asked(&self, group: &str) -> Container {
        let (pid, path) = self.process(group);
        let mut resolver = Resolver::new(Path::new("/proc"));
        assert!(resolver.ask(&path, Some(pid)));
        assert!(!resolver.ask(&path, Some(pid)), "asked twice within its time");
        let (start, mut last) = (Instant::now(), None);
        while start.elapsed() < Duration::from_millis(700) {
            last = resolver.answers().filter(|a| *a.path == *path).last().and_then(|a| a.container).or(last);
            std::thread::sleep(Duration::from_millis(5));
        }
        last.expect("no answer")
    }
}

/// A process whose unified (or, where that says nothing, any other) control group ends in this.
pub fn running(group: &str) -> Option<(u32, Vec<u8>)> {
    let pids = fs::read_dir("/proc").unwrap().flatten().filter_map(|e| e.file_name().to_str()?.parse().ok());
    for pid in pids {
        let text = fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap_or_default();
        let mut lines: Vec<&str> = text.lines().collect();
        lines.sort_by_key(|l| !l.starts_with("0::"));
        let path = lines.iter().filter_map(|l| l.splitn(3, ':').nth(2)).find(|p| p.ends_with(group));
        if let Some(path) = path {
            return Some((pid, path.as_bytes().to_vec()));
        }
    }
    None
}

/// Asks a daemon in HTTP; status and body.
pub fn http(socket: &Path, method: &str, path: &str, kind: &str, body: &[u8]) -> (u16, Vec<u8>) {
    let mut stream = UnixStream::connect(socket).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let head = format!(
        "{method} {path} HTTP/1.0\r\nHost: d\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(body).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let text = String::from_utf8_lossy(&answer);
    let status = text.split(' ').nth(1).and_then(|s| s.parse().ok()).unwrap_or(0);
    let at = text.find("\r\n\r\n").map_or(answer.len(), |at| at + 4);
    (status, answer[at..].to_vec())
}

/// The unified tree.
pub fn unified() -> PathBuf {
    let own = Path::new("/sys/fs/cgroup/unified");
    if own.join("cgroup.procs").exists() { own.into() } else { "/sys/fs/cgroup".into() }
}

/// The line of `sysreel containers -j` with this in it; blank if there is none.
pub fn listed(options: &[&str], with: &str) -> String {
    let done = crate::cli::sysreel().args(["containers", "-j"]).args(options).output().unwrap();
    let text = String::from_utf8(done.stdout).unwrap();
    text.lines().find(|l| l.contains(with)).unwrap_or_default().to_owned()
}

/// A label's value.
pub fn label<'a>(labels: &'a [(Bytes, Bytes)], name: &str) -> Option<&'a str> {
    let found = labels.iter().find(|(k, _)| **k == *name.as_bytes());
    found.map(|(_, v)| std::str::from_utf8(v).unwrap())
}

/// A text that is known, or nothing.
pub fn text(value: &Option<Box<[u8]>>) -> &str {
    value.as_deref().map_or("", |v| std::str::from_utf8(v).unwrap())
}

impl Drop for Lab {
    fn drop(&mut self) {
        for daemon in self.daemons.iter_mut().rev() {
            let pid = rustix::process::Pid::from_child(daemon);
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
            let start = Instant::now();
            while start.elapsed() < Duration::from_secs(15) && daemon.try_wait().is_ok_and(|s| s.is_none()) {
                std::thread::sleep(Duration::from_millis(10));
            }
            let _ = daemon.kill();
            let _ = daemon.wait();
        }
        let dir = self.dir.path().to_str().unwrap().to_owned();
        kill_those_of(&dir);
        for _ in 0..3 {
            let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
            let points: Vec<&str> =
                mounts.lines().filter_map(|l| l.split(' ').nth(4)).filter(|p| p.starts_with(&dir)).collect();
            for point in points.iter().rev() {
                let _ = Command::new("umount").args(["-l", point]).stderr(Stdio::null()).status();
            }
        }
        // Dead processes leave their control groups a little later.
        for _ in 0..10 {
            if sweep() {
                break;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

fn space(pid: &str) -> Option<PathBuf> {
    fs::read_link(format!("/proc/{pid}/ns/mnt")).ok()
}

/// True if a process sees a mount that comes of the directory: a container of a test that failed.
fn mounted(pid: i32, dir: &str) -> bool {
    fs::read_to_string(format!("/proc/{pid}/mountinfo")).is_ok_and(|m| m.contains(dir))
}

/// Ends what still names the directory in its arguments or works in it (shims, conmons, monitors), and what lives on it.
fn kill_those_of(dir: &str) {
    let pids =
        fs::read_dir("/proc").unwrap().flatten().filter_map(|e| e.file_name().to_str()?.parse::<i32>().ok());
    for pid in pids.filter(|p| *p != std::process::id() as i32) {
        let args = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let cwd = fs::read_link(format!("/proc/{pid}/cwd")).unwrap_or_default();
        let named = args.windows(dir.len()).any(|w| w == dir.as_bytes()) || cwd.starts_with(dir);
        let named = named || (space(&pid.to_string()) != space("self") && mounted(pid, dir));
        if let (true, Some(pid)) = (named, rustix::process::Pid::from_raw(pid)) {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
        }
    }
}

/// Removes control groups without processes that runtimes left. True if nothing was left.
fn sweep() -> bool {
    let mut clean = true;
    let mut roots = vec![PathBuf::from("/sys/fs/cgroup")];
    roots.extend(
        fs::read_dir("/sys/fs/cgroup")
            .into_iter()
            .flatten()
            .flatten()
            .map(|e| e.path())
            .filter(|p| p.is_dir()),
    );
    for root in roots {
        let tops = fs::read_dir(&root).into_iter().flatten().flatten();
        let ours = tops.filter(|e| {
            let name = e.file_name().to_string_lossy().into_owned();
            GROUPS.contains(&name.as_str()) || name.contains("sysreel-lab") || name == "lxc.payload"
        });
        for top in ours {
            clean &= remove(&top.path());
        }
    }
    clean
}

fn remove(group: &Path) -> bool {
    for below in fs::read_dir(group).into_iter().flatten().flatten() {
        if below.file_type().is_ok_and(|t| t.is_dir()) {
            remove(&below.path());
        }
    }
    // It fails for one that is in use, which is as it should be.
    fs::remove_dir(group).is_ok()
}
