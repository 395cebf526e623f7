//! The packets, as what is on the wire says them.

mod packet_ref;
mod packet_type;
mod qos;

use alloc::{boxed::Box, vec::Vec};

use bytes::Bytes;

use crate::{Binary, PacketId, Properties, ReasonCode, Text, TopicFilter, TopicName, Version};

pub use self::{
    packet_ref::{PacketRef, PublishRef},
    packet_type::PacketType,
    qos::{Delivery, Qos},
};

/// An MQTT Control Packet of either version. In 3.1.1 every [`Properties`] is empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Packet {
    /// Client requests a connection to a server.
    Connect(Box<Connect>),
    /// Connect acknowledgement.
    Connack(Connack),
    /// Publish message.
    Publish(Publish),
    /// Publish acknowledgement (QoS 1).
    Puback(Ack),
    /// Publish received (QoS 2 delivery part 1).
    Pubrec(Ack),
    /// Publish release (QoS 2 delivery part 2).
    Pubrel(Ack),
    /// Publish complete (QoS 2 delivery part 3).
    Pubcomp(Ack),
    /// Subscribe request.
    Subscribe(Subscribe),
    /// Subscribe acknowledgement.
    Suback(Suback),
    /// Unsubscribe request.
    Unsubscribe(Unsubscribe),
    /// Unsubscribe acknowledgement.
    Unsuback(Unsuback),
    /// PING request.
    Pingreq,
    /// PING response.
    Pingresp,
    /// Disconnect notification.
    Disconnect(Disconnect),
    /// Authentication exchange, 5.0 alone.
    Auth(Auth),
}

/// CONNECT.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connect {
    /// Which version the client speaks.
    pub version: Version,
    /// Clean Start; Clean Session in 3.1.1.
    pub clean_start: bool,
    /// Seconds; 0 switches it off.
    pub keep_alive: u16,
    /// May be empty: the server then chooses one.
    pub client_id: Text,
    /// What is published when the connection ends without DISCONNECT.
    pub will: Option<Will>,
    /// User Name.
    pub user_name: Option<Text>,
    /// Password. In 3.1.1 only ever beside a User Name.
    pub password: Option<Binary>,
    /// The properties of CONNECT itself.
    pub properties: Properties,
}

/// The Will Message of a CONNECT.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Will {
    /// Where it is published.
    pub topic: TopicName,
    /// What is published.
    pub payload: Binary,
    /// Will QoS.
    pub qos: Qos,
    /// Will Retain.
    pub retain: bool,
    /// Will Delay Interval and the properties of the PUBLISH to come.
    pub properties: Properties,
}

/// CONNACK.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connack {
    /// Session Present. False beside any Reason Code but Success.
    pub session_present: bool,
    /// In 3.1.1 one with a [`ReasonCode::connect_return_code`]; the encoder sends 3 (Server unavailable) for others.
    pub reason_code: ReasonCode,
    /// Properties.
    pub properties: Properties,
}

/// PUBLISH.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publish {
    /// Whether this may be a re-delivery. Never set at QoS 0.
    pub dup: bool,
    /// RETAIN.
    pub retain: bool,
    /// The QoS and, at QoS 1 and 2, the Packet Identifier.
    pub delivery: Delivery,
    /// `None` where a Topic Alias stands in its place (5.0).
    pub topic: Option<TopicName>,
    /// The Application Message itself, a slice of what was read.
    pub payload: Bytes,
    /// Properties.
    pub properties: Properties,
}

/// PUBACK, PUBREC, PUBREL or PUBCOMP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ack {
    /// That of the PUBLISH.
    pub packet_id: PacketId,
    /// Always Success in 3.1.1.
    pub reason_code: ReasonCode,
    /// Reason String and User Properties.
    pub properties: Properties,
}

/// SUBSCRIBE.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscribe {
    /// Packet Identifier.
    pub packet_id: PacketId,
    /// At least one.
    pub filters: Vec<(TopicFilter, SubscriptionOptions)>,
    /// Subscription Identifier and User Properties.
    pub properties: Properties,
}

/// The options of a subscription. 3.1.1 knows the QoS alone; the others are then as in `Default`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SubscriptionOptions {
    /// The maximum QoS of what is sent for it.
    pub qos: Qos,
    /// Whether the client's own messages are left out.
    pub no_local: bool,
    /// Whether RETAIN is forwarded as it came.
    pub retain_as_published: bool,
    /// Which retained messages subscribing sends.
    pub retain_handling: RetainHandling,
}

/// Retain Handling.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum RetainHandling {
    /// 0: retained messages are sent at every SUBSCRIBE.
    #[default]
    Send,
    /// 1: only when the subscription did not exist.
    SendIfNew,
    /// 2: never.
    DoNotSend,
}

/// SUBACK.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suback {
    /// That of the SUBSCRIBE.
    pub packet_id: PacketId,
    /// One a filter, in order. 3.1.1 knows 0, 1, 2 and 0x80; the encoder sends 0x80 for every other error.
    pub reason_codes: Vec<ReasonCode>,
    /// Reason String and User Properties.
    pub properties: Properties,
}

/// UNSUBSCRIBE.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsubscribe {
    /// Packet Identifier.
    pub packet_id: PacketId,
    /// At least one.
    pub filters: Vec<TopicFilter>,
    /// User Properties.
    pub properties: Properties,
}

/// UNSUBACK.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsuback {
    /// That of the UNSUBSCRIBE.
    pub packet_id: PacketId,
    /// One a filter, in order. Empty in 3.1.1.
    pub reason_codes: Vec<ReasonCode>,
    /// Reason String and User Properties.
    pub properties: Properties,
}

/// DISCONNECT. In 3.1.1 only the client's normal one exists: Success without properties.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disconnect {
    /// Why.
    pub reason_code: ReasonCode,
    /// Session Expiry Interval, Reason String, Server Reference and User Properties.
    pub properties: Properties,
}

/// AUTH, 5.0 alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Auth {
    /// Success, Continue authentication or Re-authenticate.
    pub reason_code: ReasonCode,
    /// Authentication Method and Data, Reason String and User Properties.
    pub properties: Properties,
}

impl RetainHandling {
    /// 0, 1 or 2.
    pub const fn value(self) -> u8 {
        self as u8
    }

    /// `None` for 3 and above.
    pub const fn from_value(value: u8) -> Option<Self> {
        match value {
            0 => Some(Self::Send),
            1 => Some(Self::SendIfNew),
            2 => Some(Self::DoNotSend),
            _ => None,
        }
    }
}

impl Will {
    /// The same without the buffer it was read into.
    pub(crate) fn detached(self) -> Self {
        Self {
            topic: self.topic.detached(),
            payload: self.payload.detached(),
            properties: self.properties.detached(),
            ..self
        }
    }
}

impl Ack {
    /// The acknowledgement that says Success and nothing more.
    pub const fn success(packet_id: PacketId) -> Self {
        Self::of(packet_id, ReasonCode::Success)
    }

    /// The acknowledgement with this Reason Code and no properties.
    pub const fn of(packet_id: PacketId, reason_code: ReasonCode) -> Self {
        Self {
            packet_id,
            reason_code,
            properties: Properties::new(),
        }
    }
}

impl Disconnect {
    /// DISCONNECT with this Reason Code and no properties.
    pub const fn of(reason_code: ReasonCode) -> Self {
        Self {
            reason_code,
            properties: Properties::new(),
        }
    }
}

impl Packet {
    /// Its properties, where it may have any.
    pub const fn properties(&self) -> Option<&Properties> {
        match self {
            Self::Connect(connect) => Some(&connect.properties),
            Self::Connack(connack) => Some(&connack.properties),
            Self::Publish(publish) => Some(&publish.properties),
            Self::Puback(ack) | Self::Pubrec(ack) | Self::Pubrel(ack) | Self::Pubcomp(ack) => {
                Some(&ack.properties)
            }
            Self::Subscribe(subscribe) => Some(&subscribe.properties),
            Self::Suback(suback) => Some(&suback.properties),
            Self::Unsubscribe(unsubscribe) => Some(&unsubscribe.properties),
            Self::Unsuback(unsuback) => Some(&unsuback.properties),
            Self::Disconnect(disconnect) => Some(&disconnect.properties),
            Self::Auth(auth) => Some(&auth.properties),
            Self::Pingreq | Self::Pingresp => None,
        }
    }

    pub(crate) const fn properties_mut(&mut self) -> Option<&mut Properties> {
        match self {
            Self::Connect(connect) => Some(&mut connect.properties),
            Self::Connack(connack) => Some(&mut connack.properties),
            Self::Publish(publish) => Some(&mut publish.properties),
            Self::Puback(ack) | Self::Pubrec(ack) | Self::Pubrel(ack) | Self::Pubcomp(ack) => {
                Some(&mut ack.properties)
            }
            Self::Subscribe(subscribe) => Some(&mut subscribe.properties),
            Self::Suback(suback) => Some(&mut suback.properties),
            Self::Unsubscribe(unsubscribe) => Some(&mut unsubscribe.properties),
            Self::Unsuback(unsuback) => Some(&mut unsuback.properties),
            Self::Disconnect(disconnect) => Some(&mut disconnect.properties),
            Self::Auth(auth) => Some(&mut auth.properties),
            Self::Pingreq | Self::Pingresp => None,
        }
    }

    /// Its type.
    pub const fn packet_type(&self) -> PacketType {
        match self {
            Self::Connect(_) => PacketType::Connect,
            Self::Connack(_) => PacketType::Connack,
            Self::Publish(_) => PacketType::Publish,
            Self::Puback(_) => PacketType::Puback,
            Self::Pubrec(_) => PacketType::Pubrec,
            Self::Pubrel(_) => PacketType::Pubrel,
            Self::Pubcomp(_) => PacketType::Pubcomp,
            Self::Subscribe(_) => PacketType::Subscribe,
            Self::Suback(_) => PacketType::Suback,
            Self::Unsubscribe(_) => PacketType::Unsubscribe,
            Self::Unsuback(_) => PacketType::Unsuback,
            Self::Pingreq => PacketType::Pingreq,
            Self::Pingresp => PacketType::Pingresp,
            Self::Disconnect(_) => PacketType::Disconnect,
            Self::Auth(_) => PacketType::Auth,
        }
    }
}
