use proptest::{prelude::Strategy as _, sample::select, strategy::BoxedStrategy};
use serde_json::{Value, json};

use super::{
    blocks,
    clients::{Cast, filter_words, filters, properties, topic},
    mix::Mix,
    peers,
    plain::{Draw, if_on, just, map, milli_range, millis, number, one_of, seconds, sometimes},
    script,
};

/// The steps that are no faults, as the mix switches them. `publish` is always on.
pub(super) const NAMES: &[&str] = &[
    "connect",
    "disconnect",
    "open",
    "send",
    "shut",
    "subscribe",
    "traffic",
    "unsubscribe",
];

/// In milliseconds, when the first thing happens and when the last begins.
pub(super) const WHEN: std::ops::RangeInclusive<u64> = 100..=12_000;

/// All that the clients, the peer and a scripted broker do.
pub(super) fn steps(mix: &Mix, cast: &Cast) -> BoxedStrategy<Vec<Value>> {
    let at = |does: Draw| (at(), does).prop_map(|(at, does)| with_time(&at, does)).boxed();
    let mut parts = vec![some(1..=4, at(publish(mix, cast)))];
    if mix.has("traffic") {
        parts.push(some(0..=1, at(traffic(mix, cast))));
    }
    if mix.has("subscribe") {
        parts.push(some(1..=2, at(subscribe(mix, cast))));
    }
    if mix.has("unsubscribe") {
        parts.push(some(1..=2, at(unsubscribe(mix, cast))));
    }
    if mix.has("disconnect") {
        parts.extend(cast.clients.iter().map(|client| absence(mix, client)));
    }
    if let Some(rival) = cast.rival {
        let takeover = map(vec![
            ("at", millis(WHEN)),
            ("connect", just(json!({ "client": rival }))),
        ]);
        parts.push(some(0..=1, takeover));
    }
    if let Some(peer) = cast.peer {
        parts.push(peers::visits(mix, peer));
    }
    if mix.scripted {
        parts.push(script::steps_of_broker(mix, cast));
    }
    parts.push(blocks::blocks(mix, cast));
    parts.prop_map(|parts| parts.concat()).boxed()
}

/// What a client does that may stand in a block, at no time of its own.
pub(super) fn acts(mix: &Mix, cast: &Cast) -> Vec<Draw> {
    let mut acts = vec![publish(mix, cast)];
    if mix.has("subscribe") {
        acts.push(subscribe(mix, cast));
    }
    if mix.has("unsubscribe") {
        acts.push(unsubscribe(mix, cast));
    }
    acts
}

/// The step at a time.
fn with_time(at: &Value, mut step: Value) -> Value {
    if let Value::Object(entries) = &mut step {
        entries.insert("at".to_owned(), at.clone());
    }
    step
}

/// So many of them, one after another.
fn some(count: std::ops::RangeInclusive<usize>, step: Draw) -> BoxedStrategy<Vec<Value>> {
    proptest::collection::vec(step, count).boxed()
}

fn client(cast: &Cast) -> Draw {
    one_of(&cast.clients)
}

fn publish(mix: &Mix, cast: &Cast) -> Draw {
    let count = if mix.has("bursts") { 1..=30 } else { 1..=3 };
    // A payload that is empty has no mark to know it by, and is for clearing what is retained.
    let size = match (mix.has("sizes"), mix.has("empty") && mix.has("retain")) {
        (true, true) => proptest::prop_oneof![just(0), number(1..=5000)].boxed(),
        (true, false) => number(1..=5000),
        (false, true) => just(0),
        (false, false) => just(Value::Null),
    };
    let publish = map(vec![
        ("from", client(cast)),
        ("topic", topic(mix)),
        ("qos", number(0..=2)),
        ("retain", if_on(mix.has("retain"), just(true))),
        ("count", number(count)),
        ("every", sometimes(millis(1..=300))),
        ("size", sometimes(size)),
        ("expiry", if_on(mix.has_v5("expiry"), seconds(1..=10))),
        ("properties", if_on(mix.has_v5("properties"), properties())),
    ]);
    map(vec![("publish", publish)])
}

/// Many messages in a short time, and who subscribes to them.
fn traffic(mix: &Mix, cast: &Cast) -> Draw {
    let some = || {
        let clients = proptest::sample::subsequence(cast.clients.clone(), 1..=cast.clients.len());
        clients.prop_map(|clients| json!(clients)).boxed()
    };
    let shared = if_on(mix.has("shared"), number(1..=100));
    let subscribers = map(vec![
        ("clients", some()),
        ("filters", sometimes(number(1..=3))),
        ("shared", shared),
    ]);
    let traffic = map(vec![
        ("publishers", some()),
        (
            "topics",
            one_of(&["t", "t/{1..5}", "{1..3}/1"])
                .prop_map(|topic| json!([topic]))
                .boxed(),
        ),
        ("qos", sometimes(number(0..=2))),
        ("rate", number(5..=100)),
        ("size", if_on(mix.has("sizes"), number(1..=300))),
        ("retain", if_on(mix.has("retain"), number(1..=50))),
        ("count", number(1..=60)),
        ("subscribers", sometimes(subscribers)),
    ]);
    map(vec![("traffic", traffic)])
}

/// At a time, or at a time of a range.
fn at() -> Draw {
    proptest::prop_oneof![millis(WHEN), milli_range(WHEN)].boxed()
}

fn subscribe(mix: &Mix, cast: &Cast) -> Draw {
    let identifier = if_on(mix.has_v5("subscription_identifier"), number(1..=300));
    let subscribe = map(vec![
        ("client", client(cast)),
        ("filters", filters(mix)),
        ("subscription_identifier", identifier),
    ]);
    map(vec![("subscribe", subscribe)])
}

fn unsubscribe(mix: &Mix, cast: &Cast) -> Draw {
    let filter = select(filter_words(mix))
        .prop_map(|filter| json!([filter]))
        .boxed();
    let unsubscribe = map(vec![("client", client(cast)), ("filters", filter)]);
    map(vec![("unsubscribe", unsubscribe)])
}

/// A client goes and comes back, perhaps with another session. It does not stay away: others wait for what it does.
fn absence(mix: &Mix, client: &'static str) -> BoxedStrategy<Vec<Value>> {
    let id = format!("{client} is gone");
    let disconnect = map(vec![
        ("client", just(client)),
        ("with_will", if_on(mix.has_v5("will"), just(true))),
    ]);
    let disconnect = map(vec![
        ("id", just(id.clone())),
        ("at", at()),
        ("disconnect", disconnect),
    ]);
    let session = if_on(mix.has("persistent"), one_of(&["clean", "persistent"]));
    let connect = map(vec![("client", just(client)), ("session", session)]);
    let connect = map(vec![
        ("after", just(id)),
        ("wait", sometimes(milli_range(1..=8000))),
        ("connect", connect),
    ]);
    (proptest::bool::ANY, disconnect, connect)
        .prop_map(|(goes, disconnect, connect)| {
            if goes {
                vec![disconnect, connect]
            } else {
                Vec::new()
            }
        })
        .boxed()
}
