use alloc::{boxed::Box, vec::Vec};

use super::reader::Reader;
use crate::{
    Ack, Auth, Connack, Connect, DecodeError, Delivery, Disconnect, Packet, PacketType, Properties, Publish,
    Qos, ReasonCode, RetainHandling, Suback, Subscribe, SubscriptionOptions, Unsuback, Unsubscribe, Version,
    Will, property::Place,
};

/// The packet whose fixed header has been read.
pub(super) fn decode(version: Version, flags: u8, reader: &mut Reader) -> Result<Packet, DecodeError> {
    Ok(match reader.packet_type() {
        PacketType::Connect => Packet::Connect(Box::new(connect(version, reader)?)),
        PacketType::Connack => Packet::Connack(connack(version, reader)?),
        PacketType::Publish => Packet::Publish(publish(version, flags, reader)?),
        PacketType::Puback => Packet::Puback(ack(version, reader)?),
        PacketType::Pubrec => Packet::Pubrec(ack(version, reader)?),
        PacketType::Pubrel => Packet::Pubrel(ack(version, reader)?),
        PacketType::Pubcomp => Packet::Pubcomp(ack(version, reader)?),
        PacketType::Subscribe => Packet::Subscribe(subscribe(version, reader)?),
        PacketType::Suback => Packet::Suback(suback(version, reader)?),
        PacketType::Unsubscribe => Packet::Unsubscribe(unsubscribe(version, reader)?),
        PacketType::Unsuback => Packet::Unsuback(unsuback(version, reader)?),
        PacketType::Pingreq => Packet::Pingreq,
        PacketType::Pingresp => Packet::Pingresp,
        PacketType::Disconnect => {
            let (reason_code, properties) = reason(version, Place::Packet(PacketType::Disconnect), reader)?;
            Packet::Disconnect(Disconnect {
                reason_code,
                properties,
            })
        }
        PacketType::Auth => {
            let (reason_code, properties) = reason(version, Place::Packet(PacketType::Auth), reader)?;
            Packet::Auth(Auth {
                reason_code,
                properties,
            })
        }
    })
}

// [MQTT-3.1.3-1] [v3 MQTT-3.1.3-1] The fields come in this order.
fn connect(version: Version, reader: &mut Reader) -> Result<Connect, DecodeError> {
    reader.binary()?; // The protocol name, which told the version.
    reader.u8()?;
    let flags = ConnectFlags::new(version, reader.u8()?)?;
    let keep_alive = reader.u16()?;
    let properties = reader.properties(version, Place::Packet(PacketType::Connect))?;
    // [MQTT-3.1.3-3] [MQTT-3.1.3-4] [v3 MQTT-3.1.3-3] [v3 MQTT-3.1.3-4]
    let client_id = reader.text()?;
    let will = flags
        .will
        .map(|(qos, retain)| will(version, qos, retain, reader))
        .transpose()?;
    // [MQTT-3.1.2-16] [MQTT-3.1.2-17] [MQTT-3.1.3-12] [v3 MQTT-3.1.2-18] [v3 MQTT-3.1.2-19] [v3 MQTT-3.1.3-11]
    let user_name = flags.user_name.then(|| reader.text()).transpose()?;
    // [MQTT-3.1.2-18] [MQTT-3.1.2-19] [v3 MQTT-3.1.2-20] [v3 MQTT-3.1.2-21]
    let password = flags.password.then(|| reader.binary()).transpose()?;
    Ok(Connect {
        version,
        clean_start: flags.clean_start,
        keep_alive,
        client_id,
        will,
        user_name,
        password,
        properties,
    })
}

/// The Connect Flags.
struct ConnectFlags {
    clean_start: bool,
    /// Will QoS and Will Retain.
    will: Option<(Qos, bool)>,
    user_name: bool,
    password: bool,
}

impl ConnectFlags {
    fn new(version: Version, flags: u8) -> Result<Self, DecodeError> {
        let bit = |number: u8| flags >> number & 1 == 1;
        // [MQTT-3.1.2-3] [v3 MQTT-3.1.2-3]
        if bit(0) {
            return Err(DecodeError::Reserved(PacketType::Connect));
        }
        // [MQTT-3.1.2-12] [v3 MQTT-3.1.2-14]
        let qos = Qos::from_value(flags >> 3 & 3).ok_or(DecodeError::QosThree(PacketType::Connect))?;
        let will = bit(2).then_some((qos, bit(5)));
        // [MQTT-3.1.2-11] [MQTT-3.1.2-13] [v3 MQTT-3.1.2-11] [v3 MQTT-3.1.2-13] [v3 MQTT-3.1.2-15]
        if will.is_none() && (qos != Qos::AtMostOnce || bit(5)) {
            return Err(DecodeError::WillFlagsWithoutWill);
        }
        let (user_name, password) = (bit(7), bit(6));
        // [v3 MQTT-3.1.2-22]
        if version == Version::V3_1_1 && password && !user_name {
            return Err(DecodeError::PasswordWithoutUserName);
        }
        Ok(Self {
            clean_start: bit(1),
            will,
            user_name,
            password,
        })
    }
}

// [MQTT-3.1.2-9] [MQTT-3.1.3-11] [v3 MQTT-3.1.2-9] [v3 MQTT-3.1.3-10]
fn will(version: Version, qos: Qos, retain: bool, reader: &mut Reader) -> Result<Will, DecodeError> {
    let properties = reader.properties(version, Place::Will)?;
    let topic = reader.topic_name()?;
    let payload = reader.binary()?;
    Ok(Will {
        topic,
        payload,
        qos,
        retain,
        properties,
    })
}

fn connack(version: Version, reader: &mut Reader) -> Result<Connack, DecodeError> {
    let flags = reader.u8()?;
    // [MQTT-3.2.2-1]
    if flags > 1 {
        return Err(DecodeError::Reserved(PacketType::Connack));
    }
    let session_present = flags == 1;
    let reason_code = match version {
        Version::V3_1_1 => {
            let code = reader.u8()?;
            ReasonCode::from_connect_return_code(code)
                .ok_or(DecodeError::ReasonCode(PacketType::Connack, code))?
        }
        Version::V5 => reason_code(reader)?,
    };
    // [MQTT-3.2.2-6] [v3 MQTT-3.2.2-4]
    if session_present && reason_code != ReasonCode::Success {
        return Err(DecodeError::SessionPresentOnRefusal);
    }
    let properties = reader.properties(version, Place::Packet(PacketType::Connack))?;
    Ok(Connack {
        session_present,
        reason_code,
        properties,
    })
}

fn publish(version: Version, flags: u8, reader: &mut Reader) -> Result<Publish, DecodeError> {
    let topic = reader.topic_name_if_any()?;
    // [MQTT-2.2.1-2] [MQTT-3.3.1-4] [v3 MQTT-2.3.1-5] [v3 MQTT-3.3.1-4]
    let delivery = match Qos::from_value(flags >> 1 & 3).ok_or(DecodeError::QosThree(PacketType::Publish))? {
        Qos::AtMostOnce => Delivery::AtMostOnce,
        Qos::AtLeastOnce => Delivery::AtLeastOnce(reader.packet_id()?),
        Qos::ExactlyOnce => Delivery::ExactlyOnce(reader.packet_id()?),
    };
    let properties = reader.properties(version, Place::Packet(PacketType::Publish))?;
    // [MQTT-4.7.3-1] [v3 MQTT-4.7.3-1]
    if topic.is_none() && properties.topic_alias().is_none() {
        return Err(DecodeError::NoTopic);
    }
    let payload = reader.take_rest();
    Ok(Publish {
        dup: flags & 8 != 0,
        retain: flags & 1 != 0,
        delivery,
        topic,
        payload,
        properties,
    })
}

fn ack(version: Version, reader: &mut Reader) -> Result<Ack, DecodeError> {
    let packet_id = reader.packet_id()?;
    let (reason_code, properties) = reason(version, Place::Packet(reader.packet_type()), reader)?;
    Ok(Ack {
        packet_id,
        reason_code,
        properties,
    })
}

/// A Reason Code and properties, each left out where the packet ends before it.
fn reason(
    version: Version,
    place: Place,
    reader: &mut Reader,
) -> Result<(ReasonCode, Properties), DecodeError> {
    if version == Version::V3_1_1 || reader.is_empty() {
        return Ok((ReasonCode::Success, Properties::new()));
    }
    let reason_code = reason_code(reader)?;
    if reader.is_empty() {
        return Ok((reason_code, Properties::new()));
    }
    Ok((reason_code, reader.properties(version, place)?))
}

// [MQTT-3.2.2-8] [MQTT-3.4.2-1] [MQTT-3.5.2-1] [MQTT-3.6.2-1] [MQTT-3.7.2-1] [MQTT-3.14.2-1] [MQTT-3.15.2-1]
fn reason_code(reader: &mut Reader) -> Result<ReasonCode, DecodeError> {
    let packet_type = reader.packet_type();
    let value = reader.u8()?;
    ReasonCode::from_value(value)
        .filter(|reason_code| reason_code.allowed_in(packet_type))
        .ok_or(DecodeError::ReasonCode(packet_type, value))
}

fn subscribe(version: Version, reader: &mut Reader) -> Result<Subscribe, DecodeError> {
    let packet_id = reader.packet_id()?;
    let properties = reader.properties(version, Place::Packet(PacketType::Subscribe))?;
    // [MQTT-3.8.3-2] [v3 MQTT-3.8.3-3]
    if reader.is_empty() {
        return Err(DecodeError::NoTopicFilter(PacketType::Subscribe));
    }
    let mut filters = Vec::new();
    while !reader.is_empty() {
        let filter = reader.topic_filter()?;
        let options = subscription_options(version, reader.u8()?)?;
        // [MQTT-3.8.3-4]
        if options.no_local && filter.share_name().is_some() {
            return Err(DecodeError::NoLocalOnShared);
        }
        filters.push((filter, options));
    }
    Ok(Subscribe {
        packet_id,
        filters,
        properties,
    })
}

// [MQTT-3.8.3-5] [v3 MQTT-3.8.3-4]
fn subscription_options(version: Version, options: u8) -> Result<SubscriptionOptions, DecodeError> {
    let reserved = DecodeError::Reserved(PacketType::Subscribe);
    let qos = Qos::from_value(options & 3).ok_or(DecodeError::QosThree(PacketType::Subscribe))?;
    if version == Version::V3_1_1 {
        return if options > 2 {
            Err(reserved)
        } else {
            Ok(SubscriptionOptions {
                qos,
                ..Default::default()
            })
        };
    }
    let retain_handling = match options >> 4 {
        0 => RetainHandling::Send,
        1 => RetainHandling::SendIfNew,
        2 => RetainHandling::DoNotSend,
        _ => return Err(reserved),
    };
    Ok(SubscriptionOptions {
        qos,
        no_local: options & 4 != 0,
        retain_as_published: options & 8 != 0,
        retain_handling,
    })
}

fn suback(version: Version, reader: &mut Reader) -> Result<Suback, DecodeError> {
    let packet_id = reader.packet_id()?;
    let properties = reader.properties(version, Place::Packet(PacketType::Suback))?;
    let mut reason_codes = Vec::new();
    while !reader.is_empty() {
        reason_codes.push(match version {
            Version::V3_1_1 => match reader.u8()? {
                0 => ReasonCode::Success,
                1 => ReasonCode::GrantedQos1,
                2 => ReasonCode::GrantedQos2,
                0x80 => ReasonCode::UnspecifiedError,
                // [v3 MQTT-3.9.3-2]
                other => return Err(DecodeError::ReasonCode(PacketType::Suback, other)),
            },
            Version::V5 => reason_code(reader)?,
        });
    }
    Ok(Suback {
        packet_id,
        reason_codes,
        properties,
    })
}

fn unsubscribe(version: Version, reader: &mut Reader) -> Result<Unsubscribe, DecodeError> {
    let packet_id = reader.packet_id()?;
    let properties = reader.properties(version, Place::Packet(PacketType::Unsubscribe))?;
    // [MQTT-3.10.3-2] [v3 MQTT-3.10.3-2]
    if reader.is_empty() {
        return Err(DecodeError::NoTopicFilter(PacketType::Unsubscribe));
    }
    let mut filters = Vec::new();
    while !reader.is_empty() {
        filters.push(reader.topic_filter()?);
    }
    Ok(Unsubscribe {
        packet_id,
        filters,
        properties,
    })
}

fn unsuback(version: Version, reader: &mut Reader) -> Result<Unsuback, DecodeError> {
    let packet_id = reader.packet_id()?;
    let properties = reader.properties(version, Place::Packet(PacketType::Unsuback))?;
    let mut reason_codes = Vec::new();
    while version == Version::V5 && !reader.is_empty() {
        reason_codes.push(reason_code(reader)?);
    }
    Ok(Unsuback {
        packet_id,
        reason_codes,
        properties,
    })
}
