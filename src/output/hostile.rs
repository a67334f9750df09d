//! Whatever stands in a block, every format gives one line an event, and nothing panics.

use proptest::prelude::*;

use super::*;
use crate::batch::{Builder, File, FileKind, Item, L4, Meta, NONE, Proc, Role, Row};
use crate::fields::{FIELDS, Key};
use crate::schema::{Arch, Class, Dir, Kind, Len, Ret, Schema, Shape, Struct, choices, names};

/// Every kind there is; each gets a call of its own.
fn kinds() -> Vec<Kind> {
    let mut all = vec![
        Kind::Int,
        Kind::Long,
        Kind::UInt,
        Kind::Hex,
        Kind::Size,
        Kind::Offset,
        Kind::Fd,
        Kind::DirFd,
        Kind::Mode,
        Kind::Dev,
        Kind::Pid,
        Kind::Uid,
        Kind::Gid,
        Kind::Signal,
        Kind::Path,
        Kind::Str,
        Kind::Msghdr,
        Kind::Strings,
        Kind::Unknown { item: true, refs: 0 },
        Kind::Unknown { item: false, refs: 2 },
    ];
    for len in [Len::Arg(1), Len::Arg(5), Len::Ret, Len::At(0), Len::At(5)] {
        all.extend([
            Kind::Bytes(len),
            Kind::Sockaddr(len),
            Kind::Iovec(len),
            Kind::Pollfds(len),
            Kind::Mmsghdr(len),
            Kind::FdSet(len),
            Kind::EpollEvents(len),
        ]);
        all.extend(Struct::ALL.iter().flat_map(|s| [Kind::Sized(*s, len), Kind::Array(*s, len)]));
    }
    all.extend(choices::ALL.iter().map(|c| Kind::By(c)));
    all.extend(names::ALL.iter().flat_map(|t| [Kind::Flags(t), Kind::Enum(t)]));
    all.extend(Struct::ALL.iter().map(|s| Kind::Struct(*s)));
    all
}

fn schema(arch: Arch, ret: Ret, name: &str) -> Schema {
    let shapes = kinds().into_iter().enumerate().map(|(code, kind)| {
        let args = [kind, Kind::Path, kind].map(|k| (name.to_string(), k, Dir::In));
        Shape::new(code as u16, name, Class(u16::MAX), ret, args)
    });
    Schema::from_shapes(arch, shapes)
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..40),
        prop::collection::vec(any::<u8>(), 100..400),
        // Families of addresses, and names that would like to be lines.
        (0u16..20, prop::collection::vec(any::<u8>(), 0..30)).prop_map(|(family, rest)| [
            &family.to_le_bytes()[..],
            &rest
        ]
        .concat()),
        Just(b"a\nb\x1b[2J\\ \"<>,]}\xff".to_vec()),
        Just(Vec::new()),
    ]
}

fn number() -> impl Strategy<Value = u64> {
    prop_oneof![any::<u64>(), 0u64..300, Just(u64::MAX), Just((-100i64) as u64)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn whatever_stands_in_a_block(
        texts in prop::collection::vec(bytes(), 6),
        words in prop::collection::vec(number(), 3),
        ids in prop::collection::vec(prop_oneof![0u32..8, Just(NONE), any::<u32>()], 12),
        ret in number(),
        (time, latency, flags) in (any::<u64>(), any::<u64>(), 0u16..8),
        which in 0usize..10,
        arm: bool,
        call_name in prop_oneof![Just("openat"), Just("read"), Just("a\nb \u{202e}")],
        kind in 0u8..25,
        kindly: u8,
    ) {
        let schema = schema(if arm { Arch::Aarch64 } else { Arch::X86_64 }, Ret::PLAIN[which].0, call_name);
        let mut b = Builder::new();
        b.set_meta(Meta { boot: time / 2, wall: time, start_time: latency, ..Meta::default() });
        for text in &texts {
            b.string(text);
        }
        let mut file = File {
            kind: FileKind::from_number(kind),
            role: [Role::Unknown, Role::Client, Role::Server][usize::from(kindly % 3)],
            l4: [L4::Unknown, L4::Tcp, L4::Udp, L4::Icmp, L4::Raw][usize::from(kindly % 5)],
            name: ids[0],
            given: ids[1],
            ino: words[0],
            flags: u32::from(kindly),
            ..File::default()
        };
        b.file(file);
        file.name = NONE;
        b.file(file);
        // Its own parent, if chance has it so.
        b.proc(Proc { parent: ids[2], comm: ids[3], args: ids[4], cwd: ids[5], user: ids[6], ..Proc::default() });
        b.proc(Proc {
            parent: 1,
            comm: ids[3],
            start: time,
            login: ids[8],
            leader: ids[2],
            group_leader: ids[9],
            stdio: [ids[10], ids[11], ids[0]],
            exe_ctime: latency,
            caps: [ret, words[0], words[1]],
            env: ids[1],
            flags: words[2] as u32,
            ..Proc::default()
        });
        for shape in schema.shapes().filter(|s| s.described).chain(schema.shapes().rev().take(1)) {
            let row = Row {
                num: ret,
                time,
                latency,
                call: shape.code,
                proc: ids[7],
                ret: ret as i64,
                flags,
                ..Row::default()
            };
            let items: Vec<Item> = (0..usize::from(shape.items)).map(|i| Item(ids[(i + 8) % 12])).collect();
            let refs: Vec<u32> = (0..usize::from(shape.refs)).map(|i| ids[(i + 2) % 12]).collect();
            let words: Vec<u64> = words.iter().copied().cycle().take(shape.words()).collect();
            // Runs that are too short too.
            let short = usize::from(kindly % 4 == 0);
            b.push(row, &words[short..], &items[short.min(items.len())..], &refs[short.min(refs.len())..]);
        }
        let batch = b.view(&schema);
        let template = FIELDS.iter().map(|f| match f.takes {
            crate::fields::Takes::NameOrIndex | crate::fields::Takes::Index => format!("%{{{}[1]}}", f.name),
            _ => format!("%9{{{}}}", f.name),
        });
        let template = template.collect::<String>();
        let mut formats = [
            Format::text(TextOptions::default()),
            Format::json(JsonOptions::default()),
            Format::Template(Template::parse(&template).unwrap()),
        ];
        for format in &mut formats {
            for row in 0..batch.rows + 1 {
                let mut out = Vec::new();
                format.render(&batch, row, &mut out);
                let line = String::from_utf8(out).unwrap();
                prop_assert!(line.ends_with('\n'));
                let harmful = |c: char| c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
                prop_assert!(!line[..line.len() - 1].contains(harmful), "{line:?}");
                if matches!(format, Format::Json(_)) {
                    let parsed: Result<serde_json::Value, _> = serde_json::from_str(&line);
                    prop_assert!(parsed.is_ok(), "{line}");
                }
            }
        }
        for f in FIELDS {
            for row in 0..batch.rows {
                f.value(&batch, row, &Key::Index(kind.into()));
                f.value(&batch, row, &Key::Name(call_name.into()));
            }
        }
    }
}
