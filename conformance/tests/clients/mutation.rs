//! Something wrong between a client and a case: each mutation is one thing that a client might get wrong.

use squall_proto::{
    Delivery, Packet, PacketId, PacketType, Properties, Property, Qos, ReasonCode, SubscriptionId, Text,
    Version,
};

use self::Does::{
    Carries, Drops, Ignores, IgnoresMalformed, NeverCloses, Repeats, Says, Sees, Sends, Swaps, Tells, Writes,
};
use crate::websocket::Broken;

/// What a broken client does.
pub(crate) struct Mutation {
    /// As the table shows it.
    pub(crate) name: &'static str,
    pub(crate) does: Does,
    /// What its driver hears instead of a command.
    pub(crate) hears: fn(&str) -> String,
}

/// What goes wrong, on every connection of a case.
pub(crate) enum Does {
    /// It never closes a connection.
    NeverCloses,
    /// It goes on after what is no packet, as if it had not come.
    IgnoresMalformed,
    /// It sends none of this type.
    Drops(PacketType),
    /// It sends each of this type twice.
    Repeats(PacketType),
    /// Of two of this type it sends the second first.
    Swaps(PacketType),
    /// It does not see packets of this type.
    Ignores(PacketType),
    /// What it sends is changed.
    Sends(fn(&mut Packet)),
    /// The bytes of what it sends are changed.
    Writes(fn(&mut Vec<u8>)),
    /// What it sees is changed.
    Sees(fn(&mut Packet)),
    /// It says this once the first packet has come, in hex.
    Says(fn(Version) -> &'static str),
    /// Over WebSocket, something is wrong below MQTT.
    Carries(Broken),
    /// Its driver says this instead of a line.
    Tells(fn(&str) -> Vec<String>),
}

macro_rules! hearing {
    () => {
        str::to_owned
    };
    ($hears:expr) => {
        $hears
    };
}

macro_rules! mutations {
    ($($name:literal: $does:expr $(; hearing $hears:expr)?,)+) => {
        /// Every mutation, those that are about most first.
        pub(crate) const ALL: &[Mutation] = &[$(Mutation { name: $name, does: $does, hears: hearing!($($hears)?) }),+];
    };
}

mutations! {
    "sends no PUBACK": Drops(PacketType::Puback),
    "sends no PUBREC": Drops(PacketType::Pubrec),
    "sends no PUBREL": Drops(PacketType::Pubrel),
    "sends no PUBCOMP": Drops(PacketType::Pubcomp),
    "sends no PINGREQ": Drops(PacketType::Pingreq),
    "sends no DISCONNECT": Drops(PacketType::Disconnect),
    "sends no SUBSCRIBE": Drops(PacketType::Subscribe),
    "sends no UNSUBSCRIBE": Drops(PacketType::Unsubscribe),
    "sends CONNECT twice": Repeats(PacketType::Connect),
    "sends PUBLISH twice": Repeats(PacketType::Publish),
    "sends PUBACK twice": Repeats(PacketType::Puback),
    "sends PUBREL twice": Repeats(PacketType::Pubrel),
    "sends PINGREQ only every other time": Swaps(PacketType::Pingreq),
    "sends PUBACKs in another order": Swaps(PacketType::Puback),
    "sends PUBRECs in another order": Swaps(PacketType::Pubrec),
    "sends PUBRELs in another order": Swaps(PacketType::Pubrel),
    "sends PUBLISHes in another order": Swaps(PacketType::Publish),
    "never sets DUP": Sends(never_dup),
    "always sets DUP": Sends(always_dup),
    "always uses the Packet Identifier 1": Sends(one_id),
    "acknowledges another Packet Identifier": Sends(other_acknowledged),
    "publishes at QoS 0": Sends(qos_0),
    "publishes another topic": Sends(other_topic),
    "publishes a byte before the payload": Sends(longer_payload),
    "subscribes to another filter": Sends(other_filter),
    "says nothing of its Will, user and name in CONNECT": Sends(bare_connect),
    "makes up a Will, a user and a password": Sends(made_up_connect),
    "has another Client Identifier": Sends(other_client_id),
    "sends the flags of a PUBACK in PUBREL, SUBSCRIBE and UNSUBSCRIBE": Writes(|bytes| no_flags(bytes)),
    "begins with PINGREQ": Writes(pingreq_first),
    "disconnects with Reason Code 0": Sends(plain_disconnect),
    "gives every acknowledgement a Reason Code that is not its own": Writes(foreign_reason_code),
    "never closes": NeverCloses,
    "goes on after a malformed packet": IgnoresMalformed,
    "does not see PUBREC": Ignores(PacketType::Pubrec),
    "does not see SUBACK": Ignores(PacketType::Suback),
    "does not see DISCONNECT": Ignores(PacketType::Disconnect),
    "does not see PUBLISH": Ignores(PacketType::Publish),
    "does not see the properties of CONNACK": Sees(no_connack_properties),
    "takes Session Present for 1": Sees(session_present),
    "takes Session Present for 0": Sees(no_session_present),
    "takes every PUBLISH for another message": Sees(new_message),
    "subscribes to what is no filter": Says(|version| by(version, "820700010002612301", "82080001000002612301")),
    "publishes to what is no topic": Says(|_| "300400022b61"),
    "leaves out the topic of every PUBLISH with an alias": Sends(alias_alone),
    "publishes without properties": Sends(no_publish_properties),
    "publishes with a Subscription Identifier": Sends(subscription_identifier),
    "says why in every acknowledgement, DISCONNECT and AUTH": Sends(reason_strings),
    "sends AUTH of another method": Sends(other_method),
    "sends AUTH": Says(|_| "f000"),
    "asks for No Local on a shared subscription": Says(|_| "82100001000a2473686172652f612f6205"),
    "sends an empty Client Identifier with Clean Session 0": Writes(nameless); hearing |line| line.replace("client_id=", "client_id=x"),
    "sends a Password without a User Name": Writes(password_alone); hearing |line| line.replace(" password=", " user_name=x password="),
    "offers no subprotocol over WebSocket": Carries(Broken::OffersNone),
    "sends text frames over WebSocket": Carries(Broken::SendsText),
    "sees no frame over WebSocket": Carries(Broken::SeesNothing),
    "sends one frame over WebSocket and no more": Carries(Broken::FallsSilent),
    "takes a WebSocket without a subprotocol": Carries(Broken::TakesAll),
    "tells the application nothing": Tells(|line| if line.starts_with("message") { Vec::new() } else { vec![line.into()] }),
    "tells the application everything twice": Tells(|line| if line.starts_with("message") { vec![line.into(); 2] } else { vec![line.into()] }),
    "tells the application without byte order marks": Tells(|line| vec![line.replace("%EF%BB%BF", "")]),
}

const fn by(version: Version, v3: &'static str, v5: &'static str) -> &'static str {
    match version {
        Version::V3_1_1 => v3,
        Version::V5 => v5,
    }
}

fn never_dup(packet: &mut Packet) {
    if let Packet::Publish(publish) = packet {
        publish.dup = false;
    }
}

fn always_dup(packet: &mut Packet) {
    if let Packet::Publish(publish) = packet {
        publish.dup = publish.delivery != Delivery::AtMostOnce;
    }
}

fn one_id(packet: &mut Packet) {
    if let Packet::Publish(publish) = packet
        && let Delivery::AtLeastOnce(id) | Delivery::ExactlyOnce(id) = &mut publish.delivery
    {
        *id = PacketId::MIN;
    }
    if let Packet::Subscribe(subscribe) = packet {
        subscribe.packet_id = PacketId::MIN;
    }
}

fn other_acknowledged(packet: &mut Packet) {
    if let Packet::Puback(ack) | Packet::Pubrec(ack) | Packet::Pubrel(ack) | Packet::Pubcomp(ack) = packet {
        ack.packet_id = PacketId::new(999).expect("not zero");
    }
}

fn qos_0(packet: &mut Packet) {
    if let Packet::Publish(publish) = packet {
        publish.delivery = Delivery::AtMostOnce;
        publish.dup = false;
    }
}

fn other_topic(packet: &mut Packet) {
    if let Packet::Publish(publish) = packet {
        publish.topic = Some(squall_proto::TopicName::new("other").expect("a topic"));
    }
}

fn alias_alone(packet: &mut Packet) {
    if let Packet::Publish(publish) = packet
        && publish.properties.topic_alias().is_some()
    {
        publish.topic = None;
    }
}

fn no_publish_properties(packet: &mut Packet) {
    if let Packet::Publish(publish) = packet {
        publish.properties = Properties::new();
    }
}

fn subscription_identifier(packet: &mut Packet) {
    if let Packet::Publish(publish) = packet {
        let id = SubscriptionId::new(1).expect("in range");
        publish.properties.push(Property::SubscriptionIdentifier(id));
    }
}

fn reason_strings(packet: &mut Packet) {
    let why = || Property::ReasonString(Text::new("because it is so").expect("a legal string"));
    match packet {
        Packet::Puback(ack) | Packet::Pubrec(ack) | Packet::Pubrel(ack) | Packet::Pubcomp(ack) => {
            ack.properties.push(why());
        }
        Packet::Disconnect(disconnect) => disconnect.properties.push(why()),
        Packet::Auth(auth) => auth.properties.push(why()),
        Packet::Connect(_) | Packet::Connack(_) | Packet::Publish(_) | Packet::Subscribe(_) => {}
        Packet::Suback(_) | Packet::Unsubscribe(_) | Packet::Unsuback(_) => {}
        Packet::Pingreq | Packet::Pingresp => {}
    }
}

fn other_method(packet: &mut Packet) {
    if let Packet::Auth(auth) = packet {
        auth.properties = Properties::new();
        auth.properties.push(Property::AuthenticationMethod(
            Text::new("OTHER").expect("a legal string"),
        ));
    }
}

fn longer_payload(packet: &mut Packet) {
    if let Packet::Publish(publish) = packet {
        publish.payload = [b"\0".as_slice(), &publish.payload].concat().into();
    }
}

fn other_filter(packet: &mut Packet) {
    let other = || squall_proto::TopicFilter::new("other").expect("a filter");
    if let Packet::Subscribe(subscribe) = packet {
        subscribe
            .filters
            .iter_mut()
            .for_each(|(filter, _)| *filter = other());
    }
    if let Packet::Unsubscribe(unsubscribe) = packet {
        unsubscribe
            .filters
            .iter_mut()
            .for_each(|filter| *filter = other());
    }
}

fn bare_connect(packet: &mut Packet) {
    if let Packet::Connect(connect) = packet {
        connect.will = None;
        connect.user_name = None;
        connect.password = None;
    }
}

fn made_up_connect(packet: &mut Packet) {
    let text = |text| Text::new(text).expect("a legal string");
    if let Packet::Connect(connect) = packet {
        connect.will = Some(squall_proto::Will {
            topic: squall_proto::TopicName::new("will").expect("a topic"),
            payload: squall_proto::Binary::new("x").expect("short"),
            qos: Qos::AtMostOnce,
            retain: false,
            properties: Properties::new(),
        });
        connect.user_name = Some(text("somebody"));
        connect.password = Some(squall_proto::Binary::new("secret").expect("short"));
    }
}

fn other_client_id(packet: &mut Packet) {
    if let Packet::Connect(connect) = packet {
        connect.client_id = Text::new("other").expect("a legal string");
    }
}

/// PUBREL, SUBSCRIBE and UNSUBSCRIBE have the flags 0010.
fn no_flags(bytes: &mut [u8]) {
    if let Some(first @ (0x62 | 0x82 | 0xa2)) = bytes.first_mut() {
        *first &= 0xf0;
    }
}

fn pingreq_first(bytes: &mut Vec<u8>) {
    if bytes.first() == Some(&0x10) {
        bytes.splice(0..0, [0xc0, 0]);
    }
}

fn plain_disconnect(packet: &mut Packet) {
    if let Packet::Disconnect(disconnect) = packet {
        disconnect.reason_code = ReasonCode::Success;
    }
}

/// In 5.0: 0x01, which is none of an acknowledgement.
fn foreign_reason_code(bytes: &mut Vec<u8>) {
    if let [first @ (0x40 | 0x50 | 0x62 | 0x70), 2, high, low] = bytes[..] {
        *bytes = vec![first, 3, high, low, 1];
    }
    if let [0xe0, 0] = bytes[..] {
        *bytes = vec![0xe0, 1, 1];
    }
}

fn no_connack_properties(packet: &mut Packet) {
    if let Packet::Connack(connack) = packet {
        connack.properties = Properties::new();
    }
}

fn session_present(packet: &mut Packet) {
    if let Packet::Connack(connack) = packet {
        connack.session_present = true;
    }
}

fn no_session_present(packet: &mut Packet) {
    if let Packet::Connack(connack) = packet {
        connack.session_present = false;
    }
}

fn new_message(packet: &mut Packet) {
    if let Packet::Publish(publish) = packet
        && publish.dup
        && let Delivery::ExactlyOnce(id) = publish.delivery
    {
        publish.delivery = Delivery::AtLeastOnce(id);
    }
}

/// The Client Identifier stands behind the flags, a Keep Alive and, in 5.0, the properties.
fn nameless(bytes: &mut Vec<u8>) {
    if bytes.first() == Some(&0x10) {
        *bytes = hex::decode("100c00044d515454040000000000").expect("hex");
    }
}

fn password_alone(bytes: &mut Vec<u8>) {
    if bytes.first() == Some(&0x10) {
        *bytes = hex::decode("100f00044d5154540442003c0000000178").expect("hex");
    }
}
