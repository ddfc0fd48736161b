//! RFC 3339 times in UTC with microseconds, and back.

use std::cell::Cell;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

thread_local! {
    /// The last second that was written, and its nineteen characters.
    static LAST: Cell<(i64, [u8; 19])> = const { Cell::new((i64::MIN, [0; 19])) };
}

/// Appends `time` as `2026-11-23T11:40:06.757467Z`: 27 characters.
pub(crate) fn write_rfc3339(time: SystemTime, out: &mut Vec<u8>) {
    let micros = micros_since_epoch(time);
    let (second, fraction) = (micros.div_euclid(1_000_000), micros.rem_euclid(1_000_000));
    let (mut known, mut text) = LAST.get();
    if known != second {
        (known, text) = (second, civil(second));
        LAST.set((known, text));
    }
    out.extend_from_slice(&text);
    let mut digits = *b".000000Z";
    let mut rest = fraction;
    for digit in digits[1..7].iter_mut().rev() {
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    out.extend_from_slice(&digits);
}

/// Microseconds since 1970, negative before.
pub(crate) fn micros_since_epoch(time: SystemTime) -> i64 {
    let micros = |duration: Duration| i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
    match time.duration_since(UNIX_EPOCH) {
        Ok(since) => micros(since),
        Err(before) => -micros(before.duration()),
    }
}

fn civil(second: i64) -> [u8; 19] {
    let mut text = *b"0000-01-01T00:00:00";
    let Ok(timestamp) = jiff::Timestamp::from_second(second) else {
        return text;
    };
    let at = jiff::tz::Offset::UTC.to_datetime(timestamp);
    let mut put = |start: usize, end: usize, value: i64| {
        let mut rest = value.unsigned_abs();
        for digit in text[start..end].iter_mut().rev() {
            *digit = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
    };
    put(0, 4, at.year().into());
    put(5, 7, at.month().into());
    put(8, 10, at.day().into());
    put(11, 13, at.hour().into());
    put(14, 16, at.minute().into());
    put(17, 19, at.second().into());
    text
}
