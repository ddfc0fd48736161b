//! Callers who turn out to be somebody while their call runs.

use std::time::Duration;

use audit_core::record::{ActorType, Principal};
use audit_core::{Actor, AuditLog, Durability, Event, Memory, Outcome, Policy};
use proptest::prelude::*;
use serde_json::Value;

use crate::support::{Way, builder, close, eventually, memory, of_kind, valved};

const RULES: &str = r#"
[[rule]]
name = "settler"
actor_ids = ["settler"]
methods = ["POST"]
paths = ["/v1/refunds/**"]
durability = "synced"
await_outcome = true

[[rule]]
name = "services"
actors = ["service_account"]
durability = "synced"
on_failure = "allow"

[[rule]]
name = "people"
actors = ["user"]
durability = "accepted"
on_failure = "allow"

[[rule]]
name = "strangers"
durability = "written"
on_failure = "allow"
"#;

fn rules() -> Policy {
    Policy::from_toml(RULES).unwrap()
}

fn scene() -> (AuditLog, Memory) {
    let memory = memory();
    (builder(&memory).policy(rules()).open().unwrap(), memory)
}

fn refund() -> Event<'static> {
    Event::action("POST /v1/refunds/{id}").method("POST").path("/v1/refunds/42")
}

fn settler() -> Actor {
    Actor::service_account("settler").verified()
}

/// The outcome of a call in which `actors` are set, one after the other.
async fn outcome(event: &Event<'_>, actors: &[Actor]) -> Value {
    let (log, memory) = scene();
    let activity = log.begin(event).await.unwrap();
    for actor in actors {
        activity.current().actor(actor.clone()).unwrap();
    }
    activity.finish(Outcome::http(200));
    close(&log).await;
    of_kind(&memory, "outcome").remove(0)
}

#[tokio::test]
async fn a_verified_actor_who_brings_a_stricter_rule_is_recorded_with_it() {
    let outcome = outcome(&refund(), &[settler()]).await;
    assert_eq!(outcome["policy"], "settler");
    assert_eq!(outcome["actor"]["id"], "settler");
}

#[tokio::test]
async fn the_stricter_rule_is_that_of_the_calls_own_method_and_path() {
    let read = Event::action("GET /v1/refunds/{id}").method("GET").path("/v1/refunds/42");
    assert_eq!(outcome(&read, &[settler()]).await["policy"], "services");
    let span = Event::action("ledger.rotate");
    assert_eq!(outcome(&span, &[settler()]).await["policy"], "services");
    let odd = Event::action("POST /x").method("POST").path("/x%2f..%2fv1/refunds/42");
    assert_eq!(outcome(&odd, &[settler()]).await["policy"], "settler");
}

#[tokio::test]
async fn an_actor_never_loosens_a_rule() {
    let person = || Actor::new(ActorType::User).id("ada").verified();
    assert_eq!(outcome(&refund(), &[person()]).await.get("policy"), None);
    assert_eq!(outcome(&refund(), &[settler(), person()]).await["policy"], "settler");
    let clerk = || Actor::service_account("clerk").verified();
    assert_eq!(outcome(&refund(), &[clerk()]).await["policy"], "services");
    assert_eq!(outcome(&refund(), &[clerk(), settler()]).await["policy"], "settler");
    assert_eq!(outcome(&refund(), &[settler(), clerk()]).await["policy"], "settler");
    // Begun under the strict rule, the call stays there, and needs no second name.
    let event = refund().actor(settler());
    assert_eq!(outcome(&event, &[clerk()]).await.get("policy"), None);
}

#[tokio::test]
async fn a_rule_that_came_into_force_meanwhile_does_not_apply() {
    let (log, memory) = scene();
    let activity = log.begin(&refund()).await.unwrap();
    log.set_policy(Policy::default()).unwrap();
    activity.current().actor(settler()).unwrap();
    activity.finish(Outcome::http(200));
    close(&log).await;
    assert_eq!(of_kind(&memory, "outcome")[0]["policy"], "settler");
}

#[tokio::test]
async fn the_outcome_is_waited_for_as_the_stricter_rule_asks() {
    let (log, memory, valve) = valved(Durability::Written, |builder| {
        builder.policy(rules()).tune(|limits| limits.sync_interval = Duration::from_secs(60))
    });
    let activity = log.begin(&refund()).await.unwrap();
    assert!(!activity.awaits_outcome());
    activity.current().actor(settler()).unwrap();
    assert!(activity.awaits_outcome());
    assert_eq!(activity.rule().unwrap().name(), "strangers");
    assert_eq!(activity.tightened_rule().unwrap().name(), "settler");
    valve.syncs(Way::Hang);
    let ending = tokio::spawn(activity.finish_durably(Outcome::http(200)));
    eventually("the outcome is written", || of_kind(&memory, "outcome").len() == 1).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(!ending.is_finished());
    valve.syncs(Way::Open);
    let receipt = ending.await.unwrap().unwrap().unwrap();
    assert_eq!(receipt.durability, Durability::Synced);
    close(&log).await;
}

#[tokio::test]
async fn a_stricter_rule_that_asks_less_in_one_thing_takes_nothing_away() {
    let memory = memory();
    let policy = "[[rule]]\nname = \"denies\"\nactors = [\"user\"]\ndurability = \"accepted\"\n\
                  [[rule]]\nname = \"waits\"\ndurability = \"synced\"\non_failure = \"allow\"\nawait_outcome = true\n";
    let log = builder(&memory).policy(Policy::from_toml(policy).unwrap()).open().unwrap();
    let activity = log.begin(&refund()).await.unwrap();
    activity.current().actor(Actor::new(ActorType::User).verified()).unwrap();
    assert!(activity.awaits_outcome());
    let receipt = activity.finish_durably(Outcome::http(200)).await.unwrap().unwrap();
    assert_eq!(receipt.durability, Durability::Synced);
    close(&log).await;
    assert_eq!(of_kind(&memory, "outcome")[0]["policy"], "denies");
}

#[tokio::test]
async fn a_call_that_is_not_recorded_stays_so() {
    let memory = memory();
    let policy = "[[rule]]\nname = \"services\"\nactors = [\"service_account\"]\n\
                  [[rule]]\nname = \"nobody\"\nlevel = \"none\"\n";
    let log = builder(&memory).policy(Policy::from_toml(policy).unwrap()).open().unwrap();
    let activity = log.begin(&refund()).await.unwrap();
    activity.current().actor(settler()).unwrap();
    assert!(activity.tightened_rule().is_none() && !activity.awaits_outcome());
    activity.finish(Outcome::http(200));
    close(&log).await;
    assert!(of_kind(&memory, "intent").is_empty() && of_kind(&memory, "outcome").is_empty());
}

fn claims() -> impl Strategy<Value = Actor> {
    let id = prop_oneof![Just("settler".to_owned()), ".{0,40}"];
    let kind = proptest::sample::select(ActorType::ALL.to_vec());
    (kind, id, ".{0,20}", proptest::option::of(".{0,20}")).prop_map(|(kind, id, issuer, behalf)| {
        let mut actor = Actor::new(kind).id(id);
        actor.issuer = Some(issuer);
        actor.on_behalf_of = behalf.into_iter().map(|id| Principal::new(kind, id)).collect();
        actor
    })
}

fn paths() -> impl Strategy<Value = String> {
    prop_oneof![Just("/v1/refunds/42".to_owned()), "/v1/(refunds|%2e%2e|//|x){1,4}", "[/%.a-z0-9]{0,30}"]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_claim_that_nobody_checked_changes_no_rule(
        claims in proptest::collection::vec(claims(), 1..4), path in paths(), known in any::<bool>()
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let event = Event::action("POST /").method("POST").path(path);
            let event = if known { event.actor(Actor::service_account("clerk").verified()) } else { event };
            let (log, memory) = scene();
            let activity = log.begin(&event).await.unwrap();
            let (rule, awaits) = (activity.rule().unwrap().name().to_owned(), activity.awaits_outcome());
            for claim in &claims {
                activity.current().actor(claim.clone()).unwrap();
                assert!(activity.tightened_rule().is_none());
                assert_eq!(activity.awaits_outcome(), awaits);
            }
            activity.finish(Outcome::http(200));
            close(&log).await;
            let outcome = of_kind(&memory, "outcome").remove(0);
            assert_eq!(outcome.get("policy"), None);
            assert_eq!(of_kind(&memory, "intent")[0]["policy"], *rule);
            assert_eq!(outcome["actor"]["type"], claims.last().unwrap().kind.as_str());
        });
    }

    #[test]
    fn a_later_actor_gets_the_rule_it_would_have_had_or_the_one_there_is(path in paths(), kind in 0..ActorType::ALL.len()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (log, _memory) = scene();
            let actor = Actor::new(ActorType::ALL[kind]).id("settler").verified();
            let stranger = Event::action("POST /").method("POST").path(path.clone());
            let late = log.begin(&stranger).await.unwrap();
            late.current().actor(actor.clone()).unwrap();
            let early = log.begin(&stranger.clone().actor(actor)).await.unwrap();
            let (begun, would) = (late.rule().unwrap(), early.rule().unwrap());
            let expected = would.cmp_strictness(begun).is_gt().then(|| would.name().to_owned());
            assert_eq!(late.tightened_rule().map(|rule| rule.name().to_owned()), expected);
            late.finish(Outcome::http(200));
            early.finish(Outcome::http(200));
            close(&log).await;
        });
    }
}

#[tokio::test]
async fn who_vouches_for_the_actor_can_tighten_the_rule_as_well() {
    let rules = "[[rule]]\nname = \"cluster\"\nissuers = [\"https://kubernetes.default.svc\"]\nawait_outcome = true\n\
                 [[rule]]\nname = \"all\"\n";
    let memory = memory();
    let log = builder(&memory).policy(Policy::from_toml(rules).unwrap()).open().unwrap();
    for issuer in ["https://kubernetes.default.svc", "https://accounts.example"] {
        let activity = log.begin(&refund()).await.unwrap();
        activity.current().actor(settler().issuer(issuer)).unwrap();
        activity.finish(Outcome::http(200));
    }
    close(&log).await;
    let rules: Vec<Value> = of_kind(&memory, "outcome").iter().map(|outcome| outcome["policy"].clone()).collect();
    assert_eq!(rules, [Value::from("cluster"), Value::Null]);
}
