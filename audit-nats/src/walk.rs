use std::sync::Arc;
use std::time::Instant;

use tokio::task::JoinSet;

use crate::api::{Stored, Which};
use crate::link::Link;
use crate::trouble::Trouble;

/// The most messages that are asked for at a time. Their answers together stay well below what a server
/// holds for one client before it calls it slow, 64 MiB.
const LANES: u64 = 16;

/// How many bytes one lane brings before it stops, but for its last message.
const LANE_BYTES: usize = 256 << 10;

/// The longest stretch of the stream that one lane goes through, in messages of any subject.
const STRIDE: u64 = 1 << 20;

/// Reads the messages of one subject in the order of the stream, several at a time.
///
/// Every message comes from the stream's leader. The stretch ahead is cut into lanes, and each lane is
/// walked by itself; how long they are follows from how dense the subject is and how large its
/// messages are. Memory: `LANES` times `LANE_BYTES` and one message more.
#[derive(Clone, Debug)]
pub(crate) struct Walk {
    subject: String,
    next: u64,
    lanes: u64,
    stride: u64,
    /// Whether there was nothing more when it was last asked.
    at_end: bool,
}

/// What one lane found.
#[derive(Debug)]
struct Lane {
    index: u64,
    found: Vec<Stored>,
    end: End,
}

/// How a lane ended.
#[derive(Debug)]
enum End {
    /// Nothing more before this number of the stream.
    Through(u64),
    /// Enough for now; it goes on at this number.
    Enough(u64),
    /// Nothing more on the subject.
    Stream,
}

impl Walk {
    /// Starts at `number` of the stream.
    pub(crate) const fn new(subject: String, number: u64) -> Self {
        Self { subject, next: number, lanes: 1, stride: 4, at_end: false }
    }

    /// The next messages; none when there are no more now.
    ///
    /// # Errors
    ///
    /// When the server does not answer; the same messages come again then.
    pub(crate) async fn round(&mut self, link: &Arc<Link>, deadline: Instant) -> Result<Vec<Stored>, Trouble> {
        loop {
            let found = self.ask(link, deadline).await?;
            if self.at_end || !found.is_empty() {
                return Ok(found);
            }
        }
    }

    async fn ask(&mut self, link: &Arc<Link>, deadline: Instant) -> Result<Vec<Stored>, Trouble> {
        let mut tasks = JoinSet::new();
        for index in 0..self.lanes {
            let link = Arc::clone(link);
            let subject = self.subject.clone();
            let start = self.next + index * self.stride;
            let end = start + self.stride;
            tasks.spawn(async move { lane(&link, &subject, index, start..end, deadline).await });
        }
        let mut lanes = Vec::new();
        while let Some(joined) = tasks.join_next().await {
            lanes.push(joined.map_err(|error| Trouble::Answer(error.to_string()))??);
        }
        lanes.sort_by_key(|lane| lane.index);
        Ok(self.take(lanes))
    }

    /// Puts together what the lanes found, up to the first that did not get through.
    fn take(&mut self, lanes: Vec<Lane>) -> Vec<Stored> {
        let mut found: Vec<Stored> = Vec::new();
        let mut bytes = 0;
        let start = self.next;
        let count = lanes.len();
        self.at_end = false;
        for lane in lanes {
            bytes += lane.found.iter().map(|message| message.bytes.len()).sum::<usize>();
            found.extend(lane.found);
            match lane.end {
                End::Through(next) => self.next = self.next.max(next),
                End::Enough(next) => {
                    // The lanes behind it were in vain: next time each is as long as this one came.
                    let came = next - (start + lane.index * self.stride);
                    self.next = next;
                    self.stride = came.clamp(1, STRIDE);
                    return found;
                }
                End::Stream => {
                    self.next = found.last().map_or(self.next, |last| last.number + 1);
                    self.lanes = 1;
                    self.at_end = true;
                    return found;
                }
            }
        }
        if self.lanes < LANES {
            self.lanes = (self.lanes * 2).min(LANES);
        } else if bytes < count * LANE_BYTES / 4 {
            self.stride = (self.stride * 2).min(STRIDE);
        }
        found
    }
}

async fn lane(
    link: &Link,
    subject: &str,
    index: u64,
    stretch: std::ops::Range<u64>,
    deadline: Instant,
) -> Result<Lane, Trouble> {
    let mut found = Vec::new();
    let mut bytes = 0;
    let mut next = stretch.start;
    while next < stretch.end {
        let Some(message) = link.message(Which::From(next, subject), deadline).await? else {
            return Ok(Lane { index, found, end: End::Stream });
        };
        if message.number >= stretch.end {
            return Ok(Lane { index, found, end: End::Through(message.number) });
        }
        next = message.number + 1;
        bytes += message.bytes.len();
        found.push(message);
        if bytes >= LANE_BYTES && next < stretch.end {
            return Ok(Lane { index, found, end: End::Enough(next) });
        }
    }
    Ok(Lane { index, found, end: End::Through(stretch.end) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(number: u64) -> Stored {
        Stored::of_lines(number, vec![0; 10])
    }

    fn lanes(ends: Vec<(Vec<u64>, End)>) -> Vec<Lane> {
        let lanes = ends.into_iter().zip(0..);
        lanes
            .map(|((found, end), index)| Lane { index, found: found.into_iter().map(message).collect(), end })
            .collect()
    }

    #[test]
    fn what_stands_behind_a_lane_that_had_enough_is_read_again() {
        let mut walk = Walk { subject: String::new(), next: 1, lanes: 2, stride: 4, at_end: false };
        let found = walk.take(lanes(vec![(vec![1, 2], End::Enough(3)), (vec![5], End::Through(9))]));
        // Nothing behind the hole may come before the hole is filled.
        assert_eq!(found.iter().map(|it| it.number).collect::<Vec<_>>(), [1, 2]);
        assert_eq!((walk.next, walk.stride), (3, 2));
    }
}
