//! Bearer tokens whose signatures are checked: RFC 7515 (signatures), RFC 7517 (keys), RFC 7518
//! (algorithms), RFC 7519 (claims), RFC 8725 (what to refuse), JWT-SVID.
//!
//! [`JwtVerifier`] asks in this order: is the token remembered? Is its issuer one of ours
//! ([`JwtIssuer`]), does its header say nothing strange, is there a key that fits its algorithm,
//! is the signature by that key, is it for us and for now? The first no is the reason.

mod algorithm;
mod builder;
mod error;
mod header;
mod issuer;
mod key;
mod key_set;
mod refusal;
mod remembered;
mod validity;
mod verifier;

pub use algorithm::JwtAlgorithm;
pub use builder::JwtVerifierBuilder;
pub use error::{JwksError, JwtVerifierError};
pub use issuer::JwtIssuer;
pub use verifier::JwtVerifier;
