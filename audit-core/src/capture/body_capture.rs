use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::content_coding::applied_coding;
use super::grpc_messages::GrpcMessages;
use super::kept_prefix::KeptPrefix;
use super::media_type::{shortened, text_form};
use super::recorder::Prefix;
use super::shared_memory::SharedMemory;
use super::{BodyFormat, BodyRecorder, CaptureError, Withheld};
use crate::redaction::{BodyRules, LogSecret, Treatment};

/// The longest prefix, in bytes.
const PREFIX_MOST: usize = 32_768;

/// The most messages of one gRPC stream that are hashed one by one.
const MESSAGES_MOST: usize = 64;

/// What is kept of bodies, and what is hidden in it.
///
/// Given to [`Builder::capture_bodies`](crate::log::Builder::capture_bodies). Whose bodies are
/// captured is decided by the policy: level `request` or `request_response`.
///
/// ```
/// use audit_core::capture::BodyCapture;
///
/// let capture = BodyCapture::new().redact_pointer("/card/number")?.redact_name("*iban*")?;
/// # Ok::<(), audit_core::capture::CaptureError>(())
/// ```
///
/// Values under names of credentials (`password`, `api_key`, `accessToken`, `pin`, …) are always
/// redacted. A clone shares the memory with the original.
#[derive(Clone, Debug)]
pub struct BodyCapture {
    prefix: usize,
    messages: usize,
    plain_text: bool,
    rules: Arc<BodyRules>,
    memory: Arc<SharedMemory>,
}

impl Default for BodyCapture {
    fn default() -> Self {
        Self {
            prefix: 4_096,
            messages: 8,
            plain_text: false,
            rules: Arc::default(),
            memory: SharedMemory::new(64 << 20),
        }
    }
}

impl BodyCapture {
    /// Digests, and prefixes of 4 KiB without credentials.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets how many bytes of a body are looked at, and the most that is kept of them after
    /// redaction: 4,096 by default, 32,768 at most. With 0 there are only digests.
    ///
    /// # Errors
    ///
    /// When `bytes` is more than that.
    pub fn prefix(mut self, bytes: usize) -> Result<Self, CaptureError> {
        self.prefix = at_most("prefix", bytes, PREFIX_MOST)?;
        Ok(self)
    }

    /// Sets how many messages of a gRPC stream are hashed one by one: 8 by default, 64 at most.
    /// The rest is counted, and is in the digest of the stream.
    ///
    /// # Errors
    ///
    /// When `count` is more than that.
    pub fn messages(mut self, count: usize) -> Result<Self, CaptureError> {
        self.messages = at_most("messages", count, MESSAGES_MOST)?;
        Ok(self)
    }

    /// Sets how many bytes all prefixes may take that are in memory at a time: 64 MiB by default.
    /// Beyond it only digests are kept, and the record says so.
    #[must_use]
    pub fn shared_memory(mut self, bytes: usize) -> Self {
        self.memory = SharedMemory::new(bytes);
        self
    }

    /// Keeps prefixes of `text/plain` bodies too, as they are: nothing in them is redacted.
    #[must_use]
    pub const fn plain_text(mut self) -> Self {
        self.plain_text = true;
        self
    }

    /// The secret for values that are correlated.
    #[must_use]
    pub fn secret(mut self, secret: LogSecret) -> Self {
        Arc::make_mut(&mut self.rules).set_secret(secret);
        self
    }

    /// Replaces values under names that match `pattern`, at every depth: `*` stands for any
    /// characters, the case of ASCII letters does not count.
    ///
    /// # Errors
    ///
    /// When the pattern is empty, longer than 128 bytes or has control characters, or is the 65th.
    pub fn redact_name(self, pattern: &str) -> Result<Self, CaptureError> {
        self.name_rule(pattern, Treatment::Replace)
    }

    /// Replaces the value at a JSON pointer (RFC 6901). `*` stands for any member or index.
    ///
    /// # Errors
    ///
    /// When the text is not a pointer, longer than 1,024 bytes or 64 levels, or is the 65th.
    pub fn redact_pointer(self, pointer: &str) -> Result<Self, CaptureError> {
        self.pointer_rule(pointer, Treatment::Replace)
    }

    /// As [`redact_name`](Self::redact_name), but puts the HMAC-SHA-256 of the value under the
    /// log secret in its place, so that equal values can be told to be equal.
    ///
    /// # Errors
    ///
    /// As [`redact_name`](Self::redact_name), and without a [`secret`](Self::secret).
    pub fn correlate_name(self, pattern: &str) -> Result<Self, CaptureError> {
        self.name_rule(pattern, Treatment::Correlate)
    }

    /// As [`redact_pointer`](Self::redact_pointer), but puts the HMAC-SHA-256 of the value under
    /// the log secret in its place, so that equal values can be told to be equal.
    ///
    /// # Errors
    ///
    /// As [`redact_pointer`](Self::redact_pointer), and without a [`secret`](Self::secret).
    pub fn correlate_pointer(self, pointer: &str) -> Result<Self, CaptureError> {
        self.pointer_rule(pointer, Treatment::Correlate)
    }

    fn name_rule(mut self, pattern: &str, treatment: Treatment) -> Result<Self, CaptureError> {
        Arc::make_mut(&mut self.rules).add_name(pattern, treatment)?;
        Ok(self)
    }

    fn pointer_rule(mut self, pointer: &str, treatment: Treatment) -> Result<Self, CaptureError> {
        Arc::make_mut(&mut self.rules).add_pointer(pointer, treatment)?;
        Ok(self)
    }

    /// Starts to watch a body with these headers, as they were sent.
    ///
    /// `content_encoding` is `grpc-encoding` for [`BodyFormat::Grpc`]. Takes no memory for the
    /// prefix before the first byte comes.
    #[must_use]
    pub fn recorder(
        &self,
        content_type: Option<&[u8]>,
        content_encoding: Option<&[u8]>,
        format: BodyFormat,
    ) -> BodyRecorder {
        let encoding = applied_coding(content_encoding);
        let (prefix, messages) = match format {
            BodyFormat::Http => (self.prefix_of(content_type, encoding.is_some()), None),
            BodyFormat::Grpc if is_base64_grpc(content_type) => (Prefix::Withheld(Withheld::ContentType), None),
            BodyFormat::Grpc => (Prefix::Unwanted, Some(Box::new(GrpcMessages::new(self.messages)))),
        };
        BodyRecorder {
            digest: Sha256::new(),
            bytes: 0,
            ended: false,
            content_type: content_type.map(|header| shortened(&String::from_utf8_lossy(header))),
            encoding,
            prefix,
            messages,
        }
    }

    fn prefix_of(&self, content_type: Option<&[u8]>, encoded: bool) -> Prefix {
        if self.prefix == 0 {
            return Prefix::Unwanted;
        }
        if encoded {
            return Prefix::Withheld(Withheld::Encoding);
        }
        match text_form(content_type, self.plain_text) {
            Ok(form) => Prefix::Kept { bytes: KeptPrefix::new(self.prefix, &self.memory), form, capture: self.clone() },
            Err(reason) => Prefix::Withheld(reason),
        }
    }

    pub(super) fn rules(&self) -> &BodyRules {
        &self.rules
    }

    pub(super) const fn prefix_length(&self) -> usize {
        self.prefix
    }
}

/// gRPC-Web in base64, whose frames cannot be seen.
fn is_base64_grpc(content_type: Option<&[u8]>) -> bool {
    let prefix = b"application/grpc-web-text";
    content_type.and_then(|header| header.get(..prefix.len())).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

fn at_most(setting: &'static str, value: usize, most: usize) -> Result<usize, CaptureError> {
    if value > most { Err(CaptureError::TooLarge { setting, value, most }) } else { Ok(value) }
}
