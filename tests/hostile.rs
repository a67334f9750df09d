//! Files made by somebody who wants to harm the reader: all checksums are right, all claims are as large as they may be, or
//! larger. How much memory and time the program takes is measured from outside.

use std::io::{Read, Write};
use std::process::Stdio;
use std::time::Duration;

use sysreel::reel::{Header, Totals, Writer};
use sysreel::schema::{Arch, Schema};

use crate::cli::sysreel;
use crate::live::loudly;

const MIB: usize = 1 << 20;
/// What the format allows of one block.
const MAX_BODY: usize = 24 * MIB;
const MAX_RAW: usize = 24 * MIB;
const MAX_ROWS: usize = 1 << 17;
const MAX_RUN: usize = 1 << 20;
const MAX_ENTRIES: usize = 1 << 16;
const MAX_STRINGS: usize = 1 << 20;

/// The two header blocks of an empty reel whose only call is openat: four words, one item, two references.
fn head() -> Vec<u8> {
    let native = Schema::native(Arch::X86_64);
    let schema = Schema::from_shapes(Arch::X86_64, native.named().filter(|s| &*s.name == "openat").cloned());
    let w = Writer::new(Vec::new(), &Header::default(), &schema).unwrap();
    w.get_ref().clone()
}

/// A whole reel with nothing in it.
fn empty() -> Vec<u8> {
    let schema = Schema::native(Arch::X86_64);
    Writer::new(Vec::new(), &Header::default(), &schema).unwrap().finish(&Totals::default()).unwrap()
}

const OPENAT: u16 = 257;

/// A header of a block, sealed.
fn frame(kind: u16, number: u64, body: u32, front: &[u8], claimed: u32, rows: u32) -> Vec<u8> {
    let mut out = b"\x89REEL\r\n\x1a".to_vec();
    out.extend_from_slice(&0u16.to_le_bytes());
    out.extend_from_slice(&kind.to_le_bytes());
    out.extend_from_slice(&0u32.to_le_bytes());
    out.extend_from_slice(&[0; 16]);
    out.extend_from_slice(&number.to_le_bytes());
    for v in [body, claimed, rows, crc32fast::hash(front)] {
        out.extend_from_slice(&v.to_le_bytes());
    }
    let crc = crc32fast::hash(&out);
    out.extend_from_slice(&crc.to_le_bytes());
    out
}

/// A block of the reel that `head` begins.
fn block(head: &[u8], kind: u16, number: u64, front: &[u8], rest: &[u8], rows: u32) -> Vec<u8> {
    let mut out = frame(kind, number, (front.len() + rest.len()) as u32, front, front.len() as u32, rows);
    out[16..32].copy_from_slice(&head[16..32]);
    let crc = crc32fast::hash(&out[..56]);
    out[56..].copy_from_slice(&crc.to_le_bytes());
    [&out, front, rest].concat()
}

fn packed(raw: &[u8]) -> Vec<u8> {
    lz4_flex::block::compress(raw)
}

/// Every number zero, in two bytes.
const ZEROS: (u8, &[u8]) = (0x30, &[0, 0]);

fn table(columns: usize) -> Vec<u8> {
    (0..columns).flat_map(|_| [0x30, 2, 0, 0, 0, 0, 0]).collect()
}

/// An event block that unpacks to as much as may be. `stuffing`: bytes of a section that nobody knows.
fn largest(head: &[u8], number: u64, stuffing: usize) -> Vec<u8> {
    let rows = MAX_ROWS;
    assert!(rows * 4 <= MAX_RUN);
    let (words, items, refs) = (vec![0; rows * 4], vec![0; rows], vec![0; rows * 2]);
    let strings = MAX_RAW - rows * 7 - 4096;
    let strings = strings - strings % MAX_STRINGS;
    let length = (strings / MAX_STRINGS) as u8;
    assert!(length < 0x80);
    let mut sections: Vec<(u16, u8, u8, u32, Vec<u8>)> = Vec::new();
    let mut plain = |id: u16, encoding: u8, raw: &[u8]| {
        sections.push((id, encoding, 0, raw.len() as u32, raw.to_vec()));
    };
    plain(1, 0, &table(35));
    plain(2, 0, &table(14));
    plain(3, 0, &table(4));
    plain(4, 0, &table(2));
    plain(5, 0x30, &[length, 0]);
    for id in [16, 17, 18, 19, 20, 21, 22, 23, 24, 28] {
        plain(id, ZEROS.0, ZEROS.1);
    }
    for (id, raw) in [(6, vec![0; strings]), (25, words), (26, items), (27, refs)] {
        sections.push((id, 0, 1, raw.len() as u32, packed(&raw)));
    }
    sections.push((999, 0, 0, 0, vec![0x55; stuffing]));
    let mut front = Vec::new();
    for v in [rows, rows * 4, rows, rows * 2] {
        front.extend_from_slice(&(v as u32).to_le_bytes());
    }
    front.extend_from_slice(&[0; 7 * 8]);
    for v in [MAX_ENTRIES, MAX_ENTRIES, MAX_ENTRIES, MAX_ENTRIES, MAX_STRINGS, strings] {
        front.extend_from_slice(&(v as u32).to_le_bytes());
    }
    for v in [0, 1, sections.len() as u16, OPENAT] {
        front.extend_from_slice(&v.to_le_bytes());
    }
    let mut rest = Vec::new();
    for (id, encoding, packing, raw, stored) in &sections {
        front.extend_from_slice(&id.to_le_bytes());
        front.extend_from_slice(&[*encoding, *packing]);
        for v in [*raw, stored.len() as u32, crc32fast::hash(stored)] {
            front.extend_from_slice(&v.to_le_bytes());
        }
        rest.extend_from_slice(stored);
    }
    block(head, 2, number, &front, &rest, rows as u32)
}

/// The body of a header or end block.
fn records(raw: &[u8]) -> Vec<u8> {
    [&[1], &(raw.len() as u32).to_le_bytes()[..], &packed(raw)].concat()
}

fn record(tag: u16, bytes: &[u8]) -> Vec<u8> {
    [&tag.to_le_bytes()[..], &(bytes.len() as u32).to_le_bytes(), bytes].concat()
}

/// What a run took.
struct Cost {
    status: i32,
    /// Peak of resident memory.
    peak: usize,
    time: Duration,
    said: String,
}

/// Runs the program on these bytes, with a filter that needs every column and accepts nothing.
#[allow(unsafe_code, reason = "the standard library does not hand out what a child used")]
#[allow(clippy::zombie_processes, reason = "wait4 waits for it")]
fn cost(bytes: &[u8]) -> Cost {
    let filter = "evt.num = 7 or evt.rawtime = 7 or evt.deltatime = 7 or evt.latency = 7 or evt.cpu = 7 or \
                  thread.tid = 7 or evt.rawres = 7 or evt.certain = false or evt.args contains zz or fd.num = 7";
    let mut child = sysreel()
        .args(["-r", "-", filter])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut stdin, mut stderr) = (child.stdin.take().unwrap(), child.stderr.take().unwrap());
    let said = std::thread::spawn(move || {
        let mut said = String::new();
        stderr.read_to_string(&mut said).map(|_| said).unwrap()
    });
    drop(stdin.write_all(bytes));
    // It now waits for more. What getrusage says of a child includes what its parent had before exec; this does not.
    let field = |name: &str| {
        let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        status.lines().find_map(|l| l.strip_prefix(name)).map(|v| v.trim().to_owned())
    };
    let mut peak = 0;
    for calm in 0..2000 {
        let now = field("VmHWM:").and_then(|v| v.strip_suffix(" kB")?.parse().ok()).unwrap_or(0usize) * 1024;
        peak = peak.max(now);
        if calm > 3 && field("State:").is_none_or(|s| s.starts_with(['S', 'Z'])) {
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    drop(stdin);
    let said = said.join().unwrap();
    // SAFETY: both are plain structures that the call fills; the child is ours and is waited for once.
    let (mut status, mut usage) = (0, unsafe { std::mem::zeroed::<libc::rusage>() });
    let pid = unsafe { libc::wait4(child.id() as i32, &raw mut status, 0, &raw mut usage) };
    assert_eq!(pid, child.id() as i32);
    assert!(libc::WIFEXITED(status), "{said}");
    let time = |t: libc::timeval| Duration::new(t.tv_sec as u64, t.tv_usec as u32 * 1000);
    Cost { status: libc::WEXITSTATUS(status), peak, time: time(usage.ru_utime) + time(usage.ru_stime), said }
}

#[test]
fn memory_is_bounded() {
    let base = cost(&empty()).peak;
    let head = head();
    let lists = |tag: u16| {
        // As many empty texts as a list may have, again and again.
        let list = [&[0x80, 0x80, 4][..], &vec![0; 1 << 16]].concat();
        record(tag, &list).repeat(16 * MIB / (list.len() + 6))
    };
    let index = {
        let column = [&[0x30, 2, 0, 1][..]; 5].concat();
        record(33, &[&[0x80, 0x80, 0x10][..], &column].concat()).repeat(1000)
    };
    let mut claims = frame(2, 2, MAX_BODY as u32, &[], 0, 0);
    claims[16..32].copy_from_slice(&head[16..32]);
    let crc = crc32fast::hash(&claims[..56]);
    claims[56..].copy_from_slice(&crc.to_le_bytes());
    let huge = block(&head, 2, 2, &vec![0xff; 4096], &[], u32::MAX);
    let cases: &[(&str, Vec<u8>, i32)] = &[
        ("nothing behind a claim", [&head[..], &claims].concat(), 4),
        ("a front of all ones", [&head[..], &huge].concat(), 4),
        ("a header of many lists", block(&head, 1, 0, &records(&lists(6)), &[], 0), 4),
        ("an index repeated", [&head[..], &block(&head, 4, 2, &records(&index), &[], 0)].concat(), 0),
        ("a header that unpacks to zeros", block(&head, 1, 0, &records(&vec![0; 16 * MIB]), &[], 0), 4),
        ("the largest block", [&head[..], &largest(&head, 2, 0)].concat(), 0),
        ("the largest block, stuffed", [&head[..], &largest(&head, 2, MAX_BODY - MIB)].concat(), 0),
        (
            "three of them",
            [
                &head[..],
                &largest(&head, 2, MAX_BODY - MIB),
                &largest(&head, 3, MAX_BODY - MIB),
                &largest(&head, 4, 0),
            ]
            .concat(),
            0,
        ),
    ];
    let mut report = format!("peak of memory: {} KiB for nothing", base / 1024);
    let mut worst = 0;
    for (what, bytes, status) in cases {
        let cost = cost(bytes);
        report +=
            &format!("; {what} ({} KiB): {} KiB", bytes.len() / 1024, cost.peak.saturating_sub(base) / 1024);
        assert_eq!(cost.status, *status, "{what}: {}", cost.said);
        worst = worst.max(cost.peak.saturating_sub(base));
    }
    loudly(&report);
    // One block, stored and unpacked, and 64 MiB.
    assert!(worst <= 64 * MIB + MAX_BODY + MAX_RAW, "{report}");
}

/// Twice the file takes at most about twice the time: nothing in it makes the reader go back again and again.
#[test]
fn time_is_linear() {
    let head = head();
    let many = |mut one: Vec<u8>, count: usize| {
        one[16..32].copy_from_slice(&head[16..32]);
        let mut out = head.clone();
        for n in 0..count as u64 {
            one[32..40].copy_from_slice(&(n + 2).to_le_bytes());
            let crc = crc32fast::hash(&one[..56]);
            one[56..60].copy_from_slice(&crc.to_le_bytes());
            out.extend_from_slice(&one);
        }
        out
    };
    let frames =
        |body: u32, front: &[u8], count: usize| many(frame(2, 2, body, front, front.len() as u32, 0), count);
    // The front's checksum is wrong.
    let wrong = |body: u32, claimed: u32, count: usize| many(frame(2, 2, body, b"x", claimed, 0), count);
    type Make<'a> = Box<dyn Fn(usize) -> Vec<u8> + 'a>;
    let cases: Vec<(&str, Make)> = vec![
        ("markers and nothing else", Box::new(|n| [&head[..], &b"\x89REEL\r\n\x1a".repeat(n / 8)].concat())),
        ("markers before a header", Box::new(|n| [&b"\x89REEL\r\n\x1a".repeat(n / 8)[..], &head].concat())),
        ("empty blocks", Box::new(|n| frames(0, &[], n / 60))),
        ("blocks that claim the rest", Box::new(|n| frames(MAX_BODY as u32, &[], n / 60))),
        ("blocks that claim too much", Box::new(|n| frames(u32::MAX, &[], n / 60))),
        ("blocks with wrong fronts that overlap", Box::new(|n| wrong(MIB as u32, MIB as u32, n / 60))),
        ("headers with wrong fronts that overlap", {
            Box::new(|n| {
                let mut one = frame(1, 0, MIB as u32, b"x", MIB as u32, 0);
                one[16..32].copy_from_slice(&head[16..32]);
                let crc = crc32fast::hash(&one[..56]);
                one[56..].copy_from_slice(&crc.to_le_bytes());
                one.repeat(n / 60)
            })
        }),
        ("zeros", Box::new(|n| [&head[..], &vec![0; n]].concat())),
        ("the beginning of a reel repeated", Box::new(|n| head.repeat(n / head.len()))),
    ];
    let mut report = "time:".to_owned();
    for (what, make) in &cases {
        let measure = |n: usize| (0..3).map(|_| cost(&make(n)).time).min().unwrap();
        let (one, four) = (measure(2 * MIB), measure(8 * MIB));
        report += &format!(
            " {what}: {:.0} ms for 2 MiB, {:.0} for 8;",
            one.as_secs_f64() * 1e3,
            four.as_secs_f64() * 1e3
        );
        // Four times as much; doubled for the machine's sake. What is quadratic takes sixteen times as long.
        assert!(four < one * 8 + Duration::from_millis(200), "{report}");
    }
    loudly(&report);
}
