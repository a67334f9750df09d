//! What the program says on which stream, and how it ends, when it has nothing to capture.

use std::io::Read;
use std::process::{Command, Output, Stdio};

/// The program with a quiet environment.
pub fn sysreel() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sysreel"));
    for variable in ["NO_COLOR", "CLICOLOR_FORCE", "FORCE_COLOR"] {
        command.env_remove(variable);
    }
    command
}

fn of(args: &[&str]) -> (i32, String, String) {
    let Output { status, stdout, stderr } = sysreel().args(args).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code().unwrap(), text(stdout), text(stderr))
}

#[test]
fn help_goes_to_stdout_and_mistakes_to_stderr() {
    for args in
        [&["-h"][..], &["--help"], &["-V"], &["run", "-h"], &["fields", "--help"], &["calls"], &["fields"]]
    {
        let (code, out, err) = of(args);
        assert_eq!((code, err.as_str()), (0, ""), "{args:?}");
        assert!(!out.is_empty() && !out.contains('\x1b'), "{args:?}");
    }
    for args in
        [&["--nope"][..], &["run"], &["-w", "x", "-j"], &["fields", "nope"], &["calls", "nope"], &["-tttttt"]]
    {
        let (code, out, err) = of(args);
        assert_eq!((code, out.as_str()), (2, ""), "{args:?}");
        assert!(err.starts_with("sysreel: ") && err.ends_with('\n'), "{args:?}: {err}");
    }
}

#[test]
fn messages_do_not_repeat_control_characters() {
    let (code, _, err) = of(&["--no\x1b[31mpe\r"]);
    assert_eq!(code, 2);
    assert!(!err.contains('\x1b') && !err.contains('\r'), "{err:?}");
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let mut child =
        sysreel().args(["completions", "zsh"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let mut err = String::new();
    child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
    assert_eq!((child.wait().unwrap().code(), err.as_str()), (Some(0), ""));
}
