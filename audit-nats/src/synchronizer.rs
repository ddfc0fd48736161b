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

const PUBLISHING: &str = "publishing a checkpoint";

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
        let link = Arc::clone(&self.link);
        link.block_on(self.publish_note(note, range, deadline))
    }

    fn inspect(&mut self, deadline: Instant) -> Result<Vec<Concern>, BackendError> {
        contract::in_time(deadline, "inspecting the stream")?;
        self.link.block_on(inspection::concerns(&self.link, &self.facts, &self.opened, deadline))
    }
}

impl NatsSynchronizer {
    async fn publish_note(&mut self, note: &[u8], range: &CompactRange, deadline: Instant) -> Result<(), BackendError> {
        let subject = self.link.target.subjects().checkpoints;
        let message = Message {
            subject: &subject,
            bytes: Bytes::copy_from_slice(note),
            expected_last: self.last,
            id: None,
            headers: vec![(RANGE_HEADER, range_text(range))],
        };
        let number = match self.link.publish(&message, deadline).await {
            Ok(Published::Stored(number)) => number,
            Ok(Published::Full(said)) => {
                return Err(BackendError::Full { detail: format!("{}: {said}", self.link.target.place()) });
            }
            // An answer that was lost before, or another writer.
            Ok(Published::Compare) => {
                let found = self.link.message(Which::Last(&subject), deadline).await;
                match found.map_err(|trouble| trouble.reading(PUBLISHING))? {
                    Some(found) if found.bytes == note => found.number,
                    _ => {
                        return Err(BackendError::Conflict {
                            found: None,
                            detail: format!("another checkpoint is the last on {subject}"),
                        });
                    }
                }
            }
            Err(trouble) => return Err(trouble.writing(PUBLISHING)),
        };
        (self.last, self.published) = (number, Some(range.size()));
        Ok(())
    }
}
