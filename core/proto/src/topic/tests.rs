use super::*;

fn name(name: &str) -> TopicName {
    TopicName::new(name).unwrap()
}

fn filter(filter: &str) -> TopicFilter {
    TopicFilter::new(filter).unwrap()
}

fn refusal(filter: &str) -> Option<TopicError> {
    TopicFilter::new(filter).err()
}

#[test]
fn any_text_without_wildcards_is_a_topic_name() {
    for topic in [
        "a",
        "/",
        "//",
        "a/",
        "/a",
        "a b/ c",
        "$SYS/x",
        "$share/a/b",
        "é/\u{FEFF}",
    ] {
        assert_eq!(TopicName::new(topic).as_deref(), Ok(topic));
    }
}

/// [MQTT-4.7.0-1] [MQTT-4.7.3-1] [MQTT-4.7.3-2] [v3 MQTT-4.7.1-1] [v3 MQTT-4.7.3-1] [v3 MQTT-4.7.3-2]
#[test]
fn a_topic_name_has_no_wildcard_and_is_not_empty() {
    assert_eq!(TopicName::new(""), Err(TopicError::Empty));
    assert_eq!(TopicName::new("a\0"), Err(TopicError::Text(TextError::Null)));
    for topic in ["+", "#", "a+", "a/+/b", "a/#", "a#b", "0123456789abcdef+"] {
        assert_eq!(TopicName::new(topic), Err(TopicError::WildcardInName), "{topic}");
    }
}

#[test]
fn wildcards_that_fill_their_level_make_a_topic_filter() {
    for topic in [
        "#", "+", "/+", "+/", "+/+", "a/#", "a/+/b/#", "+/#", "/#", "//", "$SYS/#", "a b",
    ] {
        assert_eq!(refusal(topic), None, "{topic}");
    }
}

/// [MQTT-4.7.1-1] [v3 MQTT-4.7.1-2]
#[test]
fn the_multi_level_wildcard_stands_alone_and_last() {
    for topic in ["a#", "#a", "a/b#", "#/a", "a/#/b", "##", "#/#", "+#", "#+", "#/"] {
        assert_eq!(refusal(topic), Some(TopicError::MultiLevelWildcard), "{topic}");
    }
}

/// [MQTT-4.7.1-2] [v3 MQTT-4.7.1-3]
#[test]
fn the_single_level_wildcard_fills_its_level() {
    for topic in ["a+", "+a", "a/b+", "++", "a/+b/c", "+a/#"] {
        assert_eq!(refusal(topic), Some(TopicError::SingleLevelWildcard), "{topic}");
    }
}

/// [MQTT-4.7.3-1] [v3 MQTT-4.7.3-1]
#[test]
fn a_topic_filter_is_not_empty() {
    assert_eq!(refusal(""), Some(TopicError::Empty));
}

#[test]
fn a_shared_subscription_is_a_share_name_and_a_filter() {
    for (text, share_name, levels) in [
        ("$share/g/a/b", "g", "a/b"),
        ("$share/g/#", "g", "#"),
        ("$share/g//", "g", "/"),
        ("$share/a b/+/c", "a b", "+/c"),
        ("$share/g/$share/h/a", "g", "$share/h/a"),
    ] {
        let filter = filter(text);
        assert_eq!((filter.share_name(), filter.levels()), (Some(share_name), levels));
    }
    for text in ["$share", "$shared/g/a", "a/$share/g/b", "$SHARE/g/a"] {
        let filter = filter(text);
        assert_eq!((filter.share_name(), filter.levels()), (None, text));
    }
}

#[test]
fn in_3_1_1_share_is_a_level_like_any_other() {
    for text in [
        "$share/g/a/b",
        "$share/g/#",
        "$share/",
        "$share//a",
        "$share/+/a",
        "$share/g",
    ] {
        let filter = TopicFilter::not_shared(Text::new(text).unwrap()).unwrap();
        assert_eq!((filter.share_name(), filter.levels()), (None, text));
    }
    let filter = TopicFilter::not_shared(Text::new("$share/g/+").unwrap()).unwrap();
    assert!(filter.matches(&name("$share/g/a")) && !filter.matches(&name("a")));
    let shared = TopicFilter::new("$share/g/+").unwrap();
    assert_ne!(filter, shared, "they are two subscriptions");
    let refused = TopicFilter::not_shared(Text::new("$share/g/a+").unwrap());
    assert_eq!(refused, Err(TopicError::SingleLevelWildcard));
}

/// [MQTT-4.8.2-1] [MQTT-4.8.2-2]
#[test]
fn a_share_name_is_not_empty_has_no_wildcard_and_a_filter_follows() {
    for (text, error) in [
        ("$share/", TopicError::EmptyShareName),
        ("$share//a", TopicError::EmptyShareName),
        ("$share/+/a", TopicError::WildcardInShareName),
        ("$share/g#/a", TopicError::WildcardInShareName),
        ("$share/#", TopicError::WildcardInShareName),
        ("$share/g", TopicError::ShareWithoutFilter),
        ("$share/g/", TopicError::ShareWithoutFilter),
        ("$share/g/a#", TopicError::MultiLevelWildcard),
        ("$share/g/a+", TopicError::SingleLevelWildcard),
    ] {
        assert_eq!(refusal(text), Some(error), "{text}");
    }
}

/// The examples of section 4.7, and what lies between them. [MQTT-4.7.2-1] [MQTT-4.7.3-4] [v3 MQTT-4.7.2-1]
/// [v3 MQTT-4.7.3-4]
#[test]
fn a_filter_matches_level_by_level() {
    for (filter_text, matched, not_matched) in [
        (
            "sport/tennis/player1/#",
            &["sport/tennis/player1", "sport/tennis/player1/ranking/x"][..],
            &["sport/tennis", "sport/tennis/player10"][..],
        ),
        (
            "sport/#",
            &["sport", "sport/", "sport/a/b"],
            &["sports", "Sport", "/sport"],
        ),
        (
            "sport/tennis/+",
            &["sport/tennis/player1", "sport/tennis/"],
            &["sport/tennis", "sport/tennis/a/b"],
        ),
        ("sport/+", &["sport/"], &["sport"]),
        ("+", &["finance", "a b"], &["/finance", "a/", "$SYS"]),
        ("/+", &["/finance", "/"], &["finance", "/a/b"]),
        ("+/+", &["/finance", "/", "a/b"], &["a", "a/b/c", "$SYS/a"]),
        (
            "+/monitor/Clients",
            &["a/monitor/Clients"],
            &["$SYS/monitor/Clients"],
        ),
        ("$SYS/#", &["$SYS", "$SYS/monitor/Clients"], &["SYS", "$sys"]),
        ("$SYS/monitor/+", &["$SYS/monitor/Clients"], &["$SYS/monitor"]),
        ("#", &["a", "/", "a/b/c"], &["$SYS", "$a/b"]),
        ("a//b", &["a//b"], &["a/b", "a/ /b"]),
        ("a/+/b", &["a//b", "a/$x/b"], &["a/b", "a/x/y/b"]),
        ("é", &["é"], &["e\u{301}"]),
        ("$share/g/a/+", &["a/b"], &["g/a/b", "$share/g/a/b"]),
    ] {
        let filter = filter(filter_text);
        for topic in matched {
            assert!(filter.matches(&name(topic)), "{filter_text} matches {topic}");
        }
        for topic in not_matched {
            assert!(
                !filter.matches(&name(topic)),
                "{filter_text} does not match {topic}"
            );
        }
    }
}
