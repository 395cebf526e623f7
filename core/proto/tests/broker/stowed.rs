//! What waits beyond the room in memory is in the store alone, and nobody notices.

use std::time::Duration;

use squall_proto::{
    Delivery, Packet, Property, Publish, Qos, Version,
    broker::{Drop, Limits, Note, Saved},
};

use crate::table::{Seen, Table, ack, delivery, id, publish, subscribe};

const SECOND: Duration = Duration::from_secs(1);

/// A session that is away and a publisher, with room in memory for so many bytes.
fn away(version: Version, queue_in_memory: usize) -> Table {
    let limits = Limits {
        queue_in_memory,
        ..Limits::default()
    };
    let mut t = Table::with_limits(version, limits);
    t.connect_as("sub", t.persistent("sub"));
    t.subscribe("sub", "t", Qos::ExactlyOnce);
    t.cut("sub");
    t.connect("pub");
    t
}

fn say(t: &mut Table, qos: Qos, payload: &'static str) {
    t.send("pub", Packet::Publish(publish("t", payload, delivery(qos, 7))));
    if qos == Qos::ExactlyOnce {
        t.send("pub", Packet::Pubrel(ack(7)));
    }
}

/// How many messages the broker waits for.
fn wanted(t: &Table) -> usize {
    t.out.fetches.iter().map(|fetch| fetch.messages().len()).sum()
}

fn dropped(t: &Table) -> Vec<Drop> {
    let dropped = t.out.notes.iter().filter_map(|note| match note {
        Note::Dropped { why, .. } => Some(*why),
        _ => None,
    });
    dropped.collect()
}

/// [MQTT-4.6.0-6] [v3 MQTT-4.6.0-6]
#[test]
fn what_waits_in_memory_and_in_the_store_comes_in_one_order() {
    for version in Version::ALL {
        // Two messages of three bytes find room.
        let mut t = away(version, 6);
        for (qos, payload) in [
            (Qos::AtLeastOnce, "m1"),
            (Qos::ExactlyOnce, "m2"),
            (Qos::AtLeastOnce, "s3"),
            (Qos::ExactlyOnce, "s4"),
        ] {
            say(&mut t, qos, payload);
        }
        t.out.reads_slowly = true;
        t.connect_as("sub", t.persistent("sub"));
        assert_eq!(t.take_payloads("sub"), ["m1", "m2"]);
        say(&mut t, Qos::AtLeastOnce, "5");
        t.expect_nothing("sub");
        assert_eq!((t.out.fetches.len(), wanted(&t)), (1, 2), "each once");
        t.answer_fetches();
        assert_eq!(t.take_payloads("sub"), ["s3", "s4", "5"]);
        assert_eq!(t.counts().unfinished_messages, 0);
        assert_eq!(
            (t.out.saved.delivery_count(), t.out.saved.message_count()),
            (0, 0)
        );
    }
}

#[test]
fn a_message_counts_once_however_many_wait_and_makes_room_when_it_is_sent() {
    let mut t = away(Version::V5, 3);
    t.connect_as("other", t.persistent("other"));
    t.subscribe("other", "t", Qos::AtLeastOnce);
    t.cut("other");
    say(&mut t, Qos::AtLeastOnce, "m1");
    t.out.reads_slowly = true;
    for name in ["sub", "other"] {
        t.connect_as(name, t.persistent(name));
        assert_eq!(t.take_payloads(name), ["m1"]);
        t.cut(name);
    }
    say(&mut t, Qos::AtLeastOnce, "m2");
    t.connect_as("sub", t.persistent("sub"));
    assert_eq!(t.take_payloads("sub"), ["m2"]);
    assert_eq!(wanted(&t), 0);
}

#[test]
fn no_more_is_fetched_at_a_time_than_the_window_takes() {
    let limits = Limits {
        queue_in_memory: 0,
        inflight: 20,
        ..Limits::default()
    };
    let mut t = Table::with_limits(Version::V5, limits);
    t.connect_as("sub", t.persistent("sub"));
    t.subscribe("sub", "t", Qos::AtLeastOnce);
    t.cut("sub");
    t.connect("pub");
    for _ in 0..50 {
        say(&mut t, Qos::AtLeastOnce, "m");
    }
    t.out.reads_slowly = true;
    t.connect_as("sub", t.persistent("sub"));
    assert_eq!(wanted(&t), 20);
    t.out.reads_slowly = false;
    t.answer_fetches();
    assert_eq!(t.take_payloads("sub").len(), 50);
}

/// [MQTT-4.4.0-1] [v3 MQTT-4.4.0-1]
#[test]
fn a_crash_in_the_middle_of_a_fetch_loses_nothing() {
    for version in Version::ALL {
        let mut t = away(version, 0);
        for payload in ["1", "2", "3"] {
            say(&mut t, Qos::AtLeastOnce, payload);
        }
        t.out.reads_slowly = true;
        t.connect_as("sub", t.persistent("sub"));
        assert_eq!(wanted(&t), 3);
        t.crash(SECOND);
        t.connect_as("sub", t.persistent("sub"));
        t.answer_fetches();
        let first = t.next_publish("sub");
        assert_eq!(first, publish("t", "1", Delivery::AtLeastOnce(id(1))));
        t.crash(SECOND);
        t.out.reads_slowly = false;
        t.connect_as("sub", t.persistent("sub"));
        // [MQTT-3.3.1-1] [v3 MQTT-3.3.1-1] All three had left.
        assert_eq!(t.next_publish("sub"), Publish { dup: true, ..first });
        t.send("sub", Packet::Puback(ack(1)));
        assert_eq!(t.take_payloads("sub"), ["2", "3"]);
        assert_eq!(
            (t.out.saved.delivery_count(), t.out.saved.message_count()),
            (0, 0)
        );
    }
}

#[test]
fn what_comes_for_a_client_that_has_gone_waits_on_for_the_next_connection() {
    let mut t = away(Version::V5, 0);
    for payload in ["1", "2"] {
        say(&mut t, Qos::AtLeastOnce, payload);
    }
    t.out.reads_slowly = true;
    t.connect_as("sub", t.persistent("sub"));
    t.cut("sub");
    t.answer_fetches();
    t.connect_as("sub", t.persistent("sub"));
    t.cut("sub");
    t.connect_as("sub", t.persistent("sub"));
    assert_eq!(t.out.fetches.len(), 1, "one at a time");
    t.answer_fetches();
    assert_eq!(t.take_payloads("sub"), ["1", "2"]);
}

/// [MQTT-3.3.2-5]
#[test]
fn a_message_that_expires_in_the_store_or_on_its_way_is_not_sent() {
    let mut t = away(Version::V5, 0);
    for (payload, seconds) in [("1", 2), ("2", 5), ("3", 100)] {
        let expiring = Publish {
            properties: [Property::MessageExpiryInterval(seconds)].into_iter().collect(),
            ..publish("t", payload, Delivery::AtLeastOnce(id(7)))
        };
        t.send("pub", Packet::Publish(expiring));
    }
    t.out.reads_slowly = true;
    t.wait(3 * SECOND);
    t.connect_as("sub", t.persistent("sub"));
    assert_eq!(wanted(&t), 2, "the first is over");
    t.wait(3 * SECOND);
    t.answer_fetches();
    let only = t.next_publish("sub");
    assert_eq!(only.payload, "3");
    assert_eq!(only.properties.message_expiry_interval(), Some(94));
    t.expect_nothing("sub");
    assert_eq!(dropped(&t), [Drop::Expired, Drop::Expired]);
    assert_eq!(t.out.saved.message_count(), 1);
}

#[test]
fn a_session_that_ends_is_forgotten_with_all_that_waited_and_nothing_is_read() {
    let mut t = away(Version::V5, 0);
    for _ in 0..20 {
        say(&mut t, Qos::ExactlyOnce, "m");
    }
    t.out.reads_slowly = true;
    t.connect("sub");
    t.disconnect("sub");
    assert_eq!(wanted(&t), 0);
    assert_eq!(t.out.saved, Saved::new());
}

#[test]
fn limits_of_a_queue_count_what_is_in_the_store() {
    let limits = Limits {
        queue_in_memory: 0,
        queued_messages: 3,
        queued_bytes: 7,
        ..Limits::default()
    };
    let mut t = Table::with_limits(Version::V5, limits);
    t.connect_as("sub", t.persistent("sub"));
    t.subscribe("sub", "t", Qos::AtLeastOnce);
    t.cut("sub");
    t.connect("pub");
    for payload in ["1", "22", "33", "4", "5"] {
        say(&mut t, Qos::AtLeastOnce, payload);
    }
    t.crash(SECOND);
    t.connect("pub");
    say(&mut t, Qos::AtLeastOnce, "6");
    t.connect_as("sub", t.persistent("sub"));
    assert_eq!(t.take_payloads("sub"), ["1", "22", "4"]);
    assert_eq!(dropped(&t), [Drop::QueueFull; 3]);
}

/// Section 4.8.2: to a session that ends with its connection, so that its message is on record for the time of the way alone.
#[test]
fn what_is_stored_is_handed_on_within_its_group_to_a_session_that_is_not_on_record() {
    for qos in [Qos::AtLeastOnce, Qos::ExactlyOnce] {
        let mut t = Table::new(Version::V5);
        t.connect_as("kept", t.persistent("kept"));
        t.subscribe("kept", "$share/g/t", qos);
        t.cut("kept");
        t.connect("pub");
        say(&mut t, qos, "m");
        say(&mut t, qos, "n");
        t.connect("clean");
        t.subscribe("clean", "$share/g/t", qos);
        t.out.reads_slowly = true;
        t.connect("kept");
        t.expect_nothing("clean");
        assert_eq!(
            (t.out.saved.delivery_count(), t.out.saved.message_count()),
            (0, 2)
        );
        t.answer_fetches();
        assert_eq!(t.take_payloads("clean"), ["m", "n"]);
        assert_eq!(t.out.saved, Saved::new());
    }
}

/// A message waits in the store for `kept`, the only member of a group, who is away.
fn waiting_for_the_only_member() -> Table {
    let mut t = Table::new(Version::V5);
    t.connect_as("kept", t.persistent("kept"));
    t.subscribe("kept", "$share/g/t", Qos::AtLeastOnce);
    t.cut("kept");
    t.connect("pub");
    say(&mut t, Qos::AtLeastOnce, "m");
    t
}

#[test]
fn what_is_stored_and_handed_on_is_forgotten_with_the_last_who_could_have_it() {
    let mut t = waiting_for_the_only_member();
    t.connect("clean");
    t.subscribe("clean", "$share/g/t", Qos::AtLeastOnce);
    t.out.reads_slowly = true;
    t.connect("kept");
    t.cut("clean");
    t.cut("kept");
    t.answer_fetches();
    assert_eq!(t.out.saved, Saved::new());
}

/// A delivery at QoS 0 is worth no reading.
#[test]
fn what_is_stored_is_not_handed_on_at_qos_0() {
    let mut t = waiting_for_the_only_member();
    t.connect("other");
    t.subscribe("other", "$share/g/t", Qos::AtMostOnce);
    t.connect("kept");
    t.expect_nothing("other");
    assert_eq!(dropped(&t), [Drop::NotRead]);
    assert_eq!(t.out.saved, Saved::new());
}

#[test]
fn a_message_that_the_store_has_lost_holds_back_none_of_the_others() {
    let mut t = away(Version::V5, 0);
    say(&mut t, Qos::AtLeastOnce, "lost");
    t.lose_messages();
    say(&mut t, Qos::ExactlyOnce, "there");
    t.connect_as("sub", t.persistent("sub"));
    assert_eq!(t.take_payloads("sub"), ["there"]);
    assert_eq!(dropped(&t), [Drop::NotRead]);
    assert_eq!(
        (t.out.saved.delivery_count(), t.out.saved.message_count()),
        (0, 0)
    );
}

#[test]
fn who_retains_a_message_has_it_whole_while_it_waits_in_the_store_for_others() {
    let mut t = away(Version::V5, 0);
    let retained = Publish {
        retain: true,
        ..publish("t", "kept", Delivery::AtLeastOnce(id(7)))
    };
    t.send("pub", Packet::Publish(retained));
    t.crash(SECOND);
    t.connect("new");
    t.send("new", subscribe("t", Default::default()));
    assert!(matches!(t.next("new"), Some(Seen::Packet(Packet::Suback(_)))));
    assert_eq!(t.next_publish("new").payload, "kept");
    t.connect_as("sub", t.persistent("sub"));
    assert_eq!(t.take_payloads("sub"), ["kept"]);
}
