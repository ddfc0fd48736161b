//! URLs and settings: what is taken, what is refused, and that no secret passes.

use std::time::Duration;

use audit_core::backend::{Backend as _, Durability, Fencing};
use audit_s3::{LockMode, Role, S3, UrlError, grants};

fn read(url: &str, options: &[(&str, &str)]) -> Result<S3, UrlError> {
    let options: Vec<_> = options.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    S3::from_url(url, &options)
}

#[test]
fn a_url_says_where_the_log_is_and_how_it_is_kept() {
    let url = "s3://audit-logs/payments/prod%201?region=eu-central-1&retention_days=400&mode=governance&linger_ms=250";
    let backend = read(url, &[("batch_bytes", "65536"), ("checkpoint_seconds", "30"), ("fencing", "detect")]);
    let backend = backend.expect("it is read");
    assert_eq!(backend.url(), "s3://audit-logs/payments/prod%201");
    assert_eq!(backend.name(), "s3");
    assert_eq!(backend.batching().linger, Duration::from_millis(250));
    assert_eq!(backend.batching().bytes, 65_536);
    let capabilities = backend.capabilities();
    assert_eq!(capabilities.append, Durability::Synced);
    assert_eq!(capabilities.fencing, Fencing::Detected);
    assert_eq!(capabilities.checkpoint_rest, Duration::from_secs(30));
    assert!(capabilities.remote);
}

#[test]
fn the_builder_sets_the_same() {
    let backend = S3::new("audit-logs", "payments/prod-1").expect("it is named");
    let backend = backend.retention(LockMode::Compliance, 400).detect_forks().linger(Duration::ZERO);
    let backend = backend.batch_bytes(usize::MAX).checkpoint_rest(Duration::from_secs(5));
    assert_eq!(backend.capabilities().append, Durability::Locked);
    assert_eq!(backend.capabilities().checkpoint_rest, Duration::from_secs(5));
    assert_eq!(backend.batching().bytes, 8 << 20, "no object is larger than readers read");
    let url = read("s3://audit-logs/payments/prod-1", &[]).expect("it is read");
    assert_eq!(url.batching().linger, Duration::from_millis(100));
    assert_eq!(url.batching().bytes, 1 << 20);
    assert_eq!(url.capabilities().checkpoint_rest, Duration::from_secs(60));
}

#[test]
fn a_url_that_names_no_log_is_refused() {
    for url in [
        "s3:/bucket/log",
        "https://bucket/log",
        "s3://",
        "s3:///log",
        "s3://bucket",
        "s3://bucket/",
        "s3://bucket/a//b",
        "s3://bucket/a/../b",
        "s3://bucket/a/%0a",
        "s3://bucket/a%2",
        "s3://bucket/%ff",
        "s3://buck et/log",
    ] {
        let refused = read(url, &[]);
        assert!(matches!(refused, Err(UrlError::Location { .. })), "{url}: {refused:?}");
    }
    let long = format!("s3://bucket/{}", "x".repeat(901));
    assert!(matches!(read(&long, &[]), Err(UrlError::Location { .. })));
    assert!(read(&long[..long.len() - 1], &[]).is_ok());
}

#[test]
fn a_secret_is_refused_wherever_it_stands() {
    for (url, option) in [
        ("s3://key:secret@bucket/log", None),
        ("s3://bucket/log?secret_access_key=x", None),
        ("s3://bucket/log", Some(("AWS_SECRET_ACCESS_KEY", "x"))),
        ("s3://bucket/log", Some(("session_token", "x"))),
        ("s3://bucket/log", Some(("password", "x"))),
        ("s3://bucket/log?endpoint=https://key:secret@host", None),
        ("s3://bucket/log?endpoint=https://key:secret/with/slashes@host", None),
    ] {
        let options: Vec<_> = option.into_iter().collect();
        let refused = read(url, &options);
        match refused {
            Err(error @ UrlError::Secret { .. }) => {
                assert!(error.to_string().contains("credentials_file"), "{error}");
                assert!(!error.to_string().contains("key:secret"), "{error}");
            }
            other => panic!("{url} {options:?}: {other:?}"),
        }
    }
}

#[test]
fn a_secret_with_a_slash_in_it_is_not_repeated_either() {
    for url in ["s3://key:secret/with/slashes@bucket/log", "S3://key:secret@bucket/log"] {
        let error = read(url, &[]).expect_err("it is no URL of a log");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}

#[test]
fn settings_that_are_unknown_doubled_or_wrong_are_refused_by_their_name() {
    let url = "s3://bucket/log?region=eu-central-1";
    assert_eq!(read(url, &[("regoin", "x")]).err(), Some(UrlError::Unknown { key: "regoin".into() }));
    assert_eq!(read(url, &[("region", "us-east-1")]).err(), Some(UrlError::Twice { key: "region".into() }));
    for (key, value) in [
        ("mode", "strict"),
        ("mode", "compliance"),
        ("retention_days", "0"),
        ("retention_days", "36501"),
        ("retention_days", "+5"),
        ("fencing", "off"),
        ("path_style", "yes"),
        ("allow_delete_right", "1"),
        ("linger_ms", "60001"),
        ("batch_bytes", "1023"),
        ("batch_bytes", "8388609"),
        ("checkpoint_seconds", "86401"),
        ("read_timeout_ms", "0"),
        ("endpoint", "127.0.0.1:7480"),
        ("endpoint", "https://"),
        ("profile", "audit"),
        ("ca_file", ""),
    ] {
        match read("s3://bucket/log", &[(key, value)]) {
            Err(UrlError::Value { key: named, .. }) => assert_eq!(named, key),
            other => panic!("{key}={value}: {other:?}"),
        }
    }
    assert!(matches!(read("s3://bucket/log", &[("region", "")]), Err(UrlError::Value { .. })));
}

#[test]
fn a_policy_names_bucket_and_prefix_and_never_allows_what_takes_away() {
    let options = [("retention_days".to_owned(), "400".to_owned())];
    for role in [Role::Writer, Role::Reader, Role::Administrator] {
        let text = grants(role, "s3://audit-logs/payments/prod-1", &options).expect("a policy");
        let policy: serde_json::Value = serde_json::from_str(&text).expect("it is JSON");
        let statements = policy["Statement"].as_array().expect("statements");
        for statement in statements {
            assert!(statement.get("Principal").is_none());
            let resource = statement["Resource"][0].as_str().expect("a resource");
            let known = ["arn:aws:s3:::audit-logs", "arn:aws:s3:::audit-logs/payments/prod-1/*"];
            assert!(known.contains(&resource), "{resource}");
            for action in statement["Action"].as_array().expect("actions") {
                let action = action.as_str().expect("an action");
                let takes = action.contains("Delete") || action.contains("Bypass");
                assert!(!takes || statement["Effect"] == "Deny", "{role:?} may {action}");
            }
        }
    }
    let writer = grants(Role::Writer, "s3://audit-logs/payments/prod-1", &options).expect("a policy");
    assert!(writer.contains(r#""s3:if-none-match": "false""#) && writer.contains(r#""399""#), "{writer}");
    assert!(writer.contains(r#""s3:object-lock-mode": "COMPLIANCE""#), "{writer}");
    let governance = [&options[..], &[("mode".to_owned(), "governance".to_owned())]].concat();
    let governance = grants(Role::Writer, "s3://audit-logs", &governance).expect("a policy");
    assert!(governance.contains(r#""s3:object-lock-mode": "GOVERNANCE""#), "{governance}");
    let options = [("fencing", "detect"), ("principal", "arn:aws:iam::1:role/x")];
    let options = options.map(|(key, value)| (key.to_owned(), value.to_owned()));
    let bucket = grants(Role::Writer, "s3://audit-logs", &options).expect("a policy");
    assert!(!bucket.contains("if-none-match") && bucket.contains("arn:aws:iam::1:role/x"), "{bucket}");
}
