use squall_proto::{
    Delivery, Disconnect, Packet, PacketId, PacketType, Properties, Property, Publish, Qos, ReasonCode,
    SubscriptionOptions, Text, TopicAlias, TopicFilter, Version,
};

use super::Mutation::{
    self, Both, CloseSoon, Drop, Ignore, IgnoreQos0, IgnoreUnsubscribe, NeverClose, Once, Repeat,
    RepeatAlways, RepeatNothing, RepeatToSubscribers, Seen, Sent, Swap,
};
use super::{
    absent::{qos_0_for_qos_1, qos_1_for_qos_0},
    windows::wider_window,
};

macro_rules! mutations {
    ($($name:literal: $does:expr,)+) => {
        /// Every mutation, those that are about one thing first, as the table names them.
        pub(crate) const ALL: &[(&str, Mutation)] = &[$(($name, $does)),+];
    };
}

mutations! {
    "knows no Keep Alive": Seen(no_keep_alive),
    "takes Receive Maximum for one more": Seen(wider_window),
    "does not see the properties of CONNECT": Seen(no_connect_properties),
    "keeps every session": Seen(endless_session),
    "does not see the Will": Seen(no_will),
    "does not see the properties of the Will": Seen(will_without_properties),
    "turns Will Retain around": Seen(will_retain),
    "retains every message": Seen(keep_all),
    "retains no message": Seen(keep_none),
    "retains no message of QoS 0": Seen(keep_no_qos_0),
    "lets no message expire": Seen(no_expiry),
    "does not see the Subscription Options but the QoS": Seen(no_subscription_options),
    "matches a topic that begins with $ by a leading wildcard": Seen(dollar_for_plus),
    "takes a shared subscription for one that is not": Seen(no_shares),
    "takes all ShareNames for one": Seen(one_share),
    "takes every PUBREC for one of success": Seen(no_errors),
    "takes every method for the one it knows": Seen(scram),
    "answers UNSUBSCRIBE and does not carry it out": IgnoreUnsubscribe,
    "always uses the Packet Identifier 1": Sent(other_id),
    "reverses the Reason Codes of SUBACK and UNSUBACK": Sent(reversed_codes),
    "leaves out the Authentication Method": Sent(no_method),
    "does not show that it knows the password": Sent(no_signature),
    "swaps the Reason Codes 0x00 and 0x18 of AUTH": Sent(other_auth_code),
    "ends authenticating again without the method": Sent(finish_by_no_method),
    "says why at length": Sent(long_reason_strings),
    "sends PUBLISH without properties": Sent(no_properties),
    "takes one Topic Alias for another": Sent(other_alias),
    "sends Topic Aliases two higher": Sent(higher_alias),
    "sends the properties of PUBLISH in another order": Sent(rotated_properties),
    "turns RETAIN around in what it sends": Sent(retain),
    "turns DUP around": Sent(dup),
    "sends every PUBLISH at QoS 2": Sent(qos_2),
    "sends every PUBLISH at QoS 0": Sent(qos_0),
    "sends PUBLISH twice": Repeat(PacketType::Publish),
    "sends PUBREL twice": Repeat(PacketType::Pubrel),
    "sends PINGRESP twice": Repeat(PacketType::Pingresp),
    "sends DISCONNECT twice": Repeat(PacketType::Disconnect),
    "repeats nothing when a session is resumed": RepeatNothing,
    "repeats its last PUBLISH when a session is resumed, acknowledged or not": RepeatAlways,
    "sends its last PUBLISH to who subscribes next": RepeatToSubscribers,
    "turns Clean Start around": Seen(clean_start),
    "keeps QoS 0 messages for who is absent": Both(qos_1_for_qos_0, qos_0_for_qos_1),
    "does not see PUBACK": Ignore(PacketType::Puback),
    "does not see PUBCOMP": Ignore(PacketType::Pubcomp),
    "does not see DISCONNECT": Ignore(PacketType::Disconnect),
    "turns Session Present around": Sent(session_present),
    "sends another payload": Sent(payload),
    "refuses CONNECT with DISCONNECT": Sent(refuse_with_disconnect),
    "refuses every CONNECT and every subscription": Sent(refuse),
    "adds properties to CONNACK, acknowledgements and PUBLISH": Sent(more_properties),
    "sends one PUBLISH a connection": Once(PacketType::Publish),
    "sends one PUBCOMP a connection": Once(PacketType::Pubcomp),
    "sends the second PUBLISH before the first": Swap,
    "does not see PUBLISH at QoS 0": IgnoreQos0,
    "never closes": NeverClose,
    "sends no PUBACK": Drop(PacketType::Puback),
    "sends no PUBREC": Drop(PacketType::Pubrec),
    "sends no PUBREL": Drop(PacketType::Pubrel),
    "sends no PUBCOMP": Drop(PacketType::Pubcomp),
    "sends no SUBACK": Drop(PacketType::Suback),
    "sends no UNSUBACK": Drop(PacketType::Unsuback),
    "sends no PINGRESP": Drop(PacketType::Pingresp),
    "sends no DISCONNECT": Drop(PacketType::Disconnect),
    "sends no AUTH": Drop(PacketType::Auth),
    "sends no CONNACK": Drop(PacketType::Connack),
    "sends no PUBLISH": Drop(PacketType::Publish),
    "closes after its first PUBLISH, SUBACK or PINGRESP": CloseSoon,
}

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

fn refuse_with_disconnect(packet: &mut Packet) {
    if let Packet::Connack(connack) = packet
        && connack.reason_code.is_error()
    {
        *packet = Packet::Disconnect(Disconnect::of(connack.reason_code));
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
