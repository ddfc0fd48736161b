//! Callers known by a TLS client certificate: X.509-SVID, RFC 5280, and what Envoy says of one.
//!
//! `ClientCertificate` reads the certificate of this connection, [`ForwardedClientCert`] what a
//! trusted proxy forwards of the certificate that it was shown. Both get names out of it, and one
//! place, `names.rs`, makes an actor of names. Nothing here checks a chain: that is the TLS
//! handshake's work, here or at the proxy.

mod accepted;
#[cfg(feature = "x509")]
mod client_certificate;
#[cfg(feature = "x509")]
mod distinguished_name;
mod element;
mod forwarded_client_cert;
mod names;

pub use accepted::TrustDomainError;
#[cfg(feature = "x509")]
pub use client_certificate::ClientCertificate;
pub use forwarded_client_cert::ForwardedClientCert;
