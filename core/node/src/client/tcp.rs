#![expect(
    clippy::disallowed_types,
    reason = "this is the one connector that is no world's"
)]

use std::{io, str::FromStr};

use tokio::net::TcpStream;

use crate::Connector;

/// Connects over TCP, to the first address of the host that answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TcpConnector {
    host: String,
    port: u16,
}

/// Why an address is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Another scheme than `mqtt`.
    #[error("expected mqtt://host:port")]
    Scheme,
    /// Nothing before the port.
    #[error("expected a host before the port")]
    Host,
    /// The port is no number from 1 to 65535.
    #[error("expected a port from 1 to 65535")]
    Port,
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

    /// Reads `mqtt://host:port`, `mqtt://host`, `host:port` or `host`; an IPv6 address in brackets. The port is 1883 if not given.
    fn from_str(address: &str) -> Result<Self, AddressError> {
        let authority = match address.split_once("://") {
            Some(("mqtt", authority)) => authority.strip_suffix('/').unwrap_or(authority),
            Some(_) => return Err(AddressError::Scheme),
            None => address,
        };
        let (host, port) = match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((host, "")) => (host, None),
            Some((host, port)) => (host, Some(port.strip_prefix(':').ok_or(AddressError::Port)?)),
            None => match authority.rsplit_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (authority, None),
            },
        };
        if host.is_empty() {
            return Err(AddressError::Host);
        }
        let port = match port {
            Some(port) => port
                .parse()
                .ok()
                .filter(|port| *port != 0)
                .ok_or(AddressError::Port)?,
            None => 1883,
        };
        Ok(Self::new(host, port))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_host_and_perhaps_a_scheme_and_a_port() {
        for (address, host, port) in [
            ("mqtt://a.example:1884", "a.example", 1884),
            ("mqtt://a.example/", "a.example", 1883),
            ("localhost", "localhost", 1883),
            ("127.0.0.1:9", "127.0.0.1", 9),
            ("mqtt://[::1]:1884", "::1", 1884),
            ("[::1]", "::1", 1883),
        ] {
            assert_eq!(address.parse(), Ok(TcpConnector::new(host, port)), "{address}");
        }
    }

    #[test]
    fn an_address_that_is_none_says_what_was_expected() {
        for (address, error) in [
            ("http://a", AddressError::Scheme),
            ("mqtt://:1883", AddressError::Host),
            ("a:0", AddressError::Port),
            ("a:65536", AddressError::Port),
            ("[::1]1883", AddressError::Port),
        ] {
            assert_eq!(address.parse::<TcpConnector>(), Err(error), "{address}");
        }
    }
}
