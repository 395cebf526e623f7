use std::collections::{BTreeMap, VecDeque};

use squall_proto::Instant;

use super::{Side, Trace, What, WireId};

/// When the packets of a run arrived.
#[derive(Debug)]
pub struct Arrivals(BTreeMap<usize, Instant>);

impl Arrivals {
    /// Of this run.
    pub fn new(trace: &Trace) -> Self {
        let mut arrivals = BTreeMap::new();
        let mut under_way: BTreeMap<(WireId, Side), VecDeque<usize>> = BTreeMap::new();
        for (index, event) in trace.events.iter().enumerate() {
            if let What::Sent { wire, from, .. } = &event.what {
                under_way.entry((*wire, *from)).or_default().push_back(index);
            } else if let What::Arrived { wire, from, .. } | What::Unread { wire, from, .. } = &event.what
                // In the order in which they were sent.
                && let Some(sent) = under_way.get_mut(&(*wire, *from)).and_then(VecDeque::pop_front)
            {
                arrivals.insert(sent, event.at);
            }
        }
        Self(arrivals)
    }

    /// When the packet that was sent at this place of the trace arrived. `None`: it never did, or none was sent there.
    pub fn of(&self, sent: usize) -> Option<Instant> {
        self.0.get(&sent).copied()
    }
}
