//! Why a rule decides, and why those before it do not.

#![allow(clippy::unwrap_used, reason = "what is shared between tests may fail them")]

use audit_core::policy::{Explanation, Mismatch, Policy, Subject};
use audit_core::record::{Actor, ActorType};

const POLICY: &str = r#"
[[rule]]
name = "probes"
paths = ["/healthz", "/metrics"]
level = "none"

[[rule]]
name = "settler"
actor_ids = ["system:serviceaccount:payments:*"]
methods = ["POST"]
paths = ["/v1/refunds/**"]
durability = "written"
on_failure = "allow"
deadline = "1500ms"

[[rule]]
name = "machines"
actors = ["service_account"]
paths = ["/v1/refunds/**"]
durability = "written"
on_failure = "allow"
await_outcome = true

[[rule]]
name = "ledger"
actions = ["ledger.*"]
durability = "locked"
copies = 2
"#;

fn policy() -> Policy {
    Policy::from_toml(POLICY).unwrap()
}

/// The reasons why rules were passed over, with their names.
fn reasons<'p>(explanation: &Explanation<'p>) -> Vec<(&'p str, Vec<Mismatch>)> {
    explanation.passed_over.iter().map(|passed| (passed.rule.name(), passed.because.clone())).collect()
}

fn settler() -> Actor {
    Actor::service_account("system:serviceaccount:payments:settler")
}

#[test]
fn each_rule_before_the_winner_says_all_that_does_not_match() {
    let policy = policy();
    let user = Actor::user("ann").verified();
    let subject = Subject::new(&user, "GET /v1/refunds").method("GET").path("/v1/refunds");
    let explanation = policy.explain(&subject);
    assert_eq!((explanation.rule.name(), explanation.position), ("default", 4));
    assert!(!explanation.path_in_doubt);
    assert_eq!(
        reasons(&explanation),
        [
            ("probes", vec![Mismatch::Path]),
            ("settler", vec![Mismatch::ActorId, Mismatch::Method]),
            ("machines", vec![Mismatch::ActorType]),
            ("ledger", vec![Mismatch::HttpAction]),
        ]
    );
}

#[test]
fn rules_behind_the_winner_are_not_considered() {
    let policy = policy();
    let nobody = Actor::unauthenticated();
    let explanation = policy.explain(&Subject::new(&nobody, "GET /healthz").method("GET").path("/healthz"));
    assert_eq!(explanation.rule.name(), "probes");
    assert_eq!(reasons(&explanation), []);
}

#[test]
fn a_claim_that_nobody_checked_is_named_as_the_reason_and_changes_nothing_else() {
    let policy = policy();
    let (claimed, verified, nobody) = (settler(), settler().verified(), Actor::unauthenticated());
    let explain = |actor| {
        let subject = Subject::new(actor, "POST /v1/refunds/1").method("POST").path("/v1/refunds/1");
        let explanation = policy.explain(&subject);
        (explanation.rule.name().to_owned(), reasons(&explanation))
    };
    assert_eq!(explain(&verified).0, "settler");
    let (winner, why) = explain(&claimed);
    assert_eq!(winner, "default");
    assert_eq!(why[1], ("settler", vec![Mismatch::Unverified]));
    assert_eq!(why[2], ("machines", vec![Mismatch::Unverified]));
    assert_eq!((winner, why), explain(&nobody));
}

#[test]
fn spans_and_procedures_have_no_method_and_no_path() {
    let policy = policy();
    let actor = settler().verified();
    let explanation = policy.explain(&Subject::new(&actor, "ledger.rotate"));
    assert_eq!(explanation.rule.name(), "ledger");
    assert_eq!(
        reasons(&explanation),
        [
            ("probes", vec![Mismatch::NoPath]),
            ("settler", vec![Mismatch::NoMethod, Mismatch::NoPath]),
            ("machines", vec![Mismatch::NoPath]),
        ]
    );
    let other = policy.explain(&Subject::new(&actor, "payments.v1.Refunds/Create"));
    assert_eq!(reasons(&other)[3], ("ledger", vec![Mismatch::Action]));
}

#[test]
fn an_odd_path_gets_the_strictest_rule_that_it_may_lead_to() {
    let text = r#"
[[rule]]
name = "probes"
paths = ["/healthz"]
level = "none"

[[rule]]
name = "weak"
paths = ["/a/**"]
on_failure = "allow"

[[rule]]
name = "strict"
paths = ["/b/**"]
durability = "replicated"

[[rule]]
name = "rest"
durability = "written"
"#;
    let policy = Policy::from_toml(text).unwrap();
    let nobody = Actor::unauthenticated();
    let path = "/a/..%2fb";
    let explanation = policy.explain(&Subject::new(&nobody, "GET /a").method("GET").path(path));
    assert_eq!(explanation.rule.name(), "strict");
    assert!(explanation.path_in_doubt);
    assert_eq!(
        reasons(&explanation),
        [
            ("probes", vec![Mismatch::PathInDoubt]),
            ("weak", vec![Mismatch::NotStrictest]),
            ("rest", vec![Mismatch::NotStrictest]),
        ]
    );
}

#[test]
fn every_reason_has_a_word_and_a_sentence_of_its_own() {
    let all = [
        Mismatch::Unverified,
        Mismatch::ActorType,
        Mismatch::ActorId,
        Mismatch::Issuer,
        Mismatch::Method,
        Mismatch::NoMethod,
        Mismatch::Path,
        Mismatch::NoPath,
        Mismatch::PathInDoubt,
        Mismatch::Action,
        Mismatch::HttpAction,
        Mismatch::NotStrictest,
    ];
    let words: std::collections::BTreeSet<_> = all.iter().map(|reason| reason.as_str()).collect();
    let sentences: std::collections::BTreeSet<_> = all.iter().map(ToString::to_string).collect();
    assert_eq!((words.len(), sentences.len()), (all.len(), all.len()));
}

#[test]
fn conditions_are_told_as_they_are_applied() {
    let policy = Policy::from_toml(
        r#"
[[rule]]
name = "all of them"
actors = ["api_key", "service_account"]
actor_ids = ["a", "b*"]
issuers = ["https://issuer.example", "spiffe://*"]
methods = ["GET", "POST"]
paths = ["/", "/**", "/a b/*/c", "/a/**/z"]
actions = ["x.*"]
"#,
    )
    .unwrap();
    let owned = |list: &[&str]| list.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(
        policy.rules()[0].conditions(),
        [
            ("actors", owned(&["service_account", "api_key"])),
            ("actor_ids", owned(&["a", "b*"])),
            ("issuers", owned(&["https://issuer.example", "spiffe://*"])),
            ("methods", owned(&["GET", "POST", "HEAD"])),
            ("paths", owned(&["/", "/**", "/a b/*/c", "/a/**/z"])),
            ("actions", owned(&["x.*"])),
        ]
    );
    assert_eq!(policy.rules()[1].conditions(), []);
}

#[test]
fn what_a_rule_asks_is_told_in_words() {
    let policy = policy();
    let meaning = |at: usize| policy.rules()[at].meaning().join(" ");
    assert_eq!(meaning(0), "The call is not recorded, and goes ahead.");
    for (at, words) in [
        (1, &["written", "up to 1500ms", "goes ahead", "gap", "does not wait for the outcome"][..]),
        (2, &["written", "up to 1s", "answer waits", "another 1s"]),
        (3, &["refuses deletion", "in 2 stores", "refused", "never runs"]),
        (4, &["who did what", "stable storage", "up to 1s", "refused", "does not wait for the outcome"]),
    ] {
        for word in words {
            assert!(meaning(at).contains(word), "{word}: {}", meaning(at));
        }
    }
}

#[test]
fn a_rule_that_waits_for_nothing_does_not_promise_to_wait() {
    let text = "[[rule]]\nname = \"queue\"\ndurability = \"accepted\"\nawait_outcome = true\nlevel = \"request\"\n";
    let meaning = Policy::from_toml(text).unwrap().rules()[0].meaning().join(" ");
    for words in ["with the request's body", "as soon as the intent is queued", "does not wait for the outcome"] {
        assert!(meaning.contains(words), "{meaning}");
    }
}

#[test]
fn an_actor_type_alone_is_enough_to_be_asked_about() {
    let text = "[[rule]]\nname = \"keys\"\nactors = [\"api_key\"]\n";
    let policy = Policy::from_toml(text).unwrap();
    let key = Actor::new(ActorType::ApiKey).verified();
    assert_eq!(policy.explain(&Subject::new(&key, "x")).rule.name(), "keys");
}

#[test]
fn an_actor_of_another_issuer_is_told_so() {
    let text = "[[rule]]\nname = \"cluster\"\nactor_ids = [\"settler\"]\nissuers = [\"https://kubernetes.*\"]\n";
    let policy = Policy::from_toml(text).unwrap();
    let explain = |actor: &Actor| {
        let explanation = policy.explain(&Subject::new(actor, "x"));
        (
            explanation.rule.name().to_owned(),
            reasons(&explanation).into_iter().flat_map(|(_, because)| because).collect(),
        )
    };
    let of = |issuer: &str| Actor::service_account("settler").issuer(issuer);
    assert_eq!(explain(&of("https://kubernetes.default.svc").verified()), ("cluster".to_owned(), vec![]));
    let refused = |reason| ("default".to_owned(), vec![reason]);
    assert_eq!(explain(&of("https://accounts.example").verified()), refused(Mismatch::Issuer));
    assert_eq!(explain(&Actor::service_account("settler").verified()), refused(Mismatch::Issuer));
    assert_eq!(explain(&of("https://kubernetes.default.svc")), refused(Mismatch::Unverified));
}
