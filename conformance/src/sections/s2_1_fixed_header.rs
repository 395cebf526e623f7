use bytes::BytesMut;
use squall_proto::{Ack, Delivery, Packet, PacketRef, Qos, encode};

use crate::{
    Capability::Qos2,
    Case, Context,
    Level::Must,
    Outcome, Stop,
    packets::{self, Also as _, at, id, publish, subscribe, unsubscribe},
    stop::SetUp as _,
};

pub(super) const CASES: &[Case] = &[
    Case {
        name: "connect_with_wrong_flags_is_refused",
        v3: &["MQTT-2.2.2-2"],
        v5: &["MQTT-2.1.3-1", "MQTT-4.13.1-1", "X5-2.1.3-1"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(connect_with_wrong_flags_is_refused(t)),
    },
    Case {
        name: "pingreq_with_wrong_flags_is_refused",
        v3: &["MQTT-2.2.2-2"],
        v5: &["MQTT-2.1.3-1", "MQTT-4.13.1-1", "X5-2.1.3-1", "MQTT-4.13.2-1"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(pingreq_with_wrong_flags_is_refused(t)),
    },
    Case {
        name: "packet_type_0_is_refused",
        v3: &["MQTT-4.8.0-1"],
        v5: &["MQTT-4.13.1-1"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(packet_type_0_is_refused(t)),
    },
    Case {
        name: "remaining_length_of_five_bytes_is_refused",
        v3: &["MQTT-4.8.0-1"],
        v5: &["MQTT-4.13.1-1"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(remaining_length_of_five_bytes_is_refused(t)),
    },
    Case {
        name: "lengths_of_more_bytes_than_they_need_are_refused_or_not",
        v3: &[],
        v5: &["MQTT-1.5.5-1"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(lengths_of_more_bytes_than_they_need_are_refused_or_not(t)),
    },
    Case {
        name: "packets_a_byte_at_a_time_are_understood",
        v3: &["MQTT-7.1.1-1", "MQTT-3.1.4-4"],
        v5: &["MQTT-4.2.0-1", "MQTT-3.1.4-5"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(packets_a_byte_at_a_time_are_understood(t)),
    },
    Case {
        name: "many_packets_in_one_segment_are_each_answered",
        v3: &["MQTT-3.12.4-1", "MQTT-7.1.1-1"],
        v5: &["MQTT-3.12.4-1", "MQTT-4.2.0-1"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(many_packets_in_one_segment_are_each_answered(t)),
    },
    Case {
        name: "packets_of_the_server_are_well_formed",
        v3: &["MQTT-2.2.2-1"],
        v5: &[
            "MQTT-2.1.3-1",
            "MQTT-1.5.5-1",
            "MQTT-2.2.2-1",
            "MQTT-3.2.2-1",
            "MQTT-3.2.2-8",
            "MQTT-3.6.1-1",
            "MQTT-3.6.2-1",
        ],
        level: Must,
        needs: &[Qos2],
        run: |t| Box::pin(packets_of_the_server_are_well_formed(t)),
    },
];

async fn connect_with_wrong_flags_is_refused(t: Context) -> Outcome {
    let connect = t.by_version(
        "11 11                # CONNECT with flags 0001, 17 bytes follow
         00 04 4d 51 54 54    # MQTT
         04 02 00 3c          # level 4, Clean Session, Keep Alive 60
         00 05 73 71 62 61 64 # Client Identifier",
        "11 12                # CONNECT with flags 0001, 18 bytes follow
         00 04 4d 51 54 54    # MQTT
         05 02 00 3c 00       # version 5, Clean Start, Keep Alive 60, no properties
         00 05 73 71 62 61 64 # Client Identifier",
    );
    t.refused(connect, "after CONNECT with flags 0001").await?;
    Ok(())
}

async fn pingreq_with_wrong_flags_is_refused(t: Context) -> Outcome {
    let mut client = t.connect("client").await?;
    client.send_hex("c1 00 # PINGREQ with flags 0001").await;
    client.expect_closed("after PINGREQ with flags 0001").await?;
    Ok(())
}

async fn packet_type_0_is_refused(t: Context) -> Outcome {
    let mut client = t.connect("client").await?;
    client.send_hex("00 00 # type 0, which is forbidden").await;
    client.expect_closed("after a packet of type 0").await?;
    Ok(())
}

async fn remaining_length_of_five_bytes_is_refused(t: Context) -> Outcome {
    let mut client = t.connect("client").await?;
    client
        .send_hex(
            "# PINGREQ, the fourth byte of its length says that a fifth follows
             c0 80 80 80 80 01",
        )
        .await;
    client
        .expect_closed("after a Remaining Length of five bytes")
        .await?;
    Ok(())
}

/// The sentence binds who writes a length; what a reader does about it is not said.
async fn lengths_of_more_bytes_than_they_need_are_refused_or_not(t: Context) -> Outcome {
    let mut outcomes = Vec::new();
    for (name, packet) in [
        ("Remaining Length", "c0 80 00 # PINGREQ, no bytes follow"),
        (
            "Property Length",
            "30 07 00 03 61 2f 62 # PUBLISH at QoS 0, a/b, 7 bytes follow
             80 00                # no properties",
        ),
    ] {
        let mut client = t.connect("client").await?;
        client.send_hex(packet).await;
        let outcome = if client.closes().await {
            "closed"
        } else {
            "tolerated"
        };
        outcomes.push(format!("{name}: {outcome}"));
    }
    Err(Stop::Choice(outcomes.join(", ")))
}

async fn packets_a_byte_at_a_time_are_understood(t: Context) -> Outcome {
    let mut client = t.open("client").await?;
    let connect = Packet::Connect(Box::new(packets::connect(t.version, &t.client_id("client"))));
    let mut bytes = BytesMut::new();
    encode(t.version, PacketRef::from(&connect), &mut bytes);
    for byte in bytes {
        client.send_bytes(&[byte]).await;
    }
    client.expect_connack().await?;
    Ok(())
}

async fn many_packets_in_one_segment_are_each_answered(t: Context) -> Outcome {
    let mut client = t.connect("client").await?;
    client.ping().await.set_up()?;
    client
        .send_hex("c0 00  c0 00  c0 00 # PINGREQ, three times")
        .await;
    for _ in 0..3 {
        client.expect_pingresp().await?;
    }
    Ok(())
}

/// The client here reads no packet with wrong flags, lengths in more bytes than they need, a missing property length or a code that is
/// not listed.
async fn packets_of_the_server_are_well_formed(t: Context) -> Outcome {
    let topic = t.topic("a");
    let mut client = t.open("client").await?;
    let connect = t.connect_packet("client", |_| ());
    client.send(Packet::Connect(Box::new(connect))).await;
    client.expect_connack().await?;
    client
        .send(Packet::Subscribe(subscribe(1, &[(&topic, at(Qos::ExactlyOnce))])))
        .await;
    client.expect_suback(1).await?;
    client.send(Packet::Publish(publish(&topic, "1").qos1(2))).await;
    client.expect_puback(2).await?;
    client.send(Packet::Publish(publish(&topic, "2").qos2(3))).await;
    client.expect_pubrec(3).await?;
    client.send(Packet::Pubrel(Ack::success(id(3)))).await;
    client.expect_pubcomp(3).await?;
    for _ in 0..2 {
        let publish = client.expect_publish(&topic).await?;
        match publish.delivery {
            Delivery::AtMostOnce => {}
            Delivery::AtLeastOnce(packet_id) => client.send(Packet::Puback(Ack::success(packet_id))).await,
            Delivery::ExactlyOnce(packet_id) => {
                client.send(Packet::Pubrec(Ack::success(packet_id))).await;
                client.expect_pubrel(packet_id).await?;
                client.send(Packet::Pubcomp(Ack::success(packet_id))).await;
            }
        }
    }
    client.send(Packet::Unsubscribe(unsubscribe(4, &[&topic]))).await;
    client.expect_unsuback(4).await?;
    client.send(Packet::Pingreq).await;
    client.expect_pingresp().await
}
