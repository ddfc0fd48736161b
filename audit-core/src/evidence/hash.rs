use std::fmt;

use base64ct::{Base64, Encoding};
use sha2::{Digest, Sha256};

/// A SHA-256 digest: the hash of a leaf or a node of the tree (RFC 6962 §2.1).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Hash([u8; 32]);

/// The text is not a hash: 64 lower-case hexadecimal digits, or 44 characters of base64.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseHashError;

impl fmt::Display for ParseHashError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a hash is 64 lower-case hexadecimal digits or 44 characters of standard base64")
    }
}

impl std::error::Error for ParseHashError {}

const HEX: &[u8; 16] = b"0123456789abcdef";

impl Hash {
    /// 32 zero bytes: the `prev` of line 0.
    pub const ZERO: Self = Self([0; 32]);

    /// The root of the empty tree: the digest of no bytes (RFC 6962 §2.1).
    #[must_use]
    pub fn empty_root() -> Self {
        Self::digest(b"")
    }

    /// A hash from its bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The plain SHA-256 of `data`, without any prefix.
    #[must_use]
    pub fn digest(data: &[u8]) -> Self {
        Self(Sha256::digest(data).into())
    }

    /// Appends 64 lower-case hexadecimal digits.
    pub fn write_hex(&self, out: &mut Vec<u8>) {
        let mut text = [0_u8; 64];
        for (pair, byte) in text.chunks_exact_mut(2).zip(self.0) {
            pair[0] = HEX[usize::from(byte >> 4)];
            pair[1] = HEX[usize::from(byte & 15)];
        }
        out.extend_from_slice(&text);
    }

    /// 64 lower-case hexadecimal digits.
    #[must_use]
    pub fn to_hex(&self) -> String {
        let mut out = Vec::with_capacity(64);
        self.write_hex(&mut out);
        out.into_iter().map(char::from).collect()
    }

    /// A hash from 64 lower-case hexadecimal digits.
    ///
    /// # Errors
    ///
    /// When `text` is anything else; upper case is refused.
    pub fn from_hex(text: &[u8]) -> Result<Self, ParseHashError> {
        let digit = |byte: u8| match byte {
            b'0'..=b'9' => Ok(byte - b'0'),
            b'a'..=b'f' => Ok(byte - b'a' + 10),
            _ => Err(ParseHashError),
        };
        if text.len() != 64 {
            return Err(ParseHashError);
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
            *byte = digit(pair[0])? << 4 | digit(pair[1])?;
        }
        Ok(Self(bytes))
    }

    /// 44 characters of standard base64, as checkpoints and proofs write hashes.
    #[must_use]
    pub fn to_base64(&self) -> String {
        Base64::encode_string(&self.0)
    }

    /// A hash from 44 characters of standard base64.
    ///
    /// # Errors
    ///
    /// When `text` is not canonical base64 of exactly 32 bytes.
    pub fn from_base64(text: &str) -> Result<Self, ParseHashError> {
        let mut bytes = [0; 32];
        match Base64::decode(text, &mut bytes) {
            Ok(decoded) if decoded.len() == 32 => Ok(Self(bytes)),
            _ => Err(ParseHashError),
        }
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_hex())
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hash({self})")
    }
}

/// The hash of a leaf: `SHA-256(0x00 || data)` (RFC 6962 §2.1).
#[must_use]
pub fn leaf_hash(data: &[u8]) -> Hash {
    Hash(Sha256::new().chain_update([0]).chain_update(data).finalize().into())
}

/// The hash of an inner node: `SHA-256(0x01 || left || right)` (RFC 6962 §2.1).
#[must_use]
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    let mut input = [1_u8; 65];
    input[1..33].copy_from_slice(&left.0);
    input[33..].copy_from_slice(&right.0);
    Hash::digest(&input)
}

/// The hash of the leaf `slot[1..]`, without copying it: the first byte of `slot` serves as the
/// prefix while it is hashed, and keeps its value.
///
/// # Panics
///
/// Never; the hash of an empty `slot` is that of no bytes.
pub(crate) fn leaf_hash_in_place(slot: &mut [u8]) -> Hash {
    let kept = slot.first().copied();
    if let Some(first) = slot.first_mut() {
        *first = 0;
    }
    let hash = Hash::digest(slot);
    if let (Some(first), Some(kept)) = (slot.first_mut(), kept) {
        *first = kept;
    }
    hash
}
