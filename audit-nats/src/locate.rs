use std::time::Instant;

use crate::api::{Stored, Which};
use crate::lines_message;
use crate::link::Link;
use crate::trouble::Trouble;

/// Finds the last message whose first line is `line` or one before it, among those up to the number
/// `high` of the stream.
///
/// Looks near `high` first, because what is looked for is mostly there, and then halves what is left:
/// as many questions as the distance has binary digits, twice.
pub(crate) async fn message_of(
    link: &Link,
    subject: &str,
    line: u64,
    high: u64,
    deadline: Instant,
) -> Result<Option<Stored>, Trouble> {
    let is_before = |message: &Stored| lines_message::first(message).is_some_and(|first| first <= line);
    let mut best: Option<Stored> = None;
    // The message is at `low` or between `low` and `behind`.
    let (mut low, mut behind) = (1, high.saturating_add(1));
    let mut step = 1;
    while low < behind {
        let probe = if best.is_none() { behind.saturating_sub(step).max(low) } else { low + (behind - low) / 2 };
        step *= 2;
        match link.message(Which::From(probe, subject), deadline).await? {
            Some(message) if message.number < behind && is_before(&message) => {
                low = message.number + 1;
                best = Some(message);
            }
            // The first message from there on is behind the one that is looked for, or none.
            _ => behind = probe,
        }
    }
    Ok(best)
}
