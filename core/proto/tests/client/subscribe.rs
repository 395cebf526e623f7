use squall_proto::{
    Packet, Properties, Property, Qos, ReasonCode, RetainHandling, SubscriptionId, SubscriptionOptions,
    TopicFilter, Unsuback, Version,
    client::{Event, Failure, Input, Misuse, Options, Resubscribe, Subscription, Ticket, Unsubscription},
};

use crate::rig::{Rig, filter, id, one, suback, text};

fn subscribe(rig: &mut Rig, subscription: Subscription) {
    rig.handle(Input::Subscribe(Ticket(1), subscription));
}

#[test]
fn suback_finishes_a_subscribe_with_a_reason_code_a_filter() {
    for version in Version::ALL {
        let mut rig = Rig::persistent(version);
        let mut subscription = Subscription::new(filter("a"), Qos::AtLeastOnce);
        let options = SubscriptionOptions::default();
        subscription.filters.push((filter("b/+"), options));
        subscribe(&mut rig, subscription);
        assert!(matches!(rig.sent(), Packet::Subscribe(packet) if packet.filters.len() == 2));
        let codes = [ReasonCode::GrantedQos1, ReasonCode::UnspecifiedError];
        rig.receive(suback(id(1), &codes));
        let result = Ok(codes.to_vec());
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
fn unsuback_finishes_an_unsubscribe_and_the_subscription_is_not_renewed() {
    for version in Version::ALL {
        let mut rig = Rig::persistent(version);
        rig.subscribe(1, "a", Qos::AtLeastOnce);
        rig.receive(suback(id(1), &[ReasonCode::GrantedQos1]));
        rig.unsubscribe(2, "a");
        rig.discard();
        let reason_codes = match version {
            Version::V3_1_1 => vec![],
            Version::V5 => vec![ReasonCode::Success],
        };
        rig.receive(Packet::Unsuback(Unsuback {
            packet_id: id(2),
            reason_codes: reason_codes.clone(),
            properties: Properties::new(),
        }));
        let result = Ok(reason_codes);
        assert_eq!(
            rig.event(),
            Event::Unsubscribed {
                ticket: Ticket(2),
                result
            }
        );
        rig.lose();
        rig.connect(false, Properties::new());
        rig.assert_quiet();
    }
}

#[test]
fn a_lost_session_renews_subscriptions_with_their_options_and_identifiers() {
    let mut rig = Rig::persistent(Version::V5);
    let mut subscription = Subscription::new(filter("a"), Qos::AtLeastOnce);
    subscription.filters[0].1.no_local = true;
    let properties = one(Property::SubscriptionIdentifier(SubscriptionId::new(9).unwrap()));
    subscription.properties = properties.clone();
    subscribe(&mut rig, subscription.clone());
    rig.subscribe(2, "b", Qos::AtMostOnce);
    rig.receive(suback(id(1), &[ReasonCode::GrantedQos1]));
    rig.receive(suback(id(2), &[ReasonCode::Success]));
    rig.discard();
    rig.lose();
    rig.connect(false, Properties::new());
    let Packet::Subscribe(first) = rig.sent() else {
        panic!("the first is renewed")
    };
    assert_eq!(
        (first.filters, first.properties),
        (subscription.filters, properties)
    );
    assert!(matches!(rig.sent(), Packet::Subscribe(second) if second.properties.is_empty()));
    rig.assert_quiet();
}

/// [MQTT-3.8.3-2] [MQTT-3.8.3-4] [MQTT-3.10.3-2] [v3 MQTT-3.8.3-3] [v3 MQTT-3.10.3-2]
#[test]
fn what_no_subscribe_may_say_is_misuse() {
    let empty = Subscription {
        filters: vec![],
        properties: Properties::new(),
    };
    let mut no_local = Subscription::new(filter("$share/g/a"), Qos::AtMostOnce);
    no_local.filters[0].1.no_local = true;
    let mut options = Subscription::new(filter("a"), Qos::AtMostOnce);
    options.filters[0].1.retain_as_published = true;
    let cases = [
        (Version::V3_1_1, empty.clone(), Misuse::NoTopicFilter),
        (Version::V5, empty, Misuse::NoTopicFilter),
        (Version::V5, no_local, Misuse::NoLocalOnShared),
        (
            Version::V3_1_1,
            options,
            Misuse::NeedsVersion5("subscription options"),
        ),
    ];
    for (version, subscription, misuse) in cases {
        let mut rig = Rig::persistent(version);
        subscribe(&mut rig, subscription);
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
fn an_unsubscribe_from_nothing_is_misuse() {
    for version in Version::ALL {
        let mut rig = Rig::persistent(version);
        let nothing = Unsubscription {
            filters: vec![],
            properties: Properties::new(),
        };
        rig.handle(Input::Unsubscribe(Ticket(1), nothing));
        let result = Err(Failure::Misuse(Misuse::NoTopicFilter));
        assert_eq!(
            rig.event(),
            Event::Unsubscribed {
                ticket: Ticket(1),
                result
            }
        );
    }
}

/// What a client with this mode subscribes to when it connects again.
fn renewed(version: Version, resubscribe: Resubscribe, session_present: bool) -> Vec<SubscriptionOptions> {
    let mut options = Options::persistent(version, text("c"));
    options.resubscribe = resubscribe;
    let mut rig = Rig::connected(options);
    rig.subscribe(1, "a", Qos::AtLeastOnce);
    rig.subscribe(2, "refused", Qos::AtLeastOnce);
    rig.receive(suback(id(1), &[ReasonCode::GrantedQos1]));
    rig.receive(suback(id(2), &[ReasonCode::UnspecifiedError]));
    rig.discard();
    rig.lose();
    rig.connect(session_present, Properties::new());
    if rig.is_quiet() {
        return Vec::new();
    }
    let Packet::Subscribe(subscribe) = rig.sent() else {
        panic!("expected a SUBSCRIBE")
    };
    rig.assert_quiet();
    let options = |(filter, options): (TopicFilter, SubscriptionOptions)| {
        assert_eq!(&*filter, "a", "what was refused is not asked for again");
        options
    };
    subscribe.filters.into_iter().map(options).collect()
}

#[test]
fn what_was_granted_is_renewed_as_the_mode_says() {
    let as_asked = SubscriptionOptions {
        qos: Qos::AtLeastOnce,
        ..SubscriptionOptions::default()
    };
    for version in Version::ALL {
        for (resubscribe, session_present, is_renewed) in [
            (Resubscribe::Always, false, true),
            (Resubscribe::WhenSessionLost, false, true),
            (Resubscribe::WhenSessionLost, true, false),
            (Resubscribe::Never, false, false),
            (Resubscribe::Never, true, false),
        ] {
            let renewed = renewed(version, resubscribe, session_present);
            let expected = if is_renewed { vec![as_asked] } else { Vec::new() };
            assert_eq!(renewed, expected, "{version:?} {resubscribe:?} {session_present}");
        }
    }
}

#[test]
fn a_renewal_that_the_server_need_not_have_asks_for_no_retained_messages_in_5_0() {
    let handling = |version| {
        let renewed = renewed(version, Resubscribe::Always, true);
        renewed
            .into_iter()
            .map(|options| options.retain_handling)
            .collect::<Vec<_>>()
    };
    assert_eq!(handling(Version::V5), [RetainHandling::SendIfNew]);
    assert_eq!(handling(Version::V3_1_1), [RetainHandling::Send]);
}

#[test]
fn a_renewal_leaves_what_the_application_asked_for_as_it_was() {
    let mut options = Options::persistent(Version::V5, text("c"));
    options.resubscribe = Resubscribe::Always;
    let mut rig = Rig::connected(options);
    rig.subscribe(1, "a", Qos::AtLeastOnce);
    rig.receive(suback(id(1), &[ReasonCode::GrantedQos1]));
    for (session_present, expected) in [(true, RetainHandling::SendIfNew), (false, RetainHandling::Send)] {
        rig.discard();
        rig.lose();
        rig.connect(session_present, Properties::new());
        let Packet::Subscribe(subscribe) = rig.sent() else {
            panic!("expected a SUBSCRIBE")
        };
        let handling: Vec<_> = subscribe
            .filters
            .iter()
            .map(|(_, options)| options.retain_handling)
            .collect();
        assert_eq!(handling, [expected]);
        rig.receive(suback(subscribe.packet_id, &[ReasonCode::GrantedQos1]));
        rig.subscribe(2, "b", Qos::AtMostOnce);
    }
}
