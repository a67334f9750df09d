//! Who reads or draws our output: they must not be traced, or every line would make more lines.
//!
//! Enters: the descriptor that events go to. Leaves: processes. Never: a guess by name.
//!
//! A pipe is followed to who has it as standard input, and from their standard output on to the last reader. A terminal
//! is followed to who holds its other side (the terminal program, sshd, a multiplexer).

use std::os::fd::AsFd;
use std::path::Path;

use rustix::fs::{FileType, fstat, major, minor, stat};

/// A process left out, and its name for the message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reader {
    /// Its id.
    pub pid: u32,
    /// Its name.
    pub name: String,
}

fn pids(proc: &Path) -> Vec<u32> {
    let Ok(dir) = std::fs::read_dir(proc) else { return Vec::new() };
    dir.flatten().filter_map(|e| e.file_name().to_str()?.parse().ok()).collect()
}

fn reader(proc: &Path, pid: u32) -> Reader {
    let name = std::fs::read_to_string(proc.join(pid.to_string()).join("comm")).unwrap_or_default();
    Reader { pid, name: name.trim_end().to_owned() }
}

/// Processes that read what is written to `output`, directly or through further pipes. `own` is left out.
pub fn of(proc: &Path, output: impl AsFd, own: u32) -> Vec<Reader> {
    let Ok(s) = fstat(&output) else { return Vec::new() };
    let mut found = Vec::new();
    match FileType::from_raw_mode(s.st_mode) {
        FileType::Fifo => through_pipe(proc, s.st_ino, own, &mut found, 0),
        FileType::CharacterDevice => behind_terminal(proc, s.st_rdev, own, &mut found),
        _ => {}
    }
    found
}

fn through_pipe(proc: &Path, inode: u64, own: u32, found: &mut Vec<Reader>, depth: u32) {
    if depth > 16 {
        return;
    }
    for pid in pids(proc) {
        if pid == own || found.iter().any(|r| r.pid == pid) {
            continue;
        }
        let fd = |n: u32| stat(proc.join(format!("{pid}/fd/{n}"))).ok();
        // Standard input only: a shell that sets up the pipeline holds the pipe elsewhere for a moment.
        let reads =
            fd(0).is_some_and(|s| s.st_ino == inode && FileType::from_raw_mode(s.st_mode) == FileType::Fifo);
        if !reads {
            continue;
        }
        found.push(reader(proc, pid));
        if let Some(s) = fd(1) {
            match FileType::from_raw_mode(s.st_mode) {
                FileType::Fifo if s.st_ino != inode => through_pipe(proc, s.st_ino, own, found, depth + 1),
                FileType::CharacterDevice => behind_terminal(proc, s.st_rdev, own, found),
                _ => {}
            }
        }
    }
}

/// Unix98 terminals have majors 136 to 143; fdinfo of the other side (/dev/ptmx) names the terminal's index.
fn behind_terminal(proc: &Path, device: u64, own: u32, found: &mut Vec<Reader>) {
    if !(136..=143).contains(&major(device)) {
        return;
    }
    let index = (major(device) - 136) * 256 + minor(device);
    let line = format!("tty-index:\t{index}");
    for pid in pids(proc) {
        if pid == own || found.iter().any(|r| r.pid == pid) {
            continue;
        }
        let Ok(fds) = std::fs::read_dir(proc.join(format!("{pid}/fd"))) else { continue };
        let holds = fds.flatten().any(|fd| {
            let is_master = std::fs::read_link(fd.path()).is_ok_and(|t| t.ends_with("ptmx"));
            let info = proc.join(format!("{pid}/fdinfo")).join(fd.file_name());
            is_master && std::fs::read_to_string(info).is_ok_and(|i| i.lines().any(|l| l == line))
        });
        if holds {
            found.push(reader(proc, pid));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};

    #[test]
    fn a_pipeline_is_followed_to_its_end() {
        // `cat | cat`: whoever writes to the first is read by both.
        let mut last = Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::null()).spawn().expect("cat");
        let into_last = last.stdin.take().expect("its input");
        let mut first = Command::new("cat").stdin(Stdio::piped()).stdout(into_last).spawn().expect("cat");
        let output = first.stdin.take().expect("its input");
        let mut found: Vec<u32> =
            of(Path::new("/proc"), &output, std::process::id()).into_iter().map(|r| r.pid).collect();
        found.sort_unstable();
        let mut expected = vec![first.id(), last.id()];
        expected.sort_unstable();
        drop(output);
        first.wait().expect("first");
        last.wait().expect("last");
        assert_eq!(found, expected);
    }

    #[test]
    fn a_file_has_no_audience() {
        let file = tempfile::tempfile().expect("a file");
        assert_eq!(of(Path::new("/proc"), &file, std::process::id()), []);
    }
}
