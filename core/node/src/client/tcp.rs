#![expect(
    clippy::disallowed_types,
    reason = "this is the one connector that is no world's"
)]

use std::{io, str::FromStr};

use tokio::net::TcpStream;

use crate::{Address, AddressError, Connector, NetworkAddress, Scheme};

/// Connects over TCP, to the first address of the host that answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TcpConnector {
    host: String,
    port: u16,
}

impl TcpConnector {
    /// To a host, by name or address, and a port.
    pub fn new(host: impl Into<String>, port: u16) -> Self {
        Self {
            host: host.into(),
            port,
        }
    }
}

impl FromStr for TcpConnector {
    type Err = AddressError;

    /// Reads an [`Address`] of plain TCP: `mqtt://host:port`, `mqtt://host`, `host:port` or `host`.
    fn from_str(address: &str) -> Result<Self, AddressError> {
        match address.parse()? {
            Address::Network(NetworkAddress {
                scheme: Scheme::Mqtt,
                host,
                port,
                ..
            }) => Ok(Self::new(host, port)),
            Address::Network(_) | Address::Unix(_) => Err(AddressError::Scheme),
        }
    }
}

impl Connector for TcpConnector {
    type Stream = TcpStream;

    async fn connect(&mut self) -> io::Result<TcpStream> {
        let stream = TcpStream::connect((self.host.as_str(), self.port)).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }
}
