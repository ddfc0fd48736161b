//! Which headers and query parameters get into the log.

#![allow(clippy::unwrap_used, reason = "what is shared between tests may fail them")]

mod identity_support;

use audit_core::redaction::{AllowList, AllowListError};
use identity_support::{Request, bearer};

const NO_NAMES: [&str; 0] = [];

fn headers(list: &AllowList, request: &Request) -> Vec<(String, String)> {
    let pairs = list.headers(request).into_iter();
    pairs.map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
}

fn query(list: &AllowList, query: &str) -> Vec<(String, String)> {
    let pairs = list.query(query).into_iter();
    pairs.map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
}

fn pair(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

#[test]
fn nothing_is_allowed_by_default() {
    let list = AllowList::default();
    assert!(list.is_empty());
    let request = bearer("{}").with("x-request-id", "1");
    assert!(headers(&list, &request).is_empty());
    assert!(query(&list, "page=1").is_empty());
}

#[test]
fn allowed_headers_are_found_in_any_case() {
    let list = AllowList::new(["X-Request-Id", "accept"], NO_NAMES).unwrap();
    let request =
        bearer("{}").with("x-REQUEST-id", "7").with("accept", "text/html").with("ACCEPT", "*/*").with("cookie", "a=b");
    let expected = [pair("x-request-id", "7"), pair("accept", "text/html, */*")];
    assert_eq!(headers(&list, &request), expected);
}

#[test]
fn a_value_that_is_not_utf_8_is_recorded_lossily() {
    let list = AllowList::new(["x-request-id"], NO_NAMES).unwrap();
    let request = Request::default().with("x-request-id", b"a\xffb");
    assert_eq!(headers(&list, &request), [pair("x-request-id", "a\u{fffd}b")]);
}

#[test]
fn allowed_parameters_are_recorded_undecoded() {
    let list = AllowList::new(NO_NAMES, ["page", "Filter"]).unwrap();
    let expected = [pair("page", "1%202"), pair("filter", "a=b"), pair("page", "")];
    let found = query(&list, "page=1%202&code=x&FILTER=a=b&&%70age=9&page");
    assert_eq!(found, expected);
}

#[test]
fn a_parameter_repeated_many_times_costs_two_pairs() {
    let list = AllowList::new(NO_NAMES, ["page"]).unwrap();
    assert_eq!(query(&list, &"page=1&".repeat(10_000)).len(), 2);
}

#[test]
fn names_of_credentials_are_refused() {
    for name in [
        "authorization",
        "Authorization",
        "proxy-authorization",
        "cookie",
        "Set-Cookie",
        "x-api-key",
        "apikey",
        "api_key",
        "X-Access-Token",
        "accessToken",
        "id_token",
        "key",
        "client_secret",
        "password",
        "passwd",
        "pwd",
        "x-amz-security-token",
        "x-amz-signature",
        "X-Amz-Credential",
        "sig",
        "session",
        "session-id",
        "JSESSIONID",
        "sid",
        "x-auth",
        "x-csrf-token",
        "privateKey",
        "signing_keys",
        "jwt",
        "otp",
        "client_assertion",
        "x-vault-token",
        "accessKey",
    ] {
        let expected = AllowListError::Secret { name: name.to_owned() };
        assert_eq!(AllowList::new([name], NO_NAMES), Err(expected.clone()));
        assert_eq!(AllowList::new(NO_NAMES, [name]), Err(expected));
    }
}

#[test]
fn names_that_only_resemble_those_of_credentials_are_allowed() {
    for name in [
        "x-request-id",
        "accept",
        "if-match",
        "Idempotency-Key",
        "x-idempotency-key",
        "monkey",
        "author",
        "x-auth-request-user",
        "page",
        "keyword",
        "passenger",
        "shipping",
        "traceparent",
    ] {
        assert!(AllowList::new([name], [name]).is_ok(), "{name}");
    }
}

#[test]
fn names_that_nothing_has_are_refused() {
    let long = "x".repeat(129);
    for name in ["", "a b", "a:b", "a=b", "a&b", "%61", "\u{e9}", "a\nb", &long] {
        let error = AllowList::new(NO_NAMES, [name]).unwrap_err();
        assert!(matches!(error, AllowListError::Malformed { .. }), "{name}");
        assert!(!error.to_string().contains('\n'));
    }
    assert!(AllowList::new(["x".repeat(128)], NO_NAMES).is_ok());
}

#[test]
fn at_most_64_names_of_one_kind_are_taken() {
    let names = |count: usize| (0..count).map(|n| format!("h{n}"));
    assert!(AllowList::new(names(64), names(64)).is_ok());
    assert!(AllowList::new(names(64).chain(names(64)), NO_NAMES).is_ok());
    assert_eq!(AllowList::new(names(65), NO_NAMES), Err(AllowListError::TooMany));
}
