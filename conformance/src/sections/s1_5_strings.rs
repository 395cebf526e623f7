use squall_proto::{Packet, Qos};

use crate::{
    Case, Context,
    Level::Must,
    Outcome, Stop,
    packets::{at, publish, subscribe},
};

pub(super) const CASES: &[Case] = &[
    Case {
        name: "client_identifier_that_is_no_utf8_is_refused",
        v3: &["MQTT-1.5.3-1", "MQTT-3.1.3-4"],
        v5: &["MQTT-1.5.4-1", "MQTT-3.1.3-4", "X5-1.5.4-1", "MQTT-4.13.2-1"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(client_identifier_that_is_no_utf8_is_refused(t)),
    },
    Case {
        name: "topic_name_with_a_surrogate_is_refused",
        v3: &["MQTT-1.5.3-1", "MQTT-3.3.2-1"],
        v5: &["MQTT-1.5.4-1", "MQTT-3.3.2-1", "MQTT-4.13.1-1", "X5-1.5.4-1"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(topic_name_with_a_surrogate_is_refused(t)),
    },
    Case {
        name: "topic_name_with_u_0000_is_refused",
        v3: &["MQTT-1.5.3-2", "MQTT-4.7.3-2"],
        v5: &["MQTT-1.5.4-2", "MQTT-4.7.3-2", "MQTT-4.13.1-1", "X5-1.5.4-2"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(topic_name_with_u_0000_is_refused(t)),
    },
    Case {
        name: "topic_filter_with_u_0000_is_refused",
        v3: &["MQTT-1.5.3-2", "MQTT-4.7.3-2"],
        v5: &["MQTT-1.5.4-2", "MQTT-4.7.3-2", "MQTT-4.13.1-1", "X5-1.5.4-2"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(topic_filter_with_u_0000_is_refused(t)),
    },
    Case {
        name: "u_feff_in_a_topic_is_kept",
        v3: &["MQTT-1.5.3-3"],
        v5: &["MQTT-1.5.4-3"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(u_feff_in_a_topic_is_kept(t)),
    },
    Case {
        name: "user_property_with_u_0000_is_refused",
        v3: &[],
        v5: &["MQTT-1.5.7-1", "MQTT-4.13.1-1", "X5-1.5.7-1"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(user_property_with_u_0000_is_refused(t)),
    },
    Case {
        name: "topic_filter_that_is_no_utf8_is_refused",
        v3: &["MQTT-1.5.3-1", "MQTT-3.8.3-1"],
        v5: &["MQTT-1.5.4-1", "MQTT-3.8.3-1"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(topic_filter_that_is_no_utf8_is_refused(t)),
    },
    Case {
        name: "unsubscribe_filter_that_is_no_utf8_is_refused",
        v3: &["MQTT-1.5.3-1", "MQTT-3.10.3-1"],
        v5: &["MQTT-1.5.4-1", "MQTT-3.10.3-1"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(unsubscribe_filter_that_is_no_utf8_is_refused(t)),
    },
    Case {
        name: "response_topic_that_is_no_utf8_is_refused",
        v3: &[],
        v5: &["MQTT-1.5.4-1", "MQTT-3.3.2-13"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(response_topic_that_is_no_utf8_is_refused(t)),
    },
    Case {
        name: "content_type_that_is_no_utf8_is_refused",
        v3: &[],
        v5: &["MQTT-1.5.4-1", "MQTT-3.3.2-19"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(content_type_that_is_no_utf8_is_refused(t)),
    },
    Case {
        name: "control_characters_in_a_topic_are_taken_or_not",
        v3: &["MQTT-1.5.3-1"],
        v5: &["X5-1.5.4-3"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(control_characters_in_a_topic_are_taken_or_not(t)),
    },
];

async fn client_identifier_that_is_no_utf8_is_refused(t: Context) -> Outcome {
    let connect = t.by_version(
        "10 0f             # CONNECT, 15 bytes follow
         00 04 4d 51 54 54 # MQTT
         04 02 00 3c       # level 4, Clean Session, Keep Alive 60
         00 03 61 c3 28    # Client Identifier: c3 needs a continuation byte",
        "10 10             # CONNECT, 16 bytes follow
         00 04 4d 51 54 54 # MQTT
         05 02 00 3c 00    # version 5, Clean Start, Keep Alive 60, no properties
         00 03 61 c3 28    # Client Identifier: c3 needs a continuation byte",
    );
    t.refused(connect, "after a Client Identifier that is no UTF-8")
        .await?;
    Ok(())
}

async fn topic_name_with_a_surrogate_is_refused(t: Context) -> Outcome {
    let mut client = t.connect("client").await?;
    client
        .send_hex(t.by_version(
            "30 07             # PUBLISH at QoS 0, 7 bytes follow
             00 05 61 ed a0 80 62 # a U+D800 b",
            "30 08             # PUBLISH at QoS 0, 8 bytes follow
             00 05 61 ed a0 80 62 # a U+D800 b
             00                # no properties",
        ))
        .await;
    client.expect_closed("after a topic with U+D800").await?;
    Ok(())
}

async fn topic_name_with_u_0000_is_refused(t: Context) -> Outcome {
    let mut client = t.connect("client").await?;
    client
        .send_hex(t.by_version(
            "30 05          # PUBLISH at QoS 0, 5 bytes follow
             00 03 61 00 62 # a U+0000 b",
            "30 06          # PUBLISH at QoS 0, 6 bytes follow
             00 03 61 00 62 # a U+0000 b
             00             # no properties",
        ))
        .await;
    client.expect_closed("after a topic with U+0000").await?;
    Ok(())
}

async fn topic_filter_with_u_0000_is_refused(t: Context) -> Outcome {
    let mut client = t.connect("client").await?;
    client
        .send_hex(t.by_version(
            "82 08 00 01       # SUBSCRIBE id 1, 8 bytes follow
             00 03 61 00 62 00 # a U+0000 b at QoS 0",
            "82 09 00 01 00    # SUBSCRIBE id 1, no properties, 9 bytes follow
             00 03 61 00 62 00 # a U+0000 b at QoS 0",
        ))
        .await;
    client.expect_closed("after a filter with U+0000").await?;
    Ok(())
}

async fn u_feff_in_a_topic_is_kept(t: Context) -> Outcome {
    let (with, without) = (t.topic("\u{feff}mark"), t.topic("mark"));
    let mut sub = t.connect("sub").await?;
    sub.subscribe(&with, Qos::AtMostOnce).await?;
    sub.subscribe(&without, Qos::AtMostOnce).await?;
    let mut publisher = t.connect("pub").await?;
    publisher.publish(publish(&with, "x")).await?;
    sub.expect_publish(&with).await?;
    sub.expect_no_publish(&without).await
}

async fn user_property_with_u_0000_is_refused(t: Context) -> Outcome {
    let mut client = t.connect("client").await?;
    client
        .send_hex(
            "30 0d                   # PUBLISH at QoS 0, 13 bytes follow
             00 03 61 2f 62          # a/b
             07                      # properties of 7 bytes
             26 00 01 6b 00 01 00    # User Property k = U+0000",
        )
        .await;
    client.expect_closed("after a User Property with U+0000").await?;
    Ok(())
}

async fn topic_filter_that_is_no_utf8_is_refused(t: Context) -> Outcome {
    let mut client = t.connect("client").await?;
    client
        .send_hex(t.by_version(
            "82 07 00 01    # SUBSCRIBE id 1, 7 bytes follow
             00 02 61 ff 00 # a FF at QoS 0",
            "82 08 00 01 00 # SUBSCRIBE id 1, no properties, 8 bytes follow
             00 02 61 ff 00 # a FF at QoS 0",
        ))
        .await;
    client
        .expect_closed("after a filter that is no UTF-8")
        .await
        .map(drop)
}

async fn unsubscribe_filter_that_is_no_utf8_is_refused(t: Context) -> Outcome {
    let mut client = t.connect("client").await?;
    client
        .send_hex(t.by_version(
            "a2 06 00 01    # UNSUBSCRIBE id 1, 6 bytes follow
             00 02 61 ff    # a FF",
            "a2 07 00 01 00 # UNSUBSCRIBE id 1, no properties, 7 bytes follow
             00 02 61 ff    # a FF",
        ))
        .await;
    client
        .expect_closed("after a filter that is no UTF-8")
        .await
        .map(drop)
}

async fn response_topic_that_is_no_utf8_is_refused(t: Context) -> Outcome {
    let mut client = t.connect("client").await?;
    client
        .send_hex(
            "30 0b 00 03 61 2f 62 # PUBLISH at QoS 0, a/b, 11 bytes follow
             05 08 00 02 72 ff    # properties: Response Topic r FF",
        )
        .await;
    client
        .expect_closed("after a Response Topic that is no UTF-8")
        .await
        .map(drop)
}

async fn content_type_that_is_no_utf8_is_refused(t: Context) -> Outcome {
    let mut client = t.connect("client").await?;
    client
        .send_hex(
            "30 0b 00 03 61 2f 62 # PUBLISH at QoS 0, a/b, 11 bytes follow
             05 03 00 02 74 ff    # properties: Content Type t FF",
        )
        .await;
    client
        .expect_closed("after a Content Type that is no UTF-8")
        .await
        .map(drop)
}

async fn control_characters_in_a_topic_are_taken_or_not(t: Context) -> Outcome {
    let topic = t.topic("\u{1}\u{7f}\u{ffff}");
    let mut sub = t.connect("sub").await?;
    sub.send(Packet::Subscribe(subscribe(1, &[(&topic, at(Qos::AtMostOnce))])))
        .await;
    if sub.expect_suback(1).await.is_err() {
        return Err(Stop::Choice("the connection is closed".into()));
    }
    let mut publisher = t.connect("pub").await?;
    publisher.send(Packet::Publish(publish(&topic, "x"))).await;
    let taken = sub.expect_publish(&topic).await.is_ok();
    Err(Stop::Choice(if taken { "taken" } else { "not delivered" }.into()))
}
