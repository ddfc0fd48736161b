//! Moments at which a caller, a deadline, the store and the log's threads meet.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Waker};
use std::time::Duration;

use audit_core::key::{SignError, Signer};
use audit_core::{AuditLog, Durability, Event, Key, Outcome};

use crate::support::{Way, close, event, eventually, key, log, memory, of_kind, policy, quiet, results, valved};

fn poll_once<F: Future + Unpin>(future: &mut F) -> bool {
    let mut cx = Context::from_waker(Waker::noop());
    Pin::new(future).poll(&mut cx).is_ready()
}

async fn sleep(ms: u64) {
    tokio::time::sleep(Duration::from_millis(ms)).await;
}

async fn no_open_activities(log: &AuditLog) {
    eventually("no open activities", || log.health().open_activities == 0).await;
}

#[tokio::test]
async fn a_call_given_up_in_line_keeps_no_room() {
    let (log, _memory, valve) = valved(Durability::Synced, |builder| builder.tune(|limits| limits.queue_records = 1));
    valve.appends(Way::Hang);
    let calls = valve.append_calls();
    let mut a = log.begin(&event());
    poll_once(&mut a);
    eventually("taken", || valve.append_calls() > calls).await;
    let mut b = log.begin(&event());
    poll_once(&mut b);
    let mut c = log.begin(&event());
    poll_once(&mut c);
    drop(c);
    valve.appends(Way::Open);
    a.await.unwrap().finish(Outcome::http(200));
    b.await.unwrap().finish(Outcome::http(200));
    no_open_activities(&log).await;
}

#[tokio::test]
async fn a_failed_append_does_not_take_back_an_answer() {
    let (log, _memory, valve) = valved(Durability::Synced, |builder| builder.policy(policy("deadline = \"50ms\"")));
    valve.appends(Way::Hang);
    let calls = valve.append_calls();
    let mut a = log.begin(&event());
    poll_once(&mut a);
    eventually("taken", || valve.append_calls() > calls).await;
    sleep(150).await;
    valve.appends(Way::Unavailable);
    sleep(100).await;
    valve.appends(Way::Open);
    let answer = tokio::time::timeout(Duration::from_secs(3), a).await;
    assert!(answer.expect("hangs").is_err());
}

#[tokio::test]
async fn a_call_given_up_during_a_sync_ends_as_refused() {
    let (log, memory, valve) = valved(Durability::Written, |builder| builder.policy(policy("deadline = \"50ms\"")));
    valve.appends(Way::Hang);
    valve.syncs(Way::Hang);
    let calls = valve.append_calls();
    let mut a = log.begin(&event());
    poll_once(&mut a);
    eventually("taken", || valve.append_calls() > calls).await;
    drop(a);
    valve.appends(Way::Open);
    sleep(150).await;
    valve.syncs(Way::Open);
    no_open_activities(&log).await;
    assert_eq!(results(&memory), ["refused"]);
}

#[tokio::test]
async fn a_call_refused_during_an_append_that_lands_late_ends_as_refused() {
    let (log, memory, valve) = valved(Durability::Written, |builder| builder.policy(policy("deadline = \"50ms\"")));
    valve.appends(Way::Hang);
    valve.syncs(Way::Hang);
    let calls = valve.append_calls();
    let a = log.begin(&event());
    let a = tokio::spawn(a);
    eventually("taken", || valve.append_calls() > calls).await;
    assert!(a.await.unwrap().is_err());
    valve.appends(Way::Open);
    sleep(20).await;
    // Another call's deadline lets the timer look.
    let _ = log.begin(&event()).await;
    valve.syncs(Way::Open);
    no_open_activities(&log).await;
    assert_eq!(results(&memory), ["refused", "refused"]);
}

#[tokio::test]
async fn a_call_given_up_during_an_append_that_fails_keeps_no_room() {
    let (log, _memory, valve) = valved(Durability::Synced, |builder| builder.policy(policy("on_failure = \"allow\"")));
    valve.appends(Way::Hang);
    let calls = valve.append_calls();
    let mut a = log.begin(&event());
    poll_once(&mut a);
    eventually("taken", || valve.append_calls() > calls).await;
    drop(a);
    valve.appends(Way::Unavailable);
    sleep(50).await;
    valve.appends(Way::Open);
    sleep(500).await;
    no_open_activities(&log).await;
}

#[tokio::test]
async fn an_accepted_call_in_line_waits_for_room_and_keeps_its_outcome() {
    let (log, memory, valve) = valved(Durability::Synced, |builder| {
        builder.policy(policy("durability = \"accepted\"")).tune(|limits| limits.queue_records = 1)
    });
    valve.appends(Way::Hang);
    let calls = valve.append_calls();
    let a = log.begin(&event()).await.unwrap();
    eventually("taken", || valve.append_calls() > calls).await;
    let b = log.begin(&event()).await.unwrap();
    let mut c = log.begin(&event());
    poll_once(&mut c);
    for activity in [a, b] {
        activity.finish(Outcome::http(200));
    }
    valve.appends(Way::Open);
    c.await.unwrap().finish(Outcome::http(200));
    eventually("all intents", || of_kind(&memory, "intent").len() == 3).await;
    eventually("all outcomes", || of_kind(&memory, "outcome").len() == 3).await;
    no_open_activities(&log).await;
}

#[tokio::test]
async fn a_log_poisoned_while_it_closes_lets_go_of_the_store() {
    let (log, _memory, valve) =
        valved(Durability::Written, |builder| builder.policy(policy("durability = \"written\"")).tune(quiet));
    log.begin(&event()).await.unwrap().finish(Outcome::http(200));
    no_open_activities(&log).await;
    valve.appends(Way::Unavailable);
    let closing = log.close(Duration::from_secs(2));
    sleep(100).await;
    valve.syncs(Way::Poisoned);
    let _ = log.checkpoint(Duration::from_secs(1)).await;
    let _ = closing.await;
    drop(log);
    eventually("the store is let go", || Arc::strong_count(&valve) == 1).await;
}

#[tokio::test]
async fn closing_answers_everybody_who_still_waits() {
    let (log, _memory, valve) = valved(Durability::Written, |builder| builder.policy(policy("deadline = \"2s\"")));
    valve.syncs(Way::Unavailable);
    let mut a = log.begin(&event());
    poll_once(&mut a);
    let mut checkpoint = log.checkpoint(Duration::from_secs(2));
    // It may be answered at once, by the checkpoint that was signed when the log was opened.
    let answered = poll_once(&mut checkpoint);
    sleep(20).await;
    let _ = log.close(Duration::from_millis(200)).await;
    if !answered {
        let answer = tokio::time::timeout(Duration::from_secs(4), checkpoint).await;
        assert!(answer.is_ok(), "checkpoint hangs");
    }
    let answer = tokio::time::timeout(Duration::from_secs(4), a).await;
    assert!(answer.is_ok(), "begin hangs");
}

fn ticks(comm: &str) -> u64 {
    let mut sum = 0;
    for task in std::fs::read_dir("/proc/self/task").unwrap().flatten() {
        let stat = std::fs::read_to_string(task.path().join("stat")).unwrap_or_default();
        if stat.contains(comm) {
            let rest = stat.rsplit_once(')').unwrap().1;
            let fields: Vec<&str> = rest.split_whitespace().collect();
            sum += fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
        }
    }
    sum
}

#[tokio::test]
async fn the_sequencer_rests_while_the_store_fails() {
    let (log, _memory, valve) = valved(Durability::Synced, |builder| builder.policy(policy("deadline = \"30ms\"")));
    valve.appends(Way::Full);
    for _ in 0..60 {
        let _ = log.begin(&event()).await;
    }
    let before = ticks("audit-sequencer");
    for _ in 0..160 {
        let _ = log.begin(&event()).await;
    }
    let used = ticks("audit-sequencer") - before;
    assert!(used < 5, "{used} ticks of 10 ms in about 4.8 s");
}

struct Fickle(Key, Arc<AtomicUsize>, usize);
impl Signer for Fickle {
    fn public_key(&self) -> [u8; 32] {
        *self.0.verifier().public_key()
    }
    fn sign(&self, message: &[u8]) -> Result<[u8; 64], SignError> {
        if self.1.fetch_add(1, Ordering::SeqCst) >= self.2 {
            return Err(SignError::signer(std::io::Error::other("made to fail")));
        }
        let note = self.0.sign_note(std::str::from_utf8(message).unwrap()).unwrap();
        let note = audit_core::evidence::SignedNote::parse(&note).unwrap();
        Ok(note.signatures()[0].signature().try_into().unwrap())
    }
}

#[tokio::test]
async fn a_signer_that_fails_is_asked_again_after_a_pause() {
    let asked = Arc::new(AtomicUsize::new(0));
    let signer = Fickle(key(), Arc::clone(&asked), 2);
    let log = AuditLog::builder("test.example/log")
        .key(Key::new("test.example", signer).unwrap())
        .backend(memory())
        .tune(|limits| {
            limits.checkpoint_records = 2;
            limits.checkpoint_interval = Duration::from_secs(10);
        })
        .open()
        .unwrap();
    for _ in 0..3 {
        log.begin(&event()).await.unwrap().finish(Outcome::http(200));
    }
    sleep(500).await;
    let asked = asked.load(Ordering::SeqCst);
    assert!(asked < 50, "asked {asked} times in half a second");
}

#[tokio::test]
async fn outcomes_land_in_a_full_store_however_many_calls_are_refused() {
    let (log, memory, valve) = valved(Durability::Synced, |builder| builder);
    let a = log.begin(&event()).await.unwrap();
    valve.appends(Way::Full);
    let mut tasks = Vec::new();
    for _ in 0..8 {
        let log = log.clone();
        tasks.push(tokio::spawn(async move {
            loop {
                let _ = log.begin(&event()).await;
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }));
    }
    sleep(100).await;
    a.finish(Outcome::http(200));
    sleep(4000).await;
    let landed = results(&memory).len();
    for task in tasks {
        task.abort();
    }
    assert_eq!(landed, 1);
}

#[tokio::test]
async fn attribute_names_that_are_cut_stay_distinct_members() {
    let (log, memory) = log();
    log.record(&Event::action("a").attribute("x", "1").attribute("x", "2")).await.unwrap();
    let activity = log.begin(&event()).await.unwrap();
    let long = "n".repeat(300);
    activity.current().attribute(long.clone(), "1").unwrap();
    activity.current().attribute(long, "2").unwrap();
    activity.finish(Outcome::http(200));
    close(&log).await;
    for line in memory.lines() {
        audit_core::record::Record::parse(&line)
            .map_err(|e| format!("{e:?}: {}", String::from_utf8_lossy(&line)))
            .unwrap();
    }
}

#[tokio::test]
async fn a_call_that_did_not_wait_is_never_recorded_as_refused() {
    let (log, memory, valve) = valved(Durability::Written, |builder| builder.policy(policy("deadline = \"50ms\"")));
    valve.syncs(Way::Hang);
    let activity = log.begin(&event()).without_waiting();
    sleep(200).await;
    activity.finish(Outcome::http(200));
    valve.syncs(Way::Open);
    close(&log).await;
    assert_eq!(results(&memory), ["success"]);
}

#[tokio::test]
async fn waiting_for_ever_is_a_deadline_like_any_other() {
    let (log, _memory) = log();
    let _close = log.close(Duration::MAX);
}

#[tokio::test]
async fn a_loss_is_written_down_without_waiting_for_the_next_call() {
    let (log, memory, valve) = valved(Durability::Synced, |builder| builder);
    valve.appends(Way::Full);
    assert!(log.begin(&event()).await.is_err());
    valve.appends(Way::Open);
    eventually("a gap", || !of_kind(&memory, "gap").is_empty()).await;
    close(&log).await;
}

#[tokio::test]
async fn a_call_given_up_in_line_and_expired_in_the_queue_keeps_no_room() {
    let (log, _memory, valve) = valved(Durability::Synced, |builder| {
        builder.policy(policy("deadline = \"300ms\"")).tune(|limits| limits.queue_records = 1)
    });
    valve.appends(Way::Hang);
    let calls = valve.append_calls();
    let mut a = log.begin(&event());
    poll_once(&mut a);
    eventually("taken", || valve.append_calls() > calls).await;
    let mut b = log.begin(&event());
    poll_once(&mut b);
    let mut c = log.begin(&event());
    poll_once(&mut c);
    drop(c);
    // Long enough for the deadline of everything that is still in the queue.
    sleep(600).await;
    valve.appends(Way::Open);
    assert!(a.await.is_err());
    assert!(b.await.is_err());
    no_open_activities(&log).await;
    close(&log).await;
}
