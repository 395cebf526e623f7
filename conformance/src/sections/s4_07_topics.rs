use squall_proto::{Packet, Qos};

use crate::{Capability::Wildcards, Case, Context, Level::Must, Outcome, Stop, packets::publish};

pub(super) const CASES: &[Case] = &[
    Case {
        name: "plus_matches_one_level",
        v3: &["MQTT-4.7.1-3"],
        v5: &["MQTT-4.7.1-2"],
        level: Must,
        needs: &[Wildcards],
        run: |t| Box::pin(plus_matches_one_level(t)),
    },
    Case {
        name: "hash_matches_all_levels_and_the_parent",
        v3: &["MQTT-4.7.1-2"],
        v5: &["MQTT-4.7.1-1"],
        level: Must,
        needs: &[Wildcards],
        run: |t| Box::pin(hash_matches_all_levels_and_the_parent(t)),
    },
    Case {
        name: "trailing_plus_needs_a_level",
        v3: &["MQTT-4.7.1-3"],
        v5: &["MQTT-4.7.1-2"],
        level: Must,
        needs: &[Wildcards],
        run: |t| Box::pin(trailing_plus_needs_a_level(t)),
    },
    Case {
        name: "names_are_compared_character_by_character",
        v3: &["MQTT-4.7.3-4"],
        v5: &["MQTT-4.7.3-4"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(names_are_compared_character_by_character(t)),
    },
    Case {
        name: "spaces_are_characters",
        v3: &["MQTT-4.7.3-4"],
        v5: &["MQTT-4.7.3-4"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(spaces_are_characters(t)),
    },
    Case {
        name: "leading_plus_does_not_match_dollar_topics",
        v3: &["MQTT-4.7.2-1"],
        v5: &["MQTT-4.7.2-1"],
        level: Must,
        needs: &[Wildcards],
        run: |t| Box::pin(leading_plus_does_not_match_dollar_topics(t)),
    },
    Case {
        name: "leading_slash_is_an_empty_level",
        v3: &["MQTT-4.7.3-4"],
        v5: &["MQTT-4.7.3-4"],
        level: Must,
        needs: &[Wildcards],
        run: |t| Box::pin(leading_slash_is_an_empty_level(t)),
    },
    Case {
        name: "hash_before_the_last_level_is_refused",
        v3: &["MQTT-4.7.1-2"],
        v5: &["MQTT-4.7.1-1"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(hash_before_the_last_level_is_refused(t)),
    },
    Case {
        name: "hash_beside_other_characters_is_refused",
        v3: &["MQTT-4.7.1-2"],
        v5: &["MQTT-4.7.1-1"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(hash_beside_other_characters_is_refused(t)),
    },
    Case {
        name: "plus_beside_other_characters_is_refused",
        v3: &["MQTT-4.7.1-3"],
        v5: &["MQTT-4.7.1-2"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(plus_beside_other_characters_is_refused(t)),
    },
    Case {
        name: "empty_filter_is_refused",
        v3: &["MQTT-4.7.3-1"],
        v5: &["MQTT-4.7.3-1"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(empty_filter_is_refused(t)),
    },
];

async fn plus_matches_one_level(t: Context) -> Outcome {
    matching(&t, "a/+/c", &["a/b/c", "a//c"], &["a/c", "a/b/b/c", "a/b"]).await
}

async fn hash_matches_all_levels_and_the_parent(t: Context) -> Outcome {
    matching(&t, "a/#", &["a", "a/b", "a/b/c", "a/"], &["ab", "b/a"]).await
}

async fn trailing_plus_needs_a_level(t: Context) -> Outcome {
    matching(&t, "a/+", &["a/b", "a/"], &["a", "a/b/c"]).await
}

async fn names_are_compared_character_by_character(t: Context) -> Outcome {
    // e and a combining acute accent are not the letter that looks the same.
    matching(
        &t,
        "Acc/e\u{301}",
        &["Acc/e\u{301}"],
        &["acc/e\u{301}", "Acc/\u{e9}", "Acc/e\u{301}/", "Acc//e\u{301}"],
    )
    .await
}

async fn spaces_are_characters(t: Context) -> Outcome {
    let filter = t.topic("a b/ c");
    if t.connect("asks")
        .await?
        .subscribe(&filter, Qos::AtMostOnce)
        .await
        .is_err()
    {
        // It may refuse any filter.
        return Err(Stop::Unsupported("it grants no filter with spaces".into()));
    }
    matching(&t, "a b/ c", &["a b/ c"], &["a b/c", "ab/ c"]).await
}

async fn leading_plus_does_not_match_dollar_topics(t: Context) -> Outcome {
    let topic = format!("${}", t.topic("a"));
    let filter = format!("+{}", topic.strip_prefix("$squall").unwrap_or_default());
    let mut sub = t.connect("sub").await?;
    sub.subscribe(&filter, Qos::AtMostOnce).await?;
    let mut control = t.connect("control").await?;
    if control.subscribe(&topic, Qos::AtMostOnce).await.is_err() {
        return Err(Stop::Unsupported(
            "clients may not subscribe to topics that begin with $".into(),
        ));
    }
    let mut publisher = t.connect("pub").await?;
    publisher.publish(publish(&topic, "x")).await?;
    if control.expect_publish(&topic).await.is_err() {
        return Err(Stop::Unsupported(
            "clients may not publish to topics that begin with $".into(),
        ));
    }
    sub.expect_no_publish(&topic).await
}

async fn leading_slash_is_an_empty_level(t: Context) -> Outcome {
    let topic = format!("/{}", t.topic("a"));
    let mut sub = t.connect("sub").await?;
    sub.subscribe(&format!("+/{}", t.topic("a")), Qos::AtMostOnce)
        .await?;
    sub.subscribe(&t.topic("a"), Qos::AtMostOnce).await?;
    sub.publish(publish(&topic, "x")).await?;
    sub.expect_publish(&topic).await?;
    sub.expect_no_publish(&topic).await
}

async fn hash_before_the_last_level_is_refused(t: Context) -> Outcome {
    let subscribe = t.by_version(
        "# SUBSCRIBE id 1, a/#/b at QoS 0
         82 0a 00 01 00 05 61 2f 23 2f 62 00",
        "# SUBSCRIBE id 1, no properties, a/#/b at QoS 0
         82 0b 00 01 00 00 05 61 2f 23 2f 62 00",
    );
    refused_filter(&t, subscribe, "after the filter a/#/b").await
}

async fn hash_beside_other_characters_is_refused(t: Context) -> Outcome {
    refused_filter(
        &t,
        t.by_version(
            "# SUBSCRIBE id 1, a/b# at QoS 0
             82 09 00 01 00 04 61 2f 62 23 00",
            "# SUBSCRIBE id 1, no properties, a/b# at QoS 0
             82 0a 00 01 00 00 04 61 2f 62 23 00",
        ),
        "after the filter a/b#",
    )
    .await
}

async fn plus_beside_other_characters_is_refused(t: Context) -> Outcome {
    refused_filter(
        &t,
        t.by_version(
            "# SUBSCRIBE id 1, a/b+ at QoS 0
             82 09 00 01 00 04 61 2f 62 2b 00",
            "# SUBSCRIBE id 1, no properties, a/b+ at QoS 0
             82 0a 00 01 00 00 04 61 2f 62 2b 00",
        ),
        "after the filter a/b+",
    )
    .await
}

async fn empty_filter_is_refused(t: Context) -> Outcome {
    refused_filter(
        &t,
        t.by_version(
            "# SUBSCRIBE id 1, an empty filter at QoS 0
             82 05 00 01 00 00 00",
            "# SUBSCRIBE id 1, no properties, an empty filter at QoS 0
             82 06 00 01 00 00 00 00",
        ),
        "after an empty filter",
    )
    .await
}

/// A subscription to `filter` gets what is published to each of `matched` and none of `others`.
async fn matching(t: &Context, filter: &str, matched: &[&str], others: &[&str]) -> Outcome {
    let mut sub = t.connect("sub").await?;
    sub.subscribe(&t.topic(filter), Qos::AtMostOnce).await?;
    let mut publisher = t.connect("pub").await?;
    for below in others.iter().chain(matched) {
        publisher.publish(publish(&t.topic(below), "x")).await?;
    }
    for below in matched {
        sub.expect_publish(&t.topic(below)).await?;
    }
    sub.expect_none(&format!("{filter:?} matches none of {others:?}"), |_| true)
        .await
}

/// A filter that is no filter gets a failure code, or ends the connection.
async fn refused_filter(t: &Context, subscribe: &str, because: &str) -> Outcome {
    let mut client = t.connect("client").await?;
    client.send_hex(subscribe).await;
    let answer = client.expect("a failure code or a close", granted).await;
    match answer {
        Ok(false) => Ok(()),
        Ok(true) => Err(Stop::broken(
            format!("a failure code or a close {because}"),
            "a granted QoS",
        )),
        Err(_) if client.closes().await => Ok(()),
        Err(stop) => Err(stop),
    }
}

/// Whether a SUBACK grants anything.
fn granted(packet: &Packet) -> Option<bool> {
    if let Packet::Suback(suback) = packet {
        Some(suback.reason_codes.iter().any(|code| !code.is_error()))
    } else {
        None
    }
}
