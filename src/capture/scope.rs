//! Which processes are looked at, by marks in the probe's map.
//!
//! Enters: pids that were asked for, and where output goes. Leaves: marks. Never: an event.

use std::path::Path;

use crate::config::{Live, Place, Sink, Stream};
use crate::message;
use crate::source::live::Probe;
use crate::source::{abi, audience};

/// Marks processes and their descendants. Descendants that are born meanwhile inherit the mark in the kernel.
pub(super) fn mark(probe: &Probe, proc: &Path, pids: &[u32], scope: u8) {
    loop {
        let mut new = 0;
        for pid in pids {
            if probe.scope(*pid) != scope {
                probe.set_scope(*pid, scope);
                new += 1;
            }
        }
        let Ok(dir) = std::fs::read_dir(proc) else { return };
        for entry in dir.flatten() {
            let Some(pid) = entry.file_name().to_str().and_then(|n| n.parse::<u32>().ok()) else { continue };
            let stat = std::fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
            // Behind the name: state, then the parent.
            let ppid =
                stat.rsplit_once(')').and_then(|(_, r)| r.split_whitespace().nth(1)?.parse::<u32>().ok());
            if ppid.is_some_and(|p| probe.scope(p) == scope) && probe.scope(pid) != scope {
                probe.set_scope(pid, scope);
                new += 1;
            }
        }
        if new == 0 {
            return;
        }
    }
}

/// Leaves ourselves and those who read our output out.
pub(super) fn leave_out(probe: &Probe, live: &Live, sink: &Sink, tell: bool) {
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
}
