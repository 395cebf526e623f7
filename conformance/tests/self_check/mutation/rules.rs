use squall_proto::{
    Delivery, Packet, PacketId, PacketType, Properties, Property, Publish, Qos, ReasonCode,
    SubscriptionOptions, Text, TopicAlias, TopicFilter, Version,
};

use super::Mutation::{
    self, CloseSoon, Drop, Ignore, IgnoreQos0, IgnoreUnsubscribe, NeverClose, Once, Repeat, RepeatAlways,
    RepeatNothing, RepeatToSubscribers, Seen, Sent, Swap,
};
use super::windows::wider_window;

/// Every mutation, those that catch most first.
pub(crate) const ALL: &[Mutation] = &[
    NeverClose,
    Drop(PacketType::Connack),
    Drop(PacketType::Publish),
    Drop(PacketType::Puback),
    Drop(PacketType::Pubrec),
    Drop(PacketType::Pubrel),
    Drop(PacketType::Pubcomp),
    Drop(PacketType::Suback),
    Drop(PacketType::Unsuback),
    Drop(PacketType::Pingresp),
    Drop(PacketType::Disconnect),
    Drop(PacketType::Auth),
    Once(PacketType::Publish),
    Once(PacketType::Pubcomp),
    Repeat(PacketType::Publish),
    Repeat(PacketType::Pubrel),
    Repeat(PacketType::Pingresp),
    Repeat(PacketType::Disconnect),
    Swap,
    RepeatNothing,
    RepeatAlways,
    RepeatToSubscribers,
    Sent(session_present),
    Sent(refuse),
    Sent(other_id),
    Sent(reversed_codes),
    Sent(more_properties),
    Sent(no_method),
    Sent(no_signature),
    Sent(other_auth_code),
    Sent(finish_by_no_method),
    Sent(long_reason_strings),
    Sent(no_properties),
    Sent(other_alias),
    Sent(higher_alias),
    Sent(rotated_properties),
    Sent(retain),
    Sent(dup),
    Sent(payload),
    Sent(qos_2),
    Sent(qos_0),
    Seen(clean_start),
    Seen(no_keep_alive),
    Seen(wider_window),
    Seen(no_connect_properties),
    Seen(endless_session),
    Seen(no_will),
    Seen(will_without_properties),
    Seen(will_retain),
    Seen(keep_all),
    Seen(keep_none),
    Seen(keep_no_qos_0),
    Seen(no_expiry),
    Seen(no_subscription_options),
    Seen(dollar_for_plus),
    Seen(no_shares),
    Seen(one_share),
    Seen(no_errors),
    Seen(scram),
    Ignore(PacketType::Puback),
    Ignore(PacketType::Pubcomp),
    Ignore(PacketType::Disconnect),
    IgnoreQos0,
    IgnoreUnsubscribe,
    CloseSoon,
];

fn session_present(packet: &mut Packet) {
    if let Packet::Connack(connack) = packet {
        connack.session_present = !connack.session_present;
    }
}

fn refuse(packet: &mut Packet) {
    if let Packet::Connack(connack) = packet {
        connack.session_present = false;
        connack.reason_code = ReasonCode::ServerUnavailable;
    }
    if let Packet::Suback(suback) = packet {
        suback
            .reason_codes
            .iter_mut()
            .for_each(|code| *code = ReasonCode::UnspecifiedError);
    }
}

fn other_id(packet: &mut Packet) {
    if let Packet::Publish(publish) = packet
        && let Delivery::AtLeastOnce(id) | Delivery::ExactlyOnce(id) = &mut publish.delivery
    {
        *id = PacketId::MIN;
    }
}

fn reversed_codes(packet: &mut Packet) {
    if let Packet::Suback(suback) = packet {
        suback.reason_codes.reverse();
    }
    if let Packet::Unsuback(unsuback) = packet {
        unsuback.reason_codes.reverse();
    }
}

fn more_properties(packet: &mut Packet) {
    let text = |text| Text::new(text).expect("a legal string");
    if let Packet::Connack(connack) = packet {
        connack
            .properties
            .push(Property::ResponseInformation(text("reply/to")));
        connack
            .properties
            .push(Property::AuthenticationMethod(text("method")));
    }
    if let Packet::Puback(ack) | Packet::Pubrec(ack) = packet {
        ack.properties.push(Property::ReasonString(text("why")));
    }
    if let Packet::Publish(publish) = packet {
        publish
            .properties
            .push(Property::TopicAlias(TopicAlias::new(1).expect("not zero")));
    }
}

fn no_method(packet: &mut Packet) {
    let is_method = |property: &Property| matches!(property, Property::AuthenticationMethod(_));
    if let Packet::Connack(connack) = packet {
        connack.properties.retain(|property| !is_method(property));
    } else if let Packet::Auth(auth) = packet {
        auth.properties.retain(|property| !is_method(property));
    }
}

/// The broker does not show that it knows the password.
fn no_signature(packet: &mut Packet) {
    if let Packet::Connack(connack) = packet {
        let is_data = |property: &Property| matches!(property, Property::AuthenticationData(_));
        connack.properties.retain(|property| !is_data(property));
    }
}

fn other_auth_code(packet: &mut Packet) {
    if let Packet::Auth(auth) = packet {
        auth.reason_code = if auth.reason_code == ReasonCode::Success {
            ReasonCode::ContinueAuthentication
        } else {
            ReasonCode::Success
        };
    }
}

/// Who authenticated again is not told by which method.
fn finish_by_no_method(packet: &mut Packet) {
    if let Packet::Auth(auth) = packet
        && auth.reason_code == ReasonCode::Success
    {
        auth.properties = Properties::new();
    }
}

/// As if every method were the one that the broker knows.
fn scram(packet: &mut Packet) {
    if let Packet::Auth(auth) = packet {
        let is_method = |property: &Property| matches!(property, Property::AuthenticationMethod(_));
        auth.properties.retain(|property| !is_method(property));
        let scram = Text::new("SCRAM-SHA-256").expect("a legal string");
        auth.properties.push(Property::AuthenticationMethod(scram));
    }
}

/// An alias on its own stands for another topic.
fn other_alias(packet: &mut Packet) {
    if let Packet::Publish(publish) = packet
        && publish.topic.is_none()
    {
        change_alias(publish, |alias| 3 - alias.min(2));
    }
}

/// Every alias is above the maximum that the cases announce.
fn higher_alias(packet: &mut Packet) {
    if let Packet::Publish(publish) = packet {
        change_alias(publish, |alias| alias.saturating_add(2));
    }
}

fn change_alias(publish: &mut Publish, change: impl Fn(u16) -> u16) {
    let Some(alias) = publish.properties.topic_alias() else {
        return;
    };
    let is_alias = |property: &Property| matches!(property, Property::TopicAlias(_));
    publish.properties.retain(|property| !is_alias(property));
    let alias = TopicAlias::new(change(alias.value())).expect("not zero");
    publish.properties.push(Property::TopicAlias(alias));
}

fn long_reason_strings(packet: &mut Packet) {
    let properties = match packet {
        Packet::Connack(connack) if connack.reason_code.is_error() => &mut connack.properties,
        Packet::Puback(ack) | Packet::Pubrec(ack) | Packet::Pubrel(ack) | Packet::Pubcomp(ack) => {
            &mut ack.properties
        }
        Packet::Suback(suback) => &mut suback.properties,
        Packet::Unsuback(unsuback) => &mut unsuback.properties,
        Packet::Disconnect(disconnect) => &mut disconnect.properties,
        Packet::Connect(_)
        | Packet::Connack(_)
        | Packet::Publish(_)
        | Packet::Subscribe(_)
        | Packet::Unsubscribe(_)
        | Packet::Pingreq
        | Packet::Pingresp
        | Packet::Auth(_) => return,
    };
    let is_reason = |property: &Property| matches!(property, Property::ReasonString(_));
    properties.retain(|property| !is_reason(property));
    properties.push(Property::ReasonString(
        Text::new(&"why".repeat(30)).expect("a legal string"),
    ));
}

fn no_properties(packet: &mut Packet) {
    if let Packet::Publish(publish) = packet {
        publish.properties = Properties::new();
    }
}

fn rotated_properties(packet: &mut Packet) {
    if let Packet::Publish(publish) = packet {
        let mut rotated: Vec<_> = publish.properties.iter().cloned().collect();
        let by = usize::from(!rotated.is_empty());
        rotated.rotate_left(by);
        publish.properties = rotated.into_iter().collect();
    }
}

fn retain(packet: &mut Packet) {
    if let Packet::Publish(publish) = packet {
        publish.retain = !publish.retain;
    }
}

fn dup(packet: &mut Packet) {
    if let Packet::Publish(publish) = packet {
        publish.dup = !publish.dup && publish.delivery.qos() != Qos::AtMostOnce;
    }
}

fn payload(packet: &mut Packet) {
    if let Packet::Publish(publish) = packet {
        publish.payload = "other".into();
    }
}

fn qos_2(packet: &mut Packet) {
    if let Packet::Publish(publish) = packet {
        publish.delivery = Delivery::ExactlyOnce(publish.delivery.packet_id().unwrap_or(PacketId::MIN));
    }
}

fn qos_0(packet: &mut Packet) {
    if let Packet::Publish(publish) = packet {
        publish.delivery = Delivery::AtMostOnce;
        publish.dup = false;
    }
}

fn clean_start(packet: &mut Packet) {
    if let Packet::Connect(connect) = packet {
        connect.clean_start = !connect.clean_start;
    }
}

fn no_keep_alive(packet: &mut Packet) {
    if let Packet::Connect(connect) = packet {
        connect.keep_alive = 0;
    }
}

fn no_connect_properties(packet: &mut Packet) {
    if let Packet::Connect(connect) = packet {
        connect.properties = Properties::new();
    }
}

fn endless_session(packet: &mut Packet) {
    if let Packet::Connect(connect) = packet {
        match connect.version {
            Version::V3_1_1 => connect.clean_start = false,
            Version::V5 => {
                let expiry = |property: &Property| matches!(property, Property::SessionExpiryInterval(_));
                connect.properties.retain(|property| !expiry(property));
                connect.properties.push(Property::SessionExpiryInterval(u32::MAX));
            }
        }
    }
}

fn no_will(packet: &mut Packet) {
    if let Packet::Connect(connect) = packet {
        connect.will = None;
    }
}

fn will_without_properties(packet: &mut Packet) {
    if let Packet::Connect(connect) = packet
        && let Some(will) = &mut connect.will
    {
        will.properties = Properties::new();
    }
}

fn will_retain(packet: &mut Packet) {
    if let Packet::Connect(connect) = packet
        && let Some(will) = &mut connect.will
    {
        will.retain = !will.retain;
    }
}

fn keep_all(packet: &mut Packet) {
    if let Packet::Publish(publish) = packet {
        publish.retain = true;
    }
}

fn keep_none(packet: &mut Packet) {
    if let Packet::Publish(publish) = packet {
        publish.retain = false;
    }
}

fn keep_no_qos_0(packet: &mut Packet) {
    if let Packet::Publish(publish) = packet {
        publish.retain &= publish.delivery != Delivery::AtMostOnce;
    }
}

fn no_expiry(packet: &mut Packet) {
    if let Packet::Publish(publish) = packet {
        publish
            .properties
            .retain(|property| !matches!(property, Property::MessageExpiryInterval(_)));
    }
}

fn no_subscription_options(packet: &mut Packet) {
    if let Packet::Subscribe(subscribe) = packet {
        for (_, options) in &mut subscribe.filters {
            *options = SubscriptionOptions {
                qos: options.qos,
                ..SubscriptionOptions::default()
            };
        }
    }
}

/// As if a leading wildcard matched the `$squall` of the one case that uses it.
fn dollar_for_plus(packet: &mut Packet) {
    if let Packet::Subscribe(subscribe) = packet {
        for (filter, _) in &mut subscribe.filters {
            if let Some(rest) = filter.text().as_str().strip_prefix('+') {
                *filter = TopicFilter::new(&format!("$squall{rest}")).expect("a legal filter");
            }
        }
    }
}

/// As if `$share/{ShareName}/` were not there.
fn no_shares(packet: &mut Packet) {
    shares(packet, str::to_owned);
}

/// As if all ShareNames were the same.
fn one_share(packet: &mut Packet) {
    shares(packet, |levels| format!("$share/one/{levels}"));
}

fn shares(packet: &mut Packet, change: impl Fn(&str) -> String) {
    if let Packet::Subscribe(subscribe) = packet {
        for (filter, _) in &mut subscribe.filters {
            if filter.share_name().is_some() {
                *filter = TopicFilter::new(&change(filter.levels())).expect("a legal filter");
            }
        }
    }
}

fn no_errors(packet: &mut Packet) {
    if let Packet::Pubrec(ack) = packet {
        ack.reason_code = ReasonCode::Success;
    }
}
