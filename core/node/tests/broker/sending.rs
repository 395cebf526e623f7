use bytes::Bytes;
use squall_proto::{Packet, Qos, ReasonCode, broker::Limits};

use crate::harness::{Served, ack, payload, publish, publish_qos1, subscribe};

#[tokio::test(start_paused = true)]
async fn a_message_reaches_a_subscriber() {
    let served = Served::new(Limits::default());
    let mut subscriber = served.subscriber("sub", 1 << 20).await;
    let mut publisher = served.client("pub", 1 << 20).await;

    publisher.send(&publish("a/b", "hello")).await;

    assert_eq!(payload(subscriber.next().await), "hello");
}

/// More receivers than tokio lets a task poll in one go.
#[tokio::test(start_paused = true)]
async fn a_message_reaches_five_hundred_subscribers() {
    let served = Served::new(Limits::default());
    let mut subscribers = Vec::new();
    for number in 0..500 {
        subscribers.push(served.subscriber(&format!("sub{number}"), 1 << 10).await);
    }
    let mut publisher = served.client("pub", 1 << 20).await;

    publisher.send(&publish("a", "all")).await;

    for mut subscriber in subscribers {
        assert_eq!(payload(subscriber.next().await), "all");
    }
}

/// What differs from one receiver to the next, or from one message to the next, is not copied.
#[tokio::test(start_paused = true)]
async fn messages_that_look_alike_reach_every_subscriber_as_they_are() {
    let served = Served::new(Limits::default());
    let mut subscribers = Vec::new();
    for number in 0..3 {
        subscribers.push(served.subscriber(&format!("sub{number}"), 1 << 20).await);
    }
    let mut publisher = served.client("pub", 1 << 20).await;
    let large = "z".repeat(3000);
    let messages = [
        ("a", "one"),
        ("b", "one"),
        ("b", "two"),
        ("b", ""),
        ("bone", ""),
        ("a", &large),
        ("a", "one"),
        ("a", "one"),
    ];

    let packets: Vec<u8> = messages
        .iter()
        .flat_map(|(topic, payload)| crate::harness::bytes_of(&publish(topic, payload.to_string())))
        .collect();
    publisher.send_bytes(&packets).await;

    for mut subscriber in subscribers {
        for (topic, payload) in messages {
            assert_eq!(subscriber.next().await, Some(publish(topic, payload.to_string())));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_reader_loses_messages_of_qos_0_and_delays_nobody() {
    let served = Served::new(narrow());
    let mut slow = served.subscriber("slow", 100).await;
    let mut fast = served.subscriber("fast", 100).await;
    let mut publisher = served.client("pub", 100).await;

    for number in 0..1000 {
        publisher.send(&publish("a", numbered(number))).await;
        assert_eq!(payload(fast.next().await), numbered(number));
    }
    publisher.send(&publish("a", "last")).await;
    fast.next().await;

    let mut received = 0;
    while served_more(&mut slow).await.is_some() {
        received += 1;
    }
    assert!(
        (10..40).contains(&received),
        "{received} of 1 KB, when 20 KB may wait"
    );
    publisher.send(&publish("a", "again")).await;
    assert_eq!(payload(slow.next().await), "again");
}

#[tokio::test(start_paused = true)]
async fn messages_of_qos_1_wait_for_a_slow_reader_and_arrive_in_order() {
    let served = Served::new(narrow());
    let mut slow = served.client("slow", 100).await;
    slow.send(&subscribe("#", Qos::AtLeastOnce)).await;
    slow.next().await;
    let mut publisher = served.client("pub", 100).await;

    for number in 0..300 {
        publisher.send(&publish_qos1("a", numbered(number))).await;
        assert!(matches!(publisher.next().await, Some(Packet::Puback(_))));
    }

    for number in 0..300 {
        let packet = slow.next().await;
        slow.send(&ack(packet.as_ref())).await;
        assert_eq!(payload(packet), numbered(number));
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_reads_nothing_of_what_it_asks_for_is_closed() {
    let served = Served::new(narrow());
    let mut client = served.client("c", 100).await;

    let mut pings = 0;
    while client.try_send(&Packet::Pingreq).await.is_ok() {
        pings += 1;
    }

    // Two bytes each: 40,000 may wait, and what the streams hold.
    assert!((20_000..22_000).contains(&pings), "{pings}");
    let mut last = None;
    while let Some(packet) = client.next().await {
        last = Some(packet);
    }
    assert!(
        matches!(last, None | Some(Packet::Pingresp)),
        "what it was told last lies behind what it did not read"
    );
}

#[tokio::test(start_paused = true)]
async fn a_client_that_is_closed_is_told_why() {
    let served = Served::new(Limits::default());
    let mut first = served.client("same", 1 << 10).await;
    let _second = served.client("same", 1 << 10).await;

    let Some(Packet::Disconnect(disconnect)) = first.next().await else {
        panic!("expected DISCONNECT");
    };
    assert_eq!(disconnect.reason_code, ReasonCode::SessionTakenOver);
    assert_eq!(first.next().await, None);
}

/// Twenty messages of [`numbered`] may wait on a connection, and forty close it.
fn narrow() -> Limits {
    Limits {
        unsent_bytes_soft: 20_000,
        unsent_bytes: 40_000,
        ..Limits::default()
    }
}

/// A kilobyte.
fn numbered(number: u32) -> Bytes {
    format!("{number:01000}").into()
}

/// The next packet, if one comes at all.
async fn served_more(client: &mut crate::harness::Peered) -> Option<Packet> {
    tokio::time::timeout(std::time::Duration::from_secs(1), client.next())
        .await
        .ok()
        .flatten()
}
