use bytes::BytesMut;
use squall_proto::{Packet, PacketRef, encode};

use crate::{Case, Context, Level::Must, Outcome, packets, stop::SetUp as _};

pub(super) const CASES: &[Case] = &[
    Case {
        name: "connect_with_wrong_flags_is_refused",
        v3: &["MQTT-2.2.2-2"],
        v5: &["MQTT-2.1.3-1", "MQTT-4.13.1-1"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(connect_with_wrong_flags_is_refused(t)),
    },
    Case {
        name: "pingreq_with_wrong_flags_is_refused",
        v3: &["MQTT-2.2.2-2"],
        v5: &["MQTT-2.1.3-1", "MQTT-4.13.1-1"],
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
