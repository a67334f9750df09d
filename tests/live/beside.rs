//! What happens beside calls: switches, signals, page faults; each only for those who ask.
#![allow(unsafe_code, reason = "what is tested are signals and faults as such")]

use std::time::Duration;

use serde_json::Value;

use super::actor::fact;
use super::rig::{actor, alone, kind, of, pid, run};

extern "C" fn taken(_: libc::c_int) {}

/// A handler, a signal that is ignored, one to a thread; a page that is touched for the first time; a sleep; and the end by
/// a signal of a child's.
pub fn act() {
    // SAFETY: handlers that do nothing; numbers of our own; a mapping of our own.
    unsafe {
        let handler: extern "C" fn(libc::c_int) = taken;
        libc::signal(libc::SIGUSR1, handler as libc::sighandler_t);
        libc::signal(libc::SIGUSR2, libc::SIG_IGN);
        let own = libc::getpid();
        libc::kill(own, libc::SIGUSR1);
        libc::kill(own, libc::SIGUSR2);
        libc::syscall(libc::SYS_tgkill, own, own, libc::SIGUSR1);
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        let page = libc::mmap(std::ptr::null_mut(), 8192, libc::PROT_READ | libc::PROT_WRITE, flags, -1, 0);
        fact("page", page as i64);
        std::ptr::write_volatile(page.cast::<u8>(), 1);
        std::thread::sleep(Duration::from_millis(30));
        let parent = own;
        if libc::fork() == 0 {
            fact("killer", libc::getpid());
            let _ = std::io::Write::flush(&mut std::io::stdout());
            libc::kill(parent, libc::SIGKILL);
            libc::_exit(0);
        }
        std::thread::sleep(Duration::from_secs(10));
    }
}

fn args<'a>(e: &'a Value, name: &str) -> &'a str {
    e["evt.args"][name].as_str().unwrap_or_default()
}

/// Whether a bit is set, by its name.
fn has(e: &Value, name: &str, bit: &str) -> bool {
    e["evt.args"][name].as_array().is_some_and(|all| all.iter().any(|one| one == bit))
}

#[test]
fn signals_have_senders_and_are_seen_to_be_taken() {
    let _alone = alone!();
    let live = run(&["-j", "--signals"], &actor("beside"));
    let (events, killer) = (live.events(), live.fact("killer"));
    let own = pid(events.iter().find(|e| kind(e) == "execve" && e["evt.rawres"] == 0).unwrap());
    let sent: Vec<&Value> = of(&events, "signal").into_iter().filter(|e| pid(e) == own).collect();
    let told = |e: &Value| {
        let word = |name| args(e, name).to_owned();
        (word("sig"), word("code"), e["evt.args"]["sender"].as_i64().unwrap(), word("whom"), word("outcome"))
    };
    let usr1 = |code: &str, whom: &str, outcome: &str, sig: &str, sender: i64| {
        let [sig, code, whom, outcome] = [sig, code, whom, outcome].map(str::to_owned);
        (sig, code, sender, whom, outcome)
    };
    let told: Vec<_> = sent.iter().map(|e| told(e)).filter(|t| t.0 != "SIGCHLD").collect();
    let wanted = [
        usr1("SI_USER", "PROCESS", "DELIVERED", "SIGUSR1", own),
        usr1("SI_USER", "PROCESS", "IGNORED", "SIGUSR2", own),
        usr1("SI_TKILL", "THREAD", "DELIVERED", "SIGUSR1", own),
        usr1("SI_USER", "PROCESS", "DELIVERED", "SIGKILL", killer),
    ];
    assert_eq!(told, wanted);
    assert!(sent.iter().all(|e| !args(e, "name").is_empty()));
    let taken: Vec<(&str, &str)> = of(&events, "signaldeliver")
        .into_iter()
        .filter(|e| pid(e) == own)
        .map(|e| (args(e, "sig"), args(e, "action")))
        .filter(|(sig, _)| *sig != "SIGCHLD")
        .collect();
    assert_eq!(taken, [("SIGUSR1", "HANDLER"), ("SIGUSR1", "HANDLER"), ("SIGKILL", "SIG_DFL")]);
}

#[test]
fn switches_tell_how_long_a_thread_ran_and_how_it_was_left() {
    let _alone = alone!();
    let live = run(&["-j", "--switches"], &actor("beside"));
    let events = live.events();
    let own = pid(events.iter().find(|e| kind(e) == "execve" && e["evt.rawres"] == 0).unwrap());
    let switches: Vec<&Value> = of(&events, "switch").into_iter().filter(|e| pid(e) == own).collect();
    let asleep = switches.iter().filter(|e| has(e, "state", "TASK_INTERRUPTIBLE")).count();
    // It slept twice; the second sleep ended it.
    assert!(asleep >= 2, "{switches:?}");
    assert!(switches.iter().any(|e| has(e, "state", "TASK_DEAD")), "{switches:?}");
    for e in &switches {
        let ran = e["evt.latency"].as_u64().unwrap();
        assert!(ran > 0 && ran < 10_000_000_000, "{e}");
    }
}

#[test]
fn a_page_that_is_touched_first_is_a_fault() {
    let _alone = alone!();
    let live = run(&["-j", "--faults"], &actor("beside"));
    if !live.status.success() && live.stderr.contains("no tracepoint of page faults") {
        return super::skip("this kernel does not tell of page faults");
    }
    let (events, page) = (live.events(), live.fact("page"));
    let faults = of(&events, "page_fault");
    let at =
        |e: &&&Value| e["evt.args"]["addr"].as_i64() == Some(page) || args(e, "addr") == format!("{page:#x}");
    let found = faults.iter().filter(at).count();
    assert_eq!(found, 1, "{page:#x} of {}", faults.len());
    let fault = faults.iter().find(at).unwrap();
    assert!(has(fault, "error", "WRITE") && has(fault, "error", "USER"), "{fault}");
}

/// Nobody who did not ask sees them, or pays for them.
#[test]
fn a_filter_asks_for_what_it_names_and_nothing_else_does() {
    let _alone = alone!();
    let kinds = ["switch", "signal", "signaldeliver", "page_fault"];
    let live = run(&["-j"], &actor("beside"));
    assert!(live.events().iter().all(|e| !kinds.contains(&kind(e))));
    let live = run(&["-j", "evt.type != read"], &actor("beside"));
    assert!(live.events().iter().all(|e| !kinds.contains(&kind(e))));
    let live = run(&["-j", "evt.type = signal and evt.arg.sig = SIGKILL"], &actor("beside"));
    let events = live.events();
    assert!(!events.is_empty() && events.iter().all(|e| kind(e) == "signal" && args(e, "sig") == "SIGKILL"));
    let live = run(&["-j", "evt.type in (switch, kill)"], &actor("beside"));
    let events = live.events();
    assert!(!of(&events, "switch").is_empty() && of(&events, "signal").is_empty());
}
