//! What of the gRPC over HTTP/2 protocol matters here.

use std::time::Duration;

use super::digits::number;

pub(super) const CANCELLED: i32 = 1;
pub(super) const UNKNOWN: i32 = 2;
pub(super) const DEADLINE_EXCEEDED: i32 = 4;
pub(super) const INTERNAL: i32 = 13;

/// How much sooner than by this clock a deadline may have passed: caller and server start to count
/// at different moments. At most this, and at most a tenth of the timeout.
const TOLERANCE: Duration = Duration::from_millis(10);

/// Whether a request with this `Content-Type` is a gRPC call (gRPC over HTTP/2, "Content-Type").
#[must_use]
pub fn is_grpc(content_type: &[u8]) -> bool {
    const PREFIX: &[u8] = b"application/grpc";
    content_type.get(..PREFIX.len()).is_some_and(|start| start.eq_ignore_ascii_case(PREFIX))
        && matches!(content_type.get(PREFIX.len()), None | Some(b'+' | b';' | b'-'))
}

/// The time that a `grpc-timeout` header leaves for a call (gRPC over HTTP/2, "Timeout"): at most
/// eight digits and a unit. `None` when it is not that.
#[must_use]
pub fn grpc_timeout(value: &[u8]) -> Option<Duration> {
    let (unit, digits) = value.split_last()?;
    if digits.len() > 8 {
        return None;
    }
    let amount = number(digits)?;
    Some(match unit {
        b'H' => Duration::from_secs(amount * 3_600),
        b'M' => Duration::from_secs(amount * 60),
        b'S' => Duration::from_secs(amount),
        b'm' => Duration::from_millis(amount),
        b'u' => Duration::from_micros(amount),
        b'n' => Duration::from_nanos(amount),
        _ => return None,
    })
}

/// After how long a call with this timeout counts as out of time.
pub(super) fn tolerated(timeout: Duration) -> Duration {
    timeout.saturating_sub(TOLERANCE.min(timeout / 10))
}

/// The code that a `grpc-status` stands for; one that is no number counts as unknown.
pub(super) fn code(status: &[u8]) -> i32 {
    number(status).and_then(|code| i32::try_from(code).ok()).unwrap_or(UNKNOWN)
}

/// The code of a call that was answered without one (gRPC "HTTP to gRPC status code mapping").
pub(super) const fn code_of_status(status: u16) -> i32 {
    match status {
        400 => INTERNAL,
        401 => 16,
        403 => 7,
        404 => 12,
        429 | 502 | 503 | 504 => 14,
        _ => UNKNOWN,
    }
}
