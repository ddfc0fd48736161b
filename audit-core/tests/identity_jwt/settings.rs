//! What a verifier can be built with.

use std::time::Duration;

use audit_core::identity::{JwtIssuer, JwtVerifier, JwtVerifierBuilder, JwtVerifierError};
use jsonwebtoken::Algorithm;
use serde_json::json;

use super::signer::{AUDIENCE, ISSUER, Signer, claims_with, in_seconds, refused, verified};

fn error(builder: JwtVerifierBuilder) -> JwtVerifierError {
    builder.build().unwrap_err()
}

#[test]
fn mistakes_are_found_before_the_first_token() {
    let with = |issuer| JwtVerifier::builder().issuer(issuer);
    let issuer = || JwtIssuer::new(ISSUER).audience(AUDIENCE);
    let message = error(with(JwtIssuer::new(ISSUER))).to_string();
    assert!(message.contains("audience") && message.contains(ISSUER), "{message}");
    let error_of = |issuer| error(with(issuer));
    assert!(matches!(error_of(issuer().algorithms([])), JwtVerifierError::NoAlgorithm { .. }));
    assert!(matches!(error(with(issuer()).issuer(issuer())), JwtVerifierError::Twice { .. }));
    for name in ["", "Prod.example", "a/b", "a:80", "u@a", "ä"] {
        let domain = JwtIssuer::trust_domain(name).audience(AUDIENCE);
        assert!(matches!(error_of(domain), JwtVerifierError::TrustDomain { .. }), "{name}");
    }
    let domain = || JwtIssuer::trust_domain("a").audience(AUDIENCE);
    assert!(matches!(error_of(domain().any_audience()), JwtVerifierError::TrustDomain { .. }));
    assert!(matches!(error_of(domain().legacy_kubernetes_tokens()), JwtVerifierError::TrustDomain { .. }));
    assert!(matches!(error_of(JwtIssuer::trust_domain("a")), JwtVerifierError::NoAudience { .. }));
}

#[test]
fn limits_are_kept() {
    let issuer = |number: usize| JwtIssuer::new(number.to_string()).audience(AUDIENCE);
    let issuers = |count| (0..count).fold(JwtVerifier::builder(), |builder, number| builder.issuer(issuer(number)));
    assert!(issuers(256).build().is_ok());
    assert!(matches!(error(issuers(257)), JwtVerifierError::Limit { .. }));
    let audiences = |count| (0..count).fold(JwtIssuer::new("a"), |issuer, number| issuer.audience(number.to_string()));
    assert!(JwtVerifier::builder().issuer(audiences(64)).build().is_ok());
    assert!(matches!(error(JwtVerifier::builder().issuer(audiences(65))), JwtVerifierError::Limit { .. }));
    let leeway = |seconds| JwtVerifier::builder().leeway(Duration::from_secs(seconds));
    assert!(leeway(300).build().is_ok());
    assert!(matches!(error(leeway(301)), JwtVerifierError::Limit { .. }));
    assert!(JwtVerifier::builder().remembered_tokens(65_536).build().is_ok());
    assert!(matches!(error(JwtVerifier::builder().remembered_tokens(65_537)), JwtVerifierError::Limit { .. }));
}

#[test]
fn the_leeway_is_what_was_asked_for() {
    let signer = Signer::new(Algorithm::EdDSA);
    let issuer = JwtIssuer::new(ISSUER).audience(AUDIENCE).jwks(signer.jwks()).unwrap();
    let token = signer.sign(&claims_with(&json!({"exp": in_seconds(-30)})));
    let builder = JwtVerifier::builder().issuer(issuer);
    verified(&builder.clone().build().unwrap(), &token);
    let strict = builder.leeway(Duration::from_secs(10)).build().unwrap();
    assert_eq!(refused(&strict, &token), "expired");
}

#[test]
fn tokens_for_any_audience_are_believed_where_it_is_asked_for() {
    let signer = Signer::new(Algorithm::EdDSA);
    let issuer = JwtIssuer::new(ISSUER).any_audience().jwks(signer.jwks()).unwrap();
    let verifier = JwtVerifier::builder().issuer(issuer).build().unwrap();
    for changes in [json!({"aud": "another"}), json!({"aud": null})] {
        verified(&verifier, &signer.sign(&claims_with(&changes)));
    }
}
