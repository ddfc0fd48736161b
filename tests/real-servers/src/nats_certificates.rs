use std::fs;
use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose, date_time_ymd,
};

use crate::Failure;

/// A certificate and its key, as files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certified {
    /// The certificate, PEM.
    pub certificate: PathBuf,
    /// Its private key, PEM.
    pub key: PathBuf,
}

/// A throw-away certificate authority for NATS servers and their clients.
#[derive(Debug)]
pub struct NatsCertificates {
    folder: PathBuf,
    authority: CertifiedIssuer<'static, KeyPair>,
}

impl NatsCertificates {
    /// Makes an authority whose certificate is in `folder`.
    ///
    /// # Errors
    ///
    /// When it cannot be made or written.
    pub fn create(folder: &Path) -> Result<Self, Failure> {
        let mut params = CertificateParams::new(Vec::<String>::new())?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.distinguished_name = named("throw-away authority");
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
        let certificates = Self { folder: folder.to_owned(), authority };
        fs::write(certificates.authority_file(), certificates.authority.pem())?;
        Ok(certificates)
    }

    /// The authority's own certificate, PEM.
    #[must_use]
    pub fn authority_file(&self) -> PathBuf {
        self.folder.join("ca.pem")
    }

    /// A certificate for a server on the loopback address, and for clients by the name `name`.
    ///
    /// # Errors
    ///
    /// When it cannot be made or written.
    pub fn issue(&self, name: &str) -> Result<Certified, Failure> {
        self.signed(name, 2_100)
    }

    /// One that expired in 2021.
    ///
    /// # Errors
    ///
    /// When it cannot be made or written.
    pub fn issue_expired(&self, name: &str) -> Result<Certified, Failure> {
        self.signed(name, 2_021)
    }

    fn signed(&self, name: &str, until: i32) -> Result<Certified, Failure> {
        let mut params = CertificateParams::new(vec!["127.0.0.1".to_owned(), "localhost".to_owned()])?;
        params.distinguished_name = named(name);
        params.not_before = date_time_ymd(2_020, 1, 1);
        params.not_after = date_time_ymd(until, 1, 1);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &self.authority)?;
        let files = Certified {
            certificate: self.folder.join(format!("{name}.pem")),
            key: self.folder.join(format!("{name}.key")),
        };
        fs::write(&files.certificate, certificate.pem())?;
        fs::write(&files.key, key.serialize_pem())?;
        Ok(files)
    }
}

fn named(name: &str) -> DistinguishedName {
    let mut names = DistinguishedName::new();
    names.push(DnType::CommonName, name);
    names
}
