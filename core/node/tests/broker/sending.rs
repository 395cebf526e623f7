use squall_proto::broker::Limits;

use crate::harness::{Served, bytes_of, payload, publish};

#[tokio::test(start_paused = true)]
async fn a_message_reaches_a_subscriber() {
    let served = Served::new(Limits::default());
    let mut subscriber = served.subscriber("sub", 1 << 20).await;
    let mut publisher = served.client("pub", 1 << 20).await;

    publisher.send(&publish("a/b", "hello")).await;

    assert_eq!(payload(subscriber.next().await), "hello");
}

#[tokio::test(start_paused = true)]
async fn packets_may_come_a_byte_at_a_time() {
    let served = Served::new(Limits::default());
    let mut subscriber = served.subscriber("sub", 1 << 20).await;
    let mut publisher = served.client("pub", 1).await;

    publisher.send_bytes(&bytes_of(&publish("a", "one"))).await;
    publisher.send_bytes(&bytes_of(&publish("a", "two"))).await;

    assert_eq!(payload(subscriber.next().await), "one");
    assert_eq!(payload(subscriber.next().await), "two");
}
