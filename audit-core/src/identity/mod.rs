//! Who is asking: from the metadata of a request to an [`Actor`](crate::record::Actor).
//!
//! An [`Identify`] reads [`Metadata`], which every adapter implements for its own request type.
//! [`DefaultIdentify`] takes what the host's own authentication established, then the claims of a
//! bearer token, and gives everybody else a name too: no caller goes unrecorded.
//! [`TrustedProxies`] says from where a call came.
//!
//! Nothing here does I/O, reads a clock, or panics on what a caller sends.

mod authorization;
mod claims;
mod classify;
mod default_identify;
mod established;
mod identify;
mod jwt_claims;
mod metadata;
mod network;
mod trusted_proxies;

pub use authorization::AuthorizationScheme;
pub use default_identify::DefaultIdentify;
pub use established::Established;
pub use identify::{FirstOf, Identify};
pub use jwt_claims::JwtClaims;
pub use metadata::Metadata;
pub use trusted_proxies::{NetworkError, TrustedProxies};
