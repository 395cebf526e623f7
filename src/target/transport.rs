use std::{fs, path::Path};

use clap::ValueEnum;
use rcgen::generate_simple_self_signed;
use serde::Deserialize;
use squall_node::Scheme;

/// What is below MQTT on the connections to a broker.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Transport {
    /// TCP alone
    #[default]
    Tcp,
    /// TLS
    Tls,
    /// WebSocket
    Ws,
    /// WebSocket on TLS
    Wss,
}

/// The file of the certificate, in the directory of a broker.
pub(super) const CERTIFICATE: &str = "certificate.pem";
/// The file of its private key.
pub(super) const KEY: &str = "key.pem";

impl Transport {
    /// What a URL calls it.
    pub(crate) const fn scheme(self) -> Scheme {
        match self {
            Self::Tcp => Scheme::Mqtt,
            Self::Tls => Scheme::Mqtts,
            Self::Ws => Scheme::Ws,
            Self::Wss => Scheme::Wss,
        }
    }

    /// What profiles and the command line call it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Tls => "tls",
            Self::Ws => "ws",
            Self::Wss => "wss",
        }
    }
}

/// Writes a certificate for localhost that is its own authority, and its key.
pub(super) fn write_certificate(directory: &Path) -> Result<(), String> {
    let cannot = |error: &dyn std::fmt::Display| format!("cannot make a certificate: {error}");
    let made = generate_simple_self_signed(["localhost".to_owned(), "127.0.0.1".to_owned()]);
    let made = made.map_err(|error| cannot(&error))?;
    fs::write(directory.join(CERTIFICATE), made.cert.pem())
        .and_then(|()| fs::write(directory.join(KEY), made.signing_key.serialize_pem()))
        .map_err(|error| cannot(&error))
}
