//! The filter against a second one: a plain recursive evaluator that looks at one event after the other, shares no code
//! with the real one but the fields' values, and is slow. Random filters over recorded and over random batches.

use std::net::IpAddr;

use sysreel::batch::{
    Batch, Bitmap, Builder, Columns, File, FileKind, Item, Meta, NO_LATENCY, NONE, Proc, Row,
};
use sysreel::fields::{self, FIELDS, Field, Key, Takes, Type, Value};
use sysreel::filter::{Filter, Verdicts};
use sysreel::reel::{Block, Reader};
use sysreel::schema::{Arch, Kind, Schema};

struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % n.max(1)
    }

    fn one<'t, T>(&mut self, of: &'t [T]) -> &'t T {
        &of[self.below(of.len())]
    }
}

/// A constant, with its meaning.
#[derive(Clone, Debug)]
enum Constant {
    Text(Vec<u8>),
    /// Letters, any run, any one.
    Pattern(Vec<Piece>),
    Range(i128, i128),
    Net(IpAddr, u32),
    Bool(bool),
}

#[derive(Clone, Debug)]
enum Piece {
    Run,
    One,
    Byte(u8),
}

#[derive(Clone)]
struct Left {
    transformer: Option<&'static str>,
    field: &'static Field,
    key: Key,
}

#[derive(Clone)]
enum Tree {
    And(Vec<Tree>),
    Or(Vec<Tree>),
    Not(Box<Tree>),
    Test { left: Left, op: &'static str, mode: Option<&'static str>, constants: Vec<Constant> },
    With { left: Left, op: &'static str, right: Left },
    Flag { key: Key, name: &'static str },
}

// --- as text ---

fn quoted(bytes: &[u8]) -> String {
    format!("'{}'", bytes.escape_ascii())
}

fn key_text(key: &Key) -> String {
    match key {
        Key::None => String::new(),
        Key::Index(n) => format!("[{n}]"),
        Key::Name(name) => format!("[{name}]"),
    }
}

impl Left {
    fn text(&self) -> String {
        let field = format!("{}{}", self.field.name, key_text(&self.key));
        match self.transformer {
            Some(t) => format!("{t}({field})"),
            None => field,
        }
    }
}

fn constant_text(op: &str, ty: Type, constant: &Constant) -> String {
    match constant {
        Constant::Text(t) if matches!(op, "bcontains" | "bstartswith") => {
            t.iter().map(|b| format!("{b:02x}")).collect()
        }
        Constant::Text(t) => quoted(t),
        Constant::Pattern(pieces) => {
            let mut out = Vec::new();
            for piece in pieces {
                match (piece, op) {
                    (Piece::Run, "regex") => out.extend(b".*"),
                    (Piece::Run, _) => out.push(b'*'),
                    (Piece::One, "regex") => out.push(b'.'),
                    (Piece::One, _) => out.push(b'?'),
                    (Piece::Byte(b), _) => {
                        if b"\\.+*?()|[]{}^$".contains(b) {
                            out.push(b'\\');
                        }
                        out.push(*b);
                    }
                }
            }
            quoted(&out)
        }
        Constant::Range(a, b) if a == b => a.to_string(),
        Constant::Range(a, b) if *b == i128::MAX => format!("{a}.."),
        Constant::Range(a, b) => format!("{a}..{b}"),
        Constant::Net(ip, bits) if *bits == if ip.is_ipv4() { 32 } else { 128 } => ip.to_string(),
        Constant::Net(ip, bits) => format!("{ip}/{bits}"),
        Constant::Bool(b) => {
            assert_eq!(ty, Type::Bool);
            b.to_string()
        }
    }
}

impl Tree {
    fn text(&self) -> String {
        let list = |parts: &[Tree], word: &str| {
            let parts: Vec<String> = parts.iter().map(|p| format!("({})", p.text())).collect();
            parts.join(&format!(" {word} "))
        };
        match self {
            Tree::And(parts) => list(parts, "and"),
            Tree::Or(parts) => list(parts, "or"),
            Tree::Not(inner) => format!("not ({})", inner.text()),
            Tree::With { left, op, right } if right.transformer.is_none() => {
                format!("{} {op} val({})", left.text(), right.text())
            }
            Tree::With { left, op, right } => format!("{} {op} {}", left.text(), right.text()),
            Tree::Flag { key, name } => format!("evt.arg{} has {name}", key_text(key)),
            Tree::Test { left, op: "exists", .. } => format!("{} exists", left.text()),
            Tree::Test { left, op, mode, constants } => {
                let all: Vec<String> =
                    constants.iter().map(|c| constant_text(op, left.field.ty, c)).collect();
                let list = mode.is_some() || matches!(*op, "in" | "intersects" | "pmatch");
                let right = if list { format!("({})", all.join(", ")) } else { all.join(", ") };
                format!("{} {op} {} {right}", left.text(), mode.unwrap_or_default())
            }
        }
    }
}

// --- the plain evaluator ---

fn flat(value: Value<'_>, out: &mut Vec<Value<'static>>) {
    match value {
        Value::None => {}
        Value::Any(all) => all.into_iter().for_each(|v| flat(v, out)),
        Value::Text(t) => out.push(Value::Text(t.into_owned().into())),
        Value::Bool(b) => out.push(Value::Bool(b)),
        Value::Int(n) => out.push(Value::Int(n)),
        Value::UInt(n) => out.push(Value::UInt(n)),
        Value::Ip(ip) => out.push(Value::Ip(ip)),
    }
}

/// Every value that the left side has; none if it is missing.
fn values(left: &Left, batch: &Batch<'_>, row: usize) -> Vec<Value<'static>> {
    let mut all = Vec::new();
    flat(left.field.value(batch, row, &left.key), &mut all);
    let Some(transformer) = left.transformer else { return all };
    let each = all.into_iter().filter_map(|value| {
        let Value::Text(text) = value else { return None };
        Some(match transformer {
            "tolower" => Value::Text(text.iter().map(u8::to_ascii_lowercase).collect::<Vec<_>>().into()),
            "toupper" => Value::Text(text.iter().map(u8::to_ascii_uppercase).collect::<Vec<_>>().into()),
            "basename" => Value::Text(text.rsplit(|b| *b == b'/').next().unwrap().to_vec().into()),
            "len" => Value::UInt(text.len() as u64),
            other => panic!("{other}"),
        })
    });
    each.collect()
}

fn number(value: &Value<'_>) -> Option<i128> {
    match value {
        Value::Int(n) => Some(i128::from(*n)),
        Value::UInt(n) => Some(i128::from(*n)),
        _ => None,
    }
}

fn matches(pieces: &[Piece], text: &[u8], fold: bool) -> bool {
    match (pieces.split_first(), text.split_first()) {
        (None, rest) => rest.is_none(),
        (Some((Piece::Run, more)), _) => (0..=text.len()).any(|at| matches(more, &text[at..], fold)),
        (Some(_), None) => false,
        (Some((Piece::One, more)), Some((_, rest))) => matches(more, rest, fold),
        (Some((Piece::Byte(want), more)), Some((byte, rest))) => {
            (want == byte || fold && want.eq_ignore_ascii_case(byte)) && matches(more, rest, fold)
        }
    }
}

fn components(path: &[u8]) -> Vec<&[u8]> {
    let end = path.iter().rposition(|b| *b != b'/').map_or(0, |at| at + 1);
    path[..end].split(|b| *b == b'/').collect()
}

fn find(text: &[u8], what: &[u8]) -> bool {
    (0..=text.len()).any(|at| text[at..].starts_with(what))
}

fn fits(op: &str, value: &Value<'_>, constant: &Constant) -> bool {
    match (value, constant) {
        (Value::Text(text), Constant::Text(with)) => match op {
            "=" | "!=" | "in" | "intersects" => **text == **with,
            "<" => **text < **with,
            "<=" => **text <= **with,
            ">" => **text > **with,
            ">=" => **text >= **with,
            "contains" | "bcontains" => find(text, with),
            "icontains" => find(&text.to_ascii_lowercase(), &with.to_ascii_lowercase()),
            "startswith" | "bstartswith" => text.starts_with(with),
            "endswith" => text.ends_with(with),
            "pmatch" => components(text).starts_with(&components(with)),
            other => panic!("{other}"),
        },
        (Value::Text(text), Constant::Pattern(pieces)) => matches(pieces, text, op == "iglob"),
        (Value::Bool(a), Constant::Bool(b)) => a == b,
        (Value::Ip(ip), Constant::Net(net, bits)) => {
            let raw = |ip: IpAddr| match ip.to_canonical() {
                IpAddr::V4(ip) => ip.octets().to_vec(),
                IpAddr::V6(ip) => ip.octets().to_vec(),
            };
            let (a, b) = (raw(*ip), raw(*net));
            let bit = |bytes: &[u8], i: u32| bytes[i as usize / 8] >> (7 - i % 8) & 1;
            a.len() == b.len() && (0..*bits).all(|i| bit(&a, i) == bit(&b, i))
        }
        (value, Constant::Range(low, high)) => {
            let n = number(value).unwrap();
            match op {
                "<" => n < *low,
                "<=" => n <= *low,
                ">" => n > *low,
                ">=" => n >= *low,
                _ => *low <= n && n <= *high,
            }
        }
        other => panic!("{other:?}"),
    }
}

fn related(op: &str, a: &Value<'_>, b: &Value<'_>) -> bool {
    if let (Value::Text(_), Value::Text(b)) = (a, b) {
        return fits(op, a, &Constant::Text(b.to_vec()));
    }
    if let (Some(_), Some(b)) = (number(a), number(b)) {
        return fits(op, a, &Constant::Range(b, b));
    }
    a == b
}

fn holds(tree: &Tree, batch: &Batch<'_>, row: usize) -> bool {
    match tree {
        Tree::And(parts) => parts.iter().all(|p| holds(p, batch, row)),
        Tree::Or(parts) => parts.iter().any(|p| holds(p, batch, row)),
        Tree::Not(inner) => !holds(inner, batch, row),
        Tree::Test { left, op, mode, constants } => {
            let values = values(left, batch, row);
            if values.is_empty() || *op == "exists" {
                return !values.is_empty();
            }
            let hits =
                constants.iter().filter(|c| values.iter().any(|v| fits(op, v, c)) != (*op == "!=")).count();
            match *mode {
                Some("oneof") => hits == 1,
                Some("allof") => hits == constants.len(),
                _ => hits > 0,
            }
        }
        Tree::With { left, op, right } => {
            let (a, b) = (values(left, batch, row), values(right, batch, row));
            let equal = a.iter().any(|a| b.iter().any(|b| related(op, a, b)));
            !a.is_empty() && !b.is_empty() && equal != (*op == "!=")
        }
        Tree::Flag { key: Key::Name(name), name: flag } => {
            let Some((i, arg)) = batch.shape_of(row).arg(name) else { return false };
            let Kind::Flags(table) = arg.kind else { return false };
            let Some(bits) = table.value_of(flag) else { return false };
            // Where a part of the word is one of several values, its bits are no flags of their own.
            let look = if bits & !table.mask == 0 && table.mask != 0 { table.mask } else { bits };
            fields::args::arg(batch, row, i).is_some() && batch.words_of(row)[i] & look == bits
        }
        Tree::Flag { .. } => unreachable!("flags are asked by name"),
    }
}

// --- random filters whose constants come from the batch ---

const FLAGS: &[&str] = &["O_CREAT", "O_CLOEXEC", "O_DIRECTORY", "O_NONBLOCK", "MAP_PRIVATE", "MAP_FIXED"];

fn left(random: &mut Random, batch: &Batch<'_>, row: usize) -> Left {
    let field = random.one(FIELDS);
    let args = &batch.shape_of(row).args;
    let index = Key::Index(random.below(4));
    let key = match field.takes {
        Takes::Nothing => Key::None,
        Takes::NameOrIndex if args.is_empty() => Key::Index(0),
        Takes::NameOrIndex if random.below(3) > 0 => Key::Name(random.one(args).name.to_string()),
        Takes::OptionalIndex if random.below(2) == 0 => Key::None,
        _ => index,
    };
    let text = matches!(field.ty, Type::Text | Type::Path | Type::Bytes | Type::CallName | Type::ErrnoName);
    let transformer =
        (text && random.below(5) == 0).then(|| *random.one(&["tolower", "toupper", "basename", "len"]));
    Left { transformer, field, key }
}

/// A constant near a value.
fn near(random: &mut Random, op: &str, value: &Value<'_>) -> Option<Constant> {
    Some(match value {
        Value::Text(text) => {
            let text: Vec<u8> = text.iter().copied().take(40).collect();
            if matches!(op, "glob" | "iglob" | "regex") {
                let mut pieces = Vec::new();
                for byte in text {
                    // Outside of ASCII one letter is several bytes to the pattern's reader.
                    match random.below(8) {
                        0 => pieces.push(Piece::Run),
                        1 => pieces.push(Piece::One),
                        _ if !byte.is_ascii_graphic() => pieces.push(Piece::One),
                        _ => pieces.push(Piece::Byte(byte)),
                    }
                }
                // Runs side by side are dear for the plain matcher.
                let mut runs = 0;
                pieces.retain(|p| {
                    !matches!(p, Piece::Run) || {
                        runs += 1;
                        runs <= 3
                    }
                });
                return Some(Constant::Pattern(pieces));
            }
            let (from, to) = match op {
                "contains" | "icontains" | "bcontains" => (random.below(3), 3 + random.below(8)),
                "startswith" | "bstartswith" => (0, 1 + random.below(6)),
                "endswith" => (text.len().saturating_sub(1 + random.below(6)), text.len()),
                "pmatch" => (0, text.len().saturating_sub(random.below(12))),
                _ => (0, text.len()),
            };
            let mut part = text.get(from..to.min(text.len())).unwrap_or(&text).to_vec();
            if op == "icontains" {
                part.make_ascii_uppercase();
            }
            if op == "pmatch" && part.iter().any(|b| b"*?[\\".contains(b)) || part.is_empty() && op != "=" {
                return None;
            }
            Constant::Text(part)
        }
        Value::Bool(_) => Constant::Bool(random.below(2) == 0),
        Value::Ip(ip) => {
            Constant::Net(*ip, *random.one(if ip.is_ipv4() { &[8, 24, 32] } else { &[10, 64, 128] }))
        }
        value => {
            let n = number(value)? + random.below(3) as i128 - 1;
            match (random.below(3), op) {
                (0, "in" | "intersects") => Constant::Range(n, n + random.below(100) as i128),
                (1, "in" | "intersects") => Constant::Range(n, i128::MAX),
                _ => Constant::Range(n, n),
            }
        }
    })
}

fn leaf(random: &mut Random, batch: &Batch<'_>) -> Option<Tree> {
    let row = random.below(batch.rows);
    if random.below(30) == 0 {
        return Some(Tree::Flag { key: Key::Name("flags".into()), name: FLAGS[random.below(FLAGS.len())] });
    }
    let left_side = left(random, batch, row);
    let there = values(&left_side, batch, row);
    let ops: &[&str] = match there.first() {
        None => &["exists"],
        Some(Value::Text(_)) => &[
            "=",
            "!=",
            "<",
            "<=",
            ">",
            ">=",
            "contains",
            "icontains",
            "bcontains",
            "startswith",
            "bstartswith",
            "endswith",
            "glob",
            "iglob",
            "regex",
            "in",
            "intersects",
            "pmatch",
            "exists",
        ],
        Some(Value::Bool(_) | Value::Ip(_)) => &["=", "!=", "in", "exists"],
        Some(_) => &["=", "!=", "<", "<=", ">", ">=", "in", "intersects", "exists"],
    };
    let op = *random.one(ops);
    if random.below(8) == 0 && matches!(op, "=" | "!=" | "<" | ">=" | "contains" | "startswith" | "endswith")
    {
        let right = left(random, batch, row);
        return Some(Tree::With { left: left_side, op, right });
    }
    let list = matches!(op, "in" | "intersects" | "pmatch");
    let order = matches!(op, "<" | "<=" | ">" | ">=");
    let mode = (!list && !order && op != "exists" && random.below(3) == 0)
        .then(|| *random.one(&["oneof", "anyof", "allof"]));
    let count = if list || mode.is_some() { 1 + random.below(5) } else { 1 };
    let mut constants = Vec::new();
    while op != "exists" && constants.len() < count {
        // From this row and from others.
        let from =
            values(&left_side, batch, if random.below(2) == 0 { row } else { random.below(batch.rows) });
        let value = if from.is_empty() { &there } else { &from };
        let value = random.one(value).clone();
        constants.push(near(random, op, &value)?);
    }
    Some(Tree::Test { left: left_side, op, mode, constants })
}

fn tree(random: &mut Random, leaves: &mut impl FnMut(&mut Random) -> Tree, depth: usize) -> Tree {
    match if depth == 0 { 9 } else { random.below(6) } {
        0 => Tree::Not(Box::new(tree(random, leaves, depth - 1))),
        n @ (1 | 2) => {
            let parts = (0..2 + random.below(2)).map(|_| tree(random, leaves, depth - 1)).collect();
            if n == 1 { Tree::And(parts) } else { Tree::Or(parts) }
        }
        _ => leaves(random),
    }
}

/// Compares the two on random filters; gives how many filters there were and how many rows fitted.
fn compare(batch: &Batch<'_>, schema: &Schema, random: &mut Random, filters: usize) -> (usize, usize) {
    let (mut refused, mut matched) = (0, 0);
    // Some are refused, and rightly: a pattern that no call's name fits, fields of two types.
    let mut leaves = |random: &mut Random| loop {
        let Some(leaf) = leaf(random, batch) else { continue };
        match Filter::parse(&leaf.text(), schema) {
            Ok(_) => return leaf,
            Err(_) => refused += 1,
        }
        assert!(refused < 200 + filters * 20, "{}", leaf.text());
    };
    for _ in 0..filters {
        let tree = tree(random, &mut leaves, 3);
        let text = tree.text();
        let filter = match Filter::parse(&text, schema) {
            Ok(filter) => filter,
            Err(errors) => panic!("{}", errors.render(&text)),
        };
        let mut rows = Bitmap::default();
        filter.select(&mut Verdicts::default(), batch, 0..batch.rows, &mut rows);
        for row in 0..batch.rows {
            let want = holds(&tree, batch, row);
            assert_eq!(rows.get(row), want, "row {row} of {text}");
            assert_eq!(filter.matches(batch, row), want, "row {row} of {text}");
            if want {
                matched += 1;
                assert!(filter.codes().has(batch.call[row]), "{text}");
                assert!(filter.bounds().allow(batch, row), "{text}: {:?}", filter.bounds());
                assert!(batch.proc.get(row).is_none_or(|p| filter.may_run(&batch.dict, *p)), "{text}");
            }
        }
    }
    (filters, matched)
}

#[test]
fn agree_over_recorded_batches() {
    let mut random = Random(7);
    let (mut filters, mut matched) = (0, 0);
    for name in ["cat", "hostile", "refused", "shell"] {
        let path = format!("{}/testdata/reels/{name}.reel", env!("CARGO_MANIFEST_DIR"));
        let mut reader = Reader::new(std::fs::File::open(path).unwrap()).unwrap();
        let schema = reader.schema().clone();
        while let Some(block) = reader.next().unwrap() {
            let Block::Event(mut block) = block else { continue };
            block.load(Columns::ALL).unwrap();
            let (f, m) = compare(&block.view(&schema), &schema, &mut random, 400);
            filters += f;
            matched += m;
        }
    }
    assert!(filters >= 1600 && matched > filters, "{filters} filters, {matched} rows");
}

/// A block of rows that make little sense: whatever the schema allows.
fn made_up(random: &mut Random, schema: &Schema) -> Builder {
    const TEXTS: &[&[u8]] =
        &[b"cat", b"nginx", b"", b"/etc/passwd", b"/etc/ssh/", b"a\xffb\nc", b"/", b"/tmp/../x", b"init"];
    let mut block = Builder::new();
    let strings: Vec<u32> = TEXTS.iter().map(|t| block.string(t)).collect();
    let string = |random: &mut Random| if random.below(5) == 0 { NONE } else { *random.one(&strings) };
    for i in 0..8u32 {
        let parent = if i == 0 || random.below(4) == 0 { NONE } else { random.below(i as usize) as u32 };
        let entry = Proc {
            pid: 1 + random.below(9) as u32,
            ppid: random.below(9) as u32,
            parent,
            comm: string(random),
            exepath: string(random),
            args: string(random),
            cwd: string(random),
            uid: if random.below(3) == 0 { NONE } else { random.below(3) as u32 },
            start: random.below(3) as u64 * 1000,
            ..Proc::default()
        };
        block.proc(entry);
    }
    for i in 0..8 {
        let mut laddr = [0; 16];
        (laddr[0], laddr[3]) = (10, random.below(5) as u8);
        block.file(File {
            kind: FileKind::ALL[random.below(FileKind::ALL.len())].0,
            name: string(random),
            laddr,
            raddr: laddr,
            lport: 80 + i,
            rport: random.below(3) as u16,
            flags: random.below(16) as u32,
            ino: random.below(3) as u64,
            ..File::default()
        });
    }
    let codes: Vec<u16> = schema.named().map(|s| s.code).collect();
    for num in 0..96u64 {
        let shape = schema.shape(*random.one(&codes));
        let words: Vec<u64> = (0..shape.words())
            .map(|_| *random.one(&[0, 1, 3, 0o100, 0o2000101, 4096, u64::MAX, 0xffff_ff9c]))
            .collect();
        let items: Vec<Item> = (0..shape.items)
            .map(|_| match random.below(4) {
                0 => Item::ABSENT,
                1 => Item::UNREADABLE,
                _ => Item::new(*random.one(&strings), random.below(4) == 0),
            })
            .collect();
        let refs: Vec<u32> = (0..shape.refs)
            .map(|_| if random.below(4) == 0 { NONE } else { random.below(8) as u32 })
            .collect();
        let row = Row {
            num: num + 1,
            time: 5000 + num * 100,
            delta: num % 7 * 50,
            latency: if random.below(3) == 0 { NO_LATENCY } else { random.below(90_000) as u64 },
            call: shape.code,
            cpu: random.below(3) as u16,
            tid: 1 + random.below(9) as u32,
            proc: if random.below(9) == 0 { NONE } else { random.below(8) as u32 },
            ret: *random.one(&[0, 1, 3, 4096, -2, -11, -13, -512, -4095, -4096, i64::MIN, i64::MAX]),
            flags: random.below(8) as u16,
        };
        block.push(row, &words, &items, &refs);
    }
    block.set_meta(Meta { start_time: 4000, boot: 5000, wall: 1_700_000_000_000_000_000, ..Meta::default() });
    block
}

#[test]
fn agree_over_random_batches() {
    let schema = Schema::native(Arch::X86_64);
    let mut random = Random(11);
    let (mut filters, mut matched) = (0, 0);
    for _ in 0..40 {
        let block = made_up(&mut random, &schema);
        let (f, m) = compare(&block.view(&schema), &schema, &mut random, 50);
        filters += f;
        matched += m;
    }
    assert!(filters >= 2000 && matched > filters, "{filters} filters, {matched} rows");
}
