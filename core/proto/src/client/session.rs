use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};

use super::{Message, Options, Ticket};
use crate::{
    PacketId, ReasonCode, SubscriptionId, SubscriptionOptions, Text, TopicFilter,
    exchange::{OutboundQos1, OutboundQos2, Resend},
};

/// What outlives a connection.
// [MQTT-4.1.0-1] [v3 MQTT-4.1.0-1] [v3 MQTT-4.1.0-2]
#[derive(Debug)]
pub(super) struct Session {
    /// The application's, or the one the server assigned.
    pub(super) client_id: Text,
    standing: Standing,
    /// QoS 1 and 2 messages that were sent and are not finished.
    pub(super) publishes: BTreeMap<PacketId, Sent>,
    /// Packet Identifiers of QoS 2 messages from the server without PUBREL.
    pub(super) received: BTreeSet<PacketId>,
    /// What SUBACK granted, for when the server loses it.
    pub(super) subscriptions: BTreeMap<TopicFilter, (SubscriptionOptions, Option<SubscriptionId>)>,
    next_packet_id: PacketId,
    next_order: u64,
}

/// What this client has of a session with the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// It never had one.
    Unknown,
    /// One that both keep.
    Kept,
    /// One that ended with its connection.
    Ended,
}

/// A message that was sent and is not finished.
#[derive(Debug)]
pub(super) struct Sent {
    /// Rises with each PUBLISH sent first, and with each PUBREC: the order in which all is sent again.
    pub(super) order: u64,
    pub(super) ticket: Ticket,
    pub(super) stage: Stage,
}

#[derive(Debug)]
pub(super) enum Stage {
    /// QoS 1, without PUBACK.
    AtLeastOnce(Message),
    /// QoS 2, without PUBREC.
    ExactlyOnce(Message),
    /// QoS 2, with this PUBREC and without PUBCOMP.
    Release(ReasonCode),
}

/// Where the exchange of a message stands, at either QoS.
pub(super) enum Outbound {
    Qos1(OutboundQos1),
    Qos2(OutboundQos2),
}

impl Stage {
    pub(super) const fn state(&self) -> Outbound {
        match self {
            Self::AtLeastOnce(_) => Outbound::Qos1(OutboundQos1::AwaitingPuback),
            Self::ExactlyOnce(_) => Outbound::Qos2(OutboundQos2::AwaitingPubrec),
            Self::Release(_) => Outbound::Qos2(OutboundQos2::AwaitingPubcomp),
        }
    }

    pub(super) const fn resend(&self) -> Option<Resend> {
        match self.state() {
            Outbound::Qos1(state) => state.resend(),
            Outbound::Qos2(state) => state.resend(),
        }
    }
}

impl Outbound {
    pub(super) const fn is_complete(&self) -> bool {
        matches!(
            self,
            Self::Qos1(OutboundQos1::Complete) | Self::Qos2(OutboundQos2::Complete)
        )
    }
}

impl Session {
    pub(super) const fn new(client_id: Text) -> Self {
        Self {
            client_id,
            standing: Standing::Unknown,
            publishes: BTreeMap::new(),
            received: BTreeSet::new(),
            subscriptions: BTreeMap::new(),
            next_packet_id: PacketId::MIN,
            next_order: 0,
        }
    }

    /// Clean Start of the next CONNECT.
    pub(super) const fn clean_start(&self, options: &Options) -> bool {
        match self.standing {
            Standing::Unknown => options.clean_start,
            Standing::Kept => false,
            Standing::Ended => true,
        }
    }

    /// Whether this client has a session that the server may still have too.
    pub(super) const fn is_kept(&self) -> bool {
        matches!(self.standing, Standing::Kept)
    }

    pub(super) const fn connected(&mut self) {
        self.standing = Standing::Kept;
    }

    pub(super) const fn connection_ended(&mut self, session_outlives_it: bool) {
        self.standing = if session_outlives_it {
            Standing::Kept
        } else {
            Standing::Ended
        };
    }

    /// A Packet Identifier that no message uses, nor anything for which `in_use` says so; `None` when there is none.
    // [MQTT-2.2.1-3] [MQTT-4.3.2-1] [MQTT-4.3.3-1] [v3 MQTT-2.3.1-2] [v3 MQTT-2.3.1-3] One set for PUBLISH, SUBSCRIBE and UNSUBSCRIBE.
    pub(super) fn free_packet_id(&mut self, in_use: impl Fn(PacketId) -> bool) -> Option<PacketId> {
        let first = self.next_packet_id;
        let mut packet_id = first;
        while self.publishes.contains_key(&packet_id) || in_use(packet_id) {
            packet_id = packet_id.following();
            if packet_id == first {
                return None;
            }
        }
        self.next_packet_id = packet_id.following();
        Some(packet_id)
    }

    pub(super) const fn next_order(&mut self) -> u64 {
        self.next_order += 1;
        self.next_order
    }

    /// The unfinished messages in the order in which they are sent again.
    // [MQTT-4.6.0-1] [MQTT-4.6.0-4] [v3 MQTT-4.6.0-1] [v3 MQTT-4.6.0-4]
    pub(super) fn in_order(&self) -> Vec<PacketId> {
        let mut ids: Vec<_> = self
            .publishes
            .iter()
            .map(|(id, sent)| (sent.order, *id))
            .collect();
        ids.sort_unstable();
        ids.into_iter().map(|(_, id)| id).collect()
    }
}
