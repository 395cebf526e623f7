//! What a server says goes out without its Reason String and User Properties where it would be too large with them.

use squall_proto::{Ack, Connect, Packet, Property, Qos, ReasonCode, Version, encoded_len};

use crate::{
    Capability::Qos2,
    Case, Context,
    Level::Must,
    Outcome,
    context::Client,
    packets::{Also as _, at, id, maximum_packet_size, publish, subscribe, text, unsubscribe},
    stop::{SetUp as _, check},
};

pub(super) const CASES: &[Case] = &[
    Case {
        name: "acknowledgements_keep_within_the_maximum_packet_size",
        v3: &[],
        v5: &[
            "MQTT-3.4.2-2",
            "MQTT-3.4.2-3",
            "MQTT-3.5.2-2",
            "MQTT-3.5.2-3",
            "MQTT-3.6.2-2",
            "MQTT-3.6.2-3",
            "MQTT-3.7.2-2",
            "MQTT-3.7.2-3",
        ],
        level: Must,
        needs: &[Qos2],
        run: |t| Box::pin(acknowledgements_keep_within_the_maximum_packet_size(t)),
    },
    Case {
        name: "suback_and_unsuback_keep_within_the_maximum_packet_size",
        v3: &[],
        v5: &["MQTT-3.9.2-1", "MQTT-3.9.2-2", "MQTT-3.11.2-1", "MQTT-3.11.2-2"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(suback_and_unsuback_keep_within_the_maximum_packet_size(t)),
    },
    Case {
        name: "connack_and_disconnect_keep_within_the_maximum_packet_size",
        v3: &[],
        v5: &["MQTT-3.2.2-19", "MQTT-3.2.2-20", "MQTT-3.14.2-3", "MQTT-3.14.2-4"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(connack_and_disconnect_keep_within_the_maximum_packet_size(t)),
    },
];

/// Bytes that hold every packet here, and a CONNACK with some properties, but no long Reason String.
const SMALL: u32 = 64;

async fn small(t: &Context) -> Outcome<Client> {
    let asks = |connect: &mut Connect| connect.properties.push(maximum_packet_size(SMALL));
    let (client, connack) = t.connect_with("client", asks).await?;
    fits(&Packet::Connack(connack))?;
    Ok(client)
}

fn fits(packet: &Packet) -> Outcome {
    let size = encoded_len(Version::V5, packet.into());
    check(size <= SMALL as usize, "a packet of at most 64 bytes", || {
        format!("{} of {size} bytes", packet.packet_type())
    })
}

/// What is wrong with each exchange is what a server may want to explain: nobody subscribes, nothing is known of the id.
async fn acknowledgements_keep_within_the_maximum_packet_size(t: Context) -> Outcome {
    let topic = t.topic("a");
    let mut client = small(&t).await?;
    client.send(Packet::Publish(publish(&topic, "1").qos1(1))).await;
    fits(&Packet::Puback(client.expect_puback(1).await?))?;
    client.send(Packet::Publish(publish(&topic, "2").qos2(2))).await;
    fits(&Packet::Pubrec(client.expect_pubrec(2).await?))?;
    client.send(Packet::Pubrel(Ack::success(id(2)))).await;
    fits(&Packet::Pubcomp(client.expect_pubcomp(2).await?))?;
    client.send(Packet::Pubrel(Ack::success(id(3)))).await;
    client.send(Packet::Pubrec(Ack::success(id(4)))).await;
    // What it says to those two is its own affair, and it may close the connection.
    if client.closes().await {
        return Ok(());
    }
    client
        .expect_none("no acknowledgement above 64 bytes", |packet| {
            fits(packet).is_err()
        })
        .await
}

async fn suback_and_unsuback_keep_within_the_maximum_packet_size(t: Context) -> Outcome {
    let mut client = small(&t).await?;
    let topic = t.topic("a");
    client
        .send(Packet::Subscribe(subscribe(1, &[(&topic, at(Qos::AtMostOnce))])))
        .await;
    fits(&Packet::Suback(client.expect_suback(1).await?))?;
    client
        .send(Packet::Unsubscribe(unsubscribe(2, &[&t.topic("nothing")])))
        .await;
    fits(&Packet::Unsuback(client.expect_unsuback(2).await.set_up()?))
}

async fn connack_and_disconnect_keep_within_the_maximum_packet_size(t: Context) -> Outcome {
    let mut client = small(&t).await?;
    client
        .send_hex("30 05 00 02 61 00 00 # PUBLISH at QoS 0, a topic with U+0000")
        .await;
    for packet in &client.expect_closed("after a topic with U+0000").await.set_up()? {
        fits(packet)?;
    }
    let mut refused = t.open("refused").await?;
    let connect = t.connect_packet("refused", |connect| {
        connect.properties.push(maximum_packet_size(SMALL));
        let method = text("squall-knows-no-such-method");
        connect.properties.push(Property::AuthenticationMethod(method));
    });
    refused.send(Packet::Connect(Box::new(connect))).await;
    let said = refused.expect_closed("after an unknown method").await.set_up()?;
    for packet in &said {
        fits(packet)?;
    }
    let accepted = |packet: &Packet| matches!(packet, Packet::Connack(connack) if connack.reason_code == ReasonCode::Success);
    check(!said.iter().any(accepted), "no CONNACK 0x00", || {
        "CONNACK 0x00".into()
    })
    .set_up()
}
