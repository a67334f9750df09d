//! What a daemon tells only after a container's first events: later events have it, and the earlier ones on request, marked.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::containerd::daemon;
use super::lab::{IMAGE, lab};
use crate::cli::sysreel;
use crate::live::rig::{alone, interrupt, loudly, reread};

const NAME: &str = "sysreel-lab-late";
const FORM: &str = "%container.id|%container.image|%evt.certain|%container.source";

/// `container image certain source`, of each event in the container.
fn events(reel: &Path, options: &[&str]) -> Vec<[String; 4]> {
    let filter = format!("container.id = {NAME}");
    let (_, lines, _) = reread(reel, &[options, &["-p", FORM, &filter]].concat());
    let words = |l: &String| l.split('|').map(str::to_owned).collect::<Vec<_>>().try_into().unwrap();
    lines.iter().map(words).collect()
}

/// How many have no image yet; the others have it, and come after them.
fn nameless(all: &[[String; 4]]) -> usize {
    let early = all.iter().take_while(|e| e[1] == "-").count();
    let other = all[early..].iter().find(|e| e[1] != IMAGE);
    assert_eq!(other, None, "behind {early} of {}", all.len());
    early
}

#[test]
fn what_a_daemon_says_late_is_known_of_earlier_events_on_request() {
    let _alone = alone!();
    let mut lab = lab!("containerd", "ctr", "runc", "busybox");
    let daemon = daemon(&mut lab);
    let daemon = Pid::from_raw(daemon as i32).unwrap();
    lab.shell("ctr -a {}/ctd.sock image import {}/lab.tar");
    lab.shell(&format!(
        "ctr -a {{}}/ctd.sock run -d --net-host {IMAGE} {NAME} /bin/sh -c 'while :; do sleep 0.02; done'"
    ));
    // Only the daemon's database tells the image of such a container. With its settings gone nobody but itself knows where that
    // is, and it is busy when the first events are seen.
    fs::remove_file(lab.at("c.toml")).unwrap();
    kill_process(daemon, Signal::STOP).unwrap();
    let first = lab.at("t.reel");
    let mut command = sysreel();
    command.arg("-w").arg(&first).args(["--ring", "64M"]).stderr(Stdio::piped()).stdout(Stdio::null());
    let child = command.spawn().unwrap();
    lab.until("the capture", || fs::metadata(&first).ok().filter(|m| m.len() > 0));
    std::thread::sleep(Duration::from_millis(700));
    kill_process(daemon, Signal::CONT).unwrap();
    lab.until("the image", || events(&first, &[]).last().filter(|e| e[1] == IMAGE).map(drop));
    // A new file, which mentions the container only as it is known by now.
    kill_process(Pid::from_child(&child), Signal::HUP).unwrap();
    let second: PathBuf = lab.at("t-000002.reel");
    lab.until("the second file", || second.exists().then_some(()));
    std::thread::sleep(Duration::from_millis(500));
    interrupt(&child);
    let done = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{said}");
    lab.shell(&format!(
        "ctr -a {{}}/ctd.sock task kill -s KILL {NAME}; sleep 0.3; ctr -a {{}}/ctd.sock container rm {NAME}"
    ));

    // As it was.
    let plain = events(&first, &[]);
    let early = nameless(&plain);
    assert!(early > 10 && plain.len() > early, "{early} of {}", plain.len());
    // (Descriptors of who was there before may be uncertain as well.)
    assert!(plain[..early].iter().all(|e| !e[3].contains("socket") && !e[3].contains("late")));
    // As it became known, in the file that was complete before the capture's end.
    let late = events(&first, &["--late-names"]);
    assert_eq!(late.len(), plain.len());
    for e in &late[..early] {
        assert_eq!((&*e[1], &*e[2]), (&*format!("~{IMAGE}"), "false"), "{e:?}");
        assert!(e[3].contains("late"), "{e:?}");
    }
    for (now, was) in late[early..].iter().zip(&plain[early..]) {
        assert_eq!(now, was);
    }
    let filter = format!("container.image = {IMAGE} and evt.certain = false");
    let (_, found, _) = reread(&first, &["--late-names", "-p", "%evt.num", &filter]);
    assert_eq!(found.len(), early + reread(&first, &["-p", "%evt.num", &filter]).1.len());
    let after = events(&second, &[]);
    assert!(!after.is_empty() && nameless(&after) == 0, "{}", after.len());
    loudly(&format!("{early} of {} events came before the image was known", plain.len()));
}
