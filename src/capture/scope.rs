//! Which processes are looked at, by marks in the probe's map.
//!
//! Enters: pids that were asked for, and where output goes. Leaves: marks. Never: an event.

use std::path::Path;

use crate::config::{Live, Place, Sink, Stream};
use crate::message;
use crate::source::live::Probe;
use crate::source::{abi, audience};

/// Why this is not the id of a process.
pub fn no_process(proc: &Path, pid: u32) -> Option<String> {
    let Ok(status) = std::fs::read(proc.join(pid.to_string()).join("status")) else {
        return Some(format!("there is no process {pid}"));
    };
    let status = String::from_utf8_lossy(&status);
    let leader: Option<u32> = status.lines().find_map(|l| l.strip_prefix("Tgid:")?.trim().parse().ok());
    // /proc shows threads too, if one asks for them.
    leader
        .filter(|of| *of != pid)
        .map(|of| format!("{pid} is a thread of process {of}: --pid takes processes"))
}

/// Marks processes and their descendants, and gives all of them. Descendants that are born meanwhile inherit the mark in the
/// kernel.
pub(super) fn mark(probe: &Probe, proc: &Path, pids: &[u32]) -> Vec<u32> {
    for pid in pids {
        probe.set_scope(*pid, abi::SCOPE_IN);
    }
    let is_in = |pid| probe.scope(pid) == abi::SCOPE_IN;
    children(proc, is_in, |pid| {
        let new = !is_in(pid);
        probe.set_scope(pid, abi::SCOPE_IN);
        new
    })
}

/// Marks all that descend from what is marked, until a look at all processes finds nothing new. Gives all that are marked
/// and exist.
pub fn children(proc: &Path, is_marked: impl Fn(u32) -> bool, mark: impl Fn(u32) -> bool) -> Vec<u32> {
    loop {
        let mut new = false;
        let mut marked = Vec::new();
        let Ok(dir) = std::fs::read_dir(proc) else { return marked };
        for entry in dir.flatten() {
            let Some(pid) = entry.file_name().to_str().and_then(|n| n.parse::<u32>().ok()) else { continue };
            let stat = std::fs::read(entry.path().join("stat")).unwrap_or_default();
            let stat = String::from_utf8_lossy(&stat);
            // Behind the name: state, then the parent.
            let ppid =
                stat.rsplit_once(')').and_then(|(_, r)| r.split_whitespace().nth(1)?.parse::<u32>().ok());
            if ppid.is_some_and(&is_marked) {
                new |= mark(pid);
            }
            if is_marked(pid) {
                marked.push(pid);
            }
        }
        if !new {
            return marked;
        }
    }
}

/// Leaves ourselves and those who read our output out. Gives their pids.
pub(super) fn leave_out(probe: &Probe, live: &Live, sink: &Sink, tell: bool) -> Vec<u32> {
    let own = std::process::id();
    probe.set_scope(own, abi::SCOPE_OUT);
    let to_stdout = match sink {
        Sink::Print { to: Stream::Stdout, .. } => true,
        Sink::Reel { to, .. } => *to == Place::Standard,
        _ => false,
    };
    let mut readers =
        if to_stdout { audience::of(&live.proc, rustix::stdio::stdout(), own) } else { Vec::new() };
    if matches!(sink, Sink::Print { to: Stream::Stderr, .. }) {
        readers.extend(audience::of(&live.proc, rustix::stdio::stderr(), own));
    }
    readers.retain(|r| probe.scope(r.pid) != abi::SCOPE_OUT);
    for r in &readers {
        probe.set_scope(r.pid, abi::SCOPE_OUT);
    }
    if tell && !readers.is_empty() {
        let names: Vec<String> = readers.iter().map(|r| format!("{} ({})", r.name, r.pid)).collect();
        message::say(format!(
            "not traced, for it reads what is printed here: {}  (--self includes it)",
            names.join(", ")
        ));
    }
    std::iter::once(own).chain(readers.iter().map(|r| r.pid)).collect()
}
