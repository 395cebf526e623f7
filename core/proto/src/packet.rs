use alloc::{boxed::Box, vec::Vec};

use bytes::Bytes;

use crate::{
    Binary, PacketId, Properties, ReasonCode, SubscriptionId, Text, TopicFilter, TopicName, Version,
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

/// The type of an MQTT Control Packet, by the number in its fixed header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
#[expect(
    missing_docs,
    reason = "each is documented at the variant of `Packet` of the same name"
)]
pub enum PacketType {
    Connect = 1,
    Connack,
    Publish,
    Puback,
    Pubrec,
    Pubrel,
    Pubcomp,
    Subscribe,
    Suback,
    Unsubscribe,
    Unsuback,
    Pingreq,
    Pingresp,
    Disconnect,
    Auth,
}

/// Quality of Service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Qos {
    /// QoS 0.
    #[default]
    AtMostOnce,
    /// QoS 1.
    AtLeastOnce,
    /// QoS 2.
    ExactlyOnce,
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

/// The QoS of a PUBLISH, with the Packet Identifier that QoS 1 and 2 have and QoS 0 has not.
// [MQTT-2.2.1-2] [v3 MQTT-2.3.1-5]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// QoS 0.
    AtMostOnce,
    /// QoS 1.
    AtLeastOnce(PacketId),
    /// QoS 2.
    ExactlyOnce(PacketId),
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

/// A packet to encode, borrowed: either a whole [`Packet`], or a PUBLISH put together from parts that many receivers share.
#[derive(Clone, Copy, Debug)]
pub enum PacketRef<'a> {
    /// Any packet.
    Packet(&'a Packet),
    /// A PUBLISH from its parts.
    Publish(PublishRef<'a>),
}

/// The parts of an outgoing PUBLISH. On the wire the properties are `topic_alias`, `message_expiry_interval`, then
/// `properties`, then `subscription_identifiers`, each only where given; none at all in 3.1.1.
#[derive(Clone, Copy, Debug)]
pub struct PublishRef<'a> {
    /// See [`Publish::dup`].
    pub dup: bool,
    /// See [`Publish::retain`].
    pub retain: bool,
    /// See [`Publish::delivery`].
    pub delivery: Delivery,
    /// `None` where the Topic Alias stands in its place.
    pub topic: Option<&'a TopicName>,
    /// Topic Alias.
    pub topic_alias: Option<crate::TopicAlias>,
    /// Seconds that remain. It replaces any in `properties`, where there must be none.
    pub message_expiry_interval: Option<u32>,
    /// The properties the Application Message came with, without the other three kinds.
    pub properties: &'a Properties,
    /// The identifiers of the subscriptions it is sent for.
    pub subscription_identifiers: &'a [SubscriptionId],
    /// The Application Message.
    pub payload: &'a Bytes,
}

impl<'a> From<&'a Packet> for PacketRef<'a> {
    fn from(packet: &'a Packet) -> Self {
        Self::Packet(packet)
    }
}

impl<'a> From<&'a Publish> for PublishRef<'a> {
    /// All properties are left where they stand.
    fn from(publish: &'a Publish) -> Self {
        Self {
            dup: publish.dup,
            retain: publish.retain,
            delivery: publish.delivery,
            topic: publish.topic.as_ref(),
            topic_alias: None,
            message_expiry_interval: None,
            properties: &publish.properties,
            subscription_identifiers: &[],
            payload: &publish.payload,
        }
    }
}

impl Delivery {
    /// The QoS.
    pub const fn qos(self) -> Qos {
        match self {
            Self::AtMostOnce => Qos::AtMostOnce,
            Self::AtLeastOnce(_) => Qos::AtLeastOnce,
            Self::ExactlyOnce(_) => Qos::ExactlyOnce,
        }
    }

    /// The Packet Identifier, at QoS 1 and 2.
    pub const fn packet_id(self) -> Option<PacketId> {
        match self {
            Self::AtMostOnce => None,
            Self::AtLeastOnce(packet_id) | Self::ExactlyOnce(packet_id) => Some(packet_id),
        }
    }
}

impl Qos {
    /// All three, lowest first.
    pub const ALL: [Self; 3] = [Self::AtMostOnce, Self::AtLeastOnce, Self::ExactlyOnce];

    /// 0, 1 or 2.
    pub const fn value(self) -> u8 {
        self as u8
    }

    /// `None` for 3 and above.
    pub const fn from_value(value: u8) -> Option<Self> {
        match value {
            0 => Some(Self::AtMostOnce),
            1 => Some(Self::AtLeastOnce),
            2 => Some(Self::ExactlyOnce),
            _ => None,
        }
    }
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

impl PacketType {
    /// Every type, by number.
    pub const ALL: [Self; 15] = [
        Self::Connect,
        Self::Connack,
        Self::Publish,
        Self::Puback,
        Self::Pubrec,
        Self::Pubrel,
        Self::Pubcomp,
        Self::Subscribe,
        Self::Suback,
        Self::Unsubscribe,
        Self::Unsuback,
        Self::Pingreq,
        Self::Pingresp,
        Self::Disconnect,
        Self::Auth,
    ];

    /// The number in the fixed header.
    pub const fn value(self) -> u8 {
        self as u8
    }

    /// `None` for 0, which is reserved, and for what four bits cannot hold.
    pub fn from_value(value: u8) -> Option<Self> {
        Self::ALL.get(usize::from(value).checked_sub(1)?).copied()
    }

    /// As the standard writes it: `PUBLISH`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Connect => "CONNECT",
            Self::Connack => "CONNACK",
            Self::Publish => "PUBLISH",
            Self::Puback => "PUBACK",
            Self::Pubrec => "PUBREC",
            Self::Pubrel => "PUBREL",
            Self::Pubcomp => "PUBCOMP",
            Self::Subscribe => "SUBSCRIBE",
            Self::Suback => "SUBACK",
            Self::Unsubscribe => "UNSUBSCRIBE",
            Self::Unsuback => "UNSUBACK",
            Self::Pingreq => "PINGREQ",
            Self::Pingresp => "PINGRESP",
            Self::Disconnect => "DISCONNECT",
            Self::Auth => "AUTH",
        }
    }
}

impl core::fmt::Display for PacketType {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.name())
    }
}
