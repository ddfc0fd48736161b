//! Signed notes (C2SP signed-note): text, a blank line, signature lines.

use std::error::Error;
use std::fmt;

use base64ct::{Base64, Encoding};

use crate::key::{Key, SignError, VerifierKey, fault_in_name};

/// What each signature line starts with: an em dash and a space.
const SIGNATURE_START: &str = "\u{2014} ";

/// A text and the signatures on it.
///
/// That it parses says nothing about who signed: [`verify`](Self::verify) does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedNote {
    text: String,
    signatures: Vec<NoteSignature>,
}

/// One signature line of a note: who claims to have signed, and the signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoteSignature {
    name: String,
    key_id: u32,
    signature: Vec<u8>,
}

impl NoteSignature {
    /// The name of the key.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The key id.
    #[must_use]
    pub const fn key_id(&self) -> u32 {
        self.key_id
    }

    /// The bytes after the key id: 64 for Ed25519, other lengths for other types of keys.
    #[must_use]
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }

    fn parse(line: &str) -> Result<Self, NoteError> {
        let fail = |fault| NoteError::Signature { fault };
        let rest = line.strip_prefix(SIGNATURE_START).ok_or(fail("it does not start with an em dash and a space"))?;
        let (name, base64) = rest.split_once(' ').ok_or(fail("it does not have the form <name> <base64>"))?;
        if let Some(fault) = fault_in_name(name) {
            return Err(NoteError::KeyName { fault });
        }
        let blob = Base64::decode_vec(base64).map_err(|_| fail("its signature is not standard base64"))?;
        match blob.split_first_chunk() {
            Some((key_id, signature)) if !signature.is_empty() => {
                Ok(Self { name: name.to_owned(), key_id: u32::from_be_bytes(*key_id), signature: signature.to_vec() })
            }
            _ => Err(fail("its signature is too short")),
        }
    }

    fn write(&self, out: &mut Vec<u8>) {
        let mut blob = Vec::with_capacity(4 + self.signature.len());
        blob.extend_from_slice(&self.key_id.to_be_bytes());
        blob.extend_from_slice(&self.signature);
        out.extend_from_slice(SIGNATURE_START.as_bytes());
        out.extend_from_slice(self.name.as_bytes());
        out.push(b' ');
        out.extend_from_slice(Base64::encode_string(&blob).as_bytes());
        out.push(b'\n');
    }
}

impl SignedNote {
    /// A note is at most this many bytes long.
    pub const SIZE_LIMIT: usize = 1_000_000;

    /// A note carries at most this many signatures.
    pub const SIGNATURE_LIMIT: usize = 100;

    /// Reads a note. The form is checked strictly, so that the same bytes come out of
    /// [`to_bytes`](Self::to_bytes); no signature is verified.
    ///
    /// # Errors
    ///
    /// When the bytes are not a signed note, or exceed [`SIZE_LIMIT`](Self::SIZE_LIMIT),
    /// [`SIGNATURE_LIMIT`](Self::SIGNATURE_LIMIT) or 255 bytes in a key name.
    pub fn parse(bytes: &[u8]) -> Result<Self, NoteError> {
        if bytes.len() > Self::SIZE_LIMIT {
            return Err(NoteError::TooLong);
        }
        let note = std::str::from_utf8(bytes).map_err(|_| NoteError::NotText)?;
        if note.contains(is_forbidden) {
            return Err(NoteError::NotText);
        }
        // The text may hold blank lines itself: the last one ends it.
        let blank = note.rfind("\n\n").ok_or(NoteError::NoSignatures)?;
        let (text, lines) = note.split_at(blank + 1);
        let lines =
            lines.strip_prefix('\n').and_then(|lines| lines.strip_suffix('\n')).ok_or(NoteError::NoSignatures)?;
        let mut signatures = Vec::new();
        for line in lines.split('\n') {
            if signatures.len() == Self::SIGNATURE_LIMIT {
                return Err(NoteError::TooManySignatures);
            }
            signatures.push(NoteSignature::parse(line)?);
        }
        Ok(Self { text: text.to_owned(), signatures })
    }

    /// Signs `text` with each of `keys`, in order.
    ///
    /// Blocks as long as the keys' [`Signer`](crate::key::Signer)s do.
    ///
    /// # Errors
    ///
    /// When `text` does not end in a line feed, holds another control character or is too long,
    /// when there is no key or more than [`SIGNATURE_LIMIT`](Self::SIGNATURE_LIMIT), or when a
    /// key does not sign.
    pub fn sign<'k>(text: &str, keys: impl IntoIterator<Item = &'k Key>) -> Result<Self, SignError> {
        let fail = |fault| Err(SignError::Text { fault });
        if !text.ends_with('\n') {
            return fail("it does not end in a line feed");
        }
        if text.contains(is_forbidden) {
            return fail("it holds a control character");
        }
        let mut signatures = Vec::new();
        for key in keys {
            signatures.push(NoteSignature {
                name: key.name().to_owned(),
                key_id: key.verifier().key_id(),
                signature: key.sign(text.as_bytes())?.to_vec(),
            });
        }
        if signatures.is_empty() || signatures.len() > Self::SIGNATURE_LIMIT {
            return fail("a note carries between 1 and 100 signatures");
        }
        let text = text.to_owned();
        let note = Self { text, signatures };
        if note.to_bytes().len() > Self::SIZE_LIMIT {
            return fail("the note would be longer than 1,000,000 bytes");
        }
        Ok(note)
    }

    /// The text that is signed, with its final line feed.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The signature lines, in order.
    #[must_use]
    pub fn signatures(&self) -> &[NoteSignature] {
        &self.signatures
    }

    /// The bytes of the whole note.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.text.len() + 1 + 160 * self.signatures.len());
        out.extend_from_slice(self.text.as_bytes());
        out.push(b'\n');
        for signature in &self.signatures {
            signature.write(&mut out);
        }
        out
    }

    /// Checks that `key` signed the text. Signatures of other keys, also of those that share
    /// only the name or only the key id, are ignored.
    ///
    /// # Errors
    ///
    /// [`SignatureError::NotSigned`] when no line is by this key; [`SignatureError::Invalid`]
    /// when the first that claims to be does not verify.
    pub fn verify(&self, key: &VerifierKey) -> Result<(), SignatureError> {
        self.verify_known([key])
    }

    /// Checks that at least one of `keys` signed the text, and that no signature that claims to
    /// be by one of them is bad.
    ///
    /// # Errors
    ///
    /// [`SignatureError::NotSigned`] when no line is by a key of `keys`;
    /// [`SignatureError::Invalid`] when one that claims to be does not verify, however many
    /// others do.
    pub fn verify_known<'k>(&self, keys: impl IntoIterator<Item = &'k VerifierKey>) -> Result<(), SignatureError> {
        let mut verified = false;
        for key in keys {
            // Of repeated lines of one key the first counts.
            let claimed = self
                .signatures
                .iter()
                .find(|signature| signature.key_id == key.key_id() && signature.name == key.name());
            let Some(claimed) = claimed else { continue };
            if !key.verify(self.text.as_bytes(), &claimed.signature) {
                return Err(SignatureError::Invalid { name: claimed.name.clone(), key_id: claimed.key_id });
            }
            verified = true;
        }
        if verified { Ok(()) } else { Err(SignatureError::NotSigned { signers: self.signers() }) }
    }

    fn signers(&self) -> Vec<String> {
        let line = |line: &NoteSignature| format!("{}+{:08x}", line.name, line.key_id);
        self.signatures.iter().map(line).collect()
    }
}

fn is_forbidden(character: char) -> bool {
    character < ' ' && character != '\n'
}

/// Why bytes are not a signed note.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NoteError {
    /// Longer than [`SignedNote::SIZE_LIMIT`].
    TooLong,
    /// Not UTF-8, or with a control character other than the line feed.
    NotText,
    /// No blank line with signature lines after it, or the last of them not ended.
    NoSignatures,
    /// More than [`SignedNote::SIGNATURE_LIMIT`] signature lines.
    TooManySignatures,
    /// A line after the last blank one that is not a signature line.
    Signature {
        /// What is wrong with it.
        fault: &'static str,
    },
    /// The key name in a signature line cannot be one.
    KeyName {
        /// What is wrong with it.
        fault: &'static str,
    },
}

impl fmt::Display for NoteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => f.write_str("a signed note is at most 1,000,000 bytes long"),
            Self::NotText => f.write_str("a signed note is UTF-8 without control characters but line feeds"),
            Self::NoSignatures => f.write_str(
                "a signed note ends in a blank line and signature lines, the last one ended by \
                 a line feed: it may have been cut off",
            ),
            Self::TooManySignatures => f.write_str("a signed note carries at most 100 signatures"),
            Self::Signature { fault } => write!(f, "bad signature line: {fault}"),
            Self::KeyName { fault } => write!(f, "bad key name in a signature line: {fault}"),
        }
    }
}

impl Error for NoteError {}

/// Why a note or a checkpoint is not accepted as signed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignatureError {
    /// No signature by this key.
    NotSigned {
        /// Who signed instead: names and key ids, `<name>+<key id>`.
        signers: Vec<String>,
    },
    /// A signature that claims to be by this key and is not.
    Invalid {
        /// The name in the signature line.
        name: String,
        /// The key id in the signature line.
        key_id: u32,
    },
    /// A checkpoint of another log than the one whose name the key has.
    Origin {
        /// The origin that the checkpoint names.
        found: String,
        /// The name of the key.
        expected: String,
    },
}

impl fmt::Display for SignatureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotSigned { signers } => {
                write!(f, "not signed by this key, but by {}", signers.join(", "))
            }
            Self::Invalid { name, key_id } => write!(
                f,
                "the signature of {name}+{key_id:08x} does not verify: the text was altered, \
                 or the signature forged"
            ),
            Self::Origin { found, expected } => {
                write!(f, "the checkpoint is of the log {found}, but the key is of {expected}")
            }
        }
    }
}

impl Error for SignatureError {}
