use squall_proto::{Packet, Qos, SubscriptionOptions};

use crate::{
    Capability::{Qos1, Qos2, SubscriptionIdentifiers},
    Case, Context,
    Level::Must,
    Outcome,
    packets::{Also as _, at, publish, subscribe},
    stop::check,
};

pub(super) const CASES: &[Case] = &[
    Case {
        name: "subscribe_is_answered_with_suback",
        v3: &["MQTT-3.8.4-1", "MQTT-3.9.3-2"],
        v5: &["MQTT-3.8.4-1", "MQTT-3.9.3-2"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(subscribe_is_answered_with_suback(t)),
    },
    Case {
        name: "suback_has_a_code_for_each_filter_in_order",
        v3: &["MQTT-3.8.4-4", "MQTT-3.8.4-5", "MQTT-3.9.3-1"],
        v5: &["MQTT-3.8.4-5", "MQTT-3.8.4-6", "MQTT-3.9.3-1", "MQTT-3.8.4-7"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(suback_has_a_code_for_each_filter_in_order(t)),
    },
    Case {
        name: "several_filters_in_one_subscribe_all_deliver",
        v3: &["MQTT-3.8.4-4"],
        v5: &["MQTT-3.8.4-5"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(several_filters_in_one_subscribe_all_deliver(t)),
    },
    Case {
        name: "delivery_has_the_lower_of_both_qos",
        v3: &["MQTT-3.8.4-6"],
        v5: &["MQTT-3.8.4-8"],
        level: Must,
        needs: &[Qos2],
        run: |t| Box::pin(delivery_has_the_lower_of_both_qos(t)),
    },
    Case {
        name: "subscribing_again_replaces_the_subscription",
        v3: &["MQTT-3.8.4-3"],
        v5: &["MQTT-3.8.4-3"],
        level: Must,
        needs: &[Qos1],
        run: |t| Box::pin(subscribing_again_replaces_the_subscription(t)),
    },
    Case {
        name: "subscribe_with_wrong_flags_is_refused",
        v3: &["MQTT-3.8.1-1"],
        v5: &["MQTT-3.8.1-1"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(subscribe_with_wrong_flags_is_refused(t)),
    },
    Case {
        name: "subscribe_without_filters_is_refused",
        v3: &["MQTT-3.8.3-3", "MQTT-4.8.0-1"],
        v5: &["MQTT-3.8.3-2", "MQTT-4.13.1-1", "X5-3.8.3-1"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(subscribe_without_filters_is_refused(t)),
    },
    Case {
        name: "subscribe_at_qos_3_is_refused",
        v3: &["MQTT-3.8.3-4"],
        v5: &["MQTT-4.13.1-1", "X5-3.8.3.1-1"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(subscribe_at_qos_3_is_refused(t)),
    },
    Case {
        name: "reserved_subscription_options_are_refused",
        v3: &["MQTT-3.8.3-4"],
        v5: &["MQTT-3.8.3-5"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(reserved_subscription_options_are_refused(t)),
    },
    Case {
        name: "retain_handling_3_is_refused",
        v3: &[],
        v5: &["MQTT-4.13.1-1", "X5-3.8.3.1-2"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(retain_handling_3_is_refused(t)),
    },
    Case {
        name: "subscription_identifier_0_is_refused",
        v3: &[],
        v5: &["MQTT-4.13.1-1", "X5-3.3.2.3.8-1"],
        level: Must,
        needs: &[SubscriptionIdentifiers],
        run: |t| Box::pin(subscription_identifier_0_is_refused(t)),
    },
    Case {
        name: "no_local_keeps_own_messages_away",
        v3: &[],
        v5: &["MQTT-3.8.3-3"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(no_local_keeps_own_messages_away(t)),
    },
    Case {
        name: "client_gets_nothing_that_it_has_not_subscribed_to",
        v3: &["MQTT-4.5.0-1"],
        v5: &["MQTT-4.5.0-1"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(client_gets_nothing_that_it_has_not_subscribed_to(t)),
    },
    Case {
        name: "own_messages_come_back_without_no_local",
        v3: &["MQTT-4.5.0-1"],
        v5: &["MQTT-4.5.0-1"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(own_messages_come_back_without_no_local(t)),
    },
];

async fn subscribe_is_answered_with_suback(t: Context) -> Outcome {
    let mut client = t.connect("client").await?;
    client
        .send(Packet::Subscribe(subscribe(
            1,
            &[(&t.topic("a"), at(Qos::AtMostOnce))],
        )))
        .await;
    client.expect_suback(1).await.map(drop)
}

async fn suback_has_a_code_for_each_filter_in_order(t: Context) -> Outcome {
    let mut client = t.connect("client").await?;
    let filters: Vec<_> = ["a", "b", "c"].iter().map(|below| t.topic(below)).collect();
    let [first, second, third] = filters.as_slice() else {
        unreachable!("there are three")
    };
    let asked = [
        (first.as_str(), at(Qos::AtLeastOnce)),
        (second, at(Qos::AtMostOnce)),
        (third, at(Qos::ExactlyOnce)),
    ];
    client.send(Packet::Subscribe(subscribe(1, &asked))).await;
    let codes: Vec<_> = client
        .expect_suback(1)
        .await?
        .reason_codes
        .iter()
        .map(|code| code.value())
        .collect();
    check(codes.len() == 3, "three codes", || format!("{codes:?}"))?;
    // Less than was asked for may be granted, never more.
    let within = codes
        .iter()
        .zip([1, 0, 2])
        .all(|(code, asked)| *code <= asked || *code >= 0x80);
    check(within, "codes of at most 1, 0 and 2, in this order", || {
        format!("{codes:?}")
    })
}

async fn several_filters_in_one_subscribe_all_deliver(t: Context) -> Outcome {
    let (a, b) = (t.topic("a"), t.topic("b"));
    let mut client = t.connect("client").await?;
    client
        .send(Packet::Subscribe(subscribe(
            1,
            &[(&a, at(Qos::AtMostOnce)), (&b, at(Qos::AtMostOnce))],
        )))
        .await;
    client.expect_suback(1).await?;
    client.publish(publish(&b, "x")).await?;
    client.publish(publish(&a, "x")).await?;
    client.expect_publish(&a).await?;
    client.expect_publish(&b).await.map(drop)
}

async fn delivery_has_the_lower_of_both_qos(t: Context) -> Outcome {
    for granted in Qos::ALL {
        for published in Qos::ALL {
            let topic = t.topic(&format!("{}{}", granted.value(), published.value()));
            let mut client = t.connect("client").await?;
            client.subscribe(&topic, granted).await?;
            let message = publish(&topic, "x");
            let message = match published {
                Qos::AtMostOnce => message,
                Qos::AtLeastOnce => message.qos1(1),
                Qos::ExactlyOnce => message.qos2(1),
            };
            client.publish(message).await?;
            let got = client.expect_publish(&topic).await?.delivery.qos();
            check(got == granted.min(published), "the lower of both QoS", || {
                format!("{got:?} for {published:?} published and {granted:?} granted")
            })?;
        }
    }
    Ok(())
}

async fn subscribing_again_replaces_the_subscription(t: Context) -> Outcome {
    let topic = t.topic("a");
    let (mut sub, mut publisher) = t.pair(&topic, Qos::AtMostOnce).await?;
    sub.subscribe(&topic, Qos::AtLeastOnce).await?;
    publisher.publish(publish(&topic, "x").qos1(1)).await?;
    let got = sub.expect_publish(&topic).await?;
    check(
        got.delivery.qos() == Qos::AtLeastOnce,
        "PUBLISH at the new QoS 1",
        || format!("{got:?}"),
    )?;
    sub.expect_no_publish(&topic).await
}

async fn subscribe_with_wrong_flags_is_refused(t: Context) -> Outcome {
    let mut client = t.connect("client").await?;
    client
        .send_hex(t.by_version(
            "# SUBSCRIBE with flags 0000, id 1, a/b at QoS 0
             80 08 00 01 00 03 61 2f 62 00",
            "# SUBSCRIBE with flags 0000, id 1, no properties, a/b at QoS 0
             80 09 00 01 00 00 03 61 2f 62 00",
        ))
        .await;
    client.expect_closed("after SUBSCRIBE with flags 0000").await?;
    Ok(())
}

async fn subscribe_without_filters_is_refused(t: Context) -> Outcome {
    let mut client = t.connect("client").await?;
    client
        .send_hex(t.by_version(
            "# SUBSCRIBE id 1 and nothing more
             82 02 00 01",
            "# SUBSCRIBE id 1, no properties and nothing more
             82 03 00 01 00",
        ))
        .await;
    client.expect_closed("after SUBSCRIBE without a filter").await?;
    Ok(())
}

async fn subscribe_at_qos_3_is_refused(t: Context) -> Outcome {
    let mut client = t.connect("client").await?;
    client
        .send_hex(t.by_version(
            "# SUBSCRIBE id 1, a/b at QoS 3
             82 08 00 01 00 03 61 2f 62 03",
            "# SUBSCRIBE id 1, no properties, a/b at QoS 3
             82 09 00 01 00 00 03 61 2f 62 03",
        ))
        .await;
    client.expect_closed("after SUBSCRIBE at QoS 3").await?;
    Ok(())
}

async fn reserved_subscription_options_are_refused(t: Context) -> Outcome {
    let mut client = t.connect("client").await?;
    client
        .send_hex(t.by_version(
            "# SUBSCRIBE id 1, a/b at QoS 0 with a reserved bit
             82 08 00 01 00 03 61 2f 62 80",
            "# SUBSCRIBE id 1, no properties, a/b at QoS 0 with a reserved bit
             82 09 00 01 00 00 03 61 2f 62 80",
        ))
        .await;
    client
        .expect_closed("after SUBSCRIBE with a reserved bit")
        .await?;
    Ok(())
}

async fn retain_handling_3_is_refused(t: Context) -> Outcome {
    let mut client = t.connect("client").await?;
    client
        .send_hex(
            "# SUBSCRIBE id 1, no properties, a/b with Retain Handling 3
             82 09 00 01 00 00 03 61 2f 62 30",
        )
        .await;
    client.expect_closed("after Retain Handling 3").await?;
    Ok(())
}

async fn subscription_identifier_0_is_refused(t: Context) -> Outcome {
    let mut client = t.connect("client").await?;
    client
        .send_hex(
            "# SUBSCRIBE id 1, Subscription Identifier 0, a/b at QoS 0
             82 0b 00 01 02 0b 00 00 03 61 2f 62 00",
        )
        .await;
    client.expect_closed("after Subscription Identifier 0").await?;
    Ok(())
}

async fn no_local_keeps_own_messages_away(t: Context) -> Outcome {
    let topic = t.topic("a");
    let mut client = t.connect("client").await?;
    let options = SubscriptionOptions {
        no_local: true,
        ..SubscriptionOptions::default()
    };
    client.subscribe_with(&topic, options, None).await?;
    let mut other = t.connect("other").await?;
    client.publish(publish(&topic, "own")).await?;
    client.ping().await?;
    other.publish(publish(&topic, "other")).await?;
    let got = client.expect_publish(&topic).await?;
    check(
        got.payload == "other",
        "the message of the other client alone",
        || format!("{got:?}"),
    )
}

async fn own_messages_come_back_without_no_local(t: Context) -> Outcome {
    let topic = t.topic("a");
    let mut client = t.connect("client").await?;
    client.subscribe(&topic, Qos::AtMostOnce).await?;
    client.publish(publish(&topic, "own")).await?;
    client.expect_publish(&topic).await.map(drop)
}

async fn client_gets_nothing_that_it_has_not_subscribed_to(t: Context) -> Outcome {
    let mut client = t.connect("client").await?;
    client.subscribe(&t.topic("a"), Qos::AtMostOnce).await?;
    let mut publisher = t.connect("pub").await?;
    publisher.publish(publish(&t.topic("b"), "x").retained()).await?;
    publisher.publish(publish(&t.topic("a"), "x")).await?;
    client.expect_publish(&t.topic("a")).await?;
    client.expect_none("no other PUBLISH", |_| true).await?;
    check(client.strays() == 0, "nothing of what others published", || {
        format!(
            "{} messages on topics that it has not subscribed to",
            client.strays()
        )
    })
}
