use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize, de, ser::SerializeMap};
use squall_proto::PacketType;

use super::{
    RawAck, RawAuth, RawConnack, RawConnect, RawDisconnect, RawPublish, RawSuback, RawSubscribe, RawUnsuback,
    RawUnsubscribe, Speaker,
};
use crate::scenario::words;

/// Makes [`RawBody`] of the list: its name in YAML, its fields.
macro_rules! bodies {
    ($($name:ident: $variant:ident($fields:ident),)*) => {
        /// What a peer says: one of the fifteen packets, or bytes.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum RawBody {
            $(#[doc = stringify!($name)] $variant($fields),)*
            /// Bytes as they go on the wire.
            Hex(RawHex),
        }

        impl RawBody {
            /// The names of the packets, as the standard writes them, and `hex`.
            pub const NAMES: &[&str] = &[$(stringify!($name),)* "hex"];

            /// The keys of a packet: one of these names, and what may stand beside it.
            pub(super) const KEYS: &[&str] =
                &[$(stringify!($name),)* "append", "flags", "hex", "remaining_length", "truncate", "version"];

            /// The packet of this name with the fields it has when nothing else is said.
            pub(super) fn named(name: &str) -> Option<Self> {
                match name {
                    $(stringify!($name) => Some(Self::$variant($fields::default())),)*
                    _ => None,
                }
            }

            /// The packet of this name with the fields that come next.
            pub(super) fn read<'de, A: de::MapAccess<'de>>(name: &str, map: &mut A) -> Result<Self, A::Error> {
                match name {
                    $(stringify!($name) => {
                        let fields: Option<$fields> = map.next_value()?;
                        Ok(Self::$variant(fields.unwrap_or_default()))
                    })*
                    "hex" => Ok(Self::Hex(map.next_value()?)),
                    _ => Err(de::Error::unknown_field(name, Self::KEYS)),
                }
            }

            pub(super) fn write_entry<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
                match self {
                    $(Self::$variant(fields) => map.serialize_entry(stringify!($name), fields),)*
                    Self::Hex(hex) => map.serialize_entry("hex", hex),
                }
            }

            /// Its name in YAML.
            pub(super) const fn name(&self) -> &'static str {
                match self {
                    $(Self::$variant(_) => stringify!($name),)*
                    Self::Hex(_) => "hex",
                }
            }

            /// Whether its name says it all.
            pub(super) fn is_plain(&self) -> bool {
                match self {
                    $(Self::$variant(fields) => *fields == $fields::default(),)*
                    Self::Hex(_) => false,
                }
            }

            pub(super) fn schemas(generator: &mut SchemaGenerator) -> Vec<(&'static str, Schema)> {
                vec![
                    $((stringify!($name), generator.subschema_for::<Option<$fields>>()),)*
                    ("hex", generator.subschema_for::<RawHex>()),
                ]
            }
        }
    };
}

bodies! {
    CONNECT: Connect(RawConnect),
    CONNACK: Connack(RawConnack),
    PUBLISH: Publish(RawPublish),
    PUBACK: Puback(RawAck),
    PUBREC: Pubrec(RawAck),
    PUBREL: Pubrel(RawAck),
    PUBCOMP: Pubcomp(RawAck),
    SUBSCRIBE: Subscribe(RawSubscribe),
    SUBACK: Suback(RawSuback),
    UNSUBSCRIBE: Unsubscribe(RawUnsubscribe),
    UNSUBACK: Unsuback(RawUnsuback),
    PINGREQ: Pingreq(RawNothing),
    PINGRESP: Pingresp(RawNothing),
    DISCONNECT: Disconnect(RawDisconnect),
    AUTH: Auth(RawAuth),
}

/// A packet without fields.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawNothing {}

/// Bytes as they go on the wire, in hex: `c0 00`. What stands behind a `#` is a comment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct RawHex(
    #[serde(with = "words::hex_bytes")]
    #[schemars(with = "String")]
    pub Vec<u8>,
);

impl RawBody {
    /// `None`: bytes that may be none.
    pub const fn packet_type(&self) -> Option<PacketType> {
        Some(match self {
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
            Self::Pingreq(_) => PacketType::Pingreq,
            Self::Pingresp(_) => PacketType::Pingresp,
            Self::Disconnect(_) => PacketType::Disconnect,
            Self::Auth(_) => PacketType::Auth,
            Self::Hex(_) => return None,
        })
    }

    /// The flags of the fixed header, as the standard wants them.
    // [MQTT-2.1.3-1] [v3 MQTT-2.2.2-1]
    pub(super) fn flags(&self) -> u8 {
        match self {
            Self::Publish(publish) => publish.flags(),
            Self::Pubrel(_) | Self::Subscribe(_) | Self::Unsubscribe(_) => 0b0010,
            Self::Connect(_)
            | Self::Connack(_)
            | Self::Puback(_)
            | Self::Pubrec(_)
            | Self::Pubcomp(_)
            | Self::Suback(_)
            | Self::Unsuback(_)
            | Self::Pingreq(_)
            | Self::Pingresp(_)
            | Self::Disconnect(_)
            | Self::Auth(_)
            | Self::Hex(_) => 0,
        }
    }

    /// What stands behind the fixed header.
    pub(super) fn fields(&self, speaker: &Speaker<'_>) -> Vec<u8> {
        match self {
            Self::Connect(connect) => connect.fields(speaker),
            Self::Connack(connack) => connack.fields(speaker),
            Self::Publish(publish) => publish.fields(speaker),
            Self::Puback(ack) | Self::Pubrec(ack) | Self::Pubrel(ack) | Self::Pubcomp(ack) => {
                ack.fields(speaker)
            }
            Self::Subscribe(subscribe) => subscribe.fields(speaker),
            Self::Suback(suback) => suback.fields(speaker),
            Self::Unsubscribe(unsubscribe) => unsubscribe.fields(speaker),
            Self::Unsuback(unsuback) => unsuback.fields(speaker),
            Self::Pingreq(_) | Self::Pingresp(_) => Vec::new(),
            Self::Disconnect(disconnect) => disconnect.fields(speaker),
            Self::Auth(auth) => auth.fields(speaker),
            Self::Hex(hex) => hex.0.clone(),
        }
    }
}
