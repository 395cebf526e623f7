//! What the standard leaves open, or has been read in more ways than one: which way the target goes is recorded. `docs/AMBIGUITIES.md`
//! has the whole list; where one reading is plain, the case holds the target to it.

use std::time::Duration;

use squall_proto::{Ack, Packet, Property, Publish, Qos, ReasonCode, SubscriptionOptions};
use tokio::time::sleep;

use super::s4_08_shared_subscriptions::shared;
use crate::{
    Capability::{Qos1, Qos2, Retain, SharedSubscriptions, TopicAliases},
    Case, Context,
    Level::Must,
    Outcome, Stop,
    context::Client,
    packets::{
        Also as _, at, id, maximum_packet_size, publish, receive_maximum, subscribe, topic_alias, will,
    },
    stop::{SetUp as _, check},
};

pub(super) const CASES: &[Case] = &[
    Case {
        name: "long_client_identifier_is_taken_or_not",
        v3: &["MQTT-3.1.3-5"],
        v5: &["MQTT-3.1.3-5"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(long_client_identifier_is_taken_or_not(t)),
    },
    Case {
        name: "refused_connect_is_told_or_not",
        v3: &[],
        v5: &["MQTT-3.1.4-1"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(refused_connect_is_told_or_not(t)),
    },
    Case {
        name: "publish_to_a_wildcard_is_answered_or_closed",
        v3: &[],
        v5: &["MQTT-3.3.2-2"],
        level: Must,
        needs: &[Qos1],
        run: |t| Box::pin(publish_to_a_wildcard_is_answered_or_closed(t)),
    },
    Case {
        name: "pubrel_of_an_unknown_id_is_answered",
        v3: &[],
        v5: &["MQTT-4.3.3-11"],
        level: Must,
        needs: &[Qos2],
        run: |t| Box::pin(pubrel_of_an_unknown_id_is_answered(t)),
    },
    Case {
        name: "publish_that_nobody_gets_is_told_or_not",
        v3: &[],
        v5: &["MQTT-3.4.2-1"],
        level: Must,
        needs: &[Qos1],
        run: |t| Box::pin(publish_that_nobody_gets_is_told_or_not(t)),
    },
    Case {
        name: "publish_to_a_dollar_topic_is_delivered_or_not",
        v3: &["MQTT-4.7.2-1"],
        v5: &["MQTT-4.7.2-1"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(publish_to_a_dollar_topic_is_delivered_or_not(t)),
    },
    Case {
        name: "packet_before_connack_is_taken_or_not",
        v3: &["MQTT-3.1.4-5"],
        v5: &["MQTT-3.1.4-6"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(packet_before_connack_is_taken_or_not(t)),
    },
    Case {
        name: "unfinished_packet_does_not_keep_the_connection",
        v3: &["MQTT-3.1.2-24"],
        v5: &["MQTT-3.1.2-22"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(unfinished_packet_does_not_keep_the_connection(t)),
    },
    Case {
        name: "will_of_a_taken_over_connection_is_published_or_not",
        v3: &["MQTT-3.1.2-8"],
        v5: &["MQTT-3.1.2-8"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(will_of_a_taken_over_connection_is_published_or_not(t)),
    },
    Case {
        name: "no_local_holds_for_retained_messages_or_not",
        v3: &[],
        v5: &["MQTT-3.8.3-3"],
        level: Must,
        needs: &[Retain],
        run: |t| Box::pin(no_local_holds_for_retained_messages_or_not(t)),
    },
    Case {
        name: "retained_message_comes_once_or_for_each_filter",
        v3: &["MQTT-3.3.1-6"],
        v5: &["MQTT-3.3.1-9"],
        level: Must,
        needs: &[Retain],
        run: |t| Box::pin(retained_message_comes_once_or_for_each_filter(t)),
    },
    Case {
        name: "expired_delivery_under_way_is_repeated_or_not",
        v3: &[],
        v5: &["MQTT-4.4.0-1"],
        level: Must,
        needs: &[Qos1],
        run: |t| Box::pin(expired_delivery_under_way_is_repeated_or_not(t)),
    },
    Case {
        name: "puback_out_of_order_is_taken_or_not",
        v3: &["MQTT-4.6.0-6"],
        v5: &["MQTT-4.6.0-5"],
        level: Must,
        needs: &[Qos1],
        run: |t| Box::pin(puback_out_of_order_is_taken_or_not(t)),
    },
    Case {
        name: "shared_messages_wait_for_absent_members_or_not",
        v3: &[],
        v5: &["MQTT-4.8.2-3"],
        level: Must,
        needs: &[SharedSubscriptions],
        run: |t| Box::pin(shared_messages_wait_for_absent_members_or_not(t)),
    },
    Case {
        name: "smaller_receive_maximum_on_resuming_holds_back_or_not",
        v3: &[],
        v5: &["MQTT-4.9.0-2"],
        level: Must,
        needs: &[Qos1],
        run: |t| Box::pin(smaller_receive_maximum_on_resuming_holds_back_or_not(t)),
    },
    Case {
        name: "unknown_topic_alias_is_told_with_a_code_or_not",
        v3: &[],
        v5: &["X5-3.3.4-1"],
        level: Must,
        needs: &[TopicAliases],
        run: |t| Box::pin(unknown_topic_alias_is_told_with_a_code_or_not(t)),
    },
    Case {
        name: "puback_of_an_unknown_id_is_ignored_or_not",
        v3: &["MQTT-4.8.0-1"],
        v5: &["MQTT-4.13.1-1"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(puback_of_an_unknown_id_is_ignored_or_not(t)),
    },
    Case {
        name: "connack_above_the_maximum_packet_size_is_not_sent",
        v3: &[],
        v5: &["MQTT-3.1.2-24"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(connack_above_the_maximum_packet_size_is_not_sent(t)),
    },
    Case {
        name: "filter_that_stands_twice_is_as_the_last_says",
        v3: &["MQTT-3.8.4-4", "MQTT-3.8.4-3"],
        v5: &["MQTT-3.8.4-5", "MQTT-3.8.4-3"],
        level: Must,
        needs: &[Qos1],
        run: |t| Box::pin(filter_that_stands_twice_is_as_the_last_says(t)),
    },
    Case {
        name: "retained_qos_0_message_is_kept_or_not",
        v3: &["MQTT-3.3.1-7"],
        v5: &[],
        level: Must,
        needs: &[Retain],
        run: |t| Box::pin(retained_qos_0_message_is_kept_or_not(t)),
    },
];

fn seen(what: impl Into<String>) -> Outcome {
    Err(Stop::Choice(what.into()))
}

/// Whether the connection still answers.
async fn answers(client: &mut Client) -> bool {
    client.send(Packet::Pingreq).await;
    client.expect_pingresp().await.is_ok()
}

async fn long_client_identifier_is_taken_or_not(t: Context) -> Outcome {
    let mut client = t.open("client").await?;
    let long = format!("{}-with/more/than 23 characters", t.client_id("client"));
    let connect = t.connect_packet("client", |connect| {
        connect.client_id = crate::packets::text(&long)
    });
    client.send(Packet::Connect(Box::new(connect))).await;
    let taken = client
        .expect_connack()
        .await
        .is_ok_and(|connack| connack.reason_code == ReasonCode::Success);
    seen(if taken { "taken" } else { "refused" })
}

async fn refused_connect_is_told_or_not(t: Context) -> Outcome {
    let answer = t
        .refused(
            "10 12                # CONNECT, 18 bytes follow
             00 04 4d 51 54 54    # MQTT
             05 03 00 3c 00       # version 5, Clean Start and the reserved flag, Keep Alive 60, no properties
             00 05 73 71 62 61 64 # Client Identifier",
            "after CONNECT with its reserved flag set",
        )
        .await?;
    match answer.get(3) {
        Some(code) => seen(format!("CONNACK 0x{code:02X}, then closed")),
        None => seen("closed without a word"),
    }
}

async fn publish_to_a_wildcard_is_answered_or_closed(t: Context) -> Outcome {
    let mut client = t.connect("client").await?;
    client
        .send_hex("32 08 00 03 61 2f 23 00 01 00 # PUBLISH at QoS 1, a/#, id 1, no properties")
        .await;
    let answer = client
        .expect("PUBACK from 0x80, or a close", |packet| {
            if let Packet::Puback(ack) = packet {
                Some(format!("PUBACK 0x{:02X}", ack.reason_code.value()))
            } else if let Packet::Disconnect(disconnect) = packet {
                Some(format!("DISCONNECT 0x{:02X}", disconnect.reason_code.value()))
            } else {
                None
            }
        })
        .await;
    match answer {
        Ok(answer) if answer == "PUBACK 0x00" => Err(Stop::broken("a refusal", answer)),
        Ok(answer) => seen(answer),
        Err(_) if client.closes().await => seen("closed without a word"),
        Err(stop) => Err(stop),
    }
}

async fn pubrel_of_an_unknown_id_is_answered(t: Context) -> Outcome {
    let mut client = t.connect("client").await?;
    client.send(Packet::Pubrel(Ack::success(id(7)))).await;
    match client.expect_pubcomp(7).await {
        Ok(pubcomp) => seen(format!("PUBCOMP 0x{:02X}", pubcomp.reason_code.value())),
        Err(_) if client.closes().await => seen("closed"),
        Err(_) => seen("not answered"),
    }
}

async fn publish_that_nobody_gets_is_told_or_not(t: Context) -> Outcome {
    let mut client = t.connect("client").await?;
    client
        .send(Packet::Publish(publish(&t.topic("nobody"), "x").qos1(1)))
        .await;
    let puback = client.expect_puback(1).await?;
    seen(format!("PUBACK 0x{:02X}", puback.reason_code.value()))
}

async fn publish_to_a_dollar_topic_is_delivered_or_not(t: Context) -> Outcome {
    let topic = format!("${}", t.topic("a"));
    let mut sub = t.connect("sub").await?;
    sub.send(Packet::Subscribe(subscribe(1, &[(&topic, at(Qos::AtMostOnce))])))
        .await;
    let Ok(granted) = sub.expect_suback(1).await else {
        return seen("the subscription is not answered");
    };
    if granted.reason_codes.iter().any(|code| code.is_error()) {
        return seen("the subscription is refused");
    }
    let mut publisher = t.connect("pub").await?;
    publisher.send(Packet::Publish(publish(&topic, "x"))).await;
    if !answers(&mut publisher).await {
        return seen("the publisher is closed");
    }
    let delivered = sub.expect_publish(&topic).await.is_ok();
    seen(if delivered { "delivered" } else { "dropped" })
}

async fn packet_before_connack_is_taken_or_not(t: Context) -> Outcome {
    let mut client = t.open("client").await?;
    let connect = t.connect_packet("client", |_| ());
    client.send(Packet::Connect(Box::new(connect))).await;
    client.send(Packet::Pingreq).await;
    client.expect_connack().await.set_up()?;
    let taken = client.expect_pingresp().await.is_ok();
    seen(if taken { "taken" } else { "not taken" })
}

async fn unfinished_packet_does_not_keep_the_connection(t: Context) -> Outcome {
    let (mut client, _) = t.connect_with("client", |connect| connect.keep_alive = 1).await?;
    client
        .send_hex("30 7f 00 03 61 2f 62 # PUBLISH at QoS 0, 127 bytes follow, a/b")
        .await;
    // A byte of it every 400 ms, for far more than one and a half Keep Alives, and never the last.
    for _ in 0..15 {
        client.send_bytes(b"x").await;
        let within = Duration::from_millis(400);
        if client.expect_closed_within(within, "meanwhile").await.is_ok() {
            return Ok(());
        }
    }
    Err(Stop::broken(
        "a close after one and a half Keep Alives without a whole packet",
        "it was still open after 6 s",
    ))
}

async fn will_of_a_taken_over_connection_is_published_or_not(t: Context) -> Outcome {
    let topic = t.topic("will");
    let (mut sub, _) = t.pair(&topic, Qos::AtMostOnce).await?;
    let (_old, _) = t
        .connect_with("client", |connect| {
            t.make_persistent(connect);
            connect.will = Some(will(&topic, "taken over"));
        })
        .await?;
    let (_new, _) = t.resume("client").await?;
    let published = sub.expect_publish(&topic).await.is_ok();
    seen(if published { "published" } else { "not published" })
}

async fn no_local_holds_for_retained_messages_or_not(t: Context) -> Outcome {
    let topic = t.topic("a");
    let mut client = t.connect("client").await?;
    client.publish(publish(&topic, "own").retained()).await?;
    let options = SubscriptionOptions {
        no_local: true,
        ..SubscriptionOptions::default()
    };
    client.subscribe_with(&topic, options, None).await?;
    let kept_away = client.expect_no_publish(&topic).await.is_ok();
    seen(if kept_away { "not sent" } else { "sent" })
}

async fn retained_message_comes_once_or_for_each_filter(t: Context) -> Outcome {
    let topic = t.topic("a");
    let mut client = t.connect("client").await?;
    client.publish(publish(&topic, "kept").retained()).await?;
    let filters = [
        (topic.as_str(), at(Qos::AtMostOnce)),
        (&t.topic("+"), at(Qos::AtMostOnce)),
    ];
    client.send(Packet::Subscribe(subscribe(1, &filters))).await;
    client.expect_suback(1).await.set_up()?;
    client.expect_publish(&topic).await?;
    let once = client.expect_no_publish(&topic).await.is_ok();
    seen(if once { "once" } else { "for each filter" })
}

async fn expired_delivery_under_way_is_repeated_or_not(t: Context) -> Outcome {
    let topic = t.topic("a");
    let (mut sub, _) = t.resume("sub").await?;
    sub.subscribe(&topic, Qos::AtLeastOnce).await?;
    let mut publisher = t.connect("pub").await?;
    let short = publish(&topic, "short").qos1(1);
    publisher
        .publish(short.with(Property::MessageExpiryInterval(1)))
        .await?;
    sub.expect_publish(&topic).await.set_up()?;
    sub.cut();
    sleep(Duration::from_millis(2500)).await;
    let (mut sub, _) = t.resume("sub").await?;
    let dropped = sub.expect_no_publish(&topic).await.is_ok();
    seen(if dropped { "dropped" } else { "repeated" })
}

async fn puback_out_of_order_is_taken_or_not(t: Context) -> Outcome {
    let topic = t.topic("a");
    let (mut sub, mut publisher) = t.pair(&topic, Qos::AtLeastOnce).await?;
    publisher.publish(publish(&topic, "1").qos1(1)).await?;
    publisher.publish(publish(&topic, "2").qos1(2)).await?;
    let first = sub.expect_publish(&topic).await.set_up()?;
    let second = sub.expect_publish(&topic).await.set_up()?;
    sub.acknowledge(&second).await?;
    sub.acknowledge(&first).await?;
    seen(if answers(&mut sub).await {
        "taken"
    } else {
        "closed"
    })
}

async fn shared_messages_wait_for_absent_members_or_not(t: Context) -> Outcome {
    let topic = t.topic("a");
    let filter = shared(&topic);
    let (mut absent, _) = t.resume("absent").await?;
    absent.subscribe(&filter, Qos::AtLeastOnce).await?;
    absent.disconnect().await?;
    let (mut present, mut publisher) = t.pair(&filter, Qos::AtLeastOnce).await?;
    for message in 1..=4 {
        publisher.publish(publish(&topic, "x").qos1(message)).await?;
    }
    let mut count = 0;
    while present.expect_publish(&topic).await.is_ok() {
        count += 1;
    }
    seen(if count == 4 {
        "sent to who is there"
    } else {
        "some wait for who is absent"
    })
}

async fn smaller_receive_maximum_on_resuming_holds_back_or_not(t: Context) -> Outcome {
    let topic = t.topic("a");
    let (mut sub, _) = t.resume("sub").await?;
    sub.subscribe(&topic, Qos::AtLeastOnce).await?;
    let mut publisher = t.connect("pub").await?;
    for message in 1..=2 {
        publisher.publish(publish(&topic, "x").qos1(message)).await?;
        sub.expect_publish(&topic).await.set_up()?;
    }
    sub.cut();
    let (mut sub, _) = t
        .connect_with("sub", |connect| {
            t.make_persistent(connect);
            connect.properties.push(receive_maximum(1));
        })
        .await?;
    sub.expect_publish(&topic).await?;
    let held = sub.expect_no_publish(&topic).await.is_ok();
    seen(if held { "held back" } else { "all repeated" })
}

async fn unknown_topic_alias_is_told_with_a_code_or_not(t: Context) -> Outcome {
    let mut client = t.connect("client").await?;
    client
        .send(Packet::Publish(Publish {
            topic: None,
            ..publish(&t.topic("a"), "x").with(topic_alias(1))
        }))
        .await;
    told(
        &client
            .expect_closed("after a Topic Alias without a mapping")
            .await?,
    )
}

fn told(said: &[Packet]) -> Outcome {
    let code = said.iter().find_map(|packet| {
        if let Packet::Disconnect(disconnect) = packet {
            Some(disconnect.reason_code.value())
        } else {
            None
        }
    });
    match code {
        Some(code) => seen(format!("DISCONNECT 0x{code:02X}, then closed")),
        None => seen("closed without a word"),
    }
}

async fn puback_of_an_unknown_id_is_ignored_or_not(t: Context) -> Outcome {
    let mut client = t.connect("client").await?;
    client.send(Packet::Puback(Ack::success(id(7)))).await;
    seen(if answers(&mut client).await {
        "ignored"
    } else {
        "closed"
    })
}

async fn connack_above_the_maximum_packet_size_is_not_sent(t: Context) -> Outcome {
    const TINY: u32 = 4;
    let mut client = t.open("client").await?;
    let connect = t.connect_packet("client", |connect| {
        connect.properties.push(maximum_packet_size(TINY))
    });
    client.send(Packet::Connect(Box::new(connect))).await;
    let (bytes, closed) = client.bytes_until_close().await;
    check(bytes.len() <= TINY as usize, "at most 4 bytes", || {
        ::hex::encode(&bytes)
    })?;
    seen(if closed {
        "closed"
    } else {
        "open, and nothing said"
    })
}

async fn filter_that_stands_twice_is_as_the_last_says(t: Context) -> Outcome {
    let topic = t.topic("a");
    let mut sub = t.connect("sub").await?;
    let filters = [
        (topic.as_str(), at(Qos::AtLeastOnce)),
        (topic.as_str(), at(Qos::AtMostOnce)),
    ];
    sub.send(Packet::Subscribe(subscribe(1, &filters))).await;
    sub.expect_suback(1).await.set_up()?;
    let mut publisher = t.connect("pub").await?;
    publisher.publish(publish(&topic, "x").qos1(1)).await?;
    let got = sub.expect_publish(&topic).await?;
    check(
        got.delivery.qos() == Qos::AtMostOnce,
        "one delivery at QoS 0",
        || format!("{:?}", got.delivery),
    )?;
    sub.expect_no_publish(&topic).await
}

async fn retained_qos_0_message_is_kept_or_not(t: Context) -> Outcome {
    let topic = t.topic("a");
    let mut client = t.connect("client").await?;
    client.publish(publish(&topic, "kept").retained()).await?;
    client.subscribe(&topic, Qos::AtMostOnce).await?;
    let discarded = client.expect_no_publish(&topic).await.is_ok();
    seen(if discarded { "discarded" } else { "kept" })
}
