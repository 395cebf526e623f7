use std::{io, time::Duration};

use bytes::BytesMut;
use squall_node::{
    Connector, Stream,
    client::{Client, Event, Events, Message, Options, Qos, Subscription, Version, protocol},
};
use squall_proto::{
    Ack, Connack, Decoder, Packet, PacketId, Properties, ReasonCode, Suback, Text, TopicFilter, TopicName,
    encode,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream, ReadHalf, WriteHalf},
    sync::mpsc,
    time::Instant,
};

pub(crate) struct Duplex(pub(crate) DuplexStream);

impl Stream for Duplex {
    type Read = ReadHalf<DuplexStream>;
    type Write = WriteHalf<DuplexStream>;

    fn split(self) -> (Self::Read, Self::Write) {
        tokio::io::split(self.0)
    }
}

/// Hands the other end of every stream it makes to the test.
pub(crate) struct Line {
    room: usize,
    connect: mpsc::UnboundedSender<DuplexStream>,
}

impl Connector for Line {
    type Stream = Duplex;

    async fn connect(&mut self) -> io::Result<Duplex> {
        let (ours, theirs) = tokio::io::duplex(self.room);
        match self.connect.send(theirs) {
            Ok(()) => Ok(Duplex(ours)),
            Err(_) => Err(io::ErrorKind::ConnectionRefused.into()),
        }
    }
}

/// Where the test accepts what the client opens.
pub(crate) struct Listener(mpsc::UnboundedReceiver<DuplexStream>);

/// The server's end of one connection.
pub(crate) struct Peer {
    pub(crate) stream: DuplexStream,
    decoder: Decoder,
    version: Version,
    unread: BytesMut,
}

/// A connector whose streams hold `room` bytes in each direction.
pub(crate) fn line(room: usize) -> (Line, Listener) {
    let (connect, incoming) = mpsc::unbounded_channel();
    (Line { room, connect }, Listener(incoming))
}

impl Listener {
    pub(crate) async fn accept(&mut self) -> Peer {
        Peer {
            stream: self.0.recv().await.expect("the client connects"),
            decoder: Decoder::new(u32::MAX),
            version: Version::V5,
            unread: BytesMut::new(),
        }
    }

    /// Accepts a connection and its CONNECT.
    pub(crate) async fn connected(&mut self, session_present: bool) -> Peer {
        let mut peer = self.accept().await;
        let Some(Packet::Connect(connect)) = peer.next().await else {
            panic!("CONNECT comes first")
        };
        peer.version = connect.version;
        peer.send(Packet::Connack(Connack {
            session_present,
            reason_code: ReasonCode::Success,
            properties: Properties::new(),
        }))
        .await;
        peer
    }

    /// Whether no connection was opened since the last was accepted.
    pub(crate) fn is_quiet(&mut self) -> bool {
        self.0.try_recv().is_err()
    }
}

impl Peer {
    pub(crate) async fn send(&mut self, packet: Packet) {
        let mut bytes = BytesMut::new();
        encode(self.version, (&packet).into(), &mut bytes);
        self.stream.write_all(&bytes).await.expect("the client reads");
    }

    /// The next packet; `None` at the end of the stream.
    pub(crate) async fn next(&mut self) -> Option<Packet> {
        loop {
            let decoded = self.decoder.decode(&mut self.unread);
            if let Some(packet) = decoded.expect("the client sends packets") {
                return Some(packet);
            }
            if self.stream.read_buf(&mut self.unread).await.unwrap_or(0) == 0 {
                return None;
            }
        }
    }

    /// The next packet, which is a PUBLISH: its identifier, DUP and payload.
    pub(crate) async fn publish(&mut self) -> (Option<PacketId>, bool, String) {
        let packet = self.next().await;
        let Some(Packet::Publish(publish)) = packet else {
            panic!("expected a PUBLISH, got {packet:?}")
        };
        let payload = String::from_utf8(publish.payload.to_vec()).expect("text");
        (publish.delivery.packet_id(), publish.dup, payload)
    }

    /// Grants the next packet, which is a SUBSCRIBE, and says to what.
    pub(crate) async fn grant(&mut self) -> Vec<String> {
        let packet = self.next().await;
        let Some(Packet::Subscribe(subscribe)) = packet else {
            panic!("expected a SUBSCRIBE, got {packet:?}")
        };
        let reason_codes = subscribe.filters.iter().map(|_| ReasonCode::Success).collect();
        self.send(Packet::Suback(Suback {
            packet_id: subscribe.packet_id,
            reason_codes,
            properties: Properties::new(),
        }))
        .await;
        subscribe
            .filters
            .iter()
            .map(|(filter, _)| filter.to_string())
            .collect()
    }

    pub(crate) async fn puback(&mut self, packet_id: Option<PacketId>) {
        let packet_id = packet_id.expect("a packet identifier");
        self.send(Packet::Puback(Ack::success(packet_id))).await;
    }
}

pub(crate) fn options(version: Version) -> Options {
    let client_id = Text::new("c").expect("a legal string");
    Options::new(protocol::Options::persistent(version, client_id), 1)
}

/// A client with a persistent session, and who it connects to.
pub(crate) fn client(version: Version) -> (Client, Events, Listener) {
    client_with(options(version))
}

pub(crate) fn client_with(options: Options) -> (Client, Events, Listener) {
    let (line, listener) = line(4096);
    let (client, events) = Client::spawn(options, line).expect("options that make sense");
    (client, events, listener)
}

pub(crate) fn message(payload: impl ToString, qos: Qos) -> Message {
    let topic = TopicName::new("t").expect("a legal name");
    Message::new(topic, payload.to_string().into(), qos)
}

pub(crate) fn subscription(filter: &str, qos: Qos) -> Subscription {
    Subscription::new(TopicFilter::new(filter).expect("a legal filter"), qos)
}

/// The payload of the next message; connections may come and go before it.
pub(crate) async fn next_message(events: &mut Events) -> String {
    loop {
        match events.next().await.expect("the client lives") {
            Event::Message { message, .. } => {
                return String::from_utf8(message.payload.to_vec()).expect("text");
            }
            Event::Connected { .. }
            | Event::Disconnected { .. }
            | Event::Unreachable(_)
            | Event::SubscriptionLost { .. }
            | Event::StoreFailed(_) => {}
        }
    }
}

pub(crate) fn seconds_since(start: Instant) -> f64 {
    start.elapsed().as_secs_f64()
}

pub(crate) const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}
