//! Starting the command of `sysreel run`.
//!
//! Enters: a command line, perhaps a user. Leaves: a process that is ready but waits, so that the probe can be told its id
//! before it makes its first call; then its exit status. Never: anything about tracing, and no unsafe code.
//!
//! What waits is this same program, executed again as a *stub*: a process of one thread that asks its parent for leave
//! over a socket, becomes the wanted user, and executes the command. Because tracing begins at that execution, nothing
//! that the stub did is ever shown. The command inherits what sysreel inherited: standard streams, terminal, process
//! group, open descriptors, ignored signals. The socket is close-on-exec on both sides, so the command does not get it, and
//! its end of file tells the parent that the execution succeeded.
//!
//! The two find each other by an abstract socket name and believe only the process they expect (the kernel says who is at
//! the other end). A pair of inherited pipes would need no name, but a number handed over in an argument can only become a
//! descriptor again through unsafe code.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open};
use rustix::thread::{set_thread_groups, set_thread_res_gid, set_thread_res_uid};

use crate::exit::Exit;
use crate::message;
use crate::users::{User, Users};

/// The first argument that makes this program the stub. No option, subcommand or filter begins like this.
const STUB: &str = "::start";
/// How long the stub may take to call back. It has nothing to do but start.
const CALL_BACK: Duration = Duration::from_secs(10);
/// Between two looks at flags that a signal may have set just before the wait began.
const LOOK: Duration = Duration::from_millis(100);
/// Where commands are looked for when `PATH` is not set.
const DEFAULT_PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// Why a command was not started.
#[derive(Debug)]
pub struct StartError {
    /// The status to exit with: 125, 126 or 127.
    pub exit: Exit,
    text: String,
}

impl StartError {
    fn new(exit: Exit, text: impl Into<String>) -> StartError {
        StartError { exit, text: text.into() }
    }

    fn ours(what: &str, error: io::Error) -> StartError {
        StartError::new(Exit::StartFailed, format!("{what}: {error}"))
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for StartError {}

/// A command: first waiting to be released, then running, then ended.
#[derive(Debug)]
pub struct Child {
    child: std::process::Child,
    /// The connection to the stub, until it is released.
    stub: Option<UnixStream>,
    path: PathBuf,
    status: Option<ExitStatus>,
    pidfd: Option<OwnedFd>,
    signals: Signals,
}

impl Child {
    /// Starts a stub for a command: looks the command up in `PATH` and the user in `passwd`, and returns when the stub
    /// waits for [`Child::release`]. Call it early: the command inherits limits, directory and the like as they are now.
    pub fn prepare(command: &[OsString], user: Option<&str>) -> Result<Child, StartError> {
        let (name, args) = command
            .split_first()
            .ok_or_else(|| StartError::new(Exit::StartFailed, "no command was given"))?;
        let user = user.map(Account::find).transpose()?;
        let path = resolve(name, std::env::var_os("PATH").as_deref(), user.is_some())?;

        let (listener, address) = listen().map_err(|e| StartError::ours("cannot make a socket", e))?;
        let mut stub = Command::new("/proc/self/exe");
        stub.arg0("sysreel").args([STUB, &address]);
        match &user {
            Some(account) => {
                stub.arg(account.ids());
                for variable in ["USER", "LOGNAME"] {
                    stub.env(variable, OsStr::from_bytes(&account.user.name));
                }
                stub.env("HOME", OsStr::from_bytes(&account.user.home));
                stub.env("SHELL", OsStr::from_bytes(&account.user.shell));
            }
            None => {
                stub.arg("-");
            }
        }
        stub.arg(&path).arg(name).args(args);
        let child = stub.spawn().map_err(|e| StartError::ours("cannot start a process", e))?;
        // Only now, so that the command finds the dispositions that we found.
        let signals = Signals::catch();
        let pidfd = pid_of(&child).and_then(|pid| pidfd_open(pid, PidfdFlags::empty()).ok());
        let mut child = Child { child, stub: None, path, status: None, pidfd, signals };
        child.stub = Some(child.answer(&listener)?);
        Ok(child)
    }

    /// The process id, of the stub and thus of the command.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Lets the stub execute the command, and waits until that has happened or failed.
    pub fn release(&mut self) -> Result<(), StartError> {
        let Some(mut stub) = self.stub.take() else { return Ok(()) };
        // A stub that was killed meanwhile is a command that was killed: its status tells.
        let _ = stub.write_all(&[1]);
        let mut report = [0; 5];
        if stub.read_exact(&mut report).is_err() {
            return Ok(());
        }
        self.reap();
        let [stage, errno @ ..] = report;
        let error = io::Error::from_raw_os_error(i32::from_le_bytes(errno));
        Err(match stage {
            BECOME => StartError::ours("cannot become that user", error),
            _ => cannot_execute(&self.path, error),
        })
    }

    /// The status if the command has ended. Also hands signals on, so call it regularly.
    pub fn try_wait(&mut self) -> Option<ExitStatus> {
        if self.status.is_none() {
            self.signals.forward(&self.child);
            // An error can only mean that somebody else has reaped it; then nobody knows its status any more.
            self.status = self.child.try_wait().unwrap_or_else(|_| Some(ExitStatus::default()));
        }
        self.status
    }

    /// Waits for the command to end, handing signals on meanwhile.
    pub fn wait(&mut self) -> ExitStatus {
        loop {
            if let Some(status) = self.try_wait() {
                return status;
            }
            match &self.pidfd {
                Some(fd) => wait_readable(fd, LOOK),
                None => std::thread::sleep(LOOK / 10),
            }
        }
    }

    /// Accepts the stub's call, and nobody else's.
    fn answer(&mut self, listener: &UnixListener) -> Result<UnixStream, StartError> {
        let start = Instant::now();
        while start.elapsed() < CALL_BACK {
            wait_readable(listener, LOOK);
            match listener.accept() {
                Ok((stream, _)) if peer(&stream) == Some(self.pid()) => {
                    let blocking = stream.set_nonblocking(false);
                    return blocking.map(|()| stream).map_err(|e| StartError::ours("cannot use a socket", e));
                }
                _ if self.try_wait().is_some() => break,
                _ => {}
            }
        }
        Err(StartError::new(Exit::StartFailed, "the process that was to execute the command ended or hangs"))
    }

    fn reap(&mut self) {
        if self.status.is_none() {
            self.status = self.child.wait().ok();
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if self.stub.take().is_some() {
            // Never released: the closed connection ends the stub.
            self.reap();
        }
    }
}

/// Signals that arrive while a command runs. Interrupt and quit come from the terminal and reach the command by
/// themselves; we only must not die of them before it does. The others were sent to us alone and are handed on.
#[derive(Debug)]
struct Signals {
    handed_on: [(Signal, Arc<AtomicBool>); 2],
}

impl Signals {
    fn catch() -> Signals {
        // The only way to fail is a signal that cannot be caught; these can.
        let flag = |signal: Signal| {
            let flag = Arc::new(AtomicBool::new(false));
            let _ = signal_hook::flag::register(signal.as_raw(), Arc::clone(&flag));
            (signal, flag)
        };
        let _ignored = [flag(Signal::INT), flag(Signal::QUIT)];
        Signals { handed_on: [flag(Signal::TERM), flag(Signal::HUP)] }
    }

    /// The child must not have been waited for: only then is its id surely its own.
    fn forward(&self, child: &std::process::Child) {
        for (signal, flag) in &self.handed_on {
            if flag.swap(false, Ordering::Relaxed)
                && let Some(pid) = pid_of(child)
            {
                let _ = kill_process(pid, *signal);
            }
        }
    }
}

/// A user to become.
struct Account {
    user: User,
    groups: Vec<u32>,
}

impl Account {
    fn find(name: &str) -> Result<Account, StartError> {
        let failed = |text: String| StartError::new(Exit::StartFailed, text);
        let all = Users::system().map_err(|e| StartError::ours("cannot read /etc/passwd", e))?;
        let by_number = || name.parse().ok().and_then(|uid| all.by_uid(uid));
        let user = all.by_name(name.as_bytes()).or_else(by_number).cloned();
        let user = user.ok_or_else(|| failed(format!("no user `{}` in /etc/passwd", message::name(name))))?;
        let groups = all.groups_of(&user);
        Ok(Account { user, groups })
    }

    /// `UID:GID:GROUP,GROUP…`, as [`become_user`] reads it.
    fn ids(&self) -> String {
        let groups: Vec<String> = self.groups.iter().map(u32::to_string).collect();
        format!("{}:{}:{}", self.user.uid, self.user.gid, groups.join(","))
    }
}

/// Stages in which a stub may fail, as it reports them.
const BECOME: u8 = 1;
const EXECUTE: u8 = 2;

/// Plays the stub if the arguments say so. `main` calls this before anything else, above all before any thread exists: the
/// change of user applies to the calling thread. Returns only if the arguments are not the stub's, or if it failed; the
/// parent has then been told why.
pub fn stub(args: impl IntoIterator<Item = OsString>) -> Option<Exit> {
    let mut args = args.into_iter().skip(1);
    if args.next()? != STUB {
        return None;
    }
    // A missing argument means that somebody typed the word by hand.
    let (address, ids, path, name) = (args.next(), args.next(), args.next(), args.next());
    let (Some(address), Some(ids), Some(path), Some(name)) = (address, ids, path, name) else {
        return Some(Exit::StartFailed);
    };
    let Some(mut parent) = call(&address) else { return Some(Exit::StartFailed) };
    let mut go = [0];
    if parent.read_exact(&mut go).is_err() {
        return Some(Exit::StartFailed);
    }
    let mut report = |stage: u8, error: io::Error| {
        let errno = error.raw_os_error().unwrap_or(libc::EINVAL).to_le_bytes();
        let _ = parent.write_all(&[stage, errno[0], errno[1], errno[2], errno[3]]);
        Some(Exit::StartFailed)
    };
    if ids != "-"
        && let Err(error) = become_user(&ids)
    {
        return report(BECOME, error);
    }
    let error = Command::new(path).arg0(name).args(args).exec();
    report(EXECUTE, error)
}

fn call(address: &OsStr) -> Option<UnixStream> {
    let address = SocketAddr::from_abstract_name(address.as_bytes()).ok()?;
    UnixStream::connect_addr(&address).ok()
}

/// Groups first, then the group, then the user: each step needs the privilege that the last one gives up.
fn become_user(ids: &OsStr) -> io::Result<()> {
    let invalid = || io::Error::from(io::ErrorKind::InvalidInput);
    let ids = ids.to_str().ok_or_else(invalid)?;
    let [uid, gid, groups] = ids.split(':').collect::<Vec<_>>()[..] else { return Err(invalid()) };
    let number = |text: &str| text.parse::<u32>().map_err(|_| invalid());
    let (uid, gid) =
        (rustix::process::Uid::from_raw(number(uid)?), rustix::process::Gid::from_raw(number(gid)?));
    let groups = groups
        .split(',')
        .map(|g| number(g).map(rustix::process::Gid::from_raw))
        .collect::<io::Result<Vec<_>>>()?;
    set_thread_groups(&groups)?;
    set_thread_res_gid(gid, gid, gid)?;
    set_thread_res_uid(uid, uid, uid)?;
    Ok(())
}

/// A listening socket under a name that nobody has, and the name.
fn listen() -> io::Result<(UnixListener, String)> {
    let mut tries = 0;
    loop {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_nanos();
        let name = format!("sysreel-{}-{now:x}", std::process::id());
        match UnixListener::bind_addr(&SocketAddr::from_abstract_name(&name)?) {
            Ok(listener) => {
                listener.set_nonblocking(true)?;
                return Ok((listener, name));
            }
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && tries < 16 => tries += 1,
            Err(error) => return Err(error),
        }
    }
}

fn peer(stream: &UnixStream) -> Option<u32> {
    let peer = rustix::net::sockopt::socket_peercred(stream).ok()?;
    u32::try_from(peer.pid.as_raw_nonzero().get()).ok()
}

fn pid_of(child: &std::process::Child) -> Option<Pid> {
    i32::try_from(child.id()).ok().and_then(Pid::from_raw)
}

fn wait_readable(fd: &impl AsFd, most: Duration) {
    let most = Timespec { tv_sec: 0, tv_nsec: most.subsec_nanos().into() };
    // An interruption is a reason to look at the flags, like a timeout.
    let _ = poll(&mut [PollFd::new(fd, PollFlags::IN)], Some(&most));
}

/// The file that a shell would execute for this name.
fn resolve(name: &OsStr, path: Option<&OsStr>, as_other: bool) -> Result<PathBuf, StartError> {
    if name.is_empty() {
        return Err(StartError::new(Exit::NotFound, "the name of the command is empty"));
    }
    if name.as_bytes().contains(&b'/') {
        let path = PathBuf::from(name);
        return check(&path, as_other).map(|()| path.clone()).map_err(|e| cannot_execute(&path, e));
    }
    let path = path.unwrap_or(OsStr::new(DEFAULT_PATH));
    let mut refused = None;
    for dir in path.as_bytes().split(|b| *b == b':') {
        // An empty element is the current directory.
        let dir = if dir.is_empty() { b"." } else { dir };
        let candidate = PathBuf::from(OsString::from_vec([dir, b"/", name.as_bytes()].concat()));
        match check(&candidate, as_other) {
            Ok(()) => return Ok(candidate),
            Err(error) if absent(&error) => {}
            Err(error) => refused = refused.or(Some((candidate, error))),
        }
    }
    Err(match refused {
        Some((candidate, error)) => cannot_execute(&candidate, error),
        None => {
            StartError::new(Exit::NotFound, format!("`{}`: command not found in PATH", message::name(name)))
        }
    })
}

/// Whether this file can be executed, as far as can be told beforehand: what another user may do only the execution shows.
fn check(path: &Path, as_other: bool) -> io::Result<()> {
    let meta = fs::metadata(path)?;
    if meta.is_dir() {
        return Err(io::Error::from_raw_os_error(libc::EISDIR));
    }
    if !meta.is_file() || meta.permissions().mode() & 0o111 == 0 {
        return Err(io::Error::from_raw_os_error(libc::EACCES));
    }
    if !as_other {
        rustix::fs::access(path, rustix::fs::Access::EXEC_OK)?;
    }
    Ok(())
}

fn absent(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::ENOENT | libc::ENOTDIR))
}

fn cannot_execute(path: &Path, error: io::Error) -> StartError {
    let shown = message::name(path);
    if !absent(&error) {
        return StartError::new(Exit::CannotExecute, format!("cannot execute `{shown}`: {error}"));
    }
    let why = if path.exists() { "its interpreter was not found" } else { "no such file" };
    StartError::new(Exit::NotFound, format!("cannot execute `{shown}`: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(dir: &Path, name: &str, mode: u32) -> PathBuf {
        let path = dir.join(name);
        fs::write(&path, "#!/bin/sh\n").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    #[test]
    fn commands_are_found_as_a_shell_finds_them() {
        let dir = tempfile::tempdir().unwrap();
        let (one, two) = (dir.path().join("one"), dir.path().join("two"));
        for d in [&one, &two] {
            fs::create_dir(d).unwrap();
        }
        file(&one, "plain", 0o644);
        let plain = file(&two, "plain", 0o755);
        file(&one, "never", 0o644);
        fs::create_dir(one.join("dir")).unwrap();
        let path = OsString::from(format!("/nowhere:{}:{}", one.display(), two.display()));
        let find = |name: &str| resolve(OsStr::new(name), Some(&path), false);

        assert_eq!(find("plain").unwrap(), plain, "a file that is not executable is passed over");
        assert_eq!(find(plain.to_str().unwrap()).unwrap(), plain);
        assert_eq!(find("missing").unwrap_err().exit, Exit::NotFound);
        assert_eq!(find("/nowhere/x").unwrap_err().exit, Exit::NotFound);
        assert_eq!(find("").unwrap_err().exit, Exit::NotFound);
        assert_eq!(find("never").unwrap_err().exit, Exit::CannotExecute);
        assert_eq!(find("dir").unwrap_err().exit, Exit::CannotExecute);
        assert_eq!(find("/dev/null").unwrap_err().exit, Exit::CannotExecute);
        assert!(resolve(OsStr::new("sh"), None, false).is_ok(), "there is a default PATH");
    }

    #[test]
    fn only_the_private_word_makes_a_stub() {
        let args = |list: &[&str]| list.iter().map(OsString::from).collect::<Vec<_>>();
        assert_eq!(stub(args(&["sysreel"])), None);
        assert_eq!(stub(args(&["sysreel", "run", "--", STUB])), None);
        assert_eq!(stub(args(&["sysreel", STUB])), Some(Exit::StartFailed));
        assert_eq!(
            stub(args(&["sysreel", STUB, "no-such-socket", "-", "/bin/true", "true"])),
            Some(Exit::StartFailed)
        );
    }

    #[test]
    fn unknown_users_are_refused_before_anything_starts() {
        let error = Child::prepare(&["true".into()], Some("no such\nuser")).unwrap_err();
        assert_eq!(error.exit, Exit::StartFailed);
        assert_eq!(error.to_string(), "no user `no such\\nuser` in /etc/passwd");
    }
}
