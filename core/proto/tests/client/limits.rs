use std::num::NonZeroU32;

use bytes::Bytes;
use squall_proto::{
    Delivery, Disconnect, Packet, PacketRef, Properties, Property, Publish, Qos, ReasonCode, SubscriptionId,
    TopicName, Version,
    client::{Event, Failure, Input, Misuse, Options, Subscription, Ticket, Why},
    encoded_len,
};

use crate::rig::{Rig, filter, id, message, one, puback, suback, text};

fn rig(connack: Property) -> Rig {
    Rig::connected_with(Options::persistent(Version::V5, text("c")), one(connack))
}

/// [MQTT-3.2.2-11]
#[test]
fn a_qos_above_the_servers_maximum_is_misuse() {
    let mut rig = rig(Property::MaximumQos(true));
    rig.publish(1, Qos::AtLeastOnce);
    rig.sent();
    rig.publish(2, Qos::ExactlyOnce);
    rig.assert_misused(2, Misuse::QosNotSupported(Qos::AtLeastOnce));
    rig.assert_quiet();
}

/// [MQTT-3.2.2-15] With room for 3 bytes there is a DISCONNECT with its code, and no PUBACK.
#[test]
fn a_server_that_takes_no_acknowledgement_is_left() {
    let size = |bytes| Property::MaximumPacketSize(NonZeroU32::new(bytes).unwrap());
    let incoming = {
        Packet::Publish(Publish {
            dup: false,
            retain: false,
            delivery: Delivery::AtLeastOnce(id(1)),
            topic: Some(TopicName::new("t").unwrap()),
            payload: Bytes::new(),
            properties: Properties::new(),
        })
    };
    let mut rig = rig(size(3));
    rig.receive(incoming);
    assert!(matches!(rig.event(), Event::Message { .. }));
    assert_eq!(rig.event(), Event::Disconnected(Why::AnswerTooLarge));
    assert_eq!(
        rig.sent(),
        Packet::Disconnect(Disconnect::of(ReasonCode::PacketTooLarge))
    );
    assert!(rig.is_closed());
    rig.assert_quiet();
}

/// [MQTT-3.2.2-11]
#[test]
fn a_queued_message_is_judged_by_the_server_it_meets() {
    let mut rig = Rig::new(Options::new(Version::V5, text("c")));
    rig.publish(1, Qos::AtLeastOnce);
    rig.publish(2, Qos::AtMostOnce);
    rig.connect(false, one(Property::MaximumQos(false)));
    assert_eq!(rig.sent_publish().2, b"2");
    rig.assert_published(2, ReasonCode::Success);
    rig.assert_misused(1, Misuse::QosNotSupported(Qos::AtMostOnce));
    rig.assert_quiet();
}

#[test]
fn what_was_sent_is_not_sent_again_to_a_server_that_takes_it_no_more() {
    let mut rig = Rig::persistent(Version::V5);
    rig.publish(1, Qos::ExactlyOnce);
    rig.sent();
    rig.lose();
    rig.connect(true, one(Property::MaximumQos(true)));
    rig.assert_misused(1, Misuse::QosNotSupported(Qos::AtLeastOnce));
    rig.assert_quiet();
}

/// [MQTT-3.2.2-14]
#[test]
fn retain_is_misuse_where_the_server_has_none() {
    let mut rig = rig(Property::RetainAvailable(false));
    let mut retained = message(1, Qos::AtMostOnce);
    retained.retain = true;
    rig.handle(Input::Publish(Ticket(1), retained));
    rig.assert_misused(1, Misuse::RetainNotSupported);
    rig.assert_quiet();
}

/// [MQTT-3.2.2-15]
#[test]
fn a_packet_of_the_servers_maximum_size_goes_and_one_byte_more_does_not() {
    let mut probe = Rig::persistent(Version::V5);
    probe.publish(1, Qos::AtLeastOnce);
    let packet = probe.sent();
    let size = encoded_len(Version::V5, PacketRef::from(&packet));
    for (size_max, goes) in [(size, true), (size - 1, false)] {
        let size_max_property = NonZeroU32::new(u32::try_from(size_max).unwrap()).unwrap();
        let mut rig = rig(Property::MaximumPacketSize(size_max_property));
        rig.publish(1, Qos::AtLeastOnce);
        if goes {
            rig.sent();
            rig.receive(puback(id(1)));
            rig.assert_published(1, ReasonCode::Success);
        } else {
            rig.assert_misused(1, Misuse::PacketTooLarge { size, size_max });
        }
        rig.assert_quiet();
    }
}

#[test]
fn a_subscription_of_a_kind_the_server_lacks_is_misuse() {
    let cases = [
        (
            Property::WildcardSubscriptionAvailable(false),
            "a/#",
            Misuse::WildcardSubscriptionsNotSupported,
        ),
        (
            Property::SharedSubscriptionAvailable(false),
            "$share/g/a",
            Misuse::SharedSubscriptionsNotSupported,
        ),
        (
            Property::SubscriptionIdentifierAvailable(false),
            "a",
            Misuse::SubscriptionIdentifiersNotSupported,
        ),
    ];
    for (connack, name, misuse) in cases {
        let mut rig = rig(connack);
        let mut subscription = Subscription::new(filter(name), Qos::AtMostOnce);
        subscription.properties = one(Property::SubscriptionIdentifier(SubscriptionId::new(1).unwrap()));
        rig.handle(Input::Subscribe(Ticket(1), subscription));
        let result = Err(Failure::Misuse(misuse));
        assert_eq!(
            rig.event(),
            Event::Subscribed {
                ticket: Ticket(1),
                result
            }
        );
        rig.assert_quiet();
    }
}

#[test]
fn of_the_subscriptions_the_server_lost_those_it_still_takes_are_renewed() {
    let mut rig = Rig::persistent(Version::V5);
    for (ticket, filter) in [(1, "a/#"), (2, "b")] {
        rig.subscribe(ticket, filter, Qos::AtMostOnce);
        rig.receive(suback(id(u16::try_from(ticket).unwrap()), &[ReasonCode::Success]));
    }
    rig.discard();
    rig.lose();
    rig.connect(false, one(Property::WildcardSubscriptionAvailable(false)));
    assert!(matches!(rig.event(), Event::SubscriptionLost { filter, .. } if &*filter == "a/#"));
    let Packet::Subscribe(renewed) = rig.sent() else {
        panic!("the other is renewed")
    };
    assert_eq!(&*renewed.filters[0].0, "b");
    rig.assert_quiet();
}

#[test]
fn a_subscription_the_server_lost_and_lacks_is_told() {
    let mut rig = Rig::persistent(Version::V5);
    rig.subscribe(1, "a/#", Qos::AtMostOnce);
    rig.receive(suback(id(1), &[ReasonCode::Success]));
    rig.discard();
    rig.lose();
    rig.connect(false, one(Property::WildcardSubscriptionAvailable(false)));
    let lost = Event::SubscriptionLost {
        filter: filter("a/#"),
        reason_code: ReasonCode::WildcardSubscriptionsNotSupported,
    };
    assert_eq!(rig.event(), lost);
    rig.assert_quiet();
}

#[test]
fn requests_wait_for_a_connection_up_to_their_bound() {
    for version in Version::ALL {
        let mut rig = Rig::new(Options {
            queued: 1,
            ..Options::new(version, text("c"))
        });
        rig.subscribe(1, "a", Qos::AtMostOnce);
        assert!(!rig.client().takes_requests());
        rig.unsubscribe(2, "a");
        let result = Err(Failure::Misuse(Misuse::QueueFull(1)));
        assert_eq!(
            rig.event(),
            Event::Unsubscribed {
                ticket: Ticket(2),
                result
            }
        );
        rig.connect(false, Properties::new());
        assert!(matches!(rig.sent(), Packet::Subscribe(_)));
    }
}
