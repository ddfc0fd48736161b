//! A policy file.

use audit_core::policy::{Level, Subject};
use audit_core::{Actor, Policy};

const PATHS: [&str; 6] = ["/", "/healthz", "/v1/refunds/42", "/v1//refunds", "/v1/%72efunds/42", "/a/../v1/refunds"];

/// A policy that loads decides about everybody, and a claim buys nothing under it.
pub(crate) fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let policy = match Policy::from_toml(text) {
        Ok(policy) => policy,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            assert!(error.position().is_some_and(|(line, column)| line >= 1 && column >= 1));
            return;
        }
    };
    assert_eq!(policy.text(), text);
    assert_eq!(policy.rules().last().map(|rule| rule.name()), Some("default"));
    let stranger = Actor::unauthenticated();
    let claimed = Actor::service_account("system:serviceaccount:payments:settler");
    for path in PATHS {
        let of = |actor| Subject::new(actor, "POST /v1/refunds/{id}").method("POST").path(path);
        let rule = policy.decide(&of(&stranger));
        assert_eq!(rule.name(), policy.decide(&of(&claimed)).name(), "a forged claim at {path}");
        let plain = !path.contains(['%']) && !path.contains("//") && !path.contains("..");
        assert!(plain || rule.level() != Level::None, "{path} goes unrecorded");
    }
    for action in ["ledger.rotate", "payments.v1.Payments/Refund"] {
        let rule = policy.decide(&Subject::new(&stranger, action));
        assert_eq!(rule.name(), policy.decide(&Subject::new(&claimed, action)).name());
    }
}
