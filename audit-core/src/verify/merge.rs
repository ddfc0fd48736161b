use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::{Lines, ReadError};
use crate::record::Record;

/// The lines of many logs as one sequence, by time.
///
/// The lines of one log stay in their order, so that the whole is as sorted as each log is. Something
/// that is no record comes as soon as it is next in its log. Keeps one line and one block of each log
/// in memory.
#[derive(Debug)]
pub struct Merge {
    logs: Vec<Lines>,
    /// The next line of each log.
    heads: Vec<Vec<u8>>,
    /// Which logs have a next line, and its time in microseconds since 1970.
    order: BinaryHeap<Reverse<(i64, usize)>>,
    /// The line that was given out last.
    given: Vec<u8>,
}

impl Merge {
    /// Starts with the next line of each log. Blocks as long as the stores do.
    ///
    /// # Errors
    ///
    /// When a store fails.
    pub fn new(logs: Vec<Lines>) -> Result<Self, ReadError> {
        let heads = vec![Vec::new(); logs.len()];
        let mut merge = Self { order: BinaryHeap::with_capacity(logs.len()), logs, heads, given: Vec::new() };
        for at in 0..merge.logs.len() {
            merge.fill(at)?;
        }
        Ok(merge)
    }

    /// The next line without its line feed, and which log it is of, by its place in the list that was
    /// given. `None` at the end of all of them.
    ///
    /// # Errors
    ///
    /// When a store fails.
    pub fn next_line(&mut self) -> Result<Option<(usize, &[u8])>, ReadError> {
        let Some(Reverse((_, at))) = self.order.pop() else {
            return Ok(None);
        };
        if let Some(head) = self.heads.get_mut(at) {
            std::mem::swap(&mut self.given, head);
        }
        self.fill(at)?;
        Ok(Some((at, &self.given)))
    }

    /// Reads the next line of one log.
    fn fill(&mut self, at: usize) -> Result<(), ReadError> {
        let (Some(lines), Some(head)) = (self.logs.get_mut(at), self.heads.get_mut(at)) else {
            return Ok(());
        };
        if let Some(line) = lines.next_line()? {
            head.clear();
            head.extend_from_slice(line);
            let time = Record::parse(line).map_or(i64::MIN, |record| record.time_micros());
            self.order.push(Reverse((time, at)));
        }
        Ok(())
    }
}
