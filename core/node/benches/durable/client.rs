use std::net::SocketAddr;

use bytes::BytesMut;
use squall_proto::{
    Ack, Connect, Decoder, Delivery, Disconnect, Packet, PacketId, Properties, Property, Publish, Qos,
    ReasonCode, Subscribe, SubscriptionOptions, Text, TopicFilter, TopicName, Version, encode,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// Bytes of a message.
pub(crate) const PAYLOAD: usize = 256;

/// A client that says what it is told to.
pub(crate) struct Client {
    stream: TcpStream,
    decoder: Decoder,
    unread: BytesMut,
    unsent: BytesMut,
}

impl Client {
    pub(crate) async fn connect(address: SocketAddr, client_id: &str, kept: bool) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let mut client = Self {
            stream,
            decoder: Decoder::with_version(Version::V5, u32::MAX),
            unread: BytesMut::new(),
            unsent: BytesMut::new(),
        };
        let expiry = kept.then_some(Property::SessionExpiryInterval(u32::MAX));
        client.say(&Packet::Connect(Box::new(Connect {
            version: Version::V5,
            clean_start: false,
            keep_alive: 0,
            client_id: Text::new(client_id).unwrap(),
            will: None,
            user_name: None,
            password: None,
            properties: expiry.into_iter().collect(),
        })));
        client.flush().await;
        assert!(matches!(client.next().await, Packet::Connack(_)));
        client
    }

    /// Makes a session that is subscribed to a topic, and leaves it alone.
    pub(crate) async fn absent(address: SocketAddr, client_id: &str, topic: &str) {
        let mut client = Self::connect(address, client_id, true).await;
        let options = SubscriptionOptions {
            qos: Qos::AtLeastOnce,
            ..SubscriptionOptions::default()
        };
        client.say(&Packet::Subscribe(Subscribe {
            packet_id: PacketId::MIN,
            filters: vec![(TopicFilter::new(topic).unwrap(), options)],
            properties: Properties::new(),
        }));
        client.flush().await;
        assert!(matches!(client.next().await, Packet::Suback(_)));
        client.leave().await;
    }

    pub(crate) async fn leave(mut self) {
        self.say(&Packet::Disconnect(Disconnect::of(ReasonCode::Success)));
        self.flush().await;
        while self.stream.read_buf(&mut self.unread).await.unwrap_or(0) > 0 {}
    }

    pub(crate) fn publish(&mut self, topic: &TopicName, id: u16) {
        self.say(&Packet::Publish(Publish {
            dup: false,
            retain: false,
            delivery: Delivery::AtLeastOnce(PacketId::new(id).unwrap()),
            topic: Some(topic.clone()),
            payload: vec![b'x'; PAYLOAD].into(),
            properties: Properties::new(),
        }));
    }

    pub(crate) fn acknowledge(&mut self, id: PacketId) {
        self.say(&Packet::Puback(Ack::success(id)));
    }

    pub(crate) async fn flush(&mut self) {
        self.stream.write_all_buf(&mut self.unsent).await.unwrap();
    }

    pub(crate) async fn next(&mut self) -> Packet {
        loop {
            if let Some(packet) = self.decoder.decode(&mut self.unread).unwrap() {
                return packet;
            }
            assert!(self.stream.read_buf(&mut self.unread).await.unwrap() > 0);
        }
    }

    pub(crate) fn has_more(&self) -> bool {
        self.unread.len() > PAYLOAD
    }

    fn say(&mut self, packet: &Packet) {
        encode(Version::V5, packet.into(), &mut self.unsent);
    }
}
