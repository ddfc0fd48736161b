//! Reading lines of an open log by their numbers: for the log itself and for its replicas.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use audit_core::backend::{BackendError, Reader, contract};

use super::fault::Fault;
use super::objects::Objects;
use super::shared::Shared;

const READING: &str = "reading the log";

/// A place in the log, and the object there.
#[derive(Debug)]
pub(crate) struct LineReader {
    shared: Arc<Shared>,
    objects: Option<Objects>,
    held: Option<Held>,
}

/// Lines that have been fetched.
#[derive(Debug)]
struct Held {
    range: Range<u64>,
    bytes: Vec<u8>,
}

impl LineReader {
    pub(crate) const fn new(shared: Arc<Shared>) -> Self {
        Self { shared, objects: None, held: None }
    }

    /// As [`Reader::read`].
    pub(crate) fn lines(&mut self, range: Range<u64>, deadline: Instant) -> Result<Vec<u8>, BackendError> {
        contract::in_time(deadline, READING)?;
        let end = range.end.min(self.shared.size.load(Ordering::Acquire));
        if range.start >= end {
            return Ok(Vec::new());
        }
        let shared = Arc::clone(&self.shared);
        if !self.holds(range.start) {
            shared.run(READING, self.fetch(range.start, deadline))?.map_err(|fault| fault.reading(READING))?;
        }
        match &self.held {
            Some(held) if held.range.contains(&range.start) => Ok(held.cut(range.start..end)),
            _ => Err(BackendError::Tampered {
                seq: Some(range.start),
                detail: format!("the object with this line is not in {} any more", shared.store.layout.url),
            }),
        }
    }

    fn holds(&self, seq: u64) -> bool {
        self.held.as_ref().is_some_and(|held| held.range.contains(&seq))
    }

    /// Fetches the object with line `seq`, if it is there.
    async fn fetch(&mut self, seq: u64, deadline: Instant) -> Result<(), Fault> {
        let goes_on = self.held.as_ref().is_some_and(|held| held.range.end == seq);
        if goes_on && self.step(deadline).await? && self.holds(seq) {
            return Ok(());
        }
        let store = &self.shared.store;
        let found = store.holding(seq, deadline).await?;
        self.held = None;
        self.objects = found.map(|found| Objects::from(store, Some(found)));
        self.step(deadline).await.map(drop)
    }

    /// Fetches the next object; false when there is none.
    async fn step(&mut self, deadline: Instant) -> Result<bool, Fault> {
        let Some(objects) = &mut self.objects else {
            return Ok(false);
        };
        let Some(lines) = objects.next(deadline).await? else {
            self.objects = None;
            return Ok(false);
        };
        let bytes = lines.object.bytes;
        let count = contract::lines_in(&bytes) as u64;
        self.held = Some(Held { range: lines.first..lines.first.saturating_add(count), bytes });
        Ok(true)
    }
}

impl Held {
    /// The lines of `range`, as far as they are here.
    fn cut(&self, range: Range<u64>) -> Vec<u8> {
        let skip = usize::try_from(range.start - self.range.start).unwrap_or(usize::MAX);
        let take = usize::try_from(range.end - range.start).unwrap_or(usize::MAX);
        self.bytes.split_inclusive(|byte| *byte == b'\n').skip(skip).take(take).flatten().copied().collect()
    }
}

impl Reader for LineReader {
    fn read(&mut self, range: Range<u64>, deadline: Instant) -> Result<Vec<u8>, BackendError> {
        self.lines(range, deadline)
    }
}
