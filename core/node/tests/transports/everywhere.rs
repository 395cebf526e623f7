//! What holds over every transport.

use bytes::Bytes;
use squall_node::{
    client::{Client, Events, Qos, Subscription},
    config::{Listener, Secure, Unix},
    tls::ClientTls,
};

use crate::{
    certificates::Authority,
    harness::{HOST, Peer, Served, connect, filter, message, next_message, plain_ws, secure, trusting},
};

/// A listener of each kind, with what its files lie in.
struct Everywhere {
    listeners: Vec<Listener>,
    tls: ClientTls,
    _authority: Authority,
    _directory: tempfile::TempDir,
}

impl Everywhere {
    fn new() -> Self {
        let authority = Authority::new();
        let directory = tempfile::tempdir().expect("a directory");
        let pair = authority.server(HOST);
        let wss = Secure {
            path: Some("/mqtt".into()),
            ..secure(pair.clone())
        };
        let listeners = vec![
            Listener::tcp("localhost:0"),
            Listener::Tls(secure(pair)),
            plain_ws(),
            Listener::Wss(wss),
            Listener::Unix(Unix {
                path: directory.path().join("squall.sock"),
                mode: None,
            }),
        ];
        Self {
            listeners,
            tls: trusting(&authority),
            _authority: authority,
            _directory: directory,
        }
    }
}

async fn subscriber(served: &Served, tls: &ClientTls) -> (Client, Events) {
    let (client, events) = served.client("sub", tls);
    let subscription = Subscription::new(filter("t"), Qos::ExactlyOnce);
    client.subscribe(subscription).await.expect("granted");
    (client, events)
}

#[tokio::test]
async fn messages_of_every_qos_and_a_large_one_arrive() {
    let everywhere = Everywhere::new();
    for listener in &everywhere.listeners {
        let served = Served::at(listener).await;
        let (_subscriber, mut events) = subscriber(&served, &everywhere.tls).await;
        let (publisher, _) = served.client("pub", &everywhere.tls);
        let large = Bytes::from_iter((0..=250).cycle().take(1 << 20));
        for qos in [Qos::AtMostOnce, Qos::AtLeastOnce, Qos::ExactlyOnce] {
            for payload in [Bytes::from("small"), large.clone()] {
                let published = publisher.publish(message("t", payload.clone(), qos)).await;
                assert!(published.is_ok_and(|code| !code.is_error()), "{}", served.address);
                assert!(next_message(&mut events).await == payload, "{}", served.address);
            }
        }
    }
}

/// Its network, TLS and WebSocket fill up, and the broker keeps the rest.
#[tokio::test]
async fn a_reader_that_is_slow_gets_everything_in_order() {
    let everywhere = Everywhere::new();
    for listener in &everywhere.listeners {
        let served = Served::at(listener).await;
        let (_subscriber, mut events) = subscriber(&served, &everywhere.tls).await;
        let (publisher, _) = served.client("pub", &everywhere.tls);
        for number in 0..200_u8 {
            let published = publisher.publish(message("t", vec![number; 40_000], Qos::AtLeastOnce));
            published.await.expect("acknowledged");
        }
        for number in 0..200_u8 {
            let payload = next_message(&mut events).await;
            assert!(payload == vec![number; 40_000], "{} {number}", served.address);
        }
    }
}

/// close_notify, Close: the end is told from a broken connection.
#[tokio::test]
async fn a_broker_that_closes_ends_the_stream_in_order() {
    let everywhere = Everywhere::new();
    for listener in &everywhere.listeners {
        let served = Served::at(listener).await;
        let mut peer: Peer = served.peer(&everywhere.tls).await;
        assert!(peer.is_served().await, "{}", served.address);

        // [MQTT-3.1.0-2] A second CONNECT.
        peer.send(&connect("peer")).await.expect("the broker reads");

        let said = peer.next().await;
        assert!(
            matches!(said, Ok(Some(squall_proto::Packet::Disconnect(_)))),
            "{}: {said:?}",
            served.address
        );
        let end = peer.next().await;
        assert!(matches!(end, Ok(None)), "{}: {end:?}", served.address);
    }
}
