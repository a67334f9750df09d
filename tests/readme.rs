//! The examples of README.md, executed: each command as it stands there, its output compared line by line in shape.
//!
//! What differs from run to run (times, ids, counts, sizes) is a number or a word in quotes of a known place; a line fits
//! if it is the same once every number is `N`. Lines of the example must come in order; others may stand between them.

use std::process::{Command, Stdio};

/// `(command, lines that it prints)` of every `console` block.
fn examples() -> Vec<(String, Vec<String>)> {
    let text = std::fs::read_to_string("README.md").expect("README.md");
    let mut found: Vec<(String, Vec<String>)> = Vec::new();
    let mut inside = false;
    for line in text.lines() {
        match line.strip_prefix("```") {
            Some(kind) => inside = kind == "console",
            None if !inside => {}
            None => match (line.strip_prefix("$ "), found.last_mut()) {
                (Some(command), _) => found.push((command.to_owned(), Vec::new())),
                (None, Some((_, lines))) => lines.push(line.to_owned()),
                (None, None) => panic!("output before a command: {line}"),
            },
        }
    }
    found
}

fn shape(line: &str) -> String {
    let mut out = String::new();
    let mut digits = false;
    // `<4.61us>` and `<65.1us>` are one shape: numbers with a point and their unit count as one number.
    let line = ["ns>", "us>", "ms>"].iter().fold(line.to_owned(), |l, unit| l.replace(unit, "u>"));
    for c in line.chars() {
        if c.is_ascii_digit() || (digits && c == '.') {
            if !digits {
                out.push('N');
            }
            digits = true;
        } else {
            digits = false;
            out.push(c);
        }
    }
    out
}

/// The shape, without what differs between machines: which program happened to be first.
fn fits(expected: &str, actual: &str) -> bool {
    let any_process = |l: &str| l.starts_with("[\"") && l.ends_with(']');
    shape(expected) == shape(actual) || (any_process(expected) && any_process(actual))
}

#[test]
fn every_example_prints_what_it_says() {
    if !crate::can_capture() {
        return;
    }
    let dir = tempfile::tempdir().expect("a directory");
    // `sudo` is there for readers: the test runs as root already.
    let bin = dir.path().join("bin");
    std::fs::create_dir(&bin).expect("made");
    let shim = |name: &str, text: &str| {
        use std::os::unix::fs::PermissionsExt;
        std::fs::write(bin.join(name), text).expect("written");
        std::fs::set_permissions(bin.join(name), std::fs::Permissions::from_mode(0o755)).expect("executable");
    };
    shim("sudo", "#!/bin/sh\nexec \"$@\"\n");
    shim("sysreel", &format!("#!/bin/sh\nexec {} \"$@\"\n", env!("CARGO_BIN_EXE_sysreel")));
    let path = format!("{}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", bin.display());
    // Something for the first example to see.
    let mut load = Command::new("sh")
        .args(["-c", "while sleep 0.1; do cat /etc/hostname; done"])
        .env_clear()
        .env("PATH", &path)
        .env("LC_ALL", "C")
        .stdout(Stdio::null())
        .spawn()
        .expect("sh");
    let mut wrong = Vec::new();
    let all = examples();
    for (command, lines) in &all {
        let out = Command::new("timeout")
            .args(["60", "sh", "-c", &format!("{command} 2>&1")])
            .env_clear()
            .env("PATH", &path)
            .env("LC_ALL", "C")
            .current_dir(dir.path())
            .output()
            .expect("sh");
        let text = String::from_utf8_lossy(&out.stdout).into_owned();
        let mut actual = text.lines();
        for line in lines {
            if !actual.any(|a| fits(line, a)) {
                wrong.push(format!("$ {command}\n  no line like\n  {line}\n  in\n{text}"));
                break;
            }
        }
    }
    let _ = load.kill();
    let _ = load.wait();
    assert!(all.len() >= 6, "{} examples", all.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
