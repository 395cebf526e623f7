use std::time::Duration;

use squall_proto::{Disconnect, Packet, ReasonCode, broker::Limits};
use tokio::time::{Instant, timeout};

use crate::harness::{Served, connect, connect_with_will, payload, publish};

#[tokio::test(start_paused = true)]
async fn silence_before_connect_ends_with_the_connect_timeout() {
    let served = Served::new(Limits::default());
    let start = Instant::now();

    assert_eq!(served.stream(100).next().await, None);

    let waited = start.elapsed();
    assert!(
        (Duration::from_secs(10)..Duration::from_millis(10_010)).contains(&waited),
        "{waited:?}"
    );
}

/// [MQTT-3.1.2-22]
#[tokio::test(start_paused = true)]
async fn silence_past_one_and_a_half_keep_alives_is_closed() {
    let served = Served::new(Limits {
        keep_alive: Some(10),
        ..Limits::default()
    });
    let mut client = served.client("c", 100).await;
    let start = Instant::now();

    assert!(matches!(client.next().await, Some(Packet::Disconnect(_))));

    let waited = start.elapsed();
    assert!(
        (Duration::from_secs(15)..Duration::from_millis(15_010)).contains(&waited),
        "{waited:?}"
    );
}

/// [MQTT-3.1.2-22] Whole packets alone count.
#[tokio::test(start_paused = true)]
async fn bytes_that_make_no_packet_do_not_put_off_the_keep_alive() {
    let served = Served::new(Limits {
        keep_alive: Some(10),
        ..Limits::default()
    });
    let mut client = served.client("c", 100).await;
    let start = Instant::now();

    client.send_bytes(&[0x30, 0x7F]).await; // PUBLISH, of which 127 bytes are to follow.
    for _ in 0..2 {
        let next = timeout(Duration::from_secs(6), client.next()).await;
        assert!(next.is_err(), "{next:?} before the time");
        client.send_bytes(&[0]).await;
    }

    assert!(matches!(client.next().await, Some(Packet::Disconnect(_))));
    let waited = start.elapsed();
    assert!(
        (Duration::from_secs(15)..Duration::from_millis(15_010)).contains(&waited),
        "{waited:?}"
    );
}

/// [MQTT-3.1.2-8]
#[tokio::test(start_paused = true)]
async fn a_stream_that_ends_without_disconnect_publishes_the_will() {
    let served = Served::new(Limits::default());
    let mut subscriber = served.subscriber("sub", 1 << 10).await;
    let mut client = served.stream(1 << 10);
    client.send(&connect_with_will("c", "will")).await;
    client.next().await;

    drop(client);

    assert_eq!(payload(subscriber.next().await), "will");
}

/// [MQTT-3.14.4-3] What was read counts, though nothing can be written any more.
#[tokio::test(start_paused = true)]
async fn a_disconnect_is_read_after_writing_has_failed() {
    let served = Served::new(Limits::default());
    let mut observer = served.subscriber("observer", 1 << 10).await;
    let mut publisher = served.client("pub", 1 << 10).await;
    let mut client = served.stream(1 << 10);
    client.send(&connect_with_will("c", "will")).await;
    client.next().await;
    client
        .send(&crate::harness::subscribe("#", squall_proto::Qos::AtMostOnce))
        .await;
    client.next().await;

    publisher.send(&publish("a", "to a stream that is gone")).await;
    client
        .send(&Packet::Disconnect(Disconnect::of(ReasonCode::Success)))
        .await;
    drop(client);

    assert_eq!(payload(observer.next().await), "to a stream that is gone");
    let will = timeout(Duration::from_secs(60), observer.next()).await;
    assert!(will.is_err(), "{will:?}");
}

/// [MQTT-4.13.1-1] [MQTT-3.14.0-1]
#[tokio::test(start_paused = true)]
async fn shutdown_tells_every_client_and_ends() {
    let served = Served::new(Limits::default());
    let mut clients = Vec::new();
    for number in 0..10 {
        clients.push(served.client(&format!("c{number}"), 1 << 10).await);
    }

    served.server.shutdown();

    for mut client in clients {
        let Some(Packet::Disconnect(disconnect)) = client.next().await else {
            panic!("expected DISCONNECT");
        };
        assert_eq!(disconnect.reason_code, ReasonCode::ServerShuttingDown);
        assert_eq!(client.next().await, None);
    }
    served.task.await.expect("no panic");
}

#[tokio::test(start_paused = true)]
async fn shutdown_does_not_wait_for_ever_for_a_client_that_reads_nothing() {
    let served = Served::new(Limits::default());
    let _deaf = served.subscriber("deaf", 30).await;
    let mut publisher = served.client("pub", 1 << 10).await;
    publisher.send(&publish("a", vec![0; 500])).await;
    publisher.send(&Packet::Pingreq).await;
    publisher.next().await;
    let start = Instant::now();

    served.server.shutdown();

    served.task.await.expect("no panic");
    assert!(start.elapsed() < Duration::from_secs(7), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn dropping_the_server_closes_every_stream_without_a_word() {
    let served = Served::new(Limits::default());
    let mut subscriber = served.subscriber("sub", 1 << 10).await;
    let mut dying = served.stream(1 << 10);
    dying.send(&connect_with_will("dying", "will")).await;
    dying.next().await;

    served.task.abort();

    assert_eq!(dying.next().await, None);
    assert_eq!(
        subscriber.next().await,
        None,
        "a Will is not a crashed broker's to publish"
    );
}

#[tokio::test(start_paused = true)]
async fn a_number_is_used_again_when_its_connection_is_gone() {
    let served = Served::new(Limits {
        connections: 3,
        ..Limits::default()
    });
    for number in 0..100 {
        let mut client = served.client(&format!("c{number}"), 1 << 10).await;
        client
            .send(&Packet::Disconnect(Disconnect::of(ReasonCode::Success)))
            .await;
        assert_eq!(client.next().await, None);
    }
    let mut client = served.stream(100);
    client.send(&connect("last")).await;
    let Some(Packet::Connack(connack)) = client.next().await else {
        panic!("expected CONNACK");
    };
    assert_eq!(connack.reason_code, ReasonCode::Success);
}
