use std::num::NonZeroU16;

use squall_proto::{
    Delivery, Disconnect, Packet, Properties, Property, Qos, ReasonCode, Version, Violation,
    client::{Event, Failure, Input, Options, SessionLost, Ticket, Why},
};

use crate::rig::{Rig, connack, id, incoming, one, puback, pubcomp, pubrec, pubrel, suback, text};

fn clean_start(connect: &Packet) -> bool {
    matches!(connect, Packet::Connect(connect) if connect.clean_start)
}

/// [MQTT-4.4.0-1] [MQTT-4.6.0-1] [MQTT-3.3.1-1] [v3 MQTT-4.4.0-1] [v3 MQTT-4.6.0-1] [v3 MQTT-3.3.1-1]
#[test]
fn a_resumed_session_sends_again_with_dup_in_the_first_order_before_anything_new() {
    for version in Version::ALL {
        let mut rig = Rig::persistent(version);
        for (ticket, qos) in [
            (1, Qos::AtLeastOnce),
            (2, Qos::ExactlyOnce),
            (3, Qos::AtLeastOnce),
        ] {
            rig.publish(ticket, qos);
            rig.sent();
        }
        rig.receive(puback(id(1)));
        rig.assert_published(1, ReasonCode::Success);
        rig.publish(4, Qos::AtLeastOnce);
        rig.sent();
        rig.lose();
        rig.publish(5, Qos::AtLeastOnce);
        let connect = rig.connect(true, Properties::new());
        assert!(!clean_start(&connect));
        assert_eq!(
            rig.sent_publish(),
            (Delivery::ExactlyOnce(id(2)), true, b"2".to_vec())
        );
        assert_eq!(
            rig.sent_publish(),
            (Delivery::AtLeastOnce(id(3)), true, b"3".to_vec())
        );
        assert_eq!(
            rig.sent_publish(),
            (Delivery::AtLeastOnce(id(4)), true, b"4".to_vec())
        );
        assert_eq!(
            rig.sent_publish(),
            (Delivery::AtLeastOnce(id(5)), false, b"5".to_vec())
        );
        rig.assert_quiet();
    }
}

/// [MQTT-4.3.3-6] [v3 MQTT-4.3.3-1]
#[test]
fn after_pubrec_a_resumed_session_sends_pubrel_and_never_publish() {
    for version in Version::ALL {
        let mut rig = Rig::persistent(version);
        rig.publish(1, Qos::ExactlyOnce);
        rig.sent();
        rig.receive(pubrec(id(1)));
        rig.sent();
        for _ in 0..2 {
            rig.lose();
            rig.connect(true, Properties::new());
            assert_eq!(rig.sent(), pubrel(id(1)));
            rig.assert_quiet();
        }
        rig.receive(pubcomp(id(1)));
        rig.assert_published(1, ReasonCode::Success);
    }
}

/// [MQTT-4.6.0-4] [v3 MQTT-4.6.0-4]
#[test]
fn pubrels_are_sent_again_in_the_order_of_the_pubrecs() {
    for version in Version::ALL {
        let mut rig = Rig::persistent(version);
        for ticket in 1..=3 {
            rig.publish(ticket, Qos::ExactlyOnce);
            rig.sent();
        }
        for packet_id in [3, 1, 2] {
            rig.receive(pubrec(id(packet_id)));
            assert_eq!(rig.sent(), pubrel(id(packet_id)));
        }
        rig.lose();
        rig.connect(true, Properties::new());
        for packet_id in [3, 1, 2] {
            assert_eq!(rig.sent(), pubrel(id(packet_id)));
        }
    }
}

/// [MQTT-3.3.4-7]
#[test]
fn what_is_sent_again_obeys_the_receive_maximum_of_the_new_connection() {
    let mut rig = Rig::persistent(Version::V5);
    for ticket in 1..=3 {
        rig.publish(ticket, Qos::AtLeastOnce);
        rig.sent();
    }
    rig.lose();
    rig.publish(4, Qos::AtLeastOnce);
    rig.connect(true, one(Property::ReceiveMaximum(NonZeroU16::MIN)));
    for ticket in 1..=4_u16 {
        assert_eq!(rig.sent_publish().0, Delivery::AtLeastOnce(id(ticket)));
        rig.assert_quiet();
        rig.receive(puback(id(ticket)));
        rig.assert_published(ticket.into(), ReasonCode::Success);
    }
}

#[test]
fn an_answer_to_what_still_waits_to_be_sent_again_finishes_it() {
    let mut rig = Rig::persistent(Version::V5);
    for ticket in 1..=3 {
        rig.publish(ticket, Qos::AtLeastOnce);
        rig.sent();
    }
    rig.lose();
    rig.connect(true, one(Property::ReceiveMaximum(NonZeroU16::MIN)));
    assert_eq!(rig.sent_publish().2, b"1");
    rig.receive(puback(id(3)));
    rig.assert_published(3, ReasonCode::Success);
    rig.assert_quiet();
    rig.receive(puback(id(1)));
    rig.assert_published(1, ReasonCode::Success);
    assert_eq!(rig.sent_publish().2, b"2");
    rig.receive(puback(id(2)));
    rig.assert_published(2, ReasonCode::Success);
    rig.assert_quiet();
}

/// [MQTT-3.2.2-5]
#[test]
fn what_a_lost_session_had_unfinished_is_published_as_new() {
    for version in Version::ALL {
        let mut rig = Rig::persistent(version);
        for (ticket, qos) in [
            (1, Qos::AtLeastOnce),
            (2, Qos::ExactlyOnce),
            (3, Qos::ExactlyOnce),
        ] {
            rig.publish(ticket, qos);
            rig.sent();
        }
        rig.receive(pubrec(id(3)));
        rig.sent();
        rig.lose();
        rig.publish(4, Qos::AtLeastOnce);
        rig.connect(false, Properties::new());
        rig.assert_published(3, ReasonCode::Success);
        assert_eq!(
            rig.sent_publish(),
            (Delivery::AtLeastOnce(id(4)), false, b"1".to_vec())
        );
        assert_eq!(
            rig.sent_publish(),
            (Delivery::ExactlyOnce(id(5)), false, b"2".to_vec())
        );
        assert_eq!(
            rig.sent_publish(),
            (Delivery::AtLeastOnce(id(6)), false, b"4".to_vec())
        );
        rig.assert_quiet();
    }
}

#[test]
fn a_qos_2_message_of_a_lost_session_fails_where_that_is_wanted() {
    for version in Version::ALL {
        let mut rig = Rig::connected(Options {
            session_lost: SessionLost::Fail,
            ..Options::persistent(version, text("c"))
        });
        rig.publish(1, Qos::ExactlyOnce);
        rig.sent();
        rig.lose();
        rig.connect(false, Properties::new());
        let failed = Event::Published {
            ticket: Ticket(1),
            result: Err(Failure::SessionLost),
        };
        assert_eq!(rig.event(), failed);
        rig.assert_quiet();
    }
}

/// [MQTT-3.2.2-5]
#[test]
fn a_lost_session_forgets_what_it_had_received() {
    for version in Version::ALL {
        let mut rig = Rig::persistent(version);
        rig.receive(Packet::Publish(incoming(Delivery::ExactlyOnce(id(1)), "old")));
        rig.event();
        rig.sent();
        rig.lose();
        rig.connect(false, Properties::new());
        rig.receive(Packet::Publish(incoming(Delivery::ExactlyOnce(id(1)), "new")));
        assert!(matches!(rig.event(), Event::Message { message, .. } if message.payload == "new"));
        assert_eq!(rig.sent(), pubrec(id(1)));
    }
}

/// [MQTT-4.3.3-10] [v3 MQTT-4.3.3-2]
#[test]
fn a_kept_session_remembers_what_it_had_received() {
    for version in Version::ALL {
        let mut rig = Rig::persistent(version);
        let mut publish = incoming(Delivery::ExactlyOnce(id(1)), "once");
        rig.receive(Packet::Publish(publish.clone()));
        rig.event();
        rig.sent();
        rig.lose();
        rig.connect(true, Properties::new());
        publish.dup = true;
        rig.receive(Packet::Publish(publish));
        assert_eq!(rig.sent(), pubrec(id(1)));
        rig.receive(pubrel(id(1)));
        assert_eq!(rig.sent(), pubcomp(id(1)));
        rig.assert_quiet();
    }
}

/// [MQTT-3.2.2-4]
#[test]
fn session_present_without_state_is_closed() {
    let mut rig = Rig::new(Options::persistent(Version::V5, text("c")));
    rig.open();
    rig.receive(connack(true, ReasonCode::Success, Properties::new()));
    let violated = Why::Violated(Violation::SessionPresentWithoutState);
    assert_eq!(rig.event(), Event::Disconnected(violated));
    assert!(rig.is_closed());
}

#[test]
fn session_present_without_state_is_adopted_where_that_is_wanted_and_in_3_1_1() {
    let v5 = Options {
        adopt_session: true,
        ..Options::persistent(Version::V5, text("c"))
    };
    for options in [v5, Options::persistent(Version::V3_1_1, text("c"))] {
        let mut rig = Rig::new(options);
        let connect = rig.connect(true, Properties::new());
        assert!(!clean_start(&connect));
        assert!(!rig.is_closed());
    }
}

#[test]
fn session_present_after_a_clean_start_is_closed() {
    for version in Version::ALL {
        let mut rig = Rig::new(Options {
            adopt_session: true,
            ..Options::new(version, text("c"))
        });
        rig.open();
        rig.receive(connack(true, ReasonCode::Success, Properties::new()));
        assert!(matches!(rig.event(), Event::Disconnected(Why::Violated(_))));
        assert!(rig.is_closed());
    }
}

#[test]
fn a_session_that_ends_with_its_connection_starts_clean_every_time() {
    for version in Version::ALL {
        let mut rig = Rig::connected(Options::new(version, text("c")));
        rig.publish(1, Qos::AtLeastOnce);
        rig.sent();
        rig.lose();
        let connect = rig.connect(false, Properties::new());
        assert!(clean_start(&connect));
        assert_eq!(
            rig.sent_publish(),
            (Delivery::AtLeastOnce(id(2)), false, b"1".to_vec())
        );
    }
}

#[test]
fn a_session_the_server_ends_with_the_connection_starts_clean() {
    let options = Options::persistent(Version::V5, text("c"));
    let mut rig = Rig::connected_with(options, one(Property::SessionExpiryInterval(0)));
    rig.lose();
    assert!(clean_start(&rig.open()));
}

#[test]
fn clean_start_is_said_once_when_the_session_is_to_stay() {
    let mut rig = Rig::new(Options {
        session_expiry_interval: 60,
        ..Options::new(Version::V5, text("c"))
    });
    assert!(clean_start(&rig.open()));
    rig.lose();
    assert!(
        clean_start(&rig.connect(false, Properties::new())),
        "CONNACK never came"
    );
    rig.lose();
    assert!(!clean_start(&rig.open()));
}

#[test]
fn a_lost_session_subscribes_again_and_a_kept_one_does_not() {
    for version in Version::ALL {
        let mut rig = Rig::persistent(version);
        rig.subscribe(1, "a", Qos::AtLeastOnce);
        rig.subscribe(2, "b", Qos::AtLeastOnce);
        rig.receive(suback(id(1), &[ReasonCode::GrantedQos1]));
        rig.receive(suback(id(2), &[ReasonCode::UnspecifiedError]));
        rig.discard();
        rig.lose();
        rig.connect(true, Properties::new());
        rig.assert_quiet();
        rig.lose();
        rig.connect(false, Properties::new());
        let Packet::Subscribe(subscribe) = rig.sent() else {
            panic!("the subscription is renewed")
        };
        let filters: Vec<_> = subscribe
            .filters
            .iter()
            .map(|(filter, _)| filter.to_string())
            .collect();
        assert_eq!(filters, ["a"], "what was refused is not asked for again");
        rig.receive(suback(subscribe.packet_id, &[ReasonCode::UnspecifiedError]));
        let lost = matches!(rig.event(), Event::SubscriptionLost { filter, .. } if &*filter == "a");
        assert!(lost);
    }
}

#[test]
fn what_was_asked_and_not_answered_is_asked_again() {
    for version in Version::ALL {
        for session_present in [false, true] {
            let mut rig = Rig::persistent(version);
            rig.subscribe(1, "a", Qos::AtLeastOnce);
            rig.unsubscribe(2, "b");
            rig.discard();
            rig.lose();
            rig.connect(session_present, Properties::new());
            let Packet::Subscribe(subscribe) = rig.sent() else {
                panic!("SUBSCRIBE comes first again")
            };
            assert!(matches!(rig.sent(), Packet::Unsubscribe(_)));
            rig.receive(suback(subscribe.packet_id, &[ReasonCode::GrantedQos1]));
            assert!(matches!(
                rig.event(),
                Event::Subscribed {
                    ticket: Ticket(1),
                    ..
                }
            ));
        }
    }
}

#[test]
fn packets_after_our_close_are_passed_over() {
    for version in Version::ALL {
        let mut rig = Rig::persistent(version);
        rig.handle(Input::Disconnect(Disconnect::of(ReasonCode::Success)));
        rig.discard();
        rig.receive(Packet::Publish(incoming(Delivery::AtLeastOnce(id(1)), "late")));
        rig.assert_quiet();
    }
}
