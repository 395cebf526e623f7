//! What a broker is seen to do.

use std::time::Duration;

use squall_proto::{Packet, Publish, Qos, ReasonCode};

use super::{BOTH, Found, Probe, V3, V5};
use crate::{
    Capability, Context, Outcome,
    context::Client,
    packets::{self, Also as _, at, publish, subscription_identifier, text},
    stop::SetUp as _,
};

pub(super) const PROBES: &[Probe] = &[
    Probe {
        what: NAME,
        versions: BOTH,
        run: |t| Box::pin(name(t)),
    },
    Probe {
        what: "MQTT 3.1 (MQIsdp)",
        versions: V3,
        run: |t| Box::pin(mqisdp(t)),
    },
    Probe {
        what: "Empty Client Identifier",
        versions: BOTH,
        run: |t| Box::pin(empty_client_identifier(t)),
    },
    Probe {
        what: "Highest QoS",
        versions: BOTH,
        run: |t| Box::pin(highest_qos(t)),
    },
    Probe {
        what: "Retained messages",
        versions: BOTH,
        run: |t| Box::pin(retained_messages(t)),
    },
    Probe {
        what: "Wildcards",
        versions: BOTH,
        run: |t| Box::pin(wildcards(t)),
    },
    Probe {
        what: "Shared Subscriptions",
        versions: BOTH,
        run: |t| Box::pin(shared_subscriptions(t)),
    },
    Probe {
        what: "Subscription Identifiers",
        versions: V5,
        run: |t| Box::pin(subscription_identifiers(t)),
    },
    Probe {
        what: "Sessions outlive connections",
        versions: BOTH,
        run: |t| Box::pin(sessions(t)),
    },
    Probe {
        what: "Messages under way to a client at once",
        versions: BOTH,
        run: |t| Box::pin(window(t)),
    },
    Probe {
        what: "Messages that wait for an absent client",
        versions: BOTH,
        run: |t| Box::pin(queue(t)),
    },
];

/// The probe that finds what the broker calls itself.
pub(super) const NAME: &str = "Calls itself";
/// What it finds where there is nothing.
pub(super) const NAMELESS: &str = "nothing (no version in $SYS)";

/// How long a message may take that does not come at once.
const LATE: Duration = Duration::from_secs(1);
/// Nobody counts further.
const UNDER_WAY_MAX: u16 = 200;
/// Nobody counts further.
const WAITING_MAX: u16 = 2500;
/// Messages that are published before the first is acknowledged.
const BATCH: u16 = 10;

/// The next message to this topic that comes, if one does.
pub(super) async fn arrives(client: &mut Client, topic: &str) -> Option<Publish> {
    // What the broker has sent by the time it answers is kept, and little comes later.
    let closed = client.closes().await;
    client.patience = if closed { Duration::ZERO } else { LATE };
    client.expect_publish(topic).await.ok()
}

/// Brokers name themselves below `$SYS/broker` or `$SYS/brokers`.
async fn name(t: Context) -> Outcome<Found> {
    let mut client = t.connect("client").await?;
    let filters =
        ["$SYS/broker/version", "$SYS/brokers/+/version"].map(|filter| (filter, at(Qos::AtMostOnce)));
    client
        .send(Packet::Subscribe(packets::subscribe(1, &filters)))
        .await;
    client.expect_suback(1).await?;
    client.patience = LATE;
    let version = client.expect("a version", |packet| {
        let Packet::Publish(publish) = packet else {
            return None;
        };
        String::from_utf8(publish.payload.to_vec()).ok()
    });
    Ok(Found::says(version.await.unwrap_or_else(|_| NAMELESS.into())))
}

/// Whether it takes a CONNECT of the version before 3.1.1, which the standard leaves to it.
async fn mqisdp(t: Context) -> Outcome<Found> {
    let mut client = t.open("client").await?;
    let name = t.client_id("client");
    let mut body = crate::hex::bytes(
        "00 06 4d 51 49 73 64 70 03 02 00 3c # MQIsdp, level 3, Clean Session, Keep Alive 60",
    );
    body.extend(crate::hex::string(&name));
    client.send_bytes(&crate::hex::packet(0x10, &body)).await;
    let taken = client.expect_connack().await;
    let taken = taken.is_ok_and(|connack| connack.reason_code == ReasonCode::Success);
    Ok(Found::says(if taken { "yes" } else { "no" }))
}

async fn empty_client_identifier(t: Context) -> Outcome<Found> {
    let mut client = t.open("client").await?;
    let connect = t.connect_packet("client", |connect| connect.client_id = text(""));
    client.send(Packet::Connect(Box::new(connect))).await;
    let taken = client.expect_connack().await;
    let taken = taken.is_ok_and(|connack| connack.reason_code == ReasonCode::Success);
    Ok(Found::says(if taken { "yes" } else { "no" }))
}

/// The highest QoS at which a message is taken and passed on.
async fn highest_qos(t: Context) -> Outcome<Found> {
    let topic = t.topic("qos");
    for qos in [Qos::ExactlyOnce, Qos::AtLeastOnce] {
        let mut client = t.connect("client").await?;
        let message = publish(&topic, "message");
        let message = match qos {
            Qos::ExactlyOnce => message.qos2(1),
            Qos::AtLeastOnce | Qos::AtMostOnce => message.qos1(1),
        };
        let passed = client.subscribe(&topic, qos).await.is_ok()
            && client.publish(message).await.is_ok()
            && arrives(&mut client, &topic)
                .await
                .is_some_and(|publish| publish.delivery.qos() == qos);
        if passed {
            let lacks = match qos {
                Qos::ExactlyOnce => Vec::new(),
                Qos::AtLeastOnce | Qos::AtMostOnce => vec![Capability::Qos2],
            };
            return Ok(Found {
                says: qos.value().to_string(),
                lacks,
            });
        }
    }
    Ok(Found {
        says: "0".into(),
        lacks: vec![Capability::Qos1, Capability::Qos2],
    })
}

async fn retained_messages(t: Context) -> Outcome<Found> {
    let topic = t.topic("retained");
    let mut publisher = t.connect("pub").await?;
    let kept = t
        .retain(&mut publisher, publish(&topic, "message").retained())
        .await;
    let mut subscriber = t.connect("sub").await?;
    subscriber.subscribe(&topic, Qos::AtMostOnce).await?;
    let got = arrives(&mut subscriber, &topic).await;
    let kept = kept.is_ok() && got.is_some_and(|publish| publish.retain);
    Ok(Found::does(kept, Capability::Retain))
}

/// Whether a message reaches who subscribed with this filter.
async fn reaches(t: &Context, filter: &str, topic: &str) -> Outcome<bool> {
    let mut subscriber = t.connect("sub").await?;
    if subscriber.subscribe(filter, Qos::AtMostOnce).await.is_err() {
        return Ok(false);
    }
    let mut publisher = t.connect("pub").await?;
    publisher.publish(publish(topic, "message")).await?;
    publisher.ping().await?;
    Ok(arrives(&mut subscriber, topic).await.is_some())
}

async fn wildcards(t: Context) -> Outcome<Found> {
    let (filters, topic) = ([t.topic("+/c"), t.topic("#")], t.topic("b/c"));
    let mut all = true;
    for filter in filters {
        all &= reaches(&t, &filter, &topic).await?;
    }
    Ok(Found::does(all, Capability::Wildcards))
}

/// In 3.1.1 `$share` is a level as any other, and whoever makes more of it goes beyond the standard: that is no lack.
async fn shared_subscriptions(t: Context) -> Outcome<Found> {
    let topic = t.topic("shared");
    let reaches = reaches(&t, &format!("$share/group/{topic}"), &topic).await?;
    let found = Found::does(reaches, Capability::SharedSubscriptions);
    Ok(Found {
        lacks: t.by_version(Vec::new(), found.lacks),
        ..found
    })
}

async fn subscription_identifiers(t: Context) -> Outcome<Found> {
    let topic = t.topic("identified");
    let mut client = t.connect("client").await?;
    let identifier = Some(subscription_identifier(7));
    let granted = client
        .subscribe_with(&topic, at(Qos::AtMostOnce), identifier)
        .await;
    let mut found = false;
    if granted.is_ok() {
        client.publish(publish(&topic, "message")).await?;
        let got = arrives(&mut client, &topic).await;
        found = got.is_some_and(|publish| {
            publish
                .properties
                .subscription_identifiers()
                .any(|id| id.value() == 7)
        });
    }
    Ok(Found::does(found, Capability::SubscriptionIdentifiers))
}

async fn sessions(t: Context) -> Outcome<Found> {
    let (mut client, _) = t.resume("client").await?;
    client.subscribe(&t.topic("session"), Qos::AtMostOnce).await?;
    client.disconnect().await?;
    let (_, connack) = t.resume("client").await?;
    Ok(Found::says(if connack.session_present { "yes" } else { "no" }))
}

/// Messages of QoS 1 that it sends before the first is acknowledged, with no Receive Maximum.
async fn window(t: Context) -> Outcome<Found> {
    let topic = t.topic("window");
    let (mut subscriber, mut publisher) = t.pair(&topic, Qos::AtLeastOnce).await?;
    publish_all(&mut publisher, &topic, UNDER_WAY_MAX).await?;
    let mut count = 0;
    while arrives_soon(&mut subscriber, &topic).await.is_some() {
        count += 1;
    }
    Ok(Found::says(counted(count, UNDER_WAY_MAX)))
}

/// Messages of QoS 1 that a session without a connection gets when the client is back.
async fn queue(t: Context) -> Outcome<Found> {
    let topic = t.topic("queue");
    let (mut subscriber, _) = t.resume("sub").await?;
    subscriber.subscribe(&topic, Qos::AtLeastOnce).await?;
    subscriber.disconnect().await?;
    let mut publisher = t.connect("pub").await?;
    publish_all(&mut publisher, &topic, WAITING_MAX).await?;
    let (mut subscriber, _) = t.resume("sub").await?;
    let mut count = 0;
    while let Some(publish) = arrives_soon(&mut subscriber, &topic).await {
        subscriber.acknowledge_qos1(&publish).await;
        count += 1;
    }
    Ok(Found::says(counted(count, WAITING_MAX)))
}

async fn arrives_soon(client: &mut Client, topic: &str) -> Option<Publish> {
    client.patience = LATE;
    client.expect_publish(topic).await.ok()
}

/// Publishes so many messages at QoS 1, a few at a time. What the broker says of each is its affair.
async fn publish_all(publisher: &mut Client, topic: &str, count: u16) -> Outcome {
    for first in (1..=count).step_by(usize::from(BATCH)) {
        let batch = first..(first + BATCH).min(count + 1);
        for id in batch.clone() {
            publisher
                .send(Packet::Publish(publish(topic, "message").qos1(id)))
                .await;
        }
        for id in batch {
            publisher.expect_puback(id).await.set_up()?;
        }
    }
    Ok(())
}

fn counted(count: u16, most: u16) -> String {
    match count >= most {
        true => format!("{most} or more"),
        false => count.to_string(),
    }
}
