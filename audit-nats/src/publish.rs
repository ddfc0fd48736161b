use std::time::{Duration, Instant};

use async_nats::HeaderMap;
use bytes::Bytes;
use serde::Deserialize;
use tokio::time::sleep;

use crate::api::ApiError;
use crate::link::Link;
use crate::trouble::Trouble;

/// The subject holds another last message than the one that was expected.
const WRONG_LAST: [u32; 2] = [10_071, 10_164];

/// The stream or the account has no room. The first also stands for other failures to store.
const NO_ROOM: [u32; 4] = [10_077, 10_002, 10_023, 10_047];

/// What 10077 says when it is the stream's limits, or the server's disk, that are reached.
const FULL: [&str; 3] = ["exceeded", "no space", "insufficient"];

/// The code of 10077 itself: the store failed.
const STORE_FAILED: u32 = 10_077;

/// The pause before a message is offered again to a stream without a leader.
const PAUSE: Duration = Duration::from_millis(50);

/// One message to be published.
#[derive(Clone, Debug)]
pub(crate) struct Message<'a> {
    pub(crate) subject: &'a str,
    pub(crate) bytes: Bytes,
    /// The number of the last message on the subject; 0 if there is none.
    pub(crate) expected_last: u64,
    /// What identifies these bytes; the server ignores what it has seen within its window.
    pub(crate) id: Option<String>,
    /// Further headers.
    pub(crate) headers: Vec<(&'static str, String)>,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Published {
    /// It is in the stream, under this number.
    Stored(u64),
    /// Another message is the last one, or this one is there already: the stream has to be read.
    Compare,
    /// There is no room.
    Full(String),
}

#[derive(Deserialize)]
struct Answer {
    error: Option<ApiError>,
    #[serde(default)]
    seq: u64,
    #[serde(default)]
    duplicate: bool,
}

impl Link {
    /// Publishes one message and waits until the stream's leader has acknowledged it. While there is no
    /// leader, it is offered again.
    ///
    /// # Errors
    ///
    /// After [`Trouble::Lost`] and [`Trouble::Deaf`] nobody knows whether it is in the stream; after any
    /// other, it is not.
    pub(crate) async fn publish(&self, message: &Message<'_>, deadline: Instant) -> Result<Published, Trouble> {
        let patience = deadline.min(Instant::now() + self.target.ack_timeout);
        loop {
            match self.offer(message, deadline).await {
                Err(Trouble::NobodyThere(_) | Trouble::Later(_)) if Instant::now() + PAUSE < patience => {
                    sleep(PAUSE).await;
                }
                other => return other,
            }
        }
    }

    async fn offer(&self, message: &Message<'_>, deadline: Instant) -> Result<Published, Trouble> {
        let mut headers = HeaderMap::new();
        headers.insert("Nats-Expected-Stream", self.target.stream.as_str());
        headers.insert("Nats-Expected-Last-Subject-Sequence", message.expected_last.to_string().as_str());
        if let Some(id) = &message.id {
            headers.insert("Nats-Msg-Id", id.as_str());
        }
        for (name, value) in &message.headers {
            headers.insert(*name, value.as_str());
        }
        let answer = self.connection.ask(message.subject, Some(headers), message.bytes.clone(), deadline).await?;
        let answer: Answer = serde_json::from_slice(&answer.payload)
            .map_err(|error| Trouble::Lost(format!("the acknowledgement makes no sense: {error}")))?;
        match answer.error {
            None if answer.seq == 0 => Err(Trouble::Lost("the acknowledgement has no number".into())),
            None if answer.duplicate => Ok(Published::Compare),
            None => Ok(Published::Stored(answer.seq)),
            Some(error) => refused(error),
        }
    }
}

fn refused(error: ApiError) -> Result<Published, Trouble> {
    let said = error.description.to_ascii_lowercase();
    if WRONG_LAST.contains(&error.err_code) {
        return Ok(Published::Compare);
    }
    if NO_ROOM.contains(&error.err_code) && FULL.iter().any(|word| said.contains(word)) {
        return Ok(Published::Full(error.description));
    }
    if error.err_code == STORE_FAILED {
        // Where it failed, and what is on the disk, only the server could tell.
        return Err(Trouble::Lost(format!("the server could not store it: {}", error.description)));
    }
    Err(error.trouble())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(err_code: u32, code: u16, description: &str) -> ApiError {
        ApiError { code, err_code, description: description.into() }
    }

    #[test]
    fn answers_are_told_apart_by_their_codes() {
        assert_eq!(refused(error(10_071, 400, "wrong last sequence: 7")), Ok(Published::Compare));
        assert!(matches!(refused(error(10_077, 503, "maximum bytes exceeded")), Ok(Published::Full(_))));
        assert!(matches!(refused(error(10_077, 503, "write failed: input/output error")), Err(Trouble::Lost(_))));
        assert!(matches!(
            refused(error(10_008, 503, "JetStream system temporarily unavailable")),
            Err(Trouble::Later(_))
        ));
        assert!(matches!(refused(error(10_109, 400, "sealed")), Err(Trouble::Answer(_))));
    }
}
