//! `squall store`: a look at what a broker has kept.

use std::{fs, path::Path, sync::Arc};

use squall_node::broker::{FileStore, Records, Store as _};
use squall_proto::{
    Binary, Instant, Properties, Property, Qos, Text, TopicFilter, TopicName, Will,
    broker::{Content, Owed, Record, Subscription},
};

use crate::program::squall;

/// A store with one of everything: a session with a Will, its subscription, and a retained message that waits for it.
fn fill(file: &Path) {
    let mut records = Records::default();
    let (client_id, topic) = (Text::new("c").unwrap(), TopicName::new("t").unwrap());
    let (filter, properties) = (TopicFilter::new("t/#").unwrap(), Properties::new());
    let will = Will {
        topic: TopicName::new("w").unwrap(),
        payload: Binary::new(&b"gone"[..]).unwrap(),
        qos: Qos::AtLeastOnce,
        retain: false,
        properties: [Property::WillDelayInterval(5)].into_iter().collect(),
    };
    let content = Content {
        topic: &topic,
        payload: &b"\xff\x00"[..].into(),
        qos: Qos::ExactlyOnce,
        properties: &properties,
        expires_at: Some(Instant::from_micros(9)),
    };
    let subscription = Subscription {
        qos: Qos::AtLeastOnce,
        no_local: false,
        retain_as_published: true,
        id: None,
    };
    let delivery = Owed {
        session: 1,
        message: 3,
        qos: Qos::AtLeastOnce,
        retain: true,
        subscription_ids: &[],
        share: None,
    };
    let session = Record::Session {
        session: 1,
        client_id: &client_id,
        expiry: None,
        disconnected_at: Some(Instant::from_micros(7)),
    };
    let will = Record::Will {
        session: 1,
        will: &will,
        due_at: None,
    };
    let subscribed = Record::Subscribed {
        session: 1,
        filter: &filter,
        subscription,
    };
    let retained = Record::Retained {
        topic: &topic,
        message: 3,
    };
    let message = Record::Message { message: 3, content };
    let queued = Record::Queued { order: 2, delivery };
    for record in [session, will, subscribed, message, retained, queued] {
        records.push(&record);
    }
    let mut store = FileStore::open(file).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(store.commit(Arc::new(records))).unwrap();
}

fn filled() -> (tempfile::TempDir, String, String) {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("broker.redb");
    fill(&file);
    let name = |path: &Path| path.to_str().unwrap().to_owned();
    let (path, file) = (name(directory.path()), name(&file));
    (directory, path, file)
}

#[test]
fn a_store_that_is_whole_says_how_much_is_in_it_and_is_left_as_it_is() {
    let (_directory, directory, file) = filled();
    let before = fs::read(&file).unwrap();
    for place in [&directory, &file] {
        let checked = squall(&["store", "check", place]);
        assert_eq!(checked.code, Some(0), "{}", checked.err);
        let counts = "is whole: format 1\nsessions       1\nsubscriptions  1\nWills          1\n\
                      deliveries     1\nmessages       1\nretained       1\n";
        assert!(checked.out.ends_with(counts), "{}", checked.out);
    }
    assert!(fs::read(&file).unwrap() == before);
}

#[test]
fn all_that_is_kept_is_exported_a_line_each() {
    let (_directory, directory, _) = filled();
    let exported = squall(&["store", "export", &directory]);
    assert_eq!(exported.code, Some(0), "{}", exported.err);
    let lines: Vec<&str> = exported.out.lines().collect();
    let expected = [
        r#"{"client_id":"c","disconnected_at":7,"expires_after_seconds":null,"session":1,"type":"session"}"#,
        r#"{"due_at":null,"payload":"gone","qos":1,"retain":false,"session":1,"topic":"w","type":"will","will_delay_seconds":5}"#,
        r#"{"filter":"t/#","no_local":false,"qos":1,"retain_as_published":true,"session":1,"subscription_id":null,"type":"subscription"}"#,
        r#"{"expires_at":9,"message":3,"payload_base64":"/wA=","qos":2,"topic":"t","type":"message"}"#,
        r#"{"message":3,"topic":"t","type":"retained"}"#,
        r#"{"message":3,"order":2,"qos":1,"retain":true,"session":1,"shared_subscription":null,"subscription_ids":[],"type":"delivery"}"#,
    ];
    assert_eq!(lines, expected);
}

#[test]
fn a_damaged_store_is_found_and_what_can_be_read_is_exported() {
    let (_directory, _, file) = filled();
    let mut bytes = fs::read(&file).unwrap();
    for at in 0..bytes.len() {
        if bytes[at..].starts_with(b"gone") {
            bytes[at] = b'G';
        }
    }
    fs::write(&file, &bytes).unwrap();
    let checked = squall(&["store", "check", &file]);
    assert_eq!(checked.code, Some(1), "{}", checked.err);
    assert!(
        checked.out.contains("broker.redb is damaged") && checked.out.contains("squall store export"),
        "{}",
        checked.out
    );
    let exported = squall(&["store", "export", &file]);
    assert!(exported.out.contains(r#""client_id":"c""#), "{}", exported.out);
    fs::write(&file, &bytes[..bytes.len() / 2]).unwrap();
    assert_eq!(squall(&["store", "check", &file]).code, Some(1));
    let exported = squall(&["store", "export", &file]);
    assert_eq!(exported.code, Some(1), "{}", exported.err);
    assert!(
        exported.out.contains(r#""type":"unreadable""#),
        "{}",
        exported.out
    );
}

#[test]
fn a_store_in_use_and_one_that_is_not_there_are_wrong_use() {
    let (_directory, directory, file) = filled();
    let _broker = FileStore::open(&file).unwrap();
    for what in ["check", "export"] {
        let refused = squall(&["store", what, &directory]);
        assert_eq!(refused.code, Some(2), "{}", refused.out);
        assert!(
            refused.err.contains("is used by a broker") && refused.err.contains("stop it first"),
            "{}",
            refused.err
        );
        let refused = squall(&["store", what, "nowhere"]);
        assert_eq!(refused.code, Some(2));
        assert!(refused.err.contains("there is no nowhere"), "{}", refused.err);
    }
}
