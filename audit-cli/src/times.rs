//! Times on the command line.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use crate::ending::Failure;

/// The time that `text` means: RFC 3339, a date (its first moment in UTC), or how long ago.
pub(crate) fn read(text: &str) -> Result<Timestamp, Failure> {
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(time);
    }
    if let Ok(date) = text.parse::<Date>()
        && let Ok(time) = jiff::tz::Offset::UTC.to_timestamp(date.to_datetime(jiff::civil::Time::midnight()))
    {
        return Ok(time);
    }
    text.parse::<SignedDuration>().ok().and_then(|ago| Timestamp::now().checked_sub(ago).ok()).ok_or_else(|| {
        Failure::new(format!(
            "{text:?} is no time: give one like 2026-11-23T11:40:00Z, a date like 2026-11-23, or how long ago, like 15m"
        ))
    })
}

/// Microseconds since 1970, if a time is given.
pub(crate) fn micros(text: Option<&str>) -> Result<Option<i64>, Failure> {
    Ok(text.map(read).transpose()?.map(Timestamp::as_microsecond))
}

/// As the standard library has it; the present, if none is given.
pub(crate) fn system(text: Option<&str>) -> Result<SystemTime, Failure> {
    let Some(micros) = micros(text)? else {
        return Ok(SystemTime::now());
    };
    let distance = Duration::from_micros(micros.unsigned_abs());
    let time = if micros < 0 { UNIX_EPOCH.checked_sub(distance) } else { UNIX_EPOCH.checked_add(distance) };
    time.ok_or_else(|| Failure::new("the time is out of range"))
}
