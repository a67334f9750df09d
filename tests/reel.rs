//! The format as its manual page has it: a reader in another language, which knows nothing but the page, sees the same.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use sysreel::batch::{Batch, Columns, Container, File, Item, NONE, Proc};
use sysreel::reel::{Block, Header, Reader, Totals, Writer};
use sysreel::schema::{Arch, Schema};

use crate::cli::sysreel;
use crate::live::skip;
use crate::samples;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A Python that has LZ4: Debian's package belongs to Debian's Python, which may not be the first in the path.
fn python() -> Option<&'static str> {
    ["python3", "/usr/bin/python3"]
        .into_iter()
        .find(|p| Command::new(p).args(["-c", "import lz4.block"]).output().is_ok_and(|o| o.status.success()))
}

/// What the independent reader prints, and its status.
fn independent(python: &str, reel: &Path) -> (Vec<Value>, i32) {
    let done = Command::new(python).arg(root().join("tests/reel_reader.py")).arg(reel).output().unwrap();
    let text = String::from_utf8(done.stdout).unwrap();
    let err = String::from_utf8_lossy(&done.stderr);
    assert!(!err.contains("Traceback"), "{err}");
    (text.lines().map(|l| serde_json::from_str(l).unwrap()).collect(), done.status.code().unwrap())
}

fn golden() -> Vec<PathBuf> {
    let list = std::fs::read_dir(root().join("testdata/reels")).unwrap().map(|e| e.unwrap().path());
    let list: Vec<PathBuf> = list.filter(|p| p.extension().is_some_and(|e| e == "reel")).collect();
    assert!(!list.is_empty());
    list
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn known(id: u32) -> Value {
    if id == NONE { Value::Null } else { json!(id) }
}

fn text(b: &Batch, id: u32) -> Value {
    b.dict.strings.find(id).map_or(Value::Null, |s| json!(hex(s)))
}

fn process(b: &Batch, p: &Proc) -> Value {
    // Every field by name: a new one does not compile until it is here, in the page and in its reader.
    let Proc {
        pid,
        ppid,
        parent,
        start,
        uid,
        gid,
        ruid,
        rgid,
        loginuid,
        user,
        group,
        sid,
        pgid,
        tty,
        vpid,
        comm,
        exepath,
        args,
        cwd,
        cgroup,
        flags,
        login,
        leader,
        group_leader,
        stdio,
        threads,
        exe_ino,
        exe_ctime,
        exe_mtime,
        caps,
        env,
        container,
    } = *p;
    json!({
        "pid": pid, "ppid": ppid, "parent": known(parent), "start": start, "uid": known(uid), "gid": known(gid),
        "ruid": known(ruid), "rgid": known(rgid), "loginuid": known(loginuid), "user": known(user),
        "group": known(group), "sid": sid, "pgid": pgid, "tty": tty, "vpid": vpid, "comm": text(b, comm),
        "exepath": text(b, exepath), "args": text(b, args), "cwd": text(b, cwd), "cgroup": text(b, cgroup),
        "flags": flags, "login": known(login), "leader": known(leader), "group_leader": known(group_leader),
        "stdin": known(stdio[0]), "stdout": known(stdio[1]), "stderr": known(stdio[2]), "threads": threads,
        "exe_ino": exe_ino, "exe_ctime": exe_ctime, "exe_mtime": exe_mtime, "permitted": caps[0],
        "inheritable": caps[1], "effective": caps[2], "env": text(b, env),
        "container": known(container),
    })
}

fn file(b: &Batch, f: &File) -> Value {
    let File { kind, role, l4, name, given, dev, ino, lport, rport, laddr, raddr, flags } = *f;
    json!({
        "kind": kind as u8, "role": role as u8, "l4": l4 as u8, "name": text(b, name), "given": text(b, given),
        "dev": dev, "ino": ino, "lport": lport, "rport": rport, "laddr": hex(&laddr), "raddr": hex(&raddr),
        "flags": flags,
    })
}

fn container(b: &Batch, c: &Container) -> Value {
    let Container {
        runtime,
        flags,
        sources,
        id,
        name,
        image,
        image_id,
        image_digest,
        labels,
        mounts,
        ip,
        started,
        outer,
        pod,
        namespace,
        pod_uid,
        pod_labels,
        pod_ip,
        sandbox,
        qos,
    } = *c;
    json!({
        "runtime": runtime, "flags": flags, "sources": sources, "id": text(b, id), "name": text(b, name),
        "image": text(b, image), "image_id": text(b, image_id), "image_digest": text(b, image_digest),
        "labels": text(b, labels), "mounts": text(b, mounts), "ip": text(b, ip), "started": started,
        "outer": text(b, outer), "pod": text(b, pod), "namespace": text(b, namespace), "pod_uid": text(b, pod_uid),
        "pod_labels": text(b, pod_labels), "pod_ip": text(b, pod_ip), "sandbox": text(b, sandbox),
        "qos": text(b, qos),
    })
}

fn tables(b: &Batch) -> Value {
    let d = &b.dict;
    let users = d.users.iter().map(|u| {
        json!({"uid": known(u.uid), "name": text(b, u.name), "home": text(b, u.home), "shell": text(b, u.shell)})
    });
    let groups = d.groups.iter().map(|g| json!({"gid": known(g.gid), "name": text(b, g.name)}));
    json!({
        "processes": d.procs.iter().map(|p| process(b, p)).collect::<Vec<_>>(),
        "files": d.files.iter().map(|f| file(b, f)).collect::<Vec<_>>(),
        "users": users.collect::<Vec<_>>(),
        "groups": groups.collect::<Vec<_>>(),
        "containers": d.containers.iter().map(|c| container(b, c)).collect::<Vec<_>>(),
    })
}

fn event(b: &Batch, row: usize) -> Value {
    let shape = b.shape_of(row);
    let item = |item: Item| match (item, b.bytes(item)) {
        (_, Some(bytes)) => json!({"bytes": hex(bytes), "cut": item.is_cut()}),
        (Item::ABSENT, None) => Value::Null,
        _ => json!("unreadable"),
    };
    let words: serde_json::Map<String, Value> =
        shape.args.iter().zip(b.words_of(row)).map(|(a, w)| (a.name.to_string(), json!(w))).collect();
    let items = shape.args.iter().filter_map(|a| Some((a, b.items_of(row)[usize::from(a.item?)])));
    let proc = b.proc_of(row);
    json!({
        "number": b.num[row],
        "time": b.time[row],
        "delta": b.delta[row],
        "latency": if b.latency[row] == u64::MAX { Value::Null } else { json!(b.latency[row]) },
        "code": shape.code,
        "name": &*shape.name,
        "cpu": b.cpu[row],
        "pid": proc.map(|p| p.pid),
        "tid": b.tid[row],
        "comm": proc.map_or(Value::Null, |p| text(b, p.comm)),
        "result": b.ret[row],
        "flags": b.flags[row],
        "process": known(b.proc[row]),
        "words": words,
        "items": items.map(|(a, i)| (a.name.to_string(), item(i))).collect::<serde_json::Map<_, _>>(),
        "refs": b.refs_of(row).iter().map(|id| known(*id)).collect::<Vec<_>>(),
        "sets": b.fdlist_of(row).iter().map(|id| known(*id)).collect::<Vec<_>>(),
        "files": b.refs_of(row).iter().map(|id| b.dict.file(*id).map_or(Value::Null, |f| text(b, f.name))).collect::<Vec<_>>(),
    })
}

fn same(ours: &Value, theirs: &Value, what: &str) {
    for (key, value) in ours.as_object().unwrap() {
        assert_eq!(*value, theirs[key], "{what}: {key}");
    }
}

/// Compares everything that two readers know of a reel; returns the events.
fn compare(python: &str, path: &Path) -> Vec<Value> {
    let (lines, status) = independent(python, path);
    assert_eq!(status, 0, "{}", path.display());
    let mut lines = lines.into_iter();
    let mut reader = Reader::new(std::fs::File::open(path).unwrap()).unwrap();
    reader.show_snapshots();
    let (header, schema) = (reader.header().clone(), reader.schema().clone());
    // What was written early has no tail, by which the index would be found.
    let marks = Reader::<std::fs::File>::open(std::fs::File::open(path).unwrap()).unwrap().unwrap().index();
    let header = json!({
        "host": header.hostname, "kernel": header.kernel, "version": header.version, "arch": header.arch.name(),
        "filter": header.filter, "boot": header.boot, "wall": header.wall, "cpus": header.cpus,
        "snaplen": header.snaplen, "hooks": header.hooks, "command": header.command,
    });
    same(&header, &lines.next().unwrap()["header"], "header");
    let (mut events, mut ended) = (Vec::new(), false);
    while let Some(block) = reader.next().unwrap() {
        match block {
            Block::Event(mut block) | Block::Snapshot(mut block) => {
                block.load(Columns::ALL).unwrap();
                let b = block.view(&schema);
                let theirs = lines.next().unwrap();
                let place = json!({"block": block.place().1, "host": b.meta.host, "start": b.meta.start_time, "tables": tables(&b)});
                assert_eq!(place, theirs, "{}", path.display());
                for row in 0..b.rows {
                    let theirs = lines.next().unwrap();
                    same(&event(&b, row), &theirs, &format!("{} row {row}", path.display()));
                    assert_eq!(theirs["wall"], json!(b.meta.wall_of(b.time[row])));
                    events.push(theirs);
                }
            }
            Block::Containers(_) => panic!("nobody asked for them"),
            Block::End(totals) => {
                ended = true;
                let index: Vec<Value> = totals
                    .index
                    .iter()
                    .enumerate()
                    .map(|(i, e)| {
                        let mut entry = json!({"offset": e.offset, "rows": e.rows, "earliest": e.first_time,
                                               "latest": e.last_time, "first_number": e.first_num});
                        if let Some(marks) = &marks {
                            let meta = marks.meta(i).unwrap();
                            entry["codes"] = json!(marks.codes(i).unwrap());
                            entry["clocks"] = json!([meta.wall, meta.start_time]);
                        }
                        entry
                    })
                    .collect();
                let Totals {
                    produced,
                    written,
                    filtered,
                    lost,
                    state_only,
                    first_time,
                    last_time,
                    snapshots,
                    ..
                } = totals;
                let mut totals = json!({
                    "produced": produced, "written": written, "filtered": filtered, "lost": lost,
                    "state_only": state_only, "first_time": first_time, "last_time": last_time, "index": index,
                });
                if !snapshots.is_empty() {
                    let entry = |e: &sysreel::reel::IndexEntry| {
                        json!({"offset": e.offset, "rows": e.rows, "earliest": e.first_time,
                               "latest": e.last_time, "first_number": e.first_num})
                    };
                    totals["snapshots"] = snapshots.iter().map(entry).collect();
                }
                if marks.is_some() {
                    // The other reader compares the summaries with the blocks.
                    totals["exact"] = json!(true);
                }
                assert_eq!(totals, lines.next().unwrap()["end"]);
            }
        }
    }
    assert!(ended && lines.next().is_none());
    events
}

/// Bytes as JSON has them: text, or base64 of what is not UTF-8.
fn is_shown(shown: &Value, bytes: &Value) -> bool {
    let Some(hex) = bytes.as_str() else { return shown.is_null() };
    let bytes: Vec<u8> = hex
        .as_bytes()
        .chunks(2)
        .map(|c| u8::from_str_radix(std::str::from_utf8(c).unwrap(), 16).unwrap())
        .collect();
    match (shown, String::from_utf8(bytes)) {
        (Value::String(s), Ok(text)) => *s == text,
        (other, Err(_)) => other.is_object(),
        (Value::Null, Ok(text)) => text.is_empty(),
        _ => false,
    }
}

#[test]
fn a_reader_written_from_the_page_sees_what_ours_sees() {
    let Some(python) = python() else {
        return skip("no Python with LZ4 (python3-lz4)");
    };
    for path in golden() {
        let events = compare(python, &path);
        // … and what the program shows.
        let reel = path.to_str().unwrap();
        let done = sysreel().args(["-r", reel, "-j"]).output().unwrap();
        assert!(done.status.success());
        let shown: Vec<Value> = String::from_utf8(done.stdout)
            .unwrap()
            .lines()
            .map(|l| serde_json::from_str(l).unwrap())
            .collect();
        assert_eq!(shown.len(), events.len() + 1);
        let (mut texts, mut files) = (0, 0);
        for (ours, theirs) in shown.iter().zip(&events) {
            for (field, key) in [
                ("evt.num", "number"),
                ("evt.cpu", "cpu"),
                ("evt.type", "name"),
                ("evt.latency", "latency"),
                ("proc.pid", "pid"),
                ("thread.tid", "tid"),
                ("evt.rawres", "result"),
            ] {
                // What never returned has no result.
                let never = theirs["flags"].as_u64().unwrap() & 4 != 0 || theirs["name"] == "procexit";
                let never = never || theirs["name"] == "exit_group" || theirs["name"] == "exit";
                let missing = ours[field].is_null() && key == "result" && never;
                assert!(ours[field] == theirs[key] || missing, "{field}: {ours}");
            }
            assert!(is_shown(&ours["proc.name"], &theirs["comm"]), "{ours}");
            for name in ["path", "target", "oldpath", "newpath", "name"] {
                let (text, item) = (&ours["evt.args"][name], &theirs["items"][name]);
                if item["cut"] == false {
                    assert!(is_shown(text, &item["bytes"]), "{name}: {ours}");
                    texts += 1;
                }
            }
            for name in ["count", "size", "length", "len"] {
                if theirs["words"][name].is_u64() && !ours["evt.args"][name].is_null() {
                    // JSON's numbers end at 2^53 for many readers; larger ones are shown as text.
                    let (shown, word) = (&ours["evt.args"][name], &theirs["words"][name]);
                    assert!(shown == word || shown.as_str() == Some(word.to_string().as_str()), "{ours}");
                }
            }
            if ours["fd.name"].is_string() && ours["fd.type"] == "file" {
                let theirs = theirs["files"].as_array().unwrap();
                assert!(theirs.iter().any(|f| is_shown(&ours["fd.name"], f)), "{ours}");
                files += 1;
            }
        }
        assert!(texts > 5 && files > 5, "{reel}: {texts} texts, {files} files");
        let done = sysreel().args(["-r", reel, "-p", "%evt.num %evt.rawtime %proc.pid"]).output().unwrap();
        let lines: Vec<String> = String::from_utf8(done.stdout).unwrap().lines().map(str::to_owned).collect();
        let expected: Vec<String> =
            events.iter().map(|e| format!("{} {} {}", e["number"], e["wall"], e["pid"])).collect();
        assert_eq!(lines, expected);
    }
}

/// Golden reels have few of the encodings; these have all that the writer can choose.
#[test]
fn a_reader_written_from_the_page_sees_whatever_can_be_written() {
    let Some(python) = python() else {
        return skip("no Python with LZ4 (python3-lz4)");
    };
    let schema = Schema::native(Arch::X86_64);
    let dir = tempfile::tempdir().unwrap();
    for seed in 1..30u64 {
        let path = dir.path().join(format!("{seed}.reel"));
        let mut w = Writer::new(std::fs::File::create(&path).unwrap(), &Header::default(), &schema).unwrap();
        for block in 0..3 {
            let rows = if seed < 20 { 3 * seed } else { 40 * seed };
            w.write_block(&samples::wild(&schema, rows as usize, seed * 7 + block).view(&schema)).unwrap();
        }
        w.write_block(&samples::busy(&schema, 100 + 20 * seed as usize).view(&schema)).unwrap();
        w.finish(&Totals { produced: seed << 40, lost: 3, ..Totals::default() }).unwrap();
        assert!(!compare(python, &path).is_empty());
        let whole = std::fs::read(&path).unwrap();
        assert_eq!(whole[whole.len() - 16..].first_chunk(), Some(b"\nEND"));
    }
}

#[test]
fn a_reader_written_from_the_page_notices_damage() {
    let Some(python) = python() else {
        return skip("no Python with LZ4 (python3-lz4)");
    };
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("damaged.reel");
    let whole = std::fs::read(&golden()[0]).unwrap();
    for (at, bit) in [(3, 0), (40, 1), (70, 7), (whole.len() - 300, 2), (whole.len() - 20, 4)] {
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << bit;
        std::fs::write(&path, &bytes).unwrap();
        assert_eq!(independent(python, &path).1, 4, "byte {at}");
        let ours = sysreel().arg("-r").arg(&path).output().unwrap();
        assert_eq!(ours.status.code(), Some(4), "byte {at}");
    }
}
