use squall_node::client::{Client, Error, Event, Misuse, Options, Qos, Version, Why};
use squall_proto::{Disconnect, Packet, Property, ReasonCode};

use crate::peer::{client, client_with, line, message, options, seconds};

#[tokio::test(start_paused = true)]
async fn dropping_the_last_handle_disconnects_and_ends_the_task() {
    for version in Version::ALL {
        let (line, mut listener) = line(4096);
        let (client, mut events, runner) = Client::open(options(version), line).unwrap();
        let task = tokio::spawn(runner.run());
        let mut peer = listener.connected(false).await;
        events.next().await;
        let second = client.clone();
        drop(client);
        drop(second.enqueue(message("last", Qos::AtMostOnce)).await.unwrap());
        drop(second);
        assert_eq!(peer.publish().await.2, "last");
        let goodbye = Packet::Disconnect(Disconnect::of(ReasonCode::Success));
        assert_eq!(peer.next().await, Some(goodbye));
        assert_eq!(peer.next().await, None);
        drop(peer);
        assert!(matches!(
            events.next().await,
            Some(Event::Disconnected {
                why: Why::Requested,
                ..
            })
        ));
        assert!(events.next().await.is_none());
        task.await.unwrap();
        assert!(listener.is_quiet(), "it does not come back");
    }
}

#[tokio::test(start_paused = true)]
async fn disconnect_sends_first_what_was_put_in_the_queue() {
    for version in Version::ALL {
        let (client, _events, mut listener) = client(version);
        let mut peer = listener.connected(false).await;
        for n in 0..200 {
            drop(client.enqueue(message(n, Qos::AtMostOnce)).await.unwrap());
        }
        let server = async {
            for n in 0..200 {
                assert_eq!(peer.publish().await.2, n.to_string());
            }
            assert!(matches!(peer.next().await, Some(Packet::Disconnect(_))));
            drop(peer);
        };
        tokio::join!(client.disconnect(), server);
        assert_eq!(
            client.publish(message("late", Qos::AtMostOnce)).await,
            Err(Error::Ended)
        );
    }
}

#[tokio::test(start_paused = true)]
async fn disconnect_ends_a_client_that_is_offline() {
    for version in Version::ALL {
        let (line, listener) = line(4096);
        drop(listener);
        let (client, _events) = Client::spawn(options(version), line).unwrap();
        let waiting = client.enqueue(message("m", Qos::AtLeastOnce)).await.unwrap();
        client.disconnect().await;
        assert_eq!(waiting.await, Err(Error::Ended));
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_does_not_close_does_not_hold_up_the_end() {
    for version in Version::ALL {
        let (client, _events, mut listener) = client(version);
        let _peer = listener.connected(false).await;
        let ended = tokio::time::timeout(seconds(3), client.disconnect()).await;
        assert!(ended.is_ok());
    }
}

#[tokio::test(start_paused = true)]
async fn an_application_that_takes_no_events_does_not_hold_up_disconnect() {
    for version in Version::ALL {
        let mut options = options(version);
        options.events_max = 1;
        let (client, mut events, mut listener) = client_with(options);
        drop(listener.connected(false).await);
        client.disconnect().await;
        assert!(matches!(events.next().await, Some(Event::Connected { .. })));
        assert!(matches!(
            events.next().await,
            Some(Event::Disconnected { why: Why::Lost, .. })
        ));
        assert!(events.next().await.is_none());
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_on_its_way_keeps_its_client() {
    for version in Version::ALL {
        let (client, _events, mut listener) = client(version);
        let publishing = client.enqueue(message("m", Qos::AtLeastOnce)).await.unwrap();
        drop(client);
        let server = async {
            let mut peer = listener.connected(false).await;
            let (packet_id, ..) = peer.publish().await;
            peer.puback(packet_id).await;
            peer
        };
        let (result, mut peer) = tokio::join!(publishing, server);
        assert_eq!(result, Ok(ReasonCode::Success));
        assert!(matches!(peer.next().await, Some(Packet::Disconnect(_))));
    }
}

#[tokio::test(start_paused = true)]
async fn dropping_the_task_breaks_the_connection_without_a_word() {
    for version in Version::ALL {
        let (line, mut listener) = line(4096);
        let (client, mut events, runner) = Client::open(options(version), line).unwrap();
        let task = tokio::spawn(runner.run());
        let mut peer = listener.connected(false).await;
        let publishing = client.enqueue(message("m", Qos::AtLeastOnce)).await.unwrap();
        peer.publish().await;
        task.abort();
        assert_eq!(publishing.await, Err(Error::Ended));
        assert_eq!(peer.next().await, None);
        assert!(matches!(events.next().await, Some(Event::Connected { .. })));
        assert!(events.next().await.is_none());
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_come_back_ends_with_its_connection() {
    for version in Version::ALL {
        let once = Options {
            reconnect: None,
            ..options(version)
        };
        let (client, mut events, mut listener) = client_with(once);
        let peer = listener.connected(false).await;
        events.next().await;
        drop(peer);
        assert!(matches!(
            events.next().await,
            Some(Event::Disconnected { why: Why::Lost, .. })
        ));
        assert!(events.next().await.is_none());
        assert_eq!(
            client.publish(message("m", Qos::AtMostOnce)).await,
            Err(Error::Ended)
        );
    }
}

#[tokio::test(start_paused = true)]
async fn flushing_waits_for_every_answer_over_connections_or_gives_up_in_time() {
    for version in Version::ALL {
        let (client, _events, mut listener) = client(version);
        let mut peer = listener.connected(false).await;
        for n in 0..2 {
            drop(client.enqueue(message(n, Qos::AtLeastOnce)).await.unwrap());
        }
        let first = peer.publish().await.0;
        peer.publish().await;
        peer.puback(first).await;
        assert!(!client.flush(seconds(5)).await, "the second has no PUBACK");
        drop(peer);
        let server = async {
            let mut peer = listener.connected(true).await;
            let (second, dup, payload) = peer.publish().await;
            assert_eq!((dup, &*payload), (true, "1"));
            peer.puback(second).await;
            peer
        };
        let (flushed, _peer) = tokio::join!(client.flush(seconds(60)), server);
        assert!(flushed);
    }
}

#[tokio::test(start_paused = true)]
async fn disconnect_says_what_it_is_told_and_refuses_what_it_may_not() {
    let (client, _events, mut listener) = client(Version::V5);
    let mut peer = listener.connected(false).await;
    let wrong = client
        .disconnect_with(Disconnect::of(ReasonCode::GrantedQos1))
        .await;
    assert_eq!(wrong, Err(Misuse::ReasonCodeNotAllowed(ReasonCode::GrantedQos1)));
    let leaving = Disconnect {
        reason_code: ReasonCode::DisconnectWithWillMessage,
        properties: [Property::SessionExpiryInterval(5)].into_iter().collect(),
    };
    let server = async {
        assert_eq!(peer.next().await, Some(Packet::Disconnect(leaving.clone())));
        drop(peer);
    };
    let (left, ()) = tokio::join!(client.disconnect_with(leaving.clone()), server);
    assert_eq!(left, Ok(()));
}
