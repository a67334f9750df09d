//! Processes that use one descriptor table, and were there before the start: what the one opens, the other means.
#![allow(unsafe_code, reason = "what is tested are system calls as such")]
#![allow(clippy::print_stdout, reason = "facts go to the test that started us")]

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdout, Command, Stdio};

use super::rig::{Background, actor, alone};

/// The number that all is about.
const FD: libc::c_int = 50;

/// The number becomes a file.
unsafe fn becomes(path: &std::ffi::CStr) {
    unsafe {
        let fd = libc::open(path.as_ptr(), libc::O_RDONLY);
        libc::dup2(fd, FD);
        libc::close(fd);
    }
}

/// A call that does nothing but name the number, and the step.
unsafe fn look(step: i64) {
    unsafe { libc::syscall(libc::SYS_lseek, FD, step, 99) };
}

/// A child on the same table takes its turns with its parent, which first waits for a line.
pub fn act() {
    unsafe {
        let mut there = [[0; 2]; 2];
        there.iter_mut().for_each(|pipe| _ = libc::pipe(pipe.as_mut_ptr()));
        let [to_child, to_parent] = there;
        let wait = |pipe: [i32; 2]| _ = libc::read(pipe[0], [0u8; 1].as_mut_ptr().cast(), 1);
        let wake = |pipe: [i32; 2]| _ = libc::write(pipe[1], [0u8].as_ptr().cast(), 1);
        becomes(c"/dev/null");
        let flags = libc::CLONE_FILES | libc::SIGCHLD;
        let child = libc::syscall(libc::SYS_clone, flags, 0, 0, 0, 0) as i32;
        if child == 0 {
            wait(to_child);
            becomes(c"/dev/zero");
            wake(to_parent);
            wait(to_child);
            look(2);
            wake(to_parent);
            wait(to_child);
            libc::unshare(libc::CLONE_FILES);
            becomes(c"/dev/full");
            look(3);
            wake(to_parent);
            libc::_exit(0);
        }
        println!("child {child}");
        let _ = std::io::stdout().flush();
        libc::read(0, [0u8; 1].as_mut_ptr().cast(), 1);
        look(0);
        wake(to_child);
        wait(to_parent);
        look(1);
        becomes(c"/dev/random");
        wake(to_child);
        wait(to_parent);
        wake(to_child);
        wait(to_parent);
        look(4);
        libc::waitpid(child, std::ptr::null_mut(), 0);
    }
}

struct Two {
    parent: Child,
    child: u32,
    out: BufReader<ChildStdout>,
}

fn two() -> Two {
    let mut parent = Command::new("env")
        .args(&actor("kin")[1..])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = BufReader::new(parent.stdout.take().unwrap());
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    let child = line.trim().rsplit(' ').next().unwrap().parse().unwrap();
    Two { parent, child, out }
}

/// What the number meant at each step, and `?` where that is said to be uncertain.
fn seen(options: &[&str], mut two: Two) -> Vec<String> {
    let ids = [two.parent.id(), two.child].map(|id| id.to_string());
    let filter = format!("evt.type = lseek and fd.num = {FD} and proc.pid in ({}, {})", ids[0], ids[1]);
    let form = "%evt.arg.offset %fd.name %evt.certain";
    let capture = Background::start(&[options, &["-p", form, &filter]].concat());
    two.parent.stdin.take().unwrap().write_all(b"\n").unwrap();
    two.parent.wait().unwrap();
    drop(two.out);
    let (lines, ..) = capture.stop();
    let mut steps: Vec<String> = lines
        .into_iter()
        .map(|line| match line.strip_suffix(" true") {
            Some(certain) => certain.to_owned(),
            None => line.split(' ').next().unwrap().to_owned() + " ?",
        })
        .collect();
    steps.sort();
    steps
}

#[test]
fn what_one_process_opens_another_on_the_same_table_means() {
    let _alone = alone!();
    let truth = ["0 /dev/null", "1 /dev/zero", "2 /dev/random", "3 /dev/full", "4 /dev/random"];
    assert_eq!(seen(&[], two()), truth);
    let both = two();
    let parent = both.parent.id().to_string();
    assert_eq!(seen(&["--pid", &parent], both), truth);
}

/// Nobody tells what the parent does.
#[test]
fn what_a_process_opens_that_is_not_traced_is_not_certain_in_one_that_is() {
    let _alone = alone!();
    let both = two();
    let child = both.child.to_string();
    assert_eq!(seen(&["--pid", &child], both), ["2 ?", "3 ?"]);
}
