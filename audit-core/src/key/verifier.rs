use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;
use std::sync::Arc;

use base64ct::{Base64, Encoding};
use ed25519_dalek::{Signature, VerifyingKey};
use sha2::{Digest, Sha256};

use super::{KeyError, fault_in_name};

/// The signature type byte of Ed25519 (C2SP signed-note).
pub(super) const ED25519: u8 = 0x01;

/// A key that checks signatures: a name and an Ed25519 public key (C2SP signed-note, type 0x01).
///
/// Written `<name>+<key id>+<base64>`, the *vkey*. May be published.
#[derive(Clone)]
pub struct VerifierKey {
    name: Arc<str>,
    key_id: u32,
    key: VerifyingKey,
}

impl VerifierKey {
    /// A verifier key from its name and the 32 bytes of its public key.
    ///
    /// # Errors
    ///
    /// When the name cannot stand in a signature line, or the bytes are not a usable public key.
    pub fn new(name: &str, public_key: &[u8; 32]) -> Result<Self, KeyError> {
        let key = VerifyingKey::from_bytes(public_key).map_err(|_| KeyError::Weak)?;
        if key.is_weak() {
            return Err(KeyError::Weak);
        }
        Self::named(name, key)
    }

    fn named(name: &str, key: VerifyingKey) -> Result<Self, KeyError> {
        if let Some(fault) = fault_in_name(name) {
            let name = name.to_owned();
            return Err(KeyError::Name { name, fault });
        }
        Ok(Self { name: name.into(), key_id: key_id(name, key.as_bytes()), key })
    }

    /// Reads a vkey. White space around it is ignored.
    ///
    /// # Errors
    ///
    /// When the text is not a vkey, is of another algorithm, or carries another key id than its
    /// name and key give.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let text = text.trim();
        if text.starts_with("PRIVATE+KEY+") {
            return Err(malformed("it is a private key; give the public half"));
        }
        let parts = KeyText::parse(text, "verifier key")?;
        let mut bytes = [0; 64];
        let payload = parts.decode(&mut bytes)?;
        let public_key = payload.try_into().map_err(|_| malformed("the key is not 32 bytes long"))?;
        // First, because an altered key is rarely a point of the curve at all.
        parts.check_id(key_id(parts.name, public_key))?;
        Self::new(parts.name, public_key)
    }

    /// The same key under another name, and so with another key id.
    ///
    /// # Errors
    ///
    /// When the name cannot stand in a signature line.
    pub fn with_name(&self, name: &str) -> Result<Self, KeyError> {
        Self::named(name, self.key)
    }

    /// This key as it signs the checkpoints of the log `origin`, or `None` when that log is
    /// not under this key's name.
    ///
    /// A key serves the log of its own name and every log below it (`<name>/…`); a key under the
    /// name of one log, `<origin>/<log id>`, also serves the other logs of that origin.
    #[must_use]
    pub fn for_origin(&self, origin: &str) -> Option<Self> {
        let name: &str = &self.name;
        let below = |base: &str| origin.strip_prefix(base).is_some_and(|rest| rest.len() > 1 && rest.starts_with('/'));
        let same_base = || match (split_log_id(name), split_log_id(origin)) {
            (Some(own), Some(other)) => own == other,
            _ => false,
        };
        if name == origin {
            Some(self.clone())
        } else if below(name) || same_base() {
            self.with_name(origin).ok()
        } else {
            None
        }
    }

    /// The name: what stands in signature lines, and the origin of the checkpoints it signs.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The first four bytes, big endian, of `SHA-256(name || 0x0A || 0x01 || public key)`.
    #[must_use]
    pub const fn key_id(&self) -> u32 {
        self.key_id
    }

    /// The 32 bytes of the Ed25519 public key.
    #[must_use]
    pub fn public_key(&self) -> &[u8; 32] {
        self.key.as_bytes()
    }

    /// Whether `signature` is this key's 64-byte Ed25519 signature of `message` (RFC 8032
    /// §5.1.7, with the stricter refusal of points of small order). Never panics.
    #[must_use]
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        Signature::from_slice(signature).is_ok_and(|signature| self.key.verify_strict(message, &signature).is_ok())
    }
}

/// `base` of `<base>/<UUID>`, the name of a log.
fn split_log_id(origin: &str) -> Option<&str> {
    let (base, id) = origin.rsplit_once('/')?;
    let is_id = id.len() == 36
        && id.bytes().enumerate().all(|(index, byte)| match index {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
        });
    (is_id && !base.is_empty()).then_some(base)
}

/// The key id of an Ed25519 key (C2SP signed-note).
pub(super) fn key_id(name: &str, public_key: &[u8; 32]) -> u32 {
    let digest: [u8; 32] =
        Sha256::new().chain_update(name).chain_update([b'\n', ED25519]).chain_update(public_key).finalize().into();
    let [a, b, c, d, ..] = digest;
    u32::from_be_bytes([a, b, c, d])
}

fn malformed(fault: &'static str) -> KeyError {
    let expected = "verifier key";
    KeyError::Malformed { expected, fault }
}

/// The three parts that verifier keys and private keys share: `<name>+<key id>+<base64>`.
pub(super) struct KeyText<'a> {
    pub(super) name: &'a str,
    key_id: u32,
    base64: &'a str,
    expected: &'static str,
}

impl<'a> KeyText<'a> {
    pub(super) fn parse(text: &'a str, expected: &'static str) -> Result<Self, KeyError> {
        let fail = |fault| Err(KeyError::Malformed { expected, fault });
        if text.is_empty() {
            return fail("it is empty");
        }
        // The base64 may contain '+' too: only the first two separate.
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(id), Some(base64)) = (parts.next(), parts.next(), parts.next()) else {
            return fail("it does not have the form <name>+<key id>+<base64>");
        };
        if id.len() != 8 || !id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
            return fail("its key id is not 8 lower-case hexadecimal digits");
        }
        let Ok(key_id) = u32::from_str_radix(id, 16) else {
            return fail("its key id is not 8 lower-case hexadecimal digits");
        };
        if let Some(fault) = fault_in_name(name) {
            let name = name.to_owned();
            return Err(KeyError::Name { name, fault });
        }
        Ok(Self { name, key_id, base64, expected })
    }

    /// The bytes after the type byte, decoded into `buffer`.
    pub(super) fn decode<'b>(&self, buffer: &'b mut [u8; 64]) -> Result<&'b [u8], KeyError> {
        let expected = self.expected;
        let fail = |fault| KeyError::Malformed { expected, fault };
        // A P-521 key is longer than the buffer; its first four characters name the type.
        let mut start = [0; 3];
        if let Some(Ok([found, ..])) = self.base64.get(..4).map(|head| Base64::decode(head, &mut start))
            && *found != ED25519
        {
            return Err(KeyError::Algorithm { found: *found });
        }
        match Base64::decode(self.base64, buffer) {
            Ok([ED25519, payload @ ..]) => Ok(payload),
            Ok([found, ..]) => Err(KeyError::Algorithm { found: *found }),
            Ok([]) => Err(fail("its key is missing")),
            Err(base64ct::Error::InvalidLength) => Err(fail("its key is longer than an Ed25519 key, or cut off")),
            Err(base64ct::Error::InvalidEncoding) => Err(fail("its key is not standard base64")),
        }
    }

    pub(super) fn check_id(&self, expected: u32) -> Result<(), KeyError> {
        if self.key_id == expected {
            return Ok(());
        }
        Err(KeyError::KeyId { name: self.name.to_owned(), found: self.key_id, expected })
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut payload = [ED25519; 33];
        payload[1..].copy_from_slice(self.public_key());
        let base64 = Base64::encode_string(&payload);
        write!(f, "{}+{:08x}+{base64}", self.name, self.key_id)
    }
}

impl fmt::Debug for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifierKey({self})")
    }
}

impl FromStr for VerifierKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        Self::parse(text)
    }
}

impl PartialEq for VerifierKey {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && self.public_key() == other.public_key()
    }
}

impl Eq for VerifierKey {}

impl Hash for VerifierKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
        self.public_key().hash(state);
    }
}
