//! `sysreel containers`: which containers there are, on this host or in a reel.
//!
//! Enters: /proc and the files of runtimes, or the dictionaries of a reel. Leaves: a line for each container. Never: a probe,
//! events.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::batch::{Dict, RUNTIMES, StrId, Tables, container_flags};
use crate::config::Place;
use crate::container::{Bytes, Container, Resolver, resting, why};
use crate::exit::Exit;
use crate::fields::escape::{self, Within};
use crate::message;
use crate::state::control_group;

use super::input::Input;

/// Most bytes read of a file of /proc.
const MOST: u64 = 64 << 10;

/// What was typed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Options {
    /// The reel; none: this host, now.
    pub from: Option<Place>,
    /// One JSON object a line.
    pub json: bool,
    /// Which sources say what of this one.
    pub why: Option<String>,
    /// Those without a process too.
    pub all: bool,
    /// Where the host's /proc is.
    pub proc: PathBuf,
}

/// A line.
#[derive(Default)]
struct Line {
    kind: &'static str,
    name: Vec<u8>,
    image: Vec<u8>,
    namespace: Vec<u8>,
    pod: Vec<u8>,
    pause: bool,
    state: &'static str,
    processes: usize,
}

impl Line {
    /// Of one without a process.
    fn of(c: &Container, state: &'static str) -> Line {
        let text = |t: Option<&Bytes>| t.map_or(Vec::new(), |t| t.to_vec());
        let pod = c.pod.as_ref();
        Line {
            kind: c.runtime.name(),
            name: text(c.name.as_ref()),
            image: text(c.image.as_ref()),
            namespace: text(pod.and_then(|p| p.namespace.as_ref())),
            pod: text(pod.and_then(|p| p.name.as_ref())),
            pause: c.sandbox,
            state,
            processes: 0,
        }
    }
}

/// Lists.
pub fn run(options: &Options) -> Result<Exit, Exit> {
    if let Some(id) = &options.why {
        let said = why(&options.proc, id.as_bytes());
        if said.is_empty() {
            message::say(format!("no process runs in a container `{}`", message::name(id)));
            return Err(Exit::Error);
        }
        let mut out = Vec::new();
        for s in said {
            escape::escape(&mut out, s.source.as_bytes(), Within::Free);
            out.extend_from_slice(b": ");
            escape::escape(&mut out, s.said.as_bytes(), Within::Free);
            out.push(b'\n');
        }
        return print(&out).map(|()| Exit::Ok);
    }
    let (lines, exit) = match &options.from {
        Some(place) => of_reel(place)?,
        None => {
            let mut lines = of_host(&options.proc);
            if options.all {
                for (c, state) in resting(&options.proc) {
                    lines.entry(c.id.to_vec()).or_insert_with(|| Line::of(&c, state));
                }
            }
            (lines, Exit::Ok)
        }
    };
    print(&if options.json { objects(&lines) } else { columns(&lines) })?;
    Ok(exit)
}

fn print(out: &[u8]) -> Result<(), Exit> {
    message::listing(&String::from_utf8_lossy(out)).map_err(|e| {
        message::say(format!("cannot write: {e}"));
        Exit::Error
    })
}

/// Every container with a process, by its id.
fn of_host(proc: &Path) -> BTreeMap<Vec<u8>, Line> {
    let mut groups: BTreeMap<Vec<u8>, (u32, usize)> = BTreeMap::new();
    let entries = fs::read_dir(proc).into_iter().flatten().flatten();
    for pid in entries.filter_map(|e| e.file_name().to_str()?.parse::<u32>().ok()) {
        let mut text = Vec::new();
        let file = fs::File::open(proc.join(pid.to_string()).join("cgroup"));
        if file.and_then(|f| f.take(MOST).read_to_end(&mut text)).is_err() {
            continue;
        }
        if let Some(path) = control_group(&text) {
            groups.entry(path.to_vec()).or_insert((pid, 0)).1 += 1;
        }
    }
    let (mut resolver, mut lines) = (Resolver::new(proc), BTreeMap::<Vec<u8>, Line>::new());
    for (path, (pid, count)) in groups {
        let Some(c) = resolver.by_files(&path, Some(pid)).container() else { continue };
        let line = lines.entry(c.id.to_vec()).or_default();
        // Frozen or not, processes are in it.
        let state = if is_frozen(&path) { "paused" } else { "running" };
        *line = Line { processes: line.processes + count, ..Line::of(&c, state) };
    }
    lines
}

/// Where control groups are mounted, one hierarchy or several, and the file that tells whether one is frozen.
const FROZEN: [(&str, &str, &str); 3] = [
    ("/sys/fs/cgroup", "cgroup.events", "frozen 1"),
    ("/sys/fs/cgroup/unified", "cgroup.events", "frozen 1"),
    ("/sys/fs/cgroup/freezer", "freezer.state", "FROZEN"),
];

/// True if the processes of a control group stand still.
fn is_frozen(path: &[u8]) -> bool {
    let path = Path::new(std::ffi::OsStr::from_bytes(path.strip_prefix(b"/").unwrap_or(path)));
    // One outside of what we may see is named from there upwards, and is another's.
    path.components().all(|c| matches!(c, std::path::Component::Normal(_)))
        && FROZEN.iter().any(|(root, file, line)| {
            fs::read_to_string(Path::new(root).join(path).join(file))
                .is_ok_and(|text| text.lines().any(|l| l == *line))
        })
}

/// Every container of which a reel has events or parents of who had them, as it was known last.
fn of_reel(place: &Place) -> Result<(BTreeMap<Vec<u8>, Line>, Exit), Exit> {
    let mut input = Input::open(place)?;
    input.keep_containers();
    let (mut lines, mut seen) = (BTreeMap::new(), HashSet::new());
    while let Some(mut block) = input.block() {
        match block.load_tables(Tables::Procs) {
            Ok(()) => look(&block.dict(), &mut lines, &mut seen),
            Err(damage) => input.complain(&damage),
        }
    }
    // What became known after the last event of a container.
    input.containers.iter().for_each(|block| look(&block.dict(), &mut lines, &mut seen));
    Ok((lines, input.close()))
}

fn look(d: &Dict, lines: &mut BTreeMap<Vec<u8>, Line>, seen: &mut HashSet<(u32, u64)>) {
    let text = |id: StrId| d.strings.find(id).unwrap_or_default().to_vec();
    for p in d.procs {
        let Some(c) = d.container(p.container) else { continue };
        let line = lines.entry(text(c.id)).or_default();
        *line = Line {
            kind: RUNTIMES.get(c.runtime as usize).copied().unwrap_or("unknown"),
            name: text(c.name),
            image: text(c.image),
            namespace: text(c.namespace),
            pod: text(c.pod),
            pause: c.flags & container_flags::SANDBOX != 0,
            state: line.state,
            processes: line.processes + usize::from(p.pid != 0 && seen.insert((p.pid, p.start))),
        };
    }
}

/// The beginning of an id of digits.
fn short(id: &[u8]) -> &[u8] {
    if id.len() == 64 { id.get(..12).unwrap_or(id) } else { id }
}

fn columns(lines: &BTreeMap<Vec<u8>, Line>) -> Vec<u8> {
    let mut table = vec![["ID", "NAME", "TYPE", "STATE", "IMAGE", "POD", "PROCESSES"].map(String::from)];
    for (id, line) in lines {
        let shown = |text: &[u8]| {
            let mut out = Vec::new();
            escape::escape(&mut out, if text.is_empty() { b"-" } else { text }, Within::Free);
            String::from_utf8_lossy(&out).into_owned()
        };
        let pod = match (&line.namespace[..], &line.pod[..]) {
            (b"", pod) => pod.to_vec(),
            (namespace, pod) => [namespace, b"/", pod].concat(),
        };
        let name = if line.pause { b"(pause)" } else { &line.name[..] };
        table.push([
            shown(short(id)),
            shown(name),
            line.kind.to_owned(),
            shown(line.state.as_bytes()),
            shown(&line.image),
            shown(&pod),
            line.processes.to_string(),
        ]);
    }
    let width = |column: usize| table.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; 7] = std::array::from_fn(width);
    let mut out = String::new();
    for row in &table {
        let cells: Vec<String> = row
            .iter()
            .zip(widths)
            .map(|(cell, w)| format!("{cell}{}", " ".repeat(w - cell.chars().count())))
            .collect();
        out.push_str(cells.join("  ").trim_end());
        out.push('\n');
    }
    out.into_bytes()
}

/// Names as those of the fields.
fn objects(lines: &BTreeMap<Vec<u8>, Line>) -> Vec<u8> {
    let mut out = Vec::new();
    for (id, line) in lines {
        let mut open = b'{';
        let parts: [(&str, &[u8]); 8] = [
            ("container.id", short(id)),
            ("container.full_id", id),
            ("container.name", &line.name),
            ("container.type", line.kind.as_bytes()),
            ("state", line.state.as_bytes()),
            ("container.image", &line.image),
            ("k8s.ns.name", &line.namespace),
            ("k8s.pod.name", &line.pod),
        ];
        for (name, text) in parts.into_iter().filter(|(_, text)| !text.is_empty()) {
            out.push(std::mem::replace(&mut open, b','));
            escape::json_str(&mut out, name);
            out.push(b':');
            escape::json(&mut out, text);
        }
        let rest = format!(",\"container.is_pause\":{},\"processes\":{}}}\n", line.pause, line.processes);
        out.extend_from_slice(rest.as_bytes());
    }
    out
}
