//! Certificates and keys, from PEM files.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
};

use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};

/// What is wrong with a file for TLS.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {problem}", file.display())]
pub struct TlsFileError {
    file: PathBuf,
    problem: String,
    mend: &'static str,
}

impl TlsFileError {
    pub(super) fn new(file: &Path, problem: impl fmt::Display, mend: &'static str) -> Self {
        Self {
            file: file.to_path_buf(),
            problem: problem.to_string(),
            mend,
        }
    }

    /// What to do about it.
    #[must_use]
    pub const fn mend(&self) -> &'static str {
        self.mend
    }
}

/// A certificate with those that link it to its CA, in the order of the file: its own first.
pub(super) fn certificate_chain(file: &Path) -> Result<Vec<CertificateDer<'static>>, TlsFileError> {
    let pem = read(file)?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    let chain = chain.map_err(|error| {
        let mend = "each certificate stands between BEGIN CERTIFICATE and END CERTIFICATE";
        TlsFileError::new(file, format!("no PEM: {error}"), mend)
    })?;
    if chain.is_empty() {
        let mend = "name a PEM file with BEGIN CERTIFICATE in it";
        return Err(TlsFileError::new(file, "there is no certificate in it", mend));
    }
    Ok(chain)
}

/// The first private key of a file: PKCS #8, PKCS #1 or SEC 1.
pub(super) fn private_key(file: &Path) -> Result<PrivateKeyDer<'static>, TlsFileError> {
    let pem = read(file)?;
    PrivateKeyDer::from_pem_slice(&pem).map_err(|error| {
        let encrypted = pem
            .windows(ENCRYPTED.len())
            .any(|window| window == ENCRYPTED.as_bytes());
        if encrypted {
            let mend = "decrypt it: openssl pkcs8 -in encrypted.key -out plain.key";
            return TlsFileError::new(file, "the private key is encrypted", mend);
        }
        let mend = "name a PEM file with BEGIN PRIVATE KEY in it";
        TlsFileError::new(file, format!("there is no private key in it: {error}"), mend)
    })
}

/// The CAs of a file.
pub(super) fn roots(file: &Path) -> Result<RootCertStore, TlsFileError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificate_chain(file)? {
        roots.add(certificate).map_err(|error| {
            let mend = "name a PEM file with the certificates of CAs";
            TlsFileError::new(file, error, mend)
        })?;
    }
    Ok(roots)
}

fn read(file: &Path) -> Result<Vec<u8>, TlsFileError> {
    fs::read(file).map_err(|error| {
        let mend = "name a file that is there and that this user may read";
        TlsFileError::new(file, error, mend)
    })
}

const ENCRYPTED: &str = "BEGIN ENCRYPTED PRIVATE KEY";
