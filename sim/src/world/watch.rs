use squall_proto::PacketType;
use tokio::sync::oneshot;

use crate::{
    faults::{CutMode, CutSide},
    trace::Side,
};

/// Looks out for the nth packet of a type that some clients send, or that is sent to them.
pub(crate) struct Watch {
    /// The clients' hosts, by their places in the world.
    pub(crate) clients: Vec<usize>,
    pub(crate) from: Side,
    pub(crate) packet: PacketType,
    /// How many more have to come; the last of them is the one.
    pub(crate) nth: u64,
    pub(crate) then: Then,
}

/// What happens at the packet.
pub(crate) enum Then {
    /// Whoever waits for it is told.
    Tell(oneshot::Sender<()>),
    /// The connection is cut.
    Cut {
        /// The place of the fault among the scenario's steps.
        step: usize,
        /// The fault in words.
        what: String,
        side: CutSide,
        mode: CutMode,
        /// Whoever waits for it is told.
        tell: oneshot::Sender<()>,
    },
}

/// The watches that have not seen their packet yet.
#[derive(Default)]
pub(super) struct Watches(Vec<Watch>);

impl Watches {
    pub(super) fn add(&mut self, watch: Watch) {
        self.0.push(watch);
    }

    /// Counts a packet; takes out what it was the last one for.
    pub(super) fn seen(&mut self, client: usize, from: Side, packet: PacketType) -> Vec<Then> {
        let is_the_one = |watch: &mut Watch| {
            let matches = watch.packet == packet && watch.from == from && watch.clients.contains(&client);
            if matches {
                watch.nth = watch.nth.saturating_sub(1);
            }
            matches && watch.nth == 0
        };
        self.0
            .extract_if(.., is_the_one)
            .map(|watch| watch.then)
            .collect()
    }
}
