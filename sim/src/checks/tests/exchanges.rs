use squall_proto::{Packet, Qos, Version};

use super::history::{History, Wire, connack, dup, puback, pubcomp, publish, pubrec, pubrel, q0, q1, q2};
use crate::trace::{Side, What};

/// `pub` and `sub` are connected, and `sub` is owed a QoS 2 message that was sent to it once.
fn owed() -> (History, Wire) {
    let mut history = History::of("clients: { pub: {}, sub: {} }");
    let publisher = history.connect("pub", false);
    let subscriber = history.connect("sub", false);
    history.subscribe(subscriber, "t", Qos::ExactlyOnce);
    history
        .client(publisher, publish(q2(1), "a"))
        .broker(publisher, pubrec(1));
    history.client(publisher, pubrel(1)).broker(publisher, pubcomp(1));
    history.broker(subscriber, publish(q2(7), "a"));
    (history, subscriber)
}

fn finish(history: &mut History, wire: Wire) {
    history
        .client(wire, pubrec(7))
        .broker(wire, pubrel(7))
        .client(wire, pubcomp(7));
}

#[test]
fn a_redelivery_with_dup_passes_and_one_without_is_found() {
    for with_dup in [true, false] {
        let (mut history, subscriber) = owed();
        history.at(1000).cut(subscriber);
        let again = history.connect("sub", true);
        let packet = publish(q2(7), "a");
        history.broker(again, if with_dup { dup(packet) } else { packet });
        finish(&mut history, again);
        history.fails(if with_dup { &[] } else { &["dup"] });
    }
}

#[test]
fn dup_on_a_first_delivery_is_found() {
    let mut history = History::of("clients: { pub: {}, sub: {} }");
    let publisher = history.connect("pub", false);
    let subscriber = history.connect("sub", false);
    history.subscribe(subscriber, "t", Qos::AtMostOnce);
    history
        .client(publisher, publish(q0(), "a"))
        .broker(subscriber, dup(publish(q0(), "a")));
    history.fails(&["dup"]);
}

#[test]
fn a_redelivery_on_the_same_connection_is_found_in_5_0_alone() {
    for (version, found) in [(Version::V5, &["no_redelivery"][..]), (Version::V3_1_1, &[])] {
        let mut history = History::of("clients: { pub: {}, sub: {} }").version(version);
        let publisher = history.connect("pub", false);
        let subscriber = history.connect("sub", false);
        history.subscribe(subscriber, "t", Qos::AtLeastOnce);
        history
            .client(publisher, publish(q1(1), "a"))
            .broker(publisher, puback(1));
        history.broker(subscriber, publish(q1(1), "a")).at(1000);
        history.broker(subscriber, dup(publish(q1(1), "a")));
        history
            .client(subscriber, puback(1))
            .client(subscriber, puback(1));
        history.fails(found);
    }
}

#[test]
fn a_pubrel_that_is_never_sent_again_leaves_the_exchange_open() {
    let (mut history, subscriber) = owed();
    history
        .client(subscriber, pubrec(7))
        .lose(subscriber, Side::Broker, pubrel(7));
    history.at(1000).cut(subscriber);
    let again = history.connect("sub", true);
    history
        .at(9000)
        .client(again, Packet::Pingreq)
        .broker(again, Packet::Pingresp);
    history.fails(&["liveness"]);
}

#[test]
fn a_pubrel_sent_again_passes() {
    let (mut history, subscriber) = owed();
    history
        .client(subscriber, pubrec(7))
        .lose(subscriber, Side::Broker, pubrel(7));
    history.at(1000).cut(subscriber);
    let again = history.connect("sub", true);
    history.broker(again, pubrel(7)).client(again, pubcomp(7));
    history.passes();
}

#[test]
fn a_publish_after_its_pubrec_is_found() {
    let (mut history, subscriber) = owed();
    history.client(subscriber, pubrec(7)).at(1000).cut(subscriber);
    let again = history.at(2000).connect("sub", true);
    history.broker(again, dup(publish(q2(7), "a")));
    finish(&mut history, again);
    history.fails(&["dup"]);
}

#[test]
fn what_a_reset_threw_away_unread_may_be_answered_again() {
    let (mut history, subscriber) = owed();
    history.at(1000).client(subscriber, pubrec(7)).cut(subscriber);
    let again = history.at(2000).connect("sub", true);
    history.broker(again, dup(publish(q2(7), "a")));
    finish(&mut history, again);
    history.passes();
}

#[test]
fn an_identifier_in_use_for_another_message_is_found() {
    let (mut history, subscriber) = owed();
    history.broker(subscriber, publish(q2(7), "b"));
    finish(&mut history, subscriber);
    let found = history.findings();
    assert!(found.contains(&"packet_id"), "{found:?}");
}

#[test]
fn an_acknowledgement_of_nothing_is_found() {
    for packet in [puback(3), pubrec(3), pubrel(3), pubcomp(3)] {
        let (mut history, subscriber) = owed();
        finish(&mut history, subscriber);
        history.broker(subscriber, packet);
        history.fails(&["well_formed"]);
    }
}

#[test]
fn what_stands_before_connack_and_after_disconnect_is_found() {
    let mut history = History::of("clients: { pub: {} }");
    let wire = history.connect("pub", false);
    history
        .client(wire, super::history::disconnect())
        .client(wire, Packet::Pingreq);
    history.fails(&["well_formed"]);

    let mut history = History::of("clients: { pub: { reconnect: never } }");
    let wire = history.open("pub");
    history.broker(wire, Packet::Pingresp);
    history.fails(&["well_formed"]);
}

#[test]
fn a_second_connack_and_an_unasked_pingresp_are_found() {
    for packet in [connack(false), Packet::Pingresp, Packet::Pingreq] {
        let mut history = History::of("clients: { pub: {} }");
        let wire = history.connect("pub", false);
        history.broker(wire, packet);
        let found = history.findings();
        assert!(found.contains(&"well_formed"), "{found:?}");
    }
}

#[test]
fn what_a_peer_does_wrong_is_its_own_affair() {
    let mut history = History::of("peers: { raw: {} }");
    let wire = history.open("raw");
    history.client(wire, Packet::Pingreq).close(wire, Side::Broker);
    history.passes();
}

#[test]
fn bytes_of_the_broker_that_are_no_packet_are_found() {
    let mut history = History::of("clients: { pub: {} }");
    let wire = history.connect("pub", false);
    let error = squall_proto::DecodeError::UnsupportedProtocolLevel(9);
    history.note(What::Malformed {
        wire,
        from: Side::Broker,
        error,
    });
    history.fails(&["well_formed"]);
}

#[test]
fn a_request_without_an_answer_is_found() {
    let mut history = History::of("clients: { pub: {} }");
    let wire = history.connect("pub", false);
    history
        .client(wire, Packet::Pingreq)
        .at(5000)
        .client(wire, Packet::Pingreq);
    history.fails(&["liveness"]);
}

#[test]
fn a_client_that_does_not_come_back_is_found() {
    let mut history = History::of("clients: { pub: {} }");
    let wire = history.connect("pub", false);
    history.cut(wire);
    history.fails(&["liveness"]);
}

/// `pub` publishes at QoS 2, its process ends after `heard` and takes up what its store has, and it connects again and says `said`.
fn after_an_end(kept: bool, heard: &[Packet], released: bool, said: Packet) -> History {
    let mut history = History::of("clients: { pub: { session: persistent, store: disk } }");
    let wire = history.connect("pub", false);
    history.client(wire, publish(q2(1), "a"));
    history.broker(wire, pubrec(1));
    if released {
        history.client(wire, pubrel(1));
    }
    for packet in heard {
        history.broker(wire, packet.clone());
    }
    let host = || "pub".to_owned();
    let (how, host_is_down) = (crate::trace::Down::PowerLost, host());
    history.at(1000).note(What::HostDown {
        host: host_is_down,
        how,
        kept,
    });
    history.note(What::HostUp { host: host(), kept });
    let again = history.at(2000).connect("pub", true);
    history.client(again, said);
    history
}

#[test]
fn a_store_may_lack_the_last_acknowledgement_before_an_end() {
    let found = |history: &History| history.findings().contains(&"dup");
    assert!(!found(&after_an_end(true, &[], false, dup(publish(q2(1), "a")))));
    assert!(!found(&after_an_end(true, &[pubcomp(1)], true, pubrel(1))));
    // PUBREL shows that PUBREC was taken for good.
    assert!(found(&after_an_end(true, &[], true, dup(publish(q2(1), "a")))));
    assert!(found(&after_an_end(
        true,
        &[pubcomp(1)],
        true,
        dup(publish(q2(1), "a"))
    )));
}

#[test]
fn each_pubrec_of_nothing_may_be_answered_and_no_more() {
    for (answers, found) in [(2, &[][..]), (3, &["well_formed"])] {
        let mut history = History::of("peers: { raw: {} }").version(Version::V3_1_1);
        let wire = history.connect("raw", false);
        history.client(wire, pubrec(1)).client(wire, pubrec(1));
        for _ in 0..answers {
            history.broker(wire, pubrel(1));
        }
        history.fails(found);
    }
}

#[test]
fn each_pubrel_may_be_answered_and_no_more() {
    for (answers, found) in [(2, &[][..]), (3, &["well_formed"])] {
        let mut history = History::of("peers: { raw: {} }").version(Version::V3_1_1);
        let wire = history.connect("raw", false);
        history
            .client(wire, publish(q2(1), "a"))
            .broker(wire, pubrec(1))
            .client(wire, pubrel(1))
            .client(wire, pubrel(1));
        for _ in 0..answers {
            history.broker(wire, pubcomp(1));
        }
        history.fails(found);
    }
}
