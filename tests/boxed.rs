//! Containers in reels that tools make of others: what is known of each goes with its events, and nothing else does.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use sysreel::batch::{Builder, Columns, Container, Meta, NONE, Proc, Row};
use sysreel::reel::{Block, Header, Reader, Totals, Writer};
use sysreel::schema::{Arch, Schema};

const SECOND: u64 = 1_000_000_000;
const WALL: u64 = 1_700_000_000 * SECOND;

/// What is said of a container at a moment: id, name, pod, labels; where from, as bits.
type Said<'a> = (&'a str, Option<&'a str>, Option<&'a str>, &'a str, u32);

/// What nothing of the others may be called.
const WEB: Said = ("web-id", Some("web-name"), Some("web-pod"), "web-key\0web-value\0", 5);
const DB: Said = ("db-id", Some("db-name"), Some("db-pod"), "db-key\0db-value\0", 5);

/// As it was known at first: its id alone.
fn early(said: Said<'static>) -> Said<'static> {
    (said.0, None, None, "", 1)
}

/// An event in each of these; each has a process of its own, below one of the host's.
fn block(schema: &Schema, n: u64, all: &[Said]) -> Builder {
    let mut b = Builder::new();
    b.reset(n as u32 + 1);
    b.set_meta(Meta { start_time: SECOND, boot: SECOND, wall: WALL, host: 0 });
    let call = schema.code("getppid").unwrap();
    for (at, (id, name, pod, labels, sources)) in (0..).zip(all) {
        let mut text = |t: Option<&str>| t.map_or(NONE, |t| b.string(t.as_bytes()));
        let labels = Some(*labels).filter(|l| !l.is_empty());
        let [name, pod, labels, host, comm, group] = [
            text(*name),
            text(*pod),
            text(labels),
            text(Some("host-shim")),
            text(Some(&format!("{id}-worker"))),
            text(Some(&format!("/{id}-group"))),
        ];
        let id = text(Some(id));
        let container =
            b.container(Container { id, name, pod, labels, sources: *sources, ..Container::default() });
        let parent = b.proc(Proc { pid: 7, start: 1, comm: host, ..Proc::default() });
        let own = Proc { pid: 100 + at, start: 2, comm, cgroup: group, parent, container, ..Proc::default() };
        let proc = b.proc(own);
        let row = Row {
            num: 10 * n + u64::from(at),
            time: n * SECOND,
            call,
            tid: 100 + at,
            proc,
            ..Row::default()
        };
        b.push(row, &[], &[], &[]);
    }
    b.close();
    b
}

/// A reel whose end knows more than its events.
fn write(path: &Path, host: &str, tags: &[&str], blocks: &[&[Said]], last: &[Said]) {
    let tags: Vec<String> = tags.iter().map(|t| (*t).to_owned()).collect();
    let schema = Schema::native(Arch::X86_64).with_tags(&tags);
    let header =
        Header { hostname: host.into(), boot: SECOND, wall: WALL, cpus: 1, tags, ..Header::default() };
    let mut writer = Writer::new(fs::File::create(path).unwrap(), &header, &schema).unwrap();
    for (n, all) in (1..).zip(blocks) {
        writer.write_block(&block(&schema, n, all).view(&schema)).unwrap();
    }
    writer.learn_containers(&block(&schema, 90, last).view(&schema));
    let written = blocks.iter().map(|b| b.len() as u64).sum();
    writer.finish(&Totals { produced: written, written, ..Totals::default() }).unwrap();
}

fn sysreel(args: &[&str]) -> String {
    let done = Command::new(env!("CARGO_BIN_EXE_sysreel")).args(args).env_clear().output().unwrap();
    assert!(done.status.success(), "{args:?}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap()
}

/// Lines of the events; the earlier are named by the end if that is asked for.
fn events(reel: &Path, late: bool, form: &str) -> Vec<String> {
    let mut args = vec!["-r", reel.to_str().unwrap(), "-p", form];
    args.extend(late.then_some("--late-names"));
    sysreel(&args).lines().map(str::to_owned).collect()
}

/// Every byte of a reel, unpacked.
fn unpacked(path: &Path) -> Vec<u8> {
    let bytes = fs::read(path).unwrap();
    let mut all = bytes.clone();
    let mut reader = Reader::new(&bytes[..]).unwrap();
    reader.show_snapshots();
    reader.show_containers();
    all.extend(format!("{:?}", reader.header()).into_bytes());
    while let Some(block) = reader.next().unwrap() {
        match block {
            Block::Event(mut block) | Block::Snapshot(mut block) | Block::Containers(mut block) => {
                block.load(Columns::ALL).unwrap();
                all.extend_from_slice(block.dict().strings.bytes);
            }
            Block::End(totals) => all.extend(format!("{totals:?}").into_bytes()),
        }
    }
    all
}

struct Dir(tempfile::TempDir);

impl Dir {
    fn new() -> Dir {
        Dir(tempfile::tempdir().unwrap())
    }
    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
    fn text(&self, name: &str) -> String {
        self.at(name).to_str().unwrap().to_owned()
    }
}

const FORM: &str = "%evt.num %container.id %container.name %k8s.pod.name %container.labels %evt.certain";

#[test]
fn a_cut_to_one_container_leaves_no_trace_of_the_others() {
    let dir = Dir::new();
    let (whole, cut) = (dir.at("whole.reel"), dir.at("cut.reel"));
    let (w, d) = (early(WEB), early(DB));
    write(&whole, "h", &["0:team=blue"], &[&[w, d], &[d], &[WEB, DB]], &[WEB, DB]);
    // By what is known at the end alone, and by what was known from the first event on.
    let (from, to) = (dir.text("whole.reel"), dir.text("cut.reel"));
    for (n, filter) in
        ["container.id = web-id", "container.name = web-name", "k8s.pod.name = web-pod"].iter().enumerate()
    {
        sysreel(&["cut", &from, "-w", &to, "--force", filter]);
        let bytes = unpacked(&cut);
        for trace in
            ["db-id", "db-name", "db-pod", "db-key", "db-value", "db-group", "db-id-worker", "host-shim"]
        {
            let found = bytes.windows(trace.len()).any(|w| w == trace.as_bytes());
            assert!(!found, "{filter}: {trace}");
        }
        let kept = events(&cut, true, FORM);
        assert_eq!(kept.len(), if n == 0 { 2 } else { 1 }, "{kept:?}");
        assert!(kept.iter().all(|l| l.contains("web-name") && l.contains("web-value")), "{kept:?}");
        assert_eq!(events(&cut, false, "%host.tag[team]")[0], "blue");
    }
    // Without the question the whole has both.
    assert!(unpacked(&whole).windows(7).any(|w| w == b"db-name"));
}

#[test]
fn a_reel_made_of_another_keeps_its_late_names() {
    let dir = Dir::new();
    let whole = dir.at("whole.reel");
    let (w, d) = (early(WEB), early(DB));
    write(&whole, "h", &["0:team=blue"], &[&[w, d], &[w], &[d]], &[WEB, DB]);
    let plain =
        ["10 web-id - - - true", "11 db-id - - - true", "20 web-id - - - true", "30 db-id - - - true"];
    assert_eq!(events(&whole, false, FORM), plain);
    let named = [
        "10 ~web-id ~web-name ~web-pod ~web-key:web-value false",
        "11 ~db-id ~db-name ~db-pod ~db-key:db-value false",
        "20 ~web-id ~web-name ~web-pod ~web-key:web-value false",
        "30 ~db-id ~db-name ~db-pod ~db-key:db-value false",
    ];
    assert_eq!(events(&whole, true, FORM), named);
    // Filters take it as it is, and say that it was not certain.
    let found = sysreel(&[
        "-r",
        whole.to_str().unwrap(),
        "--late-names",
        "-p",
        "%evt.num",
        "container.name = db-name and evt.certain = false",
    ]);
    assert_eq!(found, "11\n30\n");

    // Reread into a new reel, from a file and from a pipe.
    let (from, to) = (dir.text("whole.reel"), dir.text("again.reel"));
    sysreel(&["-r", &from, "-w", &to, "container.id = web-id"]);
    assert_eq!(events(&dir.at("again.reel"), false, FORM), [plain[0], plain[2]]);
    assert_eq!(events(&dir.at("again.reel"), true, FORM), [named[0], named[2]]);
    assert!(!unpacked(&dir.at("again.reel")).windows(7).any(|w| w == b"db-name"));
    let pipe = format!("{} -r - -w {} < {from}", env!("CARGO_BIN_EXE_sysreel"), dir.text("piped.reel"));
    assert!(Command::new("sh").args(["-c", &pipe]).status().unwrap().success());
    assert_eq!(events(&dir.at("piped.reel"), true, FORM), named);
    // In pieces: each has what is known last of what it mentions, and no more.
    sysreel(&["split", &from, "-w", &dir.text("piece.reel"), "--events", "2"]);
    assert_eq!(events(&dir.at("piece.000001.reel"), true, FORM), named[..2]);
    assert_eq!(events(&dir.at("piece.000002.reel"), true, FORM), named[2..]);
    sysreel(&["split", &from, "-w", &dir.text("one.reel"), "--events", "1"]);
    assert_eq!(events(&dir.at("one.000003.reel"), true, FORM), named[2..3]);
    assert!(!unpacked(&dir.at("one.000003.reel")).windows(5).any(|w| w == b"db-id"));
    for piece in ["piece.000001.reel", "piece.000002.reel"] {
        assert!(events(&dir.at(piece), false, "%host.tag[team]").iter().all(|l| l == "blue"));
    }
}

#[test]
fn a_merge_keeps_each_hosts_tags_and_what_it_knew_last() {
    let dir = Dir::new();
    let (a, b, both) = (dir.at("a.reel"), dir.at("b.reel"), dir.at("both.reel"));
    write(&a, "one", &["0:team=blue", "0:zone=1"], &[&[early(WEB)], &[early(WEB)]], &[WEB]);
    write(&b, "two", &["0:team=red"], &[&[early(DB)]], &[DB]);
    sysreel(&["merge", a.to_str().unwrap(), b.to_str().unwrap(), "-w", both.to_str().unwrap()]);
    let lines = events(&both, false, "%evt.hostname %container.id %host.tag[team] %host.tag[zone]");
    assert_eq!(lines, ["one web-id blue 1", "two db-id red -", "one web-id blue 1"]);
    let listed = sysreel(&["containers", both.to_str().unwrap()]);
    assert!(listed.contains("web-name") && listed.contains("db-name"), "{listed}");
}

#[test]
fn presets_show_container_and_pod() {
    let dir = Dir::new();
    let reel = dir.at("t.reel");
    write(&reel, "h", &[], &[&[WEB, early(DB)]], &[DB]);
    let shown = |options: &[&str]| -> Vec<String> {
        let all = sysreel(&[&["-r", reel.to_str().unwrap()], options].concat());
        // Behind the time.
        all.lines().map(|l| l.split_once(' ').unwrap().1.to_owned()).collect()
    };
    let call = |of: &str, tid: u32| format!("{of}-worker ({tid}:-) getppid(-) = SUCCESS");
    let [web, db] = [call("web-id", 100), call("db-id", 101)];
    assert_eq!(shown(&["-pc"]), [format!("web-name (web-id) {web}"), format!("- (db-id) {db}")]);
    assert_eq!(
        shown(&["-pk"]),
        [format!("-/web-pod web-name (web-id) {web}"), format!("-/- - (db-id) {db}")]
    );
    assert_eq!(shown(&["-pk", "--late-names"])[1], format!("-/~db-pod ~db-name (~db-id) {db}"));
    for (short, long) in [("-pc", "container"), ("-pk", "kubernetes")] {
        assert_eq!(shown(&[short]), shown(&["-p", long]));
    }
}
