//! `audit grants`: what is printed, and what is refused.

#![allow(clippy::expect_used, reason = "what is shared between tests may fail them")]

mod sample;

use sample::{audit, code, json, text};

const URLS: [(&str, &str, bool); 3] = [
    ("s3", "s3://bucket/fleet/log", cfg!(feature = "s3")),
    ("nats", "nats://127.0.0.1:4222/STREAM/log", cfg!(feature = "nats")),
    ("postgres", "postgres://payments@127.0.0.1:5432/audit/log", cfg!(feature = "postgres")),
];

#[test]
fn rights_are_printed_and_nothing_else() {
    for (store, url, built_in) in URLS {
        for role in ["writer", "reader", "administrator"] {
            let output = audit(&["grants", store, "--role", role, url]);
            if !built_in {
                assert_eq!(code(&output), 2);
                let said = text(&output.stderr);
                assert!(
                    said.contains(&format!("built without {store}://: build it with the cargo feature `{store}`")),
                    "{said}"
                );
                continue;
            }
            assert_eq!((code(&output), output.stderr.len()), (0, 0), "{}", text(&output.stderr));
            let printed = text(&output.stdout);
            let as_json = json(&audit(&["grants", store, "--role", role, url, "--json"]));
            assert_eq!((&as_json["store"], &as_json["role"]), (&store.into(), &role.into()));
            assert_eq!(as_json["grants"].as_str().expect("text").trim_end(), printed.trim_end());
        }
    }
}

#[test]
#[cfg(feature = "s3")]
fn settings_of_the_store_are_passed_on() {
    let principal = "arn:aws:iam::123456789012:role/payments";
    let output =
        audit(&["grants", "s3", "--role", "writer", "s3://bucket/log", "--set", &format!("principal={principal}")]);
    assert_eq!(code(&output), 0);
    let policy: serde_json::Value = serde_json::from_slice(&output.stdout).expect("a policy is JSON");
    assert_eq!(policy["Statement"][0]["Principal"]["AWS"][0], principal);
}

#[test]
fn what_gives_no_rights_is_refused_in_one_sentence() {
    let cases: [(&[&str], &str); 5] = [
        (
            &["grants", "s3", "--role", "writer", "nats://host/STREAM/log"],
            "grants s3 takes a URL that begins with `s3://`",
        ),
        (&["grants", "s3", "--role", "writer", "/var/lib/audit"], "grants s3 takes a URL"),
        (
            &["grants", "postgres", "--role", "owner", "postgres://a@b/c"],
            "possible values: writer, reader, administrator",
        ),
        (&["grants", "s3", "--role", "writer", "s3://bucket/log", "--set", "principal"], "write it as NAME=VALUE"),
        (&["grants", "ftp", "--role", "writer", "ftp://x"], "possible values: s3, nats, postgres"),
    ];
    for (arguments, sentence) in cases {
        let output = audit(arguments);
        assert_eq!((code(&output), output.stdout.len()), (2, 0), "{arguments:?}");
        assert!(text(&output.stderr).contains(sentence), "{}", text(&output.stderr));
    }
}

#[test]
fn a_secret_on_the_command_line_is_refused_and_not_repeated() {
    for (store, url, _) in URLS.into_iter().filter(|(store, _, built_in)| *built_in && *store != "s3") {
        let url = url.replacen("://", "://x:hunter2@", 1).replacen("@payments@", "@", 1);
        for arguments in [&["verify", &url][..], &["tail", &url], &["grants", store, "--role", "writer", &url]] {
            let output = audit(arguments);
            assert_eq!(code(&output), 2, "{arguments:?}");
            let said = text(&output.stdout) + &text(&output.stderr);
            assert!(!said.contains("hunter2"), "{said}");
        }
    }
}
