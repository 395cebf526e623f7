use alloc::{collections::BTreeMap, vec::Vec};

use super::{Acknowledge, Options, Receipt, Refusal, Ticket, connection::Connection, pending::Pending};
use crate::{
    PacketId, Qos, ReasonCode, SubscriptionId, SubscriptionOptions, Text, TopicFilter,
    exchange::{InboundQos2, OutboundQos1, OutboundQos2, Resend},
};

/// What outlives a connection.
// [MQTT-4.1.0-1] [v3 MQTT-4.1.0-1] [v3 MQTT-4.1.0-2]
#[derive(Debug)]
pub(super) struct Session {
    /// The application's, or the one the server assigned.
    // [MQTT-3.1.3-2] [v3 MQTT-3.1.3-2]
    pub(super) client_id: Text,
    standing: Standing,
    /// QoS 1 and 2 messages that were sent and are not finished.
    pub(super) publishes: BTreeMap<PacketId, Stage>,
    /// QoS 1 and 2 messages from the server that are not finished.
    pub(super) received: BTreeMap<PacketId, Received>,
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

/// A message from the server that is not finished.
#[derive(Debug)]
pub(super) enum Received {
    /// The application has it, and PUBACK or PUBREC has not been sent.
    Taken {
        /// Of its [`Receipt`].
        number: u64,
        qos: Qos,
        /// The last connection it came on.
        connection: u64,
        /// What the application said of it.
        verdict: Option<Result<(), Refusal>>,
    },
    /// QoS 2, with PUBREC and without PUBREL.
    AwaitingPubrel,
}

/// A message that was sent and is not finished.
#[derive(Debug)]
pub(super) enum Stage {
    /// QoS 1, without PUBACK.
    AtLeastOnce(Pending),
    /// QoS 2, without PUBREC.
    ExactlyOnce(Pending),
    /// QoS 2, with PUBREC and without PUBCOMP.
    Release(Release),
}

/// A QoS 2 message that the server has.
#[derive(Clone, Copy, Debug)]
pub(super) struct Release {
    /// Of the [`Pending`] that it was.
    pub(super) order: u64,
    pub(super) ticket: Ticket,
    /// What PUBREC said.
    pub(super) reason_code: ReasonCode,
    /// Rises with each PUBREC: the place of its PUBREL among all that is sent again.
    pub(super) released: u64,
}

/// Where the exchange of a message stands, at either QoS.
pub(super) enum Outbound {
    Qos1(OutboundQos1),
    Qos2(OutboundQos2),
}

impl Stage {
    /// A message whose PUBLISH was sent.
    pub(super) const fn of(pending: Pending) -> Self {
        match pending.message.qos {
            Qos::AtMostOnce | Qos::AtLeastOnce => Self::AtLeastOnce(pending),
            Qos::ExactlyOnce => Self::ExactlyOnce(pending),
        }
    }

    pub(super) const fn ticket(&self) -> Ticket {
        match self {
            Self::AtLeastOnce(pending) | Self::ExactlyOnce(pending) => pending.ticket,
            Self::Release(release) => release.ticket,
        }
    }

    /// What [`Record`](super::Record) names it by.
    pub(super) const fn order(&self) -> u64 {
        match self {
            Self::AtLeastOnce(pending) | Self::ExactlyOnce(pending) => pending.order,
            Self::Release(release) => release.order,
        }
    }

    /// Its place among all that is sent again.
    const fn place(&self) -> u64 {
        match self {
            Self::AtLeastOnce(pending) | Self::ExactlyOnce(pending) => pending.order,
            Self::Release(release) => release.released,
        }
    }

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
            received: BTreeMap::new(),
            subscriptions: BTreeMap::new(),
            next_packet_id: PacketId::MIN,
            next_order: 0,
        }
    }

    /// An earlier process had a session, which this one takes up unless it is to begin with a new one.
    pub(super) fn restored(&mut self, client_id: Text, options: &Options) {
        self.client_id = client_id;
        if !options.clean_start {
            self.standing = Standing::Kept;
        }
    }

    /// No number up to this one is used again.
    pub(super) fn continue_after(&mut self, order: u64) {
        self.next_order = self.next_order.max(order);
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

    pub(super) fn connection_ended(&mut self, connection: &Connection) {
        // A QoS 1 message that a resumed session did not send again may have expired at the server, and its Packet Identifier may name
        // another by now. At QoS 2 neither can be: [MQTT-4.3.3-7].
        self.received.retain(|_, received| match received {
            Received::Taken {
                qos: Qos::AtLeastOnce,
                connection: on,
                ..
            } => *on == connection.number(),
            Received::Taken { .. } | Received::AwaitingPubrel => true,
        });
        self.standing = if connection.session_outlives_it() {
            Standing::Kept
        } else {
            Standing::Ended
        };
    }

    /// The application gets a new message. `None`: it takes it at once.
    pub(super) fn receive(&mut self, packet_id: PacketId, qos: Qos, on: &Connection) -> Option<Receipt> {
        let number = self.next_order();
        let (verdict, receipt) = match on.acknowledge() {
            Acknowledge::Automatic => (Some(Ok(())), None),
            Acknowledge::Manual => (None, Some(Receipt { packet_id, number })),
        };
        let connection = on.number();
        let received = Received::Taken {
            number,
            qos,
            connection,
            verdict,
        };
        self.received.insert(packet_id, received);
        receipt
    }

    /// A message that the application has already came again on this connection.
    pub(super) fn attach(&mut self, packet_id: PacketId, number: u64) {
        if let Some(Received::Taken { connection, .. }) = self.received.get_mut(&packet_id) {
            *connection = number;
        }
    }

    /// Where the exchange of a QoS 2 message from the server stands. One that has no PUBREC yet has not begun.
    pub(super) fn stage(&self, packet_id: PacketId) -> InboundQos2 {
        match self.received.get(&packet_id) {
            Some(Received::AwaitingPubrel) => InboundQos2::AwaitingPubrel,
            Some(Received::Taken { .. }) | None => InboundQos2::Free,
        }
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
            .map(|(id, stage)| (stage.place(), *id))
            .collect();
        ids.sort_unstable();
        ids.into_iter().map(|(_, id)| id).collect()
    }
}
