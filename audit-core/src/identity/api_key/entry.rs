use crate::evidence::Hash;
use crate::record::Actor;

use super::error::ApiKeyError;

/// An API key, and who holds it.
///
/// The key must be long and random (128 bits or more), because its SHA-256 is neither salted nor
/// slow: a password is none. The key itself is never kept.
#[derive(Clone, Debug)]
pub struct ApiKey {
    pub(super) digest: Hash,
    pub(super) actor: Actor,
}

impl ApiKey {
    /// The key with this SHA-256, as 64 hexadecimal digits in any case: what
    /// `printf %s "$KEY" | sha256sum` prints. Its holder is usually a
    /// [`service_account`](Actor::service_account), or of type
    /// [`ApiKey`](crate::record::ActorType::ApiKey) where the key is all that has a name.
    ///
    /// # Errors
    ///
    /// When that is no SHA-256. The text is not repeated, as it could be the key.
    pub fn from_sha256(digest: impl AsRef<str>, holder: Actor) -> Result<Self, ApiKeyError> {
        let digest = digest.as_ref().to_ascii_lowercase();
        let digest = Hash::from_hex(digest.as_bytes()).map_err(|_| ApiKeyError::Digest)?;
        Ok(Self { digest, actor: holder.auth("api_key").verified() })
    }

    /// Names the key itself, so that records tell two keys of one holder apart: it becomes their
    /// `credential`. Never a part of the key.
    #[must_use]
    pub fn key_id(mut self, id: impl Into<String>) -> Self {
        self.actor.credential = Some(id.into());
        self
    }
}
