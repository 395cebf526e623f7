use squall_proto::{Qos, Version};

use super::history::{History, Wire, puback, pubcomp, publish, pubrec, pubrel, q1, q2};
use crate::{
    account::account,
    trace::{Down, Side, What},
};

const CLIENTS: &str =
    "broker: { durability: disk }\nclients: { pub: { session: persistent }, sub: { session: persistent } }";

/// Both are there, and `sub` has subscribed.
fn began() -> (History, Wire, Wire) {
    let mut history = History::of(CLIENTS);
    let sub = history.connect("sub", false);
    history.subscribe(sub, "t", Qos::ExactlyOnce);
    let publisher = history.connect("pub", false);
    (history, publisher, sub)
}

/// The broker crashes and is there again.
fn crash(history: &mut History, wires: [Wire; 2]) {
    let host = || "broker".to_owned();
    let (how, kept) = (Down::Crashed, true);
    history.note(What::HostDown {
        host: host(),
        how,
        kept,
    });
    for wire in wires {
        history.cut(wire);
    }
    history.note(What::HostUp { host: host(), kept });
}

#[test]
fn what_was_acknowledged_and_never_came_is_lost_with_the_crash_that_took_it() {
    for (session_present, messages) in [(true, &["one"][..]), (false, &["one", "two"])] {
        let (mut history, publisher, sub) = began();
        history.at(1000).client(publisher, publish(q1(1), "one"));
        history.broker(publisher, puback(1));
        history.at(2000);
        crash(&mut history, [publisher, sub]);
        let publisher = history.at(3000).connect("pub", true);
        history.client(publisher, publish(q1(2), "two"));
        history.broker(publisher, puback(2));
        let sub = history.at(4000).connect("sub", session_present);
        if session_present {
            history.broker(sub, publish(q1(1), "two")).client(sub, puback(1));
        }
        let account = account(history.scenario(), Version::V5, &history.trace());
        let lost: Vec<_> = account
            .lost
            .iter()
            .map(|lost| (lost.message.trim_matches('`'), lost.to.as_str(), lost.crash))
            .collect();
        let expected: Vec<_> = messages
            .iter()
            .map(|message| (*message, "sub", Some(1)))
            .collect();
        assert_eq!(lost, expected);
        assert_eq!((account.acknowledged_qos1, account.acknowledged_qos2), (2, 0));
        assert_eq!(account.crashes[0].after, "broker PUBACK id 1 arrives");
    }
}

#[test]
fn what_comes_again_as_new_at_qos_2_is_a_duplicate_and_nothing_is_lost() {
    let (mut history, publisher, sub) = began();
    history.client(publisher, publish(q2(1), "one"));
    history.broker(publisher, pubrec(1)).client(publisher, pubrel(1));
    history.broker(publisher, pubcomp(1));
    for packet_id in [1, 2] {
        history.send(sub, Side::Broker, publish(q2(packet_id), "one"));
        history
            .client(sub, pubrec(packet_id))
            .broker(sub, pubrel(packet_id));
        history.client(sub, pubcomp(packet_id));
    }
    let account = account(history.scenario(), Version::V5, &history.trace());
    assert_eq!((account.acknowledged_qos2, account.lost), (1, vec![]));
    let [duplicate] = &account.duplicates[..] else {
        panic!("{:?}", account.duplicates)
    };
    assert_eq!((duplicate.to.as_str(), duplicate.times), ("sub", 1));
}
