//! How the program ends: every exit status it can have, in one place.
//!
//! Enters: what happened. Leaves: a number for the shell. Never: text, and never the act of exiting (only `main` does).

use std::os::unix::process::ExitStatusExt;
use std::process::{ExitCode, ExitStatus};

/// The end of the program, as scripts see it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Exit {
    /// 0: everything went as asked; a reader that went away (`| head`) counts as that too.
    Ok,
    /// 1: something failed at run time: no privilege, a full disk, a kernel without what is needed.
    Error,
    /// 2: the command line or the filter is wrong.
    Usage,
    /// 3: events were lost, and `--fail-on-loss` was given.
    Lost,
    /// 4: the file read was damaged, cut or not a reel; what was whole has been printed.
    Damaged,
    /// 125: `run` failed before the command started.
    StartFailed,
    /// 126: `run` found the command but could not execute it.
    CannotExecute,
    /// 127: `run` did not find the command.
    NotFound,
    /// `run`: the status of the command itself, 128 + N if signal N ended it.
    Command(u8),
}

impl Exit {
    /// The statuses that are sysreel's own, with what they mean: for the manual.
    pub const DOCUMENTED: &'static [(Exit, &'static str)] = &[
        (
            Exit::Ok,
            "Everything went as asked. A reader of the output that went away (| head) counts as that too.",
        ),
        (
            Exit::Error,
            "Something failed at run time: missing privilege, a full disk, a kernel without what is needed.",
        ),
        (Exit::Usage, "The command line or the filter is wrong."),
        (Exit::Lost, "Events were lost, and --fail-on-loss was given."),
        (
            Exit::Damaged,
            "The file read is damaged, cut short or not a reel. Every whole block before the damage was used.",
        ),
        (Exit::StartFailed, "run: sysreel failed before the command started."),
        (Exit::CannotExecute, "run: the command was found but cannot be executed."),
        (Exit::NotFound, "run: the command was not found."),
    ];

    /// The number.
    pub fn code(self) -> u8 {
        match self {
            Exit::Ok => 0,
            Exit::Error => 1,
            Exit::Usage => 2,
            Exit::Lost => 3,
            Exit::Damaged => 4,
            Exit::StartFailed => 125,
            Exit::CannotExecute => 126,
            Exit::NotFound => 127,
            Exit::Command(code) => code,
        }
    }
}

impl From<ExitStatus> for Exit {
    fn from(status: ExitStatus) -> Exit {
        let code = match (status.code(), status.signal()) {
            (Some(code), _) => code & 0xff,
            (None, Some(signal)) => 128 + (signal & 0x7f),
            (None, None) => 1,
        };
        Exit::Command(u8::try_from(code).unwrap_or(u8::MAX))
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_distinct_and_documented() {
        let mut codes: Vec<u8> = Exit::DOCUMENTED.iter().map(|(e, _)| e.code()).collect();
        codes.dedup();
        assert_eq!(codes, [0, 1, 2, 3, 4, 125, 126, 127]);
    }

    #[test]
    fn a_wait_status_becomes_what_a_shell_would_say() {
        assert_eq!(Exit::from(ExitStatus::from_raw(42 << 8)).code(), 42);
        assert_eq!(Exit::from(ExitStatus::from_raw(255 << 8)).code(), 255);
        assert_eq!(Exit::from(ExitStatus::from_raw(9)).code(), 137);
        assert_eq!(Exit::from(ExitStatus::from_raw(11 | 0x80)).code(), 139);
    }
}
