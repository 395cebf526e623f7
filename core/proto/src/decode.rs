//! From bytes to packets. `fixed_header` reads what says how long a packet is, `reader` cuts fields, `properties` the property
//! lists of 5.0; the others each have the packets that belong together.

mod acknowledge;
mod connect;
mod fixed_header;
mod properties;
mod publish;
mod reader;
mod subscribe;

use alloc::boxed::Box;

use bytes::{Buf, Bytes, BytesMut};

use self::{fixed_header::FixedHeader, reader::Reader};
use crate::{Ack, DecodeError, Packet, PacketId, PacketType, Version, property::Place};

/// Cuts packets off the front of what one peer sent. It learns the version from CONNECT, or is told.
#[derive(Clone, Debug)]
pub struct Decoder {
    version: Option<Version>,
    packet_size_max: u32,
}

impl Decoder {
    /// For the server's side of a connection: the version is learnt from CONNECT. `packet_size_max` is the largest whole
    /// packet taken, in bytes, fixed header included.
    pub const fn new(packet_size_max: u32) -> Self {
        Self {
            version: None,
            packet_size_max,
        }
    }

    /// For the client's side, where the version is known.
    pub const fn with_version(version: Version, packet_size_max: u32) -> Self {
        Self {
            version: Some(version),
            packet_size_max,
        }
    }

    /// The version learnt from CONNECT, or told.
    pub const fn version(&self) -> Option<Version> {
        self.version
    }

    /// Takes one whole packet off the front of `input`, sharing its bytes; `Ok(None)` when more bytes are needed, and then
    /// `input` is as it was. What is too large is refused from its fixed header. After an error the rest of the input means
    /// nothing.
    pub fn decode(&mut self, input: &mut BytesMut) -> Result<Option<Packet>, DecodeError> {
        let Some(header) = self.fixed_header(input)? else {
            return Ok(None);
        };
        let Some(body) = input.get(header.len..header.packet_len) else {
            return Ok(None);
        };
        if let Some(packet) = without_fields_to_share(header.packet_type, body) {
            input.advance(header.packet_len);
            return Ok(Some(packet));
        }
        let bytes = input.split_to(header.packet_len).freeze();
        self.whole(header, bytes).map(Some)
    }

    /// How many bytes the packet at the front of `input` has in all, once enough of its fixed header is there to tell. What
    /// [`decode`](Self::decode) would refuse from the fixed header is refused here too.
    pub fn packet_len(&self, input: &[u8]) -> Result<Option<usize>, DecodeError> {
        Ok(self.fixed_header(input)?.map(|header| header.packet_len))
    }

    fn fixed_header(&self, input: &[u8]) -> Result<Option<FixedHeader>, DecodeError> {
        FixedHeader::read(self.version, self.packet_size_max, input)
    }

    /// A packet of which every byte is there.
    fn whole(&mut self, header: FixedHeader, bytes: Bytes) -> Result<Packet, DecodeError> {
        let mut reader = Reader::new(header.packet_type, bytes, header.len);
        let version = match (header.packet_type, self.version) {
            // Anything but CONNECT is refused from the fixed header while the version is not known.
            (PacketType::Connect, _) | (_, None) => reader.protocol()?,
            (_, Some(version)) => version,
        };
        let packet = reader.packet(version, header.flags)?;
        reader.end()?;
        self.version.get_or_insert(version);
        Ok(packet)
    }
}

impl Reader {
    fn packet(&mut self, version: Version, flags: u8) -> Result<Packet, DecodeError> {
        Ok(match self.packet_type() {
            PacketType::Connect => Packet::Connect(Box::new(self.connect(version)?)),
            PacketType::Connack => Packet::Connack(self.connack(version)?),
            PacketType::Publish => Packet::Publish(self.publish(version, flags)?),
            PacketType::Puback => Packet::Puback(self.ack(version, Place::Puback)?),
            PacketType::Pubrec => Packet::Pubrec(self.ack(version, Place::Pubrec)?),
            PacketType::Pubrel => Packet::Pubrel(self.ack(version, Place::Pubrel)?),
            PacketType::Pubcomp => Packet::Pubcomp(self.ack(version, Place::Pubcomp)?),
            PacketType::Subscribe => Packet::Subscribe(self.subscribe(version)?),
            PacketType::Suback => Packet::Suback(self.suback(version)?),
            PacketType::Unsubscribe => Packet::Unsubscribe(self.unsubscribe(version)?),
            PacketType::Unsuback => Packet::Unsuback(self.unsuback(version)?),
            PacketType::Pingreq => Packet::Pingreq,
            PacketType::Pingresp => Packet::Pingresp,
            PacketType::Disconnect => Packet::Disconnect(self.disconnect(version)?),
            PacketType::Auth => Packet::Auth(self.auth()?),
        })
    }
}

/// The short packets of the steady state, which need no reference to the input.
fn without_fields_to_share(packet_type: PacketType, body: &[u8]) -> Option<Packet> {
    match (packet_type, body) {
        (PacketType::Puback, body) => success(body).map(Packet::Puback),
        (PacketType::Pubrec, body) => success(body).map(Packet::Pubrec),
        (PacketType::Pubrel, body) => success(body).map(Packet::Pubrel),
        (PacketType::Pubcomp, body) => success(body).map(Packet::Pubcomp),
        (PacketType::Pingreq, []) => Some(Packet::Pingreq),
        (PacketType::Pingresp, []) => Some(Packet::Pingresp),
        (_, _) => None,
    }
}

/// The acknowledgement of either version that is a Packet Identifier and nothing more.
fn success(body: &[u8]) -> Option<Ack> {
    let packet_id = u16::from_be_bytes(body.try_into().ok()?);
    PacketId::new(packet_id).map(Ack::success)
}
