use squall_proto::{Packet, ReasonCode, broker::Limits};

use crate::harness::{Served, bytes_of, payload, publish};

#[tokio::test(start_paused = true)]
async fn packets_may_come_a_byte_at_a_time() {
    let served = Served::new(Limits::default());
    let mut subscriber = served.subscriber("sub", 1 << 20).await;
    let mut publisher = served.client("pub", 1).await;

    publisher.send(&publish("a", "one")).await;
    publisher.send(&publish("a", "two")).await;

    assert_eq!(payload(subscriber.next().await), "one");
    assert_eq!(payload(subscriber.next().await), "two");
}

#[tokio::test(start_paused = true)]
async fn packets_of_every_size_may_come_in_one_write() {
    let served = Served::new(Limits::default());
    let mut subscriber = served.subscriber("sub", 1 << 20).await;
    let mut publisher = served.client("pub", 1 << 20).await;
    let sizes = [
        0, 1, 127, 128, 2047, 2048, 30_000, 40_000, 70_000, 200_000, 5, 900_000, 3,
    ];

    let packets: Vec<u8> = sizes
        .iter()
        .flat_map(|size| bytes_of(&publish("a", vec![7; *size])))
        .collect();
    publisher.send_bytes(&packets).await;

    for size in sizes {
        assert_eq!(payload(subscriber.next().await).len(), size);
    }
}

#[tokio::test(start_paused = true)]
async fn a_large_packet_arrives_whole_through_a_narrow_stream() {
    let served = Served::new(Limits::default());
    let mut subscriber = served.subscriber("sub", 1000).await;
    let mut publisher = served.client("pub", 1000).await;
    let large: Vec<u8> = (0..900_000u32).map(|n| (n % 251) as u8).collect();

    let packet = publish("a", large.clone());
    let ((), received) = tokio::join!(publisher.send(&packet), subscriber.next());

    assert!(payload(received) == large);
}

/// [MQTT-3.1.2-24]
#[tokio::test(start_paused = true)]
async fn a_packet_too_large_is_refused_from_its_fixed_header() {
    let served = Served::new(Limits {
        packet_size: 1000,
        ..Limits::default()
    });
    let mut client = served.client("c", 1 << 20).await;

    // PUBLISH, Remaining Length 1,000: three bytes more than are taken, and none of them is ever sent.
    client.send_bytes(&[0x30, 0xE8, 0x07]).await;

    let Some(Packet::Disconnect(disconnect)) = client.next().await else {
        panic!("expected DISCONNECT");
    };
    assert_eq!(disconnect.reason_code, ReasonCode::PacketTooLarge);
    assert_eq!(client.next().await, None);
}

#[tokio::test(start_paused = true)]
async fn what_follows_a_malformed_packet_is_not_read() {
    let served = Served::new(Limits::default());
    let mut subscriber = served.subscriber("sub", 1 << 20).await;
    let mut bad = served.client("bad", 1 << 20).await;
    let mut good = served.client("good", 1 << 20).await;

    // PUBLISH with QoS 3, and behind it a right one.
    bad.send_bytes(&[[0x36, 0x00].as_slice(), &bytes_of(&publish("a", "never"))].concat())
        .await;
    assert!(matches!(bad.next().await, Some(Packet::Disconnect(_))));
    assert_eq!(bad.next().await, None);
    good.send(&publish("a", "next")).await;

    assert_eq!(payload(subscriber.next().await), "next");
}
