use std::time::Duration;

use audit_core::log::CloseError;
use audit_core::{Outcome, Refused};

use crate::support::{builder, close, event, eventually, log, memory, of_kind, results};

#[tokio::test]
async fn closing_refuses_new_calls_and_waits_for_open_ones() {
    let (log, memory) = log();
    let open = log.begin(&event()).await.unwrap();
    let closing = tokio::spawn(log.close(Duration::from_secs(5)));
    eventually("closing", || !log.health().writable).await;
    assert!(matches!(log.begin(&event()).await.unwrap_err(), Refused::Closed));
    assert!(!closing.is_finished());
    open.finish(Outcome::http(200));
    closing.await.unwrap().unwrap();
    assert_eq!(results(&memory), ["success"]);
    assert_eq!(of_kind(&memory, "log.closed")[0]["open_activities"], 0);
    assert!(matches!(log.close(Duration::from_secs(1)).await, Err(CloseError::AlreadyClosed)));
}

#[tokio::test]
async fn closing_gives_up_on_open_activities_at_the_deadline_and_says_how_many() {
    let (log, memory) = log();
    let open = log.begin(&event()).await.unwrap();
    let error = log.close(Duration::from_millis(100)).await.unwrap_err();
    assert!(matches!(error, CloseError::Deadline { open_activities: 1, .. }), "{error:?}");
    eventually("log.closed", || !of_kind(&memory, "log.closed").is_empty()).await;
    assert_eq!(of_kind(&memory, "log.closed")[0]["open_activities"], 1);
    drop(open);
}

#[tokio::test]
async fn dropping_the_last_handle_closes_the_log() {
    let (log, memory) = log();
    log.begin(&event()).await.unwrap().finish(Outcome::http(200));
    drop(log);
    eventually("log.closed", || of_kind(&memory, "log.closed").len() == 1).await;
    assert_eq!(results(&memory), ["success"]);
}

#[tokio::test]
async fn a_closed_log_can_be_opened_again_at_once_and_goes_on() {
    let memory = memory();
    let key = crate::support::key();
    for round in 1..=3_u64 {
        let log = builder(&memory).key(key.clone()).open().unwrap();
        log.record(&event()).await.unwrap();
        close(&log).await;
        assert_eq!(memory.size(), round * 3);
    }
    assert!(of_kind(&memory, "log.recovered").is_empty());
}
