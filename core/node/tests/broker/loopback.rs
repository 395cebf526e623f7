//! Real sockets, real threads.

#![expect(clippy::disallowed_types, reason = "these tests are about TCP itself")]

use bytes::BytesMut;
use squall_node::{TcpAcceptor, broker::Server};
use squall_proto::{Decoder, Packet, PacketId, Qos, broker::Limits};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::harness::{VERSION, ack, bytes_of, connect, connect_with_will, payload, publish_qos1, subscribe};

struct Client {
    stream: TcpStream,
    decoder: Decoder,
    unread: BytesMut,
}

const MESSAGES: u16 = 3000;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_message_of_many_publishers_arrives_in_order() {
    let address = serve().await;
    let mut pairs = Vec::new();
    for number in 0..8 {
        let mut subscriber = Client::connect(&address, &connect(&format!("sub{number}"))).await;
        subscriber
            .send(&subscribe(&format!("t/{number}"), Qos::AtLeastOnce))
            .await;
        subscriber.next().await;
        let publisher = Client::connect(&address, &connect(&format!("pub{number}"))).await;
        let topic = format!("t/{number}");
        pairs.push(tokio::spawn(async move {
            tokio::join!(publisher.publish_all(&topic), subscriber.receive_all());
        }));
    }
    for pair in pairs {
        pair.await.expect("all arrived");
    }
}

/// [MQTT-3.1.2-8]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reset_publishes_the_will() {
    let address = serve().await;
    let mut subscriber = Client::connect(&address, &connect("sub")).await;
    subscriber.send(&subscribe("#", Qos::AtMostOnce)).await;
    subscriber.next().await;
    let client = Client::connect(&address, &connect_with_will("c", "will")).await;

    client.stream.set_zero_linger().expect("a socket option");
    drop(client);

    assert_eq!(payload(subscriber.next().await), "will");
}

#[tokio::test]
async fn a_taken_port_is_an_error() {
    let taken = TcpAcceptor::bind("127.0.0.1:0").await.expect("a free port");
    let address = taken.local_addr().expect("its address").to_string();

    let error = TcpAcceptor::bind(&address).await.expect_err("it is taken");

    assert_eq!(error.kind(), std::io::ErrorKind::AddrInUse);
}

async fn serve() -> String {
    let acceptor = TcpAcceptor::bind("127.0.0.1:0").await.expect("a free port");
    let address = acceptor.local_addr().expect("its address").to_string();
    tokio::spawn(async move { Server::new(Limits::default(), 0).serve(acceptor).await });
    address
}

impl Client {
    async fn connect(address: &str, connect: &Packet) -> Self {
        let mut client = Self {
            stream: TcpStream::connect(address).await.expect("the broker listens"),
            decoder: Decoder::with_version(VERSION, u32::MAX),
            unread: BytesMut::new(),
        };
        client.send(connect).await;
        assert!(matches!(client.next().await, Some(Packet::Connack(_))));
        client
    }

    /// All at once, then as many acknowledgements: the broker has to hold what the subscriber has not taken.
    async fn publish_all(mut self, topic: &str) {
        let limit = Limits::default().receive_maximum;
        for first in (0..MESSAGES).step_by(usize::from(limit)) {
            let some = first..MESSAGES.min(first + limit);
            let packets: Vec<u8> = some.clone().flat_map(|n| bytes_of(&numbered(topic, n))).collect();
            self.stream.write_all(&packets).await.expect("the broker reads");
            for _ in some {
                assert!(matches!(self.next().await, Some(Packet::Puback(_))));
            }
        }
    }

    async fn receive_all(mut self) {
        for number in 0..MESSAGES {
            let packet = self.next().await;
            self.send(&ack(packet.as_ref())).await;
            assert_eq!(payload(packet).get(..2), Some(number.to_be_bytes().as_slice()));
        }
    }

    async fn send(&mut self, packet: &Packet) {
        self.stream
            .write_all(&bytes_of(packet))
            .await
            .expect("the broker reads");
    }

    async fn next(&mut self) -> Option<Packet> {
        loop {
            if let Some(packet) = self.decoder.decode(&mut self.unread).expect("packets") {
                return Some(packet);
            }
            if self.stream.read_buf(&mut self.unread).await.unwrap_or(0) == 0 {
                return None;
            }
        }
    }
}

/// Three kilobytes, so that sockets fill up and payloads are shared.
fn numbered(topic: &str, number: u16) -> Packet {
    let mut payload = number.to_be_bytes().to_vec();
    payload.resize(3000, 0);
    let packet = publish_qos1(topic, payload);
    let Packet::Publish(mut publish) = packet else {
        unreachable!("a PUBLISH was made");
    };
    let packet_id = PacketId::new(number + 1).expect("not zero");
    publish.delivery = squall_proto::Delivery::AtLeastOnce(packet_id);
    Packet::Publish(publish)
}
