//! Each rule both ways.

use squall_proto::{
    Ack, Connack, Connect, Delivery, Disconnect, Packet, Property, Publish, Qos, ReasonCode, Text, TopicName,
    Version, Will,
    broker::{Limits, Note, Refusal, Rule, Rules, Settings},
};

use crate::table::{Seen, Table, ack, delivery, id, publish, unexplained};

const BOTH: [Rule; 2] = [Rule::Strict, Rule::Tolerant];

fn table(version: Version, rules: Rules) -> Table {
    Table::with_settings(
        version,
        Settings {
            rules,
            ..Settings::default()
        },
    )
}

/// The Reason Code of the CONNACK that this CONNECT gets.
fn connected(t: &mut Table, connect: Connect) -> ReasonCode {
    t.open("a");
    t.send("a", Packet::Connect(Box::new(connect)));
    match t.next_packet("a") {
        Packet::Connack(Connack { reason_code, .. }) => reason_code,
        other => panic!("{other:?} in place of a connack"),
    }
}

/// [MQTT-3.3.4-7]
#[test]
fn more_unfinished_messages_than_the_receive_maximum_are_taken_where_the_rules_are_tolerant() {
    for rule in BOTH {
        let rules = Rules {
            receive_maximum: rule,
            ..Rules::default()
        };
        let limits = Limits {
            receive_maximum: 1,
            ..Limits::default()
        };
        let settings = Settings {
            rules,
            ..limits.into()
        };
        let mut t = Table::with_settings(Version::V5, settings);
        t.connect("a");
        for packet_id in [1, 2] {
            t.send(
                "a",
                Packet::Publish(publish("t", "x", Delivery::ExactlyOnce(id(packet_id)))),
            );
        }
        let pubrec = |packet_id| Packet::Pubrec(Ack::of(id(packet_id), ReasonCode::NoMatchingSubscribers));
        t.expect_packet("a", pubrec(1));
        match rule {
            Rule::Strict => t.expect_refused("a", ReasonCode::ReceiveMaximumExceeded),
            Rule::Tolerant => t.expect_packet("a", pubrec(2)),
        }
    }
}

#[test]
fn an_acknowledgement_of_nothing_is_a_protocol_error_where_the_rules_are_strict() {
    for version in Version::ALL {
        let kinds: [fn(Ack) -> Packet; 4] = [Packet::Puback, Packet::Pubrec, Packet::Pubrel, Packet::Pubcomp];
        for (rule, kind) in BOTH.iter().flat_map(|rule| kinds.map(|kind| (*rule, kind))) {
            let rules = Rules {
                unknown_packet_id: rule,
                ..Rules::default()
            };
            let mut t = table(version, rules);
            t.connect("a");
            t.send("a", kind(ack(7)));
            if rule.is_strict() {
                t.expect_refused("a", ReasonCode::ProtocolError);
                continue;
            }
            while t.next("a").is_some() {}
            t.send("a", Packet::Pingreq);
            t.expect_packet("a", Packet::Pingresp);
        }
    }
}

#[test]
fn an_acknowledgement_of_the_wrong_kind_is_ignored_where_the_rules_are_tolerant() {
    for (version, rule) in Version::ALL
        .into_iter()
        .flat_map(|version| BOTH.map(|rule| (version, rule)))
    {
        let rules = Rules {
            wrong_acknowledgement: rule,
            ..Rules::default()
        };
        let mut t = table(version, rules);
        t.connect("a");
        t.subscribe("a", "t", Qos::AtLeastOnce);
        t.send(
            "a",
            Packet::Publish(publish("t", "x", Delivery::AtLeastOnce(id(7)))),
        );
        t.next_publish("a");
        t.expect_packet("a", Packet::Puback(ack(7)));
        t.send("a", Packet::Pubcomp(ack(1)));
        match rule {
            Rule::Strict => t.expect_refused("a", ReasonCode::ProtocolError),
            Rule::Tolerant => t.expect_nothing("a"),
        }
    }
}

fn dollars(rule: Rule) -> Rules {
    Rules {
        dollar_topics: rule,
        ..Rules::default()
    }
}

#[test]
fn a_topic_that_begins_with_a_dollar_is_the_servers_where_the_rules_are_strict() {
    for (version, rule) in Version::ALL
        .into_iter()
        .flat_map(|version| BOTH.map(|rule| (version, rule)))
    {
        for qos in [Qos::AtMostOnce, Qos::AtLeastOnce, Qos::ExactlyOnce] {
            let mut t = table(version, dollars(rule));
            t.connect("sub");
            t.subscribe("sub", "$a/b", Qos::AtMostOnce);
            t.connect("a");
            t.send("a", Packet::Publish(publish("$a/b", "x", delivery(qos, 7))));
            assert_eq!(t.take_payloads("sub").len(), usize::from(!rule.is_strict()));
            let reason_code = match (version, rule) {
                (Version::V5, Rule::Strict) => ReasonCode::TopicNameInvalid,
                (Version::V5 | Version::V3_1_1, _) => ReasonCode::Success,
            };
            let answer = Ack::of(id(7), reason_code);
            let seen = t.next("a").map(|seen| match seen {
                Seen::Packet(packet) => unexplained(packet).0,
                closed @ Seen::Closed(_) => panic!("{closed:?}"),
            });
            assert_eq!(
                seen,
                [
                    None,
                    Some(Packet::Puback(answer.clone())),
                    Some(Packet::Pubrec(answer))
                ][usize::from(qos.value())]
            );
        }
    }
}

/// A client of 3.1.1 is not told that its message was refused, so its exchange goes on.
#[test]
fn a_refused_qos_2_message_of_3_1_1_is_released_all_the_same() {
    let rules = Rules {
        unknown_packet_id: Rule::Strict,
        ..dollars(Rule::Strict)
    };
    let mut t = table(Version::V3_1_1, rules);
    t.connect("a");
    t.send(
        "a",
        Packet::Publish(publish("$a/b", "x", Delivery::ExactlyOnce(id(7)))),
    );
    t.expect_packet("a", Packet::Pubrec(ack(7)));
    t.send("a", Packet::Pubrel(ack(7)));
    t.expect_packet("a", Packet::Pubcomp(ack(7)));
}

#[test]
fn a_will_for_a_topic_that_begins_with_a_dollar_is_refused_where_the_rules_are_strict() {
    for rule in BOTH {
        let mut t = table(Version::V5, dollars(rule));
        let will = Will {
            topic: TopicName::new("$a").unwrap(),
            payload: squall_proto::Binary::new("x").unwrap(),
            qos: Qos::AtMostOnce,
            retain: false,
            properties: squall_proto::Properties::new(),
        };
        let connect = Connect {
            will: Some(will),
            ..t.clean("a")
        };
        let wanted = match rule {
            Rule::Strict => ReasonCode::TopicNameInvalid,
            Rule::Tolerant => ReasonCode::Success,
        };
        assert_eq!(connected(&mut t, connect), wanted);
    }
}

/// [MQTT-3.1.3-5] [MQTT-3.1.3-8] [v3 MQTT-3.1.3-5]
#[test]
fn client_identifiers_are_taken_or_refused_as_the_rules_say() {
    let names = [
        "",
        "a",
        "0123456789abcdefghijABC",
        "0123456789abcdefghijABCd",
        "a-b",
        "ä",
    ];
    let strict = Rules {
        empty_client_id: Rule::Strict,
        plain_client_id: Rule::Strict,
        ..Rules::default()
    };
    for version in Version::ALL {
        for (rules, taken) in [
            (strict, [false, true, true, false, false, false]),
            (Rules::default(), [true; 6]),
        ] {
            let answers = names.map(|name| {
                let mut t = table(version, rules);
                let connect = t.clean(name);
                connected(&mut t, connect)
            });
            let wanted = taken.map(|taken| match taken {
                true => ReasonCode::Success,
                false => ReasonCode::ClientIdentifierNotValid,
            });
            assert_eq!(answers, wanted);
        }
    }
}

/// [X5-3.1.3.2.3-1]
#[test]
fn a_payload_that_is_not_the_utf_8_it_is_said_to_be_is_refused_where_the_rules_are_strict() {
    for (rule, text) in BOTH
        .into_iter()
        .flat_map(|rule| [true, false].map(|text| (rule, text)))
    {
        let rules = Rules {
            payload_format: rule,
            ..Rules::default()
        };
        let mut t = table(Version::V5, rules);
        t.connect("a");
        t.subscribe("a", "t", Qos::AtMostOnce);
        let sent = Publish {
            payload: vec![0xFF].into(),
            properties: [Property::PayloadFormatIndicator(text)].into_iter().collect(),
            ..publish("t", "", Delivery::AtLeastOnce(id(7)))
        };
        t.send("a", Packet::Publish(sent));
        if rule.is_strict() && text {
            t.expect_explained(
                "a",
                Packet::Puback(Ack::of(id(7), ReasonCode::PayloadFormatInvalid)),
            );
            let refused = Note::PublishRefused {
                client_id: Text::new("a").unwrap(),
                topic: TopicName::new("t").unwrap(),
                refusal: Refusal::PayloadFormat,
            };
            assert!(t.out.notes.contains(&refused));
        } else {
            t.next_publish("a");
            t.expect_packet("a", Packet::Puback(ack(7)));
        }
    }
}

/// Whatever the rules say, a second CONNECT is a Protocol Error. [MQTT-3.1.0-2] [v3 MQTT-3.1.0-2]
#[test]
fn no_rule_lets_a_second_connect_pass() {
    let tolerant = Rules {
        receive_maximum: Rule::Tolerant,
        wrong_acknowledgement: Rule::Tolerant,
        ..Rules::default()
    };
    let mut t = table(Version::V5, tolerant);
    t.connect("a");
    let again = t.clean("a");
    t.send("a", Packet::Connect(Box::new(again)));
    t.expect_explained("a", Packet::Disconnect(Disconnect::of(ReasonCode::ProtocolError)));
}
