//! From `2026-11-23T11:40:06.757467Z` to microseconds since 1970, and back.

use std::time::{Duration, UNIX_EPOCH};

use super::time::write_rfc3339;

/// Reads the times of records, and remembers the last second it has seen: in a log it is nearly
/// always the second of the next record too.
#[derive(Clone, Debug, Default)]
pub(crate) struct TimeReader {
    text: [u8; 20],
    micros: i64,
}

impl TimeReader {
    /// Microseconds since 1970; `None` unless `text` is 27 characters of RFC 3339 in UTC with
    /// microseconds.
    #[inline]
    pub(crate) fn read(&mut self, text: &[u8]) -> Option<i64> {
        let text: &[u8; 27] = text.try_into().ok()?;
        let (second, fraction) = text.split_first_chunk::<20>()?;
        let fraction = fraction.strip_suffix(b"Z")?;
        if self.text != *second {
            self.micros = seconds(second)?.checked_mul(1_000_000)?;
            self.text = *second;
        }
        Some(self.micros + number(fraction)?)
    }
}

/// `2026-11-23T11:40:06.757467Z` from microseconds since 1970.
pub(crate) fn time_text(micros: i64) -> String {
    let distance = Duration::from_micros(micros.unsigned_abs());
    let time = if micros < 0 { UNIX_EPOCH.checked_sub(distance) } else { UNIX_EPOCH.checked_add(distance) };
    let mut text = Vec::new();
    write_rfc3339(time.unwrap_or(UNIX_EPOCH), &mut text);
    text.into_iter().map(char::from).collect()
}

fn number(digits: &[u8]) -> Option<i64> {
    digits.iter().try_fold(0_i64, |value, digit| digit.is_ascii_digit().then(|| value * 10 + i64::from(digit - b'0')))
}

/// Seconds since 1970 of `2026-11-23T11:40:06.`.
fn seconds(text: &[u8; 20]) -> Option<i64> {
    let marks = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':'), (19, b'.')];
    if marks.iter().any(|(at, mark)| text.get(*at) != Some(mark)) {
        return None;
    }
    let part = |start: usize, end: usize| number(text.get(start..end)?);
    let small = |start| i8::try_from(part(start, start + 2)?).ok();
    let at = jiff::civil::DateTime::new(
        i16::try_from(part(0, 4)?).ok()?,
        small(5)?,
        small(8)?,
        small(11)?,
        small(14)?,
        small(17)?,
        0,
    );
    let timestamp = jiff::tz::Offset::UTC.to_timestamp(at.ok()?).ok()?;
    Some(timestamp.as_second())
}
