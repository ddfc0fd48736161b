use super::Withheld;
use super::shared_memory::Share;
use crate::evidence::Hash;

/// What is recorded of a body. Made by [`BodyRecorder::finish`](super::BodyRecorder::finish),
/// handed to [`Outcome::request_body`](crate::Outcome::request_body) or
/// [`response_body`](crate::Outcome::response_body).
#[derive(Debug)]
pub struct CapturedBody {
    pub(super) bytes: u64,
    pub(super) digest: Hash,
    pub(super) ended: bool,
    pub(super) content_type: Option<String>,
    pub(super) encoding: Option<String>,
    pub(super) text: Option<CapturedText>,
    pub(super) withheld: Option<Withheld>,
    pub(super) messages: Option<CapturedMessages>,
}

/// The beginning of a body after redaction.
#[derive(Debug)]
pub(super) struct CapturedText {
    pub(super) text: String,
    pub(super) redacted: u64,
    pub(super) cut: bool,
    /// Held for as long as the text is.
    pub(super) _share: Option<Share>,
}

/// The messages of a gRPC stream.
#[derive(Debug)]
pub(super) struct CapturedMessages {
    pub(super) first: Vec<CapturedMessage>,
    pub(super) count: u64,
    pub(super) whole: bool,
}

/// One message of a gRPC stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CapturedMessage {
    /// The length of its payload.
    pub bytes: u32,
    /// The SHA-256 of its payload as it was sent.
    pub sha256: Hash,
    /// Whether its payload is compressed.
    pub compressed: bool,
}

impl CapturedBody {
    /// How many bytes have passed.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The SHA-256 of the whole body as it was sent; `None` when its end was not seen.
    #[must_use]
    pub const fn sha256(&self) -> Option<Hash> {
        if self.ended { Some(self.digest) } else { None }
    }

    /// The SHA-256 of the [`bytes`](Self::bytes) that have passed, whether that was all or not.
    #[must_use]
    pub const fn seen_sha256(&self) -> Hash {
        self.digest
    }

    /// Whether the end of the body was not seen.
    #[must_use]
    pub const fn is_unread(&self) -> bool {
        !self.ended
    }

    /// The `Content-Type`, cut to 192 bytes.
    #[must_use]
    pub fn content_type(&self) -> Option<&str> {
        self.content_type.as_deref()
    }

    /// The `Content-Encoding`, where it changes the bytes; cut to 192 bytes.
    #[must_use]
    pub fn encoding(&self) -> Option<&str> {
        self.encoding.as_deref()
    }

    /// The beginning of the body after redaction.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        self.text.as_ref().map(|text| text.text.as_str())
    }

    /// Whether the body goes on after the [`text`](Self::text).
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.text.as_ref().is_some_and(|text| text.cut)
    }

    /// How many values were replaced in the text.
    #[must_use]
    pub fn redacted(&self) -> u64 {
        self.text.as_ref().map_or(0, |text| text.redacted)
    }

    /// Why there is no text, where there could have been one.
    #[must_use]
    pub const fn withheld(&self) -> Option<Withheld> {
        self.withheld
    }

    /// Whether there is nothing to describe besides the digest.
    pub(crate) const fn says_nothing(&self) -> bool {
        self.ended
            && self.content_type.is_none()
            && self.encoding.is_none()
            && self.text.is_none()
            && self.withheld.is_none()
            && self.messages.is_none()
    }

    /// The first messages of a gRPC stream, whole ones only.
    #[must_use]
    pub fn messages(&self) -> &[CapturedMessage] {
        self.messages.as_ref().map_or(&[], |messages| &messages.first)
    }

    /// How many whole messages a gRPC stream had; `None` for other bodies.
    #[must_use]
    pub fn message_count(&self) -> Option<u64> {
        self.messages.as_ref().map(|messages| messages.count)
    }

    /// Whether bytes of a gRPC stream belong to no whole message.
    #[must_use]
    pub fn has_partial_message(&self) -> bool {
        self.messages.as_ref().is_some_and(|messages| !messages.whole)
    }
}
