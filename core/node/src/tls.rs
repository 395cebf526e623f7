//! TLS over any other stream, by rustls with the ring provider.
//!
//! In reading order: [`TlsAcceptor`] and [`TlsConnector`] make the handshakes; `server` and `client` are what is configured of them,
//! `files` reads certificates and keys.

mod client;
mod files;
mod server;

use std::{future::Future, io, pin::Pin, sync::Arc};

use parking_lot::RwLock;
use rustls::{CertificateError, ClientConfig, InvalidMessage, ServerConfig, pki_types::ServerName};
use tokio::io::{Join, ReadHalf, WriteHalf, join, split};

pub use self::{
    client::{ClientTls, Roots, Verify},
    files::TlsFileError,
    server::{ClientCertificates, ServerTls, TlsVersion},
};
use crate::{Acceptor, Connector, Peer, Stream};

/// The protocol's name in ALPN, as it is registered.
pub(crate) const ALPN_MQTT: &[u8] = b"mqtt";
/// What a WebSocket begins as.
pub(crate) const ALPN_HTTP: &[u8] = b"http/1.1";

/// A stream inside TLS. To end its writing half sends close_notify.
#[derive(Debug)]
pub struct TlsStream<S: Stream>(tokio_rustls::TlsStream<Join<S::Read, S::Write>>);

/// Accepts TLS over what another acceptor accepts.
#[derive(Debug)]
pub struct TlsAcceptor<A> {
    below: A,
    config: SharedServerConfig,
}

/// What the handshakes of acceptors are made with, from now on: certificates are renewed while connections last.
#[derive(Clone, Debug)]
pub struct SharedServerConfig(Arc<RwLock<Arc<ServerConfig>>>);

/// Makes TLS over what another connector makes.
#[derive(Clone, Debug)]
pub struct TlsConnector<C> {
    below: C,
    config: Arc<ClientConfig>,
    server_name: ServerName<'static>,
}

impl SharedServerConfig {
    /// Begins with this one.
    #[must_use]
    pub fn new(config: Arc<ServerConfig>) -> Self {
        Self(Arc::new(RwLock::new(config)))
    }

    /// Handshakes that begin from now on are made with this one. Connections that there are keep theirs.
    pub fn replace(&self, config: Arc<ServerConfig>) {
        *self.0.write() = config;
    }

    fn current(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.0.read())
    }
}

impl<A: Acceptor> TlsAcceptor<A> {
    /// TLS over `below`.
    pub const fn new(below: A, config: SharedServerConfig) -> Self {
        Self { below, config }
    }
}

impl<C> TlsConnector<C> {
    /// TLS over `below`, to a server of this name or address: it is what the server's certificate must be for.
    ///
    /// # Errors
    ///
    /// When the name is none that a certificate can be for.
    pub fn new(below: C, config: Arc<ClientConfig>, server_name: &str) -> io::Result<Self> {
        let server_name = ServerName::try_from(server_name.to_owned()).map_err(|_| {
            let why = format!("{server_name:?} is neither a host's name nor an address");
            io::Error::new(io::ErrorKind::InvalidInput, why)
        })?;
        Ok(Self {
            below,
            config,
            server_name,
        })
    }
}

impl<A: Acceptor> Acceptor for TlsAcceptor<A> {
    type Stream = TlsStream<A::Stream>;
    type Opening = Pin<Box<dyn Future<Output = io::Result<Self::Stream>> + Send>>;

    async fn accept(&mut self) -> io::Result<(Self::Opening, Peer)> {
        let (opening, peer) = self.below.accept().await?;
        Ok((Box::pin(accept(opening, self.config.current())), peer))
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
    config: Arc<ServerConfig>,
) -> io::Result<TlsStream<S>> {
    let (read, write) = opening.await?.split();
    let accepting = tokio_rustls::TlsAcceptor::from(config).accept(join(read, write));
    let stream = accepting.await.map_err(|error| explained(error, "client"))?;
    Ok(TlsStream(stream.into()))
}

impl<C: Connector> Connector for TlsConnector<C> {
    type Stream = TlsStream<C::Stream>;

    async fn connect(&mut self) -> io::Result<Self::Stream> {
        let (read, write) = self.below.connect().await?.split();
        let connecting = tokio_rustls::TlsConnector::from(Arc::clone(&self.config))
            .connect(self.server_name.clone(), join(read, write));
        let stream = connecting.await.map_err(|error| explained(error, "server"))?;
        Ok(TlsStream(stream.into()))
    }
}

impl<S: Stream> Stream for TlsStream<S> {
    type Read = ReadHalf<tokio_rustls::TlsStream<Join<S::Read, S::Write>>>;
    type Write = WriteHalf<tokio_rustls::TlsStream<Join<S::Read, S::Write>>>;

    fn split(self) -> (Self::Read, Self::Write) {
        split(self.0)
    }
}

/// A failed handshake in words for whoever has to mend it.
fn explained(error: io::Error, peer: &str) -> io::Error {
    if error.kind() == io::ErrorKind::UnexpectedEof {
        let why = format!("the {peer} closed the connection in the TLS handshake");
        return io::Error::new(error.kind(), why);
    }
    let cause = error.get_ref().and_then(|cause| cause.downcast_ref());
    let hint = cause.and_then(hint);
    match hint {
        Some(hint) => io::Error::new(error.kind(), format!("no TLS with the {peer}: {error}: {hint}")),
        None => io::Error::new(error.kind(), format!("no TLS with the {peer}: {error}")),
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "rustls names the others well enough"
)]
const fn hint(error: &rustls::Error) -> Option<&'static str> {
    match error {
        rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType) => {
            Some("the other side does not speak TLS on this port")
        }
        rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer) => {
            Some("who signed the certificate is not trusted here: name its CA")
        }
        rustls::Error::NoCertificatesPresented => Some("it must show a certificate"),
        _ => None,
    }
}
