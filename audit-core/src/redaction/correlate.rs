use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::body_rules::{BodyRules, Treatment};
use super::redacted::PLACEHOLDER;
use crate::evidence::Hash;

/// What is put in the place of a value whose bytes are `value`.
///
/// `HMAC-SHA-256(secret, value)` (RFC 2104, FIPS 198-1) where it is to be correlated.
pub(super) fn replacement(rules: &BodyRules, treatment: Treatment, value: &[u8]) -> String {
    match (treatment, rules.secret()) {
        (Treatment::Correlate, Some(secret)) => match Hmac::<Sha256>::new_from_slice(secret.bytes()) {
            Ok(mut mac) => {
                mac.update(value);
                format!("hmac-sha256:{}", Hash::from_bytes(mac.finalize().into_bytes().into()))
            }
            Err(_) => PLACEHOLDER.to_owned(),
        },
        _ => PLACEHOLDER.to_owned(),
    }
}
