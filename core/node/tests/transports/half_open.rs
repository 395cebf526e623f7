//! Handshakes that do not come to their end, in virtual time.

use std::{
    future::{Ready, pending, ready},
    io,
    time::Duration,
};

use squall_node::{
    Acceptor, Peer, Stream,
    broker::Server,
    tls::{ServerTls, SharedServerConfig, TlsAcceptor},
    ws::WsAcceptor,
};
use squall_proto::broker::Limits;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, ReadHalf, WriteHalf},
    sync::mpsc,
    time::Instant,
};

use crate::{certificates::Authority, harness::HOST};

struct Memory(DuplexStream);

impl Stream for Memory {
    type Read = ReadHalf<DuplexStream>;
    type Write = WriteHalf<DuplexStream>;

    fn split(self) -> (Self::Read, Self::Write) {
        tokio::io::split(self.0)
    }
}

struct Incoming(mpsc::UnboundedReceiver<DuplexStream>);

impl Acceptor for Incoming {
    type Stream = Memory;
    type Opening = Ready<io::Result<Memory>>;

    async fn accept(&mut self) -> io::Result<(Self::Opening, Peer)> {
        match self.0.recv().await {
            Some(stream) => Ok((ready(Ok(Memory(stream))), Peer("memory".into()))),
            None => pending().await,
        }
    }
}

/// A server over streams in memory, whose clients have ten seconds until CONNECT.
fn serve<A: Acceptor>(
    limits: Limits,
    over: impl FnOnce(Incoming) -> A,
) -> mpsc::UnboundedSender<DuplexStream> {
    let (connect, incoming) = mpsc::unbounded_channel();
    let acceptor = over(Incoming(incoming));
    tokio::spawn(async move { Server::new(limits, 0).serve(acceptor).await });
    connect
}

fn tls(incoming: Incoming) -> TlsAcceptor<Incoming> {
    let authority = Authority::new();
    let (certificate, key) = authority.server(HOST);
    let tls = ServerTls {
        certificate,
        key,
        client_ca: None,
        client_certificates: Default::default(),
        minimum_version: Default::default(),
    };
    TlsAcceptor::new(
        incoming,
        SharedServerConfig::new(tls.config(false).expect("right files")),
    )
}

fn stream(connect: &mpsc::UnboundedSender<DuplexStream>) -> DuplexStream {
    let (ours, theirs) = tokio::io::duplex(4096);
    connect.send(theirs).expect("the broker accepts");
    ours
}

/// How long it takes until the stream is at its end, and what came before it.
async fn until_closed(mut stream: DuplexStream) -> (Duration, Vec<u8>) {
    let start = Instant::now();
    let mut said = Vec::new();
    let _ = stream.read_to_end(&mut said).await;
    (start.elapsed(), said)
}

fn limits() -> Limits {
    Limits {
        connect_timeout: Duration::from_secs(10),
        ..Limits::default()
    }
}

#[tokio::test(start_paused = true)]
async fn a_handshake_has_the_time_there_is_for_connect() {
    let over_tls = serve(limits(), tls);
    let over_ws = serve(limits(), |incoming| WsAcceptor::new(incoming, None));
    let beginnings: [(_, &[u8]); 4] = [
        (&over_tls, b""),
        // The header of a record that does not come.
        (&over_tls, &[0x16, 0x03, 0x01, 0x01, 0x00, 0x01]),
        (&over_ws, b""),
        (&over_ws, b"GET /mqtt HTTP/1.1\r\nHost: a\r\n"),
    ];
    for (connect, beginning) in beginnings {
        let mut stream = stream(connect);
        stream.write_all(beginning).await.expect("room");
        let (after, said) = until_closed(stream).await;
        assert_eq!(after.as_secs(), 10, "{beginning:x?}");
        assert_eq!(said, b"", "{beginning:x?}");
    }
}

/// One byte a second is no way to keep it.
#[tokio::test(start_paused = true)]
async fn a_handshake_that_trickles_has_no_more_time_than_another() {
    let connect = serve(limits(), |incoming| WsAcceptor::new(incoming, None));
    let (mut read, mut write) = tokio::io::split(stream(&connect));
    let trickling = async {
        for byte in b"GET /mqtt HTTP/1.1\r\nHost: somewhere\r\n" {
            write.write_all(&[*byte]).await?;
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        Ok::<_, io::Error>(())
    };
    let start = Instant::now();
    let mut said = Vec::new();
    let (_, ended) = tokio::join!(trickling, async {
        let _ = read.read_to_end(&mut said).await;
        start.elapsed()
    });
    assert!((10..=12).contains(&ended.as_secs()), "{ended:?}");
}

/// As many as are told that there are too many: the rest is dropped before its handshake costs anything.
#[tokio::test(start_paused = true)]
async fn handshakes_count_as_connections() {
    let few = Limits {
        connections: 0,
        ..limits()
    };
    let connect = serve(few, tls);
    let mut streams: Vec<_> = (0..1024).map(|_| stream(&connect)).collect();

    let (after, _) = until_closed(stream(&connect)).await;

    assert_eq!(after, Duration::ZERO);
    let (after, _) = until_closed(streams.remove(0)).await;
    assert_eq!(after.as_secs(), 10);
}
