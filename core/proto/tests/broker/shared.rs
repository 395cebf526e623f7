use squall_proto::{
    Ack, Binary, Delivery, Packet, Properties, Property, Qos, ReasonCode, RetainHandling, Subscribe,
    SubscriptionId, SubscriptionOptions, Text, TopicFilter, TopicName, Version, Will,
    broker::{Limits, SharedDistribution},
};

use crate::table::{Seen, Table, ack, delivery, id, publish, subscribe, unsubscribe};

const SHARED: &str = "$share/g/t";

/// 5.0, and 3.1.1 where it has shared subscriptions.
fn tables() -> impl Iterator<Item = (Version, Table)> {
    Version::ALL
        .into_iter()
        .map(|version| (version, Table::with_limits(version, shared_in_both())))
}

fn shared_in_both() -> Limits {
    Limits {
        shared_subscriptions_v3: true,
        ..Limits::default()
    }
}

/// Members of the group with persistent sessions, and a publisher.
fn seated(t: &mut Table, members: &[(&str, Qos)]) {
    for (member, qos) in members {
        let connect = t.persistent(member);
        t.connect_as(member, connect);
        t.subscribe(member, SHARED, *qos);
    }
    t.connect("pub");
}

fn send(t: &mut Table, payload: &'static str, qos: Qos) {
    send_to(t, "t", payload, qos);
}

fn send_to(t: &mut Table, topic: &str, payload: &'static str, qos: Qos) {
    t.send("pub", Packet::Publish(publish(topic, payload, delivery(qos, 5))));
    match qos {
        Qos::AtMostOnce => {}
        Qos::AtLeastOnce => t.expect_packet("pub", Packet::Puback(ack(5))),
        Qos::ExactlyOnce => {
            t.expect_packet("pub", Packet::Pubrec(ack(5)));
            t.send("pub", Packet::Pubrel(ack(5)));
            t.expect_packet("pub", Packet::Pubcomp(ack(5)));
        }
    }
}

const PAYLOADS: [&str; 6] = ["1", "2", "3", "4", "5", "6"];

/// [MQTT-4.8.2-3]
#[test]
fn each_message_goes_to_the_next_member() {
    for (_, mut t) in tables() {
        seated(
            &mut t,
            &[
                ("a", Qos::AtLeastOnce),
                ("b", Qos::AtLeastOnce),
                ("c", Qos::AtLeastOnce),
            ],
        );
        for (n, payload) in PAYLOADS.into_iter().enumerate() {
            let qos = if n < 3 { Qos::AtMostOnce } else { Qos::AtLeastOnce };
            send(&mut t, payload, qos);
        }
        assert_eq!(t.take_payloads("a"), ["1", "4"]);
        assert_eq!(t.take_payloads("b"), ["2", "5"]);
        assert_eq!(t.take_payloads("c"), ["3", "6"]);
    }
}

#[test]
fn each_group_and_each_plain_subscription_gets_a_copy_of_its_own() {
    for (_, mut t) in tables() {
        seated(&mut t, &[("a", Qos::AtLeastOnce)]);
        t.subscribe("a", "$share/h/t", Qos::AtLeastOnce);
        t.subscribe("a", "$share/g/+", Qos::AtLeastOnce);
        t.subscribe("a", "#", Qos::AtMostOnce);
        t.connect("plain");
        t.subscribe("plain", "t", Qos::AtLeastOnce);
        send(&mut t, "x", Qos::AtLeastOnce);
        assert_eq!(t.take_payloads("a"), ["x"; 4]);
        assert_eq!(t.take_payloads("plain"), ["x"]);
    }
}

/// [MQTT-4.8.2-3]
#[test]
fn a_message_comes_at_the_lower_of_its_qos_and_the_members() {
    for (_, mut t) in tables() {
        let all = [
            ("a", Qos::AtMostOnce),
            ("b", Qos::AtLeastOnce),
            ("c", Qos::ExactlyOnce),
        ];
        seated(&mut t, &all);
        for (member, qos) in all {
            send(&mut t, "x", Qos::ExactlyOnce);
            assert_eq!(t.next_publish(member).delivery.qos(), qos);
        }
        send(&mut t, "x", Qos::AtMostOnce);
        assert_eq!(t.next_publish("a").delivery, Delivery::AtMostOnce);
    }
}

#[test]
fn a_member_that_is_away_gets_nothing_while_another_is_there() {
    for (_, mut t) in tables() {
        seated(&mut t, &[("a", Qos::AtLeastOnce), ("b", Qos::AtLeastOnce)]);
        t.cut("a");
        for payload in PAYLOADS {
            send(&mut t, payload, Qos::AtLeastOnce);
        }
        assert_eq!(t.take_payloads("b"), PAYLOADS);
        let back = t.persistent("a");
        assert!(t.connect_as("a", back));
        t.expect_nothing("a");
        send(&mut t, "x", Qos::AtLeastOnce);
        send(&mut t, "y", Qos::AtLeastOnce);
        assert_eq!((t.take_payloads("a").len(), t.take_payloads("b").len()), (1, 1));
    }
}

#[test]
fn when_all_are_away_messages_wait_for_them_in_turn_and_none_for_qos_0() {
    for (_, mut t) in tables() {
        seated(
            &mut t,
            &[
                ("a", Qos::AtLeastOnce),
                ("b", Qos::AtMostOnce),
                ("c", Qos::AtLeastOnce),
            ],
        );
        for member in ["a", "b", "c"] {
            t.cut(member);
        }
        for payload in PAYLOADS {
            send(&mut t, payload, Qos::AtLeastOnce);
        }
        let mut waited = Vec::new();
        for member in ["a", "b", "c"] {
            let back = t.persistent(member);
            assert!(t.connect_as(member, back));
            waited.push(t.take_payloads(member).len());
        }
        assert_eq!(waited, [3, 0, 3]);
    }
}

#[test]
fn a_member_whose_window_is_full_is_passed_over() {
    let limits = Limits {
        inflight: 1,
        ..shared_in_both()
    };
    for version in Version::ALL {
        let mut t = Table::with_limits(version, limits.clone());
        seated(&mut t, &[("a", Qos::AtLeastOnce), ("b", Qos::AtLeastOnce)]);
        send(&mut t, "1", Qos::AtLeastOnce);
        let unanswered = t.next_publish("a");
        for payload in ["2", "3", "4"] {
            send(&mut t, payload, Qos::AtLeastOnce);
            assert_eq!(t.take_payloads("b"), [payload]);
        }
        t.send(
            "a",
            Packet::Puback(Ack::success(unanswered.delivery.packet_id().unwrap())),
        );
        send(&mut t, "5", Qos::AtLeastOnce);
        assert_eq!(t.take_payloads("a"), ["5"]);
    }
}

#[test]
fn a_member_that_leaves_too_much_unread_is_passed_over() {
    for (_, mut t) in tables() {
        seated(&mut t, &[("a", Qos::AtLeastOnce), ("b", Qos::AtLeastOnce)]);
        let conn = t.conn("a");
        t.out.unsent.insert(conn, Limits::default().unsent_bytes_soft + 1);
        for qos in [Qos::AtMostOnce, Qos::AtLeastOnce, Qos::AtMostOnce] {
            send(&mut t, "x", qos);
        }
        assert_eq!(t.take_payloads("b").len(), 3);
        t.expect_nothing("a");
    }
}

#[test]
fn when_all_are_behind_what_waits_is_spread() {
    let limits = Limits {
        inflight: 1,
        ..shared_in_both()
    };
    for version in Version::ALL {
        let mut t = Table::with_limits(version, limits.clone());
        seated(&mut t, &[("a", Qos::AtLeastOnce), ("b", Qos::AtLeastOnce)]);
        for payload in PAYLOADS {
            send(&mut t, payload, Qos::AtLeastOnce);
        }
        assert_eq!(t.take_payloads("a").len(), 3);
        assert_eq!(t.take_payloads("b").len(), 3);
    }
}

/// [MQTT-4.8.2-4]
#[test]
fn what_a_member_has_begun_waits_for_it_as_long_as_its_session_lives() {
    for qos in [Qos::AtLeastOnce, Qos::ExactlyOnce] {
        for (_, mut t) in tables() {
            seated(&mut t, &[("a", qos), ("b", qos)]);
            send(&mut t, "x", qos);
            let first = t.next_publish("a");
            t.cut("a");
            t.expect_nothing("b");
            let back = t.persistent("a");
            assert!(t.connect_as("a", back));
            let again = t.next_publish("a");
            assert_eq!(
                (again.dup, again.delivery, again.payload),
                (true, first.delivery, first.payload)
            );
        }
    }
}

/// How the session of a member ends.
const ENDINGS: [fn(&mut Table); 3] = [
    |t| {
        t.cut("a");
        t.connect("a");
    },
    |t| {
        let connect = t.clean("a");
        t.connect_as("a's next", connect);
    },
    |t| {
        t.cut("a");
        t.wait(std::time::Duration::from_secs(101));
    },
];

/// A member whose session ends when it has been away for a hundred seconds, and another member.
fn pair_of(version: Version, qos: Qos) -> Table {
    let limits = Limits {
        inflight: 1,
        session_expiry: Some(std::time::Duration::from_secs(100)),
        ..shared_in_both()
    };
    let mut t = Table::with_limits(version, limits);
    seated(&mut t, &[("a", qos)]);
    for payload in ["1", "2", "3"] {
        send(&mut t, payload, qos);
    }
    assert_eq!(t.next_publish("a").payload, "1");
    t.connect("b");
    t.subscribe("b", SHARED, qos);
    t
}

#[test]
fn what_a_session_leaves_unfinished_at_qos_1_is_handed_on() {
    for version in Version::ALL {
        for end in ENDINGS {
            let mut t = pair_of(version, Qos::AtLeastOnce);
            end(&mut t);
            let Some(Seen::Packet(Packet::Publish(first))) = t.next("b") else {
                panic!("nothing is handed on")
            };
            assert_eq!((first.dup, &first.payload), (false, &"1".into()));
            t.send(
                "b",
                Packet::Puback(Ack::success(first.delivery.packet_id().unwrap())),
            );
            assert_eq!(t.take_payloads("b"), ["2", "3"]);
        }
    }
}

/// [MQTT-4.8.2-5]
#[test]
fn of_what_a_session_leaves_at_qos_2_only_what_was_not_begun_is_handed_on() {
    for version in Version::ALL {
        for end in ENDINGS {
            let mut t = pair_of(version, Qos::ExactlyOnce);
            end(&mut t);
            assert_eq!(t.take_payloads("b"), ["2", "3"]);
        }
    }
}

#[test]
fn what_is_handed_on_comes_as_the_new_member_asked_for_it() {
    let mut t = Table::new(Version::V5);
    seated(&mut t, &[("a", Qos::AtLeastOnce)]);
    let mut sent = publish("t", "x", Delivery::ExactlyOnce(id(5)));
    sent.retain = true;
    t.send("pub", Packet::Publish(sent));
    assert!(!t.next_publish("a").retain);
    t.connect("b");
    let options = SubscriptionOptions {
        qos: Qos::ExactlyOnce,
        retain_as_published: true,
        ..SubscriptionOptions::default()
    };
    t.send("b", with_id(subscribe(SHARED, options), 7));
    t.next_packet("b");
    t.cut("a");
    t.connect("a");
    let handed_on = t.next_publish("b");
    assert_eq!(
        (handed_on.delivery.qos(), handed_on.retain),
        (Qos::ExactlyOnce, true)
    );
    let ids: Vec<_> = handed_on
        .properties
        .subscription_identifiers()
        .map(SubscriptionId::value)
        .collect();
    assert_eq!(ids, [7]);
}

/// [MQTT-3.3.2-5]
#[test]
fn what_has_expired_is_not_handed_on() {
    for qos in Qos::ALL {
        let mut t = Table::new(Version::V5);
        seated(&mut t, &[("a", Qos::AtLeastOnce)]);
        t.cut("a");
        let mut sent = publish("t", "x", Delivery::AtLeastOnce(id(5)));
        sent.properties.push(Property::MessageExpiryInterval(1));
        t.send("pub", Packet::Publish(sent));
        t.connect("b");
        t.subscribe("b", SHARED, qos);
        t.wait(std::time::Duration::from_secs(2));
        t.connect("a");
        t.expect_nothing("b");
    }
}

#[test]
fn what_a_session_leaves_to_nobody_is_gone() {
    for (_, mut t) in tables() {
        seated(&mut t, &[("a", Qos::AtLeastOnce)]);
        t.subscribe("a", "plain", Qos::AtLeastOnce);
        send(&mut t, "x", Qos::AtLeastOnce);
        send_to(&mut t, "plain", "y", Qos::AtLeastOnce);
        t.connect("b");
        t.subscribe("b", "$share/h/t", Qos::AtLeastOnce);
        t.subscribe("b", "plain", Qos::AtLeastOnce);
        t.cut("a");
        t.connect("a");
        t.subscribe("b", SHARED, Qos::AtLeastOnce);
        t.expect_nothing("b");
    }
}

/// [MQTT-4.8.2-6]
#[test]
fn what_a_member_refuses_is_discarded() {
    for (qos, refusal) in [
        (Qos::AtLeastOnce, Packet::Puback as fn(Ack) -> Packet),
        (Qos::ExactlyOnce, Packet::Pubrec),
    ] {
        let mut t = Table::new(Version::V5);
        seated(&mut t, &[("a", qos), ("b", qos)]);
        send(&mut t, "x", qos);
        let packet_id = t.next_publish("a").delivery.packet_id().unwrap();
        t.send(
            "a",
            refusal(Ack::of(packet_id, ReasonCode::ImplementationSpecificError)),
        );
        t.expect_nothing("a");
        t.expect_nothing("b");
        t.cut("a");
        t.connect("a");
        t.expect_nothing("b");
    }
}

#[test]
fn unsubscribing_takes_exactly_that_filter_and_keeps_what_was_queued() {
    for (_, mut t) in tables() {
        seated(&mut t, &[("a", Qos::AtLeastOnce), ("b", Qos::AtLeastOnce)]);
        send(&mut t, "1", Qos::AtLeastOnce);
        let begun = t.next_publish("a");
        for filter in ["t", "$share/h/t", "$share/g/+"] {
            t.send("a", unsubscribe(filter));
            t.next_packet("a");
        }
        send(&mut t, "2", Qos::AtMostOnce);
        send(&mut t, "3", Qos::AtMostOnce);
        assert_eq!((t.take_payloads("a").len(), t.take_payloads("b").len()), (1, 1));
        t.send("a", unsubscribe(SHARED));
        t.next_packet("a");
        send(&mut t, "4", Qos::AtMostOnce);
        send(&mut t, "5", Qos::AtMostOnce);
        assert_eq!(t.take_payloads("b"), ["4", "5"]);
        t.cut("a");
        let back = t.persistent("a");
        assert!(t.connect_as("a", back));
        assert_eq!(t.next_publish("a").delivery, begun.delivery);
    }
}

/// Section 4.8.2.
#[test]
fn retained_messages_are_never_sent_for_a_shared_subscription() {
    for (version, mut t) in tables() {
        t.connect("pub");
        let mut retained = publish("t", "old", Delivery::AtMostOnce);
        retained.retain = true;
        t.send("pub", Packet::Publish(retained));
        t.connect("a");
        for retain_handling in [
            RetainHandling::Send,
            RetainHandling::SendIfNew,
            RetainHandling::DoNotSend,
        ] {
            if version == Version::V5 || retain_handling == RetainHandling::Send {
                let options = SubscriptionOptions {
                    retain_handling,
                    ..SubscriptionOptions::default()
                };
                t.send("a", subscribe(SHARED, options));
                assert!(matches!(t.next_packet("a"), Packet::Suback(_)));
                t.expect_nothing("a");
            }
        }
    }
}

#[test]
fn subscribing_again_changes_what_a_member_is_sent_with() {
    let mut t = Table::new(Version::V5);
    seated(&mut t, &[("a", Qos::ExactlyOnce)]);
    let options = SubscriptionOptions {
        qos: Qos::AtLeastOnce,
        retain_as_published: true,
        ..SubscriptionOptions::default()
    };
    t.send("a", with_id(subscribe(SHARED, options), 3));
    t.next_packet("a");
    let mut sent = publish("t", "x", Delivery::ExactlyOnce(id(5)));
    sent.retain = true;
    t.send("pub", Packet::Publish(sent));
    let got = t.next_publish("a");
    assert_eq!((got.delivery.qos(), got.retain), (Qos::AtLeastOnce, true));
    let ids: Vec<_> = got
        .properties
        .subscription_identifiers()
        .map(SubscriptionId::value)
        .collect();
    assert_eq!(ids, [3]);
    t.expect_nothing("a");
}

#[test]
fn a_will_goes_to_one_member() {
    for (version, mut t) in tables() {
        seated(&mut t, &[("a", Qos::AtMostOnce), ("b", Qos::AtMostOnce)]);
        let mut connect = t.clean("doomed");
        connect.will = Some(Will {
            topic: TopicName::new("t").unwrap(),
            payload: Binary::new("gone").unwrap(),
            qos: Qos::AtMostOnce,
            retain: false,
            properties: Properties::new(),
        });
        t.connect_as("doomed", connect);
        t.cut("doomed");
        let copies = t.take_payloads("a").len() + t.take_payloads("b").len();
        assert_eq!(copies, 1, "{version:?}");
    }
}

#[test]
fn a_message_for_a_group_alone_has_a_subscriber() {
    let mut t = Table::new(Version::V5);
    seated(&mut t, &[("a", Qos::AtMostOnce)]);
    send(&mut t, "x", Qos::AtLeastOnce);
    t.send("a", unsubscribe(SHARED));
    t.send(
        "pub",
        Packet::Publish(publish("t", "x", Delivery::AtLeastOnce(id(5)))),
    );
    t.expect_packet(
        "pub",
        Packet::Puback(Ack::of(id(5), ReasonCode::NoMatchingSubscribers)),
    );
}

fn distributed(distribution: SharedDistribution) -> Table {
    let limits = Limits {
        shared_distribution: distribution,
        ..shared_in_both()
    };
    let mut t = Table::with_limits(Version::V5, limits);
    seated(
        &mut t,
        &[
            ("a", Qos::AtMostOnce),
            ("b", Qos::AtMostOnce),
            ("c", Qos::AtMostOnce),
        ],
    );
    t
}

/// How many of the messages each member got, the most first.
fn shares(t: &mut Table) -> Vec<usize> {
    let mut shares = ["a", "b", "c"].map(|member| t.take_payloads(member).len());
    shares.sort_unstable_by_key(|share| std::cmp::Reverse(*share));
    shares.to_vec()
}

#[test]
fn chance_gives_everybody_something() {
    let mut t = distributed(SharedDistribution::Random);
    for _ in 0..60 {
        send(&mut t, "x", Qos::AtMostOnce);
    }
    let shares = shares(&mut t);
    assert_eq!(shares.iter().sum::<usize>(), 60);
    assert!(shares.iter().all(|share| (10..=30).contains(share)), "{shares:?}");
}

#[test]
fn a_sticky_group_keeps_to_one_member_until_it_is_gone() {
    let mut t = distributed(SharedDistribution::Sticky);
    for _ in 0..6 {
        send(&mut t, "x", Qos::AtMostOnce);
    }
    assert_eq!(t.take_payloads("a").len(), 6);
    t.cut("a");
    for _ in 0..6 {
        send(&mut t, "x", Qos::AtMostOnce);
    }
    let mut rest = [t.take_payloads("b").len(), t.take_payloads("c").len()];
    rest.sort_unstable();
    assert_eq!(rest, [0, 6]);
}

#[test]
fn a_hash_of_the_topic_keeps_each_topic_at_one_member() {
    let mut t = distributed(SharedDistribution::HashTopic);
    for member in ["a", "b", "c"] {
        t.subscribe(member, "$share/all/#", Qos::AtMostOnce);
    }
    for topic in ["u/1", "u/2", "u/3", "u/4", "u/5", "u/6", "u/7", "u/8"] {
        for _ in 0..2 {
            send_to(&mut t, topic, "x", Qos::AtMostOnce);
        }
    }
    let shares = shares(&mut t);
    assert_eq!(shares.iter().sum::<usize>(), 16);
    assert!(
        shares.iter().all(|share| share % 2 == 0 && *share < 16),
        "{shares:?}"
    );
}

#[test]
fn a_hash_of_the_client_keeps_each_publisher_at_one_member() {
    let mut t = distributed(SharedDistribution::HashClient);
    for publisher in ["p1", "p2", "p3", "p4", "p5", "p6", "p7", "p8"] {
        t.connect(publisher);
        for topic in ["t", "t", "t"] {
            t.send(
                publisher,
                Packet::Publish(publish(topic, "x", Delivery::AtMostOnce)),
            );
        }
    }
    let shares = shares(&mut t);
    assert_eq!(shares.iter().sum::<usize>(), 24);
    assert!(
        shares.iter().all(|share| share % 3 == 0 && *share < 24),
        "{shares:?}"
    );
}

/// Section 3.2.2.3.13: where CONNACK says there are none, asking for one is a Protocol Error.
#[test]
fn what_connack_said_is_not_available_ends_the_connection_in_5_0() {
    let limits = Limits {
        shared_subscription_available: false,
        wildcard_subscription_available: false,
        ..shared_in_both()
    };
    for (filter, reason_code) in [
        (SHARED, ReasonCode::SharedSubscriptionsNotSupported),
        ("a/#", ReasonCode::WildcardSubscriptionsNotSupported),
    ] {
        let mut t = Table::with_limits(Version::V5, limits.clone());
        t.open("a");
        let connect = t.clean("a");
        t.send("a", Packet::Connect(Box::new(connect)));
        let Packet::Connack(connack) = t.next_packet("a") else {
            panic!("no connack")
        };
        assert_eq!(connack.properties.shared_subscription_available(), Some(false));
        t.send("a", subscribe(filter, SubscriptionOptions::default()));
        t.expect_refused("a", reason_code);
    }
}

#[test]
fn in_3_1_1_share_is_an_ordinary_level_unless_the_limits_say_otherwise() {
    for shares in [false, true] {
        let limits = Limits {
            shared_subscriptions_v3: shares,
            ..Limits::default()
        };
        let mut t = Table::with_limits(Version::V3_1_1, limits);
        t.connect("pub");
        for member in ["a", "b"] {
            t.connect(member);
            t.send(member, subscribe_as_3_1_1(SHARED));
            t.next_packet(member);
        }
        send_to(&mut t, "t", "shared", Qos::AtMostOnce);
        send_to(&mut t, SHARED, "plain", Qos::AtMostOnce);
        let got = [t.take_payloads("a"), t.take_payloads("b")];
        assert_eq!(got == [["plain"], ["plain"]], !shares, "{got:?}");
        t.send("a", subscribe_as_3_1_1("$share/+/t"));
        let Packet::Suback(suback) = t.next_packet("a") else {
            panic!("no suback")
        };
        assert_eq!(suback.reason_codes[0].is_error(), shares);
    }
}

/// What the decoder makes of a 3.1.1 SUBSCRIBE.
fn subscribe_as_3_1_1(filter: &str) -> Packet {
    let filter = TopicFilter::not_shared(Text::new(filter).unwrap()).unwrap();
    Packet::Subscribe(Subscribe {
        packet_id: id(9),
        filters: vec![(filter, SubscriptionOptions::default())],
        properties: Properties::new(),
    })
}

fn with_id(packet: Packet, subscription_id: u32) -> Packet {
    let Packet::Subscribe(mut subscribe) = packet else {
        panic!("a subscribe")
    };
    let subscription_id = SubscriptionId::new(subscription_id).unwrap();
    subscribe
        .properties
        .push(Property::SubscriptionIdentifier(subscription_id));
    Packet::Subscribe(subscribe)
}
