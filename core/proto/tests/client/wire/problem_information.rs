use squall_proto::{
    Property, Qos, ReasonCode, Version,
    client::{Input, Options, Subscription, Ticket, Unsubscription},
};

use super::rig::Wire;
use crate::rig::{filter, message, one, text};

/// Every exchange under way: PUBLISH 1 at QoS 1, 2 and 3 at QoS 2, SUBSCRIBE 4, UNSUBSCRIBE 5.
fn busy(asks: bool) -> Wire {
    let mut wire = Wire::connected(Options {
        properties: one(Property::RequestProblemInformation(asks)),
        ..Options::persistent(Version::V5, text("c"))
    });
    for (ticket, qos) in [
        (1, Qos::AtLeastOnce),
        (2, Qos::ExactlyOnce),
        (3, Qos::ExactlyOnce),
    ] {
        wire.handle(Input::Publish(Ticket(ticket), message(ticket, qos)));
    }
    wire.handle(Input::Subscribe(
        Ticket(4),
        Subscription::new(filter("a"), Qos::AtMostOnce),
    ));
    wire.handle(Input::Unsubscribe(Ticket(5), Unsubscription::new(filter("a"))));
    wire.sent();
    wire
}

const WITH_REASON_STRING: [(&str, &str); 6] = [
    ("PUBACK", "40 08 00 01 00 04 1F 00 01 72"),
    ("PUBREC", "50 08 00 02 00 04 1F 00 01 72"),
    ("PUBREL", "62 08 00 09 00 04 1F 00 01 72"),
    ("PUBCOMP", "70 08 00 09 00 04 1F 00 01 72"),
    ("SUBACK", "90 08 00 04 04 1F 00 01 72 00"),
    ("UNSUBACK", "B0 08 00 05 04 1F 00 01 72 00"),
];

/// [X5-3.1.2.11.7-2]
#[test]
fn problem_information_that_was_not_asked_for_is_a_protocol_error() {
    for (what, hex) in WITH_REASON_STRING {
        let mut wire = busy(false);
        wire.receive(hex);
        wire.assert_refused(what, ReasonCode::ProtocolError);
    }
    let mut wire = busy(false);
    wire.receive("40 0B 00 01 00 07 26 00 01 6E 00 01 76 # PUBACK with a User Property");
    wire.assert_refused("User Property", ReasonCode::ProtocolError);
}

/// [X5-3.1.2.11.7-2]
#[test]
fn problem_information_is_taken_where_it_was_asked_for_and_on_publish() {
    for (what, hex) in WITH_REASON_STRING {
        let mut wire = busy(true);
        wire.receive(hex);
        assert!(!wire.is_closed(), "{what}");
    }
    let mut wire = busy(false);
    wire.receive("30 0B 00 01 74 07 26 00 01 6E 00 01 76 # PUBLISH with a User Property");
    assert_eq!((wire.is_closed(), wire.events().len()), (false, 1));
}
