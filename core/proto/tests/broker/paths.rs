//! Two paths, one result: whatever way a message takes, its properties arrive as they were sent.

use squall_proto::{
    Binary, Connect, Delivery, Packet, Properties, Property, Publish, Qos, Text, TopicAlias, TopicName,
    Version, Will,
};

use crate::table::{Table, id, publish};

/// One of each property that is the application's, and User Properties in an order, one of them twice.
fn properties() -> Properties {
    let text = |text| Text::new(text).unwrap();
    let user = |name, value| Property::UserProperty(text(name), text(value));
    [
        user("b", "1"),
        Property::PayloadFormatIndicator(true),
        user("a", "2"),
        Property::ContentType(text("text/plain")),
        Property::ResponseTopic(TopicName::new("answers/here").unwrap()),
        user("b", "1"),
        Property::CorrelationData(Binary::new(b"\x00\xFF\x80".to_vec()).unwrap()),
        user("", ""),
    ]
    .into_iter()
    .collect()
}

fn message(qos: Qos) -> Publish {
    Publish {
        properties: properties(),
        ..publish("t", "payload", crate::table::delivery(qos, 7))
    }
}

/// How a message at a QoS arrives.
type Way = fn(Qos) -> Publish;

fn connect(t: &mut Table) {
    let connect = t.persistent("sub");
    t.connect_as("sub", connect);
}

fn table(filter: &str, qos: Qos) -> Table {
    let mut t = Table::new(Version::V5);
    connect(&mut t);
    t.subscribe("sub", filter, qos);
    t.connect("pub");
    t
}

fn live(qos: Qos) -> Publish {
    let mut t = table("t", qos);
    t.send("pub", Packet::Publish(message(qos)));
    t.next_publish("sub")
}

fn queued(qos: Qos) -> Publish {
    let mut t = table("t", qos);
    t.cut("sub");
    t.send("pub", Packet::Publish(message(qos)));
    connect(&mut t);
    t.next_publish("sub")
}

fn sent_again(qos: Qos) -> Publish {
    let mut t = table("t", qos);
    t.send("pub", Packet::Publish(message(qos)));
    t.next_publish("sub");
    t.cut("sub");
    connect(&mut t);
    t.next_publish("sub")
}

fn retained(qos: Qos) -> Publish {
    let mut t = Table::new(Version::V5);
    t.connect("pub");
    t.send(
        "pub",
        Packet::Publish(Publish {
            retain: true,
            ..message(qos)
        }),
    );
    t.connect("sub");
    t.subscribe("sub", "t", qos);
    t.next_publish("sub")
}

fn by_alias(qos: Qos) -> Publish {
    let mut t = table("t", qos);
    for topic in [message(qos).topic, None] {
        let mut properties = properties();
        properties.push(Property::TopicAlias(TopicAlias::new(1).unwrap()));
        t.send(
            "pub",
            Packet::Publish(Publish {
                topic,
                properties,
                ..message(Qos::AtMostOnce)
            }),
        );
    }
    t.next_publish("sub");
    t.next_publish("sub")
}

fn shared(qos: Qos) -> Publish {
    let mut t = table("$share/g/t", qos);
    t.send("pub", Packet::Publish(message(qos)));
    t.next_publish("sub")
}

fn of_a_will(qos: Qos) -> Publish {
    let mut t = table("t", qos);
    let Publish { payload, .. } = message(qos);
    let mut properties = properties();
    properties.push(Property::WillDelayInterval(0));
    let will = Will {
        topic: TopicName::new("t").unwrap(),
        payload: Binary::new(payload).unwrap(),
        qos,
        retain: false,
        properties,
    };
    let connect = Connect {
        will: Some(will),
        ..t.clean("dying")
    };
    t.connect_as("dying", connect);
    t.cut("dying");
    t.next_publish("sub")
}

/// [MQTT-3.3.2-4] [MQTT-3.3.2-15] [MQTT-3.3.2-16] [MQTT-3.3.2-17] [MQTT-3.3.2-18] [MQTT-3.3.2-20] [MQTT-3.1.3-10]
#[test]
fn whatever_way_a_message_takes_it_arrives_as_it_was_sent() {
    let ways: [(&str, Way, &[Qos]); 7] = [
        ("live", live, &Qos::ALL),
        ("queued", queued, &Qos::ALL[1..]),
        ("sent again", sent_again, &Qos::ALL[1..]),
        ("retained", retained, &Qos::ALL),
        ("by alias", by_alias, &Qos::ALL[..1]),
        ("shared", shared, &Qos::ALL),
        ("will", of_a_will, &Qos::ALL),
    ];
    for (name, way, levels) in ways {
        for qos in levels {
            let arrived = way(*qos);
            assert_eq!(arrived.properties, properties(), "{name}, {qos:?}");
            assert_eq!(arrived.payload, "payload", "{name}, {qos:?}");
            assert_eq!(arrived.topic.as_deref(), Some("t"), "{name}, {qos:?}");
            assert_eq!(arrived.delivery.qos(), *qos, "{name}");
            assert_eq!(arrived.retain, name == "retained", "{name}, {qos:?}");
            assert_eq!(arrived.dup, name == "sent again", "{name}, {qos:?}");
        }
    }
}

/// [MQTT-3.8.3-3]
#[test]
fn a_publisher_that_alone_subscribes_without_its_own_messages_hears_that_nobody_does() {
    use squall_proto::{Ack, ReasonCode, SubscriptionOptions};
    for qos in [Qos::AtLeastOnce, Qos::ExactlyOnce] {
        let mut t = Table::new(Version::V5);
        t.connect("a");
        let options = SubscriptionOptions {
            no_local: true,
            ..SubscriptionOptions::default()
        };
        t.send("a", crate::table::subscribe("t", options));
        t.next_packet("a");
        t.send("a", Packet::Publish(message(qos)));
        let nobody = Ack::of(id(7), ReasonCode::NoMatchingSubscribers);
        let answer = match qos {
            Qos::ExactlyOnce => Packet::Pubrec(nobody),
            Qos::AtMostOnce | Qos::AtLeastOnce => Packet::Puback(nobody),
        };
        t.expect_packet("a", answer);
        t.expect_nothing("a");
    }
}

#[test]
fn a_delivery_at_qos_0_has_no_packet_identifier() {
    assert_eq!(live(Qos::AtMostOnce).delivery, Delivery::AtMostOnce);
}
