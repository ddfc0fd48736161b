use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use audit_core::verify::{LineSource, Piece, ReadError};
use tokio::task::JoinHandle;

use crate::api::Stored;
use crate::lines_message::cut;
use crate::link::Link;
use crate::trouble::Trouble;
use crate::walk::Walk;

/// What a round of a walk brings, and the walk back.
type Round = (Walk, Result<Vec<Stored>, Trouble>);

/// The bytes of all messages of lines, one after the other. While one round of messages is read by whoever
/// reads, the next is on its way: memory for two.
#[derive(Debug)]
pub(crate) struct MessageLines {
    link: Arc<Link>,
    walk: Option<Walk>,
    coming: Option<JoinHandle<Round>>,
    held: VecDeque<Stored>,
    /// How much of the first message has been read.
    offset: usize,
    /// The line to start with, until it has been found.
    from: Option<u64>,
}

impl MessageLines {
    /// The messages from `number` of the stream on; of the first, the lines from `from` on.
    pub(crate) fn from_number(link: Arc<Link>, number: u64, from: u64) -> Self {
        let walk = Walk::new(link.target.subjects().lines, number);
        let from = (from > 0).then_some(from);
        Self { link, walk: Some(walk), coming: None, held: VecDeque::new(), offset: 0, from }
    }

    fn send_for_more(&mut self) -> Result<(), ReadError> {
        let Some(mut walk) = self.walk.take() else {
            return Ok(());
        };
        let link = Arc::clone(&self.link);
        let deadline = Instant::now() + link.target.read_timeout;
        let coming = self.link.runtime.spawn(async move {
            let found = walk.round(&link, deadline).await;
            (walk, found)
        });
        self.coming = Some(coming.map_err(|error| ReadError::unavailable(READING, error))?);
        Ok(())
    }

    /// Waits for the next messages; false when there are no more.
    fn fill(&mut self) -> Result<bool, ReadError> {
        self.send_for_more()?;
        let Some(coming) = self.coming.take() else {
            return Ok(false);
        };
        let failed = |error: Box<dyn std::error::Error + Send + Sync>| ReadError::unavailable(READING, error);
        let joined = self.link.runtime.block_on(coming).map_err(|error| failed(error.into()))?;
        let (walk, found) = joined.map_err(|error| failed(error.into()))?;
        self.walk = Some(walk);
        let found = found.map_err(|trouble| trouble.verifying(READING))?;
        if found.is_empty() {
            return Ok(false);
        }
        self.held.extend(found);
        self.send_for_more()?;
        Ok(true)
    }
}

impl Drop for MessageLines {
    fn drop(&mut self) {
        if let Some(coming) = &self.coming {
            coming.abort();
        }
    }
}

impl LineSource for MessageLines {
    fn read(&mut self, buffer: &mut [u8]) -> Result<Piece, ReadError> {
        loop {
            let Some(message) = self.held.front() else {
                if self.fill()? {
                    continue;
                }
                return Ok(Piece::End);
            };
            if let Some(from) = self.from.take() {
                self.offset = message.bytes.len() - cut(message, from, u64::MAX).len();
            }
            let rest = message.bytes.get(self.offset..).unwrap_or_default();
            if rest.is_empty() {
                // A line that a message does not end is not continued by the next.
                let torn = message.bytes.last().is_some_and(|byte| *byte != b'\n');
                self.held.pop_front();
                self.offset = 0;
                if torn {
                    return Ok(Piece::PartEnd);
                }
                continue;
            }
            let count = rest.len().min(buffer.len());
            if let (Some(to), Some(bytes)) = (buffer.get_mut(..count), rest.get(..count)) {
                to.copy_from_slice(bytes);
            }
            self.offset += count;
            return Ok(Piece::Bytes(count));
        }
    }
}

const READING: &str = "reading lines from the stream";
