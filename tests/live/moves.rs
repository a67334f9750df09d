//! Names while files and directories are renamed, mounted over and unmounted all the time.
//!
//! What is promised: a descriptor has the name that its file had when it was opened, as /proc/PID/fd shows it at that moment;
//! what is renamed later keeps it (/proc shows the present). A count that goes up before and after each change tells the actor
//! whether one came in between.
#![allow(unsafe_code, reason = "what is tested are system calls as such")]
#![allow(clippy::print_stdout, reason = "facts go to the test that started us")]

use std::collections::BTreeMap;
use std::ffi::CString;
use std::fs;
use std::os::unix::fs::symlink;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::rig::{actor, alone, loudly, reread, run};

const NONE: *const libc::c_char = std::ptr::null();

fn c(text: &str) -> CString {
    CString::new(text).unwrap()
}

struct Dice(u64);

impl Dice {
    fn roll(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((self.0 >> 11) % n as u64) as usize
    }
}

const DIRS: [&str; 4] = ["a", "b", "a/in", "b/in"];
const FILES: [&str; 6] = ["a/f", "b/f", "a/in/f", "b/in/f", "a/link", "b/../a/in/f"];

/// One change of the tree.
fn change(dice: &mut Dice) {
    let dir = |dice: &mut Dice| c(DIRS[dice.roll(4)]);
    let (from, to) = (dir(dice), dir(dice));
    let (file, other) = (c(FILES[dice.roll(4)]), c(FILES[dice.roll(4)]));
    unsafe {
        match dice.roll(8) {
            0 | 1 => _ = libc::renameat2(libc::AT_FDCWD, from.as_ptr(), libc::AT_FDCWD, to.as_ptr(), 2),
            2 => _ = libc::renameat2(libc::AT_FDCWD, file.as_ptr(), libc::AT_FDCWD, other.as_ptr(), 2),
            3 => {
                libc::unlink(file.as_ptr());
                libc::close(libc::open(file.as_ptr(), libc::O_CREAT | libc::O_WRONLY, 0o600));
            }
            4 => {
                libc::mount(from.as_ptr(), to.as_ptr(), NONE, libc::MS_BIND, std::ptr::null());
            }
            5 => {
                libc::mount(c"none".as_ptr(), c"b/in".as_ptr(), c"tmpfs".as_ptr(), 0, std::ptr::null());
                libc::close(libc::open(c"b/in/f".as_ptr(), libc::O_CREAT | libc::O_WRONLY, 0o600));
            }
            _ => _ = libc::umount2(to.as_ptr(), libc::MNT_DETACH),
        }
    }
}

/// Threads open, one changes; what was open at the end is looked at again.
pub fn act() {
    let dir = tempfile::tempdir().unwrap();
    let rounds: u64 = std::env::var("SYSREEL_LONG").ok().and_then(|n| n.parse().ok()).unwrap_or(1);
    unsafe {
        assert_eq!(libc::unshare(libc::CLONE_NEWNS), 0);
        let private = libc::MS_REC | libc::MS_PRIVATE;
        assert_eq!(libc::mount(NONE, c"/".as_ptr(), NONE, private, std::ptr::null()), 0);
    }
    std::env::set_current_dir(&dir).unwrap();
    fs::create_dir_all("a/in").unwrap();
    fs::create_dir_all("b/in").unwrap();
    FILES[..4].iter().for_each(|f| fs::write(f, "").unwrap());
    symlink("../b/f", "a/link").unwrap();
    let (changes, over) = (AtomicU64::new(0), AtomicBool::new(false));
    let link = |fd: i32| fs::read_link(format!("/proc/self/fd/{fd}")).unwrap_or_default();
    std::thread::scope(|s| {
        for thread in 0..3u64 {
            let changes = &changes;
            s.spawn(move || {
                let mut dice = Dice(4711 + thread);
                let mut kept = Vec::new();
                let mut facts = String::new();
                for n in 0..3000 * rounds {
                    let number = (thread + 1) * 10_000_000 + n;
                    let before = changes.load(Ordering::SeqCst);
                    let path = c(if n % 5 == 0 { DIRS[dice.roll(4)] } else { FILES[dice.roll(6)] });
                    let fd = unsafe { libc::open(path.as_ptr(), libc::O_RDONLY) };
                    if fd < 0 {
                        continue;
                    }
                    let shown = link(fd);
                    if before % 2 == 0 && changes.load(Ordering::SeqCst) == before {
                        facts += &format!("{number} {}\n", shown.display());
                        unsafe { libc::lseek(fd, number as i64, libc::SEEK_SET) };
                    }
                    if n % 200 == 0 {
                        kept.push((fd, number));
                    } else {
                        unsafe { libc::close(fd) };
                    }
                }
                for (fd, number) in kept {
                    // Whatever its file is called by now.
                    unsafe { libc::lseek(fd, (number + 5_000_000) as i64, libc::SEEK_SET) };
                }
                print!("{facts}");
            });
        }
        let (changes, over) = (&changes, &over);
        let changer = s.spawn(move || {
            let mut dice = Dice(99);
            let mut count = 0u64;
            while !over.load(Ordering::SeqCst) && count < 4000 * rounds {
                changes.fetch_add(1, Ordering::SeqCst);
                change(&mut dice);
                changes.fetch_add(1, Ordering::SeqCst);
                count += 1;
                unsafe { libc::usleep(100) };
            }
        });
        let _ = changer.join();
        over.store(true, Ordering::SeqCst);
    });
    // So that the directory can be removed.
    for _ in 0..200 {
        for dir in DIRS {
            unsafe { libc::umount2(c(dir).as_ptr(), libc::MNT_DETACH) };
        }
    }
}

#[test]
fn a_name_is_that_of_the_open_whatever_moves() {
    let _alone = alone!();
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let reel = dir.path().join("t.reel");
    let kept = run(&["-w", reel.to_str().unwrap(), "--ring", "64m"], &actor("moves"));
    assert_eq!((kept.status.code(), kept.totals().1), (Some(0), 0), "{}", kept.stderr);
    let truth: BTreeMap<&str, &str> = kept.stdout.lines().filter_map(|l| l.split_once(' ')).collect();
    let form = "%evt.rawarg.offset %evt.certain %fd.name";
    let filter = "evt.type = lseek and evt.rawarg.offset >= 10000000";
    let (status, lines, err) = reread(&reel, &["-p", form, filter]);
    assert_eq!(status, 0, "{err}");
    let (mut right, mut later, mut unsure, mut wrong) = (0, 0, 0, Vec::new());
    for line in &lines {
        let [number, certain, name] = line.splitn(3, ' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let at_once = truth.get(number);
        let number: u64 = number.parse().unwrap();
        let of_open = number.checked_sub(5_000_000).map(|n| n.to_string());
        let Some(told) = at_once.or_else(|| truth.get(of_open.as_deref()?)) else { continue };
        // It may have been removed between the open and the look, which a rename would have told; not so an unlink by path.
        let told = told.strip_suffix(" (deleted)").unwrap_or(told);
        match (certain, name == told) {
            ("true", true) if at_once.is_some() => right += 1,
            ("true", true) => later += 1,
            ("true", false) => wrong.push(format!("{told}: {line}")),
            _ => unsure += 1,
        }
    }
    loudly(&format!(
        "{right} names right at once and {later} later, {unsure} not certain, {} wrong",
        wrong.len()
    ));
    assert!(wrong.is_empty(), "{:#?}", &wrong[..wrong.len().min(10)]);
    assert!(right > 1000 && later > 5 && unsure * 20 < right, "{right} {later} {unsure}");
}
