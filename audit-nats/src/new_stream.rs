use std::time::{Duration, Instant};

use audit_core::backend::BackendError;
use serde_json::{Value, json};

use crate::UrlError;
use crate::api::error_of;
use crate::link::Link;
use crate::target::Target;

/// A stream that can keep logs, to be made by an administrator: no writer needs, or should have, the
/// right to make one.
#[derive(Clone, Debug)]
pub struct NewStream {
    target: Target,
    replicas: u8,
    max_bytes: Option<u64>,
}

impl NewStream {
    /// The stream that `url` names, with one replica and without a limit of its size. The options are
    /// those of a log; the credentials have to be an administrator's.
    ///
    /// # Errors
    ///
    /// Says what is wrong with the URL or which option.
    pub fn from_url(url: &str, options: &[(String, String)]) -> Result<Self, UrlError> {
        Ok(Self { target: Target::parse(url, options)?, replicas: 1, max_bytes: None })
    }

    /// On how many servers each message is kept: 1 to 5, and 3 for `replicated`.
    #[must_use]
    pub fn replicas(mut self, replicas: u8) -> Self {
        self.replicas = replicas.clamp(1, 5);
        self
    }

    /// At how many bytes the stream is full and refuses new messages.
    #[must_use]
    pub const fn max_bytes(mut self, bytes: u64) -> Self {
        self.max_bytes = Some(bytes);
        self
    }

    /// The settings as JSON, for `nats stream add --config FILE`.
    #[must_use]
    pub fn to_json(&self) -> String {
        format!("{:#}\n", self.settings())
    }

    /// Makes the stream. Blocks for at most `timeout`. One that is there with the same settings is left
    /// as it is.
    ///
    /// # Errors
    ///
    /// [`BackendError::Misconfigured`] when the server refuses it, [`BackendError::Unavailable`] when no
    /// server answers.
    pub fn create(&self, timeout: Duration) -> Result<(), BackendError> {
        let deadline = Instant::now() + timeout;
        let place = self.target.place();
        let link = Link::open(&self.target, "administrator", deadline).map_err(|trouble| trouble.opening(&place))?;
        let subject = format!("{}.STREAM.CREATE.{}", self.target.api, self.target.stream);
        let settings = self.settings().to_string();
        link.block_on(async {
            let answer = link.connection.ask_again(&subject, settings.into(), deadline).await;
            let answer = answer.map_err(|trouble| trouble.opening(&place))?;
            match error_of(&answer.payload).map_err(|trouble| trouble.opening(&place))? {
                None => Ok(()),
                Some(error) => Err(BackendError::Misconfigured { detail: format!("{place}: {}", error.description) }),
            }
        })
    }

    fn settings(&self) -> Value {
        json!({
            "name": self.target.stream,
            "subjects": [format!("{}.>", self.target.subject_prefix)],
            "storage": "file",
            "retention": "limits",
            "discard": "new",
            "num_replicas": self.replicas,
            "max_age": 0,
            "max_msgs": -1,
            "max_bytes": self.max_bytes.map_or_else(|| Value::from(-1), Value::from),
            "max_msgs_per_subject": -1,
            "max_msg_size": -1,
            "max_consumers": -1,
            "duplicate_window": 120_000_000_000_u64,
            "deny_delete": true,
            "deny_purge": true,
            "allow_rollup_hdrs": false,
        })
    }
}
