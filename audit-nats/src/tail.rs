//! What stands behind the newest checkpoint, and whether it continues what was signed.

use std::sync::Arc;
use std::time::Instant;

use audit_core::backend::{BackendError, Head, contract};
use audit_core::evidence::Hash;
use audit_core::record::Frame;
use audit_core::record::line::leaf;

use crate::api::Stored;
use crate::link::Link;
use crate::locate;
use crate::trouble::Trouble;
use crate::walk::Walk;

/// The end of the log, as `check` found it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tail {
    pub(crate) head: Head,
    /// Whether the last line says that the log was closed.
    pub(crate) closed: bool,
}

/// Follows the lines from the last signed one on: each has to be ended, and to carry the hash of the one
/// before. `last` is the last message of lines.
///
/// Costs as much as there is behind the newest checkpoint.
///
/// # Errors
///
/// [`BackendError::Tampered`] when they do not chain, or are fewer than `signed`.
pub(crate) async fn check(
    link: &Arc<Link>,
    signed: u64,
    last: Option<&Stored>,
    deadline: Instant,
) -> Result<Tail, BackendError> {
    let Some(last) = last else {
        return if signed == 0 { Ok(Tail { head: Head::EMPTY, closed: true }) } else { Err(fewer(signed, 0)) };
    };
    let subject = link.target.subjects().lines;
    let from = signed.saturating_sub(1);
    let start = locate::message_of(link, &subject, from, last.number, deadline).await.map_err(reading)?;
    let start = start.ok_or_else(|| BackendError::Tampered {
        seq: Some(from),
        detail: format!("no message on {subject} holds line {from}"),
    })?;
    let mut chain = Chain { from, head: None, closed: false };
    let mut walk = Walk::new(subject, start.number + 1);
    chain.follow(&start)?;
    let mut reached = start.number;
    while reached < last.number {
        let found = walk.round(link, deadline).await.map_err(reading)?;
        let Some(newest) = found.last() else { break };
        reached = newest.number;
        for message in &found {
            chain.follow(message)?;
        }
    }
    let head = chain.head.unwrap_or(Head::EMPTY);
    if head.size < signed { Err(fewer(signed, head.size)) } else { Ok(Tail { head, closed: chain.closed }) }
}

/// Lines that follow each other.
struct Chain {
    /// The first line that matters; those before it are passed over.
    from: u64,
    head: Option<Head>,
    closed: bool,
}

impl Chain {
    fn follow(&mut self, message: &Stored) -> Result<(), BackendError> {
        let lines =
            message.bytes.strip_suffix(b"\n").ok_or_else(|| self.broken(message, "does not end with a line"))?;
        for line in lines.split(|byte| *byte == b'\n') {
            let frame = Frame::parse(line).map_err(|error| self.broken(message, &error.to_string()))?;
            match self.head {
                None if frame.seq < self.from => continue,
                None if frame.seq == self.from && (frame.seq > 0 || frame.prev == Hash::ZERO) => {}
                Some(head) if frame.seq == head.size && frame.prev == head.leaf => {}
                _ => return Err(self.broken(message, "does not continue the line before")),
            }
            self.head = Some(Head { size: frame.seq + 1, leaf: leaf(line) });
            self.closed = contract::is_log_closed(line);
        }
        Ok(())
    }

    fn broken(&self, message: &Stored, why: &str) -> BackendError {
        BackendError::Tampered {
            seq: Some(self.head.map_or(self.from, |head| head.size)),
            detail: format!("message {} of the stream {why}; keep the stream as evidence", message.number),
        }
    }
}

fn fewer(signed: u64, size: u64) -> BackendError {
    BackendError::Tampered {
        seq: Some(size),
        detail: format!("the newest checkpoint signs {signed} lines, the stream holds {size}"),
    }
}

fn reading(trouble: Trouble) -> BackendError {
    trouble.reading("reading the end of the log")
}
