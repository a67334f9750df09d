//! The containers that control groups belong to.
//!
//! Enters: paths of control groups, each with a process in it; what their runtimes say. Leaves: entries in the open block: of
//! what is known at that moment. Never: a question to a runtime that somebody waits for; files are looked at once for
//! each path, when its first process needs an entry, and no longer than [`Resolver::by_files`] takes.

use std::cell::{Cell, RefCell};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use rustc_hash::FxHashMap;

use super::contained::{both, entry, told};
use super::groups::{member, mount};
use super::tables::{Place, Text, changed};
use crate::batch::{self, Builder, Dict, NONE};
use crate::container::{Container, Resolver, Sight, Source, is_hosts};

/// Control groups that are remembered; of more, those that the last blocks had not.
const MOST: usize = 8192;
/// How often another process is looked at, where the first ones told of no container.
const TRIES: u8 = 4;
/// The same where they were gone by then.
const MISSES: u8 = 100;

/// Where a process runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Runs {
    /// Not known.
    Unknown,
    /// In no container.
    Host,
    /// In the container with this entry.
    In(u32),
}

impl Runs {
    /// As a number that differs where these differ.
    pub fn number(self) -> u32 {
        match self {
            Runs::Unknown => NONE,
            Runs::Host => NONE - 1,
            Runs::In(id) => id,
        }
    }
}

/// A control group, and what is known of the container that it belongs to.
#[derive(Default)]
struct Group {
    container: RefCell<Option<Container>>,
    /// Place of its entry in the open block.
    place: Place,
    /// How often files were looked at for a process that was still there, how often for one that was not, and for which last.
    tries: Cell<(u8, u8, u32)>,
    /// It belongs to no container, surely: its name is a unit's, or one of its processes was looked at.
    host: Cell<bool>,
    /// Questions to its runtime, and those that nothing more will come of.
    asked: Cell<(u32, u32)>,
    /// The block that it was needed in last.
    used: Cell<u32>,
    /// More became known of it than an entry may have said.
    news: Cell<bool>,
}

/// All control groups that were met.
pub struct Containers {
    /// Where the unified hierarchy is.
    mount: Option<PathBuf>,
    /// `None` for those of a capture: nothing of this host is asked about another.
    resolver: Option<Resolver>,
    groups: FxHashMap<Text, Rc<Group>>,
}

impl Containers {
    /// For the host whose processes are at `proc`.
    pub fn new(proc: &Path) -> Containers {
        Containers { mount: mount(), resolver: Some(Resolver::new(proc)), groups: FxHashMap::default() }
    }

    /// Those that a capture tells of.
    pub fn told() -> Containers {
        Containers { mount: None, resolver: None, groups: FxHashMap::default() }
    }

    /// A capture tells of a control group's container.
    pub fn tell(&mut self, dict: &Dict<'_>, path: &[u8], c: &batch::Container) {
        if self.groups.len() >= MOST {
            self.groups.clear();
        }
        let group = self.groups.entry(Text::from(path)).or_default();
        group.tries.set((TRIES, 0, 0));
        *group.container.borrow_mut() = Some(told(dict, c));
        group.place.set((0, 0));
        changed();
    }

    /// Where the processes of a control group run. `pid` is one of them.
    pub fn of(&mut self, b: &mut Builder, path: Option<&Text>, pid: u32) -> Runs {
        let Some(path) = path.filter(|path| self.resolver.is_some() || self.groups.contains_key(*path))
        else {
            return Runs::Unknown;
        };
        let group = self.look(b.generation(), path, pid, false);
        group.used.set(b.generation());
        let (generation, id) = group.place.get();
        if generation == b.generation() {
            return Runs::In(id);
        }
        let Some(id) = group.container.borrow().as_ref().map(|c| entry(b, c)) else {
            return if group.host.get() { Runs::Host } else { Runs::Unknown };
        };
        group.place.set((b.generation(), id));
        Runs::In(id)
    }

    /// What is known of a control group. For the first processes of one of which little is known, and if it is so wished,
    /// files are looked at.
    fn look(&mut self, now: u32, path: &Text, pid: u32, again: bool) -> Rc<Group> {
        let group = self.group(now, path);
        let (tries, misses, last) = group.tries.get();
        // The first process may be gone before it is looked at, and then its path says all; the next leads to files.
        let little = group.container.borrow().as_ref().is_none_or(|c| c.sources == [Source::Path])
            || tries + misses == 0;
        let again = again || little && tries < TRIES && misses < MISSES && last != pid;
        if let Some(resolver) = self.resolver.as_mut().filter(|_| again) {
            let mut found = resolver.by_files(path, Some(pid));
            let little = match &found {
                Sight::Gone => true,
                Sight::In(c) => c.sources == [Source::Path],
                Sight::Host => false,
            };
            // Those that call may all be gone by now; another one that is there leads as far.
            if little
                && let Some(other) = self.mount.as_ref().and_then(|m| member(m, path)).filter(|o| *o != pid)
            {
                let by_other = resolver.by_files(path, Some(other));
                if by_other != Sight::Gone {
                    found = by_other;
                }
            }
            // One that is gone tells nothing of a control group whose name tells nothing either.
            let there = found != Sight::Gone;
            let (tries, misses) =
                if there { (tries.saturating_add(1), misses) } else { (tries, misses.saturating_add(1)) };
            group.tries.set((tries, misses, pid));
            group.host.set(group.host.get() || there);
            if let Sight::In(found) = found {
                group.learn(found);
                group.ask(resolver, path, pid);
            }
        }
        group
    }

    /// Where the processes of a control group run, if no more will become known of that, in a block of its own. This process of
    /// it is looked at (`again`: even if it was before).
    pub fn settled(&mut self, b: &mut Builder, path: &Text, pid: u32, again: bool) -> Option<Runs> {
        if is_hosts(path) {
            return Some(Runs::Host);
        }
        let group = self.look(0, path, pid, again);
        let known = group.container.borrow();
        let Some(c) = known.as_ref() else { return group.host.get().then_some(Runs::Host) };
        let (asked, answered) = group.asked.get();
        if asked == 0 {
            // There was no room for the question.
            self.resolver.iter_mut().for_each(|resolver| group.ask(resolver, path, pid));
        }
        (answered > 0 && answered >= asked).then(|| Runs::In(entry(b, c)))
    }

    /// Entries of those of which more is known than when this was called last; what a full block has no room for waits.
    pub fn news(&self) -> Option<Box<Builder>> {
        let mut told = None;
        for group in self.groups.values().filter(|group| group.news.get()) {
            let b = told.get_or_insert_with(|| Box::new(Builder::new()));
            if let Some(c) = group.container.borrow().as_ref().filter(|_| !b.is_full()) {
                entry(b, c);
                group.news.set(false);
            }
        }
        told
    }

    /// True if files or a runtime told of the container of a control group, and not its path alone.
    pub fn is_told(&self, path: &[u8]) -> bool {
        let told = |c: &Container| c.sources != [Source::Path];
        self.groups.get(path).is_some_and(|g| g.container.borrow().as_ref().is_some_and(told))
    }

    fn group(&mut self, now: u32, path: &Text) -> Rc<Group> {
        if let Some(known) = self.groups.get(path) {
            return known.clone();
        }
        if self.groups.len() >= MOST {
            self.groups.retain(|_, g| now.wrapping_sub(g.used.get()) < 2);
        }
        let new = Rc::<Group>::default();
        self.groups.insert(path.clone(), new.clone());
        new
    }

    /// A control group was made by this process: whose it will be can be asked before anybody is in it.
    pub fn made(&mut self, path: &[u8], pid: u32) {
        let Some(resolver) = self.resolver.as_mut().filter(|_| !is_hosts(path)) else { return };
        match self.groups.get(path) {
            Some(group) => group.ask(resolver, path, pid),
            None if self.groups.len() >= MOST => drop(resolver.ask(path, Some(pid))),
            None => {
                let group = Rc::<Group>::default();
                group.ask(resolver, path, pid);
                self.groups.insert(Text::from(path), group);
            }
        }
    }

    /// Takes in what has been answered meanwhile: later entries have it. `news` is given the control groups of which there is
    /// any.
    pub fn heed(&mut self, mut news: impl FnMut(&[u8])) {
        let mut any = false;
        for answer in self.resolver.iter_mut().flat_map(|r| r.answers().collect::<Vec<_>>()) {
            let full = self.groups.len() >= MOST;
            let group = match self.groups.get(&*answer.path) {
                Some(group) => group,
                // Nobody needed it yet.
                None if full || answer.container.is_none() => continue,
                None => self.groups.entry(Text::from(&*answer.path)).or_default(),
            };
            if let Some(container) = answer.container {
                any |= group.learn(container);
            }
            let (asked, answered) = group.asked.get();
            group.asked.set((asked, answered.saturating_add(u32::from(answer.last))));
            news(&answer.path);
        }
        if any {
            changed();
        }
    }
}

impl Group {
    fn ask(&self, resolver: &mut Resolver, path: &[u8], pid: u32) {
        let (asked, answered) = self.asked.get();
        self.asked.set((asked.saturating_add(u32::from(resolver.ask(path, Some(pid)))), answered));
    }

    /// Takes in what has been found; what that does not say stays. True if it is news.
    fn learn(&self, found: Container) -> bool {
        let mut known = self.container.borrow_mut();
        let found = match known.as_ref().filter(|known| known.id == found.id) {
            Some(known) => both(found, known),
            None => found,
        };
        let news = known.as_ref() != Some(&found);
        if news {
            self.news.set(self.news.get() || known.is_some());
            *known = Some(found);
            self.place.set((0, 0));
        }
        news
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::StrId;
    use crate::container::{Bytes, Runtime};
    use crate::schema::{Arch, Schema};

    const ID: &str = "a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f90";

    fn text(s: &str) -> Text {
        Text::from(s.as_bytes())
    }

    fn bytes(s: &str) -> Option<Bytes> {
        Some(s.as_bytes().into())
    }

    #[test]
    fn a_path_has_one_entry_in_a_block_until_more_is_known() {
        let schema = Schema::native(Arch::X86_64);
        let mut all = Containers::new(Path::new("/nonexistent"));
        let mut b = Builder::new();
        let path = text(&format!("/docker/{ID}"));
        assert_eq!(all.of(&mut b, None, 1), Runs::Unknown);
        assert_eq!(all.of(&mut b, Some(&text("/system.slice/a.service")), 1), Runs::Host);
        assert_eq!(all.of(&mut b, Some(&text("/")), 1), Runs::Host);
        assert_eq!(all.of(&mut b, Some(&text("/some")), 1), Runs::Unknown, "nobody could be looked at");
        let first = all.of(&mut b, Some(&path), 1);
        assert_eq!((first, all.of(&mut b, Some(&path), 2)), (Runs::In(0), Runs::In(0)));
        // An answer: the entry stays, a later one has it all.
        let group = all.groups[&path].clone();
        let more = Container {
            runtime: Runtime::Docker,
            id: ID.as_bytes().into(),
            name: bytes("web"),
            labels: vec![(b"a".as_slice().into(), b"x\0y".as_slice().into())],
            sources: vec![Source::Socket],
            ..Container::default()
        };
        assert!(group.learn(more.clone()) && !group.learn(more));
        assert_eq!(all.of(&mut b, Some(&path), 3), Runs::In(1));
        let view = b.view(&schema);
        let get = |id: StrId| view.dict.strings.find(id);
        let [old, new] = view.dict.containers else { panic!("two entries") };
        assert_eq!((get(old.id), get(old.name), old.sources), (Some(ID.as_bytes()), None, 1));
        assert_eq!((get(new.id), get(new.name), new.sources), (Some(ID.as_bytes()), Some(&b"web"[..]), 5));
        assert_eq!((new.runtime, get(new.labels)), (1, Some(&b"a\0x y\0"[..])));
        b.reset(7);
        assert_eq!(all.of(&mut b, Some(&path), 3), Runs::In(0), "another block, another entry");
    }
}
