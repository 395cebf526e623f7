use squall_proto::{Packet, ReasonCode, broker::Limits};

use crate::harness::{Served, connect, payload, publish};

#[tokio::test(start_paused = true)]
async fn one_connection_too_many_is_told_so_and_the_others_are_served() {
    let served = Served::new(few());
    let mut subscriber = served.subscriber("sub", 1 << 10).await;
    let mut publisher = served.client("pub", 1 << 10).await;
    let mut refused = served.stream(1 << 10);

    refused.send(&connect("third")).await;

    let Some(Packet::Connack(connack)) = refused.next().await else {
        panic!("expected CONNACK");
    };
    assert_eq!(connack.reason_code, ReasonCode::QuotaExceeded);
    assert_eq!(refused.next().await, None);
    publisher.send(&publish("a", "served")).await;
    assert_eq!(payload(subscriber.next().await), "served");
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_streams_that_say_nothing_is_dropped_beyond_its_bound() {
    let served = Served::new(few());
    let mut subscriber = served.subscriber("sub", 1 << 10).await;
    let mut publisher = served.client("pub", 1 << 10).await;

    let mut flood: Vec<_> = (0..3000).map(|_| served.stream(10)).collect();
    let start = tokio::time::Instant::now();
    let mut last = flood.pop().expect("there are some");
    assert_eq!(last.next().await, None);

    assert_eq!(start.elapsed().as_millis(), 0, "dropped at once");
    publisher.send(&publish("a", "served")).await;
    assert_eq!(payload(subscriber.next().await), "served");
}

#[tokio::test(start_paused = true)]
async fn accepting_goes_on_after_it_failed() {
    let served = Served::failing_first(Limits::default(), 20);

    let _client = served.client("c", 1 << 10).await;
}

fn few() -> Limits {
    Limits {
        connections: 2,
        ..Limits::default()
    }
}
