//! Every field of every event: printed and filtered the same, and the same again from a rewritten file.

use std::collections::BTreeSet;
use std::fs::File;

use sysreel::batch::{
    Batch, Builder, Columns, File as BatchFile, FileKind, Item, NONE, Role, Row, file_flags,
};
use sysreel::fields::{FIELDS, Field, Key, Takes, Type, Value, lookup};
use sysreel::filter::Filter;
use sysreel::output::{Format, JsonOptions, Template};
use sysreel::reel::{Block, Header, Reader, Totals, Writer};
use sysreel::schema::{Arch, Schema};
use sysreel::select::Selector;

/// Every field, with each sort of argument that it takes.
pub fn spelled() -> Vec<String> {
    let with = |f: &Field| -> Vec<String> {
        let keys: &[&str] = match (f.takes, f.name) {
            (Takes::Nothing, _) => &[""],
            (Takes::OptionalIndex, _) => &["", "[0]", "[1]", "[2]"],
            (Takes::Index, _) => &["[1795382043184503021]"],
            (Takes::OptionalName, _) => &["", "[PATH]", "[1]"],
            (Takes::NameOrIndex, "evt.type.is") => &["[openat]", "[0]"],
            (Takes::NameOrIndex, _) => &["[0]", "[1]", "[path]", "[fd]"],
        };
        keys.iter().map(|key| format!("{}{key}", f.name)).collect()
    };
    FIELDS.iter().flat_map(with).collect()
}

/// All fields of all rows from `from` on, a line for each row and form.
pub fn print(batch: &Batch<'_>, from: usize, out: &mut Vec<u8>) {
    let names = spelled();
    let template: Vec<String> = names.iter().map(|n| format!("{n}=%{{{n}}}")).collect();
    let mut formats = [
        Format::json(JsonOptions::parse(&names.join(",")).unwrap()),
        Format::Template(Template::parse(&template.join("\\t")).unwrap()),
    ];
    for row in from..batch.rows {
        for format in &mut formats {
            format.render(batch, row, out);
        }
    }
}

/// Calls for each block of a fixture, all of it loaded.
fn blocks(fixture: &str, mut each: impl FnMut(&Batch<'_>)) {
    let file = File::open(format!("testdata/reels/{fixture}.reel")).unwrap();
    let mut reader = Reader::new(file).unwrap();
    let schema = reader.schema().clone();
    while let Some(block) = reader.next().unwrap() {
        if let Block::Event(mut block) = block {
            block.load(Columns::ALL).unwrap();
            block.load_dict().unwrap();
            each(&block.view(&schema));
        }
    }
}

fn selected(batch: &Batch<'_>, filter: &str) -> BTreeSet<usize> {
    let parsed = Filter::parse(filter, batch.schema).unwrap_or_else(|e| panic!("{}", e.render(filter)));
    let mut selector = Selector::new(parsed, None);
    selector.select(batch, 0..batch.rows).iter().collect()
}

fn is_there(value: &Value<'_>) -> bool {
    match value {
        Value::None => false,
        Value::Any(all) => all.iter().any(is_there),
        _ => true,
    }
}

/// A value as a constant of a filter; nothing for bytes that no quotes hold, and long ones.
fn constant(value: &Value<'_>, ty: Type) -> Option<String> {
    Some(match value {
        Value::None => return None,
        Value::Text(text) => {
            let text = std::str::from_utf8(text).ok().filter(|t| t.len() < 200 && !t.is_empty())?;
            if text.contains(|c: char| c.is_control() || matches!(c, '"' | '\\')) {
                return None;
            }
            format!("\"{text}\"")
        }
        Value::Bool(b) => b.to_string(),
        Value::Int(n) => n.to_string(),
        // A time is written with its date.
        Value::UInt(_) if ty == Type::Time => return None,
        Value::UInt(n) => n.to_string(),
        Value::Ip(ip) => ip.to_string(),
        Value::Any(all) => return all.iter().find_map(|v| constant(v, ty)),
    })
}

/// Compares filters with what is printed of a batch; adds the fields that any of its events has.
fn agree(batch: &Batch<'_>, set: &mut BTreeSet<&str>) {
    for name in spelled() {
        let (field, key): (_, Key) = lookup(&name).unwrap();
        let values: Vec<Value<'_>> = (0..batch.rows).map(|row| field.value(batch, row, &key)).collect();
        let there: BTreeSet<usize> = (0..batch.rows).filter(|row| is_there(&values[*row])).collect();
        // A filter sees what is printed, in just those events.
        assert_eq!(selected(batch, &format!("{name} exists")), there, "{name}");
        set.extend(there.first().map(|_| field.name));
        // What one prints, the filter finds: the first, a middle, and the last value.
        let some = [there.first(), there.iter().nth(there.len() / 2), there.last()];
        for row in some.into_iter().flatten() {
            let Some(constant) = constant(&values[*row], field.ty) else { continue };
            let filter = format!("{name} = {constant}");
            assert!(selected(batch, &filter).contains(row), "{filter} does not find {:?}", values[*row]);
            // The slow way round, which looks at nothing but the row.
            let plain = Filter::parse(&filter, batch.schema).unwrap();
            let matches: BTreeSet<usize> = (0..batch.rows).filter(|row| plain.matches(batch, *row)).collect();
            assert_eq!(selected(batch, &filter), matches, "{filter}");
        }
    }
}

/// Calls that name several descriptors: a file, a pipe's ends, a client's and a server's socket, one that nobody knows.
fn several(schema: &Schema) -> Builder {
    let mut b = Builder::new();
    let path = b.string(b"/etc/passwd");
    let file = b.file(BatchFile { kind: FileKind::File, name: path, ..BatchFile::default() });
    let pipe = [77, 78].map(|ino| b.file(BatchFile { kind: FileKind::Pipe, ino, ..BatchFile::default() }));
    let [client, server] =
        [(Role::Client, 5000, 443), (Role::Server, 80, 6000)].map(|(role, lport, rport)| {
            let mut socket = BatchFile { kind: FileKind::Ipv4, role, lport, rport, ..BatchFile::default() };
            socket.flags = file_flags::LOCAL | file_flags::REMOTE;
            socket.laddr[..4].copy_from_slice(&[127, 0, 0, 1]);
            socket.raddr[..4].copy_from_slice(&[10, 0, 0, 7]);
            b.file(socket)
        });
    let push = |b: &mut Builder, call: &str, ret, words: &[u64], items: &[Option<&[u8]>], refs: &[u32]| {
        let num = b.rows() as u64 + 1;
        let items: Vec<Item> =
            items.iter().map(|i| i.map_or(Item::ABSENT, |i| Item::new(b.string(i), false))).collect();
        let call = schema.code(call).unwrap();
        b.push(Row { num, time: num, call, ret, proc: NONE, tid: 9, ..Row::default() }, words, &items, refs);
    };
    let polled: Vec<u8> = [9, 3, 4, 200, 3].iter().flat_map(|fd| [*fd, 0, 0, 0, 1, 0, 0, 0]).collect();
    push(&mut b, "ppoll", 1, &[1, 5, 0, 0, 8], &[Some(&polled), None, None], &[]);
    b.fdlist(&[file, client, server, NONE]);
    // Asked for 3, 5 and, beyond nfds, 7; then for 4; then for nothing.
    let sets = [[1, 0, 0, 0, 254, 255, 255, 255, 0xa8], [1, 0, 0, 0, 254, 255, 255, 255, 0x10]];
    push(&mut b, "select", 0, &[6, 1, 1, 0, 0], &[Some(&sets[0]), Some(&sets[1]), None, None], &[]);
    b.fdlist(&[pipe[0], server, pipe[1]]);
    push(&mut b, "pipe2", 0, &[1, 0], &[Some(&[3, 0, 0, 0, 4, 0, 0, 0])], &pipe);
    push(&mut b, "pipe2", -24, &[1, 0], &[None], &[NONE, NONE]);
    push(&mut b, "dup2", 4, &[3, 4], &[], &[file, file]);
    push(&mut b, "splice", 7, &[3, 0, 4, 0, 7, 0], &[None, None], &[pipe[0], client]);
    push(&mut b, "read", 0, &[3, 1, 1], &[None], &[file]);
    push(&mut b, "poll", -4, &[1, 5, 0], &[None], &[]);
    b
}

#[test]
fn calls_that_name_several_descriptors_have_the_file_of_each() {
    let schema = Schema::native(Arch::X86_64);
    let mut block = several(&schema);
    let before = {
        let mut out = Vec::new();
        print(&block.view(&schema), 0, &mut out);
        String::from_utf8(out).unwrap()
    };
    block.close();
    let mut writer = Writer::new(Vec::new(), &Header::default(), &schema).unwrap();
    writer.write_block(&block.view(&schema)).unwrap();
    let file = writer.finish(&Totals::default()).unwrap();
    let mut reader = Reader::new(&file[..]).unwrap();
    let schema = reader.schema().clone();
    let Ok(Some(Block::Event(mut stored))) = reader.next() else { panic!() };
    // Nothing more is unpacked than what a field says that it reads.
    stored.load(lookup("fdlist.names").unwrap().0.columns()).unwrap();
    assert_eq!(selected(&stored.view(&schema), "fdlist.names = /etc/passwd"), [0, 4].into());
    stored.load(Columns::ALL).unwrap();
    stored.load_dict().unwrap();
    let batch = stored.view(&schema);
    let mut after = Vec::new();
    print(&batch, 0, &mut after);
    same(&before, &String::from_utf8(after).unwrap());
    let mut set = BTreeSet::new();
    agree(&batch, &mut set);
    assert_eq!(set.iter().filter(|name| name.starts_with("fdlist.")).count(), 6);

    let mut table = Vec::new();
    let form = "%evt.type %fdlist.nums %fdlist.names %fdlist.cips %fdlist.cports %fdlist.sips %fdlist.sports %fd.types";
    let mut form = Format::Template(Template::parse(form).unwrap());
    (0..batch.rows).for_each(|row| form.render(&batch, row, &mut table));
    insta::assert_snapshot!(String::from_utf8(table).unwrap());
    // Lists are compared as other lists are.
    for (filter, rows) in [
        ("fdlist.nums = 200", &[0][..]),
        ("fdlist.nums in (5, 200)", &[0, 1]),
        ("fdlist.nums intersects (5, 200)", &[0, 1]),
        ("fdlist.nums = allof (3, 9)", &[0]),
        ("fdlist.nums = oneof (3, 200)", &[1, 2, 4, 5]),
        ("fdlist.nums != 3", &[]),
        ("fdlist.nums exists", &[0, 1, 2, 4, 5]),
        ("not fdlist.nums exists", &[3, 6, 7]),
        ("fdlist.names startswith pipe:", &[1, 2, 5]),
        ("fdlist.names pmatch (/etc)", &[0, 4]),
        ("fdlist.cips = 10.0.0.0/8", &[0, 1]),
        ("fdlist.sips = 10.0.0.7", &[0, 5]),
        ("fdlist.sports = https", &[0, 5]),
        ("fdlist.cports > 5500 and fdlist.sports in (80, 443)", &[0, 1]),
        ("fd.types[5] = pipe", &[1]),
    ] {
        assert_eq!(selected(&batch, filter).into_iter().collect::<Vec<_>>(), rows, "{filter}");
    }
}

#[test]
fn what_is_printed_can_be_filtered_and_the_other_way_round() {
    let mut set = BTreeSet::new();
    blocks("fields", |batch| agree(batch, &mut set));
    agree(&several(&Schema::native(Arch::X86_64)).view(&Schema::native(Arch::X86_64)), &mut set);
    // The fixture has nearly all of them; those that it cannot have are named here.
    let unset: Vec<&str> = FIELDS.iter().map(|f| f.name).filter(|n| !set.contains(n)).collect();
    insta::assert_debug_snapshot!("fields_that_no_event_of_the_fixture_has", unset);
}

#[test]
fn every_key_of_a_line_of_json_is_a_field() {
    let out = crate::cli::sysreel().args(["-r", "testdata/reels/fields.reel", "-j"]).output().unwrap();
    let mut keys = BTreeSet::new();
    for line in String::from_utf8(out.stdout).unwrap().lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        if line["type"] != "end" {
            keys.extend(line.as_object().unwrap().keys().cloned());
        }
    }
    assert!(keys.len() > 15);
    for key in keys {
        assert!(lookup(&key).is_ok(), "{key}");
    }
}

#[test]
fn every_field_of_every_event_survives_rewriting() {
    let dir = tempfile::tempdir().unwrap();
    for fixture in ["cat", "shell", "refused", "hostile", "fields"] {
        let copy = dir.path().join(format!("{fixture}.reel"));
        let original = format!("testdata/reels/{fixture}.reel");
        let written = crate::cli::sysreel().args(["-r", &original, "-w"]).arg(&copy).output().unwrap();
        assert!(written.status.success(), "{}", String::from_utf8_lossy(&written.stderr));
        let template: Vec<String> = spelled().iter().map(|n| format!("{n}=%{{{n}}}")).collect();
        let print = |file: &std::path::Path| {
            let mut command = crate::cli::sysreel();
            let out = command.arg("-r").arg(file).args(["-p", &template.join("\\t")]).output().unwrap();
            String::from_utf8(out.stdout).unwrap()
        };
        same(&print(original.as_ref()), &print(&copy));
    }
}

/// Fails at the first field that differs.
pub fn same(a: &str, b: &str) {
    assert_eq!(a.lines().count(), b.lines().count());
    assert!(!a.is_empty());
    for (a, b) in a.lines().zip(b.lines()) {
        for (a, b) in a.split('\t').zip(b.split('\t')) {
            assert_eq!(a, b);
        }
        assert_eq!(a, b);
    }
}

/// A few events with all that they have.
#[test]
fn all_that_an_event_has() {
    let mut text = String::new();
    for (filter, fields) in [
        ("evt.type = execve and proc.name = sort", &["proc.", "thread.", "user.", "group."][..]),
        ("evt.type = connect", &["evt.", "fd.", "syscall."]),
        ("evt.type = openat and evt.is_open_create", &["evt.", "fd.", "fs."]),
        ("evt.type = clock_nanosleep", &["evt."]),
    ] {
        let mut found = false;
        blocks("fields", |batch| {
            let Some(row) = selected(batch, filter).pop_first().filter(|_| !found) else { return };
            found = true;
            text += &format!("--- {filter}\n");
            for name in spelled().iter().filter(|n| fields.iter().any(|f| n.starts_with(f))) {
                // What the host's time zone changes is left out.
                let is_local = name.starts_with("evt.time") || name.starts_with("evt.datetime");
                if is_local || lookup(name).unwrap().0.ty == Type::Time {
                    continue;
                }
                let mut line = Vec::new();
                Format::Template(Template::parse(&format!("%{{{name}}}")).unwrap())
                    .render(batch, row, &mut line);
                let line = String::from_utf8(line).unwrap();
                if line != "-\n" {
                    text += &format!("{name} {line}");
                }
            }
        });
        assert!(found, "{filter}");
    }
    insta::assert_snapshot!(text);
}
