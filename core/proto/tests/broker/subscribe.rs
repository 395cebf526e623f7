use squall_proto::{
    Delivery, Packet, Properties, Property, Qos, ReasonCode, Subscribe, SubscriptionId, SubscriptionOptions,
    TopicFilter, Unsuback, Version, broker::Limits,
};

use crate::table::{Table, id, publish, subscribe, unsubscribe};

fn suback_codes(t: &mut Table, packet: Packet) -> Vec<ReasonCode> {
    t.send("a", packet);
    match t.next_packet("a") {
        Packet::Suback(suback) => suback.reason_codes,
        other => panic!("{other:?} in place of a suback"),
    }
}

/// [MQTT-3.9.3-1] [MQTT-3.8.4-5] [v3 MQTT-3.9.3-1] [v3 MQTT-3.8.4-4]
#[test]
fn suback_has_a_code_for_each_filter_in_order() {
    for version in Version::ALL {
        let mut t = Table::new(version);
        t.connect("a");
        let filters = [
            ("x", Qos::ExactlyOnce),
            ("y/#", Qos::AtMostOnce),
            ("+", Qos::AtLeastOnce),
        ]
        .map(|(filter, qos)| {
            (
                TopicFilter::new(filter).unwrap(),
                SubscriptionOptions {
                    qos,
                    ..SubscriptionOptions::default()
                },
            )
        })
        .to_vec();
        let packet = Packet::Subscribe(Subscribe {
            packet_id: id(9),
            filters,
            properties: Properties::new(),
        });
        let wanted = [
            ReasonCode::GrantedQos2,
            ReasonCode::Success,
            ReasonCode::GrantedQos1,
        ];
        assert_eq!(suback_codes(&mut t, packet), wanted);
    }
}

/// [MQTT-3.10.4-1] [MQTT-3.10.4-2] [MQTT-3.10.4-5] [v3 MQTT-3.10.4-1] [v3 MQTT-3.10.4-2] [v3 MQTT-3.10.4-5]
#[test]
fn unsubscribing_ends_exactly_the_filter_it_names() {
    for version in Version::ALL {
        let mut t = Table::new(version);
        t.connect("a");
        t.subscribe("a", "t/+", Qos::AtMostOnce);
        for (filter, code) in [
            ("t/1", ReasonCode::NoSubscriptionExisted),
            ("t/+", ReasonCode::Success),
        ] {
            t.send("a", unsubscribe(filter));
            let unsuback = Unsuback {
                packet_id: id(8),
                reason_codes: vec![code],
                properties: Properties::new(),
            };
            t.expect_packet("a", Packet::Unsuback(unsuback));
        }
        t.send("a", Packet::Publish(publish("t/1", "x", Delivery::AtMostOnce)));
        t.expect_nothing("a");
    }
}

/// [MQTT-3.10.4-3] [v3 MQTT-3.10.4-3]
#[test]
fn unsubscribing_lets_deliveries_under_way_end() {
    for version in Version::ALL {
        let mut t = Table::new(version);
        t.connect("a");
        t.subscribe("a", "t", Qos::ExactlyOnce);
        t.send(
            "a",
            Packet::Publish(publish("t", "x", Delivery::ExactlyOnce(id(5)))),
        );
        t.next_publish("a");
        t.next_packet("a");
        t.send("a", unsubscribe("t"));
        t.next_packet("a");
        t.send("a", Packet::Pubrec(crate::table::ack(1)));
        t.expect_packet("a", Packet::Pubrel(crate::table::ack(1)));
    }
}

/// [MQTT-3.3.4-3] [MQTT-3.3.4-4]
#[test]
fn a_delivery_carries_the_identifiers_of_all_its_subscriptions() {
    let mut t = Table::new(Version::V5);
    t.connect("a");
    for (filter, number) in [("t/#", 1), ("t/1", 200)] {
        let Packet::Subscribe(mut packet) = subscribe(filter, SubscriptionOptions::default()) else {
            unreachable!()
        };
        packet.properties.push(Property::SubscriptionIdentifier(
            SubscriptionId::new(number).unwrap(),
        ));
        t.send("a", Packet::Subscribe(packet));
        t.next_packet("a");
    }
    t.send("a", Packet::Publish(publish("t/1", "x", Delivery::AtMostOnce)));
    let mut ids: Vec<u32> = t
        .next_publish("a")
        .properties
        .subscription_identifiers()
        .map(SubscriptionId::value)
        .collect();
    ids.sort_unstable();
    assert_eq!(ids, [1, 200]);
}

#[test]
fn a_filter_beyond_a_limit_is_refused_on_its_own() {
    let limits = Limits {
        subscriptions: 1,
        topic_levels: 3,
        ..Limits::default()
    };
    let mut t = Table::with_limits(Version::V5, limits);
    t.connect("a");
    let cases = [
        ("a/b/c", ReasonCode::Success),
        ("a/b/c", ReasonCode::Success),
        ("x", ReasonCode::QuotaExceeded),
        ("a/b/c/d", ReasonCode::TopicFilterInvalid),
        ("$share/g/a/b/c", ReasonCode::QuotaExceeded),
        ("$share/g/a/b/c/d", ReasonCode::TopicFilterInvalid),
    ];
    for (filter, wanted) in cases {
        assert_eq!(
            suback_codes(&mut t, subscribe(filter, SubscriptionOptions::default())),
            [wanted],
            "{filter}"
        );
    }
}
