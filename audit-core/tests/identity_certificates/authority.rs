//! Somebody who issues certificates, and TLS connections that are made with them.

use std::io;
use std::sync::Arc;

use audit_core::identity::{ClientCertificate, Identify};
use audit_core::record::{Actor, ActorType};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose, SanType,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, ClientConnection, Connection, RootCertStore, ServerConfig, ServerConnection};

use super::request::Request;

/// A root that both ends trust.
pub(crate) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::OrganizationName, "Example, Inc.");
        params.distinguished_name.push(DnType::CommonName, "Root");
        Self { issuer: CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap() }
    }

    /// A certificate and its private key.
    pub(crate) fn issue(&self, params: &CertificateParams) -> (CertificateDer<'static>, PrivateKeyDer<'static>) {
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        (certificate.der().clone(), PrivateKeyDer::try_from(key.serialize_der()).unwrap())
    }

    /// The leaf that a server sees when a client shows a certificate of this authority.
    pub(crate) fn handshake(&self, params: &CertificateParams) -> Result<Vec<u8>, rustls::Error> {
        self.handshake_with(self.issue(params))
    }

    /// The leaf that a server sees when a client shows this certificate: a whole TLS 1.3 handshake,
    /// in which both trust this authority and nobody else.
    pub(crate) fn handshake_with(
        &self,
        (certificate, key): (CertificateDer<'static>, PrivateKeyDer<'static>),
    ) -> Result<Vec<u8>, rustls::Error> {
        let mut roots = RootCertStore::empty();
        roots.add(self.issuer.der().clone()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let client = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots.clone())
            .with_client_auth_cert(vec![certificate], key)?;
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
        let (certificate, key) = self.issue(&CertificateParams::new(["server.example".to_owned()]).unwrap());
        let server = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_client_cert_verifier(verifier.build().unwrap())
            .with_single_cert(vec![certificate], key)?;
        let name = ServerName::try_from("server.example").unwrap();
        let mut client = Connection::from(ClientConnection::new(Arc::new(client), name)?);
        let mut server = Connection::from(ServerConnection::new(Arc::new(server))?);
        while client.is_handshaking() || server.is_handshaking() {
            carry(&mut client, &mut server)?;
            carry(&mut server, &mut client)?;
        }
        Ok(server.peer_certificates().unwrap()[0].to_vec())
    }

    /// Who that is.
    pub(crate) fn caller(&self, params: &CertificateParams) -> Actor {
        identified(&ClientCertificate::new(), &self.handshake(params).unwrap())
    }
}

/// Brings what one end has to say to the other.
fn carry(from: &mut Connection, to: &mut Connection) -> Result<(), rustls::Error> {
    let mut bytes = Vec::new();
    while from.wants_write() {
        from.write_tls(&mut bytes).unwrap();
    }
    let mut bytes = bytes.as_slice();
    while !bytes.is_empty() {
        to.read_tls(&mut bytes as &mut dyn io::Read).unwrap();
        to.process_new_packets()?;
    }
    Ok(())
}

/// A client certificate with these names.
pub(crate) fn leaf(names: impl IntoIterator<Item = SanType>) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.subject_alt_names = names.into_iter().collect();
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params.distinguished_name = DistinguishedName::new();
    params
}

pub(crate) fn uri(text: &str) -> SanType {
    SanType::URI(text.try_into().unwrap())
}

pub(crate) fn identified(source: &ClientCertificate, certificate: &[u8]) -> Actor {
    let request = Request { peer_certificate: Some(certificate.to_vec()), ..Request::default() };
    let actor = source.identify(&request).unwrap();
    assert_eq!(actor.auth.as_deref(), Some("mtls"));
    assert_eq!(actor.credential.as_ref().map(String::len), Some(64));
    actor
}

/// Why the caller is not believed. No name from the certificate may be in the actor.
pub(crate) fn reason(actor: Actor) -> String {
    assert_eq!((actor.kind, actor.id, actor.issuer), (ActorType::Unauthenticated, None, None));
    assert!(!actor.verified);
    actor.reason.unwrap()
}
