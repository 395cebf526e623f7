use squall_proto::{
    Instant, Packet, Properties, Property, Qos, ReasonCode, Version,
    client::{
        AtMostOnceOffline, Client, Event, Failure, Input, Message, Misuse, Options, Overflow, Saved, Ticket,
    },
};

use crate::rig::{Rig, id, message, puback, text, topic};

fn options(overflow: Overflow) -> Options {
    let mut options = Options::persistent(Version::V5, text("c"));
    options.overflow = overflow;
    options.queued = 3;
    options
}

fn expiring(ticket: u64, qos: Qos, seconds: u32) -> Input {
    let mut message = message(ticket, qos);
    message.properties.push(Property::MessageExpiryInterval(seconds));
    Input::Publish(Ticket(ticket), message)
}

fn expiry(packet: &Packet) -> Option<u32> {
    let Packet::Publish(publish) = packet else {
        panic!("expected a PUBLISH, got {packet:?}")
    };
    publish.properties.message_expiry_interval()
}

impl Rig {
    fn assert_failed(&mut self, ticket: u64, failure: Failure) {
        let ticket = Ticket(ticket);
        let result = Err(failure);
        assert_eq!(self.event(), Event::Published { ticket, result });
    }

    fn payloads(&mut self, count: usize) -> Vec<Vec<u8>> {
        (0..count).map(|_| self.sent_publish().2).collect()
    }
}

#[test]
fn a_full_queue_refuses_the_next_message() {
    for overflow in [Overflow::Wait, Overflow::Refuse] {
        let mut rig = Rig::new(options(overflow));
        for ticket in 1..=3 {
            assert!(rig.client().takes_messages());
            rig.publish(ticket, Qos::AtLeastOnce);
        }
        assert_eq!(rig.client().takes_messages(), overflow == Overflow::Refuse);
        rig.publish(4, Qos::AtLeastOnce);
        rig.assert_failed(4, Misuse::QueueFull(3).into());
        rig.assert_quiet();
    }
}

#[test]
fn a_full_queue_that_drops_the_oldest_goes_by_the_order_of_all_messages() {
    let mut rig = Rig::new(options(Overflow::DropOldest));
    for (ticket, qos) in [
        (1, Qos::AtMostOnce),
        (2, Qos::AtLeastOnce),
        (3, Qos::AtMostOnce),
        (4, Qos::ExactlyOnce),
        (5, Qos::AtMostOnce),
    ] {
        assert!(rig.client().takes_messages());
        rig.publish(ticket, qos);
    }
    rig.assert_failed(1, Failure::Dropped);
    rig.assert_failed(2, Failure::Dropped);
    rig.connect(false, Properties::new());
    assert_eq!(rig.payloads(3), [b"3", b"5", b"4"]);
}

#[test]
fn a_full_queue_that_drops_the_newest_keeps_the_old_ones() {
    let mut rig = Rig::new(options(Overflow::DropNewest));
    for ticket in 1..=4 {
        rig.publish(ticket, Qos::AtLeastOnce);
    }
    rig.assert_failed(4, Failure::Dropped);
    rig.connect(false, Properties::new());
    assert_eq!(rig.payloads(3), [b"1", b"2", b"3"]);
    rig.assert_quiet();
}

#[test]
fn messages_in_flight_are_never_dropped_for_newer_ones() {
    let mut options = options(Overflow::DropOldest);
    options.inflight = 1;
    let mut rig = Rig::connected(options);
    for ticket in 1..=5 {
        rig.publish(ticket, Qos::AtLeastOnce);
    }
    rig.assert_failed(2, Failure::Dropped);
    assert_eq!(rig.payloads(1), [b"1"]);
    rig.receive(puback(id(1)));
    rig.assert_published(1, ReasonCode::Success);
    assert_eq!(rig.payloads(1), [b"3"]);
}

#[test]
fn a_queue_is_full_with_its_bytes_too_and_the_last_message_may_go_over() {
    let mut options = options(Overflow::Refuse);
    options.queued_bytes = 10;
    let mut rig = Rig::new(options);
    let message = |bytes: usize| Message::new(topic("t"), vec![0; bytes].into(), Qos::AtLeastOnce);
    rig.handle(Input::Publish(Ticket(1), message(8)));
    rig.handle(Input::Publish(Ticket(2), message(0)));
    rig.handle(Input::Publish(Ticket(3), message(0)));
    rig.assert_failed(3, Misuse::QueueFull(2).into());
    rig.connect(false, Properties::new());
    rig.discard();
    rig.lose();
    rig.handle(Input::Publish(Ticket(4), message(1000)));
    rig.assert_quiet();
    rig.handle(Input::Publish(Ticket(5), message(0)));
    rig.assert_failed(5, Misuse::QueueFull(1).into());
}

#[test]
fn qos_0_waits_for_a_connection_or_is_dropped_without_one() {
    let mut options = options(Overflow::Wait);
    let mut rig = Rig::new(options.clone());
    rig.publish(1, Qos::AtMostOnce);
    rig.connect(false, Properties::new());
    assert_eq!(rig.payloads(1), [b"1"]);
    options.at_most_once_offline = AtMostOnceOffline::Drop;
    let mut rig = Rig::new(options);
    rig.publish(1, Qos::AtMostOnce);
    rig.assert_failed(1, Failure::Offline);
    rig.publish(2, Qos::AtLeastOnce);
    rig.open();
    rig.publish(3, Qos::AtMostOnce);
    rig.assert_failed(3, Failure::Offline);
    rig.accept(false, Properties::new());
    rig.publish(4, Qos::AtMostOnce);
    assert_eq!(rig.payloads(2), [b"2", b"4"]);
}

#[test]
fn a_message_that_waited_is_sent_with_what_is_left_of_its_expiry_interval() {
    for qos in Qos::ALL {
        let mut rig = Rig::new(options(Overflow::Wait));
        rig.handle(expiring(1, qos, 10));
        rig.wait(3_999);
        rig.connect(false, Properties::new());
        assert_eq!(expiry(&rig.sent()), Some(7), "{qos:?}");
    }
}

#[test]
fn a_message_that_waited_too_long_is_not_sent_and_says_so_when_it_expires() {
    for qos in Qos::ALL {
        let mut rig = Rig::new(options(Overflow::Wait));
        rig.publish(1, qos);
        rig.handle(expiring(2, qos, 10));
        rig.handle(expiring(3, qos, 20));
        rig.wait(9_999);
        rig.assert_quiet();
        rig.wait(1);
        rig.assert_failed(2, Failure::Expired);
        rig.connect(false, Properties::new());
        assert_eq!(
            rig.payloads(2),
            [b"1", b"3"],
            "what is behind it is not held back"
        );
    }
}

/// [MQTT-4.3.3-7]
#[test]
fn a_message_that_was_sent_does_not_expire_with_us() {
    let mut rig = Rig::connected(options(Overflow::Wait));
    rig.handle(expiring(1, Qos::ExactlyOnce, 10));
    assert_eq!(expiry(&rig.sent()), Some(10));
    rig.lose();
    rig.wait(60_000);
    rig.assert_quiet();
    rig.connect(true, Properties::new());
    let again = rig.sent();
    assert_eq!(expiry(&again), Some(1));
    assert!(matches!(again, Packet::Publish(publish) if publish.dup));
}

#[test]
fn the_time_in_an_earlier_process_counts_for_the_expiry_interval() {
    let mut options = options(Overflow::Wait);
    options.clean_start = false;
    let mut saved = Saved::new();
    let Input::Publish(_, ref message) = expiring(1, Qos::AtLeastOnce, 10) else {
        unreachable!("it is one")
    };
    let (order, waited) = (1, std::time::Duration::from_secs(5));
    saved.apply(&squall_proto::client::Record::Queued {
        order,
        message,
        waited,
    });
    let client = Client::restore(options, saved, Instant::ZERO).expect("options that make sense");
    let mut rig = Rig::of(client);
    rig.wait(1_000);
    rig.connect(false, Properties::new());
    assert_eq!(expiry(&rig.sent()), Some(4));
}

#[test]
fn what_was_saved_for_another_client_identifier_is_refused() {
    let mut saved = Saved::new();
    let client_id = text("other");
    saved.apply(&squall_proto::client::Record::Session {
        client_id: &client_id,
    });
    let restored = Client::restore(options(Overflow::Wait), saved.clone(), Instant::ZERO);
    assert_eq!(restored.err(), Some(Misuse::OtherClientId));
    let restored = Client::restore(Options::new(Version::V5, text("")), saved, Instant::ZERO);
    assert!(restored.is_ok(), "it takes the one that was assigned");
}
