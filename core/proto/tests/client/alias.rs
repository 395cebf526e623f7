use squall_proto::{
    Packet, Properties, Property, Qos, TopicAlias, Version,
    client::{Input, Message, Options, Ticket},
};

use crate::rig::{Rig, id, one, puback, text, topic};

/// The Topic Name and alias of the next packet, which is a PUBLISH.
fn named(rig: &mut Rig) -> (Option<String>, Option<u16>) {
    let Packet::Publish(publish) = rig.sent() else {
        panic!("expected a PUBLISH")
    };
    let alias = publish.properties.topic_alias().map(TopicAlias::value);
    (publish.topic.map(|topic| topic.to_string()), alias)
}

fn whole(name: &str, alias: u16) -> (Option<String>, Option<u16>) {
    (Some(name.to_owned()), Some(alias))
}

fn options(topic_aliases: u16) -> Options {
    let mut options = Options::persistent(Version::V5, text("c"));
    options.topic_aliases = topic_aliases;
    options
}

fn publish(rig: &mut Rig, name: &str, qos: Qos) {
    let message = Message::new(topic(name), "x".into(), qos);
    rig.handle(Input::Publish(Ticket(1), message));
}

/// [MQTT-3.2.2-17] [MQTT-3.3.2-8] [MQTT-3.3.2-9]
#[test]
fn the_topics_used_last_have_aliases_up_to_the_servers_maximum() {
    let mut rig = Rig::connected_with(options(10), one(Property::TopicAliasMaximum(2)));
    for (name, expected) in [
        ("a", whole("a", 1)),
        ("b", whole("b", 2)),
        ("a", (None, Some(1))),
        ("c", whole("c", 2)),
        ("a", (None, Some(1))),
        ("b", whole("b", 2)),
        ("c", whole("c", 1)),
    ] {
        publish(&mut rig, name, Qos::AtMostOnce);
        assert_eq!(named(&mut rig), expected);
    }
}

/// [MQTT-3.2.2-18]
#[test]
fn there_are_no_aliases_unless_both_sides_want_them() {
    for (ours, theirs) in [(10, Properties::new()), (0, one(Property::TopicAliasMaximum(10)))] {
        let mut rig = Rig::connected_with(options(ours), theirs);
        for _ in 0..2 {
            publish(&mut rig, "a", Qos::AtMostOnce);
            assert_eq!(named(&mut rig), (Some("a".to_owned()), None));
        }
    }
}

/// [MQTT-3.3.2-7]
#[test]
fn what_is_sent_again_has_its_whole_topic_name_and_a_new_connection_new_aliases() {
    let maximum = || one(Property::TopicAliasMaximum(10));
    let mut rig = Rig::connected_with(options(10), maximum());
    for _ in 0..2 {
        publish(&mut rig, "a", Qos::AtLeastOnce);
    }
    rig.discard();
    rig.lose();
    rig.connect(true, maximum());
    for _ in 0..2 {
        assert_eq!(named(&mut rig), (Some("a".to_owned()), None));
    }
    publish(&mut rig, "a", Qos::AtMostOnce);
    assert_eq!(named(&mut rig), whole("a", 1));
    rig.receive(puback(id(1)));
}

/// [MQTT-3.2.2-15]
#[test]
fn an_alias_never_makes_a_packet_larger_than_the_server_takes() {
    for size_max in 5..=20 {
        let limits = [
            Property::TopicAliasMaximum(1),
            Property::MaximumPacketSize(size_max.try_into().unwrap()),
        ];
        let mut rig = Rig::connected_with(options(1), limits.into_iter().collect());
        for bytes in 0..20 {
            let message = Message::new(topic("t"), vec![0; bytes].into(), Qos::AtMostOnce);
            rig.handle(Input::Publish(Ticket(1), message));
            while let Some(packet) = rig.try_sent() {
                let size = squall_proto::encoded_len(Version::V5, (&packet).into());
                assert!(size <= usize::try_from(size_max).unwrap(), "{size} > {size_max}");
            }
        }
        rig.discard();
    }
}
