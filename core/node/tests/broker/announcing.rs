//! What a broker says of itself under `$SYS`.

use std::{collections::BTreeMap, time::Duration};

use squall_node::broker::{Announcement, Server};
use squall_proto::{Packet, Qos, broker::Limits};
use tokio::time::{Instant, timeout};

use crate::harness::{Peered, Served, ack, publish_qos1, subscribe};

fn announcing() -> Served {
    let server = Server::new(Limits::default(), 0).announcing(Announcement {
        version: "squall 1".to_owned(),
        durability: "memory".to_owned(),
        interval: Duration::from_secs(10),
    });
    Served::over(server)
}

/// What comes in the next second, by topic, each with RETAIN or not.
async fn said(client: &mut Peered) -> BTreeMap<String, (bool, String)> {
    let mut said = BTreeMap::new();
    while let Ok(Some(packet)) = timeout(Duration::from_secs(1), client.next()).await {
        if let Packet::Publish(publish) = packet {
            let topic = publish.topic.expect("it has no alias");
            let value = String::from_utf8(publish.payload.to_vec()).expect("it is text");
            said.insert(topic.to_string(), (publish.retain, value));
        }
    }
    said
}

/// [MQTT-4.7.2-1] [v3 MQTT-4.7.2-1]
#[tokio::test(start_paused = true)]
async fn a_broker_says_how_it_does_to_those_who_ask_and_again_at_each_interval() {
    let served = announcing();
    let mut everything = served.subscriber("all", 1 << 16).await;
    let mut curious = served.client("curious", 1 << 16).await;
    curious.send(&subscribe("$SYS/#", Qos::AtLeastOnce)).await;
    let first = said(&mut curious).await;
    assert_eq!(first.len(), 10);
    assert_eq!(first["$SYS/broker/version"], (true, "squall 1".to_owned()));
    assert_eq!(first["$SYS/broker/durability"], (true, "memory".to_owned()));
    assert_eq!(first["$SYS/broker/clients/connected"], (true, "0".to_owned()));
    let mut publisher = served.client("pub", 1 << 16).await;
    publisher.send(&publish_qos1("t", "x")).await;
    assert!(matches!(publisher.next().await, Some(Packet::Puback(_))));
    tokio::time::sleep(Duration::from_secs(9)).await;
    let then = said(&mut curious).await;
    assert_eq!(then["$SYS/broker/uptime"], (false, "10 seconds".to_owned()));
    for (topic, value) in [
        ("clients/connected", "3"),
        ("clients/total", "3"),
        ("messages/received", "6"),
        ("subscriptions/count", "2"),
        ("store/messages/count", "0"),
    ] {
        assert_eq!(then[&format!("$SYS/broker/{topic}")].1, value, "{topic}");
    }
    let heard = said(&mut everything).await;
    assert_eq!(heard.keys().collect::<Vec<_>>(), ["t"]);
}

/// [MQTT-4.4.0-1]
#[tokio::test(start_paused = true)]
async fn messages_that_are_kept_are_counted_until_they_are_not() {
    let served = announcing();
    let mut curious = served.client("curious", 1 << 16).await;
    curious
        .send(&subscribe("$SYS/broker/store/#", Qos::AtMostOnce))
        .await;
    let mut subscriber = crate::durable::persistent(&served, "sub", false).await;
    subscriber.send(&subscribe("t", Qos::AtLeastOnce)).await;
    let mut publisher = served.client("pub", 1 << 16).await;
    publisher.send(&publish_qos1("t", "x")).await;
    assert!(matches!(subscriber.next().await, Some(Packet::Suback(_))));
    let message = subscriber.next().await;
    said(&mut curious).await;
    tokio::time::sleep(Duration::from_secs(9)).await;
    let count = "$SYS/broker/store/messages/count";
    assert_eq!(said(&mut curious).await[count].1, "1");
    subscriber.send(&ack(message.as_ref())).await;
    tokio::time::sleep(Duration::from_secs(9)).await;
    assert_eq!(said(&mut curious).await[count].1, "0");
}

#[tokio::test(start_paused = true)]
async fn a_stop_waits_as_long_as_it_is_told_to() {
    let server = Server::new(Limits::default(), 0).stopping_within(Duration::from_secs(2));
    let served = Served::over(server);
    // It never takes what it is told.
    let _stuck = served.client("stuck", 4).await;
    let began = Instant::now();
    served.server.shutdown();
    served.task.await.expect("it returns");
    let took = began.elapsed();
    assert!(
        (Duration::from_secs(2)..Duration::from_millis(2_010)).contains(&took),
        "{took:?}"
    );
}
