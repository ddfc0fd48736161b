use std::sync::Arc;
use std::time::{Duration, Instant};

use audit_core::backend::{BackendError, Batch, Durability, Head, contract};
use audit_core::evidence::Hash;
use bytes::Bytes;
use tokio::time::sleep;

use crate::api::Which;
use crate::facts::Facts;
use crate::lines::Lines;
use crate::lines_message;
use crate::link::Link;
use crate::message_size::HEADER_ROOM;
use crate::publish::{Message, Published};
use crate::trouble::{Trouble, in_doubt};

/// The pause before a message is sent again whose fate could not be told.
const PAUSE: Duration = Duration::from_millis(50);

/// For how long a stream with replicas may show fewer lines than were acknowledged before it is called
/// tampered with: a leader that has just been replaced may not know it yet.
const STALE: Duration = Duration::from_secs(15);

const APPENDING: &str = "appending to the stream";

/// Appends batches, and knows the end of the log.
#[derive(Debug)]
pub(crate) struct Appender {
    link: Arc<Link>,
    facts: Arc<Facts>,
    subject: String,
    lines: Lines,
    head: Head,
    /// The number of the last message of lines; 0 if there is none.
    last: u64,
    message_bytes: usize,
    /// Whether a message was sent that may still arrive.
    in_doubt: bool,
    /// Since when the leader shows fewer lines than were acknowledged.
    shrunk: Option<Instant>,
}

impl Appender {
    pub(crate) fn new(link: Arc<Link>, facts: Arc<Facts>, head: Head, last: u64, message_bytes: usize) -> Self {
        let subject = link.target.subjects().lines;
        let lines = Lines::new(Arc::clone(&link));
        Self { link, facts, subject, lines, head, last, message_bytes, in_doubt: false, shrunk: None }
    }

    pub(crate) const fn lines(&mut self) -> &mut Lines {
        &mut self.lines
    }

    /// The end of the log, from the leader.
    pub(crate) async fn head(&mut self, deadline: Instant) -> Result<Head, BackendError> {
        self.refresh(deadline).await?;
        Ok(self.head)
    }

    /// Appends what is not there yet of `batch`, one message after the other, each behind the one before.
    pub(crate) async fn append(
        &mut self,
        expected: Head,
        batch: &Batch<'_>,
        deadline: Instant,
    ) -> Result<Durability, BackendError> {
        let began_in_doubt = self.in_doubt;
        let here = self.already_here(expected, batch, deadline).await;
        let mut here = here.map_err(|error| if began_in_doubt { in_doubt(error) } else { error })?;
        let start = here;
        while here < batch.ends.len() {
            let count = fitting(batch, here, self.room());
            match self.publish(batch, here, count, deadline).await {
                Ok(Published::Stored(number)) => {
                    here += count;
                    self.landed(batch, here, number);
                }
                Ok(Published::Compare) => {
                    self.refresh(deadline).await.map_err(in_doubt)?;
                    let found = self.already_here(expected, batch, deadline).await.map_err(in_doubt)?;
                    if found == here {
                        // The leader had not seen what another one refused.
                        self.wait(deadline).await?;
                    }
                    here = found;
                }
                Ok(Published::Full(_)) if self.in_doubt || here > start => {
                    return Err(in_doubt(Trouble::Later("the stream is full".into()).writing(APPENDING)));
                }
                Ok(Published::Full(said)) => {
                    return Err(BackendError::Full { detail: format!("{}: {said}", self.link.target.place()) });
                }
                Err(trouble @ (Trouble::Lost(_) | Trouble::Deaf(_))) => {
                    self.in_doubt = true;
                    self.wait(deadline).await.map_err(|_| trouble.writing(APPENDING))?;
                    self.refresh(deadline).await.map_err(in_doubt)?;
                    here = self.already_here(expected, batch, deadline).await.map_err(in_doubt)?;
                }
                Err(trouble) if self.in_doubt || began_in_doubt || here > start => {
                    return Err(in_doubt(trouble.writing(APPENDING)));
                }
                Err(trouble) => return Err(trouble.writing(APPENDING)),
            }
        }
        // The last message is in the stream, so nothing that was sent before can land any more.
        self.in_doubt = false;
        Ok(self.facts.durability())
    }

    /// The most bytes of lines in one message now: the server that is connected may take less than the one
    /// before.
    fn room(&self) -> usize {
        self.message_bytes.min(self.link.connection.max_payload().saturating_sub(HEADER_ROOM))
    }

    async fn publish(
        &self,
        batch: &Batch<'_>,
        from: usize,
        count: usize,
        deadline: Instant,
    ) -> Result<Published, Trouble> {
        let start = contract::start_of(batch, from);
        let end = contract::start_of(batch, from + count);
        let lines = batch.bytes.get(start..end).unwrap_or_default();
        let leaf = batch.leaves.get(from + count - 1).copied().unwrap_or(Hash::ZERO);
        let message = Message {
            subject: &self.subject,
            bytes: Bytes::copy_from_slice(lines),
            expected_last: self.last,
            // The last leaf hash is taken over the hash of the line before, and so on back to the
            // first: with the first number it is the SHA-256 digest of exactly these lines. The
            // server looks for it among all messages of the stream, so the log has to be in it.
            id: Some(format!("{}-{}-{}", self.link.target.log, batch.first + from as u64, leaf.to_hex())),
            headers: Vec::new(),
        };
        let patience = deadline.min(Instant::now() + self.link.target.ack_timeout);
        self.link.publish(&message, patience).await
    }

    /// The first `count` lines of the batch are in the stream now.
    fn landed(&mut self, batch: &Batch<'_>, count: usize, number: u64) {
        if let Some(leaf) = count.checked_sub(1).and_then(|at| batch.leaves.get(at)) {
            self.head = Head { size: batch.first + count as u64, leaf: *leaf };
        }
        self.last = number;
        self.shrunk = None;
        self.facts.set_size(self.head.size);
    }

    /// How many lines of the batch are in the log, compared byte by byte with what the leader has.
    async fn already_here(
        &mut self,
        expected: Head,
        batch: &Batch<'_>,
        deadline: Instant,
    ) -> Result<usize, BackendError> {
        contract::check_batch(expected, batch)?;
        if expected == self.head {
            return Ok(0);
        }
        // The lines that may be compared, read beforehand: comparing them does not wait.
        let end = self.head.size.min(batch.first + batch.ends.len() as u64);
        let mut there = Vec::new();
        let mut next = batch.first;
        while next < end {
            let lines = self.lines.read(next..end, deadline).await.map_err(|trouble| trouble.reading(APPENDING))?;
            if lines.is_empty() {
                break;
            }
            next += contract::lines_in(&lines) as u64;
            there.push((next - contract::lines_in(&lines) as u64, lines));
        }
        contract::already_here(self.head, expected, batch, |range| {
            Ok(there
                .iter()
                .find(|(first, _)| *first == range.start)
                .map(|(_, lines)| lines.as_slice())
                .unwrap_or_default())
        })
    }

    /// Asks the leader for the end of the log.
    async fn refresh(&mut self, deadline: Instant) -> Result<(), BackendError> {
        const READING: &str = "reading the end of the log";
        let last = self.link.message(Which::Last(&self.subject), deadline).await;
        let last = last.map_err(|trouble| trouble.reading(READING))?;
        let (head, number) = match &last {
            None => (Head::EMPTY, 0),
            Some(message) => match lines_message::head(message) {
                Some(head) => (head, message.number),
                None => {
                    return Err(BackendError::Conflict {
                        found: None,
                        detail: format!("message {} on {} does not end with a line", message.number, self.subject),
                    });
                }
            },
        };
        if head.size < self.facts.size() {
            return Err(self.shrunk(head));
        }
        (self.head, self.last, self.shrunk) = (head, number, None);
        self.facts.set_size(head.size);
        Ok(())
    }

    /// Fewer lines than were acknowledged: a leader that is none any more, or tampering.
    fn shrunk(&mut self, head: Head) -> BackendError {
        let detail = format!(
            "{} shows {} lines of log {}, but {} were acknowledged: messages expired, or the stream was deleted and \
             made anew",
            self.link.target.place(),
            head.size,
            self.link.target.log,
            self.facts.size()
        );
        let since = *self.shrunk.get_or_insert_with(Instant::now);
        if self.facts.replicas() < 2 || since.elapsed() > STALE {
            return BackendError::Tampered { seq: Some(head.size), detail };
        }
        BackendError::Unknown { doing: "reading the end of the log", source: Box::new(Trouble::Later(detail)) }
    }

    async fn wait(&self, deadline: Instant) -> Result<(), BackendError> {
        if Instant::now() + PAUSE >= deadline {
            return Err(
                Trouble::Lost("nobody could tell in time whether the lines are there".into()).writing(APPENDING)
            );
        }
        sleep(PAUSE).await;
        Ok(())
    }
}

/// How many lines from `from` on go into one message: at least one.
fn fitting(batch: &Batch<'_>, from: usize, bytes: usize) -> usize {
    let start = contract::start_of(batch, from);
    let ends = batch.ends.get(from..).unwrap_or_default();
    ends.partition_point(|end| end - start <= bytes).max(1)
}
