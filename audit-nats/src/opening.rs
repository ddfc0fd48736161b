use std::sync::Arc;
use std::time::Instant;

use audit_core::backend::{BackendError, Opened, Recovery};

use crate::api::{Deleted, Stored, Which};
use crate::appender::Appender;
use crate::checkpoint_message;
use crate::facts::Facts;
use crate::link::Link;
use crate::message_size;
use crate::requirements;
use crate::rights;
use crate::stream_info::StreamInfo;
use crate::tail;
use crate::trouble::Trouble;

/// A log that has been opened for writing.
#[derive(Debug)]
pub(crate) struct Ready {
    pub(crate) link: Arc<Link>,
    pub(crate) facts: Arc<Facts>,
    pub(crate) appender: Appender,
    /// The stream as it was.
    pub(crate) info: StreamInfo,
    /// The number of the newest checkpoint's message, and the checkpoint's size.
    pub(crate) published: (u64, Option<u64>),
    /// The most bytes of lines in one message.
    pub(crate) message_bytes: usize,
}

/// Refuses a stream that cannot keep a log, then reads where the log ends.
///
/// # Errors
///
/// As for [`audit_core::backend::Backend::open`].
pub(crate) async fn open(link: Arc<Link>, deadline: Instant) -> Result<(Ready, Opened), BackendError> {
    let place = link.target.place();
    let info = link.stream_info(Deleted::Counted, None, deadline).await.map_err(|trouble| trouble.opening(&place))?;
    let info = info.ok_or_else(|| BackendError::Misconfigured {
        detail: format!("{place}: there is no such stream; an administrator has to make it, see docs/backends/nats.md"),
    })?;
    refuse_unsafe(&link, &info)?;
    rights::check(&link, deadline).await?;
    refuse_incomplete(&link, &info)?;
    let message_bytes = message_size::limit(&link, &info)?;

    let subjects = link.target.subjects();
    let get = async |which: Which<'_>| -> Result<Option<Stored>, BackendError> {
        link.message(which, deadline).await.map_err(|trouble: Trouble| trouble.opening(&place))
    };
    let key = get(Which::From(1, &subjects.key)).await?;
    // The checkpoint first: lines that come later do no harm.
    let checkpoint = get(Which::Last(&subjects.checkpoints)).await?;
    let last = get(Which::Last(&subjects.lines)).await?;
    if key.is_none() && (checkpoint.is_some() || last.is_some()) {
        return Err(BackendError::Tampered {
            seq: None,
            detail: format!("{place}: log {} has lines or checkpoints, but no key", link.target.log),
        });
    }
    let published = checkpoint.as_ref().and_then(checkpoint_message::size);
    if checkpoint.is_some() && published.is_none() {
        return Err(BackendError::Tampered {
            seq: None,
            detail: format!("{place}: the last message on {} is not a checkpoint", subjects.checkpoints),
        });
    }
    let signed = published.unwrap_or(0);
    let tail = tail::check(&link, signed, last.as_ref(), deadline).await?;
    let opened = opened(key, checkpoint.as_ref(), signed, &tail)?;
    let facts = Arc::new(Facts::new(&link.target, &info));
    facts.set_size(tail.head.size);
    let appender = Appender::new(
        Arc::clone(&link),
        Arc::clone(&facts),
        tail.head,
        last.map_or(0, |message| message.number),
        message_bytes,
    );
    let published = (checkpoint.map_or(0, |message| message.number), published);
    Ok((Ready { link, facts, appender, info, published, message_bytes }, opened))
}

fn opened(
    key: Option<Stored>,
    checkpoint: Option<&Stored>,
    signed: u64,
    tail: &tail::Tail,
) -> Result<Opened, BackendError> {
    let mut opened = Opened::empty();
    opened.verifier_key = match key.map(|key| String::from_utf8(key.bytes)) {
        Some(Err(_)) => {
            return Err(BackendError::Tampered {
                seq: None,
                detail: "the text of the verifier key is not UTF-8".into(),
            });
        }
        Some(Ok(text)) => Some(text),
        None => None,
    };
    opened.checkpoint = checkpoint.map(|message| message.bytes.clone());
    opened.signed_range = checkpoint.and_then(checkpoint_message::range);
    opened.head = tail.head;
    opened.recovery = (!tail.closed).then(|| Recovery::adopted(signed, tail.head.size - signed));
    Ok(opened)
}

fn refuse_unsafe(link: &Link, info: &StreamInfo) -> Result<(), BackendError> {
    let unmet = requirements::unmet(info, &link.target);
    if !unmet.is_empty() {
        let unmet: Vec<String> = unmet.iter().map(|it| format!("`{}`: {}", it.setting, it.detail)).collect();
        return Err(BackendError::Misconfigured { detail: format!("{}: {}", link.target.place(), unmet.join("; ")) });
    }
    if link.target.sync_always && !link.connection.is_server_at_least(2, 10) {
        return Err(BackendError::Misconfigured {
            detail: format!(
                "`sync_always` says that the servers sync before they acknowledge, but version {} cannot: \
                 `sync_interval: always` exists from 2.10 on",
                link.connection.server_version()
            ),
        });
    }
    Ok(())
}

/// A stream from which something has gone is evidence, and no place to go on.
fn refuse_incomplete(link: &Link, info: &StreamInfo) -> Result<(), BackendError> {
    let front = info.missing_at_front();
    let lost = info.lost();
    let what = match (front, info.missing_inside(), lost) {
        (0, 0, 0) => return Ok(()),
        (0, 0, lost) => format!("the server lost {lost} of its messages"),
        (0, deleted, _) => format!("{deleted} of its messages were deleted"),
        (front, ..) => {
            format!("its first {front} messages are gone: it starts at number {} (`first_seq`)", info.state.first_seq)
        }
    };
    Err(BackendError::Tampered {
        seq: None,
        detail: format!("{}: {what}; keep it as evidence and start a new log in a new stream", link.target.place()),
    })
}
