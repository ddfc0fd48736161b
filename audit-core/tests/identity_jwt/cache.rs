//! Tokens that were verified before.

use std::thread::sleep;
use std::time::Duration;

use audit_core::identity::{JwtIssuer, JwtVerifier};
use jsonwebtoken::Algorithm;
use serde_json::json;

use super::signer::{AUDIENCE, ISSUER, Signer, claims, claims_with, in_seconds, refused, verified};

fn verifier(signer: &Signer, leeway: u64, remembered: usize) -> JwtVerifier {
    let issuer = JwtIssuer::new(ISSUER).audience(AUDIENCE).jwks(signer.jwks()).unwrap();
    let builder = JwtVerifier::builder().issuer(issuer).leeway(Duration::from_secs(leeway));
    builder.remembered_tokens(remembered).build().unwrap()
}

#[test]
fn a_remembered_token_is_not_believed_beyond_its_expiry() {
    let signer = Signer::new(Algorithm::EdDSA);
    let verifier = verifier(&signer, 0, 8);
    let token = signer.sign(&claims_with(&json!({"exp": in_seconds(2)})));
    verified(&verifier, &token);
    verified(&verifier, &token);
    sleep(Duration::from_millis(2_100));
    assert_eq!(refused(&verifier, &token), "expired");
}

#[test]
fn with_room_for_any_number_every_token_names_its_own_holder() {
    let signer = Signer::new(Algorithm::EdDSA);
    let tokens: Vec<_> = (0..12)
        .map(|id| (format!("client-{id}"), signer.sign(&claims_with(&json!({"sub": format!("client-{id}")})))))
        .collect();
    for room in [0, 1, 2, 5, 100] {
        let verifier = verifier(&signer, 60, room);
        for _ in 0..3 {
            for (id, token) in &tokens {
                assert_eq!(verified(&verifier, token).id.as_ref(), Some(id));
            }
        }
    }
}

#[test]
fn a_remembered_token_with_another_signature_is_not_believed() {
    let [signer, forger] = [0, 1].map(|_| Signer::new(Algorithm::EdDSA));
    let verifier = signer.verifier();
    let claims = claims();
    let (token, forged) = (signer.sign(&claims), forger.sign(&claims));
    verified(&verifier, &token);
    assert_eq!(refused(&verifier, &forged), "signature does not match");
    verified(&verifier, &token);
}

#[test]
fn a_token_with_long_names_is_believed_each_time() {
    let signer = Signer::new(Algorithm::EdDSA);
    let verifier = signer.verifier();
    for length in [4_000, 4_100, 8_000] {
        let token = signer.sign(&claims_with(&json!({"sub": "s".repeat(length)})));
        for _ in 0..2 {
            assert_eq!(verified(&verifier, &token).id.map(|id| id.len()), Some(length));
        }
    }
}
