use std::time::{Duration, Instant};

use audit_core::backend::BackendError;
use bytes::Bytes;
use tokio::time::sleep;

use crate::link::Link;
use crate::trouble::Trouble;

/// What these credentials must not be allowed to do, and a request that does nothing where they are:
/// the server refuses it as ill-formed.
const FORBIDDEN: [(&str, &str); 2] =
    [("STREAM.DELETE", "delete the stream"), ("STREAM.UPDATE", "change what the stream keeps")];

/// The pause before a request is sent again that was not answered.
const PAUSE: Duration = Duration::from_millis(50);

/// No JSON, so that no server takes it for a request.
const ILL_FORMED: &[u8] = b"audit-nats asks whether it may: it should not";

/// Refuses credentials that may delete the stream or change its settings: `deny_delete` and `deny_purge`
/// protect from neither.
///
/// # Errors
///
/// [`BackendError::Misconfigured`] when they may, [`BackendError::Unavailable`] when that is not answered.
pub(crate) async fn check(link: &Link, deadline: Instant) -> Result<(), BackendError> {
    if link.target.allow_admin_rights {
        return Ok(());
    }
    for (call, meaning) in FORBIDDEN {
        let subject = format!("{}.{call}.{}", link.target.api, link.target.stream);
        if may(link, &subject, deadline).await.map_err(|trouble| trouble.opening(&link.target.place()))? {
            return Err(BackendError::Misconfigured {
                detail: format!(
                    "{}: these credentials may publish to {subject}, that is, {meaning}; use those of a writer, \
                     see `audit grants nats`, or accept it with `allow_admin_rights=true`",
                    link.target.place()
                ),
            });
        }
    }
    Ok(())
}

/// Whether a request on `subject` is let through; asked again until there is an answer.
async fn may(link: &Link, subject: &str, deadline: Instant) -> Result<bool, Trouble> {
    loop {
        let patience = deadline.min(Instant::now() + link.target.ack_timeout);
        match link.connection.ask(subject, None, Bytes::from_static(ILL_FORMED), patience).await {
            Ok(_) => return Ok(true),
            // Not even an ill-formed request is let through; or the account's interface does not have this one.
            Err(Trouble::Forbidden(_) | Trouble::NobodyThere(_)) => return Ok(false),
            // Without an answer, nobody knows.
            Err(trouble) if trouble.may_pass() && Instant::now() + PAUSE < deadline => sleep(PAUSE).await,
            Err(trouble) => return Err(trouble),
        }
    }
}
