//! Control groups: a process is shown with the one that it is in, from the first call there on.

#![allow(unsafe_code, reason = "what is tested are system calls as such")]

use std::ffi::CString;
use std::fs;
use std::path::{Path, PathBuf};

use super::actor::fact;
use super::rig::{Background, actor, alone, loudly, reread, run};

/// Where a control group of the unified tree can be made.
pub fn unified() -> Option<PathBuf> {
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
    let line = mounts.lines().find(|l| l.contains(" - cgroup2 "))?;
    Some(PathBuf::from(line.split(' ').nth(4)?))
}

/// A control group of our own; it goes when nobody is in it any more.
pub struct Made {
    pub dir: PathBuf,
    /// As the kernel and /proc name it.
    pub path: String,
}

impl Made {
    pub fn new(name: &str) -> Option<Made> {
        let path = format!("/sysreel-test-{}-{name}", std::process::id());
        Made::at(&path)
    }

    /// All that is missing is made.
    pub fn at(path: &str) -> Option<Made> {
        let dir = unified()?.join(path.trim_start_matches('/'));
        if let Err(e) = fs::create_dir_all(&dir) {
            loudly(&format!("no control group can be made: {e}"));
            return None;
        }
        Some(Made { dir, path: path.to_owned() })
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.dir);
        if self.path.rfind('/') > Some(0) {
            let _ = self.dir.parent().map(fs::remove_dir);
        }
    }
}

macro_rules! made {
    ($made:expr) => {
        match $made {
            Some(made) => made,
            None => return $crate::live::rig::skip("no control group can be made"),
        }
    };
}

pub(super) use made;

const FORMAT: &str = "%proc.name %evt.type %thread.cgroups %evt.args";

fn script(to: &Path) -> String {
    format!("echo $$ > {}/cgroup.procs; exec cat /dev/null", to.display())
}

/// `name call group`, of the program that is run after the move and of the one before.
fn look(lines: &[String]) -> (Vec<&str>, Vec<&str>) {
    let of = |name: &str| -> Vec<&str> {
        lines.iter().filter(|l| l.starts_with(name)).map(|l| l.split(' ').nth(2).unwrap()).collect()
    };
    (of("sh "), of("cat "))
}

#[test]
fn a_process_that_is_moved_is_shown_where_it_is() {
    let _alone = alone!();
    let group = made!(Made::new("moved"));
    let before = fs::read_to_string("/proc/self/cgroup").unwrap();
    let dir = tempfile::tempdir().unwrap();
    let reel = dir.path().join("t.reel");
    let done = run(&["-p", FORMAT], &["sh", "-c", &script(&group.dir)]);
    let (sh, cat) = look(&done.lines);
    // The write that moved it has ended when it was moved.
    let moved = done.lines.iter().position(|l| l.starts_with("sh write ")).expect("the shell writes");
    let first = sh[0];
    assert!(before.lines().any(|l| l.ends_with(first)) && first != group.path, "{first}");
    for (at, line) in done.lines.iter().enumerate().filter(|(_, l)| l.starts_with("sh ")) {
        let is = line.split(' ').nth(2).unwrap();
        assert_eq!(is, if at < moved { first } else { &group.path }, "{line}");
    }
    assert!(cat.len() > 10 && cat.iter().all(|g| *g == group.path), "{:?}", done.lines);
    // And in the reel.
    let done = run(&["-w", reel.to_str().unwrap()], &["sh", "-c", &script(&group.dir)]);
    assert!(done.status.success(), "{}", done.stderr);
    let (_, lines, _) = reread(&reel, &["-p", FORMAT]);
    let (again, cats) = look(&lines);
    assert_eq!((again.len(), again[0]), (sh.len(), first));
    assert!(cats.len() == cat.len() && cats.iter().all(|g| *g == group.path), "{lines:?}");
}

/// Of the whole host as well: the process and its group are met in any order.
#[test]
fn moves_are_told_of_every_process_of_the_host() {
    let _alone = alone!();
    let group = made!(Made::new("host"));
    let background = Background::start(&["-p", FORMAT, "proc.name in (sh, cat)"]);
    for _ in 0..20 {
        let mut sh = std::process::Command::new("sh").args(["-c", &script(&group.dir)]).spawn().unwrap();
        sh.wait().unwrap();
    }
    let (lines, stderr, _) = background.stop();
    let (_, cat) = look(&lines);
    let here = cat.iter().filter(|g| **g == group.path).count();
    assert!(here >= 20 * 10, "{here} of {}: {stderr}", cat.len());
    let mine = lines.iter().filter(|l| l.starts_with("cat execve ") && l.contains(&group.path)).count();
    assert_eq!(mine, 20, "{stderr}");
}

/// The actor: a child that is born into the group, by CLONE_INTO_CGROUP, and one that is born beside it.
pub fn act() {
    let dir = CString::new(std::env::var("SYSREEL_GROUP").unwrap()).unwrap();
    unsafe {
        let fd = libc::open(dir.as_ptr(), libc::O_PATH | libc::O_DIRECTORY | libc::O_CLOEXEC);
        assert!(fd >= 0);
        for into in [true, false] {
            let mut args: libc::clone_args = std::mem::zeroed();
            args.exit_signal = libc::SIGCHLD as u64;
            if into {
                // CLONE_INTO_CGROUP (include/uapi/linux/sched.h).
                args.flags = 0x2_0000_0000;
                args.cgroup = fd as u64;
            }
            let size = std::mem::size_of::<libc::clone_args>();
            match libc::syscall(libc::SYS_clone3, &raw const args, size) {
                0 => {
                    libc::getppid();
                    libc::_exit(0);
                }
                child => {
                    assert!(child > 0);
                    libc::waitpid(child as i32, std::ptr::null_mut(), 0);
                    fact(if into { "into" } else { "beside" }, child);
                }
            }
        }
    }
}

#[test]
fn a_child_is_born_into_a_group() {
    let _alone = alone!();
    // One that was made before, and one of which the making was told.
    for known in [false, true] {
        let group = made!(Made::new(if known { "new" } else { "old" }));
        let dir = group.dir.to_str().unwrap().to_owned();
        let mut command = vec!["env".to_owned(), format!("SYSREEL_GROUP={dir}")];
        command.extend(actor("into-group"));
        if known {
            fs::remove_dir(&dir).unwrap();
            let inner = command.join(" ");
            command = ["sh", "-c", &format!("mkdir {dir}; {inner}")].map(str::to_owned).to_vec();
        }
        let done = run(&["-p", "%proc.pid %evt.type %thread.cgroups"], &command);
        let of = |name: &str| -> Vec<&String> {
            let start = format!("{} ", done.fact(name));
            done.lines.iter().filter(|l| l.starts_with(&start)).collect()
        };
        let (into, beside) = (of("into"), of("beside"));
        assert!(into.len() >= 2 && into.iter().all(|l| l.ends_with(&group.path)), "{into:?} {}", done.stderr);
        assert!(beside.len() >= 2 && !beside.iter().any(|l| l.ends_with(&group.path)), "{beside:?}");
    }
}
