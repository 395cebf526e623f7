use squall_proto::{
    Ack, Delivery, Packet, Properties, Property, ReasonCode, Version, Violation,
    client::{Acknowledge, Event, Input, Options, Receipt, Refusal, Why},
};

use crate::rig::{Rig, id, incoming, one, puback, pubcomp, pubrec, pubrel, text};

fn manual(version: Version) -> Rig {
    let mut options = Options::persistent(version, text("c"));
    options.acknowledge = Acknowledge::Manual;
    Rig::connected(options)
}

impl Rig {
    fn deliver(&mut self, delivery: Delivery, dup: bool) {
        let mut publish = incoming(delivery, "x");
        publish.dup = dup;
        self.receive(Packet::Publish(publish));
    }

    /// A PUBLISH comes and is told.
    fn taken(&mut self, delivery: Delivery) -> Receipt {
        self.deliver(delivery, false);
        self.receipt()
    }

    fn receipt(&mut self) -> Receipt {
        let Event::Message {
            receipt: Some(receipt),
            ..
        } = self.event()
        else {
            panic!("expected a message that waits for an answer")
        };
        receipt
    }

    fn answer(&mut self, receipt: Receipt, verdict: Result<(), Refusal>) {
        self.handle(Input::Acknowledge(receipt, verdict));
    }
}

const fn qos1(value: u16) -> Delivery {
    Delivery::AtLeastOnce(id(value))
}

const fn qos2(value: u16) -> Delivery {
    Delivery::ExactlyOnce(id(value))
}

/// [MQTT-4.6.0-2] [MQTT-4.6.0-3] [MQTT-4.3.2-4] [MQTT-4.3.3-8] [v3 MQTT-4.6.0-2] [v3 MQTT-4.6.0-3]
#[test]
fn an_answer_that_comes_early_waits_for_the_earlier_ones_of_its_qos() {
    for version in Version::ALL {
        let mut rig = manual(version);
        let ones = [1, 2, 3].map(|n| rig.taken(qos1(n)));
        let twos = [4, 5].map(|n| rig.taken(qos2(n)));
        rig.answer(ones[2], Ok(()));
        rig.answer(twos[1], Ok(()));
        rig.assert_quiet();
        rig.answer(ones[0], Ok(()));
        assert_eq!(rig.sent(), puback(id(1)));
        rig.answer(ones[1], Ok(()));
        assert_eq!([rig.sent(), rig.sent()], [puback(id(2)), puback(id(3))]);
        rig.answer(twos[0], Ok(()));
        assert_eq!([rig.sent(), rig.sent()], [pubrec(id(4)), pubrec(id(5))]);
        rig.assert_quiet();
    }
}

/// [MQTT-3.4.2-1] [MQTT-3.5.2-1] [MQTT-4.3.3-9]
#[test]
fn a_refusal_is_said_in_5_0_and_frees_the_packet_identifier() {
    let mut rig = manual(Version::V5);
    let (one, two) = (rig.taken(qos1(1)), rig.taken(qos2(2)));
    rig.answer(one, Err(Refusal::PayloadFormatInvalid));
    assert_eq!(
        rig.sent(),
        Packet::Puback(Ack::of(id(1), ReasonCode::PayloadFormatInvalid))
    );
    rig.answer(two, Err(Refusal::QuotaExceeded));
    assert_eq!(
        rig.sent(),
        Packet::Pubrec(Ack::of(id(2), ReasonCode::QuotaExceeded))
    );
    rig.taken(qos2(2));
    rig.assert_quiet();
}

#[test]
fn a_refusal_is_an_acknowledgement_in_3_1_1() {
    let mut rig = manual(Version::V3_1_1);
    let (one, two) = (rig.taken(qos1(1)), rig.taken(qos2(2)));
    rig.answer(one, Err(Refusal::NotAuthorized));
    rig.answer(two, Err(Refusal::NotAuthorized));
    assert_eq!([rig.sent(), rig.sent()], [puback(id(1)), pubrec(id(2))]);
    rig.receive(pubrel(id(2)));
    assert_eq!(rig.sent(), pubcomp(id(2)));
}

#[test]
fn a_second_answer_means_nothing() {
    let mut rig = manual(Version::V5);
    let receipt = rig.taken(qos1(1));
    rig.answer(receipt, Ok(()));
    assert_eq!(rig.sent(), puback(id(1)));
    rig.taken(qos1(1));
    rig.answer(receipt, Ok(()));
    rig.assert_quiet();
}

/// [MQTT-3.3.4-9]
#[test]
fn messages_without_an_answer_count_for_the_receive_maximum_at_both_qos() {
    let mut options = Options::new(Version::V5, text("c"));
    options.acknowledge = Acknowledge::Manual;
    options.receive_maximum = 2;
    let mut rig = Rig::connected(options);
    let receipt = rig.taken(qos1(1));
    rig.taken(qos2(2));
    rig.answer(receipt, Ok(()));
    assert_eq!(rig.sent(), puback(id(1)));
    rig.taken(qos1(3));
    rig.deliver(qos1(4), false);
    let why = Why::Violated(Violation::ReceiveMaximumExceeded);
    assert_eq!(
        rig.sent(),
        Packet::Disconnect(squall_proto::Disconnect::of(ReasonCode::ReceiveMaximumExceeded))
    );
    assert_eq!(rig.event(), Event::Disconnected(why));
}

/// [MQTT-4.4.0-1] [MQTT-4.3.3-10] [v3 MQTT-4.4.0-1]
#[test]
fn in_a_resumed_session_an_answer_finishes_what_is_sent_again_and_nothing_is_told_twice() {
    for version in Version::ALL {
        for answered_while_offline in [false, true] {
            let mut rig = manual(version);
            let (one, two) = (rig.taken(qos1(1)), rig.taken(qos2(2)));
            rig.lose();
            if answered_while_offline {
                rig.answer(one, Ok(()));
                rig.answer(two, Ok(()));
            }
            rig.connect(true, Properties::new());
            rig.assert_quiet();
            rig.deliver(qos1(1), true);
            rig.deliver(qos2(2), true);
            if !answered_while_offline {
                rig.assert_quiet();
                rig.answer(one, Ok(()));
                rig.answer(two, Ok(()));
            }
            assert_eq!([rig.sent(), rig.sent()], [puback(id(1)), pubrec(id(2))]);
            rig.assert_quiet();
        }
    }
}

/// [MQTT-3.2.2-5] [v3 MQTT-3.1.2-6]
#[test]
fn an_answer_of_a_lost_session_means_nothing() {
    for version in Version::ALL {
        let mut rig = manual(version);
        let (one, two) = (rig.taken(qos1(1)), rig.taken(qos2(2)));
        rig.lose();
        rig.connect(false, Properties::new());
        let (again_one, again_two) = (rig.taken(qos1(1)), rig.taken(qos2(2)));
        rig.answer(one, Ok(()));
        rig.answer(two, Ok(()));
        rig.assert_quiet();
        rig.answer(again_one, Ok(()));
        rig.answer(again_two, Ok(()));
        assert_eq!([rig.sent(), rig.sent()], [puback(id(1)), pubrec(id(2))]);
    }
}

#[test]
fn a_packet_identifier_that_comes_without_dup_after_a_reconnect_is_a_new_message() {
    let mut rig = manual(Version::V5);
    let old = rig.taken(qos1(1));
    rig.lose();
    rig.connect(true, Properties::new());
    let new = rig.taken(qos1(1));
    rig.answer(old, Ok(()));
    rig.assert_quiet();
    rig.answer(new, Ok(()));
    assert_eq!(rig.sent(), puback(id(1)));
}

#[test]
fn a_message_that_the_server_let_expire_does_not_hide_a_later_one_with_its_packet_identifier() {
    let mut rig = manual(Version::V5);
    rig.taken(qos1(1));
    rig.lose();
    rig.connect(true, Properties::new());
    rig.lose();
    rig.connect(true, Properties::new());
    rig.deliver(qos1(1), true);
    rig.receipt();
}

#[test]
fn a_repeat_on_the_same_connection_is_neither_told_nor_answered_twice() {
    let mut rig = manual(Version::V3_1_1);
    let receipt = rig.taken(qos1(1));
    rig.deliver(qos1(1), true);
    rig.assert_quiet();
    rig.answer(receipt, Ok(()));
    assert_eq!(rig.sent(), puback(id(1)));
    rig.assert_quiet();
}

/// [MQTT-3.4.2-2] [MQTT-3.4.2-3] [MQTT-3.5.2-2] [MQTT-3.5.2-3] [MQTT-3.6.2-2] [MQTT-3.6.2-3] [MQTT-3.7.2-2] [MQTT-3.7.2-3]
#[test]
fn acknowledgements_have_no_words_that_could_make_them_too_large() {
    let mut options = Options::persistent(Version::V5, text("c"));
    options.acknowledge = Acknowledge::Manual;
    // A fixed header of two bytes, the Packet Identifier and the Reason Code.
    let mut rig = Rig::connected_with(options, one(Property::MaximumPacketSize(5.try_into().unwrap())));
    let (first, second) = (rig.taken(qos1(1)), rig.taken(qos2(2)));
    rig.answer(first, Err(Refusal::QuotaExceeded));
    rig.answer(second, Err(Refusal::QuotaExceeded));
    rig.receive(pubrec(id(7)));
    rig.receive(pubrel(id(8)));
    let code = ReasonCode::PacketIdentifierNotFound;
    for expected in [
        Packet::Puback(Ack::of(id(1), ReasonCode::QuotaExceeded)),
        Packet::Pubrec(Ack::of(id(2), ReasonCode::QuotaExceeded)),
        Packet::Pubrel(Ack::of(id(7), code)),
        Packet::Pubcomp(Ack::of(id(8), code)),
    ] {
        assert_eq!(rig.sent(), expected);
    }
    assert!(!rig.is_closed());
}
