//! A test log says what was recorded, and complains about what was not.

use audit_core::testing::{Call, Fault, TestLog};
use audit_core::{Actor, Event, Outcome, OutcomeResult, Refused};

fn event() -> Event<'static> {
    Event::action("ledger.rotate").actor(Actor::service_account("settler"))
}

#[tokio::test]
async fn a_call_that_was_recorded_is_found() {
    let log = TestLog::open().unwrap();
    log.begin(&event()).await.unwrap().finish(Outcome::new(OutcomeResult::Denied));
    log.assert_recorded("settler", "ledger.rotate", "denied");
    let kinds: Vec<String> = log.settled().iter().map(|record| record["kind"].as_str().unwrap().to_owned()).collect();
    assert_eq!(kinds, ["log.opened", "intent", "outcome"]);
}

#[tokio::test]
async fn a_call_that_was_not_recorded_like_this_is_missed() {
    let log = TestLog::open().unwrap();
    log.begin(&event()).await.unwrap().finish(Outcome::new(OutcomeResult::Denied));
    let missed = std::panic::catch_unwind(|| log.assert_recorded("settler", "ledger.rotate", "success"));
    let message = missed.unwrap_err().downcast::<String>().unwrap();
    assert!(message.contains("\"settler\" did \"ledger.rotate\": denied"), "{message}");
}

#[tokio::test]
async fn a_log_whose_store_is_full_refuses_and_recovers() {
    let log = TestLog::open().unwrap();
    log.faults().until_healed(Call::Append, Fault::FullForIntents);
    let refused = log.begin(&event()).await.unwrap_err();
    assert!(matches!(refused, Refused::StorageFull { .. } | Refused::Deadline), "{refused}");
    log.faults().heal();
    let activity = loop {
        if let Ok(activity) = log.begin(&event()).await {
            break activity;
        }
    };
    activity.finish(Outcome::new(OutcomeResult::Success));
    log.assert_recorded("settler", "ledger.rotate", "success");
}
