use squall_proto::{Packet, Property, Version};

use super::history::{History, Wire, connack, connect};
use crate::trace::{Down, Side, What};

const CLIENTS: &str = "clients: { dev: {} }";

#[test]
fn session_present_is_what_the_broker_must_know() {
    for (session_present, found) in [(true, &[][..]), (false, &["session_present"])] {
        let mut history = History::of(CLIENTS);
        let wire = history.connect("dev", false);
        history.at(1000).cut(wire);
        history.connect("dev", session_present);
        history.fails(found);
    }
}

#[test]
fn a_session_that_nobody_had_is_not_present() {
    let mut history = History::of(CLIENTS);
    history.connect("dev", true);
    history.fails(&["session_present"]);
}

#[test]
fn a_clean_start_begins_anew() {
    let mut history = History::of(CLIENTS).version(Version::V3_1_1);
    let wire = history.connect("dev", false);
    history.at(1000).cut(wire);
    let mut clean = connect("dev", Version::V3_1_1);
    clean.clean_start = true;
    let wire = history.connect_with(clean, false);
    history.at(2000).cut(wire);
    history.connect("dev", true);
    history.fails(&["session_present"]);
}

#[test]
fn a_session_expires_when_its_interval_has_passed() {
    for (back_at, session_present) in [(4000, true), (15_000, false)] {
        let mut history = History::of(CLIENTS);
        let mut short = connect("dev", Version::V5);
        short
            .properties
            .retain(|property| !matches!(property, Property::SessionExpiryInterval(_)));
        short.properties.push(Property::SessionExpiryInterval(5));
        let wire = history.connect_with(short.clone(), false);
        history.at(1000).cut(wire).at(back_at);
        history.connect_with(short, session_present);
        history.passes();
    }
}

#[test]
fn two_connections_of_one_client_identifier_are_found() {
    let closed: fn(&mut History, Wire) = |history, older| _ = history.close(older, Side::Broker);
    let let_go: fn(&mut History, Wire) = |history, wire| {
        let by = Side::Broker;
        history.note(What::LetGo { wire, by });
    };
    for (end, found) in [
        (Some(closed), &[][..]),
        (Some(let_go), &[]),
        (None, &["one_connection"]),
    ] {
        let mut history = History::of(CLIENTS);
        let older = history.connect("dev", false);
        let newer = history.at(1000).connect("dev", true);
        if let Some(end) = end {
            end(&mut history, older);
        }
        let pingreq = Packet::Pingreq;
        history
            .at(9000)
            .client(newer, pingreq)
            .broker(newer, Packet::Pingresp);
        history.fails(found);
    }
}

#[test]
fn who_connects_while_the_broker_starts_again_reaches_its_next_process() {
    let mut history = History::of("clients: { sub: {} }");
    let wire = history.open("sub");
    let host = || "broker".to_owned();
    let how = Down::Crashed;
    history.note(What::HostDown {
        host: host(),
        how,
        kept: false,
    });
    history.note(What::HostUp {
        host: host(),
        kept: false,
    });
    let connect = connect("sub", Version::V5);
    history.client(wire, Packet::Connect(Box::new(connect)));
    history.broker(wire, connack(false));
    history.at(9000).note(What::Healed);
    history.passes();
}

#[test]
fn a_broker_that_was_down_may_count_the_expiry_from_when_it_is_back() {
    for (session_present, at, found) in [
        (true, 25_000, &[][..]),
        (false, 25_000, &[]),
        (true, 35_000, &["session_present"]),
    ] {
        let mut history = History::of(CLIENTS);
        let mut expiring = connect("dev", Version::V5);
        expiring.properties = [Property::SessionExpiryInterval(10)].into_iter().collect();
        let wire = history.connect_with(expiring.clone(), false);
        let host = || "broker".to_owned();
        let (how, kept) = (Down::Crashed, true);
        history.at(1000).note(What::HostDown {
            host: host(),
            how,
            kept,
        });
        history.cut(wire);
        history.at(21_000).note(What::HostUp { host: host(), kept });
        history.at(at).connect_with(expiring, session_present);
        history.fails(found);
    }
}
