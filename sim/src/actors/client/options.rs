use std::time::Duration;

use rand::RngExt;
use squall_node::client::{
    Again, Options, Reconnect as BackOff, Subscription,
    protocol::{self, Acknowledge},
};
use squall_proto::{Text, Version};

use super::process::subscription;
use crate::{
    scenario::{Acknowledges, Client, Reconnect, Session},
    span::Span,
    world::generator,
};

/// Who a client is: its name among the group it is of, what the scenario says of it, and the run it is in.
#[derive(Clone, Debug)]
pub(crate) struct Character {
    pub(crate) name: String,
    pub(crate) spec: Client,
    pub(crate) version: Version,
    pub(crate) seed: u64,
}

impl Character {
    /// Its Client Identifier.
    pub(crate) fn client_id(&self) -> Text {
        let client_id = self.spec.client_id.as_ref().unwrap_or(&self.name);
        Text::new(client_id).expect("the scenario was checked for it")
    }

    /// As the client that ships wants it, with this session.
    pub(super) fn options(&self, session: Session) -> Options {
        let client_id = self.client_id();
        let mut protocol = match session {
            Session::Clean => protocol::Options::new(self.version, client_id.clone()),
            Session::Persistent => protocol::Options::persistent(self.version, client_id.clone()),
        };
        if let (Version::V5, Session::Persistent, Some(expiry)) =
            (self.version, session, self.spec.session_expiry)
        {
            protocol.session_expiry_interval = seconds(expiry);
        }
        // It may have left a session behind in an earlier life, or have it from another with its Client Identifier.
        protocol.adopt_session = session == Session::Persistent;
        protocol.keep_alive = u16::try_from(seconds(self.spec.keep_alive)).unwrap_or(u16::MAX);
        if let Some(receive_maximum) = self.spec.receive_maximum {
            protocol.receive_maximum = receive_maximum.get();
        }
        if self.spec.application.acknowledges != Acknowledges::Taken {
            protocol.acknowledge = Acknowledge::Manual;
        }
        if let Some(size) = self.spec.maximum_packet_size {
            protocol.packet_size_max = size.get();
        }
        if let Some(inflight) = self.spec.inflight {
            protocol.inflight = inflight.get();
        }
        protocol.topic_alias_maximum = self.spec.topic_alias_maximum;
        protocol.topic_aliases = self.spec.topic_aliases;
        let will = self.spec.will.as_ref();
        protocol.will = will.map(|will| will.packet(client_id.as_str(), self.version));
        let seed = generator(self.seed, &format!("client {}", self.name)).random();
        Options {
            reconnect: Some(self.back_off()),
            ..Options::new(protocol, seed)
        }
    }

    /// What it subscribes to by itself.
    pub(super) fn subscription(&self) -> Subscription {
        let Client {
            subscribe,
            subscription_identifier,
            ..
        } = &self.spec;
        subscription(subscribe, *subscription_identifier, self.version)
    }

    fn back_off(&self) -> BackOff {
        let (first, last) = match self.spec.reconnect {
            // The gate keeps it away, not the back-off.
            Reconnect::Never => (Duration::ZERO, Duration::ZERO),
            Reconnect::After(after) => (after.min().duration(), after.max().duration()),
        };
        BackOff {
            after: first..=last,
            after_max: last,
            lasted: Duration::ZERO,
            // What a scenario plays is often just that.
            when_refused: Again::AsUsual,
            when_taken_over: Again::AsUsual,
        }
    }
}

fn seconds(span: Span) -> u32 {
    u32::try_from(span.duration().as_secs()).unwrap_or(u32::MAX)
}
