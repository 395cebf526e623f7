use squall_proto::Packet;

use super::{s3_03_4_receiving::subscribe, s3_03_publish::said};
use crate::{
    clients::{
        case::{CLOSES, Case, MUST},
        driver::Command,
        reaction::closes_after_or_not,
    },
    stop::check,
};

pub(super) const CASES: &[Case] = &[
    Case {
        name: "response_topic_is_published_as_it_was_given",
        v3: &[],
        v5: &["MQTT-3.3.2-13"],
        levels: MUST,
        run: |mut t| {
            Box::pin(async move {
                let mut server = t.connected().await?;
                let publish = Command::publish("t", 0, "x").with("response_topic", "answer/\u{fc}");
                t.driver.tell(&publish).await?;
                let publish = server.expect_publish("t").await?;
                let topic = publish.properties.response_topic();
                let as_given = topic.is_some_and(|topic| topic.text().as_str() == "answer/\u{fc}");
                check(as_given, "Response Topic \"answer/\u{fc}\"", || said(&publish))
            })
        },
    },
    Case {
        name: "a_response_topic_with_a_wildcard_is_not_published",
        v3: &[],
        v5: &["MQTT-3.3.2-14"],
        levels: MUST,
        run: |mut t| {
            Box::pin(async move {
                let mut server = t.connected().await?;
                let publish = Command::publish("t", 0, "x").with("response_topic", "answer/+");
                let has_one = |packet: &Packet| matches!(packet, Packet::Publish(publish) if publish.properties.response_topic().is_some());
                let expected = "no PUBLISH with a wildcard in Response Topic";
                t.must_not_send(&mut server, &publish, expected, has_one).await
            })
        },
    },
    Case {
        name: "content_type_is_published_as_it_was_given",
        v3: &[],
        v5: &["MQTT-3.3.2-19"],
        levels: MUST,
        run: |mut t| {
            Box::pin(async move {
                let mut server = t.connected().await?;
                let publish = Command::publish("t", 0, "x").with("content_type", "text/\u{fc}");
                t.driver.tell(&publish).await?;
                let publish = server.expect_publish("t").await?;
                let content_type = publish.properties.content_type();
                let as_given =
                    content_type.is_some_and(|content_type| content_type.as_str() == "text/\u{fc}");
                check(as_given, "Content Type \"text/\u{fc}\"", || said(&publish))
            })
        },
    },
    Case {
        name: "publish_has_no_subscription_identifier",
        v3: &[],
        v5: &["MQTT-3.3.4-6"],
        levels: MUST,
        run: |mut t| {
            Box::pin(async move {
                let mut server = t.connected().await?;
                subscribe(&mut t, &mut server, 1).await?;
                t.driver.tell(&Command::publish("t", 0, "x")).await?;
                let publish = server.expect_publish("t").await?;
                let has_none = publish.properties.subscription_identifiers().next().is_none();
                check(has_none, "no Subscription Identifier", || said(&publish))
            })
        },
    },
    Case {
        name: "a_subscription_identifier_of_no_subscription_closes_the_connection_or_not",
        v3: &[],
        v5: &["X5-3.3.4-2"],
        levels: CLOSES,
        // Subscription Identifier 1, which the client has given to none.
        run: |mut t| Box::pin(async move { closes_after_or_not(&mut t, "30 06 0001 74 02 0b 01").await }),
    },
    Case {
        name: "payload_format_indicator_2_closes_the_connection_or_not",
        v3: &[],
        v5: &["X5-3.1.3.2.3-1"],
        levels: CLOSES,
        run: |mut t| Box::pin(async move { closes_after_or_not(&mut t, "30 06 0001 74 02 01 02").await }),
    },
    Case {
        name: "a_payload_that_is_not_the_utf_8_it_says_closes_the_connection_or_not",
        v3: &[],
        v5: &["X5-3.1.3.2.3-1"],
        levels: CLOSES,
        // Payload Format Indicator 1, and 0xFF.
        run: |mut t| Box::pin(async move { closes_after_or_not(&mut t, "30 07 0001 74 02 01 01 ff").await }),
    },
];
