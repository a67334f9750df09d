//! `sysreel doctor`: can this machine be captured, and how?
//!
//! Enters: nothing. Leaves: a line for each thing that a capture needs, with what to do where one fails. Never: a change
//! that stays.

use std::fmt::Write;

use crate::capture::default_ring;
use crate::exit::Exit;
use crate::message;
use crate::schema::{Arch, Schema};
use crate::selfcheck::check;
use crate::source::live::{Beside, Options, Probe};

/// Looks at everything and prints it.
pub fn run() -> Exit {
    let mut text = String::new();
    let ok = examine(&mut text);
    match message::listing(&text) {
        Ok(()) if ok => Exit::Ok,
        _ => Exit::Error,
    }
}

fn examine(text: &mut String) -> bool {
    // Writing to a String cannot fail.
    let mut line = |ok: bool, what: &str, is: &dyn std::fmt::Display| {
        let _ = writeln!(text, "{:<4} {what:<26} {is}", if ok { "ok" } else { "FAIL" });
    };
    let uname = rustix::system::uname();
    line(true, "version", &env!("CARGO_PKG_VERSION"));
    line(
        true,
        "kernel",
        &format_args!("{} {}", uname.release().to_string_lossy(), uname.machine().to_string_lossy()),
    );
    let schema = Schema::native(Arch::NATIVE);
    let described = schema.shapes().filter(|s| s.described && s.code < crate::schema::EVENTS).count();
    line(true, "system calls", &format_args!("{described} with arguments, every other with six raw words"));
    let cpus = std::thread::available_parallelism().map_or(1, |n| n.get() as u64);
    let ring = default_ring(cpus);
    line(true, "rings", &format_args!("{} MiB in all (--ring changes it)", ring >> 20));
    // Needed only for what was opened before a capture begins; a capture works without.
    match std::fs::read_dir("/proc/1/fd") {
        Ok(_) => line(true, "files of other processes", &"can be read"),
        Err(e) => line(
            true,
            "files of other processes",
            &format_args!(
                "cannot be read ({e}): what they opened before the start has no name; CAP_SYS_PTRACE lifts that"
            ),
        ),
    }
    let options = Options {
        ring,
        scoped: true,
        entry: true,
        rt_sigreturn: u32::from(schema.code("rt_sigreturn").unwrap_or(15)),
        env: false,
        // All that a filter may ask for, so that the verifier sees all.
        bounds: u32::MAX,
        beside: Beside::default(),
    };
    let begun = std::time::Instant::now();
    let loaded = Probe::load(options).and_then(|(mut probe, rings)| probe.attach().map(|()| (probe, rings)));
    let (probe, mut rings) = match loaded {
        Ok(loaded) => loaded,
        Err(e) => {
            line(false, "probe", &e);
            return false;
        }
    };
    line(true, "probe", &format_args!("loaded and attached in {} ms", begun.elapsed().as_millis()));
    for p in probe.programs() {
        line(true, &format!("program {}", p.name), &format_args!("{} instructions verified", p.verified));
    }
    let seen = |sees| if sees { "are seen" } else { "are not seen: this kernel has no tracepoints of them" };
    line(true, "operations of io_uring", &seen(probe.sees_uring()));
    line(true, "page faults", &seen(probe.sees_faults()));
    let (findings, ..) = check(&probe, &mut rings, &schema, true);
    let mut all = true;
    for f in findings {
        all &= f.wrong.is_none();
        match &f.wrong {
            None => line(true, f.what, &"as they are"),
            Some(wrong) => {
                line(false, f.what, &format_args!("told wrongly ({wrong}): switched off in captures"))
            }
        }
    }
    all
}
