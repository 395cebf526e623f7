//! The options of mosquitto's clients that say how TLS is spoken: those of every command that connects to a broker.

use std::path::PathBuf;

use squall_node::tls::{ClientTls, Roots, TlsVersion, Verify};

/// How TLS is spoken.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "TLS")]
pub(crate) struct TlsArgs {
    /// Use TLS, and trust the CAs of this PEM file
    #[arg(long, value_name = "FILE", group = "roots")]
    cafile: Option<PathBuf>,
    /// Use TLS, and trust the CAs of the PEM files in this directory
    #[arg(long, value_name = "DIRECTORY", group = "roots")]
    capath: Option<PathBuf>,
    /// Use TLS, and trust the CAs of the operating system, as mqtts:// and wss:// do
    #[arg(long, group = "roots")]
    tls_use_os_certs: bool,
    /// Show this certificate: a PEM file, with those that link it to its CA
    #[arg(long, value_name = "FILE", requires = "key")]
    cert: Option<PathBuf>,
    /// The private key of --cert, a PEM file
    #[arg(long, value_name = "FILE", requires = "cert")]
    key: Option<PathBuf>,
    /// Do not ask the broker's certificate for its name: anybody with a certificate of the same CA can pose as it
    #[arg(long)]
    insecure: bool,
    /// The protocol's name in ALPN; mqtt, or http/1.1 in WebSocket, if not given
    #[arg(long, value_name = "NAME", alias = "alpn")]
    tls_alpn: Option<String>,
    /// Speak nothing older: tlsv1.2 or tlsv1.3
    #[arg(long, value_name = "VERSION", value_parser = version, default_value = "tlsv1.2")]
    tls_version: Option<TlsVersion>,
}

impl TlsArgs {
    /// Whether they ask for TLS, whatever the address says.
    pub(crate) const fn ask_for_tls(&self) -> bool {
        self.cafile.is_some() || self.capath.is_some() || self.tls_use_os_certs
    }

    /// What they say.
    pub(crate) fn client(&self) -> ClientTls {
        let file = self.cafile.clone().map(Roots::File);
        let directory = self.capath.clone().map(Roots::Directory);
        ClientTls {
            roots: file.or(directory).unwrap_or_default(),
            certificate: self.cert.clone().zip(self.key.clone()),
            verify: if self.insecure {
                Verify::AnyName
            } else {
                Verify::Name
            },
            alpn: self.tls_alpn.clone().map(|name| vec![name]),
            server_name: None,
            minimum_version: self.tls_version.unwrap_or_default(),
        }
    }

    /// What to type to have a second command speak as this one does.
    pub(crate) fn repeat(&self) -> String {
        let mut words = String::new();
        let mut add = |option: &str, value: Option<String>| {
            if let Some(value) = value {
                words.push_str(&format!(" {option} {value}"));
            }
        };
        let path = |path: &Option<PathBuf>| path.as_ref().map(|path| path.display().to_string());
        add("--cafile", path(&self.cafile));
        add("--capath", path(&self.capath));
        add("--cert", path(&self.cert));
        add("--key", path(&self.key));
        add("--tls-alpn", self.tls_alpn.clone());
        let flags = [
            ("--tls-use-os-certs", self.tls_use_os_certs),
            ("--insecure", self.insecure),
            (
                "--tls-version tlsv1.3",
                self.tls_version == Some(TlsVersion::Tls13),
            ),
        ];
        for (flag, is_set) in flags {
            if is_set {
                words.push_str(&format!(" {flag}"));
            }
        }
        words
    }
}

fn version(text: &str) -> Result<TlsVersion, String> {
    match text {
        "tlsv1.2" => Ok(TlsVersion::Tls12),
        "tlsv1.3" => Ok(TlsVersion::Tls13),
        _ => Err("write tlsv1.2 or tlsv1.3; nothing older is spoken".into()),
    }
}
