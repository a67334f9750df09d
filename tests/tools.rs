//! The toolbox, on recorded reels and on made ones: what comes out is what went in, less what was to go.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use sysreel::batch::{Builder, Columns, File, Item, Meta, NONE, Proc, Row};
use sysreel::reel::{Block, Header, Reader, Totals, Writer};
use sysreel::schema::{Arch, Class, Dir, Kind, Ret, Schema, Shape};

const SECOND: u64 = 1_000_000_000;
/// 2026-11-22T21:14:03Z
const WALL: u64 = 1_795_382_043 * SECOND;

/// Runs sysreel; the status, standard output, standard error.
fn run(args: &[&str]) -> (i32, String, String) {
    let Output { status, stdout, stderr } = Command::new(env!("CARGO_BIN_EXE_sysreel"))
        .args(args)
        .env_clear()
        .env("TZ", "UTC")
        .stdin(Stdio::null())
        .output()
        .expect("sysreel runs");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    (status.code().unwrap_or(-1), text(stdout), text(stderr))
}

/// The same where it must succeed; standard output.
fn good(args: &[&str]) -> String {
    let (code, out, err) = run(args);
    assert_eq!(code, 0, "{args:?}: {err}");
    out
}

/// Every field of every event.
fn everything(reel: &str) -> String {
    let listed = good(&["fields"]);
    let names = listed.lines().filter_map(|l| l.split_whitespace().next());
    let form: String =
        names.filter(|n| n.contains('.') && !n.contains('[')).map(|n| format!("{n}=%{n} ")).collect();
    assert!(form.matches('%').count() > 100, "{form}");
    good(&["-r", reel, "-p", &form])
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Folder {
        Folder(tempfile::tempdir().expect("a directory"))
    }
    fn file(&self, name: &str) -> String {
        self.0.path().join(name).to_str().expect("text").to_owned()
    }
    fn files(&self) -> Vec<PathBuf> {
        let mut all: Vec<PathBuf> = fs::read_dir(self.0.path()).unwrap().map(|e| e.unwrap().path()).collect();
        all.sort();
        all
    }
}

fn fixture(name: &str) -> String {
    format!("testdata/reels/{name}.reel")
}

/// A schema in which programs are given their environment.
fn schema() -> Schema {
    let native = Schema::native(Arch::X86_64);
    let shapes: Vec<Shape> = native
        .named()
        .map(|s| match &*s.name {
            "execve" if s.code < 1024 => {
                let args = [("path", Kind::Path), ("argv", Kind::Strings), ("envp", Kind::Strings)];
                let args = args.map(|(name, kind)| (name.to_string(), kind, Dir::In));
                Shape::new(s.code, "execve", Class::PROCESS, Ret::Zero, args)
            }
            _ => s.clone(),
        })
        .collect();
    Schema::from_shapes(Arch::X86_64, shapes)
}

/// A made capture: `blocks` blocks, two rows every millisecond, each row's process with a parent that does nothing.
struct Made {
    host: &'static str,
    /// Of the boot clock.
    start: u64,
    /// Of the wall clock at that moment.
    wall: u64,
    blocks: u64,
    rows: u64,
    /// The wall clock is set back by this at the middle block.
    step: u64,
}

impl Made {
    fn write(&self, path: &str) {
        let schema = schema();
        let header = Header {
            hostname: self.host.into(),
            kernel: "6.1".into(),
            boot: self.start,
            wall: self.wall,
            cpus: 2,
            command: vec!["mysql".into(), "--password=secret-in-command".into()],
            ..Header::default()
        };
        let mut writer = Writer::new(Vec::new(), &header, &schema).unwrap();
        for block in 0..self.blocks {
            writer.write_block(&self.block(block, &schema).view(&schema)).unwrap();
        }
        let written = self.blocks * self.rows;
        let bytes = writer.finish(&Totals { produced: written, written, ..Totals::default() }).unwrap();
        fs::write(path, bytes).unwrap();
    }

    fn block(&self, block: u64, schema: &Schema) -> Builder {
        let mut b = Builder::new();
        let step = if block >= self.blocks / 2 { self.step } else { 0 };
        b.set_meta(Meta { start_time: self.start, boot: self.start, wall: self.wall - step, host: 0 });
        let name = |b: &mut Builder, text: &str| b.string(text.as_bytes());
        let parent = Proc {
            pid: 1,
            start: 5 * SECOND,
            comm: name(&mut b, "forebear"),
            args: name(&mut b, "forebear\0secret-of-parent\0"),
            ..Proc::default()
        };
        let parent = b.proc(parent);
        let file = |b: &mut Builder, text: &str| {
            let name = b.string(text.as_bytes());
            b.file(File { name, ..File::default() })
        };
        let leader = Proc {
            pid: 2,
            start: 6 * SECOND,
            parent,
            comm: name(&mut b, "overlord"),
            stdio: [file(&mut b, "/dev/file-of-leader"); 3],
            env: name(&mut b, "KEY=secret-env-of-leader\0"),
            ..Proc::default()
        };
        let leader = b.proc(leader);
        let proc = Proc {
            pid: 100 + block as u32,
            ppid: 1,
            start: self.start,
            parent,
            comm: name(&mut b, "worker"),
            exepath: name(&mut b, "/usr/bin/worker"),
            args: name(&mut b, "worker\0--token=secret-in-args\0"),
            cwd: name(&mut b, "/srv/cwd-of-worker"),
            leader,
            group_leader: leader,
            stdio: [NONE, file(&mut b, "/dev/own-file"), NONE],
            env: name(&mut b, "PATH=/bin\0KEY=secret-env-of-own\0"),
            ..Proc::default()
        };
        let proc = b.proc(proc);
        let (execve, write) = (schema.code("execve").unwrap(), schema.code("write").unwrap());
        for row in 0..self.rows {
            let n = block * self.rows + row;
            let time = self.start + n * SECOND / 2000;
            let call = if row % 10 == 0 { execve } else { write };
            let new = Row {
                num: n + 1,
                time,
                delta: if n == 0 { 0 } else { SECOND / 2000 },
                latency: 100 + n,
                call,
                cpu: (n % 2) as u16,
                tid: 100 + block as u32,
                proc,
                ret: if call == write { 20 } else { 0 },
                flags: 0,
            };
            if call == execve {
                let path = name(&mut b, "/usr/bin/worker");
                let argv = name(&mut b, "worker\0--token=secret-in-argv\0");
                let envp = name(&mut b, "PATH=/bin\0AWS_KEY=secret-in-environment\0");
                let items = [Item::new(path, false), Item::new(argv, false), Item::new(envp, false)];
                b.push(new, &[1, 2, 3], &items, &[]);
            } else {
                let text = format!("secret-payload {}, \"q\"\n\u{7f}\\", n % 3);
                let data = b.string(text.as_bytes());
                b.push(new, &[1, 4096, 20], &[Item::new(data, false)], &[NONE]);
            }
        }
        b
    }
}

/// Half a second of `db1`: 5 blocks of 200 events.
const DB1: Made = Made { host: "db1", start: 100 * SECOND, wall: WALL, blocks: 5, rows: 200, step: 0 };

/// Everything in a reel, unpacked: strings of its blocks, header, notes.
fn unpacked(path: &str) -> Vec<u8> {
    let bytes = fs::read(path).unwrap();
    let mut reader = Reader::new(&bytes[..]).unwrap();
    reader.show_snapshots();
    reader.show_containers();
    let mut all = format!("{:?}", reader.header()).into_bytes();
    loop {
        match reader.next().unwrap() {
            Some(Block::Event(mut block) | Block::Snapshot(mut block) | Block::Containers(mut block)) => {
                assert_eq!(block.unknown_columns(), 0);
                block.verify().unwrap();
                block.load(Columns::ALL).unwrap();
                all.extend_from_slice(block.dict().strings.bytes);
            }
            Some(Block::End(totals)) => all.extend_from_slice(format!("{totals:?}").as_bytes()),
            None => return all,
        }
    }
}

fn has(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|w| w == text.as_bytes())
}

/// Where each event block begins.
fn places(path: &str) -> Vec<usize> {
    let bytes = fs::read(path).unwrap();
    let mut reader = Reader::new(&bytes[..]).unwrap();
    let mut all = Vec::new();
    while let Some(block) = reader.next().unwrap() {
        if let Block::Event(block) = block {
            all.push(block.place().0 as usize);
        }
    }
    all
}

/// A copy with one byte in the middle of an event block changed.
fn damaged(from: &str, block: usize, to: &str) {
    let mut bytes = fs::read(from).unwrap();
    let at = places(from)[block] + 700;
    bytes[at] ^= 0x10;
    fs::write(to, bytes).unwrap();
}

#[test]
fn info_says_what_is_in_a_reel() {
    let out = good(&["info", &fixture("shell"), "--top", "3"]);
    insta::assert_snapshot!("info_text", out);
    let json: serde_json::Value =
        serde_json::from_str(&good(&["info", "--json", &fixture("shell")])).expect("an object");
    assert_eq!(json["hosts"][0], "recorder");
    assert_eq!((json["events"].as_u64(), json["blocks"].as_u64()), (Some(265), Some(1)));
    assert_eq!(json["complete"], true);
    let listed = good(&["-r", &fixture("shell"), "-t", "evt.type = close"]).lines().count();
    let close = json["calls"].as_array().unwrap().iter().find(|c| c["evt.type"] == "close").unwrap();
    assert_eq!(close["count"].as_u64(), Some(listed as u64));
    // A filter restricts what is counted.
    let out: serde_json::Value =
        serde_json::from_str(&good(&["info", "--json", &fixture("shell"), "evt.type = close"])).unwrap();
    assert_eq!(out["matched"].as_u64(), Some(listed as u64));
    assert_eq!(out["calls"].as_array().unwrap().len(), 1);
}

#[test]
fn a_cut_of_everything_is_the_same_reel() {
    let dir = Folder::new();
    let made = dir.file("made.reel");
    DB1.write(&made);
    for from in [fixture("cat"), fixture("shell"), fixture("hostile"), made] {
        let to = dir.file("copy.reel");
        good(&["cut", &from, "-w", &to, "--force"]);
        assert_eq!(everything(&from), everything(&to), "{from}");
    }
}

#[test]
fn a_window_has_what_lies_in_it() {
    let dir = Folder::new();
    let (from, to) = (dir.file("made.reel"), dir.file("cut.reel"));
    DB1.write(&from);
    let numbers = |args: &[&str]| -> Vec<u64> {
        good(&[&["cut", &from, "-w", &to, "--force"], args].concat());
        let out = good(&["-r", &to, "-p", "%evt.num"]);
        out.lines().map(|l| l.parse().unwrap()).collect()
    };
    // Two events a millisecond; the first is number 1 at the start.
    let range = |a, b| (a..b).collect::<Vec<u64>>();
    assert_eq!(numbers(&["--from", "+10ms", "--to", "+20ms"]), range(21, 41));
    assert_eq!(numbers(&["--to", "+1ms"]), range(1, 3));
    assert_eq!(numbers(&["--from", "+499ms"]), range(999, 1001));
    assert_eq!(numbers(&["--from", "2026-11-22T21:14:03.499Z"]), range(999, 1001));
    assert_eq!(numbers(&["--from", "21:14:03.100", "--to", "2026-11-22 21:14:03.101"]), range(201, 203));
    assert_eq!(numbers(&["--from", "21:14:04"]), range(0, 0));
    let filtered = numbers(&["--from", "+10ms", "--to", "+20ms", "evt.type = execve"]);
    assert_eq!(filtered, [21, 31]);
    for bad in [["--from", "soon"], ["--to", "+x"]] {
        let (code, _, err) = run(&[&["cut", &from, "-w", &dir.file("x")], &bad[..]].concat());
        assert!(code == 2 && err.contains(bad[0]), "{code} {err}");
        assert!(!Path::new(&dir.file("x")).exists());
    }
}

#[test]
fn what_is_cut_off_is_not_in_the_file() {
    let dir = Folder::new();
    let (from, to) = (dir.file("made.reel"), dir.file("cut.reel"));
    DB1.write(&from);
    let secrets = [
        "secret-payload",
        "secret-in-argv",
        "secret-in-args",
        "secret-in-environment",
        "secret-of-parent",
        "secret-in-command",
        "cwd-of-worker",
        "forebear",
        "overlord",
        "file-of-leader",
        "secret-env-of-leader",
        "secret-env-of-own",
        "own-file",
        "worker",
    ];
    let left = |args: &[&str]| -> Vec<&str> {
        good(&[&["cut", &from, "-w", &to, "--force"], args].concat());
        assert_eq!(good(&["verify", "-q", &to]), "");
        let bytes = unpacked(&to);
        let raw = fs::read(&to).unwrap();
        secrets.into_iter().filter(|s| has(&bytes, s) || has(&raw, s)).collect()
    };
    assert_eq!(left(&[]), secrets);
    // Only what rows reach: no write is left, so no payload is.
    assert!(!left(&["evt.type = execve"]).contains(&"secret-payload"));
    assert_eq!(
        left(&["--drop", "payload,environment"]),
        [
            "secret-in-argv",
            "secret-in-args",
            "secret-of-parent",
            "secret-in-command",
            "cwd-of-worker",
            "forebear",
            "overlord",
            "file-of-leader",
            "own-file",
            "worker"
        ]
    );
    assert_eq!(
        left(&["--redact"]),
        ["cwd-of-worker", "forebear", "overlord", "file-of-leader", "own-file", "worker"]
    );
    assert_eq!(left(&["--redact", "--no-ancestors", "--drop", "cwd"]), ["own-file", "worker"]);
    assert_eq!(left(&["--drop=payload,environment,arguments,cwd", "--no-ancestors"]), ["own-file", "worker"]);
    // A filter that names what is taken out would give it away.
    assert!(!left(&["--redact", "evt.buffer contains secret-payload"]).contains(&"secret-payload"));
    // Lengths, numbers, times and results are as they were.
    good(&["cut", &from, "-w", &to, "--force", "--redact"]);
    let form = "%evt.num %evt.rawtime %evt.type %evt.rawres %evt.buflen %evt.latency %proc.name %proc.pid";
    assert_eq!(good(&["-r", &from, "-p", form]), good(&["-r", &to, "-p", form]));
}

#[test]
fn pseudonyms_are_stable_under_a_key() {
    let dir = Folder::new();
    let (from, to, key) = (dir.file("made.reel"), dir.file("cut.reel"), dir.file("key"));
    DB1.write(&from);
    fs::write(&key, "0123456789abcdef, and more").unwrap();
    let argv = |args: &[&str]| {
        good(&[&["cut", &from, "-w", &to, "--force", "--redact"], args].concat());
        let out = good(&["-r", &to, "-p", "%proc.args %{evt.arg[argv]}", "evt.type = execve"]);
        let mut lines: Vec<&str> = out.lines().collect();
        lines.dedup();
        assert_eq!(lines.len(), 1, "equal values have one pseudonym: {out}");
        assert_eq!(lines[0].matches("redacted-").count(), 3, "{out}");
        lines[0].to_owned()
    };
    assert_ne!(argv(&[]), argv(&[]));
    assert_eq!(argv(&["--key", &key]), argv(&["--key", &key]));
    fs::write(&key, "short").unwrap();
    let (code, _, err) = run(&["cut", &from, "-w", &dir.file("x"), "--redact", "--key", &key]);
    assert!(code == 1 && err.contains("16 bytes"), "{err}");
}

#[test]
fn pieces_come_together_again() {
    let dir = Folder::new();
    let made = dir.file("made.reel");
    DB1.write(&made);
    let size = fs::metadata(&made).unwrap().len();
    let largest = (size + 60_000) / 2;
    for (from, by, value, pieces) in [
        (&made, "--events", "300", 4),
        (&made, "--events", "1000", 1),
        (&made, "--duration", "100ms", 5),
        (&made, "--size", &largest.to_string(), 0),
        (&fixture("shell"), "--events", "7", 38),
    ] {
        let dir = Folder::new();
        let whole = dir.file("whole.reel");
        good(&["split", from, by, value, "-w", &dir.file("p.reel")]);
        let files: Vec<String> = dir.files().iter().map(|p| p.to_str().expect("text").to_owned()).collect();
        assert!(files[0].ends_with("/p.000001.reel"));
        if pieces > 0 {
            assert_eq!(files.len(), pieces, "{by} {value}");
        }
        for file in &files {
            assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
            if by == "--size" {
                assert!(fs::metadata(file).unwrap().len() <= largest);
            }
        }
        let files: Vec<&str> = files.iter().map(String::as_str).collect();
        good(&[&["verify", "-q"], &files[..]].concat());
        // In any order of the names.
        let backwards: Vec<&str> = files.iter().rev().copied().collect();
        good(&[&["merge", "-w", &whole], &backwards[..]].concat());
        assert_eq!(everything(from), everything(&whole), "{by} {value}");
    }
}

#[test]
fn a_size_is_kept_where_blocks_are_as_large_as_they_get() {
    let dir = Folder::new();
    let (from, whole) = (dir.file("made.reel"), dir.file("whole.reel"));
    Made { blocks: 16, rows: 50_000, ..DB1 }.write(&from);
    good(&["cut", &from, "-w", &whole]);
    let most = fs::metadata(&whole).unwrap().len() * 3 / 4;
    good(&["split", &whole, "--size", &most.to_string(), "-w", &dir.file("p.reel")]);
    let pieces = folder_pieces(&dir);
    let sizes: Vec<u64> = pieces.iter().map(|p| fs::metadata(p).unwrap().len()).collect();
    // Blocks that end with a piece are smaller than usual, so there may be one piece more than the sizes ask for.
    assert!((2..=3).contains(&sizes.len()), "{sizes:?} {most}");
    assert!(sizes.iter().all(|s| *s <= most) && sizes[0] > most / 2, "{sizes:?} {most}");
}

/// The files that a split made, in order.
fn folder_pieces(dir: &Folder) -> Vec<PathBuf> {
    dir.files().into_iter().filter(|p| p.to_str().is_some_and(|p| p.contains("/p.0"))).collect()
}

#[test]
fn reels_of_several_hosts_are_merged_by_wall_time() {
    let dir = Folder::new();
    let (one, two, all) = (dir.file("1.reel"), dir.file("2.reel"), dir.file("all.reel"));
    DB1.write(&one);
    // Another boot clock; it begins a quarter of a millisecond and 100 ms later, and its wall clock is set back on the way.
    let db2 = Made { host: "db2", start: 7 * SECOND, wall: WALL + 100_250_000, step: 20_000_000, ..DB1 };
    db2.write(&two);
    good(&["merge", &one, &two, "-w", &all]);
    assert_eq!(good(&["verify", "-q", &all]), "");
    let listed = |reel: &str, filter: &[&str]| {
        good(
            &[
                &["-r", reel, "-p", "%evt.hostname %evt.num %evt.rawtime %evt.type %proc.pid %proc.duration"],
                filter,
            ]
            .concat(),
        )
    };
    // Each host's events as they were, in their own order although its clock went back.
    assert_eq!(listed(&all, &["evt.hostname = db1"]), listed(&one, &[]));
    assert_eq!(listed(&all, &["evt.hostname = db2"]), listed(&two, &[]));
    // All together by wall time, but for the one step.
    let out = listed(&all, &[]);
    let times: Vec<u64> = out.lines().map(|l| l.split(' ').nth(2).unwrap().parse().unwrap()).collect();
    assert_eq!(times.len(), 2000);
    assert_eq!(times.windows(2).filter(|w| w[0] > w[1]).count(), 1);
    let hosts: Vec<&str> = out.lines().map(|l| l.split(' ').next().unwrap()).collect();
    assert!(hosts.windows(2).filter(|w| w[0] != w[1]).count() > 500, "they are interleaved");
    // The host is shown where there are several, and counted apart.
    let line = good(&["-r", &all, "-c", "1"]);
    assert!(line.starts_with("21:14:03.000000000 db1 0 worker 100 execve("), "{line}");
    let json = good(&["-r", &all, "-j", "-c", "1", "evt.hostname = db2"]);
    assert!(json.contains(r#""evt.hostname":"db2""#), "{json}");
    let info: serde_json::Value = serde_json::from_str(&good(&["info", "--json", &all])).unwrap();
    assert_eq!(info["hosts"], serde_json::json!(["db1", "db2"]));
    assert_eq!((info["events"].as_u64(), info["blocks"].as_u64()), (Some(2000), Some(1)));
    // Once more with what was merged already, and cut back to one of them.
    let (three, back) = (dir.file("3.reel"), dir.file("back.reel"));
    let db3 = Made { host: "db3", start: SECOND, wall: WALL + SECOND, blocks: 1, ..DB1 };
    db3.write(&three);
    good(&["merge", &three, &all, "-w", &back]);
    assert_eq!(listed(&back, &["evt.hostname != db3"]), out);
    good(&["cut", &back, "-w", &all, "--force", "evt.hostname = db2"]);
    assert_eq!(listed(&all, &[]), listed(&two, &[]));
}

#[test]
fn reels_of_one_boot_keep_their_boot_clock() {
    let dir = Folder::new();
    let (one, two, all) = (dir.file("1.reel"), dir.file("2.reel"), dir.file("all.reel"));
    DB1.write(&one);
    let later = Made { start: 100 * SECOND + 200_000_000, wall: WALL + 200_000_000, ..DB1 };
    later.write(&two);
    good(&["merge", &two, &one, "-w", &all]);
    let out = good(&["-r", &all, "-p", "%evt.rawtime %evt.reltime"]);
    assert_eq!(out.lines().count(), 2000);
    assert_eq!(out.lines().next(), Some(&*format!("{WALL} 0")));
    let mut sorted: Vec<&str> = out.lines().collect();
    sorted.sort_by_key(|l| l.split(' ').next().map(|t| t.parse::<u64>().unwrap()));
    assert!(sorted.iter().copied().eq(out.lines()));
    let line = good(&["-r", &all, "-c", "1"]);
    assert!(line.starts_with("21:14:03.000000000 0 worker"), "one host is not named: {line}");
}

#[test]
fn what_cannot_be_merged_is_refused() {
    let dir = Folder::new();
    let (one, other) = (dir.file("1.reel"), dir.file("2.reel"));
    DB1.write(&one);
    let schema = Schema::native(Arch::Aarch64);
    let header = Header { arch: Arch::Aarch64, ..Header::default() };
    let bytes = Writer::new(Vec::new(), &header, &schema).unwrap().finish(&Totals::default()).unwrap();
    fs::write(&other, bytes).unwrap();
    let (code, _, err) = run(&["merge", &one, &other, "-w", &dir.file("x")]);
    assert!(code == 1 && err.contains("aarch64"), "{err}");
    // The fixture is of an earlier version, which described some calls otherwise.
    let (code, _, err) = run(&["merge", &one, &fixture("cat"), "-w", &dir.file("x")]);
    assert!(code == 1 && err.contains("has other arguments in it"), "{err}");
    assert!(!Path::new(&dir.file("x")).exists());
}

#[test]
fn verify_finds_damage_and_says_where() {
    let dir = Folder::new();
    let (whole, bad) = (dir.file("whole.reel"), dir.file("bad.reel"));
    DB1.write(&whole);
    let size = fs::metadata(&whole).unwrap().len();
    assert_eq!(good(&["verify", &whole]), format!("{whole}: whole: 1000 events in 5 blocks, {size} bytes\n"));
    damaged(&whole, 2, &bad);
    let (code, out, _) = run(&["verify", &whole, &bad]);
    let at = places(&whole);
    assert_eq!(code, 4, "{out}");
    assert!(out.contains("block 4 at byte"), "{out}");
    assert!(out.contains(&format!("bytes {} to {}\n", at[2], at[3] - 1)), "{out}");
    assert!(out.contains("between 2026-11-22 21:14:03.199500000 and 2026-11-22 21:14:03.300000000"), "{out}");
    assert!(out.contains("events missing: 200 (numbers 401 to 600)"), "{out}");
    let lost = at[3] - at[2];
    assert!(
        out.contains(&format!(
            "blocks lost: 1, bytes: {lost}, events: 200; readable: 800 events in 4 blocks"
        )),
        "{out}"
    );
    // Cut within a block, and between two.
    let bytes = fs::read(&whole).unwrap();
    fs::write(&bad, &bytes[..at[4] + 10]).unwrap();
    let (code, out, _) = run(&["verify", &bad]);
    assert!(code == 4 && out.contains("cut off") && out.contains("after the last block"), "{out}");
    fs::write(&bad, &bytes[..at[4]]).unwrap();
    let (code, out, _) = run(&["verify", &bad]);
    assert!(code == 4 && out.contains("no end block") && out.contains("800 events"), "{out}");
    fs::write(&bad, "no reel at all").unwrap();
    assert_eq!(run(&["verify", &bad, &whole]).0, 4);
    assert_eq!(run(&["verify", &dir.file("missing"), &whole]).0, 1);
}

#[test]
fn every_damage_of_one_byte_is_found_and_repaired() {
    let dir = Folder::new();
    let (whole, bad, clean) = (dir.file("whole.reel"), dir.file("bad.reel"), dir.file("clean.reel"));
    let small = Made { rows: 20, blocks: 3, ..DB1 };
    small.write(&whole);
    let bytes = fs::read(&whole).unwrap();
    let lines = everything(&whole);
    let first = places(&whole)[0];
    for at in (first..bytes.len()).step_by(97) {
        let mut copy = bytes.clone();
        copy[at] ^= 1 << (at % 8);
        let repaired = sysreel::tools::repair::in_memory(copy.clone()).expect("a header");
        let mut reader = Reader::new(&repaired[..]).unwrap();
        let mut rows = 0;
        while let Some(block) = reader.next().unwrap() {
            if let Block::Event(mut block) = block {
                block.verify().unwrap();
                block.load(Columns::ALL).unwrap();
                rows += block.rows();
            }
        }
        assert!(reader.is_complete());
        assert!(rows == 40 || (rows == 60 && at >= bytes.len() - 400), "byte {at}: {rows} rows");
        if at % 7 == 0 {
            fs::write(&bad, &copy).unwrap();
            assert_eq!(run(&["verify", &bad]).0, 4, "byte {at}");
            assert_eq!(run(&["repair", &bad, "-w", &clean, "--force"]).0, 4, "byte {at}");
            good(&["verify", &clean]);
            // No event is another than it was.
            let left = everything(&clean);
            assert!(left.lines().all(|l| lines.lines().any(|k| k == l)), "byte {at}");
        }
    }
}

#[test]
fn a_repaired_reel_is_whole_and_tells_what_is_missing() {
    let dir = Folder::new();
    let (whole, bad, clean) = (dir.file("whole.reel"), dir.file("bad.reel"), dir.file("clean.reel"));
    DB1.write(&whole);
    damaged(&whole, 2, &bad);
    let (code, out, err) = run(&["repair", &bad, "-w", &clean]);
    assert_eq!((code, &*out), (4, ""), "{err}");
    assert!(err.contains("events missing: 200 (numbers 401 to 600)"), "{err}");
    assert!(err.contains("800 events in 4 blocks written"), "{err}");
    good(&["verify", &clean]);
    let numbers = good(&["-r", &clean, "-p", "%evt.num"]);
    let expected: Vec<String> = (1..=400).chain(601..=1000).map(|n: u64| n.to_string()).collect();
    assert!(numbers.lines().eq(expected.iter().map(String::as_str)));
    let info: serde_json::Value = serde_json::from_str(&good(&["info", "--json", &clean])).unwrap();
    assert_eq!(info["lost"].as_u64(), Some(200));
    assert!(info["notes"].to_string().contains("numbers 401 to 600"), "{info}");
    // Losses stay losses.
    assert_eq!(run(&["-r", &clean, "-q", "--fail-on-loss"]).0, 3);
    // What is whole comes out as it was.
    let again = dir.file("again.reel");
    good(&["repair", &whole, "-w", &again]);
    assert_eq!(everything(&whole), everything(&again));
}

/// RFC 4180, as a reader of another program would read it.
fn parse_csv(text: &str) -> Vec<Vec<(String, bool)>> {
    let (mut rows, mut row, mut field, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if field.is_empty() && !quoted => {
                quoted = true;
                loop {
                    match (chars.next().expect("a closed quote"), chars.peek()) {
                        ('"', Some('"')) => {
                            chars.next();
                            field.push('"');
                        }
                        ('"', _) => break,
                        (c, _) => field.push(c),
                    }
                }
            }
            ',' => row.push((std::mem::take(&mut field), std::mem::take(&mut quoted))),
            '\r' => {
                assert_eq!(chars.next(), Some('\n'));
                row.push((std::mem::take(&mut field), std::mem::take(&mut quoted)));
                rows.push(std::mem::take(&mut row));
            }
            c => {
                assert!(!quoted && c != '\n' && c != '"', "{c:?}");
                field.push(c);
            }
        }
    }
    assert!(row.is_empty() && field.is_empty(), "the last line has an end");
    rows
}

#[test]
fn csv_has_a_typed_column_for_each_field_and_loses_nothing() {
    let dir = Folder::new();
    let made = dir.file("made.reel");
    DB1.write(&made);
    let fields =
        "evt.num,evt.time,evt.type,evt.buffer,evt.latency,evt.failed,fd.name,evt.class,evt.arg[argv]";
    let out = good(&["export", "--csv", "--fields", fields, &made, "evt.num <= 20"]);
    let rows = parse_csv(&out);
    assert_eq!(rows.len(), 21);
    let plain: Vec<Vec<&str>> = rows.iter().map(|r| r.iter().map(|(f, _)| &**f).collect()).collect();
    assert_eq!(plain[0][..4], ["evt.num:uint", "evt.time:time", "evt.type:call", "evt.buffer:bytes"]);
    assert_eq!(plain[1][..3], ["1", "2026-11-22T21:14:03.000000000Z", "execve"]);
    assert_eq!(rows[1][3], (String::new(), false), "no buffer is not an empty one");
    assert_eq!(plain[2][3], "secret-payload 1, \"q\"\\n\\x7f\\\\");
    let bytes = sysreel::fields::escape::unescape(plain[2][3].as_bytes());
    assert_eq!(bytes.as_deref(), Some(&b"secret-payload 1, \"q\"\n\x7f\\"[..]));
    assert_eq!(plain[2][4..8], ["101", "false", "", "file,desc"]);
    for (fixture_, filter) in [("hostile", ""), ("shell", "evt.class = file"), ("refused", "")] {
        let from = fixture(fixture_);
        let args = ["export", "--csv", &from, filter];
        let rows = parse_csv(&good(if filter.is_empty() { &args[..3] } else { &args }));
        let events = good(&["-r", &from, "-p", "%evt.num", filter]).lines().count();
        assert_eq!(rows.len(), events + 1);
        assert!(rows.iter().all(|r| r.len() == rows[0].len()));
    }
    // A path of bytes that are no text.
    let out =
        good(&["export", "--csv", "--fields", "fs.path.nameraw", "--header", "none", &fixture("hostile")]);
    assert!(parse_csv(&out).iter().any(|r| r[0].0 == "hostile/bytes\\xff\\xfe"), "{out}");
    let out = good(&["export", "--csv", "--fields", "evt.num", "--header", "names", &made, "evt.num = 1"]);
    assert_eq!(out, "evt.num\r\n1\r\n");
}

#[test]
fn exported_json_is_that_of_j() {
    let dir = Folder::new();
    let to = dir.file("out.json");
    let from = fixture("shell");
    assert_eq!(
        good(&["export", "--json", &from, "evt.class = net"]),
        good(&["-r", &from, "-j", "evt.class = net"])
    );
    good(&["export", "--json", &from, "-o", &to]);
    assert_eq!(fs::read_to_string(&to).unwrap(), good(&["-r", &from, "-j"]));
    assert_eq!(fs::metadata(&to).unwrap().permissions().mode() & 0o777, 0o600);
    let some = good(&["export", "--json", "--fields", "evt.num,proc.name", &from, "evt.num = 1"]);
    assert!(some.starts_with("{\"evt.num\":1,\"proc.name\":\"sh\"}\n{\"type\":\"end\""), "{some}");
    let (code, _, err) = run(&["export", "--json", "--fields", "proc.nmae", &from]);
    assert!(code == 2 && err.contains("proc.name"), "{err}");
}

#[test]
fn nothing_is_overwritten() {
    let dir = Folder::new();
    let (from, to) = (dir.file("made.reel"), dir.file("to.reel"));
    DB1.write(&from);
    fs::write(&to, "precious").unwrap();
    fs::write(dir.file("to.000001.reel"), "precious").unwrap();
    for args in [
        &["cut", &from, "-w", &to][..],
        &["repair", &from, "-w", &to],
        &["merge", &from, "-w", &to],
        &["export", "--csv", &from, "-o", &to],
        &["split", &from, "--events", "10", "-w", &to],
    ] {
        let (code, _, err) = run(args);
        assert!(code == 1 && err.contains("--force"), "{args:?}: {err}");
        assert_eq!(fs::read_to_string(&to).unwrap(), "precious");
    }
    for args in [
        &["cut", &from, "-w", &from, "--force"][..],
        &["merge", &to, &from, "-w", &from, "--force"],
        &["export", "--csv", &from, "-o", &from, "--force"],
        &["cut", &from],
        &["export", &from],
        &["export", "--csv", "--json", &from],
        &["split", &from, "-w", &to],
        &["split", &from, "-w", &to, "--events", "1", "--size", "1M"],
        &["split", &from, "-w", &to, "--duration", "0s"],
        &["cut", &from, "-w", "x", "--drop", "everything"],
        &["cut", &from, "-w", "x", "--key", "k"],
        &["cut", &from, "-w", "x", "evt.tpye = open"],
        &["verify"],
        &["--follow"],
        &["-r", "-", "--follow"],
    ] {
        let (code, _, err) = run(args);
        assert_eq!(code, 2, "{args:?}: {err}");
    }
    assert!(places(&from).len() == 5, "the source is as it was");
}

#[test]
fn tools_read_and_write_streams() {
    let dir = Folder::new();
    let (from, to) = (dir.file("made.reel"), dir.file("to.reel"));
    DB1.write(&from);
    let exe = env!("CARGO_BIN_EXE_sysreel");
    let script = format!(
        "{exe} cut - -w - --to +100ms <{from} | {exe} repair - -w - | {exe} cut - -w {to} 'evt.type = execve' && \
         {exe} export --csv {from} | head -1"
    );
    let out = Command::new("sh").args(["-c", &script]).output().unwrap();
    let err = String::from_utf8_lossy(&out.stderr);
    assert!(out.status.success() && out.stdout.starts_with(b"evt.num:uint,"), "{err}");
    assert_eq!(good(&["-r", &to, "-p", "%evt.num"]).lines().count(), 20);
}

#[test]
fn damage_does_not_stop_a_tool() {
    let dir = Folder::new();
    let (whole, bad, to) = (dir.file("whole.reel"), dir.file("bad.reel"), dir.file("to.reel"));
    DB1.write(&whole);
    damaged(&whole, 1, &bad);
    for args in [
        &["cut", &bad, "-w", &to, "--force"][..],
        &["merge", &bad, "-w", &to, "--force"],
        &["export", "--csv", &bad, "-o", &to, "--force"],
        &["split", &bad, "--events", "1000", "-w", &to, "--force"],
        &["info", &bad],
    ] {
        let (code, _, err) = run(args);
        assert_eq!(code, 4, "{args:?}: {err}");
        if args[0] == "cut" || args[0] == "merge" {
            assert_eq!(good(&["-r", &to, "-p", "%evt.num"]).lines().count(), 800);
        }
    }
    assert!(run(&["info", &bad]).1.contains("damaged places: 1"));
}

/// Reads lines that arrive, until there are as many as wanted or it takes too long.
fn wait_for(path: &str, lines: usize) -> usize {
    let begun = Instant::now();
    loop {
        let n = fs::read_to_string(path).map_or(0, |t| t.lines().count());
        if n >= lines || begun.elapsed() > Duration::from_secs(20) {
            return n;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_growing_reel_is_followed_to_its_end() {
    let dir = Folder::new();
    let (whole, growing, seen) = (dir.file("whole.reel"), dir.file("growing.reel"), dir.file("seen"));
    DB1.write(&whole);
    let bytes = fs::read(&whole).unwrap();
    let at = places(&whole);
    let mut file = fs::File::create(&growing).unwrap();
    let follow = |extra: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_sysreel"))
            .args([&["-r", &growing, "--follow", "-p", "%evt.num"], extra].concat())
            .stdout(fs::File::create(&seen).unwrap())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    };
    let child = follow(&[]);
    // Not even the header is there at first; then blocks come in pieces.
    file.write_all(&bytes[..100]).unwrap();
    std::thread::sleep(Duration::from_millis(50));
    file.write_all(&bytes[100..at[1]]).unwrap();
    assert_eq!(wait_for(&seen, 200), 200);
    file.write_all(&bytes[at[1]..at[1] + 500]).unwrap();
    std::thread::sleep(Duration::from_millis(50));
    file.write_all(&bytes[at[1] + 500..at[2] + 5]).unwrap();
    assert_eq!(wait_for(&seen, 400), 400);
    // Another one is stopped in the middle of a block: that is no damage.
    let stopped = Command::new(env!("CARGO_BIN_EXE_sysreel"))
        .args(["-r", &growing, "--follow", "-q"])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    std::thread::sleep(Duration::from_millis(300));
    let pid = rustix::process::Pid::from_raw(stopped.id() as i32).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    let out = stopped.wait_with_output().unwrap();
    let err = String::from_utf8_lossy(&out.stderr);
    assert_eq!((out.status.code(), &*err), (Some(0), "sysreel: 400 events, 400 shown, 0 lost\n"));
    // A third one's reader goes away.
    let mut gone = Command::new(env!("CARGO_BIN_EXE_sysreel"))
        .args(["-r", &growing, "--follow", "evt.num = 1"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    drop(gone.stdout.take());
    assert_eq!(gone.wait().unwrap().code(), Some(0));
    file.write_all(&bytes[at[2] + 5..]).unwrap();
    let out = child.wait_with_output().unwrap();
    assert_eq!(out.status.code(), Some(0));
    assert_eq!(fs::read_to_string(&seen).unwrap().lines().count(), 1000);
}
