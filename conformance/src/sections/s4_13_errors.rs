use crate::{Case, Context, Level::Must, Outcome};

pub(super) const CASES: &[Case] = &[
    Case {
        name: "publish_shorter_than_its_topic_is_refused",
        v3: &["MQTT-4.8.0-1"],
        v5: &["MQTT-4.13.1-1"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(publish_shorter_than_its_topic_is_refused(t)),
    },
    Case {
        name: "puback_without_an_id_is_refused",
        v3: &["MQTT-4.8.0-1"],
        v5: &["MQTT-4.13.1-1"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(puback_without_an_id_is_refused(t)),
    },
    Case {
        name: "pingresp_from_a_client_is_refused_or_not",
        v3: &["MQTT-4.8.0-1"],
        v5: &["MQTT-4.13.1-1"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(pingresp_from_a_client_is_refused_or_not(t)),
    },
    Case {
        name: "connack_from_a_client_is_refused_or_not",
        v3: &["MQTT-4.8.0-1"],
        v5: &["MQTT-4.13.1-1"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(connack_from_a_client_is_refused_or_not(t)),
    },
    Case {
        name: "pingreq_with_a_body_is_refused_or_not",
        v3: &["MQTT-4.8.0-1"],
        v5: &["MQTT-4.13.1-1"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(pingreq_with_a_body_is_refused_or_not(t)),
    },
    Case {
        name: "unknown_property_is_refused",
        v3: &[],
        v5: &["MQTT-4.13.1-1", "X5-2.2.2.2-1"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(unknown_property_is_refused(t)),
    },
    Case {
        name: "property_length_beyond_the_packet_is_refused",
        v3: &[],
        v5: &["MQTT-4.13.1-1"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(property_length_beyond_the_packet_is_refused(t)),
    },
    Case {
        name: "payload_format_indicator_2_is_refused_or_not",
        v3: &[],
        v5: &["MQTT-4.13.1-1", "X5-3.1.3.2.3-1"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(payload_format_indicator_2_is_refused_or_not(t)),
    },
    Case {
        name: "malformed_packet_is_told_why_or_not",
        v3: &["MQTT-4.8.0-1"],
        v5: &["MQTT-4.13.2-1", "X5-4.13.1-2"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(malformed_packet_is_told_why_or_not(t)),
    },
];

async fn publish_shorter_than_its_topic_is_refused(t: Context) -> Outcome {
    let mut client = t.connect("client").await?;
    client
        .send_hex(
            "# PUBLISH at QoS 0, a topic of five bytes of which one is there
             30 03 00 05 61",
        )
        .await;
    client
        .expect_closed("after PUBLISH that is shorter than its topic")
        .await?;
    Ok(())
}

async fn puback_without_an_id_is_refused(t: Context) -> Outcome {
    let mut client = t.connect("client").await?;
    client
        .send_hex("40 00 # PUBACK without a Packet Identifier")
        .await;
    client
        .expect_closed("after PUBACK without a Packet Identifier")
        .await?;
    Ok(())
}

async fn pingresp_from_a_client_is_refused_or_not(t: Context) -> Outcome {
    let mut client = t.connect("client").await?;
    client.send_hex("d0 00 # PINGRESP").await;
    client.closed_or_not().await
}

async fn connack_from_a_client_is_refused_or_not(t: Context) -> Outcome {
    let mut client = t.connect("client").await?;
    client
        .send_hex(t.by_version(
            "20 02 00 00 # CONNACK",
            "20 03 00 00 00 # CONNACK without properties",
        ))
        .await;
    client.closed_or_not().await
}

async fn pingreq_with_a_body_is_refused_or_not(t: Context) -> Outcome {
    let mut client = t.connect("client").await?;
    client.send_hex("c0 01 00 # PINGREQ, one byte follows").await;
    client.closed_or_not().await
}

async fn unknown_property_is_refused(t: Context) -> Outcome {
    let mut client = t.connect("client").await?;
    client
        .send_hex(
            "30 08 00 03 61 2f 62 # PUBLISH at QoS 0, a/b, 8 bytes follow
             02 7f 00             # properties: one that does not exist",
        )
        .await;
    client
        .expect_closed("after a property that does not exist")
        .await?;
    Ok(())
}

async fn property_length_beyond_the_packet_is_refused(t: Context) -> Outcome {
    let mut client = t.connect("client").await?;
    client
        .send_hex(
            "30 06 00 03 61 2f 62 # PUBLISH at QoS 0, a/b, 6 bytes follow
             40                   # properties of 64 bytes",
        )
        .await;
    client
        .expect_closed("after properties longer than their packet")
        .await?;
    Ok(())
}

async fn payload_format_indicator_2_is_refused_or_not(t: Context) -> Outcome {
    let mut client = t.connect("client").await?;
    client
        .send_hex(
            "30 08 00 03 61 2f 62 # PUBLISH at QoS 0, a/b, 8 bytes follow
             02 01 02             # properties: Payload Format Indicator 2",
        )
        .await;
    client.closed_or_not().await
}

async fn malformed_packet_is_told_why_or_not(t: Context) -> Outcome {
    let mut client = t.connect("client").await?;
    client
        .send_hex(t.by_version(
            "36 07 00 03 61 2f 62 00 01    # PUBLISH at QoS 3, a/b, id 1",
            "36 08 00 03 61 2f 62 00 01 00 # PUBLISH at QoS 3, a/b, id 1, no properties",
        ))
        .await;
    client.says_why_or_not("after PUBLISH at QoS 3").await
}
