use squall_proto::TopicFilter;
use tokio::sync::oneshot;

use crate::trace::Told;

/// Looks out for what clients tell their applications.
pub(crate) struct Lookout {
    /// By their names.
    pub(crate) clients: Vec<String>,
    pub(crate) wanted: Wanted,
    /// How many more have to come; the last of them is the one.
    pub(crate) count: u64,
    /// Whoever waits for it is told.
    pub(crate) tell: oneshot::Sender<()>,
}

/// What is looked out for.
#[derive(Clone, Debug)]
pub(crate) enum Wanted {
    Connected,
    Disconnected,
    /// A message, of a topic that matches.
    Message(Option<TopicFilter>),
}

impl Wanted {
    fn is(&self, told: &Told) -> bool {
        match (self, told) {
            (Self::Connected, Told::Connected { .. }) | (Self::Disconnected, Told::Disconnected { .. }) => {
                true
            }
            (Self::Message(filter), Told::Message { topic, .. }) => {
                filter.as_ref().is_none_or(|filter| filter.matches(topic))
            }
            (Self::Connected | Self::Disconnected | Self::Message(_), _) => false,
        }
    }
}

/// Those that have not seen it yet.
#[derive(Default)]
pub(super) struct Lookouts(Vec<Lookout>);

impl Lookouts {
    pub(super) fn add(&mut self, lookout: Lookout) {
        self.0.push(lookout);
    }

    /// Tells those for whom it was the last.
    pub(super) fn see(&mut self, client: &str, told: &Told) {
        let is_the_one = |lookout: &mut Lookout| {
            let is_meant = lookout.wanted.is(told) && lookout.clients.iter().any(|known| known == client);
            if is_meant {
                lookout.count = lookout.count.saturating_sub(1);
            }
            is_meant && lookout.count == 0
        };
        for seen in self.0.extract_if(.., is_the_one) {
            // Who no longer waits need not be told.
            _ = seen.tell.send(());
        }
    }
}
