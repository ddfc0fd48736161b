//! Which rule decides about whom.

#![allow(clippy::unwrap_used, reason = "what is shared between tests may fail them")]

use audit_core::Durability;
use audit_core::policy::{Level, OnFailure, Policy, Subject};
use audit_core::record::{Actor, ActorType};

const POLICY: &str = r#"
[[rule]]
name = "probes"
paths = ["/healthz", "/static/**"]
level = "none"

[[rule]]
name = "settler"
actor_ids = ["system:serviceaccount:payments:settler", "spiffe://prod/batch/*"]
paths = ["/v1/refunds/**"]
durability = "written"
on_failure = "allow"

[[rule]]
name = "machines"
actors = ["service_account", "system"]
methods = ["POST", "PUT"]
paths = ["/v1/refunds/**", "/v1/*/export"]
durability = "written"

[[rule]]
name = "reports"
paths = ["/v1/reports", "/v1/reports/*", "/v1/**/summary"]
on_failure = "allow"

[[rule]]
name = "ledger"
actions = ["ledger.*", "payments.v1.Refunds/Create"]
durability = "locked"

[[rule]]
name = "root"
paths = ["/"]
durability = "written"
"#;

fn policy() -> Policy {
    Policy::from_toml(POLICY).unwrap()
}

fn http(actor: &Actor, method: &str, path: &str) -> String {
    let action = format!("{method} {path}");
    let subject = Subject::new(actor, &action).method(method).path(path);
    policy().decide(&subject).name().to_owned()
}

fn get(path: &str) -> String {
    http(&Actor::unauthenticated(), "GET", path)
}

fn settler() -> Actor {
    Actor::service_account("system:serviceaccount:payments:settler")
}

#[test]
fn the_first_rule_that_matches_decides() {
    let machine = Actor::service_account("other").verified();
    assert_eq!(http(&settler().verified(), "POST", "/v1/refunds/1"), "settler");
    assert_eq!(http(&machine, "POST", "/v1/refunds/1"), "machines");
    assert_eq!(http(&machine, "POST", "/v1/reports/export"), "machines");
    assert_eq!(http(&machine, "GET", "/v1/reports/export"), "reports");
}

#[test]
fn whom_no_rule_matches_gets_the_default() {
    assert_eq!(get("/v1/refunds/1"), "default");
    assert_eq!(get("/v2"), "default");
    let policy = Policy::default();
    let nobody = Actor::unauthenticated();
    assert_eq!(policy.decide(&Subject::new(&nobody, "x")).name(), "default");
}

#[test]
fn a_claim_that_nobody_checked_picks_no_rule() {
    assert_eq!(http(&settler(), "POST", "/v1/refunds/1"), "default");
    let claimed = Actor::new(ActorType::System).id("spiffe://prod/batch/1");
    assert_eq!(http(&claimed, "POST", "/v1/refunds/1"), "default");
}

#[test]
fn nobody_is_verified_as_unauthenticated() {
    let odd = Actor::unauthenticated().id("spiffe://prod/batch/1").verified();
    assert_eq!(http(&odd, "POST", "/v1/refunds/1"), "default");
}

#[test]
fn actor_ids_match_whole_names_or_starts() {
    let is_settler = |actor: Actor| http(&actor.verified(), "GET", "/v1/refunds/1") == "settler";
    assert!(is_settler(settler()));
    assert!(is_settler(Actor::user("spiffe://prod/batch/7")));
    assert!(is_settler(Actor::user("spiffe://prod/batch/")));
    assert!(!is_settler(Actor::user("spiffe://prod/batch")));
    assert!(!is_settler(Actor::service_account("system:serviceaccount:payments:settler2")));
    assert!(!is_settler(Actor::new(ActorType::ServiceAccount)));
}

#[test]
fn a_star_stands_for_one_segment_and_two_for_any_number() {
    assert_eq!(get("/v1/reports"), "reports");
    assert_eq!(get("/v1/reports/a"), "reports");
    assert_eq!(get("/v1/reports/a/b"), "default");
    assert_eq!(get("/v1/summary"), "reports");
    assert_eq!(get("/v1/a/b/c/summary"), "reports");
    assert_eq!(get("/v1/a/summary/b"), "default");
    assert_eq!(get("/static"), "probes");
    assert_eq!(get("/static/a/b/c"), "probes");
    assert_eq!(get("/statics"), "default");
    assert_eq!(get("/"), "root");
}

#[test]
fn methods_match_as_they_are_sent() {
    let machine = Actor::service_account("other").verified();
    for (method, rule) in [("POST", "machines"), ("post", "default"), ("BREW", "default")] {
        assert_eq!(http(&machine, method, "/v1/refunds/1"), rule);
    }
    let action = "x";
    let subject = Subject::new(&machine, action).path("/v1/refunds/1");
    assert_eq!(policy().decide(&subject).name(), "default");
}

#[test]
fn head_is_recorded_like_get_and_left_out_only_when_named() {
    let policy = Policy::from_toml(
        "[[rule]]\nname = \"quiet\"\nmethods = [\"GET\"]\npaths = [\"/a\"]\nlevel = \"none\"\n\
         [[rule]]\nname = \"reads\"\nmethods = [\"GET\"]\n",
    )
    .unwrap();
    let nobody = Actor::unauthenticated();
    let head = |path| Subject::new(&nobody, "x").method("HEAD").path(path);
    assert_eq!(policy.decide(&head("/a")).name(), "reads");
    assert_eq!(policy.decide(&head("/b")).name(), "reads");
}

#[test]
fn actions_match_spans_and_remote_procedures_but_no_routes() {
    let nobody = Actor::unauthenticated();
    let policy = policy();
    let span = |action: &str| policy.decide(&Subject::new(&nobody, action)).name().to_owned();
    assert_eq!(span("ledger.rotate"), "ledger");
    assert_eq!(span("ledger"), "default");
    let call = Subject::new(&nobody, "payments.v1.Refunds/Create").method("POST").path("/payments.v1.Refunds/Create");
    assert_eq!(policy.decide(&call).name(), "ledger");
    let route = Subject::new(&nobody, "ledger.x /a").method("ledger.x").path("/b");
    assert_eq!(policy.decide(&route).name(), "default");
}

#[test]
fn a_rule_with_paths_is_not_for_what_has_no_path() {
    let nobody = Actor::unauthenticated();
    let policy = Policy::from_toml("[[rule]]\nname = \"all\"\npaths = [\"/**\"]\n[[rule]]\nname = \"rest\"\n").unwrap();
    assert_eq!(policy.decide(&Subject::new(&nobody, "x")).name(), "rest");
    for path in ["*", ""] {
        let subject = Subject::new(&nobody, "OPTIONS *").method("OPTIONS").path(path);
        assert_eq!(policy.decide(&subject).name(), "rest");
    }
}

#[test]
fn a_final_slash_makes_no_difference_except_to_rules_that_record_nothing() {
    assert_eq!(get("/v1/reports/"), "reports");
    assert_eq!(get("/v1/reports/a/"), "reports");
    assert_eq!(get("/healthz"), "probes");
    assert_eq!(get("/healthz/"), "default");
    assert_eq!(get("/static/"), "probes");
    assert_eq!(get("/static/a/"), "probes");
}

#[test]
fn no_odd_spelling_goes_unrecorded() {
    for path in [
        "/health%7a",
        "/static/%61",
        "/static//a",
        "//static/a",
        "/static/./a",
        "/static/.",
        "/static/..",
        "/static/../v1/refunds/1",
        "/static/%2e%2e/v1/refunds/1",
        "/static/..%2fv1/refunds/1",
        "/static/%252e%252e/v1/refunds/1",
        "/static/\\..\\v1/refunds/1",
        "/static/a%",
        "/static/a%zz",
        "/static/a%00",
        "/static/a?b",
        "/static/a#b",
        "static/a",
        "http://x/static/a",
    ] {
        let nobody = Actor::unauthenticated();
        let policy = policy();
        let subject = Subject::new(&nobody, "x").method("GET").path(path);
        let rule = policy.decide(&subject);
        assert_ne!(rule.level(), Level::None, "{path}: {}", rule.name());
    }
}

#[test]
fn dots_inside_a_segment_are_plain() {
    for path in ["/static/.well-known", "/static/a.b", "/static/...", "/static/..a"] {
        assert_eq!(get(path), "probes", "{path}");
    }
}

/// A lenient rule before a strict one, and one for nothing.
const TEMPTING: &str = r#"
[[rule]]
name = "public"
paths = ["/public/**"]
durability = "written"
on_failure = "allow"

[[rule]]
name = "admin"
paths = ["/admin/**"]
durability = "replicated"
copies = 2

[[rule]]
name = "lax"
paths = ["/**"]
durability = "accepted"
on_failure = "allow"
"#;

fn tempted(path: &str) -> String {
    let policy = Policy::from_toml(TEMPTING).unwrap();
    let nobody = Actor::unauthenticated();
    let subject = Subject::new(&nobody, "x").method("GET").path(path);
    policy.decide(&subject).name().to_owned()
}

#[test]
fn a_path_with_several_readings_gets_the_strictest_rule_of_them() {
    for path in [
        "/%61dmin/users",
        "/adm%69n/users",
        "/admin%2Fusers",
        "//admin/users",
        "/./admin/users",
        "/public/../admin/users",
        "/public/%2e%2E/admin/users",
        "/public/..%2fadmin/users",
        "/public/%252e%252e/admin/users",
        "/public/..\\admin/users",
        "/public/x%00/../../admin",
        "/public/a%",
        "admin/users",
    ] {
        assert_eq!(tempted(path), "admin", "{path}");
    }
}

#[test]
fn an_escape_that_leads_nowhere_else_keeps_its_rule() {
    for path in [
        "/public/my%20report",
        "/public/r%C3%A9sum%C3%A9",
        "/public/a%2Fb",
        "/public//a",
        "/public/./a",
        "/public/a%3Fb",
        "/public/file%2Etxt",
        "/public/a%20b/",
    ] {
        assert_eq!(tempted(path), "public", "{path}");
    }
    for path in ["/other/a%20b", "/other/a%2Fb"] {
        assert_eq!(tempted(path), "lax", "{path}");
    }
}

#[test]
fn remote_procedures_cannot_hide_behind_an_odd_path() {
    let policy = policy();
    let nobody = Actor::unauthenticated();
    let call =
        Subject::new(&nobody, "payments.v1.Refunds/%43reate").method("POST").path("/payments.v1.Refunds/%43reate");
    assert_eq!(policy.decide(&call).name(), "ledger");
}

#[test]
fn a_thousand_rules_still_decide_by_the_first_match() {
    let text: String =
        (0..1_000).map(|n| format!("[[rule]]\nname = \"r{n}\"\npaths = [\"/v1/{n}/*\", \"/*/x{n}/**\"]\n")).collect();
    let policy = Policy::from_toml(&text).unwrap();
    let nobody = Actor::unauthenticated();
    for n in 0..1_000 {
        let path = format!("/v1/{n}/a");
        let subject = Subject::new(&nobody, "x").method("GET").path(&path);
        assert_eq!(policy.decide(&subject).name(), format!("r{n}"));
    }
    let subject = Subject::new(&nobody, "x").method("GET").path("/v1/x7/a/b");
    assert_eq!(policy.decide(&subject).name(), "r7");
}

#[test]
fn an_issuer_keeps_another_from_naming_its_callers() {
    let text = r#"
[[rule]]
name = "cluster"
actor_ids = ["system:serviceaccount:payments:settler"]
issuers = ["https://kubernetes.default.svc", "spiffe://prod*"]
on_failure = "allow"
"#;
    let policy = Policy::from_toml(text).unwrap();
    let rule_of = |actor: &Actor| policy.decide(&Subject::new(actor, "x")).name().to_owned();
    let of = |issuer: &str| settler().issuer(issuer);
    assert_eq!(rule_of(&of("https://kubernetes.default.svc").verified()), "cluster");
    assert_eq!(rule_of(&of("spiffe://prod.example").verified()), "cluster");
    assert_eq!(rule_of(&of("https://kubernetes.default.svc.evil").verified()), "default");
    assert_eq!(rule_of(&settler().verified()), "default");
    assert_eq!(rule_of(&of("https://kubernetes.default.svc")), "default");
}

#[test]
fn a_spelling_that_brings_a_stricter_rule_loses_nothing_of_what_the_plain_one_asks() {
    let text = "[[rule]]\nname = \"money\"\npaths = [\"/v1/refunds/**\"]\nlevel = \"request\"\n\
                durability = \"written\"\non_failure = \"allow\"\nawait_outcome = true\n";
    let policy = Policy::from_toml(text).unwrap();
    let nobody = Actor::unauthenticated();
    let of = |path| policy.decide(&Subject::new(&nobody, "x").method("POST").path(path));
    let plain = of("/v1/refunds/42");
    assert_eq!((plain.name(), plain.level(), plain.on_failure()), ("money", Level::Request, OnFailure::Allow));
    let odd = of("/v1/%72efunds/42");
    assert_eq!((odd.name(), odd.on_failure(), odd.durability()), ("default", OnFailure::Deny, Durability::Synced));
    assert_eq!((odd.level(), odd.await_outcome()), (Level::Request, true));
    let subject = Subject::new(&nobody, "x").method("POST").path("/v1/%72efunds/42");
    assert_eq!(policy.explain(&subject).rule.level(), Level::Request);

    // What is raised is still the rule that stands in the policy, with its conditions.
    let text = format!("{text}[[rule]]\nname = \"posts\"\nmethods = [\"POST\"]\n");
    let policy = Policy::from_toml(&text).unwrap();
    let explained = policy.explain(&subject);
    assert_eq!((explained.rule.name(), explained.rule.level()), ("posts", Level::Request));
    assert_eq!(explained.rule.conditions(), policy.rules()[explained.position].conditions());
}
