use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

use crate::api::{Stored, Which};
use crate::lines_message::{cut, first, head};
use crate::link::Link;
use crate::locate;
use crate::trouble::Trouble;
use crate::walk::Walk;

/// The most that one read returns, unless a single message has more.
const READ: usize = 1 << 20;

/// Reads ranges of lines. Ranges that follow each other cost no search.
#[derive(Debug)]
pub(crate) struct Lines {
    link: Arc<Link>,
    subject: String,
    /// Where the walk is that brought what is held.
    walk: Option<Walk>,
    /// Messages in a row, the next to be read first; a bounded number, see [`Walk`].
    held: VecDeque<Stored>,
    /// The line behind those that have been walked through.
    behind: u64,
}

impl Lines {
    pub(crate) fn new(link: Arc<Link>) -> Self {
        let subject = link.target.subjects().lines;
        Self { link, subject, walk: None, held: VecDeque::new(), behind: 0 }
    }

    /// Whole lines from `range.start` on, as many as are convenient; empty if there are none.
    ///
    /// # Errors
    ///
    /// When the server does not answer.
    pub(crate) async fn read(&mut self, range: Range<u64>, deadline: Instant) -> Result<Vec<u8>, Trouble> {
        let mut out = Vec::new();
        let mut next = range.start;
        while next < range.end && out.len() < READ {
            if !self.holds(next, deadline).await? {
                break;
            }
            let Some(message) = self.held.front() else { break };
            let lines = cut(message, next, range.end);
            if lines.is_empty() {
                break;
            }
            next += memchr::memchr_iter(b'\n', lines).count() as u64;
            out.extend_from_slice(lines);
        }
        Ok(out)
    }

    /// Brings the message with line `line` to the front; false if there is none.
    async fn holds(&mut self, line: u64, deadline: Instant) -> Result<bool, Trouble> {
        loop {
            while let Some(message) = self.held.front() {
                let Some(end) = head(message).map(|head| head.size) else {
                    return Ok(false);
                };
                if first(message).is_some_and(|first| first <= line) && line < end {
                    return Ok(true);
                }
                self.held.pop_front();
            }
            if line != self.behind || self.walk.is_none() {
                return self.search(line, deadline).await;
            }
            if !self.walk_on(deadline).await? {
                return Ok(false);
            }
        }
    }

    async fn walk_on(&mut self, deadline: Instant) -> Result<bool, Trouble> {
        let Some(walk) = &mut self.walk else {
            return Ok(false);
        };
        let found = walk.round(&self.link, deadline).await?;
        let Some(end) = found.last().and_then(head) else {
            return Ok(false);
        };
        self.behind = end.size;
        self.held.extend(found);
        Ok(true)
    }

    async fn search(&mut self, line: u64, deadline: Instant) -> Result<bool, Trouble> {
        self.walk = None;
        self.held.clear();
        let Some(last) = self.link.message(Which::Last(&self.subject), deadline).await? else {
            return Ok(false);
        };
        let number = last.number;
        let found = if first(&last).is_some_and(|first| first <= line) {
            Some(last)
        } else {
            locate::message_of(&self.link, &self.subject, line, number.saturating_sub(1), deadline).await?
        };
        let Some((message, end)) = found.and_then(|message| head(&message).map(|head| (message, head.size))) else {
            return Ok(false);
        };
        self.walk = Some(Walk::new(self.subject.clone(), message.number + 1));
        self.behind = end;
        self.held.push_back(message);
        Ok(line < end)
    }
}
