use squall_proto::{Packet, Qos, ReasonCode, RetainHandling, SubscriptionOptions};

use crate::{
    Capability::{SharedSubscriptions, SubscriptionIdentifiers},
    Case, Context,
    Level::Must,
    Outcome, Stop,
    context::Client,
    packets::{Also as _, at, handling, publish, subscribe, subscription_identifier, unsubscribe},
    stop::{SetUp as _, check},
};

pub(super) const CASES: &[Case] = &[
    Case {
        name: "ill_formed_shared_filter_is_not_granted",
        v3: &[],
        v5: &["MQTT-4.8.2-1", "MQTT-4.8.2-2"],
        level: Must,
        needs: &[SharedSubscriptions],
        run: |t| Box::pin(ill_formed_shared_filter_is_not_granted(t)),
    },
    Case {
        name: "share_is_a_level_or_a_shared_subscription_in_3_1_1",
        v3: &["MQTT-4.5.0-1"],
        v5: &[],
        level: Must,
        needs: &[],
        run: |t| Box::pin(share_is_a_level_or_a_shared_subscription_in_3_1_1(t)),
    },
    Case {
        name: "shared_message_reaches_one_member",
        v3: &[],
        v5: &["MQTT-4.8.2-3"],
        level: Must,
        needs: &[SharedSubscriptions],
        run: |t| Box::pin(shared_message_reaches_one_member(t)),
    },
    Case {
        name: "shared_messages_are_spread_over_the_members",
        v3: &[],
        v5: &["MQTT-4.8.2-3"],
        level: Must,
        needs: &[SharedSubscriptions],
        run: |t| Box::pin(shared_messages_are_spread_over_the_members(t)),
    },
    Case {
        name: "each_group_gets_a_copy_of_its_own",
        v3: &[],
        v5: &["MQTT-4.5.0-1"],
        level: Must,
        needs: &[SharedSubscriptions],
        run: |t| Box::pin(each_group_gets_a_copy_of_its_own(t)),
    },
    Case {
        name: "plain_subscription_gets_a_copy_beside_a_shared_one",
        v3: &[],
        v5: &["MQTT-4.5.0-1"],
        level: Must,
        needs: &[SharedSubscriptions],
        run: |t| Box::pin(plain_subscription_gets_a_copy_beside_a_shared_one(t)),
    },
    Case {
        name: "shared_delivery_is_within_the_granted_qos",
        v3: &[],
        v5: &["MQTT-4.8.2-3"],
        level: Must,
        needs: &[SharedSubscriptions],
        run: |t| Box::pin(shared_delivery_is_within_the_granted_qos(t)),
    },
    Case {
        name: "shared_subscription_gets_no_retained_message",
        v3: &[],
        v5: &["MQTT-3.3.1-9"],
        level: Must,
        needs: &[SharedSubscriptions],
        run: |t| Box::pin(shared_subscription_gets_no_retained_message(t)),
    },
    Case {
        name: "shared_delivery_carries_its_subscription_identifier",
        v3: &[],
        v5: &["MQTT-3.3.4-3"],
        level: Must,
        needs: &[SharedSubscriptions, SubscriptionIdentifiers],
        run: |t| Box::pin(shared_delivery_carries_its_subscription_identifier(t)),
    },
    Case {
        name: "member_that_unsubscribed_gets_nothing_more",
        v3: &[],
        v5: &["MQTT-3.10.4-1", "MQTT-3.10.4-2"],
        level: Must,
        needs: &[SharedSubscriptions],
        run: |t| Box::pin(member_that_unsubscribed_gets_nothing_more(t)),
    },
    Case {
        name: "no_local_on_a_shared_subscription_is_refused",
        v3: &[],
        v5: &["MQTT-3.8.3-4"],
        level: Must,
        needs: &[SharedSubscriptions],
        run: |t| Box::pin(no_local_on_a_shared_subscription_is_refused(t)),
    },
];

/// `$share//a`, `$share/+/a`, `$share/g`: whether the target closes the connection or says so in SUBACK is its own affair.
async fn ill_formed_shared_filter_is_not_granted(t: Context) -> Outcome {
    let filters = [
        "82 0F 0001 00 0009 24 73 68 61 72 65 2F 2F 61 00",
        "82 10 0001 00 000A 24 73 68 61 72 65 2F 2B 2F 61 00",
        "82 0E 0001 00 0008 24 73 68 61 72 65 2F 67 00",
    ];
    let mut answers = Vec::new();
    for filter in filters {
        let mut client = t.connect("client").await?;
        client.send_hex(filter).await;
        let suback = client.expect_suback(1).await.ok();
        let code = suback.and_then(|suback| suback.reason_codes.first().copied());
        let granted = code.is_some_and(|code| !code.is_error());
        check(!granted, "a close, or a SUBACK from 0x80", || {
            format!("{code:?} for {filter}")
        })?;
        answers.push(match code {
            Some(code) => format!("SUBACK 0x{:02X}", code.value()),
            None if client.closes().await => "closed".to_owned(),
            None => "no answer".to_owned(),
        });
    }
    answers.dedup();
    match answers.as_slice() {
        [answer] if answer == "closed" => Ok(()),
        _ => Err(Stop::Choice(answers.join(", "))),
    }
}

/// By the letter of 3.1.1 the filter matches topics that begin with `$share`; many servers share there too, and a server may keep clients
/// from publishing to topics that begin with `$`.
async fn share_is_a_level_or_a_shared_subscription_in_3_1_1(t: Context) -> Outcome {
    let topic = t.topic("a");
    let mut client = t.connect("client").await?;
    let filter = shared(&topic);
    client
        .send(Packet::Subscribe(subscribe(1, &[(&filter, at(Qos::AtMostOnce))])))
        .await;
    if client
        .expect_suback(1)
        .await?
        .reason_codes
        .iter()
        .any(|code| code.is_error())
    {
        return Err(Stop::Choice("refused".into()));
    }
    let mut publisher = t.connect("pub").await?;
    publisher.publish(publish(&topic, "x").qos1(1)).await?;
    if client.expect_publish(&topic).await.is_ok() {
        return Err(Stop::Choice("a shared subscription".into()));
    }
    publisher.publish(publish(&filter, "x").qos1(2)).await?;
    Err(Stop::Choice(match client.expect_publish(&filter).await {
        Ok(_) => "a level like any other".into(),
        Err(_) => "neither: nothing published to a topic that begins with $ is passed on".into(),
    }))
}

async fn shared_message_reaches_one_member(t: Context) -> Outcome {
    let shares = shares_of_six(&t).await?;
    let copies: u32 = shares.iter().sum();
    check(copies == 6, "six copies of six messages", || format!("{copies}"))
}

async fn shared_messages_are_spread_over_the_members(t: Context) -> Outcome {
    let mut shares = shares_of_six(&t).await?;
    shares.sort_unstable();
    Err(Stop::Choice(match shares {
        [3, 3] => "evenly".to_owned(),
        [0, all] => format!("all {all} to one member"),
        [fewer, more] => format!("{more} and {fewer}"),
    }))
}

async fn each_group_gets_a_copy_of_its_own(t: Context) -> Outcome {
    let topic = t.topic("a");
    let mut one = t.connect("one").await?;
    one.subscribe(&shared_by("g", &topic), Qos::AtMostOnce).await?;
    let mut two = t.connect("two").await?;
    two.subscribe(&shared_by("h", &topic), Qos::AtMostOnce).await?;
    t.connect("pub")
        .await?
        .publish(publish(&topic, "x").qos1(1))
        .await?;
    one.expect_publish(&topic).await?;
    two.expect_publish(&topic).await?;
    one.expect_no_publish(&topic).await?;
    two.expect_no_publish(&topic).await
}

async fn plain_subscription_gets_a_copy_beside_a_shared_one(t: Context) -> Outcome {
    let topic = t.topic("a");
    let mut member = t.connect("one").await?;
    member.subscribe(&shared(&topic), Qos::AtMostOnce).await?;
    member.subscribe(&topic, Qos::AtMostOnce).await?;
    let mut plain = t.connect("two").await?;
    plain.subscribe(&topic, Qos::AtMostOnce).await?;
    t.connect("pub")
        .await?
        .publish(publish(&topic, "x").qos1(1))
        .await?;
    member.expect_publish(&topic).await?;
    plain.expect_publish(&topic).await?;
    plain.expect_no_publish(&topic).await?;
    match member.expect_publish(&topic).await {
        Ok(_) => member.expect_no_publish(&topic).await,
        // Section 3.3.4 lets a server send one copy for overlapping subscriptions.
        Err(_) => Err(Stop::Choice(
            "one copy for both subscriptions of the member".into(),
        )),
    }
}

async fn shared_delivery_is_within_the_granted_qos(t: Context) -> Outcome {
    let topic = t.topic("a");
    let mut member = t.connect("one").await?;
    member.subscribe(&shared(&topic), Qos::AtMostOnce).await?;
    let mut publisher = t.connect("pub").await?;
    publisher.publish(publish(&topic, "x").qos1(1)).await?;
    let got = member.expect_publish(&topic).await?;
    check(got.delivery.qos() == Qos::AtMostOnce, "PUBLISH at QoS 0", || {
        format!("{got:?}")
    })
}

async fn shared_subscription_gets_no_retained_message(t: Context) -> Outcome {
    let topic = t.topic("a");
    let mut publisher = t.connect("pub").await?;
    publisher.publish(publish(&topic, "x").qos1(1).retained()).await?;
    let mut member = t.connect("one").await?;
    for retain_handling in [RetainHandling::Send, RetainHandling::SendIfNew] {
        let options = handling(retain_handling);
        member.subscribe_with(&shared(&topic), options, None).await?;
        member.expect_no_publish(&topic).await?;
    }
    publisher.publish(publish(&topic, "y").qos1(2)).await?;
    member.expect_publish(&topic).await.map(drop)
}

async fn shared_delivery_carries_its_subscription_identifier(t: Context) -> Outcome {
    let topic = t.topic("a");
    let mut member = t.connect("one").await?;
    let id = subscription_identifier(7);
    member
        .subscribe_with(&shared(&topic), at(Qos::AtMostOnce), Some(id.clone()))
        .await?;
    t.connect("pub")
        .await?
        .publish(publish(&topic, "x").qos1(1))
        .await?;
    let got = member.expect_publish(&topic).await?;
    check(
        got.properties.iter().any(|property| *property == id),
        "Subscription Identifier 7",
        || format!("{got:?}"),
    )
}

async fn member_that_unsubscribed_gets_nothing_more(t: Context) -> Outcome {
    let topic = t.topic("a");
    let [mut one, mut two] = members(&t, &topic, Qos::AtMostOnce).await?;
    one.send(Packet::Unsubscribe(unsubscribe(1, &[&shared(&topic)])))
        .await;
    let unsuback = one.expect_unsuback(1).await?;
    check(
        unsuback.reason_codes == [ReasonCode::Success],
        "UNSUBACK 0x00",
        || format!("{:?}", unsuback.reason_codes),
    )?;
    let mut publisher = t.connect("pub").await?;
    for n in 1..=4 {
        publisher.publish(publish(&topic, "x").qos1(n)).await?;
        two.expect_publish(&topic).await?;
    }
    one.expect_no_publish(&topic).await
}

async fn no_local_on_a_shared_subscription_is_refused(t: Context) -> Outcome {
    let mut client = t.connect("client").await?;
    let options = SubscriptionOptions {
        no_local: true,
        ..SubscriptionOptions::default()
    };
    let filter = shared(&t.topic("a"));
    client
        .send(Packet::Subscribe(subscribe(1, &[(&filter, options)])))
        .await;
    client
        .expect_closed("after No Local on a shared subscription")
        .await?;
    Ok(())
}

/// The filter of a group that shares `topic`.
pub(super) fn shared(topic: &str) -> String {
    shared_by("group", topic)
}

/// The filter of a group of this name that shares `topic`, by a ShareName that no other case has: a server that tells groups apart by that
/// alone is to have each case judged by itself.
fn shared_by(name: &str, topic: &str) -> String {
    let case = topic.split('/').nth(1).unwrap_or_default();
    format!("$share/{name}{case}/{topic}")
}

/// Two clients with sessions to keep that share a subscription.
async fn members(t: &Context, topic: &str, qos: Qos) -> Outcome<[Client; 2]> {
    let (mut one, _) = t.resume("one").await?;
    let (mut two, _) = t.resume("two").await?;
    one.subscribe(&shared(topic), qos).await?;
    two.subscribe(&shared(topic), qos).await?;
    Ok([one, two])
}

/// How many of six messages come to each of two members.
async fn shares_of_six(t: &Context) -> Outcome<[u32; 2]> {
    let topic = t.topic("a");
    let mut members = members(t, &topic, Qos::AtMostOnce).await?;
    let mut publisher = t.connect("pub").await?;
    for n in 1..=6 {
        publisher.publish(publish(&topic, "x").qos1(n)).await?;
    }
    let mut shares = [0; 2];
    for (member, share) in members.iter_mut().zip(&mut shares) {
        while member.expect_no_publish(&topic).await.is_err() {
            member.expect_publish(&topic).await.set_up()?;
            *share += 1;
        }
    }
    Ok(shares)
}
