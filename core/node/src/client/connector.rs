use std::io;

use super::TcpConnector;
#[cfg(unix)]
use crate::UnixConnector;
use crate::{
    Address, BoxedStream, Connector, NetworkAddress, Scheme,
    tls::{ALPN_HTTP, ALPN_MQTT, ClientTls, TlsConnector, TlsFileError},
    ws::WsConnector,
};

/// Connects to an [`Address`], whatever is spoken there.
#[derive(Debug)]
pub struct AddressConnector(Way);

#[derive(Debug)]
enum Way {
    Tcp(TcpConnector),
    Tls(TlsConnector<TcpConnector>),
    Ws(WsConnector<TcpConnector>),
    Wss(WsConnector<TlsConnector<TcpConnector>>),
    #[cfg(unix)]
    Unix(UnixConnector),
}

/// Why no connector can be made for an address.
#[derive(Debug, thiserror::Error)]
pub enum ConnectorError {
    /// A file for TLS is not what it should be.
    #[error(transparent)]
    File(#[from] TlsFileError),
    /// The server's name is none that a certificate can be for.
    #[error(transparent)]
    ServerName(io::Error),
    /// This system has no Unix sockets.
    #[error("there are no Unix sockets on this system")]
    NoUnixSockets,
}

impl AddressConnector {
    /// To this address. `tls` is for `mqtts` and `wss`. What a WebSocket masks follows from `seed`, which nobody else must know.
    ///
    /// # Errors
    ///
    /// See [`ConnectorError`].
    pub fn new(address: &Address, tls: &ClientTls, seed: [u8; 32]) -> Result<Self, ConnectorError> {
        let address = match address {
            Address::Network(address) => address,
            #[cfg(unix)]
            Address::Unix(path) => return Ok(Self(Way::Unix(UnixConnector::new(path)))),
            #[cfg(not(unix))]
            Address::Unix(_) => return Err(ConnectorError::NoUnixSockets),
        };
        let tcp = TcpConnector::new(&address.host, address.port);
        Ok(Self(match address.scheme {
            Scheme::Mqtt => Way::Tcp(tcp),
            Scheme::Mqtts => Way::Tls(over_tls(tcp, address, tls, ALPN_MQTT)?),
            Scheme::Ws => Way::Ws(over_ws(tcp, address, seed)),
            Scheme::Wss => Way::Wss(over_ws(over_tls(tcp, address, tls, ALPN_HTTP)?, address, seed)),
        }))
    }
}

impl AddressConnector {
    /// Another of the same, for connections side by side. It shares what TLS has learnt of the server, and masks differently.
    #[must_use]
    pub fn fork(&mut self) -> Self {
        Self(match &mut self.0 {
            Way::Tcp(way) => Way::Tcp(way.clone()),
            Way::Tls(way) => Way::Tls(way.clone()),
            Way::Ws(way) => Way::Ws(way.fork()),
            Way::Wss(way) => Way::Wss(way.fork()),
            #[cfg(unix)]
            Way::Unix(way) => Way::Unix(way.clone()),
        })
    }
}

fn over_tls<C>(
    below: C,
    address: &NetworkAddress,
    tls: &ClientTls,
    alpn: &[u8],
) -> Result<TlsConnector<C>, ConnectorError> {
    let server_name = tls.server_name.as_ref().unwrap_or(&address.host);
    TlsConnector::new(below, tls.config(alpn)?, server_name).map_err(ConnectorError::ServerName)
}

fn over_ws<C>(below: C, address: &NetworkAddress, seed: [u8; 32]) -> WsConnector<C> {
    // RFC 9110, 7.2: the scheme's own port is left out.
    let host = match address.port == address.scheme.port() {
        true => address.host_only(),
        false => address.host_and_port(),
    };
    WsConnector::new(below, host, &address.path, seed)
}

impl Connector for AddressConnector {
    type Stream = BoxedStream;

    async fn connect(&mut self) -> io::Result<BoxedStream> {
        Ok(match &mut self.0 {
            Way::Tcp(way) => BoxedStream::new(way.connect().await?),
            Way::Tls(way) => BoxedStream::new(way.connect().await?),
            Way::Ws(way) => BoxedStream::new(way.connect().await?),
            Way::Wss(way) => BoxedStream::new(way.connect().await?),
            #[cfg(unix)]
            Way::Unix(way) => BoxedStream::new(way.connect().await?),
        })
    }
}
