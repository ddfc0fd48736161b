//! The two questions of JetStream's interface that we ask, and the form of its answers.

use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::Deserialize;

use crate::link::Link;
use crate::stream_info::StreamInfo;
use crate::trouble::Trouble;

/// What the server says instead of an answer.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub(crate) struct ApiError {
    #[serde(default)]
    pub(crate) code: u16,
    #[serde(default)]
    pub(crate) err_code: u32,
    #[serde(default)]
    pub(crate) description: String,
}

/// No message with this number, or on this subject.
const NO_MESSAGE: u32 = 10_037;

/// No such stream.
const NO_STREAM: u32 = 10_059;

/// Codes of HTTP that mean: ask again later.
const LATER: [u16; 3] = [408, 500, 503];

impl ApiError {
    pub(crate) fn trouble(self) -> Trouble {
        let said = format!("{} (error {})", self.description, self.err_code);
        if LATER.contains(&self.code) { Trouble::Later(said) } else { Trouble::Answer(said) }
    }
}

/// Whether messages that were deleted are only counted, or their numbers wanted too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deleted {
    Counted,
    Named,
}

/// Which message is asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Which<'a> {
    /// The newest on a subject.
    Last(&'a str),
    /// The first on a subject from a number of the stream on.
    From(u64, &'a str),
}

/// One stored message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stored {
    /// Its number in the stream.
    pub(crate) number: u64,
    pub(crate) bytes: Vec<u8>,
    headers: Vec<u8>,
}

impl Stored {
    #[cfg(test)]
    pub(crate) const fn of_lines(number: u64, bytes: Vec<u8>) -> Self {
        Self { number, bytes, headers: Vec::new() }
    }

    /// The value of a header, if the message has it.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let headers = std::str::from_utf8(&self.headers).ok()?;
        headers.split("\r\n").find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim)
    }
}

#[derive(Deserialize)]
struct MessageAnswer<'a> {
    error: Option<ApiError>,
    #[serde(borrow)]
    message: Option<StoredText<'a>>,
}

#[derive(Deserialize)]
struct StoredText<'a> {
    seq: u64,
    #[serde(borrow, default)]
    hdrs: Option<std::borrow::Cow<'a, str>>,
    #[serde(borrow, default)]
    data: Option<std::borrow::Cow<'a, str>>,
}

#[derive(Deserialize)]
struct ErrorAnswer {
    error: Option<ApiError>,
}

impl Link {
    /// The message that is asked for, from the stream's leader; `None` if there is none.
    pub(crate) async fn message(&self, which: Which<'_>, deadline: Instant) -> Result<Option<Stored>, Trouble> {
        let question = match which {
            Which::Last(subject) => format!("{{\"last_by_subj\":\"{subject}\"}}"),
            Which::From(number, subject) => {
                format!("{{\"seq\":{},\"next_by_subj\":\"{subject}\"}}", number.max(1))
            }
        };
        let subject = format!("{}.STREAM.MSG.GET.{}", self.target.api, self.target.stream);
        let answer = self.connection.ask_again(&subject, question.into(), deadline).await?;
        let answer: MessageAnswer<'_> = serde_json::from_slice(&answer.payload).map_err(|error| nonsense(&error))?;
        match (answer.message, answer.error) {
            (Some(message), None) => decode(&message).map(Some),
            (_, Some(error)) if error.err_code == NO_MESSAGE => Ok(None),
            (_, Some(error)) => Err(error.trouble()),
            (None, None) => Err(Trouble::Answer("the server answered with neither a message nor an error".into())),
        }
    }

    /// What the stream is like, with the subjects that `filter` takes in; `None` if there is no such stream.
    pub(crate) async fn stream_info(
        &self,
        deleted: Deleted,
        filter: Option<&str>,
        deadline: Instant,
    ) -> Result<Option<StreamInfo>, Trouble> {
        let mut info: Option<StreamInfo> = None;
        loop {
            let offset = info.as_ref().map_or(0, |info| info.state.subjects.len());
            let filter = filter.map(|filter| format!(",\"subjects_filter\":\"{filter}\"")).unwrap_or_default();
            let question = format!("{{\"deleted_details\":{},\"offset\":{offset}{filter}}}", deleted == Deleted::Named);
            let subject = format!("{}.STREAM.INFO.{}", self.target.api, self.target.stream);
            let answer = self.connection.ask_again(&subject, question.into(), deadline).await?;
            if let Some(error) = error_of(&answer.payload)? {
                return if error.err_code == NO_STREAM { Ok(None) } else { Err(error.trouble()) };
            }
            let page: StreamInfo = serde_json::from_slice(&answer.payload).map_err(|error| nonsense(&error))?;
            let (total, more) = (page.total, page.state.subjects.len());
            match &mut info {
                Some(info) => info.state.subjects.extend(page.state.subjects),
                None => info = Some(page),
            }
            // Servers give at most 100,000 subjects at a time.
            if more == 0 || info.as_ref().is_some_and(|info| info.state.subjects.len() as u64 >= total) {
                return Ok(info);
            }
        }
    }
}

/// The error in an answer, if it is one.
pub(crate) fn error_of(payload: &Bytes) -> Result<Option<ApiError>, Trouble> {
    let answer: ErrorAnswer = serde_json::from_slice(payload).map_err(|error| nonsense(&error))?;
    Ok(answer.error)
}

fn decode(message: &StoredText<'_>) -> Result<Stored, Trouble> {
    let decoded = |text: &Option<std::borrow::Cow<'_, str>>| {
        STANDARD
            .decode(text.as_deref().unwrap_or_default())
            .map_err(|error| Trouble::Answer(format!("message {} is not in base64: {error}", message.seq)))
    };
    Ok(Stored { number: message.seq, bytes: decoded(&message.data)?, headers: decoded(&message.hdrs)? })
}

fn nonsense(error: &serde_json::Error) -> Trouble {
    Trouble::Answer(format!("the server's answer makes no sense: {error}"))
}
