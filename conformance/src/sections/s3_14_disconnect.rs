use squall_proto::{Disconnect, Packet, Property, Qos, ReasonCode};

use crate::{
    Case, Context,
    Level::Must,
    Outcome, Stop,
    packets::will,
    stop::{SetUp as _, check},
};

pub(super) const CASES: &[Case] = &[
    Case {
        name: "malformed_disconnect_leaves_the_will",
        v3: &["MQTT-3.14.1-1"],
        v5: &["MQTT-3.14.1-1", "X5-2.1.3-1"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(malformed_disconnect_leaves_the_will(t)),
    },
    Case {
        name: "server_sends_nothing_after_its_disconnect",
        v3: &[],
        v5: &["MQTT-3.14.4-1", "MQTT-3.14.4-2", "MQTT-3.14.2-1", "MQTT-3.14.2-2"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(server_sends_nothing_after_its_disconnect(t)),
    },
    Case {
        name: "disconnect_may_shorten_the_session",
        v3: &[],
        v5: &["MQTT-4.1.0-2", "MQTT-3.1.2-23"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(disconnect_may_shorten_the_session(t)),
    },
    Case {
        name: "session_expiry_cannot_be_raised_from_0_at_disconnect",
        v3: &[],
        v5: &["MQTT-4.13.1-1"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(session_expiry_cannot_be_raised_from_0_at_disconnect(t)),
    },
    Case {
        name: "session_that_ends_with_its_connection_is_not_kept_by_disconnect",
        v3: &[],
        v5: &["X5-3.14.2.2.2-1"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(session_that_ends_with_its_connection_is_not_kept_by_disconnect(t)),
    },
];

async fn malformed_disconnect_leaves_the_will(t: Context) -> Outcome {
    let topic = t.topic("will");
    let (mut sub, _) = t.pair(&topic, Qos::AtMostOnce).await?;
    let (mut client, _) = t
        .connect_with("client", |connect| connect.will = Some(will(&topic, "gone")))
        .await?;
    client.send_hex("e1 00 # DISCONNECT with flags 0001").await;
    client.expect_closed("after DISCONNECT with flags 0001").await?;
    sub.expect_publish(&topic).await.map(drop)
}

async fn server_sends_nothing_after_its_disconnect(t: Context) -> Outcome {
    let mut client = t.connect("client").await?;
    client
        .send_hex(
            "# PUBLISH with QoS bits 11, a/b, id 1, no properties
             36 08 00 03 61 2f 62 00 01 00",
        )
        .await;
    let said = client.expect_closed("after PUBLISH at QoS 3").await?;
    let place = said
        .iter()
        .position(|packet| matches!(packet, Packet::Disconnect(_)));
    let Some(place) = place else {
        return Err(Stop::Choice("closed without a DISCONNECT".into()));
    };
    check(place + 1 == said.len(), "nothing after DISCONNECT", || {
        format!("{said:?}")
    })?;
    let has_expiry = |disconnect: &Disconnect| disconnect.properties.session_expiry_interval().is_some();
    let expiry = |packet: &Packet| matches!(packet, Packet::Disconnect(it) if has_expiry(it));
    check(
        !said.iter().any(expiry),
        "no Session Expiry Interval in it",
        || format!("{said:?}"),
    )
}

async fn disconnect_may_shorten_the_session(t: Context) -> Outcome {
    let (mut client, _) = t.resume("client").await?;
    let mut disconnect = Disconnect::of(ReasonCode::Success);
    disconnect.properties.push(Property::SessionExpiryInterval(0));
    client.send(Packet::Disconnect(disconnect)).await;
    client.half_close().await;
    client.expect_closed("after DISCONNECT").await.set_up()?;
    let (_client, connack) = t.resume("client").await?;
    check(!connack.session_present, "Session Present 0", || {
        "Session Present 1".into()
    })
}

async fn session_expiry_cannot_be_raised_from_0_at_disconnect(t: Context) -> Outcome {
    let topic = t.topic("will");
    let (mut sub, _) = t.pair(&topic, Qos::AtMostOnce).await?;
    let (mut client, _) = t
        .connect_with("client", |connect| connect.will = Some(will(&topic, "gone")))
        .await?;
    let mut disconnect = Disconnect::of(ReasonCode::Success);
    disconnect.properties.push(Property::SessionExpiryInterval(60));
    client.send(Packet::Disconnect(disconnect)).await;
    client.expect_closed("after DISCONNECT").await?;
    let ignored = sub.expect_no_publish(&topic).await.is_ok();
    // Whether a DISCONNECT that is a Protocol Error still takes the Will away is not said.
    Err(Stop::Choice(
        if ignored {
            "the Will was dropped"
        } else {
            "the Will was published"
        }
        .into(),
    ))
}

async fn session_that_ends_with_its_connection_is_not_kept_by_disconnect(t: Context) -> Outcome {
    let (mut client, _) = t.connect_with("client", |_| ()).await?;
    let mut disconnect = Disconnect::of(ReasonCode::Success);
    disconnect.properties.push(Property::SessionExpiryInterval(60));
    client.send(Packet::Disconnect(disconnect)).await;
    client.expect_closed("after DISCONNECT").await?;
    let (_, connack) = t.resume("client").await?;
    check(!connack.session_present, "Session Present 0", || {
        "Session Present 1".into()
    })
}
