//! One call on record, seen as a reader of the log sees it.

use std::cell::RefCell;

use audit_core::record::{Event, Kind, Record};
use audit_core::testing::TestLog;
use audit_core::{Outcome, OutcomeResult};
use serde_json::Value;

/// So many calls go into one log: a log in memory grows with each.
const CALLS: u32 = 256;

thread_local! {
    static LOG: RefCell<Option<(TestLog, u32)>> = const { RefCell::new(None) };
}

/// The intent that `event` leaves. Panics when there is none, or when it is not a record.
pub(crate) fn intent_of(event: &Event<'_>) -> Value {
    LOG.with_borrow_mut(|slot| {
        let used = slot.as_ref().map_or(CALLS, |(_, used)| *used);
        if used >= CALLS {
            *slot = Some((TestLog::open().expect("a log in memory opens"), 0));
        }
        let (log, used) = slot.as_mut().expect("it was opened above");
        *used += 1;
        record(log, event)
    })
}

fn record(log: &TestLog, event: &Event<'_>) -> Value {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime starts");
    let activity = runtime.block_on(log.begin(event)).expect("no event can make a log refuse it");
    let seq = activity.receipt().expect("the default policy waits for a receipt").seq;
    activity.finish(Outcome::new(OutcomeResult::Success));
    let line = log.memory().lines().into_iter().nth(usize::try_from(seq).expect("a small log"));
    let line = line.expect("what has a receipt is in the log");
    let parsed = Record::parse(&line).expect("what the log writes is a record");
    assert_eq!(parsed.kind(), Some(Kind::Intent));
    serde_json::from_slice(&line).expect("a record is JSON")
}
