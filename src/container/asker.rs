//! The thread that asks everybody: files, then the daemons that know what files lack, and these again while they fail.
//!
//! Enters: questions. Leaves: answers, each with everything that is known by then. Never: a daemon that did not answer is
//! asked for [`REST`]; a question is asked again more than [`LATER`] says; a daemon that is not there is waited for.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

use super::daemons::No;
use super::files::{self, Daemon, Found, Learned};
use super::host::{Host, Look};
use super::json::fill;
use super::resolver::{FILES, Question};
use super::{Answer, Bytes, Container};

/// A daemon that took longer to say nothing has failed; a refusal is quick.
const SLOW: Duration = Duration::from_millis(100);
/// A daemon that failed is left alone for so long: a thousand containers must not wait a second each.
const REST: Duration = Duration::from_secs(2);
/// When a question that a daemon did not answer is asked again, after the last time.
const LATER: [Duration; 4] =
    [Duration::from_millis(250), Duration::from_secs(1), Duration::from_secs(4), Duration::from_secs(16)];
/// Questions that wait for their next time.
const OPEN: usize = 4096;
/// Daemons that are remembered to have failed.
const FAILED: usize = 64;

/// Where questions go to the thread, and where its answers come from.
pub(super) type Ends = (SyncSender<Question>, Receiver<Answer>);

/// One to be asked again.
struct Open {
    when: Instant,
    tries: usize,
    path: Bytes,
    found: Found,
}

struct Asker {
    host: Host,
    learned: Learned,
    answers: Sender<Answer>,
    open: Vec<Open>,
    failed: HashMap<PathBuf, Instant, FxBuildHasher>,
}

/// Nobody listens to the answers any more.
struct Over;

/// Starts the thread; `most` questions wait for it.
pub(super) fn start(proc: &Path, most: usize) -> Option<Ends> {
    let (questions, todo) = sync_channel(most);
    let (answers, told) = channel();
    let proc = proc.to_owned();
    let work = move || {
        let (open, failed) = (Vec::new(), HashMap::default());
        let mut asker = Asker { host: Host::new(&proc), learned: Learned::default(), answers, open, failed };
        let _ = asker.work(&todo);
    };
    thread::Builder::new().name("containers".into()).spawn(work).ok()?;
    Some((questions, told))
}

impl Asker {
    fn work(&mut self, todo: &Receiver<Question>) -> Result<(), Over> {
        loop {
            let next = self.open.iter().map(|o| o.when).min();
            let question = match next {
                None => todo.recv().map_err(|_| Over)?,
                Some(when) => match todo.recv_timeout(when.saturating_duration_since(Instant::now())) {
                    Ok(question) => question,
                    Err(RecvTimeoutError::Disconnected) => return Err(Over),
                    Err(RecvTimeoutError::Timeout) => {
                        self.again()?;
                        continue;
                    }
                },
            };
            let mut look = Look::new(&self.host, Instant::now() + FILES);
            let found = files::describe(&mut look, &mut self.learned, &question.path, &question.pids);
            match found {
                Some(found) => {
                    let last = found.daemons.is_empty();
                    self.tell(&question.path, Some(&found), last)?;
                    if !last {
                        self.daemons(question.path, found, 0)?;
                    }
                }
                None => self.tell(&question.path, None, true)?,
            }
        }
    }

    fn tell(&self, path: &Bytes, found: Option<&Found>, last: bool) -> Result<(), Over> {
        let container = found.map(|f| f.container.clone());
        self.answers.send(Answer { path: path.clone(), container, last }).map_err(|_| Over)
    }

    /// Asks the daemons; what they know more is told.
    fn daemons(&mut self, path: Bytes, mut found: Found, tries: usize) -> Result<(), Over> {
        let before = found.container.clone();
        let daemons = std::mem::take(&mut found.daemons);
        for daemon in daemons {
            let (socket, _) = daemon.socket();
            if self.failed.get(socket).is_some_and(|at| at.elapsed() < REST) {
                found.daemons.push(daemon);
                continue;
            }
            let begin = Instant::now();
            match daemon.ask(&self.host, &found.container) {
                Ok(said) => found.take(said),
                Err(No::Daemon(_)) => {}
                Err(No::Answer(_)) => {
                    if begin.elapsed() > SLOW {
                        if self.failed.len() >= FAILED {
                            self.failed.clear();
                        }
                        self.failed.insert(socket.to_owned(), Instant::now());
                    }
                    found.daemons.push(daemon);
                }
            }
        }
        let later = LATER.get(tries).filter(|_| !found.daemons.is_empty() && self.open.len() < OPEN);
        if found.container != before || later.is_none() {
            self.tell(&path, Some(&found), later.is_none())?;
        }
        if let Some(later) = later {
            self.open.push(Open { when: Instant::now() + *later, tries: tries + 1, path, found });
        }
        Ok(())
    }

    /// Asks again what is due.
    fn again(&mut self) -> Result<(), Over> {
        let now = Instant::now();
        let (due, open) = std::mem::take(&mut self.open).into_iter().partition(|o| o.when <= now);
        self.open = open;
        let due: Vec<Open> = due;
        due.into_iter().try_for_each(|o| self.daemons(o.path, o.found, o.tries))
    }
}

impl Found {
    /// Takes what a daemon said: its labels and those of the pod before those of files, the rest where files said nothing.
    fn take(&mut self, mut said: Container) {
        let c = &mut self.container;
        if !said.labels.is_empty() {
            c.labels = std::mem::take(&mut said.labels);
        }
        fill(c, said);
    }
}

/// Asks the daemons for a report of what each said.
pub(super) fn ask_daemons(look: &mut Look, mut found: Found) {
    let daemons = std::mem::take(&mut found.daemons);
    if daemons.is_empty() {
        look.note("sockets", "not asked: files said everything");
    }
    for daemon in daemons {
        let said = match daemon.ask(look.host, &found.container) {
            Ok(said) => {
                let labels = said.labels.len() + said.pod.as_ref().map_or(0, |p| p.labels.len());
                found.take(said);
                format!("answered, {labels} labels")
            }
            Err(No::Daemon(e) | No::Answer(e)) => e,
        };
        look.note(daemon.name(), said);
    }
}

impl Daemon {
    fn name(&self) -> String {
        let (socket, _) = self.socket();
        let whose = match self {
            Daemon::Containerd { .. } => "containerd",
            Daemon::Docker { .. } => "docker",
            Daemon::Podman { .. } => "podman",
        };
        format!("{whose} at {}", socket.display())
    }
}
