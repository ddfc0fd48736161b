use std::sync::Arc;
use std::time::Instant;

use audit_core::backend::{BackendError, Concern, Durability, Synchronizer, contract};
use audit_core::evidence::CompactRange;
use bytes::Bytes;

use crate::api::Which;
use crate::checkpoint_message::{RANGE_HEADER, range_text};
use crate::facts::Facts;
use crate::inspection;
use crate::link::Link;
use crate::publish::{Message, Published};
use crate::stream_info::StreamInfo;
use crate::trouble::in_doubt;

const PUBLISHING: &str = "publishing a checkpoint";

/// A checkpoint as it is published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Checkpoint {
    note: Bytes,
    range: String,
    size: u64,
}

/// The half that publishes checkpoints and looks after the stream.
#[derive(Debug)]
pub(crate) struct NatsSynchronizer {
    pub(crate) link: Arc<Link>,
    pub(crate) facts: Arc<Facts>,
    /// The stream as it was when the log was opened.
    pub(crate) opened: StreamInfo,
    /// The number of the newest checkpoint's message; 0 if there is none.
    pub(crate) last: u64,
    /// The size of the newest checkpoint.
    pub(crate) published: Option<u64>,
    /// A checkpoint that was sent and may still arrive.
    pub(crate) in_doubt: Option<Checkpoint>,
}

impl Synchronizer for NatsSynchronizer {
    /// An acknowledged message is as durable as the stream makes it: there is nothing to ask for.
    fn sync(&mut self, deadline: Instant) -> Result<Durability, BackendError> {
        contract::in_time(deadline, "syncing the stream")?;
        Ok(self.facts.durability())
    }

    fn publish(&mut self, note: &[u8], range: &CompactRange, deadline: Instant) -> Result<(), BackendError> {
        contract::in_time(deadline, PUBLISHING)?;
        contract::check_published(self.published, range.size(), self.facts.size())?;
        let note = Bytes::copy_from_slice(note);
        let checkpoint = Checkpoint { note, range: range_text(range), size: range.size() };
        let link = Arc::clone(&self.link);
        link.block_on(self.publish_checkpoint(checkpoint, deadline))
    }

    fn inspect(&mut self, deadline: Instant) -> Result<Vec<Concern>, BackendError> {
        contract::in_time(deadline, "inspecting the stream")?;
        self.link.block_on(inspection::concerns(&self.link, &self.facts, &self.opened, deadline))
    }
}

impl NatsSynchronizer {
    /// Publishes `checkpoint`, and before it the one that may be on its way: each message names the number
    /// of the one before.
    async fn publish_checkpoint(&mut self, checkpoint: Checkpoint, deadline: Instant) -> Result<(), BackendError> {
        if let Some(earlier) = self.in_doubt.clone().filter(|earlier| *earlier != checkpoint) {
            self.settle(earlier, deadline).await?;
        }
        self.settle(checkpoint, deadline).await
    }

    /// Publishes one checkpoint, and remembers it while nobody knows whether it has arrived.
    async fn settle(&mut self, checkpoint: Checkpoint, deadline: Instant) -> Result<(), BackendError> {
        let began_in_doubt = self.in_doubt.is_some();
        match self.number_of(&checkpoint, deadline).await {
            Ok(number) => {
                (self.last, self.published, self.in_doubt) = (number, Some(checkpoint.size), None);
                Ok(())
            }
            Err(error) => {
                // Another attempt that surely failed says nothing about the one before.
                let error = if began_in_doubt { in_doubt(error) } else { error };
                if matches!(error, BackendError::Unknown { .. }) {
                    self.in_doubt = Some(checkpoint);
                }
                Err(error)
            }
        }
    }

    /// The number that the checkpoint has in the stream, once it is there.
    async fn number_of(&self, checkpoint: &Checkpoint, deadline: Instant) -> Result<u64, BackendError> {
        let subject = self.link.target.subjects().checkpoints;
        let message = Message {
            subject: &subject,
            bytes: checkpoint.note.clone(),
            expected_last: self.last,
            id: None,
            headers: vec![(RANGE_HEADER, checkpoint.range.clone())],
        };
        match self.link.publish(&message, deadline).await {
            Ok(Published::Stored(number)) => Ok(number),
            Ok(Published::Full(said)) => {
                Err(BackendError::Full { detail: format!("{}: {said}", self.link.target.place()) })
            }
            // An answer that was lost before, or another writer.
            Ok(Published::Compare) => {
                let found = self.link.message(Which::Last(&subject), deadline).await;
                match found.map_err(|trouble| in_doubt(trouble.reading(PUBLISHING)))? {
                    Some(found) if found.bytes == checkpoint.note => Ok(found.number),
                    _ => Err(BackendError::Conflict {
                        found: None,
                        detail: format!("another checkpoint is the last on {subject}"),
                    }),
                }
            }
            Err(trouble) => Err(trouble.writing(PUBLISHING)),
        }
    }
}
