//! The description of the format has everything that the code has: sections, columns, encodings, tags, limits, spellings.

use super::{frame, front, id, ints, kind, tables};
use crate::batch::FileKind;
use crate::schema::{self, Class, Kind, Len, Ret, Struct, fdlist, names};

const FORMAT: &str = include_str!("format.md");

/// Tables of the document: rows of cells, without the titles, each with the paragraph before it.
fn tables_of() -> Vec<(&'static str, Vec<Vec<&'static str>>)> {
    let mut found = Vec::new();
    let mut before = "";
    for block in FORMAT.split("\n\n") {
        if block.starts_with('|') {
            let cells = |line: &'static str| line.trim_matches('|').split('|').map(str::trim).collect();
            found.push((before, block.lines().skip(2).map(cells).collect()));
        }
        before = block;
    }
    found
}

fn table(after: &str) -> Vec<Vec<&'static str>> {
    let found = tables_of().into_iter().find(|(before, _)| before.contains(after));
    found.unwrap_or_else(|| panic!("no table after {after:?}")).1
}

fn first(after: &str) -> Vec<&'static str> {
    table(after).iter().map(|row| row[0]).collect()
}

#[test]
fn sections_are_described() {
    let described = first("A section is described by");
    let known: Vec<String> = id::NAMES.iter().map(|(id, _)| id.to_string()).collect();
    assert_eq!(described, known);
}

#[test]
fn columns_of_the_dictionary_are_described() {
    let titles = [
        "Columns of a process",
        "Columns of a file",
        "Columns of a user",
        "Columns of a group",
        "Columns of a container",
    ];
    for (title, names) in titles.iter().zip(tables::names()) {
        let described = table(title);
        assert_eq!(described.iter().map(|row| row[0]).collect::<Vec<_>>(), names, "{title}");
        assert!(described.iter().all(|row| row.len() == 2 && !row[1].is_empty()), "{title}");
    }
}

#[test]
fn encodings_are_described() {
    let described: Vec<u8> = first("Encodings (hex)")
        .iter()
        .flat_map(|cell| cell.split(", "))
        .map(|number| u8::from_str_radix(number, 16).unwrap())
        .collect();
    // Every number that is an encoding reads an empty column, in the bytes that it needs for that.
    let known: Vec<u8> = (0..=255u8)
        .filter(|e| [&[][..], &[0], &[0, 0]].iter().any(|bytes| ints::read(*e, bytes, 0, |_| {}).is_some()))
        .filter(|e| {
            ints::read(*e, &[1; 64], 8, |_| {}).is_some()
                || (0..64).any(|n| ints::read(*e, &[0; 64][..n], 1, |_| {}).is_some())
        })
        .collect();
    assert_eq!(described, known);
}

#[test]
fn spellings_are_described() {
    let kinds = FORMAT.split("Kinds of arguments").nth(1).unwrap();
    let some = &names::ALL[0];
    let lens = [Len::Arg(1), Len::Ret, Len::At(2), Len::Within(3)];
    let with = |make: fn(Len) -> Kind| lens.map(make);
    let all = [
        vec![Kind::Int, Kind::Long, Kind::UInt, Kind::Hex, Kind::Size, Kind::Offset, Kind::Fd, Kind::DirFd],
        vec![Kind::Mode, Kind::Dev, Kind::Pid, Kind::Uid, Kind::Gid, Kind::Signal, Kind::Path, Kind::Str],
        vec![Kind::Flags(some), Kind::Enum(some), Kind::Msghdr, Kind::Strings, Kind::Struct(Struct::Stat)],
        vec![Kind::Environment],
        with(Kind::Bytes).into(),
        with(Kind::Sockaddr).into(),
        with(Kind::Iovec).into(),
        with(Kind::Mmsghdr).into(),
        with(Kind::FdSet).into(),
        with(|l| Kind::Sized(Struct::Stat, l)).into(),
        with(|l| Kind::Array(Struct::Stat, l)).into(),
        with(|l| Kind::Pointers(Struct::Stat, l)).into(),
        with(Kind::Msgbuf).into(),
        with(Kind::Pages).into(),
        with(Kind::Pollfds).into(),
        with(Kind::EpollEvents).into(),
    ];
    for kind in all.concat() {
        let text = kind.to_text();
        let word = text.split('(').next().unwrap();
        let spelled = match kind {
            Kind::Flags(_) | Kind::Enum(_) | Kind::Struct(_) => format!("`{word}(NAME)`"),
            Kind::Sized(..) | Kind::Array(..) | Kind::Pointers(..) => format!("`{word}(NAME,LEN)`"),
            _ if text.contains('(') => format!("`{word}(LEN)`"),
            _ => format!("`{word}`"),
        };
        let row =
            kinds.lines().find(|l| l.starts_with("| `") && l.split('|').nth(1).unwrap().contains(&spelled));
        let row = row.unwrap_or_else(|| panic!("{spelled} is not described"));
        assert_eq!(!row.split('|').nth(3).unwrap().trim().is_empty(), kind.has_item(), "{row}");
    }
    assert!(kinds.contains("| `by(NAME)` |"));
    for (_, name, _) in Ret::PLAIN {
        assert!(FORMAT.contains(&format!("`{name}`")), "{name}");
    }
    let flat = FORMAT.replace('\n', " ");
    for (class, name, _) in Class::NAMES {
        assert!(flat.contains(&format!(" {} {name}", class.0)), "{name}");
    }
    for s in Struct::ALL {
        let said = |end| flat.contains(&format!(" {} {}{end}", s.name(), s.size()));
        assert!([",", ".", " ("].into_iter().any(said), "{}", s.name());
    }
    for (kind, name, _) in FileKind::ALL {
        assert!(flat.contains(&format!(" {} {name}", *kind as u8)), "{name}");
    }
}

#[test]
fn limits_and_numbers_are_described() {
    let flat = FORMAT.replace('\n', " ");
    let mib = |n: usize| format!("{} MiB", n >> 20);
    for text in [
        format!("length of the body, at most {}", mib(frame::MAX_BODY)),
        format!("at most {} and at most the body", mib(frame::MAX_FRONT)),
        format!("sections have at most {} unpacked", mib(frame::MAX_RAW)),
        format!("rows of an event block or a snapshot, at most 2^{}", front::MAX_ROWS.ilog2()),
        format!("the last three at most 2^{}", front::MAX_RUN.ilog2()),
        format!("(each at most 2^{})", front::MAX_ENTRIES.ilog2()),
        format!("strings (at most 2^{})", front::MAX_STRINGS.ilog2()),
        format!("count of sections (at most {})", front::MAX_SECTIONS),
        format!("how many files each has, 1 to {}", fdlist::MOST),
        format!("size of each in bytes (1 to {})", super::gathered::MAX_SIZE),
        format!("All rows together have at most 2^{}", front::MAX_RUN.ilog2()),
        format!("version of the format: {}.", super::VERSION),
        format!("A block is a header of {} bytes", frame::HEADER),
        format!("{} header, {} events, 3 reserved (losses), {} end", kind::HEADER, kind::EVENTS, kind::END),
        format!("{} end, {} snapshot", kind::END, kind::SNAPSHOT),
        format!("{} to {} are rows of snapshots", schema::SNAPSHOT, schema::DESCRIPTOR),
        format!("| {} | `snapshot` |", schema::SNAPSHOT),
        format!("| {} | `process` |", schema::PROCESS),
        format!("| {} | `descriptor` |", schema::DESCRIPTOR),
        format!("({} is `procexit`", schema::PROCEXIT),
        format!("; {} is `lost`", schema::LOST),
        format!("; {} is `switch`, {} `signal`", schema::SWITCH, schema::SIGNAL),
        format!("{} `signaldeliver`, {} `page_fault`", schema::SIGNALDELIVER, schema::PAGE_FAULT),
        format!("operations of io_uring by their numbers plus {0})", schema::URING),
        format!("Codes are below {}", schema::CODES),
        format!("modulo {}.", super::slots::LANES),
    ] {
        assert!(flat.contains(&text), "{text}");
    }
    let sync: Vec<String> = frame::SYNC.iter().map(|b| format!("{b:02x}")).collect();
    assert!(flat.contains(&format!("sync marker: {} hex", sync.join(" "))));
    assert!(flat.contains("0 plain, 1 one LZ4 block") && (frame::PLAIN, frame::LZ4) == (0, 1));
}
