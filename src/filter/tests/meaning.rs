//! What filters mean: missing values, several values, codes, skipping, suggestions.

use super::world::{FIELDS, Plain, block, good, schema};
use crate::batch::{Bitmap, NONE};
use crate::fields::Value;
use crate::filter::suggest::near;
use crate::filter::{CodeSet, Filter, Glance, Verdicts};

/// Rows of one block that a filter selects.
fn rows(text: &str, procs: &[(usize, u32)], files: &[(usize, usize, u16)], rows: &[Plain]) -> Vec<usize> {
    let (b, schema) = (block(procs, files, rows), schema());
    let batch = b.view(&schema);
    let mut out = Bitmap::default();
    good(text).select(&mut Verdicts::default(), &batch, 0..rows.len(), &mut out);
    out.iter().collect()
}

#[test]
fn missing_values() {
    // Process 0 is cat, process 1 has no name, row 2 has no process.
    let procs = [(0, 1), (9, 2)];
    let all =
        [(0, 0, None, 0, 0, NONE, 1), (0, 0, Some(5), 0, 1, NONE, 0), (0, 0, Some(9), 0, NONE, NONE, 1)];
    let of = |text: &str| rows(text, &procs, &[], &all);
    assert_eq!(of("proc.name = cat"), [0]);
    assert_eq!(of("proc.name != cat"), [0usize; 0]);
    assert_eq!(of("proc.name != dog"), [0]);
    assert_eq!(of("not proc.name = cat"), [1, 2]);
    assert_eq!(of("not proc.name != dog"), [1, 2]);
    assert_eq!(of("proc.name exists"), [0]);
    assert_eq!(of("not proc.name exists"), [1, 2]);
    assert_eq!(of("evt.latency < 9"), [1]);
    assert_eq!(of("evt.latency != 9"), [1]);
    assert_eq!(of("evt.latency >= 0"), [1, 2]);
    assert_eq!(of("evt.latency exists"), [1, 2]);
    assert_eq!(of("not evt.latency > 5"), [0, 1]);
    assert_eq!(of("thread.tid != 7"), [0, 2]);
    assert_eq!(of("thread.tid in (0, 1)"), [0, 2]);
    assert_eq!(of(""), [0, 1, 2]);
}

#[test]
fn several_values() {
    let test = |text: &str, value: &Value<'_>| match &good(text).node {
        crate::filter::check::Node::Test(test) => test.holds(value),
        _ => panic!(),
    };
    let any = |all: &[&'static str]| Value::Any(all.iter().map(|t| Value::text(t.as_bytes())).collect());
    assert!(test("proc.aname = b", &any(&["a", "b"])));
    assert!(!test("proc.aname != b", &any(&["a", "b"])));
    assert!(test("proc.aname != c", &any(&["a", "b"])));
    assert!(!test("proc.aname != c", &any(&[])));
    assert!(!test("proc.aname exists", &any(&[])));
    assert!(!test("proc.aname != c", &Value::Any(vec![Value::None])));
    let ip = |text: &str| Value::Ip(text.parse().unwrap());
    assert!(test("fd.ip = 10.0.0.0/8", &ip("10.255.0.1")));
    assert!(test("fd.ip = 10.0.0.0/8", &ip("::ffff:10.255.0.1")));
    assert!(test("fd.ip = ::ffff:10.0.0.0/104", &ip("10.255.0.1")));
    assert!(!test("fd.ip = 10.0.0.0/8", &ip("11.0.0.1")));
    assert!(test("fd.ip = 0.0.0.0/0", &ip("11.0.0.1")));
    assert!(test("fd.ip = ::/0", &ip("fe80::1")));
    assert!(test("fd.ip = fe80::/10", &ip("febf::1")));
    assert!(!test("fd.ip = fe80::/10", &ip("10.0.0.1")));
    assert!(test("fd.ip != fe80::/10", &ip("10.0.0.1")));
}

#[test]
fn constants() {
    let test = |text: &str, n: u64| match &good(text).node {
        crate::filter::check::Node::Test(test) => test.holds(&Value::UInt(n)),
        _ => panic!(),
    };
    assert!(test("evt.latency = 1.5ms", 1_500_000));
    assert!(test("evt.latency = 2m", 120_000_000_000));
    assert!(test("evt.latency = 1h", 3_600_000_000_000));
    assert!(test("evt.latency = 0.5us", 500));
    assert!(test("evt.buflen = 4k", 4096));
    assert!(test("evt.buflen = 1.5KiB", 1536));
    assert!(test("evt.buflen = 2G", 2 << 30));
    assert!(test("fd.sport = https", 443));
    assert!(test("proc.pid = 0777", 511));
    assert!(test("evt.time = 1970-01-01T00:00:01Z", 1_000_000_000));
    assert!(test("evt.buflen <= 18446744073709551615", u64::MAX));
}

#[test]
fn codes() {
    let of = |text: &str| good(text).codes().iter().collect::<Vec<_>>();
    assert_eq!(of("evt.type = open"), [2, 2053]);
    assert_eq!(of("evt.type in (read, close)"), [0, 3]);
    assert_eq!(of("evt.type = read or evt.type = close and evt.failed"), [0, 3]);
    assert_eq!(of("not (evt.type != read or evt.failed)"), [0]);
    assert_eq!(of("evt.type = read and evt.type = close"), [0u16; 0]);
    assert_eq!(of("evt.type startswith open and evt.category = file"), [2, 257]);
    // A call without a descriptor is about no file.
    assert_eq!(of("fd.name contains x"), [0, 1, 2, 3, 257]);
    assert!(good("not fd.name contains x").codes().is_all());
    assert!(good("evt.type = read or evt.failed").codes().is_all());
    assert!(good("not not evt.failed").codes().is_all());
    assert_eq!(CodeSet::all().complement(), CodeSet::none());
}

#[test]
fn blocks_are_skipped() {
    let b = block(&[(0, 1), (1, 2)], &[(1, 0, 0)], &[(0, 0, None, 0, 0, 0, 1)]);
    let schema = schema();
    let dict = b.view(&schema).dict;
    let may = |text: &str, codes: &[u16]| {
        good(text).may_match(
            &mut Verdicts::default(),
            &Glance { codes: Some(codes), ..Glance::default() },
            &dict,
        )
    };
    assert!(may("proc.name = nginx", &[0]));
    assert!(!may("proc.name = systemd", &[0]));
    assert!(may("not proc.name = systemd", &[0]));
    assert!(may("proc.name = systemd or evt.type = read", &[0]));
    assert!(!may("proc.name = systemd or evt.type = read", &[1]));
    assert!(!may("proc.name = cat and evt.type = read", &[1, 2]));
    assert!(!may("evt.type = read", &[]));
    assert!(may("fd.name = /etc/passwd", &[0]));
    assert!(!may("fd.name = /etc/passwd", &[110]));
    assert!(!may("not (not proc.name = systemd)", &[0]));
    assert!(Filter::everything().may_be_in(&Glance { codes: Some(&[5]), ..Glance::default() }));
}

#[test]
fn needs() {
    use crate::batch::Columns;
    let filter = good("evt.latency > 1 and proc.name = cat");
    assert_eq!(filter.columns(), Columns::LATENCY.and(Columns::PROC));
    let mut uses: Vec<_> = filter.uses().map(|f| f.name).collect();
    uses.sort_unstable();
    assert_eq!(uses, ["evt.latency", "proc.name"]);
    assert_eq!(good("").columns(), Columns::NOTHING);
    assert!(good(" # nothing").is_everything());
    // The cheap test goes first, however it was written.
    let plan = &good("evt.failed and proc.name = cat and evt.type = read").plan;
    let crate::filter::plan::Tree::And(parts) = &plan.tree else { panic!() };
    assert_eq!(format!("{parts:?}"), "[Test(2), Test(1), Test(0)]");
}

#[test]
fn errors_have_names() {
    // Not in the corpus: what is suggested depends on the table of errors.
    assert!(super::world::parse("evt.res = EFOO").is_err());
    assert_eq!(near("enoent", ["ENONET", "ENOENT", "EPERM"]), ["ENOENT"]);
}

#[test]
fn shown_is_a_filter() {
    for text in
        ["proc.name = 'a\\n\\xff\\\\ b'", "proc.name in (and, \"'\", '', 'é')", "proc.name glob 'a\\\\*'"]
    {
        let text = text.replace("(and", "('and'");
        let once = format!("{:?}", good(&text).node);
        let shown = once.trim_start_matches("Test(").strip_suffix(')').unwrap().to_string();
        assert_eq!(format!("{:?}", good(&shown).node), once);
    }
}

/// Names of calls whose slips are tried.
const CALLS: &str = "accept4 access bind bpf brk chdir chmod chown clone3 close_range connect copy_file_range dup3 \
    epoll_create1 epoll_ctl epoll_pwait eventfd2 execve execveat exit_group fallocate fchmodat fchownat fcntl \
    fdatasync finit_module fstat fsync ftruncate futex getcwd getdents64 getegid getpeername getpid getppid getrandom \
    getsockname getsockopt gettid getuid inotify_add_watch inotify_init1 io_uring_enter io_uring_setup ioctl kill \
    linkat listen lseek madvise memfd_create mkdirat mmap mount mprotect munmap nanosleep newfstatat open openat \
    openat2 perf_event_open pidfd_open pipe2 pivot_root poll ppoll prctl pread64 preadv2 prlimit64 process_vm_readv \
    ptrace pwrite64 pwritev2 read readlinkat readv recvfrom recvmmsg recvmsg renameat2 rt_sigaction rt_sigprocmask \
    sched_yield seccomp select sendfile sendmmsg sendmsg sendto setgid setns setresuid setsockopt setuid shutdown \
    signalfd4 socket socketpair splice stat statfs statx symlinkat sync tgkill timerfd_create timerfd_settime umount2 \
    uname unlinkat unshare userfaultfd utimensat vfork vmsplice wait4 waitid write writev";

#[test]
fn slips_are_understood() {
    let mut seed = 0x9e37_79b9_7f4a_7c15u64;
    let mut random = move |below: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        (seed >> 33) as usize % below
    };
    let calls: Vec<&str> = CALLS.split_whitespace().collect();
    let mut fields: Vec<&str> = FIELDS.iter().chain(crate::fields::FIELDS).map(|f| f.name).collect();
    fields.sort_unstable();
    fields.dedup();
    for (names, need) in [(fields, 95), (calls, 95)] {
        let (mut tried, mut right) = (0, 0);
        let mut wrong = Vec::new();
        for name in &names {
            for round in 0..24 {
                let mut word: Vec<u8> = name.bytes().collect();
                // Two slips in a word of three letters leave nothing to go by.
                let slips = if name.len() >= 6 { 1 + round % 2 } else { 1 };
                for _ in 0..slips {
                    let at = random(word.len());
                    let letter = b'a' + random(26) as u8;
                    match random(4) {
                        0 => word[at] = letter,
                        1 => word.insert(at, letter),
                        2 => drop(word.remove(at)),
                        _ if at > 0 => word.swap(at - 1, at),
                        _ => word.push(letter),
                    }
                }
                let word = String::from_utf8(word).unwrap();
                if names.contains(&&*word) {
                    continue;
                }
                tried += 1;
                if near(&word, names.iter().copied()).contains(name) {
                    right += 1;
                } else {
                    wrong.push(format!("{name}/{word}"));
                }
            }
        }
        assert!(right * 100 >= tried * need, "{right} of {tried}: {wrong:?}");
    }
}
