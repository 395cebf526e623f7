use std::{fs, path::PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use tempfile::TempDir;

/// A certificate authority with the files of what it has signed.
pub(crate) struct Authority {
    directory: TempDir,
    issuer: Issuer<'static, KeyPair>,
}

/// PEM files: a certificate and its private key.
pub(crate) type Pair = (PathBuf, PathBuf);

impl Authority {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new([]).expect("no names");
        // Its own, or a certificate of another authority would look like a forged one of this.
        let name = directory.path().display().to_string();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let certificate = params.self_signed(&key).expect("a certificate");
        fs::write(directory.path().join("ca.pem"), certificate.pem()).expect("a file");
        let issuer = Issuer::new(params, key);
        Self { directory, issuer }
    }

    /// Its own certificate.
    pub(crate) fn file(&self) -> PathBuf {
        self.directory.path().join("ca.pem")
    }

    /// A certificate for this host.
    pub(crate) fn server(&self, host: &str) -> Pair {
        self.sign(host, ExtendedKeyUsagePurpose::ServerAuth, |_| ())
    }

    /// One whose time is over.
    pub(crate) fn expired(&self, host: &str) -> Pair {
        self.sign(host, ExtendedKeyUsagePurpose::ServerAuth, |params| {
            params.not_before = date_time_ymd(2020, 1, 1);
            params.not_after = date_time_ymd(2020, 1, 2);
        })
    }

    /// A client's certificate.
    pub(crate) fn client(&self, name: &str) -> Pair {
        self.sign(name, ExtendedKeyUsagePurpose::ClientAuth, |_| ())
    }

    fn sign(
        &self,
        name: &str,
        purpose: ExtendedKeyUsagePurpose,
        change: impl FnOnce(&mut CertificateParams),
    ) -> Pair {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new([name.to_owned()]).expect("a name");
        params.extended_key_usages = vec![purpose];
        change(&mut params);
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        let file = |kind: &str| self.directory.path().join(format!("{name}.{kind}.pem"));
        fs::write(file("certificate"), certificate.pem()).expect("a file");
        fs::write(file("key"), key.serialize_pem()).expect("a file");
        (file("certificate"), file("key"))
    }
}
