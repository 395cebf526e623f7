use crate::clients::{
    case::{CLOSES, Case},
    reaction::closes_after,
};

pub(super) const CASES: &[Case] = &[
    Case {
        name: "publish_with_qos_3_closes_the_connection",
        v3: &["MQTT-3.3.1-4"],
        v5: &["MQTT-3.3.1-4", "X5-3.3.1.2-1"],
        levels: CLOSES,
        run: |mut t| {
            Box::pin(async move { closes_after(&mut t, "36 05 0001 74 0001", "36 06 0001 74 0001 00").await })
        },
    },
    Case {
        name: "publish_at_qos_0_with_dup_closes_the_connection",
        v3: &["MQTT-3.3.1-2", "MQTT-4.8.0-1"],
        v5: &["MQTT-3.3.1-2"],
        levels: CLOSES,
        run: |mut t| Box::pin(async move { closes_after(&mut t, "38 03 0001 74", "38 04 0001 74 00").await }),
    },
    Case {
        name: "a_topic_name_with_a_wildcard_closes_the_connection",
        v3: &["MQTT-3.3.2-2", "MQTT-4.7.1-1", "MQTT-4.8.0-1"],
        v5: &["MQTT-3.3.2-2", "MQTT-4.7.0-1"],
        levels: CLOSES,
        run: |mut t| {
            Box::pin(async move { closes_after(&mut t, "30 05 0003 612f23", "30 06 0003 612f23 00").await })
        },
    },
    Case {
        name: "publish_with_packet_identifier_0_closes_the_connection",
        v3: &["MQTT-2.3.1-1", "MQTT-4.8.0-1"],
        v5: &["MQTT-2.2.1-4"],
        levels: CLOSES,
        run: |mut t| {
            Box::pin(async move { closes_after(&mut t, "32 05 0001 74 0000", "32 06 0001 74 0000 00").await })
        },
    },
    Case {
        name: "an_empty_topic_name_closes_the_connection",
        v3: &["MQTT-4.7.3-1", "MQTT-4.8.0-1"],
        v5: &["MQTT-4.7.3-1", "X5-3.3.2.1-1"],
        levels: CLOSES,
        run: |mut t| Box::pin(async move { closes_after(&mut t, "30 02 0000", "30 03 0000 00").await }),
    },
    Case {
        name: "puback_with_flags_closes_the_connection",
        v3: &["MQTT-2.2.2-2"],
        v5: &["MQTT-2.1.3-1", "X5-2.1.3-1"],
        levels: CLOSES,
        run: |mut t| Box::pin(async move { closes_after(&mut t, "41 02 0001", "41 02 0001").await }),
    },
    Case {
        name: "suback_with_flags_closes_the_connection",
        v3: &["MQTT-2.2.2-2"],
        v5: &["MQTT-2.1.3-1", "X5-2.1.3-1"],
        levels: CLOSES,
        run: |mut t| Box::pin(async move { closes_after(&mut t, "92 03 0001 00", "92 04 0001 00 00").await }),
    },
    Case {
        name: "pingresp_with_flags_closes_the_connection",
        v3: &["MQTT-2.2.2-2"],
        v5: &["MQTT-2.1.3-1", "X5-2.1.3-1"],
        levels: CLOSES,
        run: |mut t| Box::pin(async move { closes_after(&mut t, "d1 00", "d1 00").await }),
    },
    Case {
        name: "auth_with_flags_closes_the_connection",
        v3: &[],
        v5: &["MQTT-3.15.1-1", "X5-2.1.3-1"],
        levels: CLOSES,
        run: |mut t| Box::pin(async move { closes_after(&mut t, "", "f1 00").await }),
    },
    Case {
        name: "a_packet_of_the_reserved_type_closes_the_connection",
        v3: &["MQTT-4.8.0-1"],
        v5: &[],
        levels: CLOSES,
        run: |mut t| Box::pin(async move { closes_after(&mut t, "00 00", "").await }),
    },
    Case {
        name: "a_packet_that_only_clients_send_closes_the_connection",
        v3: &["MQTT-4.8.0-1"],
        v5: &[],
        levels: CLOSES,
        run: |mut t| Box::pin(async move { closes_after(&mut t, "82 06 0001 0001 74 00", "").await }),
    },
    Case {
        name: "a_remaining_length_of_five_bytes_closes_the_connection",
        v3: &["MQTT-4.8.0-1"],
        v5: &[],
        levels: CLOSES,
        run: |mut t| Box::pin(async move { closes_after(&mut t, "30 ff ff ff ff 01", "").await }),
    },
];
