//! What was lost is in doubt, and is put right when no more is being lost.

use std::time::Duration;

use super::actor;
use super::rig::{self, alone, run};

/// The number that means another file after the loss.
const FD: i32 = 17;

/// Floods the ring with changes while the reader, its parent, stands still, and then changes what a number means and its
/// own name: nobody sees that.
#[allow(unsafe_code, reason = "what is tested are system calls as such")]
pub fn act() {
    let open = |path: &std::ffi::CStr| unsafe { libc::open(path.as_ptr(), libc::O_RDONLY) };
    let becomes = |path: &std::ffi::CStr| unsafe {
        let fd = open(path);
        libc::dup2(fd, FD);
        libc::close(fd);
    };
    let ask = |at: i64| unsafe { libc::lseek(FD, at, libc::SEEK_SET) };
    becomes(c"/dev/zero");
    ask(1001);
    let reader = unsafe { libc::getppid() };
    unsafe { libc::kill(reader, libc::SIGSTOP) };
    std::thread::sleep(Duration::from_millis(100));
    for _ in 0..100_000 {
        unsafe { libc::close(open(c"/dev/null")) };
    }
    becomes(c"/dev/full");
    unsafe { libc::prctl(libc::PR_SET_NAME, c"other".as_ptr()) };
    unsafe { libc::kill(reader, libc::SIGCONT) };
    for at in 0..300 {
        std::thread::sleep(Duration::from_millis(5));
        ask(2000 + at);
    }
    actor::fact("done", 1);
}

#[test]
fn names_are_doubtful_after_a_loss_and_then_right() {
    let _alone = alone!();
    let form = "%evt.type %evt.rawarg.offset %fd.name %proc.name %evt.certain";
    let done =
        run(&["-p", form, "--ring", "512k", "-v", "evt.type=lseek and fd.num=17"], &rig::actor("heal"));
    let lines: Vec<Vec<&str>> = done.lines.iter().map(|l| l.split_whitespace().collect()).collect();
    let say = || format!("{}\n{:#?}", done.stderr, done.lines);
    assert!(done.totals().1 > 50_000, "{}", say());
    let before = lines.iter().find(|l| l.get(1) == Some(&"1001")).unwrap_or_else(|| panic!("{}", say()));
    assert_eq!((before[2], before[4]), ("/dev/zero", "true"), "{}", say());
    let after: Vec<_> = lines.iter().filter(|l| l[1].starts_with('2')).collect();
    assert!(after.len() > 250, "{}", say());
    for l in &after {
        let right = l[2] == "/dev/full" && l[3] == "other";
        assert!(right || l[4] == "false", "wrong and certain: {l:?} {}", say());
    }
    let certain = after.iter().filter(|l| l[4] == "true").count();
    assert!(certain > 100, "never put right: {certain} {}", say());
    assert!(after.last().is_some_and(|l| l[4] == "true"), "{}", say());
}
