//! The self-check: does the probe see what we know to be true?
//!
//! Enters: an attached probe. Leaves: for each feature that rests on offsets of kernel structures, whether a call of our
//! own was told rightly. Never: a doubt that is kept quiet; a feature that fails is switched off and said so.

use std::net::{TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;

use crate::decode::{Fact, RawItem, Record};
use crate::schema::Schema;
use crate::source::abi;
use crate::source::live::plan::{Facts, Interest, Snaplen, plans};
use crate::source::live::{Probe, Rings, boot_now};

/// One thing that was checked.
#[derive(Clone, Debug)]
pub struct Finding {
    /// What.
    pub what: &'static str,
    /// `None` if it is as it should be, else what was seen.
    pub wrong: Option<String>,
}

/// What a record of our own said, reduced to what is compared.
#[derive(Default)]
struct Told {
    opened: Option<(Vec<u8>, Vec<u8>, u64)>,
    cwd: Option<Vec<u8>>,
    sock: Option<(u16, u16, [u8; 4])>,
    creds: Option<(u32, u32, u32, u32)>,
    thread: Option<(u32, u32)>,
    latency: Option<u64>,
}

/// Makes a few known calls and compares. Ends with empty rings; the caller sets the real plans next. Gives the findings,
/// the facts that can be believed, and the number of the next record of each CPU.
pub fn check(
    probe: &Probe,
    rings: &mut Rings,
    schema: &Schema,
    entry: bool,
) -> (Vec<Finding>, Facts, Vec<u64>) {
    let own = std::process::id();
    let calls = ["openat", "chdir", "connect", "setresuid"].map(|n| schema.code(n));
    let interest = Interest::new(schema, true, |code| calls.contains(&Some(code)));
    let before = probe.scope(own);
    probe.set_scope(own, abi::SCOPE_IN);
    probe.set_plans(&plans(schema, &interest, Snaplen(80)));
    let expected = known_calls();
    probe.set_scope(own, before);

    let tid = rustix::thread::gettid().as_raw_nonzero().get() as u32;
    let mut told = Told::default();
    let mut next = vec![0u64; rings.cpus()];
    for _ in 0..50 {
        let drained = rings.drain(boot_now(), |cpu, bytes| {
            if let Some(r) = Record::parse(bytes) {
                if let Some(n) = next.get_mut(cpu) {
                    *n = u64::from(r.seq.wrapping_add(1));
                }
                if r.pid == own && r.tid == tid {
                    take(&mut told, &r, calls);
                }
            }
            true
        });
        if drained.records == 0 && !drained.pressed {
            break;
        }
    }
    compare(&told, &expected, own, tid, entry, next)
}

struct Expected {
    exe: Vec<u8>,
    ino: u64,
    cwd: Option<Vec<u8>>,
    ports: Option<(u16, u16)>,
    ids: (u32, u32, u32, u32),
}

fn known_calls() -> Expected {
    let exe =
        std::fs::read_link("/proc/self/exe").map(|p| p.as_os_str().as_bytes().to_vec()).unwrap_or_default();
    let ino = rustix::fs::stat("/proc/self/exe").map_or(0, |s| s.st_ino);
    drop(std::fs::File::open("/proc/self/exe"));
    let cwd = std::env::current_dir().ok().map(|p| p.as_os_str().as_bytes().to_vec());
    let _ = rustix::process::chdir(".");
    let ports = (|| {
        let listener = TcpListener::bind(("127.0.0.1", 0)).ok()?;
        let stream = TcpStream::connect(listener.local_addr().ok()?).ok()?;
        debug_assert!(stream.as_raw_fd() >= 0);
        Some((stream.local_addr().ok()?.port(), listener.local_addr().ok()?.port()))
    })();
    // All three unchanged: the kernel compares and returns, and we see our own credentials.
    let keep = rustix::thread::set_thread_res_uid(None, None, None);
    debug_assert!(keep.is_ok());
    let ids = (
        rustix::process::getuid().as_raw(),
        rustix::process::getgid().as_raw(),
        rustix::process::geteuid().as_raw(),
        rustix::process::getegid().as_raw(),
    );
    Expected { exe, ino, cwd, ports, ids }
}

fn path(p: &crate::decode::Path) -> Vec<u8> {
    let mut out = Vec::new();
    p.write(&mut out);
    out
}

fn take(told: &mut Told, r: &Record, [openat, chdir, connect, setresuid]: [Option<u16>; 4]) {
    let code = Some(r.code);
    match r.fact() {
        Fact::Path(p) if code == openat => {
            if let RawItem::Bytes(given, _) = r.item(0)
                && given == b"/proc/self/exe"
            {
                told.opened = Some((given.to_vec(), path(&p), p.ino));
                told.thread = Some((r.pid, r.tid));
                told.latency = Some(r.latency);
            }
        }
        Fact::Path(p) if code == chdir => told.cwd = Some(path(&p)),
        Fact::Sock(s) if code == connect => {
            told.sock = Some((s.lport, s.rport, [s.raddr[0], s.raddr[1], s.raddr[2], s.raddr[3]]));
        }
        Fact::Creds(c) if code == setresuid => told.creds = Some((c.uid, c.gid, c.euid, c.egid)),
        _ => {}
    }
}

fn compare(
    told: &Told,
    e: &Expected,
    own: u32,
    tid: u32,
    entry: bool,
    next: Vec<u64>,
) -> (Vec<Finding>, Facts, Vec<u64>) {
    let text = |b: &[u8]| String::from_utf8_lossy(b).escape_default().to_string();
    let mut findings = Vec::new();
    let mut find = |what, wrong: Option<String>| {
        let ok = wrong.is_none();
        findings.push(Finding { what, wrong });
        ok
    };
    find(
        "processes and threads",
        (told.thread != Some((own, tid))).then(|| format!("{:?} instead of {:?}", told.thread, (own, tid))),
    );
    let opened = match &told.opened {
        Some((_, name, ino)) if *name == e.exe && *ino == e.ino => None,
        Some((_, name, ino)) => {
            Some(format!("{} (inode {ino}) instead of {} ({})", text(name), text(&e.exe), e.ino))
        }
        None => Some("no record of an open file".into()),
    };
    let cwd = (e.cwd.is_some() && told.cwd != e.cwd).then(|| format!("{:?}", told.cwd.as_deref().map(text)));
    let paths = find("paths of opened files", opened) & find("working directory", cwd);
    let sock = match (e.ports, told.sock) {
        // No loopback here (a network namespace of its own): nothing to compare with.
        (None, _) => None,
        (Some(ports), Some((l, r, addr))) if (l, r) == ports && addr == [127, 0, 0, 1] => None,
        (Some(ports), seen) => Some(format!("{seen:?} instead of {ports:?}")),
    };
    let sockets = find("addresses of connections", sock);
    let creds = find(
        "credentials",
        (told.creds != Some(e.ids)).then(|| format!("{:?} instead of {:?}", told.creds, e.ids)),
    );
    if entry {
        let sane = told.latency.is_some_and(|l| (100..10_000_000_000).contains(&l));
        find("time spent in a call", (!sane).then(|| format!("{:?} ns", told.latency)));
    }
    (findings, Facts { paths, sockets, creds }, next)
}
