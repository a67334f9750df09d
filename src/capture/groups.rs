//! Which control groups the kernel rejects.
//!
//! Enters: what state tells of control groups. Leaves: ids in the probe's map. Never: a group of which more may become known,
//! or where anything can match; what is rejected is that which the filter would reject with what is known at this time.

use super::Capture;
use crate::batch::Builder;
use crate::source::live::Probe;
use crate::state::Judged;

/// Where groups are judged.
#[derive(Default)]
pub(super) struct Groups {
    /// A block of processes that stand for groups.
    block: Builder,
    judged: Vec<Judged>,
}

impl Capture<'_> {
    /// Judges control groups until `until` (boot clock, ns). True if there are more.
    pub(super) fn judge(&mut self, probe: &Probe, until: u64) -> bool {
        let Groups { block, judged } = &mut self.groups;
        let more = self.state.judge(until, block, judged);
        if !judged.is_empty() {
            let view = block.view(self.schema);
            for group in judged.drain(..) {
                let (ids, rejected) = match group {
                    Judged::Settled(ids, proc) => (ids, !self.selector.filter().may_run(&view.dict, proc)),
                    Judged::Open(ids) => (ids, false),
                };
                ids.iter().for_each(|id| probe.reject_group(*id, rejected));
            }
            block.reset(1);
        }
        more
    }
}
