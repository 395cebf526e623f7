use std::{future::pending, io};

use bytes::{Bytes, BytesMut};
use squall_node::{Acceptor, Peer, Stream, broker::Server};
use squall_proto::{
    Connect, Decoder, Delivery, Packet, Properties, Publish, Qos, Subscribe, SubscriptionOptions, Text,
    TopicFilter, TopicName, Version, broker::Limits, encode,
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

struct Incoming(mpsc::UnboundedReceiver<DuplexStream>);

impl Acceptor for Incoming {
    type Stream = Duplex;

    async fn accept(&mut self) -> io::Result<(Duplex, Peer)> {
        match self.0.recv().await {
            Some(stream) => Ok((Duplex(stream), Peer("memory".to_owned()))),
            None => pending().await,
        }
    }
}

impl Served {
    pub(crate) fn new(limits: Limits) -> Self {
        let (connect, incoming) = mpsc::unbounded_channel();
        let server = Server::new(limits, 0);
        let serving = server.clone();
        let task = tokio::spawn(async move { serving.serve(Incoming(incoming)).await });
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
    Packet::Connect(Box::new(Connect {
        version: VERSION,
        clean_start: true,
        keep_alive: 0,
        client_id: Text::new(client_id).expect("a legal string"),
        will: None,
        user_name: None,
        password: None,
        properties: Properties::new(),
    }))
}

pub(crate) fn subscribe(filter: &str, qos: Qos) -> Packet {
    let options = SubscriptionOptions {
        qos,
        ..SubscriptionOptions::default()
    };
    Packet::Subscribe(Subscribe {
        packet_id: squall_proto::PacketId::MIN,
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

/// The payload of a PUBLISH.
pub(crate) fn payload(packet: Option<Packet>) -> Bytes {
    match packet {
        Some(Packet::Publish(publish)) => publish.payload,
        other => panic!("expected PUBLISH, got {other:?}"),
    }
}
