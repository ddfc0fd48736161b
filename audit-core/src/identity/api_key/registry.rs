use std::collections::HashMap;
use std::hash::{Hash as HashInto, Hasher};

use subtle::ConstantTimeEq;

use crate::evidence::Hash;
use crate::record::Actor;

use super::entry::ApiKey;
use super::error::ApiKeyError;

/// The most keys.
const KEY_LIMIT: usize = 100_000;

/// Who holds which key.
///
/// A map finds the one entry that may be meant. Where it looks depends on a hash that is keyed
/// with randomness of this process, of a SHA-256 that nobody can steer: how long it takes tells
/// nothing about the keys that are known. The entry is then compared in constant time.
#[derive(Default)]
pub(super) struct Registry {
    holders: HashMap<KeyDigest, Actor>,
}

struct KeyDigest(Hash);

impl PartialEq for KeyDigest {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}

impl Eq for KeyDigest {}

impl HashInto for KeyDigest {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write(self.0.as_bytes());
    }
}

impl Registry {
    pub(super) fn new(keys: impl IntoIterator<Item = ApiKey>) -> Result<Self, ApiKeyError> {
        let mut holders = HashMap::new();
        for (index, key) in keys.into_iter().enumerate() {
            if index == KEY_LIMIT {
                return Err(ApiKeyError::TooManyKeys);
            }
            if holders.insert(KeyDigest(key.digest), key.actor).is_some() {
                return Err(ApiKeyError::Twice { index });
            }
        }
        Ok(Self { holders })
    }

    pub(super) fn holder(&self, key: &[u8]) -> Option<&Actor> {
        self.holders.get(&KeyDigest(Hash::digest(key)))
    }

    pub(super) fn len(&self) -> usize {
        self.holders.len()
    }
}
