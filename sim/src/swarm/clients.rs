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
    /// The clients that are sure to have a disk.
    pub(super) disks: Vec<&'static str>,
    /// The broker does what its script says.
    pub(super) is_scripted: bool,
    /// The broker has a disk.
    pub(super) is_durable: bool,
}

const NAMES: [&str; 4] = ["anna", "ben", "cleo", "dora"];

pub(super) fn cast(mix: &Mix) -> Cast {
    let clients: Vec<&str> = NAMES.into_iter().take(mix.clients).collect();
    let with_disk = if mix.has("disk") { 2 } else { 0 };
    Cast {
        disks: clients.iter().copied().take(with_disk).collect(),
        clients,
        // A scripted broker lets both in.
        rival: (!mix.scripted && mix.has("client_id") && mix.has("connect")).then_some("rival"),
        peer: (!mix.scripted && mix.has("peers") && mix.has("open")).then_some("raw"),
        is_scripted: mix.scripted,
        is_durable: mix.is_durable(),
    }
}

impl Cast {
    /// Who keeps what it knows on a disk.
    pub(super) fn with_disk(&self) -> Vec<&'static str> {
        let broker = self.is_durable.then_some("broker");
        self.disks.iter().copied().chain(broker).collect()
    }

    /// Everybody but the broker.
    pub(super) fn hosts(&self) -> Vec<&'static str> {
        let others = self.rival.iter().chain(&self.peer);
        self.clients.iter().chain(others).copied().collect()
    }
}

/// Every client, by name.
pub(super) fn clients(mix: &Mix, cast: &Cast) -> Draw {
    let rival = cast.rival.map(|name| (name, rival(mix)));
    let clients = cast.clients.iter().map(|name| (*name, client(mix, cast, name)));
    map(clients.chain(rival).collect())
}

fn client(mix: &Mix, cast: &Cast, name: &str) -> Draw {
    // A group has no one Client Identifier to be taken over.
    let is_group = mix.has("count") && cast.rival.is_none();
    let store = if cast.disks.contains(&name) {
        just("disk")
    } else {
        if_on(mix.has("store"), one_of(&["memory", "disk"]))
    };
    let mut entries = character(mix);
    entries.extend([
        ("store", store),
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
    map(entries).prop_map(keeps_what_it_stores).boxed()
}

/// A store is for a session that is kept.
fn keeps_what_it_stores(mut client: Value) -> Value {
    if let Value::Object(entries) = &mut client
        && entries.contains_key("store")
    {
        entries.insert("session".to_owned(), "persistent".into());
    }
    client
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
        ("qos", number(0..=mix.qos_of_wills())),
        ("retain", if_on(mix.retains_wills(), just(true))),
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

const TOPICS: [&str; 5] = ["t", "t/1", "t/1/x", "u", "u/1"];
const WILDCARDS: [&str; 7] = ["#", "t/#", "+", "+/1", "t/+/x", "+/+/#", "u/+"];
const SHARED: [&str; 4] = ["$share/g/t/#", "$share/g/u", "$share/h/t/#", "$share/h/+/+"];

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
