//! Operations of io_uring: what is asked for through a ring in memory is seen, named, and followed in the tables.
#![allow(unsafe_code, reason = "there is no safe way to make a ring without a library of its own")]
#![allow(clippy::print_stdout, reason = "facts go to the test that started us")]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsRawFd, FromRawFd};
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::Value;

use super::actor::fact;
use super::rig::{actor, alone, of, parse, reread, run};

pub const OPENAT: u8 = 18;
pub const CLOSE: u8 = 19;
const READ: u8 = 22;
const ACCEPT: u8 = 13;
const CONNECT: u8 = 16;
const SEND: u8 = 26;
const RECV: u8 = 27;
const UNLINKAT: u8 = 36;
const MKDIRAT: u8 = 37;
pub const SOCKET: u8 = 45;
const FIXED_FILE: u8 = 1;
pub const ASYNC: u8 = 16;
const SKIP_SUCCESS: u8 = 64;
const MULTISHOT: u16 = 1;

/// A request (`struct io_uring_sqe`).
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct Sqe {
    pub opcode: u8,
    pub flags: u8,
    pub ioprio: u16,
    pub fd: i32,
    pub off: u64,
    pub addr: u64,
    pub len: u32,
    pub op_flags: u32,
    pub user_data: u64,
    pub buf_index: u16,
    pub personality: u16,
    pub file_index: u32,
    pub rest: [u64; 2],
}

/// A ring of 8 requests: where its parts lie.
pub struct Ring {
    pub fd: i32,
    sq: *mut u8,
    cq: *mut u8,
    sqes: *mut Sqe,
    offsets: [u32; 20],
}

// SAFETY: whoever has the ring is the only one who uses the mappings.
unsafe impl Send for Ring {}

impl Ring {
    /// Nothing where the kernel has no io_uring, or does not allow it.
    pub fn new() -> Option<Ring> {
        // struct io_uring_params is 120 bytes: ten numbers, and where the parts of the two rings lie.
        let mut params = [0u32; 30];
        // SAFETY: the structure is as large as the kernel thinks, and the mappings are those that it describes.
        unsafe {
            let fd = libc::syscall(libc::SYS_io_uring_setup, 8, params.as_mut_ptr()) as i32;
            if fd < 0 {
                return None;
            }
            let map = |at: i64, len: usize| {
                let flags = libc::MAP_SHARED | libc::MAP_POPULATE;
                let map =
                    libc::mmap(std::ptr::null_mut(), len, libc::PROT_READ | libc::PROT_WRITE, flags, fd, at);
                assert_ne!(map, libc::MAP_FAILED);
                map.cast::<u8>()
            };
            let offsets = params[10..].try_into().unwrap();
            let (sq, cq, sqes) = (map(0, 4096), map(0x800_0000, 4096), map(0x1000_0000, 4096));
            Some(Ring { fd, sq, cq, sqes: sqes.cast(), offsets })
        }
    }

    fn word(&self, base: *mut u8, which: usize) -> &AtomicU32 {
        // SAFETY: an offset of the kernel's into a mapping that lives as long as the process.
        unsafe { &*base.add(self.offsets[which] as usize).cast() }
    }

    /// Hands a request to the kernel.
    pub fn submit(&self, sqe: Sqe) {
        let tail = self.word(self.sq, 1).load(Ordering::Relaxed);
        let at = tail & 7;
        // SAFETY: the ring has 8 places; the array of their order lies at offset 6.
        unsafe {
            *self.sqes.add(at as usize) = sqe;
            *self.sq.add(self.offsets[6] as usize).cast::<u32>().add(at as usize) = at;
        }
        self.word(self.sq, 1).store(tail + 1, Ordering::Release);
        // SAFETY: no pointers.
        unsafe { libc::syscall(libc::SYS_io_uring_enter, self.fd, 1, 0, 0, 0, 0) };
    }

    /// Waits for a result: `user_data` and number.
    pub fn result(&self) -> (u64, i32) {
        let head = self.word(self.cq, 10).load(Ordering::Relaxed);
        while self.word(self.cq, 11).load(Ordering::Acquire) == head {
            // SAFETY: no pointers. IORING_ENTER_GETEVENTS is 1.
            unsafe { libc::syscall(libc::SYS_io_uring_enter, self.fd, 0, 1, 1, 0, 0) };
        }
        // SAFETY: results are 16 bytes, from the fifth offset on.
        let found = unsafe {
            let cqe = self.cq.add(self.offsets[15] as usize + (head & 15) as usize * 16);
            (*cqe.cast::<u64>(), *cqe.add(8).cast::<i32>())
        };
        self.word(self.cq, 10).store(head + 1, Ordering::Release);
        found
    }

    pub fn ask(&self, sqe: Sqe) -> i32 {
        self.submit(sqe);
        self.result().1
    }
}

pub fn act() {
    let Some(ring) = Ring::new() else { return println!("none 1") };
    let passwd = c"/etc/passwd".as_ptr() as u64;
    let group = c"/etc/group".as_ptr() as u64;
    let nothing = c"/etc/there is no such file".as_ptr() as u64;
    let open = |addr| Sqe { opcode: OPENAT, fd: libc::AT_FDCWD, addr, ..Sqe::default() };
    let mut buffer = [0u8; 64];
    let addr = buffer.as_mut_ptr() as u64;

    let first = ring.ask(Sqe { user_data: 0x11, ..open(passwd) });
    fact("first", first);
    ring.ask(Sqe { opcode: READ, fd: first, addr, len: 10, user_data: 0x12, ..Sqe::default() });
    ring.ask(Sqe { user_data: 0x13, ..open(nothing) });
    // By a thread of the kernel's that belongs to the process.
    let second =
        ring.ask(Sqe { flags: ASYNC, op_flags: libc::O_CLOEXEC as u32, user_data: 0x14, ..open(group) });
    fact("second", second);
    // SAFETY: the number is ours.
    let mut file = unsafe { std::fs::File::from_raw_fd(second) };
    file.read_exact(&mut buffer[..7]).unwrap();
    ring.ask(Sqe { opcode: CLOSE, fd: first, user_data: 0x15, ..Sqe::default() });
    // SAFETY: the number is closed; the buffer is there.
    unsafe { libc::read(first, buffer.as_mut_ptr().cast(), 3) };
    // One of the ring's own numbers (IORING_REGISTER_FILES is 2).
    let own = [second];
    // SAFETY: the array is there.
    unsafe { libc::syscall(libc::SYS_io_uring_register, ring.fd, 2, own.as_ptr(), 1) };
    let fixed = Sqe { opcode: READ, flags: FIXED_FILE, addr, len: 5, user_data: 0x16, ..Sqe::default() };
    ring.ask(fixed);

    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    fact("port", port);
    // Both ends by the ring: many results of one request, and what a socket is after it.
    let accepts = Sqe {
        opcode: ACCEPT,
        ioprio: MULTISHOT,
        fd: listener.as_raw_fd(),
        user_data: 0x21,
        ..Sqe::default()
    };
    ring.submit(accepts);
    let kind = libc::SOCK_STREAM as u64;
    let client =
        ring.ask(Sqe { opcode: SOCKET, fd: libc::AF_INET, off: kind, user_data: 0x22, ..Sqe::default() });
    let mut to = [0u8; 16];
    to[..2].copy_from_slice(&(libc::AF_INET as u16).to_ne_bytes());
    to[2..4].copy_from_slice(&port.to_be_bytes());
    to[4..8].copy_from_slice(&[127, 0, 0, 1]);
    let (addr_to, off) = (to.as_ptr() as u64, 16);
    ring.submit(Sqe { opcode: CONNECT, fd: client, addr: addr_to, off, user_data: 0x23, ..Sqe::default() });
    let two = [ring.result(), ring.result()];
    let accepted = two.iter().find(|(data, _)| *data == 0x21).unwrap().1;
    fact("client", client);
    fact("accepted", accepted);
    // SAFETY: the numbers are ours.
    let (mut near, mut far) = unsafe { (TcpStream::from_raw_fd(client), TcpStream::from_raw_fd(accepted)) };
    fact("from", near.local_addr().unwrap().port());
    near.write_all(b"a").unwrap();
    far.write_all(b"b").unwrap();
    ring.ask(Sqe { opcode: SEND, fd: client, addr, len: 5, user_data: 0x24, ..Sqe::default() });
    ring.ask(Sqe { opcode: RECV, fd: accepted, addr, len: 64, user_data: 0x25, ..Sqe::default() });

    let name = format!("{}/made\0", std::env::temp_dir().display());
    let dir = name.as_ptr() as u64;
    let at = libc::AT_FDCWD;
    ring.ask(Sqe { opcode: MKDIRAT, fd: at, addr: dir, len: 0o700, user_data: 0x31, ..Sqe::default() });
    let (op_flags, addr) = (libc::AT_REMOVEDIR as u32, dir);
    ring.ask(Sqe { opcode: UNLINKAT, fd: at, addr, op_flags, user_data: 0x32, ..Sqe::default() });
    // Nobody is told that it succeeded.
    ring.submit(Sqe { opcode: CLOSE, flags: SKIP_SUCCESS, fd: client, user_data: 0x33, ..Sqe::default() });
    std::mem::forget((near, far, file));
}

/// The operation with this `user_data`.
fn by(events: &[Value], data: u64) -> &Value {
    let data = format!("{data:#x}");
    let of = |e: &&Value| {
        let args = &e["evt.args"];
        args["user_data"] == data.as_str()
            || args["user_data"].as_u64() == u64::from_str_radix(&data[2..], 16).ok()
    };
    events.iter().find(of).unwrap_or_else(|| panic!("no operation with {data}"))
}

fn check(events: &[Value], fact: impl Fn(&str) -> i64) {
    let (port, from) = (fact("port"), fact("from"));
    let to = format!("127.0.0.1:{from}->127.0.0.1:{port}");
    let back = format!("127.0.0.1:{port}->127.0.0.1:{from}");
    // By `user_data`: its name, result, descriptor and file.
    let wanted: [(u64, &str, i64, i64, &str); 12] = [
        (0x11, "uring_openat", fact("first"), fact("first"), "/etc/passwd"),
        (0x12, "uring_read", 10, fact("first"), "/etc/passwd"),
        (0x13, "uring_openat", -2, -1, ""),
        (0x14, "uring_openat", fact("second"), fact("second"), "/etc/group"),
        (0x15, "uring_close", 0, fact("first"), "/etc/passwd"),
        (0x16, "uring_read", 5, 0, "/etc/group"),
        (0x21, "uring_accept", fact("accepted"), fact("accepted"), &back),
        (0x22, "uring_socket", fact("client"), fact("client"), ""),
        (0x23, "uring_connect", 0, fact("client"), &to),
        (0x24, "uring_send", 5, fact("client"), &to),
        (0x25, "uring_recv", 6, fact("accepted"), &back),
        (0x31, "uring_mkdirat", 0, -1, ""),
    ];
    for (data, name, res, fd, file) in wanted {
        let e = by(events, data);
        assert_eq!(e["evt.type"], name, "{e}");
        assert_eq!(e["evt.rawres"], res, "{e}");
        if fd >= 0 {
            assert_eq!(e["fd.num"], fd, "{e}");
        }
        if !file.is_empty() {
            let shown = e["fd.name"].as_str().unwrap();
            assert!(shown == file || shown.ends_with(&format!(" {file}")), "{file}: {e}");
        }
        assert_ne!(e["evt.certain"], false, "{e}");
        assert!(e["evt.latency"].as_u64().is_some_and(|l| l > 0 && l < 5_000_000_000), "{e}");
    }
    // The text as it was given.
    assert_eq!(by(events, 0x13)["evt.args"]["path"], "/etc/there is no such file");
    assert!(by(events, 0x31)["evt.args"]["path"].as_str().unwrap().ends_with("/made"));
    let unlinked = by(events, 0x32);
    assert_eq!(unlinked["evt.type"], "uring_unlinkat");
    assert_eq!(unlinked["evt.rawres"], 0, "{unlinked}");
    // A request whose success is not told is shown when it is taken.
    let silent = by(events, 0x33);
    assert_eq!((&silent["evt.type"], silent.get("evt.rawres")), (&"uring_close".into(), None), "{silent}");
    assert_eq!(silent["fd.num"], fact("client"));
    // What calls do afterwards has the names that the ring gave.
    let reads = of(events, "read");
    let after = |fd: i64, res: i64| {
        reads
            .iter()
            .find(|e| e["fd.num"] == fd && e["evt.rawres"] == res)
            .unwrap_or_else(|| panic!("{fd}: {res}"))
    };
    assert_eq!(after(fact("second"), 7)["fd.name"], "/etc/group");
    assert_eq!(after(fact("first"), -9).get("fd.name"), None, "closed by the ring");
    let talk = |fd: i64| {
        let sent = ["write", "sendto"].map(|name| of(events, name)).concat();
        let e = *sent.iter().find(|e| e["fd.num"] == fd).unwrap();
        e["fd.name"].as_str().unwrap().to_owned()
    };
    assert!(talk(fact("client")).ends_with(&to), "{}", talk(fact("client")));
    assert!(talk(fact("accepted")).ends_with(&back), "{}", talk(fact("accepted")));
}

#[test]
fn operations_of_a_ring_are_events_with_names_and_are_followed() {
    let _alone = alone!();
    let live = run(&["-j"], &actor("uring"));
    if live.stdout.contains("none 1") {
        return super::skip("this kernel does not allow io_uring");
    }
    assert!(live.stderr.ends_with(" 0 lost\n"), "{}", live.stderr);
    check(&live.events(), |name| live.fact(name));

    // Reread the same, and found by class.
    let dir = tempfile::tempdir().unwrap();
    let reel = dir.path().join("reel");
    let done = run(&["-w", reel.to_str().unwrap()], &actor("uring"));
    let (status, lines, err) = reread(&reel, &["-j"]);
    assert_eq!(status, 0, "{err}");
    check(&parse(&lines), |name| done.fact(name));
    let (_, lines, _) = reread(&reel, &["-p", "%evt.type", "evt.class = uring"]);
    assert!(lines.len() >= 14 && lines.iter().all(|l| l.starts_with("uring_")), "{lines:?}");
}

/// A filter for something else keeps the operations out, and what they opened is known all the same.
#[test]
fn what_a_ring_opens_is_known_where_its_operations_are_not_wanted() {
    let _alone = alone!();
    let live = run(&["-j", "evt.type = read and evt.rawres = 7"], &actor("uring"));
    if live.stdout.contains("none 1") {
        return super::skip("this kernel does not allow io_uring");
    }
    let events = live.events();
    let second = live.fact("second");
    let read = events.iter().find(|e| e["fd.num"] == second).unwrap();
    assert_eq!(read["fd.name"], "/etc/group");
    assert!(events.iter().all(|e| e["evt.type"] == "read"));
}
