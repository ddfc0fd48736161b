use std::time::Duration;

use audit_core::backend::Capabilities;
use audit_core::log::OpenError;
use audit_core::{AuditLog, Durability, Key, Memory, Policy};

use crate::support::{builder, close, key, memory, of_kind, policy};

#[test]
fn a_log_needs_a_key_and_a_backend() {
    let error = AuditLog::builder("test.example").backend(memory()).open().unwrap_err();
    assert!(error.to_string().contains("audit keygen"), "{error}");
    let error = AuditLog::builder("test.example").key(key()).open().unwrap_err();
    assert!(error.to_string().contains("backend"), "{error}");
}

#[test]
fn an_origin_that_no_checkpoint_can_carry_is_refused() {
    for origin in ["", "a b", "a+b", "a\nb", &"x".repeat(201)] {
        let error = AuditLog::builder(origin).key(key()).backend(memory()).open().unwrap_err();
        assert!(matches!(error, OpenError::Configuration { .. }), "{origin:?}: {error}");
    }
}

#[test]
fn a_rule_that_the_backend_cannot_satisfy_is_refused_when_the_log_opens() {
    let weak = Memory::promising(Durability::Written);
    let error = builder(&weak).policy(Policy::default()).open().unwrap_err();
    assert!(matches!(&error, OpenError::Unsatisfiable { wanted: Durability::Synced, .. }), "{error}");
    let error = builder(&memory()).policy(policy("copies = 2")).open().unwrap_err();
    assert!(matches!(&error, OpenError::Unsatisfiable { rule, .. } if rule == "test"), "{error}");
    assert!(
        Capabilities::new(Durability::Written, Durability::Synced, audit_core::backend::Fencing::None)
            .can_reach(Durability::Synced)
    );
}

#[test]
fn a_rule_that_asks_for_bodies_is_refused_because_nothing_captures_them() {
    let error = builder(&memory()).policy(policy("level = \"request\"")).open().unwrap_err();
    assert!(error.to_string().contains("`test`"), "{error}");
}

#[test]
fn limits_that_would_record_nothing_are_refused() {
    let zero = |change: fn(&mut audit_core::log::LogLimits)| builder(&memory()).tune(change).open().unwrap_err();
    for error in [
        zero(|limits| limits.queue_records = 0),
        zero(|limits| limits.activities = 0),
        zero(|limits| limits.batch_bytes = 0),
        zero(|limits| limits.checkpoint_records = 0),
        zero(|limits| limits.checkpoint_interval = Duration::ZERO),
        zero(|limits| limits.outcome_bytes = 10),
        zero(|limits| limits.record.line = 100_000),
    ] {
        assert!(matches!(error, OpenError::Configuration { .. }), "{error}");
    }
}

#[tokio::test]
async fn a_log_is_opened_only_with_its_own_key_and_origin() {
    let memory = memory();
    let own = key();
    close(&builder(&memory).key(own.clone()).open().unwrap()).await;
    let error = builder(&memory).key(Key::generate("test.example").unwrap()).open().unwrap_err();
    assert!(matches!(error, OpenError::WrongKey { .. }), "{error}");
    let error = AuditLog::builder("other.example/log").key(own.clone()).backend(memory.clone()).open().unwrap_err();
    assert!(matches!(error, OpenError::WrongKey { .. }), "{error}");
    close(&builder(&memory).key(own).open().unwrap()).await;
}

#[tokio::test]
async fn the_first_record_says_who_writes_under_which_rules() {
    let memory = memory();
    let rules = policy("level = \"metadata\"");
    let digest = rules.digest().to_string();
    let log = builder(&memory).policy(rules).open().unwrap();
    close(&log).await;
    let opened = &of_kind(&memory, "log.opened")[0];
    assert_eq!(opened["policy_sha256"], digest.as_str());
    assert_eq!(opened["key"], log.verifier_key().to_string());
    assert_eq!(opened["pid"], std::process::id());
    assert_eq!(opened["format"], 1);
    assert_eq!(opened["heartbeat_s"], 60);
    assert_eq!(opened["checkpoint_records"], 1_024);
}

#[test]
fn the_implicit_last_rule_asks_nothing_of_a_store_where_an_earlier_rule_decides_about_every_call() {
    let memory = Memory::promising(Durability::Replicated);
    let opening = |rules: &str| builder(&memory).policy(Policy::from_toml(rules).unwrap()).open();
    let every_call = "[[rule]]\nname = \"all\"\ndurability = \"replicated\"\n";
    opening(every_call).unwrap();
    let refused = opening(&format!("{every_call}methods = [\"POST\"]\n")).unwrap_err().to_string();
    assert!(refused.contains("policy rule `default` asks for `synced`"), "{refused}");
    // It decides about oddly spelled paths, which a rule that records nothing does not match.
    let nothing = "[[rule]]\nname = \"none\"\nlevel = \"none\"\n";
    let refused = opening(nothing).unwrap_err().to_string();
    assert!(refused.contains("`default`"), "{refused}");
}
