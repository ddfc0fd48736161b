//! How far a copy may be behind.

use std::time::{Duration, SystemTime};

use super::Copies;
use super::place::Place;
use crate::record::{Record, micros_since_epoch};
use crate::verify::inquiry::Inquiry;
use crate::verify::{Lines, ReadError};

/// How far one copy may be behind, and the present.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lag {
    records: Option<u64>,
    time: Option<Duration>,
    now: Option<SystemTime>,
}

impl Lag {
    pub(super) fn of(copies: Option<&Copies<'_>>, now: Option<SystemTime>) -> Self {
        let (records, time) = copies.map_or((None, None), |copies| (copies.lag_records, copies.lag_time));
        Self { records, time, now }
    }

    /// What a copy with `copied` records of `log` exceeds, if it does.
    pub(super) fn exceeded(
        &self,
        log: &Place<'_, '_>,
        inquiry: &Inquiry,
        copied: u64,
    ) -> Result<Option<String>, ReadError> {
        if let Some(limit) = self.records.filter(|limit| inquiry.size - copied > *limit) {
            return Ok(Some(format!("more than the {limit} that it may be")));
        }
        let signed = inquiry.newest.as_ref().is_some_and(|newest| newest.checkpoint().size > copied);
        let heartbeat = inquiry.heartbeat.filter(|_| signed);
        let limit = self.time.map(|time| i64::try_from(time.as_micros()).unwrap_or(i64::MAX)).or(heartbeat);
        let (Some(limit), Some(now)) = (limit, self.now) else {
            return Ok(None);
        };
        let Some(written) = written(log, copied)? else {
            return Ok(None);
        };
        let age = micros_since_epoch(now).saturating_sub(written);
        let seconds = |micros: i64| micros / 1_000_000;
        Ok((age > limit)
            .then(|| format!("since {} s: more than the {} s that it may be", seconds(age), seconds(limit))))
    }
}

/// When record `seq` was written, in microseconds since 1970.
fn written(log: &Place<'_, '_>, seq: u64) -> Result<Option<i64>, ReadError> {
    let reader = log.at.reader()?;
    let mut lines = Lines::from(&*reader, seq)?;
    Ok(lines.next_line()?.and_then(|line| Record::parse(line).ok()).map(|record| record.time_micros()))
}
