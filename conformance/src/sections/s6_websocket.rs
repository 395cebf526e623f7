use squall_proto::Packet;

use crate::{
    Case, Context,
    Level::Must,
    Outcome, Stop,
    context::websocket::{BINARY, BINARY_BEGINS, ENDS, TEXT, accepted, header},
    stop::check,
};

/// The request and every frame are written by hand: no library of ours lies between the case and the target.
pub(super) const CASES: &[Case] = &[
    Case {
        name: "a_text_frame_closes_the_connection",
        v3: &["MQTT-6.0.0-1"],
        v5: &["MQTT-6.0.0-1"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(a_text_frame_closes_the_connection(t)),
    },
    Case {
        name: "a_connect_in_a_text_frame_is_not_accepted",
        v3: &["MQTT-6.0.0-1"],
        v5: &["MQTT-6.0.0-1"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(a_connect_in_a_text_frame_is_not_accepted(t)),
    },
    Case {
        name: "a_websocket_frame_may_hold_several_packets",
        v3: &["MQTT-6.0.0-2"],
        v5: &["MQTT-6.0.0-2"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(a_websocket_frame_may_hold_several_packets(t)),
    },
    Case {
        name: "a_packet_may_lie_in_many_websocket_frames",
        v3: &["MQTT-6.0.0-2"],
        v5: &["MQTT-6.0.0-2"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(a_packet_may_lie_in_many_websocket_frames(t)),
    },
    Case {
        name: "a_packet_may_lie_in_fragments_of_a_websocket_message",
        v3: &["MQTT-6.0.0-2"],
        v5: &["MQTT-6.0.0-2"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(a_packet_may_lie_in_fragments_of_a_websocket_message(t)),
    },
    Case {
        name: "the_subprotocol_mqtt_is_selected",
        v3: &["MQTT-6.0.0-4"],
        v5: &["MQTT-6.0.0-4"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(the_subprotocol_mqtt_is_selected(t)),
    },
    Case {
        name: "a_websocket_without_the_subprotocol_mqtt_may_be_refused",
        v3: &["MQTT-6.0.0-3"],
        v5: &["MQTT-6.0.0-3"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(a_websocket_without_the_subprotocol_mqtt_may_be_refused(t)),
    },
];

const PINGREQ: [u8; 2] = [0xC0, 0x00];

fn is_pingresp(packet: &Packet) -> bool {
    *packet == Packet::Pingresp
}

async fn a_text_frame_closes_the_connection(t: Context) -> Outcome {
    let mut websocket = t.websocket("client").await?;
    websocket.send(BINARY, &t.connect_by_hand("client")).await;
    websocket.expect_connack().await?;
    websocket.send(TEXT, b"no packet").await;
    websocket.expect_closed("because of a text frame").await
}

async fn a_connect_in_a_text_frame_is_not_accepted(t: Context) -> Outcome {
    let mut websocket = t.websocket("client").await?;
    websocket.send(TEXT, &t.connect_by_hand("client")).await;
    websocket.expect_closed("because of a text frame").await
}

async fn a_websocket_frame_may_hold_several_packets(t: Context) -> Outcome {
    let mut websocket = t.websocket("client").await?;
    let connect = t.connect_by_hand("client");
    let packets = [connect.as_slice(), &PINGREQ, &PINGREQ].concat();
    websocket.send(BINARY, &packets).await;
    websocket.expect_connack().await?;
    websocket.expect("PINGRESP", is_pingresp).await?;
    websocket.expect("a second PINGRESP", is_pingresp).await
}

async fn a_packet_may_lie_in_many_websocket_frames(t: Context) -> Outcome {
    let mut websocket = t.websocket("client").await?;
    for byte in t.connect_by_hand("client") {
        websocket.send(BINARY, &[byte]).await;
    }
    websocket.expect_connack().await?;
    // The end of one packet and the beginning of the next.
    websocket.send(BINARY, &[0xC0, 0x00, 0xC0]).await;
    websocket.send(BINARY, &[0x00]).await;
    websocket.expect("PINGRESP", is_pingresp).await?;
    websocket.expect("a second PINGRESP", is_pingresp).await
}

async fn a_packet_may_lie_in_fragments_of_a_websocket_message(t: Context) -> Outcome {
    let mut websocket = t.websocket("client").await?;
    let connect = t.connect_by_hand("client");
    let (begins, ends) = connect.split_at(5);
    websocket.send(BINARY_BEGINS, begins).await;
    websocket.send(ENDS, ends).await;
    websocket.expect_connack().await
}

async fn the_subprotocol_mqtt_is_selected(t: Context) -> Outcome {
    let (_websocket, head) = t.ask_for_websocket("client", Some("mqtt")).await?;
    let selected = header(&head, "Sec-WebSocket-Protocol");
    check(accepted(&head), "HTTP 101", || head.clone())?;
    check(selected == Some("mqtt"), "Sec-WebSocket-Protocol: mqtt", || {
        selected.unwrap_or("none").into()
    })
}

async fn a_websocket_without_the_subprotocol_mqtt_may_be_refused(t: Context) -> Outcome {
    let (_websocket, head) = t.ask_for_websocket("client", None).await?;
    let accepted = accepted(&head);
    Err(Stop::Choice(if accepted { "accepted" } else { "refused" }.into()))
}
