//! What every event that can match has in common, beyond its code: what a probe may reject by.
//!
//! Enters: a planned tree. Leaves: [`Bounds`]: plain numbers that the kernel could compare without knowing the filter.
//! Never: too little: an event outside of the bounds does not match; one inside may or may not.
//!
//! This is the one place in the filter that knows fields by name: those whose values the kernel has at hand. Bounds say
//! nothing of what a name in use depends on: who rejects by them keeps what changes state.

use std::fmt::{self, Write as _};

use super::compare::{Compare, in_ranges, tidy};
use super::expr::{At, Basis};
use super::plan::{Planned, Tree};
use super::test::Test;
use crate::batch::{Batch, Dict, NO_LATENCY, NONE, ProcId};
use crate::fields::{Extract, Value, number, res};
use crate::schema::names;

/// Most single processes or numbers that are worth a list.
const MOST: usize = 64;

/// A process, perhaps with all that descend from it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Procs {
    /// Its id.
    pub pid: u32,
    /// And its descendants.
    pub descendants: bool,
}

/// Ranges of numbers, both ends included, sorted and disjoint.
type Ranges = Vec<(i128, i128)>;

/// Limits within which every event lies that can match.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Bounds {
    /// Its process is one of these; nothing: any.
    pub procs: Option<Vec<Procs>>,
    /// Its effective user id lies in one of these ranges; nothing: any.
    pub uids: Option<Ranges>,
    /// Its result lies in one of these ranges, errors negative; nothing: any.
    pub results: Option<Ranges>,
    /// It took at least so long, ns.
    pub min_latency: u64,
    /// Whether anything can match depends on the control group that it runs in, or on what that tells (container, pod, unit).
    pub groups: bool,
}

/// What the kernel has at hand.
#[derive(Clone, Copy)]
enum Fact {
    Pid,
    Ancestor,
    Uid,
    Result,
    Errno,
    Failed,
    Latency,
}

const FACTS: &[(&str, Fact)] = &[
    ("proc.pid", Fact::Pid),
    ("proc.ppid", Fact::Ancestor),
    ("proc.apid", Fact::Ancestor),
    ("user.uid", Fact::Uid),
    ("evt.rawres", Fact::Result),
    ("evt.res", Fact::Errno),
    ("evt.failed", Fact::Failed),
    ("evt.latency", Fact::Latency),
];

/// Classes of fields that are told by the control group of a process, those of them that are decided by the process alone.
const OF_GROUPS: [&str; 4] = ["container.", "k8s.", "cgroup.", "unit."];

/// For each side of a part (it holds, it does not), the limits; nothing if it never is so.
type Sides = (Option<Bounds>, Option<Bounds>);

impl Bounds {
    /// The bounds of a tree.
    pub(super) fn of(tree: &Tree, tests: &[Planned]) -> Bounds {
        // What never matches may be rejected by its codes.
        sides(tree, tests).0.unwrap_or_default()
    }

    /// True if there are none.
    pub fn is_unbounded(&self) -> bool {
        *self == Bounds::default()
    }

    /// True for a row within them.
    pub fn allow(&self, batch: &Batch<'_>, row: usize) -> bool {
        let ret = i128::from(batch.ret_of(row));
        let latency = batch.latency.get(row).copied().unwrap_or(NO_LATENCY);
        let proc = batch.proc_of(row);
        let line = || std::iter::successors(proc, |p| batch.dict.proc(p.parent)).take(256).map(|p| p.pid);
        let parents = || line().chain(proc.map(|p| p.ppid));
        self.results.as_ref().is_none_or(|all| in_ranges(all, ret))
            && (self.min_latency == 0 || (latency != NO_LATENCY && latency >= self.min_latency))
            && self
                .uids
                .as_ref()
                .is_none_or(|all| proc.is_some_and(|p| p.uid != NONE && in_ranges(all, i128::from(p.uid))))
            && self.procs.as_ref().is_none_or(|all| {
                all.iter().any(|p| match p.descendants {
                    true => parents().any(|pid| pid == p.pid),
                    false => proc.is_some_and(|of| of.pid == p.pid),
                })
            })
    }

    /// Both hold.
    fn and(self, other: Bounds) -> Option<Bounds> {
        let results = both(self.results, other.results, intersect);
        let uids = both(self.uids, other.uids, intersect);
        if [&results, &uids].into_iter().flatten().any(Vec::is_empty) {
            return None;
        }
        Some(Bounds {
            procs: both(self.procs, other.procs, |a, b| {
                if a.iter().chain(&b).any(|p| p.descendants) {
                    // Who descends from whom is not known here: either list is a limit, the shorter one the better.
                    return if a.len() <= b.len() { a } else { b };
                }
                a.into_iter().filter(|p| b.contains(p)).collect()
            }),
            uids,
            results,
            min_latency: self.min_latency.max(other.min_latency),
            groups: self.groups || other.groups,
        })
    }

    /// One of the two holds.
    fn or(self, other: Bounds) -> Bounds {
        let joined = |a: Option<Ranges>, b: Option<Ranges>| Some(tidy([a?, b?].concat()));
        let procs = match (self.procs, other.procs) {
            (Some(a), Some(b)) => {
                let mut all = [a, b].concat();
                all.sort_unstable();
                all.dedup();
                Some(all).filter(|all| all.len() <= MOST)
            }
            _ => None,
        };
        Bounds {
            procs,
            uids: joined(self.uids, other.uids),
            results: joined(self.results, other.results),
            min_latency: self.min_latency.min(other.min_latency),
            groups: self.groups && other.groups,
        }
    }
}

fn both<T>(a: Option<T>, b: Option<T>, and: impl FnOnce(T, T) -> T) -> Option<T> {
    match (a, b) {
        (Some(a), Some(b)) => Some(and(a, b)),
        (a, b) => a.or(b),
    }
}

fn intersect(a: Ranges, b: Ranges) -> Ranges {
    let all = a.iter().flat_map(|x| b.iter().map(move |y| (x.0.max(y.0), x.1.min(y.1))));
    tidy(all.collect())
}

fn complement(ranges: &Ranges) -> Ranges {
    let mut out = Vec::new();
    let mut from = i128::MIN;
    for (low, high) in ranges {
        if from < *low {
            out.push((from, low - 1));
        }
        from = high.saturating_add(1);
    }
    if from < i128::MAX {
        out.push((from, i128::MAX));
    }
    out
}

fn sides(tree: &Tree, tests: &[Planned]) -> Sides {
    let any = || Some(Bounds::default());
    let and = |a: Option<Bounds>, b: Option<Bounds>| a.zip(b).and_then(|(a, b)| a.and(b));
    let or = |a: Option<Bounds>, b: Option<Bounds>| match (a, b) {
        (Some(a), Some(b)) => Some(a.or(b)),
        (a, b) => a.or(b),
    };
    match tree {
        Tree::True => (any(), None),
        Tree::Not(inner) => {
            let (holds, fails) = sides(inner, tests);
            (fails, holds)
        }
        Tree::And(parts) => parts.iter().fold((any(), None), |all, part| {
            let one = sides(part, tests);
            (and(all.0, one.0), or(all.1, one.1))
        }),
        Tree::Or(parts) => parts.iter().fold((None, any()), |all, part| {
            let one = sides(part, tests);
            (or(all.0, one.0), and(all.1, one.1))
        }),
        Tree::Test(i) => match tests.get(*i) {
            Some(planned) => of_test(&planned.test),
            None => (any(), any()),
        },
    }
}

/// True for a test that is alike for all processes of a control group.
fn is_of_groups(test: &Test) -> bool {
    let mut all = test.basis() == Basis::Proc;
    test.fields(&mut |field, _| all &= OF_GROUPS.iter().any(|class| field.name.starts_with(class)));
    all
}

/// Whether a part can hold, and whether it can fail, for events of a process of which nothing is known but its control group.
pub(super) fn may(tree: &Tree, tests: &[Planned], dict: &Dict<'_>, id: ProcId) -> (bool, bool) {
    let part = |part: &Tree| may(part, tests, dict, id);
    match tree {
        Tree::True => (true, false),
        Tree::Not(inner) => {
            let (holds, fails) = part(inner);
            (fails, holds)
        }
        Tree::And(parts) => parts.iter().map(part).fold((true, false), |a, b| (a.0 && b.0, a.1 || b.1)),
        Tree::Or(parts) => parts.iter().map(part).fold((false, true), |a, b| (a.0 || b.0, a.1 && b.1)),
        Tree::Test(i) => match tests.get(*i) {
            Some(planned) if is_of_groups(&planned.test) => {
                let holds = planned.test.holds_at(At::Proc(dict, id));
                (holds, !holds)
            }
            _ => (true, true),
        },
    }
}

fn of_test(test: &Test) -> Sides {
    let any = Bounds::default;
    if is_of_groups(test) {
        let one = Bounds { groups: true, ..any() };
        return (Some(one.clone()), Some(one));
    }
    let fact = FACTS.iter().find(|(name, _)| *name == test.field.name).filter(|_| test.is_plain());
    let Some((_, fact)) = fact else { return (Some(any()), Some(any())) };
    let ranges = match &test.compare {
        Compare::Ranges(ranges) if test.negated() => Some(complement(ranges)),
        Compare::Ranges(ranges) => Some(ranges.clone()),
        _ => None,
    };
    let holds = match (fact, ranges) {
        (Fact::Pid, Some(r)) => Bounds { procs: procs(&r, false), ..any() },
        (Fact::Ancestor, Some(r)) => Bounds { procs: procs(&r, true), ..any() },
        (Fact::Uid, Some(r)) => Bounds { uids: Some(r), ..any() },
        (Fact::Result, Some(r)) => {
            // A result is always there, so what does not hold is known as well.
            let fails = match test.field.extract {
                Extract::Column(_, _, None) => Bounds { results: Some(complement(&r)), ..any() },
                _ => any(),
            };
            return (Some(Bounds { results: Some(r), ..any() }), Some(fails));
        }
        (Fact::Latency, Some(r)) => {
            let least = r.first().map_or(0, |r| r.0.clamp(0, i128::from(u64::MAX - 1)));
            Bounds { min_latency: least as u64, ..any() }
        }
        (Fact::Errno, _) => Bounds { results: Some(errors(test)), ..any() },
        (Fact::Failed, _) if !test.holds(&Value::Bool(false)) => {
            Bounds { results: Some(vec![(-4095, -1)]), ..any() }
        }
        _ => any(),
    };
    (Some(holds), Some(any()))
}

fn procs(ranges: &Ranges, descendants: bool) -> Option<Vec<Procs>> {
    if ranges.len() > MOST || ranges.iter().any(|(low, high)| high.saturating_sub(*low) >= MOST as i128) {
        return None;
    }
    let pids = ranges.iter().flat_map(|(low, high)| *low..=*high);
    let all: Vec<Procs> =
        pids.filter_map(|n| u32::try_from(n).ok()).map(|pid| Procs { pid, descendants }).collect();
    (all.len() <= MOST).then_some(all)
}

/// The results whose names fit.
fn errors(test: &Test) -> Ranges {
    let mut all = Vec::new();
    if test.holds(&Value::text(b"SUCCESS")) {
        all.extend([(i128::MIN, -4096), (0, i128::MAX)]);
    }
    let mut name = Vec::new();
    for n in 1..=4095i64 {
        name.clear();
        res::push(&mut name, -n);
        if test.holds(&Value::text(&name)) {
            all.push((i128::from(-n), i128::from(-n)));
        }
    }
    tidy(all)
}

/// One line for each limit.
impl fmt::Display for Bounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        if let Some(procs) = &self.procs {
            let name =
                |p: &Procs| format!("{}{}", p.pid, if p.descendants { " and what it starts" } else { "" });
            parts.push(format!("process {}", listed(procs.iter().map(name))));
        }
        if let Some(uids) = &self.uids {
            parts.push(format!("user id {}", listed(uids.iter().map(|r| range(*r, None)))));
        }
        if let Some(results) = &self.results {
            let errno = |n: i128| u64::try_from(-n).ok().and_then(names::errno);
            parts.push(format!("result {}", listed(results.iter().map(|r| range(*r, Some(&errno))))));
        }
        if self.min_latency > 0 {
            let mut span = Vec::new();
            number::span(&mut span, self.min_latency);
            parts.push(format!("latency from {}", String::from_utf8_lossy(&span)));
        }
        if self.groups {
            parts.push("a control group that fits, or of which not all is known".into());
        }
        f.write_str(&parts.join("; "))
    }
}

fn listed(all: impl Iterator<Item = String>) -> String {
    const SHOWN: usize = 8;
    let mut out = String::new();
    for (i, one) in all.enumerate() {
        match i {
            0 => {}
            SHOWN => {
                out.push_str(" or others");
                break;
            }
            _ => out.push_str(" or "),
        }
        let _ = write!(out, "{one}");
    }
    if out.is_empty() { "none".into() } else { out }
}

fn range((low, high): (i128, i128), name: Option<&dyn Fn(i128) -> Option<&'static str>>) -> String {
    let one = |n: i128| name.and_then(|name| name(n)).map_or_else(|| n.to_string(), str::to_owned);
    match (low, high) {
        (a, b) if a == b => one(a),
        (i128::MIN, b) => format!("up to {b}"),
        (a, i128::MAX) => format!("from {a}"),
        (-4095, -1) => "of an error".into(),
        (a, b) => format!("{a} to {b}"),
    }
}

#[cfg(test)]
mod tests {
    use crate::batch::{Builder, Container, Proc, proc_flags};
    use crate::filter::Filter;
    use crate::schema::{Arch, Schema};

    /// For a process of the host, one in a container, and one of which that is not known: may anything match there?
    #[test]
    fn a_control_group_is_rejected_only_for_what_it_tells() {
        let schema = Schema::native(Arch::X86_64);
        let mut b = Builder::new();
        let [web, unit, other] = ["web", "/a.slice/b.service", "/x"].map(|t| b.string(t.as_bytes()));
        let container = b.container(Container { name: web, ..Container::default() });
        let ids = [
            Proc { cgroup: unit, flags: proc_flags::HOST, ..Proc::default() },
            Proc { cgroup: other, container, ..Proc::default() },
            Proc { cgroup: other, ..Proc::default() },
        ]
        .map(|p| b.proc(p));
        let view = b.view(&schema);
        for (text, want) in [
            ("", [true, true, true]),
            ("container.name = web", [false, true, false]),
            ("container.name != web", [true, false, false]),
            ("not container.name = web", [true, false, true]),
            ("container.name = host and evt.type = read", [true, false, false]),
            ("container.name = web or evt.type = read", [true, true, true]),
            ("not (container.name = web or evt.type = read)", [true, false, true]),
            ("unit.name = b.service or cgroup.path = /x", [true, true, true]),
            ("unit.name = b.service or k8s.ns.name exists", [true, false, false]),
            ("toupper(container.name) = WEB and proc.pid = 1", [false, true, false]),
            ("container.duration > 1s", [true, true, true]),
            ("container.name = val(proc.name)", [true, true, true]),
        ] {
            let filter = Filter::parse(text, &schema).unwrap_or_else(|e| panic!("{}", e.render(text)));
            assert_eq!(ids.map(|id| filter.may_run(&view.dict, id)), want, "{text}");
        }
    }
}
