//! A strategy for each fault. A fault that has none is named by a test.

use proptest::{prelude::Strategy as _, strategy::BoxedStrategy};
use serde_json::{Value, json};

use super::{
    clients::Cast,
    mix::Mix,
    plain::{Draw, if_on, just, map, milli_range, millis, nothing, number, one_of, sometimes},
};

/// Makes the registry of the list: the fault's name, which is the name of the function that draws its parameters.
macro_rules! strategies {
    ($($name:ident,)*) => {
        /// The faults that are drawn.
        pub(super) const NAMES: &[&str] = &[$(stringify!($name),)* STANDSTILL];

        fn strategy(name: &str, cast: &Cast) -> Draw {
            match name {
                $(stringify!($name) => $name(cast),)*
                _ => nothing(),
            }
        }
    };
}

strategies! {
    bandwidth,
    blackhole,
    clock_step,
    coalesce,
    crash,
    cut,
    disk,
    hold,
    kick,
    latency,
    loss,
    partition,
    pause,
    restart,
    revoke,
    segment,
    slow_read,
    stop,
}

/// What ends a `pause` without an end; both are drawn together.
const STANDSTILL: &str = "resume";

/// One to three of each kind that is on, at any time while something happens.
pub(super) fn faults(mix: &Mix, cast: &Cast) -> BoxedStrategy<Vec<Value>> {
    let some: Vec<_> = on(mix)
        .map(|name| match name {
            STANDSTILL => standstill(cast),
            name => {
                let fault = map(vec![
                    ("at", sometimes(milli_range(0..=12_000))),
                    (name, strategy(name, cast)),
                ]);
                proptest::collection::vec(fault, 1..=3).boxed()
            }
        })
        .collect();
    some.prop_map(|some| some.concat()).boxed()
}

/// What may go wrong in a block, at no time of its own. A cut that waits for its packet, and a disk for its operations, may be over
/// never, and what comes after with them.
pub(super) fn acts(mix: &Mix, cast: &Cast) -> Vec<Draw> {
    on(mix)
        .filter(|name| ![STANDSTILL, "cut", "disk"].contains(name))
        .map(|name| map(vec![(name, strategy(name, cast))]))
        .collect()
}

/// The faults that are on and can be: a scripted broker has no administrator.
fn on(mix: &Mix) -> impl Iterator<Item = &'static str> {
    let is_on = |name: &&str| mix.has(name) && !(mix.scripted && ["kick", "revoke"].contains(name));
    NAMES.iter().copied().filter(is_on)
}

/// A host stands still until somebody wakes it up.
fn standstill(cast: &Cast) -> BoxedStrategy<Vec<Value>> {
    let hosts = [cast.hosts(), vec!["broker"]].concat();
    (
        one_of(&hosts),
        0_u64..=12_000,
        proptest::prop_oneof![1_u64..=500, 500_u64..=15_000],
    )
        .prop_map(|(host, from, lasts)| {
            vec![
                json!({ "at": format!("{from}ms"), "pause": { "host": host } }),
                json!({ "at": format!("{}ms", from + lasts), "resume": { "host": host } }),
            ]
        })
        .boxed()
}

/// What a fault of a link says, besides what it alone does.
fn on_link(cast: &Cast, more: Vec<(&'static str, Draw)>) -> Draw {
    let mut entries = vec![
        ("between", between(cast)),
        ("one_way", if_on(true, just(true))),
        ("for", lasts()),
    ];
    entries.extend(more);
    map(entries)
}

fn between(cast: &Cast) -> Draw {
    (proptest::bool::ANY, host(cast))
        .prop_map(|(from_broker, host)| match from_broker {
            true => json!(["broker", host]),
            false => json!([host, "broker"]),
        })
        .boxed()
}

fn host(cast: &Cast) -> Draw {
    one_of(&cast.hosts())
}

/// From a blink to longer than most Keep Alives.
fn lasts() -> Draw {
    proptest::prop_oneof![millis(1..=500), millis(1000..=15_000), milli_range(500..=8000)].boxed()
}

fn bandwidth(cast: &Cast) -> Draw {
    on_link(cast, vec![("bytes_per_second", number(100..=10_000))])
}

fn blackhole(cast: &Cast) -> Draw {
    on_link(cast, vec![])
}

fn coalesce(cast: &Cast) -> Draw {
    on_link(cast, vec![("within", milli_range(1..=400))])
}

/// What a fault of a host says, besides what it alone does.
fn on_host(cast: &Cast, more: Vec<(&'static str, Draw)>) -> Draw {
    let hosts = [cast.hosts(), vec!["broker"]].concat();
    let mut entries = vec![("host", one_of(&hosts))];
    entries.extend(more);
    map(entries)
}

fn clock_step(cast: &Cast) -> Draw {
    let by = ("by", one_of(&["1h", "-1h", "-1000s..1000s"]));
    if cast.is_durable {
        // What its clock shows when it starts again is the time for it.
        return map(vec![("host", host(cast)), by]);
    }
    on_host(cast, vec![by])
}

fn crash(cast: &Cast) -> Draw {
    let power = sometimes(just("power"));
    on_host(cast, vec![("kind", power), ("down", milli_range(10..=6000))])
}

fn cut(cast: &Cast) -> Draw {
    let packets = [
        "CONNECT",
        "CONNACK",
        "PUBLISH",
        "PUBACK",
        "PUBREC",
        "PUBREL",
        "PUBCOMP",
        "SUBSCRIBE",
        "SUBACK",
        "PINGREQ",
    ];
    let way = one_of(&["from", "to"]);
    let when = (one_of(&packets), way, host(cast), number(1..=5))
        .prop_map(|(packet, way, host, nth)| {
            let way = way.as_str().unwrap_or("from").to_owned();
            json!({ "packet": packet, way: host, "nth": nth })
        })
        .boxed();
    let mode = || one_of(&["rst", "fin", "silent"]);
    let at_packet = map(vec![
        ("when", when),
        ("side", one_of(&["before", "after"])),
        ("times", sometimes(number(1..=3))),
        ("mode", mode()),
    ]);
    let of_link = map(vec![
        ("between", between(cast)),
        ("which", sometimes(one_of(&["all", "oldest", "newest"]))),
        ("mode", mode()),
    ]);
    proptest::prop_oneof![3 => at_packet, 1 => of_link].boxed()
}

fn disk(cast: &Cast) -> Draw {
    let plain = one_of(&[
        "read_error",
        "write_error",
        "sync_error",
        "lying_sync",
        "torn_write",
    ])
    .prop_map(|kind| json!({ "kind": kind }));
    let full = number(0..=20_000).prop_map(|room| json!({ "kind": "full", "room": room }));
    let slow = milli_range(1..=2000).prop_map(|takes| json!({ "kind": "slow_sync", "takes": takes }));
    let how = proptest::prop_oneof![5 => plain, 1 => full, 1 => slow];
    let lasts = proptest::prop_oneof![
        lasts().prop_map(|lasts| ("for", lasts)),
        number(1..=20).prop_map(|next| ("next", next)),
    ];
    (one_of(&cast.with_disk()), how, lasts)
        .prop_map(|(host, mut how, (key, value))| {
            // A broker whose disk lies can promise nothing.
            if host == "broker" && how.get("kind") == Some(&json!("lying_sync")) {
                how = json!({ "kind": "sync_error" });
            }
            if let Value::Object(entries) = &mut how {
                entries.extend([("host".to_owned(), host), (key.to_owned(), value)]);
            }
            how
        })
        .boxed()
}

fn hold(cast: &Cast) -> Draw {
    on_link(cast, vec![])
}

fn kick(cast: &Cast) -> Draw {
    map(vec![("client", one_of(&cast.clients))])
}

fn latency(cast: &Cast) -> Draw {
    let spikes = map(vec![
        ("every", milli_range(100..=2000)),
        ("latency", milli_range(100..=3000)),
    ]);
    on_link(
        cast,
        vec![("latency", milli_range(0..=1500)), ("spikes", sometimes(spikes))],
    )
}

fn loss(cast: &Cast) -> Draw {
    on_link(cast, vec![("percent", number(1..=100))])
}

/// Of one link, or of groups: who is in none is not concerned.
fn partition(cast: &Cast) -> Draw {
    let groups = (
        proptest::sample::subsequence(cast.hosts(), 1..=cast.hosts().len()),
        lasts(),
    )
        .prop_map(|(away, lasts)| json!({ "groups": [["broker"], away], "for": lasts }))
        .boxed();
    proptest::prop_oneof![2 => on_link(cast, vec![]), 1 => groups].boxed()
}

fn pause(cast: &Cast) -> Draw {
    on_host(cast, vec![("for", lasts())])
}

fn restart(cast: &Cast) -> Draw {
    let of = |hosts: &[&'static str], states: &[&'static str]| {
        map(vec![
            ("host", one_of(hosts)),
            ("state", one_of(states)),
            ("down", sometimes(milli_range(0..=3000))),
        ])
    };
    let everybody = [cast.hosts(), vec!["broker"]].concat();
    let mut kinds = vec![of(&everybody, &["lost"])];
    if !cast.is_scripted {
        kinds.push(of(&["broker"], &["kept"]));
    }
    let with_disk = cast.with_disk();
    if !with_disk.is_empty() {
        kinds.push(of(&with_disk, &["kept", "unsynced_lost", "torn"]));
    }
    proptest::strategy::Union::new(kinds).boxed()
}

fn revoke(cast: &Cast) -> Draw {
    map(vec![
        ("client", one_of(&cast.clients)),
        ("for", sometimes(lasts())),
    ])
}

fn segment(cast: &Cast) -> Draw {
    on_link(cast, vec![("bytes", number(1..=10))])
}

fn slow_read(cast: &Cast) -> Draw {
    let more = vec![
        ("bytes", number(1..=200)),
        ("every", sometimes(milli_range(1..=1000))),
        ("for", lasts()),
    ];
    on_host(cast, more)
}

fn stop(cast: &Cast) -> Draw {
    on_host(cast, vec![("down", milli_range(10..=6000))])
}
