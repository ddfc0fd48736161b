use std::fmt;
use std::sync::Arc;

use base64ct::{Base64, Encoding};
use ed25519_dalek::{Signer as _, SigningKey};
use zeroize::Zeroizing;

use super::verifier::{ED25519, KeyText};
use super::{KeyError, SignError, VerifierKey};
use crate::evidence::SignedNote;

/// What private keys in text form start with.
const PREFIX: &str = "PRIVATE+KEY+";

/// Whatever holds an Ed25519 private key: a hardware module, a key service, another process.
///
/// It is called on the log's own threads, never on those that serve requests.
pub trait Signer: Send + Sync {
    /// The 32 bytes of the public key. Must always be the same; must not block.
    fn public_key(&self) -> [u8; 32];

    /// The Ed25519 signature of `message` (RFC 8032 §5.1, not the pre-hashed variant). May
    /// block, but has to return in bounded time: no checkpoint is made meanwhile.
    ///
    /// # Errors
    ///
    /// When the holder did not sign: [`SignError::signer`] wraps the reason.
    fn sign(&self, message: &[u8]) -> Result<[u8; 64], SignError>;
}

/// A key that signs: a name, and an Ed25519 private key or whoever holds it.
///
/// Cheap to clone. Private bytes are erased from memory when the last clone goes, and neither
/// `Debug` nor any error shows them.
#[derive(Clone)]
pub struct Key {
    verifier: VerifierKey,
    holder: Holder,
}

#[derive(Clone)]
enum Holder {
    Here(Arc<SigningKey>),
    Elsewhere(Arc<dyn Signer>),
}

impl Key {
    /// A new random key.
    ///
    /// # Errors
    ///
    /// When `name` cannot stand in a signature line, or the operating system gives no random
    /// bytes.
    pub fn generate(name: &str) -> Result<Self, KeyError> {
        let mut seed = Zeroizing::new([0; 32]);
        getrandom::fill(seed.as_mut_slice()).map_err(KeyError::Random)?;
        Self::from_seed(name, &seed)
    }

    /// A key whose private half is held by `signer`.
    ///
    /// # Errors
    ///
    /// When `name` cannot stand in a signature line, or the signer's public key is not usable.
    pub fn new(name: &str, signer: impl Signer + 'static) -> Result<Self, KeyError> {
        Ok(Self {
            verifier: VerifierKey::new(name, &signer.public_key())?,
            holder: Holder::Elsewhere(Arc::new(signer)),
        })
    }

    fn from_seed(name: &str, seed: &[u8; 32]) -> Result<Self, KeyError> {
        let signing = SigningKey::from_bytes(seed);
        Ok(Self {
            verifier: VerifierKey::new(name, signing.verifying_key().as_bytes())?,
            holder: Holder::Here(Arc::new(signing)),
        })
    }

    /// Reads a private key, `PRIVATE+KEY+<name>+<key id>+<base64>`: the form that Go's
    /// `sumdb/note` made customary. White space around it is ignored.
    ///
    /// # Errors
    ///
    /// When the text is not a private key, is of another algorithm, or carries another key id
    /// than its name and key give.
    pub fn from_text(text: &str) -> Result<Self, KeyError> {
        let text = text.trim();
        let Some(rest) = text.strip_prefix(PREFIX) else {
            return Err(malformed(if text.is_empty() {
                "it is empty"
            } else if VerifierKey::parse(text).is_ok() {
                "it is a verifier key, the public half"
            } else {
                "it does not start with PRIVATE+KEY+"
            }));
        };
        let parts = KeyText::parse(rest, "private key")?;
        let mut bytes = Zeroizing::new([0; 64]);
        let seed = parts.decode(&mut bytes)?.try_into().map_err(|_| malformed("the key is not 32 bytes long"))?;
        let key = Self::from_seed(parts.name, seed)?;
        parts.check_id(key.verifier.key_id())?;
        Ok(key)
    }

    /// Reads a private key from the environment variable `variable`.
    ///
    /// Processes of the same user can read another's environment; a file is safer.
    ///
    /// # Errors
    ///
    /// When the variable is not set, or as [`from_text`](Self::from_text).
    pub fn from_env(variable: &str) -> Result<Self, KeyError> {
        let text = std::env::var_os(variable).ok_or_else(|| KeyError::Unset { variable: variable.to_owned() })?;
        let text = Zeroizing::new(text.into_encoded_bytes());
        let text = std::str::from_utf8(&text).map_err(|_| malformed("it is not text"));
        text.and_then(Self::from_text).map_err(|source| KeyError::Content {
            place: format!("the environment variable {variable}"),
            source: Box::new(source),
        })
    }

    /// The private key as text, erased from memory when dropped.
    ///
    /// # Errors
    ///
    /// [`KeyError::NotExportable`] when a [`Signer`] holds it.
    pub fn to_private_text(&self) -> Result<Zeroizing<String>, KeyError> {
        let Holder::Here(signing) = &self.holder else {
            let name = self.name().to_owned();
            return Err(KeyError::NotExportable { name });
        };
        let mut payload = Zeroizing::new([ED25519; 33]);
        payload[1..].copy_from_slice(signing.as_bytes());
        let base64 = Zeroizing::new(Base64::encode_string(payload.as_slice()));
        let (name, key_id) = (self.name(), self.verifier.key_id());
        // Room for all of it, so that growing leaves no copy behind.
        let mut text = Zeroizing::new(String::with_capacity(PREFIX.len() + name.len() + 10 + base64.len()));
        for part in [PREFIX, name, "+", &format!("{key_id:08x}"), "+", &base64] {
            text.push_str(part);
        }
        Ok(text)
    }

    /// The name: what stands in signature lines, and the origin of the checkpoints it signs.
    #[must_use]
    pub fn name(&self) -> &str {
        self.verifier.name()
    }

    /// The public half.
    #[must_use]
    pub const fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    /// The same private key under another name, and so with another key id.
    ///
    /// # Errors
    ///
    /// When `name` cannot stand in a signature line.
    pub fn with_name(&self, name: &str) -> Result<Self, KeyError> {
        Ok(Self { verifier: self.verifier.with_name(name)?, holder: self.holder.clone() })
    }

    /// Signs `text` and returns the bytes of the whole signed note (C2SP signed-note).
    ///
    /// Blocks as long as the [`Signer`] does; a key held here takes some 0.05 ms.
    ///
    /// # Errors
    ///
    /// When `text` cannot be the text of a note (it has to end in a line feed and hold no other
    /// control character), or the signer did not sign, or signed wrongly.
    pub fn sign_note(&self, text: &str) -> Result<Vec<u8>, SignError> {
        Ok(SignedNote::sign(text, [self])?.to_bytes())
    }

    /// The 64-byte Ed25519 signature of `message`.
    pub(crate) fn sign(&self, message: &[u8]) -> Result<[u8; 64], SignError> {
        match &self.holder {
            Holder::Here(signing) => Ok(signing.sign(message).to_bytes()),
            Holder::Elsewhere(signer) => {
                let signature = signer.sign(message)?;
                // A holder with the wrong key or a fault must not end up in evidence.
                if self.verifier.verify(message, &signature) {
                    Ok(signature)
                } else {
                    let name = self.name().to_owned();
                    Err(SignError::Unverifiable { name })
                }
            }
        }
    }
}

fn malformed(fault: &'static str) -> KeyError {
    let expected = "private key";
    KeyError::Malformed { expected, fault }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").field("verifier", &self.verifier).finish_non_exhaustive()
    }
}
