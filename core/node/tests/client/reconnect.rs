use std::io;

use squall_node::{
    Connector,
    client::{Again, Client, Event, Options, Qos, Reconnect, Version, Why},
};
use squall_proto::{Connack, Disconnect, Packet, Properties, ReasonCode};
use tokio::time::Instant;

use crate::peer::{Duplex, client, client_with, message, options, seconds, seconds_since, subscription};

fn doubling(version: Version) -> Options {
    Options {
        reconnect: Some(Reconnect {
            after: seconds(1)..=seconds(2),
            after_max: seconds(8),
            lasted: seconds(10),
            ..Reconnect::default()
        }),
        ..options(version)
    }
}

/// The bounds of the wait before each of these connections, in order.
const WAITS: [(f64, f64); 5] = [(1.0, 2.0), (2.0, 4.0), (4.0, 8.0), (8.0, 8.0), (8.0, 8.0)];

struct Unreachable;

impl Connector for Unreachable {
    type Stream = Duplex;

    async fn connect(&mut self) -> io::Result<Duplex> {
        Err(io::ErrorKind::ConnectionRefused.into())
    }
}

struct Silent;

impl Connector for Silent {
    type Stream = Duplex;

    async fn connect(&mut self) -> io::Result<Duplex> {
        std::future::pending().await
    }
}

fn assert_between((first, last): (f64, f64), seconds: f64) {
    assert!(
        (first..=last + 0.002).contains(&seconds),
        "{seconds} s is not {first} to {last} s"
    );
}

#[tokio::test(start_paused = true)]
async fn a_server_that_cannot_be_reached_is_tried_again_and_again_ever_later() {
    let (_client, mut events) = Client::spawn(doubling(Version::V5), Unreachable).unwrap();
    assert!(matches!(events.next().await, Some(Event::Unreachable(_))));
    for wait in WAITS {
        let start = Instant::now();
        assert!(matches!(events.next().await, Some(Event::Unreachable(_))));
        assert_between(wait, seconds_since(start));
    }
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_hangs_is_given_up() {
    let (_client, mut events) = Client::spawn(doubling(Version::V5), Silent).unwrap();
    let start = Instant::now();
    let event = events.next().await;
    assert!(matches!(event, Some(Event::Unreachable(error)) if error.kind() == io::ErrorKind::TimedOut));
    assert_between((10.0, 10.0), seconds_since(start));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_is_accepted_and_kicked_backs_off_all_the_same() {
    for version in Version::ALL {
        let (_client, _events, mut listener) = client_with(doubling(version));
        drop(listener.connected(false).await);
        for wait in WAITS {
            let start = Instant::now();
            drop(listener.connected(false).await);
            assert_between(wait, seconds_since(start));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_lasted_begins_the_waits_anew() {
    for version in Version::ALL {
        let (_client, _events, mut listener) = client_with(doubling(version));
        for _ in 0..3 {
            drop(listener.connected(false).await);
        }
        let peer = listener.connected(false).await;
        tokio::time::sleep(seconds(11)).await;
        drop(peer);
        let start = Instant::now();
        listener.connected(false).await;
        assert_between((1.0, 2.0), seconds_since(start));
    }
}

#[tokio::test(start_paused = true)]
async fn a_missing_connack_is_no_connection_that_lasted() {
    let mut options = doubling(Version::V5);
    options.protocol.connect_timeout = seconds(20);
    let (_client, mut events, mut listener) = client_with(options);
    let mut start = Instant::now();
    for wait in [(0.0, 0.0), (1.0, 2.0), (2.0, 4.0)] {
        let _silent = listener.accept().await;
        assert_between(wait, seconds_since(start));
        let event = events.next().await;
        assert!(matches!(
            event,
            Some(Event::Disconnected {
                why: Why::ConnackTimeout,
                ..
            })
        ));
        start = Instant::now();
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_session_is_subscribed_again_and_a_kept_one_is_not() {
    for version in Version::ALL {
        let (client, _events, mut listener) = client(version);
        let mut peer = listener.connected(false).await;
        let (result, _) = tokio::join!(
            client.subscribe(subscription("a/+", Qos::AtLeastOnce)),
            peer.grant()
        );
        assert_eq!(result, Ok(vec![ReasonCode::Success]));
        drop(peer);
        let mut peer = listener.connected(true).await;
        drop(client.enqueue(message("m", Qos::AtMostOnce)).await.unwrap());
        assert_eq!(peer.publish().await.2, "m", "no SUBSCRIBE came first");
        drop(peer);
        let mut peer = listener.connected(false).await;
        assert_eq!(peer.grant().await, ["a/+"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_half_open_connection_is_noticed_and_replaced() {
    for version in Version::ALL {
        let mut options = doubling(version);
        options.protocol.keep_alive = 10;
        options.protocol.ping_timeout = seconds(5);
        let (_client, mut events, mut listener) = client_with(options);
        let mut silent = listener.connected(false).await;
        events.next().await;
        let start = Instant::now();
        assert_eq!(silent.next().await, Some(Packet::Pingreq));
        assert!(matches!(
            events.next().await,
            Some(Event::Disconnected {
                why: Why::PingrespTimeout,
                ..
            })
        ));
        assert_between((15.0, 15.0), seconds_since(start));
        listener.connected(true).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_accepts_and_kicks_at_once_is_left_alone_longer_and_longer() {
    for version in Version::ALL {
        let (_client, _events, mut listener) = client_with(doubling(version));
        drop(listener.connected(false).await);
        for (first, last) in WAITS {
            let start = Instant::now();
            drop(listener.connected(true).await);
            let waited = seconds_since(start);
            assert!((first - 0.01..=last + 0.01).contains(&waited), "{waited}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_was_taken_over_ends_unless_it_is_to_insist() {
    for again in [Again::Never, Again::AsUsual] {
        let mut options = doubling(Version::V5);
        options.reconnect.as_mut().unwrap().when_taken_over = again;
        let (_client, mut events, mut listener) = client_with(options);
        let mut peer = listener.connected(false).await;
        events.next().await;
        peer.send(Packet::Disconnect(Disconnect::of(ReasonCode::SessionTakenOver)))
            .await;
        drop(peer);
        assert!(matches!(
            events.next().await,
            Some(Event::Disconnected {
                why: Why::Server(_),
                ..
            })
        ));
        match again {
            Again::Never | Again::Slowly => assert!(events.next().await.is_none()),
            Again::AsUsual => drop(listener.connected(true).await),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_that_another_attempt_does_not_mend_is_told_and_not_hammered() {
    for (again, code) in [
        (Again::Slowly, ReasonCode::BadUserNameOrPassword),
        (Again::Slowly, ReasonCode::ServerMoved),
        (Again::AsUsual, ReasonCode::Banned),
        (Again::Never, ReasonCode::ClientIdentifierNotValid),
    ] {
        let mut options = doubling(Version::V5);
        options.reconnect.as_mut().unwrap().when_refused = again;
        let (_client, mut events, mut listener) = client_with(options);
        let mut peer = listener.accept().await;
        peer.next().await;
        let (session_present, properties) = (false, Properties::new());
        peer.send(Packet::Connack(Connack {
            session_present,
            reason_code: code,
            properties,
        }))
        .await;
        drop(peer);
        let told = events.next().await;
        assert!(
            matches!(told, Some(Event::Disconnected { why: Why::Refused(connack), .. }) if connack.reason_code == code)
        );
        let start = Instant::now();
        let range = match again {
            Again::Slowly => 4.0..8.0,
            Again::AsUsual => 1.0..2.0,
            Again::Never => {
                assert!(events.next().await.is_none());
                continue;
            }
        };
        listener.accept().await;
        assert!(range.contains(&seconds_since(start)), "{again:?}");
    }
}
