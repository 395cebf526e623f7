use squall_node::client::{
    Acknowledgement, Client, Event, Events, Qos, Refusal, Version, protocol::Acknowledge,
};
use squall_proto::{Ack, Delivery, Packet, PacketId, Properties, Publish, ReasonCode, TopicName};

use crate::peer::{Listener, Peer, client, client_with, options, seconds, subscription};

fn publish(delivery: Delivery, dup: bool) -> Packet {
    Packet::Publish(Publish {
        dup,
        retain: false,
        delivery,
        topic: Some(TopicName::new("t").expect("a legal name")),
        payload: "x".into(),
        properties: Properties::new(),
    })
}

fn qos1(value: u16) -> Packet {
    publish(Delivery::AtLeastOnce(id(value)), false)
}

fn id(value: u16) -> PacketId {
    PacketId::new(value).expect("not zero")
}

fn puback(value: u16) -> Option<Packet> {
    Some(Packet::Puback(Ack::success(id(value))))
}

fn manual(version: Version) -> (Client, Events, Listener) {
    let mut options = options(version);
    options.protocol.acknowledge = Acknowledge::Manual;
    client_with(options)
}

async fn acknowledgement(events: &mut Events) -> Acknowledgement {
    loop {
        match events.next().await.expect("the client lives") {
            Event::Message { acknowledgement, .. } => {
                return acknowledgement.expect("it waits for an answer");
            }
            Event::Connected { .. }
            | Event::Disconnected { .. }
            | Event::Unreachable(_)
            | Event::SubscriptionLost { .. }
            | Event::StoreFailed(_) => {}
        }
    }
}

async fn assert_silent(peer: &mut Peer) {
    let packet = tokio::time::timeout(seconds(1), peer.next()).await;
    assert!(packet.is_err(), "{packet:?}");
}

#[tokio::test(start_paused = true)]
async fn a_message_is_acknowledged_when_the_application_has_taken_it_and_not_before() {
    for version in Version::ALL {
        let (_client, mut events, mut listener) = client(version);
        let mut peer = listener.connected(false).await;
        assert!(matches!(events.next().await, Some(Event::Connected { .. })));
        peer.send(qos1(7)).await;
        assert_silent(&mut peer).await;
        let event = events.next().await;
        assert!(matches!(
            event,
            Some(Event::Message {
                acknowledgement: None,
                ..
            })
        ));
        assert_eq!(peer.next().await, puback(7));
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_that_was_not_taken_before_a_reconnect_is_told_once_and_acknowledged_once() {
    let (_client, mut events, mut listener) = client(Version::V5);
    let mut peer = listener.connected(false).await;
    peer.send(qos1(7)).await;
    assert_silent(&mut peer).await;
    drop(peer);
    let mut peer = listener.connected(true).await;
    peer.send(publish(Delivery::AtLeastOnce(id(7)), true)).await;
    assert_silent(&mut peer).await;
    let mut messages = 0;
    while let Ok(Some(event)) = tokio::time::timeout(seconds(1), events.next()).await {
        messages += usize::from(matches!(event, Event::Message { .. }));
    }
    assert_eq!(messages, 1);
    assert_eq!(peer.next().await, puback(7));
    assert_silent(&mut peer).await;
}

#[tokio::test(start_paused = true)]
async fn tokens_answer_in_the_order_of_the_messages() {
    let (_client, mut events, mut listener) = manual(Version::V5);
    let mut peer = listener.connected(false).await;
    peer.send(qos1(1)).await;
    peer.send(qos1(2)).await;
    let (first, second) = (
        acknowledgement(&mut events).await,
        acknowledgement(&mut events).await,
    );
    second.refuse(Refusal::QuotaExceeded);
    assert_silent(&mut peer).await;
    first.accept();
    assert_eq!(peer.next().await, puback(1));
    let refused = Packet::Puback(Ack::of(id(2), ReasonCode::QuotaExceeded));
    assert_eq!(peer.next().await, Some(refused));
}

/// [MQTT-4.5.0-2] [v3 MQTT-4.5.0-2]
#[tokio::test(start_paused = true)]
async fn a_token_that_is_dropped_accepts_and_one_dropped_by_a_panic_refuses() {
    let (_client, mut events, mut listener) = manual(Version::V5);
    let mut peer = listener.connected(false).await;
    peer.send(qos1(1)).await;
    peer.send(qos1(2)).await;
    drop(acknowledgement(&mut events).await);
    assert_eq!(peer.next().await, puback(1));
    let token = acknowledgement(&mut events).await;
    let broken = tokio::spawn(async move {
        let _token = token;
        panic!("the application broke");
    });
    assert!(broken.await.is_err());
    let refused = Packet::Puback(Ack::of(id(2), ReasonCode::ImplementationSpecificError));
    assert_eq!(peer.next().await, Some(refused));
}

#[tokio::test(start_paused = true)]
async fn a_token_is_good_for_the_resumed_session() {
    for version in Version::ALL {
        let (_client, mut events, mut listener) = manual(version);
        let mut peer = listener.connected(false).await;
        peer.send(qos1(1)).await;
        let token = acknowledgement(&mut events).await;
        drop(peer);
        token.accept();
        let mut peer = listener.connected(true).await;
        assert_silent(&mut peer).await;
        peer.send(publish(Delivery::AtLeastOnce(id(1)), true)).await;
        assert_eq!(peer.next().await, puback(1));
    }
}

#[tokio::test(start_paused = true)]
async fn disconnect_sends_the_answers_that_were_given_before_it() {
    let (client, mut events, mut listener) = manual(Version::V5);
    let mut peer = listener.connected(false).await;
    peer.send(qos1(1)).await;
    let token = acknowledgement(&mut events).await;
    token.accept();
    let ((), answered) = tokio::join!(client.disconnect(), async {
        let answered = peer.next().await;
        while peer.next().await.is_some() {}
        drop(peer);
        answered
    });
    assert_eq!(answered, puback(1));
}

#[tokio::test(start_paused = true)]
async fn messages_that_nobody_wants_are_acknowledged() {
    let (client, events, mut listener) = manual(Version::V5);
    drop(events);
    let mut peer = listener.connected(false).await;
    peer.send(qos1(1)).await;
    assert_eq!(peer.next().await, puback(1));
    let (granted, _) = tokio::join!(client.subscribe(subscription("a", Qos::AtMostOnce)), peer.grant());
    assert_eq!(granted, Ok(vec![ReasonCode::Success]));
}
