//! Where a server is, as a URL says it.

use std::{fmt, path::PathBuf, str::FromStr};

/// Where a server is: `mqtt://host:port`, `mqtts://host:port`, `ws://host:port/path`, `wss://host:port/path` or `unix:/path`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// On a network.
    Network(NetworkAddress),
    /// At a file of this machine.
    Unix(PathBuf),
}

/// Where a server is on a network, and what is spoken there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkAddress {
    /// What is spoken.
    pub scheme: Scheme,
    /// A name or an address; one of IPv6 without its brackets.
    pub host: String,
    /// From 1; to listen, 0 takes a free one.
    pub port: u16,
    /// What a WebSocket asks for, with its slash: `/mqtt` if the URL says nothing. Empty without WebSocket.
    pub path: String,
}

/// What is spoken on a network connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// MQTT on TCP.
    Mqtt,
    /// MQTT on TLS.
    Mqtts,
    /// MQTT in WebSocket.
    Ws,
    /// MQTT in WebSocket on TLS.
    Wss,
}

/// Why an address is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Another scheme than there is.
    #[error("expected mqtt://, mqtts://, ws://, wss:// or unix: before the host")]
    Scheme,
    /// Nothing before the port.
    #[error("expected a host before the port")]
    Host,
    /// The port is no number from 1 to 65535.
    #[error("expected a port from 1 to 65535")]
    Port,
    /// Something behind the port, without WebSocket.
    #[error("expected nothing behind the port: only ws:// and wss:// have a path")]
    Path,
    /// No path behind `unix:`.
    #[error("expected unix: and a path")]
    File,
}

impl Address {
    /// Reads an address to listen at: as [`FromStr`] does, but port 0 is one.
    ///
    /// # Errors
    ///
    /// See [`AddressError`].
    pub fn to_listen_at(text: &str) -> Result<Self, AddressError> {
        if let Some(path) = text.strip_prefix("unix:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            return match path {
                "" => Err(AddressError::File),
                path => Ok(Self::Unix(path.into())),
            };
        }
        NetworkAddress::parse(text).map(Self::Network)
    }
}

impl Address {
    /// What is below the WebSocket there: TCP or TLS, at the same port. `None` where there is no WebSocket.
    #[must_use]
    pub fn without_websocket(&self) -> Option<Self> {
        let Self::Network(address) = self else {
            return None;
        };
        let scheme = match address.scheme {
            Scheme::Ws => Scheme::Mqtt,
            Scheme::Wss => Scheme::Mqtts,
            Scheme::Mqtt | Scheme::Mqtts => return None,
        };
        Some(Self::Network(NetworkAddress {
            scheme,
            path: String::new(),
            ..address.clone()
        }))
    }
}

impl FromStr for Address {
    type Err = AddressError;

    /// The scheme is mqtt if not given; the port its usual one: 1883, 8883, 80, 443. An address of IPv6 stands in brackets.
    fn from_str(text: &str) -> Result<Self, AddressError> {
        match Self::to_listen_at(text)? {
            Self::Network(NetworkAddress { port: 0, .. }) => Err(AddressError::Port),
            address @ (Self::Network(_) | Self::Unix(_)) => Ok(address),
        }
    }
}

impl NetworkAddress {
    fn parse(text: &str) -> Result<Self, AddressError> {
        let (scheme, rest) = match text.split_once("://") {
            Some((scheme, rest)) => (Scheme::named(scheme).ok_or(AddressError::Scheme)?, rest),
            None => (Scheme::Mqtt, text),
        };
        let slash = rest.find('/').unwrap_or(rest.len());
        let (authority, path) = rest.split_at(slash);
        let path = match path {
            "" | "/" if !scheme.is_websocket() => "",
            _ if !scheme.is_websocket() => return Err(AddressError::Path),
            "" => scheme.path(),
            path => path,
        };
        let (host, port) = host_and_port(authority)?;
        Ok(Self {
            scheme,
            host: host.to_owned(),
            port: port.map_or_else(
                || Ok(scheme.port()),
                |port| port.parse().map_err(|_| AddressError::Port),
            )?,
            path: path.to_owned(),
        })
    }

    /// `host:port`, as sockets and the Host of a request want it.
    #[must_use]
    pub fn host_and_port(&self) -> String {
        format!("{}:{}", self.host_only(), self.port)
    }

    pub(crate) fn host_only(&self) -> String {
        match self.host.contains(':') {
            true => format!("[{}]", self.host),
            false => self.host.clone(),
        }
    }
}

impl Scheme {
    /// What a WebSocket asks for if nobody says: `/mqtt`. Empty without WebSocket.
    #[must_use]
    pub const fn path(self) -> &'static str {
        if self.is_websocket() { "/mqtt" } else { "" }
    }

    fn named(name: &str) -> Option<Self> {
        match name {
            "mqtt" | "tcp" => Some(Self::Mqtt),
            "mqtts" | "ssl" | "tls" => Some(Self::Mqtts),
            "ws" => Some(Self::Ws),
            "wss" => Some(Self::Wss),
            _ => None,
        }
    }

    /// Where it is spoken unless something else is said.
    #[must_use]
    pub const fn port(self) -> u16 {
        match self {
            Self::Mqtt => 1883,
            Self::Mqtts => 8883,
            Self::Ws => 80,
            Self::Wss => 443,
        }
    }

    /// Whether it is TLS.
    #[must_use]
    pub const fn is_tls(self) -> bool {
        match self {
            Self::Mqtts | Self::Wss => true,
            Self::Mqtt | Self::Ws => false,
        }
    }

    /// Whether it is a WebSocket.
    #[must_use]
    pub const fn is_websocket(self) -> bool {
        match self {
            Self::Ws | Self::Wss => true,
            Self::Mqtt | Self::Mqtts => false,
        }
    }
}

fn host_and_port(authority: &str) -> Result<(&str, Option<&str>), AddressError> {
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
    Ok((host, port))
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Network(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

impl fmt::Display for NetworkAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", self.scheme, self.host_and_port(), self.path)
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Mqtt => "mqtt",
            Self::Mqtts => "mqtts",
            Self::Ws => "ws",
            Self::Wss => "wss",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_host_and_perhaps_a_scheme_a_port_and_a_path() {
        for (address, url) in [
            ("mqtt://a.example:1884", "mqtt://a.example:1884"),
            ("mqtt://a.example/", "mqtt://a.example:1883"),
            ("tcp://a.example", "mqtt://a.example:1883"),
            ("localhost", "mqtt://localhost:1883"),
            ("127.0.0.1:9", "mqtt://127.0.0.1:9"),
            ("mqtt://[::1]:1884", "mqtt://[::1]:1884"),
            ("[::1]", "mqtt://[::1]:1883"),
            ("mqtts://a.example", "mqtts://a.example:8883"),
            ("ssl://a.example:1", "mqtts://a.example:1"),
            ("ws://a.example", "ws://a.example:80/mqtt"),
            ("ws://a.example:8083/", "ws://a.example:8083/"),
            ("wss://a.example/a/b?c", "wss://a.example:443/a/b?c"),
            ("unix:/run/squall.sock", "unix:/run/squall.sock"),
            ("unix:///run/squall.sock", "unix:/run/squall.sock"),
        ] {
            let parsed = address.parse::<Address>().map(|address| address.to_string());
            assert_eq!(parsed.as_deref(), Ok(url), "{address}");
        }
    }

    #[test]
    fn an_address_that_is_none_says_what_was_expected() {
        for (address, error) in [
            ("http://a", AddressError::Scheme),
            ("mqtt://:1883", AddressError::Host),
            ("", AddressError::Host),
            ("a:0", AddressError::Port),
            ("a:65536", AddressError::Port),
            ("[::1]1883", AddressError::Port),
            ("mqtt://a/mqtt", AddressError::Path),
            ("unix:", AddressError::File),
        ] {
            assert_eq!(address.parse::<Address>(), Err(error), "{address}");
        }
    }

    #[test]
    fn port_0_is_one_to_listen_at() {
        let address = Address::to_listen_at("wss://[::1]:0/mqtt").map(|address| address.to_string());
        assert_eq!(address.as_deref(), Ok("wss://[::1]:0/mqtt"));
    }
}
