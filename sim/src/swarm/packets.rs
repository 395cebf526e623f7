//! What whoever speaks packet by packet says: what is right, and what is wrong with it.

use proptest::{prelude::Strategy as _, sample::select};
use serde_json::{Value, json};

use super::{
    clients::{filter_words, filters, topic},
    mix::Mix,
    plain::{Draw, if_on, just, map, number, one_of, seconds, sometimes},
};

/// A CONNECT that the broker accepts.
pub(super) fn connect(mix: &Mix, peer: &'static str) -> Draw {
    let v5 = |feature| mix.has_v5(feature);
    let will = map(vec![
        ("topic", topic(mix)),
        ("qos", number(0..=mix.qos_of_wills())),
        ("retain", if_on(mix.retains_wills(), just(true))),
        ("delay", if_on(v5("will_delay"), seconds(1..=10))),
    ]);
    let properties = map(vec![
        ("receive_maximum", if_on(v5("receive_maximum"), number(1..=4))),
        (
            "maximum_packet_size",
            if_on(v5("maximum_packet_size"), number(300..=1000)),
        ),
        ("topic_alias_maximum", if_on(v5("topic_aliases"), number(1..=3))),
    ]);
    let connect = map(vec![
        ("client_id", just(peer)),
        ("keep_alive", one_of(&["20s", "20s", "5s", "0s"])),
        ("clean_start", if_on(mix.has("persistent"), just(false))),
        ("session_expiry", if_on(v5("session_expiry"), seconds(1..=30))),
        ("will", if_on(mix.has("will"), will)),
        ("properties", properties),
    ]);
    named("CONNECT", connect)
}

/// A packet that a client may send when it is connected; `mark` is the payload, if it is a message.
pub(super) fn right(mix: &Mix, mark: &str) -> Draw {
    let subscribe = map(vec![("packet_id", number(1..=3)), ("filters", filters(mix))]);
    let filter = select(filter_words(mix))
        .prop_map(|filter| json!([filter]))
        .boxed();
    let unsubscribe = map(vec![("packet_id", number(1..=3)), ("filters", filter)]);
    proptest::prop_oneof![
        1 => just("PINGREQ"),
        1 => just("DISCONNECT"),
        4 => publish(mix, mark),
        2 => named("SUBSCRIBE", subscribe),
        1 => named("UNSUBSCRIBE", unsubscribe),
        1 => named("PUBREL", number(1..=3)),
    ]
    .boxed()
}

/// A message.
pub(super) fn publish(mix: &Mix, mark: &str) -> Draw {
    let publish = map(vec![
        ("topic", topic(mix)),
        ("qos", number(0..=2)),
        ("packet_id", number(1..=3)),
        ("retain", if_on(mix.has("retain"), just(true))),
        ("payload", just(mark)),
        ("size", if_on(mix.has("sizes"), number(10..=3000))),
    ]);
    named("PUBLISH", publish)
}

/// A packet that its receiver must not take; or one that it may, as it happens.
pub(super) fn wrong(mix: &Mix, mark: &str) -> Draw {
    proptest::prop_oneof![
        2 => mangled(right(mix, mark)),
        2 => wrong_publish(mark),
        1 => wrong_request(),
        1 => wrong_acknowledgement(mix),
        1 => one_of(&["CONNECT", "CONNACK", "SUBACK", "UNSUBACK", "PINGRESP", "AUTH", "SUBSCRIBE", "UNSUBSCRIBE"]),
        1 => one_of(BYTES).prop_map(|hex| json!({ "hex": hex })),
    ]
    .boxed()
}

/// A packet type that there is not; a Remaining Length without end; a PUBLISH at QoS 3; an answer to nothing; half a packet.
const BYTES: &[&str] = &[
    "00 00",
    "30 ff ff ff ff ff",
    "36 05 00 01 61 00 01",
    "40 02 00 07",
    "c0",
];

/// What is wrong around a packet: its flags, its length, or where it ends.
fn mangled(packet: Draw) -> Draw {
    let wrong = proptest::prop_oneof![
        number(0..=15).prop_map(|flags| ("flags", flags)),
        one_of(&[0, 1, 5, 127, 128, 16_384, 268_435_455, 268_435_456])
            .prop_map(|length| ("remaining_length", length)),
        one_of(&["00", "ff ff", "c0 00"]).prop_map(|more| ("append", more)),
        number(0..=6).prop_map(|bytes| ("truncate", bytes)),
        one_of(&["3.1.1", "5.0"]).prop_map(|version| ("version", version)),
    ];
    (packet, wrong)
        .prop_map(|(packet, (key, value))| {
            let mut packet = match packet {
                Value::String(name) => json!({ name: {} }),
                other @ (Value::Null
                | Value::Bool(_)
                | Value::Number(_)
                | Value::Array(_)
                | Value::Object(_)) => other,
            };
            if let Value::Object(entries) = &mut packet {
                entries.insert(key.to_owned(), value);
            }
            packet
        })
        .boxed()
}

fn wrong_publish(mark: &str) -> Draw {
    let properties = proptest::prop_oneof![
        one_of(&[0, 1, 9, 65_535]).prop_map(|alias| json!({ "topic_alias": alias })),
        just(json!({ "subscription_identifier": 0 })),
        just(json!({ "receive_maximum": 1 })),
        just(json!([{ "message_expiry_interval": 1 }, { "message_expiry_interval": 2 }])),
        just(json!({ "payload_format_indicator": 2 })),
    ]
    .boxed();
    let publish = map(vec![
        ("topic", sometimes(one_of(&["t", "t/#", "+", "$SYS/t", "/"]))),
        ("qos", number(0..=3)),
        ("packet_id", number(0..=3)),
        ("dup", sometimes(just(true))),
        ("payload", just(mark)),
        ("properties", sometimes(properties)),
    ]);
    named("PUBLISH", publish)
}

fn wrong_request() -> Draw {
    let words = ["t/#", "t#", "#/t", "", "$share//t", "$share/g", "$share/+/t", "t"];
    let filter = one_of(&words);
    let filters = (filter.clone(), number(0..=63))
        .prop_map(|(filter, options)| json!({ filter.as_str().unwrap_or_default(): options }))
        .boxed();
    let subscribe = map(vec![
        ("packet_id", number(0..=3)),
        ("filters", sometimes(filters)),
        (
            "properties",
            sometimes(
                one_of(&[0, 1])
                    .prop_map(|id| json!({ "subscription_identifier": id }))
                    .boxed(),
            ),
        ),
    ]);
    let filters = filter.prop_map(|filter| json!([filter])).boxed();
    let unsubscribe = map(vec![
        ("packet_id", number(0..=3)),
        ("filters", sometimes(filters)),
    ]);
    proptest::prop_oneof![named("SUBSCRIBE", subscribe), named("UNSUBSCRIBE", unsubscribe)].boxed()
}

fn wrong_acknowledgement(mix: &Mix) -> Draw {
    let name = one_of(&["PUBACK", "PUBREC", "PUBREL", "PUBCOMP"]);
    let reason = one_of(&[0x10, 0x92, 0x97, 0xff]);
    let ack = map(vec![
        ("packet_id", number(0..=4)),
        ("reason", if_on(mix.v5, reason)),
    ]);
    (name, ack)
        .prop_map(|(name, ack)| json!({ name.as_str().unwrap_or_default(): ack }))
        .boxed()
}

/// A packet of this name with these fields.
pub(super) fn named(name: &'static str, fields: Draw) -> Draw {
    fields.prop_map(move |fields| json!({ name: fields })).boxed()
}
