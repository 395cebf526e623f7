//! Topic Aliases that the broker gives.

use core::num::NonZeroU32;

use squall_proto::{
    Connect, Delivery, Packet, Property, Publish, Qos, Version,
    broker::{Drop, Limits, Note},
    encoded_len,
};

use crate::table::{Table, ack, id, publish};

const TOPIC: &str = "a/topic/with/a/name";

/// A client that takes so many Topic Aliases, subscribed to everything, and a publisher.
fn table(aliases: u16, more: Option<Property>) -> Table {
    let mut t = Table::new(Version::V5);
    let connect = taking(&t, aliases, more);
    t.connect_as("sub", connect);
    t.subscribe("sub", "#", Qos::ExactlyOnce);
    t.connect("pub");
    t
}

fn taking(t: &Table, aliases: u16, more: Option<Property>) -> Connect {
    let mut connect = t.persistent("sub");
    connect.properties.push(Property::TopicAliasMaximum(aliases));
    if let Some(more) = more {
        connect.properties.push(more);
    }
    connect
}

/// The Topic Name, if any, and the Topic Alias of the next PUBLISH.
fn next(t: &mut Table) -> (Option<String>, Option<u16>) {
    let publish = t.next_publish("sub");
    let alias = publish.properties.topic_alias().map(|alias| alias.value());
    (publish.topic.map(|topic| topic.to_string()), alias)
}

fn say(t: &mut Table, topic: &str, delivery: Delivery) {
    t.send("pub", Packet::Publish(publish(topic, "x", delivery)));
}

fn whole(topic: &str, alias: Option<u16>) -> (Option<String>, Option<u16>) {
    (Some(topic.to_owned()), alias)
}

/// [MQTT-3.1.2-26] [MQTT-3.3.2-11]
#[test]
fn a_topic_comes_with_its_alias_once_and_then_by_the_alias_alone() {
    let mut t = table(2, None);
    for topic in [TOPIC, TOPIC, "other/topic", "third/topic", TOPIC, "other/topic"] {
        say(&mut t, topic, Delivery::AtMostOnce);
    }
    assert_eq!(next(&mut t), whole(TOPIC, Some(1)));
    assert_eq!(next(&mut t), (None, Some(1)));
    assert_eq!(next(&mut t), whole("other/topic", Some(2)));
    assert_eq!(next(&mut t), whole("third/topic", None));
    assert_eq!(next(&mut t), (None, Some(1)));
    assert_eq!(next(&mut t), (None, Some(2)));
}

/// [MQTT-3.1.2-27]
#[test]
fn a_client_that_takes_no_aliases_and_a_broker_that_gives_none_write_topics_out() {
    let mut none = table(0, None);
    let limits = Limits {
        topic_aliases_sent: 0,
        ..Limits::default()
    };
    let mut gives_none = Table::with_limits(Version::V5, limits);
    let connect = taking(&gives_none, 9, None);
    gives_none.connect_as("sub", connect);
    gives_none.subscribe("sub", "#", Qos::AtMostOnce);
    gives_none.connect("pub");
    for t in [&mut none, &mut gives_none] {
        say(t, TOPIC, Delivery::AtMostOnce);
        say(t, TOPIC, Delivery::AtMostOnce);
        assert_eq!(next(t), whole(TOPIC, None));
        assert_eq!(next(t), whole(TOPIC, None));
    }
}

/// [MQTT-3.3.2-7]
#[test]
fn a_new_connection_knows_no_alias_and_what_is_sent_again_has_its_topic() {
    let mut t = table(2, None);
    say(&mut t, TOPIC, Delivery::AtMostOnce);
    say(&mut t, TOPIC, Delivery::AtLeastOnce(id(7)));
    assert_eq!(next(&mut t), whole(TOPIC, Some(1)));
    assert_eq!(next(&mut t), (None, Some(1)));
    t.cut("sub");
    let connect = taking(&t, 0, None);
    t.connect_as("sub", connect);
    assert_eq!(next(&mut t), whole(TOPIC, None));
    t.cut("sub");
    let connect = taking(&t, 2, None);
    t.connect_as("sub", connect);
    assert_eq!(next(&mut t), whole(TOPIC, Some(1)));
    t.send("sub", Packet::Puback(ack(1)));
}

#[test]
fn a_qos_2_message_has_its_whole_topic() {
    let mut t = table(2, None);
    say(&mut t, TOPIC, Delivery::AtMostOnce);
    assert_eq!(next(&mut t), whole(TOPIC, Some(1)));
    say(&mut t, TOPIC, Delivery::ExactlyOnce(id(7)));
    assert_eq!(next(&mut t), whole(TOPIC, None));
}

/// How large a PUBLISH to [`TOPIC`] is, written out.
fn size() -> u32 {
    let whole = Packet::Publish(publish(TOPIC, "x", Delivery::AtMostOnce));
    u32::try_from(encoded_len(Version::V5, (&whole).into())).unwrap()
}

/// [MQTT-3.1.2-24] [MQTT-3.1.2-25]
#[test]
fn a_message_too_large_to_be_sent_introduces_no_alias() {
    let size_max = Property::MaximumPacketSize(NonZeroU32::new(size() + 3).unwrap());
    let mut t = table(2, Some(size_max));
    let large = Publish {
        payload: "xy".into(),
        ..publish(TOPIC, "", Delivery::AtMostOnce)
    };
    t.send("pub", Packet::Publish(large));
    assert_eq!(next(&mut t), whole(TOPIC, None), "it fits without an alias");
    say(&mut t, TOPIC, Delivery::AtMostOnce);
    assert_eq!(next(&mut t), whole(TOPIC, Some(1)));
    let other = "b/topic/with/a/name";
    let too_large = Publish {
        payload: vec![0; 30].into(),
        ..publish(other, "", Delivery::AtMostOnce)
    };
    t.send("pub", Packet::Publish(too_large));
    t.expect_nothing("sub");
    let dropped = |note: &Note| {
        matches!(
            note,
            Note::Dropped {
                why: Drop::TooLarge,
                ..
            }
        )
    };
    assert!(t.out.notes.iter().any(dropped));
    say(&mut t, other, Delivery::AtMostOnce);
    assert_eq!(next(&mut t), whole(other, Some(2)));
}
