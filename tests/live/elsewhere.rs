//! Processes that see another world than the host's: other users, another root. What is shown of them is what they see, and no
//! name of the host's that means somebody else there.
#![allow(unsafe_code, reason = "what is tested are system calls as such")]

use std::ffi::CString;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::actor::{fact, forked, wait};
use super::rig::{Background, actor, alone, reread, run};
use crate::cli::sysreel;

/// Is killed when it is no longer needed.
struct Guest(Child);

impl Drop for Guest {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

fn asked() {
    unsafe { libc::syscall(libc::SYS_getppid) };
}

/// Processes go into other user namespaces in every way there is, and call getppid before and after it.
pub fn act() {
    unsafe {
        asked();
        // Born there, and gone at once.
        let mut arguments = [0u64; 11];
        (arguments[0], arguments[4]) = (libc::CLONE_NEWUSER as u64, libc::SIGCHLD as u64);
        let born = libc::syscall(libc::SYS_clone3, arguments.as_ptr(), 88) as i32;
        if born == 0 {
            asked();
            libc::_exit(0);
        }
        fact("born", born);
        wait(born);
        // By its own will; its child too, which starts another program.
        let (mut ready, mut over) = ([0; 2], [0; 2]);
        libc::pipe(ready.as_mut_ptr());
        libc::pipe(over.as_mut_ptr());
        let left = forked(|| {
            asked();
            assert_eq!(libc::unshare(libc::CLONE_NEWUSER), 0);
            asked();
            wait(forked(|| {
                asked();
                0
            }));
            libc::write(ready[1], [0u8].as_ptr().cast(), 1);
            libc::read(over[0], [0u8; 1].as_mut_ptr().cast(), 1);
            0
        });
        fact("left", left);
        libc::read(ready[0], [0u8; 1].as_mut_ptr().cast(), 1);
        // Into one that is there.
        for (name, flags) in [("joined", libc::CLONE_NEWUSER), ("followed", 0)] {
            let child = forked(|| {
                asked();
                let path = CString::new(format!("/proc/{left}/ns/user")).unwrap();
                let fd = libc::open(path.as_ptr(), libc::O_RDONLY);
                assert_eq!(libc::setns(fd, flags), 0);
                asked();
                0
            });
            fact(name, child);
            wait(child);
        }
        // Another kind of namespace changes nothing.
        let network = forked(|| {
            libc::unshare(libc::CLONE_NEWUTS);
            asked();
            0
        });
        fact("network", network);
        wait(network);
        libc::write(over[1], [0u8].as_ptr().cast(), 1);
        wait(left);
        asked();
        fact("main", libc::getpid());
    }
}

/// A uid of another user namespace is a number: the host's name for it is somebody else.
#[test]
fn users_of_another_namespace_have_no_names_of_the_host() {
    let _alone = alone!();
    if !is_root() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let reel = dir.path().join("t.reel");
    let kept = run(&["-w", reel.to_str().unwrap()], &actor("elsewhere"));
    assert_eq!((kept.status.code(), kept.totals().1), (Some(0), 0), "{}", kept.stderr);
    let form = "%proc.pid|%proc.ppid|%user.uid|%user.name|%user.homedir|%group.name|%evt.certain";
    let (_, lines, _) = reread(&reel, &["-p", form, "evt.type = getppid"]);
    let live = run(&["-p", form, "evt.type = getppid"], &actor("elsewhere"));
    for (lines, facts) in [(&lines, &kept), (&live.lines, &live)] {
        let rows: Vec<Vec<&str>> = lines.iter().map(|l| l.split('|').collect()).collect();
        let of = |column: usize, who: &str| -> Vec<bool> {
            let who = facts.fact(who).to_string();
            let named = |row: &&Vec<&str>| match row[2..] {
                ["0", "root", "/root", "root", "true"] => true,
                ["0", "-", "-", "-", "true"] => false,
                _ => panic!("{row:?}"),
            };
            rows.iter().filter(|row| row[column] == who).map(|row| named(&row)).collect()
        };
        assert_eq!(of(0, "main"), [true, true]);
        assert_eq!(of(0, "born"), [false]);
        for who in ["left", "joined", "followed"] {
            assert_eq!(of(0, who), [true, false], "{who}");
        }
        assert_eq!(of(0, "network"), [true]);
        assert_eq!(of(1, "left"), [false], "a child");
    }
}

/// The same of one that was there before: by /proc.
#[test]
fn a_namespace_from_before_is_known() {
    let _alone = alone!();
    if !is_root() {
        return;
    }
    let script = "while sleep 0.1; do :; done";
    let guest = Command::new("unshare")
        .args(["-U", "-r", "sh", "-c", script])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let guest = Guest(guest.unwrap());
    std::thread::sleep(Duration::from_millis(300));
    let host = Guest(Command::new("sh").args(["-c", script]).spawn().unwrap());
    let (there, here) = (guest.0.id().to_string(), host.0.id().to_string());
    for (who, name, cell) in [(&there, "-", "0"), (&here, "root", "root")] {
        let filter = format!("proc.pid = {who}");
        let of = |args: &[&str]| {
            let done = sysreel().arg("ps").args(args).arg(&filter).output().unwrap();
            String::from_utf8(done.stdout).unwrap().trim_end().to_owned()
        };
        assert_eq!(of(&["-p", "%user.uid %user.name %group.name"]), format!("0 {name} {name}"));
        let table = of(&["--no-header"]);
        assert_eq!(table.split_whitespace().nth(2), Some(cell), "{table}");
    }
    let filter = format!("proc.ppid in ({there}, {here}) or proc.pid in ({there}, {here})");
    let capture = Background::start(&["-p", "%proc.pid %proc.ppid %user.name", &filter]);
    std::thread::sleep(Duration::from_millis(700));
    let (lines, said, _) = capture.stop();
    for (who, name) in [(&there, "-"), (&here, "root")] {
        let mine: Vec<&String> = lines.iter().filter(|l| l.split(' ').take(2).any(|w| w == who)).collect();
        assert!(mine.len() > 10, "{said}");
        for line in mine {
            assert!(line.ends_with(&format!(" {name}")), "{line}");
        }
    }
}

/// A directory that is a root: this program's own, statically linked, is in it.
fn jail() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for name in ["etc", "home/me"] {
        fs::create_dir_all(dir.path().join(name)).unwrap();
    }
    fs::copy(std::env::current_exe().unwrap(), dir.path().join("actor")).unwrap();
    fs::write(dir.path().join("etc/motd"), "hello").unwrap();
    fs::write(dir.path().join("home/me/file"), "").unwrap();
    dir
}

/// Goes into the root that is its working directory, keeps a file open, and opens it again from time to time.
pub fn jailed() {
    unsafe {
        if libc::access(c"/actor".as_ptr(), libc::F_OK) != 0 {
            assert_eq!(libc::chroot(c".".as_ptr()), 0);
            assert_eq!(libc::chdir(c"/home/me".as_ptr()), 0);
            let none: *const libc::c_char = std::ptr::null();
            unsafe extern "C" {
                static environ: *const *const libc::c_char;
            }
            libc::execve(c"/actor".as_ptr(), [c"/actor".as_ptr(), none].as_ptr(), environ);
            panic!("no exec");
        }
        let before = libc::open(c"/etc/motd".as_ptr(), libc::O_RDONLY);
        loop {
            libc::lseek(before, 4711, libc::SEEK_SET);
            let now = libc::open(c"/etc/motd".as_ptr(), libc::O_RDONLY);
            libc::lseek(now, 4712, libc::SEEK_SET);
            libc::close(now);
            libc::close(libc::open(c"file".as_ptr(), libc::O_RDONLY));
            libc::usleep(30_000);
        }
    }
}

/// Paths of a process in another root: what was read from /proc is as what the kernel tells.
#[test]
fn paths_in_another_root_are_the_same_from_before_and_from_now() {
    let _alone = alone!();
    if !is_root() {
        return;
    }
    let dir = jail();
    let start = || {
        let words = actor("jailed");
        let mut command = Command::new(&words[0]);
        Guest(command.args(&words[1..]).current_dir(&dir).stdout(Stdio::null()).spawn().unwrap())
    };
    let before = start();
    std::thread::sleep(Duration::from_millis(300));
    let form = "%proc.pid %evt.type %evt.rawarg.offset %fd.name %fs.path.name %proc.exepath %proc.cwd";
    let filter = "proc.exepath = /actor and evt.type in (lseek, openat, open)";
    let capture = Background::start(&["-p", form, filter]);
    let born = start();
    std::thread::sleep(Duration::from_millis(500));
    let (lines, said, _) = capture.stop();
    let mut seen = Vec::new();
    for guest in [&before, &born] {
        let mine = format!("{} ", guest.0.id());
        let lines: Vec<&str> = lines.iter().filter_map(|l| l.strip_prefix(&mine)).collect();
        let mut kinds: Vec<&str> = lines.iter().map(|l| &**l).filter(|l| l.starts_with("lseek 47")).collect();
        // What was opened a moment before its /proc was read, and was not there any more, has no name.
        let nameless = kinds.iter().filter(|l| l.starts_with("lseek 4712 - - ")).count();
        assert!(nameless < 3, "{lines:?}");
        kinds.retain(|l| !l.starts_with("lseek 4712 - - "));
        kinds.sort_unstable();
        kinds.dedup();
        let want = ["lseek 4711 /etc/motd - /actor /home/me", "lseek 4712 /etc/motd - /actor /home/me"];
        assert_eq!(kinds, want, "{said}");
        let relative =
            lines.iter().filter(|l| l.contains("- /home/me/file /home/me/file /actor /home/me")).count();
        assert!(relative > 3, "{lines:?}");
        seen.push(lines.len());
    }
    assert!(seen.iter().all(|n| *n > 20), "{seen:?}");
    // The tables of now too.
    let filter = format!("proc.pid = {}", before.0.id());
    let list = |what: &str, form: &str| {
        let done = sysreel().args([what, "-p", form, &filter]).output().unwrap();
        String::from_utf8(done.stdout).unwrap()
    };
    assert_eq!(list("ps", "%proc.exepath %proc.cwd"), "/actor /home/me\n");
    assert!(list("lsof", "%fd.name").lines().any(|l| l == "/etc/motd"));
    let link = fs::read_link(format!("/proc/{}/cwd", before.0.id())).unwrap();
    assert!(link.ends_with("home/me") && link != Path::new("/home/me"), "{link:?}");
}
