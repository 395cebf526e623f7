use squall_proto::{
    Auth, Binary, Connack, Packet, Properties, Property, ReasonCode, Version, Violation,
    client::{
        Authenticate, Client, Distrust, Event, Input, Misuse, NotReauthenticated, Options, Ticket, Why,
    },
};

use crate::rig::{Rig, connack, text};

fn data(bytes: &'static str) -> Option<Binary> {
    Some(Binary::new(bytes).expect("not too long"))
}

fn method_and_data(method: &str, bytes: &'static str) -> Properties {
    let mut properties: Properties = [Property::AuthenticationMethod(text(method))]
        .into_iter()
        .collect();
    properties.push(Property::AuthenticationData(
        Binary::new(bytes).expect("not too long"),
    ));
    properties
}

fn auth(reason_code: ReasonCode, method: &str, bytes: &'static str) -> Packet {
    let properties = method_and_data(method, bytes);
    Packet::Auth(Auth {
        reason_code,
        properties,
    })
}

fn challenge(bytes: &'static str) -> Packet {
    auth(ReasonCode::ContinueAuthentication, "M", bytes)
}

fn options() -> Options {
    Options {
        authentication_method: Some(text("M")),
        ..Options::new(Version::V5, text("c"))
    }
}

/// A client whose CONNECT, with the method M and the data "hello", has gone out.
fn connecting() -> Rig {
    let mut rig = Rig::new(options());
    rig.will_answer(Ok(data("hello")));
    rig.open();
    assert_eq!(rig.asked(), [Authenticate::Begin]);
    rig
}

fn connected() -> Rig {
    let mut rig = connecting();
    rig.will_answer(Ok(None));
    rig.accept(false, method_and_data("M", "welcome"));
    rig.asked();
    rig
}

/// Authenticates again, as far as the AUTH that begins it.
fn reauthenticating() -> Rig {
    let mut rig = connected();
    rig.will_answer(Ok(data("again")));
    rig.handle(Input::Reauthenticate(Ticket(1)));
    assert_eq!(rig.asked(), [Authenticate::Begin]);
    assert_eq!(rig.sent(), auth(ReasonCode::ReAuthenticate, "M", "again"));
    rig
}

fn assert_violated(mut rig: Rig, violation: Violation) {
    let Packet::Disconnect(disconnect) = rig.sent() else {
        panic!("no DISCONNECT")
    };
    assert_eq!(disconnect.reason_code, ReasonCode::ProtocolError);
    assert_eq!(rig.event(), Event::Disconnected(Why::Violated(violation)));
    assert!(rig.is_closed());
    rig.assert_quiet();
}

fn assert_distrusted(rig: &mut Rig) {
    let Packet::Disconnect(disconnect) = rig.sent() else {
        panic!("no DISCONNECT")
    };
    assert_eq!(disconnect.reason_code, ReasonCode::UnspecifiedError);
    assert_eq!(rig.event(), Event::Disconnected(Why::Distrusted));
    assert!(rig.is_closed());
    rig.assert_quiet();
}

/// [MQTT-4.12.0-3] [MQTT-4.12.0-5] [MQTT-3.15.2-1]
#[test]
fn challenges_are_answered_until_the_server_accepts() {
    let mut rig = Rig::new(options());
    rig.will_answer(Ok(data("hello")));
    let Packet::Connect(connect) = rig.open() else {
        panic!("no CONNECT")
    };
    assert_eq!(connect.properties, method_and_data("M", "hello"));
    rig.asked();
    for (challenged, answer) in [("who?", "me"), ("really?", "yes")] {
        rig.will_answer(Ok(data(answer)));
        rig.receive(challenge(challenged));
        assert_eq!(rig.asked(), [Authenticate::Challenge(data(challenged))]);
        assert_eq!(rig.sent(), challenge(answer));
    }
    rig.will_answer(Ok(None));
    rig.accept(false, method_and_data("M", "welcome"));
    assert_eq!(rig.asked(), [Authenticate::Success(data("welcome"))]);
    rig.assert_quiet();
}

#[test]
fn every_connection_begins_anew() {
    let mut rig = connected();
    rig.lose();
    rig.will_answer(Ok(data("hello again")));
    let Packet::Connect(connect) = rig.open() else {
        panic!("no CONNECT")
    };
    assert_eq!(connect.properties, method_and_data("M", "hello again"));
}

#[test]
fn a_server_that_does_not_show_who_it_is_is_left() {
    let mut rig = connecting();
    rig.will_answer(Err(Distrust));
    let accepted = connack(false, ReasonCode::Success, method_and_data("M", "forged"));
    rig.receive(accepted);
    assert_distrusted(&mut rig);
}

#[test]
fn a_server_that_asks_for_what_the_client_cannot_show_is_left() {
    let mut rig = connecting();
    rig.will_answer(Err(Distrust));
    rig.receive(challenge("what?"));
    assert_distrusted(&mut rig);
}

#[test]
fn an_application_that_has_nothing_to_begin_with_sends_nothing() {
    let mut rig = Rig::new(options());
    rig.will_answer(Err(Distrust));
    rig.handle(Input::Opened);
    assert_eq!(rig.event(), Event::Disconnected(Why::Distrusted));
    assert!(rig.is_closed());
    rig.assert_quiet();
}

/// [MQTT-4.12.0-4]
#[test]
fn a_server_may_refuse_at_any_point() {
    let mut rig = connecting();
    rig.will_answer(Ok(data("me")));
    rig.receive(challenge("who?"));
    rig.discard();
    rig.receive(connack(false, ReasonCode::NotAuthorized, Properties::new()));
    let refused = Connack {
        session_present: false,
        reason_code: ReasonCode::NotAuthorized,
        properties: Properties::new(),
    };
    assert_eq!(rig.event(), Event::Disconnected(Why::Refused(refused)));
    assert!(rig.is_closed());
}

/// [MQTT-4.12.0-5] [X5-3.15-1]
#[test]
fn connack_and_auth_have_the_method_of_connect() {
    for packet in [
        connack(false, ReasonCode::Success, method_and_data("N", "welcome")),
        connack(false, ReasonCode::Success, Properties::new()),
        auth(ReasonCode::ContinueAuthentication, "N", "who?"),
    ] {
        let mut rig = connecting();
        rig.receive(packet);
        assert_violated(rig, Violation::OtherAuthenticationMethod);
    }
}

/// [MQTT-4.12.0-2] [MQTT-3.2.0-1]
#[test]
fn only_challenges_come_before_connack() {
    for reason_code in [ReasonCode::Success, ReasonCode::ReAuthenticate] {
        let mut rig = connecting();
        rig.receive(auth(reason_code, "M", "who?"));
        assert_violated(rig, Violation::UnexpectedAuth);
    }
}

/// [MQTT-4.12.0-6] [X5-3.15-1]
#[test]
fn a_client_without_a_method_takes_no_authentication() {
    let mut rig = Rig::new(Options::new(Version::V5, text("c")));
    rig.open();
    rig.receive(challenge("who?"));
    assert_violated(rig, Violation::AuthWithoutMethod);

    let mut rig = Rig::new(Options::new(Version::V5, text("c")));
    rig.open();
    rig.receive(connack(
        false,
        ReasonCode::Success,
        method_and_data("M", "welcome"),
    ));
    assert_violated(rig, Violation::OtherAuthenticationMethod);

    let mut rig = Rig::connected(Options::new(Version::V5, text("c")));
    rig.receive(challenge("who?"));
    assert_violated(rig, Violation::AuthWithoutMethod);
}

/// [MQTT-4.12.1-1] [MQTT-4.12.0-3]
#[test]
fn a_client_authenticates_again_by_the_same_method() {
    let mut rig = reauthenticating();
    rig.will_answer(Ok(data("me")));
    rig.receive(challenge("who?"));
    assert_eq!(rig.asked(), [Authenticate::Challenge(data("who?"))]);
    assert_eq!(rig.sent(), challenge("me"));
    rig.will_answer(Ok(None));
    rig.receive(auth(ReasonCode::Success, "M", "welcome"));
    assert_eq!(rig.asked(), [Authenticate::Success(data("welcome"))]);
    let (ticket, result) = (Ticket(1), Ok(()));
    assert_eq!(rig.event(), Event::Reauthenticated { ticket, result });
    rig.assert_quiet();
}

/// [X5-3.15.2.2.2-1]
#[test]
fn success_may_come_in_the_short_form() {
    let mut rig = reauthenticating();
    rig.will_answer(Ok(None));
    rig.receive(Packet::Auth(Auth {
        reason_code: ReasonCode::Success,
        properties: Properties::new(),
    }));
    assert_eq!(rig.asked(), [Authenticate::Success(None)]);
    let (ticket, result) = (Ticket(1), Ok(()));
    assert_eq!(rig.event(), Event::Reauthenticated { ticket, result });
}

/// [MQTT-4.12.1-2]
#[test]
fn authenticating_again_that_fails_ends_the_connection() {
    for packet in [challenge("what?"), auth(ReasonCode::Success, "M", "forged")] {
        let mut rig = reauthenticating();
        rig.will_answer(Err(Distrust));
        rig.receive(packet);
        let (ticket, result) = (Ticket(1), Err(NotReauthenticated::Disconnected));
        assert_eq!(rig.event(), Event::Reauthenticated { ticket, result });
        assert_distrusted(&mut rig);
    }
}

#[test]
fn authenticating_again_ends_with_the_connection() {
    let mut rig = reauthenticating();
    rig.handle(Input::Lost);
    let (ticket, result) = (Ticket(1), Err(NotReauthenticated::Disconnected));
    assert_eq!(rig.event(), Event::Reauthenticated { ticket, result });
    assert_eq!(rig.event(), Event::Disconnected(Why::Lost));
    rig.assert_quiet();
}

#[test]
fn auth_out_of_turn_ends_the_connection() {
    for packet in [
        challenge("who?"),
        auth(ReasonCode::Success, "M", "welcome"),
        auth(ReasonCode::ReAuthenticate, "M", "you again?"),
    ] {
        let mut rig = connected();
        rig.receive(packet);
        assert_violated(rig, Violation::UnexpectedAuth);
    }
}

fn assert_refused(rig: &mut Rig, why: NotReauthenticated) {
    rig.handle(Input::Reauthenticate(Ticket(2)));
    let (ticket, result) = (Ticket(2), Err(why));
    assert_eq!(rig.event(), Event::Reauthenticated { ticket, result });
    rig.assert_quiet();
}

#[test]
fn authenticating_again_needs_a_connection_that_was_authenticated() {
    let mut rig = Rig::new(options());
    assert_refused(&mut rig, NotReauthenticated::NotConnected);
    let mut rig = reauthenticating();
    assert_refused(&mut rig, NotReauthenticated::UnderWay);
    let mut rig = Rig::connected(Options::new(Version::V5, text("c")));
    assert_refused(&mut rig, NotReauthenticated::NoAuthenticationMethod);
}

#[test]
fn methods_need_version_5() {
    let options = Options {
        version: Version::V3_1_1,
        ..options()
    };
    let misuse = Misuse::NeedsVersion5("authentication methods");
    assert_eq!(Client::new(options).err(), Some(misuse));
}
