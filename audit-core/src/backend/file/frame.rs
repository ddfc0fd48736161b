//! As much of a line as the store has to understand.

use serde::de::IgnoredAny;

use crate::evidence::Hash;

/// What links a line to its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) seq: u64,
    pub(super) prev: Hash,
}

/// The frame at the start of a line; `None` if it is not exactly as it has to be.
pub(super) fn frame(line: &[u8]) -> Option<Frame> {
    let (seq, rest) = seq(line)?;
    let rest = rest.strip_prefix(b",\"prev\":\"")?;
    let (prev, rest) = rest.split_at_checked(64)?;
    rest.starts_with(b"\",").then_some(Frame { seq, prev: Hash::from_hex(prev).ok()? })
}

/// The `seq` at the start of a line, and what follows it.
pub(super) fn seq(line: &[u8]) -> Option<(u64, &[u8])> {
    let rest = line.strip_prefix(b"{\"v\":1,\"seq\":")?;
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = rest.split_at_checked(digits)?;
    if digits.is_empty() || (digits.len() > 1 && digits.starts_with(b"0")) {
        return None;
    }
    let seq = std::str::from_utf8(digits).ok()?.parse().ok()?;
    Some((seq, rest))
}

/// The frame of a line that is whole: UTF-8, one JSON object, with the frame in front.
pub(super) fn whole(line: &[u8]) -> Option<Frame> {
    let frame = frame(line)?;
    std::str::from_utf8(line).ok()?;
    serde_json::from_slice::<IgnoredAny>(line).ok()?;
    Some(frame)
}
