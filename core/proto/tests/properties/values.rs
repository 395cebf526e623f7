//! Values of packets, and how a packet reads as a line of a script.

use squall_proto::{
    Ack, Connect, Delivery, Packet, PacketId, Properties, Property, Publish, Qos, ReasonCode,
    SubscriptionOptions,
};

pub(crate) fn id(value: u16) -> PacketId {
    PacketId::new(value).unwrap()
}

pub(crate) fn delivery(qos: Qos, packet_id: u16) -> Delivery {
    match qos {
        Qos::AtMostOnce => Delivery::AtMostOnce,
        Qos::AtLeastOnce => Delivery::AtLeastOnce(id(packet_id)),
        Qos::ExactlyOnce => Delivery::ExactlyOnce(id(packet_id)),
    }
}

/// `PUBLISH q1 id 7 t/1 "x"`.
pub(crate) fn line(packet: &Packet) -> String {
    match packet {
        Packet::Connect(connect) => connect_line(connect),
        Packet::Connack(connack) => format!(
            "CONNACK {}{}{}",
            code(connack.reason_code),
            if connack.session_present {
                " session present"
            } else {
                ""
            },
            properties(&connack.properties)
        ),
        Packet::Publish(publish) => publish_line(publish),
        Packet::Puback(ack) => ack_line("PUBACK", ack),
        Packet::Pubrec(ack) => ack_line("PUBREC", ack),
        Packet::Pubrel(ack) => ack_line("PUBREL", ack),
        Packet::Pubcomp(ack) => ack_line("PUBCOMP", ack),
        Packet::Subscribe(subscribe) => {
            let filters: String = subscribe
                .filters
                .iter()
                .map(|(filter, options)| format!(" {}({})", &**filter, options_line(*options)))
                .collect();
            format!(
                "SUBSCRIBE id {}{filters}{}",
                subscribe.packet_id,
                properties(&subscribe.properties)
            )
        }
        Packet::Suback(suback) => format!("SUBACK id {}{}", suback.packet_id, codes(&suback.reason_codes)),
        Packet::Unsubscribe(unsubscribe) => {
            let filters: String = unsubscribe
                .filters
                .iter()
                .map(|filter| format!(" {}", &**filter))
                .collect();
            format!("UNSUBSCRIBE id {}{filters}", unsubscribe.packet_id)
        }
        Packet::Unsuback(unsuback) => {
            format!(
                "UNSUBACK id {}{}",
                unsuback.packet_id,
                codes(&unsuback.reason_codes)
            )
        }
        Packet::Pingreq => "PINGREQ".into(),
        Packet::Pingresp => "PINGRESP".into(),
        Packet::Disconnect(disconnect) => {
            format!(
                "DISCONNECT {}{}",
                code(disconnect.reason_code),
                properties(&disconnect.properties)
            )
        }
        Packet::Auth(auth) => format!("AUTH {}", code(auth.reason_code)),
    }
}

fn connect_line(connect: &Connect) -> String {
    let version = connect.version;
    let clean = if connect.clean_start { " clean" } else { "" };
    let keep_alive = connect.keep_alive;
    let will = connect.will.as_ref().map_or_else(String::new, |will| {
        let retain = if will.retain { " retain" } else { "" };
        format!(
            " will(q{}{retain} {} {:?}{})",
            will.qos.value(),
            &*will.topic,
            text(will.payload.as_ref()),
            properties(&will.properties)
        )
    });
    format!(
        "CONNECT {version} {:?}{clean} keep alive {keep_alive}{will}{}",
        &*connect.client_id,
        properties(&connect.properties)
    )
}

fn publish_line(publish: &Publish) -> String {
    let flags = [(publish.dup, " dup"), (publish.retain, " retain")];
    let flags: String = flags
        .into_iter()
        .filter(|(is_set, _)| *is_set)
        .map(|(_, name)| name)
        .collect();
    let packet_id = publish
        .delivery
        .packet_id()
        .map_or_else(String::new, |packet_id| format!(" id {packet_id}"));
    let topic = publish.topic.as_ref().map_or("(alias)", |topic| topic);
    format!(
        "PUBLISH q{}{packet_id}{flags} {topic} {:?}{}",
        publish.delivery.qos().value(),
        text(&publish.payload),
        properties(&publish.properties)
    )
}

fn ack_line(name: &str, ack: &Ack) -> String {
    format!("{name} id {} {}", ack.packet_id, code(ack.reason_code))
}

pub(crate) fn options_line(options: SubscriptionOptions) -> String {
    let flags = [(options.no_local, " NL"), (options.retain_as_published, " RAP")];
    let flags: String = flags
        .into_iter()
        .filter(|(is_set, _)| *is_set)
        .map(|(_, name)| name)
        .collect();
    format!(
        "q{} RH{}{flags}",
        options.qos.value(),
        options.retain_handling.value()
    )
}

pub(crate) fn code(reason_code: ReasonCode) -> String {
    format!("{:#04x}", reason_code.value())
}

fn codes(reason_codes: &[ReasonCode]) -> String {
    reason_codes
        .iter()
        .map(|reason_code| format!(" {}", code(*reason_code)))
        .collect()
}

fn text(payload: &[u8]) -> String {
    String::from_utf8_lossy(payload).into_owned()
}

pub(crate) fn properties(properties: &Properties) -> String {
    properties
        .iter()
        .map(|property| format!(" {}", property_line(property)))
        .collect()
}

/// `ReceiveMaximum(2)`, as `Debug` has it.
fn property_line(property: &Property) -> String {
    format!("{property:?}")
}
