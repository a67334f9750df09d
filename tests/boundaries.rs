//! Who may know what: data flows one way, and each foreign library has one owner.

use std::fs;
use std::path::{Path, PathBuf};

/// Every source file: its path below `src`, and its code without comment lines.
fn sources() -> Vec<(String, String)> {
    fn walk(dir: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|e| e == "rs") {
                found.push(path);
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    walk(&root, &mut found);
    let code = |path: &Path| {
        let text = fs::read_to_string(path).unwrap();
        text.lines().filter(|l| !l.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
    };
    found.iter().map(|p| (p.strip_prefix(&root).unwrap().to_str().unwrap().to_owned(), code(p))).collect()
}

/// True if the code names this module or crate in a path.
fn names(code: &str, name: &str) -> bool {
    let path = format!("{name}::");
    code.match_indices(&path).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || c == '_')
    })
}

#[test]
fn each_library_has_one_owner() {
    let owners: &[(&str, &[&str])] = &[
        ("clap", &["cli.rs", "cli/", "manual.rs"]),
        ("clap_complete", &["manual.rs"]),
        ("clap_mangen", &["manual.rs"]),
        ("owo_colors", &["output/"]),
        ("aya", &["source/"]),
        ("pest", &["filter/"]),
        ("regex_automata", &["filter/"]),
        ("regex_syntax", &["filter/"]),
        ("aho_corasick", &["filter/"]),
        ("lz4_flex", &["reel/"]),
        ("crc32fast", &["reel/"]),
        ("process::exit", &["main.rs"]),
    ];
    for (path, code) in sources() {
        for (library, owned) in owners {
            let mine = owned.iter().any(|o| path == *o || (o.ends_with('/') && path.starts_with(o)));
            assert!(
                mine || !(names(&code, library) || code.contains(&format!("{library}("))),
                "{path} uses {library}"
            );
        }
    }
}

#[test]
fn imports_point_down_the_flow() {
    // What a stage must not know of: everything that comes after it, and for readers of a batch the live engine as well.
    let forbidden: &[(&str, &[&str])] = &[
        (
            "schema",
            &["batch", "source", "decode", "state", "fields", "filter", "output", "reel", "cli", "config"],
        ),
        (
            "container",
            &["batch", "source", "decode", "state", "fields", "filter", "output", "reel", "cli", "config"],
        ),
        ("batch", &["source", "decode", "state", "fields", "filter", "output", "reel", "cli", "config"]),
        ("source", &["batch", "decode", "state", "fields", "filter", "output", "reel", "cli", "config"]),
        ("decode", &["batch", "state", "fields", "filter", "output", "reel", "cli", "config"]),
        ("state", &["fields", "filter", "output", "reel", "cli", "config"]),
        ("fields", &["source", "decode", "state", "filter", "output", "reel", "cli", "config"]),
        ("filter", &["source", "decode", "state", "output", "reel", "cli"]),
        ("output", &["source", "decode", "state", "filter", "reel", "cli"]),
        ("reel", &["source", "decode", "state", "filter", "output", "cli"]),
    ];
    for (path, code) in sources() {
        for (stage, others) in forbidden {
            if !(path.starts_with(&format!("{stage}/")) || path == format!("{stage}.rs")) {
                continue;
            }
            for other in *others {
                assert!(!names(&code, &format!("crate::{other}")), "{path} imports {other}");
            }
        }
    }
}
