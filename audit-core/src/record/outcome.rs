use std::borrow::Cow;
use std::sync::Arc;

use crate::capture::CapturedBody;
use crate::evidence::Hash;

/// How an activity ended, in one word. It stands in the member `result`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OutcomeResult {
    /// It did what was asked.
    Success,
    /// It answered that it could not (HTTP 4xx other than 401 and 403; an `Err` of a function).
    Failure,
    /// The caller may not (401, 403, `PERMISSION_DENIED`, `UNAUTHENTICATED`).
    Denied,
    /// It broke (HTTP 5xx, an error of the service or of the response body).
    Error,
    /// The caller, or a timeout outside, gave up before the end.
    Cancelled,
    /// The handler or its body panicked.
    Panicked,
    /// The log could not be written in time and the handler never ran.
    Refused,
    /// It ended, and nobody said how.
    Unknown,
}

impl OutcomeResult {
    /// Every result, in the order of declaration.
    pub const ALL: [Self; 8] = [
        Self::Success,
        Self::Failure,
        Self::Denied,
        Self::Error,
        Self::Cancelled,
        Self::Panicked,
        Self::Refused,
        Self::Unknown,
    ];

    /// The word that stands in a record.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Denied => "denied",
            Self::Error => "error",
            Self::Cancelled => "cancelled",
            Self::Panicked => "panicked",
            Self::Refused => "refused",
            Self::Unknown => "unknown",
        }
    }

    /// The result that `word` names, if any.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|result| result.as_str() == word)
    }

    /// The result of an HTTP exchange that ended with `status` (RFC 9110 §15).
    #[must_use]
    pub const fn from_http_status(status: u16) -> Self {
        match status {
            401 | 403 => Self::Denied,
            100..=399 => Self::Success,
            400..=499 => Self::Failure,
            _ => Self::Error,
        }
    }

    /// The result of a gRPC call that ended with `code` (gRPC status codes 0 to 16).
    #[must_use]
    pub const fn from_grpc_code(code: i32) -> Self {
        match code {
            0 => Self::Success,
            1 => Self::Cancelled,
            7 | 16 => Self::Denied,
            3 | 5 | 6 | 8 | 9 | 10 | 11 => Self::Failure,
            _ => Self::Error,
        }
    }
}

/// How an activity ended.
#[derive(Clone, Debug)]
pub struct Outcome<'a> {
    pub(crate) result: OutcomeResult,
    pub(crate) status: Option<u16>,
    pub(crate) code: Option<i32>,
    pub(crate) request_bytes: Option<u64>,
    pub(crate) response_bytes: Option<u64>,
    pub(crate) request_sha256: Option<Hash>,
    pub(crate) request_body: Option<Arc<CapturedBody>>,
    pub(crate) response_body: Option<Arc<CapturedBody>>,
    pub(crate) error: Option<Cow<'a, str>>,
}

impl<'a> Outcome<'a> {
    /// An outcome of which only the result is known.
    #[must_use]
    pub const fn new(result: OutcomeResult) -> Self {
        Self {
            result,
            status: None,
            code: None,
            request_bytes: None,
            response_bytes: None,
            request_sha256: None,
            request_body: None,
            response_body: None,
            error: None,
        }
    }

    /// The outcome of an HTTP exchange, its result taken from the status.
    #[must_use]
    pub const fn http(status: u16) -> Self {
        let mut outcome = Self::new(OutcomeResult::from_http_status(status));
        outcome.status = Some(status);
        outcome
    }

    /// The outcome of a gRPC call, its result taken from the code.
    #[must_use]
    pub const fn grpc(code: i32) -> Self {
        let mut outcome = Self::new(OutcomeResult::from_grpc_code(code));
        outcome.code = Some(code);
        outcome
    }

    /// Replaces the result.
    #[must_use]
    pub const fn result(mut self, result: OutcomeResult) -> Self {
        self.result = result;
        self
    }

    /// Sets the HTTP status, leaving the result as it is.
    #[must_use]
    pub const fn status(mut self, status: u16) -> Self {
        self.status = Some(status);
        self
    }

    /// Sets how many body bytes the caller sent.
    #[must_use]
    pub const fn request_bytes(mut self, bytes: u64) -> Self {
        self.request_bytes = Some(bytes);
        self
    }

    /// Sets how many body bytes were handed to the transport.
    #[must_use]
    pub const fn response_bytes(mut self, bytes: u64) -> Self {
        self.response_bytes = Some(bytes);
        self
    }

    /// Sets the SHA-256 of the whole request body.
    #[must_use]
    pub const fn request_sha256(mut self, digest: Hash) -> Self {
        self.request_sha256 = Some(digest);
        self
    }

    /// Sets what was captured of the request's body; its digest, when it was read to its end, takes
    /// the place of [`request_sha256`](Self::request_sha256).
    #[must_use]
    pub fn request_body(mut self, body: CapturedBody) -> Self {
        self.request_sha256 = body.sha256().or(self.request_sha256);
        self.request_body = Some(Arc::new(body));
        self
    }

    /// Sets what was captured of the response's body, its digest included.
    #[must_use]
    pub fn response_body(mut self, body: CapturedBody) -> Self {
        self.response_body = Some(Arc::new(body));
        self
    }

    /// Sets what went wrong, in words.
    #[must_use]
    pub fn error(mut self, error: impl Into<Cow<'a, str>>) -> Self {
        self.error = Some(error.into());
        self
    }
}
