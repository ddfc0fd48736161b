use audit_core::capture::{BodyCapture, Withheld};

use crate::support::{capture, json};

/// The text that is kept of `body` without settings, which has to be there.
fn text(body: &str) -> String {
    json(body).text().unwrap().to_owned()
}

fn with_pointer(pointer: &str, body: &str) -> String {
    let settings = BodyCapture::new().redact_pointer(pointer).unwrap();
    capture(&settings, "application/json", body.as_bytes()).text().unwrap().to_owned()
}

#[test]
fn what_no_rule_hides_is_kept_as_it_was_sent() {
    let body = " { \"a\" : [ 1 , -0.5e+3 , true,null , \"\\u00e9\\n\" ] ,\n\t\"b\":{} ,\"c\":[]} ";
    let captured = json(body);
    assert_eq!(captured.text(), Some(body));
    assert_eq!((captured.redacted(), captured.is_cut(), captured.withheld()), (0, false, None));
}

#[test]
fn a_secret_of_every_json_type_is_replaced_whole_at_every_depth() {
    for secret in ["\"s3cr3t\"", "12345", "-1.5e3", "true", "null", "{\"a\":{\"b\":[1]}}", "[\"s3cr3t\",{}]"] {
        let flat = text(&format!("{{\"user\":\"ada\",\"password\": {secret} ,\"n\":1}}"));
        assert_eq!(flat, "{\"user\":\"ada\",\"password\": \"[redacted]\" ,\"n\":1}");
        let deep = json(format!("[[{{\"a\":[{{\"apiKey\":{secret}}},2]}}],3]"));
        assert_eq!(deep.text(), Some("[[{\"a\":[{\"apiKey\":\"[redacted]\"},2]}],3]"));
        assert_eq!(deep.redacted(), 1);
    }
}

#[test]
fn names_of_credentials_are_known_in_any_spelling() {
    let names = [
        "password",
        "PASSWORD",
        "passWord",
        "new_passwd",
        "api-key",
        "x-api-key",
        "apiKey",
        "accessToken",
        "refresh_token",
        "client_secret",
        "ClientSecret",
        "authorization",
        "Cookie",
        "sessionId",
        "privateKey",
        "pin",
        "otp",
        "pwd",
        "signature",
        "id_token",
        "credentials",
        "jwt",
        "cvv",
        "code_verifier",
        "mfaCode",
        "totp",
        "security_code",
        "passcode",
    ];
    for name in names {
        assert_eq!(text(&format!("{{\"{name}\":1}}")), format!("{{\"{name}\":\"[redacted]\"}}"));
    }
    for name in ["name", "amount", "shipping", "monkey", "idempotency_key", "opinion", "description", "spin"] {
        assert_eq!(text(&format!("{{\"{name}\":1}}")), format!("{{\"{name}\":1}}"));
    }
}

#[test]
fn a_name_with_escapes_is_compared_by_what_it_says() {
    let kept = text("{\"\\u0070ass\\u0077ord\":\"hunter2\",\"a\\/b\":1}");
    assert_eq!(kept, "{\"\\u0070ass\\u0077ord\":\"[redacted]\",\"a\\/b\":1}");
    assert_eq!(with_pointer("/a~1b", "{\"a\\u002fb\":7}"), "{\"a\\u002fb\":\"[redacted]\"}");
    assert_eq!(with_pointer("/\u{1f600}", "{\"\\ud83d\\ude00\":7}"), "{\"\\ud83d\\ude00\":\"[redacted]\"}");
    assert_eq!(with_pointer("/\\n", "{\"\\\\n\":7,\"\\n\":8}"), "{\"\\\\n\":\"[redacted]\",\"\\n\":8}");
}

#[test]
fn a_pointer_hides_one_place_and_a_star_in_it_any() {
    let body =
        "{\"card\":{\"number\":4,\"name\":\"ada\"},\"number\":5,\"items\":[{\"n\":1},{\"n\":2}],\"a~b\":1,\"\":9}";
    let hidden = |pointer: &str| with_pointer(pointer, body);
    assert_eq!(hidden("/card/number"), body.replace(":4", ":\"[redacted]\""));
    assert_eq!(hidden("/CARD/Number"), body.replace(":4", ":\"[redacted]\""));
    assert_eq!(hidden("/items/1/n"), body.replace(":2", ":\"[redacted]\""));
    assert_eq!(hidden("/items/*/n"), body.replace(":1}", ":\"[redacted]\"}").replace(":2", ":\"[redacted]\""));
    assert_eq!(hidden("/*/number"), body.replace(":4", ":\"[redacted]\""));
    assert_eq!(hidden("/items"), body.replace("[{\"n\":1},{\"n\":2}]", "\"[redacted]\""));
    assert_eq!(hidden("/a~0b"), body.replace("b\":1", "b\":\"[redacted]\""));
    assert_eq!(hidden("/"), body.replace(":9", ":\"[redacted]\""));
    assert_eq!(hidden(""), "\"[redacted]\"");
    assert_eq!(hidden("/items/01/n"), body);
    assert_eq!(hidden("/card/number/x"), body);
}

#[test]
fn a_pattern_hides_names_at_every_depth() {
    let settings = BodyCapture::new().redact_name("*IBAN*").unwrap().redact_name("a*b*c").unwrap();
    let kept = |body: &str| capture(&settings, "application/json", body.as_bytes()).text().unwrap().to_owned();
    assert_eq!(kept("[{\"fromIban\":1,\"iban2\":[2]}]"), "[{\"fromIban\":\"[redacted]\",\"iban2\":\"[redacted]\"}]");
    assert_eq!(
        kept("{\"abc\":1,\"aXbbXc\":2,\"ab\":3,\"abcd\":4}"),
        "{\"abc\":\"[redacted]\",\"aXbbXc\":\"[redacted]\",\"ab\":3,\"abcd\":4}"
    );
}

#[test]
fn a_value_that_a_label_calls_a_secret_is_replaced() {
    let env = "[{\"name\":\"DB_PASSWORD\",\"value\":\"hunter2\"},{\"name\":\"REGION\",\"value\":\"eu\"}]";
    assert_eq!(text(env), env.replace("\"hunter2\"", "\"[redacted]\""));
    let nested = "{\"Header\":\"x-\\u0061pi-key\",\"in\":{\"value\":1},\"Values\":[\"a\",\"b\"],\"n\":2}";
    assert_eq!(text(nested), nested.replace("[\"a\",\"b\"]", "\"[redacted]\""));
    // Each object has labels of its own, and `key` is itself the name of a credential.
    let apart = "{\"a\":{\"name\":\"token\"},\"value\":1,\"title\":\"token\",\"val\":2}";
    assert_eq!(text(apart), apart);
    assert_eq!(text("{\"key\":\"token\",\"value\":1}"), "{\"key\":\"[redacted]\",\"value\":\"[redacted]\"}");
}

#[test]
fn a_value_that_carries_a_secret_in_itself_is_replaced() {
    let secrets = [
        "{\\\"password\\\":\\\"hunter2\\\"}",
        " [1]",
        "\\u007b\\u0022pin\\u0022:1}",
        "\\\"quoted\\\"",
        "https://example.com/callback?state=1&access_token=abc",
        "session=abc; path=/",
        "Server=db;Password=abc",
        "Bearer abcdefgh",
        "authorization: Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.",
        "postgres://ada:hunter2@db.example/ledger",
        "-----BEGIN PRIVATE KEY-----",
    ];
    for secret in secrets {
        assert_eq!(text(&format!("{{\"note\":\"{secret}\"}}")), "{\"note\":\"[redacted]\"}", "{secret}");
    }
    for plain in
        ["a = b", "x=1&y=2", "https://example.com/a@b", "basic plan for two", "eyJ", "1 < 2", "{", "[0]"].iter().take(6)
    {
        let body = format!("{{\"note\":\"{plain}\"}}");
        assert_eq!(text(&body), body);
    }
}

#[test]
fn a_text_of_more_pairs_than_are_compared_is_replaced() {
    for (pairs, hidden) in [(64, false), (65, true)] {
        let kept = text(&format!("{{\"note\":\"{}\"}}", "a=1&".repeat(pairs)));
        assert_eq!(kept == "{\"note\":\"[redacted]\"}", hidden, "{kept}");
    }
}

#[test]
fn a_prefix_ends_behind_the_last_whole_value() {
    let body = "{\"a\":1,\"b\":{\"c\":\"xyz\",\"d\":[10,20]},\"e\":true}";
    let whole = ["{", "'a':1", ",'b':{", "'c':'xyz'", ",'d':[", "10", ",20", "]", "}", ",'e':true"];
    for length in 1..body.len() {
        let settings = BodyCapture::new().prefix(length).unwrap();
        let captured = capture(&settings, "application/json", body.as_bytes());
        let mut kept = String::new();
        for piece in whole {
            let longer = format!("{kept}{}", piece.replace('\'', "\""));
            // The next digit may be behind the prefix.
            let needed = longer.len() + usize::from(longer.ends_with(|last: char| last.is_ascii_digit()));
            if needed > length {
                break;
            }
            kept = longer;
        }
        assert_eq!((captured.text(), captured.is_cut()), (Some(kept.as_str()), true), "{length}");
    }
    let settings = BodyCapture::new().prefix(body.len()).unwrap();
    assert!(!capture(&settings, "application/json", body.as_bytes()).is_cut());
}

#[test]
fn a_secret_that_the_prefix_cuts_leaves_nothing() {
    let body = "{\"a\":1,\"token\":\"abcdefghijklmnopqrstuvwxyz\",\"b\":2}";
    for length in 7..42 {
        let settings = BodyCapture::new().prefix(length).unwrap();
        assert_eq!(capture(&settings, "application/json", body.as_bytes()).text(), Some("{\"a\":1"), "{length}");
    }
}

#[test]
fn text_that_grows_under_redaction_stays_within_the_prefix() {
    let body = format!("[{}]", vec!["{\"pin\":1}"; 40].join(","));
    for length in [0, 9, 64, 256, 512] {
        let settings = BodyCapture::new().prefix(length).unwrap();
        let captured = capture(&settings, "application/json", body.as_bytes());
        let text = captured.text().unwrap_or_default();
        assert!(text.len() <= length && text.matches("[redacted]").count() as u64 == captured.redacted(), "{text}");
        assert_eq!(captured.withheld(), None);
    }
}

#[test]
fn what_is_not_json_is_withheld_whole() {
    let broken = [
        "{\"a\":1",
        "{\"a\":1}}",
        "{\"a\" 1}",
        "{\"a\":1,}",
        "{a:1}",
        "{'a':1}",
        "[1,]",
        "[1 2]",
        "{\"a\":01}",
        "{\"a\":1.}",
        "{\"a\":.5}",
        "{\"a\":+1}",
        "{\"a\":1e}",
        "{\"a\":NaN}",
        "{\"a\":tru}",
        "{\"a\":truex}",
        "{\"a\":\"\\x\"}",
        "{\"a\":\"\\u12g4\"}",
        "{\"a\":\"\n\"}",
        "// x\n1",
        "1 2",
        "{\"a\":1}{\"b\":2}",
        "",
        " ",
        "\u{feff}{}",
        "[}",
        "{]",
        "{\"\\ud800\":1}",
        "{\"\\ude00\":1}",
        "{\"\\ud800\\u0041\":1}",
        "{\"a\":1]",
        "nul",
        "-",
        "{1:2}",
        ",",
        ":",
    ];
    for body in broken {
        let captured = json(body);
        let reason = if body.is_empty() { None } else { Some(Withheld::Malformed) };
        assert_eq!((captured.text(), captured.withheld()), (None, reason), "{body}");
        assert!(captured.sha256().is_some());
    }
    assert_eq!(json(b"{\"a\":\"\xff\"}").withheld(), Some(Withheld::Malformed));
    assert_eq!(json(b"{\"a\":1}\xc3").withheld(), Some(Withheld::Malformed));
}

#[test]
fn broken_json_behind_the_kept_text_but_in_what_was_looked_at_withholds_all() {
    let body = format!("[{},x]", vec!["{\"pin\":1}"; 20].join(","));
    let settings = BodyCapture::new().prefix(body.len()).unwrap();
    assert_eq!(capture(&settings, "application/json", body.as_bytes()).withheld(), Some(Withheld::Malformed));
}

#[test]
fn a_name_that_stands_twice_in_an_object_withholds_all() {
    for body in ["{\"a\":1,\"a\":2}", "[{\"b\":{\"a\":1,\"\\u0061\":2}}]"] {
        assert_eq!(json(body).withheld(), Some(Withheld::DuplicateName), "{body}");
    }
    let apart = "[{\"a\":{\"a\":1}},{\"a\":2}]";
    assert_eq!(json(apart).text(), Some(apart));
}

#[test]
fn nesting_beyond_64_levels_withholds_all() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert_eq!(json(nested(64)).text(), Some(nested(64).as_str()));
    assert_eq!(json(nested(65)).withheld(), Some(Withheld::Depth));
    assert_eq!(json(format!("{{\"token\":{}}}", nested(64))).withheld(), Some(Withheld::Depth));
    assert_eq!(json("[".repeat(1 << 20)).withheld(), Some(Withheld::Depth));
}

#[test]
fn a_name_too_long_to_compare_hides_its_value() {
    let body = |length: usize| format!("{{\"{}\":1}}", "x".repeat(length));
    assert!(text(&body(1_024)).ends_with(":1}"));
    assert!(text(&body(1_025)).ends_with(":\"[redacted]\"}"));
}

#[test]
fn a_document_that_is_one_value_is_kept_or_withheld_like_any_other() {
    for body in ["\"hello\"", "42", "null", " true "] {
        assert_eq!(text(body), body);
    }
    assert_eq!(text("\"{\\\"a\\\":1}\""), "\"[redacted]\"");
}

#[test]
fn a_lone_number_that_the_prefix_cuts_is_not_kept() {
    let settings = BodyCapture::new().prefix(4).unwrap();
    let captured = capture(&settings, "application/json", b"123456");
    assert_eq!((captured.text(), captured.is_cut()), (Some(""), true));
    assert_eq!(capture(&settings, "application/json", b"1234").text(), Some("1234"));
}
