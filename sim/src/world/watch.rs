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
    pub(crate) nth: u64,
    /// How often; each time it counts anew.
    pub(crate) times: u64,
    pub(crate) then: Then,
}

/// What happens at the packet.
pub(crate) enum Then {
    /// Whoever waits for it is told.
    Tell(oneshot::Sender<()>),
    /// The connection is cut.
    Cut {
        it: PlannedCut,
        /// Whoever waits for the last time is told.
        last: Option<oneshot::Sender<()>>,
    },
}

/// A cut that waits for its packet.
#[derive(Clone)]
pub(crate) struct PlannedCut {
    /// The place of the fault among the scenario's steps.
    pub(crate) step: usize,
    /// The fault in words.
    pub(crate) what: String,
    pub(crate) side: CutSide,
    pub(crate) mode: CutMode,
}

/// The watches that have not seen their last packet yet.
#[derive(Default)]
pub(super) struct Watches(Vec<Counting>);

struct Counting {
    watch: Watch,
    /// How many more have to come.
    left: u64,
}

impl Watches {
    pub(super) fn add(&mut self, watch: Watch) {
        let left = watch.nth;
        self.0.push(Counting { watch, left });
    }

    /// Counts a packet; says what it was the last one for.
    pub(super) fn seen(&mut self, client: usize, from: Side, packet: PacketType) -> Vec<Then> {
        let mut happens = Vec::new();
        let is_over = |counting: &mut Counting| {
            let watch = &mut counting.watch;
            if watch.packet != packet || watch.from != from || !watch.clients.contains(&client) {
                return false;
            }
            counting.left = counting.left.saturating_sub(1);
            if counting.left > 0 {
                return false;
            }
            counting.left = watch.nth;
            watch.times = watch.times.saturating_sub(1);
            if let (1.., Then::Cut { it, .. }) = (watch.times, &watch.then) {
                happens.push(Then::Cut {
                    it: it.clone(),
                    last: None,
                });
            }
            watch.times == 0
        };
        let over: Vec<_> = self.0.extract_if(.., is_over).collect();
        happens.extend(over.into_iter().map(|counting| counting.watch.then));
        happens
    }
}
