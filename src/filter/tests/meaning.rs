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

fn holds(text: &str, value: &Value<'_>) -> bool {
    match &good(text).node {
        crate::filter::check::Node::Test(test) => test.holds(value),
        other => panic!("{other:?}"),
    }
}

fn any(all: &[&'static str]) -> Value<'static> {
    Value::Any(all.iter().map(|t| Value::text(t.as_bytes())).collect())
}

#[test]
fn lists_and_how_many_of_them() {
    let text = |t: &'static str| Value::text(t.as_bytes());
    for (filter, fits, not) in [
        ("proc.name contains anyof (ab, cd)", &["xab", "cdx"][..], &["a", "bc"][..]),
        ("proc.name contains allof (ab, cd)", &["cdab"], &["ab", "cd", ""]),
        ("proc.name contains oneof (ab, cd)", &["ab", "cd"], &["abcd", "x"]),
        ("proc.name startswith anyof (ab, abc, x)", &["ab", "abcd", "x"], &["a", "bab"]),
        ("proc.name endswith anyof (ab, cab, x)", &["ab", "ccab", "x"], &["b", "aba"]),
        ("proc.name icontains anyof (AB, cd)", &["xaBx", "CD"], &["a"]),
        ("proc.name != anyof (a, b)", &["a", "b", "c"], &[]),
        ("proc.name != allof (a, b)", &["c"], &["a", "b"]),
        ("proc.name != oneof (a, b)", &["a", "b"], &["c"]),
        ("proc.name = oneof (a, a)", &[], &["a", "b"]),
        ("proc.name glob allof (a*, *b)", &["ab", "axb"], &["a", "b"]),
        ("proc.name regex oneof (a.*, .*b)", &["a", "b"], &["ab", "c"]),
        ("proc.name bcontains 6162", &["xabx"], &["6162"]),
        ("proc.name bstartswith 61", &["ab"], &["ba"]),
        ("fd.name pmatch (/etc, /usr/lib*)", &["/etc", "/etc/x", "/usr/lib64/a"], &["/etcetera", "/usr", ""]),
        ("evt.res in (EWOULDBLOCK)", &["EAGAIN"], &["EWOULDBLOCK"]),
    ] {
        for t in fits {
            assert!(holds(filter, &text(t)), "{filter}: {t}");
        }
        for t in not {
            assert!(!holds(filter, &text(t)), "{filter}: {t}");
        }
        assert!(!holds(filter, &Value::None), "{filter}");
    }
    // Each constant may be met by another of several values.
    assert!(holds("proc.aname = allof (a, b)", &any(&["a", "b"])));
    assert!(!holds("proc.aname = allof (a, b)", &any(&["a", "c"])));
    assert!(holds("proc.aname != oneof (a, c)", &any(&["a", "b"])));
    assert!(!holds("proc.aname != anyof (a)", &Value::Any(Vec::new())));
    assert!(holds("proc.aname intersects (a, x)", &any(&["a", "b"])));
}

#[test]
fn ranges() {
    for (filter, fits, not) in [
        ("evt.rawres in (1..5, 4..9, 20)", &[1, 5, 9, 20][..], &[0, 10, 21][..]),
        ("evt.rawres in (..-1)", &[i64::MIN, -1], &[0]),
        ("evt.rawres in (5..)", &[5, i64::MAX], &[4]),
        ("evt.rawres in (0x10..0x12)", &[16, 18], &[15, 19]),
        ("evt.rawres = anyof (1, 3)", &[1, 3], &[2]),
        ("evt.rawres != anyof (1, 3)", &[1, 2], &[]),
        ("evt.rawarg.sig = SIGKILL", &[9], &[8]),
    ] {
        for n in fits {
            assert!(holds(filter, &Value::Int(*n)), "{filter}: {n}");
        }
        for n in not {
            assert!(!holds(filter, &Value::Int(*n)), "{filter}: {n}");
        }
    }
    assert!(holds("evt.latency in (1ms..2ms)", &Value::UInt(1_500_000)));
    assert!(holds("fd.sport in (ssh..https)", &Value::UInt(80)));
}

#[test]
fn fields_against_fields() {
    // cat, its child cat, and that one's child nginx.
    let procs = [(0, 1), (0, 2), (1, 3)];
    let row = |proc: u32, ret: i64| (0, 0, Some(5), ret, proc, NONE, 1);
    let all = [row(0, 0), row(1, 2), row(2, 9), row(NONE, 0)];
    let of = |text: &str| rows(text, &procs, &[], &all);
    assert_eq!(of("proc.name = val(proc.aname[1])"), [1]);
    assert_eq!(of("proc.name != val(proc.aname[1])"), [2]);
    assert_eq!(of("not proc.name = val(proc.aname[1])"), [0, 2, 3]);
    assert_eq!(of("proc.name in val(proc.aname)"), [1]);
    assert_eq!(of("proc.name > val(proc.aname[1])"), [2]);
    assert_eq!(of("len(proc.name) = 5"), [2]);
    assert_eq!(of("len(proc.name) != 5"), [0, 1]);
    assert_eq!(of("toupper(proc.name) = CAT"), [0, 1]);
    assert_eq!(of("concat(proc.name, '-', proc.pid) = cat-2"), [1]);
    assert_eq!(of("join('<', (proc.name, proc.aname)) = 'nginx<cat'"), [2]);
    assert_eq!(of("proc.pid = val(evt.buflen)"), [1]);
    assert_eq!(of("evt.buflen > len(proc.name)"), [2]);
    assert_eq!(of("toupper(proc.name) exists"), [0, 1, 2]);
}

#[test]
fn flags() {
    // open's words are all its row's tid: flags as a number. O_CREAT is 0o100, O_RDWR is 2.
    let open = |flags: u32| (2, 0, None, 0, 0, NONE, flags);
    let all = [open(0), open(0o102), open(0o4010000), (0, 0, None, 0, 0, NONE, 0o100)];
    let of = |text: &str| rows(text, &[(0, 1)], &[], &all);
    assert_eq!(of("evt.arg.flags has O_CREAT"), [1]);
    assert_eq!(of("evt.arg.flags has O_RDONLY"), [0, 2]);
    assert_eq!(of("evt.arg.flags has O_RDWR|O_CREAT"), [1]);
    assert_eq!(of("evt.arg.flags has O_RDWR|O_EXCL"), [0usize; 0]);
    assert_eq!(of("evt.arg.flags has O_DSYNC"), [2]);
    assert_eq!(of("evt.arg.flags has 0x40"), [1]);
    assert_eq!(of("evt.arg.flags has anyof (O_CREAT, O_DSYNC)"), [1, 2]);
    assert_eq!(of("not evt.arg.flags has O_CREAT"), [0, 2, 3]);
    assert_eq!(good("evt.arg.flags has O_CREAT").codes().iter().collect::<Vec<_>>(), [2, 257]);
    assert!(good("evt.type = read and evt.arg.flags has O_CREAT").codes().is_empty());
}

#[test]
fn bounds() {
    let of = |text: &str| good(text).bounds().to_string();
    assert_eq!(of("evt.latency > 10ms"), "latency from 10ms");
    assert_eq!(of("evt.latency > 10ms or evt.failed"), "");
    assert_eq!(of("evt.latency > 10ms or evt.latency in (5us..7us)"), "latency from 5us");
    assert_eq!(of("proc.pid = 7 or proc.pid in (8, 9)"), "process 7 or 8 or 9");
    assert_eq!(of("proc.pid = 7 and proc.pid in (7, 9)"), "process 7");
    assert_eq!(of("proc.pid > 7"), "");
    assert_eq!(of("proc.pid != 7"), "");
    assert_eq!(of("evt.rawres = -2 and evt.rawres < 0"), "result ENOENT");
    assert_eq!(of("not evt.rawres >= 0"), "result up to -1");
    assert_eq!(of("evt.rawres != 0 and not evt.rawres < 0"), "result from 1");
    assert_eq!(of("evt.res in (ENOENT, EACCES)"), "result EACCES or ENOENT");
    assert_eq!(of("evt.res = SUCCESS"), "result up to -4096 or from 0");
    assert_eq!(of("not evt.res = SUCCESS"), "");
    assert_eq!(of("evt.failed"), "result of an error");
    assert_eq!(of("not evt.failed"), "");
    assert_eq!(of("not (evt.failed = true or not proc.pid = 3)"), "process 3");
}

/// How many slips were made, and of how many the right word is suggested.
fn understood(names: &[&str], slips: usize) -> (usize, usize) {
    let mut seed = 0x9e37_79b9_7f4a_7c15u64;
    let mut random = move |below: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        (seed >> 33) as usize % below
    };
    let (mut tried, mut right) = (0, 0);
    for name in names {
        for _ in 0..12 {
            let mut word: Vec<u8> = name.bytes().collect();
            for _ in 0..slips {
                let at = random(word.len());
                let base = if name.starts_with('E') { b'A' } else { b'a' };
                let letter = base + random(26) as u8;
                match random(4) {
                    0 => word[at] = letter,
                    1 => word.insert(at, letter),
                    2 if word.len() > 1 => drop(word.remove(at)),
                    _ if at > 0 => word.swap(at - 1, at),
                    _ => word.push(letter),
                }
            }
            let word = String::from_utf8(word).unwrap();
            if names.contains(&&*word) {
                continue;
            }
            tried += 1;
            right += usize::from(near(&word, names.iter().copied()).contains(name));
        }
    }
    (tried, right)
}

#[test]
fn slips_are_understood() {
    use crate::schema::{Arch, Schema, names};
    let schema = Schema::native(Arch::X86_64);
    let sorted = |mut all: Vec<&'static str>| {
        all.sort_unstable();
        all.dedup();
        all
    };
    let calls: Vec<&'static str> = schema.named().map(|s| &*Box::leak(Box::<str>::from(&*s.name))).collect();
    let fields = FIELDS.iter().chain(crate::fields::FIELDS).map(|f| f.name).collect();
    let errors = names::ERRNO.rows.iter().map(|(_, n)| *n).collect();
    for (what, names) in [("fields", sorted(fields)), ("calls", sorted(calls)), ("errors", sorted(errors))] {
        for slips in [1, 2] {
            let (tried, right) = understood(&names, slips);
            assert!(right * 100 >= tried * 95, "{what}, {slips} slips: {right} of {tried}");
        }
    }
}
