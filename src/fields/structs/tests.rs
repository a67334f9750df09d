//! Structures by their bytes: known ones, and any.

use super::*;
use crate::batch::Batch;
use crate::fields::args::Arg;
use crate::fields::messages::message_bytes;
use crate::fields::sink::{JsonSink, TextSink};
use crate::fields::{escape, fixture};
use crate::schema::{Arch, Choice, What, choices, tables as t};

fn words(numbers: &[u64]) -> Vec<u8> {
    numbers.iter().flat_map(|n| n.to_le_bytes()).collect()
}

/// `.` and a file, as the kernel writes them (fs/readdir.c): lengths are multiples of 8.
fn dirents(new: bool) -> Vec<u8> {
    let entry = |ino: u64, kind: u8, name: &[u8]| {
        let len = (19 + name.len() + 1).next_multiple_of(8);
        let mut b = words(&[ino, 1]);
        b.extend_from_slice(&(len as u16).to_le_bytes());
        if new {
            b.push(kind);
        }
        b.extend_from_slice(name);
        b.resize(len, 0);
        if !new {
            b[len - 1] = kind;
        }
        b
    };
    [entry(2, 4, b"."), entry(77, 8, b"a\nfile")].concat()
}

fn statmount() -> Vec<u8> {
    let mut b = vec![0; 512];
    b[8] = 0x3b;
    b[16..24].copy_from_slice(&[8, 0, 0, 0, 2, 0, 0, 0]);
    b[24..26].copy_from_slice(&0xef53u16.to_le_bytes());
    b[40] = 30;
    // fs_type, mnt_root, mnt_point: from the end of the fixed part.
    (b[36], b[104], b[108]) = (0, 5, 7);
    b.extend_from_slice(b"ext4\0/\0/mnt\0");
    b
}

fn render(batch: &Batch<'_>, is: &'static Is, bytes: &[u8], cut: bool) -> (String, String) {
    let (mut text, mut json) = (Vec::new(), Vec::new());
    show(&mut TextSink::new(&mut text, batch, 0), is, bytes, cut);
    show(&mut JsonSink::new(&mut json, batch), is, bytes, cut);
    (String::from_utf8(text).expect("text"), String::from_utf8(json).expect("JSON"))
}

/// What a choice makes of a value's bytes; the value by its name.
fn chosen(choice: &'static Choice, table: &Names, name: &str) -> &'static Is {
    let value = table.value_of(name).expect(name);
    let what = choice.rows.iter().find(|(v, _)| *v == value).map(|(_, what)| what).expect(name);
    match what {
        What::Word(is) | What::In(is) | What::Out(is) => is,
        What::Idle => panic!("{name} has nothing"),
    }
}

fn ints(numbers: &[i32]) -> Vec<u8> {
    numbers.iter().flat_map(|n| n.to_le_bytes()).collect()
}

/// Bytes as the kernel and the C library lay them out, and what must be said of them.
#[test]
fn known_bytes() {
    let named = |name: &[u8], rest: &[u8]| {
        let mut b = name.to_vec();
        b.resize(16, 0);
        b.extend_from_slice(rest);
        b.resize(40, 0);
        b
    };
    let siginfo = Struct::Siginfo.layout(Arch::X86_64);
    let flock = [&[1, 0, 2, 0, 0, 0, 0, 0][..], &words(&[10, 20]), &ints(&[4711, 0])].concat();
    let inet = [2, 0, 0, 0, 10, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0];
    let cases: &[(&'static Is, Vec<u8>, &str)] = &[
        (
            chosen(&choices::FCNTL, &t::FCNTL, "F_GETLK"),
            flock.clone(),
            "{l_type=F_WRLCK, l_whence=SEEK_END, l_start=10, l_len=20, l_pid=4711}",
        ),
        (chosen(&choices::FCNTL, &t::FCNTL, "F_SETOWN_EX"), ints(&[1, 4711]), "{type=F_OWNER_PID, pid=4711}"),
        (chosen(&choices::FCNTL, &t::FCNTL, "F_SETFL"), words(&[0o6000]), "O_RDONLY|O_APPEND|O_NONBLOCK"),
        (chosen(&choices::FCNTL, &t::FCNTL, "F_ADD_SEALS"), words(&[9]), "F_SEAL_SEAL|F_SEAL_WRITE"),
        (chosen(&choices::IOCTL, &t::IOCTL, "FIONREAD"), ints(&[5]), "[5]"),
        (
            chosen(&choices::IOCTL, &t::IOCTL, "TIOCGWINSZ"),
            vec![24, 0, 80, 0, 0, 0, 0, 0],
            "{ws_row=24, ws_col=80, ws_xpixel=0, ws_ypixel=0}",
        ),
        (
            chosen(&choices::IOCTL, &t::IOCTL, "TCGETS"),
            ints(&[0x500, 5, 0xbf, 0x8a3b]),
            "{c_iflag=ICRNL|IXON, c_oflag=OPOST|ONLCR, c_cflag=B38400|CS8|CREAD, \
             c_lflag=ISIG|ICANON|ECHO|ECHOE|ECHOK|ECHOCTL|ECHOKE|IEXTEN}",
        ),
        (
            chosen(&choices::IOCTL, &t::IOCTL, "SIOCGIFADDR"),
            named(b"eth0", &inet),
            "{ifr_name=\"eth0\", ifr_addr=10.0.0.1:0}",
        ),
        (
            chosen(&choices::IOCTL, &t::IOCTL, "SIOCGIFFLAGS"),
            named(b"lo", &[0x49, 0]),
            "{ifr_name=\"lo\", ifr_flags=IFF_UP|IFF_LOOPBACK|IFF_RUNNING}",
        ),
        (
            chosen(&choices::IOCTL, &t::IOCTL, "TUNSETIFF"),
            named(b"tap0", &[2, 0x10]),
            "{ifr_name=\"tap0\", ifr_flags=IFF_TAP|IFF_NO_PI}",
        ),
        (chosen(&choices::SETSOCKOPT, &t::SOCKOPT, "SO_LINGER"), ints(&[1, 5]), "{l_onoff=1, l_linger=5}"),
        (
            chosen(&choices::SETSOCKOPT, &t::SOCKOPT, "SO_RCVTIMEO"),
            words(&[2, 500_000]),
            "{tv_sec=2, tv_usec=500000}",
        ),
        (
            chosen(&choices::GETSOCKOPT, &t::SOCKOPT, "SO_PEERCRED"),
            ints(&[4711, 1000, 100]),
            "{pid=4711, uid=1000, gid=100}",
        ),
        (chosen(&choices::GETSOCKOPT, &t::SOCKOPT, "SO_ERROR"), ints(&[111]), "[ECONNREFUSED]"),
        (chosen(&choices::GETSOCKOPT, &t::SOCKOPT, "SO_TYPE"), ints(&[1]), "[SOCK_STREAM]"),
        (chosen(&choices::GETSOCKOPT, &t::SOCKOPT, "TCP_CONGESTION"), b"cubic\0".to_vec(), "\"cubic\""),
        (&Is::NumberOrBytes, ints(&[1]), "[1]"),
        (&Is::NumberOrBytes, b"abc".to_vec(), "\"abc\""),
        (chosen(&choices::PRCTL2, &t::PRCTL, "PR_SET_NAME"), b"worker\0\xffjunk...".to_vec(), "\"worker\""),
        (chosen(&choices::PRCTL2, &t::PRCTL, "PR_CAPBSET_DROP"), words(&[21]), "CAP_SYS_ADMIN"),
        (
            chosen(&choices::FUTEX_VAL3, &t::FUTEX, "FUTEX_WAKE_OP"),
            ints(&[0x1400_5007]),
            "{op=FUTEX_OP_ADD, oparg=5, cmp=FUTEX_OP_CMP_GT, cmparg=7}",
        ),
        (&Is::Quota, ints(&[0x8000_0701u32 as i32]), "QCMD(Q_GETQUOTA, GRPQUOTA)"),
        (
            chosen(&choices::LANDLOCK_RULE, &t::LANDLOCK_RULE, "LANDLOCK_RULE_PATH_BENEATH"),
            [&words(&[5])[..], &ints(&[3])].concat(),
            "{allowed_access=LANDLOCK_ACCESS_FS_EXECUTE|LANDLOCK_ACCESS_FS_READ_FILE, parent_fd=3}",
        ),
        (
            chosen(&choices::BPF_ATTR, &t::BPF, "BPF_MAP_GET_FD_BY_ID"),
            ints(&[7, 0, 8]),
            "{map_id=7, open_flags=BPF_F_RDONLY}",
        ),
        (
            siginfo,
            ints(&[11, 0, 1, 0, 0x10, 0, 0, 0]),
            "{si_signo=SIGSEGV, si_code=SEGV_MAPERR, si_addr=0x10}",
        ),
        (
            siginfo,
            ints(&[17, 0, 2, 0, 4711, 1000, 9, 0]),
            "{si_signo=SIGCHLD, si_code=CLD_KILLED, si_pid=4711, si_uid=1000, si_status=SIGKILL}",
        ),
        (
            siginfo,
            ints(&[34, 0, -1, 0, 4711, 1000, 42, 0]),
            "{si_signo=SIGRT_2, si_code=SI_QUEUE, si_pid=4711, si_uid=1000, si_value=0x2a}",
        ),
        (
            siginfo,
            ints(&[31, 0, 1, 0, 0x1000, 0, 39, 0xc000_003eu32 as i32]),
            "{si_signo=SIGSYS, si_code=SYS_SECCOMP, si_call_addr=0x1000, si_syscall=39, \
             si_arch=AUDIT_ARCH_X86_64}",
        ),
    ];
    let (schema, block) = (fixture::schema(), fixture::block());
    let batch = block.view(&schema);
    for (is, bytes, want) in cases {
        assert_eq!(render(&batch, is, bytes, false).0, *want);
    }
    assert_eq!(special::ioc(0x8010_64ab), "_IOC(_IOC_READ, 0x64, 0xab, 0x10)");
    assert_eq!(special::ioc(u64::MAX), "0xffffffffffffffff");
}

#[test]
fn any_bytes_are_survived() {
    use proptest::prelude::*;
    let mut all: Vec<&'static Is> = Vec::new();
    for s in Struct::ALL {
        all.extend([s.layout(Arch::X86_64), s.layout(Arch::Aarch64)]);
    }
    for choice in choices::ALL {
        let whats = choice.rows.iter().map(|(_, what)| what).chain([&choice.other]);
        all.extend(whats.filter_map(|what| match what {
            What::Word(is) | What::In(is) | What::Out(is) => Some(is),
            What::Idle => None,
        }));
    }
    let bytes = prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..160),
        // Small numbers: lengths, types and offsets that could be right.
        proptest::collection::vec(prop_oneof![Just(0u8), 0..40u8], 0..600),
        Just(b"\n\x1b[2J\x9b\xff\xfe\"\\".repeat(9)),
    ];
    let (schema, block) = (fixture::schema(), fixture::block());
    let batch = block.view(&schema);
    // Every layout in each case, so that few cases are many.
    proptest!(ProptestConfig { max_shrink_iters: 64, ..ProptestConfig::with_cases(16) }, |(bytes in bytes, cut: bool)| {
        for is in &all {
            let (text, json) = render(&batch, is, &bytes, cut);
            prop_assert!(!text.bytes().any(|b| b < 0x20 || b == 0x7f), "{text:?}");
            prop_assert!(serde_json::from_str::<serde_json::Value>(&json).is_ok(), "{json}");
            // A bit is a name at most, a byte eight.
            let most = 4096 + 400 * bytes.len();
            prop_assert!(text.len() <= most && json.len() <= most, "{} of {}", text.len(), bytes.len());
        }
    });
}

/// Every structure with members that can be told apart, and what has no fixed size.
#[test]
fn looks() {
    let mut utsname = vec![0; 390];
    for (i, name) in ["Linux", "host", "7.0", "#1 \"x\"", "x86_64", "local"].into_iter().enumerate() {
        utsname[65 * i..][..name.len()].copy_from_slice(name.as_bytes());
    }
    let stat =
        words(&[0x801, 77, 1, 0o100_644 | 1000 << 32, 50, 0, 1026, 4096, 8, 1, 2, 3, 4, 5, 6, 0, 0, 0]);
    let mut statx = vec![0; 160];
    statx[28..30].copy_from_slice(&0o40_755u16.to_le_bytes());
    statx[40] = 9;
    statx[136] = 8;
    let sample = |s: Struct| match s {
        Struct::Utsname => utsname.clone(),
        Struct::Stat => stat.clone(),
        Struct::Statx => statx.clone(),
        Struct::Sigset => words(&[1 << 8]),
        Struct::Sigaction => words(&[1, 0x1000_0000, 0, 1 << 8]),
        Struct::Rlimit => words(&[1024, u64::MAX]),
        Struct::Timespec2 => words(&[0, 0x3fff_ffff, 5, 6]),
        Struct::OpenHow => words(&[0o2_000_000, 0, 0]),
        Struct::CloneArgs => words(&[0, 0, 0, 0, 9, 0x7000, 4096, 0, 0, 0, 0]),
        Struct::WaitStatus => 0x300u32.to_le_bytes().to_vec(),
        Struct::Siginfo => [9u32, 0, 0, 0, 4711, 1000, 3, 0].iter().flat_map(|n| n.to_le_bytes()).collect(),
        Struct::EpollEvent => [0x8000_0001u32, 7, 0].iter().flat_map(|n| n.to_le_bytes()).collect(),
        Struct::Dirents | Struct::OldDirents => dirents(s == Struct::Dirents),
        Struct::XattrNames => b"user.a\0security.selinux\0".to_vec(),
        Struct::CpuSet => vec![0b1000_0011, 0, 1],
        Struct::LsmCtx => [&words(&[101, 0, 40, 8])[..], b"unconfin"].concat(),
        Struct::Statmount => statmount(),
        Struct::CapData => words(&[0x1_0000_00ff, 0, 0x1ff]),
        s => (1..=s.size()).map(|i| if i % 8 == 1 { i as u8 } else { 0 }).collect(),
    };
    let samples: Vec<(String, Struct, Vec<u8>)> =
        Struct::ALL.iter().map(|s| (s.name().to_string(), *s, sample(*s))).collect();
    let data = |bytes, cut| Data { bytes, cut, total: Some(4096) };
    let name = b"\x02\0\0\x35\x7f\0\0\x01\0\0\0\0\0\0\0\0";
    // Two descriptors, padded; credentials; something else; garbage.
    let rights = b"\x18\0\0\0\0\0\0\0\x01\0\0\0\x01\0\0\0\x03\0\0\0\x05\0\0\0";
    let creds = b"\x1c\0\0\0\0\0\0\0\x01\0\0\0\x02\0\0\0\x09\0\0\0\xe8\x03\0\0\x64\0\0\0\0\0\0\0";
    let other = b"\x12\0\0\0\0\0\0\0\x29\0\0\0\x63\0\0\0ab\0\0\0\0\0\0";
    let garbage = b"\x03\0\0\0\0\0\0\0\x01\0\0\0\x01\0\0\0";
    let control = [&rights[..], creds, other, garbage].concat();
    let msg = message_bytes(4096, name, &control, b"payload", 0x20);
    let plain = message_bytes(2, b"", b"", b"ab", 0);
    let lost = message_bytes(9 | 0b111 << 57, b"", b"", b"", 0);
    let two = [&plain[..], &plain, &lost].concat();
    let set =
        [&8i32.to_le_bytes()[..], &8i32.to_le_bytes(), &[9, 0, 0, 0, 0, 0, 0, 128, 8], &[0; 7]].concat();
    let unasked = [&(-1i32).to_le_bytes()[..], &1i32.to_le_bytes(), &[3]].concat();
    let failed = [&1i32.to_le_bytes()[..], &(-2i32).to_le_bytes(), &[3]].concat();
    let mut all: Vec<(&str, Arg<'_>)> =
        samples.iter().map(|(name, s, bytes)| (name.as_str(), Arg::Struct(*s, data(bytes, false)))).collect();
    all.extend([
        ("torn stat", Arg::Struct(Struct::Stat, data(&stat[..20], false))),
        ("killed", Arg::Struct(Struct::WaitStatus, data(b"\x89\0\0\0", false))),
        (
            "inet6",
            Arg::Sockaddr(data(b"\x0a\0\0\x50\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\0\0\0", false)),
        ),
        ("unix", Arg::Sockaddr(data(b"\x01\0/run/a b\0\0\0", false))),
        ("abstract", Arg::Sockaddr(data(b"\x01\0\0name\0x", false))),
        ("unnamed", Arg::Sockaddr(data(b"\x01\0", false))),
        ("netlink", Arg::Sockaddr(data(b"\x10\0\0\0\x01\0\0\0\x02\0\0\0", false))),
        ("packet", Arg::Sockaddr(data(b"\x11\0\x08\0\x02\0\0\0\0\0\0\0", false))),
        ("other family", Arg::Sockaddr(data(b"\x28\0\x01\x02", false))),
        ("torn inet", Arg::Sockaddr(data(b"\x02\0\0\x50\x7f", true))),
        ("msgbuf", Arg::Msgbuf(data(b"\x07\0\0\0\0\0\0\0text", false))),
        ("cut msgbuf", Arg::Msgbuf(data(b"\xff\xff\xff\xff\xff\xff\xff\xfftext", true))),
        ("torn msgbuf", Arg::Msgbuf(data(b"\x07\0\0", true))),
        ("pages", Arg::Pages(data(b"\x01\0\0\xff\xfe", false))),
        ("environment", Arg::Environment(Some(2), data(b"A=1\0B=\0", false))),
        ("counted environment", Arg::Environment(Some(2), data(b"", false))),
        ("cut environment", Arg::Environment(None, data(b"A=1\0B=two", true))),
        ("message", Arg::Msghdr(data(&msg, false))),
        ("plain message", Arg::Msghdr(data(&plain, false))),
        ("unreadable message", Arg::Msghdr(data(&lost, false))),
        ("torn message", Arg::Msghdr(data(&msg[..20], true))),
        ("messages", Arg::Mmsghdrs(data(&two, true), 1)),
        ("torn messages", Arg::Mmsghdrs(data(&two[..50], false), 0)),
        ("set", Arg::FdSet(data(&set, false))),
        ("set, nothing known of before", Arg::FdSet(data(&unasked, false))),
        ("set of a failed call", Arg::FdSet(data(&failed, true))),
        ("torn set", Arg::FdSet(data(&set[..12], false))),
        ("no set", Arg::FdSet(data(&set[..5], false))),
        ("polls", Arg::Pollfds(data(b"\x03\0\0\0\x01\0\x11\0\x04\0\0\0\x04\0\0\0", false), true)),
        ("polls, failed", Arg::Pollfds(data(b"\x03\0\0\0\x01\0\x11\0", false), false)),
        ("torn polls", Arg::Pollfds(data(b"\x03\0\0\0\x01\0\x00\0\x04", false), true)),
        ("epolls", Arg::EpollEvents(data(b"\x01\0\0\0\x05\0\0\0\0\0\0\0", true))),
        ("strings", Arg::Strings(data(b"a\0\0b \"c\"\0", false))),
        ("torn strings", Arg::Strings(data(b"a\0bcd", true))),
        ("no strings", Arg::Strings(data(b"", false))),
        ("device", Arg::Dev(0x1_0000_0801)),
        ("cut", Arg::Bytes(data(b"\xffa", true))),
    ]);
    let (schema, block) = (fixture::schema(), fixture::block());
    let batch = block.view(&schema);
    let mut shown = String::new();
    for (name, arg) in all {
        let (mut text, mut json) = (Vec::new(), Vec::new());
        arg.emit(&mut TextSink::new(&mut text, &batch, 0));
        arg.emit(&mut JsonSink::new(&mut json, &batch));
        assert!(serde_json::from_slice::<serde_json::Value>(&json).is_ok(), "{name}");
        assert!(escape::unescape(&text).is_some());
        shown += &format!(
            "{name}: {}\n    {}\n",
            String::from_utf8(text).unwrap(),
            String::from_utf8(json).unwrap()
        );
    }
    insta::assert_snapshot!(shown);
}
