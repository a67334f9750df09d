//! What the kernel rejects never matches, and all of it is counted.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::Duration;

use super::actor::{MANY, fact};
use super::rig::{Background, actor, alone, pid, reread, res, run};

/// The process id that is used again and again: far from those that are given out in turn.
pub fn chosen() -> libc::pid_t {
    let most = std::fs::read_to_string("/proc/sys/kernel/pid_max").unwrap();
    most.trim().parse::<libc::pid_t>().unwrap() - 7
}

/// Everything that a bound can be about, in several processes. Waits for a line before it begins.
#[allow(unsafe_code, reason = "what is tested are system calls as such")]
pub fn act() {
    use super::actor::{forked, wait};
    let calls = |n: usize| unsafe {
        for _ in 0..n {
            libc::syscall(libc::SYS_getppid);
            libc::syscall(libc::SYS_close, -1);
        }
        libc::open(c"/nonexistent".as_ptr(), libc::O_RDONLY);
        let fd = libc::open(c"/etc/passwd".as_ptr(), libc::O_RDONLY);
        libc::read(fd, [0u8; 16].as_mut_ptr().cast(), 16);
        libc::close(fd);
        libc::usleep(30_000);
    };
    fact("main", unsafe { libc::getpid() });
    let _ = std::io::stdout().flush();
    unsafe { libc::read(0, [0u8; 1].as_mut_ptr().cast(), 1) };
    calls(20);
    // Orphans come to us.
    unsafe { libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1) };
    let other = forked(|| {
        calls(2);
        unsafe { libc::setresuid(1000, 1000, 1000) };
        calls(3);
        unsafe { libc::setresuid(0, 0, 0) };
        wait(forked(|| {
            calls(4);
            0
        }));
        0
    });
    fact("other", other);
    wait(other);
    // A grandchild that outlives its parent.
    let (mut pipe, mut seen) = ([0; 2], [0; 2]);
    unsafe { libc::pipe(pipe.as_mut_ptr()) };
    unsafe { libc::pipe(seen.as_mut_ptr()) };
    let middle = forked(|| {
        let orphan = forked(|| {
            calls(1);
            unsafe { libc::write(seen[1], [0u8].as_ptr().cast(), 1) };
            unsafe { libc::usleep(100_000) };
            calls(5);
            0
        });
        unsafe { libc::write(pipe[1], orphan.to_ne_bytes().as_ptr().cast(), 4) };
        // Not before it has called once.
        unsafe { libc::read(seen[0], [0u8; 1].as_mut_ptr().cast(), 1) };
        0
    });
    let mut orphan = [0u8; 4];
    unsafe { libc::read(pipe[0], orphan.as_mut_ptr().cast(), 4) };
    fact("middle", middle);
    fact("orphan", i32::from_ne_bytes(orphan));
    wait(middle);
    wait(i32::from_ne_bytes(orphan));
    // One number, three processes, one of them by a thread that is not the leader.
    for round in 0..3 {
        let ids = [chosen()];
        let mut args = [0u64; 11];
        (args[4], args[8], args[9]) = (libc::SIGCHLD as u64, ids.as_ptr() as u64, 1);
        match unsafe { libc::syscall(libc::SYS_clone3, args.as_ptr(), size_of_val(&args)) } {
            0 => {
                calls(round + 1);
                if round == 2 {
                    let exec = std::thread::spawn(|| unsafe {
                        libc::usleep(5000);
                        let args = [c"cat".as_ptr(), c"/nonexistent".as_ptr(), std::ptr::null()];
                        libc::execv(c"/bin/cat".as_ptr(), args.as_ptr());
                    });
                    let _ = exec.join();
                }
                unsafe { libc::_exit(0) }
            }
            pid => {
                fact("chosen", pid);
                wait(pid as libc::pid_t);
            }
        }
    }
    // One thread becomes somebody else, the others do not.
    let alone = forked(|| {
        std::thread::scope(|all| {
            let one = all.spawn(|| {
                unsafe { libc::syscall(libc::SYS_setresuid, 1000, 1000, 1000) };
                calls(3);
            });
            let _ = one.join();
            let _ = all.spawn(|| calls(2)).join();
        });
        calls(1);
        0
    });
    fact("alone", alone);
    wait(alone);
}

pub const FORM: &str =
    "%proc.pid %thread.tid %evt.type %evt.rawres %user.uid %proc.ppid %proc.pname %fd.num %fd.name %proc.cwd";

/// What two captures of the same doings show of the actor's processes: one whose filter the kernel knows, and one that it
/// cannot know.
fn both(filter: &str, form: &str) -> (Vec<String>, Vec<String>, String) {
    let mut child = Command::new("env")
        .args(&actor("reject")[1..])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let filter = filter.replace("MAIN", &child.id().to_string()).replace("CHOSEN", &chosen().to_string());
    let unknown = format!("({filter}) or evt.num = 0");
    let with = Background::start(&["-v", "--ring", "32m", "-p", form, &filter]);
    let without = Background::start(&["--ring", "64m", "-p", form, &unknown]);
    child.stdin.take().unwrap().write_all(b"\n").unwrap();
    let mut ids = vec![child.id().to_string()];
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        ids.extend(line.unwrap().split_once(' ').map(|(_, id)| id.to_owned()));
    }
    let status = child.wait().unwrap();
    std::thread::sleep(Duration::from_millis(300));
    let (a, said, _) = with.stop();
    let (b, said_too, _) = without.stop();
    assert!(status.success() && !ids.contains(&"-1".to_owned()), "{ids:?}");
    assert!(said.contains(" 0 lost\n") && said_too.contains(" 0 lost\n"), "{filter}: {said} {said_too}");
    let own = |lines: Vec<String>| -> Vec<String> {
        let of = |l: &String| -> Vec<String> { l.split(' ').take(2).map(str::to_owned).collect() };
        let mut own: Vec<String> = lines.into_iter().filter(|l| ids.contains(&of(l)[0])).collect();
        // Of two CPUs each capture may see another first.
        own.sort_by_cached_key(of);
        own
    };
    (own(a), own(b), said)
}

/// Calls rejected for a cause, on all CPUs.
pub fn rejected(said: &str, cause: &str) -> u64 {
    let of = |l: &str| -> Option<u64> {
        l.split(&format!(" by {cause}")).next()?.rsplit(' ').next()?.parse().ok()
    };
    let lines = said.lines().filter(|l| l.contains(": rejected "));
    lines.map(|l| of(&l.replace(" calls by", " by")).unwrap_or_else(|| panic!("{l}"))).sum()
}

#[test]
fn the_kernel_rejects_nothing_that_matches() {
    let _alone = alone!();
    for (filter, cause, least) in [
        ("evt.failed = true", "result", 60),
        ("evt.res in (ENOENT, EBADF)", "result", 60),
        ("evt.rawres > 0 and evt.type in (read, clone, clone3, openat)", "result", 20),
        ("evt.latency > 10ms", "latency", 9),
        ("user.uid = 1000", "user", 12),
        ("user.uid != 0", "user", 12),
        ("user.uid = 1000 and evt.failed = true", "user", 6),
        ("proc.pid = MAIN", "process", 60),
        ("proc.ppid = MAIN", "process", 40),
        ("proc.apid = MAIN", "process", 60),
        ("proc.apid = MAIN and evt.latency > 10ms", "latency", 8),
        ("proc.pid = CHOSEN", "process", 20),
        ("proc.pid = CHOSEN and evt.failed = true", "result", 6),
        ("proc.pid in (CHOSEN, MAIN) and evt.type in (openat, close, read)", "process", 20),
    ] {
        let (with, without, said) = both(filter, FORM);
        let differ = with.iter().zip(&without).find(|(a, b)| a != b);
        assert_eq!(with.len(), without.len(), "{filter}: {said}\n{differ:?}\n{with:#?}\n{without:#?}");
        assert!(differ.is_none(), "{filter}: {differ:?}");
        assert!(with.len() >= least, "{filter}: {} events: {said}", with.len());
        assert!(rejected(&said, cause) > 0, "{filter}: {said}");
    }
}

/// Every call of a known number is a record, was dropped, or was rejected for a cause: on each CPU, and together.
#[test]
fn what_is_rejected_is_counted() {
    let _alone = alone!();
    let of = |filter: &str, cause: &str| {
        let done = run(&["-q", "-v", filter], &actor("rate"));
        assert_eq!(done.totals().1, 0, "{}", done.stderr);
        (rejected(&done.stderr, cause), done.totals().0)
    };
    let is_user = if rustix::process::geteuid().is_root() { "user.uid = 4711" } else { "user.uid = 0" };
    for (filter, cause) in [
        ("evt.failed = true", "result"),
        (is_user, "user"),
        ("evt.latency > 10s", "latency"),
        ("proc.pid = 4194303", "process"),
    ] {
        let filter = format!("evt.type = getppid and {filter}");
        let (count, events) = of(&filter, cause);
        if cause == "process" {
            // Everybody else's calls are rejected for that too.
            assert!(count >= MANY && events == 0, "{filter}: {count}");
        } else {
            assert_eq!((count, events), (MANY, 0), "{filter}");
        }
    }
    let (count, _) = of("evt.type = mount", "number");
    assert!(count >= MANY, "{count}");
    // What the probe notes down while it walks through messages is elsewhere than its counts. (It was not.)
    let done = run(&["-q", "-v", "evt.type in (sendmsg, recvmsg, sendmmsg)"], &actor("messages"));
    let count = rejected(&done.stderr, "number");
    assert!(done.totals().0 > 0 && count > 0 && count < 10_000_000, "{}", done.stderr);
}

/// Both CPUs lose events: every number that the probe gave is an event, a change of state, or a loss that stands in the
/// stream where it happened.
#[test]
fn losses_are_accounted_for_on_every_cpu() {
    let _alone = alone!();
    let rate = actor("rate").iter().map(|w| format!("'{w}'")).collect::<Vec<_>>().join(" ");
    let script = format!("taskset -c 0 {rate} & taskset -c 1 {rate} & wait");
    let dir = tempfile::tempdir().unwrap();
    let reel = dir.path().join("t.reel");
    let options =
        ["-v", "--fail-on-loss", "--ring", "256k", "-w", reel.to_str().unwrap(), "evt.type = getppid"];
    let done = run(&options, &["sh", "-c", &script]);
    assert_eq!(done.status.code(), Some(3), "--fail-on-loss: {}", done.stderr);
    let (captured, lost) = done.totals();
    assert!(captured >= 1000 && lost >= 1000 && captured + lost >= 2 * MANY, "{}", done.stderr);
    let (mut delivered, mut dropped, mut cpus) = (0, 0, 0);
    for line in done.stderr.lines().filter(|l| l.contains(" became events, ")) {
        let n: Vec<u64> = line.split(' ').filter_map(|w| w.parse().ok()).collect();
        let [records, events, names, gone] = n[..] else { panic!("{line}") };
        assert_eq!(records, events + names + gone, "{line}");
        (delivered, dropped, cpus) = (delivered + events, dropped + gone, cpus + 1);
    }
    assert!(cpus >= 2 && (delivered, dropped) == (captured, lost), "{}", done.stderr);
    // The same in the file, by CPU and in order, as text and as JSON.
    let (_, lines, _) = reread(&reel, &["-j"]);
    let (mut of_cpu, mut events, mut between) = (std::collections::BTreeMap::<i64, u64>::new(), 0, false);
    let (mut last, mut since) = (String::new(), 0);
    for line in &lines {
        let e: serde_json::Value = serde_json::from_str(line).unwrap();
        if e["type"] == "end" {
            continue;
        }
        let time = e["evt.time"].as_str().unwrap_or_default().to_owned();
        assert!(time.is_empty() || time >= last, "in order of time: {line}");
        last = if time.is_empty() { last } else { time };
        if e["type"] == "lost" {
            let count = e["evt.lost"].as_u64().or(e["lost"].as_u64()).unwrap_or_else(|| panic!("{line}"));
            *of_cpu.entry(e["evt.cpu"].as_i64().unwrap_or_else(|| panic!("{line}"))).or_default() += count;
            between |= since > 0 && events > 0;
            since = 0;
        } else {
            events += 1;
            since += 1;
        }
    }
    assert_eq!((events, of_cpu.values().sum::<u64>()), (captured, lost));
    assert!(of_cpu.len() >= 2 && between, "on both, and not only at the end: {of_cpu:?}");
    let (_, lines, _) = reread(&reel, &[]);
    assert!(lines.iter().any(|l| l.contains("lost")), "as text");
}

/// getppid says who the parent is; so does every event.
#[test]
fn parents_are_those_of_the_moment() {
    let _alone = alone!();
    for name in ["reject", "orphan"] {
        let done = run(&["-j", "evt.type = getppid"], &actor(name));
        let events = done.events();
        assert!(events.len() > 5, "{name}: {}", done.stderr);
        for e in &events {
            assert_eq!(e["proc.ppid"], e["evt.rawres"], "{name}: {e}");
        }
        let orphan = done.fact("orphan");
        let parents: Vec<i64> = events.iter().filter(|e| pid(e) == orphan).map(res).collect();
        assert_eq!(parents[0], done.fact("middle"), "{name}: {parents:?}");
        if name == "reject" {
            assert_eq!(parents.last(), Some(&done.fact("main")), "{parents:?}");
        } else {
            assert_ne!(parents.last(), Some(&done.fact("middle")), "{parents:?}");
        }
    }
    // Ancestors go on from the new parent: of the orphan, and of its child while it says nothing.
    let form = "%proc.pid %evt.rawres %proc.ppid %proc.apid[1] %proc.apid[2] %proc.pname";
    let done = run(&["-p", form, "evt.type = getppid"], &actor("orphan"));
    let (orphan, middle, heir) =
        (done.fact("orphan").to_string(), done.fact("middle").to_string(), done.fact("heir").to_string());
    let words = |l: &String| -> Vec<String> { l.split(' ').map(str::to_owned).collect() };
    let all: Vec<Vec<String>> = done.lines.iter().map(words).collect();
    let of_orphan: Vec<_> = all.iter().filter(|l| l[0] == orphan).collect();
    let reaper = &of_orphan.last().unwrap()[1];
    assert!(of_orphan.iter().all(|l| l[1] == l[2] && l[2] == l[3]), "{of_orphan:?}");
    let of_heir: Vec<_> = all.iter().filter(|l| l[0] == heir).collect();
    assert!(of_heir.iter().all(|l| l[1] == orphan && l[3] == orphan), "{of_heir:?}");
    assert_eq!(of_heir.first().map(|l| &l[4]), Some(&middle), "{of_heir:?}");
    assert_eq!(of_heir.last().map(|l| &l[4]), Some(reaper), "{of_heir:?}");
}

/// A process outlives its parent, and has a child of its own that looks on while it only waits.
#[allow(unsafe_code, reason = "what is tested are system calls as such")]
pub fn orphan() {
    use super::actor::{forked, wait};
    let getppid = || unsafe { libc::syscall(libc::SYS_getppid) };
    let (mut pipe, mut seen) = ([0; 2], [0; 2]);
    unsafe { libc::pipe(pipe.as_mut_ptr()) };
    unsafe { libc::pipe(seen.as_mut_ptr()) };
    let middle = forked(|| {
        let orphan = forked(|| {
            getppid();
            let heir = forked(|| {
                getppid();
                unsafe { libc::write(seen[1], [0u8].as_ptr().cast(), 1) };
                unsafe { libc::usleep(200_000) };
                getppid();
                0
            });
            unsafe { libc::write(pipe[1], heir.to_ne_bytes().as_ptr().cast(), 4) };
            wait(heir);
            for _ in 0..5 {
                getppid();
            }
            0
        });
        unsafe { libc::write(pipe[1], orphan.to_ne_bytes().as_ptr().cast(), 4) };
        // Not before both have called once.
        unsafe { libc::read(seen[0], [0u8; 1].as_mut_ptr().cast(), 1) };
        0
    });
    fact("middle", middle);
    let mut ids = [0; 2];
    for id in &mut ids {
        unsafe { libc::read(pipe[0], std::ptr::from_mut::<i32>(id).cast(), 4) };
    }
    // The child is younger.
    fact("orphan", ids[0].min(ids[1]));
    fact("heir", ids[0].max(ids[1]));
    wait(middle);
    unsafe { libc::usleep(300_000) };
}
