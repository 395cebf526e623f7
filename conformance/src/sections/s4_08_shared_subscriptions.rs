use squall_proto::{Packet, Qos, SubscriptionOptions};

use crate::{
    Capability::SharedSubscriptions,
    Case, Context,
    Level::Must,
    Outcome,
    packets::{Also as _, publish, subscribe},
    stop::{SetUp as _, check},
};

pub(super) const CASES: &[Case] = &[
    Case {
        name: "shared_message_reaches_one_member",
        v3: &[],
        v5: &["MQTT-4.8.2-3"],
        level: Must,
        needs: &[SharedSubscriptions],
        run: |t| Box::pin(shared_message_reaches_one_member(t)),
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
        name: "no_local_on_a_shared_subscription_is_refused",
        v3: &[],
        v5: &["MQTT-3.8.3-4"],
        level: Must,
        needs: &[SharedSubscriptions],
        run: |t| Box::pin(no_local_on_a_shared_subscription_is_refused(t)),
    },
];

async fn shared_message_reaches_one_member(t: Context) -> Outcome {
    let topic = t.topic("a");
    let filter = format!("$share/group/{topic}");
    let mut members = [t.connect("one").await?, t.connect("two").await?];
    for member in &mut members {
        member.subscribe(&filter, Qos::AtMostOnce).await?;
    }
    let mut publisher = t.connect("pub").await?;
    for n in 1..=6 {
        publisher.publish(publish(&topic, "x").qos1(n)).await?;
    }
    let mut copies = 0;
    for member in &mut members {
        while member.expect_no_publish(&topic).await.is_err() {
            member.expect_publish(&topic).await.set_up()?;
            copies += 1;
        }
    }
    check(copies == 6, "six copies of six messages", || format!("{copies}"))
}

async fn shared_delivery_is_within_the_granted_qos(t: Context) -> Outcome {
    let topic = t.topic("a");
    let mut member = t.connect("one").await?;
    member
        .subscribe(&format!("$share/group/{topic}"), Qos::AtMostOnce)
        .await?;
    let mut publisher = t.connect("pub").await?;
    publisher.publish(publish(&topic, "x").qos1(1)).await?;
    let got = member.expect_publish(&topic).await?;
    check(got.delivery.qos() == Qos::AtMostOnce, "PUBLISH at QoS 0", || {
        format!("{got:?}")
    })
}

async fn no_local_on_a_shared_subscription_is_refused(t: Context) -> Outcome {
    let mut client = t.connect("client").await?;
    let options = SubscriptionOptions {
        no_local: true,
        ..SubscriptionOptions::default()
    };
    let filter = format!("$share/group/{}", t.topic("a"));
    client
        .send(Packet::Subscribe(subscribe(1, &[(&filter, options)])))
        .await;
    client
        .expect_closed("after No Local on a shared subscription")
        .await?;
    Ok(())
}
