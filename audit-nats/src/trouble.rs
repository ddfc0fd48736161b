use std::fmt;
use std::io;

use audit_core::backend::BackendError;
use audit_core::verify::ReadError;

/// Why a request was not answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// Something has to be set up differently: credentials, certificates, files.
    Setup(String),
    /// There is no connection; nothing was sent.
    NotConnected(String),
    /// The server refused the subject: these credentials may not use it.
    Forbidden(String),
    /// The server does not let these credentials listen for answers: nobody knows what became of the request.
    Deaf(String),
    /// Nobody listens on this subject: no stream, or none that has a leader now.
    NobodyThere(String),
    /// The server answered that it cannot do it now.
    Later(String),
    /// No answer: nobody knows whether the request arrived.
    Lost(String),
    /// The answer was an error that stays one, or makes no sense.
    Answer(String),
}

impl Trouble {
    /// Whether the same request may be answered in a moment.
    pub(crate) const fn may_pass(&self) -> bool {
        matches!(self, Self::NotConnected(_) | Self::NobodyThere(_) | Self::Later(_) | Self::Lost(_))
    }

    /// For a call that opens a log: what somebody has to set up differently is not retried.
    pub(crate) fn opening(self, place: &str) -> BackendError {
        match self {
            Self::Setup(detail) => BackendError::Misconfigured { detail },
            Self::Forbidden(_) | Self::Deaf(_) => BackendError::Misconfigured {
                detail: format!("{place}: {self}; see `audit grants nats` for the rights that are needed"),
            },
            other => other.reading("opening the log"),
        }
    }

    /// For a call that changes nothing.
    pub(crate) fn reading(self, doing: &'static str) -> BackendError {
        BackendError::Unavailable { doing, source: Box::new(self) }
    }

    /// For a call that may have changed something before it was lost.
    pub(crate) fn writing(self, doing: &'static str) -> BackendError {
        match self {
            Self::Lost(_) | Self::Deaf(_) => BackendError::Unknown { doing, source: Box::new(self) },
            other => BackendError::Unavailable { doing, source: Box::new(other) },
        }
    }

    /// For somebody who only reads.
    pub(crate) fn verifying(self, doing: &str) -> ReadError {
        ReadError::unavailable(doing, self)
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Setup(said) | Self::NotConnected(said) | Self::Lost(said) | Self::Answer(said) => f.write_str(said),
            Self::Forbidden(said) => write!(f, "the server refuses it to these credentials: {said}"),
            Self::Deaf(said) => write!(f, "the server does not let these credentials hear its answers: {said}"),
            Self::NobodyThere(subject) => {
                write!(f, "nobody takes messages on {subject}: the stream is gone, or has no leader now")
            }
            Self::Later(said) => write!(f, "the server cannot do it now: {said}"),
        }
    }
}

impl std::error::Error for Trouble {}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::Setup(error.to_string())
    }
}

/// What failed after something may have been written leaves it open whether it was.
pub(crate) fn in_doubt(error: BackendError) -> BackendError {
    match error {
        BackendError::Unavailable { doing, source } => BackendError::Unknown { doing, source },
        BackendError::Full { detail } => {
            BackendError::Unknown { doing: "writing to the stream", source: Box::new(Trouble::Later(detail)) }
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_hears_no_answer_does_not_say_that_nothing_was_written() {
        for trouble in [Trouble::Deaf("no inbox".into()), Trouble::Lost("no answer".into())] {
            assert!(matches!(trouble.writing("appending"), BackendError::Unknown { .. }));
        }
        let refused = Trouble::Forbidden("no right".into());
        assert!(matches!(refused.writing("appending"), BackendError::Unavailable { .. }));
        // When the log opens, it is a right that has to be given.
        let deaf = Trouble::Deaf("no inbox".into());
        assert!(matches!(deaf.opening("stream A"), BackendError::Misconfigured { .. }));
    }

    #[test]
    fn a_full_stream_does_not_settle_what_became_of_an_earlier_attempt() {
        let full = BackendError::Full { detail: "no room".into() };
        assert!(matches!(in_doubt(full), BackendError::Unknown { .. }));
        let tampered = BackendError::Tampered { seq: None, detail: "other bytes".into() };
        assert!(matches!(in_doubt(tampered), BackendError::Tampered { .. }));
    }
}
