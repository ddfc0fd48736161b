//! An answer that trickles, so that a client can leave in the middle of it.

use std::time::Duration;

use bytes::Bytes;
use tokio::time::MissedTickBehavior;
use tokio_stream::wrappers::IntervalStream;
use tokio_stream::{Stream, StreamExt};

/// So many chunks, one every 10 ms.
pub fn chunks(count: u64) -> impl Stream<Item = Bytes> + Send + 'static {
    let mut ticks = tokio::time::interval(INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    IntervalStream::new(ticks).take(count).map(|_| Bytes::from_static(b"chunk\n"))
}

const INTERVAL: Duration = Duration::from_millis(10);
