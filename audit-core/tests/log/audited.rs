//! Functions that do not run unrecorded.

use std::error::Error as _;
use std::fmt;
use std::future::{pending, poll_fn, ready};
use std::io::{self, ErrorKind};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use audit_core::log::{AuditedError, audited, audited_blocking};
use audit_core::testing::{Call, Fault, TestLog};
use audit_core::{CurrentActivity, Event, Outcome, OutcomeResult, Refused};
use serde_json::Value;

use super::support::{event, eventually, policy};

fn outcome(log: &TestLog) -> Value {
    log.settled().into_iter().find(|record| record["kind"] == "outcome").unwrap()
}

#[tokio::test]
async fn the_intent_is_durable_before_the_first_poll() {
    let log = TestLog::open().unwrap();
    let work = poll_fn(|_| {
        let intents = log.records().into_iter().filter(|record| record["kind"] == "intent").count();
        Poll::Ready(Ok::<_, String>(intents))
    });
    assert_eq!(audited(&log, event(), work).await.unwrap(), 1);
    log.assert_recorded("", "ledger.rotate", "success");
}

#[tokio::test]
async fn a_refused_function_never_runs() {
    let log = TestLog::with_policy(policy("deadline = \"100ms\"")).unwrap();
    log.faults().until_healed(Call::Append, Fault::Unavailable);
    let ran = AtomicBool::new(false);
    let work = async {
        ran.store(true, Ordering::Relaxed);
        Ok::<_, io::Error>(())
    };
    let error = audited(&log, event(), work).await.unwrap_err();
    assert!(matches!(error, AuditedError::Refused(Refused::Deadline)));
    assert_eq!(error.source().unwrap().to_string(), Refused::Deadline.to_string());
    assert!(error.failed().is_none());
    assert!(!ran.load(Ordering::Relaxed));
    log.faults().heal();
}

#[tokio::test]
async fn its_own_error_comes_back_and_is_recorded() {
    let log = TestLog::open().unwrap();
    let error = audited(&log, event(), ready(Err::<(), _>(io::Error::other("ledger is locked")))).await.unwrap_err();
    assert_eq!(error.to_string(), "ledger is locked");
    assert_eq!(error.failed().unwrap().kind(), ErrorKind::Other);
    let outcome = outcome(&log);
    assert_eq!(outcome["result"], "failure");
    assert_eq!(outcome["error"], "ledger is locked");
}

#[tokio::test]
async fn the_caller_may_decide_how_a_result_is_recorded() {
    let log = TestLog::open().unwrap();
    let work = ready(Err::<(), _>(io::Error::new(ErrorKind::PermissionDenied, "token hunter2 is wrong")));
    let work = audited(&log, event(), work).outcome(|result| match result {
        Ok(()) => Outcome::new(OutcomeResult::Success),
        Err(_) => Outcome::new(OutcomeResult::Denied),
    });
    work.await.unwrap_err();
    let outcome = outcome(&log);
    assert_eq!(outcome["result"], "denied");
    assert_eq!(outcome["error"], Value::Null);
}

/// Says the same without end.
struct Endless;

impl fmt::Display for Endless {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        loop {
            f.write_str("and on … ")?;
        }
    }
}

#[tokio::test]
async fn an_error_without_end_is_cut_and_the_record_says_so() {
    let log = TestLog::open().unwrap();
    assert!(audited(&log, event(), ready(Err::<(), _>(Endless))).await.is_err());
    let outcome = outcome(&log);
    assert!(outcome["error"].as_str().unwrap().starts_with("and on … and"));
    assert!(outcome["error"].as_str().unwrap().len() <= 1_024);
    assert_eq!(outcome["truncated"][0], "error");
}

#[tokio::test]
async fn what_it_does_sees_its_activity_at_every_poll() {
    let log = TestLog::open().unwrap();
    let work = async {
        for _ in 0..3 {
            let activity = CurrentActivity::get().unwrap();
            tokio::task::yield_now().await;
            assert_eq!(CurrentActivity::get().unwrap().id(), activity.id());
        }
        audited(&log, Event::action("nested"), ready(Ok::<_, String>(()))).await.unwrap();
        CurrentActivity::get().unwrap().attribute("entries", 3_i64).unwrap();
        Ok::<_, String>(())
    };
    audited(&log, event(), work).await.unwrap();
    assert!(CurrentActivity::get().is_none());
    let records = log.settled();
    let intent = |action: &str| records.iter().find(|record| record["action"] == action).unwrap();
    assert_eq!(intent("nested")["parent"], intent("ledger.rotate")["id"]);
    assert!(records.iter().any(|record| record["attrs"]["entries"] == 3));
}

#[tokio::test]
async fn a_function_given_up_is_cancelled() {
    let log = TestLog::open().unwrap();
    let work = audited(&log, event(), pending::<Result<(), String>>());
    assert!(tokio::time::timeout(Duration::from_millis(200), work).await.is_err());
    assert_eq!(outcome(&log)["result"], "cancelled");
}

#[tokio::test]
async fn a_function_given_up_before_its_intent_never_runs() {
    let log = TestLog::open().unwrap();
    log.faults().until_healed(Call::Append, Fault::Hang);
    {
        let mut work = pin!(audited(&log, event(), poll_fn(|_| -> Poll<Result<(), String>> { panic!("it ran") })));
        assert!(work.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    }
    log.faults().heal();
    assert!(log.settled().iter().all(|record| record["kind"] != "outcome" || record["result"] == "refused"));
}

#[tokio::test]
async fn a_panic_is_recorded_whoever_catches_it() {
    let log = TestLog::open().unwrap();
    let shared = (*log).clone();
    let work = async move { audited(&shared, event(), async { panic!("scripted panic") }).await };
    let joined = tokio::spawn(async { work.await.map(|(): ()| ()).map_err(|error: AuditedError<String>| error) });
    assert!(joined.await.unwrap_err().is_panic());
    assert_eq!(outcome(&log)["result"], "panicked");
}

#[tokio::test]
async fn with_await_outcome_the_result_waits_for_its_outcome() {
    let log = TestLog::with_policy(policy("await_outcome = true")).unwrap();
    audited(&log, event(), ready(Ok::<_, String>(()))).await.unwrap();
    assert!(log.records().iter().any(|record| record["kind"] == "outcome"));
}

#[tokio::test]
async fn with_await_outcome_the_result_goes_out_at_the_deadline() {
    let log = TestLog::with_policy(policy("await_outcome = true\ndeadline = \"300ms\"")).unwrap();
    let work = async {
        log.faults().until_healed(Call::Append, Fault::Unavailable);
        Ok::<_, String>(Instant::now())
    };
    let done = audited(&log, event(), work).await.unwrap();
    assert!(done.elapsed() >= Duration::from_millis(250));
    log.faults().heal();
    assert_eq!(outcome(&log)["result"], "success");
}

#[tokio::test]
async fn an_excluded_function_runs_unrecorded() {
    let log = TestLog::with_policy(policy("level = \"none\"")).unwrap();
    assert_eq!(audited(&log, event(), ready(Ok::<_, String>(7))).await.unwrap(), 7);
    assert!(log.settled().iter().all(|record| record["kind"] != "intent"));
}

#[tokio::test]
async fn a_rule_that_allows_failure_lets_it_run() {
    let log = TestLog::with_policy(policy("on_failure = \"allow\"\ndeadline = \"100ms\"")).unwrap();
    log.faults().until_healed(Call::Append, Fault::Unavailable);
    assert_eq!(audited(&log, event(), ready(Ok::<_, String>(7))).await.unwrap(), 7);
    eventually("the loss is counted", || log.coverage().lost == 1).await;
    log.faults().heal();
}

#[test]
fn a_blocking_function_waits_for_its_intent_too() {
    let log = TestLog::open().unwrap();
    let intents = || Ok::<_, String>(log.records().iter().filter(|record| record["kind"] == "intent").count());
    assert_eq!(audited_blocking(&log, event(), intents).unwrap(), 1);
    log.assert_recorded("", "ledger.rotate", "success");

    let panics = || audited_blocking(&log, Event::action("panics"), || -> Result<(), String> { panic!("scripted") });
    assert!(catch_unwind(AssertUnwindSafe(panics)).is_err());
    log.assert_recorded("", "panics", "panicked");
}
