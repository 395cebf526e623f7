use squall_proto::{Packet, Property};

use crate::{
    Outcome,
    clients::{
        Stage,
        case::{Case, MUST},
        driver::Command,
        stage::connect,
    },
    packets::maximum_packet_size,
};

pub(super) const CASES: &[Case] = &[
    Case {
        name: "maximum_qos_0_is_kept",
        v3: &[],
        v5: &["MQTT-3.2.2-11"],
        levels: MUST,
        run: |mut t| {
            Box::pin(async move {
                let limit = Property::MaximumQos(false);
                let publish = Command::publish("t", 1, "x");
                let expected = "no PUBLISH above QoS 0";
                not_published(&mut t, limit, &publish, expected, |packet| qos(packet) > 0).await
            })
        },
    },
    Case {
        name: "maximum_qos_1_is_kept",
        v3: &[],
        v5: &["MQTT-3.2.2-11"],
        levels: MUST,
        run: |mut t| {
            Box::pin(async move {
                let limit = Property::MaximumQos(true);
                let publish = Command::publish("t", 2, "x");
                let expected = "no PUBLISH above QoS 1";
                not_published(&mut t, limit, &publish, expected, |packet| qos(packet) > 1).await
            })
        },
    },
    Case {
        name: "retain_available_0_is_kept",
        v3: &[],
        v5: &["MQTT-3.2.2-14"],
        levels: MUST,
        run: |mut t| {
            Box::pin(async move {
                let limit = Property::RetainAvailable(false);
                let publish = Command::publish("t", 0, "x").with("retain", 1);
                let is_retained =
                    |packet: &Packet| matches!(packet, Packet::Publish(publish) if publish.retain);
                not_published(&mut t, limit, &publish, "no PUBLISH with RETAIN 1", is_retained).await
            })
        },
    },
    Case {
        name: "maximum_packet_size_is_kept",
        v3: &[],
        v5: &["MQTT-3.2.2-15"],
        levels: MUST,
        run: |mut t| {
            Box::pin(async move {
                let publish = Command::publish("t", 0, &"x".repeat(100));
                let is_publish = |packet: &Packet| matches!(packet, Packet::Publish(_));
                let expected = "no PUBLISH of more than 60 bytes";
                not_published(&mut t, maximum_packet_size(60), &publish, expected, is_publish).await
            })
        },
    },
];

async fn not_published(
    t: &mut Stage,
    limit: Property,
    publish: &Command,
    expected: &str,
    wrong: impl Fn(&Packet) -> bool,
) -> Outcome {
    let mut server = t.connected_by(&connect(), &[limit]).await?;
    t.must_not_send(&mut server, publish, expected, wrong).await
}

fn qos(packet: &Packet) -> u8 {
    if let Packet::Publish(publish) = packet {
        publish.delivery.qos().value()
    } else {
        0
    }
}
