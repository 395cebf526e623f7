//! Whoever speaks packet by packet: a raw peer, and what it says.

use proptest::{prelude::Strategy as _, strategy::BoxedStrategy};
use serde_json::{Value, json};

use super::{
    clients::Cast,
    mix::Mix,
    packets,
    plain::{Draw, if_on, just, map, millis, number, one_of, seconds, sometimes},
    script,
};

/// The peer, by name.
pub(super) fn peers(mix: &Mix, cast: &Cast) -> Draw {
    let Some(name) = cast.peer else {
        return just(json!({}));
    };
    let acknowledges = if mix.has("script") {
        sometimes(just(true))
    } else {
        just(true)
    };
    let peer = map(vec![
        ("acknowledges", acknowledges),
        ("pings", if_on(mix.has("pings"), seconds(1..=10))),
        ("script", if_on(mix.has("script"), script::of_peer(mix))),
    ]);
    map(vec![(name, peer)])
}

/// It comes once, twice or three times, each time in these milliseconds.
const COMES: [std::ops::RangeInclusive<u64>; 3] = [100..=3000, 4500..=6000, 9000..=11_000];
/// So much later, in milliseconds, it says something.
const LATER: std::ops::RangeInclusive<u64> = 100..=4000;

/// It connects, says something, right or wrong, and may go.
pub(super) fn visits(mix: &Mix, peer: &'static str) -> BoxedStrategy<Vec<Value>> {
    let visits = COMES.into_iter().enumerate();
    let visits: Vec<_> = visits
        .map(|(place, at)| visit(mix, peer, place + 1, at))
        .collect();
    (1..=visits.len(), visits)
        .prop_map(|(count, visits)| visits.into_iter().take(count).flatten().collect())
        .boxed()
}

fn visit(
    mix: &Mix,
    peer: &'static str,
    number: usize,
    at: std::ops::RangeInclusive<u64>,
) -> BoxedStrategy<Vec<Value>> {
    let (comes, says) = (
        format!("{peer} comes {number}"),
        format!("{peer} says hello {number}"),
    );
    let open = map(vec![
        ("id", just(comes.clone())),
        ("at", millis(at)),
        ("open", just(json!({ "peer": peer }))),
    ]);
    let first = if mix.has("wrong") {
        proptest::prop_oneof![9 => packets::connect(mix, peer), 1 => wrong_hello(mix, peer)].boxed()
    } else {
        packets::connect(mix, peer)
    };
    let hello = map(vec![
        ("id", just(says.clone())),
        ("after", just(comes)),
        ("send", send(peer, first, None)),
    ]);
    let mut parts = vec![some(1..=1, open), some(1..=1, hello)];
    let later = |what: &'static str, does: Draw| {
        map(vec![
            ("after", just(says.clone())),
            ("wait", millis(LATER)),
            (what, does),
        ])
    };
    if mix.has("send") {
        for place in 1..=3 {
            let said = saying(mix, peer, &format!("{peer} {number}.{place}"));
            parts.push(some(0..=1, later("send", said)));
        }
    }
    if mix.has("shut") {
        let how = sometimes(one_of(&["fin", "rst"]));
        let shut = map(vec![("peer", just(peer)), ("how", how)]);
        parts.push(some(0..=1, later("shut", shut)));
    }
    parts.prop_map(|parts| parts.concat()).boxed()
}

/// Something that it says; `mark` is in its payload, if it is a message.
fn saying(mix: &Mix, peer: &'static str, mark: &str) -> Draw {
    let right = packets::right(mix, mark);
    if !mix.has("wrong") {
        return send(peer, right, None);
    }
    let wrong = packets::wrong(mix, mark);
    let packet = proptest::prop_oneof![right, wrong].boxed();
    send(peer, packet, Some(number(1..=3)))
}

fn send(peer: &'static str, packet: Draw, times: Option<Draw>) -> Draw {
    let mut entries = vec![
        ("from", just(peer)),
        ("packets", packet.prop_map(|packet| json!([packet])).boxed()),
    ];
    entries.extend(times.map(|times| ("times", sometimes(times))));
    map(entries)
}

/// What no connection can begin with.
fn wrong_hello(mix: &Mix, peer: &'static str) -> Draw {
    let connect = proptest::prop_oneof![
        number(0..=255).prop_map(|flags| json!({ "connect_flags": flags })),
        one_of(&["MQTX", "", "MQIsdp"]).prop_map(|name| json!({ "protocol_name": name })),
        one_of(&[0, 3, 6, 0x84]).prop_map(|level| json!({ "protocol_level": level })),
        just(json!({ "properties": { "receive_maximum": 0 } })),
        just(json!({ "properties": [{ "topic_alias_maximum": 1 }, { "topic_alias_maximum": 1 }] })),
        just(json!({ "will": { "topic": "t/#" } })),
    ]
    .boxed();
    proptest::prop_oneof![
        packets::named("CONNECT", connect),
        packets::wrong(mix, &format!("{peer} hello")),
    ]
    .boxed()
}

/// So many of them, one after another.
fn some(count: std::ops::RangeInclusive<usize>, step: Draw) -> BoxedStrategy<Vec<Value>> {
    proptest::collection::vec(step, count).boxed()
}
