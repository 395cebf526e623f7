//! Where another codec says something else than ours, why, and who is right. Most of it is leniency of theirs: what the standard
//! forbids and they do not look at.

use squall_proto::{PacketType, Version};

use crate::codecs::Codec;

/// How two codecs disagree.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind<Word> {
    /// We refuse, with this `DecodeError`; they take it.
    TheyTake(Word),
    /// We take it; they refuse, with this error of theirs.
    TheyRefuse(Word),
    /// Both take it, and what they encode it to is another packet.
    OtherFields,
    /// They panic, or cannot encode what they decoded.
    TheyBreak,
}

/// Who is right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Right {
    We,
    /// The standard can be read either way.
    Both,
}

/// A disagreement, by what it is about.
#[derive(Debug)]
pub(crate) struct Explained {
    pub(crate) kind: Kind<&'static str>,
    /// Only of this packet; else of any.
    pub(crate) packet: Option<PacketType>,
    /// With whom, in which versions. An input meets each.
    pub(crate) with: &'static [(Codec, Version)],
    pub(crate) right: Right,
    /// What the standard says, with the statement.
    pub(crate) why: &'static str,
}

const M3: (Codec, Version) = (Codec::Mqttbytes, Version::V3_1_1);
const M5: (Codec, Version) = (Codec::Mqttbytes, Version::V5);
const P3: (Codec, Version) = (Codec::ProtocolCore, Version::V3_1_1);
const P5: (Codec, Version) = (Codec::ProtocolCore, Version::V5);

const fn lenient(error: &'static str, with: &'static [(Codec, Version)], why: &'static str) -> Explained {
    Explained {
        kind: Kind::TheyTake(error),
        packet: None,
        with,
        right: Right::We,
        why,
    }
}

const fn strict(
    error: &'static str,
    packet: PacketType,
    with: &'static [(Codec, Version)],
    why: &'static str,
) -> Explained {
    Explained {
        kind: Kind::TheyRefuse(error),
        packet: Some(packet),
        with,
        right: Right::We,
        why,
    }
}

const fn other(packet: PacketType, with: &'static [(Codec, Version)], why: &'static str) -> Explained {
    Explained {
        kind: Kind::OtherFields,
        packet: Some(packet),
        with,
        right: Right::We,
        why,
    }
}

pub(crate) const EXPLAINED: &[Explained] = &[
    // The fixed header.
    lenient(
        "FixedHeaderFlags",
        &[M3, M5, P3, P5],
        "[MQTT-2.1.3-1] [v3 MQTT-2.2.2-2] reserved flags have their fixed values",
    ),
    lenient(
        "DupAtMostOnce",
        &[M3, M5, P3, P5],
        "[MQTT-3.3.1-2] DUP is 0 at QoS 0, in both versions",
    ),
    lenient(
        "RemainingLengthNotMinimal",
        &[M3, M5, P3, P5],
        "[MQTT-1.5.5-1] the fewest bytes; we hold 3.1.1 to it too",
    ),
    lenient(
        "VariableByteIntegerNotMinimal",
        &[M5, P5],
        "[MQTT-1.5.5-1] the fewest bytes",
    ),
    // The shape of a packet.
    lenient(
        "TrailingBytes",
        &[M3, M5, P3],
        "[MQTT-4.13.1-1] [v3 MQTT-4.8.0-1] a packet ends where its Remaining Length says",
    ),
    lenient(
        "Truncated",
        &[M5, P5],
        "[MQTT-4.13.1-1] a field, or the Property Length, ends before the packet or its properties do",
    ),
    lenient(
        "ZeroPacketId",
        &[M3, M5, P3, P5],
        "[MQTT-2.2.1-3] [v3 MQTT-2.3.1-1] a Packet Identifier is not zero",
    ),
    lenient(
        "EmptySubscribe",
        &[M3, M5],
        "[MQTT-3.8.3-2] [v3 MQTT-3.8.3-3] at least one Topic Filter",
    ),
    lenient(
        "EmptyUnsubscribe",
        &[M3, M5],
        "[MQTT-3.10.3-2] at least one Topic Filter, in both versions",
    ),
    // Strings and topics.
    lenient(
        "Text",
        &[M3, M5, P3, P5],
        "[MQTT-1.5.4-2] [v3 MQTT-1.5.3-2] no null character in a string",
    ),
    lenient(
        "TopicName",
        &[M3, M5, P3, P5],
        "[MQTT-3.3.2-2] [MQTT-4.7.3-1] a Topic Name is not empty and has no wildcard, in both versions",
    ),
    lenient(
        "ResponseTopic",
        &[M5, P5],
        "[MQTT-3.3.2-14] a Response Topic has no wildcard",
    ),
    lenient(
        "TopicFilter",
        &[M3, M5, P3, P5],
        "[MQTT-4.7.1-1] [MQTT-4.7.3-1] [MQTT-4.8.2-1] wildcards alone in their level, at least a character, a ShareName and a filter",
    ),
    lenient(
        "NoTopic",
        &[M3, M5, P3, P5],
        "[MQTT-4.7.3-1] a Topic Name has at least a character; 5.0 takes none where an alias stands in its place",
    ),
    // CONNECT and CONNACK.
    lenient(
        "ConnectReservedFlag",
        &[M3, M5, P3, P5],
        "[MQTT-3.1.2-3] the reserved flag is 0, in both versions",
    ),
    lenient(
        "WillQosThree",
        &[P3, P5],
        "[MQTT-3.1.2-12] [v3 MQTT-3.1.2-14] Will QoS is 0, 1 or 2",
    ),
    lenient(
        "WillQosWithoutWill",
        &[P3, P5],
        "[MQTT-3.1.2-11] [v3 MQTT-3.1.2-13] Will QoS is 0 without a Will",
    ),
    lenient(
        "WillRetainWithoutWill",
        &[P3, P5],
        "[MQTT-3.1.2-13] [v3 MQTT-3.1.2-15] Will Retain is 0 without a Will",
    ),
    lenient(
        "PasswordWithoutUserName",
        &[M3],
        "[v3 MQTT-3.1.2-22] no Password without a User Name; 5.0 allows it",
    ),
    lenient(
        "ConnackReservedFlags",
        &[M3, M5, P3, P5],
        "[MQTT-3.2.2-1] bits 7 to 1 are 0; 3.1.1 says so without a number",
    ),
    lenient(
        "SessionPresentOnRefusal",
        &[M3, M5, P3, P5],
        "[MQTT-3.2.2-6] [v3 MQTT-3.2.2-4] a refusal has no session",
    ),
    // Subscription options.
    lenient(
        "SubscriptionReservedBits",
        &[M3, M5, P3],
        "[MQTT-3.8.3-5] [v3 MQTT-3.8.3-4] reserved bits are 0",
    ),
    lenient(
        "NoLocalOnShared",
        &[M5, P5],
        "[MQTT-3.8.3-4] no No Local on a shared subscription",
    ),
    // Properties.
    lenient(
        "DuplicateProperty",
        &[M5, P5],
        "2.2.2.2 and the section of each property: twice is a Protocol Error; SUBSCRIBE has one Subscription Identifier",
    ),
    lenient(
        "PropertyValue",
        &[M5],
        "the section of each property: Maximum Packet Size 0 and the like are a Protocol Error",
    ),
    lenient(
        "AuthenticationDataWithoutMethod",
        &[M5, P5],
        "3.1.2.11.10: Authentication Data needs a method",
    ),
    // What they refuse.
    strict(
        "TopicNotUtf8",
        PacketType::Connect,
        &[M3],
        "3.1.3.5: Password is Binary Data, theirs a string",
    ),
    strict(
        "TopicNotUtf8",
        PacketType::Connect,
        &[M5],
        "3.1.3.6: Password is Binary Data, theirs a string",
    ),
    strict(
        "ProtocolError",
        PacketType::Connect,
        &[P5],
        "3.1.2.9: 5.0 has a Password without a User Name",
    ),
    strict(
        "Incomplete",
        PacketType::Disconnect,
        &[M5],
        "3.14.2.2.1: a Remaining Length below 2 is a Property Length of 0",
    ),
    strict(
        "PayloadRequired",
        PacketType::Disconnect,
        &[M5],
        "3.14.2.1: a Remaining Length of 0 is 0x00",
    ),
    strict(
        "InvalidPacketType",
        PacketType::Auth,
        &[M5],
        "3.15: they have no AUTH",
    ),
    Explained {
        kind: Kind::TheyRefuse("InvalidConnectReturnCode"),
        packet: Some(PacketType::Disconnect),
        with: &[M5],
        right: Right::Both,
        why: "[MQTT-3.14.2-1] 0x8C: section 2.4 has it for DISCONNECT, section 3.14.2.1 does not",
    },
    Explained {
        kind: Kind::TheyRefuse("MalformedPacket"),
        packet: Some(PacketType::Disconnect),
        with: &[P5],
        right: Right::Both,
        why: "[MQTT-3.14.2-1] 0x8C: section 2.4 has it for DISCONNECT, section 3.14.2.1 does not",
    },
    // What they lose.
    other(
        PacketType::Connect,
        &[M3, M5],
        "[MQTT-3.1.2-17] [v3 MQTT-3.1.2-19] a User Name that is empty is one; they encode none",
    ),
    other(
        PacketType::Connack,
        &[M5],
        "3.2.2.3.1: without properties there is a Property Length of 0; they encode none",
    ),
    other(
        PacketType::Publish,
        &[M5],
        "[MQTT-3.3.4-4] several Subscription Identifiers; they encode them wrongly",
    ),
];
