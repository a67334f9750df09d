//! Snapshots over recorded reels: one line a case, `name  fixture  arguments`.
//!
//! The fixtures are real runs (`testdata/record` makes them anew, `testdata/README.md` says how). Time zone, environment
//! and streams are fixed, so the output is the same everywhere.

use std::process::{Command, Stdio};

/// `name | fixture | arguments, one a word, quoted as a shell would`.
const CASES: &[(&str, &str, &[&str])] = &[
    ("cat_text", "cat", &["evt.class = file"]),
    ("cat_json", "cat", &["-j", "proc.name = cat and fd.name endswith words"]),
    ("cat_epoch", "cat", &["-tt", "evt.type in (openat, exit_group)"]),
    ("cat_delta", "cat", &["-ttt", "evt.type in (openat, read, write)"]),
    ("cat_date", "cat", &["-tttt", "-c", "3"]),
    ("cat_no_time", "cat", &["-t", "evt.buflen > 0"]),
    (
        "cat_template",
        "cat",
        &["-p", "%evt.num %evt.type %evt.res %{fd.name} %proc.cwd %user.name", "fd.name exists"],
    ),
    ("cat_missing_value", "cat", &["-p", "%evt.type [%fd.name]", "evt.failed = true"]),
    (
        "cat_relative_path",
        "cat",
        &["-p", "%evt.type %fs.path.nameraw %fs.path.name %fd.name", "fs.path.nameraw = words"],
    ),
    ("cat_all", "cat", &[]),
    ("shell_life", "shell", &["evt.type in (execve, clone, vfork, fork, wait4, exit_group, procexit)"]),
    ("shell_pipe", "shell", &["fd.type = pipe"]),
    (
        "shell_parents",
        "shell",
        &["-p", "%proc.pname %proc.name %proc.pid %proc.cmdline", "evt.type = execve"],
    ),
    ("shell_killed", "shell", &["-j", "evt.type = procexit"]),
    (
        "shell_chdir",
        "shell",
        &["-p", "%evt.num %evt.type %proc.cwd", "evt.type = chdir or evt.type = getcwd"],
    ),
    ("refused_failed", "refused", &["evt.failed = true and evt.class = net"]),
    ("refused_json", "refused", &["-j", "evt.type in (socket, connect)"]),
    (
        "refused_tuple",
        "refused",
        &["-p", "%fd.type %fd.l4proto %fd.rip %fd.rport %fd.sip %fd.sport %fd.cip %evt.res", "fd.rport = 1"],
    ),
    ("hostile_text", "hostile", &["evt.type = openat and fs.path.nameraw startswith hostile"]),
    ("hostile_json", "hostile", &["-j", "evt.type = openat and fs.path.nameraw startswith hostile/"]),
    ("nothing_matches", "cat", &["proc.name = nobody"]),
    ("bad_filter", "cat", &["proc.nmae = cat and evt.type = opennat"]),
    ("explained", "cat", &["-d", "evt.type = openat and (proc.name = cat or evt.latency > 1ms)"]),
];

fn sysreel(args: &[&str], fixture: &str) -> String {
    let out = Command::new(env!("CARGO_BIN_EXE_sysreel"))
        .args(["-r", &format!("testdata/reels/{fixture}.reel")])
        .args(args)
        .env_clear()
        .env("TZ", "UTC")
        .stdin(Stdio::null())
        .output()
        .expect("sysreel runs");
    format!(
        "$ sysreel -r {fixture}.reel {}\n{}--- stderr\n{}--- status {}\n",
        args.iter()
            .map(|a| if a.contains(' ') { format!("'{a}'") } else { a.to_string() })
            .collect::<Vec<_>>()
            .join(" "),
        String::from_utf8_lossy(&out.stdout),
        String::from_utf8_lossy(&out.stderr),
        out.status.code().unwrap_or(-1),
    )
}

#[test]
fn recorded_reels_print_as_they_always_have() {
    for (name, fixture, args) in CASES {
        insta::assert_snapshot!(*name, sysreel(args, fixture));
    }
}

#[test]
fn every_json_line_of_every_fixture_parses() {
    for fixture in ["cat", "shell", "refused", "hostile"] {
        let out = Command::new(env!("CARGO_BIN_EXE_sysreel"))
            .args(["-r", &format!("testdata/reels/{fixture}.reel"), "-j"])
            .output()
            .expect("sysreel runs");
        let lines: Vec<&[u8]> = out.stdout.split(|b| *b == b'\n').filter(|l| !l.is_empty()).collect();
        assert!(lines.len() > 40, "{fixture} has {} lines", lines.len());
        for line in &lines {
            let value: serde_json::Value = serde_json::from_slice(line).expect("an object a line");
            assert!(value.is_object());
        }
        let last: serde_json::Value = serde_json::from_slice(lines[lines.len() - 1]).expect("the end");
        assert_eq!(last["type"], "end");
        assert_eq!(last["matched"], lines.len() as u64 - 1);
    }
}

#[test]
fn a_rewritten_reel_prints_the_same() {
    let dir = tempfile::tempdir().expect("a directory");
    let copy = dir.path().join("copy.reel");
    let run = |args: &[&std::ffi::OsStr]| {
        Command::new(env!("CARGO_BIN_EXE_sysreel"))
            .args(args)
            .env("TZ", "UTC")
            .output()
            .expect("sysreel runs")
    };
    let filter = "fd.name startswith /etc or evt.class = process";
    let original = "testdata/reels/shell.reel".as_ref();
    let written = run(&["-r".as_ref(), original, "-w".as_ref(), copy.as_os_str(), filter.as_ref()]);
    assert!(written.status.success(), "{}", String::from_utf8_lossy(&written.stderr));
    let from_copy = run(&["-r".as_ref(), copy.as_os_str()]);
    let from_original = run(&["-r".as_ref(), original, filter.as_ref()]);
    assert!(from_original.stdout.len() > 1000);
    assert_eq!(String::from_utf8_lossy(&from_copy.stdout), String::from_utf8_lossy(&from_original.stdout));
    // Every field, not only those that the usual line shows: evt.deltatime once counted from the event kept before.
    let listed = String::from_utf8(run(&["fields".as_ref()]).stdout).expect("text");
    let names: Vec<&str> = listed.lines().filter_map(|l| l.split_whitespace().next()).collect();
    let form = names.iter().filter(|n| n.contains('.') && !n.contains('[')).map(|n| format!("{n}=%{n} "));
    let form: String = form.collect();
    assert!(form.matches('%').count() > 100, "{form}");
    let form = ["-p".as_ref(), form.as_ref()];
    let from_copy = run(&[&["-r".as_ref(), copy.as_os_str()], &form[..]].concat());
    let from_original = run(&[&["-r".as_ref(), original, filter.as_ref()], &form[..]].concat());
    assert!(from_original.status.success(), "{}", String::from_utf8_lossy(&from_original.stderr));
    assert_eq!(String::from_utf8_lossy(&from_copy.stdout), String::from_utf8_lossy(&from_original.stdout));
    // What was filtered out is not in it at all.
    let everything = run(&["-r".as_ref(), copy.as_os_str(), "-j".as_ref()]);
    assert!(!everything.stdout.windows(5).any(|w| w == b"gamma"));
}

#[test]
fn a_cut_reel_gives_its_whole_blocks_and_status_4() {
    let dir = tempfile::tempdir().expect("a directory");
    let bytes = std::fs::read("testdata/reels/shell.reel").expect("the fixture");
    let cut = dir.path().join("cut.reel");
    std::fs::write(&cut, &bytes[..bytes.len() - 10]).expect("written");
    let out = Command::new(env!("CARGO_BIN_EXE_sysreel")).arg("-r").arg(&cut).output().expect("sysreel runs");
    let stderr = String::from_utf8_lossy(&out.stderr);
    assert_eq!(out.status.code(), Some(4), "{stderr}");
    assert!(stderr.contains("cut off"), "{stderr}");
    assert!(out.stdout.split(|b| *b == b'\n').count() > 200, "the event block was whole");
}
