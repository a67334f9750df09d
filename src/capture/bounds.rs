//! What the filter says of every event that can match, as the probe compares it.
//!
//! Enters: the filter's bounds. Leaves: the probe's, and marks of processes. Never: less than the filter's: where the probe
//! has fewer places, what lies between is let through.

use std::path::Path;

use super::scope::children;
use crate::filter::{Bounds, Procs};
use crate::source::abi;
use crate::source::live::Probe;

/// The probe's form of bounds.
pub(super) fn of(bounds: &Bounds) -> abi::Bounds {
    let any = [abi::Span { low: 0, width: u64::MAX }; abi::SPANS];
    let mut what = 0;
    if let Some(procs) = &bounds.procs {
        what |= abi::BOUND_PROCS;
        let tree = procs.iter().any(|p| p.descendants);
        if tree {
            what |= abi::BOUND_TREE;
        }
        // A process may come to a marked parent while it is in a call; then the time of entry may decide.
        if !tree || bounds.min_latency == 0 {
            what |= abi::BOUND_EARLY;
        }
    }
    let mut limit = |ranges: &Option<Vec<(i128, i128)>>, bit: u32| {
        let Some(spans) = ranges.as_deref().and_then(spans) else { return any };
        what |= bit;
        spans
    };
    let results = limit(&bounds.results, abi::BOUND_RESULT);
    let uids = limit(&bounds.uids, abi::BOUND_USER);
    if bounds.min_latency > 0 {
        what |= abi::BOUND_LATENCY;
    }
    if bounds.groups {
        what |= abi::BOUND_GROUP;
    }
    abi::Bounds { what, pad: 0, latency: bounds.min_latency, results, uids }
}

/// At most [`abi::SPANS`] spans that hold all of these sorted ranges, as far as they are numbers of 64 bits; `None` if
/// there are none.
fn spans(ranges: &[(i128, i128)]) -> Option<[abi::Span; abi::SPANS]> {
    let (least, most) = (i128::from(i64::MIN), i128::from(i64::MAX));
    let inside = ranges.iter().filter(|r| r.0 <= most && r.1 >= least && r.0 <= r.1);
    let mut all: Vec<(i64, i64)> = inside.map(|r| (r.0.max(least) as i64, r.1.min(most) as i64)).collect();
    while all.len() > abi::SPANS {
        // The narrowest gap is let through.
        let gap = |i: &usize| all[*i + 1].0.abs_diff(all[*i].1);
        let at = (0..all.len() - 1).min_by_key(gap)?;
        let next = all.remove(at + 1);
        all[at].1 = next.1;
    }
    let first = *all.first()?;
    all.resize(abi::SPANS, first);
    let spans: Vec<abi::Span> =
        all.iter().map(|(low, high)| abi::Span { low: *low, width: high.abs_diff(*low) }).collect();
    spans.try_into().ok()
}

/// Marks the processes that may match; what they start from now on is marked in the kernel. Gives those that exist.
pub(super) fn mark(probe: &Probe, proc: &Path, procs: &[Procs]) -> Vec<u32> {
    for p in procs {
        let heir = if p.descendants { abi::SCOPE_HEIR } else { 0 };
        probe.mark(p.pid, abi::SCOPE_PINNED | abi::SCOPE_MAY | heir);
    }
    if procs.iter().any(|p| p.descendants) {
        children(
            proc,
            |pid| probe.is_marked(pid, abi::SCOPE_HEIR),
            |pid| probe.mark(pid, abi::SCOPE_MAY | abi::SCOPE_HEIR),
        )
    } else {
        procs.iter().map(|p| p.pid).filter(|pid| proc.join(pid.to_string()).exists()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::Filter;
    use crate::schema::{Arch, Schema};

    fn holds(spans: &[abi::Span], v: i64) -> bool {
        // As the probe does it.
        spans.iter().any(|s| (v as u64).wrapping_sub(s.low as u64) <= s.width)
    }

    #[test]
    fn a_span_is_one_comparison_to_the_ends_of_the_numbers() {
        let edges = [i64::MIN, i64::MIN + 1, -4096, -4095, -2, -1, 0, 1, 7, i64::MAX - 1, i64::MAX];
        for a in edges {
            for b in edges.iter().copied().filter(|b| *b >= a) {
                let s = spans(&[(i128::from(a), i128::from(b))]).unwrap();
                for v in edges {
                    assert_eq!(holds(&s, v), a <= v && v <= b, "{v} in {a}..{b}");
                }
            }
        }
        let s = spans(&[(i128::MIN, -4096), (0, i128::MAX)]).unwrap();
        assert!(holds(&s, i64::MIN) && holds(&s, i64::MAX) && holds(&s, 0) && !holds(&s, -1));
        assert_eq!(spans(&[]), None);
    }

    #[test]
    fn what_has_no_place_is_let_through() {
        let ranges: Vec<(i128, i128)> = [-110, -104, -32, -11, -4, -2].map(|n| (n, n)).to_vec();
        let s = spans(&ranges).unwrap();
        for (n, _) in &ranges {
            assert!(holds(&s, *n as i64), "{n}");
        }
        // The narrowest gaps: between -4 and -2, and between -110 and -104.
        let more: Vec<i64> = (-200..200).filter(|v| holds(&s, *v)).collect();
        assert_eq!(more, [-110, -109, -108, -107, -106, -105, -104, -32, -11, -4, -3, -2]);
    }

    #[test]
    fn filters_become_what_the_probe_compares() {
        let schema = Schema::native(Arch::X86_64);
        let bounds = |text: &str| of(Filter::parse(text, &schema).unwrap().bounds());
        use abi::*;
        for (text, what) in [
            ("evt.type = read", 0),
            ("proc.pid = 7", BOUND_PROCS | BOUND_EARLY),
            ("proc.apid = 7", BOUND_PROCS | BOUND_TREE | BOUND_EARLY),
            ("proc.apid = 7 and evt.latency > 1s", BOUND_PROCS | BOUND_TREE | BOUND_LATENCY),
            ("proc.pid = 7 and evt.latency > 1s", BOUND_PROCS | BOUND_EARLY | BOUND_LATENCY),
            ("container.name = web", BOUND_GROUP),
            (
                "not (container.id = host or k8s.ns.name = a) and evt.failed = true",
                BOUND_GROUP | BOUND_RESULT,
            ),
            ("unit.name = a.service or proc.pid = 7", 0),
            ("unit.name = a.service or cgroup.path = /b", BOUND_GROUP),
            ("container.duration > 1s", 0),
            ("container.name = val(proc.name)", 0),
            ("user.uid = 33", BOUND_USER),
            ("user.uid != 33", BOUND_USER),
            ("user.uid = 33 and evt.failed = true", BOUND_USER | BOUND_RESULT),
            ("user.uid = 33 or evt.failed = true", 0),
            ("not evt.failed = true", 0),
        ] {
            assert_eq!(bounds(text).what, what, "{text}");
        }
        let b = bounds("user.uid != 33 and evt.res = ENOENT and evt.latency >= 2ms");
        assert_eq!(b.latency, 2_000_000);
        assert_eq!(b.results, [Span { low: -2, width: 0 }; SPANS]);
        assert!(holds(&b.uids, 32) && holds(&b.uids, 34) && !holds(&b.uids, 33));
        assert!(holds(&b.uids, 0) && holds(&b.uids, i64::from(u32::MAX)));
    }

    #[test]
    fn both_sides_lay_them_out_alike() {
        assert_eq!(size_of::<abi::Bounds>(), abi::BOUNDS as usize);
        assert_eq!(std::mem::offset_of!(abi::Bounds, results), abi::BOUND_RESULTS as usize);
        assert_eq!(std::mem::offset_of!(abi::Bounds, uids), abi::BOUND_UIDS as usize);
        assert_eq!(std::mem::offset_of!(abi::Producer, rejected), abi::REJECTED as usize);
        assert_eq!(std::mem::offset_of!(abi::Producer, collisions), abi::COLLISIONS as usize);
    }
}
