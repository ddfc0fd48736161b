use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer;

use crate::evidence::Hash;
use crate::identity::{Identify, Metadata};
use crate::record::Actor;

use super::accepted::{AcceptedNames, TrustDomainError};
use super::distinguished_name::text_of;
use super::names::CertificateNames;

/// The longest certificate that is read, in bytes.
const CERTIFICATE_LIMIT: usize = 64 * 1_024;

/// The client certificate of the TLS connection ([`Metadata::peer_certificate`]).
///
/// The actor is verified, because the handshake is what checked the certificate: the chain, the
/// dates and that the caller holds the private key. **That is up to the host's TLS configuration**,
/// which must require client certificates and trust only roots that may name callers. Nothing
/// of that is checked again here.
///
/// * One URI name `spiffe://…` makes a service account, as the rules for X.509-SVID ask: no
///   CA, key usage `digitalSignature` and neither `keyCertSign` nor `cRLSign`, a well-formed
///   SPIFFE ID with a path (X.509-SVID §2 and §4). `issuer` is the trust domain.
/// * Otherwise a DNS name makes a service account of the first of them, an email address a user.
///   With both, or neither, the actor is of unknown type, and `id` is the subject (RFC 4514).
///   `issuer` is the certificate's issuer.
///
/// `auth` is `mtls`; `credential` is the SHA-256 of the certificate in hexadecimal. A certificate
/// that breaks these rules, such as one with two URI names, makes an `unauthenticated` actor with a
/// `reason` and that `credential`. Says nothing without a certificate. Allocates; takes some
/// microseconds; does not block.
#[derive(Clone, Debug, Default)]
pub struct ClientCertificate {
    accepted: AcceptedNames,
}

impl ClientCertificate {
    /// Believes every certificate that the handshake let in.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Believes SPIFFE IDs of these trust domains only, as in `prod.example`.
    ///
    /// # Errors
    ///
    /// When one of them cannot be a trust domain.
    pub fn trust_domains<N>(mut self, names: N) -> Result<Self, TrustDomainError>
    where
        N: IntoIterator<Item: Into<String>>,
    {
        self.accepted.set_trust_domains(names)?;
        Ok(self)
    }

    /// Believes no certificates but X.509-SVIDs.
    #[must_use]
    pub const fn spiffe_only(mut self) -> Self {
        self.accepted.spiffe_only = true;
        self
    }
}

impl Identify for ClientCertificate {
    fn identify(&self, metadata: &dyn Metadata) -> Option<Actor> {
        let certificate = metadata.peer_certificate()?;
        let fingerprint = Hash::digest(&certificate);
        let actor = match self.read(&certificate) {
            Ok(actor) => actor.verified(),
            Err(reason) => Actor::unauthenticated().reason(reason),
        };
        Some(actor.auth("mtls").credential(fingerprint.to_hex()))
    }
}

impl ClientCertificate {
    fn read(&self, certificate: &[u8]) -> Result<Actor, &'static str> {
        const MALFORMED: &str = "malformed certificate";
        if certificate.len() > CERTIFICATE_LIMIT {
            return Err("certificate longer than 64 KiB");
        }
        let (rest, certificate) = X509Certificate::from_der(certificate).map_err(|_| MALFORMED)?;
        if !rest.is_empty() {
            return Err(MALFORMED);
        }
        let mut names = CertificateNames::new(text_of(certificate.subject()).map(Into::into));
        names.issuer = text_of(certificate.issuer());
        if let Some(extension) = certificate.subject_alternative_name().map_err(|_| MALFORMED)? {
            for name in &extension.value.general_names {
                match name {
                    GeneralName::URI(uri) => names.add_uri(uri),
                    GeneralName::DNSName(dns) => names.dns = names.dns.or(Some(dns)),
                    GeneralName::RFC822Name(address) => names.email = names.email.or(Some(address)),
                    // It could be a second URI.
                    GeneralName::Invalid(..) => return Err(MALFORMED),
                    _ => {}
                }
            }
        }
        if names.is_spiffe() {
            check_leaf(&certificate)?;
        }
        names.actor(&self.accepted)
    }
}

/// What a workload's own certificate must be (X.509-SVID §4.1 to §4.3).
fn check_leaf(certificate: &X509Certificate<'_>) -> Result<(), &'static str> {
    let constraints = certificate.basic_constraints().map_err(|_| "malformed certificate")?;
    if constraints.is_some_and(|extension| extension.value.ca) {
        return Err("certificate of a CA, not of a workload");
    }
    let usage = certificate.key_usage().map_err(|_| "malformed certificate")?.map(|extension| extension.value);
    match usage {
        Some(usage) if usage.key_cert_sign() || usage.crl_sign() => Err("certificate for signing certificates"),
        Some(usage) if usage.digital_signature() => Ok(()),
        _ => Err("certificate not for digital signatures"),
    }
}
