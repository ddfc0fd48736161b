//! What the claims of an unchecked token say about a caller.

#![allow(clippy::unwrap_used, reason = "what is shared between tests may fail them")]

mod identity_support;

use audit_core::identity::{DefaultIdentify, Identify, JwtClaims};
use audit_core::policy::{Policy, Subject};
use audit_core::record::{Actor, ActorType, Principal};
use base64ct::{Base64UrlUnpadded, Encoding};
use identity_support::{Request, SIGNATURE, bearer, token};
use proptest::prelude::*;

fn identified(payload: &str) -> Actor {
    let actor = JwtClaims.identify(&bearer(payload)).unwrap();
    assert_eq!(actor.auth.as_deref(), Some("jwt"));
    assert!(!actor.verified);
    actor
}

#[test]
fn a_bound_kubernetes_token_names_its_service_account() {
    let actor = identified(
        r#"{"aud":["https://kubernetes.default.svc"],"exp":1795430400,"iat":1763894400,
            "iss":"https://kubernetes.default.svc","jti":"5f1a",
            "kubernetes.io":{"namespace":"payments","pod":{"name":"settler-7d9","uid":"1"},
            "serviceaccount":{"name":"settler","uid":"2"}},
            "nbf":1763894400,"sub":"system:serviceaccount:payments:settler"}"#,
    );
    let expected = Actor::service_account("system:serviceaccount:payments:settler")
        .issuer("https://kubernetes.default.svc")
        .auth("jwt")
        .credential("5f1a");
    assert_eq!(actor, expected);
}

#[test]
fn a_legacy_kubernetes_token_is_known_by_its_secret() {
    let actor = identified(
        r#"{"iss":"kubernetes/serviceaccount",
            "kubernetes.io/serviceaccount/namespace":"payments",
            "kubernetes.io/serviceaccount/secret.name":"settler-token-x7k2p",
            "kubernetes.io/serviceaccount/service-account.name":"settler",
            "kubernetes.io/serviceaccount/service-account.uid":"2",
            "sub":"system:serviceaccount:payments:settler"}"#,
    );
    let expected = Actor::service_account("system:serviceaccount:payments:settler")
        .issuer("kubernetes/serviceaccount")
        .auth("jwt")
        .credential("settler-token-x7k2p");
    assert_eq!(actor, expected);
}

#[test]
fn workloads_and_humans_are_told_apart() {
    use ActorType::{ServiceAccount, Unknown, User};
    for (name, kind, id, payload) in [
        ("SPIFFE", ServiceAccount, "spiffe://prod/settler", r#"{"sub":"spiffe://prod/settler","aud":["a"],"exp":1}"#),
        (
            "RFC 9068 client credentials",
            ServiceAccount,
            "s6BhdRkqt3",
            r#"{"iss":"https://as.example/","sub":"s6BhdRkqt3","client_id":"s6BhdRkqt3"}"#,
        ),
        (
            "RFC 9068 with azp",
            ServiceAccount,
            "s6BhdRkqt3",
            r#"{"iss":"https://as.example/","sub":"s6BhdRkqt3","azp":"s6BhdRkqt3"}"#,
        ),
        (
            "RFC 9068 with a resource owner",
            User,
            "5ba552d67",
            r#"{"iss":"https://as.example/","sub":"5ba552d67","client_id":"s6BhdRkqt3"}"#,
        ),
        (
            "a client that somebody logged in to",
            User,
            "s6BhdRkqt3",
            r#"{"sub":"s6BhdRkqt3","client_id":"s6BhdRkqt3","auth_time":1}"#,
        ),
        (
            "Entra ID application",
            ServiceAccount,
            "3f4",
            r#"{"sub":"3f4","oid":"3f4","idtyp":"app","azp":"9a1","tid":"t"}"#,
        ),
        (
            "Entra ID application without idtyp",
            ServiceAccount,
            "3f4",
            r#"{"sub":"3f4","oid":"3f4","appid":"9a1","roles":["A.Read"]}"#,
        ),
        (
            "Entra ID managed identity",
            ServiceAccount,
            "3f4",
            r#"{"sub":"3f4","oid":"3f4","xms_mirid":"/subscriptions/x"}"#,
        ),
        ("Entra ID user", User, "u1", r#"{"sub":"u1","oid":"3f4","idtyp":"user","scp":"A.Read","azp":"9a1"}"#),
        (
            "Entra ID user with roles",
            User,
            "u1",
            r#"{"sub":"u1","oid":"u1","roles":["Admin"],"scp":"A.Read","azp":"9a1"}"#,
        ),
        (
            "Auth0 client",
            ServiceAccount,
            "abc@clients",
            r#"{"sub":"abc@clients","azp":"abc","gty":"client-credentials"}"#,
        ),
        ("Auth0 user", User, "auth0|507f", r#"{"sub":"auth0|507f","azp":"abc","scope":"openid"}"#),
        ("Okta client", ServiceAccount, "0oa1", r#"{"sub":"0oa1","cid":"0oa1","scp":["a"]}"#),
        ("Okta user", User, "a@example.com", r#"{"sub":"a@example.com","cid":"0oa1","uid":"00u1"}"#),
        (
            "Cognito client",
            ServiceAccount,
            "1h57",
            r#"{"sub":"1h57","token_use":"access","client_id":"1h57","auth_time":1}"#,
        ),
        ("Cognito user", User, "aaaa", r#"{"sub":"aaaa","token_use":"access","client_id":"1h57","username":"eve"}"#),
        (
            "Keycloak service account",
            ServiceAccount,
            "service-account-settler",
            r#"{"sub":"d1c2","azp":"settler","preferred_username":"service-account-settler","acr":"1"}"#,
        ),
        (
            "a Keycloak user who chose such a name",
            User,
            "d1c2",
            r#"{"sub":"d1c2","azp":"web","preferred_username":"service-account-settler"}"#,
        ),
        (
            "Google service account",
            ServiceAccount,
            "job@p.iam.gserviceaccount.com",
            r#"{"iss":"https://accounts.google.com","sub":"1084","azp":"1084","email":"job@p.iam.gserviceaccount.com"}"#,
        ),
        (
            "self-signed Google token",
            ServiceAccount,
            "job@p.iam.gserviceaccount.com",
            r#"{"iss":"job@p.iam.gserviceaccount.com","sub":"job@p.iam.gserviceaccount.com"}"#,
        ),
        (
            "Google user",
            User,
            "1084",
            r#"{"iss":"https://accounts.google.com","sub":"1084","azp":"x","email":"a@example.com"}"#,
        ),
        (
            "another issuer's user with a Google address",
            User,
            "7",
            r#"{"iss":"https://evil.example","sub":"7","email":"job@p.iam.gserviceaccount.com"}"#,
        ),
        ("a subject and nothing else", Unknown, "somebody", r#"{"sub":"somebody"}"#),
    ] {
        let actor = identified(payload);
        assert_eq!(actor.kind, kind, "{name}");
        assert_eq!(actor.id.as_deref(), Some(id), "{name}");
        assert_eq!(actor.reason, None, "{name}");
    }
}

#[test]
fn github_actions_act_on_behalf_of_who_started_them() {
    for issuer in ["https://token.actions.githubusercontent.com", "https://ghes.example/_services/token"] {
        let actor = identified(&format!(
            r#"{{"iss":"{issuer}","jti":"j1","sub":"repo:o/r:ref:refs/heads/main",
                "actor":"octocat","actor_id":"1","repository":"o/r"}}"#
        ));
        let expected = Actor::service_account("repo:o/r:ref:refs/heads/main")
            .issuer(issuer)
            .auth("jwt")
            .credential("j1")
            .on_behalf_of(Principal::new(ActorType::User, "octocat").issuer(issuer));
        assert_eq!(actor, expected);
    }
    let elsewhere = identified(r#"{"iss":"https://as.example","sub":"x","actor":"octocat"}"#);
    assert!(elsewhere.on_behalf_of.is_empty());
}

#[test]
fn a_delegate_acts_on_behalf_of_the_subject() {
    let actor = identified(
        r#"{"iss":"https://as.example","sub":"user@example.com","email":"user@example.com",
            "act":{"sub":"system:serviceaccount:a:b","act":{"sub":"earlier"}}}"#,
    );
    assert_eq!(actor.kind, ActorType::ServiceAccount);
    assert_eq!(actor.id.as_deref(), Some("system:serviceaccount:a:b"));
    let earlier = Principal::new(ActorType::Unknown, "earlier").issuer("https://as.example");
    let subject = Principal::new(ActorType::User, "user@example.com").issuer("https://as.example");
    assert_eq!(actor.on_behalf_of, [earlier, subject]);
}

#[test]
fn who_acted_before_stands_between_the_actor_and_the_subject_latest_first() {
    let actor = identified(
        r#"{"iss":"https://as.example","sub":"ada","email":"ada@example.com",
            "act":{"sub":"third","iss":"https://c.example",
              "act":{"client_id":"second","act":{"sub":"spiffe://a/first"}}}}"#,
    );
    assert_eq!(actor.id.as_deref(), Some("third"));
    assert_eq!(actor.issuer.as_deref(), Some("https://c.example"));
    let principals: Vec<_> = actor.on_behalf_of.iter().map(|one| (one.kind, one.id.as_str())).collect();
    assert_eq!(
        principals,
        [
            (ActorType::ServiceAccount, "second"),
            (ActorType::ServiceAccount, "spiffe://a/first"),
            (ActorType::User, "ada")
        ]
    );
}

#[test]
fn an_unnamed_delegate_does_not_make_the_subject_act_itself() {
    let actor = identified(r#"{"sub":"system:serviceaccount:a:b","act":{}}"#);
    assert_eq!((actor.kind, actor.id.as_deref()), (ActorType::Unknown, None));
    assert_eq!(actor.on_behalf_of[0].id, "system:serviceaccount:a:b");
}

#[test]
fn more_parties_than_a_record_has_room_for_are_not_believed() {
    let chain = |parties: usize| {
        let act = (0..parties).fold("null".to_owned(), |inner, _| format!(r#"{{"sub":"a","act":{inner}}}"#));
        format!(r#"{{"sub":"ada","act":{act}}}"#)
    };
    let longest = identified(&chain(8));
    assert_eq!(longest.on_behalf_of.len(), 8);
    assert_eq!(longest.on_behalf_of[7].id, "ada");
    let longer = identified(&chain(9));
    assert_eq!(longer, Actor::unknown().auth("jwt").reason("malformed token: more than 8 parties in act"));
}

#[test]
fn claims_of_an_unexpected_type_count_as_absent() {
    let actor = identified(r#"{"sub":5,"iss":["a"],"jti":{"a":1},"client_id":null,"act":null}"#);
    assert_eq!(actor, Actor::unknown().auth("jwt"));
}

fn unreadable(request: &Request) -> String {
    let actor = JwtClaims.identify(request).unwrap();
    assert_eq!(actor.kind, ActorType::Unknown);
    assert_eq!(actor.auth.as_deref(), Some("jwt"));
    assert_eq!((&actor.id, &actor.credential), (&None, &None));
    actor.reason.unwrap()
}

#[test]
fn tokens_that_cannot_be_read_are_unknown_callers_with_a_reason() {
    let with = |value: &str| Request::default().with("authorization", value);
    for value in ["Bearer", "Bearer ", "Bearer ghp_0123456789", "Bearer a.b", "Bearer a.b.c.d", "Bearer a.b.c.d.e.f"] {
        assert_eq!(unreadable(&with(value)), "not a JSON Web Token", "{value}");
    }
    assert_eq!(unreadable(&with("Bearer a.b.c.d.e")), "encrypted token");
    for value in ["Bearer a.!.c", "Bearer a.eyJ9=.c", "Bearer a.a.c", "Bearer a.\u{e9}.c"] {
        assert!(unreadable(&with(value)).contains("base64url"), "{value}");
    }
}

#[test]
fn claims_that_are_not_one_json_object_are_malformed() {
    for payload in [
        &b""[..],
        b"{",
        b"null",
        b"[]",
        b"[\"system:serviceaccount:a:b\"]",
        b"\"sub\"",
        b"{\"sub\":\"a\"}{}",
        b"{\"sub\":\"a\",\"sub\":\"b\"}",
        b"{\"act\":{\"sub\":\"a\",\"sub\":\"b\"}}",
        b"{\"act\":[]}",
        b"{\"sub\":\"\xff\"}",
        b"{\"sub\":\"\\ud800\"}",
        b"{\"sub\":01}",
    ] {
        let reason = unreadable(&bearer(payload));
        assert!(reason.contains("JSON object"), "{reason}");
    }
}

#[test]
fn deep_claims_neither_overflow_the_stack_nor_are_believed() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let depth = 1_500;
        let deep = format!("{}1{}", open.repeat(depth), close.repeat(depth));
        let actor = JwtClaims.identify(&bearer(format!("{{\"sub\":{deep}}}"))).unwrap();
        assert_eq!((actor.kind, actor.id), (ActorType::Unknown, None));
    }
}

#[test]
fn tokens_of_up_to_16_kib_are_read() {
    let padded = |length: usize| {
        let overhead = token("{\"sub\":\"system:serviceaccount:a:b\",\"pad\":\"\"}").len();
        let pad = "x".repeat((length - overhead) / 4 * 3);
        format!("{{\"sub\":\"system:serviceaccount:a:b\",\"pad\":\"{pad}\"}}")
    };
    let fits = padded(16 * 1_024 - 8);
    assert!(token(&fits).len() <= 16 * 1_024);
    assert_eq!(identified(&fits).kind, ActorType::ServiceAccount);
    let too_long = padded(16 * 1_024 + 8);
    assert!(token(&too_long).len() > 16 * 1_024);
    assert_eq!(unreadable(&bearer(&too_long)), "token longer than 16 KiB");
}

#[test]
fn the_scheme_is_read_in_any_case_and_with_any_space() {
    let token = token(r#"{"sub":"system:serviceaccount:a:b"}"#);
    for value in [format!("bearer {token}"), format!("BEARER   {token} "), format!(" Bearer\t{token}")] {
        let request = Request::default().with("Authorization", &value);
        let actor = JwtClaims.identify(&request).unwrap();
        assert_eq!(actor.kind, ActorType::ServiceAccount, "{value:?}");
    }
}

#[test]
fn with_two_authorization_headers_none_is_believed() {
    let request = bearer(r#"{"sub":"system:serviceaccount:a:b"}"#).with("authorization", "Bearer x");
    let actor = JwtClaims.identify(&request).unwrap();
    assert_eq!((actor.kind, actor.id), (ActorType::Unknown, None));
    assert_eq!(actor.reason.as_deref(), Some("several Authorization headers"));
}

#[test]
fn other_schemes_are_none_of_its_business() {
    for value in ["Basic dTpw", "AWS4-HMAC-SHA256 Credential=x", "BearerToken x"] {
        let request = Request::default().with("authorization", value);
        assert_eq!(JwtClaims.identify(&request), None);
    }
    assert_eq!(JwtClaims.identify(&Request::default()), None);
}

/// JSON of any shape over the claims that matter.
fn hostile_json() -> impl Strategy<Value = String> {
    let name = prop_oneof![
        Just("sub"),
        Just("iss"),
        Just("jti"),
        Just("act"),
        Just("email"),
        Just("idtyp"),
        Just("azp"),
        Just("actor"),
        Just("x"),
        Just("preferred_username"),
        Just("gty"),
    ];
    let text = prop_oneof![
        Just("system:serviceaccount:a:b".to_owned()),
        Just("https://accounts.google.com".to_owned()),
        Just("job@p.iam.gserviceaccount.com".to_owned()),
        ".{0,12}",
    ];
    let leaf = prop_oneof![
        text.prop_map(|text| serde_json::to_string(&text).unwrap()),
        Just("null".to_owned()),
        Just("1e999".to_owned()),
        Just("-0".to_owned()),
        Just("\"\\ud800\"".to_owned()),
        any::<bool>().prop_map(|value| value.to_string()),
        any::<i64>().prop_map(|value| value.to_string()),
        any::<f64>().prop_map(|value| value.to_string()),
    ];
    leaf.prop_recursive(6, 48, 6, move |inner| {
        let members = prop::collection::vec((name.clone(), inner.clone()), 0..6);
        prop_oneof![
            prop::collection::vec(inner, 0..6).prop_map(|list| format!("[{}]", list.join(","))),
            members.prop_map(|members| {
                let members: Vec<_> = members.into_iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
                format!("{{{}}}", members.join(","))
            }),
        ]
    })
}

proptest! {
    #[test]
    fn no_payload_makes_identification_panic_or_verify(payload in hostile_json()) {
        let actor = DefaultIdentify.identify(&bearer(payload)).unwrap();
        prop_assert!(!actor.verified);
        prop_assert_eq!(actor.auth.as_deref(), Some("jwt"));
    }

    #[test]
    fn no_bytes_make_identification_panic_or_verify(
        payload in prop::collection::vec(any::<u8>(), 0..200),
        value in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        prop_assert!(!DefaultIdentify.identify(&bearer(payload)).unwrap().verified);
        let raw = Request::default().with("authorization", &value);
        prop_assert!(!DefaultIdentify.identify(&raw).unwrap().verified);
        let mut token = b"Bearer ".to_vec();
        token.extend_from_slice(&value);
        let raw = Request::default().with("authorization", &token);
        prop_assert!(!DefaultIdentify.identify(&raw).unwrap().verified);
    }

    #[test]
    fn no_part_of_a_token_is_kept(subject in "[a-z]{1,12}", payload in hostile_json()) {
        for payload in [format!("{{\"sub\":\"{subject}\",\"jti\":\"j\"}}"), payload] {
            let encoded = Base64UrlUnpadded::encode_string(payload.as_bytes());
            let actor = format!("{:?}", DefaultIdentify.identify(&bearer(&payload)).unwrap());
            prop_assert!(!actor.contains(SIGNATURE));
            prop_assert!(encoded.len() < 16 || !actor.contains(&encoded));
        }
    }

    #[test]
    fn a_forged_claim_picks_the_rule_of_a_stranger(
        payload in hostile_json(),
        method in prop_oneof![Just("GET"), Just("POST")],
        path in prop_oneof![Just("/a"), Just("/a/b"), Just("/c"), Just("/%61")],
    ) {
        let policy = Policy::from_toml(
            "[[rule]]\nname = \"a\"\nactors = [\"service_account\", \"unknown\"]\nlevel = \"none\"\n\
             [[rule]]\nname = \"b\"\nactor_ids = [\"system:*\"]\non_failure = \"allow\"\n\
             [[rule]]\nname = \"c\"\nactors = [\"user\", \"unauthenticated\"]\npaths = [\"/a/**\"]\n\
             [[rule]]\nname = \"d\"\nmethods = [\"GET\"]\npaths = [\"/a\"]\n",
        ).unwrap();
        let forged = DefaultIdentify.identify(&bearer(payload)).unwrap();
        let stranger = Actor::unauthenticated();
        let rule = |actor: &Actor| {
            let subject = Subject::new(actor, "x").method(method).path(path);
            policy.decide(&subject).name().to_owned()
        };
        prop_assert_eq!(rule(&forged), rule(&stranger));
    }
}
