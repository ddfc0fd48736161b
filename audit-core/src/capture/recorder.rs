use sha2::{Digest, Sha256};

use super::captured_body::{CapturedMessages, CapturedText};
use super::grpc_messages::GrpcMessages;
use super::kept_prefix::KeptPrefix;
use super::{BodyCapture, CapturedBody, Withheld};
use crate::evidence::Hash;
use crate::redaction::{TextForm, redact};

/// Watches one body pass. Made by [`BodyCapture::recorder`].
///
/// Never blocks and never fails. Bytes are hashed where they are; only the first ones are copied.
/// Dropped without [`finish`](Self::finish), nothing is recorded and what was kept is wiped.
#[derive(Debug)]
pub struct BodyRecorder {
    pub(super) digest: Sha256,
    pub(super) bytes: u64,
    pub(super) ended: bool,
    pub(super) content_type: Option<String>,
    pub(super) encoding: Option<String>,
    pub(super) prefix: Prefix,
    pub(super) messages: Option<Box<GrpcMessages>>,
}

/// What becomes of the first bytes.
#[derive(Debug)]
pub(super) enum Prefix {
    /// They are kept, to be redacted.
    Kept { bytes: KeptPrefix, form: TextForm, capture: BodyCapture },
    /// There is no text of this body.
    Withheld(Withheld),
    /// Nobody asked for text.
    Unwanted,
}

impl BodyRecorder {
    /// Takes the next bytes of the body, as they are sent: after compression, before decompression.
    /// The chunks may be cut anywhere.
    pub fn update(&mut self, chunk: &[u8]) {
        if chunk.is_empty() {
            return;
        }
        // More after the end: then it was not the end.
        self.ended = false;
        self.bytes = self.bytes.saturating_add(u64::try_from(chunk.len()).unwrap_or(u64::MAX));
        self.digest.update(chunk);
        if let Prefix::Kept { bytes, .. } = &mut self.prefix {
            bytes.keep(chunk);
        }
        if let Some(messages) = &mut self.messages {
            messages.update(chunk);
        }
    }

    /// Says that the whole body has passed: its last byte, or that it has none. A body of which
    /// this is not said is recorded as unread.
    pub const fn end(&mut self) {
        self.ended = true;
    }

    /// How many bytes have passed.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// What there is to record. Redacts what was kept, which takes about ten microseconds for each KiB.
    #[must_use]
    pub fn finish(self) -> CapturedBody {
        let mut body = CapturedBody {
            bytes: self.bytes,
            digest: Hash::from_bytes(self.digest.finalize().into()),
            ended: self.ended,
            content_type: self.content_type,
            encoding: self.encoding,
            text: None,
            withheld: None,
            messages: self.messages.map(|messages| {
                let (first, count, whole) = messages.finish();
                CapturedMessages { first, count, whole }
            }),
        };
        if body.bytes > 0 {
            match self.prefix.into_text(body.bytes, body.ended) {
                Ok(text) => body.text = text,
                Err(reason) => body.withheld = Some(reason),
            }
        }
        body
    }
}

impl Prefix {
    fn into_text(self, seen: u64, ended: bool) -> Result<Option<CapturedText>, Withheld> {
        let (kept, form, capture) = match self {
            Self::Kept { bytes, form, capture } => (bytes, form, capture),
            Self::Withheld(reason) => return Err(reason),
            Self::Unwanted => return Ok(None),
        };
        let (raw, mut share) = kept.into_parts()?;
        let whole = ended && u64::try_from(raw.len()).is_ok_and(|length| length == seen);
        let redacted = redact(form, &raw, whole, capture.rules(), capture.prefix_length())?;
        if let Some(share) = &mut share {
            share.shrink(redacted.text.len());
        }
        Ok(Some(CapturedText { text: redacted.text, redacted: redacted.count, cut: redacted.cut, _share: share }))
    }
}
