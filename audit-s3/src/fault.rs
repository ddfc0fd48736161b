//! What went wrong with one request, told apart by what is known afterwards.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::time::Instant;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use hyper_util::client::legacy;

use audit_core::backend::BackendError;
use audit_core::verify::ReadError;

/// Answers after which trying again does not help: the request, the bucket or its settings are wrong.
const FOR_GOOD: [&str; 13] = [
    "AuthorizationHeaderMalformed",
    "InvalidArgument",
    "InvalidBucketName",
    "InvalidBucketState",
    "InvalidRequest",
    "InvalidRetentionPeriod",
    "MalformedXML",
    "MethodNotAllowed",
    "MissingSecurityHeader",
    "NoSuchBucket",
    "NotImplemented",
    "ObjectLockConfigurationNotFoundError",
    "PermanentRedirect",
];

/// Answers that say there is no room.
const NO_ROOM: [&str; 4] = ["QuotaExceeded", "InsufficientStorage", "InsufficientCapacity", "XMinioStorageFull"];

/// Answers that say that the request was not carried out, though their status does not.
const TURNED_AWAY: [&str; 2] = ["SlowDown", "RequestThrottled"];

/// Statuses below 500 that say nothing about an object that is there, but that it was asked for at a bad time,
/// or by the wrong person, or is gone.
const ABOUT_THE_REQUEST: [u16; 5] = [401, 404, 408, 409, 429];

/// The same of codes that come with status 400 or 403.
const PASSING: [&str; 6] = [
    "ExpiredToken",
    "InvalidAccessKeyId",
    "RequestTimeout",
    "RequestTimeTooSkewed",
    "SignatureDoesNotMatch",
    "SlowDown",
];

/// One request that did not do what it should.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The deadline passed before the answer came.
    Late,
    /// No connection was made, so that nothing was sent: refused, no such host, a bad certificate.
    NotConnected(Box<dyn Error + Send + Sync>),
    /// The connection ended before the answer, or the answer made no sense.
    Broken(Box<dyn Error + Send + Sync>),
    /// Nothing was sent, for a reason on this side: no credentials, a request that cannot be built.
    NotSent(Box<dyn Error + Send + Sync>),
    /// The store answered, and said no.
    Refused(Refusal),
    /// What the store holds is not what a log leaves there.
    Strange(String),
}

/// What the store said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) code: String,
    pub(crate) message: String,
}

/// Waits for the answer to one request until `deadline`.
pub(crate) async fn within<T, E>(
    deadline: Instant,
    request: impl Future<Output = Result<T, SdkError<E, HttpResponse>>>,
) -> Result<T, Fault>
where
    E: Error + ProvideErrorMetadata + Send + Sync + 'static,
{
    match tokio::time::timeout_at(deadline.into(), request).await {
        Ok(answer) => answer.map_err(Fault::of),
        Err(_) => Err(Fault::Late),
    }
}

impl Fault {
    fn of<E>(error: SdkError<E, HttpResponse>) -> Self
    where
        E: Error + ProvideErrorMetadata + Send + Sync + 'static,
    {
        if let Some(refused) = error.as_service_error()
            && let Some(response) = error.raw_response()
            && response.status().as_u16() >= 300
        {
            return Self::Refused(Refusal {
                status: response.status().as_u16(),
                code: refused.code().unwrap_or_default().to_owned(),
                message: refused.message().unwrap_or_default().to_owned(),
            });
        }
        let connecting = found::<legacy::Error>(&error).is_some_and(legacy::Error::is_connect);
        let unsigned = found::<CredentialsError>(&error).is_some();
        let text = Chain(&error).to_string();
        match error {
            SdkError::ConstructionFailure(_) => Self::NotSent(text.into()),
            _ if connecting => Self::NotConnected(text.into()),
            SdkError::DispatchFailure(failure) if failure.is_user() => Self::NotSent(text.into()),
            _ if unsigned => Self::NotSent(text.into()),
            _ => Self::Broken(text.into()),
        }
    }

    /// Whether the store says that there is no such object.
    pub(crate) fn is_missing(&self) -> bool {
        matches!(self, Self::Refused(no) if no.status == 404 && no.code != "NoSuchBucket")
    }

    /// Whether it is about the one object that was asked for, and asking again gives the same: it is too large,
    /// encrypted with somebody else's key, put away to where nothing can be read.
    pub(crate) fn is_of_object(&self) -> bool {
        match self {
            Self::Strange(_) => true,
            Self::Refused(no) => {
                (400..500).contains(&no.status)
                    && !ABOUT_THE_REQUEST.contains(&no.status)
                    && !PASSING.contains(&no.code.as_str())
            }
            _ => false,
        }
    }

    /// Whether the store says that there is no such version to be deleted, which it tells only those who may.
    pub(crate) fn is_nothing_to_delete(&self) -> bool {
        let Self::Refused(no) = self else { return false };
        match no.status {
            404 => no.code != "NoSuchBucket",
            400 => ["InvalidArgument", "NoSuchVersion"].contains(&no.code.as_str()),
            _ => false,
        }
    }

    /// Whether a condition of the request did not hold.
    pub(crate) fn is_unmet(&self) -> bool {
        matches!(self, Self::Refused(no) if no.status == 412 || no.code == "PreconditionFailed")
    }

    /// Whether the credentials are wrong or may not do this.
    pub(crate) fn is_forbidden(&self) -> bool {
        matches!(self, Self::Refused(no) if matches!(no.status, 401 | 403))
    }

    /// Whether the store does not know this kind of request.
    pub(crate) fn is_unknown_request(&self) -> bool {
        matches!(self, Self::Refused(no) if no.status == 501 || no.code == "NotImplemented")
    }

    /// As the error of a call that writes nothing.
    pub(crate) fn reading(self, doing: &'static str) -> BackendError {
        match self {
            Self::Refused(no) if FOR_GOOD.contains(&no.code.as_str()) => {
                BackendError::Misconfigured { detail: format!("{doing} failed: {no}") }
            }
            Self::Strange(detail) => BackendError::Tampered { seq: None, detail },
            other => BackendError::Unavailable { doing, source: other.to_string().into() },
        }
    }

    /// As the error of a call that may have written something.
    pub(crate) fn writing(self, doing: &'static str) -> BackendError {
        let source: Box<dyn Error + Send + Sync> = self.to_string().into();
        match self {
            Self::Refused(no) if no.status == 507 || NO_ROOM.contains(&no.code.as_str()) => {
                BackendError::Full { detail: format!("the store says: {no}") }
            }
            Self::Refused(no) if no.status >= 500 && !TURNED_AWAY.contains(&no.code.as_str()) => {
                BackendError::Unknown { doing, source }
            }
            Self::Late | Self::Broken(_) => BackendError::Unknown { doing, source },
            other => other.reading(doing),
        }
    }

    /// As the error of whoever reads a log.
    pub(crate) fn read_error(self, doing: impl Into<String>) -> ReadError {
        ReadError::unavailable(doing, self.to_string())
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Late => f.write_str("the store did not answer by the deadline"),
            Self::NotConnected(source) => write!(f, "no connection to the store: {source}"),
            Self::Broken(source) => write!(f, "the connection to the store broke: {source}"),
            Self::NotSent(source) => write!(f, "the request was not sent: {source}"),
            Self::Refused(no) => no.fmt(f),
            Self::Strange(detail) => f.write_str(detail),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let meaning = match (self.status, self.code.as_str()) {
            (_, "InvalidAccessKeyId") => "the store does not know this access key",
            (_, "SignatureDoesNotMatch") => "the secret key is not the one of this access key",
            (_, "RequestTimeTooSkewed") => "the clock of this machine is wrong",
            (_, "ExpiredToken") => "the session token has expired",
            (_, "NoSuchBucket") => "there is no such bucket",
            (401 | 403, _) => "the credentials may not do this",
            (_, "PermanentRedirect" | "AuthorizationHeaderMalformed") => "the region or the endpoint is wrong",
            _ => "the store refused",
        };
        let code = if self.code.is_empty() { "no code" } else { &self.code };
        write!(f, "{meaning} ({} {code}", self.status)?;
        if !self.message.is_empty() {
            write!(f, ": {}", self.message)?;
        }
        f.write_str(")")
    }
}

/// An error and everything behind it, on one line.
struct Chain<'a>(&'a (dyn Error + 'static));

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut said = self.0.to_string();
        f.write_str(&said)?;
        let mut next = self.0.source();
        for _ in 0..16 {
            let Some(error) = next else { break };
            let text = error.to_string();
            if text != said {
                write!(f, ": {text}")?;
            }
            said = text;
            next = error.source();
        }
        Ok(())
    }
}

/// The first error of type `T` behind `error`.
fn found<'a, T: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a T> {
    let mut next = Some(error);
    for _ in 0..16 {
        let error = next?;
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        next = error.source();
    }
    None
}
