use std::io;

use bytes::{Bytes, BytesMut};
use squall_node::{
    Address, BoxedStream, Connector as _, NetworkAddress, Reload, Stream as _,
    broker::Server,
    client::{AddressConnector, Client, Event, Events, Message, Options, Qos, Version, protocol},
    config::{Listener, Secure, Ws},
    tls::{ClientTls, Roots},
};
use squall_proto::{
    Connect, Decoder, Packet, Properties, Text, TopicFilter, TopicName, broker::Limits, encode,
};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use crate::certificates::{Authority, Pair};

/// A broker that listens somewhere. It ends with the test.
pub(crate) struct Served {
    pub(crate) address: Address,
    pub(crate) reload: Option<Reload>,
}

/// The halves of a stream on which a test speaks packet by packet.
pub(crate) struct Peer {
    pub(crate) read: Box<dyn AsyncRead + Send + Unpin>,
    pub(crate) write: Box<dyn AsyncWrite + Send + Unpin>,
    decoder: Decoder,
    unread: BytesMut,
}

/// The name that certificates are for, and that is connected to.
pub(crate) const HOST: &str = "localhost";
const SEED: [u8; 32] = [7; 32];

impl Served {
    pub(crate) async fn at(listener: &Listener) -> Self {
        let limits = Limits {
            packet_size: 2 << 20,
            ..Limits::default()
        };
        let bound = listener.bind().await.expect("a free place");
        let mut address: Address = bound.url().parse().expect("an address");
        if let Address::Network(address) = &mut address {
            HOST.clone_into(&mut address.host);
        }
        let reload = bound.reload();
        tokio::spawn(bound.serve(Server::new(limits, 0)));
        Self { address, reload }
    }

    pub(crate) fn network(&self) -> &NetworkAddress {
        match &self.address {
            Address::Network(address) => address,
            Address::Unix(_) => panic!("it is on no network"),
        }
    }

    /// A stream to it, TLS and WebSocket done.
    pub(crate) async fn stream(&self, tls: &ClientTls) -> io::Result<BoxedStream> {
        connector(&self.address, tls).connect().await
    }

    pub(crate) async fn peer(&self, tls: &ClientTls) -> Peer {
        Peer::new(self.stream(tls).await.expect("a stream"))
    }

    pub(crate) fn client(&self, client_id: &str, tls: &ClientTls) -> (Client, Events) {
        let client_id = Text::new(client_id).expect("a legal string");
        let mut protocol = protocol::Options::new(Version::V5, client_id);
        protocol.packet_size_max = 2 << 20;
        let mut options = Options::new(protocol, 1);
        options.events_max = 2;
        Client::spawn(options, connector(&self.address, tls)).expect("options that make sense")
    }
}

pub(crate) fn connector(address: &Address, tls: &ClientTls) -> AddressConnector {
    AddressConnector::new(address, tls, SEED).expect("files that are right")
}

/// TLS at a free port of this machine.
pub(crate) fn secure((certificate, key): Pair) -> Secure {
    Secure {
        address: "localhost:0".into(),
        path: None,
        certificate,
        key,
        client_ca: None,
        client_certificates: None,
        minimum_version: Default::default(),
    }
}

pub(crate) fn plain_ws() -> Listener {
    Listener::Ws(Ws {
        address: "localhost:0".into(),
        path: None,
    })
}

/// Trusts this authority and nobody else.
pub(crate) fn trusting(authority: &Authority) -> ClientTls {
    ClientTls {
        roots: Roots::File(authority.file()),
        ..ClientTls::default()
    }
}

impl Peer {
    pub(crate) fn new(stream: BoxedStream) -> Self {
        let (read, write) = stream.split();
        Self {
            read,
            write,
            decoder: Decoder::with_version(Version::V5, u32::MAX),
            unread: BytesMut::new(),
        }
    }

    pub(crate) async fn send(&mut self, packet: &Packet) -> io::Result<()> {
        self.write.write_all(&bytes_of(packet)).await?;
        self.write.flush().await
    }

    /// The next packet; `None` at the end of the stream.
    pub(crate) async fn next(&mut self) -> io::Result<Option<Packet>> {
        loop {
            let decoded = self.decoder.decode(&mut self.unread);
            if let Some(packet) = decoded.expect("the broker sends packets") {
                return Ok(Some(packet));
            }
            if self.read.read_buf(&mut self.unread).await? == 0 {
                return Ok(None);
            }
        }
    }

    /// Whether it gets a PINGRESP: the connection is as well as can be.
    pub(crate) async fn is_served(&mut self) -> bool {
        let connected = self.send(&connect("peer")).await.is_ok()
            && matches!(self.next().await, Ok(Some(Packet::Connack(_))));
        connected
            && self.send(&Packet::Pingreq).await.is_ok()
            && matches!(self.next().await, Ok(Some(Packet::Pingresp)))
    }
}

pub(crate) fn bytes_of(packet: &Packet) -> BytesMut {
    let mut bytes = BytesMut::new();
    encode(Version::V5, packet.into(), &mut bytes);
    bytes
}

pub(crate) fn connect(client_id: &str) -> Packet {
    Packet::Connect(Box::new(Connect {
        version: Version::V5,
        clean_start: true,
        keep_alive: 0,
        client_id: Text::new(client_id).expect("a legal string"),
        will: None,
        user_name: None,
        password: None,
        properties: Properties::new(),
    }))
}

pub(crate) fn message(topic: &str, payload: impl Into<Bytes>, qos: Qos) -> Message {
    Message::new(TopicName::new(topic).expect("a legal name"), payload.into(), qos)
}

pub(crate) fn filter(filter: &str) -> TopicFilter {
    TopicFilter::new(filter).expect("a legal filter")
}

/// The payload of the next message.
pub(crate) async fn next_message(events: &mut Events) -> Bytes {
    loop {
        let event = events.next().await.expect("the client lives");
        if let Event::Message { message, .. } = event {
            return message.payload;
        }
        assert!(matches!(event, Event::Connected { .. }), "{event:?}");
    }
}
