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

/// What the verifier says of its memory.
fn remembered(verifier: &JwtVerifier) -> usize {
    let text = format!("{verifier:?}");
    let (_, count) = text.rsplit_once("remembered: ").unwrap();
    count.trim_end_matches([' ', '}']).parse().unwrap()
}

#[test]
fn no_more_tokens_are_remembered_than_asked_for() {
    let signer = Signer::new(Algorithm::EdDSA);
    let tokens: Vec<_> = (0..30).map(|id| signer.sign(&claims_with(&json!({"jti": id.to_string()})))).collect();
    for (room, expected) in [(0, 0..=0), (1, 1..=1), (2, 2..=2), (7, 4..=7), (10, 6..=10), (100, 30..=30)] {
        let verifier = verifier(&signer, 60, room);
        for token in tokens.iter().chain(&tokens) {
            verified(&verifier, token);
            assert!(remembered(&verifier) <= room, "room for {room}");
        }
        assert!(expected.contains(&remembered(&verifier)), "room for {room}: {}", remembered(&verifier));
    }
}

#[test]
fn only_verified_tokens_are_remembered_and_only_as_long_as_the_keys_are_in_use() {
    let [signer, forger] = [0, 1].map(|_| Signer::new(Algorithm::EdDSA));
    let verifier = signer.verifier();
    refused(&verifier, &forger.sign(&claims()));
    refused(&verifier, &signer.sign(&claims_with(&json!({"aud": "another"}))));
    assert_eq!(remembered(&verifier), 0);
    let token = signer.sign(&claims());
    verified(&verifier, &token);
    verified(&verifier, &token);
    assert_eq!(remembered(&verifier), 1);
    verifier.set_jwks(ISSUER, signer.jwks()).unwrap();
    assert_eq!(remembered(&verifier), 0);
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
    for (length, expected) in [(4_000, 1), (4_100, 1), (8_000, 1)] {
        let token = signer.sign(&claims_with(&json!({"sub": "s".repeat(length)})));
        for _ in 0..2 {
            assert_eq!(verified(&verifier, &token).id.map(|id| id.len()), Some(length));
        }
        assert_eq!(remembered(&verifier), expected, "only the first of them");
    }
}
