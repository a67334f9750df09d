//! Processes in pid namespaces within each other, as a capture tells of them: with the host's numbers, each with its parent and
//! with what it has open.
#![allow(unsafe_code, reason = "what is tested are system calls as such")]
#![allow(clippy::print_stdout, reason = "facts go to the test that started us")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;
use std::time::{Duration, SystemTime};

use super::actor::forked;
use super::rig::{actor, alone, skip};
use crate::cli::sysreel;

/// Opens a file in the background of what it has, and says that it is ready.
fn stays(path: &std::ffi::CStr, ready: i32) -> ! {
    unsafe {
        libc::open(path.as_ptr(), libc::O_RDONLY);
        libc::write(ready, b"x".as_ptr().cast(), 1);
        loop {
            libc::pause();
        }
    }
}

fn wait_for(ready: i32) {
    unsafe { libc::read(ready, [0u8; 1].as_mut_ptr().cast(), 1) };
    // Starts are told in ticks of 10 ms.
    std::thread::sleep(Duration::from_millis(30));
}

/// The actor: a process in a namespace of its own, which has children there, unshares it once more and has others.
pub fn act() {
    let mut ready = [0; 2];
    unsafe { libc::pipe(ready.as_mut_ptr()) };
    let [from, to] = ready;
    if unsafe { libc::unshare(libc::CLONE_NEWPID) } != 0 {
        return println!("refused");
    }
    let first = forked(|| unsafe {
        let passwd = libc::open(c"/etc/passwd".as_ptr(), libc::O_RDONLY);
        forked(|| stays(c"/etc/group", to));
        wait_for(from);
        libc::close(passwd);
        libc::open(c"/dev/zero".as_ptr(), libc::O_RDONLY);
        libc::unshare(libc::CLONE_NEWPID);
        for path in [c"/etc/fstab", c"/etc/hosts"] {
            forked(|| stays(path, to));
            wait_for(from);
            libc::open(c"/dev/full".as_ptr(), libc::O_RDONLY);
        }
        println!("ready");
        let _ = std::io::stdout().flush();
        libc::pause();
        0
    });
    unsafe {
        libc::read(0, [0u8; 1].as_mut_ptr().cast(), 1);
        // With the first of a namespace all others in it end.
        libc::kill(first, libc::SIGKILL);
        libc::waitpid(first, std::ptr::null_mut(), 0);
    }
}

/// Parent and descriptors of each process, by its number.
type Tree = BTreeMap<u32, (u32, BTreeMap<u32, String>)>;

/// What descends from a process.
fn tree(top: u32) -> Tree {
    let mut all = Tree::new();
    let mut parents = BTreeSet::from([top]);
    loop {
        let before = all.len();
        for entry in fs::read_dir("/proc").unwrap().flatten() {
            let Some(pid) = entry.file_name().to_str().and_then(|n| n.parse::<u32>().ok()) else { continue };
            let stat = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
            let Some((_, rest)) = stat.rsplit_once(')') else { continue };
            let ppid: u32 = rest.split_whitespace().nth(1).unwrap().parse().unwrap();
            if !parents.contains(&ppid) {
                continue;
            }
            let fds = fs::read_dir(entry.path().join("fd")).unwrap().flatten().filter_map(|fd| {
                let link = fs::read_link(fd.path()).ok()?.to_str()?.to_owned();
                Some((fd.file_name().to_str()?.parse().ok()?, link))
            });
            all.insert(pid, (ppid, fds.collect()));
            parents.insert(pid);
        }
        if all.len() == before {
            return all;
        }
    }
}

#[test]
fn children_in_other_pid_namespaces_have_their_parents_and_what_they_opened() {
    let _alone = alone!();
    if !rustix::process::geteuid().is_root() {
        return skip("only root makes pid namespaces");
    }
    let dir = tempfile::tempdir().unwrap();
    let reel = dir.path().join("t.reel");
    let mut capture = sysreel()
        .args(["run", "-w", reel.to_str().unwrap(), "--"])
        .args(actor("nested"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(capture.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "ready\n");
    std::thread::sleep(Duration::from_millis(200));
    let truth = tree(capture.id());
    let at = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_nanos().to_string();
    std::thread::sleep(Duration::from_millis(200));
    capture.stdin.take().unwrap().write_all(b"x").unwrap();
    let done = capture.wait_with_output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    // The actor, the first in the new namespace, one there, two in the next.
    assert_eq!(truth.len(), 5, "{truth:?}");
    let list = |what: &str, form: &str| -> Vec<String> {
        let done =
            sysreel().args([what, "-r", reel.to_str().unwrap(), "--at", &at, "-p", form]).output().unwrap();
        let text = String::from_utf8(done.stdout).unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        text.lines().map(str::to_owned).collect()
    };
    let processes: BTreeSet<String> = list("ps", "%proc.pid %proc.ppid").into_iter().collect();
    let want: BTreeSet<String> = truth.iter().map(|(pid, (ppid, _))| format!("{pid} {ppid}")).collect();
    assert!(want.is_subset(&processes), "{want:?} {processes:?}");
    let open: BTreeSet<String> =
        list("lsof", "%proc.pid %fd.num %fd.name %evt.certain").into_iter().collect();
    for (pid, (_, fds)) in &truth {
        for (fd, name) in
            fds.iter().filter(|(_, name)| name.starts_with("/etc/") || name.starts_with("/dev/zero"))
        {
            assert!(open.contains(&format!("{pid} {fd} {name} true")), "{pid} {fd} {name}: {open:?}");
        }
        // Nothing that it has closed, or never had.
        for line in open.iter().filter(|l| l.starts_with(&format!("{pid} ")) && l.ends_with(" true")) {
            let words: Vec<&str> = line.split(' ').collect();
            if let Ok(fd) = words[1].parse::<u32>() {
                assert_eq!(fds.get(&fd).map(String::as_str), Some(words[2]), "{line}");
            }
        }
    }
}
