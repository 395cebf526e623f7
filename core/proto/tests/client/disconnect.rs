use squall_proto::{
    Disconnect, Packet, Properties, Property, ReasonCode, Version,
    client::{Input, Misuse, Options},
};

use crate::rig::{Rig, one, text};

fn leaving(property: Property) -> Disconnect {
    Disconnect {
        reason_code: ReasonCode::Success,
        properties: one(property),
    }
}

fn clean_start(rig: &mut Rig) -> bool {
    matches!(rig.open(), Packet::Connect(connect) if connect.clean_start)
}

#[test]
fn a_session_expiry_interval_on_disconnect_decides_whether_the_session_is_kept() {
    for (connect, disconnect, kept) in [(60, 0, false), (60, 5, true), (u32::MAX, 0, false)] {
        let mut options = Options::persistent(Version::V5, text("c"));
        options.session_expiry_interval = connect;
        let mut rig = Rig::connected(options);
        let packet = leaving(Property::SessionExpiryInterval(disconnect));
        rig.handle(Input::Disconnect(packet.clone()));
        assert_eq!(rig.sent(), Packet::Disconnect(packet));
        rig.handle(Input::Lost);
        assert_eq!(clean_start(&mut rig), !kept);
    }
}

/// [MQTT-3.14.2-1] [X5-3.14.2.2.2-1]
#[test]
fn a_disconnect_that_may_not_be_sent_is_misuse() {
    let options = Options::new(Version::V5, text("c"));
    for (disconnect, misuse) in [
        (
            leaving(Property::SessionExpiryInterval(1)),
            Misuse::SessionExpiryFromZero,
        ),
        (
            leaving(Property::ServerReference(text("a"))),
            Misuse::PropertyNotAllowed,
        ),
        (
            Disconnect::of(ReasonCode::GrantedQos1),
            Misuse::ReasonCodeNotAllowed(ReasonCode::GrantedQos1),
        ),
    ] {
        assert_eq!(options.check_disconnect(&disconnect), Err(misuse));
    }
    assert_eq!(
        options.check_disconnect(&leaving(Property::SessionExpiryInterval(0))),
        Ok(())
    );
    let v3 = Options::new(Version::V3_1_1, text("c"));
    let misuse = v3.check_disconnect(&leaving(Property::ReasonString(text("bye"))));
    assert_eq!(misuse, Err(Misuse::NeedsVersion5("properties")));
}

#[test]
fn what_may_not_be_said_is_left_out() {
    let mut rig = Rig::connected(Options::new(Version::V5, text("c")));
    rig.handle(Input::Disconnect(leaving(Property::SessionExpiryInterval(1))));
    assert_eq!(
        rig.sent(),
        Packet::Disconnect(Disconnect::of(ReasonCode::Success))
    );
}

/// [MQTT-3.14.2-3] [MQTT-3.14.2-4]
#[test]
fn words_that_make_disconnect_larger_than_the_server_takes_are_left_out() {
    let expiry = Property::SessionExpiryInterval(0);
    for word in [
        Property::ReasonString(text("it is late")),
        Property::UserProperty(text("it is"), text("late")),
    ] {
        let limit = Property::MaximumPacketSize(12.try_into().unwrap());
        let mut rig = Rig::connected_with(Options::new(Version::V5, text("c")), one(limit));
        let properties: Properties = [word, expiry.clone()].into_iter().collect();
        let reason_code = ReasonCode::Success;
        rig.handle(Input::Disconnect(Disconnect {
            reason_code,
            properties,
        }));
        assert_eq!(rig.sent(), Packet::Disconnect(leaving(expiry.clone())));
    }
}
