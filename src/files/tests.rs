use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::batch::{Builder, NONE, Row};
use crate::reel::{Block, Reader};
use crate::schema::Arch;

fn schema() -> Arc<Schema> {
    Arc::new(Schema::native(Arch::X86_64))
}

/// A block of `rows` calls, numbered from `first`.
fn block(schema: &Schema, first: u64, rows: u64) -> Builder {
    let mut b = Builder::new();
    let call = schema.code("getppid").unwrap();
    for n in first..first + rows {
        // Times that do not compress, so that a block has a size.
        let time = n * 1_000_000 + n.wrapping_mul(0x9e37_79b9_7f4a_7c15) % 1_000_000;
        b.push(
            Row { num: n, time, latency: time % 77_777, call, proc: NONE, ..Row::default() },
            &[],
            &[],
            &[],
        );
    }
    b
}

fn tally(events: u64) -> Tally {
    Tally { produced: events, ..Tally::default() }
}

struct Run {
    dir: tempfile::TempDir,
    files: Files,
    schema: Arc<Schema>,
    events: u64,
}

impl Run {
    fn new(options: Options) -> Run {
        let dir = tempfile::tempdir().unwrap();
        let to = Place::File(dir.path().join("t.reel"));
        let schema = schema();
        let files =
            Files::new(&to, false, &options, &Header::default(), schema.clone(), &Watch::new(true)).unwrap();
        Run { dir, files, schema, events: 0 }
    }

    fn block(&mut self) {
        let b = block(&self.schema, self.events + 1, 1000);
        self.events += 1000;
        self.files.block(&b.view(&self.schema), tally(self.events)).unwrap();
    }

    fn end(mut self) -> (tempfile::TempDir, Vec<(String, u64, Totals)>) {
        let totals = Totals { produced: self.events, written: self.events, ..Totals::default() };
        self.files.finish(&totals).unwrap();
        assert_eq!(self.files.written(), self.events);
        assert_eq!(self.files.unwritten(), 0);
        let found = read(&self.dir);
        (self.dir, found)
    }
}

/// Every file of a directory, by name: the events it holds, and its totals.
fn read(dir: &tempfile::TempDir) -> Vec<(String, u64, Totals)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir.path()).unwrap().flatten() {
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        let mut reader = Reader::new(File::open(entry.path()).unwrap()).unwrap();
        let (mut events, mut end) = (0, None);
        while let Some(b) = reader.next().unwrap() {
            match b {
                Block::Event(b) => events += b.rows() as u64,
                Block::Snapshot(_) | Block::Containers(_) => {}
                Block::End(totals) => end = Some(totals),
            }
        }
        found.push((entry.file_name().into_string().unwrap(), events, end.expect("a complete file")));
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    found
}

#[test]
fn one_file_has_the_name_that_was_given() {
    let mut run = Run::new(Options::default());
    run.block();
    run.block();
    let (_dir, files) = run.end();
    assert_eq!(files.len(), 1);
    assert_eq!((&*files[0].0, files[0].1, files[0].2.produced), ("t.reel", 2000, 2000));
}

#[test]
fn no_file_is_larger_than_asked_and_no_event_is_in_two() {
    let mut run = Run::new(Options { size: Some(64 << 10), ..Options::default() });
    (0..40).for_each(|_| run.block());
    let (dir, files) = run.end();
    assert!(files.len() > 2, "{files:?}");
    assert_eq!(files[0].0, "t-000001.reel");
    assert_eq!(files.iter().map(|f| f.1).sum::<u64>(), 40_000);
    for (name, events, totals) in &files {
        let size = std::fs::metadata(dir.path().join(name)).unwrap().len();
        // The end block comes on top: its size is not known before.
        assert!(size < (64 << 10) + 4096, "{name}: {size}");
        assert_eq!((totals.written, totals.produced), (*events, *events), "{name}");
        assert!(totals.first_time < totals.last_time);
    }
}

#[test]
fn only_the_newest_are_kept() {
    let mut run = Run::new(Options { size: Some(1), keep: Some(3), ..Options::default() });
    (0..10).for_each(|_| run.block());
    let (_dir, files) = run.end();
    let names: Vec<&str> = files.iter().map(|f| &*f.0).collect();
    assert_eq!(names, ["t-000008.reel", "t-000009.reel", "t-000010.reel"]);
    assert!(files.iter().all(|f| f.1 == 1000), "a block larger than a file has one for itself");
}

#[test]
fn all_files_together_stay_below_a_size() {
    let most = 200 << 10;
    let mut run = Run::new(Options { size: Some(50 << 10), max_disk: Some(most), ..Options::default() });
    for _ in 0..60 {
        run.block();
        let all: u64 =
            std::fs::read_dir(run.dir.path()).unwrap().flatten().map(|e| e.metadata().unwrap().len()).sum();
        assert!(all <= most + 4096, "{all}");
    }
    let (_dir, files) = run.end();
    assert!(files.len() >= 2 && files[0].0 != "t-000001.reel");
}

#[test]
fn what_is_not_ours_is_never_removed() {
    let mut run = Run::new(Options { size: Some(1), keep: Some(1), ..Options::default() });
    run.block();
    run.block();
    let second = run.dir.path().join("t-000002.reel");
    std::fs::rename(&second, run.dir.path().join("kept.reel")).unwrap();
    std::fs::write(&second, "somebody else's").unwrap();
    run.block();
    run.block();
    assert_eq!(std::fs::read_to_string(&second).unwrap(), "somebody else's");
}

/// A block with an event in each of these containers: id, name, sources.
fn contained(n: u64, all: &[(&str, Option<&str>, u32)]) -> Builder {
    use crate::batch::{Container, Proc};
    let mut b = Builder::new();
    b.reset(n as u32 + 1);
    for (id, name, sources) in all {
        let [id, name] = [Some(*id), *name].map(|t| t.map_or(NONE, |t| b.string(t.as_bytes())));
        let container = b.container(Container { id, name, sources: *sources, ..Container::default() });
        let proc = b.proc(Proc { pid: 7, container, ..Proc::default() });
        let row = Row { num: n, time: n * 1000, call: crate::schema::PROCESS, proc, ..Row::default() };
        b.push(row, &[], &[], &[]);
    }
    b
}

/// Names at the end of a file.
fn late(dir: &tempfile::TempDir, name: &str) -> Vec<(String, String)> {
    let file = File::open(dir.path().join(name)).unwrap();
    let mut told = Vec::new();
    for block in Reader::<File>::open(file).unwrap().unwrap().containers().unwrap() {
        let d = block.dict();
        let text = |id| String::from_utf8_lossy(d.strings.find(id).unwrap_or(b"-")).into_owned();
        told.extend(d.containers.iter().map(|c| (text(c.id), text(c.name))));
    }
    told
}

#[test]
fn each_file_tells_what_is_known_last_of_the_containers_in_it() {
    let mut run = Run::new(Options { size: Some(1), ..Options::default() });
    let schema = run.schema.clone();
    let block = |run: &mut Run, n: u64, all: &[(&str, Option<&str>, u32)]| {
        run.files.block(&contained(n, all).view(&schema), tally(n)).unwrap();
    };
    let learn = |run: &mut Run, all: &[(&str, Option<&str>, u32)]| {
        run.files.learn_containers(&contained(90, all).view(&run.schema));
    };
    // Each block begins a file; what is told before the next begins is still in time for it.
    block(&mut run, 1, &[("a", None, 1), ("b", None, 1)]);
    learn(&mut run, &[("a", Some("web"), 5), ("c", Some("other"), 5)]);
    // It mentions them as they were when it was begun.
    block(&mut run, 2, &[("a", None, 1), ("c", None, 1)]);
    block(&mut run, 3, &[("a", Some("web"), 5), ("b", None, 1)]);
    learn(&mut run, &[("b", Some("db"), 5), ("a", None, 1)]);
    run.events = 6;
    let (dir, _) = run.end();
    let told = |name| -> Vec<(String, String)> { late(&dir, name) };
    let pairs = |all: &[(&str, &str)]| -> Vec<(String, String)> {
        all.iter().map(|(id, name)| (id.to_string(), name.to_string())).collect()
    };
    assert_eq!(told("t-000001.reel"), pairs(&[("a", "web"), ("b", "-")]));
    assert_eq!(told("t-000002.reel"), pairs(&[("a", "web"), ("c", "other")]));
    assert_eq!(told("t-000003.reel"), pairs(&[("a", "web"), ("b", "db")]));
}

#[test]
fn names_of_an_earlier_capture_are_not_used_again() {
    let dir = tempfile::tempdir().unwrap();
    let to = Place::File(dir.path().join("t.reel"));
    let options = Options { size: Some(1), ..Options::default() };
    for _ in 0..2 {
        let mut files =
            Files::new(&to, false, &options, &Header::default(), schema(), &Watch::new(true)).unwrap();
        files.turn().unwrap();
        files.finish(&Totals::default()).unwrap();
    }
    let names: Vec<String> = read(&dir).into_iter().map(|f| f.0).collect();
    assert_eq!(names, ["t-000001.reel", "t-000002.reel", "t-000003.reel", "t-000004.reel"]);
}

#[test]
fn a_new_file_on_request_takes_the_name_if_it_is_free() {
    let mut run = Run::new(Options::default());
    run.block();
    std::fs::rename(run.dir.path().join("t.reel"), run.dir.path().join("moved")).unwrap();
    run.files.turn().unwrap();
    run.block();
    run.files.turn().unwrap();
    run.block();
    let (_dir, files) = run.end();
    let names: Vec<&str> = files.iter().map(|f| &*f.0).collect();
    assert_eq!(names, ["moved", "t-000003.reel", "t.reel"]);
}

#[test]
fn force_replaces_a_file_only_by_a_whole_one() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.reel");
    std::fs::write(&path, "old").unwrap();
    let to = Place::File(path.clone());
    let refused =
        Files::new(&to, false, &Options::default(), &Header::default(), schema(), &Watch::new(true));
    assert!(refused.is_err_and(|e| e.to_string().contains("--force")));
    let mut files =
        Files::new(&to, true, &Options::default(), &Header::default(), schema(), &Watch::new(true)).unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "old", "until the new one is complete");
    files.finish(&Totals::default()).unwrap();
    assert_eq!(read(&dir).len(), 1);
    // Neither through a link nor over a device.
    std::os::unix::fs::symlink("/nowhere", dir.path().join("link")).unwrap();
    let link = Place::File(dir.path().join("link"));
    assert!(
        Files::new(&link, false, &Options::default(), &Header::default(), schema(), &Watch::new(true))
            .is_err()
    );
    let device = Place::File("/dev/null".into());
    assert!(
        Files::new(&device, true, &Options::default(), &Header::default(), schema(), &Watch::new(true))
            .is_err()
    );
}

#[test]
fn a_command_is_told_of_every_complete_file() {
    let list = tempfile::NamedTempFile::new().unwrap();
    let script = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(script.path(), "echo \"$2\" >> \"$1\"").unwrap();
    let words = ["sh".as_ref(), script.path().as_os_str(), list.path().as_os_str()];
    let on_rotate = words.map(|w| w.to_os_string()).to_vec();
    let mut run = Run::new(Options { size: Some(1), on_rotate, ..Options::default() });
    run.block();
    run.block();
    let told = |list: &Path| std::fs::read_to_string(list).unwrap().lines().count();
    run.files.finish(&Totals::default()).unwrap();
    for _ in 0..500 {
        run.files.reap();
        if run.files.children.is_empty() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    assert_eq!(told(list.path()), 2);
}

#[test]
fn a_size_ends_the_capture() {
    let mut run = Run::new(Options { stop_size: Some(100 << 10), ..Options::default() });
    assert!(!run.files.is_enough());
    (0..30).for_each(|_| run.block());
    assert!(run.files.is_enough());
}
