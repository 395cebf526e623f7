use proptest::{prelude::Strategy as _, sample::select};
use serde_json::{Value, json};

use super::{
    mix::Mix,
    plain::{
        Draw, if_on, just, map, milli_range, millis, nothing, number, one_of, seconds, some_keys, sometimes,
    },
};

/// Who takes part.
#[derive(Clone, Debug)]
pub(super) struct Cast {
    /// Clients of ours that stay, by name.
    pub(super) clients: Vec<&'static str>,
    /// Has the Client Identifier of the first of them, and connects when a step says so.
    pub(super) rival: Option<&'static str>,
    /// Speaks packet by packet.
    pub(super) peer: Option<&'static str>,
}

const NAMES: [&str; 4] = ["a", "b", "c", "d"];

pub(super) fn cast(mix: &Mix) -> Cast {
    Cast {
        clients: NAMES.into_iter().take(mix.clients).collect(),
        rival: (mix.has("client_id") && mix.has("connect")).then_some("rival"),
        peer: (mix.has("peers") && mix.has("open")).then_some("raw"),
    }
}

impl Cast {
    /// Everybody but the broker.
    pub(super) fn hosts(&self) -> Vec<&'static str> {
        let others = self.rival.iter().chain(&self.peer);
        self.clients.iter().chain(others).copied().collect()
    }
}

/// Every client, by name.
pub(super) fn clients(mix: &Mix, cast: &Cast) -> Draw {
    let rival = cast.rival.map(|name| (name, rival(mix)));
    let clients = cast.clients.iter().map(|name| (*name, client(mix, cast)));
    map(clients.chain(rival).collect())
}

/// The peer, by name.
pub(super) fn peers(cast: &Cast) -> Value {
    match cast.peer {
        Some(name) => json!({ name: { "acknowledges": true } }),
        None => json!({}),
    }
}

fn client(mix: &Mix, cast: &Cast) -> Draw {
    // A group has no one Client Identifier to be taken over.
    let is_group = mix.has("count") && cast.rival.is_none();
    let mut entries = character(mix);
    entries.extend([
        ("count", if_on(is_group, number(2..=3))),
        (
            "connect",
            if_on(mix.has("late"), map(vec![("at", milli_range(0..=3000))])),
        ),
        (
            "reconnect",
            if_on(mix.has("reconnect"), map(vec![("after", milli_range(1..=4000))])),
        ),
        (
            "transport",
            if_on(mix.has("transport"), sometimes(one_of(&["tls", "ws", "wss"]))),
        ),
    ]);
    map(entries)
}

/// Takes the session of the first client over, and does not fight for it.
fn rival(mix: &Mix) -> Draw {
    let mut entries = character(mix);
    // A Will is known by the Client Identifier in its payload: two Wills of one cannot be told apart.
    entries.retain(|(key, _)| *key != "will");
    entries.extend([
        ("client_id", just(NAMES[0])),
        ("connect", just("never")),
        ("reconnect", just("never")),
    ]);
    map(entries)
}

fn character(mix: &Mix) -> Vec<(&'static str, Draw)> {
    let v5 = |feature| mix.has_v5(feature);
    vec![
        ("session", if_on(mix.has("persistent"), just("persistent"))),
        ("session_expiry", if_on(v5("session_expiry"), seconds(0..=30))),
        ("keep_alive", if_on(mix.has("keep_alive"), seconds(1..=20))),
        ("will", if_on(mix.has("will"), will(mix))),
        ("subscribe", sometimes(filters(mix))),
        (
            "subscription_identifier",
            if_on(v5("subscription_identifier"), number(1..=300)),
        ),
        ("receive_maximum", if_on(v5("receive_maximum"), number(1..=4))),
        (
            "maximum_packet_size",
            if_on(v5("maximum_packet_size"), number(300..=1000)),
        ),
        ("topic_alias_maximum", if_on(v5("topic_aliases"), number(1..=3))),
        ("topic_aliases", if_on(v5("topic_aliases"), number(1..=3))),
        ("inflight", if_on(mix.has("inflight"), number(1..=4))),
        ("reads", if_on(mix.has("reads"), reads())),
        ("application", if_on(mix.has("application"), application())),
    ]
}

fn reads() -> Draw {
    map(vec![("bytes", number(50..=2000)), ("every", millis(1..=50))])
}

fn application() -> Draw {
    map(vec![
        ("takes", sometimes(millis(1..=300))),
        ("acknowledges", sometimes(one_of(&["taken", "handled"]))),
    ])
}

fn will(mix: &Mix) -> Draw {
    map(vec![
        ("topic", topic(mix)),
        // Who has a Will of a higher QoS than the broker takes is refused.
        ("qos", number(0..=if mix.has("limits") { 1 } else { 2 })),
        ("retain", if_on(mix.has("retain"), just(true))),
        ("delay", if_on(mix.has_v5("will_delay"), seconds(1..=10))),
        ("expiry", if_on(mix.has_v5("expiry"), seconds(1..=10))),
        ("properties", if_on(mix.has_v5("properties"), properties())),
    ])
}

/// What a message says of itself.
pub(super) fn properties() -> Draw {
    map(vec![
        ("content_type", sometimes(just("text/plain"))),
        ("response_topic", sometimes(just("answers"))),
        ("correlation_data", sometimes(just("42"))),
        ("payload_is_text", sometimes(just(true))),
        ("user", sometimes(just(json!({ "from": "here" })))),
    ])
}

const TOPICS: [&str; 5] = ["a", "a/b", "a/b/c", "b", "b/c"];
const WILDCARDS: [&str; 7] = ["#", "a/#", "+", "+/b", "a/+/c", "+/+/#", "b/+"];
const SHARED: [&str; 4] = ["$share/g/a/#", "$share/g/b", "$share/h/a/#", "$share/h/+/+"];

/// A Topic Name of a few, so that subscribers are met.
pub(super) fn topic(mix: &Mix) -> Draw {
    let topics = if mix.has("topics") {
        &TOPICS[..]
    } else {
        &TOPICS[..1]
    };
    select(topics.to_vec()).prop_map(Value::from).boxed()
}

/// Topic Filters of the kinds that are on.
pub(super) fn filter_words(mix: &Mix) -> Vec<&'static str> {
    let topics = if mix.has("topics") { TOPICS.len() } else { 1 };
    let mut words: Vec<&str> = TOPICS.into_iter().take(topics).collect();
    if mix.has("wildcards") {
        words.extend(WILDCARDS);
    }
    if mix.has("shared") {
        words.extend(SHARED);
    }
    words
}

/// Filters with their QoS, or all their options.
pub(super) fn filters(mix: &Mix) -> Draw {
    let words = filter_words(mix);
    let at_most = if mix.has("overlaps") { 4 } else { 1 };
    let options = if mix.has_v5("options") {
        // A shared subscription must not say No Local.
        let no_local = if mix.has("shared") {
            nothing()
        } else {
            sometimes(just(true))
        };
        let options = map(vec![
            ("qos", number(0..=2)),
            ("no_local", no_local),
            ("retain_as_published", sometimes(just(true))),
            ("retain_handling", sometimes(number(0..=2))),
        ]);
        proptest::prop_oneof![number(0..=2), options].boxed()
    } else {
        number(0..=2)
    };
    some_keys(&words, at_most, &options)
}
