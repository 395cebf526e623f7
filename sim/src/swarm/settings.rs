use super::{
    mix::Mix,
    plain::{Draw, if_on, just, map, milli_range, nothing, number, one_of, seconds, sometimes},
    script,
};

/// What the broker grants and keeps. Nothing that would keep a client of a draw from its session, or a message from its end.
pub(super) fn broker(mix: &Mix) -> Draw {
    if mix.scripted {
        return map(vec![("script", script::of_broker(mix))]);
    }
    let limits = mix.has("limits");
    let maximum_qos = if mix.has_v5("low_qos") {
        number(0..=1)
    } else {
        if_on(limits && mix.v5, number(1..=2))
    };
    let queued_messages = if mix.has("queues") {
        number(1..=10)
    } else {
        if_on(limits, number(100..=1000))
    };
    let durability = if mix.is_durable() { just("disk") } else { nothing() };
    let queue_in_memory = if_on(mix.is_durable(), number(0..=3000));
    map(vec![
        ("receive_maximum", if_on(limits, number(1..=5))),
        ("inflight", if_on(limits, number(1..=5))),
        ("session_expiry", if_on(limits, seconds(5..=60))),
        ("keep_alive", if_on(limits, seconds(2..=20))),
        // 3.1.1 clients are not told, and lose their connections.
        ("packet_size", if_on(limits && mix.v5, number(500..=2000))),
        ("topic_alias_maximum", if_on(limits, number(0..=3))),
        ("topic_aliases_sent", if_on(limits, number(0..=3))),
        ("retained_messages", if_on(limits, number(1..=5))),
        ("sessions", if_on(limits, number(30..=40))),
        ("queued_messages", queued_messages),
        ("unsent_bytes_soft", if_on(limits, number(10_000..=100_000))),
        ("unsent_bytes", if_on(limits, number(200_000..=1_000_000))),
        ("maximum_qos", maximum_qos),
        // 3.1.1 clients are not told, and lose their connections.
        ("retain_available", if_on(mix.has_v5("no_retain"), just(false))),
        ("shared_subscriptions_v3", if_on(mix.has("shared"), just(true))),
        ("durability", durability),
        ("queue_in_memory", queue_in_memory),
    ])
}

/// What every link does.
pub(super) fn network(mix: &Mix) -> Draw {
    let on = mix.has("network");
    let latency = if_on(on, milli_range(0..=200));
    map(vec![
        ("latency", latency),
        ("loss_percent", if_on(on, sometimes(one_of(&[1, 5, 20])))),
    ])
}
