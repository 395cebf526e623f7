use std::path::PathBuf;

use serde::{Deserialize, Deserializer, de::Error as _};

use crate::{
    Address, Scheme,
    tls::{ClientCertificates, ServerTls, TlsVersion},
};

/// One place where clients connect, by transport.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum Listener {
    /// Plain TCP.
    Tcp(Tcp),
    /// TLS.
    Tls(#[serde(deserialize_with = "without_path")] Secure),
    /// WebSocket on plain TCP.
    Ws(Ws),
    /// WebSocket on TLS.
    Wss(#[serde(deserialize_with = "secure")] Secure),
    /// A Unix socket.
    Unix(Unix),
}

/// Plain TCP.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tcp {
    /// A host and a port: `127.0.0.1:1883`, `[::1]:1883`, `localhost:1883`. Port 0 takes a free one.
    pub address: String,
}

/// WebSocket on plain TCP.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ws {
    /// A host and a port. Port 0 takes a free one.
    pub address: String,
    /// The one path at which there is MQTT, such as `/mqtt`; any if not given.
    #[serde(default, deserialize_with = "path")]
    pub path: Option<String>,
}

/// TLS, or WebSocket on TLS.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Secure {
    /// A host and a port. Port 0 takes a free one.
    pub address: String,
    /// The one path at which there is MQTT in WebSocket; any if not given.
    #[serde(default, deserialize_with = "path")]
    pub path: Option<String>,
    /// As in [`ServerTls`].
    pub certificate: PathBuf,
    /// As in [`ServerTls`].
    pub key: PathBuf,
    /// As in [`ServerTls`].
    #[serde(default)]
    pub client_ca: Option<PathBuf>,
    /// As in [`ServerTls`].
    #[serde(default)]
    pub client_certificates: Option<ClientCertificates>,
    /// As in [`ServerTls`].
    #[serde(default)]
    pub minimum_version: TlsVersion,
}

/// A Unix socket.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unix {
    /// Where its file is. One that a dead process left is replaced.
    pub path: PathBuf,
    /// Who may connect, as the file's permissions say: `0o660`. The process's umask decides if not given.
    #[serde(default)]
    pub mode: Option<u32>,
}

impl Listener {
    /// Plain TCP at this address.
    pub fn tcp(address: impl Into<String>) -> Self {
        Self::Tcp(Tcp {
            address: address.into(),
        })
    }

    /// What an address asks for. `certificate` and `key` are for TLS; `None` where it is asked for without them.
    pub fn at(address: &Address, certificate: Option<(PathBuf, PathBuf)>) -> Option<Self> {
        let address = match address {
            Address::Unix(path) => {
                let (path, mode) = (path.clone(), None);
                return Some(Self::Unix(Unix { path, mode }));
            }
            Address::Network(address) => address,
        };
        let (scheme, path) = (address.scheme, Some(address.path.clone()));
        let path = path.filter(|_| scheme.is_websocket());
        let address = address.host_and_port();
        let secure = |path| {
            let (certificate, key) = certificate?;
            Some(Secure {
                address: address.clone(),
                path,
                certificate,
                key,
                client_ca: None,
                client_certificates: None,
                minimum_version: TlsVersion::default(),
            })
        };
        Some(match scheme {
            Scheme::Mqtt => Self::tcp(address),
            Scheme::Mqtts => Self::Tls(secure(None)?),
            Scheme::Ws => Self::Ws(Ws { address, path }),
            Scheme::Wss => Self::Wss(secure(path)?),
        })
    }
}

impl Secure {
    pub(crate) fn tls(&self) -> ServerTls {
        ServerTls {
            certificate: self.certificate.clone(),
            key: self.key.clone(),
            client_ca: self.client_ca.clone(),
            client_certificates: self.client_certificates.unwrap_or_default(),
            minimum_version: self.minimum_version,
        }
    }
}

fn path<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let path = String::deserialize(deserializer)?;
    if !path.starts_with('/') {
        return Err(D::Error::custom(
            "expected a path that begins with a slash, such as \"/mqtt\"",
        ));
    }
    Ok(Some(path))
}

fn without_path<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Secure, D::Error> {
    let secure = secure(deserializer)?;
    match secure.path {
        None => Ok(secure),
        Some(_) => Err(D::Error::custom("a path is for wss: there is none in tls")),
    }
}

fn secure<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Secure, D::Error> {
    let secure = Secure::deserialize(deserializer)?;
    if secure.client_certificates.is_some() && secure.client_ca.is_none() {
        let why = "client_certificates need a client_ca that has signed them";
        return Err(D::Error::custom(why));
    }
    Ok(secure)
}
