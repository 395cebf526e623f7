//! Two codecs that others wrote, each as a function from bytes to what it says of them.

use std::panic::{AssertUnwindSafe, catch_unwind};

use bytes::BytesMut;
use mqtt_protocol_core::mqtt::{
    common::Cursor,
    connection::{PacketBuildResult, PacketBuilder, PacketData, RawPacket},
    packet::{v3_1_1, v5_0},
    result_code::MqttError,
};
use squall_proto::Version;

/// What a codec says of bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// A packet, as the same codec encodes it again.
    Packet(Vec<u8>),
    /// The packet is not whole.
    Incomplete,
    /// It is no packet, and this is the first word why.
    Refused(String),
    /// The codec panicked, or takes the bytes but cannot encode what it made of them.
    Broke,
}

/// A codec that is compared with ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Codec {
    /// The codec of `mqttbytes`.
    Mqttbytes,
    /// The codec of `mqtt-protocol-core`.
    ProtocolCore,
}

impl Codec {
    pub(crate) const ALL: [Self; 2] = [Self::Mqttbytes, Self::ProtocolCore];

    /// The first packet of `bytes`.
    pub(crate) fn read(self, version: Version, bytes: &[u8]) -> Said {
        let read = match (self, version) {
            (Self::Mqttbytes, Version::V3_1_1) => mqttbytes_v3,
            (Self::Mqttbytes, Version::V5) => mqttbytes_v5,
            (Self::ProtocolCore, _) => protocol_core,
        };
        catch_unwind(AssertUnwindSafe(|| read(version, bytes))).unwrap_or(Said::Broke)
    }
}

fn first_word(error: &impl std::fmt::Debug) -> String {
    let text = format!("{error:?}");
    let end = text.find(|c: char| !c.is_alphanumeric()).unwrap_or(text.len());
    text.chars().take(end).collect()
}

/// The `read` and the `write`s of one of the two modules of mqttbytes.
macro_rules! mqttbytes {
    ($name:ident, $module:ident, $disconnect:pat => $written:expr, [$($packet:ident)*]) => {
        fn $name(_: Version, bytes: &[u8]) -> Said {
            use mqttbytes::$module::{Packet, PingReq, PingResp};

            let mut input = BytesMut::from(bytes);
            let packet = match mqttbytes::$module::read(&mut input, usize::MAX) {
                Ok(packet) => packet,
                Err(mqttbytes::Error::InsufficientBytes(_)) => return Said::Incomplete,
                Err(error) => return Said::Refused(first_word(&error)),
            };
            let mut output = BytesMut::new();
            let written = match &packet {
                $(Packet::$packet(packet) => packet.write(&mut output),)*
                Packet::PingReq => PingReq.write(&mut output),
                Packet::PingResp => PingResp.write(&mut output),
                $disconnect => $written(&mut output),
            };
            written.map_or(Said::Broke, |_| Said::Packet(output.to_vec()))
        }
    };
}

mqttbytes!(mqttbytes_v3, v4, Packet::Disconnect => |output| mqttbytes::v4::Disconnect.write(output), [
    Connect ConnAck Publish PubAck PubRec PubRel PubComp Subscribe SubAck Unsubscribe UnsubAck
]);
mqttbytes!(mqttbytes_v5, v5, Packet::Disconnect(packet) => |output| packet.write(output), [
    Connect ConnAck Publish PubAck PubRec PubRel PubComp Subscribe SubAck Unsubscribe UnsubAck
]);

fn protocol_core(version: Version, bytes: &[u8]) -> Said {
    let packet = match PacketBuilder::new().feed(&mut Cursor::new(bytes)) {
        PacketBuildResult::Complete(packet) => packet,
        PacketBuildResult::Incomplete => return Said::Incomplete,
        PacketBuildResult::Error(error) => return Said::Refused(first_word(&error)),
    };
    let parsed = match version {
        Version::V3_1_1 => protocol_core_v3(&packet),
        Version::V5 => protocol_core_v5(&packet),
    };
    parsed.map_or_else(|error| Said::Refused(first_word(&error)), Said::Packet)
}

macro_rules! protocol_core {
    ($name:ident, $module:ident, [$($number:literal $packet:ident)*]) => {
        fn $name(raw: &RawPacket) -> Result<Vec<u8>, MqttError> {
            match (raw.packet_type(), &raw.data) {
                (3, PacketData::Publish(body)) => {
                    let (packet, _) = $module::GenericPublish::<u16>::parse(raw.flags(), body.clone())?;
                    Ok(packet.to_continuous_buffer())
                }
                $(($number, _) => Ok(raw.parse_exact($module::$packet::parse)?.to_continuous_buffer()),)*
                (_, _) => Err(MqttError::MalformedPacket),
            }
        }
    };
}

protocol_core!(protocol_core_v3, v3_1_1, [
    1 Connect 2 Connack 4 Puback 5 Pubrec 6 Pubrel 7 Pubcomp 8 Subscribe 9 Suback 10 Unsubscribe 11 Unsuback 12 Pingreq
    13 Pingresp 14 Disconnect
]);
protocol_core!(protocol_core_v5, v5_0, [
    1 Connect 2 Connack 4 Puback 5 Pubrec 6 Pubrel 7 Pubcomp 8 Subscribe 9 Suback 10 Unsubscribe 11 Unsuback 12 Pingreq
    13 Pingresp 14 Disconnect 15 Auth
]);
