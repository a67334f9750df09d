//! Filters that must be accepted and filters that must not, one a line, with what becomes of them.

use std::fmt::Write as _;

use super::world::{good, parse, schema};

fn lines(kind: &str) -> Vec<(String, Vec<String>)> {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/filters/");
    let mut files: Vec<_> =
        std::fs::read_dir(format!("{root}{kind}")).unwrap().map(|f| f.unwrap().path()).collect();
    files.sort();
    let read = |p: &std::path::PathBuf| {
        let name = p.file_stem().unwrap().to_string_lossy().into_owned();
        (name, std::fs::read_to_string(p).unwrap().lines().map(str::to_owned).collect())
    };
    files.iter().map(read).collect()
}

#[test]
fn accepted() {
    let mut count = 0;
    for (name, filters) in lines("accept") {
        let mut out = String::new();
        for text in filters {
            count += 1;
            let filter = good(&text);
            let _ = writeln!(out, "{text}\n    {:?}\n    codes {:?}", filter.node, filter.codes());
        }
        insta::assert_snapshot!(format!("accept_{name}"), out);
    }
    assert!(count >= 200, "{count}");
}

#[test]
fn rejected() {
    let mut count = 0;
    for (name, filters) in lines("reject") {
        let mut out = String::new();
        for text in filters {
            count += 1;
            match parse(&text) {
                Ok(filter) => panic!("accepted: {text}\n{:?}", filter.node),
                Err(errors) => {
                    let _ = writeln!(out, "{}", errors.render(&text));
                }
            }
        }
        insta::assert_snapshot!(format!("reject_{name}"), out);
    }
    assert!(count >= 200, "{count}");
}

#[test]
fn explained() {
    let schema = schema();
    let mut out = String::new();
    for text in [
        "",
        "evt.type in (open, openat) and fd.name startswith /etc and not proc.name = cat",
        "fd.name != /etc/passwd or evt.latency > 10ms",
        "evt.type = read and evt.type = write",
        "evt.type != read and proc.aname[2] exists",
        "not (evt.failed or proc.pid in (1, 2))",
        "evt.res in (ENOENT, EACCES) and evt.latency > 10ms and proc.pid = 4711",
        "proc.pid in (1, 2) and evt.rawres < -3 or proc.pid = 7 and evt.rawres = -3",
        "evt.res = SUCCESS and len(proc.name) > 5 and proc.name != val(proc.aname[1])",
        "evt.arg.flags has O_CREAT",
        "evt.arg.flags = O_CREAT or evt.arg.fd = 3 or proc.name = proc.aname or proc.name regex cat.*",
    ] {
        let _ = writeln!(out, "$ {text}\n{}", good(text).explain(&schema));
    }
    insta::assert_snapshot!(out);
}

#[test]
fn examples_of_the_real_table_compile() {
    use crate::schema::{Arch, Schema};
    let schema = Schema::native(Arch::X86_64);
    for field in crate::fields::FIELDS {
        if let Err(errors) = super::super::Filter::parse(field.example, &schema) {
            panic!("{}", errors.render(field.example));
        }
    }
}
