use std::{path::PathBuf, sync::Arc};

use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, ServerName, UnixTime},
};

use super::{TlsFileError, TlsVersion, files};

/// How a client speaks TLS. The default trusts the system's CAs and has no certificate of its own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientTls {
    /// Who may have signed the server's certificate.
    pub roots: Roots,
    /// PEM files: the client's own certificate, with those that link it to its CA, and its private key.
    pub certificate: Option<(PathBuf, PathBuf)>,
    /// What is asked of the server's certificate.
    pub verify: Verify,
    /// The names offered by ALPN; `None` offers what the transport is: `mqtt`, or `http/1.1` for a WebSocket.
    pub alpn: Option<Vec<String>>,
    /// What the server must be called; `None` for the host that is connected to.
    pub server_name: Option<String>,
    /// Nothing older is spoken.
    pub minimum_version: TlsVersion,
}

/// The CAs that a client trusts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Roots {
    /// Those of the operating system.
    #[default]
    System,
    /// Those of a PEM file.
    File(PathBuf),
    /// Those of the PEM files in a directory.
    Directory(PathBuf),
}

/// What is asked of the server's certificate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Verify {
    /// That a trusted CA signed it for the server's name.
    #[default]
    Name,
    /// That a trusted CA signed it, for whomever: anybody with any certificate of that CA can pose as the server.
    AnyName,
}

impl ClientTls {
    /// Reads the files. `alpn` is offered unless something else was asked for.
    ///
    /// # Errors
    ///
    /// When a file cannot be read, holds something else, or does not fit the others.
    pub(crate) fn config(&self, alpn: &[u8]) -> Result<Arc<ClientConfig>, TlsFileError> {
        let provider = Arc::new(ring::default_provider());
        let verifier = self.verifier(&provider)?;
        let builder = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(self.minimum_version.and_later())
            .expect("ring speaks every version there is")
            .dangerous()
            .with_custom_certificate_verifier(verifier);
        let mut config = match &self.certificate {
            None => builder.with_no_client_auth(),
            Some((certificate, key)) => {
                let chain = files::certificate_chain(certificate)?;
                builder
                    .with_client_auth_cert(chain, files::private_key(key)?)
                    .map_err(|error| {
                        let mend = "name the private key that belongs to the certificate";
                        TlsFileError::new(key, error, mend)
                    })?
            }
        };
        config.alpn_protocols = match &self.alpn {
            Some(names) => names.iter().map(|name| name.clone().into_bytes()).collect(),
            None => vec![alpn.to_vec()],
        };
        Ok(Arc::new(config))
    }

    fn verifier(&self, provider: &Arc<CryptoProvider>) -> Result<Arc<dyn ServerCertVerifier>, TlsFileError> {
        let roots = Arc::new(self.roots.load()?);
        let whole = WebPkiServerVerifier::builder_with_provider(roots, Arc::clone(provider))
            .build()
            .map_err(|error| {
                let mend = "name a PEM file with the certificates of CAs";
                TlsFileError::new(self.roots.place(), error, mend)
            })?;
        Ok(match self.verify {
            Verify::Name => whole,
            Verify::AnyName => Arc::new(AnyName(whole)),
        })
    }
}

impl Roots {
    fn load(&self) -> Result<RootCertStore, TlsFileError> {
        let found = match self {
            Self::File(file) => return files::roots(file),
            Self::System => rustls_native_certs::load_native_certs(),
            Self::Directory(directory) => rustls_native_certs::load_certs_from_paths(None, Some(directory)),
        };
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(found.certs);
        if roots.is_empty() {
            let problem = match found.errors.first() {
                Some(error) => error.to_string(),
                None => "there is no CA".to_owned(),
            };
            return Err(TlsFileError::new(self.place(), problem, "name a CA file"));
        }
        Ok(roots)
    }

    fn place(&self) -> &std::path::Path {
        match self {
            Self::System => "the system's CAs".as_ref(),
            Self::File(place) | Self::Directory(place) => place,
        }
    }
}

/// Asks all of a certificate but the name in it.
#[derive(Debug)]
struct AnyName(Arc<WebPkiServerVerifier>);

impl ServerCertVerifier for AnyName {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let verified = self
            .0
            .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        match verified {
            // The name is looked at last, when all the rest was right.
            Err(rustls::Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => Ok(ServerCertVerified::assertion()),
            Ok(verified) => Ok(verified),
            Err(error) => Err(error),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}
