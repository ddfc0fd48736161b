//! Who is asking: from the metadata of a request to an [`Actor`](crate::record::Actor).
//!
//! An [`Identify`] reads [`Metadata`], which every adapter implements for its own request type.
//! [`DefaultIdentify`] takes what the host's own authentication established, then what a token or a
//! signed request claims, and gives everybody else a name too: no caller goes unrecorded.
//! Sources that check something have to be told what to believe, and go in front of it:
//!
//! ```
//! # #[cfg(all(feature = "jwt", feature = "x509"))]
//! # fn sources(jwks: &[u8], keys: audit_core::identity::ApiKeys) -> Result<(), Box<dyn std::error::Error>> {
//! use audit_core::identity::{
//!     ClientCertificate, DefaultIdentify, Established, FirstOf, ForwardedClientCert, JwtIssuer, JwtVerifier,
//!     TrustedProxies,
//! };
//!
//! let cluster = JwtIssuer::new("https://kubernetes.default.svc").jwks(jwks)?.audience("payments");
//! let identify = FirstOf::default()
//!     .or(Established)
//!     .or(JwtVerifier::builder().issuer(cluster).build()?)
//!     .or(ClientCertificate::new().trust_domains(["prod.example"])?)
//!     .or(ForwardedClientCert::new(TrustedProxies::new(["127.0.0.6"])?))
//!     .or(keys)
//!     .or(DefaultIdentify);
//! # drop(identify);
//! # Ok(()) }
//! ```
//!
//! | source | checked by |
//! |---|---|
//! | [`Established`] | the host |
//! | `JwtVerifier` (feature `jwt`) | itself, with the keys of the issuer |
//! | `ClientCertificate` (feature `x509`) | the TLS handshake of this connection |
//! | [`ForwardedClientCert`] | the proxy at the other end of the connection |
//! | [`ApiKeys`] | itself, by the SHA-256 of the key |
//! | [`JwtClaims`], [`SigV4`], [`AuthorizationScheme`] | nobody |
//!
//! A credential that is checked and fails makes an `unauthenticated` actor with a `reason`, never
//! the actor that it claims to be, and no later source is asked. [`TrustedProxies`] says from where
//! a call came.
//!
//! Nothing here waits for anything, or panics on what a caller sends. The only I/O is that of
//! the functions that read keys from a file, and the only clock is the one that `JwtVerifier` reads.

mod api_key;
mod authorization;
mod bearer;
mod certificate;
mod claims;
mod classify;
mod default_identify;
mod established;
mod identify;
#[cfg(feature = "jwt")]
mod jwt;
mod jwt_claims;
mod metadata;
mod network;
mod sigv4;
mod spiffe_id;
mod trusted_proxies;

pub use api_key::{ApiKey, ApiKeyError, ApiKeys};
pub use authorization::AuthorizationScheme;
#[cfg(feature = "x509")]
pub use certificate::ClientCertificate;
pub use certificate::{ForwardedClientCert, TrustDomainError};
pub use default_identify::DefaultIdentify;
pub use established::Established;
pub use identify::{FirstOf, Identify};
#[cfg(feature = "jwt")]
pub use jwt::{JwksError, JwtAlgorithm, JwtIssuer, JwtVerifier, JwtVerifierBuilder, JwtVerifierError};
pub use jwt_claims::JwtClaims;
pub use metadata::Metadata;
pub use sigv4::SigV4;
pub use trusted_proxies::{NetworkError, TrustedProxies};
