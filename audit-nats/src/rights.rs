use std::time::Instant;

use audit_core::backend::BackendError;
use bytes::Bytes;

use crate::link::Link;
use crate::trouble::Trouble;

/// What these credentials must not be allowed to do, and a request that does nothing where they are:
/// the server refuses it as ill-formed.
const FORBIDDEN: [(&str, &str); 2] =
    [("STREAM.DELETE", "delete the stream"), ("STREAM.UPDATE", "change what the stream keeps")];

/// No JSON, so that no server takes it for a request.
const ILL_FORMED: &[u8] = b"audit-nats asks whether it may: it should not";

/// Refuses credentials that may delete the stream or change its settings: `deny_delete` and `deny_purge`
/// protect from neither.
///
/// # Errors
///
/// [`BackendError::Misconfigured`] when they may.
pub(crate) async fn check(link: &Link, deadline: Instant) -> Result<(), BackendError> {
    if link.target.allow_admin_rights {
        return Ok(());
    }
    for (call, meaning) in FORBIDDEN {
        let subject = format!("{}.{call}.{}", link.target.api, link.target.stream);
        let patience = deadline.min(Instant::now() + link.target.ack_timeout);
        match link.connection.ask(&subject, None, Bytes::from_static(ILL_FORMED), patience).await {
            // Not even an ill-formed request is let through; or nobody answers such requests.
            Err(Trouble::Forbidden(_) | Trouble::NobodyThere(_) | Trouble::Lost(_)) => {}
            Err(trouble) => return Err(trouble.opening(&link.target.place())),
            Ok(_) => {
                return Err(BackendError::Misconfigured {
                    detail: format!(
                        "{}: these credentials may publish to {subject}, that is, {meaning}; use those of a writer, \
                         see `audit grants nats`, or accept it with `allow_admin_rights=true`",
                        link.target.place()
                    ),
                });
            }
        }
    }
    Ok(())
}
