use squall_node::client::{Error, Failure, Misuse, Qos, Version};
use squall_proto::{Ack, Packet, ReasonCode};

use crate::peer::{client, client_with, message, options};

#[tokio::test(start_paused = true)]
async fn a_publish_ends_with_the_reason_code_of_its_acknowledgement() {
    for (qos, reason_code) in [
        (Qos::AtLeastOnce, ReasonCode::NoMatchingSubscribers),
        (Qos::AtLeastOnce, ReasonCode::NotAuthorized),
        (Qos::ExactlyOnce, ReasonCode::QuotaExceeded),
    ] {
        let (client, _events, mut listener) = client(Version::V5);
        let server = async {
            let mut peer = listener.connected(false).await;
            let (packet_id, ..) = peer.publish().await;
            let ack = Ack::of(packet_id.unwrap(), reason_code);
            peer.send(match qos {
                Qos::AtMostOnce | Qos::AtLeastOnce => Packet::Puback(ack),
                Qos::ExactlyOnce => Packet::Pubrec(ack),
            })
            .await;
            peer
        };
        let (result, _peer) = tokio::join!(client.publish(message("m", qos)), server);
        assert_eq!(result, Ok(reason_code));
    }
}

#[tokio::test(start_paused = true)]
async fn a_publish_survives_reconnects_and_ends_at_pubcomp() {
    for version in Version::ALL {
        let (client, _events, mut listener) = client(version);
        let server = async {
            let mut peer = listener.connected(false).await;
            let (packet_id, dup, _) = peer.publish().await;
            assert!(!dup);
            drop(peer);
            let mut peer = listener.connected(true).await;
            assert_eq!(peer.publish().await, (packet_id, true, "m".to_owned()));
            let ack = Ack::success(packet_id.unwrap());
            peer.send(Packet::Pubrec(ack.clone())).await;
            assert_eq!(peer.next().await, Some(Packet::Pubrel(ack.clone())));
            drop(peer);
            let mut peer = listener.connected(true).await;
            assert_eq!(peer.next().await, Some(Packet::Pubrel(ack.clone())));
            peer.send(Packet::Pubcomp(ack)).await;
            peer
        };
        let (result, _peer) = tokio::join!(client.publish(message("m", Qos::ExactlyOnce)), server);
        assert_eq!(result, Ok(ReasonCode::Success));
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_put_in_the_queue_offline_is_sent_in_order() {
    for version in Version::ALL {
        let (client, _events, mut listener) = client(version);
        for n in 0..100 {
            drop(client.enqueue(message(n, Qos::AtLeastOnce)).await.unwrap());
        }
        let mut peer = listener.connected(false).await;
        for n in 0..100 {
            let (packet_id, _, payload) = peer.publish().await;
            assert_eq!(payload, n.to_string());
            peer.puback(packet_id).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_makes_publish_wait_and_nothing_is_refused() {
    for version in Version::ALL {
        let mut options = options(version);
        options.protocol.queued = 3;
        options.protocol.inflight = 2;
        let (client, _events, mut listener) = client_with(options);
        let sent = async {
            let mut on_their_way = Vec::new();
            for n in 0..1000 {
                on_their_way.push(client.enqueue(message(n, Qos::AtLeastOnce)).await.unwrap());
            }
            for publishing in on_their_way {
                assert_eq!(publishing.await, Ok(ReasonCode::Success));
            }
        };
        let received = async {
            let mut peer = listener.connected(false).await;
            for n in 0..1000 {
                let (packet_id, _, payload) = peer.publish().await;
                assert_eq!(payload, n.to_string());
                peer.puback(packet_id).await;
            }
            peer
        };
        tokio::join!(sent, received);
    }
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_does_not_hold_back_a_subscribe() {
    for version in Version::ALL {
        let mut options = options(version);
        options.protocol.queued = 1;
        options.protocol.inflight = 1;
        let (client, _events, mut listener) = client_with(options);
        for n in 0..10 {
            drop(client.enqueue(message(n, Qos::AtLeastOnce)).await.unwrap());
        }
        let mut peer = listener.connected(false).await;
        peer.publish().await;
        let (result, filters) = tokio::join!(
            client.subscribe(crate::peer::subscription("a", Qos::AtMostOnce)),
            peer.grant()
        );
        assert_eq!(
            (result, filters),
            (Ok(vec![ReasonCode::Success]), vec!["a".to_owned()])
        );
    }
}

#[tokio::test(start_paused = true)]
async fn misuse_is_answered_offline_too() {
    let (client, _events, _listener) = client(Version::V3_1_1);
    let mut typed = message("m", Qos::AtLeastOnce);
    let text = squall_proto::Text::new("text/plain").unwrap();
    typed.properties.push(squall_proto::Property::ContentType(text));
    let misuse = Misuse::NeedsVersion5("properties");
    assert_eq!(
        client.publish(typed).await,
        Err(Error::Failed(Failure::Misuse(misuse)))
    );
}

#[tokio::test(start_paused = true)]
async fn options_that_make_no_sense_are_refused_at_once() {
    let mut options = options(Version::V5);
    options.protocol.receive_maximum = 0;
    let (line, _listener) = crate::peer::line(1);
    let opened = squall_node::client::Client::open(options, line);
    assert_eq!(opened.err(), Some(Misuse::Zero("receive maximum")));
}

#[tokio::test(start_paused = true)]
async fn one_byte_at_a_time_is_as_good_as_any() {
    for version in Version::ALL {
        let (line, mut listener) = crate::peer::line(1);
        let (client, _events) = squall_node::client::Client::spawn(options(version), line).unwrap();
        let server = async {
            let mut peer = listener.connected(false).await;
            let (packet_id, _, payload) = peer.publish().await;
            assert_eq!(payload, "m");
            peer.puback(packet_id).await;
            peer
        };
        let (result, _peer) = tokio::join!(client.publish(message("m", Qos::AtLeastOnce)), server);
        assert_eq!(result, Ok(ReasonCode::Success));
    }
}
