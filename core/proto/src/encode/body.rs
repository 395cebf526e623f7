use super::{properties::put_list, sink::Sink};
use crate::{
    Ack, Auth, Binary, Connack, Connect, Packet, PacketType, Properties, ReasonCode, Suback, Subscribe,
    SubscriptionOptions, Unsuback, Unsubscribe, Version, Will,
};

/// The low four bits of the first byte; those of PUBLISH say more and are not asked here.
pub(super) const fn flags(packet_type: PacketType) -> u8 {
    match packet_type {
        PacketType::Pubrel | PacketType::Subscribe | PacketType::Unsubscribe => 0b0010,
        PacketType::Connect
        | PacketType::Connack
        | PacketType::Publish
        | PacketType::Puback
        | PacketType::Pubrec
        | PacketType::Pubcomp
        | PacketType::Suback
        | PacketType::Unsuback
        | PacketType::Pingreq
        | PacketType::Pingresp
        | PacketType::Disconnect
        | PacketType::Auth => 0,
    }
}

/// What follows the fixed header.
pub(super) fn put(version: Version, packet: &Packet, sink: &mut impl Sink) {
    match packet {
        Packet::Connect(packet) => connect(packet, sink),
        Packet::Connack(packet) => connack(version, packet, sink),
        Packet::Puback(ack) | Packet::Pubrec(ack) | Packet::Pubrel(ack) | Packet::Pubcomp(ack) => {
            acknowledge(version, ack, sink);
        }
        Packet::Subscribe(packet) => subscribe(version, packet, sink),
        Packet::Suback(packet) => suback(version, packet, sink),
        Packet::Unsubscribe(packet) => unsubscribe(version, packet, sink),
        Packet::Unsuback(packet) => unsuback(version, packet, sink),
        Packet::Disconnect(packet) => reason(version, packet.reason_code, &packet.properties, sink),
        Packet::Auth(packet) => auth(packet, sink),
        // `publish` writes a PUBLISH, header and all.
        Packet::Publish(_) | Packet::Pingreq | Packet::Pingresp => {}
    }
}

// [MQTT-3.1.3-1] [v3 MQTT-3.1.3-1]
fn connect(packet: &Connect, sink: &mut impl Sink) {
    // [MQTT-3.1.2-1]
    sink.counted(b"MQTT");
    sink.u8(packet.version.level());
    sink.u8(connect_flags(packet));
    sink.u16(packet.keep_alive);
    put_list(packet.version, &packet.properties, sink);
    sink.text(&packet.client_id);
    if let Some(will) = &packet.will {
        put_list(packet.version, &will.properties, sink);
        sink.text(will.topic.text());
        sink.binary(&will.payload);
    }
    if let Some(user_name) = &packet.user_name {
        sink.text(user_name);
    }
    if let Some(password) = password(packet) {
        sink.binary(password);
    }
}

// [v3 MQTT-3.1.2-22] 3.1.1 has no Password without a User Name.
fn password(packet: &Connect) -> Option<&Binary> {
    let has_place = packet.version == Version::V5 || packet.user_name.is_some();
    packet.password.as_ref().filter(|_| has_place)
}

// [MQTT-3.1.2-11] [MQTT-3.1.2-13] [v3 MQTT-3.1.2-11] [v3 MQTT-3.1.2-13] [v3 MQTT-3.1.2-15] No Will leaves its flags 0.
fn connect_flags(packet: &Connect) -> u8 {
    u8::from(packet.user_name.is_some()) << 7
        | u8::from(password(packet).is_some()) << 6
        | packet.will.as_ref().map_or(0, will_flags)
        | u8::from(packet.clean_start) << 1
}

fn will_flags(will: &Will) -> u8 {
    u8::from(will.retain) << 5 | will.qos.value() << 3 | 1 << 2
}

fn connack(version: Version, packet: &Connack, sink: &mut impl Sink) {
    sink.u8(packet.session_present.into());
    sink.u8(match version {
        Version::V3_1_1 => packet
            .reason_code
            .connect_return_code()
            .unwrap_or(SERVER_UNAVAILABLE),
        Version::V5 => packet.reason_code.value(),
    });
    put_list(version, &packet.properties, sink);
}

/// The return code of a 3.1.1 CONNACK for what 3.1.1 has no word for.
const SERVER_UNAVAILABLE: u8 = 3;

fn acknowledge(version: Version, packet: &Ack, sink: &mut impl Sink) {
    sink.u16(packet.packet_id.value());
    reason(version, packet.reason_code, &packet.properties, sink);
}

/// The Reason Code and properties, as far as they say anything.
fn reason(version: Version, reason_code: ReasonCode, properties: &Properties, sink: &mut impl Sink) {
    let says_nothing = reason_code == ReasonCode::Success && properties.is_empty();
    if version == Version::V3_1_1 || says_nothing {
        return;
    }
    sink.u8(reason_code.value());
    if !properties.is_empty() {
        put_list(version, properties, sink);
    }
}

/// Unlike other packets AUTH has no form with a Reason Code alone.
fn auth(packet: &Auth, sink: &mut impl Sink) {
    if packet.reason_code != ReasonCode::Success || !packet.properties.is_empty() {
        sink.u8(packet.reason_code.value());
        put_list(Version::V5, &packet.properties, sink);
    }
}

fn subscribe(version: Version, packet: &Subscribe, sink: &mut impl Sink) {
    sink.u16(packet.packet_id.value());
    put_list(version, &packet.properties, sink);
    for (filter, options) in &packet.filters {
        sink.text(filter.text());
        sink.u8(subscription_options(version, *options));
    }
}

const fn subscription_options(version: Version, options: SubscriptionOptions) -> u8 {
    let qos = options.qos.value();
    match version {
        Version::V3_1_1 => qos,
        Version::V5 => {
            options.retain_handling.value() << 4
                | (options.retain_as_published as u8) << 3
                | (options.no_local as u8) << 2
                | qos
        }
    }
}

fn suback(version: Version, packet: &Suback, sink: &mut impl Sink) {
    sink.u16(packet.packet_id.value());
    put_list(version, &packet.properties, sink);
    for code in &packet.reason_codes {
        sink.u8(match version {
            Version::V3_1_1 => code.suback_return_code(),
            Version::V5 => code.value(),
        });
    }
}

fn unsubscribe(version: Version, packet: &Unsubscribe, sink: &mut impl Sink) {
    sink.u16(packet.packet_id.value());
    put_list(version, &packet.properties, sink);
    for filter in &packet.filters {
        sink.text(filter.text());
    }
}

fn unsuback(version: Version, packet: &Unsuback, sink: &mut impl Sink) {
    sink.u16(packet.packet_id.value());
    put_list(version, &packet.properties, sink);
    if version == Version::V5 {
        for code in &packet.reason_codes {
            sink.u8(code.value());
        }
    }
}
