use std::{path::PathBuf, sync::Arc};

use rustls::{
    ServerConfig, SupportedProtocolVersion,
    crypto::{CryptoProvider, ring},
    server::{WebPkiClientVerifier, danger::ClientCertVerifier},
    version::{TLS12, TLS13},
};
use serde::Deserialize;

use super::{ALPN_HTTP, ALPN_MQTT, TlsFileError, files};

/// How a listener speaks TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerTls {
    /// A PEM file: the server's certificate, then those that link it to its CA.
    pub certificate: PathBuf,
    /// A PEM file: the certificate's private key, not encrypted.
    pub key: PathBuf,
    /// A PEM file: the CAs whose certificates clients may show. Without it they are not asked for one.
    pub client_ca: Option<PathBuf>,
    /// Whether a client must show one.
    pub client_certificates: ClientCertificates,
    /// Nothing older is spoken.
    pub minimum_version: TlsVersion,
}

/// Whether a client must show a certificate, where there is a CA to sign it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClientCertificates {
    /// It may; one that is not right is refused.
    Optional,
    /// It must.
    #[default]
    Required,
}

/// A version of TLS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub enum TlsVersion {
    /// 1.2.
    #[default]
    #[serde(rename = "1.2")]
    Tls12,
    /// 1.3.
    #[serde(rename = "1.3")]
    Tls13,
}

impl ServerTls {
    /// Reads the files. `websocket` says whether MQTT comes over one, because ALPN then names HTTP.
    ///
    /// # Errors
    ///
    /// When a file cannot be read, holds something else, or does not fit the others.
    pub fn config(&self, websocket: bool) -> Result<Arc<ServerConfig>, TlsFileError> {
        let provider = Arc::new(ring::default_provider());
        let chain = files::certificate_chain(&self.certificate)?;
        let key = files::private_key(&self.key)?;
        let verifier = self.client_verifier(&provider)?;
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(self.minimum_version.and_later())
            .and_then(|builder| {
                builder
                    .with_client_cert_verifier(verifier)
                    .with_single_cert(chain, key)
            })
            .map_err(|error| {
                let mend = "name the private key that belongs to the certificate";
                TlsFileError::new(&self.key, error, mend)
            })?;
        // A client that sends no ALPN is taken as well.
        let protocol = if websocket { ALPN_HTTP } else { ALPN_MQTT };
        config.alpn_protocols = vec![protocol.to_vec()];
        Ok(Arc::new(config))
    }

    fn client_verifier(
        &self,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Arc<dyn ClientCertVerifier>, TlsFileError> {
        let Some(file) = &self.client_ca else {
            return Ok(WebPkiClientVerifier::no_client_auth());
        };
        let roots = Arc::new(files::roots(file)?);
        let builder = WebPkiClientVerifier::builder_with_provider(roots, Arc::clone(provider));
        let builder = match self.client_certificates {
            ClientCertificates::Optional => builder.allow_unauthenticated(),
            ClientCertificates::Required => builder,
        };
        builder.build().map_err(|error| {
            let mend = "name a PEM file with the certificates of CAs";
            TlsFileError::new(file, error, mend)
        })
    }
}

impl TlsVersion {
    pub(super) const fn and_later(self) -> &'static [&'static SupportedProtocolVersion] {
        match self {
            Self::Tls12 => &FROM_1_2,
            Self::Tls13 => &FROM_1_3,
        }
    }
}

static FROM_1_2: [&SupportedProtocolVersion; 2] = [&TLS12, &TLS13];
static FROM_1_3: [&SupportedProtocolVersion; 1] = [&TLS13];
