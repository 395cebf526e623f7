use std::time::Duration;

use bytes::Bytes;
use squall_proto::{
    Auth, Binary, Connack, Connect, DecodeError, Delivery, Disconnect, Packet, Properties, Property, Qos,
    ReasonCode, Text, TopicName, Version, Will,
    broker::{Cause, Close, Credentials, Input, Judgement, Limits, Note, Question},
};

use crate::table::{Seen, Table, publish};

const ACCEPT: Judgement = Judgement::Accept {
    user: None,
    data: None,
};

fn text(text: &str) -> Text {
    Text::new(text).unwrap()
}

fn binary(bytes: &'static str) -> Binary {
    Binary::new(Bytes::from_static(bytes.as_bytes())).unwrap()
}

fn challenge(data: &'static str) -> Judgement {
    Judgement::Challenge {
        data: Some(binary(data)),
    }
}

fn auth(reason_code: ReasonCode, method: &str, data: &'static str) -> Packet {
    Packet::Auth(Auth {
        reason_code,
        properties: method_and_data(method, data),
    })
}

fn method_and_data(method: &str, data: &'static str) -> Properties {
    [
        Property::AuthenticationMethod(text(method)),
        Property::AuthenticationData(binary(data)),
    ]
    .into_iter()
    .collect()
}

fn table(version: Version) -> Table {
    Table::authenticating(version, Limits::default())
}

/// Opens a connection and sends its CONNECT.
fn apply(t: &mut Table, name: &str, connect: Connect) {
    t.open(name);
    t.send(name, Packet::Connect(Box::new(connect)));
}

/// A CONNECT by the method M, whose data is "hello".
fn by_method(t: &Table, client_id: &str) -> Connect {
    Connect {
        properties: method_and_data("M", "hello"),
        ..t.clean(client_id)
    }
}

/// A client that is connected by the method M, as the user u.
fn connected(t: &mut Table, name: &str) {
    let connect = by_method(t, name);
    apply(t, name, connect);
    assert!(matches!(t.question(name), Some(Question::Connect(_))));
    let user = Some(text("u"));
    t.judge(name, Judgement::Accept { user, data: None });
    expect_connack(t, name, ReasonCode::Success);
}

fn expect_connack(t: &mut Table, name: &str, reason_code: ReasonCode) -> Connack {
    match t.next_packet(name) {
        Packet::Connack(connack) if connack.reason_code == reason_code => connack,
        other => panic!("{name} sees {other:?} in place of CONNACK {reason_code}"),
    }
}

fn expect_refused(t: &mut Table, name: &str, reason_code: ReasonCode) {
    expect_connack(t, name, reason_code);
    t.expect(name, Seen::Closed(Close::Refused(reason_code)));
    t.expect_nothing(name);
}

#[test]
fn a_user_name_and_a_password_are_judged_before_the_client_is_let_in() {
    for version in Version::ALL {
        let mut t = table(version);
        let connect = Connect {
            user_name: Some(text("u")),
            password: Some(binary("secret")),
            ..t.clean("a")
        };
        apply(&mut t, "a", connect);
        t.expect_nothing("a");
        let credentials = Credentials {
            client_id: text("a"),
            user_name: Some(text("u")),
            password: Some(binary("secret")),
            method: None,
            data: None,
        };
        let question = t.question("a").unwrap();
        assert!(question.holds());
        assert_eq!(question, Question::Connect(Box::new(credentials)));
        t.judge(
            "a",
            Judgement::Accept {
                user: Some(text("u")),
                data: None,
            },
        );
        expect_connack(&mut t, "a", ReasonCode::Success);
        t.send("a", Packet::Pingreq);
        t.expect_packet("a", Packet::Pingresp);
        let conn = t.conn("a");
        let user = Some(text("u"));
        assert!(t.out.notes.contains(&Note::Authenticated { conn, user }));
    }
}

/// [MQTT-3.1.4-2] [MQTT-4.12.0-4]
#[test]
fn a_client_that_is_refused_is_told_why_and_closed() {
    for version in Version::ALL {
        for reason_code in [ReasonCode::BadUserNameOrPassword, ReasonCode::NotAuthorized] {
            let mut t = table(version);
            let connect = t.clean("a");
            apply(&mut t, "a", connect);
            t.judge("a", Judgement::Refuse(reason_code));
            expect_refused(&mut t, "a", reason_code);
        }
    }
}

#[test]
fn what_connack_cannot_say_is_said_as_not_authorized() {
    let mut t = table(Version::V5);
    let connect = t.clean("a");
    apply(&mut t, "a", connect);
    t.judge("a", Judgement::Refuse(ReasonCode::Success));
    expect_refused(&mut t, "a", ReasonCode::NotAuthorized);
}

/// [MQTT-4.12.0-2] [MQTT-4.12.0-5] [MQTT-3.15.2-1]
#[test]
fn a_client_is_challenged_until_it_is_judged() {
    let mut t = table(Version::V5);
    let connect = by_method(&t, "a");
    apply(&mut t, "a", connect);
    let Some(Question::Connect(credentials)) = t.question("a") else {
        panic!("no question")
    };
    assert_eq!(credentials.method, Some(text("M")));
    assert_eq!(credentials.data, Some(binary("hello")));
    for (challenged, answer) in [("who?", "me"), ("really?", "yes")] {
        t.judge("a", challenge(challenged));
        t.expect_packet("a", auth(ReasonCode::ContinueAuthentication, "M", challenged));
        assert_eq!(t.question("a"), None);
        t.send("a", auth(ReasonCode::ContinueAuthentication, "M", answer));
        let question = t.question("a").unwrap();
        assert!(question.holds());
        let data = Some(binary(answer));
        assert_eq!(
            question,
            Question::Continue {
                data,
                connected: false
            }
        );
        t.expect_nothing("a");
    }
    t.judge(
        "a",
        Judgement::Accept {
            user: None,
            data: Some(binary("welcome")),
        },
    );
    let connack = expect_connack(&mut t, "a", ReasonCode::Success);
    assert_eq!(connack.properties.authentication_method(), Some(text("M")));
    assert_eq!(connack.properties.authentication_data(), Some(binary("welcome")));
}

/// [MQTT-4.12.0-6]
#[test]
fn a_client_without_a_method_hears_nothing_of_authentication() {
    let mut t = table(Version::V5);
    let connect = t.clean("a");
    apply(&mut t, "a", connect);
    t.judge(
        "a",
        Judgement::Accept {
            user: None,
            data: Some(binary("welcome")),
        },
    );
    let connack = expect_connack(&mut t, "a", ReasonCode::Success);
    assert_eq!(connack.properties.authentication_method(), None);
    assert_eq!(connack.properties.authentication_data(), None);
}

/// [MQTT-3.1.2-30] [MQTT-4.12.0-4]
#[test]
fn only_auth_and_disconnect_come_from_a_client_that_is_challenged() {
    let cases = [
        Packet::Pingreq,
        Packet::Publish(publish("t", "x", Delivery::AtMostOnce)),
        auth(ReasonCode::ReAuthenticate, "M", "me"),
        auth(ReasonCode::Success, "M", "me"),
        auth(ReasonCode::ContinueAuthentication, "N", "me"),
        Packet::Auth(Auth {
            reason_code: ReasonCode::Success,
            properties: Properties::new(),
        }),
    ];
    for packet in cases {
        let mut t = table(Version::V5);
        let connect = by_method(&t, "a");
        apply(&mut t, "a", connect);
        t.judge("a", challenge("who?"));
        t.next_packet("a");
        t.send("a", packet);
        expect_refused(&mut t, "a", ReasonCode::ProtocolError);
    }
}

#[test]
fn a_second_connect_in_the_middle_of_authentication_is_refused() {
    let mut t = table(Version::V5);
    let connect = by_method(&t, "a");
    apply(&mut t, "a", connect.clone());
    t.judge("a", challenge("who?"));
    t.next_packet("a");
    t.send("a", Packet::Connect(Box::new(connect)));
    expect_refused(&mut t, "a", ReasonCode::ProtocolError);
}

#[test]
fn bytes_that_are_no_packet_end_the_authentication() {
    let mut t = table(Version::V5);
    let connect = by_method(&t, "a");
    apply(&mut t, "a", connect);
    t.judge("a", challenge("who?"));
    t.next_packet("a");
    let conn = t.conn("a");
    t.handle(Input::Malformed(conn, DecodeError::AuthWithoutMethod));
    expect_refused(&mut t, "a", ReasonCode::ProtocolError);
}

#[test]
fn a_client_may_leave_in_the_middle_of_authentication_without_its_will() {
    let mut t = table(Version::V5);
    let connect = Connect {
        will: Some(will()),
        ..by_method(&t, "a")
    };
    apply(&mut t, "a", connect);
    t.judge("a", challenge("who?"));
    t.next_packet("a");
    t.send(
        "a",
        Packet::Disconnect(Disconnect::of(ReasonCode::DisconnectWithWillMessage)),
    );
    t.expect("a", Seen::Closed(Close::Disconnected));
    t.cut("a");
    assert!(!published_will(&t));
}

fn will() -> Will {
    Will {
        topic: TopicName::new("will").unwrap(),
        payload: binary("gone"),
        qos: Qos::AtMostOnce,
        retain: false,
        properties: Properties::new(),
    }
}

fn published_will(t: &Table) -> bool {
    t.out
        .notes
        .iter()
        .any(|note| matches!(note, Note::WillPublished { .. }))
}

/// [MQTT-3.1.4-2]
#[test]
fn nothing_becomes_of_a_connect_before_it_was_judged() {
    for version in Version::ALL {
        let mut t = table(version);
        let connect = Connect {
            will: Some(will()),
            ..t.persistent("a")
        };
        apply(&mut t, "first", connect.clone());
        t.judge("first", ACCEPT);
        expect_connack(&mut t, "first", ReasonCode::Success);
        for end in [true, false] {
            apply(
                &mut t,
                "second",
                Connect {
                    clean_start: true,
                    ..connect.clone()
                },
            );
            t.expect_nothing("first");
            if end {
                t.judge("second", Judgement::Refuse(ReasonCode::NotAuthorized));
                expect_refused(&mut t, "second", ReasonCode::NotAuthorized);
            }
            t.cut("second");
        }
        assert!(!published_will(&t));
        t.send("first", Packet::Pingreq);
        t.expect_packet("first", Packet::Pingresp);
    }
}

/// [MQTT-3.1.4-3] [v3 MQTT-3.1.4-2]
#[test]
fn a_client_that_was_let_in_takes_its_session_over() {
    for version in Version::ALL {
        let mut t = table(version);
        let connect = t.persistent("a");
        apply(&mut t, "first", connect.clone());
        t.judge("first", ACCEPT);
        expect_connack(&mut t, "first", ReasonCode::Success);
        apply(&mut t, "second", connect);
        t.judge("second", ACCEPT);
        t.expect_refused("first", ReasonCode::SessionTakenOver);
        assert!(expect_connack(&mut t, "second", ReasonCode::Success).session_present);
    }
}

/// [MQTT-4.12.0-4]
#[test]
fn authentication_ends_with_the_time_for_connect() {
    let timeout = Limits::default().connect_timeout;
    for (challenged, reason_code) in [
        (true, ReasonCode::NotAuthorized),
        (false, ReasonCode::ServerUnavailable),
    ] {
        let mut t = table(Version::V5);
        let connect = by_method(&t, "a");
        t.open("a");
        t.wait(timeout / 2);
        t.send("a", Packet::Connect(Box::new(connect)));
        if challenged {
            t.judge("a", challenge("who?"));
            t.next_packet("a");
        }
        t.wait(timeout / 2 - Duration::from_millis(1));
        t.expect_nothing("a");
        t.wait(Duration::from_millis(1));
        expect_refused(&mut t, "a", reason_code);
        t.judge("a", ACCEPT);
        t.expect_nothing("a");
    }
}

#[test]
fn who_waits_to_be_judged_is_closed_when_the_broker_stops() {
    let mut t = table(Version::V5);
    let connect = t.clean("a");
    apply(&mut t, "a", connect);
    t.handle(Input::Shutdown);
    let closed = Close::Refused(ReasonCode::ServerShuttingDown);
    t.expect("a", Seen::Closed(closed));
}

#[test]
fn an_answer_that_comes_after_the_connection_is_passed_over() {
    let mut t = table(Version::V5);
    let connect = t.clean("a");
    apply(&mut t, "a", connect);
    let conn = t.conn("a");
    t.handle(Input::Lost(conn));
    t.judge("a", ACCEPT);
    t.expect_nothing("a");
    assert!(
        !t.out
            .notes
            .iter()
            .any(|note| matches!(note, Note::Connected { .. }))
    );
}

/// [MQTT-3.1.4-1]
#[test]
fn a_connect_that_cannot_be_granted_is_refused_without_a_question() {
    let limits = Limits {
        retain_available: false,
        ..Limits::default()
    };
    let mut t = Table::authenticating(Version::V5, limits);
    let connect = Connect {
        will: Some(Will {
            retain: true,
            ..will()
        }),
        ..t.clean("a")
    };
    apply(&mut t, "a", connect);
    assert_eq!(t.question("a"), None);
    expect_refused(&mut t, "a", ReasonCode::RetainNotSupported);
}

/// [MQTT-3.1.2-24]
#[test]
fn a_challenge_that_does_not_fit_in_the_clients_maximum_packet_size_ends_the_connection() {
    for (maximum, fits) in [(15_u32, true), (14, false)] {
        let mut t = table(Version::V5);
        let mut connect = by_method(&t, "a");
        let maximum = core::num::NonZeroU32::new(maximum).unwrap();
        connect.properties.push(Property::MaximumPacketSize(maximum));
        apply(&mut t, "a", connect);
        t.judge("a", challenge("1234"));
        if fits {
            t.expect_packet("a", auth(ReasonCode::ContinueAuthentication, "M", "1234"));
        }
        let closed = Seen::Closed(Close::Refused(ReasonCode::PacketTooLarge));
        assert_eq!(t.next("a"), (!fits).then_some(closed));
    }
}

/// [MQTT-4.12.1-1] [MQTT-4.12.0-5]
#[test]
fn a_client_that_authenticates_again_goes_on_meanwhile() {
    let mut t = table(Version::V5);
    connected(&mut t, "a");
    t.send("a", auth(ReasonCode::ReAuthenticate, "M", "hello"));
    let question = t.question("a").unwrap();
    assert!(!question.holds());
    let (user, data) = (Some(text("u")), Some(binary("hello")));
    assert_eq!(question, Question::Reauthenticate { user, data });
    t.subscribe("a", "t", Qos::AtMostOnce);
    t.judge("a", challenge("who?"));
    t.expect_packet("a", auth(ReasonCode::ContinueAuthentication, "M", "who?"));
    t.send(
        "a",
        Packet::Publish(publish("t", "meanwhile", Delivery::AtMostOnce)),
    );
    assert_eq!(t.take_payloads("a"), ["meanwhile"]);
    t.send("a", auth(ReasonCode::ContinueAuthentication, "M", "me"));
    let question = t.question("a").unwrap();
    assert!(!question.holds());
    let data = Some(binary("me"));
    assert_eq!(
        question,
        Question::Continue {
            data,
            connected: true
        }
    );
    t.judge(
        "a",
        Judgement::Accept {
            user: Some(text("u")),
            data: Some(binary("welcome")),
        },
    );
    t.expect_packet("a", auth(ReasonCode::Success, "M", "welcome"));
    t.send("a", auth(ReasonCode::ReAuthenticate, "M", "once more"));
    assert!(t.question("a").is_some());
}

/// [MQTT-4.12.1-2]
#[test]
fn a_client_that_fails_to_authenticate_again_is_disconnected() {
    for (judged, said) in [
        (ReasonCode::NotAuthorized, ReasonCode::NotAuthorized),
        (ReasonCode::BadUserNameOrPassword, ReasonCode::NotAuthorized),
    ] {
        let mut t = table(Version::V5);
        connected(&mut t, "a");
        t.send("a", auth(ReasonCode::ReAuthenticate, "M", "hello"));
        t.judge("a", Judgement::Refuse(judged));
        t.expect_refused("a", said);
        let cause = Cause::NotAuthenticated(said);
        let (conn, client_id) = (t.conn("a"), text("a"));
        assert!(t.out.notes.contains(&Note::Disconnected {
            conn,
            client_id,
            cause
        }));
    }
}

/// [MQTT-4.12.0-7] [MQTT-4.12.1-1] [MQTT-4.12.0-5]
#[test]
fn auth_that_has_no_place_in_the_connection_ends_it() {
    let again = auth(ReasonCode::ReAuthenticate, "M", "hello");
    let go_on = auth(ReasonCode::ContinueAuthentication, "M", "me");
    let cases = [
        vec![go_on.clone()],
        vec![auth(ReasonCode::Success, "M", "me")],
        vec![auth(ReasonCode::ReAuthenticate, "N", "hello")],
        vec![again.clone(), again.clone()],
        vec![again, go_on],
    ];
    for packets in cases {
        let mut t = table(Version::V5);
        connected(&mut t, "a");
        for packet in packets {
            t.expect_nothing("a");
            t.send("a", packet);
        }
        t.expect_refused("a", ReasonCode::ProtocolError);
    }
}

/// [MQTT-4.12.0-7]
#[test]
fn a_client_without_a_method_cannot_authenticate_again() {
    let mut t = table(Version::V5);
    let connect = t.clean("a");
    apply(&mut t, "a", connect);
    t.judge("a", ACCEPT);
    expect_connack(&mut t, "a", ReasonCode::Success);
    t.send("a", auth(ReasonCode::ReAuthenticate, "M", "hello"));
    t.expect_refused("a", ReasonCode::ProtocolError);
}

/// [MQTT-4.12.0-1]
#[test]
fn a_broker_that_asks_nobody_refuses_methods_and_takes_any_password() {
    let mut t = Table::new(Version::V5);
    let connect = by_method(&t, "a");
    apply(&mut t, "a", connect);
    expect_refused(&mut t, "a", ReasonCode::BadAuthenticationMethod);
    let connect = Connect {
        user_name: Some(text("u")),
        password: Some(binary("anything")),
        ..t.clean("b")
    };
    t.connect_as("b", connect);
    assert_eq!(t.question("b"), None);
}
