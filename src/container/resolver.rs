//! Who asks the sources, and when: two threads, so that nobody else ever waits for a disk or a daemon.
//!
//! Enters: the path of a control group and a process of it. Leaves: a [`Container`], at once from files or later from
//! sockets as well. Never: an error, a wait of more than [`PATIENCE`], a thread before the first question that takes one.
//!
//! One thread reads files for [`Resolver::by_files`]; a disk that hangs makes one caller wait for [`PATIENCE`], and from then
//! on, until it comes back, nobody. The other reads files and asks sockets for [`Resolver::ask`], and asks again, ever
//! later, while a daemon does not say what it should.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, SyncSender, channel, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

use super::files::{self, Learned};
use super::host::{Host, Look, Said};
use super::{Answer, Bytes, Container, Sight, asker, identify};

/// The longest that a caller waits for files.
const PATIENCE: Duration = Duration::from_millis(50);
/// What reading files for one question may take.
pub(super) const FILES: Duration = Duration::from_millis(50);
/// What a list of everything that files keep may take.
const LISTING: Duration = Duration::from_secs(10);
/// Questions that wait for the second thread; more are refused, and may be asked again.
const WAITING: usize = 4096;
/// A control group that was asked about is not asked about again for so long, by the same process: another may lead further.
const AGAIN: Duration = Duration::from_secs(2);
/// Control groups that this is remembered of.
const REMEMBERED: usize = 16 << 10;

/// A control group, and processes of it (or the runtime that makes it) if any are known.
pub(super) struct Question {
    pub(super) path: Bytes,
    pub(super) pids: [Option<u32>; 2],
}

/// Looks containers up. It answers with what is known so far; what a source does not say stays as it was.
pub struct Resolver {
    proc: PathBuf,
    quick: Option<Quick>,
    slow: Option<asker::Ends>,
    /// When each control group was asked about, and by which process.
    asked: HashMap<Bytes, (Instant, Option<u32>), FxBuildHasher>,
}

struct Quick {
    questions: SyncSender<(Question, Sender<Sight>)>,
    /// How many the thread has answered.
    answered: Arc<AtomicU64>,
    /// How many were asked.
    asked: u64,
    /// One was not answered in time: how many were asked then.
    late: Option<u64>,
}

impl Resolver {
    /// A resolver for the host whose processes are at `proc` (`/proc`, or where `--proc` says).
    pub fn new(proc: &Path) -> Resolver {
        Resolver { proc: proc.to_owned(), quick: None, slow: None, asked: HashMap::default() }
    }

    /// What path, process and files say of a control group, at first sight. It takes 0.1 to 1 ms, 50 ms
    /// at most; then it is what the path says, and [`ask`](Self::ask) tells the rest. `pid` is a process in the control group,
    /// or the one that makes it (if that is gone, the process that [`ask`](Self::ask) was told is taken); without it a container of `ctr` or plain `runc` is not recognised.
    pub fn by_files(&mut self, path: &[u8], pid: Option<u32>) -> Sight {
        if files::hosts(path) {
            return Sight::Host;
        }
        if self.quick.is_none() {
            self.quick = Quick::start(&self.proc);
        }
        // The first processes of a container are the runtime's own and soon gone; whoever made the control group is there longer.
        let maker = self.asked.get(path).and_then(|(_, by)| *by);
        let question = Question { path: path.into(), pids: [pid, maker.filter(|m| Some(*m) != pid)] };
        let answer = self.quick.as_mut().and_then(|q| q.ask(question));
        answer.unwrap_or_else(|| identify(path).map_or(Sight::Gone, Sight::In))
    }

    /// Asks everybody about a control group; [`answers`](Self::answers) tells what they said. False if it cannot be asked now: too
    /// many wait, or it was asked about with this process within the last two seconds.
    pub fn ask(&mut self, path: &[u8], pid: Option<u32>) -> bool {
        let now = Instant::now();
        let lately = |(at, by): &(Instant, Option<u32>)| now.duration_since(*at) < AGAIN && *by == pid;
        if files::hosts(path) || self.asked.get(path).is_some_and(lately) {
            return false;
        }
        if self.slow.is_none() {
            self.slow = asker::start(&self.proc, WAITING);
        }
        let Some((questions, _)) = &self.slow else { return false };
        if questions.try_send(Question { path: path.into(), pids: [pid, None] }).is_err() {
            return false;
        }
        if self.asked.len() >= REMEMBERED {
            self.asked.retain(|_, (at, _)| now.duration_since(*at) < AGAIN);
        }
        if self.asked.len() < REMEMBERED {
            self.asked.insert(path.into(), (now, pid));
        }
        true
    }

    /// What has become known since the last call. One question may have several answers, the later the more is known. It does
    /// not wait.
    pub fn answers(&mut self) -> impl Iterator<Item = Answer> + '_ {
        self.slow.iter().flat_map(|(_, answers)| answers.try_iter())
    }
}

impl Quick {
    fn start(proc: &Path) -> Option<Quick> {
        // One question at a time: who asks waits.
        let (questions, todo) = sync_channel::<(Question, Sender<Sight>)>(1);
        let answered = Arc::new(AtomicU64::new(0));
        let (proc, count) = (proc.to_owned(), answered.clone());
        let work = move || {
            let (host, mut learned) = (Host::new(&proc), Learned::default());
            while let Ok((question, answer)) = todo.recv() {
                let mut look = Look::new(&host, Instant::now() + FILES);
                let found = files::describe(&mut look, &mut learned, &question.path, &question.pids);
                let there = |pid: &Option<u32>| pid.is_some_and(|pid| look.host.is_in(pid, &question.path));
                let _ = answer.send(match found {
                    Some(found) => Sight::In(found.container),
                    None if question.pids.iter().any(there) => Sight::Host,
                    None => Sight::Gone,
                });
                count.fetch_add(1, Ordering::Release);
            }
        };
        thread::Builder::new().name("containers".into()).spawn(work).ok()?;
        Some(Quick { questions, answered, asked: 0, late: None })
    }

    /// `None`: no answer in time.
    fn ask(&mut self, question: Question) -> Option<Sight> {
        if self.late.is_some_and(|n| self.answered.load(Ordering::Acquire) < n) {
            return None;
        }
        self.late = None;
        let (to, answer) = channel();
        self.questions.try_send((question, to)).ok()?;
        self.asked += 1;
        let got = answer.recv_timeout(PATIENCE);
        if matches!(got, Err(RecvTimeoutError::Timeout)) {
            self.late = Some(self.asked);
        }
        got.ok()
    }
}

/// Which sources were asked about a container, in order, and what each said. `id` is the beginning of its id, or its name. Empty:
/// no process runs in such a container.
pub fn why(proc: &Path, id: &[u8]) -> Vec<Said> {
    let (host, mut learned) = (Host::new(proc), Learned::default());
    let mut seen = HashMap::<Vec<u8>, (), FxBuildHasher>::default();
    for (pid, path) in host.processes() {
        if files::hosts(&path) || seen.insert(path.clone(), ()).is_some() {
            continue;
        }
        let mut look = Look::new(&host, Instant::now() + FILES);
        let Some(found) = files::describe(&mut look, &mut learned, &path, &[Some(pid)]) else { continue };
        let c = &found.container;
        if !id.is_empty() && (c.id.starts_with(id) || c.name.as_deref() == Some(id)) {
            asker::ask_daemons(&mut look, found);
            return look.said();
        }
    }
    Vec::new()
}

/// Every container without a process of which files tell, and whether it was never started or has ended: `created`, `exited`,
/// or `stopped` where files do not tell which.
pub fn resting(proc: &Path) -> Vec<(Container, &'static str)> {
    let (host, mut learned) = (Host::new(proc), Learned::default());
    let mut seen = HashMap::<Vec<u8>, (), FxBuildHasher>::default();
    let mut running = Vec::new();
    for (pid, path) in host.processes() {
        if files::hosts(&path)
            && let (Some(args), Some(process)) = (host.arguments(pid), host.process(pid))
        {
            learned.daemon(&args, process.uid);
        } else if !files::hosts(&path) && seen.insert(path.clone(), ()).is_none() {
            // What watches them tells where theirs are.
            let mut look = Look::new(&host, Instant::now() + FILES);
            running.extend(
                files::describe(&mut look, &mut learned, &path, &[Some(pid)]).map(|f| f.container.id),
            );
        }
    }
    let mut look = Look::new(&host, Instant::now() + LISTING);
    let mut all = files::resting::all(&mut look, &mut learned);
    all.retain(|(c, _)| !running.contains(&c.id));
    all
}
