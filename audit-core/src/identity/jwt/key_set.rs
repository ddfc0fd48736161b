use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde::Deserialize;

use super::algorithm::JwtAlgorithm;
use super::error::JwksError;
use super::key::{JsonWebKey, PublicKey};
use super::refusal::Refusal;

/// The longest key set, in bytes.
pub(super) const JWKS_LIMIT: usize = 1_024 * 1_024;

/// The most keys in a set, usable ones or not.
pub(super) const KEY_LIMIT: usize = 100;

/// The most keys that one token is tried with.
const TRIALS: usize = 4;

/// The keys of one issuer (RFC 7517 §5).
#[derive(Default)]
pub(super) struct KeySet {
    keys: Vec<PublicKey>,
}

#[derive(Deserialize)]
struct JsonWebKeySet {
    keys: Vec<serde_json::Value>,
}

impl KeySet {
    pub(super) fn parse(json: &[u8]) -> Result<Self, JwksError> {
        if json.len() > JWKS_LIMIT {
            return Err(JwksError::TooLong);
        }
        let set: JsonWebKeySet =
            serde_json::from_slice(json).map_err(|error| JwksError::Malformed { source: error.into() })?;
        if set.keys.len() > KEY_LIMIT {
            return Err(JwksError::TooManyKeys);
        }
        let mut keys = Vec::new();
        for (index, json) in set.keys.into_iter().enumerate() {
            let json = JsonWebKey::deserialize(json)
                .map_err(|_| JwksError::MalformedKey { index, reason: "a member is missing or of another type" })?;
            keys.extend(PublicKey::read(json).map_err(|reason| JwksError::MalformedKey { index, reason })?);
        }
        if keys.is_empty() {
            return Err(JwksError::NoUsableKey);
        }
        Ok(Self { keys })
    }

    /// Reads no more than a key set may be long.
    pub(super) fn read(path: &Path) -> Result<Self, JwksError> {
        let unreadable = |source| JwksError::Unreadable { path: path.to_owned(), source };
        let file = File::open(path).map_err(unreadable)?;
        let mut json = Vec::new();
        file.take(JWKS_LIMIT as u64 + 1).read_to_end(&mut json).map_err(unreadable)?;
        Self::parse(&json)
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    pub(super) const fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether one of the keys that the header may mean has made the signature: those with its key
    /// id; where no key has it, those without an id; and all of them for a token without one.
    pub(super) fn check(
        &self,
        key_id: Option<&str>,
        algorithm: JwtAlgorithm,
        signed: &[u8],
        signature: &Vec<u8>,
    ) -> Result<(), Refusal> {
        let has_id = |key: &PublicKey| key_id.is_some() && key.id.as_deref() == key_id;
        let is_known = self.keys.iter().any(has_id);
        let meant = |key: &&PublicKey| match key_id {
            None => true,
            Some(_) if is_known => has_id(key),
            Some(_) => key.id.is_none(),
        };
        let mut meant = self.keys.iter().filter(meant).peekable();
        if meant.peek().is_none() {
            return Err(Refusal::UnknownKey);
        }
        let fitting: Vec<_> = meant.filter(|key| key.fits(algorithm)).take(TRIALS + 1).collect();
        match fitting.len() {
            0 => Err(Refusal::AlgorithmOfKey),
            count if count > TRIALS => Err(Refusal::NoKeyId),
            _ if fitting.iter().any(|key| key.has_signed(signed, signature, algorithm)) => Ok(()),
            _ => Err(Refusal::Signature),
        }
    }
}
