use std::sync::Arc;
use std::time::Instant;

use audit_core::evidence::CompactRange;
use audit_core::verify::{Finding, LineSource, LogReader, ReadError};

use crate::api::{Deleted, Stored, Which};
use crate::checkpoint_message;
use crate::line_source::MessageLines;
use crate::lines_message;
use crate::link::Link;
use crate::locate;
use crate::stream_findings;
use crate::subjects::{Subjects, below};
use crate::target::Target;
use crate::trouble::Trouble;

/// How many older checkpoints are read: enough to say between which two of them something was changed.
/// The newest signs all lines, whatever the others say.
const KEPT: u64 = 64;

/// How many messages behind garbage are looked at for the last line.
const BACK: u64 = 1_000;

/// Reads the log in a stream: with the rights of a reader, beside a writer, changing nothing.
///
/// Blocks as long as the server takes, each question at most for `read_timeout`, 30 s by default; one
/// that is not answered is asked again within that time. Every message comes from the stream's leader.
/// Not to be used from asynchronous code: there, every call is an error.
#[derive(Debug)]
pub struct NatsReader {
    link: Arc<Link>,
    subjects: Subjects,
}

impl NatsReader {
    /// A reader of the log at `url`, with the same options as a writer. Connects.
    ///
    /// # Errors
    ///
    /// [`ReadError::NotALog`] when the URL or an option is wrong, the stream is not there, or holds
    /// nothing of this log; [`ReadError::Unavailable`] when no server can be reached.
    pub fn from_url(url: &str, options: &[(String, String)]) -> Result<Self, ReadError> {
        let target = Target::of_log(url, options).map_err(|error| ReadError::NotALog { detail: error.to_string() })?;
        let reader = Self { link: connect(&target)?, subjects: target.subjects() };
        let filter = format!("{}.*", below(&target.subject_prefix, &target.log));
        let link = Arc::clone(&reader.link);
        let info = reader.ask("opening the log", async {
            link.stream_info(Deleted::Counted, Some(&filter), reader.deadline()).await
        })?;
        let holds = |subject: &str| info.as_ref().is_some_and(|info| info.state.subjects.contains_key(subject));
        if info.is_none() {
            return Err(ReadError::NotALog { detail: format!("{}: there is no such stream", target.place()) });
        }
        if !reader.subjects.all().iter().any(|subject| holds(subject)) {
            return Err(ReadError::NotALog {
                detail: format!("{}: it holds nothing of a log {}", target.place(), target.log),
            });
        }
        Ok(reader)
    }

    fn deadline(&self) -> Instant {
        Instant::now() + self.link.target.read_timeout
    }

    fn ask<T>(&self, doing: &str, asked: impl Future<Output = Result<T, Trouble>>) -> Result<T, ReadError> {
        let ran = self.link.runtime.block_on(asked);
        ran.map_err(|error| ReadError::unavailable(doing, error))?.map_err(|trouble| trouble.verifying(doing))
    }

    fn message(&self, which: Which<'_>) -> Result<Option<Stored>, ReadError> {
        self.ask("reading from the stream", self.link.message(which, self.deadline()))
    }
}

/// Connects as a reader.
pub(crate) fn connect(target: &Target) -> Result<Arc<Link>, ReadError> {
    let deadline = Instant::now() + target.read_timeout;
    match Link::open(target, "reader", deadline) {
        Ok(link) => Ok(Arc::new(link)),
        Err(trouble) => Err(trouble.verifying("connecting")),
    }
}

impl LogReader for NatsReader {
    fn verifier_key(&self) -> Result<Option<Vec<u8>>, ReadError> {
        Ok(self.message(Which::From(1, &self.subjects.key))?.map(|message| message.bytes))
    }

    fn checkpoint(&self) -> Result<Option<Vec<u8>>, ReadError> {
        Ok(self.message(Which::Last(&self.subjects.checkpoints))?.map(|message| message.bytes))
    }

    /// The newest checkpoints of up to 64 stretches of the stream, evenly spread.
    fn kept_checkpoints(&self) -> Result<Vec<(String, Vec<u8>)>, ReadError> {
        let subject = &self.subjects.checkpoints;
        let Some(last) = self.message(Which::Last(subject))? else {
            return Ok(Vec::new());
        };
        let mut kept: Vec<(String, Vec<u8>)> = Vec::new();
        let stretch = last.number.div_ceil(KEPT);
        let mut next = 1;
        while next < last.number {
            let Some(message) = self.message(Which::From(next, subject))? else { break };
            if message.number >= last.number {
                break;
            }
            next = message.number + stretch;
            kept.push((format!("{subject}/{}", message.number), message.bytes));
        }
        Ok(kept)
    }

    fn lines(&self, from: u64) -> Result<Box<dyn LineSource>, ReadError> {
        let subject = &self.subjects.lines;
        if from == 0 {
            return Ok(Box::new(MessageLines::from_number(Arc::clone(&self.link), 1, 0)));
        }
        let number = self.message(Which::Last(subject))?.map_or(1, |last| last.number);
        let start = locate::message_of(&self.link, subject, from, number, self.deadline());
        let start = self.ask("searching the stream", start)?.map_or(1, |message| message.number);
        Ok(Box::new(MessageLines::from_number(Arc::clone(&self.link), start, from)))
    }

    fn size(&self) -> Result<u64, ReadError> {
        let subject = &self.subjects.lines;
        let Some(last) = self.message(Which::Last(subject))? else {
            return Ok(0);
        };
        if let Some(head) = lines_message::head(&last) {
            return Ok(head.size);
        }
        for back in 1..BACK.min(last.number) {
            if let Some(message) = self.message(Which::From(last.number - back, subject))?
                && let Some(head) = lines_message::head(&message)
            {
                return Ok(head.size);
            }
        }
        Ok(0)
    }

    fn compact_range(&self, size: u64) -> Result<Option<CompactRange>, ReadError> {
        let newest = self.message(Which::Last(&self.subjects.checkpoints))?;
        Ok(newest.as_ref().and_then(checkpoint_message::range).filter(|range| range.size() == size))
    }

    fn inspect(&self) -> Result<Vec<Finding>, ReadError> {
        let doing = "inspecting the stream";
        let link = &self.link;
        let findings = stream_findings::inspect(link, &self.subjects, self.deadline());
        let ran = link.runtime.block_on(findings);
        ran.map_err(|error| ReadError::unavailable(doing, error))?.map_err(|trouble| trouble.verifying(doing))
    }

    /// All bytes of the stream, shared out by the number of messages.
    fn size_hint(&self) -> Option<u64> {
        let info = self.ask(
            "asking for the size",
            self.link.stream_info(Deleted::Counted, Some(&self.subjects.lines), self.deadline()),
        );
        let info = info.ok()??;
        let lines = info.state.subjects.values().sum::<u64>();
        let share = u128::from(info.state.bytes) * u128::from(lines) / u128::from(info.state.messages.max(1));
        u64::try_from(share).ok()
    }
}
