//! What a policy file may say, and what is refused, where, and with which advice.

#![allow(clippy::unwrap_used, reason = "what is shared between tests may fail them")]

use std::time::Duration;

use audit_core::backend::Durability;
use audit_core::evidence::Hash;
use audit_core::policy::{Level, Mistake, OnFailure, Policy, PolicyError};

/// The example of the documentation.
const EXAMPLE: &str = r#"
[[rule]]
name = "probes"
paths = ["/healthz", "/metrics"]
level = "none"

[[rule]]
name = "money"
actors = ["service_account"]
actor_ids = ["system:serviceaccount:payments:*", "spiffe://prod/settler"]
methods = ["POST", "PUT", "PATCH", "DELETE"]
paths = ["/v1/refunds/**"]
actions = ["payments.v1.Refunds/*"]
level = "metadata"
durability = "replicated"
copies = 2
on_failure = "deny"
deadline = "500ms"
await_outcome = true
"#;

/// Line, column and mistake for which `text` is refused.
fn refused(text: &str) -> (usize, usize, Mistake) {
    match Policy::from_toml(text) {
        Err(PolicyError::Invalid { line, column, mistake, .. }) => (line, column, mistake),
        other => panic!("not refused: {other:?}"),
    }
}

fn rule_with(fields: &str) -> String {
    format!("[[rule]]\nname = \"a\"\n{fields}\n")
}

#[test]
fn the_documented_example_says_what_it_looks_like() {
    let policy = Policy::from_toml(EXAMPLE).unwrap();
    let [probes, money, last] = policy.rules() else { panic!("three rules") };
    assert_eq!((probes.name(), probes.level()), ("probes", Level::None));
    assert_eq!((money.name(), money.level()), ("money", Level::Metadata));
    assert_eq!(money.durability(), Durability::Replicated);
    assert_eq!(money.copies(), 2);
    assert_eq!(money.on_failure(), OnFailure::Deny);
    assert_eq!(money.deadline(), Duration::from_millis(500));
    assert!(money.await_outcome());
    assert_eq!(last.name(), "default");
}

#[test]
fn every_policy_ends_with_the_strict_default() {
    for policy in [Policy::default(), Policy::observe(), Policy::from_toml(EXAMPLE).unwrap()] {
        let last = policy.rules().last().unwrap();
        assert_eq!(last.name(), "default");
        assert_eq!(last.level(), Level::Metadata);
        assert_eq!(last.durability(), Durability::Synced);
        assert_eq!(last.copies(), 1);
        assert_eq!(last.on_failure(), OnFailure::Deny);
        assert_eq!(last.deadline(), Duration::from_secs(1));
        assert!(!last.await_outcome());
    }
}

#[test]
fn a_rule_that_says_nothing_asks_as_much_as_the_default() {
    let policy = Policy::from_toml("[[rule]]\nname = \"all\"\n").unwrap();
    let [all, last] = policy.rules() else { panic!("two rules") };
    assert_eq!(all.level(), last.level());
    assert!(all.cmp_strictness(last).is_eq());
    assert_eq!(all.deadline(), last.deadline());
}

#[test]
fn observe_refuses_nothing_and_its_text_loads_as_the_same_policy() {
    let preset = Policy::observe();
    let loaded = Policy::from_toml(preset.text()).unwrap();
    for policy in [&preset, &loaded] {
        let rule = &policy.rules()[0];
        assert_eq!(rule.name(), "observe");
        assert_eq!(rule.level(), Level::Metadata);
        assert_eq!(rule.durability(), Durability::Written);
        assert_eq!(rule.on_failure(), OnFailure::Allow);
        assert_eq!(rule.deadline(), Duration::from_secs(1));
    }
    assert_eq!(preset.digest(), loaded.digest());
}

#[test]
fn the_digest_is_the_sha256_of_the_text() {
    let policy = Policy::from_toml(EXAMPLE).unwrap();
    assert_eq!(policy.text(), EXAMPLE);
    assert_eq!(policy.digest(), Hash::digest(EXAMPLE.as_bytes()));
    assert_ne!(Policy::default().digest(), Policy::observe().digest());
}

#[test]
fn a_policy_that_asks_for_bodies_names_the_rule() {
    assert_eq!(Policy::default().needs_body_capture(), None);
    assert_eq!(Policy::from_toml(EXAMPLE).unwrap().needs_body_capture(), None);
    for level in ["request", "request_response"] {
        let text = rule_with(&format!("level = \"{level}\""));
        let policy = Policy::from_toml(&text).unwrap();
        assert_eq!(policy.needs_body_capture(), Some("a"));
    }
}

#[test]
fn an_empty_file_is_refused() {
    assert_eq!(refused(""), (1, 1, Mistake::Empty));
    assert_eq!(refused(" \n\t\n"), (1, 1, Mistake::Empty));
}

#[test]
fn a_file_without_rules_is_refused() {
    assert_eq!(refused("# to do\n"), (1, 1, Mistake::NoRules));
    assert_eq!(refused("rule = []\n"), (1, 8, Mistake::NoRules));
}

#[test]
fn text_that_is_not_toml_is_refused_where_it_goes_wrong() {
    let (line, column, mistake) = refused("[[rule]]\nname = \"a\"\nlevel = = \"none\"\n");
    assert_eq!((line, column), (3, 9));
    assert!(matches!(mistake, Mistake::Syntax { .. }));
    let (line, _, mistake) = refused("[[rule]]\nname = \"a\"\nname = \"b\"\n");
    assert_eq!(line, 3);
    assert!(matches!(mistake, Mistake::Syntax { .. }));
}

#[test]
fn an_unknown_key_is_refused_where_it_stands() {
    let (line, column, mistake) = refused(&rule_with("level = \"metadata\"\n  path = [\"/a\"]"));
    assert_eq!((line, column), (4, 3));
    assert!(matches!(mistake, Mistake::UnknownKey { key, .. } if key == "path"));
    let (line, column, mistake) = refused("[[rules]]\nname = \"a\"\n");
    assert_eq!((line, column), (1, 3));
    assert!(matches!(mistake, Mistake::UnknownKey { key, .. } if key == "rules"));
}

#[test]
fn columns_count_characters_and_not_bytes() {
    let (line, column, _) = refused("rule = [{ name = \"a\", \"ключ\" = 1, zzz = 2 }]");
    assert_eq!((line, column), (1, 23));
    let (line, column, _) = refused("rule = [{ name = \"ё\" }]");
    assert_eq!((line, column), (1, 18));
}

#[test]
fn a_single_bracket_table_is_refused_with_advice() {
    let (line, _, mistake) = refused("[rule]\nname = \"a\"\n");
    assert_eq!(line, 1);
    assert!(mistake.to_string().contains("[[rule]]"), "{mistake}");
}

#[test]
fn a_value_of_the_wrong_type_is_refused() {
    for fields in [
        "level = 1",
        "durability = [\"synced\"]",
        "copies = \"2\"",
        "copies = 1.5",
        "on_failure = true",
        "deadline = 500",
        "await_outcome = \"yes\"",
        "paths = \"/a\"",
        "paths = [1]",
        "methods = [[\"GET\"]]",
        "actors = { service_account = true }",
    ] {
        let (line, _, mistake) = refused(&rule_with(fields));
        assert_eq!(line, 3, "{fields}");
        assert!(matches!(mistake, Mistake::WrongType { .. }), "{fields}");
    }
    let (line, _, mistake) = refused("[[rule]]\nname = 7\n");
    assert_eq!(line, 2);
    assert!(matches!(mistake, Mistake::WrongType { key: "name", .. }));
}

#[test]
fn a_rule_without_a_name_is_refused_at_its_table() {
    let (line, _, mistake) = refused("# first\n\n[[rule]]\nlevel = \"metadata\"\n");
    assert_eq!((line, mistake), (3, Mistake::NoName));
}

#[test]
fn a_name_that_cannot_be_printed_or_is_too_long_is_refused() {
    let long = "n".repeat(65);
    for name in ["", " a", "a ", "a\\tb", "a\\u001b[31m", "ключ", &long] {
        let (line, column, mistake) = refused(&format!("[[rule]]\nname = \"{name}\"\n"));
        assert_eq!((line, column), (2, 8), "{name}");
        assert!(matches!(mistake, Mistake::BadName { .. }), "{name}");
        assert!(!mistake.to_string().contains('\u{1b}'));
    }
    let longest = format!("[[rule]]\nname = \"{}\"\n", "n".repeat(64));
    assert!(Policy::from_toml(&longest).is_ok());
}

#[test]
fn the_name_of_the_implicit_rule_cannot_be_taken() {
    let (line, column, mistake) = refused("[[rule]]\nname = \"default\"\n");
    assert_eq!((line, column, mistake), (2, 8, Mistake::ReservedName));
}

#[test]
fn a_name_given_twice_is_refused_the_second_time() {
    let (line, column, mistake) =
        refused("[[rule]]\nname = \"a\"\nmethods = [\"GET\"]\n[[rule]]\nmethods = [\"PUT\"]\nname = \"a\"\n");
    assert_eq!((line, column), (6, 8));
    assert_eq!(mistake, Mistake::DuplicateName { name: "a".into() });
}

#[test]
fn unknown_words_are_refused_with_the_known_ones() {
    for (fields, known) in [
        ("level = \"all\"", "request_response"),
        ("durability = \"safe\"", "replicated"),
        ("on_failure = \"panic\"", "allow"),
        ("actors = [\"robot\"]", "service_account"),
        ("actors = [\"Service_Account\"]", "service_account"),
    ] {
        let (line, _, mistake) = refused(&rule_with(fields));
        assert_eq!(line, 3, "{fields}");
        assert!(matches!(mistake, Mistake::UnknownWord { .. }), "{fields}: {mistake}");
        assert!(mistake.to_string().contains(known), "{mistake}");
    }
}

#[test]
fn an_element_of_a_list_is_refused_where_it_stands() {
    let (line, column, _) = refused(&rule_with("actors = [\n  \"user\",\n  \"robot\",\n]"));
    assert_eq!((line, column), (5, 3));
}

#[test]
fn a_list_that_is_empty_or_too_long_is_refused() {
    for key in ["actors", "actor_ids", "issuers", "methods", "paths", "actions"] {
        let (line, _, mistake) = refused(&rule_with(&format!("{key} = []")));
        assert_eq!(line, 3);
        assert!(matches!(mistake, Mistake::EmptyList { .. }), "{key}");
    }
    let list = |length: usize| {
        let elements: Vec<_> = (0..length).map(|n| format!("\"/{n}\"")).collect();
        rule_with(&format!("paths = [{}]", elements.join(", ")))
    };
    assert!(Policy::from_toml(&list(256)).is_ok());
    let (_, _, mistake) = refused(&list(257));
    assert!(matches!(mistake, Mistake::LongList { key: "paths" }));
}

#[test]
fn methods_that_are_never_sent_are_refused() {
    for method in ["post", "Get", "", "*", "GE T", "GET\\n", "ПОСТ"] {
        let (_, _, mistake) = refused(&rule_with(&format!("methods = [\"{method}\"]")));
        assert!(matches!(mistake, Mistake::BadMethod { .. }), "{method}");
    }
    let custom = rule_with("methods = [\"PROPFIND\", \"M-SEARCH\", \"purge\"]");
    assert!(Policy::from_toml(&custom).is_ok());
}

#[test]
fn more_than_63_different_methods_are_refused() {
    let list = |length: usize| {
        let methods: Vec<_> = (0..length).map(|n| format!("\"M{n}\"")).collect();
        rule_with(&format!("methods = [{}]", methods.join(", ")))
    };
    assert!(Policy::from_toml(&list(63)).is_ok());
    assert_eq!(refused(&list(64)).2, Mistake::TooManyMethods);
}

#[test]
fn patterns_that_do_not_mean_what_they_look_like_are_refused() {
    let long = format!("/{}", "a".repeat(1_024));
    let deep = "/a".repeat(33);
    for path in [
        "",
        "v1/refunds",
        "*",
        "/v1/refunds/",
        "/v1//refunds",
        "/v1/./refunds",
        "/v1/../refunds",
        "/v1/re*",
        "/v1/***",
        "/**/a/**",
        "/v1/re%66unds",
        "/v1/refunds/{id}",
        "/v1/refunds?all",
        "/v1/refunds#top",
        "/v1\\\\refunds",
        "/v1/\\u0000",
        &long,
        &deep,
    ] {
        let (line, column, mistake) = refused(&rule_with(&format!("paths = [\"{path}\"]")));
        assert_eq!((line, column), (3, 10), "{path}");
        assert!(matches!(mistake, Mistake::BadPattern { .. }), "{path}");
    }
    for key in ["actor_ids", "issuers", "actions"] {
        for pattern in ["", "a*b", "*a", "a**", "a\\u0007"] {
            let (_, _, mistake) = refused(&rule_with(&format!("{key} = [\"{pattern}\"]")));
            assert!(matches!(mistake, Mistake::BadPattern { .. }), "{key} {pattern}");
        }
    }
    for action in ["POST /v1/refunds/{id}", "/payments.v1.Refunds/Create"] {
        let (_, _, mistake) = refused(&rule_with(&format!("actions = [\"{action}\"]")));
        assert!(matches!(mistake, Mistake::BadPattern { .. }), "{action}");
    }
}

#[test]
fn the_longest_path_patterns_are_taken() {
    let deepest = "/a".repeat(32);
    let longest = format!("/{}", "a".repeat(1_023));
    for path in [&deepest, &longest] {
        assert!(Policy::from_toml(&rule_with(&format!("paths = [\"{path}\"]"))).is_ok());
    }
}

#[test]
fn deadlines_from_1ms_to_60s_are_taken_and_no_others() {
    for (text, deadline) in [
        ("1ms", Duration::from_millis(1)),
        ("500ms", Duration::from_millis(500)),
        ("2s", Duration::from_secs(2)),
        ("60000ms", Duration::from_secs(60)),
        ("60s", Duration::from_secs(60)),
    ] {
        let policy = Policy::from_toml(&rule_with(&format!("deadline = \"{text}\""))).unwrap();
        assert_eq!(policy.rules()[0].deadline(), deadline);
    }
    for text in
        ["", "0ms", "0s", "61s", "60001ms", "1", "s", "-1s", "+1s", "1.5s", "1 s", "1m", "1us", "99999999999999999999s"]
    {
        let (line, column, mistake) = refused(&rule_with(&format!("deadline = \"{text}\"")));
        assert_eq!((line, column), (3, 12), "{text}");
        assert!(matches!(mistake, Mistake::BadDeadline { .. }), "{text}");
    }
}

#[test]
fn copies_from_1_to_16_are_taken_and_no_others() {
    for (text, copies) in [("1", 1), ("16", 16), ("0x10", 16), ("1_0", 10)] {
        let policy = Policy::from_toml(&rule_with(&format!("copies = {text}"))).unwrap();
        assert_eq!(policy.rules()[0].copies(), copies);
    }
    for text in ["0", "17", "-1", "256", "257", "99999999999999999999"] {
        let (line, column, mistake) = refused(&rule_with(&format!("copies = {text}")));
        assert_eq!((line, column), (3, 10), "{text}");
        assert!(matches!(mistake, Mistake::BadCopies { .. }), "{text}");
    }
}

#[test]
fn level_none_with_a_word_on_how_to_record_is_a_contradiction() {
    for field in
        ["durability = \"synced\"", "copies = 2", "on_failure = \"deny\"", "deadline = \"1s\"", "await_outcome = false"]
    {
        let text = rule_with(&format!("paths = [\"/a\"]\nlevel = \"none\"\n{field}"));
        let (line, _, mistake) = refused(&text);
        assert_eq!(line, 5, "{field}");
        assert!(matches!(mistake, Mistake::NothingToRecord { .. }), "{field}");
    }
}

#[test]
fn a_rule_only_for_verified_nobodies_is_refused() {
    let (line, _, mistake) = refused(&rule_with("actors = [\"unauthenticated\"]"));
    assert_eq!((line, mistake), (3, Mistake::MatchesNobody));
    let mixed = rule_with("actors = [\"unauthenticated\", \"user\"]");
    assert!(Policy::from_toml(&mixed).is_ok());
}

#[test]
fn more_than_1000_rules_are_refused() {
    let rules = |count: usize| -> String {
        (0..count).map(|n| format!("[[rule]]\nname = \"r{n}\"\npaths = [\"/{n}/**\"]\n")).collect()
    };
    assert_eq!(Policy::from_toml(&rules(1_000)).unwrap().rules().len(), 1_001);
    let (line, _, mistake) = refused(&rules(1_001));
    assert_eq!((line, mistake), (3_001, Mistake::TooManyRules));
}

#[test]
fn a_text_of_more_than_one_mebibyte_is_refused() {
    let padded = |length: usize| {
        let text = rule_with("level = \"metadata\"");
        format!("{text}#{}", "x".repeat(length - text.len() - 1))
    };
    assert!(Policy::from_toml(&padded(1 << 20)).is_ok());
    assert_eq!(refused(&padded((1 << 20) + 1)), (1, 1, Mistake::TooLong));
}

#[test]
fn a_file_is_read_and_named_in_errors() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("policy.toml");
    std::fs::write(&path, EXAMPLE).unwrap();
    let policy = Policy::from_file(&path).unwrap();
    assert_eq!(policy.digest(), Hash::digest(EXAMPLE.as_bytes()));

    std::fs::write(&path, "[[rule]]\nnom = \"a\"\n").unwrap();
    let error = Policy::from_file(&path).unwrap_err();
    let place = format!("{}:2:1: ", path.display());
    assert!(error.to_string().starts_with(&place), "{error}");

    std::fs::write(&path, vec![b'#'; (1 << 20) + 1]).unwrap();
    let error = Policy::from_file(&path).unwrap_err();
    assert_eq!(error.mistake(), Some(&Mistake::TooLong));

    std::fs::write(&path, b"# \xff\n").unwrap();
    let error = Policy::from_file(&path).unwrap_err();
    assert!(matches!(error, PolicyError::Read { .. }), "{error}");

    let missing = directory.path().join("missing.toml");
    let error = Policy::from_file(&missing).unwrap_err();
    assert!(error.to_string().contains("missing.toml"), "{error}");
    assert!(std::error::Error::source(&error).is_some());
}

/// Whether `later` is refused because `earlier` covers it.
fn is_covered(earlier: &str, later: &str) -> bool {
    let text = format!("[[rule]]\nname = \"wide\"\n{earlier}\n[[rule]]\nname = \"narrow\"\n{later}\n");
    match Policy::from_toml(&text) {
        Ok(_) => false,
        Err(error) => {
            let expected = Mistake::NeverMatches { rule: "narrow".into(), covered_by: "wide".into() };
            assert_eq!(error.mistake(), Some(&expected), "{text}");
            true
        }
    }
}

#[test]
fn a_rule_that_an_earlier_one_covers_in_every_field_is_refused() {
    for (earlier, later) in [
        ("", ""),
        ("", "actors = [\"user\"]\npaths = [\"/a\"]"),
        ("methods = [\"GET\", \"PUT\"]", "methods = [\"PUT\"]"),
        ("methods = [\"GET\"]", "methods = [\"HEAD\"]"),
        ("actors = [\"user\", \"system\"]", "actors = [\"system\"]"),
        ("actors = [\"user\"]", "actors = [\"user\"]\nactor_ids = [\"a\"]"),
        ("actor_ids = [\"a*\"]", "actor_ids = [\"abc\", \"ab*\", \"a*\"]"),
        (
            "actors = [\"service_account\", \"user\", \"app_user\", \"api_key\", \"system\", \"unknown\"]",
            "actor_ids = [\"a\"]",
        ),
        ("actions = [\"a.b.C/*\"]", "actions = [\"a.b.C/D\"]"),
        ("paths = [\"/**\"]", "paths = [\"/\", \"/a\", \"/a/*/b\", \"/**/c\"]"),
        ("paths = [\"/a/**\"]", "paths = [\"/a\"]"),
        ("paths = [\"/a/**\"]", "paths = [\"/a/*/b/**\"]"),
        ("paths = [\"/*/b\"]", "paths = [\"/a/b\"]"),
        ("paths = [\"/**/b\"]", "paths = [\"/a/**/b\"]"),
        // Only together do the patterns of the earlier rule match all that the later one does.
        ("paths = [\"/a\", \"/a/*\", \"/a/*/**\"]", "paths = [\"/a/**\"]"),
        ("paths = [\"/a\", \"/a/*/**\"]", "paths = [\"/a/**\"]"),
        ("paths = [\"/a/**\"]\nlevel = \"none\"", "paths = [\"/a/b\"]"),
        ("paths = [\"/\"]\nlevel = \"none\"", "paths = [\"/\"]"),
        ("methods = [\"OPTIONS\"]\nlevel = \"none\"", "methods = [\"OPTIONS\"]"),
        ("paths = [\"/a\"]", "paths = [\"/a\"]\nlevel = \"none\""),
    ] {
        assert!(is_covered(earlier, later), "{earlier} / {later}");
    }
}

#[test]
fn a_rule_that_can_match_something_is_taken() {
    for (earlier, later) in [
        ("methods = [\"GET\"]", ""),
        ("methods = [\"GET\"]\nlevel = \"none\"", "methods = [\"HEAD\"]"),
        ("methods = [\"GET\"]", "methods = [\"GET\", \"PUT\"]"),
        ("actors = [\"user\"]", ""),
        ("actor_ids = [\"a*\"]", "actors = [\"user\"]"),
        ("actor_ids = [\"ab*\"]", "actor_ids = [\"a*\"]"),
        ("actor_ids = [\"a\"]", "actor_ids = [\"a*\"]"),
        ("actors = [\"user\"]", "actor_ids = [\"a\"]"),
        // Without paths, a rule is for spans too.
        ("paths = [\"/**\"]", ""),
        ("paths = [\"/a\"]", "paths = [\"/a/**\"]"),
        ("paths = [\"/a/*\"]", "paths = [\"/a/**\"]"),
        ("paths = [\"/a/b\", \"/a/c\"]", "paths = [\"/a/*\"]"),
        ("paths = [\"/a/**/b\"]", "paths = [\"/**/b\"]"),
        ("paths = [\"/a\", \"/a/*\", \"/a/*/*/**\", \"/b\"]", "paths = [\"/a/**\", \"/b/c\"]"),
        ("paths = [\"/a/*/**\"]", "paths = [\"/a/**\"]"),
        ("paths = [\"/a\"]\nmethods = [\"GET\"]", "paths = [\"/a\"]"),
        // A rule that records nothing does not match `/a/`.
        ("paths = [\"/a\"]\nlevel = \"none\"", "paths = [\"/a\"]"),
    ] {
        assert!(!is_covered(earlier, later), "{earlier} / {later}");
    }
}

#[test]
fn messages_say_where_what_and_what_to_do() {
    let error = Policy::from_toml(&rule_with("copies = 99")).unwrap_err();
    assert_eq!(error.to_string(), "policy, line 3, column 10: 99 copies: write a number from 1 to 16");
    assert_eq!(error.position(), Some((3, 10)));
}

#[test]
fn a_rule_for_some_issuers_covers_only_theirs() {
    let rules = |first: &str, second: &str| {
        let text = format!("[[rule]]\nname = \"one\"\n{first}\n[[rule]]\nname = \"two\"\n{second}\n");
        Policy::from_toml(&text).err().and_then(|error| error.mistake().cloned())
    };
    let never = Some(Mistake::NeverMatches { rule: "two".into(), covered_by: "one".into() });
    assert_eq!(rules("issuers = [\"a*\"]", "issuers = [\"ab\"]"), never);
    assert_eq!(rules("issuers = [\"a*\"]", "issuers = [\"ab\", \"b\"]"), None);
    assert_eq!(rules("issuers = [\"a\"]", "actor_ids = [\"x\"]"), None);
    assert_eq!(rules("actors = [\"service_account\"]", "issuers = [\"a\"]"), None);
    let kinds = "actors = [\"service_account\", \"user\", \"app_user\", \"api_key\", \"system\", \"unknown\"]";
    assert_eq!(rules(kinds, "issuers = [\"a\"]"), never);
}

#[test]
fn an_issuer_that_is_no_pattern_is_refused() {
    for bad in ["", "a*b"] {
        let error = Policy::from_toml(&format!("[[rule]]\nname = \"x\"\nissuers = [\"{bad}\"]\n")).unwrap_err();
        assert!(matches!(error.mistake(), Some(Mistake::BadPattern { key: "issuers", .. })), "{error}");
        assert_eq!(error.position(), Some((3, 12)));
    }
}

#[test]
fn copies_of_what_is_only_accepted_are_refused() {
    let (line, column, mistake) = refused(&rule_with("durability = \"accepted\"\ncopies = 2"));
    assert_eq!(mistake, Mistake::CopiesOfNothing);
    assert!(line > 1 && column > 1);
    Policy::from_toml(&rule_with("durability = \"accepted\"\ncopies = 1")).unwrap();
}
