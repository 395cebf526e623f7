//! Where the broker is: `-h` and `-p`, or `-L`, or a Unix socket, with TLS and WebSocket or without.

use std::path::PathBuf;

use rand::{TryRng as _, rngs::SysRng};
use squall_node::{
    Address, NetworkAddress, Scheme,
    client::{AddressConnector, ConnectorError},
    tls::ClientTls,
};

use crate::{exit::Misuse, tls::TlsArgs};

/// Where the broker is.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Connection")]
pub(crate) struct ServerArgs {
    /// The broker's host; localhost if not given
    #[arg(short = 'h', long, conflicts_with_all = ["url", "unix"])]
    host: Option<String>,
    /// The broker's port; 1883 if not given, with TLS 8883, with WebSocket 80 or 443
    #[arg(short, long, conflicts_with_all = ["url", "unix"])]
    port: Option<u16>,
    /// The broker, and what else there is to say in a URL: mqtt://USER:PASSWORD@HOST:PORT/TOPIC
    /// (or mqtts), ws://HOST:PORT/PATH (or wss); all but the host may be left out
    #[arg(short = 'L', long, value_name = "URL", conflicts_with = "unix", value_parser = Url::parse)]
    url: Option<Url>,
    /// The broker's Unix socket
    #[arg(long, value_name = "PATH")]
    unix: Option<PathBuf>,
    /// MQTT in WebSocket
    #[arg(long, conflicts_with_all = ["url", "unix"])]
    ws: bool,
    #[command(flatten)]
    tls: TlsArgs,
}

/// What a URL of mosquitto's clients says.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Url {
    address: Address,
    user: Option<String>,
    password: Option<String>,
    topic: Option<String>,
}

impl ServerArgs {
    /// Where it is.
    pub(crate) fn address(&self) -> Address {
        if let Some(path) = &self.unix {
            return Address::Unix(path.clone());
        }
        let with_tls = self.tls.ask_for_tls();
        match &self.url {
            Some(url) => secured(url.address.clone(), with_tls),
            None => {
                let scheme = match (self.ws, with_tls) {
                    (false, false) => Scheme::Mqtt,
                    (false, true) => Scheme::Mqtts,
                    (true, false) => Scheme::Ws,
                    (true, true) => Scheme::Wss,
                };
                Address::Network(NetworkAddress {
                    scheme,
                    host: self.host.clone().unwrap_or_else(|| "localhost".into()),
                    port: self.port.unwrap_or_else(|| scheme.port()),
                    path: scheme.path().into(),
                })
            }
        }
    }

    /// Connects there.
    pub(crate) fn connector(&self) -> Result<AddressConnector, anyhow::Error> {
        connector(&self.address(), &self.tls.client())
    }

    /// The User Name of the URL.
    pub(crate) fn user(&self) -> Option<&str> {
        self.url.as_ref()?.user.as_deref()
    }

    /// The password of the URL.
    pub(crate) fn password(&self) -> Option<&str> {
        self.url.as_ref()?.password.as_deref()
    }

    /// The topic of the URL.
    pub(crate) fn topic(&self) -> Option<&str> {
        self.url.as_ref()?.topic.as_deref()
    }
}

/// Connects to an address. A file or a name that is not right is wrong use.
pub(crate) fn connector(address: &Address, tls: &ClientTls) -> Result<AddressConnector, anyhow::Error> {
    let mut seed = [0; 32];
    SysRng.try_fill_bytes(&mut seed)?;
    let connector = AddressConnector::new(address, tls, seed);
    Ok(connector.map_err(|error| {
        let mend = match &error {
            ConnectorError::File(file) => file.mend(),
            ConnectorError::ServerName(_) => "name the broker's host as its certificate does",
            ConnectorError::NoUnixSockets => "name a host and a port",
        };
        Misuse::new(error, mend)
    })?)
}

/// With TLS, where options ask for it and the URL does not.
pub(crate) fn secured(address: Address, with_tls: bool) -> Address {
    let Address::Network(mut network) = address else {
        return address;
    };
    let secure = match network.scheme {
        Scheme::Mqtt | Scheme::Mqtts => Scheme::Mqtts,
        Scheme::Ws | Scheme::Wss => Scheme::Wss,
    };
    if with_tls && !network.scheme.is_tls() {
        if network.port == network.scheme.port() {
            network.port = secure.port();
        }
        network.scheme = secure;
    }
    Address::Network(network)
}

impl Url {
    fn parse(text: &str) -> Result<Self, String> {
        let (scheme, rest) = text
            .split_once("://")
            .ok_or("expected a URL such as mqtt://localhost/room/temperature")?;
        let slash = rest.find('/').unwrap_or(rest.len());
        let (authority, path) = rest.split_at(slash);
        let (credentials, host) = match authority.rsplit_once('@') {
            Some((credentials, host)) => (Some(credentials), host),
            None => (None, authority),
        };
        let (user, password) = match credentials.map(|text| text.split_once(':').ok_or(text)) {
            None => (None, None),
            Some(Ok((user, password))) => (Some(user), Some(password)),
            Some(Err(user)) => (Some(user), None),
        };
        // Of a WebSocket it is what is asked for in HTTP.
        let (address, topic) = match scheme {
            "ws" | "wss" => (format!("{scheme}://{host}{path}"), None),
            _ => (format!("{scheme}://{host}"), path.strip_prefix('/')),
        };
        Ok(Self {
            address: address.parse().map_err(|error| format!("{error}"))?,
            user: user.map(str::to_owned),
            password: password.map(str::to_owned),
            topic: topic.filter(|topic| !topic.is_empty()).map(str::to_owned),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_says_where_as_whom_and_what() {
        let url = Url::parse("mqtts://u:p:w@[::1]:1234/a/b").unwrap();
        assert_eq!(url.address.to_string(), "mqtts://[::1]:1234");
        assert_eq!(
            (url.user.as_deref(), url.password.as_deref()),
            (Some("u"), Some("p:w"))
        );
        assert_eq!(url.topic.as_deref(), Some("a/b"));
        let url = Url::parse("ws://u@host/path").unwrap();
        assert_eq!(url.address.to_string(), "ws://host:80/path");
        assert_eq!((url.user.as_deref(), url.topic), (Some("u"), None));
        assert_eq!(Url::parse("mqtt://host/").unwrap().topic, None);
    }

    #[test]
    fn what_is_no_url_says_what_was_expected() {
        for (text, expected) in [
            ("localhost", "a URL such as"),
            ("mqtt://", "a host"),
            ("mqtt://a:b", "a port"),
            ("http://a", "mqtt://"),
        ] {
            assert!(Url::parse(text).unwrap_err().contains(expected), "{text}");
        }
    }

    #[test]
    fn options_for_tls_make_a_plain_address_a_secure_one() {
        for (address, secure) in [
            ("mqtt://a", "mqtts://a:8883"),
            ("mqtt://a:9", "mqtts://a:9"),
            ("ws://a/b", "wss://a:443/b"),
            ("mqtts://a", "mqtts://a:8883"),
        ] {
            assert_eq!(secured(address.parse().unwrap(), true).to_string(), secure);
        }
        assert_eq!(
            secured("mqtt://a".parse().unwrap(), false).to_string(),
            "mqtt://a:1883"
        );
    }
}
