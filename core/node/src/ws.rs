//! MQTT inside WebSocket (RFC 6455), over any other stream. tungstenite reads and writes the handshake and the headers of frames;
//! payloads go from and to the caller's buffers and are never collected, so that a frame or message of any size costs no memory.
//!
//! In reading order: [`WsAcceptor`] and [`WsConnector`]; `handshake` is the HTTP before the first frame, `frames` takes what comes
//! apart, `read` and `write` are the two halves of a stream.
//!
//! Frames carry bytes, not packets: a packet may lie in many of them and one may hold many packets. // [MQTT-6.0.0-2] [v3 MQTT-6.0.0-2]

mod frames;
mod handshake;
mod read;
mod write;

use std::{future::Future, io, pin::Pin, sync::Arc};

use bytes::BytesMut;
use parking_lot::Mutex;
use rand::{Rng as _, SeedableRng as _, rngs::StdRng};
use tokio::io::{AsyncRead, AsyncWrite};

use self::{
    handshake::{HttpRequest, answer, ask},
    write::Sender,
};
pub use self::{read::WsRead, write::WsWrite};
use crate::{Acceptor, Connector, Peer, Stream};

/// A stream inside WebSocket. To end its writing half sends a Close frame.
#[derive(Debug)]
pub struct WsStream<R, W> {
    read: WsRead<R, W>,
    write: WsWrite<W>,
}

/// Accepts WebSockets with the subprotocol `mqtt` over what another acceptor accepts.
#[derive(Debug)]
pub struct WsAcceptor<A> {
    below: A,
    path: Option<Arc<str>>,
}

/// Makes WebSockets with the subprotocol `mqtt` over what another connector makes.
#[derive(Debug)]
pub struct WsConnector<C> {
    below: C,
    host: String,
    path: String,
    random: StdRng,
}

/// Which side of a WebSocket we are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    /// What it sends is masked.
    Client,
    /// What it sends is not.
    Server,
}

impl<A: Acceptor> WsAcceptor<A> {
    /// WebSockets over `below`, at this path of the request (`/mqtt`), or at any.
    pub fn new(below: A, path: Option<&str>) -> Self {
        let path = path.map(Arc::from);
        Self { below, path }
    }
}

impl<C> WsConnector<C> {
    /// WebSockets over `below`. `host` (with its port, unless that is the scheme's own) and `path` are what the request asks for. What
    /// is sent is masked with what follows from `seed`, which nobody else must know.
    pub fn new(below: C, host: impl Into<String>, path: impl Into<String>, seed: [u8; 32]) -> Self {
        Self {
            below,
            host: host.into(),
            path: path.into(),
            random: StdRng::from_seed(seed),
        }
    }
}

impl<C: Clone> WsConnector<C> {
    /// Another of the same, with masks of its own.
    pub(crate) fn fork(&mut self) -> Self {
        Self {
            below: self.below.clone(),
            host: self.host.clone(),
            path: self.path.clone(),
            random: StdRng::from_rng(&mut self.random),
        }
    }
}

impl<A: Acceptor> Acceptor for WsAcceptor<A> {
    type Stream = WsStream<<A::Stream as Stream>::Read, <A::Stream as Stream>::Write>;
    type Opening = Pin<Box<dyn Future<Output = io::Result<Self::Stream>> + Send>>;

    async fn accept(&mut self) -> io::Result<(Self::Opening, Peer)> {
        let (opening, peer) = self.below.accept().await?;
        Ok((Box::pin(accept(opening, self.path.clone())), peer))
    }

    fn task<T: Future<Output = ()> + Send + 'static>(
        &self,
        serve: T,
    ) -> impl Future<Output = ()> + Send + 'static {
        self.below.task(serve)
    }
}

async fn accept<S: Stream>(
    opening: impl Future<Output = io::Result<S>>,
    path: Option<Arc<str>>,
) -> io::Result<WsStream<S::Read, S::Write>> {
    let (mut read, mut write) = opening.await?.split();
    let unread = answer(&mut read, &mut write, path.as_deref()).await?;
    Ok(WsStream::new(read, write, unread, None))
}

impl<C: Connector> Connector for WsConnector<C> {
    type Stream = WsStream<<C::Stream as Stream>::Read, <C::Stream as Stream>::Write>;

    async fn connect(&mut self) -> io::Result<Self::Stream> {
        let (mut read, mut write) = self.below.connect().await?.split();
        let mut nonce = [0; 16];
        self.random.fill_bytes(&mut nonce);
        let request = HttpRequest {
            host: &self.host,
            path: &self.path,
            nonce,
        };
        let unread = ask(&mut read, &mut write, &request).await?;
        let masks = StdRng::from_rng(&mut self.random);
        Ok(WsStream::new(read, write, unread, Some(masks)))
    }
}

impl<R: AsyncRead + Unpin, W: AsyncWrite + Unpin> WsStream<R, W> {
    /// `unread` came behind the handshake; a client has `masks`.
    fn new(read: R, write: W, unread: BytesMut, masks: Option<StdRng>) -> Self {
        let role = if masks.is_some() {
            Role::Client
        } else {
            Role::Server
        };
        let sender = Arc::new(Mutex::new(Sender::new(write, masks)));
        Self {
            read: WsRead::new(read, unread, role, Arc::clone(&sender)),
            write: WsWrite::new(sender),
        }
    }
}

impl<R, W> Stream for WsStream<R, W>
where
    R: AsyncRead + Send + Unpin + 'static,
    W: AsyncWrite + Send + Unpin + 'static,
{
    type Read = WsRead<R, W>;
    type Write = WsWrite<W>;

    fn split(self) -> (Self::Read, Self::Write) {
        (self.read, self.write)
    }
}
