//! The client and the broker, both ours, with nothing between them but a stream in memory.

use std::{
    future::{Ready, pending, ready},
    io,
};

use squall_node::{
    Acceptor, Connector, Peer,
    broker::Server,
    client::{Client, Error, Event, Events, Options, Qos, Version, protocol},
};
use squall_proto::{ReasonCode, Text, broker::Limits};
use tokio::{io::DuplexStream, sync::mpsc};

use crate::peer::{Duplex, message, next_message, subscription};

struct Incoming(mpsc::UnboundedReceiver<DuplexStream>);

impl Acceptor for Incoming {
    type Stream = Duplex;
    type Opening = Ready<io::Result<Duplex>>;

    async fn accept(&mut self) -> io::Result<(Self::Opening, Peer)> {
        match self.0.recv().await {
            Some(stream) => Ok((ready(Ok(Duplex(stream))), Peer("memory".to_owned()))),
            None => pending().await,
        }
    }
}

#[derive(Clone)]
pub(crate) struct Wire(mpsc::UnboundedSender<DuplexStream>);

impl Connector for Wire {
    type Stream = Duplex;

    async fn connect(&mut self) -> io::Result<Duplex> {
        let (ours, theirs) = tokio::io::duplex(4096);
        self.0
            .send(theirs)
            .map_err(|_| io::ErrorKind::ConnectionRefused)?;
        Ok(Duplex(ours))
    }
}

fn broker() -> Wire {
    serve(Server::new(Limits::default(), 1))
}

pub(crate) fn serve(server: Server) -> Wire {
    let (connect, incoming) = mpsc::unbounded_channel();
    tokio::spawn(async move { server.serve(Incoming(incoming)).await });
    Wire(connect)
}

fn client(wire: &Wire, version: Version, client_id: &str, session: bool) -> (Client, Events) {
    let client_id = Text::new(client_id).expect("a legal string");
    let protocol = if session {
        protocol::Options::persistent(version, client_id)
    } else {
        protocol::Options::new(version, client_id)
    };
    Client::spawn(Options::new(protocol, 1), wire.clone()).expect("options that make sense")
}

/// [MQTT-4.2.0-1] [v3 MQTT-7.1.2-1]
#[tokio::test(start_paused = true)]
async fn messages_of_every_qos_arrive_once_and_in_order() {
    for version in Version::ALL {
        for qos in Qos::ALL {
            let wire = broker();
            let (subscriber, mut events) = client(&wire, version, "s", false);
            subscriber.subscribe(subscription("t", qos)).await.unwrap();
            let (publisher, _) = client(&wire, version, "p", false);
            for n in 0..500 {
                drop(publisher.enqueue(message(n, qos)).await.unwrap());
            }
            for n in 0..500 {
                assert_eq!(next_message(&mut events).await, n.to_string());
            }
            assert!(events.try_next().is_none());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_offline_subscriber_with_a_session_gets_what_it_missed() {
    for version in Version::ALL {
        let wire = broker();
        let (subscriber, events) = client(&wire, version, "s", true);
        subscriber
            .subscribe(subscription("t", Qos::ExactlyOnce))
            .await
            .unwrap();
        subscriber.disconnect().await;
        drop(events);
        let (publisher, _) = client(&wire, version, "p", false);
        for n in 0..10 {
            let published = publisher.publish(message(n, Qos::ExactlyOnce)).await;
            assert_eq!(published, Ok(ReasonCode::Success));
        }
        let mut options = protocol::Options::persistent(version, Text::new("s").unwrap());
        options.adopt_session = true;
        let (_again, mut events) = Client::spawn(Options::new(options, 1), wire.clone()).unwrap();
        assert!(matches!(
            events.next().await,
            Some(Event::Connected {
                session_present: true,
                ..
            })
        ));
        for n in 0..10 {
            assert_eq!(next_message(&mut events).await, n.to_string());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_idle_client_keeps_its_connection_for_a_day() {
    for version in Version::ALL {
        let wire = broker();
        let (_client, mut events) = client(&wire, version, "c", false);
        assert!(matches!(events.next().await, Some(Event::Connected { .. })));
        tokio::time::sleep(crate::peer::seconds(86_400)).await;
        assert!(events.try_next().is_none());
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_is_taken_over_ends_and_leaves_the_broker_to_the_other() {
    let wire = broker();
    let (first, mut events) = client(&wire, Version::V5, "c", false);
    events.next().await;
    let (second, _) = client(&wire, Version::V5, "c", false);
    assert!(matches!(events.next().await, Some(Event::Disconnected { .. })));
    assert!(events.next().await.is_none());
    let late = first.publish(message("m", Qos::AtLeastOnce)).await;
    assert_eq!(late, Err(Error::Ended));
    assert_eq!(
        second.publish(message("m", Qos::AtLeastOnce)).await,
        Ok(ReasonCode::NoMatchingSubscribers)
    );
}
