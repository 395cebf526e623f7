use squall_proto::Packet;

use crate::{
    Outcome,
    clients::{
        Stage,
        case::{Case, MUST},
        driver::Command,
    },
    stop::check,
};

pub(super) const CASES: &[Case] = &[
    Case {
        name: "subscribe_carries_the_filter_as_it_was_given",
        v3: &[
            "MQTT-2.2.2-1",
            "MQTT-2.3.1-1",
            "MQTT-3.8.1-1",
            "MQTT-3.8.3-1",
            "MQTT-3.8.3-3",
        ],
        v5: &[
            "MQTT-2.1.3-1",
            "MQTT-2.2.2-1",
            "MQTT-3.8.1-1",
            "MQTT-3.8.3-1",
            "MQTT-3.8.3-2",
        ],
        levels: MUST,
        run: |mut t| {
            Box::pin(async move {
                let mut server = t.connected().await?;
                t.driver.tell(&Command::subscribe("a/+/\u{fc}/#", 1)).await?;
                let subscribe = server.expect_subscribe().await?;
                let filters: Vec<_> = subscribe
                    .filters
                    .iter()
                    .map(|(filter, _)| filter.text().as_str())
                    .collect();
                check(filters == ["a/+/\u{fc}/#"], "the filter \"a/+/\u{fc}/#\"", || {
                    format!("{filters:?}")
                })
            })
        },
    },
    Case {
        name: "unsubscribe_carries_the_filter_as_it_was_given",
        v3: &[
            "MQTT-2.2.2-1",
            "MQTT-2.3.1-1",
            "MQTT-3.10.1-1",
            "MQTT-3.10.3-1",
            "MQTT-3.10.3-2",
        ],
        v5: &[
            "MQTT-2.1.3-1",
            "MQTT-2.2.2-1",
            "MQTT-3.10.1-1",
            "MQTT-3.10.3-1",
            "MQTT-3.10.3-2",
        ],
        levels: MUST,
        run: |mut t| {
            Box::pin(async move {
                let mut server = t.connected().await?;
                t.driver.tell(&Command::unsubscribe("a/+/\u{fc}/#")).await?;
                let unsubscribe = server.expect_unsubscribe().await?;
                let filters: Vec<_> = unsubscribe
                    .filters
                    .iter()
                    .map(|filter| filter.text().as_str())
                    .collect();
                check(filters == ["a/+/\u{fc}/#"], "the filter \"a/+/\u{fc}/#\"", || {
                    format!("{filters:?}")
                })
            })
        },
    },
    Case {
        name: "a_multi_level_wildcard_in_the_wrong_place_is_not_subscribed_to",
        v3: &["MQTT-4.7.1-2"],
        v5: &["MQTT-4.7.1-1"],
        levels: MUST,
        run: |mut t| Box::pin(async move { not_asked_for(&mut t, &["a#", "a/#/b"]).await }),
    },
    Case {
        name: "a_single_level_wildcard_in_the_wrong_place_is_not_subscribed_to",
        v3: &["MQTT-4.7.1-3"],
        v5: &["MQTT-4.7.1-2"],
        levels: MUST,
        run: |mut t| Box::pin(async move { not_asked_for(&mut t, &["a+", "a/+b/c"]).await }),
    },
    Case {
        name: "an_empty_filter_is_not_subscribed_to",
        v3: &["MQTT-4.7.3-1"],
        v5: &["MQTT-4.7.3-1"],
        levels: MUST,
        run: |mut t| Box::pin(async move { not_asked_for(&mut t, &[""]).await }),
    },
    Case {
        name: "a_filter_with_a_null_character_is_not_subscribed_to",
        v3: &["MQTT-1.5.3-2", "MQTT-4.7.3-2"],
        v5: &["MQTT-1.5.4-2", "MQTT-4.7.3-2"],
        levels: MUST,
        run: |mut t| Box::pin(async move { not_asked_for(&mut t, &["a\0b"]).await }),
    },
    Case {
        name: "a_shared_subscription_has_a_share_name_and_a_filter",
        v3: &[],
        v5: &["MQTT-4.8.2-1", "MQTT-4.8.2-2"],
        levels: MUST,
        run: |mut t| {
            Box::pin(async move { not_asked_for(&mut t, &["$share//a", "$share/a+/b", "$share/a"]).await })
        },
    },
    Case {
        name: "no_local_is_not_asked_for_on_a_shared_subscription",
        v3: &[],
        v5: &["MQTT-3.8.3-4"],
        levels: MUST,
        run: |mut t| {
            Box::pin(async move {
                let mut server = t.connected().await?;
                let subscribe = Command::subscribe("$share/a/b", 1).with("no_local", 1);
                let wrong = |packet: &Packet| {
                    matches!(packet, Packet::Subscribe(subscribe)
                        if subscribe.filters.iter().any(|(_, options)| options.no_local))
                };
                t.must_not_send(&mut server, &subscribe, "no No Local on $share/a/b", wrong)
                    .await
            })
        },
    },
];

/// What the client must not subscribe to, it refuses, drops or ends the connection for; and what it must not unsubscribe from.
async fn not_asked_for(t: &mut Stage, filters: &[&str]) -> Outcome {
    for filter in filters {
        for command in [Command::subscribe(filter, 1), Command::unsubscribe(filter)] {
            let mut server = t.connected().await?;
            let expected = "no SUBSCRIBE or UNSUBSCRIBE with a filter that is none";
            let asks = |packet: &Packet| matches!(packet, Packet::Subscribe(_) | Packet::Unsubscribe(_));
            t.must_not_send(&mut server, &command, expected, asks).await?;
        }
    }
    Ok(())
}
