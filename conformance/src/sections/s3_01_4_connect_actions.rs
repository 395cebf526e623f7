use bytes::BytesMut;
use squall_proto::{Packet, PacketRef, Qos, Version, encode};

use crate::{Case, Context, Level::Must, Outcome, Stop, hex, packets, stop::check};

pub(super) const CASES: &[Case] = &[
    Case {
        name: "wrong_protocol_name_is_refused",
        v3: &["MQTT-3.1.2-1"],
        v5: &["MQTT-3.1.2-1"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(wrong_protocol_name_is_refused(t)),
    },
    Case {
        name: "unsupported_protocol_level_is_refused",
        v3: &["MQTT-3.1.2-2"],
        v5: &["MQTT-3.1.2-2"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(unsupported_protocol_level_is_refused(t)),
    },
    Case {
        name: "malformed_connect_is_closed_without_connack",
        v3: &["MQTT-3.1.4-1", "MQTT-3.1.2-3"],
        v5: &[],
        level: Must,
        needs: &[],
        run: |t| Box::pin(malformed_connect_is_closed_without_connack(t)),
    },
    Case {
        name: "reserved_connect_flag_is_refused",
        v3: &[],
        v5: &["MQTT-3.1.2-3", "MQTT-3.1.4-1", "X5-3.1.2.3-1"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(reserved_connect_flag_is_refused(t)),
    },
    Case {
        name: "will_qos_3_is_refused",
        v3: &["MQTT-3.1.2-14", "MQTT-3.1.4-1"],
        v5: &["MQTT-3.1.2-12", "MQTT-3.1.4-1", "X5-3.1.2.6-1"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(will_qos_3_is_refused(t)),
    },
    Case {
        name: "will_qos_without_will_flag_is_refused",
        v3: &["MQTT-3.1.2-13", "MQTT-3.1.4-1"],
        v5: &["MQTT-3.1.2-11", "MQTT-3.1.4-1"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(will_qos_without_will_flag_is_refused(t)),
    },
    Case {
        name: "will_retain_without_will_flag_is_refused",
        v3: &["MQTT-3.1.2-15", "MQTT-3.1.4-1"],
        v5: &["MQTT-3.1.2-13", "MQTT-3.1.4-1"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(will_retain_without_will_flag_is_refused(t)),
    },
    Case {
        name: "user_name_flag_without_user_name_is_refused",
        v3: &["MQTT-3.1.2-19", "MQTT-3.1.4-1"],
        v5: &["MQTT-3.1.2-17", "MQTT-3.1.4-1"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(user_name_flag_without_user_name_is_refused(t)),
    },
    Case {
        name: "user_name_without_user_name_flag_is_refused",
        v3: &["MQTT-3.1.2-18", "MQTT-3.1.4-1"],
        v5: &["MQTT-3.1.2-16", "MQTT-3.1.4-1"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(user_name_without_user_name_flag_is_refused(t)),
    },
    Case {
        name: "password_without_user_name_is_refused",
        v3: &["MQTT-3.1.2-22", "MQTT-3.1.4-1"],
        v5: &[],
        level: Must,
        needs: &[],
        run: |t| Box::pin(password_without_user_name_is_refused(t)),
    },
    Case {
        name: "receive_maximum_0_is_refused",
        v3: &[],
        v5: &["MQTT-3.1.4-1", "MQTT-4.13.1-1", "X5-3.1.2.11.3-1"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(receive_maximum_0_is_refused(t)),
    },
    Case {
        name: "maximum_packet_size_0_is_refused",
        v3: &[],
        v5: &["MQTT-3.1.4-1", "MQTT-4.13.1-1", "X5-3.1.2.11.4-1"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(maximum_packet_size_0_is_refused(t)),
    },
    Case {
        name: "property_that_stands_twice_is_refused",
        v3: &[],
        v5: &["MQTT-3.1.4-1", "MQTT-4.13.1-1", "X5-3.1.2.11-1"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(property_that_stands_twice_is_refused(t)),
    },
    Case {
        name: "property_of_another_packet_is_refused",
        v3: &[],
        v5: &["MQTT-3.1.4-1", "MQTT-4.13.1-1", "X5-2.2.2.2-1"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(property_of_another_packet_is_refused(t)),
    },
    Case {
        name: "client_without_identifier_cannot_have_a_session",
        v3: &["MQTT-3.1.3-7", "MQTT-3.1.3-8", "MQTT-3.2.2-4", "MQTT-3.2.2-5"],
        v5: &[],
        level: Must,
        needs: &[],
        run: |t| Box::pin(client_without_identifier_cannot_have_a_session(t)),
    },
    Case {
        name: "what_follows_a_refused_connect_is_ignored",
        v3: &["MQTT-3.1.4-5"],
        v5: &["MQTT-3.1.4-6"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(what_follows_a_refused_connect_is_ignored(t)),
    },
];

async fn wrong_protocol_name_is_refused(t: Context) -> Outcome {
    let connect = t.by_version(
        "10 11                # CONNECT, 17 bytes follow
         00 04 4d 51 54 58    # MQTX
         04 02 00 3c          # level 4, Clean Session, Keep Alive 60
         00 05 73 71 62 61 64 # Client Identifier",
        "10 12                # CONNECT, 18 bytes follow
         00 04 4d 51 54 58    # MQTX
         05 02 00 3c 00       # version 5, Clean Start, Keep Alive 60, no properties
         00 05 73 71 62 61 64 # Client Identifier",
    );
    match t.version {
        Version::V3_1_1 => t.not_accepted(connect).await,
        Version::V5 => t.refused(connect, "after the protocol name MQTX").await.map(drop),
    }
}

async fn unsupported_protocol_level_is_refused(t: Context) -> Outcome {
    let answer = t
        .refused(
            "10 11                # CONNECT, 17 bytes follow
             00 04 4d 51 54 54    # MQTT
             07 02 00 3c          # level 7, Clean Session, Keep Alive 60
             00 05 73 71 62 61 64 # Client Identifier",
            "after protocol level 7",
        )
        .await?;
    // A server of both versions has two answers to a level it cannot know, and need not give either in 5.0.
    match (t.version, answer.as_slice()) {
        (Version::V3_1_1, [0x20, 2, 0, 1]) | (Version::V5, _) => Ok(()),
        (Version::V3_1_1, []) => Err(Stop::Choice("closed without a CONNACK".into())),
        (Version::V3_1_1, other) => Err(Stop::Choice(format!("closed after {}", ::hex::encode(other)))),
    }
}

async fn malformed_connect_is_closed_without_connack(t: Context) -> Outcome {
    let answer = t
        .refused(
            "10 11                # CONNECT, 17 bytes follow
             00 04 4d 51 54 54    # MQTT
             04 03 00 3c          # level 4, Clean Session and the reserved flag, Keep Alive 60
             00 05 73 71 62 61 64 # Client Identifier",
            "after CONNECT with its reserved flag set",
        )
        .await?;
    check(answer.is_empty(), "no CONNACK", || ::hex::encode(&answer))
}

async fn reserved_connect_flag_is_refused(t: Context) -> Outcome {
    t.refused(
        "10 12                # CONNECT, 18 bytes follow
         00 04 4d 51 54 54    # MQTT
         05 03 00 3c 00       # version 5, Clean Start and the reserved flag, Keep Alive 60, no properties
         00 05 73 71 62 61 64 # Client Identifier",
        "after CONNECT with its reserved flag set",
    )
    .await?;
    Ok(())
}

async fn will_qos_3_is_refused(t: Context) -> Outcome {
    let connect = t.by_version(
        "10 17                # CONNECT, 23 bytes follow
         00 04 4d 51 54 54    # MQTT
         04 1e 00 3c          # level 4, Will at QoS 3 and Clean Session, Keep Alive 60
         00 05 73 71 62 61 64 # Client Identifier
         00 01 77  00 01 78   # Will Topic w, Will Message x",
        "10 19                # CONNECT, 25 bytes follow
         00 04 4d 51 54 54    # MQTT
         05 1e 00 3c 00       # version 5, Will at QoS 3 and Clean Start, Keep Alive 60, no properties
         00 05 73 71 62 61 64 # Client Identifier
         00 00 01 77 00 01 78 # no Will Properties, Will Topic w, Will Payload x",
    );
    t.refused(connect, "after Will QoS 3").await?;
    Ok(())
}

async fn will_qos_without_will_flag_is_refused(t: Context) -> Outcome {
    let connect = t.by_version(
        "10 11                # CONNECT, 17 bytes follow
         00 04 4d 51 54 54    # MQTT
         04 0a 00 3c          # level 4, Will QoS 1 and Clean Session, Keep Alive 60
         00 05 73 71 62 61 64 # Client Identifier",
        "10 12                # CONNECT, 18 bytes follow
         00 04 4d 51 54 54    # MQTT
         05 0a 00 3c 00       # version 5, Will QoS 1 and Clean Start, Keep Alive 60, no properties
         00 05 73 71 62 61 64 # Client Identifier",
    );
    t.refused(connect, "after Will QoS 1 without Will Flag").await?;
    Ok(())
}

async fn will_retain_without_will_flag_is_refused(t: Context) -> Outcome {
    let connect = t.by_version(
        "10 11                # CONNECT, 17 bytes follow
         00 04 4d 51 54 54    # MQTT
         04 22 00 3c          # level 4, Will Retain and Clean Session, Keep Alive 60
         00 05 73 71 62 61 64 # Client Identifier",
        "10 12                # CONNECT, 18 bytes follow
         00 04 4d 51 54 54    # MQTT
         05 22 00 3c 00       # version 5, Will Retain and Clean Start, Keep Alive 60, no properties
         00 05 73 71 62 61 64 # Client Identifier",
    );
    t.refused(connect, "after Will Retain without Will Flag").await?;
    Ok(())
}

async fn user_name_flag_without_user_name_is_refused(t: Context) -> Outcome {
    let connect = t.by_version(
        "10 11                # CONNECT, 17 bytes follow
         00 04 4d 51 54 54    # MQTT
         04 82 00 3c          # level 4, User Name and Clean Session, Keep Alive 60
         00 05 73 71 62 61 64 # Client Identifier, and no User Name",
        "10 12                # CONNECT, 18 bytes follow
         00 04 4d 51 54 54    # MQTT
         05 82 00 3c 00       # version 5, User Name and Clean Start, Keep Alive 60, no properties
         00 05 73 71 62 61 64 # Client Identifier, and no User Name",
    );
    t.refused(connect, "after CONNECT that lacks its User Name")
        .await?;
    Ok(())
}

async fn user_name_without_user_name_flag_is_refused(t: Context) -> Outcome {
    let connect = t.by_version(
        "10 14                # CONNECT, 20 bytes follow
         00 04 4d 51 54 54    # MQTT
         04 02 00 3c          # level 4, Clean Session, Keep Alive 60
         00 05 73 71 62 61 64 # Client Identifier
         00 01 75             # User Name u",
        "10 15                # CONNECT, 21 bytes follow
         00 04 4d 51 54 54    # MQTT
         05 02 00 3c 00       # version 5, Clean Start, Keep Alive 60, no properties
         00 05 73 71 62 61 64 # Client Identifier
         00 01 75             # User Name u",
    );
    t.refused(connect, "after CONNECT with a User Name its flags do not tell of")
        .await?;
    Ok(())
}

async fn password_without_user_name_is_refused(t: Context) -> Outcome {
    t.refused(
        "10 14                # CONNECT, 20 bytes follow
         00 04 4d 51 54 54    # MQTT
         04 42 00 3c          # level 4, Password and Clean Session, Keep Alive 60
         00 05 73 71 62 61 64 # Client Identifier
         00 01 70             # Password p",
        "after a Password without a User Name",
    )
    .await?;
    Ok(())
}

async fn receive_maximum_0_is_refused(t: Context) -> Outcome {
    t.refused(
        "10 15                # CONNECT, 21 bytes follow
         00 04 4d 51 54 54    # MQTT
         05 02 00 3c          # version 5, Clean Start, Keep Alive 60
         03 21 00 00          # properties: Receive Maximum 0
         00 05 73 71 62 61 64 # Client Identifier",
        "after Receive Maximum 0",
    )
    .await?;
    Ok(())
}

async fn maximum_packet_size_0_is_refused(t: Context) -> Outcome {
    t.refused(
        "10 17                # CONNECT, 23 bytes follow
         00 04 4d 51 54 54    # MQTT
         05 02 00 3c          # version 5, Clean Start, Keep Alive 60
         05 27 00 00 00 00    # properties: Maximum Packet Size 0
         00 05 73 71 62 61 64 # Client Identifier",
        "after Maximum Packet Size 0",
    )
    .await?;
    Ok(())
}

async fn property_that_stands_twice_is_refused(t: Context) -> Outcome {
    t.refused(
        "10 1c                # CONNECT, 28 bytes follow
         00 04 4d 51 54 54    # MQTT
         05 02 00 3c          # version 5, Clean Start, Keep Alive 60
         0a 11 00 00 00 05    # properties: Session Expiry Interval 5
         11 00 00 00 05    # and again
         00 05 73 71 62 61 64 # Client Identifier",
        "after a property that may stand once stood twice",
    )
    .await?;
    Ok(())
}

async fn property_of_another_packet_is_refused(t: Context) -> Outcome {
    t.refused(
        "10 15                # CONNECT, 21 bytes follow
         00 04 4d 51 54 54    # MQTT
         05 02 00 3c          # version 5, Clean Start, Keep Alive 60
         03 13 00 05          # properties: Server Keep Alive 5
         00 05 73 71 62 61 64 # Client Identifier",
        "after CONNECT with a Server Keep Alive",
    )
    .await?;
    Ok(())
}

async fn client_without_identifier_cannot_have_a_session(t: Context) -> Outcome {
    let answer = t
        .refused(
            "10 0c             # CONNECT, 12 bytes follow
             00 04 4d 51 54 54 # MQTT
             04 00 00 3c       # level 4, Keep Alive 60
             00 00             # no Client Identifier",
            "after CONNECT with neither Client Identifier nor Clean Session",
        )
        .await?;
    check(
        answer == [0x20, 2, 0, 2],
        "CONNACK 20 02 00 02, then a close",
        || ::hex::encode(&answer),
    )
}

async fn what_follows_a_refused_connect_is_ignored(t: Context) -> Outcome {
    let topic = t.topic("a");
    let mut sub = t.connect("sub").await?;
    sub.subscribe(&topic, Qos::AtMostOnce).await?;
    let mut bytes = hex::bytes(t.by_version(
        "10 11                # CONNECT, 17 bytes follow
         00 04 4d 51 54 54    # MQTT
         07 02 00 3c          # level 7, Clean Session, Keep Alive 60
         00 05 73 71 62 61 64 # Client Identifier",
        "10 12                # CONNECT, 18 bytes follow
         00 04 4d 51 54 54    # MQTT
         07 02 00 3c 00       # version 7, Clean Start, Keep Alive 60, no properties
         00 05 73 71 62 61 64 # Client Identifier",
    ));
    let mut publish = BytesMut::new();
    encode(
        t.version,
        PacketRef::from(&Packet::Publish(packets::publish(&topic, "x"))),
        &mut publish,
    );
    bytes.extend_from_slice(&publish);
    let mut client = t.open("client").await?;
    client.send_bytes(&bytes).await;
    let ignored = sub.expect_no_publish(&topic).await;
    if ignored.is_err() && client.is_accepted().await {
        return Err(Stop::Inconclusive(
            "set-up: it took the CONNECT that it was to refuse".into(),
        ));
    }
    ignored
}
