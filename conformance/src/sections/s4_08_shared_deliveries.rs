use squall_proto::{Ack, Delivery, Packet, PacketId, Publish, Qos, ReasonCode};

use super::s4_08_shared_subscriptions::shared;
use crate::{
    Capability::{Qos1, Qos2, SharedSubscriptions},
    Case, Context,
    Level::{Must, Should},
    Outcome, Stop,
    context::Client,
    packets::{Also as _, publish},
    stop::{SetUp as _, check},
};

pub(super) const CASES: &[Case] = &[
    Case {
        name: "shared_qos_1_delivery_waits_for_its_member_or_goes_to_another",
        v3: &[],
        v5: &["MQTT-4.5.0-1"],
        level: Must,
        needs: &[SharedSubscriptions, Qos1],
        run: |t| Box::pin(shared_qos_1_delivery_waits_for_its_member_or_goes_to_another(t)),
    },
    Case {
        name: "shared_qos_1_delivery_is_handed_on_when_its_session_ends",
        v3: &[],
        v5: &["MQTT-4.5.0-1"],
        level: Should,
        needs: &[SharedSubscriptions, Qos1],
        run: |t| Box::pin(shared_qos_1_delivery_is_handed_on_when_its_session_ends(t)),
    },
    Case {
        name: "shared_qos_2_delivery_goes_on_with_the_same_member",
        v3: &[],
        v5: &["MQTT-4.8.2-4"],
        level: Must,
        needs: &[SharedSubscriptions, Qos2],
        run: |t| Box::pin(shared_qos_2_delivery_goes_on_with_the_same_member(t)),
    },
    Case {
        name: "shared_qos_2_delivery_goes_to_nobody_else_when_its_session_ends",
        v3: &[],
        v5: &["MQTT-4.8.2-5"],
        level: Must,
        needs: &[SharedSubscriptions, Qos2],
        run: |t| Box::pin(shared_qos_2_delivery_goes_to_nobody_else_when_its_session_ends(t)),
    },
    Case {
        name: "shared_qos_1_delivery_that_is_refused_goes_to_nobody_else",
        v3: &[],
        v5: &["MQTT-4.8.2-6"],
        level: Must,
        needs: &[SharedSubscriptions, Qos1],
        run: |t| Box::pin(shared_qos_1_delivery_that_is_refused_goes_to_nobody_else(t)),
    },
    Case {
        name: "shared_qos_2_delivery_that_is_refused_goes_to_nobody_else",
        v3: &[],
        v5: &["MQTT-4.8.2-6"],
        level: Must,
        needs: &[SharedSubscriptions, Qos2],
        run: |t| Box::pin(shared_qos_2_delivery_that_is_refused_goes_to_nobody_else(t)),
    },
];

async fn shared_qos_1_delivery_waits_for_its_member_or_goes_to_another(t: Context) -> Outcome {
    let topic = t.topic("a");
    let (one, first, mut two) = under_way(&t, Qos::AtLeastOnce).await?;
    one.cut();
    if let Ok(handed_on) = two.expect_publish(&topic).await {
        two.acknowledge(&handed_on).await?;
        return Err(Stop::Choice("to another at once".into()));
    }
    let (mut one, _) = t.resume("one").await?;
    let again = one.expect_publish(&topic).await?;
    check(
        again.dup && again.delivery == first.delivery,
        "the same PUBLISH with DUP 1",
        || format!("{again:?}"),
    )?;
    Err(Stop::Choice("waits for its member".into()))
}

async fn shared_qos_1_delivery_is_handed_on_when_its_session_ends(t: Context) -> Outcome {
    let topic = t.topic("a");
    let (one, first, mut two) = under_way(&t, Qos::AtLeastOnce).await?;
    end_session(&t, one).await?;
    let handed_on = two.expect_publish(&topic).await?;
    check(
        handed_on.payload == first.payload && !handed_on.dup,
        "the message with DUP 0",
        || format!("{handed_on:?}"),
    )
}

async fn shared_qos_2_delivery_goes_on_with_the_same_member(t: Context) -> Outcome {
    let topic = t.topic("a");
    let (one, first, mut two) = under_way(&t, Qos::ExactlyOnce).await?;
    one.cut();
    two.expect_no_publish(&topic).await?;
    let (mut one, _) = t.resume("one").await?;
    let again = one.expect_publish(&topic).await?;
    check(
        again.dup && again.delivery == first.delivery,
        "the same PUBLISH with DUP 1",
        || format!("{again:?}"),
    )?;
    one.acknowledge(&again).await?;
    two.expect_no_publish(&topic).await
}

async fn shared_qos_2_delivery_goes_to_nobody_else_when_its_session_ends(t: Context) -> Outcome {
    let (one, _, mut two) = under_way(&t, Qos::ExactlyOnce).await?;
    end_session(&t, one).await?;
    two.expect_no_publish(&t.topic("a")).await
}

async fn shared_qos_1_delivery_that_is_refused_goes_to_nobody_else(t: Context) -> Outcome {
    refused_delivery_is_discarded(&t, Qos::AtLeastOnce, Packet::Puback).await
}

async fn shared_qos_2_delivery_that_is_refused_goes_to_nobody_else(t: Context) -> Outcome {
    refused_delivery_is_discarded(&t, Qos::ExactlyOnce, Packet::Pubrec).await
}

async fn refused_delivery_is_discarded(t: &Context, qos: Qos, refusal: fn(Ack) -> Packet) -> Outcome {
    let topic = t.topic("a");
    let (mut one, first, mut two) = under_way(t, qos).await?;
    let id = first.delivery.packet_id().unwrap_or(PacketId::MIN);
    one.send(refusal(Ack::of(id, ReasonCode::ImplementationSpecificError)))
        .await;
    one.ping().await?;
    two.expect_no_publish(&topic).await?;
    // Not later either.
    end_session(t, one).await?;
    two.expect_no_publish(&topic).await
}

/// A member with a delivery that it has not answered, and another member, who came too late for it.
async fn under_way(t: &Context, qos: Qos) -> Outcome<(Client, Publish, Client)> {
    let topic = t.topic("a");
    let (mut one, _) = t.resume("one").await?;
    one.subscribe(&shared(&topic), qos).await?;
    let message = match qos {
        Qos::AtMostOnce | Qos::AtLeastOnce => publish(&topic, "x").qos1(1),
        Qos::ExactlyOnce => publish(&topic, "x").qos2(1),
    };
    t.connect("pub").await?.publish(message).await?;
    let first = one.expect_publish(&topic).await.set_up()?;
    check(
        first.delivery != Delivery::AtMostOnce,
        "a delivery that asks for an answer",
        || format!("{first:?}"),
    )
    .set_up()?;
    let mut two = t.connect("two").await?;
    two.subscribe(&shared(&topic), qos).await?;
    Ok((one, first, two))
}

/// The member goes, and its session with it.
async fn end_session(t: &Context, member: Client) -> Outcome {
    member.cut();
    t.connect("one").await?.ping().await
}
