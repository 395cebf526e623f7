use std::{
    future::{Ready, pending, ready},
    io,
    sync::Arc,
};

use bytes::{Bytes, BytesMut};
use squall_node::{Acceptor, Peer, Stream, authentication::Authenticator, broker::Server};
use squall_proto::{
    Ack, Binary, Connect, Decoder, Delivery, Packet, PacketId, Properties, Publish, Qos, ReasonCode,
    Subscribe, SubscriptionOptions, Text, TopicFilter, TopicName, Version, Will, broker::Limits, encode,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream, ReadHalf, WriteHalf},
    sync::mpsc,
    task::JoinHandle,
};

/// A broker that serves streams in memory, in a task.
pub(crate) struct Served {
    pub(crate) server: Server,
    pub(crate) task: JoinHandle<()>,
    connect: mpsc::UnboundedSender<DuplexStream>,
}

/// The client's end of a stream to the broker, which speaks one version.
pub(crate) struct Peered {
    pub(crate) stream: DuplexStream,
    decoder: Decoder,
    unread: BytesMut,
}

pub(crate) const VERSION: Version = Version::V5;

struct Duplex(DuplexStream);

impl Stream for Duplex {
    type Read = ReadHalf<DuplexStream>;
    type Write = WriteHalf<DuplexStream>;

    fn split(self) -> (Self::Read, Self::Write) {
        tokio::io::split(self.0)
    }
}

struct Incoming {
    streams: mpsc::UnboundedReceiver<DuplexStream>,
    failures: usize,
}

impl Acceptor for Incoming {
    type Stream = Duplex;
    type Opening = Ready<io::Result<Duplex>>;

    async fn accept(&mut self) -> io::Result<(Self::Opening, Peer)> {
        if self.failures > 0 {
            self.failures -= 1;
            return Err(io::Error::other("too many open files"));
        }
        match self.streams.recv().await {
            Some(stream) => Ok((ready(Ok(Duplex(stream))), Peer("memory".to_owned()))),
            None => pending().await,
        }
    }
}

impl Served {
    pub(crate) fn new(limits: Limits) -> Self {
        Self::failing_first(limits, 0)
    }

    /// The acceptor fails that often before it accepts.
    pub(crate) fn failing_first(limits: Limits, failures: usize) -> Self {
        Self::of(Server::new(limits, 0), failures)
    }

    /// A broker that has its clients judged.
    pub(crate) fn authenticating(authenticator: impl Authenticator) -> Self {
        let server = Server::authenticating(Limits::default(), 0, Arc::new(authenticator));
        Self::of(server, 0)
    }

    /// A broker that is there already.
    pub(crate) fn over(server: Server) -> Self {
        Self::of(server, 0)
    }

    fn of(server: Server, failures: usize) -> Self {
        let (connect, streams) = mpsc::unbounded_channel();
        let serving = server.clone();
        let task = tokio::spawn(async move { serving.serve(Incoming { streams, failures }).await });
        Self {
            server,
            task,
            connect,
        }
    }

    /// A stream to the broker whose two directions hold `room` bytes each, on which nothing has been said.
    pub(crate) fn stream(&self, room: usize) -> Peered {
        let (ours, theirs) = tokio::io::duplex(room);
        self.connect.send(theirs).expect("the broker accepts");
        Peered {
            stream: ours,
            decoder: Decoder::with_version(VERSION, u32::MAX),
            unread: BytesMut::new(),
        }
    }

    /// A client that is connected.
    pub(crate) async fn client(&self, client_id: &str, room: usize) -> Peered {
        let mut client = self.stream(room);
        client.send(&connect(client_id)).await;
        assert!(matches!(client.next().await, Some(Packet::Connack(_))));
        client
    }

    /// A client that is subscribed to everything at QoS 0.
    pub(crate) async fn subscriber(&self, client_id: &str, room: usize) -> Peered {
        let mut client = self.client(client_id, room).await;
        client.send(&subscribe("#", Qos::AtMostOnce)).await;
        assert!(matches!(client.next().await, Some(Packet::Suback(_))));
        client
    }
}

impl Peered {
    pub(crate) async fn send(&mut self, packet: &Packet) {
        self.send_bytes(&bytes_of(packet)).await;
    }

    /// Sends, unless the broker has closed the stream.
    pub(crate) async fn try_send(&mut self, packet: &Packet) -> io::Result<()> {
        self.stream.write_all(&bytes_of(packet)).await
    }

    pub(crate) async fn send_bytes(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.expect("the broker reads");
    }

    /// The next packet; `None` at the end of the stream.
    pub(crate) async fn next(&mut self) -> Option<Packet> {
        loop {
            if let Some(packet) = self
                .decoder
                .decode(&mut self.unread)
                .expect("the broker sends packets")
            {
                return Some(packet);
            }
            if self.stream.read_buf(&mut self.unread).await.unwrap_or(0) == 0 {
                return None;
            }
        }
    }
}

pub(crate) fn bytes_of(packet: &Packet) -> BytesMut {
    let mut bytes = BytesMut::new();
    encode(VERSION, packet.into(), &mut bytes);
    bytes
}

pub(crate) fn connect(client_id: &str) -> Packet {
    Packet::Connect(Box::new(plain_connect(client_id)))
}

/// The Will goes to the topic `will`.
pub(crate) fn connect_with_will(client_id: &str, payload: &'static str) -> Packet {
    let mut connect = plain_connect(client_id);
    connect.will = Some(Will {
        topic: TopicName::new("will").expect("a legal name"),
        payload: Binary::new(payload).expect("a short payload"),
        qos: Qos::AtMostOnce,
        retain: false,
        properties: Properties::new(),
    });
    Packet::Connect(Box::new(connect))
}

pub(crate) fn plain_connect(client_id: &str) -> Connect {
    Connect {
        version: VERSION,
        clean_start: true,
        keep_alive: 0,
        client_id: Text::new(client_id).expect("a legal string"),
        will: None,
        user_name: None,
        password: None,
        properties: Properties::new(),
    }
}

pub(crate) fn subscribe(filter: &str, qos: Qos) -> Packet {
    let options = SubscriptionOptions {
        qos,
        ..SubscriptionOptions::default()
    };
    Packet::Subscribe(Subscribe {
        packet_id: PacketId::MIN,
        filters: vec![(TopicFilter::new(filter).expect("a legal filter"), options)],
        properties: Properties::new(),
    })
}

pub(crate) fn publish(topic: &str, payload: impl Into<Bytes>) -> Packet {
    Packet::Publish(Publish {
        dup: false,
        retain: false,
        delivery: Delivery::AtMostOnce,
        topic: Some(TopicName::new(topic).expect("a legal name")),
        payload: payload.into(),
        properties: Properties::new(),
    })
}

/// With Packet Identifier 1.
pub(crate) fn publish_qos1(topic: &str, payload: impl Into<Bytes>) -> Packet {
    Packet::Publish(Publish {
        dup: false,
        retain: false,
        delivery: Delivery::AtLeastOnce(PacketId::MIN),
        topic: Some(TopicName::new(topic).expect("a legal name")),
        payload: payload.into(),
        properties: Properties::new(),
    })
}

/// The PUBACK of a PUBLISH.
pub(crate) fn ack(packet: Option<&Packet>) -> Packet {
    let Some(Packet::Publish(publish)) = packet else {
        panic!("expected PUBLISH, got {packet:?}");
    };
    Packet::Puback(Ack {
        packet_id: publish.delivery.packet_id().expect("QoS 1 has an identifier"),
        reason_code: ReasonCode::Success,
        properties: Properties::new(),
    })
}

/// The payload of a PUBLISH.
pub(crate) fn payload(packet: Option<Packet>) -> Bytes {
    match packet {
        Some(Packet::Publish(publish)) => publish.payload,
        other => panic!("expected PUBLISH, got {other:?}"),
    }
}
