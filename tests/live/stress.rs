//! Every call in every way that stress-ng knows: nothing may break. What is shown is not looked at, only that it can be read.

use std::process::{Command, Stdio};

use super::rig::{alone, installed, loudly, reread, run, skip, totals};

/// Stressors of the classes filesystem, network and os that make many different calls and need little.
const SOME: [&str; 24] = [
    "access",
    "chdir",
    "clone",
    "dentry",
    "dirmany",
    "dup",
    "epoll",
    "eventfd",
    "fcntl",
    "fork",
    "futex",
    "getdent",
    "inotify",
    "iomix",
    "mq",
    "msg",
    "pipe",
    "poll",
    "sem-sysv",
    "sigpending",
    "sockpair",
    "sysinfo",
    "timerfd",
    "udp",
];

/// stress-ng under `run`, into a reel, and the reel reread: both must end well.
fn survive(arguments: &[String]) {
    let dir = tempfile::tempdir().unwrap();
    let reel = dir.path().join("t.reel");
    let mut command = vec!["stress-ng".to_owned(), "--temp-path".into(), dir.path().to_str().unwrap().into()];
    command.extend_from_slice(arguments);
    let done = run(&["-w", reel.to_str().unwrap()], &command);
    assert!(!done.stderr.contains("panicked"), "{}", done.stderr);
    // Stressors may fail for reasons of their own (2), or not be there (3, 4).
    assert!(done.status.code().is_some_and(|c| c <= 4), "{:?}: {}", done.status, done.stderr);
    let (events, lost) = totals(&done.stderr);
    assert!(events > 1000, "{}", done.stderr);
    loudly(&format!("stress-ng: {events} events, {lost} lost"));
    for look in [&["-j", "-v", "-c", "300000"][..], &["-v", "-c", "300000"]] {
        let (status, lines, err) = reread(&reel, look);
        assert_eq!(status, 0, "{err}");
        assert!(lines.len() > 1000 && !err.contains("panicked"), "{err}");
        if look[0] == "-j" {
            for line in &lines {
                let value: Result<serde_json::Value, _> = serde_json::from_str(line);
                assert!(value.is_ok(), "{line}");
            }
        }
    }
}

#[test]
fn stress_breaks_nothing() {
    let _alone = alone!();
    if !installed("stress-ng") {
        return skip("stress-ng is not installed");
    }
    let mut arguments: Vec<String> = vec!["--timeout".into(), "2".into()];
    for name in SOME {
        arguments.extend([format!("--{name}"), "1".into()]);
    }
    survive(&arguments);
}

/// Stressors that take more of the machine than is theirs: its memory, its CPUs, its clock, thousands of processes, devices.
const NOT: &str = "cpu-online,memhotplug,reboot,oom-pipe,swap,pageswap,bigheap,brk,stack,fork,vfork,vforkmany,forkheavy,\
                   watchdog,klog,clock,quota,plugin,tlb-shootdown,bad-ioctl,dev,dev-shm,sysfs,kvm,efivar,resources,\
                   mlockmany,spawn,daemon,zombie,rawdev,ramfs,umount,mmapmany,pagemove,apparmor,smi,sync-file,hdd,physpage,\
                   netdev,rtc,vm-splice,idle-page,loop";

/// The classes as a whole, one stressor after the other: minutes. `cargo test -- --ignored whole_classes`
#[test]
#[ignore = "several minutes"]
fn whole_classes_break_nothing() {
    let _alone = alone!();
    let known = Command::new("stress-ng").arg("--version").stdout(Stdio::null()).status().is_ok();
    assert!(known, "stress-ng is not installed");
    for class in ["network", "filesystem", "os"] {
        let words = ["--class", class, "--sequential", "1", "--timeout", "1", "--exclude", NOT];
        survive(&words.map(str::to_owned));
    }
}
