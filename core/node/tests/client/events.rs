use std::time::Duration;

use squall_node::client::{Event, Qos, Version, Why};
use squall_proto::{Delivery, Disconnect, Packet, Properties, Publish, ReasonCode, TopicName};

use crate::peer::{client, client_with, next_message, options, seconds, subscription};

fn publish(payload: usize) -> Packet {
    Packet::Publish(Publish {
        dup: false,
        retain: false,
        delivery: Delivery::AtMostOnce,
        topic: Some(TopicName::new("t").expect("a legal name")),
        payload: payload.to_string().into(),
        properties: Properties::new(),
    })
}

#[tokio::test(start_paused = true)]
async fn connections_and_their_ends_are_told_with_their_reasons() {
    let (_client, mut events, mut listener) = client(Version::V5);
    let mut peer = listener.connected(false).await;
    assert!(matches!(
        events.next().await,
        Some(Event::Connected {
            session_present: false,
            ..
        })
    ));
    let kicked = Disconnect::of(ReasonCode::ServerShuttingDown);
    peer.send(Packet::Disconnect(kicked.clone())).await;
    let event = events.next().await;
    assert!(matches!(event, Some(Event::Disconnected { why: Why::Server(why), .. }) if why == kicked));
    assert_eq!(peer.next().await, None, "the client closes its side too");
    drop(peer);
    let peer = listener.connected(true).await;
    assert!(matches!(
        events.next().await,
        Some(Event::Connected {
            session_present: true,
            ..
        })
    ));
    drop(peer);
    assert!(matches!(
        events.next().await,
        Some(Event::Disconnected { why: Why::Lost, .. })
    ));
}

#[tokio::test(start_paused = true)]
async fn malformed_bytes_are_told_and_answered_in_5_0() {
    let (_client, mut events, mut listener) = client(Version::V5);
    let mut peer = listener.connected(false).await;
    events.next().await;
    tokio::io::AsyncWriteExt::write_all(&mut peer.stream, &[0x00, 0x00])
        .await
        .unwrap();
    let event = events.next().await;
    assert!(matches!(
        event,
        Some(Event::Disconnected {
            why: Why::Malformed(_),
            ..
        })
    ));
    let answer = Packet::Disconnect(Disconnect::of(ReasonCode::MalformedPacket));
    assert_eq!(peer.next().await, Some(answer));
    assert_eq!(peer.next().await, None);
}

#[tokio::test(start_paused = true)]
async fn an_application_that_takes_no_events_stops_the_reading_and_keeps_the_connection() {
    for version in Version::ALL {
        let mut options = options(version);
        options.events_max = 2;
        options.protocol.keep_alive = 10;
        let (_client, mut events, mut listener) = client_with(options);
        let mut peer = listener.connected(false).await;
        let mut taken = 0;
        while tokio::time::timeout(Duration::from_millis(1), peer.send(publish(taken)))
            .await
            .is_ok()
        {
            taken += 1;
            assert!(taken < 10_000, "the client takes what the application does not");
        }
        let pings = async {
            for _ in 0..10 {
                assert_eq!(peer.next().await, Some(Packet::Pingreq));
            }
        };
        assert!(tokio::time::timeout(seconds(101), pings).await.is_ok());
        for n in 0..taken {
            assert_eq!(next_message(&mut events).await, n.to_string());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_whose_events_nobody_wants_goes_on() {
    for version in Version::ALL {
        let mut options = options(version);
        options.events_max = 1;
        let (client, events, mut listener) = client_with(options);
        drop(events);
        let mut peer = listener.connected(false).await;
        for n in 0..1000 {
            peer.send(publish(n)).await;
        }
        let subscribed = client.subscribe(subscription("a", Qos::AtMostOnce));
        let (result, _) = tokio::join!(subscribed, peer.grant());
        assert_eq!(result, Ok(vec![ReasonCode::Success]));
    }
}
