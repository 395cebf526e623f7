//! From packets to bytes. Each packet type says what it consists of once; run over a [`Len`] that is its length, run over a
//! buffer those are its bytes. `publish` alone writes its fixed header by hand, because brokers do little else.

mod body;
mod properties;
mod publish;
mod sink;

use bytes::{Bytes, BytesMut};

pub(crate) use self::properties::len as properties_len;
use self::{
    publish::Lengths,
    sink::{Len, Sink},
};
use crate::{Packet, PacketRef, PublishRef, Version};

/// Appends the packet, payload and all, to `buffer`. Never fails: what the standard forbids does not construct, or is not
/// said in the peer's version (Reason Codes and properties in 3.1.1). Whether the peer takes a packet of this size is for the
/// caller to ask [`encoded_len`].
pub fn encode(version: Version, packet: PacketRef<'_>, buffer: &mut BytesMut) {
    match as_publish(packet) {
        Ok(publish) => {
            let lengths = Lengths::of(version, &publish);
            buffer.reserve(lengths.packet());
            publish::put(version, &publish, lengths, buffer);
            buffer.extend_from_slice(publish.payload);
        }
        Err(packet) => put_packet(version, packet, buffer),
    }
}

/// As [`encode`], but the payload of a PUBLISH is returned, not appended, so that large ones are written without a copy.
pub fn encode_without_payload<'a>(
    version: Version,
    packet: PacketRef<'a>,
    buffer: &mut BytesMut,
) -> Option<&'a Bytes> {
    match as_publish(packet) {
        Ok(publish) => {
            let lengths = Lengths::of(version, &publish);
            buffer.reserve(lengths.packet() - publish.payload.len());
            publish::put(version, &publish, lengths, buffer);
            Some(publish.payload)
        }
        Err(packet) => {
            put_packet(version, packet, buffer);
            None
        }
    }
}

/// How many bytes [`encode`] appends: the whole packet, fixed header included.
pub fn encoded_len(version: Version, packet: PacketRef<'_>) -> usize {
    match as_publish(packet) {
        Ok(publish) => Lengths::of(version, &publish).packet(),
        Err(packet) => with_fixed_header(body_len(version, packet)),
    }
}

/// A PUBLISH by its parts, or another packet.
fn as_publish(packet: PacketRef<'_>) -> Result<PublishRef<'_>, &Packet> {
    match packet {
        PacketRef::Publish(publish) => Ok(publish),
        PacketRef::Packet(Packet::Publish(publish)) => Ok(publish.into()),
        PacketRef::Packet(packet) => Err(packet),
    }
}

fn put_packet(version: Version, packet: &Packet, buffer: &mut BytesMut) {
    let remaining = body_len(version, packet);
    buffer.reserve(with_fixed_header(remaining));
    buffer.u8(packet.packet_type().value() << 4 | body::flags(packet.packet_type()));
    buffer.variable_byte_integer(remaining);
    body::put(version, packet, buffer);
}

/// The Remaining Length.
fn body_len(version: Version, packet: &Packet) -> usize {
    let mut len = Len(0);
    body::put(version, packet, &mut len);
    len.0
}

/// Bytes of a packet with this Remaining Length.
const fn with_fixed_header(remaining: usize) -> usize {
    1 + sink::variable_byte_integer_len(remaining) + remaining
}
