//! Who is asking: from the metadata of a request to an [`Actor`](crate::record::Actor).
//!
//! An [`Identify`] reads [`Metadata`], which every adapter implements for its own request type.
//! [`DefaultIdentify`] takes what the host's own authentication established, then the claims of a
//! bearer token, and gives everybody else a name too: no caller goes unrecorded.
//! [`TrustedProxies`] says from where a call came.
//!
//! Nothing here does I/O, reads a clock, or panics on what a caller sends.

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
