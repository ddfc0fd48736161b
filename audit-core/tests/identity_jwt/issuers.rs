//! Tokens as the issuers that people run make them.

use audit_core::identity::{DefaultIdentify, FirstOf, Identify, JwtIssuer, JwtVerifier};
use audit_core::policy::{Policy, Subject};
use audit_core::record::{Actor, ActorType, Principal};
use jsonwebtoken::Algorithm;
use serde_json::{Value, json};

use super::signer::{AUDIENCE, Signer, bearer, claims, claims_with, in_seconds, jwks, refused, verified};

/// Who holds a token with these claims, signed by an issuer of that name.
fn holder(algorithm: Algorithm, issuer: &str, header: &Value, claims: &Value) -> Actor {
    let signer = Signer::new(algorithm);
    let mut all = signer.header();
    all.as_object_mut().unwrap().extend(header.as_object().unwrap().clone());
    let issuer = JwtIssuer::new(issuer).audience(AUDIENCE).jwks(signer.jwks()).unwrap();
    let verifier = JwtVerifier::builder().issuer(issuer).build().unwrap();
    verified(&verifier, &signer.sign_bytes(all.to_string(), claims.to_string()))
}

#[test]
fn a_bound_kubernetes_token_names_its_service_account() {
    let actor = holder(
        Algorithm::RS256,
        "https://kubernetes.default.svc",
        &json!({}),
        &json!({
            "aud": ["https://kubernetes.default.svc", AUDIENCE], "exp": in_seconds(3_607), "iat": in_seconds(0),
            "iss": "https://kubernetes.default.svc", "jti": "5f1a", "nbf": in_seconds(0),
            "kubernetes.io": {"namespace": "payments", "node": {"name": "n1", "uid": "3"},
                "pod": {"name": "settler-7d9", "uid": "1"}, "serviceaccount": {"name": "settler", "uid": "2"},
                "warnafter": in_seconds(3_607)},
            "sub": "system:serviceaccount:payments:settler",
        }),
    );
    let expected = Actor::service_account("system:serviceaccount:payments:settler")
        .issuer("https://kubernetes.default.svc")
        .auth("jwt")
        .credential("5f1a")
        .verified();
    assert_eq!(actor, expected);
}

#[test]
fn a_legacy_kubernetes_token_is_believed_where_it_is_asked_for() {
    let signer = Signer::new(Algorithm::RS256);
    let token = signer.sign(&json!({
        "iss": "kubernetes/serviceaccount",
        "kubernetes.io/serviceaccount/namespace": "payments",
        "kubernetes.io/serviceaccount/secret.name": "settler-token-x7k2p",
        "kubernetes.io/serviceaccount/service-account.name": "settler",
        "kubernetes.io/serviceaccount/service-account.uid": "2",
        "sub": "system:serviceaccount:payments:settler",
    }));
    let issuer = JwtIssuer::new("kubernetes/serviceaccount").jwks(signer.jwks()).unwrap();
    let asked = JwtVerifier::builder().issuer(issuer.clone().legacy_kubernetes_tokens()).build().unwrap();
    let actor = verified(&asked, &token);
    assert_eq!(actor.id.as_deref(), Some("system:serviceaccount:payments:settler"));
    assert_eq!(actor.credential.as_deref(), Some("settler-token-x7k2p"));
    assert_eq!(verified(&asked, &token), actor, "the second time too");
    let not_asked = JwtVerifier::builder().issuer(issuer.any_audience()).build().unwrap();
    assert_eq!(refused(&not_asked, &token), "no expiry");
}

#[test]
fn asking_for_legacy_tokens_lets_no_other_token_do_without_expiry_and_audience() {
    let signer = Signer::new(Algorithm::ES256);
    let issuer = JwtIssuer::new("k").jwks(signer.jwks()).unwrap().legacy_kubernetes_tokens();
    let verifier = JwtVerifier::builder().issuer(issuer).build().unwrap();
    let secret = "kubernetes.io/serviceaccount/secret.name";
    for (claims, reason) in [
        (json!({"iss": "k", "sub": "a"}), "no expiry"),
        (json!({"iss": "k", "sub": "a", "exp": in_seconds(600)}), "no audience"),
        (json!({"iss": "k", "sub": "a", secret: "s", "exp": in_seconds(-600)}), "expired"),
        (json!({"iss": "k", "sub": "a", secret: "s", "aud": "another"}), "wrong audience"),
    ] {
        assert_eq!(refused(&verifier, &signer.sign(&claims)), reason, "{claims}");
    }
}

#[test]
fn client_credentials_are_the_client_and_a_resource_owner_is_a_user() {
    let issuer = "https://as.example/";
    let token = |subject: &str| {
        json!({"iss": issuer, "sub": subject, "client_id": "s6BhdRkqt3", "aud": AUDIENCE, "jti": "dbe39bf3",
               "exp": in_seconds(300), "iat": in_seconds(0), "scope": "refund"})
    };
    let header = json!({"typ": "at+jwt"});
    let client = holder(Algorithm::RS256, issuer, &header, &token("s6BhdRkqt3"));
    let expected = Actor::service_account("s6BhdRkqt3").issuer(issuer).auth("jwt").credential("dbe39bf3").verified();
    assert_eq!(client, expected);
    let owner = holder(Algorithm::PS256, issuer, &json!({"typ": "application/AT+JWT"}), &token("5ba552d67"));
    assert_eq!(owner.kind, ActorType::User);
}

#[test]
fn entra_applications_are_known_by_idtyp_and_users_stay_users() {
    let issuer = "https://login.microsoftonline.com/72f9/v2.0";
    let token = |kind: &str, more: Value| {
        let mut claims = json!({"iss": issuer, "aud": AUDIENCE, "exp": in_seconds(3_600), "nbf": in_seconds(0),
            "iat": in_seconds(0), "sub": "3f4", "oid": "3f4", "azp": "9a1", "azpacr": "2", "tid": "72f9",
            "uti": "u-1", "ver": "2.0", "idtyp": kind});
        claims.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        claims
    };
    let header = json!({"typ": "JWT", "x5t": "ignored"});
    let application = holder(Algorithm::RS256, issuer, &header, &token("app", json!({"roles": ["Refund.All"]})));
    assert_eq!((application.kind, application.id.as_deref()), (ActorType::ServiceAccount, Some("3f4")));
    assert_eq!(application.credential.as_deref(), Some("u-1"));
    let user = holder(Algorithm::RS256, issuer, &header, &token("user", json!({"scp": "Refund"})));
    assert_eq!(user.kind, ActorType::User);
}

#[test]
fn auth0_machine_tokens_are_known_by_their_grant() {
    let issuer = "https://tenant.eu.auth0.com/";
    let claims = json!({"iss": issuer, "sub": "aBc@clients", "aud": AUDIENCE, "iat": in_seconds(0),
        "exp": in_seconds(86_400), "azp": "aBc", "gty": "client-credentials", "scope": "refund"});
    let actor = holder(Algorithm::RS256, issuer, &json!({"typ": "JWT"}), &claims);
    assert_eq!((actor.kind, actor.id.as_deref()), (ActorType::ServiceAccount, Some("aBc@clients")));
}

#[test]
fn a_google_service_account_is_known_by_its_address() {
    let issuer = "https://accounts.google.com";
    let address = "settler@shop.iam.gserviceaccount.com";
    let claims = json!({"iss": issuer, "aud": AUDIENCE, "azp": "1089", "sub": "1089", "email": address,
        "email_verified": true, "iat": in_seconds(0), "exp": in_seconds(3_600)});
    let actor = holder(Algorithm::RS256, issuer, &json!({"typ": "JWT"}), &claims);
    assert_eq!((actor.kind, actor.id.as_deref()), (ActorType::ServiceAccount, Some(address)));

    let own = json!({"iss": address, "sub": address, "aud": AUDIENCE, "exp": in_seconds(3_600)});
    let actor = holder(Algorithm::RS256, address, &json!({"typ": "JWT"}), &own);
    assert_eq!((actor.kind, actor.id.as_deref()), (ActorType::ServiceAccount, Some(address)));
}

#[test]
fn a_github_workflow_acts_on_behalf_of_who_started_it() {
    let issuer = "https://token.actions.githubusercontent.com";
    let claims = json!({"iss": issuer, "aud": AUDIENCE, "sub": "repo:o/shop:ref:refs/heads/main", "jti": "9e1",
        "actor": "octocat", "actor_id": "583231", "repository": "o/shop", "event_name": "push", "run_id": "7",
        "workflow_ref": "o/shop/.github/workflows/a.yml@refs/heads/main", "runner_environment": "github-hosted",
        "nbf": in_seconds(-300), "exp": in_seconds(600), "iat": in_seconds(0)});
    let actor = holder(Algorithm::RS256, issuer, &json!({"typ": "JWT", "x5t": "ignored"}), &claims);
    let expected = Actor::service_account("repo:o/shop:ref:refs/heads/main")
        .issuer(issuer)
        .auth("jwt")
        .credential("9e1")
        .on_behalf_of(Principal::new(ActorType::User, "octocat").issuer(issuer))
        .verified();
    assert_eq!(actor, expected);
}

#[test]
fn a_delegate_acts_on_behalf_of_those_before_it_and_of_the_subject() {
    let issuer = "https://as.example";
    let claims = json!({"iss": issuer, "aud": AUDIENCE, "exp": in_seconds(60), "sub": "ada", "email": "a@example.com",
        "client_id": "front", "act": {"sub": "service77", "client_id": "service77", "act": {"sub": "service16"}}});
    let actor = holder(Algorithm::ES384, issuer, &json!({}), &claims);
    assert_eq!((actor.kind, actor.id.as_deref()), (ActorType::ServiceAccount, Some("service77")));
    let principals: Vec<_> = actor.on_behalf_of.iter().map(|one| one.id.as_str()).collect();
    assert_eq!(principals, ["service16", "ada"]);
}

fn svid(subject: &str) -> Value {
    json!({"sub": subject, "aud": [AUDIENCE], "exp": in_seconds(300), "iat": in_seconds(0)})
}

#[test]
fn who_signed_a_token_is_the_issuer_of_whom_it_names_whatever_it_says() {
    let weak = "https://weak.example";
    let settler = "system:serviceaccount:payments:settler";
    let claims = json!({"iss": weak, "aud": AUDIENCE, "exp": in_seconds(600), "sub": "anybody",
                        "act": {"sub": settler, "iss": "https://kubernetes.default.svc"}});
    let actor = holder(Algorithm::ES256, weak, &json!({}), &claims);
    assert_eq!((actor.id.as_deref(), actor.issuer.as_deref()), (Some(settler), Some(weak)));

    let strict = "[[rule]]\nname = \"trusted\"\nactor_ids = [\"system:serviceaccount:*\"]\n\
                  issuers = [\"https://kubernetes.default.svc\"]\non_failure = \"allow\"\n";
    let policy = Policy::from_toml(strict).unwrap();
    assert_eq!(policy.decide(&Subject::new(&actor, "ledger.rotate")).name(), "default");
}

#[test]
fn a_jwt_svid_is_checked_with_the_keys_of_its_trust_domain() {
    let mut signer = Signer::new(Algorithm::ES256);
    signer.jwk["use"] = json!("jwt-svid");
    let issuer = JwtIssuer::trust_domain("prod.example").audience(AUDIENCE).jwks(signer.jwks()).unwrap();
    let other = Signer::with_id(Algorithm::ES256, "other");
    let oidc = JwtIssuer::new("https://oidc.example").audience(AUDIENCE).jwks(other.jwks()).unwrap();
    let verifier = JwtVerifier::builder().issuer(issuer).issuer(oidc).build().unwrap();
    let actor = verified(&verifier, &signer.sign(&svid("spiffe://prod.example/ns/pay/sa/settler")));
    let expected = Actor::service_account("spiffe://prod.example/ns/pay/sa/settler")
        .issuer("spiffe://prod.example")
        .auth("jwt")
        .verified();
    assert_eq!(actor, expected);

    // Another issuer cannot speak for the domain, even one that is believed in its own name.
    let mut claims = svid("spiffe://prod.example/ns/pay/sa/settler");
    claims["iss"] = json!("https://oidc.example");
    assert_eq!(refused(&verifier, &other.sign(&claims)), "unknown key");
    // Nor can the domain name others by giving its own name as the issuer.
    for subject in ["spiffe://test.example/a", "spiffe://prod.example", "spiffe://prod.example:80/a", "root"] {
        let mut claims = svid(subject);
        claims["iss"] = json!("spiffe://prod.example");
        let reason = refused(&verifier, &signer.sign(&claims));
        assert_eq!(reason, "subject is not a SPIFFE ID of the trust domain", "{subject}");
    }
}

#[test]
fn a_jwt_svid_needs_an_audience_an_expiry_and_an_algorithm_of_the_standard() {
    let [elliptic, edwards] = [Algorithm::ES256, Algorithm::EdDSA].map(Signer::new);
    let issuer = JwtIssuer::trust_domain("a").audience(AUDIENCE).jwks(jwks([&elliptic, &edwards])).unwrap();
    let verifier = JwtVerifier::builder().issuer(issuer).build().unwrap();
    let with = |name: &str, value: Value| {
        let mut claims = svid("spiffe://a/b");
        claims[name] = value;
        claims
    };
    assert_eq!(refused(&verifier, &elliptic.sign(&with("aud", Value::Null))), "no audience");
    assert_eq!(refused(&verifier, &elliptic.sign(&with("exp", Value::Null))), "no expiry");
    assert_eq!(refused(&verifier, &edwards.sign(&svid("spiffe://a/b"))), "algorithm not allowed for this issuer");
    let header = json!({"alg": "ES256", "kid": "ES256", "typ": "JOSE"}).to_string();
    verified(&verifier, &elliptic.sign_bytes(header, svid("spiffe://a/b").to_string()));
}

#[test]
fn every_algorithm_is_verified_with_the_key_it_belongs_to() {
    use Algorithm::{ES256, ES384, EdDSA, PS256, PS384, PS512, RS256, RS384, RS512};
    for algorithm in [RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, EdDSA] {
        let signer = Signer::new(algorithm);
        let actor = verified(&signer.verifier(), &signer.sign(&claims()));
        assert_eq!(actor.kind, ActorType::ServiceAccount, "{algorithm:?}");
    }
    let signer = Signer::new(EdDSA);
    let header = json!({"alg": "Ed25519", "kid": "EdDSA"}).to_string();
    verified(&signer.verifier(), &signer.sign_bytes(header, claims().to_string()));
}

#[test]
fn tokens_of_unknown_issuers_are_left_to_sources_that_verify_nothing() {
    let signer = Signer::new(Algorithm::ES256);
    let verifier = JwtVerifier::builder()
        .issuer(JwtIssuer::new("https://known.example").audience(AUDIENCE).jwks(signer.jwks()).unwrap())
        .issuer(JwtIssuer::new("https://no-keys-yet.example").audience(AUDIENCE))
        .build()
        .unwrap();
    let sources = FirstOf::default().or(verifier.clone()).or(DefaultIdentify);
    for issuer in ["https://stranger.example", "https://no-keys-yet.example", "https://known.example/"] {
        let request = bearer(&signer.sign(&json!({"iss": issuer, "sub": "system:serviceaccount:a:b"})));
        assert_eq!(verifier.identify(&request), None);
        let actor = sources.identify(&request).unwrap();
        assert_eq!(actor.id.as_deref(), Some("system:serviceaccount:a:b"));
        assert!(!actor.verified);
    }
    let forged = bearer(&Signer::new(Algorithm::ES256).sign(&json!({"iss": "https://known.example", "sub": "root"})));
    let actor = sources.identify(&forged).unwrap();
    assert_eq!((actor.kind, actor.id), (ActorType::Unauthenticated, None));
}

#[test]
fn what_is_no_signed_token_is_left_to_other_sources() {
    let verifier = Signer::new(Algorithm::ES256).verifier();
    let none = super::request::Request::default();
    assert_eq!(verifier.identify(&none), None);
    assert_eq!(verifier.identify(&none.with("authorization", "Basic YTpi")), None);
    for token in ["", "opaque", "a.b", "a.b.c.d", "a.b.c.d.e"] {
        assert_eq!(verifier.identify(&bearer(token)), None, "{token}");
    }
}

#[test]
fn no_part_of_a_token_is_kept() {
    let signer = Signer::new(Algorithm::EdDSA);
    let token = signer.sign(&claims());
    let verifier = signer.verifier();
    for _ in 0..2 {
        let kept = format!("{:?} {verifier:?}", verified(&verifier, &token));
        for part in token.split('.') {
            assert!(!kept.contains(&part[..16]), "{kept}");
        }
    }
}

#[test]
fn a_rule_for_a_caller_is_for_whom_the_token_proves_to_be_that_caller() {
    let policy = Policy::from_toml(
        "[[rule]]\nname = \"settler\"\nactors = [\"service_account\"]\n\
         actor_ids = [\"system:serviceaccount:payments:*\"]\non_failure = \"allow\"\n",
    )
    .unwrap();
    let [signer, forger] = [0, 1].map(|_| Signer::new(Algorithm::EdDSA));
    let sources = FirstOf::default().or(signer.verifier()).or(DefaultIdentify);
    let rule = |token: &str| {
        let actor = sources.identify(&bearer(token)).unwrap();
        policy.decide(&Subject::new(&actor, "x")).name().to_owned()
    };
    let stranger = policy.decide(&Subject::new(&Actor::unauthenticated(), "x")).name().to_owned();
    assert_eq!(rule(&signer.sign(&claims())), "settler");
    for token in [
        forger.sign(&claims()),
        signer.sign(&claims_with(&json!({"exp": 1}))),
        signer.sign(&claims_with(&json!({"aud": "another"}))),
        signer.sign(&claims_with(&json!({"iss": "https://stranger.example"}))),
        signer.sign(&claims_with(&json!({"iss": null}))),
        signer.sign_bytes(r#"{"alg":"none"}"#, claims().to_string()),
    ] {
        assert_eq!(rule(&token), stranger);
    }
}
