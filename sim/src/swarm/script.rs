//! What whoever speaks packet by packet answers: late, in pieces, twice, not at all, something else.

use proptest::{prelude::Strategy as _, strategy::BoxedStrategy};
use serde_json::{Value, json};

use super::{
    clients::{Cast, topic},
    mix::Mix,
    packets,
    plain::{Draw, if_on, just, map, milli_range, millis, number, one_of, sometimes},
};

/// Rules of a peer. The broker need not finish with it what it does not finish.
pub(super) fn of_peer(mix: &Mix) -> Draw {
    let answers = |at: &'static str| acknowledgement(mix, at);
    let subscribe = just(json!([{ "SUBSCRIBE": { "filters": { "#": 2 } } }]));
    let rule = proptest::prop_oneof![
        rule("PUBLISH", Some(1), answers("PUBACK"), Bound::Any),
        rule("PUBLISH", Some(2), answers("PUBREC"), Bound::Any),
        rule("PUBREC", None, answers("PUBREL"), Bound::Any),
        rule("PUBREL", None, answers("PUBCOMP"), Bound::Any),
        rule("CONNACK", None, subscribe, Bound::Any),
    ];
    list(rule.boxed(), 1..=3)
}

/// Rules of a scripted broker. What it never answers keeps a client waiting, so that is for the first connection alone, which a step
/// ends.
pub(super) fn of_broker(mix: &Mix) -> Draw {
    let answers = |at: &'static str| acknowledgement(mix, at);
    let suback = |mark| {
        proptest::prop_oneof![
            just(json!([])),
            just(json!(["SUBACK", "SUBACK"])),
            one_of(&[0, 2, 3, 0x80, 0x97]).prop_map(|reason| json!([{ "SUBACK": { "reasons": [reason] } }])),
            packets::publish(mix, mark).prop_map(|message| json!(["SUBACK", message])),
            packets::publish(mix, mark).prop_map(|message| json!([message, "SUBACK"])),
        ]
    };
    let rules = proptest::prop_oneof![
        3 => rule("PUBLISH", Some(1), answers("PUBACK"), Bound::First),
        3 => rule("PUBLISH", Some(2), answers("PUBREC"), Bound::First),
        2 => rule("PUBREC", None, answers("PUBREL"), Bound::First),
        2 => rule("PUBREL", None, answers("PUBCOMP"), Bound::First),
        2 => rule("SUBSCRIBE", None, suback("broker suback").boxed(), Bound::First),
        1 => rule("UNSUBSCRIBE", None, one_of(&["UNSUBACK", "SUBACK"]).prop_map(|ack| json!([ack, ack])).boxed(), Bound::First),
        1 => rule("PINGREQ", None, just(json!([])), Bound::First),
        3 => rule("CONNECT", None, connack(mix), Bound::Nth),
    ];
    list(rules.boxed(), 0..=4)
}

/// What it says by itself, and when it ends the connections on which somebody may wait for ever.
pub(super) fn steps_of_broker(mix: &Mix, cast: &Cast) -> BoxedStrategy<Vec<Value>> {
    let messages = (1..=6).map(|place| {
        let mark = format!("broker {place}");
        let right = packets::publish(mix, &mark);
        let packet = if mix.has("wrong") {
            proptest::prop_oneof![2 => right, 1 => packets::wrong(mix, &mark)].boxed()
        } else {
            right
        };
        let send = map(vec![
            ("from", just("broker")),
            ("to", sometimes(one_of(&cast.clients))),
            ("packets", packet.prop_map(|packet| json!([packet])).boxed()),
        ]);
        let step = map(vec![("at", millis(500..=12_000)), ("send", send)]);
        proptest::collection::vec(step, 0..=1).boxed()
    });
    let how = sometimes(one_of(&["fin", "rst"]));
    let shut = map(vec![("peer", just("broker")), ("how", how)]);
    let shut = map(vec![("at", millis(500..=12_000)), ("shut", shut)]);
    let end = |at: &str| just(json!({ "at": at, "shut": { "peer": "broker" } }));
    let mut parts: Vec<_> = messages.collect();
    if mix.has("shut") {
        parts.push(proptest::collection::vec(shut, 1..=2).boxed());
    }
    parts.push(vec![end("30s"), end("1m")].prop_map(|ends| ends).boxed());
    parts.prop_map(|parts| parts.concat()).boxed()
}

/// To which connections a rule is kept.
#[derive(Clone, Copy)]
enum Bound {
    Any,
    First,
    Nth,
}

fn rule(to: &'static str, qos: Option<u64>, with: Draw, bound: Bound) -> Draw {
    let pieces = map(vec![("bytes", number(1..=3)), ("every", millis(1..=20))]);
    let then = one_of(&["fin", "rst", "silence"]);
    let seldom = |draw| sometimes(sometimes(draw));
    let (connection, nth) = match bound {
        Bound::Any => (seldom(number(1..=3)), sometimes(number(1..=4))),
        Bound::First => (just(1), sometimes(number(1..=4))),
        Bound::Nth => (just(Value::Null), number(1..=3)),
    };
    let (reversed, then) = match bound {
        Bound::Any | Bound::First => (seldom(number(2..=3)), seldom(then)),
        // Who hears nothing on the last of its connections would wait for ever.
        Bound::Nth => (just(Value::Null), seldom(one_of(&["fin", "rst"]))),
    };
    map(vec![
        ("to", just(to)),
        ("qos", qos.map_or_else(|| just(Value::Null), just)),
        ("connection", connection),
        ("nth", nth),
        ("with", sometimes(with)),
        ("after", sometimes(milli_range(1..=3000))),
        ("reversed", reversed),
        ("pieces", seldom(pieces)),
        ("then", then),
    ])
}

/// What is said where this acknowledgement is due.
fn acknowledgement(mix: &Mix, due: &'static str) -> Draw {
    let other = one_of(&["PUBACK", "PUBREC", "PUBREL", "PUBCOMP"]);
    let twice = just(json!([due, due]));
    let of_another = number(0..=4).prop_map(move |id| json!([{ due: id }]));
    let refusal = if mix.v5 {
        one_of(&[0x80, 0x92, 0x97])
            .prop_map(move |reason| json!([{ due: { "reason": reason } }]))
            .boxed()
    } else {
        twice.clone()
    };
    proptest::prop_oneof![
        just(json!([])),
        twice,
        of_another,
        refusal,
        other.prop_map(|other| json!([other])),
    ]
    .boxed()
}

/// What is said to a CONNECT.
fn connack(mix: &Mix) -> Draw {
    let limits = map(vec![
        ("receive_maximum", sometimes(number(1..=3))),
        ("topic_alias_maximum", sometimes(number(0..=3))),
        ("maximum_packet_size", sometimes(number(500..=1000))),
        ("server_keep_alive", sometimes(number(2..=20))),
        ("session_expiry_interval", sometimes(number(0..=10))),
        ("retain_available", sometimes(just(0))),
        ("maximum_qos", sometimes(number(0..=1))),
    ]);
    let refusal = one_of(if mix.v5 { &[0x88, 0x89, 0x97] } else { &[2, 3, 5] });
    let connack = map(vec![
        (
            "session_present",
            sometimes(proptest::bool::ANY.prop_map(Value::from).boxed()),
        ),
        ("reason", if_on(mix.has("refusals"), refusal)),
        ("properties", if_on(mix.has_v5("limits"), limits)),
    ]);
    let connack = packets::named("CONNACK", connack);
    let message = packets::named(
        "PUBLISH",
        map(vec![("topic", topic(mix)), ("payload", just("broker connack"))]),
    );
    let first = (connack.clone(), message).prop_map(|(connack, message)| json!([connack, message]));
    proptest::prop_oneof![
        4 => connack.prop_map(|connack| json!([connack])),
        1 => first,
        1 => just(json!(["PINGRESP"])),
    ]
    .boxed()
}

fn list(item: Draw, count: std::ops::RangeInclusive<usize>) -> Draw {
    proptest::collection::vec(item, count)
        .prop_map(Value::from)
        .boxed()
}
