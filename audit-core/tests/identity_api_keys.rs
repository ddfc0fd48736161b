//! API keys that are known by their SHA-256.

#![allow(clippy::unwrap_used, reason = "what is shared between tests may fail them")]

#[path = "identity_support/request.rs"]
mod request;

use audit_core::evidence::Hash;
use audit_core::identity::{ApiKey, ApiKeyError, ApiKeys, DefaultIdentify, FirstOf, Identify};
use audit_core::record::{Actor, ActorType};
use proptest::prelude::*;
use request::Request;

const KEY: &str = "sk_live_6ZkVq3xNf0aJtR2y";

fn entry(key: &str, holder: &str) -> ApiKey {
    let digest = Hash::digest(key.as_bytes()).to_hex();
    ApiKey::from_sha256(digest, Actor::service_account(holder)).unwrap().key_id(format!("{holder}-1"))
}

fn keys() -> ApiKeys {
    ApiKeys::new([entry(KEY, "settler"), entry("another-key", "reporter")]).unwrap()
}

fn identified(keys: &ApiKeys, name: &str, value: impl AsRef<[u8]>) -> Option<Actor> {
    let actor = keys.identify(&Request::default().with(name, value));
    assert!(!format!("{actor:?} {keys:?}").contains(KEY));
    actor
}

fn settler() -> Actor {
    Actor::service_account("settler").auth("api_key").credential("settler-1").verified()
}

fn refused(reason: &str) -> Option<Actor> {
    Some(Actor::unauthenticated().auth("api_key").reason(reason))
}

#[test]
fn a_known_key_names_its_holder() {
    let keys = keys();
    assert_eq!(identified(&keys, "X-API-Key", KEY), Some(settler()));
    assert_eq!(identified(&keys, "api-key", format!(" {KEY} ")), Some(settler()));
    let other = identified(&keys, "X-API-Key", "another-key").unwrap();
    assert_eq!(other.id.as_deref(), Some("reporter"));
    let digest = Hash::digest(b"k").to_hex().to_ascii_uppercase();
    let nameless = ApiKey::from_sha256(digest, Actor::new(ActorType::ApiKey).id("k-1")).unwrap();
    let actor = identified(&ApiKeys::new([nameless]).unwrap(), "x-api-key", "k").unwrap();
    assert_eq!(actor, Actor::new(ActorType::ApiKey).id("k-1").auth("api_key").verified());
}

#[test]
fn an_unknown_key_is_nobody_and_does_not_fall_through() {
    let digest = Hash::digest(KEY.as_bytes()).to_hex();
    for key in ["", "x", &KEY[1..], &digest, &format!("{KEY}x"), &KEY.to_ascii_lowercase()] {
        assert_eq!(identified(&keys(), "x-api-key", key), refused("unknown API key"), "{key}");
        let sources = FirstOf::default().or(keys()).or(DefaultIdentify);
        let actor = sources.identify(&Request::default().with("x-api-key", key)).unwrap();
        assert_eq!(actor.kind, ActorType::Unauthenticated);
    }
    assert_eq!(keys().identify(&Request::default()), None);
    assert_eq!(identified(&keys(), "authorization", format!("ApiKey {KEY}")), None);
}

#[test]
fn several_keys_in_one_request_are_refused() {
    let twice = Request::default().with("x-api-key", KEY).with("X-Api-Key", "another-key");
    assert_eq!(keys().identify(&twice), refused("several API keys"));
    let in_both = Request::default().with("x-api-key", KEY).with("api-key", KEY);
    assert_eq!(keys().identify(&in_both), refused("several API keys"));
    let scheme = keys().authorization_scheme("ApiKey").unwrap();
    let in_authorization = Request::default().with("x-api-key", KEY).with("authorization", "ApiKey x");
    assert_eq!(scheme.identify(&in_authorization), refused("several API keys"));
}

#[test]
fn a_key_of_more_than_4_kib_is_refused_unread() {
    let longest = "k".repeat(4_096);
    let keys = ApiKeys::new([entry(&longest, "settler")]).unwrap();
    assert_eq!(identified(&keys, "x-api-key", &longest), Some(settler()));
    assert_eq!(identified(&keys, "x-api-key", format!("{longest}k")), refused("API key longer than 4 KiB"));
}

#[test]
fn keys_come_in_other_headers_and_in_authorization() {
    let keys = keys().headers(["x-shop-token"]).unwrap().authorization_scheme("ApiKey").unwrap();
    assert_eq!(identified(&keys, "X-Shop-Token", KEY), Some(settler()));
    assert_eq!(identified(&keys, "x-api-key", KEY), None);
    assert_eq!(identified(&keys, "Authorization", format!("apikey  {KEY}")), Some(settler()));
    assert_eq!(identified(&keys, "Authorization", "ApiKey x"), refused("unknown API key"));
    assert_eq!(identified(&keys, "Authorization", format!("Bearer {KEY}")), None);
    let twice = Request::default().with("authorization", format!("ApiKey {KEY}")).with("authorization", "Basic x");
    assert_eq!(keys.identify(&twice), Some(Actor::unknown().reason("several Authorization headers")));
    let none: [&str; 0] = [];
    let only_authorization = keys.headers(none).unwrap();
    assert_eq!(identified(&only_authorization, "x-shop-token", KEY), None);
}

#[test]
fn keys_are_replaced_for_all_handles() {
    let keys = keys();
    let handle = keys.clone().headers(["x-other"]).unwrap();
    keys.set_keys([entry("new", "settler")]).unwrap();
    assert_eq!(identified(&handle, "x-other", "new"), Some(settler()));
    assert_eq!(identified(&handle, "x-other", KEY), refused("unknown API key"));
    let twice = [entry("a", "b"), entry("c", "d"), entry("a", "e")];
    assert_eq!(keys.set_keys(twice), Err(ApiKeyError::Twice { index: 2 }));
    assert_eq!(identified(&keys, "x-api-key", "new"), Some(settler()), "the keys before stay");
}

#[test]
fn mistakes_are_found_before_the_first_key_and_not_repeated() {
    for text in ["", KEY, &"g".repeat(64), &"a".repeat(63)] {
        let error = ApiKey::from_sha256(text, Actor::service_account("a")).unwrap_err();
        assert_eq!(error, ApiKeyError::Digest);
        assert!(text.is_empty() || !error.to_string().contains(text));
    }
    for name in ["", "x api", "x:y", "schlüssel", &"x".repeat(129)] {
        assert_eq!(keys().headers([name]).unwrap_err(), ApiKeyError::Name, "{name}");
        assert_eq!(keys().authorization_scheme(name).unwrap_err(), ApiKeyError::Name, "{name}");
    }
    assert!(keys().headers(["a"; 8]).is_ok());
    assert_eq!(keys().headers(["a"; 9]).unwrap_err(), ApiKeyError::Name);
    let many = (0..100_001_u32).map(|number| entry(&number.to_string(), "a"));
    assert_eq!(ApiKeys::new(many).unwrap_err(), ApiKeyError::TooManyKeys);
}

proptest! {
    #[test]
    fn no_key_but_the_known_ones_is_believed(key in prop_oneof![
        prop::collection::vec(any::<u8>(), 0..60),
        (0..KEY.len(), any::<u8>()).prop_map(|(position, byte)| {
            let mut key = KEY.as_bytes().to_vec();
            key[position] = byte;
            key
        }),
    ]) {
        let actor = keys().identify(&Request::default().with("x-api-key", &key)).unwrap();
        prop_assert_eq!(actor.verified, key.trim_ascii() == KEY.as_bytes());
    }
}
